package store_test

import (
	"testing"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/store"
)

// Text that PostgreSQL does not take is nobody's name, and no fault of ours:
// strangers choose the key that a request names.
func TestTextOfStrangers(t *testing.T) {
	each(t, func(w *world) {
		for _, s := range []string{"AKIA\x00", "AKIA\xff", "\xed\xa0\x80", "a\uFFFD"} {
			w.view(func(tx *store.Tx) error {
				_, err := tx.Key(s)
				if !fault.Is(err, fault.NotFound) {
					t.Errorf("key %q: %v", s, err)
				}
				if _, err = tx.UserByName(acme, s); !fault.Is(err, fault.NotFound) {
					t.Errorf("user %q: %v", s, err)
				}
				if _, err = tx.PolicyByPathName(acme, "/", s); !fault.Is(err, fault.NotFound) {
					t.Errorf("policy %q: %v", s, err)
				}
				found, err := tx.Events(audit.Query{Account: acme, Actor: s}, store.EventAfter{}, 1)
				if err != nil || len(found) != 0 {
					t.Errorf("events of %q: %v, %v", s, found, err)
				}
				return nil
			})
		}
		const stored = "a\uFFFDb\uFFFDc"
		p := iam.Policy{ID: 7, Account: acme, Language: iam.LanguageAWS, Name: "p", Path: "/", Description: "a\x00b\xffc", Default: 1, Latest: 1, Created: epoch, Updated: epoch}
		w.update(func(tx *store.Tx) error { return tx.InsertPolicy(&p, "{}") })
		w.view(func(tx *store.Tx) error {
			got, err := tx.PolicyByID(acme, 7)
			if err == nil && got.Description != stored {
				t.Errorf("description %q", got.Description)
			}
			return err
		})
		w.update(func(tx *store.Tx) error {
			return tx.AppendEvents(audit.Event{ID: "e", Account: acme, At: epoch, Actor: audit.Actor{Name: "x\x00"}})
		})
		w.view(func(tx *store.Tx) error {
			found, err := tx.Events(audit.Query{Account: acme, Actor: "x\x00"}, store.EventAfter{}, 2)
			if len(found) != 1 {
				t.Errorf("%d events under the name that was recorded", len(found))
			}
			return err
		})
	})
}
