package store_test

import (
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
)

// noun is a noun of Oracle's in an account.
func (w *world) noun(a name.Account, kind iam.OracleKind, called, slot string, parent name.ID) *iam.OracleNoun {
	w.Helper()
	n := &iam.OracleNoun{
		ID: w.id(), Account: a, Kind: kind, Parent: parent, Name: called, Slot: slot, Description: "Δ", State: iam.OracleActive, Body: `{"s":["x"]}`,
		Tags:    iam.OracleTags{Freeform: map[string]string{"a": "b"}, Defined: map[string]map[string]any{"ns": {"k": "v"}}},
		Created: epoch, Changed: epoch.Add(time.Second), Expires: epoch.Add(time.Hour),
	}
	w.update(func(tx *store.Tx) error { return tx.InsertOracleNoun(n) })
	return n
}

func TestOracleNouns(t *testing.T) {
	each(t, func(w *world) {
		a := w.noun(acme, iam.OracleCompartment, "A", "0/a", 0)
		b := w.noun(acme, iam.OracleCompartment, "b", "a/b", a.ID)
		w.noun(other, iam.OracleCompartment, "A", "0/a", 0)
		w.refused(fault.Exists, "compartment", "a", func(tx *store.Tx) error {
			return tx.InsertOracleNoun(&iam.OracleNoun{ID: w.id(), Account: acme, Kind: iam.OracleCompartment, Name: "a", Slot: "0/a", State: iam.OracleActive})
		})
		w.bumps("a policy", func(tx *store.Tx) error {
			return tx.InsertOracleNoun(&iam.OracleNoun{ID: w.id(), Account: acme, Kind: iam.OraclePolicy, Name: "p", Slot: "p", State: iam.OracleActive})
		})
		w.stays("a token", func(tx *store.Tx) error {
			return tx.InsertOracleNoun(&iam.OracleNoun{ID: w.id(), Account: acme, Kind: iam.OracleAuthToken, Slot: "t", State: iam.OracleActive})
		})
		w.view(func(tx *store.Tx) error {
			got, err := tx.OracleNoun(acme, iam.OracleCompartment, a.ID)
			w.must(err)
			same(w, "by id", *got, *a)
			got, err = tx.OracleNounAt(acme, iam.OracleCompartment, "a/b")
			w.must(err)
			same(w, "by slot", *got, *b)
			path, err := tx.OracleCompartmentPath(acme, b.ID)
			w.must(err)
			same(w, "path", names(path, func(n iam.OracleNoun) string { return n.Name }), "A b")
			all, err := tx.OracleNouns(acme, iam.OracleCompartment)
			w.must(err)
			if len(all) != 2 {
				w.Errorf("%d compartments", len(all))
			}
			n, err := tx.OracleChildCount(acme, a.ID)
			w.must(err)
			m, err := tx.OracleNounCount(acme, iam.OracleCompartment)
			if n != 1 || m != 2 {
				w.Errorf("%d children, %d compartments", n, m)
			}
			return err
		})
		// P-1: another account's nouns are as if they were not there.
		w.refused(fault.NotFound, "compartment", a.ID.String(), func(tx *store.Tx) error {
			_, err := tx.OracleNoun(other, iam.OracleCompartment, a.ID)
			return err
		})
		w.refused(fault.NotFound, "compartment", b.ID.String(), func(tx *store.Tx) error {
			_, err := tx.OracleCompartmentPath(other, b.ID)
			return err
		})
		w.refused(fault.NotFound, "policy", a.ID.String(), func(tx *store.Tx) error {
			_, err := tx.OracleNoun(acme, iam.OraclePolicy, a.ID)
			return err
		})
		b.Name, b.Slot, b.State, b.Changed = "b.x", "gone", iam.OracleDeleted, epoch.Add(time.Minute)
		w.update(func(tx *store.Tx) error { return tx.UpdateOracleNoun(b) })
		w.refused(fault.Exists, "compartment", "b.x", func(tx *store.Tx) error {
			c := *b
			c.Slot = "0/a"
			return tx.UpdateOracleNoun(&c)
		})
		w.view(func(tx *store.Tx) error {
			n, err := tx.OracleChildCount(acme, a.ID)
			if n != 0 {
				w.Errorf("%d children", n)
			}
			return err
		})
		w.update(func(tx *store.Tx) error { return tx.DeleteOracleNoun(b) })
		w.refused(fault.NotFound, "compartment", b.ID.String(), func(tx *store.Tx) error { return tx.DeleteOracleNoun(b) })
	})
}

