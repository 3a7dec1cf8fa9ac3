package store

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

// Scope says whose managed policies are listed.
type Scope string

// The scopes.
const (
	ScopeAll    Scope = ""       // the account's own and the vendor's
	ScopeOwn    Scope = "own"    // the account's own
	ScopeVendor Scope = "vendor" // AWS's, which exist from the start, account 0

	ScopeAlibaba Scope = "alibaba" // Alibaba Cloud's, which exist from the start
	ScopeRAM     Scope = "ram"     // those and the account's own
)

// Usage says what a managed policy is used for.
type Usage string

// The uses.
const (
	UsageAny         Usage = ""
	UsagePermissions Usage = "permissions" // attached
	UsageBoundary    Usage = "boundary"    // bounds a user or role
)

// After is a place in a list ordered by name and then id: the last row of the
// page before. Its zero value is the beginning.
type After struct {
	Name string
	ID   name.ID
}

// PolicyFilter selects managed policies as one account sees them.
type PolicyFilter struct {
	Account      name.Account // whose own policies, and whose attachments are counted
	Scope        Scope
	OnlyAttached bool  // attached to something in the account
	Usage        Usage // used in this way in the account
	PathPrefix   string
	Search       string // part of the name, without case; "" = any
	After        After
	Limit        int
}

// PolicyUse is a managed policy and how often an account uses it.
type PolicyUse struct {
	iam.Policy
	Attached int // users, groups and roles that it is attached to
	Bounding int // users and roles that it bounds
}

// VendorPolicy is a managed policy that exists from the start, with its one
// text.
type VendorPolicy struct {
	iam.Policy
	Document string
}

// Entity is a user, group or role in the list of those that use a policy.
type Entity struct {
	Kind iam.PrincipalKind
	ID   name.ID
	Name string
	Path string
}

// PolicyRef names one text for ever: texts never change.
type PolicyRef struct {
	ID     name.ID
	Number int
}

// ManagedGrant is a managed policy in force for a principal, by its default
// version.
type ManagedGrant struct {
	PolicyRef
	Account  name.Account // owner of the policy; 0 = AWS
	Path     string
	Name     string
	Language iam.Language
	Holder   Entity // what it is attached to: the principal itself or one of its groups
}

// InlineGrant is an inline policy in force for a principal.
type InlineGrant struct {
	Name     string
	Language iam.Language
	Document string
	Holder   Entity
}

// Grants is all that the evaluator must know about a principal's policies.
type Grants struct {
	Managed  []ManagedGrant
	Inline   []InlineGrant
	Boundary *ManagedGrant // nil = none
}

// Assignment says whether listed factors are bound to a user.
type Assignment string

// The assignments.
const (
	AssignmentAny        Assignment = ""
	AssignmentAssigned   Assignment = "assigned"   // enabled for a user
	AssignmentUnassigned Assignment = "unassigned" // pending or deactivated
)

// FactorUse is a factor and the user it is bound to; User is nil while nobody
// is.
type FactorUse struct {
	iam.Factor
	Owner *iam.User
}

// Counts is how much an account holds.
type Counts struct {
	Users, Groups, Roles, Policies int // root not counted; own policies only
	PolicyVersions                 int // of own policies
	Factors, FactorsInUse          int
	RootFactors, RootKeys          int
	RootPassword                   bool
}

// DataKey is a key of the ring that seals columns, itself wrapped by a key that
// the installation keeps outside the database.
type DataKey struct {
	ID      string // the key's number (seal.KeyID) in decimal
	Wrapped []byte
	Wrapper string // names the key-encryption key that wrapped it
	Active  bool   // new secrets are sealed with it; one is at most
	Created time.Time
}

// Token is a one-time link, stored by hash.
type Token struct {
	Hash    []byte // SHA-256 of the secret in the link
	Purpose string // setup, …: a token of one purpose is none of another
	Account name.Account
	User    name.ID
	Expires time.Time
}

// EventAfter is a place in the trail: the last event of the page before. Its
// zero value is the beginning of the first page.
type EventAfter struct {
	At time.Time
	ID string
}
