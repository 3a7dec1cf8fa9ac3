package store

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"warifu/internal/fault"
)

func openTest(t *testing.T, dsn string) *Store {
	t.Helper()
	s, err := Open(context.Background(), dsn, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// together hands jobs to the writer so that they share a commit: the writer is
// kept busy until all of them wait.
func together(t *testing.T, s *Store, jobs ...func(*Tx) error) []error {
	t.Helper()
	busy, free := make(chan bool), make(chan bool)
	errs := make([]error, len(jobs))
	var wg sync.WaitGroup
	wg.Go(func() {
		s.Update(context.Background(), func(*Tx) error { close(busy); <-free; return nil })
	})
	<-busy
	for i, fn := range jobs {
		wg.Go(func() { errs[i] = s.Update(context.Background(), fn) })
		for len(s.writer.queue) <= i {
			runtime.Gosched()
		}
	}
	close(free)
	wg.Wait()
	return errs
}

func put(key string) func(*Tx) error {
	return func(tx *Tx) error { return tx.SetMeta(key, "x") }
}

func has(t *testing.T, s *Store, key string) bool {
	t.Helper()
	var v string
	if err := s.View(context.Background(), func(tx *Tx) (err error) { v, err = tx.Meta(key); return err }); err != nil {
		t.Fatal(err)
	}
	return v != ""
}

// Updates that wait together are run in one transaction.
func TestSharedCommit(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "warifu.db"))
	seen := map[string]bool{}
	job := func(key string) func(*Tx) error {
		return func(tx *Tx) error {
			for k := range seen { // what earlier neighbours wrote is there before anything is committed
				if v, err := tx.Meta(k); v == "" || err != nil {
					t.Errorf("%s does not see %s: %v", key, k, err)
				}
			}
			seen[key] = true
			if has(t, s, key) {
				t.Errorf("%s is committed before it is written", key)
			}
			if err := tx.SetMeta(key, "x"); err != nil {
				return err
			}
			if has(t, s, "first") {
				t.Errorf("a reader sees what is not committed")
			}
			return nil
		}
	}
	for _, err := range together(t, s, job("first"), job("second"), job("third")) {
		if err != nil {
			t.Error(err)
		}
	}
	if !has(t, s, "first") || !has(t, s, "third") {
		t.Error("something is missing")
	}
}

// When the database ends the shared transaction by itself, as it does when the
// disk is full, the neighbours' updates are run again, alone.
func TestSpoiledCommit(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "warifu.db"))
	boom := errors.New("boom")
	errs := together(t, s, put("first"), func(tx *Tx) error {
		if _, err := tx.exec("ROLLBACK"); err != nil {
			return err
		}
		return boom
	}, put("third"))
	if errs[0] != nil || !errors.Is(errs[1], boom) || errs[2] != nil {
		t.Errorf("errors: %v", errs)
	}
	if !has(t, s, "first") || !has(t, s, "third") {
		t.Error("a neighbour's update is missing")
	}
}

// A caller that goes away while it waits is dropped; its neighbours are not.
func TestDroppedWhileWaiting(t *testing.T) {
	s := openTest(t, "memory:")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	busy, free := make(chan bool), make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		s.Update(context.Background(), func(*Tx) error { close(busy); <-free; return nil })
	})
	<-busy
	var dropped, kept error
	wg.Go(func() { dropped = s.Update(ctx, put("dropped")) })
	wg.Go(func() { kept = s.Update(context.Background(), put("kept")) })
	for len(s.writer.queue) < 2 {
		runtime.Gosched()
	}
	cancel()
	close(free)
	wg.Wait()
	if !errors.Is(dropped, context.Canceled) || has(t, s, "dropped") {
		t.Errorf("the update of a caller that went away: %v", dropped)
	}
	if kept != nil || !has(t, s, "kept") {
		t.Errorf("its neighbour: %v", kept)
	}
}

// A function that ends its goroutine, as t.Fatal does, leaves nothing locked.
func TestEndedGoroutine(t *testing.T) {
	s, err := Open(context.Background(), "memory:", Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		var wg sync.WaitGroup
		wg.Go(func() {
			s.View(context.Background(), func(tx *Tx) error { tx.Meta("k"); runtime.Goexit(); return nil })
		})
		wg.Wait()
	}
	if err := s.Ping(context.Background()); err != nil {
		t.Error(err)
	}
	if err := s.Update(context.Background(), func(*Tx) error { runtime.Goexit(); return nil }); !fault.Is(err, fault.Internal) {
		t.Errorf("an update that ended the writer: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// A commit is on disk, except of a database that is thrown away.
func TestSync(t *testing.T) {
	for _, c := range []struct {
		dsn  string
		want int // PRAGMA synchronous: 0 off, 2 full
	}{{filepath.Join(t.TempDir(), "warifu.db"), 2}, {"memory:", 0}} {
		s := openTest(t, c.dsn)
		var got int
		if err := once(context.Background(), s.db, write, func(tx *Tx) (err error) {
			got, err = tx.count("PRAGMA synchronous")
			return err
		}); err != nil || got != c.want {
			t.Errorf("%s: synchronous is %d, want %d; %v", c.dsn, got, c.want, err)
		}
	}
}
