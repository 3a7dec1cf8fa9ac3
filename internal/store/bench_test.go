package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
	"warifu/internal/testkit/pg"
)

// benches runs a benchmark on SQLite and, when WARIFU_TEST_PG names a server, on
// it. The server that tests start is of no use here: it does not sync.
func benches(b *testing.B, users int, bench func(b *testing.B, s *store.Store)) {
	run := func(what string, dsn func(b *testing.B) string) {
		b.Run(what, func(b *testing.B) {
			s, err := store.Open(context.Background(), dsn(b), store.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			fill(b, s, users)
			b.ReportAllocs()
			b.ResetTimer()
			bench(b, s)
		})
	}
	run("sqlite", func(b *testing.B) string {
		dir, err := os.MkdirTemp(b.TempDir(), "") // b comes here more than once
		if err != nil {
			b.Fatal(err)
		}
		return filepath.Join(dir, "warifu.db")
	})
	if os.Getenv("WARIFU_TEST_PG") != "" {
		run("postgres", func(b *testing.B) string { return pg.DSN(b) })
	}
}

func fill(b *testing.B, s *store.Store, users int) {
	b.Helper()
	update := func(fn func(*store.Tx) error) {
		if err := s.Update(context.Background(), fn); err != nil {
			b.Fatal(err)
		}
	}
	update(func(tx *store.Tx) error { return tx.InsertAccount(&iam.Account{ID: acme, Created: epoch}) })
	for i := 0; i < users; i += 10_000 {
		update(func(tx *store.Tx) error {
			for j := i; j < min(i+10_000, users); j++ {
				if err := tx.InsertUser(benchUser(j)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

func userName(i int) string { return fmt.Sprintf("user-%07d", i) }

func benchUser(i int) *iam.User {
	return &iam.User{ID: name.FixedID(userName(i)), Account: acme, Name: userName(i), Path: "/", Created: epoch}
}

// BenchmarkRead shows what a point read and the first page of a list take, at a
// thousand and at a million users.
func BenchmarkRead(b *testing.B) {
	sizes := []int{1_000}
	if !testing.Short() {
		sizes = append(sizes, 1_000_000)
	}
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			benches(b, size, func(b *testing.B, s *store.Store) {
				view := func(b *testing.B, fn func(*store.Tx) error) {
					if err := s.View(context.Background(), fn); err != nil {
						b.Fatal(err)
					}
				}
				b.Run("UserByName", func(b *testing.B) {
					for i := range b.N {
						view(b, func(tx *store.Tx) error { _, err := tx.UserByName(acme, userName(i*7919%size)); return err })
					}
				})
				b.Run("Users100", func(b *testing.B) {
					for range b.N {
						view(b, func(tx *store.Tx) error { _, err := tx.Users(acme, "/", "", 100); return err })
					}
				})
				b.Run("Revision", func(b *testing.B) {
					for range b.N {
						view(b, func(tx *store.Tx) error { _, err := tx.Revision(acme); return err })
					}
				})
				b.Run("RevisionParallel", func(b *testing.B) {
					b.RunParallel(func(p *testing.PB) {
						for p.Next() {
							view(b, func(tx *store.Tx) error { _, err := tx.Revision(acme); return err })
						}
					})
				})
			})
		})
	}
}

// callers runs fn b.N times over n goroutines.
func callers(b *testing.B, n int, fn func(i int64)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	began := time.Now()
	for range n {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				fn(i)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "op/s")
}

// BenchmarkInsertUser is a durable change with its event.
func BenchmarkInsertUser(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			benches(b, 0, func(b *testing.B, s *store.Store) {
				callers(b, n, func(i int64) {
					e := full(fmt.Sprintf("%036d", i), epoch.Add(time.Duration(i)*time.Microsecond))
					if err := s.Update(context.Background(), func(tx *store.Tx) error {
						if err := tx.InsertUser(benchUser(int(i))); err != nil {
							return err
						}
						return tx.AppendEvents(e)
					}); err != nil {
						b.Error(err)
					}
				})
			})
		})
	}
}

// BenchmarkEventOfWrite tells what a change's event takes of the change's throughput, in
// per cent. The two take turns, since a machine's speed drifts.
func BenchmarkEventOfWrite(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			benches(b, 0, func(b *testing.B, s *store.Store) {
				s.Vouch([32]byte{1})
				const turns, perTurn = 40, 500
				var took [2]time.Duration
				for turn := range turns * b.N {
					with := turn % 2
					if turn/2%2 == 1 {
						with = 1 - with // so that each follows either
					}
					began := time.Now()
					var next atomic.Int64
					var wg sync.WaitGroup
					for range n {
						wg.Go(func() {
							for i := next.Add(1); i <= perTurn; i = next.Add(1) {
								number := turn*perTurn + int(i)
								e := full(fmt.Sprintf("%036d", number), epoch.Add(time.Duration(number)*time.Microsecond))
								if err := s.Update(context.Background(), func(tx *store.Tx) error {
									err := tx.InsertUser(benchUser(number))
									if err == nil && with == 1 {
										err = tx.AppendEvents(e)
									}
									return err
								}); err != nil {
									b.Error(err)
								}
							}
						})
					}
					wg.Wait()
					took[with] += time.Since(began)
				}
				rate := func(i int) float64 { return float64(turns*b.N*perTurn/2) / took[i].Seconds() }
				b.ReportMetric(rate(0), "without/s")
				b.ReportMetric(rate(1), "with/s")
				b.ReportMetric(100*(1-rate(1)/rate(0)), "%")
			})
		})
	}
}

// BenchmarkRecord is the event of a read.
func BenchmarkRecord(b *testing.B) {
	for _, n := range []int{1, 8, 64} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			benches(b, 0, func(b *testing.B, s *store.Store) {
				callers(b, n, func(i int64) {
					if err := s.Record(context.Background(), full(fmt.Sprintf("%036d", i), epoch.Add(time.Duration(i)*time.Microsecond))); err != nil {
						b.Error(err)
					}
				})
			})
		})
	}
}

// BenchmarkEvents finds the newest events in a trail of 100,000.
func BenchmarkEvents(b *testing.B) {
	benches(b, 0, func(b *testing.B, s *store.Store) {
		for i := 0; i < 100_000; i += 1000 {
			var all []audit.Event
			for j := range 1000 {
				all = append(all, full(fmt.Sprintf("%036d", i+j), epoch.Add(time.Duration(i+j)*time.Second)))
			}
			if err := s.Record(context.Background(), all...); err != nil {
				b.Fatal(err)
			}
		}
		for what, q := range map[string]audit.Query{"newest50": {}, "actor": {Actor: "alice"}, "nothing": {Actor: "bob"}, "id": {ID: fmt.Sprintf("%036d", 5)}} {
			q.Account = acme
			b.Run(what, func(b *testing.B) {
				for range b.N {
					if err := s.View(context.Background(), func(tx *store.Tx) error {
						_, err := tx.Events(q, store.EventAfter{}, 50)
						return err
					}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}
