package console

import (
	"slices"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
	"warifu/policy"
)

func securityRoutes() []Route {
	const you = "nav.you"
	return append([]Route{
		{Method: "GET", Pattern: "/security", Who: SignedIn, Nav: "nav.security", Section: you, Icon: "shield", do: securityPage},
		{Method: "GET", Pattern: "/security/password", Who: SignedIn, do: passwordPage},
		{Method: "POST", Pattern: "/security/password", Who: SignedIn, do: changePassword},

		{Method: "GET", Pattern: "/security/mfa/new", Who: SignedIn, Fresh: true, do: newDevicePage},
		{Method: "POST", Pattern: "/security/mfa/new", Who: SignedIn, do: newDevice},
		{Method: "POST", Pattern: "/security/mfa/bind", Who: SignedIn, do: bindOwnDevice},
		{Method: "GET", Pattern: "/security/mfa/{id}/remove", Who: SignedIn, Fresh: true, do: removeDevicePage},
		{Method: "POST", Pattern: "/security/mfa/{id}/remove", Who: SignedIn, do: removeDevice},

		{Method: "GET", Pattern: "/security/keys/new", Who: SignedIn, Fresh: true, do: newKeyPage},
		{Method: "POST", Pattern: "/security/keys/new", Who: SignedIn, do: newKey},
		{Method: "POST", Pattern: "/security/keys/{id}/status", Who: SignedIn, do: switchKey},
		{Method: "GET", Pattern: "/security/keys/{id}/delete", Who: SignedIn, do: deleteKeyPage},
		{Method: "POST", Pattern: "/security/keys/{id}/delete", Who: SignedIn, do: deleteKey},

		{Method: "POST", Pattern: "/security/sessions/{id}/end", Who: SignedIn, do: endSession},
		{Method: "GET", Pattern: "/security/sessions/end", Who: SignedIn, do: endSessionsPage},
		{Method: "POST", Pattern: "/security/sessions/end", Who: SignedIn, do: endSessions},

		{Method: "GET", Pattern: "/security/activity", Who: SignedIn, do: activityPage},
		{Method: "GET", Pattern: "/security/notices", Who: SignedIn, Nav: "notices.title", Section: you, Icon: "bell", do: noticesPage},
		{Method: "POST", Pattern: "/security/notices", Who: SignedIn, do: readNotices},

		{Method: "GET", Pattern: "/stepup", Who: SignedIn, do: stepUpPage},
		{Method: "POST", Pattern: "/stepup", Who: SignedIn, do: stepUpNow},
		{Method: "POST", Pattern: "/stepup/begin", Who: SignedIn, do: stepUpBegin},
	}, enrolRoutes()...)
}

// part is one card of a page that stands on an operation of its own: what it
// found, or what stood in the way. One no leaves the other cards alone.
type part[T any] struct {
	Is  T
	No  []stretch // nil when there was nothing in the way
	Has bool
}

// load runs an operation for a part of a page. Only what the person may know
// stays in the card; any other fault is the page's.
func load[In, Out any](rq *request, op ops.Op[In, Out], in In) (p part[Out], err error) {
	p.Is, err = run(rq, op, in)
	switch d, denied := ops.AsDenial(err); {
	case err == nil:
		p.Has = true
	case denied:
		p.No = rq.denied(d).Text
	case fault.Is(err, fault.NotFound):
	default:
		return p, err
	}
	return p, nil
}

// security is what the Security page shows.
type security struct {
	Root       bool
	Password   part[*ops.Login]
	Devices    part[ops.DeviceList]
	Keys       part[ops.KeyList]
	Addresses  addresses
	Sessions   part[page.Page[ops.SessionInfo]]
	Pages      Pages // of the sessions
	Activity   page.Page[audit.Event]
	Unseen     int // notices
	Passkeys   part[[]ops.Key]
	CLILogins  part[[]iam.CLILogin]
	Remembered part[[]iam.Remembered]
	Tokens     []ops.HardwareToken // that wait to be activated
	Recovery   ops.RecoveryStatus
}

