package query

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// plainSchema is what queries mean: events as rows of a table, and what is not a column
// there read out of the event.
const plainSchema = `
CREATE TABLE trail (at INTEGER, id TEXT, operation TEXT, actor TEXT, access_key TEXT, target TEXT, service TEXT, read_only INTEGER, result TEXT, body TEXT);
CREATE VIEW events AS SELECT
	strftime('%Y-%m-%dT%H:%M:%S', at / 1000000, 'unixepoch') || printf('.%06dZ', at % 1000000) AS time, at,
	strftime('%Y-%m-%dT%H', at / 1000000, 'unixepoch') AS hour, strftime('%Y-%m-%d', at / 1000000, 'unixepoch') AS day,
	id, operation AS event, body ->> '$.action' AS action, body ->> '$.operation' AS operation, service, body ->> '$.door' AS door,
	body ->> '$.region' AS region, read_only,
	actor, body ->> '$.actor.kind' AS actor_kind, coalesce(body ->> '$.root', 0) AS root, body ->> '$.actor.arn' AS actor_arn, access_key, body ->> '$.actor.session' AS session,
	coalesce(body ->> '$.mfa.present', 0) AS mfa, coalesce(body -> '$.mfa.methods', '[]') AS mfa_methods, body ->> '$.mfa.at' AS mfa_at, coalesce(body ->> '$.mfa.remembered', 0) AS remembered,
	body ->> '$.target.noun' AS target_kind, target, body ->> '$.target.arn' AS target_arn,
	body ->> '$.source' AS source, body ->> '$.chain' AS chain, body ->> '$.userAgent' AS user_agent, body ->> '$.requestId' AS request_id,
	result, body ->> '$.code' AS code, body ->> '$.why' AS why, body -> '$.params' AS params, body AS json
FROM trail;`

// plain is the engine alone, with every event in a table.
type plain struct{ *box }

func newPlain(t *testing.T, events []Event) plain {
	t.Helper()
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	p := plain{&box{db: db, conn: conn}}
	t.Cleanup(p.close)
	p.exec(t, plainSchema)
	for _, e := range events {
		p.exec(t, "INSERT INTO trail VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", e.At, e.ID, e.Operation, e.Actor, e.AccessKey, e.Target, e.Service, e.ReadOnly, e.Result, e.Body)
	}
	return p
}

