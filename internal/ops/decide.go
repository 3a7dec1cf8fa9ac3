package ops

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/policy"
	"warifu/policy/aws"
)

// Denial is policy's no. It is the cause (errors.As) of a Denied fault, from
// which a door makes its cloud's sentence.
type Denial struct {
	Caller   string // ARN
	Action   string // as AWS calls it, if it does
	Grants   Names  // the action in every language
	Resource string // "*" when the action has none
	Decision policy.Decision
	Trace    policy.Trace

	scoped  bool   // the policies in a resource group decided
	shown   string // the caller's name, for people
	request *policy.Request
}

func (d *Denial) Error() string {
	why := "nothing allows it"
	if r := d.Decision.Rule; r != nil {
		why = "denied by " + ruleText(r)
	}
	return fmt.Sprintf("%s may not %s on %s: %s", d.Caller, d.Action, d.Resource, why)
}

// ruleText names a rule for the trail.
func ruleText(r *policy.RuleID) string {
	var room [192]byte
	b := append(room[:0], r.Policy...)
	for _, part := range [...]string{r.Version, r.Sid} {
		if part != "" {
			b = append(append(b, ' '), part...)
		}
	}
	b = strconv.AppendInt(append(b, ' '), int64(r.Line), 10)
	b = strconv.AppendInt(append(b, ':'), int64(r.Column), 10)
	return string(b)
}

// everything is what an action without a resource of its own is authorised on.
var everything = []string{"*"}

// decide asks policy for every name that the operation has on its target. A no
// is a refusal that keeps what the target step wrote: a code that was tried is
// burnt whether or not policy then agrees.
func (env *Env) decide(grants Names, perm Permission, t *Target, ev *audit.Event) error {
	switch {
	case perm == Always:
		return nil
	case t.Granted:
		perm = UnlessDenied
	}
	if err := sessionRules(&env.Call.Caller, grants.AWS); err != nil {
		return refuse(err)
	}
	ev.Also = t.further(grants)
	if err := env.rootProved(grants, t); err != nil {
		return refuse(err)
	}
	if err := env.permit(Need{grants, t.Resources}, perm, t, ev); err != nil {
		return err
	}
	for _, need := range t.Also {
		if need.Resources == nil {
			need.Resources = t.Resources
		}
		if err := env.permit(need, perm, t, ev); err != nil {
			return err
		}
	}
	return nil
}

// maxAlso bounds what the trail says of what else an operation needed.
const maxAlso = 16

// further is what an operation on the target needs besides its action on the first
// of its resources, for the trail.
func (t *Target) further(grants Names) (all []audit.Also) {
	if len(t.Resources) < 2 && len(t.Also) == 0 {
		return nil
	}
	add := func(action string, resources []string) {
		for _, r := range resources[:min(len(resources), maxAlso-len(all))] {
			all = append(all, audit.Also{Action: action, Resource: r})
		}
	}
	if len(t.Resources) > 1 {
		add(grants.action(), t.Resources[1:])
	}
	for _, need := range t.Also {
		resources := need.Resources
		if resources == nil {
			resources = t.Resources
		}
		if len(resources) == 0 {
			resources = everything
		}
		add(need.Grants.action(), resources)
	}
	return all
}

