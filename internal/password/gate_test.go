package password

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"warifu/internal/fault"
)

// P-1: never more at once than the gate has slots, whatever each one takes, and
// all slots are free in the end.
func TestP1GateBoundsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(4, 1000)
		var now, peak, done atomic.Int64
		for i := range 300 {
			slots := i%6 + 1 // 5 and 6 are more than there are: they run alone
			go func() {
				leave, err := g.enter(t.Context(), uint32(slots*slotMemory))
				if err != nil {
					t.Error(err)
					return
				}
				n := now.Add(int64(min(slots, 4)))
				for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
				}
				time.Sleep(time.Millisecond)
				now.Add(-int64(min(slots, 4)))
				leave()
				done.Add(1)
			}()
		}
		synctest.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if peak.Load() != 4 || done.Load() != 300 || g.free != 4 || g.Waiting() != 0 {
			t.Errorf("peak %d, done %d, free %d, waiting %d", peak.Load(), done.Load(), g.free, g.Waiting())
		}
	})
}

func TestGateServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(2, 10)
		leave, _ := g.enter(t.Context(), 2*slotMemory)
		var order []int
		var mu sync.Mutex
		for i, slots := range []uint32{2, 1, 1, 2} { // the small ones must not overtake the large one
			go func() {
				out, err := g.enter(t.Context(), slots*slotMemory)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				time.Sleep(time.Duration(i+1) * time.Millisecond)
				out()
			}()
			synctest.Wait()
		}
		if g.Waiting() != 4 {
			t.Fatalf("%d wait", g.Waiting())
		}
		leave()
		time.Sleep(time.Second)
		synctest.Wait()
		if len(order) != 4 || order[0] != 0 || order[3] != 3 {
			t.Errorf("served in the order %v", order)
		}
	})
}

func TestGateFullAndCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(1, 1)
		leave, err := g.enter(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		gave := make(chan error, 1)
		go func() {
			_, err := g.enter(ctx, 1)
			gave <- err
		}()
		synctest.Wait()
		if _, err := g.enter(t.Context(), 1); !fault.Is(err, fault.Throttled) || g.Waiting() != 1 {
			t.Errorf("a full queue: %v, %d waiting", err, g.Waiting())
		}
		cancel()
		if err := <-gave; !fault.Is(err, fault.Throttled) || !errors.Is(err, context.Canceled) {
			t.Errorf("a client that went away: %v", err)
		}
		if g.Waiting() != 0 {
			t.Errorf("%d still wait", g.Waiting())
		}
		leave()
		if g.free != 1 {
			t.Errorf("%d slots are free", g.free)
		}
		again, err := g.enter(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		again()
		if NewGate(0, -1).size != 1 {
			t.Error("a gate that lets nobody through")
		}
	})
}

// A waiter that is admitted while it gives up returns its slots, and does not
// hold up those behind it.
func TestGateAdmittedWhileLeaving(t *testing.T) {
	g := NewGate(1, 2)
	g.free = 0
	w, behind := &waiter{1, make(chan struct{})}, &waiter{1, make(chan struct{})}
	g.queue = []*waiter{w, behind}
	g.give(1) // admits w
	g.desert(w)
	select {
	case <-behind.admitted:
	default:
		t.Error("the next one still waits")
	}
	if g.give(1); g.free != 1 {
		t.Errorf("%d slots are free", g.free)
	}
}
