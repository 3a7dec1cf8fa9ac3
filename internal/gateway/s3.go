package gateway

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

// maxDeleteList is the longest multi-object delete that is read: 1,000 keys of
// 1,024 bytes, escaped, with their elements and version ids.
const maxDeleteList = 4 << 20

// maxSmallXML is the longest tag set or bucket configuration that is read; ten
// tags of 128+256 characters fit many times over.
const maxSmallXML = 64 << 10

// s3Request is a request of S3's REST interface, taken apart.
type s3Request struct {
	*View
	service *Service
	bucket  string // "" for the service itself
	key     string // "" for the bucket itself
	params  map[string]string
	sub     string // the subresource
	row     *s3Row
}

// fromS3 finds the operation of a request by method, subresource and whether
// it is about an object, and lists every action that it needs.
func (d *Derived) fromS3(s *Service, v *View) error {
	r := &s3Request{View: v, service: s}
	if err := r.readParams(); err != nil {
		return err
	}
	if err := r.readPath(); err != nil {
		return err
	}
	d.signatureKeys(v)
	if r.bucket == "" {
		return d.s3Service(r)
	}
	if r.row = findS3(v.Method, r.sub, r.key != ""); r.row == nil {
		return refuse(BadMethod, "The specified method is not allowed against this resource.")
	}
	d.Operation = r.row.operation
	d.ReadOnly = v.Method == "GET" || v.Method == "HEAD" || r.row.sub == "select"
	if err := r.checkParams(); err != nil {
		return err
	}
	d.s3Keys(r)
	for _, step := range []func(*s3Request) error{d.s3Action, d.s3Copy, d.s3Headers, d.s3Body} {
		if err := step(r); err != nil {
			return err
		}
	}
	return nil
}

// s3Service is the one operation that has no bucket.
func (d *Derived) s3Service(r *s3Request) error {
	if r.Method != "GET" || r.sub != "" {
		return refuse(BadMethod, "The specified method is not allowed against this resource.")
	}
	d.Operation, d.ReadOnly = "ListBuckets", true
	d.need("ListAllMyBuckets")
	return nil
}

// readParams reads the query and finds the one subresource in it.
func (r *s3Request) readParams() error {
	if strings.Contains(r.Query, "+") {
		return refuse(Malformed, "A '+' in the query must be written %2B, and a space %20.")
	}
	list, err := parseParams(r.Query)
	if err != nil {
		return err
	}
	r.params = make(map[string]string, len(list))
	for _, p := range list {
		if _, twice := r.params[p.name]; twice {
			return refuse(Malformed, "The query parameter "+printable(p.name)+" is given twice.")
		}
		r.params[p.name] = p.value
		switch {
		case s3Subresources[p.name]:
			if r.sub != "" {
				return refuse(Malformed, "The request names two subresources, "+r.sub+" and "+p.name+".")
			}
			if p.value != "" && p.name != "uploadId" {
				return refuse(Malformed, "The subresource "+p.name+" takes no value.")
			}
			r.sub = p.name
		case !s3Params[p.name] && !(r.Presigned && isSigning(p.name)):
			return refuse(NotImplemented, "The query parameter "+printable(p.name)+" is not known.")
		}
	}
	return nil
}

// checkParams refuses parameters that would change the operation if it were
// another one.
func (r *s3Request) checkParams() error {
	if _, given := r.params["versionId"]; given && r.row.extra&takesVersion == 0 {
		return refuse(Malformed, "This operation takes no versionId.")
	}
	if v, given := r.params["list-type"]; given && v != "2" {
		return refuse(Malformed, "Invalid List Type specified in Query")
	}
	if v := r.params["select-type"]; (r.sub == "select") != (v == "2") {
		return refuse(Malformed, "select and select-type=2 go together.")
	}
	_, part := r.params["partNumber"]
	if upload := r.sub == "uploadId" && r.Method == "PUT"; upload != part && !(part && d0(r)) {
		return refuse(Malformed, "partNumber and uploadId go together.")
	}
	if r.sub == "uploadId" && r.params["uploadId"] == "" {
		return refuse(Malformed, "The upload ID is empty.")
	}
	if id := r.params["x-id"]; id != "" && id != r.row.operation && !(id == "ListObjectsV2" && r.row.operation == "ListObjects") &&
		!r.copyName(id) {
		return refuse(Malformed, "x-id names another operation than the request.")
	}
	return nil
}

// d0 reports whether the request reads an object, where partNumber picks a part.
func d0(r *s3Request) bool { return r.sub == "" && (r.Method == "GET" || r.Method == "HEAD") }

