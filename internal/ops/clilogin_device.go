package ops

import (
	"io"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/seal"
	"warifu/internal/signin"
)

// A command line without a browser shows a code that somebody types into one
// (RFC 8628).
const (
	DeviceLife     = 10 * time.Minute
	DeviceInterval = 5 * time.Second // between questions

	deviceToken = "wdev_"

	// userCodeLetters have no vowels, so that no code is a word, and no two that
	// look alike (RFC 8628, section 6.1): 20^8 codes, of which maxDevices exist.
	userCodeLetters = "BCDFGHJKLMNPQRSTVWXZ"
	userCodeSize    = 8

	maxDevices       = 2000 // that wait, in all: nobody can fill the disk (N-5)
	maxDevicesOfLine = 20   // of one customer's line
)

// BeginDeviceLoginIn is a command line that asks for a code.
type BeginDeviceLoginIn struct {
	Client string
	Possession
}

// DeviceLogin is what a command line shows, and with what it asks on.
type DeviceLogin struct {
	Code     seal.Secret // device code
	UserCode string      // as it is shown: WDJB-MJHT
	Life     time.Duration
	Interval time.Duration
}

// Pages are the addresses of the page that asks for the user code, and of the same
// with the code filled in. base is how people reach the server: never from what a
// request says (H-6).
func (d *DeviceLogin) Pages(base *url.URL) (empty, filled string) {
	page := *base
	page.Path, page.RawQuery = "/device", ""
	empty = page.String()
	page.RawQuery = url.Values{"user_code": {d.UserCode}}.Encode()
	return empty, page.String()
}

// BeginDeviceLogin gives a command line its codes. Anybody may ask; nothing comes
// of it until somebody who is signed in approves.
//
// Errors: Invalid client_id; Unauthenticated, noun "proof"; Throttled when too
// many wait.
var BeginDeviceLogin = Op[BeginDeviceLoginIn, *DeviceLogin]{
	Name:       "BeginDeviceLogin",
	Grants:     Names{AWS: "signin:BeginDeviceLogin"},
	Permission: Always,
	Mode:       Write,
	Target:     func(*Env, BeginDeviceLoginIn) (Target, error) { return Target{Noun: "command line"}, nil },
	Record:     func(in BeginDeviceLoginIn) audit.Fields { return audit.Fields{"clientId": clipped(in.Client)} },
	Do: func(env *Env, in BeginDeviceLoginIn) (*DeviceLogin, error) {
		if in.Client != ClientDevice {
			return nil, fault.Field("client_id", "client_id must be %s", ClientDevice)
		}
		key, err := env.possession(in.Possession)
		if err != nil {
			return nil, err
		}
		return env.beginDevice(in.Client, key)
	},
}

// beginDevice keeps a command line that waits, bound to what it will prove to hold:
// the thumbprint of a key, or a challenge.
func (env *Env) beginDevice(client, key string) (*DeviceLogin, error) {
	if err := env.roomForDevice(); err != nil {
		return nil, err
	}
	code, err := env.newToken(deviceToken)
	if err != nil {
		return nil, err
	}
	d := iam.DeviceRequest{
		Hash: hashToken(code), Client: client, Key: key, Source: env.source(), UserAgent: clipped(env.Call.Source.UserAgent),
		Created: env.Now, Expires: env.Now.Add(DeviceLife),
	}
	if d.UserCode, err = userCode(env.rand); err != nil {
		return nil, fault.Wrap(err, "draw a code")
	}
	if err := env.Tx.InsertDeviceRequest(&d); err != nil {
		return nil, err // one in 10^7: the client asks again
	}
	return &DeviceLogin{
		Code: code, UserCode: d.UserCode[:userCodeSize/2] + "-" + d.UserCode[userCodeSize/2:], Life: DeviceLife, Interval: DeviceInterval,
	}, nil
}

// roomForDevice refuses one more command line of a line that has enough waiting.
// When there are too many in all, the newest of the network with the most makes
// room, unless that is the network that asks: whoever has many addresses takes room
// from its own neighbours only (N-5). What was answered stays.
func (env *Env) roomForDevice() error {
	full := fault.New(fault.Throttled, "too many command lines wait to be signed in")
	waiting, err := env.Tx.WaitingDevices(env.Now, maxDevices)
	if err != nil {
		return err
	}
	line, own, crowd := lineOf(env.Call.Source.IP), 0, map[string]int{}
	heaviest := -1 // where the newest of the network with the most stands
	for i, w := range waiting {
		from, _ := netip.ParseAddr(w.Source) // none is an address, too
		if lineOf(from) == line {
			own++
		}
		crowd[signin.NetworkOf(from)]++
		waiting[i].Source = signin.NetworkOf(from)
	}
	for i, w := range waiting {
		if heaviest < 0 || crowd[w.Source] > crowd[waiting[heaviest].Source] {
			heaviest = i
		}
	}
	switch {
	case own >= maxDevicesOfLine:
		return full
	case len(waiting) < maxDevices:
		return nil
	case crowd[waiting[heaviest].Source] <= crowd[signin.NetworkOf(env.Call.Source.IP)]+1:
		return full
	}
	return env.Tx.DropDeviceRequest(waiting[heaviest].Hash)
}

