package ops_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"warifu/internal/ops"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// N-5, U8: whoever tries names at random neither lets a victim off, be it a user or
// a name that nobody has, nor fills anything: failures of users stand apart, and of
// strangers so many are kept that it takes a day of hashing to push one out.
func TestN5RandomNamesLetNobodyOff(t *testing.T) {
	h := lite(t)
	h.user("alice")
	for _, name := range []string{"alice", "nobody"} {
		for range signin.MaxFailures {
			h.desk().name(name, "wrong")
		}
	}
	limited := func(when string) {
		t.Helper()
		for _, name := range []string{"alice", "nobody"} {
			if step := h.desk().name(name, firstPassword); step.Refusal != signin.TooMany {
				h.Errorf("%s %s is %q", when, name, step.Refusal)
			}
		}
	}
	limited("at first")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 500 { // at the door
		h.desk().name(fmt.Sprint("stranger ", i), "wrong")
	}
	h.must(h.store.Update(context.Background(), func(tx *store.Tx) error { // and what the door would have written of more
		for i := range 20_000 {
			if _, err := tx.CountStranger(fmt.Sprint("name ", i), h.clock.Now()); err != nil {
				return err
			}
		}
		return nil
	}))
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) >> 20; grown > 8 {
		h.Errorf("the names take %d MiB of memory", grown)
	}
	h.must(h.Sweep(context.Background()))
	limited("among many")
	h.must(h.store.Update(context.Background(), func(tx *store.Tx) error { // as after a million
		_, err := tx.TrimStrangers(0, 1_000_000)
		return err
	}))
	if step := h.desk().name("alice", firstPassword); step.Refusal != signin.TooMany {
		h.Errorf("a user is let off: %q", step.Refusal)
	}
	run(h, h.byAdmin(), ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
	h.desk().signIn("alice", "", false)
}
