package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

const (
	preferencesPath = "/console/preferences"
	idlePath        = "/console/idle"
	unusualPath     = "/console/unusual"
)

func preferencesRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: preferencesPath, Who: SignedIn, Nav: "nav.preferences", Section: sectionWatch, Icon: "shield", do: preferencesPage},
		{Method: "POST", Pattern: preferencesPath, Who: SignedIn, do: savePreferences},
		{Method: "GET", Pattern: unusualPath, Who: SignedIn, do: unusualPage},
		{Method: "GET", Pattern: idlePath, Who: SignedIn, Nav: "nav.idle", Section: sectionWatch, Icon: "clock", do: idlePage},
		{Method: "POST", Pattern: idlePath, Who: SignedIn, do: endIdle},
		{Method: "POST", Pattern: usersPath + "/{name}/mfa/required", Who: SignedIn, do: requireMFA},
		{Method: "POST", Pattern: "/security/remembered", Who: SignedIn, do: forgetBrowser},
	}
}

// prefItem is one preference on the page: one of the components is set.
type prefItem struct {
	Check  *Checkbox
	Field  *Field
	Radios *Radios
	Select *Select
}

// prefGroup is a card of preferences.
type prefGroup struct {
	ID, Title, Text string
	Items           []prefItem
}

type preferencesData struct {
	Groups  []prefGroup
	Now     ops.SecurityPreferences
	Impact  *ops.Impact // of what the form asks for; nil before it was looked at
	Seen    string      // mark of what the impact is of
	Unusual part[ops.UnusualSignIns]
}

// preferencesPage shows what is in force and, after a look, what would change.
func preferencesPage(rq *request) error { return showPreferences(rq, nil) }

func showPreferences(rq *request, impact *ops.Impact) error {
	now, err := run(rq, ops.GetSecurityPreferences, struct{}{})
	if err != nil {
		return err
	}
	d := preferencesData{Now: now, Impact: impact}
	if d.Unusual, err = load(rq, ops.ListUnusualSignIns, ops.Listing{Limit: 1}); err != nil {
		return err
	}
	f := rq.form()
	shown := now
	if len(f.Values) > 0 {
		shown = rq.readPreferences(now)
	}
	d.Groups, d.Seen = rq.preferenceGroups(f, &shown), markOf(&shown)
	return rq.page("admin/preferences", rq.t("nav.preferences"), d)
}

// origin says of a value that the account chose it, and what the default is; the
// default speaks for itself.
func (rq *request) origin(changed bool, standard string) string {
	if changed {
		return rq.t("prefs.origin.account", "default", standard)
	}
	return ""
}

