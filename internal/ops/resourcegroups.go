package ops

import (
	"slices"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
)

// detachings are the operations that take a policy from a kind of principal.
var detachings = map[iam.PrincipalKind]Op[AttachIn, struct{}]{
	iam.KindUser: DetachUserPolicy, iam.KindGroup: DetachGroupPolicy, iam.KindRole: DetachRolePolicy,
}

// detachScoped adds the parts that take from a principal what it has in resource
// groups.
func (p *parts) detachScoped(kind iam.PrincipalKind, r Ref) error {
	h, err := p.env.holder(kind, r)
	if err != nil {
		return err
	}
	return p.detachScopes("", store.AttachmentFilter{Principal: h.id, Scoped: true})
}

// detachScopes adds the parts that end attachments.
func (p *parts) detachScopes(arn string, f store.AttachmentFilter) error {
	all, err := p.env.Tx.Attachments(p.env.Call.Caller.Account, f)
	for i := range all {
		t := &all[i]
		called := arn
		if called == "" {
			called = t.Policy.ARN()
		}
		add(p, detachings[t.Kind], AttachIn{Holder: Ref{ID: t.Principal}, Policy: called, Scope: t.Scope})
	}
	return err
}

// ResourceGroupIn names a resource group and what is set of it.
type ResourceGroupIn struct {
	ID                name.ID // of one that is there
	Name, DisplayName string
	Tags              []iam.Tag
}

func (in ResourceGroupIn) record() audit.Fields {
	return audit.Fields{"resourceGroup": in.ID.String(), "name": clipped(in.Name), "displayName": clipped(in.DisplayName)}
}

// resourceGroupOp makes an operation on one resource group.
func resourceGroupOp(called string, mode Mode, do func(*Env, ResourceGroupIn) (*iam.ResourceGroup, error)) Op[ResourceGroupIn, *iam.ResourceGroup] {
	op := Op[ResourceGroupIn, *iam.ResourceGroup]{
		Name: called, Grants: Names{AWS: "warifu:" + called, RAM: "resourcemanager:" + called}, Mode: mode,
		Target: func(env *Env, in ResourceGroupIn) (Target, error) { return env.resourceGroupTarget(in) },
		Record: ResourceGroupIn.record, Do: do,
	}
	if mode == Write {
		op.Needs = recently
	}
	return op
}

// resourceGroupTarget is a resource group; it lies in itself.
func (env *Env) resourceGroupTarget(in ResourceGroupIn) (Target, error) {
	a := env.Call.Caller.Account
	t := Target{
		Noun: "resource group", Name: in.Name, RequestTags: in.Tags, Resources: []string{name.ResourceGroupARN(a, "*")}, ACS: name.ResourceGroupACS(a, 0),
	}
	if in.ID == 0 {
		return t, nil
	}
	t.ID, t.Scope, t.ACS = in.ID, in.ID, name.ResourceGroupACS(a, in.ID)
	g, err := env.Tx.ResourceGroup(a, in.ID)
	if err == nil {
		t.Name, t.ResourceTags, t.Resources = g.Name, g.Tags, []string{name.ResourceGroupARN(a, g.Name)}
	}
	return t, ignoreMissing(err)
}

// Operations on a resource group. One who makes one may do everything in it.
//
// Errors: NotFound, Exists, noun "resource group"; Invalid; Limit.
var (
	CreateResourceGroup = resourceGroupOp("CreateResourceGroup", Write, func(env *Env, in ResourceGroupIn) (*iam.ResourceGroup, error) {
		a := env.Call.Caller.Account
		g := &iam.ResourceGroup{Account: a, Name: in.Name, DisplayName: in.DisplayName, Tags: in.Tags, Created: env.Now}
		if err := g.Check(); err != nil {
			return nil, err
		}
		all, err := env.Tx.ResourceGroups(a)
		if err != nil {
			return nil, err
		}
		if len(all) >= iam.MaxResourceGroups {
			return nil, limited("ResourceGroups", iam.MaxResourceGroups)
		}
		if g.ID, err = name.NewID(env.rand); err != nil {
			return nil, fault.Wrap(err, "create a resource group")
		}
		if err := env.Tx.InsertResourceGroup(g); err != nil {
			return nil, err
		}
		return g, env.ownResourceGroup(g)
	})
	GetResourceGroup = resourceGroupOp("GetResourceGroup", Read, func(env *Env, in ResourceGroupIn) (*iam.ResourceGroup, error) {
		return env.Tx.ResourceGroup(env.Call.Caller.Account, in.ID)
	})
	UpdateResourceGroup = resourceGroupOp("UpdateResourceGroup", Write, func(env *Env, in ResourceGroupIn) (*iam.ResourceGroup, error) {
		g, err := env.Tx.ResourceGroup(env.Call.Caller.Account, in.ID)
		if err != nil {
			return nil, err
		}
		g.DisplayName = in.DisplayName
		if err := g.Check(); err != nil {
			return nil, err
		}
		return g, env.Tx.UpdateResourceGroup(g)
	})
	DeleteResourceGroup = resourceGroupOp("DeleteResourceGroup", Write, func(env *Env, in ResourceGroupIn) (*iam.ResourceGroup, error) {
		g, err := env.Tx.ResourceGroup(env.Call.Caller.Account, in.ID)
		if err != nil {
			return nil, err
		}
		return g, env.Tx.DeleteResourceGroup(g.Account, g.ID)
	})
)

