package console

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// letters takes the messages that wait, as the sender would.
func (s *site) letters(t testing.TB, kind iam.MessageKind) (all []iam.Message) {
	t.Helper()
	for _, c := range []iam.Channel{iam.ChannelMail, iam.ChannelSMS} {
		for {
			got, err := s.ClaimMessages(context.Background(), c, 50, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) == 0 {
				break
			}
			for _, m := range got {
				if err := s.MessageSent(context.Background(), m.ID); err != nil {
					t.Fatal(err)
				}
				if m.Kind == kind {
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// secretOf is the code or the link's secret of the only message of a kind.
func (s *site) secretOf(t testing.TB, kind iam.MessageKind) string {
	t.Helper()
	all := s.letters(t, kind)
	if len(all) != 1 {
		t.Fatalf("%d messages of the kind %s", len(all), kind)
	}
	return string(all[0].Letter.Secret.Reveal())
}

// An administrator sends a link, the user confirms it, and signs in with a
// mailed code. H-5: looking at the page, by GET or HEAD and however often, does
// nothing; it signs nobody in.
func TestMailedCodeFromTheLinkToTheConsole(t *testing.T) {
	s := open(t)
	s.user(t, "boss", adminWord, false, adminPolicy)
	s.user(t, "dora", adminWord, false)
	s.signIn(t, "boss", adminWord)
	says(t, s.get("/console/users/dora/mfa"), 200, "E-mail and phone", "Send activation link")
	says(t, s.get("/console/users/dora/address/email"), 200, "Send an activation link", "dora", "24 hours")
	says(t, s.post("/console/users/dora/address/email", "address", "dora"), 422, "whole e-mail address")
	says(t, s.post("/console/users/dora/address/fax", "address", "dora"), 404)
	to(t, s.post("/console/users/dora/address/email", "address", "dora@example.com"), "/console/users/dora/mfa")
	says(t, s.get("/console/users/dora/mfa"), 200, "on its way to dora@example.com", "Waits for confirmation", "boss sent a link")
	says(t, s.get("/console/users/dora/address/email"), 200, "A link to dora@example.com waits")

	path := "/activate/" + s.secretOf(t, iam.MessageActivation)
	dora := &site{World: s.World, con: s.con, cookies: map[string]string{}}
	for range 3 {
		says(t, dora.get(path), 200, "Confirm your address", "dora@example.com", "boss")
		if w := dora.do(httptest.NewRequest("HEAD", origin+path, nil)); w.Code != 200 || w.Body.Len() != 0 {
			t.Errorf("HEAD: %d, %d bytes", w.Code, w.Body.Len())
		}
	}
	says(t, dora.post(path, fieldToken, "wrong"), 400)
	says(t, dora.post(path), 200, "Confirmed", "is now a second factor of dora")
	says(t, dora.get(path), 404, "This link was used")
	says(t, dora.post(path), 404, "This link was used")
	if dora.cookies["__Host-"+cookieSession] != "" {
		t.Fatal("the link signed somebody in")
	}
	says(t, s.get("/console/users/dora/mfa"), 200, "In use")

	s.letters(t, "")
	dora.get("/signin")
	to(t, dora.post("/signin", "account", "123456789012", "user", "dora", "password", adminWord), "/signin/code")
	page := says(t, dora.get("/signin/code"), 200, "We send a code to d•••a@example.com", "Send me a code")
	if strings.Contains(page, `name="code"`) {
		t.Error("a field for a code that was not sent")
	}
	device := field(t, page, "device")
	to(t, dora.post("/signin/code/begin", "device", device), "/signin/code?device="+device)
	page = says(t, dora.get("/signin/code?device="+device), 200, "We sent a code to d•••a@example.com", "Send another code")
	if !strings.Contains(page, `autocomplete="one-time-code"`) || !strings.Contains(page, "data-until=") {
		t.Error("no field for the code, or no time at which another one can be sent")
	}
	says(t, dora.post("/signin/code/begin", "device", device), 429, "Too many codes were sent")
	code := s.secretOf(t, iam.MessageCode)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	says(t, dora.post("/signin/code", "device", device, "code", wrong), 422, "does not fit")
	full := strings.Map(func(r rune) rune { return r - '0' + '０' }, code)
	to(t, dora.post("/signin/code", "device", device, "code", full[:9]+" "+full[9:]), "/console")

	says(t, dora.get("/console"), 200, "Signed in with MFA")
	says(t, s.post("/console/users/dora/address/email", "address", "other@example.com"), 422, "d•••a@example.com is bound already")
	says(t, s.post("/console/users/dora/address/email/remove"), 422, "Please fill this in")
	to(t, s.post("/console/users/dora/address/email/remove", "reason", "left"), "/console/users/dora/mfa")
	says(t, s.get("/console/users/dora/mfa"), 200, "The address was removed", "E-mail None")
}

// field is the value of a hidden field.
func field(t testing.TB, page, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="`+name+`" value="`)
	value, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("no field %s in\n%s", name, page)
	}
	return value
}

// A user adds a phone number with a code, and removes it.
func TestOwnPhoneNumber(t *testing.T) {
	s := open(t)
	s.user(t, "dora", adminWord, false, adminPolicy)
	s.signIn(t, "dora", adminWord)
	says(t, s.get("/security"), 200, "E-mail and phone", "Phone None")
	says(t, s.get("/security/address/phone"), 200, "Add a phone number", "country code")
	says(t, s.post("/security/address/phone", "address", "12"), 422, "country code")
	to(t, s.post("/security/address/phone", "address", "+81 90 1234 5678"), "/security/address/phone")
	says(t, s.get("/security/address/phone"), 200, "We sent a code to &#43;819012345678")
	says(t, s.get("/security/address/phone?new=1"), 200, "country code")
	code := s.secretOf(t, iam.MessageCode)
	says(t, s.post("/security/address/phone/code", "code", "12"), 422, "does not fit")
	to(t, s.post("/security/address/phone/code", "code", code), "/security")
	says(t, s.get("/security"), 200, "is now a second factor", "819012345678", "In use")

	// From now on the number is what step-up asks for.
	s.Clock.Advance(20 * time.Minute)
	w := s.get("/security/address/phone/remove")
	to(t, w, "/stepup?next=%2Fsecurity%2Faddress%2Fphone%2Fremove")
	page := says(t, s.get(w.Header().Get("Location")), 200, "We text a code to &#43;•••5678")
	device := field(t, page, "device")
	w = s.post("/stepup/begin", "device", device, "next", "/security/address/phone/remove")
	says(t, s.get(w.Header().Get("Location")), 200, "We sent a code to &#43;•••5678")
	to(t, s.post("/stepup", "device", device, "next", "/security/address/phone/remove", "code", s.secretOf(t, iam.MessageCode)), "/security/address/phone/remove")
	says(t, s.get("/security/address/phone/remove"), 200, "will no longer count")
	to(t, s.post("/security/address/phone/remove"), "/security")
	says(t, s.get("/security"), 200, "Phone None")
}

// "This was not me" locks, once, after the button (H-5).
func TestNotMePage(t *testing.T) {
	s := open(t)
	s.user(t, "boss", adminWord, false, adminPolicy)
	s.user(t, "dora", adminWord, false)
	testkit.Do(t, s.World, s.Admin(t), ops.SendActivation, ops.SendActivationIn{User: ops.Ref{Name: "dora"}, Kind: iam.FactorEmail, Address: "dora@example.com"})
	s.get("/signin")
	says(t, s.post("/activate/"+s.secretOf(t, iam.MessageActivation)), 200, "Confirmed")
	path := "/notme/" + s.secretOf(t, iam.MessageNotice)
	for range 3 {
		says(t, s.get(path), 200, "Was this not you?", "dora", "the user is locked")
	}
	says(t, s.post(path), 200, "All sessions of dora have ended")
	says(t, s.get(path), 404, "This link was used")
	s.signIn(t, "boss", adminWord)
	says(t, s.get("/console/blocked"), 200, "dora", "this was not me")
	says(t, s.get("/security/notices"), 200, "“This was not me” was pressed for dora")
}

// The settings say how mail is sent, send a test message, and show what was not
// delivered; without a mail server they say how to configure one.
func TestMailSettings(t *testing.T) {
	s := open(t)
	s.user(t, "boss", adminWord, false, adminPolicy)
	s.signIn(t, "boss", adminWord)
	says(t, s.get("/console/settings"), 200, "mail.example.com:587", "Send a test message")
	says(t, s.post("/console/settings/mail", "channel", "mail", "mailto", "nobody"), 422, "whole e-mail address")
	to(t, s.post("/console/settings/mail", "channel", "mail", "mailto", "boss@example.com"), "/console/settings#mail")
	all, err := s.ClaimMessages(context.Background(), iam.ChannelMail, 5, time.Minute)
	if err != nil || len(all) != 1 || all[0].Kind != iam.MessageTest || all[0].Letter.To != "boss@example.com" {
		t.Fatalf("%+v, %v", all, err)
	}
	if err := s.MessageFailed(context.Background(), all[0], time.Time{}, "the mail server answered 550 5.1.1"); err != nil {
		t.Fatal(err)
	}
	says(t, s.get("/console/settings"), 200, "Not delivered", "Given up", "550 5.1.1")
	s.Clock.Advance(time.Minute)
	to(t, s.post("/console/settings/mail", "channel", "sms", "smsto", "+819012345678"), "/console/settings#mail")
}

// K-2: no log holds the secret of a link. Every route whose pattern has one is
// known.
func TestLogsHoldNoLink(t *testing.T) {
	n := 0
	for _, r := range Routes() {
		if path := strings.Replace(r.Pattern, "{token}", "canary", 1); path != r.Pattern {
			n++
			if got := Loggable(path); strings.Contains(got, "canary") {
				t.Errorf("%s is logged as %s", r.Pattern, got)
			}
		}
	}
	for _, path := range []string{"/", "/signin", "/setup/account", "/setup/root", "/console/users/alice", "/enrol"} {
		if got := Loggable(path); got != path {
			t.Errorf("%s is logged as %s", path, got)
		}
	}
	if n < 8 {
		t.Errorf("only %d routes have a secret", n)
	}
}
