package gateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"warifu/internal/gateway"
	"warifu/internal/reqsig/sigv4"
)

// peer builds and starts VersityGW and returns its place and its key.
func peer(t *testing.T) (*url.URL, *sigv4.Credentials) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "s3peer")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = filepath.Join("..", "..", "e2e", "s3peer")
	build.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the S3 peer: %v\n%s", err, out)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := listener.Addr().String()
	listener.Close()
	key := &sigv4.Credentials{AccessKeyID: "PEERKEY", Secret: "the peer's own secret"}
	server := exec.Command(binary, "-listen", at, "-dir", t.TempDir(), "-access", key.AccessKeyID, "-secret", key.Secret)
	var log bytes.Buffer
	server.Stdout, server.Stderr = &log, &log
	stdin, err := server.StdinPipe()
	if err == nil {
		err = server.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		server.Wait()
		if t.Failed() {
			t.Logf("the peer said:\n%s", log.String())
		}
	})
	waitFor(t, func() bool {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return &url.URL{Scheme: "http", Host: at}, key
}

func (s *stage) s3(key sigv4.Credentials) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(s.url), Region: "us-east-1", UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.Secret, key.Token),
	})
}

// code is the error code that the SDK read.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// S3 through the gateway, in front of a server that is not ours and verifies
// every signature that the gateway makes.
func TestS3InFrontOfAnotherServer(t *testing.T) {
	at, key := peer(t)
	for name, test := range map[string]func(*testing.T, *url.URL, *sigv4.Credentials){
		"client": clientOfAPeer, "policies": policiesInFrontOfAPeer, "chunks": chunksToAPeer,
	} {
		t.Run(name, func(t *testing.T) { test(t, at, key) })
	}
}

