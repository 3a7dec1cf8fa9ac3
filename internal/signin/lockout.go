package signin

import "time"

// MaxFailures wrong passwords in a row, and a right one is no longer taken until
// an administrator unblocks the user (security checklist C-4). Names that nobody
// has are treated alike.
const MaxFailures = 10

// Pause is how long no password is taken after as many wrong ones as the
// account's password policy bears (Alibaba Cloud, MaxLoginAttemps).
const Pause = time.Hour

// Lane is a budget of wrong passwords. A browser that a user signed in with
// before has a lane of its own; all other browsers of the world share one per
// user, or per name that nobody has. Whoever spends the one does not spend the
// other.
type Lane struct {
	Failures int // wrong passwords in a row
	Last     time.Time
}

// Lock says whether a lane is open.
type Lock uint8

// The locks.
const (
	Unlocked Lock = iota
	Paused        // for an hour
	Locked        // until an administrator unblocks
)

// Lock judges a lane. attempts is how many wrong passwords in a row the account
// bears before a pause; 0 = no pause. What comes during a pause is not looked at
// and does not count, so that it ends.
func (l Lane) Lock(attempts int, now time.Time) Lock {
	switch {
	case l.Failures >= MaxFailures:
		return Locked
	case attempts > 0 && l.Failures >= attempts && now.Before(l.Last.Add(Pause)):
		return Paused
	}
	return Unlocked
}