// ownResourceGroup lets the user who made a resource group do everything in it, as
// far as there is room for one more policy.
func (env *Env) ownResourceGroup(g *iam.ResourceGroup) error {
	c := &env.Call.Caller
	if c.User.ID == 0 || c.User.Root || c.ID() != c.User.ID {
		return nil
	}
	p, err := policyByARN(env.Tx, g.Account, name.RAMSystemPolicy("AdministratorAccess"))
	if err != nil {
		return ignoreMissing(err)
	}
	n, err := env.Tx.AttachedCount(g.Account, iam.KindUser, c.User.ID)
	if err != nil || n >= env.limits.AttachedPerUser {
		return err
	}
	_, err = env.Tx.AttachIn(g.Account, g.ID, iam.KindUser, c.User.ID, p.ID, env.Now)
	return err
}

// ResourceGroupsIn selects resource groups; what is empty leaves everything in.
type ResourceGroupsIn struct {
	IDs               []name.ID
	Name, DisplayName string // parts of them, without case
	Tags              []iam.Tag
}

// ListResourceGroups lists resource groups by name.
var ListResourceGroups = Op[ResourceGroupsIn, []iam.ResourceGroup]{
	Name:   "ListResourceGroups",
	Grants: Names{AWS: "warifu:ListResourceGroups", RAM: "resourcemanager:ListResourceGroups"},
	Target: func(env *Env, _ ResourceGroupsIn) (Target, error) { return env.resourceGroupTarget(ResourceGroupIn{}) },
	Do: func(env *Env, in ResourceGroupsIn) ([]iam.ResourceGroup, error) {
		all, err := env.Tx.ResourceGroups(env.Call.Caller.Account)
		return slices.DeleteFunc(all, func(g iam.ResourceGroup) bool { return !in.fits(&g) }), err
	},
}

func (in *ResourceGroupsIn) fits(g *iam.ResourceGroup) bool {
	for _, want := range in.Tags {
		if i := iam.TagIndex(g.Tags, want.Key); i < 0 || want.Value != "" && g.Tags[i].Value != want.Value {
			return false
		}
	}
	part := func(s, of string) bool { return strings.Contains(strings.ToLower(of), strings.ToLower(s)) }
	return (len(in.IDs) == 0 || slices.Contains(in.IDs, g.ID)) && part(in.Name, g.Name) && part(in.DisplayName, g.DisplayName)
}

// AttachmentsIn selects attachments; what is zero leaves everything in.
type AttachmentsIn struct {
	Scope   *name.ID // 0 = the account's
	Kind    iam.PrincipalKind
	Holder  Ref
	Policy  string // ARN
	Vendors *bool  // system policies only, or own ones
}

// ListPolicyAttachments lists who has which policies, and where they count.
//
// Errors: NotFound "resource group", holder or policy.
var ListPolicyAttachments = Op[AttachmentsIn, []iam.Attachment]{
	Name:   "ListPolicyAttachments",
	Grants: Names{AWS: "iam:ListEntitiesForPolicy", RAM: "resourcemanager:ListPolicyAttachments"},
	Target: func(env *Env, in AttachmentsIn) (Target, error) {
		if in.Scope == nil {
			return env.resourceGroupTarget(ResourceGroupIn{})
		}
		return env.resourceGroupTarget(ResourceGroupIn{ID: *in.Scope})
	},
	Do: func(env *Env, in AttachmentsIn) ([]iam.Attachment, error) {
		var f store.AttachmentFilter
		if in.Scope != nil && *in.Scope != 0 {
			if _, err := env.Tx.ResourceGroup(env.Call.Caller.Account, *in.Scope); err != nil {
				return nil, err
			}
			f.Scoped = true
		}
		if in.Holder != (Ref{}) {
			h, err := env.holder(in.Kind, in.Holder)
			if err != nil {
				return nil, err
			}
			f.Principal = h.id
		}
		if in.Policy != "" {
			p, err := env.policy(in.Policy)
			if err != nil {
				return nil, err
			}
			f.Policy = p.ID
		}
		all, err := env.Tx.Attachments(env.Call.Caller.Account, f)
		return slices.DeleteFunc(all, func(t iam.Attachment) bool {
			return in.Scope != nil && t.Scope != *in.Scope || in.Kind != "" && t.Kind != in.Kind || in.Vendors != nil && t.Policy.Account.Vendor() != *in.Vendors
		}), err
	},
}
