package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/store"
)

// post puts a message into the outbox.
func (w *world) post(u *iam.User, lane string, at time.Time) name.ID {
	w.Helper()
	m := &store.Outgoing{
		ID: w.id(), Account: u.Account, User: u.ID, Channel: iam.ChannelMail, Kind: iam.MessageNotice, Lane: lane,
		Body: []byte("sealed " + lane), Created: at, Expires: at.Add(time.Hour),
	}
	w.update(func(tx *store.Tx) error { return tx.InsertOutgoing(m) })
	return m.ID
}

// claim takes what is due.
func (w *world) claim(at time.Time, limit int) (all []store.Outgoing) {
	w.Helper()
	w.update(func(tx *store.Tx) (err error) {
		all, err = tx.ClaimOutgoing(iam.ChannelMail, at, at.Add(2*time.Minute), limit)
		return err
	})
	return all
}

func idsOf(all []store.Outgoing) (ids []name.ID) {
	for _, m := range all {
		ids = append(ids, m.ID)
	}
	return ids
}

// A message goes out once it is committed, in its lane's order; a sender that
// dies gives back what it took, and one that comes late changes nothing.
func TestOutboxOrder(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		a1, b1 := w.post(u, "a", epoch), w.post(u, "b", epoch.Add(time.Second))
		a2 := w.post(u, "a", epoch.Add(2*time.Second))
		at := epoch.Add(time.Minute)
		got := w.claim(at, 10)
		same(w, "heads of the lanes", idsOf(got), []name.ID{a1, b1})
		same(w, "what is sent", string(got[0].Body), "sealed a")
		same(w, "who else asks gets nothing", len(w.claim(at, 10)), 0)

		// The first lane's is sent, the other one fails and waits.
		w.update(func(tx *store.Tx) error { return tx.DeleteOutgoing(a1) })
		w.update(func(tx *store.Tx) error { return tx.RetryOutgoing(b1, 1, at.Add(time.Minute), "451 later") })
		same(w, "the next of the lane", idsOf(w.claim(at, 10)), []name.ID{a2})
		same(w, "before its time", len(w.claim(at.Add(59*time.Second), 10)), 0)
		again := w.claim(at.Add(time.Minute), 10)
		same(w, "tried again", idsOf(again), []name.ID{b1})
		same(w, "tries", again[0].Tries, 2)

		// The sender of a2 died: it is given to another one; what the dead one
		// says then is not heard.
		again = w.claim(at.Add(2*time.Minute), 10)
		same(w, "given again", idsOf(again), []name.ID{a2})
		w.update(func(tx *store.Tx) error { return tx.RetryOutgoing(a2, 1, epoch, "late") })
		same(w, "still taken", len(w.claim(at.Add(2*time.Minute), 10)), 0)
	})
}

// What nobody can be told any more is given up, with a reason and without its
// text; it is forgotten later.
func TestOutboxGivesUp(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		old, bad := w.post(u, "a", epoch), w.post(u, "b", epoch.Add(30*time.Minute))
		same(w, "one has run out", idsOf(w.claim(epoch.Add(time.Hour), 10)), []name.ID{bad})
		w.update(func(tx *store.Tx) error { return tx.GiveUpOutgoing(bad, epoch.Add(time.Hour), "550 no such user") })
		w.view(func(tx *store.Tx) error {
			list, err := tx.TroubledOutgoing(acme, 10)
			w.must(err)
			if len(list) != 2 || list[0].ID != bad || list[0].Why != "550 no such user" || list[1].ID != old || list[1].Failed.IsZero() {
				w.Errorf("troubles: %+v", list)
			}
			none, err := tx.TroubledOutgoing(other, 10)
			w.must(err)
			same(w, "another account's troubles", len(none), 0)
			b, err := tx.OutgoingBacklog(0, iam.ChannelMail)
			same(w, "backlog", b, store.Backlog{Failed: 2})
			return err
		})
		w.update(func(tx *store.Tx) error {
			n, err := tx.PurgeOutgoing(epoch.Add(time.Hour), 10)
			same(w, "forgotten", n, 2)
			return err
		})
	})
}

// The outbox is bounded: of a user's messages the oldest go.
func TestOutboxIsBounded(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		var first name.ID
		for i := range 53 {
			if id := w.post(u, fmt.Sprint("lane", i), epoch.Add(time.Duration(i)*time.Second)); i == 3 {
				first = id
			}
		}
		w.view(func(tx *store.Tx) error {
			b, err := tx.OutgoingBacklog(acme, iam.ChannelMail)
			same(w, "waiting", b, store.Backlog{Waiting: 50, Oldest: epoch.Add(3 * time.Second)})
			due, err2 := tx.OutgoingDue(iam.ChannelMail, epoch)
			same(w, "due before it was made", due, false)
			w.must(err2)
			return err
		})
		same(w, "the oldest that is left", idsOf(w.claim(epoch.Add(time.Minute), 1)), []name.ID{first})
	})
}

