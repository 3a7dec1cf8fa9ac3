package ops

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/password"
	"warifu/internal/seal"
	"warifu/internal/signin"
	"warifu/internal/store"
)

// strangersKept bounds the table of names that nobody has and whose wrong
// passwords are counted. A hundred thousand of them take a day of hashing to
// fill, and the oldest go first.
const strangersKept = 100_000

// resyncAfter wrong codes in a row the page offers two consecutive codes.
const resyncAfter = 3

// Submission is one form of the sign-in pages. The types that are one begin with
// Submit.
type Submission interface {
	// act is what the form is for.
	act() signin.Act
	// record is what the trail keeps of it: nothing that was typed in.
	record() audit.Fields
}

// SubmitPassword is the first form: who, and the password. It begins a flow.
type SubmitPassword struct {
	Account  string // alias or 12 digits; "" = see signin.Identify
	User     string // name, name@account, or root's e-mail address
	Root     bool   // the form for root: User is an e-mail address
	Password seal.Secret
}

// SubmitFactor is the answer of a second factor.
type SubmitFactor struct {
	Factor name.ID // 0 = the one offered first
	Response
}

// SubmitBegin asks for the challenge of a second factor that has one: that a code
// be sent, or the browser asked. The page stays.
type SubmitBegin struct {
	Factor name.ID // 0 = the one offered first
}

// SubmitNewPassword is the password in the place of one that must be changed.
type SubmitNewPassword struct{ Password seal.Secret }

// SubmitSetup opens the link of the first start. It begins a flow.
type SubmitSetup struct{ Token seal.Secret }

// SubmitAccount is the set-up's form for the account.
type SubmitAccount struct{ Alias string } // "" = none

// SubmitRoot is the set-up's form for root and, if wanted, the administrator.
type SubmitRoot struct {
	Email    string
	Password seal.Secret
	Admin    seal.Secret // password of the administrator; empty = none
}

// SubmitRecovery opens a link to recover root. It begins a flow.
type SubmitRecovery struct{ Token seal.Secret }

func (SubmitPassword) act() signin.Act    { return signin.Identified }
func (SubmitFactor) act() signin.Act      { return signin.GaveFactor }
func (SubmitBegin) act() signin.Act       { return signin.Look }
func (SubmitNewPassword) act() signin.Act { return signin.GavePassword }
func (SubmitSetup) act() signin.Act       { return signin.BeganSetup }
func (SubmitAccount) act() signin.Act     { return signin.NamedAccount }
func (SubmitRoot) act() signin.Act        { return signin.NamedRoot }
func (SubmitRecovery) act() signin.Act    { return signin.BeganRecovery }

func (SubmitPassword) record() audit.Fields { return audit.Fields{"step": "password"} }
func (in SubmitFactor) record() audit.Fields {
	if in.Code2 != "" {
		return audit.Fields{"step": "resync"}
	}
	return audit.Fields{"step": "factor"}
}
func (SubmitBegin) record() audit.Fields       { return audit.Fields{"step": "begin"} }
func (SubmitNewPassword) record() audit.Fields { return audit.Fields{"step": "new password"} }
func (SubmitSetup) record() audit.Fields       { return audit.Fields{"step": "set-up"} }
func (in SubmitAccount) record() audit.Fields {
	return audit.Fields{"step": "account", "accountAlias": in.Alias}
}
func (SubmitRecovery) record() audit.Fields { return audit.Fields{"step": "recovery"} }
func (SubmitRoot) record() audit.Fields     { return audit.Fields{"step": "root"} }

// SignInIn is one form of the sign-in pages, with the pre-auth cookie that came
// with it.
type SignInIn struct {
	Flow seal.Secret // the pre-auth cookie; empty when there is none
	Form Submission

	Browser  seal.Secret // the cookie by which users' browsers are known; likewise
	Memory   seal.Secret // the cookie of a remembered browser; likewise
	Remember bool        // the box beside the factor: remember this browser

	tried formTry
}