// copyName reports whether an x-id is the name that the operation has when it
// copies.
func (r *s3Request) copyName(id string) bool {
	return r.row.operation == "PutObject" && id == "CopyObject" || r.row.operation == "UploadPart" && id == "UploadPartCopy"
}

// readPath finds bucket and key in the path and, for a virtual host, the host.
func (r *s3Request) readPath() error {
	rest, absolute := strings.CutPrefix(r.Path, "/")
	if !absolute {
		return refuse(Malformed, "The path must begin with '/'.")
	}
	bucket := r.service.bucketOfHost(r.Host)
	if bucket == "" {
		bucket, rest, _ = strings.Cut(rest, "/")
		var err error
		if bucket, err = url.PathUnescape(bucket); err != nil {
			return refuse(Malformed, "The path has an escape that does not decode.")
		}
		if bucket == "" {
			if rest != "" {
				return refuse(BadBucket, "The specified bucket is not valid.")
			}
			return nil
		}
	}
	key, err := url.PathUnescape(rest)
	if err != nil {
		return refuse(Malformed, "The path has an escape that does not decode.")
	}
	r.bucket, r.key = bucket, key
	if !bucketName(bucket) {
		return refuse(BadBucket, "The specified bucket is not valid.")
	}
	return r.service.checkKey(key)
}

// bucketOfHost returns the bucket of a virtual-hosted request: what stands
// before one of the service's domains.
func (s *Service) bucketOfHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	for _, domain := range s.Domains {
		if at := len(host) - len(domain); at > 1 && host[at-1] == '.' && strings.EqualFold(host[at:], domain) {
			return strings.ToLower(host[:at-1])
		}
	}
	return ""
}

// bucketName reports whether s is a general purpose bucket's name. The
// reserved suffixes are those of directory buckets and access point aliases,
// which are authorised on other resources.
func bucketName(s string) bool {
	if len(s) < 3 || len(s) > 63 || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !letter && (c != '-' && c != '.' || i == 0 || i == len(s)-1) {
			return false
		}
	}
	return !slices.ContainsFunc([]string{"--x-s3", "-s3alias", "--ol-s3", ".mrap", "--table-s3"},
		func(suffix string) bool { return strings.HasSuffix(s, suffix) })
}

// checkKey refuses keys that an upstream on a file system would read as
// another one: with segments that are ".", ".." or empty. S3 itself takes them
// as they stand; Service.LiteralKeys says that the upstream does, too.
func (s *Service) checkKey(key string) error {
	if len(key) > 1024 {
		return refuse(Malformed, "Your key is too long")
	}
	if strings.IndexByte(key, 0) >= 0 {
		return refuse(Malformed, "The key holds a NUL.")
	}
	if s.LiteralKeys {
		return nil
	}
	for rest, more := key, key != ""; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if segment == "." || segment == ".." || segment == "" && more || strings.Contains(segment, "\\") {
			return refuse(UnclearTarget, "The key has a segment that is empty, '.' or '..', or a '\\', which this service may not tell apart from another key.")
		}
	}
	return nil
}

func bucketARN(bucket string) string      { return "arn:aws:s3:::" + bucket }
func objectARN(bucket, key string) string { return "arn:aws:s3:::" + bucket + "/" + key }

// target is the ARN that the operation's own action is authorised on.
func (r *s3Request) target() string {
	if r.key == "" {
		return bucketARN(r.bucket)
	}
	return objectARN(r.bucket, r.key)
}

// versioned picks the action for the version that the request names.
func (r *s3Request) versioned(plain, version string) string {
	if _, given := r.params["versionId"]; given && version != "" {
		return version
	}
	return plain
}

// s3Action adds the operation's own action, and that of S3's implied ones.
func (d *Derived) s3Action(r *s3Request) error {
	if r.row.action != "" {
		d.need(r.versioned(r.row.action, r.row.version), r.target())
	}
	if r.row.extra&needsGet != 0 {
		d.need(r.versioned("GetObject", "GetObjectVersion"), r.target())
	}
	return nil
}

