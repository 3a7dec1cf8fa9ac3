package ops

import (
	"encoding/json"
	"errors"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/policy/oci"
)

// Nouns with a name and a body, whose five operations differ in little: dynamic groups
// and network sources here, tags in oci_tags.go, identity providers in oci_idps.go.

// oracleGroupBody is the body of a dynamic group.
type oracleGroupBody struct {
	Rule string `json:"r"`
}

// MatchingRule is the rule of a dynamic group; "" of another noun.
func (n *OracleNoun) MatchingRule() string {
	var body oracleGroupBody
	if json.Unmarshal([]byte(n.Body), &body) != nil {
		return ""
	}
	return body.Rule
}

// OracleNetworkIn is what a network source is made of.
type OracleNetworkIn struct {
	Public   []string // addresses and ranges
	Virtual  []OracleVirtual
	Services []string
}

// Network is what a network source is made of; nothing of another noun.
func (n *OracleNoun) Network() OracleNetworkIn {
	var body oracleNetworkBody
	if json.Unmarshal([]byte(n.Body), &body) != nil {
		return OracleNetworkIn{}
	}
	return OracleNetworkIn{body.Public, body.Virtual, body.Service}
}

// OracleBodyIn is the input of updates of these nouns; what is nil stays.
type OracleBodyIn struct {
	Matching
	Described
	Rule    *string
	Network OracleNetworkIn
	Fields  OracleFields
}

// namedKind is what differs between the kinds.
type namedKind struct {
	kind  iam.OracleKind
	quota string
	limit func(*OracleLimits) int // nil: there is no limit
	ops   [5]string               // create, get, list, update, delete

	// anywhere says that such nouns lie in any compartment; others in the root. Those
	// of a kind that is part of another lie where that does, and have its id as parent.
	anywhere bool
	part     *namedKind

	// nameless nouns have a name that body makes, and neither description nor tags.
	nameless bool

	// body checks what was sent and writes it into a noun: a new one, or one that is
	// changed.
	body func(*Env, *iam.OracleNoun, *OracleBodyIn) error

	leave func(*Env, *iam.OracleNoun) error // refuses to delete a noun; nil: all may go
}

var dynamicGroups = &namedKind{
	kind: iam.OracleDynamicGroup, quota: "DynamicGroups", limit: func(l *OracleLimits) int { return l.DynamicGroups },
	ops: [5]string{"CreateDynamicGroup", "GetDynamicGroup", "ListDynamicGroups", "UpdateDynamicGroup", "DeleteDynamicGroup"},
	body: func(_ *Env, n *iam.OracleNoun, in *OracleBodyIn) (err error) {
		if in.Rule == nil {
			return nil
		}
		if _, err := oci.ParseMatchingRule(*in.Rule); err != nil {
			var bad *oci.Error
			errors.As(err, &bad)
			return fault.Field("matchingRule", "matchingRule: line %d, column %d: found %s; allowed: %s", bad.Line, bad.Column, bad.Found, bad.Want)
		}
		n.Body, err = bodyOf(oracleGroupBody{*in.Rule})
		return err
	},
}

var networkSources = &namedKind{
	kind: iam.OracleNetworkSource, quota: "NetworkSources", limit: func(l *OracleLimits) int { return l.NetworkSources },
	ops: [5]string{"CreateNetworkSource", "GetNetworkSource", "ListNetworkSources", "UpdateNetworkSource", "DeleteNetworkSource"},
	body: func(_ *Env, n *iam.OracleNoun, in *OracleBodyIn) (err error) {
		now := (&OracleNoun{OracleNoun: *n}).Network()
		if in.Network.Public != nil {
			now.Public = in.Network.Public
		}
		if in.Network.Virtual != nil {
			now.Virtual = in.Network.Virtual
		}
		if in.Network.Services != nil {
			now.Services = in.Network.Services
		}
		n.Body, err = networkBody(now)
		return err
	},
	leave: func(env *Env, n *iam.OracleNoun) error {
		ids, err := oracleNetworkPolicy(env.Tx, n.Account)
		if err == nil && strings.Contains(" "+strings.Join(ids, " ")+" ", " "+n.ID.OCID(name.OCINetworkSource)+" ") {
			err = fault.Of(fault.Conflict, "state", "the authentication policy names it")
		}
		return err
	},
}

func networkBody(in OracleNetworkIn) (string, error) {
	if len(in.Public)+len(in.Virtual) == 0 {
		return "", fault.Field("publicSourceList", "publicSourceList or virtualSourceList must have an entry")
	}
	for _, s := range in.Public {
		if _, ok := parseRange(s); !ok {
			return "", fault.Field("publicSourceList", "publicSourceList: %q is neither an address nor a range such as 192.0.2.0/24", s)
		}
	}
	for _, v := range in.Virtual {
		for _, s := range v.Ranges {
			if _, ok := parseRange(s); !ok {
				return "", fault.Field("virtualSourceList", "virtualSourceList: %q is neither an address nor a range such as 10.0.0.0/16", s)
			}
		}
	}
	return bodyOf(oracleNetworkBody{in.Public, in.Virtual, in.Services})
}

