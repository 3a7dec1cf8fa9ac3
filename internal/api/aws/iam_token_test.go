package aws_test

import (
	"context"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"warifu/internal/factor/totp"
	"warifu/internal/ops"
	"warifu/internal/seal"
	"warifu/internal/testkit"
)

// A hardware token goes by the serial number that is printed on it, as at AWS.
func TestHardwareTokensThroughTheSDK(t *testing.T) {
	each(t, func(t *testing.T, d *door) {
		ctx := context.Background()
		testkit.Do(t, d.World, d.Admin(t), ops.ImportTokens, ops.ImportTokensIn{File: seal.NewSecret([]byte("GAHT12345678,3132333435363738393031323334353637383930,hotp"))})
		code := func(n int64) *string {
			return awssdk.String(totp.Code([]byte("12345678901234567890"), totp.Params{}, n))
		}
		k := d.member(t, "alice", selfMFA)
		own, serial := d.iam(k), awssdk.String("GAHT12345678")
		if _, err := own.EnableMFADevice(ctx, &iam.EnableMFADeviceInput{UserName: awssdk.String("alice"), SerialNumber: serial, AuthenticationCode1: code(0), AuthenticationCode2: code(1)}); err != nil {
			t.Fatal(err)
		}
		list, err := own.ListMFADevices(ctx, &iam.ListMFADevicesInput{})
		if err != nil || len(list.MFADevices) != 1 || *list.MFADevices[0].SerialNumber != *serial || *list.MFADevices[0].UserName != "alice" {
			t.Errorf("%+v, %v", list, err)
		}
		session, err := d.sts(k).GetSessionToken(ctx, &sts.GetSessionTokenInput{SerialNumber: serial, TokenCode: code(2)})
		if err != nil {
			t.Fatal(err)
		}
		in := key{id: *session.Credentials.AccessKeyId, secret: *session.Credentials.SecretAccessKey, token: *session.Credentials.SessionToken}
		if _, err := d.iam(in).ListUsers(ctx, &iam.ListUsersInput{}); err != nil {
			t.Errorf("with MFA: %v", err)
		}
		_, err = d.sts(k).GetSessionToken(ctx, &sts.GetSessionTokenInput{SerialNumber: serial, TokenCode: code(2)})
		says(t, err, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code. ") // C-1
		if _, err := d.iam(in).DeactivateMFADevice(ctx, &iam.DeactivateMFADeviceInput{UserName: awssdk.String("alice"), SerialNumber: serial}); err != nil {
			t.Error(err)
		}
	})
}
