package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu/policy"
	"warifu/policy/aws/catalog"
)

var testNow = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// view makes a View from a request line, headers "Name: value" and a body.
func view(request, body string, headers ...string) *View {
	method, target, _ := strings.Cut(request, " ")
	host := "gateway.example"
	if strings.HasPrefix(target, "//") {
		host, target, _ = strings.Cut(target[2:], "/")
		target = "/" + target
	}
	path, query, _ := strings.Cut(target, "?")
	v := &View{
		Method: method, Host: host, Path: path, Query: query, Header: http.Header{},
		Account: "123456789012", Region: "eu-west-1", Signed: testNow.Add(-time.Second), Now: testNow,
		Body: func(int64) ([]byte, error) { return []byte(body), nil },
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		v.Header.Add(name, value)
	}
	return v
}

// needs prints what a request needs: "s3:GetObject arn arn; s3:PutObject arn".
func needs(d *Derived) string {
	var parts []string
	for _, n := range d.Needs {
		parts = append(parts, strings.TrimSpace(n.Action+" "+strings.Join(n.Resources, " ")))
	}
	return strings.Join(parts, "; ")
}

var s3Service = Service{Name: "s3", Protocol: S3, Domains: []string{"s3.example"}}

const (
	b = "arn:aws:s3:::photos"
	o = "arn:aws:s3:::photos/a/b.jpg"
)

