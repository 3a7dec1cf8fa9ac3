package name_test

import (
	"testing"

	"warifu/internal/name"
)

func TestUIDs(t *testing.T) {
	a := name.Account(12345678901)
	if got := a.UID(); got != "1000012345678901" {
		t.Errorf("UID is %q", got)
	}
	if back, ok := name.ParseUID(a.UID()); !ok || back != a {
		t.Errorf("read back as %v, %v", back, ok)
	}
	for _, bad := range []string{"", "012345678901", "2000012345678901", "1000000000000000", "10000123456789012"} {
		if _, ok := name.ParseUID(bad); ok {
			t.Errorf("%q passes for a UID", bad)
		}
	}
}

func TestACSOf(t *testing.T) {
	for arn, want := range map[string]string{
		"*":                                    "*",
		"arn:aws:iam::123456789012:user/alice": "acs:ram::1000123456789012:user/alice",
		"arn:aws:iam::123456789012:user/eng/dept/alice":    "acs:ram::1000123456789012:user/alice",
		"arn:aws:iam::123456789012:user/":                  "acs:ram::1000123456789012:user/",
		"arn:aws:iam::123456789012:root":                   "acs:ram::1000123456789012:root",
		"arn:aws:iam::123456789012:mfa/phone":              "acs:ram::1000123456789012:mfa/phone",
		"arn:aws:iam::aws:policy/job-function/Billing":     "acs:ram::system:policy/Billing",
		"arn:aws:iam::acs:policy/AliyunRAMFullAccess":      "acs:ram::system:policy/AliyunRAMFullAccess",
		"arn:aws:sts::123456789012:assumed-role/ops/alice": "acs:sts::1000123456789012:assumed-role/ops/alice",
		"arn:aws:s3:::bucket/key":                          "",
		"arn:aws:iam::12:user/alice":                       "",
		"arn:aws-cn:iam::123456789012:user/alice":          "",
		"arn:aws:iam:us-east-1:123456789012:user/alice":    "",
		"alice": "",
	} {
		if got := name.ACSOf(arn); got != want {
			t.Errorf("%s is %q, want %q", arn, got, want)
		}
	}
}

func TestSplitRAM(t *testing.T) {
	const a = name.Account(123456789012)
	for _, s := range []string{name.RAM(a, "role", "ops"), "acs:ram:*:1000123456789012:role/ops"} {
		if account, called, ok := name.SplitRAM(s, "role"); !ok || account != a || called != "ops" {
			t.Errorf("%s: %v %q %v", s, account, called, ok)
		}
	}
	if account, called, ok := name.SplitRAM("acs:ram::system:policy/AdministratorAccess", "policy"); !ok || account != name.AlibabaVendor || called != "AdministratorAccess" {
		t.Errorf("a system policy: %v %q %v", account, called, ok)
	}
	for _, s := range []string{
		"", "acs:ram::1000123456789012:user/ops", "acs:ram::1000123456789012:role/", "acs:ram::123456789012:role/ops",
		"acs:ram:cn-hangzhou:1000123456789012:role/ops", "acs:oss::1000123456789012:role/ops", "arn:aws:iam::123456789012:role/ops",
	} {
		if _, _, ok := name.SplitRAM(s, "role"); ok {
			t.Errorf("%q passes for a role's name", s)
		}
	}
}

func TestNamesOfAlibabaPoliciesAtTheAWSDoor(t *testing.T) {
	arn := name.PolicyARN(name.AlibabaVendor, "/", "AdministratorAccess")
	if arn != "arn:aws:iam::acs:policy/AdministratorAccess" {
		t.Errorf("the ARN is %s", arn)
	}
	if a, _, called, ok := name.SplitIAM(arn, "policy"); !ok || a != name.AlibabaVendor || called != "AdministratorAccess" {
		t.Errorf("read back as %v %q %v", a, called, ok)
	}
}

func TestUPNs(t *testing.T) {
	const a = name.Account(123456789012)
	if got := name.UPN("alice", name.Domain(a, "acme")); got != "alice@acme.onaliyun.com" {
		t.Errorf("%s", got)
	}
	if got := name.Domain(a, ""); got != "1000123456789012.onaliyun.com" {
		t.Errorf("%s", got)
	}
	for s, want := range map[string][2]string{
		"alice": {"alice", ""}, "alice@acme": {"alice", "acme.onaliyun.com"}, "alice@acme.onaliyun.com": {"alice", "acme.onaliyun.com"},
		"a@b@acme.example": {"a@b", "acme.example"}, "alice@": {"alice", ""},
	} {
		if user, domain := name.SplitUPN(s); user != want[0] || domain != want[1] {
			t.Errorf("%s is %q %q", s, user, domain)
		}
	}
}
