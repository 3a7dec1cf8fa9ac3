package console

import (
	"context"
	"encoding/hex"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/internal/factor/totp"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/testkit"
)

const (
	rootMail     = "owner@example.com"
	rootPassword = "correct horse battery staple"
	adminWord    = "tall ships sail at dawn"
)

// to checks where a form led.
func to(t testing.TB, w *httptest.ResponseRecorder, path string) {
	t.Helper()
	if w.Code != 303 || w.Header().Get("Location") != path {
		t.Fatalf("%d to %q, want 303 to %s\n%s", w.Code, w.Header().Get("Location"), path, text(w))
	}
}

// says checks that a page says something.
func says(t testing.TB, w *httptest.ResponseRecorder, status int, want ...string) string {
	t.Helper()
	if w.Code != status {
		t.Fatalf("%d, want %d (to %q)\n%s", w.Code, status, w.Header().Get("Location"), text(w))
	}
	for _, s := range want {
		if !strings.Contains(text(w), s) {
			t.Fatalf("the page does not say %q\n%s", s, text(w))
		}
	}
	return w.Body.String()
}

var tags = regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`)

// text is what a page says, without its tags.
func text(w *httptest.ResponseRecorder) string {
	plain := tags.ReplaceAllString(w.Body.String(), " ")
	plain = strings.NewReplacer("&#39;", "'", "&#34;", `"`, "&amp;", "&").Replace(plain)
	return strings.Join(strings.Fields(plain), " ")
}

var seedOf = regexp.MustCompile(`id="seed"[^>]*>((?:<span class="four">[A-Z2-7]+</span>)+)<`)

// seed finds the key that a page shows for binding.
func seed(t testing.TB, page string) string {
	t.Helper()
	m := seedOf.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("the page shows no key\n%s", page)
	}
	return tags.ReplaceAllString(m[1], "")
}

// codes are the code of now and the next one; the clock is then in the period of
// neither.
func (s *site) codes(t testing.TB, seed string) (one, two string) {
	t.Helper()
	one = testkit.Code(t, seed, s.Clock.Now())
	s.Clock.Advance(30 * time.Second)
	two = testkit.Code(t, seed, s.Clock.Now())
	return one, two
}

// code is a code that was not used yet.
func (s *site) code(t testing.TB, seed string) string {
	t.Helper()
	s.Clock.Advance(30 * time.Second)
	return testkit.Code(t, seed, s.Clock.Now())
}

// setUp goes through the set-up and returns root's seed.
func (s *site) setUp(t testing.TB) string {
	t.Helper()
	token, err := s.NewSetupToken(context.Background(), testkit.Account, "admin")
	if err != nil {
		t.Fatal(err)
	}
	link := "/setup/" + string(token.Reveal())
	says(t, s.get(link), 200, "Set up this server", testkit.Account.String())
	to(t, s.post(link), "/setup/account")
	says(t, s.get("/setup/account"), 200, "Name the account")
	says(t, s.post("/setup/account", "alias", "-bad-"), 422, "lowercase letters")
	to(t, s.post("/setup/account", "alias", "Acme"), "/setup/root")
	says(t, s.get("/setup/account"), 200, "Name the account") // going back
	says(t, s.get("/setup/root"), 200, "The root user")
	says(t, s.post("/setup/root", "email", "nonsense", "password", rootPassword, "again", rootPassword), 422, "whole e-mail address")
	says(t, s.post("/setup/root", "email", rootMail, "password", "password", "again", "password"), 422, "many people use")
	says(t, s.post("/setup/root", "email", rootMail, "password", rootPassword, "again", "other"), 422, "differ")
	to(t, s.post("/setup/root", "email", rootMail, "password", rootPassword, "again", rootPassword, "admin", adminWord), "/signin/bind")
	page := says(t, s.get("/signin/bind"), 200, "Add your second factor", "never without a second factor")
	key := seed(t, page)
	says(t, s.post("/signin/bind", "code1", "000000", "code2", "000001"), 422, "does not fit")
	one, two := s.codes(t, key)
	to(t, s.post("/signin/bind", "code1", one, "code2", two), "/console")
	return key
}