// lineOf is one customer's line: an address, or the /64 of an IPv6 address (RFC
// 6177). "" when there is no address.
func lineOf(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil || !ip.IsValid() {
		return ""
	}
	return p.String()
}

// userCode draws a code without bias: 240 is twelve times the letters.
func userCode(rand io.Reader) (string, error) {
	code := make([]byte, 0, userCodeSize)
	for b := make([]byte, 1); len(code) < userCodeSize; {
		if _, err := io.ReadFull(rand, b); err != nil {
			return "", err
		}
		if n := int(b[0]); n < 12*len(userCodeLetters) {
			code = append(code, userCodeLetters[n%len(userCodeLetters)])
		}
	}
	return string(code), nil
}

// typedCode is a user code as people type it, brought into its form: any case,
// full-width letters, hyphens and spaces. "" when it is none.
func typedCode(s string) string {
	if len(s) > 256 {
		return ""
	}
	code := strings.Map(func(r rune) rune {
		if strings.ContainsRune(userCodeLetters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(norm.NFKC.String(s)))
	if len(code) != userCodeSize {
		return ""
	}
	return code
}

// DeviceCodeIn is the code that somebody typed.
type DeviceCodeIn struct{ UserCode string }

// waiting finds what waits with a code.
func (env *Env) waiting(in DeviceCodeIn) (*iam.DeviceRequest, error) {
	missing := fault.Of(fault.NotFound, "device code", "")
	code := typedCode(in.UserCode)
	if code == "" {
		return nil, missing
	}
	d, err := env.Tx.DeviceRequestOf(code, env.Now)
	if fault.Is(err, fault.NotFound) {
		return nil, missing
	}
	return d, err
}

// InspectDeviceLogin tells somebody who is signed in which command line waits
// with a code, and changes nothing.
//
// Errors: NotFound, noun "device code"; Unauthenticated; Denied by policy.
var InspectDeviceLogin = Op[DeviceCodeIn, *CLIConsent]{
	Name:       "InspectDeviceLogin",
	Grants:     Names{AWS: "signin:AuthorizeOAuth2Access"},
	Permission: UnlessDenied,
	Target:     func(env *Env, _ DeviceCodeIn) (Target, error) { return env.cliTarget(ClientDevice) },
	Do: func(env *Env, in DeviceCodeIn) (*CLIConsent, error) {
		d, err := env.waiting(in)
		if err != nil {
			return nil, err
		}
		consent := env.consent(d.Client)
		consent.Device = d
		return consent, nil
	},
}

// AnswerDeviceLoginIn approves or refuses what waits with a code.
type AnswerDeviceLoginIn struct {
	DeviceCodeIn
	Approve bool
}

// AnswerDeviceLogin approves or refuses a command line that waits.
//
// Errors: NotFound, noun "device code"; Unauthenticated; StepUp; Denied by policy.
var AnswerDeviceLogin = Op[AnswerDeviceLoginIn, struct{}]{
	Name:       "AnswerDeviceLogin",
	Grants:     Names{AWS: "signin:AuthorizeOAuth2Access"},
	Permission: UnlessDenied,
	Mode:       Write,
	Needs:      freshly,
	Target:     func(env *Env, _ AnswerDeviceLoginIn) (Target, error) { return env.cliTarget(ClientDevice) },
	Record: func(in AnswerDeviceLoginIn) audit.Fields {
		if in.Approve {
			return audit.Fields{"answer": string(iam.DeviceApproved)}
		}
		return audit.Fields{"answer": string(iam.DeviceRefused)}
	},
	Do: func(env *Env, in AnswerDeviceLoginIn) (none struct{}, err error) {
		d, err := env.waiting(in.DeviceCodeIn)
		if err != nil {
			return none, err
		}
		if !in.Approve {
			return none, env.Tx.AnswerDeviceRequest(d.Hash, iam.DeviceRefused, env.Now)
		}
		if err := env.Tx.AnswerDeviceRequest(d.Hash, iam.DeviceApproved, env.Now); err != nil {
			return none, err
		}
		return none, env.approveCLI(&iam.CLILogin{
			Client: d.Client, Code: d.Hash, CodeEnds: d.Expires, Key: d.Key, Source: d.Source, UserAgent: d.UserAgent,
		})
	},
}