func TestOracleKeysAndExtras(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		k := &iam.OracleKey{User: u.ID, Account: acme, Fingerprint: "aa:bb", Key: "PEM", Created: epoch}
		w.update(func(tx *store.Tx) error { return tx.InsertOracleKey(k) })
		w.refused(fault.Exists, "api key", "aa:bb", func(tx *store.Tx) error { return tx.InsertOracleKey(k) })
		w.refused(fault.NotFound, "api key", "aa:bb", func(tx *store.Tx) error { _, err := tx.OracleKey(other, u.ID, "aa:bb"); return err })
		w.refused(fault.NotFound, "user", u.ID.String(), func(tx *store.Tx) error {
			return tx.InsertOracleKey(&iam.OracleKey{User: u.ID, Account: other, Fingerprint: "cc"})
		})
		x := iam.OracleExtras{Description: "d", Email: "a@b.example", DBName: "db", Tags: iam.OracleTags{Freeform: map[string]string{"a": "b"}}, Capabilities: "{}"}
		w.update(func(tx *store.Tx) error { return tx.SetOracleExtras(acme, u.ID, iam.OracleExtras{}) })
		w.update(func(tx *store.Tx) error { return tx.SetOracleExtras(acme, u.ID, x) })
		w.view(func(tx *store.Tx) error {
			got, err := tx.OracleKey(acme, u.ID, "aa:bb")
			w.must(err)
			same(w, "key", *got, *k)
			all, err := tx.OracleKeys(acme, u.ID)
			w.must(err)
			same(w, "keys", len(all), 1)
			kept, err := tx.OracleExtras(acme, u.ID)
			w.must(err)
			same(w, "extras", kept, x)
			none, err := tx.OracleExtras(other, u.ID)
			same(w, "another account's", none, iam.OracleExtras{})
			return err
		})
		w.update(func(tx *store.Tx) error { return tx.DeleteOracleExtras(acme, u.ID) })
		w.bumps("a key that goes", func(tx *store.Tx) error { return tx.DeleteOracleKey(acme, u.ID, "aa:bb") })
		w.refused(fault.NotFound, "api key", "aa:bb", func(tx *store.Tx) error { return tx.DeleteOracleKey(acme, u.ID, "aa:bb") })
	})
}

func TestOracleRetries(t *testing.T) {
	each(t, func(w *world) {
		r := &iam.OracleRetry{Key: []byte("key"), Account: acme, Digest: []byte("digest"), Answer: []byte("answer"), Expires: epoch.Add(time.Hour)}
		w.update(func(tx *store.Tx) error { return tx.InsertOracleRetry(r) })
		w.view(func(tx *store.Tx) error {
			got, err := tx.OracleRetry(r.Key, epoch)
			w.must(err)
			same(w, "retry", *got, *r)
			if _, err := tx.OracleRetry(r.Key, r.Expires); !fault.Is(err, fault.NotFound) {
				w.Errorf("after its time: %v", err)
			}
			return nil
		})
		r.Answer, r.Expires = []byte("another"), epoch.Add(2*time.Hour)
		w.update(func(tx *store.Tx) error { return tx.InsertOracleRetry(r) })
		w.update(func(tx *store.Tx) error {
			n, err := tx.PurgeOracleRetries(epoch.Add(time.Hour), 10)
			same(w, "purged too early", n, 0)
			w.must(err)
			n, err = tx.PurgeOracleRetries(epoch.Add(2*time.Hour), 10)
			same(w, "purged", n, 1)
			return err
		})
	})
}
