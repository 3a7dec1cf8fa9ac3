package console

import (
	"io"
	"net/url"
	"strconv"

	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/page"
	"warifu/internal/seal"
)

const tokensPath = "/console/tokens"

// maxUpload bounds a form with a file: a file of tokens, and the rest.
const maxUpload = 5 << 20

func tokenRoutes() []Route {
	const one = tokensPath + "/{serial}"
	return []Route{
		{Method: "GET", Pattern: tokensPath, Who: SignedIn, Nav: "nav.tokens", Section: sectionSignIn, Icon: "key", do: tokensPage},
		{Method: "GET", Pattern: tokensPath + "/import", Who: SignedIn, Fresh: true, do: importTokensPage},
		{Method: "POST", Pattern: tokensPath + "/import", Who: SignedIn, Upload: true, do: importTokens},
		{Method: "GET", Pattern: one, Who: SignedIn, Fresh: true, do: tokenPage},
		{Method: "POST", Pattern: one, Who: SignedIn, do: changeToken},
		{Method: "GET", Pattern: "/security/tokens/{serial}", Who: SignedIn, Fresh: true, do: activateTokenPage},
		{Method: "POST", Pattern: "/security/tokens/{serial}", Who: SignedIn, do: activateToken},
	}
}

func tokenAt(serial string) string { return tokensPath + "/" + url.PathEscape(serial) }

type tokensData struct {
	Tokens page.Page[ops.HardwareToken]
	Pages  Pages
}

func tokensPage(rq *request) error {
	list, err := run(rq, ops.ListTokens, rq.listing(rowsShown))
	if err != nil {
		return err
	}
	return rq.page("oath/list", rq.t("nav.tokens"), tokensData{list, rq.pages(string(list.Next))})
}

func importTokensPage(rq *request) error {
	return rq.page("oath/import", rq.under("nav.tokens", tokensPath, rq.t("token.import")), nil)
}

// importTokens takes a file, or what was pasted.
func importTokens(rq *request) error {
	f := rq.form()
	again := func() error { return importTokensPage(rq) }
	file, err := rq.upload("file")
	if err != nil {
		return err
	}
	if len(file) == 0 {
		file = []byte(f.Get("text"))
	}
	f.Del("text") // it is secret: it is not shown again
	if len(file) == 0 {
		f.wrong("file", "form.required")
		return f.again(nil, nil, again)
	}
	out, err := run(rq, ops.ImportTokens, ops.ImportTokensIn{File: seal.NewSecret(file), Key: f.secret("key")})
	if err != nil {
		return f.again(err, fields{"key": "key", "file": "file", "mfa device": "file"}, again)
	}
	return rq.done(tokensPath, "flash.token.imported", "n", strconv.Itoa(len(out.Added)), "known", strconv.Itoa(len(out.Known)))
}

// upload reads a file of the form; nothing when there is none.
func (rq *request) upload(field string) ([]byte, error) {
	if rq.r.MultipartForm == nil || len(rq.r.MultipartForm.File[field]) == 0 {
		return nil, nil
	}
	f, err := rq.r.MultipartForm.File[field][0].Open()
	if err != nil {
		return nil, fault.Of(fault.Invalid, "form", "")
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxUpload))
}

// oneToken finds the token of the path.
func oneToken(rq *request) (*ops.HardwareToken, error) {
	t, err := run(rq, ops.GetToken, ops.DeviceIn{Serial: rq.path("serial")})
	return t, err
}

func tokenPage(rq *request) error {
	t, err := oneToken(rq)
	if err != nil {
		return err
	}
	rq.form().fill("user", rq.query("user"))
	return rq.page("oath/token", rq.under("nav.tokens", tokensPath, t.Name), t)
}

// changeToken does what the button of the form says.
func changeToken(rq *request) error {
	f := rq.form()
	serial := rq.path("serial")
	again := func() error { return tokenPage(rq) }
	in := ops.DeviceIn{Serial: serial, Reason: f.text("reason"), User: ops.Ref{Name: f.text("user")}}
	var err error
	to, said := tokenAt(serial), "flash.token.done"
	switch f.Get("do") {
	case "assign":
		if !f.need("user") {
			return f.again(nil, nil, again)
		}
		_, err = run(rq, ops.AssignToken, in)
	case "resync":
		_, err = run(rq, ops.ResyncMFADevice, ops.PairIn{User: in.User, Serial: serial, Code1: f.Get("code1"), Code2: f.Get("code2")})
	case "release", "lose":
		if !f.need("reason") {
			return f.again(nil, nil, again)
		}
		op := ops.ReleaseToken
		if f.Get("do") == "lose" {
			op = ops.LoseToken
		}
		_, err = run(rq, op, in)
	case "delete":
		t, e := oneToken(rq)
		if e != nil {
			return e
		}
		if !f.confirmed(t.Name) {
			return f.again(nil, nil, again)
		}
		_, err = run(rq, ops.DeleteToken, in)
		to = tokensPath
	}
	if err != nil {
		return f.again(err, fields{"user": "user", "reason": "reason", "code": "code1", "mfa device": "code1"}, again)
	}
	return rq.done(to, said, "serial", serial)
}

// ownTokens are the tokens that wait for the person to activate them, for a card
// of the Security page.
func (rq *request) ownTokens() ([]ops.HardwareToken, error) {
	return run(rq, ops.ListOwnTokens, struct{}{})
}

func activateTokenPage(rq *request) error {
	return rq.page("oath/activate", rq.backTo(rq.t("token.activate")), rq.path("serial"))
}

func activateToken(rq *request) error {
	f := rq.form()
	_, err := run(rq, ops.EnableMFADevice, ops.PairIn{Serial: rq.path("serial"), Code1: f.Get("code1"), Code2: f.Get("code2")})
	if err != nil {
		return f.again(err, fields{"*": "code1"}, func() error { return activateTokenPage(rq) })
	}
	return rq.done("/security", "flash.mfa.added")
}
