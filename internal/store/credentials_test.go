package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
)

func TestAccessKeys(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		k, second := w.key(u), w.key(u)
		if second.ID < k.ID {
			k, second = second, k
		}
		w.refused(fault.Exists, "access key", k.ID, func(tx *store.Tx) error { return tx.InsertKey(k) })
		w.refused(fault.Internal, "access key", "AKIACLEAR", func(tx *store.Tx) error {
			return tx.InsertKey(&iam.AccessKey{ID: "AKIACLEAR", User: u.ID, Account: acme, Secret: []byte("in the clear"), Status: iam.KeyActive})
		})
		w.stays("a key's use", func(tx *store.Tx) error { return tx.SetKeyUsed(acme, k.ID, epoch.Add(time.Hour), "iam", "us-east-1") })
		k.LastUsed, k.LastService, k.LastRegion = epoch.Add(time.Hour), "iam", "us-east-1"
		w.bumps("a key switched off", func(tx *store.Tx) error { return tx.UpdateKeyStatus(acme, u.ID, k.ID, iam.KeyInactive, k.Created) })
		k.Status = iam.KeyInactive
		w.view(func(tx *store.Tx) error {
			got, err := tx.Key(k.ID)
			w.must(err)
			same(w, "key", *got, *k)
			id := func(k iam.AccessKey) string { return k.ID }
			all, err := tx.Keys(acme, u.ID, "", 10)
			w.must(err)
			same(w, "keys", names(all, id), k.ID+" "+second.ID)
			all, err = tx.Keys(acme, u.ID, k.ID, 10)
			w.must(err)
			same(w, "keys after", names(all, id), second.ID)
			n, err := tx.KeyCount(acme, u.ID)
			same(w, "count", n, 2)
			return err
		})
		w.refused(fault.Conflict, "user", u.ID.String(), func(tx *store.Tx) error { return tx.DeleteUser(acme, u.ID) })
		w.bumps("a deleted key", func(tx *store.Tx) error { return tx.DeleteKey(acme, u.ID, k.ID) })
		w.refused(fault.NotFound, "access key", k.ID, func(tx *store.Tx) error { _, err := tx.Key(k.ID); return err })
		w.refused(fault.NotFound, "access key", second.ID, func(tx *store.Tx) error { return tx.DeleteKey(acme, 1, second.ID) })
	})
}

func TestLoginProfiles(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		p := &iam.LoginProfile{User: u.ID, Hash: "h0", ResetRequired: true, Created: epoch, Changed: epoch}
		w.update(func(tx *store.Tx) error { return tx.InsertLoginProfile(acme, p) })
		w.refused(fault.Exists, "login profile", u.ID.String(), func(tx *store.Tx) error { return tx.InsertLoginProfile(acme, p) })
		for i := 1; i <= 30; i++ {
			at := epoch.Add(time.Duration(i) * time.Hour)
			w.update(func(tx *store.Tx) error {
				return tx.PutLoginProfile(acme, &iam.LoginProfile{User: u.ID, Hash: fmt.Sprint("h", i), Created: at, Changed: at})
			})
		}
		// The same hash again is no new password.
		w.update(func(tx *store.Tx) error {
			return tx.PutLoginProfile(acme, &iam.LoginProfile{User: u.ID, Hash: "h30", ResetRequired: true, Changed: epoch})
		})
		history := func(n int) (got []string) {
			w.view(func(tx *store.Tx) (err error) { got, err = tx.PasswordHistory(acme, u.ID, n); return err })
			return got
		}
		w.view(func(tx *store.Tx) error {
			got, err := tx.LoginProfile(acme, u.ID)
			w.must(err)
			same(w, "profile", *got, iam.LoginProfile{User: u.ID, Hash: "h30", ResetRequired: true, Created: epoch, Changed: epoch})
			return nil
		})
		same(w, "last three", fmt.Sprint(history(3)), "[h30 h29 h28]")
		if all := history(100); len(all) != 24 || all[23] != "h7" {
			t.Errorf("the history has %d entries: %v", len(all), all)
		}
		w.update(func(tx *store.Tx) error { return tx.DeleteLoginProfile(acme, u.ID) })
		w.refused(fault.NotFound, "login profile", u.ID.String(), func(tx *store.Tx) error { return tx.DeleteLoginProfile(acme, u.ID) })
		w.refused(fault.NotFound, "login profile", u.ID.String(), func(tx *store.Tx) error { _, err := tx.LoginProfile(acme, u.ID); return err })
		same(w, "history without a profile", fmt.Sprint(history(1)), "[h30]")
		w.update(func(tx *store.Tx) error { return tx.DeleteUser(acme, u.ID) }) // its old passwords do not hold it
		same(w, "history without the user", len(history(24)), 0)
	})
}

