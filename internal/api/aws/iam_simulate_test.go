package aws_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// forceMFA allows EC2, and denies nearly everything without MFA.
const forceMFA = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "EC2", "Effect": "Allow", "Action": "ec2:*", "Resource": "*"},
    {"Sid": "NoMFA", "Effect": "Deny", "NotAction": "iam:EnableMFADevice", "Resource": "*",
     "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
  ]
}`

func mfaIs(value string) []types.ContextEntry {
	return []types.ContextEntry{{ContextKeyName: str("aws:MultiFactorAuthPresent"), ContextKeyType: types.ContextKeyTypeEnumBoolean, ContextKeyValues: []string{value}}}
}

// told writes results as ACTION RESOURCE DECISION STATEMENTS missing KEYS.
func told(results []types.EvaluationResult) string {
	var lines []string
	for _, r := range results {
		line := fmt.Sprintf("%s %s %s", *r.EvalActionName, *r.EvalResourceName, r.EvalDecision)
		missing := r.MissingContextValues
		for _, m := range r.MatchedStatements {
			line += fmt.Sprintf(" %s/%s@%d:%d-%d:%d", m.SourcePolicyType, *m.SourcePolicyId, m.StartPosition.Line, m.StartPosition.Column, m.EndPosition.Line, m.EndPosition.Column)
		}
		for _, s := range r.ResourceSpecificResults {
			if s.EvalResourceDecision != r.EvalDecision || *s.EvalResourceName != *r.EvalResourceName || len(s.MatchedStatements) != len(r.MatchedStatements) {
				line += " (differs for the resource)"
			}
			missing = append(missing, s.MissingContextValues...)
		}
		if len(missing) > 0 {
			line += " missing " + strings.Join(missing, ",")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (s desk) simulates(in iam.SimulatePrincipalPolicyInput, want ...string) *iam.SimulatePrincipalPolicyOutput {
	s.Helper()
	out := ok(s, s.SimulatePrincipalPolicy, in)
	if got := told(out.EvaluationResults); got != strings.Join(want, "\n") {
		s.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	return out
}

func (s desk) simulatesCustom(in iam.SimulateCustomPolicyInput, want ...string) *iam.SimulateCustomPolicyOutput {
	s.Helper()
	out := ok(s, s.SimulateCustomPolicy, in)
	if got := told(out.EvaluationResults); got != strings.Join(want, "\n") {
		s.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	return out
}

// TestSimulatePrincipal asks what alice may do, by her group's, her own and her
// boundary's policies, with MFA and without.
func TestSimulatePrincipal(t *testing.T) {
	s := newDesk(t)
	ok(s, s.CreateUser, iam.CreateUserInput{UserName: str("alice")})
	ok(s, s.CreateGroup, iam.CreateGroupInput{GroupName: str("ops")})
	ok(s, s.AddUserToGroup, iam.AddUserToGroupInput{GroupName: str("ops"), UserName: str("alice")})
	p := ok(s, s.CreatePolicy, iam.CreatePolicyInput{PolicyName: str("Force_MFA"), PolicyDocument: str(forceMFA)}).Policy
	ok(s, s.AttachGroupPolicy, iam.AttachGroupPolicyInput{GroupName: str("ops"), PolicyArn: p.Arn})
	ok(s, s.PutUserPolicy, iam.PutUserPolicyInput{UserName: str("alice"), PolicyName: str("home"), PolicyDocument: str(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*"}}`)})
	alice := str(own + "user/alice")

	s.simulates(iam.SimulatePrincipalPolicyInput{PolicySourceArn: alice, ActionNames: []string{"ec2:RunInstances", "rds:CreateDBInstance"}, ContextEntries: mfaIs("true")},
		"ec2:RunInstances * allowed user-managed/Force_MFA@4:5-4:74", "rds:CreateDBInstance * implicitDeny")
	s.simulates(iam.SimulatePrincipalPolicyInput{PolicySourceArn: alice, ActionNames: []string{"ec2:RunInstances"}, ContextEntries: mfaIs("false")},
		"ec2:RunInstances * explicitDeny user-managed/Force_MFA@5:5-6:77")
	s.simulates(iam.SimulatePrincipalPolicyInput{PolicySourceArn: alice, ActionNames: []string{"ec2:RunInstances"}}, // a long-term key
		"ec2:RunInstances * explicitDeny user-managed/Force_MFA@5:5-6:77 missing aws:MultiFactorAuthPresent")
	s.simulates(iam.SimulatePrincipalPolicyInput{PolicySourceArn: alice, ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::home/alice/a", "arn:aws:s3:::home/bob/a"}, ContextEntries: mfaIs("true")},
		"s3:GetObject arn:aws:s3:::home/alice/a allowed user/home@1:37-1:120", "s3:GetObject arn:aws:s3:::home/bob/a implicitDeny")

	group := str(own + "group/ops")
	s.simulates(iam.SimulatePrincipalPolicyInput{PolicySourceArn: group, ActionNames: []string{"ec2:RunInstances"}, ContextEntries: mfaIs("true")},
		"ec2:RunInstances * allowed user-managed/Force_MFA@4:5-4:74")
	s.simulates(iam.SimulatePrincipalPolicyInput{PolicySourceArn: group, ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::b/k"}, ContextEntries: mfaIs("true"),
		PolicyInputList: []string{allowS3}}, "s3:GetObject arn:aws:s3:::b/k allowed none/PolicyInputList.1@1:41-1:95")

	boundary := []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`}
	out := s.simulates(iam.SimulatePrincipalPolicyInput{PolicySourceArn: alice, ActionNames: []string{"ec2:RunInstances"}, ContextEntries: mfaIs("true"), PermissionsBoundaryPolicyInputList: boundary},
		"ec2:RunInstances * implicitDeny")
	if d := out.EvaluationResults[0].PermissionsBoundaryDecisionDetail; d == nil || d.AllowedByPermissionsBoundary {
		t.Errorf("boundary %+v", d)
	}

	keys := ok(s, s.GetContextKeysForPrincipalPolicy, iam.GetContextKeysForPrincipalPolicyInput{PolicySourceArn: alice, PolicyInputList: []string{
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"AWS:sourceip":"10.0.0.0/8"}}}}`}}).ContextKeyNames
	if !slices.Equal(keys, []string{"aws:MultiFactorAuthPresent", "aws:SourceIp", "aws:username"}) {
		t.Errorf("keys %q", keys)
	}
	fails(s, 404, "NoSuchEntity", "The user with name nobody cannot be found.", s.SimulatePrincipalPolicy, iam.SimulatePrincipalPolicyInput{PolicySourceArn: str(own + "user/nobody"), ActionNames: []string{"a:b"}})
	fails(s, 400, "InvalidInput", own+"mfa/x-device is not the ARN of a user, group or role", s.SimulatePrincipalPolicy, iam.SimulatePrincipalPolicyInput{PolicySourceArn: str(own + "mfa/x-device"), ActionNames: []string{"a:b"}})
}

