package ops

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/policy"
	"warifu/policy/oci"
)

// OracleLimits are quotas of Oracle's own nouns; zero is no limit. Oracle's defaults
// are those that its users complain of most.
type OracleLimits struct {
	Compartments, Policies, Statements, DynamicGroups, NetworkSources int
	APIKeys, AuthTokens, SecretKeys, SMTP, OAuth2                     int // of one user

	Users, Groups                    int // that are made at Oracle's door
	UsersPerGroup, GroupsPerUser     int
	Depth                            int // of compartments
	Scopes                           int // of one OAuth2 credential
	IdentityProviders, GroupMappings int // mappings of one provider
	TagNamespaces, TagDefaults       int
}

// DefaultOracleLimits are Oracle's (OCI documentation, "Service Limits").
var DefaultOracleLimits = OracleLimits{
	Compartments: 1000, Policies: 100, Statements: 50, DynamicGroups: 50, NetworkSources: 10,
	APIKeys: 3, AuthTokens: 2, SecretKeys: 2, SMTP: 2, OAuth2: 10,
	Users: 2000, Groups: 250, UsersPerGroup: 2000, GroupsPerUser: 250, Depth: 6, Scopes: 10,
	IdentityProviders: 3, GroupMappings: 250, TagNamespaces: 100, TagDefaults: 100,
}

// Statements are the statements of a policy, byte for byte as they were given, and its
// version date; none of another noun.
func (n *OracleNoun) Statements() (statements []string, version string) {
	var body oraclePolicyBody
	if json.Unmarshal([]byte(n.Body), &body) != nil {
		return nil, ""
	}
	return body.Statements, body.Version
}

// oraclePolicyTarget is the target of an operation on a policy, which puts wanted in the
// place of its statements; nil leaves them.
func (env *Env) oraclePolicyTarget(id name.ID, wanted []string) (Target, error) {
	p, err := env.Tx.OracleNoun(env.Call.Caller.Account, iam.OraclePolicy, id)
	if err != nil {
		return Target{Noun: "oracle policy"}, ignoreMissing(err)
	}
	t, err := env.oracleTarget(Target{Noun: "oracle policy", Name: p.Name, ID: p.ID}, p.Parent)
	has, version := oracleNoun(p).Statements()
	t.policyTypes(has, wanted)
	t.policyUpdates(version)
	return t, err
}

// policyTypes is the fact target.policy.type: of the statements that a policy has and of
// those that are to be saved. Who may not touch a policy that denies must not take its
// denials away either.
func (t *Target) policyTypes(lists ...[]string) {
	var allow, deny bool
	for _, statements := range lists {
		d, err := oci.Parse(statements)
		if err != nil {
			continue // Do says what is wrong
		}
		for _, k := range d.Kinds() {
			deny = deny || k == oci.Deny
			allow = allow || k != oci.Deny
		}
	}
	var types []string
	if allow {
		types = append(types, "allow")
	}
	if deny {
		types = append(types, "deny")
	}
	if types != nil {
		t.key("target.policy.type", policy.Strings(types...))
	}
}

// policyUpdates is the fact target.policy.autoupdate: whether a policy has no version date,
// so that its verbs grant what they grant today.
func (t *Target) policyUpdates(version string) {
	t.key("target.policy.autoupdate", policy.Bool(version == ""))
}

