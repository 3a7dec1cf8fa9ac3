package console

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/testkit"
)

const forceMFA = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
    {"Sid": "DenyWithoutMFA", "Effect": "Deny",
     "NotAction": ["iam:ListMFADevices", "iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ChangePassword"], "Resource": "*",
     "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
  ]
}`

const adminPolicy = "arn:aws:iam::aws:policy/AdministratorAccess"

// office is a site in which boss administers, alice is bound by Force_MFA, and
// there is something of everything.
func office(t testing.TB) (s *site, forced string) {
	t.Helper()
	s = open(t)
	c := s.Admin(t)
	s.user(t, "boss", adminWord, false, adminPolicy)
	s.user(t, "alice", adminWord, false)
	ref := func(name string) ops.Ref { return ops.Ref{Name: name} }
	forced = testkit.Do(t, s.World, c, ops.CreatePolicy, ops.CreatePolicyIn{Name: "Force_MFA", Description: "The tutorial's", Document: forceMFA}).ARN()
	testkit.Do(t, s.World, c, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: forced, Document: strings.ReplaceAll(forceMFA, "ec2:*", "ec2:Describe*")})
	testkit.Do(t, s.World, c, ops.CreateGroup, ops.CreateGroupIn{Name: "staff"})
	testkit.Do(t, s.World, c, ops.AddUserToGroup, ops.MemberIn{Group: ref("staff"), User: ref("alice")})
	testkit.Do(t, s.World, c, ops.AttachGroupPolicy, ops.AttachIn{Holder: ref("staff"), Policy: forced})
	testkit.Do(t, s.World, c, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "own", Document: template2012})
	testkit.Do(t, s.World, c, ops.CreateAccessKey, ops.UserIn{User: ref("alice")})
	testkit.Do(t, s.World, c, ops.TagUser, ops.TagIn{Ref: ref("alice"), Tags: []iam.Tag{{Key: "team", Value: "web"}}})
	s.user(t, "reader", adminWord, false, "arn:aws:iam::aws:policy/ReadOnlyAccess")
	testkit.Do(t, s.World, c, ops.CreateRole, ops.CreateRoleIn{Name: "deploy", Trust: trustTemplate(testkit.Account.String()), Description: "Puts things out"})
	testkit.Do(t, s.World, c, ops.CreateEnrolmentLink, ops.CreateEnrolmentLinkIn{User: ref("alice")})
	s.user(t, "mallory", adminWord, false)
	testkit.Do(t, s.World, c, ops.BlockUser, ops.BlockUserIn{User: ref("mallory"), Reason: "left the company"})
	return s, forced
}

// adminPages are the addresses of the administration pages in an office, with
// something that must stand on each.
func adminPages(forced string) map[string]string {
	arn := url.QueryEscape(forced)
	return map[string]string{
		"/console":                                      "boss",
		"/console/users":                                "mallory",
		"/console/users?show=nomfa&q=al":                "alice",
		"/console/users?q=nobody":                       "nobody",
		"/console/new/user":                             `name="name"`,
		"/console/users/alice":                          "team",
		"/console/users/mallory":                        "/console/blocked/mallory",
		"/console/users/alice/edit":                     `value="team"`,
		"/console/users/alice/delete":                   "staff",
		"/console/users/alice/groups":                   "staff",
		"/console/users/alice/policies":                 "own",
		"/console/users/alice/attach":                   "Force_MFA",
		"/console/users/alice/inline":                   "Describe*",
		"/console/users/alice/inline?policy=own":        "Describe*",
		"/console/users/alice/inline/delete?policy=own": "own",
		"/console/users/alice/access":                   "DenyWithoutMFA",
		"/console/users/alice/access?action=ec2:RunInstances&way=password":                        "aws:MultiFactorAuthPresent",
		"/console/users/reader/access?action=s3:GetObject":                                        "ReadOnlyAccess",
		"/console/policies/view?arn=" + url.QueryEscape("arn:aws:iam::aws:policy/ReadOnlyAccess"): "lines=all",
		"/console/users/alice/mfa":                                "/mfa/link",
		"/console/users/alice/mfa/link":                           "336h",
		"/console/users/alice/sessions":                           "alice",
		"/console/users/alice/keys":                               "AKIA",
		"/console/users/alice/activity":                           "alice",
		"/console/users/alice/activity?of=to":                     "iam:TagUser",
		"/console/users/alice/password":                           `name="reset"`,
		"/console/users/alice/block":                              `name="reason"`,
		"/console/groups":                                         "staff",
		"/console/new/group":                                      `name="name"`,
		"/console/groups/staff":                                   "alice",
		"/console/groups/staff/edit":                              "staff",
		"/console/groups/staff/delete":                            "Force_MFA",
		"/console/groups/staff/policies":                          "Force_MFA",
		"/console/roles":                                          "deploy",
		"/console/new/role":                                       "sts:AssumeRole",
		"/console/roles/deploy":                                   "sts:AssumeRole",
		"/console/roles/deploy/trust":                             "sts:AssumeRole",
		"/console/roles/deploy/edit":                              "Puts things out",
		"/console/roles/deploy/policies":                          "deploy",
		"/console/roles/deploy/access?action=s3:GetObject":        "s3:GetObject",
		"/console/roles/deploy/delete":                            "deploy",
		"/console/policies":                                       "Force_MFA",
		"/console/policies?of=aws":                                "AdministratorAccess",
		"/console/policies?of=used":                               "Force_MFA",
		"/console/new/policy":                                     "2012-10-17",
		"/console/policies/view?arn=" + arn:                       "DenyWithoutMFA",
		"/console/policies/view?version=v2&arn=" + arn:            "v2",
		"/console/policies/edit?arn=" + arn:                       "DenyWithoutMFA",
		"/console/policies/versions?arn=" + arn:                   `class="added"`,
		"/console/policies/versions/delete?version=v2&arn=" + arn: "v2",
		"/console/policies/uses?arn=" + arn:                       "staff",
		"/console/policies/try?arn=" + arn:                        `name="as"`,
		"/console/policies/try?action=ec2:RunInstances&as=alice&way=key&arn=" + arn: "BoolIfExists",
		"/console/policies/delete?arn=" + arn:                                       "staff",
		"/console/links":                                                            "alice",
		"/console/blocked":                                                          "left the company",
		"/console/blocked/mallory":                                                  `name="reason"`,
		"/console/audit":                                                            "iam:",
		"/console/audit?result=refused&user=alice&action=iam:GetUser&range=24h": "alice",
		"/console/settings": "acme",
		"/console/services": "ec2",
	}
}

// Every page shows what it is about in every language, says everything in words,
// and is small.
func TestAdminPagesRender(t *testing.T) {
	s, forced := office(t)
	s.con.Services = []Service{{"ec2", "ec2"}, {"s3", "s3"}}
	rawKey := regexp.MustCompile(`>\s*[a-z]+(\.[a-z]+)+\s*<`)
	for _, lang := range languageOrder {
		s.cookies = map[string]string{}
		s.lang = lang
		s.signIn(t, "boss", adminWord)
		for path, want := range adminPages(forced) {
			w := s.get(path)
			body := w.Body.String()
			if w.Code != 200 || !strings.Contains(body, want) || !strings.Contains(body, "</html>") {
				t.Errorf("%s %s: %d, without %q\n%s", lang, path, w.Code, want, excerpt(body))
				continue
			}
			if m := rawKey.FindString(body); m != "" {
				t.Errorf("%s %s: a key stands where a text should: %s", lang, path, m)
			}
			if len(body) > 100<<10 {
				t.Errorf("%s %s: %d bytes", lang, path, len(body))
			}
			if strings.Contains(body, "{n}") || strings.Contains(body, "{name}") {
				t.Errorf("%s %s: a placeholder was not filled", lang, path)
			}
		}
	}
}

func excerpt(body string) string {
	_, main, _ := strings.Cut(body, "<main")
	return main[:min(len(main), 1500)]
}

// Under Force_MFA without MFA every administration page says which policy stops
// it and leads to the way out.
func TestForceMFAIsSaidOnEveryPage(t *testing.T) {
	s, forced := office(t)
	s.signIn(t, "alice", adminWord)
	for path := range adminPages(forced) {
		if strings.HasPrefix(path, "/console/services") || path == "/console/users/alice/keys/x/delete" {
			continue
		}
		w := s.get(path)
		if strings.HasPrefix(path, "/console/new/") { // a form alone tells nothing; sending it is refused
			continue
		}
		body := w.Body.String()
		if !strings.Contains(body, "Force_MFA") || !strings.Contains(body, "/security") {
			t.Errorf("%s: %d\n%s", path, w.Code, excerpt(body))
		}
	}
}

func TestAdministeringUsers(t *testing.T) {
	s, forced := office(t)
	s.signIn(t, "boss", adminWord)

	to(t, s.post("/console/new/user", "name", "carol", "group", "staff", "password", "a long enough pass phrase", "reset", "on"), "/console/users/carol")
	says(t, s.get("/console/users/carol"), 200, "carol is created.")
	says(t, s.get("/console/groups/staff"), 200, "carol")
	says(t, s.post("/console/new/user", "name", "carol"), 422, "A user of this name exists already.")
	says(t, s.post("/console/new/user", "name", "no spaces please"), 422, "Use letters, digits")

	to(t, s.post("/console/users/carol/edit", "name", "caroline", "path", "/", "boundary", forced, "key", "team", "value", "ops", "key", "", "value", ""), "/console/users/caroline")
	says(t, s.get("/console/users/caroline"), 200, "team = ops", "Force_MFA")
	says(t, s.post("/console/users/caroline/edit", "name", "caroline", "path", "/", "boundary", "nonsense"), 422, "Write the ARN of a policy.")
	to(t, s.post("/console/users/caroline/edit", "name", "caroline", "path", "/", "boundary", ""), "/console/users/caroline")
	if body := text(s.get("/console/users/caroline")); strings.Contains(body, "team = ops") {
		t.Error("the tag and the boundary are still there")
	}

	to(t, s.post("/console/users/caroline/attach", "policy", adminPolicy), "/console/users/caroline/policies")
	says(t, s.get("/console/users/caroline/policies"), 200, "AdministratorAccess")
	to(t, s.post("/console/users/caroline/policies", "policy", adminPolicy), "/console/users/caroline/policies")
	says(t, s.post("/console/users/caroline/inline", "name", "own", "document", "{\n// why\n}"), 422, "Line 3, column 1: found a document without statements.")
	says(t, s.post("/console/users/caroline/inline", "name", "own", "document", "{\n  \"Version\": 3\n}"), 422, "Line 2, column")
	to(t, s.post("/console/users/caroline/inline", "name", "own", "document", template2012), "/console/users/caroline/policies")
	says(t, s.post("/console/users/caroline/inline/delete?policy=own", "confirm", "other"), 422, "not the same")
	to(t, s.post("/console/users/caroline/inline/delete?policy=own", "confirm", "own"), "/console/users/caroline/policies")

	to(t, s.post("/console/users/caroline/block", "reason", "on leave"), "/console/users/caroline")
	says(t, s.get("/console/blocked"), 200, "caroline", "on leave", "boss")
	says(t, s.post("/console/blocked/caroline", "reason", ""), 422, "fill this in")
	to(t, s.post("/console/blocked/caroline", "reason", "back again"), "/console/blocked")

	says(t, s.post("/console/users/caroline/delete", "confirm", "carol"), 422, "not the same")
	to(t, s.post("/console/users/caroline/delete", "confirm", "caroline"), "/console/users")
	says(t, s.get("/console/users/caroline"), 404, "no such user")
	says(t, s.post("/console/users/boss/delete", "confirm", "boss"), 422, "cannot delete or block yourself")

	// Bulk: nothing is deleted before the number was typed.
	says(t, s.post("/console/bulk", "user", "alice", "user", "mallory", "do", "delete"), 200, "alice", "mallory", "Type 2")
	says(t, s.post("/console/bulk/delete", "user", "alice", "user", "mallory", "confirm", "1"), 422, "not the same")
	says(t, s.get("/console/users/alice"), 200, "alice")
	to(t, s.post("/console/bulk", "user", "mallory", "do", "group", "group", "staff"), "/console/users")
	to(t, s.post("/console/bulk/delete", "user", "alice", "user", "mallory", "confirm", "2"), "/console/users")
	says(t, s.get("/console/users/alice"), 404, "no such user")
}

// a place in a list that was made up, or that another list gave out, begins
// the list anew, with its filters.
func TestPlacesThatDoNotFit(t *testing.T) {
	s, forced := office(t)
	crowd(t, s, 60)
	s.signIn(t, "boss", adminWord)
	next := regexp.MustCompile(`/console/users\?after=([^"&]+)"[^>]*rel="next"`).FindStringSubmatch(s.get("/console/users").Body.String())
	if next == nil {
		t.Fatal("the list of users does not go on")
	}
	says(t, s.get("/console/users?after="+next[1]), 200, "user0")
	for _, path := range []string{
		"/console/users?q=al", "/console/groups", "/console/groups/staff", "/console/roles", "/console/policies?of=aws", "/console/policies/uses?arn=" + url.QueryEscape(forced),
		"/console/links", "/console/blocked", "/console/idle", "/console/unusual", "/console/tokens", "/console/users/alice/sessions", "/console/users/alice/mfa",
		"/console/users/alice/attach", "/security", "/security/activity", "/security/notices", "/console/users?show=nomfa",
	} {
		for _, place := range []string{next[1], "nonsense", "%00", strings.Repeat("A", 3000)} {
			u, err := url.Parse(path)
			if err != nil {
				t.Fatal(err)
			}
			to(t, s.get(path+map[bool]string{true: "&", false: "?"}[u.RawQuery != ""]+"after="+place), path)
		}
	}
}

// What policy refuses of a page leads back to that page.
func TestRefusalsLeadBack(t *testing.T) {
	s, forced := office(t)
	s.signIn(t, "reader", adminWord)
	arn := url.QueryEscape(forced)
	for path, form := range map[string][]string{
		"/console/users/alice/policies":         {"policy", forced},
		"/console/policies/uses?arn=" + arn:     {"kind", "user", "name", "alice", "back", "/console/policies/uses?arn=" + arn},
		"/console/users/alice/keys":             {},
		"/console/links":                        {"link", "1", "back", "/console/users/alice/mfa"},
		"/console/bulk":                         {"user", "alice", "do", "mfa", "back", "/console/users?show=nomfa"},
		"/console/policies/versions?arn=" + arn: {"version", "v1", "back", "/console/policies/versions?arn=" + arn},
	} {
		back := path
		for i, f := range form {
			if f == "back" {
				back = form[i+1]
			}
		}
		w := s.post(path, form...)
		if body := w.Body.String(); w.Code != 403 || !strings.Contains(body, `href="`+strings.ReplaceAll(html.EscapeString(back), "&#43;", "+")+`"`) {
			t.Errorf("%s: %d without a way back to %s\n%s", path, w.Code, back, excerpt(body))
		}
	}
}

