package store

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"warifu/internal/audit"
	"warifu/internal/name"
)

// eventRow is an event as it is stored. The goroutine that has the event spells
// it, so that the writer only binds and steps.
type eventRow struct {
	account   int64
	at        int64
	id        string
	operation string
	actor     string
	accessKey string
	noun      string
	target    string
	service   string
	readOnly  bool
	result    string
	body      string
	code      string // vouches for the body; "" = nothing does
}

// appendEvent appends an event's body, as it is stored, and returns its row.
func appendEvent(b []byte, e audit.Event, v *voucher) ([]byte, eventRow) {
	e.At = e.At.UTC().Truncate(time.Microsecond) // as the column has it
	from := len(b)
	b = e.AppendJSON(b)
	row := newRow(&e, string(b[from:]))
	row.code = v.code(row.body)
	return b, row
}

// newRow is the row of an event whose body is known.
func newRow(e *audit.Event, body string) eventRow {
	return eventRow{
		account:   int64(e.Account),
		at:        micros(e.At),
		id:        clean(e.ID),
		operation: clean(lastPart(e.Action)),
		actor:     clean(e.Actor.Name),
		accessKey: clean(e.Actor.AccessKey),
		noun:      clean(e.Target.Noun),
		target:    clean(e.Target.Name),
		service:   clean(e.Service),
		readOnly:  e.ReadOnly,
		result:    string(e.Result),
		body:      body,
	}
}

func encodeEvents(events []audit.Event, v *voucher) []eventRow {
	rows := make([]eventRow, len(events))
	var b []byte
	for i := range events {
		b, rows[i] = appendEvent(b[:0], events[i], v)
	}
	return rows
}

// lastPart returns what follows the service in iam:CreateUser.
func lastPart(action string) string { return action[strings.LastIndexByte(action, ':')+1:] }

