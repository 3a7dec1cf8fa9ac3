package page_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"warifu/internal/fault"
	"warifu/internal/page"
)

var (
	codec = page.NewCodec([32]byte{1, 2, 3})
	users = page.List{Operation: "ListUsers", Filter: []string{"123456789012", "/eng/"}}
)

// mustRefuse checks that the refusal is one that a caller can act on.
func mustRefuse(t interface{ Fatalf(string, ...any) }, list page.List, c page.Cursor) {
	key, err := codec.Decode(list, c)
	var f *fault.Error
	if key != nil || !errors.As(err, &f) || f.Kind != fault.Invalid || f.Name != "cursor" || f.What == "" {
		t.Fatalf("cursor %q of another list: key %q, error %v", c, key, err)
	}
}

func drawKey(t *rapid.T) page.Key {
	return page.Key(rapid.SliceOfN(rapid.StringN(-1, -1, 60), 1, 3).Draw(t, "key"))
}

func drawList(t *rapid.T) page.List {
	text := rapid.SampledFrom([]string{"", "a", "b", "ab", "ListUsers", "ListRoles", "\x00"})
	return page.List{Operation: text.Draw(t, "operation"), Filter: rapid.SliceOfN(text, 0, 3).Draw(t, "filter")}
}

func TestA9CursorGoesBackToItsOwnListOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		here, there, key := drawList(t), drawList(t), drawKey(t)
		c, err := codec.Encode(here, key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := codec.Decode(here, c); err != nil || !slices.Equal(got, key) {
			t.Fatalf("came back as %q, %v", got, err)
		}
		if again, _ := codec.Encode(here, key); again != c {
			t.Fatalf("the same place has two cursors, %q and %q", c, again)
		}
		for _, r := range c {
			if r < ' ' || r > '~' {
				t.Fatalf("%q is not printable ASCII", c)
			}
		}
		if here.Operation != there.Operation || !slices.Equal(here.Filter, there.Filter) {
			mustRefuse(t, there, c)
		}
	})
}

func TestA9HarmedCursorIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, err := codec.Encode(users, drawKey(t))
		if err != nil {
			t.Fatal(err)
		}
		bad := string(c)
		i := rapid.IntRange(0, len(bad)-1).Draw(t, "at")
		char := rapid.SampledFrom([]string{"A", "B", "_", "-", "+", "/", "=", "\n", "\r", " ", "é", "\x00"}).Draw(t, "char")
		switch rapid.IntRange(0, 3).Draw(t, "harm") {
		case 0:
			bad = bad[:i] + char + bad[i+1:]
		case 1:
			bad = bad[:i] + char + bad[i:]
		case 2:
			bad = bad[:i]
		case 3:
			bad += char
		}
		if bad == string(c) || bad == "" {
			return // the drawn harm changed nothing
		}
		mustRefuse(t, users, page.Cursor(bad))
	})
}

func TestA9CursorOfAnotherKeyIsRefused(t *testing.T) {
	c, _ := page.NewCodec([32]byte{9}).Encode(users, page.Key{"alice"})
	mustRefuse(t, users, c)
}

func TestA9CursorShowsNothing(t *testing.T) {
	c, _ := codec.Encode(users, page.Key{"alice-alice-alice", "AIDAEXAMPLE"})
	d, _ := codec.Encode(users, page.Key{"alice-alice-alicf", "AIDAEXAMPLE"})
	if c[:24] == d[:24] {
		t.Error("neighbouring places have cursors that begin alike")
	}
}

// A cursor for a name of 200 bytes and an id of 21 fits AWS's Marker.
func TestLongestCursor(t *testing.T) {
	key := page.Key{strings.Repeat("名", 66) + "xy", strings.Repeat("A", 20)}
	if len(key[0]) != 200 {
		t.Fatal(len(key[0]))
	}
	c, err := codec.Encode(users, key)
	if err != nil || len(c) > page.MaxCursor {
		t.Fatalf("%d characters, %v", len(c), err)
	}
	full := page.Key{strings.Repeat("x", page.MaxKey-2)}
	if c, err := codec.Encode(users, full); err != nil || len(c) != page.MaxCursor {
		t.Fatalf("%d characters, %v", len(c), err)
	}
	for _, key := range []page.Key{{strings.Repeat("x", page.MaxKey-1)}, make(page.Key, 9)} {
		if _, err := codec.Encode(users, key); !fault.Is(err, fault.Internal) || err == nil {
			t.Errorf("a key that does not fit: %v", err)
		}
	}
	mustRefuse(t, users, page.Cursor(strings.Repeat("A", page.MaxCursor+1)))
}

// K-2: a codec that ends up in a log line takes no key along.
func TestK2CodecHidesItsKeys(t *testing.T) {
	if got := fmt.Sprintf("%+v", codec); len(got) > 80 {
		t.Errorf("prints %s", got)
	}
}

func TestEmptyCursorIsTheBeginning(t *testing.T) {
	if key, err := codec.Decode(users, ""); key != nil || err != nil {
		t.Errorf("got %q, %v", key, err)
	}
}

// Following the cursors from the beginning visits every row once, in order.
func TestPagesCoverTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, limit := rapid.IntRange(0, 30).Draw(t, "rows"), rapid.IntRange(1, 10).Draw(t, "limit")
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf("user-%03d", i)
		}
		var seen []string
		var at page.Cursor
		for range n + 2 {
			key, err := codec.Decode(users, at)
			if err != nil {
				t.Fatal(err)
			}
			begin := 0
			if key != nil {
				begin = slices.Index(all, key[0]) + 1
			}
			rows := all[begin:min(n, begin+limit+1)]
			p, err := page.Cut(codec, users, rows, limit, func(s string) page.Key { return page.Key{s} })
			if err != nil || len(p.Items) > limit {
				t.Fatal(len(p.Items), err)
			}
			seen = append(seen, p.Items...)
			if at = p.Next; !p.More() {
				break
			}
		}
		if !slices.Equal(seen, all) {
			t.Fatalf("saw %q of %q", seen, all)
		}
	})
}

func FuzzDecode(f *testing.F) {
	good, _ := codec.Encode(users, page.Key{"alice", "1"})
	f.Add(string(good))
	f.Add("AQ")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		key, err := codec.Decode(users, page.Cursor(s))
		if err == nil && s != "" {
			if again, err := codec.Encode(users, key); err != nil || string(again) != s {
				t.Fatalf("forged %q: %q", s, key)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	c, _ := codec.Encode(users, page.Key{"alice", "AIDAEXAMPLE"})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := codec.Decode(users, c); err != nil {
			b.Fatal(err)
		}
	}
}
