package ops

import (
	"crypto/sha256"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/policy"
	"warifu/policy/oci"
)

// Statements of Oracle's language name the groups they are about. What they say is
// worked out once for an account as of its revision, and sorted by group, so that a
// principal has the sets of its own groups, and an account without such policies
// costs nothing more than to know that.

// oracleRules are an account's statements as of a revision.
type oracleRules struct {
	revision int64
	stamp    string                 // which policies, and when each was last changed
	others   oci.Places             // about any-user, services, …
	groups   map[string]*oci.Places // by the OCID of a group or dynamic group
	grants   map[string][]string    // by the same, "" for others: where statements grant anything ("" = in the whole tenancy)
	networks []oracleNetwork
	none     bool // there are no statements

	asksTarget, asksGroups bool // what statements have to be told (oci_facts.go)
}

// oracleSelf is what Oracle's language knows of a principal.
type oracleSelf struct {
	groups, names []string // OCIDs and names of its groups
	rules         *oracleRules
	places        oci.Places          // the statements about it
	grants        map[string]bool     // where any of these grants something
	tags          map[string][]string // of its groups, by key; nil if no statement asks
}

// maxOracle bounds the cache of accounts' statements, in accounts.
const maxOracle = 1_000

// oraclePolicyBody is the body of a policy.
type oraclePolicyBody struct {
	Statements []string      `json:"s"`
	Version    string        `json:"v,omitempty"` // versionDate as it was given
	Names      []oracleNamed `json:"n,omitempty"` // what the names in the statements stood for when they were saved
}

// oracleNamed is a name in a statement and the OCID that it stands for: a group that
// takes the name of a deleted one does not get what that one had.
type oracleNamed struct {
	Kind   oci.NounKind `json:"k"`
	Domain string       `json:"d,omitempty"`
	Name   string       `json:"n"`
	OCID   string       `json:"o"`
}

func (b *oraclePolicyBody) names() oci.Names {
	out := make(oci.Names, len(b.Names))
	for _, n := range b.Names {
		out[oci.Reference{Kind: n.Kind, Domain: n.Domain, Name: n.Name}] = n.OCID
	}
	return out
}

// compartmentOCID spells a compartment; the root is the tenancy.
func compartmentOCID(a name.Account, id name.ID) string {
	if id == 0 {
		return a.Tenancy()
	}
	return id.OCID(name.OCICompartment)
}

// oracleRules finds or compiles the statements of an account.
func (env *Env) oracleRules(a name.Account, revision int64) (*oracleRules, error) {
	if r, ok := env.cache.oracle.get(a); ok && r.revision == revision {
		return r, nil
	}
	policies, err := env.Tx.OracleNouns(a, iam.OraclePolicy)
	if err != nil {
		return nil, err
	}
	r := &oracleRules{revision: revision, stamp: stampOf(policies), none: len(policies) == 0}
	if old, ok := env.cache.oracle.get(a); ok && old.stamp == r.stamp && len(policies) > 0 {
		*r = *old // something else of the account has changed
		r.revision = revision
	} else if len(policies) > 0 {
		if err := r.compile(env.Server, a, policies); err != nil {
			return nil, err
		}
	}
	if len(policies) > 0 {
		if r.networks, err = env.oracleNetworks(a); err != nil {
			return nil, err
		}
	}
	env.cache.oracle.put(a, r)
	return r, nil
}

// stampOf tells policies from others, and from themselves before a change.
func stampOf(policies []iam.OracleNoun) string {
	var b []byte
	for i := range policies {
		b = strconv.AppendInt(b, int64(policies[i].ID), 10)
		b = strconv.AppendInt(append(b, ' '), policies[i].Changed.UnixMicro(), 10)
		b = strconv.AppendInt(append(b, ' '), int64(policies[i].Parent), 10)
		b = append(b, policies[i].Body...) // two changes may share a microsecond
	}
	sum := sha256.Sum256(b)
	return string(sum[:])
}

