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
	"warifu/internal/store"
)

// open adds a session to acme.
func (w *world) open(u *iam.User, secret string, at time.Time) *iam.Session {
	w.Helper()
	s := &iam.Session{
		ID: w.id(), Hash: []byte(secret), Account: u.Account, User: u.ID, Created: at, Seen: at, Idle: time.Hour, Expires: at.Add(6 * time.Hour),
		Proved: []iam.Proved{{Method: iam.MethodPassword, At: at}, {Method: iam.MethodTOTP, Factor: 42, At: at.Add(time.Second)}},
		Source: "192.0.2.7", UserAgent: "a browser",
	}
	w.update(func(tx *store.Tx) error { return tx.InsertSession(s) })
	return s
}

func TestSessions(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		old, fresh := w.open(u, "one", epoch), w.open(u, "two", epoch.Add(time.Minute))
		w.view(func(tx *store.Tx) error {
			got, err := tx.SessionByHash([]byte("one"))
			w.must(err)
			same(w, "a session", got, old)
			all, err := tx.Sessions(acme, u.ID, store.SessionAfter{}, 1)
			w.must(err)
			same(w, "the newest session", all, []iam.Session{*fresh})
			all, err = tx.Sessions(acme, u.ID, store.SessionAfter{Created: fresh.Created, ID: fresh.ID}, 5)
			w.must(err)
			same(w, "the next one", all, []iam.Session{*old})
			all, err = tx.Sessions(other, u.ID, store.SessionAfter{}, 5)
			same(w, "another account's view", len(all), 0)
			return err
		})
		w.update(func(tx *store.Tx) error { return tx.SetSessionSeen(acme, old.ID, epoch.Add(5*time.Minute)) })
		w.update(func(tx *store.Tx) error { return tx.SetSessionSeen(acme, old.ID, epoch.Add(2*time.Minute)) })
		w.view(func(tx *store.Tx) error {
			got, err := tx.SessionByHash([]byte("one"))
			w.must(err)
			same(w, "last seen", got.Seen, epoch.Add(5*time.Minute))
			return nil
		})
		// S-1: of a session that is rotated twice with one old secret, the second finds nothing.
		old.Proved = old.Proved[:1]
		w.update(func(tx *store.Tx) error { return tx.RotateSession(old, []byte("three")) })
		w.refused(fault.NotFound, "session", old.ID.String(), func(tx *store.Tx) error { return tx.RotateSession(old, []byte("four")) })
		w.refused(fault.NotFound, "session", "", func(tx *store.Tx) error { _, err := tx.SessionByHash([]byte("one")); return err })
		w.refused(fault.NotFound, "session", fresh.ID.String(), func(tx *store.Tx) error { return tx.DeleteSession(other, u.ID, fresh.ID) })

		// They run out by age and by idleness, and go with their user.
		w.update(func(tx *store.Tx) error {
			n, err := tx.PurgeSessions(epoch.Add(time.Hour+time.Minute), 10)
			same(w, "purged: the one that was seen a minute in", n, 1)
			return err
		})
		w.update(func(tx *store.Tx) error {
			n, err := tx.DeleteSessions(acme, u.ID, old.ID)
			same(w, "ended but one", n, 0)
			return err
		})
		w.update(func(tx *store.Tx) error { return tx.DeleteUser(acme, u.ID) })
		w.refused(fault.NotFound, "session", "", func(tx *store.Tx) error { _, err := tx.SessionByHash([]byte("three")); return err })
	})
}

// S-7, C-2: a flow ends once, and a step that comes late writes nothing.
func TestFlows(t *testing.T) {
	each(t, func(w *world) {
		f := &store.Flow{Hash: []byte("flow"), Body: "{}", Expires: epoch.Add(time.Minute)}
		w.update(func(tx *store.Tx) error { return tx.InsertFlow(f) })
		var read store.Flow
		w.view(func(tx *store.Tx) error {
			got, err := tx.Flow(f.Hash, epoch)
			w.must(err)
			read = *got
			return nil
		})
		same(w, "the flow", read, *f)
		read.Body = `{"a":1}`
		w.update(func(tx *store.Tx) error { return tx.SaveFlow(&read) })
		w.refused(fault.NotFound, "flow", "", func(tx *store.Tx) error { return tx.SaveFlow(&read) })
		w.refused(fault.NotFound, "flow", "", func(tx *store.Tx) error { _, err := tx.Flow(f.Hash, f.Expires); return err })
		var ended atomic.Int32
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				var ok bool
				err := w.Update(context.Background(), func(tx *store.Tx) (err error) { ok, err = tx.ConsumeFlow(f.Hash); return err })
				if err != nil {
					w.Error(err)
				} else if ok {
					ended.Add(1)
				}
			})
		}
		wg.Wait()
		same(w, "ends of the flow", ended.Load(), 1)
		w.update(func(tx *store.Tx) error { return tx.InsertFlow(f) })
		w.update(func(tx *store.Tx) error {
			n, err := tx.PurgeFlows(f.Expires, 10)
			same(w, "purged", n, 1)
			return err
		})
	})
}