// clientOfAPeer uses the unmodified SDK as an application would.
func clientOfAPeer(t *testing.T, at *url.URL, key *sigv4.Credentials) {
	s := newStage(t, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at, Key: key, Region: "us-east-1"})
	c := s.s3(s.user("owner", allow("s3:*", "*")))
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	bucket := aws.String("photos")
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket})
	must(err)

	content := make([]byte, 1<<20+7)
	rand.Read(content)
	names := []string{"a.bin", "dir/b c+d&e=f.txt", "dir/割符 ~!'().jpg", "dir/empty"}
	for i, name := range names {
		body := content
		if i == 3 {
			body = nil
		}
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String(name), Body: bytes.NewReader(body),
			Metadata: map[string]string{"origin": "test"}, ContentType: aws.String("text/plain")})
		if err != nil {
			t.Fatalf("put %s: %v", name, err)
		}
		got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String(name), ChecksumMode: types.ChecksumModeEnabled})
		if err != nil {
			t.Fatalf("get %s: %v", name, err)
		}
		b, err := io.ReadAll(got.Body)
		got.Body.Close()
		if err != nil || !bytes.Equal(b, body) || got.Metadata["origin"] != "test" {
			t.Fatalf("get %s: %d bytes, %v, %v", name, len(b), got.Metadata, err)
		}
	}
	part, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("a.bin"), Range: aws.String("bytes=5-9")})
	must(err)
	b, _ := io.ReadAll(part.Body)
	part.Body.Close()
	if !bytes.Equal(b, content[5:10]) {
		t.Errorf("the range has %d bytes", len(b))
	}
	head, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("a.bin")})
	must(err)
	if aws.ToInt64(head.ContentLength) != int64(len(content)) {
		t.Errorf("head says %d bytes", aws.ToInt64(head.ContentLength))
	}
	list, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("dir/"), MaxKeys: aws.Int32(2)})
	must(err)
	if len(list.Contents) != 2 || !aws.ToBool(list.IsTruncated) {
		t.Errorf("the list has %d objects", len(list.Contents))
	}
	rest, err := c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("dir/"), ContinuationToken: list.NextContinuationToken})
	must(err)
	if len(rest.Contents) != 1 {
		t.Errorf("the rest of the list has %d objects", len(rest.Contents))
	}
	_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("copy.bin"), CopySource: aws.String("photos/dir/b%20c%2Bd&e=f.txt")})
	must(err)
	_, err = c.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{Bucket: bucket, Key: aws.String("copy.bin"),
		Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}}})
	must(err)

	t.Run("multipart", func(t *testing.T) {
		up, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: aws.String("big")})
		must(err)
		big := make([]byte, 5<<20)
		rand.Read(big)
		var parts []types.CompletedPart
		for n, body := range [][]byte{big, content} {
			p, err := c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: aws.String("big"), UploadId: up.UploadId,
				PartNumber: aws.Int32(int32(n + 1)), Body: bytes.NewReader(body)})
			must(err)
			parts = append(parts, types.CompletedPart{ETag: p.ETag, PartNumber: aws.Int32(int32(n + 1)), ChecksumCRC32: p.ChecksumCRC32})
		}
		listed, err := c.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: aws.String("big"), UploadId: up.UploadId})
		must(err)
		if len(listed.Parts) != 2 {
			t.Errorf("%d parts", len(listed.Parts))
		}
		_, err = c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: aws.String("big"), UploadId: up.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
		must(err)
		got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("big")})
		must(err)
		defer got.Body.Close()
		if b, err := io.ReadAll(got.Body); err != nil || !bytes.Equal(b, append(big, content...)) {
			t.Errorf("%d bytes, %v", len(b), err)
		}
	})

	t.Run("presigned", func(t *testing.T) {
		presign := s3.NewPresignClient(c)
		put, err := presign.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("by url")}, s3.WithPresignExpires(time.Minute))
		must(err)
		r, _ := http.NewRequest(put.Method, put.URL, strings.NewReader("hello"))
		r.Header = put.SignedHeader
		if got := s.send(r); got.status != 200 {
			t.Fatalf("put: %d %s", got.status, got.body)
		}
		get, err := presign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("by url")}, s3.WithPresignExpires(time.Minute))
		must(err)
		r, _ = http.NewRequest(get.Method, get.URL, nil)
		if got := s.send(r); got.status != 200 || got.body != "hello" {
			t.Fatalf("get: %d %s", got.status, got.body)
		}
		forged, _ := http.NewRequest(get.Method, strings.Replace(get.URL, "by%20url", "a.bin", 1), nil)
		if got := s.send(forged); got.status != 403 || !strings.Contains(got.body, "SignatureDoesNotMatch") {
			t.Errorf("forged: %d %s", got.status, got.body)
		}
		s.world.Clock.Advance(2 * time.Minute)
		late, _ := http.NewRequest(get.Method, get.URL, nil)
		if got := s.send(late); got.status != 403 || !strings.Contains(got.body, "Request has expired") {
			t.Errorf("late: %d %s", got.status, got.body)
		}
	})

	t.Run("delete", func(t *testing.T) {
		var ids []types.ObjectIdentifier
		for _, name := range append(names, "copy.bin", "big", "by url") {
			ids = append(ids, types.ObjectIdentifier{Key: aws.String(name)})
		}
		out, err := c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: ids}})
		must(err)
		if len(out.Deleted) != len(ids) || len(out.Errors) != 0 {
			t.Errorf("deleted %d, errors %v", len(out.Deleted), out.Errors)
		}
		if _, err := c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("a.bin")}); err == nil {
			t.Error("an object is still there")
		}
		_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket})
		must(err)
	})
}

