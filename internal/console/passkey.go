package console

import (
	"cmp"
	"encoding/base64"
	"html/template"
	"strconv"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/seal"
)

func passkeyRoutes() []Route {
	return []Route{
		{Method: "POST", Pattern: "/signin/passkey", Who: Anyone, do: signInByPasskey},

		{Method: "GET", Pattern: "/security/passkeys/new", Who: SignedIn, Fresh: true, do: newPasskeyPage},
		{Method: "POST", Pattern: "/security/passkeys/new", Who: SignedIn, do: newPasskey},
		{Method: "GET", Pattern: "/security/passkeys/{id}/rename", Who: SignedIn, do: renamePasskeyPage},
		{Method: "POST", Pattern: "/security/passkeys/{id}/rename", Who: SignedIn, do: renamePasskey},
		{Method: "GET", Pattern: "/security/passkeys/{id}/remove", Who: SignedIn, Fresh: true, do: removePasskeyPage},
		{Method: "POST", Pattern: "/security/passkeys/{id}/remove", Who: SignedIn, do: removePasskey},
		{Method: "GET", Pattern: "/security/passkeys/{id}/upgrade", Who: SignedIn, do: upgradePage},
		{Method: "POST", Pattern: "/security/passkeys/{id}/upgrade", Who: SignedIn, do: proveOldKey},
		{Method: "POST", Pattern: "/security/passkeys/{id}/upgraded", Who: SignedIn, do: finishUpgrade},

		{Method: "GET", Pattern: "/console/users/{name}/u2f", Who: SignedIn, Fresh: true, do: importKeyPage},
		{Method: "POST", Pattern: "/console/users/{name}/u2f", Who: SignedIn, do: importKey},
	}
}

// Passkey is a part of a form that asks the browser for a passkey, and posts its
// answer.
type Passkey struct {
	Form    *form
	Kind    string // get, create
	Field   string // of the form, for the answer
	Options string // what the browser is asked, JSON
	Label   string
	Fill    bool // also offer passkeys where the browser fills the form in
	Wide    bool
}

// Error is what is wrong with the answer that was posted.
func (p Passkey) Error() string { return Field{Form: p.Form, Name: p.Field}.Error() }

// Style is the button's: beside the way that a form is about it is the second one.
func (p Passkey) Style() string {
	style := "primary"
	if p.Fill {
		style = ""
	}
	if p.Wide {
		style += " wide"
	}
	return strings.TrimSpace(style)
}

// passkeyFuncs are what the templates of passkeys say things with.
func (l *language) passkeyFuncs() template.FuncMap {
	return template.FuncMap{"Passkey": component[Passkey], "keyIcon": keyIcon, "keyMake": l.keyMake, "keyBadges": l.keyBadges, "isKey": isKey}
}

func keyIcon(k ops.Key) string {
	if k.U2F {
		return "usb"
	}
	return "passkey"
}

// keyMake is what a key's authenticator is called.
func (l *language) keyMake(k ops.Key) string {
	switch {
	case k.Make != "":
		return k.Make
	case k.U2F:
		return l.text("passkeys.u2f")
	}
	return l.text("passkeys.unknown")
}

// keyBadges say what is worth knowing of a key.
func (l *language) keyBadges(k ops.Key) (all []Badge) {
	add := func(key, kind string) { all = append(all, Badge{Label: l.text(key), Kind: kind}) }
	switch {
	case k.U2F:
		add("passkeys.badge.u2f", "")
	case k.Synced:
		add("passkeys.badge.synced", "info")
	default:
		add("passkeys.badge.bound", "info")
	}
	if !k.U2F && !k.SignsIn {
		add("passkeys.badge.second", "")
	}
	if k.Copied {
		add("passkeys.badge.copied", "warn")
	}
	return all
}

// who is what the first page of a sign-in shows.
type who struct {
	Passkey string // what to ask the browser for, JSON; "" = passkeys cannot be used
}

