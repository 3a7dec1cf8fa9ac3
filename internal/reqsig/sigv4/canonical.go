package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// canonical holds what goes into a canonical request besides the request.
type canonical struct {
	signedHeaders string // lower-case names joined by ';'
	payload       string // hash, or one of the constants of S3
	rawPath       bool   // path as it stands, see Options.RawPath
	dropSignature bool   // leave X-Amz-Signature out of the query
	dropToken     bool   // leave X-Amz-Security-Token out of the query
}

// hash returns the SHA-256 of the canonical request
// (SigV4 "Create a canonical request").
func (c canonical) hash(r *Request) ([sha256.Size]byte, error) {
	var room [2048]byte
	b, err := c.append(room[:0], r)
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(b), nil
}

func (c canonical) append(b []byte, r *Request) ([]byte, error) {
	if !oneLine(r.Method) || !oneLine(r.Host) {
		return b, badQuery("The request's method or host holds a line break.")
	}
	b = append(b, r.Method...)
	b = append(b, '\n')
	b, err := appendPath(b, r.Path, c.rawPath)
	if err != nil {
		return b, err
	}
	b = append(b, '\n')
	if b, err = appendQuery(b, r.Query, c); err != nil {
		return b, err
	}
	b = append(b, '\n')
	if b, err = appendHeaders(b, r, c.signedHeaders); err != nil {
		return b, err
	}
	b = append(b, '\n')
	b = append(b, c.signedHeaders...)
	b = append(b, '\n')
	return append(b, c.payload...), nil
}

// oneLine guards the line-based canonical form against values that bring lines
// of their own; net/http lets none through, other callers might.
func oneLine(s string) bool { return strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 }

// appendPath appends the canonical path (see Options.RawPath).
func appendPath(b []byte, path string, raw bool) ([]byte, error) {
	if raw {
		return appendRawPath(b, path)
	}
	root := len(b)
	for rest, more := path, true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		switch segment {
		case "", ".":
		case "..":
			b = b[:root+max(0, bytes.LastIndexByte(b[root:], '/'))]
		default:
			b = append(b, '/')
			b = appendEscaped(b, segment)
		}
	}
	if len(b) == root || strings.HasSuffix(path, "/") {
		b = append(b, '/')
	}
	return b, nil
}

func appendRawPath(b []byte, path string) ([]byte, error) {
	if path == "" {
		return append(b, '/'), nil
	}
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '/' {
			b = append(b, c)
			continue
		}
		if c == '%' {
			d, ok := unhex(path, i)
			if !ok {
				return b, badQuery("The path holds an escape that does not decode.")
			}
			c, i = d, i+2
		}
		b = appendByte(b, c) // "%2F" stays one: it is not a separator
	}
	return b, nil
}

// pair is one query parameter, encoded, as offsets into a buffer.
type pair struct{ key, eq, end int }

// appendQuery appends the parameters, decoded and encoded anew, in order of
// name and then of value. A "+" is a space, as it is to all that read the
// query afterwards.
func appendQuery(b []byte, query string, c canonical) ([]byte, error) {
	if query == "" {
		return b, nil
	}
	var textRoom [1024]byte
	var pairRoom [24]pair
	text, pairs := textRoom[:0], pairRoom[:0]
	for param := range strings.SplitSeq(query, "&") {
		if param == "" {
			continue
		}
		name, value, _ := strings.Cut(param, "=")
		p := pair{key: len(text)}
		var ok1, ok2 bool
		text, ok1 = appendReescaped(text, name)
		p.eq = len(text)
		text, ok2 = appendReescaped(text, value)
		p.end = len(text)
		if !ok1 || !ok2 {
			return b, badQuery("The query string contains an escape that does not decode.")
		}
		switch string(text[p.key:p.eq]) {
		case qSignature:
			if c.dropSignature {
				continue
			}
		case qToken:
			if c.dropToken {
				continue
			}
		}
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(x, y pair) int {
		if d := bytes.Compare(text[x.key:x.eq], text[y.key:y.eq]); d != 0 {
			return d
		}
		return bytes.Compare(text[x.eq:x.end], text[y.eq:y.end])
	})
	for i, p := range pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, text[p.key:p.eq]...)
		b = append(b, '=')
		b = append(b, text[p.eq:p.end]...)
	}
	return b, nil
}

// appendHeaders appends name:value for each signed header.
func appendHeaders(b []byte, r *Request, signed string) ([]byte, error) {
	for name := range strings.SplitSeq(signed, ";") {
		b = append(b, name...)
		b = append(b, ':')
		if name == "host" {
			b = appendTrimmed(b, r.Host)
			b = append(b, '\n')
			continue
		}
		for i, v := range r.values(name) {
			if !oneLine(v) {
				return b, badQuery("The header '" + name + "' holds a line break.")
			}
			if i > 0 {
				b = append(b, ',')
			}
			b = appendTrimmed(b, v)
		}
		b = append(b, '\n')
	}
	return b, nil
}

// appendTrimmed appends a header value without white space around it and with
// one space for each run of them.
func appendTrimmed(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	for {
		i := strings.Index(v, "  ")
		if i < 0 {
			return append(b, v...)
		}
		b = append(b, v[:i+1]...)
		v = strings.TrimLeft(v[i:], " ")
	}
}

// appendEscaped percent-encodes all but the unreserved (RFC 3986 section 2.3).
func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		b = appendByte(b, s[i])
	}
	return b
}

// appendReescaped decodes a query component and encodes it again.
func appendReescaped(b []byte, s string) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			b = append(b, "%20"...)
		case '%':
			d, ok := unhex(s, i)
			if !ok {
				return b, false
			}
			b = appendByte(b, d)
			i += 2
		default:
			b = appendByte(b, c)
		}
	}
	return b, true
}

func appendByte(b []byte, c byte) []byte {
	if unreserved(c) {
		return append(b, c)
	}
	const upper = "0123456789ABCDEF"
	return append(b, '%', upper[c>>4], upper[c&15])
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}

// unhex decodes the escape at s[i].
func unhex(s string, i int) (byte, bool) {
	if i+2 >= len(s) {
		return 0, false
	}
	hi, ok1 := nibble(s[i+1])
	lo, ok2 := nibble(s[i+2])
	return hi<<4 | lo, ok1 && ok2
}

func nibble(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// signature computes the signature over a canonical request's hash
// (SigV4 "Create a string to sign", "Calculate the signature").
func signature(key SigningKey, date string, s Scope, requestHash [sha256.Size]byte) [2 * sha256.Size]byte {
	var room [256]byte
	b := append(room[:0], algorithm+"\n"...)
	b = append(b, date...)
	b = append(b, '\n')
	b = appendScope(b, s)
	b = append(b, '\n')
	b = hex.AppendEncode(b, requestHash[:])
	return hexMAC(key, b)
}

func hexMAC(key SigningKey, msg []byte) (out [2 * sha256.Size]byte) {
	mac := hmacSHA256(string(key[:]), msg)
	hex.Encode(out[:], mac[:])
	return out
}

func appendScope(b []byte, s Scope) []byte {
	b = append(b, s.Date...)
	b = append(b, '/')
	b = append(b, s.Region...)
	b = append(b, '/')
	b = append(b, s.Service...)
	return append(b, "/"+terminator...)
}
