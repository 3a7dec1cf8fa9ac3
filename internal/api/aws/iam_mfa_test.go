package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	trailtypes "github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"warifu/internal/ops"
	"warifu/internal/testkit"
)

func (d *door) trail(k key) *cloudtrail.Client {
	return cloudtrail.NewFromConfig(d.config(k), func(o *cloudtrail.Options) { o.HTTPSignerV4 = signer{d.Clock} })
}

// says checks the code and sentence of a refusal.
func says(t *testing.T, err error, code, message string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if api.ErrorCode() != code || api.ErrorMessage() != message {
		t.Errorf("got  %s: %s\nwant %s: %s", api.ErrorCode(), api.ErrorMessage(), code, message)
	}
}

// member makes a user with a key whose inline policy is given.
func (d *door) member(t *testing.T, user, policy string) key {
	t.Helper()
	ctx, c := context.Background(), d.iam(d.admin())
	if _, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: &user}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &user, PolicyName: awssdk.String("own"), PolicyDocument: &policy}); err != nil {
		t.Fatal(err)
	}
	k, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &user})
	if err != nil {
		t.Fatal(err)
	}
	return key{id: *k.AccessKey.AccessKeyId, secret: *k.AccessKey.SecretAccessKey}
}

const selfMFA = `{"Version": "2012-10-17", "Statement": [
 {"Effect": "Allow", "Action": ["iam:ListVirtualMFADevices", "iam:CreateVirtualMFADevice", "iam:ListUsers"], "Resource": "*"},
 {"Effect": "Allow", "Action": ["iam:*MFA*", "iam:*AccessKey*"], "Resource": "arn:aws:iam::*:user/${aws:username}"},
 {"Sid": "NoMFA", "Effect": "Deny", "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:ListMFADevices", "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken"], "Resource": "*",
  "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]}`