// securityPage shows how one gets in oneself, and what happened.
func securityPage(rq *request) (err error) {
	d := security{Root: rq.visit.caller.Kind == policy.Root}
	if !d.Root {
		if d.Password, err = load(rq, ops.GetLoginProfile, ops.UserIn{}); err != nil {
			return err
		}
	}
	if d.Devices, err = load(rq, ops.ListMFADevices, ops.UserListing{}); err != nil {
		return err
	}
	d.Devices.Is.Items = withoutKeys(d.Devices.Is.Items)
	if d.Passkeys, err = load(rq, ops.ListPasskeys, ops.UserIn{}); err != nil {
		return err
	}
	if d.Addresses, err = rq.loadAddresses(ops.Ref{}); err != nil {
		return err
	}
	if d.Keys, err = load(rq, ops.ListAccessKeys, ops.UserListing{}); err != nil {
		return err
	}
	if d.Sessions, err = load(rq, ops.ListSessions, ops.UserListing{Listing: rq.listing(sessionsShown)}); err != nil {
		return err
	}
	d.Pages = rq.pages(string(d.Sessions.Is.Next)).at("#sessions")
	if d.CLILogins, err = rq.cliLogins(); err != nil {
		return err
	}
	if d.Remembered, err = load(rq, ops.ListRememberedDevices, ops.UserIn{}); err != nil {
		return err
	}
	if d.Tokens, err = rq.ownTokens(); err != nil {
		return err
	}
	if d.Recovery, err = run(rq, ops.GetRecoveryStatus, struct{}{}); err != nil {
		return err
	}
	if d.Activity, err = run(rq, ops.ListOwnActivity, ops.Listing{Limit: 5}); err != nil {
		return err
	}
	d.Unseen = rq.surroundings().Unseen
	return rq.page("security/home", rq.t("nav.security"), d)
}

// backTo are the crumbs of a page below the Security page.
func (rq *request) backTo(title string) string {
	rq.crumbs = []Crumb{{Label: rq.t("nav.security"), Href: "/security"}, {Label: title}}
	return title
}

// Password.

// passwordPage says what the account asks of a password where the person may
// know it.
func passwordPage(rq *request) error {
	rules := ""
	if p, err := load(rq, ops.GetAccountPasswordPolicy, struct{}{}); err != nil {
		return err
	} else if p.Has {
		rules = rq.lang.passwordRules(p.Is)
	}
	return rq.page("security/password", rq.backTo(rq.t("password.change")), rules)
}

func changePassword(rq *request) error {
	f := rq.form()
	again := func() error { return passwordPage(rq) }
	if f.need("old", "new") && f.Get("new") != f.Get("again") {
		f.wrong("again", "password.differ")
	}
	if f.bad() {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.ChangePassword, ops.ChangePasswordIn{Old: f.secret("old"), New: f.secret("new")}); err != nil {
		return f.again(err, fields{"old password": "old", "password": "new", "newPassword": "new", "oldPassword": "old"}, again)
	}
	if err := rq.endOthersIfAsked(); err != nil {
		return err
	}
	return rq.done("/security", "flash.password")
}

// endOthersIfAsked ends the other sessions when the form's box was checked.
func (rq *request) endOthersIfAsked() error {
	if rq.form().Get("others") == "" {
		return nil
	}
	_, err := run(rq, ops.EndOtherSessions, ops.UserIn{})
	return err
}

// Devices.

// codeChoices are the kinds of codes that a virtual device can have, the common
// one first.
var codeChoices = struct{ Algorithms, Digits []Option }{
	[]Option{{Value: "SHA1", Label: "SHA-1"}, {Value: "SHA256", Label: "SHA-256"}, {Value: "SHA512", Label: "SHA-512"}},
	[]Option{{Value: "6", Label: "6"}, {Value: "8", Label: "8"}},
}

func newDevicePage(rq *request) error {
	rq.form().fill("name", suggestedDevice(rq))
	return rq.page("security/device", rq.backTo(rq.t("mfa.add")), codeChoices)
}

// suggestedDevice is the name that policies of the common kind allow: the
// user's, for the first one.
func suggestedDevice(rq *request) string {
	u := rq.visit.caller.User.Name
	if u == "" {
		u = "root"
	}
	list, err := run(rq, ops.ListMFADevices, ops.UserListing{})
	if err != nil || len(list.Items) == 0 {
		return u
	}
	return u + "-phone"
}

