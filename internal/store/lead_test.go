package store_test

import (
	"context"
	"testing"

	"warifu/internal/store"
	"warifu/internal/testkit/blank"
)

// One of the nodes that share a database does a job, and another when it is gone.
func TestLead(t *testing.T) {
	ctx := context.Background()
	dsn := blank.Postgres(t)
	open := func() *store.Store {
		t.Helper()
		s, err := store.Open(ctx, dsn, store.Options{Connections: 4})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := func(s *store.Store, job string, mine bool) {
		t.Helper()
		if got, err := s.Lead(ctx, job); got != mine || err != nil {
			t.Errorf("%s: %v, %v; want %v", job, got, err, mine)
		}
	}
	first, second := open(), open()
	defer second.Close()
	for range 3 {
		want(first, "one", true)
		want(second, "one", false)
		want(second, "two", true)
		want(first, "two", false)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for got := false; !got; { // the server notices a moment later that a connection has ended
		var err error
		if got, err = second.Lead(ctx, "one"); err != nil {
			t.Fatal(err)
		}
	}
	want(second, "two", true)

	alone, err := store.Open(ctx, blank.SQLite(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer alone.Close()
	want(alone, "one", true)
}
