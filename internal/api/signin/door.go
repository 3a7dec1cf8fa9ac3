package signin

import (
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"warifu/internal/body"
	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/seal"
)

// The endpoints.
const (
	TokenPath  = "/v1/token" // AWS's path, too
	DevicePath = "/v1/device_authorization"
	RevokePath = "/v1/revoke"
)

// maxBody bounds a request: tokens and codes take less than a kilobyte.
const maxBody = 16 << 10

// Config is what a Door needs.
type Config struct {
	Ops *ops.Server
	Log *slog.Logger

	// Client says where a request came from: the client's address, the chain
	// that trusted proxies reported, and whether the client used TLS.
	Client func(*http.Request) (ip netip.Addr, chain string, secure bool)

	// URL is how people reach the server: scheme, host and port.
	URL *url.URL
}

// Door serves the endpoints.
type Door struct{ Config }

// New returns the door.
func New(c Config) *Door { return &Door{c} }

// Owns reports whether a request is this door's.
func Owns(r *http.Request) bool {
	switch r.URL.Path {
	case TokenPath, DevicePath, RevokePath:
		return r.Header.Get("Authorization") == ""
	}
	return false
}

// request is one request on its way through the door.
type request struct {
	*http.Request
	call   ops.Call
	urls   []string // of the endpoint, as a proof may name it
	in     input
	asJSON bool // AWS's spelling, or else OAuth's
}

// input is what a request may say, in either spelling.
type input struct {
	ClientID     string `json:"clientId"`
	GrantType    string `json:"grantType"`
	Code         string `json:"code"`
	Verifier     string `json:"codeVerifier"`
	RedirectURI  string `json:"redirectUri"`
	RefreshToken string `json:"refreshToken"`
	Seconds      int    `json:"durationSeconds"` // ours: how long the credentials are wanted for

	DeviceCode string `json:"-"`
	Token      string `json:"-"` // to revoke
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	ip, chain, secure := d.Client(r)
	req := &request{Request: r, call: ops.Call{
		RequestID: d.Ops.NewRequestID(), At: d.Ops.Now(),
		Source: ops.Source{Door: "signin", Service: "signin", IP: ip, Chain: chain, Secure: secure, UserAgent: r.UserAgent()},
	}}
	h.Set("X-Amzn-Requestid", req.call.RequestID)
	if r.Method != http.MethodPost {
		h.Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	req.urls = d.names(r, secure)
	if err := req.read(w); err != nil {
		req.refuse(w, err)
		return
	}
	out, err := d.serve(req)
	if err != nil {
		req.refuse(w, err)
		return
	}
	send(w, http.StatusOK, out)
}

// names are the addresses by which the endpoint is known: the server's own, and
// the one that the client used.
func (d *Door) names(r *http.Request, secure bool) []string {
	own, used := *d.URL, url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path}
	own.Path = r.URL.Path
	if secure {
		used.Scheme = "https"
	}
	return []string{own.String(), used.String()}
}

var errUnreadable = fault.New(fault.Invalid, "the request cannot be read: JSON or a form of at most 16 KiB is expected, each parameter once")

// read reads the body.
func (req *request) read(w http.ResponseWriter) error {
	kind, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	req.asJSON = kind != "application/x-www-form-urlencoded"
	if err != nil || req.asJSON && kind != "application/json" || req.asJSON && req.URL.Path != TokenPath {
		return errUnreadable
	}
	sent, err := body.Read(w, req.Request, maxBody)
	if err != nil {
		return errUnreadable
	}
	if req.asJSON {
		if json.Unmarshal(sent, &req.in) != nil {
			return errUnreadable
		}
		return nil
	}
	return req.in.readForm(sent)
}

func (in *input) readForm(sent []byte) error {
	form, err := url.ParseQuery(string(sent))
	if err != nil {
		return errUnreadable
	}
	for name, values := range form {
		if len(values) != 1 { // RFC 6749, section 3.2: not more than once
			return errUnreadable
		}
		v := values[0]
		switch name {
		case "client_id":
			in.ClientID = v
		case "grant_type":
			in.GrantType = v
		case "code":
			in.Code = v
		case "code_verifier":
			in.Verifier = v
		case "redirect_uri":
			in.RedirectURI = v
		case "refresh_token":
			in.RefreshToken = v
		case "device_code":
			in.DeviceCode = v
		case "token":
			in.Token = v
		case "duration_seconds":
			if in.Seconds, err = strconv.Atoi(v); err != nil {
				return errUnreadable
			}
		}
	}
	return nil
}

