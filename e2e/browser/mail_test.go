package browser

import (
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// post is a folder in which a server leaves what it sends.
type post struct {
	t    *testing.T
	dir  string
	seen map[string]bool
}

// posted makes a site that sends mail and text messages into folders.
func posted(t *testing.T) (*site, *post) {
	t.Helper()
	p := &post{t, t.TempDir(), map[string]bool{}}
	return newSite(t, "WARIFU_MAIL_FOLDER="+p.dir, "WARIFU_MAIL_FROM=Warifu <iam@example.com>", "WARIFU_SMS_FOLDER="+p.dir), p
}

// find waits for a message whose text matches, and returns the match.
func (p *post) find(pattern string) string {
	p.t.Helper()
	want := regexp.MustCompile(pattern)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(p.dir, "*.*"))
		if err != nil {
			p.t.Fatal(err)
		}
		for _, f := range files {
			if p.seen[f] || strings.HasSuffix(f, ".part") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				p.t.Fatal(err)
			}
			if m := want.FindStringSubmatch(textOf(p.t, f, b)); m != nil {
				p.seen[f] = true
				return m[len(m)-1]
			}
		}
	}
	p.t.Fatalf("no message matches %s", pattern)
	return ""
}

// textOf is the plain text of a message.
func textOf(t *testing.T, file string, b []byte) string {
	t.Helper()
	if strings.HasSuffix(file, ".txt") {
		return string(b)
	}
	m, err := mail.ReadMessage(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(part))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const (
	linkOf = `https?://[^/]+(/%s/\S+)`
	codeOf = `(?m)^    (\d{6})\s*$`
)

// An administrator sends a link, the user confirms the address, signs in with a
// mailed code, adds a phone number, and locks itself by "this was not me": in
// every language, with a look at every page.
func TestMail(t *testing.T) {
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s, p := posted(t)
			s.user(t, "boss", admins)
			s.user(t, "dora", admins)
			boss := s.open(t, lang)
			boss.signIn(s, "boss")
			boss.visit("/console/settings").says(boss.w("mail.settings")).look("settings with mail")
			boss.visit("/console/users/dora/mfa").says(boss.w("mail.none")).look("addresses of a user")
			boss.visit("/console/users/dora/address/email").look("send a link")
			boss.fill(boss.w("mail.kind.email"), "dora@example.com").click(boss.w("mail.send.do")).at("/console/users/dora/mfa")
			boss.says(boss.w("mail.pending"), "dora@example.com").look("an address that waits")

			dora := s.open(t, lang)
			link := p.find(strings.Replace(linkOf, "%s", "activate", 1))
			dora.visit(link).says("dora@example.com", boss.w("mail.activate.not")).look("confirm an address")
			dora.visit(link).click(dora.w("mail.activate.do")).says(dora.w("mail.activate.done")).look("address confirmed")
			dora.visit(link).says(dora.w("fault.not-found.activation-link")).look("activation link used")

			dora.mailedCode(s, p)
			dora.ownPhone(p)

			dora.visit("/security").says("dora@example.com", dora.w("mail.active")).look("security with addresses")
			notMe := p.find(strings.Replace(linkOf, "%s", "notme", 1))
			other := s.open(t, lang)
			other.visit(notMe).says(other.w("mail.notme.sessions")).look("not me")
			other.click(other.w("mail.notme.do")).says(other.w("mail.notme.done")).look("not me, done")
			other.visit(notMe).says(other.w("fault.not-found.report-link"))
			dora.visit("/console").says(dora.w("signin.do"))
			boss.visit("/console/blocked").says("dora")
		})
	}
}

// mailedCode signs in with a code that is sent.
func (b *tab) mailedCode(s *site, p *post) {
	b.t.Helper()
	b.visit("/signin/"+s.AccountID).fill(b.w("signin.user"), "dora").fill(b.w("signin.password"), userPassword).click(b.w("signin.do"))
	b.says("d•••a@example.com").look("send me a code")
	b.click(b.w("mail.code.send")).look("a code was sent")
	before, _, _ := strings.Cut(b.w("mail.again.in", "n", "\x00"), "\x00")
	b.soon(before) // the countdown
	b.click(b.w("mail.again")).says(b.w("fault.throttled.codes")).look("too soon")
	code := p.find(codeOf)
	b.fill(b.w("mail.code.label"), other(code)).click(b.w("signin.code.do")).says(b.w("signin.refused.wrong-code")).look("a wrong code that was sent")
	full := strings.Map(func(r rune) rune { return r - '0' + '０' }, code)
	b.fill(b.w("mail.code.label"), full[:9]+" "+full[9:]).click(b.w("signin.code.do")).at("/console")
}

// ownPhone adds a phone number and removes it again.
func (b *tab) ownPhone(p *post) {
	b.t.Helper()
	b.visit("/security/address/phone").look("add a phone number")
	b.fill(b.w("mail.kind.sms"), "12").click(b.w("mail.code.send")).says(b.w("fault.invalid.field.phone")).look("not a phone number")
	b.fill(b.w("mail.kind.sms"), "+81 90 1234 5678").click(b.w("mail.code.send")).at("/security/address/phone").look("a code for a phone number")
	code := p.find(`#(\d{6})`)
	b.fill(b.w("mail.code.label"), other(code)).click(b.w("mail.confirm")).look("a wrong code for a phone number")
	b.fill(b.w("mail.code.label"), code).click(b.w("mail.confirm")).at("/security").says(b.w("flash.mail.bound"), "+819012345678")
	b.visit("/security/address/phone/remove").look("remove a phone number")
	b.click(b.w("mail.remove.do")).at("/security").says(b.w("flash.mail.removed"))
}

// other is a code that a code is not.
func other(code string) string {
	if code == "111111" {
		return "222222"
	}
	return "111111"
}

// Without a mail server the settings say how to configure one, and nothing offers
// to send.
func TestMailIsNotConfigured(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "boss", admins)
	b := s.open(t, "en")
	b.signIn(s, "boss").visit("/console/settings").says(b.w("mail.none.on"), "smtp.example.com:587").look("settings without mail")
	b.visit("/security").says(b.w("mail.notsent.email"))
	b.visit("/security/address/email").says(b.w("mail.notsent.email")).look("no mail server")
}
