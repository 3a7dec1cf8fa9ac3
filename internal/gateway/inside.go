package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
)

// insideRegion is the region of a request that was signed for none.
const insideRegion = "us-east-1"

// maxAnswer is the longest answer that Inside keeps.
const maxAnswer = 4 << 20

// Inside sends a request to a service of the protocols query and ec2 for a
// caller who is known already: a person in the console. It goes the way of a
// signed one from where the signature would have been verified: derivation,
// policy, trail, upstream.
//
// The error is a fault: NotFound for a service that is not configured or speaks
// another protocol, policy's no, Internal for an upstream that is down or says
// too much; or a *Refusal. An error of the upstream itself is a status.
func (g *Gateway) Inside(ctx context.Context, call ops.Call, service string, form url.Values) (status int, body []byte, err error) {
	route := g.routes[service]
	if route == nil || route.Protocol != Query && route.Protocol != EC2 {
		return 0, nil, fault.Of(fault.NotFound, "service", service)
	}
	p, err := g.insidePassage(ctx, route, &call, form)
	if err != nil {
		return 0, nil, err
	}
	if err := p.derive(); err != nil {
		return 0, nil, err
	}
	if _, err := ops.Run(ctx, g.Ops, call, operation(p.derived, p.owner()), p.derived); err != nil {
		return 0, nil, err
	}
	var a answer
	p.forward(&a)
	if a.status == 0 || a.tooLong {
		return 0, nil, fault.New(fault.Internal, "the service %s does not answer as it should", service)
	}
	return a.status, a.body.Bytes(), nil
}

// insidePassage is a passage that begins behind the verification.
func (g *Gateway) insidePassage(ctx context.Context, route *route, call *ops.Call, form url.Values) (*passage, error) {
	text := form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+route.Upstream.Host+"/", strings.NewReader(text))
	if err != nil {
		return nil, fault.Wrap(err, "make a request")
	}
	r.Header.Set("Content-Type", formType)
	r.RemoteAddr = net.JoinHostPort(call.Source.IP.String(), "0")
	if call.Source.Secure {
		r.TLS = &tls.ConnectionState{}
	}
	call.Source.Service = route.Name
	if call.Source.Region == "" {
		call.Source.Region = insideRegion
		if len(route.Regions) > 0 {
			call.Source.Region = route.Regions[0]
		}
	}
	if call.At.IsZero() {
		call.At = g.Ops.Now()
	}
	p := &passage{
		Request: r, g: g, route: route, id: call.RequestID, at: call.At, caller: call.Caller,
		signed: sigv4.Request{Method: r.Method, Host: r.Host, Path: "/", Header: r.Header},
		sig:    sigv4.Signature{Scope: sigv4.Scope{Region: call.Source.Region, Service: route.Name}, Time: call.At},
	}
	p.hold([]byte(text))
	return p, nil
}

// answer keeps what the upstream said.
type answer struct {
	header  http.Header
	status  int
	body    bytes.Buffer
	tooLong bool
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if status >= 200 { // not 103 and its like
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.body.Len()+len(b) > maxAnswer {
		a.tooLong = true
		return 0, fault.New(fault.Limit, "the answer is longer than %d bytes", maxAnswer)
	}
	return a.body.Write(b)
}
