package oci

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"warifu/internal/name"
	"warifu/internal/ops"
	sig "warifu/internal/reqsig/oci"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/testkit"
)

// pair is a key and its public half in PEM.
func pair(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// mint begins a session with whatever the site signs with, for a key.
func (s *site) mint(public string, minutes int) *httptest.ResponseRecorder {
	s.t.Helper()
	text, err := json.Marshal(map[string]any{"publicKey": public, "sessionExpirationInMinutes": minutes})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.send("POST", upstPath, string(text))
}

// member reads a text of an answer.
func member(t *testing.T, w *httptest.ResponseRecorder, called string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &all); err != nil || w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	text, _ := all[called].(string)
	return text
}

// A session that begins another hands on no more of its life than it has: there is no
// way to be in for ever.
func TestNoSessionOutlivesTheOneThatBeganIt(t *testing.T) {
	s := newSite(t)
	key, public := pair(t)
	first := s.mint(public, 60)
	s.key, s.keyID = key, "ST$"+member(t, first, "token")
	began := s.Clock.Now()
	for range 60 {
		s.Clock.Advance(50 * time.Minute)
		w := s.mint(public, 60)
		if w.Code != 200 {
			break
		}
		s.keyID = "ST$" + member(t, w, "token")
	}
	if lived := s.Clock.Now().Sub(began); lived > 24*time.Hour+50*time.Minute {
		t.Errorf("the sessions lived %s", lived)
	}
}

// A token is good for as long as its user is, and its own capabilities.
func TestTokensOfUsersWhoAreGone(t *testing.T) {
	s := newSite(t)
	admin := s.Admin(t)
	user := member(t, s.send("POST", base+"users", `{"compartmentId":"`+s.root+`","name":"alice","description":"a"}`), "id")
	apiKey, public := pair(t)
	text, err := json.Marshal(map[string]string{"key": public})
	if err != nil {
		t.Fatal(err)
	}
	alice := *s
	alice.key, alice.keyID = apiKey, member(t, s.send("POST", base+"users/"+user+"/apiKeys", string(text)), "keyId")
	signed := alice
	sessionKey, sessionPublic := pair(t)
	signed.keyID = "ST$" + member(t, alice.mint(sessionPublic, 60), "token")
	signed.key = sessionKey
	good := func(who *site) bool { return who.send("GET", base+"regions", "").Code == 200 }
	if !good(&alice) || !good(&signed) {
		t.Fatal("the key or the session is not good")
	}
	testkit.Do(t, s.World, admin, ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
	if good(&alice) || good(&signed) {
		t.Error("somebody who is blocked is let in")
	}
	if w := s.send("PUT", base+"users/"+user+"/state", `{"blocked":false}`); w.Code != 200 {
		t.Fatal(w.Body)
	}
	if !good(&alice) || !good(&signed) {
		t.Error("somebody who is blocked no more is not let in")
	}
	if w := s.send("DELETE", base+"users/"+user, ""); w.Code != 204 {
		t.Fatal(w.Body)
	}
	if good(&alice) || good(&signed) {
		t.Error("somebody who is gone is let in")
	}
}

// browser is where people sign in.
var browser = ops.Source{Door: "console", Service: "signin", IP: netip.MustParseAddr("192.0.2.7"), Secure: true}

// person makes a user with a password, and returns what signs it in.
func (s *site) person(called string) (id name.ID, signIn func() seal.Secret) {
	s.t.Helper()
	admin, password := s.Admin(s.t), seal.NewSecret([]byte("a long enough pass phrase"))
	testkit.Do(s.t, s.World, admin, ops.CreateUser, ops.CreateUserIn{Name: called})
	testkit.Do(s.t, s.World, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: called}, Password: password})
	return testkit.Do(s.t, s.World, admin, ops.GetUser, ops.UserIn{User: ops.Ref{Name: called}}).ID, func() seal.Secret {
		s.t.Helper()
		call := ops.Call{Source: browser, RequestID: s.NewRequestID(), At: s.Clock.Now()}
		step := testkit.Do(s.t, s.World, call, ops.SignIn, ops.SignInIn{Form: ops.SubmitPassword{Account: testkit.Account.String(), User: called, Password: password}})
		if step.Verdict != signin.Open {
			s.t.Fatalf("%+v", step)
		}
		return step.Session.Token
	}
}

