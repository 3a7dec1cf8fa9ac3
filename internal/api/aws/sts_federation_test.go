package aws_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"warifu/internal/ops"
	"warifu/internal/testkit"
)

// codeOf is the code of a refusal; "" of anything else.
func codeOf(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return ""
	}
	return api.ErrorCode()
}

// Roles are assumed by the word of providers, unsigned, as AWS's clients ask: the
// provider of a token is its issuer, and the trust policy's conditions count.
func TestAssumeRoleByTheWordOfProviders(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		ctx := t.Context()
		idp := testkit.NewIdP(t)
		d.World.Fetch = idp.Fetch
		metadata := idp.Metadata()
		admin := d.Admin(t)
		testkit.Do(t, d.World, admin, ops.CreateOIDCProvider, ops.ProviderIn{Name: "k8s", Issuer: idp.Issuer, ClientIDs: []string{"sts.aliyuncs.com"}})
		testkit.Do(t, d.World, admin, ops.CreateSAMLProvider, ops.ProviderIn{Name: "corp", Metadata: &metadata})
		issuer := idp.Issuer[len("https://"):]
		oidc, saml := "arn:aws:iam::123456789012:oidc-provider/"+issuer, "arn:aws:iam::123456789012:saml-provider/corp"
		role := func(called, trust string) *string {
			t.Helper()
			r, err := d.iam(d.admin()).CreateRole(ctx, &iam.CreateRoleInput{RoleName: &called, AssumeRolePolicyDocument: &trust})
			if err != nil {
				t.Fatal(err)
			}
			return r.Role.Arn
		}
		web := role("web", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"`+oidc+`"},"Action":"sts:AssumeRoleWithWebIdentity",
			"Condition":{"StringEquals":{"`+issuer+`:aud":"sts.aliyuncs.com"},"StringLike":{"`+issuer+`:sub":"system:serviceaccount:prod:*"}}}]}`)
		staff := role("staff", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"`+saml+`"},"Action":"sts:AssumeRoleWithSAML",
			"Condition":{"StringEquals":{"SAML:aud":"https://signin.aws.amazon.com/saml"}}}]}`)

		c, called := d.sts(d.admin()), "pod-1"
		ask := func(role *string, token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
			return c.AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{RoleArn: role, RoleSessionName: &called, WebIdentityToken: &token})
		}
		now := d.Clock.Now()
		s, err := ask(web, idp.Token(idp.Claims(now, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if *s.Provider != oidc || *s.Audience != "sts.aliyuncs.com" || *s.SubjectFromWebIdentityToken != "system:serviceaccount:prod:web" || *s.AssumedRoleUser.Arn != "arn:aws:sts::123456789012:assumed-role/web/pod-1" {
			t.Errorf("%+v", s)
		}
		who, err := d.sts(key{*s.Credentials.AccessKeyId, *s.Credentials.SecretAccessKey, *s.Credentials.SessionToken}).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil || *who.Arn != *s.AssumedRoleUser.Arn {
			t.Errorf("%v %+v", err, who)
		}
		for what, c := range map[string]struct {
			role  *string
			token string
			code  string
		}{
			"another's signature": {web, idp.Impostor().Token(idp.Claims(now, nil)), "InvalidIdentityToken"},
			"another issuer":      {web, idp.Token(idp.Claims(now, map[string]any{"iss": "https://other.example.com"})), "InvalidIdentityToken"},
			"another subject":     {web, idp.Token(idp.Claims(now, map[string]any{"sub": "system:serviceaccount:dev:web"})), "AccessDenied"},
			"another role":        {staff, idp.Token(idp.Claims(now, nil)), "AccessDenied"},
			"an old token":        {web, idp.Token(idp.Claims(now.Add(-2*time.Hour), nil)), "ExpiredTokenException"},
			"no token":            {web, "text", "InvalidIdentityToken"},
		} {
			if _, err := ask(c.role, c.token); codeOf(err) != c.code {
				t.Errorf("%s: %v", what, err)
			}
		}

		const attributes = "https://aws.amazon.com/SAML/Attributes/"
		assertion := idp.Response(testkit.Response{
			ID: "1", Now: now, Subject: "alice", Recipient: "https://signin.aws.amazon.com/saml", Audience: "urn:amazon:webservices",
			Attributes: map[string]string{attributes + "Role": *staff + "," + saml, attributes + "RoleSessionName": "alice"},
		})
		in := &sts.AssumeRoleWithSAMLInput{RoleArn: staff, PrincipalArn: &saml, SAMLAssertion: &assertion}
		signed, err := c.AssumeRoleWithSAML(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if *signed.Subject != "alice" || *signed.Audience != "https://signin.aws.amazon.com/saml" || *signed.AssumedRoleUser.Arn != "arn:aws:sts::123456789012:assumed-role/staff/alice" {
			t.Errorf("%+v", signed)
		}
		if _, err := c.AssumeRoleWithSAML(ctx, in); codeOf(err) != "InvalidIdentityToken" {
			t.Errorf("the same assertion again: %v", err)
		}
	})
}
