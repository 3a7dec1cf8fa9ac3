package seal_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"warifu/internal/seal"
)

// The vectors of the C2SP specification of XAES-256-GCM; the second one's
// subkey takes the polynomial, the first one's does not.
func TestXAESVectors(t *testing.T) {
	for _, c := range []struct {
		fill          byte
		context, want string
	}{
		{1, "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"},
		{3, "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"},
	} {
		box := seal.NewBox([32]byte(bytes.Repeat([]byte{c.fill}, 32)))
		nonce := "ABCDEFGHIJKLMNOPQRSTUVWX"
		got, err := box.Seal(nil, bytes.NewReader([]byte(nonce)), []byte("XAES-256-GCM"), []byte(c.context))
		if err != nil {
			t.Fatal(err)
		}
		if want := hex.EncodeToString([]byte(nonce)) + c.want; hex.EncodeToString(got) != want {
			t.Errorf("key of %d: got %x, want %s", c.fill, got, want)
		}
	}
}

func TestBoxOpensOnlyWhatItSealed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "content")
		context := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "context")
		seed := rapid.SliceOfN(rapid.Byte(), 24, 24).Draw(t, "nonce")
		box := seal.NewBox([32]byte{1})
		sealed, err := box.Seal([]byte("in front"), bytes.NewReader(seed), content, context)
		if err != nil || len(sealed) != len("in front")+len(content)+seal.Overhead {
			t.Fatal(len(sealed), err)
		}
		sealed = sealed[len("in front"):]
		got, err := box.Open(nil, sealed, context)
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("opened %x, %v", got, err)
		}
		bad := bytes.Clone(sealed)
		switch rapid.IntRange(0, 2).Draw(t, "harm") {
		case 0:
			i := rapid.IntRange(0, len(bad)*8-1).Draw(t, "bit")
			bad[i/8] ^= 1 << (i % 8)
		case 1:
			bad = bad[:rapid.IntRange(0, len(bad)-1).Draw(t, "cut")]
		case 2:
			bad = append(bad, rapid.Byte().Draw(t, "more"))
		}
		if _, err := box.Open(nil, bad, context); !errors.Is(err, seal.ErrBroken) {
			t.Fatalf("harmed value: %v", err)
		}
		if _, err := box.Open(nil, sealed, append(context, 0)); !errors.Is(err, seal.ErrBroken) {
			t.Fatalf("other context: %v", err)
		}
		if _, err := seal.NewBox([32]byte{2}).Open(nil, sealed, context); !errors.Is(err, seal.ErrBroken) {
			t.Fatalf("other key: %v", err)
		}
	})
}

func TestBoxFailsWithoutRandomness(t *testing.T) {
	if _, err := seal.NewBox([32]byte{}).Seal(nil, bytes.NewReader(make([]byte, 23)), nil, nil); err == nil {
		t.Error("sealed with a short nonce")
	}
}

func BenchmarkBoxOpen(b *testing.B) {
	box := seal.NewBox([32]byte{1})
	sealed, _ := box.Seal(nil, bytes.NewReader(make([]byte, 24)), make([]byte, 200), nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := box.Open(nil, sealed, nil); err != nil {
			b.Fatal(err)
		}
	}
}
