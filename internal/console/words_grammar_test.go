package console

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"warifu/policy/aws"
	"warifu/policy/jsonc"
)

// english finds a word of English outside of quotation marks, of names that
// begin with a capital letter, and of those with a dot, colon or star.
var english = regexp.MustCompile(`(?:^|[^\w"'.:*/…{-])([a-z]{2,})(?:[^\w"'.:*/…}-]|$)`)

// What the parsers say of wrong policies is said in every language; English says
// what they say.
func TestFaultsInPoliciesAreTranslated(t *testing.T) {
	corpus, err := os.ReadFile("../../policy/aws/testdata/grammar.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for line := range bytes.Lines(corpus) {
		var c struct{ Document string }
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []aws.Kind{aws.Managed, aws.Inline, aws.TrustPolicy} {
			if _, err := aws.Parse([]byte(c.Document), kind); err != nil {
				if e := err.(*aws.Error); !e.Quota {
					said[e.Found], said[e.Want] = true, true
				}
			}
		}
	}
	for _, text := range []string{"/*", "// \u202e", "// \xff", strings.Repeat("[", 65), strings.Repeat(" ", jsonc.MaxSize+1)} {
		_, err := jsonc.Strip([]byte(text))
		e := err.(*jsonc.Error)
		said[e.Found], said[e.Want] = true, true
	}
	if len(said) < 40 {
		t.Errorf("the corpus has %d sentences only", len(said))
	}
	for s := range said {
		for _, lang := range []string{"ja", "zh"} {
			bare := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`).ReplaceAllString(languages[lang].inWords(s), `""`)
			if w := english.FindStringSubmatch(bare); w != nil {
				t.Errorf("%s: %q is %q, with %q", lang, s, languages[lang].inWords(s), w[1])
			}
		}
		if got := languages["en"].inWords(s); got != s && !strings.HasPrefix(s, "each ") && !strings.HasPrefix(s, "at most ") && !strings.Contains(s, "'s name") && !strings.HasPrefix(s, "StringEquals") {
			t.Errorf("English: %q is %q", s, got)
		}
	}
}