// permit asks policy for one action on each of its resources.
func (env *Env) permit(need Need, perm Permission, t *Target, ev *audit.Event) error {
	layers, spoken, err := env.layers(t)
	if err != nil {
		return err
	}
	known, err := env.factsOf(&need.Grants, t)
	if err != nil {
		return err
	}
	req := policy.Request{Principal: env.Call.Caller.principal(), Context: &known}
	req.Actions[aws.Language] = need.Grants.AWS
	resources := need.Resources
	if len(resources) == 0 {
		resources = everything
	}
	for _, r := range resources {
		req.Resources[aws.Language] = r
		for variant := range spoken.variants(need.Grants) {
			spoken.name(&req, &env.Call.Caller, t, need.Grants, variant)
			d, deciding := env.rules.ask(&req, layers, t.Scope)
			if d.Rule != nil {
				ev.Why = ruleText(d.Rule)
			}
			if d.Allowed() || perm == UnlessDenied && d.Outcome == policy.ImplicitDeny {
				continue
			}
			denial := &Denial{Caller: env.Call.Caller.ARN(), Action: need.Grants.action(), Grants: need.Grants, Resource: r, request: &req, shown: env.callerName()}
			denial.Decision, denial.Trace, denial.scoped = d, policy.Explain(&req, deciding...), len(deciding) > 0 && len(layers) > 0 && &deciding[0] != &layers[0]
			if d.Rule == nil {
				ev.Why = "no statement allows " + denial.Action
			}
			if env.Call.Caller.Oracle != nil {
				env.explainOracle(denial, t, layers, ev)
			}
			return refuse(&fault.Error{Kind: fault.Denied, What: "policy does not allow it", Err: denial})
		}
	}
	return nil
}

// factsOf are the facts of the caller's request for an action on a target.
func (env *Env) factsOf(grants *Names, t *Target) (known facts, err error) {
	known = facts{call: &env.Call, now: env.Now, target: t, mfa: &env.Call.Caller.MFA, grants: grants}
	if env.rules != nil {
		known.self = env.rules.oracle
	}
	if known.self != nil && known.self.rules.asksTarget {
		known.read, err = env.oracleFacts(t)
	}
	if t.MFA != nil {
		known.mfa = t.MFA
	}
	return known, err
}

// outcome tells what policy would say if the caller asked for something else on the way:
// nothing is recorded of it, and the target has no AWS resource.
func (env *Env) outcome(grants *Names, t *Target) (policy.Outcome, error) {
	layers, spoken, err := env.layers(t)
	if err != nil {
		return policy.ImplicitDeny, err
	}
	known, err := env.factsOf(grants, t)
	if err != nil {
		return policy.ImplicitDeny, err
	}
	req := policy.Request{Principal: env.Call.Caller.principal(), Context: &known}
	req.Actions[aws.Language], req.Resources[aws.Language] = grants.AWS, "*"
	for variant := range spoken.variants(*grants) {
		spoken.name(&req, &env.Call.Caller, t, *grants, variant)
		if d, _ := env.rules.ask(&req, layers, t.Scope); !d.Allowed() {
			return d.Outcome, nil
		}
	}
	return policy.Allowed, nil
}

// ask decides by layers, which are all that speak in the scope of the account, and
// then by what the principal has in a resource group, and says by which layers it did.
// p may be nil.
func (p *principal) ask(req *policy.Request, layers []policy.Layer, scope name.ID) (policy.Decision, []policy.Layer) {
	if scope == 0 || p == nil || p.scopes[scope] == nil {
		return policy.Decide(req, layers...), layers
	}
	within := *p.scopes[scope]
	d, narrower := policy.DecideInScopes(req, within, layers...)
	if !narrower {
		return d, layers
	}
	deciding := []policy.Layer{within}
	for _, l := range layers {
		if l.Kind != policy.Identity {
			deciding = append(deciding, l)
		}
	}
	return d, deciding
}

// layers are the policies that speak in this request: the caller's, those of
// its session, and the trust policy of the role that is asked for; with the
// languages besides AWS's that they speak.
func (env *Env) layers(t *Target) ([]policy.Layer, tongues, error) {
	if env.rules == nil {
		return nil, 0, nil
	}
	layers, spoken := env.rules.at(t.oraclePath(env.Call.Caller.Account)), env.rules.spoken
	session, err := env.sessionLayer()
	if err != nil {
		return nil, 0, err
	}
	if session == nil && t.Trust == nil {
		return layers, spoken, nil
	}
	layers = append([]policy.Layer(nil), layers...)
	if session != nil {
		layers = append(layers, *session)
	}
	if t.Trust != nil {
		layers = append(layers, *t.Trust)
	}
	return layers, spoken | tonguesOf(layers[len(env.rules.layers):]), nil
}

