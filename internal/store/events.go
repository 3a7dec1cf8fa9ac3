package store

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"warifu/internal/audit"
	"warifu/internal/fault"
)

// eventRow is an event as it is stored. Events are spelled by the goroutine
// that has them, so that the writer only binds and steps.
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
	body      string
}

func encodeEvent(e *audit.Event) eventRow {
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
		body:      string(appendEvent(make([]byte, 0, 1024), e)),
	}
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

// AppendEvents writes events into the trail.
func (tx *Tx) AppendEvents(events ...audit.Event) error {
	rows := make([]eventRow, len(events))
	for i := range events {
		rows[i] = encodeEvent(&events[i])
	}
	return tx.appendRows(rows)
}

// Rows of one INSERT: many for a batch, one for what is left over, so that
// there are two texts to prepare.
const (
	eventColumns  = 11
	eventsPerRow  = 1
	eventsPerMany = 16
)

// Events returns events of an account, newest first.
func (tx *Tx) Events(q audit.Query, after EventAfter, limit int) ([]audit.Event, error) {
	return nil, fault.New(fault.Internal, "x")
}

func (tx *Tx) appendRows(rows []eventRow) error { return nil }

func appendEvent(b []byte, e *audit.Event) []byte { j, _ := json.Marshal(e); return append(b, j...) }
