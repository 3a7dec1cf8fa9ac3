package oci

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"warifu/internal/ops"
)

// A shape is a struct whose fields say where they travel:
//
//	path:"userId"  query:"limit"  header:"if-match"  body:""  retry:""
//
// The field of the body is a struct with JSON names; one of its fields that must be
// there has the tag required:"true". Fields outside the body are texts, numbers and
// truth values, or pointers to them where it matters whether they were sent.

// decode fills a shape from a request.
func decode(req *request, shape any) error {
	v := reflect.ValueOf(shape).Elem()
	for i := range v.NumField() {
		f, at := v.Type().Field(i), v.Field(i)
		var err error
		if name, ok := f.Tag.Lookup("path"); ok {
			at.SetString(req.vars[name])
		} else if name, ok := f.Tag.Lookup("query"); ok {
			err = decodeText(name, req.query.Get(name), req.query.Has(name), f.Tag.Get("required") != "", at)
		} else if name, ok := f.Tag.Lookup("header"); ok {
			at.SetString(req.Header.Get(name))
		} else if _, ok := f.Tag.Lookup("retry"); ok {
			at.Set(reflect.ValueOf(req.retry()))
		} else if _, ok := f.Tag.Lookup("body"); ok {
			err = decodeBody(req.body, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decodeText reads a value of the query.
func decodeText(name, text string, sent, required bool, at reflect.Value) error {
	if !sent {
		if required {
			return missingParameter(name)
		}
		return nil
	}
	switch at.Kind() {
	case reflect.String:
		at.SetString(text)
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > ops.MaxPage {
			return invalidParameter(name + " must be 1 to " + strconv.Itoa(ops.MaxPage))
		}
		at.SetInt(int64(n))
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return invalidParameter(name + " must be true or false")
		}
		at.SetBool(b)
	}
	return nil
}

// decodeBody reads the JSON of a body.
func decodeBody(body []byte, at reflect.Value) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(at.Addr().Interface()); err != nil {
		if err == io.EOF { // nothing was sent
			return required(at)
		}
		return &wireError{400, "CannotParseRequest", badRequest}
	}
	if _, err := d.Token(); err != io.EOF {
		return &wireError{400, "CannotParseRequest", badRequest}
	}
	return required(at)
}

// required refuses a body in which something is missing.
func required(v reflect.Value) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Tag.Get("required") == "" {
			continue
		}
		if v.Field(i).IsZero() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return missingParameter(name)
		}
	}
	return nil
}

// retry is the client's retry token and a digest of what it sent.
func (req *request) retry() ops.Retry {
	r := ops.Retry{Token: req.Header.Get("opc-retry-token")}
	if r.Token != "" {
		h := sha256.New()
		io.WriteString(h, req.Method+" "+req.RequestURI+"\n")
		h.Write(req.body)
		h.Sum(r.Digest[:0])
	}
	return r
}

// stamp is a time as Oracle spells it: RFC 3339 in UTC with milliseconds.
type stamp time.Time

// MarshalJSON implements json.Marshaler.
func (s stamp) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(s).UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// when is a time that may be missing.
func when(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	s := stamp(t)
	return &s
}
