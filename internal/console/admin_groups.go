package console

import (
	"net/url"
	"slices"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

const groupsPath = "/console/groups"

func groupRoutes() []Route {
	const one = groupsPath + "/{name}"
	return slices.Concat([]Route{
		{Method: "GET", Pattern: groupsPath, Who: SignedIn, Nav: "nav.groups", Section: sectionManage, Icon: "group", do: groupsPage},
		{Method: "GET", Pattern: "/console/new/group", Who: SignedIn, Fresh: true, do: newGroupPage},
		{Method: "POST", Pattern: "/console/new/group", Who: SignedIn, do: newGroup},
		{Method: "GET", Pattern: one, Who: SignedIn, do: groupPage},
		{Method: "POST", Pattern: one, Who: SignedIn, do: groupMembers},
		{Method: "GET", Pattern: one + "/edit", Who: SignedIn, Fresh: true, do: editGroupPage},
		{Method: "POST", Pattern: one + "/edit", Who: SignedIn, do: editGroup},
		{Method: "GET", Pattern: one + "/delete", Who: SignedIn, Fresh: true, do: deleteGroupPage},
		{Method: "POST", Pattern: one + "/delete", Who: SignedIn, do: deleteGroup},
	}, holdsGroup.routes())
}

// found is a page of a list with its search.
type found[T any] struct {
	Rows   page.Page[T]
	Search string
	Pages  Pages
}

// find runs an operation that searches by name.
func find[T any](rq *request, op ops.Op[ops.FindIn, page.Page[T]]) (d found[T], err error) {
	d.Search = strings.TrimSpace(rq.query("q"))
	d.Rows, err = run(rq, op, ops.FindIn{Search: d.Search, Listing: rq.listing(rowsShown)})
	d.Pages = rq.pages(string(d.Rows.Next))
	return d, err
}

func groupsPage(rq *request) error {
	d, err := find(rq, ops.FindGroups)
	if err != nil {
		return err
	}
	return rq.page("admin/groups", rq.t("nav.groups"), d)
}

func newGroupPage(rq *request) error {
	return rq.page("admin/newgroup", rq.under("nav.groups", groupsPath, rq.t("groups.new")), nil)
}

func newGroup(rq *request) error {
	f := rq.form()
	again := func() error { return newGroupPage(rq) }
	if !f.need("name") {
		return f.again(nil, nil, again)
	}
	g, err := run(rq, ops.CreateGroup, ops.CreateGroupIn{Name: f.text("name"), Path: f.text("path")})
	if err != nil {
		return f.again(err, fields{"groupName": "name", "group": "name", "path": "path"}, again)
	}
	return rq.done(groupsPath+"/"+url.PathEscape(g.Name), "flash.group.created", "name", g.Name)
}

func (rq *request) groupTabs(current string) []Tab {
	tabs := rq.tabs(groupsPath+"/"+url.PathEscape(rq.path("name")), current, "", "policies")
	tabs[0].Label = rq.t("tab.members")
	return tabs
}

type groupData struct {
	held
	Group   *iam.Group
	Members page.Page[iam.User]
	Pages   Pages
}

func groupPage(rq *request) error {
	head, err := holdsGroup.head(rq, "")
	if err != nil {
		return err
	}
	g, err := run(rq, ops.GetGroup, ops.GetGroupIn{Group: rq.named(), Listing: rq.listing(rowsShown)})
	if err != nil {
		return err
	}
	return rq.page("admin/group", head.Name, groupData{head, g.Group, g.Members, rq.pages(string(g.Members.Next))})
}

// groupMembers adds a user to the group, or takes one out.
func groupMembers(rq *request) error {
	f := rq.form()
	if user := f.Get("leave"); user != "" {
		if _, err := run(rq, ops.RemoveUserFromGroup, ops.MemberIn{Group: rq.named(), User: ops.Ref{Name: user}}); err != nil {
			return err
		}
		return rq.done(rq.r.URL.Path, "flash.member.left", "user", user)
	}
	again := func() error { return groupPage(rq) }
	if !f.need("user") {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.AddUserToGroup, ops.MemberIn{Group: rq.named(), User: ops.Ref{Name: f.text("user")}}); err != nil {
		return f.again(err, fields{"*": "user"}, again)
	}
	return rq.done(rq.r.URL.Path, "flash.member.joined", "user", f.text("user"))
}

func editGroupPage(rq *request) error {
	g, err := run(rq, ops.GetGroup, ops.GetGroupIn{Group: rq.named(), Listing: ops.Listing{Limit: 1}})
	if err != nil {
		return err
	}
	rq.form().fill("name", g.Group.Name, "path", g.Group.Path)
	at := groupsPath + "/" + url.PathEscape(g.Group.Name)
	return rq.page("admin/editgroup", rq.under("nav.groups", groupsPath, rq.t("edit.title", "name", g.Group.Name), Crumb{g.Group.Name, at}), at)
}

func editGroup(rq *request) error {
	f := rq.form()
	again := func() error { return editGroupPage(rq) }
	if !f.need("name") {
		return f.again(nil, nil, again)
	}
	g, err := run(rq, ops.UpdateGroup, ops.UpdateGroupIn{Group: rq.named(), NewName: f.text("name"), NewPath: f.text("path")})
	if err != nil {
		return f.again(err, fields{"newGroupName": "name", "group": "name", "path": "path"}, again)
	}
	return rq.done(groupsPath+"/"+url.PathEscape(g.Name), "flash.saved")
}

func deleteGroupPage(rq *request) error {
	b, err := run(rq, ops.GetGroupBelongings, ops.GroupIn{Group: rq.named()})
	if err != nil {
		return err
	}
	name := rq.path("name")
	at := groupsPath + "/" + url.PathEscape(name)
	return rq.page("admin/deletegroup", rq.under("nav.groups", groupsPath, rq.t("group.delete"), Crumb{name, at}), deletion{name, at, b})
}

func deleteGroup(rq *request) error {
	f := rq.form()
	again := func() error { return deleteGroupPage(rq) }
	if !f.confirmed(rq.path("name")) {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.RemoveGroup, ops.GroupIn{Group: rq.named()}); err != nil {
		return f.again(err, nil, again)
	}
	return rq.done(groupsPath, "flash.group.deleted", "name", rq.path("name"))
}
