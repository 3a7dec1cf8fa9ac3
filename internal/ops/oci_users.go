package ops

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// OracleUser is a user as Oracle's door shows it.
type OracleUser struct {
	User    iam.User
	Extras  iam.OracleExtras
	MFA     bool // has an active TOTP device
	Blocked bool // by an administrator, or by wrong passwords
	ETag    string
}

// OracleCapabilities are the kinds of credentials that a user may have.
type OracleCapabilities struct {
	Password, APIKeys, AuthTokens, SMTP, DB, SecretKeys, OAuth2 bool
}

var allCapabilities = OracleCapabilities{true, true, true, true, true, true, true}

// Capabilities are the user's.
func (u *OracleUser) Capabilities() OracleCapabilities {
	c := allCapabilities
	if u.Extras.Capabilities != "" && json.Unmarshal([]byte(u.Extras.Capabilities), &c) != nil {
		return OracleCapabilities{}
	}
	return c
}

// oracleUser reads what is shown of a user.
func (env *Env) oracleUser(u *iam.User) (*OracleUser, error) {
	out := &OracleUser{User: *u}
	var err error
	if out.Extras, err = env.Tx.OracleExtras(u.Account, u.ID); err != nil {
		return nil, err
	}
	device, err := env.totpOf(u)
	if err != nil {
		return nil, err
	}
	out.MFA = device != nil && !device.Enabled.IsZero()
	if out.Blocked, err = env.blocked(u); err != nil {
		return nil, err
	}
	out.ETag = etagOf(u.ID, u.Name, u.Path, out.Extras, out.MFA, out.Blocked)
	return out, nil
}

// blocked tells whether a user cannot sign in.
func (env *Env) blocked(u *iam.User) (bool, error) {
	_, err := env.Tx.Block(u.Account, u.ID)
	if err == nil {
		return true, nil
	}
	if !fault.Is(err, fault.NotFound) {
		return false, err
	}
	n, _, err := env.Tx.Failures(u.ID)
	return n >= signin.MaxFailures, err
}

// oracleUserTarget is the target of an operation on a user. What a user may do to
// itself without any policy only a statement that denies it refuses.
func (env *Env) oracleUserTarget(id name.ID, self bool) (Target, error) {
	t, err := env.userTarget(Ref{ID: id})
	t.Granted = self && err == nil && t.ID != 0 && t.ID == env.Call.Caller.ID()
	return t, err
}

// oracleUserOf reads the user of an id. The root user is nobody at this door.
func (env *Env) oracleUserOf(id name.ID) (*iam.User, error) {
	u, err := env.user(Ref{ID: id})
	if err == nil && (u.Root || id == 0) {
		return nil, fault.Of(fault.NotFound, "user", id.String())
	}
	return u, err
}

// OracleCreateUserIn is the input of OracleCreateUser.
type OracleCreateUserIn struct {
	Compartment string // OCID; the tenancy
	Name        string
	Email       string
	Described
	Retry Retry
}

// OracleCreateUser makes a user without credentials.
//
// Errors: Invalid name, description or compartment; Exists; Limit.
var OracleCreateUser = Op[OracleCreateUserIn, *OracleUser]{
	Name:   "CreateUser",
	Grants: Names{AWS: "iam:CreateUser", OCI: "CreateUser"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleCreateUserIn) (Target, error) {
		return userTarget(&iam.User{Account: env.Call.Caller.Account, Name: in.Name, Path: "/"}), nil
	},
	Record: func(in OracleCreateUserIn) audit.Fields { return audit.Fields{"userName": clipped(in.Name)} },
	Do: func(env *Env, in OracleCreateUserIn) (*OracleUser, error) {
		return once(env, "CreateUser", in.Retry, func() (*OracleUser, error) { return env.createOracleUser(in) })
	},
}