// possession is the proof that came with the request: one, or none.
func (req *request) possession() ops.Possession {
	p := ops.Possession{URLs: req.urls}
	if all := req.Header.Values("DPoP"); len(all) == 1 {
		p.Proof = all[0]
	}
	return p
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// serve runs the operation of a request.
func (d *Door) serve(req *request) (any, error) {
	in := &req.in
	switch req.URL.Path {
	case DevicePath:
		return d.beginDevice(req)
	case RevokePath:
		_, err := ops.Run(req.Context(), d.Ops, req.call, ops.LeaveCLILogin, ops.LeaveCLILoginIn{
			Client: in.ClientID, Token: secret(in.Token), Possession: req.possession(),
		})
		return struct{}{}, err
	}
	if in.Seconds < 0 {
		return nil, fault.Field("duration_seconds", "duration_seconds must not be negative")
	}
	kept := time.Duration(in.Seconds) * time.Second
	var out *ops.CLITokens
	var err error
	switch in.GrantType {
	case "authorization_code":
		out, err = ops.Run(req.Context(), d.Ops, req.call, ops.RedeemCLICode, &ops.RedeemCLICodeIn{
			Client: in.ClientID, Code: secret(in.Code), Redirect: in.RedirectURI, Verifier: secret(in.Verifier), Kept: kept, Possession: req.possession(),
		})
	case "refresh_token":
		out, err = ops.Run(req.Context(), d.Ops, req.call, ops.RefreshCLILogin, &ops.RefreshCLILoginIn{
			Client: in.ClientID, Token: secret(in.RefreshToken), Kept: kept, Possession: req.possession(),
		})
	case deviceGrant:
		out, err = ops.Run(req.Context(), d.Ops, req.call, ops.RedeemDeviceCode, &ops.RedeemDeviceCodeIn{
			Client: in.ClientID, Code: secret(in.DeviceCode), Kept: kept, Possession: req.possession(),
		})
	default:
		return nil, errGrantType
	}
	if err != nil {
		return nil, err
	}
	return tokensOf(out, req.call.At), nil
}

var errGrantType = &fault.Error{
	Kind: fault.Unsupported, Noun: "grant type", What: "the grant type must be authorization_code, refresh_token or " + deviceGrant,
}

func secret(s string) seal.Secret { return seal.NewSecret([]byte(s)) }

// tokens is the answer of the token endpoint, as AWS has it.
type tokens struct {
	AccessToken  accessToken `json:"accessToken"`
	TokenType    string      `json:"tokenType"`
	ExpiresIn    int         `json:"expiresIn"` // seconds
	RefreshToken string      `json:"refreshToken"`
	IDToken      string      `json:"idToken,omitempty"`
	EndsIn       int         `json:"refreshTokenExpiresIn"` // ours: seconds until no refresh helps
	Subject      string      `json:"principalArn"`          // ours
	Account      string      `json:"accountId"`             // ours
}

type accessToken struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`
}

func tokensOf(t *ops.CLITokens, now time.Time) tokens {
	return tokens{
		AccessToken: accessToken{t.AccessKeyID, string(t.Secret.Reveal()), t.Token},
		TokenType:   "aws_sigv4", ExpiresIn: int(t.Expires.Sub(now) / time.Second), EndsIn: int(t.Ends.Sub(now) / time.Second),
		RefreshToken: string(t.Refresh.Reveal()), IDToken: t.IDToken, Subject: t.ARN, Account: t.Account.String(),
	}
}

// device is the answer of the device authorization endpoint (RFC 8628, section
// 3.2).
type device struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	URI        string `json:"verification_uri"`
	Complete   string `json:"verification_uri_complete"`
	ExpiresIn  int    `json:"expires_in"`
	Interval   int    `json:"interval"`
}

func (d *Door) beginDevice(req *request) (any, error) {
	out, err := ops.Run(req.Context(), d.Ops, req.call, ops.BeginDeviceLogin, ops.BeginDeviceLoginIn{
		Client: req.in.ClientID, Possession: req.possession(),
	})
	if err != nil {
		return nil, err
	}
	page, filled := out.Pages(d.URL)
	return device{
		DeviceCode: string(out.Code.Reveal()), UserCode: out.UserCode, URI: page, Complete: filled,
		ExpiresIn: int(out.Life / time.Second), Interval: int(out.Interval / time.Second),
	}, nil
}

func send(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b) //nolint:errcheck // the client has gone
}
