package browser

import (
	"testing"
	"time"

	"warifu/internal/factor/totp"
)

// phone is an authenticator app with one account in it.
type phone struct {
	seed []byte
	last int64 // step of the last code that was typed
}

// newPhone adds an account by the key that a page shows as text.
func newPhone(t *testing.T, key string) *phone {
	t.Helper()
	seed, err := totp.ParseSeed(key)
	if err != nil {
		t.Fatalf("the page shows the key %q: %v", key, err)
	}
	return &phone{seed: seed}
}

// pair is the code before the one that shows now, and that one: what somebody
// types who was quick.
func (p *phone) pair() (one, two string) {
	p.last = totp.Params{}.Step(time.Now())
	return p.at(p.last - 1), p.at(p.last)
}

// code is a code that was not typed yet. The phone's clock may be half a minute
// ahead, so that a test seldom waits for the next one.
func (p *phone) code() string {
	for totp.Params.Step(totp.Params{}, time.Now())+1 <= p.last {
		time.Sleep(100 * time.Millisecond)
	}
	p.last = max(p.last+1, totp.Params{}.Step(time.Now()))
	return p.at(p.last)
}

func (p *phone) at(step int64) string { return totp.Code(p.seed, totp.Params{}, step) }