func TestFactors(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		f, lost := w.factor("phone"), w.factor("lost")
		w.refused(fault.Exists, "factor", "arn:aws:iam::111122223333:mfa/phone", func(tx *store.Tx) error {
			again := *f
			again.ID = w.id()
			return tx.InsertFactor(&again)
		})
		enable := func(id name.ID, step int64, at time.Time, want bool) func(*store.Tx) error {
			return func(tx *store.Tx) error {
				ok, err := tx.EnableFactor(acme, id, u.ID, step, 2, at)
				same(w, "enabled", ok, want)
				return err
			}
		}
		w.update(enable(f.ID, 100, epoch.Add(iam.PendingFactorLife), false)) // expired
		w.stays("a new factor", enable(f.ID, 100, epoch.Add(time.Minute), true))
		w.update(enable(f.ID, 101, epoch.Add(time.Minute), false)) // not pending
		f.User, f.Enabled, f.LastUsed, f.Expires, f.LastStep, f.Drift = u.ID, epoch.Add(time.Minute), epoch.Add(time.Minute), time.Time{}, 100, 2
		w.update(func(tx *store.Tx) error {
			f.Tags = []iam.Tag{{Key: "k", Value: "v"}}
			return tx.UpdateFactorTags(acme, f.ID, f.Tags)
		})
		w.view(func(tx *store.Tx) error {
			got, err := tx.FactorByID(acme, f.ID)
			w.must(err)
			same(w, "by id", *got, *f)
			got, err = tx.FactorBySerial(acme, "/", "phone")
			w.must(err)
			same(w, "by serial", *got, *f)
			all, err := tx.Factors(acme, u.ID)
			w.must(err)
			same(w, "of alice", names(all, func(f iam.Factor) string { return f.Name }), "phone")
			n, err := tx.FactorCount(acme, u.ID)
			w.must(err)
			same(w, "count", n, 1)
			use := func(f store.FactorUse) string {
				if f.Owner == nil {
					return f.Name
				}
				return f.Name + "@" + f.Owner.Name
			}
			for which, want := range map[store.Assignment]string{store.AssignmentAny: "lost phone@alice",
				store.AssignmentAssigned: "phone@alice", store.AssignmentUnassigned: "lost"} {
				page, err := tx.FactorsPage(acme, which, store.After{}, 10)
				w.must(err)
				same(w, "page "+string(which), names(page, use), want)
			}
			page, err := tx.FactorsPage(acme, store.AssignmentAny, store.After{Name: "lost", ID: lost.ID}, 1)
			same(w, "page after", names(page, use), "phone@alice")
			return err
		})
		w.refused(fault.Conflict, "user", u.ID.String(), func(tx *store.Tx) error { return tx.DeleteUser(acme, u.ID) })

		// C-1, over deactivation: a step that was used stays used.
		w.update(func(tx *store.Tx) error { return tx.UnbindFactor(acme, f.ID, epoch.Add(time.Hour)) })
		w.update(enable(f.ID, 100, epoch.Add(2*time.Minute), false))
		w.update(enable(f.ID, 101, epoch.Add(2*time.Minute), true))
		w.update(func(tx *store.Tx) error { return tx.UnbindFactor(acme, f.ID, time.Time{}) })

		for _, c := range []struct{ at, want int }{{9, 0}, {10, 1}, {11, 0}} { // minutes
			w.update(func(tx *store.Tx) error {
				n, err := tx.DeleteExpiredFactors(epoch.Add(time.Duration(c.at)*time.Minute), 10)
				same(w, fmt.Sprint("expired after minute ", c.at), n, c.want)
				return err
			})
		}
		w.refused(fault.NotFound, "factor", lost.ID.String(), func(tx *store.Tx) error { _, err := tx.FactorByID(acme, lost.ID); return err })
		w.update(func(tx *store.Tx) error { return tx.DeleteFactor(acme, f.ID) })
		w.refused(fault.NotFound, "factor", "arn:aws:iam::111122223333:mfa/phone", func(tx *store.Tx) error {
			_, err := tx.FactorBySerial(acme, "/", "phone")
			return err
		})
	})
}