// binding is a device that waits for its two codes. Its seed is shown once.
type binding struct {
	Serial string
	Device *ops.NewDevice // nil when its seed was shown already
}

func newDevice(rq *request) error {
	f := rq.form()
	at := fields{"virtualMFADeviceName": "name", "mfa device": "name", "algorithm": "algorithm", "digits": "digits"}
	again := func() error { return newDevicePage(rq) }
	params, err := ops.CodeParams(f.Get("algorithm"), f.Get("digits"))
	if err != nil {
		return f.again(err, at, again)
	}
	d, err := run(rq, ops.CreateVirtualMFADevice, ops.CreateVirtualMFADeviceIn{Name: f.text("name"), Params: params})
	if err != nil {
		return f.again(err, at, again)
	}
	return rq.page("security/bind", rq.backTo(rq.t("mfa.add")), binding{Serial: d.ARN(), Device: d})
}

func bindOwnDevice(rq *request) error {
	f := rq.form()
	serial := f.Get("serial")
	_, err := run(rq, ops.EnableMFADevice, ops.PairIn{Serial: serial, Code1: f.Get("code1"), Code2: f.Get("code2")})
	if fault.Is(err, fault.Exists) && rq.hasBound(serial) { // the form was sent twice
		return rq.done("/security", "flash.mfa.added")
	}
	if err != nil {
		return f.again(err, fields{"*": "code1"}, func() error {
			return rq.page("security/bind", rq.backTo(rq.t("mfa.add")), binding{Serial: serial})
		})
	}
	if err := rq.endOthersIfAsked(); err != nil {
		return err
	}
	return rq.done("/security", "flash.mfa.added")
}

// hasBound reports whether a device is the person's already.
func (rq *request) hasBound(serial string) bool {
	list, err := run(rq, ops.ListMFADevices, ops.UserListing{})
	return err == nil && slices.ContainsFunc(list.Items, func(f iam.Factor) bool { return f.ARN() == serial })
}

// ownDevice finds one of the person's devices by the id in the path.
func ownDevice(rq *request) (*iam.Factor, int, error) {
	list, err := run(rq, ops.ListMFADevices, ops.UserListing{})
	if err != nil {
		return nil, 0, err
	}
	for i := range list.Items {
		if list.Items[i].ID == idOf(rq.path("id")) {
			return &list.Items[i], len(list.Items), nil
		}
	}
	return nil, 0, fault.Of(fault.NotFound, "mfa device", rq.path("id"))
}

// removal is a device about to be removed.
type removal struct {
	*iam.Factor
	Last bool // no other is left then
}

func removeDevicePage(rq *request) error {
	f, n, err := ownDevice(rq)
	if err != nil {
		return err
	}
	return rq.page("security/remove", rq.backTo(rq.t("mfa.remove.title")), removal{f, n == 1})
}

func removeDevice(rq *request) error {
	f, _, err := ownDevice(rq)
	if err != nil {
		return err
	}
	if _, err := run(rq, ops.DeactivateMFADevice, ops.DeviceIn{Serial: ops.Serial(rq.visit.caller.User.Name, f)}); err != nil {
		return rq.form().again(err, nil, func() error { return removeDevicePage(rq) })
	}
	// The device proves nothing any more. Deleting what is left of it may be
	// denied, or ask for a proof that can no longer be given: no reason to say that
	// removing failed.
	if f.Kind.Device() && !f.Hardware {
		_, err = run(rq, ops.DeleteVirtualMFADevice, ops.SerialIn{Serial: f.ARN()})
	}
	if err != nil && !fault.Is(err, fault.Denied) && !fault.Is(err, fault.StepUp) {
		return err
	}
	if err := rq.endOthersIfAsked(); err != nil {
		return err
	}
	return rq.done("/security", "flash.mfa.removed", "name", f.Name)
}

// Access keys.

func newKeyPage(rq *request) error {
	return rq.page("security/newkey", rq.backTo(rq.t("keys.create")), nil)
}

// newKey makes a key and shows its secret: the one page that a reload does not
// bring back.
func newKey(rq *request) error {
	k, err := run(rq, ops.CreateAccessKey, ops.UserIn{})
	if err != nil {
		return rq.form().again(err, nil, func() error { return newKeyPage(rq) })
	}
	return rq.page("security/key", rq.backTo(rq.t("keys.created")), k)
}

