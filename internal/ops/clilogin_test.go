package ops_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/internal/testkit"
	"warifu/policy"
)

const (
	tokenURL = "https://warifu.example/v1/token"
	loopback = "http://127.0.0.1:43210/oauth/callback"
	verifier = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG-._~"
)

func challengeOf(v string) string {
	sum := sha256.Sum256([]byte(v))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// holder is a command line that holds a key.
type holder struct {
	key *ecdsa.PrivateKey
	n   int
}

func newHolder(t testing.TB) *holder {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{key: k}
}

// proof is a fresh proof for the token endpoint.
func (h *holder) proof(t testing.TB, now time.Time) ops.Possession {
	t.Helper()
	h.n++
	b, err := h.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	head := `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"` + enc(b[1:33]) + `","y":"` + enc(b[33:]) + `"}}`
	body := fmt.Sprintf(`{"jti":"%d","htm":"POST","htu":"%s","iat":%d}`, h.n, tokenURL, now.Unix())
	text := enc([]byte(head)) + "." + enc([]byte(body))
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, h.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return ops.Possession{Proof: text + "." + enc(sig), URLs: []string{tokenURL}}
}

// console is a call of a person who is signed in with a password and, with a
// seed, a code.
func console(t testing.TB, w *testkit.World, user, seed string) ops.Call {
	t.Helper()
	ctx := context.Background()
	source := ops.Source{Door: "console", IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "Firefox", Secure: true}
	call := ops.Call{Source: source, RequestID: w.NewRequestID()}
	step := testkit.Do(t, w, call, ops.SignIn, ops.SignInIn{Form: ops.SubmitPassword{
		Account: testkit.Account.String(), User: user, Password: seal.NewSecret([]byte(cliPassword))}})
	if seed != "" {
		step = testkit.Do(t, w, call, ops.SignIn, ops.SignInIn{Flow: step.Cookie, Form: ops.SubmitFactor{
			Response: ops.Response{Code: testkit.Code(t, seed, w.Clock.Now())}}})
	}
	if step.Session == nil {
		t.Fatalf("%s is not signed in: %+v", user, step)
	}
	c, err := w.Session(ctx, step.Session.Token, ops.Source{})
	if err != nil {
		t.Fatal(err)
	}
	return ops.Call{Caller: c, Source: source, RequestID: w.NewRequestID()}
}

const cliPassword = "tall ships sail at dawn"

// cliUser makes a user with a password, and a device with its seed.
func cliUser(t testing.TB, w *testkit.World, user string, device bool) (seed string) {
	t.Helper()
	admin := w.Admin(t)
	testkit.Do(t, w, admin, ops.CreateUser, ops.CreateUserIn{Name: user})
	testkit.Do(t, w, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ref(user), Password: seal.NewSecret([]byte(cliPassword))})
	if !device {
		return ""
	}
	d := testkit.Do(t, w, admin, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: user})
	seed = string(d.SeedText.Reveal())
	one := testkit.Code(t, seed, w.Clock.Now())
	w.Clock.Advance(30 * time.Second)
	two := testkit.Code(t, seed, w.Clock.Now())
	testkit.Do(t, w, admin, ops.EnableMFADevice, ops.PairIn{User: ref(user), Serial: d.ARN(), Code1: one, Code2: two})
	w.Clock.Advance(30 * time.Second)
	return seed
}

func cliRequest() ops.CLIRequest {
	return ops.CLIRequest{
		Client: ops.ClientSameDevice, Redirect: loopback, Challenge: challengeOf(verifier), Method: "SHA-256", State: "s", Type: "code",
	}
}

// anonymous is a call of nobody.
func anonymous(w *testkit.World) ops.Call {
	return ops.Call{Source: ops.Source{Door: "signin", IP: netip.MustParseAddr("198.51.100.9"), UserAgent: "aws-cli", Secure: true}, RequestID: w.NewRequestID()}
}

func redeem(t testing.TB, w *testkit.World, h *holder, code seal.Secret) *ops.RedeemCLICodeIn {
	return &ops.RedeemCLICodeIn{
		Client: ops.ClientSameDevice, Code: code, Redirect: loopback, Verifier: seal.NewSecret([]byte(verifier)), Possession: h.proof(t, w.Clock.Now()),
	}
}

