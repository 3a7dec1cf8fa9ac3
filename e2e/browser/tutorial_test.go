package browser

import "testing"

const (
	rootMail     = "owner@example.com"
	rootPassword = "correct horse battery staple"
)

// setUp goes through the set-up link, from its first page into the console as
// root, and returns root's phone.
func (s *site) setUp(b *tab) *phone {
	b.t.Helper()
	b.visit(s.SetupURL).says(b.w("signin.setup.title"), s.AccountID).look("set-up")
	b.click(b.w("signin.setup.do")).says(b.w("signin.account.title"))
	b.fill(b.w("signin.account.alias"), "acme").look("name the account")
	b.click(b.w("form.continue")).says(b.w("signin.root.title"))
	b.fill(b.w("signin.email"), rootMail)
	b.fill(b.w("signin.root.password"), rootPassword)
	b.fill(b.w("signin.root.again"), rootPassword)
	b.fill(b.w("signin.root.admin", "admin", "admin"), userPassword)
	b.look("the root user")
	b.click(b.w("form.continue")).at("/signin/bind").says(b.w("signin.bind.lead.setup"))
	b.look("bind for root")
	root := newPhone(b.t, b.key32())
	one, two := root.pair()
	b.fill(b.w("bind.code1"), one).fill(b.w("bind.code2"), two)
	b.click(b.w("bind.do")).at("/console")
	return root
}

// key32 reads the key that a page of binding shows as text.
func (b *tab) key32() string {
	b.t.Helper()
	return squeeze(eval[string](b, "document.getElementById('seed').innerText"))
}

func TestTutorial(t *testing.T) {
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			b := s.open(t, lang)
			s.setUp(b)
			b.look("home")
		})
	}
}
