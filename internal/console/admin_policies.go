package console

import (
	"net/url"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

const policiesPath = "/console/policies"

// A policy's pages take its ARN as the parameter "arn": it holds slashes, which
// a path could not carry back and forth.
func policyRoutes() []Route {
	return []Route{
		{Method: "GET", Pattern: policiesPath, Who: SignedIn, Nav: "nav.policies", Section: sectionManage, Icon: "policy", do: policiesPage},
		{Method: "GET", Pattern: "/console/new/policy", Who: SignedIn, Fresh: true, do: newPolicyPage},
		{Method: "POST", Pattern: "/console/new/policy", Who: SignedIn, do: newPolicy},
		{Method: "GET", Pattern: policiesPath + "/view", Who: SignedIn, do: policyPage},
		{Method: "GET", Pattern: policiesPath + "/edit", Who: SignedIn, Fresh: true, do: editPolicyPage},
		{Method: "POST", Pattern: policiesPath + "/edit", Who: SignedIn, do: editPolicy},
		{Method: "GET", Pattern: policiesPath + "/versions", Who: SignedIn, do: versionsPage},
		{Method: "POST", Pattern: policiesPath + "/versions", Who: SignedIn, do: changeVersions},
		{Method: "GET", Pattern: policiesPath + "/versions/delete", Who: SignedIn, Fresh: true, do: deleteVersionPage},
		{Method: "POST", Pattern: policiesPath + "/versions/delete", Who: SignedIn, do: deleteVersion},
		{Method: "GET", Pattern: policiesPath + "/uses", Who: SignedIn, do: usesPage},
		{Method: "POST", Pattern: policiesPath + "/uses", Who: SignedIn, do: changeUses},
		{Method: "GET", Pattern: policiesPath + "/try", Who: SignedIn, do: policyTryPage},
		{Method: "GET", Pattern: policiesPath + "/delete", Who: SignedIn, Fresh: true, do: deletePolicyPage},
		{Method: "POST", Pattern: policiesPath + "/delete", Who: SignedIn, do: deletePolicy},
	}
}

// policyAt is the address of one of a policy's pages.
func policyAt(page, arn string) string {
	return policiesPath + "/" + page + "?arn=" + url.QueryEscape(arn)
}

type policiesData struct {
	found[ops.PolicyUse]
	Chips []Tab
	Of    string
}

func scopeOf(s string) ops.Scope {
	switch s {
	case "own":
		return ops.ScopeOwn
	case "aws":
		return ops.ScopeVendor
	}
	return ops.ScopeAll
}

func (rq *request) scopeChips() []Tab {
	return rq.chips("of", Option{Label: rq.t("policies.all")}, Option{Value: "own", Label: rq.t("policies.own")}, Option{Value: "aws", Label: rq.t("policies.vendor")})
}

func policiesPage(rq *request) error {
	d := policiesData{Chips: rq.chips("of",
		Option{Label: rq.t("policies.own")}, Option{Value: "aws", Label: rq.t("policies.vendor")}, Option{Value: "used", Label: rq.t("policies.used")})}
	d.Search, d.Of = strings.TrimSpace(rq.query("q")), rq.query("of")
	in := ops.FindPoliciesIn{Search: d.Search, Scope: ops.ScopeOwn, Listing: rq.listing(rowsShown)}
	switch d.Of {
	case "aws":
		in.Scope = ops.ScopeVendor
	case "used":
		in.Scope, in.Attached = ops.ScopeAll, true
	}
	var err error
	if d.Rows, err = run(rq, ops.FindPolicies, in); err != nil {
		return err
	}
	d.Pages = rq.pages(string(d.Rows.Next))
	return rq.page("admin/policies", rq.t("nav.policies"), d)
}

// policyHead is what every tab of a policy's page has.
type policyHead struct {
	*ops.PolicyUse
	Own  bool
	Tabs []Tab
}

// ViewHref leads to the first tab; the template asks for it.
func (p policyHead) ViewHref() string { return policyAt("view", p.ARN()) }

// InForce names the version in force.
func (p policyHead) InForce() string { return versionName(p.Default) }

// Href leads to one of the policy's pages.
func (p policyHead) Href(page string) string { return policyAt(page, p.ARN()) }

func (rq *request) policyHead(tab string) (d policyHead, err error) {
	if d.PolicyUse, err = run(rq, ops.GetPolicy, ops.PolicyIn{Policy: rq.query("arn")}); err != nil {
		return d, err
	}
	d.Own = d.Account == rq.visit.caller.Account
	for _, name := range []string{"view", "versions", "uses", "try"} {
		d.Tabs = append(d.Tabs, Tab{Label: rq.t("policy.tab." + name), Href: d.Href(name), Current: name == tab})
	}
	rq.under("nav.policies", policiesPath, d.Name)
	return d, nil
}

// linesShown is how many lines of a long text are shown at first: the longest of
// the ready-made policies has a thousand.
const linesShown = 400

type policyData struct {
	policyHead
	Version *ops.PolicyVersion
	Lines   []line
	Broken  bool // into lines, which it was not saved in
	More    int  // lines that are not shown unless they are asked for
	Remarks []remark
}

// policyPage shows a policy's text: the version in force, or the one asked for.
func policyPage(rq *request) error {
	head, err := rq.policyHead("view")
	if err != nil {
		return err
	}
	d, err := rq.policyText(head, rq.query("version"))
	if err != nil {
		return err
	}
	return rq.page("admin/policy", head.Name, d)
}

func (rq *request) policyText(head policyHead, version string) (d policyData, err error) {
	d.policyHead = head
	if version == "" {
		version = versionName(head.Default)
	}
	if d.Version, err = run(rq, ops.GetPolicyVersion, ops.VersionIn{Policy: head.ARN(), Version: version}); err != nil {
		return d, err
	}
	text, broken, err := rq.readable(ops.TextManaged, d.Version.Document)
	if err != nil {
		return d, err
	}
	d.Lines, d.Broken = linesOf(text), broken
	if rq.query("lines") != "all" && len(d.Lines) > linesShown {
		d.More, d.Lines = len(d.Lines)-linesShown, d.Lines[:linesShown]
	}
	if !head.Own {
		return d, nil
	}
	check, err := load(rq, ops.CheckPolicy, ops.CheckIn{Kind: ops.TextManaged, Document: text})
	if check.Has {
		d.Remarks = rq.remarks(text, check.Is)
	}
	return d, err
}

func versionName(n int) string { return "v" + shown(n) }

type newPolicyData struct{ Editor editor }

func newPolicyPage(rq *request) error {
	rq.form().fill("document", template2012)
	e, err := rq.editor(ops.TextManaged, "document")
	if err != nil {
		return err
	}
	return rq.page("admin/newpolicy", rq.under("nav.policies", policiesPath, rq.t("policies.new")), newPolicyData{e})
}

func newPolicy(rq *request) error {
	f := rq.form()
	again := func() error { return newPolicyPage(rq) }
	if f.Get("do") == "check" {
		return again()
	}
	if !f.need("name") {
		return f.again(nil, nil, again)
	}
	p, err := run(rq, ops.CreatePolicy, ops.CreatePolicyIn{Name: f.text("name"), Description: f.text("description"), Document: unixLines(f.Get("document")), Comments: true})
	if err != nil {
		return f.again(err, fields{"policyName": "name", "policy": "name", "policy document": "document", "description": "description"}, again)
	}
	return rq.done(policyAt("view", p.ARN()), "flash.policy.created", "name", p.Name)
}

// unixLines undoes what browsers do to the lines of a posted text.
func unixLines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

type editPolicyData struct {
	policyHead
	Editor editor
}

func editPolicyPage(rq *request) error {
	head, err := rq.policyHead("view")
	if err != nil {
		return err
	}
	d := editPolicyData{policyHead: head}
	version := rq.query("version")
	if version == "" {
		version = versionName(head.Default)
	}
	v, err := run(rq, ops.GetPolicyVersion, ops.VersionIn{Policy: head.ARN(), Version: version})
	if err != nil {
		return err
	}
	rq.form().fill("document", v.Document, "default", "on")
	if d.Editor, err = rq.editor(ops.TextManaged, "document"); err != nil {
		return err
	}
	return rq.page("admin/editpolicy", rq.under("nav.policies", policiesPath, rq.t("edit.title", "name", head.Name), Crumb{head.Name, head.ViewHref()}), d)
}

func editPolicy(rq *request) error {
	f := rq.form()
	again := func() error { return editPolicyPage(rq) }
	if f.Get("do") == "check" {
		return again()
	}
	arn := rq.query("arn")
	p, err := run(rq, ops.GetPolicy, ops.PolicyIn{Policy: arn})
	if err != nil {
		return err
	}
	if base := f.Get("base"); base != "" && base != versionName(p.Default) {
		f.Note = rq.t("policy.edit.moved", "version", versionName(p.Default))
		return f.again(nil, nil, again)
	}
	v, err := run(rq, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: arn, Document: unixLines(f.Get("document")), Comments: true, Default: f.Get("default") != ""})
	if err != nil {
		return f.again(err, fields{"policy document": "document"}, again)
	}
	return rq.done(policyAt("view", arn)+"&version="+v.ID(), "flash.policy.version", "version", v.ID())
}

