package console

import (
	"cmp"
	"net/url"
	"strings"
	"time"

	"warifu/internal/ops"
	"warifu/internal/seal"
)

func signInRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: "/signin", Who: Anyone, do: signInPage},
		{Method: "GET", Pattern: "/signin/{alias}", Who: Anyone, do: signInPage},
		{Method: "POST", Pattern: "/signin", Who: Anyone, do: signIn},
		{Method: "GET", Pattern: "/signin/code", Who: Signing, Stage: stageFactor, do: stagePage},
		{Method: "POST", Pattern: "/signin/code", Who: Signing, Stage: stageFactor, do: giveFactor},
		{Method: "POST", Pattern: "/signin/code/begin", Who: Signing, Stage: stageFactor, do: beginFactor},
		{Method: "GET", Pattern: "/signin/password", Who: Signing, Stage: stageNewPassword, do: stagePage},
		{Method: "POST", Pattern: "/signin/password", Who: Signing, Stage: stageNewPassword, do: giveNewPassword},
		{Method: "GET", Pattern: "/signin/bind", Who: Signing, Stage: stageBind, do: stagePage},
		{Method: "POST", Pattern: "/signin/bind", Who: Signing, Stage: stageBind, do: bindDevice},
		{Method: "POST", Pattern: "/signout", Who: SignedIn, do: signOut},

		{Method: "GET", Pattern: "/setup/{token}", Who: Anyone, do: setUpPage},
		{Method: "POST", Pattern: "/setup/{token}", Who: Anyone, do: beginSetUp},
		{Method: "GET", Pattern: "/setup/account", Who: Signing, Stage: stageAccount, do: stagePage},
		{Method: "POST", Pattern: "/setup/account", Who: Signing, Stage: stageAccount, do: nameAccount},
		{Method: "GET", Pattern: "/setup/root", Who: Signing, Stage: stageRoot, do: stagePage},
		{Method: "POST", Pattern: "/setup/root", Who: Signing, Stage: stageRoot, do: nameRoot},
	}
}

// The stages of the sign-in machine that have a page, as it spells them.
const (
	stageAccount     = "account"
	stageRoot        = "root"
	stageFactor      = "factor"
	stageNewPassword = "new-password"
	stageBind        = "bind"
)

// stagePaths say where each stage has its page.
var stagePaths = map[string]string{
	stageAccount: "/setup/account", stageRoot: "/setup/root",
	stageFactor: "/signin/code", stageNewPassword: "/signin/password", stageBind: "/signin/bind",
}

// step is what a page of a sign-in shows.
type step struct {
	*ops.SignInStep
	Next   string // page to go on to at the end
	Reason string // sentence why the form was not taken
	Ask    Ask
	Two    bool   // two codes are asked for
	New    string // kind of address that another one is typed for
}

// Action is where the forms of the binding page go.
func (step) Action() string { return stagePaths[stageBind] }

// signInPage is the first page. A sign-in that is under way goes on where it is.
func signInPage(rq *request) error {
	if err := rq.recognise(); err == nil {
		return rq.redirect(local(rq.query("next")))
	} else if err != errSignedOut { //nolint:errorlint // it is the value itself
		return err
	}
	f := rq.form()
	account := rq.path("alias")
	if number, alias := rq.remembered(); account == "" {
		account = cmp.Or(alias, number)
	}
	f.fill("account", account, "root", rq.query("root"), "next", nextOf(rq.query("next")))
	return rq.whoPage()
}

// nextOf is a target worth keeping: "" for home.
func nextOf(target string) string {
	if target == "" || local(target) == home {
		return ""
	}
	return local(target)
}

// signIn takes the first form.
func signIn(rq *request) error {
	if err := rq.checkToken(); err != nil {
		return err
	}
	f := rq.form()
	asRoot := f.Get("root") != ""
	ok := f.need("user", "password")
	if !ok {
		return f.again(nil, nil, func() error { return signInAgain(rq) })
	}
	in := ops.SubmitPassword{Account: f.text("account"), User: f.text("user"), Root: asRoot, Password: f.secret("password")}
	if asRoot {
		in.Account = ""
	}
	s, err := rq.submit(in)
	if err != nil {
		return f.again(err, nil, func() error { return signInAgain(rq) })
	}
	if refused(s) {
		f.Note = rq.t("signin.refused." + string(s.Refusal))
		if f.First == "" {
			f.First = "password"
		}
		return f.again(nil, nil, func() error { return signInAgain(rq) })
	}
	return rq.goOn(s, nextOf(f.Get("next")))
}

func signInAgain(rq *request) error { return rq.whoPage() }

