package ops

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/policy"
	"warifu/policy/aws/managed"
	"warifu/policy/ram/system"
)

// administrator is the managed policy that the first user gets.
const administrator = "AdministratorAccess"

// Set-up links: a one-time token in the link that the first start prints, with
// which the administrator chooses a password.
const (
	SetupPurpose = "setup"
	SetupLife    = 24 * time.Hour // long enough to be fetched from a log the next morning

	setupTokenSize = 32
)

// BootstrapIn says what the first account is called.
type BootstrapIn struct {
	Account name.Account // 0 = random
	Alias   string       // "" = none
	Admin   string       // name of the administrator; "" means admin
}

// Bootstrapped is what the first start shows once.
type Bootstrapped struct {
	Account         name.Account
	Alias           string
	Admin           iam.User
	AccessKeyID     string
	SecretAccessKey seal.Secret
	SetupToken      seal.Secret
}

// Bootstrapped reports whether there is an account.
func (s *Server) Bootstrapped(ctx context.Context) (bool, error) {
	var n int
	err := s.store.View(ctx, func(tx *store.Tx) error {
		accounts, err := tx.Accounts()
		n = len(accounts)
		return err
	})
	return n > 0, err
}

// Bootstrap makes the first account: its root user, who has no credentials, and
// an administrator with a key and a set-up token. It is for the host, not for
// any door.
//
// Errors: Exists when there is an account, which is then left as it is; Invalid.
func (s *Server) Bootstrap(ctx context.Context, in BootstrapIn) (*Bootstrapped, error) {
	if in.Admin == "" {
		in.Admin = "admin"
	}
	if err := iam.CheckName("adminUser", in.Admin, iam.MaxUserName); err != nil {
		return nil, err
	}
	if in.Alias != "" {
		if err := checkAlias(in.Alias); err != nil {
			return nil, err
		}
	}
	if in.Account == 0 {
		var err error
		if in.Account, err = name.NewAccount(s.rand); err != nil {
			return nil, fault.Wrap(err, "create an account")
		}
	}
	if err := s.SyncManaged(ctx); err != nil {
		return nil, err
	}
	call := Call{Caller: Caller{Account: in.Account}, Source: Source{Door: "host"}, RequestID: s.newID(), At: s.now()}
	ev := s.newEvent(&call, "Bootstrap", "warifu:Bootstrap", false)
	ev.Actor.Kind = "system"
	ev.Target = audit.Target{Noun: "account", Name: in.Account.String(), ARN: name.RootARN(in.Account)}
	var made *Bootstrapped
	err := s.update(ctx, func(tx *store.Tx) (err error) {
		made, err = s.firstAccount(tx, in, call.At)
		return err
	}, &ev)
	return made, err
}

// firstAccount makes account and users, if there is no account yet.
func (s *Server) firstAccount(tx *store.Tx, in BootstrapIn, now time.Time) (*Bootstrapped, error) {
	accounts, err := tx.Accounts()
	if err != nil {
		return nil, err
	}
	if len(accounts) > 0 {
		return nil, fault.Of(fault.Exists, "account", accounts[0].ID.String())
	}
	if err := tx.InsertAccount(&iam.Account{ID: in.Account, Alias: in.Alias, Created: now}); err != nil {
		return nil, err
	}
	root := iam.User{Account: in.Account, Root: true, Path: "/", Created: now}
	admin := iam.User{Account: in.Account, Name: in.Admin, Path: "/", Created: now}
	for _, u := range []*iam.User{&root, &admin} {
		if u.ID, err = name.NewID(s.rand); err != nil {
			return nil, fault.Wrap(err, "create a user")
		}
		if err := tx.InsertUser(u); err != nil {
			return nil, err
		}
	}
	p, err := tx.PolicyByPathName(0, "/", administrator)
	if err != nil {
		return nil, fault.Wrap(err, "find "+administrator)
	}
	if _, err := tx.Attach(in.Account, iam.KindUser, admin.ID, p.ID); err != nil {
		return nil, err
	}
	k, err := s.newKey(tx, &admin, now, iam.LanguageAWS)
	if err != nil {
		return nil, err
	}
	if err := tx.InsertKey(&k.AccessKey); err != nil {
		return nil, err
	}
	token, err := s.newSetupToken(tx, &admin, now)
	return &Bootstrapped{
		Account: in.Account, Alias: in.Alias, Admin: admin,
		AccessKeyID: k.ID, SecretAccessKey: k.Plain, SetupToken: token,
	}, err
}

// newSetupToken makes a set-up token for a user; the account's older ones end.
func (s *Server) newSetupToken(tx *store.Tx, u *iam.User, now time.Time) (seal.Secret, error) {
	token, err := randomText(s.rand, setupTokenSize, base64.RawURLEncoding)
	if err != nil {
		return token, fault.Wrap(err, "make a set-up token")
	}
	if _, err := tx.DeleteTokens(u.Account, SetupPurpose); err != nil {
		return token, err
	}
	return token, tx.InsertToken(&store.Token{
		Hash: hashToken(token), Purpose: SetupPurpose, Account: u.Account, User: u.ID, Expires: now.Add(SetupLife),
	})
}

