package gateway

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

	"warifu/internal/reqsig/sigv4"
)

// trouble is why a request is not answered by the upstream, whatever the
// protocol calls it.
type trouble uint8

const (
	internalTrouble trouble = iota
	denied                  // policy said no
	anonymous               // no signature
	badCredential           // no such key, or its token is not its own
	endedSession            // the session is over
	badSignature            // the signature is not ours
	skewedClock             // signed at another time
	overduePresign          // a presigned request past its time
	badPayload              // the body is not what was signed
	badRequest              // cannot be read for certain
	noAction                // names no operation
	unknownAction           // names none that is known
	wrongMethod
	badBucket
	badDocument // XML that is not the operation's
	tooLarge
	noLength
	unanswered  // known, but not judged here
	unavailable // the upstream is down or too slow
	throttled
)

// problem is a trouble with what there is to say about it.
type problem struct {
	trouble
	message  string // "" takes the protocol's own words
	code     string // "" takes the protocol's own code
	status   int    // 0 takes the protocol's own
	resource string // S3: the path
	detail   *accessDenied
}

// spelling is how a protocol spells a trouble, unless the problem says better.
type spelling struct {
	status  int
	code    string
	message string
}

const (
	sayMismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	sayToken    = "The security token included in the request is invalid."
	sayExpired  = "The security token included in the request is expired"
	sayInternal = "The request processing has failed because of an unknown error, exception or failure."
	sayDown     = "The service is unavailable. Please try again shortly."
	sayTooLarge = "The request is larger than this service takes."
)

// querySpellings: "Common errors" of the Query services.
var querySpellings = map[trouble]spelling{
	internalTrouble: {500, "InternalFailure", sayInternal},
	denied:          {403, "AccessDenied", "Access denied"},
	anonymous:       {403, "MissingAuthenticationToken", "Request is missing Authentication Token"},
	badCredential:   {403, "InvalidClientTokenId", sayToken},
	endedSession:    {403, "ExpiredToken", sayExpired},
	badSignature:    {403, "SignatureDoesNotMatch", sayMismatch},
	skewedClock:     {403, "SignatureDoesNotMatch", sayMismatch},
	overduePresign:  {400, "RequestExpired", "Request has expired"},
	badPayload:      {400, "InvalidRequest", "The body does not match its declared hash."},
	badRequest:      {400, "MalformedQueryString", "The request cannot be read."},
	noAction:        {400, "MissingAction", "The request is missing an action or a required parameter."},
	unknownAction:   {400, "InvalidAction", "The action or operation requested is invalid."},
	wrongMethod:     {405, "InvalidAction", "This service takes GET and POST."},
	tooLarge:        {413, "RequestEntityTooLarge", sayTooLarge},
	noLength:        {411, "MissingContentLength", "The request must have a Content-Length."},
	unanswered:      {400, "InvalidAction", "The action is not supported here."},
	unavailable:     {503, "ServiceUnavailable", sayDown},
	throttled:       {400, "Throttling", "Rate exceeded"},
}

// ec2Spellings: "Error codes for the Amazon EC2 API".
var ec2Spellings = map[trouble]spelling{
	internalTrouble: {500, "InternalError", "An internal error has occurred"},
	denied:          {403, "UnauthorizedOperation", "You are not authorized to perform this operation."},
	anonymous:       {401, "AuthFailure", "AWS was not able to validate the provided access credentials"},
	badCredential:   {401, "AuthFailure", "AWS was not able to validate the provided access credentials"},
	endedSession:    {400, "RequestExpired", "Request has expired."},
	badSignature:    {401, "AuthFailure", "AWS was not able to validate the provided access credentials"},
	skewedClock:     {400, "RequestExpired", "Request has expired."},
	overduePresign:  {400, "RequestExpired", "Request has expired."},
	badPayload:      {401, "AuthFailure", "AWS was not able to validate the provided access credentials"},
	badRequest:      {400, "InvalidRequest", "The request received was invalid."},
	noAction:        {400, "MissingAction", "The request is missing an action or operation parameter."},
	unknownAction:   {400, "InvalidAction", "The action or operation requested is not valid."},
	wrongMethod:     {405, "InvalidRequest", "This service takes GET and POST."},
	tooLarge:        {413, "RequestEntityTooLarge", sayTooLarge},
	noLength:        {411, "MissingContentLength", "The request must have a Content-Length."},
	unanswered:      {400, "UnsupportedOperation", "The specified request includes an unsupported operation."},
	unavailable:     {503, "Unavailable", sayDown},
	throttled:       {503, "RequestLimitExceeded", "Request limit exceeded."},
}

