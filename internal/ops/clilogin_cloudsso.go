package ops

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
)

// Alibaba Cloud's command line, in its mode CloudSSO, shows a code as any device does
// (RFC 8628), proves by a verifier that it is the one that asked (RFC 7636), and gets
// an access token. With that it asks for credentials until the token ends, which is
// when the session ends in which somebody approved it. It proves to hold no key: the
// token is all that it has.

// CloudSSOConfiguration is the only access configuration there is: whoever signed in,
// with all that this user may. Roles are assumed with those credentials.
const CloudSSOConfiguration = "ac-own-permissions"

const cloudPrefix = "wsso_"

// BeginCloudSSOLoginIn is a command line that asks for a code.
type BeginCloudSSOLoginIn struct {
	Client    string
	Challenge string // base64url(SHA-256(verifier))
	Method    string // of the challenge: S256
}

// BeginCloudSSOLogin gives a command line its codes. Anybody may ask; nothing comes of
// it until somebody who is signed in approves.
//
// Errors: Invalid, naming the parameter; Throttled when too many wait.
var BeginCloudSSOLogin = Op[BeginCloudSSOLoginIn, *DeviceLogin]{
	Name:       "BeginDeviceLogin",
	Grants:     BeginDeviceLogin.Grants,
	Permission: Always,
	Mode:       Write,
	Target:     func(*Env, BeginCloudSSOLoginIn) (Target, error) { return Target{Noun: nounCLI}, nil },
	Record: func(in BeginCloudSSOLoginIn) audit.Fields {
		return audit.Fields{"clientId": clipped(in.Client)}
	},
	Do: func(env *Env, in BeginCloudSSOLoginIn) (*DeviceLogin, error) {
		if in.Client != ClientCloudSSO {
			return nil, fault.Field("ClientId", "ClientId must be %s", ClientCloudSSO)
		}
		if in.Method != "S256" {
			return nil, fault.Field("CodeChallengeMethod", "CodeChallengeMethod must be S256")
		}
		if sum, err := base64.RawURLEncoding.Strict().DecodeString(in.Challenge); err != nil || len(sum) != sha256.Size {
			return nil, fault.Field("CodeChallenge", "CodeChallenge must be a SHA-256 in base64url, of %d characters", challenged)
		}
		return env.beginDevice(in.Client, in.Challenge)
	},
}

// RedeemCloudSSOCodeIn asks whether a command line was approved.
type RedeemCloudSSOCodeIn struct {
	Client   string
	Code     seal.Secret
	Verifier seal.Secret

	login *iam.CLILogin
}

// CloudSSOToken is what a command line asks for credentials with.
type CloudSSOToken struct {
	Token seal.Secret
	Ends  time.Time
}

// RedeemCloudSSOCode makes a token of a device code that was approved, once.
//
// Errors: as RedeemDeviceCode's of the noun "device code".
var RedeemCloudSSOCode = Op[*RedeemCloudSSOCodeIn, *CloudSSOToken]{
	Name:       "RedeemDeviceCode",
	Grants:     RedeemDeviceCode.Grants,
	Permission: UnlessDenied,
	Mode:       Write,
	Target: func(env *Env, in *RedeemCloudSSOCodeIn) (t Target, err error) {
		t = Target{Noun: nounCLI}
		v := in.Verifier.Reveal()
		if len(v) < 43 || len(v) > 128 { // RFC 7636, section 4.1
			return t, errDeviceGone
		}
		sum := sha256.Sum256(v)
		key := base64.RawURLEncoding.EncodeToString(sum[:])
		if in.login, err = env.answeredDevice(&RedeemDeviceCodeIn{Client: in.Client, Code: in.Code}, key); err != nil {
			return t, err
		}
		return env.useCode(in.login, key, errDeviceGone)
	},
	Record: func(in *RedeemCloudSSOCodeIn) audit.Fields {
		return audit.Fields{"clientId": clipped(in.Client), "grantType": "device_code"}
	},
	Do: func(env *Env, in *RedeemCloudSSOCodeIn) (*CloudSSOToken, error) {
		return &CloudSSOToken{env.cloudToken(in.login), in.login.Expires}, nil
	},
}

