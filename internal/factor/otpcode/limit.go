package otpcode

import "time"

// Limit is how often codes may go out for one key: a user, an address that asks,
// an address they are sent to.
type Limit struct {
	Gap    time.Duration // between one and the next
	Most   int           // within Within
	Within time.Duration
}

// The limits (C-7). A person who does not find the mail asks two or three times;
// whoever has more than one account behind one address shares that one's.
var (
	PerUser   = Limit{Gap: 30 * time.Second, Most: 10, Within: time.Hour}
	PerTarget = Limit{Gap: 10 * time.Second, Most: 10, Within: time.Hour}
	PerSource = Limit{Most: 60, Within: time.Hour}
)

// Sent is how many went out for a key since Began, the last of them at Last. Its
// zero value is a key for which none did.
type Sent struct {
	Began, Last time.Time
	Count       int
}

// Next is the count with one more at now. It is false, and nothing is counted,
// when the limit does not allow it yet.
func (l Limit) Next(s Sent, now time.Time) (Sent, bool) {
	if now.Before(l.Again(s)) {
		return s, false
	}
	if s.Began.IsZero() || now.Sub(s.Began) >= l.Within || now.Before(s.Began) {
		s = Sent{Began: now}
	}
	s.Count, s.Last = s.Count+1, now
	return s, true
}

// Again is when the next one may go out; the zero time or one that is past
// means now.
func (l Limit) Again(s Sent) (at time.Time) {
	if !s.Last.IsZero() {
		at = s.Last.Add(l.Gap)
	}
	if s.Count >= l.Most {
		if end := s.Began.Add(l.Within); end.After(at) {
			at = end
		}
	}
	return at
}