func TestSetUpLeadsIntoTheConsole(t *testing.T) {
	s := open(t)
	key := s.setUp(t)
	if _, err := s.NewSetupToken(context.Background(), testkit.Account, "admin"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a set-up link for an account that is set up: %v", err)
	}
	says(t, s.get("/console"), 200, "Welcome", "Root user", "acme", "Signed in with MFA")
	says(t, s.get("/security"), 200, "MFA devices", "Sessions", "this one")
	to(t, s.post("/signout"), "/signin")
	to(t, s.get("/console"), "/signin")

	says(t, s.get("/signin?root=1"), 200, "As the root user", "You are signed out.")
	to(t, s.post("/signin", "root", "1", "user", rootMail, "password", rootPassword), "/signin/code")
	says(t, s.get("/signin/code"), 200, "Your code")
	says(t, s.post("/signin/code", "code", "000000"), 422, "does not fit")
	to(t, s.post("/signin/code", "code", s.code(t, key)), "/console")
	says(t, s.get("/console"), 200, "Root user")
}

// user makes a user with a password, in the world.
func (s *site) user(t testing.TB, name, password string, must bool, policies ...string) {
	t.Helper()
	admin := s.Admin(t)
	testkit.Do(t, s.World, admin, ops.CreateUser, ops.CreateUserIn{Name: name})
	testkit.Do(t, s.World, admin, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ops.Ref{Name: name}, Password: seal.NewSecret([]byte(password)), ResetRequired: must})
	for _, p := range policies {
		testkit.Do(t, s.World, admin, ops.AttachUserPolicy, ops.AttachIn{Holder: ops.Ref{Name: name}, Policy: p})
	}
}

// signIn signs a user in, with a password alone.
func (s *site) signIn(t testing.TB, name, password string) {
	t.Helper()
	s.get("/signin")
	to(t, s.post("/signin", "account", testkit.Account.String(), "user", name, "password", password), "/console")
}

func TestSecurityPage(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false, "arn:aws:iam::aws:policy/AdministratorAccess")
	s.signIn(t, "alice", adminWord)
	says(t, s.get("/console"), 200, "Add a second factor")
	says(t, s.get("/security"), 200, "No device yet", "not protected", "No access keys", "192.0.2.7", "password only")

	// A device: wrong codes first, then the right ones.
	says(t, s.get("/security/mfa/new"), 200, "Name of the device")
	key := seed(t, says(t, s.post("/security/mfa/new", "name", "alice"), 200, "Scan this"))
	serial := "arn:aws:iam::123456789012:mfa/alice"
	says(t, s.post("/security/mfa/bind", "serial", serial, "code1", "111111", "code2", "222222"), 422, "do not follow each other", "start again")
	one, two := s.codes(t, key)
	to(t, s.post("/security/mfa/bind", "serial", serial, "code1", one, "code2", two), "/security")
	says(t, s.get("/security"), 200, "The device is added.", "Authenticator app")

	// Another device, of the kind of codes that was chosen.
	says(t, s.post("/security/mfa/new", "name", "strong", "algorithm", "MD5", "digits", "6"), 422, "Choose SHA-1, SHA-256 or SHA-512.")
	says(t, s.post("/security/mfa/new", "name", "strong", "algorithm", "SHA256", "digits", "7"), 422, "6 or 8 digits")

	// A key: the new device is asked for first; then its secret once, then off,
	// then deleted by its name.
	to(t, s.get("/security/keys/new"), "/stepup?next=%2Fsecurity%2Fkeys%2Fnew")
	to(t, s.post("/security/keys/new"), "/stepup?next=%2Fsecurity%2Fkeys%2Fnew")
	to(t, s.post("/stepup", "next", "/security/keys/new", "code", s.code(t, key)), "/security/keys/new")
	says(t, s.get("/security/keys/new"), 200, "shown once", "Signed in with MFA")
	page := says(t, s.post("/security/keys/new"), 200, "only time that the secret is shown")
	id := regexp.MustCompile(`AKIA[A-Z0-9]{16}`).FindString(page)
	to(t, s.post("/security/keys/"+id+"/status", "status", string(iam.KeyInactive)), "/security#keys")
	says(t, s.get("/security"), 200, "switched off", id)
	says(t, s.get("/security/keys/"+id+"/delete"), 200, "stop working at once")
	says(t, s.post("/security/keys/"+id+"/delete", "confirm", "no"), 422, "not the same")
	to(t, s.post("/security/keys/"+id+"/delete", "confirm", id), "/security#keys")

	// A password, and the other sessions with it.
	other := &site{World: s.World, con: s.con, cookies: map[string]string{}}
	other.get("/signin")
	to(t, other.post("/signin", "account", "123456789012", "user", "alice", "password", adminWord), "/signin/code")
	to(t, other.post("/signin/code", "code", s.code(t, key)), "/console")
	says(t, s.post("/security/password", "old", "wrong", "new", rootPassword, "again", rootPassword), 422, "not your current password")
	says(t, s.post("/security/password", "old", adminWord, "new", rootPassword, "again", "x"), 422, "differ")
	to(t, s.post("/security/password", "old", adminWord, "new", rootPassword, "again", rootPassword, "others", "on"), "/security")
	to(t, other.get("/security"), "/signin?next=%2Fsecurity")

	says(t, s.get("/security/notices"), 200, "Your password was changed.", "Sessions ended: 1.", "was created", "new")
	says(t, s.get("/security/activity"), 200, "New MFA device", "New access key")

	// Removing the device asks for it once more when it was proved a while ago.
	remove := regexp.MustCompile(`/security/mfa/[0-9]+/remove`).FindString(s.get("/security").Body.String())
	s.Clock.Advance(15 * time.Minute)
	to(t, s.get(remove), "/stepup?next="+strings.ReplaceAll(remove, "/", "%2F"))
	says(t, s.get("/stepup?next="+remove), 200, "Confirm that it is you")
	says(t, s.post("/stepup", "next", remove, "code", "000000"), 422, "does not fit")
	was := s.cookies["__Host-"+cookieSession]
	to(t, s.post("/stepup", "next", remove, "code", s.code(t, key)), remove)
	if s.cookies["__Host-"+cookieSession] == was {
		t.Error("S-1: the session keeps its secret after a step-up")
	}
	says(t, s.get(remove), 200, "This is your only device")
	to(t, s.post(remove), "/security")
	says(t, s.get("/security"), 200, "is removed.", "No device yet")
}

