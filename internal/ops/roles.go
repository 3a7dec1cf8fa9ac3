package ops

import (
	"strconv"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
)

// Bounds of a role's longest session (AWS: MaxSessionDuration).
const (
	MinRoleSession = time.Hour // also what a role has that says nothing
	MaxRoleSession = 12 * time.Hour
)

// Role is a role as it is shown: Trust names living principals by their ARNs.
type Role struct {
	iam.Role
	BoundaryARN string // "" if there is none
}

// CreateRoleIn is the input of CreateRole.
type CreateRoleIn struct {
	Name        string
	Path        string // "" means "/"
	Trust       string // trust policy
	Comments    bool   // the trust policy may have comments, which are kept
	Description string
	MaxSession  time.Duration // 0 means MinRoleSession
	Boundary    string        // ARN of a managed policy; "" means none
	Tags        []iam.Tag
}

// CreateRole makes a role without permissions.
//
// Errors: Invalid; Malformed trust policy, also when it names a user or role
// that does not exist; Exists; Limit; NotFound boundary.
var CreateRole = Op[CreateRoleIn, *Role]{
	Name:   "CreateRole",
	Grants: Names{AWS: "iam:CreateRole"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in CreateRoleIn) (Target, error) {
		t := roleTarget(&iam.Role{Account: env.Call.Caller.Account, Name: in.Name, Path: rooted(in.Path)})
		t.ResourceTags, t.RequestTags, t.Also = nil, in.Tags, tagging(in.Tags, "iam:TagRole")
		t.bound(in.Boundary)
		return t, nil
	},
	Record: func(in CreateRoleIn) audit.Fields {
		return audit.Fields{
			"roleName": in.Name, "path": in.Path, "description": in.Description, "maxSessionDuration": seconds(in.MaxSession),
			"permissionsBoundary": in.Boundary, "assumeRolePolicyDocument": excerpt(in.Trust),
		}
	},
	Do: func(env *Env, in CreateRoleIn) (*Role, error) {
		r := &iam.Role{
			Account: env.Call.Caller.Account, Name: in.Name, Path: rooted(in.Path), Description: in.Description,
			MaxSession: in.MaxSession, Tags: in.Tags, Created: env.Now,
		}
		if r.MaxSession == 0 {
			r.MaxSession = MinRoleSession
		}
		if err := checkNamed("roleName", r.Name, iam.MaxUserName, r.Path, r.Tags); err != nil {
			return nil, err
		}
		if err := checkRole(r); err != nil {
			return nil, err
		}
		if err := env.quota("RolesPerAccount", env.limits.Roles, env.Tx.RoleCount); err != nil {
			return nil, err
		}
		var err error
		if r.Trust, err = env.savedTrust(in.Trust, in.Comments); err != nil {
			return nil, err
		}
		if r.Boundary, err = env.boundary(in.Boundary); err != nil {
			return nil, err
		}
		if r.ID, err = name.NewID(env.rand); err != nil {
			return nil, fault.Wrap(err, "create a role")
		}
		if err := env.Tx.InsertRole(r); err != nil {
			return nil, err
		}
		return env.shown(r)
	},
}

// checkRole checks what can be changed of a role by UpdateRole.
func checkRole(r *iam.Role) error {
	if err := checkDescription(r.Description); err != nil {
		return err
	}
	for _, c := range r.Description {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c > '~' && c < '¡' || c > 'ÿ' {
			return fault.Field("description", "description may hold printable Latin-1 characters, tabs and line ends only; found %q", c)
		}
	}
	if r.MaxSession < MinRoleSession || r.MaxSession > MaxRoleSession {
		return fault.Field("maxSessionDuration", "maxSessionDuration must be %d to %d seconds", int(MinRoleSession.Seconds()), int(MaxRoleSession.Seconds()))
	}
	return nil
}

// seconds spells a duration for the trail; "" for none.
func seconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.Itoa(int(d / time.Second))
}

// RoleIn names a role.
type RoleIn struct{ Role Ref }

func (in RoleIn) record() audit.Fields { return audit.Fields{"roleName": in.Role.String()} }

func (in RoleIn) target(env *Env) (Target, error) { return env.holderTarget(iam.KindRole, in.Role) }

