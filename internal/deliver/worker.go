package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"warifu/internal/audit"
	"warifu/internal/ops"
)

// Source is the trail, as ops.Server serves it.
type Source interface {
	TrailFrom(ctx context.Context, first int64, limit int) (ops.TrailBatch, error)
	Delivers(ctx context.Context, sink string) (bool, error)
	Delivered(ctx context.Context, sink string) (int64, error)
	SetDelivered(ctx context.Context, sink string, from, next int64) error
	RecordTrailEvent(ctx context.Context, operation string, result audit.Result, why string, params audit.Fields) error
}

// Sink is a place that events are delivered to.
type Sink interface {
	// Send hands over a batch, which has events. When it returns nil the place has
	// taken all of them durably, as far as it says; otherwise it is called again with
	// at least these.
	Send(ctx context.Context, b ops.TrailBatch) error
}

const (
	// pollEvery is how long events wait for company before they are delivered.
	pollEvery = 2 * time.Second

	// slowest is the longest pause between tries; the first is firstPause.
	firstPause, slowest = time.Second, time.Minute

	// alarmAfter is how long a delivery fails before that is an event.
	alarmAfter = 5 * time.Minute

	// batch is how many events are handed over at once.
	batch = 1000
)

// Worker delivers the trail to one place.
type Worker struct {
	Name   string // of the place, for ever: what it has got is kept under it
	Sink   Sink
	Source Source
	Log    *slog.Logger
	Now    func() time.Time
	Every  time.Duration // 0 = pollEvery
	Batch  int           // 0 = batch

	mu    sync.Mutex
	lag   Lag
	since time.Time // when delivery began to fail; zero = it does not
	told  bool      // that it fails, in the trail
}

// Lag tells how far a place is behind.
type Lag struct {
	Oldest  time.Time // of the events that it has not got; zero = none
	Failing bool
}

// Lag tells how far the place is behind, as of the last try.
func (w *Worker) Lag() Lag {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lag
}

// Behind is the age of the oldest event that the place has not got, for metrics.
func (w *Worker) Behind() time.Duration {
	l := w.Lag()
	if l.Oldest.IsZero() {
		return 0
	}
	return max(0, w.Now().Sub(l.Oldest))
}

// Run delivers until ctx ends.
func (w *Worker) Run(ctx context.Context) {
	every := w.Every
	if every == 0 {
		every = pollEvery
	}
	pause := firstPause
	for {
		wait := every
		if err := w.Deliver(ctx); err != nil && ctx.Err() == nil {
			w.failed(ctx, err)
			wait, pause = pause, min(2*pause, slowest)
		} else {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// Deliver delivers all that is sealed, if it is this node that does.
func (w *Worker) Deliver(ctx context.Context) error {
	if mine, err := w.Source.Delivers(ctx, w.Name); !mine {
		w.behind(time.Time{})
		return err
	}
	next, err := w.Source.Delivered(ctx, w.Name)
	if err != nil {
		return err
	}
	most := w.Batch
	if most == 0 {
		most = batch
	}
	for {
		b, err := w.Source.TrailFrom(ctx, next, most)
		if err != nil {
			return err
		}
		w.behind(b.Oldest)
		if b.Next == next {
			w.works(ctx)
			return nil
		}
		if len(b.Bodies) > 0 {
			if err := w.Sink.Send(ctx, b); err != nil {
				return err
			}
			w.works(ctx)
		}
		if err := w.Source.SetDelivered(ctx, w.Name, next, b.Next); err != nil {
			return err
		}
		next = b.Next
	}
}

func (w *Worker) behind(oldest time.Time) {
	w.mu.Lock()
	w.lag.Oldest = oldest
	w.mu.Unlock()
}

// failed notes a failure. It is logged once, and an event once it has lasted.
func (w *Worker) failed(ctx context.Context, err error) {
	w.mu.Lock()
	w.lag.Failing = true
	first := w.since.IsZero()
	if first {
		w.since = w.Now()
	}
	tell := !w.told && w.Now().Sub(w.since) >= alarmAfter
	w.told = w.told || tell
	w.mu.Unlock()
	if first {
		w.Log.Error("the trail cannot be delivered; it will be tried again", "sink", w.Name, "error", err)
	}
	if tell {
		w.record(ctx, "TrailDeliveryFailing", audit.Failed, err.Error())
	}
}

// works notes a success.
func (w *Worker) works(ctx context.Context) {
	w.mu.Lock()
	again, told := !w.since.IsZero(), w.told
	w.lag.Failing, w.since, w.told = false, time.Time{}, false
	w.mu.Unlock()
	if again {
		w.Log.Info("the trail is delivered again", "sink", w.Name)
	}
	if told {
		w.record(ctx, "TrailDeliveryResumed", audit.Allowed, "")
	}
}

func (w *Worker) record(ctx context.Context, operation string, result audit.Result, why string) {
	if err := w.Source.RecordTrailEvent(ctx, operation, result, why, audit.Fields{"sink": w.Name}); err != nil {
		w.Log.Error("the trail does not say how its delivery stands", "sink", w.Name, "error", err)
	}
}