// whoPage is the first page of a sign-in. It asks for a passkey, too; that is
// bound to this browser by the token of its forms.
func (rq *request) whoPage() error {
	token, err := rq.token()
	if err != nil {
		return err
	}
	options, err := rq.c.Ops.PasskeyRequest(seal.NewSecret([]byte(token)))
	if err != nil {
		return err
	}
	return rq.page("signin/who", rq.t("signin.title"), who{options})
}

// signInByPasskey takes the answer of a passkey in the place of name and password.
func signInByPasskey(rq *request) error {
	if err := rq.checkToken(); err != nil {
		return err
	}
	f := rq.form()
	s, err := rq.submit(ops.SubmitPasskey{Browser: rq.secretCookie(cookieForm), Assertion: f.Get("assertion")})
	if err != nil {
		return f.again(err, fields{"*": "assertion"}, rq.whoPage)
	}
	if refused(s) {
		key := "passkey.refused.signin"
		if s.Refusal != "wrong" {
			key = "signin.refused." + string(s.Refusal)
		}
		f.wrong("assertion", key)
		return f.again(nil, nil, rq.whoPage)
	}
	return rq.goOn(s, nextOf(f.Get("next")))
}

// ofKey reports whether a form brings the answer of a passkey: what is wrong then
// is said in other words than of a code.
func ofKey(field string) bool { return field == "assertion" || field == "response" }

// newKeyForm is the page for a new passkey.
type newKeyForm struct {
	Options string // "" = passkeys cannot be used at this address
	Address string
}

func newPasskeyPage(rq *request) error {
	d := newKeyForm{Address: rq.c.URL.String()}
	if rq.c.Ops.PasskeysOff() == nil {
		var err error
		if d.Options, err = run(rq, ops.BeginPasskey, struct{}{}); err != nil {
			return err
		}
	}
	return rq.page("passkey/new", rq.backTo(rq.t("passkeys.create")), d)
}

func newPasskey(rq *request) error {
	f := rq.form()
	k, err := run(rq, ops.CreatePasskey, ops.CreatePasskeyIn{Name: f.text("name"), Response: f.Get("response")})
	if err != nil {
		return f.again(err, keyFields, func() error { return newPasskeyPage(rq) })
	}
	if err := rq.endOthersIfAsked(); err != nil {
		return err
	}
	return rq.done("/security#passkeys", "flash.passkey.created", "name", k.Name)
}

// keyFields say where the faults of a new passkey are told.
var keyFields = fields{"name": "name", "key name": "name", "*": "response"}

// ownKey finds one of the person's keys by the id in the path.
func ownKey(rq *request) (*ops.Key, error) {
	all, err := run(rq, ops.ListPasskeys, ops.UserIn{})
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].ID == idOf(rq.path("id")) {
			return &all[i], nil
		}
	}
	return nil, fault.Of(fault.NotFound, "passkey", rq.path("id"))
}

func renamePasskeyPage(rq *request) error {
	k, err := ownKey(rq)
	if err != nil {
		return err
	}
	rq.form().fill("name", k.Name)
	return rq.page("passkey/rename", rq.backTo(rq.t("passkeys.rename.title")), k)
}

func renamePasskey(rq *request) error {
	f := rq.form()
	_, err := run(rq, ops.RenamePasskey, ops.RenamePasskeyIn{KeyRef: rq.keyRef(), Name: f.text("name")})
	if err != nil {
		return f.again(err, fields{"*": "name"}, func() error { return renamePasskeyPage(rq) })
	}
	return rq.done("/security#passkeys", "flash.passkey.renamed")
}

func (rq *request) keyRef() ops.KeyRef { return ops.KeyRef{Key: idOf(rq.path("id"))} }

func removePasskeyPage(rq *request) error {
	k, err := ownKey(rq)
	if err != nil {
		return err
	}
	return rq.page("passkey/remove", rq.backTo(rq.t("passkeys.remove.title")), k)
}

func removePasskey(rq *request) error {
	k, err := ownKey(rq)
	if err != nil {
		return err
	}
	if _, err := run(rq, ops.DeletePasskey, ops.DeletePasskeyIn{KeyRef: rq.keyRef()}); err != nil {
		return rq.form().again(err, nil, func() error { return removePasskeyPage(rq) })
	}
	if err := rq.endOthersIfAsked(); err != nil {
		return err
	}
	return rq.done("/security#passkeys", "flash.passkey.removed", "name", k.Name)
}