// SignInStep is what the sign-in pages show next.
type SignInStep struct {
	Verdict signin.Verdict
	Stage   signin.Stage   // which page, if Verdict is signin.Challenge
	Refusal signin.Refusal // why the form was not taken; "" when it was, or nothing was asked
	Ignored bool           // the form belonged to another page: say nothing, show this one

	// Cookie is the pre-auth cookie to set, where it is not empty. After any
	// verdict but Challenge, except Refused at the first form, the old one is to be
	// removed.
	Cookie  seal.Secret
	Expires time.Time // of the flow

	Session *OpenedSession // if Verdict is signin.Open
	Cookies SignInCookies  // likewise

	Unusual     []signin.Reason // why the sign-in is out of the ordinary, for the page of the factor
	MayRemember bool            // the page of the factor has the box

	// For the pages.
	Account    iam.Account
	User       iam.User         // who signs in
	Prompts    []Prompt         // StageFactor: any one of them will do
	Bindable                    // StageBind
	Policy     password.Policy  // StageNewPassword, StageRoot
	Setup      signin.SetupData // StageAccount, StageRoot: what was filled in; the hashes are left out
	AdminName  string           // StageRoot
	Recovering bool             // root is let back in
}

// formTry is what Before found out about a form's passwords.
type formTry struct {
	password passwordTry
	user     tried  // of SubmitNewPassword
	root     string // hashes of SubmitRoot
	admin    string
}

// SignIn takes one form of the sign-in pages. Every way to a console session is
// a flow of forms that ends here.
//
// A wrong password or code is an outcome and no error: it is counted, and the
// count stays. A form that comes late, twice, or from another tab gets the
// flow's present page; nothing in it is looked at.
//
// Errors: Throttled when too many passwords are being compared; Invalid for a
// password or code that no rule allows; WeakPassword for a new password; Exists
// for an alias that is taken. After an error the page is the one that was there.
var SignIn = Op[SignInIn, *SignInStep]{
	Name:       "SignIn",
	Grants:     Names{AWS: "signin:ConsoleLogin"},
	Permission: Always,
	Mode:       Write,
	Before:     beforeSignIn,
	Target:     func(*Env, SignInIn) (Target, error) { return Target{Noun: "session"}, nil },
	Record:     func(in SignInIn) audit.Fields { return in.Form.record() },
	Do: func(env *Env, in SignInIn) (*SignInStep, error) {
		env.Call.Caller = Caller{} // whoever asks signs in as somebody else, if at all
		s, err := env.readFlow(in)
		if err != nil {
			return nil, err
		}
		if err := s.noticeTheft(in.Form); err != nil {
			return nil, err
		}
		proof, facts, err := s.prove(in.Form, &in.tried)
		if err != nil {
			return nil, err
		}
		proof.Remember = in.Remember
		if proof.Act == signin.Identified && s.user != nil {
			if proof.Flow.Unusual, err = s.unusual(); err != nil {
				return nil, err
			}
		}
		return s.settle(signin.Step(s.flow, proof, facts, env.Now))
	},
}

// ShowSignIn tells which page a flow is at, and changes nothing: it is for GET.
//
// Errors: none but Internal; a flow that is not there is Ended.
var ShowSignIn = Op[SignInIn, *SignInStep]{
	Name:       "ShowSignIn",
	Grants:     Names{AWS: "signin:ShowSignIn"},
	Permission: Always,
	Target:     func(*Env, SignInIn) (Target, error) { return Target{Noun: "session"}, nil },
	Do: func(env *Env, in SignInIn) (*SignInStep, error) {
		env.Call.Caller = Caller{}
		s, err := env.readFlow(in)
		if err != nil {
			return nil, err
		}
		facts, err := s.facts()
		if err != nil {
			return nil, err
		}
		flow, out := signin.Step(s.flow, signin.Proof{}, facts, env.Now)
		s.flow = flow
		return s.page(out)
	},
}

