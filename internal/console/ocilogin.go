package console

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/ops"
)

// The address of the page is Oracle's: its command line opens it in the browser.
const oracleAuthorizePath = "/v1/oauth2/authorize"

// oracleRedirect is where Oracle's command line listens. Nothing is sent elsewhere.
const oracleRedirect = "http://localhost:8181"

func ociLoginRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: oracleAuthorizePath, Who: SignedIn, Fresh: true, do: oracleConsentPage},
		{Method: "POST", Pattern: oracleAuthorizePath, Who: SignedIn, do: answerOracle},
	}
}

// oracleParameters are those that Oracle's command line asks with.
var oracleParameters = []string{"action", "client_id", "response_type", "nonce", "scope", "public_key", "redirect_uri", "tenant"}

// oracleRequest reads what the command line asks for, and refuses what it would not
// ask. A parameter that is there twice is none: two readers might take one each.
func oracleRequest(from url.Values) (ops.BeginOracleIn, error) {
	one := func(name string) string {
		if len(from[name]) != 1 {
			return ""
		}
		return from[name][0]
	}
	switch {
	case one("client_id") != "iaas_console":
		return ops.BeginOracleIn{}, fault.Field("client_id", "client_id must be that of Oracle's command line: iaas_console")
	case one("redirect_uri") != oracleRedirect:
		return ops.BeginOracleIn{}, fault.Field("redirect_uri", "redirect_uri must be %s", oracleRedirect)
	case !slices.Contains(strings.Fields(one("response_type")), "token"):
		return ops.BeginOracleIn{}, fault.Field("response_type", "response_type must be token id_token")
	}
	key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(one("public_key"), "="))
	if err != nil || len(key) == 0 {
		return ops.BeginOracleIn{}, fault.Field("public_key", "public_key must be a JWK in base64url")
	}
	return ops.BeginOracleIn{JWK: string(key)}, nil
}

// oracleConsentPage asks whether a command line may act for the person.
func oracleConsentPage(rq *request) error { return rq.oracleConsent(rq.r.URL.Query()) }

func (rq *request) oracleConsent(from url.Values) error {
	if _, err := oracleRequest(from); err != nil {
		return err
	}
	c, err := run(rq, ops.InspectOracleLogin, struct{}{})
	if err != nil {
		return err
	}
	d := rq.consent(c)
	d.Action, d.Host = oracleAuthorizePath, strings.TrimPrefix(oracleRedirect, "http://")
	for _, name := range oracleParameters {
		d.Carried = append(d.Carried, carried{name, from.Get(name)})
	}
	rq.sendsTo(&url.URL{Host: d.Host})
	return rq.page("clilogin/consent", rq.t("cli.title"), d)
}

// answerOracle takes the answer: the token goes to the command line on this computer,
// in the fragment of the address, which no server between sees.
func answerOracle(rq *request) error {
	f := rq.form()
	in, err := oracleRequest(f.Values)
	if err != nil {
		return err
	}
	if f.Get("answer") != "approve" {
		return rq.redirect(oracleRedirect + "/#error=access_denied")
	}
	s, err := run(rq, ops.BeginOracleSession, in)
	if err == nil {
		err = rq.c.Ops.SignOracle(rq.r.Context(), s)
	}
	if err != nil {
		return f.again(err, nil, func() error { return rq.oracleConsent(f.Values) })
	}
	v := url.Values{"security_token": {string(s.Plain.Reveal())}}
	if nonce := f.Get("nonce"); nonce != "" && len(nonce) <= 512 {
		v.Set("nonce", nonce)
	}
	return rq.redirect(oracleRedirect + "/#" + v.Encode())
}
