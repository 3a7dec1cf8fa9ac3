package codec

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Decoder turns the parameters of one operation into its input shape. It is
// made once and may be used by several goroutines.
type Decoder[T any] struct {
	plan  *wire
	quote bool
}

// NewDecoder compiles the shape T. quote says whether errors repeat the values,
// as those of STS do; those of IAM do not. Its error is a fault of the shape's
// tags or types.
func NewDecoder[T any](quote bool) (*Decoder[T], error) {
	plan, err := compileShape[T]()
	if err != nil {
		return nil, err
	}
	return &Decoder[T]{plan, quote}, nil
}

func compileShape[T any]() (*wire, error) {
	t := reflect.TypeFor[T]()
	c := compiler{open: map[reflect.Type]bool{}}
	plan, err := c.compile(t)
	if err == nil && (plan.kind != kindStruct || plan.pointer) {
		err = fmt.Errorf("codec: %v is not a struct", t)
	}
	return plan, err
}

// Decode reads and checks the input. Parameters that the shape does not name
// are ignored. Its error is an *Error that names all members at fault.
func (d *Decoder[T]) Decode(f Form) (T, error) {
	var out T
	var nameRoom, pathRoom [128]byte
	r := reader{form: f, violations: violations{quote: d.quote}, name: nameRoom[:0], path: pathRoom[:0]}
	r.members(d.plan, reflect.ValueOf(&out).Elem())
	if err := r.result(); err != nil {
		var zero T
		return zero, err
	}
	return out, nil
}

// reader walks a shape with the name on the wire ("Tags.member.1.Key") and the
// path in messages ("tags.1.member.key") of where it is.
type reader struct {
	violations
	form       Form
	name, path []byte
}

func (r *reader) members(w *wire, v reflect.Value) {
	name, path := len(r.name), len(r.path)
	for i := range w.fields {
		f := &w.fields[i]
		r.name = append(r.name, f.name...)
		r.path = append(r.path, f.path...)
		if !r.value(f, f.typ, v.FieldByIndex(f.index)) && f.required {
			r.add(f, r.path, said{}, notNull)
		}
		r.name, r.path = r.name[:name], r.path[:path]
	}
}

// value reads one member and reports whether it was sent.
func (r *reader) value(f *field, w *wire, v reflect.Value) bool {
	if w.kind < kindStruct {
		text, ok := get(r.form, r.name)
		if ok {
			r.scalar(f, w, r.into(w, v), text)
		}
		return ok
	}
	// A member that has parts is sent if any part is, or if it is sent itself as
	// an empty value, which is how clients write an empty list.
	_, sent := get(r.form, r.name)
	name := len(r.name)
	r.name = append(r.name, '.')
	defer func() { r.name = r.name[:name] }()
	if len(under(r.form, r.name)) == 0 {
		if sent && w.kind == kindList {
			r.into(w, v).Set(reflect.MakeSlice(w.goType, 0, 0))
			f.check.length(&r.violations, f, r.path, said{}, 0)
		}
		return sent
	}
	switch w.kind {
	case kindStruct:
		path := len(r.path)
		r.path = append(r.path, '.')
		r.members(w, r.into(w, v))
		r.path = r.path[:path]
	case kindList:
		r.list(f, w, r.into(w, v))
	case kindMap:
		r.entries(f, w, r.into(w, v))
	}
	return true
}

// into makes the value behind a pointer and returns it.
func (r *reader) into(w *wire, v reflect.Value) reflect.Value {
	if !w.pointer {
		return v
	}
	v.Set(reflect.New(w.goType))
	return v.Elem()
}

func (r *reader) scalar(f *field, w *wire, v reflect.Value, text string) {
	switch w.kind {
	case kindString:
		v.SetString(text)
		f.check.text(&r.violations, f, r.path, text)
	case kindBool:
		switch strings.ToLower(text) {
		case "true":
			v.SetBool(true)
		case "false":
		default:
			r.unreadable("a boolean: true or false")
		}
	case kindInt:
		n, err := strconv.ParseInt(text, 10, w.goType.Bits())
		if err != nil {
			r.unreadable("an integer")
			return
		}
		v.SetInt(n)
		f.check.number(&r.violations, f, r.path, n)
	case kindTime:
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			r.unreadable("a time: ISO 8601 with an offset")
			return
		}
		v.Set(reflect.ValueOf(t.UTC()))
	case kindBlob:
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			r.unreadable("base64")
			return
		}
		v.SetBytes(b)
		f.check.length(&r.violations, f, r.path, said{}, int64(len(b)))
	}
}

func (r *reader) unreadable(want string) {
	if r.err == nil {
		r.err = malformed("The value at '" + string(r.path) + "' is not " + want + ".")
	}
}

func (r *reader) list(f *field, w *wire, v reflect.Value) {
	r.name = append(r.name, "member."...)
	name, path := len(r.name), len(r.path)
	indexes := r.form.indexes(r.name)
	v.Set(reflect.MakeSlice(w.goType, len(indexes), len(indexes)))
	f.check.length(&r.violations, f, r.path, said{}, int64(len(indexes)))
	if f.check.any && int64(len(indexes)) > f.check.maxLen {
		return // one sentence about the list, not a thousand about its members
	}
	bad := false
	for i, n := range indexes {
		r.name = strconv.AppendInt(r.name, int64(n), 10)
		r.path = append(r.path, '.')
		r.path = strconv.AppendInt(r.path, int64(i+1), 10)
		r.path = append(r.path, ".member"...)
		r.value(&noRules, w.elem, v.Index(i))
		if w.elem.kind == kindString && !w.elem.pointer {
			bad = bad || !f.each.ok(v.Index(i).String())
		}
		r.name, r.path = r.name[:name], r.path[:path]
	}
	if bad {
		r.add(f, r.path, said{}, f.each.together)
	}
}

// noRules stands for the member of a list where its own rules are elsewhere.
var noRules = field{}

func (r *reader) entries(f *field, w *wire, v reflect.Value) {
	r.name = append(r.name, "entry."...)
	name := len(r.name)
	indexes := r.form.indexes(r.name)
	v.Set(reflect.MakeMapWithSize(w.goType, len(indexes)))
	f.check.length(&r.violations, f, r.path, said{}, int64(len(indexes)))
	for _, n := range indexes {
		r.name = strconv.AppendInt(r.name, int64(n), 10)
		key, _ := r.form.Get(string(r.name) + ".key")
		r.name = append(r.name, ".value"...)
		value := reflect.New(w.elem.goType).Elem()
		r.value(&noRules, w.elem, value)
		if k := reflect.ValueOf(key).Convert(w.goType.Key()); !v.MapIndex(k).IsValid() {
			v.SetMapIndex(k, value)
		}
		r.name = r.name[:name]
	}
}
