package managed

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/aws/catalog"
)

// required are the policies that a new account must have.
var required = []string{
	"AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "job-function/ViewOnlyAccess", "SecurityAudit",
	"IAMFullAccess", "IAMReadOnlyAccess", "IAMUserChangePassword", "IAMSelfManageServiceSpecificCredentials",
	"AmazonEC2FullAccess", "AmazonEC2ReadOnlyAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess",
	"AmazonVPCFullAccess", "AWSCloudTrail_FullAccess", "AWSCloudTrail_ReadOnlyAccess",
}

func TestRequiredPoliciesExist(t *testing.T) {
	for _, name := range required {
		p, found := Lookup("arn:aws:iam::aws:policy/" + name)
		if !found {
			t.Errorf("%s is missing", name)
			continue
		}
		if got := strings.TrimPrefix(p.Path+p.Name, "/"); got != name {
			t.Errorf("Lookup(%s) = %s", name, got)
		}
	}
	for _, arn := range []string{
		"", "AdministratorAccess", "arn:aws:iam::aws:policy/ViewOnlyAccess", "arn:aws:iam::aws:policy/administratoraccess",
		"arn:aws:iam::123456789012:policy/AdministratorAccess", "arn:aws:iam::aws:policy/Nothing",
	} {
		if p, found := Lookup(arn); found {
			t.Errorf("Lookup(%q) = %s", arn, p.Name)
		}
	}
}

func TestTableIsWellFormed(t *testing.T) {
	id := regexp.MustCompile(`^ANPA[A-Z0-9]{17}$`)
	version := regexp.MustCompile(`^v[1-9][0-9]*$`)
	ids := map[string]string{}
	all := All()
	if !slices.IsSortedFunc(all, func(a, b Policy) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("policies are not sorted by name")
	}
	for _, p := range all {
		if !id.MatchString(p.ID) || ids[p.ID] != "" {
			t.Errorf("%s has id %q (also of %q)", p.Name, p.ID, ids[p.ID])
		}
		ids[p.ID] = p.Name
		if !version.MatchString(p.DefaultVersion) || p.Description == "" || p.Updated.Before(p.Created) || p.Created.IsZero() {
			t.Errorf("%s: version %q, description %q, created %v, updated %v", p.Name, p.DefaultVersion, p.Description, p.Created, p.Updated)
		}
	}
	if files, _ := documents.ReadDir("documents"); len(files) != len(all) {
		t.Errorf("%d documents for %d policies", len(files), len(all))
	}
}

type statement struct {
	Effect      string
	Action      list                       `json:",omitzero"`
	NotAction   list                       `json:",omitzero"`
	Resource    list                       `json:",omitzero"`
	NotResource list                       `json:",omitzero"`
	Condition   map[string]map[string]list `json:",omitzero"`
}

// list takes a string or an array of them.
type list []string

func (l *list) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		*l = list{""}
		return json.Unmarshal(b, &(*l)[0])
	}
	return json.Unmarshal(b, (*[]string)(l))
}

