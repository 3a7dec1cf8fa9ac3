package ops

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/reqsig/dpop"
	"warifu/internal/seal"
	"warifu/internal/sts"
	"warifu/policy"
)

// refreshGrace is for how long after a refresh the token before the newest is
// still taken, for the same answer: a command line may run twice at once, or
// stop before it has written down what it got (AWS: "idempotent").
const refreshGrace = 2 * time.Minute

// The nouns of what the token endpoint refuses.
const (
	nounProof   = "proof of possession"
	nounCode    = "authorization code"
	nounDevice  = "device code"
	nounCLI     = "command line"
	notAnswered = "not answered"
	tooSoon     = "too soon"
)

// Possession is the proof that came with a request for tokens (RFC 9449).
type Possession struct {
	Proof string   // the DPoP header
	URLs  []string // by which the endpoint is known: the proof names one
}

// possession verifies a proof, uses it up, and names its key.
func (env *Env) possession(p Possession) (key string, err error) {
	proof, err := dpop.Verify(p.Proof, "POST", env.Now)
	if err != nil {
		return "", &fault.Error{Kind: fault.Unauthenticated, Noun: nounProof, What: "the DPoP proof is not good", Err: err}
	}
	target, _, _ := strings.Cut(proof.URL, "?") // RFC 9449, section 4.2: without query and fragment
	target, _, _ = strings.Cut(target, "#")
	if !slices.Contains(p.URLs, target) {
		return "", &fault.Error{Kind: fault.Unauthenticated, Noun: nounProof, What: "the DPoP proof was made for another address"}
	}
	fresh, err := env.Tx.Burn("dpop", proof.Thumbprint+" "+proof.ID, proof.Issued.Add(2*dpop.Life))
	if err != nil {
		return "", err
	}
	if !fresh {
		return "", &fault.Error{Kind: fault.Unauthenticated, Noun: nounProof, What: "the DPoP proof was used before"}
	}
	return proof.Thumbprint, nil
}

// CLITokens is what a command line gets.
type CLITokens struct {
	sts.Credentials
	Account name.Account
	ARN     string      // of the user
	Refresh seal.Secret // for the next ones
	IDToken string      // who it is (JWT); "" after a refresh
	Ends    time.Time   // when no refresh helps any more
}

// asCLI makes the user of a command line the caller, with what was proved when
// it was approved, so that policy is asked about the user.
func (env *Env) asCLI(l *iam.CLILogin) (err error) {
	c := Caller{Account: l.Account, Kind: policy.User, MFA: MFA{Known: true}}
	if !l.MFAAt.IsZero() {
		c.MFA.Present, c.MFA.At, c.MFA.Methods = true, l.MFAAt, l.MFAMethods
	}
	if c.revision, err = env.Tx.Revision(l.Account); err != nil {
		return err
	}
	if err := loadUser(env.Tx, &c, l.User); err != nil {
		return err
	}
	c.beRoot()
	wanted, err := env.preferencesOf(env.Tx, c.Account, c.revision)
	if err != nil {
		return err
	}
	if !c.User.Root && !wanted.Admits(env.Call.Source.IP) {
		return errCLIEnded // as a session is from there (security checklist N-2)
	}
	env.Call.Caller = c
	env.ev.Account, env.ev.Actor = c.Account, c.actor()
	env.ev.MFA = audit.MFA{Known: true, Present: c.MFA.Present, Methods: c.MFA.Methods}
	if c.MFA.Present {
		env.ev.MFA.At = c.MFA.At.UnixMicro()
	}
	env.rules, err = env.principalOf(&env.Call.Caller)
	return err
}

// cliTokens mints credentials for a command line. They live for as long as was
// asked, and never beyond the command line itself; what they say of MFA is what
// was proved when it was approved.
func (env *Env) cliTokens(l *iam.CLILogin, kept time.Duration) (*CLITokens, error) {
	c := &env.Call.Caller
	life := CLICredentialLife
	if kept > 0 {
		life = min(kept, CLIKeptLife)
	}
	life = min(life, l.Expires.Sub(env.Now))
	if life < time.Second {
		return nil, errCLIEnded
	}
	claims := sts.Claims{Kind: sts.KindUserSession, Account: c.Account, User: c.User.ID, Remembered: l.Remembered}
	prove(&claims, &c.MFA)
	made, err := env.mint(&claims, life)
	if err != nil {
		return nil, err
	}
	return &CLITokens{
		Credentials: made.Credentials, Account: c.Account, ARN: c.User.ARN(), Refresh: env.refreshToken(l), Ends: l.Expires,
	}, nil
}

var errCLIEnded = fault.Of(fault.Expired, nounCLI, "")

