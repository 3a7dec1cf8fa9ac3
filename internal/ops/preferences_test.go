package ops_test

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

// stepUpLife is how long a proof is good for what is sensitive.
const stepUpLife = 15 * time.Minute

// Lives of a session by default: at most, and without a request.
const (
	sessionLife = 6 * time.Hour
	sessionIdle = time.Hour
)

// preferring are the defaults with changes.
func preferring(change ...func(*ops.SecurityPreferences)) ops.SetSecurityPreferencesIn {
	p := iam.DefaultPreferences()
	for _, c := range change {
		c(&p)
	}
	return ops.SetSecurityPreferencesIn{SecurityPreferences: p}
}

// mandatory are preferences that ask everybody for a second factor.
func mandatory(change ...func(*ops.SecurityPreferences)) ops.SetSecurityPreferencesIn {
	return preferring(append(change, func(p *ops.SecurityPreferences) { p.MFAForLogin = iam.MFAMandatory })...)
}
