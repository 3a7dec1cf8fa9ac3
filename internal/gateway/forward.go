package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"warifu/internal/reqsig/sigv4"
)

// forward sends the request on and streams the answer back.
func (p *passage) forward(w http.ResponseWriter) {
	if p.acs != nil {
		p.repackACS()
	}
	out := &outgoing{header: p.Header.Clone()}
	if err := p.pack(out); err != nil {
		p.refuse(w, err)
		return
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(pr *httputil.ProxyRequest) {
			if err := p.rewrite(pr.Out, out); err != nil {
				// A transport refuses a request without a URL: nothing unsigned leaves.
				p.g.Log.Error("gateway: cannot sign for the upstream", "service", p.route.Name, "request", p.id, "error", err)
				pr.Out.URL = &url.URL{}
			}
		},
		Transport:      p.route.pool,
		FlushInterval:  -1,
		BufferPool:     &p.g.buffers,
		ModifyResponse: p.modify,
		ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, err error) { p.failed(w, out, err) },
		ErrorLog:       log.New(slogWriter{p.g.Log}, "", 0),
	}
	proxy.ServeHTTP(w, p.Request)
}

// outgoing is the request as it goes to the upstream.
type outgoing struct {
	header  http.Header
	body    *watched
	chunks  *chunked // the body, if it goes on in chunks
	length  int64
	payload string // the body's hash, or what S3 takes instead
}

// pack decides in which form the body goes on. A body that was signed as a
// whole keeps its hash. One that came in chunks goes on in chunks of our own,
// signed if the upstream wants signatures, so that the upstream can tell a body
// that was cut off; only an upstream without signatures, and a body without a
// trailer, make do with the length. An unsigned body stays unsigned.
func (p *passage) pack(out *outgoing) error {
	out.length = p.length
	switch {
	case p.read:
		sum := sha256.Sum256(p.whole)
		out.payload = hex.EncodeToString(sum[:])
	case len(p.sig.Payload) == len(sigv4.EmptyPayload):
		out.payload = p.sig.Payload
	default:
		out.payload = sigv4.UnsignedPayload
	}
	out.body = &watched{Reader: p.stream(), Closer: p.Body}
	if !sigv4.Streaming(p.sig.Payload) {
		return nil
	}
	plainEncoding(out.header)
	trailer := strings.ToLower(out.header.Get("X-Amz-Trailer"))
	delete(out.header, "X-Amz-Trailer")
	src, streaming := p.content.(*sigv4.ChunkReader)
	if p.sig.Payload == sigv4.StreamingPayload {
		trailer = ""
	} else if streaming && checksumLength[trailer] == 0 {
		return refuse(NotImplemented, "The trailer "+printable(trailer)+" is not a checksum that is known.")
	}
	if !streaming || trailer == "" && p.route.Key == nil {
		return nil
	}
	out.chunks = &chunked{src: src, trailer: trailer, signed: p.route.Key != nil, piece: make([]byte, pieceSize)}
	out.body.Reader = out.chunks
	out.length, out.payload = out.chunks.length(p.length), out.chunks.payload()
	out.header["X-Amz-Decoded-Content-Length"] = []string{strconv.FormatInt(p.length, 10)}
	if trailer != "" {
		out.header["X-Amz-Trailer"] = []string{trailer}
	}
	return nil
}

// plainEncoding takes the marks of the aws-chunked form out of the headers.
func plainEncoding(h http.Header) {
	delete(h, "X-Amz-Decoded-Content-Length")
	var rest []string
	for _, values := range h["Content-Encoding"] {
		for v := range strings.SplitSeq(values, ",") {
			if v = strings.TrimSpace(v); v != "" && !strings.EqualFold(v, "aws-chunked") {
				rest = append(rest, v)
			}
		}
	}
	delete(h, "Content-Encoding")
	if rest != nil {
		h["Content-Encoding"] = []string{strings.Join(rest, ",")}
	}
}

