package ops

import (
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/store"
)

// What people delete in the console goes with all that hangs on it. Such an
// operation is made of the operations that AWS asks for one by one: either all of
// them are done or none.

// Belongings are what goes with a user, group, role or policy.
type Belongings struct {
	Groups   []string
	Members  []string
	Attached []iam.Policy
	Inline   []string
	Keys     []iam.AccessKey
	Devices  []iam.Factor
	Sessions int
	Password bool
	Entities []Entity // that a policy is attached to
	Bounds   []Entity // that a policy bounds: it cannot go before they are bounded otherwise
	Versions int
}

// EntityNames are the names of Entities.
func (b *Belongings) EntityNames() (names []string) {
	for _, e := range b.Entities {
		names = append(names, e.Name)
	}
	return names
}

// maxBelongings bounds each list; a noun with more is taken apart first.
const maxBelongings = 1000

// GetUserBelongings lists what would go with a user.
//
// Errors: NotFound.
var GetUserBelongings = Op[UserIn, *Belongings]{
	Name:   "GetUserBelongings",
	Grants: Names{AWS: "iam:GetUser"},
	Target: GetUser.Target,
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (*Belongings, error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		b, err := env.holderBelongings(iam.KindUser, in.User)
		if err != nil {
			return nil, err
		}
		groups, err := env.Tx.GroupsOf(u.Account, u.ID, "", maxBelongings)
		if err != nil {
			return nil, err
		}
		for _, g := range groups {
			b.Groups = append(b.Groups, g.Name)
		}
		if b.Keys, err = env.Tx.Keys(u.Account, u.ID, "", maxBelongings); err != nil {
			return nil, err
		}
		for i := range b.Keys {
			b.Keys[i].Secret = nil
		}
		if b.Devices, err = env.Tx.Factors(u.Account, u.ID); err != nil {
			return nil, err
		}
		for i := range b.Devices {
			b.Devices[i].Seed = nil
		}
		sessions, err := env.sessionsOf(u, store.SessionAfter{}, maxBelongings)
		if err != nil {
			return nil, err
		}
		b.Sessions = len(sessions)
		_, err = env.Tx.LoginProfile(u.Account, u.ID)
		b.Password = err == nil
		return b, ignoreMissing(err)
	},
}

// holderBelongings are the policies of a user, group or role.
func (env *Env) holderBelongings(kind iam.PrincipalKind, r Ref) (*Belongings, error) {
	h, err := env.holder(kind, r)
	if err != nil {
		return nil, err
	}
	a, b := env.Call.Caller.Account, &Belongings{}
	if b.Attached, err = env.Tx.AttachedTo(a, kind, h.id, "", store.After{}, maxBelongings); err != nil {
		return nil, err
	}
	b.Inline, err = env.Tx.InlineNames(a, kind, h.id, "", maxBelongings)
	return b, err
}

// removedWithUser is the reason why a deleted user's factors are taken.
const removedWithUser = "the user is deleted"

// RemoveUser deletes a user and all that goes with it.
//
// Errors: NotFound; Unmodifiable for the root user and oneself.
var RemoveUser = Op[UserIn, struct{}]{
	Name:   "RemoveUser",
	Grants: Names{AWS: "iam:DeleteUser"},
	Mode:   Write,
	Needs:  recently,
	Target: DeleteUser.Target,
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (none struct{}, err error) {
		u, err := env.user(in.User)
		if err != nil {
			return none, err
		}
		if err := env.mayEnd(u); err != nil {
			return none, err
		}
		b, err := GetUserBelongings.Do(env, in)
		if err != nil {
			return none, err
		}
		p := &parts{env: env}
		for _, g := range b.Groups {
			add(p, RemoveUserFromGroup, MemberIn{Group: Ref{Name: g}, User: in.User})
		}
		for i := range b.Attached {
			add(p, DetachUserPolicy, AttachIn{Holder: in.User, Policy: b.Attached[i].ARN()})
		}
		if err := p.detachScoped(iam.KindUser, in.User); err != nil {
			return none, err
		}
		for _, name := range b.Inline {
			add(p, DeleteUserPolicy, InlineIn{Holder: in.User, Policy: name})
		}
		for i := range b.Keys {
			add(p, DeleteAccessKey, KeyIn{User: in.User, Key: b.Keys[i].ID})
		}
		for i := range b.Devices {
			switch f := &b.Devices[i]; {
			case isKey(f.Kind):
				add(p, DeletePasskey, DeletePasskeyIn{KeyRef: KeyRef{User: in.User, Key: f.ID}, Reason: removedWithUser})
			case channelOf(f.Kind) != "":
				add(p, UnbindAddress, VerificationIn{User: in.User, Kind: f.Kind, Reason: removedWithUser})
			case f.Hardware: // back into the pool
				add(p, DeactivateMFADevice, DeviceIn{User: in.User, Serial: f.Name, Reason: removedWithUser})
			case f.Kind.Device():
				add(p, DeactivateMFADevice, DeviceIn{User: in.User, Serial: f.ARN(), Reason: removedWithUser})
				add(p, DeleteVirtualMFADevice, SerialIn{Serial: f.ARN()})
			} // others go with the user
		}
		if b.Password {
			add(p, DeleteLoginProfile, in)
		}
		if err := p.run(); err != nil {
			return none, err
		}
		return DeleteUser.Do(env, in)
	},
}