// The life of a device through the SDK, each refusal in AWS's words.
func TestMFADevicesThroughTheSDK(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		ctx := context.Background()
		k := d.member(t, "alice", selfMFA)
		own, token := d.iam(k), d.sts(k)
		_, err := own.ListUsers(ctx, &iam.ListUsersInput{})
		says(t, err, "AccessDenied", "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::123456789012:user/ with an explicit deny in an identity-based policy")

		dev, err := own.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: awssdk.String("phone")})
		if err != nil {
			t.Fatal(err)
		}
		seed := string(dev.VirtualMFADevice.Base32StringSeed)
		serial := dev.VirtualMFADevice.SerialNumber
		if _, err := png.Decode(bytes.NewReader(dev.VirtualMFADevice.QRCodePNG)); err != nil || len(seed) != 64 {
			t.Errorf("seed of %d characters, QR code: %v", len(seed), err)
		}
		code := func(steps int) *string {
			return awssdk.String(testkit.Code(t, seed, d.Clock.Now().Add(time.Duration(steps)*30*time.Second)))
		}
		enable := func(first, second *string) error {
			_, err := own.EnableMFADevice(ctx, &iam.EnableMFADeviceInput{UserName: awssdk.String("alice"), SerialNumber: serial, AuthenticationCode1: first, AuthenticationCode2: second})
			return err
		}
		says(t, enable(code(0), code(0)), "InvalidAuthenticationCode", "Authentication code for device is not valid.")
		if err := enable(code(-1), code(0)); err != nil {
			t.Fatal(err)
		}
		says(t, enable(code(1), code(2)), "EntityAlreadyExists", "MFA Device is already in use.")
		_, err = own.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: awssdk.String("phone")})
		says(t, err, "EntityAlreadyExists", "MFA device already exists.")
		list, err := own.ListMFADevices(ctx, &iam.ListMFADevicesInput{})
		if err != nil || len(list.MFADevices) != 1 || *list.MFADevices[0].UserName != "alice" || !list.MFADevices[0].EnableDate.Equal(testkit.Epoch) {
			t.Errorf("%+v, %v", list, err)
		}
		all, err := own.ListVirtualMFADevices(ctx, &iam.ListVirtualMFADevicesInput{AssignmentStatus: types.AssignmentStatusTypeAssigned})
		if err != nil || len(all.VirtualMFADevices) != 1 || *all.VirtualMFADevices[0].User.UserName != "alice" || all.VirtualMFADevices[0].Base32StringSeed != nil {
			t.Errorf("%+v, %v", all, err)
		}
		_, err = own.ListVirtualMFADevices(ctx, &iam.ListVirtualMFADevicesInput{Marker: awssdk.String("x")})
		says(t, err, "ValidationError", "Invalid Marker.")

		d.Clock.Advance(time.Minute)
		ask := func(serial, code *string) (*sts.GetSessionTokenOutput, error) {
			return token.GetSessionToken(ctx, &sts.GetSessionTokenInput{SerialNumber: serial, TokenCode: code})
		}
		_, err = ask(serial, awssdk.String("000000"))
		wrong := "MultiFactorAuthentication failed with invalid MFA one time pass code. "
		says(t, err, "AccessDenied", wrong)
		_, err = ask(serial, nil)
		says(t, err, "AccessDenied", "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
		_, err = ask(awssdk.String("arn:aws:iam::123456789012:mfa/none"), code(0))
		says(t, err, "AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
		s, err := ask(serial, code(0))
		if err != nil {
			t.Fatal(err)
		}
		_, err = ask(serial, code(0))
		says(t, err, "AccessDenied", wrong)
		with := key{*s.Credentials.AccessKeyId, *s.Credentials.SecretAccessKey, *s.Credentials.SessionToken}
		if _, err := d.iam(with).ListUsers(ctx, &iam.ListUsersInput{}); err != nil {
			t.Error(err)
		}
		_, err = d.sts(with).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
		says(t, err, "AccessDenied", "Cannot call GetSessionToken with session credentials")

		admin := d.iam(d.admin())
		_, err = admin.DeleteVirtualMFADevice(ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: serial})
		says(t, err, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first.")
		none := "arn:aws:iam::123456789012:mfa/none"
		_, err = admin.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: awssdk.String("alice"), SerialNumber: &none})
		says(t, err, "NoSuchEntity", "MFA Device with serial number "+none+" does not exist.")
		_, err = admin.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: awssdk.String("nobody"), SerialNumber: serial})
		says(t, err, "NoSuchEntity", "The user with name nobody cannot be found.")
		if _, err := admin.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: awssdk.String("alice"), SerialNumber: serial}); err != nil {
			t.Error(err)
		}
		if _, err := admin.DeleteVirtualMFADevice(ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: serial}); err != nil {
			t.Error(err)
		}
	})
}

// Passkeys and security keys are MFA devices with serial numbers of AWS's kind: the
// SDK lists, reads and deactivates them, which is their end.
func TestSecurityKeysThroughTheSDK(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		ctx, admin, alice := context.Background(), d.iam(d.admin()), awssdk.String("alice")
		d.member(t, "alice", selfMFA)
		d.member(t, "bob", selfMFA)
		u2f, point := testkit.NewU2FKey(t, d.Rand, testkit.Origin)
		testkit.Do(t, d.World, d.Admin(t), ops.ImportU2FKey, ops.ImportU2FKeyIn{User: ops.Ref{Name: "alice"}, Name: "Blue key", KeyHandle: u2f.ID, PublicKey: point})
		list := func() []types.MFADevice {
			t.Helper()
			l, err := admin.ListMFADevices(ctx, &iam.ListMFADevicesInput{UserName: alice})
			if err != nil {
				t.Fatal(err)
			}
			return l.MFADevices
		}
		all := list()
		if len(all) != 1 || *all[0].UserName != "alice" || !strings.HasPrefix(*all[0].SerialNumber, "arn:aws:iam::123456789012:u2f/user/alice/") || !all[0].EnableDate.Equal(testkit.Epoch) {
			t.Fatalf("alice has %+v", all)
		}
		serial := all[0].SerialNumber
		got, err := admin.GetMFADevice(ctx, &iam.GetMFADeviceInput{SerialNumber: serial, UserName: alice})
		if err != nil || *got.SerialNumber != *serial || *got.UserName != "alice" {
			t.Errorf("%+v, %v", got, err)
		}
		if v, err := admin.ListVirtualMFADevices(ctx, &iam.ListVirtualMFADevicesInput{}); err != nil || len(v.VirtualMFADevices) != 0 {
			t.Errorf("it is no virtual device: %+v, %v", v, err)
		}
		_, err = admin.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: awssdk.String("bob"), SerialNumber: serial})
		says(t, err, "NoSuchEntity", "MFA Device with serial number "+*serial+" does not exist.")
		other := strings.Replace(*serial, "user/alice", "user/bob", 1)
		_, err = admin.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: alice, SerialNumber: &other})
		says(t, err, "NoSuchEntity", "MFA Device with serial number "+other+" does not exist.")
		if _, err := admin.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: alice, SerialNumber: serial}); err != nil {
			t.Fatal(err)
		}
		if left := list(); len(left) != 0 {
			t.Errorf("alice still has %+v", left)
		}
		_, err = admin.DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: alice, SerialNumber: serial})
		says(t, err, "NoSuchEntity", "MFA Device with serial number "+*serial+" does not exist.")
	})
}