// as is a call in a session of the console.
func (s *site) as(token seal.Secret) ops.Call {
	s.t.Helper()
	c, err := s.Session(s.t.Context(), token, browser)
	if err != nil {
		s.t.Fatal(err)
	}
	return ops.Call{Caller: c, Source: browser, RequestID: s.NewRequestID(), At: s.Clock.Now()}
}

// begin begins a session of a command line in a session of the console.
func (s *site) begin(me ops.Call) *site {
	s.t.Helper()
	out := *s
	out.key, _ = pair(s.t)
	session := testkit.Do(s.t, s.World, me, ops.BeginOracleSession, ops.BeginOracleIn{JWK: sig.JWK(&out.key.PublicKey)})
	if err := s.SignOracle(s.t.Context(), session); err != nil {
		s.t.Fatal(err)
	}
	out.keyID = "ST$" + string(session.Plain.Reveal())
	return &out
}

// good tells whether requests that are so signed are answered.
func (s *site) good() bool {
	s.t.Helper()
	w := s.send("GET", base+"regions", "")
	if w.Code != 200 && w.Code != 401 {
		s.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Code == 200
}

// P-10: what ends the session of the console in which a command line was approved, or the
// command line itself, ends its tokens at once, those that it was refreshed to and those
// of sessions that it began.
func TestP10TokensEndWithTheirSession(t *testing.T) {
	s := newSite(t)
	admin := s.Admin(t)
	id, signIn := s.person("alice")
	off, on := true, false
	for what, end := range map[string]func(me ops.Call){
		"signed out": func(me ops.Call) { testkit.Do(t, s.World, me, ops.SignOut, struct{}{}) },
		"sessions ended": func(ops.Call) {
			testkit.Do(t, s.World, admin, ops.EndOtherSessions, ops.UserIn{User: ops.Ref{Name: "alice"}})
		},
		"blocked for once": func(ops.Call) {
			testkit.Do(t, s.World, admin, ops.BlockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
			testkit.Do(t, s.World, admin, ops.UnblockUser, ops.BlockUserIn{User: ops.Ref{Name: "alice"}})
		},
		"password switched off": func(ops.Call) {
			testkit.Do(t, s.World, admin, ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, Disabled: &off})
			testkit.Do(t, s.World, admin, ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, Disabled: &on})
		},
		"passwords forbidden": func(ops.Call) {
			testkit.Do(t, s.World, admin, ops.UpdateUserCapabilities, ops.OracleCapabilitiesIn{Matching: ops.Matching{ID: id}, Password: &on})
			testkit.Do(t, s.World, admin, ops.UpdateUserCapabilities, ops.OracleCapabilitiesIn{Matching: ops.Matching{ID: id}, Password: &off})
		},
		"command line ended": func(me ops.Call) {
			all := testkit.Do(t, s.World, me, ops.ListCLILogins, ops.UserIn{})
			if len(all) != 1 || all[0].Generation != 2 {
				t.Fatalf("command lines: %+v", all)
			}
			testkit.Do(t, s.World, me, ops.EndCLILogin, ops.CLILoginIn{Login: all[0].ID})
		},
	} {
		me := s.as(signIn())
		alice := s.begin(me)
		refreshed := *alice
		refreshed.keyID = "ST$" + member(t, alice.send("POST", refreshPath, `{"currentToken":"`+strings.TrimPrefix(alice.keyID, "ST$")+`"}`), "token")
		child := *alice
		var public string
		child.key, public = pair(t)
		child.keyID = "ST$" + member(t, alice.mint(public, 60), "token")
		if !alice.good() || !refreshed.good() || !child.good() {
			t.Fatal("no token is good")
		}
		end(me)
		if alice.good() || refreshed.good() || child.good() {
			t.Errorf("%s: a token is good: %v %v %v", what, alice.good(), refreshed.good(), child.good())
		}
	}
	// A password that is made at this door ends them as well; and no session lasts longer
	// than the one of the console.
	alice := s.begin(s.as(signIn()))
	if w := s.send("POST", base+"users/"+id.OCID(name.OCIUser)+"/uiPassword", ""); w.Code != 200 || alice.good() {
		t.Errorf("after a new password: %d", w.Code)
	}
}

