package ops

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
)

// A command line signs in through a browser: a person who is signed in to the
// console approves it, and it gets temporary credentials that carry what the
// person proved, a passkey included. Two ways lead there: OAuth's authorization
// code with PKCE (RFC 6749, 7636, 8252), as AWS's own command line has it, and a
// code that the person types in (RFC 8628). Each ends with a one-time code that
// is redeemed for credentials and a refresh token.

const (
	// CLICodeLife is for how long a code can be redeemed. It is copied by hand
	// where the browser is on another machine.
	CLICodeLife = 5 * time.Minute

	// CLICredentialLife is how long the credentials are good that are refreshed
	// without anybody (AWS: 900 s at most).
	CLICredentialLife = 15 * time.Minute

	// CLIKeptLife is how long they may be good at most where a client asks for
	// credentials to keep in a file. Nothing but a block of the user ends them.
	CLIKeptLife = time.Hour

	codeToken  = "wcod_"
	cliShown   = 50 // command lines of one user in lists; there are never more
	maxState   = 512
	maxTarget  = 2048
	challenged = 43 // characters of base64url(SHA-256)
)

// The clients that are known. The first two are those of AWS's command line and
// SDKs.
const (
	ClientSameDevice  = name.CLISameDevice
	ClientCrossDevice = name.CLICrossDevice
	ClientDevice      = "warifu-cli"
	ClientCloudSSO    = "app-vaz16tltdxs96audqf35" // of Alibaba Cloud's command line in its mode CloudSSO
)

// confirmationPath is where the code is shown that a person carries to another
// machine.
const confirmationPath = "/v1/sessions/confirmation"

// remote reports whether a client may be on another machine than the browser,
// which is what a phisher needs.
func remote(client string) bool { return client != ClientSameDevice }

// CLIRequest is what a command line asks for in the browser.
type CLIRequest struct {
	Client    string
	Redirect  string // where the code goes: this machine, or the page that shows it
	Challenge string // base64url(SHA-256(verifier))
	Method    string // of the challenge: S256, or as AWS spells it SHA-256
	State     string // given back as it came
	Type      string // response_type: code
}

// check refuses what no command line of the known ones asks for. Nothing is sent
// to a redirect that was refused.
func (in *CLIRequest) check() error {
	if in.Client != ClientSameDevice && in.Client != ClientCrossDevice {
		return fault.Field("client_id", "client_id must be that of the AWS command line: %s or %s", ClientSameDevice, ClientCrossDevice)
	}
	if in.Type != "code" {
		return fault.Field("response_type", "response_type must be code")
	}
	if in.Method != "SHA-256" && in.Method != "S256" {
		return fault.Field("code_challenge_method", "code_challenge_method must be SHA-256 (S256)")
	}
	if sum, err := base64.RawURLEncoding.Strict().DecodeString(in.Challenge); err != nil || len(sum) != sha256.Size {
		return fault.Field("code_challenge", "code_challenge must be a SHA-256 in base64url, of %d characters", challenged)
	}
	if len(in.State) > maxState {
		return fault.Field("state", "state must have at most %d characters", maxState)
	}
	u, err := url.Parse(in.Redirect)
	switch {
	case err != nil || len(in.Redirect) > maxTarget || u.User != nil || u.Fragment != "" || strings.ContainsFunc(in.Redirect, unsafeInRedirect):
	case in.Client == ClientSameDevice && u.Scheme == "http" && loopback(u) && u.Port() != "":
		return nil
	case in.Client == ClientCrossDevice && (u.Scheme == "http" || u.Scheme == "https") && u.Path == confirmationPath && u.RawQuery == "":
		return nil
	}
	return fault.Field("redirect_uri", "redirect_uri must be http://127.0.0.1:PORT/… or http://localhost:PORT/…, or for another machine …%s", confirmationPath)
}

// loopback reports whether a URL is of this very machine (RFC 8252, section 7.3).
func loopback(u *url.URL) bool {
	host := u.Hostname()
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && (ip == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || ip == netip.IPv6Loopback())
}

// unsafeInRedirect are characters that no URL holds as they are, and that
// browsers drop or read as something else.
func unsafeInRedirect(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }

// Remote reports whether the command line may be on another machine than the
// browser.
func (in *CLIRequest) Remote() bool { return remote(in.Client) }

// cliTarget is what policy is asked about: AWS's own resource for command lines.
// Who is signed in may, unless a statement denies it.
func (env *Env) cliTarget(client string) (Target, error) {
	c := &env.Call.Caller
	if c.Console == nil {
		return Target{Noun: "command line"}, errNoSession
	}
	return Target{Noun: "command line", Resources: []string{name.CLIClientARN(c.Account, remote(client))}}, nil
}

// CLIConsent is what the page says before somebody approves.
type CLIConsent struct {
	Remote  bool
	Client  string
	Expires time.Time // of what the command line gets
	MFA     MFA       // that its credentials will have
	Device  *iam.DeviceRequest
}

func (env *Env) consent(client string) *CLIConsent {
	c := &env.Call.Caller
	return &CLIConsent{Remote: remote(client), Client: client, Expires: c.Console.Expires, MFA: c.MFA}
}

