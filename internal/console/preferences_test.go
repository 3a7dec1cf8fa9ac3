package console

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// The rules for signing in: a look at what would change, then the save; masks that
// shut the person out who asks are asked for twice.
func TestPreferencesPage(t *testing.T) {
	s, _ := office(t)
	s.signIn(t, "boss", adminWord)
	says(t, s.get(preferencesPath), 200, "These are the defaults", "Whoever has one", "You are at 192.0.2.7.", "In force: 6 , the default.", "In force: from anywhere , the default.",
		"Without effect while browsers are not remembered.")
	mark := regexp.MustCompile(`name="seen" value="([0-9a-f]+)"`)
	// look is the first press, and what the second one sends.
	look := func(form ...string) []string {
		page := s.post(preferencesPath, append(form, "do", "preview")...)
		m := mark.FindStringSubmatch(page.Body.String())
		if m == nil {
			t.Fatalf("%d: nothing was shown\n%s", page.Code, text(page))
		}
		return append(form, "do", "save", "seen", m[1])
	}
	form := func(more ...string) []string {
		return append([]string{
			"risk", "autonomous", "hours", "8", "idle", "30", "factors", "8", "idleUsers", "730", "idleKeys", "730",
			"email", "on", "sms", "on", "passkeys", "on", "ownPassword", "on", "ownFactors", "on", "remember", "on",
		}, more...)
	}
	says(t, s.post(preferencesPath, form("mode", "mandatory", "do", "preview")...), 200, "What would change", "4 users must add a second factor", "alice", "Save")
	if p := testkit.Do(t, s.World, s.Admin(t), ops.GetSecurityPreferences, struct{}{}); p != iam.DefaultPreferences() {
		t.Errorf("a look changed something: %+v", p)
	}
	says(t, s.post(preferencesPath, form("mode", "independent", "masks", "here", "do", "save")...), 422, "separated by semicolons")
	away := form("mode", "independent", "masks", "198.51.100.0/24")
	says(t, s.post(preferencesPath, look(away...)...), 422, "You could not sign in any more from where you are now", "I know, and want it")

	// Nothing is saved that was not shown: without a look, after a change of the
	// form, and after somebody else's change of the rules.
	here := form("mode", "independent", "masks", "192.0.2.0/24")
	says(t, s.post(preferencesPath, append(here, "do", "save")...), 422, "not what you looked at last", "What would change")
	seen := look(here...)
	says(t, s.post(preferencesPath, append(form("mode", "mandatory"), seen[len(seen)-4:]...)...), 422, "4 users must add a second factor")
	testkit.Do(t, s.World, s.Admin(t), ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: iam.DefaultPreferences()})
	says(t, s.post(preferencesPath, seen...), 422, "not what you looked at last")

	to(t, s.post(preferencesPath, look(here...)...), preferencesPath)
	says(t, s.get(preferencesPath), 200, "Changed by boss", "In force: 8 , set by boss", "The default: 6.", "0 of 1 sign-ins") // boss has no factor that could be asked for
	says(t, s.get(unusualPath), 200, "boss", "A browser not used before", "1 of 1 sign-ins", "At 0 of them", "No further question")
	bind := form("mode", "adaptive", "do", "preview")
	bind[1] = "enforceVerify"
	says(t, s.post(preferencesPath, bind...), 200, "users without a second factor must add one at an unusual sign-in", "at 1 of them")
	says(t, s.get(idlePath), 200, "Nothing is switched off")
	to(t, s.post(preferencesPath, append(look(away...), "confirm", "on")...), preferencesPath)
	to(t, s.get("/console"), "/signin") // from outside now
}

