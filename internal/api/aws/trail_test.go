package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
	"warifu/internal/testkit"
)

// K-3: each operation of this door leaves exactly one event for each signed
// request, also for one without inputs, which most operations refuse before
// policy is asked.
func TestEveryRequestLeavesOneEvent(t *testing.T) {
	w := testkit.New(t)
	d := New(Config{Ops: w.Server, Log: slog.New(slog.DiscardHandler),
		Client: func(*http.Request) (netip.Addr, string, bool) {
			return netip.MustParseAddr("192.0.2.7"), "192.0.2.8", true
		}})
	admin := w.Admin(t)
	testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: "nobody"})
	k := testkit.Do(t, w, admin, ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "nobody"}})
	session := proved(t, w, admin)
	callers := map[string]sigv4.Credentials{
		"admin":  {AccessKeyID: w.AccessKeyID, Secret: w.SecretAccessKey},
		"nobody": {AccessKeyID: k.ID, Secret: string(k.Plain.Reveal())},
		"proved": {AccessKeyID: session.AccessKeyID, Secret: string(session.Secret.Reveal()), Token: string(session.Token)},
	}
	for _, a := range actions() {
		for name, key := range callers {
			if name != "nobody" && a.name == "UpdateAccountPasswordPolicy" {
				continue // it needs no input, and would change what others do
			}
			for _, filled := range []bool{false, true} {
				w.Clock.Advance(time.Millisecond)
				out := httptest.NewRecorder()
				d.ServeHTTP(out, signed(t, w, a, key, filled))
				found := w.EventsOf(t, out.Header().Get("X-Amzn-Requestid"))
				what := a.name + " by " + name
				if len(found) != 1 {
					t.Errorf("%s: %d events; status %d", what, len(found), out.Code)
					continue
				}
				testkit.CheckEvent(t, what, found[0], testkit.Told{Door: "aws", Operation: a.op, Actor: strings.Replace(name, "proved", "admin", 1), MFA: name == "proved",
					Source: "192.0.2.7", Chain: "192.0.2.8", Agent: "trail test", OK: out.Code == http.StatusOK})
			}
		}
	}
}

// proved are session credentials of the administrator's, who gave a code.
func proved(t *testing.T, w *testkit.World, admin ops.Call) *ops.NewSession {
	t.Helper()
	d := testkit.Do(t, w, admin, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "walk"})
	code := func(back time.Duration) string {
		return testkit.Code(t, string(d.SeedText.Reveal()), w.Now().Add(-back))
	}
	testkit.Do(t, w, admin, ops.EnableMFADevice, ops.PairIn{User: ops.Ref{Name: "admin"}, Serial: d.ARN(), Code1: code(30 * time.Second), Code2: code(0)})
	w.Clock.Advance(time.Minute)
	return testkit.Do(t, w, admin, ops.GetSessionToken, ops.GetSessionTokenIn{Serial: d.ARN(), Code: code(0)})
}

// signed is a request for an operation, without inputs or with something in each
// that is text.
func signed(t *testing.T, w *testkit.World, a action, key sigv4.Credentials, filled bool) *http.Request {
	t.Helper()
	body, kind := "Action="+a.name+"&Version="+a.service.version, "application/x-www-form-urlencoded"
	if filled {
		for k, v := range testkit.Filled(a.in) {
			body += "&" + k + "=" + v
		}
	}
	if a.json != nil {
		body, kind = "{\"MaxResults\":0}", "application/x-amz-json-1.1"
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("User-Agent", "trail test")
	if a.json != nil {
		r.Header.Set("X-Amz-Target", a.service.version+"."+a.name)
	}
	sum := sha256.Sum256([]byte(body))
	_, err := sigv4.Sign(&sigv4.Request{Method: r.Method, Host: r.Host, Path: "/", Header: r.Header, BodyHash: hex.EncodeToString(sum[:])},
		key, w.Clock.Now(), sigv4.SignOptions{Region: "us-east-1", Service: a.service.name})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