// beforeSignIn compares and hashes the passwords of a form.
func beforeSignIn(ctx context.Context, s *Server, call *Call, in SignInIn) (_ SignInIn, err error) {
	switch form := in.Form.(type) {
	case SubmitPassword:
		u, err := s.whoIs(ctx, form)
		if err != nil {
			return in, err
		}
		in.tried.password, err = s.tryPassword(ctx, u, form.Password)
		return in, err
	case SubmitNewPassword:
		in.tried.user, err = s.tryNew(ctx, call, in.Flow, form.Password)
	case SubmitRoot:
		in.tried.root, in.tried.admin, err = s.tryRoot(ctx, call, in.Flow, form)
	}
	return in, err
}

// whoIs finds the user of the first form, nil if there is none.
func (s *Server) whoIs(ctx context.Context, form SubmitPassword) (u *iam.User, err error) {
	err = s.store.View(ctx, func(tx *store.Tx) (err error) {
		u, _, err = findIdentity(tx, signin.Identify(form.Account, form.User, form.Root))
		return err
	})
	return u, err
}

// findIdentity finds a user, nil if there is none, and the number of its account
// if that is known.
func findIdentity(tx *store.Tx, who signin.Identity) (u *iam.User, a name.Account, err error) {
	switch {
	case who == signin.Identity{}:
		return nil, 0, nil
	case who.Root:
		u, err = tx.UserByRootEmail(who.Email)
	default:
		if a = who.Account; a == 0 {
			var account *iam.Account
			if account, err = tx.AccountByAlias(who.Alias); err == nil {
				a = account.ID
			}
		}
		if err == nil {
			u, err = tx.UserByName(a, who.Name)
		}
	}
	if err != nil {
		return nil, a, ignoreMissing(err)
	}
	return u, u.Account, nil
}

// tryNew hashes the new password of a flow's user. A flow that is not there gets
// no work done.
func (s *Server) tryNew(ctx context.Context, call *Call, cookie, fresh seal.Secret) (t tried, err error) {
	var user *iam.User
	err = s.store.View(ctx, func(tx *store.Tx) error {
		env := &Env{Context: ctx, Server: s, Call: *call, Tx: tx, Now: call.At}
		p, err := env.readFlow(SignInIn{Flow: cookie})
		if err != nil {
			return err
		}
		if at, err := p.at(); err != nil || at != signin.StageNewPassword {
			return err
		}
		user = p.user
		return nil
	})
	if err != nil || user == nil {
		return t, err
	}
	as := *call
	as.Caller = Caller{Account: user.Account}
	return s.try(ctx, &as, Ref{ID: user.ID}, fresh, fresh)
}

// signing is a flow inside a transaction, with what it is about.
type signing struct {
	*Env
	kept    *store.Flow // as it was read; nil when it is new
	old     *store.Flow // whose place a new one takes
	made    *NewDevice  // for binding, if it was made in this step
	flow    signin.Flow
	user    *iam.User    // who signs in; nil for nobody, or one who is gone
	factors []iam.Factor // that the user can prove, in the order in which they are offered
	key     string       // what a stranger's failures are counted by
	cookies SignInIn     // what the browser has
	lane    lane         // its browser: the user signed in with it before; nil if not
	memory  *iam.Remembered
}

// readFlow reads the flow of a pre-auth cookie.
func (env *Env) readFlow(in SignInIn) (*signing, error) {
	s := &signing{Env: env, cookies: in}
	if !isToken(flowToken, in.Flow) {
		return s, nil
	}
	kept, err := env.Tx.Flow(hashToken(in.Flow), env.Now)
	if err != nil {
		return s, ignoreMissing(err)
	}
	if err := json.Unmarshal([]byte(kept.Body), &s.flow); err != nil {
		return nil, fault.Wrap(err, "read a sign-in flow")
	}
	s.kept = kept
	s.recovering = s.flow.Kind == signin.Recover
	u, err := env.Tx.UserByID(s.flow.Account, s.flow.User)
	if err != nil {
		return s, ignoreMissing(err)
	}
	s.is(u)
	return s, nil
}

