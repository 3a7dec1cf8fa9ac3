package acs

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
)

// parseRPC reads the common parameters (OpenAPI, "RPC mechanism: common request
// parameters").
func parseRPC(p Params) (s Signature, err error) {
	for _, key := range []string{"AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp"} {
		if p.Get(key) == "" {
			return s, missing(key)
		}
	}
	// SignatureType tells how a token signs; clients that have a key send it empty.
	if p.Get("SignatureMethod") != "HMAC-SHA1" || p.Get("SignatureVersion") != "1.0" || p.Get("SignatureType") != "" {
		return s, badMethod()
	}
	s = Signature{
		AccessKeyID: p.Get("AccessKeyId"), Token: p.Get("SecurityToken"), signature: p.Get("Signature"),
		Action: p.Get("Action"), Version: p.Get("Version"),
	}
	return s, cmp.Or(s.setTime(p.Get("Timestamp")), s.setNonce(p.Get("SignatureNonce")))
}

// rpcStringToSign is METHOD & "/" & canonical query, the last two escaped; the
// canonical query has every parameter but the signature.
func rpcStringToSign(method string, p Params) []byte {
	canonical := p.appendCanonical(make([]byte, 0, 1024), "Signature")
	b := make([]byte, 0, 2*len(canonical)+32)
	b = append(b, method...)
	b = append(b, "&%2F&"...)
	return appendEscaped(b, string(canonical))
}

// rpcSignature is the HMAC under the secret and an ampersand.
func rpcSignature(stringToSign, secret []byte) string {
	mac := hmac.New(sha1.New, append(append(make([]byte, 0, len(secret)+1), secret...), '&'))
	mac.Write(stringToSign)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func (s *Signature) verifyRPC(r *Request, p Params, secret []byte) error {
	text := rpcStringToSign(r.Method, p)
	if subtle.ConstantTimeCompare([]byte(rpcSignature(text, secret)), []byte(s.signature)) != 1 {
		return mismatch(string(text))
	}
	return nil
}
