package console

import (
	"net/url"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func userSecurityRoutes() []Route {
	const one = usersPath + "/{name}"
	return []Route{
		{Method: "GET", Pattern: one + "/mfa", Who: SignedIn, do: userMFAPage},
		{Method: "GET", Pattern: one + "/mfa/link", Who: SignedIn, Fresh: true, do: newLinkPage},
		{Method: "POST", Pattern: one + "/mfa/link", Who: SignedIn, do: newLink},
		{Method: "GET", Pattern: one + "/mfa/{id}/remove", Who: SignedIn, Fresh: true, do: removeUserDevicePage},
		{Method: "POST", Pattern: one + "/mfa/{id}/remove", Who: SignedIn, do: removeUserDevice},
		{Method: "GET", Pattern: one + "/sessions", Who: SignedIn, do: userSessionsPage},
		{Method: "POST", Pattern: one + "/sessions", Who: SignedIn, do: endUserSessions},
		{Method: "GET", Pattern: one + "/keys", Who: SignedIn, do: userKeysPage},
		{Method: "POST", Pattern: one + "/keys", Who: SignedIn, do: userKeys},
		{Method: "GET", Pattern: one + "/keys/{id}/delete", Who: SignedIn, Fresh: true, do: deleteUserKeyPage},
		{Method: "POST", Pattern: one + "/keys/{id}/delete", Who: SignedIn, do: deleteUserKey},
	}
}

// tabOf is the address of one of a user's tabs.
func tabOf(user, tab string) string { return usersPath + "/" + url.PathEscape(user) + "/" + tab }

// Devices and enrolment links.

type userMFAData struct {
	userData
	Login   part[*ops.Login]
	Rule    part[*ops.SignInRule]
	Devices part[ops.DeviceList]
	Links   part[page.Page[ops.Link]]

	Addresses addresses
	Pages     Pages // of the links
}

func userMFAPage(rq *request) error {
	u, err := rq.userAt("mfa")
	if err != nil {
		return err
	}
	d := userMFAData{userData: u}
	if d.Login, err = load(rq, ops.GetLoginProfile, ops.UserIn{User: rq.named()}); err != nil {
		return err
	}
	if d.Rule, err = load(rq, ops.GetSignInRule, ops.UserIn{User: rq.named()}); err != nil {
		return err
	}
	if d.Devices, err = load(rq, ops.ListMFADevices, ops.UserListing{User: rq.named()}); err != nil {
		return err
	}
	if d.Links, err = load(rq, ops.ListEnrolmentLinks, ops.ListEnrolmentLinksIn{User: rq.named(), Listing: rq.listing(10)}); err != nil {
		return err
	}
	d.Pages = rq.pages(string(d.Links.Is.Next)).at("#links")
	if d.Addresses, err = rq.loadAddresses(rq.named()); err != nil {
		return err
	}
	return rq.page("admin/usermfa", u.Name, d)
}

// linkLives are how long an enrolment link may be good for.
var linkLives = []struct {
	value string
	life  time.Duration
}{{"1h", time.Hour}, {"24h", 24 * time.Hour}, {"72h", 72 * time.Hour}, {"336h", 14 * 24 * time.Hour}}

type newLinkData struct {
	userData
	Lives []Option
}

func newLinkPage(rq *request) error {
	u, err := rq.userAt("mfa")
	if err != nil {
		return err
	}
	d := newLinkData{userData: u}
	for _, l := range linkLives {
		d.Lives = append(d.Lives, Option{Value: l.value, Label: rq.t("link.life." + l.value)})
	}
	return rq.page("admin/newlink", rq.under("nav.users", usersPath, rq.t("link.new"), Crumb{u.Name, u.At + "/mfa"}), d)
}

// madeLink is a link at the one moment when it is shown.
type madeLink struct {
	*ops.NewLink
	URL string
	To  string
}

func newLink(rq *request) error {
	f := rq.form()
	in := ops.CreateEnrolmentLinkIn{User: rq.named()}
	for _, l := range linkLives {
		if l.value == f.Get("life") {
			in.Life = l.life
		}
	}
	link, err := run(rq, ops.CreateEnrolmentLink, in)
	if err != nil {
		return f.again(err, nil, func() error { return newLinkPage(rq) })
	}
	name := rq.path("name")
	at := *rq.c.URL // never from what the request says (H-6)
	at.Path, at.RawQuery = "/enrol/"+string(link.Token.Reveal()), ""
	rq.under("nav.users", usersPath, rq.t("link.new"), Crumb{name, tabOf(name, "mfa")})
	return rq.page("admin/link", rq.t("link.made"), madeLink{link, at.String(), tabOf(name, "mfa")})
}

type userDevice struct {
	*iam.Factor
	User string
	Back string
	Last bool
}

// deviceOf finds a user's device by the id in the path.
func (rq *request) deviceOf() (*userDevice, error) {
	list, err := run(rq, ops.ListMFADevices, ops.UserListing{User: rq.named()})
	if err != nil {
		return nil, err
	}
	for i := range list.Items {
		if list.Items[i].ID == idOf(rq.path("id")) {
			return &userDevice{&list.Items[i], list.UserName, tabOf(list.UserName, "mfa"), len(list.Items) == 1}, nil
		}
	}
	return nil, fault.Of(fault.NotFound, "mfa device", rq.path("id"))
}

func removeUserDevicePage(rq *request) error {
	d, err := rq.deviceOf()
	if err != nil {
		return err
	}
	return rq.page("admin/removedevice", rq.under("nav.users", usersPath, rq.t("user.mfa.remove"), Crumb{d.User, d.Back}), d)
}

func removeUserDevice(rq *request) error {
	f := rq.form()
	d, err := rq.deviceOf()
	if err != nil {
		return err
	}
	again := func() error { return removeUserDevicePage(rq) }
	if !f.need("reason") {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.DeactivateMFADevice, ops.DeviceIn{User: rq.named(), Serial: ops.Serial(d.User, d.Factor), Reason: f.text("reason")}); err != nil {
		return f.again(err, nil, again)
	}
	// What is left of it proves nothing; that deleting it may be denied is no
	// reason to say that removing failed.
	if d.Kind.Device() && !d.Hardware {
		if _, err := run(rq, ops.DeleteVirtualMFADevice, ops.SerialIn{Serial: d.ARN()}); err != nil && !fault.Is(err, fault.Denied) {
			return err
		}
	}
	if f.Get("sessions") != "" {
		if _, err := run(rq, ops.EndOtherSessions, ops.UserIn{User: rq.named()}); err != nil {
			return err
		}
	}
	return rq.done(d.Back, "flash.mfa.removed", "name", d.Name)
}

// Sessions.

type userSessionsData struct {
	userData
	Sessions part[page.Page[ops.SessionInfo]]
	Pages    Pages
}

func userSessionsPage(rq *request) error {
	u, err := rq.userAt("sessions")
	if err != nil {
		return err
	}
	d := userSessionsData{userData: u}
	if d.Sessions, err = load(rq, ops.ListSessions, ops.UserListing{User: rq.named(), Listing: rq.listing(rowsShown)}); err != nil {
		return err
	}
	d.Pages = rq.pages(string(d.Sessions.Is.Next))
	return rq.page("admin/usersessions", u.Name, d)
}

// endUserSessions ends one session of a user, or all of them.
func endUserSessions(rq *request) error {
	if id := rq.form().Get("id"); id != "" {
		if _, err := run(rq, ops.EndSession, ops.SessionIn{User: rq.named(), Session: idOf(id)}); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		return rq.done(rq.r.URL.Path, "flash.session.ended")
	}
	if _, err := run(rq, ops.EndOtherSessions, ops.UserIn{User: rq.named()}); err != nil {
		return err
	}
	return rq.done(rq.r.URL.Path, "flash.user.sessions", "name", rq.path("name"))
}

// Access keys.

type userKeysData struct {
	userData
	Keys part[ops.KeyList]
}

func userKeysPage(rq *request) error {
	u, err := rq.userAt("keys")
	if err != nil {
		return err
	}
	d := userKeysData{userData: u}
	if d.Keys, err = load(rq, ops.ListAccessKeys, ops.UserListing{User: rq.named()}); err != nil {
		return err
	}
	return rq.page("admin/userkeys", u.Name, d)
}

type madeKey struct {
	*ops.NewKey
	To string
}

// userKeys makes a key for a user and shows its secret, or switches one.
func userKeys(rq *request) error {
	f := rq.form()
	if key := f.Get("key"); key != "" {
		status, say := iam.KeyInactive, "flash.key.off"
		if f.Get("status") == string(iam.KeyActive) {
			status, say = iam.KeyActive, "flash.key.on"
		}
		in := ops.UpdateAccessKeyIn{KeyIn: ops.KeyIn{User: rq.named(), Key: key}, Status: status}
		if _, err := run(rq, ops.UpdateAccessKey, in); err != nil {
			return err
		}
		return rq.done(rq.r.URL.Path, say)
	}
	k, err := run(rq, ops.CreateAccessKey, ops.UserIn{User: rq.named()})
	if err != nil {
		return f.again(err, nil, func() error { return userKeysPage(rq) })
	}
	name := rq.path("name")
	return rq.page("admin/userkey", rq.under("nav.users", usersPath, rq.t("keys.created"), Crumb{name, tabOf(name, "keys")}), madeKey{k, tabOf(name, "keys")})
}

type keyDeletion struct{ ID, User, Back string }

func deleteUserKeyPage(rq *request) error {
	name := rq.path("name")
	d := keyDeletion{rq.path("id"), name, tabOf(name, "keys")}
	return rq.page("admin/deletekey", rq.under("nav.users", usersPath, rq.t("keys.delete.title"), Crumb{name, d.Back}), d)
}

func deleteUserKey(rq *request) error {
	f := rq.form()
	again := func() error { return deleteUserKeyPage(rq) }
	if !f.confirmed(rq.path("id")) {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.DeleteAccessKey, ops.KeyIn{User: rq.named(), Key: rq.path("id")}); err != nil {
		return f.again(err, nil, again)
	}
	return rq.done(tabOf(rq.path("name"), "keys"), "flash.key.deleted")
}
