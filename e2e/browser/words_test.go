package browser

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// languages are the languages of the console, and what a browser asks for that
// wants them.
var languages = []string{"en", "ja", "zh"}

var acceptLanguage = map[string]string{"en": "en-GB,en;q=0.9", "ja": "ja,en;q=0.5", "zh": "zh-CN,zh;q=0.9,en;q=0.5"}

var htmlLang = map[string]string{"en": "en", "ja": "ja", "zh": "zh-Hans"}

// catalog is the console's texts in a language.
var catalog = sync.OnceValues(func() (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for _, l := range languages {
		texts := map[string]string{}
		files, err := filepath.Glob("../../internal/console/locales/" + l + "/*.json")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if err := readCatalog(file, texts); err != nil {
				return nil, err
			}
		}
		all[l] = texts
	}
	return all, nil
})

func readCatalog(file string, into map[string]string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var raw map[string]any
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	for key, v := range raw {
		switch v := v.(type) {
		case string:
			into[key] = v
		case map[string]any:
			into[key], _ = v["other"].(string)
		}
	}
	return nil
}

var markup = regexp.MustCompile(`</?(a|b|code|time)>`)

// word is the text of a key in a language, as a page shows it.
func word(t testing.TB, lang, key string, args ...string) string {
	t.Helper()
	all, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	text, ok := all[lang][key]
	if !ok {
		t.Fatalf("there is no text %s in %s", key, lang)
	}
	for i := 0; i+1 < len(args); i += 2 {
		text = strings.ReplaceAll(text, "{"+args[i]+"}", args[i+1])
	}
	return markup.ReplaceAllString(text, "")
}

// englishOnly are texts that English has and lang has differently, so that one
// of them on a page in lang was forgotten.
func englishOnly(t testing.TB, lang string) map[string]string {
	t.Helper()
	all, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for key, text := range all["en"] {
		if len(text) > 3 && all[lang][key] != text && !strings.Contains(text, "{") {
			out[markup.ReplaceAllString(text, "")] = key
		}
	}
	for _, text := range all[lang] { // a word that the language has borrowed
		delete(out, text)
	}
	return out
}

var bareKey = regexp.MustCompile(`\b[a-z]+(\.[a-z-]+)+\b`)

// keysIn are keys of texts that stand on a page in the place of the text.
func keysIn(t testing.TB, page string) (found []string) {
	t.Helper()
	all, err := catalog()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range bareKey.FindAllString(page, -1) {
		if _, ok := all["en"][k]; ok {
			found = append(found, k)
		}
	}
	return found
}
