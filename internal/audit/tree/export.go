package tree

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// An export holds one line per leaf, in order: the event's body, which is JSON.
// A line of another kind is an object whose first key begins with a dollar sign.
// Behind the leaves stand events that are no leaves.
const (
	keyMissing = "$missing" // the leaf of an event that is not in the trail
	keyExpired = "$expired" // the leaf of an event that was removed when its time had come
	keyDiffers = "$differs" // columns that queries use say something else than the event beside it
	keyWaiting = "$waiting" // an event that is to become a leaf
	keyStray   = "$stray"   // an event that neither is a leaf nor waits to become one
)

// Place says which event a leaf is of; its zero value is unknown.
type Place struct {
	Account string `json:"account,omitempty"`
	At      string `json:"at,omitempty"` // RFC 3339
	ID      string `json:"id,omitempty"`
}

// specialLine is a line that is not just an event.
type specialLine struct {
	Missing *Place          `json:"$missing,omitempty"`
	Expired *Place          `json:"$expired,omitempty"`
	Differs []string        `json:"$differs,omitempty"`
	Waiting json.RawMessage `json:"$waiting,omitempty"`
	Stray   json.RawMessage `json:"$stray,omitempty"`
	Event   json.RawMessage `json:"event,omitempty"` // of Differs
}

// AppendMissing appends the line of a leaf whose event is gone.
func AppendMissing(b []byte, p Place) []byte { return appendSpecial(b, keyMissing, p) }

// AppendExpired appends the line of a leaf whose event was removed when its time
// had come.
func AppendExpired(b []byte, p Place) []byte { return appendSpecial(b, keyExpired, p) }

func appendSpecial(b []byte, key string, p Place) []byte {
	place, err := json.Marshal(p)
	if err != nil {
		panic("tree: JSON refuses strings: " + err.Error())
	}
	b = append(b, `{"`+key+`":`...)
	return append(append(b, place...), "}\n"...)
}

// AppendDiffers appends the line of a leaf whose event's columns do not say what
// its body says.
func AppendDiffers(b []byte, columns []string, body string) []byte {
	b = append(b, `{"`+keyDiffers+`":[`...)
	for i, c := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, c)
	}
	b = append(b, `],"event":`...)
	return append(append(b, oneLine(body)...), "}\n"...)
}

// AppendEvent appends the line of a leaf whose event is there.
func AppendEvent(b []byte, body string) []byte { return append(append(b, oneLine(body)...), '\n') }

// AppendWaiting appends an event that is to become a leaf.
func AppendWaiting(b []byte, body string) []byte { return appendLoose(b, keyWaiting, body) }

// AppendStray appends an event that somebody put beside the tree.
func AppendStray(b []byte, body string) []byte { return appendLoose(b, keyStray, body) }

func appendLoose(b []byte, key, body string) []byte {
	b = append(b, `{"`+key+`":`...)
	return append(append(b, oneLine(body)...), "}\n"...)
}

// oneLine keeps what somebody put into the database from making lines of its
// own, or special ones. An event's own body has neither.
func oneLine(body string) string {
	b := []byte(body)
	if !bytes.ContainsAny(b, "\r\n") && !bytes.HasPrefix(b, special) {
		return body
	}
	return strconv.Quote(body)
}

// special begins every line that is not just an event.
var special = []byte(`{"$`)

// read reads a special line; false if it is none that one knows.
func (s *specialLine) read(line []byte) bool { return json.Unmarshal(line, s) == nil }

// placeOf reads which event a body is of, as far as it can be read.
func placeOf(body []byte) (p Place) {
	var e struct {
		ID      string `json:"id"`
		At      string `json:"at"`
		Account int64  `json:"account"`
	}
	if json.Unmarshal(body, &e) == nil {
		p.ID, p.At = e.ID, e.At
		if e.Account != 0 {
			p.Account = strconv.FormatInt(e.Account, 10)
		}
	}
	return p
}
