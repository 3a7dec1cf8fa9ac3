package aws

import (
	"strconv"
	"time"

	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
	"warifu/policy/aws/managed"
)

func policyActions() []action {
	return []action{
		iamAction("CreatePolicy", ops.CreatePolicy, (*createPolicyInput).in, policyWithTags),
		iamAction("GetPolicy", ops.GetPolicy, (*policyInput).in, policyWithTags),
		iamAction("ListPolicies", ops.ListPolicies, (*listPoliciesInput).in, policyPage),
		iamAction("DeletePolicy", ops.DeletePolicy, (*policyInput).in, none),
		iamAction("CreatePolicyVersion", ops.CreatePolicyVersion, func(s *createVersionInput) ops.CreateVersionIn {
			return ops.CreateVersionIn{Policy: s.PolicyArn, Document: s.PolicyDocument, Default: s.SetAsDefault}
		}, func(v *ops.PolicyVersion) versionOutput { return versionOutput{newVersion(v)} }),
		iamAction("GetPolicyVersion", ops.GetPolicyVersion, (*versionInput).in, func(v *ops.PolicyVersion) versionOutput {
			return versionOutput{versionWithText(v)}
		}),
		iamAction("ListPolicyVersions", ops.ListPolicyVersions, (*policyPartsInput).in, versionPage),
		iamAction("SetDefaultPolicyVersion", ops.SetDefaultPolicyVersion, (*versionInput).in, none),
		iamAction("DeletePolicyVersion", ops.DeletePolicyVersion, (*versionInput).in, none),
		iamAction("TagPolicy", ops.TagPolicy, func(s *tagPolicyInput) ops.TagPolicyIn {
			return ops.TagPolicyIn{Policy: s.PolicyArn, Tags: tagsIn(s.Tags)}
		}, none),
		iamAction("UntagPolicy", ops.UntagPolicy, func(s *untagPolicyInput) ops.UntagPolicyIn {
			return ops.UntagPolicyIn{Policy: s.PolicyArn, Keys: s.TagKeys}
		}, none),
		iamAction("ListPolicyTags", ops.ListPolicyTags, (*policyPartsInput).in, tagPage),
	}
}

// managedPolicy is a managed policy in an answer.
type managedPolicy struct {
	PolicyName                    string
	PolicyId                      string
	Arn                           string
	Path                          string
	DefaultVersionId              string
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string
	CreateDate                    time.Time
	UpdateDate                    time.Time
	Tags                          []tag
}

// newPolicy is a policy without what only GetPolicy and CreatePolicy tell. The
// vendor's have the ids that AWS gave them, not ours.
func newPolicy(p *ops.PolicyUse) managedPolicy {
	out := managedPolicy{
		PolicyName: p.Name, PolicyId: p.ID.Unique(name.PrefixManagedPolicy), Arn: p.ARN(), Path: p.Path,
		DefaultVersionId: "v" + strconv.Itoa(p.Default), AttachmentCount: p.Attached, PermissionsBoundaryUsageCount: p.Bounding,
		IsAttachable: true, CreateDate: p.Created, UpdateDate: p.Updated,
	}
	if p.Account.Vendor() {
		if known, ok := managed.Lookup(out.Arn); ok {
			out.PolicyId = known.ID
		}
	}
	return out
}

type policyOutput struct{ Policy managedPolicy }

func policyWithTags(p *ops.PolicyUse) policyOutput {
	out := policyOutput{newPolicy(p)}
	out.Policy.Description, out.Policy.Tags = p.Description, tagsOut(p.Tags)
	return out
}

type policiesOutput struct {
	Policies []managedPolicy `aws:",keep"`
	paging
}

func policyPage(p page.Page[ops.PolicyUse]) policiesOutput {
	out := policiesOutput{paging: pagingOf(p.Next)}
	for i := range p.Items {
		out.Policies = append(out.Policies, newPolicy(&p.Items[i]))
	}
	return out
}

// version is a text of a policy in an answer.
type version struct {
	Document         string `aws:",urlencoded"`
	VersionId        string
	IsDefaultVersion bool
	CreateDate       time.Time
}