// GetRole reads a role.
//
// Errors: NotFound.
var GetRole = Op[RoleIn, *Role]{
	Name:   "GetRole",
	Grants: Names{AWS: "iam:GetRole"},
	Target: func(env *Env, in RoleIn) (Target, error) { return in.target(env) },
	Record: RoleIn.record,
	Do: func(env *Env, in RoleIn) (*Role, error) {
		r, err := env.role(in.Role)
		if err != nil {
			return nil, err
		}
		return env.shown(r)
	},
}

// ListRoles lists roles by name.
var ListRoles = Op[Listing, page.Page[Role]]{
	Name:   "ListRoles",
	Grants: Names{AWS: "iam:ListRoles"},
	Target: func(env *Env, in Listing) (Target, error) {
		return Target{Noun: "roles", Resources: []string{name.RoleARN(env.Call.Caller.Account, rooted(in.PathPrefix), "")}}, nil
	},
	Do: func(env *Env, in Listing) (out page.Page[Role], err error) {
		rows, err := list(env, "ListRoles", in, env.Tx.Roles, func(r iam.Role) string { return r.Name })
		if err != nil {
			return out, err
		}
		out.Next = rows.Next
		for i := range rows.Items {
			r, err := env.shown(&rows.Items[i])
			if err != nil {
				return out, err
			}
			out.Items = append(out.Items, *r)
		}
		return out, nil
	},
}

// shown is a role as it is shown.
func (env *Env) shown(r *iam.Role) (*Role, error) {
	out := &Role{Role: *r}
	if v, ok := env.usage.role(r.ID); ok && v.at.After(r.LastUsed) {
		out.LastUsed, out.LastRegion = v.at, v.region // not written yet
	}
	var err error
	if out.Trust, err = env.shownTrust(r.Trust); err != nil {
		return nil, err
	}
	out.BoundaryARN, err = env.boundaryARN(r.Boundary)
	return out, err
}

// UpdateRoleIn is the input of UpdateRole; what is nil or zero stays as it is.
type UpdateRoleIn struct {
	Role        Ref
	Description *string
	MaxSession  time.Duration
}

// UpdateRole changes a role's description or its longest session.
//
// Errors: NotFound; Invalid.
var UpdateRole = Op[UpdateRoleIn, *Role]{
	Name:   "UpdateRole",
	Grants: Names{AWS: "iam:UpdateRole"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UpdateRoleIn) (Target, error) { return env.holderTarget(iam.KindRole, in.Role) },
	Record: UpdateRoleIn.record,
	Do:     updateRole,
}

// UpdateRoleDescription changes a role's description alone.
//
// Errors: NotFound; Invalid.
var UpdateRoleDescription = Op[UpdateRoleIn, *Role]{
	Name:   "UpdateRoleDescription",
	Grants: Names{AWS: "iam:UpdateRoleDescription"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UpdateRoleIn) (Target, error) { return env.holderTarget(iam.KindRole, in.Role) },
	Record: UpdateRoleIn.record,
	Do: func(env *Env, in UpdateRoleIn) (*Role, error) {
		in.MaxSession = 0 // another permission's business
		return updateRole(env, in)
	},
}

func (in UpdateRoleIn) record() audit.Fields {
	f := audit.Fields{"roleName": in.Role.String(), "maxSessionDuration": seconds(in.MaxSession)}
	if in.Description != nil {
		f["description"] = *in.Description
	}
	return f
}

func updateRole(env *Env, in UpdateRoleIn) (*Role, error) {
	r, err := env.role(in.Role)
	if err != nil {
		return nil, err
	}
	if in.Description != nil {
		r.Description = *in.Description
	}
	if in.MaxSession != 0 {
		r.MaxSession = in.MaxSession
	}
	if err := checkRole(r); err != nil {
		return nil, err
	}
	if err := env.Tx.UpdateRole(r); err != nil {
		return nil, err
	}
	return env.shown(r)
}

// UpdateTrustIn is the input of UpdateAssumeRolePolicy.
type UpdateTrustIn struct {
	Role     Ref
	Trust    string
	Comments bool // the text may have comments, which are kept
}