// A binding goes on after a reload, and its form may be sent twice.
func TestBindingSurvivesReloadAndDoubleSubmit(t *testing.T) {
	s := open(t)
	s.user(t, "new", adminWord, false, "arn:aws:iam::aws:policy/AdministratorAccess")
	on := true
	testkit.Do(t, s.World, s.Admin(t), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "new"}, MFARequired: &on})
	s.get("/signin")
	to(t, s.post("/signin", "account", testkit.Account.String(), "user", "new", "password", adminWord), "/signin/bind")
	key := seed(t, s.get("/signin/bind").Body.String())
	if again := seed(t, s.get("/signin/bind").Body.String()); again != key {
		t.Error("after a reload the page shows another key: what was scanned is void")
	}
	one, two := s.codes(t, key)
	for range 2 {
		to(t, s.post("/signin/bind", "code1", one, "code2", two), "/console")
	}

	// On the Security page the key is shown once; the newest one counts, and the
	// page of the older one says what to do.
	add := func() string {
		return seed(t, says(t, s.post("/security/mfa/new", "name", "x", "algorithm", "SHA256", "digits", "8"), 200, "Algorithm: SHA256. Digits: 8."))
	}
	add()
	key = add()
	serial := "arn:aws:iam::123456789012:mfa/x"
	says(t, s.post("/security/mfa/bind", "serial", serial, "code1", "111111", "code2", "222222"), 422, "start again with a new QR code")
	s.Clock.Advance(30 * time.Second)
	one, two = strong(t, key, s.Clock.Now()), strong(t, key, s.Clock.Now().Add(30*time.Second))
	s.Clock.Advance(30 * time.Second)
	for range 2 {
		to(t, s.post("/security/mfa/bind", "serial", serial, "code1", one, "code2", two), "/security")
	}
}

