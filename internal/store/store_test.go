package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
)

// An update that fails leaves nothing, and leaves its neighbours in the same
// commit alone, whether it returns an error, breaks a foreign key, panics, or
// goes on after an error of the database.
func TestUpdatesAreApart(t *testing.T) {
	each(t, func(w *world) {
		boom := errors.New("boom")
		fates := []func(tx *store.Tx, u *iam.User) error{
			func(*store.Tx, *iam.User) error { return nil },
			func(*store.Tx, *iam.User) error { return boom },
			func(tx *store.Tx, u *iam.User) error { // a boundary that does not exist
				u.Boundary = 5
				return tx.UpdateUser(u)
			},
			func(*store.Tx, *iam.User) error { panic("at the wrong time") },
			func(tx *store.Tx, u *iam.User) error {
				u.Boundary = 5
				if err := tx.UpdateUser(u); err == nil {
					t.Error("a boundary that does not exist was taken")
				}
				return nil // swallowed: the transaction is lost all the same
			},
		}
		var wg sync.WaitGroup
		ids := make([]*iam.User, 100)
		for i := range ids {
			ids[i] = &iam.User{ID: w.id(), Account: acme, Name: fmt.Sprintf("u%03d", i), Path: "/", Created: epoch}
			wg.Go(func() {
				err := w.Update(context.Background(), func(tx *store.Tx) error {
					u := *ids[i]
					if err := tx.InsertUser(&u); err != nil {
						return err
					}
					return fates[i%len(fates)](tx, &u)
				})
				switch f := i % len(fates); {
				case f == 0 && err != nil, f == 1 && !errors.Is(err, boom), f == 2 && !fault.Is(err, fault.Conflict),
					f == 3 && !strings.Contains(fmt.Sprint(err), "at the wrong time"), f == 4 && !fault.Is(err, fault.Conflict):
					t.Errorf("fate %d ended with %v", f, err)
				}
			})
		}
		wg.Wait()
		w.view(func(tx *store.Tx) error {
			all, err := tx.Users(acme, "", "", 1000)
			want := ""
			for i := 0; i < len(ids); i += len(fates) {
				want += ids[i].Name + " "
			}
			same(w, "users", names(all, func(u iam.User) string { return u.Name })+" ", want)
			return err
		})
	})
}

// Faults about a noun do not end a transaction: what was written before and
// after stays.
func TestFaultsAreNoEnd(t *testing.T) {
	each(t, func(w *world) {
		w.user("alice")
		w.update(func(tx *store.Tx) error {
			w.must(tx.SetMeta("before", "x"))
			if err := tx.InsertUser(&iam.User{ID: w.id(), Account: acme, Name: "ALICE", Path: "/"}); !fault.Is(err, fault.Exists) {
				t.Errorf("a second alice: %v", err)
			}
			if _, err := tx.UserByName(acme, "nobody"); !fault.Is(err, fault.NotFound) {
				t.Errorf("nobody: %v", err)
			}
			return tx.SetMeta("after", "x")
		})
		w.view(func(tx *store.Tx) error {
			for _, k := range []string{"before", "after"} {
				v, err := tx.Meta(k)
				w.must(err)
				same(w, k, v, "x")
			}
			return nil
		})
	})
}

func TestContexts(t *testing.T) {
	each(t, func(w *world) {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		never := func(*store.Tx) error { t.Error("it was run"); return nil }
		for what, err := range map[string]error{
			"view": w.View(ended, never), "update": w.Update(ended, never), "record": w.Record(ended, audit.Event{ID: "x", At: epoch})} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s with an ended context: %v", what, err)
			}
		}

		// C-3: what was begun is completed though the client has gone.
		ctx, cancel := context.WithCancel(context.Background())
		f := w.enabled(w.user("alice"), "phone")
		w.must(w.Update(ctx, func(tx *store.Tx) error {
			cancel()
			_, err := tx.FactorFailed(acme, f.ID)
			return err
		}))
		w.view(func(tx *store.Tx) error {
			got, err := tx.FactorByID(acme, f.ID)
			w.must(err)
			same(w, "failures", got.Failures, 1)
			return nil
		})
	})
}

