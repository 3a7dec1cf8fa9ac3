package ops_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/policy/ram/jobs"
)

func TestApplyTemplate(t *testing.T) {
	h := newHouse(t)
	network := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	made := do(h, ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.AccountAdministrator, Users: []string{"yuki"}, Networks: network})
	if len(made.Users) != 1 || !made.Users[0].Made || made.Users[0].Password.Empty() || made.Group != "AccountAdministrators" {
		t.Fatalf("%+v", made)
	}
	if p := do(h, ops.GetLoginProfile, ops.UserIn{User: ref("yuki")}); !p.MFARequired || !p.ResetRequired {
		t.Errorf("the login profile is %+v", p)
	}
	if text := made.Users[0].Password.String(); strings.Contains(text, "aA1") {
		t.Error("the password prints itself")
	}

	// Again: nothing but what is new.
	again := do(h, ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.AccountAdministrator, Users: []string{"yuki", "ken"}})
	if again.Users[0].Made || !again.Users[0].Password.Empty() || !again.Users[1].Made {
		t.Errorf("%+v", again.Users)
	}
	guard := do(h, ops.ListPolicyVersions, ops.VersionsIn{Policy: ownPrefix + "policy/AccountAdministratorGuard"})
	if len(guard.Items) != 2 || !guard.Items[0].Default {
		t.Errorf("%d versions of the guard: the networks are lifted by a second", len(guard.Items))
	}

	// Every part has its own event.
	events := do(h, ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Account: h.caller.Account}})
	var names []string
	for _, e := range events.Items {
		names = append(names, e.Operation)
	}
	for _, want := range []string{"ApplyTemplate", "CreatePolicy", "CreateGroup", "AttachGroupPolicy", "CreateUser", "AddUserToGroup", "CreateLoginProfile"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not in the trail: %q", want, names)
		}
	}

	app := do(h, ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.Application, Users: []string{"shop"}, Role: "shop", Trusted: "acs:ram::1000123456789012:user/shop"})
	if app.Role == nil || !strings.Contains(app.Role.Trust, "user/shop") || !app.Users[0].Password.Empty() {
		t.Errorf("%+v", app)
	}
	refused(h, fault.NotFound, "login profile", ops.GetLoginProfile, ops.UserIn{User: ref("shop")})
	ecs := do(h, ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.Application, Role: "batch"})
	if !strings.Contains(ecs.Role.Trust, jobs.ECS) {
		t.Errorf("%s", ecs.Role.Trust)
	}

	for _, row := range do(h, ops.ListTemplates, struct{}{}) {
		var who []string
		for _, m := range row.Members {
			who = append(who, m.Name)
		}
		for _, r := range row.Roles {
			who = append(who, "role "+r.Name)
		}
		want := map[string]string{jobs.AccountAdministrator: "ken yuki", jobs.Application: "shop role batch role shop"}[row.Name]
		if got := strings.Join(who, " "); got != want || row.Applied != (want != "") {
			t.Errorf("%s: %q, want %q", row.Name, got, want)
		}
	}
}

func TestApplyTemplateRefusals(t *testing.T) {
	h := newHouse(t)
	network := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	for field, in := range map[string]ops.ApplyTemplateIn{
		"template": {Template: "king"},
		"networks": {Template: jobs.OMEngineer, Networks: network},
		"role":     {Template: jobs.OMEngineer, Role: "x"},
		"trusted":  {Template: jobs.Application, Trusted: "acs:ram::1000123456789012:root"},
		"users":    {Template: jobs.OMEngineer, Users: []string{"a", "a"}},
	} {
		_, err := try(h, ops.ApplyTemplate, in)
		if f, ok := err.(*fault.Error); !ok || f.Kind != fault.Invalid || f.Name != field {
			t.Errorf("%s: %v", field, err)
		}
	}

	// Who has keys does not become an account administrator, and who signs in no
	// application. Nothing of what was begun stays.
	h.user("keyed")
	refused(h, fault.Conflict, "access key", ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.AccountAdministrator, Users: []string{"keyed"}})
	refused(h, fault.NotFound, "group", ops.GetGroup, ops.GetGroupIn{Group: ref("AccountAdministrators")})
	do(h, ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.OMEngineer, Users: []string{"person"}})
	refused(h, fault.Conflict, "login profile", ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.Application, Users: []string{"person"}})

	// Somebody who may apply templates and make users, but not attach policies.
	helper := h.user("helper")
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("helper"), Policy: "p", Document: `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["warifu:ApplyTemplate","iam:*"],"Resource":"*"},
		{"Effect":"Deny","Action":"iam:AttachGroupPolicy","Resource":"*","Condition":{"StringLike":{"iam:PolicyARN":"*/AliyunECSFullAccess"}}}]}`})
	refused(helper, fault.Denied, "", ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.ResourceAdministrator})
	refused(h, fault.NotFound, "group", ops.GetGroup, ops.GetGroupIn{Group: ref("ResourceAdministrators")})
	do(helper, ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.OMEngineer})

	// The host may, without anybody's credentials.
	call, err := h.HostCall(context.Background(), h.caller.Account)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ops.Run(context.Background(), h.Server, call, ops.ApplyTemplate, ops.ApplyTemplateIn{Template: jobs.ResourceAdministrator}); err != nil {
		t.Error(err)
	}
}
