package console

import (
	"strconv"
	"strings"

	"warifu/internal/ops"
)

const settingsPath = "/console/settings"

func settingsRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: settingsPath, Who: SignedIn, Nav: "nav.settings", Section: sectionWatch, Icon: "settings", do: settingsPage},
		{Method: "POST", Pattern: settingsPath + "/alias", Who: SignedIn, do: saveAlias},
		{Method: "POST", Pattern: settingsPath + "/signin", Who: SignedIn, do: saveSignIn},
		{Method: "POST", Pattern: settingsPath + "/password", Who: SignedIn, do: savePasswordPolicy},
	}
}

// settingsData are the settings of the account.
type settingsData struct {
	Account  string
	Address  string // of signing in, without the account's name
	Alias    part[string]
	SignIn   ops.SecurityPreferences
	Password part[ops.PasswordPolicy]
	Health   part[ops.Health]
	Delivery part[*ops.DeliveryState]
}

func settingsPage(rq *request) (err error) {
	d := settingsData{Account: rq.visit.caller.Account.String(), Address: strings.TrimSuffix(rq.c.URL.String(), "/") + "/signin/"}
	// Whoever may not even read how people sign in sees one page that says so.
	if d.SignIn, err = run(rq, ops.GetSecurityPreferences, struct{}{}); err != nil {
		return err
	}
	if d.Alias, err = load(rq, ops.ListAccountAliases, struct{}{}); err != nil {
		return err
	}
	if d.Password, err = load(rq, ops.GetAccountPasswordPolicy, struct{}{}); err != nil {
		return err
	}
	if d.Health, err = load(rq, ops.GetAccountHealth, struct{}{}); err != nil {
		return err
	}
	if d.Delivery, err = load(rq, ops.GetDelivery, struct{}{}); err != nil {
		return err
	}
	f := rq.form()
	if !f.Has("alias") {
		f.Set("alias", d.Alias.Is)
	}
	if p := d.Password.Is; !f.Has("length") && d.Password.Has {
		f.Set("length", number(p.MinimumLength))
		f.Set("age", number(p.MaxAge))
		f.Set("reuse", number(p.ReusePrevention))
	} else if !f.Has("length") {
		f.Set("length", "8")
	}
	return rq.page("admin/settings", rq.t("nav.settings"), d)
}

// number spells a number for a field; none is nothing.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func saveAlias(rq *request) error {
	f := rq.form()
	again := func() error { return settingsPage(rq) }
	alias := f.text("alias")
	if alias == "" {
		old, err := run(rq, ops.ListAccountAliases, struct{}{})
		if err == nil && old != "" {
			_, err = run(rq, ops.DeleteAccountAlias, ops.AliasIn{Alias: old})
		}
		if err != nil {
			return f.again(err, fields{"*": "alias"}, again)
		}
		return rq.done(settingsPath, "flash.saved")
	}
	if _, err := run(rq, ops.CreateAccountAlias, ops.AliasIn{Alias: alias}); err != nil {
		return f.again(err, fields{"*": "alias"}, again)
	}
	return rq.done(settingsPath, "flash.saved")
}

func saveSignIn(rq *request) error {
	f := rq.form()
	now, err := run(rq, ops.GetSecurityPreferences, struct{}{})
	if err != nil {
		return err
	}
	in := ops.SetSecurityPreferencesIn{SecurityPreferences: now}
	in.MFAForLogin, in.LinkOnly = "independent", f.Get("link") != ""
	if f.Get("mfa") != "" {
		in.MFAForLogin = "mandatory"
	}
	if _, err := run(rq, ops.SetSecurityPreferences, in); err != nil {
		return f.again(err, nil, func() error { return settingsPage(rq) })
	}
	return rq.done(settingsPath, "flash.saved")
}

func savePasswordPolicy(rq *request) error {
	f := rq.form()
	again := func() error { return settingsPage(rq) }
	p := ops.PasswordPolicy{
		RequireSymbols: f.Get("symbols") != "", RequireNumbers: f.Get("numbers") != "", RequireUppercase: f.Get("upper") != "",
		RequireLowercase: f.Get("lower") != "", AllowUsersToChange: f.Get("change") != "", HardExpiry: f.Get("hard") != "",
	}
	for _, n := range []struct {
		field string
		to    *int
	}{{"length", &p.MinimumLength}, {"age", &p.MaxAge}, {"reuse", &p.ReusePrevention}} {
		text := f.text(n.field)
		v, err := strconv.Atoi(text)
		if text != "" && err != nil {
			f.wrong(n.field, "form.number")
		}
		*n.to = v
	}
	if f.bad() {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.UpdateAccountPasswordPolicy, p); err != nil {
		return f.again(err, fields{"minimumPasswordLength": "length", "maxPasswordAge": "age", "passwordReusePrevention": "reuse"}, again)
	}
	return rq.done(settingsPath, "flash.saved")
}
