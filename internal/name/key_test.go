package name_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warifu/internal/name"
)

// What names a key is read back, whatever its owner called it, and is a serial
// number as AWS's own models have them.
func TestKeyARN(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := name.Account(rapid.Int64Range(1, 999_999_999_999).Draw(t, "account"))
		user := rapid.StringMatching(`[\w+=,.@-]{0,64}`).Draw(t, "user")
		id, err := name.NewID(source(rapid.Byte().Draw(t, "seed")))
		if err != nil {
			t.Fatal(err)
		}
		s := name.KeyARN(a, user, rapid.String().Draw(t, "called"), id)
		gotA, gotUser, gotID, ok := name.SplitKey(s)
		if !ok || gotA != a || gotUser != user || gotID != id {
			t.Fatalf("%s: %v, %q, %v, %v", s, gotA, gotUser, gotID, ok)
		}
		if len(s) < 9 || len(s) > 256 || strings.ContainsFunc(s, func(r rune) bool {
			return r >= 0x80 || r != '_' && !strings.ContainsRune("+=/:,.@-", r) && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
		}) {
			t.Fatalf("%s is no serial number", s)
		}
	})
}

func FuzzSplitKey(f *testing.F) {
	f.Add("arn:aws:iam::123456789012:u2f/user/alice/Key-AAAAAAAAAAAAAAAAA")
	f.Add("arn:aws:iam::123456789012:u2f/root-account/")
	f.Add("arn:aws:iam::aws:u2f/user//x")
	f.Fuzz(func(t *testing.T, s string) {
		if a, user, _, ok := name.SplitKey(s); ok && (a == 0 || strings.Contains(user, "/")) {
			t.Errorf("%q names %v, %q", s, a, user)
		}
	})
}