// strong is a code of eight digits by SHA-256.
func strong(t testing.TB, seed string, at time.Time) string {
	t.Helper()
	raw, err := totp.ParseSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	p := totp.Params{Algorithm: totp.SHA256, Digits: 8}
	return totp.Code(raw, p, p.Step(at))
}

func TestPasswordThatMustBeChanged(t *testing.T) {
	s := open(t)
	s.user(t, "bob", adminWord, true)
	s.get("/signin")
	to(t, s.post("/signin", "account", "123456789012", "user", "bob", "password", adminWord), "/signin/password")
	says(t, s.get("/signin/password"), 200, "Choose a new password", "At least 8 characters")
	says(t, s.post("/signin/password", "password", "short", "again", "short"), 422, "at least 8 characters")
	to(t, s.post("/signin/password", "password", rootPassword, "again", rootPassword), "/console")
	says(t, s.get("/console"), 200, "Welcome, bob")
}

// P-5: whatever is wrong, the page says the same.
func TestRefusalsTellNothingApart(t *testing.T) {
	s := open(t)
	s.user(t, "carol", adminWord, false)
	s.get("/signin")
	answers := map[string]string{}
	for what, in := range map[string][3]string{
		"wrong password": {"123456789012", "carol", "nope nope nope"}, "no such user": {"123456789012", "nobody", "nope nope nope"},
		"no such account": {"999999999999", "carol", adminWord}, "no password": {"123456789012", "admin", "nope nope nope"},
	} {
		w := s.post("/signin", "account", in[0], "user", in[1], "password", in[2])
		says(t, w, 422, "The account, the user name or the password is not right.")
		body := strings.NewReplacer(in[0], "ACCOUNT", `"`+in[1]+`"`, "USER").Replace(w.Body.String())
		answers[regexp.MustCompile(`nonce="[^"]*"|challenge&#34;:&#34;[\w-]*`).ReplaceAllString(body, "")] = what
	}
	if len(answers) != 1 {
		t.Errorf("there are %d different pages: %v", len(answers), answers)
	}
}

func TestEnrolmentLink(t *testing.T) {
	s := open(t)
	s.user(t, "dora", adminWord, false)
	link := testkit.Do(t, s.World, s.Admin(t), ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ops.Ref{Name: "dora"}})
	path := "/enrol/" + string(link.Token.Reveal())
	for range 3 { // a mail scanner looks at it first (H-5)
		says(t, s.get(path), 200, "dora", "Begin")
	}
	to(t, s.post(path), path)
	key := seed(t, says(t, s.get(path), 200, "Scan this"))
	says(t, s.post(path, "code1", "000000", "code2", "111111"), 422, "does not fit")
	one, two := s.codes(t, key)
	says(t, s.post(path, "code1", one, "code2", two), 200, "The second factor is added", "a code of this device")
	says(t, s.get(path), 404, "was used, was taken back, or has run out")
	s.get("/signin")
	to(t, s.post("/signin", "account", "123456789012", "user", "dora", "password", adminWord), "/signin/code")
	to(t, s.post("/signin/code", "code", s.code(t, key)), "/console")
}