// OracleCreatePolicy makes a policy in a compartment.
//
// Errors: NotFound compartment; Invalid statement, or one that names a group or
// compartment that there is none of; Exists; Limit.
var OracleCreatePolicy = Op[OracleNounIn, *OracleNoun]{
	Name:   "CreatePolicy",
	Grants: Names{AWS: "iam:CreatePolicy", OCI: "CreatePolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleNounIn) (Target, error) {
		t, err := env.inCompartment("oracle policies", in.Compartment)
		t.policyTypes(in.Statements)
		t.policyUpdates(in.Version)
		t.attaches()
		return t, err
	},
	Record: OracleNounIn.record,
	Do: func(env *Env, in OracleNounIn) (*OracleNoun, error) {
		return once(env, "CreatePolicy", in.Retry, func() (*OracleNoun, error) {
			parent, err := env.openCompartment(in.Compartment)
			if err != nil {
				return nil, err
			}
			n, err := env.newOracleNoun(iam.OraclePolicy, in.Name, &in.Described)
			if err != nil {
				return nil, err
			}
			if err := env.nounQuota(iam.OraclePolicy, "Policies", env.oracleLimits.Policies); err != nil {
				return nil, err
			}
			if err := env.tagNew(parent, &n.Tags); err != nil {
				return nil, err
			}
			n.Parent = parent
			if n.Body, err = env.policyBody(parent, in.Statements, in.Version); err != nil {
				return nil, err
			}
			return oracleNoun(n), env.Tx.InsertOracleNoun(n)
		})
	},
}

// attaches asks AWS's language for what an Oracle policy does at once: it does not
// only exist, it applies to whom it names.
func (t *Target) attaches() {
	t.Also = append(t.Also, Need{Grants: Names{AWS: "iam:AttachGroupPolicy"}}, Need{Grants: Names{AWS: "iam:AttachUserPolicy"}})
}

// policyBody reads statements and resolves the names in them, once and for all.
func (env *Env) policyBody(at name.ID, statements []string, version string) (string, error) {
	if len(statements) == 0 {
		return "", fault.Field("statements", "a policy has at least one statement")
	}
	if most := env.oracleLimits.Statements; most > 0 && len(statements) > most {
		return "", limited("StatementsPerPolicy", most)
	}
	d, err := oci.Parse(statements)
	var bad *oci.Error
	if errors.As(err, &bad) {
		return "", unreadable(bad)
	}
	body := oraclePolicyBody{Statements: statements, Version: version}
	refs, ids := d.References()
	for _, r := range refs {
		ocid, err := env.resolve(at, r)
		if err != nil {
			return "", err
		}
		body.Names = append(body.Names, oracleNamed{r.Kind, r.Domain, r.Name, ocid})
	}
	for _, id := range ids {
		if err := env.known(at, id); err != nil {
			return "", err
		}
	}
	if err := tenancyWide(d, at); err != nil {
		return "", err
	}
	return bodyOf(body)
}

// unreadable words a statement that does not parse: first in the way that Oracle does,
// then with what helps.
func unreadable(e *oci.Error) error {
	return &fault.Error{
		Kind: fault.Malformed, Noun: "statement", Err: e,
		What: "Failed to parse policy due to an issue with token: " + e.Token + " at character: " + strconv.Itoa(e.Offset) + ". " + sentence(e),
	}
}

func sentence(e *oci.Error) string {
	return "Statement " + strconv.Itoa(e.Statement+1) + ", line " + strconv.Itoa(e.Line) + ", column " + strconv.Itoa(e.Column) + ": found " + e.Found + "; allowed: " + e.Want + "."
}

// tenancyWide refuses what only the root compartment's policies may say.
func tenancyWide(d *oci.Document, at name.ID) error {
	if at == 0 {
		return nil
	}
	for i, k := range d.Kinds() {
		if k != oci.Allow && k != oci.Deny {
			return fault.Field("statements", "statement %d: define, endorse and admit are for policies in the root compartment", i+1)
		}
	}
	for i, wide := range d.TenancyWide() {
		if wide {
			return fault.Field("statements", "statement %d: in tenancy is for policies in the root compartment; name a compartment", i+1)
		}
	}
	return nil
}

// missing is Oracle's sentence for a name that stands for nothing.
func missingNoun(kind oci.NounKind, called string) error {
	return fault.Field("statements", "The %s %s specified in the policy statement does not exist under current compartment hierarchy.", kind, called)
}