func (env *Env) createOracleUser(in OracleCreateUserIn) (*OracleUser, error) {
	if err := env.inRoot(in.Compartment); err != nil {
		return nil, err
	}
	if err := checkOracleName(in.Name); err != nil {
		return nil, err
	}
	if err := iam.CheckName("name", in.Name, iam.MaxUserName); err != nil {
		return nil, err // the directory's own bound: the same user is one of other clouds'
	}
	x := iam.OracleExtras{Email: in.Email}
	if err := in.describe(env, &x.Description, &x.Tags, true); err != nil {
		return nil, err
	}
	if err := checkOracleEmail(in.Email); err != nil {
		return nil, err
	}
	if err := env.tagNew(0, &x.Tags); err != nil {
		return nil, err
	}
	if err := env.quota("UsersPerAccount", least(env.limits.Users, env.oracleLimits.Users), env.Tx.UserCount); err != nil {
		return nil, err
	}
	u := iam.User{Account: env.Call.Caller.Account, Name: in.Name, Path: "/", Created: env.Now}
	var err error
	if u.ID, err = name.NewID(env.rand); err != nil {
		return nil, fault.Wrap(err, "create a user")
	}
	if err := env.Tx.InsertUser(&u); err != nil {
		return nil, err
	}
	if err := env.Tx.SetOracleExtras(u.Account, u.ID, x); err != nil {
		return nil, err
	}
	return env.oracleUser(&u)
}

// describe takes over a description and tags that were sent; must says that there
// has to be a description.
func (d *Described) describe(env *Env, description *string, tags *iam.OracleTags, must bool) (err error) {
	if d.Description != nil {
		*description = *d.Description
	}
	if must || d.Description != nil {
		if err := checkDescribed(*description); err != nil {
			return err
		}
	}
	if err := env.checkDefined(d.Defined, tags.Defined); err != nil {
		return err
	}
	*tags, err = d.tags(*tags)
	return err
}

func checkOracleEmail(s string) error {
	if s == "" {
		return nil
	}
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || !strings.Contains(domain, ".") || len(s) > 255 || strings.ContainsAny(s, " \r\n\t<>,;") {
		return fault.Field("email", "email must be an address such as a@b.example, of at most 255 characters")
	}
	return nil
}

// OracleGetUser reads a user.
var OracleGetUser = Op[Matching, *OracleUser]{
	Name:   "GetUser",
	Grants: Names{AWS: "iam:GetUser", OCI: "GetUser"},
	Target: func(env *Env, in Matching) (Target, error) { return env.oracleUserTarget(in.ID, false) },
	Do: func(env *Env, in Matching) (*OracleUser, error) {
		u, err := env.oracleUserOf(in.ID)
		if err != nil {
			return nil, err
		}
		return env.oracleUser(u)
	},
}

// OracleListIn is the input of lists in a compartment.
type OracleListIn struct {
	Compartment string
	OracleList

	Of         name.ID // the noun that those listed are part of
	ID         name.ID // this one alone
	Definition name.ID // tag defaults of this tag alone
	Subtree    bool    // also in the compartments below the root
}

// OracleListUsers lists users by name.
var OracleListUsers = Op[OracleListIn, page.Page[OracleUser]]{
	Name:   "ListUsers",
	Grants: Names{AWS: "iam:ListUsers", OCI: "ListUsers"},
	Target: func(env *Env, in OracleListIn) (Target, error) {
		return Target{Noun: "users", Resources: []string{name.UserARN(env.Call.Caller.Account, "/", "")}}, nil
	},
	Do: func(env *Env, in OracleListIn) (out page.Page[OracleUser], err error) {
		out, err = principals(env, "OracleListUsers", in, env.Tx.Users, env.Tx.UserByName, func(u iam.User) string { return u.Name }, env.oracleUser)
		if in.State != "" {
			out.Items = slices.DeleteFunc(out.Items, func(u OracleUser) bool { return !strings.EqualFold(in.State, u.State()) })
		}
		return out, err
	},
}

// State is the user's lifecycle state.
func (u *OracleUser) State() string {
	if u.Blocked {
		return "INACTIVE"
	}
	return iam.OracleActive
}

// OracleUpdateUserIn is the input of OracleUpdateUser.
type OracleUpdateUserIn struct {
	Matching
	Email, DBName *string
	Described
}

