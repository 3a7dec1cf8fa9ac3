package codec

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	cttypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// aServer answers every call with one document and keeps the last body sent.
type aServer struct {
	*httptest.Server
	status       int
	answer, sent string
	kind         string
}

func serve(t *testing.T) *aServer {
	s := &aServer{status: 200, kind: "text/xml"}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.sent = string(body)
		w.Header().Set("Content-Type", s.kind)
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, s.answer)
	}))
	t.Cleanup(s.Close)
	return s
}

var someCredentials = credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "")

// iam is a client that asks again: beside the race detector the SDK now and then
// closes its connection while it reads a long answer.
func (s *aServer) iam() *iam.Client {
	return iam.New(iam.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.URL), Credentials: someCredentials, RetryMaxAttempts: 5})
}

// TestTheSDKReadsWhatWeWrite: aws-sdk-go-v2's own deserialisers.
func TestTheSDKReadsWhatWeWrite(t *testing.T) {
	s, ctx := serve(t), context.Background()
	want := aHundredUsers()
	want.IsTruncated, want.Marker = true, `m<&>"é`
	want.Users[0].Tags = []tag{{"k", "v"}}
	s.answer = encode(t, "ListUsers", IAMNamespace, want)
	users, err := s.iam().ListUsers(ctx, &iam.ListUsersInput{})
	if err != nil {
		t.Fatal(err)
	}
	first, date := users.Users[0], aDate.UTC().Truncate(time.Second)
	if len(users.Users) != 100 || !users.IsTruncated || *users.Marker != want.Marker || *first.UserId != want.Users[0].UserID ||
		!first.CreateDate.Equal(date) || !first.PasswordLastUsed.Equal(date) || *first.Tags[0].Value != "v" {
		t.Errorf("ListUsers: %+v", first)
	}

	s.answer = encode(t, "ListUsers", IAMNamespace, listUsersOut{})
	if empty, err := s.iam().ListUsers(ctx, &iam.ListUsersInput{}); err != nil || empty.Users == nil || len(empty.Users) != 0 || empty.Marker != nil {
		t.Errorf("an empty list: %+v, %v", empty, err)
	}

	s.answer = encode(t, "GetAccountSummary", IAMNamespace, summaryOut{map[string]int32{"Users": 2, "Groups": 0}})
	summary, err := s.iam().GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
	if err != nil || !cmp.Equal(summary.SummaryMap, map[string]int32{"Users": 2, "Groups": 0}) {
		t.Errorf("GetAccountSummary: %+v, %v", summary, err)
	}

	var version policyVersionOut
	version.PolicyVersion.Document, version.PolicyVersion.IsDefaultVersion = `{"Version": "2012-10-17", "é": "+%"}`, true
	s.answer = encode(t, "GetPolicyVersion", IAMNamespace, version)
	got, err := s.iam().GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: aws.String("arn:aws:iam::1:policy/p"), VersionId: aws.String("v1")})
	if err != nil {
		t.Fatal(err)
	}
	if doc, err := url.PathUnescape(*got.PolicyVersion.Document); err != nil || doc != version.PolicyVersion.Document || !got.PolicyVersion.IsDefaultVersion {
		t.Errorf("GetPolicyVersion: %q, %v", doc, err)
	}

	var device virtualDeviceOut
	device.VirtualMFADevice.Base32StringSeed, device.VirtualMFADevice.QRCodePNG = []byte("SEED"), []byte("\x89PNG\r\n\x00")
	s.answer = encode(t, "CreateVirtualMFADevice", IAMNamespace, device)
	made, err := s.iam().CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("d")})
	if err != nil || string(made.VirtualMFADevice.Base32StringSeed) != "SEED" || string(made.VirtualMFADevice.QRCodePNG) != "\x89PNG\r\n\x00" {
		t.Errorf("CreateVirtualMFADevice: %+v, %v", made, err)
	}

	s.answer = encode(t, "EnableMFADevice", IAMNamespace, struct{}{})
	if _, err := s.iam().EnableMFADevice(ctx, &iam.EnableMFADeviceInput{UserName: aws.String("u"), SerialNumber: aws.String("arn:aws:iam::1:mfa/d"),
		AuthenticationCode1: aws.String("123456"), AuthenticationCode2: aws.String("123456")}); err != nil {
		t.Errorf("EnableMFADevice: %v", err)
	}
}

