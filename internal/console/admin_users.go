package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

const usersPath = "/console/users"

func userRoutes() []Route {
	const one = usersPath + "/{name}"
	return slices.Concat([]Route{
		{Method: "GET", Pattern: usersPath, Who: SignedIn, Nav: "nav.users", Section: sectionManage, Icon: "user", do: usersPage},
		{Method: "GET", Pattern: "/console/new/user", Who: SignedIn, Fresh: true, do: newUserPage},
		{Method: "POST", Pattern: "/console/new/user", Who: SignedIn, do: newUser},
		{Method: "POST", Pattern: "/console/bulk", Who: SignedIn, do: bulk},
		{Method: "POST", Pattern: "/console/bulk/delete", Who: SignedIn, do: bulkDelete},

		{Method: "GET", Pattern: one, Who: SignedIn, do: userPage},
		{Method: "GET", Pattern: one + "/edit", Who: SignedIn, Fresh: true, do: editUserPage},
		{Method: "POST", Pattern: one + "/edit", Who: SignedIn, do: editUser},
		{Method: "GET", Pattern: one + "/delete", Who: SignedIn, Fresh: true, do: deleteUserPage},
		{Method: "POST", Pattern: one + "/delete", Who: SignedIn, do: deleteUser},
		{Method: "GET", Pattern: one + "/groups", Who: SignedIn, do: userGroupsPage},
		{Method: "POST", Pattern: one + "/groups", Who: SignedIn, do: userGroups},
		{Method: "GET", Pattern: one + "/access", Who: SignedIn, do: userAccessPage},
		{Method: "GET", Pattern: one + "/activity", Who: SignedIn, do: userActivityPage},
		{Method: "GET", Pattern: one + "/password", Who: SignedIn, Fresh: true, do: userPasswordPage},
		{Method: "POST", Pattern: one + "/password", Who: SignedIn, do: userPassword},
		{Method: "GET", Pattern: one + "/block", Who: SignedIn, Fresh: true, do: blockPage},
		{Method: "POST", Pattern: one + "/block", Who: SignedIn, do: block},
	}, userSecurityRoutes(), holdsUser.routes())
}

// usersData is a page of users.
type usersData struct {
	Rows   page.Page[ops.UserRow]
	Search string
	Show   string
	Chips  []Tab
	Groups []string // to add users to
	Pages  Pages
}

func usersPage(rq *request) error {
	show, search := rq.query("show"), strings.TrimSpace(rq.query("q"))
	in := ops.FindUsersIn{Search: search, Listing: rq.listing(rowsShown)}
	in.NoMFA, in.Blocked, in.NeverSignedIn, in.HasKeys = show == "nomfa", show == "blocked", show == "never", show == "keys"
	rows, err := run(rq, ops.FindUsers, in)
	if err != nil {
		return err
	}
	d := usersData{Rows: rows, Search: search, Show: show, Pages: rq.pages(string(rows.Next)), Groups: rq.groupNames()}
	d.Chips = rq.chips("show",
		Option{Label: rq.t("users.show.all")}, Option{Value: "nomfa", Label: rq.t("users.show.nomfa")}, Option{Value: "never", Label: rq.t("users.show.never")},
		Option{Value: "keys", Label: rq.t("users.show.keys")}, Option{Value: "blocked", Label: rq.t("users.show.blocked")})
	return rq.page("admin/users", rq.t("nav.users"), d)
}

// groupNames are the first groups, as suggestions; none when the person may not
// list them.
func (rq *request) groupNames() (names []string) {
	groups, err := load(rq, ops.FindGroups, ops.FindIn{Listing: ops.Listing{Limit: 100}})
	if err != nil {
		return nil
	}
	for _, g := range groups.Is.Items {
		names = append(names, g.Name)
	}
	return names
}

func newUserPage(rq *request) error {
	return rq.page("admin/newuser", rq.under("nav.users", usersPath, rq.t("users.new")), rq.groupNames())
}