func refresh(t testing.TB, w *testkit.World, h *holder, token seal.Secret) *ops.RefreshCLILoginIn {
	return &ops.RefreshCLILoginIn{Client: ops.ClientSameDevice, Token: token, Possession: h.proof(t, w.Clock.Now())}
}

// is checks what kind of fault an error is, and about what.
func is(t testing.TB, what string, err error, kind fault.Kind, noun string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Noun != noun {
		t.Fatalf("%s: %v, want %v about %q", what, err, kind, noun)
	}
}

// A command line gets credentials that know what the person proved; refreshing
// keeps that, whatever the session proves later.
func TestCLILoginCarriesWhatWasProved(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		seed := cliUser(t, w, "alice", true)
		me := console(t, w, "alice", seed)
		proved := w.Clock.Now()
		testkit.Do(t, w, me, ops.InspectCLILogin, cliRequest())
		ok := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
		h := newHolder(t)
		first := testkit.Do(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, h, ok.Code))
		if first.ARN != "arn:aws:iam::123456789012:user/alice" || first.Account != testkit.Account {
			t.Errorf("it is for %s", first.ARN)
		}
		if life := first.Expires.Sub(w.Clock.Now()); life != ops.CLICredentialLife {
			t.Errorf("the credentials live %s", life)
		}
		var claims struct {
			Sub string   `json:"sub"`
			AMR []string `json:"amr"`
		}
		body, err := base64.RawURLEncoding.DecodeString(strings.Split(first.IDToken, ".")[1])
		if err != nil || json.Unmarshal(body, &claims) != nil || claims.Sub != first.ARN || len(claims.AMR) != 2 {
			t.Errorf("the id token says %s, %v", body, err)
		}
		check := func(got *ops.CLITokens) {
			t.Helper()
			c := w.As(t, got.AccessKeyID, got.Token).Caller
			if c.User.Name != "alice" || !c.MFA.Present || !c.MFA.At.Equal(proved.Truncate(time.Second)) || strings.Join(c.MFA.Methods, " ") != "totp" {
				t.Errorf("the credentials say %+v", c.MFA)
			}
		}
		check(first)
		w.Clock.Advance(10 * time.Minute)
		second := testkit.Do(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, first.Refresh))
		check(second)
		if second.IDToken != "" || second.Refresh.Equal(first.Refresh) || second.AccessKeyID == first.AccessKeyID {
			t.Error("a refresh must give new credentials and another refresh token, and no id token")
		}
		testkit.Do(t, w, me, ops.StepUp, ops.StepUpIn{Response: ops.Response{Code: testkit.Code(t, seed, w.Clock.Now())}})
		check(testkit.Do(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, second.Refresh)))
	})
}

// Without a factor the credentials say that there was none.
func TestCLILoginWithoutAFactorHasNoMFA(t *testing.T) {
	w := testkit.New(t)
	cliUser(t, w, "bob", false)
	me := console(t, w, "bob", "")
	ok := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
	got := testkit.Do(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, newHolder(t), ok.Code))
	c := w.As(t, got.AccessKeyID, got.Token).Caller
	if c.MFA.Present || !c.MFA.Known || c.Kind != policy.User {
		t.Errorf("%+v", c)
	}
}

