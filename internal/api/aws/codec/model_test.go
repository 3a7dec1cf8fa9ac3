package codec

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestModelPatterns: every pattern of the service models can be used as it
// stands, but for the one of account aliases, whose look-ahead Go does not have
// (a shape gives it with re).
func TestModelPatterns(t *testing.T) {
	patterns := map[string]bool{}
	for _, service := range []string{"iam", "sts", "cloudtrail"} {
		data, err := os.ReadFile("../testdata/model/" + service + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var model any
		if err := json.Unmarshal(data, &model); err != nil {
			t.Fatal(err)
		}
		collect(model, patterns)
	}
	if len(patterns) < 40 {
		t.Fatalf("only %d patterns found", len(patterns))
	}
	for p := range patterns {
		if _, err := newMatcher(p); (err != nil) != strings.Contains(p, "(?!") {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func collect(v any, patterns map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		if p, ok := v["pattern"].(string); ok {
			patterns[p] = true
		}
		for _, part := range v {
			collect(part, patterns)
		}
	case []any:
		for _, part := range v {
			collect(part, patterns)
		}
	}
}

func TestPatternSaidAndMatchedApart(t *testing.T) {
	type alias struct {
		AccountAlias string `pattern:"^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$" re:"[a-z0-9]+(-[a-z0-9]+)*" len:"3,63"`
	}
	if _, err := decode[alias](t, false, "AccountAlias=a-b-c"); err != nil {
		t.Error(err)
	}
	_, err := decode[alias](t, false, "AccountAlias=a--b")
	const want = "1 validation error detected: Value at 'accountAlias' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$"
	if e, ok := err.(*Error); !ok || e.Message != want {
		t.Error(err)
	}
}
