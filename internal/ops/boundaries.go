package ops

import (
	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// BoundaryIn names a user or role and the policy that is to bound it.
type BoundaryIn struct {
	Holder   Ref
	Boundary string // ARN of a managed policy
}

// PutBoundary operations set or replace the permissions boundary of a user or
// role: the most that its own policies can give it.
//
// Errors: NotFound holder or boundary; Invalid boundary.
var (
	PutUserPermissionsBoundary = bounding(iam.KindUser, "PutUserPermissionsBoundary")
	PutRolePermissionsBoundary = bounding(iam.KindRole, "PutRolePermissionsBoundary")
)

// HolderIn names a user, group or role.
type HolderIn struct{ Holder Ref }

// DeleteBoundary operations take the boundary away; none is no error.
//
// Errors: NotFound holder.
var (
	DeleteUserPermissionsBoundary = unbounding(iam.KindUser, "DeleteUserPermissionsBoundary")
	DeleteRolePermissionsBoundary = unbounding(iam.KindRole, "DeleteRolePermissionsBoundary")
)

func bounding(kind iam.PrincipalKind, op string) Op[BoundaryIn, struct{}] {
	return Op[BoundaryIn, struct{}]{
		Name: op, Grants: Names{AWS: "iam:" + op}, Mode: Write, Needs: recently,
		Target: func(env *Env, in BoundaryIn) (Target, error) {
			h, err := env.holder(kind, in.Holder)
			h.target.bound(in.Boundary) // the new one, not the one it has
			return h.target, ignoreMissing(err)
		},
		Record: func(in BoundaryIn) audit.Fields {
			return audit.Fields{string(kind) + "Name": in.Holder.String(), "permissionsBoundary": in.Boundary}
		},
		Do: func(env *Env, in BoundaryIn) (none struct{}, err error) {
			if in.Boundary == "" {
				return none, fault.Of(fault.Invalid, "boundary", "")
			}
			id, err := env.boundary(in.Boundary)
			if err != nil {
				return none, err
			}
			return none, env.setBoundary(kind, in.Holder, id)
		},
	}
}

func unbounding(kind iam.PrincipalKind, op string) Op[HolderIn, struct{}] {
	return Op[HolderIn, struct{}]{
		Name: op, Grants: Names{AWS: "iam:" + op}, Mode: Write, Needs: recently,
		Target: func(env *Env, in HolderIn) (Target, error) { return env.holderTarget(kind, in.Holder) },
		Record: func(in HolderIn) audit.Fields { return audit.Fields{string(kind) + "Name": in.Holder.String()} },
		Do: func(env *Env, in HolderIn) (none struct{}, err error) {
			return none, env.setBoundary(kind, in.Holder, 0)
		},
	}
}

// setBoundary sets the boundary of a user or role; zero removes it.
func (env *Env) setBoundary(kind iam.PrincipalKind, r Ref, boundary name.ID) error {
	if kind == iam.KindRole {
		role, err := env.role(r)
		if err != nil {
			return err
		}
		role.Boundary = boundary
		return env.Tx.UpdateRole(role)
	}
	found, err := env.user(r)
	if err != nil {
		return err
	}
	if found.Root {
		return fault.New(fault.Unmodifiable, "the root user has no boundary")
	}
	u := *found
	u.Boundary = boundary
	return env.Tx.UpdateUser(&u)
}

// boundaryARN names a boundary; "" if there is none.
func (env *Env) boundaryARN(id name.ID) (string, error) {
	if id == 0 {
		return "", nil
	}
	p, err := env.Tx.PolicyByID(env.Call.Caller.Account, id)
	if err != nil {
		return "", err
	}
	return p.ARN(), nil
}