// F-4: a code is bound to its client, redirect, challenge and key, and good once.
func TestF4CodeIsBound(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		seed := cliUser(t, w, "alice", true)
		me := console(t, w, "alice", seed)
		ok := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
		h := newHolder(t)
		for what, spoil := range map[string]func(*ops.RedeemCLICodeIn){
			"client":   func(in *ops.RedeemCLICodeIn) { in.Client = ops.ClientCrossDevice },
			"redirect": func(in *ops.RedeemCLICodeIn) { in.Redirect += "x" },
			"verifier": func(in *ops.RedeemCLICodeIn) { in.Verifier = seal.NewSecret([]byte(verifier[:43])) },
			"no verifier": func(in *ops.RedeemCLICodeIn) {
				in.Verifier = seal.Secret{}
			},
			"challenge as verifier": func(in *ops.RedeemCLICodeIn) { in.Verifier = seal.NewSecret([]byte(challengeOf(verifier))) },
			"code cut":              func(in *ops.RedeemCLICodeIn) { in.Code = seal.NewSecret(in.Code.Reveal()[:20]) },
			"other prefix": func(in *ops.RedeemCLICodeIn) {
				in.Code = seal.NewSecret(append([]byte("wses_"), in.Code.Reveal()[5:]...))
			},
		} {
			in := redeem(t, w, h, ok.Code)
			spoil(in)
			is(t, what, testkit.Fails(t, w, anonymous(w), ops.RedeemCLICode, in), fault.Denied, "authorization code")
		}
		is(t, "no proof", testkit.Fails(t, w, anonymous(w), ops.RedeemCLICode, &ops.RedeemCLICodeIn{
			Client: ops.ClientSameDevice, Code: ok.Code, Redirect: loopback, Verifier: seal.NewSecret([]byte(verifier))}), fault.Unauthenticated, "proof of possession")

		in := redeem(t, w, h, ok.Code)
		first := testkit.Do(t, w, anonymous(w), ops.RedeemCLICode, in)
		again := redeem(t, w, h, ok.Code)
		again.Possession = in.Possession
		is(t, "the same proof", testkit.Fails(t, w, anonymous(w), ops.RedeemCLICode, again), fault.Unauthenticated, "proof of possession")
		is(t, "the same code", testkit.Fails(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, h, ok.Code)), fault.Denied, "authorization code")
		is(t, "what came of a code used twice", testkit.Fails(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, first.Refresh)), fault.Expired, "command line")

		late := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
		w.Clock.Advance(ops.CLICodeLife)
		is(t, "late", testkit.Fails(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, h, late.Code)), fault.Denied, "authorization code")
	})
}

// F-4: refresh tokens rotate. The one before is good for a moment, for a command
// line that runs twice; later it ends everything. Another key gets nothing.
func TestF4RefreshTokensRotate(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		cliUser(t, w, "alice", false)
		me := console(t, w, "alice", "")
		h := newHolder(t)
		begin := func() *ops.CLITokens {
			ok := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
			return testkit.Do(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, h, ok.Code))
		}
		one := begin()
		is(t, "another key", testkit.Fails(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, newHolder(t), one.Refresh)), fault.Expired, "command line")
		two := testkit.Do(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, one.Refresh))
		twice := testkit.Do(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, one.Refresh))
		if !twice.Refresh.Equal(two.Refresh) {
			t.Error("the same token, used twice at once, must lead to the same next one")
		}
		b := append([]byte(nil), two.Refresh.Reveal()...)
		for i := range b { // S-6
			b[i] ^= 1
			in := refresh(t, w, h, seal.NewSecret(b))
			is(t, "a changed token", testkit.Fails(t, w, anonymous(w), ops.RefreshCLILogin, in), fault.Expired, "command line")
			b[i] ^= 1

		}
		w.Clock.Advance(3 * time.Minute)
		is(t, "an old token", testkit.Fails(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, one.Refresh)), fault.Expired, "command line")
		is(t, "the newest, after an old one came", testkit.Fails(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, two.Refresh)), fault.Expired, "command line")

		left := begin()
		testkit.Do(t, w, anonymous(w), ops.LeaveCLILogin, ops.LeaveCLILoginIn{Client: ops.ClientSameDevice, Token: left.Refresh, Possession: newHolder(t).proof(t, w.Clock.Now())})
		left = testkit.Do(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, left.Refresh)) // not its key: nothing happened
		testkit.Do(t, w, anonymous(w), ops.LeaveCLILogin, ops.LeaveCLILoginIn{Client: ops.ClientSameDevice, Token: left.Refresh, Possession: h.proof(t, w.Clock.Now())})
		is(t, "after leaving", testkit.Fails(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, left.Refresh)), fault.Expired, "command line")
	})
}

