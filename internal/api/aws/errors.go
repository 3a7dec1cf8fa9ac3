package aws

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"warifu/internal/api/aws/codec"
	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
	"warifu/policy/aws"
)

// answer is an error as AWS sends it, in the order of this file's tables.
type answer struct {
	status  int
	code    string
	message string
}

// byKind is the table from fault kinds to AWS's codes. The sentence is the
// fault's own unless sentences has one for its noun.
var byKind = map[fault.Kind]answer{
	fault.Internal:        {500, "ServiceFailure", "The request processing has failed because of an unknown error, exception or failure."},
	fault.Invalid:         {400, "ValidationError", ""},
	fault.Malformed:       {400, "MalformedPolicyDocument", ""},
	fault.WeakPassword:    {400, "PasswordPolicyViolation", ""},
	fault.NotFound:        {404, "NoSuchEntity", ""},
	fault.Exists:          {409, "EntityAlreadyExists", ""},
	fault.Conflict:        {409, "DeleteConflict", ""},
	fault.Unmodifiable:    {403, "AccessDenied", ""},
	fault.Denied:          {403, "AccessDenied", ""},
	fault.Unauthenticated: {403, "InvalidClientTokenId", "The security token included in the request is invalid."},
	fault.Expired:         {403, "ExpiredToken", "The security token included in the request is expired"},
	fault.BadCode:         {403, "InvalidAuthenticationCode", "Authentication code for device is not valid."},
	fault.StepUp:          {403, "AccessDenied", ""}, // never: it binds nobody who signs with a key
	fault.Limit:           {409, "LimitExceeded", ""},
	fault.Throttled:       {400, "Throttling", "Rate exceeded"},
	fault.Unsupported:     {400, "InvalidAction", ""},
}

type about struct {
	kind fault.Kind
	noun string
}

