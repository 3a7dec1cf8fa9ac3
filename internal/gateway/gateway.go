package gateway

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/reqsig/acs"
	"warifu/internal/reqsig/sigv4"
)

// Config is what a Gateway is made of. All fields are required.
type Config struct {
	Services []Service
	Ops      *ops.Server
	Log      *slog.Logger

	// Client says where a request came from: the client's address, the chain
	// that trusted proxies reported, and whether the client used TLS.
	Client func(*http.Request) (ip netip.Addr, chain string, secure bool)
}

// Gateway is an http.Handler for requests to other services.
type Gateway struct {
	Config
	routes   map[string]*route   // by the service's name in a scope
	versions map[string][]*route // those of Alibaba Cloud's kind, by the version that tells them apart
	oracle   []*route            // those of Oracle's kind, which are found by path
	buffers  buffers
}

// route is a service with its connections.
type route struct {
	Service
	pool http.RoundTripper
}

// dialer bounds how long a dead upstream holds a request.
var dialer = net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}

// New checks the services and returns their gateway. Its error names the
// service and the setting.
func New(c Config) (*Gateway, error) {
	g := &Gateway{Config: c, routes: map[string]*route{}, versions: map[string][]*route{}}
	names := map[string]bool{}
	for _, s := range c.Services {
		if err := s.check(); err != nil {
			return nil, err
		}
		if names[s.Name] {
			return nil, fmt.Errorf("services: %s: configured twice", s.Name)
		}
		names[s.Name] = true
		r := &route{Service: s, pool: s.transport()}
		if s.Protocol == ACS {
			if err := g.addACS(r); err != nil {
				return nil, err
			}
			continue
		}
		g.routes[s.Name] = r
		if s.Protocol == OCI {
			g.oracle = append(g.oracle, r)
		}
	}
	return g, nil
}

// Close drops idle connections to the upstreams.
func (g *Gateway) Close() {
	for _, r := range slices.Concat(slices.Collect(maps.Values(g.routes)), slices.Concat(slices.Collect(maps.Values(g.versions))...)) {
		if t, ok := r.pool.(*http.Transport); ok {
			t.CloseIdleConnections()
		}
	}
}

// Serves reports whether a request is signed for a service that is configured
// here. It only looks; nothing is verified, and a body that it looks at stays
// readable.
func (g *Gateway) Serves(r *http.Request) bool { return g.routeOf(r) != nil }

// routeOf is the service of a request, nil if there is none.
func (g *Gateway) routeOf(r *http.Request) *route {
	if signedOCI(r) {
		return g.forOCI(r)
	}
	if to := g.routes[signedFor(r)]; to != nil && to.Protocol != OCI {
		return to
	}
	return g.forACS(r)
}

// signedFor is the service in the credential scope that a request carries in
// its header or its query, "" if there is none.
func signedFor(r *http.Request) string {
	_, credential, found := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if found {
		credential, _, _ = strings.Cut(credential, ",")
	} else if _, rest, presigned := strings.Cut("&"+r.URL.RawQuery, "&X-Amz-Credential="); presigned {
		rest, _, _ = strings.Cut(rest, "&")
		var err error
		if credential, err = url.QueryUnescape(rest); err != nil {
			return ""
		}
	}
	parts := strings.Split(strings.TrimSpace(credential), "/")
	if len(parts) < 5 {
		if outdated(r) {
			return "s3" // the only service whose clients still make such signatures
		}
		return ""
	}
	return parts[len(parts)-2] // key id, day, region, service, terminator
}

// outdated reports whether a request is signed with Signature Version 2, which
// clients still use for presigned S3 URLs if they are not told otherwise.
func outdated(r *http.Request) bool {
	query := "&" + r.URL.RawQuery
	return strings.Contains(query, "&AWSAccessKeyId=") && strings.Contains(query, "&Signature=") ||
		strings.HasPrefix(r.Header.Get("Authorization"), "AWS ")
}

// passage is one request on its way through.
type passage struct {
	*http.Request
	g     *Gateway
	route *route
	id    string
	event string // id of the event that is left; "" = any
	at    time.Time

	signed  sigv4.Request
	sig     sigv4.Signature
	caller  ops.Caller
	derived *Derived

	acs         *acs.Request // of Alibaba Cloud's kind; signed and sig are only partly set then
	params      acs.Params   // its parameters; without those of the signature once that is verified
	query, form acs.Params   // the same, as they go on
	once        *ops.Once

	content io.Reader // the verified body, decoded
	length  int64     // of content; -1 if unknown
	whole   []byte    // the content, if it was read; content is nil then
	read    bool
}

