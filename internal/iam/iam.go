package iam

import (
	"time"

	"warifu/internal/name"
)

// Tag is a label on a noun. Keys are compared without case on users and roles,
// with case on policies and devices.
type Tag struct{ Key, Value string }

// Account is the owner of everything else. Its root user is a User with Root
// set.
type Account struct {
	ID      name.Account
	Alias   string // "" when none was chosen; unique over all accounts
	Created time.Time

	// PasswordPolicy is the stored form (JSON of password.Policy); "" when the
	// account never set one.
	PasswordPolicy string

	// Revision grows with every change that can alter a decision or the answer
	// to "whose key is this". Compiled rules and credentials are cached by it.
	Revision int64
}

// User is a person or a program with credentials of its own.
type User struct {
	ID      name.ID
	Account name.Account
	Root    bool   // the account's root user; Name is then empty
	Name    string // unique in the account, compared without case
	Path    string // begins and ends with a slash
	Email   string // root: the name signed in with
	Created time.Time

	PasswordUsed time.Time // last sign-in with the password; zero = never
	Boundary     name.ID   // policy that bounds the user; zero = none
	Tags         []Tag
}

// ARN names the user as AWS does.
func (u *User) ARN() string {
	if u.Root {
		return name.RootARN(u.Account)
	}
	return name.UserARN(u.Account, u.Path, u.Name)
}

// Group is a set of users that share policies.
type Group struct {
	ID      name.ID
	Account name.Account
	Name    string
	Path    string
	Created time.Time
}

// ARN names the group as AWS does.
func (g *Group) ARN() string { return name.GroupARN(g.Account, g.Path, g.Name) }

// Role is an identity that a trusted principal takes on for a while.
type Role struct {
	ID          name.ID
	Account     name.Account
	Name        string
	Path        string
	Description string
	Trust       string // the trust policy as it was given
	MaxSession  time.Duration
	Boundary    name.ID
	Tags        []Tag
	Created     time.Time
	LastUsed    time.Time // zero = never
	LastRegion  string
}

// ARN names the role as AWS does.
func (r *Role) ARN() string { return name.RoleARN(r.Account, r.Path, r.Name) }

// Language is the language that a policy's text is written in.
type Language string

// The languages served.
const (
	LanguageAWS Language = "aws"
	LanguageRAM Language = "ram" // of Alibaba Cloud
)

// Policy is a managed policy. Account 0 owns those that exist from the start.
type Policy struct {
	ID          name.ID
	Account     name.Account
	Language    Language
	Name        string
	Path        string
	Description string
	Default     int // number of the version in force
	Latest      int // highest version number ever given: numbers are not reused
	Created     time.Time
	Updated     time.Time
	Tags        []Tag
}

// ARN names the policy as AWS does.
func (p *Policy) ARN() string { return name.PolicyARN(p.Account, p.Path, p.Name) }

// PolicyVersion is one text of a managed policy; texts never change.
type PolicyVersion struct {
	Policy   name.ID
	Number   int // v1 is 1
	Document string
	Created  time.Time
}

// PrincipalKind says what a policy is attached to.
type PrincipalKind string

// The kinds of principal that hold policies.
const (
	KindUser  PrincipalKind = "user"
	KindGroup PrincipalKind = "group"
	KindRole  PrincipalKind = "role"
)

// InlinePolicy is a policy that lives and dies with its principal.
type InlinePolicy struct {
	Principal name.ID
	Name      string
	Language  Language
	Document  string
}

// KeyStatus is an access key's state.
type KeyStatus string

// The states of an access key, spelled as AWS spells them.
const (
	KeyActive   KeyStatus = "Active"
	KeyInactive KeyStatus = "Inactive"
)

// AccessKey is a long-term key pair. The secret is sealed at rest and shown
// once, when it is made.
type AccessKey struct {
	ID      string
	User    name.ID
	Account name.Account
	Secret  []byte // sealed; seal.Keyring opens it with the row as associated data
	Status  KeyStatus
	Created time.Time

	LastUsed    time.Time // zero = never
	LastService string
	LastRegion  string

	Idled   time.Time // when it was turned off because nobody used it; zero = it was not
	Enabled time.Time // when it was last turned on; zero = never since it was made
}

// LoginProfile is a user's password for the console.
type LoginProfile struct {
	User          name.ID
	Hash          string // PHC string, see internal/password
	ResetRequired bool
	MFARequired   bool // the user must have a second factor, whatever others must (MFABindRequired)
	Created       time.Time
	Changed       time.Time

	Disabled    time.Time // when the password ceased to let in; zero = it does
	DisabledFor string    // DisabledByHand or DisabledIdle
	Enabled     time.Time // when an administrator last let it in again; zero = never
}

// Why a login profile is disabled.
const (
	DisabledByHand = "administrator"
	DisabledIdle   = "idle" // nobody signed in with it for Preferences.IdleDaysUsers
)