// Two senders at once never take the same message.
func TestOutboxSendersAtOnce(t *testing.T) {
	each(t, func(w *world) {
		for i := range 4 {
			u := w.user(fmt.Sprint("user", i))
			for j := range 5 {
				w.post(u, fmt.Sprint("lane", i, j), epoch)
			}
		}
		var mu sync.Mutex
		taken := map[name.ID]int{}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for {
					got := w.claim(epoch.Add(time.Minute), 3)
					if len(got) == 0 {
						return
					}
					mu.Lock()
					for _, m := range got {
						taken[m.ID]++
					}
					mu.Unlock()
				}
			})
		}
		all.Wait()
		same(w, "taken", len(taken), 20)
		for id, n := range taken {
			if n != 1 {
				w.Errorf("%v was taken %d times", id, n)
			}
		}
	})
}

// C-7: a count is written only over the one that was read.
func TestCodesSent(t *testing.T) {
	each(t, func(w *world) {
		w.update(func(tx *store.Tx) error {
			ok, err := tx.CountSent("u", 0, time.Time{}, epoch, epoch, 1)
			same(w, "the first", ok, true)
			return err
		})
		w.update(func(tx *store.Tx) error {
			ok, err := tx.CountSent("u", 0, time.Time{}, epoch, epoch.Add(time.Second), 1)
			same(w, "over a count that is not there any more", ok, false)
			w.must(err)
			began, last, n, err := tx.CodesSent("u")
			same(w, "count", []any{began, last, n}, []any{epoch, epoch, 1})
			w.must(err)
			ok, err = tx.CountSent("u", 1, epoch, epoch, epoch.Add(time.Minute), 2)
			same(w, "the second", ok, true)
			return err
		})
		w.update(func(tx *store.Tx) error {
			n, err := tx.PurgeSent(epoch.Add(time.Minute), 10)
			same(w, "forgotten", n, 1)
			return err
		})
	})
}

// An address waits for its owner's word: the newest link of a kind counts, once.
func TestPendingAddresses(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("alice")
		put := func(hash, address string) {
			w.update(func(tx *store.Tx) error {
				return tx.PutPendingAddress(&iam.PendingAddress{
					Account: acme, User: u.ID, Kind: iam.FactorKind("email"), Address: address, Hash: []byte(hash),
					Creator: "admin", Created: epoch, Expires: epoch.Add(24 * time.Hour),
				})
			})
		}
		put("one", "a@example.com")
		put("two", "b@example.com")
		w.refused(fault.NotFound, "activation link", "", func(tx *store.Tx) error { _, err := tx.PendingAddress([]byte("one"), epoch); return err })
		w.refused(fault.NotFound, "activation link", "", func(tx *store.Tx) error {
			_, err := tx.ConsumePendingAddress([]byte("two"), epoch.Add(24*time.Hour))
			return err
		})
		w.view(func(tx *store.Tx) error {
			p, err := tx.PendingAddress([]byte("two"), epoch)
			w.must(err)
			same(w, "address", p.Address, "b@example.com")
			all, err := tx.PendingAddresses(acme, u.ID, epoch)
			w.must(err)
			same(w, "all", len(all), 1)
			all, err = tx.PendingAddresses(other, u.ID, epoch)
			same(w, "in another account", len(all), 0)
			return err
		})
		w.update(func(tx *store.Tx) error { _, err := tx.ConsumePendingAddress([]byte("two"), epoch); return err })
		w.refused(fault.NotFound, "activation link", "", func(tx *store.Tx) error { _, err := tx.ConsumePendingAddress([]byte("two"), epoch); return err })
		w.refused(fault.NotFound, "pending address", "email", func(tx *store.Tx) error { return tx.DeletePendingAddress(acme, u.ID, "email") })
		put("three", "c@example.com")
		w.update(func(tx *store.Tx) error {
			n, err := tx.PurgePendingAddresses(epoch.Add(24*time.Hour), 10)
			same(w, "run out", n, 1)
			return err
		})
		w.update(func(tx *store.Tx) error { return tx.SetLanguage(acme, u.ID, "ja") })
		w.update(func(tx *store.Tx) error { return tx.SetLanguage(acme, u.ID, "zh") })
		w.view(func(tx *store.Tx) error {
			l, err := tx.Language(u.ID)
			same(w, "language", l, "zh")
			return err
		})
	})
}
