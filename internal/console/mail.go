package console

import (
	"html/template"
	"net/url"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
)

func mailRoutes() []Route {
	const own, user = "/security/address/{kind}", usersPath + "/{name}/address/{kind}"
	return []Route{
		{Method: "GET", Pattern: "/activate/{token}", Who: Anyone, do: activationPage},
		{Method: "POST", Pattern: "/activate/{token}", Who: Anyone, do: activate},
		{Method: "GET", Pattern: "/notme/{token}", Who: Anyone, do: notMePage},
		{Method: "POST", Pattern: "/notme/{token}", Who: Anyone, do: notMe},

		{Method: "GET", Pattern: own, Who: SignedIn, Fresh: true, do: ownAddressPage},
		{Method: "POST", Pattern: own, Who: SignedIn, do: sendOwnCode},
		{Method: "POST", Pattern: own + "/code", Who: SignedIn, do: giveOwnCode},
		{Method: "GET", Pattern: own + "/remove", Who: SignedIn, Fresh: true, do: removeOwnAddressPage},
		{Method: "POST", Pattern: own + "/remove", Who: SignedIn, do: removeOwnAddress},

		{Method: "GET", Pattern: user, Who: SignedIn, Fresh: true, do: userAddressPage},
		{Method: "POST", Pattern: user, Who: SignedIn, do: sendActivation},
		{Method: "GET", Pattern: user + "/remove", Who: SignedIn, Fresh: true, do: removeUserAddressPage},
		{Method: "POST", Pattern: user + "/remove", Who: SignedIn, do: removeUserAddress},

		{Method: "POST", Pattern: settingsPath + "/mail", Who: SignedIn, do: sendTest},
	}
}

// The kinds of address as the paths of pages spell them.
var addressKinds = []struct {
	path string
	kind iam.FactorKind
}{{"email", iam.FactorEmail}, {"phone", iam.FactorSMS}}

// addressKind is the kind of the path.
func (rq *request) addressKind() (iam.FactorKind, error) {
	for _, k := range addressKinds {
		if k.path == rq.path("kind") {
			return k.kind, nil
		}
	}
	return "", errNobody
}

// addressRow is one kind of address of a user, for a row and for pages of its own.
type addressRow struct {
	ops.AddressState
	Kind iam.FactorKind
	Base string // path of its pages
	Own  bool
	User string
	Back string
}

// addresses are the rows of a card.
type addresses struct {
	Rows []addressRow
	No   []stretch
}

// loadAddresses reads a user's addresses; the zero Ref is the person's own.
func (rq *request) loadAddresses(user ops.Ref) (a addresses, err error) {
	p, err := load(rq, ops.GetVerification, ops.UserIn{User: user})
	if err != nil || !p.Has {
		return addresses{No: p.No}, err
	}
	for _, k := range addressKinds {
		row := addressRow{AddressState: p.Is.Email, Kind: k.kind, Own: user == (ops.Ref{}), User: p.Is.UserName}
		if k.kind == iam.FactorSMS {
			row.AddressState = p.Is.SMS
		}
		row.Base, row.Back = "/security/address/"+k.path, "/security#addresses"
		if !row.Own {
			row.Base, row.Back = tabOf(row.User, "address/"+k.path), tabOf(row.User, "mfa")
		}
		a.Rows = append(a.Rows, row)
	}
	return a, nil
}

// addressOf is the row of the path's kind.
func (rq *request) addressOf(user ops.Ref) (*addressRow, error) {
	kind, err := rq.addressKind()
	if err != nil {
		return nil, err
	}
	v, err := run(rq, ops.GetVerification, ops.UserIn{User: user}) // a denial is the page's
	if err != nil {
		return nil, err
	}
	a := &addressRow{AddressState: v.Email, Kind: kind, Own: user == (ops.Ref{}), User: v.UserName, Base: rq.r.URL.Path, Back: "/security#addresses"}
	if kind == iam.FactorSMS {
		a.AddressState = v.SMS
	}
	if !a.Own {
		a.Back = tabOf(v.UserName, "mfa")
	} else if kind == iam.FactorEmail {
		rq.form().fill("address", v.Profile)
	}
	return a, nil
}

