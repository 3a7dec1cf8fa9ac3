package alibaba_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"
	"time"

	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// of asks for an operation of any service, with the RPC signature.
func (d *door) of(version, action string, pairs ...string) *reply {
	d.t.Helper()
	return d.send("POST", d.signed("POST", version, action, pairs...).Encode(), "")
}

// ofDo asks for what must succeed.
func (d *door) ofDo(version, action string, pairs ...string) *reply {
	d.t.Helper()
	r := d.of(version, action, pairs...)
	if r.status != 200 {
		d.t.Fatalf("%s %q: %d %s", action, pairs, r.status, r.body)
	}
	return r
}

// ofFails asks for what must fail with a code.
func (d *door) ofFails(version string, status int, code, action string, pairs ...string) *reply {
	d.t.Helper()
	r := d.of(version, action, pairs...)
	if r.status != status || r.text("Code") != code {
		d.t.Errorf("%s %q: %d %s, want %d %s", action, pairs, r.status, r.body, status, code)
	}
	return r
}

// The password policy is one: the older version spells HardExpiry what the newer
// spells HardExpire, and knows less. What is left out stays.
func TestPasswordPolicies(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		if r := d.do("GetPasswordPolicy"); r.at("PasswordPolicy.MinimumPasswordLength") != 8.0 || r.at("PasswordPolicy.HardExpiry") != false {
			t.Errorf("%s", r.body)
		}
		r := d.imsDo("SetPasswordPolicy", "MinimumPasswordLength", "10", "RequireNumbers", "true", "HardExpire", "true", "InitialPasswordAge", "14",
			"MinimumPasswordDifferentCharacter", "4", "PasswordNotContainUserName", "true", "MaxLoginAttemps", "5", "MaxPasswordAge", "90", "PasswordReusePrevention", "3")
		for path, want := range map[string]any{
			"MinimumPasswordLength": 10.0, "RequireNumbers": true, "RequireSymbols": false, "HardExpire": true, "InitialPasswordAge": 14.0,
			"MinimumPasswordDifferentCharacter": 4.0, "PasswordNotContainUserName": true, "MaxLoginAttemps": 5.0, "MaxPasswordAge": 90.0,
			"PasswordReusePrevention": 3.0, "InterceptRiskPasswordOnApi": true,
		} {
			if r.at("PasswordPolicy."+path) != want {
				t.Errorf("%s: %v, want %v", path, r.at("PasswordPolicy."+path), want)
			}
		}
		r = d.do("SetPasswordPolicy", "HardExpiry", "false", "RequireSymbols", "true", "MinimumPasswordLength", "null")
		if r.at("PasswordPolicy.HardExpiry") != false || r.at("PasswordPolicy.MinimumPasswordLength") != 10.0 || r.at("PasswordPolicy.RequireNumbers") != true {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("GetPasswordPolicy"); r.at("PasswordPolicy.InitialPasswordAge") != 14.0 || r.at("PasswordPolicy.HardExpire") != false {
			t.Errorf("%s", r.body)
		}
		for param, bad := range map[string][]string{
			"MinimumPasswordLength": {"7", "33"}, "MaxLoginAttemps": {"-1", "33"}, "PasswordReusePrevention": {"25"}, "MaxPasswordAge": {"1096"},
		} {
			for _, v := range bad {
				d.fails(400, "InvalidParameter."+param+".Range", "SetPasswordPolicy", param, v)
			}
		}
		d.fails(400, "InvalidParameter.RequireNumbers.Format", "SetPasswordPolicy", "RequireNumbers", "yes")
		d.fails(400, "InvalidParameter.MaxPasswordAge.Format", "SetPasswordPolicy", "MaxPasswordAge", "x")
		d.do("CreateUser", "UserName", "alice")
		d.fails(400, "InvalidParameter.Password.TooWeak", "CreateLoginProfile", "UserName", "alice", "Password", "no digits at all!")
		d.do("CreateLoginProfile", "UserName", "alice", "Password", "Digits at all: 42")
	})
}