// compile sorts statements by whom they are about. A stored policy that no longer
// parses refuses the request: a deny must never fall out of a decision.
func (r *oracleRules) compile(s *Server, a name.Account, policies []iam.OracleNoun) error {
	type shelf struct{ group, place string } // group "" is others
	rules := map[shelf][]policy.Rule{}
	r.grants = map[string][]string{}
	for i := range policies {
		p := &policies[i]
		var body oraclePolicyBody
		if err := json.Unmarshal([]byte(p.Body), &body); err != nil {
			return fault.Wrap(err, "read the stored policy "+p.Name)
		}
		doc, err := oci.Parse(body.Statements)
		if err != nil {
			return fault.Wrap(err, "stored policy "+p.Name+" is not valid")
		}
		at := oci.Site{Tenancy: a.Tenancy(), Compartment: compartmentOCID(a, p.Parent)}
		for _, b := range doc.Bind(policy.RuleID{Policy: p.Name}, at, body.names()) {
			r.asks(&b.Rule)
			about := b.Groups
			if b.Others {
				about = append([]string{""}, about...)
			}
			for _, g := range about {
				at := shelf{g, b.Place}
				rules[at] = append(rules[at], b.Rule)
				if b.Rule.Effect == policy.Allow {
					r.grants[g] = append(r.grants[g], strings.ToLower(b.Place))
				}
			}
		}
	}
	r.groups = map[string]*oci.Places{"": &r.others}
	for at, rules := range rules {
		if r.groups[at.group] == nil {
			r.groups[at.group] = &oci.Places{}
		}
		r.groups[at.group].Add(at.place, policy.Compile(rules, s.contextKeys))
	}
	delete(r.groups, "")
	return nil
}

// oracleSets are the statements about a principal. The root user is bound by none,
// as Oracle's administrators are by no deny, and needs none.
func (env *Env) oracleSets(c *Caller, revision int64) (*oracleSelf, error) {
	r, err := env.oracleRules(c.Account, revision)
	if err != nil || c.Kind == policy.Root || r.none {
		return nil, err
	}
	self := &oracleSelf{rules: r, grants: map[string]bool{}}
	self.places.AddAll(&r.others)
	self.grant("")
	if c.Kind == policy.RoleSession {
		return self, nil
	}
	groups, err := env.Tx.GroupsOf(c.Account, c.User.ID, "", maxGroupsOfUser)
	if err != nil {
		return nil, err
	}
	for i := range groups {
		id := groups[i].ID.OCID(name.OCIGroup)
		self.groups, self.names = append(self.groups, id), append(self.names, groups[i].Name)
		if its := r.groups[id]; its != nil {
			self.places.AddAll(its)
			self.grant(id)
		}
		if r.asksGroups {
			if err := self.addGroupTags(env, &groups[i]); err != nil {
				return nil, err
			}
		}
	}
	return self, nil
}

// grant notes where the statements about a group grant something.
func (o *oracleSelf) grant(group string) {
	for _, place := range o.rules.grants[group] {
		o.grants[place] = true
	}
}

// grantsAt tells whether any statement grants the principal something at a place that
// oci.Path has spelled, its conditions aside.
func (o *oracleSelf) grantsAt(path string) bool {
	if o == nil {
		return false
	}
	found := o.grants[""]
	for step := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		found = found || o.grants[step]
	}
	return found
}

// oracleNetwork is a network source.
type oracleNetwork struct {
	name   string
	ranges []netip.Prefix
}

// oracleNetworkBody is the body of a network source. Ranges of virtual networks are
// kept: no request comes from one.
type oracleNetworkBody struct {
	Public  []string        `json:"p,omitempty"`
	Virtual []OracleVirtual `json:"v,omitempty"`
	Service []string        `json:"s,omitempty"`
}

// OracleVirtual are ranges of a virtual network.
type OracleVirtual struct {
	VCN    string   `json:"vcnId"`
	Ranges []string `json:"ipRanges"`
}

