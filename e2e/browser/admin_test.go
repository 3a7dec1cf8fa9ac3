package browser

import (
	"strings"
	"testing"
)

// administrator signs in as the administrator, with a device and its code.
func (s *site) administrator(t *testing.T, lang string) (*tab, *phone) {
	t.Helper()
	s.password(t, "admin", false)
	b := s.open(t, lang)
	b.signIn(s, "admin").at("/console")
	phone := b.bind()
	b.signOut()
	return b.signInWith(s, "admin", phone), phone
}

// An administrator sends a link, somebody adds a device with it in another
// browser, and signs in; a link that was taken back or used opens nothing.
func TestEnrolmentLink(t *testing.T) {
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.user(t, "mika", "ReadOnlyAccess")
			admin, _ := s.administrator(t, lang)

			taken := admin.send("mika")
			admin.visit("/console/links").says(admin.w("link.sent"))
			admin.click(admin.w("link.revoke")).says(admin.w("link.revoked"), admin.w("flash.link.revoked"))
			link := admin.send("mika")

			mika := s.open(t, lang)
			mika.visit(taken).look("a link that was taken back")
			if mika.answered() != 404 {
				t.Errorf("status %d, want 404", mika.answered())
			}
			mika.visit(link).says("mika", mika.w("enrol.only")).look("enrolment link")
			mika.reload() // H-5: looking uses nothing up
			mika.click(mika.w("enrol.do")).says(mika.w("bind.scan")).look("enrolment, bind")
			admin.visit("/console/links").says(admin.w("link.opened")).look("links")
			mika.fill(mika.w("bind.code1"), "000000").fill(mika.w("bind.code2"), "000000").click(mika.w("bind.do")).look("enrolment, wrong codes")
			phone := newPhone(t, mika.key32())
			one, two := phone.pair()
			mika.fill(mika.w("bind.code1"), one).fill(mika.w("bind.code2"), two).click(mika.w("bind.do"))
			mika.says(mika.w("enrol.done.title")).look("enrolled")
			mika.visit("/console")
			if !strings.HasPrefix(mika.path(), "/signin") {
				t.Error("the link signed somebody in")
			}
			mika.signInWith(s, "mika", phone)
			admin.visit("/console/users/mika/mfa").says("mika", admin.w("link.used")).look("devices and links of a user")
		})
	}
}

// send makes a link for a user and returns its address.
func (b *tab) send(user string) string {
	b.t.Helper()
	b.visit("/console/users/" + user + "/mfa").link(b.w("link.new"))
	b.click(b.w("link.new")).says(b.w("link.made.lead", "name", user)).look("a new link")
	return eval[string](b, "document.getElementById('link').innerText")
}

// Where everybody must have a second factor, somebody who has none adds one
// while signing in, and can do nothing else before.
func TestBindingWhileSigningIn(t *testing.T) {
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.user(t, "mika", "ReadOnlyAccess")
			s.user(t, "noor", "ReadOnlyAccess")
			admin, _ := s.administrator(t, lang)
			admin.visit("/console/preferences").choose(admin.w("prefs.mode.mandatory"))
			admin.click(admin.w("prefs.preview")).says(admin.w("impact.title"), "mika", "noor").look("what sign-in rules would change")
			admin.click(admin.w("impact.save")).says(admin.w("flash.saved"))

			b := s.open(t, lang)
			b.signIn(s, "mika").at("/signin/bind").says(b.w("signin.bind.lead")).look("bind while signing in")
			for _, path := range []string{"/console", "/security", "/security/mfa/new", "/console/users"} {
				if b.visit(path); !strings.HasPrefix(b.path(), "/signin") {
					t.Errorf("S-3: %s can be had before the device is added", path)
				}
			}
			b.visit("/signin/bind")
			phone := newPhone(t, b.key32())
			b.fill(b.w("bind.code1"), "000000").fill(b.w("bind.code2"), "111111").click(b.w("bind.do")).at("/signin/bind")
			b.says(b.w("signin.refused.wrong-code")).look("bind while signing in, wrong codes")
			one, two := phone.pair()
			b.fill(b.w("bind.code1"), one).fill(b.w("bind.code2"), two).click(b.w("bind.do")).at("/console")
			b.doesNotSay(b.w("home.nomfa.title"))

			admin.visit("/console/preferences").toggle(admin.w("prefs.link"))
			admin.click(admin.w("prefs.preview")).click(admin.w("impact.save")).says(admin.w("flash.saved"))
			c := s.open(t, lang)
			c.signIn(s, "noor").says(c.w("signin.refused.link-only")).look("a link is needed")
		})
	}
}

// Whoever is blocked is out at once, and in again when the block is lifted.
func TestBlock(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "mika", "ReadOnlyAccess")
	admin, _ := s.administrator(t, "ja")
	mika := s.open(t, "ja")
	mika.signIn(s, "mika").at("/console")

	admin.visit("/console/users/mika").link(admin.w("user.block")).look("block")
	admin.fill(admin.w("block.reason"), "端末の紛失").click(admin.w("user.block")).says(admin.w("flash.user.blocked", "name", "mika"))
	mika.visit("/console")
	if !strings.HasPrefix(mika.path(), "/signin") {
		t.Errorf("somebody who is blocked is at %s", mika.path())
	}
	mika.signIn(s, "mika").look("signing in while blocked")
	if p := mika.path(); !strings.HasPrefix(p, "/signin") {
		t.Errorf("somebody who is blocked is at %s", p)
	}
	admin.visit("/console/blocked").says("mika", "端末の紛失").look("blocked users")
	admin.link(admin.w("unblock.do")).look("let in again")
	admin.fill(admin.w("block.reason"), "端末を見つけた").click(admin.w("unblock.do")).says(admin.w("flash.user.unblocked", "name", "mika"))
	mika.signIn(s, "mika").at("/console")
}

// A question to policy is answered with the statement that decides, in each way
// of signing in.
func TestTryIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.furnish(t)
	s.password(t, "admin", false)
	for _, lang := range languages {
		b := s.open(t, lang)
		b.signIn(s, "admin").visit("/console/users/mika/access")
		b.hit(b.find("combobox", b.w("try.action")))
		b.types("ec2:DescribeInstances")
		b.click(b.w("try.do")).says("Force_MFA", b.w("try.allowed"), b.w("try.denied")).look("try it")
	}
}

// Deleting says what goes with it, and asks for the name or the number.
func TestDeleting(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.furnish(t)
	s.password(t, "admin", false)
	for i, lang := range languages {
		user := "leaver-" + lang
		s.user(t, user, "ReadOnlyAccess")
		b := s.open(t, lang)
		b.signIn(s, "admin").visit("/console/users?q=leaver")
		b.toggle(user)
		b.click(b.w("users.bulk.delete")).says(user, "ReadOnlyAccess").look("delete users")
		b.fill(b.w("users.delete.count", "n", "1"), "2").click(b.w("users.delete.do")).says(b.w("form.confirm.differs")).look("delete users, not confirmed")
		b.fill(b.w("users.delete.count", "n", "1"), "1").click(b.w("users.delete.do")).at("/console/users?q=leaver").doesNotSay(user)
		if i > 0 {
			continue
		}
		b.visit("/console/groups/EC2MFA").link(b.w("noun.delete")).says("Force_MFA")
		b.fill(b.w("delete.confirm", "name", "EC2MFA"), "EC2MFA").click(b.w("group.delete")).at("/console/groups").says(b.w("flash.group.deleted", "name", "EC2MFA"))
	}
}
