package browser

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Root is let back in with a link from the host and sees that it is root; an
// administrator cannot miss it, binds root by rules, and sets an alert.
func TestRootAndAlerts(t *testing.T) {
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			root := s.open(t, lang)
			root.visit(s.SetupURL).click(root.w("signin.setup.do"))
			root.click(root.w("form.continue"))
			root.fill(root.w("signin.email"), "owner@example.com").fill(root.w("signin.root.password"), userPassword).fill(root.w("signin.root.again"), userPassword)
			root.click(root.w("form.continue")).at("/signin/bind")
			p := newPhone(t, root.key32())
			one, two := p.pair()
			root.fill(root.w("bind.code1"), one).fill(root.w("bind.code2"), two).click(root.w("bind.do")).at("/console")
			root.says(root.w("root.banner")).look("home of root")
			root.visit("/console/root").look("root")
			root.toggle(root.w("root.nokeys")).fill(root.w("root.networks"), "198.51.100.0/24;2001:db8::/32").click(root.w("prefs.preview")).says(root.w("impact.title")).look("root, effect")

			admin, _ := s.administrator(t, lang)
			recover := exec.Command(world.binary, "admin", "recover", "--data", s.data, "--listen", strings.TrimPrefix(s.base, "http://"))
			recover.Stderr, recover.Env = os.Stderr, environ()
			out, err := recover.Output()
			if err != nil {
				t.Fatal(err)
			}
			link, _, _ := strings.Cut(string(out), "\n")
			admin.visit("/console").says(admin.w("notice.root-link")).look("home after a recovery link")

			again := s.open(t, lang)
			again.visit(link).look("recover")
			again.click(again.w("recover.do")).at("/signin/password").look("recover, password")
			again.fill(again.w("password.new"), "a fresh Password 11").fill(again.w("password.again"), "a fresh Password 11").click(again.w("signin.password.do")).at("/signin/bind").look("recover, bind")
			p = newPhone(t, again.key32())
			one, two = p.pair()
			again.fill(again.w("bind.code1"), one).fill(again.w("bind.code2"), two).click(again.w("bind.do")).at("/console")
			root.visit("/console")
			if !strings.HasPrefix(root.path(), "/signin") {
				t.Error("root's session from before goes on")
			}

			admin.visit("/console/audit/alerts").look("no alerts")
			admin.visit("/console/audit/query?template=root-use").says("NewRecovery")
			admin.fill(admin.w("query.name"), "root-at-work").click(admin.w("form.save")).says("root-at-work").look("query, kept")
			admin.visit("/console/audit/alerts?query=root-at-work")
			admin.fill(admin.w("query.name"), "root-at-work").fill(admin.w("alerts.webhook"), "https://hooks.example.com/x").click(admin.w("form.save"))
			admin.says(admin.w("alerts.new")).look("alert")
			admin.click(admin.w("alerts.test")).says(admin.w("alerts.history")).look("alert, tested")
		})
	}
}
