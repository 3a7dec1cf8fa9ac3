package gateway

import (
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"warifu/internal/ops"
	"warifu/policy"
)

// acsSpellings: "Common error codes" of Alibaba Cloud's OpenAPI, and ECS's own for
// what RAM forbids.
var acsSpellings = map[trouble]spelling{
	internalTrouble: {500, "InternalError", "The request processing has failed due to some unknown error."},
	denied:          {403, "Forbidden.RAM", "User not authorized to operate on the specified resource, or this API doesn't support RAM."},
	badSignature:    {400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation."},
	endedSession:    {400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired."},
	badRequest:      {400, "InvalidParameter", "The request cannot be read."},
	noAction:        {400, "MissingParameter", `The input parameter "Action" that is mandatory for processing this request is not supplied.`},
	unknownAction:   {404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."},
	wrongMethod:     {405, "UnsupportedHTTPMethod", "This http method is not supported."},
	tooLarge:        {413, "RequestBodyTooLarge", "The request is too large."},
	unavailable:     {503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."},
	throttled:       {400, "Throttling.User", "Request was denied due to user flow control."},
}

// accessDenied says why policy said no (OpenAPI, "AccessDeniedDetail").
type accessDenied struct {
	AuthAction               string
	AuthPrincipalType        string
	AuthPrincipalOwnerId     string
	AuthPrincipalDisplayName string
	NoPermissionType         string
	PolicyType               string
	EncodedDiagnosticMessage string `json:",omitzero" xml:",omitempty"`
}

// diagnosis words policy's no; DecodeDiagnosticMessage reads its message.
func (g *Gateway) diagnosis(no *ops.Denial) *accessDenied {
	why := no.Diagnose()
	kind := "ImplicitDeny"
	if no.Decision.Outcome == policy.ExplicitDeny {
		kind = "ExplicitDeny"
	}
	return &accessDenied{
		AuthAction: why.AuthAction, AuthPrincipalType: why.AuthPrincipal.AuthPrincipalType,
		AuthPrincipalOwnerId: why.AuthPrincipal.AuthPrincipalOwnerId, AuthPrincipalDisplayName: why.AuthPrincipal.AuthPrincipalDisplayName,
		NoPermissionType: kind, PolicyType: why.NoPermissionPolicyType, EncodedDiagnosticMessage: g.Ops.EncodeDiagnosis(no, why),
	}
}

// acsFailure is the error document.
type acsFailure struct {
	XMLName            xml.Name `json:"-" xml:"Error"`
	RequestId          string
	HostId             string
	Code               string
	Message            string
	Recommend          string
	AccessDeniedDetail *accessDenied `json:",omitzero" xml:",omitempty"`
}

// acsError writes the error document in the form that was asked for.
func acsError(h http.Header, r *http.Request, s spelling, detail *accessDenied, requestID string) []byte {
	id := strings.ToUpper(requestID)
	h.Set("X-Acs-Request-Id", id)
	doc := acsFailure{
		RequestId: id, HostId: strings.ToValidUTF8(r.Host, "?"), Code: s.code, Message: strings.ToValidUTF8(s.message, "?"),
		Recommend: "The request id " + id + " finds the request in the audit trail.", AccessDeniedDetail: detail,
	}
	if strings.EqualFold(r.URL.Query().Get("Format"), "XML") {
		h.Set("Content-Type", "text/xml;charset=utf-8")
		return markup(doc)
	}
	h.Set("Content-Type", "application/json;charset=utf-8")
	b, err := json.Marshal(doc)
	if err != nil {
		panic("gateway: an error document cannot be written: " + err.Error()) // structs of strings always can
	}
	return b
}