// at are the principal's layers with those statements of Oracle's alone that can count at
// a place.
func (p *principal) at(path string) []policy.Layer {
	if p.oracle == nil {
		return p.layers
	}
	layers := slices.Clone(p.layers)
	plain := layers[0].Sets[:p.plain:p.plain]
	layers[0].Sets = p.oracle.places.At(plain, path)
	return layers
}

// sessionLayer is what was passed when the session was made. A federated user
// has one even if nothing was passed: such a session may do nothing.
func (env *Env) sessionLayer() (*policy.Layer, error) {
	c := &env.Call.Caller
	if c.Session == nil {
		return nil, nil
	}
	layer := &policy.Layer{Kind: policy.Session}
	for i, text := range c.Session.Policies {
		set, err := env.compiled(policy.RuleID{Policy: fmt.Sprintf("session policy %d", i+1)}, text, aws.SessionPolicy)
		if err != nil {
			return nil, err
		}
		layer.Sets = append(layer.Sets, set)
	}
	for _, arn := range c.Session.PolicyARNs {
		set, err := env.managedByARN(arn)
		switch {
		case fault.Is(err, fault.NotFound):
			continue // a policy that is gone grants nothing
		case err != nil:
			return nil, err
		}
		layer.Sets = append(layer.Sets, set)
	}
	if len(c.Session.Policies)+len(c.Session.PolicyARNs) == 0 && c.Kind != policy.FederatedUser {
		return nil, nil
	}
	return layer, nil
}

// principalOf finds or compiles the policies of a caller as of the revision
// that this transaction sees.
func (env *Env) principalOf(c *Caller) (*principal, error) {
	if p, ok := env.cache.principals.get(c.ID()); ok && p.revision == c.revision {
		return p, nil
	}
	p := &principal{revision: c.revision, user: c.User, role: c.Role}
	kind := iam.KindUser
	if c.Kind == policy.RoleSession {
		kind = iam.KindRole
	}
	held, err := env.Tx.PrincipalPolicies(c.Account, kind, c.ID())
	if err != nil {
		return nil, err
	}
	identity := policy.Layer{Kind: policy.Identity}
	if identity.Sets, err = env.heldSets(held); err != nil {
		return nil, err
	}
	if p.oracle, err = env.oracleSets(c, p.revision); err != nil {
		return nil, err
	}
	if p.plain = len(identity.Sets); p.oracle != nil {
		identity.Sets = p.oracle.places.All(identity.Sets)
	}
	p.layers = append(p.layers, identity)
	if held.Boundary != nil {
		set, err := env.granted(held.Boundary)
		if err != nil {
			return nil, err
		}
		p.layers = append(p.layers, policy.Layer{Kind: policy.Boundary, Sets: []*policy.Set{set}})
	}
	p.spoken = tonguesOf(p.layers)
	if err := env.scopesOf(p, c, kind); err != nil {
		return nil, err
	}
	env.cache.principals.put(c.ID(), p)
	return p, nil
}

// scopesOf compiles what a caller may in resource groups.
func (env *Env) scopesOf(p *principal, c *Caller, kind iam.PrincipalKind) error {
	held, err := env.Tx.ScopedGrants(c.Account, kind, c.ID())
	if err != nil || len(held) == 0 {
		return err
	}
	p.scopes = map[name.ID]*policy.Layer{}
	for i := range held {
		set, err := env.granted(&held[i].ManagedGrant)
		if err != nil {
			return err
		}
		l := p.scopes[held[i].Scope]
		if l == nil {
			l = &policy.Layer{Kind: policy.Identity}
			p.scopes[held[i].Scope] = l
		}
		l.Sets = append(l.Sets, set)
		p.spoken |= tonguesOf([]policy.Layer{*l})
	}
	return nil
}

