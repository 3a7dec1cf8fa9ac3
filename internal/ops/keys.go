package ops

import (
	"encoding/base64"
	"io"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/policy"
)

// keySecretSize makes a secret of 40 characters, as AWS's have: 240 bits.
const keySecretSize = 30

// ramSecretSize makes a secret as Alibaba Cloud's: 178 bits.
const ramSecretSize = 30

// NewKey is an access key at the one moment when its secret is shown.
type NewKey struct {
	iam.AccessKey
	UserName string // "" for the root user
	Plain    seal.Secret
}

// CreateAccessKey makes a long-term key for a user. Root's keys are made by root
// alone (security checklist A-8).
//
// Errors: NotFound user; Limit; Invalid when the caller is no user and names
// none; Denied, noun "above the caller"; Unmodifiable, noun "root keys", where root
// may have none.
var CreateAccessKey = Op[UserIn, *NewKey]{
	Name:   "CreateAccessKey",
	Grants: Names{AWS: "iam:CreateAccessKey"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in UserIn) (Target, error) { return env.ownTarget(in.User, managesKeys) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) (*NewKey, error) {
		u, err := env.lend(in.User)
		if err != nil {
			return nil, err
		}
		if err := env.mayHaveKeys(u); err != nil {
			return nil, err
		}
		err = env.quota("AccessKeysPerUser", env.limits.KeysPerUser, func(a name.Account) (int, error) { return env.Tx.KeyCount(a, u.ID) })
		if err != nil {
			return nil, err
		}
		k, err := env.newKey(env.Tx, u, env.Now, env.language())
		if err != nil {
			return nil, err
		}
		if err := env.Tx.InsertKey(&k.AccessKey); err != nil {
			return nil, err
		}
		return k, env.notify(u, iam.NoticeKeyCreated, k.ID)
	},
}

// newKey mints a key for a user and seals its secret. It looks like those of the
// cloud whose language is given, and signs at every door.
func (s *Server) newKey(tx *store.Tx, u *iam.User, now time.Time, looks iam.Language) (*NewKey, error) {
	id, plain, err := s.keyPair(looks)
	if err != nil {
		return nil, fault.Wrap(err, "create an access key")
	}
	k := &NewKey{UserName: u.Name, Plain: plain}
	k.AccessKey = iam.AccessKey{ID: id, User: u.ID, Account: u.Account, Status: iam.KeyActive, Created: now}
	k.Secret, err = s.keys.seal(tx, s.rand, keySecretPlace(id), plain)
	return k, err
}

// keyPair draws the id and the secret of a key.
func (s *Server) keyPair(looks iam.Language) (id string, plain seal.Secret, err error) {
	if looks == iam.LanguageRAM {
		if id, err = name.NewRAMKeyID(s.rand); err != nil {
			return id, plain, err
		}
		secret, err := name.Alphanumeric(s.rand, ramSecretSize)
		return id, seal.NewSecret(secret), err
	}
	if id, err = name.NewAccessKeyID(s.rand, name.PrefixAccessKey); err != nil {
		return id, plain, err
	}
	plain, err = randomText(s.rand, keySecretSize, base64.StdEncoding)
	return id, plain, err
}

// randomText draws size bytes and spells them.
func randomText(rand io.Reader, size int, enc *base64.Encoding) (seal.Secret, error) {
	b := make([]byte, size)
	if _, err := io.ReadFull(rand, b); err != nil {
		return seal.Secret{}, err
	}
	return seal.NewSecret([]byte(enc.EncodeToString(b))), nil
}

// owner reads the user whose credentials an operation changes. Root's are
// changed by root only, whatever policy says.
func (env *Env) owner(r Ref) (*iam.User, error) {
	u, err := env.user(r)
	if err == nil && u.Root && env.Call.Caller.Kind != policy.Root {
		return nil, fault.Of(fault.NotFound, "user", r.String())
	}
	return u, err
}

// KeyIn names an access key of a user; a zero Ref means the caller.
type KeyIn struct {
	User Ref
	Key  string
}

func (in KeyIn) record() audit.Fields {
	return audit.Fields{"userName": in.User.String(), "accessKeyId": in.Key}
}

func keyTarget(env *Env, in KeyIn) (Target, error) { return env.ownTarget(in.User, managesKeys) }

// DeleteAccessKey deletes a key; from the answer on it is good for nothing.
//
// Errors: NotFound user or key, also when the key is another user's.
var DeleteAccessKey = Op[KeyIn, struct{}]{
	Name:   "DeleteAccessKey",
	Grants: Names{AWS: "iam:DeleteAccessKey"},
	Mode:   Write,
	Needs:  freshly,
	Target: keyTarget,
	Record: KeyIn.record,
	Do: func(env *Env, in KeyIn) (none struct{}, err error) {
		u, err := env.owner(in.User)
		if err != nil {
			return none, err
		}
		return none, noSuchKey(env.Tx.DeleteKey(u.Account, u.ID, in.Key), in.Key)
	},
}

