package store_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/internal/audit"
	"warifu/internal/name"
	"warifu/internal/store"
)

// full is an event with every field set.
func full(id string, at time.Time) audit.Event {
	return audit.Event{
		ID: id, Account: acme, At: at, Operation: "EnableTOTP", Action: "iam:EnableMFADevice", Door: "aws", Service: "iam", Region: "us-east-1",
		ReadOnly: true,
		Actor:    audit.Actor{Kind: "user", ID: 5, Name: "alice", ARN: "arn:aws:iam::111122223333:user/alice", AccessKey: "AKIA1", Session: "s", Issued: 7},
		MFA:      audit.MFA{Known: true, Present: true, At: 8, Methods: []string{"totp", "passkey"}, Remembered: true},
		Target:   audit.Target{Noun: "factor", Name: "phone", ID: 9, ARN: "arn:aws:iam::111122223333:mfa/phone"},
		Source:   "192.0.2.1", Chain: "192.0.2.2", UserAgent: "cli \"x\" <é\n\u2028>", RequestID: "r",
		Result: audit.Refused, Code: "denied", Why: "statement 2", Params: audit.Fields{"b": "2", "a": "1\\"},
	}
}

func (w *world) events(q audit.Query, after store.EventAfter, limit int) (got []audit.Event) {
	w.Helper()
	w.must(w.Flush())
	w.view(func(tx *store.Tx) (err error) { got, err = tx.Events(q, after, limit); return err })
	return got
}

func eventID(e audit.Event) string { return e.ID }

func TestEvents(t *testing.T) {
	each(t, func(w *world) {
		ctx := context.Background()
		whole, bare := full("whole", epoch.Add(123456*time.Microsecond)), audit.Event{ID: "bare", Account: acme, At: epoch}
		theirs := audit.Event{ID: "theirs", Account: other, At: epoch}
		w.must(w.Record(ctx, whole, theirs))
		w.update(func(tx *store.Tx) error { return tx.AppendEvents(bare) })
		got := w.events(audit.Query{Account: acme}, store.EventAfter{}, 10)
		if want := []audit.Event{whole, bare}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
		no, yes := false, true
		for what, c := range map[string]struct {
			q    audit.Query
			want string
		}{
			"from":             {audit.Query{From: epoch.Add(1000)}, "whole"},
			"to, exclusive":    {audit.Query{To: whole.At}, "bare"},
			"from, to":         {audit.Query{From: epoch, To: whole.At.Add(1000)}, "whole bare"},
			"id":               {audit.Query{ID: "bare"}, "bare"},
			"operation":        {audit.Query{Operation: "EnableMFADevice"}, "whole"},
			"one of two":       {audit.Query{Operation: "Other", Or: []string{"EnableMFADevice"}}, "whole"},
			"neither of two":   {audit.Query{Operation: "Other", Or: []string{"Another"}}, ""},
			"actor":            {audit.Query{Actor: "alice"}, "whole"},
			"no actor":         {audit.Query{Actor: "bob"}, ""},
			"key":              {audit.Query{AccessKey: "AKIA1"}, "whole"},
			"noun":             {audit.Query{TargetNoun: "factor"}, "whole"},
			"target":           {audit.Query{TargetName: "phone"}, "whole"},
			"service":          {audit.Query{Service: "iam"}, "whole"},
			"reads":            {audit.Query{ReadOnly: &yes}, "whole"},
			"writes":           {audit.Query{ReadOnly: &no}, "bare"},
			"id of another":    {audit.Query{ID: "theirs"}, ""},
			"oldest first":     {audit.Query{Forward: true}, "bare whole"},
			"from, forward":    {audit.Query{From: epoch.Add(1000), Forward: true}, "whole"},
			"from at, forward": {audit.Query{From: epoch, Forward: true}, "bare whole"},
			"to, forward":      {audit.Query{To: whole.At, Forward: true}, "bare"},
			"two at once":      {audit.Query{ID: "whole", Actor: "bob"}, ""},
		} {
			c.q.Account = acme
			same(w, what, names(w.events(c.q, store.EventAfter{}, 10), eventID), c.want)
		}
	})
}

// Changes are those under one name alone, newest first, page after page.
func TestChanges(t *testing.T) {
	each(t, func(w *world) {
		at := func(i int) time.Time { return epoch.Add(time.Duration(i/2) * time.Second) } // two of each moment
		var all []audit.Event
		for i, by := range []string{"alice", "alice", "bob", "alice", "", "alice", "alice"} {
			e := audit.Event{ID: fmt.Sprint("e", i), Account: acme, At: at(i), ReadOnly: i == 5}
			e.Actor.Name = by
			all = append(all, e)
		}
		theirs := audit.Event{ID: "theirs", Account: other, At: epoch}
		theirs.Actor.Name = "alice"
		w.update(func(tx *store.Tx) error { return tx.AppendEvents(append(all, theirs)...) })
		changes := func(by string, from time.Time, after store.EventAfter, limit int) (got []audit.Event) {
			w.view(func(tx *store.Tx) (err error) { got, err = tx.Changes(acme, by, from, after, limit); return err })
			return got
		}
		none := store.EventAfter{}
		same(w, "alice's", names(changes("alice", time.Time{}, none, 10), eventID), "e6 e3 e1 e0")
		same(w, "the first", names(changes("alice", time.Time{}, none, 2), eventID), "e6 e3")
		same(w, "the rest", names(changes("alice", time.Time{}, store.EventAfter{At: at(3), ID: "e3"}, 10), eventID), "e1 e0")
		same(w, "of a moment", names(changes("alice", time.Time{}, store.EventAfter{At: at(1), ID: "e1"}, 10), eventID), "e0")
		same(w, "not older", names(changes("alice", at(2), none, 10), eventID), "e6 e3")
		same(w, "nobody's", names(changes("", time.Time{}, none, 10), eventID), "e4")
	})
}

