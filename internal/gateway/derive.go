package gateway

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"warifu/internal/reqsig/acs"
	"warifu/policy"
)

// Protocol is how a service spells its requests and its errors.
type Protocol string

// The protocols, as the configuration names them.
const (
	Query Protocol = "query" // Action in a form or a query string; errors as <ErrorResponse>
	EC2   Protocol = "ec2"   // the same requests; errors as <Response><Errors>
	JSON  Protocol = "json"  // X-Amz-Target and a JSON body
	S3    Protocol = "s3"    // REST with XML
	ACS   Protocol = "acs"   // Alibaba Cloud's RPC style, with either of its signatures
)

func (p Protocol) known() bool {
	return p == Query || p == EC2 || p == JSON || p == S3 || p == ACS || p == OCI
}

// View is what derivation may look at: a request whose signature has been
// verified.
type View struct {
	Method string
	Host   string      // the Host header
	Path   string      // escaped, as on the wire
	Query  string      // as on the wire, without the "?"
	Header http.Header // of the client; names in canonical form

	// Body returns the whole body if it is no longer than limit. It is called
	// only for operations whose actions or resources stand in the body.
	Body func(limit int64) ([]byte, error)

	Account string     // owner of what is behind the service, 12 digits
	Region  string     // of the signature's scope; ACS: the service's
	Params  acs.Params // ACS: without those of the signature

	Presigned bool
	Signed    time.Time // when it was signed
	Payload   string    // x-amz-content-sha256 as declared; "" if not
	Now       time.Time
	TLS       string // version as s3:TlsVersion spells it, "1.3"; "" without TLS or if unknown
}

// Need is one action on the resources it must be allowed on.
type Need struct {
	Action    string   // "s3:GetObject"
	RAM       string   // what Alibaba Cloud calls it; "" if that follows from Action
	Resources []string // ARNs; none means "*"
}

// Tag is a tag that a request sets.
type Tag struct{ Key, Value string }

// Derived is what a request asks for, in policy's words.
type Derived struct {
	Service   string // action prefix: "s3"
	Operation string // API operation: "CopyObject"
	ReadOnly  bool
	Needs     []Need // all must be allowed; the first is the operation's own
	Tags      []Tag
	Keys      policy.Map // context keys that the request itself determines
	asked     *asked     // of a service of Oracle's kind
}

// need adds an action of the service on resources.
func (d *Derived) need(action string, resources ...string) {
	d.Needs = append(d.Needs, Need{Action: d.Service + ":" + action, Resources: resources})
}

// Derive tells what a request to a service asks for. Its errors are *Refusal.
func Derive(s *Service, v *View) (*Derived, error) {
	d := &Derived{Service: s.actionPrefix(), Keys: policy.Map{}}
	switch s.Protocol {
	case Query, EC2:
		return d, d.fromForm(s, v)
	case JSON:
		return d, d.fromJSON(s, v)
	case ACS:
		return d, d.fromACS(s, v)
	default:
		return d, d.fromS3(s, v)
	}
}

// Reason is why a request is refused before policy is asked.
type Reason uint8

// The reasons. Each protocol spells them its own way.
const (
	Malformed      Reason = iota // cannot be read, or read in more than one way
	UnknownAction                // names no operation that the gateway knows
	MissingAction                // names none at all
	UnclearTarget                // the resources cannot be told
	BadMethod                    // the HTTP method fits no operation
	BadBucket                    // not a bucket's name
	BadXML                       // the XML body is not what the operation takes
	TooLarge                     // the body is longer than may be read
	NoLength                     // a body without a length
	OtherOwner                   // the bucket is not the account's that the request names
	NotImplemented               // known, but the gateway cannot judge it
)

// Refusal is a request that derivation cannot judge. Message is for the caller.
type Refusal struct {
	Reason  Reason
	Message string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Message }

func refuse(reason Reason, message string) error { return &Refusal{reason, message} }

// param is one parameter, decoded.
type param struct{ name, value string }

// parseParams decodes a query string or a form. It refuses what two parsers
// could read differently: bad escapes and semicolons.
func parseParams(s string) ([]param, error) {
	if strings.IndexByte(s, ';') >= 0 {
		return nil, refuse(Malformed, "Parameters must be separated by '&'; a ';' must be escaped.")
	}
	var list []param
	for s != "" {
		var pair string
		pair, s, _ = strings.Cut(s, "&")
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(k)
		if err == nil {
			v, err = url.QueryUnescape(v)
		}
		if err != nil {
			return nil, refuse(Malformed, "A parameter has an escape that does not decode.")
		}
		list = append(list, param{name, v})
	}
	return list, nil
}

// isSigning reports whether a query parameter belongs to the signature.
func isSigning(name string) bool {
	switch name {
	case "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
		"X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Content-Sha256":
		return true
	}
	return false
}
