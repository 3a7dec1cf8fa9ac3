package ops

import (
	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/store"
	"warifu/policy"
)

// AttachIn names a user, group or role and a managed policy.
type AttachIn struct {
	Holder Ref
	Policy string  // ARN
	Scope  name.ID // the resource group in which it counts; 0 = the account
}

// Attach operations give a managed policy to a user, group or role. What is
// attached already stays so.
//
// Errors: NotFound holder or "attachable policy"; Invalid ARN; Limit.
var (
	AttachUserPolicy  = attaching(iam.KindUser, "AttachUserPolicy")
	AttachGroupPolicy = attaching(iam.KindGroup, "AttachGroupPolicy")
	AttachRolePolicy  = attaching(iam.KindRole, "AttachRolePolicy")
)

// Detach operations take a managed policy away.
//
// Errors: NotFound holder; NotFound policy, also when it is not attached;
// Invalid ARN.
var (
	DetachUserPolicy  = detaching(iam.KindUser, "DetachUserPolicy")
	DetachGroupPolicy = detaching(iam.KindGroup, "DetachGroupPolicy")
	DetachRolePolicy  = detaching(iam.KindRole, "DetachRolePolicy")
)

// HeldIn names a user, group or role and a stretch of its policies.
type HeldIn struct {
	Holder Ref
	Listing
}

// ListAttached operations list the managed policies of a user, group or role by
// name; PathPrefix is of the policies.
//
// Errors: NotFound.
var (
	ListAttachedUserPolicies  = listingAttached(iam.KindUser, "ListAttachedUserPolicies")
	ListAttachedGroupPolicies = listingAttached(iam.KindGroup, "ListAttachedGroupPolicies")
	ListAttachedRolePolicies  = listingAttached(iam.KindRole, "ListAttachedRolePolicies")
)

func attaching(kind iam.PrincipalKind, op string) Op[AttachIn, struct{}] {
	return Op[AttachIn, struct{}]{
		Name: op, Grants: Names{AWS: "iam:" + op}, Mode: Write, Needs: recently,
		Target: attachTarget(kind), Record: attachRecord(kind),
		Do: func(env *Env, in AttachIn) (none struct{}, err error) {
			h, err := env.holder(kind, in.Holder)
			if err != nil {
				return none, err
			}
			p, err := env.attachable(in.Policy)
			if err != nil {
				return none, err
			}
			return none, env.attach(h, p, in.Scope)
		},
	}
}

// attach attaches a policy and keeps the quota: the transaction takes back the
// one that is too many.
func (env *Env) attach(h holder, p *iam.Policy, scope name.ID) (err error) {
	a := env.Call.Caller.Account
	var changed bool
	if scope != 0 {
		changed, err = env.Tx.AttachIn(a, scope, h.kind, h.id, p.ID, env.Now)
	} else {
		changed, err = env.Tx.Attach(a, h.kind, h.id, p.ID)
	}
	if err != nil || !changed {
		return err
	}
	quota, limit := "PoliciesPerUser", env.limits.AttachedPerUser
	switch h.kind {
	case iam.KindGroup:
		quota, limit = "PoliciesPerGroup", env.limits.AttachedPerGroup
	case iam.KindRole:
		quota, limit = "PoliciesPerRole", env.limits.AttachedPerRole
	}
	n, err := env.Tx.AttachedCount(a, h.kind, h.id)
	if err == nil && n > limit {
		err = limited(quota, limit)
	}
	return err
}

func detaching(kind iam.PrincipalKind, op string) Op[AttachIn, struct{}] {
	return Op[AttachIn, struct{}]{
		Name: op, Grants: Names{AWS: "iam:" + op}, Mode: Write, Needs: recently,
		Target: attachTarget(kind), Record: attachRecord(kind),
		Do: func(env *Env, in AttachIn) (none struct{}, err error) {
			h, err := env.holder(kind, in.Holder)
			if err != nil {
				return none, err
			}
			p, err := env.policy(in.Policy)
			if err != nil {
				return none, err
			}
			var changed bool
			if in.Scope != 0 {
				if _, err := env.Tx.ResourceGroup(env.Call.Caller.Account, in.Scope); err != nil {
					return none, err
				}
				changed, err = env.Tx.DetachIn(env.Call.Caller.Account, in.Scope, kind, h.id, p.ID)
			} else {
				changed, err = env.Tx.Detach(env.Call.Caller.Account, kind, h.id, p.ID)
			}
			if err == nil && !changed {
				err = fault.Of(fault.NotFound, "policy", in.Policy)
			}
			return none, err
		},
	}
}

func listingAttached(kind iam.PrincipalKind, op string) Op[HeldIn, page.Page[iam.Policy]] {
	return Op[HeldIn, page.Page[iam.Policy]]{
		Name: op, Grants: Names{AWS: "iam:" + op},
		Target: heldTarget(kind),
		Do: func(env *Env, in HeldIn) (page.Page[iam.Policy], error) {
			h, err := env.holder(kind, in.Holder)
			if err != nil {
				return page.Page[iam.Policy]{}, err
			}
			filter := []string{h.id.String(), in.PathPrefix}
			return pagedBy(env, op, filter, in.Listing, func(after page.Key, limit int) ([]iam.Policy, error) {
				return env.Tx.AttachedTo(env.Call.Caller.Account, kind, h.id, in.PathPrefix, placeOf(after), limit)
			}, policyPlace)
		},
	}
}

