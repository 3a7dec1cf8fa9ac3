package query

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"warifu/internal/fault"
)

var at = time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)

// some is a trail of n events, one a minute.
func some(n int) *memory {
	m := &memory{}
	for i := range n {
		result := "allowed"
		if i%10 == 0 {
			result = "refused"
		}
		body := fmt.Sprintf(`{"id":"e%d","action":"iam:CreateUser","actor":{"kind":"user","name":"alice"},"mfa":{"known":true,"present":%v},"source":"192.0.2.%d","params":{"userName":"u%d"}}`, i, i%2 == 0, i%7, i)
		m.events = append(m.events, Event{Leaf: int64(i), At: at.Add(time.Duration(i) * time.Minute).UnixMicro(), ID: fmt.Sprint("e", i), Operation: "CreateUser",
			Actor: "alice", Target: fmt.Sprint("u", i), Service: "iam", Result: result, Body: body})
	}
	return m
}

// memory is a trail in memory. Its first events are in pieces, which cut it by leaves.
type memory struct {
	events []Event
	pieces []*Built
	cols   []map[int][]byte // of the pieces
	kept   int64
}

// cut puts the first n leaves in pieces of a size.
func (m *memory) cut(n, size int) *memory {
	for from := 0; from < n; from += size {
		p := Build(int64(from), slices.Clone(m.events[from:min(from+size, n)]))
		m.pieces, m.cols = append(m.pieces, p), append(m.cols, p.Encoded())
	}
	return m
}

func (m *memory) Open(_ context.Context, limit int, add func(*Event)) (heads []Piece, kept int64, err error) {
	last := int64(0)
	for _, p := range m.pieces {
		heads = append(heads, p.Piece)
		last = p.First + int64(p.Events)
	}
	for i := len(m.events) - 1; i >= int(last) && limit > 0; i-- {
		add(&m.events[i])
		limit--
	}
	return heads, m.kept, nil
}

func (m *memory) Columns(_ context.Context, first int64, keys []int) (map[int][]byte, error) {
	for i, p := range m.pieces {
		if p.First == first {
			some := map[int][]byte{}
			for _, k := range keys {
				some[k] = m.cols[i][k]
			}
			return some, nil
		}
	}
	return nil, errPiece
}

func (m *memory) Bodies(_ context.Context, places []Place) (all []string, _ error) {
	for _, at := range places {
		i := slices.IndexFunc(m.events, func(e Event) bool { return e.At == at.At && e.ID == at.ID })
		all = append(all, m.events[i].Body)
	}
	return all, nil
}

// ask asks about a trail of n events of which half are in pieces.
func ask(t testing.TB, n int, q Query, l Limits) (*Result, error) {
	t.Helper()
	return New().Run(context.Background(), q, at, at.Add(time.Duration(n)*time.Minute), l, some(n).cut(n/2, 25))
}

func (r *Result) text() string {
	var b strings.Builder
	if r == nil {
		return ""
	}
	b.WriteString(strings.Join(r.Columns, ","))
	for _, row := range r.Rows {
		b.WriteByte('|')
		for i, c := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			if c == nil {
				b.WriteString("NULL")
			} else {
				b.WriteString(*c)
			}
		}
	}
	return b.String()
}

