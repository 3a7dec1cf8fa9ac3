package console

import (
	"context"
	"strings"
	"testing"
	"time"

	"warifu/internal/testkit"
)

// The page about root shows what would change before it is saved, asks twice about
// an address of one's own, and root's pages say that it is root.
func TestRootPage(t *testing.T) {
	s := open(t)
	s.setUp(t)
	says(t, s.get("/console/users"), 200, "You are signed in as the root user")
	page := says(t, s.get("/console/root"), 200, rootMail, "warifu admin recover", "None, which is how it should be", "You are at 192.0.2.7")
	if strings.Contains(page, "What would change") {
		t.Error("an effect is shown before anybody asked")
	}
	says(t, s.post("/console/root", "do", "preview", "networks", "nowhere"), 422, "Write networks such as")
	page = says(t, s.post("/console/root", "do", "preview", "nokeys", "on", "networks", "198.51.100.0/24"), 200, "What would change", "Root could not sign in from 192.0.2.7")
	seen := cutOut(page, `name="seen" value="`, `"`)
	says(t, s.post("/console/root", "do", "save", "seen", seen, "nokeys", "on", "networks", ""), 422, "This is not what you looked at last")
	says(t, s.post("/console/root", "do", "save", "seen", seen, "nokeys", "on", "networks", "198.51.100.0/24"), 422, "Tick the box")
	page = says(t, s.post("/console/root", "do", "preview", "nokeys", "on", "networks", "192.0.2.0/24"), 200, "What would change")
	to(t, s.post("/console/root", "do", "save", "seen", cutOut(page, `name="seen" value="`, `"`), "nokeys", "on", "networks", "192.0.2.0/24"), "/console/root")
	if !strings.Contains(s.get("/console/root").Body.String(), `value="192.0.2.0/24"`) {
		t.Error("the networks are not shown")
	}
	says(t, s.get("/console/audit/query?template=root-use"), 200, "SetRootRules")

	s.cookies = map[string]string{}
	s.user(t, "eve", adminWord, false)
	s.signIn(t, "eve", adminWord)
	says(t, s.get("/console/root"), 403, "warifu:GetRootUser")
}

// The link from the host leads through password and factor into the console;
// looking at it does nothing (H-5), and administrators cannot miss it.
func TestRecoverPages(t *testing.T) {
	s := open(t)
	s.setUp(t)
	s.cookies = map[string]string{}
	token, err := s.NewRecovery(context.Background(), testkit.Account)
	if err != nil {
		t.Fatal(err)
	}
	link := "/recover/" + string(token.Reveal())
	if got := Loggable(link); strings.Contains(got, string(token.Reveal())) {
		t.Errorf("the log shows %s", got)
	}
	for range 3 {
		says(t, s.get(link), 200, "Recover the root user", "sessions end")
	}
	to(t, s.post(link), "/signin/password")
	says(t, s.get("/signin/password"), 200, "Choose a new password for the root user", rootMail)
	to(t, s.post("/signin/password", "password", "a fresh Password 11", "again", "a fresh Password 11"), "/signin/bind")
	page := says(t, s.get("/signin/bind"), 200, "The ones before it end")
	one, two := s.codes(t, seed(t, page))
	to(t, s.post("/signin/bind", "code1", one, "code2", two), "/console")
	says(t, s.get(link), 404, "used or has run out")
	s.Clock.Advance(time.Minute)

	s.cookies = map[string]string{}
	s.signIn(t, "admin", adminWord)
	says(t, s.get("/console"), 200, "The root user was recovered", "what root did")
	s.post("/security/notices", "upto", "x")
}

// cutOut is what stands between two texts.
func cutOut(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}
