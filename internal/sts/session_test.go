package sts

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"warifu/internal/fault"
	"warifu/internal/iam"
)

const h, m = time.Hour, time.Minute

func TestUserLife(t *testing.T) {
	for _, c := range []struct {
		asked time.Duration
		root  bool
		want  time.Duration // 0 = refused
	}{
		{0, false, 12 * h}, {15 * m, false, 15 * m}, {36 * h, false, 36 * h},
		{15*m - time.Second, false, 0}, {36*h + time.Second, false, 0}, {-h, false, 0}, {15*m + 1, false, 0},
		{0, true, h}, {15 * m, true, 15 * m}, {2 * h, true, h}, {36 * h, true, h}, {37 * h, true, 0},
	} {
		got, err := UserLife(c.asked, c.root)
		if c.want == 0 && fault.Is(err, fault.Invalid) {
			continue
		}
		if got != c.want || err != nil {
			t.Errorf("asked %v, root %v: got %v, %v", c.asked, c.root, got, err)
		}
	}
}

func TestRoleLife(t *testing.T) {
	for _, c := range []struct {
		asked, roleMax time.Duration
		chained        bool
		want           time.Duration
		err            error
	}{
		{0, h, false, h, nil}, {0, 12 * h, true, h, nil}, {0, 0, false, h, nil},
		{15 * m, h, false, 15 * m, nil}, {12 * h, 12 * h, false, 12 * h, nil},
		{2 * h, h, false, 0, ErrBeyondRole}, {2 * h, h, true, 0, ErrBeyondRole},
		{2 * h, 12 * h, true, 0, ErrBeyondChained}, {h, 12 * h, true, h, nil},
		{14 * m, 12 * h, false, 0, nil}, {13 * h, 12 * h, false, 0, nil},
	} {
		got, err := RoleLife(c.asked, c.roleMax, c.chained)
		switch {
		case c.want != 0 && (got != c.want || err != nil),
			c.err != nil && !errors.Is(err, c.err),
			c.want == 0 && !fault.Is(err, fault.Invalid):
			t.Errorf("asked %v of %v, chained %v: got %v, %v", c.asked, c.roleMax, c.chained, got, err)
		}
	}
}

func TestRoleMax(t *testing.T) {
	for d, ok := range map[time.Duration]bool{h: true, 12 * h: true, h - time.Second: false, 12*h + time.Second: false, h + 1: false, 0: false} {
		if err := CheckRoleMax(d); (err == nil) != ok {
			t.Errorf("%v: %v", d, err)
		}
	}
}

func TestCheckPolicies(t *testing.T) {
	ten := make([]string, 10)
	for _, c := range []struct {
		policies, arns []string
		field          string
	}{
		{nil, nil, ""},
		{[]string{strings.Repeat("é", 2048)}, ten, ""},
		{[]string{strings.Repeat("é", 2047)}, []string{"ab"}, "policy"},
		{nil, append(ten, ""), "policyArns"},
	} {
		err := CheckPolicies(c.policies, c.arns)
		var f *fault.Error
		if errors.As(err, &f); (f == nil) != (c.field == "") || f != nil && f.Name != c.field {
			t.Errorf("%v", err)
		}
	}
}

func TestInheritTags(t *testing.T) {
	caller := []Tag{{"Project", "割符", true}, {"Plain", "x", false}}
	for _, c := range []struct {
		name       string
		given      []iam.Tag
		transitive []string
		want       []Tag
		err        error
	}{
		{"nothing given", nil, nil, []Tag{{"Project", "割符", true}}, nil},
		{"one more", []iam.Tag{{Key: "Plain", Value: "y"}, {Key: "Cost", Value: "1"}}, []string{"cost"},
			[]Tag{{"Project", "割符", true}, {"Plain", "y", false}, {"Cost", "1", true}}, nil},
		{"overridden", []iam.Tag{{Key: "project", Value: "other"}}, nil, nil, ErrTransitiveTaken},
		{"not given", []iam.Tag{{Key: "a"}}, []string{"b"}, nil, ErrTransitiveUnknown},
		{"inherited named again", nil, []string{"Project"}, nil, ErrTransitiveUnknown},
	} {
		got, err := InheritTags(caller, c.given, c.transitive)
		if !errors.Is(err, c.err) {
			t.Errorf("%s: %v", c.name, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	var many []iam.Tag
	for i := range 50 {
		many = append(many, iam.Tag{Key: fmt.Sprint(i)})
	}
	if _, err := InheritTags(nil, many, nil); err != nil {
		t.Error(err)
	}
	if _, err := InheritTags(caller, many, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("51 tags: %v", err)
	}
}

// what was transitive once is there, unchanged, after any chain of roles.
func TestA7TransitiveTagsSurviveEveryChain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var session []Tag
		kept := map[string]string{}
		for i := range 6 {
			key := rapid.SampledFrom([]string{"a", "A", "b", "c"}).Draw(t, "key")
			value := fmt.Sprint(i)
			var pass []string
			if rapid.Bool().Draw(t, "transitive") {
				pass = []string{key}
			}
			next, err := InheritTags(session, []iam.Tag{{Key: key, Value: value}}, pass)
			if err != nil {
				continue
			}
			if session = next; pass != nil {
				kept[strings.ToLower(key)] = value
			}
			for k, v := range kept {
				n := 0
				for _, tag := range session {
					if strings.EqualFold(tag.Key, k) {
						n++
						if tag.Value != v || !tag.Transitive {
							t.Fatalf("tag %s changed to %+v", k, tag)
						}
					}
				}
				if n != 1 {
					t.Fatalf("tag %s is there %d times", k, n)
				}
			}
		}
	})
}

