package alibaba

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	utils "github.com/alibabacloud-go/darabonba-openapi/v2/utils"
	ims "github.com/alibabacloud-go/ims-20190815/v4/client"
	ramv2 "github.com/alibabacloud-go/ram-20150501/v2/client"
	stsv2 "github.com/alibabacloud-go/sts-20150401/v2/client"
	"github.com/alibabacloud-go/tea/dara"
	"github.com/alibabacloud-go/tea/tea"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	credential "github.com/aliyun/credentials-go/credentials"

	"warifu/internal/testkit"
)

// text and number are what the SDKs take.
func text(s string) *string  { return tea.String(s) }
func number(n int32) *int32  { return tea.Int32(n) }
func yes() *bool             { return tea.Bool(true) }
func value(s *string) string { return tea.StringValue(s) }

const aliceUPN = "alice@acme-inc.onaliyun.com"

// Settings, tags, reports and the recycle bin with the newer SDKs.
func TestDirectoryWithSDKs(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		r := ok[*ramv2.Client](t)(ramv2.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
		i := ok[*ims.Client](t)(ims.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))

		set := ok[*ims.SetPasswordPolicyResponse](t)(i.SetPasswordPolicy(&ims.SetPasswordPolicyRequest{
			MinimumPasswordLength: number(10), HardExpire: yes(), MaxLoginAttemps: number(5), InitialPasswordAge: number(14),
		}))
		if p := set.Body.PasswordPolicy; tea.Int32Value(p.MinimumPasswordLength) != 10 || !tea.BoolValue(p.HardExpire) || tea.Int32Value(p.MaxLoginAttemps) != 5 {
			t.Errorf("%v", set.Body)
		}
		got := ok[*ramv2.GetPasswordPolicyResponse](t)(r.GetPasswordPolicy())
		if p := got.Body.PasswordPolicy; !tea.BoolValue(p.HardExpiry) || tea.Int32Value(p.MinimumPasswordLength) != 10 {
			t.Errorf("%v", got.Body)
		}
		_, err := r.SetPasswordPolicy(&ramv2.SetPasswordPolicyRequest{MinimumPasswordLength: number(7)})
		if c, status := refused(err); c != "InvalidParameter.MinimumPasswordLength.Range" || status != 400 {
			t.Errorf("%s %d", c, status)
		}
		if d := ok[*ims.GetDefaultDomainResponse](t)(i.GetDefaultDomain()); value(d.Body.DefaultDomainName) != "acme-inc.onaliyun.com" {
			t.Errorf("%v", d.Body)
		}

		user := ok[*ims.CreateUserResponse](t)(i.CreateUser(&ims.CreateUserRequest{UserPrincipalName: text(aliceUPN), DisplayName: text("Alice")}))
		id := user.Body.User.UserId
		ok[*ims.TagResourcesResponse](t)(i.TagResources(&ims.TagResourcesRequest{
			ResourceType: text("user"), ResourceId: []*string{id}, Tag: []*ims.TagResourcesRequestTag{{Key: text("team"), Value: text("x")}},
		}))
		tags := ok[*ramv2.ListTagResourcesResponse](t)(r.ListTagResources(&ramv2.ListTagResourcesRequest{ResourceType: text("user")}))
		if all := tags.Body.TagResources; len(all) != 1 || value(all[0].ResourceName) != "alice" || value(all[0].TagValue) != "x" {
			t.Errorf("%v", tags.Body)
		}
		ok[*ims.UntagResourcesResponse](t)(i.UntagResources(&ims.UntagResourcesRequest{ResourceType: text("user"), ResourcePrincipalName: []*string{text(aliceUPN)}, TagKey: []*string{text("team")}}))

		key := ok[*ims.CreateAccessKeyResponse](t)(i.CreateAccessKey(&ims.CreateAccessKeyRequest{UserPrincipalName: text(aliceUPN)})).Body.AccessKey.AccessKeyId
		if state := ok[*ims.GenerateCredentialReportResponse](t)(i.GenerateCredentialReport()); value(state.Body.State) != "STARTED" {
			t.Errorf("%v", state.Body)
		}
		report := ok[*ims.GetCredentialReportResponse](t)(i.GetCredentialReport(&ims.GetCredentialReportRequest{}))
		if csv, err := base64.StdEncoding.DecodeString(value(report.Body.Content)); err != nil || !strings.Contains(string(csv), "\nalice,") || !strings.Contains(string(csv), "\n<root>,") {
			t.Errorf("%s %v", csv, err)
		}
		practice := ok[*ims.GetAccountSecurityPracticeReportResponse](t)(i.GetAccountSecurityPracticeReport())
		if n := tea.Int32Value(practice.Body.AccountSecurityPracticeInfo.AccountSecurityPracticeUserInfo.SubUser); n != 2 {
			t.Errorf("%v", practice.Body)
		}
		if sum := ok[*ims.GetAccountSummaryResponse](t)(i.GetAccountSummary()); tea.Int32Value(sum.Body.SummaryMap.Users) != 2 {
			t.Errorf("%v", sum.Body)
		}

		ok[*ims.DeleteAccessKeyResponse](t)(i.DeleteAccessKey(&ims.DeleteAccessKeyRequest{UserPrincipalName: text(aliceUPN), UserAccessKeyId: key}))
		bin := ok[*ims.ListAccessKeysInRecycleBinResponse](t)(i.ListAccessKeysInRecycleBin(&ims.ListAccessKeysInRecycleBinRequest{UserId: id}))
		if all := bin.Body.AccessKeys.AccessKey; len(all) != 1 || value(all[0].AccessKeyId) != value(key) {
			t.Errorf("%v", bin.Body)
		}
		ok[*ims.RestoreAccessKeyFromRecycleBinResponse](t)(i.RestoreAccessKeyFromRecycleBin(&ims.RestoreAccessKeyFromRecycleBinRequest{UserId: id, UserAccessKeyId: key}))
		used := ok[*ims.GetAccessKeyLastUsedResponse](t)(i.GetAccessKeyLastUsed(&ims.GetAccessKeyLastUsedRequest{UserPrincipalName: text(aliceUPN), UserAccessKeyId: key}))
		if used.Body.AccessKeyLastUsed == nil {
			t.Errorf("%v", used.Body)
		}
		ok[*ims.DeleteAccessKeyResponse](t)(i.DeleteAccessKey(&ims.DeleteAccessKeyRequest{UserPrincipalName: text(aliceUPN), UserAccessKeyId: key}))
		ok[*ims.DeleteUserResponse](t)(i.DeleteUser(&ims.DeleteUserRequest{UserPrincipalName: text(aliceUPN)}))
		users := ok[*ims.ListUsersInRecycleBinResponse](t)(i.ListUsersInRecycleBin(&ims.ListUsersInRecycleBinRequest{}))
		if all := users.Body.Users.User; len(all) != 1 || value(all[0].DisplayName) != "Alice" {
			t.Errorf("%v", users.Body)
		}
		ok[*ims.RestoreUserFromRecycleBinResponse](t)(i.RestoreUserFromRecycleBin(&ims.RestoreUserFromRecycleBinRequest{UserId: id}))
		if back := ok[*ims.GetUserResponse](t)(i.GetUser(&ims.GetUserRequest{UserPrincipalName: text(aliceUPN)})); value(back.Body.User.UserId) != value(id) {
			t.Errorf("%v", back.Body)
		}

		// A refusal says why, in a message that the server decodes.
		k := ok[*ims.CreateAccessKeyResponse](t)(i.CreateAccessKey(&ims.CreateAccessKeyRequest{UserPrincipalName: text(aliceUPN)})).Body.AccessKey
		own := ok[*ramv2.Client](t)(ramv2.NewClient(s.config(value(k.AccessKeyId), value(k.AccessKeySecret), "")))
		_, err = own.DeleteUser(&ramv2.DeleteUserRequest{UserName: text("admin")})
		var message string
		if e, isSDK := err.(*tea.SDKError); isSDK {
			message, _ = e.AccessDeniedDetail["EncodedDiagnosticMessage"].(string)
		}
		why := ok[*ramv2.DecodeDiagnosticMessageResponse](t)(r.DecodeDiagnosticMessage(&ramv2.DecodeDiagnosticMessageRequest{EncodedDiagnosticMessage: text(message)}))
		if d := why.Body.DecodedDiagnosticMessage; value(d.AuthAction) != "ram:DeleteUser" || value(d.AuthPrincipal.AuthPrincipalDisplayName) == "" || tea.BoolValue(d.ExplicitDeny) {
			t.Errorf("%v", why.Body)
		}
	})
}