func TestKeysAndPasswordsThroughTheSDK(t *testing.T) {
	d := open(t, testkit.New(t))
	ctx, c := context.Background(), d.iam(d.admin())
	k := d.member(t, "bob", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ChangePassword", "Resource": "*"}}`)
	bob := awssdk.String("bob")
	used, err := c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &k.id})
	if err != nil || *used.AccessKeyLastUsed.Region != "N/A" || *used.AccessKeyLastUsed.ServiceName != "N/A" || used.AccessKeyLastUsed.LastUsedDate != nil || *used.UserName != "bob" {
		t.Errorf("%+v, %v", used, err)
	}
	_, err = c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: awssdk.String("AKIAIOSFODNN7EXAMPLE")})
	says(t, err, "AccessDenied", "User: arn:aws:iam::123456789012:user/admin is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key AKIAIOSFODNN7EXAMPLE")
	_, err = c.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: bob, AccessKeyId: awssdk.String("AKIAIOSFODNN7EXAMPLE"), Status: types.StatusTypeInactive})
	says(t, err, "NoSuchEntity", "The Access Key with id AKIAIOSFODNN7EXAMPLE cannot be found.")
	if _, err := c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: bob}); err != nil {
		t.Fatal(err)
	}
	_, err = c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: bob})
	says(t, err, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")

	_, err = c.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: bob})
	says(t, err, "NoSuchEntity", "Login Profile for User bob cannot be found.")
	in := &iam.CreateLoginProfileInput{UserName: bob, Password: awssdk.String("correct horse battery")}
	if _, err := c.CreateLoginProfile(ctx, in); err != nil {
		t.Fatal(err)
	}
	_, err = c.CreateLoginProfile(ctx, in)
	says(t, err, "EntityAlreadyExists", "Login Profile for user bob already exists.")
	own := d.iam(k)
	change := func(old, fresh string) error {
		_, err := own.ChangePassword(ctx, &iam.ChangePasswordInput{OldPassword: &old, NewPassword: &fresh})
		return err
	}
	says(t, change("wrong", "staple, said nobody"), "AccessDenied", "The old password was incorrect.")
	says(t, change("correct horse battery", "abc"), "PasswordPolicyViolation", "The password must have at least 8 characters, and must not be one that is commonly used or known from a breach.")
	if err := change("correct horse battery", "staple, said nobody"); err != nil {
		t.Error(err)
	}
	after, err := c.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &k.id})
	if err != nil || *after.AccessKeyLastUsed.ServiceName != "iam" || !after.AccessKeyLastUsed.LastUsedDate.Equal(testkit.Epoch) {
		t.Errorf("%+v, %v", after, err)
	}

	_, err = c.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
	says(t, err, "NoSuchEntity", "The Password Policy with domain name 123456789012 cannot be found.")
	_, err = c.DeleteAccountPasswordPolicy(ctx, &iam.DeleteAccountPasswordPolicyInput{})
	says(t, err, "NoSuchEntity", "The account policy with name PasswordPolicy cannot be found.")
	if _, err := c.UpdateAccountPasswordPolicy(ctx, &iam.UpdateAccountPasswordPolicyInput{}); err != nil {
		t.Fatal(err)
	}
	p, err := c.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
	if err != nil || *p.PasswordPolicy.MinimumPasswordLength != 6 || p.PasswordPolicy.ExpirePasswords || p.PasswordPolicy.MaxPasswordAge != nil {
		t.Errorf("%+v, %v", p, err)
	}

	aliases, err := c.ListAccountAliases(ctx, &iam.ListAccountAliasesInput{})
	if err != nil || !slices.Equal(aliases.AccountAliases, []string{"acme"}) {
		t.Errorf("%v, %v", aliases, err)
	}
	sum, err := c.GetAccountSummary(ctx, &iam.GetAccountSummaryInput{})
	if err != nil || sum.SummaryMap["Users"] != 2 || sum.SummaryMap["AccessKeysPerUserQuota"] != 2 || sum.SummaryMap["AccountMFAEnabled"] != 0 {
		t.Errorf("%v, %v", sum.SummaryMap, err)
	}
}

