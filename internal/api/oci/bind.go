package oci

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"

	"warifu/internal/ops"
)

// reply is an answer on its way to the client.
type reply struct {
	status int
	body   any // nil: none
	etag   string
	next   string   // where the next page begins
	work   string   // OCID of a work request
	label  string   // what an authenticator app should show beside a seed
	advice []string // about statements that were saved
}

// binding is an operation bound to its wire form.
type binding struct {
	name    string // as Oracle calls it
	op      string // as ops calls it
	method  string
	path    []string     // segments; one in braces is a variable
	in, out reflect.Type // shapes, for the tests that compare them with the service's model
	decode  func(*request) (any, error)
	serve   func(ctx context.Context, s *ops.Server, call ops.Call, req *request) (*reply, error)
}

// bind binds an operation: in turns its shape into the operation's input, out the
// operation's result into an answer.
func bind[Shape, In, Out, Answer any](name, method, path string, op ops.Op[In, Out], in func(*Shape) (In, error), out func(Out, *reply) Answer) binding {
	return bound(name, method, path, &op, reflect.TypeFor[Shape](), reflect.TypeFor[Answer](),
		func(req *request) (any, error) {
			var shape Shape
			if err := decode(req, &shape); err != nil {
				return nil, err
			}
			return in(&shape)
		},
		func(result any, r *reply) any { return out(result.(Out), r) })
}

// bound is what bind makes, whatever the types.
func bound(name, method, path string, op ops.Operation, in, out reflect.Type, read func(*request) (any, error), word func(any, *reply) any) binding {
	b := binding{
		name: name, op: ops.NameOf(op), method: method, path: strings.Split(strings.TrimPrefix(path, "/"), "/"), in: in, out: out, decode: read,
	}
	b.serve = func(ctx context.Context, s *ops.Server, call ops.Call, req *request) (*reply, error) {
		input, err := read(req)
		if err != nil {
			return nil, ops.Reject(ctx, s, &call, op, err)
		}
		result, err := ops.Perform(ctx, s, &call, op, input)
		if err != nil {
			return nil, err
		}
		r := &reply{status: http.StatusOK}
		answer := word(result, r)
		if out.Kind() != reflect.Struct || out.NumField() > 0 {
			r.body = answer
		} else if method == http.MethodDelete && r.status == http.StatusOK {
			r.status = http.StatusNoContent
		}
		return r, nil
	}
	return b
}

// none is the answer of an operation without a body.
type none struct{}

func nothing[Out any](Out, *reply) none { return none{} }

// match tells whether a path is the binding's, and what its variables are.
func (b *binding) match(segments []string) (map[string]string, bool) {
	if len(segments) != len(b.path) {
		return nil, false
	}
	var vars map[string]string
	for i, want := range b.path {
		if strings.HasPrefix(want, "{") {
			if segments[i] == "" {
				return nil, false
			}
			if vars == nil {
				vars = map[string]string{}
			}
			vars[strings.Trim(want, "{}")] = segments[i]
			continue
		}
		if segments[i] != want {
			return nil, false
		}
	}
	return vars, true
}

// maxAdvice bounds the headers of an answer.
const maxAdvice = 20

// printable keeps what a header may hold.
func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return '?'
	}
	return r
}

// send writes an answer.
func (d *Door) send(w http.ResponseWriter, r *reply) {
	h := w.Header()
	if r.etag != "" {
		h.Set("Etag", r.etag)
	}
	if r.next != "" {
		h.Set("Opc-Next-Page", r.next)
	}
	if r.work != "" {
		h.Set("Opc-Work-Request-Id", r.work)
	}
	if r.label != "" {
		h.Set("Warifu-Otp-Label", r.label) // Oracle's answer has no place for it
	}
	for _, a := range r.advice[:min(len(r.advice), maxAdvice)] {
		h.Add("Warifu-Policy-Advice", strings.Map(printable, strings.ReplaceAll(a, "…", "..."))) // nor for this
	}
	if r.body == nil {
		w.WriteHeader(r.status)
		return
	}
	b, err := json.Marshal(r.body)
	if err != nil {
		d.Log.Error("answer cannot be spelled", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(r.status)
	w.Write(b)
}

// refuse answers with an error.
func (d *Door) refuse(w http.ResponseWriter, req *request, err error) {
	a := answerTo(err)
	if a.status == http.StatusInternalServerError {
		d.Log.Error("request failed", "request", req.id, "error", err)
	}
	if a.status == http.StatusUnauthorized {
		d.Log.Info("signature refused", "request", req.id, "error", err)
	}
	if a.status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "60")
	}
	d.send(w, &reply{status: a.status, body: map[string]string{"code": a.code, "message": a.message}})
}