// resolve finds the noun that a statement names.
func (env *Env) resolve(at name.ID, r oci.Reference) (string, error) {
	a := env.Call.Caller.Account
	if r.Domain != "" && r.Domain != "default" {
		return "", missingNoun(r.Kind, r.Domain+"/"+r.Name)
	}
	var ocid string
	var err error
	switch r.Kind {
	case oci.Group:
		var g *iam.Group
		if g, err = env.Tx.GroupByName(a, r.Name); err == nil {
			ocid = g.ID.OCID(name.OCIGroup)
		}
	case oci.DynamicGroup:
		var g *iam.OracleNoun
		if g, err = env.Tx.OracleNounAt(a, iam.OracleDynamicGroup, r.Name); err == nil {
			ocid = g.ID.OCID(name.OCIDynamicGroup)
		}
	default:
		ocid, err = env.resolveCompartment(at, r.Name)
	}
	if fault.Is(err, fault.NotFound) {
		return "", missingNoun(r.Kind, r.Name)
	}
	return ocid, err
}

// resolveCompartment walks a path of names down from a compartment. The compartment
// itself may be named, too, alone or at the beginning.
func (env *Env) resolveCompartment(at name.ID, path string) (string, error) {
	a := env.Call.Caller.Account
	steps := strings.Split(path, ":")
	here, err := env.compartment(at)
	if err != nil {
		return "", err
	}
	if _, err := env.Tx.OracleNounAt(a, iam.OracleCompartment, compartmentSlot(at, steps[0])); fault.Is(err, fault.NotFound) && strings.EqualFold(steps[0], here.Name) {
		steps = steps[1:]
	}
	for _, step := range steps {
		c, err := env.Tx.OracleNounAt(a, iam.OracleCompartment, compartmentSlot(at, step))
		if err != nil {
			return "", err
		}
		at = c.ID
	}
	return compartmentOCID(a, at), nil
}

// known refuses an OCID in a statement that is nobody's, or a compartment's that does
// not lie where the policy counts.
func (env *Env) known(at name.ID, ocid string) error {
	a := env.Call.Caller.Account
	var err error
	switch o, _ := name.ParseOCID(ocid); o.Kind {
	case name.OCIGroup:
		_, err = env.Tx.GroupByID(a, name.ID(o.A))
	case name.OCIDynamicGroup:
		_, err = env.Tx.OracleNoun(a, iam.OracleDynamicGroup, name.ID(o.A))
	case name.OCITenancy:
		if name.Account(o.A) != a || at != 0 {
			err = fault.Of(fault.NotFound, "compartment", ocid)
		}
	case name.OCICompartment:
		var path string
		path, err = oraclePathOf(env.Tx, a, name.ID(o.A))
		if err == nil && !strings.Contains(path, "/"+compartmentOCID(a, at)+"/") {
			err = fault.Of(fault.NotFound, "compartment", ocid)
		}
	default:
		err = fault.Of(fault.NotFound, "noun", ocid)
	}
	if fault.Is(err, fault.NotFound) {
		return fault.Field("statements", "The OCID %s specified in the policy statement does not exist under current compartment hierarchy.", ocid)
	}
	return err
}

// OracleGetPolicy reads a policy.
var OracleGetPolicy = Op[Matching, *OracleNoun]{
	Name:   "GetPolicy",
	Grants: Names{AWS: "iam:GetPolicy", OCI: "GetPolicy"},
	Target: func(env *Env, in Matching) (Target, error) { return env.oraclePolicyTarget(in.ID, nil) },
	Do: func(env *Env, in Matching) (*OracleNoun, error) {
		n, err := env.Tx.OracleNoun(env.Call.Caller.Account, iam.OraclePolicy, in.ID)
		if err != nil {
			return nil, err
		}
		return oracleNoun(n), nil
	},
}

