package ops

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/insight"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/oci"
	"warifu/policy/ram"
)

// LanguageOracle is Oracle's language, beside those that documents are in.
const LanguageOracle iam.Language = "oci"

// LeastPrivilegeIn asks what a user or role needs, as its requests show it.
type LeastPrivilegeIn struct {
	Kind     iam.PrincipalKind // user or role; "" means user
	Who      Ref
	Days     int          // how far back; 1 to EvidenceDays, 0 = EvidenceDays
	Language iam.Language // of the policy that is written; "" = that of the policies held
	Text     string       // a policy to try in the place of the one that is written; "" = none
}

// LeastPrivilege is what a user or role was given and used, and a policy that gives
// what was used.
type LeastPrivilege struct {
	Principal string // ARN
	Days      int
	Until     time.Time // events from here on are not counted yet; zero = all are

	Used     []UsedPermission // needed a statement, by action
	Policies []PolicyWorth
	Services []ServiceWorth // used ones first
	More     int            // services that were given, never used, and not in Services
	Boundary bool           // the principal has a permissions boundary, which limits as before

	Language iam.Language
	Text     insight.Text
	Trial    DryRun // of Text, or of the text that was given
}

// UsedPermission is a number of requests that are alike, over all days asked for.
type UsedPermission struct {
	Action, Resource string
	Proof            insight.Proof
	Source           string // of the newest
	Times            int
	At               time.Time // of the newest,
	Event            string    // and its event

	names Names
}

// PolicyWorth is a policy that somebody holds, and how many of the requests it allows.
type PolicyWorth struct {
	PolicySource
	Kinds int // of requests
	Times int
}

// ServiceWorth is a service of which somebody was given something.
type ServiceWorth struct {
	Prefix, Name string
	Granted      int       // actions
	Used         int       // of those
	Never        []string  // the first of the others
	Last         time.Time // zero = never
	Event        string
	Actions      []UsedPermission // the newest of each action that was used, by action

	at int // place in the list
}

// neverShown is how many actions of a service are listed that were never used.
const neverShown = 20

// DryRun is what a policy would have said of the requests that were made.
type DryRun struct {
	Fault   *TextFault // the text is not valid; the rest is empty
	Other   string     // likewise, in words, for what has no place in the text
	Judged  int        // requests
	Refused []UsedPermission
	Times   int // requests that would have been refused
}

// GetLeastPrivilege tells what a user or role was given and did not use in some days,
// writes a policy that would have allowed what it did and nothing else, and tries a
// policy on what it did.
//
// Errors: NotFound; Invalid days or language.
var GetLeastPrivilege = Op[LeastPrivilegeIn, *LeastPrivilege]{
	Name:   "GetLeastPrivilege",
	Grants: Names{AWS: "iam:GenerateServiceLastAccessedDetails"},
	Before: func(ctx context.Context, s *Server, _ *Call, in LeastPrivilegeIn) (LeastPrivilegeIn, error) {
		return in, s.refresh(ctx)
	},
	Target: func(env *Env, in LeastPrivilegeIn) (Target, error) { return env.triedTarget(in.Kind, in.Who) },
	Record: func(in LeastPrivilegeIn) audit.Fields {
		return audit.Fields{"principal": in.Who.String(), "days": strconv.Itoa(in.Days)}
	},
	Do: func(env *Env, in LeastPrivilegeIn) (*LeastPrivilege, error) {
		in.Days = cmp.Or(in.Days, EvidenceDays)
		if in.Days < 1 || in.Days > EvidenceDays {
			return nil, fault.Field("days", "days is 1 to %d", EvidenceDays)
		}
		l := &lessening{env: env, in: in, out: &LeastPrivilege{Days: in.Days}}
		for _, step := range []func() error{l.read, l.policies, l.services, l.write, l.try} {
			if err := step(); err != nil {
				return nil, err
			}
		}
		var err error
		l.out.Until, err = env.evidenceUntil()
		return l.out, err
	},
}

