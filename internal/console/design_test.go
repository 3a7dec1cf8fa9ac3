package console

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// The design system's page, as it was last looked at.
func TestDesignPageIsGolden(t *testing.T) {
	s := open(t)
	body := s.get("/console/design").Body.String()
	body = strings.ReplaceAll(body, s.con.assets.prefix, "/static/HASH/")
	body = regexp.MustCompile(`nonce="[^"]*"`).ReplaceAllString(body, `nonce="NONCE"`)
	path := filepath.Join("testdata", "design.html")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if body != string(want) {
		t.Error("the page differs from testdata/design.html; look at it, then run go test -update")
	}
}

var token = regexp.MustCompile(`--([a-z-]+): light-dark\(#([0-9a-f]{6}), #([0-9a-f]{6})\)`)

// tokens are the colours of the style sheet for one theme.
func tokens(t *testing.T, theme int) map[string]string {
	t.Helper()
	css, err := staticFiles.ReadFile("static/console.css")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range token.FindAllSubmatch(css, -1) {
		all[string(m[1])] = string(m[2+theme])
	}
	return all
}

// luminance is the relative luminance of a colour (WCAG 2.2, definitions).
func luminance(hex string) float64 {
	var l float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, _ := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		c := float64(v) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		l += weight * c
	}
	return l
}

func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (math.Max(la, lb) + 0.05) / (math.Min(la, lb) + 0.05)
}

// Text has 4.5:1 and what one must see to use a control 3:1 on every ground on
// which it stands (WCAG 2.2, 1.4.3 and 1.4.11).
func TestContrast(t *testing.T) {
	if c := contrast("000000", "ffffff"); math.Abs(c-21) > 0.01 {
		t.Fatalf("black on white is %.2f", c)
	}
	for theme, name := range []string{"light", "dark"} {
		c := tokens(t, theme)
		for _, p := range []struct {
			fore  string
			least float64
			on    string
		}{
			{"text", 7, "bg surface sunken hover good-soft warn-soft bad-soft info-soft"},
			{"muted", 4.5, "bg surface sunken hover"},
			{"link", 4.5, "bg surface sunken hover info-soft warn-soft"},
			{"on-fill", 4.5, "fill fill-hover danger danger-hover"},
			{"good", 4.5, "good-soft surface"}, {"warn", 4.5, "warn-soft surface"}, {"bad", 4.5, "bad-soft surface bg hover"}, {"info", 4.5, "info-soft"},
			{"edge", 3, "bg surface"}, {"focus", 3, "bg surface sunken info-soft"}, {"fill", 3, "surface bg"}, {"mark", 3, "bg surface"},
		} {
			for on := range strings.FieldsSeq(p.on) {
				if c[p.fore] == "" || c[on] == "" {
					t.Fatalf("there is no colour %s or %s", p.fore, on)
				}
				if got := contrast(c[p.fore], c[on]); got < p.least {
					t.Errorf("%s: %s on %s is %.2f, want %.1f", name, p.fore, on, got, p.least)
				}
			}
		}
	}
}