// P-10, F-4: what ends a session, or blocks or removes the user, ends its command
// lines at once.
func TestP10CommandLinesEndWithTheirSession(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := w.Admin(t)
		for what, end := range map[string]func(ops.Call){
			"sign-out": func(me ops.Call) { testkit.Do(t, w, me, ops.SignOut, struct{}{}) },
			"end session": func(me ops.Call) {
				testkit.Do(t, w, admin, ops.EndOtherSessions, ops.UserIn{User: ref(me.Caller.User.Name)})
			},
			"block": func(me ops.Call) {
				testkit.Do(t, w, admin, ops.BlockUser, ops.BlockUserIn{User: ref(me.Caller.User.Name), Reason: "r"})
			},
			"end command line": func(me ops.Call) {
				all := testkit.Do(t, w, me, ops.ListCLILogins, ops.UserIn{})
				if len(all) != 1 || all[0].UserAgent != "aws-cli" || all[0].Source != "198.51.100.9" {
					t.Fatalf("command lines: %+v", all) // as the program says of itself, not the browser that approved it
				}
				testkit.Do(t, w, me, ops.EndCLILogin, ops.CLILoginIn{Login: all[0].ID})
			},
			"its end": func(ops.Call) { w.Clock.Advance(sessionLife) },
		} {
			user := strings.ReplaceAll(what, " ", "-")
			cliUser(t, w, user, false)
			me := console(t, w, user, "")
			h := newHolder(t)
			ok := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
			got := testkit.Do(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, h, ok.Code))
			unused := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
			end(me)
			is(t, what, testkit.Fails(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, got.Refresh)), fault.Expired, "command line")
			if what != "end command line" {
				is(t, what+", a code", testkit.Fails(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, h, unused.Code)), fault.Denied, "authorization code")
			}
			if what == "block" {
				c, err := w.Credential(context.Background(), got.AccessKeyID, got.Token)
				if err == nil {
					_, err = ops.Run(context.Background(), w.Server, ops.Call{Caller: c.Caller}, ops.GetCallerIdentity, struct{}{})
				}
				is(t, "the credentials of a user who was blocked", err, fault.Unauthenticated, "")
			}
		}
	})
}

// A session that idles away leaves its command lines be; the credentials end with
// the session's life at the latest.
func TestCLILoginOutlivesIdleness(t *testing.T) {
	w := testkit.New(t)
	cliUser(t, w, "alice", false)
	me := console(t, w, "alice", "")
	h := newHolder(t)
	ok := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
	got := testkit.Do(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, h, ok.Code))
	w.Clock.Advance(sessionLife - 5*time.Minute)
	if err := w.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	got = testkit.Do(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, got.Refresh))
	if left := got.Expires.Sub(w.Clock.Now()); left != 5*time.Minute {
		t.Errorf("the credentials live %s, and the session 5 minutes", left)
	}
}