// preferenceGroups are the cards of the page.
func (rq *request) preferenceGroups(f *form, p *ops.SecurityPreferences) []prefGroup {
	std := iam.DefaultPreferences()
	hint := func(name, more string) string { return strings.TrimSpace(rq.t("prefs."+name+".hint") + " " + more) }
	box := func(name string, on, usual bool) prefItem {
		word := rq.t("prefs.off")
		if usual {
			word = rq.t("prefs.on")
		}
		return prefItem{Check: &Checkbox{Form: f, Name: name, Label: rq.t("prefs." + name), Hint: hint(name, rq.origin(on != usual, word)), Checked: on}}
	}
	count := func(name string, n, usual int) prefItem {
		return prefItem{Field: &Field{
			Form: f, Name: name, Label: rq.t("prefs." + name), Hint: hint(name, rq.origin(n != usual, strconv.Itoa(usual))),
			Value: strconv.Itoa(n), Inputmode: "numeric", Narrow: true, Required: true,
		}}
	}
	days := func(name string, n, usual int) prefItem {
		s := &Select{Form: f, Name: name, Label: rq.t("prefs." + name), Hint: hint(name, rq.origin(n != usual, strconv.Itoa(usual))), Value: strconv.Itoa(n)}
		for _, d := range iam.IdleDays {
			s.Options = append(s.Options, Option{Value: strconv.Itoa(d), Label: rq.t("prefs.days", "n", d)})
		}
		return prefItem{Select: s}
	}
	modes := &Radios{Form: f, Name: "mode", Label: rq.t("prefs.mode"), Value: string(p.MFAForLogin)}
	for _, m := range []iam.MFAMode{iam.MFAMandatory, iam.MFAIndependent, iam.MFAAdaptive} {
		o := Option{Value: string(m), Label: rq.t("prefs.mode." + string(m)), Hint: rq.t("prefs.mode." + string(m) + ".hint")}
		if m == std.MFAForLogin {
			o.Hint += " " + rq.t("prefs.origin.default")
		}
		modes.Options = append(modes.Options, o)
	}
	risks := &Select{Form: f, Name: "risk", Label: rq.t("prefs.risk"), Hint: hint("risk", rq.origin(p.RiskLogin != std.RiskLogin, rq.t("prefs.risk.autonomous"))), Value: string(p.RiskLogin)}
	for _, m := range []iam.RiskMode{iam.RiskAutonomous, iam.RiskEnforceVerify} {
		risks.Options = append(risks.Options, Option{Value: string(m), Label: rq.t("prefs.risk." + string(m))})
	}
	masks := &Field{
		Form: f, Name: "masks", Label: rq.t("prefs.masks"), Hint: hint("masks", rq.t("prefs.masks.here", "address", rq.source.IP.String())),
		Value: p.NetworkMasks, Max: iam.MaxNetworkText, Mono: true, Optional: true, Autocomplete: "off",
	}
	group := func(id string, items ...prefItem) prefGroup {
		return prefGroup{ID: id, Title: rq.t("prefs.group." + id), Text: rq.t("prefs.group." + id + ".text"), Items: items}
	}
	return []prefGroup{
		group("mfa", prefItem{Radios: modes}, prefItem{Select: risks}, box("shadow", p.Shadow, std.Shadow),
			box("remember", p.Remember, std.Remember), box("rememberedIsMFA", p.RememberedIsMFA, std.RememberedIsMFA)),
		group("factors", box("email", p.EmailCodes, std.EmailCodes), box("sms", p.SMSCodes, std.SMSCodes), box("passkeys", p.PasskeySignIn, std.PasskeySignIn),
			box("link", p.LinkOnly, std.LinkOnly), box("alone", p.OwnBindingOnly, std.OwnBindingOnly), box("more", p.BindMore, std.BindMore),
			count("factors", p.FactorsPerUser, std.FactorsPerUser)),
		group("sessions", count("hours", p.SessionHours, std.SessionHours), count("idle", p.SessionIdle, std.SessionIdle), prefItem{Field: masks}),
		group("own", box("ownPassword", p.OwnPassword, std.OwnPassword), box("ownFactors", p.OwnFactors, std.OwnFactors),
			box("ownKeys", p.OwnAccessKeys, std.OwnAccessKeys)),
		group("idle", days("idleUsers", p.IdleDaysUsers, std.IdleDaysUsers), days("idleKeys", p.IdleDaysKeys, std.IdleDaysKeys)),
	}
}

// readPreferences are the preferences with what the form asks for. A number that
// is none becomes -1, which no preference may be.
func (rq *request) readPreferences(p ops.SecurityPreferences) ops.SecurityPreferences {
	f := rq.form()
	for name, to := range map[string]*bool{
		"shadow": &p.Shadow, "remember": &p.Remember, "rememberedIsMFA": &p.RememberedIsMFA, "email": &p.EmailCodes, "sms": &p.SMSCodes,
		"passkeys": &p.PasskeySignIn, "link": &p.LinkOnly, "alone": &p.OwnBindingOnly, "more": &p.BindMore,
		"ownPassword": &p.OwnPassword, "ownFactors": &p.OwnFactors, "ownKeys": &p.OwnAccessKeys,
	} {
		*to = f.Get(name) != ""
	}
	for name, to := range map[string]*int{
		"factors": &p.FactorsPerUser, "hours": &p.SessionHours, "idle": &p.SessionIdle, "idleUsers": &p.IdleDaysUsers, "idleKeys": &p.IdleDaysKeys,
	} {
		n, err := strconv.Atoi(f.text(name))
		if err != nil {
			n = -1
		}
		*to = n
	}
	p.MFAForLogin, p.RiskLogin, p.NetworkMasks = iam.MFAMode(f.Get("mode")), iam.RiskMode(f.Get("risk")), f.text("masks")
	return p
}

