package oci

import (
	"regexp"
	"strings"
	"testing"
)

var eventLike = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// FuzzRequestID: whatever a client calls its request, its id is one line of plain
// characters and leads to its event; and what leads to one is spelled as ids are.
func FuzzRequestID(f *testing.F) {
	f.Add("ABC-1/<x>", "a/b/0123456789ABCDEF0123456789ABCDEF")
	f.Add("", "01234567-89ab-cdef-0123-456789abcdef")
	f.Fuzz(func(t *testing.T, client, asked string) {
		const own, event = "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac97-774b-bcce-b302099a8058"
		id := RequestID(client, own, event)
		if strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/") != "" || len(id) > maxClientID+66 {
			t.Fatalf("%q", id)
		}
		if got, ok := EventID(id); !ok || got != event {
			t.Fatalf("%q leads to %q", id, got)
		}
		if got, ok := EventID(asked); ok && !eventLike.MatchString(got) {
			t.Fatalf("%q leads to %q", asked, got)
		}
	})
}

// FuzzKeys: whatever stands for a key, it is refused or names one of a size that is
// allowed.
func FuzzKeys(f *testing.F) {
	f.Add(oracleKeyID, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")
	f.Add("ST$a.b.c", JWK(&testKey.PublicKey))
	f.Fuzz(func(t *testing.T, id, key string) {
		if k, ok := ParseKeyID(id); ok && (k.Token == "") == (k.Fingerprint == "") {
			t.Fatalf("%q is %+v", id, k)
		}
		for _, parse := range []func(string) (bits int, err error){
			func(s string) (int, error) {
				k, err := ParsePublicKey(s)
				if err != nil {
					return MinKeyBits, err
				}
				return k.N.BitLen(), nil
			},
			func(s string) (int, error) {
				k, err := ParseJWK(s)
				if err != nil {
					return MinKeyBits, err
				}
				return k.N.BitLen(), nil
			},
		} {
			if n, err := parse(key); n < MinKeyBits || n > MaxKeyBits || err != nil && err.Error() == "" {
				t.Fatalf("%d bits, %v", n, err)
			}
		}
	})
}
