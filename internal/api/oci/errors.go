package oci

import (
	"errors"
	"strings"

	"warifu/internal/fault"
)

// wireError is an error as Oracle sends it.
type wireError struct {
	status  int
	code    string
	message string
}

// Error implements error.
func (e *wireError) Error() string { return e.code + ": " + e.message }

// Sentences that Oracle always sends alike.
const (
	notAuthenticated = "The required information to complete authentication was not provided or was incorrect."
	notFound         = "Authorization failed or requested resource not found."
	badRequest       = "Incorrectly formatted request. Please refer to our documentation for help."
)

// byKind is the table from fault kinds to Oracle's codes. Denied and absent are the
// same, so that nobody learns what there is. The sentence is the fault's own unless
// the table has one.
var byKind = map[fault.Kind]wireError{
	fault.Internal:        {500, "InternalServerError", "An internal server error occurred."},
	fault.Invalid:         {400, "InvalidParameter", ""},
	fault.Malformed:       {400, "InvalidParameter", ""},
	fault.WeakPassword:    {400, "InvalidParameter", ""},
	fault.NotFound:        {404, "NotAuthorizedOrNotFound", notFound},
	fault.Exists:          {409, "ResourceAlreadyExists", ""},
	fault.Conflict:        {409, "Conflict", ""},
	fault.Unmodifiable:    {409, "IncorrectState", ""},
	fault.Denied:          {404, "NotAuthorizedOrNotFound", notFound},
	fault.Unauthenticated: {401, "NotAuthenticated", notAuthenticated},
	fault.Expired:         {401, "NotAuthenticated", notAuthenticated},
	fault.BadCode:         {400, "InvalidParameter", "The code is not valid."},
	fault.StepUp:          {404, "NotAuthorizedOrNotFound", notFound}, // never: it binds nobody who signs
	fault.Limit:           {400, "LimitExceeded", "The limit for this tenancy has been exceeded."},
	fault.Throttled:       {429, "TooManyRequests", "User-rate limit exceeded."},
	fault.Unsupported:     {501, "MethodNotImplemented", ""},
}

type about struct {
	kind fault.Kind
	noun string
}

// byNoun are codes and sentences for a kind of fault about a noun; %s is its name.
var byNoun = map[about]wireError{
	{fault.Exists, "user"}:                {409, "UserAlreadyExists", "User '%s' already exists"},
	{fault.Exists, "group"}:               {409, "GroupAlreadyExists", "Group '%s' already exists"},
	{fault.Exists, "membership"}:          {409, "MembershipAlreadyExists", "User '%s' is a member of the group already"},
	{fault.Exists, "policy"}:              {409, "PolicyAlreadyExists", "Policy '%s' already exists"},
	{fault.Exists, "compartment"}:         {409, "CompartmentAlreadyExists", "Compartment '%s' already exists"},
	{fault.Exists, "dynamic group"}:       {409, "DynamicGroupAlreadyExists", "Dynamic group '%s' already exists"},
	{fault.Exists, "network source"}:      {409, "NetworkSourceAlreadyExists", "Network source '%s' already exists"},
	{fault.Exists, "tag namespace"}:       {409, "TagNamespaceAlreadyExists", "Tag namespace '%s' already exists"},
	{fault.Exists, "tag"}:                 {409, "TagAlreadyExists", "Tag '%s' already exists"},
	{fault.Exists, "tag default"}:         {409, "TagDefaultAlreadyExists", "The compartment has a default of the tag '%s' already"},
	{fault.Exists, "identity provider"}:   {409, "IdentityProviderAlreadyExists", "Identity provider '%s' already exists"},
	{fault.Exists, "region subscription"}: {409, "Conflict", "The tenancy is subscribed to the region %s already"},
	{fault.Exists, "api key"}:             {409, "ApiKeyAlreadyExists", "API key '%s' already exists"},
	{fault.Limit, "ApiKeys"}:              {409, "ApiKeyLimitExceeded", "The user has %s API keys, which is the limit"},
	{fault.Conflict, "etag"}:              {412, "NoEtagMatch", "The resource is not the one of etag %s any more."},
	{fault.Conflict, "retry token"}:       {409, "InvalidatedRetryToken", "The retry token was used in another request."},
	{fault.Conflict, "state"}:             {409, "IncorrectState", "The resource is not in a state that allows the request: %s"},
	{fault.Conflict, "full compartment"}:  {409, "IncorrectState", "Compartment '%s' is not empty"},
	{fault.Conflict, "active mfa device"}: {409, "Conflict", "User '%s' has an activated MFA TOTP device"},
	{fault.Conflict, "group memberships"}: {409, "Conflict", "It still has group memberships"},
	{fault.Conflict, "attached policies"}: {409, "Conflict", "It still has policies"},
	{fault.Conflict, "inline policies"}:   {409, "Conflict", "It still has policies"},
}

// answerTo words an error.
func answerTo(err error) wireError {
	var own *wireError
	if errors.As(err, &own) {
		return *own
	}
	f := fault.In(err)
	if a, ok := byNoun[about{f.Kind, f.Noun}]; ok {
		a.message = strings.ReplaceAll(a.message, "%s", f.Name)
		return a
	}
	a := byKind[f.Kind]
	if a.message == "" {
		a.message = f.What
	}
	if a.message == "" {
		a.message = strings.TrimSpace(f.Kind.String() + ": " + f.Noun + " " + f.Name)
	}
	return a
}

func missingParameter(name string) error {
	return &wireError{400, "MissingParameter", name + " is required"}
}

func invalidParameter(message string) error { return &wireError{400, "InvalidParameter", message} }
