package catalog

import (
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestEveryBlockDecodesAndIsWellFormed(t *testing.T) {
	services := Services()
	if len(services) < 450 {
		t.Fatalf("%d services, want at least 450", len(services))
	}
	arn := regexp.MustCompile(`^arn:[^:]+:[^:]+:[^:]*:[^:]*:.+`)
	total := 0
	for i, s := range services {
		if i > 0 && services[i-1].Prefix >= s.Prefix {
			t.Errorf("services out of order at %q", s.Prefix)
		}
		if s.Name == "" {
			t.Errorf("%s has no name", s.Prefix)
		}
		types := map[string]bool{}
		for _, r := range ResourceTypes(s.Prefix) {
			types[r.Name] = true
			if r.ARN != "" && !arn.MatchString(r.ARN) {
				t.Errorf("%s resource type %s has ARN format %q", s.Prefix, r.Name, r.ARN)
			}
		}
		for _, a := range Actions(s.Prefix) {
			total++
			if a.Access.String() == "Unknown" {
				t.Errorf("%s:%s has no access level", s.Prefix, a.Name)
			}
			for _, on := range a.Resources {
				if !types[on.Type] {
					t.Errorf("%s:%s is authorised on the unlisted type %q", s.Prefix, a.Name, on.Type)
				}
			}
			for _, k := range a.Keys {
				if !ConditionKeyKnown(s.Prefix, k) {
					t.Errorf("%s:%s carries the unlisted key %q", s.Prefix, a.Name, k)
				}
			}
		}
	}
	if total < 20000 {
		t.Errorf("%d actions, want at least 20000", total)
	}
}

func TestActionsAreFoundInAnyCase(t *testing.T) {
	tests := []struct {
		service, name, want string
		access              Access
	}{
		{"iam", "CreateVirtualMFADevice", "CreateVirtualMFADevice", Write},
		{"IAM", "createvirtualmfadevice", "CreateVirtualMFADevice", Write},
		{"iam", "PutUserPolicy", "PutUserPolicy", PermissionsManagement},
		{"iam", "TagUser", "TagUser", Tagging},
		{"s3", "GetObject", "GetObject", Read},
		{"s3", "ListBucket", "ListBucket", List},
		{"ec2", "DescribeInstances", "DescribeInstances", List},
		{"sts", "AssumeRole", "AssumeRole", Write},
	}
	for _, test := range tests {
		info, found := Action(test.service, test.name)
		if !found || info.Name != test.want || info.Access != test.access {
			t.Errorf("Action(%q, %q) = %q %v %v, want %q %v", test.service, test.name, info.Name, info.Access, found, test.want, test.access)
		}
	}
	for _, unknown := range [][2]string{{"s3", "GetObjects"}, {"nosuch", "GetObject"}, {"aws", "SourceIp"}, {"", ""}} {
		if _, found := Action(unknown[0], unknown[1]); found {
			t.Errorf("Action(%q, %q) is found", unknown[0], unknown[1])
		}
	}
}

func TestResourcesOfAnAction(t *testing.T) {
	info, _ := Action("iam", "EnableMFADevice")
	if len(info.Resources) != 1 || info.Resources[0].Type != "user" || !info.Resources[0].Required {
		t.Errorf("iam:EnableMFADevice is authorised on %+v, want a required user", info.Resources)
	}
	if info, _ := Action("iam", "ListVirtualMFADevices"); len(info.Resources) != 0 {
		t.Errorf("iam:ListVirtualMFADevices is authorised on %+v, want none", info.Resources)
	}
	bucket, found := ResourceTypeOf("s3", "Bucket")
	if !found || bucket.ARN != "arn:${Partition}:s3:::${BucketName}" {
		t.Errorf("s3 bucket = %+v, %v", bucket, found)
	}
	if ResourceTypes("nosuch") != nil || Actions("nosuch") != nil || ConditionKeys("nosuch") != nil {
		t.Error("an unknown service has content")
	}
}

func TestConditionKeys(t *testing.T) {
	known := [][2]string{
		{"s3", "s3:prefix"},
		{"s3", "S3:PREFIX"},
		{"s3", "s3:ExistingObjectTag/team"},
		{"s3", "aws:MultiFactorAuthPresent"},
		{"ec2", "aws:PrincipalTag/department"},
		{"ec2", "aws:RequestTag/CostCenter"},
		{"ec2", "aws:sourceip"},
		{"ec2", "ec2:ResourceTag/a/b"},
		{"nosuch", "aws:SourceIp"},
	}
	for _, k := range known {
		if !ConditionKeyKnown(k[0], k[1]) {
			t.Errorf("%s does not know %s", k[0], k[1])
		}
	}
	unknown := [][2]string{
		{"s3", "s3:prefixes"}, {"s3", "ec2:Region"}, {"s3", "s3:ExistingObjectTag/"},
		{"s3", "aws:MultiFactorAuthPresence"}, {"s3", ""}, {"nosuch", "nosuch:key"},
		{"s3", "aws:PrincipalTag/"},
	}
	for _, k := range unknown {
		if ConditionKeyKnown(k[0], k[1]) {
			t.Errorf("%s knows %s", k[0], k[1])
		}
	}
	if k, _ := ConditionKey("s3", "aws:multifactorauthage"); k.Name != "aws:MultiFactorAuthAge" || k.Type != "Numeric" {
		t.Errorf("aws:multifactorauthage = %+v", k)
	}
	if len(ConditionKeys("aws")) < 40 {
		t.Errorf("%d global keys", len(ConditionKeys("aws")))
	}
}

func TestTemplate(t *testing.T) {
	tests := []struct {
		name, key string
		want      bool
	}{
		{"cb:env/${name}.value", "cb:env/path.value", true},
		{"cb:env/${name}.value", "cb:env/.value", false},
		{"cb:env/${name}.value", "cb:env/path.values", false},
		{"x:${a}/${b}", "x:1/2", true},
		{"x:${a}/${b}", "x:1/", false},
		{"x:${a}/${b}", "x:/2", false},
		{"x:tag/<key>", "x:tag/k", true},
		{"aws:principaltag/tag-key", "aws:principaltag/team", true},
	}
	for _, test := range tests {
		tpl, ok := parseTemplate(test.name)
		if !ok {
			t.Fatalf("%q has no variable", test.name)
		}
		if got := tpl.matches(test.key); got != test.want {
			t.Errorf("%q matches %q = %v", test.name, test.key, got)
		}
	}
	if _, ok := parseTemplate("s3:prefix"); ok {
		t.Error("s3:prefix is a template")
	}
}

func TestSharedTablesAreSafeAndCallersOwnTheirSlices(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, service := range []string{"s3", "ec2", "iam", "sts"} {
				list := Actions(service)
				list[0] = Info{Name: strings.Repeat("x", 3)}
			}
		})
	}
	wg.Wait()
	if Actions("s3")[0].Name == "xxx" {
		t.Error("a caller's write reached the table")
	}
}

func BenchmarkAction(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, found := Action("ec2", "DescribeInstances"); !found {
			b.Fatal("not found")
		}
	}
}