// The default domain is the alias's.
func TestDefaultDomain(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		if r := d.imsDo("GetDefaultDomain"); r.text("DefaultDomainName") != "acme.onaliyun.com" {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("SetDefaultDomain", "DefaultDomainName", "tally.onaliyun.com"); r.text("DefaultDomainName") != "tally.onaliyun.com" {
			t.Errorf("%s", r.body)
		}
		if r := d.do("GetAccountAlias"); r.text("AccountAlias") != "tally" {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("CreateUser", "UserPrincipalName", "eve@tally.onaliyun.com", "DisplayName", "Eve"); r.text("User.UserPrincipalName") != "eve@tally.onaliyun.com" {
			t.Errorf("%s", r.body)
		}
		for _, bad := range []string{"tally.example.com", "tally", "a.b.onaliyun.com"} {
			if r := d.ims("SetDefaultDomain", "DefaultDomainName", bad); r.text("Code") != "InvalidParameter.DefaultDomainName.Format" {
				t.Errorf("%s: %s", bad, r.body)
			}
		}
		if r := d.ims("SetDefaultDomain", "DefaultDomainName", "A.onaliyun.com"); r.text("Code") != "InvalidParameter.AccountAlias" {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("SetDefaultDomain", "DefaultDomainName", "1000123456789012.onaliyun.com"); r.text("DefaultDomainName") != "1000123456789012.onaliyun.com" {
			t.Errorf("%s", r.body)
		}
	})
}

func TestTags(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		alice := d.do("CreateUser", "UserName", "alice").text("User.UserId")
		d.do("CreateUser", "UserName", "bob")
		d.do("TagResources", "ResourceType", "user", "ResourceNames", `["alice","bob"]`, "Tag", `[{"Key":"team","Value":"x"},{"Key":"site","Value":"tokyo"}]`)
		d.imsDo("TagResources", "ResourceType", "user", "ResourceId.1", alice, "Tag.1.Key", "team", "Tag.1.Value", "y")
		d.imsDo("TagResources", "ResourceType", "user", "ResourcePrincipalName", `["bob@acme.onaliyun.com"]`, "Tag", `[{"Key":"lead","Value":""}]`)

		r := d.do("ListTagResources", "ResourceType", "user", "PageSize", "3")
		var got []string
		for {
			for _, row := range r.at("TagResources").([]any) {
				m := row.(map[string]any)
				got = append(got, m["ResourceName"].(string)+":"+m["TagKey"].(string)+"="+m["TagValue"].(string))
			}
			if r.text("NextToken") == "" {
				break
			}
			r = d.do("ListTagResources", "ResourceType", "user", "PageSize", "3", "NextToken", r.text("NextToken"))
		}
		if s := strings.Join(got, " "); s != "alice:site=tokyo alice:team=y bob:lead= bob:site=tokyo bob:team=x" {
			t.Error(s)
		}
		r = d.imsDo("ListTagResources", "ResourceType", "user", "Tag", `[{"Key":"team","Value":"y"}]`)
		if r.text("TagResources.TagResource.0.ResourceId") != alice || r.text("TagResources.TagResource.1.TagValue") != "y" || r.at("TagResources.TagResource.2") != nil || r.at("IsTruncated") != false {
			t.Errorf("%s", r.body)
		}
		d.imsDo("UntagResources", "ResourceType", "user", "ResourceId.1", alice, "TagKey.1", "team")
		d.do("UntagResources", "ResourceType", "user", "ResourceNames.1", "bob", "All", "true")
		r = d.do("ListTagResources", "ResourceType", "user", "ResourceNames.1", "alice", "ResourceNames.2", "nobody")
		if r.text("TagResources.0.TagKey") != "site" || r.at("TagResources.1") != nil {
			t.Errorf("%s", r.body)
		}
		d.do("CreatePolicy", "PolicyName", "users", "PolicyDocument", allowUsers, "Tag.1.Key", "k", "Tag.1.Value", "v")
		if r := d.do("ListTagResources", "ResourceType", "policy"); r.text("TagResources.0.ResourceName") != "users" || r.text("TagResources.0.ResourceType") != "policy" {
			t.Errorf("%s", r.body)
		}
		d.fails(400, "InvalidParameter.ResourceType", "ListTagResources", "ResourceType", "disk")
		d.fails(404, "EntityNotExist.User", "TagResources", "ResourceType", "user", "ResourceNames.1", "nobody", "Tag.1.Key", "k")
		for _, c := range [][]string{
			{"InvalidParameter.ResourceType", "ResourceType", "group", "ResourceId.1", alice}, {"MissingParameter", "ResourceType", "user"},
			{"InvalidParameter.ResourceId", "ResourceType", "user", "ResourceId.1", alice, "ResourcePrincipalName.1", "bob@acme.onaliyun.com"},
			{"EntityNotExist.User", "ResourceType", "user", "ResourceId.1", "x"},
		} {
			if r := d.ims("TagResources", append(c[1:], "Tag.1.Key", "k", "Tag.1.Value", "v")...); r.text("Code") != c[0] {
				t.Errorf("%q: %s", c, r.body)
			}
		}
		// Tags of somebody else's are not told to one who may not see them.
		d.userKey("carol").fails(403, "NoPermission", "ListTagResources", "ResourceType", "user")
	})
}

