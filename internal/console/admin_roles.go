package console

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

const rolesPath = "/console/roles"

func roleRoutes() []Route {
	const one = rolesPath + "/{name}"
	return slices.Concat([]Route{
		{Method: "GET", Pattern: rolesPath, Who: SignedIn, Nav: "nav.roles", Section: sectionManage, Icon: "role", do: rolesPage},
		{Method: "GET", Pattern: "/console/new/role", Who: SignedIn, Fresh: true, do: newRolePage},
		{Method: "POST", Pattern: "/console/new/role", Who: SignedIn, do: newRole},
		{Method: "GET", Pattern: one, Who: SignedIn, do: rolePage},
		{Method: "GET", Pattern: one + "/trust", Who: SignedIn, Fresh: true, do: trustPage},
		{Method: "POST", Pattern: one + "/trust", Who: SignedIn, do: saveTrust},
		{Method: "GET", Pattern: one + "/access", Who: SignedIn, do: roleAccessPage},
		{Method: "GET", Pattern: one + "/edit", Who: SignedIn, Fresh: true, do: editRolePage},
		{Method: "POST", Pattern: one + "/edit", Who: SignedIn, do: editRole},
		{Method: "GET", Pattern: one + "/delete", Who: SignedIn, Fresh: true, do: deleteRolePage},
		{Method: "POST", Pattern: one + "/delete", Who: SignedIn, do: deleteRole},
	}, holdsRole.routes())
}

func rolesPage(rq *request) error {
	d, err := find(rq, ops.FindRoles)
	if err != nil {
		return err
	}
	return rq.page("admin/roles", rq.t("nav.roles"), d)
}

// roleEditor is a form with a trust policy in the editor.
type roleEditor struct {
	At     string
	Editor editor
}

// trustTemplate is a trust policy that opens a role to the users of an account
// who have proved a second factor.
func trustTemplate(account string) string {
	return `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": { "AWS": "` + account + `" },
      "Action": "sts:AssumeRole",
      "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } }
    }
  ]
}
`
}

func newRolePage(rq *request) error {
	rq.form().fill("trust", trustTemplate(rq.visit.caller.Account.String()), "hours", "1")
	e, err := rq.editor(ops.TextTrust, "trust")
	if err != nil {
		return err
	}
	return rq.page("admin/newrole", rq.under("nav.roles", rolesPath, rq.t("roles.new")), roleEditor{rolesPath, e})
}

func newRole(rq *request) error {
	f := rq.form()
	again := func() error { return newRolePage(rq) }
	if f.Get("do") == "check" {
		return again()
	}
	if !f.need("name") {
		return f.again(nil, nil, again)
	}
	r, err := run(rq, ops.CreateRole, ops.CreateRoleIn{
		Name: f.text("name"), Trust: unixLines(f.Get("trust")), Comments: true, Description: f.text("description"), MaxSession: hours(f.text("hours")),
	})
	if err != nil {
		return f.again(err, fields{"roleName": "name", "role": "name", "policy document": "trust", "maxSessionDuration": "hours", "description": "description"}, again)
	}
	return rq.done(rolesPath+"/"+url.PathEscape(r.Name), "flash.role.created", "name", r.Name)
}

// hours reads a number of hours; what is none becomes a time that the operation
// refuses.
func hours(s string) time.Duration {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n <= 0 || n > 1000 {
		return time.Second
	}
	return time.Duration(n * float64(time.Hour)).Truncate(time.Second)
}

func (rq *request) roleTabs(current string) []Tab {
	return rq.tabs(rolesPath+"/"+url.PathEscape(rq.path("name")), current, "", "policies", "access")
}

type roleData struct {
	held
	Role  *ops.Role
	Hours string
	Trust []line
}

func rolePage(rq *request) error {
	head, err := holdsRole.head(rq, "")
	if err != nil {
		return err
	}
	r, err := run(rq, ops.GetRole, ops.RoleIn{Role: rq.named()})
	if err != nil {
		return err
	}
	trust, _, err := rq.readable(ops.TextTrust, r.Trust)
	if err != nil {
		return err
	}
	return rq.page("admin/role", head.Name, roleData{head, r, shownHours(r.MaxSession), linesOf(trust)})
}

func shownHours(d time.Duration) string { return strconv.FormatFloat(d.Hours(), 'f', -1, 64) }

