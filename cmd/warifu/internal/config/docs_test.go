package config

import (
	"os"
	"strings"
	"testing"
)

// The reference lists every setting and every flag, and nothing else.
func TestSettingsAreDocumented(t *testing.T) {
	b, err := os.ReadFile("../../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 { // the table has four columns
			continue
		}
		for i, word := range strings.Split(cells[1], "`") {
			if i%2 == 1 {
				documented[word] = true
			}
		}
	}
	want := map[string]bool{}
	for _, s := range settings {
		want[s.key] = true
	}
	for _, s := range perService {
		want["services.NAME."+s.field] = true
	}
	for key := range want {
		if !documented[key] {
			t.Errorf("docs/operations.md does not list %s", key)
		}
	}
	for key := range documented {
		if _, ok := find(key); !ok && !strings.Contains(key, "warifu") && key != "setting" {
			t.Errorf("docs/operations.md lists %s, which is no setting", key)
		}
	}
	f := Flags{Data: "x", Listen: "x", AdminListen: "x", Database: "x", PublicURL: "x", KeyFile: "x", LogLevel: "x", LogFormat: "x"}
	for _, g := range f.given() {
		if !strings.Contains(string(b), "`"+g.flag+"`") {
			t.Errorf("docs/operations.md does not list %s", g.flag)
		}
	}
}
