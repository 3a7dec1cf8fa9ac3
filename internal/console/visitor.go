package console

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/policy"
)

// visitor is who a request comes from.
type visitor struct {
	caller ops.Caller        // of a session
	around *ops.Surroundings // what stands around the page, when it was asked for
}

// signedIn reports whether there is a session.
func (v *visitor) signedIn() bool { return v.caller.Console != nil }

// me is the visitor for the page's frame; nil when nobody is signed in.
func (rq *request) me() *me {
	v := &rq.visit
	if !v.signedIn() {
		return nil
	}
	around := rq.surroundings()
	return &me{
		Name: v.caller.User.Name, Root: v.caller.Kind == policy.Root, MFA: v.caller.MFA.Present,
		Account: cmp.Or(around.Alias, v.caller.Account.String()), Notices: around.Unseen, Loud: around.Loud,
	}
}

// surroundings is what the frame of a signed-in person's page shows. A page is
// shown without it rather than not at all.
func (rq *request) surroundings() ops.Surroundings {
	if v := &rq.visit; v.around == nil {
		around, err := rq.c.Ops.Surroundings(rq.r.Context(), &v.caller)
		if err != nil {
			rq.c.Log.WarnContext(rq.r.Context(), "read what stands around a page", "err", err)
		}
		v.around = &around
	}
	return *rq.visit.around
}

// admit finds out who asks and lets in whom the route lets in: nobody, unless it
// says otherwise. A sign-in under way opens nothing but its next step (S-3).
func (rq *request) admit() error {
	switch rq.route.Who {
	case Anyone:
		return nil
	case Signing:
		return nil // the step itself asks the sign-in machine, which ignores a form of another stage
	case SignedIn:
		if err := rq.recognise(); err != nil {
			return err
		}
		if rq.route.Fresh && rq.r.Method != http.MethodPost {
			return rq.mustBeFresh()
		}
		return nil
	}
	return errNobody
}

// recognise finds the session of the cookie.
func (rq *request) recognise() error {
	secret := rq.cookie(cookieSession)
	if secret == "" {
		return errSignedOut
	}
	c, err := rq.c.Ops.Session(rq.r.Context(), seal.NewSecret([]byte(secret)), rq.source)
	if fault.Is(err, fault.Unauthenticated) {
		rq.dropCookie(cookieSession)
		return errSignedOut
	}
	if err != nil {
		return err
	}
	rq.visit.caller = c
	return nil
}

// rememberAccount keeps the account's name for this browser: it fills in the
// sign-in form next time.
func (rq *request) rememberAccount(a *iam.Account) {
	rq.setCookie(cookieAccount, a.ID.String()+"."+a.Alias, preferenceLife)
}

// remembered is the account that this browser signed in to last.
func (rq *request) remembered() (number, alias string) {
	number, alias, _ = strings.Cut(rq.cookie(cookieAccount), ".")
	if _, ok := name.ParseAccount(number); !ok {
		return "", ""
	}
	return number, alias
}

// signInPath is where somebody signs in who then wants to go on to a page.
func signInPath(next string) string {
	if next == "" || next == home {
		return "/signin"
	}
	return "/signin?next=" + url.QueryEscape(next)
}
