package alibaba

import (
	"cmp"
	"strings"

	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/policy"
)

func stsActions() []action {
	return []action{
		plain(serviceSTS, "GetCallerIdentity", ops.GetCallerIdentity, noInput, identityAnswer),
		plain(serviceSTS, "AssumeRole", ops.AssumeRole, (*assumeRoleInput).in, func(s *ops.NewSession) assumedOutput {
			return assumedOutput{newCredentials(s), newAssumed(s), s.SourceIdentity}
		}),
	}
}

type identityOutput struct {
	IdentityType string
	AccountId    string
	PrincipalId  string
	UserId       string
	RoleId       string
	Arn          string
}

func identityAnswer(id ops.Identity) identityOutput {
	out := identityOutput{IdentityType: "RAMUser", AccountId: id.Account.UID(), Arn: cmp.Or(name.ACSOf(id.ARN), id.ARN)}
	switch id.Kind {
	case policy.Root:
		out.IdentityType, out.UserId, out.PrincipalId = "Account", id.Account.UID(), id.Account.UID()
	case policy.RoleSession:
		out.IdentityType, out.RoleId, out.PrincipalId = "AssumedRoleUser", id.Role.String(), id.Role.String()+":"+id.Session
	default:
		out.UserId, out.PrincipalId = id.User.String(), id.User.String()
	}
	return out
}

type credentials struct {
	AccessKeyId     string
	AccessKeySecret string
	SecurityToken   string
	Expiration      string
}

func newCredentials(s *ops.NewSession) credentials {
	return credentials{s.AccessKeyID, string(s.Secret.Reveal()), s.Token, when(s.Expires)}
}

type assumed struct {
	Arn           string
	AssumedRoleId string
}

// newAssumed names a role session as AssumeRole does, which is not how
// GetCallerIdentity does.
func newAssumed(s *ops.NewSession) assumed {
	unique, session, _ := strings.Cut(s.ID, ":")
	id := unique
	if n, ok := name.ParseUnique(name.PrefixRole, unique); ok {
		id = n.String()
	}
	arn := strings.Replace(name.ACSOf(s.ARN), "acs:sts::", "acs:ram::", 1)
	return assumed{strings.Replace(arn, ":assumed-role/", ":role/", 1), id + ":" + session}
}

type assumedOutput struct {
	Credentials     credentials
	AssumedRoleUser assumed
	SourceIdentity  string
}

type assumeRoleInput struct {
	RoleArn         string `req:"true" len:"1,256"`
	RoleSessionName string `req:"true" len:"2,64" chars:"A-Za-z0-9.@_-"`
	DurationSeconds int    `range:"900,43200"`
	Policy          string `len:"1,20000"`
	ExternalId      string
	SourceIdentity  string
	SerialNumber    string
	TokenCode       string
}

func (s *assumeRoleInput) in() ops.AssumeRoleIn {
	return ops.AssumeRoleIn{
		RoleARN: s.RoleArn, SessionName: s.RoleSessionName, Duration: seconds(s.DurationSeconds), Serial: serial(s.SerialNumber), Code: s.TokenCode,
		ExternalID: s.ExternalId, SourceIdentity: s.SourceIdentity, SessionPolicy: ops.SessionPolicy{Policy: s.Policy},
	}
}
