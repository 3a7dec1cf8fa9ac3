package console

import (
	"strconv"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/ops"
)

const settingsPath = "/console/settings"

func settingsRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: settingsPath, Who: SignedIn, Nav: "nav.settings", Section: sectionServer, Icon: "settings", do: settingsPage},
		{Method: "POST", Pattern: settingsPath + "/alias", Who: SignedIn, do: saveAlias},
		{Method: "POST", Pattern: settingsPath + "/password", Who: SignedIn, do: savePasswordPolicy},
	}
}

// settingsData are the settings of the account.
type settingsData struct {
	Account  string
	Address  string // of signing in, without the account's name
	Alias    part[string]
	SignIn   *ops.EffectivePreferences
	Password part[ops.PasswordPolicy]
	Posted   *form                // that of the password policy, when it was sent
	Origins  map[string][]stretch // of its fields
	Delivery part[*ops.DeliveryState]
}

func settingsPage(rq *request) (err error) {
	d := settingsData{Account: rq.visit.caller.Account.String(), Address: strings.TrimSuffix(rq.c.URL.String(), "/") + "/signin/"}
	// Whoever may not even read how people sign in sees one page that says so.
	if d.SignIn, err = run(rq, ops.GetEffectivePreferences, struct{}{}); err != nil {
		return err
	}
	if d.Alias, err = load(rq, ops.ListAccountAliases, struct{}{}); err != nil {
		return err
	}
	if d.Password, err = load(rq, ops.GetAccountPasswordPolicy, struct{}{}); err != nil {
		return err
	}
	if d.Delivery, err = load(rq, ops.GetDelivery, struct{}{}); err != nil {
		return err
	}
	p := d.Password.Is
	if !d.Password.Has {
		p = ops.DefaultPasswordPolicy()
	}
	d.Origins = rq.passwordOrigins(d.SignIn, &p)
	f := rq.form()
	if !f.Has("alias") {
		f.Set("alias", d.Alias.Is)
	}
	if f.Has("length") {
		d.Posted = f
	} else {
		for _, n := range numbersOf(&p) {
			f.Set(n.field, number(*n.to))
		}
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

// rule is one of the rules for passwords, the field of the form that holds it, and
// what operations and the trail call it.
type rule[T any] struct {
	field, setting string
	to             *T
}

func numbersOf(p *ops.PasswordPolicy) []rule[int] {
	return []rule[int]{
		{"length", "minimumPasswordLength", &p.MinimumLength}, {"different", "minimumPasswordDifferentCharacter", &p.DifferentCharacters},
		{"age", "maxPasswordAge", &p.MaxAge}, {"reuse", "passwordReusePrevention", &p.ReusePrevention},
		{"attempts", "maxLoginAttempts", &p.MaxLoginAttempts}, {"initial", "initialPasswordAge", &p.InitialAge},
	}
}

func switchesOf(p *ops.PasswordPolicy) []rule[bool] {
	return []rule[bool]{
		{"symbols", "requireSymbols", &p.RequireSymbols}, {"numbers", "requireNumbers", &p.RequireNumbers},
		{"upper", "requireUppercaseCharacters", &p.RequireUppercase}, {"lower", "requireLowercaseCharacters", &p.RequireLowercase},
		{"change", "allowUsersToChangePassword", &p.AllowUsersToChange}, {"hard", "hardExpiry", &p.HardExpiry},
		{"noname", "passwordNotContainUserName", &p.NotContainName},
	}
}

// policyFields say which field of the form an operation's field is.
func policyFields() fields {
	named := fields{}
	for _, n := range numbersOf(&ops.PasswordPolicy{}) {
		named[n.setting] = n.field
	}
	return named
}

// savePasswordPolicy sets the policy as a whole, or takes it away.
func savePasswordPolicy(rq *request) error {
	f := rq.form()
	again := func() error { return settingsPage(rq) }
	if f.Get("do") == "default" {
		if _, err := run(rq, ops.DeleteAccountPasswordPolicy, struct{}{}); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		return rq.done(settingsPath, "flash.saved")
	}
	var p ops.PasswordPolicy
	for _, s := range switchesOf(&p) {
		*s.to = f.Get(s.field) != ""
	}
	for _, n := range numbersOf(&p) {
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
	if _, err := run(rq, ops.SetPasswordPolicy, p); err != nil {
		return f.again(err, policyFields(), again)
	}
	return rq.done(settingsPath, "flash.saved")
}