// OracleUpdateUser changes what people read of a user.
var OracleUpdateUser = Op[OracleUpdateUserIn, *OracleUser]{
	Name:   "UpdateUser",
	Grants: Names{AWS: "iam:UpdateUser", OCI: "UpdateUser"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleUpdateUserIn) (Target, error) { return env.oracleUserTarget(in.ID, false) },
	Record: func(in OracleUpdateUserIn) audit.Fields { return audit.Fields{"user": in.ID.String()} },
	Do: func(env *Env, in OracleUpdateUserIn) (*OracleUser, error) {
		return env.changeOracleUser(in.Matching, func(x *iam.OracleExtras) error {
			if in.Email != nil {
				if err := checkOracleEmail(*in.Email); err != nil {
					return err
				}
				x.Email = *in.Email
			}
			if in.DBName != nil {
				x.DBName = *in.DBName
			}
			return in.describe(env, &x.Description, &x.Tags, false)
		})
	},
}

// changeOracleUser changes what Oracle keeps of a user, if it is as the client saw it.
func (env *Env) changeOracleUser(in Matching, change func(*iam.OracleExtras) error) (*OracleUser, error) {
	u, err := env.oracleUserOf(in.ID)
	if err != nil {
		return nil, err
	}
	seen, err := env.oracleUser(u)
	if err != nil {
		return nil, err
	}
	if err := matches(in.IfMatch, seen.ETag); err != nil {
		return nil, err
	}
	x := seen.Extras
	if err := change(&x); err != nil {
		return nil, err
	}
	if err := env.Tx.SetOracleExtras(u.Account, u.ID, x); err != nil {
		return nil, err
	}
	return env.oracleUser(u)
}

// OracleCapabilitiesIn is the input of UpdateUserCapabilities; nil leaves one as it is.
type OracleCapabilitiesIn struct {
	Matching
	Password, APIKeys, AuthTokens, SMTP, DB, SecretKeys, OAuth2 *bool
}

// UpdateUserCapabilities says which kinds of credentials a user may have. Those that
// it has already stay, and are good for nothing while it may not.
var UpdateUserCapabilities = Op[OracleCapabilitiesIn, *OracleUser]{
	Name:   "UpdateUserCapabilities",
	Grants: Names{AWS: "warifu:UpdateUserCapabilities", OCI: "UpdateUserCapabilities"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleCapabilitiesIn) (Target, error) {
		t, err := env.oracleUserTarget(in.ID, false)
		t.Also = []Need{{Grants: Names{AWS: "iam:UpdateUser"}}}
		return t, err
	},
	Record: func(in OracleCapabilitiesIn) audit.Fields { return audit.Fields{"user": in.ID.String()} },
	Do: func(env *Env, in OracleCapabilitiesIn) (*OracleUser, error) {
		out, err := env.changeOracleUser(in.Matching, func(x *iam.OracleExtras) error {
			c := (&OracleUser{Extras: *x}).Capabilities()
			for _, f := range []struct{ to, from *bool }{
				{&c.Password, in.Password}, {&c.APIKeys, in.APIKeys}, {&c.AuthTokens, in.AuthTokens}, {&c.SMTP, in.SMTP},
				{&c.DB, in.DB}, {&c.SecretKeys, in.SecretKeys}, {&c.OAuth2, in.OAuth2},
			} {
				if f.from != nil {
					*f.to = *f.from
				}
			}
			b, err := json.Marshal(c)
			x.Capabilities = string(b)
			return err
		})
		if err == nil && in.Password != nil && !*in.Password {
			_, err = env.Tx.DeleteSessions(env.Call.Caller.Account, in.ID, 0)
		}
		return out, err
	},
}

// OracleStateIn is the input of UpdateUserState.
type OracleStateIn struct {
	Matching
	Blocked *bool
}