// arrivalTime is how long a request may take to arrive as far as it is read
// before it is allowed: until then nobody knows whose connection it holds. What
// is refused must have arrived by then as well, or its connection is closed.
const arrivalTime = 30 * time.Second

// ServeHTTP implements http.Handler: verify, derive, ask, forward.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := &passage{Request: r, g: g, route: g.routeOf(r), id: g.Ops.NewRequestID(), at: g.Ops.Now()}
	if p.route == nil {
		Query.write(w, r, problem{trouble: unknownAction, message: "No service is configured for this request."}, p.id)
		return
	}
	if p.route.Protocol == OCI {
		p.nameOCI(w)
	}
	arrival := http.NewResponseController(w)
	arrival.SetReadDeadline(time.Now().Add(arrivalTime)) //nolint:errcheck // not supported by a test's recorder
	for _, step := range []func() error{p.receive, p.verify, p.open, p.understand, p.authorize} {
		if err := step(); err != nil {
			p.refuse(w, err)
			return
		}
	}
	arrival.SetReadDeadline(time.Time{}) //nolint:errcheck
	p.forward(w)
}

// receive takes what was seen on the wire, and the body where the signature
// cannot be verified without it.
func (p *passage) receive() error {
	path, query, _ := strings.Cut(p.RequestURI, "?")
	if p.RequestURI == "" || !strings.HasPrefix(path, "/") {
		return refuse(Malformed, "The request target must be a path.")
	}
	if p.Header.Get("Upgrade") != "" {
		return refuse(Malformed, "This service does not upgrade connections.")
	}
	if name := droppedHeader(p.Header); name != "" {
		return refuse(Malformed, "The header Connection must not name "+printable(name)+".")
	}
	if outdated(p.Request) {
		return refuse(Malformed, "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
	}
	p.signed = sigv4.Request{Method: p.Method, Host: p.Host, Path: path, Query: query, Header: p.Header}
	if p.route.Protocol == S3 {
		return nil
	}
	body, err := readAll(p.Body, p.ContentLength, p.route.maxBody())
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	p.signed.BodyHash = hex.EncodeToString(sum[:])
	p.hold(body)
	if p.route.Protocol == ACS {
		return p.receiveACS()
	}
	return nil
}

// droppedHeader is a header that Connection tells every intermediary to drop,
// and that is not one of a connection's own (RFC 9110, section 7.6.1). Such a
// header may have been judged, and the upstream would not see it: a lock, a tag
// or an encryption that policy demanded.
func droppedHeader(h http.Header) string {
	for _, options := range h["Connection"] {
		for option := range strings.SplitSeq(options, ",") {
			switch option = strings.TrimSpace(option); strings.ToLower(option) {
			case "", "close", "keep-alive", "te", "upgrade", "http2-settings":
			default:
				return option
			}
		}
	}
	return ""
}

// hold keeps the whole content of the body.
func (p *passage) hold(body []byte) {
	p.whole, p.read, p.content, p.length = body, true, nil, int64(len(body))
}

func (p *passage) verify() (err error) {
	switch p.route.Protocol {
	case OCI:
		return p.verifyOCI()
	case ACS:
		return p.verifyACS()
	}
	p.caller, p.sig, err = p.g.Ops.SigV4(p.Context(), &p.signed, p.at, p.route.options())
	return err
}

// signingKey is what the request was signed with; the chunks of a streamed body
// are, too.
func (p *passage) signingKey() (sigv4.SigningKey, error) {
	if !sigv4.Streaming(p.sig.Payload) {
		return sigv4.SigningKey{}, nil // nothing else needs it
	}
	c, err := p.g.Ops.Credential(p.Context(), p.sig.AccessKeyID, p.sig.Token)
	if err != nil {
		return sigv4.SigningKey{}, err
	}
	return sigv4.DeriveKey(string(c.Secret.Reveal()), p.sig.Scope), nil
}

// open makes the reader that holds a streamed body to its signature.
func (p *passage) open() (err error) {
	if p.read {
		return nil
	}
	if p.length, err = decodedLength(p.Request, p.sig.Payload); err != nil {
		return err
	}
	if p.ContentLength == 0 && !sigv4.Streaming(p.sig.Payload) {
		if isHash := len(p.sig.Payload) == len(sigv4.EmptyPayload); isHash && p.sig.Payload != sigv4.EmptyPayload {
			return &sigv4.Error{Reason: sigv4.BadPayload, Code: "XAmzContentSHA256Mismatch", Status: 400,
				Message: "The provided 'x-amz-content-sha256' header does not match what was computed."}
		}
		p.hold(nil)
		return nil
	}
	if p.length < 0 {
		return refuse(NoLength, "You must provide the Content-Length HTTP header.")
	}
	key, err := p.signingKey()
	if err != nil {
		return err
	}
	p.content, err = p.sig.Body(p.Body, key, p.length)
	return err
}

// peek returns the whole content for derivation; it does not go on as a stream
// then.
func (p *passage) peek(limit int64) ([]byte, error) {
	if !p.read {
		body, err := readAll(p.content, p.length, limit)
		if err != nil {
			return nil, err
		}
		p.hold(body)
	}
	return p.whole, nil
}

// owner is the account whose resources the request is about.
func (p *passage) owner() name.Account {
	if a, set := name.ParseAccount(p.route.Account); set {
		return a
	}
	return p.caller.Account
}

func (p *passage) derive() (err error) {
	if p.route.Protocol == OCI {
		return p.deriveOCI()
	}
	p.derived, err = Derive(&p.route.Service, &View{
		Method: p.Method, Host: p.Host, Path: p.signed.Path, Query: p.signed.Query, Header: p.Header, Body: p.peek,
		Account: p.owner().String(), Region: p.sig.Scope.Region, Params: p.params, Presigned: p.sig.Presigned,
		Signed: p.sig.Time, Payload: p.sig.Payload, Now: p.at, TLS: tlsVersion(p.TLS),
	})
	return err
}

// understand derives what is asked for. What cannot be judged is refused, and
// leaves an event all the same: whoever tries spellings is worth knowing of.
func (p *passage) understand() error {
	err := p.derive()
	if unclear := (*Refusal)(nil); errors.As(err, &unclear) {
		call, op := p.call(), unclearOperation(&p.route.Service, p.derived)
		return ops.Reject(p.Context(), p.g.Ops, &call, &op, err)
	}
	return err
}

// refuse answers a request that goes no further.
func (p *passage) refuse(w http.ResponseWriter, err error) {
	t := p.route.problem(err)
	if no, ok := ops.AsDenial(err); ok && p.route.Protocol != OCI {
		t.message = p.g.sentence(p.route.Protocol, no)
		if p.route.Protocol == ACS {
			t.detail = p.g.diagnosis(no)
		}
	}
	if t.trouble == internalTrouble && !errors.Is(err, context.Canceled) {
		p.g.Log.Error("gateway", "service", p.route.Name, "request", p.id, "error", err)
	}
	t.resource = p.URL.Path
	if p.content != nil {
		w.Header().Set("Connection", "close") // the rest of the body is not worth reading
	}
	p.route.Protocol.write(w, p.Request, t, p.id)
}

// problem classifies an error of any step.
func (r *route) problem(err error) problem {
	if t, ok := troubleOCI(err); ok && r.Protocol == OCI {
		return t
	}
	var (
		signature *sigv4.Error
		foreign   *acs.Error
		refusal   *Refusal
		tooLong   *http.MaxBytesError
	)
	switch {
	case errors.As(err, &signature):
		return r.Protocol.signatureProblem(signature)
	case errors.As(err, &foreign):
		return problem{trouble: badSignature, code: foreign.Code, message: foreign.Message, status: foreign.Status}
	case errors.As(err, &refusal):
		return problem{trouble: ofRefusal[refusal.Reason], message: refusal.Message}
	case errors.As(err, &tooLong):
		return problem{trouble: tooLarge}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return problem{trouble: badRequest, message: "The body ended early."}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return problem{trouble: badRequest, message: "The body did not arrive in time."}
	case fault.Is(err, fault.Exists) && r.Protocol == ACS:
		return r.problem(acs.ErrNonceUsed())
	case fault.Is(err, fault.Denied), fault.Is(err, fault.Unauthenticated):
		return problem{trouble: denied}
	case fault.Is(err, fault.Expired):
		return problem{trouble: endedSession}
	case fault.Is(err, fault.Throttled):
		return problem{trouble: throttled}
	}
	return problem{trouble: internalTrouble}
}

// stream is the content as a reader, whether or not it was read before.
func (p *passage) stream() io.Reader {
	if p.read {
		return bytes.NewReader(p.whole)
	}
	return p.content
}