// C-2, F-4: of 200 at once one redeems a code, and one generation follows another.
func TestC2OneOfManyRedeems(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		cliUser(t, w, "alice", false)
		me := console(t, w, "alice", "")
		ok := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
		h := newHolder(t)
		const many = 200
		ins := make([]*ops.RedeemCLICodeIn, many)
		for i := range ins {
			ins[i] = redeem(t, w, h, ok.Code)
		}
		var wins int
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, in := range ins {
			all.Go(func() {
				if _, err := ops.Run(context.Background(), w.Server, anonymous(w), ops.RedeemCLICode, in); err == nil {
					mu.Lock()
					wins++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if wins != 1 {
			t.Errorf("%d of %d redeemed the code", wins, many)
		}
	})
}

// What is asked for must be what a command line asks for; nothing is sent
// anywhere else (H-4).
func TestF4OnlyLoopbackAndChallenge(t *testing.T) {
	w := testkit.New(t)
	cliUser(t, w, "alice", false)
	me := console(t, w, "alice", "")
	for field, values := range map[string][]string{
		"redirect_uri": {
			"", "http://127.0.0.1/x", "https://127.0.0.1:1/x", "http://127.0.0.1.evil.example:1/x", "http://127.0.0.1:1@evil.example/x", "http://evil.example:80/",
			"http://user@127.0.0.1:1/", "http://127.0.0.1:1/#x", "http://127.0.0.1:1/\\evil", "http://127.0.0.1:1/\r\nX: y", "javascript:alert(1)", "//127.0.0.1:1/",
			"http://localhost.:80/", "http://[::2]:1/", "http://2130706433:1/", "http://0.0.0.0:1/", "http://127.0.0.1:1/" + strings.Repeat("x", 2048),
		},
		"code_challenge":        {"", "x", challengeOf(verifier) + "=", challengeOf(verifier)[:42], verifier},
		"code_challenge_method": {"", "plain", "S512", "sha-256"},
		"client_id":             {"", "evil", ops.ClientDevice, ops.ClientSameDevice + "x"},
		"response_type":         {"", "token", "code token"},
		"state":                 {strings.Repeat("x", 513)},
	} {
		for _, v := range values {
			in := cliRequest()
			switch field {
			case "redirect_uri":
				in.Redirect = v
			case "code_challenge":
				in.Challenge = v
			case "code_challenge_method":
				in.Method = v
			case "client_id":
				in.Client = v
			case "response_type":
				in.Type = v
			case "state":
				in.State = v
			}
			for _, err := range []error{testkit.Fails(t, w, me, ops.InspectCLILogin, in), testkit.Fails(t, w, me, ops.ApproveCLILogin, in)} {
				var f *fault.Error
				if !errors.As(err, &f) || f.Kind != fault.Invalid || f.Name != field {
					t.Errorf("%s %q: %v", field, v, err)
				}
			}
		}
	}
	for _, good := range []string{"http://localhost:1/", "http://[::1]:9/cb?x=y", loopback} {
		in := cliRequest()
		in.Redirect, in.Method = good, "S256"
		testkit.Do(t, w, me, ops.InspectCLILogin, in)
	}
	in := cliRequest()
	in.Client, in.Redirect = ops.ClientCrossDevice, "https://warifu.example/v1/sessions/confirmation"
	if c := testkit.Do(t, w, me, ops.InspectCLILogin, in); !c.Remote {
		t.Error("another machine is not told of")
	}
	in.Redirect = loopback
	testkit.Fails(t, w, me, ops.InspectCLILogin, in)
	is(t, "nobody", testkit.Fails(t, w, anonymous(w), ops.InspectCLILogin, cliRequest()), fault.Unauthenticated, "")
}

// Policies may forbid command lines, or those on other machines, as on AWS.
func TestPoliciesForbidCommandLines(t *testing.T) {
	w := testkit.New(t)
	admin := w.Admin(t)
	cliUser(t, w, "alice", false)
	me := console(t, w, "alice", "")
	h := newHolder(t)
	ok := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
	got := testkit.Do(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, h, ok.Code))
	put := func(action, resource string) {
		testkit.Do(t, w, admin, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "p", Document: statement("Deny", action, resource)})
	}
	put("signin:AuthorizeOAuth2Access", "arn:aws:signin:*:*:oauth2/public-client/remote")
	testkit.Do(t, w, me, ops.InspectCLILogin, cliRequest())
	far := cliRequest()
	far.Client, far.Redirect = ops.ClientCrossDevice, "https://warifu.example/v1/sessions/confirmation"
	if _, denied := ops.AsDenial(testkit.Fails(t, w, me, ops.InspectCLILogin, far)); !denied {
		t.Error("another machine is let in")
	}
	if _, denied := ops.AsDenial(testkit.Fails(t, w, me, ops.AnswerDeviceLogin, ops.AnswerDeviceLoginIn{Approve: true})); !denied {
		t.Error("a device is let in")
	}
	put("signin:CreateOAuth2Token", "*")
	if _, denied := ops.AsDenial(testkit.Fails(t, w, anonymous(w), ops.RefreshCLILogin, refresh(t, w, h, got.Refresh))); !denied {
		t.Error("a refresh is let through")
	}
}

// device asks for a device code.
func device(t testing.TB, w *testkit.World, h *holder) *ops.DeviceLogin {
	t.Helper()
	return testkit.Do(t, w, anonymous(w), ops.BeginDeviceLogin, ops.BeginDeviceLoginIn{Client: ops.ClientDevice, Possession: h.proof(t, w.Clock.Now())})
}

