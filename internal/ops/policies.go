package ops

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/store"
	"warifu/policy/aws"
)

// PolicyUse is a managed policy and how often the caller's account uses it.
type PolicyUse = store.PolicyUse

// CreatePolicyIn is the input of CreatePolicy.
type CreatePolicyIn struct {
	Name        string
	Path        string // "" means "/"
	Description string
	Document    string
	Comments    bool // the document may have comments, which are kept
	Tags        []iam.Tag
}

// CreatePolicy makes a managed policy whose document becomes version 1.
//
// Errors: Invalid name, path, description or tags; Malformed document; Exists;
// Limit of policies or of the document's size.
var CreatePolicy = Op[CreatePolicyIn, *PolicyUse]{
	Name:   "CreatePolicy",
	Grants: Names{AWS: "iam:CreatePolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in CreatePolicyIn) (Target, error) {
		p := iam.Policy{Account: env.Call.Caller.Account, Name: in.Name, Path: rooted(in.Path)}
		return Target{
			Noun: "policy", Name: in.Name, Resources: []string{p.ARN()},
			RequestTags: in.Tags, Also: tagging(in.Tags, "iam:TagPolicy"),
		}, nil
	},
	Record: func(in CreatePolicyIn) audit.Fields {
		return audit.Fields{"policyName": in.Name, "path": in.Path, "description": in.Description, "policyDocument": excerpt(in.Document)}
	},
	Do: func(env *Env, in CreatePolicyIn) (p *PolicyUse, err error) {
		p = &PolicyUse{Policy: iam.Policy{
			Account: env.Call.Caller.Account, Language: env.language(), Name: in.Name, Path: rooted(in.Path),
			Description: in.Description, Tags: in.Tags, Default: 1, Latest: 1, Created: env.Now, Updated: env.Now,
		}}
		if err := checkPolicy(&p.Policy); err != nil {
			return p, err
		}
		if err := env.checkManaged(in.Document, in.Comments, p.Language); err != nil {
			return p, err
		}
		if err := env.quota("PoliciesPerAccount", env.limits.Policies, env.Tx.PolicyCount); err != nil {
			return p, err
		}
		if p.ID, err = name.NewID(env.rand); err != nil {
			return p, fault.Wrap(err, "create a policy")
		}
		return p, env.Tx.InsertPolicy(&p.Policy, in.Document)
	},
}

// checkPolicy checks all of a policy but its document.
func checkPolicy(p *iam.Policy) error {
	if err := iam.CheckName("policyName", p.Name, iam.MaxName); err != nil {
		return err
	}
	if err := iam.CheckPath("path", p.Path); err != nil {
		return err
	}
	// Paths of policies are narrower than others: they stand in ARNs that
	// policies match with wildcards.
	for _, part := range strings.Split(strings.Trim(p.Path, "/"), "/") {
		if p.Path != "/" && iam.CheckName("path", part, iam.MaxPath) != nil {
			return fault.Field("path", "path of a policy may hold letters, digits and _+=,.@- between single slashes")
		}
	}
	if err := checkDescription(p.Description); err != nil {
		return err
	}
	return iam.CheckTags(p.Tags, false)
}

func checkDescription(s string) error {
	if utf8.RuneCountInString(s) > iam.MaxDescribed {
		return fault.Field("description", "description has at most %d characters", iam.MaxDescribed)
	}
	return nil
}

// checkManaged checks the document of a managed policy.
func (env *Env) checkManaged(document string, comments bool, in iam.Language) error {
	document, err := incoming(document, comments)
	if err != nil {
		return err
	}
	if documentSize(document, in) > env.limits.PolicySize {
		return limited("PolicySize", env.limits.PolicySize)
	}
	return checkDocument(document, aws.Managed, in)
}

