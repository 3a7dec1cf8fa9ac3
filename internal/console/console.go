package console

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"warifu/internal/ops"
)

// Config is what a Console needs. Services and Version may be empty.
type Config struct {
	Ops *ops.Server
	Log *slog.Logger

	// Client says where a request came from: the client's address, the chain
	// that trusted proxies reported, and whether the client used TLS.
	Client func(*http.Request) (ip netip.Addr, chain string, secure bool)

	// URL is how people reach the server: scheme, host and port. Links are made
	// from it and never from what a request says (H-6).
	URL *url.URL

	Rand    io.Reader // for nonces and form tokens
	Version string    // shown in the footer

	Services []Service // behind the gateway, for the services page

	// Fetch asks a service behind the gateway in a caller's name. Its error is
	// policy's no, or another fault; nil means that no service can be asked.
	Fetch func(ctx context.Context, call ops.Call, service string, form url.Values) (status int, body []byte, err error)
}

// Service is one service behind the gateway.
type Service struct {
	Name     string // as in signatures: ec2, s3, …
	Protocol string // query, rest, s3, …
}

// Console serves the web pages.
type Console struct {
	Config
	secure bool // the public URL is https: cookies are __Host- and Secure
	views  views
	assets *assets
	routes []Route
	mux    *http.ServeMux
}

// New returns the console.
func New(c Config) (*Console, error) {
	con := &Console{Config: c, secure: c.URL.Scheme == "https", routes: Routes(), mux: http.NewServeMux()}
	var err error
	if con.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if con.views, err = loadViews(con.assets); err != nil {
		return nil, err
	}
	for i := range con.routes {
		r := &con.routes[i]
		con.mux.Handle(r.Method+" "+r.Pattern, con.handler(r))
	}
	con.mux.Handle("GET "+con.assets.prefix, con.assets)
	con.mux.Handle("/", con.handler(&Route{Who: Anyone, do: lost}))
	return con, nil
}

// Owns reports whether a path is the console's. The root path belongs to the
// AWS door unless a browser asks for a page.
func Owns(r *http.Request) bool {
	if r.URL.Path == "/" {
		return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.URL.RawQuery == "" &&
			r.Header.Get("Authorization") == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
	}
	if r.URL.Path == authorizePath || r.URL.Path == oracleAuthorizePath {
		return true
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch first {
	case "console", "signin", "signout", "setup", "enrol", "security", "stepup", "preferences", "static", "device", "favicon.ico", "activate", "notme", "recover":
		return r.Header.Get("Authorization") == "" && !r.URL.Query().Has("X-Amz-Signature")
	}
	return false
}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mux.ServeHTTP(w, r)
}

// handler is the way of every request: headers, same origin, who it is, whether
// the route lets them in, then the page. What goes wrong anywhere becomes a page
// of its own.
func (c *Console) handler(route *Route) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rq, err := c.begin(w, r, route)
		if err != nil { // no randomness: nothing safe can be said
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		err = rq.readForm()
		if cross.Check(r) != nil {
			err = errCrossOrigin
		}
		if err == nil {
			err = rq.admit()
		}
		if err == nil {
			err = route.do(rq)
		}
		if err != nil {
			rq.fail(err)
		}
	})
}
