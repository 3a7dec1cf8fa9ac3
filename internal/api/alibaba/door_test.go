package alibaba_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"warifu/internal/api/alibaba"
	"warifu/internal/name"
	"warifu/internal/testkit"
)

// door is a world behind its Alibaba Cloud door on a loopback listener.
type door struct {
	*testkit.World
	t   testing.TB
	url string
	key key
}

// key is a set of credentials.
type key struct{ id, secret, token string }

func open(t testing.TB, w *testkit.World) *door {
	t.Helper()
	srv := httptest.NewServer(alibaba.New(alibaba.Config{Ops: w.Server, Log: slog.New(slog.DiscardHandler), Client: client}))
	t.Cleanup(srv.Close)
	return &door{w, t, srv.URL, key{id: w.AccessKeyID, secret: w.SecretAccessKey}}
}

// each runs a test through the door on SQLite and on PostgreSQL.
func each(t *testing.T, test func(*testing.T, *door)) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) { test(t, open(t, w)) })
}

func client(r *http.Request) (netip.Addr, string, bool) {
	ap, _ := netip.ParseAddrPort(r.RemoteAddr)
	return ap.Addr().Unmap(), "", false
}

// as is the same door with somebody else asking.
func (d *door) as(k key) *door {
	other := *d
	other.key = k
	return &other
}

// reply is an answer as it was sent.
type reply struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