// newVersion is a version without its text, which lists and CreatePolicyVersion
// do not tell.
func newVersion(v *ops.PolicyVersion) version {
	return version{VersionId: v.ID(), IsDefaultVersion: v.Default, CreateDate: v.Created}
}

// plain is a policy's text without the comments that its author may have written
// into it: the SDKs read JSON. A text that cannot be read is handed out as it is.
func plain(document string) string {
	text, err := ops.PlainPolicy(document)
	if err != nil {
		return document
	}
	return text
}

func versionWithText(v *ops.PolicyVersion) version {
	out := newVersion(v)
	out.Document = plain(v.Document)
	return out
}

type versionOutput struct{ PolicyVersion version }

type versionsOutput struct {
	Versions []version `aws:",keep"`
	paging
}

func versionPage(p page.Page[ops.PolicyVersion]) versionsOutput {
	out := versionsOutput{paging: pagingOf(p.Next)}
	for i := range p.Items {
		out.Versions = append(out.Versions, newVersion(&p.Items[i]))
	}
	return out
}

type createPolicyInput struct {
	PolicyName     string `aws:",required" len:"1,128" pattern:"[\\w+=,.@-]+"`
	Path           string `len:"1,512" pattern:"((/[A-Za-z0-9\\.,\\+@=_-]+)*)/" says:"It must begin and end with / and contain only alphanumeric characters and/or / characters."`
	PolicyDocument string `aws:",required" len:"1,131072" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	Description    string `len:",1000"`
	Tags           []tag  `len:",50"`
}

func (s *createPolicyInput) in() ops.CreatePolicyIn {
	return ops.CreatePolicyIn{Name: s.PolicyName, Path: s.Path, Description: s.Description, Document: s.PolicyDocument, Tags: tagsIn(s.Tags)}
}

// policyInput names a managed policy.
type policyInput struct {
	PolicyArn string `aws:",required" len:"20,2048"`
}

func (s *policyInput) in() ops.PolicyIn { return ops.PolicyIn{Policy: s.PolicyArn} }

var scopes = map[string]ops.Scope{"All": ops.ScopeAll, "AWS": ops.ScopeVendor, "Local": ops.ScopeOwn}

var usages = map[string]ops.Usage{"PermissionsPolicy": ops.UsagePermissions, "PermissionsBoundary": ops.UsageBoundary}

type listPoliciesInput struct {
	Scope             string `enum:"All AWS Local"`
	OnlyAttached      bool
	PathPrefix        string `len:"1,512" pattern:"((/[A-Za-z0-9\\.,\\+@=_-]+)*)/"`
	PolicyUsageFilter string `enum:"PermissionsPolicy PermissionsBoundary"`
	listInput
}

func (s *listPoliciesInput) in() ops.ListPoliciesIn {
	return ops.ListPoliciesIn{
		Scope: scopes[s.Scope], OnlyAttached: s.OnlyAttached, Usage: usages[s.PolicyUsageFilter], Listing: s.listing(s.PathPrefix),
	}
}

type createVersionInput struct {
	policyInput
	PolicyDocument string `aws:",required" len:"1,131072" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	SetAsDefault   bool
}

type versionInput struct {
	policyInput
	VersionId string `aws:",required" pattern:"v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"`
}

func (s *versionInput) in() ops.VersionIn {
	return ops.VersionIn{Policy: s.PolicyArn, Version: s.VersionId}
}

// policyPartsInput is a list that belongs to a managed policy.
type policyPartsInput struct {
	policyInput
	listInput
}

func (s *policyPartsInput) in() ops.VersionsIn {
	return ops.VersionsIn{Policy: s.PolicyArn, Listing: s.listing("")}
}

type tagPolicyInput struct {
	policyInput
	Tags []tag `aws:",required" len:",50"`
}

type untagPolicyInput struct {
	policyInput
	TagKeys []string `aws:",required" len:",50" eachlen:"1,128" eachpattern:"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"`
}