type versionsData struct {
	policyHead
	Versions page.Page[ops.PolicyVersion]
	From, To string
	Compared bool
	Diff     []line // empty when the two are the same
	More     int    // lines of the difference that are not shown
	Options  []Option
}

// versionsPage lists the versions of a policy and compares two of them.
func versionsPage(rq *request) error {
	head, err := rq.policyHead("versions")
	if err != nil {
		return err
	}
	d := versionsData{policyHead: head, From: rq.query("from"), To: rq.query("to")}
	if d.Versions, err = run(rq, ops.ListPolicyVersions, ops.VersionsIn{Policy: head.ARN()}); err != nil {
		return err
	}
	items := d.Versions.Items
	for i := range items {
		d.Options = append(d.Options, Option{Value: items[i].ID(), Label: items[i].ID()})
	}
	if d.From == "" && len(items) > 1 {
		d.From, d.To = items[1].ID(), items[0].ID()
	}
	if d.From == "" {
		return rq.page("admin/versions", head.Name, d)
	}
	text := map[string]string{}
	for _, v := range []string{d.From, d.To} {
		version, err := run(rq, ops.GetPolicyVersion, ops.VersionIn{Policy: head.ARN(), Version: v})
		if err != nil {
			return err
		}
		if text[v], _, err = rq.readable(ops.TextManaged, version.Document); err != nil {
			return err
		}
	}
	if d.Compared = true; text[d.From] != text[d.To] {
		d.Diff, d.More = folded(difference(text[d.From], text[d.To]))
	}
	return rq.page("admin/versions", head.Name, d)
}

