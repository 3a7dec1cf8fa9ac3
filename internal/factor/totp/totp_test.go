package totp_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/factor/totp"
	"warifu/internal/fault"
)

var seed = []byte("12345678901234567890")

// RFC 4226, appendix D.
func TestRFC4226Vectors(t *testing.T) {
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := totp.Code(seed, totp.Params{}, int64(step)); got != want {
			t.Errorf("count %d: got %s, want %s", step, got, want)
		}
	}
}

// RFC 6238, appendix B, with the seeds of its erratum 2866.
func TestRFC6238Vectors(t *testing.T) {
	long := []byte("1234567890123456789012345678901234567890123456789012345678901234")
	for _, c := range []struct {
		unix                 int64
		sha1, sha256, sha512 string
	}{
		{59, "94287082", "46119246", "90693936"},
		{1111111109, "07081804", "68084774", "25091201"},
		{1111111111, "14050471", "67062674", "99943326"},
		{1234567890, "89005924", "91819424", "93441116"},
		{2000000000, "69279037", "90698825", "38618901"},
		{20000000000, "65353130", "77737706", "47863826"},
	} {
		for i, want := range []string{c.sha1, c.sha256, c.sha512} {
			p := totp.Params{Algorithm: totp.Algorithm(i), Digits: 8}
			s := long[:[]int{20, 32, 64}[i]]
			now := time.Unix(c.unix, 0)
			if got := totp.Code(s, p, p.Step(now)); got != want {
				t.Errorf("%v at %d: got %s, want %s", p.Algorithm, c.unix, got, want)
			}
			if _, _, ok := totp.Verify(s, p, want, now, totp.State{}); !ok {
				t.Errorf("%v at %d: the code is refused", p.Algorithm, c.unix)
			}
		}
	}
}

var now = time.Unix(1_800_000_000, 0)

func at(p totp.Params, offset int64) string { return totp.Code(seed, p, p.Step(now)+offset) }

func TestC10WindowIsPreviousCurrentNext(t *testing.T) {
	p := totp.Params{}
	base := p.Step(now)
	for _, drift := range []int{0, 1, -1, 7, -50, 120, -120} {
		for _, strict := range []bool{false, true} {
			p.Strict = strict
			for offset := int64(-130); offset <= 130; offset++ {
				step, learned, ok := totp.Verify(seed, p, at(p, offset), now, totp.State{Drift: drift})
				far := max(offset-int64(drift), int64(drift)-offset)
				if want := far == 0 || far == 1 && !strict; ok != want {
					t.Fatalf("drift %d, strict %v, code of %+d: accepted %v", drift, strict, offset, ok)
				}
				if ok && (step != base+offset || learned != int(min(max(offset, -120), 120))) {
					t.Fatalf("code of %+d: step %d, drift %d", offset, step-base, learned)
				}
				if !ok && (step != 0 || learned != drift) {
					t.Fatalf("a refused code changed the state: %d, %d", step, learned)
				}
			}
		}
	}
}

// C-1: over any sequence of times (forward and back) and codes, no code of a
// step at or before the last accepted one passes, and none twice.
func TestC1NoStepIsAcceptedTwice(t *testing.T) {
	p := totp.Params{}
	rapid.Check(t, func(t *rapid.T) {
		var s totp.State
		used := map[string]bool{}
		clock := int64(1_800_000_000)
		for range rapid.IntRange(1, 30).Draw(t, "tries") {
			clock += rapid.Int64Range(-120, 120).Draw(t, "seconds")
			now := time.Unix(clock, 0)
			code := totp.Code(seed, p, p.Step(now)+rapid.Int64Range(-3, 3).Draw(t, "offset"))
			step, drift, ok := totp.Verify(seed, p, code, now, s)
			if !ok {
				continue
			}
			if step <= s.LastStep || used[code] {
				t.Fatalf("code %s of step %d passed after step %d", code, step, s.LastStep)
			}
			used[code] = true
			s = totp.State{LastStep: step, Drift: drift}
		}
	})
}

// collision finds a step whose code is also the next one's: the seed is chosen
// so that the search is short.
func collision(t *testing.T, p totp.Params) ([]byte, int64) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5_000_000 {
		s := fmt.Appendf(nil, "%020d", r.Uint64())
		if totp.Code(s, p, 60_000_000) == totp.Code(s, p, 60_000_001) {
			return s, 60_000_000
		}
	}
	t.Fatal("no collision found")
	return nil, 0
}

// C-1: two neighbouring steps with the same code burn together.
func TestC1EqualNeighboursBurnTogether(t *testing.T) {
	p := totp.Params{}
	s, step := collision(t, p)
	code, now := totp.Code(s, p, step), time.Unix(step*30, 0)
	got, _, ok := totp.Verify(s, p, code, now, totp.State{})
	if !ok || got != step+1 {
		t.Fatalf("accepted %v, step %d, want %d", ok, got, step+1)
	}
	if _, _, ok := totp.Verify(s, p, code, now, totp.State{LastStep: got}); ok {
		t.Fatal("the same digits passed twice")
	}
}

// C-10: a server clock that jumps back does not reopen used steps.
func TestC10ClockJumpsBack(t *testing.T) {
	p := totp.Params{}
	s := totp.State{LastStep: p.Step(now)}
	for back := int64(0); back < 20; back++ {
		then := now.Add(time.Duration(-back) * 30 * time.Second)
		for offset := int64(-1); offset <= 1; offset++ {
			code := totp.Code(seed, p, p.Step(then)+offset)
			step, _, ok := totp.Verify(seed, p, code, then, s)
			if ok && step <= s.LastStep {
				t.Fatalf("step %d passed after %d", step, s.LastStep)
			}
		}
	}
	early := time.Unix(-100, 0)
	if _, _, ok := totp.Verify(seed, p, totp.Code(seed, p, 0), early, totp.State{}); ok {
		t.Fatal("a time before 1970 passed")
	}
}

