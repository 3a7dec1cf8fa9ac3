package policy

// Request is one question: may this principal do this to that, now?
//
// An operation has one action and one resource name per language. One that is
// authorised under several actions or resources of one language (a copy that reads
// here and writes there) is several requests, all of which must be allowed: one for
// each combination of a name per language.
type Request struct {
	Principal Principal

	// What most decisions read lies together.

	Context   Context // nil: no key has a value
	ready     [MaxLanguages]*Action
	Actions   [MaxLanguages]string // by language; "" if the operation has no name there
	Resources [MaxLanguages]string // by language; what the operation is authorised on
}

// Action is the name of an action, with what a decision has to know of it worked out
// beforehand. It is immutable, and may be shared between requests.
type Action struct {
	actionName
	given string
}

// NewAction prepares an action's name.
func NewAction(name string) *Action { return &Action{makeActionName(lowerASCII(name)), name} }

// SetAction sets the action of a language to one that is prepared; nil is none.
func (req *Request) SetAction(l Language, a *Action) {
	req.Actions[l], req.ready[l] = "", a
	if a != nil {
		req.Actions[l] = a.given
	}
}

// Prepare prepares the actions. It is worth it for a request that is decided more
// than once; when an action changes afterwards, it is simply worked out again.
func (req *Request) Prepare() {
	for l, a := range req.Actions {
		req.ready[l] = NewAction(a)
	}
}

// Principal is the caller.
type Principal struct {
	Account string // id of the account that the caller belongs to; empty for services and anonymous callers
	ID      string // unique id of the user or role
	Names   [MaxLanguages]Names
	Kind    PrincipalKind
}

// Names is what one language calls a principal. Account and ID may stay empty when
// they are those of Principal.
type Names struct {
	Account string
	ID      string
	Name    string // user, role, root user, service or identity provider
	Session string // role session or federated user session; empty for others
}

// PrincipalKind says how a caller came to its rights.
type PrincipalKind uint8

const (
	Anonymous     PrincipalKind = iota // nobody: only a resource policy can allow
	Root                               // an account's root user: needs no identity policy
	User                               // also with credentials of a user session
	RoleSession                        // Name is the role, Session the session
	FederatedUser                      // Name is the user who federated, Session the federated user
	Service                            // a service: only a resource policy can allow
	Federated                          // bears an assertion of the provider in Name: only a trust policy can allow
)

// foreign tells whether the caller has no identity policies at all.
func (k PrincipalKind) foreign() bool {
	return k == Anonymous || k == Service || k == Federated
}
