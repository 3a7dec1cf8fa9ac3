package query

import (
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Event is a row of the trail as it is stored.
type Event struct {
	Leaf                                             int64 // where it is in the tree; -1 = nowhere yet
	At                                               int64 // microseconds
	ID, Operation, Actor, AccessKey, Target, Service string
	ReadOnly                                         bool
	Result, Body                                     string
}

// column is one that people see: its place in the list of columns.
type column int

const (
	colTime column = iota
	colAt
	colHour
	colDay
	colID
	colEvent
	colAction
	colOperation
	colService
	colDoor
	colRegion
	colReadOnly
	colActor
	colActorKind
	colRoot
	colActorARN
	colAccessKey
	colSession
	colMFA
	colMFAMethods
	colMFAAt
	colRemembered
	colTargetKind
	colTarget
	colTargetARN
	colSource
	colChain
	colUserAgent
	colRequestID
	colResult
	colCode
	colWhy
	colParams
	colJSON
	numColumns

	colHit = numColumns // hidden: reading it says that a row fits the condition
)

// form is what a column is made of.
type form uint8

const (
	derived  form = iota // from the time
	texts                // a dictionary and, for each event, a place in it
	numbers              // likewise, of whole numbers
	ids                  // texts that mostly are UUIDs, each another
	wholeRow             // the event itself, read from the trail when a query asks for it
)

// columns are those of events. key names a column where pieces are kept, for ever;
// 0 = it is not kept.
var columns = [numColumns]struct {
	name string
	form form
	key  int
}{
	colTime: {"time", derived, 0}, colAt: {"at", derived, 0}, colHour: {"hour", derived, 0}, colDay: {"day", derived, 0},
	colID: {"id", ids, 3}, colEvent: {"event", texts, 4}, colAction: {"action", texts, 5}, colOperation: {"operation", texts, 6},
	colService: {"service", texts, 7}, colDoor: {"door", texts, 8}, colRegion: {"region", texts, 9}, colReadOnly: {"read_only", numbers, 10},
	colActor: {"actor", texts, 11}, colActorKind: {"actor_kind", texts, 12}, colRoot: {"root", numbers, 31}, colActorARN: {"actor_arn", texts, 13},
	colAccessKey: {"access_key", texts, 14}, colSession: {"session", texts, 15}, colMFA: {"mfa", numbers, 16},
	colMFAMethods: {"mfa_methods", texts, 17}, colMFAAt: {"mfa_at", numbers, 18}, colRemembered: {"remembered", numbers, 19},
	colTargetKind: {"target_kind", texts, 20}, colTarget: {"target", texts, 21}, colTargetARN: {"target_arn", texts, 22},
	colSource: {"source", texts, 23}, colChain: {"chain", texts, 24}, colUserAgent: {"user_agent", texts, 25},
	colRequestID: {"request_id", ids, 26}, colResult: {"result", texts, 27}, colCode: {"code", texts, 28}, colWhy: {"why", texts, 29},
	colParams: {"params", texts, 30}, colJSON: {"json", wholeRow, 0},
}

// Keys of what is kept of a piece beside its columns.
const (
	keyTimes  = 1
	keyLeaves = 2
)

// Columns are those of events, for people who write queries.
var Columns = func() (all []string) {
	for _, c := range columns {
		all = append(all, c.name)
	}
	return all
}()

// declaration is the table of events as the engine is told of it.
var declaration = func() string {
	s := "CREATE TABLE x("
	for _, c := range columns {
		affinity := " TEXT, "
		if c.form == numbers || c.name == "at" {
			affinity = " INTEGER, "
		}
		s += c.name + affinity
	}
	return s + `"a row fits" HIDDEN)`
}()

// kept tells whether pieces keep the column.
func (c column) kept() bool { return columns[c].key != 0 }

// listed tells whether the column has a dictionary, so that few values stand for many
// events.
func (c column) listed() bool {
	return columns[c].form == texts || columns[c].form == numbers || c == colHour || c == colDay
}

// value is what an event has in a column; NULL if it has none.
type value struct {
	text string
	some bool
}

func just(s string) value { return value{s, true} }

func maybe(s *string) value {
	if s == nil {
		return value{}
	}
	return value{*s, true}
}

func flag(b bool) value {
	if b {
		return just("1")
	}
	return just("0")
}

// body is what of an event only its body says.
type body struct {
	Root      bool    `json:"root"`
	Action    *string `json:"action"`
	Operation *string `json:"operation"`
	Door      *string `json:"door"`
	Region    *string `json:"region"`
	Actor     struct {
		Kind    *string `json:"kind"`
		ARN     *string `json:"arn"`
		Session *string `json:"session"`
	} `json:"actor"`
	MFA struct {
		Present    bool           `json:"present"`
		At         *int64         `json:"at"`
		Methods    jsontext.Value `json:"methods"`
		Remembered bool           `json:"remembered"`
	} `json:"mfa"`
	Target struct {
		Noun *string `json:"noun"`
		ARN  *string `json:"arn"`
	} `json:"target"`
	Source    *string        `json:"source"`
	Chain     *string        `json:"chain"`
	UserAgent *string        `json:"userAgent"`
	RequestID *string        `json:"requestId"`
	Code      *string        `json:"code"`
	Why       *string        `json:"why"`
	Params    jsontext.Value `json:"params"`
}

// values are what an event has in the columns that are kept. Of a body that cannot be
// read, which somebody has changed, there is nothing.
func (e *Event) values(v *[numColumns]value) {
	var b body
	if json.Unmarshal([]byte(e.Body), &b) != nil {
		b = body{}
	}
	v[colID], v[colEvent], v[colService], v[colActor] = just(e.ID), just(e.Operation), just(e.Service), just(e.Actor)
	v[colAccessKey], v[colTarget], v[colResult], v[colReadOnly] = just(e.AccessKey), just(e.Target), just(e.Result), flag(e.ReadOnly)
	v[colAction], v[colOperation], v[colDoor], v[colRegion] = maybe(b.Action), maybe(b.Operation), maybe(b.Door), maybe(b.Region)
	v[colActorKind], v[colActorARN], v[colSession] = maybe(b.Actor.Kind), maybe(b.Actor.ARN), maybe(b.Actor.Session)
	v[colRoot] = flag(b.Root)
	v[colMFA], v[colRemembered], v[colMFAMethods], v[colMFAAt] = flag(b.MFA.Present), flag(b.MFA.Remembered), just("[]"), value{}
	if b.MFA.Methods != nil {
		v[colMFAMethods] = just(string(b.MFA.Methods))
	}
	if b.MFA.At != nil {
		v[colMFAAt] = just(strconv.FormatInt(*b.MFA.At, 10))
	}
	v[colTargetKind], v[colTargetARN] = maybe(b.Target.Noun), maybe(b.Target.ARN)
	v[colSource], v[colChain], v[colUserAgent], v[colRequestID] = maybe(b.Source), maybe(b.Chain), maybe(b.UserAgent), maybe(b.RequestID)
	v[colCode], v[colWhy], v[colParams] = maybe(b.Code), maybe(b.Why), value{}
	if b.Params != nil {
		v[colParams] = just(string(b.Params))
	}
}
