package ops_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

// BenchmarkPolicyChange is the first decision after a policy changed that is attached
// to 10,000 users, all of whom were decided about before: at most 50 ms. The time of
// the change itself, one durable write, is apart.
func BenchmarkPolicyChange(b *testing.B) {
	const users = 10_000
	w := testkit.New(b)
	ctx := context.Background()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	as := func(keyID string) ops.Call {
		c, err := w.Credential(ctx, keyID, "")
		must(err)
		return ops.Call{Caller: c.Caller, RequestID: w.NewRequestID(), At: w.Clock.Now()}
	}
	document := func(version int) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"},{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b%d/*"}]}`, version)
	}
	shared, err := ops.Run(ctx, w.Server, as(w.AccessKeyID), ops.CreatePolicy, ops.CreatePolicyIn{Name: "shared", Document: document(0)})
	must(err)
	must(w.Store.Update(ctx, func(tx *store.Tx) error {
		for i := range users {
			id, err := name.NewID(w.Rand)
			if err != nil {
				return err
			}
			u := iam.User{ID: id, Account: testkit.Account, Name: fmt.Sprintf("user-%05d", i), Path: "/", Created: testkit.Epoch}
			if err := tx.InsertUser(&u); err != nil {
				return err
			}
			if _, err := tx.Attach(testkit.Account, iam.KindUser, id, shared.ID); err != nil {
				return err
			}
		}
		return nil
	}))
	key, err := ops.Run(ctx, w.Server, as(w.AccessKeyID), ops.CreateAccessKey, ops.UserIn{User: ops.Ref{Name: "user-00000"}})
	must(err)
	admin := as(w.AccessKeyID)
	for i := range users {
		_, err := ops.Run(ctx, w.Server, admin, ops.SimulatePrincipalPolicy, ops.SimulateIn{
			Source: fmt.Sprintf("arn:aws:iam::123456789012:user/user-%05d", i), Actions: []string{"iam:GetUser"}})
		must(err)
	}

	var decisions, changes time.Duration
	n := 0
	for b.Loop() {
		n++
		began := time.Now()
		v, err := ops.Run(ctx, w.Server, as(w.AccessKeyID), ops.CreatePolicyVersion, ops.CreateVersionIn{Policy: shared.ARN(), Document: document(n), Default: true})
		must(err)
		changes += time.Since(began)
		began = time.Now()
		_, err = ops.Run(ctx, w.Server, as(key.ID), ops.GetUser, ops.UserIn{})
		must(err)
		decisions += time.Since(began)
		if v.Number > 2 { // there is room for five
			_, err := ops.Run(ctx, w.Server, as(w.AccessKeyID), ops.DeletePolicyVersion, ops.VersionIn{Policy: shared.ARN(), Version: fmt.Sprintf("v%d", v.Number-2)})
			must(err)
		}
	}
	b.ReportMetric(float64(decisions.Microseconds())/1000/float64(n), "ms/decision")
	b.ReportMetric(float64(changes.Microseconds())/1000/float64(n), "ms/change")
}