// changeVersions puts a version in force.
func changeVersions(rq *request) error {
	in := ops.VersionIn{Policy: rq.query("arn"), Version: rq.form().Get("version")}
	if _, err := run(rq, ops.SetDefaultPolicyVersion, in); err != nil {
		return err
	}
	return rq.done(policyAt("versions", in.Policy), "flash.policy.default", "version", in.Version)
}

type versionDeletion struct {
	policyHead
	Version string
}

func deleteVersionPage(rq *request) error {
	head, err := rq.policyHead("versions")
	if err != nil {
		return err
	}
	v, err := run(rq, ops.GetPolicyVersion, ops.VersionIn{Policy: head.ARN(), Version: rq.query("version")})
	if err != nil {
		return err
	}
	title := rq.under("nav.policies", policiesPath, rq.t("policy.version.delete"), Crumb{head.Name, head.Href("versions")})
	return rq.page("admin/deleteversion", title, versionDeletion{head, v.ID()})
}

func deleteVersion(rq *request) error {
	f := rq.form()
	again := func() error { return deleteVersionPage(rq) }
	in := ops.VersionIn{Policy: rq.query("arn"), Version: rq.query("version")}
	if !f.confirmed(in.Version) {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.DeletePolicyVersion, in); err != nil {
		return f.again(err, nil, again)
	}
	return rq.done(policyAt("versions", in.Policy), "flash.policy.version.deleted", "version", in.Version)
}