// jsonSpellings: "Common errors" of the JSON services.
var jsonSpellings = map[trouble]spelling{
	internalTrouble: {500, "InternalFailure", sayInternal},
	denied:          {400, "AccessDeniedException", "Access denied"},
	anonymous:       {400, "MissingAuthenticationTokenException", "Missing Authentication Token"},
	badCredential:   {400, "UnrecognizedClientException", sayToken},
	endedSession:    {400, "ExpiredTokenException", sayExpired},
	badSignature:    {400, "InvalidSignatureException", sayMismatch},
	skewedClock:     {400, "InvalidSignatureException", sayMismatch},
	overduePresign:  {400, "InvalidSignatureException", "Signature expired"},
	badPayload:      {400, "InvalidSignatureException", sayMismatch},
	badRequest:      {400, "SerializationException", "The request cannot be read."},
	noAction:        {400, "UnknownOperationException", "The request names no operation."},
	unknownAction:   {400, "UnknownOperationException", "The operation is not known."},
	wrongMethod:     {405, "UnknownOperationException", "This service takes POST."},
	tooLarge:        {413, "RequestEntityTooLarge", sayTooLarge},
	noLength:        {411, "MissingContentLength", "The request must have a Content-Length."},
	unanswered:      {400, "UnknownOperationException", "The operation is not supported here."},
	unavailable:     {503, "ServiceUnavailableException", sayDown},
	throttled:       {400, "ThrottlingException", "Rate exceeded"},
}

