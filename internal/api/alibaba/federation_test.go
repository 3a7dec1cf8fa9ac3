package alibaba_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"
	"time"

	"warifu/internal/testkit"
)

const account = "1000123456789012"

// unsigned asks for an operation of STS that nobody signs: common parameters in the
// query, its own in a form.
func (d *door) unsigned(action string, pairs ...string) *reply {
	d.t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	query := url.Values{"Action": {action}, "Version": {sts}, "Format": {"JSON"}, "Timestamp": {d.Clock.Now().Format(time.RFC3339)}}
	return d.send("POST", query.Encode(), v.Encode())
}

func TestIdentityProviders(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		idp := testkit.NewIdP(t)
		doc := base64.StdEncoding.EncodeToString([]byte(idp.Metadata()))
		r := d.imsDo("CreateSAMLProvider", "SAMLProviderName", "corp", "EncodedSAMLMetadataDocument", doc, "Description", "the company", "AuthnSignAlgo", "rsa-sha256")
		if r.text("SAMLProvider.Arn") != "acs:ram::"+account+":saml-provider/corp" || r.text("SAMLProvider.Description") != "the company" {
			t.Errorf("%s", r.body)
		}
		d.imsFails(409, "EntityAlreadyExists.SAMLProvider", "CreateSAMLProvider", "SAMLProviderName", "Corp", "EncodedSAMLMetadataDocument", doc)
		d.imsFails(400, "InvalidParameter.EncodedSAMLMetadataDocument", "CreateSAMLProvider", "SAMLProviderName", "x", "EncodedSAMLMetadataDocument", "PHg+")
		d.imsFails(400, "InvalidParameter.EncodedSAMLMetadataDocument.Format", "CreateSAMLProvider", "SAMLProviderName", "x", "EncodedSAMLMetadataDocument", "!")
		if r := d.imsDo("GetSAMLProvider", "SAMLProviderName", "corp"); r.text("SAMLProvider.EncodedSAMLMetadataDocument") != doc || r.text("SAMLProvider.AuthnSignAlgo") != "rsa-sha256" {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("UpdateSAMLProvider", "SAMLProviderName", "corp", "NewDescription", "else"); r.text("SAMLProvider.Description") != "else" {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("ListSAMLProviders"); r.text("SAMLProviders.SAMLProvider.0.SAMLProviderName") != "corp" || r.at("IsTruncated") != false {
			t.Errorf("%s", r.body)
		}
		d.imsFails(404, "EntityNotExist.SAMLProvider", "GetSAMLProvider", "SAMLProviderName", "none")
		d.imsDo("DeleteSAMLProvider", "SAMLProviderName", "corp")
		d.imsFails(404, "EntityNotExist.SAMLProvider", "DeleteSAMLProvider", "SAMLProviderName", "corp")

		print := strings.Repeat("ab", 20)
		r = d.imsDo("CreateOIDCProvider", "OIDCProviderName", "k8s", "IssuerUrl", idp.Issuer, "ClientIds", "sts.aliyuncs.com,web", "Fingerprints", strings.ToUpper(print), "IssuanceLimitTime", "6")
		if r.text("OIDCProvider.ClientIds") != "sts.aliyuncs.com,web" || r.text("OIDCProvider.Fingerprints") != print || r.at("OIDCProvider.IssuanceLimitTime") != 6.0 || r.text("OIDCProvider.Arn") != "acs:ram::"+account+":oidc-provider/k8s" {
			t.Errorf("%s", r.body)
		}
		for param, bad := range map[string][]string{
			"IssuerUrl": {"http://idp.example.com", "https://", "https://u@idp.example.com", "https://idp.example.com/?x", "https://idp.example.com/" + strings.Repeat("x", 240)},
			"ClientIds": {"a,,b", strings.Repeat("x", 129), "a,a"}, "Fingerprints": {"xyz", strings.Repeat("ab", 19)},
		} {
			for _, v := range bad {
				pairs := map[string]string{"OIDCProviderName": "x", "IssuerUrl": idp.Issuer, param: v}
				var list []string
				for k, v := range pairs {
					list = append(list, k, v)
				}
				d.imsFails(400, "InvalidParameter."+param, "CreateOIDCProvider", list...)
			}
		}
		d.imsFails(400, "InvalidParameter.IssuanceLimitTime.Range", "CreateOIDCProvider", "OIDCProviderName", "x", "IssuerUrl", idp.Issuer, "IssuanceLimitTime", "169")
		if r := d.imsDo("AddClientIdToOIDCProvider", "OIDCProviderName", "k8s", "ClientId", "cli"); r.text("OIDCProvider.ClientIds") != "sts.aliyuncs.com,web,cli" {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("RemoveClientIdFromOIDCProvider", "OIDCProviderName", "k8s", "ClientId", "web"); r.text("OIDCProvider.ClientIds") != "sts.aliyuncs.com,cli" {
			t.Errorf("%s", r.body)
		}
		d.imsFails(404, "EntityNotExist.OIDCProvider.ClientId", "RemoveClientIdFromOIDCProvider", "OIDCProviderName", "k8s", "ClientId", "web")
		if r := d.imsDo("AddFingerprintToOIDCProvider", "OIDCProviderName", "k8s", "Fingerprint", strings.Repeat("cd", 20)); r.text("OIDCProvider.Fingerprints") != print+","+strings.Repeat("cd", 20) {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("RemoveFingerprintFromOIDCProvider", "OIDCProviderName", "k8s", "Fingerprint", print); r.text("OIDCProvider.Fingerprints") != strings.Repeat("cd", 20) {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("UpdateOIDCProvider", "OIDCProviderName", "k8s", "NewDescription", "cluster", "ClientIds", "one", "IssuanceLimitTime", "24"); r.text("OIDCProvider.ClientIds") != "one" || r.at("OIDCProvider.IssuanceLimitTime") != 24.0 || r.text("OIDCProvider.Description") != "cluster" {
			t.Errorf("%s", r.body)
		}
		if r := d.imsDo("ListOIDCProviders", "MaxItems", "1"); r.text("OIDCProviders.OIDCProvider.0.IssuerUrl") != idp.Issuer {
			t.Errorf("%s", r.body)
		}
		d.imsDo("DeleteOIDCProvider", "OIDCProviderName", "k8s")
		d.userKey("carol").imsFails(403, "NoPermission", "GetOIDCProvider", "OIDCProviderName", "k8s")
	})
}

// A role's trust policy lets in the bearer of a token, and its conditions count.
func TestAssumeRoleWithOIDC(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		idp := testkit.NewIdP(t)
		fetched := 0
		d.World.Fetch = func(url string) ([]byte, error) {
			fetched++
			return idp.Fetch(url)
		}
		d.imsDo("CreateOIDCProvider", "OIDCProviderName", "k8s", "IssuerUrl", idp.Issuer, "ClientIds", "sts.aliyuncs.com")
		const provider, role = "acs:ram::" + account + ":oidc-provider/k8s", "acs:ram::" + account + ":role/web"
		trust := `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"Federated":["` + provider + `"]},"Action":"sts:AssumeRole",
			"Condition":{"StringEquals":{"oidc:aud":"sts.aliyuncs.com","oidc:iss":"` + idp.Issuer + `"},"StringLike":{"oidc:sub":"system:serviceaccount:prod:*"}}}]}`
		d.do("CreateRole", "RoleName", "web", "AssumeRolePolicyDocument", trust)
		d.do("CreatePolicy", "PolicyName", "read", "PolicyDocument", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:Get*","Resource":"*"}]}`)
		d.do("AttachPolicyToRole", "RoleName", "web", "PolicyName", "read", "PolicyType", "Custom")
		ask := func(token string, put ...string) *reply {
			return d.unsigned("AssumeRoleWithOIDC", append([]string{"OIDCProviderArn", provider, "RoleArn", role, "RoleSessionName", "pod-1", "OIDCToken", token}, put...)...)
		}
		good := idp.Token(idp.Claims(d.Clock.Now(), nil))
		r := ask(good + "\n")
		if r.status != 200 || r.text("OIDCTokenInfo.Subject") != "system:serviceaccount:prod:web" || r.text("OIDCTokenInfo.Issuer") != idp.Issuer || r.text("OIDCTokenInfo.ClientIds") != "sts.aliyuncs.com" ||
			r.text("AssumedRoleUser.Arn") != "acs:ram::"+account+":role/web/pod-1" {
			t.Fatalf("%d %s", r.status, r.body)
		}
		in := d.as(key{r.text("Credentials.AccessKeyId"), r.text("Credentials.AccessKeySecret"), r.text("Credentials.SecurityToken")})
		in.do("GetUser", "UserName", "admin")
		in.fails(403, "NoPermission", "DeleteUser", "UserName", "admin")
		d.Clock.Advance(time.Second)
		if r := ask(good); r.status != 200 || fetched != 2 {
			t.Errorf("keys are fetched once: %d times, %s", fetched, r.body)
		}
		for code, token := range map[string]string{
			"NoPermission":                         idp.Token(idp.Claims(d.Clock.Now(), map[string]any{"sub": "system:serviceaccount:dev:web"})),
			"AuthenticationFail.OIDCToken.Invalid": idp.Impostor().Token(idp.Claims(d.Clock.Now(), nil)),
			"AuthenticationFail.OIDCToken.Expired": idp.Token(idp.Claims(d.Clock.Now().Add(-2*time.Hour), nil)),
		} {
			if r := ask(token); r.text("Code") != code {
				t.Errorf("%d %s, want %s", r.status, r.body, code)
			}
		}
		if r := ask(good, "RoleArn", "acs:ram::"+account+":role/none"); r.status != 403 || r.text("Code") != "NoPermission" {
			t.Errorf("a role that does not exist: %s", r.body)
		}
		if r := ask(good, "OIDCProviderArn", "acs:ram::"+account+":oidc-provider/none"); r.status != 404 || r.text("Code") != "EntityNotExist.OIDCProvider" {
			t.Errorf("%s", r.body)
		}
		if r := ask(good, "RoleSessionName", "a b"); r.text("Code") != "InvalidParameter.RoleSessionName.InvalidChars" {
			t.Errorf("%s", r.body)
		}
		if r := ask(good, "DurationSeconds", "7200"); r.text("Code") != "InvalidParameter.DurationSeconds" {
			t.Errorf("longer than the role's: %s", r.body)
		}
		// A session policy narrows.
		r = ask(good, "Policy", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:GetRole","Resource":"*"}]}`)
		d.as(key{r.text("Credentials.AccessKeyId"), r.text("Credentials.AccessKeySecret"), r.text("Credentials.SecurityToken")}).fails(403, "NoPermission", "GetUser", "UserName", "admin")
		// The trail tells whom the provider vouched for.
		ev := d.ofDo(trail, "LookupEvents", "LookupAttribute.1.Key", "EventName", "LookupAttribute.1.Value", "AssumeRoleWithOIDC", "Direction", "FORWARD")
		if ev.text("Events.0.userIdentity.userName") != "system:serviceaccount:prod:web" || ev.text("Events.0.userIdentity.type") != "oidc-user" || ev.text("Events.0.resourceName") != "web" {
			t.Errorf("%s", ev.body)
		}
		// A provider that does not answer any more: its keys serve for a day.
		d.World.Fetch = nil
		d.Clock.Advance(2 * time.Hour)
		if r := ask(idp.Token(idp.Claims(d.Clock.Now(), nil))); r.status != 200 {
			t.Errorf("%s", r.body)
		}
		d.Clock.Advance(24 * time.Hour)
		if r := ask(idp.Token(idp.Claims(d.Clock.Now(), nil))); r.status != 401 {
			t.Errorf("keys of yesterday: %s", r.body)
		}
	})
}

// An assertion names the role, lets its bearer in once, and its trust policy sees
// where it was sent.
func TestAssumeRoleWithSAML(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		idp := testkit.NewIdP(t)
		d.imsDo("CreateSAMLProvider", "SAMLProviderName", "corp", "EncodedSAMLMetadataDocument", base64.StdEncoding.EncodeToString([]byte(idp.Metadata())))
		const provider, role = "acs:ram::" + account + ":saml-provider/corp", "acs:ram::" + account + ":role/staff"
		const recipient, attributes = "https://signin.aliyun.com/saml-role/sso", "https://www.aliyun.com/SAML-Role/Attributes/"
		trust := `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"Federated":["` + provider + `"]},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"saml:recipient":"` + recipient + `"}}}]}`
		d.do("CreateRole", "RoleName", "staff", "AssumeRolePolicyDocument", trust, "MaxSessionDuration", "7200")
		made := func(id string) testkit.Response {
			return testkit.Response{
				ID: id, Now: d.Clock.Now(), Subject: "alice", Recipient: recipient, Audience: "urn:alibaba:cloudcomputing",
				Attributes: map[string]string{attributes + "Role": role + "," + provider, attributes + "RoleSessionName": "alice@corp", attributes + "SessionDuration": "1800"},
			}
		}
		ask := func(assertion string, put ...string) *reply {
			return d.unsigned("AssumeRoleWithSAML", append([]string{"SAMLProviderArn", provider, "RoleArn", role, "SAMLAssertion", assertion}, put...)...)
		}
		first := idp.Response(made("1"))
		r := ask(first)
		if r.status != 200 || r.text("SAMLAssertionInfo.Subject") != "alice" || r.text("SAMLAssertionInfo.SubjectType") != "persistent" || r.text("SAMLAssertionInfo.Recipient") != recipient ||
			r.text("SAMLAssertionInfo.Issuer") != idp.EntityID || r.text("Credentials.Expiration") != "2026-01-15T09:30:00Z" {
			t.Fatalf("%d %s", r.status, r.body)
		}
		in := d.as(key{r.text("Credentials.AccessKeyId"), r.text("Credentials.AccessKeySecret"), r.text("Credentials.SecurityToken")})
		if id := in.of(sts, "GetCallerIdentity"); id.text("Arn") != "acs:sts::"+account+":assumed-role/staff/alice@corp" {
			t.Errorf("%s", id.body)
		}
		if r := ask(first); r.status != 401 || r.text("Code") != "AuthenticationFail.SAMLAssertion.Invalid" {
			t.Errorf("the same assertion again: %s", r.body)
		}
		other := made("2")
		other.Attributes[attributes+"Role"] = "acs:ram::" + account + ":role/other," + provider
		if r := ask(idp.Response(other)); r.text("Code") != "AuthenticationFail.SAMLAssertion.Invalid" {
			t.Errorf("another role: %s", r.body)
		}
		if r := ask(idp.Impostor().Response(made("3"))); r.text("Code") != "AuthenticationFail.SAMLAssertion.Invalid" {
			t.Errorf("another key: %s", r.body)
		}
		abroad := made("4")
		abroad.Recipient = "https://signin.alibabacloud.com/saml-role/sso"
		if r := ask(idp.Response(abroad)); r.status != 403 || r.text("Code") != "NoPermission" || r.text("AccessDeniedDetail.PolicyType") != "AssumeRolePolicy" {
			t.Errorf("another recipient: %s", r.body)
		}
		late := idp.Response(made("5"))
		d.Clock.Advance(5 * time.Minute)
		if r := ask(late); r.status != 401 || r.text("Code") != "AuthenticationFail.SAMLAssertion.Expired" {
			t.Errorf("late: %s", r.body)
		}
		if r := ask(late, "SAMLProviderArn", "acs:ram::"+account+":saml-provider/none"); r.status != 404 || r.text("Code") != "EntityNotExist.SAMLProvider" {
			t.Errorf("%s", r.body)
		}
		if r := ask(late, "RoleArn", "staff"); r.text("Code") != "InvalidParameter.RoleArn" {
			t.Errorf("%s", r.body)
		}
	})
}
