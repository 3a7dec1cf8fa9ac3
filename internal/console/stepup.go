package console

import (
	"net/url"
	"strconv"
	"time"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
)

// askAgainAfter is when a Fresh page asks for a proof beforehand, so that the
// form that follows it need not be filled in twice. It is a courtesy: what
// counts is what the operation asks for.
const askAgainAfter = 12 * time.Minute

func stepUpPath(next string) string { return "/stepup?next=" + url.QueryEscape(local(next)) }

// mustBeFresh sends a person whose last proof is a while ago to the step-up
// page, before a page that leads to an operation which asks for one.
func (rq *request) mustBeFresh() error {
	s := rq.visit.caller.Console
	last, ok := s.Last(true)
	if !ok { // the password counts only while there is no factor
		if !rq.hasDevice() {
			last, ok = s.Last(false)
		}
	}
	if ok && rq.at.Sub(last.At) < askAgainAfter {
		return nil
	}
	return fault.Of(fault.StepUp, ops.ProveFactor, "")
}

// stepUp is what the page of a proof shows.
type stepUp struct {
	Next     string
	Minutes  int  // for which the proof will be good
	Password bool // there is no factor: the password counts
	Stronger bool // what was proved just now does not do
	Ask      Ask
}

// stepUpPage asks for the proof of a factor and leads back.
func stepUpPage(rq *request) error {
	prompts, err := run(rq, ops.ShowStepUp, struct{}{})
	if err != nil {
		return err
	}
	d := stepUp{Next: local(rq.query("next")), Minutes: int(ops.StepUpLife / time.Minute), Password: len(prompts) == 0, Stronger: rq.query("stronger") != ""}
	f := rq.form()
	if next := f.Get("next"); next != "" {
		d.Next = local(next)
	}
	chosen := f.Get("device")
	if chosen == "" {
		chosen = rq.query("device")
	}
	d.Ask = ask(f, prompts, chosen, "/stepup")
	d.Ask.Two = rq.query("two") != "" || f.Get("two") != ""
	return rq.page("security/stepup", rq.t("stepup.title"), d)
}

// stepUpBegin begins the proof of a factor for which something must be done
// first.
func stepUpBegin(rq *request) error {
	f := rq.form()
	if _, err := run(rq, ops.BeginStepUp, ops.FactorIn{Factor: idOf(f.Get("device"))}); err != nil {
		return f.again(err, fields{"*": "code"}, func() error { return stepUpPage(rq) })
	}
	return rq.redirect(stepUpPath(f.Get("next")) + "&device=" + url.QueryEscape(f.Get("device")))
}

// stepUpNow takes the proof and goes back to where it was asked for.
func stepUpNow(rq *request) error {
	f := rq.form()
	in := ops.StepUpIn{FactorIn: ops.FactorIn{Factor: idOf(f.Get("device"))}, Response: response(f), Password: f.secret("password"), Browser: rq.secretCookie(cookieBrowser)}
	out, err := run(rq, ops.StepUp, in)
	if err != nil {
		field := "code"
		switch {
		case f.Has("password"):
			field = "password"
		case f.Has("assertion") && fault.Is(err, fault.BadCode):
			f.wrong("assertion", "passkey.refused")
			return f.again(nil, nil, func() error { return stepUpPage(rq) })
		}
		return f.again(err, fields{"*": field}, func() error { return stepUpPage(rq) })
	}
	rq.openSession(out.Token, out.Expires)
	return rq.redirect(local(f.Get("next")))
}

// response reads the answer of a factor from the form that "ask" makes.
func response(f *form) ops.Response {
	return ops.Response{Code: f.Get("code"), Code2: f.Get("code2"), Assertion: f.Get("assertion")}
}

// idOf reads an id from a form or path; 0 for anything else, which names
// nothing.
func idOf(s string) name.ID {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return name.ID(n)
}