// heldSets compiles what a principal holds, its boundary aside.
func (env *Env) heldSets(held *store.Grants) (sets []*policy.Set, err error) {
	for i := range held.Managed {
		set, err := env.granted(&held.Managed[i])
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	for _, in := range held.Inline {
		id := policy.RuleID{Policy: fmt.Sprintf("inline policy %s of %s %s", in.Name, in.Holder.Kind, in.Holder.Name)}
		set, err := env.compiled(id, in.Document, aws.Inline)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	return sets, nil
}

// granted compiles a managed policy that a principal holds.
func (env *Env) granted(g *store.ManagedGrant) (*policy.Set, error) {
	return env.managed(g.Account, g.PolicyRef, name.PolicyARN(g.Account, g.Path, g.Name))
}

// managed compiles one version of a managed policy. A version's text never
// changes, so the compiled form is kept for good.
func (env *Env) managed(owner name.Account, ref store.PolicyRef, arn string) (*policy.Set, error) {
	version := fmt.Sprintf("v%d", ref.Number)
	key := ref.ID.String() + " " + version
	if set, ok := env.cache.texts.get(key); ok {
		return set, nil
	}
	v, err := env.Tx.Version(owner, ref.ID, ref.Number)
	if err != nil {
		return nil, err
	}
	kind := aws.Managed
	if owner.Vendor() {
		kind = aws.VendorPolicy
	}
	set, err := env.compile(policy.RuleID{Policy: arn, Version: version}, v.Document, kind)
	if err == nil {
		env.cache.texts.put(key, set)
	}
	return set, err
}

// managedByARN compiles the version in force of a managed policy.
func (env *Env) managedByARN(arn string) (*policy.Set, error) {
	p, err := policyByARN(env.Tx, env.Call.Caller.Account, arn)
	if err != nil {
		return nil, err
	}
	return env.managed(p.Account, store.PolicyRef{ID: p.ID, Number: p.Default}, arn)
}

// policyByARN reads the policy of an ARN that account may see: its own and the
// vendor's.
func policyByARN(tx *store.Tx, account name.Account, arn string) (*iam.Policy, error) {
	owner, path, policyName, ok := splitPolicy(arn)
	if !ok || !owner.Vendor() && owner != account {
		return nil, fault.Of(fault.NotFound, "policy", arn)
	}
	if path == "" {
		return tx.PolicyByName(owner, policyName)
	}
	p, err := tx.PolicyByPathName(owner, path, policyName)
	if err == nil && p.ARN() != arn {
		// Names are compared without case, ARNs with it: another spelling would
		// slip past a policy that names the ARN.
		return nil, fault.Of(fault.NotFound, "policy", arn)
	}
	return p, err
}

// compiled compiles a text that has no version, keeping the result by the text
// and the name it goes by.
func (env *Env) compiled(id policy.RuleID, text string, kind aws.Kind) (*policy.Set, error) {
	key := id.Policy + "\x00" + text
	if set, ok := env.cache.texts.get(key); ok {
		return set, nil
	}
	set, err := env.compile(id, text, kind)
	if err == nil {
		env.cache.texts.put(key, set)
	}
	return set, err
}

// compile turns a stored text into rules. A stored text was valid when it was
// saved; one that no longer is refuses the request rather than being skipped:
// a deny must never fall out of a decision.
func (env *Env) compile(id policy.RuleID, text string, kind aws.Kind) (*policy.Set, error) {
	rules, err := rulesOf(id, text, kind)
	if err != nil {
		return nil, fault.Wrap(err, "stored policy "+id.Policy+" is not valid")
	}
	return policy.Compile(rules, env.contextKeys), nil
}

// AsDenial returns policy's no behind err, if that is what it is.
func AsDenial(err error) (*Denial, bool) {
	var d *Denial
	ok := errors.As(err, &d)
	return d, ok
}

func split(action string) (service, op string) {
	service, op, _ = strings.Cut(action, ":")
	return service, op
}