// InspectCLILogin judges what a command line asks for and changes nothing: it is
// for GET.
//
// Errors: Unauthenticated when nobody is signed in; Invalid, naming the OAuth
// parameter; Denied by policy.
var InspectCLILogin = Op[CLIRequest, *CLIConsent]{
	Name:       "InspectCLILogin",
	Grants:     Names{AWS: "signin:AuthorizeOAuth2Access"},
	Permission: UnlessDenied,
	Target:     func(env *Env, in CLIRequest) (Target, error) { return env.cliTarget(in.Client) },
	Record:     func(in CLIRequest) audit.Fields { return audit.Fields{"clientId": clipped(in.Client)} },
	Do: func(env *Env, in CLIRequest) (*CLIConsent, error) {
		if err := in.check(); err != nil {
			return nil, err
		}
		return env.consent(in.Client), nil
	},
}

// CLIApproval is the code that an approved command line redeems.
type CLIApproval struct {
	Code    seal.Secret
	Expires time.Time
}

// ApproveCLILogin approves a command line. Its code is bound to the client, the
// redirect, the challenge and the session (security checklist F-4).
//
// Errors: as InspectCLILogin; StepUp.
var ApproveCLILogin = Op[CLIRequest, *CLIApproval]{
	Name:       "ApproveCLILogin",
	Grants:     Names{AWS: "signin:AuthorizeOAuth2Access"},
	Permission: UnlessDenied,
	Mode:       Write,
	Needs:      freshly,
	Target:     func(env *Env, in CLIRequest) (Target, error) { return env.cliTarget(in.Client) },
	Record: func(in CLIRequest) audit.Fields {
		return audit.Fields{"clientId": clipped(in.Client), "redirectUri": clipped(in.Redirect)}
	},
	Do: func(env *Env, in CLIRequest) (*CLIApproval, error) {
		if err := in.check(); err != nil {
			return nil, err
		}
		code, err := env.newToken(codeToken)
		if err != nil {
			return nil, err
		}
		l := iam.CLILogin{
			Client: in.Client, Redirect: in.Redirect, Challenge: in.Challenge, Code: hashToken(code), CodeEnds: env.Now.Add(CLICodeLife),
			Source: env.source(), UserAgent: clipped(env.Call.Source.UserAgent),
		}
		err = env.approveCLI(&l)
		env.ev.Target.ID = l.ID
		return &CLIApproval{Code: code, Expires: l.CodeEnds}, err
	},
}

// approveCLI keeps a command line that the caller approved, with what the caller
// has proved, and tells the user.
func (env *Env) approveCLI(l *iam.CLILogin) (err error) {
	c := &env.Call.Caller
	if l.ID, err = name.NewID(env.rand); err != nil {
		return fault.Wrap(err, "approve a command line")
	}
	l.Account, l.User, l.Session, l.Created, l.Expires = c.Account, c.User.ID, c.Console.ID, env.Now, c.Console.Expires
	if c.MFA.Present {
		l.MFAAt, l.MFAMethods = c.MFA.At, c.MFA.Methods
	}
	_, stood := c.Console.Remembered()
	_, proved := c.Console.Last(true)
	l.Remembered = stood && !proved
	if err := env.Tx.InsertCLILogin(l); err != nil {
		return err
	}
	return env.notify(&c.User, iam.NoticeCLILogin, l.Source)
}

// ListCLILogins lists a user's command lines, newest first. A zero Ref means the
// caller.
//
// Errors: NotFound user.
var ListCLILogins = Op[UserIn, []iam.CLILogin]{
	Name:   "ListCLILogins",
	Grants: Names{AWS: "warifu:ListSessions"},
	Target: func(env *Env, in UserIn) (Target, error) { return env.sessionsTarget(in.User) },
	Record: UserIn.record,
	Do: func(env *Env, in UserIn) ([]iam.CLILogin, error) {
		u, err := env.user(in.User)
		if err != nil {
			return nil, err
		}
		return env.Tx.CLILogins(u.Account, u.ID, env.Now, cliShown)
	},
}

// CLILoginIn names a command line of a user; a zero Ref means the caller.
type CLILoginIn struct {
	User  Ref
	Login name.ID
}

// EndCLILogin ends a command line: it gets no more credentials. Those that it has
// run out within minutes.
//
// Errors: NotFound user or command line, noun "command line".
var EndCLILogin = Op[CLILoginIn, struct{}]{
	Name:   "EndCLILogin",
	Grants: Names{AWS: "warifu:EndSession"},
	Mode:   Write,
	Target: func(env *Env, in CLILoginIn) (Target, error) { return env.sessionsTarget(in.User) },
	Record: func(in CLILoginIn) audit.Fields {
		return audit.Fields{"userName": in.User.String(), "commandLine": in.Login.String()}
	},
	Do: func(env *Env, in CLILoginIn) (none struct{}, err error) {
		u, err := env.user(in.User)
		if err != nil {
			return none, err
		}
		return none, env.Tx.DeleteCLILogin(u.Account, u.ID, in.Login)
	},
}

// fitsChallenge reports whether a verifier is the one of a challenge (RFC 7636,
// section 4.6).
func fitsChallenge(challenge string, verifier seal.Secret) bool {
	v := verifier.Reveal()
	if len(v) < 43 || len(v) > 128 {
		return false
	}
	sum := sha256.Sum256(v)
	return subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}
