package name_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warifu/internal/name"
)

func TestOCIDsAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := name.ID(rapid.Int64Range(100_000_000_000_000_000, 999_999_999_999_999_999).Draw(t, "id"))
		user := name.ID(rapid.Int64Range(100_000_000_000_000_000, 999_999_999_999_999_999).Draw(t, "user"))
		a := name.Account(rapid.Int64Range(1, 999_999_999_999).Draw(t, "account"))
		s := id.OCID(name.OCIUser)
		if !strings.HasPrefix(s, "ocid1.user.oc1..aaaaaaaa") || len(s) != len("ocid1.user.oc1..")+60 {
			t.Fatal(s)
		}
		if back, ok := name.ParseIDOf(name.OCIUser, strings.ToUpper(s)); !ok || back != id {
			t.Fatal(back, ok)
		}
		if _, ok := name.ParseIDOf(name.OCIGroup, s); ok {
			t.Fatal("a user is read as a group")
		}
		if _, ok := name.ParseTenancy(s); ok {
			t.Fatal("a user is read as a tenancy")
		}
		if back, ok := name.ParseTenancy(a.Tenancy()); !ok || back != a {
			t.Fatal(back, ok)
		}
		if g, u, ok := name.ParseMembership(name.Membership(id, user)); !ok || g != id || u != user {
			t.Fatal(g, u, ok)
		}
	})
}

// S-6: an OCID with a wrong letter, or of another kind, names nothing.
func TestS6OCIDIsComparedWhole(t *testing.T) {
	good := name.ID(123_456_789_012_345_678).OCID(name.OCIGroup)
	for i := range good {
		for _, c := range "abz27.1" {
			if bad := good[:i] + string(c) + good[i+1:]; bad != good {
				if o, ok := name.ParseOCID(bad); ok {
					t.Errorf("%s is read as %+v", bad, o)
				}
			}
		}
	}
	for _, bad := range []string{"", "ocid1.user.oc1..", "ocid1.user.oc1..aaaaaaaa", "ocid1.user.oc2" + good[15:], good + "a", good[:len(good)-1], strings.Replace(good, "..", ".phx.", 1)} {
		if o, ok := name.ParseOCID(bad); ok {
			t.Errorf("%q is read as %+v", bad, o)
		}
	}
}

func FuzzParseOCID(f *testing.F) {
	f.Add(name.ID(123_456_789_012_345_678).OCID(name.OCIGroup))
	f.Fuzz(func(t *testing.T, s string) {
		if o, ok := name.ParseOCID(s); ok && o.String() != strings.ToLower(s) {
			t.Errorf("%q is read as %+v", s, o)
		}
	})
}