// OracleListPolicies lists the policies that are attached to a compartment.
var OracleListPolicies = Op[OracleListIn, page.Page[OracleNoun]]{
	Name:   "ListPolicies",
	Grants: Names{AWS: "iam:ListPolicies", OCI: "ListPolicies"},
	Target: func(env *Env, in OracleListIn) (Target, error) {
		return env.inCompartment("oracle policies", in.Compartment)
	},
	Do: func(env *Env, in OracleListIn) (out page.Page[OracleNoun], err error) {
		parent, err := env.openCompartment(in.Compartment)
		if err != nil {
			return out, err
		}
		return env.listNouns("ListPolicies", iam.OraclePolicy, parent, in.OracleList)
	},
}

// listNouns lists the nouns of a kind in a compartment.
func (env *Env) listNouns(op string, kind iam.OracleKind, parent name.ID, l OracleList) (page.Page[OracleNoun], error) {
	all, err := env.Tx.OracleNouns(env.Call.Caller.Account, kind)
	if err != nil {
		return page.Page[OracleNoun]{}, err
	}
	var shown []OracleNoun
	for i := range all {
		if all[i].Parent == parent && (l.State == "" || strings.EqualFold(l.State, all[i].State)) {
			shown = append(shown, *oracleNoun(&all[i]))
		}
	}
	return pagedNouns(env, op, l, shown)
}

// OracleUpdatePolicyIn is the input of OracleUpdatePolicy; what is nil stays.
type OracleUpdatePolicyIn struct {
	Matching
	Statements []string
	Version    *string
	Described
}

// OracleUpdatePolicy changes a policy.
//
// Errors: as OracleCreatePolicy.
var OracleUpdatePolicy = Op[OracleUpdatePolicyIn, *OracleNoun]{
	Name:   "UpdatePolicy",
	Grants: Names{AWS: "iam:CreatePolicyVersion", OCI: "UpdatePolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleUpdatePolicyIn) (Target, error) {
		t, err := env.oraclePolicyTarget(in.ID, in.Statements)
		t.attaches()
		return t, err
	},
	Record: func(in OracleUpdatePolicyIn) audit.Fields { return audit.Fields{"policy": in.ID.String()} },
	Do: func(env *Env, in OracleUpdatePolicyIn) (*OracleNoun, error) {
		n, err := env.openNoun(iam.OraclePolicy, in.Matching)
		if err != nil {
			return nil, err
		}
		var body oraclePolicyBody
		if err := json.Unmarshal([]byte(n.Body), &body); err != nil {
			return nil, fault.Wrap(err, "read the stored policy "+n.Name)
		}
		if in.Version != nil {
			body.Version = *in.Version
		}
		if in.Statements != nil {
			n.Body, err = env.policyBody(n.Parent, in.Statements, body.Version)
		} else {
			n.Body, err = bodyOf(body)
		}
		if err != nil {
			return nil, err
		}
		if err := in.describe(env, &n.Description, &n.Tags, false); err != nil {
			return nil, err
		}
		n.Changed = env.Now
		return oracleNoun(n), env.Tx.UpdateOracleNoun(n)
	},
}

// OracleDeletePolicy deletes a policy.
//
// Errors: NotFound.
var OracleDeletePolicy = Op[Matching, struct{}]{
	Name:   "DeletePolicy",
	Grants: Names{AWS: "iam:DeletePolicy", OCI: "DeletePolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in Matching) (Target, error) { return env.oraclePolicyTarget(in.ID, nil) },
	Record: func(in Matching) audit.Fields { return audit.Fields{"policy": in.ID.String()} },
	Do:     func(env *Env, in Matching) (struct{}, error) { return env.deleteNoun(iam.OraclePolicy, in) },
}

// deleteNoun deletes a noun that is as the client saw it.
func (env *Env) deleteNoun(kind iam.OracleKind, in Matching) (none struct{}, err error) {
	n, err := env.openNoun(kind, in)
	if err != nil {
		return none, err
	}
	return none, env.Tx.DeleteOracleNoun(n)
}