// A session that an API key began ends with that key, and with the capability.
func TestTokensEndWithTheirKey(t *testing.T) {
	s := newSite(t)
	id, _ := s.person("alice")
	user := id.OCID(name.OCIUser)
	alice := *s
	key, public := pair(t)
	text, err := json.Marshal(map[string]string{"key": public})
	if err != nil {
		t.Fatal(err)
	}
	uploaded := s.send("POST", base+"users/"+user+"/apiKeys", string(text))
	alice.key, alice.keyID = key, member(t, uploaded, "keyId")
	session := alice
	var own string
	session.key, own = pair(t)
	session.keyID = "ST$" + member(t, alice.mint(own, 60), "token")
	can := func(yes string) {
		if w := s.send("PUT", base+"users/"+user+"/capabilities", `{"canUseApiKeys":`+yes+`}`); w.Code != 200 {
			t.Fatal(w.Body)
		}
	}
	if !session.good() {
		t.Fatal("the token is not good")
	}
	if can("false"); session.good() {
		t.Error("a user who may have no API keys is let in")
	}
	if can("true"); !session.good() {
		t.Error("a user who may have API keys again is not let in")
	}
	if w := s.send("DELETE", base+"users/"+user+"/apiKeys/"+member(t, uploaded, "fingerprint"), ""); w.Code != 204 {
		t.Fatal(w.Body)
	}
	if session.good() {
		t.Error("a session outlives its key")
	}
}

// A session says of each device that it was proved, for as long as its user has that
// very device: a passkey does not stand in for a code whose device is gone.
func TestEachDeviceCountsForItself(t *testing.T) {
	s := newSite(t)
	admin := s.Admin(t)
	id, signIn := s.person("alice")
	token := signIn()
	me := func() ops.Call { return s.as(token) }
	device := testkit.Do(t, s.World, me(), ops.CreateMfaTotpDevice, ops.OracleUserIn{User: id})
	code := func() string {
		s.Clock.Advance(30 * time.Second)
		return testkit.Code(t, string(device.Seed.Reveal()), s.Clock.Now())
	}
	testkit.Do(t, s.World, me(), ops.ActivateMfaTotpDevice, ops.OracleDeviceIn{User: id, Device: device.ID, Code: code()})
	token = testkit.Do(t, s.World, me(), ops.StepUp, ops.StepUpIn{FactorIn: ops.FactorIn{Factor: device.ID}, Response: ops.Response{Code: code()}}).Token
	authenticator := testkit.NewAuthenticator()
	passkey := testkit.Do(t, s.World, me(), ops.CreatePasskey, ops.CreatePasskeyIn{
		Name: "laptop", Response: authenticator.Create(t, testkit.Do(t, s.World, me(), ops.BeginPasskey, struct{}{})),
	})
	for _, p := range testkit.Do(t, s.World, me(), ops.BeginStepUp, ops.FactorIn{Factor: passkey.ID}) {
		if p.Options != "" {
			token = testkit.Do(t, s.World, me(), ops.StepUp, ops.StepUpIn{FactorIn: ops.FactorIn{Factor: passkey.ID}, Response: ops.Response{Assertion: authenticator.Get(t, p.Options)}}).Token
		}
	}
	alice := s.begin(me())
	description := "readers"
	testkit.Do(t, s.World, admin, ops.OracleCreatePolicy, ops.OracleNounIn{
		Compartment: s.root, Name: "readers", Described: ops.Described{Description: &description},
		Statements: []string{"allow any-user to inspect users in tenancy where all {request.user.name = 'alice', request.user.mfaTotpVerified = 'true'}"},
	})
	list := func() int { return alice.send("GET", base+"users?compartmentId="+s.root, "").Code }
	if got := list(); got != 200 {
		t.Errorf("with the device: %d", got)
	}
	testkit.Do(t, s.World, admin, ops.DeleteMfaTotpDevice, ops.OracleDeviceIn{User: id, Device: device.ID})
	if got := list(); got != 404 {
		t.Errorf("without the device: %d", got)
	}
}