// GetGroupBelongings lists what would go with a group: its memberships and its
// policies.
//
// Errors: NotFound.
var GetGroupBelongings = Op[GroupIn, *Belongings]{
	Name:   "GetGroupBelongings",
	Grants: Names{AWS: "iam:GetGroup"},
	Target: func(env *Env, in GroupIn) (Target, error) { return env.groupTarget(in.Group) },
	Record: GroupIn.record,
	Do: func(env *Env, in GroupIn) (*Belongings, error) {
		b, err := env.holderBelongings(iam.KindGroup, in.Group)
		if err != nil {
			return nil, err
		}
		g, err := env.group(in.Group)
		if err != nil {
			return nil, err
		}
		members, err := env.Tx.Members(g.Account, g.ID, "", maxBelongings)
		for _, u := range members {
			b.Members = append(b.Members, u.Name)
		}
		return b, err
	},
}

// RemoveGroup deletes a group with its memberships and policies. Its members
// stay.
//
// Errors: NotFound; Conflict with more than 1000 members.
var RemoveGroup = Op[GroupIn, struct{}]{
	Name:   "RemoveGroup",
	Grants: Names{AWS: "iam:DeleteGroup"},
	Mode:   Write,
	Needs:  recently,
	Target: DeleteGroup.Target,
	Record: GroupIn.record,
	Do: func(env *Env, in GroupIn) (none struct{}, err error) {
		b, err := GetGroupBelongings.Do(env, in)
		if err != nil {
			return none, err
		}
		p := &parts{env: env}
		for _, u := range b.Members {
			add(p, RemoveUserFromGroup, MemberIn{Group: in.Group, User: Ref{Name: u}})
		}
		for i := range b.Attached {
			add(p, DetachGroupPolicy, AttachIn{Holder: in.Group, Policy: b.Attached[i].ARN()})
		}
		if err := p.detachScoped(iam.KindGroup, in.Group); err != nil {
			return none, err
		}
		for _, name := range b.Inline {
			add(p, DeleteGroupPolicy, InlineIn{Holder: in.Group, Policy: name})
		}
		if err := p.run(); err != nil {
			return none, err
		}
		return DeleteGroup.Do(env, in)
	},
}

// GetRoleBelongings lists what would go with a role: its policies.
//
// Errors: NotFound.
var GetRoleBelongings = Op[RoleIn, *Belongings]{
	Name:   "GetRoleBelongings",
	Grants: Names{AWS: "iam:GetRole"},
	Target: GetRole.Target,
	Record: RoleIn.record,
	Do: func(env *Env, in RoleIn) (*Belongings, error) {
		return env.holderBelongings(iam.KindRole, in.Role)
	},
}

// RemoveRole deletes a role with its policies. Its sessions end.
//
// Errors: NotFound.
var RemoveRole = Op[RoleIn, struct{}]{
	Name:   "RemoveRole",
	Grants: Names{AWS: "iam:DeleteRole"},
	Mode:   Write,
	Needs:  recently,
	Target: DeleteRole.Target,
	Record: RoleIn.record,
	Do: func(env *Env, in RoleIn) (none struct{}, err error) {
		b, err := GetRoleBelongings.Do(env, in)
		if err != nil {
			return none, err
		}
		p := &parts{env: env}
		for i := range b.Attached {
			add(p, DetachRolePolicy, AttachIn{Holder: in.Role, Policy: b.Attached[i].ARN()})
		}
		if err := p.detachScoped(iam.KindRole, in.Role); err != nil {
			return none, err
		}
		for _, name := range b.Inline {
			add(p, DeleteRolePolicy, InlineIn{Holder: in.Role, Policy: name})
		}
		if err := p.run(); err != nil {
			return none, err
		}
		return DeleteRole.Do(env, in)
	},
}

