package ops

import (
	"context"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/page"
	"warifu/internal/store"
)

// MaxEvents is the size of a page of events, and its default (AWS: LookupEvents).
const MaxEvents = 50

// LookupEventsIn selects events of the caller's account. Query.Account is
// ignored. Conditions that are set must all hold; those that are not leave
// everything in:
//
//   - ID: one event's
//   - Operation: the event's name as its door calls it, without the service: of
//     iam:EnableMFADevice what follows the colon; or one of Or
//   - Actor: the name of the user or role that asked; root has none
//   - AccessKey: the id of the key that signed
//   - TargetNoun, TargetName: what was acted on, such as "user", "alice"
//   - Service: as in a signature, such as iam
//   - ReadOnly: pointing to true for reads, to false for changes
//   - Result: how it ended
//   - From, To: the span of time, without To itself
//
// Listing.Limit is 1 to MaxEvents, 0 for MaxEvents. Listing.Cursor is the Next of
// the page before and goes with the same conditions and direction only.
type LookupEventsIn struct {
	Query audit.Query
	Listing
}

// LookupEvents finds events of the caller's account, newest first, or oldest
// first with Query.Forward. What was answered before it is found.
//
// Errors: Invalid for a page of more than MaxEvents, a range that ends before it
// begins, or a cursor of another query.
var LookupEvents = Op[LookupEventsIn, page.Page[audit.Event]]{
	Name:   "LookupEvents",
	Grants: Names{AWS: "cloudtrail:LookupEvents"},
	Before: func(_ context.Context, s *Server, _ *Call, in LookupEventsIn) (LookupEventsIn, error) {
		return in, s.store.Flush() // what was answered is found
	},
	Target: func(*Env, LookupEventsIn) (Target, error) { return Target{Noun: "events"}, nil },
	Do: func(env *Env, in LookupEventsIn) (p page.Page[audit.Event], err error) {
		q := in.Query
		q.Account = env.Call.Caller.Account
		if in.Limit == 0 {
			in.Limit = MaxEvents
		}
		switch {
		case in.Limit < 1 || in.Limit > MaxEvents:
			return p, fault.Field("maxResults", "a page has 1 to %d events", MaxEvents)
		case !q.From.IsZero() && !q.To.IsZero() && q.To.Before(q.From):
			return p, fault.Field("startTime", "the time range ends before it begins")
		}
		return pagedBy(env, "LookupEvents", queryFilter(&q), in.Listing, func(after page.Key, limit int) ([]audit.Event, error) {
			at, err := eventAfter(after)
			if err != nil {
				return nil, err
			}
			return env.Tx.Events(q, at, limit)
		}, func(e audit.Event) page.Key { return page.Key{strconv.FormatInt(e.At.UnixMicro(), 10), e.ID} })
	},
}

// eventAfter reads the place of a cursor.
func eventAfter(key page.Key) (after store.EventAfter, err error) {
	if key == nil {
		return after, nil
	}
	at, err := strconv.ParseInt(key[0], 10, 64)
	if err != nil || len(key) != 2 {
		return after, fault.New(fault.Internal, "a cursor of events holds %d values", len(key))
	}
	return store.EventAfter{At: time.UnixMicro(at).UTC(), ID: key[1]}, nil
}

// queryFilter is what a cursor of a query is bound to.
func queryFilter(q *audit.Query) []string {
	readOnly := ""
	if q.ReadOnly != nil {
		readOnly = strconv.FormatBool(*q.ReadOnly)
	}
	return []string{
		q.From.UTC().Format(time.RFC3339Nano), q.To.UTC().Format(time.RFC3339Nano),
		q.ID, q.Operation, q.Actor, q.AccessKey, q.TargetNoun, q.TargetName, q.Service, readOnly, string(q.Result), strconv.FormatBool(q.Forward), strings.Join(q.Or, " "),
	}
}
