package ops_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/store/query"
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

// busyWeek puts n events of seven days in pieces, without the events themselves: those
// of 200 users at 60 operations from 500 addresses.
func busyWeek(b *testing.B, w *testkit.World, n int) {
	b.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	step := ops.QuerySpan.Microseconds() / int64(n+1)
	from := w.Now().Add(-ops.QuerySpan).UnixMicro()
	var body []byte
	for first := 0; first+query.PieceLeaves <= n; first += query.PieceLeaves {
		events := make([]query.Event, query.PieceLeaves)
		for i := range events {
			user, operation := r.IntN(200), min(r.IntN(60), r.IntN(60))
			e := audit.Event{
				ID: fmt.Sprintf("%08x-0000-4000-8000-%012x", r.Uint32(), first+i), Account: testkit.Account, At: time.UnixMicro(from + int64(first+i)*step).UTC(),
				Operation: fmt.Sprint("Operation", operation), Action: fmt.Sprint("iam:Operation", operation), Door: "aws", Service: "iam", Region: "us-east-1", ReadOnly: operation%3 != 0,
				Actor:  audit.Actor{Kind: "user", ID: 7, Name: fmt.Sprint("user", user), ARN: fmt.Sprint("arn:aws:iam::123456789012:user/user", user), AccessKey: fmt.Sprint("AKIAEXAMPLEEXAMPL", user)},
				Target: audit.Target{Noun: "user", Name: fmt.Sprint("target", r.IntN(5000))}, MFA: audit.MFA{Known: true, Present: user%4 == 0},
				Source: fmt.Sprint("192.0.2.", (user*7+r.IntN(3))%500), UserAgent: fmt.Sprintf("aws-cli/2.%d.0 md/awscrt#0.27.6", user%40), RequestID: fmt.Sprintf("%08x-0000-4000-8000-%012x", r.Uint32(), i),
				Result: audit.Allowed, Why: fmt.Sprintf("arn:aws:iam::aws:policy/Policy%d v1 4:5", operation%30), Params: audit.Fields{"userName": fmt.Sprint("target", r.IntN(5000))},
			}
			if r.IntN(50) == 0 {
				e.Result, e.Code = audit.Refused, "denied"
			}
			body = e.AppendJSON(body[:0])
			events[i] = query.Event{Leaf: int64(first + i), At: e.At.UnixMicro(), ID: e.ID, Operation: e.Operation, Actor: e.Actor.Name, AccessKey: e.Actor.AccessKey,
				Target: e.Target.Name, Service: e.Service, ReadOnly: e.ReadOnly, Result: string(e.Result), Body: string(body)}
		}
		p := map[name.Account]*query.Built{testkit.Account: query.Build(int64(first), events)}
		if err := w.Store.Update(context.Background(), func(tx *store.Tx) error { return tx.AddPieces(int64(first), query.PieceLeaves, p) }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkQueryTrail is a query over a week of ten million events with its histogram:
// less than two seconds on two processors.
func BenchmarkQueryTrail(b *testing.B) {
	eachBench(b, func(b *testing.B, w *testkit.World) {
		busyWeek(b, w, 10_000_000)
		admin := w.Admin(b)
		for what, in := range map[string]ops.QueryTrailIn{
			"everything, newest first": {},
			"refused by user":          {Where: "result = 'refused'", SQL: "SELECT actor, count(*) FROM found GROUP BY actor ORDER BY 2 DESC"},
			"one user":                 {Where: "actor = 'user7' AND NOT read_only", SQL: "SELECT time, event, target FROM found ORDER BY at DESC"},
			"by pattern":               {Where: "NOT read_only AND (event LIKE '%tion5%' OR event LIKE '%tion4_')", SQL: "SELECT event, count(*) FROM found GROUP BY event"},
			"one target":               {Where: "target = 'target77'"},
			"one event":                {Where: "request_id = '00000000-0000-4000-8000-000000000001'"},
			"without MFA by address":   {Where: "NOT mfa AND event = 'Operation7'", SQL: "SELECT source, count(*) AS n, max(time) FROM found GROUP BY source ORDER BY n DESC"},
			"everything by hour":       {SQL: "SELECT hour, count(*), sum(result = 'refused') FROM found GROUP BY hour"},
			"everything by user":       {SQL: "SELECT actor, count(*) FROM found GROUP BY actor"},
		} {
			b.Run(what, func(b *testing.B) {
				found := 0
				for range b.N {
					found = testkit.Do(b, w, admin, ops.QueryTrail, in).Found
				}
				b.ReportMetric(float64(found), "found")
			})
		}
	})
}
