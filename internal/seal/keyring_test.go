package seal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warifu/internal/seal"
)

// fixed returns a repeatable source of randomness.
func fixed(n byte) io.Reader { return rand.NewChaCha8([32]byte{n}) }

func newRing(t testing.TB) (*seal.Keyring, []seal.WrappedKey, *seal.FileKeys) {
	t.Helper()
	kms, err := seal.NewFileKeys(fixed(1))
	if err != nil {
		t.Fatal(err)
	}
	ring, keys, err := seal.NewRing(t.Context(), kms, fixed(2))
	if err != nil {
		t.Fatal(err)
	}
	return ring, keys, kms
}

var seedPlace = seal.Place{Table: "factor", Row: "123456789012345678", Column: "seed"}

func TestK1SealedValueOpensOnlyAtItsPlace(t *testing.T) {
	ring, _, _ := newRing(t)
	text := rapid.SampledFrom([]string{"", "a", "b", "ab", "|", "a|", "factor"})
	rapid.Check(t, func(t *rapid.T) {
		here := seal.Place{Table: text.Draw(t, "table"), Row: text.Draw(t, "row"), Column: text.Draw(t, "column")}
		there := seal.Place{Table: text.Draw(t, "table2"), Row: text.Draw(t, "row2"), Column: text.Draw(t, "column2")}
		value := seal.NewSecret(rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "value"))
		sealed, err := ring.Seal(fixed(3), here, value)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ring.Open(here, sealed)
		if err != nil || !got.Equal(value) {
			t.Fatalf("at home: %v", err)
		}
		got, err = ring.Open(there, sealed)
		if (err == nil) != (here == there) {
			t.Fatalf("sealed for %v, opened at %v: %v", here, there, err)
		}
		if err != nil && (!errors.Is(err, seal.ErrBroken) || !got.Empty()) {
			t.Fatalf("wrong error %v", err)
		}
	})
}