// at reads a member of the answer: "User.UserName", "Users.User.0.UserName".
func (r *reply) at(path string) any {
	var v any = r.json
	for step := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (r *reply) text(path string) string {
	s, _ := r.at(path).(string)
	return s
}

var nonces atomic.Int64

const (
	ram = "2015-05-01"
	sts = "2015-04-01"
	ims = "2019-08-15"

	trail   = "2020-07-06"
	manager = "2020-03-31"
)

// signed makes the parameters of a request: the pairs given, the common ones, and
// the signature, written anew from the documentation.
func (d *door) signed(method, version, action string, pairs ...string) url.Values {
	v := url.Values{}
	for k, s := range map[string]string{
		"Action": action, "Version": version, "Format": "JSON", "AccessKeyId": d.key.id, "SignatureMethod": "HMAC-SHA1",
		"SignatureVersion": "1.0", "SignatureNonce": fmt.Sprintf("nonce-%d", nonces.Add(1)),
		"Timestamp": d.Clock.Now().UTC().Format("2006-01-02T15:04:05Z"), "SignatureType": "", "RegionId": "cn-hangzhou",
	} {
		v.Set(k, s)
	}
	if d.key.token != "" {
		v.Set("SecurityToken", d.key.token)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	d.sign(method, v)
	return v
}

func (d *door) sign(method string, v url.Values) {
	v.Del("Signature")
	escape := func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
	var pairs []string
	for k := range v {
		pairs = append(pairs, k)
	}
	slices.Sort(pairs)
	for i, k := range pairs {
		pairs[i] = escape(k) + "=" + escape(v.Get(k))
	}
	mac := hmac.New(sha1.New, []byte(d.key.secret+"&"))
	io.WriteString(mac, method+"&%2F&"+escape(strings.Join(pairs, "&")))
	v.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// send sends parameters: in the query, or as a form.
func (d *door) send(method, query, form string) *reply {
	d.t.Helper()
	req, err := http.NewRequest(method, d.url+"/?"+query, strings.NewReader(form))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return d.roundTrip(req)
}

func (d *door) roundTrip(req *http.Request) *reply {
	d.t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	r := &reply{status: resp.StatusCode, header: resp.Header, body: string(b)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(b, &r.json); err != nil {
			d.t.Fatalf("%s: %v", b, err)
		}
	}
	return r
}

// try asks for an operation of RAM.
func (d *door) try(action string, pairs ...string) *reply {
	d.t.Helper()
	return d.send("POST", d.signed("POST", ram, action, pairs...).Encode(), "")
}

// do asks for what must succeed.
func (d *door) do(action string, pairs ...string) *reply {
	d.t.Helper()
	r := d.try(action, pairs...)
	if r.status != 200 {
		d.t.Fatalf("%s %q: %d %s", action, pairs, r.status, r.body)
	}
	return r
}

// fails asks for what must fail with a code.
func (d *door) fails(status int, code, action string, pairs ...string) *reply {
	d.t.Helper()
	r := d.try(action, pairs...)
	if r.status != status || r.text("Code") != code {
		d.t.Errorf("%s %q: %d %s, want %d %s", action, pairs, r.status, r.body, status, code)
	}
	return r
}

func TestUsers(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		r := d.do("CreateUser", "UserName", "alice", "DisplayName", "Alice", "Comments", "割符", "Email", "a@example.com", "MobilePhone", "86-139")
		if r.text("User.UserName") != "alice" || r.text("User.Comments") != "割符" || len(r.text("User.UserId")) != 18 || r.text("User.CreateDate") != "2026-01-02T03:04:05Z" && r.text("User.CreateDate") == "" {
			t.Errorf("%s", r.body)
		}
		if r.text("RequestId") == "" || r.text("RequestId") != r.header.Get("X-Acs-Request-Id") || r.header.Get("Content-Type") != "application/json;charset=utf-8" {
			t.Errorf("%s %v", r.body, r.header)
		}
		d.fails(409, "EntityAlreadyExists.User", "CreateUser", "UserName", "Alice")
		d.fails(400, "InvalidParameter.UserName.InvalidChars", "CreateUser", "UserName", "a b")
		d.fails(400, "MissingParameter", "CreateUser")
		d.fails(404, "EntityNotExist.User", "GetUser", "UserName", "nobody")
		d.do("UpdateUser", "UserName", "alice", "NewUserName", "bob", "NewComments", "")
		r = d.do("GetUser", "UserName", "bob")
		if r.text("User.DisplayName") != "Alice" || r.text("User.Comments") != "" || r.text("User.Email") != "a@example.com" {
			t.Errorf("%s", r.body)
		}
		d.do("CreateUser", "UserName", "carol")
		r = d.do("ListUsers", "MaxItems", "2")
		if r.at("IsTruncated") != true || r.text("Users.User.0.UserName") != "admin" || r.text("Users.User.1.UserName") != "bob" {
			t.Errorf("%s", r.body)
		}
		r = d.do("ListUsers", "MaxItems", "2", "Marker", r.text("Marker"))
		if r.at("IsTruncated") != false || r.text("Users.User.0.UserName") != "carol" {
			t.Errorf("%s", r.body)
		}
		d.fails(400, "InvalidParameter.MaxItems.Range", "ListUsers", "MaxItems", "1001")
		for noun, c := range map[string]struct{ made, undone []string }{
			"LoginProfile": {[]string{"CreateLoginProfile", "Password", "correct horse battery"}, []string{"DeleteLoginProfile"}},
			"AccessKey":    {[]string{"CreateAccessKey"}, nil},
		} {
			made := d.do(c.made[0], append([]string{"UserName", "bob"}, c.made[1:]...)...)
			d.fails(409, "DeleteConflict.User."+noun, "DeleteUser", "UserName", "bob")
			if noun == "AccessKey" {
				c.undone = []string{"DeleteAccessKey", "UserAccessKeyId", made.text("AccessKey.AccessKeyId")}
			}
			d.do(c.undone[0], append([]string{"UserName", "bob"}, c.undone[1:]...)...)
		}
		d.do("DeleteUser", "UserName", "bob")
	})
}

func TestGroups(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		d.do("CreateUser", "UserName", "alice", "DisplayName", "Alice")
		r := d.do("CreateGroup", "GroupName", "ops", "Comments", "operators")
		if r.text("Group.Comments") != "operators" || len(r.text("Group.GroupId")) != 18 {
			t.Errorf("%s", r.body)
		}
		d.fails(409, "EntityAlreadyExists.Group", "CreateGroup", "GroupName", "ops")
		d.fails(404, "EntityNotExist.Group", "GetGroup", "GroupName", "none")
		d.fails(404, "EntityNotExist.User.Group", "RemoveUserFromGroup", "UserName", "alice", "GroupName", "ops")
		d.do("AddUserToGroup", "UserName", "alice", "GroupName", "ops")
		d.fails(409, "EntityAlreadyExists.User.Group", "AddUserToGroup", "UserName", "alice", "GroupName", "ops")
		if r := d.do("ListUsersForGroup", "GroupName", "ops"); r.text("Users.User.0.DisplayName") != "Alice" {
			t.Errorf("%s", r.body)
		}
		if r := d.do("ListGroupsForUser", "UserName", "alice"); r.text("Groups.Group.0.Comments") != "operators" {
			t.Errorf("%s", r.body)
		}
		d.fails(409, "DeleteConflict.Group.User", "DeleteGroup", "GroupName", "ops")
		d.fails(409, "DeleteConflict.User.Group", "DeleteUser", "UserName", "alice")
		d.do("UpdateGroup", "GroupName", "ops", "NewGroupName", "sre", "NewComments", "engineers")
		if r := d.do("ListGroups"); r.text("Groups.Group.0.GroupName") != "sre" || r.text("Groups.Group.0.Comments") != "engineers" {
			t.Errorf("%s", r.body)
		}
		d.do("RemoveUserFromGroup", "UserName", "alice", "GroupName", "sre")
		d.do("AttachPolicyToGroup", "GroupName", "sre", "PolicyType", "System", "PolicyName", "ReadOnlyAccess")
		d.fails(409, "DeleteConflict.Group.Policy", "DeleteGroup", "GroupName", "sre")
		d.do("DetachPolicyFromGroup", "GroupName", "sre", "PolicyType", "System", "PolicyName", "ReadOnlyAccess")
		d.do("DeleteGroup", "GroupName", "sre")
	})
}

