package store_test

import (
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
)

func TestFindUsers(t *testing.T) {
	each(t, func(w *world) {
		alice, bob := w.user("Alice"), w.user("bob")
		w.user("malice")
		w.key(bob)
		w.update(func(tx *store.Tx) error {
			if err := tx.InsertLoginProfile(acme, &iam.LoginProfile{User: alice.ID, Hash: "x", Created: epoch, Changed: epoch}); err != nil {
				return err
			}
			for range 3 {
				if _, err := tx.CountFailure(bob.ID, epoch); err != nil {
					return err
				}
			}
			return nil
		})
		find := func(want string, f store.UserFilter) {
			t.Helper()
			f.Account, f.Lockout, f.Limit = acme, 3, 10
			got := ""
			w.view(func(tx *store.Tx) error {
				rows, err := tx.FindUsers(f)
				for _, u := range rows {
					got += u.Name + " "
					if u.Name == "bob" && (!u.Blocked || u.Keys != 1 || u.Password || u.Factors != 0) || u.Name == "Alice" && (u.Blocked || !u.Password) {
						w.Errorf("%+v", u)
					}
				}
				return err
			})
			if got != want {
				w.Errorf("%+v: %q, want %q", f, got, want)
			}
		}
		find("Alice bob malice ", store.UserFilter{})
		find("bob malice ", store.UserFilter{After: "ALICE"})
		find("Alice malice ", store.UserFilter{Search: "LIC"})
		find("", store.UserFilter{Search: "%"})
		find("Alice ", store.UserFilter{NoMFA: true})
		find("Alice ", store.UserFilter{NeverSignedIn: true})
		find("bob ", store.UserFilter{Blocked: true})
		find("bob ", store.UserFilter{HasKeys: true})
		find("", store.UserFilter{HasKeys: true, NoMFA: true})
	})
}

func TestHealth(t *testing.T) {
	each(t, func(w *world) {
		alice, bob := w.user("alice"), w.user("bob")
		day := 24 * time.Hour
		used := w.keyOf(alice, epoch.Add(-100*day))
		w.keyOf(bob, epoch.Add(-40*day))
		w.update(func(tx *store.Tx) error {
			if err := tx.SetKeyUsed(acme, used.ID, epoch, "ec2", ""); err != nil {
				return err
			}
			if err := tx.InsertLoginProfile(acme, &iam.LoginProfile{User: alice.ID, Hash: "x", Created: epoch, Changed: epoch}); err != nil {
				return err
			}
			return tx.AppendEvents(
				audit.Event{ID: "1", Account: acme, At: epoch, Result: audit.Refused}, audit.Event{ID: "2", Account: acme, At: epoch, Result: audit.Allowed},
				audit.Event{ID: "3", Account: acme, At: epoch.Add(-2 * day), Result: audit.Refused}, audit.Event{ID: "4", Account: other, At: epoch, Result: audit.Refused})
		})
		w.view(func(tx *store.Tx) error {
			h, err := tx.Health(acme, 10, epoch.Add(-90*day), epoch.Add(-30*day), epoch.Add(-day))
			if want := (store.Health{Users: 2, Passwords: 1, NoMFA: 1, OldKeys: 1, UnusedKeys: 1, Refused: 1}); h != want {
				w.Errorf("%+v, want %+v", h, want)
			}
			if err != nil {
				return err
			}
			old, err := tx.ActiveKeys(acme, epoch.Add(-30*day), false, 10)
			if err != nil || len(old) != 2 || old[0].UserName != "alice" || !old[0].LastUsed.Equal(epoch) {
				w.Errorf("old keys: %+v %v", old, err)
			}
			unused, err := tx.ActiveKeys(acme, epoch, true, 10)
			if err != nil || len(unused) != 1 || unused[0].UserName != "bob" {
				w.Errorf("unused keys: %+v %v", unused, err)
			}
			for result, want := range map[audit.Result]string{audit.Refused: "13", audit.Allowed: "2", "": "213", audit.Failed: ""} {
				events, err := tx.Events(audit.Query{Account: acme, Result: result}, store.EventAfter{}, 10)
				got := ""
				for _, e := range events {
					got += e.ID
				}
				if err != nil || got != want {
					w.Errorf("%q: events %q, want %q: %v", result, got, want, err)
				}
			}
			return err
		})
	})
}

func TestFindGroupsAndRoles(t *testing.T) {
	each(t, func(w *world) {
		alice := w.user("alice")
		g := &iam.Group{ID: w.id(), Account: acme, Name: "Ops", Path: "/", Created: epoch}
		r := &iam.Role{ID: w.id(), Account: acme, Name: "deploy", Path: "/", Trust: "{}", MaxSession: time.Hour, Created: epoch, LastUsed: epoch}
		w.update(func(tx *store.Tx) error {
			if err := tx.InsertGroup(g); err != nil {
				return err
			}
			if _, err := tx.AddMember(acme, g.ID, alice.ID); err != nil {
				return err
			}
			if err := tx.InsertRole(r); err != nil {
				return err
			}
			return tx.PutInline(acme, iam.KindGroup, &iam.InlinePolicy{Principal: g.ID, Name: "p", Language: iam.LanguageAWS, Document: "{}"})
		})
		w.view(func(tx *store.Tx) error {
			groups, err := tx.FindGroups(acme, "op", "", 10)
			if err != nil || len(groups) != 1 || groups[0].Members != 1 || groups[0].Policies != 1 || groups[0].Name != "Ops" {
				w.Errorf("%+v %v", groups, err)
			}
			if groups, err := tx.FindGroups(acme, "x", "", 10); err != nil || len(groups) != 0 {
				w.Errorf("%+v %v", groups, err)
			}
			roles, err := tx.FindRoles(acme, "", "", 10)
			if err != nil || len(roles) != 1 || roles[0].Name != "deploy" || roles[0].Policies != 0 {
				w.Errorf("%+v %v", roles, err)
			}
			return err
		})
	})
}

// keyOf adds an active key that was made at a time.
func (w *world) keyOf(u *iam.User, created time.Time) *iam.AccessKey {
	w.Helper()
	id, err := name.NewAccessKeyID(w.rand, name.PrefixAccessKey)
	w.must(err)
	k := &iam.AccessKey{ID: id, User: u.ID, Account: u.Account, Status: iam.KeyActive, Created: created,
		Secret: w.sealed(store.SealedAccessKeys, id, "secret of "+id)}
	w.update(func(tx *store.Tx) error { return tx.InsertKey(k) })
	return k
}
