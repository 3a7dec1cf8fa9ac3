package ops_test

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/store"
	"warifu/internal/testkit"
)

// Queries see the events of the caller's account and of the span, as the trail has
// them, on both databases.
func TestQueryTrail(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		ctx := context.Background()
		other := name.Account(210987654321)
		err := w.Store.Update(ctx, func(tx *store.Tx) error {
			if err := tx.InsertAccount(&iam.Account{ID: other, Created: w.Now()}); err != nil {
				return err
			}
			return tx.AppendEvents(audit.Event{ID: "theirs", Account: other, At: w.Now(), Action: "iam:CreateUser", Target: audit.Target{Name: "theirs"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{"alice", "bob"} {
			w.Clock.Advance(time.Hour)
			testkit.Do(t, w, w.Admin(t), ops.CreateUser, ops.CreateUserIn{Name: n})
		}
		testkit.Do(t, w, w.Admin(t), ops.GetUser, ops.UserIn{})
		ask := func(in ops.QueryTrailIn) string {
			r := testkit.Do(t, w, w.Admin(t), ops.QueryTrail, in)
			var b strings.Builder
			for _, row := range r.Rows {
				for _, c := range row {
					if c != nil {
						b.WriteString(*c + " ")
					}
				}
			}
			return strings.TrimSpace(b.String())
		}
		for _, c := range []struct {
			in   ops.QueryTrailIn
			want string
		}{
			{ops.QueryTrailIn{Where: "event = 'CreateUser'", SQL: "SELECT target FROM found ORDER BY at DESC LIMIT 2"}, "bob alice"},
			{ops.QueryTrailIn{Where: "target IN ('alice', 'bob', 'theirs')", SQL: "SELECT target, actor, action, params ->> '$.userName' FROM found WHERE target <> 'bob'"}, "alice admin iam:CreateUser alice"},
			{ops.QueryTrailIn{From: testkit.Epoch.Add(90 * time.Minute), Where: "event = 'CreateUser'", SQL: "SELECT target FROM found"}, "bob"},
			{ops.QueryTrailIn{To: testkit.Epoch.Add(90 * time.Minute), Where: "event = 'CreateUser'", SQL: "SELECT target FROM found WHERE actor = 'admin'"}, "alice"},
			{ops.QueryTrailIn{Where: "id = 'theirs'", SQL: "SELECT count(*) FROM found"}, "0"},
			{ops.QueryTrailIn{SQL: "SELECT count(*) FROM events WHERE json LIKE '%theirs%' AND actor <> 'admin'"}, "0"},
			{ops.QueryTrailIn{Where: "event = 'GetUser'", SQL: "SELECT read_only, result, source FROM found"}, "1 allowed 192.0.2.10"},
		} {
			if got := ask(c.in); got != c.want {
				t.Errorf("%+v: got %q, want %q", c.in, got, c.want)
			}
		}
		for _, q := range ops.QueryTemplates() {
			ask(ops.QueryTrailIn{Where: q.Where, SQL: q.SQL})
		}
		for _, in := range []ops.QueryTrailIn{{SQL: "SELECT * FROM access_keys"}, {Where: "x = 1"}, {From: w.Now(), To: w.Now().Add(-1)}} {
			if err := testkit.Fails(t, w, w.Admin(t), ops.QueryTrail, in); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", in, err)
			}
		}
		p := newPerson(t, w, "eve", "")
		if _, ok := ops.AsDenial(testkit.Fails(t, w, p.call(t), ops.QueryTrail, ops.QueryTrailIn{})); !ok {
			t.Error("anybody asks the trail")
		}
	})
}

// Pieces change what a query takes, and not what it finds; what has expired is in them
// no more.
func TestPieces(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		ctx := context.Background()
		const other = name.Account(210987654321)
		err := w.Store.Update(ctx, func(tx *store.Tx) error { return tx.InsertAccount(&iam.Account{ID: other, Created: w.Now()}) })
		if err != nil {
			t.Fatal(err)
		}
		w.PieceLeaves(8)
		record := func(n int) {
			t.Helper()
			var all []audit.Event
			for range n {
				w.Clock.Advance(time.Minute)
				id := strconv.Itoa(int(w.Now().Unix()))
				all = append(all, audit.Event{ID: "x" + id, Account: testkit.Account, At: w.Now(), Operation: "Try", Action: "x:Try", Actor: audit.Actor{Kind: "user", Name: "al"}, Result: audit.Allowed},
					audit.Event{ID: "y" + id, Account: other, At: w.Now(), Operation: "Try", Action: "x:Try", Result: audit.Allowed})
			}
			if err := w.Store.Update(ctx, func(tx *store.Tx) error { return tx.AppendEvents(all...) }); err != nil {
				t.Fatal(err)
			}
		}
		const tried = "SELECT id, json ->> '$.account' FROM found ORDER BY id"
		ask := func(sql string) (found []string, events int) {
			t.Helper()
			r := testkit.Do(t, w, w.Admin(t), ops.QueryTrail, ops.QueryTrailIn{Where: "event = 'Try'", SQL: sql})
			for _, row := range r.Rows {
				found = append(found, *row[0])
			}
			return found, r.Events
		}
		record(20)
		before, _ := ask(tried)
		if _, err := w.SealTrail(ctx); err != nil {
			t.Fatal(err)
		}
		n, err := w.PieceTrail(ctx)
		if err != nil || n < 40 || n%8 != 0 {
			t.Fatalf("%d leaves are in pieces: %v", n, err)
		}
		if after, _ := ask(tried); len(before) != 20 || !slices.Equal(before, after) {
			t.Errorf("before %v, after %v", before, after)
		}
		record(5)
		if all, _ := ask(tried); len(all) != 25 || all[0][0] != 'x' {
			t.Errorf("with newer ones: %v", all)
		}
		if n, err := w.PieceTrail(ctx); n != 0 || err != nil {
			t.Errorf("%d more leaves are in pieces: %v", n, err)
		}
		for range 2 { // the second time there is nothing to do
			if err := w.ThinTrail(ctx, 10*time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		kept, _ := ask(tried)
		want := slices.DeleteFunc(slices.Clone(before), func(id string) bool { return "x"+strconv.Itoa(int(w.Now().Add(-10*time.Minute).Unix())) > id })
		if len(kept) != 10 && len(kept) != 11 || !slices.Equal(kept[:len(want)], want) {
			t.Errorf("kept %v, want %v and five more", kept, want)
		}
		record(20)
		if _, err := w.SealTrail(ctx); err != nil {
			t.Fatal(err)
		}
		if n, err := w.PieceTrail(ctx); n < 32 || err != nil {
			t.Errorf("%d more leaves are in pieces: %v", n, err)
		}
		if all, _ := ask(tried); len(all) != len(kept)+20 {
			t.Errorf("%d events, want %d", len(all), len(kept)+20)
		}
	})
}

func TestKeptQueries(t *testing.T) {
	testkit.Each(t, func(t *testing.T, w *testkit.World) {
		admin := w.Admin(t)
		testkit.Do(t, w, admin, ops.SaveQuery, ops.KeptQueryIn{Name: "mine", Where: "mfa", SQL: "SELECT 1"})
		testkit.Do(t, w, admin, ops.SaveQuery, ops.KeptQueryIn{Name: "mine", Where: "NOT mfa"})
		testkit.Do(t, w, admin, ops.SaveQuery, ops.KeptQueryIn{Name: "also"})
		all := testkit.Do(t, w, admin, ops.ListQueries, struct{}{})
		if len(all) != 2 || all[0].Name != "also" || all[1].Where != "NOT mfa" || all[1].SQL != "" || all[1].Creator != "admin" {
			t.Errorf("%+v", all)
		}
		for _, in := range []ops.KeptQueryIn{{Name: ""}, {Name: "a b"}, {Name: "x", SQL: "DELETE FROM trail"}, {Name: "x", Where: "1; 2"}} {
			if err := testkit.Fails(t, w, admin, ops.SaveQuery, in); !fault.Is(err, fault.Invalid) {
				t.Errorf("%+v: %v", in, err)
			}
		}
		testkit.Do(t, w, admin, ops.DeleteQuery, "also")
		if err := testkit.Fails(t, w, admin, ops.DeleteQuery, "also"); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}
