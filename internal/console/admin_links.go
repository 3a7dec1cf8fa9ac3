package console

import (
	"warifu/internal/ops"
	"warifu/internal/page"
)

const (
	linksPath   = "/console/links"
	blockedPath = "/console/blocked"
)

func linkRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: linksPath, Who: SignedIn, Nav: "nav.links", Section: sectionSignIn, Icon: "link", do: linksPage},
		{Method: "POST", Pattern: linksPath, Who: SignedIn, do: revokeLink},
	}
}

func blockRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: blockedPath, Who: SignedIn, Nav: "nav.blocked", Section: sectionSignIn, Icon: "block", do: blockedUsersPage},
		{Method: "GET", Pattern: blockedPath + "/{name}", Who: SignedIn, Fresh: true, do: unblockPage},
		{Method: "POST", Pattern: blockedPath + "/{name}", Who: SignedIn, do: unblock},
	}
}

type linksData struct {
	Links page.Page[ops.Link]
	Pages Pages
}

func linksPage(rq *request) error {
	list, err := run(rq, ops.ListEnrolmentLinks, ops.ListEnrolmentLinksIn{Listing: rq.listing(rowsShown)})
	if err != nil {
		return err
	}
	return rq.page("admin/links", rq.t("nav.links"), linksData{list, rq.pages(string(list.Next))})
}

func revokeLink(rq *request) error {
	f := rq.form()
	if _, err := run(rq, ops.RevokeEnrolmentLink, ops.LinkIDIn{Link: idOf(f.Get("link"))}); err != nil {
		return err
	}
	to := linksPath
	if back := f.Get("back"); back != "" {
		to = local(back)
	}
	return rq.done(to, "flash.link.revoked")
}

type blockedData struct {
	Users page.Page[ops.BlockedUser]
	Pages Pages
}

func blockedUsersPage(rq *request) error {
	list, err := run(rq, ops.ListBlockedUsers, rq.listing(rowsShown))
	if err != nil {
		return err
	}
	return rq.page("admin/blocked", rq.t("nav.blocked"), blockedData{list, rq.pages(string(list.Next))})
}

func unblockPage(rq *request) error {
	u, err := run(rq, ops.GetUser, ops.UserIn{User: rq.named()})
	if err != nil {
		return err
	}
	return rq.page("admin/unblock", rq.under("nav.blocked", blockedPath, rq.t("unblock.title")), u)
}

func unblock(rq *request) error {
	f := rq.form()
	again := func() error { return unblockPage(rq) }
	if !f.need("reason") {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.UnblockUser, ops.BlockUserIn{User: rq.named(), Reason: f.text("reason")}); err != nil {
		return f.again(err, nil, again)
	}
	return rq.done(blockedPath, "flash.user.unblocked", "name", rq.path("name"))
}
