package console

import (
	"encoding/base64"
	"net/url"
	"strings"
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

// The address of the page is AWS's: its command line opens it in the browser.
const authorizePath = "/v1/authorize"

func cliLoginRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: authorizePath, Who: SignedIn, Fresh: true, do: cliConsentPage},
		{Method: "POST", Pattern: authorizePath, Who: SignedIn, do: answerCLI},
		{Method: "GET", Pattern: "/device", Who: SignedIn, do: devicePage},
		{Method: "GET", Pattern: "/device/confirm", Who: SignedIn, Fresh: true, do: deviceConsentPage},
		{Method: "POST", Pattern: "/device/confirm", Who: SignedIn, do: answerDevice},
		{Method: "POST", Pattern: "/security/commandlines/{id}/end", Who: SignedIn, do: endCLILogin},
	}
}

// parameters are those of OAuth that a command line asks with, in the order in
// which the form carries them on.
var parameters = []string{"client_id", "redirect_uri", "code_challenge", "code_challenge_method", "state", "response_type"}

// cliRequest reads what a command line asks for. A parameter that is there twice
// is none: two readers might take one each.
func cliRequest(from url.Values) ops.CLIRequest {
	one := func(name string) string {
		if len(from[name]) != 1 {
			return ""
		}
		return from[name][0]
	}
	return ops.CLIRequest{
		Client: one("client_id"), Redirect: one("redirect_uri"), Challenge: one("code_challenge"),
		Method: one("code_challenge_method"), State: one("state"), Type: one("response_type"),
	}
}

// cliConsent is what the page of a command line says.
type cliConsent struct {
	*ops.CLIConsent
	Host     string // this computer's address and port that the code goes to
	Methods  []string
	Carried  []carried // parameters
	UserCode string    // of a device
	Other    bool      // the request came from another address than the browser's
	Source   string
	Agent    string
	Action   string // where the answer goes, if not to the page of AWS's command line
}

// carried is a hidden field.
type carried struct{ Name, Value string }

// cliConsentPage asks whether a command line may act for the person.
func cliConsentPage(rq *request) error { return rq.cliConsent(rq.r.URL.Query()) }

func (rq *request) cliConsent(from url.Values) error {
	in := cliRequest(from)
	c, err := run(rq, ops.InspectCLILogin, in)
	if err != nil {
		return err
	}
	d := rq.consent(c)
	for _, name := range parameters {
		d.Carried = append(d.Carried, carried{name, from.Get(name)})
	}
	if to, err := url.Parse(in.Redirect); err == nil && !c.Remote {
		d.Host = to.Host
		rq.sendsTo(to)
	}
	return rq.page("clilogin/consent", rq.t("cli.title"), d)
}

func (rq *request) consent(c *ops.CLIConsent) cliConsent {
	d := cliConsent{CLIConsent: c, Methods: c.MFA.Methods}
	if c.Device != nil {
		d.UserCode, d.Source, d.Agent = c.Device.UserCode, c.Device.Source, c.Device.UserAgent
		d.Other = rq.source.IP.IsValid() && d.Source != rq.source.IP.String()
	}
	return d
}

// sendsTo lets the page's form lead to a command line on this computer: browsers
// hold a form's redirects to the policy, too. The address was judged before.
func (rq *request) sendsTo(to *url.URL) {
	own := policyOf(rq.nonce)
	rq.w.Header().Set("Content-Security-Policy", strings.Replace(own, "form-action 'self'", "form-action 'self' http://"+to.Host, 1))
}

// answerCLI takes the answer: the code goes to the command line on this computer,
// or is shown for one on another.
func answerCLI(rq *request) error {
	f := rq.form()
	in := cliRequest(f.Values)
	if f.Get("answer") != "approve" {
		if _, err := run(rq, ops.InspectCLILogin, in); err != nil {
			return err
		}
		if in.Remote() {
			return rq.done("/security", "flash.cli.refused")
		}
		return rq.sendBack(in, "error", "access_denied")
	}
	ok, err := run(rq, ops.ApproveCLILogin, in)
	if err != nil {
		return f.again(err, nil, func() error { return rq.cliConsent(f.Values) })
	}
	code := string(ok.Code.Reveal())
	if !in.Remote() {
		return rq.sendBack(in, "code", code)
	}
	v := url.Values{"state": {in.State}, "code": {code}}
	return rq.page("clilogin/code", rq.t("cli.code.title"), cliCode{base64.StdEncoding.EncodeToString([]byte(v.Encode())), ok.Expires})
}

// cliCode is what a person carries to another computer.
type cliCode struct {
	Text    string
	Expires time.Time
}

// sendBack redirects to the command line on this computer (RFC 6749, section
// 4.1.2; RFC 9207 for iss). The operation has judged the address.
func (rq *request) sendBack(in ops.CLIRequest, name, value string) error {
	to, err := url.Parse(in.Redirect)
	if err != nil {
		return err
	}
	q := to.Query()
	q.Set(name, value)
	q.Set("state", in.State)
	q.Set("iss", rq.c.URL.String())
	to.RawQuery = q.Encode()
	return rq.redirect(to.String())
}

// devicePage asks for the code that a command line shows.
func devicePage(rq *request) error {
	rq.form().fill("user_code", rq.query("user_code"))
	return rq.page("clilogin/device", rq.t("cli.device.title"), nil)
}

// deviceConsentPage asks whether the command line that waits with a code may act
// for the person.
func deviceConsentPage(rq *request) error {
	f := rq.form().fill("user_code", rq.query("user_code"))
	c, err := run(rq, ops.InspectDeviceLogin, ops.DeviceCodeIn{UserCode: f.Get("user_code")})
	if err != nil {
		return f.again(err, fields{"device code": "user_code"}, func() error { return devicePage(rq) })
	}
	return rq.page("clilogin/consent", rq.t("cli.title"), rq.consent(c))
}

// answerDevice takes the answer for a command line that waits.
func answerDevice(rq *request) error {
	f := rq.form()
	approve := f.Get("answer") == "approve"
	_, err := run(rq, ops.AnswerDeviceLogin, ops.AnswerDeviceLoginIn{DeviceCodeIn: ops.DeviceCodeIn{UserCode: f.Get("user_code")}, Approve: approve})
	if err != nil {
		return f.again(err, fields{"device code": "user_code"}, func() error { return devicePage(rq) })
	}
	if !approve {
		return rq.done("/security", "flash.cli.refused")
	}
	return rq.done("/security", "flash.cli.approved")
}

// endCLILogin ends a command line.
func endCLILogin(rq *request) error {
	if _, err := run(rq, ops.EndCLILogin, ops.CLILoginIn{Login: idOf(rq.path("id"))}); err != nil {
		return err
	}
	return rq.done("/security", "flash.cli.ended")
}

// cliLogins are the person's command lines, for a card of the Security page.
func (rq *request) cliLogins() (part[[]iam.CLILogin], error) {
	return load(rq, ops.ListCLILogins, ops.UserIn{})
}
