package password

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"warifu/internal/fault"
	"warifu/internal/seal"
)

// cheap keeps tests fast; what is tested does not depend on the cost.
var cheap = Cost{Memory: 64, Time: 1, Threads: 1}

func fixed(n byte) io.Reader { return rand.NewChaCha8([32]byte{n}) }

func pw(s string) seal.Secret { return seal.NewSecret([]byte(s)) }

func newHasher(t testing.TB, cost Cost, peppers ...Pepper) *Hasher {
	t.Helper()
	h, err := NewHasher(NewGate(4, 1000), cost, peppers...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func hashOf(t testing.TB, h *Hasher, s string) string {
	t.Helper()
	stored, err := h.Hash(t.Context(), fixed(1), pw(s))
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// The reference implementation's own test vector for argon2id, version 19.
func TestForeignHashVerifies(t *testing.T) {
	const vector = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	h := newHasher(t, cheap)
	ok, stale, err := h.Verify(t.Context(), pw("password"), vector)
	if !ok || !stale || err != nil {
		t.Errorf("got %v, %v, %v", ok, stale, err)
	}
	if ok, _, _ := h.Verify(t.Context(), pw("Password"), vector); ok {
		t.Error("a wrong password passes")
	}
}

func TestP1DefaultCostStandsInTheHash(t *testing.T) {
	stored := hashOf(t, newHasher(t, DefaultCost()), "correct horse")
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1,nf=1$") {
		t.Errorf("got %s", stored)
	}
}

func TestVerifyAndStaleness(t *testing.T) {
	ctx := t.Context()
	one := Pepper{"one", seal.NewSecret(bytes.Repeat([]byte{1}, 32))}
	two := Pepper{"two", seal.NewSecret(bytes.Repeat([]byte{2}, 32))}
	dearer := cheap
	dearer.Time = 2
	plain, peppered, rotated, costly := newHasher(t, cheap), newHasher(t, cheap, one), newHasher(t, cheap, two, one), newHasher(t, dearer)
	for _, c := range []struct {
		name        string
		made, asked *Hasher
		stale       bool
	}{
		{"the same", plain, plain, false},
		{"the same with pepper", peppered, peppered, false},
		{"a pepper was added", plain, peppered, true},
		{"the pepper was rotated", peppered, rotated, true},
		{"the cost was raised", plain, costly, true},
	} {
		stored := hashOf(t, c.made, "Tr0ub4dor&3")
		ok, stale, err := c.asked.Verify(ctx, pw("Tr0ub4dor&3"), stored)
		if !ok || stale != c.stale || err != nil {
			t.Errorf("%s: %v, %v, %v", c.name, ok, stale, err)
		}
		if ok, stale, err := c.asked.Verify(ctx, pw("Tr0ub4dor&4"), stored); ok || stale || err != nil {
			t.Errorf("%s, wrong password: %v, %v, %v", c.name, ok, stale, err)
		}
	}
	stored := hashOf(t, peppered, "x")
	if _, _, err := plain.Verify(ctx, pw("x"), stored); err == nil || fault.KindOf(err) != fault.Internal {
		t.Errorf("a missing pepper: %v", err)
	}
	// The pepper matters, and so does its absence.
	other := newHasher(t, cheap, Pepper{"one", two.Key})
	if ok, _, _ := other.Verify(ctx, pw("x"), stored); ok {
		t.Error("another pepper of the same name passes")
	}
}

// P-2: every byte counts up to the limit; over it nothing is computed.
func TestP2NoTruncation(t *testing.T) {
	ctx, h := t.Context(), newHasher(t, cheap)
	for _, n := range []int{1, 8, 55, 56, 72, 73, 128, 255, 256, 257, 1023, 1024} {
		long := strings.Repeat("a", n-1)
		stored := hashOf(t, h, long+"x")
		if ok, _, err := h.Verify(ctx, pw(long+"x"), stored); !ok || err != nil {
			t.Errorf("%d bytes: %v", n, err)
		}
		for _, wrong := range []string{long + "y", long} {
			if ok, _, _ := h.Verify(ctx, pw(wrong), stored); ok {
				t.Errorf("%d bytes: the last one does not count", n)
			}
		}
	}
	full := NewGate(1, 0)
	full.free = 0 // nothing can be computed
	h.gate = full
	for _, n := range []int{0, 1025, 1 << 20} {
		long := pw(strings.Repeat("a", n))
		_, err1 := h.Hash(ctx, fixed(1), long)
		_, _, err2 := h.Verify(ctx, long, "$argon2id$")
		err3 := h.VerifyNobody(ctx, long)
		for _, err := range []error{err1, err2, err3} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
}

// P-2: spellings that look the same are the same; a hash says so itself, and one
// from elsewhere, which does not, takes the bytes as they are.
func TestP2NormalForm(t *testing.T) {
	ctx, h := t.Context(), newHasher(t, cheap)
	stored := hashOf(t, h, "pässwörd①")
	for _, same := range []string{norm.NFD.String("pässwörd①"), norm.NFC.String("pässwörd1"), "ｐässwörd1"} {
		if ok, _, err := h.Verify(ctx, pw(same), stored); !ok || err != nil {
			t.Errorf("%q: %v, %v", same, ok, err)
		}
	}
	raw := strings.Replace(hashOf(t, h, "passw1"), ",nf=1", "", 1)
	if ok, stale, _ := h.Verify(ctx, pw("passw1"), raw); !ok || !stale {
		t.Error("an imported hash of plain ASCII")
	}
	if ok, _, _ := h.Verify(ctx, pw("passw①"), raw); ok {
		t.Error("an imported hash normalises")
	}
	if _, err := h.Hash(ctx, fixed(1), pw("\xff\xfe")); err != nil {
		t.Errorf("bytes that are not UTF-8: %v", err)
	}
}

// C-6, P-5: a user who does not exist costs as much as one who does.
func TestC6NobodyCostsAsMuch(t *testing.T) {
	ctx, h := t.Context(), newHasher(t, Cost{Memory: 4 << 10, Time: 1, Threads: 1})
	stored := hashOf(t, h, "right")
	var somebody, nobody []time.Duration
	for range 11 {
		began := time.Now()
		if ok, _, err := h.Verify(ctx, pw("wrong"), stored); ok || err != nil {
			t.Fatal(ok, err)
		}
		middle := time.Now()
		if err := h.VerifyNobody(ctx, pw("wrong")); err != nil {
			t.Fatal(err)
		}
		somebody, nobody = append(somebody, middle.Sub(began)), append(nobody, time.Since(middle))
	}
	slices.Sort(somebody)
	slices.Sort(nobody)
	// A wide band: the machine is noisy, and a skipped hash is a hundredth.
	if ratio := float64(nobody[5]) / float64(somebody[5]); ratio < 0.3 || ratio > 3 {
		t.Errorf("nobody takes %v, somebody %v", nobody[5], somebody[5])
	}
}

func TestReused(t *testing.T) {
	ctx, h := t.Context(), newHasher(t, cheap)
	old := []string{hashOf(t, h, "one"), hashOf(t, h, "two"), hashOf(t, h, "three")}
	for s, want := range map[string]bool{"one": true, "three": true, "four": false} {
		if got, err := h.Reused(ctx, pw(s), old); got != want || err != nil {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	if _, err := h.Reused(ctx, pw("x"), []string{"$2a$10$"}); err == nil {
		t.Error("an unreadable former hash is passed over")
	}
}

func TestNewHasherRefuses(t *testing.T) {
	key := seal.NewSecret(make([]byte, 32))
	for name, c := range map[string]struct {
		cost   Cost
		pepper []Pepper
	}{
		"no memory":     {Cost{0, 1, 1}, nil},
		"no pass":       {Cost{64, 0, 1}, nil},
		"no lane":       {Cost{64, 1, 0}, nil},
		"few KiB":       {Cost{15, 1, 2}, nil},
		"too much":      {Cost{1<<20 + 1, 1, 1}, nil},
		"unnamed":       {cheap, []Pepper{{"", key}}},
		"a bad name":    {cheap, []Pepper{{"a,b", key}}},
		"a short value": {cheap, []Pepper{{"a", seal.NewSecret([]byte("short"))}}},
	} {
		if _, err := NewHasher(NewGate(1, 1), c.cost, c.pepper...); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := newHasher(t, cheap).Hash(t.Context(), bytes.NewReader(nil), pw("x")); err == nil {
		t.Error("hashed without a salt")
	}
}

func TestPHCRefusals(t *testing.T) {
	good := hashOf(t, newHasher(t, cheap), "x")
	if _, err := parse(good); err != nil {
		t.Fatal(err)
	}
	swap := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for name, s := range map[string]string{
		"empty": "", "bcrypt": "$2a$10$abcdefghijklmnopqrstuv", "argon2i": swap("argon2id", "argon2i"),
		"version": swap("v=19", "v=16"), "no version": swap("$v=19", ""), "order": swap("m=64,t=1", "t=1,m=64"),
		"leading zero": swap("m=64", "m=064"), "plus": swap("m=64", "m=+64"), "negative": swap("m=64", "m=-64"),
		"huge memory": swap("m=64", "m=4294967295"), "huge time": swap("t=1", "t=65"), "lanes": swap("p=1", "p=257"),
		"no lanes": swap("p=1", "p=0"), "unknown parameter": swap("nf=1", "zz=1"), "unknown form": swap("nf=1", "nf=2"),
		"form zero": swap("nf=1", "nf=0"), "twice": swap("nf=1", "nf=1,nf=1"), "padding": good + "=",
		"extra part": good + "$x", "cut": good[:len(good)-1], "line break": good + "\n", "pepper name": swap("nf=1", "nf=1,keyid="),
		"long": good + strings.Repeat("A", 600), "no sum": good[:strings.LastIndex(good, "$")+1],
	} {
		h, err := parse(s)
		if err == nil || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: %v, %v", name, h, err)
			continue
		}
		if strings.Contains(err.Error(), good[len(good)-20:]) {
			t.Errorf("%s: the error quotes the hash", name)
		}
	}
}

func TestPHCRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &hash{
			cost:   Cost{Memory: rapid.Uint32Range(512, maxMemory).Draw(t, "m"), Time: rapid.Uint32Range(1, maxTime).Draw(t, "t"), Threads: rapid.Uint8Range(1, maxThreads).Draw(t, "p")},
			form:   form(rapid.IntRange(0, 1).Draw(t, "nf")),
			pepper: rapid.StringMatching(`[a-z0-9-]{0,32}`).Draw(t, "keyid"),
			salt:   rapid.SliceOfN(rapid.Byte(), 8, 64).Draw(t, "salt"),
			sum:    rapid.SliceOfN(rapid.Byte(), 16, 64).Draw(t, "sum"),
		}
		back, err := parse(h.String())
		if err != nil || back.String() != h.String() || back.cost != h.cost {
			t.Fatalf("%s: %v, %v", h, back, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2id$v=19$m=64,t=1,p=1,nf=1,keyid=a$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := parse(s); err == nil && h.String() != s {
			t.Fatalf("%q is also spelt %q", s, h)
		}
	})
}

// P-1: a burst of sign-ins neither takes the memory nor waits for ever: most are
// told to come again.
func TestP1BurstKeepsMemoryBounded(t *testing.T) {
	h, err := NewHasher(NewGate(2, 6), DefaultCost())
	if err != nil {
		t.Fatal(err)
	}
	stored := hashOf(t, h, "right")
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var wg sync.WaitGroup
	var passed, throttled atomic.Int64
	for range 500 {
		wg.Go(func() {
			ok, _, err := h.Verify(t.Context(), pw("right"), stored)
			switch {
			case ok && err == nil:
				passed.Add(1)
			case fault.Is(err, fault.Throttled):
				throttled.Add(1)
			default:
				t.Error(ok, err)
			}
		})
	}
	wg.Wait()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapSys-before.HeapSys) >> 20
	if passed.Load() < 8 || throttled.Load() < 100 || grown > 160 {
		t.Errorf("%d passed, %d throttled, heap grew by %d MiB (500 at once would be 9,500)", passed.Load(), throttled.Load(), grown)
	}
}

func BenchmarkVerify(b *testing.B) {
	h := newHasher(b, DefaultCost())
	stored := hashOf(b, h, "right")
	for b.Loop() {
		if ok, _, err := h.Verify(context.Background(), pw("right"), stored); !ok || err != nil {
			b.Fatal(err)
		}
	}
}

// K-2: nothing that a caller gets to print holds the password.
func TestK2ErrorsHideThePassword(t *testing.T) {
	h := newHasher(t, cheap)
	long := strings.Repeat("canary", 300)
	_, _, err1 := h.Verify(t.Context(), pw("canary"), "canary")
	_, err2 := h.Hash(t.Context(), fixed(1), pw(long))
	err3 := Policy{MinimumLength: 20}.Refusal(Policy{MinimumLength: 20}.Failures(pw("canary"), []string{"canary"}, Common))
	for _, err := range []error{err1, err2, err3} {
		var f *fault.Error
		if !errors.As(err, &f) || strings.Contains(fmt.Sprintf("%v %+v", err, *f), "canary") {
			t.Errorf("%v", err)
		}
	}
}
