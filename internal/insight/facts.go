package insight

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

// What is looked back at, and from what age on things are in need of attention.
const (
	RootSpan  = 90 * 24 * time.Hour // sign-ins and operations of root
	RootOften = 3                   // more sign-ins of root in RootSpan are too many (Alibaba Cloud's governance check)
	KeyOld    = 90 * 24 * time.Hour // age at which a key should be replaced
	KeyNever  = 30 * 24 * time.Hour // age at which a key that was never used should go
	KeyIdle   = 90 * 24 * time.Hour // without a use
	UserIdle  = 90 * 24 * time.Hour // without a sign-in
	Strong    = 8                   // length of a password that is not weak
)

// How many administrators are good: one alone is locked out with its telephone, and
// many are hard to watch.
const (
	FewAdmins  = 2
	ManyAdmins = 5
)

// Facts are what checks are made from.
type Facts struct {
	Now  time.Time
	Rows []iam.CredentialRow // root first

	RootUses  []Use            // of RootSpan
	Weak      map[name.ID]bool // users all whose factors are weak
	Asked     map[name.ID]bool // users who must have a factor by their own login profile
	Apps      map[name.ID]bool // accounts of applications
	Shared    []Shared
	Wildcards []Grant
	Admins    []Holder
	Probes    []Probe
	Length    int // of passwords, at least
}

// Grant is a policy that gives everything, or everything of a service, on everything,
// and that the account wrote itself.
type Grant struct {
	Policy  string // ARN; "" = an inline one
	Name    string
	Holder  string   // of an inline one
	Kind    string   // of that holder
	Actions []string // as written, such as "*" or "ec2:*"
	Line    int
	Holders int // users and roles
}

// Holder is somebody who may do everything, or everything that gives power over
// others.
type Holder struct {
	Kind   string // user or role
	ID     name.ID
	Name   string
	Policy string // by which
}

// Probe is a request of somebody who does not exist, made to see whether the rules
// that serve requests refuse it.
type Probe struct {
	ID   ProbeID
	Held bool // it ended as it should
}

// ProbeID says what was tried.
type ProbeID string

// The probes.
const (
	ProbeSignIn  ProbeID = "sign-in" // a password alone, by the account's own preferences
	ProbeDeny    ProbeID = "deny"    // without MFA, against a statement that asks for it
	ProbeKey     ProbeID = "key"     // the same with an access key
	ProbeAllowed ProbeID = "allowed" // the same with MFA, which must pass
	ProbeUnknown ProbeID = "nobody"  // a password that fits nobody
)
