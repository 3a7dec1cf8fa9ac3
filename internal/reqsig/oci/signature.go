package oci

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// MaxSkew is how far the date of a request may be from the server's clock (OCI
// documentation, "Request Signatures").
const MaxSkew = 5 * time.Minute

// maxHeader bounds the Authorization header: a session token has some 4,000 bytes.
const maxHeader = 16 << 10

// Signature is what an Authorization header says, and what it covers.
type Signature struct {
	Key     KeyID
	Headers []string // names that are signed, in lower case, in their order

	digest [sha256.Size]byte // of the signing string
	value  []byte
	pss    bool
}

// Parse reads the signature of a request. It refuses one that leaves out what has to
// be signed.
func Parse(r *Request) (*Signature, error) {
	values := r.Header["Authorization"]
	switch {
	case len(values) == 0:
		return nil, refuse(Missing, "the request is not signed")
	case len(values) > 1:
		return nil, refuse(Malformed, "the request has %d Authorization headers", len(values))
	case len(values[0]) > maxHeader:
		return nil, refuse(Malformed, "the Authorization header is too long")
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	if !strings.EqualFold(scheme, "Signature") {
		return nil, refuse(Missing, "the Authorization header is no signature")
	}
	p, err := parameters(rest)
	if err != nil {
		return nil, err
	}
	return p.signature(r)
}

// params are the parameters of a signature, "" for one that is absent.
type params struct{ version, headers, keyID, algorithm, value string }

// parameters reads name="value" pairs, in any order (draft section 2.1).
func parameters(s string) (p params, err error) {
	known := map[string]*string{
		"version": &p.version, "headers": &p.headers, "keyid": &p.keyID, "algorithm": &p.algorithm, "signature": &p.value,
	}
	seen := map[string]bool{}
	for s = strings.TrimSpace(s); s != ""; {
		name, rest, ok := strings.Cut(s, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		rest, quoted := strings.CutPrefix(strings.TrimSpace(rest), `"`)
		value, rest, closed := strings.Cut(rest, `"`)
		if !ok || !quoted || !closed || name == "" {
			return p, refuse(Malformed, "the signature's parameters are not a list of name=\"value\"")
		}
		if seen[name] {
			return p, refuse(Malformed, "the signature has the parameter %q twice", name)
		}
		seen[name] = true
		if known[name] != nil {
			*known[name] = value
		}
		rest = strings.TrimSpace(rest)
		if s, ok = strings.CutPrefix(rest, ","); !ok && rest != "" {
			return p, refuse(Malformed, "the signature's parameters are not parted by commas")
		}
		s = strings.TrimSpace(s)
	}
	return p, nil
}

// signature checks the parameters and works out what was signed.
func (p *params) signature(r *Request) (*Signature, error) {
	sig := &Signature{Headers: strings.Fields(strings.ToLower(p.headers))}
	switch strings.ToLower(p.algorithm) {
	case "rsa-sha256":
	case "rsa-pss-sha256":
		sig.pss = true
	default:
		return nil, refuse(Malformed, "the signature's algorithm is %q and not rsa-sha256", p.algorithm)
	}
	if p.version != "1" {
		return nil, refuse(Malformed, "the signature's version is %q and not 1", p.version)
	}
	var ok bool
	if sig.Key, ok = ParseKeyID(p.keyID); !ok {
		return nil, refuse(Malformed, "the signature's keyId names no key")
	}
	var err error
	if sig.value, err = base64.StdEncoding.Strict().DecodeString(p.value); err != nil || len(sig.value) == 0 {
		return nil, refuse(Malformed, "the signature is not base64")
	}
	if err := sig.covers(r); err != nil {
		return nil, err
	}
	return sig, sig.digestOf(r)
}

// covers makes sure that what matters is signed.
func (sig *Signature) covers(r *Request) error {
	must := []string{"(request-target)", "host"}
	if withBody(r.Method) {
		must = append(must, "x-content-sha256", "content-type", "content-length")
	}
	// A date in x-date goes before the one in date, so that whoever adds one
	// unsigned must not be believed.
	date := "date"
	if len(r.Header["X-Date"]) > 0 {
		date = "x-date"
	}
	must = append(must, date)
	for _, added := range []string{"opc-obo-token", "x-content-sha256"} { // signed wherever they are
		if len(r.Header[textproto.CanonicalMIMEHeaderKey(added)]) > 0 {
			must = append(must, added)
		}
	}
	for _, name := range must {
		if !slices.Contains(sig.Headers, name) {
			return refuse(Unsigned, "%s is not signed", name)
		}
	}
	return nil
}

// digestOf hashes the signing string (draft section 2.3).
func (sig *Signature) digestOf(r *Request) error {
	var b strings.Builder
	for i, name := range sig.Headers {
		if slices.Contains(sig.Headers[:i], name) {
			return refuse(Malformed, "the signature names %s twice", name)
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		value, ok := strings.ToLower(r.Method)+" "+r.Target, true
		if name != "(request-target)" {
			value, ok = r.header(name)
		}
		if !ok {
			return refuse(Malformed, "%s is signed and absent", name)
		}
		b.WriteString(name)
		b.WriteString(": ")
		b.WriteString(value)
	}
	sig.digest = sha256.Sum256([]byte(b.String()))
	return nil
}

// Check makes sure that the request is made about now and that its body is the one
// that was signed.
func (sig *Signature) Check(r *Request, now time.Time) error {
	name := "date"
	if slices.Contains(sig.Headers, "x-date") {
		name = "x-date"
	}
	text, _ := r.header(name)
	at, ok := parseDate(text)
	if !ok {
		return refuse(Malformed, "%s is not a date", name)
	}
	if skew := now.Sub(at); skew > MaxSkew || skew < -MaxSkew {
		return refuse(Skewed, "the request is dated %s from the server's clock", skew.Round(time.Second))
	}
	if !slices.Contains(sig.Headers, "x-content-sha256") {
		return nil
	}
	hash, _ := r.header("x-content-sha256")
	if subtle.ConstantTimeCompare([]byte(hash), []byte(r.BodyHash)) != 1 {
		return refuse(BadPayload, "x-content-sha256 is not the hash of the body")
	}
	return nil
}

// parseDate reads an HTTP date. The name of the day is not compared with the day:
// Oracle's own examples have a wrong one.
func parseDate(s string) (time.Time, bool) {
	_, s, found := strings.Cut(s, ",")
	if !found {
		return time.Time{}, false
	}
	at, err := time.Parse("2 Jan 2006 15:04:05 GMT", strings.TrimSpace(s))
	return at, err == nil
}

// Verify makes sure that the signature is made with the private half of key.
func (sig *Signature) Verify(key *rsa.PublicKey) error {
	var err error
	if sig.pss {
		err = rsa.VerifyPSS(key, crypto.SHA256, sig.digest[:], sig.value, nil)
	} else {
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sig.digest[:], sig.value)
	}
	if err != nil {
		return refuse(Mismatch, "the signature is not made with the key")
	}
	return nil
}