func TestQueries(t *testing.T) {
	for _, c := range []struct{ where, sql, want string }{
		{"", "SELECT count(*) AS n FROM found", "n|120"},
		{"result = 'refused'", "SELECT count(*) AS n FROM found", "n|12"},
		{"mfa", "SELECT count(*) AS n FROM found", "n|60"},
		{"target = 'u7'", "SELECT time, event, action, actor_kind, source, params ->> '$.userName' AS who, region FROM found",
			"time,event,action,actor_kind,source,who,region|2026-01-15T09:07:00.000000Z,CreateUser,iam:CreateUser,user,192.0.2.0,u7,NULL"},
		{"", "WITH x AS (SELECT source, count(*) AS n FROM found GROUP BY 1) SELECT * FROM x ORDER BY source LIMIT 1;", "source,n|192.0.2.0,18"},
		{"id = 'e1' -- a comment", "SELECT ';' AS a, \"actor\" /* ? */ FROM found", "a,actor|;,alice"},
		{"", "VALUES (1, x'00ff', 1.5, NULL)", "column1,column2,column3,column4|1,00ff,1.5,NULL"},
	} {
		r, err := ask(t, 120, Query{c.where, c.sql}, DefaultLimits)
		if err != nil || r.text() != c.want {
			t.Errorf("%s | %s: %v\ngot  %s\nwant %s", c.where, c.sql, err, r.text(), c.want)
		}
	}
	r, err := ask(t, 120, Query{}, DefaultLimits)
	if err != nil || len(r.Rows) != 120 || r.Found != 120 || *r.Rows[0][3] != "u119" {
		t.Errorf("the default: %v, %v", r, err)
	}
	sum, refused := 0, 0
	for _, b := range r.Histogram {
		sum, refused = sum+b.Count, refused+b.Refused
	}
	if sum != 120 || refused != 12 || r.Histogram[0].Count != 2 || !r.Histogram[1].From.Equal(at.Add(2*time.Minute)) {
		t.Errorf("histogram %+v", r.Histogram)
	}
	for _, column := range Columns {
		if _, err := ask(t, 1, Query{SQL: "SELECT " + column + " FROM found"}, DefaultLimits); err != nil {
			t.Errorf("column %s: %v", column, err)
		}
	}
}

func TestLimits(t *testing.T) {
	l := DefaultLimits
	l.Rows, l.Events = 5, 50
	r, err := New().Run(context.Background(), Query{}, at, at.Add(120*time.Minute), l, some(120))
	if err != nil || len(r.Rows) != 5 || !r.More || r.Events != 50 || !r.Cut || r.Found != 50 {
		t.Errorf("%+v, %v", r, err)
	}
	l.Events = 1000
	r, err = ask(t, 120, Query{Where: "id IN ('e1', 'e2', 'e70', 'e71', 'e72')", SQL: "SELECT id FROM found"}, l)
	if err != nil || r.More || len(r.Rows) != 5 {
		t.Errorf("%s, %v", r.text(), err)
	}
}

