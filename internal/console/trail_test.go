package console

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// answeredHere are forms that are answered before a change is asked for: what
// they are about is not there, a field is missing, or they lead on to a page. The
// operations that they lead to are asked for in other tests. A form that is not
// among them must leave the event of a change.
var answeredHere = map[string]bool{
	"/console/bulk":                               true,
	"/console/bulk/delete":                        true,
	"/console/users/{name}/edit":                  true,
	"/console/users/{name}/groups":                true,
	"/console/users/{name}/mfa/{id}/remove":       true,
	"/console/users/{name}/inline/delete":         true,
	"/console/groups/{name}/inline/delete":        true,
	"/console/roles/{name}/edit":                  true,
	"/console/roles/{name}/inline/delete":         true,
	"/console/insight/{name}/fix":                 true,
	"/console/users/{name}/least":                 true,
	"/console/roles/{name}/least":                 true,
	"/console/policies/uses":                      true,
	"/console/policies/edit":                      true,
	"/console/policies/versions/delete":           true,
	"/console/policies/delete":                    true,
	"/console/tokens/import":                      true,
	"/console/tokens/{serial}":                    true,
	"/console/preferences":                        true,
	"/console/root":                               true,
	"/security/password":                          true,
	"/security/mfa/{id}/remove":                   true,
	"/security/notices":                           true,
	"/security/passkeys/{id}/remove":              true,
	"/security/passkeys/{id}/upgrade":             true,
	"/console/users/{name}/u2f":                   true,
	"/security/address/{kind}":                    true,
	"/security/address/{kind}/code":               true,
	"/security/address/{kind}/remove":             true,
	"/console/users/{name}/address/{kind}":        true,
	"/console/users/{name}/address/{kind}/remove": true,
	"/v1/authorize":                               true,
	"/v1/oauth2/authorize":                        true,
}

// Security checklist K-2, K-3: each operation that a form asks for leaves one
// event, allowed or not; it tells who, with what proof, whence
// and how it ended, and no secret.
func TestK3EveryFormLeavesOneEvent(t *testing.T) {
	s := open(t)
	u, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	s.con, err = New(Config{Ops: s.Server, Log: slog.New(slog.DiscardHandler), URL: u, Rand: s.Rand, Version: "test",
		Client: func(*http.Request) (netip.Addr, string, bool) {
			return netip.MustParseAddr("192.0.2.7"), "192.0.2.8", true
		}})
	if err != nil {
		t.Fatal(err)
	}
	s.agent = "trail test"
	s.user(t, "eve", adminWord, false, "arn:aws:iam::aws:policy/AdministratorAccess")
	signIn := s.withDevice(t, "eve")
	for _, r := range Routes() {
		if r.Method != "POST" || r.Who != SignedIn || r.Pattern == "/signout" {
			continue
		}
		s.Clock.Advance(time.Millisecond)
		from := s.Clock.Now()
		w := s.post(address(r), "name", "x0", "user", "eve", "password", testkit.Canary, "current", testkit.Canary, "code", testkit.Canary,
			"code1", testkit.Canary, "code2", testkit.Canary, "secret", testkit.Canary, "reason", "test", "do", "x", "confirm", "0")
		if _, signedIn := s.cookies["__Host-"+cookieSession]; !signedIn {
			signIn()
		}
		var changes []audit.Event
		for _, e := range testkit.Do(t, s.World, s.Admin(t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{From: from}}).Items {
			if e.Actor.Name != "eve" || e.RequestID != w.Header().Get("X-Request-Id") {
				continue
			}
			testkit.NoCanary(t, r.Pattern, e)
			if !e.ReadOnly {
				changes = append(changes, e)
			}
		}
		if len(changes) == 0 {
			if !answeredHere[r.Pattern] {
				t.Errorf("%s leaves no event; it was answered with %d", r.Pattern, w.Code)
			}
			continue
		}
		once := map[string]bool{} // a form can ask for more than one operation
		for _, e := range changes {
			if once[e.Operation] {
				t.Errorf("%s: the operation %s has more than one event", r.Pattern, e.Operation)
			}
			once[e.Operation] = true
			testkit.CheckEvent(t, r.Pattern, e, testkit.Told{Door: "console", Operation: e.Operation, Actor: "eve", Source: "192.0.2.7",
				Chain: "192.0.2.8", Agent: "trail test", MFA: true, OK: e.Result == audit.Allowed})
		}
	}
}

// withDevice signs a user in who has added a device, with its code, and returns how
// that is done again.
func (s *site) withDevice(t *testing.T, user string) (again func()) {
	t.Helper()
	s.signIn(t, user, adminWord)
	key := seed(t, s.post("/security/mfa/new", "name", user).Body.String())
	one, two := s.codes(t, key)
	to(t, s.post("/security/mfa/bind", "serial", "arn:aws:iam::"+testkit.Account.String()+":mfa/"+user, "code1", one, "code2", two), "/security")
	again = func() {
		t.Helper()
		s.Clock.Advance(time.Minute) // to a code that was not used
		s.cookies = map[string]string{}
		s.get("/signin")
		to(t, s.post("/signin", "account", testkit.Account.String(), "user", user, "password", adminWord), "/signin/code")
		to(t, s.post("/signin/code", "code", s.code(t, key)), "/console")
	}
	again()
	return again
}
