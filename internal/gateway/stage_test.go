package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/gateway"
	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
	"warifu/internal/testkit"
)

// stage is a server with the gateway in front of some upstreams.
type stage struct {
	testing.TB
	world *testkit.World
	url   string
	log   *lockedBuffer
}

// lockedBuffer is a log that is written and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newStage opens the gateway. Its clock shows the real time, since SDKs sign
// with theirs.
func newStage(t testing.TB, services ...gateway.Service) *stage {
	t.Helper()
	w := testkit.New(t)
	w.Clock.Advance(time.Until(testkit.Epoch).Abs().Round(time.Second))
	log := &lockedBuffer{}
	g, err := gateway.New(gateway.Config{
		Services: services, Ops: w.Server, Log: slog.New(slog.NewTextHandler(log, nil)),
		Client: func(*http.Request) (netip.Addr, string, bool) { return netip.MustParseAddr("192.0.2.10"), "", false },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.Serves(r) {
			http.Error(w, "not for the gateway", http.StatusTeapot)
			return
		}
		g.ServeHTTP(w, r)
	}))
	t.Cleanup(func() { server.Close(); g.Close() })
	return &stage{TB: t, world: w, url: server.URL, log: log}
}

// user makes a user with an inline policy and returns its key.
func (s *stage) user(name, document string) sigv4.Credentials {
	s.Helper()
	admin := s.world.Admin(s)
	testkit.Do(s, s.world, admin, ops.CreateUser, ops.CreateUserIn{Name: name})
	if document != "" {
		testkit.Do(s, s.world, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: name}, Policy: "p", Document: document})
	}
	key := testkit.Do(s, s.world, admin, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: name}})
	return sigv4.Credentials{AccessKeyID: key.ID, Secret: string(key.Plain.Reveal())}
}

// allow is a policy with one statement.
func allow(actions, resources string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":[` + quoted(actions) + `],"Resource":[` + quoted(resources) + `]}]}`
}

func quoted(list string) string {
	return `"` + strings.Join(strings.Fields(list), `","`) + `"`
}

// request is a signed request, not yet sent.
func (s *stage) request(key sigv4.Credentials, service, method, target string, body []byte, headers ...string) *http.Request {
	s.Helper()
	r, err := http.NewRequest(method, s.url+target, bytes.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header[name] = append(r.Header[name], value)
	}
	sum := sha256.Sum256(body)
	s.sign(r, key, service, hex.EncodeToString(sum[:]))
	return r
}

// sign signs a request; payload is its hash or one of S3's constants.
func (s *stage) sign(r *http.Request, key sigv4.Credentials, service, payload string) sigv4.Signature {
	s.Helper()
	signed := http.Header{}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") || name == "Content-Type" {
			signed[name] = values
		}
	}
	sig, err := sigv4.Sign(&sigv4.Request{
		Method: r.Method, Host: r.URL.Host, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Header: signed, BodyHash: payload,
	}, key, s.world.Clock.Now(), sigv4.SignOptions{Region: "us-east-1", Service: service, S3: service == "s3"})
	if err != nil {
		s.Fatal(err)
	}
	for name, values := range signed {
		r.Header[name] = values
	}
	return sig
}

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s *stage) send(r *http.Request) answer {
	s.Helper()
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// call sends a signed request.
func (s *stage) call(key sigv4.Credentials, service, method, target, body string, headers ...string) answer {
	s.Helper()
	return s.send(s.request(key, service, method, target, []byte(body), headers...))
}

// events are what the trail has of the gateway, newest first.
func (s *stage) events() []string {
	s.Helper()
	page := testkit.Do(s, s.world, s.world.Admin(s), ops.LookupEvents, ops.LookupEventsIn{})
	var out []string
	for _, e := range page.Items {
		if e.Door == "gateway" {
			out = append(out, strings.TrimSpace(e.Operation+" "+e.Action+" "+string(e.Result)+" "+e.Actor.Name))
		}
	}
	return out
}

// recorder is an upstream that keeps what it was sent.
type recorder struct {
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	broken   []error // why a body could not be read
	respond  http.HandlerFunc
}

func (u *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	u.mu.Lock()
	u.requests = append(u.requests, r)
	u.bodies = append(u.bodies, string(body))
	if err != nil {
		u.broken = append(u.broken, err)
	}
	u.mu.Unlock()
	if u.respond != nil {
		u.respond(w, r)
	}
}

// last is the newest request.
func (u *recorder) last(t testing.TB) (*http.Request, string) {
	t.Helper()
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.requests) == 0 {
		t.Fatal("the upstream was not asked")
	}
	return u.requests[len(u.requests)-1], u.bodies[len(u.bodies)-1]
}

func (u *recorder) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.requests)
}

// upstream starts a server and returns its URL.
func upstream(t testing.TB, h http.Handler) *url.URL {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// withMFA makes a session of a user that proved a second factor.
func (s *stage) withMFA(user string, key sigv4.Credentials) sigv4.Credentials {
	s.Helper()
	w, call := s.world, s.world.As(s, key.AccessKeyID, "")
	device := testkit.Do(s, w, call, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: user})
	seed := string(device.SeedText.Reveal())
	now := w.Clock.Now()
	testkit.Do(s, w, call, ops.EnableMFADevice, ops.PairIn{
		User: ops.Ref{Name: user}, Serial: device.Factor.ARN(),
		Code1: testkit.Code(s, seed, now.Add(-30*time.Second)), Code2: testkit.Code(s, seed, now),
	})
	w.Clock.Advance(time.Minute)
	session := testkit.Do(s, w, w.As(s, key.AccessKeyID, ""), ops.GetSessionToken, ops.GetSessionTokenIn{
		Serial: device.Factor.ARN(), Code: testkit.Code(s, seed, w.Clock.Now()),
	})
	return sigv4.Credentials{AccessKeyID: session.AccessKeyID, Secret: string(session.Secret.Reveal()), Token: session.Token}
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func hashOfZeros(n int64) string {
	h := sha256.New()
	io.Copy(h, &zeros{n})
	return hex.EncodeToString(h.Sum(nil))
}
