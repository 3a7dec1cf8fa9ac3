package ops

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/aws/catalog"
	"warifu/policy/jsonc"
	"warifu/policy/ram"
)

// Way is how a caller that is only supposed came to its credentials.
type Way string

// The ways. They differ in what policies learn about MFA: a long-term key says
// nothing at all, which is not the same as no.
const (
	WayMFA      Way = "mfa"      // signed in with a second factor just now
	WayPassword Way = "password" // signed in without one
	WayKey      Way = "key"      // a long-term access key
)

// Ways are all of them.
var Ways = [...]Way{WayMFA, WayPassword, WayKey}

func (w Way) mfa(env *Env) MFA {
	switch w {
	case WayMFA:
		return MFA{Known: true, Present: true, At: env.Now, Methods: []string{string(iam.FactorTOTP)}}
	case WayPassword:
		return MFA{Known: true}
	}
	return MFA{}
}

// TryIn is a request that nobody makes, to see what policy would say of it.
type TryIn struct {
	Kind     iam.PrincipalKind // of Who: user or role; "" means user
	Who      Ref
	Action   string
	Resource string // "" means "*"
}

// TryPolicyIn is a request judged by one policy alone.
type TryPolicyIn struct {
	Policy   string // ARN of a managed policy
	Version  string // "v3"; "" means the one in force
	As       string // name of the user who asks, for variables; "" = one who does not exist
	Action   string
	Resource string
}

// Verdict is what policy says of a request, and why.
type Verdict struct {
	Way        Way
	Allowed    bool
	Explicit   bool // a statement denies it; otherwise nothing allows it
	Boundary   bool // it is the permissions boundary that does not allow it
	Because    *StatementTrace
	Statements []StatementTrace // that speak of the action: first those that apply
}

// StatementTrace is how one statement fared.
type StatementTrace struct {
	Policy, Version, Sid string // Policy: ARN, or the words for an inline one
	Line, Column         int
	Deny                 bool
	Boundary             bool // it stands in the boundary
	Applies              bool
	Resource             bool // it is about the resource
	Conditions           []ConditionTrace
}

// ConditionTrace is how one condition fared.
type ConditionTrace struct {
	Label string // as written
	Key   string
	Holds bool
	Found bool     // the request has the key
	Saw   []string // its values
}

// Trial is the same request made in every way.
type Trial struct {
	Principal string // ARN
	Verdicts  []Verdict
}

// TryAccess tells what the policies of a user or role say of a request, by the
// evaluator that serves requests.
//
// Errors: NotFound; Invalid action.
var TryAccess = Op[TryIn, *Trial]{
	Name:   "TryAccess",
	Grants: Names{AWS: "iam:SimulatePrincipalPolicy"},
	Target: func(env *Env, in TryIn) (Target, error) { return env.triedTarget(in.Kind, in.Who) },
	Record: func(in TryIn) audit.Fields {
		return audit.Fields{"principal": in.Who.String(), "action": in.Action, "resource": in.Resource}
	},
	Do: func(env *Env, in TryIn) (*Trial, error) {
		c, p, err := env.supposed(in.Kind, in.Who)
		if err != nil {
			return nil, err
		}
		return env.tryAll(c, p, in.Action, in.Resource)
	},
}

// TryPolicy tells what one policy alone says of a request.
//
// Errors: Invalid ARN or action; NotFound policy, version or user.
var TryPolicy = Op[TryPolicyIn, *Trial]{
	Name:   "TryPolicy",
	Grants: Names{AWS: "iam:SimulateCustomPolicy"},
	Target: func(env *Env, in TryPolicyIn) (Target, error) { return env.policyTarget(in.Policy) },
	Record: func(in TryPolicyIn) audit.Fields {
		return audit.Fields{"policyArn": in.Policy, "versionId": in.Version, "action": in.Action, "resource": in.Resource}
	},
	Do: func(env *Env, in TryPolicyIn) (*Trial, error) {
		p, err := env.policy(in.Policy)
		if err != nil {
			return nil, err
		}
		number := p.Default
		if in.Version != "" {
			number = VersionIn{Version: in.Version}.number()
		}
		set, err := env.managed(p.Account, store.PolicyRef{ID: p.ID, Number: number}, p.ARN())
		if err != nil {
			return nil, err
		}
		c := Caller{Account: env.Call.Caller.Account, Kind: policy.User, User: iam.User{Account: env.Call.Caller.Account, Name: "someone", Path: "/"}}
		if in.As != "" {
			u, err := env.Tx.UserByName(c.Account, in.As)
			if err != nil {
				return nil, err
			}
			c.User = *u
		}
		return env.tryAll(c, alone(set), in.Action, in.Resource)
	},
}

