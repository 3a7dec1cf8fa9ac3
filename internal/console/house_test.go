package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// wildcard fills the patterns' wildcards with something that is not there.
var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

// address is a path that a route serves.
func address(r Route) string {
	return wildcard.ReplaceAllString(strings.TrimSuffix(r.Pattern, "{$}"), "0")
}

// call asks at a route as the browser of the site.
func (s *site) call(r Route) *httptest.ResponseRecorder {
	if r.Method == "POST" {
		return s.post(address(r))
	}
	return s.get(address(r))
}

// H-2: every answer has the headers, whatever its route, its status, and who asks.
func TestH2HeadersOnEveryRoute(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false)
	nonce := regexp.MustCompile(`script-src 'nonce-([A-Za-z0-9_-]{22})'`)
	check := func(what string, w *httptest.ResponseRecorder) {
		h := w.Header()
		for name, want := range map[string]string{
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
			"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", what, name, got, want)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: the policy lacks %s: %s", what, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: the policy is open: %s", what, csp)
		}
		body := w.Body.String()
		if n := nonce.FindStringSubmatch(csp); strings.Contains(body, "<script") && (n == nil || strings.Count(body, "<script") != strings.Count(body, `nonce="`+n[1]+`"></script>`)) {
			t.Errorf("%s: a script without the nonce of the policy", what)
		}
	}
	for _, in := range []bool{false, true} {
		for _, r := range Routes() {
			s.cookies = map[string]string{}
			if in {
				s.signIn(t, "alice", adminWord)
			}
			check(fmt.Sprint(r.Method, " ", r.Pattern, " signed in ", in), s.call(r))
		}
	}
	check("a page that is not there", s.get("/console/no/such/page"))
	put := s.do(httptest.NewRequest("PUT", origin+"/signin", nil))
	check("another method", put)
	if put.Code != 405 || put.Header().Get("Allow") != "GET, POST" {
		t.Errorf("PUT: %d, allowed are %q", put.Code, put.Header().Get("Allow"))
	}
	if w := s.do(httptest.NewRequest("GET", origin+"/signout", nil)); w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET /signout: %d, allowed are %q", w.Code, w.Header().Get("Allow"))
	}
}

// No page and no style sheet says what the policy forbids.
func TestH2NothingInline(t *testing.T) {
	bad := regexp.MustCompile(`(?i)\sstyle=|<style|\son[a-z]+=|javascript:|<script[^>]*>[^<]|template\.(HTML|JS|CSS|URL)\b`)
	for _, pattern := range []string{"templates/*.html", "templates/*/*.html", "*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if m := bad.Find(b); m != nil {
				t.Errorf("%s: %s", name, m)
			}
		}
	}
}

// stages are browsers with a sign-in that stands at each stage.
func stages(t *testing.T, s *site) map[string]map[string]string {
	t.Helper()
	at := map[string]map[string]string{"": {}}
	keep := func(stage string) {
		at[stage] = map[string]string{}
		for k, v := range s.cookies {
			at[stage][k] = v
		}
	}
	begin := func(name string) {
		s.cookies = map[string]string{}
		s.get("/signin")
		s.post("/signin", "account", testkit.Account.String(), "user", name, "password", adminWord)
	}
	s.user(t, "bound", adminWord, false, "arn:aws:iam::aws:policy/AdministratorAccess")
	begin("bound")
	key := seed(t, s.post("/security/mfa/new", "name", "bound").Body.String())
	one, two := s.codes(t, key)
	to(t, s.post("/security/mfa/bind", "serial", "arn:aws:iam::123456789012:mfa/bound", "code1", one, "code2", two), "/security")
	begin("bound")
	keep(stageFactor)
	s.user(t, "new", adminWord, true, "arn:aws:iam::aws:policy/AdministratorAccess")
	begin("new")
	keep(stageNewPassword)

	s.cookies = map[string]string{}
	token, err := s.NewSetupToken(t.Context(), testkit.Account, "admin")
	if err != nil {
		t.Fatal(err)
	}
	link := "/setup/" + string(token.Reveal())
	s.get(link)
	s.post(link)
	keep(stageAccount)
	restart := func() { // a flow of its own
		s.cookies = map[string]string{}
		s.get(link)
		s.post(link)
		s.post("/setup/account", "alias", "acme")
	}
	restart()
	keep(stageRoot)
	restart()
	to(t, s.post("/setup/root", "email", rootMail, "password", rootPassword, "again", rootPassword), "/signin/bind")
	keep(stageBind)
	return at
}

