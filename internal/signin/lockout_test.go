package signin

import (
	"testing"
	"time"
)

// C-4: a pause after as many wrong passwords as the account bears, ten and an
// administrator; what comes in the pause is not looked at.
func TestLane(t *testing.T) {
	for _, c := range []struct {
		failures, attempts int
		ago                time.Duration
		want               Lock
	}{
		{0, 0, 0, Unlocked}, {9, 0, 0, Unlocked}, {10, 0, 0, Locked}, {10, 0, 1000 * time.Hour, Locked},
		{2, 3, 0, Unlocked}, {3, 3, 0, Paused}, {3, 3, Pause - time.Second, Paused}, {3, 3, Pause, Unlocked},
		{4, 3, time.Minute, Paused}, {10, 32, 0, Locked}, {9, 32, 0, Unlocked},
	} {
		if got := (Lane{c.failures, epoch.Add(-c.ago)}).Lock(c.attempts, epoch); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	for _, fits := range []bool{true, false} { // C-5
		facts := Facts{Known: true, Lane: Lane{3, epoch}, Attempts: 3}
		_, out := Step(Flow{}, Proof{Act: Identified, Fits: fits}, facts, epoch.Add(time.Minute))
		if out.Verdict != Refused || out.Refusal != TryLater || out.Count || out.Forgive {
			t.Errorf("in a pause, right %v: %+v", fits, out)
		}
	}
}