// refused tells a step that ended with a reason.
func refused(s *ops.SignInStep) bool { return s.Refusal != "" && !challenged(s) && s.Session == nil }

// submit gives a form to the sign-in machine and keeps the cookies in step.
func (rq *request) submit(form ops.Submission) (*ops.SignInStep, error) {
	s, err := run(rq, ops.SignIn, rq.signInWith(form))
	if err != nil {
		return nil, err
	}
	switch {
	case !s.Cookie.Empty():
		rq.setCookie(cookieFlow, string(s.Cookie.Reveal()), s.Expires.Sub(rq.at))
	case !challenged(s) && !first(form):
		rq.dropCookie(cookieFlow)
	}
	return s, nil
}

// challenged reports whether a sign-in goes on with another page.
func challenged(s *ops.SignInStep) bool { return stagePaths[string(s.Stage)] != "" }

// first reports whether a form is the first one: its refusal leaves the sign-in
// of another tab alone.
func first(form ops.Submission) bool {
	switch form.(type) {
	case ops.SubmitPassword, ops.SubmitPasskey:
		return true
	}
	return false
}

// signInWith is a form with all that the browser brings to a sign-in.
func (rq *request) signInWith(form ops.Submission) ops.SignInIn {
	return ops.SignInIn{
		Flow: rq.flow(), Form: form, Remember: rq.form().Get("remember") != "",
		Browser: rq.secretCookie(cookieBrowser), Memory: rq.secretCookie(cookieMemory),
	}
}

// keep puts into the browser what the end of a sign-in leaves there.
func (rq *request) keep(c ops.SignInCookies) {
	if !c.Browser.Empty() {
		rq.setCookie(cookieBrowser, string(c.Browser.Reveal()), c.BrowserLife)
	}
	switch {
	case !c.Memory.Empty():
		rq.setCookie(cookieMemory, string(c.Memory.Reveal()), c.MemoryEnds.Sub(rq.at))
	case c.ForgetMemory:
		rq.dropCookie(cookieMemory)
	}
}

func (rq *request) flow() seal.Secret { return rq.secretCookie(cookieFlow) }

// goOn leads to the page of the stage, or into the console.
func (rq *request) goOn(s *ops.SignInStep, next string) error {
	switch {
	case s.Session != nil:
		rq.openSession(s.Session.Token, s.Session.Expires)
		rq.keep(s.Cookies)
		rq.rememberAccount(&s.Account)
		rq.dropCookie(cookieForm)
		return rq.redirect(local(next))
	case challenged(s):
		return rq.redirect(withNext(stagePaths[string(s.Stage)], next))
	case s.Refusal != "":
		return rq.turnedAway(s)
	}
	if rq.recognise() == nil { // it was finished in another tab
		return rq.redirect(local(next))
	}
	return rq.done("/signin", "flash.note.ended")
}

// openSession puts a session's secret into the browser.
func (rq *request) openSession(token seal.Secret, expires time.Time) {
	rq.setCookie(cookieSession, string(token.Reveal()), expires.Sub(rq.at))
}

func withNext(path, next string) string {
	if next == "" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}

// turnedAway is the page of a sign-in that ended without a session.
func (rq *request) turnedAway(s *ops.SignInStep) error {
	rq.status = 403
	key := "signin.refused." + string(s.Refusal)
	text, _ := rq.lang.rich(key)
	p := problem{Title: rq.t(key + ".title"), Text: text, Do: rq.wayBack()}
	return rq.page("problem", p.Title, p)
}

// stagePage shows the page of the stage that the sign-in is at; the address of
// another stage leads there.
func stagePage(rq *request) error {
	s, err := run(rq, ops.ShowSignIn, rq.signInWith(nil))
	if err != nil {
		return err
	}
	return rq.stage(s, "")
}

func (rq *request) stage(s *ops.SignInStep, reason string) error {
	next := nextOf(rq.query("next"))
	if f := rq.form(); next == "" {
		next = nextOf(f.Get("next"))
	}
	at := string(s.Stage)
	if at != rq.route.Stage && !(stagePaths[at] != "" && s.Setup.Named && rq.earlier(at)) {
		return rq.goOn(s, next)
	}
	v := step{SignInStep: s, Next: next, Reason: reason, New: rq.query("new")}
	chosen := rq.form().Get("device")
	if chosen == "" {
		chosen = rq.query("device")
	}
	v.Ask = ask(rq.form(), s.Prompts, chosen, "/signin/code")
	v.Two = rq.query("two") != "" || rq.form().Get("two") != ""
	v.Ask.Two = v.Two
	page := map[string]string{
		stageAccount: "signin/account", stageRoot: "signin/root", stageFactor: "signin/code",
		stageNewPassword: "signin/password", stageBind: "signin/bind",
	}[rq.route.Stage]
	title := rq.t(strings.ReplaceAll(page, "/", ".") + ".title")
	if rq.route.Stage == stageFactor && v.Ask.Key() {
		title = rq.t("signin.key.title")
	}
	return rq.page(page, title, v)
}

