package ops

import (
	"context"
	"crypto/rsa"
	"encoding/hex"
	"io"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	sig "warifu/internal/reqsig/oci"
	"warifu/internal/seal"
	"warifu/internal/store"
)

// Lives of session tokens (OCI documentation; oci-cli).
const (
	MinOracleSession   = 5 * time.Minute
	MaxOracleSession   = 60 * time.Minute
	oracleSessionChain = 24 * time.Hour // after which no refresh helps any more
)

// OracleSession is a session token.
type OracleSession struct {
	User    name.ID
	Expires time.Time
	Plain   seal.Secret `json:"-"`

	claims *sig.Claims
}

// oracleClaims are the claims of a session that begins now.
func (env *Env) oracleClaims(u *iam.User, public *rsa.PublicKey, life time.Duration) (*sig.Claims, error) {
	id := make([]byte, 16)
	if _, err := io.ReadFull(env.rand, id); err != nil {
		return nil, fault.Wrap(err, "begin a session")
	}
	return &sig.Claims{
		Subject: u.ID.OCID(name.OCIUser), Tenant: u.Account.Tenancy(), Issuer: sig.TokenIssuer, Aud: sig.TokenAudience, Kind: sig.TokenKind,
		Ptype: "user", ID: hex.EncodeToString(id), Issued: env.Now.Unix(), Expires: env.Now.Add(life).Unix(),
		Ends: env.Now.Add(oracleSessionChain).Unix(), JWK: sig.JWK(public),
	}, nil
}

// SignOracle signs the token of a session. It is done outside the transaction: it
// takes a millisecond, and may have to make the key first.
func (s *Server) SignOracle(ctx context.Context, o *OracleSession) error {
	key, err := s.oracleTokenKey(ctx)
	if err != nil {
		return err
	}
	token, err := sig.SignToken(s.rand, key, o.claims)
	if err != nil {
		return fault.Wrap(err, "sign a session token")
	}
	o.Plain = seal.NewSecret([]byte(token))
	return nil
}

// GenerateUPSTIn is the input of GenerateUPST.
type GenerateUPSTIn struct {
	Key     string // PEM
	Minutes int    // 0 = 60
}

// GenerateUPST begins a session for whoever signs the request. It proves no second
// factor: one that is proved by a session's token is not handed on.
//
// Errors: Invalid key or life.
var GenerateUPST = Op[GenerateUPSTIn, *OracleSession]{
	Name:       "GenerateUpst",
	Grants:     Names{AWS: "sts:GetSessionToken"},
	Permission: UnlessDenied,
	Mode:       Write,
	Needs:      freshly,
	Target:     func(env *Env, _ GenerateUPSTIn) (Target, error) { return env.userTarget(Ref{}) },
	Record:     func(GenerateUPSTIn) audit.Fields { return nil },
	Do: func(env *Env, in GenerateUPSTIn) (*OracleSession, error) {
		life := MaxOracleSession
		if in.Minutes != 0 {
			life = time.Duration(in.Minutes) * time.Minute
		}
		if life < MinOracleSession || life > MaxOracleSession {
			return nil, fault.Field("sessionExpirationInMinutes", "sessionExpirationInMinutes must be 5 to 60")
		}
		public, err := sig.ParsePublicKey(in.Key)
		if err != nil {
			return nil, fault.Field("publicKey", "publicKey must be an RSA public key in PEM: %v", err)
		}
		u, err := env.oracleUserOf(env.Call.Caller.User.ID)
		if err != nil {
			return nil, err
		}
		claims, err := env.oracleClaims(u, public, life)
		if err != nil {
			return nil, err
		}
		if o := env.Call.Caller.Oracle; o != nil {
			claims.Key = o.Fingerprint
		}
		if t := env.Call.Caller.Oracle.token(); t != nil {
			claims.Login, claims.Key = t.Login, t.Key // it ends with what began that one
			// A session does not outlive the one that began it, nor does its first token.
			claims.Ends = min(claims.Ends, t.Ends)
			if claims.Expires = min(claims.Expires, claims.Ends); claims.Expires <= claims.Issued {
				return nil, errNotOracle
			}
		}
		return &OracleSession{User: u.ID, Expires: time.Unix(claims.Expires, 0), claims: claims}, nil
	},
}

