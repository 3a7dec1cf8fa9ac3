package console

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"warifu/internal/testkit"
)

var optionsIn = regexp.MustCompile(`data-options="([^"]*)"`)

// asked is what a page asks the browser for.
func asked(t *testing.T, body string) string {
	t.Helper()
	m := optionsIn.FindStringSubmatch(body)
	if m == nil {
		t.Fatalf("the page asks for no passkey: %s", excerpt(body))
	}
	return html.UnescapeString(m[1])
}

// S-1, S-8: a passkey is created and signs in by the pages alone; the form needs
// the browser's token, and the answer is good in no other browser.
func TestPasskeyPages(t *testing.T) {
	s := open(t)
	s.user(t, "alice", adminWord, false, "arn:aws:iam::aws:policy/AdministratorAccess")
	s.signIn(t, "alice", adminWord)
	key := testkit.NewAuthenticator()
	page := s.get("/security/passkeys/new").Body.String()
	to(t, s.post("/security/passkeys/new", "name", "Laptop", "response", key.Create(t, asked(t, page))), "/security#passkeys")
	says(t, s.get("/security"), 200, "Laptop", "This one device", "Unknown make", "The passkey Laptop was created.")

	s.cookies = map[string]string{}
	body := s.get("/signin").Body.String()
	if !strings.Contains(body, `autocomplete="username webauthn"`) {
		t.Error("P: the name's field does not offer passkeys")
	}
	answer := key.Get(t, asked(t, body))
	mine := s.cookies
	s.cookies = map[string]string{}
	s.get("/signin") // another browser
	says(t, s.post("/signin/passkey", "assertion", answer), 422, "This passkey does not sign you in here.")
	s.cookies = mine
	old := s.cookies[cookieForm]
	to(t, s.post("/signin/passkey", "assertion", answer, "next", "/security"), "/security")
	says(t, s.get("/security"), 200, "with MFA")
	if s.cookies[cookieForm] == old && old != "" {
		t.Error("S-1: the token of the sign-in forms stays after signing in")
	}

	// As the second factor, and to step up.
	s.cookies = map[string]string{}
	s.get("/signin")
	to(t, s.post("/signin", "account", "123456789012", "user", "alice", "password", adminWord), "/signin/code")
	page = s.get("/signin/code").Body.String()
	says(t, s.post("/signin/code", "assertion", "{}"), 422, "That key did not fit")
	to(t, s.post("/signin/code", "assertion", key.Get(t, asked(t, page))), "/console")
}

// The pages work without JavaScript but for the passkeys themselves, and say so.
func TestPasskeysNeedJavaScript(t *testing.T) {
	s := open(t)
	body := s.get("/signin").Body.String()
	if !strings.Contains(body, "<noscript>") || !strings.Contains(body, `class="button wide needs-js"`) {
		t.Errorf("%s", excerpt(body))
	}
}
