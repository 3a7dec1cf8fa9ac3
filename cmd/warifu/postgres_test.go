package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"warifu/internal/testkit/pg"
)

// Two servers on one PostgreSQL with one key file are one: each sees at once
// what the other made, and within a second what the other forbade.
func TestTwoServersOnePostgreSQL(t *testing.T) {
	t.Setenv("WARIFU_DATABASE", pg.DSN(t))
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	var first firstCredentials
	if err := json.Unmarshal(run(t, "init", "--data", a, "--json"), &first); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(a, "warifu.key")
	one, two := serve(t, a, "--key-file", key), serve(t, b, "--key-file", key)

	admin := one.client(first.AccessKeyID, first.SecretAccessKey)
	user, readOnly := aws.String("ada"), aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")
	if _, err := admin.CreateUser(background, &iam.CreateUserInput{UserName: user}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.AttachUserPolicy(background, &iam.AttachUserPolicyInput{UserName: user, PolicyArn: readOnly}); err != nil {
		t.Fatal(err)
	}
	made, err := admin.CreateAccessKey(background, &iam.CreateAccessKeyInput{UserName: user})
	if err != nil {
		t.Fatal(err)
	}
	ada := two.client(*made.AccessKey.AccessKeyId, *made.AccessKey.SecretAccessKey)
	if _, err := ada.ListUsers(background, &iam.ListUsersInput{}); err != nil {
		t.Fatalf("what one server made, at the other: %v", err)
	}
	if _, err := admin.DetachUserPolicy(background, &iam.DetachUserPolicyInput{UserName: user, PolicyArn: readOnly}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Second); ; time.Sleep(20 * time.Millisecond) {
		_, err := ada.ListUsers(background, &iam.ListUsersInput{})
		var refused smithy.APIError
		if errors.As(err, &refused) && refused.ErrorCode() == "AccessDenied" {
			break
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("what one server forbade, at the other after a second: %v", err)
		}
	}
	for _, p := range []*process{one, two} {
		if status := p.end(t, sigterm); status != 0 {
			t.Errorf("exit status %d\n%s", status, p.log)
		}
	}
}