// oracleNetworks are an account's network sources.
func (env *Env) oracleNetworks(a name.Account) ([]oracleNetwork, error) {
	all, err := env.Tx.OracleNouns(a, iam.OracleNetworkSource)
	var out []oracleNetwork
	for i := range all {
		var body oracleNetworkBody
		if err := json.Unmarshal([]byte(all[i].Body), &body); err != nil {
			return nil, fault.Wrap(err, "read the stored network source "+all[i].Name)
		}
		n := oracleNetwork{name: all[i].Name}
		for _, text := range body.Public {
			if p, ok := parseRange(text); ok {
				n.ranges = append(n.ranges, p)
			}
		}
		out = append(out, n)
	}
	return out, err
}

// parseRange reads an address or a range of addresses.
func parseRange(s string) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, a.BitLen()), true
}

// networksOf are the names of the network sources that an address belongs to.
func (r *oracleRules) networksOf(ip netip.Addr) (names []string) {
	ip = ip.Unmap()
	for i := range r.networks {
		for _, p := range r.networks[i].ranges {
			if p.Contains(ip) {
				names = append(names, r.networks[i].name)
				break
			}
		}
	}
	return names
}

// maxGroupsOfUser bounds a read; no quota lets a user be in so many groups.
const maxGroupsOfUser = 10_000

// oraclePath is where Oracle's language finds the target.
func (t *Target) oraclePath(a name.Account) string {
	if t.Path != "" {
		return t.Path
	}
	return oci.Path(t.account(a).Tenancy())
}

// oraclePathOf spells a compartment's place.
func oraclePathOf(tx *store.Tx, a name.Account, compartment name.ID) (string, error) {
	if compartment == 0 {
		return oci.Path(a.Tenancy()), nil
	}
	path, err := tx.OracleCompartmentPath(a, compartment)
	if err != nil {
		return "", err
	}
	ids := []string{a.Tenancy()}
	for i := range path {
		ids = append(ids, path[i].ID.OCID(name.OCICompartment))
	}
	return oci.Path(ids...), nil
}

// oracleServices are the services of other vocabularies that have operations here.
// What Oracle has no permission for needs one of our own making, which manage
// all-resources alone grants and any deny of all-resources forbids.
var oracleServices = map[string]bool{"iam": true, "sts": true, "warifu": true, "cloudtrail": true, "access-analyzer": true, "signin": true}