func TestTheSDKReadsOurErrors(t *testing.T) {
	s, ctx := serve(t), context.Background()
	s.status, s.answer = 404, string(AppendError(nil, IAMNamespace, &Error{"NoSuchEntity", "The user with name <x> cannot be found.", 404}, "r"))
	_, err := s.iam().GetUser(ctx, &iam.GetUserInput{})
	var gone *iamtypes.NoSuchEntityException
	if !errors.As(err, &gone) || gone.ErrorMessage() != "The user with name <x> cannot be found." {
		t.Errorf("GetUser: %v", err)
	}
	s.status, s.answer = 400, string(AppendError(nil, FaultNamespace, InvalidAction("X", "1"), "r"))
	_, err = s.iam().GetUser(ctx, &iam.GetUserInput{})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "InvalidAction" || api.ErrorFault() != smithy.FaultUnknown && api.ErrorFault() != smithy.FaultClient {
		t.Errorf("a fault: %v", err)
	}
}

// TestWeReadWhatTheSDKWrites: aws-sdk-go-v2's own serialisers.
func TestWeReadWhatTheSDKWrites(t *testing.T) {
	s, ctx := serve(t), context.Background()
	s.status, s.answer = 400, string(AppendError(nil, IAMNamespace, &Error{"X", "x", 400}, "r"))
	_, _ = s.iam().CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("a+b@c"), Path: aws.String("/é /"),
		Tags: []iamtypes.Tag{{Key: aws.String("k =+"), Value: aws.String("")}, {Key: aws.String("2"), Value: aws.String("v")}}})
	type anyPath struct {
		UserName, Path string
		Tags           []tag
	}
	created, err := decode[anyPath](t, false, s.sent)
	if d := cmp.Diff(anyPath{"a+b@c", "/é /", []tag{{"k =+", ""}, {"2", "v"}}}, created); d != "" || err != nil {
		t.Error(d, err)
	}

	_, _ = s.iam().UntagUser(ctx, &iam.UntagUserInput{UserName: aws.String("u"), TagKeys: []string{}})
	if in, err := decode[untagIn](t, false, s.sent); err != nil || in.TagKeys == nil {
		t.Errorf("an empty list from the SDK (%s): %#v, %v", s.sent, in, err)
	}
	_, _ = s.iam().UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{MaxPasswordAge: aws.Int32(90), RequireSymbols: true})
	if in, err := decode[passwordPolicyIn](t, false, s.sent); err != nil || *in.MaxPasswordAge != 90 || !in.RequireSymbols || in.MinimumPasswordLength != nil {
		t.Errorf("%s: %+v, %v", s.sent, in, err)
	}

	tokens := sts.New(sts.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.URL), Credentials: someCredentials, RetryMaxAttempts: 1})
	_, _ = tokens.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::123456789012:role/r"),
		RoleSessionName: aws.String("bad:name"), DurationSeconds: aws.Int32(1)})
	_, err = decode[assumeRoleIn](t, true, s.sent)
	const want = "2 validation errors detected: Value 'bad:name' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*; Value '1' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"
	if e, ok := err.(*Error); !ok || e.Message != want {
		t.Errorf("AssumeRole: %v", err)
	}
}

type lookupIn struct {
	LookupAttributes []struct{ AttributeKey, AttributeValue string }
	StartTime        Epoch
	EndTime          *Epoch
	MaxResults       *int32
	NextToken        string
}

type lookupOut struct {
	Events    []event
	NextToken string
}

