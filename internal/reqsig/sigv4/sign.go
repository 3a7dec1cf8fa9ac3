package sigv4

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credentials sign. They print as the access key id alone.
type Credentials struct {
	AccessKeyID string
	Secret      string
	Token       string // session token, "" for a long-term key
}

// Format implements fmt.Formatter, whatever the verb: a secret never reaches a log.
func (c Credentials) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.AccessKeyID + "/[sealed]")) }

// SignOptions say for whom to sign.
type SignOptions struct {
	Region    string
	Service   string
	RawPath   bool // see Options.RawPath
	S3        bool // implies RawPath; x-amz-content-sha256 is added
	LateToken bool // add the session token after signing (see Options.LateToken)
}

// notSigned are headers that change or are made on the way, so that nobody can
// sign them.
var notSigned = map[string]bool{
	"Authorization": true, "User-Agent": true, "X-Amzn-Trace-Id": true, "Expect": true,
	"Connection": true, "Keep-Alive": true, "Proxy-Authorization": true, "Proxy-Connection": true,
	"Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// Sign signs a request in its header: it sets X-Amz-Date, Authorization and,
// where they apply, X-Amz-Security-Token and X-Amz-Content-Sha256, and signs
// host and all headers that are there but those that change on the way. A
// header that will not be sent as it stands (a Content-Length, say, if the body
// is decoded) must not be there.
//
// r.BodyHash must be given: the body's hash, [EmptyPayload], or a constant of
// S3. The returned Signature seeds the signatures of a streamed body.
func Sign(r *Request, c Credentials, now time.Time, o SignOptions) (Signature, error) {
	if r.BodyHash == "" {
		return Signature{}, errors.New("sigv4: BodyHash is empty: give the body's hash or EmptyPayload")
	}
	if r.Header == nil {
		r.Header = make(map[string][]string)
	}
	s := newSignature(c, now, o)
	delete(r.Header, "Authorization")
	delete(r.Header, "X-Amz-Security-Token")
	r.Header["X-Amz-Date"] = []string{s.date}
	if o.S3 {
		r.Header["X-Amz-Content-Sha256"] = []string{r.BodyHash}
	}
	addToken := func() {
		if c.Token != "" {
			r.Header["X-Amz-Security-Token"] = []string{c.Token}
		}
	}
	if !o.LateToken {
		addToken()
	}
	s.SignedHeaders = signable(r.Header)
	if err := s.sign(r, c, o, r.BodyHash); err != nil {
		return Signature{}, err
	}
	if o.LateToken {
		addToken()
	}
	r.Header["Authorization"] = []string{algorithm + " Credential=" + s.credential() +
		", SignedHeaders=" + s.SignedHeaders + ", Signature=" + s.signature}
	return s, nil
}

// Presign signs a request in its query, to be valid for a time of 1 s to 7
// days, and returns the new query. The headers of r, if any, must be sent with
// the request as they are. For S3 the body is not signed; for others
// r.BodyHash counts, and "" means no body.
func Presign(r *Request, c Credentials, now time.Time, expires time.Duration, o SignOptions) (string, error) {
	if expires < time.Second || expires > maxExpires {
		return "", fmt.Errorf("sigv4: a presigned request lives from 1 s to %v, not %v", maxExpires, expires)
	}
	s := newSignature(c, now, o)
	s.Presigned, s.Expires = true, expires
	s.SignedHeaders = signable(r.Header)
	q := *r
	q.add(qAlgorithm, algorithm)
	q.add(qCredential, s.credential())
	q.add(qDate, s.date)
	q.add(qExpires, strconv.FormatInt(int64(expires/time.Second), 10))
	q.add(qSignedHeaders, s.SignedHeaders)
	if c.Token != "" {
		q.add(qToken, c.Token)
	}
	payload := r.BodyHash
	switch {
	case o.S3:
		payload = UnsignedPayload
	case payload == "":
		payload = EmptyPayload
	}
	if err := s.sign(&q, c, o, payload); err != nil {
		return "", err
	}
	q.add(qSignature, s.signature)
	return q.Query, nil
}

func newSignature(c Credentials, now time.Time, o SignOptions) Signature {
	now = now.UTC().Truncate(time.Second)
	date := now.Format(isoBasic)
	return Signature{
		AccessKeyID: c.AccessKeyID, Token: c.Token, Time: now, date: date, terminator: terminator,
		Scope: Scope{Date: date[:len("20060102")], Region: o.Region, Service: o.Service},
	}
}

func (s *Signature) sign(r *Request, c Credentials, o SignOptions, payload string) error {
	s.Payload = payload
	sum, err := canonical{
		signedHeaders: s.SignedHeaders, payload: payload, rawPath: o.RawPath || o.S3, dropToken: s.Presigned && o.LateToken,
	}.hash(r)
	if err != nil {
		return err
	}
	sig := signature(DeriveKey(c.Secret, s.Scope), s.date, s.Scope, sum)
	s.signature = string(sig[:])
	return nil
}

func (s *Signature) credential() string {
	return string(appendScope([]byte(s.AccessKeyID+"/"), s.Scope))
}

// add appends a query parameter.
func (r *Request) add(name, value string) {
	if r.Query != "" {
		r.Query += "&"
	}
	r.Query += name + "=" + string(appendEscaped(nil, value))
}

// signable lists host and the headers that can be signed.
func signable(header map[string][]string) string {
	names := []string{"host"}
	for name := range header {
		if !notSigned[name] && name != "Host" {
			names = append(names, strings.ToLower(name))
		}
	}
	slices.Sort(names)
	return strings.Join(names, ";")
}