const allowUsers = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:GetUser","Resource":"*"}]} // kept`

func TestPolicies(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		r := d.do("CreatePolicy", "PolicyName", "users", "PolicyDocument", allowUsers, "Description", "about users", "Tag.1.Key", "k", "Tag.1.Value", "v")
		if r.text("Policy.PolicyType") != "Custom" || r.text("Policy.DefaultVersion") != "v1" {
			t.Errorf("%s", r.body)
		}
		d.fails(409, "EntityAlreadyExists.Policy", "CreatePolicy", "PolicyName", "users", "PolicyDocument", allowUsers)
		bad := d.fails(400, "MalformedPolicyDocument", "CreatePolicy", "PolicyName", "x", "PolicyDocument", `{"Version":"1","Statement":{}}`)
		if !strings.Contains(bad.text("Message"), "line 1, column 28") {
			t.Errorf("%s", bad.body)
		}
		d.fails(400, "InvalidParameter.PolicyDocument.Length", "CreatePolicy", "PolicyName", "x", "PolicyDocument", strings.Replace(allowUsers, "ram:GetUser", "ram:"+strings.Repeat("x", 6200), 1))
		r = d.do("GetPolicy", "PolicyName", "users", "PolicyType", "Custom")
		if r.text("Policy.PolicyDocument") != allowUsers || r.text("DefaultPolicyVersion.VersionId") != "v1" || r.text("Policy.Description") != "about users" {
			t.Errorf("%s", r.body)
		}
		d.fails(404, "EntityNotExist.Policy", "GetPolicy", "PolicyName", "none", "PolicyType", "Custom")
		d.fails(400, "InvalidParameter.PolicyType", "GetPolicy", "PolicyName", "users", "PolicyType", "custom")
		for range 4 {
			d.do("CreatePolicyVersion", "PolicyName", "users", "PolicyDocument", allowUsers)
		}
		d.fails(409, "LimitExceeded.Policy.Version", "CreatePolicyVersion", "PolicyName", "users", "PolicyDocument", allowUsers)
		d.do("CreatePolicyVersion", "PolicyName", "users", "PolicyDocument", allowUsers, "SetAsDefault", "true", "RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded")
		r = d.do("ListPolicyVersions", "PolicyName", "users", "PolicyType", "Custom")
		if r.text("PolicyVersions.PolicyVersion.0.VersionId") != "v6" || r.at("PolicyVersions.PolicyVersion.0.IsDefaultVersion") != true || r.text("PolicyVersions.PolicyVersion.4.VersionId") != "v1" {
			t.Errorf("%s", r.body)
		}
		d.fails(409, "DeleteConflict.Policy.Version", "DeletePolicy", "PolicyName", "users")
		d.fails(409, "DeleteConflict.Policy.Version.Default", "DeletePolicyVersion", "PolicyName", "users", "VersionId", "v6")
		d.do("DeletePolicyVersion", "PolicyName", "users", "VersionId", "v5")
		d.fails(404, "EntityNotExist.Policy.Version", "SetDefaultPolicyVersion", "PolicyName", "users", "VersionId", "v5")
		d.do("SetDefaultPolicyVersion", "PolicyName", "users", "VersionId", "v1")
		if r := d.do("UpdatePolicyDescription", "PolicyName", "users", "NewDescription", "else"); r.text("Policy.Description") != "else" {
			t.Errorf("%s", r.body)
		}

		d.do("CreateUser", "UserName", "alice")
		attach := []string{"UserName", "alice", "PolicyName", "users", "PolicyType", "Custom"}
		d.do("AttachPolicyToUser", attach...)
		d.fails(409, "EntityAlreadyExists.User.Policy", "AttachPolicyToUser", attach...)
		if r := d.do("ListPoliciesForUser", "UserName", "alice"); r.text("Policies.Policy.0.PolicyName") != "users" || r.text("Policies.Policy.0.PolicyType") != "Custom" {
			t.Errorf("%s", r.body)
		}
		if r := d.do("ListEntitiesForPolicy", "PolicyName", "users", "PolicyType", "Custom"); r.text("Users.User.0.UserName") != "alice" || r.at("Groups.Group") == nil {
			t.Errorf("%s", r.body)
		}
		d.fails(409, "DeleteConflict.Policy.User", "DeletePolicy", "PolicyName", "users")
		d.fails(404, "EntityNotExist.ResourceGroup", "DetachPolicyFromUser", append(attach, "ResourceGroupId", "rg-x")...)
		d.do("DetachPolicyFromUser", append(attach, "ResourceGroupId", name.Account(123456789012).UID())...)
		d.fails(404, "EntityNotExist.User.Policy", "DetachPolicyFromUser", attach...)
		d.fails(404, "EntityNotExist.Policy", "DetachPolicyFromUser", "UserName", "alice", "PolicyName", "none", "PolicyType", "Custom")
		d.do("AttachPolicyToUser", attach...)
		d.do("DeletePolicy", "PolicyName", "users", "CascadingDelete", "true")
		d.fails(404, "EntityNotExist.Policy", "GetPolicy", "PolicyName", "users", "PolicyType", "Custom")

		// System policies are Alibaba Cloud's; AWS's are there under their ARNs.
		r = d.do("ListPolicies", "PolicyType", "System", "MaxItems", "1")
		if r.text("Policies.Policy.0.PolicyName") != "AdministratorAccess" || r.at("IsTruncated") != true {
			t.Errorf("%s", r.body)
		}
		if r := d.do("ListPoliciesForUser", "UserName", "admin"); r.text("Policies.Policy.0.PolicyName") != "arn:aws:iam::aws:policy/AdministratorAccess" {
			t.Errorf("%s", r.body)
		}
		if r := d.do("GetPolicy", "PolicyType", "System", "PolicyName", "arn:aws:iam::aws:policy/AdministratorAccess"); r.text("Policy.DefaultVersion") != "v1" {
			t.Errorf("%s", r.body)
		}
	})
}