// is says who signs in: from here on the helpers of other operations and the
// event mean this user.
func (s *signing) is(u *iam.User) {
	s.user = u
	s.Call.Caller = Caller{Account: u.Account, User: *u}
	if s.ev == nil {
		return
	}
	s.ev.Account = u.Account
	s.ev.Actor = audit.Actor{Kind: "user", ID: u.ID, Name: u.Name, ARN: u.ARN()}
	if u.Root {
		s.ev.Actor.Kind = "root"
	}
	s.ev.Target = audit.Target{Noun: "user", Name: u.Name, ID: u.ID, ARN: u.ARN()}
}

// at is the stage that the flow waits at, "" when it waits no more.
func (s *signing) at() (signin.Stage, error) {
	facts, err := s.facts()
	if err != nil {
		return "", err
	}
	stage, waits := signin.Wants(s.flow, facts, s.Now)
	if !waits {
		return "", nil
	}
	return stage, nil
}

// prove verifies a form, if it belongs to the flow's stage, and tells what the
// directory said before.
func (s *signing) prove(form Submission, t *formTry) (p signin.Proof, facts signin.Facts, err error) {
	p.Act = form.act()
	switch form := form.(type) {
	case SubmitPassword:
		return s.identify(form, t)
	case SubmitPasskey:
		return s.identifyKey(form)
	case SubmitSetup:
		return s.beginSetup(form)
	case SubmitRecovery:
		return s.beginRecovery(form)
	}
	if facts, err = s.facts(); err != nil {
		return p, facts, err
	}
	stage, waits := signin.Wants(s.flow, facts, s.Now)
	if !waits {
		return p, facts, nil
	}
	switch form := form.(type) {
	case SubmitFactor:
		if stage == signin.StageFactor {
			var proved iam.Proved
			proved, p.Fits, err = s.Env.prove(s.asking(), s.factors, form.Factor, form.Response)
			p.Method, p.Factor = proved.Method, proved.Factor
		}
	case SubmitBegin:
		if stage == signin.StageFactor {
			err = s.begin(s.asking(), s.factors, form.Factor)
		}
	case SubmitNewPassword:
		if stage == signin.StageNewPassword {
			change := s.changePassword
			if s.flow.Kind == signin.Recover {
				change = s.noteRootPassword(&p)
			}
			p.Fits, err = true, change(form, &t.user)
		}
	case SubmitPair, SubmitNewPasskey, SubmitAddress, SubmitAddressCode:
		if stage == signin.StageBind {
			err = s.bind(&p, form)
		}
	case SubmitAccount:
		if s.flow.Kind == signin.Setup {
			err = s.nameAccount(&p, form)
		}
	case SubmitRoot:
		if s.flow.Kind == signin.Setup && stage != signin.StageAccount {
			err = s.nameRoot(&p, form, t)
		}
	}
	return p, facts, err
}

// identify judges the first form.
func (s *signing) identify(form SubmitPassword, t *formTry) (p signin.Proof, facts signin.Facts, err error) {
	p.Act = signin.Identified
	s.old, s.kept, s.user, s.flow = s.kept, nil, nil, signin.Flow{}
	who := signin.Identify(form.Account, form.User, form.Root)
	u, account, err := findIdentity(s.Tx, who)
	if err != nil {
		return p, facts, err
	}
	if u == nil {
		if err := s.attribute(account); err != nil {
			return p, facts, err
		}
		s.key = s.strangerKey(who.Key(account))
		return p, facts, s.strangerFacts(&facts, who.Root, account)
	}
	s.is(u)
	s.flow = signin.Flow{Account: u.Account, User: u.ID, Kind: signin.SignIn}
	p.Flow = s.flow
	if facts, err = s.facts(); err != nil {
		return p, facts, err
	}
	p.Fits, err = s.passwordFits(u, &t.password)
	return p, facts, err
}

