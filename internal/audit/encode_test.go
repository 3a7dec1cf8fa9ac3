package audit

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// want compares what AppendJSON writes with what encoding/json does.
func want(t interface{ Fatalf(string, ...any) }, e *Event) {
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if got := e.AppendJSON([]byte("before")); string(got) != "before"+string(b) {
		t.Fatalf("got  %s\nwant %s", got, "before"+string(b))
	}
}

// fill sets every field of a value, each alone, and calls check for each state:
// a field that was added and forgotten in AppendJSON shows.
func fill(v reflect.Value, check func()) {
	switch v.Kind() {
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			*at = time.Date(2026, 1, 15, 9, 0, 0, 123456000, time.UTC)
			check()
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), check)
		}
		return
	case reflect.String:
		v.SetString("text")
	case reflect.Int64:
		v.SetInt(-7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		check()
		v.SetMapIndex(reflect.ValueOf("b"), reflect.ValueOf("1"))
		check()
		v.SetMapIndex(reflect.ValueOf("a"), reflect.ValueOf("2"))
	default:
		panic("a field of kind " + v.Kind().String())
	}
	check()
}

func TestEveryField(t *testing.T) {
	var whole Event
	fill(reflect.ValueOf(&whole).Elem(), func() { want(t, &whole) })
	for i := range reflect.TypeFor[Event]().NumField() {
		var alone Event
		fill(reflect.ValueOf(&alone).Elem().Field(i), func() { want(t, &alone) })
	}
}

func TestAnyEvent(t *testing.T) {
	text := rapid.String()
	rapid.Check(t, func(t *rapid.T) {
		want(t, &Event{
			ID: text.Draw(t, "id"), At: time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "at")).UTC(), UserAgent: text.Draw(t, "agent"),
			Actor:  Actor{Name: text.Draw(t, "name"), Issued: rapid.Int64().Draw(t, "issued")},
			MFA:    MFA{Methods: rapid.SliceOf(text).Draw(t, "methods")},
			Target: Target{ARN: text.Draw(t, "arn")},
			Params: rapid.MapOf(text, text).Draw(t, "params"),
		})
	})
}

// FuzzAppendJSON: whatever a client sends, its event is spelled as encoding/json
// does.
func FuzzAppendJSON(f *testing.F) {
	f.Add("cli \"x\" <é\n\u2028\u2029>&\x7f", "\xff\x00\xed\xa0\x80", "\b\f\r\t\\\u001f")
	f.Fuzz(func(t *testing.T, agent, key, value string) {
		want(t, &Event{UserAgent: agent, Params: Fields{key: value, value: key}})
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	var e Event
	fill(reflect.ValueOf(&e).Elem(), func() {})
	var buf []byte
	b.ReportAllocs()
	for range b.N {
		buf = e.AppendJSON(buf[:0])
	}
}
