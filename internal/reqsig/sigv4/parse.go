package sigv4

import (
	"strconv"
	"strings"
	"time"
)

// The parameters of a presigned request.
const (
	qAlgorithm     = "X-Amz-Algorithm"
	qCredential    = "X-Amz-Credential"
	qDate          = "X-Amz-Date"
	qExpires       = "X-Amz-Expires"
	qSignedHeaders = "X-Amz-SignedHeaders"
	qSignature     = "X-Amz-Signature"
	qToken         = "X-Amz-Security-Token"
	qPayload       = "X-Amz-Content-Sha256"
)

// maxExpires is how long a presigned request may live: the seven days that the
// protocol allows.
const maxExpires = 7 * 24 * time.Hour

// Signature is what a request says about who signed it. Nothing in it is true
// before Verify says so.
type Signature struct {
	AccessKeyID   string
	Scope         Scope
	SignedHeaders string        // lower-case names in order, joined by ';'
	Token         string        // session token, "" for a long-term key
	Time          time.Time     // when it was signed, UTC
	Presigned     bool          // signed in the query
	Expires       time.Duration // presigned only; 0 = not given, which means MaxSkew

	// Payload is what was declared in x-amz-content-sha256: a hash, one of the
	// constants of S3, or "".
	Payload string

	terminator string // checked by Check, after the time, as AWS does
	date       string // Time as it stands in the string to sign
	signature  string // as sent
}

// Parse finds the signature of a request: in the Authorization header or in the
// query, but not in both. Its error is an *Error of Reason Missing, Ambiguous,
// Incomplete, BadQuery or UnsignedHeader (host).
func Parse(r *Request) (Signature, error) {
	query, err := readQuery(r.Query)
	if err != nil {
		return Signature{}, err
	}
	header := r.Header["Authorization"]
	switch {
	case len(header) > 0 && query.present:
		return Signature{}, ambiguous()
	case len(header) > 1:
		return Signature{}, incomplete("The request has more than one 'Authorization' header.")
	case len(header) == 1:
		return parseHeader(r, header[0])
	case query.present:
		return parseQuery(r, &query)
	default:
		return Signature{}, missing()
	}
}

func parseHeader(r *Request, authorization string) (Signature, error) {
	alg, rest, _ := strings.Cut(strings.TrimSpace(authorization), " ")
	if !strings.HasPrefix(alg, "AWS4-") {
		return Signature{}, missing() // a bearer token, say: nothing that AWS would read
	}
	var credential string
	s := Signature{}
	if err := readFields(rest, authorization, &credential, &s); err != nil {
		return Signature{}, err
	}
	date, ok := r.one("x-amz-date")
	if !ok {
		return Signature{}, incomplete("The request has more than one 'X-Amz-Date' header.")
	}
	if date == "" {
		if date, ok = r.one("date"); !ok {
			return Signature{}, incomplete("The request has more than one 'Date' header.")
		}
	}
	var lacks string
	for _, need := range [...]struct{ name, value string }{
		{"Credential", credential}, {"Signature", s.signature}, {"SignedHeaders", s.SignedHeaders}} {
		if need.value == "" {
			lacks += "Authorization header requires '" + need.name + "' parameter. "
		}
	}
	if date == "" {
		lacks += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
	}
	if lacks != "" {
		return Signature{}, incomplete("%s(Hashed with SHA-256 and encoded with Base64) Authorization=%s",
			lacks, hashed(authorization))
	}
	if s.Token, ok = r.one("x-amz-security-token"); !ok {
		return Signature{}, incomplete("The request has more than one 'X-Amz-Security-Token' header.")
	}
	return s.finish(r, alg, credential, date)
}

// readFields reads "Credential=…, SignedHeaders=…, Signature=…".
func readFields(fields, authorization string, credential *string, s *Signature) error {
	for len(fields) > 0 {
		var field string
		if field, fields = cutField(fields); field == "" {
			continue
		}
		name, value, ok := strings.Cut(field, "=")
		if !ok {
			return incomplete("Invalid key=value pair (missing equal-sign) in Authorization header "+
				"(hashed with SHA-256 and encoded with Base64): '%s'.", hashed(authorization))
		}
		var to *string
		switch name {
		case "Credential":
			to = credential
		case "SignedHeaders":
			to = &s.SignedHeaders
		case "Signature":
			to = &s.signature
		default:
			continue
		}
		if *to != "" {
			return incomplete("The Authorization header has more than one '%s' parameter.", name)
		}
		*to = value
	}
	return nil
}

// cutField cuts at the first comma or space.
func cutField(s string) (field, rest string) {
	end, after := len(s), len(s)
	if i := strings.IndexByte(s, ','); i >= 0 {
		end, after = i, i+1
	}
	if i := strings.IndexByte(s[:end], ' '); i >= 0 {
		end, after = i, i+1
	}
	return s[:end], s[after:]
}

// presigned are the parameters of a presigned request, decoded.
type presigned struct {
	present                                  bool
	algorithm, credential, date, expires     string
	signedHeaders, signature, token, payload string
}

func (q *presigned) field(name string) *string {
	switch name {
	case qAlgorithm:
		return &q.algorithm
	case qCredential:
		return &q.credential
	case qDate:
		return &q.date
	case qExpires:
		return &q.expires
	case qSignedHeaders:
		return &q.signedHeaders
	case qSignature:
		return &q.signature
	case qToken:
		return &q.token
	case qPayload:
		return &q.payload
	}
	return nil
}