// The operations on dynamic groups and network sources.
var (
	CreateDynamicGroup, GetDynamicGroup, ListDynamicGroups, UpdateDynamicGroup, DeleteDynamicGroup      = dynamicGroups.all()
	CreateNetworkSource, GetNetworkSource, ListNetworkSources, UpdateNetworkSource, DeleteNetworkSource = networkSources.all()
)

// all are the five operations of a kind.
func (k *namedKind) all() (create Op[OracleNounIn, *OracleNoun], read Op[Matching, *OracleNoun], list Op[OracleListIn, page.Page[OracleNoun]],
	update Op[OracleBodyIn, *OracleNoun], destroy Op[Matching, struct{}]) {
	names := func(i int) Names { return Names{AWS: "warifu:" + k.ops[i], OCI: k.ops[i]} }
	create = Op[OracleNounIn, *OracleNoun]{
		Name: k.ops[0], Grants: names(0), Mode: Write, Needs: recently, Record: OracleNounIn.record,
		Target: func(env *Env, in OracleNounIn) (Target, error) { return k.around(env, in.Compartment, in.Of) },
		Do: func(env *Env, in OracleNounIn) (*OracleNoun, error) {
			return once(env, k.ops[0], in.Retry, func() (*OracleNoun, error) { return k.make(env, in) })
		},
	}
	read = Op[Matching, *OracleNoun]{
		Name: k.ops[1], Grants: names(1),
		Target: func(env *Env, in Matching) (Target, error) { return k.target(env, in) },
		Do: func(env *Env, in Matching) (*OracleNoun, error) {
			n, err := k.find(env, in)
			if err != nil {
				return nil, err
			}
			return k.shown(env, n)
		},
	}
	list = Op[OracleListIn, page.Page[OracleNoun]]{
		Name: k.ops[2], Grants: names(2),
		Target: func(env *Env, in OracleListIn) (Target, error) { return k.around(env, in.Compartment, in.Of) },
		Do:     k.list,
	}
	update = Op[OracleBodyIn, *OracleNoun]{
		Name: k.ops[3], Grants: names(3), Mode: Write, Needs: recently,
		Target: func(env *Env, in OracleBodyIn) (Target, error) { return k.target(env, in.Matching) },
		Record: func(in OracleBodyIn) audit.Fields { return in.Matching.record() },
		Do:     k.update,
	}
	destroy = Op[Matching, struct{}]{
		Name: k.ops[4], Grants: names(4), Mode: Write, Needs: recently,
		Target: func(env *Env, in Matching) (Target, error) { return k.target(env, in) },
		Record: Matching.record,
		Do:     k.destroy,
	}
	return create, read, list, update, destroy
}

// record names the noun for the trail.
func (m Matching) record() audit.Fields {
	if m.ID == 0 {
		return audit.Fields{"name": clipped(m.Name)}
	}
	return audit.Fields{"id": m.ID.String()}
}

// find reads the noun that a request names: by its id, or by its name in the noun that
// it is part of.
func (k *namedKind) find(env *Env, in Matching) (n *iam.OracleNoun, err error) {
	a := env.Call.Caller.Account
	if in.ID == 0 && k.part != nil {
		n, err = env.Tx.OracleNounAt(a, k.kind, compartmentSlot(in.Of, in.Name))
	} else {
		n, err = env.Tx.OracleNoun(a, k.kind, in.ID)
	}
	if err == nil && k.part != nil && n.Parent != in.Of {
		err = fault.Of(fault.NotFound, string(k.kind), in.ID.String())
	}
	return n, err
}

// home is the compartment in which a noun lies.
func (k *namedKind) home(env *Env, n *iam.OracleNoun) (name.ID, error) {
	if k.part == nil {
		return n.Parent, nil
	}
	whole, err := env.Tx.OracleNoun(n.Account, k.part.kind, n.Parent)
	if err != nil {
		return 0, err
	}
	return whole.Parent, nil
}

// around is the target of an operation that makes or lists nouns.
func (k *namedKind) around(env *Env, compartment string, of name.ID) (Target, error) {
	t := Target{Noun: string(k.kind)}
	switch {
	case k.part != nil:
		whole, err := env.Tx.OracleNoun(env.Call.Caller.Account, k.part.kind, of)
		if err != nil {
			return t, ignoreMissing(err)
		}
		return env.oracleTarget(t, whole.Parent)
	case k.anywhere && compartment != "":
		return env.inCompartment(t.Noun, compartment)
	}
	return t, nil
}

