package console

import (
	"html/template"
	"time"

	"warifu/internal/iam"
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

// enrolment is the page behind an enrolment link. Its forms are those of the
// binding page at sign-in.
type enrolment struct {
	*ops.Enrolment
	New    string // kind of address that another one is typed for
	Action string // of the forms: this page
	Next   string // there is none
}

// Way is how the user will sign in, for the words at the end.
func (e enrolment) Way() string {
	switch e.Bound {
	case iam.MethodPasskey, iam.MethodEmail, iam.MethodSMS:
		return string(e.Bound)
	}
	return "device"
}

func (rq *request) enrolment(e *ops.Enrolment) error {
	return rq.page("signin/enrol", rq.t("enrol.title"), enrolment{Enrolment: e, New: rq.query("new"), Action: rq.r.URL.Path})
}

// enrolPage is what an enrolment link shows. Looking uses nothing up (H-5).
func enrolPage(rq *request) error {
	e, err := run(rq, ops.InspectEnrolmentLink, rq.link())
	if err != nil {
		return err
	}
	return rq.enrolment(e)
}

// enrol opens the link, or takes one of its forms. Who is signed in in this
// browser is in the trail: it need not be the user.
func enrol(rq *request) error {
	if err := rq.checkToken(); err != nil {
		return err
	}
	if err := rq.recognise(); err != nil && err != errSignedOut { //nolint:errorlint // it is the value itself
		return err
	}
	f := rq.form()
	form, at := bindingForm(f)
	if form == nil {
		if _, err := run(rq, ops.OpenEnrolmentLink, rq.link()); err != nil {
			return err
		}
		return rq.redirect("/enrol/" + rq.path("token"))
	}
	e, err := run(rq, ops.UseEnrolmentLink, ops.UseEnrolmentLinkIn{LinkIn: rq.link(), Form: form})
	if err != nil {
		return f.again(err, at, func() error { return enrolPage(rq) })
	}
	switch field := at["*"]; {
	case e.Bound != "":
	case e.Wrong && ofKey(field):
		f.wrong(field, "passkey.refused.new")
	case e.Wrong:
		f.wrong(field, "signin.refused.wrong-code")
	case sends(form):
		return rq.redirect("/enrol/" + rq.path("token"))
	default:
		f.Note = rq.t("enrol.renewed")
	}
	if f.bad() {
		rq.status = 422
	}
	return rq.enrolment(e)
}

// sends reports whether a form asks for a code to be sent.
func sends(form ops.Submission) bool {
	_, ok := form.(ops.SubmitAddress)
	return ok
}

// bindingForm reads what was sent to bind a factor without a session, and says
// where its faults are told; nil when it is none of the forms.
func bindingForm(f *form) (ops.Submission, fields) {
	if f.Has("response") {
		return ops.SubmitNewPasskey{Response: f.Get("response")}, fields{"*": "response"}
	}
	if serial := f.Get("serial"); serial != "" {
		one, two := "one-"+serial, "two-"+serial
		return ops.SubmitPair{Serial: serial, Code1: f.Get(one), Code2: f.Get(two)}, fields{"*": one}
	}
	for _, k := range addressKinds {
		code := k.path + "-code"
		switch {
		case f.Has(code):
			return ops.SubmitAddressCode{Kind: k.kind, Code: f.Get(code)}, fields{"*": code}
		case f.Get("again") != "" && f.Has(k.path):
			return ops.SubmitAddress{Kind: k.kind, Address: f.text(k.path)}, fields{"*": code}
		case f.Has(k.path):
			return ops.SubmitAddress{Kind: k.kind, Address: f.text(k.path)}, fields{"*": k.path}
		}
	}
	if f.Has("code1") {
		return ops.SubmitPair{Code1: f.Get("code1"), Code2: f.Get("code2")}, fields{"*": "code1"}
	}
	return nil, fields{"*": "code1"}
}

// BindAddress is a kind of address on the binding page.
type BindAddress struct {
	Is     ops.NewAddress
	Form   *form
	Token  string // of sign-in forms
	Now    time.Time
	Action string
	Next   string
	New    string // the kind that another address is typed for
}

// Name begins the names of its fields.
func (b BindAddress) Name() string {
	for _, k := range addressKinds {
		if k.kind == b.Is.Kind {
			return k.path
		}
	}
	return ""
}

// Code is the code under way; nil where an address is asked for.
func (b BindAddress) Code() *ops.CodeSent {
	if b.New == b.Name() {
		return nil
	}
	return b.Is.Code
}

func bindFuncs() template.FuncMap { return template.FuncMap{"BindAddress": component[BindAddress]} }
