package gateway_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"warifu/internal/gateway"
	"warifu/internal/gateway/ec2demo"
	"warifu/internal/ops"
	"warifu/internal/reqsig/sigv4"
	"warifu/internal/testkit"
)

// forceMFA is the last statement of the tutorial's Force_MFA policy.
const forceMFA = `{"Version":"2012-10-17","Statement":[
	{"Effect":"Allow","Action":["iam:CreateVirtualMFADevice","iam:EnableMFADevice","iam:ListMFADevices"],"Resource":"*"},
	{"Sid":"DenyAllExceptListedIfNoMFA","Effect":"Deny","NotAction":["iam:CreateVirtualMFADevice","iam:EnableMFADevice","iam:ListMFADevices","sts:GetSessionToken"],
	 "Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}`

func (s *stage) ec2(key sigv4.Credentials) *ec2.Client {
	return ec2.New(ec2.Options{
		BaseEndpoint: aws.String(s.url), Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.Secret, key.Token),
	})
}

// The tutorial's third step: EC2 is refused without a second factor and
// answers with one, through the unmodified SDK.
func TestForceMFAInFrontOfEC2(t *testing.T) {
	s := newStage(t)
	demo := upstream(t, ec2demo.New("us-east-1", s.world.Clock.Now))
	s = newStage(t, gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: demo})
	ctx := context.Background()
	key := s.user("MFAUser", forceMFA)
	testkit.Do(t, s.world, s.world.Admin(t), ops.AttachUserPolicy, ops.AttachIn{
		Holder: ops.Ref{Name: "MFAUser"}, Policy: "arn:aws:iam::aws:policy/AmazonEC2FullAccess",
	})

	_, err := s.ec2(key).DescribeInstances(ctx, nil)
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "UnauthorizedOperation" {
		t.Fatalf("without MFA: %v", err)
	}
	const sentence = "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/MFAUser is not authorized to perform: " +
		"ec2:DescribeInstances with an explicit deny in an identity-based policy"
	if !strings.HasPrefix(api.ErrorMessage(), sentence) {
		t.Errorf("the message is %q", api.ErrorMessage())
	}
	encoded := api.ErrorMessage()[strings.LastIndexByte(api.ErrorMessage(), ' ')+1:]
	decoded := testkit.Do(t, s.world, s.world.Admin(t), ops.DecodeAuthorizationMessage, ops.DecodeAuthorizationMessageIn{Encoded: encoded})
	if !strings.Contains(decoded, "DenyAllExceptListedIfNoMFA") || !strings.Contains(decoded, `"explicitDeny":true`) {
		t.Errorf("the encoded message says %s", decoded)
	}

	session := s.withMFA("MFAUser", key)
	out, err := s.ec2(session).DescribeInstances(ctx, nil)
	if err != nil {
		t.Fatalf("with MFA: %v", err)
	}
	if len(out.Reservations) != 2 || aws.ToString(out.Reservations[0].OwnerId) != "123456789012" ||
		out.Reservations[0].Instances[0].State.Name != types.InstanceStateNameRunning {
		t.Errorf("got %+v", out.Reservations)
	}
}

// The demonstration answers what the SDK asks.
func TestDemonstrationOfEC2(t *testing.T) {
	s := newStage(t)
	demo := upstream(t, ec2demo.New("us-east-1", s.world.Clock.Now))
	s = newStage(t, gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: demo})
	ctx, c := context.Background(), s.ec2(s.user("all", allow("ec2:*", "*")))
	regions, err := c.DescribeRegions(ctx, nil)
	if err != nil || len(regions.Regions) != 1 || aws.ToString(regions.Regions[0].RegionName) != "us-east-1" {
		t.Fatalf("%+v, %v", regions, err)
	}
	zones, err := c.DescribeAvailabilityZones(ctx, nil)
	if err != nil || len(zones.AvailabilityZones) != 1 {
		t.Fatalf("%+v, %v", zones, err)
	}
	run, err := c.RunInstances(ctx, &ec2.RunInstancesInput{ImageId: aws.String("ami-12345678"), MinCount: aws.Int32(1), MaxCount: aws.Int32(2)})
	if err != nil || len(run.Instances) != 2 || aws.ToString(run.OwnerId) != "123456789012" {
		t.Fatalf("%+v, %v", run, err)
	}
	id := aws.ToString(run.Instances[0].InstanceId)
	if _, err := c.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("red")}}}); err != nil {
		t.Fatal(err)
	}
	stop, err := c.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}})
	if err != nil || stop.StoppingInstances[0].PreviousState.Name != types.InstanceStateNameRunning {
		t.Fatalf("%+v, %v", stop, err)
	}
	if _, err := c.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}}); err != nil {
		t.Fatal(err)
	}
	one, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil || len(one.Reservations) != 1 {
		t.Fatalf("%+v, %v", one, err)
	}
	got := one.Reservations[0].Instances[0]
	if got.State.Name != types.InstanceStateNameTerminated || len(got.Tags) != 1 || aws.ToString(got.Tags[0].Value) != "red" || got.LaunchTime == nil {
		t.Errorf("got %+v", got)
	}
	tags, err := c.DescribeTags(ctx, nil)
	if err != nil || len(tags.Tags) != 3 {
		t.Errorf("%+v, %v", tags, err)
	}
	for _, call := range []func() error{
		func() error {
			_, err := c.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}})
			return err
		},
		func() error {
			_, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{"i-ffffffff"}})
			return err
		},
		func() error { _, err := c.DescribeVpcs(ctx, nil); return err },
	} {
		var api smithy.APIError
		if err := call(); !errors.As(err, &api) || api.ErrorCode() == "UnknownError" {
			t.Errorf("got %v", err)
		}
	}
}

// A policy that speaks of one instance is heard.
func TestResourcesOfEC2(t *testing.T) {
	s := newStage(t)
	demo := upstream(t, ec2demo.New("us-east-1", s.world.Clock.Now))
	s = newStage(t, gateway.Service{Name: "ec2", Protocol: gateway.EC2, Upstream: demo})
	ctx := context.Background()
	ids := []string{"i-000000000de000001", "i-000000000de000002"}
	key := s.user("operator", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"},
		{"Effect":"Deny","Action":"ec2:TerminateInstances","Resource":"arn:aws:ec2:*:*:instance/`+ids[0]+`"}]}`)
	if _, err := s.ec2(key).TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids}); err == nil || !strings.Contains(err.Error(), ids[0]) {
		t.Errorf("both: %v", err)
	}
	if _, err := s.ec2(key).TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids[1:]}); err != nil {
		t.Errorf("the other: %v", err)
	}
}