// prefFields say which field of the form an operation's field is.
var prefFields = fields{
	"LoginSessionDuration": "hours", "SessionIdle": "idle", "LoginNetworkMasks": "masks", "FactorsPerUser": "factors",
	"MFAOperationForLogin": "mode", "OperationForRiskLogin": "risk", "MaxIdleDaysForUsers": "idleUsers", "MaxIdleDaysForAccessKeys": "idleKeys",
	"OwnBindingOnly": "alone",
}

// markOf tells preferences that were looked at from any others, and from the same
// after somebody else has changed what they replace. It keeps people from saving
// what they have not seen; it is no secret.
func markOf(p *ops.SecurityPreferences) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", *p))
	return hex.EncodeToString(sum[:8])
}

// savePreferences shows what would change, and saves it at the second press, if
// it is still what was shown. Whoever would shut itself out says so besides.
func savePreferences(rq *request) error {
	f := rq.form()
	now, err := run(rq, ops.GetSecurityPreferences, struct{}{})
	if err != nil {
		return err
	}
	wanted := rq.readPreferences(now)
	seen := f.Get("seen") == markOf(&wanted)
	if f.Get("do") == "save" && seen {
		in := ops.SetSecurityPreferencesIn{SecurityPreferences: wanted, Confirmed: f.Get("confirm") != ""}
		if _, err = run(rq, ops.SetSecurityPreferences, in); err == nil {
			return rq.done(preferencesPath, "flash.saved")
		}
	}
	var impact *ops.Impact
	if i, e := run(rq, ops.PreviewPreferences, wanted); e == nil {
		impact = &i
	} else if err == nil {
		err = e
	}
	again := func() error { return showPreferences(rq, impact) }
	switch {
	case err != nil:
		return f.again(err, prefFields, again)
	case f.Get("do") == "save":
		f.Note = rq.t("prefs.look")
		return f.again(nil, nil, again)
	}
	return again()
}

type unusualData struct {
	ops.UnusualSignIns
	Pages Pages
}

// unusualPage lists the sign-ins that the adaptive mode would have asked.
func unusualPage(rq *request) error {
	list, err := run(rq, ops.ListUnusualSignIns, ops.Listing{Cursor: rq.query("after")})
	if err != nil {
		return err
	}
	rq.crumbs = []Crumb{{Label: rq.t("nav.preferences"), Href: preferencesPath}, {Label: rq.t("unusual.title")}}
	return rq.page("admin/unusual", rq.t("unusual.title"), unusualData{list, rq.pages(string(list.Next))})
}

type idleData struct {
	page.Page[ops.IdleItem]
	Pages Pages
}

// idlePage lists what was turned off because nobody used it.
func idlePage(rq *request) error {
	list, err := run(rq, ops.ListIdle, ops.Listing{Cursor: rq.query("after")})
	if err != nil {
		return err
	}
	return rq.page("admin/idle", rq.t("nav.idle"), idleData{list, rq.pages(string(list.Next))})
}

// endIdle turns a password or a key on again.
func endIdle(rq *request) error {
	f := rq.form()
	user := ops.Ref{Name: f.Get("user")}
	var err error
	if key := f.Get("key"); key != "" {
		_, err = run(rq, ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{User: user, Key: key}, Status: iam.KeyActive})
	} else {
		off := false
		_, err = run(rq, ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: user, Disabled: &off})
	}
	if err != nil {
		return err
	}
	return rq.done(idlePath, "flash.saved")
}

// requireMFA sets whether a user must have a second factor, whatever others must.
func requireMFA(rq *request) error {
	on := rq.form().Get("required") != ""
	if _, err := run(rq, ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: rq.named(), MFARequired: &on}); err != nil {
		return err
	}
	return rq.done(tabOf(rq.path("name"), "mfa"), "flash.saved")
}

// forgetBrowser lets a browser no longer stand in for the person's factor.
func forgetBrowser(rq *request) error {
	if _, err := run(rq, ops.ForgetDevice, ops.ForgetDeviceIn{Device: idOf(strings.TrimSpace(rq.form().Get("device")))}); err != nil {
		return err
	}
	return rq.done("/security#remembered", "flash.saved")
}