// newUser makes a user, gives it a password if one was typed, and puts it into a
// group. What comes after the user itself may be refused: the user is there
// then, and its page says what is missing.
func newUser(rq *request) error {
	f := rq.form()
	name := f.text("name")
	if !f.need("name") {
		return f.again(nil, nil, func() error { return newUserPage(rq) })
	}
	if _, err := run(rq, ops.CreateUser, ops.CreateUserIn{Name: name, Path: f.text("path")}); err != nil {
		return f.again(err, fields{"userName": "name", "user": "name", "path": "path"}, func() error { return newUserPage(rq) })
	}
	ref := ops.Ref{Name: name}
	to := usersPath + "/" + url.PathEscape(name)
	if group := f.text("group"); group != "" {
		if _, err := run(rq, ops.AddUserToGroup, ops.MemberIn{Group: ops.Ref{Name: group}, User: ref}); err != nil {
			return rq.half(err, to, "flash.user.half", name)
		}
	}
	if f.Get("password") != "" {
		in := ops.CreateLoginProfileIn{User: ref, Password: f.secret("password"), ResetRequired: f.Get("reset") != ""}
		if _, err := run(rq, ops.CreateLoginProfile, in); err != nil {
			return rq.half(err, to+"/password", "flash.user.nopassword", name)
		}
	}
	return rq.done(to, "flash.user.created", "name", name)
}

// half goes on after the first part of something was done and the second was
// not: to a page where it can be done.
func (rq *request) half(err error, to, key, name string) error {
	if fault.Is(err, fault.Internal) {
		return err
	}
	return rq.done(to, key, "name", name)
}

// usersList is the list of users as it was when its form was sent: with its
// filters, and at its page.
func (rq *request) usersList() string {
	back := local(rq.form().Get("back"))
	if path, _, _ := strings.Cut(back, "?"); path != usersPath {
		return usersPath
	}
	return back
}

// bulk does something with the users that are marked in the list.
func bulk(rq *request) error {
	f := rq.form()
	users, back := f.Values["user"], rq.usersList()
	if len(users) == 0 {
		return rq.done(back, "flash.note.bulk.none")
	}
	switch f.Get("do") {
	case "delete":
		if err := rq.mustBeFresh(); err != nil {
			return err
		}
		return bulkDeletePage(rq)
	case "mfa":
		return rq.each(users, back, "flash.bulk.mfa", "", func(u ops.Ref) error {
			on := true
			_, err := run(rq, ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: u, MFARequired: &on})
			if fault.Is(err, fault.NotFound) { // it has no password, and cannot sign in
				return nil
			}
			return err
		})
	}
	group := f.text("group")
	if group == "" {
		return rq.done(back, "flash.note.bulk.nogroup")
	}
	return rq.each(users, back, "flash.bulk.added", group, func(u ops.Ref) error {
		_, err := run(rq, ops.AddUserToGroup, ops.MemberIn{Group: ops.Ref{Name: group}, User: u})
		return err
	})
}

// each does something with users one after the other, and goes back to the list,
// which says for how many it was done. A refusal of the first is a page of its
// own.
func (rq *request) each(users []string, back, say, group string, do func(ops.Ref) error) error {
	for i, u := range users {
		if err := do(ops.Ref{Name: u}); err != nil {
			if i > 0 {
				return rq.half(err, back, "flash.note.bulk.half", strconv.Itoa(i))
			}
			return err
		}
	}
	return rq.done(back, say, "n", strconv.Itoa(len(users)), "group", group)
}

// bulkData are users who are about to be deleted, and what goes with each.
type bulkData struct {
	Users []doomed
	Count string // what is to be typed
	Back  string
}

type doomed struct {
	Name string
	*ops.Belongings
}

