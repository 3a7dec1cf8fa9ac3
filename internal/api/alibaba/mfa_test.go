package alibaba_test

import (
	"testing"
	"time"

	"warifu/internal/testkit"
	"warifu/policy/ram/jobs"
)

// AssumeRole takes a code of the caller's device, and acs:MFAPresent says so to the
// trust policy; a request signed with a key alone has no such key. A code is good
// once. (C-1)
func TestAssumeRoleWithACode(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		alice := d.userKey("alice")
		made := d.do("CreateVirtualMFADevice", "VirtualMFADeviceName", "phone")
		serial, seed := made.text("VirtualMFADevice.SerialNumber"), made.text("VirtualMFADevice.Base32StringSeed")
		code := func() string { return testkit.Code(t, seed, d.Clock.Now()) }
		first := code()
		d.Clock.Advance(30 * time.Second)
		d.do("BindMFADevice", "UserName", "alice", "SerialNumber", serial, "AuthenticationCode1", first, "AuthenticationCode2", code())

		policy := func(name, to, whom, document string) {
			d.do("CreatePolicy", "PolicyName", name, "PolicyDocument", document)
			d.do("AttachPolicyTo"+to, to+"Name", whom, "PolicyName", name, "PolicyType", "Custom")
		}
		policy("assume", "User", "alice", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"},
			{"Effect":"Allow","Action":"ram:GetUser","Resource":"*","Condition":{"Bool":{"acs:MFAPresent":"true"}}}]}`)
		const role = "acs:ram::" + account + ":role/careful"
		d.do("CreateRole", "RoleName", "careful", "AssumeRolePolicyDocument", `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"RAM":["acs:ram::`+account+`:root"]},
			"Action":"sts:AssumeRole","Condition":{"Bool":{"acs:MFAPresent":"true"}}}]}`)
		policy("look", "Role", "careful", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:GetUser","Resource":"*"}]}`)

		ask := func(put ...string) *reply {
			return alice.of(sts, "AssumeRole", append([]string{"RoleArn", role, "RoleSessionName", "job"}, put...)...)
		}
		alice.fails(403, "NoPermission", "GetUser", "UserName", "alice")
		if r := ask(); r.status != 403 || r.text("Code") != "NoPermission" {
			t.Errorf("without a code: %d %s", r.status, r.body)
		}
		if r := ask("SerialNumber", serial, "TokenCode", "000000"); r.status/100 != 4 {
			t.Errorf("a wrong code: %d %s", r.status, r.body)
		}
		d.Clock.Advance(30 * time.Second)
		now := code()
		r := ask("SerialNumber", serial, "TokenCode", now)
		if r.status != 200 {
			t.Fatalf("with a code: %d %s", r.status, r.body)
		}
		d.as(key{r.text("Credentials.AccessKeyId"), r.text("Credentials.AccessKeySecret"), r.text("Credentials.SecurityToken")}).do("GetUser", "UserName", "alice")
		if r := ask("SerialNumber", serial, "TokenCode", now); r.status/100 != 4 {
			t.Errorf("the same code again: %d %s", r.status, r.body)
		}
	})
}

// The engineers' policy is saved and handed out as it is printed, comments and all.
func TestCommentsAreKept(t *testing.T) {
	d := open(t, testkit.New(t))
	job, _ := jobs.Find(jobs.OMEngineer)
	text := job.Policies[0].Document(nil)
	d.do("CreatePolicy", "PolicyName", "OM", "PolicyDocument", text)
	if got := d.do("GetPolicy", "PolicyName", "OM", "PolicyType", "Custom").text("Policy.PolicyDocument"); got != text {
		t.Errorf("%s", got)
	}
	const trust = "{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\", /* machines */ \"Principal\":{\"Service\":\"ecs.aliyuncs.com\"},\"Action\":\"sts:AssumeRole\"}]} // end"
	d.do("CreateRole", "RoleName", "batch", "AssumeRolePolicyDocument", trust)
	if got := d.do("GetRole", "RoleName", "batch").text("Role.AssumeRolePolicyDocument"); got != trust {
		t.Errorf("%s", got)
	}
}