func trustPage(rq *request) error {
	r, err := run(rq, ops.GetRole, ops.RoleIn{Role: rq.named()})
	if err != nil {
		return err
	}
	rq.form().fill("trust", r.Trust)
	e, err := rq.editor(ops.TextTrust, "trust")
	if err != nil {
		return err
	}
	at := rolesPath + "/" + url.PathEscape(r.Name)
	return rq.page("admin/trust", rq.under("nav.roles", rolesPath, rq.t("role.trust.edit"), Crumb{r.Name, at}), roleEditor{at, e})
}

func saveTrust(rq *request) error {
	f := rq.form()
	again := func() error { return trustPage(rq) }
	if f.Get("do") == "check" {
		return again()
	}
	if _, err := run(rq, ops.UpdateAssumeRolePolicy, ops.UpdateTrustIn{Role: rq.named(), Trust: unixLines(f.Get("trust")), Comments: true}); err != nil {
		return f.again(err, fields{"policy document": "trust"}, again)
	}
	return rq.done(rolesPath+"/"+url.PathEscape(rq.path("name")), "flash.saved")
}

type editRoleData struct {
	At       string
	Rows     []iam.Tag
	Policies []string
}

func editRolePage(rq *request) error {
	r, err := run(rq, ops.GetRole, ops.RoleIn{Role: rq.named()})
	if err != nil {
		return err
	}
	f := rq.form().fill("description", r.Description, "hours", shownHours(r.MaxSession), "boundary", r.BoundaryARN)
	at := rolesPath + "/" + url.PathEscape(r.Name)
	title := rq.under("nav.roles", rolesPath, rq.t("edit.title", "name", r.Name), Crumb{r.Name, at})
	return rq.page("admin/editrole", title, editRoleData{at, f.tagRows(r.Tags), rq.policyNames()})
}

func editRole(rq *request) error {
	f := rq.form()
	r, err := run(rq, ops.GetRole, ops.RoleIn{Role: rq.named()})
	if err != nil {
		return err
	}
	ref, described := rq.named(), f.text("description")
	in := ops.UpdateRoleIn{Role: ref, Description: &described, MaxSession: hours(f.text("hours"))}
	if described != r.Description || in.MaxSession != r.MaxSession {
		_, err = run(rq, ops.UpdateRole, in)
	}
	if err == nil {
		err = retag(rq, r.Tags,
			func(t []iam.Tag) error { _, err := run(rq, ops.TagRole, ops.TagIn{Ref: ref, Tags: t}); return err },
			func(k []string) error { _, err := run(rq, ops.UntagRole, ops.UntagIn{Ref: ref, Keys: k}); return err })
	}
	if b := f.text("boundary"); err == nil && b != r.BoundaryARN {
		if b == "" {
			_, err = run(rq, ops.DeleteRolePermissionsBoundary, ops.HolderIn{Holder: ref})
		} else {
			_, err = run(rq, ops.PutRolePermissionsBoundary, ops.BoundaryIn{Holder: ref, Boundary: b})
		}
	}
	if err != nil {
		return f.again(err, fields{"maxSessionDuration": "hours", "description": "description", "boundary": "boundary", "tags": "key"}, func() error { return editRolePage(rq) })
	}
	return rq.done(rolesPath+"/"+url.PathEscape(r.Name), "flash.saved")
}

func deleteRolePage(rq *request) error {
	b, err := run(rq, ops.GetRoleBelongings, ops.RoleIn{Role: rq.named()})
	if err != nil {
		return err
	}
	name := rq.path("name")
	at := rolesPath + "/" + url.PathEscape(name)
	return rq.page("admin/deleterole", rq.under("nav.roles", rolesPath, rq.t("role.delete"), Crumb{name, at}), deletion{name, at, b})
}

func deleteRole(rq *request) error {
	f := rq.form()
	again := func() error { return deleteRolePage(rq) }
	if !f.confirmed(rq.path("name")) {
		return f.again(nil, nil, again)
	}
	if _, err := run(rq, ops.RemoveRole, ops.RoleIn{Role: rq.named()}); err != nil {
		return f.again(err, nil, again)
	}
	return rq.done(rolesPath, "flash.role.deleted", "name", rq.path("name"))
}
