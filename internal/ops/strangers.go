package ops

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"warifu/internal/audit"
	"warifu/policy"
)

// What those are refused who have shown no credential at all, but a wrong token of an
// identity provider say, stands in the trail like all else; but they can ask without
// end, and would fill it. So each network has so many such events a minute, and all
// together have so many. What is refused beyond stands in the metrics, and its number
// in the next such event. Whoever has proved anything has no such budget, nor has a
// sign-in, which hashing slows down: what becomes of one is no error.
const (
	refusalsOfLine = 20          // in a window; a person at a form needs fewer
	refusalsOfAll  = 100         // in a window; 70 MB a day
	refusalsWindow = time.Minute // from the first refusal on
)

// refusals counts the events of strangers' refusals. Its zero value is ready.
type refusals struct {
	mu     sync.Mutex
	since  time.Time // when the window began
	of     map[string]int
	all    int
	missed int // since the last that was recorded
}

// spend takes one event of a network's budget, if there is one left, and says how
// many were refused without an event before.
func (r *refusals) spend(line string, now time.Time) (missed int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if passed := now.Sub(r.since); r.of == nil || passed < 0 || passed >= refusalsWindow {
		r.since, r.all, r.of = now, 0, make(map[string]int)
	}
	if r.all >= refusalsOfAll || r.of[line] >= refusalsOfLine {
		r.missed++
		return 0, false
	}
	r.all++
	r.of[line]++
	missed, r.missed = r.missed, 0
	return missed, true
}

// unheard reports whether the event of a failure is beyond what strangers have. In
// one that is not it notes how many were.
func (s *Server) unheard(ev *audit.Event) bool {
	if ev.Actor.Kind != actorKinds[policy.Anonymous] {
		return false
	}
	from, _ := netip.ParseAddr(ev.Source)
	missed, ok := s.refusals.spend(lineOf(from), ev.At)
	if missed > 0 {
		ev.Why = strings.TrimSpace(fmt.Sprintf("%s (and %d more requests that showed no credential were refused, and are not recorded)", ev.Why, missed))
	}
	return !ok
}