// GetPolicyBelongings lists what would go with a managed policy, and what stands
// in the way.
//
// Errors: Invalid ARN; NotFound.
var GetPolicyBelongings = Op[PolicyIn, *Belongings]{
	Name:   "GetPolicyBelongings",
	Grants: Names{AWS: "iam:ListEntitiesForPolicy"},
	Target: func(env *Env, in PolicyIn) (Target, error) { return in.target(env) },
	Record: PolicyIn.record,
	Do: func(env *Env, in PolicyIn) (*Belongings, error) {
		p, err := env.policy(in.Policy)
		if err != nil {
			return nil, err
		}
		b := &Belongings{}
		if b.Versions, err = env.Tx.VersionCount(p.Account, p.ID); err != nil {
			return nil, err
		}
		read := func(usage Usage) ([]Entity, error) {
			out, err := ListEntitiesForPolicy.Do(env, EntitiesIn{Policy: in.Policy, Usage: usage, Listing: Listing{Limit: maxBelongings}})
			return out.Items, err
		}
		if b.Entities, err = read(UsagePermissions); err != nil {
			return nil, err
		}
		b.Bounds, err = read(UsageBoundary)
		return b, err
	},
}

// RemovePolicy deletes a managed policy of the account with its versions, and
// takes it from whoever has it.
//
// Errors: Invalid ARN; NotFound; Unmodifiable; Conflict "policy in use" while it
// bounds somebody: without its boundary a user or role could do more.
var RemovePolicy = Op[PolicyIn, struct{}]{
	Name:   "RemovePolicy",
	Grants: Names{AWS: "iam:DeletePolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: DeletePolicy.Target,
	Record: PolicyIn.record,
	Do: func(env *Env, in PolicyIn) (none struct{}, err error) {
		p, err := env.ownPolicy(in.Policy, "vendor policy deletion")
		if err != nil {
			return none, err
		}
		b, err := GetPolicyBelongings.Do(env, in)
		switch {
		case err != nil:
			return none, err
		case len(b.Bounds) > 0:
			return none, fault.Of(fault.Conflict, "policy in use", in.Policy)
		}
		all := &parts{env: env}
		for _, e := range b.Entities {
			detach := map[iam.PrincipalKind]Op[AttachIn, struct{}]{
				iam.KindUser: DetachUserPolicy, iam.KindGroup: DetachGroupPolicy, iam.KindRole: DetachRolePolicy,
			}[e.Kind]
			add(all, detach, AttachIn{Holder: Ref{Name: e.Name}, Policy: in.Policy})
		}
		if err := all.detachScopes(in.Policy, store.AttachmentFilter{Policy: p.ID, Scoped: true}); err != nil {
			return none, err
		}
		versions, err := env.versions(p, 0, maxBelongings)
		if err != nil {
			return none, err
		}
		for i := range versions {
			if !versions[i].Default {
				add(all, DeletePolicyVersion, VersionIn{Policy: in.Policy, Version: versions[i].ID()})
			}
		}
		if err := all.run(); err != nil {
			return none, err
		}
		return DeletePolicy.Do(env, in)
	},
}

// MayIn names actions that the caller wants to know about.
type MayIn struct{ Actions []string }

// MayI tells which actions the caller's own policies allow on everything: what a
// page offers is decided when it is done, and this only says what to offer.
var MayI = Op[MayIn, map[string]bool]{
	Name:       "MayI",
	Grants:     Names{AWS: "warifu:MayI"},
	Permission: Always,
	Target:     func(*Env, MayIn) (Target, error) { return Target{Noun: "caller"}, nil },
	Do: func(env *Env, in MayIn) (map[string]bool, error) {
		out := map[string]bool{}
		for _, action := range in.Actions {
			ok, err := env.may(action, Target{})
			if err != nil {
				return nil, err
			}
			out[action] = ok
		}
		return out, nil
	},
}