// sentences are AWS's words for a kind of fault about a noun; %s is its name.
// A code or status that is not the kind's own stands beside them.
var sentences = map[about]answer{
	{fault.NotFound, "user"}:                       {message: "The user with name %s cannot be found."},
	{fault.NotFound, "group"}:                      {message: "The group with name %s cannot be found."},
	{fault.NotFound, "role"}:                       {message: "The role with name %s cannot be found."},
	{fault.NotFound, "policy"}:                     {message: "Policy %s was not found."},
	{fault.NotFound, "attachable policy"}:          {message: "Policy %s does not exist or is not attachable."},
	{fault.NotFound, "policy version"}:             {message: "Policy %s does not exist or is not attachable."},
	{fault.NotFound, "boundary"}:                   {message: "Scope ARN: %s does not exist or is not attachable."},
	{fault.NotFound, "user policy"}:                {message: "The user policy with name %s cannot be found."},
	{fault.NotFound, "group policy"}:               {message: "The group policy with name %s cannot be found."},
	{fault.NotFound, "role policy"}:                {message: "The role policy with name %s cannot be found."},
	{fault.NotFound, "access key"}:                 {message: "The Access Key with id %s cannot be found."},
	{fault.NotFound, "login profile"}:              {message: "Login Profile for User %s cannot be found."},
	{fault.NotFound, "mfa device"}:                 {message: "MFA Device with serial number %s does not exist."},
	{fault.NotFound, "password policy"}:            {message: "The Password Policy with domain name %s cannot be found."},
	{fault.NotFound, "account policy"}:             {message: "The account policy with name %s cannot be found."},
	{fault.NotFound, "credential report"}:          {status: 410, code: "ReportNotPresent"},
	{fault.NotFound, "oidc provider"}:              {400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for %s"},
	{fault.NotFound, "saml provider"}:              {400, "InvalidIdentityToken", "The SAML provider %s cannot be found."},
	{fault.Unauthenticated, "oidc token"}:          {400, "InvalidIdentityToken", "The web identity token that was passed is not valid: see the trail for the reason."},
	{fault.Expired, "oidc token"}:                  {400, "ExpiredTokenException", "The web identity token that was passed is expired."},
	{fault.Unauthenticated, "saml assertion"}:      {400, "InvalidIdentityToken", "The SAML assertion that was passed is not valid: see the trail for the reason."},
	{fault.Expired, "saml assertion"}:              {400, "ExpiredTokenException", "The SAML assertion that was passed is expired."},
	{fault.NotFound, "job"}:                        {message: "The job with id %s cannot be found."},
	{fault.NotFound, "account alias"}:              {message: "The account alias %s does not exist."},
	{fault.Exists, "user"}:                         {message: "User with name %s already exists."},
	{fault.Exists, "group"}:                        {message: "Group with name %s already exists."},
	{fault.Exists, "role"}:                         {message: "Role with name %s already exists."},
	{fault.Exists, "policy"}:                       {message: "A policy called %s already exists. Duplicate names are not allowed."},
	{fault.Exists, "login profile"}:                {message: "Login Profile for user %s already exists."},
	{fault.Exists, "mfa device"}:                   {message: "MFA device already exists."},
	{fault.Exists, "bound mfa device"}:             {message: "MFA Device is already in use."},
	{fault.Exists, "account alias"}:                {message: "The account alias %s already exists."},
	{fault.Conflict, "attached policies"}:          {message: "Cannot delete entity, must detach all policies first."},
	{fault.Conflict, "inline policies"}:            {message: "Cannot delete entity, must delete policies first."},
	{fault.Conflict, "group memberships"}:          {message: "Cannot delete entity, must remove users from group first."},
	{fault.Conflict, "referenced objects"}:         {message: "Cannot delete entity, must remove referenced objects first."},
	{fault.Conflict, "policy in use"}:              {message: "Cannot delete a policy attached to entities."},
	{fault.Conflict, "policy versions"}:            {message: "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."},
	{fault.Conflict, "default version"}:            {message: "Cannot delete the default version of a policy."},
	{fault.Conflict, "assigned device"}:            {message: "MFA VirtualDevice in use. Must deactivate first."},
	{fault.Limit, "tags"}:                          {message: "The number of tags has reached the maximum limit."},
	{fault.Limit, "inline policies"}:               {message: "Maximum policy size of %s"},
	{fault.Limit, "versions per policy"}:           {message: "A managed policy can have up to %s versions. Before you create a new version, you must delete an existing version."},
	{fault.Invalid, "boundary"}:                    {code: "InvalidInput", message: "ARN %s is not valid."},
	{fault.Invalid, "policy arn"}:                  {message: "ARN %s is not valid."},
	{fault.Invalid, "duplicate tag key"}:           {code: "InvalidInput", message: "Duplicate tag keys found."},
	{fault.Invalid, "duplicate tag"}:               {code: "InvalidInput", message: "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
	{fault.Invalid, "caller is no user"}:           {message: "Must specify userName when calling with non-User credentials"},
	{fault.Invalid, "arn"}:                         {message: "%s is invalid"},
	{fault.Invalid, "user type"}:                   {code: "InvalidUserType", message: "Only IAM users can change their own password."},
	{fault.Invalid, "authorization message"}:       {code: "InvalidAuthorizationMessageException", message: "The authorization message is not valid."},
	{fault.Conflict, "password"}:                   {code: "EntityTemporarilyUnmodifiable", message: "The password is being changed by another request. Try again."},
	{fault.Limit, "packed policy"}:                 {status: 400, code: "PackedPolicyTooLarge", message: "The session policies and session tags are too large to be packed into the session token."},
	{fault.Denied, "old password"}:                 {message: "The old password was incorrect."},
	{fault.Denied, "half mfa"}:                     {message: "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."},
	{fault.Denied, "mfa serial"}:                   {message: "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."},
	{fault.Denied, "mfa code"}:                     {message: "MultiFactorAuthentication failed with invalid MFA one time pass code. "},
	{fault.Unmodifiable, "vendor policy deletion"}: {message: "Cannot delete policies outside your own account."},
	{fault.Unmodifiable, "vendor policy version"}:  {message: "Cannot delete policy versions for policies outside your own account."},
	{fault.Unmodifiable, "vendor policy"}:          {message: "Cannot update policies outside your own account."},
}

// field is a field of a request that a rule of the operation refused.
type field struct{ service, name string }

// fields are AWS's codes and words for refused fields that differ from a plain
// ValidationError with the rule's own sentence.
var fields = map[field]answer{
	{"iam", "cursor"}:            {message: "Invalid Marker."},
	{"sts", "transitiveTagKeys"}: {code: "InvalidParameterValue"},

	{"iam", "policySourceArn"}:                    {code: "InvalidInput"},
	{"iam", "arn"}:                                {code: "InvalidInput"},
	{"iam", "policyInputList"}:                    {code: "InvalidInput"},
	{"iam", "permissionsBoundaryPolicyInputList"}: {code: "InvalidInput"},
	{"iam", "resourcePolicy"}:                     {code: "InvalidInput"},
	{"iam", "resourceOwner"}:                      {code: "InvalidInput"},
	{"iam", "callerArn"}:                          {code: "InvalidInput"},
	{"iam", "contextEntries"}:                     {code: "InvalidInput"},
	{"iam", "actionNames"}:                        {code: "InvalidInput"},

	{"cloudtrail", "cursor"}:     {code: "InvalidNextTokenException"},
	{"cloudtrail", "maxResults"}: {code: "InvalidMaxResultsException"},
	{"cloudtrail", "maxItems"}:   {code: "InvalidMaxResultsException"},
	{"cloudtrail", "startTime"}:  {code: "InvalidTimeRangeException"},
}

// answerTo puts an error into AWS's words for a service.
func answerTo(err error, service string) answer {
	var shape *codec.Error
	if errors.As(err, &shape) {
		return answer{shape.Status, shape.Code, shape.Message}
	}
	var sig *sigv4.Error
	if errors.As(err, &sig) {
		return answer{sig.Status, sig.Code, sig.Message}
	}
	if d, ok := ops.AsDenial(err); ok {
		return answer{403, "AccessDenied", deniedSentence(d)}
	}
	f := fault.In(err)
	a := byKind[f.Kind]
	if a.message == "" {
		a.message = f.What
	}
	s, ok := sentences[about{f.Kind, f.Noun}]
	if f.Kind == fault.Invalid && f.Noun == "field" {
		s, ok = fields[field{service, f.Name}]
	}
	switch {
	case ok:
		a.reword(s, f.Name)
	case f.Kind == fault.Limit:
		a.message = fmt.Sprintf("Cannot exceed quota for %s: %s", f.Noun, f.Name)
	}
	if service == "sts" && f.Noun == "duplicate tag" {
		a.code = "InvalidParameterValue"
	}
	return a
}

// reword puts what s says in the place of what a says; %s is the name.
func (a *answer) reword(s answer, name string) {
	if s.message != "" {
		a.message = strings.ReplaceAll(s.message, "%s", name)
	}
	a.code = cmp.Or(s.code, a.code)
	a.status = cmp.Or(s.status, a.status)
}

// assumesRole are the actions whose refusal AWS words without a reason, so that
// a role that does not exist looks like one that may not be assumed.
func assumesRole(action string) bool { return strings.HasPrefix(action, "sts:AssumeRole") }

func deniedSentence(d *ops.Denial) string {
	return aws.Denial{
		Caller: d.Caller, Action: d.Action, Resource: d.Resource, Decision: d.Decision, Bare: assumesRole(d.Action),
	}.Message()
}

// document is the answer as the codec writes it.
func (a answer) document() *codec.Error {
	return &codec.Error{Code: a.code, Message: a.message, Status: a.status}
}
