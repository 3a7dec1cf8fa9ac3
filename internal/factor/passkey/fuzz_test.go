package passkey_test

import (
	"crypto/x509"
	"strings"
	"testing"

	"warifu/internal/factor/passkey"
	"warifu/internal/testkit"
)

func somePool(testing.TB) *x509.CertPool { return x509.NewCertPool() }

// W-9: whatever a browser sends as a new credential, nothing panics, and nothing
// is taken but what an authenticator made for this challenge.
func FuzzRegister(f *testing.F) {
	rp := newRP(f, nil)
	asked := ask(f, nil)
	options, err := rp.Creation(asked, alice, nil)
	if err != nil {
		f.Fatal(err)
	}
	good := testkit.NewAuthenticator().Create(f, options)
	f.Add(good)
	f.Add(testkit.NewRSAAuthenticator().Create(f, options))
	f.Add(good[:len(good)/2])
	f.Add(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, n, err := register(rp, text, asked)
		if err == nil && (len(c.ID) == 0 || len(c.Key) == 0 || n < 0) {
			t.Errorf("%s became %+v", text, c)
		}
		if err != nil && (c != nil || strings.Contains(err.Error(), text) && len(text) > 40) {
			t.Errorf("refused with %v and %+v", err, c)
		}
	})
}

// W-9: whatever a browser sends as an answer, nothing panics, and nothing is
// taken that the key did not sign.
func FuzzAssertion(f *testing.F) {
	rp := newRP(f, nil)
	key := testkit.NewAuthenticator()
	c, n := created(f, rp, key)
	u2f, legacy := passkeyLegacy(f, "")
	asked := rp.Allowing(ask(f, nil), []*passkey.Credential{c, u2f})
	options, err := rp.Request(asked, []*passkey.Credential{c, u2f})
	if err != nil {
		f.Fatal(err)
	}
	good := key.Get(f, options)
	f.Add(good)
	f.Add(legacy.Get(f, options))
	f.Add(strings.Replace(good, "rawId", "RawID", 1))
	f.Add(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"","signature":""}}`)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := passkey.ParseAssertion(text)
		if err != nil {
			return
		}
		for _, c := range []*passkey.Credential{c, u2f} {
			if p, err := rp.Verify(a, asked, c, alice.Handle, n); err == nil && p.Count <= n {
				t.Errorf("%s was taken with %+v", text, p)
			}
		}
	})
}

// W-9: what another system exported is refused or read.
func FuzzLegacy(f *testing.F) {
	_, point := testkit.NewU2FKey(f, testkit.Rand("fuzz"), "")
	f.Add([]byte("handle"), point)
	f.Add([]byte{}, []byte{4})
	f.Fuzz(func(t *testing.T, handle, point []byte) {
		c, err := passkey.Legacy(handle, point, "")
		if err != nil {
			return
		}
		if back, err := passkey.ReadCredential(c.ID, c.Data(), true); err != nil || string(back.Key) != string(point) {
			t.Errorf("%x came back as %+v, %v", point, back, err)
		}
	})
}

// W-9: what is kept is read, or refused.
func FuzzReadCredential(f *testing.F) {
	f.Add(`{"key":"AA==","aaguid":"ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4"}`)
	f.Add(`{"key":null}`)
	f.Fuzz(func(t *testing.T, data string) {
		if c, err := passkey.ReadCredential([]byte("id"), data, false); err == nil && len(c.Key) == 0 {
			t.Errorf("%s has no key", data)
		}
	})
}

// W-9: whatever stands in the place of a challenge is refused, unless it is one.
func FuzzChallenge(f *testing.F) {
	all := passkey.NewChallenges([32]byte{1})
	f.Add(challenge(f, "purpose"))
	f.Add([]byte{})
	good := challenge(f, "purpose")
	f.Fuzz(func(t *testing.T, c []byte) {
		if is(all.Check(c, []byte("purpose"), testkit.Epoch)) && string(c) != string(good) {
			t.Errorf("%x was never made", c)
		}
	})
}
