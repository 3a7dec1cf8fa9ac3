package ops

import (
	"errors"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/page"
)

// PolicyText is a managed policy with the text that is in force.
type PolicyText struct {
	PolicyUse
	Version PolicyVersion
}

// GetRAMPolicy reads a managed policy with its text.
var GetRAMPolicy = varied(GetPolicy, asIs, func(env *Env, in PolicyIn) (*PolicyText, error) {
	p, err := GetPolicy.Do(env, in)
	if err != nil {
		return nil, err
	}
	v, err := env.Tx.Version(p.Account, p.ID, p.Default)
	if err != nil {
		return nil, err
	}
	return &PolicyText{*p, PolicyVersion{*v, true}}, nil
})

// ListRAMPolicyVersions lists the versions of a managed policy, newest first, with
// their texts.
var ListRAMPolicyVersions = varied(ListPolicyVersions, asIs, func(env *Env, in VersionsIn) (page.Page[PolicyVersion], error) {
	out, err := ListPolicyVersions.Do(env, in)
	if err != nil {
		return out, err
	}
	p, err := env.policy(in.Policy)
	for i := range out.Items {
		if err != nil {
			return out, err
		}
		var v *iam.PolicyVersion
		if v, err = env.Tx.Version(p.Account, p.ID, out.Items[i].Number); err == nil {
			out.Items[i].Document = v.Document
		}
	}
	return out, err
})

// CreateRAMVersionIn is the input of CreateRAMPolicyVersion.
type CreateRAMVersionIn struct {
	CreateVersionIn
	Rotate bool // where there are as many versions as may be, delete the oldest that is not in force
}

// CreateRAMPolicyVersion adds a text to a managed policy, and may make room for it.
var CreateRAMPolicyVersion = varied(CreatePolicyVersion, func(in CreateRAMVersionIn) CreateVersionIn { return in.CreateVersionIn },
	func(env *Env, in CreateRAMVersionIn) (*PolicyVersion, error) {
		if in.Rotate {
			if err := env.rotateVersions(in.Policy); err != nil {
				return nil, err
			}
		}
		return CreatePolicyVersion.Do(env, in.CreateVersionIn)
	})

// rotateVersions deletes a policy's oldest version that is not in force, if it has as many
// as may be.
func (env *Env) rotateVersions(arn string) error {
	p, err := env.ownPolicy(arn, "vendor policy")
	if err != nil {
		return notAttachable(err)
	}
	n, err := env.Tx.VersionCount(p.Account, p.ID)
	if err != nil || n < env.limits.VersionsPerPolicy {
		return err
	}
	all, err := env.versions(p, 0, n)
	if err != nil {
		return err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if !all[i].Default {
			return env.Tx.DeleteVersion(p.Account, p.ID, all[i].Number)
		}
	}
	return nil
}

// DeleteRAMPolicy deletes a managed policy, and names what is in the way: Conflict
// with the nouns "Policy.User", "Policy.Group", "Policy.Role" and "Policy.Version".
var DeleteRAMPolicy = varied(DeletePolicy, asIs, func(env *Env, in PolicyIn) (none struct{}, err error) {
	p, err := env.ownPolicy(in.Policy, "vendor policy deletion")
	if err != nil {
		return none, err
	}
	for _, kind := range []iam.PrincipalKind{iam.KindUser, iam.KindGroup, iam.KindRole} {
		held, err := env.Tx.EntitiesFor(p.Account, p.ID, kind, UsageAny, "", "", 1)
		if err != nil {
			return none, err
		}
		if len(held) > 0 {
			noun := "Policy." + strings.ToUpper(string(kind[:1])) + string(kind[1:])
			return none, fault.Of(fault.Conflict, noun, p.Name)
		}
	}
	n, err := env.Tx.VersionCount(p.Account, p.ID)
	if err == nil && n > 1 {
		err = fault.Of(fault.Conflict, "Policy.Version", p.Name)
	}
	if err != nil {
		return none, err
	}
	return DeletePolicy.Do(env, in)
})

// DescribePolicyIn is the input of UpdatePolicyDescription.
type DescribePolicyIn struct{ Policy, Description string }

