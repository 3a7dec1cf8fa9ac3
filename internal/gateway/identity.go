package gateway

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers that tell the upstream who the caller is. They are set on every
// forwarded request, and no other header whose name begins alike is passed on.
const (
	HeaderCaller    = "Warifu-Caller-Arn"    // the caller, a session included
	HeaderPrincipal = "Warifu-Principal-Arn" // what policies call the caller
	HeaderUniqueID  = "Warifu-Principal-Id"
	HeaderAccount   = "Warifu-Account"
	HeaderAccessKey = "Warifu-Access-Key-Id"
	HeaderMFA       = "Warifu-Mfa"     // "true" or "false"
	HeaderMFAAge    = "Warifu-Mfa-Age" // seconds since the factor was proved; only with Warifu-Mfa: true
	HeaderRequestID = "Warifu-Request-Id"
	HeaderAction    = "Warifu-Action" // what was allowed: "s3:GetObject"
)

// ours is how the headers above begin, in the spelling that folded gives.
const ours = "warifu-"

// folded is a header's name as the most lenient reader might take it: case does
// not count, and what is neither letter nor digit is a hyphen. Servers that turn
// headers into environment variables or into identifiers read "Warifu_Mfa" and
// "Warifu.Mfa" as "Warifu-Mfa".
func folded(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case 'A' <= c && c <= 'Z':
			return c + 'a' - 'A'
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
			return c
		}
		return '-'
	}, name)
}

// withheld are headers, folded, that are the gateway's business or that would
// make an upstream carry out another request than the one that was judged.
var withheld = map[string]bool{
	"authorization": true, "x-amz-security-token": true, "x-amz-date": true, "date": true,
	"cookie": true, "expect": true, "upgrade": true, "http2-settings": true, "te": true, "trailer": true,
	"x-http-method-override": true, "x-http-method": true, "x-method-override": true,
	"x-original-url": true, "x-rewrite-url": true, "x-original-uri": true, "x-forwarded-uri": true,
	"x-forwarded-for": true, "x-forwarded-host": true, "x-forwarded-proto": true, "x-forwarded-port": true,
	"x-forwarded-prefix": true, "x-forwarded-server": true, "x-real-ip": true, "forwarded": true, "via": true,
	"x-amz-expected-bucket-owner": true, "x-amz-source-expected-bucket-owner": true, // judged here
	"host": true, "content-length": true, "transfer-encoding": true,
}

// cleanse removes from a client's headers those that must not reach the
// upstream: ours in any spelling, and those withheld. A header that is spelled
// like one of AWS's but with other separators ("X_Amz_Acl") goes, too: policy
// did not see it.
func cleanse(h http.Header) {
	for name := range h {
		f := folded(name)
		foreign := strings.HasPrefix(f, "x-amz-") && !strings.EqualFold(f, name)
		if strings.HasPrefix(f, ours) || withheld[f] || foreign {
			delete(h, name)
		}
	}
}

// identify writes the identity headers. Call cleanse first.
func (p *passage) identify(h http.Header) {
	c := &p.caller
	h[HeaderCaller] = []string{c.ARN()}
	h[HeaderPrincipal] = []string{c.PrincipalARN()}
	h[HeaderUniqueID] = []string{c.UniqueID()}
	h[HeaderAccount] = []string{c.Account.String()}
	h[HeaderAccessKey] = []string{c.AccessKey}
	h[HeaderRequestID] = []string{p.id}
	h[HeaderAction] = []string{cmp.Or(p.derived.Needs[0].RAM, p.derived.Needs[0].Action)}
	h[HeaderMFA] = []string{strconv.FormatBool(c.MFA.Present)}
	if c.MFA.Present {
		h[HeaderMFAAge] = []string{strconv.FormatInt(int64(p.at.Sub(c.MFA.At)/time.Second), 10)}
	}
}
