package alibaba_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// ims asks for an operation of IMS with ACS3, as its clients do: parameters in the
// query, an empty body, the operation in headers.
func (d *door) ims(action string, pairs ...string) *reply {
	d.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	query := strings.ReplaceAll(v.Encode(), "+", "%20")
	req, err := http.NewRequest("POST", d.url+"/?"+query, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	headers := []string{"host", req.Host}
	add := func(name, value string) {
		req.Header.Set(name, value)
		headers = append(headers, name, value)
	}
	add("x-acs-action", action)
	add("x-acs-content-sha256", empty)
	add("x-acs-date", d.Clock.Now().UTC().Format("2006-01-02T15:04:05Z"))
	if d.key.token != "" {
		add("x-acs-security-token", d.key.token)
	}
	add("x-acs-signature-nonce", fmt.Sprintf("nonce-%d", nonces.Add(1)))
	add("x-acs-version", ims)
	var lines, list []string
	for i := 0; i < len(headers); i += 2 {
		lines, list = append(lines, headers[i]+":"+headers[i+1]), append(list, headers[i])
	}
	canonical := strings.Join([]string{"POST", "/", query, strings.Join(lines, "\n") + "\n", strings.Join(list, ";"), empty}, "\n")
	sum := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(d.key.secret))
	io.WriteString(mac, "ACS3-HMAC-SHA256\n"+hex.EncodeToString(sum[:]))
	req.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential="+d.key.id+",SignedHeaders="+strings.Join(list, ";")+",Signature="+hex.EncodeToString(mac.Sum(nil)))
	return d.roundTrip(req)
}

func (d *door) imsDo(action string, pairs ...string) *reply {
	d.t.Helper()
	r := d.ims(action, pairs...)
	if r.status != 200 {
		d.t.Fatalf("%s %q: %d %s", action, pairs, r.status, r.body)
	}
	return r
}

func (d *door) imsFails(status int, code, action string, pairs ...string) {
	d.t.Helper()
	if r := d.ims(action, pairs...); r.status != status || r.text("Code") != code {
		d.t.Errorf("%s %q: %d %s, want %d %s", action, pairs, r.status, r.body, status, code)
	}
}

func TestIMSUsers(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		d.do("SetAccountAlias", "AccountAlias", "acme-inc")
		if r := d.imsDo("GetDefaultDomain"); r.text("DefaultDomainName") != "acme-inc.onaliyun.com" {
			t.Errorf("%s", r.body)
		}
		const alice = "alice@acme-inc.onaliyun.com"
		r := d.imsDo("CreateUser", "UserPrincipalName", alice, "DisplayName", "Alice A", "Tag.1.Key", "team", "Tag.1.Value", "x y")
		id := r.text("User.UserId")
		if r.text("User.UserPrincipalName") != alice || r.text("User.Tags.Tag.0.TagValue") != "x y" || r.text("User.ProvisionType") != "Manual" {
			t.Errorf("%s", r.body)
		}
		d.imsFails(400, "InvalidParameter.UserPrincipalName.Format", "CreateUser", "UserPrincipalName", "bob")
		d.imsFails(400, "InvalidParameter.UserPrincipalName.Format", "CreateUser", "UserPrincipalName", "bob@other.onaliyun.com")
		for _, by := range [][2]string{{"UserPrincipalName", alice}, {"UserPrincipalName", "alice@acme-inc"}, {"UserId", id}} {
			if r := d.imsDo("GetUser", by[0], by[1]); r.text("User.UserName") != "alice" || r.text("User.UserId") != id {
				t.Errorf("%s", r.body)
			}
		}
		d.imsFails(404, "EntityNotExist.User", "GetUser", "UserPrincipalName", "alice@other.onaliyun.com")
		d.imsFails(404, "EntityNotExist.User", "GetUser", "UserId", "123456789012345678")
		d.imsFails(404, "EntityNotExist.User", "GetUser", "UserId", "alice")
		d.imsFails(400, "MissingParameter", "GetUser")
		d.imsFails(400, "MissingParameter", "GetUser", "UserId", id, "UserPrincipalName", alice)
		key := d.imsDo("CreateAccessKey", "UserPrincipalName", alice)
		if r := d.imsDo("GetUser", "UserAccessKeyId", key.text("AccessKey.AccessKeyId")); r.text("User.UserId") != id {
			t.Errorf("%s", r.body)
		}
		d.imsFails(404, "EntityNotExist.User", "GetUser", "UserAccessKeyId", "LTAInobody")
		if r := d.imsDo("ListAccessKeys", "UserPrincipalName", alice); r.text("AccessKeys.AccessKey.0.Status") != "Active" {
			t.Errorf("%s", r.body)
		}
		d.imsDo("UpdateUser", "UserId", id, "NewUserPrincipalName", "bob@acme-inc.onaliyun.com", "NewComments", "renamed")
		r = d.imsDo("ListUsers", "MaxItems", "10")
		if r.text("Users.User.1.UserPrincipalName") != "bob@acme-inc.onaliyun.com" || r.text("Users.User.1.Comments") != "renamed" || r.text("Users.User.1.Status") != "active" {
			t.Errorf("%s", r.body)
		}
		d.imsFails(400, "InvalidParameter.Status", "ListUsers", "Status", "freeze")
		d.imsFails(400, "InvalidParameter.Tag", "ListUsers", "Tag.1.Key", "team")
		if r := d.imsDo("ListUserBasicInfos"); r.text("UserBasicInfos.UserBasicInfo.1.UserId") != id {
			t.Errorf("%s", r.body)
		}
		d.imsDo("DeleteAccessKey", "UserPrincipalName", "bob@acme-inc", "UserAccessKeyId", key.text("AccessKey.AccessKeyId"))
		d.imsDo("DeleteUser", "UserPrincipalName", "bob@acme-inc")
	})
}