// A view sees one moment, whatever is written meanwhile.
func TestViewIsASnapshot(t *testing.T) {
	each(t, func(w *world) {
		w.user("alice")
		count := func(tx *store.Tx) int {
			n, err := tx.UserCount(acme)
			w.must(err)
			return n
		}
		w.view(func(tx *store.Tx) error {
			before := count(tx)
			w.user("bob")
			same(w, "users", count(tx), before)
			return nil
		})
		w.view(func(tx *store.Tx) error { same(w, "users", count(tx), 2); return nil })
	})
}

func TestViewCannotWrite(t *testing.T) {
	each(t, func(w *world) {
		err := w.View(context.Background(), func(tx *store.Tx) error { return tx.SetMeta("k", "v") })
		if !fault.Is(err, fault.Internal) {
			t.Errorf("a write in a view: %v", err)
		}
	})
}

// Increments by reading and writing lose nothing (security checklist A-11).
func TestUpdatesAreSerial(t *testing.T) {
	each(t, func(w *world) {
		w.atOnce(40, func(_ int, tx *store.Tx) (bool, error) {
			v, err := tx.Meta("n")
			if err != nil {
				return false, err
			}
			return true, tx.SetMeta("n", v+"x")
		})
		w.view(func(tx *store.Tx) error {
			v, err := tx.Meta("n")
			same(w, "increments", len(v), 40)
			return err
		})
	})
}

// Of two that may leave while the other one stays, one leaves: neither update
// writes what the other writes, and each reads it (write skew; security
// checklist A-11).
func TestNoWriteSkew(t *testing.T) {
	each(t, func(w *world) {
		for round := range 10 {
			mine := []string{fmt.Sprint("a", round), fmt.Sprint("b", round)}
			left := w.atOnce(2, func(me int, tx *store.Tx) (bool, error) {
				other, err := tx.Meta(mine[1-me])
				if err != nil || other == "left" {
					return false, err
				}
				time.Sleep(5 * time.Millisecond) // so that both have read before either writes
				return true, tx.SetMeta(mine[me], "left")
			})
			if left != 1 {
				t.Errorf("%d of 2 left", left)
			}
		}
	})
}

