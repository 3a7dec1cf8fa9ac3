package console

import (
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/insight"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// A check says what it found and shows it, its fix shows what it does before it does
// it, goes through the operation that anybody would use, and the check is good then.
func TestInsightPages(t *testing.T) {
	s, _ := office(t)
	testkit.Do(t, s.World, s.Admin(t), ops.CreateUser, ops.CreateUserIn{Name: "robot", Tags: []iam.Tag{{Key: "JobFunction", Value: "application"}}})
	key := testkit.Do(t, s.World, s.Admin(t), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "robot"}})
	s.user(t, "robot2", adminWord, false)
	testkit.Do(t, s.World, s.Admin(t), ops.TagUser, ops.TagIn{Ref: ops.Ref{Name: "robot2"}, Tags: []iam.Tag{{Key: "JobFunction", Value: "application"}}})
	s.Clock.Advance(31 * 24 * time.Hour)
	s.signIn(t, "boss", adminWord)
	says(t, s.get(insightPath), 200, "out of 100", "Needs action", "were never used", "From tomorrow on", "Self-test of MFA")
	for _, lang := range []string{"ja", "zh"} { // every check in every language
		s.post("/preferences", "lang", lang)
		for _, c := range testkit.Do(t, s.World, s.Admin(t), ops.GetInsight, struct{}{}).Checks {
			if body := says(t, s.get(insightPath+"/"+string(c.ID)), 200); strings.Contains(body, "{n}") || strings.Contains(body, "{of}") {
				t.Errorf("%s in %s: a number is missing", c.ID, lang)
			}
		}
	}
	s.post("/preferences", "lang", "en")

	at := insightPath + "/" + string(insight.NeverUsedKeys)
	says(t, s.get(at), 200, "robot", key.ID, "It was never used.", "Turn the keys off")
	page := says(t, s.get(at+"/fix"), 200, "refused from then on", key.ID)
	if k := testkit.Do(t, s.World, s.Admin(t), ops.ListAccessKeys, ops.UserListing{User: ops.Ref{Name: "robot"}}); k.Items[0].Status != iam.KeyActive {
		t.Error("a look turned the key off")
	}
	to(t, s.post(at+"/fix"), at+"/fix") // nothing chosen
	item := regexp.MustCompile(`name="item" value="(\d+ ` + key.ID + `)"`).FindStringSubmatch(page)[1]
	to(t, s.post(at+"/fix", "item", item), at)
	if strings.Contains(says(t, s.get(at), 200, "Done. One thing was changed.", "of 2 active access keys"), key.ID) {
		t.Error("the key is found again")
	}
	if k := testkit.Do(t, s.World, s.Admin(t), ops.ListAccessKeys, ops.UserListing{User: ops.Ref{Name: "robot"}}); k.Items[0].Status != iam.KeyInactive {
		t.Error("the key is still on")
	}

	at = insightPath + "/" + string(insight.Applications)
	page = says(t, s.get(at+"/fix"), 200, "cannot sign in to the console any more", "robot2")
	item = regexp.MustCompile(`name="item" value="([^"]+)"`).FindStringSubmatch(page)[1]
	to(t, s.post(at+"/fix", "item", item, "item", "1 made up"), at)
	says(t, s.get(at), 200, "No account of an application can sign in")
	to(t, s.get(at+"/fix"), at) // there is nothing to put right

	to(t, s.post(insightPath), insightPath)
	says(t, s.get(insightPath), 200, "checked again")
	s.Clock.Advance(24 * time.Hour)
	s.signIn(t, "boss", adminWord)
	says(t, s.get(insightPath), 200, "Show as a table", "2026-")

	at = insightPath + "/" + string(insight.Enforcement)
	if c := testkit.Do(t, s.World, s.Admin(t), ops.GetInsight, struct{}{}).Find(insight.Enforcement); c.State != insight.Bad || c.Fix != insight.RequireOfAll {
		t.Fatalf("a password alone lets in, and the self-test says %+v", c)
	}
	says(t, s.get(at+"/fix"), 200, "must add a second factor", "Require MFA of everybody")
	to(t, s.post(at+"/fix", "confirm", "on"), at)
	says(t, s.get(at), 200, "and was refused", "as it should be")
	if p := testkit.Do(t, s.World, s.Admin(t), ops.GetSecurityPreferences, struct{}{}); p.MFAForLogin != iam.MFAMandatory {
		t.Error("MFA is not required")
	}
	if w := s.get(insightPath + "/no-such-check"); w.Code != 404 {
		t.Errorf("an unknown check: %d", w.Code)
	}
}

// The page of least privilege shows what was used, writes the policy, and tells what
// another one would have refused.
func TestLeastPrivilegePage(t *testing.T) {
	s, _ := office(t)
	s.signIn(t, "boss", adminWord)
	s.get("/console/users")
	s.get("/console/groups")
	at := "/console/users/boss/least"
	page := says(t, s.get(at), 200, "iam:ListUsers", "iam:ListGroups", "AdministratorAccess", "What would have been enough", "It would have allowed all", "Written from")
	if !strings.Contains(page, "/console/audit/event?") {
		t.Error("no request leads to its event")
	}
	says(t, s.get("/console/users/boss/access"), 200, "Least privilege")
	says(t, s.get(at+"?language=ram&days=7"), 200, "ram:ListUsers")
	says(t, s.get(at+"?language=oci"), 200, "in tenancy where request.user.id")
	if w := s.get(at + "?language=klingon"); w.Code != 404 {
		t.Errorf("an unknown language: %d", w.Code)
	}
	less := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}`
	says(t, s.post(at, "text", less), 200, "It would have refused", "iam:ListGroups")
	says(t, s.post(at, "text", `{"Version":"2012-10-17"`), 200, "The text is not valid. Line 1")
	says(t, s.post(at+"?language=oci", "text", "Allow nobody to sing"), 200, "The text is not valid")
	says(t, s.get("/console/users/alice/least"), 200, "Nothing was used")
	if w := s.get("/console/roles/" + url.PathEscape("no such") + "/least"); w.Code != 404 {
		t.Errorf("a role that is not there: %d", w.Code)
	}
}

// The templates say who has two, and what separates them.
func TestTemplatesApart(t *testing.T) {
	s, _ := office(t)
	for _, job := range []string{"om-engineer", "resource-administrator"} {
		testkit.Do(t, s.World, s.Admin(t), ops.ApplyTemplate, ops.ApplyTemplateIn{Template: job, Users: []string{"carol"}})
	}
	testkit.Do(t, s.World, s.Admin(t), ops.ApplyTemplate, ops.ApplyTemplateIn{Template: "om-engineer", Users: []string{"dave"}})
	s.signIn(t, "boss", adminWord)
	w := s.get(jobsPath)
	says(t, w, 200, "People with two functions", "carol", "Resource administrator and O&M engineer")
	body := text(w)
	if i := strings.Index(body, "People with two"); strings.Contains(body[i:strings.Index(body[i:], "Account administrator")+i], "dave") {
		t.Error("dave has one function only")
	}
	says(t, s.get(jobsPath+"/om-engineer"), 200, "What separates it from the others", "ecs-workbench:LoginInstance", "Who has both: carol", "ram:*")
}