func (p plain) exec(t *testing.T, text string, args ...any) {
	t.Helper()
	if _, err := p.conn.ExecContext(context.Background(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// ask answers a query.
func (p plain) ask(t *testing.T, q Query) string {
	t.Helper()
	where, text := q.parts()
	p.exec(t, "CREATE VIEW found AS SELECT * FROM events WHERE ("+where+")")
	p.exec(t, "CREATE TABLE result AS SELECT * FROM ("+text+") LIMIT 1001")
	defer func() {
		p.exec(t, "DROP TABLE result")
		p.exec(t, "DROP VIEW found")
	}()
	r := &Result{}
	if err := p.read(context.Background(), r, 1000); err != nil {
		t.Fatal(err)
	}
	return r.text()
}

// randomEvents makes events whose times are not quite in the order of their leaves.
func randomEvents(r *rand.Rand, n int) (all []Event) {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	for i := range n {
		id := fmt.Sprintf("%08x-0000-4000-8000-%012x", r.Uint32(), i)
		if r.IntN(20) == 0 {
			id = "E" + strconv.Itoa(i)
		}
		actor := pick("", "alice", "bob", "Alice", "åsa", "o'neil")
		body := map[string]any{"id": id, "source": pick("", "192.0.2.1", "2001:db8::1"), "action": pick("iam:CreateUser", "ram:GetUser"),
			"operation": pick("CreateUser", "SignIn"), "actor": map[string]any{"kind": pick("user", "root"), "arn": "arn:x/" + actor}, "requestId": id,
			"mfa": map[string]any{"known": true, "present": r.IntN(2) == 0}, "target": map[string]any{}}
		if r.IntN(3) == 0 {
			body["region"], body["why"], body["userAgent"] = pick("eu", "us"), pick("<b>", "a\u2028b", "quote\""), pick("cli/1", "sdk/2")
			body["mfa"] = map[string]any{"present": true, "at": 1700000000000000 + int64(r.IntN(5)), "methods": []string{"totp"}, "remembered": true}
			body["params"] = map[string]string{"userName": pick("x", "y"), "n": strconv.Itoa(r.IntN(50))}
			body["root"] = true
			body["target"] = map[string]any{"noun": "user", "arn": "arn:t"}
		}
		text, _ := json.Marshal(body)
		jitter := time.Duration(r.IntN(5_000_000)) * time.Microsecond
		all = append(all, Event{Leaf: int64(i), At: at.Add(time.Duration(i)*time.Minute + jitter*60).UnixMicro(), ID: id, Operation: pick("CreateUser", "GetUser", "SignIn"),
			Actor: actor, AccessKey: pick("", "AKIA1", "AKIA2"), Target: "t" + strconv.Itoa(r.IntN(n)), Service: pick("iam", "sts"), ReadOnly: r.IntN(2) == 0,
			Result: pick("allowed", "allowed", "refused", "failed"), Body: string(text)})
	}
	return all
}

// TestSameAsPlain: pieces, combinations and orders change what a query takes, and
// nothing of what it says.
func TestSameAsPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	events := randomEvents(r, 400)
	wheres := []string{"", "result = 'refused'", "actor = 'alice' OR NOT read_only", "region IS NULL", "event LIKE 'create%' AND mfa", "target = 't7'", "id > '8'",
		"actor = 'alice' COLLATE NOCASE", "actor IN (SELECT actor FROM events WHERE result = 'failed' AND hour > '2026-01-15T12')", "params ->> '$.n' > '3'", "time > '2026-01-15T12:00' AND day = '2026-01-15'",
		"json LIKE '%sdk/2%'", "at % 2 = 0", "read_only = '1'", "0", "NULL", "events.actor = 'bob'", "actor = 'alice' OR target = 't7' OR id = 'E1' OR mfa_at = 1700000000000001", "id = 'E1' OR id = 'E2' OR time < '2026-01-15T10'", "(SELECT count(*) FROM events x WHERE x.actor = events.actor AND x.target = events.target) > 1", "id IN ('E1', 'E2')", "mfa_at > 0 AND remembered"}
	texts := []string{
		"SELECT * FROM found ORDER BY at, id", "SELECT time, id FROM found ORDER BY time DESC LIMIT 7", "SELECT count(*), sum(mfa), min(time), max(at) FROM found",
		"SELECT actor, count(*) AS n FROM found GROUP BY actor ORDER BY actor", "SELECT source, region, mfa, count(*) FROM found GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
		"SELECT region, mfa_at FROM found ORDER BY region DESC, mfa_at, at", "SELECT hour, sum(result = 'refused') FROM found GROUP BY hour ORDER BY hour DESC",
		"SELECT day, hour, count(*) FROM found GROUP BY day, hour", "SELECT DISTINCT actor, service FROM found ORDER BY 1, 2",
		"SELECT a.id, b.id FROM found a JOIN found b ON a.target = b.target AND a.id < b.id ORDER BY 1, 2", "SELECT count(*) FROM found WHERE actor = 'alice' COLLATE NOCASE",
		"SELECT id FROM found WHERE service IN ('sts', 'x') AND id <> 'E1' ORDER BY at DESC, time DESC", "SELECT e.id FROM events e WHERE e.read_only = 1 AND e.mfa = 1 ORDER BY e.id",
		"SELECT id, json, params FROM found ORDER BY at DESC LIMIT 90", "SELECT substr(time, 1, 13), total(read_only) FROM found GROUP BY 1", "SELECT actor FROM found ORDER BY actor COLLATE NOCASE, id",
		"SELECT id FROM found WHERE actor = 5 OR read_only = 1.0 ORDER BY id", "SELECT max(time), actor FROM found GROUP BY actor, event ORDER BY 2, 1",
		"WITH x AS (SELECT actor, count(*) n FROM found GROUP BY 1) SELECT (SELECT n FROM x WHERE x.actor = e.actor), e.id FROM events e ORDER BY e.at LIMIT 20",
		"SELECT id, row_number() OVER (PARTITION BY actor ORDER BY at) FROM found ORDER BY id",
	}
	reference := newPlain(t, events)
	trails := map[string]*memory{"loose": {events: events}, "both": (&memory{events: events}).cut(300, 37)}
	for i, where := range wheres {
		for j, text := range texts {
			if (i+j)%3 != 0 && i != 0 && j != 0 {
				continue // a third of the pairs, and each at least once with all events
			}
			q := Query{Where: where, SQL: text}
			want := reference.ask(t, q)
			for name, m := range trails {
				res, err := New().Run(context.Background(), q, at, at.Add(48*time.Hour), DefaultLimits, m)
				if err != nil || res.text() != want {
					t.Fatalf("%s: %s | %s: %v\ngot  %.2000s\nwant %.2000s", name, where, text, err, res.text(), want)
				}
			}
		}
	}
}

// TestSpan: events outside of the span, and those whose time has come, are not seen.
func TestSpan(t *testing.T) {
	events := randomEvents(rand.New(rand.NewPCG(3, 4)), 300)
	from, to := at.Add(70*time.Minute), at.Add(200*time.Minute)
	for _, kept := range []int64{0, 90, 128} {
		inside := slices.DeleteFunc(slices.Clone(events), func(e Event) bool {
			return e.At < from.UnixMicro() || e.At >= to.UnixMicro() || e.Leaf < kept
		})
		reference, m := newPlain(t, inside), (&memory{events: events}).cut(300, 64)
		m.kept = kept
		for _, q := range []Query{{SQL: "SELECT id FROM found ORDER BY at"}, {Where: "actor = 'bob'", SQL: "SELECT id FROM found ORDER BY id"}, {Where: "id > '4'", SQL: "SELECT actor, count(*) FROM events GROUP BY actor"}} {
			r, err := New().Run(context.Background(), q, from, to, DefaultLimits, m)
			if err != nil || r.Events != len(inside) {
				t.Fatalf("looked at %d events, want %d: %v", r.Events, len(inside), err)
			}
			if want := reference.ask(t, q); r.text() != want {
				t.Errorf("%v\ngot  %s\nwant %s", q, r.text(), want)
			}
			sum := 0
			for _, b := range r.Histogram {
				sum += b.Count
			}
			if sum != r.Found {
				t.Errorf("the histogram has %d events of %d", sum, r.Found)
			}
		}
	}
}

func TestSpellTime(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 10_000 {
		n := r.Int64N(1<<57) - 1<<56
		if got, want := spellTime(n), time.UnixMicro(n).UTC().Format(timeLayout); got != want {
			t.Fatalf("%d: %s, want %s", n, got, want)
		}
	}
}

// TestDamagedPieces: what is kept of a piece is not trusted.
func TestDamagedPieces(t *testing.T) {
	b := Build(0, randomEvents(rand.New(rand.NewPCG(5, 6)), 300))
	for key, whole := range b.Encoded() {
		f := texts
		for _, c := range columns {
			if c.key == key {
				f = c.form
			}
		}
		for i := range min(len(whole), 200) {
			for _, damaged := range [][]byte{whole[:i], append(slices.Clone(whole[:i]), whole[i]^0x55)} {
				if key == keyTimes {
					decodeTimes(damaged, b.Events) //nolint:errcheck // it must not panic
				} else if d, err := decode(damaged, f, b.Events); err == nil {
					for row := range b.Events {
						d.value(row)
					}
				}
			}
		}
	}
	if _, err := decode(nil, texts, 1); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Error(err)
	}
}

// FuzzDecode reads columns that somebody has changed.
func FuzzDecode(f *testing.F) {
	b := Build(0, randomEvents(rand.New(rand.NewPCG(7, 8)), 50))
	for _, whole := range b.Encoded() {
		f.Add(whole)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := decode(b, texts, 50); err == nil {
			for row := range 50 {
				d.value(row)
			}
		}
		if times, err := decodeTimes(b, 50); err == nil && !slices.IsSorted(times) {
			t.Error("times are not in order")
		}
	})
}