func (k *namedKind) target(env *Env, in Matching) (Target, error) {
	t := Target{Noun: string(k.kind)}
	n, err := k.find(env, in)
	if err != nil {
		return t, ignoreMissing(err)
	}
	t.Name, t.ID = n.Name, n.ID
	home, err := k.home(env, n)
	if err != nil {
		return t, err
	}
	return env.oracleTarget(t, home)
}

// parent is what a new noun will have for a parent.
func (k *namedKind) parent(env *Env, compartment string, of name.ID) (name.ID, error) {
	switch {
	case k.part != nil:
		_, err := env.Tx.OracleNoun(env.Call.Caller.Account, k.part.kind, of)
		return of, err
	case k.anywhere:
		return env.openCompartment(compartment)
	}
	return 0, env.inRoot(compartment)
}

func (k *namedKind) make(env *Env, in OracleNounIn) (*OracleNoun, error) {
	parent, err := k.parent(env, in.Compartment, in.Of)
	if err != nil {
		return nil, err
	}
	var n *iam.OracleNoun
	if k.nameless {
		n, err = env.newNameless(k.kind)
	} else {
		n, err = env.newOracleNoun(k.kind, in.Name, &in.Described)
	}
	if err != nil {
		return nil, err
	}
	if k.limit != nil {
		if err := env.nounQuota(k.kind, k.quota, k.limit(&env.oracleLimits)); err != nil {
			return nil, err
		}
	}
	n.Parent = parent
	switch {
	case k.part != nil:
		n.Slot = compartmentSlot(parent, n.Name)
	case !k.anywhere:
		if err := env.tagNew(parent, &n.Tags); err != nil {
			return nil, err
		}
	}
	body := &OracleBodyIn{Network: in.Network, Fields: in.Fields, Rule: &in.Rule}
	if err := k.body(env, n, body); err != nil {
		return nil, err
	}
	if err := env.Tx.InsertOracleNoun(n); err != nil {
		return nil, err
	}
	return k.shown(env, n)
}

// shown is a noun with what it is part of.
func (k *namedKind) shown(env *Env, n *iam.OracleNoun) (*OracleNoun, error) {
	out := oracleNoun(n)
	if k.part == nil {
		return out, nil
	}
	whole, err := env.Tx.OracleNoun(n.Account, k.part.kind, n.Parent)
	if err == nil {
		out.Whole.Name, out.Whole.Parent = whole.Name, whole.Parent
	}
	return out, err
}

func (k *namedKind) list(env *Env, in OracleListIn) (out page.Page[OracleNoun], err error) {
	parent := name.ID(0)
	if in.Compartment != "" || !k.anywhere { // some lists go by other things alone
		if parent, err = k.parent(env, in.Compartment, in.Of); err != nil {
			return out, err
		}
	}
	all, err := env.Tx.OracleNouns(env.Call.Caller.Account, k.kind)
	if err != nil {
		return out, err
	}
	var shown []OracleNoun
	for i := range all {
		n := &OracleNoun{OracleNoun: all[i]}
		if placed := in.Compartment != "" || !k.anywhere; placed && n.Parent != parent && !(in.Subtree && parent == 0) {
			continue
		}
		if in.ID != 0 && n.ID != in.ID || in.Definition != 0 && n.Fields().Definition != in.Definition ||
			in.State != "" && !strings.EqualFold(in.State, n.State) {
			continue
		}
		if n, err = k.shown(env, &all[i]); err != nil {
			return out, err
		}
		shown = append(shown, *n)
	}
	return pagedNouns(env, k.ops[2], in.OracleList, shown)
}

func (k *namedKind) update(env *Env, in OracleBodyIn) (*OracleNoun, error) {
	n, err := k.open(env, in.Matching)
	if err != nil {
		return nil, err
	}
	if err := k.body(env, n, &in); err != nil {
		return nil, err
	}
	if !k.nameless {
		if err := in.describe(env, &n.Description, &n.Tags, false); err != nil {
			return nil, err
		}
	}
	n.Changed = env.Now
	if err := env.Tx.UpdateOracleNoun(n); err != nil {
		return nil, err
	}
	return k.shown(env, n)
}

// open reads a noun that is as the client saw it.
func (k *namedKind) open(env *Env, in Matching) (*iam.OracleNoun, error) {
	n, err := k.find(env, in)
	if err != nil {
		return nil, err
	}
	in.ID = n.ID
	return env.openNoun(k.kind, in)
}

func (k *namedKind) destroy(env *Env, in Matching) (none struct{}, err error) {
	n, err := k.open(env, in)
	if err == nil && k.leave != nil {
		err = k.leave(env, n)
	}
	if err != nil {
		return none, err
	}
	return none, env.Tx.DeleteOracleNoun(n)
}
