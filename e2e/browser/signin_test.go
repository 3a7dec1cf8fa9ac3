package browser

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/chromedp/cdproto/emulation"
)

const admins = "AdministratorAccess"

// signIn gives name and password on the first page of signing in.
func (b *tab) signIn(s *site, user string) *tab {
	b.t.Helper()
	b.visit("/signin/" + s.AccountID)
	b.fill(b.w("signin.user"), user).fill(b.w("signin.password"), userPassword)
	return b.click(b.w("signin.do"))
}

// signInWith signs in with a code, too.
func (b *tab) signInWith(s *site, user string, p *phone) *tab {
	b.t.Helper()
	b.signIn(s, user).at("/signin/code")
	b.fill(b.w("signin.code.label"), p.code())
	return b.click(b.w("signin.code.do")).at("/console")
}

// signOut signs out by the menu.
func (b *tab) signOut() *tab {
	b.t.Helper()
	b.menu()
	return b.click(b.w("signout.do")).at("/signin").says(b.w("flash.signedout"))
}

// menu opens the user's menu.
func (b *tab) menu() {
	b.t.Helper()
	eval[any](b, "document.querySelector('details.menu > summary').focus()")
	b.key("Enter", plain)
}

// bind adds a device on the Security page and returns it as a phone.
func (b *tab) bind() *phone {
	b.t.Helper()
	b.visit("/security").link(b.w("mfa.add"))
	b.click(b.w("form.continue"))
	p := newPhone(b.t, b.key32())
	one, two := p.pair()
	b.fill(b.w("bind.code1"), one).fill(b.w("bind.code2"), two)
	b.click(b.w("bind.do")).at("/security").says(b.w("flash.mfa.added"))
	return p
}

// P-5: an unknown user, a wrong password, and an unknown account cannot be told
// apart, whatever the page does beside saying so.
func TestRefusalsLookTheSame(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice")
	for _, lang := range languages {
		b := s.open(t, lang)
		var said, shape []string
		for _, try := range [][2]string{{s.AccountID, "alice"}, {s.AccountID, "nobody"}, {"000000000001", "alice"}, {s.AccountID, "admin"}} {
			b.visit("/signin/" + try[0])
			b.fill(b.w("signin.user"), try[1]).fill(b.w("signin.password"), "not the password")
			b.click(b.w("signin.do")).at("/signin").says(b.w("signin.refused.wrong"))
			if b.answered() != 422 {
				t.Errorf("status %d, want 422", b.answered())
			}
			said = append(said, b.text())
			shape = append(shape, eval[string](b, `[...document.querySelectorAll("main *")].map((e) => e.tagName + e.className + e.id).join()`))
		}
		for i := range said {
			if said[i] != said[0] || shape[i] != shape[0] {
				t.Errorf("P-5: %s: the page differs:\n%s\n%s", lang, said[0], said[i])
			}
		}
		b.look("refused")
		b.visit("/signin").look("sign in")
		b.link(b.linkIn("signin.asroot")).at("/signin?root=1").look("sign in as root")
	}
}

// A sign-in goes on where it stands, whatever is done to its tab, and a second
// tab does not disturb what the first one says.
func TestBackReloadAndTwoTabs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice", admins)
	b := s.open(t, "en")
	b.signIn(s, "alice").at("/console")
	phone := b.bind()
	b.signOut()

	b.back() // what was open before is not shown to who comes next
	if !strings.HasPrefix(b.path(), "/signin") {
		t.Errorf("after signing out, going back shows %s", b.path())
	}

	b.signIn(s, "alice").at("/signin/code").look("code")
	b.reload()
	b.at("/signin/code")
	b.back()
	b.at("/signin/" + s.AccountID)
	b.visit("/security").at("/signin?next=%2Fsecurity")
	b.visit("/signin/bind").at("/signin/code") // S-3: no other step can be had
	b.visit("/signin/password").at("/signin/code")

	other := b.another()
	other.signIn(s, "alice").at("/signin/code")
	other.fill(other.w("signin.code.label"), phone.code()).click(other.w("signin.code.do")).at("/console")

	b.fill(b.w("signin.code.label"), "000000").click(b.w("signin.code.do")) // its sign-in was finished in the other tab
	b.at("/console")
	b.reload()
	b.visit("/signin").at("/console")
	other.signOut()
	b.reload()
	if !strings.HasPrefix(b.path(), "/signin") {
		t.Errorf("after signing out in the other tab, this one is at %s", b.path())
	}
}