// C-4, N-5: wrong passwords at once are counted each, and names that nobody has
// crowd out each other only.
func TestFailures(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				err := w.Update(context.Background(), func(tx *store.Tx) error { _, err := tx.CountFailure(u.ID, epoch); return err })
				if err != nil {
					w.Error(err)
				}
			})
		}
		wg.Wait()
		for i := range 30 {
			w.update(func(tx *store.Tx) error {
				_, err := tx.CountStranger(fmt.Sprintf("%02d", i), epoch.Add(time.Duration(i)*time.Second))
				return err
			})
		}
		w.update(func(tx *store.Tx) error {
			n, err := tx.TrimStrangers(10, 100)
			same(w, "forgotten", n, 20)
			return err
		})
		w.view(func(tx *store.Tx) error {
			n, at, err := tx.Failures(u.ID)
			w.must(err)
			same(w, "failures of a user", n, 50)
			same(w, "the last of them", at, epoch)
			n, _, err = tx.StrangerFailures("19")
			w.must(err)
			same(w, "failures of an old name", n, 0)
			n, _, err = tx.StrangerFailures("20")
			w.must(err)
			same(w, "failures of a new name", n, 1)
			all, err := tx.Lockouts(acme, 50, 0, 10)
			w.must(err)
			same(w, "locked out", all, []store.Lockout{{User: u.ID, Failures: 50, At: epoch}})
			all, err = tx.Lockouts(other, 1, 0, 10)
			same(w, "locked out elsewhere", len(all), 0)
			return err
		})
		w.update(func(tx *store.Tx) error { return tx.DeleteUser(acme, u.ID) })
	})
}

func TestBlocksAndPreferences(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		b := &iam.Block{User: u.ID, At: epoch, By: "admin", Reason: "left"}
		w.bumps("PutBlock", func(tx *store.Tx) error { return tx.PutBlock(acme, b) })
		w.refused(fault.NotFound, "user", u.ID.String(), func(tx *store.Tx) error { return tx.PutBlock(other, b) })
		w.view(func(tx *store.Tx) error {
			got, err := tx.Block(acme, u.ID)
			w.must(err)
			same(w, "the block", got, b)
			all, err := tx.Blocks(other, 0, 10)
			same(w, "blocks elsewhere", len(all), 0)
			return err
		})
		w.bumps("DeleteBlock", func(tx *store.Tx) error { return tx.DeleteBlock(acme, u.ID) })
		w.refused(fault.NotFound, "block", u.ID.String(), func(tx *store.Tx) error { return tx.DeleteBlock(acme, u.ID) })
		other := iam.Preferences{
			OwnAccessKeys: true, Remember: true, SessionHours: 24, SessionIdle: 5, NetworkMasks: "10.0.0.0/8;2001:db8::/32",
			MFAForLogin: iam.MFAAdaptive, RiskLogin: iam.RiskEnforceVerify, IdleDaysUsers: 90, IdleDaysKeys: 180,
			LinkOnly: true, FactorsPerUser: 1, Shadow: true, Changed: epoch, By: "root",
		}
		for _, want := range []iam.Preferences{iam.DefaultPreferences(), other} {
			if want == other {
				w.update(func(tx *store.Tx) error { return tx.SetPreferences(acme, want) })
			}
			w.view(func(tx *store.Tx) error {
				got, err := tx.Preferences(acme)
				same(w, "preferences", got, want)
				return err
			})
		}
	})
}