// Deleted users and keys can be brought back for 30 days; meanwhile a key signs
// nothing, and no name is taken.
func TestRecycleBin(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		d.do("CreateUser", "UserName", "alice", "DisplayName", "Alice", "Comments", "割符")
		d.do("TagResources", "ResourceType", "user", "ResourceNames.1", "alice", "Tag.1.Key", "k", "Tag.1.Value", "v")
		made := d.do("CreateAccessKey", "UserName", "alice")
		own := key{id: made.text("AccessKey.AccessKeyId"), secret: made.text("AccessKey.AccessKeySecret")}
		id := d.do("GetUser", "UserName", "alice").text("User.UserId")

		d.imsDo("DeleteAccessKey", "UserPrincipalName", "alice@acme.onaliyun.com", "UserAccessKeyId", own.id)
		d.as(own).fails(404, "InvalidAccessKeyId.NotFound", "GetUser", "UserName", "alice")
		if r := d.do("ListAccessKeys", "UserName", "alice"); r.at("AccessKeys.AccessKey.0") != nil {
			t.Errorf("%s", r.body)
		}
		d.fails(404, "EntityNotExist.User.AccessKey", "UpdateAccessKey", "UserName", "alice", "UserAccessKeyId", own.id, "Status", "Active")
		r := d.imsDo("ListAccessKeysInRecycleBin", "UserId", id)
		if r.text("AccessKeys.AccessKey.0.AccessKeyId") != own.id || r.text("AccessKeys.AccessKey.0.DeleteDate") != "2026-02-14T09:00:00Z" {
			t.Errorf("%s", r.body)
		}
		r = d.imsDo("GetAccessKeyInfoInRecycleBin", "UserAccessKeyId", own.id)
		if r.text("AccessKey.UserPrincipalName") != "alice@acme.onaliyun.com" || r.text("AccessKey.UserId") != id || r.at("AccessKey.UserRecycled") != false {
			t.Errorf("%s", r.body)
		}
		d.imsDo("RestoreAccessKeyFromRecycleBin", "UserId", id, "UserAccessKeyId", own.id)
		if r := d.do("ListAccessKeys", "UserName", "alice"); r.text("AccessKeys.AccessKey.0.Status") != "Inactive" {
			t.Errorf("%s", r.body)
		}
		d.do("UpdateAccessKey", "UserName", "alice", "UserAccessKeyId", own.id, "Status", "Active")
		if r := d.as(own).of(sts, "GetCallerIdentity"); r.text("UserId") != id {
			t.Errorf("a key that was brought back: %s", r.body)
		}
		d.do("DeleteAccessKey", "UserName", "alice", "UserAccessKeyId", own.id)
		d.imsDo("DeleteAccessKeyInRecycleBin", "UserId", id, "UserAccessKeyId", own.id)
		if r := d.ims("RestoreAccessKeyFromRecycleBin", "UserId", id, "UserAccessKeyId", own.id); r.text("Code") != "EntityNotExist.User.AccessKey" {
			t.Errorf("%s", r.body)
		}

		d.imsDo("DeleteUser", "UserPrincipalName", "alice@acme.onaliyun.com")
		d.fails(404, "EntityNotExist.User", "GetUser", "UserName", "alice")
		r = d.imsDo("ListUsersInRecycleBin", "Filter", "LIC")
		if r.text("Users.User.0.UserId") != id || r.text("Users.User.0.DisplayName") != "Alice" || r.at("IsTruncated") != false {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("ListUsersInRecycleBin", "Filter", "bob"); r.at("Users.User.0") != nil {
			t.Errorf("%s", r.body)
		}
		d.do("CreateUser", "UserName", "Alice")
		if r := d.ims("RestoreUserFromRecycleBin", "UserId", id); r.text("Code") != "EntityAlreadyExists.User" {
			t.Errorf("%s", r.body)
		}
		d.do("DeleteUser", "UserName", "Alice")
		d.imsDo("RestoreUserFromRecycleBin", "UserId", id)
		if r := d.do("GetUser", "UserName", "alice"); r.text("User.UserId") != id || r.text("User.Comments") != "割符" {
			t.Errorf("%s", r.body)
		}
		if r := d.do("ListTagResources", "ResourceType", "user", "ResourceNames.1", "alice"); r.text("TagResources.0.TagKey") != "k" {
			t.Errorf("%s", r.body)
		}
		if r := d.ims("GetUserInRecycleBin", "UserId", id); r.text("Code") != "EntityNotExist.User" {
			t.Errorf("%s", r.body)
		}
		d.do("DeleteUser", "UserName", "alice")
		d.Clock.Advance(30 * 24 * time.Hour)
		if r := d.ims("RestoreUserFromRecycleBin", "UserId", id); r.text("Code") != "EntityNotExist.User" {
			t.Errorf("after 30 days: %s", r.body)
		}
		d.Clock.Advance(time.Second)
		if err := d.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := d.imsDo("ListUsersInRecycleBin"); r.at("Users.User.0") != nil {
			t.Errorf("after 30 days: %s", r.body)
		}
	})
}

