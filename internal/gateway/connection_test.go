package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"warifu/internal/gateway"
)

// Guarantee 9 of the threat model: a header that policy judged reaches the
// upstream. A client that names it in Connection would have it dropped on the
// way, and with it the encryption, tag or lock that policy demanded.
func TestConnectionDropsNothingThatWasJudged(t *testing.T) {
	up := &recorder{}
	s := newStage(t,
		gateway.Service{Name: "s3", Protocol: gateway.S3, Upstream: upstream(t, up)},
		gateway.Service{Name: "dynamodb", Protocol: gateway.JSON, Upstream: upstream(t, up)})
	alice := s.user("alice", `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["s3:*","dynamodb:*"],"Resource":"*"},
		{"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"Null":{"s3:x-amz-server-side-encryption":"true"}}}]}`)
	put := func(connection string) (answer, *http.Request) {
		r := s.request(alice, "s3", "PUT", "/photos/k", []byte("x"), "X-Amz-Server-Side-Encryption: AES256", "If-None-Match: *")
		r.Header.Set("Connection", connection)
		before := up.count()
		got := s.send(r)
		if up.count() == before {
			return got, nil
		}
		forwarded, _ := up.last(t)
		return got, forwarded
	}
	for _, connection := range []string{"x-amz-server-side-encryption", "close, X-Amz-Server-Side-Encryption", "If-None-Match", gateway.HeaderAccount, "Content-Length"} {
		if got, forwarded := put(connection); got.status != http.StatusBadRequest || forwarded != nil {
			t.Errorf("Connection: %s: status %d, forwarded %v", connection, got.status, forwarded)
		}
	}
	for _, connection := range []string{"", "keep-alive", "close", "Keep-Alive, TE"} {
		got, forwarded := put(connection)
		if got.status != http.StatusOK || forwarded == nil || forwarded.Header.Get("X-Amz-Server-Side-Encryption") != "AES256" || forwarded.Header.Get("If-None-Match") != "*" {
			t.Errorf("Connection: %s: status %d, forwarded %v", connection, got.status, forwarded)
		}
	}
	r := s.request(alice, "dynamodb", "POST", "/", []byte(`{"TableName":"t","Key":{"k":{"S":"v"}}}`),
		"X-Amz-Target: DynamoDB_20120810.GetItem", "Content-Type: application/x-amz-json-1.0")
	r.Header.Set("Connection", "X-Amz-Target")
	if got := s.send(r); got.status != http.StatusBadRequest || !strings.Contains(got.body, "Connection") {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}
