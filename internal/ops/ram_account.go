package ops

import (
	"context"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
)

// Domain is the default domain of an account, behind the @ of its users' principal
// names at Alibaba Cloud.
func (s *Server) Domain(ctx context.Context, account name.Account) (domain string, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		a, err := tx.Account(account)
		if err == nil {
			domain = name.Domain(a.ID, a.Alias)
		}
		return err
	})
	return domain, err
}

// KeyOwnerIn names a user by one of its access keys.
type KeyOwnerIn struct{ Key string }

// GetUserOfKey reads the user of an access key with attributes.
//
// Errors: NotFound user, also for a key of another account.
var GetUserOfKey = Op[KeyOwnerIn, *RAMUser]{
	Name:   "GetUser",
	Grants: Names{AWS: "iam:GetUser"},
	Target: func(env *Env, in KeyOwnerIn) (Target, error) {
		u, err := env.ownerOf(in.Key)
		if err != nil {
			return Target{Noun: "user", Name: in.Key}, ignoreMissing(err)
		}
		return userTarget(u), nil
	},
	Record: func(in KeyOwnerIn) audit.Fields { return audit.Fields{"accessKeyId": clipped(in.Key)} },
	Do: func(env *Env, in KeyOwnerIn) (*RAMUser, error) {
		u, err := env.ownerOf(in.Key)
		if err != nil {
			return nil, err
		}
		return env.ramUser(u)
	},
}

// ownerOf finds the user of a key of the caller's account.
func (env *Env) ownerOf(key string) (*iam.User, error) {
	k, err := env.Tx.Key(key)
	if err == nil && k.Account != env.Call.Caller.Account {
		err = fault.Of(fault.NotFound, "access key", key)
	}
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Of(fault.NotFound, "user", key)
	}
	if err != nil {
		return nil, err
	}
	return env.Tx.UserByID(k.Account, k.User)
}
