package console

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
)

//go:embed locales
var localeFiles embed.FS

// language is one language and its texts.
type language struct {
	code string // folder, cookie value
	tag  string // BCP 47, for lang attributes
	name string // in the language itself

	texts map[string]message
}

// message is one text. A text that counts has a form per plural category.
type message struct {
	other string
	one   string // English only; "" means there is none
}

// languageOrder is the order in which languages are offered; the first is for
// browsers that ask for none of them.
var languageOrder = []string{"en", "ja", "zh"}

var languages = mustLanguages()

func mustLanguages() map[string]*language {
	all := map[string]*language{
		"en": {code: "en", tag: "en", name: "English"},
		"ja": {code: "ja", tag: "ja", name: "日本語"},
		"zh": {code: "zh", tag: "zh-Hans", name: "简体中文"},
	}
	for _, l := range all {
		var err error
		if l.texts, err = readTexts(localeFiles, "locales/"+l.code); err != nil {
			panic("console: " + err.Error()) // embedded: a test finds it
		}
	}
	return all
}

// readTexts reads the catalog files of a folder. A key that stands twice is an
// error.
func readTexts(files fs.FS, folder string) (map[string]message, error) {
	texts := map[string]message{}
	names, err := fs.Glob(files, folder+"/*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var raw map[string]json.RawMessage
		if err := json.Unmarshal(b, &raw); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for key, value := range raw {
			m, err := parseMessage(value)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, key, err)
			}
			if _, twice := texts[key]; twice {
				return nil, fmt.Errorf("%s: %s stands twice", name, key)
			}
			texts[key] = m
		}
	}
	return texts, nil
}

func parseMessage(raw json.RawMessage) (m message, err error) {
	if raw[0] != '{' {
		return m, json.Unmarshal(raw, &m.other)
	}
	var forms map[string]string
	if err := json.Unmarshal(raw, &forms); err != nil {
		return m, err
	}
	for form, text := range forms {
		switch form {
		case "one":
			m.one = text
		case "other":
			m.other = text
		default:
			return m, fmt.Errorf("there is no plural form %q", form)
		}
	}
	if m.other == "" {
		return m, fmt.Errorf("the plural form \"other\" is missing")
	}
	return m, nil
}

func (l *language) has(key string) bool { _, ok := l.texts[key]; return ok }

// text is the text of a key, its placeholders filled from pairs of name and
// value. A key that is missing stands for itself; tests let none be missing.
func (l *language) text(key string, args ...any) string {
	m, ok := l.texts[key]
	if !ok {
		return key
	}
	return fill(l.form(m, args), args)
}

// form is the plural form for the argument n. Japanese and Chinese have one.
func (l *language) form(m message, args []any) string {
	if m.one != "" {
		for i := 0; i+1 < len(args); i += 2 {
			if args[i] == "n" && fmt.Sprint(args[i+1]) == "1" {
				return m.one
			}
		}
	}
	return m.other
}

// fill replaces {name} by its argument.
func fill(text string, args []any) string {
	if len(args) == 0 || !strings.Contains(text, "{") {
		return text
	}
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		value, known := argOf(args, name)
		if !ok || !known {
			out.WriteByte('{')
			text = rest
			continue
		}
		out.WriteString(value)
		text = after
	}
}

// argOf is the value that fills a placeholder.
func argOf(args []any, name string) (string, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return shown(args[i+1]), true
		}
	}
	return "", false
}

// shown writes numbers with their thousands apart.
func shown(v any) string {
	n, ok := v.(int)
	if !ok || n > -1000 && n < 1000 {
		return fmt.Sprint(v)
	}
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// chooseLanguage takes the user's choice, else what the browser asks for.
func (rq *request) chooseLanguage() *language {
	if l := languages[rq.cookie(cookieLang)]; l != nil {
		return l
	}
	return accepted(rq.r.Header.Get("Accept-Language"))
}

// accepted is the language that an Accept-Language header (RFC 9110, section
// 12.5.4) likes best, by primary subtag.
func accepted(header string) *language {
	type wish struct {
		code string
		q    float64
	}
	var ranges []wish
	for part := range strings.SplitSeq(header[:min(len(header), 1000)], ",") {
		tag, param, _ := strings.Cut(strings.TrimSpace(part), ";")
		code, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(param), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64)
		}
		if languages[code] != nil && q > 0 && q <= 1 {
			ranges = append(ranges, wish{code, q})
		}
	}
	if len(ranges) == 0 {
		return languages[languageOrder[0]]
	}
	best := slices.MaxFunc(ranges, func(a, b wish) int {
		if a.q < b.q {
			return -1
		} else if a.q > b.q {
			return 1
		}
		return 0
	})
	return languages[best.code]
}

// keys are all keys of a language, sorted.
func (l *language) keys() []string { return slices.Sorted(maps.Keys(l.texts)) }

// stretch is a part of a rich text.
type stretch struct {
	Text string
	Kind string // "", b, code, a, time
	Href string
	When moment // of time
}

// rich splits a text into stretches by the tags <b>, <code>, <a> and <time>,
// which do not nest. Placeholders are filled after the split, so that no argument can
// open a tag.
func (l *language) rich(key string, args ...any) ([]stretch, error) {
	m, ok := l.texts[key]
	if !ok {
		return []stretch{{Text: key}}, nil
	}
	var out []stretch
	rest, links := l.form(m, args), 0
	for rest != "" {
		i := strings.IndexByte(rest, '<')
		if i < 0 {
			out = append(out, stretch{Text: fill(rest, args)})
			break
		}
		if i > 0 {
			out = append(out, stretch{Text: fill(rest[:i], args)})
		}
		kind, after, ok := strings.Cut(rest[i+1:], ">")
		inside, next, closed := strings.Cut(after, "</"+kind+">")
		if !ok || !closed || !richTag(kind) {
			return nil, fmt.Errorf("the text %s has a tag that does not fit", key)
		}
		s := stretch{Text: fill(inside, args), Kind: kind}
		switch kind {
		case "a":
			links++
			s.Href = linkArg(args, links)
		case "time":
			s.When, s.Text = timeArg(args, inside), ""
		}
		out, rest = append(out, s), next
	}
	return out, nil
}

func richTag(kind string) bool { return kind == "b" || kind == "code" || kind == "a" || kind == "time" }

// timeArg is the moment of a placeholder.
func timeArg(args []any, placeholder string) moment {
	for i := 0; i+1 < len(args); i += 2 {
		if m, ok := args[i+1].(moment); ok && placeholder == "{"+fmt.Sprint(args[i])+"}" {
			return m
		}
	}
	return moment{Zero: true}
}

// linkArg is the target of the nth link: argument a, a2, a3, …
func linkArg(args []any, n int) string {
	name := "a"
	if n > 1 {
		name += strconv.Itoa(n)
	}
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return fmt.Sprint(args[i+1])
		}
	}
	return ""
}

// Code, Tag and Name are for templates.
func (l *language) Code() string { return l.code }

// Tag is the language's tag (BCP 47).
func (l *language) Tag() string { return l.tag }

// Name is what the language calls itself.
func (l *language) Name() string { return l.name }
