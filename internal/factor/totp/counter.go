package totp

import "crypto/subtle"

// Tokens with a button count (RFC 4226): every press is the next code, whether
// or not it was used. The server looks ahead of the last counter that was
// accepted, and never back.
const (
	// LookAhead is how many codes may have been pressed and not used before a
	// single one is taken (RFC 4226 §7.4, s). A blind guess hits one of ten.
	LookAhead = 10
	// CounterWindow is the same for two consecutive codes, which are a thousand
	// times harder to guess than one of LookAhead: 10^3 places of 10^12.
	CounterWindow = 1000
)

// VerifyCounter reports whether code is that of a counter shortly after the last
// one that was accepted, and of which: the State to keep. The work is the same
// whatever the code is (C-6).
func VerifyCounter(seed []byte, p Params, code string, s State) (counter int64, ok bool) {
	g, digits := newGenerator(seed, p), []byte(code)
	hit := -1
	for i := LookAhead - 1; i >= 0; i-- { // the nearest is taken
		hit = subtle.ConstantTimeSelect(g.matches(s.LastStep+1+int64(i), digits), i, hit)
	}
	if hit < 0 {
		return s.LastStep, false
	}
	return s.LastStep + 1 + int64(hit), true
}

// VerifyCounterPair reports whether code1 and code2 are two consecutive codes
// within CounterWindow after the last one that was accepted, and returns the
// counter of the second.
func VerifyCounterPair(seed []byte, p Params, code1, code2 string, s State) (counter int64, ok bool) {
	g, digits1, digits2 := newGenerator(seed, p), []byte(code1), []byte(code2)
	first := s.LastStep + 1
	older := g.matches(first, digits1)
	hit := -1
	for i := 1; i < CounterWindow; i++ {
		fits := older & g.matches(first+int64(i), digits2)
		unset := subtle.ConstantTimeEq(int32(hit), -1)
		hit = subtle.ConstantTimeSelect(fits&unset, i, hit)
		older = g.matches(first+int64(i), digits1)
	}
	if hit < 0 {
		return s.LastStep, false
	}
	return first + int64(hit), true
}
