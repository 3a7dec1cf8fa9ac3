package alibaba

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"warifu/internal/api/alibaba/codec"
	"warifu/internal/body"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/reqsig/acs"
)

// maxBody is the largest request body: a SAML assertion has 100,000 characters and
// grows when it is escaped.
const maxBody = 1 << 20

// Config is what a Door needs.
type Config struct {
	Ops *ops.Server
	Log *slog.Logger

	// Client says where a request came from: the client's address, the chain
	// that trusted proxies reported, and whether the client used TLS.
	Client func(*http.Request) (ip netip.Addr, chain string, secure bool)
}

// Door serves the operations of several services at one address: their versions
// tell them apart.
type Door struct {
	Config
	actions map[key]action
}

// New returns the door.
func New(c Config) *Door {
	d := &Door{Config: c, actions: make(map[key]action)}
	for _, a := range actions() {
		d.actions[key{a.service.version, a.name}] = a
	}
	return d
}

// Owns tells whether a request is meant for this door: it is signed with ACS3, or
// names the version of a service as only this cloud's clients do. Those that put
// all parameters into the body are told by reading it; it stays readable.
func Owns(r *http.Request) bool {
	auth := r.Header.Get("Authorization")
	if r.URL.Path != "/" || auth != "" {
		return r.URL.Path == "/" && strings.HasPrefix(auth, "ACS3-")
	}
	if versioned(r.URL.RawQuery) {
		return true
	}
	if r.Method != http.MethodPost || !isForm(r) {
		return false
	}
	return versioned(string(body.Peek(r, maxBody)))
}

// versioned tells whether parameters name a version of a service of this door.
func versioned(params string) bool {
	for pair := range strings.SplitSeq(params, "&") {
		if version, ok := strings.CutPrefix(pair, "Version="); ok {
			return knownVersion(version)
		}
	}
	return false
}

// request is one request on its way through the door.
type request struct {
	*http.Request
	id     string // given to the client and to the trail
	at     time.Time
	params acs.Params
	signed acs.Request
	format codec.Format
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := &request{Request: r, id: strings.ToUpper(d.Ops.NewRequestID()), at: d.Ops.Now()}
	w.Header()["X-Acs-Request-Id"] = []string{req.id}
	if err := req.read(w); err != nil {
		d.refuse(w, req, err)
		return
	}
	name, version := req.asked()
	a, ok := d.actions[key{version, name}]
	switch {
	case ok:
	case name == "":
		d.refuse(w, req, &failure{400, "MissingParameter", `The input parameter "Action" that is mandatory for processing this request is not supplied.`})
		return
	case !knownVersion(version):
		d.refuse(w, req, &failure{400, "InvalidVersion", "Specified parameter Version is not valid."})
		return
	default:
		d.refuse(w, req, &failure{404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."})
		return
	}
	call, err := d.call(req, &a)
	if err != nil {
		d.refuse(w, req, err)
		return
	}
	answer, err := a.run(req.Context(), d.Ops, &scene{Call: call, ctx: req.Context(), ops: d.Ops}, req.params)
	if err != nil {
		d.refuse(w, req, err)
		return
	}
	doc, err := codec.Answer(req.format, a.name, req.id, answer)
	if err != nil {
		d.refuse(w, req, err)
		return
	}
	w.Header().Set("Content-Type", req.format.ContentType())
	w.Write(doc)
}

// read reads the body, bounded, and the parameters.
func (req *request) read(w http.ResponseWriter) error {
	if req.Method != http.MethodGet && req.Method != http.MethodPost || req.URL.Path != "/" {
		return &failure{405, "UnsupportedHTTPMethod", "This http method is not supported: GET and POST of / are."}
	}
	sent, err := body.Read(w, req.Request, maxBody)
	if errors.Is(err, body.ErrTooLarge) {
		return &failure{413, "RequestBodyTooLarge", "The body of the request is too large."}
	}
	if err != nil {
		w.Header().Set("Connection", "close")
		return &failure{400, "InvalidParameter", "The body of the request ends early."}
	}
	form := ""
	if isForm(req.Request) {
		form = string(sent)
	}
	hash := acs.EmptyBody
	if len(sent) > 0 {
		sum := sha256.Sum256(sent)
		hash = hex.EncodeToString(sum[:])
	}
	req.signed = acs.Request{
		Method: req.Method, Host: req.Host, Path: req.URL.EscapedPath(), Query: req.URL.RawQuery,
		Header: req.Header, BodyHash: hash,
	}
	if req.params, err = acs.ParseParams(req.URL.RawQuery, form); err != nil {
		return err
	}
	if strings.EqualFold(req.params.Get("Format"), "XML") {
		req.format = codec.XML
	}
	return nil
}

// isForm tells whether the body is a form.
func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}

// asked is the operation and the version that the request names: in headers that
// ACS3 signs, or in parameters that the other signature covers.
func (req *request) asked() (name, version string) {
	if strings.HasPrefix(req.Header.Get("Authorization"), "ACS3-") {
		return req.Header.Get("X-Acs-Action"), req.Header.Get("X-Acs-Version")
	}
	return req.params.Get("Action"), req.params.Get("Version")
}

// call verifies the signature and makes the call that ops will run.
func (d *Door) call(req *request, a *action) (ops.Call, error) {
	ip, chain, secure := d.Client(req.Request)
	call := ops.Call{RequestID: req.id, At: req.at, Source: ops.Source{
		Door: "alibaba", Language: iam.LanguageRAM, Service: a.service.name, IP: ip, Chain: chain, Secure: secure,
		UserAgent: req.UserAgent(), Referer: req.Referer(),
	}}
	if a.anonymous && !acs.Signed(&req.signed, req.params) {
		return call, nil
	}
	caller, _, once, err := d.Ops.ACS(req.Context(), &req.signed, req.params, a.service.name, req.at)
	call.Caller, call.Once = caller, once
	return call, err
}

// refuse answers with an error document, and logs what the caller may not see.
func (d *Door) refuse(w http.ResponseWriter, req *request, err error) {
	f := d.failed(err)
	if f.status == http.StatusInternalServerError {
		d.Log.Error("request failed", "request", req.id, "error", err)
	}
	r := codec.Refusal{
		HostId: req.Host, Code: f.code, Message: f.message, AccessDeniedDetail: d.detail(err),
		Recommend: "The request id " + req.id + " finds the request in the audit trail.",
	}
	doc, err := codec.Failure(req.format, req.id, &r)
	if err != nil {
		d.Log.Error("an error cannot be written", "request", req.id, "error", err)
	}
	w.Header().Set("Content-Type", req.format.ContentType())
	w.WriteHeader(f.status)
	w.Write(doc)
}