// refreshToken spells the refresh token of a command line's generation: its id,
// the generation, and a code that only this server can make. Nothing of it is
// kept, and the same generation has the same token.
func (s *Server) refreshToken(l *iam.CLILogin) seal.Secret {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(l.ID))
	binary.BigEndian.PutUint64(b[8:], uint64(l.Generation))
	return seal.NewSecret([]byte(refreshPrefix + base64.RawURLEncoding.EncodeToString(s.refreshMAC(b[:]))))
}

const refreshPrefix = "wref_"

func (s *Server) refreshMAC(b []byte) []byte {
	key := s.keys.ring().Derive("refresh tokens of command lines")
	mac := hmac.New(sha256.New, key[:])
	mac.Write(b)
	return mac.Sum(b)
}

// parseRefresh reads a refresh token (S-6: no byte less, more or other).
func (s *Server) parseRefresh(token seal.Secret) (id name.ID, generation int64, ok bool) {
	text, ok := strings.CutPrefix(string(token.Reveal()), refreshPrefix)
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(b) != 16+sha256.Size || strings.ContainsAny(text, "\r\n") {
		return 0, 0, false
	}
	if !hmac.Equal(s.refreshMAC(slices.Clone(b[:16])), b) {
		return 0, 0, false
	}
	return name.ID(binary.BigEndian.Uint64(b[:8])), int64(binary.BigEndian.Uint64(b[8:16])), true
}

// idToken says who a command line acts for (OpenID Connect Core, section 2). AWS's
// command line reads the subject from it, which names its cache, and verifies
// nothing; nobody else gets it, so it is authenticated with a key of ours.
func (env *Env) idToken(l *iam.CLILogin) (string, error) {
	c := &env.Call.Caller
	claims := map[string]any{"sub": c.User.ARN(), "aud": l.Client, "iat": env.Now.Unix(), "exp": env.Now.Add(CLICredentialLife).Unix()}
	if c.MFA.Present {
		claims["amr"], claims["auth_time"] = append([]string{"mfa"}, c.MFA.Methods...), c.MFA.At.Unix()
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", fault.Wrap(err, "write an id token")
	}
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc.EncodeToString(body)
	key := env.keys.ring().Derive("id tokens of command lines")
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte(text))
	return text + "." + enc.EncodeToString(mac.Sum(nil)), nil
}

// RedeemCLICodeIn redeems the code of a command line that was approved.
type RedeemCLICodeIn struct {
	Client   string
	Code     seal.Secret
	Redirect string
	Verifier seal.Secret
	Kept     time.Duration // how long the credentials are wanted for; 0 = CLICredentialLife
	Possession

	login *iam.CLILogin
}

// RedeemCLICode makes credentials of a code, once, and binds what follows to the
// key that the request proves to hold. A code that comes a second time was
// stolen by one of the two who had it: the command line ends (RFC 6749, section
// 4.1.2; security checklist F-4).
//
// Errors: Denied, noun "authorization code", for a code that is unknown, used, or
// does not go with the rest; Unauthenticated, noun "proof of possession"; Denied
// by policy.
var RedeemCLICode = Op[*RedeemCLICodeIn, *CLITokens]{
	Name:       "RedeemCLICode",
	Grants:     Names{AWS: "signin:CreateOAuth2Token"},
	Permission: UnlessDenied,
	Mode:       Write,
	Target: func(env *Env, in *RedeemCLICodeIn) (t Target, err error) {
		t = Target{Noun: nounCLI}
		key, err := env.possession(in.Possession)
		if err != nil {
			return t, err
		}
		if in.login, err = env.codeOf(in); err != nil {
			return t, err
		}
		return env.useCode(in.login, key, errBadCLICode)
	},
	Record: func(in *RedeemCLICodeIn) audit.Fields {
		return audit.Fields{"clientId": clipped(in.Client), "grantType": "authorization_code"}
	},
	Do: func(env *Env, in *RedeemCLICodeIn) (*CLITokens, error) { return env.firstTokens(in.login, in.Kept) },
}

var errBadCLICode = fault.Of(fault.Denied, nounCode, "")

// codeOf finds the command line of a code and checks everything that the code is
// bound to.
func (env *Env) codeOf(in *RedeemCLICodeIn) (*iam.CLILogin, error) {
	if !isToken(codeToken, in.Code) {
		return nil, errBadCLICode
	}
	l, err := env.Tx.CLILoginByCode(hashToken(in.Code))
	if fault.Is(err, fault.NotFound) {
		return nil, errBadCLICode
	}
	if err != nil {
		return nil, err
	}
	if l.Client != in.Client || l.Redirect != in.Redirect || !fitsChallenge(l.Challenge, in.Verifier) {
		return nil, errBadCLICode
	}
	return l, nil
}

