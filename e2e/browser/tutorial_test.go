package browser

import "testing"

const (
	rootMail     = "owner@example.com"
	rootPassword = "correct horse battery staple"
)

// The tutorial "Permit users to manage their credentials and MFA settings", from
// the set-up link of a new server to the list of instances, in every language.
func TestTutorial(t *testing.T) {
	for _, lang := range languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			owner := s.open(t, lang)
			s.setUp(owner)
			owner.look("home of root")
			owner.signOut()

			admin := s.open(t, lang)
			admin.signIn(s, "admin").at("/console").look("home of the administrator")
			admin.createPolicy("Force_MFA", forceMFA(t))
			admin.createGroup("EC2MFA")
			admin.attach("EC2FullAccess", "AmazonEC2FullAccess")
			admin.attach("Force", "Force_MFA")
			admin.look("policies of a group")
			admin.createUser("MFAUser")
			admin.joinGroup("MFAUser", "EC2MFA")

			user := s.open(t, lang)
			user.signIn(s, "MFAUser").at("/console").look("home under Force_MFA")
			user.link(user.w("nav.services")).look("services under Force_MFA")
			user.visit("/console/services/ec2").says("Force_MFA", user.w("denied.mfa.title")).look("EC2 without MFA")
			if user.answered() != 403 {
				t.Errorf("status %d, want 403", user.answered())
			}
			user.doesNotSay("i-")
			user.link(user.w("denied.mfa.do")).at("/security").look("security under Force_MFA")
			phone := user.bind()
			user.visit("/console/services/ec2").says("Force_MFA") // the session has not proved the device
			user.signOut()

			user.signInWith(s, "MFAUser", phone)
			user.link(user.w("nav.services")).look("services")
			user.visit("/console/services/ec2").says("i-").look("EC2 with MFA")
			for _, path := range []string{"/console/users", "/console/policies", "/console/audit"} {
				user.visit(path).says(user.w("denied.title"))
				if user.answered() != 403 {
					t.Errorf("%s: status %d, want 403", path, user.answered())
				}
			}
			user.look("denied")
			admin.visit("/console/audit").says("ec2:DescribeInstances").look("audit")
		})
	}
}

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

// createPolicy pastes a policy into the editor.
func (b *tab) createPolicy(name, document string) {
	b.t.Helper()
	b.link(b.w("nav.policies")).look("policies, none yet")
	b.link(b.w("policies.new")).at("/console/new/policy")
	b.fill(b.w("policies.name"), name)
	b.fill(b.w("editor.label"), `{"Version": "2012-10-17", "Statement": [{"Effect": "Alow"}]}`)
	b.click(b.w("policies.new")).look("policy with a mistake")
	b.fill(b.w("editor.label"), document).look("new policy")
	b.click(b.w("policies.new")).says(name, "DenyAllExceptListedIfNoMFA").look("policy")
}

func (b *tab) createGroup(name string) {
	b.t.Helper()
	b.link(b.w("nav.groups")).look("groups, none yet")
	b.link(b.w("groups.new")).at("/console/new/group").fill(b.w("groups.name"), name).look("new group")
	b.click(b.w("groups.new")).at("/console/groups/" + name).look("group")
	b.view(b.w("tab.policies"))
}

// attach searches a policy and attaches it to the noun whose policies are shown.
func (b *tab) attach(search, policy string) {
	b.t.Helper()
	b.link(b.w("attach.title")).look("attach")
	b.follow("search", func() {
		b.hit(b.find("searchbox", b.w("policies.search")))
		b.types(search)
		b.key("Enter", plain)
	})
	b.says(policy)
	b.click(b.w("attach.do") + " " + policy).says(b.w("flash.attached", "policy", policy))
}

func (b *tab) createUser(name string) {
	b.t.Helper()
	b.link(b.w("nav.users")).look("users")
	b.link(b.w("users.new")).at("/console/new/user")
	b.fill(b.w("users.name"), name).fill(b.w("users.new.password"), userPassword).toggle(b.w("user.reset"))
	b.look("new user")
	b.click(b.w("users.new.do")).at("/console/users/" + name).says(b.w("flash.user.created", "name", name)).look("user")
}

func (b *tab) joinGroup(user, group string) {
	b.t.Helper()
	b.view(b.w("tab.groups")).look("groups of a user")
	b.hit(b.find("combobox", b.w("users.bulk.group")))
	b.types(group)
	b.click(b.w("user.groups.join")).says(group, b.w("flash.group.joined", "group", group))
	b.view(b.w("tab.access")).says("Force_MFA", "AmazonEC2FullAccess").look("what a user may do")
}
