package recovery

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warifu/internal/name"
)

// C-8: 80 bits each, all different, in a form that can be read out.
func TestC8Codes(t *testing.T) {
	codes, err := New(rand.NewChaCha8([32]byte{1}))
	if err != nil || len(codes) != Count {
		t.Fatal(len(codes), err)
	}
	form, seen := regexp.MustCompile(`^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$`), map[string]bool{}
	for _, c := range codes {
		text := string(c.Reveal())
		if !form.MatchString(text) || seen[text] {
			t.Errorf("the code %s", text)
		}
		seen[text] = true
		if Normalize(text) != strings.ReplaceAll(text, "-", "") {
			t.Errorf("%s is read as %s", text, Normalize(text))
		}
	}
	if _, err := New(strings.NewReader("too short")); err == nil {
		t.Error("codes without randomness")
	}
}

// C-11: as people type it.
func TestC11Typed(t *testing.T) {
	const code = "ABCDEFGHIOB23456"
	for _, typed := range []string{
		"ABCD-EFGH-IOB2-3456", " abcd efgh iob2 3456\n", "ＡＢＣＤ－ＥＦＧＨ－ＩＯＢ２－３４５６", "ABCD\u2013EFGH\u200e1082\u00ad3456", "abcdefghi0b23456",
	} {
		if got := Normalize(typed); got != code {
			t.Errorf("%q is read as %q", typed, got)
		}
	}
	for _, typed := range []string{"", "ABCD", code + "A", "ABCD-EFGH-IJKL-MN9P", strings.Repeat("A", 10_000), "ABCDEFGHIJKLMNOÄ"} {
		if got := Normalize(typed); got != "" {
			t.Errorf("%.40q is read as %q", typed, got)
		}
	}
}

// C-8: a code of one user is none of another, and none without the key.
func TestC8HashIsOfUserAndKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		a, b := name.ID(rapid.Int64().Draw(t, "a")), name.ID(rapid.Int64().Draw(t, "b"))
		code := rapid.StringMatching(`[A-Z2-7]{16}`).Draw(t, "code")
		if a != b && bytes.Equal(Hash(key, a, code), Hash(key, b, code)) {
			t.Fatal("the users share a hash")
		}
		other := key
		other[0] ^= 1
		if bytes.Equal(Hash(key, a, code), Hash(other, a, code)) {
			t.Fatal("the key does not count")
		}
	})
}

func FuzzNormalize(f *testing.F) {
	f.Add("ABCD-EFGH-IJKL-MNOP")
	f.Fuzz(func(t *testing.T, typed string) {
		if c := Normalize(typed); c != "" && (len(c) != length || Normalize(c) != c) {
			t.Errorf("%q becomes %q", typed, c)
		}
	})
}