// What is done with many users goes back to the list as it was, and nothing is
// done when nothing was chosen.
func TestBulkKeepsTheList(t *testing.T) {
	s, _ := office(t)
	s.signIn(t, "boss", adminWord)
	back := "/console/users?show=nomfa"
	to(t, s.post("/console/bulk", "back", back, "do", "delete"), back)
	says(t, s.get(back), 200, "No user was marked.")
	to(t, s.post("/console/bulk", "back", back, "user", "alice", "do", "group"), back)
	says(t, s.get(back), 200, "Choose a group first.")
	to(t, s.post("/console/bulk", "back", "//evil.example", "user", "alice", "user", "mallory", "do", "mfa"), "/console/users")
	says(t, s.get("/console/users"), 200, "2 users need MFA from the next sign-in on.")
	if p := testkit.Do(t, s.World, s.Admin(t), ops.GetLoginProfile, ops.UserIn{User: ops.Ref{Name: "alice"}}); !p.MFARequired {
		t.Error("alice need not have MFA")
	}
	says(t, s.post("/console/bulk", "back", back, "user", "alice", "do", "delete"), 200, "Type 1")
	to(t, s.post("/console/bulk/delete", "back", back, "user", "alice", "confirm", "1"), back)
	says(t, s.get(back), 200, "One user is deleted.")

	s.Clock.Advance(15 * time.Minute) // a proof is asked for before anything is typed
	to(t, s.post("/console/bulk", "back", back, "user", "mallory", "do", "delete"), "/stepup?next=%2Fconsole%2Fusers%3Fshow%3Dnomfa")
}

