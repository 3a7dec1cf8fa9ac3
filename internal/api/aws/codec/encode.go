package codec

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// The XML namespaces of the documents.
const (
	IAMNamespace = "https://iam.amazonaws.com/doc/2010-05-08/"
	STSNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

	// FaultNamespace is that of an error that comes before any service is
	// reached: an unknown action or version.
	FaultNamespace = "http://webservices.amazon.com/AWSFault/2005-15-09"
)

// Encoder writes the answers of one operation. It is made once and may be used
// by several goroutines.
type Encoder[T any] struct {
	plan             *wire
	head, tail, last string
}

// NewEncoder compiles the shape T for an operation. An operation without output
// has the shape struct{}, and no Result element; one whose output has no members
// has a named empty struct, and an empty Result element, which clients look for.
// The error is a fault of the shape's tags or types.
func NewEncoder[T any](operation, namespace string) (*Encoder[T], error) {
	plan, err := compileShape[T]()
	if err != nil {
		return nil, err
	}
	if err := checkOut(plan); err != nil {
		return nil, err
	}
	e := &Encoder[T]{plan: plan, head: "<" + operation + `Response xmlns="` + namespace + `">`,
		last: "</RequestId></ResponseMetadata></" + operation + "Response>"}
	if reflect.TypeFor[T]() != reflect.TypeFor[struct{}]() {
		e.head += "<" + operation + "Result>"
		e.tail = "</" + operation + "Result>"
	}
	e.tail += "<ResponseMetadata><RequestId>"
	return e, nil
}

// Append appends the answer to b.
func (e *Encoder[T]) Append(b []byte, out *T, requestID string) []byte {
	b = append(b, e.head...)
	b = appendMembers(b, e.plan, reflect.ValueOf(out).Elem())
	b = append(b, e.tail...)
	b = AppendText(b, requestID)
	return append(b, e.last...)
}

func appendMembers(b []byte, w *wire, v reflect.Value) []byte {
	for i := range w.fields {
		f := &w.fields[i]
		b = appendMember(b, f, v.FieldByIndex(f.index))
	}
	return b
}

func appendMember(b []byte, f *field, v reflect.Value) []byte {
	w := f.typ
	if w.pointer {
		if v.IsNil() {
			return b
		}
		v = v.Elem()
	} else if absent(w, v) {
		if !f.keep {
			return b
		}
		return append(b, f.empty...)
	}
	b = append(b, f.open...)
	if f.urlencoded {
		b = appendURLEncoded(b, v.String())
	} else {
		b = appendValue(b, w, v)
	}
	return append(b, f.shut...)
}

// absent says which zero values are not written: false and 0 mean something,
// an empty string, time, list, map or blob does not.
func absent(w *wire, v reflect.Value) bool {
	switch w.kind {
	case kindString, kindBlob, kindList, kindMap:
		return v.Len() == 0
	case kindTime:
		return v.IsZero()
	}
	return false
}

func appendValue(b []byte, w *wire, v reflect.Value) []byte {
	switch w.kind {
	case kindString:
		return AppendText(b, v.String())
	case kindBool:
		return strconv.AppendBool(b, v.Bool())
	case kindInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case kindTime:
		return appendTime(b, v)
	case kindBlob:
		return base64.StdEncoding.AppendEncode(b, v.Bytes())
	case kindStruct:
		return appendMembers(b, w, v)
	case kindList:
		return appendList(b, w.elem, v)
	default:
		return appendEntries(b, w.elem, v)
	}
}

// appendTime writes ISO 8601 in UTC, to the second.
func appendTime(b []byte, v reflect.Value) []byte {
	var t time.Time
	if v.CanAddr() {
		t = *v.Addr().Interface().(*time.Time) // Interface of the value itself would allocate
	} else {
		t = v.Interface().(time.Time)
	}
	return t.UTC().AppendFormat(b, time.RFC3339) // the layout that package time writes fast
}

func appendList(b []byte, elem *wire, v reflect.Value) []byte {
	for i := range v.Len() {
		m := v.Index(i)
		if elem.pointer {
			if m.IsNil() {
				continue
			}
			m = m.Elem()
		}
		b = append(b, "<member>"...)
		b = appendValue(b, elem, m)
		b = append(b, "</member>"...)
	}
	return b
}

