package browser

import (
	"slices"
	"testing"
)

// focused is what has the focus, and how it shows it.
type focused struct {
	Tag, ID, Label string
	Ring           bool // something is drawn around it
	Seen           bool // inside of the window, and nothing lies over it
}

const focusScript = `(() => {
	const el = document.activeElement, s = getComputedStyle(el), r = el.getBoundingClientRect();
	const x = r.left + r.width / 2, y = r.top + r.height / 2, top = document.elementFromPoint(x, y);
	const near = el.closest(".affix, .pane");
	return {
		Tag: el.tagName.toLowerCase(), ID: el.id,
		Label: (el.ariaLabel || (el.labels && el.labels[0] && el.labels[0].innerText) || el.innerText || "").trim().replace(/\s+/g, " "),
		Ring: el.matches(":focus-visible") && s.outlineStyle != "none" && parseFloat(s.outlineWidth) >= 2 || !!near && getComputedStyle(near).outlineStyle != "none",
		Seen: x >= 0 && y >= 0 && x <= innerWidth && y <= innerHeight && !!top && (el.contains(top) || top.contains(el) || (el.labels && [...el.labels].some((l) => l.contains(top)))),
	};
})()`

// tabTo goes on with the Tab key until something has the focus whose label
// begins with the wanted one. Every stop on the way must show the focus.
func (b *tab) tabTo(label string) {
	b.t.Helper()
	var stops []string
	for range 60 {
		b.key("Tab", plain)
		f := eval[focused](b, focusScript)
		if f.Tag == "body" {
			continue
		}
		b.showsFocus(f)
		stops = append(stops, f.Label)
		if f.Label == label || len(f.Label) > len(label) && f.Label[:len(label)] == label {
			return
		}
	}
	b.t.Fatalf("%s: Tab does not reach %q, but %q", b.path(), label, slices.Compact(stops))
}

func (b *tab) showsFocus(f focused) {
	b.t.Helper()
	if !f.Ring {
		b.t.Errorf("%s: %s %q has the focus and does not show it", b.path(), f.Tag, f.Label)
	}
	if !f.Seen {
		b.t.Errorf("%s: %s %q has the focus and is covered or outside of the window", b.path(), f.Tag, f.Label)
	}
}

// enter presses Enter on what has the focus and waits for the page.
func (b *tab) enter() *tab {
	b.t.Helper()
	b.follow("Enter", func() { b.key("Enter", plain) })
	return b
}

// Signing in, adding a device and signing in with it, with Tab and Enter alone.
func TestKeyboardAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice", admins)
	b := s.open(t, "en")
	b.show(false, 360)

	b.visit("/signin/" + s.AccountID)
	if f := eval[focused](b, focusScript); f.ID != "user" {
		t.Fatalf("the focus is on %q at first, want the user's name", f.ID)
	}
	b.types("alice")
	b.tabTo(b.w("signin.password"))
	b.types(userPassword)
	b.enter().at("/console")

	b.tabTo(b.w("frame.skip")) // past the navigation
	b.key("Enter", plain)
	b.tabTo(b.w("home.nomfa.do"))
	b.enter().at("/security")
	b.tabTo(b.w("mfa.add"))
	b.enter().at("/security/mfa/new")
	if got := b.value(b.w("mfa.name")); got != "alice" {
		t.Errorf("the name of the device is %q at first, want the user's", got)
	}
	b.enter().says(b.w("bind.scan"))
	phone := newPhone(t, b.key32())
	one, two := phone.pair()
	b.tabTo(b.w("bind.code1"))
	b.types(one)
	b.tabTo(b.w("bind.code2"))
	b.types(two)
	b.tabTo(b.w("bind.do"))
	b.enter().at("/security").says(b.w("flash.mfa.added"))

	b.tabTo("alice") // the menu
	b.key("Enter", plain)
	b.tabTo(b.w("signout.do"))
	b.enter().at("/signin")
	if f := eval[focused](b, focusScript); f.ID != "user" {
		t.Errorf("the focus is on %q, want the user's name", f.ID)
	}
	b.types("alice")
	b.tabTo(b.w("signin.password"))
	b.types(userPassword)
	b.enter().at("/signin/code")
	if f := eval[focused](b, focusScript); f.ID != "code" {
		t.Fatalf("the focus is on %q, want the code", f.ID)
	}
	b.types(phone.code())
	b.enter().at("/console")
}

// Writing a policy, seeing where it is wrong, and deleting it, without a mouse: the
// editor keeps nobody in.
func TestPolicyByKeyboard(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice", admins)
	b := s.open(t, "en")
	b.signIn(s, "alice").visit("/console/new/policy")
	b.types("Written")
	b.tabTo(b.w("editor.label"))
	b.key("a", ctrl)
	b.types(`{"Version": "2012-10-17", "Statement": [{"Effect": "Alow"}]}`)
	b.tabTo(b.w("policies.new"))
	b.enter().says("Line 1, column 52")
	if f := eval[focused](b, focusScript); f.ID != "document" {
		t.Fatalf("the focus is on %q, want the text that is wrong", f.ID)
	}
	if got := eval[int](b, "document.activeElement.selectionStart"); got != 51 {
		t.Errorf("the caret is behind %d characters, want 51", got)
	}
	b.key("a", ctrl)
	b.types(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}`)
	b.tabTo(b.w("policies.new"))
	b.enter().says(b.w("flash.policy.created", "name", "Written"))
	b.tabTo(b.w("noun.delete"))
	b.enter()
	b.tabTo(b.w("delete.confirm", "name", "Written"))
	b.types("Written")
	b.enter().at("/console/policies").says(b.w("flash.policy.deleted", "name", "Written"))
}

// A menu closes on Escape, and the focus goes back to what opened it.
func TestMenuClosesOnEscape(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(t, "alice", admins)
	b := s.open(t, "en")
	b.signIn(s, "alice")
	b.menu()
	if !eval[bool](b, "document.querySelector('details.menu').open") {
		t.Fatal("the menu does not open")
	}
	b.tabTo(b.w("nav.security"))
	b.key("Escape", plain)
	if eval[bool](b, "document.querySelector('details.menu').open") {
		t.Error("the menu does not close")
	}
	if got := eval[string](b, "document.activeElement.tagName"); got != "SUMMARY" {
		t.Errorf("the focus is on %s, want what opened the menu", got)
	}
}