// call asks for an operation of a service whose own SDK is not at hand, by the one
// that they all are made of.
func (s *server) call(t *testing.T, version, action string, query map[string]*string) (map[string]any, error) {
	t.Helper()
	c := ok[*openapi.Client](t)(openapi.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
	out, err := c.CallApi(&utils.Params{
		Action: text(action), Version: text(version), Protocol: text("HTTP"), Pathname: text("/"), Method: text("POST"), AuthType: text("AK"),
		Style: text("RPC"), ReqBodyType: text("formData"), BodyType: text("json"),
	}, &utils.OpenApiRequest{Query: query}, &dara.RuntimeOptions{})
	if err != nil {
		return nil, err
	}
	body, _ := out["body"].(map[string]any)
	return body, nil
}

// Resource groups with the newer SDKs' core, events with the older SDK's.
func TestResourceGroupsAndTrail(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		const manager = "2020-03-31"
		made := ok[map[string]any](t)(s.call(t, manager, "CreateResourceGroup", map[string]*string{"Name": text("prod"), "DisplayName": text("生産")}))
		group, _ := made["ResourceGroup"].(map[string]any)
		id, _ := group["Id"].(string)
		if !strings.HasPrefix(id, "rg-") {
			t.Fatalf("%v", made)
		}
		r := ok[*ramv2.Client](t)(ramv2.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
		ok[*ramv2.CreateUserResponse](t)(r.CreateUser(&ramv2.CreateUserRequest{UserName: text("bob")}))
		attach := map[string]*string{
			"ResourceGroupId": text(id), "PolicyType": text("System"), "PolicyName": text("ReadOnlyAccess"), "PrincipalType": text("IMSUser"), "PrincipalName": text("bob@acme-inc.onaliyun.com"),
		}
		ok[map[string]any](t)(s.call(t, manager, "AttachPolicy", attach))
		_, err := s.call(t, manager, "AttachPolicy", attach)
		if c, status := refused(err); c != "EntityAlreadyExists.User.Policy" || status != 409 {
			t.Errorf("%s %d", c, status)
		}
		list := ok[map[string]any](t)(s.call(t, manager, "ListPolicyAttachments", map[string]*string{"PrincipalType": text("IMSUser"), "PrincipalName": text("bob@acme-inc.onaliyun.com")}))
		rows, _ := list["PolicyAttachments"].(map[string]any)["PolicyAttachment"].([]any)
		if len(rows) != 1 || rows[0].(map[string]any)["ResourceGroupId"] != id {
			t.Errorf("%v", list)
		}
		ok[map[string]any](t)(s.call(t, manager, "DetachPolicy", attach))
		ok[map[string]any](t)(s.call(t, manager, "DeleteResourceGroup", map[string]*string{"ResourceGroupId": text(id)}))

		c := ok[*sdk.Client](t)(sdk.NewClientWithOptions("cn-hangzhou", sdk.NewConfig().WithScheme("http").WithAutoRetry(false), credentials.NewAccessKeyCredential(s.AccessKeyID, s.SecretAccessKey)))
		look := requests.NewCommonRequest()
		look.Method, look.Scheme, look.Domain, look.Version, look.ApiName = "POST", "http", s.host, "2020-07-06", "LookupEvents"
		look.QueryParams["LookupAttribute.1.Key"], look.QueryParams["LookupAttribute.1.Value"] = "EventName", "CreateResourceGroup"
		found, err := c.ProcessCommonRequest(look)
		if err != nil {
			t.Fatal(err)
		}
		if body := found.GetHttpContentString(); !strings.Contains(body, `"eventName":"CreateResourceGroup"`) || !strings.Contains(body, `"userName":"admin"`) {
			t.Error(body)
		}
	})
}

