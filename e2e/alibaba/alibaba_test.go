package alibaba

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ims "github.com/alibabacloud-go/ims-20190815/v4/client"
	ramv2 "github.com/alibabacloud-go/ram-20150501/v2/client"
	stsv2 "github.com/alibabacloud-go/sts-20150401/v2/client"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ram"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	credential "github.com/aliyun/credentials-go/credentials"

	"warifu/internal/testkit/pg"
)

// server is a running warifu and the key of its administrator.
type server struct {
	AccountID, AccessKeyID, SecretAccessKey string

	host string // host:port, plain HTTP
	uid  string
}

var program, tlsFront string

// TestMain builds the program, and makes the certificate of the TLS front known
// before anything reads the system's.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "warifu-alibaba-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "warifu")
		if out, err := exec.Command("go", "build", "-C", "../..", "-o", program, "./cmd/warifu").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
			return 1
		}
		front := httptest.NewUnstartedServer(nil)
		front.StartTLS()
		tlsFront = filepath.Join(dir, "ca.crt")
		err = os.WriteFile(tlsFront, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600)
		front.Close()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		os.Setenv("SSL_CERT_FILE", tlsFront)
		return m.Run()
	}())
}

// each runs a test with the server on SQLite and on PostgreSQL.
func each(t *testing.T, test func(*testing.T, *server)) {
	t.Run("sqlite", func(t *testing.T) { test(t, start(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, start(t, "--database", pg.DSN(t))) })
}

func start(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{}
	args = append([]string{"--data", filepath.Join(t.TempDir(), "data")}, args...)
	out, err := exec.Command(program, append([]string{"init", "--json", "--account-alias", "acme-inc"}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, s); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	s.uid = "1000" + s.AccountID
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.host = l.Addr().String()
	l.Close()
	cmd := exec.Command(program, append([]string{"serve", "--listen", s.host}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			t.Log(lines.Text())
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-logged
		cmd.Wait()
	})
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if resp, err := http.Get("http://" + s.host + "/"); err == nil {
			resp.Body.Close()
			return s
		}
	}
	t.Fatal("the server did not get ready within 20 s")
	return nil
}

// code is the one-time code of a seed, steps from now.
func code(t *testing.T, seed string, steps int64) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(seed, "="))
	if err != nil {
		t.Fatal(err)
	}
	var step [8]byte
	binary.BigEndian.PutUint64(step[:], uint64(time.Now().Unix()/30+steps))
	mac := hmac.New(sha1.New, key)
	mac.Write(step[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

func ok[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (s *server) config(id, secret, token string) *openapi.Config {
	c := &openapi.Config{
		Endpoint: tea.String(s.host), Protocol: tea.String("HTTP"), RegionId: tea.String("cn-hangzhou"),
		AccessKeyId: tea.String(id), AccessKeySecret: tea.String(secret),
	}
	if token != "" {
		c.SecurityToken = tea.String(token)
	}
	return c
}

// classic asks with the older SDK, which signs with the RPC signature.
func (s *server) classic(t *testing.T, id, secret string) *ram.Client {
	t.Helper()
	return ok[*ram.Client](t)(ram.NewClientWithOptions("cn-hangzhou", sdk.NewConfig().WithScheme("http").WithAutoRetry(false), credentials.NewAccessKeyCredential(id, secret)))
}

// refusedClassic tells the code of a refusal that the older SDK reports.
func refusedClassic(err error) string {
	var e *sdkerrors.ServerError
	if !errors.As(err, &e) {
		if w, ok := err.(sdkerrors.Error); ok {
			return w.ErrorCode()
		}
		return fmt.Sprint(err)
	}
	return e.ErrorCode()
}

// refused tells the code and the status of a refusal that the newer SDKs report.
func refused(err error) (string, int) {
	var e *tea.SDKError
	if !errors.As(err, &e) {
		return fmt.Sprint(err), 0
	}
	return tea.StringValue(e.Code), tea.IntValue(e.StatusCode)
}

// The life of a user with the older SDK: RPC signature, parameters in the query.
func TestClassicSDK(t *testing.T) { each(t, classicSDK) }

func classicSDK(t *testing.T, s *server) {
	c := s.classic(t, s.AccessKeyID, s.SecretAccessKey)

	user := ram.CreateCreateUserRequest()
	user.Domain, user.UserName, user.DisplayName, user.Comments = s.host, "alice", "Alice", "割符 & more"
	made := ok[*ram.CreateUserResponse](t)(c.CreateUser(user))
	if made.User.UserName != "alice" || made.User.Comments != "割符 & more" || made.RequestId == "" {
		t.Errorf("%+v", made)
	}
	if _, err := c.CreateUser(user); refusedClassic(err) != "EntityAlreadyExists.User" {
		t.Errorf("the same again: %v", err)
	}
	login := ram.CreateCreateLoginProfileRequest()
	login.Domain, login.UserName, login.Password, login.MFABindRequired = s.host, "alice", "correct horse battery", requests.NewBoolean(true)
	if r := ok[*ram.CreateLoginProfileResponse](t)(c.CreateLoginProfile(login)); !r.LoginProfile.MFABindRequired {
		t.Errorf("%+v", r)
	}
	device := ram.CreateCreateVirtualMFADeviceRequest()
	device.Domain, device.VirtualMFADeviceName = s.host, "alice-phone"
	phone := ok[*ram.CreateVirtualMFADeviceResponse](t)(c.CreateVirtualMFADevice(device)).VirtualMFADevice
	bind := ram.CreateBindMFADeviceRequest()
	bind.Domain, bind.UserName, bind.SerialNumber = s.host, "alice", phone.SerialNumber
	bind.AuthenticationCode1, bind.AuthenticationCode2 = "000000", "000001"
	if _, err := c.BindMFADevice(bind); refusedClassic(err) != "CheckAuthenticationCodeFail" {
		t.Errorf("wrong codes: %v", err)
	}
	bind.AuthenticationCode1, bind.AuthenticationCode2 = code(t, phone.Base32StringSeed, -1), code(t, phone.Base32StringSeed, 0)
	ok[*ram.BindMFADeviceResponse](t)(c.BindMFADevice(bind))
	info := ram.CreateGetUserMFAInfoRequest()
	info.Domain, info.UserName = s.host, "alice"
	if r := ok[*ram.GetUserMFAInfoResponse](t)(c.GetUserMFAInfo(info)); r.MFADevice.SerialNumber != phone.SerialNumber {
		t.Errorf("%+v", r)
	}
	unbind := ram.CreateUnbindMFADeviceRequest()
	unbind.Domain, unbind.UserName = s.host, "alice"
	if r := ok[*ram.UnbindMFADeviceResponse](t)(c.UnbindMFADevice(unbind)); r.MFADevice.SerialNumber != phone.SerialNumber {
		t.Errorf("%+v", r)
	}
	gone := ram.CreateDeleteVirtualMFADeviceRequest()
	gone.Domain, gone.SerialNumber = s.host, phone.SerialNumber
	ok[*ram.DeleteVirtualMFADeviceResponse](t)(c.DeleteVirtualMFADevice(gone))

	keys := ram.CreateCreateAccessKeyRequest()
	keys.Domain, keys.UserName = s.host, "alice"
	key := ok[*ram.CreateAccessKeyResponse](t)(c.CreateAccessKey(keys)).AccessKey
	if !strings.HasPrefix(key.AccessKeyId, "LTAI") || len(key.AccessKeySecret) != 30 {
		t.Errorf("%+v", key)
	}
	whoami := func(id, secret string) error {
		who := ok[*sts.Client](t)(sts.NewClientWithOptions("cn-hangzhou", sdk.NewConfig().WithScheme("http").WithAutoRetry(false), credentials.NewAccessKeyCredential(id, secret)))
		r := sts.CreateGetCallerIdentityRequest()
		r.Domain = s.host
		out, err := who.GetCallerIdentity(r)
		if err == nil && out.Arn != "acs:ram::"+s.uid+":user/alice" {
			t.Errorf("%+v", out)
		}
		return err
	}
	if err := whoami(key.AccessKeyId, key.AccessKeySecret); err != nil {
		t.Error(err)
	}
	// The SDK compares what the server was to sign with what it signed, and says so.
	if err := whoami(key.AccessKeyId, "wrong"); refusedClassic(err) != "SignatureDoesNotMatch" || !strings.Contains(err.Error(), "not match") && !strings.Contains(err.Error(), "AccessKeySecret") {
		t.Errorf("a wrong secret: %v", err)
	}
	off := ram.CreateUpdateAccessKeyRequest()
	off.Domain, off.UserName, off.UserAccessKeyId, off.Status = s.host, "alice", key.AccessKeyId, "Inactive"
	ok[*ram.UpdateAccessKeyResponse](t)(c.UpdateAccessKey(off))
	if err := whoami(key.AccessKeyId, key.AccessKeySecret); refusedClassic(err) != "InvalidAccessKeyId.NotFound" {
		t.Errorf("an inactive key: %v", err)
	}

	remove := ram.CreateDeleteUserRequest()
	remove.Domain, remove.UserName = s.host, "alice"
	if _, err := c.DeleteUser(remove); refusedClassic(err) != "DeleteConflict.User.AccessKey" {
		t.Errorf("with a key: %v", err)
	}
	drop := ram.CreateDeleteAccessKeyRequest()
	drop.Domain, drop.UserName, drop.UserAccessKeyId = s.host, "alice", key.AccessKeyId
	ok[*ram.DeleteAccessKeyResponse](t)(c.DeleteAccessKey(drop))
	profile := ram.CreateDeleteLoginProfileRequest()
	profile.Domain, profile.UserName = s.host, "alice"
	ok[*ram.DeleteLoginProfileResponse](t)(c.DeleteLoginProfile(profile))
	ok[*ram.DeleteUserResponse](t)(c.DeleteUser(remove))
}

// The newer SDKs: ACS3 for RAM and IMS, RPC for STS.
func TestV2SDKs(t *testing.T) { each(t, v2SDKs) }

func v2SDKs(t *testing.T, s *server) {
	r := ok[*ramv2.Client](t)(ramv2.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
	i := ok[*ims.Client](t)(ims.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))

	const upn = "bob@acme-inc.onaliyun.com"
	made := ok[*ims.CreateUserResponse](t)(i.CreateUser(&ims.CreateUserRequest{
		UserPrincipalName: tea.String(upn), DisplayName: tea.String("Bob"),
		Tag: []*ims.CreateUserRequestTag{{Key: tea.String("team"), Value: tea.String("x")}},
	}))
	if tea.StringValue(made.Body.User.UserPrincipalName) != upn {
		t.Errorf("%v", made.Body)
	}
	if _, err := i.GetUser(&ims.GetUserRequest{UserPrincipalName: tea.String("nobody@acme-inc.onaliyun.com")}); err == nil {
		t.Error("a user that does not exist is found")
	} else if c, status := refused(err); c != "EntityNotExist.User" || status != 404 {
		t.Errorf("%s %d: %v", c, status, err)
	}
	// The user of one version is the user of the other.
	got := ok[*ramv2.GetUserResponse](t)(r.GetUser(&ramv2.GetUserRequest{UserName: tea.String("bob")}))
	if tea.StringValue(got.Body.User.UserId) != tea.StringValue(made.Body.User.UserId) {
		t.Errorf("%v", got.Body)
	}
	set := ok[*ims.SetSecurityPreferenceResponse](t)(i.SetSecurityPreference(&ims.SetSecurityPreferenceRequest{
		LoginSessionDuration: tea.Int32(8), VerificationTypes: []*string{tea.String("email")}, MFAOperationForLogin: tea.String("mandatory"),
	}))
	if p := set.Body.SecurityPreference; tea.Int32Value(p.LoginProfilePreference.LoginSessionDuration) != 8 || len(p.VerificationPreference.VerificationTypes) != 1 {
		t.Errorf("%v", set.Body)
	}
	phone := ok[*ims.CreateVirtualMFADeviceResponse](t)(i.CreateVirtualMFADevice(&ims.CreateVirtualMFADeviceRequest{VirtualMFADeviceName: tea.String("bob")})).Body.VirtualMFADevice
	seed := tea.StringValue(phone.Base32StringSeed)
	ok[*ims.BindMFADeviceResponse](t)(i.BindMFADevice(&ims.BindMFADeviceRequest{
		UserPrincipalName: tea.String(upn), SerialNumber: phone.SerialNumber,
		AuthenticationCode1: tea.String(code(t, seed, -1)), AuthenticationCode2: tea.String(code(t, seed, 0)),
	}))
	info := ok[*ims.GetUserMFAInfoResponse](t)(i.GetUserMFAInfo(&ims.GetUserMFAInfoRequest{UserPrincipalName: tea.String(upn)}))
	if !tea.BoolValue(info.Body.IsMFAEnable) || tea.StringValue(info.Body.MFADevice.SerialNumber) != tea.StringValue(phone.SerialNumber) {
		t.Errorf("%v", info.Body)
	}

	// A role, what it may do, and a session of it.
	trust := `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"RAM":"acs:ram::` + s.uid + `:root"},"Action":"sts:AssumeRole"}]}`
	role := ok[*ramv2.CreateRoleResponse](t)(r.CreateRole(&ramv2.CreateRoleRequest{
		RoleName: tea.String("reader"), AssumeRolePolicyDocument: tea.String(trust),
		Tag: []*ramv2.CreateRoleRequestTag{{Key: tea.String("k"), Value: tea.String("v")}},
	}))
	ok[*ramv2.CreatePolicyResponse](t)(r.CreatePolicy(&ramv2.CreatePolicyRequest{
		PolicyName: tea.String("read"), PolicyDocument: tea.String(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:Get*","Resource":"*"}]}`),
	}))
	ok[*ramv2.AttachPolicyToRoleResponse](t)(r.AttachPolicyToRole(&ramv2.AttachPolicyToRoleRequest{
		RoleName: tea.String("reader"), PolicyName: tea.String("read"), PolicyType: tea.String("Custom"),
	}))
	list := ok[*ramv2.ListPoliciesForRoleResponse](t)(r.ListPoliciesForRole(&ramv2.ListPoliciesForRoleRequest{RoleName: tea.String("reader")}))
	if n := len(list.Body.Policies.Policy); n != 1 {
		t.Errorf("%d policies", n)
	}
	st := ok[*stsv2.Client](t)(stsv2.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
	session := ok[*stsv2.AssumeRoleResponse](t)(st.AssumeRole(&stsv2.AssumeRoleRequest{RoleArn: role.Body.Role.Arn, RoleSessionName: tea.String("e2e")})).Body.Credentials
	in := ok[*ramv2.Client](t)(ramv2.NewClient(s.config(tea.StringValue(session.AccessKeyId), tea.StringValue(session.AccessKeySecret), tea.StringValue(session.SecurityToken))))
	ok[*ramv2.GetUserResponse](t)(in.GetUser(&ramv2.GetUserRequest{UserName: tea.String("bob")}))
	_, err := in.DeleteUser(&ramv2.DeleteUserRequest{UserName: tea.String("bob")})
	if c, status := refused(err); c != "NoPermission" || status != 403 {
		t.Errorf("more than the role may: %v", err)
	}

	// credentials-go assumes the role by itself, over TLS only.
	to := &url.URL{Scheme: "http", Host: s.host}
	front := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(to))
	defer front.Close()
	assumed := ok[credential.Credential](t)(credential.NewCredential(&credential.Config{
		Type: tea.String("ram_role_arn"), AccessKeyId: tea.String(s.AccessKeyID), AccessKeySecret: tea.String(s.SecretAccessKey),
		RoleArn: role.Body.Role.Arn, RoleSessionName: tea.String("provider"), RoleSessionExpiration: tea.Int(900),
		STSEndpoint: tea.String(strings.TrimPrefix(front.URL, "https://")),
	}))
	config := s.config("", "", "")
	config.AccessKeyId, config.AccessKeySecret, config.Credential = nil, nil, assumed
	provided := ok[*ramv2.Client](t)(ramv2.NewClient(config))
	ok[*ramv2.GetUserResponse](t)(provided.GetUser(&ramv2.GetUserRequest{UserName: tea.String("bob")}))

	for _, wrong := range []*openapi.Config{s.config(s.AccessKeyID, "wrong", ""), s.config("LTAInobody", "x", "")} {
		c := ok[*ims.Client](t)(ims.NewClient(wrong))
		_, err := c.GetUserMFAInfo(&ims.GetUserMFAInfoRequest{UserPrincipalName: tea.String(upn)})
		if c, _ := refused(err); c != "SignatureDoesNotMatch" && c != "InvalidAccessKeyId.NotFound" {
			t.Errorf("%v", err)
		}
	}
	ok[*ims.DisableVirtualMFAResponse](t)(i.DisableVirtualMFA(&ims.DisableVirtualMFARequest{UserPrincipalName: tea.String(upn)}))
	ok[*ims.DeleteUserResponse](t)(i.DeleteUser(&ims.DeleteUserRequest{UserPrincipalName: tea.String(upn)}))
}