// token is the session's; nil for an API key, and at other doors.
func (c *OracleCredential) token() *sig.Claims {
	if c == nil {
		return nil
	}
	return c.Token
}

// RefreshUPST gives a session another token: the same session with what it proved,
// and for as long as the first token was good, but not beyond the session's end.
//
// Errors: Unauthenticated unless the request is signed with the session, or when it
// has ended.
var RefreshUPST = Op[seal.Secret, *OracleSession]{
	Name:       "RefreshUpst",
	Grants:     Names{AWS: "sts:GetSessionToken"},
	Permission: UnlessDenied,
	Mode:       Write,
	Needs:      freshly,
	Target:     func(env *Env, _ seal.Secret) (Target, error) { return env.userTarget(Ref{}) },
	Record:     func(seal.Secret) audit.Fields { return nil },
	Do: func(env *Env, current seal.Secret) (*OracleSession, error) {
		t := env.Call.Caller.Oracle.token()
		if t == nil {
			return nil, errNotOracle
		}
		key := env.oracleToken.Load() // the request's own token was opened with it
		if key == nil {
			return nil, errNotOracle
		}
		sent, err := sig.OpenToken(string(current.Reveal()), &key.PublicKey, env.Now)
		if err != nil || sent.ID != t.ID {
			return nil, errNotOracle
		}
		if err := env.oracleRefreshed(t); err != nil {
			return nil, err
		}
		fresh := *t
		life := t.Expires - t.Issued
		fresh.Issued = env.Now.Unix()
		if fresh.Expires = min(fresh.Issued+life, t.Ends); fresh.Expires <= fresh.Issued {
			return nil, errNotOracle
		}
		return &OracleSession{User: env.Call.Caller.User.ID, Expires: time.Unix(fresh.Expires, 0), claims: &fresh}, nil
	},
}

// InspectOracleLogin says what the page of a command line tells before somebody
// approves.
//
// Errors: Unauthenticated when nobody is signed in.
var InspectOracleLogin = Op[struct{}, *CLIConsent]{
	Name:       "InspectOracleLogin",
	Grants:     Names{AWS: "sts:GetSessionToken"},
	Permission: UnlessDenied,
	Target:     func(env *Env, _ struct{}) (Target, error) { return env.userTarget(Ref{}) },
	Do: func(env *Env, _ struct{}) (*CLIConsent, error) {
		c := &env.Call.Caller
		if c.Console == nil {
			return nil, errNoSession
		}
		out := env.consent(ClientSameDevice)
		if most := env.Now.Add(MaxOracleSession); out.Expires.After(most) {
			out.Expires = most
		}
		return out, nil
	},
}

// BeginOracleIn is the input of BeginOracleSession: the public key of the command line,
// as it is in the address of the page.
type BeginOracleIn struct{ JWK string }

// BeginOracleSession begins a session of a command line for a person who is signed in
// to the console, and who has proved there what the token then says.
//
// Errors: Invalid key; Unauthenticated when nobody is signed in.
var BeginOracleSession = Op[BeginOracleIn, *OracleSession]{
	Name:       "BeginOracleSession",
	Grants:     Names{AWS: "sts:GetSessionToken"},
	Permission: UnlessDenied,
	Mode:       Write,
	Needs:      freshly,
	Target:     func(env *Env, _ BeginOracleIn) (Target, error) { return env.userTarget(Ref{}) },
	Record:     func(BeginOracleIn) audit.Fields { return nil },
	Do: func(env *Env, in BeginOracleIn) (*OracleSession, error) {
		c := &env.Call.Caller
		if c.Console == nil {
			return nil, errNoSession
		}
		public, err := sig.ParseJWK(in.JWK)
		if err != nil {
			return nil, fault.Field("public_key", "public_key must be an RSA key of 2048 bits or more as a JWK in base64url: %v", err)
		}
		u, err := env.oracleUserOf(c.User.ID)
		if err != nil {
			return nil, err
		}
		life := MaxOracleSession
		if left := c.Console.Expires.Sub(env.Now); left < life {
			life = left
		}
		claims, err := env.oracleClaims(u, public, life)
		if err != nil {
			return nil, err
		}
		login, err := env.oracleLogin()
		if err != nil {
			return nil, err
		}
		claims.Proofs, claims.Login, claims.Ends = env.oracleProofs(), int64(login.ID), min(claims.Ends, login.Expires.Unix())
		return &OracleSession{User: u.ID, Expires: time.Unix(claims.Expires, 0), claims: claims}, nil
	},
}

