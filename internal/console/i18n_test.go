package console

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{[a-z]+\}|</?[a-z]+>`)

// parts are the placeholders and tags of a text, sorted.
func parts(s string) string {
	found := placeholder.FindAllString(s, -1)
	slices.Sort(found)
	return strings.Join(found, " ")
}

// The catalogs have the same keys, and each text the same placeholders and tags.
func TestCatalogsAgree(t *testing.T) {
	en := languages["en"]
	for code, l := range languages {
		for _, key := range l.keys() {
			m, ok := en.texts[key]
			if !ok {
				t.Errorf("%s has %s, English has not", code, key)
				continue
			}
			other := l.texts[key]
			if want, got := parts(m.other), parts(other.other); want != got {
				t.Errorf("%s %s: placeholders %s, English has %s", code, key, got, want)
			}
			if code != "en" && other.one != "" {
				t.Errorf("%s %s: the language has one plural form", code, key)
			}
			if strings.TrimSpace(other.other) == "" && key != "list.separator" {
				t.Errorf("%s %s is empty", code, key)
			}
			if _, err := l.rich(key); err != nil {
				t.Error(err)
			}
		}
		for _, key := range en.keys() {
			if !l.has(key) {
				t.Errorf("%s lacks %s", code, key)
			}
		}
	}
	for _, key := range en.keys() {
		if m := en.texts[key]; m.one != "" && !strings.Contains(m.other, "{n}") {
			t.Errorf("%s has plural forms and no {n}", key)
		}
	}
}

// A text in Japanese or Chinese that is the English one was forgotten.
func TestCatalogsAreTranslated(t *testing.T) {
	same := []string{"denied.where", "activity.from"}
	latin := regexp.MustCompile(`[A-Za-z]{4,}`)
	for _, code := range []string{"ja", "zh"} {
		for key, m := range languages[code].texts {
			if e := languages["en"].texts[key].other; m.other == e && latin.MatchString(e) && !slices.Contains(same, key) {
				t.Errorf("%s %s is the English text: %s", code, key, e)
			}
		}
	}
}

var (
	keyInTemplate = regexp.MustCompile(`\((?:t|rich) "([a-z][A-Za-z0-9.-]+)"|\{\{(?:t|template "rich" \(rich) "([a-z][A-Za-z0-9.-]+)"`)
	keyInGo       = regexp.MustCompile(`\b(?:t|text|rich|wrong|done|say)\((?:[a-z]+, )?(?:"/[^"]*", |[a-z]+, )?"([a-z]+\.[A-Za-z0-9.-]+[A-Za-z0-9])"[,)]`)
)

// Every key that templates and Go name is in the catalogs.
func TestKeysExist(t *testing.T) {
	found := 0
	check := func(name string, re *regexp.Regexp, b []byte) {
		for _, m := range re.FindAllSubmatch(b, -1) {
			key := string(m[1])
			if len(m) > 2 && key == "" {
				key = string(m[2])
			}
			found++
			if !languages["en"].has(key) {
				t.Errorf("%s: there is no text %s", name, key)
			}
		}
	}
	err := fs.WalkDir(templateFiles, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := templateFiles.ReadFile(name)
		check(name, keyInTemplate, b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") || name == "doc.go" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		check(name, keyInGo, b)
	}
	if found < 200 {
		t.Errorf("only %d keys were found: the pattern does not fit any more", found)
	}
}

// A moment that a template gives to a text stands in it as a time, in every
// language: written as it is, it would be a Go value.
func TestMomentsAreTimes(t *testing.T) {
	call := regexp.MustCompile(`\((?:rich|t) "([^"]+)"((?:[^()]|\([^()]*\))*)\)`)
	moment := regexp.MustCompile(`"(\w+)" \((?:ago|at) `)
	found := 0
	err := fs.WalkDir(templateFiles, "templates", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := templateFiles.ReadFile(name)
		for _, c := range call.FindAllSubmatch(b, -1) {
			for _, m := range moment.FindAllSubmatch(c[2], -1) {
				found++
				for code, l := range languages {
					if want := "<time>{" + string(m[1]) + "}</time>"; !strings.Contains(l.texts[string(c[1])].other, want) {
						t.Errorf("%s: %s lacks %s in %s", name, c[1], want, code)
					}
				}
			}
		}
		return err
	})
	if err != nil || found < 20 {
		t.Errorf("%d moments found: %v", found, err)
	}
}

func TestTextsAreChosenAndFilled(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "ja": "ja", "zh-TW,zh;q=0.8": "zh", "fr,de;q=0.9": "en", "fr, ja;q=0.3, en;q=0.7": "en", "en;q=0, ja;q=0.1": "ja",
		"JA-jp": "ja", ";;;,q=": "en", "ja;q=9": "en", strings.Repeat("x,", 5000) + "ja": "en", "*": "en",
	} {
		if got := accepted(header).code; got != want {
			t.Errorf("%.40q: %s, want %s", header, got, want)
		}
	}
	en := languages["en"]
	for want, got := range map[string]string{
		"1 minute ago": en.text("ago.minutes", "n", 1), "12 minutes ago": en.text("ago.minutes", "n", 12),
		"1 分前": languages["ja"].text("ago.minutes", "n", 1), "no.such.key": en.text("no.such.key"), "12,345": shown(12345), "-1,000": shown(-1000), "999": shown(999),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// H-3: what fills a placeholder opens no tag and no further placeholder.
func TestRichTextTakesNoTagsFromArguments(t *testing.T) {
	l := &language{code: "en", texts: map[string]message{"k": {other: "a <b>{x}</b> <a>{y}</a>"}}}
	got, err := l.rich("k", "x", "<a>{y}</a>", "y", "</a><b>", "a", "/there")
	if err != nil {
		t.Fatal(err)
	}
	want := []stretch{{Text: "a "}, {Text: "<a>{y}</a>", Kind: "b"}, {Text: " "}, {Text: "</a><b>", Kind: "a", Href: "/there"}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}