// addressFields are where faults about an address stand.
var addressFields = fields{"email": "address", "phone": "address", "bound address": "address", "codes": "address"}

// Own addresses.

func ownAddressPage(rq *request) error {
	a, err := rq.addressOf(ops.Ref{})
	if err != nil {
		return err
	}
	a.Base = "/security/address/" + rq.path("kind")
	if rq.query("new") != "" {
		a.Code = nil
	}
	return rq.page("mail/bind", rq.backTo(rq.t("mail.bind."+string(a.Kind))), a)
}

// sendOwnCode sends a code to an address, or another one.
func sendOwnCode(rq *request) error {
	kind, err := rq.addressKind()
	if err != nil {
		return err
	}
	f := rq.form()
	if !f.need("address") {
		return f.again(nil, nil, func() error { return ownAddressPage(rq) })
	}
	if _, err := run(rq, ops.BeginBinding, ops.BeginBindingIn{Kind: kind, Address: f.text("address")}); err != nil {
		at := addressFields
		if f.Get("again") != "" {
			at = fields{"*": "code"}
		}
		return f.again(err, at, func() error { return ownAddressPage(rq) })
	}
	return rq.redirect("/security/address/" + rq.path("kind"))
}

func giveOwnCode(rq *request) error {
	kind, err := rq.addressKind()
	if err != nil {
		return err
	}
	f := rq.form()
	if _, err := run(rq, ops.FinishBinding, ops.FinishBindingIn{Kind: kind, Code: f.Get("code")}); err != nil {
		return f.again(err, fields{"*": "code"}, func() error { return ownAddressPage(rq) })
	}
	return rq.done("/security", "flash.mail.bound")
}

func removeOwnAddressPage(rq *request) error {
	a, err := rq.addressOf(ops.Ref{})
	if err != nil {
		return err
	}
	return rq.page("mail/remove", rq.backTo(rq.t("mail.remove."+string(a.Kind))), a)
}

func removeOwnAddress(rq *request) error {
	kind, err := rq.addressKind()
	if err != nil {
		return err
	}
	if _, err := run(rq, ops.UnbindAddress, ops.VerificationIn{Kind: kind}); err != nil {
		return rq.form().again(err, nil, func() error { return removeOwnAddressPage(rq) })
	}
	return rq.done("/security", "flash.mail.removed")
}

// A user's addresses, for administrators.

func userAddressPage(rq *request) error {
	a, err := rq.addressOf(rq.named())
	if err != nil {
		return err
	}
	title := rq.t("mail.send." + string(a.Kind))
	return rq.page("mail/send", rq.under("nav.users", usersPath, title, Crumb{a.User, a.Back}), a)
}

func sendActivation(rq *request) error {
	kind, err := rq.addressKind()
	if err != nil {
		return err
	}
	f := rq.form()
	again := func() error { return userAddressPage(rq) }
	if !f.need("address") {
		return f.again(nil, nil, again)
	}
	in := ops.SendActivationIn{User: rq.named(), Kind: kind, Address: f.text("address")}
	if _, err := run(rq, ops.SendActivation, in); err != nil {
		return f.again(err, addressFields, again)
	}
	return rq.done(tabOf(rq.path("name"), "mfa"), "flash.mail.sent", "address", in.Address)
}

func removeUserAddressPage(rq *request) error {
	a, err := rq.addressOf(rq.named())
	if err != nil {
		return err
	}
	title := rq.t("mail.remove." + string(a.Kind))
	return rq.page("mail/unbind", rq.under("nav.users", usersPath, title, Crumb{a.User, a.Back}), a)
}

