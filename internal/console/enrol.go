package console

import (
	"warifu/internal/ops"
	"warifu/internal/seal"
)

func enrolRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: "/enrol/{token}", Who: Anyone, do: enrolPage},
		{Method: "POST", Pattern: "/enrol/{token}", Who: Anyone, do: enrol},
	}
}

func (rq *request) link() ops.LinkIn {
	return ops.LinkIn{Token: seal.NewSecret([]byte(rq.path("token")))}
}

// enrolPage is what an enrolment link shows. Looking uses nothing up (H-5).
func enrolPage(rq *request) error {
	e, err := run(rq, ops.InspectEnrolmentLink, rq.link())
	if err != nil {
		return err
	}
	return rq.page("signin/enrol", rq.t("enrol.title"), e)
}

// enrol opens the link, or takes the two codes of its device.
func enrol(rq *request) error {
	if err := rq.checkToken(); err != nil {
		return err
	}
	f := rq.form()
	if !f.Has("code1") {
		if _, err := run(rq, ops.OpenEnrolmentLink, rq.link()); err != nil {
			return err
		}
		return rq.redirect("/enrol/" + rq.path("token"))
	}
	e, err := run(rq, ops.UseEnrolmentLink, ops.UseEnrolmentLinkIn{LinkIn: rq.link(), Code1: f.Get("code1"), Code2: f.Get("code2")})
	if err != nil {
		return f.again(err, fields{"*": "code1"}, func() error { return enrolPage(rq) })
	}
	if !e.Bound {
		if e.Wrong {
			f.wrong("code1", "signin.refused.wrong-code")
		} else {
			f.Note = rq.t("enrol.renewed")
		}
		rq.status = 422
	}
	return rq.page("signin/enrol", rq.t("enrol.title"), e)
}