// lessening is the work of GetLeastPrivilege.
type lessening struct {
	env    *Env
	in     LeastPrivilegeIn
	out    *LeastPrivilege
	caller Caller
	rules  *principal
	held   *store.Grants
	all    bool // of services, however many
}

// read finds who it is, what it holds and what it did.
func (l *lessening) read() (err error) {
	env := l.env
	if l.caller, l.rules, err = env.supposed(l.in.Kind, l.in.Who); err != nil {
		return err
	}
	if l.caller.Kind == policy.Root {
		return fault.Field("user", "no policy limits the root user")
	}
	l.out.Principal = l.caller.PrincipalARN()
	kind := iam.KindUser
	if l.caller.Kind == policy.RoleSession {
		kind = iam.KindRole
	}
	if l.held, err = env.Tx.PrincipalPolicies(l.caller.Account, kind, l.caller.ID()); err != nil {
		return err
	}
	l.out.Boundary = l.held.Boundary != nil
	uses, err := env.Tx.Uses(l.caller.Account, l.caller.ID(), insight.DayOf(env.Now)-insight.Day(l.in.Days)+1)
	l.out.Used = usedIn(uses, env.operations)
	return err
}

// usedIn adds up, over days, what was allowed because a statement said so.
func usedIn(uses []insight.Use, known map[string]Entry) (all []UsedPermission) {
	type kind struct {
		action, resource string
		proof            insight.Proof
	}
	at := map[kind]int{}
	for i := range uses {
		u := &uses[i]
		if u.Result != string(audit.Allowed) || u.Rule == "" || known[u.Action].Permission == Always && known[u.Action].Name != "" {
			continue
		}
		k := kind{u.Action, u.Resource, u.Proof}
		n, ok := at[k]
		if !ok {
			n = len(all)
			at[k] = n
			all = append(all, UsedPermission{Action: u.Action, Resource: u.Resource, Proof: u.Proof, names: namesOf(u, known)})
		}
		p := &all[n]
		p.Times += u.Times
		if !u.At.Before(p.At) {
			p.At, p.Event, p.Source = u.At, u.Event, u.Source
		}
	}
	slices.SortFunc(all, func(a, b UsedPermission) int {
		return cmp.Or(cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Proof, b.Proof))
	})
	return all
}

// operationsByAction are the operations by what the trail calls their actions.
func operationsByAction() map[string]Entry {
	all := Catalog()
	by := make(map[string]Entry, len(all))
	for _, e := range all {
		if _, ok := by[e.Grants.action()]; !ok {
			by[e.Grants.action()] = e
		}
	}
	return by
}

// namesOf is what the languages call an action of the trail. One of a service behind
// the gateway has its own names only.
func namesOf(u *insight.Use, known map[string]Entry) Names {
	if e, ok := known[u.Action]; ok {
		return e.Grants
	}
	n := Names{AWS: u.Action}
	if code, ok := strings.CutPrefix(u.Action, name.ACSPrefix); ok {
		n.RAM = code
	}
	if service, op := split(u.Action); op == "" { // Oracle's operations have no service in front
		n = Names{OCI: service}
	}
	return n
}

// judge asks what layers say of requests that were made, as their newest was made.
func (l *lessening) judge(u *UsedPermission, layers ...policy.Layer) bool {
	env := l.env
	call := env.Call
	call.Caller = l.caller
	call.Source.Service = serviceOf(u.Action)
	call.Source.IP, _ = netip.ParseAddr(u.Source) // one that is none is no address
	switch u.Proof {
	case insight.Proved:
		call.Caller.MFA = MFA{Known: true, Present: true, At: u.At, Methods: []string{string(iam.MethodTOTP)}}
	case insight.Unproved:
		call.Caller.MFA = MFA{Known: true}
	case insight.Silent:
		call.Caller.MFA = MFA{}
	}
	t, err := env.resourceTarget(u.Resource)
	if err != nil {
		t = Target{} // it is gone, and its tags with it
	}
	known := facts{call: &call, now: u.At, target: &t, mfa: &call.Caller.MFA, grants: &u.names, self: l.rules.oracle}
	req := policy.Request{Principal: call.Caller.principal(), Context: &known}
	req.Actions[aws.Language] = u.names.AWS
	spoken := tonguesOf(layers)
	for variant := range spoken.variants(u.names) {
		req.Resources[aws.Language] = u.Resource
		spoken.name(&req, &call.Caller, &t, u.names, variant)
		if !policy.Decide(&req, layers...).Allowed() {
			return false
		}
	}
	return true
}

