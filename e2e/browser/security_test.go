package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// What the Security page offers, in every language: devices, keys, a password,
// and the proof that is asked for before.
func TestSecurityPage(t *testing.T) {
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.user(t, "alice", admins)
			b := s.open(t, lang)
			b.signIn(s, "alice").at("/console").look("home without MFA")
			b.visit("/security").says(b.w("mfa.none.title"), b.w("mfa.none.badge")).look("security, nothing yet")
			phone := b.addDevice()
			b.keys(phone)
			b.changePassword()
			b.visit("/security").look("security")
			b.visit("/security/activity").says(b.w("event.CreateAccessKey")).look("activity")
			b.visit("/security/notices").look("notices")
			if got := eval[int](b, "document.querySelectorAll('.side [aria-current]').length"); got != 1 {
				t.Errorf("%d entries of the navigation say that they are this page, want 1", got)
			}
			b.click(b.w("notices.read")).at("/security/notices").look("notices, read")
			b.removeDevice()
		})
	}
}

// addDevice is bind, with a look at every page and a mistake on the way.
func (b *tab) addDevice() *phone {
	b.t.Helper()
	b.link(b.w("mfa.add")).at("/security/mfa/new").look("name of a device")
	b.click(b.w("form.continue")).says(b.w("bind.scan")).look("bind")
	phone := newPhone(b.t, b.key32())
	b.fill(b.w("bind.code1"), "111111").fill(b.w("bind.code2"), "222222")
	b.click(b.w("bind.do")).look("bind, wrong codes")
	one, two := phone.pair()
	b.fill(b.w("bind.code1"), one).fill(b.w("bind.code2"), two)
	b.click(b.w("bind.do")).at("/security").says(b.w("flash.mfa.added"), b.w("mfa.some.badge"))
	return phone
}

// keys makes an access key, for which the new device is asked for, and deletes
// it.
func (b *tab) keys(phone *phone) {
	b.t.Helper()
	must(chromedp.CallBrowser(b.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "clipboard-write"}, Setting: browser.PermissionSettingGranted,
		Origin: b.base, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
	}))(b.t)
	b.link(b.w("keys.create")).at("/stepup?next=%2Fsecurity%2Fkeys%2Fnew").look("step up")
	b.fill(b.w("signin.code.label"), "000000").click(b.w("stepup.do")).look("step up, wrong code")
	b.fill(b.w("signin.code.label"), phone.code()).click(b.w("stepup.do")).at("/security/keys/new").look("create a key")
	b.click(b.w("keys.create.do")).says(b.w("keys.created.lead")).look("key")
	id := eval[string](b, "document.getElementById('key-id').innerText")
	b.press("button", b.w("copy.do")+" "+b.w("keys.secret"))
	b.soon(b.w("copy.done"))
	b.link(b.w("keys.kept")).at("/security#keys").says(id)
	b.click(b.w("keys.deactivate")).says(b.w("keys.inactive"), b.w("flash.key.off"))
	b.click(b.w("keys.activate")).says(b.w("keys.active"))
	b.link(b.w("keys.delete") + " " + id).look("delete a key")
	b.fill(b.w("keys.delete.confirm"), "something else").click(b.w("keys.delete.do")).says(b.w("form.confirm.differs")).look("delete a key, not confirmed")
	b.fill(b.w("keys.delete.confirm"), id).click(b.w("keys.delete.do")).at("/security#keys").says(b.w("flash.key.deleted"))
	b.doesNotSay(id + " ")
}

func (b *tab) changePassword() {
	b.t.Helper()
	b.visit("/security").link(b.w("password.change")).look("change the password")
	b.fill(b.w("password.old"), userPassword).fill(b.w("password.new"), "short").fill(b.w("password.again"), "short")
	b.click(b.w("password.change")).at("/security/password").look("change the password, too short")
	b.fill(b.w("password.old"), userPassword).fill(b.w("password.new"), rootPassword).fill(b.w("password.again"), rootPassword)
	b.click(b.w("password.change")).at("/security").says(b.w("flash.password"))
}

func (b *tab) removeDevice() {
	b.t.Helper()
	b.visit("/security").link(b.w("mfa.remove") + " alice").says(b.w("mfa.remove.last")).look("remove a device")
	b.click(b.w("mfa.remove.do")).at("/security").says(b.w("mfa.none.title"))
}

// A session is ended from another browser, one or all.
func TestSessions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice", admins)
	one, two, three := s.open(t, "en"), s.open(t, "en"), s.open(t, "en")
	for _, b := range []*tab{one, two, three} {
		b.signIn(s, "alice").at("/console")
	}
	one.visit("/security").says(one.w("sessions.this")).look("three sessions")
	ends := one.buttons(one.w("sessions.end"))
	if len(ends) != 2 {
		t.Fatalf("there are %d sessions to end, want 2", len(ends))
	}
	one.follow("end a session", func() { one.hit(ends[0]) })
	one.says(one.w("flash.session.ended"))
	gone := 0
	for _, b := range []*tab{two, three} {
		if b.visit("/security"); strings.HasPrefix(b.path(), "/signin") {
			gone++
		}
	}
	if gone != 1 {
		t.Fatalf("%d of two sessions ended, want 1", gone)
	}

	// The question is a dialog, which keeps the focus inside and closes on
	// Escape.
	one.press("link", one.w("sessions.end.all"))
	one.says(one.w("sessions.end.title")).look("end all")
	if !eval[bool](one, "document.querySelector('dialog[open]').contains(document.activeElement)") {
		t.Error("the focus is not in the dialog")
	}
	one.key("Escape", plain)
	one.doesNotSay(one.w("sessions.end.text"))
	one.press("link", one.w("sessions.end.all")).click(one.w("sessions.end.do")).says(one.w("flash.sessions.ended"))
	for _, b := range []*tab{two, three} {
		if b.visit("/security"); !strings.HasPrefix(b.path(), "/signin") {
			t.Errorf("a session that ended is at %s", b.path())
		}
	}
	one.visit("/security/sessions/end").look("end all, a page")
}
