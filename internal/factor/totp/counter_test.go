package totp

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// RFC 4226, appendix D.
func TestCounterCodesAreTheRFCs(t *testing.T) {
	seed := []byte("12345678901234567890")
	want := []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"}
	for i, code := range want {
		n, ok := VerifyCounter(seed, Params{}, code, State{LastStep: int64(i) - 1})
		if !ok || n != int64(i) {
			t.Errorf("code %d: counter %d, %v", i, n, ok)
		}
	}
	if _, ok := VerifyCounter(seed, Params{}, want[3], State{LastStep: 3}); ok {
		t.Error("C-2: a counter is taken twice")
	}
	if n, ok := VerifyCounterPair(seed, Params{}, want[5], want[6], State{LastStep: -1}); !ok || n != 6 {
		t.Errorf("a pair: %d, %v", n, ok)
	}
	if _, ok := VerifyCounterPair(seed, Params{}, want[5], want[7], State{LastStep: -1}); ok {
		t.Error("codes that are not consecutive are taken for a pair")
	}
}

// C-2: whatever is accepted lies ahead of what was accepted, and within reach.
func TestCountersGoForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 16, 64).Draw(t, "seed")
		p := Params{Algorithm: Algorithm(rapid.IntRange(0, 2).Draw(t, "algorithm")), Digits: rapid.SampledFrom([]int{6, 8}).Draw(t, "digits")}
		last := rapid.Int64Range(-1, 1<<40).Draw(t, "last")
		ahead := rapid.Int64Range(-5, 20).Draw(t, "ahead")
		n, ok := VerifyCounter(seed, p, Code(seed, p, last+ahead), State{LastStep: last})
		if ok && (n <= last || n > last+LookAhead) {
			t.Fatalf("counter %d after %d", n, last)
		}
		if ahead >= 1 && ahead <= LookAhead && !ok {
			t.Fatalf("the code %d ahead is refused", ahead)
		}
		pair := rapid.Int64Range(1, CounterWindow-1).Draw(t, "pair")
		n, ok = VerifyCounterPair(seed, p, Code(seed, p, last+pair), Code(seed, p, last+pair+1), State{LastStep: last})
		if !ok || n <= last || n > last+CounterWindow {
			t.Fatalf("a pair %d ahead: %d, %v", pair, n, ok)
		}
	})
}

func TestParametersAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Params{
			Algorithm: Algorithm(rapid.IntRange(0, 2).Draw(t, "algorithm")), Digits: rapid.SampledFrom([]int{0, 6, 8}).Draw(t, "digits"),
			Period: rapid.SampledFrom([]time.Duration{0, 30 * time.Second, time.Minute}).Draw(t, "period"),
		}
		got, err := ParseData(p.Data())
		if err != nil || got.Algorithm != p.Algorithm || got.digits() != p.digits() || got.period() != p.period() {
			t.Fatalf("%+v became %q and %+v, %v", p, p.Data(), got, err)
		}
	})
	for _, bad := range []string{"x", `{"algorithm":"MD5"}`, `{"digits":7}`, `{"period":31}`, `{"digits":6,"digits":8}`} {
		if _, err := ParseData(bad); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if got, err := ParseData(`{"digits":8,"maker":"x"}`); err != nil || got.Digits != 8 {
		t.Errorf("%+v, %v", got, err)
	}
}