// cloudToken spells the access token of a command line: its id and a code that only
// this server can make. Nothing of it is kept.
func (s *Server) cloudToken(l *iam.CLILogin) seal.Secret {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(l.ID))
	return seal.NewSecret([]byte(cloudPrefix + base64.RawURLEncoding.EncodeToString(s.cloudMAC(b[:]))))
}

func (s *Server) cloudMAC(b []byte) []byte {
	key := s.keys.ring().Derive("access tokens of command lines")
	mac := hmac.New(sha256.New, key[:])
	mac.Write(b)
	return mac.Sum(append([]byte(nil), b...))
}

// CloudSSOIn comes with the token that a command line has.
type CloudSSOIn struct {
	Token         seal.Secret
	Account       string // as it was told; "" where it asks for the first time
	Configuration string

	login *iam.CLILogin
}

// loginOf finds the command line of a token, and makes its user the caller.
func (env *Env) loginOf(token seal.Secret) (*iam.CLILogin, error) {
	text, ok := strings.CutPrefix(string(token.Reveal()), cloudPrefix)
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(b) != 8+sha256.Size || strings.ContainsAny(text, "\r\n") || !hmac.Equal(env.cloudMAC(b[:8]), b) {
		return nil, errCLIEnded
	}
	l, err := env.Tx.CLILogin(name.ID(binary.BigEndian.Uint64(b[:8])), env.Now)
	if err == nil && (l.Client != ClientCloudSSO || l.Generation < 1) {
		err = errCLIEnded
	}
	if err == nil {
		err = env.asCLI(l)
	}
	if fault.Is(err, fault.NotFound) { // ended, or the user is gone or blocked
		err = errCLIEnded
	}
	return l, err
}

// cloudTarget is what policy is asked about.
func cloudTarget(env *Env, in *CloudSSOIn) (t Target, err error) {
	t = Target{Noun: nounCLI}
	if in.login, err = env.loginOf(in.Token); err != nil {
		return t, err
	}
	a := env.Call.Caller.Account
	if in.Account != "" && in.Account != a.UID() {
		return t, fault.Of(fault.NotFound, "account", in.Account)
	}
	if in.Configuration != "" && in.Configuration != CloudSSOConfiguration {
		return t, fault.Of(fault.NotFound, "access configuration", in.Configuration)
	}
	t.ID, t.Resources = in.login.ID, []string{name.CLIClientARN(a, true)}
	return t, nil
}

// CloudSSOAccount is the account that a command line can have credentials of.
type CloudSSOAccount struct {
	Account name.Account
	Alias   string
	User    string
}

// GetCloudSSOAccount tells a command line whom it acts for.
//
// Errors: Expired, noun "command line"; NotFound account.
var GetCloudSSOAccount = Op[*CloudSSOIn, *CloudSSOAccount]{
	Name:       "GetCloudSSOAccount",
	Grants:     Names{AWS: "signin:CreateOAuth2Token"},
	Permission: UnlessDenied,
	Target:     cloudTarget,
	Do: func(env *Env, _ *CloudSSOIn) (*CloudSSOAccount, error) {
		c := &env.Call.Caller
		a, err := env.Tx.Account(c.Account)
		if err != nil {
			return nil, err
		}
		return &CloudSSOAccount{c.Account, a.Alias, c.User.Name}, nil
	},
}

// CreateCloudSSOCredentials makes credentials for a command line. They say of MFA what
// was proved when somebody approved it, and live for CLIKeptLife, since the command
// line keeps them in a file; at most until its token ends.
//
// Errors: Expired, noun "command line"; NotFound account or access configuration;
// Denied by policy.
var CreateCloudSSOCredentials = Op[*CloudSSOIn, *CLITokens]{
	Name:       "CreateCloudSSOCredentials",
	Grants:     Names{AWS: "signin:CreateOAuth2Token"},
	Permission: UnlessDenied,
	Mode:       Write,
	Target:     cloudTarget,
	Record: func(in *CloudSSOIn) audit.Fields {
		return audit.Fields{"clientId": ClientCloudSSO, "accessConfigurationId": clipped(in.Configuration)}
	},
	Do: func(env *Env, in *CloudSSOIn) (*CLITokens, error) { return env.cliTokens(in.login, CLIKeptLife) },
}