type usesData struct {
	policyHead
	Entities page.Page[ops.Entity]
	Bounds   page.Page[ops.Entity]
	Pages    Pages
	Kinds    []Option
}

func usesPage(rq *request) error {
	head, err := rq.policyHead("uses")
	if err != nil {
		return err
	}
	d := usesData{policyHead: head}
	in := ops.EntitiesIn{Policy: head.ARN(), Usage: ops.UsagePermissions, Listing: rq.listing(rowsShown)}
	if d.Entities, err = run(rq, ops.ListEntitiesForPolicy, in); err != nil {
		return err
	}
	if head.Bounding > 0 {
		in = ops.EntitiesIn{Policy: head.ARN(), Usage: ops.UsageBoundary, Listing: ops.Listing{Limit: rowsShown}}
		if d.Bounds, err = run(rq, ops.ListEntitiesForPolicy, in); err != nil {
			return err
		}
	}
	for _, k := range []string{"user", "group", "role"} {
		d.Kinds = append(d.Kinds, Option{Value: k, Label: rq.t("kind." + k)})
	}
	d.Pages = rq.pages(string(d.Entities.Next))
	return rq.page("admin/uses", head.Name, d)
}

// changeUses attaches a policy to somebody, or takes it away.
func changeUses(rq *request) error {
	f := rq.form()
	in := ops.AttachIn{Holder: ops.Ref{Name: f.text("name")}, Policy: rq.query("arn")}
	again := func() error { return usesPage(rq) }
	if !f.need("name") {
		return f.again(nil, nil, again)
	}
	h := map[string]*holds{"user": holdsUser, "group": holdsGroup, "role": holdsRole}[f.Get("kind")]
	if h == nil {
		return errNobody
	}
	op, say := h.attach, "flash.attached.to"
	if f.Get("do") == "detach" {
		op, say = h.detach, "flash.detached.from"
	}
	if _, err := run(rq, op, in); err != nil {
		return f.again(err, fields{"*": "name"}, again)
	}
	return rq.done(policyAt("uses", in.Policy), say, "name", in.Holder.Name)
}

type policyDeletion struct {
	policyHead
	*ops.Belongings
}

func deletePolicyPage(rq *request) error {
	head, err := rq.policyHead("view")
	if err != nil {
		return err
	}
	b, err := run(rq, ops.GetPolicyBelongings, ops.PolicyIn{Policy: head.ARN()})
	if err != nil {
		return err
	}
	return rq.page("admin/deletepolicy", rq.under("nav.policies", policiesPath, rq.t("policy.delete"), Crumb{head.Name, head.ViewHref()}), policyDeletion{head, b})
}

func deletePolicy(rq *request) error {
	f := rq.form()
	again := func() error { return deletePolicyPage(rq) }
	arn := rq.query("arn")
	if !f.confirmed(policyName(arn)) {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.RemovePolicy, ops.PolicyIn{Policy: arn}); err != nil {
		return f.again(err, nil, again)
	}
	return rq.done(policiesPath, "flash.policy.deleted", "name", policyName(arn))
}

// holderHref leads to the page of a user, group or role.
func holderHref(kind iam.PrincipalKind, name string) string {
	return map[iam.PrincipalKind]string{iam.KindUser: usersPath, iam.KindGroup: groupsPath, iam.KindRole: rolesPath}[kind] + "/" + url.PathEscape(name)
}