// whatever is asked for in the name of one account, rows of another are
// not found, not changed, and not listed.
func TestOtherAccountsAreOutOfReach(t *testing.T) {
	each(t, func(w *world) {
		u, g, r, p := w.user("alice"), w.group("devs"), w.role("deploy"), w.policy(acme, "p")
		theirPolicy := w.policy(other, "theirs")
		k, f, pending := w.key(u), w.enabled(u, "phone"), w.factor("pending")
		w.update(attach(iam.KindUser, u.ID, p.ID))
		w.update(func(tx *store.Tx) error {
			w.must(tx.PutInline(acme, iam.KindUser, &iam.InlinePolicy{Principal: u.ID, Name: "i", Document: "{}"}))
			w.must(tx.InsertLoginProfile(acme, &iam.LoginProfile{User: u.ID, Hash: "h"}))
			_, err := tx.AddMember(acme, g.ID, u.ID)
			return err
		})
		stranger := &iam.User{ID: w.id(), Account: other, Name: "stranger", Path: "/", Created: epoch}
		w.update(func(tx *store.Tx) error { return tx.InsertUser(stranger) })
		before := w.revision(acme)

		uu, gg, rr, pp := *u, *g, *r, *p
		uu.Account, gg.Account, rr.Account, pp.Account = other, other, other, other
		uu.Name, gg.Name, rr.Name = "stolen", "stolen", "stolen"
		kk := *k
		kk.Account, kk.ID = other, "AKIAOTHER"
		one := func(_ any, err error) error { return err }
		refused := map[string]func(tx *store.Tx) error{
			"UserByID":         func(tx *store.Tx) error { return one(tx.UserByID(other, u.ID)) },
			"UserByName":       func(tx *store.Tx) error { return one(tx.UserByName(other, "alice")) },
			"UpdateUser":       func(tx *store.Tx) error { return tx.UpdateUser(&uu) },
			"DeleteUser":       func(tx *store.Tx) error { return tx.DeleteUser(other, u.ID) },
			"DeleteGroup":      func(tx *store.Tx) error { return tx.DeleteGroup(other, g.ID) },
			"SetPasswordUsed":  func(tx *store.Tx) error { return tx.SetPasswordUsed(other, u.ID, epoch) },
			"GroupByID":        func(tx *store.Tx) error { return one(tx.GroupByID(other, g.ID)) },
			"GroupByName":      func(tx *store.Tx) error { return one(tx.GroupByName(other, "devs")) },
			"UpdateGroup":      func(tx *store.Tx) error { return tx.UpdateGroup(&gg) },
			"AddMember":        func(tx *store.Tx) error { return one(tx.AddMember(other, g.ID, u.ID)) },
			"AddMember theirs": func(tx *store.Tx) error { return one(tx.AddMember(acme, g.ID, stranger.ID)) },
			"AddMember ours":   func(tx *store.Tx) error { return one(tx.AddMember(other, g.ID, stranger.ID)) },
			"RemoveMember":     func(tx *store.Tx) error { return one(tx.RemoveMember(other, g.ID, u.ID)) },
			"RoleByID":         func(tx *store.Tx) error { return one(tx.RoleByID(other, r.ID)) },
			"RoleByName":       func(tx *store.Tx) error { return one(tx.RoleByName(other, "deploy")) },
			"UpdateRole":       func(tx *store.Tx) error { return tx.UpdateRole(&rr) },
			"SetRoleUsed":      func(tx *store.Tx) error { return tx.SetRoleUsed(other, r.ID, epoch, "") },
			"DeleteRole":       func(tx *store.Tx) error { return tx.DeleteRole(other, r.ID) },
			"PolicyByID":       func(tx *store.Tx) error { return one(tx.PolicyByID(other, p.ID)) },
			"PolicyByPathName": func(tx *store.Tx) error { return one(tx.PolicyByPathName(other, "/", "p")) },
			"PolicyByName":     func(tx *store.Tx) error { return one(tx.PolicyByName(other, "p")) },
			"UpdatePolicy":     func(tx *store.Tx) error { return tx.UpdatePolicy(&pp) },
			"DeletePolicy":     func(tx *store.Tx) error { return tx.DeletePolicy(other, p.ID) },
			"PolicyUses":       func(tx *store.Tx) error { _, _, err := tx.PolicyUses(other, p.ID); return err },
			"InsertVersion": func(tx *store.Tx) error {
				return tx.InsertVersion(other, &iam.PolicyVersion{Policy: p.ID, Document: "x"})
			},
			"Version":           func(tx *store.Tx) error { return one(tx.Version(other, p.ID, 1)) },
			"SetDefaultVersion": func(tx *store.Tx) error { return tx.SetDefaultVersion(other, p.ID, 1, epoch) },
			"DeleteVersion":     func(tx *store.Tx) error { return tx.DeleteVersion(other, p.ID, 1) },
			"Attach":            func(tx *store.Tx) error { return one(tx.Attach(other, iam.KindUser, u.ID, theirPolicy.ID)) },
			"Attach theirs":     func(tx *store.Tx) error { return one(tx.Attach(acme, iam.KindUser, u.ID, theirPolicy.ID)) },
			"PutInline": func(tx *store.Tx) error {
				return tx.PutInline(other, iam.KindUser, &iam.InlinePolicy{Principal: u.ID, Name: "i"})
			},
			"Inline":              func(tx *store.Tx) error { return one(tx.Inline(other, iam.KindUser, u.ID, "i")) },
			"DeleteInline":        func(tx *store.Tx) error { return tx.DeleteInline(other, iam.KindUser, u.ID, "i") },
			"PrincipalPolicies":   func(tx *store.Tx) error { return one(tx.PrincipalPolicies(other, iam.KindUser, u.ID)) },
			"InsertKey":           func(tx *store.Tx) error { return tx.InsertKey(&kk) },
			"UpdateKeyStatus":     func(tx *store.Tx) error { return tx.UpdateKeyStatus(other, u.ID, k.ID, iam.KeyInactive, k.Created) },
			"DeleteKey":           func(tx *store.Tx) error { return tx.DeleteKey(other, u.ID, k.ID) },
			"SetKeyUsed":          func(tx *store.Tx) error { return tx.SetKeyUsed(other, k.ID, epoch, "", "") },
			"InsertLoginProfile":  func(tx *store.Tx) error { return tx.InsertLoginProfile(other, &iam.LoginProfile{User: u.ID}) },
			"PutLoginProfile":     func(tx *store.Tx) error { return tx.PutLoginProfile(other, &iam.LoginProfile{User: u.ID}) },
			"LoginProfile":        func(tx *store.Tx) error { return one(tx.LoginProfile(other, u.ID)) },
			"DeleteLoginProfile":  func(tx *store.Tx) error { return tx.DeleteLoginProfile(other, u.ID) },
			"FactorByID":          func(tx *store.Tx) error { return one(tx.FactorByID(other, f.ID)) },
			"FactorBySerial":      func(tx *store.Tx) error { return one(tx.FactorBySerial(other, "/", "phone")) },
			"EnableFactor theirs": func(tx *store.Tx) error { return one(tx.EnableFactor(acme, pending.ID, stranger.ID, 5, 0, epoch)) },
			"FactorFailed":        func(tx *store.Tx) error { return one(tx.FactorFailed(other, f.ID)) },
			"UnbindFactor":        func(tx *store.Tx) error { return tx.UnbindFactor(other, f.ID, epoch) },
			"UpdateFactorTags":    func(tx *store.Tx) error { return tx.UpdateFactorTags(other, f.ID, nil) },
			"DeleteFactor":        func(tx *store.Tx) error { return tx.DeleteFactor(other, f.ID) },
		}
		for what, fn := range refused {
			if err := w.Update(context.Background(), fn); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s reaches another account: %v", what, err)
			}
		}
		empty := map[string]func(tx *store.Tx) (int, error){
			"GroupsOf":      func(tx *store.Tx) (int, error) { l, err := tx.GroupsOf(other, u.ID, "", 9); return len(l), err },
			"GroupsOfCount": func(tx *store.Tx) (int, error) { return tx.GroupsOfCount(other, u.ID) },
			"Members":       func(tx *store.Tx) (int, error) { l, err := tx.Members(other, g.ID, "", 9); return len(l), err },
			"MemberCount":   func(tx *store.Tx) (int, error) { return tx.MemberCount(other, g.ID) },
			"Versions":      func(tx *store.Tx) (int, error) { l, err := tx.Versions(other, p.ID, 0, 9); return len(l), err },
			"VersionCount":  func(tx *store.Tx) (int, error) { return tx.VersionCount(other, p.ID) },
			"AttachedTo": func(tx *store.Tx) (int, error) {
				l, err := tx.AttachedTo(other, iam.KindUser, u.ID, "", store.After{}, 9)
				return len(l), err
			},
			"AttachedCount": func(tx *store.Tx) (int, error) { return tx.AttachedCount(other, iam.KindUser, u.ID) },
			"EntitiesFor": func(tx *store.Tx) (int, error) {
				l, err := tx.EntitiesFor(other, p.ID, iam.KindUser, "", "", "", 9)
				return len(l), err
			},
			"Inlines": func(tx *store.Tx) (int, error) { l, err := tx.Inlines(other, iam.KindUser, u.ID); return len(l), err },
			"InlineNames": func(tx *store.Tx) (int, error) {
				l, err := tx.InlineNames(other, iam.KindUser, u.ID, "", 9)
				return len(l), err
			},
			"InlineSize":      func(tx *store.Tx) (int, error) { return tx.InlineSize(other, iam.KindUser, u.ID, "") },
			"Keys":            func(tx *store.Tx) (int, error) { l, err := tx.Keys(other, u.ID, "", 9); return len(l), err },
			"KeyCount":        func(tx *store.Tx) (int, error) { return tx.KeyCount(other, u.ID) },
			"PasswordHistory": func(tx *store.Tx) (int, error) { l, err := tx.PasswordHistory(other, u.ID, 9); return len(l), err },
			"Factors":         func(tx *store.Tx) (int, error) { l, err := tx.Factors(other, u.ID); return len(l), err },
			"FactorCount":     func(tx *store.Tx) (int, error) { return tx.FactorCount(other, u.ID) },
			"FactorsPage": func(tx *store.Tx) (int, error) {
				l, err := tx.FactorsPage(other, "", store.After{}, 9)
				return len(l), err
			},
			"Detach":       func(tx *store.Tx) (int, error) { return number(tx.Detach(other, iam.KindUser, u.ID, p.ID)) },
			"AcceptStep":   func(tx *store.Tx) (int, error) { return number(tx.AcceptStep(other, f.ID, 500, 0, epoch)) },
			"ResyncFactor": func(tx *store.Tx) (int, error) { return number(tx.ResyncFactor(other, f.ID, 500, 0, epoch)) },
			"EnableFactor": func(tx *store.Tx) (int, error) {
				return number(tx.EnableFactor(other, pending.ID, stranger.ID, 500, 0, epoch))
			},
			"UpdateSealed": func(tx *store.Tx) (int, error) {
				fresh := append([]byte(nil), k.Secret...)
				fresh[9] ^= 1
				return number(tx.UpdateSealed(store.SealedAccessKeys, store.SealedRow{Account: other, Row: k.ID, Sealed: k.Secret}, fresh))
			},
		}
		for what, fn := range empty {
			w.update(func(tx *store.Tx) error {
				n, err := fn(tx)
				if n != 0 {
					t.Errorf("%s reaches another account: %d", what, n)
				}
				return err
			})
		}
		if got := w.revision(acme); got != before {
			t.Errorf("the revision went from %d to %d", before, got)
		}
	})
}