func TestS3Operations(t *testing.T) {
	tests := []struct {
		request   string
		headers   []string
		operation string
		want      string
	}{
		{"GET /", nil, "ListBuckets", "s3:ListAllMyBuckets"},
		{"GET /?max-buckets=10", nil, "ListBuckets", "s3:ListAllMyBuckets"},
		{"HEAD /photos", nil, "HeadBucket", "s3:ListBucket " + b},
		{"GET /photos/", nil, "ListObjects", "s3:ListBucket " + b},
		{"GET /photos?list-type=2&prefix=a%2F&delimiter=%2F&max-keys=5", nil, "ListObjects", "s3:ListBucket " + b},
		{"GET //photos.s3.example/?versions", nil, "ListObjectVersions", "s3:ListBucketVersions " + b},
		{"GET /photos?versions=&prefix=x", nil, "ListObjectVersions", "s3:ListBucketVersions " + b},
		{"GET /photos?uploads", nil, "ListMultipartUploads", "s3:ListBucketMultipartUploads " + b},
		{"GET /photos?location", nil, "GetBucketLocation", "s3:GetBucketLocation " + b},
		{"GET /photos?policyStatus", nil, "GetBucketPolicyStatus", "s3:GetBucketPolicyStatus " + b},
		{"GET /photos?inventory&id=all", nil, "GetBucketInventoryConfiguration", "s3:GetInventoryConfiguration " + b},
		{"PUT /photos", nil, "CreateBucket", "s3:CreateBucket " + b},
		{"PUT /photos", []string{"X-Amz-Acl: public-read"}, "CreateBucket", "s3:CreateBucket " + b + "; s3:PutBucketAcl " + b},
		{"PUT /photos", []string{"X-Amz-Bucket-Object-Lock-Enabled: true"}, "CreateBucket",
			"s3:CreateBucket " + b + "; s3:PutBucketObjectLockConfiguration " + b + "; s3:PutBucketVersioning " + b},
		{"PUT /photos?policy", nil, "PutBucketPolicy", "s3:PutBucketPolicy " + b},
		{"DELETE /photos?policy", nil, "DeleteBucketPolicy", "s3:DeleteBucketPolicy " + b},
		{"DELETE /photos?cors", nil, "DeleteBucketCors", "s3:PutBucketCORS " + b},
		{"DELETE /photos", nil, "DeleteBucket", "s3:DeleteBucket " + b},

		{"GET /photos/a/b.jpg", nil, "GetObject", "s3:GetObject " + o},
		{"GET //photos.s3.example/a/b.jpg", nil, "GetObject", "s3:GetObject " + o},
		{"GET //photos.S3.Example:7420/a/b.jpg?x-id=GetObject", nil, "GetObject", "s3:GetObject " + o},
		{"GET /photos/a%2Fb.jpg?partNumber=2", nil, "GetObject", "s3:GetObject " + o},
		{"GET /photos/a/b.jpg", []string{"X-Amz-Expected-Bucket-Owner: 123456789012"}, "GetObject", "s3:GetObject " + o},
		{"GET /photos/a/b.jpg?versionId=v7", nil, "GetObject", "s3:GetObjectVersion " + o},
		{"HEAD /photos/a/b.jpg?versionId=null", nil, "HeadObject", "s3:GetObjectVersion " + o},
		{"GET /photos/a/b.jpg?acl&versionId=v7", nil, "GetObjectAcl", "s3:GetObjectVersionAcl " + o},
		{"GET /photos/a/b.jpg?attributes", nil, "GetObjectAttributes", "s3:GetObjectAttributes " + o + "; s3:GetObject " + o},
		{"GET /photos/a/b.jpg?attributes&versionId=v7", nil, "GetObjectAttributes", "s3:GetObjectVersionAttributes " + o + "; s3:GetObjectVersion " + o},
		{"GET /photos/a/b.jpg?tagging", nil, "GetObjectTagging", "s3:GetObjectTagging " + o},
		{"GET /photos/a/b.jpg?uploadId=u1&max-parts=10", nil, "ListParts", "s3:ListMultipartUploadParts " + o},
		{"PUT /photos/a/b.jpg", nil, "PutObject", "s3:PutObject " + o},
		{"PUT /photos/a/b.jpg", []string{"X-Amz-Tagging: team=red&env=prod"}, "PutObject", "s3:PutObject " + o + "; s3:PutObjectTagging " + o},
		{"PUT /photos/a/b.jpg", []string{"X-Amz-Grant-Read: id=1"}, "PutObject", "s3:PutObject " + o + "; s3:PutObjectAcl " + o},
		{"PUT /photos/a/b.jpg", []string{"X-Amz-Object-Lock-Mode: GOVERNANCE", "X-Amz-Object-Lock-Legal-Hold: ON"}, "PutObject",
			"s3:PutObject " + o + "; s3:PutObjectRetention " + o + "; s3:PutObjectLegalHold " + o},
		{"PUT /photos/a/b.jpg", []string{"X-Amz-Copy-Source: /other/src%20key"}, "CopyObject",
			"s3:PutObject " + o + "; s3:GetObject arn:aws:s3:::other/src key"},
		{"PUT /photos/a/b.jpg?x-id=CopyObject", []string{"X-Amz-Copy-Source: other/src?versionId=v9"}, "CopyObject",
			"s3:PutObject " + o + "; s3:GetObjectVersion arn:aws:s3:::other/src"},
		{"PUT /photos/a/b.jpg?partNumber=1&uploadId=u1", nil, "UploadPart", "s3:PutObject " + o},
		{"PUT /photos/a/b.jpg?partNumber=1&uploadId=u1", []string{"X-Amz-Copy-Source: other/src"}, "UploadPartCopy",
			"s3:PutObject " + o + "; s3:GetObject arn:aws:s3:::other/src"},
		{"PUT /photos/a/b.jpg?acl&versionId=v1", []string{"X-Amz-Acl: private"}, "PutObjectAcl", "s3:PutObjectVersionAcl " + o},
		{"PUT /photos/a/b.jpg?retention", []string{"X-Amz-Bypass-Governance-Retention: true"}, "PutObjectRetention",
			"s3:PutObjectRetention " + o + "; s3:BypassGovernanceRetention " + o},
		{"POST /photos/a/b.jpg?uploads", []string{"X-Amz-Acl: private"}, "CreateMultipartUpload", "s3:PutObject " + o + "; s3:PutObjectAcl " + o},
		{"POST /photos/a/b.jpg?uploadId=u1", nil, "CompleteMultipartUpload", "s3:PutObject " + o},
		{"POST /photos/a/b.jpg?restore", nil, "RestoreObject", "s3:RestoreObject " + o},
		{"POST /photos/a/b.jpg?select&select-type=2", nil, "SelectObjectContent", "s3:GetObject " + o},
		{"DELETE /photos/a/b.jpg", nil, "DeleteObject", "s3:DeleteObject " + o},
		{"DELETE /photos/a/b.jpg?versionId=v7", []string{"X-Amz-Bypass-Governance-Retention: true"}, "DeleteObject",
			"s3:DeleteObjectVersion " + o + "; s3:BypassGovernanceRetention " + o},
		{"DELETE /photos/a/b.jpg?uploadId=u1", nil, "AbortMultipartUpload", "s3:AbortMultipartUpload " + o},
		{"DELETE /photos/a/b.jpg?tagging&versionId=v1", nil, "DeleteObjectTagging", "s3:DeleteObjectVersionTagging " + o},
		{"PUT /photos/folder/", nil, "PutObject", "s3:PutObject arn:aws:s3:::photos/folder/"},
		{"GET /photos/%E5%89%B2%E7%AC%A6%2B%3F%2A", nil, "GetObject", "s3:GetObject arn:aws:s3:::photos/割符+?*"},
	}
	for _, test := range tests {
		d, err := Derive(&s3Service, view(test.request, "", test.headers...))
		if err != nil {
			t.Errorf("%s: %v", test.request, err)
			continue
		}
		if d.Operation != test.operation || needs(d) != test.want {
			t.Errorf("%s %v\n got %s: %s\nwant %s: %s", test.request, test.headers, d.Operation, needs(d), test.operation, test.want)
		}
	}
}