func TestVirtualMFA(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		d.do("CreateUser", "UserName", "alice")
		r := d.do("CreateLoginProfile", "UserName", "alice", "Password", "correct horse battery", "MFABindRequired", "true")
		if r.at("LoginProfile.MFABindRequired") != true || r.at("LoginProfile.PasswordResetRequired") != false {
			t.Errorf("%s", r.body)
		}
		d.fails(404, "EntityNotExist.User.MFADevice", "GetUserMFAInfo", "UserName", "alice")
		r = d.do("CreateVirtualMFADevice", "VirtualMFADeviceName", "alice-phone")
		serial, seed := r.text("VirtualMFADevice.SerialNumber"), r.text("VirtualMFADevice.Base32StringSeed")
		if serial != "acs:ram::1000123456789012:mfa/alice-phone" || !strings.HasPrefix(r.text("VirtualMFADevice.QRCodePNG"), "iVBOR") {
			t.Errorf("%s", r.body)
		}
		code := func(steps int) string {
			return testkit.Code(t, seed, d.Clock.Now().Add(time.Duration(steps)*30*time.Second))
		}
		bind := func(a, b string) []string {
			return []string{"UserName", "alice", "SerialNumber", serial, "AuthenticationCode1", a, "AuthenticationCode2", b}
		}
		wrong := d.fails(403, "CheckAuthenticationCodeFail", "BindMFADevice", bind("000000", "000001")...)
		if !strings.Contains(wrong.text("Message"), "inccorrect") {
			t.Errorf("%s", wrong.body)
		}
		d.fails(404, "EntityNotExist.VirtualMFADevice", "BindMFADevice", "UserName", "alice", "SerialNumber", serial+"x", "AuthenticationCode1", "000000", "AuthenticationCode2", "000001")
		d.do("BindMFADevice", bind(code(-1), code(0))...)
		d.fails(409, "EntityAlreadyExists.User.MFADevice", "BindMFADevice", bind(code(0), code(1))...)
		d.fails(409, "EntityAlreadyExists.VirtualMFADevice", "CreateVirtualMFADevice", "VirtualMFADeviceName", "alice-phone")
		if r := d.do("GetUserMFAInfo", "UserName", "alice"); r.text("MFADevice.SerialNumber") != serial || r.text("MFADevice.Type") != "VMFA" {
			t.Errorf("%s", r.body)
		}
		if r := d.do("ListVirtualMFADevices"); r.text("VirtualMFADevices.VirtualMFADevice.0.User.UserName") != "alice" || r.text("VirtualMFADevices.VirtualMFADevice.0.ActivateDate") == "" {
			t.Errorf("%s", r.body)
		}
		d.fails(409, "DeleteConflict.VirtualMFADevice.User", "DeleteVirtualMFADevice", "SerialNumber", serial)
		if r := d.do("UnbindMFADevice", "UserName", "alice"); r.text("MFADevice.SerialNumber") != serial {
			t.Errorf("%s", r.body)
		}
		d.fails(404, "EntityNotExist.User.MFADevice", "UnbindMFADevice", "UserName", "alice")
		d.do("DeleteVirtualMFADevice", "SerialNumber", serial)
		d.do("UpdateLoginProfile", "UserName", "alice", "MFABindRequired", "false", "PasswordResetRequired", "true")
		if r := d.do("GetLoginProfile", "UserName", "alice"); r.at("LoginProfile.MFABindRequired") != false || r.at("LoginProfile.PasswordResetRequired") != true {
			t.Errorf("%s", r.body)
		}
		d.fails(400, "InvalidParameter.Password.TooWeak", "UpdateLoginProfile", "UserName", "alice", "Password", "short")
		d.do("DeleteLoginProfile", "UserName", "alice")
		d.fails(404, "EntityNotExist.User.LoginProfile", "GetLoginProfile", "UserName", "alice")
		d.do("DeleteUser", "UserName", "alice")
	})
}