// triedTarget is the target of an operation on what a supposed caller may do.
func (env *Env) triedTarget(kind iam.PrincipalKind, r Ref) (Target, error) {
	if kind == iam.KindRole {
		return env.holderTarget(kind, r)
	}
	return env.userTarget(r)
}

// supposed is a user or role as a caller, with its policies.
func (env *Env) supposed(kind iam.PrincipalKind, r Ref) (c Caller, p *principal, err error) {
	c = Caller{Account: env.Call.Caller.Account, Kind: policy.User}
	if c.revision, err = env.Tx.Revision(c.Account); err != nil {
		return c, nil, err
	}
	if kind == iam.KindRole {
		role, err := env.role(r)
		if err != nil {
			return c, nil, err
		}
		c.Kind, c.Role = policy.RoleSession, *role
	} else {
		u, err := env.user(r)
		if err != nil {
			return c, nil, err
		}
		if c.User = *u; u.Root {
			c.Kind = policy.Root
		}
	}
	p, err = env.principalOf(&c)
	return c, p, err
}

// alone is a principal that holds one policy.
func alone(set *policy.Set) *principal {
	return &principal{layers: []policy.Layer{{Kind: policy.Identity, Sets: []*policy.Set{set}}}}
}

// tryAll asks for the same in every way.
func (env *Env) tryAll(c Caller, held *principal, action, resource string) (*Trial, error) {
	service, op := split(action)
	if service == "" || op == "" || strings.ContainsAny(action, "*? ") {
		return nil, fault.Field("action", "an action is written service:Operation, without wildcards")
	}
	grants, t, resource, err := env.asked(action, resource)
	if err != nil {
		return nil, err
	}
	out := &Trial{Principal: c.PrincipalARN()}
	for _, way := range Ways {
		out.Verdicts = append(out.Verdicts, env.tryOne(c, held, grants, resource, way, t))
	}
	return out, nil
}

// resourceTarget is a resource with the tags that it has, if it is one of ours.
func (env *Env) resourceTarget(arn string) (t Target, err error) {
	a := env.Call.Caller.Account
	if owner, _, called, ok := name.SplitIAM(arn, "user"); ok && owner == a {
		t, err = env.userTarget(Ref{Name: called})
	} else if owner, _, called, ok := name.SplitIAM(arn, "role"); ok && owner == a {
		t, err = env.holderTarget(iam.KindRole, Ref{Name: called})
	} else if acs, ok := name.ParseACS(arn); ok {
		called, _ := strings.CutPrefix(acs.Resource, "resourcegroup/")
		if id, ok := name.ParseResourceGroupID(called); ok && acs.Service == "resourcemanager" && acs.Account == a.UID() {
			return env.resourceGroupTarget(ResourceGroupIn{ID: id})
		}
		t.ACS = arn
	}
	return t, err
}

// asked is what a supposed request is called, what it is about, and how AWS names that.
// A resource that is named as the RAM language does makes it one of Alibaba Cloud's: a
// resource group's, or that of a service behind the gateway, for which no other
// language has a name.
//
// Errors: Invalid action.
func (env *Env) asked(action, resource string) (Names, Target, string, error) {
	t, err := env.resourceTarget(resource)
	if err != nil || !name.IsACS(resource) {
		return Names{AWS: action}, t, cmp.Or(resource, "*"), err
	}
	code, op := split(action)
	if code == "resourcemanager" && len(t.Resources) == 1 {
		return Names{AWS: "warifu:" + op, RAM: action}, t, t.Resources[0], nil
	}
	for ours, theirs := range ramCodes {
		if code == theirs {
			return Names{}, t, "", fault.Field("action", "ask for operations of %s as AWS names them, such as %s:%s, on the ARN of what they are about", code, ours, op)
		}
	}
	return Names{RAM: action}, t, "", nil
}

