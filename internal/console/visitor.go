package console

import (
	"net/url"

	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/policy"
)

// visitor is who a request comes from.
type visitor struct {
	caller  ops.Caller // of a session
	account string     // its alias, or number
	unseen  int        // notices
}

// signedIn reports whether there is a session.
func (v *visitor) signedIn() bool { return v.caller.Console != nil }

// me is the visitor for the page's frame; nil when nobody is signed in.
func (v *visitor) me() *me {
	if !v.signedIn() {
		return nil
	}
	return &me{
		Name: v.caller.User.Name, Root: v.caller.Kind == policy.Root, Account: v.account, MFA: v.caller.MFA.Present, Notices: v.unseen,
	}
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
		if rq.route.Fresh && rq.r.Method != "POST" {
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
	c, err := rq.c.Ops.Session(rq.r.Context(), seal.NewSecret([]byte(secret)))
	if fault.Is(err, fault.Unauthenticated) {
		rq.dropCookie(cookieSession)
		return errSignedOut
	}
	if err != nil {
		return err
	}
	rq.visit.caller = c
	return rq.frame()
}

// frame reads what every page of a session shows.
func (rq *request) frame() error {
	if rq.r.Method == "POST" {
		return nil
	}
	notices, err := run(rq, ops.ListNotices, ops.Listing{Limit: 1})
	if err != nil {
		return err
	}
	rq.visit.unseen = notices.Unseen
	rq.visit.account = rq.visit.caller.Account.String()
	return err
}

// signInPath is where somebody signs in who then wants to go on to a page.
func signInPath(next string) string {
	if next == "" || next == home {
		return "/signin"
	}
	return "/signin?next=" + url.QueryEscape(next)
}
