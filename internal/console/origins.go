package console

import (
	"strconv"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

// What is in force beside each setting, and where it comes from.

// doorNames are the clouds at whose doors settings are set; at the console's there
// is nothing to say.
var doorNames = map[string]string{"aws": "AWS", "alibaba": "Alibaba Cloud", "oracle": "Oracle Cloud"}

// origin is the line below a setting: its value and where that comes from.
func (rq *request) origin(e *ops.EffectivePreferences, setting, value, standard string) []stretch {
	o, known := e.Origins[setting]
	key := "prefs.force"
	switch {
	case !known && value == standard:
	case !known:
		key += ".set"
	case value == standard:
		key += ".again"
	case o.Alias != "":
		key += ".as"
	case doorNames[o.Door] != "":
		key += ".door"
	default:
		key += ".by"
	}
	text, _ := rq.lang.rich(key, "value", value, "default", standard, "name", o.By, "door", doorNames[o.Door], "as", o.Alias, "when", rq.lang.ago(o.At, rq.at))
	return text
}

// onOff spells a switch.
func (rq *request) onOff(on bool) string {
	if on {
		return rq.t("prefs.on")
	}
	return rq.t("prefs.off")
}

// orNone spells a number of which 0 is none.
func (rq *request) orNone(n int) string {
	if n == 0 {
		return rq.t("prefs.none")
	}
	return strconv.Itoa(n)
}

// passwordOrigins are the lines below the rules for passwords, by the fields of
// their form.
func (rq *request) passwordOrigins(e *ops.EffectivePreferences, p *ops.PasswordPolicy) map[string][]stretch {
	std := ops.DefaultPasswordPolicy()
	lines := map[string][]stretch{}
	usual := numbersOf(&std)
	for i, n := range numbersOf(p) {
		lines[n.field] = rq.origin(e, n.setting, rq.orNone(*n.to), rq.orNone(*usual[i].to))
	}
	off := switchesOf(&std)
	for i, s := range switchesOf(p) {
		lines[s.field] = rq.origin(e, s.setting, rq.onOff(*s.to), rq.onOff(*off[i].to))
	}
	return lines
}

// prefs makes the items of the page of preferences.
type prefs struct {
	*request
	f     *form
	now   *ops.EffectivePreferences
	shown *ops.SecurityPreferences // what the form holds
}

// prefItem is one preference on the page: one of the components is set.
type prefItem struct {
	Check  *Checkbox
	Field  *Field
	Radios *Radios
	Select *Select

	Origin []stretch // what is in force, and where it comes from
	Notes  []string  // what else has a say in it
}

// but adds a remark if it is true.
func (i prefItem) but(true bool, note string) prefItem {
	if true {
		i.Notes = append(i.Notes, note)
	}
	return i
}

func (p *prefs) hint(name string) string { return p.t("prefs." + name + ".hint") }

func (p *prefs) box(name, setting string, of func(*ops.SecurityPreferences) bool) prefItem {
	std := iam.DefaultPreferences()
	return prefItem{
		Check:  &Checkbox{Form: p.f, Name: name, Label: p.t("prefs." + name), Hint: p.hint(name), Checked: of(p.shown)},
		Origin: p.origin(p.now, setting, p.onOff(of(&p.now.SecurityPreferences)), p.onOff(of(&std))),
	}
}

func (p *prefs) count(name, setting string, of func(*ops.SecurityPreferences) int) prefItem {
	std := iam.DefaultPreferences()
	return prefItem{
		Field: &Field{
			Form: p.f, Name: name, Label: p.t("prefs." + name), Hint: p.hint(name), Value: strconv.Itoa(of(p.shown)),
			Inputmode: "numeric", Narrow: true, Required: true,
		},
		Origin: p.origin(p.now, setting, strconv.Itoa(of(&p.now.SecurityPreferences)), strconv.Itoa(of(&std))),
	}
}

func (p *prefs) days(name, setting string, of func(*ops.SecurityPreferences) int) prefItem {
	std := iam.DefaultPreferences()
	s := &Select{Form: p.f, Name: name, Label: p.t("prefs." + name), Hint: p.hint(name), Value: strconv.Itoa(of(p.shown))}
	for _, d := range iam.IdleDays {
		s.Options = append(s.Options, Option{Value: strconv.Itoa(d), Label: p.t("prefs.days", "n", d)})
	}
	days := func(from *ops.SecurityPreferences) string { return p.t("prefs.days", "n", of(from)) }
	return prefItem{Select: s, Origin: p.origin(p.now, setting, days(&p.now.SecurityPreferences), days(&std))}
}

func (p *prefs) modes() prefItem {
	word := func(m iam.MFAMode) string { return p.t("prefs.mode." + string(m)) }
	r := &Radios{Form: p.f, Name: "mode", Label: p.t("prefs.mode"), Value: string(p.shown.MFAForLogin)}
	for _, m := range []iam.MFAMode{iam.MFAMandatory, iam.MFAIndependent, iam.MFAAdaptive} {
		r.Options = append(r.Options, Option{Value: string(m), Label: word(m), Hint: p.hint("mode." + string(m))})
	}
	item := prefItem{Radios: r, Origin: p.origin(p.now, "mfaOperationForLogin", word(p.now.MFAForLogin), word(iam.DefaultPreferences().MFAForLogin))}
	return item.but(p.now.MFAForLogin != iam.MFAMandatory && p.now.Required > 0, p.t("prefs.also.required", "n", p.now.Required))
}

func (p *prefs) risks() prefItem {
	word := func(m iam.RiskMode) string { return p.t("prefs.risk." + string(m)) }
	s := &Select{Form: p.f, Name: "risk", Label: p.t("prefs.risk"), Hint: p.hint("risk"), Value: string(p.shown.RiskLogin)}
	for _, m := range []iam.RiskMode{iam.RiskAutonomous, iam.RiskEnforceVerify} {
		s.Options = append(s.Options, Option{Value: string(m), Label: word(m)})
	}
	item := prefItem{Select: s, Origin: p.origin(p.now, "operationForRiskLogin", word(p.now.RiskLogin), word(iam.DefaultPreferences().RiskLogin))}
	adaptive := p.now.MFAForLogin == iam.MFAAdaptive
	return item.but(!adaptive, p.t("prefs.noeffect.adaptive")).but(adaptive && p.now.Shadow, p.t("prefs.noeffect.shadow"))
}

func (p *prefs) masks() prefItem {
	word := func(masks string) string {
		if masks == "" {
			return p.t("prefs.anywhere")
		}
		return masks
	}
	item := prefItem{
		Field: &Field{
			Form: p.f, Name: "masks", Label: p.t("prefs.masks"), Hint: p.hint("masks") + " " + p.t("prefs.masks.here", "address", p.source.IP.String()),
			Value: p.shown.NetworkMasks, Max: iam.MaxNetworkText, Mono: true, Optional: true, Autocomplete: "off",
		},
		Origin: p.origin(p.now, "loginNetworkMasks", word(p.now.NetworkMasks), word("")),
	}
	return item.but(p.now.Sources != "", p.t("prefs.also.masks", "networks", p.now.Sources))
}

// groups are the cards of the page.
func (p *prefs) groups() []prefGroup {
	type P = ops.SecurityPreferences
	group := func(id string, items ...prefItem) prefGroup {
		return prefGroup{ID: id, Title: p.t("prefs.group." + id), Text: p.t("prefs.group." + id + ".text"), Items: items}
	}
	ownPassword := p.box("ownPassword", "allowUserToChangePassword", func(p *P) bool { return p.OwnPassword })
	if p.now.ChangesOwn && !p.now.OwnPassword {
		ownPassword.Origin, _ = p.lang.rich("prefs.force.set", "value", p.onOff(true), "default", p.onOff(true))
		ownPassword = ownPassword.but(true, p.t("prefs.also.ownPassword"))
	}
	return []prefGroup{
		group("mfa", p.modes(), p.risks(),
			p.box("shadow", "shadow", func(p *P) bool { return p.Shadow }).but(p.now.MFAForLogin != iam.MFAAdaptive, p.t("prefs.noeffect.adaptive")),
			p.box("remember", "enableSaveMFATicket", func(p *P) bool { return p.Remember }),
			p.box("rememberedIsMFA", "rememberedIsMFA", func(p *P) bool { return p.RememberedIsMFA }).but(!p.now.Remember, p.t("prefs.noeffect.remember"))),
		group("factors",
			p.box("email", "emailCodes", func(p *P) bool { return p.EmailCodes }).but(!p.now.Mail, p.t("prefs.noeffect.mail")),
			p.box("sms", "smsCodes", func(p *P) bool { return p.SMSCodes }).but(!p.now.SMS, p.t("prefs.noeffect.sms")),
			p.box("passkeys", "allowUserToLoginWithPasskey", func(p *P) bool { return p.PasskeySignIn }).but(!p.now.Passkeys, p.t("prefs.noeffect.passkeys")),
			p.box("link", "linkOnly", func(p *P) bool { return p.LinkOnly }),
			p.box("alone", "ownBindingOnly", func(p *P) bool { return p.OwnBindingOnly }),
			p.box("more", "bindMore", func(p *P) bool { return p.BindMore }),
			p.count("factors", "factorsPerUser", func(p *P) int { return p.FactorsPerUser })),
		group("sessions",
			p.count("hours", "loginSessionDuration", func(p *P) int { return p.SessionHours }),
			p.count("idle", "sessionIdle", func(p *P) int { return p.SessionIdle }), p.masks()),
		group("own", ownPassword,
			p.box("ownFactors", "allowUserToManageMFADevices", func(p *P) bool { return p.OwnFactors }),
			p.box("ownKeys", "allowUserToManageAccessKeys", func(p *P) bool { return p.OwnAccessKeys }),
			p.box("ownDingTalk", "allowUserToManagePersonalDingTalk", func(p *P) bool { return p.OwnDingTalk }),
			p.box("ownCredentials", "allowUserToManageServiceCredentials", func(p *P) bool { return p.OwnServiceCredentials })),
		group("idle",
			p.days("idleUsers", "maxIdleDaysForUsers", func(p *P) int { return p.IdleDaysUsers }),
			p.days("idleKeys", "maxIdleDaysForAccessKeys", func(p *P) int { return p.IdleDaysKeys })),
	}
}
