package ops_test

import (
	"context"
	"fmt"
	"testing"

	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

// What it costs to judge an account of 10,000 users with a key each, and to show the
// report that was kept.
func BenchmarkInsight10000(b *testing.B) {
	w := testkit.New(b)
	err := w.Store.Update(context.Background(), func(tx *store.Tx) error {
		for i := range 10_000 {
			id, err := name.NewID(w.Rand)
			if err != nil {
				return err
			}
			u := iam.User{ID: id, Account: testkit.Account, Name: fmt.Sprintf("user-%05d", i), Path: "/", Created: w.Now()}
			if err := tx.InsertUser(&u); err != nil {
				return err
			}
			if err := tx.InsertLoginProfile(testkit.Account, &iam.LoginProfile{User: id, Hash: "x", Created: w.Now(), Changed: w.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	call := w.Admin(b)
	b.Run("made", func(b *testing.B) {
		for b.Loop() {
			testkit.Do(b, w, call, ops.RenewInsight, ops.RenewInsightIn{})
		}
	})
	b.Run("kept", func(b *testing.B) {
		for b.Loop() {
			testkit.Do(b, w, call, ops.GetInsight, struct{}{})
		}
	})
}

// How many sealed events a second are counted.
func BenchmarkDigest(b *testing.B) {
	w := testkit.New(b)
	ctx := context.Background()
	const batch = 1024
	events := make([]audit.Event, batch)
	n := 0
	for b.Loop() {
		b.StopTimer()
		for i := range events {
			n++
			events[i] = audit.Event{ID: fmt.Sprint("e", n), Account: testkit.Account, At: w.Now(), Operation: "GetUser", Action: "iam:GetUser", Door: "aws", Service: "iam", ReadOnly: true,
				Actor: audit.Actor{Kind: "user", ID: name.ID(1000 + n%50), Name: "u"}, Target: audit.Target{Noun: "user", ARN: fmt.Sprint(ownPrefix, "user/u", n%40)},
				Source: "192.0.2.1", Result: audit.Allowed, Why: "arn:aws:iam::123456789012:policy/p v1 1:1"}
		}
		if err := w.Store.Update(ctx, func(tx *store.Tx) error { return tx.AppendEvents(events...) }); err != nil {
			b.Fatal(err)
		}
		if _, err := w.SealTrail(ctx); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if err := w.DigestTrail(ctx); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds(), "events/s")
}
