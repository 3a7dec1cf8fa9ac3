package seal_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"warifu/internal/seal"
)

const canary = "canary-7f3a"

// showings returns the canary in every form that a careless printer gives it.
func showings() []string {
	return []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), strings.Trim(fmt.Sprint([]byte(canary)), "[]"), "0x63, 0x61"}
}

func mustHide(t *testing.T, how, got string) {
	t.Helper()
	for _, s := range showings() {
		if strings.Contains(got, s) {
			t.Errorf("%s shows the secret: %s", how, got)
		}
	}
}

type holder struct{ S seal.Secret }

// K-2: no printer, logger or encoder shows a secret, at the top or inside.
func TestK2SecretIsNeverShown(t *testing.T) {
	s := seal.NewSecret([]byte(canary))
	inside := struct {
		Open   seal.Secret
		hidden seal.Secret
		ptr    *seal.Secret
	}{s, s, &s}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%c", "%t", "%T"} {
		mustHide(t, verb, fmt.Sprintf(verb, s))
		mustHide(t, verb+" of a pointer", fmt.Sprintf(verb, &s))
		mustHide(t, verb+" inside", fmt.Sprintf(verb, inside))
		mustHide(t, verb+" in a slice", fmt.Sprintf(verb, []seal.Secret{s}))
	}
	for _, verb := range []string{"%v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, s); got != seal.Redacted {
			t.Errorf("%s gives %q, want %q", verb, got, seal.Redacted)
		}
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(h).Info("a", "secret", s, "inside", inside, "err", errors.Join(fmt.Errorf("with %v", s)))
	}
	mustHide(t, "slog", log.String())
	if !strings.Contains(log.String(), seal.Redacted) {
		t.Error("slog does not say that something was sealed")
	}
	j, err := json.Marshal(inside)
	if err != nil || !strings.Contains(string(j), seal.Redacted) {
		t.Errorf("JSON: %s, %v", j, err)
	}
	mustHide(t, "JSON", string(j))
	x, err := xml.Marshal(holder{s})
	if err != nil {
		t.Error(err)
	}
	mustHide(t, "XML", string(x))
	y, err := yaml.Marshal(struct{ S seal.Secret }{s})
	if err != nil {
		t.Error(err)
	}
	mustHide(t, "YAML", string(y))
	var page bytes.Buffer
	if err := template.Must(template.New("").Parse(`<p x="{{.}}">{{.}}<script>x={{.}}</script>`)).Execute(&page, s); err != nil {
		t.Error(err)
	}
	mustHide(t, "template", page.String())
}

func TestK2RingAndBoxAreNeverShown(t *testing.T) {
	ring, _, kms := newRing(t)
	text := string(kms.Text().Reveal())
	key := strings.Fields(text[strings.Index(text, "\nwarifu-kek-1"):])[1]
	for _, v := range []any{ring, kms, seal.NewBox([32]byte([]byte(strings.Repeat(canary, 3)[:32]))), *ring, *kms} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			got := fmt.Sprintf(verb, v)
			mustHide(t, verb, got)
			if got != seal.Redacted || strings.Contains(got, key) {
				t.Errorf("%s of %T gives %q", verb, v, got)
			}
		}
	}
}

func TestSecretIsACopyAndComparable(t *testing.T) {
	b := []byte("abc")
	s := seal.NewSecret(b)
	b[0] = 'x'
	if string(s.Reveal()) != "abc" {
		t.Error("a secret must not change with the bytes it was made from")
	}
	if !s.Equal(seal.NewSecret([]byte("abc"))) || s.Equal(seal.NewSecret(b)) || s.Equal(seal.Secret{}) {
		t.Error("Equal is wrong")
	}
	if !(seal.Secret{}).Empty() || s.Empty() || !(seal.Secret{}).Equal(seal.NewSecret(nil)) {
		t.Error("Empty is wrong")
	}
}