// A drifting device is followed step by step and stays usable.
func TestC10DriftIsLearned(t *testing.T) {
	p := totp.Params{}
	var s totp.State
	for i := range int64(100) {
		now := now.Add(time.Duration(i) * time.Hour)
		off := i / 10 // one step behind more every ten hours
		step, drift, ok := totp.Verify(seed, p, totp.Code(seed, p, p.Step(now)-off), now, s)
		if !ok || drift != int(-off) {
			t.Fatalf("after %d hours: accepted %v, drift %d", i, ok, drift)
		}
		s = totp.State{LastStep: step, Drift: drift}
	}
}

func TestWrongCodesAreRefused(t *testing.T) {
	p := totp.Params{}
	good := at(p, 0)
	for _, code := range []string{"", "0", good[:5], good + "0", " " + good, good[:5] + "x", "000000", "१२३४५६"} {
		if _, _, ok := totp.Verify(seed, p, code, now, totp.State{}); ok {
			t.Errorf("%q passed", code)
		}
	}
	if _, _, ok := totp.Verify([]byte("another seed of 20b."), p, good, now, totp.State{}); ok {
		t.Error("another device's code passed")
	}
	if totp.Decoy(p, totp.Code(make([]byte, totp.SeedSize), p, p.Step(now)), now) {
		t.Error("the decoy has a code")
	}
}

// C-9: two consecutive codes, the older first, of steps not yet used, within the
// window.
func TestC9PairMustBeConsecutive(t *testing.T) {
	p := totp.Params{}
	base := p.Step(now)
	rapid.Check(t, func(t *rapid.T) {
		window := rapid.SampledFrom([]int{0, 1, totp.EnableWindow, totp.ResyncWindow}).Draw(t, "window")
		first := rapid.Int64Range(-130, 130).Draw(t, "first")
		gap := rapid.SampledFrom([]int64{1, 1, 1, 0, -1, 2}).Draw(t, "gap")
		last := rapid.Int64Range(-130, 130).Draw(t, "last used")
		s := totp.State{LastStep: base + last, Drift: rapid.IntRange(-5, 5).Draw(t, "drift")}
		step, drift, ok := totp.VerifyPair(seed, p, at(p, first), at(p, first+gap), now, s, window)
		second := first + 1
		want := gap == 1 && second >= int64(-window) && second <= int64(window) && first > last
		if ok != want {
			t.Fatalf("first %+d, gap %d, last %+d, window %d: accepted %v", first, gap, last, window, ok)
		}
		if ok && (step != base+second || drift != int(second)) {
			t.Fatalf("step %+d, drift %d, want %+d", step-base, drift, second)
		}
		if !ok && (step != s.LastStep || drift != s.Drift) {
			t.Fatal("a refused pair changed the state")
		}
	})
}

// AWS: enabling takes the codes of steps (T-1, T) in that order; the next code
// then signs in, and neither of the two does.
func TestC9EnableThenSignIn(t *testing.T) {
	p := totp.Params{}
	step, drift, ok := totp.VerifyPair(seed, p, at(p, -1), at(p, 0), now, totp.State{}, totp.EnableWindow)
	if !ok || drift != 0 || step != p.Step(now) {
		t.Fatal(step, drift, ok)
	}
	s := totp.State{LastStep: step, Drift: drift}
	for _, offset := range []int64{-1, 0} {
		if _, _, ok := totp.Verify(seed, p, at(p, offset), now, s); ok {
			t.Errorf("the code of step %+d, spent on enabling, signs in", offset)
		}
	}
	if _, _, ok := totp.Verify(seed, p, at(p, 1), now, s); !ok {
		t.Error("the next code does not sign in")
	}
	if _, _, ok := totp.VerifyPair(seed, p, at(p, 0), at(p, -1), now, totp.State{}, totp.EnableWindow); ok {
		t.Error("the pair passes in the wrong order")
	}
}

func TestParams(t *testing.T) {
	for _, c := range []struct {
		p    totp.Params
		name string // of the field refused
	}{
		{totp.Params{}, ""},
		{totp.Params{Algorithm: totp.SHA512, Digits: 8, Period: time.Minute}, ""},
		{totp.Params{Algorithm: 3}, "algorithm"},
		{totp.Params{Digits: 7}, "digits"},
		{totp.Params{Period: time.Second}, "period"},
	} {
		err := c.p.Check()
		if c.name == "" && err == nil {
			continue
		}
		f, _ := err.(*fault.Error)
		if f == nil || f.Name != c.name || f.Kind != fault.Invalid {
			t.Errorf("%+v: %v", c.p, err)
		}
	}
	if totp.Code(seed, totp.Params{}, -1) != "" {
		t.Error("a code before 1970")
	}
	minute := totp.Params{Period: time.Minute}
	if minute.Step(time.Unix(119, 0)) != 1 || minute.Step(time.Unix(-1, 0)) != -1 || minute.Step(time.Unix(-60, 0)) != -1 {
		t.Error("steps are counted wrongly")
	}
}

func BenchmarkVerify(b *testing.B) {
	code := at(totp.Params{}, 0)
	b.ReportAllocs()
	for b.Loop() {
		totp.Verify(seed, totp.Params{}, code, now, totp.State{})
	}
}

func BenchmarkResync(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		totp.VerifyPair(seed, totp.Params{}, "000000", "000000", now, totp.State{}, totp.ResyncWindow)
	}
}
