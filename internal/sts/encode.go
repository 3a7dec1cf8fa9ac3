package sts

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"

	"warifu/internal/fault"
	"warifu/internal/name"
)

// The content of a token: the secret key, the numbers as varints, the short
// texts with their lengths, one byte that says whether the rest is deflated, and
// the rest: policies and tags. The secret stays out of what is deflated, so that
// a token's length tells nothing of it.

// MaxPacked is the room in a token for policies and tags, in bytes after
// compression. It keeps tokens under 4,096 characters, which every client must
// take.
const MaxPacked = 2048

// maxPlain bounds policies and tags before compression: 2,048 characters of
// policy and 50 tags at their longest, in four-byte characters.
const maxPlain = 128 << 10

// deflateFrom is from how many bytes on policies and tags are deflated in the
// token: below, the token is under 1 KiB anyway, and expanding it would be the
// largest part of every Open.
const deflateFrom = 512

const (
	bitMFA = 1 << iota
	bitRemembered
	bitChained
)

func encode(c *Claims, secret [secretBytes]byte) ([]byte, error) {
	rest := packRest(c.Policies, c.PolicyARNs, c.Tags)
	packed := deflate(rest)
	if len(packed) > MaxPacked || len(rest) > maxPlain {
		return nil, tooLarge(len(packed))
	}
	bits := byte(0)
	for i, set := range []bool{c.MFA, c.Remembered, c.Chained} {
		if set {
			bits |= 1 << i
		}
	}
	b := append(make([]byte, 0, 256+len(packed)), secret[:]...)
	b = append(b, byte(c.Kind), bits)
	for _, n := range []int64{int64(c.Account), int64(c.User), int64(c.Role), c.Issued.Unix(), c.Expires.Unix() - c.Issued.Unix()} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	if c.MFA {
		b = binary.AppendUvarint(b, uint64(c.MFAAt.Unix()))
	}
	b = appendStrings(b, c.MFAMethods)
	b = appendString(b, c.SessionName)
	b = appendString(b, c.SourceIdentity)
	if len(rest) > deflateFrom && len(packed) < len(rest) {
		return append(append(b, 1), packed...), nil
	}
	return append(append(b, 0), rest...), nil
}

var errClaims = errors.New("sts: the content of a token is not readable")

func (c *Codec) decode(b []byte) (*Claims, []byte, error) {
	if len(b) < secretBytes+2 {
		return nil, nil, errClaims
	}
	secret, r := b[:secretBytes], reader{b: b[secretBytes+2:]}
	bits := b[secretBytes+1]
	claims := &Claims{
		Kind: Kind(b[secretBytes]), MFA: bits&bitMFA != 0, Remembered: bits&bitRemembered != 0, Chained: bits&bitChained != 0,
		Account: name.Account(r.number()), User: name.ID(r.number()), Role: name.ID(r.number()),
	}
	issued := r.number()
	claims.Issued, claims.Expires = unix(issued), unix(issued+r.number())
	if claims.MFA {
		claims.MFAAt = unix(r.number())
	}
	claims.MFAMethods = r.strings()
	claims.SessionName, claims.SourceIdentity = r.string(), r.string()
	deflated := r.number() == 1
	if r.bad {
		return nil, nil, errClaims
	}
	if deflated {
		rest, err := c.expand(r.b, maxPlain)
		if err != nil {
			return nil, nil, err
		}
		r.b = rest
	}
	if len(r.b) > 0 {
		claims.Policies, claims.PolicyARNs, claims.Tags = r.strings(), r.strings(), r.tags()
	}
	if r.bad || len(r.b) > 0 {
		return nil, nil, errClaims
	}
	return claims, secret, nil
}

func unix(s int64) time.Time { return time.Unix(s, 0).UTC() }

// packRest is nothing when there is nothing, as in most tokens.
func packRest(policies, arns []string, tags []Tag) []byte {
	if len(policies)+len(arns)+len(tags) == 0 {
		return nil
	}
	b := appendStrings(nil, policies)
	b = appendStrings(b, arns)
	b = binary.AppendUvarint(b, uint64(len(tags)))
	for _, t := range tags {
		b = appendString(b, t.Key)
		b = appendString(b, t.Value)
		transitive := byte(0)
		if t.Transitive {
			transitive = 1
		}
		b = append(b, transitive)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendStrings(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendString(b, s)
	}
	return b
}

// reader takes values from b until one is bad; from then on all are zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) number() int64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > 1<<62 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[size:]
	return int64(n)
}

func (r *reader) string() string {
	n := r.number()
	if n > int64(len(r.b)) {
		r.b, r.bad = nil, true
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// count reads how many items follow; each takes a byte or more.
func (r *reader) count() int64 {
	n := r.number()
	if n > int64(len(r.b)) {
		r.b, r.bad = nil, true
		return 0
	}
	return n
}

func (r *reader) strings() (list []string) {
	for range r.count() {
		list = append(list, r.string())
	}
	return list
}

func (r *reader) tags() (list []Tag) {
	for range r.count() {
		list = append(list, Tag{Key: r.string(), Value: r.string(), Transitive: r.number() == 1})
	}
	return list
}

// deflate returns b compressed (RFC 1951), or nothing for nothing.
func deflate(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		panic("sts: flate refuses its own level: " + err.Error())
	}
	w.Write(b) // a bytes.Buffer takes everything
	w.Close()
	return out.Bytes()
}

// expand undoes deflate, up to max bytes. Bytes after the end are ignored: they
// were authenticated with the rest.
func (c *Codec) expand(b []byte, max int) ([]byte, error) {
	r, ok := c.inflate.Get().(io.ReadCloser)
	if !ok {
		r = flate.NewReader(nil)
	}
	defer c.inflate.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(b), nil); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(io.LimitReader(r, int64(max)+1)); err != nil {
		return nil, err
	}
	if out.Len() > max {
		return nil, errClaims
	}
	return slices.Clip(out.Bytes()), nil
}

// PackedSize is how full policies and tags make a token, in per cent of
// MaxPacked, rounded up: AWS's PackedPolicySize. Nothing takes 0. Over 100 the
// error is a fault.Limit, noun "packed policy", named by the percentage.
func PackedSize(policies, arns []string, tags []Tag) (percent int, err error) {
	n := len(deflate(packRest(policies, arns, tags)))
	if n > MaxPacked {
		return perCent(n), tooLarge(n)
	}
	return perCent(n), nil
}

func perCent(n int) int { return (100*n + MaxPacked - 1) / MaxPacked }

func tooLarge(n int) error {
	return &fault.Error{Kind: fault.Limit, Noun: "packed policy", Name: strconv.Itoa(perCent(n)),
		What: "the session's policies and tags take " + strconv.Itoa(perCent(n)) + " % of the room that a token has"}
}
