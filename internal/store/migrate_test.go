package store

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"warifu/internal/audit"
	"warifu/internal/testkit/pg"
)

func eachDatabase(t *testing.T, test func(t *testing.T, db database)) {
	for what, open := range map[string]func() (database, error){
		"sqlite": func() (database, error) {
			return openSQLite(context.Background(), filepath.Join(t.TempDir(), "warifu.db"), Options{})
		},
		"postgres": func() (database, error) { return openPostgres(context.Background(), pg.DSN(t), Options{}) },
	} {
		t.Run(what, func(t *testing.T) {
			db, err := open()
			if err != nil {
				t.Fatal(err)
			}
			defer db.close()
			test(t, db)
		})
	}
}

func files(texts ...string) fstest.MapFS {
	names := []string{"schema/0001_one.sql", "schema/0002_two.sql", "schema/0003_three.sql"}
	fs := fstest.MapFS{}
	for i, text := range texts {
		fs[names[i]] = &fstest.MapFile{Data: []byte(text)}
	}
	return fs
}

func TestMigrate(t *testing.T) {
	const (
		one    = "CREATE TABLE a (x BIGINT); -- made\n--sqlite: INSERT INTO a VALUES (1);\n--postgres: INSERT INTO a VALUES (2);\n"
		two    = "ALTER TABLE a ADD COLUMN y BIGINT;\nUPDATE a\nSET y = 5;\n"
		broken = "INSERT INTO a (x) VALUES (9);\nINSERT INTO nowhere VALUES (1);\n"
	)
	eachDatabase(t, func(t *testing.T, db database) {
		ctx := context.Background()
		rows := func(query string) (n int) {
			t.Helper()
			if err := once(ctx, db, read, func(tx *Tx) (err error) { n, err = tx.count(query); return err }); err != nil {
				t.Fatal(err)
			}
			return n
		}
		apply := func(fs fstest.MapFS, want string) {
			t.Helper()
			err := migrate(ctx, db, fs)
			if want == "" && err != nil {
				t.Fatal(err)
			}
			if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Fatalf("got %v, want an error with %q", err, want)
			}
		}
		apply(files(one), "")
		apply(files(one), "")
		apply(files(one, two), "")
		want := map[string]int{"sqlite": 1, "postgres": 2}[db.dialect()]
		if n := rows("SELECT x FROM a WHERE y = 5"); n != want || rows("SELECT count(*) FROM a") != 1 {
			t.Errorf("x is %d, want %d", n, want)
		}
		apply(files(one, two, broken), "0003_three")
		if n := rows("SELECT count(*) FROM a"); n != 1 {
			t.Errorf("a broken migration left %d rows", n-1)
		}
		apply(files(one), "newer version")
		apply(files(one, two+" "), "not the one")
		apply(files(one, two), "")
	})
}

// Processes that start at once do not migrate twice.
func TestMigrateAtOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db database) {
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if err := migrate(context.Background(), db, schemaFiles); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestMigrationsAreNumbered(t *testing.T) {
	for _, name := range []string{"schema/0002_x.sql", "schema/x.sql"} {
		if _, err := readMigrations(fstest.MapFS{name: {Data: []byte("")}}); err == nil {
			t.Errorf("%s was taken as the first migration", name)
		}
	}
}

// What is in the trail stays when its table is made anew.
func TestTrailIsKept(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db database) {
		ctx := context.Background()
		before := fstest.MapFS{}
		for _, name := range []string{"schema/0001_begin.sql", "schema/0002_signin.sql", "schema/0003_console.sql", "schema/0004_login_account.sql"} {
			text, err := schemaFiles.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			before[name] = &fstest.MapFile{Data: text}
		}
		if err := migrate(ctx, db, before); err != nil {
			t.Fatal(err)
		}
		refused := nth(2)
		refused.Result = audit.Refused
		err := once(ctx, db, write, func(tx *Tx) (err error) {
			for _, row := range encodeEvents([]audit.Event{nth(0), nth(1), refused}, nil) {
				if err == nil { // as the program did then: nothing was sealed
					_, err = tx.exec(insertEvent, row.values(nil)...)
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := migrate(ctx, db, schemaFiles); err != nil {
			t.Fatal(err)
		}
		err = once(ctx, db, read, func(tx *Tx) error {
			n, _, err := tx.CountPending(10)
			if n != 3 {
				t.Errorf("%d of the 3 events are to be sealed", n)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		for want, q := range map[string]audit.Query{"0002 0001 0000": {Account: acme}, "0002": {Account: acme, Result: audit.Refused}} {
			var got []string
			err := once(ctx, db, read, func(tx *Tx) error {
				events, err := tx.Events(q, EventAfter{}, 10)
				for _, e := range events {
					got = append(got, e.ID)
				}
				return err
			})
			if strings.Join(got, " ") != want || err != nil {
				t.Errorf("the trail has %v, want %s; %v", got, want, err)
			}
		}
	})
}