// A wrong code is said at its field, and the next one counts.
func TestWrongCode(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice", admins)
	b := s.open(t, "zh")
	b.signIn(s, "alice")
	phone := b.bind()
	b.signOut()
	b.signIn(s, "alice").fill(b.w("signin.code.label"), "000000").click(b.w("signin.code.do")).at("/signin/code")
	b.says(b.w("signin.refused.wrong-code")).look("wrong code")
	if got := eval[string](b, "document.activeElement.id"); got != "code" {
		t.Errorf("the focus is on %q, want the field that is wrong", got)
	}
	code := phone.code()
	spaced := code[:3] + " " + code[3:]
	b.fill(b.w("signin.code.label"), spaced).click(b.w("signin.code.do")).at("/console")
	b.doesNotSay(b.w("home.nomfa.title"))
}

// Language and appearance are chosen once and stay.
func TestLanguageAndThemeStay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice", admins)
	b := s.open(t, "en")
	b.visit("/signin").says(b.w("signin.title"))
	b.click("日本語").at("/signin")
	b.lang = "ja"
	b.says(b.w("signin.title"))
	b.click(b.w("frame.theme.dark"))
	b.signIn(s, "alice").at("/console").look("home")
	if got := eval[string](b, "getComputedStyle(document.documentElement).colorScheme"); got != "dark" {
		t.Errorf("the page is %q, want dark as chosen", got)
	}
	b.visit("/security?x=1")
	b.menu()
	b.look("menu")
	b.click("简体中文").at("/security?x=1")
	b.lang = "zh"
	b.says(b.w("nav.security"))
	b.signOut()
	b.reload()
	b.at("/signin").says(b.w("signin.title"))
	b.click(b.w("frame.theme.light"))
	if got := eval[string](b, "document.documentElement.dataset.theme"); got != "light" {
		t.Errorf("the page is %q, want light as chosen", got)
	}
}

// Signing in, adding a device and administering need no JavaScript.
func TestWithoutJavaScript(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice", admins)
	b := s.open(t, "en")
	must(call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))(t)
	b.signIn(s, "alice").at("/console")
	if eval[bool](b, "document.documentElement.classList.contains('js')") {
		t.Fatal("the page's scripts ran")
	}
	phone := b.bind()
	b.signOut()
	b.signInWith(s, "alice", phone)

	b.visit("/console/new/policy").fill(b.w("policies.name"), "Force_MFA").fill(b.w("editor.label"), forceMFA(t))
	b.click(b.w("policies.new")).says("Force_MFA", "DenyAllExceptListedIfNoMFA")
	b.visit("/console/new/user").fill(b.w("users.name"), "carol").fill(b.w("users.new.password"), userPassword)
	b.click(b.w("users.new.do")).at("/console/users/carol")
	b.visit("/console/users?q=carol").toggle("carol")
	b.click(b.w("users.bulk.mfa")).at("/console/users?q=carol")
	b.visit("/console/users/carol/mfa")
	if !eval[bool](b, "document.querySelector('[name=required]').checked") {
		t.Error("MFA is not required")
	}
	b.visit("/console/users?q=carol").toggle("carol").click(b.w("users.bulk.delete"))
	b.fill(b.w("users.delete.count", "n", "1"), "1").click(b.w("users.delete.do")).at("/console/users?q=carol").says(b.w("list.nomatch"))
	b.visit("/security").link(b.w("sessions.end.all")).click(b.w("sessions.end.do")).says(b.w("flash.sessions.ended"))
}

// A password that an administrator gave is changed first, and a page that is
// not there says so in words, whoever asks for it.
func TestPasswordIsChangedFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, lang := range languages {
		user := "user-" + lang
		if _, err := s.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &user}); err != nil {
			t.Fatal(err)
		}
		s.password(t, user, true)
		b := s.open(t, lang)
		b.visit("/console/nowhere").look("lost, signed out")
		b.signIn(s, user).at("/signin/password").look("a new password")
		b.visit("/console").at("/signin")
		b.visit("/signin/code").at("/signin/password")
		b.fill(b.w("password.new"), rootPassword).fill(b.w("password.again"), "another").click(b.w("signin.password.do"))
		b.at("/signin/password").says(b.w("password.differ")).look("a new password, twice differently")
		b.fill(b.w("password.new"), rootPassword).fill(b.w("password.again"), rootPassword).click(b.w("signin.password.do")).at("/console")
		b.visit("/console/nowhere").look("lost")
		if b.answered() != 404 {
			t.Errorf("status %d, want 404", b.answered())
		}
	}
}