// oracleOperations are the operations of other vocabularies that Oracle's Identity
// service has as well, by AWS's name.
var oracleOperations = map[string]string{
	"iam:CreateUser": "CreateUser", "iam:GetUser": "GetUser", "iam:ListUsers": "ListUsers", "iam:UpdateUser": "UpdateUser", "iam:DeleteUser": "DeleteUser",
	"iam:TagUser": "UpdateUser", "iam:UntagUser": "UpdateUser", "iam:ListUserTags": "GetUser",
	"iam:CreateGroup": "CreateGroup", "iam:GetGroup": "GetGroup", "iam:ListGroups": "ListGroups", "iam:UpdateGroup": "UpdateGroup", "iam:DeleteGroup": "DeleteGroup",
	"iam:AddUserToGroup": "AddUserToGroup", "iam:RemoveUserFromGroup": "RemoveUserFromGroup", "iam:ListGroupsForUser": "ListUserGroupMemberships",
	"iam:CreatePolicy": "CreatePolicy", "iam:CreatePolicyVersion": "UpdatePolicy", "iam:SetDefaultPolicyVersion": "UpdatePolicy", "iam:DeletePolicyVersion": "UpdatePolicy",
	"iam:TagPolicy": "UpdatePolicy", "iam:UntagPolicy": "UpdatePolicy", "iam:DeletePolicy": "DeletePolicy",
	"iam:GetPolicy": "GetPolicy", "iam:GetPolicyVersion": "GetPolicy", "iam:ListPolicies": "ListPolicies", "iam:ListPolicyVersions": "GetPolicy", "iam:ListPolicyTags": "GetPolicy",
	"iam:AttachUserPolicy": "UpdatePolicy", "iam:AttachGroupPolicy": "UpdatePolicy", "iam:AttachRolePolicy": "UpdatePolicy",
	"iam:DetachUserPolicy": "UpdatePolicy", "iam:DetachGroupPolicy": "UpdatePolicy", "iam:DetachRolePolicy": "UpdatePolicy",
	"iam:PutUserPolicy": "UpdatePolicy", "iam:PutGroupPolicy": "UpdatePolicy", "iam:PutRolePolicy": "UpdatePolicy",
	"iam:DeleteUserPolicy": "UpdatePolicy", "iam:DeleteGroupPolicy": "UpdatePolicy", "iam:DeleteRolePolicy": "UpdatePolicy",
	"iam:CreateAccessKey": "CreateCustomerSecretKey", "iam:UpdateAccessKey": "UpdateCustomerSecretKey", "iam:DeleteAccessKey": "DeleteCustomerSecretKey", "iam:ListAccessKeys": "ListCustomerSecretKeys",
	"iam:CreateLoginProfile": "CreateOrResetUIPassword", "iam:UpdateLoginProfile": "CreateOrResetUIPassword", "iam:GetLoginProfile": "GetUserUIPasswordInformation",
	"iam:CreateVirtualMFADevice": "CreateMfaTotpDevice", "iam:EnableMFADevice": "ActivateMfaTotpDevice", "iam:ResyncMFADevice": "ActivateMfaTotpDevice",
	"iam:DeactivateMFADevice": "DeleteMfaTotpDevice", "iam:DeleteVirtualMFADevice": "DeleteMfaTotpDevice", "iam:ListMFADevices": "ListMfaTotpDevices", "iam:GetMFADevice": "GetMfaTotpDevice",
	"iam:GetAccountPasswordPolicy": "GetAuthenticationPolicy", "iam:UpdateAccountPasswordPolicy": "UpdateAuthenticationPolicy", "iam:DeleteAccountPasswordPolicy": "UpdateAuthenticationPolicy",
	"warifu:GetSecurityPreferences": "GetAuthenticationPolicy", "warifu:SetSecurityPreferences": "UpdateAuthenticationPolicy",
	"cloudtrail:LookupEvents": "ListEvents",
	"warifu:BlockUser":        "UpdateUserState", "warifu:UnblockUser": "UpdateUserState",
}

// inOracle is what Oracle calls the operation; "" if it has no name for it.
func (n Names) inOracle() string {
	if n.OCI != "" {
		return n.OCI
	}
	if op := oracleOperations[n.AWS]; op != "" {
		return op
	}
	service, op := split(n.AWS)
	if !oracleServices[service] {
		return ""
	}
	return op
}

// oracle are the permissions that Oracle's language needs for an operation.
func (n Names) oracle() []string {
	if n.OCIPermissions != "" {
		return strings.Fields(n.OCIPermissions)
	}
	op := n.inOracle()
	if op == "" {
		return nil
	}
	if permissions, ok := oci.Permissions(op); ok && (n.OCI != "" || oracleOperations[n.AWS] != "") {
		return permissions
	}
	return []string{strings.ToUpper(strings.NewReplacer(":", "_", "-", "_").Replace(n.AWS))}
}

// oracleNames is what Oracle's language calls a caller. Statements ask for groups
// and ids, which are facts, and not for this.
func (c *Caller) oracleNames() policy.Names {
	if c.Kind == policy.Anonymous {
		return policy.Names{}
	}
	return policy.Names{Account: c.Account.Tenancy(), ID: c.User.ID.OCID(name.OCIUser), Name: c.User.Name}
}

