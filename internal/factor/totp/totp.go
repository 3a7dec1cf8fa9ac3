package totp

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/binary"
	"hash"
	"time"

	"warifu/internal/fault"
)

// Algorithm is the hash under the HMAC (RFC 6238 §1.2). SHA-1 is what every
// authenticator has; HMAC does not suffer from SHA-1's collisions.
type Algorithm uint8

// The algorithms.
const (
	SHA1 Algorithm = iota
	SHA256
	SHA512
)

func (a Algorithm) String() string { return [...]string{"SHA1", "SHA256", "SHA512"}[a] }

func (a Algorithm) new() hash.Hash {
	switch a {
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	}
	return sha1.New()
}

// Params is what a device and the server agree on. The zero value is what AWS
// and nearly every authenticator use: SHA-1, 6 digits, 30 seconds.
type Params struct {
	Algorithm Algorithm
	Digits    int           // 6 or 8; 0 means 6
	Period    time.Duration // of one step, 30 s or 60 s; 0 means 30 s

	// Strict takes the code of one step only, around the learned drift, where
	// otherwise the neighbours pass too. A code then lives no longer than its
	// period (ASVS 6.5.5).
	Strict bool
}

// Check refuses parameters that no device has.
func (p Params) Check() error {
	switch {
	case p.Algorithm > SHA512:
		return fault.Field("algorithm", "the algorithm must be SHA1, SHA256 or SHA512")
	case p.digits() != 6 && p.digits() != 8:
		return fault.Field("digits", "a code must have 6 or 8 digits")
	case p.period() != 30 && p.period() != 60:
		return fault.Field("period", "the period must be 30 s or 60 s")
	}
	return nil
}

func (p Params) digits() int {
	if p.Digits == 0 {
		return 6
	}
	return p.Digits
}

// period is in seconds.
func (p Params) period() int64 {
	if p.Period == 0 {
		return 30
	}
	return int64(p.Period / time.Second)
}

func (p Params) skew() int {
	if p.Strict {
		return 0
	}
	return Skew
}

// Skew is how many steps before and after the expected one are honoured (RFC
// 6238 §5.2 advises one for the way of the code; C-10).
const Skew = 1

// Windows of VerifyPair, in steps each way, and the limit of drift.
//
// What they cost: a blind pair of 6-digit codes fits one of n positions with
// probability n/10^12. Resync has 241 of them, 2.4e-10 a try; with the 100 tries
// that a factor's budget allows, 2.4e-8 over its life. A single code with its
// three steps and 10 tries is 3e-5. So the wide window is a thousand times
// harder to guess than the narrow one, and an hour covers a token that lost or
// gained ten seconds a day for a year.
const (
	// EnableWindow: a phone's clock is right, or its owner learns of it now.
	EnableWindow = 10
	// ResyncWindow: one hour at 30 s.
	ResyncWindow = 120
	// MaxDrift is how far a learned drift goes, in steps.
	MaxDrift = ResyncWindow
)

// State is what is remembered about a device.
type State struct {
	LastStep int64 // the last step that was accepted; 0 = none
	Drift    int   // steps that the device's clock is ahead (+) or behind (-)
}

// Verify reports whether code is the device's code at now, give or take the
// learned drift and one neighbour (C-10), and of a step later than the last
// accepted one (C-1). When it is, step and drift are the State to keep.
//
// The work and its time are the same whatever the code is, and for every
// outcome (C-6). When two steps in the window have the same code, the later one
// is taken, so that the same digits cannot be used again for the other.
func Verify(seed []byte, p Params, code string, now time.Time, s State) (step int64, drift int, ok bool) {
	base := p.Step(now)
	center, skew := base+int64(s.Drift), p.skew()
	g, digits := newGenerator(seed, p), []byte(code)
	hit := -1
	for i := range 2*skew + 1 {
		at := center + int64(i-skew)
		fits := g.matches(at, digits) & after(at, s.LastStep)
		hit = subtle.ConstantTimeSelect(fits, i, hit)
	}
	if hit < 0 {
		return s.LastStep, s.Drift, false
	}
	step = center + int64(hit-skew)
	return step, min(max(int(step-base), -MaxDrift), MaxDrift), true
}

// VerifyPair reports whether code1 and code2 are the codes of two consecutive
// steps, the older first, the second within window steps of now, both later than
// the last accepted step: the proof that enrolment and resynchronisation ask
// for. When they are, step (of the second code) and drift are the State to keep.
// Of several places that fit, the one with the least drift is taken. The learned
// drift plays no part. The work is the same for every outcome.
func VerifyPair(seed []byte, p Params, code1, code2 string, now time.Time, s State, window int) (step int64, drift int, ok bool) {
	base := p.Step(now)
	g, digits1, digits2 := newGenerator(seed, p), []byte(code1), []byte(code2)
	first := base - int64(window) - 1
	older := g.matches(first, digits1) & after(first, s.LastStep)
	best := window + 1 // a drift out of the window: none
	for d := -window; d <= window; d++ {
		at := base + int64(d)
		fits := older & g.matches(at, digits2)
		nearer := subtle.ConstantTimeLessOrEq(max(d, -d), max(best, -best)-1)
		best = subtle.ConstantTimeSelect(fits&nearer, d, best)
		older = g.matches(at, digits1) & after(at, s.LastStep)
	}
	if best > window {
		return s.LastStep, s.Drift, false
	}
	return base + int64(best), best, true
}

// Decoy does the work of Verify for a user who has no device, and refuses
// (C-6).
func Decoy(p Params, code string, now time.Time) bool {
	_, _, ok := Verify(make([]byte, SeedSize), p, code, now, State{LastStep: 1<<62 - 1})
	return ok
}

// Step is the number of the period that t is in (RFC 6238 §4.2: T, with T0 the
// Unix epoch).
func (p Params) Step(t time.Time) int64 {
	s, n := t.Unix(), p.period()
	if s < 0 {
		return (s - n + 1) / n
	}
	return s / n
}

// Code is the device's code of a step (RFC 4226 §5.3). Steps before 1970 have
// none; it returns "".
func Code(seed []byte, p Params, step int64) string {
	if step < 0 {
		return ""
	}
	return string(newGenerator(seed, p).code(step))
}

// generator makes the codes of one seed.
type generator struct {
	mac     hash.Hash
	digits  int
	sum     []byte
	counter [8]byte // here and not on the stack, which a hash would move it off
	text    [8]byte
}

func newGenerator(seed []byte, p Params) *generator {
	return &generator{mac: hmac.New(p.Algorithm.new, seed), digits: p.digits(), sum: make([]byte, 0, sha512.Size)}
}

// code is good until the next call.
func (g *generator) code(step int64) []byte {
	binary.BigEndian.PutUint64(g.counter[:], uint64(step))
	g.mac.Reset()
	g.mac.Write(g.counter[:])
	g.sum = g.mac.Sum(g.sum[:0])
	// Dynamic truncation, RFC 4226 §5.4.
	offset := g.sum[len(g.sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(g.sum[offset:]) & 0x7fffffff
	for i := g.digits - 1; i >= 0; i-- {
		g.text[i] = '0' + byte(n%10)
		n /= 10
	}
	return g.text[:g.digits]
}

// matches is 1 if code is the one of step, else 0.
func (g *generator) matches(step int64, code []byte) int {
	return subtle.ConstantTimeCompare(g.code(step), code) & after(step, -1)
}

// after is 1 if step comes after last, else 0. Neither is a secret.
func after(step, last int64) int {
	if step > last {
		return 1
	}
	return 0
}