// S-3: whoever is half-way through signing in reaches nothing but the next step.
// The matrix is every route with every stage, and nobody at all.
func TestS3PartialSignInOpensNothing(t *testing.T) {
	s := open(t)
	for stage, cookies := range stages(t, s) {
		for _, r := range Routes() {
			s.cookies = map[string]string{}
			for k, v := range cookies {
				s.cookies[k] = v
			}
			// The set-up's earlier forms may be filled in again.
			again := stage == stageBind && (r.Stage == stageAccount || r.Stage == stageRoot) || stage == stageRoot && r.Stage == stageAccount
			if r.Method == "POST" && r.Who == Signing && (again || r.Stage == stage) {
				continue // it is the next step
			}
			w := s.call(r)
			what := fmt.Sprintf("%s %s at %q: %d to %q", r.Method, r.Pattern, stage, w.Code, w.Header().Get("Location"))
			if _, has := s.cookies["__Host-"+cookieSession]; has {
				t.Errorf("%s gives a session", what)
			}
			switch r.Who {
			case SignedIn:
				if w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/signin") {
					t.Errorf("%s, want the way to sign in", what)
				}
			case Signing:
				if w.Code == 200 && r.Stage != stage && !again {
					t.Errorf("%s: it shows the page of another stage", what)
				}
				if r.Method == "GET" && r.Stage == stage && w.Code != 200 {
					t.Errorf("%s: the next step is closed", what)
				}
			case Nobody:
				t.Errorf("%s does not say who may come in", what)
			}
		}
	}
}

// S-1: the secret of a sign-in under way is none of a session, nor the other way
// round, and both are kept from scripts and from other hosts.
func TestS1CookiesAreOfTheirKind(t *testing.T) {
	s := open(t)
	at := stages(t, s)
	flow := at[stageFactor]["__Host-"+cookieFlow]
	if flow == "" {
		t.Fatal("there is no cookie of a sign-in")
	}
	s.cookies = map[string]string{"__Host-" + cookieSession: flow}
	to(t, s.get("/console"), "/signin")
	for _, raw := range []string{"", "x", flow[:len(flow)-1], flow + "0", "wses_" + flow[5:]} {
		s.cookies = map[string]string{"__Host-" + cookieSession: raw}
		to(t, s.get("/console"), "/signin")
	}

	s.user(t, "alice", adminWord, false)
	s.cookies = map[string]string{}
	s.get("/signin")
	w := s.post("/signin", "account", testkit.Account.String(), "user", "alice", "password", adminWord)
	if len(w.Result().Cookies()) == 0 {
		t.Fatal("no cookies")
	}
	for _, c := range w.Result().Cookies() {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("the cookie %s is open: %s", c.Name, c)
		}
	}
	plain := consoleOf(t, s.World, "http://localhost:7420")
	r := httptest.NewRequest("GET", "http://localhost:7420/signin", nil)
	rec := httptest.NewRecorder()
	plain.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		if strings.HasPrefix(c.Name, "__Host-") || c.Secure || !c.HttpOnly {
			t.Errorf("on plain http the cookie %s would be refused or read: %s", c.Name, c)
		}
	}
}