// Behind a link, and at sign-in, a token that was given to the user and an address
// can be bound, too; the words at the end are of what was bound.
func TestOtherKindsAreBound(t *testing.T) {
	s := open(t)
	s.user(t, "dora", adminWord, false)
	sent := func() string {
		all, err := s.ClaimMessages(t.Context(), iam.ChannelMail, 100, time.Minute)
		if err != nil || len(all) == 0 {
			t.Fatalf("no mail: %v", err)
		}
		return string(all[len(all)-1].Letter.Secret.Reveal())
	}
	prefs := iam.DefaultPreferences()
	prefs.MFAForLogin, prefs.EmailCodes = iam.MFAMandatory, true
	testkit.Do(t, s.World, s.Admin(t), ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: prefs})
	seed := []byte("12345678901234567890")
	testkit.Do(t, s.World, s.Admin(t), ops.ImportTokens, ops.ImportTokensIn{File: seal.NewSecret([]byte("serial,seed,type,digits,counter,algorithm,manufacturer\nGAHT1," + hex.EncodeToString(seed) + ",totp,6,,SHA1,Acme\n"))})
	testkit.Do(t, s.World, s.Admin(t), ops.AssignToken, ops.DeviceIn{User: ops.Ref{Name: "dora"}, Serial: "GAHT1"})
	link := testkit.Do(t, s.World, s.Admin(t), ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ops.Ref{Name: "dora"}})

	path := "/enrol/" + string(link.Token.Reveal())
	s.get(path)
	to(t, s.post(path), path)
	says(t, s.get(path), 200, "Or your hardware token GAHT1", "Or codes by e-mail", "Passkey")
	says(t, s.post(path, "serial", "GAHT1", "one-GAHT1", "000000", "two-GAHT1", "111111"), 422, "does not fit")
	says(t, s.post(path, "response", "{}"), 422, "was not taken")
	says(t, s.post(path, "email", "dora"), 422, "e-mail")
	to(t, s.post(path, "email", "dora@example.com"), path)
	code := sent()
	says(t, s.get(path), 200, "We sent a code to dora@example.com", "Code from the message")
	says(t, s.get(path+"?new=email"), 200, "Send me a code")
	says(t, s.post(path, "again", "1", "email", "dora@example.com"), 429, "only just now") // too soon
	says(t, s.post(path, "email-code", "000000x"), 422, "does not fit")
	says(t, s.post(path, "email-code", code), 200, "The second factor is added", "a code that comes by e-mail")

	s = open(t)
	s.user(t, "emil", adminWord, false)
	testkit.Do(t, s.World, s.Admin(t), ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: prefs})
	s.get("/signin")
	to(t, s.post("/signin", "account", "123456789012", "user", "emil", "password", adminWord), "/signin/bind")
	to(t, s.post("/signin/bind", "email", "emil@example.com"), "/signin/bind")
	code = sent()
	says(t, s.get("/signin/bind"), 200, "emil@example.com")
	says(t, s.post("/signin/bind", "email-code", "000000x"), 422, "does not fit")
	to(t, s.post("/signin/bind", "email-code", code), "/console")
}

func TestLostPagesKeepTheFrame(t *testing.T) {
	s := open(t)
	says(t, s.get("/console/nothing"), 404, "There is no page at this address.", "Sign in")
	s.user(t, "alice", adminWord, false)
	s.signIn(t, "alice", adminWord)
	says(t, s.get("/console/nothing"), 404, "There is no page at this address.", "alice", "Sign out")
}

// Two tabs, a reload and going back end where the sign-in stands.
func TestSignInSurvivesTabsAndReloads(t *testing.T) {
	s := open(t)
	at := stages(t, s)
	s.cookies = at[stageFactor]
	s.get("/signin") // the token of the form
	says(t, s.get("/signin/code"), 200, "Your code")
	says(t, s.get("/signin/code"), 200, "Your code")
	to(t, s.get("/signin/bind"), "/signin/code")
	to(t, s.get("/signin/password?next=/security"), "/signin/code?next=%2Fsecurity")
	to(t, s.post("/signin/password", "password", rootPassword, "again", rootPassword), "/signin/code")

	// Another user in the second tab takes over; the first tab's form does nothing.
	s.user(t, "zoe", adminWord, false)
	to(t, s.post("/signin", "account", testkit.Account.String(), "user", "zoe", "password", adminWord), "/console")
	to(t, s.get("/signin/code"), "/console")
	to(t, s.post("/signin/code", "code", "123456"), "/console")
	says(t, s.get("/console"), 200, "zoe")

	// A sign-in that took too long begins again.
	s.cookies = map[string]string{}
	s.get("/signin")
	to(t, s.post("/signin", "account", testkit.Account.String(), "user", "bound", "password", adminWord), "/signin/code")
	s.Clock.Advance(11 * time.Minute)
	to(t, s.get("/signin/code"), "/signin")
	says(t, s.get("/signin"), 200, "This sign-in took too long.")
}

// Root's activity is root's own: events of others are not shown as its.
func TestRootSeesItsOwnActivity(t *testing.T) {
	s := open(t)
	s.setUp(t)
	s.user(t, "alice", adminWord, false)
	page := says(t, s.get("/security/activity"), 200, "Sign-in")
	if strings.Contains(page, "CreateUser") {
		t.Error("the administrator's doing stands in root's activity")
	}
}