// attribute says in whose trail the attempt of a stranger stands: the account
// that was named, or the only one there is. What was typed is in no trail, for
// people type passwords where names belong.
func (s *signing) attribute(account name.Account) error {
	if account == 0 {
		all, err := s.Tx.Accounts()
		if err != nil {
			return err
		}
		if len(all) == 1 {
			account = all[0].ID
		}
	} else if _, err := s.Tx.Account(account); fault.Is(err, fault.NotFound) {
		return s.attribute(0)
	} else if err != nil {
		return err
	}
	s.ev.Account, s.ev.Actor = account, audit.Actor{Kind: "anonymous"}
	s.ev.Target = audit.Target{Noun: "user"}
	return nil
}

// strangerKey hides a name that nobody has: it may be a mistyped password.
func (s *Server) strangerKey(of string) string {
	mac := hmac.New(sha256.New, s.strangers)
	mac.Write([]byte(of))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// facts are what the directory says of the flow's user.
func (s *signing) facts() (f signin.Facts, err error) {
	u := s.user
	if u == nil {
		return f, nil
	}
	if err := notBlocked(s.Tx, u.Account, u.ID); err != nil {
		if !fault.Is(err, fault.NotFound) {
			return f, err
		}
		f.Blocked = true
	}
	if s.factors, err = s.usable(u); err != nil {
		return f, err
	}
	for i := range s.factors {
		f.Factors = append(f.Factors, choice(&s.factors[i]))
	}
	if purpose := s.linkPurpose(); purpose != "" {
		f.Known = true
		f.TokenSpent, err = s.tokenSpent(purpose)
		return f, err
	}
	if f.Wanted, err = s.Tx.Preferences(u.Account); err == nil {
		f.Wanted.Sources, err = oracleSignInFrom(s.Tx, u.Account)
	}
	if err != nil {
		return f, err
	}
	n, err := s.Tx.FactorCount(u.Account, u.ID)
	if err != nil {
		return f, err
	}
	f.Root, f.Bound, f.Outside = u.Root, n > 0, !admits(&f.Wanted, u, &s.Call)
	if err := s.browserFacts(&f); err != nil {
		return f, err
	}
	if f.Attempts, err = s.pauseAfter(u.Root); err != nil { // of users without a password, too (P-5)
		return f, err
	}
	return f, s.passwordFacts(u, &f)
}

// passwordFacts tells of a user's password.
func (s *signing) passwordFacts(u *iam.User, f *signin.Facts) error {
	profile, err := s.Tx.LoginProfile(u.Account, u.ID)
	if err != nil {
		return ignoreMissing(err)
	}
	rules, err := s.passwordPolicy()
	if err != nil {
		return err
	}
	f.Known, f.PasswordChanged, f.MustChange = true, profile.Changed, profile.ResetRequired
	may, err := oracleMay(s.Tx, u.Account, u.ID, func(c *OracleCapabilities) bool { return c.Password })
	if err != nil {
		return err
	}
	f.MFARequired, f.Disabled = profile.MFARequired, !may || !profile.Disabled.IsZero()
	if rules.InitialLapsed(profile.ResetRequired && !u.PasswordUsed.After(profile.Changed), profile.Changed, s.Now) {
		f.Lapsed = !u.Root
	}
	if rules.ExpirePasswords() && !s.Now.Before(profile.Changed.AddDate(0, 0, rules.MaxAge)) {
		f.MustChange, f.Lapsed = true, f.Lapsed || rules.HardExpiry && !u.Root
	}
	return nil
}

// asking is where the flow asks for a factor.
func (s *signing) asking() asking {
	at := asking{purpose: ToSignIn, user: s.user}
	if s.kept != nil {
		at.bound = s.kept.Hash
	}
	return at
}

// fits turns the refusal of codes into an outcome: what was counted stays.
func fits(err error) (bool, error) {
	if fault.Is(err, fault.BadCode) {
		return false, nil
	}
	return err == nil, err
}

// changePassword sets the password that the flow's user chose.
func (s *signing) changePassword(form SubmitNewPassword, t *tried) error {
	p, err := s.loginProfile(s.user)
	if err != nil {
		return err
	}
	if form.Password.Empty() {
		return fault.Field("newPassword", "newPassword must not be empty")
	}
	if err := t.unchanged(p); err != nil {
		return err
	}
	if t.oldFit {
		t.reused = true // the one that is to be changed
	}
	if err := s.goodPassword(s.user, form.Password, t); err != nil {
		return err
	}
	p.Hash, p.ResetRequired, p.Changed = t.hash, false, s.Now
	if err := s.Tx.PutLoginProfile(s.user.Account, p); err != nil {
		return err
	}
	return s.notify(s.user, iam.NoticePasswordChanged, "")
}

// settle does what an outcome asks for and makes the page.
func (s *signing) settle(flow signin.Flow, out signin.Outcome) (_ *SignInStep, err error) {
	if err := s.budget(out); err != nil {
		return nil, err
	}
	s.flow = flow
	s.recordOutcome(out)
	switch out.Verdict {
	case signin.Open:
		return s.open(out)
	case signin.Challenge:
		return s.keep(out)
	}
	if s.kept != nil {
		if _, err := s.Tx.ConsumeFlow(s.kept.Hash); err != nil {
			return nil, err
		}
	}
	return s.page(out)
}

// budget counts or forgives wrong passwords.
func (s *signing) budget(out signin.Outcome) (err error) {
	switch {
	case out.Count && s.user != nil:
		err = s.countIn(&s.lane)
	case out.Count:
		_, err = s.Tx.CountStranger(s.key, s.Now)
	case out.Forgive:
		err = s.forgiveIn(&s.lane)
	}
	return err
}

// recordOutcome writes into the event how the step ended.
func (s *signing) recordOutcome(out signin.Outcome) {
	ev := s.ev
	ev.Params = maps.Clone(ev.Params)
	ev.Why = out.Why
	switch {
	case out.Verdict == signin.Open:
		ev.Params["next"] = "session"
	case out.Verdict == signin.Ended:
		ev.Result, ev.Code = audit.Failed, fault.Expired.String()
	case out.Refusal == signin.WrongCode:
		ev.Result, ev.Code = audit.Refused, fault.BadCode.String()
	case out.Refusal != "":
		ev.Result, ev.Code = audit.Refused, fault.Denied.String()
	default:
		ev.Params["next"] = string(out.Stage)
	}
	if len(out.Unusual) > 0 {
		ev.Params["unusual"] = strings.Join(signin.Words(out.Unusual), " ")
	}
	if second := (&iam.Session{Proved: s.flow.Proved}); len(second.Proved) > 0 {
		ev.Params["method"] = second.Method()
		ev.MFA = audit.MFA{Known: true}
		if last, ok := second.Last(true); ok {
			ev.MFA.Present, ev.MFA.At, ev.MFA.Methods = true, last.At.UnixMicro(), second.Factors()
		} else {
			ev.MFA.Remembered = out.Remembered
		}
	}
}

// keep stores the flow for its next step, a new one under a new cookie: a cookie
// that somebody planted leads nowhere (security checklist S-1).
func (s *signing) keep(out signin.Outcome) (*SignInStep, error) {
	if out.Stage == signin.StageBind {
		if err := s.offerDevice(); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(&s.flow)
	if err != nil {
		return nil, fault.Wrap(err, "keep a sign-in flow")
	}
	if s.kept != nil {
		s.kept.Body, s.kept.Expires = string(body), s.flow.Expires
		if err := s.Tx.SaveFlow(s.kept); err != nil {
			return nil, err
		}
		return s.page(out)
	}
	if s.old != nil {
		if _, err := s.Tx.ConsumeFlow(s.old.Hash); err != nil {
			return nil, err
		}
	}
	cookie, err := s.newToken(flowToken)
	if err != nil {
		return nil, err
	}
	err = s.Tx.InsertFlow(&store.Flow{Hash: hashToken(cookie), Body: string(body), Expires: s.flow.Expires})
	if err != nil {
		return nil, err
	}
	step, err := s.page(out)
	if err == nil {
		step.Cookie = cookie
	}
	return step, err
}

// open ends the flow and opens the session: of any number of steps at once, one
// does.
func (s *signing) open(out signin.Outcome) (*SignInStep, error) {
	for _, f := range []*store.Flow{s.kept, s.old} {
		if f == nil {
			continue
		}
		there, err := s.Tx.ConsumeFlow(f.Hash)
		if err != nil {
			return nil, err
		}
		if !there && f == s.kept {
			return nil, fault.New(fault.Conflict, "the sign-in was completed meanwhile")
		}
	}
	switch s.flow.Kind {
	case signin.Setup:
		if err := s.finishSetup(); err != nil {
			return nil, err
		}
	case signin.Recover:
		if err := s.finishRecovery(); err != nil {
			return nil, err
		}
	}
	step, err := s.page(out)
	if err != nil {
		return nil, err
	}
	if step.Cookies, err = s.remember(out); err != nil {
		return nil, err
	}
	step.Session, err = s.openSession(s.user, s.flow.Proved)
	return step, err
}

// page makes what the pages show. A refusal shows nothing of anybody.
func (s *signing) page(out signin.Outcome) (*SignInStep, error) {
	step := &SignInStep{Verdict: out.Verdict, Stage: out.Stage, Refusal: out.Refusal, Ignored: out.Ignored}
	if out.Verdict != signin.Challenge && out.Verdict != signin.Open {
		return step, nil
	}
	step.Recovering = s.flow.Kind == signin.Recover
	step.Expires, step.User, step.MayRemember = s.flow.Expires, *s.user, out.Offer
	if out.Because {
		step.Unusual = out.Unusual
	}
	a, err := s.Tx.Account(s.user.Account)
	if err != nil {
		return nil, err
	}
	step.Account = *a
	if step.Policy, err = password.ParsePolicy(a.PasswordPolicy); err != nil {
		return nil, err
	}
	switch out.Stage {
	case signin.StageFactor:
		step.Prompts, err = s.prompts(s.asking(), s.factors)
	case signin.StageBind:
		step.Bindable, err = s.offer()
	}
	if err != nil {
		return nil, err
	}
	if s.flow.Kind == signin.Setup {
		step.Setup = signin.SetupData{Named: s.flow.Setup.Named, Alias: s.flow.Setup.Alias, Email: s.flow.Setup.Email}
		step.AdminName, err = s.adminName()
	}
	return step, err
}

// binding is the flow as a place where a factor is bound.
func (s *signing) binding() (*binding, error) {
	b := &binding{Env: s.Env, user: s.user, own: true}
	if s.kept != nil {
		b.bound = s.kept.Hash
	}
	var err error
	b.shown, err = s.pendingDevice()
	return b, err
}

// bind judges what the binding page was sent.
func (s *signing) bind(p *signin.Proof, form Submission) error {
	b, err := s.binding()
	if err != nil {
		return err
	}
	f, ok, err := b.take(form)
	if f != nil {
		p.Method, p.Factor, p.Fits = iam.Method(f.Kind), f.ID, ok
	}
	return err
}

// offer is what the binding page shows. The device is missing when it is gone,
// which the next form mends.
func (s *signing) offer() (o Bindable, err error) {
	b, err := s.binding()
	if err != nil {
		return o, err
	}
	d := s.made
	if d == nil && b.shown != nil {
		if d, err = s.show(b.shown); err != nil {
			return o, err
		}
	}
	return b.offer(d)
}
