package cloudsso

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/testkit"
)

const (
	word     = "tall ships sail at dawn"
	client   = "app-vaz16tltdxs96audqf35"
	verifier = "0123456789abcdef0123456789abcdef0123456789abcdef" // 48 characters, as the command line draws
)

// house is a world with the door in front, and alice, who has a second factor.
type house struct {
	*testkit.World
	door *Door
	seed string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	w := testkit.New(t)
	h := &house{World: w, door: New(Config{
		Ops: w.Server, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), URL: &url.URL{Scheme: "https", Host: "warifu.example"},
		Client: func(*http.Request) (netip.Addr, string, bool) { return netip.MustParseAddr("192.0.2.8"), "", true },
	})}
	admin := w.Admin(t)
	alice := ops.Ref{Name: "alice"}
	testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: "alice"})
	testkit.Do(t, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: alice, Password: seal.NewSecret([]byte(word))})
	d := testkit.Do(t, w, admin, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: "alice"})
	h.seed = string(d.SeedText.Reveal())
	now := w.Clock.Now()
	testkit.Do(t, w, admin, ops.EnableMFADevice, ops.PairIn{
		User: alice, Serial: d.Factor.ARN(), Code1: testkit.Code(t, h.seed, now.Add(-30*time.Second)), Code2: testkit.Code(t, h.seed, now),
	})
	w.Clock.Advance(time.Minute)
	return h
}

// console signs alice in with her second factor.
func (h *house) console(t *testing.T) ops.Call {
	t.Helper()
	source := ops.Source{Door: "console", IP: netip.MustParseAddr("192.0.2.7"), Secure: true}
	call := ops.Call{Source: source}
	step := testkit.Do(t, h.World, call, ops.SignIn, ops.SignInIn{Form: ops.SubmitPassword{Account: "acme", User: "alice", Password: seal.NewSecret([]byte(word))}})
	step = testkit.Do(t, h.World, call, ops.SignIn, ops.SignInIn{Flow: step.Cookie, Form: ops.SubmitFactor{
		Response: ops.Response{Code: testkit.Code(t, h.seed, h.Clock.Now())},
	}})
	c, err := h.Session(t.Context(), step.Session.Token, source)
	if err != nil {
		t.Fatal(err)
	}
	return ops.Call{Caller: c, Source: source}
}

// ask sends what the command line sends: JSON, or a GET with a token.
func (h *house) ask(t *testing.T, method, target, token string, say map[string]string) (int, map[string]any) {
	t.Helper()
	body, err := json.Marshal(say)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, target, strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if !Owns(r) {
		t.Fatalf("%s is not this door's", target)
	}
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, r)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("%v in %s", err, w.Body)
	}
	return w.Code, out
}

func (h *house) begin(t *testing.T) map[string]any {
	t.Helper()
	sum := sha256.Sum256([]byte(verifier))
	status, out := h.ask(t, "POST", devicePath, "", map[string]string{
		"PortalUrl": "http://warifu.example/start", "ClientId": client, "CodeChallenge": base64.RawURLEncoding.EncodeToString(sum[:]), "CodeChallengeMethod": "S256",
	})
	if status != 200 {
		t.Fatalf("%d %v", status, out)
	}
	return out
}

func (h *house) poll(t *testing.T, device any, verifier string) (int, map[string]any) {
	t.Helper()
	return h.ask(t, "POST", tokenPath, "", map[string]string{
		"ClientId": client, "DeviceCode": device.(string), "CodeVerifier": verifier, "GrantType": "urn:ietf:params:oauth:grant-type:device_code",
	})
}

func answer(t *testing.T, h *house, me ops.Call, code string, yes bool) {
	t.Helper()
	testkit.Do(t, h.World, me, ops.AnswerDeviceLogin, ops.AnswerDeviceLoginIn{DeviceCodeIn: ops.DeviceCodeIn{UserCode: code}, Approve: yes})
}