// Pages of the trail neither repeat nor lose an event, even among events of one
// moment.
func TestEventPages(t *testing.T) {
	each(t, func(w *world) {
		var all []audit.Event
		want := ""
		for i := range 50 {
			at := epoch.Add(time.Duration(i/7) * time.Second)
			all = append(all, audit.Event{ID: fmt.Sprintf("e%02d", i), Account: acme, At: at})
			want = all[i].ID + " " + want
		}
		w.must(w.Record(context.Background(), all...))
		for _, size := range []int{1, 7, 8, 100} {
			var got []audit.Event
			after := store.EventAfter{}
			for {
				page := w.events(audit.Query{Account: acme}, after, size)
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
				last := page[len(page)-1]
				after = store.EventAfter{At: last.At, ID: last.ID}
			}
			same(w, fmt.Sprint("pages of ", size), names(got, eventID)+" ", want)

			slices.Reverse(got)
			after = store.EventAfter{}
			var forward []audit.Event
			for {
				page := w.events(audit.Query{Account: acme, Forward: true}, after, size)
				if len(page) == 0 {
					break
				}
				forward = append(forward, page...)
				last := page[len(page)-1]
				after = store.EventAfter{At: last.At, ID: last.ID}
			}
			same(w, fmt.Sprint("forward, pages of ", size), names(forward, eventID), names(got, eventID))
		}
	})
}

// An event that a rolled back update appended is gone with it.
func TestEventsRollBack(t *testing.T) {
	each(t, func(w *world) {
		err := w.Update(context.Background(), func(tx *store.Tx) error {
			w.must(tx.AppendEvents(full("x", epoch)))
			return fmt.Errorf("no")
		})
		if err == nil || len(w.events(audit.Query{Account: acme}, store.EventAfter{}, 1)) != 0 {
			t.Errorf("it stayed; %v", err)
		}
	})
}

// What a client sends cannot keep its event out of the trail, nor that of
// others in the same commit.
func TestHostileEvents(t *testing.T) {
	each(t, func(w *world) {
		e := full("hostile", epoch)
		e.UserAgent, e.Target.Name, e.Actor.Name = "\xff\x00\xed\xa0\x80", "a\x00b", "\xc0"
		e.Params = audit.Fields{"\x00\xff": "\x01"}
		w.must(w.Record(context.Background(), e, full("plain", epoch)))
		got := w.events(audit.Query{Account: acme}, store.EventAfter{}, 10)
		same(w, "events", names(got, eventID), "plain hostile")
		same(w, "found by the cleaned name", names(w.events(audit.Query{Account: acme, TargetName: "a\uFFFDb"}, store.EventAfter{}, 10), eventID), "hostile")
	})
}

// Any event comes back as it went.
func TestEventsRoundTrip(t *testing.T) {
	w := newWorld(t, "memory:")
	text := rapid.StringN(0, 20, -1).Filter(func(s string) bool { return !strings.Contains(s, "\x00") })
	serial := 0
	rapid.Check(t, func(r *rapid.T) {
		serial++
		e := audit.Event{
			ID: fmt.Sprint(serial), Account: name.Account(1_000_000 + serial), At: time.UnixMicro(rapid.Int64Range(1, 4e15).Draw(r, "at")).UTC(),
			Operation: text.Draw(r, "operation"), Action: text.Draw(r, "action"), UserAgent: text.Draw(r, "agent"),
			ReadOnly: rapid.Bool().Draw(r, "readOnly"),
			Actor:    audit.Actor{ID: name.ID(rapid.Int64().Draw(r, "actor")), Name: text.Draw(r, "name"), Issued: rapid.Int64().Draw(r, "issued")},
			MFA:      audit.MFA{Present: rapid.Bool().Draw(r, "present"), Methods: rapid.SliceOfN(text, 1, 3).Draw(r, "methods")},
			Params:   rapid.MapOfN(text, text, 1, 3).Draw(r, "params"),
		}
		w.must(w.Record(context.Background(), e))
		got := w.events(audit.Query{Account: e.Account}, store.EventAfter{}, 2)
		if len(got) != 1 || !reflect.DeepEqual(got[0], e) {
			r.Fatalf("got %+v\nwant %+v", got, e)
		}
	})
}