func statements(t *testing.T, p Policy) []statement {
	t.Helper()
	var doc struct {
		Version   string
		Statement []statement
	}
	if err := json.Unmarshal([]byte(p.Document), &doc, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
	if doc.Version != "2012-10-17" || len(doc.Statement) == 0 {
		t.Fatalf("%s: version %q, %d statements", p.Name, doc.Version, len(doc.Statement))
	}
	return doc.Statement
}

func TestDocumentsAreValid(t *testing.T) {
	for _, p := range All() {
		rules(t, p)
		for i, s := range statements(t, p) {
			if s.Effect != "Allow" && s.Effect != "Deny" {
				t.Errorf("%s statement %d: effect %q", p.Name, i, s.Effect)
			}
			if (len(s.Action) > 0) == (len(s.NotAction) > 0) || (len(s.Resource) > 0) == (len(s.NotResource) > 0) {
				t.Errorf("%s statement %d: needs one of Action and NotAction, of Resource and NotResource", p.Name, i)
			}
			for op, keys := range s.Condition {
				for key := range keys {
					if !catalog.ConditionKeyKnown(strings.SplitN(key, ":", 2)[0], key) {
						t.Errorf("%s statement %d: %s on the unknown key %s", p.Name, i, op, key)
					}
				}
			}
		}
	}
}

// rules parses a policy as the server does.
func rules(t *testing.T, p Policy) []policy.Rule {
	t.Helper()
	doc, err := aws.Parse([]byte(p.Document), aws.VendorPolicy)
	if err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
	return doc.Rules(policy.RuleID{Policy: p.ARN, Version: p.DefaultVersion})
}

// grants asks the evaluator whether the policy alone lets a request with no
// context do the action on some resource of no particular name.
func grants(t *testing.T, p Policy, action string) bool {
	t.Helper()
	set := policy.Compile(rules(t, p), policy.NewKeys())
	req := policy.Request{Principal: policy.Principal{Kind: policy.User, Account: "123456789012"}}
	req.Actions[aws.Language] = action
	req.Resources[aws.Language] = "arn:aws:x:eu-west-1:123456789012:thing/1"
	return policy.Decide(&req, policy.Layer{Kind: policy.Identity, Sets: []*policy.Set{set}}).Allowed()
}

func TestWhatPoliciesGrant(t *testing.T) {
	tests := []struct {
		policy, action string
		want           bool
	}{
		{"AdministratorAccess", "iam:DeleteUser", true},
		{"AdministratorAccess", "anything:AtAll", true},
		{"PowerUserAccess", "ec2:RunInstances", true},
		{"PowerUserAccess", "iam:CreateUser", false},
		{"PowerUserAccess", "iam:ListRoles", true},
		{"PowerUserAccess", "organizations:CreateAccount", false},
		{"ReadOnlyAccess", "ec2:DescribeInstances", true},
		{"ReadOnlyAccess", "s3:GetObject", true},
		{"ReadOnlyAccess", "iam:GetUser", true},
		{"ReadOnlyAccess", "ec2:RunInstances", false},
		{"ReadOnlyAccess", "iam:CreateUser", false},
		{"ReadOnlyAccess", "s3:PutObject", false},
		{"job-function/ViewOnlyAccess", "ec2:DescribeInstances", true},
		{"job-function/ViewOnlyAccess", "s3:ListAllMyBuckets", true},
		{"job-function/ViewOnlyAccess", "s3:GetObject", false},
		{"SecurityAudit", "iam:GetAccountAuthorizationDetails", true},
		{"SecurityAudit", "iam:GenerateCredentialReport", true},
		{"SecurityAudit", "s3:GetBucketPolicy", true},
		{"SecurityAudit", "s3:GetObject", false},
		{"IAMFullAccess", "iam:CreateUser", true},
		{"IAMFullAccess", "organizations:DescribeOrganization", true},
		{"IAMFullAccess", "ec2:DescribeInstances", false},
		{"IAMReadOnlyAccess", "iam:ListVirtualMFADevices", true},
		{"IAMReadOnlyAccess", "iam:SimulatePrincipalPolicy", true},
		{"IAMReadOnlyAccess", "iam:EnableMFADevice", false},
		{"IAMUserChangePassword", "iam:GetAccountPasswordPolicy", true},
		{"IAMUserChangePassword", "iam:UpdateLoginProfile", false},
		{"AmazonEC2FullAccess", "ec2:DescribeInstances", true},
		{"AmazonEC2FullAccess", "cloudwatch:PutMetricAlarm", true},
		{"AmazonEC2FullAccess", "s3:ListAllMyBuckets", false},
		{"AmazonEC2FullAccess", "iam:CreateServiceLinkedRole", false}, // only under its condition
		{"AmazonEC2ReadOnlyAccess", "ec2:DescribeInstances", true},
		{"AmazonEC2ReadOnlyAccess", "ec2:TerminateInstances", false},
		{"AmazonS3FullAccess", "s3:DeleteBucket", true},
		{"AmazonS3ReadOnlyAccess", "s3:ListBucket", true},
		{"AmazonS3ReadOnlyAccess", "s3:DeleteObject", false},
		{"AmazonVPCFullAccess", "ec2:CreateVpc", true},
		{"AmazonVPCFullAccess", "ec2:RunInstances", false},
		{"AWSCloudTrail_FullAccess", "cloudtrail:StopLogging", true},
		{"AWSCloudTrail_ReadOnlyAccess", "cloudtrail:LookupEvents", true},
		{"AWSCloudTrail_ReadOnlyAccess", "cloudtrail:StopLogging", false},
		{"AWSDenyAll", "ec2:DescribeInstances", false},
	}
	for _, test := range tests {
		p, found := Lookup("arn:aws:iam::aws:policy/" + test.policy)
		if !found {
			t.Fatalf("no policy %s", test.policy)
		}
		if got := grants(t, p, test.action); got != test.want {
			t.Errorf("%s grants %s: %v, want %v", test.policy, test.action, got, test.want)
		}
	}
}

// An action that no service has is a slip of the pen in a document; AWS keeps
// some retired ones, which are counted, not named.
func TestMostActionsAreKnown(t *testing.T) {
	total, unknown := 0, 0
	for _, p := range All() {
		for _, s := range statements(t, p) {
			for _, a := range s.Action {
				service, action, ok := strings.Cut(a, ":")
				if !ok || strings.Contains(action, "*") {
					continue
				}
				total++
				if _, found := catalog.Action(service, action); !found {
					unknown++
				}
			}
		}
	}
	if total == 0 || unknown*10 > total {
		t.Errorf("%d of %d actions are unknown to the catalog", unknown, total)
	}
	t.Logf("%d of %d actions are unknown to the catalog", unknown, total)
}

func TestReadOnlyPoliciesChangeNothing(t *testing.T) {
	for _, name := range []string{"AmazonS3ReadOnlyAccess", "IAMReadOnlyAccess", "AmazonEC2ReadOnlyAccess", "AWSCloudTrail_ReadOnlyAccess", "AmazonVPCReadOnlyAccess"} {
		p, _ := Lookup("arn:aws:iam::aws:policy/" + name)
		for _, service := range []string{"s3", "iam", "ec2", "cloudtrail", "sts"} {
			for _, a := range catalog.Actions(service) {
				writes := a.Access == catalog.Write || a.Access == catalog.PermissionsManagement
				if writes && !strings.HasPrefix(a.Name, "Generate") && grants(t, p, service+":"+a.Name) {
					t.Errorf("%s grants %s:%s, which writes", name, service, a.Name)
				}
			}
		}
	}
}
