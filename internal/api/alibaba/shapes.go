package alibaba

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

// when spells a moment; "" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// each turns items into their shapes.
func each[T, S any](items []T, shape func(*T) S) []S {
	out := make([]S, 0, len(items))
	for i := range items {
		out = append(out, shape(&items[i]))
	}
	return out
}

// paging is how a list goes on.
type paging struct {
	IsTruncated bool
	Marker      string
}

func pagingOf(next page.Cursor) paging { return paging{next != "", string(next)} }

// listInput selects a page.
type listInput struct {
	Marker   string
	MaxItems int `range:"1,1000"`
}

func (s *listInput) listing() ops.Listing { return ops.Listing{Limit: s.MaxItems, Cursor: s.Marker} }

// everything is a listing of operations that know no pages.
var everything = ops.Listing{Limit: ops.MaxPage}

// userInput names a user.
type userInput struct {
	UserName string `req:"true" len:"1,64" chars:"A-Za-z0-9._@+=,-"`
}

func (s *userInput) ref() ops.Ref { return ops.Ref{Name: s.UserName} }

func (s *userInput) in() ops.UserIn { return ops.UserIn{User: s.ref()} }

// ownUserInput names a user, or means the caller.
type ownUserInput struct {
	UserName string `len:"1,64" chars:"A-Za-z0-9._@+=,-"`
}

func (s *ownUserInput) ref() ops.Ref { return ops.Ref{Name: s.UserName} }

func (s *ownUserInput) in() ops.UserIn { return ops.UserIn{User: s.ref()} }

type groupInput struct {
	GroupName string `req:"true" len:"1,64" chars:"A-Za-z0-9._@+=,-"`
}

func (s *groupInput) ref() ops.Ref { return ops.Ref{Name: s.GroupName} }

type roleInput struct {
	RoleName string `req:"true" len:"1,64" chars:"A-Za-z0-9._@+=,-"`
}

func (s *roleInput) ref() ops.Ref { return ops.Ref{Name: s.RoleName} }

// tag is a tag in a request.
type tag struct{ Key, Value string }

func tagsIn(tags []tag) []iam.Tag {
	var out []iam.Tag
	for _, t := range tags {
		out = append(out, iam.Tag{Key: t.Key, Value: t.Value})
	}
	return out
}

// tagOut is a tag in an answer.
type tagOut struct{ TagKey, TagValue string }

type tagsOut struct{ Tag []tagOut }

func newTags(tags []iam.Tag) tagsOut {
	return tagsOut{each(tags, func(t *iam.Tag) tagOut { return tagOut{t.Key, t.Value} })}
}

// The types of policy.
const (
	custom = "Custom"
	system = "System"
)

// policyInput names a policy. System policies of AWS go by their ARN.
type policyInput struct {
	PolicyName string `req:"true" len:"1,256"`
	PolicyType string
}

// arn is the name by which ops finds the policy.
func (s *policyInput) arn(sc *scene) (string, error) {
	return policyARN(sc, s.PolicyType, s.PolicyName)
}

func policyARN(sc *scene, kind, called string) (string, error) {
	switch {
	case kind != custom && kind != system:
		return "", &failure{400, "InvalidParameter.PolicyType", `The parameter - "PolicyType" must be Custom or System.`}
	case kind == custom:
		return name.RAM(sc.Caller.Account, "policy", called), nil
	}
	if owner, _, _, ok := name.SplitIAM(called, "policy"); ok && owner.Vendor() {
		return called, nil
	}
	return name.RAMSystemPolicy(called), nil
}

// policyNames are a policy's type and name at this door.
func policyNames(p *iam.Policy) (kind, called string) {
	switch p.Account {
	case name.AlibabaVendor:
		return system, p.Name
	case 0:
		return system, p.ARN()
	}
	return custom, p.Name
}

// serial is how ops finds the device that Alibaba Cloud names.
func serial(s string) string {
	if arn, ok := name.ARNOfMFA(s); ok {
		return arn
	}
	return s
}

// version spells the number of a policy's version.
func version(p *iam.Policy) string {
	return (&ops.PolicyVersion{PolicyVersion: iam.PolicyVersion{Number: p.Default}}).ID()
}