// policiesInFrontOfAPeer: policy decides per object, by prefix and by what a copy reads.
func policiesInFrontOfAPeer(t *testing.T, at *url.URL, key *sigv4.Credentials) {
	s := newStage(t, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at, Key: key, Region: "us-east-1"})
	ctx := context.Background()
	owner := s.s3(s.user("owner", allow("s3:*", "*")))
	bucket := aws.String("shared")
	if _, err := owner.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	put := func(c *s3.Client, name string) error {
		_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String(name), Body: strings.NewReader(name)})
		return err
	}
	for _, name := range []string{"alice/1", "bob/1", "secret/1"} {
		if err := put(owner, name); err != nil {
			t.Fatal(err)
		}
	}
	alice := s.s3(s.user("alice", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::shared/${aws:username}/*"},
		{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::shared","Condition":{"StringLike":{"s3:prefix":"${aws:username}/*"}}}]}`))
	copyFrom := func(source string) error {
		_, err := alice.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("alice/2"), CopySource: aws.String(source)})
		return err
	}
	list := func(prefix *string) error {
		_, err := alice.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: prefix})
		return err
	}
	remove := func(names ...string) error {
		var ids []types.ObjectIdentifier
		for _, n := range names {
			ids = append(ids, types.ObjectIdentifier{Key: aws.String(n)})
		}
		_, err := alice.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: ids}})
		return err
	}
	get := func(name string) error {
		out, err := alice.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String(name)})
		if err == nil {
			out.Body.Close()
		}
		return err
	}
	tests := []struct {
		name    string
		err     error
		allowed bool
	}{
		{"own object", put(alice, "alice/3"), true},
		{"another's object", put(alice, "bob/2"), false},
		{"read own", get("alice/1"), true},
		{"read another's", get("secret/1"), false},
		{"list own", list(aws.String("alice/")), true},
		{"list all", list(nil), false},
		{"list another's", list(aws.String("bob/")), false},
		{"copy own", copyFrom("shared/alice/1"), true},
		{"copy a secret", copyFrom("shared/secret/1"), false},
		{"delete own and another's", remove("alice/1", "secret/1"), false},
		{"delete own", remove("alice/1", "alice/2"), true},
	}
	for _, test := range tests {
		switch {
		case test.allowed && test.err != nil:
			t.Errorf("%s: %v", test.name, test.err)
		case !test.allowed && code(test.err) != "AccessDenied":
			t.Errorf("%s: %v, want AccessDenied", test.name, test.err)
		}
	}
	if _, err := owner.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("secret/1")}); err != nil {
		t.Errorf("the secret is gone: %v", err)
	}
}

// chunksToAPeer: a body in chunks, as SDKs send it when they cannot seek, arrives
// whole, with the checksum that trails it.
func chunksToAPeer(t *testing.T, at *url.URL, key *sigv4.Credentials) {
	s := newStage(t, gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: at, Key: key, Region: "us-east-1"})
	all := s.user("owner", allow("s3:*", "*"))
	c, ctx, bucket := s.s3(all), context.Background(), aws.String("chunks")
	if _, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, 300<<10 + 5} {
		content := make([]byte, size)
		rand.Read(content)
		for _, payload := range []string{sigv4.StreamingPayload, sigv4.StreamingPayloadTrailer, sigv4.StreamingUnsignedTrailer} {
			r := s.chunked(all, "/chunks/k", payload, content, false)
			if got := s.send(r); got.status != 200 {
				t.Fatalf("%s, %d bytes: %d %s", payload, size, got.status, got.body)
			}
			out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("k"), ChecksumMode: types.ChecksumModeEnabled})
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(out.Body)
			out.Body.Close()
			if err != nil || !bytes.Equal(b, content) {
				t.Fatalf("%s: %d bytes of %d, %v", payload, len(b), size, err)
			}
			if trails := payload != sigv4.StreamingPayload; trails && aws.ToString(out.ChecksumCRC32) != crcOf(content) {
				t.Errorf("%s: the checksum is %q, want %q", payload, aws.ToString(out.ChecksumCRC32), crcOf(content))
			}
			if out.ContentEncoding != nil && strings.Contains(*out.ContentEncoding, "aws-chunked") {
				t.Errorf("%s: stored as %s", payload, *out.ContentEncoding)
			}
		}
	}
	before := []byte("what was there")
	if got := s.send(s.chunked(all, "/chunks/forged", sigv4.StreamingPayload, before, false)); got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	for _, payload := range []string{sigv4.StreamingPayload, sigv4.StreamingPayloadTrailer} {
		got := s.send(s.chunked(all, "/chunks/forged", payload, make([]byte, 200<<10), true))
		if got.status != 403 || !strings.Contains(got.body, "SignatureDoesNotMatch") {
			t.Errorf("%s forged: %d %s", payload, got.status, got.body)
		}
	}
	out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("forged")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.Body.Close()
	if b, _ := io.ReadAll(out.Body); !bytes.Equal(b, before) {
		t.Errorf("a forged body was stored: %d bytes", len(b))
	}
}