// userKey makes a user with a key of this cloud's looks.
func (d *door) userKey(user string) *door {
	d.t.Helper()
	d.do("CreateUser", "UserName", user)
	r := d.do("CreateAccessKey", "UserName", user)
	k := key{id: r.text("AccessKey.AccessKeyId"), secret: r.text("AccessKey.AccessKeySecret")}
	if !strings.HasPrefix(k.id, "LTAI") || len(k.id) != 24 || len(k.secret) != 30 || r.text("AccessKey.Status") != "Active" {
		d.t.Errorf("%s", r.body)
	}
	return d.as(k)
}

func TestKeysRolesAndSessions(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		alice := d.userKey("alice")
		id := alice.send("GET", alice.signed("GET", sts, "GetCallerIdentity").Encode(), "")
		if id.text("IdentityType") != "RAMUser" || id.text("Arn") != "acs:ram::1000123456789012:user/alice" || id.text("AccountId") != "1000123456789012" || len(id.text("UserId")) != 18 {
			t.Errorf("%s", id.body)
		}
		alice.fails(403, "NoPermission", "GetUser", "UserName", "alice")
		trust := `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"RAM":"acs:ram::1000123456789012:user/alice"},"Action":"sts:AssumeRole"}]}`
		r := d.do("CreateRole", "RoleName", "reader", "AssumeRolePolicyDocument", trust, "Description", "reads", "Tag", `[{"Key":"team","Value":"x"}]`)
		if r.text("Role.Arn") != "acs:ram::1000123456789012:role/reader" || r.at("Role.MaxSessionDuration") != 3600.0 || r.text("Role.AssumeRolePolicyDocument") != trust {
			t.Errorf("%s", r.body)
		}
		if r := d.do("ListRoles"); r.text("Roles.Role.0.Tags.Tag.0.TagKey") != "team" {
			t.Errorf("%s", r.body)
		}
		d.fails(400, "MalformedPolicyDocument", "UpdateRole", "RoleName", "reader", "NewAssumeRolePolicyDocument", strings.Replace(trust, "alice", "nobody", 1))
		d.do("UpdateRole", "RoleName", "reader", "NewMaxSessionDuration", "7200", "NewDescription", "reads all")
		d.do("AttachPolicyToRole", "RoleName", "reader", "PolicyType", "System", "PolicyName", "AliyunRAMReadOnlyAccess")

		assume := func(pairs ...string) *reply {
			pairs = append([]string{"RoleArn", "acs:ram::1000123456789012:role/reader", "RoleSessionName", "session"}, pairs...)
			// As credentials-go sends it: the signature in the query, the rest in the body.
			all := alice.signed("POST", sts, "AssumeRole", pairs...)
			query, form := url.Values{}, url.Values{}
			for k := range all {
				if slices.Contains(pairs, k) {
					form.Set(k, all.Get(k))
				} else {
					query.Set(k, all.Get(k))
				}
			}
			return alice.send("POST", query.Encode(), form.Encode())
		}
		if r := assume(); r.status != 403 || r.text("Code") != "NoPermission" || r.text("AccessDeniedDetail.PolicyType") != "AccountLevelIdentityBasedPolicy" {
			t.Errorf("without a policy: %d %s", r.status, r.body)
		}
		d.do("AttachPolicyToUser", "UserName", "alice", "PolicyType", "System", "PolicyName", "AliyunSTSAssumeRoleAccess")
		made := assume("DurationSeconds", "900")
		if made.status != 200 || made.text("AssumedRoleUser.Arn") != "acs:ram::1000123456789012:role/reader/session" || !strings.HasPrefix(made.text("Credentials.AccessKeyId"), "STS.") {
			t.Fatalf("%d %s", made.status, made.body)
		}
		session := d.as(key{made.text("Credentials.AccessKeyId"), made.text("Credentials.AccessKeySecret"), made.text("Credentials.SecurityToken")})
		session.do("GetUser", "UserName", "alice")
		no := session.fails(403, "NoPermission", "DeleteUser", "UserName", "alice")
		if no.text("AccessDeniedDetail.AuthPrincipalType") != "AssumedRoleUser" || no.text("AccessDeniedDetail.AuthPrincipalDisplayName") != "reader/session" {
			t.Errorf("%s", no.body)
		}
		who := session.send("GET", session.signed("GET", sts, "GetCallerIdentity").Encode(), "")
		if who.text("IdentityType") != "AssumedRoleUser" || who.text("Arn") != "acs:sts::1000123456789012:assumed-role/reader/session" || !strings.HasSuffix(who.text("PrincipalId"), ":session") {
			t.Errorf("%s", who.body)
		}
		session.as(key{id: session.key.id, secret: session.key.secret}).fails(400, "MissingSecurityToken", "GetUser", "UserName", "alice")
		session.as(key{id: session.key.id, secret: session.key.secret, token: "x"}).fails(400, "InvalidSecurityToken.Malformed", "GetUser", "UserName", "alice")
		session.as(key{id: session.key.id, secret: "x", token: session.key.token}).fails(400, "SignatureDoesNotMatch", "GetUser", "UserName", "alice")
		narrow := assume("Policy", `{"Version":"1","Statement":{"Effect":"Allow","Action":"ram:ListUsers","Resource":"*"}}`)
		d.as(key{narrow.text("Credentials.AccessKeyId"), narrow.text("Credentials.AccessKeySecret"), narrow.text("Credentials.SecurityToken")}).
			fails(403, "NoPermission", "GetUser", "UserName", "alice")
		d.Clock.Advance(16 * time.Minute)
		session.fails(400, "InvalidSecurityToken.Expired", "GetUser", "UserName", "alice")

		d.fails(409, "DeleteConflict.Role.Policy", "DeleteRole", "RoleName", "reader")
		d.do("DetachPolicyFromRole", "RoleName", "reader", "PolicyType", "System", "PolicyName", "AliyunRAMReadOnlyAccess")
		d.do("DeleteRole", "RoleName", "reader")
		d.fails(404, "EntityNotExist.Role", "GetRole", "RoleName", "reader")

		if r := d.do("ListAccessKeys", "UserName", "alice"); r.text("AccessKeys.AccessKey.0.AccessKeyId") != alice.key.id {
			t.Errorf("%s", r.body)
		}
		if r := d.do("GetAccessKeyLastUsed", "UserName", "alice", "UserAccessKeyId", alice.key.id); r.text("AccessKeyLastUsed.LastUsedDate") == "" {
			t.Errorf("%s", r.body)
		}
		d.do("UpdateAccessKey", "UserName", "alice", "UserAccessKeyId", alice.key.id, "Status", "Inactive")
		alice.fails(404, "InvalidAccessKeyId.NotFound", "GetUser", "UserName", "alice")
		d.fails(404, "EntityNotExist.User.AccessKey", "DeleteAccessKey", "UserName", "alice", "UserAccessKeyId", "LTAIx")
	})
}