// The seed of a device that is in use is shown to nobody, also not to its user who sends
// the request that made it once more.
func TestSeedOfADeviceInUseIsNotShownAgain(t *testing.T) {
	s := newSite(t)
	path := base + "users/" + s.user + "/mfaTotpDevices"
	create := func() *httptest.ResponseRecorder { return s.send("POST", path, "", "Opc-Retry-Token", "once") }
	first := create()
	seed, id := member(t, first, "seed"), member(t, first, "id")
	if again := member(t, create(), "seed"); again != seed { // it may not have arrived
		t.Errorf("%s became %s", seed, again)
	}
	activate := func() *httptest.ResponseRecorder {
		return s.send("POST", path+"/"+id+"/actions/activate", `{"totpToken":"`+testkit.Code(t, seed, s.Clock.Now())+`"}`, "Opc-Retry-Token", "twice")
	}
	one := activate()
	if one.Code != 200 || activate().Body.String() != one.Body.String() {
		t.Errorf("%d %s", one.Code, one.Body)
	}
	if w := create(); w.Code != 409 || strings.Contains(w.Body.String(), seed) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A retry token is its user's own: another's request that comes with it is another
// request.
func TestRetryTokensAreOnesOwn(t *testing.T) {
	s := newSite(t)
	body := func(called string) string {
		return `{"compartmentId":"` + s.root + `","name":"` + called + `","description":"x"}`
	}
	if w := s.send("POST", base+"groups", body("one"), "Opc-Retry-Token", "t"); w.Code != 200 {
		t.Fatal(w.Body)
	}
	admin := s.Admin(t)
	testkit.Do(t, s.World, admin, ops.CreateUser, ops.CreateUserIn{Name: "second"})
	testkit.Do(t, s.World, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ops.Ref{Name: "second"}, Policy: "all", Document: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`})
	key, public := pair(t)
	k, err := s.AddOracleKeyFor(t.Context(), "second", public)
	if err != nil {
		t.Fatal(err)
	}
	other := *s
	other.key, other.keyID = key, k.ID()
	if w := other.send("POST", base+"groups", body("two"), "Opc-Retry-Token", "t"); w.Code != 200 || member(t, w, "name") != "two" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := other.send("POST", base+"groups", body("one"), "Opc-Retry-Token", "u"); w.Code != 409 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := other.send("POST", base+"groups", body("three"), "Opc-Retry-Token", "t"); w.Code != 409 || !strings.Contains(w.Body.String(), "InvalidatedRetryToken") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.send("POST", base+"groups", body("one"), "Opc-Retry-Token", strings.Repeat("t", 65)); w.Code != 400 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.Clock.Advance(ops.OracleRetryLife)
	if w := s.send("POST", base+"groups", body("one"), "Opc-Retry-Token", "t"); w.Code != 409 || !strings.Contains(w.Body.String(), "GroupAlreadyExists") {
		t.Errorf("after a day: %d %s", w.Code, w.Body)
	}
}
