package testkit

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"warifu/internal/factor/totp"
	"warifu/internal/ops"
)

// As is a call signed with a key, and for a session its token, as the AWS door
// would make it after it verified the signature.
func (w *World) As(t testing.TB, keyID, token string) ops.Call {
	t.Helper()
	c, err := w.Credential(context.Background(), keyID, token)
	if err != nil {
		t.Fatalf("credentials of %s: %v", keyID, err)
	}
	return ops.Call{
		Caller: c.Caller, RequestID: w.NewRequestID(),
		Source: ops.Source{
			Door: "aws", Service: "iam", Region: "us-east-1", IP: netip.MustParseAddr("192.0.2.10"), UserAgent: "testkit", Secure: true,
		},
	}
}

// Admin is a call of the administrator.
func (w *World) Admin(t testing.TB) ops.Call {
	t.Helper()
	return w.As(t, w.AccessKeyID, "")
}

// Do runs an operation that must succeed.
func Do[In, Out any](t testing.TB, w *World, call ops.Call, op ops.Op[In, Out], in In) Out {
	t.Helper()
	out, err := ops.Run(context.Background(), w.Server, call, op, in)
	if err != nil {
		t.Fatalf("%s: %v", op.Name, err)
	}
	return out
}

// Fails runs an operation that must fail, and returns how.
func Fails[In, Out any](t testing.TB, w *World, call ops.Call, op ops.Op[In, Out], in In) error {
	t.Helper()
	_, err := ops.Run(context.Background(), w.Server, call, op, in)
	if err == nil {
		t.Fatalf("%s succeeded", op.Name)
	}
	return err
}

// Code is what an authenticator with this base32 seed shows at a time.
func Code(t testing.TB, seed string, at time.Time) string {
	t.Helper()
	raw, err := totp.ParseSeed(seed)
	if err != nil {
		t.Fatal(err)
	}
	return totp.Code(raw, totp.Params{}, totp.Params{}.Step(at))
}