// Every row of the table is reachable, and its actions exist in AWS's own list.
func TestS3TableAgainstTheCatalog(t *testing.T) {
	seen := map[string]bool{}
	for _, row := range s3Table {
		at := fmt.Sprint(row.method, row.sub, row.object)
		if seen[at] {
			t.Errorf("%s is in the table twice", at)
		}
		seen[at] = true
		for _, action := range []string{row.action, row.version} {
			if action == "" {
				continue
			}
			info, found := catalog.Action("s3", action)
			if !found || info.Name != action {
				t.Errorf("%s: no action s3:%s", row.operation, action)
				continue
			}
			on := "bucket"
			if row.object {
				on = "object"
			}
			if !slices.ContainsFunc(info.Resources, func(r catalog.ActionResource) bool { return r.Type == on }) {
				t.Errorf("%s: s3:%s is not authorised on %s", row.operation, action, on)
			}
		}
	}
	for _, action := range []string{"PutObjectTagging", "PutObjectAcl", "PutObjectRetention", "PutObjectLegalHold", "PutBucketAcl",
		"PutBucketOwnershipControls", "PutBucketVersioning", "BypassGovernanceRetention", "ListAllMyBuckets", "TagResource", "DeleteObjectVersion"} {
		if _, found := catalog.Action("s3", action); !found {
			t.Errorf("no action s3:%s", action)
		}
	}
	for _, header := range headerKeys {
		if !catalog.ConditionKeyKnown("s3", "s3:"+header) {
			t.Errorf("no condition key s3:%s", header)
		}
	}
}