func bulkDeletePage(rq *request) error {
	users := rq.form().Values["user"]
	d := bulkData{Count: strconv.Itoa(len(users)), Back: rq.usersList()}
	for _, u := range users {
		b, err := run(rq, ops.GetUserBelongings, ops.UserIn{User: ops.Ref{Name: u}})
		if err != nil {
			return err
		}
		d.Users = append(d.Users, doomed{u, b})
	}
	return rq.page("admin/bulkdelete", rq.under("nav.users", usersPath, rq.t("users.delete.many")), d)
}

func bulkDelete(rq *request) error {
	f := rq.form()
	users := f.Values["user"]
	if !f.confirmed(strconv.Itoa(len(users))) {
		return f.again(nil, nil, func() error { return bulkDeletePage(rq) })
	}
	for i, u := range users {
		if _, err := run(rq, ops.RemoveUser, ops.UserIn{User: ops.Ref{Name: u}}); err != nil {
			if i > 0 {
				return rq.half(err, rq.usersList(), "flash.note.bulk.half", strconv.Itoa(i))
			}
			return f.again(err, nil, func() error { return bulkDeletePage(rq) })
		}
	}
	return rq.done(rq.usersList(), "flash.bulk.deleted", "n", strconv.Itoa(len(users)))
}

// userData is what every tab of a user's page has.
type userData struct {
	*ops.User
	Tabs []Tab
	At   string // path of the user's page
}

// ARN names the user; the template asks for it on the page's own value.
func (u userData) ARN() string { return u.User.ARN() }

// userAt reads a user for one of its tabs.
func (rq *request) userAt(tab string) (d userData, err error) {
	d.User, err = run(rq, ops.GetUser, ops.UserIn{User: rq.named()})
	if err != nil {
		return d, err
	}
	d.At = usersPath + "/" + url.PathEscape(d.Name)
	d.Tabs = rq.tabs(d.At, tab, "", "groups", "policies", "access", "mfa", "sessions", "keys", "activity")
	rq.under("nav.users", usersPath, d.Name)
	return d, nil
}

// tabs are the views of a noun: the first is at the path itself.
func (rq *request) tabs(at, current string, names ...string) (tabs []Tab) {
	for _, n := range names {
		t := Tab{Label: rq.t("tab." + n), Href: at + "/" + n, Current: n == current}
		if n == "" {
			t.Label, t.Href = rq.t("tab.profile"), at
		}
		tabs = append(tabs, t)
	}
	return tabs
}

// profileData is the first tab.
type profileData struct {
	userData
	Password part[*ops.Login]
	Devices  part[ops.DeviceList]
	Blocked  bool
}

func userPage(rq *request) error {
	u, err := rq.userAt("")
	if err != nil {
		return err
	}
	d := profileData{userData: u}
	in := ops.UserIn{User: rq.named()}
	if d.Password, err = load(rq, ops.GetLoginProfile, in); err != nil {
		return err
	}
	if d.Devices, err = load(rq, ops.ListMFADevices, ops.UserListing{User: in.User}); err != nil {
		return err
	}
	found, err := load(rq, ops.FindUsers, ops.FindUsersIn{Search: u.Name, Blocked: true})
	if err != nil {
		return err
	}
	d.Blocked = slices.ContainsFunc(found.Is.Items, func(r ops.UserRow) bool { return r.ID == u.ID })
	return rq.page("admin/user", u.Name, d)
}

// editData is the form of what can be changed of a user.
type editData struct {
	userData
	Rows     []iam.Tag // its tags, and room for more
	Policies []string  // suggestions for the boundary
}

func editUserPage(rq *request) error {
	u, err := rq.userAt("")
	if err != nil {
		return err
	}
	f := rq.form().fill("name", u.Name, "path", u.Path, "boundary", u.BoundaryARN)
	title := rq.under("nav.users", usersPath, rq.t("edit.title", "name", u.Name), Crumb{u.Name, u.At})
	return rq.page("admin/edituser", title, editData{u, f.tagRows(u.Tags), rq.policyNames()})
}