func removeUserAddress(rq *request) error {
	kind, err := rq.addressKind()
	if err != nil {
		return err
	}
	f := rq.form()
	again := func() error { return removeUserAddressPage(rq) }
	if !f.need("reason") {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.UnbindAddress, ops.VerificationIn{User: rq.named(), Kind: kind, Reason: f.text("reason")}); err != nil {
		return f.again(err, nil, again)
	}
	return rq.done(tabOf(rq.path("name"), "mfa"), "flash.mail.removed")
}

// The pages behind links. Looking at one does nothing (H-5), and nobody is
// signed in by it.

func (rq *request) mailLink() ops.LinkIn {
	return ops.LinkIn{Token: seal.NewSecret([]byte(rq.path("token")))}
}

func activationPage(rq *request) error {
	a, err := run(rq, ops.InspectActivation, rq.mailLink())
	if err != nil {
		return err
	}
	return rq.page("mail/activate", rq.t("mail.activate.title"), a)
}

func activate(rq *request) error {
	if err := rq.checkToken(); err != nil {
		return err
	}
	a, err := run(rq, ops.UseActivation, rq.mailLink())
	if err != nil {
		return rq.form().again(err, nil, func() error { return activationPage(rq) })
	}
	return rq.page("mail/activate", rq.t("mail.activate.title"), a)
}

func notMePage(rq *request) error {
	p, err := run(rq, ops.InspectNotMe, rq.mailLink())
	if err != nil {
		return err
	}
	return rq.page("mail/notme", rq.t("mail.notme.title"), p)
}

func notMe(rq *request) error {
	if err := rq.checkToken(); err != nil {
		return err
	}
	p, err := run(rq, ops.ReportNotMe, rq.mailLink())
	if err != nil {
		return err
	}
	return rq.page("mail/notme", rq.t("mail.notme.title"), p)
}

// sendTest sends a test message from the settings page.
func sendTest(rq *request) error {
	f := rq.form()
	in := ops.SendTestIn{Channel: iam.ChannelMail, To: f.text("mailto")}
	field := "mailto"
	if f.Get("channel") == string(iam.ChannelSMS) {
		in = ops.SendTestIn{Channel: iam.ChannelSMS, To: f.text("smsto")}
		field = "smsto"
	}
	if _, err := run(rq, ops.SendTestMessage, in); err != nil {
		return f.again(err, fields{"*": field}, func() error { return settingsPage(rq) })
	}
	return rq.done(settingsPath+"#mail", "flash.mail.tested")
}

// beginFactor begins the proof of a factor for which something must be done
// first, and stays with it.
func beginFactor(rq *request) error {
	if err := rq.checkToken(); err != nil {
		return err
	}
	f := rq.form()
	s, err := rq.submit(ops.SubmitBegin{Factor: idOf(f.Get("device"))})
	if err != nil {
		if !fault.Is(err, fault.Throttled) {
			return err
		}
		return f.again(err, fields{"*": "code"}, func() error { return stagePage(rq) })
	}
	next := nextOf(f.Get("next"))
	if string(s.Stage) != rq.route.Stage {
		return rq.goOn(s, next)
	}
	q := url.Values{"device": {f.Get("device")}}
	if next != "" {
		q.Set("next", next)
	}
	return rq.redirect(stagePaths[rq.route.Stage] + "?" + q.Encode())
}

// Sends reports whether the factor is one to which a code is sent.
func (a Ask) Sends() bool {
	return a.Kind() == string(iam.FactorEmail) || a.Kind() == string(iam.FactorSMS)
}

// Ready reports whether there is something to answer: a code was sent, or the
// factor shows one itself.
func (a Ask) Ready() bool { return !a.Sends() || a.Prompt.SentTo != "" }

// AddressCard is the card of a user's addresses.
type AddressCard struct {
	Now  time.Time
	List addresses
}

func mailFuncs() template.FuncMap {
	return template.FuncMap{
		"AddressCard": component[AddressCard],
		"addressIcon": func(k iam.FactorKind) string {
			if k == iam.FactorSMS {
				return "phone"
			}
			return "mail"
		},
	}
}