func (rq *request) keyIn() ops.KeyIn { return ops.KeyIn{Key: rq.path("id")} }

func switchKey(rq *request) error {
	status, say := iam.KeyInactive, "flash.key.off"
	if rq.form().Get("status") == string(iam.KeyActive) {
		status, say = iam.KeyActive, "flash.key.on"
	}
	if _, err := run(rq, ops.UpdateAccessKey, ops.UpdateAccessKeyIn{KeyIn: rq.keyIn(), Status: status}); err != nil {
		return err
	}
	return rq.done("/security#keys", say)
}

func deleteKeyPage(rq *request) error {
	list, err := run(rq, ops.ListAccessKeys, ops.UserListing{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		if list.Items[i].ID == rq.path("id") {
			return rq.page("security/deletekey", rq.backTo(rq.t("keys.delete.title")), list.Items[i])
		}
	}
	return fault.Of(fault.NotFound, "access key", rq.path("id"))
}

func deleteKey(rq *request) error {
	f := rq.form()
	if f.text("confirm") != rq.path("id") {
		f.wrong("confirm", "form.confirm.differs")
		return f.again(nil, nil, func() error { return deleteKeyPage(rq) })
	}
	if _, err := run(rq, ops.DeleteAccessKey, rq.keyIn()); err != nil {
		return f.again(err, nil, func() error { return deleteKeyPage(rq) })
	}
	return rq.done("/security#keys", "flash.key.deleted")
}

// Sessions.

func endSession(rq *request) error {
	if _, err := run(rq, ops.EndSession, ops.SessionIn{Session: idOf(rq.path("id"))}); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return rq.done("/security#sessions", "flash.session.ended")
}

func endSessionsPage(rq *request) error {
	return rq.page("security/endsessions", rq.backTo(rq.t("sessions.end.title")), nil)
}

func endSessions(rq *request) error {
	if _, err := run(rq, ops.EndOtherSessions, ops.UserIn{}); err != nil {
		return err
	}
	return rq.done("/security#sessions", "flash.sessions.ended")
}

// Activity and notices.

type activity struct {
	Events page.Page[audit.Event]
	Pages  Pages
}

func activityPage(rq *request) error {
	events, err := run(rq, ops.ListOwnActivity, rq.listing(rowsShown))
	if err != nil {
		return err
	}
	return rq.page("security/activity", rq.backTo(rq.t("activity.title")), activity{events, rq.pages(string(events.Next))})
}

// sessionsShown is how many sessions the Security page shows at a time.
const sessionsShown = 10

// at are the same pages, shown from a part of them on.
func (p Pages) at(fragment string) Pages {
	if p.First != "" {
		p.First += fragment
	}
	if p.Next != "" {
		p.Next += fragment
	}
	return p
}

// pages leads on from a page of a list. The parameters of the URL stay.
func (rq *request) pages(next string) (p Pages) {
	q := rq.r.URL.Query()
	if q.Has("after") {
		q.Del("after")
		if p.First = rq.r.URL.Path; len(q) > 0 {
			p.First += "?" + q.Encode()
		}
	}
	if next != "" {
		q.Set("after", next)
		p.Next = rq.r.URL.Path + "?" + q.Encode()
	}
	return p
}

type notices struct {
	ops.NoticeList
	Pages  Pages
	Newest time.Time
}

func noticesPage(rq *request) error {
	list, err := run(rq, ops.ListNotices, ops.Listing{Limit: 30, Cursor: rq.query("after")})
	if err != nil {
		return err
	}
	d := notices{NoticeList: list, Pages: rq.pages(string(list.Next))}
	if len(list.Items) > 0 {
		d.Newest = list.Items[0].At
	}
	return rq.page("security/notices", rq.t("notices.title"), d)
}

func readNotices(rq *request) error {
	at, err := time.Parse(time.RFC3339Nano, rq.form().Get("upto"))
	if err != nil {
		return fault.Of(fault.Invalid, "field", "upto")
	}
	if _, err := run(rq, ops.MarkNoticesSeen, ops.MarkNoticesSeenIn{UpTo: at}); err != nil {
		return err
	}
	return rq.redirect("/security/notices")
}
