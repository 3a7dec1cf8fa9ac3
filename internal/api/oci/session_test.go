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

// A session says of each device that it was proved, for as long as its user has that
// very device: a passkey does not stand in for a code whose device is gone.
func TestEachDeviceCountsForItself(t *testing.T) {
	s := newSite(t)
	admin := s.Admin(t)
	own := ops.Source{Door: "console", Service: "signin", IP: netip.MustParseAddr("192.0.2.7"), Secure: true}
	testkit.Do(t, s.World, admin, ops.CreateUser, ops.CreateUserIn{Name: "alice"})
	id := testkit.Do(t, s.World, admin, ops.GetUser, ops.UserIn{User: ops.Ref{Name: "alice"}}).ID
	testkit.Do(t, s.World, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: "alice"}, Password: seal.NewSecret([]byte("a long enough pass phrase"))})
	call := func(c ops.Caller) ops.Call {
		return ops.Call{Caller: c, Source: own, RequestID: s.NewRequestID(), At: s.Clock.Now()}
	}
	step := testkit.Do(t, s.World, call(ops.Caller{}), ops.SignIn, ops.SignInIn{Form: ops.SubmitPassword{Account: testkit.Account.String(), User: "alice", Password: seal.NewSecret([]byte("a long enough pass phrase"))}})
	if step.Verdict != signin.Open {
		t.Fatalf("%+v", step)
	}
	token := step.Session.Token
	me := func() ops.Call {
		t.Helper()
		c, err := s.Session(t.Context(), token, own)
		if err != nil {
			t.Fatal(err)
		}
		return call(c)
	}
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
	key, _ := pair(t)
	session := testkit.Do(t, s.World, me(), ops.BeginOracleSession, ops.BeginOracleIn{JWK: sig.JWK(&key.PublicKey)})
	if err := s.SignOracle(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	description := "readers"
	testkit.Do(t, s.World, admin, ops.OracleCreatePolicy, ops.OracleNounIn{
		Compartment: s.root, Name: "readers", Described: ops.Described{Description: &description},
		Statements: []string{"allow any-user to inspect users in tenancy where all {request.user.name = 'alice', request.user.mfaTotpVerified = 'true'}"},
	})
	alice := *s
	alice.key, alice.keyID = key, "ST$"+string(session.Plain.Reveal())
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