// C-4, C-5: budgets are counted per factor, and a spent one refuses the right
// step, too. A pair of codes has a budget of its own.
func TestFactorBudget(t *testing.T) {
	each(t, func(w *world) {
		f := w.enabled(w.user("alice"), "phone")
		fail := func(times, want int) {
			for i := range times {
				w.update(func(tx *store.Tx) error {
					n, err := tx.FactorFailed(acme, f.ID)
					if i == times-1 {
						same(w, "failures", n, want)
					}
					return err
				})
			}
		}
		step := int64(100)
		try := func(what string, with func(*store.Tx, name.Account, name.ID, int64, int, time.Time) (bool, error), want bool) {
			step++
			w.update(func(tx *store.Tx) error {
				ok, err := with(tx, acme, f.ID, step, -1, epoch)
				same(w, what, ok, want)
				return err
			})
		}
		fail(iam.MaxCodeFailures-1, iam.MaxCodeFailures-1)
		try("a code before the budget is spent", (*store.Tx).AcceptStep, true)
		fail(iam.MaxCodeFailures, iam.MaxCodeFailures) // success forgave
		try("a code after", (*store.Tx).AcceptStep, false)
		try("a pair after", (*store.Tx).ResyncFactor, true)
		try("a code after the pair", (*store.Tx).AcceptStep, true)
		fail(iam.MaxPairFailures, iam.MaxPairFailures)
		try("a pair after the larger budget is spent", (*store.Tx).ResyncFactor, false)

		pending := w.factor("pending")
		f = pending
		try("a code of a pending factor", (*store.Tx).AcceptStep, false)
	})
}

// atOnce runs fn n times at once and returns how many said true.
func (w *world) atOnce(n int, fn func(i int, tx *store.Tx) (bool, error)) int {
	w.Helper()
	var wins atomic.Int64
	var start, all sync.WaitGroup
	start.Add(1)
	for i := range n {
		all.Go(func() {
			start.Wait()
			var won bool
			err := w.Update(context.Background(), func(tx *store.Tx) (err error) { won, err = fn(i, tx); return err })
			if err != nil {
				w.Error(err)
			}
			if won && err == nil {
				wins.Add(1)
			}
		})
	}
	start.Done()
	all.Wait()
	return int(wins.Load())
}

// C-2: of 200 attempts at once at one step, one succeeds; the same of a
// one-time link and of a thing to be burned.
func TestSingleUse(t *testing.T) {
	each(t, func(w *world) {
		f := w.enabled(w.user("alice"), "phone")
		if n := w.atOnce(200, func(_ int, tx *store.Tx) (bool, error) { return tx.AcceptStep(acme, f.ID, 101, 0, epoch) }); n != 1 {
			t.Errorf("%d of 200 attempts used step 101", n)
		}
		token := &store.Token{Hash: []byte("hash"), Purpose: "setup", Account: acme, User: 5, Expires: epoch.Add(time.Hour)}
		w.update(func(tx *store.Tx) error { return tx.InsertToken(token) })
		if n := w.atOnce(50, func(_ int, tx *store.Tx) (bool, error) {
			_, err := tx.ConsumeToken("setup", []byte("hash"), epoch)
			if fault.Is(err, fault.NotFound) {
				return false, nil
			}
			return err == nil, err
		}); n != 1 {
			t.Errorf("%d of 50 attempts used the link", n)
		}
		if n := w.atOnce(50, func(_ int, tx *store.Tx) (bool, error) { return tx.Burn("saml", "assertion", epoch.Add(time.Hour)) }); n != 1 {
			t.Errorf("%d of 50 attempts burned the assertion", n)
		}
	})
}

// C-4: wrong codes at once are all counted.
func TestFailuresAtOnce(t *testing.T) {
	each(t, func(w *world) {
		f := w.enabled(w.user("alice"), "phone")
		w.atOnce(60, func(_ int, tx *store.Tx) (bool, error) { _, err := tx.FactorFailed(acme, f.ID); return true, err })
		w.view(func(tx *store.Tx) error {
			got, err := tx.FactorByID(acme, f.ID)
			same(w, "failures", got.Failures, 60)
			return err
		})
	})
}

func TestTokens(t *testing.T) {
	each(t, func(w *world) {
		token := func(hash, purpose string, a name.Account) {
			w.update(func(tx *store.Tx) error {
				return tx.InsertToken(&store.Token{Hash: []byte(hash), Purpose: purpose, Account: a, User: 5, Expires: epoch.Add(time.Hour)})
			})
		}
		token("a", "setup", acme)
		token("b", "setup", acme)
		token("c", "setup", other)
		token("d", "reset", acme)
		gone := func(purpose, hash string, at time.Time) {
			w.Helper()
			w.refused(fault.NotFound, "token", purpose, func(tx *store.Tx) error { _, err := tx.Token(purpose, []byte(hash), at); return err })
			w.refused(fault.NotFound, "token", purpose, func(tx *store.Tx) error {
				_, err := tx.ConsumeToken(purpose, []byte(hash), at)
				return err
			})
		}
		gone("reset", "a", epoch)
		gone("setup", "a", epoch.Add(time.Hour))
		w.update(func(tx *store.Tx) error {
			for range 2 {
				got, err := tx.Token("setup", []byte("a"), epoch)
				w.must(err)
				same(w, "token", *got, store.Token{Hash: []byte("a"), Purpose: "setup", Account: acme, User: 5, Expires: epoch.Add(time.Hour)})
			}
			_, err := tx.ConsumeToken("setup", []byte("a"), epoch)
			return err
		})
		gone("setup", "a", epoch)
		w.update(func(tx *store.Tx) error {
			n, err := tx.DeleteTokens(acme, "setup")
			same(w, "deleted", n, 1)
			return err
		})
		gone("setup", "b", epoch)
		w.update(func(tx *store.Tx) error {
			n, err := tx.PurgeTokens(epoch.Add(time.Hour))
			same(w, "purged", n, 2)
			return err
		})
	})
}

