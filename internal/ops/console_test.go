package ops_test

import (
	"slices"
	"strings"
	"testing"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/ops"
)

const strictEC2 = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::papers/*"},
    {"Sid": "DenyWithoutMFA", "Effect": "Deny", "NotAction": "iam:ListUsers", "Resource": "*",
     "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
  ]
}`

func verdicts(t *ops.Trial) string {
	var b strings.Builder
	for _, v := range t.Verdicts {
		b.WriteString(string(v.Way))
		switch {
		case v.Allowed:
			b.WriteString("+ ")
		case v.Explicit:
			b.WriteString("! ")
		default:
			b.WriteString("- ")
		}
	}
	return strings.TrimSpace(b.String())
}

func TestTryAccessTellsTheStatementThatDecides(t *testing.T) {
	h := newHouse(t)
	h.user("alice")
	arn := h.policy("Force_MFA", strictEC2)
	do(h, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("alice"), Policy: arn})

	got := do(h, ops.TryAccess, ops.TryIn{Who: ref("alice"), Action: "ec2:DescribeInstances"})
	if verdicts(got) != "mfa+ password! key!" {
		t.Fatalf("%s", verdicts(got))
	}
	no := got.Verdicts[1].Because
	if no == nil || no.Sid != "DenyWithoutMFA" || no.Line != 6 || no.Version != "v1" || no.Policy != arn || !no.Deny {
		t.Fatalf("%+v", no)
	}
	if c := no.Conditions[0]; c.Key != "aws:MultiFactorAuthPresent" || !c.Holds || !slices.Equal(c.Saw, []string{"false"}) {
		t.Errorf("%+v", c)
	}
	if c := got.Verdicts[2].Because.Conditions[0]; c.Found {
		t.Errorf("a long-term key has said something about MFA: %+v", c)
	}
	if got := verdicts(do(h, ops.TryAccess, ops.TryIn{Who: ref("alice"), Action: "rds:CreateDBInstance"})); got != "mfa- password! key!" {
		t.Error(got)
	}
	one := do(h, ops.TryPolicy, ops.TryPolicyIn{Policy: arn, Version: "v1", Action: "s3:GetObject", Resource: "arn:aws:s3:::papers/a"})
	if verdicts(one) != "mfa+ password! key!" {
		t.Error(verdicts(one))
	}
	refused(h, fault.Invalid, "field", ops.TryAccess, ops.TryIn{Who: ref("alice"), Action: "ec2:*"})
	refused(h, fault.NotFound, "user", ops.TryAccess, ops.TryIn{Who: ref("nobody"), Action: "ec2:RunInstances"})
}

func TestSumUpAccess(t *testing.T) {
	h := newHouse(t)
	h.user("alice")
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "staff"})
	do(h, ops.AddUserToGroup, ops.MemberIn{Group: ref("staff"), User: ref("alice")})
	do(h, ops.AttachGroupPolicy, ops.AttachIn{Holder: ref("staff"), Policy: h.policy("Force_MFA", strictEC2)})
	sum := do(h, ops.SumUpAccess, ops.SumIn{Who: ref("alice")})
	if len(sum.Sources) != 1 || sum.Sources[0].Group != "staff" || sum.Sources[0].Name != "Force_MFA" || len(sum.Statements) != 3 || !sum.Statements[0].Deny || !sum.Statements[0].NotActions {
		t.Fatalf("%+v", sum)
	}
	levels := map[string]string{}
	for _, s := range sum.Services {
		for w := range ops.Ways {
			levels[s.Prefix] += s.Ways[w].Level(s.All) + " "
		}
	}
	for prefix, want := range map[string]string{"ec2": "all none none ", "s3": "some none none ", "*": "none none none ", "iam": "none none none "} {
		if levels[prefix] != want {
			t.Errorf("%s: %q, want %q", prefix, levels[prefix], want)
		}
	}
}

func TestCheckPolicySaysWhere(t *testing.T) {
	h := newHouse(t)
	check := func(text string) *ops.Check {
		return do(h, ops.CheckPolicy, ops.CheckIn{Kind: ops.TextManaged, Document: text})
	}
	if c := check(strictEC2); c.Fault != nil || c.Size == 0 {
		t.Errorf("%+v", c)
	}
	if c := check("{\n  \"Version\": \"2012-10-17\",,}"); c.Fault == nil || c.Fault.Line != 2 {
		t.Errorf("%+v", c.Fault)
	}
	if c := check("{\n  // why /* so\n  \"Version\": \"2012-10-17\",,}"); c.Fault == nil || c.Fault.Line != 3 {
		t.Errorf("behind a comment: %+v", c.Fault)
	}
	if c := check("{\n  /* why\n  \"Version\": \"2012-10-17\"}"); c.Fault == nil || c.Fault.Line != 2 || c.Fault.Column != 3 || c.Fault.Found != "a comment without end" {
		t.Errorf("a comment without end: %+v", c.Fault)
	}
	plain, commented := check(strictEC2), check(strings.Replace(strictEC2, "\n", " // EC2 needs MFA, see the handbook\n", 1))
	if commented.Fault != nil || commented.Size != plain.Size || commented.Formatted != "" {
		t.Errorf("comments: %+v; want no fault, size %d as without, and nothing formatted, which would lose them", commented, plain.Size)
	}
	const inRAM = `{ // so that phones count
  "Version": "1", "Statement": [{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}`
	if c := check(inRAM); c.Fault != nil || c.Size == 0 {
		t.Errorf("in RAM's language: %+v", c.Fault)
	}
	if c := check(strings.Replace(inRAM, "Effect", "Efect", 1)); c.Fault == nil || c.Fault.Line != 2 {
		t.Errorf("in RAM's language: %+v", c.Fault)
	}
	if c := check(statement("Allow", "s3:GetObjekt", "*")); c.Fault != nil || len(c.Findings) != 1 || c.Findings[0].Code != "unknown-action" {
		t.Errorf("%+v", c)
	}
}

func TestRemoveTakesWhatGoesWithIt(t *testing.T) {
	h := newHouse(t)
	h.user("alice")
	arn := h.policy("P", statement("Allow", "s3:*", "*"))
	do(h, ops.CreateGroup, ops.CreateGroupIn{Name: "staff"})
	do(h, ops.AddUserToGroup, ops.MemberIn{Group: ref("staff"), User: ref("alice")})
	do(h, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("alice"), Policy: arn})
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "own", Document: statement("Allow", "s3:*", "*")})
	do(h, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ref("alice"), Password: secret("a long enough pass phrase")})
	b := do(h, ops.GetUserBelongings, ops.UserIn{User: ref("alice")})
	if len(b.Groups) != 1 || len(b.Attached) != 1 || len(b.Inline) != 1 || len(b.Keys) != 1 || !b.Password || b.Keys[0].Secret != nil {
		t.Fatalf("%+v", b)
	}

	// Each part is decided as it would be by itself, and nothing is done before.
	clerk := h.user("clerk")
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("clerk"), Policy: "delete", Document: `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"iam:Delete*","Resource":"*"},{"Effect":"Allow","Action":"iam:RemoveUserFromGroup","Resource":"*"}]}`})
	clerk = h.as(clerk.caller.AccessKey)
	_, err := try(clerk, ops.RemoveUser, ops.UserIn{User: ref("alice")})
	if no, ok := ops.AsDenial(err); !ok || no.Action != "iam:DetachUserPolicy" {
		t.Fatalf("%v", err)
	}
	if again := do(h, ops.GetUserBelongings, ops.UserIn{User: ref("alice")}); len(again.Groups) != 1 || len(again.Keys) != 1 {
		t.Fatalf("something was done before everything was allowed: %+v", again)
	}

	do(h, ops.RemoveUser, ops.UserIn{User: ref("alice")})
	refused(h, fault.NotFound, "user", ops.GetUser, ops.UserIn{User: ref("alice")})
	events := do(h, ops.LookupEvents, ops.LookupEventsIn{})
	var seen []string
	for _, e := range events.Items {
		seen = append(seen, e.Operation)
	}
	for _, want := range []string{"RemoveUser", "RemoveUserFromGroup", "DetachUserPolicy", "DeleteUserPolicy", "DeleteAccessKey", "DeleteLoginProfile"} {
		if !slices.Contains(seen, want) {
			t.Errorf("the trail has no %s: %v", want, seen)
		}
	}
	refused(h, fault.Unmodifiable, "oneself", ops.RemoveUser, ops.UserIn{User: ref("admin")})

	do(h, ops.AttachGroupPolicy, ops.AttachIn{Holder: ref("staff"), Policy: arn})
	do(h, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: arn, Document: statement("Deny", "s3:*", "*"), Default: true})
	do(h, ops.PutUserPermissionsBoundary, ops.BoundaryIn{Holder: ref("clerk"), Boundary: arn})
	refused(h, fault.Conflict, "policy in use", ops.RemovePolicy, ops.PolicyIn{Policy: arn})
	do(h, ops.DeleteUserPermissionsBoundary, ops.HolderIn{Holder: ref("clerk")})
	do(h, ops.RemovePolicy, ops.PolicyIn{Policy: arn})
	do(h, ops.RemoveGroup, ops.GroupIn{Group: ref("staff")})
	refused(h, fault.NotFound, "group", ops.GetGroup, ops.GetGroupIn{Group: ref("staff")})
}

func TestFindAndHealth(t *testing.T) {
	h := newHouse(t)
	h.user("alice")
	h.user("malik")
	do(h, ops.CreateLoginProfile, ops.CreateLoginProfileIn{User: ref("alice"), Password: secret("a long enough pass phrase")})
	found := func(in ops.FindUsersIn) string {
		in.Limit = 2
		return pages(t, func(cursor string) ([]ops.UserRow, string) {
			in.Cursor = cursor
			p := do(h, ops.FindUsers, in)
			return p.Items, string(p.Next)
		}, func(u ops.UserRow) string { return u.Name })
	}
	for want, in := range map[string]ops.FindUsersIn{"admin alice|malik": {}, "alice malik": {Search: "LI"}, "alice": {NoMFA: true}, "admin alice|malik ": {HasKeys: true}} {
		if got := found(in); got != strings.TrimSpace(want) {
			t.Errorf("%+v: %q, want %q", in, got, want)
		}
	}
	h.Clock.Advance(100 * 24 * 3600 * 1e9)
	health := do(h, ops.GetAccountHealth, struct{}{})
	if health.NoMFA != 1 || health.OldKeys != 3 || len(health.Unused) == 0 || health.RootFactors != 0 {
		t.Errorf("%+v", health)
	}
	may := do(h, ops.MayI, ops.MayIn{Actions: []string{"ec2:DescribeInstances"}})
	if !may["ec2:DescribeInstances"] {
		t.Error("the administrator may not")
	}
	if p := do(h, ops.FindPolicies, ops.FindPoliciesIn{Search: "administratoraccess", Scope: ops.ScopeVendor}); len(p.Items) == 0 || p.Items[0].Account != 0 {
		t.Errorf("%+v", p)
	}
	if g := do(h, ops.FindGroups, ops.FindIn{Search: "nothing"}); len(g.Items) != 0 {
		t.Errorf("%+v", g)
	}
	do(h, ops.CreateRole, ops.CreateRoleIn{Name: "deploy", Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}]}`})
	if r := do(h, ops.FindRoles, ops.FindIn{Search: "DEP"}); len(r.Items) != 1 {
		t.Errorf("%+v", r)
	}
	if got := do(h, ops.TryAccess, ops.TryIn{Kind: iam.KindRole, Who: ref("deploy"), Action: "s3:GetObject"}); verdicts(got) != "mfa- password- key-" {
		t.Error(verdicts(got))
	}
}

// A policy with comments is kept as it was written and decides as without them;
// its statements stand where they were written.
func TestCommentsAreKept(t *testing.T) {
	h := newHouse(t)
	h.user("alice")
	text := strings.Replace(strictEC2, "    {\"Sid\"", "    // 契約の条件\n    /* MFA */ {\"Sid\"", 1)
	p := do(h, ops.CreatePolicy, ops.CreatePolicyIn{Name: "P", Document: text, Comments: true})
	if v := do(h, ops.GetPolicyVersion, ops.VersionIn{Policy: p.ARN(), Version: "v1"}); v.Document != text {
		t.Errorf("stored: %q", v.Document)
	}
	do(h, ops.AttachUserPolicy, ops.AttachIn{Holder: ref("alice"), Policy: p.ARN()})
	no := do(h, ops.TryAccess, ops.TryIn{Who: ref("alice"), Action: "ec2:DescribeInstances"}).Verdicts[1].Because
	if no == nil || no.Sid != "DenyWithoutMFA" || no.Line != 7 || no.Column != 15 {
		t.Errorf("%+v", no)
	}

	do(h, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: p.ARN(), Document: text + "// end", Comments: true})
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "own", Document: text, Comments: true})
	if in := do(h, ops.GetUserPolicy, ops.InlineIn{Holder: ref("alice"), Policy: "own"}); in.Document != text {
		t.Errorf("stored inline: %q", in.Document)
	}
	room := strings.Repeat("/* a comment takes no room of the quota */", 100)
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "other", Document: room + statement("Allow", "s3:*", "*"), Comments: true})
	do(h, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "own", Document: text + room, Comments: true})

	trust := "{ // who\n\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":/* she */\"" + "arn:aws:iam::123456789012:user/alice" + "\"},\"Action\":\"sts:AssumeRole\"}} // end"
	if r := do(h, ops.CreateRole, ops.CreateRoleIn{Name: "r", Trust: trust, Comments: true}); r.Trust != trust {
		t.Errorf("trust: %q", r.Trust)
	}
	do(h, ops.UpdateAssumeRolePolicy, ops.UpdateTrustIn{Role: ref("r"), Trust: trust, Comments: true})

	// Where comments are not allowed they are refused, and everywhere what is no
	// comment.
	const noun = "policy document"
	refused(h, fault.Malformed, noun, ops.CreatePolicy, ops.CreatePolicyIn{Name: "Q", Document: text})
	refused(h, fault.Malformed, noun, ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: p.ARN(), Document: text})
	refused(h, fault.Malformed, noun, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "q", Document: text})
	refused(h, fault.Malformed, noun, ops.CreateRole, ops.CreateRoleIn{Name: "q", Trust: trust})
	refused(h, fault.Malformed, noun, ops.UpdateAssumeRolePolicy, ops.UpdateTrustIn{Role: ref("r"), Trust: trust})
	refused(h, fault.Malformed, noun, ops.CreatePolicy, ops.CreatePolicyIn{Name: "Q", Document: text + "/*", Comments: true})
	refused(h, fault.Malformed, noun, ops.PutUserPolicy, ops.PutInlineIn{Holder: ref("alice"), Policy: "q", Document: text + "/*", Comments: true})
	refused(h, fault.Malformed, noun, ops.CreateRole, ops.CreateRoleIn{Name: "q", Trust: trust + "\n/*", Comments: true})
}