type event struct {
	EventID   string `json:"EventId"`
	EventName string
	EventTime Epoch
	Resources []struct{ ResourceType, ResourceName string }
}

func TestCloudTrail(t *testing.T) {
	s, ctx := serve(t), context.Background()
	client := cloudtrail.New(cloudtrail.Options{Region: "us-east-1", BaseEndpoint: aws.String(s.URL), Credentials: someCredentials, RetryMaxAttempts: 1})
	at := time.Date(2026, 1, 2, 3, 4, 5, 250e6, time.UTC)
	out := lookupOut{Events: []event{{EventID: "1", EventName: "CreateUser", EventTime: Epoch{at}}}}
	answer, err := EncodeJSON(&out)
	if err != nil {
		t.Fatal(err)
	}
	s.answer, s.kind = string(answer), "application/x-amz-json-1.1"
	got, err := client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{StartTime: &at, MaxResults: aws.Int32(7),
		LookupAttributes: []cttypes.LookupAttribute{{AttributeKey: cttypes.LookupAttributeKeyUsername, AttributeValue: aws.String("é")}}})
	if err != nil || len(got.Events) != 1 || *got.Events[0].EventId != "1" || !got.Events[0].EventTime.Equal(at) || got.NextToken != nil {
		t.Errorf("%s: %+v, %v", answer, got, err)
	}
	in, err := DecodeJSON[lookupIn]([]byte(s.sent))
	if err != nil || !in.StartTime.Equal(at) || in.EndTime != nil || *in.MaxResults != 7 || in.LookupAttributes[0].AttributeValue != "é" {
		t.Errorf("%s: %+v, %v", s.sent, in, err)
	}

	s.status, s.answer = 400, string(AppendJSONError(nil, &Error{"InvalidMaxResultsException", "A \"maximum\" \xff", 400}))
	_, err = client.LookupEvents(ctx, &cloudtrail.LookupEventsInput{})
	var invalid *cttypes.InvalidMaxResultsException
	if !errors.As(err, &invalid) || invalid.ErrorMessage() != "A \"maximum\" \uFFFD" {
		t.Errorf("an error: %v", err)
	}
}

// TestJSONIsStrict is security checklist A-3 for AWS JSON.
func TestJSONIsStrict(t *testing.T) {
	for _, body := range []string{`{"NextToken":"a","NextToken":"b"}`, `{"NextToken":"` + "\xff" + `"}`, `{"MaxResults":"x"}`, `{"MaxResults":1e10}`,
		`{`, `[]`, `{} {}`, `{"StartTime":"never"}`, `{"StartTime":1e300}`, `{"StartTime":true}`} {
		_, err := DecodeJSON[lookupIn]([]byte(body))
		if e, ok := err.(*Error); !ok || e.Code != "SerializationException" || e.Status != 400 {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, body := range []string{``, `{}`, `{"Unknown":1}`, `{"StartTime":"2026-01-01T00:00:00Z"}`, `{"StartTime":1767225600}`, `{"EndTime":null}`} {
		if _, err := DecodeJSON[lookupIn]([]byte(body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	if in, _ := DecodeJSON[lookupIn]([]byte(`{"nexttoken":"a"}`)); in.NextToken != "" {
		t.Error("names must be case-sensitive")
	}
}

func TestJSONTarget(t *testing.T) {
	p, op, ok := JSONTarget("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents")
	if p != "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101" || op != "LookupEvents" || !ok {
		t.Error(p, op, ok)
	}
	for _, bad := range []string{"", "x", ".x", "x."} {
		if _, _, ok := JSONTarget(bad); ok {
			t.Errorf("%q is a target", bad)
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"LookupAttributes":[{"AttributeKey":"Username","AttributeValue":"a"}],"StartTime":1767225600.5,"MaxResults":5}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := DecodeJSON[lookupIn](body); err != nil {
			if _, ok := err.(*Error); !ok {
				t.Fatalf("%#v", err)
			}
		}
	})
}
