package alibaba

import (
	"strings"
	"time"

	"warifu/internal/name"
	"warifu/internal/ops"
)

// stsFederation are the operations that nobody signs.
func stsFederation() []action {
	all := []action{
		bind(serviceSTS, "AssumeRoleWithOIDC", ops.AssumeRoleWithOIDC, (*oidcAssumeInput).in, func(_ *scene, s *ops.OIDCSession) oidcAssumeOutput {
			return oidcAssumeOutput{newCredentials(s.NewSession), newAssumed(s.NewSession), s.SourceIdentity, oidcTokenInfo{
				s.Token.Subject, s.Token.Issuer, strings.Join(s.Token.Audience, ","), when(s.Token.Expires), when(s.Token.Issued), "Success",
			}}
		}),
		bind(serviceSTS, "AssumeRoleWithSAML", ops.AssumeRoleWithSAML, (*samlAssumeInput).in, func(_ *scene, s *ops.SAMLSession) samlAssumeOutput {
			return samlAssumeOutput{newCredentials(s.NewSession), newAssumed(s.NewSession), s.SourceIdentity, samlAssertionInfo{
				s.Assertion.SubjectType, s.Assertion.Subject, s.Assertion.Recipient, s.Assertion.Issuer,
			}}
		}),
	}
	for i := range all {
		all[i].anonymous = true
	}
	return all
}

type federatedInput struct {
	RoleArn         string `req:"true" len:"1,256"`
	DurationSeconds int    `range:"900,43200"`
	Policy          string `len:"1,20000"`
}

func (s *federatedInput) federated(provider string) (ops.FederatedIn, error) {
	if _, _, ok := name.SplitRAM(s.RoleArn, "role"); !ok {
		return ops.FederatedIn{}, &failure{400, "InvalidParameter.RoleArn", `The parameter - "RoleArn" must be like acs:ram::<account>:role/<name>.`}
	}
	return ops.FederatedIn{
		ProviderARN: provider, RoleARN: s.RoleArn, Duration: time.Duration(s.DurationSeconds) * time.Second, SessionPolicy: ops.SessionPolicy{Policy: s.Policy},
	}, nil
}

type oidcAssumeInput struct {
	federatedInput
	OIDCProviderArn string `req:"true" len:"1,256"`
	OIDCToken       string `req:"true" len:"4,20001"` // a line end may follow
	RoleSessionName string `req:"true" len:"2,64" chars:"A-Za-z0-9.@_-"`
}

func (s *oidcAssumeInput) in(*scene) (in ops.AssumeWithOIDCIn, err error) {
	provider, err := providerARN("OIDCProviderArn", "oidc", s.OIDCProviderArn)
	if err != nil {
		return in, err
	}
	in.FederatedIn, err = s.federated(provider)
	in.SessionName, in.Token = s.RoleSessionName, s.OIDCToken
	return in, err
}

type oidcTokenInfo struct {
	Subject          string
	Issuer           string
	ClientIds        string
	ExpirationTime   string
	IssuanceTime     string
	VerificationInfo string
}

type oidcAssumeOutput struct {
	Credentials     credentials
	AssumedRoleUser assumed
	SourceIdentity  string
	OIDCTokenInfo   oidcTokenInfo
}

// What assertions for role SSO say (RAM documentation, "SAML assertions for
// role-based SSO"), on the site of China and on the international one.
const samlAttribute = "https://www.aliyun.com/SAML-Role/Attributes/"

var (
	samlRecipients = []string{"https://signin.aliyun.com/saml-role/sso", "https://signin.alibabacloud.com/saml-role/sso"}
	samlAudiences  = []string{"urn:alibaba:cloudcomputing", "urn:alibaba:cloudcomputing:international"}
)

type samlAssumeInput struct {
	federatedInput
	SAMLProviderArn string `req:"true" len:"1,256"`
	SAMLAssertion   string `req:"true" len:"4,100000"`
}

func (s *samlAssumeInput) in(*scene) (in ops.AssumeWithSAMLIn, err error) {
	provider, err := providerARN("SAMLProviderArn", "saml", s.SAMLProviderArn)
	if err != nil {
		return in, err
	}
	in.FederatedIn, err = s.federated(provider)
	in.Assertion, in.Recipients, in.Audiences = s.SAMLAssertion, samlRecipients, samlAudiences
	in.RoleAttribute, in.NameAttribute, in.DurationAttribute = samlAttribute+"Role", samlAttribute+"RoleSessionName", samlAttribute+"SessionDuration"
	return in, err
}

type samlAssertionInfo struct {
	SubjectType string
	Subject     string
	Recipient   string
	Issuer      string
}

type samlAssumeOutput struct {
	Credentials       credentials
	AssumedRoleUser   assumed
	SourceIdentity    string
	SAMLAssertionInfo samlAssertionInfo
}
