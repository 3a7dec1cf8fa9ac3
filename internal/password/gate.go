package password

import (
	"context"
	"slices"
	"sync"

	"warifu/internal/fault"
)

// Gate bounds how many hashes are computed at once, and with that the memory
// they take (security checklist P-1): each takes its cost's Memory, 19 MiB by
// default, and without a bound a burst of sign-ins ends the process. One Gate
// serves the whole program. It is safe for concurrent use.
type Gate struct {
	mu    sync.Mutex
	size  int // slots
	free  int
	max   int // waiters
	queue []*waiter
}

type waiter struct {
	slots    int
	admitted chan struct{} // closed when the slots are the waiter's
}

// slotMemory is what a slot stands for, in KiB.
const slotMemory = defaultMemory

// NewGate returns a gate that lets running hashes of the default cost through at
// once (dearer ones count for several) and lets waiting more wait their turn. As
// a hash keeps a core busy, more running than cores help nobody. Expect the
// process to grow by about twice running x 19 MiB, because the garbage collector
// is late by one round.
func NewGate(running, waiting int) *Gate {
	running = max(running, 1)
	return &Gate{size: running, free: running, max: max(waiting, 0)}
}

// Waiting is how many callers wait now, for the metrics.
func (g *Gate) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}

// enter waits for room for a hash of that much memory, first come, first served.
// Call leave afterwards, unless there is an error: fault.Throttled, at once when
// too many wait already, or when ctx ends first (which is then the cause).
func (g *Gate) enter(ctx context.Context, memory uint32) (leave func(), err error) {
	slots := min((int(memory)+slotMemory-1)/slotMemory, g.size)
	leave = func() { g.give(slots) }
	g.mu.Lock()
	if len(g.queue) == 0 && g.free >= slots {
		g.free -= slots
		g.mu.Unlock()
		return leave, nil
	}
	if len(g.queue) >= g.max {
		g.mu.Unlock()
		return nil, throttled(nil)
	}
	w := &waiter{slots, make(chan struct{})}
	g.queue = append(g.queue, w)
	g.mu.Unlock()
	select {
	case <-w.admitted:
		return leave, nil
	case <-ctx.Done():
		g.desert(w)
		return nil, throttled(context.Cause(ctx))
	}
}

// desert takes a waiter out of the queue, or gives back what it was given while
// it turned away.
func (g *Gate) desert(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.queue, w); i >= 0 {
		g.queue = slices.Delete(g.queue, i, i+1)
	} else {
		g.free += w.slots
	}
	g.admit()
}

func (g *Gate) give(slots int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free += slots
	g.admit()
}

// admit lets in as many from the front as there is room for. The mutex is held.
func (g *Gate) admit() {
	for len(g.queue) > 0 && g.queue[0].slots <= g.free {
		w := g.queue[0]
		g.queue = slices.Delete(g.queue, 0, 1)
		g.free -= w.slots
		close(w.admitted)
	}
}

func throttled(cause error) error {
	return &fault.Error{Kind: fault.Throttled, What: "too many sign-ins at the moment; try again in a few seconds", Err: cause}
}