func poll(t testing.TB, w *testkit.World, h *holder, d *ops.DeviceLogin) (*ops.CLITokens, error) {
	return ops.Run(context.Background(), w.Server, anonymous(w), ops.RedeemDeviceCode, &ops.RedeemDeviceCodeIn{
		Client: ops.ClientDevice, Code: d.Code, Possession: h.proof(t, w.Clock.Now())})
}

// RFC 8628: waiting, too soon, approved, once.
func TestDeviceLogin(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		seed := cliUser(t, w, "alice", true)
		me := console(t, w, "alice", seed)
		h := newHolder(t)
		d := device(t, w, h)
		if len(d.UserCode) != 9 || d.UserCode[4] != '-' || strings.ContainsAny(d.UserCode, "AEIOU01") {
			t.Errorf("the code is %s", d.UserCode)
		}
		_, err := poll(t, w, h, d)
		is(t, "not answered", err, fault.Throttled, "device code")
		_, err = poll(t, w, h, d)
		if is(t, "too soon", err, fault.Throttled, "device code"); !strings.Contains(err.Error(), "too soon") {
			t.Error(err)
		}
		typed := " " + strings.ToLower(strings.Map(func(r rune) rune { return r + 0xfee0 }, d.UserCode[:4])) + " – " + strings.ToLower(d.UserCode[5:])
		c := testkit.Do(t, w, me, ops.InspectDeviceLogin, ops.DeviceCodeIn{UserCode: typed})
		if c.Device.Source != "198.51.100.9" || c.Device.UserAgent != "aws-cli" || !c.Remote {
			t.Errorf("it is told of %+v", c.Device)
		}
		testkit.Do(t, w, me, ops.AnswerDeviceLogin, ops.AnswerDeviceLoginIn{DeviceCodeIn: ops.DeviceCodeIn{UserCode: typed}, Approve: true})
		is(t, "answered twice", testkit.Fails(t, w, me, ops.AnswerDeviceLogin, ops.AnswerDeviceLoginIn{DeviceCodeIn: ops.DeviceCodeIn{UserCode: typed}}), fault.NotFound, "device code")
		_, err = poll(t, w, newHolder(t), d)
		is(t, "another key", err, fault.Expired, "device code")
		w.Clock.Advance(ops.DeviceInterval)
		got, err := poll(t, w, h, d)
		if err != nil {
			t.Fatal(err)
		}
		if caller := w.As(t, got.AccessKeyID, got.Token).Caller; !caller.MFA.Present || caller.User.Name != "alice" {
			t.Errorf("%+v", caller.MFA)
		}
		_, err = poll(t, w, h, d)
		is(t, "used twice", err, fault.Expired, "device code")
		is(t, "after that", func() error {
			_, err := ops.Run(context.Background(), w.Server, anonymous(w), ops.RefreshCLILogin, &ops.RefreshCLILoginIn{Client: ops.ClientDevice, Token: got.Refresh, Possession: h.proof(t, w.Clock.Now())})
			return err
		}(), fault.Expired, "command line")

		d = device(t, w, h)
		testkit.Do(t, w, me, ops.AnswerDeviceLogin, ops.AnswerDeviceLoginIn{DeviceCodeIn: ops.DeviceCodeIn{UserCode: d.UserCode}})
		_, err = poll(t, w, h, d)
		is(t, "refused", err, fault.Denied, "device code")

		d = device(t, w, h)
		w.Clock.Advance(ops.DeviceLife)
		_, err = poll(t, w, h, d)
		is(t, "run out", err, fault.Expired, "device code")
		me = console(t, w, "alice", seed)
		is(t, "run out, typed", testkit.Fails(t, w, me, ops.InspectDeviceLogin, ops.DeviceCodeIn{UserCode: d.UserCode}), fault.NotFound, "device code")
		for _, bad := range []string{"", "AEIOU", "BBBB-BBBBB", strings.Repeat("B", 10_000)} {
			testkit.Fails(t, w, me, ops.InspectDeviceLogin, ops.DeviceCodeIn{UserCode: bad})
		}
	})
}

