package ops

import (
	"context"
	"net/mail"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/password"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// InspectSetupIn holds the token of a set-up link.
type InspectSetupIn struct{ Token seal.Secret }

// SetupInfo is what the first page of the set-up shows.
type SetupInfo struct {
	Account   iam.Account
	AdminName string // who may get a password, too
	Expires   time.Time
}

// InspectSetup looks at a set-up link and changes nothing: it is for GET.
//
// Errors: NotFound, noun "set-up link", for one that is unknown, used, or has run
// out.
var InspectSetup = Op[InspectSetupIn, *SetupInfo]{
	Name:       "InspectSetup",
	Grants:     Names{AWS: "signin:InspectSetup"},
	Permission: Always,
	Target:     func(*Env, InspectSetupIn) (Target, error) { return Target{Noun: "set-up link"}, nil },
	Do: func(env *Env, in InspectSetupIn) (*SetupInfo, error) {
		t, err := env.Tx.Token(SetupPurpose, hashToken(in.Token), env.Now)
		if fault.Is(err, fault.NotFound) {
			return nil, fault.Of(fault.NotFound, "set-up link", "")
		}
		if err != nil {
			return nil, err
		}
		env.ev.Account = t.Account
		a, err := env.Tx.Account(t.Account)
		if err != nil {
			return nil, err
		}
		u, err := env.Tx.UserByID(t.Account, t.User)
		if err != nil {
			return nil, err
		}
		return &SetupInfo{Account: *a, AdminName: u.Name, Expires: t.Expires}, nil
	},
}

// beginSetup begins a flow with a set-up link, which stays good until the end.
func (s *signing) beginSetup(form SubmitSetup) (p signin.Proof, facts signin.Facts, err error) {
	p.Act = signin.BeganSetup
	s.old, s.kept, s.user, s.flow = s.kept, nil, nil, signin.Flow{}
	hash := hashToken(form.Token)
	t, err := s.Tx.Token(SetupPurpose, hash, s.Now)
	if fault.Is(err, fault.NotFound) {
		facts.Known, facts.TokenSpent = true, true
		return p, facts, s.attribute(0)
	}
	if err != nil {
		return p, facts, err
	}
	root, err := s.Tx.RootUser(t.Account)
	if err != nil {
		return p, facts, err
	}
	a, err := s.Tx.Account(t.Account)
	if err != nil {
		return p, facts, err
	}
	s.is(root)
	p.Fits = true
	p.Flow = signin.Flow{Account: t.Account, User: root.ID, Setup: signin.SetupData{Token: hash, Alias: a.Alias}}
	s.flow.Kind, s.flow.Setup = signin.Setup, p.Flow.Setup
	facts, err = s.facts()
	return p, facts, err
}

// linkPurpose is the purpose of the link that the flow began with; "" if it began
// with none.
func (s *signing) linkPurpose() string {
	switch s.flow.Kind {
	case signin.Setup:
		return SetupPurpose
	case signin.Recover:
		return RecoveryPurpose
	}
	return ""
}

// tokenSpent reports whether the flow's link is good no more.
func (s *signing) tokenSpent(purpose string) (bool, error) {
	_, err := s.Tx.Token(purpose, s.flow.Setup.Token, s.Now)
	return fault.Is(err, fault.NotFound), ignoreMissing(err)
}

// administrator is the user for whom the set-up link was made.
func (s *signing) administrator() (*iam.User, error) {
	t, err := s.Tx.Token(SetupPurpose, s.flow.Setup.Token, s.Now)
	if err != nil {
		return nil, err
	}
	return s.Tx.UserByID(t.Account, t.User)
}

// adminName is the administrator's name, "" when the link is spent.
func (s *signing) adminName() (string, error) {
	u, err := s.administrator()
	if err != nil {
		return "", ignoreMissing(err)
	}
	return u.Name, nil
}

// nameAccount judges the form for the account.
func (s *signing) nameAccount(p *signin.Proof, form SubmitAccount) error {
	alias := strings.TrimSpace(form.Alias)
	if alias != "" {
		if err := checkAlias(alias); err != nil {
			return err
		}
		a, err := s.Tx.AccountByAlias(alias)
		if err == nil && a.ID != s.flow.Account {
			return fault.Of(fault.Exists, "account alias", alias)
		}
		if ignoreMissing(err) != nil {
			return err
		}
	}
	p.Fits, p.Flow.Setup.Alias = true, alias
	return nil
}

// nameRoot judges the form for root and the administrator.
func (s *signing) nameRoot(p *signin.Proof, form SubmitRoot, t *formTry) error {
	email, err := checkEmail(form.Email)
	if err != nil {
		return err
	}
	other, err := s.Tx.UserByRootEmail(email)
	if err == nil && other.ID != s.user.ID {
		return fault.Of(fault.Exists, "root user", email)
	}
	if ignoreMissing(err) != nil {
		return err
	}
	if t.root == "" {
		return fault.Field("password", "root's password must not be empty")
	}
	words := []string{email, s.flow.Setup.Alias, s.flow.Account.String()}
	if err := s.goodFirst(form.Password, words); err != nil {
		return err
	}
	if t.admin != "" {
		u, err := s.administrator()
		if err != nil {
			return err
		}
		if err := s.goodFirst(form.Admin, append(words, u.Name)); err != nil {
			return err
		}
	}
	p.Fits = true
	p.Flow.Setup = signin.SetupData{Email: email, RootHash: t.root, AdminHash: t.admin}
	return nil
}

// goodFirst refuses a password that breaks the account's policy or is known.
func (s *signing) goodFirst(fresh seal.Secret, words []string) error {
	rules, err := s.passwordPolicy()
	if err != nil {
		return err
	}
	return rules.Refusal(rules.Failures(fresh, words, password.Common))
}

// checkEmail reads an e-mail address and returns it as it is kept.
func checkEmail(s string) (string, error) {
	s = strings.TrimSpace(norm.NFKC.String(s))
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 {
		return "", fault.Field("email", "email must be an e-mail address such as name@example.com")
	}
	return s, nil
}

// tryRoot hashes the passwords of the set-up's form, if there is a set-up.
func (s *Server) tryRoot(ctx context.Context, call *Call, cookie seal.Secret, form SubmitRoot) (root, admin string, err error) {
	live := false
	err = s.store.View(ctx, func(tx *store.Tx) error {
		env := &Env{Context: ctx, Server: s, Call: *call, Tx: tx, Now: call.At}
		p, err := env.readFlow(SignInIn{Flow: cookie})
		if err != nil || p.flow.Kind != signin.Setup {
			return err
		}
		at, err := p.at()
		live = at != ""
		return err
	})
	if err != nil || !live || form.Password.Empty() {
		return "", "", err
	}
	if root, err = s.passwords.Hash(ctx, s.rand, form.Password); err != nil || form.Admin.Empty() {
		return root, "", err
	}
	admin, err = s.passwords.Hash(ctx, s.rand, form.Admin)
	return root, admin, err
}

// finishSetup makes true what the set-up gathered, and uses the link up. The
// device was bound in this same transaction; all of it happens, or nothing.
func (s *signing) finishSetup() error {
	data := s.flow.Setup
	t, err := s.Tx.ConsumeToken(SetupPurpose, data.Token, s.Now)
	if err != nil {
		return err
	}
	if err := s.Tx.SetAlias(s.flow.Account, data.Alias); err != nil {
		return err
	}
	s.user.Email = data.Email
	if err := s.Tx.UpdateUser(s.user); err != nil {
		return err
	}
	if err := s.firstPassword(s.user.ID, data.RootHash); err != nil {
		return err
	}
	if data.AdminHash == "" {
		return nil
	}
	return s.firstPassword(t.User, data.AdminHash)
}

// firstPassword gives a user a password, or another one.
func (s *signing) firstPassword(user name.ID, hash string) error {
	return s.Tx.PutLoginProfile(s.flow.Account, &iam.LoginProfile{User: user, Hash: hash, Created: s.Now, Changed: s.Now})
}