// UpdateAssumeRolePolicy replaces a role's trust policy. Sessions that exist
// stay: trust is asked when a session is made.
//
// Errors: NotFound; Malformed; Limit of its size.
var UpdateAssumeRolePolicy = Op[UpdateTrustIn, struct{}]{
	Name:   "UpdateAssumeRolePolicy",
	Grants: Names{AWS: "iam:UpdateAssumeRolePolicy"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UpdateTrustIn) (Target, error) { return env.holderTarget(iam.KindRole, in.Role) },
	Record: func(in UpdateTrustIn) audit.Fields {
		return audit.Fields{"roleName": in.Role.String(), "policyDocument": excerpt(in.Trust)}
	},
	Do: func(env *Env, in UpdateTrustIn) (none struct{}, err error) {
		r, err := env.role(in.Role)
		if err != nil {
			return none, err
		}
		if r.Trust, err = env.savedTrust(in.Trust, in.Comments); err != nil {
			return none, err
		}
		return none, env.Tx.UpdateRole(r)
	},
}

// DeleteRole deletes a role that holds no policies. Its sessions end.
//
// Errors: NotFound; Conflict while it has policies.
var DeleteRole = Op[RoleIn, struct{}]{
	Name:   "DeleteRole",
	Grants: Names{AWS: "iam:DeleteRole"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in RoleIn) (Target, error) { return in.target(env) },
	Record: RoleIn.record,
	Do: func(env *Env, in RoleIn) (none struct{}, err error) {
		r, err := env.role(in.Role)
		if err != nil {
			return none, err
		}
		if err := env.noPolicies(iam.KindRole, r.ID); err != nil {
			return none, err
		}
		return none, env.Tx.DeleteRole(r.Account, r.ID)
	},
}

// TagRole adds tags to a role or replaces their values.
//
// Errors: NotFound; Invalid; Limit above iam.MaxTags in all.
var TagRole = Op[TagIn, struct{}]{
	Name:   "TagRole",
	Grants: Names{AWS: "iam:TagRole"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in TagIn) (Target, error) {
		t, err := env.holderTarget(iam.KindRole, in.Ref)
		t.RequestTags = in.Tags
		return t, err
	},
	Record: func(in TagIn) audit.Fields { return audit.Fields{"roleName": in.Ref.String()} },
	Do: func(env *Env, in TagIn) (none struct{}, err error) {
		r, err := env.role(in.Ref)
		if err != nil {
			return none, err
		}
		if r.Tags, err = tagged(r.Tags, in.Tags, true); err != nil {
			return none, err
		}
		return none, env.Tx.UpdateRole(r)
	},
}

// UntagRole removes tags from a role.
//
// Errors: NotFound.
var UntagRole = Op[UntagIn, struct{}]{
	Name:   "UntagRole",
	Grants: Names{AWS: "iam:UntagRole"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in UntagIn) (Target, error) {
		t, err := env.holderTarget(iam.KindRole, in.Ref)
		t.TagKeys = in.Keys
		return t, err
	},
	Record: func(in UntagIn) audit.Fields { return audit.Fields{"roleName": in.Ref.String()} },
	Do: func(env *Env, in UntagIn) (none struct{}, err error) {
		r, err := env.role(in.Ref)
		if err != nil {
			return none, err
		}
		r.Tags = iam.Untagged(r.Tags, in.Keys, true)
		return none, env.Tx.UpdateRole(r)
	},
}

// ListRoleTags lists a role's tags by key.
//
// Errors: NotFound.
var ListRoleTags = Op[TagsIn, page.Page[iam.Tag]]{
	Name:   "ListRoleTags",
	Grants: Names{AWS: "iam:ListRoleTags"},
	Target: func(env *Env, in TagsIn) (Target, error) { return env.holderTarget(iam.KindRole, in.Ref) },
	Do: func(env *Env, in TagsIn) (page.Page[iam.Tag], error) {
		r, err := env.role(in.Ref)
		if err != nil {
			return page.Page[iam.Tag]{}, err
		}
		return listTags(env, "ListRoleTags", r.ID, in.Listing, r.Tags)
	},
}

// role reads the role of a Ref.
func (env *Env) role(r Ref) (*iam.Role, error) {
	a := env.Call.Caller.Account
	if r.Name != "" {
		return env.Tx.RoleByName(a, r.Name)
	}
	return env.Tx.RoleByID(a, r.ID)
}

func roleTarget(r *iam.Role) Target {
	return Target{Noun: "role", Name: r.Name, ID: r.ID, Resources: []string{r.ARN()}, ResourceTags: r.Tags}
}