func TestEnrolmentLinkIsShownOnce(t *testing.T) {
	s, _ := office(t)
	s.signIn(t, "boss", adminWord)
	body := says(t, s.post("/console/users/alice/mfa/link", "life", "1h"), 200, origin+"/enrol/")
	link := regexp.MustCompile(origin + `(/enrol/[A-Za-z0-9_-]+)`).FindStringSubmatch(body)[1]
	says(t, s.get("/console/links"), 200, "alice", "sent", "boss")
	if strings.Contains(s.get("/console/links").Body.String(), link) {
		t.Error("the list shows the secret")
	}
	id := regexp.MustCompile(`name="link" value="(\d+)"`).FindStringSubmatch(s.get("/console/links").Body.String())[1]
	to(t, s.post("/console/links", "link", id), "/console/links")
	says(t, s.get("/console/links"), 200, "revoked")
	s.cookies = map[string]string{}
	if w := s.get(link); w.Code != 404 {
		t.Errorf("a link that was taken back: %d", w.Code)
	}
}

func TestPolicyVersions(t *testing.T) {
	s, forced := office(t)
	s.signIn(t, "boss", adminWord)
	arn := url.QueryEscape(forced)
	says(t, s.post("/console/policies/edit?arn="+arn, "document", forceMFA, "do", "check"), 200, "valid")
	to(t, s.post("/console/policies/edit?arn="+arn, "document", strings.ReplaceAll(forceMFA, "ec2:*", "s3:*"), "default", "on"), "/console/policies/view?arn="+arn+"&version=v3")
	says(t, s.get("/console/policies/view?arn="+arn), 200, "s3:*", "in force")
	says(t, s.get("/console/policies/versions?from=v1&to=v3&arn="+arn), 200, "removed:", "added:")

	// Somebody else's version is not replaced unseen.
	stale := []string{"document", forceMFA, "default", "on", "base", "v1"}
	body := says(t, s.post("/console/policies/edit?arn="+arn, stale...), 422, "Version v3 came into force after you had opened this page.")
	if !strings.Contains(body, `name="base" value="v3"`) {
		t.Error("saving again would be refused again")
	}
	to(t, s.post("/console/policies/versions?arn="+arn, "do", "default", "version", "v1"), "/console/policies/versions?arn="+arn)
	gone := "/console/policies/versions/delete?version=v3&arn=" + arn
	says(t, s.get(gone), 200, "The text of v3 of Force_MFA is deleted. v1 stays in force.")
	says(t, s.post(gone, "confirm", "v2"), 422, "not the same")
	to(t, s.post(gone, "confirm", "v3"), "/console/policies/versions?arn="+arn)
	says(t, s.get("/console/policies/view?version=v3&arn="+arn), 404, "no such version")
	to(t, s.post("/console/policies/uses?arn="+arn, "kind", "user", "name", "mallory"), "/console/policies/uses?arn="+arn)
	says(t, s.post("/console/policies/uses?arn="+arn, "kind", "user", "name", "nobody"), 422, "no such user")
	says(t, s.post("/console/policies/delete?arn="+arn, "confirm", "x"), 422, "not the same")
	to(t, s.post("/console/policies/delete?arn="+arn, "confirm", "Force_MFA"), "/console/policies")
	says(t, s.get("/console/policies/view?arn="+arn), 404, "no such policy")
}