// TestSimulateTrust: unlike AWS's, this simulator asks the trust policy of a role that
// is to be assumed, with its conditions on MFA.
func TestSimulateTrust(t *testing.T) {
	s := newDesk(t)
	ok(s, s.CreateUser, iam.CreateUserInput{UserName: str("alice")})
	ok(s, s.PutUserPolicy, iam.PutUserPolicyInput{UserName: str("alice"), PolicyName: str("sts"), PolicyDocument: str(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`)})
	ok(s, s.CreateRole, iam.CreateRoleInput{RoleName: str("deploy"), AssumeRolePolicyDocument: str(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole","Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}}}`)})
	age := func(seconds string) []types.ContextEntry {
		return []types.ContextEntry{{ContextKeyName: str("aws:MultiFactorAuthAge"), ContextKeyType: types.ContextKeyTypeEnumNumeric, ContextKeyValues: []string{seconds}}}
	}
	ask := func(entries []types.ContextEntry, want string) {
		t.Helper()
		s.simulates(iam.SimulatePrincipalPolicyInput{PolicySourceArn: str(own + "user/alice"), ActionNames: []string{"sts:AssumeRole"}, ResourceArns: []string{own + "role/deploy"}, ContextEntries: entries},
			"sts:AssumeRole "+own+"role/deploy "+want)
	}
	ask(age("60"), "allowed user/sts@1:37-1:96 resource/trust policy of "+own+"role/deploy@1:37-1:182")
	ask(age("7200"), "implicitDeny")
	ask(nil, "implicitDeny missing aws:MultiFactorAuthAge")
	s.simulates(iam.SimulatePrincipalPolicyInput{PolicySourceArn: str(own + "role/deploy"), ActionNames: []string{"ec2:RunInstances"}}, "ec2:RunInstances * implicitDeny")
}

