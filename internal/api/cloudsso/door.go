package cloudsso

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"warifu/internal/body"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
)

// The endpoints. The command line takes nothing of its sign-in URL but scheme and host.
const (
	devicePath         = "/device-authorization"
	tokenPath          = "/token"
	accountsPath       = "/access-assignments/accounts"
	configurationsPath = "/access-assignments/access-configurations"
	credentialsPath    = "/cloud-credentials"
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
	case devicePath, tokenPath, accountsPath, configurationsPath, credentialsPath:
		return true
	}
	return false
}

// request is one request on its way through the door.
type request struct {
	*http.Request
	call ops.Call
	in   input
}

// input is what a request may say.
type input struct {
	ClientID  string `json:"ClientId"`
	Challenge string `json:"CodeChallenge"`
	Method    string `json:"CodeChallengeMethod"`
	Code      string `json:"DeviceCode"`
	Verifier  string `json:"CodeVerifier"`
	GrantType string `json:"GrantType"`

	Account       string `json:"AccountId"`
	Configuration string `json:"AccessConfigurationId"`
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	ip, chain, secure := d.Client(r)
	req := &request{Request: r, call: ops.Call{
		RequestID: strings.ToUpper(d.Ops.NewRequestID()), At: d.Ops.Now(),
		Source: ops.Source{
			Door: "cloudsso", Language: iam.LanguageRAM, Service: "cloudsso", IP: ip, Chain: chain, Secure: secure, UserAgent: r.UserAgent(),
		},
	}}
	serve, method := d.endpoint(r.URL.Path)
	if r.Method != method {
		w.Header().Set("Allow", method)
		http.Error(w, method+" only", http.StatusMethodNotAllowed)
		return
	}
	out, err := any(nil), req.read(w)
	if err == nil {
		out, err = serve(req)
	}
	if err != nil {
		d.refuse(w, req, err)
		return
	}
	send(w, http.StatusOK, out)
}

// endpoint is what serves a path, and its method.
func (d *Door) endpoint(path string) (func(*request) (any, error), string) {
	switch path {
	case devicePath:
		return d.beginDevice, http.MethodPost
	case tokenPath:
		return d.token, http.MethodPost
	case accountsPath:
		return d.accounts, http.MethodGet
	case configurationsPath:
		return d.configurations, http.MethodGet
	}
	return d.credentials, http.MethodPost
}

var errUnreadable = fault.New(fault.Invalid, "the request cannot be read: a JSON object of at most 16 KiB is expected")

// read reads the body of a POST.
func (req *request) read(w http.ResponseWriter) error {
	if req.Method == http.MethodGet {
		req.in.Account = req.URL.Query().Get("AccountId")
		return nil
	}
	sent, err := body.Read(w, req.Request, maxBody)
	if err != nil || json.Unmarshal(sent, &req.in) != nil {
		return errUnreadable
	}
	return nil
}

func secret(s string) seal.Secret { return seal.NewSecret([]byte(s)) }

// bearer is the token of a request, which decides whose it is.
func (req *request) bearer() *ops.CloudSSOIn {
	token := ""
	if all := req.Header.Values("Authorization"); len(all) == 1 {
		if scheme, rest, _ := strings.Cut(all[0], " "); strings.EqualFold(scheme, "Bearer") {
			token = rest
		}
	}
	return &ops.CloudSSOIn{Token: secret(token), Account: req.in.Account, Configuration: req.in.Configuration}
}

