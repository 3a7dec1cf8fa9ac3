package otpcode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/seal"
)

var (
	key = [32]byte{1, 2, 3}
	now = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)
)

func draw(t testing.TB, seed string) string {
	t.Helper()
	var s [32]byte
	copy(s[:], seed)
	code, err := New(rand.NewChaCha8(s))
	if err != nil {
		t.Fatal(err)
	}
	return string(code.Reveal())
}

// C-7: six digits, each code as likely as any other: what would make the low
// ones likelier is drawn again.
func TestCodesAreUnbiased(t *testing.T) {
	var chance bytes.Buffer
	for _, n := range []uint32{1<<32 - 1, fair, fair - 1} {
		binary.Write(&chance, binary.BigEndian, n)
	}
	code, err := New(&chance)
	if err != nil || string(code.Reveal()) != "999999" || chance.Len() != 0 {
		t.Errorf("drew %q, %v, with %d bytes left", code.Reveal(), err, chance.Len())
	}
	if _, err := New(strings.NewReader("abc")); err == nil {
		t.Error("three bytes were enough for a code")
	}
	if got := fmt.Sprint(code); got != seal.Redacted {
		t.Errorf("a code is printed as %s", got) // K-2
	}

	src, seen := rand.NewChaCha8([32]byte{}), [10]int{}
	for range 20_000 {
		code, err := New(src)
		if err != nil || len(code.Reveal()) != Digits {
			t.Fatalf("%q, %v", code.Reveal(), err)
		}
		for _, d := range code.Reveal() {
			seen[d-'0']++
		}
	}
	chi := 0.0
	for _, n := range seen {
		d := float64(n) - 12_000
		chi += d * d / 12_000
	}
	if chi > 27.9 { // 9 degrees of freedom, one in a thousand
		t.Errorf("digits are not evenly spread: %v (chi² %.1f)", seen, chi)
	}
}

// C-7: a code is good for its own ceremony, purpose, flow, channel, address and
// user.
func TestBoundToOneTransaction(t *testing.T) {
	base := Bound{Ceremony: 7, Purpose: "sign-in", Flow: []byte("flow"), Channel: "mail", To: "a@example.com", User: 9}
	code := draw(t, "bound")
	kept := Hash(key, base, seal.NewSecret([]byte(code)))
	if !Fits(key, base, kept, code) {
		t.Fatal("the code does not fit")
	}
	for what, change := range map[string]func(b *Bound){
		"ceremony": func(b *Bound) { b.Ceremony = 8 },
		"purpose":  func(b *Bound) { b.Purpose = "step-up" },
		"flow":     func(b *Bound) { b.Flow = []byte("other") },
		"channel":  func(b *Bound) { b.Channel = "sms" },
		"address":  func(b *Bound) { b.To = "b@example.com" },
		"user":     func(b *Bound) { b.User = 10 },
		"a border": func(b *Bound) { b.Channel, b.To = "maila", "@example.com" },
	} {
		b := base
		change(&b)
		if Fits(key, b, kept, code) {
			t.Errorf("fits with another %s", what)
		}
	}
	if Fits([32]byte{}, base, kept, code) {
		t.Error("fits with another key")
	}
	if Fits(key, base, nil, code) || Fits(key, base, nil, "") {
		t.Error("fits where nothing was kept")
	}
}

// C-6: the same work is done where nothing was sent, where something else was, and
// for the right code.
func TestC6EqualWork(t *testing.T) {
	b := Bound{Ceremony: 7, Purpose: "sign-in", Flow: []byte("flow"), Channel: "mail", To: "a@example.com", User: 9}
	kept := Hash(key, b, seal.NewSecret([]byte("012345")))
	work := func(kept []byte, typed string) float64 {
		return testing.AllocsPerRun(100, func() { Fits(key, b, kept, typed) })
	}
	want := work(kept, "012345")
	for what, got := range map[string]float64{
		"a wrong code": work(kept, "543210"), "nothing sent": work(nil, "012345"), "another hash": work(make([]byte, len(kept)), "012345"),
	} {
		if got != want {
			t.Errorf("%s: %v allocations, the right code %v", what, got, want)
		}
	}
}

// C-11.
func TestTypedCodes(t *testing.T) {
	b := Bound{To: "a@example.com"}
	kept := Hash(key, b, seal.NewSecret([]byte("012345")))
	for _, typed := range []string{"012345", " 012 345 ", "012-345", "０１２３４５", "\u200e012345", "０１２　３４５"} {
		if !Fits(key, b, kept, typed) {
			t.Errorf("%q does not fit", typed)
		}
	}
	for _, typed := range []string{"", "12345", "0012345", "01234５6", "012345\x00", "abcdef", strings.Repeat("0", 10_000)} {
		if Fits(key, b, kept, typed) {
			t.Errorf("%q fits", typed)
		}
	}
}

func FuzzFits(f *testing.F) {
	b := Bound{To: "a@example.com"}
	kept := Hash(key, b, seal.NewSecret([]byte("271828")))
	f.Add("271828")
	f.Add("２７１ ８２８")
	f.Fuzz(func(t *testing.T, typed string) {
		if Fits(key, b, kept, typed) && strings.ContainsAny(typed, "03456") {
			t.Errorf("%q fits", typed)
		}
	})
}

// C-7: within any hour no more go out than the limit says, give or take the
// border of two windows, and never two closer than the gap.
func TestLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom([]Limit{PerUser, PerTarget, PerSource}).Draw(t, "limit")
		var s Sent
		var went []time.Time
		at := now
		for range 200 {
			at = at.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second)
			again := l.Again(s)
			next, ok := l.Next(s, at)
			if ok == at.Before(again) {
				t.Fatalf("sent %v although again is %v at %v", ok, again, at)
			}
			if s = next; !ok {
				continue
			}
			if n := len(went); n > 0 && at.Sub(went[n-1]) < l.Gap {
				t.Fatal("two within the gap")
			}
			went = append(went, at)
		}
		for i := range went {
			if j := i + 2*l.Most; j < len(went) && went[j].Sub(went[i]) < l.Within {
				t.Fatalf("%d within an hour", j-i+1)
			}
		}
	})
	if _, ok := PerUser.Next(Sent{Began: now.Add(time.Hour), Count: 3}, now); !ok {
		t.Error("a clock that was set back keeps codes back")
	}
}