// Roles are assumed by the word of providers: with credentials-go, which reads a
// token from a file and asks by TLS, and with STS's own SDK.
func TestFederation(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		r := ok[*ramv2.Client](t)(ramv2.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
		i := ok[*ims.Client](t)(ims.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
		idp := testkit.NewIdP(t)
		issuer := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := idp.Fetch(idp.Issuer + r.URL.Path)
			if err != nil {
				http.NotFound(w, r)
				return
			}
			w.Write(body)
		}))
		defer issuer.Close()
		idp.Issuer = issuer.URL
		sum := sha1.Sum(issuer.Certificate().Raw)
		provider := ok[*ims.CreateOIDCProviderResponse](t)(i.CreateOIDCProvider(&ims.CreateOIDCProviderRequest{
			OIDCProviderName: text("k8s"), IssuerUrl: text(idp.Issuer), ClientIds: text("sts.aliyuncs.com"), Fingerprints: text(hex.EncodeToString(sum[:])),
		})).Body.OIDCProvider
		trust := `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"Federated":["` + value(provider.Arn) + `"]},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"oidc:aud":"sts.aliyuncs.com"}}}]}`
		role := ok[*ramv2.CreateRoleResponse](t)(r.CreateRole(&ramv2.CreateRoleRequest{RoleName: text("web"), AssumeRolePolicyDocument: text(trust)})).Body.Role
		ok[*ramv2.AttachPolicyToRoleResponse](t)(r.AttachPolicyToRole(&ramv2.AttachPolicyToRoleRequest{RoleName: text("web"), PolicyName: text("AliyunRAMReadOnlyAccess"), PolicyType: text("System")}))

		to := &url.URL{Scheme: "http", Host: s.host}
		front := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(to))
		defer front.Close()
		file := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(file, []byte(idp.Token(idp.Claims(time.Now(), nil))+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		bearer := ok[credential.Credential](t)(credential.NewCredential(&credential.Config{
			Type: text("oidc_role_arn"), RoleArn: role.Arn, OIDCProviderArn: provider.Arn, OIDCTokenFilePath: text(file), RoleSessionName: text("pod-1"),
			STSEndpoint: text(strings.TrimPrefix(front.URL, "https://")),
		}))
		config := s.config("", "", "")
		config.AccessKeyId, config.AccessKeySecret, config.Credential = nil, nil, bearer
		in := ok[*ramv2.Client](t)(ramv2.NewClient(config))
		ok[*ramv2.ListUsersResponse](t)(in.ListUsers(&ramv2.ListUsersRequest{}))
		_, err := in.CreateUser(&ramv2.CreateUserRequest{UserName: text("eve")})
		if c, status := refused(err); c != "NoPermission" || status != 403 {
			t.Errorf("%s %d", c, status)
		}

		st := ok[*stsv2.Client](t)(stsv2.NewClient(s.config(s.AccessKeyID, s.SecretAccessKey, "")))
		session := ok[*stsv2.AssumeRoleWithOIDCResponse](t)(st.AssumeRoleWithOIDC(&stsv2.AssumeRoleWithOIDCRequest{
			OIDCProviderArn: provider.Arn, RoleArn: role.Arn, OIDCToken: text(idp.Token(idp.Claims(time.Now(), nil))), RoleSessionName: text("sdk"),
		}))
		if value(session.Body.OIDCTokenInfo.Issuer) != idp.Issuer {
			t.Errorf("%v", session.Body)
		}
		_, err = st.AssumeRoleWithOIDC(&stsv2.AssumeRoleWithOIDCRequest{
			OIDCProviderArn: provider.Arn, RoleArn: role.Arn, OIDCToken: text(idp.Impostor().Token(idp.Claims(time.Now(), nil))), RoleSessionName: text("sdk"),
		})
		if c, status := refused(err); c != "AuthenticationFail.OIDCToken.Invalid" || status != 401 {
			t.Errorf("%s %d: %v", c, status, err)
		}

		saml := ok[*ims.CreateSAMLProviderResponse](t)(i.CreateSAMLProvider(&ims.CreateSAMLProviderRequest{
			SAMLProviderName: text("corp"), EncodedSAMLMetadataDocument: text(base64.StdEncoding.EncodeToString([]byte(idp.Metadata()))),
		})).Body.SAMLProvider
		trust = `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"Federated":["` + value(saml.Arn) + `"]},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"saml:recipient":"https://signin.aliyun.com/saml-role/sso"}}}]}`
		staff := ok[*ramv2.CreateRoleResponse](t)(r.CreateRole(&ramv2.CreateRoleRequest{RoleName: text("staff"), AssumeRolePolicyDocument: text(trust)})).Body.Role
		const attributes = "https://www.aliyun.com/SAML-Role/Attributes/"
		ask := &stsv2.AssumeRoleWithSAMLRequest{SAMLProviderArn: saml.Arn, RoleArn: staff.Arn, SAMLAssertion: text(idp.Response(testkit.Response{
			ID: "1", Now: time.Now(), Subject: "alice", Recipient: "https://signin.aliyun.com/saml-role/sso", Audience: "urn:alibaba:cloudcomputing",
			Attributes: map[string]string{attributes + "Role": value(staff.Arn) + "," + value(saml.Arn), attributes + "RoleSessionName": "alice"},
		}))}
		signed := ok[*stsv2.AssumeRoleWithSAMLResponse](t)(st.AssumeRoleWithSAML(ask))
		if value(signed.Body.SAMLAssertionInfo.Subject) != "alice" || value(signed.Body.Credentials.SecurityToken) == "" {
			t.Errorf("%v", signed.Body)
		}
		_, err = st.AssumeRoleWithSAML(ask)
		if c, status := refused(err); c != "AuthenticationFail.SAMLAssertion.Invalid" || status != 401 {
			t.Errorf("the same assertion again: %s %d", c, status)
		}
	})
}
