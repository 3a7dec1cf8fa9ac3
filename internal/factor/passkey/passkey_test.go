package passkey_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/factor/passkey"
	"warifu/internal/fault"
	"warifu/internal/testkit"
)

var alice = passkey.User{Handle: []byte("handle of alice"), Name: "alice@acme", Shown: "Alice"}

func newRP(t testing.TB, change func(*passkey.Config)) *passkey.RP {
	t.Helper()
	u, err := url.Parse(testkit.Origin + "/ignored?x")
	if err != nil {
		t.Fatal(err)
	}
	c := passkey.Config{URL: u}
	if change != nil {
		change(&c)
	}
	rp, err := passkey.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return rp
}

func ask(t testing.TB, change func(*passkey.Asked)) passkey.Asked {
	t.Helper()
	a := passkey.Asked{Challenge: challenge(t, t.Name())}
	if change != nil {
		change(&a)
	}
	return a
}

func challenge(t testing.TB, purpose string) []byte {
	t.Helper()
	c, err := passkey.NewChallenges([32]byte{1}).New(testkit.Rand(purpose), []byte(purpose), testkit.Epoch)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// register is Register of a text.
func register(rp *passkey.RP, text string, asked passkey.Asked) (*passkey.Credential, int64, error) {
	new, err := passkey.ParseCreated(text)
	if err != nil {
		return nil, 0, err
	}
	return rp.Register(new, asked, testkit.Epoch)
}

// create registers a credential.
func create(t testing.TB, rp *passkey.RP, key *testkit.Authenticator, asked passkey.Asked) (*passkey.Credential, int64, error) {
	t.Helper()
	options, err := rp.Creation(asked, alice, nil)
	if err != nil {
		t.Fatal(err)
	}
	return register(rp, key.Create(t, options), asked)
}

func created(t testing.TB, rp *passkey.RP, key *testkit.Authenticator) (*passkey.Credential, int64) {
	t.Helper()
	c, n, err := create(t, rp, key, ask(t, func(a *passkey.Asked) { a.Verify, a.Resident = passkey.Always, true }))
	if err != nil {
		t.Fatal(err)
	}
	return c, n
}

// get proves a credential.
func get(t testing.TB, rp *passkey.RP, key *testkit.Authenticator, asked passkey.Asked, c *passkey.Credential, count int64) (passkey.Proof, error) {
	t.Helper()
	options, err := rp.Request(asked, []*passkey.Credential{c})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := passkey.ParseAssertion(key.Get(t, options))
	if err != nil {
		t.Fatal(err)
	}
	return rp.Verify(answer, asked, c, alice.Handle, count)
}

// What is created can be proved: by name, and without one; and comes back from
// the store as it went in.
func TestCreateAndProve(t *testing.T) {
	rp := newRP(t, nil)
	for what, key := range map[string]*testkit.Authenticator{"ES256": testkit.NewAuthenticator(), "RS256": testkit.NewRSAAuthenticator()} {
		key.AAGUID = [16]byte{0xd5, 0x48, 0x82, 0x6e, 0x79, 0xb4, 0xdb, 0x40, 0xa3, 0xd8, 0x11, 0x11, 0x6f, 0x7e, 0x83, 0x49}
		c, n := created(t, rp, key)
		if n != 1 || !bytes.Equal(c.ID, key.ID) || !c.SignsIn() || !c.Platform || c.AAGUID.Make() != "Bitwarden" || c.Trust != passkey.Claimed {
			t.Errorf("%s: created %+v with the count %d", what, c, n)
		}
		kept, err := passkey.ReadCredential(c.ID, c.Data(), false)
		if err != nil {
			t.Fatal(err)
		}
		if kept.Data() != c.Data() || kept.AAGUID != c.AAGUID {
			t.Errorf("%s: %s came back as %s", what, c.Data(), kept.Data())
		}
		for _, asked := range []passkey.Asked{
			ask(t, func(a *passkey.Asked) { a.Verify = passkey.Always }),
			rp.Allowing(ask(t, nil), []*passkey.Credential{kept}),
		} {
			p, err := get(t, rp, key, asked, kept, n)
			if err != nil || !p.Verified || p.Count <= n || p.Back {
				t.Errorf("%s: %+v, %v", what, p, err)
			}
			n = p.Count
		}
	}
}

// What a browser is told.
func TestOptions(t *testing.T) {
	rp := newRP(t, nil)
	u2f, _ := passkeyLegacy(t, "")
	asked := ask(t, func(a *passkey.Asked) { a.Verify, a.Resident = passkey.Always, true })
	text, err := rp.Creation(asked, alice, []*passkey.Credential{u2f})
	if err != nil {
		t.Fatal(err)
	}
	var o struct {
		RP                     struct{ ID, Name string }
		User                   struct{ ID, Name, DisplayName string }
		Challenge              string
		PubKeyCredParams       []struct{ Alg int }
		Attestation            string
		AuthenticatorSelection struct {
			ResidentKey, UserVerification string
			RequireResidentKey            bool
		}
		ExcludeCredentials []struct{ ID string }
		Extensions         struct{ AppidExclude string }
	}
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	if o.RP.ID != testkit.RPID || o.User.ID != b64(alice.Handle) || o.User.Name != alice.Name || o.Challenge != b64(asked.Challenge) || len(asked.Challenge) < 16 ||
		o.Attestation != "none" || o.AuthenticatorSelection.ResidentKey != "required" || !o.AuthenticatorSelection.RequireResidentKey ||
		o.AuthenticatorSelection.UserVerification != "required" || len(o.ExcludeCredentials) != 1 || o.ExcludeCredentials[0].ID != b64(u2f.ID) ||
		o.Extensions.AppidExclude != testkit.Origin || len(o.PubKeyCredParams) != 4 || o.PubKeyCredParams[0].Alg != -7 {
		t.Errorf("creation: %s", text)
	}
	text, err = rp.Request(rp.Allowing(ask(t, nil), []*passkey.Credential{u2f}), []*passkey.Credential{u2f})
	if err != nil || !strings.Contains(text, `"appid":"`+testkit.Origin+`"`) || !strings.Contains(text, b64(u2f.ID)) || strings.Contains(text, "required") {
		t.Errorf("request: %s, %v", text, err)
	}
	text, err = rp.Request(ask(t, func(a *passkey.Asked) { a.Verify = passkey.Always }), nil)
	if err != nil || strings.Contains(text, "allowCredentials") || !strings.Contains(text, `"userVerification":"required"`) {
		t.Errorf("request of whoever it is: %s, %v", text, err)
	}
}

// An id and a URL that no browser would take are refused at once, by the name of
// the setting.
func TestNew(t *testing.T) {
	for _, c := range []struct{ url, id, want string }{
		{"https://warifu.example.com", "", ""},
		{"https://warifu.example.com:8443", "example.com", ""},
		{"http://localhost:7788", "", ""},
		{"http://a.localhost:7788", "", ""},
		{"http://127.0.0.1:7788", "", "url"},
		{"https://[::1]", "", "url"},
		{"http://warifu.example.com", "", "url"},
		{"https://warifu.example.com", "example.org", "passkeys.rp-id"},
		{"https://warifu.example.com", "com", "passkeys.rp-id"},
		{"https://warifu.example.com", "fu.example.com", "passkeys.rp-id"},
		{"https://warifu.example.com", "https://example.com", "passkeys.rp-id"},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		_, err = passkey.New(passkey.Config{URL: u, ID: c.id})
		if c.want == "" && err != nil || c.want != "" && (!fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s, %q: %v, want a fault about %q", c.url, c.id, err, c.want)
		}
	}
}

// W-1: an answer is good for its own challenge only.
func TestChallenge(t *testing.T) {
	rp := newRP(t, nil)
	key := testkit.NewAuthenticator()
	c, n := created(t, rp, key)
	options, err := rp.Request(ask(t, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := passkey.ParseAssertion(key.Get(t, options))
	if err != nil {
		t.Fatal(err)
	}
	other := passkey.Asked{Challenge: challenge(t, "another")}
	if _, err := rp.Verify(answer, other, c, alice.Handle, n); err == nil {
		t.Error("the answer to another challenge was taken")
	}
	creation, err := rp.Creation(ask(t, nil), alice, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := register(rp, testkit.NewAuthenticator().Create(t, creation), other); err == nil {
		t.Error("a credential made for another challenge was taken")
	}
	// An answer to a request is none to a creation, and the other way round.
	if _, _, err := register(rp, key.Get(t, options), ask(t, nil)); err == nil {
		t.Error("a proof was taken for a creation")
	}
}

// W-1: a challenge is good for its purpose only, and for five minutes.
func TestChallenges(t *testing.T) {
	all := passkey.NewChallenges([32]byte{1})
	purpose := []byte("sign-in of alice")
	seen := map[string]bool{}
	for i := range 30 {
		c, err := all.New(testkit.Rand(strings.Repeat("x", i+1)), purpose, testkit.Epoch)
		if err != nil || len(c) < 16 {
			t.Fatal(c, err)
		}
		id, until, ok := all.Check(c, purpose, testkit.Epoch)
		if !ok || seen[id] || !until.Equal(testkit.Epoch.Add(passkey.Life)) {
			t.Fatalf("%x: %q, %v, %v", c, id, until, ok)
		}
		seen[id] = true
	}
	c := challenge(t, string(purpose))
	for what, got := range map[string]bool{
		"a second before the end": is(all.Check(c, purpose, testkit.Epoch.Add(passkey.Life-time.Second))),
	} {
		if !got {
			t.Errorf("%s, it is refused", what)
		}
	}
	for what, got := range map[string]bool{
		"at the end":                     is(all.Check(c, purpose, testkit.Epoch.Add(passkey.Life))),
		"by a clock that went back":      is(all.Check(c, purpose, testkit.Epoch.Add(-time.Second))),
		"for another purpose":            is(all.Check(c, []byte("step-up of alice"), testkit.Epoch)),
		"for a purpose that begins so":   is(all.Check(c, purpose[:5], testkit.Epoch)),
		"by another server":              is(passkey.NewChallenges([32]byte{2}).Check(c, purpose, testkit.Epoch)),
		"cut off":                        is(all.Check(c[:len(c)-1], purpose, testkit.Epoch)),
		"with something behind it":       is(all.Check(append(slices.Clone(c), 0), purpose, testkit.Epoch)),
		"when there is none":             is(all.Check(nil, purpose, testkit.Epoch)),
		"with a byte moved into purpose": is(all.Check(c[:len(c)-1], append([]byte{c[len(c)-1]}, purpose...), testkit.Epoch)),
	} {
		if got {
			t.Errorf("%s, it is taken", what)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		other := slices.Clone(c)
		other[rapid.IntRange(0, len(c)-1).Draw(t, "at")] ^= byte(rapid.IntRange(1, 255).Draw(t, "bits"))
		if is(all.Check(other, purpose, testkit.Epoch)) {
			t.Fatalf("%x is taken for %x", other, c)
		}
	})
}

func is(_ string, _ time.Time, ok bool) bool { return ok }

// W-2: the origin is compared exactly; another relying party's answer is none.
func TestOrigin(t *testing.T) {
	rp := newRP(t, nil)
	good := testkit.NewAuthenticator()
	c, n := created(t, rp, good)
	for _, origin := range []string{
		"https://evil.example.com", "https://console.example.com.evil.com", "https://evil-console.example.com", "http://console.example.com",
		"https://console.example.com:8443", "https://console.example.com:443", "https://CONSOLE.example.com", "https://console.example.com/", "null", "",
		"https://example.com", "android:apk-key-hash:x",
	} {
		key := testkit.NewAuthenticator()
		key.Origin = origin
		if _, _, err := create(t, rp, key, ask(t, nil)); err == nil {
			t.Errorf("a credential created at %q was taken", origin)
		}
		good.Origin = origin
		if _, err := get(t, rp, good, ask(t, nil), c, n); err == nil {
			t.Errorf("an answer given at %q was taken", origin)
		}
	}
	good.Origin, good.RPID = testkit.Origin, "example.com"
	if _, err := get(t, rp, good, ask(t, nil), c, n); err == nil {
		t.Error("an answer for another relying party was taken")
	}
}

// W-2: an answer that was given in a frame of another site is none.
func TestFrames(t *testing.T) {
	rp := newRP(t, nil)
	key := testkit.NewAuthenticator()
	c, n := created(t, rp, key)
	for _, extra := range []string{`,"crossOrigin":true}`, `,"crossOrigin":true,"topOrigin":"https://evil.example"}`, `,"topOrigin":"` + testkit.Origin + `"}`} {
		options, err := rp.Request(ask(t, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		text := rewrite(t, key.Get(t, options), func(r map[string]any) {
			data, _ := base64.RawURLEncoding.DecodeString(r["clientDataJSON"].(string))
			r["clientDataJSON"] = base64.RawURLEncoding.EncodeToString([]byte(strings.TrimSuffix(string(data), "}") + extra))
		})
		answer, err := passkey.ParseAssertion(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rp.Verify(answer, ask(t, nil), c, alice.Handle, n); err == nil || !strings.Contains(err.Error(), "another site") {
			t.Errorf("with %s: %v", extra, err)
		}
	}
}

// rewrite changes the response in an answer.
func rewrite(t testing.TB, answer string, change func(map[string]any)) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(answer), &all); err != nil {
		t.Fatal(err)
	}
	change(all["response"].(map[string]any))
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// W-3: somebody is always present; who it is was verified where that is asked.
func TestPresenceAndVerification(t *testing.T) {
	rp := newRP(t, nil)
	key := testkit.NewAuthenticator()
	c, n := created(t, rp, key)
	plain := *c
	plain.Verifies = false // as a key without a PIN
	for _, test := range []struct {
		what    string
		absent  bool
		verify  passkey.Verify
		c       *passkey.Credential
		refused bool
	}{
		{"beside a password", false, passkey.WhenLikely, c, false},
		{"nobody there", true, passkey.WhenLikely, c, true},
		{"step-up", false, passkey.WhenAble, c, true},
		{"step-up with a plain key", false, passkey.WhenAble, &plain, false},
		{"instead of a password", false, passkey.Always, c, true},
		{"instead of a password, with a plain key", false, passkey.Always, &plain, true},
	} {
		key.Unverified, key.Absent = true, test.absent
		p, err := get(t, rp, key, rp.Allowing(ask(t, func(a *passkey.Asked) { a.Verify = test.verify }), []*passkey.Credential{c}), test.c, n)
		if (err != nil) != test.refused || p.Verified {
			t.Errorf("%s: %+v, %v", test.what, p, err)
		}
	}
	other := testkit.NewAuthenticator()
	other.Unverified = true
	if _, _, err := create(t, rp, other, ask(t, func(a *passkey.Asked) { a.Verify = passkey.Always })); err == nil {
		t.Error("a credential was created without verification")
	}
	if c, _, err := create(t, rp, other, ask(t, nil)); err != nil || c.Verifies || c.SignsIn() {
		t.Errorf("a plain key: %+v, %v", c, err)
	}
	other.Absent = true
	if _, _, err := create(t, rp, other, ask(t, nil)); err == nil {
		t.Error("a credential was created with nobody there")
	}
}

// W-4: what the browser was asked is checked again.
func TestRegistrationPolicy(t *testing.T) {
	key := testkit.NewAuthenticator()
	key.Props = `{"credProps":{"rk":false}}`
	if _, _, err := create(t, newRP(t, nil), key, ask(t, func(a *passkey.Asked) { a.Resident = true })); err == nil {
		t.Error("a credential that is not discoverable was taken where it must be")
	}
	if c, _, err := create(t, newRP(t, nil), key, ask(t, nil)); err != nil || c.Discoverable {
		t.Errorf("where it need not be: %+v, %v", c, err)
	}
	// What is only claimed meets no list of makes: the authenticator signs for
	// itself.
	make := passkey.AAGUID{1, 2, 3}
	listed := newRP(t, func(c *passkey.Config) { c.AAGUIDs, c.Roots = []passkey.AAGUID{make}, somePool(t) })
	key = testkit.NewAuthenticator()
	key.AAGUID = make
	if _, _, err := create(t, listed, key, ask(t, nil)); err == nil || !passkey.Refused(err) {
		t.Errorf("self-attested: %v", err)
	}
	u, _ := url.Parse(testkit.Origin)
	if _, err := passkey.New(passkey.Config{URL: u, AAGUIDs: []passkey.AAGUID{make}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("makes without roots: %v", err)
	}
}

// W-5: a counter that goes back is refused or flagged; one that stands still at
// zero is that of an authenticator which counts nothing.
func TestCounter(t *testing.T) {
	block := newRP(t, nil)
	flag := newRP(t, func(c *passkey.Config) { c.Rollback = passkey.FlagRollback })
	for _, test := range []struct {
		kept, now int64
		back      bool
	}{{3, 5, false}, {5, 3, true}, {5, 5, true}, {5, 0, true}, {0, 0, false}, {0, 1, false}} {
		key := testkit.NewAuthenticator()
		key.Still = true
		c, _ := created(t, block, key)
		key.Count = uint32(test.now)
		_, err := get(t, block, key, ask(t, nil), c, test.kept)
		if passkey.RolledBack(err) != test.back || !test.back && err != nil {
			t.Errorf("from %d to %d, blocked: %v", test.kept, test.now, err)
		}
		p, err := get(t, flag, key, ask(t, nil), c, test.kept)
		if err != nil || p.Back != test.back || p.Count != max(test.kept, test.now) {
			t.Errorf("from %d to %d, flagged: %+v, %v", test.kept, test.now, p, err)
		}
	}
}

// W-6: whether a credential may be copied is settled when it is created; whether
// it has been may change.
func TestBackupFlags(t *testing.T) {
	rp := newRP(t, nil)
	for _, test := range []struct {
		created, now, backedUp bool
		taken                  bool
	}{
		{false, false, false, true}, {true, true, false, true}, {true, true, true, true},
		{false, true, false, false}, {true, false, false, false}, {false, false, true, false}, {true, false, true, false},
	} {
		key := testkit.NewAuthenticator()
		key.Eligible = test.created
		c, n := created(t, rp, key)
		key.Eligible, key.BackedUp = test.now, test.backedUp
		p, err := get(t, rp, key, ask(t, nil), c, n)
		if (err == nil) != test.taken || test.taken && p.BackedUp != test.backedUp {
			t.Errorf("%+v: %+v, %v", test, p, err)
		}
	}
	key := testkit.NewAuthenticator()
	key.BackedUp = true
	if _, _, err := create(t, rp, key, ask(t, nil)); err == nil {
		t.Error("a credential that was copied and cannot be was created")
	}
}

// W-7: a credential answers for its owner only, and only where it was asked for.
func TestOwnership(t *testing.T) {
	rp := newRP(t, nil)
	key, eve := testkit.NewAuthenticator(), testkit.NewAuthenticator()
	c, n := created(t, rp, key)
	other, _ := created(t, rp, eve)
	options, err := rp.Request(ask(t, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	parse := func(text string) *passkey.Assertion {
		t.Helper()
		a, err := passkey.ParseAssertion(text)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if _, err := rp.Verify(parse(eve.Get(t, options)), rp.Allowing(ask(t, nil), []*passkey.Credential{c}), c, alice.Handle, n); err == nil {
		t.Error("another's key answered")
	}
	if _, err := rp.Verify(parse(eve.Get(t, options)), rp.Allowing(ask(t, nil), []*passkey.Credential{c}), other, alice.Handle, 0); err == nil {
		t.Error("a key answered that was not asked for")
	}
	key.Handle = []byte("handle of eve")
	for _, asked := range []passkey.Asked{ask(t, nil), rp.Allowing(ask(t, nil), []*passkey.Credential{c})} {
		if _, err := rp.Verify(parse(key.Get(t, options)), asked, c, alice.Handle, n); err == nil {
			t.Error("a key answered that says it is another user's")
		}
	}
	key.Handle = nil
	if _, err := rp.Verify(parse(key.Get(t, options)), ask(t, nil), c, alice.Handle, n); err == nil {
		t.Error("a key that does not say whose it is answered where nobody was named")
	}
	if _, err := rp.Verify(parse(key.Get(t, options)), rp.Allowing(ask(t, nil), []*passkey.Credential{c}), c, alice.Handle, n); err != nil {
		t.Errorf("a key that need not say whose it is: %v", err)
	}
}

func passkeyLegacy(t testing.TB, appID string) (*passkey.Credential, *testkit.Authenticator) {
	t.Helper()
	registered := appID
	if registered == "" {
		registered = testkit.Origin
	}
	key, point := testkit.NewU2FKey(t, testkit.Rand(t.Name()), registered)
	c, err := passkey.Legacy(key.ID, point, appID)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// W-8: a key that was registered by FIDO U2F answers for its application id, as a
// second factor and as nothing else.
func TestLegacyKey(t *testing.T) {
	rp := newRP(t, nil)
	for _, appID := range []string{"", "https://old.example.com/app-id.json"} {
		c, key := passkeyLegacy(t, appID)
		if c.SignsIn() {
			t.Error("a U2F key signs in by itself")
		}
		kept, err := passkey.ReadCredential(c.ID, c.Data(), true)
		if err != nil {
			t.Fatal(err)
		}
		named := rp.Allowing(ask(t, nil), []*passkey.Credential{kept})
		if p, err := get(t, rp, key, named, kept, 0); err != nil || p.Count != 1 || p.Verified {
			t.Errorf("as a second factor: %+v, %v", p, err)
		}
		if _, err := get(t, rp, key, named, kept, 5); !passkey.RolledBack(err) {
			t.Errorf("a counter that went back: %v", err)
		}
		always := named
		always.Verify = passkey.Always
		for what, asked := range map[string]passkey.Asked{"without a name": ask(t, nil), "with verification": always} {
			if _, err := get(t, rp, key, asked, kept, 0); err == nil {
				t.Errorf("%s, it was taken", what)
			}
		}
		elsewhere := named
		elsewhere.AppID = "https://elsewhere.example"
		if _, err := get(t, rp, key, elsewhere, kept, 0); err == nil {
			t.Error("an answer was taken for an application id that was not asked for")
		}
		// Without the browser's word that it used the application id, the relying
		// party's id counts, for which the key did not sign.
		options, err := rp.Request(named, []*passkey.Credential{kept})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := passkey.ParseAssertion(strings.Replace(key.Get(t, options), `"appid":true`, `"appid":false`, 1))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rp.Verify(answer, named, kept, alice.Handle, 0); err == nil {
			t.Error("an answer was taken that does not say it is for the application id")
		}
	}
}

// W-8: the example of the standard (FIDO U2F Raw Message Formats 1.2, 8.2): its
// public key is read, and verifies its signature.
func TestLegacyVector(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	point := unhex("04d368f1b665bade3c33a20f1e429c7750d5033660c019119d29aa4ba7abc04aa7c80a46bbe11ca8cb5674d74f31f8a903f6bad105fb6ab74aefef4db8b0025e1d")
	c, err := passkey.Legacy([]byte("its handle"), point, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), c.Key)
	if err != nil {
		t.Fatal(err)
	}
	signed := slices.Concat(unhex("4b0be934baebb5d12d26011b69227fa5e86df94e7d94aa2949a89f2d493992ca"), []byte{1, 0, 0, 0, 1},
		unhex("ccd6ee2e47baef244d49a222db496bad0ef5b6f93aa7cc4d30c4821b3b9dbc57"))
	sum := sha256.Sum256(signed)
	if !ecdsa.VerifyASN1(key, sum[:], unhex("304402204b5f0cd17534cedd8c34ee09570ef542a353df4436030ce43d406de870b847780220267bb998fac9b7266eb60e7cb0b5eabdfd5ba9614f53c7b22272ec10047a923f")) {
		t.Error("the standard's own signature does not fit its key")
	}
	for what, bad := range map[string][]byte{"short": point[:64], "long": append(slices.Clone(point), 0), "not on the curve": append([]byte{4}, make([]byte, 64)...), "compressed": append([]byte{2}, point[1:33]...), "": nil} {
		if _, err := passkey.Legacy([]byte("x"), bad, ""); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "publicKey") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, n := range []int{0, 256} {
		if _, err := passkey.Legacy(make([]byte, n), point, ""); !fault.Is(err, fault.Invalid) {
			t.Errorf("a handle of %d bytes: %v", n, err)
		}
	}
}

func TestAAGUID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := passkey.AAGUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		if back, err := passkey.ParseAAGUID(a.String()); err != nil || back != a {
			t.Fatalf("%s came back as %s, %v", a, back, err)
		}
	})
	for _, s := range []string{"", "ea9b8d66", strings.Repeat("0", 36), "za9b8d66-4d01-1d21-3ce4-b6b48cb575d4"} {
		if _, err := passkey.ParseAAGUID(s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", s, err)
		}
	}
	if m := (passkey.AAGUID{}).Make(); m != "" {
		t.Errorf("no make is called %q", m)
	}
}
