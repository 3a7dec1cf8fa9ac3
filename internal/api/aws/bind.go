package aws

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"warifu/internal/api/aws/codec"
	"warifu/internal/fault"
	"warifu/internal/ops"
)

// service is one AWS service that this door speaks.
type service struct {
	name      string // in signatures and in actions
	version   string // of its Query protocol
	namespace string // of its documents
	quotes    bool   // its constraint messages repeat the value
}

// The services.
var (
	serviceIAM        = &service{"iam", "2010-05-08", codec.IAMNamespace, false}
	serviceSTS        = &service{"sts", "2011-06-15", codec.STSNamespace, true}
	serviceCloudTrail = &service{name: "cloudtrail", version: "CloudTrail_20131101"}
)

// key finds an action: a version belongs to one service.
type key struct{ version, name string }

// action is an operation bound to its wire form.
type action struct {
	service   *service
	name      string       // as AWS calls it
	op        string       // as ops calls it
	anonymous bool         // it need not be signed
	in, out   reflect.Type // the shapes, for the tests that compare them with the service's model
	query     func(ctx context.Context, s *ops.Server, call ops.Call, form codec.Form) ([]byte, error)
	json      func(ctx context.Context, s *ops.Server, call ops.Call, body []byte) ([]byte, error)
}

// bind binds a Query operation: in turns its shape into the operation's input,
// out the operation's result into the shape of the answer. A shape that cannot
// be compiled is a fault of the program, and panics when the door is built.
func bind[Shape, In, Out, Answer any](of *service, name string, op ops.Op[In, Out], in func(*Shape) (In, error), out func(Out) Answer) action {
	dec, err := codec.NewDecoder[Shape](of.quotes)
	if err != nil {
		panic(name + ": " + err.Error())
	}
	enc, err := codec.NewEncoder[Answer](name, of.namespace)
	if err != nil {
		panic(name + ": " + err.Error())
	}
	return query(of, name, &op, reflect.TypeFor[Shape](), reflect.TypeFor[Answer](),
		func(form codec.Form) (any, error) {
			shape, err := dec.Decode(form)
			if err != nil {
				return nil, err
			}
			return in(&shape)
		},
		func(result any, id string) []byte {
			answer := out(result.(Out))
			return enc.Append(make([]byte, 0, 1024), &answer, id)
		})
}

// query is what bind makes, whatever the types.
func query(of *service, name string, op ops.Operation, in, out reflect.Type, read func(codec.Form) (any, error), word func(any, string) []byte) action {
	return action{
		service: of, name: name, op: ops.NameOf(op), in: in, out: out,
		query: func(ctx context.Context, s *ops.Server, call ops.Call, form codec.Form) ([]byte, error) {
			input, err := read(form)
			if err != nil {
				return nil, ops.Reject(ctx, s, &call, op, err)
			}
			result, err := ops.Perform(ctx, s, &call, op, input)
			if err != nil {
				return nil, err
			}
			return word(result, call.RequestID), nil
		},
	}
}

// iamAction and stsAction bind an operation whose input needs no check of its own.
func iamAction[Shape, In, Out, Answer any](name string, op ops.Op[In, Out], in func(*Shape) In, out func(Out) Answer) action {
	return bind(serviceIAM, name, op, func(s *Shape) (In, error) { return in(s), nil }, out)
}

func stsAction[Shape, In, Out, Answer any](name string, op ops.Op[In, Out], in func(*Shape) In, out func(Out) Answer) action {
	return bind(serviceSTS, name, op, func(s *Shape) (In, error) { return in(s), nil }, out)
}

// none is the answer of an operation without output.
func none[Out any](Out) struct{} { return struct{}{} }

// serveQuery answers a request of the Query protocol.
func (d *Door) serveQuery(w http.ResponseWriter, req *request) {
	body := ""
	if req.isForm() {
		body = string(req.body)
	}
	form, err := codec.ParseForm(req.URL.RawQuery, body)
	if err != nil {
		d.refuseQuery(w, req, codec.FaultNamespace, "", err)
		return
	}
	name, _ := form.Get("Action")
	version, _ := form.Get("Version")
	if name == "" {
		d.refuseQuery(w, req, codec.FaultNamespace, "", codec.MissingAction())
		return
	}
	a, ok := d.query[key{version, name}]
	if !ok {
		d.refuseQuery(w, req, codec.FaultNamespace, "", codec.InvalidAction(name, version))
		return
	}
	call, err := d.call(req, &a)
	if err != nil {
		d.refuseQuery(w, req, a.service.namespace, a.service.name, err)
		return
	}
	doc, err := a.query(req.Context(), d.Ops, call, form)
	if err != nil {
		d.refuseQuery(w, req, a.service.namespace, a.service.name, err)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Write(doc)
}

// refuseQuery answers with an error document.
func (d *Door) refuseQuery(w http.ResponseWriter, req *request, namespace, service string, err error) {
	a := d.answer(req, service, err)
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(a.status)
	w.Write(codec.AppendError(nil, namespace, a.document(), req.id))
}

// serveJSON answers a request of the AWS JSON protocol.
func (d *Door) serveJSON(w http.ResponseWriter, req *request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	prefix, name, _ := codec.JSONTarget(req.Header.Get("X-Amz-Target"))
	a, ok := d.json[name]
	// Older clients put a package before the version: com.amazonaws.….
	if !ok || prefix[strings.LastIndexByte(prefix, '.')+1:] != a.service.version {
		d.refuseJSON(w, req, "", &codec.Error{Code: "UnknownOperationException", Status: http.StatusBadRequest})
		return
	}
	call, err := d.call(req, &a)
	if err != nil {
		d.refuseJSON(w, req, a.service.name, err)
		return
	}
	doc, err := a.json(req.Context(), d.Ops, call, req.body)
	if err != nil {
		d.refuseJSON(w, req, a.service.name, err)
		return
	}
	w.Write(doc)
}

func (d *Door) refuseJSON(w http.ResponseWriter, req *request, service string, err error) {
	a := d.answer(req, service, err)
	w.WriteHeader(a.status)
	w.Write(codec.AppendJSONError(nil, a.document()))
}

// answer words an error, and logs what the caller may not see.
func (d *Door) answer(req *request, service string, err error) answer {
	a := answerTo(err, service)
	if a.code == byKind[fault.Internal].code {
		d.Log.Error("request failed", "request", req.id, "error", err)
	}
	return a
}