// A page that is not measured has 1,000 users in IMS, and 100 in RAM.
func TestUsersOfAPage(t *testing.T) {
	d := open(t, testkit.New(t))
	admin := d.Admin(t)
	for i := range 100 { // and the administrator
		testkit.Do(t, d.World, admin, ops.CreateUser, ops.CreateUserIn{Name: fmt.Sprintf("u%d", i)})
	}
	if r := d.imsDo("ListUsers"); r.at("IsTruncated") != false || r.text("Users.User.100.UserName") == "" && r.text("Users.User.100.UserPrincipalName") == "" {
		t.Errorf("IMS: %s", r.body)
	}
	if r := d.do("ListUsers"); r.at("IsTruncated") != true || r.text("Marker") == "" {
		t.Errorf("RAM: %s", r.body)
	}
}

func TestIMSLoginAndMFA(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		const alice = "alice@1000123456789012.onaliyun.com"
		d.imsDo("CreateUser", "UserPrincipalName", alice, "DisplayName", "Alice")
		d.imsFails(400, "MissingParameter", "CreateLoginProfile", "UserPrincipalName", alice)
		r := d.imsDo("CreateLoginProfile", "UserPrincipalName", alice, "Password", "correct horse battery", "MFABindRequired", "true")
		if r.at("LoginProfile.MFABindRequired") != true || r.text("LoginProfile.Status") != "Active" || r.text("LoginProfile.PasswordStatus") != "NotInitial" {
			t.Errorf("%s", r.body)
		}
		r = d.imsDo("UpdateLoginProfile", "UserPrincipalName", alice, "Status", "Inactive", "PasswordResetRequired", "true")
		if r.text("LoginProfile.Status") != "Inactive" || r.text("LoginProfile.PasswordStatus") != "InitialValid" || r.at("LoginProfile.MFABindRequired") != true {
			t.Errorf("%s", r.body)
		}
		d.imsDo("UpdateLoginProfile", "UserPrincipalName", alice, "Status", "Active")
		if r := d.imsDo("GetLoginProfile", "UserPrincipalName", alice); r.text("LoginProfile.Status") != "Active" || r.text("LoginProfile.AutoDisableLoginStatus") != "Enabled" {
			t.Errorf("%s", r.body)
		}
		d.imsDo("SetPasswordPolicy", "InitialPasswordAge", "14")
		d.Clock.Advance(14 * 24 * time.Hour)
		if r := d.imsDo("GetLoginProfile", "UserPrincipalName", alice); r.text("LoginProfile.PasswordStatus") != "InitialExpired" {
			t.Errorf("a first password that nobody changed: %s", r.body)
		}
		if r := d.imsDo("GetUserMFAInfo", "UserPrincipalName", alice); r.at("IsMFAEnable") != false {
			t.Errorf("%s", r.body)
		}
		made := d.imsDo("CreateVirtualMFADevice", "VirtualMFADeviceName", "phone")
		serial, seed := made.text("VirtualMFADevice.SerialNumber"), made.text("VirtualMFADevice.Base32StringSeed")
		code := func(steps int) string {
			return testkit.Code(t, seed, d.Clock.Now().Add(time.Duration(steps)*30*time.Second))
		}
		d.imsDo("BindMFADevice", "UserPrincipalName", alice, "SerialNumber", serial, "AuthenticationCode1", code(-1), "AuthenticationCode2", code(0))
		if r := d.imsDo("GetUserMFAInfo", "UserPrincipalName", alice); r.at("IsMFAEnable") != true || r.text("MFADevice.SerialNumber") != serial || r.text("MFADevice.Type") != "VMFA" {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("ListVirtualMFADevices", "MaxItems", "100"); r.text("VirtualMFADevices.VirtualMFADevice.0.User.UserPrincipalName") != "alice@acme.onaliyun.com" {
			t.Errorf("%s", r.body)
		}
		d.imsDo("DisableVirtualMFA", "UserPrincipalName", alice)
		d.imsFails(404, "EntityNotExist.User.MFADevice", "DisableVirtualMFA", "UserPrincipalName", alice)
		d.imsFails(404, "EntityNotExist.VirtualMFADevice", "DeleteVirtualMFADevice", "SerialNumber", serial)
		// A key from before passkeys is the device of another type, and the only one.
		key, point := testkit.NewU2FKey(t, d.Rand, testkit.Origin)
		testkit.Do(t, d.World, d.Admin(t), ops.ImportU2FKey, ops.ImportU2FKeyIn{User: ops.Ref{Name: "alice"}, Name: "Old key", KeyHandle: key.ID, PublicKey: point})
		old := d.imsDo("GetUserMFAInfo", "UserPrincipalName", alice)
		if old.at("IsMFAEnable") != true || old.text("MFADevice.Type") != "U2F" || !strings.HasPrefix(old.text("MFADevice.SerialNumber"), "acs:ram::"+account+":u2f/Old-key-") {
			t.Errorf("%s", old.body)
		}
		d.imsFails(404, "EntityNotExist.User.MFADevice", "DisableVirtualMFA", "UserPrincipalName", alice)
		second := d.imsDo("CreateVirtualMFADevice", "VirtualMFADeviceName", "second").text("VirtualMFADevice.SerialNumber")
		d.imsFails(409, "EntityAlreadyExists.User.MFADevice", "BindMFADevice", "UserPrincipalName", alice, "SerialNumber", second, "AuthenticationCode1", "000000", "AuthenticationCode2", "111111")
		if r := d.imsDo("UnbindMFADevice", "UserPrincipalName", alice); r.text("MFADevice.SerialNumber") != old.text("MFADevice.SerialNumber") {
			t.Errorf("%s", r.body)
		}
		d.imsFails(404, "EntityNotExist.User.MFADevice", "UnbindMFADevice", "UserPrincipalName", alice)
		if r := d.imsDo("GetUserSsoSettings"); r.at("UserSsoSettings.SsoEnabled") != false {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("GetAccountMFAInfo"); r.at("IsMFAEnable") != false {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("ListPasskeys", "UserPrincipalName", alice); !strings.Contains(r.body, `"Passkeys":[]`) {
			t.Errorf("%s", r.body)
		}
		d.imsFails(404, "EntityNotExist.Passkey", "DeletePasskey", "UserPrincipalName", alice, "PasskeyId", "PASSKEY-x")
		if r := d.imsDo("GetVerificationInfo", "UserPrincipalName", alice); r.text("SecurityEmailDevice.Status") != "" {
			t.Errorf("%s", r.body)
		}
		d.imsFails(400, "InvalidParameter.VerifyType", "SetVerificationInfo", "UserPrincipalName", alice, "VerifyType", "pigeon")
		d.imsFails(400, "MissingParameter", "SetVerificationInfo", "UserPrincipalName", alice, "VerifyType", "email")
		if r := d.imsDo("GetAccountSummary"); r.at("SummaryMap.Users") != 2.0 || r.at("SummaryMap.AccessKeysPerUserQuota") != 2.0 {
			t.Errorf("%s", r.body)
		}
	})
}

func TestIMSGroups(t *testing.T) {
	d := open(t, testkit.New(t))
	const alice = "alice@1000123456789012"
	d.imsDo("CreateUser", "UserPrincipalName", alice, "DisplayName", "Alice")
	d.imsDo("CreateGroup", "GroupName", "ops", "DisplayName", "Operators")
	d.imsDo("AddUserToGroup", "GroupName", "ops", "UserPrincipalName", alice)
	d.imsFails(409, "EntityAlreadyExists.User.Group", "AddUserToGroup", "GroupName", "ops", "UserPrincipalName", alice)
	if r := d.imsDo("ListUsersForGroup", "GroupName", "ops"); r.text("Users.User.0.UserPrincipalName") != "alice@acme.onaliyun.com" {
		t.Errorf("%s", r.body)
	}
	if r := d.imsDo("ListGroupsForUser", "UserPrincipalName", alice); r.text("Groups.Group.0.DisplayName") != "Operators" {
		t.Errorf("%s", r.body)
	}
	d.imsDo("UpdateGroup", "GroupName", "ops", "NewDisplayName", "Others")
	if r := d.imsDo("GetGroup", "GroupName", "ops"); r.text("Group.DisplayName") != "Others" {
		t.Errorf("%s", r.body)
	}
	d.imsDo("RemoveUserFromGroup", "GroupName", "ops", "UserPrincipalName", alice)
	d.imsDo("DeleteGroup", "GroupName", "ops")
	if r := d.imsDo("ListGroups"); !strings.Contains(r.body, `"Group":[]`) {
		t.Errorf("%s", r.body)
	}
}

// Every parameter of the preferences, there and back, and every bad value.
func TestIMSPreferences(t *testing.T) {
	d := open(t, testkit.New(t))
	set := []string{
		"EnableSaveMFATicket", "true", "AllowUserToChangePassword", "false", "AllowUserToManageAccessKeys", "true", "AllowUserToManageMFADevices", "false",
		"AllowUserToLoginWithPasskey", "false", "AllowUserToManagePersonalDingTalk", "false", "AllowUserToManageServiceCredentials", "true",
		"LoginSessionDuration", "12", "LoginNetworkMasks", "10.0.0.0/8;192.0.2.1", "VerificationTypes", `["email"]`,
		"MFAOperationForLogin", "adaptive", "OperationForRiskLogin", "enforceVerify", "MaxIdleDaysForUsers", "90", "MaxIdleDaysForAccessKeys", "365",
	}
	const want = `"SecurityPreference":{"AccessKeyPreference":{"AllowUserToManageAccessKeys":true,"AllowUserToManageServiceCredentials":true},` +
		`"LoginProfilePreference":{"AllowUserToChangePassword":false,"AllowUserToLoginWithPasskey":false,"EnableSaveMFATicket":true,"LoginNetworkMasks":"10.0.0.0/8;192.0.2.1",` +
		`"LoginSessionDuration":12,"MFAOperationForLogin":"adaptive","OperationForRiskLogin":"enforceVerify"},"MFAPreference":{"AllowUserToManageMFADevices":false},` +
		`"MaxIdleDays":{"MaxIdleDaysForAccessKeys":365,"MaxIdleDaysForUsers":90},"PersonalInfoPreference":{"AllowUserToManagePersonalDingTalk":false},` +
		`"VerificationPreference":{"VerificationTypes":["email"]}}`
	for _, r := range []*reply{d.imsDo("SetSecurityPreference", set...), d.imsDo("GetSecurityPreference")} {
		if !strings.Contains(r.body, want) {
			t.Errorf("%s", r.body)
		}
	}
	// The classic SDK sends null for what is not set; two parameters are reset.
	r := d.imsDo("SetSecurityPreference", "VerificationTypes", "null", "EnforceMFAForLogin", "true")
	const at = "SecurityPreference.LoginProfilePreference."
	if r.text(at+"MFAOperationForLogin") != "mandatory" || r.at(at+"LoginSessionDuration") != 6.0 || r.text(at+"LoginNetworkMasks") != "" || !strings.Contains(r.body, `"VerificationTypes":["email"]`) {
		t.Errorf("%s", r.body)
	}
	d.imsDo("SetSecurityPreference", "VerificationTypes.1", "sms", "VerificationTypes.2", "email")
	for _, bad := range [][2]string{
		{"LoginSessionDuration", "0"}, {"LoginSessionDuration", "25"}, {"LoginNetworkMasks", "10.0.0.0/40"}, {"LoginNetworkMasks", strings.Repeat("10.0.0.0/8;", 41)},
		{"VerificationTypes", `["pigeon"]`}, {"MFAOperationForLogin", "sometimes"}, {"OperationForRiskLogin", "pray"},
		{"MaxIdleDaysForUsers", "91"}, {"MaxIdleDaysForAccessKeys", "1"},
	} {
		d.imsFails(400, "InvalidParameter."+bad[0], "SetSecurityPreference", bad[0], bad[1])
	}
	for _, param := range []string{
		"EnableSaveMFATicket", "AllowUserToChangePassword", "AllowUserToManageAccessKeys", "AllowUserToManageMFADevices", "AllowUserToLoginWithPasskey",
		"AllowUserToManagePersonalDingTalk", "AllowUserToManageServiceCredentials", "EnforceMFAForLogin",
		"LoginSessionDuration", "MaxIdleDaysForUsers", "MaxIdleDaysForAccessKeys", "VerificationTypes",
	} {
		d.imsFails(400, "InvalidParameter."+param+".Format", "SetSecurityPreference", param, "yes")
	}
	// Nothing of what was refused took effect.
	if r := d.imsDo("GetSecurityPreference"); r.text(at+"MFAOperationForLogin") != "mandatory" || r.at(at+"LoginSessionDuration") != 6.0 || !strings.Contains(r.body, `"VerificationTypes":["sms","email"]`) {
		t.Errorf("%s", r.body)
	}
}
