package ops

import (
	"context"
	"errors"
	"slices"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/internal/sts"
	"warifu/policy"
)

// Credential is what a door verifies a signature with, and who signed if it
// verifies.
type Credential struct {
	Caller Caller
	Secret seal.Secret
}

// Credential finds the secret of an access key. token is the session token that
// came with it, "" for a long-term key.
//
// Errors: Unauthenticated for a key that is unknown or inactive, or whose token
// is not its own; Expired for a session that has ended. Both are the same for
// every caller and say nothing about why.
func (s *Server) Credential(ctx context.Context, keyID, token string) (*Credential, error) {
	if token != "" {
		return s.sessionCredential(ctx, keyID, token)
	}
	if c, ok := s.cache.keys.get(keyID); ok {
		return c, nil // Run looks the key up again if the account has changed since
	}
	var c *Credential
	err := s.store.View(ctx, func(tx *store.Tx) (err error) {
		c, err = s.keyCredential(tx, keyID)
		return err
	})
	if err != nil {
		return nil, unauthenticated(err)
	}
	s.cache.keys.put(keyID, c)
	return c, nil
}

var errUnknownKey = fault.New(fault.Unauthenticated, "the access key is not known or not active")

// unauthenticated hides why a credential is no good, but not that the server
// could not tell.
func unauthenticated(err error) error {
	if fault.Is(err, fault.NotFound) {
		return errUnknownKey
	}
	return err
}

// keyCredential reads a long-term key and its user.
func (s *Server) keyCredential(tx *store.Tx, keyID string) (*Credential, error) {
	key, err := tx.Key(keyID)
	if err != nil {
		return nil, err
	}
	if key.Status != iam.KeyActive {
		return nil, errUnknownKey
	}
	c := &Credential{Caller: Caller{Account: key.Account, Kind: policy.User, AccessKey: keyID}}
	if c.Caller.revision, err = tx.Revision(key.Account); err != nil {
		return nil, err
	}
	if err := notBlocked(tx, key.Account, key.User); err != nil {
		return nil, err
	}
	u, err := tx.UserByID(key.Account, key.User)
	if err != nil {
		return nil, err
	}
	may, err := oracleMay(tx, key.Account, key.User, func(c *OracleCapabilities) bool { return c.SecretKeys })
	if err != nil {
		return nil, err
	}
	if !may {
		return nil, errUnknownKey
	}
	if c.Caller.User = *u; u.Root {
		c.Caller.Kind = policy.Root
	}
	c.Caller.arn = u.ARN()
	if c.Secret, err = s.keys.open(tx, keySecretPlace(keyID), key.Secret); err != nil {
		return nil, err
	}
	return c, nil
}

// keySecretPlace is where the secret of an access key is sealed.
func keySecretPlace(keyID string) seal.Place {
	return seal.Place{Table: string(store.SealedAccessKeys), Row: keyID, Column: "secret"}
}

// sessionCredential opens a session token. The principal behind it is read
// when the operation begins.
func (s *Server) sessionCredential(ctx context.Context, keyID, token string) (*Credential, error) {
	claims, secret, err := s.sessions.Open(token, keyID, s.now())
	switch {
	case errors.Is(err, sts.ErrExpired):
		return nil, fault.New(fault.Expired, "the session has expired")
	case err != nil:
		return nil, errUnknownKey
	}
	c := &Credential{Secret: secret, Caller: sessionCaller(claims, keyID)}
	if s.recall(&c.Caller) {
		return c, nil
	}
	err = s.store.View(ctx, func(tx *store.Tx) error { return s.loadSession(tx, &c.Caller) })
	if err != nil {
		return nil, unauthenticated(err)
	}
	return c, nil
}

// recall fills in the user or role behind a session from memory, as of the
// revision at which it was read there.
func (s *Server) recall(c *Caller) bool {
	known, ok := s.cache.principals.get(c.sessionOf())
	if !ok {
		return false
	}
	if c.Kind == policy.RoleSession {
		// Many users share a role: that the role is known says nothing of this one.
		at, ok := s.cache.standing.get(c.Session.User)
		if c.Session.User != 0 && (!ok || at.acting != known.revision) {
			return false
		}
		c.standing = at
	}
	c.User, c.Role, c.revision = known.user, known.role, known.revision
	c.beRoot()
	return true
}

// beRoot makes a session of the root user root's own.
func (c *Caller) beRoot() {
	if c.User.Root && c.Kind == policy.User {
		c.Kind = policy.Root
	}
}

func sessionCaller(claims *sts.Claims, keyID string) Caller {
	kind := policy.User
	switch claims.Kind {
	case sts.KindAssumedRole:
		kind = policy.RoleSession
	case sts.KindFederatedUser:
		kind = policy.FederatedUser
	}
	return Caller{
		Account: claims.Account, Kind: kind, Session: claims, AccessKey: keyID,
		MFA: MFA{Known: true, Present: claims.MFA, At: claims.MFAAt, Methods: claims.MFAMethods},
	}
}

// sessionOf is the id of the user or role whose session this is.
func (c *Caller) sessionOf() name.ID {
	if c.Kind == policy.RoleSession {
		return c.Session.Role
	}
	return c.Session.User
}