// Each setting says what is in force and where it comes from: the product, the
// account, a cloud's door, a parameter out of use, another noun; and a user's page
// what it comes to for that user.
func TestWhereSettingsComeFrom(t *testing.T) {
	s, _ := office(t)
	s.signIn(t, "boss", adminWord)
	ask := func(user string) string {
		return text(s.get(tabOf(user, "mfa")))
	}
	says(t, s.get(tabOf("alice", "mfa")), 200, "Signs in with the password alone", "ask for no more.")

	cloud := s.Admin(t)
	cloud.Source.Door = "alibaba"
	yes, hours := true, 6
	testkit.Do(t, s.World, cloud, ops.SetSecurityPreference, ops.SetSecurityPreferenceIn{EnforceMFAForLogin: &yes, EnableSaveMFATicket: &yes, LoginSessionDuration: &hours})
	says(t, s.get(preferencesPath), 200, "In force: Everybody , set by admin", "with the deprecated EnforceMFAForLogin . The default: Whoever has one.",
		"In force: on , set by admin", "through the interface of Alibaba Cloud. The default: off.", "In force: 6 , the default.")
	if got := ask("alice"); !strings.Contains(got, "Has to add a second factor at the next sign-in") || !strings.Contains(got, "of the account say so.") {
		t.Errorf("alice, where everybody is asked: %s", got)
	}

	own := iam.DefaultPreferences()
	own.OwnPassword = false
	testkit.Do(t, s.World, s.Admin(t), ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: own})
	testkit.Do(t, s.World, s.Admin(t), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "alice"}, MFARequired: &yes})
	cloud.Source.Door = "aws"
	testkit.Do(t, s.World, cloud, ops.UpdateAccountPasswordPolicy, ops.PasswordPolicy{MinimumLength: 14, AllowUsersToChange: true})
	says(t, s.get(preferencesPath), 200, "the default again since admin changed it", "On because the rules for passwords say so.",
		"Besides, an administrator requires it of 1 user.", "At least 14 characters")
	says(t, s.get(settingsPath), 200, "In force: 14 , set by admin", "through the interface of AWS. The default: 8.", "In force: none , the default.", "In force: off , the default.")
	if got := ask("alice"); !strings.Contains(got, "An administrator requires it of this user.") {
		t.Errorf("alice, of whom it is required: %s", got)
	}
}

// The box at sign-in, what the browser then keeps, and the list of it.
func TestRememberedBrowsersOnPages(t *testing.T) {
	s, _ := office(t)
	p := testkit.Do(t, s.World, s.Admin(t), ops.GetSecurityPreferences, struct{}{})
	p.Remember = true
	testkit.Do(t, s.World, s.Admin(t), ops.SetSecurityPreferences, ops.SetSecurityPreferencesIn{SecurityPreferences: p})
	s.user(t, "carol", adminWord, false)
	on := true
	testkit.Do(t, s.World, s.Admin(t), ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ops.Ref{Name: "carol"}, MFARequired: &on})
	s.get("/signin")
	to(t, s.post("/signin", "account", testkit.Account.String(), "user", "carol", "password", adminWord), "/signin/bind")
	key := seed(t, says(t, s.get("/signin/bind"), 200, "Remember this browser for 7 days"))
	one, two := s.codes(t, key)
	to(t, s.post("/signin/bind", "code1", one, "code2", two, "remember", "on"), "/console")
	if s.cookies["__Host-"+cookieMemory] == "" || s.cookies["__Host-"+cookieBrowser] == "" {
		t.Fatalf("cookies: %v", s.cookies)
	}
	says(t, s.get("/security"), 200, "Remembered browsers")
	to(t, s.post("/signout"), "/signin")
	s.Clock.Advance(time.Second)
	from := s.Clock.Now()
	s.signIn(t, "carol", adminWord)
	to(t, s.post("/security/remembered"), "/security#remembered")
	told := map[string]bool{} // K-3: that a browser stood in is no proof, and the trail says so
	for _, e := range testkit.Do(t, s.World, s.Admin(t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{From: from, Actor: "carol"}}).Items {
		told[e.Operation] = e.MFA.Known && e.MFA.Remembered && !e.MFA.Present
	}
	if !told["SignIn"] || !told["ForgetDevice"] {
		t.Errorf("events that tell of the browser: %v", told)
	}
	to(t, s.post("/signout"), "/signin")
	s.get("/signin")
	to(t, s.post("/signin", "account", testkit.Account.String(), "user", "carol", "password", adminWord), "/signin/code")
	says(t, s.get("/signin/code"), 200, "Remember this browser for 7 days")
}
