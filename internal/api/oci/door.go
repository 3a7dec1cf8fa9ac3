package oci

import (
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"warifu/internal/body"
	"warifu/internal/fault"
	"warifu/internal/ops"
	sig "warifu/internal/reqsig/oci"
)

// base is where the Identity service's API lies.
const base = "/20160918/"

// maxBody is the largest body: a policy of 50 statements has 400 KB at most.
const maxBody = 2 << 20

// Config is what a Door needs.
type Config struct {
	Ops *ops.Server
	Log *slog.Logger

	// Client says where a request came from: the client's address, the chain that
	// trusted proxies reported, and whether the client used TLS.
	Client func(*http.Request) (ip netip.Addr, chain string, secure bool)

	// Region is the name of the only region there is, and RegionKey its short name;
	// empty means DefaultRegion and DefaultRegionKey.
	Region, RegionKey string
}

// The region that is served unless another is configured.
const (
	DefaultRegion    = "xx-warifu-1"
	DefaultRegionKey = "WF1"
)

// Door serves Oracle's Identity API.
type Door struct {
	Config
	bindings []binding
	tokens   []binding
}

// New returns the door.
func New(c Config) *Door {
	if c.Region == "" {
		c.Region, c.RegionKey = DefaultRegion, DefaultRegionKey
	}
	d := &Door{Config: c}
	d.bindings = bindings(&d.Config)
	d.tokens = slices.Concat(tokenBindings(), auditBindings())
	return d
}

// Owns tells whether a request is for this door, by its path alone: none of the paths
// is one of another door.
func Owns(r *http.Request) bool {
	p := r.URL.Path
	return strings.HasPrefix(p, base) || p == refreshPath || p == upstPath || p == auditPath
}

// Operations are the names in ops.Catalog that this door binds.
func Operations() []string {
	var names []string
	for _, b := range slices.Concat(bindings(&Config{}), tokenBindings(), auditBindings()) {
		names = append(names, b.op)
	}
	return names
}

// request is one request on its way through the door.
type request struct {
	*http.Request
	id    string // given to the client and to the trail
	event string // id of the request's event
	at    time.Time
	body  []byte
	query url.Values
	vars  map[string]string // of the path
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req := &request{Request: r, at: d.Ops.Now(), query: r.URL.Query()}
	req.event = d.Ops.NewEventID(req.at)
	req.id = sig.RequestID(r.Header.Get("opc-request-id"), d.Ops.NewRequestID(), req.event)
	w.Header().Set("Opc-Request-Id", req.id)
	if !req.read(w) {
		return
	}
	call, err := d.call(req)
	if err != nil {
		d.refuse(w, req, err)
		return
	}
	all, path := d.bindings, strings.TrimPrefix(r.URL.Path, base)
	if !strings.HasPrefix(r.URL.Path, base) {
		all, path = d.tokens, strings.TrimPrefix(r.URL.Path, "/")
	}
	b, err := req.find(all, path)
	if err != nil {
		d.refuse(w, req, err)
		return
	}
	answer, err := b.serve(r.Context(), d.Ops, call, req)
	if err == nil {
		err = d.sign(req, answer)
	}
	if err != nil {
		d.refuse(w, req, err)
		return
	}
	d.send(w, answer)
}

// find chooses the operation of a path and method.
func (req *request) find(all []binding, path string) (*binding, error) {
	segments := strings.Split(path, "/")
	known := false
	for i := range all {
		vars, ok := all[i].match(segments)
		if !ok || slices.Contains(notServed, path) { // no OCID of a compartment
			continue
		}
		if known = true; all[i].method == req.Method {
			req.vars = vars
			return &all[i], nil
		}
	}
	if known {
		return nil, &wireError{http.StatusMethodNotAllowed, "MethodNotAllowed", "The path does not take " + req.Method}
	}
	if unserved(path) {
		return nil, &wireError{http.StatusNotImplemented, "MethodNotImplemented", "This server does not have this part of the service: " + path}
	}
	return nil, fault.Of(fault.NotFound, "path", path)
}

// notServed are parts of the service that this server does not have.
var notServed = []string{
	"domains", "allowedDomainLicenseTypes", "iamWorkRequests", "taggingWorkRequests", "tags", "compartments/bulkActionResourceTypes",
}

// notServedEnds are the ends of such paths, whose middle is an OCID.
var notServedEnds = []string{
	"/actions/bulkDeleteResources", "/actions/bulkMoveResources", "/actions/addLock", "/actions/removeLock", "/actions/cascadeDelete",
	"/actions/resetScimClient", "/groups", "/swiftPasswords", "/dbCredentials",
}

// unserved tells whether a path is of a part of the service that this server does not
// have.
func unserved(path string) bool {
	return slices.ContainsFunc(notServed, func(p string) bool { return strings.HasPrefix(path, p) }) ||
		slices.ContainsFunc(notServedEnds, func(end string) bool { return strings.HasSuffix(path, end) || strings.Contains(path, end+"/ocid1.") })
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

// source says where a request came from.
func (d *Door) source(req *request) ops.Source {
	ip, chain, secure := d.Client(req.Request)
	return ops.Source{
		Door: "oracle", Service: "identity", Region: strings.ToLower(d.RegionKey), IP: ip, Chain: chain, Secure: secure,
		UserAgent: req.UserAgent(), Referer: req.Referer(),
	}
}

// call verifies the signature and makes the call that ops will run.
func (d *Door) call(req *request) (ops.Call, error) {
	sum := sha256.Sum256(req.body)
	signed := &sig.Request{
		Method: req.Method, Target: req.RequestURI, Host: req.Host, ContentLength: req.ContentLength, Header: req.Header,
		BodyHash: base64.StdEncoding.EncodeToString(sum[:]),
	}
	call := ops.Call{RequestID: req.id, EventID: req.event, At: req.at, Source: d.source(req)}
	caller, err := d.Ops.VerifyOracle(req.Context(), signed, req.at)
	call.Caller = caller
	return call, err
}