func appendEntries(b []byte, elem *wire, v reflect.Value) []byte {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int {
		switch {
		case x.String() < y.String():
			return -1
		case x.String() > y.String():
			return 1
		}
		return 0
	})
	for _, k := range keys {
		b = append(b, "<entry><key>"...)
		b = AppendText(b, k.String())
		b = append(b, "</key><value>"...)
		b = appendValue(b, elem, v.MapIndex(k))
		b = append(b, "</value></entry>"...)
	}
	return b
}

// escapes says which bytes of XML text cannot stand for themselves; all of
// UTF-8's are looked at, because some are not characters of XML.
var escapes = func() (t [256]bool) {
	for c := range 0x20 {
		t[c] = c != '\t' && c != '\n'
	}
	for _, c := range []byte(`&<>"'`) {
		t[c] = true
	}
	for c := 0x80; c <= 0xFF; c++ {
		t[c] = true
	}
	return t
}()

// AppendText appends s as XML text or as an attribute's value. What XML cannot
// carry (a control character, a byte that is not UTF-8) becomes U+FFFD.
func AppendText(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		if !escapes[s[i]] {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		var instead string
		switch {
		case r == '&':
			instead = "&amp;"
		case r == '<':
			instead = "&lt;"
		case r == '>':
			instead = "&gt;"
		case r == '"':
			instead = "&#34;"
		case r == '\'':
			instead = "&#39;"
		case r == '\r':
			instead = "&#xD;" // a bare one would be read as a line feed
		case r < 0x20 || r == utf8.RuneError && n == 1 || r == 0xFFFE || r == 0xFFFF:
			instead = "\uFFFD"
		default:
			i += n
			continue
		}
		b = append(b, s[from:i]...)
		b = append(b, instead...)
		i += n
		from = i
	}
	return append(b, s[from:]...)
}

// appendURLEncoded percent-encodes all but the unreserved (RFC 3986 section 2.3).
func appendURLEncoded(b []byte, s string) []byte {
	const upper = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b = append(b, c)
		default:
			b = append(b, '%', upper[c>>4], upper[c&15])
		}
	}
	return b
}

// AppendError appends the error document of the Query protocol. The fault is the
// sender's below status 500 and the receiver's from there.
func AppendError(b []byte, namespace string, e *Error, requestID string) []byte {
	kind := "Sender"
	if e.Status >= 500 {
		kind = "Receiver"
	}
	b = append(b, `<ErrorResponse xmlns="`+namespace+`"><Error><Type>`+kind+`</Type><Code>`...)
	b = AppendText(b, e.Code)
	b = append(b, "</Code>"...)
	if e.Message != "" { // ReportNotPresent has none
		b = append(b, "<Message>"...)
		b = AppendText(b, e.Message)
		b = append(b, "</Message>"...)
	}
	b = append(b, "</Error><RequestId>"...)
	b = AppendText(b, requestID)
	return append(b, "</RequestId></ErrorResponse>"...)
}

// AppendEC2Error appends the error document of the EC2 protocol.
func AppendEC2Error(b []byte, e *Error, requestID string) []byte {
	b = append(b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<Response><Errors><Error><Code>"...)
	b = AppendText(b, e.Code)
	b = append(b, "</Code><Message>"...)
	b = AppendText(b, e.Message)
	b = append(b, "</Message></Error></Errors><RequestID>"...)
	b = AppendText(b, requestID)
	return append(b, "</RequestID></Response>"...)
}

// AppendS3Error appends the error document of S3. resource is the path asked for.
func AppendS3Error(b []byte, e *Error, resource, requestID string) []byte {
	b = append(b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<Error><Code>"...)
	b = AppendText(b, e.Code)
	b = append(b, "</Code><Message>"...)
	b = AppendText(b, e.Message)
	b = append(b, "</Message><Resource>"...)
	b = AppendText(b, resource)
	b = append(b, "</Resource><RequestId>"...)
	b = AppendText(b, requestID)
	return append(b, "</RequestId></Error>"...)
}

// checkOut guards against a tag that the encoder would not know how to honour.
func checkOut(w *wire) error {
	for i := range w.fields {
		f := &w.fields[i]
		if f.urlencoded && f.typ.kind != kindString {
			return fmt.Errorf("codec: %s: only a string can be urlencoded", f.name)
		}
		t := f.typ
		for t.elem != nil {
			t = t.elem
		}
		if err := checkOut(t); err != nil {
			return err
		}
	}
	return nil
}