// H-1: a form of another site does nothing, with old browsers too; sign-in forms
// need the token of this browser; GET changes nothing.
func TestH1ForgedFormsDoNothing(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false)
	s.signIn(t, "alice", adminWord)
	for _, r := range Routes() {
		if r.Method != "POST" {
			continue
		}
		for name, set := range map[string]func(http.Header){
			"cross-site":  func(h http.Header) { h.Set("Sec-Fetch-Site", "cross-site") },
			"same-site":   func(h http.Header) { h.Set("Sec-Fetch-Site", "same-site") },
			"old browser": func(h http.Header) { h.Set("Origin", "https://evil.example") },
			"null origin": func(h http.Header) { h.Set("Origin", "null") },
		} {
			req := httptest.NewRequest("POST", origin+address(r), strings.NewReader(""))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			set(req.Header)
			if w := s.do(req); w.Code != 403 || !strings.Contains(text(w), "came from another site") {
				t.Errorf("%s %s: %d", r.Pattern, name, w.Code)
			}
		}
	}
	says(t, s.get("/console"), 200, "alice") // still signed in

	s.cookies = map[string]string{}
	s.get("/signin")
	for _, r := range Routes() {
		if r.Method != "POST" || r.Who == SignedIn || r.Pattern == "/preferences" {
			continue
		}
		if w := s.post(address(r), fieldToken, "wrong"); w.Code != 400 || !strings.Contains(text(w), "open for too long") {
			t.Errorf("%s without the token: %d\n%s", r.Pattern, w.Code, text(w))
		}
		if w := s.post(address(r), fieldToken, ""); w.Code != 400 {
			t.Errorf("%s with an empty token: %d", r.Pattern, w.Code)
		}
	}
}

// H-5: the link of the set-up is used by its button, not by looking at it.
func TestH5LookingAtASetUpLinkUsesNothing(t *testing.T) {
	s := open(t)
	token, err := s.NewSetupToken(t.Context(), testkit.Account, "admin")
	if err != nil {
		t.Fatal(err)
	}
	link := "/setup/" + string(token.Reveal())
	for range 3 {
		w := s.get(link)
		says(t, w, 200, "Set up this server")
		if c := s.cookies["__Host-"+cookieFlow]; c != "" {
			t.Fatal("looking began a flow")
		}
	}
	says(t, s.get("/setup/unknown"), 404, "used or has run out")
}

// H-4: only paths of this site are gone on to.
func TestH4RedirectTargets(t *testing.T) {
	for target, want := range map[string]string{
		"": home, "/security": "/security", "/console?q=a&b=%2F": "/console?b=%2F&q=a", "/a/../b": "/a/../b", "/x#frag": "/x",
		"//evil.example": home, "///evil.example": home, `/\evil.example`: home, `\/evil.example`: home, "https://evil.example": home,
		"javascript:alert(1)": home, "data:text/html,x": home, "/\tevil": home, "/a\r\nSet-Cookie: x": home, "/%0d%0aX": home, "/%5cevil.example": home,
		"/%2f/evil.example": home, "evil": home, "@evil.example": home, "/ x": home, "/?next=//evil.example": "/?next=%2F%2Fevil.example", "/%": home,
	} {
		if got := local(target); got != want {
			t.Errorf("local(%q) = %q, want %q", target, got, want)
		}
	}
	s := open(t)
	s.user(t, "alice", adminWord, false)
	for _, next := range []string{"//evil.example/", "https://evil.example/", `/\evil.example`} {
		s.cookies = map[string]string{}
		s.get("/signin")
		to(t, s.post("/signin", "account", testkit.Account.String(), "user", "alice", "password", adminWord, "next", next), home)
		to(t, s.get("/signin?next="+next), home)
		to(t, s.post("/preferences", "lang", "ja", "next", next), home)
	}
}

func FuzzLocal(f *testing.F) {
	for _, s := range []string{"/a?b#c", "//x", `/\x`, "/%2f%2fx", "http://x", "/\x00", "/a//b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := local(s)
		if got == "" || got[0] != '/' || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t\x00 ") {
			t.Errorf("local(%q) = %q", s, got)
		}
		if local(got) != got {
			t.Errorf("local(%q) = %q, which is not stable: %q", s, got, local(got))
		}
	})
}