func TestSTSThroughTheSDK(t *testing.T) {
	d := open(t, testkit.New(t))
	ctx, admin, c := context.Background(), d.iam(d.admin()), d.sts(d.admin())
	trust := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}}`
	if _, err := admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: awssdk.String("worker"), Path: awssdk.String("/team/"), AssumeRolePolicyDocument: &trust}); err != nil {
		t.Fatal(err)
	}
	arn := "arn:aws:iam::123456789012:role/team/worker"
	s, err := c.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: awssdk.String("one")})
	if err != nil {
		t.Fatal(err)
	}
	//lint:ignore SA1019 clients in use read it
	if *s.AssumedRoleUser.Arn != "arn:aws:sts::123456789012:assumed-role/worker/one" || s.PackedPolicySize != nil || !strings.HasPrefix(*s.Credentials.AccessKeyId, "ASIA") {
		t.Errorf("%+v", s.AssumedRoleUser)
	}
	role := d.sts(key{*s.Credentials.AccessKeyId, *s.Credentials.SecretAccessKey, *s.Credentials.SessionToken})
	id, err := role.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil || *id.Arn != *s.AssumedRoleUser.Arn || *id.UserId != *s.AssumedRoleUser.AssumedRoleId {
		t.Errorf("%+v, %v", id, err)
	}
	_, err = c.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: awssdk.String(arn + "x"), RoleSessionName: awssdk.String("one")})
	says(t, err, "AccessDenied", "User: arn:aws:iam::123456789012:user/admin is not authorized to perform: sts:AssumeRole on resource: "+arn+"x")
	_, err = c.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: awssdk.String("nothing-valid-in-here"), RoleSessionName: awssdk.String("one")})
	says(t, err, "ValidationError", "nothing-valid-in-here is invalid")
	_, err = c.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: awssdk.String("Session1:2")})
	says(t, err, "ValidationError", `1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`)
	_, err = c.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: awssdk.String("one"), DurationSeconds: awssdk.Int32(7200)})
	says(t, err, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	_, err = c.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: &arn, RoleSessionName: awssdk.String("one"), TransitiveTagKeys: []string{"x"}})
	says(t, err, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags.")

	f, err := c.GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: awssdk.String("Bob")})
	//lint:ignore SA1019 clients in use read it
	if err != nil || *f.PackedPolicySize != 0 || *f.FederatedUser.FederatedUserId != "123456789012:Bob" || !f.Credentials.Expiration.Equal(testkit.Epoch.Add(12*time.Hour)) {
		t.Errorf("%+v, %v", f, err)
	}
	info, err := c.GetAccessKeyInfo(ctx, &sts.GetAccessKeyInfoInput{AccessKeyId: &d.AccessKeyID})
	if err != nil || *info.Account != "123456789012" {
		t.Errorf("%+v, %v", info, err)
	}
	_, err = c.DecodeAuthorizationMessage(ctx, &sts.DecodeAuthorizationMessageInput{EncodedMessage: awssdk.String("x")})
	says(t, err, "InvalidAuthorizationMessageException", "The authorization message is not valid.")
}

func TestLookupEventsThroughTheSDK(t *testing.T) {
	d := open(t, testkit.New(t))
	ctx := context.Background()
	k := d.member(t, "alice", selfMFA)
	d.Clock.Advance(time.Second)
	d.iam(k).ListUsers(ctx, &iam.ListUsersInput{})
	c := d.trail(d.admin())
	by := func(key trailtypes.LookupAttributeKey, value string) []trailtypes.Event {
		t.Helper()
		out, err := c.LookupEvents(ctx, &cloudtrail.LookupEventsInput{LookupAttributes: []trailtypes.LookupAttribute{{AttributeKey: key, AttributeValue: &value}}})
		if err != nil {
			t.Fatal(err)
		}
		return out.Events
	}
	events := by(trailtypes.LookupAttributeKeyUsername, "alice")
	if len(events) != 1 || *events[0].EventName != "ListUsers" || *events[0].EventSource != "iam.amazonaws.com" || *events[0].AccessKeyId != k.id || *events[0].ReadOnly != "true" {
		t.Fatalf("%+v", events)
	}
	var e struct {
		UserIdentity struct {
			Type, ARN, AccountID, UserName string
			SessionContext                 *struct{}
		}
		ErrorCode, EventName, SourceIPAddress, RecipientAccountID string
		ReadOnly                                                  *bool
		AdditionalEventData                                       struct{ DecidedBy, Result string }
	}
	if err := json.Unmarshal([]byte(*events[0].CloudTrailEvent), &e); err != nil {
		t.Fatal(err)
	}
	if e.ErrorCode != "AccessDenied" || e.UserIdentity.Type != "IAMUser" || e.UserIdentity.UserName != "alice" || e.UserIdentity.SessionContext != nil ||
		e.SourceIPAddress != "127.0.0.1" || e.ReadOnly == nil || e.AdditionalEventData.Result != "refused" || !strings.Contains(e.AdditionalEventData.DecidedBy, "NoMFA") {
		t.Errorf("%s", *events[0].CloudTrailEvent)
	}
	made := by(trailtypes.LookupAttributeKeyResourceName, "alice")
	if len(made) != 3 || *made[2].EventName != "CreateUser" && *made[0].EventName != "CreateUser" && *made[1].EventName != "CreateUser" {
		t.Errorf("%d events on alice", len(made))
	}
	if n := len(by(trailtypes.LookupAttributeKeyResourceType, "AWS::IAM::User")); n != 3 {
		t.Errorf("%d events on users", n)
	}
	if n := len(by(trailtypes.LookupAttributeKeyEventSource, "cloudtrail.amazonaws.com")); n == 0 {
		t.Error("the look-ups are not in the trail")
	}
	page, err := c.LookupEvents(ctx, &cloudtrail.LookupEventsInput{MaxResults: awssdk.Int32(1)})
	if err != nil || len(page.Events) != 1 || page.NextToken == nil {
		t.Fatalf("%+v, %v", page, err)
	}
	if next, err := c.LookupEvents(ctx, &cloudtrail.LookupEventsInput{MaxResults: awssdk.Int32(1), NextToken: page.NextToken}); err != nil || *next.Events[0].EventId == *page.Events[0].EventId {
		t.Errorf("%+v, %v", next, err)
	}
	for code, in := range map[string]*cloudtrail.LookupEventsInput{
		"InvalidMaxResultsException":       {MaxResults: awssdk.Int32(51)},
		"InvalidNextTokenException":        {NextToken: awssdk.String("x")},
		"InvalidTimeRangeException":        {StartTime: awssdk.Time(testkit.Epoch), EndTime: awssdk.Time(testkit.Epoch.Add(-time.Hour))},
		"InvalidLookupAttributesException": {LookupAttributes: make([]trailtypes.LookupAttribute, 2)},
	} {
		for i := range in.LookupAttributes {
			in.LookupAttributes[i] = trailtypes.LookupAttribute{AttributeKey: "EventId", AttributeValue: awssdk.String("x")}
		}
		_, err := c.LookupEvents(ctx, in)
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
}