func TestS3Refusals(t *testing.T) {
	tests := []struct {
		request string
		headers []string
		want    Reason
	}{
		{"GET /photos?acl&policy", nil, Malformed},                               // two subresources
		{"GET /photos/k?versionId=1&versionId=2", nil, Malformed},                // which one?
		{"GET /photos?prefix=a&prefix=b", nil, Malformed},                        //
		{"GET /photos/k?acl=1", nil, Malformed},                                  // a flag with a value
		{"GET /photos/k?lambdaArn=x", nil, NotImplemented},                       // an upstream's own operation
		{"GET /photos?ACL", nil, NotImplemented},                                 // case variant
		{"GET /photos/k?X-Amz-Signature=x", nil, NotImplemented},                 // signed in the header, not here
		{"GET /photos/k?a;b", nil, Malformed},                                    //
		{"GET /photos/k?%zz", nil, Malformed},                                    //
		{"GET /photos/%zz", nil, Malformed},                                      //
		{"POST /photos", nil, BadMethod},                                         // form upload
		{"PATCH /photos/k", nil, BadMethod},                                      //
		{"OPTIONS /photos/k", nil, BadMethod},                                    //
		{"PUT /", nil, BadMethod},                                                //
		{"PUT /photos/k?torrent", nil, BadMethod},                                //
		{"PUT /photos/k?versionId=1", nil, Malformed},                            //
		{"PUT /photos/k?partNumber=1", nil, Malformed},                           //
		{"PUT /photos/k?uploadId=1", nil, Malformed},                             //
		{"PUT /photos/k?uploadId=&partNumber=1", nil, Malformed},                 //
		{"POST /photos/k?select", nil, Malformed},                                //
		{"GET /photos?list-type=3", nil, Malformed},                              //
		{"DELETE /photos/k?x-id=GetObject", nil, Malformed},                      //
		{"GET /photos/k?tagging", []string{"X-Amz-Copy-Source: a/b"}, BadMethod}, // set below
		{"PUT /photos/k", []string{"X-Amz-Copy-Source: photos"}, Malformed},
		{"PUT /photos/k", []string{"X-Amz-Copy-Source: photos/k?versionId=1&x=2"}, Malformed},
		{"PUT /photos/k", []string{"X-Amz-Copy-Source: photos/k?x=2"}, Malformed},
		{"PUT /photos/k", []string{"X-Amz-Copy-Source: photos/a", "X-Amz-Copy-Source: photos/b"}, Malformed},
		{"PUT /photos/k", []string{"X-Amz-Copy-Source: arn:aws:s3:eu-west-1:1:accesspoint/x/object/k"}, Malformed},
		{"PUT /photos/k", []string{"X-Amz-Copy-Source: photos/a/../b"}, UnclearTarget},
		{"PUT /photos/k", []string{"X-Amz-Copy-Source: photos/a+b"}, Malformed},
		{"GET /photos?prefix=a+b", nil, Malformed},
		{"PUT /photos/k", []string{"X-Amz-Tagging: a=1&A=2"}, Malformed},
		{"GET /photos/k", []string{"X-Amz-Expected-Bucket-Owner: 999999999999"}, OtherOwner},
		{"PUT /photos/k", []string{"X-Amz-Copy-Source: a-b/c", "X-Amz-Source-Expected-Bucket-Owner: 999999999999"}, OtherOwner},
		{"GET /Photos/k", nil, BadBucket},
		{"GET /../k", nil, BadBucket},
		{"GET /ab", nil, BadBucket},
		{"GET /a..b/k", nil, BadBucket},
		{"GET /bucket--x-s3/k", nil, BadBucket},
		{"GET /alias-s3alias/k", nil, BadBucket},
		{"GET //photos/k", nil, BadBucket}, // empty bucket, set below
		{"GET /photos/../other/k", nil, UnclearTarget},
		{"GET /photos/a/%2e%2e/k", nil, UnclearTarget},
		{"GET /photos/a%2F..%2Fk", nil, UnclearTarget},
		{"GET /photos//k", nil, UnclearTarget},
		{"GET /photos/a//k", nil, UnclearTarget},
		{"GET /photos/./k", nil, UnclearTarget},
		{"GET /photos/a%5C..%5Ck", nil, UnclearTarget},
		{"GET /photos/a%00", nil, Malformed},
		{"GET /photos/" + strings.Repeat("k", 1025), nil, Malformed},
	}
	for _, test := range tests {
		v := view(test.request, "", test.headers...)
		switch test.request {
		case "GET /photos/k?tagging":
			test.want = Malformed
		case "GET //photos/k":
			v.Path = "//k"
		}
		d, err := Derive(&s3Service, v)
		refusal, ok := err.(*Refusal)
		if !ok || refusal.Reason != test.want {
			t.Errorf("%s %v: needs %q, error %v; want reason %d", test.request, test.headers, needs(d), err, test.want)
		}
	}
}

func TestS3LiteralKeys(t *testing.T) {
	s := s3Service
	s.LiteralKeys = true
	d, err := Derive(&s, view("GET /photos/a//../k", ""))
	if err != nil || needs(d) != "s3:GetObject arn:aws:s3:::photos/a//../k" {
		t.Errorf("needs %q, error %v", needs(d), err)
	}
}

// Security checklist A-4: no entities, bounded depth.
func TestS3DeleteList(t *testing.T) {
	two := `<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>
		<Object><Key>a &amp; b</Key></Object><Object><Key>c</Key><VersionId>v1</VersionId></Object></Delete>`
	d, err := Derive(&s3Service, view("POST /photos?delete", two))
	want := "s3:DeleteObject arn:aws:s3:::photos/a & b; s3:DeleteObjectVersion arn:aws:s3:::photos/c"
	if err != nil || needs(d) != want {
		t.Errorf("needs %q, error %v", needs(d), err)
	}
	d, err = Derive(&s3Service, view("POST /photos?delete", two, "X-Amz-Bypass-Governance-Retention: TRUE"))
	if err != nil || !strings.HasSuffix(needs(d), "; s3:BypassGovernanceRetention arn:aws:s3:::photos/a & b arn:aws:s3:::photos/c") {
		t.Errorf("needs %q, error %v", needs(d), err)
	}
	object := func(inner string) string { return "<Delete><Object>" + inner + "</Object></Delete>" }
	for _, body := range []string{
		"", "x", "<Delete>", "<Delete></Delete>", "<Delete/>", "<Other/>", "<Delete><Objekt><Key>a</Key></Objekt></Delete>",
		object("<Key>a</Key><Key>b</Key>"), object("<key>a</key>"), object("<Key>a</Key><key>b</key>"), object("<Key></Key>"),
		object("<Key>a</Key><VersionId/>"), object("<Key>a<b/></Key>"), object("<Key>a</Key>text"), object("<Key>a</Key>") + object("<Key>b</Key>"),
		`<!DOCTYPE Delete [<!ENTITY k "secret">]>` + object("<Key>&k;</Key>"), `<?php x?>` + object("<Key>a</Key>"),
		"<Delete>" + strings.Repeat("<Object><Key>k</Key></Object>", 1001) + "</Delete>",
		"<Delete>" + strings.Repeat("<a>", 1000) + strings.Repeat("</a>", 1000) + "</Delete>",
	} {
		d, err := Derive(&s3Service, view("POST /photos?delete", body))
		if refusal, ok := err.(*Refusal); !ok || refusal.Reason != BadXML {
			t.Errorf("%.80s: needs %.80q, error %v", body, needs(d), err)
		}
	}
	if _, err := Derive(&s3Service, view("POST /photos?delete", object("<Key>../x</Key>"))); err == nil {
		t.Error("a dot segment in the list is judged")
	}
}

