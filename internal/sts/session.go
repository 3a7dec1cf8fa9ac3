package sts

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"warifu/internal/fault"
	"warifu/internal/iam"
)

// Bounds of a session's life (AWS STS API reference, per operation).
const (
	MinLife         = 15 * time.Minute
	MaxUserLife     = 36 * time.Hour // GetSessionToken, GetFederationToken
	DefaultUserLife = 12 * time.Hour
	MaxRootLife     = time.Hour // the same two, asked by the root user
	MaxRoleLife     = 12 * time.Hour
	DefaultRoleLife = time.Hour // also the least that a role may set as its own maximum
	MaxChainedLife  = time.Hour // a role assumed by a role session
)

// The refusals of a duration that is in range and still too long. The sentences
// are AWS's.
var (
	ErrBeyondRole    = fault.Field("durationSeconds", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	ErrBeyondChained = fault.Field("durationSeconds", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
)

// UserLife is how long a session of GetSessionToken or GetFederationToken lives;
// asked is zero when the caller left it open. The root user gets an hour at
// most, whatever is asked, as AWS does it.
func UserLife(asked time.Duration, root bool) (time.Duration, error) {
	life, err := inRange(asked, DefaultUserLife, MaxUserLife)
	if root {
		life = min(life, MaxRootLife)
	}
	return life, err
}

// RoleLife is how long a session of an assumed role lives; asked is zero when the
// caller left it open, roleMax is the role's own maximum, chained says that the
// caller is a role session. Checks are made in AWS's order: range, role, chain.
func RoleLife(asked, roleMax time.Duration, chained bool) (time.Duration, error) {
	life, err := inRange(asked, DefaultRoleLife, MaxRoleLife)
	switch {
	case err != nil:
		return 0, err
	case life > max(roleMax, DefaultRoleLife):
		return 0, ErrBeyondRole
	case chained && life > MaxChainedLife:
		return 0, ErrBeyondChained
	}
	return life, nil
}

// CheckRoleMax refuses a maximum that a role may not set: under one hour, over
// twelve, or not whole seconds.
func CheckRoleMax(d time.Duration) error {
	if d < DefaultRoleLife || d > MaxRoleLife || d%time.Second != 0 {
		return fault.Field("maxSessionDuration", "maxSessionDuration must be %d to %d seconds", seconds(DefaultRoleLife), seconds(MaxRoleLife))
	}
	return nil
}

func inRange(asked, unasked, most time.Duration) (time.Duration, error) {
	if asked == 0 {
		return unasked, nil
	}
	if asked < MinLife || asked > most || asked%time.Second != 0 {
		return 0, fault.Field("durationSeconds", "durationSeconds must be %d to %d", seconds(MinLife), seconds(most))
	}
	return asked, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// Limits of session policies (AWS STS API reference).
const (
	MaxSessionARNs  = 10
	MaxSessionChars = 2048 // inline text and ARNs together, before packing
)

// CheckPolicies refuses session policies that are too many or too long.
func CheckPolicies(policies, arns []string) error {
	if len(arns) > MaxSessionARNs {
		return fault.Field("policyArns", "at most %d managed policies may be passed to a session", MaxSessionARNs)
	}
	n := 0
	for _, s := range slices.Concat(policies, arns) {
		n += utf8.RuneCountInString(s)
	}
	if n > MaxSessionChars {
		return fault.Field("policy", "the policies passed to a session may have %d characters in all; these have %d", MaxSessionChars, n)
	}
	return nil
}

// The refusals of session tags and source identities. The sentences are AWS's.
var (
	ErrTransitiveUnknown = fault.Field("transitiveTagKeys", "The specified transitive tag key must be included in the requested tags.")
	ErrTransitiveTaken   = fault.Field("transitiveTagKeys", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
	ErrSourceIdentitySet = &fault.Error{Kind: fault.Denied, What: "The source identity is already set for this assume role session"}
)

// InheritTags gives the tags of a new session: those given, marked transitive
// where their key is listed, and the caller's transitive ones, which stay so and
// cannot be overridden. caller is nil when the caller is no session. Keys are
// compared without case. Check the given tags with iam.CheckTags before.
func InheritTags(caller []Tag, given []iam.Tag, transitive []string) ([]Tag, error) {
	var tags []Tag
	for _, t := range caller {
		if t.Transitive {
			tags = append(tags, t)
		}
	}
	inherited := len(tags)
	for _, t := range given {
		if hasKey(tags[:inherited], t.Key) {
			return nil, ErrTransitiveTaken
		}
		passed := slices.ContainsFunc(transitive, func(k string) bool { return strings.EqualFold(k, t.Key) })
		tags = append(tags, Tag{t.Key, t.Value, passed})
	}
	for _, key := range transitive {
		if !hasKey(tags[inherited:], key) {
			return nil, ErrTransitiveUnknown
		}
	}
	if len(tags) > iam.MaxTags {
		return nil, fault.Field("tags", "a session has at most %d tags, inherited ones included", iam.MaxTags)
	}
	return tags, nil
}

func hasKey(tags []Tag, key string) bool {
	return slices.ContainsFunc(tags, func(t Tag) bool { return strings.EqualFold(t.Key, key) })
}

// InheritSourceIdentity gives the source identity of a new session: once one is
// set it stays through every chained role, and asking for another is refused.
// caller is "" when the caller has none.
func InheritSourceIdentity(caller, asked string) (string, error) {
	switch {
	case caller == "" || asked == caller:
		return asked, nil
	case asked == "":
		return caller, nil
	}
	return "", ErrSourceIdentitySet
}
