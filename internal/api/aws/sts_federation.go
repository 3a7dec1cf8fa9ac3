package aws

import (
	"net/http"
	"strings"

	"warifu/internal/ops"
)

// stsFederation are the operations that nobody signs: an identity provider vouches for
// whoever asks.
func stsFederation() []action {
	all := []action{
		stsAction("AssumeRoleWithWebIdentity", ops.AssumeRoleWithOIDC, (*webIdentityInput).in, func(s *ops.OIDCSession) webIdentityOutput {
			return webIdentityOutput{
				newCredentials(s.NewSession), s.Token.Subject, assumedRoleUser{s.ID, s.ARN}, some(s.Packed), s.Provider, strings.Join(s.Token.Audience, ","), s.SourceIdentity,
			}
		}),
		stsAction("AssumeRoleWithSAML", ops.AssumeRoleWithSAML, (*samlInput).in, func(s *ops.SAMLSession) samlOutput {
			a := &s.Assertion
			return samlOutput{newCredentials(s.NewSession), assumedRoleUser{s.ID, s.ARN}, some(s.Packed), a.Subject, a.SubjectType, a.Issuer, a.Recipient, s.SourceIdentity}
		}),
	}
	for i := range all {
		all[i].anonymous = true
	}
	return all
}

// unsigned tells whether a request has no signature at all. One that is wrong is
// refused, also where none is asked for.
func unsigned(r *http.Request) bool {
	q := r.URL.Query()
	return r.Header.Get("Authorization") == "" && !q.Has("X-Amz-Algorithm") && !q.Has("X-Amz-Signature")
}

type vouchedInput struct {
	RoleArn         string `aws:",required" len:"20,2048" re:"[\\t\\n\\r -~\\x{85}\\x{A0}-\\x{D7FF}\\x{E000}-\\x{FFFD}\\x{10000}-\\x{10FFFF}]+" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+"`
	PolicyArns      []policyARN
	Policy          string `len:"1,2048" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	DurationSeconds *int32 `range:"900,43200"`
}

func (s *vouchedInput) federated(provider string) ops.FederatedIn {
	return ops.FederatedIn{ProviderARN: provider, RoleARN: s.RoleArn, Duration: secondsIn(s.DurationSeconds), SessionPolicy: sessionPolicy(s.Policy, s.PolicyArns)}
}

type webIdentityInput struct {
	vouchedInput
	RoleSessionName  string `aws:",required" len:"2,64" pattern:"[\\w+=,.@-]*"`
	WebIdentityToken string `aws:",required,secret" len:"4,20000"`
}

// in leaves the provider to the token: AWS's request does not name it.
func (s *webIdentityInput) in() ops.AssumeWithOIDCIn {
	in := ops.AssumeWithOIDCIn{FederatedIn: s.federated(""), Token: s.WebIdentityToken}
	in.SessionName = s.RoleSessionName
	return in
}

type webIdentityOutput struct {
	Credentials                 credentials
	SubjectFromWebIdentityToken string
	AssumedRoleUser             assumedRoleUser
	PackedPolicySize            *int
	Provider                    string
	Audience                    string
	SourceIdentity              string
}

// What assertions say (AWS: "Configure SAML assertions for the authentication
// response").
const samlAttribute = "https://aws.amazon.com/SAML/Attributes/"

var (
	samlRecipients = []string{"https://signin.aws.amazon.com/saml"}
	samlAudiences  = []string{"urn:amazon:webservices", "https://signin.aws.amazon.com/saml"}
)

type samlInput struct {
	vouchedInput
	PrincipalArn  string `aws:",required" len:"20,2048" re:"[\\t\\n\\r -~\\x{85}\\x{A0}-\\x{D7FF}\\x{E000}-\\x{FFFD}\\x{10000}-\\x{10FFFF}]+" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+"`
	SAMLAssertion string `aws:",required,secret" len:"4,100000"`
}

func (s *samlInput) in() ops.AssumeWithSAMLIn {
	return ops.AssumeWithSAMLIn{
		FederatedIn: s.federated(s.PrincipalArn), Assertion: s.SAMLAssertion, Recipients: samlRecipients, Audiences: samlAudiences,
		RoleAttribute: samlAttribute + "Role", NameAttribute: samlAttribute + "RoleSessionName", DurationAttribute: samlAttribute + "SessionDuration",
	}
}

type samlOutput struct {
	Credentials      credentials
	AssumedRoleUser  assumedRoleUser
	PackedPolicySize *int
	Subject          string
	SubjectType      string
	Issuer           string
	Audience         string
	SourceIdentity   string
}