// excerpt is as much of a document as the trail keeps: 2 KiB.
func excerpt(document string) string {
	const most = 2048
	if len(document) <= most {
		return document
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(document[cut]) {
		cut--
	}
	return document[:cut] + "…"
}

// PolicyIn names a managed policy by its ARN.
type PolicyIn struct{ Policy string }

func (in PolicyIn) record() audit.Fields { return audit.Fields{"policyArn": in.Policy} }

func (in PolicyIn) target(env *Env) (Target, error) { return env.policyTarget(in.Policy) }

// GetPolicy reads a managed policy without its texts.
//
// Errors: Invalid ARN; NotFound.
var GetPolicy = Op[PolicyIn, *PolicyUse]{
	Name:   "GetPolicy",
	Grants: Names{AWS: "iam:GetPolicy"},
	Target: func(env *Env, in PolicyIn) (Target, error) { return in.target(env) },
	Record: PolicyIn.record,
	Do: func(env *Env, in PolicyIn) (*PolicyUse, error) {
		p, err := env.policy(in.Policy)
		if err != nil {
			return nil, err
		}
		u := &PolicyUse{Policy: *p}
		u.Attached, u.Bounding, err = env.Tx.PolicyUses(env.Call.Caller.Account, p.ID)
		return u, err
	},
}

// Scope says whose managed policies are listed.
type Scope = store.Scope

// The scopes.
const (
	ScopeAll    = store.ScopeAll
	ScopeOwn    = store.ScopeOwn
	ScopeVendor = store.ScopeVendor

	ScopeAlibaba = store.ScopeAlibaba // Alibaba Cloud's system policies
	ScopeRAM     = store.ScopeRAM     // those and the account's own
)

// ListPoliciesIn selects managed policies.
type ListPoliciesIn struct {
	Scope        Scope
	OnlyAttached bool
	Usage        Usage
	Listing
}

// ListPolicies lists managed policies by name.
var ListPolicies = Op[ListPoliciesIn, page.Page[PolicyUse]]{
	Name:   "ListPolicies",
	Grants: Names{AWS: "iam:ListPolicies"},
	Target: func(env *Env, in ListPoliciesIn) (Target, error) {
		return Target{Noun: "policies", Resources: []string{name.PolicyARN(env.Call.Caller.Account, rooted(in.PathPrefix), "")}}, nil
	},
	Do: func(env *Env, in ListPoliciesIn) (page.Page[PolicyUse], error) {
		f := store.PolicyFilter{
			Account: env.Call.Caller.Account, Scope: in.Scope, OnlyAttached: in.OnlyAttached, Usage: in.Usage, PathPrefix: in.PathPrefix,
		}
		filter := []string{string(in.Scope), strconv.FormatBool(in.OnlyAttached), string(in.Usage), in.PathPrefix}
		list := policySection(env, f)
		return pagedBy(env, "ListPolicies", filter, in.Listing, list.read, list.key)
	},
}

// policySection is the list of the policies that a filter selects.
func policySection(env *Env, f store.PolicyFilter) section[PolicyUse] {
	return section[PolicyUse]{
		read: func(after page.Key, limit int) ([]PolicyUse, error) {
			f.After, f.Limit = placeOf(after), limit
			return env.Tx.Policies(f)
		},
		key: func(p PolicyUse) page.Key { return policyPlace(p.Policy) },
	}
}

// DeletePolicy deletes a managed policy and its last version.
//
// Errors: Invalid ARN; Unmodifiable when it is not the account's own; NotFound;
// Conflict while it is in use or has versions beside the default.
var DeletePolicy = Op[PolicyIn, struct{}]{
	Name:   "DeletePolicy",
	Grants: Names{AWS: "iam:DeletePolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in PolicyIn) (Target, error) { return in.target(env) },
	Record: PolicyIn.record,
	Do: func(env *Env, in PolicyIn) (none struct{}, err error) {
		p, err := env.ownPolicy(in.Policy, "vendor policy deletion")
		if err != nil {
			return none, err
		}
		attached, bounding, err := env.Tx.PolicyUses(p.Account, p.ID)
		if err != nil {
			return none, err
		}
		if attached+bounding > 0 {
			return none, fault.Of(fault.Conflict, "policy in use", in.Policy)
		}
		versions, err := env.Tx.VersionCount(p.Account, p.ID)
		if err != nil {
			return none, err
		}
		if versions > 1 {
			return none, fault.Of(fault.Conflict, "policy versions", in.Policy)
		}
		return none, env.Tx.DeletePolicy(p.Account, p.ID)
	},
}

// PolicyVersion is one text of a managed policy.
type PolicyVersion struct {
	iam.PolicyVersion
	Default bool // it is the one in force
}

// ID spells the version's number.
func (v *PolicyVersion) ID() string { return versionID(v.Number) }

func versionID(number int) string { return "v" + strconv.Itoa(number) }

// CreateVersionIn is the input of CreatePolicyVersion.
type CreateVersionIn struct {
	Policy   string // ARN
	Document string
	Comments bool // the document may have comments, which are kept
	Default  bool // put the new version in force
}

// CreatePolicyVersion adds a text to a managed policy. Numbers are not reused.
//
// Errors: as for CreatePolicy; Limit "versions per policy"; Unmodifiable; NotFound
// "attachable policy".
var CreatePolicyVersion = Op[CreateVersionIn, *PolicyVersion]{
	Name:   "CreatePolicyVersion",
	Grants: Names{AWS: "iam:CreatePolicyVersion"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in CreateVersionIn) (Target, error) { return env.policyTarget(in.Policy) },
	Record: func(in CreateVersionIn) audit.Fields {
		return audit.Fields{"policyArn": in.Policy, "setAsDefault": strconv.FormatBool(in.Default), "policyDocument": excerpt(in.Document)}
	},
	Do: func(env *Env, in CreateVersionIn) (*PolicyVersion, error) {
		p, err := env.ownPolicy(in.Policy, "vendor policy")
		if err != nil {
			return nil, notAttachable(err)
		}
		if err := env.checkManaged(in.Document, in.Comments, p.Language); err != nil {
			return nil, err
		}
		n, err := env.Tx.VersionCount(p.Account, p.ID)
		if err != nil {
			return nil, err
		}
		if n >= env.limits.VersionsPerPolicy {
			return nil, limited("versions per policy", env.limits.VersionsPerPolicy)
		}
		v := &PolicyVersion{Default: in.Default}
		v.Policy, v.Document, v.Created = p.ID, in.Document, env.Now
		if err := env.Tx.InsertVersion(p.Account, &v.PolicyVersion); err != nil || !in.Default {
			return v, err
		}
		return v, env.Tx.SetDefaultVersion(p.Account, p.ID, v.Number, env.Now)
	},
}

// VersionIn names a version of a managed policy.
type VersionIn struct {
	Policy  string // ARN
	Version string // "v3"
}

func (in VersionIn) record() audit.Fields {
	return audit.Fields{"policyArn": in.Policy, "versionId": in.Version}
}

func (in VersionIn) target(env *Env) (Target, error) { return env.policyTarget(in.Policy) }

// missing is the error of a version that does not exist.
func (in VersionIn) missing(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Of(fault.NotFound, "policy version", in.Policy+" version "+in.Version)
	}
	return err
}

// number reads the version's number; one that no version has for a text that
// names none.
func (in VersionIn) number() int {
	n, err := strconv.Atoi(strings.TrimPrefix(in.Version, "v"))
	if err != nil || versionID(n) != in.Version {
		return -1
	}
	return n
}

// GetPolicyVersion reads one text of a managed policy.
//
// Errors: Invalid ARN; NotFound "policy version".
var GetPolicyVersion = Op[VersionIn, *PolicyVersion]{
	Name:   "GetPolicyVersion",
	Grants: Names{AWS: "iam:GetPolicyVersion"},
	Target: func(env *Env, in VersionIn) (Target, error) { return in.target(env) },
	Record: VersionIn.record,
	Do: func(env *Env, in VersionIn) (*PolicyVersion, error) {
		p, err := env.policy(in.Policy)
		if err != nil {
			return nil, in.missing(err)
		}
		v, err := env.Tx.Version(p.Account, p.ID, in.number())
		if err != nil {
			return nil, in.missing(err)
		}
		return &PolicyVersion{*v, v.Number == p.Default}, nil
	},
}

// VersionsIn names a managed policy and a stretch of its versions.
type VersionsIn struct {
	Policy string // ARN
	Listing
}

// ListPolicyVersions lists the versions of a managed policy, newest first.
//
// Errors: Invalid ARN; NotFound "attachable policy".
var ListPolicyVersions = Op[VersionsIn, page.Page[PolicyVersion]]{
	Name:   "ListPolicyVersions",
	Grants: Names{AWS: "iam:ListPolicyVersions"},
	Target: func(env *Env, in VersionsIn) (Target, error) { return env.policyTarget(in.Policy) },
	Do: func(env *Env, in VersionsIn) (page.Page[PolicyVersion], error) {
		p, err := env.attachable(in.Policy)
		if err != nil {
			return page.Page[PolicyVersion]{}, err
		}
		return paged(env, "ListPolicyVersions", []string{p.ID.String()}, in.Listing, func(after string, limit int) ([]PolicyVersion, error) {
			last, _ := strconv.Atoi(after) // "" is the beginning
			return env.versions(p, last, limit)
		}, func(v PolicyVersion) string { return strconv.Itoa(v.Number) })
	},
}

// versions reads versions of a policy, newest first, after the number of one.
func (env *Env) versions(p *iam.Policy, after, limit int) ([]PolicyVersion, error) {
	rows, err := env.Tx.Versions(p.Account, p.ID, after, limit)
	var out []PolicyVersion
	for _, v := range rows {
		out = append(out, PolicyVersion{v, v.Number == p.Default})
	}
	return out, err
}

// SetDefaultPolicyVersion puts another version in force.
//
// Errors: Invalid ARN; Unmodifiable; NotFound "policy version".
var SetDefaultPolicyVersion = Op[VersionIn, struct{}]{
	Name:   "SetDefaultPolicyVersion",
	Grants: Names{AWS: "iam:SetDefaultPolicyVersion"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in VersionIn) (Target, error) { return in.target(env) },
	Record: VersionIn.record,
	Do: func(env *Env, in VersionIn) (none struct{}, err error) {
		p, err := env.ownPolicy(in.Policy, "vendor policy")
		if err != nil {
			return none, in.missing(err)
		}
		return none, in.missing(env.Tx.SetDefaultVersion(p.Account, p.ID, in.number(), env.Now))
	},
}

// DeletePolicyVersion deletes a version that is not in force.
//
// Errors: Invalid ARN; Unmodifiable; NotFound "policy version"; Conflict "default
// version".
var DeletePolicyVersion = Op[VersionIn, struct{}]{
	Name:   "DeletePolicyVersion",
	Grants: Names{AWS: "iam:DeletePolicyVersion"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in VersionIn) (Target, error) { return in.target(env) },
	Record: VersionIn.record,
	Do: func(env *Env, in VersionIn) (none struct{}, err error) {
		p, err := env.ownPolicy(in.Policy, "vendor policy version")
		if err != nil {
			return none, in.missing(err)
		}
		if in.number() == p.Default {
			return none, fault.Of(fault.Conflict, "default version", in.Policy)
		}
		return none, in.missing(env.Tx.DeleteVersion(p.Account, p.ID, in.number()))
	},
}

// TagPolicyIn sets tags on a managed policy.
type TagPolicyIn struct {
	Policy string // ARN
	Tags   []iam.Tag
}

// UntagPolicyIn removes tags from a managed policy.
type UntagPolicyIn struct {
	Policy string // ARN
	Keys   []string
}

// TagPolicy adds tags to a managed policy or replaces their values. Keys are
// compared with case, unlike those of users and roles.
//
// Errors: Invalid; Unmodifiable; NotFound; Limit above iam.MaxTags in all.
var TagPolicy = Op[TagPolicyIn, struct{}]{
	Name:   "TagPolicy",
	Grants: Names{AWS: "iam:TagPolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in TagPolicyIn) (Target, error) {
		t, err := env.policyTarget(in.Policy)
		t.RequestTags = in.Tags
		return t, err
	},
	Record: func(in TagPolicyIn) audit.Fields { return audit.Fields{"policyArn": in.Policy} },
	Do: func(env *Env, in TagPolicyIn) (none struct{}, err error) {
		p, err := env.ownPolicy(in.Policy, "vendor policy")
		if err != nil {
			return none, err
		}
		if p.Tags, err = tagged(p.Tags, in.Tags, false); err != nil {
			return none, err
		}
		return none, env.Tx.UpdatePolicy(p)
	},
}

// UntagPolicy removes tags from a managed policy.
//
// Errors: Invalid ARN; Unmodifiable; NotFound.
var UntagPolicy = Op[UntagPolicyIn, struct{}]{
	Name:   "UntagPolicy",
	Grants: Names{AWS: "iam:UntagPolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UntagPolicyIn) (Target, error) {
		t, err := env.policyTarget(in.Policy)
		t.TagKeys = in.Keys
		return t, err
	},
	Record: func(in UntagPolicyIn) audit.Fields { return audit.Fields{"policyArn": in.Policy} },
	Do: func(env *Env, in UntagPolicyIn) (none struct{}, err error) {
		p, err := env.ownPolicy(in.Policy, "vendor policy")
		if err != nil {
			return none, err
		}
		p.Tags = iam.Untagged(p.Tags, in.Keys, false)
		return none, env.Tx.UpdatePolicy(p)
	},
}

// ListPolicyTags lists the tags of a managed policy by key.
//
// Errors: Invalid ARN; NotFound.
var ListPolicyTags = Op[VersionsIn, page.Page[iam.Tag]]{
	Name:   "ListPolicyTags",
	Grants: Names{AWS: "iam:ListPolicyTags"},
	Target: func(env *Env, in VersionsIn) (Target, error) { return env.policyTarget(in.Policy) },
	Do: func(env *Env, in VersionsIn) (page.Page[iam.Tag], error) {
		p, err := env.policy(in.Policy)
		if err != nil {
			return page.Page[iam.Tag]{}, err
		}
		return listTags(env, "ListPolicyTags", p.ID, in.Listing, p.Tags)
	},
}

// policy reads the managed policy of an ARN, or of its name at Alibaba Cloud.
func (env *Env) policy(arn string) (*iam.Policy, error) {
	if err := checkPolicyARN(arn); err != nil {
		return nil, err
	}
	p, err := policyByARN(env.Tx, env.Call.Caller.Account, arn)
	if fault.Is(err, fault.NotFound) {
		err = fault.Of(fault.NotFound, "policy", arn)
	}
	return p, err
}

// policyARN is how AWS names a managed policy, whichever cloud's name was given;
// policies test it.
func (env *Env) policyARN(given string) (string, error) {
	owner, path, called, ok := splitPolicy(given)
	if !ok || path != "" {
		return given, nil
	}
	p, err := policyByARN(env.Tx, env.Call.Caller.Account, given)
	if fault.Is(err, fault.NotFound) {
		return name.PolicyARN(owner, "/", called), nil
	}
	if err != nil {
		return "", err
	}
	return p.ARN(), nil
}

func checkPolicyARN(arn string) error {
	if _, _, _, ok := splitPolicy(arn); !ok {
		return fault.Of(fault.Invalid, "policy arn", arn)
	}
	return nil
}

// attachable is policy with the error that operations give which use a policy,
// in contrast to those that manage it.
func (env *Env) attachable(arn string) (*iam.Policy, error) {
	p, err := env.policy(arn)
	return p, notAttachable(err)
}

func notAttachable(err error) error {
	if f := fault.In(err); f.Kind == fault.NotFound && f.Noun == "policy" {
		return fault.Of(fault.NotFound, "attachable policy", f.Name)
	}
	return err
}

// ownPolicy reads a managed policy that is to be changed. Those of the vendor
// and of other accounts are refused with the noun given, whether they exist or
// not.
func (env *Env) ownPolicy(arn, refused string) (*iam.Policy, error) {
	if owner, _, _, ok := splitPolicy(arn); ok && owner != env.Call.Caller.Account {
		return nil, &fault.Error{Kind: fault.Unmodifiable, Noun: refused, Name: arn,
			What: fmt.Sprintf("%s does not belong to the account", arn)}
	}
	return env.policy(arn)
}

// policyTarget is the target of an operation on a managed policy. One that does
// not exist is authorised under the ARN that was given.
func (env *Env) policyTarget(arn string) (Target, error) {
	t := Target{Noun: "policy", Resources: []string{arn}}
	owner, path, called, ok := splitPolicy(arn)
	if !ok {
		return t, checkPolicyARN(arn)
	}
	t.Name, t.Account = called, owner
	if path == "" { // what does not exist has no path of its own
		t.Resources[0] = name.PolicyARN(owner, "/", called)
	}
	p, err := env.policy(arn)
	if err == nil {
		t.ID, t.ResourceTags, t.Resources[0] = p.ID, p.Tags, p.ARN()
	}
	return t, ignoreMissing(err)
}
