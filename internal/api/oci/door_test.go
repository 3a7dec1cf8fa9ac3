package oci

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// The whole of the door is driven by Oracle's SDK in e2e/oci. What stands here is what
// the SDK does not send.

// site is a door and a user who signs.
type site struct {
	*testkit.World
	t     *testing.T
	door  *Door
	key   *rsa.PrivateKey
	keyID string
	user  string
	root  string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{World: testkit.New(t), t: t, root: testkit.Account.Tenancy()}
	s.door = New(Config{Ops: s.Server, Log: slog.New(slog.DiscardHandler), Client: func(*http.Request) (netip.Addr, string, bool) {
		return netip.MustParseAddr("192.0.2.7"), "", true
	}})
	var err error
	if s.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&s.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.AddOracleKeyFor(context.Background(), "admin", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	s.keyID, s.user = k.ID(), k.User.OCID(name.OCIUser)
	return s
}

// send signs a request and sends it.
func (s *site) send(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Date", s.Clock.Now().UTC().Format(http.TimeFormat))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	lines := []string{"date: " + r.Header.Get("Date"), "(request-target): " + strings.ToLower(method) + " " + target, "host: " + r.Host}
	names := "date (request-target) host"
	if method != http.MethodGet && method != http.MethodDelete && method != http.MethodHead {
		sum := sha256.Sum256([]byte(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Content-Sha256", base64.StdEncoding.EncodeToString(sum[:]))
		names += " content-length content-type x-content-sha256"
		lines = append(lines, "content-length: "+strconv.Itoa(len(body)), "content-type: application/json", "x-content-sha256: "+r.Header.Get("X-Content-Sha256"))
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	sig, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", `Signature version="1",headers="`+names+`",keyId="`+s.keyID+`",algorithm="rsa-sha256",signature="`+base64.StdEncoding.EncodeToString(sig)+`"`)
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, r)
	return w
}

func TestWhatTheSDKDoesNotSend(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		method, target, body string
		status               int
		code                 string
	}{
		{"GET", "/20160918/users", "", 400, "MissingParameter"},
		{"GET", "/20160918/users?compartmentId=x", "", 400, "InvalidParameter"},
		{"GET", "/20160918/users?compartmentId=" + s.root + "&limit=0", "", 400, "InvalidParameter"},
		{"GET", "/20160918/users?compartmentId=" + s.root + "&limit=x", "", 400, "InvalidParameter"},
		{"GET", "/20160918/users?compartmentId=" + s.root + "&sortBy=SIZE", "", 400, "InvalidParameter"},
		{"GET", "/20160918/users?compartmentId=" + s.root + "&sortOrder=UP", "", 400, "InvalidParameter"},
		{"GET", "/20160918/users?compartmentId=" + s.root + "&page=x", "", 400, "InvalidParameter"},
		{"GET", "/20160918/users?compartmentId=" + s.root + "&identityProviderId=x", "", 400, "InvalidParameter"},
		{"GET", "/20160918/compartments?compartmentId=" + s.root + "&compartmentIdInSubtree=maybe", "", 400, "InvalidParameter"},
		{"POST", "/20160918/users", "", 400, "MissingParameter"},
		{"POST", "/20160918/users", "{", 400, "CannotParseRequest"},
		{"POST", "/20160918/users", "{} {}", 400, "CannotParseRequest"},
		{"POST", "/20160918/users", `{"compartmentId":"` + s.root + `","name":"a b","description":"x"}`, 400, "InvalidParameter"},
		{"POST", "/20160918/users", `{"compartmentId":"` + s.root + `","name":"a"}`, 400, "InvalidParameter"},
		{"PATCH", "/20160918/users", "{}", 405, "MethodNotAllowed"},
		{"GET", "/20160918/moons", "", 404, "NotAuthorizedOrNotFound"},
		{"GET", "/20160918/users/", "", 404, "NotAuthorizedOrNotFound"},
		{"GET", "/20160918/users/x", "", 404, "NotAuthorizedOrNotFound"},
		{"GET", "/20160918/users/" + name.ID(123456789012345678).OCID(name.OCIUser), "", 404, "NotAuthorizedOrNotFound"},
		{"GET", "/20160918/compartments/" + name.Account(7).Tenancy(), "", 404, "NotAuthorizedOrNotFound"},
		{"GET", "/20160918/taggingWorkRequests?compartmentId=x", "", 501, "MethodNotImplemented"},
		{"PUT", "/20160918/users/" + s.user + "/state", "{}", 400, "InvalidParameter"},
		{"GET", "/20160918/userGroupMemberships?compartmentId=" + s.root, "", 400, "InvalidParameter"},
		{"GET", "/20160918/userGroupMemberships/x", "", 404, "NotAuthorizedOrNotFound"},
		{"POST", "/v1/authentication/refresh", `{"currentToken":"x"}`, 401, "NotAuthenticated"},
		{"POST", "/v1/token/upst/actions/GenerateUpst", `{"publicKey":"x","sessionExpirationInMinutes":"60"}`, 400, "InvalidParameter"},
		{"POST", "/v1/token/upst/actions/GenerateUpst", `{"publicKey":"x","sessionExpirationInMinutes":4}`, 400, "InvalidParameter"},
	} {
		w := s.send(c.method, c.target, c.body, "Opc-Request-Id", "ABC-1/<x>")
		var e struct{ Code, Message string }
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || w.Code != c.status || e.Code != c.code || e.Message == "" {
			t.Errorf("%s %s %s: %d %s", c.method, c.target, c.body, w.Code, w.Body)
		}
		if id := w.Header().Get("Opc-Request-Id"); !strings.HasPrefix(id, "ABC-1x/") || len(id) != len("ABC-1x/")+65 {
			t.Errorf("the id is %q", id)
		}
	}
}

// The authentication policy: what is left out stays, and each bound is kept.
func TestAuthenticationPolicy(t *testing.T) {
	s := newSite(t)
	at := "/20160918/authenticationPolicies/" + s.root
	put := func(body string) (shown map[string]map[string]any, w *httptest.ResponseRecorder) {
		w = s.send("PUT", at, `{"passwordPolicy":`+body+`}`)
		_ = json.Unmarshal(w.Body.Bytes(), &shown) // a refusal has another form, and is looked at as text
		return shown, w
	}
	shown, w := put(`{"minimumPasswordLength":12,"isUppercaseCharactersRequired":true,"isUsernameContainmentAllowed":false}`)
	if p := shown["passwordPolicy"]; w.Code != 200 || p["minimumPasswordLength"] != 12.0 || p["isUppercaseCharactersRequired"] != true || p["isUsernameContainmentAllowed"] != false {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for _, bad := range []string{"5", "0", "-1", "129", `"12"`, "1.5"} {
		if _, w := put(`{"minimumPasswordLength":` + bad + `,"isNumericCharactersRequired":true}`); w.Code != 400 {
			t.Errorf("a length of %s: %d %s", bad, w.Code, w.Body)
		}
	}
	shown, w = put(`{"isUsernameContainmentAllowed":true}`)
	if p := shown["passwordPolicy"]; p["minimumPasswordLength"] != 12.0 || p["isNumericCharactersRequired"] != false || p["isUsernameContainmentAllowed"] != true {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A refresh keeps what a session is, raises nothing, and ends with the session.
func TestRefresh(t *testing.T) {
	s := newSite(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&other.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"publicKey": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "sessionExpirationInMinutes": "60"})
	if err != nil {
		t.Fatal(err)
	}
	token := func(w *httptest.ResponseRecorder) string {
		t.Helper()
		var out struct{ Token string }
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != 200 || out.Token == "" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		return out.Token
	}
	first := token(s.send("POST", upstPath, string(text)))
	apiKey := *s
	s.key, s.keyID = other, "ST$"+first
	refresh := func() *httptest.ResponseRecorder {
		return s.send("POST", refreshPath, `{"currentToken":"`+strings.TrimPrefix(s.keyID, "ST$")+`"}`)
	}
	rounds := 0
	for range 40 {
		s.Clock.Advance(50 * time.Minute)
		w := refresh()
		if w.Code == 401 {
			break
		}
		rounds++
		s.keyID = "ST$" + token(w)
	}
	if rounds != 28 { // 28 × 50 min is within 24 h, and 29 is not
		t.Errorf("%d refreshes", rounds)
	}
	if w := apiKey.send("POST", refreshPath, `{"currentToken":"`+first+`"}`); w.Code != 401 {
		t.Errorf("an API key refreshes a session: %d", w.Code)
	}
}

func TestLargeBodiesAndSilence(t *testing.T) {
	s := newSite(t)
	if w := s.send("POST", "/20160918/users", strings.Repeat(" ", maxBody+1)); w.Code != 413 {
		t.Errorf("%d", w.Code)
	}
	r := httptest.NewRequest("POST", "/20160918/users", io.NopCloser(&brokenBody{}))
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, r)
	if w.Code != 408 {
		t.Errorf("%d", w.Code)
	}
}

type brokenBody struct{}

func (*brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestPathsOfTheDoor(t *testing.T) {
	for target, want := range map[string]bool{
		"/20160918/users": true, upstPath: true, refreshPath: true, "/": false, "/v1/authorize": false, "/v1/oauth2/authorize": false, "/20160918": false, "/x/20160918/": false,
	} {
		if got := Owns(httptest.NewRequest("GET", target, nil)); got != want {
			t.Errorf("%s: %v", target, got)
		}
	}
	known := map[string]bool{}
	for _, e := range ops.Catalog() {
		known[e.Name] = true
	}
	for _, op := range Operations() {
		if !known[op] {
			t.Errorf("%s is not in the catalog", op)
		}
	}
}

// FuzzBody: whatever a body holds, the answer is one of Oracle's.
func FuzzBody(f *testing.F) {
	f.Add([]byte(`{"compartmentId":"x","name":"x","description":"x","statements":["allow any-user to inspect users in tenancy"]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, b := range bindings(&Config{}) {
			req := &request{Request: httptest.NewRequest(b.method, "/", bytes.NewReader(nil)), body: body, vars: map[string]string{}}
			req.query = req.URL.Query()
			if _, err := b.decode(req); err != nil && answerTo(err).status == 500 {
				t.Fatalf("%s: %v", b.name, err)
			}
		}
	})
}

// FuzzQuery: whatever the query and the path's variables are, the answer is one of
// Oracle's.
func FuzzQuery(f *testing.F) {
	f.Add("compartmentId=x&limit=1&page=p&sortBy=NAME&compartmentIdInSubtree=true", "ocid1.user.oc1..aaaa", "W/\"x\"")
	f.Fuzz(func(t *testing.T, query, id, etag string) {
		for _, b := range bindings(&Config{}) {
			req := &request{Request: httptest.NewRequest(b.method, "/", nil), vars: map[string]string{}}
			req.query, _ = url.ParseQuery(query)
			req.Header.Set("If-Match", etag)
			for _, segment := range b.path {
				if strings.HasPrefix(segment, "{") {
					req.vars[strings.Trim(segment, "{}")] = id
				}
			}
			if _, err := b.decode(req); err != nil && answerTo(err).status == 500 {
				t.Fatalf("%s: %v", b.name, err)
			}
		}
	})
}

// accessLevel shows the compartments in which, or below which, the caller may inspect
// something; isAccessible says which those are.
func TestAccessibleCompartments(t *testing.T) {
	s := newSite(t)
	make := func(parent, called string) string {
		return member(t, s.send("POST", base+"compartments", `{"compartmentId":"`+parent+`","name":"`+called+`","description":"x"}`), "id")
	}
	a := make(s.root, "a")
	b := make(a, "b")
	make(b, "below-b")
	make(a, "beside-b")
	secret := make(s.root, "secret")
	make(s.root, "other")
	s.person("alice")
	key, public := pair(t)
	k, err := s.AddOracleKeyFor(t.Context(), "alice", public)
	if err != nil {
		t.Fatal(err)
	}
	alice := *s
	alice.key, alice.keyID = key, k.ID()
	says := func(called string, statements ...string) {
		t.Helper()
		text, err := json.Marshal(map[string]any{"compartmentId": s.root, "name": called, "description": "x", "statements": statements})
		if err != nil {
			t.Fatal(err)
		}
		if w := s.send("POST", base+"policies", string(text)); w.Code != 200 {
			t.Fatal(w.Body)
		}
	}
	list := func(who *site, query string) (open, closed string) {
		t.Helper()
		w := who.send("GET", base+"compartments?compartmentId="+s.root+"&compartmentIdInSubtree=true&sortBy=NAME&sortOrder=ASC"+query, "")
		var all []struct {
			Name         string
			IsAccessible bool
		}
		if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil || w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, c := range all {
			if c.IsAccessible {
				open += c.Name + " "
			} else {
				closed += c.Name + " "
			}
		}
		return open, closed
	}
	if open, closed := list(s, ""); open != "a b below-b beside-b other secret " || closed != "" {
		t.Errorf("an administrator: %s, not %s", open, closed)
	}
	is := func(query, wantOpen, wantClosed string) {
		t.Helper()
		if open, closed := list(&alice, query); open != wantOpen || closed != wantClosed {
			t.Errorf("%s: %q, not %q; want %q, not %q", query, open, closed, wantOpen, wantClosed)
		}
	}
	says("list", "allow any-user to {COMPARTMENT_INSPECT} in tenancy where all {request.user.name = 'alice', request.operation = 'ListCompartments', target.compartment.id = '"+s.root+"'}")
	is("&accessLevel=ACCESSIBLE", "a b below-b beside-b other secret ", "") // a statement speaks of the whole tenancy
	says("no", "deny any-user to inspect compartments in compartment a", "deny any-user to inspect compartments in compartment id "+secret)
	is("", "other ", "a b below-b beside-b secret ")
	is("&accessLevel=accessible", "other ", "")
	if w := alice.send("GET", base+"compartments?compartmentId="+s.root+"&accessLevel=SOME", ""); w.Code != 400 || !strings.Contains(w.Body.String(), "InvalidParameter") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// What a statement's author should know comes with the answer that saved it.
func TestAdviceAtSaving(t *testing.T) {
	s := newSite(t)
	body := `{"compartmentId":"` + s.root + `","name":"p","description":"x","statements":["allow any-user to manage users in tenancy where target.user.id = 'x'","allow any-user to inspect groups in tenancy where request.instance.id = 'x'"]}`
	w := s.send("POST", base+"policies", body)
	all := w.Header().Values("Warifu-Policy-Advice")
	if w.Code != 200 || len(all) != 2 || !strings.Contains(all[0], "ListUsers and CreateUser") || !strings.HasSuffix(all[0], "allow ... to { ... }") || !strings.Contains(all[1], "statement 2, line 1, column 51: no request here has the variable request.instance.id") {
		t.Errorf("%d %q", w.Code, all)
	}
	path := base + "policies/" + member(t, w, "id")
	if w := s.send("PUT", path, `{"statements":["allow any-user to inspect groups in tenancy"]}`); w.Code != 200 || len(w.Header().Values("Warifu-Policy-Advice")) != 0 {
		t.Errorf("%d %q", w.Code, w.Header())
	}
}

// Swift passwords are auth tokens by their older name: shown once, kept by their user
// without any policy, and as many.
func TestSwiftPasswords(t *testing.T) {
	s := newSite(t)
	all := base + "users/" + s.user + "/swiftPasswords"
	create := func() *httptest.ResponseRecorder { return s.send("POST", all, `{"description":"old client"}`) }
	first := create()
	id, password := member(t, first, "id"), member(t, first, "password")
	if len(password) < 20 || member(t, first, "description") != "old client" {
		t.Error(first.Body)
	}
	if w := s.send("PUT", all+"/"+id, `{"description":"older"}`); member(t, w, "description") != "older" || member(t, w, "password") != "" {
		t.Error(w.Body)
	}
	if w := s.send("GET", all, ""); w.Code != 200 || !strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), "password") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	member(t, create(), "id")
	if w := create(); w.Code != 400 || !strings.Contains(w.Body.String(), "LimitExceeded") {
		t.Errorf("a third: %d %s", w.Code, w.Body)
	}
	if w := s.send("DELETE", all+"/"+id, ""); w.Code != 204 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.send("DELETE", all+"/"+id, ""); w.Code != 404 {
		t.Errorf("twice: %d %s", w.Code, w.Body)
	}
}