// A refusal says why in a message that only the account's DecodeDiagnosticMessage
// reads.
func TestDiagnosticMessage(t *testing.T) {
	d := open(t, testkit.New(t))
	alice := d.userKey("alice")
	d.do("CreatePolicy", "PolicyName", "no", "PolicyDocument", `{"Version":"1","Statement":{"Effect":"Deny","Action":"ram:*","Resource":"*","Condition":{"IpAddress":{"acs:SourceIp":"127.0.0.0/8"}}}}`)
	d.do("AttachPolicyToUser", "UserName", "alice", "PolicyName", "no", "PolicyType", "Custom")
	r := alice.fails(403, "NoPermission", "CreateGroup", "GroupName", "x")
	if r.text("AccessDeniedDetail.NoPermissionType") != "ExplicitDeny" || r.text("AccessDeniedDetail.AuthAction") != "ram:CreateGroup" || r.text("AccessDeniedDetail.AuthPrincipalDisplayName") != "alice" {
		t.Errorf("%s", r.body)
	}
	encoded := r.text("AccessDeniedDetail.EncodedDiagnosticMessage")
	if encoded == "" || strings.Contains(encoded, "CreateGroup") {
		t.Errorf("the message is %q", encoded)
	}
	alice.fails(403, "NoPermission", "DecodeDiagnosticMessage", "EncodedDiagnosticMessage", encoded)
	out := d.do("DecodeDiagnosticMessage", "EncodedDiagnosticMessage", encoded)
	const at = "DecodedDiagnosticMessage."
	if out.text(at+"AuthAction") != "ram:CreateGroup" || out.text(at+"AuthResource") != "acs:ram::1000123456789012:group/x" || out.at(at+"ExplicitDeny") != true ||
		out.text(at+"MatchedPolicies.0.Effect") != "Deny" || out.text(at+"AuthConditions.0.ConditionKey") != "acs:SourceIp" || out.text(at+"AuthConditions.0.ConditionValues.0") != "127.0.0.1" {
		t.Errorf("%s", out.body)
	}
	d.fails(400, "NotSupport", "DecodeDiagnosticMessage", "EncodedDiagnosticMessage", encoded[:len(encoded)-4])
}

