package name_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warifu/internal/name"
)

func source(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func TestIDIsReadBackFromEveryPrefix(t *testing.T) {
	src := source(1)
	for range 10_000 {
		id, err := name.NewID(src)
		if err != nil {
			t.Fatal(err)
		}
		if s := id.String(); len(s) != 18 {
			t.Fatalf("%s does not have 18 digits", s)
		}
		for _, prefix := range []string{name.PrefixUser, name.PrefixRole, name.PrefixGroup, name.PrefixManagedPolicy} {
			s := id.Unique(prefix)
			if len(s) != 21 || strings.Trim(s[4:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
				t.Fatalf("%s is not spelled as AWS spells ids", s)
			}
			if back, ok := name.ParseUnique(prefix, s); !ok || back != id {
				t.Fatalf("%s reads as %v, %v; want %v", s, back, ok, id)
			}
		}
	}
}

// S-6: an id with a wrong letter, or under another prefix, names nobody.
func TestS6UniqueIDIsComparedWhole(t *testing.T) {
	id, err := name.NewID(source(2))
	if err != nil {
		t.Fatal(err)
	}
	good := id.Unique(name.PrefixUser)
	for i := 4; i < len(good); i++ {
		for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" {
			bad := good[:i] + string(c) + good[i+1:]
			if _, ok := name.ParseUnique(name.PrefixUser, bad); ok && bad != good {
				t.Errorf("%s is taken for an id beside %s", bad, good)
			}
		}
	}
	for _, bad := range []string{"", good[:20], good + "A", strings.ToLower(good), "AROA" + good[4:]} {
		if _, ok := name.ParseUnique(name.PrefixUser, bad); ok {
			t.Errorf("%q is taken for an id", bad)
		}
	}
	if _, ok := name.ParseUnique(name.PrefixRole, "AROA"+good[4:]); ok {
		t.Error("a user's id passes for a role's")
	}
}

func TestFixedIDStaysTheSame(t *testing.T) {
	a := name.FixedID("arn:aws:iam::aws:policy/AdministratorAccess")
	if a != name.FixedID("arn:aws:iam::aws:policy/AdministratorAccess") || a == name.FixedID("arn:aws:iam::aws:policy/ReadOnlyAccess") {
		t.Error("a fixed id must depend on its text, and on nothing else")
	}
	if s := a.String(); len(s) != 18 {
		t.Errorf("%s does not have 18 digits", s)
	}
}

func TestAccessKeyID(t *testing.T) {
	id, err := name.NewAccessKeyID(source(3), name.PrefixAccessKey)
	if err != nil || len(id) != 20 || !strings.HasPrefix(id, "AKIA") {
		t.Errorf("%q, %v", id, err)
	}
	if _, err := name.NewAccessKeyID(bytes.NewReader(nil), name.PrefixAccessKey); err == nil {
		t.Error("an id without randomness")
	}
	if _, err := name.NewID(bytes.NewReader(nil)); err == nil {
		t.Error("an id without randomness")
	}
}

func TestAccountHasTwelveDigits(t *testing.T) {
	for _, s := range []string{"123456789012", "000000000001", "999999999999"} {
		if a, ok := name.ParseAccount(s); !ok || a.String() != s {
			t.Errorf("%s reads as %v, %v", s, a, ok)
		}
	}
	for _, s := range []string{"", "0", "000000000000", "12345678901", "1234567890123", "12345678901x", "+12345678901", "-12345678901"} {
		if a, ok := name.ParseAccount(s); ok {
			t.Errorf("%q reads as %v", s, a)
		}
	}
	a, err := name.NewAccount(source(4))
	if back, ok := name.ParseAccount(a.String()); err != nil || !ok || back != a {
		t.Errorf("%v, %v, %v", a, back, err)
	}
}

func TestARNIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		account := name.Account(rapid.Int64Range(1, 999_999_999_999).Draw(t, "account"))
		path := "/" + rapid.StringMatching(`([a-z]{1,3}/){0,3}`).Draw(t, "path")
		friendly := rapid.StringMatching(`[\w+=,.@-]{1,20}`).Draw(t, "name")
		for kind, arn := range map[string]string{
			"user": name.UserARN(account, path, friendly), "group": name.GroupARN(account, path, friendly),
			"role": name.RoleARN(account, path, friendly), "mfa": name.MFAARN(account, path, friendly),
			"policy": name.PolicyARN(account, path, friendly),
		} {
			a, p, n, ok := name.SplitIAM(arn, kind)
			if !ok || a != account || p != path || n != friendly {
				t.Fatalf("%s: %v %q %q %v", arn, a, p, n, ok)
			}
			if whole, ok := name.ParseARN(arn); !ok || whole.String() != arn {
				t.Fatalf("%s reads as %v", arn, whole)
			}
		}
	})
}

func TestSplitIAMRefuses(t *testing.T) {
	for _, s := range []string{
		"", "user/alice", "arn:aws:iam::123456789012:user", "arn:aws:iam::123456789012:user/", "arn:aws:iam::12345:user/alice",
		"arn:aws:iam:us-east-1:123456789012:user/alice", "arn:aws:s3::123456789012:user/alice", "arn:aws-cn:iam::123456789012:user/alice",
		"arn:aws:iam::123456789012:role/alice", "ARN:aws:iam::123456789012:user/alice",
	} {
		if a, p, n, ok := name.SplitIAM(s, "user"); ok {
			t.Errorf("%q reads as %v %q %q", s, a, p, n)
		}
	}
	if a, _, n, ok := name.SplitIAM("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess", "policy"); !ok || a != 0 || n != "ViewOnlyAccess" {
		t.Errorf("the vendor's policy reads as %v %q %v", a, n, ok)
	}
}

func TestSessionARNsDropThePath(t *testing.T) {
	if got := name.AssumedRoleARN(123456789012, "app", "s1"); got != "arn:aws:sts::123456789012:assumed-role/app/s1" {
		t.Error(got)
	}
	if got := name.FederatedUserARN(123456789012, "bob"); got != "arn:aws:sts::123456789012:federated-user/bob" {
		t.Error(got)
	}
	if got := name.RootARN(1); got != "arn:aws:iam::000000000001:root" {
		t.Error(got)
	}
}

func FuzzSplitIAM(f *testing.F) {
	f.Add("arn:aws:iam::123456789012:user/a/b", "user")
	f.Add("arn:aws:iam::aws:policy/x", "policy")
	f.Add("arn:aws:iam::acs:policy/x", "policy")
	f.Fuzz(func(t *testing.T, s, kind string) {
		a, p, n, ok := name.SplitIAM(s, kind)
		if !ok {
			return
		}
		if n == "" || strings.Contains(n, "/") || !strings.HasPrefix(p, "/") || !strings.HasSuffix(p, "/") ||
			a < 0 && (a != name.AlibabaVendor || !strings.HasPrefix(s, "arn:aws:iam::acs:")) {
			t.Errorf("%q: %v %q %q", s, a, p, n)
		}
	})
}

// An account is spelled with 12 digits, and by more only if it has more.
func TestAccountDigits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Range(0, math.MaxInt64).Draw(t, "account") >> rapid.IntRange(0, 62).Draw(t, "shift")
		if got, want := name.Account(a).String(), fmt.Sprintf("%012d", a); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}