// policies counts, for each policy that is held, what it allows of what was done.
func (l *lessening) policies() error {
	for i := range l.held.Managed {
		g := &l.held.Managed[i]
		set, err := l.env.granted(g)
		if err != nil {
			return err
		}
		src := PolicySource{Policy: name.PolicyARN(g.Account, g.Path, g.Name), Name: g.Name, Version: versionID(g.Number), Vendor: g.Account != l.caller.Account}
		l.worth(src, g.Holder, set)
	}
	for i := range l.held.Inline {
		in := &l.held.Inline[i]
		set, err := l.env.compiled(policy.RuleID{Policy: in.Name}, in.Document, aws.Inline)
		if err != nil {
			return err
		}
		l.worth(PolicySource{Policy: in.Name, Name: in.Name, Inline: true}, in.Holder, set)
	}
	return nil
}

func (l *lessening) worth(src PolicySource, holder store.Entity, set *policy.Set) {
	if holder.Kind == iam.KindGroup {
		src.Group = holder.Name
	}
	w := PolicyWorth{PolicySource: src}
	layer := policy.Layer{Kind: policy.Identity, Sets: []*policy.Set{set}}
	for i := range l.out.Used {
		if l.judge(&l.out.Used[i], layer) {
			w.Kinds++
			w.Times += l.out.Used[i].Times
		}
	}
	l.out.Policies = append(l.out.Policies, w)
}

// services compares what was given of each service that a policy names, or that was
// used, with what was used.
func (l *lessening) services() error {
	s := &summing{env: l.env, caller: l.caller, out: &Sum{}}
	if err := s.read(l.held); err != nil {
		return err
	}
	used := map[string]*UsedPermission{} // by action in lower case; the newest
	asked := map[string]bool{}           // services
	for i := range l.out.Used {
		u := &l.out.Used[i]
		key := strings.ToLower(u.Action)
		if old := used[key]; old == nil || u.At.After(old.At) {
			used[key] = u
		}
		if service, op := split(key); op != "" {
			s.named[service], asked[service] = true, true
		}
	}
	titles := serviceTitles()
	delete(s.named, "*") // it stands for services that nobody asked for
	for _, service := range slices.SortedFunc(maps.Keys(s.named), func(a, b string) int {
		return cmp.Or(before(asked[a], asked[b]), cmp.Compare(a, b))
	}) {
		if len(l.out.Services) >= maxSummed && !asked[service] && !l.all {
			l.out.More++
			continue
		}
		w := ServiceWorth{Prefix: service, Name: titles[service]}
		real, some := s.layersOf(service)
		for _, a := range SuggestActions(service) {
			r := s.reach([]string{a}, WayMFA, real, some)
			u := used[strings.ToLower(a)]
			if r.Everywhere+r.Somewhere == 0 && u == nil {
				continue
			}
			w.Granted++
			if u == nil {
				if len(w.Never) < neverShown {
					w.Never = append(w.Never, a)
				}
				continue
			}
			w.Used++
			w.Actions = append(w.Actions, *u)
			if u.At.After(w.Last) {
				w.Last, w.Event = u.At, u.Event
			}
		}
		if w.at = len(l.out.Services); w.Granted > 0 {
			l.out.Services = append(l.out.Services, w)
		}
	}
	return nil
}