// The client and the address to which a command line of Oracle's has its token sent.
const (
	oracleClient   = "iaas_console"
	oracleRedirect = "http://localhost:8181"
)

// oracleLogin keeps that the caller approved a command line of Oracle's. It is listed and
// ended like any other, and what ends the caller's session ends it: no token is good
// without it. Its one-time code is nobody's.
func (env *Env) oracleLogin() (*iam.CLILogin, error) {
	code, err := env.newToken(codeToken)
	if err != nil {
		return nil, err
	}
	l := &iam.CLILogin{
		Client: oracleClient, Redirect: oracleRedirect, Code: hashToken(code), CodeEnds: env.Now, Refreshed: env.Now, Generation: 1,
		Source: env.source(), UserAgent: clipped(env.Call.Source.UserAgent),
	}
	return l, env.approveCLI(l)
}

// oracleRefreshed notes that a session that somebody approved got another token.
func (env *Env) oracleRefreshed(t *sig.Claims) error {
	if t.Login == 0 {
		return nil
	}
	l, err := env.Tx.CLILogin(name.ID(t.Login), env.Now)
	if err == nil {
		_, err = env.Tx.RenewCLILogin(l.ID, l.Generation, env.Now)
	}
	return ignoreUnknown(err)
}

// oracleProofs are what the person proved in the console, device by device: each counts
// for as long as the person has that device. A remembered browser proves nothing.
func (env *Env) oracleProofs() (all []sig.Proof) {
	for _, p := range env.Call.Caller.Console.Proved {
		if p.Method.Second() && p.Factor != 0 {
			all = append(all, sig.Proof{Method: string(p.Method), At: p.At.UnixMicro(), Factor: int64(p.Factor)})
		}
	}
	return all
}

// AddOracleKeyFor gives a user a public key. It is for the host, not for any door. Each
// keep is called before the key counts, maybe more than once; if it fails, there is no key.
func (s *Server) AddOracleKeyFor(ctx context.Context, user, key string, keep ...func(*OracleAPIKey) error) (k *OracleAPIKey, err error) {
	now := s.now()
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		accounts, err := tx.Accounts()
		if err != nil {
			return err
		}
		for i := range accounts {
			u, err := tx.UserByName(accounts[i].ID, user)
			if fault.Is(err, fault.NotFound) {
				continue
			}
			if err != nil {
				return err
			}
			call := Call{Caller: Caller{Account: u.Account}, At: now, Source: Source{Door: "host", Service: "identity"}, RequestID: s.newID()}
			ev := s.newEvent(&call, UploadAPIKey.Name, UploadAPIKey.Grants.action(), false)
			env := &Env{Context: ctx, Server: s, Call: call, Tx: tx, Now: now, mode: Write, ev: &ev}
			if k, err = env.addAPIKey(u, key); err != nil {
				return err
			}
			ev.Target = audit.Target{Noun: "user", Name: u.Name, ID: u.ID, ARN: u.ARN()}
			ev.Params = audit.Fields{"fingerprint": k.Fingerprint}
			end(&ev, nil)
			for _, kept := range keep {
				if err := kept(k); err != nil {
					return err
				}
			}
			return tx.AppendEvents(ev)
		}
		return fault.Of(fault.NotFound, "user", strings.TrimSpace(user))
	})
	return k, err
}
