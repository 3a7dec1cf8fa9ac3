package codec

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Epoch is a time in AWS JSON: a number of seconds since 1970, with a fraction.
// A client may send ISO 8601 instead.
type Epoch struct{ time.Time }

// MarshalJSONTo implements json.MarshalerTo.
func (e Epoch) MarshalJSONTo(enc *jsontext.Encoder) error {
	ms := e.UnixMilli()
	var room [32]byte
	return enc.WriteValue(strconv.AppendFloat(room[:0], float64(ms)/1000, 'f', -1, 64))
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (e *Epoch) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case '0':
		const tooFar = 253402300800 // the year 10000
		s, err := token.Float()
		if err != nil || math.Abs(s) >= tooFar {
			return errors.New("time out of range")
		}
		e.Time = time.UnixMilli(int64(math.Round(s * 1000))).UTC()
		return nil
	case '"':
		t, err := time.Parse(time.RFC3339Nano, token.String())
		e.Time = t.UTC()
		return err
	case 'n':
		e.Time = time.Time{}
		return nil
	}
	return errors.New("a time must be a number of seconds")
}

// DecodeJSON reads an AWS JSON 1.1 request into a shape of json-tagged fields.
// Members that the shape does not name are ignored; duplicate names and invalid
// UTF-8 are refused. No body counts as {}. Its error is an *Error.
func DecodeJSON[T any](body []byte) (T, error) {
	var in T
	if len(body) == 0 {
		return in, nil
	}
	if err := json.Unmarshal(body, &in); err != nil {
		var zero T
		return zero, &Error{"SerializationException", "The request body is not valid: " + where(err), 400}
	}
	return in, nil
}

// where says at which member a body is at fault, without its values.
func where(err error) string {
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return "unexpected value at '" + string(semantic.JSONPointer) + "'"
	}
	return "malformed JSON"
}

// EncodeJSON writes an AWS JSON 1.1 answer.
func EncodeJSON[T any](out *T) ([]byte, error) {
	return json.Marshal(out, json.OmitZeroStructFields(true), json.FormatNilSliceAsNull(false))
}

// AppendJSONError appends the error document of AWS JSON 1.1, whose code tells
// its name and whose HTTP status the door sends.
func AppendJSONError(b []byte, e *Error) []byte {
	b = append(b, `{"__type":`...)
	b = appendJSONString(b, e.Code)
	b = append(b, `,"message":`...)
	b = appendJSONString(b, e.Message)
	return append(b, '}')
}

func appendJSONString(b []byte, s string) []byte {
	q, err := jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD"))
	if err != nil { // only invalid UTF-8 is refused, and there is none
		return append(b, `""`...)
	}
	return q
}

// JSONTarget splits an x-amz-target into its service prefix and operation.
func JSONTarget(target string) (prefix, operation string, ok bool) {
	i := strings.LastIndexByte(target, '.')
	if i <= 0 || i == len(target)-1 {
		return "", "", false
	}
	return target[:i], target[i+1:], true
}
