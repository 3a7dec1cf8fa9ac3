package aws

import (
	"time"

	"warifu/internal/name"
	"warifu/internal/ops"
)

func stsActions() []action {
	return []action{
		stsAction("GetCallerIdentity", ops.GetCallerIdentity, nothing, func(id ops.Identity) identityOutput {
			return identityOutput{id.ARN, id.ID, id.Account.String()}
		}),
		stsAction("GetSessionToken", ops.GetSessionToken, func(s *sessionTokenInput) ops.GetSessionTokenIn {
			return ops.GetSessionTokenIn{Duration: secondsIn(s.DurationSeconds), Serial: s.SerialNumber, Code: s.TokenCode}
		}, func(s *ops.NewSession) sessionTokenOutput { return sessionTokenOutput{newCredentials(s)} }),
		stsAction("AssumeRole", ops.AssumeRole, (*assumeRoleInput).in, assumedRole),
		stsAction("GetFederationToken", ops.GetFederationToken, (*federationInput).in, func(s *ops.NewSession) federationOutput {
			return federationOutput{newCredentials(s), federatedUser{s.ID, s.ARN}, s.Packed}
		}),
		stsAction("GetAccessKeyInfo", ops.GetAccessKeyInfo, func(s *keyInfoInput) ops.GetAccessKeyInfoIn {
			return ops.GetAccessKeyInfoIn{Key: s.AccessKeyId}
		}, func(a name.Account) keyInfoOutput { return keyInfoOutput{a.String()} }),
		stsAction("DecodeAuthorizationMessage", ops.DecodeAuthorizationMessage, func(s *decodeInput) ops.DecodeAuthorizationMessageIn {
			return ops.DecodeAuthorizationMessageIn{Encoded: s.EncodedMessage}
		}, func(text string) decodeOutput { return decodeOutput{text} }),
	}
}

type identityOutput struct {
	Arn     string
	UserId  string
	Account string
}

// credentials are temporary credentials in an answer.
type credentials struct {
	AccessKeyId     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

func newCredentials(s *ops.NewSession) credentials {
	return credentials{s.AccessKeyID, string(s.Secret.Reveal()), s.Token, s.Expires}
}

// codeInput is the part of a request that proves a second factor.
type codeInput struct {
	SerialNumber string `len:"9,256" pattern:"[\\w+=/:,.@-]*"`
	TokenCode    string `aws:",secret" len:"6,6" pattern:"[\\d]*"`
}

type sessionTokenInput struct {
	DurationSeconds *int32 `range:"900,129600"`
	codeInput
}

type sessionTokenOutput struct{ Credentials credentials }

type policyARN struct {
	ARN string `aws:"arn" len:"20,2048" re:"[\\t\\n\\r -~\\x{85}\\x{A0}-\\x{D7FF}\\x{E000}-\\x{FFFD}\\x{10000}-\\x{10FFFF}]+" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+"`
}

func sessionPolicy(document string, arns []policyARN) ops.SessionPolicy {
	p := ops.SessionPolicy{Policy: document}
	for _, a := range arns {
		p.PolicyARNs = append(p.PolicyARNs, a.ARN)
	}
	return p
}

type assumeRoleInput struct {
	RoleArn           string `aws:",required" len:"20,2048" re:"[\\t\\n\\r -~\\x{85}\\x{A0}-\\x{D7FF}\\x{E000}-\\x{FFFD}\\x{10000}-\\x{10FFFF}]+" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\u10000-\\u10FFFF]+"`
	RoleSessionName   string `aws:",required" len:"2,64" pattern:"[\\w+=,.@-]*"`
	PolicyArns        []policyARN
	Policy            string   `len:"1," pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	DurationSeconds   *int32   `range:"900,43200"`
	Tags              []tag    `len:",50"`
	TransitiveTagKeys []string `len:",50" eachlen:"1,128" eachpattern:"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"`
	ExternalId        string   `len:"2,1224" pattern:"[\\w+=,.@:\\/-]*"`
	codeInput
	SourceIdentity string `len:"2,64" pattern:"[\\w+=,.@-]*"`
}

func (s *assumeRoleInput) in() ops.AssumeRoleIn {
	return ops.AssumeRoleIn{
		RoleARN: s.RoleArn, SessionName: s.RoleSessionName, Duration: secondsIn(s.DurationSeconds),
		Serial: s.SerialNumber, Code: s.TokenCode, ExternalID: s.ExternalId, SourceIdentity: s.SourceIdentity,
		SessionPolicy: sessionPolicy(s.Policy, s.PolicyArns), Tags: tagsIn(s.Tags), TransitiveKeys: s.TransitiveTagKeys,
	}
}

// assumedRoleOutput has its members in AWS's order.
type assumedRoleOutput struct {
	Credentials      credentials
	SourceIdentity   string
	AssumedRoleUser  assumedRoleUser
	PackedPolicySize *int
}

type assumedRoleUser struct {
	AssumedRoleId string
	Arn           string
}

// assumedRole tells the packed size only when there is one, as AWS does.
func assumedRole(s *ops.NewSession) assumedRoleOutput {
	return assumedRoleOutput{newCredentials(s), s.SourceIdentity, assumedRoleUser{s.ID, s.ARN}, some(s.Packed)}
}

type federationInput struct {
	Name            string `aws:",required" len:"2,32" pattern:"[\\w+=,.@-]*"`
	Policy          string `len:"1,2048" pattern:"[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+"`
	PolicyArns      []policyARN
	DurationSeconds *int32 `range:"900,129600"`
	Tags            []tag  `len:",50"`
}

func (s *federationInput) in() ops.GetFederationTokenIn {
	return ops.GetFederationTokenIn{
		Name: s.Name, Duration: secondsIn(s.DurationSeconds), SessionPolicy: sessionPolicy(s.Policy, s.PolicyArns), Tags: tagsIn(s.Tags),
	}
}

type federationOutput struct {
	Credentials      credentials
	FederatedUser    federatedUser
	PackedPolicySize int
}

type federatedUser struct {
	FederatedUserId string
	Arn             string
}

type keyInfoInput struct {
	AccessKeyId string `aws:",required" len:"16,128" pattern:"[\\w]*"`
}

type keyInfoOutput struct{ Account string }

type decodeInput struct {
	EncodedMessage string `aws:",required" len:"1,10240"`
}

type decodeOutput struct{ DecodedMessage string }