// H-6: no answer repeats the host that a request names.
func TestH6HostIsNeverRepeated(t *testing.T) {
	s := open(t)
	for _, r := range Routes() {
		if r.Method != "GET" {
			continue
		}
		req := httptest.NewRequest("GET", "https://evil.example"+address(r), nil)
		req.Header.Set("X-Forwarded-Host", "evil.example")
		w := s.do(req)
		if strings.Contains(w.Body.String()+w.Header().Get("Location"), "evil.example") {
			t.Errorf("%s repeats the host", r.Pattern)
		}
	}
}

// A person without permission sees which action no policy allows, and no error.
func TestDenialsSayWhatStopsThem(t *testing.T) {
	s := open(t)
	s.user(t, "eve", adminWord, false)
	s.signIn(t, "eve", adminWord)
	says(t, s.get("/security"), 200, "None of your policies allows iam:ListAccessKeys", "Sessions", "this one", "Your recent activity", "Sign-in")
	says(t, s.get("/security/activity"), 200, "Sign-in")
	says(t, s.get("/console/audit"), 403, "You are not allowed to do this", "cloudtrail:LookupEvents", "send an administrator")

	// A statement that allows it with a second factor only is named as well.
	testkit.Do(t, s.World, s.Admin(t), ops.PutUserPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: "eve"}, Policy: "WithMFA", Document: `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"cloudtrail:*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}},
		{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"},"IpAddress":{"aws:SourceIp":"198.51.100.1"}}}]}`})
	says(t, s.get("/console/audit"), 403, "This needs your second factor", "The policy WithMFA allows this only", "add one on your Security page")
	says(t, s.get("/console/users"), 403, "You are not allowed to do this", "None of your policies allows iam:ListUsers")
	testkit.Do(t, s.World, s.Admin(t), ops.DeleteUserPolicy, ops.InlineIn{Holder: ops.Ref{Name: "eve"}, Policy: "WithMFA"})

	admin := s.Admin(t)
	force := `{"Version":"2012-10-17","Statement":[{"Sid":"NoMFA","Effect":"Deny","Action":"cloudtrail:*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}`
	p := testkit.Do(t, s.World, admin, ops.CreatePolicy, ops.CreatePolicyIn{Name: "Force_MFA", Document: force})
	testkit.Do(t, s.World, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: "eve"}, Policy: p.ARN()})
	says(t, s.get("/console/audit"), 403, "This needs your second factor", "The policy Force_MFA allows this only", "add one on your Security page", "Force_MFA, line 1")

	// With a device, its code opens what the policy keeps for MFA.
	all := testkit.Do(t, s.World, admin, ops.CreatePolicy, ops.CreatePolicyIn{Name: "All", Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`})
	testkit.Do(t, s.World, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: "eve"}, Policy: all.ARN()})
	key := seed(t, says(t, s.post("/security/mfa/new", "name", "eve"), 200, "Scan this"))
	one, two := s.codes(t, key)
	to(t, s.post("/security/mfa/bind", "serial", "arn:aws:iam::123456789012:mfa/eve", "code1", one, "code2", two), "/security")
	says(t, s.get("/console/audit"), 403, "Confirm with your device")
	to(t, s.post("/stepup", "next", "/console/audit", "code", s.code(t, key)), "/console/audit")
	says(t, s.get("/console/audit"), 200, "EnableMFADevice")
}

func TestStaticFiles(t *testing.T) {
	s := open(t)
	path := s.con.assets.prefix + "console.css"
	w := s.get(path)
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	r := httptest.NewRequest("GET", origin+path, nil)
	r.Header.Set("Accept-Encoding", "br, gzip")
	z := s.do(r)
	if z.Header().Get("Content-Encoding") != "gzip" || z.Body.Len() >= w.Body.Len() {
		t.Errorf("not compressed: %v", z.Header())
	}
	if w := s.get("/static/0000000000000000/console.css"); w.Code != 404 {
		t.Errorf("a file of another version: %d", w.Code)
	}
	total := 0
	for _, f := range s.con.assets.files {
		total += len(f.gzip)
	}
	page := s.get("/console/design").Body.Len()
	if total+page > 100<<10 {
		t.Errorf("the largest page transfers %d + %d bytes", page, total)
	}
}

func TestOwns(t *testing.T) {
	for _, c := range []struct {
		method, target, accept, auth string
		want                         bool
	}{
		{"GET", "/", "text/html,*/*", "", true}, {"GET", "/", "*/*", "", false}, {"POST", "/", "text/html", "", false},
		{"GET", "/?Action=GetCallerIdentity", "text/html", "", false}, {"GET", "/", "text/html", "AWS4-HMAC-SHA256 x", false},
		{"GET", "/console", "", "", true}, {"GET", "/signin/acme", "", "", true}, {"GET", "/security/x", "", "", true}, {"GET", "/consoles", "", "", false},
		{"GET", "/console/x", "", "AWS4-HMAC-SHA256 x", false}, {"GET", "/console/x?X-Amz-Signature=1", "", "", false}, {"GET", "/bucket/key", "text/html", "", false},
	} {
		r := httptest.NewRequest(c.method, c.target, nil)
		r.Header.Set("Accept", c.accept)
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		if got := Owns(r); got != c.want {
			t.Errorf("%s %s: %v", c.method, c.target, got)
		}
	}
	for _, r := range Routes() {
		req := httptest.NewRequest(r.Method, address(r), nil)
		req.Header.Set("Accept", "text/html")
		if !Owns(req) {
			t.Errorf("the console does not own its route %s %s", r.Method, r.Pattern)
		}
	}
}

func TestFormsThatAreNone(t *testing.T) {
	s := open(t)
	s.get("/signin")
	says(t, s.post("/signin", "user", strings.Repeat("x", maxForm)), 400, "too long")
	r := httptest.NewRequest("POST", origin+"/signin", strings.NewReader("%zz"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	says(t, s.do(r), 400, "too long, or was cut off")
}

// H-3: what people write is text on every page, whatever it looks like.
func TestH3WhatIsWrittenIsText(t *testing.T) {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)>{{.}}`
	s, forced := office(t)
	c := s.Admin(t)
	ref := func(name string) ops.Ref { return ops.Ref{Name: name} }
	described := evil
	testkit.Do(t, s.World, c, ops.UpdateRole, ops.UpdateRoleIn{Role: ref("deploy"), Description: &described})
	testkit.Do(t, s.World, c, ops.CreatePolicy, ops.CreatePolicyIn{Name: "evil", Description: evil, Document: "// " + evil + "\n" + forceMFA, Comments: true})
	testkit.Do(t, s.World, c, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "own", Document: "/* " + evil + " */" + template2012, Comments: true})
	testkit.Do(t, s.World, c, ops.UnblockUser, ops.BlockUserIn{User: ref("mallory"), Reason: evil})
	testkit.Do(t, s.World, c, ops.BlockUser, ops.BlockUserIn{User: ref("mallory"), Reason: evil})
	s.user(t, "owner", adminWord, false, adminPolicy)
	s.agent = evil
	s.signIn(t, "owner", adminWord)

	own := url.QueryEscape("arn:aws:iam::123456789012:policy/evil")
	pages := adminPages(forced)
	for _, path := range []string{
		"/security", "/security/activity", "/security/notices", "/console/users?q=" + url.QueryEscape(evil), "/console/policies?q=" + url.QueryEscape(evil),
		"/console/policies/view?arn=" + own, "/console/policies/edit?arn=" + own, "/console/users/owner/sessions",
		"/console/audit?action=" + url.QueryEscape(evil), "/console/users/alice/access?action=" + url.QueryEscape("ec2:"+evil), "/console/" + url.PathEscape(evil),
	} {
		pages[path] = ""
	}
	shown := 0
	for path := range pages {
		body := s.get(path).Body.String()
		for _, bad := range []string{"<script>alert", "<img src=x", "onerror=alert(2)>"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s: %s stands in the page", path, bad)
			}
		}
		if strings.Contains(body, "&lt;script&gt;alert(1)") {
			shown++
		}
	}
	if shown < 8 {
		t.Errorf("only %d pages show what was written, so the others prove little", shown)
	}
}
