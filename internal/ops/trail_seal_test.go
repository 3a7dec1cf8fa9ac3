package ops_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"warifu/internal/audit"
	"warifu/internal/audit/tree"
	"warifu/internal/fault"
	"warifu/internal/ops"
	"warifu/internal/testkit"
	"warifu/internal/testkit/pg"
)

// tampered is a world and a connection to its database beside the server's.
type tampered struct {
	t *testing.T
	*testkit.World
	db *sql.DB
}

func eachTampered(t *testing.T, test func(w *tampered)) {
	for what, open := range map[string]func() (string, string){
		"sqlite":   func() (string, string) { return "sqlite", filepath.Join(t.TempDir(), "warifu.db") },
		"postgres": func() (string, string) { return "pgx", pg.DSN(t) },
	} {
		t.Run(what, func(t *testing.T) {
			driver, dsn := open()
			w := &tampered{t: t, World: testkit.Build(t, dsn, io.Discard)}
			var err error
			if w.db, err = sql.Open(driver, dsn); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { w.db.Close() })
			test(w)
		})
	}
}

func (w *tampered) exec(statements ...string) {
	w.t.Helper()
	for _, s := range statements {
		if _, err := w.db.Exec(s); err != nil {
			w.t.Fatalf("%s: %v", s, err)
		}
	}
}

var trailTables = []string{"events", "trail_leaves", "trail_tiles", "trail_checkpoints", "trail_pending"}

// save keeps the trail as it is under a name; restore puts it back.
func (w *tampered) save(name string) {
	for _, table := range trailTables {
		w.exec("CREATE TABLE " + name + table + " AS SELECT * FROM " + table)
	}
}

func (w *tampered) restore(name string) {
	for _, table := range trailTables {
		w.exec("DELETE FROM "+table, "INSERT INTO "+table+" SELECT * FROM "+name+table)
	}
}

// users creates users, and so events, and seals them.
func (w *tampered) users(prefix string, n int) {
	w.t.Helper()
	for i := range n {
		w.Clock.Advance(time.Second)
		testkit.Do(w.t, w.World, w.Admin(w.t), ops.CreateUser, ops.CreateUserIn{Name: fmt.Sprint(prefix, i)})
	}
	w.seal()
}