func TestK1EveryAlteredByteIsRefused(t *testing.T) {
	ring, _, _ := newRing(t)
	ring, _, err := ring.Rotate(t.Context(), must(seal.NewFileKeys(fixed(9))), fixed(4))
	if err != nil {
		t.Fatal(err)
	}
	sealed := must(ring.Seal(fixed(3), seedPlace, seal.NewSecret([]byte("seed"))))
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if _, err := ring.Open(seedPlace, bad); err == nil {
				t.Fatalf("bit %d of byte %d may be altered", bit, i)
			}
		}
	}
	for n := range sealed {
		if _, err := ring.Open(seedPlace, sealed[:n]); !errors.Is(err, seal.ErrBroken) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The life of a ring: sealed, rotated, resealed, old key forgotten, KEK changed,
// and opened again each time from what was kept.
func TestK1RotationKeepsEveryValue(t *testing.T) {
	ctx := t.Context()
	ring, keys, kms := newRing(t)
	value := seal.NewSecret([]byte("the secret"))
	old := must(ring.Seal(fixed(3), seedPlace, value))
	derived := ring.Derive("page cursor")

	next, added, err := ring.Rotate(ctx, kms, fixed(4))
	if err != nil {
		t.Fatal(err)
	}
	keys = append(keys, added)
	if next.Active() != 2 || added.ID != 2 || ring.Active() != 1 || !slices.Equal(next.KeyIDs(), []seal.KeyID{1, 2}) {
		t.Fatalf("active %d, added %d", next.Active(), added.ID)
	}
	if got, err := next.Open(seedPlace, old); err != nil || !got.Equal(value) {
		t.Fatalf("an old value after rotation: %v", err)
	}
	fresh, changed, err := next.Reseal(fixed(5), seedPlace, old)
	if id, _ := seal.KeyOf(fresh); err != nil || !changed || id != 2 {
		t.Fatalf("reseal: key %d, changed %v, %v", id, changed, err)
	}
	if again, changed, err := next.Reseal(fixed(6), seedPlace, fresh); err != nil || changed || !bytes.Equal(again, fresh) {
		t.Fatalf("a second reseal changed something: %v %v", changed, err)
	}
	if _, err := ring.Open(seedPlace, fresh); !errors.Is(err, seal.ErrUnknownKey) {
		t.Fatalf("a node that has not reloaded: %v", err)
	}
	lean, err := next.Without(1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lean.Open(seedPlace, old); !errors.Is(err, seal.ErrUnknownKey) {
		t.Fatalf("a forgotten key: %v", err)
	}
	if _, err := lean.Without(2); err == nil {
		t.Fatal("forgot the active key")
	}

	both := must(kms.WithNew())
	rewrapped, err := seal.Rewrap(ctx, kms, both, keys)
	if err != nil {
		t.Fatal(err)
	}
	reopened, err := seal.OpenRing(ctx, both.OnlyNewest(), rewrapped)
	if err != nil {
		t.Fatal(err)
	}
	for _, sealed := range [][]byte{old, fresh} {
		if got, err := reopened.Open(seedPlace, sealed); err != nil || !got.Equal(value) {
			t.Fatalf("after a change of KEK: %v", err)
		}
	}
	for _, r := range []*seal.Keyring{next, lean, reopened} {
		if r.Derive("page cursor") != derived {
			t.Fatal("a derived key changed")
		}
	}
	if reopened.Derive("session token") == derived {
		t.Fatal("two purposes share a key")
	}
	if _, err := seal.OpenRing(ctx, kms, rewrapped); !errors.Is(err, seal.ErrWrongKey) {
		t.Fatalf("the old KEK after the change: %v", err)
	}
}

func TestK1MissingWrongAndDamagedKeysAreToldApart(t *testing.T) {
	ctx := t.Context()
	_, keys, kms := newRing(t)
	other := must(seal.NewFileKeys(fixed(8)))
	swapped := slices.Clone(keys)
	swapped[0].Wrapped, swapped[1].Wrapped = keys[1].Wrapped, keys[0].Wrapped
	altered := slices.Clone(keys)
	altered[1].Wrapped = bytes.Clone(keys[1].Wrapped)
	altered[1].Wrapped[30] ^= 1
	for _, c := range []struct {
		name string
		kms  seal.KMS
		keys []seal.WrappedKey
		want error
	}{
		{"right", kms, keys, nil},
		{"no key", nil, keys, seal.ErrNoKey},
		{"another key", other, keys, seal.ErrWrongKey},
		{"swapped", kms, swapped, seal.ErrBroken},
		{"altered", kms, altered, seal.ErrBroken},
		{"root only", kms, keys[:1], seal.ErrBroken},
		{"no root", kms, keys[1:], seal.ErrBroken},
		{"nothing", kms, nil, seal.ErrBroken},
	} {
		_, err := seal.OpenRing(ctx, c.kms, c.keys)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	_, err := seal.OpenRing(ctx, other, keys)
	if !strings.Contains(fmt.Sprint(err), keys[0].KEK) || !strings.Contains(fmt.Sprint(err), other.IDs()[0]) {
		t.Errorf("the error does not name both keys: %v", err)
	}
}

// brokenKMS fails as a service does.
type brokenKMS struct{}

var errDown = errors.New("down")

func (brokenKMS) Wrap(context.Context, []byte) ([]byte, string, error)   { return nil, "", errDown }
func (brokenKMS) Unwrap(context.Context, string, []byte) ([]byte, error) { return nil, errDown }

// K-6: a fault of the KMS is a fault, not a wrong key and not an open ring.
func TestK6FaultOfTheKMS(t *testing.T) {
	ring, keys, kms := newRing(t)
	ctx := t.Context()
	_, err1 := seal.OpenRing(ctx, brokenKMS{}, keys)
	_, _, err2 := ring.Rotate(ctx, brokenKMS{}, fixed(1))
	_, err3 := seal.Rewrap(ctx, kms, brokenKMS{}, keys)
	_, _, err4 := seal.NewRing(ctx, brokenKMS{}, fixed(1))
	for _, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, errDown) || errors.Is(err, seal.ErrWrongKey) {
			t.Errorf("got %v", err)
		}
	}
	_, _, err := seal.NewRing(ctx, kms, bytes.NewReader(nil))
	if err == nil {
		t.Error("a ring without randomness")
	}
	if _, _, err := seal.NewRing(ctx, nil, fixed(1)); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("a ring without a KMS: %v", err)
	}
	if _, _, err := ring.Rotate(ctx, nil, fixed(1)); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("rotation without a KMS: %v", err)
	}
	if _, err := seal.Rewrap(ctx, kms, nil, keys); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("rewrap without a KMS: %v", err)
	}
}