// rewrite makes the upstream's request. r has been freed of hop-by-hop headers
// before ours are set.
func (p *passage) rewrite(r *http.Request, out *outgoing) error {
	header := r.Header
	for _, name := range []string{"Content-Encoding", "X-Amz-Decoded-Content-Length", "X-Amz-Trailer"} {
		delete(header, name)
		if v := out.header[name]; v != nil {
			header[name] = v
		}
	}
	delete(header, "Connection") // put back for an upgrade or TE
	cleanse(header)
	p.identify(header)
	if p.route.Protocol == OCI {
		p.identifyOCI(header)
	}
	ip, _, secure := p.g.Client(p.Request)
	header["X-Forwarded-For"] = []string{ip.String()}
	header["X-Forwarded-Host"] = []string{p.Host}
	header["X-Forwarded-Proto"] = []string{map[bool]string{true: "https", false: "http"}[secure]}

	r.Trailer, r.TransferEncoding = nil, nil
	r.Body, r.ContentLength = out.body, out.length
	if out.length == 0 {
		r.Body = http.NoBody
	}
	r.Host = p.route.Upstream.Host
	r.URL = p.url()
	return p.sign(r, out)
}

// url is where the request goes: the upstream's place, the client's path with
// the bucket in it, and the query without a presigned request's signature.
func (p *passage) url() *url.URL {
	up := p.route.Upstream
	path := p.signed.Path
	if bucket := p.route.bucketOfHost(p.Host); p.route.Protocol == S3 && bucket != "" {
		path = "/" + bucket + path
	}
	if path == "/" {
		path = strings.TrimSuffix(up.EscapedPath(), "/") + "/"
	}
	u := &url.URL{Scheme: up.Scheme, Host: up.Host, RawPath: path, RawQuery: p.signed.Query}
	u.Path, _ = url.PathUnescape(path) // derivation refused what does not decode
	if p.sig.Presigned {
		u.RawQuery = withoutSignature(p.signed.Query)
	}
	return u
}

// withoutSignature drops a presigned request's own parameters.
func withoutSignature(query string) string {
	pairs := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		return err == nil && isSigning(name)
	})
	return strings.Join(pairs, "&")
}

// sign signs the request with the upstream's key, or leaves it without a
// signature.
func (p *passage) sign(r *http.Request, out *outgoing) error {
	s3 := p.route.Protocol == S3
	delete(r.Header, "X-Amz-Content-Sha256")
	if p.acs != nil {
		p.signACS(r)
		return nil
	}
	if p.route.Key == nil {
		if s3 {
			r.Header["X-Amz-Content-Sha256"] = []string{out.payload}
		}
		return nil
	}
	region := p.route.Region
	if region == "" {
		region = p.sig.Scope.Region
	}
	sig, err := sigv4.Sign(&sigv4.Request{
		Method: r.Method, Host: r.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: r.Header, BodyHash: out.payload,
	}, *p.route.Key, p.g.Ops.Now(), sigv4.SignOptions{Region: region, Service: p.route.Name, S3: s3})
	if err == nil && out.chunks != nil {
		out.chunks.seed(sigv4.DeriveKey(p.route.Key.Secret, sig.Scope), sig.Scope, r.Header)
	}
	return err
}

// failed answers when the upstream did not: because the client's body turned
// out wrong, because the client left, or because the upstream is down.
func (p *passage) failed(w http.ResponseWriter, out *outgoing, err error) {
	if fault := out.body.fault(); fault != nil {
		p.refuse(w, fault)
		return
	}
	if p.Context().Err() != nil && !errors.Is(err, context.DeadlineExceeded) {
		return
	}
	p.g.Log.Warn("gateway: the upstream does not answer", "service", p.route.Name, "request", p.id, "error", err)
	p.route.Protocol.write(w, p.Request, problem{trouble: unavailable, resource: p.URL.Path}, p.id)
}

// modify keeps from the answer what would act on the console, which a browser
// takes to be the same site.
func (p *passage) modify(r *http.Response) error {
	if p.route.Protocol == OCI {
		delete(r.Header, "Opc-Request-Id") // the client has ours
	}
	for _, name := range []string{
		"Set-Cookie", "Clear-Site-Data", "Service-Worker-Allowed", "Alt-Svc", "Strict-Transport-Security", "Public-Key-Pins",
	} {
		delete(r.Header, name)
	}
	guard(r.Header)
	return nil
}

// buffers are what answers are copied through.
type buffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return *buf
	}
	return make([]byte, 32<<10)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(buf []byte) { b.pool.Put(&buf) }

// slogWriter turns the reverse proxy's log lines into records.
type slogWriter struct{ log *slog.Logger }

// Write implements io.Writer.
func (s slogWriter) Write(b []byte) (int, error) {
	s.log.Debug("gateway", "message", strings.TrimSpace(string(b)))
	return len(b), nil
}
