package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/audit"
	"warifu/internal/fault"
)

const acme = 111122223333

var dawn = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

// someVoucher has a key.
var someVoucher = func() *voucher {
	v := &voucher{}
	v.key.Store(&[32]byte{1})
	return v
}()

// nth is the event number n; later ones are younger.
func nth(n int) audit.Event {
	return audit.Event{ID: fmt.Sprintf("%04d", n), Account: acme, At: dawn.Add(time.Duration(n) * time.Second), UserAgent: strings.Repeat("u", n%100)}
}

func recordNth(t *testing.T, s *Store, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := s.Record(context.Background(), nth(n)); err != nil {
			t.Fatal(err)
		}
	}
}

// trail returns the numbers of the events that a query finds, oldest first.
func trail(t *testing.T, s *Store) (got []string) {
	t.Helper()
	err := s.View(context.Background(), func(tx *Tx) error {
		events, err := tx.Events(audit.Query{Account: acme}, EventAfter{}, 100_000)
		for _, e := range events {
			got = append([]string{e.ID}, got...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// wantTrail wants the events from one number to another, once and in order.
func wantTrail(t *testing.T, s *Store, from, to int) {
	t.Helper()
	var want []string
	for n := from; n < to; n++ {
		want = append(want, nth(n).ID)
	}
	if got := trail(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the trail has %v\nwant %v", got, want)
	}
}

func journalFiles(t *testing.T, s *Store) []string {
	t.Helper()
	names, err := journals(s.db.journals())
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// child runs the named part of a test in a process of its own and returns what
// it printed.
func child(t *testing.T, part, path string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.count=1")
	cmd.Env = append(os.Environ(), "WARIFU_TEST_JOURNAL="+part, "WARIFU_TEST_JOURNAL_PATH="+path)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v, not by a kill: %s%s", err, out.Bytes(), complaints.Bytes())
	}
	return out.String()
}

// TestChild is what child starts; by itself it does nothing.
func TestChild(t *testing.T) {
	path := os.Getenv("WARIFU_TEST_JOURNAL_PATH")
	if path == "" {
		return
	}
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.journal.moving.Lock() // nothing is moved any more
	switch os.Getenv("WARIFU_TEST_JOURNAL") {
	case "record":
		recordNth(t, s, 0, 40)
	case "disk full":
		fillDisk(t, s)
	}
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// What Record acknowledged is there after kill -9, and no more than once.
func TestJournalSurvivesKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warifu.db")
	child(t, "record", path)
	for range 2 {
		s, err := Open(context.Background(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		wantTrail(t, s, 0, 40)
		if left := journalFiles(t, s); len(left) != 0 {
			t.Errorf("what was taken over is still there: %v", left)
		}
		s.Close()
	}
}

// fillDisk records while files cannot grow beyond a size and says which events
// were acknowledged.
func fillDisk(t *testing.T, s *Store) {
	signal.Ignore(syscall.SIGXFSZ)
	recordNth(t, s, 0, 1)
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	full := before
	full.Cur = 4096
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		t.Fatal(err)
	}
	n := 1
	for ; s.Record(context.Background(), nth(n)) == nil; n++ {
		if n > 1000 {
			t.Fatal("the disk does not get full")
		}
	}
	fmt.Println("refused", n)
	if err := s.Record(context.Background(), nth(n)); err == nil {
		t.Fatal("recorded on a full disk")
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	recordNth(t, s, n+1, n+3) // there is room again
}

// What cannot be written is refused; what was written before and after it is
// whole.
func TestJournalDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warifu.db")
	out := child(t, "disk full", path)
	var refused int
	if _, err := fmt.Sscanf(out, "refused %d", &refused); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := openTest(t, path)
	var want []string
	for n := range refused + 3 {
		if n != refused {
			want = append(want, nth(n).ID)
		}
	}
	if got := trail(t, s); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the trail has %v\nwant %v", got, want)
	}
}

// A journal that cannot be written refuses, and so does one whose file cannot be
// made.
func TestJournalWriteError(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "warifu.db"))
	recordNth(t, s, 0, 1)
	writable := s.journal.active.file
	readOnly, err := os.Open(writable.Name())
	if err != nil {
		t.Fatal(err)
	}
	s.journal.active.file = readOnly
	if err := s.Record(context.Background(), nth(1)); !fault.Is(err, fault.Internal) {
		t.Errorf("recorded without writing: %v", err)
	}
	s.journal.active.file = writable
	readOnly.Close()
	recordNth(t, s, 1, 2)
	if err := s.Flush(); err != nil {
		t.Error(err)
	}
	wantTrail(t, s, 0, 2)

	j := startJournal(filepath.Join(t.TempDir(), "no such folder", "x-"), s.moveEvents, someVoucher)
	if err := j.add(context.Background(), []audit.Event{nth(5)}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("recorded without a file: %v", err)
	}
	if err := j.close(); err != nil {
		t.Error(err)
	}
}

// The mover comes by itself.
func TestJournalMoves(t *testing.T) {
	s := openTest(t, "memory:")
	recordNth(t, s, 0, 3)
	for end := time.Now().Add(10 * time.Second); len(trail(t, s)) < 3; time.Sleep(moveEvery / 4) {
		if time.Now().After(end) {
			t.Fatal("nothing was moved")
		}
	}
	recordNth(t, s, 3, 3+2*moveAt)
	for end := time.Now().Add(10 * time.Second); len(trail(t, s)) < 3+2*moveAt; time.Sleep(moveEvery / 4) {
		if time.Now().After(end) {
			t.Fatal("the rest was not moved")
		}
	}
}

// Close moves what is left and leaves no file.
func TestJournalClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warifu.db")
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	recordNth(t, s, 0, 10)
	j := s.journal
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.add(context.Background(), []audit.Event{nth(10)}); !errors.Is(err, errClosed) {
		t.Errorf("recorded after the end: %v", err)
	}
	s = openTest(t, path)
	if left := journalFiles(t, s); len(left) != 0 {
		t.Errorf("files are left: %v", left)
	}
	wantTrail(t, s, 0, 10)
}

// Two that have the database open leave each other's journals alone, though each
// looks for those of the dead.
func TestJournalsOfTwo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warifu.db")
	a := openTest(t, path)
	a.journal.moving.Lock()
	recordNth(t, a, 0, 10)
	b := openTest(t, path)
	wantTrail(t, b, 0, 0)
	recordNth(t, b, 10, 20)
	if err := b.Flush(); err != nil {
		t.Error(err)
	}
	wantTrail(t, b, 10, 20)
	a.journal.moving.Unlock()
	if err := a.Flush(); err != nil {
		t.Error(err)
	}
	wantTrail(t, b, 0, 20)
}

// A journal that is made while others look for those of the dead is not taken
// for one.
func TestJournalMadeWhileReplaying(t *testing.T) {
	prefix := filepath.Join(t.TempDir(), "x-")
	var done atomic.Bool
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for !done.Load() {
				if err := replay(prefix, func([]eventRow) error { return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 300 {
		f, err := createJournal(prefix)
		if err != nil {
			t.Fatal(err)
		}
		if here, err := sameFile(f); !here || err != nil {
			t.Errorf("it was removed: %v", err)
		}
		f.Close()
	}
	done.Store(true)
	wg.Wait()
}

// What is in the database already, from a move that was cut short, stays as it
// is.
func TestReplayTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warifu.db")
	s := openTest(t, path)
	recordNth(t, s, 0, 3)
	s.journal.moving.Lock()
	recordNth(t, s, 3, 6)
	b, err := os.ReadFile(s.journal.active.file.Name())
	s.journal.moving.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := os.WriteFile(s.db.journals()+"left", b, 0o600); err != nil {
			t.Fatal(err)
		}
		again := openTest(t, path)
		wantTrail(t, again, 0, 6)
	}
}

// A replay that fails keeps the file, and the database stays shut.
func TestReplayFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warifu.db")
	var b []byte
	b, _ = appendFrame(b, nth(0), someVoucher)
	left := path + "-events-left"
	if err := os.WriteFile(left, b, 0o600); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if err := replay(path+"-events-", func([]eventRow) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	wantTrail(t, openTest(t, path), 0, 1)
}

// Events are gathered while the database cannot be written, refused when there
// are too many, and all there in the end.
func TestJournalBehind(t *testing.T) {
	s := openTest(t, "memory:")
	boom := errors.New("boom")
	var broken atomic.Bool
	j := startJournal(s.db.journals()+"behind-", func(rows []eventRow) error {
		if broken.Load() {
			return boom
		}
		return s.moveEvents(rows)
	}, someVoucher)
	ctx := context.Background()
	broken.Store(true)
	if err := j.add(ctx, []audit.Event{nth(0)}); err != nil {
		t.Fatal(err)
	}
	if err := j.move(); !errors.Is(err, boom) {
		t.Errorf("a move that failed: %v", err)
	}
	if err := j.add(ctx, nil); !errors.Is(err, boom) {
		t.Errorf("asked whether it can be written: %v", err)
	}
	big := nth(0)
	big.UserAgent = strings.Repeat("x", maxJournal/4)
	n := 1
	for ; ; n++ {
		big.ID, big.At = nth(n).ID, nth(n).At
		if err := j.add(ctx, []audit.Event{big}); err != nil {
			if !errors.Is(err, boom) {
				t.Error(err)
			}
			break
		}
		if n > 20 {
			t.Fatal("it takes any number of events")
		}
	}
	broken.Store(false)
	if err := j.move(); err != nil {
		t.Error(err)
	}
	if err := j.add(ctx, nil); err != nil {
		t.Errorf("after it recovered: %v", err)
	}
	if err := j.close(); err != nil {
		t.Error(err)
	}
	wantTrail(t, s, 0, n)
}

// Whoever finds the journal full waits for the mover, as long as it likes.
func TestJournalFull(t *testing.T) {
	s := openTest(t, "memory:")
	j := s.journal
	j.moving.Lock()
	recordNth(t, s, 0, 1)
	j.mu.Lock()
	size := j.active.size
	j.active.size = maxJournal // as if
	j.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := s.Record(ctx, nth(1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller that went away: %v", err)
	}
	waited := make(chan error)
	go func() { waited <- s.Record(context.Background(), nth(1)) }()
	select {
	case err := <-waited:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	j.mu.Lock()
	j.active.size = size
	j.mu.Unlock()
	j.moving.Unlock()
	if err := <-waited; err != nil {
		t.Error(err)
	}
	if err := s.Flush(); err != nil {
		t.Error(err)
	}
	wantTrail(t, s, 0, 2)
}

// Many at once, with moves and updates between them: each event is there once,
// and at the latest when Flush returns.
func TestJournalConcurrent(t *testing.T) {
	s := openTest(t, "memory:")
	const each = 150
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for n := g * each; n < (g+1)*each; n++ {
				if err := s.Record(context.Background(), nth(n)); err != nil {
					t.Error(err)
				}
				switch n % 50 {
				case 7:
					if err := s.Update(context.Background(), put(fmt.Sprint(n))); err != nil {
						t.Error(err)
					}
				case 13:
					if err := s.Flush(); err != nil {
						t.Error(err)
					}
					found := 0
					s.View(context.Background(), func(tx *Tx) (err error) {
						events, err := tx.Events(audit.Query{Account: acme, ID: nth(n).ID}, EventAfter{}, 2)
						found = len(events)
						return err
					})
					if found != 1 {
						t.Errorf("%d is there %d times", n, found)
					}
				}
			}
		})
	}
	wg.Wait()
	if err := s.Flush(); err != nil {
		t.Error(err)
	}
	wantTrail(t, s, 0, 8*each)
}

// Whatever a power failure leaves of the end of a journal, what is whole before
// it is read, and nothing else.
func TestTornTail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b []byte
		var ends []int
		for n := range rapid.IntRange(1, 5).Draw(t, "events") {
			b, _ = appendFrame(b, nth(n), someVoucher)
			ends = append(ends, len(b))
		}
		cut := rapid.IntRange(0, len(b)).Draw(t, "cut")
		tail := rapid.SampledFrom([][]byte{nil, make([]byte, 3), make([]byte, 5000), {1, 2, 3, 4, 5, 6, 7, 8, 9}}).Draw(t, "tail")
		whole := 0
		for whole < len(ends) && ends[whole] <= cut {
			whole++
		}
		rows, err := readFrames(append(bytes.Clone(b[:cut]), tail...))
		if err != nil || len(rows) != whole {
			t.Fatalf("%d of %d events, cut at %d of %v: %v", len(rows), len(ends), cut, ends, err)
		}
		for n, r := range rows {
			if _, want := appendFrame(nil, nth(n), someVoucher); r != want {
				t.Fatalf("got %+v\nwant %+v", r, want)
			}
		}
	})
}

// FuzzReadFrames: whatever a disk made of a journal, reading it ends.
func FuzzReadFrames(f *testing.F) {
	b, _ := appendFrame(nil, nth(3), someVoucher)
	f.Add(b)
	f.Add(append(b, make([]byte, 100)...))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := readFrames(b)
		if err == nil && len(rows)*frameHead > len(b) {
			t.Errorf("%d events in %d bytes", len(rows), len(b))
		}
	})
}