// oracle answers the variables of Oracle's language.
func (f *facts) oracle(key string) policy.Fact {
	c := &f.call.Caller
	switch {
	case strings.HasPrefix(key, "target."):
		return f.oracleTarget(key)
	case !strings.HasPrefix(key, "request."):
		return policy.Fact{}
	case strings.HasPrefix(key, "request.utc-timestamp"):
		return oci.Clock(key, f.now)
	case strings.HasPrefix(key, groupTags):
		if f.self != nil && len(f.self.tags[key]) > 0 {
			return policy.Strings(f.self.tags[key]...)
		}
		return policy.Fact{}
	}
	user := c.User.ID != 0 && c.Kind != policy.RoleSession
	switch key {
	case "request.groups.id":
		if f.self != nil {
			return policy.Strings(f.self.groups...)
		}
	case "request.groups.name":
		if f.self != nil {
			return policy.Strings(f.self.names...)
		}
	case "request.user.mfatotpverified":
		return policy.Bool(f.mfa.totp())
	case "request.user.id", "request.principal.id":
		if user {
			return policy.String(c.User.ID.OCID(name.OCIUser))
		}
	case "request.user.name", "request.principal.name":
		if user {
			return policy.String(c.User.Name)
		}
	case "request.principal.type":
		if user {
			return policy.String("user")
		}
	case "request.principal.compartment.id":
		if user {
			return policy.String(c.Account.Tenancy())
		}
	case "request.domain.name":
		if user {
			return policy.String(defaultDomain)
		}
	case "request.operation":
		if f.grants != nil {
			return optional(f.grants.inOracle())
		}
	case "request.region":
		return optional(f.call.Source.Region)
	case "request.networksource.name":
		if f.self != nil {
			return policy.Strings(f.self.rules.networksOf(f.call.Source.IP)...)
		}
	}
	return policy.Fact{}
}

// totp tells whether a one-time code of a registered device was proved.
func (m *MFA) totp() bool {
	if !m.Present {
		return false
	}
	for _, method := range m.Methods {
		if method == MethodTOTP {
			return true
		}
	}
	return false
}

// oracleTarget answers the variables about the target. Of a noun that is listed or
// made they are not known, as with Oracle.
func (f *facts) oracleTarget(key string) policy.Fact {
	if v, ok := f.read[key]; ok {
		return v
	}
	t := f.target
	rest := strings.TrimPrefix(key, "target.")
	noun, attribute, _ := strings.Cut(rest, ".")
	switch noun {
	case "tenant", "tenancy":
		if attribute == "id" {
			return policy.String(t.account(f.call.Caller.Account).Tenancy())
		}
	case "compartment":
		if attribute == "id" {
			path := strings.Split(strings.Trim(t.oraclePath(f.call.Caller.Account), "/"), "/")
			return policy.String(path[len(path)-1])
		}
	case "domain":
		switch t.Noun {
		case "user", "users", "group", "groups", string(iam.OracleDynamicGroup):
			if attribute == "name" {
				return policy.String(defaultDomain)
			}
		}
	}
	kind, ok := oracleTargets[noun]
	if !ok || kind.noun != t.Noun || t.ID == 0 {
		return policy.Fact{}
	}
	switch attribute {
	case "id":
		return policy.String(t.ID.OCID(kind.ocid))
	case "name":
		return optional(t.Name)
	case "member":
		if noun == "group" {
			return f.oracleGroupFact(t)
		}
	}
	return policy.Fact{}
}

// oracleTargets are the nouns of target variables: what they are called here, and
// in OCIDs.
var oracleTargets = map[string]struct{ noun, ocid string }{
	"user": {"user", name.OCIUser}, "group": {"group", name.OCIGroup}, "policy": {"oracle policy", name.OCIPolicy},
	"tag-namespace": {string(iam.OracleTagNamespace), name.OCITagNamespace},
	"dynamicgroup":  {string(iam.OracleDynamicGroup), name.OCIDynamicGroup},
}