func TestReports(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		if r := d.ims("GetCredentialReport"); r.status != 404 || r.text("Code") != "EntityNotExist.CredentialReport" {
			t.Errorf("%s", r.body)
		}
		d.do("CreateUser", "UserName", "alice")
		d.do("CreateLoginProfile", "UserName", "alice", "Password", "correct horse battery")
		d.imsDo("SetPasswordPolicy", "MaxPasswordAge", "90")
		if r := d.imsDo("GenerateCredentialReport"); r.text("State") != "STARTED" {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("GenerateCredentialReport"); r.text("State") != "COMPLETED" {
			t.Errorf("%s", r.body)
		}
		r := d.imsDo("GetCredentialReport")
		text, err := base64.StdEncoding.DecodeString(r.text("Content"))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) != 4 || !strings.HasPrefix(lines[0], "user,user_creation_time,") || !strings.HasPrefix(lines[1], "<root>,") ||
			!strings.HasPrefix(lines[2], "admin,2026-01-15T09:00:00Z,-,FALSE,-,-,-,FALSE,TRUE,TRUE,") ||
			!strings.HasPrefix(lines[3], "alice,2026-01-15T09:00:00Z,-,TRUE,TRUE,2026-01-15T09:00:00Z,2026-04-15T09:00:00Z,FALSE,FALSE,-,-,-") {
			t.Errorf("%s", text)
		}
		if r.text("GeneratedTime") != "2026-01-15T09:00:00Z" || r.text("IsTruncated") != "false" {
			t.Errorf("%s", r.body)
		}
		page := d.imsDo("GetCredentialReport", "MaxItems", "2")
		if page.text("IsTruncated") != "true" {
			t.Errorf("%s", page.body)
		}
		page = d.imsDo("GetCredentialReport", "MaxItems", "2", "NextToken", page.text("NextToken"))
		if text, _ := base64.StdEncoding.DecodeString(page.text("Content")); !strings.Contains(string(text), "\nalice,") || strings.Contains(string(text), "root") || page.text("IsTruncated") != "false" {
			t.Errorf("%s %s", page.body, text)
		}
		d.Clock.Advance(4 * time.Hour)
		if r := d.imsDo("GenerateCredentialReport"); r.text("State") != "STARTED" {
			t.Errorf("after four hours: %s", r.body)
		}

		r = d.imsDo("GetAccountSecurityPracticeReport")
		const in = "AccountSecurityPracticeInfo."
		if r.at(in+"Score") != 72.0 || r.at(in+"AccountSecurityPracticeUserInfo.SubUser") != 2.0 || r.at(in+"AccountSecurityPracticeUserInfo.BindMfa") != false ||
			r.text(in+"AccountSecurityPracticeUserInfo.SubUserPwdLevel") != "mid" {
			t.Errorf("%s", r.body)
		}
		d.Clock.Advance(91 * 24 * time.Hour)
		if r := d.imsDo("GetAccountSecurityPracticeReport"); r.at(in+"AccountSecurityPracticeUserInfo.OldAkNum") != 1.0 || r.at(in+"Score") != 67.0 {
			t.Errorf("%s", r.body)
		}
		d.userKey("carol").fails(403, "NoPermission", "GetPasswordPolicy")
	})
}

