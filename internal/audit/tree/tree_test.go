package tree

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"
)

var at = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

func newSigner(t testing.TB, seed string) *Signer {
	var b [32]byte
	copy(b[:], seed)
	s, err := NewSigner(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func body(i int) string {
	return fmt.Sprintf(`{"id":"e%d","account":123456789012,"at":"2026-01-15T09:00:00Z","operation":"CreateUser"}`, i)
}

// log is a tree with its tiles, lines and checkpoints.
type log struct {
	signer      *Signer
	edge        *Edge
	tiles       map[string][]byte
	bodies      []string
	checkpoints []string
	late        time.Duration // of the clock
}

func place(level int, n int64) string { return fmt.Sprint(level, "/", n) }

func newLog(t testing.TB) *log {
	return &log{signer: newSigner(t, "seed"), edge: &Edge{}, tiles: map[string][]byte{}}
}

func (l *log) read(places []TilePlace) (all [][]byte, _ error) {
	for _, at := range places {
		all = append(all, l.tiles[place(at.Level, at.N)])
	}
	return all, nil
}

func (l *log) put(x Tile) { l.tiles[place(x.Level, x.N)] = bytes.Clone(x.Data) }

// add adds events and a checkpoint.
func (l *log) add(t testing.TB, bodies ...string) string {
	for _, b := range bodies {
		l.edge.Add(Leaf([]byte(b)), l.put)
		l.bodies = append(l.bodies, b)
	}
	for _, x := range l.edge.Partial() {
		l.put(x)
	}
	c, err := l.signer.Sign(Checkpoint{Size: l.edge.Size(), Root: l.edge.Root(), At: at.Add(l.late + time.Duration(l.edge.Size())*time.Second)})
	if err != nil {
		t.Fatal(err)
	}
	l.checkpoints = append(l.checkpoints, c)
	return c
}

func (l *log) export(lines ...string) Export {
	text := strings.Join(lines, "\n") + "\n"
	if len(lines) == 0 {
		text = ""
	}
	return Export{Key: l.signer.Public(), Checkpoints: l.checkpoints, Lines: strings.NewReader(text),
		Leaves: func(n int64) ([]byte, error) { return l.tiles[place(0, n)], nil }}
}

// made is a log of n events with a checkpoint after every step of them.
func made(t testing.TB, n, step int) *log {
	l := newLog(t)
	for i := 0; i < n; i += step {
		var some []string
		for j := i; j < min(i+step, n); j++ {
			some = append(some, body(j))
		}
		l.add(t, some...)
	}
	return l
}

// The edge has the roots that the library computes, whatever was added at once
// and loaded again; and every leaf has a proof.
func TestEdgeAgreesWithTheLibrary(t *testing.T) {
	l := newLog(t)
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(indexes []int64) (all []tlog.Hash, err error) {
		for _, i := range indexes {
			all = append(all, stored[i])
		}
		return all, nil
	})
	for i := range 70_000 {
		h := Leaf([]byte(body(i)))
		more, err := tlog.StoredHashesForRecordHash(int64(i), h, read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, more...)
		l.edge.Add(h, l.put)
		if i > 600 && i%4999 != 0 && i < 65_530 || i > 65_540 {
			continue
		}
		want, err := tlog.TreeHash(int64(i)+1, read)
		if err != nil || l.edge.Root() != want {
			t.Fatalf("size %d: root %v, want %v, %v", i+1, l.edge.Root(), want, err)
		}
		for _, x := range l.edge.Partial() {
			l.put(x)
		}
		if l.edge, err = LoadEdge(int64(i)+1, l.read); err != nil || l.edge.Root() != want {
			t.Fatalf("size %d, loaded: root %v, want %v, %v", i+1, l.edge.Root(), want, err)
		}
	}
	for _, x := range l.edge.Partial() {
		l.put(x)
	}
	size, root := l.edge.Size(), l.edge.Root()
	for _, n := range []int64{0, 1, 255, 256, 65_535, 65_536, 69_999} {
		p, err := Prove(size, n, l.read)
		if err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckRecord(p, size, root, n, Leaf([]byte(body(int(n))))); err != nil {
			t.Errorf("leaf %d: %v", n, err)
		}
	}
}

func TestProofsAreChecked(t *testing.T) {
	l := made(t, 300, 300)
	p, err := Prove(300, 7, l.read)
	if err != nil {
		t.Fatal(err)
	}
	text := Proof(7, p, l.checkpoints[0])
	if n, c, err := CheckProof(text, l.signer.Public(), []byte(body(7))); n != 7 || c.Size != 300 || err != nil {
		t.Errorf("got %d, %v, %v", n, c, err)
	}
	for what, bad := range map[string][3]string{
		"another event": {text, l.signer.Public(), body(8)},
		"another place": {strings.Replace(text, "index 7", "index 8", 1), l.signer.Public(), body(7)},
		"another key":   {text, newSigner(t, "other").Public(), body(7)},
		"no proof":      {"index 7", l.signer.Public(), body(7)},
	} {
		if _, _, err := CheckProof(bad[0], bad[1], []byte(bad[2])); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// Security checklist K-4: the first event that something was done to is named,
// whatever was done.
func TestK4Verify(t *testing.T) {
	whole := func(n int) (lines []string) {
		for i := range n {
			lines = append(lines, body(i))
		}
		return lines
	}
	const n = 1000
	cut := func(lines []string, from, to int) []string { return append(lines[:from:from], lines[to:]...) }
	for what, c := range map[string]struct {
		do    func(l *log, lines []string) []string
		fault Fault
		first int64
	}{
		"nothing": {func(_ *log, s []string) []string { return s }, "", 0},
		"altered": {func(_ *log, s []string) []string { s[700] = body(5000); return s }, Altered, 700},
		"two altered": {func(_ *log, s []string) []string {
			s[300], s[255] = body(5000), body(5001)
			return s
		}, Altered, 255},
		"removed and renumbered": {func(_ *log, s []string) []string { return cut(s, 256, 257) }, Removed, 256},
		"removed": {func(_ *log, s []string) []string {
			s[0] = string(bytes.TrimSpace(AppendMissing(nil, Place{ID: "e0"})))
			return s
		}, Removed, 0},
		"inserted": {func(_ *log, s []string) []string { return append(append(s[:9:9], body(5000)), s[9:]...) }, Inserted, 9},
		"swapped":  {func(_ *log, s []string) []string { s[511], s[512] = s[512], s[511]; return s }, Reordered, 511},
		"moved back": {func(_ *log, s []string) []string {
			x := s[900]
			return append(append(s[:3:3], x), cut(s[3:], 897, 898)...)
		}, Reordered, 3},
		"moved on": {func(_ *log, s []string) []string {
			x := s[3]
			return append(cut(s[:901], 3, 4), append([]string{x}, s[901:]...)...)
		}, Reordered, 3},
		"cut off":           {func(_ *log, s []string) []string { return s[:990] }, CutOff, 990},
		"cut off at a tile": {func(_ *log, s []string) []string { return s[:768] }, CutOff, 768},
		"cut off with the tree": {func(l *log, s []string) []string {
			l.tiles[place(0, 3)] = l.tiles[place(0, 3)][:10*tlog.HashSize]
			return s[:778]
		}, CutOff, 778},
		"all gone": {func(*log, []string) []string { return nil }, CutOff, 0},
		"columns": {func(_ *log, s []string) []string {
			s[17] = strings.TrimSpace(string(AppendDiffers(nil, []string{"actor"}, s[17])))
			return s
		}, Altered, 17},
		"stray": {func(_ *log, s []string) []string {
			return append(s, strings.TrimSpace(string(AppendStray(nil, body(5000)))))
		}, Inserted, n},
		"waiting": {func(_ *log, s []string) []string {
			return append(s, strings.TrimSpace(string(AppendWaiting(nil, body(5000)))))
		}, "", 0},
		"expired without a signature": {func(_ *log, s []string) []string {
			s[0] = strings.TrimSpace(string(AppendExpired(nil, Place{})))
			return s
		}, Removed, 0},
		"altered with its hash": {func(l *log, s []string) []string {
			s[123] = body(5000)
			h := Leaf([]byte(body(5000)))
			copy(l.tiles[place(0, 0)][123*tlog.HashSize:], h[:])
			return s
		}, Altered, 120}, // no closer than between two checkpoints
		"only the hash": {func(l *log, s []string) []string {
			l.tiles[place(0, 0)][123*tlog.HashSize]++
			return s
		}, Altered, 123},
		"altered, and the hash of a later one": {func(l *log, s []string) []string {
			s[123] = body(5000)
			l.tiles[place(0, 0)][200*tlog.HashSize]++
			return s
		}, Altered, 123},
		"empty line": {func(l *log, s []string) []string { s[4] = ""; return s }, Altered, 4},
	} {
		t.Run(what, func(t *testing.T) {
			l := made(t, n, 10)
			r, err := Verify(l.export(c.do(l, whole(n))...))
			if err != nil {
				t.Fatal(err)
			}
			if c.fault == "" {
				if r.First != nil || r.Size != n || r.Checkpoints != n/10 {
					t.Errorf("found %v of a whole trail: %+v", r.First, r)
				}
				return
			}
			if r.First == nil || r.First.Fault != c.fault || r.First.First != c.first {
				t.Errorf("found %v, want %s at %d", r.First, c.fault, c.first)
			}
		})
	}
}

// Security checklist K-4: a database that was set back and went on shows by a
// checkpoint that was kept elsewhere.
func TestK4Anchors(t *testing.T) {
	before := made(t, 100, 10)
	anchor := before.checkpoints[9]
	after := made(t, 50, 10)
	r, err := Verify(after.exportWith(anchor))
	if err != nil || r.First == nil || r.First.Fault != RolledBack || r.First.First != 50 {
		t.Errorf("set back: %v, %v", r.First, err)
	}
	after.late = time.Hour
	for i := range 100 {
		after.add(t, body(1000+i))
	}
	r, err = Verify(after.exportWith(anchor))
	if err != nil || r.First == nil || r.First.Fault != RolledBack || r.First.First > 99 || r.First.Last < 50 {
		t.Errorf("set back and gone on: %v, %v", r.First, err)
	}
	r, err = Verify(before.exportWith(before.checkpoints[3]))
	if err != nil || r.First != nil {
		t.Errorf("nothing: %v, %v", r.First, err)
	}
}

func (l *log) exportWith(anchors ...string) Export {
	x := l.export(l.bodies...)
	x.Anchors = anchors
	return x
}

func TestExpiredEvents(t *testing.T) {
	l := made(t, 300, 10)
	lines := append([]string{}, l.bodies...)
	for i := range 270 {
		lines[i] = strings.TrimSpace(string(AppendExpired(nil, Place{})))
	}
	x := l.export(lines...)
	var err error
	if x.Expired, err = l.signer.SignExpired(270); err != nil {
		t.Fatal(err)
	}
	r, err := Verify(x)
	if err != nil || r.First != nil || r.Expired != 270 {
		t.Errorf("got %+v, %v", r, err)
	}
	x = l.export(lines...)
	x.Expired, _ = l.signer.SignExpired(269)
	if r, err := Verify(x); err != nil || r.First == nil || r.First.Fault != Removed || r.First.First != 269 {
		t.Errorf("one more: %v, %v", r.First, err)
	}
	if _, err := OpenCheckpoint(x.Expired, l.signer.Public()); err == nil {
		t.Error("a statement about removed events is taken for a checkpoint")
	}
}

func TestForeignCheckpoints(t *testing.T) {
	l, other := made(t, 20, 10), newLog(t)
	other.signer = newSigner(t, "other")
	theirs := other.add(t, body(0))
	x := l.export(l.bodies...)
	x.Checkpoints = []string{theirs}
	if _, err := Verify(x); err == nil {
		t.Error("another's checkpoint is taken")
	}
	x = l.export(l.bodies...)
	x.Checkpoints = append([]string{strings.Replace(l.checkpoints[0], "\n10\n", "\n9\n", 1)}, l.checkpoints...)
	if r, err := Verify(x); err != nil || r.First == nil || r.First.Fault != BadNote {
		t.Errorf("a changed checkpoint: %v, %v", r.First, err)
	}
}

// Whatever is done to one line, verifying says so.
func TestAnyChangeShows(t *testing.T) {
	l := made(t, 400, 7)
	rapid.Check(t, func(t *rapid.T) {
		lines := append([]string{}, l.bodies...)
		i := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
		b := []byte(lines[i])
		b[rapid.IntRange(0, len(b)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(5, 6).Draw(t, "bit")
		lines[i] = string(b)
		if strings.ContainsAny(lines[i], "\n\r") {
			return
		}
		r, err := Verify(l.export(lines...))
		if err != nil || r.First == nil || r.First.First != int64(i) || r.First.Fault != Altered {
			t.Fatalf("%v, %v, want altered at %d", r.First, err, i)
		}
	})
}

func FuzzVerify(f *testing.F) {
	l := made(f, 20, 4)
	f.Add(strings.Join(l.bodies, "\n"), l.checkpoints[4])
	f.Add(`{"$missing":{}}`+"\n"+`{"$differs":["a"],"event":1}`+"\n"+`{"$expired":null}`, l.checkpoints[0])
	f.Fuzz(func(t *testing.T, lines, checkpoint string) {
		x := l.export(lines)
		x.Checkpoints = []string{checkpoint, l.checkpoints[4]}
		r, err := Verify(x)
		if err != nil {
			return
		}
		same := strings.Split(strings.TrimSuffix(lines+"\n", "\n"), "\n")
		for i, b := range l.bodies {
			if r.First == nil && (i >= len(same) || strings.TrimSuffix(same[i], "\r") != b) {
				t.Fatalf("line %d of %q is not found to be altered", i, lines)
			}
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	l := made(f, 20, 20)
	f.Add(l.checkpoints[0])
	f.Fuzz(func(t *testing.T, text string) {
		c, err := OpenCheckpoint(text, l.signer.Public())
		if err == nil && (c.Size != 20 || c.Root != l.edge.Root()) {
			t.Errorf("%q is taken as %v", text, c)
		}
	})
}

func FuzzCheckProof(f *testing.F) {
	l := made(f, 20, 20)
	p, err := Prove(20, 3, l.read)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(Proof(3, p, l.checkpoints[0]), body(3))
	f.Fuzz(func(t *testing.T, proof, event string) {
		n, _, err := CheckProof(proof, l.signer.Public(), []byte(event))
		if err == nil && (n >= 20 || l.bodies[n] != event) {
			t.Errorf("%q is proved to be leaf %d", event, n)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	const n = 100_000
	l := newLog(b)
	line := strings.Repeat("x", 800)
	var all bytes.Buffer
	for i := range n {
		text := fmt.Sprint(i, line)
		l.edge.Add(Leaf([]byte(text)), l.put)
		all.WriteString(text + "\n")
	}
	l.add(b)
	b.SetBytes(int64(all.Len()))
	for range b.N {
		x := l.export()
		x.Lines = bytes.NewReader(all.Bytes())
		if r, err := Verify(x); err != nil || r.First != nil {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
