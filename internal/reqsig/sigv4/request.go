package sigv4

import "strings"

// Request is what was seen on the wire. Verification does not change it; Sign
// adds to Header.
type Request struct {
	Method string
	Host   string // the Host header or :authority, with its port if it has one
	Path   string // as on the wire, escaped, without the query; "" means "/"
	Query  string // as on the wire, without the "?"

	// Header maps a name in net/http's canonical form (X-Amz-Date) to its
	// values in order. An http.Header can be assigned; Host is not looked for
	// in it.
	Header map[string][]string

	// BodyHash is the SHA-256 of the body in lower-case hexadecimal. "" means
	// that the body was not read: the request must then declare its hash in a
	// signed x-amz-content-sha256, and the caller must hold the body to
	// Signature.Payload while it reads it.
	BodyHash string
}

// values finds a header by its lower-case name without allocating.
func (r *Request) values(lower string) []string {
	var room [64]byte
	return r.Header[string(appendKey(room[:0], lower))]
}

// appendKey appends the key under which net/http keeps a header of that name.
func appendKey(b []byte, name string) []byte {
	up := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		if up && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		} else if !up && 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
		up = c == '-'
	}
	return b
}

// one returns the only value of a header, "" if it is absent, and false if
// there are several: no rule says which of two dates or tokens counts.
func (r *Request) one(lower string) (string, bool) {
	switch v := r.values(lower); len(v) {
	case 0:
		return "", true
	case 1:
		return strings.TrimSpace(v[0]), true
	default:
		return "", false
	}
}

// The values of x-amz-content-sha256 that are not a hash. Only S3 knows them.
const (
	UnsignedPayload          = "UNSIGNED-PAYLOAD"
	StreamingPayload         = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingPayloadTrailer  = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	StreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// EmptyPayload is the hash of no body.
const EmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Streaming reports whether a payload declaration means that the body comes in
// aws-chunked form, to be read through a [ChunkReader].
func Streaming(payload string) bool { return strings.HasPrefix(payload, "STREAMING-") }