func TestLookupEvents(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		d.do("CreateUser", "UserName", "alice")
		d.Clock.Advance(time.Minute)
		device := d.do("CreateVirtualMFADevice", "VirtualMFADeviceName", "phone").text("VirtualMFADevice.SerialNumber")
		d.Clock.Advance(time.Minute)
		d.fails(403, "CheckAuthenticationCodeFail", "BindMFADevice", "UserName", "alice", "SerialNumber", device, "AuthenticationCode1", "000000", "AuthenticationCode2", "000001")
		d.Clock.Advance(time.Minute)
		r := d.ofDo(trail, "LookupEvents", "LookupAttribute.1.Key", "EventName", "LookupAttribute.1.Value", "BindMFADevice")
		e := "Events.0."
		for path, want := range map[string]string{
			"eventName": "BindMFADevice", "eventRW": "Write", "eventType": "ApiCall", "eventTime": "2026-01-15T09:02:00Z", "serviceName": "Ram",
			"eventSource": "ram.aliyuncs.com", "userIdentity.type": "ram-user", "userIdentity.userName": "admin", "userIdentity.accountId": "1000123456789012",
			"errorCode": "CheckAuthenticationCodeFail", "resourceType": "ACS::RAM::User", "resourceName": "alice", "userIdentity.accessKeyId": d.AccessKeyID,
		} {
			if r.text(e+path) != want {
				t.Errorf("%s: %q, want %q", path, r.text(e+path), want)
			}
		}
		if r.at("Events.1") != nil || r.text("StartTime") != "2026-01-08T09:03:00Z" || r.text("EndTime") != "2026-01-15T09:03:00Z" {
			t.Errorf("%s", r.body)
		}
		names := func(pairs ...string) (got []string, r *reply) {
			r = d.ofDo(trail, "LookupEvents", pairs...)
			for _, e := range r.at("Events").([]any) {
				got = append(got, e.(map[string]any)["eventName"].(string))
			}
			return got, r
		}
		got, r := names("Direction", "FORWARD", "MaxResults", "2", "LookupAttribute.1.Key", "EventRW", "LookupAttribute.1.Value", "Write",
			"LookupAttribute.2.Key", "User", "LookupAttribute.2.Value", "admin")
		if strings.Join(got, " ") != "CreateUser CreateVirtualMFADevice" || r.text("NextToken") == "" {
			t.Errorf("%q %s", got, r.body)
		}
		got, _ = names("Direction", "FORWARD", "MaxResults", "2", "LookupAttribute.1.Key", "EventRW", "LookupAttribute.1.Value", "Write",
			"LookupAttribute.2.Key", "User", "LookupAttribute.2.Value", "admin", "StartTime", r.text("StartTime"), "EndTime", r.text("EndTime"), "NextToken", r.text("NextToken"))
		if strings.Join(got, " ") != "BindMFADevice" {
			t.Errorf("the next page: %q", got)
		}
		// A name that stands for several operations of another cloud finds them all, and a
		// name of another cloud's none that has one here.
		d.do("TagResources", "ResourceType", "user", "ResourceNames.1", "alice", "Tag.1.Key", "k", "Tag.1.Value", "v")
		d.do("CreateRole", "RoleName", "app", "AssumeRolePolicyDocument", `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs.aliyuncs.com"},"Action":"sts:AssumeRole"}]}`)
		d.do("TagResources", "ResourceType", "role", "ResourceNames.1", "app", "Tag.1.Key", "k", "Tag.1.Value", "v")
		if got, r := names("LookupAttribute.1.Key", "EventName", "LookupAttribute.1.Value", "TagResources", "MaxResults", "2"); strings.Join(got, " ") != "TagResources TagResources" || r.at("Events.2") != nil {
			t.Errorf("%q", got)
		}

		if got, _ = names("StartTime", "2026-01-15T09:01:00Z", "EndTime", "2026-01-15T09:01:00Z"); strings.Join(got, " ") != "CreateVirtualMFADevice" {
			t.Errorf("one second: %q", got)
		}
		for _, c := range [][]string{
			{"InvalidParameterStartTime", "StartTime", "yesterday"}, {"InvalidParameterEndTime", "EndTime", "2026-01-15"},
			{"InvalidParameterCombination", "StartTime", "2026-01-15T09:01:00Z", "EndTime", "2026-01-15T09:00:00Z"},
			{"InvalidQueryParameter", "MaxResults", "51"}, {"InvalidQueryParameter", "Direction", "UP"},
			{"InvalidQueryParameter", "LookupAttribute.1.Key", "Weather", "LookupAttribute.1.Value", "fine"},
		} {
			d.ofFails(trail, 400, c[0], "LookupEvents", c[1:]...)
		}
		inXML := d.ofDo(trail, "LookupEvents", "Format", "XML", "MaxResults", "1")
		if !strings.Contains(inXML.body, "<eventName>LookupEvents</eventName>") {
			t.Errorf("%s", inXML.body)
		}
		d.userKey("carol").ofFails(trail, 403, "NoPermission", "LookupEvents")
	})
}