func (env *Env) tryOne(c Caller, held *principal, grants Names, resource string, way Way, t Target) Verdict {
	call := env.Call
	call.Caller, call.Source.Service = c, serviceOf(grants.action())
	call.Caller.MFA = way.mfa(env)
	if way != WayKey {
		call.Caller.Console = &iam.Session{Proved: []iam.Proved{{Method: iam.MethodPassword, At: env.Now}}}
		if way == WayMFA {
			call.Caller.Console.Proved = append(call.Caller.Console.Proved, iam.Proved{Method: iam.MethodTOTP, At: env.Now})
		}
	}
	req := policy.Request{Principal: call.Caller.principal(), Context: &facts{call: &call, now: env.Now, target: &t, mfa: &call.Caller.MFA, grants: &grants, self: held.oracle}}
	req.Actions[aws.Language], req.Resources[aws.Language] = grants.AWS, resource
	return verdict(way, held.explain(&req, &call.Caller, &t, grants, held.layers))
}

// explain tells how a supposed request fares under all its names in the languages that
// the layers speak: as in the first that is not allowed. The request has AWS's names.
// p may be nil.
func (p *principal) explain(req *policy.Request, c *Caller, t *Target, n Names, layers []policy.Layer) (trace policy.Trace) {
	spoken := tonguesOf(layers)
	if p != nil {
		spoken |= p.spoken // in resource groups, too
	}
	for variant := range spoken.variants(n) {
		spoken.name(req, c, t, n, variant)
		_, deciding := p.ask(req, layers, t.Scope)
		if trace = policy.Explain(req, deciding...); !trace.Decision.Allowed() {
			break
		}
	}
	return trace
}

func serviceOf(action string) string { service, _ := split(action); return service }

// verdict puts a trace in words for a page.
func verdict(way Way, trace policy.Trace) Verdict {
	d := trace.Decision
	v := Verdict{Way: way, Allowed: d.Allowed(), Explicit: d.Outcome == policy.ExplicitDeny, Boundary: d.Layer == policy.Boundary}
	for i := range trace.Layers {
		l := &trace.Layers[i]
		for j := range l.Rules {
			st := traced(&l.Rules[j])
			st.Boundary = l.Kind == policy.Boundary
			v.Statements = append(v.Statements, st)
			if d.Rule != nil && *d.Rule == l.Rules[j].Rule.ID && st.Boundary == v.Boundary {
				v.Because = &st
			}
		}
	}
	// Denials before permissions, what applies before what does not.
	slices.SortStableFunc(v.Statements, func(a, b StatementTrace) int {
		return cmp.Or(before(a.Applies, b.Applies), before(a.Deny, b.Deny))
	})
	return v
}

// before orders what is true first.
func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func traced(r *policy.RuleTrace) StatementTrace {
	id := &r.Rule.ID
	st := StatementTrace{
		Policy: id.Policy, Version: id.Version, Sid: id.Sid, Line: id.Line, Column: id.Column,
		Deny: r.Rule.Effect == policy.Deny, Applies: r.Applies, Resource: r.Where,
	}
	for _, c := range r.Conditions {
		st.Conditions = append(st.Conditions, ConditionTrace{c.Label, c.Key, c.Holds, c.Found, c.Saw})
	}
	return st
}

// CheckIn is the text of a policy that is being written, in AWS's language or
// Alibaba Cloud's. It may have comments.
type CheckIn struct {
	Kind     TextKind
	Document string
}

// TextKind is what a policy's text is for.
type TextKind string

