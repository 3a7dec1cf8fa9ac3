package console

import (
	"net/url"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

// holds is a kind of noun that holds policies: its pages are alike, the
// operations are its own.
type holds struct {
	kind       iam.PrincipalKind
	path, nav  string
	attached   ops.Op[ops.HeldIn, page.Page[iam.Policy]]
	inlines    ops.Op[ops.HeldIn, page.Page[string]]
	attach     ops.Op[ops.AttachIn, struct{}]
	detach     ops.Op[ops.AttachIn, struct{}]
	get        ops.Op[ops.InlineIn, *ops.InlinePolicy]
	put        ops.Op[ops.PutInlineIn, struct{}]
	deleteText ops.Op[ops.InlineIn, struct{}]
}

// held is the head of a holder's page.
type held struct {
	Name string
	At   string
	Tabs []Tab
	Kind string
}

var (
	holdsUser = &holds{
		iam.KindUser, usersPath, "nav.users", ops.ListAttachedUserPolicies, ops.ListUserPolicies, ops.AttachUserPolicy,
		ops.DetachUserPolicy, ops.GetUserPolicy, ops.PutUserPolicy, ops.DeleteUserPolicy,
	}
	holdsGroup = &holds{
		iam.KindGroup, groupsPath, "nav.groups", ops.ListAttachedGroupPolicies, ops.ListGroupPolicies, ops.AttachGroupPolicy,
		ops.DetachGroupPolicy, ops.GetGroupPolicy, ops.PutGroupPolicy, ops.DeleteGroupPolicy,
	}
	holdsRole = &holds{
		iam.KindRole, rolesPath, "nav.roles", ops.ListAttachedRolePolicies, ops.ListRolePolicies, ops.AttachRolePolicy,
		ops.DetachRolePolicy, ops.GetRolePolicy, ops.PutRolePolicy, ops.DeleteRolePolicy,
	}
)

func (h *holds) routes() []Route {
	one := h.path + "/{name}"
	return []Route{
		{Method: "GET", Pattern: one + "/policies", Who: SignedIn, do: h.policiesPage},
		{Method: "POST", Pattern: one + "/policies", Who: SignedIn, do: h.detachOne},
		{Method: "GET", Pattern: one + "/attach", Who: SignedIn, Fresh: true, do: h.attachPage},
		{Method: "POST", Pattern: one + "/attach", Who: SignedIn, do: h.attachOne},
		{Method: "GET", Pattern: one + "/inline", Who: SignedIn, Fresh: true, do: h.inlinePage},
		{Method: "POST", Pattern: one + "/inline", Who: SignedIn, do: h.saveInline},
		{Method: "GET", Pattern: one + "/inline/delete", Who: SignedIn, Fresh: true, do: h.deleteInlinePage},
		{Method: "POST", Pattern: one + "/inline/delete", Who: SignedIn, do: h.deleteInline},
	}
}

// head reads the noun as far as the head of its page shows it.
func (h *holds) head(rq *request, tab string) (d held, err error) {
	d = held{Name: rq.path("name"), At: h.path + "/" + url.PathEscape(rq.path("name")), Kind: string(h.kind)}
	switch h.kind {
	case iam.KindUser:
		u, err := rq.userAt(tab)
		d.Name, d.Tabs = rq.path("name"), u.Tabs
		return d, err
	case iam.KindGroup:
		d.Tabs = rq.groupTabs(tab)
	case iam.KindRole:
		d.Tabs = rq.roleTabs(tab)
	}
	rq.under(h.nav, h.path, d.Name)
	return d, nil
}

// heldData are the policies of a holder.
type heldData struct {
	held
	Attached part[page.Page[iam.Policy]]
	Inline   part[page.Page[string]]
}

func (h *holds) policiesPage(rq *request) error {
	head, err := h.head(rq, "policies")
	if err != nil {
		return err
	}
	d, in := heldData{held: head}, ops.HeldIn{Holder: rq.named()}
	if d.Attached, err = load(rq, h.attached, in); err != nil {
		return err
	}
	if d.Inline, err = load(rq, h.inlines, in); err != nil {
		return err
	}
	return rq.page("admin/held", head.Name, d)
}

// detachOne takes a managed policy away.
func (h *holds) detachOne(rq *request) error {
	arn := rq.form().Get("policy")
	if _, err := run(rq, h.detach, ops.AttachIn{Holder: rq.named(), Policy: arn}); err != nil {
		return err
	}
	return rq.done(rq.r.URL.Path, "flash.detached", "policy", policyName(arn))
}

// attachData is a search for a policy to attach.
type attachData struct {
	held
	Found  part[page.Page[ops.PolicyUse]]
	Search string
	Of     string
	Chips  []Tab
	Pages  Pages
}

func (h *holds) attachPage(rq *request) error {
	head, err := h.head(rq, "policies")
	if err != nil {
		return err
	}
	d := attachData{held: head, Search: strings.TrimSpace(rq.query("q")), Of: rq.query("of"), Chips: rq.scopeChips()}
	in := ops.FindPoliciesIn{Search: d.Search, Scope: scopeOf(d.Of), Listing: rq.listing(rowsShown)}
	if d.Found, err = load(rq, ops.FindPolicies, in); err != nil {
		return err
	}
	d.Pages = rq.pages(string(d.Found.Is.Next))
	return rq.page("admin/attach", rq.under(h.nav, h.path, rq.t("attach.title"), Crumb{head.Name, head.At + "/policies"}), d)
}

func (h *holds) attachOne(rq *request) error {
	f := rq.form()
	arn := f.text("policy")
	if _, err := run(rq, h.attach, ops.AttachIn{Holder: rq.named(), Policy: arn}); err != nil {
		return f.again(err, nil, func() error { return h.attachPage(rq) })
	}
	return rq.done(h.path+"/"+url.PathEscape(rq.path("name"))+"/policies", "flash.attached", "policy", policyName(arn))
}

// inlineData is an inline policy in the editor; Policy is "" for a new one.
type inlineData struct {
	held
	Policy string
	Editor editor
}

func (h *holds) inlinePage(rq *request) error {
	head, err := h.head(rq, "policies")
	if err != nil {
		return err
	}
	d, f := inlineData{held: head, Policy: rq.query("policy")}, rq.form()
	switch {
	case d.Policy == "":
		f.fill("document", template2012)
	default:
		p, err := run(rq, h.get, ops.InlineIn{Holder: rq.named(), Policy: d.Policy})
		if err != nil {
			return err
		}
		f.fill("document", p.Document)
	}
	if d.Editor, err = rq.editor(ops.TextInline, "document"); err != nil {
		return err
	}
	title := rq.t("inline.new")
	if d.Policy != "" {
		title = d.Policy
	}
	return rq.page("admin/inline", rq.under(h.nav, h.path, title, Crumb{head.Name, head.At + "/policies"}), d)
}

func (h *holds) saveInline(rq *request) error {
	f := rq.form()
	again := func() error { return h.inlinePage(rq) }
	name := rq.query("policy")
	if name == "" {
		name = f.text("name")
		if !f.need("name") {
			return f.again(nil, nil, again)
		}
	}
	if f.Get("do") == "check" {
		return again()
	}
	if _, err := run(rq, h.put, ops.PutInlineIn{Holder: rq.named(), Policy: name, Document: unixLines(f.Get("document")), Comments: true}); err != nil {
		return f.again(err, fields{"policyName": "name", "policy document": "document"}, again)
	}
	return rq.done(h.path+"/"+url.PathEscape(rq.path("name"))+"/policies", "flash.saved")
}

type inlineDeletion struct {
	held
	Policy string
}

func (h *holds) deleteInlinePage(rq *request) error {
	head, err := h.head(rq, "policies")
	if err != nil {
		return err
	}
	title := rq.under(h.nav, h.path, rq.t("inline.delete"), Crumb{head.Name, head.At + "/policies"})
	return rq.page("admin/deleteinline", title, inlineDeletion{head, rq.query("policy")})
}

func (h *holds) deleteInline(rq *request) error {
	f := rq.form()
	again := func() error { return h.deleteInlinePage(rq) }
	if !f.confirmed(rq.query("policy")) {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, h.deleteText, ops.InlineIn{Holder: rq.named(), Policy: rq.query("policy")}); err != nil {
		return f.again(err, nil, again)
	}
	return rq.done(h.path+"/"+url.PathEscape(rq.path("name"))+"/policies", "flash.inline.deleted", "policy", rq.query("policy"))
}
