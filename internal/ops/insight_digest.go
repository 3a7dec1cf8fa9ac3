package ops

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/insight"
	"warifu/internal/store"
)

// The trail is read once, leaf by leaf, for what it shows of how permissions are
// used. So pages about that are as fast on a long trail as on a short one.
const (
	digestKey     = "evidence" // where the trail's state has the next leaf to read
	digestBatch   = 1024       // events that one transaction counts: others hardly wait
	digestBatches = 256        // in one go of Maintain: 17,000 events a second, if there are so many
	digestAtOnce  = 4          // before a page is shown

	evidenceKept  = 100 // days for which uses are kept, and
	presencesKept = insight.SharedDays + 5
)

// EvidenceDays is how far back uses can be asked for.
const EvidenceDays = 90

// DigestTrail counts what was sealed since it last ran, and forgets what is older
// than anybody asks for. It is safe to run on every node at once: what one counted,
// the others find counted.
func (s *Server) DigestTrail(ctx context.Context) error {
	if _, err := s.digest(ctx, digestBatches); err != nil {
		return err
	}
	today := insight.DayOf(s.now())
	if s.digestDay.Load() == int64(today) {
		return nil
	}
	for _, forget := range []func(*store.Tx) (int, error){
		func(tx *store.Tx) (int, error) { return tx.PurgeUses(today-evidenceKept, sweepBatch) },
		func(tx *store.Tx) (int, error) { return tx.PurgePresences(today-presencesKept, sweepBatch) },
	} {
		for n := sweepBatch; n == sweepBatch; {
			err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
				n, err = forget(tx)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	if err := s.keepInsights(ctx); err != nil {
		return err
	}
	s.digestDay.Store(int64(today))
	return nil
}

// refresh counts what was answered a moment ago, as far as that is quickly done. A
// trail that cannot be sealed is reported elsewhere; what was sealed still counts.
func (s *Server) refresh(ctx context.Context) error {
	if _, err := s.SealTrail(ctx); err != nil {
		s.log.Warn("evidence may be behind: the trail cannot be sealed", "error", err)
	}
	_, err := s.digest(ctx, digestAtOnce)
	return err
}

// digest counts up to a number of batches and returns how many events there were.
func (s *Server) digest(ctx context.Context, batches int) (all int, err error) {
	for range batches {
		n, err := s.digestSome(ctx)
		if all += n; err != nil || n < digestBatch {
			return all, err
		}
	}
	return all, nil
}

// errDigested says that another node was first.
var errDigested = errors.New("another node has counted meanwhile")

func (s *Server) digestSome(ctx context.Context) (n int, err error) {
	var from int64
	var events []store.StoredEvent
	err = s.store.View(ctx, func(tx *store.Tx) error {
		from, err = digested(tx)
		if err == nil {
			events, err = tx.Leaves(from, digestBatch, false)
		}
		return err
	})
	if err != nil || len(events) == 0 {
		return 0, err
	}
	var d insight.Digest
	oldest := insight.DayOf(s.now()) - evidenceKept
	for i := range events {
		var e audit.Event
		if events[i].Body == "" || json.Unmarshal([]byte(events[i].Body), &e) != nil || insight.DayOf(e.At) < oldest {
			continue // gone, or nothing that anybody asks for
		}
		d.Add(evidenceOf(&e))
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if now, err := digested(tx); err != nil || now != from {
			return errors.Join(err, errDigested)
		}
		if err := tx.AddUses(d.Uses()); err != nil {
			return err
		}
		if err := tx.AddPresences(d.Presences()); err != nil {
			return err
		}
		return tx.SetTrailState(digestKey, strconv.FormatInt(events[len(events)-1].Leaf+1, 10))
	})
	if errors.Is(err, errDigested) {
		return 0, nil
	}
	return len(events), err
}

// digested is the first leaf that is not counted.
func digested(tx *store.Tx) (int64, error) {
	text, err := tx.TrailState(digestKey)
	if err != nil || text == "" {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fault.Wrap(err, "read how far the trail is counted")
	}
	return n, nil
}

// evidenceOf is an event as evidence. Of the steps of a sign-in only the last, which
// opens the session, is one.
func evidenceOf(e *audit.Event) *insight.Request {
	r := &insight.Request{
		Account: e.Account, Principal: e.Actor.ID, At: e.At, Event: e.ID, Operation: e.Operation, Action: e.Action, Resource: e.Target.ARN,
		Result: string(e.Result), Rule: e.Why, Source: e.Source, Changes: !e.ReadOnly,
	}
	for _, a := range e.Also {
		r.Also = append(r.Also, insight.Also{Action: a.Action, Resource: a.Resource})
	}
	switch {
	case e.MFA.Present:
		r.Proof = insight.Proved
	case e.MFA.Known:
		r.Proof = insight.Unproved
	}
	if e.Operation == SignIn.Name && e.Result == audit.Allowed && e.Params["next"] != "session" {
		r.Result = "step"
	}
	if e.Door == "console" && e.Actor.Session != "" && e.Result == audit.Allowed {
		r.Session, r.Device = e.Actor.Session, e.UserAgent
	}
	return r
}

// evidenceUntil tells how far the trail is counted: the zero time when all of it is.
func (env *Env) evidenceUntil() (time.Time, error) {
	next, err := digested(env.Tx)
	if err != nil {
		return time.Time{}, err
	}
	waiting, err := env.Tx.Leaves(next, 1, false)
	if err != nil || len(waiting) == 0 {
		return time.Time{}, err
	}
	return waiting[0].At, nil
}