// The kinds of text.
const (
	TextManaged TextKind = "managed"
	TextInline  TextKind = "inline"
	TextTrust   TextKind = "trust"
)

var textKinds = map[TextKind]aws.Kind{TextManaged: aws.Managed, TextInline: aws.Inline, TextTrust: aws.TrustPolicy}

// Check is what is wrong with a text, or remarkable about it.
type Check struct {
	Size, Quota int // characters that are not white space
	Fault       *TextFault
	Findings    []aws.Finding // none while there is a fault
	Formatted   string        // the same, one element to a line; "" while there is a fault, for one with comments, and in RAM's language
}

// TextFault is why a text is refused.
type TextFault struct {
	Line, Column int
	Found, Want  string
	TooLong      bool
}

// CheckPolicy reads a policy's text without saving it.
var CheckPolicy = Op[CheckIn, *Check]{
	Name:   "CheckPolicy",
	Grants: Names{AWS: "access-analyzer:ValidatePolicy"},
	Target: func(*Env, CheckIn) (Target, error) { return Target{Noun: "policy document"}, nil },
	Do: func(env *Env, in CheckIn) (*Check, error) {
		kind, ok := textKinds[in.Kind]
		if !ok {
			return nil, fault.Field("kind", "a policy is managed, inline or trust")
		}
		if ram.Speaks([]byte(in.Document)) {
			return checkInRAM(in.Document, ramKinds[kind])
		}
		plain, err := PlainPolicy(in.Document)
		var comment *jsonc.Error
		if errors.As(err, &comment) {
			return &Check{Size: aws.Size([]byte(in.Document)), Quota: kind.Quota(), Fault: &TextFault{Line: comment.Line, Column: comment.Column, Found: comment.Found, Want: comment.Want}}, nil
		}
		c := &Check{Size: aws.Size([]byte(plain)), Quota: kind.Quota()}
		doc, err := aws.Parse([]byte(plain), kind)
		var refused *aws.Error
		switch {
		case err == nil:
			if c.Findings = doc.Findings(Vocabulary()); plain == in.Document {
				c.Formatted = string(doc.Format())
			}
		case errors.As(err, &refused):
			c.Fault = &TextFault{Line: refused.Line, Column: refused.Column, Found: refused.Found, Want: refused.Want, TooLong: refused.Quota}
		default:
			return nil, fault.Wrap(err, "read a policy document")
		}
		return c, nil
	},
}

// checkInRAM is CheckPolicy for a text in Alibaba Cloud's language.
func checkInRAM(document string, kind ram.Kind) (*Check, error) {
	c := &Check{Size: ram.Size([]byte(document)), Quota: kind.Quota()}
	doc, err := ram.Parse([]byte(document), kind)
	var refused *ram.Error
	switch {
	case err == nil:
		for _, f := range doc.Findings() {
			c.Findings = append(c.Findings, aws.Finding{Code: f.Code, Message: f.Message, Line: f.Line, Column: f.Column})
		}
	case errors.As(err, &refused):
		c.Fault = &TextFault{Line: refused.Line, Column: refused.Column, Found: refused.Found, Want: refused.Want, TooLong: refused.Quota}
	default:
		return nil, fault.Wrap(err, "read a policy document")
	}
	return c, nil
}

// Vocabulary is what the linter knows of AWS's services, and of Warifu's own keys.
func Vocabulary() aws.Vocabulary {
	return aws.Vocabulary{
		Actions: func(service string) ([]string, bool) {
			var names []string
			for _, a := range catalog.Actions(service) {
				names = append(names, a.Name)
			}
			return names, catalog.KnownService(service)
		},
		Key: func(service, key string) bool {
			return strings.HasPrefix(strings.ToLower(key), "warifu:") || catalog.ConditionKeyKnown(service, key)
		},
	}
}

// SuggestActions names actions of a service for a field: those of the service
// that is written before the colon, or of Warifu's own services.
func SuggestActions(service string) (names []string) {
	for _, a := range catalog.Actions(service) {
		names = append(names, service+":"+a.Name)
	}
	return names
}