func (w *tampered) seal() {
	w.t.Helper()
	if _, err := w.SealTrail(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

// memory is a folder in memory that is exported into.
type memory struct{ fstest.MapFS }

type memoryFile struct {
	bytes.Buffer
	close func([]byte)
}

func (f *memoryFile) Close() error { f.close(f.Bytes()); return nil }

func (m memory) create(name string) (io.WriteCloser, error) {
	return &memoryFile{close: func(b []byte) { m.MapFS[name] = &fstest.MapFile{Data: b} }}, nil
}

// verify exports and verifies.
func (w *tampered) verify(anchors ...string) *tree.Report {
	w.t.Helper()
	m := memory{fstest.MapFS{}}
	if _, err := w.ExportTrail(context.Background(), m.create); err != nil {
		w.t.Fatal(err)
	}
	key, err := w.TrailKey()
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := ops.VerifyExport(m, key, anchors)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// Security checklist K-4: whatever is done to the trail in the database, the
// verifier names the first event that it was done to.
func TestK4TamperingShows(t *testing.T) {
	eachTampered(t, func(w *tampered) {
		w.users("a", 12)
		early, _, err := w.LastCheckpoint(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		w.save("early_")
		w.users("b", 10)
		anchor, size, err := w.LastCheckpoint(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		w.save("whole_")
		if r := w.verify(early, anchor); r.First != nil || r.Size != size || r.Waiting != 0 || r.Checkpoints < 4 {
			w.t.Fatalf("the untouched trail: %+v", r)
		}

		event := func(n int) string {
			return fmt.Sprintf("id = (SELECT id FROM trail_leaves WHERE n = %d)", n)
		}
		shift := func(by int, from int) []string {
			return []string{
				fmt.Sprintf("UPDATE trail_leaves SET n = -1000 - (n + %d) WHERE n >= %d", by, from),
				"UPDATE trail_leaves SET n = -1000 - n WHERE n <= -1000",
			}
		}
		forge := `INSERT INTO events (account, at, id, operation, actor, access_key, noun, target, service, read_only, result, body)
			SELECT account, at, 'forged', operation, actor, access_key, noun, target, service, read_only, result,
			replace(body, id, 'forged') FROM events WHERE ` + event(8)
		for _, c := range []struct {
			what  string
			do    []string
			fault tree.Fault
			first int64
		}{
			{"the text of an event", []string{"UPDATE events SET body = replace(body, 'CreateUser', 'DeleteUser') WHERE " + event(9)}, tree.Altered, 9},
			{"who did it, in a column", []string{"UPDATE events SET actor = 'mallory' WHERE " + event(10)}, tree.Altered, 10},
			{"how it ended, in a column", []string{"UPDATE events SET result = 'failed' WHERE " + event(10)}, tree.Altered, 10},
			{"one event deleted", []string{"DELETE FROM events WHERE " + event(11)}, tree.Removed, 11},
			{"two events deleted", []string{"DELETE FROM events WHERE " + event(13), "DELETE FROM events WHERE " + event(7)}, tree.Removed, 7},
			{"deleted with its leaf", []string{"DELETE FROM events WHERE " + event(11), "DELETE FROM trail_leaves WHERE n = 11"}, tree.Removed, 11},
			{"deleted, and the leaves renumbered", append([]string{"DELETE FROM events WHERE " + event(11), "DELETE FROM trail_leaves WHERE n = 11"}, shift(-1, 12)...), tree.Removed, 11},
			{"moved in time", []string{"UPDATE events SET at = at + 1 WHERE " + event(6)}, tree.Removed, 6},
			{"inserted", []string{forge}, tree.Inserted, size},
			{"inserted, and the leaves renumbered", append(append([]string{forge}, shift(1, 8)...),
				"INSERT INTO trail_leaves SELECT 8, account, at, id FROM events WHERE id = 'forged'"), tree.Inserted, 8},
			{"two leaves exchanged", []string{"UPDATE trail_leaves SET n = -5 WHERE n = 5", "UPDATE trail_leaves SET n = 5 WHERE n = 6", "UPDATE trail_leaves SET n = 6 WHERE n = -5"}, tree.Reordered, 5},
			{"the last events deleted", []string{fmt.Sprintf("DELETE FROM events WHERE id IN (SELECT id FROM trail_leaves WHERE n >= %d)", size-3)}, tree.CutOff, size - 3},
			{"the last events and leaves deleted", []string{
				fmt.Sprintf("DELETE FROM events WHERE id IN (SELECT id FROM trail_leaves WHERE n >= %d)", size-3),
				fmt.Sprintf("DELETE FROM trail_leaves WHERE n >= %d", size-3),
			}, tree.CutOff, size - 3},
			{"all deleted", []string{"DELETE FROM events", "DELETE FROM trail_leaves"}, tree.CutOff, 0},
			{"altered, and the tree's hashes deleted", []string{"DELETE FROM trail_tiles", "UPDATE events SET body = replace(body, 'requestId\":\"', 'requestId\":\"x') WHERE " + event(2)}, tree.Altered, 0}, // before the first checkpoint
			{"a checkpoint", []string{"UPDATE trail_checkpoints SET note = replace(note, 'time', 'tine') WHERE size = (SELECT min(size) FROM trail_checkpoints)"}, tree.BadNote, 0},
		} {
			w.exec(c.do...)
			r := w.verify()
			if r.First == nil || r.First.Fault != c.fault || r.First.First != c.first {
				w.t.Errorf("%s: found %v, want %s at %d", c.what, r.First, c.fault, c.first)
			}
			w.restore("whole_")
		}
		if r := w.verify(early, anchor); r.First != nil {
			w.t.Fatalf("put back: %+v", r)
		}

		// Set back to what it was, as a whole: only what was kept elsewhere tells.
		w.restore("early_")
		if r := w.verify(); r.First != nil {
			w.t.Errorf("set back, without an anchor: %v", r.First)
		}
		if r := w.verify(early, anchor); r.First == nil || r.First.Fault != tree.RolledBack {
			w.t.Errorf("set back: %v", r.First)
		}
		if err := w.CheckAnchor(context.Background(), anchor); !fault.Is(err, fault.Conflict) {
			w.t.Errorf("the server does not see that it was set back: %v", err)
		}
		w.Clock.Advance(time.Hour)
		w.users("c", 20)
		if r := w.verify(anchor); r.First == nil || r.First.Fault != tree.RolledBack {
			w.t.Errorf("set back and gone on: %v", r.First)
		}
		if err := w.CheckAnchor(context.Background(), anchor); !fault.Is(err, fault.Conflict) {
			w.t.Errorf("the server does not see that it was set back and went on: %v", err)
		}
		if err := w.CheckAnchor(context.Background(), early); err != nil {
			w.t.Errorf("a checkpoint from before: %v", err)
		}

		// Nothing is added to a tree that was changed.
		w.exec("UPDATE trail_checkpoints SET note = (SELECT note FROM early_trail_checkpoints ORDER BY size DESC LIMIT 1) WHERE size = (SELECT max(size) FROM trail_checkpoints)")
		testkit.Do(w.t, w.World, w.Admin(w.t), ops.CreateUser, ops.CreateUserIn{Name: "late"})
		if _, err := w.SealTrail(context.Background()); err == nil {
			w.t.Error("sealed onto a tree that is not the one that was signed")
		}
	})
}

// An event that is removed before it is sealed leaves one that says so.
func TestRemovedBeforeSealing(t *testing.T) {
	eachTampered(t, func(w *tampered) {
		w.users("a", 1)
		testkit.Do(w.t, w.World, w.Admin(w.t), ops.CreateUser, ops.CreateUserIn{Name: "gone"})
		w.exec("DELETE FROM events WHERE target = 'gone'")
		w.seal()
		found := testkit.Do(w.t, w.World, w.Admin(w.t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Operation: "TrailEventMissing"}}).Items
		if len(found) != 1 || found[0].Params["eventId"] == "" {
			w.t.Errorf("found %v", found)
		}
		if r := w.verify(); r.First != nil {
			w.t.Error(r.First)
		}
	})
}

// An event that is changed or put there before it is sealed is told of by another, and
// nothing else is.
func TestK4ForgedBeforeSealing(t *testing.T) {
	eachTampered(t, func(w *tampered) {
		told := func() (ids []string) {
			for _, e := range testkit.Do(w.t, w.World, w.Admin(w.t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{Operation: "TrailEventForged", Forward: true}}).Items {
				ids = append(ids, e.Params["eventId"])
			}
			return ids
		}
		// What an older version left has no codes, up to the first tree that says that all
		// have some.
		testkit.Do(w.t, w.World, w.Admin(w.t), ops.CreateUser, ops.CreateUserIn{Name: "before"})
		w.exec("UPDATE trail_pending SET mac = NULL")
		w.seal()
		w.users("a", 3)
		if ids := told(); ids != nil {
			w.t.Fatalf("told of %v", ids)
		}
		w.seal()
		var want []string
		for _, c := range []struct{ what, do string }{
			{"body", "UPDATE events SET body = replace(body, 'CreateUser', 'DeleteUser') WHERE target = 'body'"},
			{"column", "UPDATE events SET actor = 'mallory' WHERE target = 'column'"},
			{"code", "UPDATE trail_pending SET mac = NULL WHERE id = (SELECT id FROM events WHERE target = 'code')"},
			{"both", "UPDATE events SET body = replace(body, 'CreateUser', 'DeleteUser') WHERE target = 'both'; UPDATE trail_pending SET mac = (SELECT p.mac FROM trail_pending p JOIN events e ON e.id = p.id WHERE e.target = 'beside-both') WHERE id = (SELECT id FROM events WHERE target = 'both')"},
		} {
			testkit.Do(w.t, w.World, w.Admin(w.t), ops.CreateUser, ops.CreateUserIn{Name: c.what})
			testkit.Do(w.t, w.World, w.Admin(w.t), ops.CreateUser, ops.CreateUserIn{Name: "beside-" + c.what})
			w.exec(strings.Split(c.do, ";")...)
			w.seal()
			w.Clock.Advance(time.Second)
			var id string
			if err := w.db.QueryRow("SELECT id FROM events WHERE target = '" + c.what + "'").Scan(&id); err != nil {
				w.t.Fatal(err)
			}
			want = append(want, id)
		}
		if ids := told(); !slices.Equal(ids, want) {
			w.t.Errorf("told of %v, want %v", ids, want)
		}
		w.seal()
		if r := w.verify(); r.First == nil || r.First.Fault != tree.Altered { // the column
			w.t.Errorf("%+v", r)
		}
	})
}

func TestProveEvent(t *testing.T) {
	eachTampered(t, func(w *tampered) {
		testkit.Do(w.t, w.World, w.Admin(w.t), ops.CreateUser, ops.CreateUserIn{Name: "alice"})
		e := testkit.Do(w.t, w.World, w.Admin(w.t), ops.LookupEvents, ops.LookupEventsIn{Query: audit.Query{TargetName: "alice"}}).Items[0]
		in := ops.ProveEventIn{At: e.At, ID: e.ID}
		if p := testkit.Do(w.t, w.World, w.Admin(w.t), ops.ProveEvent, in); p.Sealed {
			w.t.Errorf("proved before it was sealed: %+v", p)
		}
		w.users("b", 300)
		p := testkit.Do(w.t, w.World, w.Admin(w.t), ops.ProveEvent, in)
		if !p.Sealed || !p.Whole || p.Checkpoint.Size < 300 {
			w.t.Fatalf("got %+v", p)
		}
		if n, _, err := tree.CheckProof(p.Text, p.Key, []byte(p.Body)); err != nil || n != p.Leaf {
			w.t.Errorf("elsewhere: leaf %d, %v", n, err)
		}
		w.exec("UPDATE events SET body = replace(body, 'alice', 'mallory') WHERE id = '" + e.ID + "'")
		if p := testkit.Do(w.t, w.World, w.Admin(w.t), ops.ProveEvent, in); !p.Sealed || p.Whole {
			w.t.Errorf("an altered event is proved: %+v", p)
		}
		if err := testkit.Fails(w.t, w.World, w.Admin(w.t), ops.ProveEvent, ops.ProveEventIn{At: e.At, ID: "x"}); !fault.Is(err, fault.NotFound) {
			w.t.Errorf("an event that is not there: %v", err)
		}
	})
}

// What was removed because its time had come is no finding; what was removed
// besides is.
func TestRetention(t *testing.T) {
	eachTampered(t, func(w *tampered) {
		ctx := context.Background()
		w.users("a", 5)
		w.Clock.Advance(48 * time.Hour)
		w.users("b", 5)
		if err := w.ThinTrail(ctx, 0); err != nil {
			w.t.Fatal(err)
		}
		if r := w.verify(); r.First != nil || r.Expired != 0 {
			w.t.Errorf("kept for ever: %+v", r)
		}
		if err := w.ThinTrail(ctx, 24*time.Hour); err != nil {
			w.t.Fatal(err)
		}
		r := w.verify()
		if r.First != nil || r.Expired < 5 || r.Size-r.Expired < 5 {
			w.t.Errorf("after a day: %+v", r)
		}
		found := testkit.Do(w.t, w.World, w.Admin(w.t), ops.LookupEvents, ops.LookupEventsIn{}).Items
		var told bool
		for _, e := range found {
			told = told || e.Operation == "ExpireEvents" && e.Params["events"] == fmt.Sprint(r.Expired)
			if strings.HasPrefix(e.Target.Name, "a") && e.Operation == "CreateUser" {
				w.t.Errorf("%s is still there", e.Target.Name)
			}
		}
		if !told {
			w.t.Error("no event says that events were removed")
		}
		w.users("c", 1)
		w.exec(fmt.Sprintf("DELETE FROM events WHERE id = (SELECT id FROM trail_leaves WHERE n = %d)", r.Expired))
		if again := w.verify(); again.First == nil || again.First.Fault != tree.Removed || again.First.First != r.Expired {
			w.t.Errorf("one more was removed: %v", again.First)
		}
	})
}

// Many at once, and the sealer among them: each event is a leaf once.
func TestSealWhileRecording(t *testing.T) {
	w := testkit.New(t)
	ctx := context.Background()
	done := make(chan error, 4)
	for g := range 4 {
		go func() {
			for i := range 40 {
				if _, err := ops.Run(ctx, w.Server, w.Admin(t), ops.CreateUser, ops.CreateUserIn{Name: fmt.Sprintf("u%d-%d", g, i)}); err != nil {
					done <- err
					return
				}
				if g == 0 {
					if _, err := w.SealTrail(ctx); err != nil {
						done <- err
						return
					}
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	m := memory{fstest.MapFS{}}
	n, err := w.ExportTrail(ctx, m.create)
	if err != nil || n < 160 {
		t.Fatalf("%d leaves, %v", n, err)
	}
	key, _ := w.TrailKey()
	if r, err := ops.VerifyExport(m, key, nil); err != nil || r.First != nil || r.Size != n {
		t.Errorf("%+v, %v", r, err)
	}
	standing, err := w.TrailStanding(ctx)
	if err != nil || standing.Size != n || standing.Waiting != 0 {
		t.Errorf("%+v, %v", standing, err)
	}
}
