package ops

import (
	"encoding/json"
	"errors"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/policy/oci"
)

// Dynamic groups and network sources: nouns of the root compartment with a name and a
// body.

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
}

// namedKind is what differs between the kinds.
type namedKind struct {
	kind   iam.OracleKind
	quota  string
	limit  func(*OracleLimits) int
	body   func(OracleNounIn) (string, error)
	change func(string, OracleBodyIn) (string, error)
	ops    [5]string // create, get, list, update, delete
}

var dynamicGroups = &namedKind{
	kind: iam.OracleDynamicGroup, quota: "DynamicGroups", limit: func(l *OracleLimits) int { return l.DynamicGroups },
	ops:  [5]string{"CreateDynamicGroup", "GetDynamicGroup", "ListDynamicGroups", "UpdateDynamicGroup", "DeleteDynamicGroup"},
	body: func(in OracleNounIn) (string, error) { return ruleBody(in.Rule) },
	change: func(old string, in OracleBodyIn) (string, error) {
		if in.Rule == nil {
			return old, nil
		}
		return ruleBody(*in.Rule)
	},
}

func ruleBody(rule string) (string, error) {
	if _, err := oci.ParseMatchingRule(rule); err != nil {
		var bad *oci.Error
		errors.As(err, &bad)
		return "", fault.Field("matchingRule", "matchingRule: line %d, column %d: found %s; allowed: %s", bad.Line, bad.Column, bad.Found, bad.Want)
	}
	return bodyOf(oracleGroupBody{rule})
}

var networkSources = &namedKind{
	kind: iam.OracleNetworkSource, quota: "NetworkSources", limit: func(l *OracleLimits) int { return l.NetworkSources },
	ops:  [5]string{"CreateNetworkSource", "GetNetworkSource", "ListNetworkSources", "UpdateNetworkSource", "DeleteNetworkSource"},
	body: func(in OracleNounIn) (string, error) { return networkBody(in.Network) },
	change: func(old string, in OracleBodyIn) (string, error) {
		n := OracleNoun{OracleNoun: iam.OracleNoun{Body: old}}
		now := n.Network()
		if in.Network.Public != nil {
			now.Public = in.Network.Public
		}
		if in.Network.Virtual != nil {
			now.Virtual = in.Network.Virtual
		}
		if in.Network.Services != nil {
			now.Services = in.Network.Services
		}
		return networkBody(now)
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
		Target: func(*Env, OracleNounIn) (Target, error) { return Target{Noun: string(k.kind)}, nil },
		Do: func(env *Env, in OracleNounIn) (*OracleNoun, error) {
			return once(env, k.ops[0], in.Retry, func() (*OracleNoun, error) { return k.make(env, in) })
		},
	}
	read = Op[Matching, *OracleNoun]{
		Name: k.ops[1], Grants: names(1),
		Target: func(env *Env, in Matching) (Target, error) { return k.target(env, in.ID) },
		Do: func(env *Env, in Matching) (*OracleNoun, error) {
			n, err := env.Tx.OracleNoun(env.Call.Caller.Account, k.kind, in.ID)
			if err != nil {
				return nil, err
			}
			return oracleNoun(n), nil
		},
	}
	list = Op[OracleListIn, page.Page[OracleNoun]]{
		Name: k.ops[2], Grants: names(2),
		Target: func(*Env, OracleListIn) (Target, error) { return Target{Noun: string(k.kind)}, nil },
		Do: func(env *Env, in OracleListIn) (page.Page[OracleNoun], error) {
			if err := env.inRoot(in.Compartment); err != nil {
				return page.Page[OracleNoun]{}, err
			}
			return env.listNouns(k.ops[2], k.kind, 0, in.OracleList)
		},
	}
	update = Op[OracleBodyIn, *OracleNoun]{
		Name: k.ops[3], Grants: names(3), Mode: Write, Needs: recently,
		Target: func(env *Env, in OracleBodyIn) (Target, error) { return k.target(env, in.ID) },
		Record: func(in OracleBodyIn) audit.Fields { return audit.Fields{"id": in.ID.String()} },
		Do:     k.update,
	}
	destroy = Op[Matching, struct{}]{
		Name: k.ops[4], Grants: names(4), Mode: Write, Needs: recently,
		Target: func(env *Env, in Matching) (Target, error) { return k.target(env, in.ID) },
		Record: func(in Matching) audit.Fields { return audit.Fields{"id": in.ID.String()} },
		Do:     func(env *Env, in Matching) (struct{}, error) { return env.deleteNoun(k.kind, in) },
	}
	return create, read, list, update, destroy
}

func (k *namedKind) target(env *Env, id name.ID) (Target, error) {
	t := Target{Noun: string(k.kind)}
	n, err := env.Tx.OracleNoun(env.Call.Caller.Account, k.kind, id)
	if err == nil {
		t.Name, t.ID = n.Name, n.ID
	}
	return t, ignoreMissing(err)
}

func (k *namedKind) make(env *Env, in OracleNounIn) (*OracleNoun, error) {
	if err := env.inRoot(in.Compartment); err != nil {
		return nil, err
	}
	n, err := env.newOracleNoun(k.kind, in.Name, &in.Described)
	if err != nil {
		return nil, err
	}
	if err := env.nounQuota(k.kind, k.quota, k.limit(&env.oracleLimits)); err != nil {
		return nil, err
	}
	if n.Body, err = k.body(in); err != nil {
		return nil, err
	}
	return oracleNoun(n), env.Tx.InsertOracleNoun(n)
}

func (k *namedKind) update(env *Env, in OracleBodyIn) (*OracleNoun, error) {
	n, err := env.openNoun(k.kind, in.Matching)
	if err != nil {
		return nil, err
	}
	if n.Body, err = k.change(n.Body, in); err != nil {
		return nil, err
	}
	if err := in.describe(&n.Description, &n.Tags, false); err != nil {
		return nil, err
	}
	n.Changed = env.Now
	return oracleNoun(n), env.Tx.UpdateOracleNoun(n)
}