// write writes the policy, in the language that was asked for or that of the policies
// that are held.
func (l *lessening) write() error {
	l.out.Language = cmp.Or(l.in.Language, l.spoken())
	needs := make([]insight.Need, 0, len(l.out.Used))
	for i := range l.out.Used {
		u := &l.out.Used[i]
		needs = append(needs, insight.Need{AWS: u.names.AWS, RAM: u.names.ram(), Oracle: u.names.oracle(), Resource: u.Resource, ACS: name.ACSOf(u.Resource)})
	}
	switch l.out.Language {
	case iam.LanguageAWS:
		l.out.Text = insight.InAWS(needs, aws.Managed.Quota(), aws.Size)
	case iam.LanguageRAM:
		l.out.Text = insight.InRAM(needs, ram.Identity.Quota(), ram.Size)
	case LanguageOracle:
		user := ""
		if l.caller.Kind == policy.User {
			user = l.caller.User.ID.OCID(name.OCIUser)
		}
		l.out.Text = insight.InOracle(needs, user)
	default:
		return fault.Field("language", "a policy is written in aws, ram or oci")
	}
	return nil
}

// spoken is the language of most policies that are held and were written here, or of
// most that are held at all.
func (l *lessening) spoken() iam.Language {
	in := map[iam.Language]int{}
	for i := range l.held.Managed {
		g := &l.held.Managed[i]
		in[g.Language]++
		if !g.Account.Vendor() {
			in[g.Language] += len(l.held.Managed)
		}
	}
	for i := range l.held.Inline {
		in[l.held.Inline[i].Language] += 1 + len(l.held.Managed)
	}
	switch {
	case len(in) == 0 && l.rules.oracle != nil:
		return LanguageOracle
	case in[iam.LanguageRAM] > in[iam.LanguageAWS]:
		return iam.LanguageRAM
	}
	return iam.LanguageAWS
}

// try judges what was done by the text that was given, or else by the one that was
// written, within the boundary that there is.
func (l *lessening) try() error {
	text := cmp.Or(strings.TrimSpace(l.in.Text), l.out.Text.Document)
	set, err := l.compile(text)
	if err != nil || l.out.Trial.Fault != nil || l.out.Trial.Other != "" {
		return err
	}
	layers := []policy.Layer{{Kind: policy.Identity, Sets: []*policy.Set{set}}}
	for _, layer := range l.rules.layers {
		if layer.Kind == policy.Boundary {
			layers = append(layers, layer)
		}
	}
	for i := range l.out.Used {
		u := &l.out.Used[i]
		l.out.Trial.Judged += u.Times
		if !l.judge(u, layers...) {
			l.out.Trial.Refused = append(l.out.Trial.Refused, *u)
			l.out.Trial.Times += u.Times
		}
	}
	return nil
}

// compile reads a text in the language of the answer. What is wrong with it goes into
// the answer.
func (l *lessening) compile(text string) (*policy.Set, error) {
	if text == "" {
		return policy.Compile(nil, l.env.contextKeys), nil
	}
	if l.out.Language == LanguageOracle {
		return l.compileOracle(text)
	}
	check, err := CheckPolicy.Do(l.env, CheckIn{Kind: TextManaged, Document: text})
	if err != nil {
		l.out.Trial.Other = reason(err)
		return nil, nil
	}
	if l.out.Trial.Fault = check.Fault; check.Fault != nil {
		return nil, nil
	}
	return l.env.compile(policy.RuleID{Policy: "tried"}, text, aws.Managed)
}

func (l *lessening) compileOracle(text string) (*policy.Set, error) {
	a := l.caller.Account
	var statements []string
	for s := range strings.Lines(text) {
		if s = strings.TrimSpace(s); s != "" {
			statements = append(statements, s)
		}
	}
	stored, err := l.env.policyBody(0, statements, "")
	if err != nil {
		l.out.Trial.Other = reason(err)
		return nil, nil
	}
	doc, err := oci.Parse(statements)
	if err != nil {
		return nil, err
	}
	body, err := readOraclePolicy(stored)
	if err != nil {
		return nil, err
	}
	rules := doc.Rules(policy.RuleID{Policy: "tried"}, oci.Site{Tenancy: a.Tenancy(), Compartment: compartmentOCID(a, 0)}, body.names())
	return policy.Compile(rules, l.env.contextKeys), nil
}