func TestInheritSourceIdentity(t *testing.T) {
	for _, c := range []struct {
		caller, asked, want string
		err                 error
	}{
		{"", "", "", nil}, {"", "ann", "ann", nil}, {"ann", "", "ann", nil}, {"ann", "ann", "ann", nil},
		{"ann", "bob", "", ErrSourceIdentitySet}, {"ann", "Ann", "", ErrSourceIdentitySet},
	} {
		got, err := InheritSourceIdentity(c.caller, c.asked)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q asks for %q: %q, %v", c.caller, c.asked, got, err)
		}
	}
}

func TestMessageRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.StringN(0, 200, -1).Draw(t, "text"))
		text = bytes.Repeat(text, rapid.IntRange(1, 50).Draw(t, "times"))
		s, err := codec.EncodeMessage(fixed(1), 123456789012, text)
		if err != nil {
			if len(text) < MaxMessage/2 || !fault.Is(err, fault.Limit) {
				t.Fatal(len(text), err)
			}
			return
		}
		if len(s) > MaxMessage {
			t.Fatalf("%d characters", len(s))
		}
		got, err := codec.DecodeMessage(123456789012, s)
		if err != nil || !bytes.Equal(got, text) {
			t.Fatal(err)
		}
	})
}

func TestMessageIsBoundAndUnalterable(t *testing.T) {
	s, err := codec.EncodeMessage(fixed(1), 123456789012, []byte(`{"allowed":false,"explicitDeny":true}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := codec.DecodeMessage(210987654321, s); !errors.Is(err, ErrMessage) {
		t.Errorf("another account reads it: %v", err)
	}
	if _, err := NewCodec([32]byte{9}).DecodeMessage(123456789012, s); !errors.Is(err, ErrMessage) {
		t.Errorf("another server reads it: %v", err)
	}
	for i := range s {
		char := byte('A')
		if s[i] == 'A' {
			char = 'B'
		}
		for _, bad := range []string{s[:i], s[:i] + string(char) + s[i+1:], s[:i] + "\n" + s[i:]} {
			if _, err := codec.DecodeMessage(123456789012, bad); !errors.Is(err, ErrMessage) {
				t.Fatalf("altered at %d: %v", i, err)
			}
		}
	}
	token := mint(t, userSession()).Token
	for _, bad := range []string{"", "x", "%", token, strings.Repeat("A", MaxMessage+1), s + "A", s + "=="} {
		if _, err := codec.DecodeMessage(123456789012, bad); !errors.Is(err, ErrMessage) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// nothing expands more than tenfold or over 1 MiB, sealed or not.
func TestA4MessageDoesNotExplode(t *testing.T) {
	big := bytes.Repeat([]byte("a"), 70_000)
	s, err := codec.EncodeMessage(fixed(1), 1, big)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := codec.DecodeMessage(1, s); err != nil || !bytes.Equal(got, big) {
		t.Fatalf("a text that shrinks a lot: %v", err)
	}
	for _, n := range []int{110_000, MaxMessageText + 1} {
		if _, err := codec.EncodeMessage(fixed(1), 1, make([]byte, n)); !fault.Is(err, fault.Limit) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for what, plain := range map[string][]byte{
		"bomb":         append([]byte{textDeflated}, deflate(bytes.Repeat([]byte("a"), 1<<20))...),
		"unknown form": {7, 1, 2},
		"not deflate":  {textDeflated, 0xff, 0xff},
		"nothing":      {},
	} {
		raw, err := codec.messages.Seal(nil, fixed(1), plain, messageContext(1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := codec.DecodeMessage(1, base64.RawURLEncoding.EncodeToString(raw)); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzDecodeMessage(f *testing.F) {
	s, _ := codec.EncodeMessage(fixed(1), 1, []byte("text"))
	f.Add(s)
	f.Fuzz(func(t *testing.T, in string) {
		if _, err := codec.DecodeMessage(1, in); err == nil && in != s {
			t.Fatalf("forged: %q", in)
		}
	})
}
