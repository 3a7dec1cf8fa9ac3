package policy

// LayerKind is the part a layer plays in a decision.
type LayerKind uint8

const (
	Identity        LayerKind = iota + 1 // grants: policies of the user and its groups, or of the role
	Boundary                             // limits what identity policies grant
	Session                              // limits what a session may use; policies passed when it was made
	Control                              // one level of control policies over the caller's account: each level must allow
	ResourceControl                      // one level of control policies over the resource's account
	Resource                             // grants: the policy of the resource
	Trust                                // grants: the trust policy of a role; it must allow, whatever else does
)

// Layer is a group of policies with one part to play. Its sets count as one.
type Layer struct {
	Kind     LayerKind
	Explicit bool // Resource: must allow even within the account, as a KMS key policy must
	Sets     []*Set
	Owner    string // Resource, Trust: the account that owns the resource
}

// Outcome is the answer to a request.
type Outcome uint8

const (
	ImplicitDeny Outcome = iota // nothing allowed it: the zero value refuses
	ExplicitDeny
	Allowed
)

func (o Outcome) String() string {
	switch o {
	case Allowed:
		return "allowed"
	case ExplicitDeny:
		return "explicit deny"
	}
	return "implicit deny"
}

// Decision is an answer with its reason.
type Decision struct {
	Outcome Outcome
	Layer   LayerKind // what denied, what did not allow, or what granted
	Index   int       // which of the layers given, or -1 if there is none of that kind
	Rule    *RuleID   // the rule that denied or granted; nil if none did, or none had to
}

// Allowed tells whether the request may proceed.
func (d Decision) Allowed() bool { return d.Outcome == Allowed }