// UpdateUserState lets a user in again who is blocked. Oracle's service blocks nobody
// by this operation, and neither does this.
//
// Errors: NotFound; Invalid unless Blocked is false; Denied, noun "above the caller".
// One who is not blocked stays so.
var UpdateUserState = Op[OracleStateIn, *OracleUser]{
	Name:   "UpdateUserState",
	Grants: Names{AWS: "warifu:UnblockUser", OCI: "UpdateUserState"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleStateIn) (Target, error) {
		t, err := blockTarget(env, BlockUserIn{User: Ref{ID: in.ID}})
		return t, err
	},
	Record: func(in OracleStateIn) audit.Fields { return audit.Fields{"user": in.ID.String(), "blocked": "false"} },
	Do: func(env *Env, in OracleStateIn) (*OracleUser, error) {
		if in.Blocked == nil || *in.Blocked {
			return nil, fault.Field("blocked", "blocked must be false: a user is blocked by wrong passwords, or by an administrator in the console")
		}
		out, err := env.changeOracleUser(in.Matching, func(*iam.OracleExtras) error { return nil })
		if err != nil || !out.Blocked {
			return out, err
		}
		if err := env.notAbove(&out.User); err != nil {
			return nil, err
		}
		if err := env.unblock(&out.User); err != nil {
			return nil, err
		}
		return env.oracleUser(&out.User)
	},
}

// OracleDeleteUser deletes a user that is in no group, with its credentials.
//
// Errors: NotFound; Conflict while it is in a group or has policies.
var OracleDeleteUser = Op[Matching, struct{}]{
	Name:   "DeleteUser",
	Grants: Names{AWS: "iam:DeleteUser", OCI: "DeleteUser"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in Matching) (Target, error) { return env.oracleUserTarget(in.ID, false) },
	Record: func(in Matching) audit.Fields { return audit.Fields{"user": in.ID.String()} },
	Do: func(env *Env, in Matching) (none struct{}, err error) {
		u, err := env.oracleUserOf(in.ID)
		if err != nil {
			return none, err
		}
		seen, err := env.oracleUser(u)
		if err != nil {
			return none, err
		}
		if err := matches(in.IfMatch, seen.ETag); err != nil {
			return none, err
		}
		if err := env.mayEnd(u); err != nil {
			return none, err
		}
		return none, env.deleteOracleUser(u)
	},
}

// deleteOracleUser deletes a user and what it signs in or signs with.
func (env *Env) deleteOracleUser(u *iam.User) error {
	groups, err := env.Tx.GroupsOfCount(u.Account, u.ID)
	if err != nil {
		return err
	}
	if groups > 0 {
		return fault.Of(fault.Conflict, "group memberships", "")
	}
	if err := env.noPolicies(iam.KindUser, u.ID); err != nil {
		return err
	}
	keys, err := env.Tx.Keys(u.Account, u.ID, "", 100)
	for i := 0; i < len(keys) && err == nil; i++ {
		err = env.Tx.DeleteKey(u.Account, u.ID, keys[i].ID)
	}
	if err != nil {
		return err
	}
	factors, err := env.Tx.Factors(u.Account, u.ID)
	for i := 0; i < len(factors) && err == nil; i++ {
		err = env.dropFactor(&factors[i])
	}
	if err == nil {
		err = ignoreMissing(env.Tx.DeleteLoginProfile(u.Account, u.ID))
	}
	if err == nil {
		_, err = env.Tx.DeleteSessions(u.Account, u.ID, 0)
	}
	if err == nil {
		err = env.Tx.DeleteOracleExtras(u.Account, u.ID)
	}
	if err != nil {
		return err
	}
	return env.Tx.DeleteUser(u.Account, u.ID)
}

// OraclePassword is a one-time password for the console.
type OraclePassword struct {
	User    name.ID
	Created time.Time
	ETag    string
	Plain   seal.Secret `json:"-"`
}

func (p *OraclePassword) secret() *seal.Secret { return &p.Plain }

// OracleUserIn names a user in a request that makes something of it.
type OracleUserIn struct {
	User  name.ID
	Retry Retry

	plain seal.Secret
	hash  string
}