// clean makes text storable that a client sent: PostgreSQL takes neither
// invalid UTF-8 nor the zero byte.
func clean(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// AppendEvents writes events into the trail as part of the transaction.
func (tx *Tx) AppendEvents(events ...audit.Event) error {
	return tx.appendRows(encodeEvents(events, tx.vouch))
}

const (
	eventColumns = 12

	// eventsPerInsert is how many rows of a batch one statement takes, for fewer
	// round trips to PostgreSQL. What is left over goes one by one, so that there
	// are two texts to prepare.
	eventsPerInsert = 16
)

var (
	insertEvent  = eventInsert(1)
	insertEvents = eventInsert(eventsPerInsert)
)

const intoEvents = `INSERT INTO events (account, at, id, operation, actor, access_key, noun, target, service, read_only, result, body) VALUES `

// moveEvent inserts an event from the journal into SQLite, whose driver finds
// parameters without a number faster and gains nothing from more rows.
const moveEvent = intoEvents + `(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

// eventInsert returns the text that inserts n events.
func eventInsert(n int) string {
	var b strings.Builder
	b.WriteString(intoEvents)
	for i := range n * eventColumns {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%eventColumns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString("$" + strconv.Itoa(i+1))
	}
	b.WriteString(")")
	return b.String()
}

// Every event is written with a row that says that it is no leaf of the tree yet.
// PostgreSQL does both in one statement, and so in one round trip.
var (
	insertBoth     = bothInsert(1)
	insertManyBoth = bothInsert(eventsPerInsert)
	insertPending  = pendingInsert(1)
	insertPendings = pendingInsert(eventsPerInsert)
)

const intoPending = `INSERT INTO trail_pending (at, account, id, mac) VALUES `

// bothInsert takes the values of n events and then their codes.
func bothInsert(n int) string {
	var waiting []string
	for i := range n {
		first := i * eventColumns // account, at and id come first
		waiting = append(waiting, fmt.Sprintf("($%d, $%d, $%d, $%d)", first+2, first+1, first+3, n*eventColumns+i+1))
	}
	return `WITH written AS (` + eventInsert(n) + `) ` + intoPending + strings.Join(waiting, ", ")
}

func pendingInsert(n int) string {
	return intoPending + strings.TrimSuffix(strings.Repeat(`(?, ?, ?, ?), `, n), ", ")
}

// values appends what the columns of intoEvents take.
func (r *eventRow) values(args []any) []any {
	return append(args, r.account, r.at, r.id, r.operation, r.actor, r.accessKey, r.noun, r.target, r.service, r.readOnly, r.result, r.body)
}

func (tx *Tx) appendRows(rows []eventRow) error {
	args := make([]any, 0, (eventColumns+1)*min(len(rows), eventsPerInsert))
	for len(rows) > 0 {
		n := 1
		if len(rows) >= eventsPerInsert {
			n = eventsPerInsert
		}
		args = args[:0]
		for i := range rows[:n] {
			args = rows[i].values(args)
		}
		if err := tx.appendSome(rows[:n], args); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// appendSome inserts one event or eventsPerInsert, whose values are args.
func (tx *Tx) appendSome(rows []eventRow, args []any) error {
	both, events, pending := insertBoth, insertEvent, insertPending
	if len(rows) > 1 {
		both, events, pending = insertManyBoth, insertEvents, insertPendings
	}
	if !tx.oneWriter {
		for i := range rows {
			args = append(args, rows[i].vouched())
		}
		_, err := tx.exec(both, args...)
		return err
	}
	_, err := tx.exec(events, args...)
	args = args[:0]
	for i := range rows {
		args = rows[i].place(args)
	}
	if err == nil {
		_, err = tx.exec(pending, args...)
	}
	return err
}

// place appends what the columns of intoPending take.
func (r *eventRow) place(args []any) []any { return append(args, r.at, r.account, r.id, r.vouched()) }

// vouched is the code as it is stored: NULL for none.
func (r *eventRow) vouched() []byte {
	if r.code == "" {
		return nil
	}
	return []byte(r.code)
}

// moveRows inserts events from the journal and leaves alone those that are
// there already.
func (tx *Tx) moveRows(rows []eventRow) error {
	args := make([]any, 0, eventColumns)
	for i := range rows {
		args = rows[i].values(args[:0])
		n, err := tx.exec(moveEvent, args...)
		if err == nil && n > 0 {
			_, err = tx.exec(insertPending, rows[i].place(args[:0])...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Events returns events of an account that fit the query, as many as limit, in
// the query's direction. It reads the account's events in the order of time from
// the first that the query allows, so a narrow span of time makes it cheap. It ends early
// when the caller's context does. What was recorded a moment ago is found after
// Store.Flush.
func (tx *Tx) Events(q audit.Query, after EventAfter, limit int) ([]audit.Event, error) {
	if q.Forward {
		return tx.eventsForward(q, after, limit)
	}
	before, id := int64(math.MaxInt64), ""
	if !q.To.IsZero() {
		before = micros(q.To)
	}
	if at := micros(after.At); !after.At.IsZero() && at < before {
		before, id = at, after.ID
	}
	return tx.eventsWhere(q, `(at, id) < ($2, $3) AND at >= $4`, `at DESC, id DESC`, before, id, micros(q.From), limit)
}

// eventsForward is Events from the oldest on.
func (tx *Tx) eventsForward(q audit.Query, after EventAfter, limit int) ([]audit.Event, error) {
	from, id, to := micros(q.From)-1, lastID, int64(math.MaxInt64)
	if at := micros(after.At); !after.At.IsZero() && at > from {
		from, id = at, after.ID
	}
	if !q.To.IsZero() {
		to = micros(q.To)
	}
	return tx.eventsWhere(q, `(at, id) > ($2, $3) AND at < $4`, `at, id`, from, id, to, limit)
}

// lastID is behind the id of every event.
const lastID = "\U0010FFFF"

// eventsWhere finds events of a span that $2 to $4 tell, in an order.
func (tx *Tx) eventsWhere(q audit.Query, span, order string, at int64, id string, other int64, limit int) ([]audit.Event, error) {
	readOnly := ""
	if q.ReadOnly != nil {
		readOnly = strconv.FormatBool(*q.ReadOnly)
	}
	result := ` AND ($14 = '' OR result = $14)`
	if q.Result == audit.Refused {
		result = ` AND result = 'refused' AND $14 <> ''` // in so many words, for the index that has these alone
	}
	args := []any{
		int64(q.Account), at, id, other, q.ID, q.Operation, q.Actor, q.AccessKey,
		q.TargetNoun, q.TargetName, q.Service, readOnly, limit, string(q.Result),
	}
	operation := `operation = $6`
	for _, or := range q.Or {
		args = append(args, or)
		operation += ` OR operation = $` + strconv.Itoa(len(args))
	}
	tx.ctx = tx.caller
	return list(tx, scanEvent, `SELECT body FROM events WHERE account = $1 AND `+span+`
		AND ($5 = '' OR id = $5) AND ($6 = '' OR `+operation+`) AND ($7 = '' OR actor = $7) AND ($8 = '' OR access_key = $8)
		AND ($9 = '' OR noun = $9) AND ($10 = '' OR target = $10) AND ($11 = '' OR service = $11)
		AND ($12 = '' OR read_only = ($12 = 'true'))`+result+`
		ORDER BY `+order+` LIMIT $13`, args...)
}

// Changes returns what was changed, or tried, under a name, newest first, as many
// as limit, and nothing older than from. Root's name is "", as is that of nobody
// and of the server itself. A change is found as soon as its transaction ended.
func (tx *Tx) Changes(a name.Account, actor string, from time.Time, after EventAfter, limit int) ([]audit.Event, error) {
	before, id := int64(math.MaxInt64), ""
	if !after.At.IsZero() {
		before, id = micros(after.At), after.ID
	}
	tx.ctx = tx.caller
	return list(tx, scanEvent, `SELECT body FROM events WHERE account = $1 AND actor = $2 AND NOT read_only
		AND (at, id) < ($3, $4) AND at >= $5 ORDER BY at DESC, id DESC LIMIT $6`,
		int64(a), actor, before, id, micros(from), limit)
}

func scanEvent(r row, e *audit.Event) error {
	var body []byte
	if err := r.Scan(&body); err != nil {
		return err
	}
	return json.Unmarshal(body, e)
}