// N-5: nobody fills the table of what waits.
func TestN5WaitingDevicesAreBounded(t *testing.T) {
	w := testkit.New(t)
	h := newHolder(t)
	for range 20 {
		device(t, w, h)
	}
	is(t, "one too many", testkit.Fails(t, w, anonymous(w), ops.BeginDeviceLogin, ops.BeginDeviceLoginIn{Client: ops.ClientDevice, Possession: h.proof(t, w.Clock.Now())}), fault.Throttled, "")
	w.Clock.Advance(ops.DeviceLife)
	device(t, w, h)
}

// N-5: whoever has many addresses, or a network of IPv6, takes room from its own
// neighbours only: people elsewhere still sign their command lines in.
func TestN5ManyAddressesLeaveRoomForOthers(t *testing.T) {
	w := testkit.New(t)
	h := newHolder(t)
	begin := func(at string) error {
		call := anonymous(w)
		call.Source.IP = netip.MustParseAddr(at)
		_, err := ops.Run(context.Background(), w.Server, call, ops.BeginDeviceLogin, ops.BeginDeviceLoginIn{Client: ops.ClientDevice, Possession: h.proof(t, w.Clock.Now())})
		return err
	}
	for i := range 20 {
		if err := begin(fmt.Sprintf("2001:db8:0:1::%x", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	is(t, "the same /64", begin("2001:db8:0:1::ffff"), fault.Throttled, "")
	if err := begin("192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(w.Store.Update(context.Background(), func(tx *store.Tx) error { // as a hundred addresses leave them
		for i := range 2000 - 21 {
			n := fmt.Sprint("waits ", i)
			d := iam.DeviceRequest{
				Hash: []byte(n), UserCode: n, Client: ops.ClientDevice, Source: fmt.Sprintf("198.51.%d.%d", i%100, 1+i%3),
				Created: w.Clock.Now(), Expires: w.Clock.Now().Add(time.Minute),
			}
			if err := tx.InsertDeviceRequest(&d); err != nil {
				return err
			}
		}
		return nil
	}))
	is(t, "one more of the many", begin("198.51.200.1"), fault.Throttled, "")
	must(begin("203.0.113.7"))
	must(begin("2001:db9::1"))
	must(w.Store.View(context.Background(), func(tx *store.Tx) error {
		left := map[string]int{}
		all, err := tx.WaitingDevices(w.Clock.Now(), 5000)
		for _, d := range all {
			left[strings.Split(d.Source, ".")[0]]++
		}
		if len(all) != 2000 || left["198"] != 2000-21-2 || left["192"] != 1 || left["203"] != 1 {
			t.Errorf("%d wait: %v", len(all), left)
		}
		return err
	}))
}

// S-4: approving asks for a fresh proof.
func TestS4ApprovingNeedsAFreshProof(t *testing.T) {
	w := testkit.New(t)
	seed := cliUser(t, w, "alice", true)
	me := console(t, w, "alice", seed)
	w.Clock.Advance(20 * time.Minute)
	testkit.Do(t, w, me, ops.InspectCLILogin, cliRequest())
	is(t, "approve", testkit.Fails(t, w, me, ops.ApproveCLILogin, cliRequest()), fault.StepUp, ops.ProveFactor)
}

// The user is told, and of a theft, too.
func TestUserIsToldOfCommandLines(t *testing.T) {
	w := testkit.New(t)
	cliUser(t, w, "alice", false)
	me := console(t, w, "alice", "")
	h := newHolder(t)
	ok := testkit.Do(t, w, me, ops.ApproveCLILogin, cliRequest())
	testkit.Do(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, h, ok.Code))
	testkit.Fails(t, w, anonymous(w), ops.RedeemCLICode, redeem(t, w, h, ok.Code))
	told := map[iam.NoticeKind]int{}
	for _, n := range testkit.Do(t, w, me, ops.ListNotices, ops.Listing{}).Items {
		told[n.Kind]++
	}
	if told[iam.NoticeCLILogin] != 1 || told[iam.NoticeCLIReused] != 1 {
		t.Errorf("told: %v", told)
	}

}