func TestS3ContextKeys(t *testing.T) {
	presigned := view("PUT /photos/k", "",
		"X-Amz-Acl: public-read", "X-Amz-Tagging: team=red", "X-Amz-Server-Side-Encryption: aws:kms",
		"X-Amz-Storage-Class: GLACIER", "If-None-Match: *", "X-Amz-Copy-Source: other/src?versionId=v1",
		"X-Amz-Object-Lock-Mode: COMPLIANCE", "X-Amz-Object-Lock-Retain-Until-Date: 2026-11-25T12:00:00Z")
	presigned.Presigned, presigned.TLS = true, "1.3"
	tests := []struct {
		view *View
		want map[string]string
	}{
		{view("GET /photos?prefix=home%2F&delimiter=%2F&max-keys=10", ""), map[string]string{
			"s3:prefix": "home/", "s3:delimiter": "/", "s3:max-keys": "10", "s3:authtype": "REST-HEADER",
			"s3:signatureversion": "AWS4-HMAC-SHA256", "s3:signatureage": "1000", "s3:resourceaccount": "123456789012",
			"s3:versionid": ""}},
		{view("GET /photos?prefix=", ""), map[string]string{"s3:prefix": "present", "s3:delimiter": ""}},
		{view("GET /photos/k?versionId=v9", ""), map[string]string{"s3:versionid": "v9"}},
		{presigned, map[string]string{
			"s3:x-amz-acl": "public-read", "s3:requestobjecttag/team": "red", "s3:requestobjecttagkeys": "team",
			"s3:x-amz-server-side-encryption": "aws:kms", "s3:x-amz-storage-class": "GLACIER", "s3:if-none-match": "*",
			"s3:x-amz-copy-source": "other/src", "s3:versionid": "v1", "s3:object-lock-mode": "COMPLIANCE",
			"s3:object-lock-remaining-retention-days": "2", "s3:authtype": "REST-QUERY-STRING", "s3:tlsversion": "1.3"}},
		{view("PUT /photos/k?tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value/></Tag></TagSet></Tagging>"),
			map[string]string{"s3:requestobjecttag/a": "1", "s3:requestobjecttag/b": "present"}},
		{view("PUT /photos", `<CreateBucketConfiguration xmlns="x"><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>`),
			map[string]string{"s3:locationconstraint": "eu-west-1"}},
	}
	for _, test := range tests {
		d, err := Derive(&s3Service, test.view)
		if err != nil {
			t.Errorf("%s?%s: %v", test.view.Path, test.view.Query, err)
			continue
		}
		for key, want := range test.want {
			fact := d.Keys.Lookup(&policy.Key{Name: key})
			got, _ := fact.Text()
			switch {
			case want == "" && !fact.Absent():
				t.Errorf("%s: %s is %q, want none", test.view.Query, key, got)
			case want == "present" && fact.Absent():
				t.Errorf("%s: %s is absent", test.view.Query, key)
			case want != "" && want != "present" && got != want:
				t.Errorf("%s: %s is %q, want %q", test.view.Query, key, got, want)
			}
		}
	}
}

func TestS3NewBucketWithTags(t *testing.T) {
	d, err := Derive(&s3Service, view("PUT /photos", `<CreateBucketConfiguration><Tags><Tag><Key>team</Key><Value>red</Value></Tag></Tags></CreateBucketConfiguration>`))
	if err != nil || needs(d) != "s3:CreateBucket "+b+"; s3:TagResource "+b || len(d.Tags) != 1 || d.Tags[0] != (Tag{"team", "red"}) {
		t.Errorf("needs %q, tags %v, error %v", needs(d), d.Tags, err)
	}
}