// s3Copy adds the right to read what a copy reads.
func (d *Derived) s3Copy(r *s3Request) error {
	source, err := r.one("X-Amz-Copy-Source")
	if err != nil || source == "" {
		return err
	}
	if r.row.extra&takesCopy == 0 {
		return refuse(Malformed, "This operation takes no x-amz-copy-source.")
	}
	if strings.Contains(source, "+") {
		return refuse(Malformed, "A '+' in x-amz-copy-source must be written %2B, and a space %20.")
	}
	path, version, hasVersion := strings.Cut(source, "?")
	if hasVersion {
		var named bool
		if version, named = strings.CutPrefix(version, "versionId="); !named || version == "" || strings.Contains(version, "&") {
			return refuse(Malformed, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
		}
	}
	path, err = url.PathUnescape(strings.TrimPrefix(path, "/"))
	bucket, key, _ := strings.Cut(path, "/")
	if err != nil || key == "" || !bucketName(bucket) {
		return refuse(Malformed, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	if err := r.service.checkKey(key); err != nil {
		return err
	}
	action := "GetObject"
	if hasVersion {
		if version, err = url.PathUnescape(version); err != nil {
			return refuse(Malformed, "The version ID of the copy source does not decode.")
		}
		action = "GetObjectVersion"
		d.key("s3:versionid", version)
	}
	d.need(action, objectARN(bucket, key))
	d.key("s3:x-amz-copy-source", bucket+"/"+key)
	if r.sub == "uploadId" {
		d.Operation = "UploadPartCopy"
	} else {
		d.Operation = "CopyObject"
	}
	return nil
}

// s3Headers adds the actions that headers imply: tags, ACLs, locks.
func (d *Derived) s3Headers(r *s3Request) error {
	for _, header := range ownerHeaders {
		if owner, err := r.one(header); err != nil {
			return err
		} else if owner != "" && owner != r.Account {
			return refuse(OtherOwner, "Access Denied")
		}
	}
	extra := r.row.extra
	if extra&takesObject != 0 {
		if tagging, err := r.one("X-Amz-Tagging"); err != nil {
			return err
		} else if tagging != "" {
			if err := d.taggingHeader(tagging); err != nil {
				return err
			}
			d.need("PutObjectTagging", r.target())
		}
		if r.hasACL() {
			d.need("PutObjectAcl", r.target())
		}
		if r.has("X-Amz-Object-Lock-Mode") || r.has("X-Amz-Object-Lock-Retain-Until-Date") {
			d.need("PutObjectRetention", r.target())
		}
		if r.has("X-Amz-Object-Lock-Legal-Hold") {
			d.need("PutObjectLegalHold", r.target())
		}
	}
	if extra&takesBucketACL != 0 {
		if r.hasACL() {
			d.need("PutBucketAcl", r.target())
		}
		if r.has("X-Amz-Object-Ownership") {
			d.need("PutBucketOwnershipControls", r.target())
		}
		if v, _ := r.one("X-Amz-Bucket-Object-Lock-Enabled"); strings.EqualFold(v, "true") {
			d.need("PutBucketObjectLockConfiguration", r.target())
			d.need("PutBucketVersioning", r.target())
		}
	}
	if extra&takesLock != 0 && extra&bodyDelete == 0 && r.bypasses() {
		d.need("BypassGovernanceRetention", r.target())
	}
	return nil
}

// ownerHeaders say whose the client believes a bucket to be. The gateway answers
// for the upstream, which has another idea of accounts.
var ownerHeaders = []string{"X-Amz-Expected-Bucket-Owner", "X-Amz-Source-Expected-Bucket-Owner"}

// bypasses reports whether the request asks to override a governance lock.
// Any value but false counts: what another reader makes of it is unknown.
func (r *s3Request) bypasses() bool {
	v := r.Header.Values("X-Amz-Bypass-Governance-Retention")
	return len(v) > 1 || len(v) == 1 && !strings.EqualFold(strings.TrimSpace(v[0]), "false")
}

func (r *s3Request) hasACL() bool {
	return slices.ContainsFunc(aclHeaders, func(h string) bool { return r.has(h) })
}

var aclHeaders = []string{
	"X-Amz-Acl", "X-Amz-Grant-Full-Control", "X-Amz-Grant-Read", "X-Amz-Grant-Read-Acp",
	"X-Amz-Grant-Write", "X-Amz-Grant-Write-Acp",
}

func (r *s3Request) has(header string) bool { return len(r.Header[header]) > 0 }

// one returns the only value of a header, "" if it is absent.
func (v *View) one(header string) (string, error) {
	switch values := v.Header[header]; len(values) {
	case 0:
		return "", nil
	case 1:
		return strings.TrimSpace(values[0]), nil
	default:
		return "", refuse(Malformed, "The header "+strings.ToLower(header)+" is given twice.")
	}
}

// printable quotes what a client sent for a message.
func printable(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return "'" + strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s) + "'"
}
