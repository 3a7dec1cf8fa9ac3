package gateway

import (
	"crypto/tls"
	"math"
	"strconv"
	"strings"
	"time"

	"warifu/policy"
)

func (d *Derived) key(name, value string) { d.Keys.Set(name, policy.String(value)) }

// signatureKeys are the keys that every S3 request has.
func (d *Derived) signatureKeys(v *View) {
	d.key("s3:ResourceAccount", v.Account)
	d.key("s3:signatureversion", "AWS4-HMAC-SHA256")
	d.key("s3:authType", "REST-HEADER")
	if v.Presigned {
		d.key("s3:authType", "REST-QUERY-STRING")
	}
	d.Keys.Set("s3:signatureAge", policy.Int(v.Now.Sub(v.Signed).Milliseconds()))
	if v.Payload != "" {
		d.key("s3:x-amz-content-sha256", v.Payload)
	}
	if v.TLS != "" {
		d.key("s3:TlsVersion", v.TLS)
	}
}

// tlsVersion spells a TLS version as s3:TlsVersion does.
func tlsVersion(state *tls.ConnectionState) string {
	if state == nil {
		return ""
	}
	switch state.Version {
	case tls.VersionTLS12:
		return "1.2"
	case tls.VersionTLS13:
		return "1.3"
	}
	return ""
}

// headerKeys are the headers that are condition keys of the same name
// (service authorization reference, "Condition keys for Amazon S3").
var headerKeys = []string{
	"X-Amz-Acl", "X-Amz-Grant-Full-Control", "X-Amz-Grant-Read", "X-Amz-Grant-Read-Acp", "X-Amz-Grant-Write",
	"X-Amz-Grant-Write-Acp", "X-Amz-Metadata-Directive", "X-Amz-Object-Ownership", "X-Amz-Server-Side-Encryption",
	"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "X-Amz-Server-Side-Encryption-Customer-Algorithm",
	"X-Amz-Storage-Class", "X-Amz-Website-Redirect-Location", "If-Match", "If-None-Match",
}

// s3Keys collects the condition keys that stand in the query and the headers.
func (d *Derived) s3Keys(r *s3Request) {
	for _, header := range headerKeys {
		switch values := r.Header[header]; len(values) {
		case 0:
		case 1:
			d.key("s3:"+header, strings.TrimSpace(values[0]))
		default:
			d.key("s3:"+header, strings.Join(values, ","))
		}
	}
	if r.row.extra&listsKeys != 0 {
		for _, name := range []string{"prefix", "delimiter", "max-keys"} {
			if v, given := r.params[name]; given {
				d.key("s3:"+name, v)
			}
		}
	}
	if v, given := r.params["versionId"]; given {
		d.key("s3:versionid", v)
	}
	for header, name := range map[string]string{
		"X-Amz-Object-Lock-Mode": "s3:object-lock-mode", "X-Amz-Object-Lock-Legal-Hold": "s3:object-lock-legal-hold",
		"X-Amz-Object-Lock-Retain-Until-Date": "s3:object-lock-retain-until-date",
	} {
		if v := r.Header.Get(header); v != "" {
			d.key(name, v)
		}
	}
	if until, err := time.Parse(time.RFC3339, r.Header.Get("X-Amz-Object-Lock-Retain-Until-Date")); err == nil {
		days := math.Ceil(until.Sub(r.Now).Hours() / 24)
		d.key("s3:object-lock-remaining-retention-days", strconv.Itoa(int(days)))
	}
}

// objectTags are the keys of tags that a request puts on an object.
func (d *Derived) objectTags(tags []Tag) {
	names := make([]string, len(tags))
	for i, t := range tags {
		d.key("s3:RequestObjectTag/"+t.Key, t.Value)
		names[i] = t.Key
	}
	if len(names) > 0 {
		d.Keys.Set("s3:RequestObjectTagKeys", policy.Strings(names...))
	}
}

// taggingHeader reads x-amz-tagging, which is spelled like a query string.
func (d *Derived) taggingHeader(value string) error {
	list, err := parseParams(value)
	if err != nil {
		return err
	}
	tags := make([]Tag, len(list))
	for i, p := range list {
		tags[i] = Tag{p.name, p.value}
	}
	if err := distinct(tags); err != nil {
		return err
	}
	d.objectTags(tags)
	return nil
}

// distinct refuses two values for one tag: policy would judge one of them.
// Condition keys do not tell case apart, so neither does this.
func distinct(tags []Tag) error {
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		lower := strings.ToLower(t.Key)
		if seen[lower] {
			return refuse(Malformed, "Cannot provide multiple Tags with the same key")
		}
		seen[lower] = true
	}
	return nil
}