// The message of a refusal is decoded from XML and into XML as well.
func TestDiagnosticMessageInXML(t *testing.T) {
	d := open(t, testkit.New(t))
	alice := d.userKey("alice")
	var refusal struct {
		Code               string
		AccessDeniedDetail struct{ AuthAction, EncodedDiagnosticMessage string }
	}
	r := alice.try("CreateGroup", "GroupName", "x", "Format", "XML")
	if err := xml.Unmarshal([]byte(r.body), &refusal); err != nil || r.status != 403 || refusal.Code != "NoPermission" || refusal.AccessDeniedDetail.AuthAction != "ram:CreateGroup" {
		t.Fatalf("%v %s", err, r.body)
	}
	var answer struct {
		XMLName                  xml.Name `xml:"DecodeDiagnosticMessageResponse"`
		RequestId                string
		DecodedDiagnosticMessage struct{ AuthAction, AuthResource, ExplicitDeny string }
	}
	out := d.do("DecodeDiagnosticMessage", "EncodedDiagnosticMessage", refusal.AccessDeniedDetail.EncodedDiagnosticMessage, "Format", "XML")
	if err := xml.Unmarshal([]byte(out.body), &answer); err != nil {
		t.Fatal(err)
	}
	if m := answer.DecodedDiagnosticMessage; m.AuthAction != "ram:CreateGroup" || m.AuthResource != "acs:ram::"+account+":group/x" || m.ExplicitDeny != "false" || answer.RequestId == "" {
		t.Errorf("%s", out.body)
	}
}

// A document in AWS's language is handed out as JSON, without the comments that its
// author wrote in the console; one in the RAM language as it was written.
func TestDocumentsAreHandedOut(t *testing.T) {
	d := open(t, testkit.New(t))
	const commented = `{"Version":"2012-10-17", /* all */ "Statement":{"Effect":"Allow","Action":"*","Resource":"*"}} // end`
	testkit.Do(t, d.World, d.Admin(t), ops.CreatePolicy, ops.CreatePolicyIn{Name: "aws", Document: commented, Comments: true})
	for _, r := range []*reply{
		d.do("GetPolicy", "PolicyName", "aws", "PolicyType", "Custom"), d.do("GetPolicyVersion", "PolicyName", "aws", "PolicyType", "Custom", "VersionId", "v1"),
	} {
		text := cmp.Or(r.text("Policy.PolicyDocument"), r.text("PolicyVersion.PolicyDocument"))
		var parsed map[string]any
		if err := json.Unmarshal([]byte(text), &parsed); err != nil || parsed["Version"] != "2012-10-17" {
			t.Errorf("%v: %s", err, text)
		}
	}
	d.do("CreatePolicy", "PolicyName", "ram", "PolicyDocument", allowUsers)
	if text := d.do("GetPolicy", "PolicyName", "ram", "PolicyType", "Custom").text("Policy.PolicyDocument"); text != allowUsers {
		t.Error(text)
	}
}
