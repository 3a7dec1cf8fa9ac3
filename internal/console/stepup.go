package console

import (
	"net/url"
	"strconv"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
)

// askAgainAfter is when a Fresh page asks for a proof beforehand, so that the
// form that follows it need not be filled in twice. It is a courtesy: what
// counts is what the operation asks for.
const askAgainAfter = 8 * time.Minute

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
	Devices  []iam.Factor // none: the password counts
	Chosen   name.ID
	Password bool
}

// stepUpPage asks for the proof of a factor and leads back.
func stepUpPage(rq *request) error {
	devices, err := run(rq, ops.ListMFADevices, ops.UserListing{})
	if err != nil && !fault.Is(err, fault.Denied) {
		return err
	}
	d := stepUp{Next: local(rq.query("next")), Devices: devices.Items}
	if next := rq.form().Get("next"); next != "" {
		d.Next = local(next)
	}
	_, proved := rq.visit.caller.Console.Last(true)
	d.Password = err == nil && len(d.Devices) == 0 || err != nil && !proved
	var used time.Time
	for _, f := range d.Devices {
		if d.Chosen == 0 || f.LastUsed.After(used) {
			d.Chosen, used = f.ID, f.LastUsed
		}
	}
	if id := idOf(rq.form().Get("device")); id != 0 {
		d.Chosen = id
	}
	return rq.page("security/stepup", rq.t("stepup.title"), d)
}

// stepUpNow takes the proof and goes back to where it was asked for.
func stepUpNow(rq *request) error {
	f := rq.form()
	in := ops.StepUpIn{Factor: idOf(f.Get("device")), Code: f.Get("code"), Password: f.secret("password")}
	out, err := run(rq, ops.StepUp, in)
	if err != nil {
		field := "code"
		if f.Has("password") {
			field = "password"
		}
		return f.again(err, fields{"*": field}, func() error { return stepUpPage(rq) })
	}
	rq.openSession(out.Token, out.Expires)
	return rq.redirect(local(f.Get("next")))
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
