package console

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu/internal/fault"
	"warifu/internal/ops"
)

// maxForm bounds a posted form: the largest is a policy with its escapes.
const maxForm = 64 << 10

// request is one request on its way through the console.
type request struct {
	c     *Console
	w     http.ResponseWriter
	r     *http.Request
	route *Route

	id     string // given to the client and to the trail
	at     time.Time
	nonce  string
	lang   *language
	theme  string // light, dark; "" follows the system
	source ops.Source
	visit  visitor // who it is

	posted *form // parsed body

	formToken string // of sign-in forms, if it was made for this answer
	note      flash  // said at the top of the page
	crumbs    []Crumb
	status    int // of the page; 0 means 200
}

// begin reads what every page needs to know of a request.
func (c *Console) begin(w http.ResponseWriter, r *http.Request, route *Route) (*request, error) {
	rq := &request{c: c, w: w, r: r, route: route, id: c.Ops.NewRequestID(), at: c.Ops.Now()}
	var err error
	if rq.nonce, err = c.random(); err != nil {
		return nil, err
	}
	setHeaders(w.Header(), rq.nonce)
	w.Header().Set("X-Request-Id", rq.id)
	rq.lang = rq.chooseLanguage()
	rq.theme = oneOfThemes(rq.cookie(cookieTheme))
	ip, chain, secure := c.Client(r)
	rq.source = ops.Source{Door: "console", Service: "console", IP: ip, Chain: chain, Secure: secure, UserAgent: r.UserAgent(), Locale: rq.lang.code}
	if r.Method == http.MethodPost {
		most := int64(maxForm)
		if route.Upload {
			most = maxUpload
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
	}
	return rq, nil
}

// random is 128 bits of randomness as text.
func (c *Console) random() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(c.Rand, b[:]); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// call is the request as operations see it.
func (rq *request) call() ops.Call {
	return ops.Call{Caller: rq.visit.caller, Source: rq.source, RequestID: rq.id, At: rq.at}
}

// run runs an operation for whoever is signed in.
func run[In, Out any](rq *request, op ops.Op[In, Out], in In) (Out, error) {
	done, err := rq.perform(&op, op.Grants.AWS, in)
	out, _ := done.(Out)
	return out, err
}

// perform runs an operation that policies call grant.
func (rq *request) perform(op ops.Operation, grant string, in any) (any, error) {
	call := rq.call()
	if service, _, ok := strings.Cut(grant, ":"); ok {
		call.Source.Service = service
	}
	return ops.Perform(rq.r.Context(), rq.c.Ops, &call, op, in)
}

// query is a parameter of the URL.
func (rq *request) query(name string) string { return rq.r.URL.Query().Get(name) }

// path is a wildcard of the route's pattern.
func (rq *request) path(name string) string { return rq.r.PathValue(name) }

// t is a text in the request's language.
func (rq *request) t(key string, args ...any) string { return rq.lang.text(key, args...) }

// redirect sends the browser to a path of this site.
func (rq *request) redirect(path string) error {
	rq.w.Header().Set("Location", path)
	rq.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// done redirects, and the page there says the text of key.
func (rq *request) done(path, key string, args ...any) error {
	rq.say(key, args...)
	return rq.redirect(path)
}

// here is the page of the request, as a target to come back to. A form's page
// has the same path, if there is one.
func (rq *request) here() string {
	switch rq.r.Method {
	case http.MethodGet, http.MethodHead:
		return local((&url.URL{Path: rq.r.URL.Path, RawQuery: rq.r.URL.RawQuery}).String())
	}
	for i := range rq.c.routes {
		if r := &rq.c.routes[i]; r.Method == http.MethodGet && r.Pattern == rq.route.Pattern {
			return local((&url.URL{Path: rq.r.URL.Path}).String())
		}
	}
	return home
}

// page renders a page. Nothing is sent before it is complete.
func (rq *request) page(name, title string, data any) error {
	v := rq.view(title, data)
	var out bytes.Buffer
	if err := rq.c.views[rq.lang.code].ExecuteTemplate(&out, name, v); err != nil {
		return fault.Wrap(err, "render "+name)
	}
	rq.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	rq.w.Header().Set("Content-Language", rq.lang.tag)
	if rq.status != 0 {
		rq.w.WriteHeader(rq.status)
	}
	if rq.r.Method == http.MethodHead {
		return nil
	}
	out.WriteTo(rq.w) //nolint:errcheck // the browser has gone
	return nil
}
