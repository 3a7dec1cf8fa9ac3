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
		{Method: "GET", Pattern: preferencesPath, Who: SignedIn, Nav: "nav.preferences", Section: sectionSignIn, Icon: "shield", do: preferencesPage},
		{Method: "POST", Pattern: preferencesPath, Who: SignedIn, do: savePreferences},
		{Method: "GET", Pattern: unusualPath, Who: SignedIn, do: unusualPage},
		{Method: "GET", Pattern: idlePath, Who: SignedIn, Nav: "nav.idle", Section: sectionSignIn, Icon: "clock", do: idlePage},
		{Method: "POST", Pattern: idlePath, Who: SignedIn, do: endIdle},
		{Method: "POST", Pattern: usersPath + "/{name}/mfa/required", Who: SignedIn, do: requireMFA},
		{Method: "POST", Pattern: "/security/remembered", Who: SignedIn, do: forgetBrowser},
	}
}

// prefGroup is a card of preferences.
type prefGroup struct {
	ID, Title, Text string
	Items           []prefItem
}

type preferencesData struct {
	Groups    []prefGroup
	Now       *ops.EffectivePreferences
	Impact    *ops.Impact // of what the form asks for; nil before it was looked at
	Seen      string      // mark of what the impact is of
	Unusual   part[ops.UnusualSignIns]
	Passwords part[ops.PasswordPolicy]
	Rules     string // for passwords
}

// preferencesPage shows what is in force and, after a look, what would change.
func preferencesPage(rq *request) error { return showPreferences(rq, nil) }

func showPreferences(rq *request, impact *ops.Impact) error {
	now, err := run(rq, ops.GetEffectivePreferences, struct{}{})
	if err != nil {
		return err
	}
	d := preferencesData{Now: now, Impact: impact}
	if d.Passwords, err = load(rq, ops.GetPasswordPolicy, struct{}{}); err != nil {
		return err
	}
	d.Rules = rq.lang.passwordRules(d.Passwords.Is)
	if d.Unusual, err = load(rq, ops.ListUnusualSignIns, ops.Listing{Limit: 1}); err != nil {
		return err
	}
	f := rq.form()
	shown := now.SecurityPreferences
	shown.Sources = "" // another noun's
	if len(f.Values) > 0 {
		shown = rq.readPreferences(shown)
	}
	p := prefs{rq, f, now, &shown}
	d.Groups, d.Seen = p.groups(), markOf(&shown)
	return rq.page("admin/preferences", rq.t("nav.preferences"), d)
}

// readPreferences are the preferences with what the form asks for. A number that
// is none becomes -1, which no preference may be.
func (rq *request) readPreferences(p ops.SecurityPreferences) ops.SecurityPreferences {
	f := rq.form()
	for name, to := range map[string]*bool{
		"shadow": &p.Shadow, "remember": &p.Remember, "rememberedIsMFA": &p.RememberedIsMFA, "email": &p.EmailCodes, "sms": &p.SMSCodes,
		"passkeys": &p.PasskeySignIn, "link": &p.LinkOnly, "alone": &p.OwnBindingOnly, "more": &p.BindMore,
		"ownPassword": &p.OwnPassword, "ownFactors": &p.OwnFactors, "ownKeys": &p.OwnAccessKeys,
		"ownDingTalk": &p.OwnDingTalk, "ownCredentials": &p.OwnServiceCredentials,
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