// UpdatePolicyDescription changes what a managed policy says of itself.
//
// Errors: Invalid; Unmodifiable; NotFound.
var UpdatePolicyDescription = Op[DescribePolicyIn, *PolicyUse]{
	Name:   "UpdatePolicyDescription",
	Grants: Names{AWS: "warifu:UpdatePolicyDescription", RAM: "ram:UpdatePolicyDescription"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in DescribePolicyIn) (Target, error) { return env.policyTarget(in.Policy) },
	Record: func(in DescribePolicyIn) audit.Fields {
		return audit.Fields{"policyArn": in.Policy, "description": clipped(in.Description)}
	},
	Do: func(env *Env, in DescribePolicyIn) (*PolicyUse, error) {
		p, err := env.ownPolicy(in.Policy, "vendor policy")
		if err != nil {
			return nil, err
		}
		if err := checkDescription(in.Description); err != nil {
			return nil, err
		}
		p.Description, p.Updated = in.Description, env.Now
		return &PolicyUse{Policy: *p}, env.Tx.UpdatePolicy(p)
	},
}

// Attach operations of Alibaba Cloud refuse to attach again what is attached:
// Exists, noun "User.Policy", "Group.Policy" or "Role.Policy".
var (
	AttachPolicyToUser  = attachingOnce(AttachUserPolicy, iam.KindUser, "User.Policy")
	AttachPolicyToGroup = attachingOnce(AttachGroupPolicy, iam.KindGroup, "Group.Policy")
	AttachPolicyToRole  = attachingOnce(AttachRolePolicy, iam.KindRole, "Role.Policy")
)

func attachingOnce(op Op[AttachIn, struct{}], kind iam.PrincipalKind, noun string) Op[AttachIn, struct{}] {
	return varied(op, asIs, func(env *Env, in AttachIn) (none struct{}, err error) {
		h, err := env.holder(kind, in.Holder)
		if err != nil {
			return none, err
		}
		before, err := env.Tx.AttachedCount(env.Call.Caller.Account, kind, h.id)
		if err != nil {
			return none, err
		}
		if none, err = op.Do(env, in); err != nil {
			return none, err
		}
		after, err := env.Tx.AttachedCount(env.Call.Caller.Account, kind, h.id)
		if err == nil && after == before {
			err = fault.Of(fault.Exists, noun, in.Policy)
		}
		return none, err
	})
}

// Detach operations of Alibaba Cloud tell a policy that is not attached, NotFound
// with the noun "User.Policy", "Group.Policy" or "Role.Policy", from one that does
// not exist.
var (
	DetachPolicyFromUser  = detachingKnown(DetachUserPolicy, "User.Policy")
	DetachPolicyFromGroup = detachingKnown(DetachGroupPolicy, "Group.Policy")
	DetachPolicyFromRole  = detachingKnown(DetachRolePolicy, "Role.Policy")
)

func detachingKnown(op Op[AttachIn, struct{}], noun string) Op[AttachIn, struct{}] {
	return varied(op, asIs, func(env *Env, in AttachIn) (none struct{}, err error) {
		if _, err := env.policy(in.Policy); err != nil {
			return none, err
		}
		none, err = op.Do(env, in)
		if f := (*fault.Error)(nil); fault.Is(err, fault.NotFound) && errors.As(err, &f) && f.Noun == "policy" {
			err = fault.Of(fault.NotFound, noun, in.Policy)
		}
		return none, err
	})
}

// UpdateRAMRoleIn is the input of UpdateRAMRole; what is nil or zero stays.
type UpdateRAMRoleIn struct {
	UpdateRoleIn
	Trust string // "" = stays
}

// UpdateRAMRole changes a role, its trust policy as well. A new trust policy needs
// the permission of UpdateAssumeRolePolicy besides.
var UpdateRAMRole = Op[UpdateRAMRoleIn, *Role]{
	Name:   UpdateRole.Name,
	Grants: UpdateRole.Grants,
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UpdateRAMRoleIn) (Target, error) {
		t, err := env.holderTarget(iam.KindRole, in.Role)
		if in.Trust != "" {
			t.Also = append(t.Also, Need{Grants: UpdateAssumeRolePolicy.Grants})
		}
		return t, err
	},
	Record: func(in UpdateRAMRoleIn) audit.Fields {
		f := in.UpdateRoleIn.record()
		if in.Trust != "" {
			f["policyDocument"] = excerpt(in.Trust)
		}
		return f
	},
	Do: func(env *Env, in UpdateRAMRoleIn) (*Role, error) {
		if in.Trust != "" {
			if _, err := UpdateAssumeRolePolicy.Do(env, UpdateTrustIn{Role: in.Role, Trust: in.Trust}); err != nil {
				return nil, err
			}
		}
		return updateRole(env, in.UpdateRoleIn)
	},
}