// tagRows are the tags of the form, or those given, and two empty rows.
func (f *form) tagRows(tags []iam.Tag) []iam.Tag {
	if f.Has("key") {
		tags = f.tags()
	}
	return append(slices.Clone(tags), iam.Tag{}, iam.Tag{})
}

// policyNames are the account's first own policies, by ARN, as suggestions.
func (rq *request) policyNames() (arns []string) {
	found, err := load(rq, ops.FindPolicies, ops.FindPoliciesIn{Scope: ops.ScopeOwn, Listing: ops.Listing{Limit: 100}})
	if err != nil {
		return nil
	}
	for i := range found.Is.Items {
		arns = append(arns, found.Is.Items[i].ARN())
	}
	return arns
}

func editUser(rq *request) error {
	f := rq.form()
	u, err := run(rq, ops.GetUser, ops.UserIn{User: rq.named()})
	if err != nil {
		return err
	}
	ref := ops.Ref{ID: u.ID}
	err = retag(rq, u.Tags,
		func(t []iam.Tag) error { _, err := run(rq, ops.TagUser, ops.TagIn{Ref: ref, Tags: t}); return err },
		func(k []string) error { _, err := run(rq, ops.UntagUser, ops.UntagIn{Ref: ref, Keys: k}); return err })
	if err == nil && f.text("boundary") != u.BoundaryARN {
		if b := f.text("boundary"); b == "" {
			_, err = run(rq, ops.DeleteUserPermissionsBoundary, ops.HolderIn{Holder: ref})
		} else {
			_, err = run(rq, ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref, Boundary: b})
		}
	}
	in := ops.UpdateUserIn{User: ref}
	if n := f.text("name"); n != u.Name {
		in.NewName = n
	}
	if p := f.text("path"); p != u.Path {
		in.NewPath = p
	}
	if err == nil && (in.NewName != "" || in.NewPath != "") {
		_, err = run(rq, ops.UpdateUser, in)
	}
	if err != nil {
		return f.again(err, fields{"newUserName": "name", "user": "name", "path": "path", "boundary": "boundary", "tags": "key"}, func() error { return editUserPage(rq) })
	}
	name := u.Name
	if in.NewName != "" {
		name = in.NewName
	}
	return rq.done(usersPath+"/"+url.PathEscape(name), "flash.saved")
}

// deletion is a page that asks before something is deleted.
type deletion struct {
	Name string
	Back string
	*ops.Belongings
}

func deleteUserPage(rq *request) error {
	u, err := rq.userAt("")
	if err != nil {
		return err
	}
	b, err := run(rq, ops.GetUserBelongings, ops.UserIn{User: rq.named()})
	if err != nil {
		return err
	}
	title := rq.under("nav.users", usersPath, rq.t("user.delete"), Crumb{u.Name, u.At})
	return rq.page("admin/deleteuser", title, deletion{u.Name, u.At, b})
}

func deleteUser(rq *request) error {
	f := rq.form()
	again := func() error { return deleteUserPage(rq) }
	if !f.confirmed(rq.path("name")) {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.RemoveUser, ops.UserIn{User: rq.named()}); err != nil {
		return f.again(err, nil, again)
	}
	return rq.done(usersPath, "flash.user.deleted", "name", rq.path("name"))
}

// userGroupsData are the groups of a user.
type userGroupsData struct {
	userData
	In    part[page.Page[iam.Group]]
	Other []string // suggestions
}

func userGroupsPage(rq *request) error {
	u, err := rq.userAt("groups")
	if err != nil {
		return err
	}
	d := userGroupsData{userData: u}
	if d.In, err = load(rq, ops.ListGroupsForUser, ops.GroupsOfIn{User: rq.named()}); err != nil {
		return err
	}
	for _, name := range rq.groupNames() {
		if !slices.ContainsFunc(d.In.Is.Items, func(g iam.Group) bool { return g.Name == name }) {
			d.Other = append(d.Other, name)
		}
	}
	return rq.page("admin/usergroups", u.Name, d)
}