func attachTarget(kind iam.PrincipalKind) func(*Env, AttachIn) (Target, error) {
	return func(env *Env, in AttachIn) (Target, error) {
		t, err := env.holderTarget(kind, in.Holder)
		if err != nil {
			return t, err
		}
		t.Scope = in.Scope
		arn, err := env.policyARN(in.Policy)
		t.key("iam:PolicyARN", policy.String(arn))
		return t, err
	}
}

func attachRecord(kind iam.PrincipalKind) func(AttachIn) audit.Fields {
	return func(in AttachIn) audit.Fields {
		f := audit.Fields{string(kind) + "Name": in.Holder.String(), "policyArn": in.Policy}
		if in.Scope != 0 {
			f["resourceGroup"] = in.Scope.String()
		}
		return f
	}
}

func heldTarget(kind iam.PrincipalKind) func(*Env, HeldIn) (Target, error) {
	return func(env *Env, in HeldIn) (Target, error) { return env.holderTarget(kind, in.Holder) }
}

// Entity is a user, group or role that uses a policy.
type Entity = store.Entity

// Usage says what a managed policy is used for.
type Usage = store.Usage

// The uses.
const (
	UsageAny         = store.UsageAny
	UsagePermissions = store.UsagePermissions
	UsageBoundary    = store.UsageBoundary
)

// EntitiesIn selects users of a policy.
type EntitiesIn struct {
	Policy string            // ARN
	Kind   iam.PrincipalKind // "" lists all
	Usage  Usage
	Listing
}

// ListEntitiesForPolicy lists the groups, then users, then roles that a policy
// is attached to or, with UsageBoundary, that it bounds; PathPrefix is theirs.
//
// Errors: Invalid ARN; NotFound "attachable policy".
var ListEntitiesForPolicy = Op[EntitiesIn, page.Page[Entity]]{
	Name:   "ListEntitiesForPolicy",
	Grants: Names{AWS: "iam:ListEntitiesForPolicy"},
	Target: func(env *Env, in EntitiesIn) (Target, error) { return env.policyTarget(in.Policy) },
	Do: func(env *Env, in EntitiesIn) (page.Page[Entity], error) {
		p, err := env.attachable(in.Policy)
		if err != nil {
			return page.Page[Entity]{}, err
		}
		var lists []section[Entity]
		for _, kind := range []iam.PrincipalKind{iam.KindGroup, iam.KindUser, iam.KindRole} {
			if in.Kind == "" || in.Kind == kind {
				lists = append(lists, entitiesOf(env, p.ID, kind, in))
			}
		}
		filter := []string{p.ID.String(), string(in.Kind), string(in.Usage), in.PathPrefix}
		return pagedSections(env, "ListEntitiesForPolicy", filter, in.Listing, lists)
	},
}

func entitiesOf(env *Env, p name.ID, kind iam.PrincipalKind, in EntitiesIn) section[Entity] {
	return byName(func(after string, limit int) ([]Entity, error) {
		return env.Tx.EntitiesFor(env.Call.Caller.Account, p, kind, in.Usage, in.PathPrefix, after, limit)
	}, func(e Entity) string { return e.Name })
}

// holder is a user, group or role as something that holds policies.
type holder struct {
	kind     iam.PrincipalKind
	id       name.ID
	boundary name.ID
	target   Target
}

// holder reads what a Ref names. With NotFound comes the target under the name
// that was given.
func (env *Env) holder(kind iam.PrincipalKind, r Ref) (holder, error) {
	a := env.Call.Caller.Account
	switch kind {
	case iam.KindGroup:
		g, err := env.group(r)
		if err != nil {
			g = &iam.Group{Account: a, Name: r.String(), Path: "/"}
		}
		return holder{kind, g.ID, 0, groupTarget(g)}, err
	case iam.KindRole:
		role, err := env.role(r)
		if err != nil {
			role = &iam.Role{Account: a, Name: r.String(), Path: "/"}
		}
		return holder{kind, role.ID, role.Boundary, roleTarget(role)}, err
	}
	u, err := env.user(r)
	if err != nil {
		u = &iam.User{Account: a, Name: r.String(), Path: "/"}
	} else if u.Root {
		err = fault.New(fault.Unmodifiable, "the root user holds no policies")
	}
	return holder{kind, u.ID, u.Boundary, userTarget(u)}, err
}

// holderTarget is the target of an operation on what a Ref names: with the
// boundary that it has, which policies test as iam:PermissionsBoundary.
func (env *Env) holderTarget(kind iam.PrincipalKind, r Ref) (Target, error) {
	h, err := env.holder(kind, r)
	if err := ignoreMissing(err); err != nil {
		return h.target, err
	}
	arn, err := env.boundaryARN(h.boundary)
	h.target.bound(arn)
	return h.target, err
}