// noSuchKey words a missing key.
func noSuchKey(err error, id string) error {
	if fault.Is(err, fault.NotFound) {
		return fault.Of(fault.NotFound, "access key", id)
	}
	return err
}

// UpdateAccessKeyIn is the input of UpdateAccessKey.
type UpdateAccessKeyIn struct {
	KeyIn
	Status iam.KeyStatus
}

// UpdateAccessKey switches a key on or off.
//
// Errors: NotFound user or key; Invalid status; Denied, noun "above the caller",
// when it is switched on.
var UpdateAccessKey = Op[UpdateAccessKeyIn, struct{}]{
	Name:   "UpdateAccessKey",
	Grants: Names{AWS: "iam:UpdateAccessKey"},
	Mode:   Write,
	Needs:  freshly,
	Target: func(env *Env, in UpdateAccessKeyIn) (Target, error) { return env.ownTarget(in.User, managesKeys) },
	Record: func(in UpdateAccessKeyIn) audit.Fields {
		f := in.record()
		f["status"] = string(in.Status)
		return f
	},
	Do: func(env *Env, in UpdateAccessKeyIn) (none struct{}, err error) {
		if in.Status != iam.KeyActive && in.Status != iam.KeyInactive {
			return none, fault.Field("status", "an access key is made Active or Inactive")
		}
		find := env.owner
		if in.Status == iam.KeyActive {
			find = env.lend
		}
		u, err := find(in.User)
		if err != nil {
			return none, err
		}
		if in.Status == iam.KeyActive {
			if err := env.mayHaveKeys(u); err != nil {
				return none, err
			}
		}
		return none, noSuchKey(env.Tx.UpdateKeyStatus(u.Account, u.ID, in.Key, in.Status, env.Now), in.Key)
	},
}

// UserListing lists what belongs to one user; a zero Ref means the caller.
type UserListing struct {
	User Ref
	Listing
}

// KeyList is a page of a user's access keys. Their secrets stay sealed.
type KeyList struct {
	UserName string
	page.Page[iam.AccessKey]
}

// ListAccessKeys lists a user's keys by id.
var ListAccessKeys = Op[UserListing, KeyList]{
	Name:   "ListAccessKeys",
	Grants: Names{AWS: "iam:ListAccessKeys"},
	Target: func(env *Env, in UserListing) (Target, error) { return env.ownTarget(in.User, managesKeys) },
	Record: func(in UserListing) audit.Fields { return audit.Fields{"userName": in.User.String()} },
	Do: func(env *Env, in UserListing) (list KeyList, err error) {
		u, err := env.user(in.User)
		if err != nil {
			return list, err
		}
		list.UserName = u.Name
		list.Page, err = paged(env, "ListAccessKeys", []string{u.ID.String()}, in.Listing, func(after string, limit int) ([]iam.AccessKey, error) {
			return env.Tx.Keys(u.Account, u.ID, after, limit)
		}, func(k iam.AccessKey) string { return k.ID })
		return list, err
	},
}

// KeyUse is when and for what a key was last used; a key that never was has no
// time.
type KeyUse struct {
	UserName string
	iam.AccessKey
}

// GetAccessKeyLastUsed tells when a key was last used, also before that is
// written.
//
// Errors: Denied for a key that is unknown or of another account, as AWS has it.
var GetAccessKeyLastUsed = Op[KeyIn, *KeyUse]{
	Name:   "GetAccessKeyLastUsed",
	Grants: Names{AWS: "iam:GetAccessKeyLastUsed"},
	Target: func(env *Env, in KeyIn) (Target, error) {
		k, err := env.accountKey(in.Key)
		if err != nil {
			return Target{Noun: "access key", Name: in.Key}, err
		}
		return env.userTarget(Ref{ID: k.User})
	},
	Record: func(in KeyIn) audit.Fields { return audit.Fields{"accessKeyId": in.Key} },
	Do: func(env *Env, in KeyIn) (*KeyUse, error) {
		k, err := env.accountKey(in.Key)
		if err != nil {
			return nil, err
		}
		u, err := env.user(Ref{ID: k.User})
		if err != nil {
			return nil, err
		}
		if v, ok := env.usage.key(k.ID); ok && v.at.After(k.LastUsed) {
			k.LastUsed, k.LastService, k.LastRegion = v.at, v.service, v.region
		}
		return &KeyUse{u.Name, *k}, nil
	},
}

// accountKey reads a key of the caller's account.
func (env *Env) accountKey(id string) (*iam.AccessKey, error) {
	k, err := env.Tx.Key(id)
	if err == nil && k.Account != env.Call.Caller.Account || fault.Is(err, fault.NotFound) {
		return nil, &fault.Error{
			Kind: fault.Denied, Noun: "access key", Name: id,
			What: "User: " + env.Call.Caller.ARN() + " is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key " + id,
		}
	}
	return k, err
}
