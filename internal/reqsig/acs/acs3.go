package acs

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/textproto"
	"slices"
	"strings"
)

// algorithm is the only one of ACS3 that is served: the others need SM3 or a key
// pair that RAM does not hand out.
const algorithm = "ACS3-HMAC-SHA256"

// isACS3 tells whether a request has a signature of any algorithm of ACS3.
func isACS3(r *Request) bool {
	auth := r.Header["Authorization"]
	return len(auth) > 0 && strings.HasPrefix(auth[0], "ACS3-")
}

// parseACS3 reads the Authorization header and the x-acs-… headers (OpenAPI, "V3
// request body and signature mechanism").
func parseACS3(r *Request) (s Signature, err error) {
	name, rest, _ := strings.Cut(r.Header["Authorization"][0], " ")
	if name != algorithm {
		return s, badMethod()
	}
	if len(r.Header["Authorization"]) > 1 {
		return s, incomplete("there is more than one Authorization header")
	}
	s.acs3 = true
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		field := map[string]*string{"Credential": &s.AccessKeyID, "SignedHeaders": &s.signedHeaders, "Signature": &s.signature}[key]
		if field == nil || *field != "" || value == "" {
			return s, incomplete("Authorization has Credential, SignedHeaders and Signature, once each")
		}
		*field = value
	}
	if s.AccessKeyID == "" || s.signedHeaders == "" || s.signature == "" {
		return s, incomplete("Authorization has Credential, SignedHeaders and Signature, once each")
	}
	for name, values := range r.Header {
		if isACSHeader(name) && len(values) != 1 {
			return s, twice(strings.ToLower(name))
		}
	}
	for _, name := range []string{"X-Acs-Action", "X-Acs-Version", "X-Acs-Date", "X-Acs-Signature-Nonce", "X-Acs-Content-Sha256"} {
		if header(r, name) == "" {
			return s, missing(strings.ToLower(name))
		}
	}
	s.Action, s.Version, s.Token = header(r, "X-Acs-Action"), header(r, "X-Acs-Version"), header(r, "X-Acs-Security-Token")
	return s, cmp.Or(s.setTime(header(r, "X-Acs-Date")), s.setNonce(header(r, "X-Acs-Signature-Nonce")))
}

// header is the only value of a header, without the space around it.
func header(r *Request, canonical string) string {
	if v := r.Header[canonical]; len(v) == 1 {
		return strings.TrimSpace(v[0])
	}
	return ""
}

func isACSHeader(name string) bool { return len(name) > 6 && strings.EqualFold(name[:6], "x-acs-") }

func (s *Signature) verifyACS3(r *Request, secret []byte) error {
	signed := strings.Split(s.signedHeaders, ";")
	if err := checkSigned(r, signed); err != nil {
		return err
	}
	if header(r, "X-Acs-Content-Sha256") != r.BodyHash {
		return badBody()
	}
	canonical, err := s.canonicalRequest(r, signed)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(canonical)
	text := algorithm + "\n" + hex.EncodeToString(sum[:])
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(s.signature)) != 1 {
		return mismatch(text)
	}
	return nil
}

// checkSigned demands that what decides about the request is signed: the host,
// every x-acs-… header, and the type of a body. A name that is not in canonical
// form was not looked at, so it does not count as signed.
func checkSigned(r *Request, signed []string) error {
	if !slices.Contains(signed, "host") {
		return incomplete("host must be signed")
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		must := isACSHeader(name) || name == "Content-Type" && r.BodyHash != EmptyBody
		if must && (!slices.Contains(signed, lower) || textproto.CanonicalMIMEHeaderKey(lower) != name) {
			return incomplete(lower + " must be signed")
		}
	}
	return nil
}

// canonicalRequest is method, path, query, signed headers with their values, their
// list, and the body's hash, a line each.
func (s *Signature) canonicalRequest(r *Request, signed []string) ([]byte, error) {
	query, err := ParseParams(r.Query, "")
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, 1024)
	b = append(b, r.Method...)
	b = append(b, '\n')
	b = append(b, cmp.Or(r.Path, "/")...)
	b = append(b, '\n')
	b = query.appendCanonical(b, "")
	b = append(b, '\n')
	for _, lower := range signed {
		value := r.Host
		if lower != "host" {
			value = strings.Join(r.Header[textproto.CanonicalMIMEHeaderKey(lower)], ",")
		}
		b = append(b, lower...)
		b = append(b, ':')
		b = append(b, strings.TrimSpace(value)...)
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, s.signedHeaders...)
	b = append(b, '\n')
	return append(b, r.BodyHash...), nil
}