// A-1, S-7: what was signed cannot be changed, sent again, or sent late.
func TestBadRequests(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		once := d.signed("POST", ram, "CreateUser", "UserName", "alice").Encode()
		if r := d.send("POST", once, ""); r.status != 200 {
			t.Fatalf("%s", r.body)
		}
		if r := d.send("POST", once, ""); r.status != 400 || r.text("Code") != "SignatureNonceUsed" {
			t.Errorf("sent again: %d %s", r.status, r.body)
		}
		for what, c := range map[string]struct {
			change func(url.Values)
			resign bool
			status int
			code   string
		}{
			"a parameter is changed": {func(v url.Values) { v.Set("UserName", "admin") }, false, 400, "SignatureDoesNotMatch"},
			"another secret":         {func(v url.Values) { v.Set("Signature", "AAAA") }, false, 400, "SignatureDoesNotMatch"},
			"an old time": {func(v url.Values) {
				v.Set("Timestamp", d.Clock.Now().Add(-16*time.Minute).UTC().Format("2006-01-02T15:04:05Z"))
			}, true, 400, "InvalidTimeStamp.Expired"},
			"a time to come": {func(v url.Values) {
				v.Set("Timestamp", d.Clock.Now().Add(16*time.Minute).UTC().Format("2006-01-02T15:04:05Z"))
			}, true, 400, "InvalidTimeStamp.Expired"},
			"no time":            {func(v url.Values) { v.Set("Timestamp", "today") }, true, 400, "InvalidTimeStamp.Format"},
			"an unknown key":     {func(v url.Values) { v.Set("AccessKeyId", "LTAInobody") }, true, 404, "InvalidAccessKeyId.NotFound"},
			"no signature":       {func(v url.Values) { v.Set("Signature", "") }, false, 400, "MissingParameter"},
			"an unknown action":  {func(v url.Values) { v.Set("Action", "MakeTea") }, true, 404, "InvalidAction.NotFound"},
			"no action":          {func(v url.Values) { v.Del("Action") }, true, 400, "MissingParameter"},
			"an unknown version": {func(v url.Values) { v.Set("Version", "2001-01-01") }, true, 400, "InvalidVersion"},
			"another method":     {func(v url.Values) { v.Set("SignatureMethod", "HMAC-SHA256") }, true, 400, "InvalidSignatureMethod"},
		} {
			v := d.signed("POST", ram, "GetUser", "UserName", "alice")
			c.change(v)
			if c.resign {
				d.sign("POST", v)
			}
			r := d.send("POST", v.Encode(), "")
			if r.status != c.status || r.text("Code") != c.code || r.text("HostId") == "" || r.text("RequestId") == "" || r.text("Message") == "" {
				t.Errorf("%s: %d %s", what, r.status, r.body)
			}
		}
		if r := d.send("PUT", once, ""); r.status != 405 {
			t.Errorf("PUT: %d %s", r.status, r.body)
		}
	})
}