// s3Spellings: "Error responses" of the Amazon S3 API reference.
var s3Spellings = map[trouble]spelling{
	internalTrouble: {500, "InternalError", "We encountered an internal error. Please try again."},
	denied:          {403, "AccessDenied", "Access Denied"},
	anonymous:       {403, "AccessDenied", "Access Denied"},
	badCredential:   {403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."},
	endedSession:    {400, "ExpiredToken", "The provided token has expired."},
	badSignature:    {403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method."},
	skewedClock:     {403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."},
	overduePresign:  {403, "AccessDenied", "Request has expired"},
	badPayload:      {400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed."},
	badRequest:      {400, "InvalidRequest", "The request cannot be read."},
	noAction:        {400, "InvalidRequest", "The request names no operation."},
	unknownAction:   {405, "MethodNotAllowed", "The specified method is not allowed against this resource."},
	wrongMethod:     {405, "MethodNotAllowed", "The specified method is not allowed against this resource."},
	badBucket:       {400, "InvalidBucketName", "The specified bucket is not valid."},
	badDocument:     {400, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema"},
	tooLarge:        {413, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"},
	noLength:        {411, "MissingContentLength", "You must provide the Content-Length HTTP header."},
	unanswered:      {501, "NotImplemented", "A header or query parameter you provided implies functionality that is not implemented."},
	unavailable:     {503, "ServiceUnavailable", "Service is unable to handle request."},
	throttled:       {503, "SlowDown", "Please reduce your request rate."},
}

func (p Protocol) spellings() map[trouble]spelling {
	switch p {
	case EC2:
		return ec2Spellings
	case JSON:
		return jsonSpellings
	case S3:
		return s3Spellings
	case ACS:
		return acsSpellings
	case OCI:
		return ociSpellings
	}
	return querySpellings
}

// spell gives a problem the protocol's words where it has none of its own.
func (p Protocol) spell(t problem) spelling {
	s, known := p.spellings()[t.trouble]
	if !known {
		s = p.spellings()[badRequest]
	}
	if t.code != "" {
		s.code = t.code
	}
	if t.status != 0 {
		s.status = t.status
	}
	switch {
	case t.message != "" && t.trouble == denied && p == EC2:
		s.message += " " + t.message
	case t.message != "":
		s.message = t.message
	}
	return s
}

// write answers a request with a problem, in the protocol's own document.
func (p Protocol) write(w http.ResponseWriter, r *http.Request, t problem, requestID string) {
	s := p.spell(t)
	var body []byte
	h := w.Header()
	switch p {
	case JSON:
		body = jsonError(s)
		h.Set("Content-Type", jsonType(r))
		h.Set("X-Amzn-Requestid", requestID)
		h.Set("X-Amzn-Errortype", s.code)
	case EC2:
		body = markup(ec2Error{Code: s.code, Message: s.message, RequestID: requestID})
		h.Set("Content-Type", "text/xml;charset=UTF-8")
		h.Set("X-Amzn-Requestid", requestID)
	case ACS:
		body = acsError(h, r, s, t.detail, requestID)
	case OCI:
		body = ociError(s)
		h.Set("Content-Type", "application/json")
	case S3:
		body = markup(s3Error{Code: s.code, Message: s.message, Resource: t.resource, RequestID: requestID, HostID: requestID})
		h.Set("Content-Type", "application/xml")
		h.Set("X-Amz-Request-Id", requestID)
		h.Set("X-Amz-Id-2", requestID)
	default:
		e := queryError{NS: "http://webservices.amazon.com/AWSFault/2005-15-09", Type: "Sender", Code: s.code, Message: s.message, RequestID: requestID}
		if s.status >= 500 {
			e.Type = "Receiver"
		}
		body = markup(e)
		h.Set("Content-Type", "text/xml")
		h.Set("X-Amzn-Requestid", requestID)
	}
	if t.trouble == unavailable {
		h.Set("Retry-After", "1")
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	guard(h)
	w.WriteHeader(s.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client is gone if this fails
	}
}

// guard keeps a browser that is led to an object from running it with the
// rights of the console, which has the same origin.
func guard(h http.Header) {
	h.Add("Content-Security-Policy", "sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
}

type queryError struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	NS        string   `xml:"xmlns,attr"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

type ec2Error struct {
	XMLName   xml.Name `xml:"Response"`
	Code      string   `xml:"Errors>Error>Code"`
	Message   string   `xml:"Errors>Error>Message"`
	RequestID string   `xml:"RequestID"`
}

type s3Error struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string `xml:",omitempty"`
	RequestID string `xml:"RequestId"`
	HostID    string `xml:"HostId"`
}

func markup(v any) []byte {
	b, err := xml.Marshal(v)
	if err != nil {
		panic("gateway: an error document cannot be written: " + err.Error()) // structs of strings always can
	}
	return append([]byte(xml.Header), b...)
}

func jsonError(s spelling) []byte {
	b, err := json.Marshal(struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{s.code, strings.ToValidUTF8(s.message, "?")})
	if err != nil {
		panic("gateway: an error document cannot be written: " + err.Error())
	}
	return b
}

// jsonType answers in the version of the protocol that the request has.
func jsonType(r *http.Request) string {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-amz-json-1.0") {
		return "application/x-amz-json-1.0"
	}
	return "application/x-amz-json-1.1"
}

// ofRefusal is what derivation's reasons are called here.
var ofRefusal = map[Reason]trouble{
	Malformed: badRequest, UnknownAction: unknownAction, MissingAction: noAction, UnclearTarget: badRequest,
	BadMethod: wrongMethod, BadBucket: badBucket, BadXML: badDocument, TooLarge: tooLarge, NoLength: noLength,
	OtherOwner: denied, NotImplemented: unanswered,
}

// ofSignature is what sigv4's reasons are called here.
var ofSignature = map[sigv4.Reason]trouble{
	sigv4.Missing: anonymous, sigv4.Ambiguous: badRequest, sigv4.Incomplete: badRequest, sigv4.OutOfScope: badSignature,
	sigv4.Skewed: skewedClock, sigv4.Expired: overduePresign, sigv4.UnsignedHeader: badSignature,
	sigv4.BadPayload: badPayload, sigv4.BadQuery: badRequest, sigv4.Mismatch: badSignature,
	sigv4.UnknownKey: badCredential, sigv4.ExpiredToken: endedSession,
}

// signatureProblem words a signature's error. The Query services take its own
// words; the others tell less.
func (p Protocol) signatureProblem(err *sigv4.Error) problem {
	t := problem{trouble: ofSignature[err.Reason]}
	if p == Query || err.Reason == sigv4.BadPayload && p == S3 {
		t.code, t.message, t.status = err.Code, err.Message, err.Status
	}
	if err.Reason == sigv4.UnsignedHeader || err.Reason == sigv4.Incomplete || err.Reason == sigv4.Ambiguous {
		t.message = err.Message
	}
	return t
}