// A hostile query reads nothing but the events, writes nothing, and is cut off.
func TestHostileQueries(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "other.db")
	if err := os.WriteFile(secret, []byte("SQLite format 3\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	endless := "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
	for what, c := range map[string]struct {
		q    Query
		kind fault.Kind
	}{
		"attach":                  {Query{SQL: "ATTACH '" + secret + "' AS x"}, fault.Invalid},
		"attach behind":           {Query{SQL: "SELECT 1; ATTACH '" + secret + "' AS x"}, fault.Invalid},
		"attach in the condition": {Query{Where: "1); ATTACH '" + secret + "' AS x; --"}, fault.Invalid},
		"another table":           {Query{SQL: "SELECT * FROM users"}, fault.Invalid},
		"a table of the server":   {Query{SQL: "SELECT * FROM main.access_keys"}, fault.Invalid},
		"write":                   {Query{SQL: "DELETE FROM events"}, fault.Invalid},
		"write with WITH":         {Query{SQL: "WITH x AS (SELECT 1) DELETE FROM events"}, fault.Invalid},
		"write with returning":    {Query{SQL: "WITH x AS (SELECT 1) INSERT INTO events(id) VALUES ('x') RETURNING id"}, fault.Invalid},
		"a table of its own":      {Query{SQL: "SELECT * FROM warifu_events"}, fault.Invalid},
		"tables by function":      {Query{SQL: "SELECT * FROM warifu_events('1')"}, fault.Invalid},
		"a table":                 {Query{SQL: "CREATE VIRTUAL TABLE x USING warifu_events(1)"}, fault.Invalid},
		"pragma":                  {Query{SQL: "PRAGMA database_list"}, fault.Invalid},
		"vacuum into":             {Query{SQL: "VACUUM INTO '" + filepath.Join(dir, "out.db") + "'"}, fault.Invalid},
		"vacuum behind":           {Query{SQL: "SELECT 1) ; VACUUM INTO '" + filepath.Join(dir, "out.db") + "'; SELECT (1"}, fault.Invalid},
		"read a file":             {Query{SQL: "SELECT readfile('/etc/passwd')"}, fault.Invalid},
		"write a file":            {Query{SQL: "SELECT writefile('" + filepath.Join(dir, "out") + "', 'x')"}, fault.Invalid},
		"load a library":          {Query{SQL: "SELECT load_extension('x')"}, fault.Invalid},
		"edit":                    {Query{SQL: "SELECT edit('x')"}, fault.Invalid},
		"parameter":               {Query{SQL: "SELECT ?1"}, fault.Invalid},
		"no end":                  {Query{SQL: endless + "SELECT count(*) FROM c"}, fault.Limit},
		"no end after a row":      {Query{SQL: endless + "SELECT x FROM c WHERE x = 1 OR x < 0"}, fault.Limit},
		"no end in the condition": {Query{Where: "1 IN (" + endless + "SELECT x FROM c WHERE x < 0)"}, fault.Limit},
		"product":                 {Query{SQL: "SELECT count(*) FROM events a, events b, events c, events d, events e"}, fault.Limit},
		"memory":                  {Query{SQL: endless + "SELECT count(DISTINCT randomblob(100000) || x) FROM c"}, fault.Limit},
		"sort":                    {Query{SQL: endless + "SELECT randomblob(100000) FROM c ORDER BY 1"}, fault.Limit},
		"a long value":            {Query{SQL: "SELECT length(randomblob(2000000000))"}, fault.Invalid},
		"a long text":             {Query{SQL: "SELECT printf('%.*c', 2000000000, 'x')"}, fault.Invalid},
		"a deep expression":       {Query{SQL: "SELECT " + strings.Repeat("NOT ", 500) + "1"}, fault.Invalid},
		"too long":                {Query{SQL: "SELECT '" + strings.Repeat("x", 20_000) + "'"}, fault.Invalid},
		"zero":                    {Query{SQL: "SELECT 1\x00"}, fault.Invalid},
	} {
		l := DefaultLimits
		l.Time, l.Memory = 300*time.Millisecond, 100<<20
		began := time.Now()
		r, err := ask(t, 120, c.q, l)
		if !fault.Is(err, c.kind) {
			t.Errorf("%s: %v, %v; want a fault of kind %v", what, r, err, c.kind)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s was cut off after %s", what, took)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("files were written: %v, %v", left, err)
	}
	for _, allowed := range []string{"SELECT * FROM pragma_database_list", "SELECT name, sql FROM sqlite_master"} {
		r, err := ask(t, 1, Query{SQL: allowed}, DefaultLimits)
		if err == nil && (strings.Contains(r.text(), "/") && strings.Contains(r.text(), ".db") || strings.Contains(r.text(), "users")) {
			t.Errorf("%s tells of the server: %s", allowed, r.text())
		}
	}
}

func TestMemoryIsWatched(t *testing.T) {
	l := DefaultLimits
	l.Time, l.Memory = 20*time.Second, 64<<20
	_, err := ask(t, 1, Query{SQL: "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100000) SELECT count(*) FROM (SELECT randomblob(10000) AS b FROM c ORDER BY 1) WHERE b > 'x'"}, l)
	if !fault.Is(err, fault.Limit) || !strings.Contains(err.Error(), "memory") {
		t.Errorf("got %v", err)
	}
}

func TestQueriesTakeTurns(t *testing.T) {
	e := New()
	for range slots {
		e.slots <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := e.Run(ctx, Query{}, at, at.Add(time.Hour), DefaultLimits, some(1)); err == nil {
		t.Error("more queries than there are slots run")
	}
}

// FuzzCheck: whatever is let through ends, and leaves the engine's own table alone.
func FuzzCheck(f *testing.F) {
	f.Add("mfa", "SELECT 1 FROM found")
	f.Add("1) OR (1", "SELECT ')' ; --")
	f.Add("'", "/* SELECT")
	f.Fuzz(func(t *testing.T, where, text string) {
		l := DefaultLimits
		l.Time, l.Memory = 200*time.Millisecond, 100<<20
		began := time.Now()
		r, err := ask(t, 3, Query{where, text}, l)
		if err == nil && r.Events != 3 {
			t.Errorf("%q | %q looked at %d events", where, text, r.Events)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%q | %q took %s", where, text, took)
		}
	})
}

func BenchmarkQuery(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for range b.N {
				if _, err := ask(b, n, Query{Where: "result = 'refused'"}, DefaultLimits); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