func TestKeyFileRoundTrip(t *testing.T) {
	kms := must(must(seal.NewFileKeys(fixed(1))).WithNew())
	text := kms.Text().Reveal()
	back, err := seal.ParseFileKeys(text, fixed(2))
	if err != nil || !slices.Equal(back.IDs(), kms.IDs()) || len(back.IDs()) != 2 {
		t.Fatalf("%v, %v", back.IDs(), err)
	}
	if !back.Text().Equal(kms.Text()) {
		t.Error("the text changed")
	}
	crlf := bytes.ReplaceAll(text, []byte("\n"), []byte(" \r\n"))
	if _, err := seal.ParseFileKeys(crlf, fixed(2)); err != nil {
		t.Errorf("another system's line ends: %v", err)
	}
}

func TestKeyFileDamage(t *testing.T) {
	text := string(must(seal.NewFileKeys(fixed(1))).Text().Reveal())
	line := text[strings.Index(text, "warifu-kek-1"):]
	word := strings.Fields(line)
	flipped := "A" + word[1][1:]
	if flipped == word[1] {
		flipped = "B" + word[1][1:]
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"empty":            {"", seal.ErrNoKey},
		"comments":         {"# nothing\n\n", seal.ErrNoKey},
		"cut":              {text[:len(text)-5], seal.ErrKeyFile},
		"mistyped":         {"warifu-kek-1 " + flipped + " " + word[2], seal.ErrKeyFile},
		"another version":  {strings.Replace(line, "kek-1", "kek-2", 1), seal.ErrKeyFile},
		"short key":        {"warifu-kek-1 AAAA " + word[2], seal.ErrKeyFile},
		"more words":       {strings.TrimSpace(line) + " x", seal.ErrKeyFile},
		"huge":             {strings.Repeat("#\n", 40000), seal.ErrKeyFile},
		"binary":           {"\x00\xff\xfe", seal.ErrKeyFile},
		"good, then broke": {text + "x", seal.ErrKeyFile},
	} {
		_, err := seal.ParseFileKeys([]byte(c.text), fixed(1))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if strings.Contains(fmt.Sprint(err), word[1][5:20]) {
			t.Errorf("%s: the error quotes the key", name)
		}
	}
}

func FuzzParseFileKeys(f *testing.F) {
	f.Add(must(seal.NewFileKeys(fixed(1))).Text().Reveal())
	f.Add([]byte("warifu-kek-1 x y"))
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := seal.ParseFileKeys(text, fixed(1))
		if err != nil {
			return
		}
		back, err := seal.ParseFileKeys(keys.Text().Reveal(), fixed(1))
		if err != nil || !slices.Equal(back.IDs(), keys.IDs()) {
			t.Fatalf("its own text: %v", err)
		}
	})
}

func FuzzOpen(f *testing.F) {
	ring, _, _ := newRing(f)
	good := must(ring.Seal(fixed(3), seedPlace, seal.NewSecret([]byte("seed"))))
	f.Add(good)
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if _, err := ring.Open(seedPlace, sealed); err == nil && !bytes.Equal(sealed, good) {
			t.Fatalf("forged: %x", sealed)
		}
	})
}

func TestKeyIDText(t *testing.T) {
	for _, id := range []seal.KeyID{0, 1, 1<<32 - 1} {
		if back, err := seal.ParseKeyID(id.String()); err != nil || back != id {
			t.Errorf("%v came back as %v, %v", id, back, err)
		}
	}
	for _, s := range []string{"", "-1", "+1", "01", "4294967296", "x"} {
		if _, err := seal.ParseKeyID(s); err == nil {
			t.Errorf("%q was read as a number", s)
		}
	}
}