// useCode uses a code up for whoever holds a key, and makes the user the caller;
// bad is the error when it is good no more.
func (env *Env) useCode(l *iam.CLILogin, key string, bad error) (t Target, err error) {
	t = Target{Noun: nounCLI, ID: l.ID, Resources: []string{name.CLIClientARN(l.Account, remote(l.Client))}}
	if err := env.asCLI(l); err != nil {
		if fault.Is(err, fault.NotFound) { // gone, or blocked
			err = bad
		}
		return t, err
	}
	if l.Generation > 0 {
		if err := env.Tx.DeleteCLILogin(l.Account, l.User, l.ID); err != nil {
			return t, err
		}
		if err := env.notify(&env.Call.Caller.User, iam.NoticeCLIReused, l.Source); err != nil {
			return t, err
		}
		return t, refuse(bad)
	}
	used, err := env.Tx.UseCLICode(l.ID, key, env.source(), clipped(env.Call.Source.UserAgent), env.Now)
	if err == nil && !used {
		err = bad
	}
	l.Generation, l.Key = 1, key
	return t, err
}

// firstTokens are what a code is redeemed for.
func (env *Env) firstTokens(l *iam.CLILogin, kept time.Duration) (*CLITokens, error) {
	t, err := env.cliTokens(l, kept)
	if err != nil {
		return nil, err
	}
	t.IDToken, err = env.idToken(l)
	return t, err
}

// RedeemDeviceCodeIn asks whether a command line was approved.
type RedeemDeviceCodeIn struct {
	Client string
	Code   seal.Secret
	Kept   time.Duration // how long the credentials are wanted for; 0 = CLICredentialLife
	Possession

	login *iam.CLILogin
}

// RedeemDeviceCode makes credentials of a device code that was approved, once.
//
// Errors, noun "device code": Throttled, named "not answered" or "too soon";
// Denied when it was refused; Expired when it is unknown, used, or has run out.
// Unauthenticated, noun "proof of possession"; Denied by policy.
var RedeemDeviceCode = Op[*RedeemDeviceCodeIn, *CLITokens]{
	Name:       "RedeemDeviceCode",
	Grants:     Names{AWS: "signin:CreateOAuth2Token"},
	Permission: UnlessDenied,
	Mode:       Write,
	Target: func(env *Env, in *RedeemDeviceCodeIn) (t Target, err error) {
		t = Target{Noun: nounCLI}
		key, err := env.possession(in.Possession)
		if err != nil {
			return t, err
		}
		if in.login, err = env.answeredDevice(in, key); err != nil {
			return t, err
		}
		return env.useCode(in.login, key, errDeviceGone)
	},
	Record: func(in *RedeemDeviceCodeIn) audit.Fields {
		return audit.Fields{"clientId": clipped(in.Client), "grantType": "device_code"}
	},
	Do: func(env *Env, in *RedeemDeviceCodeIn) (*CLITokens, error) { return env.firstTokens(in.login, in.Kept) },
}

var errDeviceGone = fault.Of(fault.Expired, nounDevice, "")

// answeredDevice finds the command line of a device code that was approved.
func (env *Env) answeredDevice(in *RedeemDeviceCodeIn, key string) (*iam.CLILogin, error) {
	if !isToken(deviceToken, in.Code) {
		return nil, errDeviceGone
	}
	hash := hashToken(in.Code)
	d, err := env.Tx.DeviceRequest(hash, env.Now)
	if fault.Is(err, fault.NotFound) {
		return nil, errDeviceGone
	}
	switch {
	case err != nil:
		return nil, err
	case d.Client != in.Client || d.Key != key: // it is bound to whoever asked first
		return nil, errDeviceGone
	case d.Answer == iam.DeviceRefused:
		return nil, fault.Of(fault.Denied, nounDevice, "")
	case d.Answer == "":
		waited, err := env.Tx.PollDeviceRequest(hash, DeviceInterval, env.Now)
		if err != nil {
			return nil, err
		}
		why := notAnswered
		if !waited {
			why = tooSoon
		}
		return nil, refuse(fault.Of(fault.Throttled, nounDevice, why))
	}
	l, err := env.Tx.CLILoginByCode(hash)
	if fault.Is(err, fault.NotFound) {
		return nil, errDeviceGone
	}
	return l, err
}

// RefreshCLILoginIn asks for the next credentials.
type RefreshCLILoginIn struct {
	Client string
	Token  seal.Secret
	Kept   time.Duration // how long the credentials are wanted for; 0 = CLICredentialLife
	Possession

	login *iam.CLILogin
}

