package testkit

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync"
	"testing"
	"time"

	"warifu/internal/factor/passkey"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/password"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/internal/testkit/blank"
)

// Epoch is when every test begins.
var Epoch = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

// Account is the number of the account that every World has.
const Account name.Account = 123456789012

// Clock is a clock that tests move.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Advance moves the clock; backwards, too.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	c.at = c.at.Add(d)
	c.mu.Unlock()
}

// chance is randomness that is the same in every run; safe for concurrent use.
type chance struct {
	mu  sync.Mutex
	src *rand.ChaCha8
}

func (c *chance) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.src.Read(b)
}

// Rand returns randomness that depends only on seed.
func Rand(seed string) io.Reader {
	var key [32]byte
	copy(key[:], seed)
	return &chance{src: rand.NewChaCha8(key)}
}

// World is a server with one account and its administrator.
type World struct {
	*ops.Server
	Store *store.Store
	Clock *Clock
	Rand  io.Reader
	Log   io.Writer // what the server logs

	// Fetch answers for the addresses of identity providers; nil refuses.
	Fetch func(url string) ([]byte, error)

	// The administrator's access key.
	AccessKeyID, SecretAccessKey string
}

// New returns a world on SQLite.
func New(t testing.TB) *World {
	return Build(t, blank.SQLite(t), io.Discard)
}

// Cost is what passwords cost in tests: next to nothing. Most tests are not about
// how long it takes to guess one, and would take three times as long.
var Cost = password.Cost{Memory: 64, Time: 1, Threads: 1}

// Each runs a test on SQLite and on PostgreSQL.
func Each(t *testing.T, test func(*testing.T, *World)) {
	t.Run("sqlite", func(t *testing.T) { test(t, New(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Build(t, blank.Postgres(t), io.Discard)) })
}

// Crowded returns a world on SQLite whose passwords cost as much as anywhere, one
// is compared at a time, and few wait for their turn.
func Crowded(t testing.TB, waiting int) *World {
	return build(t, blank.SQLite(t), io.Discard, password.NewGate(1, waiting), password.DefaultCost())
}

// Build returns a world on the database of dsn that logs to log.
func Build(t testing.TB, dsn string, log io.Writer) *World {
	return build(t, dsn, log, password.NewGate(2, 64), Cost)
}

func build(t testing.TB, dsn string, log io.Writer, gate *password.Gate, cost password.Cost) *World {
	t.Helper()
	ctx := context.Background()
	w := &World{Clock: &Clock{at: Epoch}, Rand: Rand(t.Name()), Log: log}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	w.Store, err = store.Open(ctx, dsn, store.Options{})
	must(err)
	t.Cleanup(func() { w.Store.Close() })
	kms, err := seal.NewFileKeys(w.Rand)
	must(err)
	vault, err := ops.OpenVault(ctx, w.Store, kms, w.Rand, w.Clock.Now())
	must(err)
	w.Server, err = ops.New(ops.Config{
		Store: w.Store, Keys: vault, Gate: gate, Cost: cost, Now: w.Clock.Now, Rand: w.Rand,
		Fetch: func(_ context.Context, url string, _ []string) ([]byte, error) {
			if w.Fetch == nil {
				return nil, errors.New("nothing is fetched in this test")
			}
			return w.Fetch(url)
		},
		Log:      slog.New(slog.NewTextHandler(log, nil)),
		Delivery: ops.Delivery{Mail: ops.Sending{On: true, By: "mail.example.com:587"}, SMS: ops.Sending{On: true, By: "sms.example.com:443"}},
	})
	must(err)
	at, err := url.Parse(Origin)
	must(err)
	must(w.UsePasskeys(ctx, passkey.Config{URL: at}))
	made, err := w.Bootstrap(ctx, ops.BootstrapIn{Account: Account, Alias: "acme", Admin: "admin"})
	must(err)
	w.AccessKeyID, w.SecretAccessKey = made.AccessKeyID, string(made.SecretAccessKey.Reveal())
	return w
}