// hashToken is what is kept of a token: it has 256 bits, so a plain hash will
// do.
func hashToken(token seal.Secret) []byte {
	sum := sha256.Sum256(token.Reveal())
	return sum[:]
}

// NewSetupToken makes another set-up token for a user, on the host, where the
// first one was lost or has run out. A token that was not used yet ends.
//
// Errors: NotFound user; Conflict once root has a password: from then on the link
// would be a way around its factors.
func (s *Server) NewSetupToken(ctx context.Context, account name.Account, user string) (token seal.Secret, err error) {
	call := Call{Caller: Caller{Account: account}, Source: Source{Door: "host"}, RequestID: s.newID(), At: s.now()}
	ev := s.newEvent(&call, "NewSetupToken", "warifu:NewSetupToken", false)
	ev.Actor.Kind = "system"
	ev.Target = audit.Target{Noun: "user", Name: user}
	err = s.update(ctx, func(tx *store.Tx) error {
		u, err := tx.UserByName(account, user)
		if err != nil {
			return err
		}
		if err := notSetUp(tx, account); err != nil {
			return err
		}
		token, err = s.newSetupToken(tx, u, call.At)
		return err
	}, &ev)
	return token, err
}

// notSetUp refuses an account whose root user can sign in.
func notSetUp(tx *store.Tx, account name.Account) error {
	root, err := tx.RootUser(account)
	if err != nil {
		return err
	}
	_, err = tx.LoginProfile(account, root.ID)
	if err == nil {
		return fault.Of(fault.Conflict, "root user", "root")
	}
	return ignoreMissing(err)
}

// SyncManaged brings the managed policies that exist from the start up to those
// of this program. Call it at every start.
func (s *Server) SyncManaged(ctx context.Context) error {
	all := managed.All()
	list := make([]store.VendorPolicy, len(all))
	for i, p := range all {
		number, err := strconv.Atoi(strings.TrimPrefix(p.DefaultVersion, "v"))
		if err != nil {
			return fault.Wrap(err, "read the version of "+p.Name)
		}
		list[i] = store.VendorPolicy{Document: p.Document, Policy: iam.Policy{
			ID: name.FixedID(p.ARN), Language: iam.LanguageAWS, Name: p.Name, Path: p.Path, Description: p.Description,
			Default: number, Latest: number, Created: p.Created, Updated: p.Updated,
		}}
	}
	for _, p := range system.All() {
		list = append(list, store.VendorPolicy{Document: p.Document, Policy: iam.Policy{
			ID: name.FixedID(name.RAM(name.AlibabaVendor, "policy", p.Name)), Account: name.AlibabaVendor, Language: iam.LanguageRAM, Name: p.Name, Path: "/",
			Description: p.Description, Default: p.Version, Latest: p.Version, Created: p.Created, Updated: p.Created,
		}})
	}
	return s.store.Update(ctx, func(tx *store.Tx) error { return tx.SyncVendorPolicies(list) })
}

// SetupUser tells for whom a set-up token is, without using it.
//
// Errors: NotFound for a token that is unknown, used or has run out.
func (s *Server) SetupUser(ctx context.Context, token seal.Secret) (u *iam.User, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) error {
		t, err := tx.Token(SetupPurpose, hashToken(token), s.now())
		if err != nil {
			return err
		}
		u, err = tx.UserByID(t.Account, t.User)
		return err
	})
	return u, err
}

// CompleteSetup uses a set-up token to choose its user's password. call says
// where it comes from; it has no caller.
//
// Errors: NotFound for a token that is unknown, used or has run out;
// WeakPassword, which leaves the token good; Throttled.
func (s *Server) CompleteSetup(ctx context.Context, call Call, token, fresh seal.Secret) error {
	u, err := s.SetupUser(ctx, token) // before the work of hashing
	if err != nil {
		return err
	}
	call.At, call.Caller = s.now(), Caller{Account: u.Account, Kind: policy.User, User: *u}
	t, err := s.try(ctx, &call, Ref{}, seal.Secret{}, fresh)
	if err != nil {
		return err
	}
	ev := s.newEvent(&call, "CompleteSetup", "warifu:CompleteSetup", false)
	ev.Target = audit.Target{Noun: "user", Name: u.Name, ID: u.ID, ARN: u.ARN()}
	return s.update(ctx, func(tx *store.Tx) error {
		used, err := tx.ConsumeToken(SetupPurpose, hashToken(token), call.At)
		if err != nil {
			return err
		}
		env := &Env{Context: ctx, Server: s, Call: call, Tx: tx, Now: call.At}
		if err := env.goodPassword(u, fresh, &t); err != nil {
			return err
		}
		return tx.PutLoginProfile(used.Account, &iam.LoginProfile{User: used.User, Hash: t.hash, Created: call.At, Changed: call.At})
	}, &ev)
}
