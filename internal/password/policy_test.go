package password

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/fault"
)

func TestFailures(t *testing.T) {
	all := Policy{MinimumLength: 8, RequireSymbols: true, RequireNumbers: true, RequireUppercase: true, RequireLowercase: true}
	plain := Policy{MinimumLength: 8}
	for _, c := range []struct {
		p        Policy
		password string
		words    []string
		want     []Rule
	}{
		{all, "Abcdef1!", nil, nil},
		{all, "Élan vital 2!", nil, nil},
		{all, "", nil, []Rule{RuleLength, RuleSymbol, RuleNumber, RuleUppercase, RuleLowercase}},
		{all, "abcdefgh1", nil, []Rule{RuleSymbol, RuleUppercase}},
		{all, "ABCDEFGH!", nil, []Rule{RuleNumber, RuleLowercase}},
		{plain, "pass phrase", nil, nil},
		{plain, "さくらさくらさくら", nil, nil},
		{plain, "さくらさくらさ", nil, []Rule{RuleLength}},
		{plain, strings.Repeat("ab-", 400), nil, []Rule{RuleTooLong}},
		{plain, "password", nil, []Rule{RuleCommon}},
		{plain, "PassWord123", nil, []Rule{RuleCommon}},
		{plain, "ｐａｓｓｗｏｒｄ", nil, []Rule{RuleCommon}},
		{plain, "12345678", nil, []Rule{RuleCommon}},
		{plain, "87654321", nil, []Rule{RuleCommon}},
		{plain, "qwertyuiop", nil, []Rule{RuleCommon}},
		{plain, "ééééééééé", nil, []Rule{RuleCommon}},
		{plain, "alice2026", []string{"Alice"}, []Rule{RuleContext}},
		{plain, "ALICEALICE", []string{"bob", "alice"}, []Rule{RuleContext}},
		{plain, "alice in wonderland", []string{"alice"}, nil},
		{plain, "to be or not", []string{"be", ""}, nil},
	} {
		if got := c.p.Failures(pw(c.password), c.words, Common); !slices.Equal(got, c.want) {
			t.Errorf("%.20q: got %q, want %q", c.password, got, c.want)
		}
	}
	if got := plain.Failures(pw("password"), nil, nil); got != nil {
		t.Errorf("without a blocklist: %q", got)
	}
}

// P-3: a blocklist sees every password in one spelling.
func TestP3BlocklistGetsOneSpelling(t *testing.T) {
	var seen []string
	note := func(s string) bool { seen = append(seen, s); return false }
	for _, s := range []string{"CAFÉ", "cafe\u0301", "ｃａｆé"} {
		DefaultPolicy().Failures(pw(s), nil, note)
	}
	if !slices.Equal(seen, []string{"café", "café", "café"}) {
		t.Errorf("saw %q", seen)
	}
}

func TestRefusalNamesEveryRule(t *testing.T) {
	p := Policy{MinimumLength: 14, ReusePrevention: 5}
	if err := p.Refusal(nil); err != nil {
		t.Error(err)
	}
	err := p.Refusal([]Rule{RuleLength, RuleSymbol, RuleReuse, RuleCommon, RuleContext, RuleTooLong})
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.WeakPassword {
		t.Fatal(err)
	}
	for _, part := range []string{"at least 14 characters", "a symbol", "the last 5", "commonly used", "account's name", "1024 bytes"} {
		if !strings.Contains(f.What, part) {
			t.Errorf("%q is missing in %q", part, f.What)
		}
	}
}

func TestPolicyBounds(t *testing.T) {
	for _, c := range []struct {
		p     Policy
		field string
	}{
		{DefaultPolicy(), ""},
		{Policy{MinimumLength: 6, MaxAge: 1095, ReusePrevention: 24}, ""},
		{Policy{MinimumLength: 5}, "minimumPasswordLength"},
		{Policy{MinimumLength: 129}, "minimumPasswordLength"},
		{Policy{MinimumLength: 6, MaxAge: 1096}, "maxPasswordAge"},
		{Policy{MinimumLength: 6, MaxAge: -1}, "maxPasswordAge"},
		{Policy{MinimumLength: 6, ReusePrevention: 25}, "passwordReusePrevention"},
	} {
		err := c.p.Check()
		var f *fault.Error
		if errors.As(err, &f); (f == nil) != (c.field == "") || f != nil && f.Name != c.field {
			t.Errorf("%+v: %v", c.p, err)
		}
	}
}

func TestPolicyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{
			MinimumLength: rapid.IntRange(6, 128).Draw(t, "length"), RequireSymbols: rapid.Bool().Draw(t, "symbols"),
			AllowUsersToChange: rapid.Bool().Draw(t, "change"), MaxAge: rapid.IntRange(0, 1095).Draw(t, "age"),
			ReusePrevention: rapid.IntRange(0, 24).Draw(t, "reuse"), HardExpiry: rapid.Bool().Draw(t, "hard"),
		}
		if back, err := ParsePolicy(p.Text()); err != nil || back != p {
			t.Fatalf("%s: %+v, %v", p.Text(), back, err)
		}
	})
	if p, err := ParsePolicy(""); p != DefaultPolicy() || err != nil {
		t.Error(p, err)
	}
	for _, text := range []string{"x", "{}", `{"MinimumLength":8,"Unknown":true}`, `{"MinimumLength":8,"MinimumLength":6}`, `{"MinimumLength":1}`} {
		if _, err := ParsePolicy(text); err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(DefaultPolicy().Text())
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := ParsePolicy(text); err == nil && p.Check() != nil {
			t.Fatalf("%q passed as %+v", text, p)
		}
	})
}

func TestAgeOf(t *testing.T) {
	changed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for _, c := range []struct {
		maxAge int
		hard   bool
		after  time.Duration
		want   Age
	}{
		{0, true, 10000 * day, Fresh},
		{90, false, 90*day - 1, Fresh},
		{90, false, 90 * day, MustChange},
		{90, true, 90 * day, Locked},
		{90, true, -day, Fresh},
	} {
		p := Policy{MinimumLength: 8, MaxAge: c.maxAge, HardExpiry: c.hard}
		if got := p.AgeOf(changed, changed.Add(c.after)); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
		if p.ExpirePasswords() != (c.maxAge > 0) {
			t.Errorf("%+v: expires is wrong", c)
		}
	}
}
