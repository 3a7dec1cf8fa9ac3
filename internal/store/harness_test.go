package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
	"warifu/internal/store"
	"warifu/internal/testkit/blank"
)

var epoch = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

const (
	acme  name.Account = 111122223333
	other name.Account = 444455556666
)

// world is a store with two accounts and the ring that its secrets are sealed
// with.
type world struct {
	*testing.T
	*store.Store
	rand io.Reader
	ring *seal.Keyring
}

// each runs a test on both databases.
func each(t *testing.T, test func(w *world)) {
	t.Run("sqlite", func(t *testing.T) { test(newWorld(t, blank.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { test(newWorld(t, blank.Postgres(t))) })
}

func newWorld(t *testing.T, dsn string) *world {
	t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, Store: s, rand: &chance{src: rand.NewChaCha8(sha256.Sum256([]byte(t.Name())))}}
	kms, err := seal.NewFileKeys(w.rand)
	w.must(err)
	ring, keys, err := seal.NewRing(ctx, kms, w.rand)
	w.must(err)
	w.ring = ring
	w.update(func(tx *store.Tx) error {
		for _, k := range keys {
			if err := tx.InsertDataKey(&store.DataKey{ID: k.ID.String(), Wrapped: k.Wrapped, Wrapper: k.KEK, Active: k.ID == 1, Created: epoch}); err != nil {
				return err
			}
		}
		return errors.Join(
			tx.InsertAccount(&iam.Account{ID: acme, Alias: "acme", Created: epoch}),
			tx.InsertAccount(&iam.Account{ID: other, Created: epoch}))
	})
	return w
}

// chance is fixed randomness that goroutines share.
type chance struct {
	mu  sync.Mutex
	src *rand.ChaCha8
}

func (c *chance) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.src.Read(b)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) update(fn func(*store.Tx) error) {
	w.Helper()
	w.must(w.Update(context.Background(), fn))
}

func (w *world) view(fn func(*store.Tx) error) {
	w.Helper()
	w.must(w.View(context.Background(), fn))
}

// refused runs fn in an update and wants an error of a kind about a noun and
// name.
func (w *world) refused(kind fault.Kind, noun, called string, fn func(*store.Tx) error) {
	w.Helper()
	err := w.Update(context.Background(), fn)
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Noun != noun || f.Name != called {
		w.Errorf("got error %v, want %s: %s: %s", err, kind, noun, called)
	}
}

func (w *world) id() name.ID {
	w.Helper()
	id, err := name.NewID(w.rand)
	w.must(err)
	return id
}

// user adds a user to acme.
func (w *world) user(called string) *iam.User {
	w.Helper()
	u := &iam.User{ID: w.id(), Account: acme, Name: called, Path: "/", Created: epoch}
	w.update(func(tx *store.Tx) error { return tx.InsertUser(u) })
	return u
}

func (w *world) group(called string) *iam.Group {
	w.Helper()
	g := &iam.Group{ID: w.id(), Account: acme, Name: called, Path: "/", Created: epoch}
	w.update(func(tx *store.Tx) error { return tx.InsertGroup(g) })
	return g
}

func (w *world) role(called string) *iam.Role {
	w.Helper()
	r := &iam.Role{ID: w.id(), Account: acme, Name: called, Path: "/", Trust: "{}", MaxSession: time.Hour, Created: epoch}
	w.update(func(tx *store.Tx) error { return tx.InsertRole(r) })
	return r
}

func (w *world) policy(owner name.Account, called string) *iam.Policy {
	w.Helper()
	p := &iam.Policy{ID: w.id(), Account: owner, Language: iam.LanguageAWS, Name: called, Path: "/", Created: epoch, Updated: epoch}
	w.update(func(tx *store.Tx) error { return tx.InsertPolicy(p, "text of "+called) })
	return p
}

func (w *world) sealed(t store.SealedTable, row, secret string) []byte {
	w.Helper()
	column := map[store.SealedTable]string{store.SealedAccessKeys: "secret", store.SealedFactors: "seed"}[t]
	b, err := w.ring.Seal(w.rand, seal.Place{Table: string(t), Row: row, Column: column}, seal.NewSecret([]byte(secret)))
	w.must(err)
	return b
}

func (w *world) key(u *iam.User) *iam.AccessKey {
	w.Helper()
	id, err := name.NewAccessKeyID(w.rand, name.PrefixAccessKey)
	w.must(err)
	k := &iam.AccessKey{ID: id, User: u.ID, Account: u.Account, Secret: w.sealed(store.SealedAccessKeys, id, "secret of "+id),
		Status: iam.KeyActive, Created: epoch}
	w.update(func(tx *store.Tx) error { return tx.InsertKey(k) })
	return k
}

// factor adds a pending factor to acme.
func (w *world) factor(called string) *iam.Factor {
	w.Helper()
	id := w.id()
	f := &iam.Factor{ID: id, Account: acme, Kind: iam.FactorTOTP, Name: called, Path: "/",
		Seed: w.sealed(store.SealedFactors, id.String(), "seed of "+called), Created: epoch, Expires: epoch.Add(iam.PendingFactorLife)}
	w.update(func(tx *store.Tx) error { return tx.InsertFactor(f) })
	return f
}

// enabled adds a factor bound to a user.
func (w *world) enabled(u *iam.User, called string) *iam.Factor {
	w.Helper()
	f := w.factor(called)
	w.update(func(tx *store.Tx) error {
		ok, err := tx.EnableFactor(acme, f.ID, u.ID, 100, 0, epoch)
		if err == nil && !ok {
			err = errors.New("the factor was not enabled")
		}
		return err
	})
	return f
}

func (w *world) revision(a name.Account) (n int64) {
	w.Helper()
	w.view(func(tx *store.Tx) (err error) { n, err = tx.Revision(a); return err })
	return n
}

// bumps wants fn, run in an update, to raise acme's revision by one, and no
// other account's.
func (w *world) bumps(what string, fn func(*store.Tx) error) {
	w.Helper()
	before, theirs := w.revision(acme), w.revision(other)
	w.update(fn)
	if got := w.revision(acme); got != before+1 {
		w.Errorf("%s raised the revision by %d, want 1", what, got-before)
	}
	if got := w.revision(other); got != theirs {
		w.Errorf("%s raised another account's revision by %d", what, got-theirs)
	}
}

// stays wants fn, run in an update, to leave acme's revision alone.
func (w *world) stays(what string, fn func(*store.Tx) error) {
	w.Helper()
	before := w.revision(acme)
	w.update(fn)
	if got := w.revision(acme); got != before {
		w.Errorf("%s raised the revision by %d, want 0", what, got-before)
	}
}

// names spells a list for comparison.
func names[T any](all []T, of func(T) string) string {
	var s string
	for i, v := range all {
		if i > 0 {
			s += " "
		}
		s += of(v)
	}
	return s
}

// same compares what was read with what is wanted, by their print.
func same[T any](w *world, what string, got, want T) {
	w.Helper()
	if g, x := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != x {
		w.Errorf("%s:\n got %s\nwant %s", what, g, x)
	}
}