// Comments of a policy are saved and shown again as they were written.
func TestCommentsInPoliciesAreKept(t *testing.T) {
	s, forced := office(t)
	s.signIn(t, "boss", adminWord)
	arn := url.QueryEscape(forced)
	text := "\n// 理由: see <the handbook>\n" + strings.Replace(forceMFA, "{\"Sid\"", "/* the tutorial's */ {\"Sid\"", 1) + "\n\n// end"
	posted := strings.ReplaceAll(text, "\n", "\r\n") // as browsers do
	says(t, s.post("/console/policies/edit?arn="+arn, "document", posted, "do", "check"), 200, "valid")
	to(t, s.post("/console/policies/edit?arn="+arn, "document", posted, "default", "on"), "/console/policies/view?arn="+arn+"&version=v3")
	says(t, s.get("/console/policies/view?arn="+arn), 200, "// 理由: see &lt;the handbook&gt;", "/* the tutorial's */", "// end")
	says(t, s.get("/console/policies/versions?from=v1&to=v3&arn="+arn), 200, "added: // 理由: see &lt;the handbook&gt;", "added: // end")
	edited := regexp.MustCompile(`(?s)<textarea[^>]*>\n(.*)</textarea>`) // HTML leaves out the first end of line
	if got := edited.FindStringSubmatch(s.get("/console/policies/edit?arn=" + arn).Body.String()); got == nil || html.UnescapeString(got[1]) != text {
		t.Errorf("the editor shows %q\nwant %q", got, text)
	}
	says(t, s.post("/console/policies/edit?arn="+arn, "document", "{\n  /* no end", "do", "check"), 200, "Line 2, column 3", "a comment without end")
	says(t, s.post("/console/policies/edit?arn="+arn, "document", "{\n \"割符\": /* no end", "do", "check"), 200, "Line 2, column 8") // in characters

	oneLine := `/* everybody */ {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`
	to(t, s.post("/console/users/alice/inline", "name", "noted", "document", oneLine), "/console/users/alice/policies")
	if got := edited.FindStringSubmatch(s.get("/console/users/alice/inline?policy=noted").Body.String()); got == nil || html.UnescapeString(got[1]) != oneLine {
		t.Errorf("the editor shows %q\nwant %q", got, oneLine)
	}
	to(t, s.post("/console/roles/deploy/trust", "trust", "// who\r\n"+trustTemplate(testkit.Account.String())), "/console/roles/deploy")
	says(t, s.get("/console/roles/deploy"), 200, "// who")
}