func (d *Door) beginDevice(req *request) (any, error) {
	out, err := ops.Run(req.Context(), d.Ops, req.call, ops.BeginCloudSSOLogin, ops.BeginCloudSSOLoginIn{
		Client: req.in.ClientID, Challenge: req.in.Challenge, Method: req.in.Method,
	})
	if err != nil {
		return nil, err
	}
	page, filled := out.Pages(d.URL)
	return map[string]any{
		"DeviceCode": string(out.Code.Reveal()), "UserCode": out.UserCode, "VerificationUri": page, "VerificationUriComplete": filled,
		"Interval": int(out.Interval / time.Second), "ExpiresIn": int(out.Life / time.Second), "RequestId": req.call.RequestID,
	}, nil
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

func (d *Door) token(req *request) (any, error) {
	if req.in.GrantType != deviceGrant {
		return nil, fault.Field("GrantType", "GrantType must be "+deviceGrant)
	}
	out, err := ops.Run(req.Context(), d.Ops, req.call, ops.RedeemCloudSSOCode, &ops.RedeemCloudSSOCodeIn{
		Client: req.in.ClientID, Code: secret(req.in.Code), Verifier: secret(req.in.Verifier),
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"AccessToken": string(out.Token.Reveal()), "TokenType": "Bearer", "ExpiresIn": int(out.Ends.Sub(req.call.At) / time.Second),
		"RequestId": req.call.RequestID,
	}, nil
}

func (d *Door) accounts(req *request) (any, error) {
	in := req.bearer()
	in.Account = "" // it is what is asked
	out, err := ops.Run(req.Context(), d.Ops, req.call, ops.GetCloudSSOAccount, in)
	if err != nil {
		return nil, err
	}
	shown := out.Alias
	if shown == "" {
		shown = out.Account.UID()
	}
	return map[string]any{
		"Accounts":    []map[string]string{{"AccountId": out.Account.UID(), "DisplayName": shown}},
		"IsTruncated": false, "RequestId": req.call.RequestID,
	}, nil
}

func (d *Door) configurations(req *request) (any, error) {
	out, err := ops.Run(req.Context(), d.Ops, req.call, ops.GetCloudSSOAccount, req.bearer())
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"AccessConfigurationsForAccount": []map[string]string{{
			"AccessConfigurationId": ops.CloudSSOConfiguration, "AccessConfigurationName": out.User, "AccessConfigurationDescription": "The permissions of the user " + out.User,
		}},
		"IsTruncated": false, "RequestId": req.call.RequestID,
	}, nil
}

func (d *Door) credentials(req *request) (any, error) {
	out, err := ops.Run(req.Context(), d.Ops, req.call, ops.CreateCloudSSOCredentials, req.bearer())
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"CloudCredential": map[string]string{
			"AccessKeyId": out.AccessKeyID, "AccessKeySecret": string(out.Secret.Reveal()), "SecurityToken": out.Token,
			"Expiration": out.Expires.UTC().Format(time.RFC3339),
		},
		"RequestId": req.call.RequestID,
	}, nil
}

// refusal is an error as the command line reads it.
type refusal struct {
	status  int
	code    string
	message string
}

// refusalOf words an error. The command line asks again while the code is
// AuthorizationPending, and gives up at InvalidDeviceCodeError; at any other it would
// ask again at once.
func refusalOf(err error) refusal {
	f := fault.In(err)
	switch {
	case f.Noun == "device code" && f.Kind == fault.Throttled:
		return refusal{http.StatusBadRequest, "AuthorizationPending", "Nobody has approved yet."}
	case f.Noun == "device code":
		return refusal{http.StatusBadRequest, "InvalidDeviceCodeError", "The device code is refused, used, or has run out."}
	}
	switch f.Kind {
	case fault.Invalid:
		return refusal{http.StatusBadRequest, "InvalidParameter", f.What}
	case fault.Expired, fault.Unauthenticated:
		return refusal{http.StatusUnauthorized, "InvalidAccessTokenError", "The access token is not valid: sign in again."}
	case fault.Denied:
		return refusal{http.StatusForbidden, "NoPermission", "You are not authorized to do this action."}
	case fault.NotFound:
		return refusal{http.StatusNotFound, "EntityNotExists", "There is no such account or access configuration."}
	case fault.Throttled:
		return refusal{http.StatusTooManyRequests, "Throttling", "Too many command lines wait to be signed in."}
	}
	return refusal{http.StatusInternalServerError, "InternalError", "The request has failed due to some unknown error."}
}

func (d *Door) refuse(w http.ResponseWriter, req *request, err error) {
	r := refusalOf(err)
	if r.status == http.StatusInternalServerError {
		d.Log.Error("request failed", "request", req.call.RequestID, "error", err)
	}
	send(w, r.status, map[string]any{"ErrorCode": r.code, "ErrorMessage": r.message, "RequestId": req.call.RequestID})
}

func send(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b) //nolint:errcheck // the client has gone
}