// DeleteRAMRole deletes a role: Conflict, noun "Role.Policy", while it has policies.
var DeleteRAMRole = varied(DeleteRole, asIs, func(env *Env, in RoleIn) (none struct{}, err error) {
	none, err = DeleteRole.Do(env, in)
	if fault.Is(err, fault.Conflict) {
		err = fault.Of(fault.Conflict, "Role.Policy", in.Role.String())
	}
	return none, err
})

// NamedTagsIn are tags, or the keys of tags, for several nouns of one kind.
type NamedTagsIn struct {
	Kind iam.PrincipalKind // user or role; "" = policy
	Refs []Ref             // policies: Alibaba Cloud names
	Tags []iam.Tag
	Keys []string
	All  bool // remove all tags, whatever Keys says
}

// taggingMany makes an operation on the tags of several nouns of a kind.
func taggingMany(grants Names, kind iam.PrincipalKind, name string, do func(*Env, NamedTagsIn, Ref) error) Op[NamedTagsIn, struct{}] {
	return Op[NamedTagsIn, struct{}]{
		Name: name, Grants: grants, Mode: Write, Needs: recently,
		Target: func(env *Env, in NamedTagsIn) (Target, error) {
			all := Target{Noun: string(kind), RequestTags: in.Tags, TagKeys: in.Keys}
			for _, called := range in.Refs {
				t, err := env.taggedTarget(kind, called)
				if err != nil {
					return all, err
				}
				all.Noun, all.Name, all.ID, all.ResourceTags = t.Noun, t.Name, t.ID, t.ResourceTags
				all.Resources = append(all.Resources, t.Resources...)
			}
			return all, nil
		},
		Record: func(in NamedTagsIn) audit.Fields {
			return audit.Fields{"resourceNames": refsText(in.Refs)}
		},
		Do: func(env *Env, in NamedTagsIn) (none struct{}, err error) {
			for _, called := range in.Refs {
				if err := do(env, in, called); err != nil {
					return none, err
				}
			}
			return none, nil
		},
	}
}

// keys are those to remove of a noun that has tags.
func (in *NamedTagsIn) keys(tags []iam.Tag) []string {
	if !in.All {
		return in.Keys
	}
	var keys []string
	for _, t := range tags {
		keys = append(keys, t.Key)
	}
	return keys
}

// refsText names several nouns for the trail.
func refsText(refs []Ref) string {
	var names []string
	for _, r := range refs {
		names = append(names, r.String())
	}
	return clipped(strings.Join(names, " "))
}

func (env *Env) taggedTarget(kind iam.PrincipalKind, called Ref) (Target, error) {
	if kind == "" {
		return env.policyTarget(called.Name)
	}
	return env.holderTarget(kind, called)
}

// Operations on the tags of several nouns.
var (
	TagUsers = taggingMany(TagUser.Grants, iam.KindUser, TagUser.Name, func(env *Env, in NamedTagsIn, called Ref) error {
		_, err := TagUser.Do(env, TagIn{called, in.Tags})
		return err
	})
	TagRoles = taggingMany(TagRole.Grants, iam.KindRole, TagRole.Name, func(env *Env, in NamedTagsIn, called Ref) error {
		_, err := TagRole.Do(env, TagIn{called, in.Tags})
		return err
	})
	TagPolicies = taggingMany(TagPolicy.Grants, "", TagPolicy.Name, func(env *Env, in NamedTagsIn, called Ref) error {
		_, err := TagPolicy.Do(env, TagPolicyIn{called.Name, in.Tags})
		return err
	})
	UntagUsers = taggingMany(UntagUser.Grants, iam.KindUser, UntagUser.Name, func(env *Env, in NamedTagsIn, called Ref) error {
		u, err := env.user(called)
		if err != nil {
			return err
		}
		_, err = UntagUser.Do(env, UntagIn{called, in.keys(u.Tags)})
		return err
	})
	UntagRoles = taggingMany(UntagRole.Grants, iam.KindRole, UntagRole.Name, func(env *Env, in NamedTagsIn, called Ref) error {
		r, err := env.role(called)
		if err != nil {
			return err
		}
		_, err = UntagRole.Do(env, UntagIn{called, in.keys(r.Tags)})
		return err
	})
	UntagPolicies = taggingMany(UntagPolicy.Grants, "", UntagPolicy.Name, func(env *Env, in NamedTagsIn, called Ref) error {
		p, err := env.policy(called.Name)
		if err != nil {
			return err
		}
		_, err = UntagPolicy.Do(env, UntagPolicyIn{called.Name, in.keys(p.Tags)})
		return err
	})
)