func TestTryItShowsTheDecidingStatement(t *testing.T) {
	s, forced := office(t)
	s.signIn(t, "boss", adminWord)
	arn := url.QueryEscape(forced)
	body := says(t, s.get("/console/policies/try?action=ec2:RunInstances&way=password&arn="+arn), 200, "The policy Force_MFA denies it.", "The request has false")
	if !strings.Contains(s.get("/console/policies/try?action=ec2:RunInstances&arn="+arn).Body.String(), "version=v1#L5") {
		t.Errorf("no link to the line\n%s", body)
	}
	says(t, s.get("/console/policies/try?action=ec2:RunInstances&way=mfa&arn="+arn), 200, "The policy Force_MFA allows it.")
	says(t, s.get("/console/policies/try?action=ec2:RunInstances&way=key&arn="+arn), 200, "The request does not have this key.")
	says(t, s.get("/console/policies/try?action=ec2:*&arn="+arn), 200, "without wildcards")
	says(t, s.get("/console/users/alice/access?action=rds:CreateDBInstance&way=mfa"), 200, "No statement allows it.")
	if role := text(s.get("/console/roles/deploy/access?action=s3:GetObject")); strings.Contains(role, "Access key") {
		t.Error("a role has no access keys")
	}
}

func TestAuditFiltersAndShowsTheRawEvent(t *testing.T) {
	s, _ := office(t)
	s.signIn(t, "alice", adminWord)
	s.get("/console/users") // refused
	s.cookies = map[string]string{}
	s.signIn(t, "boss", adminWord)
	body := s.get("/console/audit?result=refused&user=alice").Body.String()
	if !strings.Contains(body, "iam:ListUsers") || strings.Contains(body, "iam:CreatePolicy") {
		t.Fatalf("%s", excerpt(body))
	}
	link := "" // what the page itself asked for, and was refused, stands beside it
	for _, l := range regexp.MustCompile(`/console/audit/event\?[^"]+`).FindAllString(body, -1) {
		if strings.Contains(s.get(strings.ReplaceAll(l, "&amp;", "&")).Body.String(), "iam:ListUsers") {
			link = l
		}
	}
	says(t, s.get(strings.ReplaceAll(link, "&amp;", "&")), 200, `"result": "refused"`, "Force_MFA")
	next := regexp.MustCompile(`/console/audit\?after=[^"]+`).FindString(s.get("/console/audit").Body.String())
	if next != "" {
		s.Clock.Advance(time.Minute)
		says(t, s.get(strings.ReplaceAll(next, "&amp;", "&")), 200, "iam:")
	}
	if w := s.get("/console/audit?after=nonsense"); w.Code != 200 {
		t.Errorf("a cursor that does not fit: %d", w.Code)
	}
}