func number(changed bool, err error) (int, error) {
	if changed {
		return 1, err
	}
	return 0, err
}

// kill -9 in the middle of writes loses nothing that was acknowledged, neither
// of updates nor of recorded events. The child is this test binary.
func TestKillLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warifu.db")
	if os.Getenv("WARIFU_TEST_CHILD") != "" {
		writeUntilKilled(os.Getenv("WARIFU_TEST_CHILD"))
	}
	s, err := store.Open(context.Background(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	var users, events []string
	for round := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKillLosesNothing$")
		cmd.Env = append(os.Environ(), "WARIFU_TEST_CHILD="+path, fmt.Sprint("WARIFU_TEST_ROUND=", round))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		wantUsers, wantEvents := len(users)+10, len(events)+50
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if u, ok := strings.CutPrefix(lines.Text(), "user "); ok {
				users = append(users, u)
			} else if e, ok := strings.CutPrefix(lines.Text(), "event "); ok {
				events = append(events, e)
			}
			if len(users) == wantUsers && len(events) >= wantEvents || len(events) == wantEvents && len(users) >= wantUsers {
				// In the middle of writing, however fast this machine is.
				time.AfterFunc(time.Duration(round)*50*time.Millisecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait() //nolint:errcheck // it was killed
	}
	if len(users) < 30 || len(events) < 150 {
		t.Fatalf("only %d users and %d events were acknowledged", len(users), len(events))
	}
	s, err = store.Open(context.Background(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.View(context.Background(), func(tx *store.Tx) error {
		for _, u := range users {
			if _, err := tx.UserByName(acme, u); err != nil {
				t.Errorf("user %s: %v", u, err)
			}
		}
		kept := map[string]bool{}
		all, err := tx.Events(audit.Query{Account: acme}, store.EventAfter{}, 1<<30)
		for _, e := range all {
			kept[e.ID] = true
		}
		for _, e := range events {
			if !kept[e] {
				t.Errorf("event %s is lost", e)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func writeUntilKilled(path string) {
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	ctx := context.Background()
	s, err := store.Open(ctx, path, store.Options{})
	check(err)
	check(s.Update(ctx, func(tx *store.Tx) error {
		err := tx.InsertAccount(&iam.Account{ID: acme, Created: epoch})
		if fault.Is(err, fault.Exists) {
			return nil
		}
		return err
	}))
	round := os.Getenv("WARIFU_TEST_ROUND")
	for g := range 8 {
		go func() {
			for i := 0; ; i++ {
				called := fmt.Sprintf("r%s-g%d-%d", round, g, i)
				if g%2 == 0 {
					check(s.Record(ctx, audit.Event{ID: called, Account: acme, At: epoch}))
					fmt.Println("event", called)
					continue
				}
				check(s.Update(ctx, func(tx *store.Tx) error {
					return tx.InsertUser(&iam.User{ID: name.FixedID(called), Account: acme, Name: called, Path: "/", Created: epoch})
				}))
				fmt.Println("user", called)
			}
		}()
	}
	select {}
}

// Two processes may have the file open: a server and a host command.
func TestTwoStoresOnOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warifu.db")
	a, b := newWorld(t, path), (*store.Store)(nil)
	b, err := store.Open(context.Background(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var wg sync.WaitGroup
	for i, s := range []*store.Store{a.Store, b} {
		for g := range 4 {
			wg.Go(func() {
				for n := range 25 {
					err := s.Update(context.Background(), func(tx *store.Tx) error {
						called := fmt.Sprintf("s%d-g%d-%d", i, g, n)
						return tx.InsertUser(&iam.User{ID: name.FixedID(called), Account: acme, Name: called, Path: "/", Created: epoch})
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	a.view(func(tx *store.Tx) error {
		n, err := tx.UserCount(acme)
		same(a, "users", n, 200)
		return err
	})
}

func TestClosed(t *testing.T) {
	s, err := store.Open(context.Background(), "memory:", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(context.Background()); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Update(context.Background(), func(*store.Tx) error { return nil }); !fault.Is(err, fault.Internal) {
		t.Errorf("an update after Close: %v", err)
	}
}

func TestOpenErrors(t *testing.T) {
	for dsn, want := range map[string]string{
		"/nonexistent/folder/warifu.db":             "/nonexistent/folder/warifu.db",
		"postgres://u:secret@127.0.0.1:1/db":        "127.0.0.1",
		"postgres://u:secret@127.0.0.1:port/db?x=y": "PostgreSQL URL",
	} {
		s, err := store.Open(context.Background(), dsn, store.Options{})
		if err == nil {
			s.Close()
			t.Errorf("%s was opened", dsn)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

// The file is its owner's alone: it holds hashes of passwords.
func TestFileMode(t *testing.T) {
	dir := t.TempDir()
	w := newWorld(t, filepath.Join(dir, "odd ?#%name.db"))
	w.user("alice")
	files, err := os.ReadDir(dir)
	w.must(err)
	if len(files) != 3 {
		t.Errorf("files: %v", files)
	}
	for _, f := range files {
		info, err := f.Info()
		w.must(err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", f.Name(), info.Mode())
		}
	}
}