// upgrade is a U2F key on its way to become a passkey.
type upgrade struct {
	Key     *ops.Key
	Options string
	Done    bool // the old key has proved itself
}

func upgradePage(rq *request) error {
	k, err := ownKey(rq)
	if err != nil {
		return err
	}
	options, err := run(rq, ops.BeginUpgrade, rq.keyRef())
	if err != nil {
		return err
	}
	return rq.upgradePage(upgrade{Key: k, Options: options})
}

func (rq *request) upgradePage(d upgrade) error {
	return rq.page("passkey/upgrade", rq.backTo(rq.t("upgrade.title")), d)
}

// proveOldKey takes the old key's answer and asks for the new passkey.
func proveOldKey(rq *request) error {
	f := rq.form()
	k, err := ownKey(rq)
	if err != nil {
		return err
	}
	up, err := run(rq, ops.ProveUpgrade, ops.ProveUpgradeIn{KeyRef: rq.keyRef(), Assertion: f.Get("assertion")})
	if fault.Is(err, fault.BadCode) {
		f.wrong("assertion", "passkey.refused")
		return f.again(nil, nil, func() error { return upgradePage(rq) })
	}
	if err != nil {
		return err
	}
	rq.openSession(up.Token, up.Expires)
	return rq.upgradePage(upgrade{Key: k, Options: up.Options, Done: true})
}

// finishUpgrade binds the new passkey. When that fails, the old key proves itself
// once more.
func finishUpgrade(rq *request) error {
	f := rq.form()
	in := ops.FinishUpgradeIn{KeyRef: rq.keyRef(), CreatePasskeyIn: ops.CreatePasskeyIn{Name: f.text("name"), Response: f.Get("response")}}
	k, err := run(rq, ops.FinishUpgrade, in)
	if err != nil {
		return f.again(err, fields{"*": "assertion"}, func() error { return upgradePage(rq) })
	}
	return rq.done("/security#passkeys", "flash.passkey.upgraded", "name", k.Name)
}

// withoutKeys are the devices among a user's factors: keys have a card of their
// own.
func withoutKeys(all []iam.Factor) (devices []iam.Factor) {
	for _, f := range all {
		if f.Kind.Device() {
			devices = append(devices, f)
		}
	}
	return devices
}

// importKeyPage takes what another system knows of a user's U2F key.
func importKeyPage(rq *request) error {
	user := rq.path("name")
	return rq.page("passkey/import", rq.under("nav.users", usersPath, rq.t("u2f.title"), Crumb{user, tabOf(user, "mfa")}), tabOf(user, "mfa"))
}

func importKey(rq *request) error {
	f := rq.form()
	again := func() error { return importKeyPage(rq) }
	handle, okHandle := binary(f.text("handle"))
	point, okPoint := binary(f.text("public"))
	f.need("handle", "public")
	for field, ok := range map[string]bool{"handle": okHandle, "public": okPoint} {
		if !ok {
			f.wrong(field, "u2f.base64")
		}
	}
	count, err := strconv.ParseUint(cmp.Or(f.text("count"), "0"), 10, 32)
	if err != nil {
		f.wrong("count", "u2f.count.bad")
	}
	if f.bad() {
		return f.again(nil, nil, again)
	}
	k, err := run(rq, ops.ImportU2FKey, ops.ImportU2FKeyIn{
		User: rq.named(), Name: f.text("name"), KeyHandle: handle, PublicKey: point, AppID: f.text("app"), Count: uint32(count),
	})
	if err != nil {
		return f.again(err, fields{"keyHandle": "handle", "publicKey": "public", "name": "name", "key name": "name", "passkey": "handle"}, again)
	}
	return rq.done(tabOf(rq.path("name"), "mfa"), "flash.u2f.imported", "name", k.Name)
}

// binary reads base64, of the kind for URLs or of the usual one, padded or not.
func binary(s string) ([]byte, bool) {
	s = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(s), "=")
	b, err := base64.RawURLEncoding.DecodeString(s)
	return b, err == nil
}