// earlier reports whether the route's stage comes before another in the set-up:
// its form may be filled in again while nothing has taken effect.
func (rq *request) earlier(at string) bool {
	order := map[string]int{stageAccount: 1, stageRoot: 2, stageBind: 3}
	return order[rq.route.Stage] != 0 && order[rq.route.Stage] < order[at]
}

// take gives a form of a later stage to the machine and goes on, or shows the
// same page with the reason.
func (rq *request) take(form ops.Submission, at fields) error {
	if err := rq.checkToken(); err != nil {
		return err
	}
	f := rq.form()
	s, err := rq.submit(form)
	if err != nil {
		return f.again(err, at, func() error { return stagePage(rq) })
	}
	if s.Refusal != "" && string(s.Stage) == rq.route.Stage {
		field, why := at["*"], rq.t("signin.refused."+string(s.Refusal))
		if ofKey(field) {
			why = rq.t("passkey.refused")
		}
		f.mark(field, why)
		rq.status = 422
		return rq.stage(s, "")
	}
	return rq.goOn(s, nextOf(f.Get("next")))
}

// giveFactor takes the answer of a second factor.
func giveFactor(rq *request) error {
	f := rq.form()
	if f.Has("assertion") {
		return rq.take(ops.SubmitFactor{Factor: idOf(f.Get("device")), Response: response(f)}, fields{"*": "assertion"})
	}
	return rq.take(ops.SubmitFactor{Factor: idOf(f.Get("device")), Response: response(f)}, fields{"*": "code"})
}

// giveNewPassword takes the password in the place of one that must be changed.
func giveNewPassword(rq *request) error {
	f := rq.form()
	if f.need("password") && f.Get("password") != f.Get("again") {
		f.wrong("again", "password.differ")
	}
	if f.bad() {
		if err := rq.checkToken(); err != nil {
			return err
		}
		return f.again(nil, nil, func() error { return stagePage(rq) })
	}
	return rq.take(ops.SubmitNewPassword{Password: f.secret("password")}, fields{"*": "password"})
}

// bindDevice takes a form of the binding page.
func bindDevice(rq *request) error {
	form, at := bindingForm(rq.form())
	if form == nil {
		form = ops.SubmitPair{}
	}
	return rq.take(form, at)
}

// signOut ends the session here and in the browser.
func signOut(rq *request) error {
	if _, err := run(rq, ops.SignOut, struct{}{}); err != nil {
		return err
	}
	rq.dropCookie(cookieSession)
	rq.w.Header().Set("Clear-Site-Data", `"cache"`)
	return rq.done("/signin", "flash.signedout")
}

// setUpPage is what the link of the first start shows: nothing happens before
// the button is pressed (H-5).
func setUpPage(rq *request) error {
	info, err := run(rq, ops.InspectSetup, ops.InspectSetupIn{Token: seal.NewSecret([]byte(rq.path("token")))})
	if err != nil {
		return err
	}
	return rq.page("signin/setup", rq.t("signin.setup.title"), info)
}

// beginSetUp opens the set-up.
func beginSetUp(rq *request) error {
	if err := rq.checkToken(); err != nil {
		return err
	}
	s, err := rq.submit(ops.SubmitSetup{Token: seal.NewSecret([]byte(rq.path("token")))})
	if err != nil {
		return err
	}
	return rq.goOn(s, "")
}

// nameAccount takes the set-up's form for the account.
func nameAccount(rq *request) error {
	return rq.take(ops.SubmitAccount{Alias: strings.ToLower(rq.form().text("alias"))}, fields{"*": "alias"})
}

// nameRoot takes the set-up's form for root and the administrator.
func nameRoot(rq *request) error {
	f := rq.form()
	if f.need("email", "password") && f.Get("password") != f.Get("again") {
		f.wrong("again", "password.differ")
	}
	if f.bad() {
		if err := rq.checkToken(); err != nil {
			return err
		}
		return f.again(nil, nil, func() error { return stagePage(rq) })
	}
	in := ops.SubmitRoot{Email: f.text("email"), Password: f.secret("password"), Admin: f.secret("admin")}
	return rq.take(in, fields{"email": "email", "adminPassword": "admin", "admin": "admin", "password": "password"})
}
