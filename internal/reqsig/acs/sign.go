package acs

import (
	"slices"
	"strings"
	"time"
)

// Credentials are an access key that signs.
type Credentials struct{ AccessKeyID, Secret string }

// common are the parameters that belong to a signature and not to the operation
// (OpenAPI, "RPC mechanism: common request parameters").
var common = []string{
	"AccessKeyId", "BearerToken", "SecurityToken", "Signature", "SignatureMethod", "SignatureNonce", "SignatureType", "SignatureVersion", "Timestamp",
}

// IsCommon reports whether a parameter belongs to a signature, in any spelling of
// its case: who reads parameters leniently must not take one for another's.
func IsCommon(key string) bool {
	return slices.ContainsFunc(common, func(c string) bool { return strings.EqualFold(c, key) })
}

// Sign adds an RPC signature (version 1.0) to the parameters of a request, none of
// which may be those of a signature. The nonce must be new for every request.
func (c Credentials) Sign(method string, p Params, nonce string, now time.Time) Params {
	p = append(slices.Clone(p),
		Param{"AccessKeyId", c.AccessKeyID}, Param{"SignatureMethod", "HMAC-SHA1"}, Param{"SignatureNonce", nonce},
		Param{"SignatureVersion", "1.0"}, Param{"Timestamp", now.UTC().Format(timeForm)},
	)
	p.Sort()
	p = append(p, Param{"Signature", rpcSignature(rpcStringToSign(method, p), []byte(c.Secret))})
	p.Sort()
	return p
}

// Sort puts parameters into the order in which Lookup expects them.
func (p Params) Sort() {
	slices.SortFunc(p, func(a, b Param) int { return strings.Compare(a.Key, b.Key) })
}

// Encode writes the parameters as a query or a form.
func (p Params) Encode() string { return string(p.appendCanonical(nil, "")) }
