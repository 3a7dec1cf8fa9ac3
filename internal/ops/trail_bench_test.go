package ops_test

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/testkit"
	"warifu/internal/testkit/pg"
)

// recorded puts n events into a trail.
func recorded(b *testing.B, w *testkit.World, from, n int) {
	b.Helper()
	for i := from; i < from+n; i += 1000 {
		err := w.Store.Update(context.Background(), func(tx *store.Tx) error {
			var all []audit.Event
			for j := i; j < min(i+1000, from+n); j++ {
				all = append(all, audit.Event{
					ID: fmt.Sprintf("%08x-0000-4000-8000-000000000000", j), Account: testkit.Account, At: testkit.Epoch.Add(time.Duration(j) * time.Millisecond),
					Operation: "CreateUser", Action: "iam:CreateUser", Door: "aws", Service: "iam", Region: "us-east-1",
					Actor:  audit.Actor{Kind: "user", ID: 7, Name: "admin", ARN: "arn:aws:iam::123456789012:user/admin", AccessKey: "AKIAEXAMPLEEXAMPLE00"},
					Target: audit.Target{Noun: "user", Name: fmt.Sprint("user", j), ARN: fmt.Sprint("arn:aws:iam::123456789012:user/user", j)},
					Source: "192.0.2.7", UserAgent: "aws-cli/2.30.0 md/awscrt#0.27.6 ua/2.1 os/linux#6.8 lang/python#3.13.7", RequestID: fmt.Sprintf("%08x-0000-4000-8000-000000000001", j),
					Result: audit.Allowed, Why: "arn:aws:iam::aws:policy/AdministratorAccess v1 4:5", Params: audit.Fields{"userName": fmt.Sprint("user", j), "path": "/"},
				})
			}
			return tx.AppendEvents(all...)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func eachBench(b *testing.B, bench func(*testing.B, *testkit.World)) {
	b.Run("sqlite", func(b *testing.B) {
		bench(b, testkit.Build(b, filepath.Join(b.TempDir(), "warifu.db"), io.Discard))
	})
	b.Run("postgres", func(b *testing.B) { bench(b, testkit.Build(b, pg.DSN(b), io.Discard)) })
}

// BenchmarkSeal makes leaves of events that wait; it must keep up with 3,000 a
// second.
func BenchmarkSeal(b *testing.B) {
	eachBench(b, func(b *testing.B, w *testkit.World) {
		const n = 10_000
		sealed := 0
		for i := range b.N {
			b.StopTimer()
			recorded(b, w, i*n, n)
			b.StartTimer()
			some, err := w.SealTrail(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			sealed += some
		}
		b.ReportMetric(float64(sealed)/b.Elapsed().Seconds(), "events/s")
	})
}

// BenchmarkProveEvent is the proof of one event among 100,000, as the console asks
// for it: less than a millisecond.
func BenchmarkProveEvent(b *testing.B) {
	eachBench(b, func(b *testing.B, w *testkit.World) {
		const n = 100_000
		recorded(b, w, 0, n)
		if _, err := w.SealTrail(context.Background()); err != nil {
			b.Fatal(err)
		}
		admin := w.Admin(b)
		b.ResetTimer()
		for i := range b.N {
			j := i * 7919 % n
			in := ops.ProveEventIn{At: testkit.Epoch.Add(time.Duration(j) * time.Millisecond), ID: fmt.Sprintf("%08x-0000-4000-8000-000000000000", j)}
			if p := testkit.Do(b, w, admin, ops.ProveEvent, in); !p.Whole {
				b.Fatal("it does not hold")
			}
		}
	})
}

// BenchmarkQueryTrail is a query over 100,000 events, with its histogram.
func BenchmarkQueryTrail(b *testing.B) {
	eachBench(b, func(b *testing.B, w *testkit.World) {
		recorded(b, w, 0, 100_000)
		w.Clock.Advance(time.Hour)
		admin := w.Admin(b)
		b.ResetTimer()
		for range b.N {
			testkit.Do(b, w, admin, ops.QueryTrail, ops.QueryTrailIn{Where: "event = 'CreateUser'", SQL: "SELECT actor, count(*) FROM found GROUP BY 1"})
		}
	})
}
