package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"time"

	"warifu/internal/body"
	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
)

// maxBody is the largest request body (AWS answers 413 above it).
const maxBody = 10_000_000

// Config is what a Door needs.
type Config struct {
	Ops *ops.Server
	Log *slog.Logger

	// Client says where a request came from: the client's address, the chain
	// that trusted proxies reported, and whether the client used TLS.
	Client func(*http.Request) (ip netip.Addr, chain string, secure bool)

	// Regions are the regions that signatures for STS may name; none means any.
	Regions []string
}

// Door serves IAM, STS and CloudTrail's LookupEvents.
type Door struct {
	Config
	query map[key]action    // Query operations
	json  map[string]action // AWS JSON operations
}

// New returns the door.
func New(c Config) *Door {
	d := &Door{Config: c, query: make(map[key]action), json: make(map[string]action)}
	for _, a := range actions() {
		if a.service == serviceCloudTrail {
			d.json[a.name] = a
		} else {
			d.query[key{a.service.version, a.name}] = a
		}
	}
	return d
}

// Services are the service names in signatures that this door answers.
func Services() []string {
	return []string{serviceIAM.name, serviceSTS.name, serviceCloudTrail.name}
}

// request is one request on its way through the door.
type request struct {
	*http.Request
	id   string // given to the client and to the trail
	at   time.Time
	body []byte
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := &request{Request: r, id: d.Ops.NewRequestID(), at: d.Ops.Now()}
	w.Header()["X-Amzn-Requestid"] = []string{req.id} // as Set would spell it, anew each time
	if r.URL.Path != "/" {
		writeUnknownOperation(w)
		return
	}
	if !req.read(w) {
		return
	}
	if r.Header.Get("X-Amz-Target") != "" {
		d.serveJSON(w, req)
	} else {
		d.serveQuery(w, req)
	}
}

// read reads the body, bounded. It answers for itself when that fails.
func (req *request) read(w http.ResponseWriter) bool {
	b, err := body.Read(w, req.Request, maxBody)
	if err != nil {
		body.Refuse(w, err)
	}
	req.body = b
	return err == nil
}

// isForm tells whether the body is a form.
func (req *request) isForm() bool {
	const form = "application/x-www-form-urlencoded"
	switch header := req.Header.Get("Content-Type"); header {
	case form, form + "; charset=utf-8": // as SDKs spell it
		return true
	default:
		kind, _, err := mime.ParseMediaType(header)
		return err == nil && kind == form
	}
}

// call verifies the signature and makes the call that ops will run.
func (d *Door) call(req *request, a *action) (ops.Call, error) {
	ip, chain, secure := d.Client(req.Request)
	call := ops.Call{RequestID: req.id, At: req.at, Source: ops.Source{
		Door: "aws", Service: a.service.name, IP: ip, Chain: chain, Secure: secure,
		UserAgent: req.UserAgent(), Referer: req.Referer(),
	}}
	if a.anonymous && unsigned(req.Request) {
		return call, nil
	}
	sum := sha256.Sum256(req.body)
	signed := &sigv4.Request{
		Method: req.Method, Host: req.Host, Path: req.URL.EscapedPath(), Query: req.URL.RawQuery,
		Header: req.Header, BodyHash: hex.EncodeToString(sum[:]),
	}
	caller, sig, err := d.Ops.SigV4(req.Context(), signed, req.at, sigv4.Options{Service: a.service.name, Regions: d.regions(a.service)})
	call.Caller, call.Source.Region = caller, sig.Scope.Region
	return call, err
}

// regions are those that a signature for a service may name. IAM and CloudTrail
// are served from everywhere.
func (d *Door) regions(of *service) []string {
	if of == serviceSTS {
		return d.Regions
	}
	return nil
}

// writeUnknownOperation answers for a path that is no operation's.
func writeUnknownOperation(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(http.StatusNotFound)
	io.WriteString(w, "<UnknownOperationException/>\n")
}