// The command line's whole way, in its own words: its credentials say that a second
// factor was used.
func TestSignIn(t *testing.T) {
	h := newHouse(t)
	began := h.begin(t)
	code := began["UserCode"].(string)
	if began["VerificationUri"] != "https://warifu.example/device" || began["VerificationUriComplete"] != "https://warifu.example/device?user_code="+code || began["Interval"] != 5.0 {
		t.Errorf("%v", began)
	}
	for range 2 { // too soon is no other answer: at any other the command line asks without a pause
		if status, out := h.poll(t, began["DeviceCode"], verifier); status != 400 || out["ErrorCode"] != "AuthorizationPending" {
			t.Errorf("before anybody approved: %d %v", status, out)
		}
	}
	answer(t, h, h.console(t), code, true)
	if _, out := h.poll(t, began["DeviceCode"], strings.Repeat("x", 48)); out["ErrorCode"] != "InvalidDeviceCodeError" {
		t.Errorf("another verifier: %v", out)
	}
	status, out := h.poll(t, began["DeviceCode"], verifier)
	token, _ := out["AccessToken"].(string)
	if status != 200 || token == "" || out["ExpiresIn"].(float64) < 3600 {
		t.Fatalf("%d %v", status, out)
	}
	_, out = h.ask(t, "GET", accountsPath+"?MaxResults=100", token, nil)
	account := out["Accounts"].([]any)[0].(map[string]any)
	if account["AccountId"] != "1000123456789012" || account["DisplayName"] != "acme" || out["IsTruncated"] != false {
		t.Errorf("%v", out)
	}
	_, out = h.ask(t, "GET", configurationsPath+"?AccountId=1000123456789012", token, nil)
	config := out["AccessConfigurationsForAccount"].([]any)[0].(map[string]any)
	if config["AccessConfigurationName"] != "alice" {
		t.Errorf("%v", out)
	}
	wanted := map[string]string{"AccountId": "1000123456789012", "AccessConfigurationId": config["AccessConfigurationId"].(string)}
	_, out = h.ask(t, "POST", credentialsPath, token, wanted)
	got := out["CloudCredential"].(map[string]any)
	ends, err := time.Parse(time.RFC3339, got["Expiration"].(string))
	if err != nil || ends.Sub(h.Clock.Now()) > ops.CLIKeptLife || !strings.HasPrefix(got["AccessKeyId"].(string), "STS.") {
		t.Errorf("%v", got)
	}
	c := h.As(t, got["AccessKeyId"].(string), got["SecurityToken"].(string)).Caller
	if c.User.Name != "alice" || !c.MFA.Present || strings.Join(c.MFA.Methods, " ") != "totp" {
		t.Errorf("the credentials are %s's and say %+v", c.User.Name, c.MFA)
	}

	// What is not this token's, and a token that is none.
	for name, c := range map[string]struct {
		token  string
		wanted map[string]string
		status int
	}{
		"another account":       {token, map[string]string{"AccountId": "1000123456789013"}, 404},
		"another configuration": {token, map[string]string{"AccountId": "1000123456789012", "AccessConfigurationId": "ac-1"}, 404},
		"no token":              {"", wanted, 401},
		"a changed token":       {token[:len(token)-1] + "~", wanted, 401},
	} {
		if status, out := h.ask(t, "POST", credentialsPath, c.token, c.wanted); status != c.status {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}

	// The user's command lines: ended there, the token is good no more.
	me := h.console2(t)
	list := testkit.Do(t, h.World, me, ops.ListCLILogins, ops.UserIn{})
	if len(list) != 1 || list[0].Client != client {
		t.Fatalf("%+v", list)
	}
	testkit.Do(t, h.World, me, ops.EndCLILogin, ops.CLILoginIn{Login: list[0].ID})
	if status, out := h.ask(t, "POST", credentialsPath, token, wanted); status != 401 || out["ErrorCode"] != "InvalidAccessTokenError" {
		t.Errorf("after the end: %d %v", status, out)
	}
}

// console2 signs alice in again, with her next code.
func (h *house) console2(t *testing.T) ops.Call {
	t.Helper()
	h.Clock.Advance(time.Minute)
	return h.console(t)
}

// A code that is redeemed a second time ends the command line (F-4), and one that was
// refused gives nothing.
func TestDeviceCodesAreGoodOnce(t *testing.T) {
	h := newHouse(t)
	me := h.console(t)
	began := h.begin(t)
	answer(t, h, me, began["UserCode"].(string), true)
	_, first := h.poll(t, began["DeviceCode"], verifier)
	if _, again := h.poll(t, began["DeviceCode"], verifier); again["ErrorCode"] != "InvalidDeviceCodeError" {
		t.Errorf("again: %v", again)
	}
	if status, _ := h.ask(t, "GET", accountsPath, first["AccessToken"].(string), nil); status != 401 {
		t.Errorf("the first token after the code came twice: %d", status)
	}
	refused := h.begin(t)
	answer(t, h, me, refused["UserCode"].(string), false)
	if _, out := h.poll(t, refused["DeviceCode"], verifier); out["ErrorCode"] != "InvalidDeviceCodeError" {
		t.Errorf("refused: %v", out)
	}
}

func TestInput(t *testing.T) {
	h := newHouse(t)
	sum := sha256.Sum256([]byte(verifier))
	good := map[string]string{"ClientId": client, "CodeChallenge": base64.RawURLEncoding.EncodeToString(sum[:]), "CodeChallengeMethod": "S256"}
	for name, wrong := range map[string]string{"ClientId": "another", "CodeChallenge": "short", "CodeChallengeMethod": "plain"} {
		say := map[string]string{name: wrong}
		for k, v := range good {
			if k != name {
				say[k] = v
			}
		}
		if status, out := h.ask(t, "POST", devicePath, "", say); status != 400 || out["ErrorCode"] != "InvalidParameter" || !strings.Contains(out["ErrorMessage"].(string), name) {
			t.Errorf("%s: %d %v", name, status, out)
		}
	}
	if status, _ := h.ask(t, "POST", tokenPath, "", map[string]string{"GrantType": "password"}); status != 400 {
		t.Errorf("another grant: %d", status)
	}
	w := httptest.NewRecorder()
	h.door.ServeHTTP(w, httptest.NewRequest("GET", devicePath, nil))
	if w.Code != 405 || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d", w.Code)
	}
	w = httptest.NewRecorder()
	h.door.ServeHTTP(w, httptest.NewRequest("POST", devicePath, strings.NewReader("{")))
	if w.Code != 400 {
		t.Errorf("half an object: %d", w.Code)
	}
}
