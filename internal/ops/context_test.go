package ops

import (
	"testing"
	"time"

	"warifu/policy"
)

// K-6: when the clock goes back, a proof of the future has no age, and so
// satisfies no limit.
func TestK6ProofOfTheFutureHasNoAge(t *testing.T) {
	now := time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)
	key := policy.NewKeys(keyNames...).Key("aws:MultiFactorAuthAge")
	for _, tt := range []struct {
		proved time.Time
		want   string
		found  bool
	}{
		{now.Add(-90 * time.Second), "90", true},
		{now, "0", true},
		{now.Add(time.Second), "", false},
	} {
		f := facts{call: &Call{}, now: now, target: &Target{}, mfa: &MFA{Known: true, Present: true, At: tt.proved}}
		if got, ok := f.Lookup(key).Text(); got != tt.want || ok != tt.found {
			t.Errorf("proved at %v: age %q, %v; want %q, %v", tt.proved, got, ok, tt.want, tt.found)
		}
	}
}
