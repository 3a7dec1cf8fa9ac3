package alibaba

import (
	"cmp"
	"errors"
	"strings"

	"warifu/internal/api/alibaba/codec"
	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/reqsig/acs"
	"warifu/policy"
)

// failure is an error as Alibaba Cloud sends it. It is an error itself for what
// goes wrong before there is a fault.
type failure struct {
	status  int
	code    string
	message string
}

// Error implements error.
func (f *failure) Error() string { return f.code + ": " + f.message }

const unauthorized = "You are not authorized to do this action. You should be authorized by RAM."

// byKind is the table from fault kinds to codes. A code that ends in a dot is
// completed by what the fault is about.
var byKind = map[fault.Kind]failure{
	fault.Internal:        {500, "InternalError", "The request processing has failed due to some unknown error."},
	fault.Invalid:         {400, "InvalidParameter.", ""},
	fault.Malformed:       {400, "MalformedPolicyDocument", ""},
	fault.WeakPassword:    {400, "InvalidParameter.Password.TooWeak", ""},
	fault.NotFound:        {404, "EntityNotExist.", ""},
	fault.Exists:          {409, "EntityAlreadyExists.", ""},
	fault.Conflict:        {409, "DeleteConflict.", ""},
	fault.Unmodifiable:    {403, "NoPermission", ""},
	fault.Denied:          {403, "NoPermission", unauthorized},
	fault.Unauthenticated: {404, "InvalidAccessKeyId.NotFound", "Specified access key is not found."},
	fault.Expired:         {400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."},
	fault.BadCode:         {403, "CheckAuthenticationCodeFail", `The parameter - "AuthenticationCode" is inccorrect.`},
	fault.StepUp:          {403, "NoPermission", unauthorized}, // never: it binds nobody who signs with a key
	fault.Limit:           {409, "LimitExceeded.", ""},
	fault.Throttled:       {429, "Throttling.User", "Request was denied due to user flow control."},
	fault.Unsupported:     {404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."},
}

// entities are what Alibaba Cloud calls the nouns of faults.
var entities = map[string]string{
	"user": "User", "group": "Group", "role": "Role", "policy": "Policy", "attachable policy": "Policy",
	"policy version": "Policy.Version", "access key": "User.AccessKey", "login profile": "User.LoginProfile",
	"account alias": "AccountAlias", "root user": "User", "membership": "User.Group",
	"mfa device": "VirtualMFADevice", "bound mfa device": "VirtualMFADevice.User", "assigned device": "VirtualMFADevice.User",
	"policy versions": "Policy.Version", "default version": "Policy.Version.Default", "policy in use": "Policy.User",
	"group memberships": "User.Group", "attached policies": "Role.Policy", "inline policies": "Role.Policy", "referenced objects": "User",
	"UsersPerAccount": "User", "GroupsPerAccount": "Group", "RolesPerAccount": "Role", "PoliciesPerAccount": "Policy",
	"AccessKeysPerUser": "User.AccessKey", "GroupsPerUser": "User.Group", "MFADevicesPerUser": "User.MFADevice",
	"credential report": "CredentialReport", "resource group": "ResourceGroup", "ResourceGroups": "ResourceGroup", "saml provider": "SAMLProvider", "oidc provider": "OIDCProvider",
	"saml providers": "SAMLProvider", "oidc providers": "OIDCProvider", "clients of provider": "OIDCProvider.ClientId", "client id": "OIDCProvider.ClientId",
	"fingerprints of provider": "OIDCProvider.Fingerprint", "fingerprint": "OIDCProvider.Fingerprint", "PoliciesPerUser": "User.Policy", "PoliciesPerGroup": "Group.Policy", "PoliciesPerRole": "Role.Policy",
	"versions per policy": "Policy.Version", "tags": "Tag",
}

// parameters are what Alibaba Cloud calls the fields that faults are about, where
// it is not the same word with a capital.
var parameters = map[string]string{
	"userName": "UserName", "newUserName": "NewUserName", "virtualMFADeviceName": "VirtualMFADeviceName",
	"arn": "RoleArn", "roleSessionName": "RoleSessionName", "durationSeconds": "DurationSeconds", "externalId": "ExternalId",
	"maxItems": "MaxItems", "policy arn": "PolicyName", "caller is no user": "UserName", "cursor": "Marker",
	"serialNumber": "SerialNumber", "tokenCode": "TokenCode", "user type": "UserName", "status": "Status",
	"maxSessionDuration": "MaxSessionDuration", "accountAlias": "AccountAlias", "minimumPasswordLength": "MinimumPasswordLength",
}

// special are faults whose code is not made of its kind's and its noun's.
var special = map[about]failure{
	{fault.Limit, "PolicySize"}:               {400, "InvalidParameter.PolicyDocument.Length", "The policy document is too long."},
	{fault.Limit, "packed policy"}:            {400, "InvalidParameter.PolicySize", "The session policy is too long."},
	{fault.Invalid, "diagnostic message"}:     {400, "NotSupport", "The encoded diagnostic message cannot be decoded."},
	{fault.Invalid, "minimumPasswordLength"}:  {400, "InvalidParameter.MinimumPasswordLength.Range", ""},
	{fault.Unauthenticated, "weak session"}:   {403, "NoPermission", ""},
	{fault.Unauthenticated, "oidc token"}:     {401, "AuthenticationFail.OIDCToken.Invalid", ""},
	{fault.Expired, "oidc token"}:             {401, "AuthenticationFail.OIDCToken.Expired", ""},
	{fault.Unauthenticated, "saml assertion"}: {401, "AuthenticationFail.SAMLAssertion.Invalid", ""},
	{fault.Expired, "saml assertion"}:         {401, "AuthenticationFail.SAMLAssertion.Expired", ""},
	{fault.Invalid, "saml metadata"}:          {400, "InvalidParameter.EncodedSAMLMetadataDocument", ""},
	{fault.Exists, "nonce"}:                   {400, "SignatureNonceUsed", "Specified signature nonce was used already."},
}

type about struct {
	kind fault.Kind
	noun string
}

func aboutOf(f *fault.Error) about {
	if f.Noun == "field" {
		return about{f.Kind, f.Name}
	}
	return about{f.Kind, f.Noun}
}

// sentences are what a kind of fault says of a noun and its name, where the fault
// says nothing itself.
var sentences = map[fault.Kind]string{
	fault.NotFound: "The %e does not exist: %s.",
	fault.Exists:   "The %e already exists: %s.",
	fault.Conflict: "The entity cannot be deleted while it has %e: %s.",
	fault.Limit:    "The number of %e is beyond the current limits: %s.",
	fault.Invalid:  "The parameter - %e is not valid: %s.",
}

// failed words an error.
func (d *Door) failed(err error) failure {
	var wire *failure
	var signed *acs.Error
	var param *codec.Error
	var f *fault.Error
	switch {
	case errors.As(err, &wire):
		return *wire
	case errors.As(err, &signed):
		return failure{signed.Status, signed.Code, signed.Message}
	case errors.As(err, &param):
		return failure{400, param.Code, param.Message}
	case !errors.As(err, &f):
		return byKind[fault.Internal]
	}
	if s, ok := special[aboutOf(f)]; ok {
		s.message = cmp.Or(s.message, f.What)
		return s
	}
	out := byKind[f.Kind]
	noun := f.Noun
	if noun == "field" {
		noun = f.Name
	}
	noun = cmp.Or(entities[noun], parameters[noun], capital(noun))
	if strings.HasSuffix(out.code, ".") {
		out.code = strings.TrimSuffix(out.code+noun, ".")
	}
	if out.message == "" {
		out.message = cmp.Or(f.What, strings.NewReplacer("%e", noun, "%s", f.Name).Replace(sentences[f.Kind]), out.code)
	}
	return out
}

// capital is a field's name as parameters are spelled.
func capital(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + strings.ReplaceAll(s[1:], " ", "")
}

// detail says why policy said no; nil if it was not policy.
func (d *Door) detail(err error) *codec.AccessDeniedDetail {
	no, ok := ops.AsDenial(err)
	if !ok {
		return nil
	}
	why := no.Diagnose()
	kind := "ImplicitDeny"
	if no.Decision.Outcome == policy.ExplicitDeny {
		kind = "ExplicitDeny"
	}
	return &codec.AccessDeniedDetail{
		AuthAction: why.AuthAction, AuthPrincipalType: why.AuthPrincipal.AuthPrincipalType,
		AuthPrincipalOwnerId: why.AuthPrincipal.AuthPrincipalOwnerId, AuthPrincipalDisplayName: why.AuthPrincipal.AuthPrincipalDisplayName,
		NoPermissionType: kind, PolicyType: why.NoPermissionPolicyType, EncodedDiagnosticMessage: d.Ops.EncodeDiagnosis(no, why),
	}
}