// userGroups adds a user to a group, or takes it out of one.
func userGroups(rq *request) error {
	f := rq.form()
	if group := f.Get("leave"); group != "" {
		if _, err := run(rq, ops.RemoveUserFromGroup, ops.MemberIn{Group: ops.Ref{Name: group}, User: rq.named()}); err != nil {
			return err
		}
		return rq.done(rq.r.URL.Path, "flash.group.left", "group", group)
	}
	group := f.text("group")
	again := func() error { return userGroupsPage(rq) }
	if !f.need("group") {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.AddUserToGroup, ops.MemberIn{Group: ops.Ref{Name: group}, User: rq.named()}); err != nil {
		return f.again(err, fields{"*": "group"}, again)
	}
	return rq.done(rq.r.URL.Path, "flash.group.joined", "group", group)
}

// userActivityData is what a user did, or what was done to it.
type userActivityData struct {
	userData
	Chips  []Tab
	Events events
}

func userActivityPage(rq *request) error {
	u, err := rq.userAt("activity")
	if err != nil {
		return err
	}
	d := userActivityData{userData: u, Chips: rq.chips("of", Option{Label: rq.t("activity.by")}, Option{Value: "to", Label: rq.t("activity.to")})}
	in := rq.eventQuery(u.Name, "")
	if rq.query("of") == "to" {
		in = rq.eventQuery("", u.Name)
	}
	if d.Events, err = rq.events(in); err != nil {
		return err
	}
	return rq.page("admin/useractivity", u.Name, d)
}

// passwordData is the form of a user's password.
type passwordData struct {
	userData
	Login part[*ops.Login]
}

func userPasswordPage(rq *request) error {
	u, err := rq.userAt("")
	if err != nil {
		return err
	}
	d := passwordData{userData: u}
	if d.Login, err = load(rq, ops.GetLoginProfile, ops.UserIn{User: rq.named()}); err != nil {
		return err
	}
	title := rq.under("nav.users", usersPath, rq.t("user.password"), Crumb{u.Name, u.At})
	return rq.page("admin/userpassword", title, d)
}

// userPassword sets a user's password, or takes it away.
func userPassword(rq *request) error {
	f := rq.form()
	ref, to := rq.named(), usersPath+"/"+url.PathEscape(rq.path("name"))
	again := func() error { return userPasswordPage(rq) }
	if f.Get("do") == "remove" {
		if _, err := run(rq, ops.DeleteLoginProfile, ops.UserIn{User: ref}); err != nil {
			return f.again(err, nil, again)
		}
		return rq.done(to, "flash.user.password.gone", "name", ref.Name)
	}
	if !f.need("password") {
		return f.again(nil, nil, again)
	}
	reset := f.Get("reset") != ""
	_, err := run(rq, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ref, Password: f.secret("password"), ResetRequired: reset})
	if fault.Is(err, fault.Exists) {
		_, err = run(rq, ops.UpdateLoginProfile, ops.UpdateLoginProfileIn{User: ref, Password: f.secret("password"), ResetRequired: &reset})
	}
	if err != nil {
		return f.again(err, fields{"password": "password", "newPassword": "password"}, again)
	}
	return rq.done(to, "flash.user.password", "name", ref.Name)
}

func blockPage(rq *request) error {
	u, err := rq.userAt("")
	if err != nil {
		return err
	}
	return rq.page("admin/block", rq.under("nav.users", usersPath, rq.t("user.block"), Crumb{u.Name, u.At}), u)
}

func block(rq *request) error {
	f := rq.form()
	if !f.need("reason") {
		return f.again(nil, nil, func() error { return blockPage(rq) })
	}
	if _, err := run(rq, ops.BlockUser, ops.BlockUserIn{User: rq.named(), Reason: f.text("reason")}); err != nil {
		return f.again(err, fields{"reason": "reason"}, func() error { return blockPage(rq) })
	}
	return rq.done(usersPath+"/"+url.PathEscape(rq.path("name")), "flash.user.blocked", "name", rq.path("name"))
}