// loadSession reads the user or role behind a session. One that is gone, also
// one whose name another has since taken, ends the session; so does a block, or
// the end, of the user who began it, whichever account that is of (P-10).
func (s *Server) loadSession(tx *store.Tx, c *Caller) (err error) {
	if c.revision, err = tx.Revision(c.Account); err != nil {
		return err
	}
	if c.Session.User != 0 {
		at := standing{acting: c.revision}
		if at.home, err = tx.Standing(c.Session.User); err != nil {
			return err
		}
		if at.revision, err = tx.Revision(at.home); err != nil {
			return err
		}
		c.standing = at
		s.cache.standing.put(c.Session.User, at)
	}
	if c.Kind == policy.RoleSession {
		role, err := tx.RoleByID(c.Account, c.Session.Role)
		if err == nil {
			c.Role = *role
		}
		return err
	}
	user, err := tx.UserByID(c.Account, c.Session.User)
	if err != nil {
		return err
	}
	c.User = *user
	c.beRoot()
	return nil
}

// admit makes sure, inside the transaction, that the caller is still who the
// signature said, and finds the policies that speak of it.
func (env *Env) admit() error {
	c := &env.Call.Caller
	if c.Kind == policy.Anonymous {
		return nil
	}
	revision, err := env.revision(c.Account)
	if err != nil {
		return err
	}
	if c.Console != nil {
		if err := env.stillSignedIn(); err != nil {
			return err
		}
	} else if moved, err := env.moved(revision); err != nil {
		return err
	} else if moved {
		if err := env.readmit(); err != nil {
			return unauthenticated(err)
		}
	}
	if err := env.sinceRecovery(); err != nil {
		return err
	}
	env.rules, err = env.principalOf(c)
	return err
}

// sinceRecovery refuses session credentials of root's from before it was let back
// in: whoever had them may be why.
func (env *Env) sinceRecovery() error {
	c := &env.Call.Caller
	if c.Kind != policy.Root || c.Session == nil {
		return nil
	}
	wanted, err := env.preferencesOf(env.Tx, c.Account, c.revision)
	if err == nil && !c.Session.Issued.After(wanted.Root.Since) {
		err = fault.New(fault.Expired, "the session has expired")
	}
	return err
}

// moved reports whether anything has changed since the caller was looked up: in
// its account, or in that of the user who began its session.
func (env *Env) moved(revision int64) (bool, error) {
	c := &env.Call.Caller
	if revision != c.revision || c.standing.home == 0 || c.standing.home == c.Account {
		return revision != c.revision, nil
	}
	at, err := env.revision(c.standing.home)
	return at != c.standing.revision, err
}

// revision is the account's revision: exact inside a transaction that writes;
// for one that reads, as this process knows it, so that most reads never touch
// the database for it.
func (env *Env) revision(a name.Account) (int64, error) {
	if env.mode == Write {
		return env.Tx.Revision(a)
	}
	return env.store.Revision(env, a)
}

// readmit looks the caller up again after its account changed.
func (env *Env) readmit() error {
	c := &env.Call.Caller
	if c.Oracle != nil {
		return env.readmitOracle()
	}
	if c.Session != nil {
		fresh := *c
		if err := env.loadSession(env.Tx, &fresh); err != nil {
			return err
		}
		*c = fresh
		return nil
	}
	if c.AccessKey == "" {
		return nil // the host's own call: it has no credentials that could end
	}
	cred, err := env.keyCredential(env.Tx, c.AccessKey)
	if err != nil {
		env.cache.keys.drop(c.AccessKey)
		return err
	}
	env.cache.keys.put(c.AccessKey, cred)
	mfa := c.MFA
	*c = cred.Caller
	c.MFA = mfa
	return nil
}

// sessionRules are the hard rules of temporary credentials: what no policy can
// give them (AWS: "Compare AWS STS credentials").
func sessionRules(c *Caller, action string) error {
	if c.Session == nil {
		return nil
	}
	service, op := split(action)
	switch c.Session.Kind {
	case sts.KindUserSession:
		if service == "iam" && !c.MFA.Present {
			return &fault.Error{Kind: fault.Unauthenticated, Noun: "weak session", What: "a session without MFA cannot manage IAM"}
		}
		if service == "sts" && !slices.Contains([]string{"AssumeRole", "GetCallerIdentity"}, op) {
			return fault.New(fault.Denied, "Cannot call %s with session credentials", op)
		}
	case sts.KindFederatedUser:
		if service == "iam" {
			return &fault.Error{Kind: fault.Unauthenticated, Noun: "weak session", What: "a federated session cannot manage IAM"}
		}
		if service == "sts" && op != "GetCallerIdentity" {
			return fault.New(fault.Denied, "Cannot call %s with federation credentials", op)
		}
	case sts.KindAssumedRole:
		if service == "sts" && slices.Contains([]string{"GetSessionToken", "GetFederationToken"}, op) {
			return fault.New(fault.Denied, "Cannot call %s with session credentials", op)
		}
	}
	return nil
}