// Notices are a user's own, newest first, a hundred at most.
func TestNotices(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		for i := range 105 {
			n := &iam.Notice{ID: w.id(), Account: acme, User: u.ID, Kind: iam.NoticeKeyCreated, At: epoch.Add(time.Duration(i) * time.Second), Subject: fmt.Sprint(i)}
			w.update(func(tx *store.Tx) error { return tx.InsertNotice(n) })
		}
		w.view(func(tx *store.Tx) error {
			all, err := tx.Notices(acme, u.ID, store.NoticeAfter{}, 200)
			w.must(err)
			same(w, "notices kept", len(all), 100)
			same(w, "the newest", all[0].Subject, "104")
			rest, err := tx.Notices(acme, u.ID, store.NoticeAfter{At: all[97].At, ID: all[97].ID}, 200)
			w.must(err)
			same(w, "the last page", names(rest, func(n iam.Notice) string { return n.Subject }), "6 5")
			all, err = tx.Notices(other, u.ID, store.NoticeAfter{}, 200)
			same(w, "another account's view", len(all), 0)
			return err
		})
		w.update(func(tx *store.Tx) error {
			n, err := tx.MarkNoticesSeen(acme, u.ID, epoch.Add(100*time.Second), epoch.Add(time.Hour))
			same(w, "seen", n, 96)
			return err
		})
		w.view(func(tx *store.Tx) error {
			n, err := tx.UnseenNotices(acme, u.ID)
			same(w, "unseen", n, 4)
			return err
		})
	})
}

// W-10: of any number who use a link at once one does; a link that came to its
// end is good for nothing.
func TestEnrolmentLinks(t *testing.T) {
	each(t, func(w *world) {
		u, bob := w.user("alice"), w.user("bob")
		add := func(u *iam.User, secret string, at time.Time) *iam.EnrolmentLink {
			l := &iam.EnrolmentLink{ID: w.id(), Hash: []byte(secret), Account: acme, User: u.ID, Creator: "admin", Created: at, Expires: at.Add(time.Hour)}
			w.update(func(tx *store.Tx) error { return tx.InsertLink(l) })
			return l
		}
		used, revoked, old := add(u, "used", epoch), add(u, "revoked", epoch.Add(time.Second)), add(bob, "old", epoch.Add(2*time.Second))
		w.refused(fault.NotFound, "enrolment link", used.ID.String(), func(tx *store.Tx) error { return tx.OpenLink(other, used.ID, 7, "", epoch) })
		w.update(func(tx *store.Tx) error { return tx.OpenLink(acme, used.ID, 7, "192.0.2.1", epoch.Add(time.Minute)) })
		w.update(func(tx *store.Tx) error { return tx.OpenLink(acme, used.ID, 8, "192.0.2.2", epoch.Add(2*time.Minute)) })
		w.view(func(tx *store.Tx) error {
			l, err := tx.LinkByHash([]byte("used"))
			w.must(err)
			same(w, "opened first", fmt.Sprint(l.Opened, l.Source, l.Device), fmt.Sprint(epoch.Add(time.Minute), "192.0.2.1", 8))
			return nil
		})
		var wins atomic.Int32
		var wg sync.WaitGroup
		for range 60 {
			wg.Go(func() {
				err := w.Update(context.Background(), func(tx *store.Tx) error { return tx.UseLink(acme, used.ID, "192.0.2.3", epoch.Add(3*time.Minute)) })
				if err == nil {
					wins.Add(1)
				} else if !fault.Is(err, fault.NotFound) {
					w.Error(err)
				}
			})
		}
		wg.Wait()
		same(w, "uses", wins.Load(), 1)
		w.update(func(tx *store.Tx) error { return tx.RevokeLink(acme, revoked.ID, epoch.Add(time.Minute)) })
		for _, l := range []*iam.EnrolmentLink{used, revoked, old} {
			at := epoch.Add(2 * time.Hour)
			if l != old {
				at = epoch.Add(5 * time.Minute)
			}
			w.refused(fault.NotFound, "enrolment link", l.ID.String(), func(tx *store.Tx) error { return tx.UseLink(acme, l.ID, "", at) })
			w.refused(fault.NotFound, "enrolment link", l.ID.String(), func(tx *store.Tx) error { return tx.OpenLink(acme, l.ID, 9, "", at) })
			w.refused(fault.NotFound, "enrolment link", l.ID.String(), func(tx *store.Tx) error { return tx.RevokeLink(acme, l.ID, at) })
		}
		w.view(func(tx *store.Tx) error {
			all, err := tx.Links(acme, 0, store.LinkAfter{}, 10)
			w.must(err)
			states := names(all, func(l iam.EnrolmentLink) string { return string(l.State(epoch.Add(2 * time.Hour))) })
			same(w, "states", states, strings.Join([]string{"expired", "revoked", "used"}, " "))
			all, err = tx.Links(acme, u.ID, store.LinkAfter{Created: revoked.Created, ID: revoked.ID}, 10)
			w.must(err)
			same(w, "alice's second page", names(all, func(l iam.EnrolmentLink) string { return string(l.Hash) }), "used")
			return nil
		})
		w.update(func(tx *store.Tx) error {
			n, err := tx.PurgeLinks(epoch.Add(time.Hour+time.Second), 10)
			same(w, "purged", n, 2)
			return err
		})
	})
}