// CreateOrResetUIPassword gives a user a password for the console that must be changed
// at the first sign-in. A user may do it for itself without any policy.
var CreateOrResetUIPassword = Op[OracleUserIn, *OraclePassword]{
	Name:   "CreateOrResetUIPassword",
	Grants: Names{AWS: "iam:UpdateLoginProfile", OCI: "CreateOrResetUIPassword"},
	Mode:   Write,
	Needs:  freshly,
	Before: func(ctx context.Context, s *Server, _ *Call, in OracleUserIn) (_ OracleUserIn, err error) {
		raw, err := randomText(s.rand, 15, base64.RawURLEncoding)
		if err != nil {
			return in, fault.Wrap(err, "make a password")
		}
		in.plain = seal.NewSecret([]byte("aA1!" + string(raw.Reveal()))) // of each class that a policy may ask for
		in.hash, err = s.passwords.Hash(ctx, s.rand, in.plain)
		return in, err
	},
	Target: func(env *Env, in OracleUserIn) (Target, error) { return env.oracleUserTarget(in.User, true) },
	Record: func(in OracleUserIn) audit.Fields { return audit.Fields{"user": in.User.String()} },
	Do: func(env *Env, in OracleUserIn) (*OraclePassword, error) {
		return once(env, "CreateOrResetUIPassword", in.Retry, func() (*OraclePassword, error) {
			u, err := env.capable(in.User, "console password", func(c *OracleCapabilities) bool { return c.Password })
			if err != nil {
				return nil, err
			}
			p := &iam.LoginProfile{User: u.ID, Created: env.Now}
			if old, err := env.Tx.LoginProfile(u.Account, u.ID); err == nil {
				p = old // what others said of it stays: that it lets nobody in, that it asks for a factor
			} else if ignoreMissing(err) != nil {
				return nil, err
			}
			p.Hash, p.ResetRequired, p.Changed = in.hash, true, env.Now
			if err := env.Tx.PutLoginProfile(u.Account, p); err != nil {
				return nil, err
			}
			if _, err := env.Tx.DeleteSessions(u.Account, u.ID, 0); err != nil {
				return nil, err
			}
			return &OraclePassword{User: u.ID, Created: env.Now, ETag: etagOf(u.ID, env.Now), Plain: in.plain}, env.notify(u, iam.NoticePasswordChanged, "")
		})
	},
}

// capable reads a user who may have a kind of credential, for an operation that
// makes one.
//
// Errors: NotFound; Unmodifiable when the user may not; Denied, noun "above the
// caller".
func (env *Env) capable(id name.ID, what string, may func(*OracleCapabilities) bool) (*iam.User, error) {
	u, err := env.oracleUserOf(id)
	if err == nil {
		err = env.notAbove(u)
	}
	if err != nil {
		return nil, err
	}
	x, err := env.Tx.OracleExtras(u.Account, u.ID)
	if err != nil {
		return nil, err
	}
	if c := (&OracleUser{Extras: x}).Capabilities(); !may(&c) {
		return nil, fault.New(fault.Unmodifiable, "the user may not have a %s: UpdateUserCapabilities says so", what)
	}
	return u, nil
}

// OracleMay tells whether a user may use a kind of credential.
func oracleMay(tx *store.Tx, a name.Account, user name.ID, may func(*OracleCapabilities) bool) (bool, error) {
	x, err := tx.OracleExtras(a, user)
	if err != nil {
		return false, err
	}
	c := (&OracleUser{Extras: x}).Capabilities()
	return may(&c), nil
}

// GetUserUIPasswordInformation tells when a user's password was set.
var GetUserUIPasswordInformation = Op[Matching, *OraclePassword]{
	Name:   "GetUserUIPasswordInformation",
	Grants: Names{AWS: "iam:GetLoginProfile", OCI: "GetUserUIPasswordInformation"},
	Target: func(env *Env, in Matching) (Target, error) { return env.oracleUserTarget(in.ID, true) },
	Do: func(env *Env, in Matching) (*OraclePassword, error) {
		u, err := env.oracleUserOf(in.ID)
		if err != nil {
			return nil, err
		}
		p, err := env.loginProfile(u)
		if err != nil {
			return nil, err
		}
		return &OraclePassword{User: u.ID, Created: p.Changed, ETag: etagOf(u.ID, p.Changed)}, nil
	},
}
