package signin

import (
	"net/http"

	"warifu/internal/fault"
	"warifu/internal/ops"
)

// answer is a refusal in both spellings.
type answer struct {
	status int
	shape  string // AWS's exception
	code   string // AWS's error
	oauth  string // RFC 6749, section 5.2; RFC 8628, section 3.5; RFC 9449, section 5
	text   string // "" = the fault's own sentence
}

// byKind is the table from fault kinds, for nouns that stand not in byNoun.
var byKind = map[fault.Kind]answer{
	fault.Internal:        {500, "InternalServerException", "server_error", "server_error", "internal error"},
	fault.Invalid:         {400, "ValidationException", "INVALID_REQUEST", "invalid_request", ""},
	fault.Unsupported:     {400, "ValidationException", "INVALID_REQUEST", "unsupported_grant_type", ""},
	fault.Exists:          {500, "InternalServerException", "server_error", "server_error", "try again"},
	fault.Denied:          {403, "AccessDeniedException", "INSUFFICIENT_PERMISSIONS", "access_denied", ""},
	fault.Unauthenticated: {401, "AccessDeniedException", "TOKEN_EXPIRED", "invalid_grant", ""},
	fault.Throttled:       {429, "TooManyRequestsError", "INVALID_REQUEST", "slow_down", ""},
}

type about struct {
	kind       fault.Kind
	noun, name string
}

var byNoun = map[about]answer{
	{fault.Unauthenticated, "proof of possession", ""}: {400, "ValidationException", "INVALID_REQUEST", "invalid_dpop_proof", ""},
	{fault.Denied, "authorization code", ""}:           {401, "AccessDeniedException", "AUTHCODE_EXPIRED", "invalid_grant", "The code is not known, was used, has expired, or belongs to another request."},
	{fault.Expired, "command line", ""}:                {401, "AccessDeniedException", "TOKEN_EXPIRED", "invalid_grant", "The sign-in has ended. Sign in again."},
	{fault.Expired, "device code", ""}:                 {400, "AccessDeniedException", "AUTHCODE_EXPIRED", "expired_token", "The code is not known, was used, or has expired."},
	{fault.Denied, "device code", ""}:                  {400, "AccessDeniedException", "AUTHCODE_EXPIRED", "access_denied", "The person refused."},
	{fault.Throttled, "device code", "not answered"}:   {400, "ValidationException", "INVALID_REQUEST", "authorization_pending", "Nobody has approved it yet."},
	{fault.Throttled, "device code", "too soon"}:       {400, "ValidationException", "INVALID_REQUEST", "slow_down", "Ask less often."},
}

// answerTo puts an error into words.
func answerTo(err error) answer {
	f := fault.In(err)
	a, ok := byNoun[about{f.Kind, f.Noun, f.Name}]
	if _, denied := ops.AsDenial(err); denied || !ok {
		if a, ok = byKind[f.Kind]; !ok {
			a = byKind[fault.Internal]
		}
	}
	if a.text == "" {
		a.text = f.What
	}
	return a
}

// refuse answers with an error, in the spelling of the request.
func (req *request) refuse(w http.ResponseWriter, err error) {
	a := answerTo(err)
	if !req.asJSON {
		status := a.status
		if status == http.StatusUnauthorized { // RFC 6749, section 5.2: for clients that authenticate
			status = http.StatusBadRequest
		}
		send(w, status, struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}{a.oauth, a.text})
		return
	}
	w.Header().Set("X-Amzn-Errortype", a.shape)
	send(w, a.status, struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}{a.code, a.text})
}
