package acs

import (
	"net/url"
	"slices"
	"strings"
)

// Param is one parameter of a request, decoded.
type Param struct{ Key, Value string }

// Params are the parameters of a request, sorted by key; each key comes once.
type Params []Param

// MaxParams bounds how many parameters a request may have: twenty tags and all
// that any operation takes are under a hundred.
const MaxParams = 1000

// usualParams is how many parameters a request has as a rule, at most: those of the
// signature and a few.
const usualParams = 16

// ParseParams reads the query of the URL and the body, if it is a form ("" if it is
// not). Both are decoded as forms. The error is an *Error: what cannot be decoded,
// and a parameter that comes twice, for nothing says which of the two counts.
func ParseParams(query, form string) (Params, error) {
	all := make(Params, 0, usualParams)
	for _, text := range []string{query, form} {
		for text != "" {
			var pair string
			pair, text, _ = strings.Cut(text, "&")
			if pair == "" {
				continue
			}
			key, value, _ := strings.Cut(pair, "=")
			key, err := url.QueryUnescape(key)
			if err != nil {
				return nil, undecodable()
			}
			if value, err = url.QueryUnescape(value); err != nil || len(all) == MaxParams {
				return nil, undecodable()
			}
			all = append(all, Param{key, value})
		}
	}
	all.Sort()
	for i := 1; i < len(all); i++ {
		if all[i].Key == all[i-1].Key {
			return nil, twice(all[i].Key)
		}
	}
	return all, nil
}

// Lookup returns the value of a key and whether it was sent.
func (p Params) Lookup(key string) (string, bool) {
	i, ok := slices.BinarySearchFunc(p, key, func(x Param, k string) int { return strings.Compare(x.Key, k) })
	if !ok {
		return "", false
	}
	return p[i].Value, true
}

// Get returns the value of a key, "" if it was not sent.
func (p Params) Get(key string) string {
	v, _ := p.Lookup(key)
	return v
}

const upperHex = "0123456789ABCDEF"

// appendEscaped appends s in percent-encoding as both signatures have it: all but
// the unreserved characters of RFC 3986, section 2.3, in upper-case hexadecimal.
func appendEscaped(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

// appendCanonical appends the parameters but one as a canonical query.
func (p Params) appendCanonical(b []byte, without string) []byte {
	first := true
	for i := range p {
		if p[i].Key == without {
			continue
		}
		if !first {
			b = append(b, '&')
		}
		first = false
		b = appendEscaped(b, p[i].Key)
		b = append(b, '=')
		b = appendEscaped(b, p[i].Value)
	}
	return b
}