// TestSimulateCustom asks policies that nobody has.
func TestSimulateCustom(t *testing.T) {
	s := newDesk(t)
	readBucket := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/eve"},"Action":"s3:GetObject","Resource":"*"}}`
	out := s.simulatesCustom(iam.SimulateCustomPolicyInput{PolicyInputList: []string{allowS3}, ResourcePolicy: &readBucket, CallerArn: str("arn:aws:iam::444455556666:user/eve"),
		ResourceOwner: str("arn:aws:iam::123456789012:root"), ActionNames: []string{"s3:GetObject", "s3:PutObject"}, ResourceArns: []string{"arn:aws:s3:::b/k"}},
		"s3:GetObject arn:aws:s3:::b/k allowed none/PolicyInputList.1@1:41-1:95 resource/ResourcePolicy@1:37-1:151", "s3:PutObject arn:aws:s3:::b/k implicitDeny")
	if d := out.EvaluationResults[1].EvalDecisionDetails; d["identity-based policy"] != "allowed" || d["resource-based policy"] != "implicitDeny" {
		t.Errorf("across accounts: %v", d)
	}
	s.simulatesCustom(iam.SimulateCustomPolicyInput{PolicyInputList: []string{strings.Replace(allowS3, `"*"`, `"arn:aws:s3:::${aws:username}/*"`, 1)}, CallerArn: str(own + "user/zoe"),
		ActionNames: []string{"s3:GetObject"}, ResourceArns: []string{"arn:aws:s3:::zoe/k"}}, "s3:GetObject arn:aws:s3:::zoe/k allowed none/PolicyInputList.1@1:41-1:124")

	// Pages of two.
	in := iam.SimulateCustomPolicyInput{PolicyInputList: []string{allowS3}, ActionNames: []string{"s3:a", "s3:b", "ec2:c"}, MaxItems: awssdk.Int32(2)}
	first := s.simulatesCustom(in, "s3:a * allowed none/PolicyInputList.1@1:41-1:95", "s3:b * allowed none/PolicyInputList.1@1:41-1:95")
	if !first.IsTruncated {
		t.Error("no second page")
	}
	in.Marker = first.Marker
	if last := s.simulatesCustom(in, "ec2:c * implicitDeny"); last.IsTruncated {
		t.Error("a third page")
	}

	keys := ok(s, s.GetContextKeysForCustomPolicy, iam.GetContextKeysForCustomPolicyInput{PolicyInputList: []string{forceMFA}}).ContextKeyNames
	if !slices.Equal(keys, []string{"aws:MultiFactorAuthPresent"}) {
		t.Errorf("keys %q", keys)
	}

	custom := func(change func(*iam.SimulateCustomPolicyInput)) iam.SimulateCustomPolicyInput {
		in := iam.SimulateCustomPolicyInput{PolicyInputList: []string{allowS3}, ActionNames: []string{"s3:GetObject"}}
		change(&in)
		return in
	}
	for message, in := range map[string]iam.SimulateCustomPolicyInput{
		`Invalid Input Policy 1: Syntax errors in policy. line 1, column 2: found the end of the text; allowed: JSON (RFC 8259) in UTF-8`: custom(func(in *iam.SimulateCustomPolicyInput) { in.PolicyInputList = []string{"{"} }),
		`s3:* is not an action: it is written service:Operation, without wildcards`:                                                       custom(func(in *iam.SimulateCustomPolicyInput) { in.ActionNames = []string{"s3:*"} }),
		`arn:aws:sts::123456789012:assumed-role/a/b is not the ARN of a user or role`: custom(func(in *iam.SimulateCustomPolicyInput) {
			in.CallerArn = str("arn:aws:sts::123456789012:assumed-role/a/b")
		}),
		`acme is not an account`: custom(func(in *iam.SimulateCustomPolicyInput) { in.ResourceOwner = str("acme") }),
		`"maybe" is no value of type boolean for aws:MultiFactorAuthPresent`: custom(func(in *iam.SimulateCustomPolicyInput) { in.ContextEntries = mfaIs("maybe") }),
		`aws:MultiFactorAuthPresent is of type boolean and has 0 values; it must have one`: custom(func(in *iam.SimulateCustomPolicyInput) {
			in.ContextEntries = mfaIs("")
			in.ContextEntries[0].ContextKeyValues = nil
		}),
	} {
		fails(s, 400, "InvalidInput", message, s.SimulateCustomPolicy, in)
	}
}