func TestBurn(t *testing.T) {
	each(t, func(w *world) {
		burn := func(kind, key string, want bool) {
			w.update(func(tx *store.Tx) error {
				fresh, err := tx.Burn(kind, key, epoch.Add(time.Hour))
				same(w, "fresh "+kind+key, fresh, want)
				return err
			})
		}
		burn("a", "k", true)
		burn("a", "k", false)
		burn("b", "k", true)
		for _, c := range []struct {
			at   time.Time
			want int
		}{{epoch, 0}, {epoch.Add(time.Hour), 1}, {epoch.Add(time.Hour), 1}, {epoch.Add(time.Hour), 0}} {
			w.update(func(tx *store.Tx) error {
				n, err := tx.PurgeBurned(c.at, 1)
				same(w, "purged", n, c.want)
				return err
			})
		}
		burn("a", "k", true)
	})
}

// K-1: rotation while others read and write, and keys that are forgotten only
// when nothing needs them.
func TestResealing(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		k, f := w.key(u), w.factor("phone")
		second := &store.DataKey{ID: "2", Wrapped: []byte("w2"), Wrapper: "kek", Active: true, Created: epoch}
		w.update(func(tx *store.Tx) error { return tx.InsertDataKey(second) })
		w.refused(fault.Exists, "data key", "2", func(tx *store.Tx) error { return tx.InsertDataKey(second) })
		active := func(want string) {
			w.Helper()
			w.view(func(tx *store.Tx) error {
				all, err := tx.DataKeys()
				same(w, "active", names(all, func(k store.DataKey) string {
					if k.Active {
						return k.ID + "!"
					}
					return k.ID
				}), want)
				return err
			})
		}
		active("0 1 2!")
		w.update(func(tx *store.Tx) error { return tx.SetActiveDataKey("1") })
		active("0 1! 2")
		w.update(func(tx *store.Tx) error { return tx.UpdateDataKeyWrap("2", "kek2", []byte("w2'")) })
		w.view(func(tx *store.Tx) error {
			all, err := tx.DataKeys()
			w.must(err)
			same(w, "rewrapped", all[2], store.DataKey{ID: "2", Wrapped: []byte("w2'"), Wrapper: "kek2", Created: epoch})
			return nil
		})
		w.refused(fault.Conflict, "data key", "1", func(tx *store.Tx) error { return tx.DeleteDataKey("1") })
		for table, row := range map[store.SealedTable]string{store.SealedAccessKeys: k.ID, store.SealedFactors: f.ID.String()} {
			var rows []store.SealedRow
			w.view(func(tx *store.Tx) (err error) { rows, err = tx.SealedRows(table, "2", 10); return err })
			if len(rows) != 1 || rows[0].Row != row || rows[0].Account != acme {
				t.Fatalf("%s: %+v", table, rows)
			}
			sealed := append([]byte(nil), rows[0].Sealed...)
			sealed[4] = 2 // the header's key number: as if sealed with key 2
			for _, want := range []bool{true, false} {
				w.update(func(tx *store.Tx) error {
					ok, err := tx.UpdateSealed(table, rows[0], sealed)
					same(w, "replaced", ok, want)
					return err
				})
			}
			w.view(func(tx *store.Tx) error {
				rows, err := tx.SealedRows(table, "2", 10)
				same(w, "left", len(rows), 0)
				return err
			})
		}
		w.update(func(tx *store.Tx) error { return tx.DeleteDataKey("1") })
		// A server that has not heard of it cannot seal with a forgotten key.
		id := "AKIA" + strings.Repeat("A", 16)
		w.refused(fault.Conflict, "access key", id, func(tx *store.Tx) error {
			return tx.InsertKey(&iam.AccessKey{ID: id, User: u.ID, Account: acme, Secret: w.sealed(store.SealedAccessKeys, id, "s"), Status: iam.KeyActive})
		})
		w.refused(fault.NotFound, "data key", "9", func(tx *store.Tx) error { return tx.DeleteDataKey("9") })
	})
}

func TestMeta(t *testing.T) {
	each(t, func(w *world) {
		for _, want := range []string{"", "one", "two"} {
			if want != "" {
				w.update(func(tx *store.Tx) error { return tx.SetMeta("k", want) })
			}
			w.view(func(tx *store.Tx) error {
				got, err := tx.Meta("k")
				same(w, "setting", got, want)
				return err
			})
		}
	})
}