// RefreshCLILogin makes the next credentials of a command line and a new refresh
// token. They say of MFA what the first ones said. It ends with the session in
// which it was approved being ended, with the user blocked or gone, and when a
// refresh token comes that was replaced a while ago: somebody else has it (F-4).
//
// Errors: Expired, noun "command line"; Unauthenticated, noun "proof of
// possession"; Denied by policy.
var RefreshCLILogin = Op[*RefreshCLILoginIn, *CLITokens]{
	Name:       "RefreshCLILogin",
	Grants:     Names{AWS: "signin:CreateOAuth2Token"},
	Permission: UnlessDenied,
	Mode:       Write,
	Target: func(env *Env, in *RefreshCLILoginIn) (t Target, err error) {
		t = Target{Noun: nounCLI}
		key, err := env.possession(in.Possession)
		if err != nil {
			return t, err
		}
		if in.login, err = env.refreshed(in, key); err != nil {
			return t, err
		}
		l := in.login
		return Target{Noun: nounCLI, ID: l.ID, Resources: []string{name.CLIClientARN(l.Account, remote(l.Client))}}, nil
	},
	Record: func(in *RefreshCLILoginIn) audit.Fields {
		return audit.Fields{"clientId": clipped(in.Client), "grantType": "refresh_token"}
	},
	Do: func(env *Env, in *RefreshCLILoginIn) (*CLITokens, error) { return env.cliTokens(in.login, in.Kept) },
}

// refreshed finds the command line of a refresh token, raises its generation, and
// makes the user the caller.
func (env *Env) refreshed(in *RefreshCLILoginIn, key string) (*iam.CLILogin, error) {
	l, generation, err := env.heldLogin(in.Client, in.Token, key)
	if err != nil {
		return nil, err
	}
	if err := env.asCLI(l); err != nil {
		if fault.Is(err, fault.NotFound) { // gone, or blocked
			err = errCLIEnded
		}
		return nil, err
	}
	if generation == l.Generation {
		raised, err := env.Tx.RenewCLILogin(l.ID, generation, env.Now)
		if err != nil {
			return nil, err
		}
		if raised {
			l.Generation++
			return l, nil
		}
		if l, err = env.Tx.CLILogin(l.ID, env.Now); err != nil { // another was quicker
			return nil, err
		}
	}
	if generation == l.Generation-1 && env.Now.Sub(l.Refreshed) < refreshGrace {
		return l, nil
	}
	if err := env.Tx.DeleteCLILogin(l.Account, l.User, l.ID); err != nil {
		return nil, err
	}
	if err := env.notify(&env.Call.Caller.User, iam.NoticeCLIReused, l.Source); err != nil {
		return nil, err
	}
	return nil, refuse(errCLIEnded)
}

// heldLogin finds the command line of a refresh token that came with the key it
// is bound to.
func (env *Env) heldLogin(client string, token seal.Secret, key string) (*iam.CLILogin, int64, error) {
	id, generation, ok := env.parseRefresh(token)
	if !ok {
		return nil, 0, errCLIEnded
	}
	l, err := env.Tx.CLILogin(id, env.Now)
	if fault.Is(err, fault.NotFound) {
		return nil, 0, errCLIEnded
	}
	if err != nil {
		return nil, 0, err
	}
	if l.Client != client || l.Key != key || generation < 1 || generation > l.Generation {
		return nil, 0, errCLIEnded
	}
	return l, generation, nil
}

// LeaveCLILoginIn ends a command line by its own refresh token.
type LeaveCLILoginIn struct {
	Client string
	Token  seal.Secret
	Possession
}

// LeaveCLILogin ends a command line that asks for it itself (RFC 7009). A token
// that is none is no error.
//
// Errors: Unauthenticated, noun "proof of possession".
var LeaveCLILogin = Op[LeaveCLILoginIn, struct{}]{
	Name:       "LeaveCLILogin",
	Grants:     Names{AWS: "signin:LeaveCLILogin"},
	Permission: Always,
	Mode:       Write,
	Target:     func(*Env, LeaveCLILoginIn) (Target, error) { return Target{Noun: nounCLI}, nil },
	Record:     func(in LeaveCLILoginIn) audit.Fields { return audit.Fields{"clientId": clipped(in.Client)} },
	Do: func(env *Env, in LeaveCLILoginIn) (none struct{}, err error) {
		key, err := env.possession(in.Possession)
		if err != nil {
			return none, err
		}
		l, _, err := env.heldLogin(in.Client, in.Token, key)
		if errors.Is(err, errCLIEnded) {
			return none, nil
		}
		if err != nil {
			return none, err
		}
		if err := env.asCLI(l); err != nil && !fault.Is(err, fault.NotFound) {
			return none, err
		}
		return none, env.Tx.DeleteCLILogin(l.Account, l.User, l.ID)
	},
}