func TestXML(t *testing.T) {
	d := open(t, testkit.New(t))
	r := d.try("ListUsers", "Format", "XML")
	if r.header.Get("Content-Type") != "text/xml;charset=utf-8" || !strings.Contains(r.body, "<ListUsersResponse><RequestId>") || !strings.Contains(r.body, "<Users><User><UserId>") {
		t.Errorf("%v %s", r.header, r.body)
	}
	r = d.try("GetUser", "Format", "XML", "UserName", "nobody")
	if r.status != 404 || !strings.Contains(r.body, "<Error><RequestId>") || !strings.Contains(r.body, "<Code>EntityNotExist.User</Code>") {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestAccount(t *testing.T) {
	d := open(t, testkit.New(t))
	d.do("SetAccountAlias", "AccountAlias", "example")
	if r := d.do("GetAccountAlias"); r.text("AccountAlias") != "example" {
		t.Errorf("%s", r.body)
	}
	d.do("ClearAccountAlias")
	r := d.do("SetSecurityPreference", "LoginSessionDuration", "8", "LoginNetworkMasks", "10.0.0.0/8", "EnableSaveMFATicket", "true")
	if r.at("SecurityPreference.LoginProfilePreference.LoginSessionDuration") != 8.0 || r.at("SecurityPreference.LoginProfilePreference.EnableSaveMFATicket") != true {
		t.Errorf("%s", r.body)
	}
	// What is left out stays, but for the two that are reset.
	d.do("SetSecurityPreference", "AllowUserToManageAccessKeys", "true")
	r = d.do("GetSecurityPreference")
	const at = "SecurityPreference.LoginProfilePreference."
	if r.at(at+"LoginSessionDuration") != 6.0 || r.text(at+"LoginNetworkMasks") != "" || r.at(at+"EnableSaveMFATicket") != true || r.at("SecurityPreference.AccessKeyPreference.AllowUserToManageAccessKeys") != true {
		t.Errorf("%s", r.body)
	}
	d.fails(400, "InvalidParameter.LoginSessionDuration", "SetSecurityPreference", "LoginSessionDuration", "25")
	d.fails(400, "InvalidParameter.LoginNetworkMasks", "SetSecurityPreference", "LoginNetworkMasks", "everywhere")

	d.do("CreateUser", "UserName", "alice")
	d.do("TagResources", "ResourceType", "user", "ResourceNames.1", "alice", "ResourceNames.2", "admin", "Tag.1.Key", "k", "Tag.1.Value", "v")
	d.do("UntagResources", "ResourceType", "user", "ResourceNames.1", "alice", "All", "true")
	d.fails(400, "InvalidParameter.ResourceType", "TagResources", "ResourceType", "tea", "ResourceNames.1", "x", "Tag.1.Key", "k")
}

// The door's requests are told from those of the AWS door, whose clients post forms
// to the same path; a body that was looked at stays whole.
func TestOwns(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		method, target, kind, auth, body string
		want                             bool
	}{
		{"GET", "/?Action=GetUser&Version=2015-05-01", "", "", "", true},
		{"POST", "/?Version=2019-08-15&Action=GetUser", form, "", "", true},
		{"POST", "/", form, "", "Action=AssumeRole&Version=2015-04-01", true},
		{"POST", "/", form + "; charset=utf-8", "", "Action=AssumeRole&Version=2015-04-01", true},
		{"POST", "/?x=1", "", "ACS3-HMAC-SHA256 Credential=x", "", true},
		{"POST", "/", form, "AWS4-HMAC-SHA256 Credential=x", "Action=GetUser&Version=2010-05-08", false},
		{"POST", "/", form, "AWS4-HMAC-SHA256 Credential=x", "Action=GetUser&Version=2015-05-01", false},
		{"POST", "/", form, "", "Action=AssumeRoleWithWebIdentity&Version=2011-06-15", false},
		{"POST", "/", "application/json", "", "Version=2015-05-01", false},
		{"GET", "/", "", "", "", false},
		{"GET", "/console?Version=2015-05-01", "", "", "", false},
		{"POST", "/x", "", "ACS3-HMAC-SHA256 Credential=x", "", false},
	} {
		r := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		if c.auth != "" {
			r.Header.Set("Authorization", c.auth)
		}
		if got := alibaba.Owns(r); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
		if b, err := io.ReadAll(r.Body); err != nil || string(b) != c.body {
			t.Errorf("%+v: the body became %q, %v", c, b, err)
		}
	}
	broken := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader("Version="), &brokenBody{}))
	broken.Header.Set("Content-Type", form)
	if alibaba.Owns(broken) {
		t.Error("half a body is owned")
	}
	if b, err := io.ReadAll(broken.Body); err == nil || string(b) != "Version=" {
		t.Errorf("half a body became %q, %v", b, err)
	}
}

type brokenBody struct{}

func (*brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