func readQuery(query string) (q presigned, err error) {
	for param := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(param, "=")
		name, ok := unescape(name)
		if !ok {
			return q, badQuery("The query string contains an escape that does not decode.")
		}
		to := q.field(name)
		if to == nil {
			continue
		}
		if value, ok = unescape(value); !ok {
			return q, badQuery("The query string contains an escape that does not decode.")
		}
		if *to != "" {
			return q, badQuery("The query string has more than one '" + name + "' parameter.")
		}
		*to = value
		q.present = q.present || name == qAlgorithm || name == qSignature || name == qCredential
	}
	return q, nil
}

// unescape decodes a query component; it allocates only if there is something
// to decode.
func unescape(s string) (string, bool) {
	if !strings.ContainsAny(s, "%+") {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			b = append(b, ' ')
		case '%':
			d, ok := unhex(s, i)
			if !ok {
				return "", false
			}
			b = append(b, d)
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b), true
}

func parseQuery(r *Request, q *presigned) (Signature, error) {
	var lacks string
	for _, need := range [...]struct{ name, value string }{
		{qAlgorithm, q.algorithm}, {qCredential, q.credential}, {qSignature, q.signature},
		{qSignedHeaders, q.signedHeaders}, {qDate, q.date}} {
		if need.value == "" {
			lacks += "AWS query-string parameters must include '" + need.name + "'. "
		}
	}
	if lacks != "" {
		return Signature{}, incomplete("%sRe-examine the query-string parameters.", lacks)
	}
	s := Signature{
		Presigned: true, SignedHeaders: q.signedHeaders, signature: q.signature, Token: q.token, Payload: q.payload,
	}
	if q.expires != "" {
		n, err := strconv.ParseUint(q.expires, 10, 32)
		if err != nil || n < 1 || n > uint64(maxExpires/time.Second) {
			return Signature{}, incomplete("X-Amz-Expires must be a number of seconds from 1 to %d.", maxExpires/time.Second)
		}
		s.Expires = time.Duration(n) * time.Second
	}
	return s.finish(r, q.algorithm, q.credential, q.date)
}

// finish reads what both forms share, in AWS's order: date, host, algorithm,
// credential.
func (s Signature) finish(r *Request, alg, credential, date string) (Signature, error) {
	var ok bool
	if s.Time, ok = parseDate(date, s.Presigned); !ok {
		return Signature{}, incomplete("Date must be in ISO-8601 'basic format'. Got '%s'. "+
			"See http://en.wikipedia.org/wiki/ISO_8601", date)
	}
	if s.date = date; len(date) != len(isoBasic) {
		s.date = s.Time.Format(isoBasic)
	}
	if !sortedNames(s.SignedHeaders) {
		return Signature{}, incomplete("SignedHeaders must be distinct lower-case header names in alphabetical order.")
	}
	if !signs(s.SignedHeaders, "host") {
		return Signature{}, unsignedHost()
	}
	if alg != algorithm {
		return Signature{}, incomplete("Unsupported AWS 'algorithm': '%s'", alg)
	}
	if !s.readCredential(credential) {
		return Signature{}, incomplete("Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term, got '%s'", credential)
	}
	declared, ok := r.one("x-amz-content-sha256")
	if !ok {
		return Signature{}, incomplete("The request has more than one 'X-Amz-Content-Sha256' header.")
	}
	if declared != "" {
		s.Payload = declared
	}
	return s, nil
}

func (s *Signature) readCredential(credential string) bool {
	for _, to := range [...]*string{&s.AccessKeyID, &s.Scope.Date, &s.Scope.Region, &s.Scope.Service} {
		var ok bool
		if *to, credential, ok = strings.Cut(credential, "/"); !ok {
			return false
		}
	}
	s.terminator = credential
	return s.AccessKeyID != "" && !strings.Contains(credential, "/")
}

// parseDate reads X-Amz-Date, or the Date header in its own form (RFC 9110
// section 5.6.7) where a client signs that.
func parseDate(date string, presigned bool) (time.Time, bool) {
	if len(date) == len(isoBasic) {
		return parseBasic(date)
	}
	if presigned {
		return time.Time{}, false
	}
	for _, layout := range [...]string{"Mon, 02 Jan 2006 15:04:05 GMT", time.RFC1123Z} {
		if t, err := time.Parse(layout, date); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// parseBasic is time.Parse(isoBasic, s), at a tenth of its cost: it runs for each
// request.
func parseBasic(s string) (time.Time, bool) {
	if s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	ok := true
	number := func(from, to int) (n int) {
		for _, c := range []byte(s[from:to]) {
			ok = ok && '0' <= c && c <= '9'
			n = 10*n + int(c-'0')
		}
		return n
	}
	year, month, day := number(0, 4), time.Month(number(4, 6)), number(6, 8)
	hour, minute, second := number(9, 11), number(11, 13), number(13, 15)
	if !ok || month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	return t, t.Day() == day // not 30 February
}

// sortedNames reports whether a list of signed headers is in canonical form.
func sortedNames(list string) bool {
	last := ""
	for name := range strings.SplitSeq(list, ";") {
		if name <= last || len(name) > 128 {
			return false
		}
		for i := 0; i < len(name); i++ {
			if c := name[i]; c <= ' ' || c >= 0x7f || c == ':' || 'A' <= c && c <= 'Z' {
				return false
			}
		}
		last = name
	}
	return true
}

// signs reports whether a list of signed headers has a name.
func signs(list, name string) bool {
	for signed := range strings.SplitSeq(list, ";") {
		if signed == name {
			return true
		}
	}
	return false
}