func TestSettings(t *testing.T) {
	s, _ := office(t)
	s.signIn(t, "boss", adminWord)
	to(t, s.post("/console/settings/alias", "alias", "new-name"), "/console/settings")
	says(t, s.post("/console/settings/alias", "alias", "NO"), 422, "3 to 63 lowercase letters")
	to(t, s.post("/console/settings/password", "length", "14", "age", "90", "numbers", "on", "different", "5", "attempts", "4", "initial", "7", "noname", "on"), "/console/settings")
	body := s.get("/console/settings").Body.String()
	for _, want := range []string{
		`value="new-name"`, `value="14"`, `value="90"`, `name="numbers" value="on" checked`, `name="noname" value="on" checked`,
		`name="different" type="text" value="5"`, `name="attempts" type="text" value="4"`, `name="initial" type="text" value="7"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("without %s", want)
		}
	}
	says(t, s.get("/security/password"), 200, "At least 14 characters, with a digit, 5 different characters. It may not contain the name of the user or account.")
	says(t, s.post("/console/settings/password", "length", "many"), 422, "whole number")
	body = says(t, s.post("/console/settings/password", "length", "14", "upper", "on", "attempts", "33"), 422, "1 to 32.")
	if !strings.Contains(body, `name="upper" value="on" checked`) || strings.Contains(body, `name="numbers" value="on" checked`) {
		t.Error("the form forgot what was ticked")
	}
	to(t, s.post("/console/settings/password", "do", "default", "length", "9"), "/console/settings")
	if body = s.get("/console/settings").Body.String(); !strings.Contains(body, `name="length" type="text" value="8"`) {
		t.Error("the default is not back")
	}
}

// The page of a service is asked for in the person's own name, and policy's no is
// a page that says what to do.
func TestServices(t *testing.T) {
	s, _ := office(t)
	s.con.Services = []Service{{"ec2", "ec2"}}
	var asked ops.Call
	s.con.Fetch = func(ctx context.Context, call ops.Call, service string, form url.Values) (int, []byte, error) {
		asked = call
		if service != "ec2" || form.Get("Action") != "DescribeInstances" {
			return 0, nil, fault.Of(fault.NotFound, "service", service)
		}
		return 200, []byte(`<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId>
			<instanceState><name>running</name></instanceState><tagSet><item><key>Name</key><value>&lt;web&gt;</value></item></tagSet></item></instancesSet></item></reservationSet><nextToken>more</nextToken></DescribeInstancesResponse>`), nil
	}
	s.signIn(t, "boss", adminWord)
	says(t, s.get("/console/services"), 200, "ec2", "allowed")
	says(t, s.get("/console/services/ec2"), 200, "i-1", "running", "&lt;web&gt;")
	if body := s.get("/console/services/ec2?after=x").Body.String(); !strings.Contains(body, "/console/services/ec2?after=more") || !strings.Contains(body, `href="/console/services/ec2"`) {
		t.Errorf("the list does not go on\n%s", excerpt(body))
	}
	if asked.Caller.User.Name != "boss" || asked.Caller.Console == nil {
		t.Errorf("asked as %+v", asked.Caller)
	}
	s.con.Fetch = func(context.Context, ops.Call, string, url.Values) (int, []byte, error) { return 503, nil, nil }
	says(t, s.get("/console/services/ec2"), 501, "does not answer")
}

func TestDifference(t *testing.T) {
	got := ""
	for _, l := range difference("a\nb\nc\n", "a\nx\nc\nd\n") {
		got += map[string]string{"": "=", "added": "+", "removed": "-"}[l.Mark] + l.Text + fmt.Sprint(l.N) + " "
	}
	if want := "=a1 -b2 +x2 =c3 +d4 "; got != want {
		t.Errorf("%q, want %q", got, want)
	}

	// Of a long text only what is near a change is shown; one of very many lines,
	// which white space alone may make, is compared in little memory.
	long := strings.Repeat("same\n", 50)
	lines, more := folded(difference(long+"a\n"+long, long+"b\n"+long))
	if len(lines) != 1+3+2+3+1 || lines[0].Mark != "same" || lines[0].N != 47 || more != 0 {
		t.Errorf("%d lines, %d more: %v", len(lines), more, lines)
	}
	if lines, more = folded(difference(strings.Repeat(" \n", 60_000), strings.Repeat("\t\n", 60_000))); len(lines) != linesShown || more != 120_000-linesShown {
		t.Errorf("%d lines, %d more", len(lines), more)
	}
}
