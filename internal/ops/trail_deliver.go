package ops

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/store"
)

// The trail is delivered in the order of its leaves. How far a place has got is
// kept in the database, so that it goes on there after a restart; what was sent
// just before a crash is sent again.

// stateSink begins the keys under which is kept what a place gets next.
const stateSink = "sink:"

// TrailBatch is what is delivered at once: events as they were sealed, the leaf of
// the first and the leaf behind the last. Leaves whose event was removed in between
// are left out.
type TrailBatch struct {
	First, Next int64
	Bodies      []string
	Oldest      time.Time // of the events; zero if there are none
}

// TrailFrom reads the events of leaves from first on, as many as limit.
func (s *Server) TrailFrom(ctx context.Context, first int64, limit int) (b TrailBatch, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		b = TrailBatch{First: first, Next: first}
		all, err := tx.Leaves(first, limit, false)
		for _, e := range all {
			b.Next = e.Leaf + 1
			if e.Body == "" {
				continue
			}
			if b.Oldest.IsZero() {
				b.Oldest = e.At
			}
			b.Bodies = append(b.Bodies, e.Body)
		}
		return err
	})
	return b, err
}

// Delivered is the leaf that a place gets next. A place that is new gets the trail
// from its beginning, which is itself an event.
func (s *Server) Delivered(ctx context.Context, sink string) (next int64, err error) {
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		text, err := tx.TrailState(stateSink + sink)
		if err != nil {
			return err
		}
		if text != "" {
			next, err = strconv.ParseInt(text, 10, 64)
			return err
		}
		next = 0
		accounts, err := tx.Accounts()
		if err == nil {
			err = s.tellAccounts(tx, accounts, "StartTrailDelivery", audit.Allowed, "", audit.Fields{"sink": sink})
		}
		if err != nil {
			return err
		}
		return tx.SetTrailState(stateSink+sink, "0")
	})
	return next, err
}

// Delivers tells whether this node is the one that delivers to a place. Others that
// share the database leave it to this one while it lives.
func (s *Server) Delivers(ctx context.Context, sink string) (bool, error) {
	return s.store.Lead(ctx, "delivers the trail to "+sink)
}

// SetDelivered notes that a place has got all leaves from from up to but without next.
// It returns Conflict if another node has delivered meanwhile.
func (s *Server) SetDelivered(ctx context.Context, sink string, from, next int64) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		text, err := tx.TrailState(stateSink + sink)
		if err == nil && text != strconv.FormatInt(from, 10) {
			err = fault.New(fault.Conflict, "another node has delivered to %s, up to leaf %s", sink, text)
		}
		if err != nil {
			return err
		}
		return tx.SetTrailState(stateSink+sink, strconv.FormatInt(next, 10))
	})
}

// KeepSinks forgets the places that are configured no more. That recording to a
// place ended is itself an event.
func (s *Server) KeepSinks(ctx context.Context, configured []string) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		states, err := tx.TrailStates(stateSink)
		if err != nil {
			return err
		}
		accounts, err := tx.Accounts()
		for key := range states {
			sink := strings.TrimPrefix(key, stateSink)
			if err != nil || slices.Contains(configured, sink) {
				continue
			}
			if err = s.tellAccounts(tx, accounts, "StopTrailDelivery", audit.Allowed, "it is configured no more", audit.Fields{"sink": sink}); err == nil {
				err = tx.DeleteTrailState(key)
			}
		}
		return err
	})
}

// deliveredToAll is the first leaf that some place has not got yet; -1 if there is
// no place. What is not delivered is not removed.
func deliveredToAll(tx *store.Tx) (int64, error) {
	states, err := tx.TrailStates(stateSink)
	least := int64(-1)
	for key, text := range states {
		next, e := strconv.ParseInt(text, 10, 64)
		if e != nil {
			return 0, fault.Wrap(e, "read how far "+key+" has got")
		}
		if least < 0 || next < least {
			least = next
		}
	}
	return least, err
}
