package alibaba

import (
	"context"
	"reflect"
	"time"

	"warifu/internal/api/alibaba/codec"
	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/reqsig/acs"
)

// service is one Alibaba Cloud service that this door speaks.
type service struct {
	name    string // its code in policies
	version string
}

// The services.
var (
	serviceRAM   = &service{"ram", "2015-05-01"}
	serviceSTS   = &service{"sts", "2015-04-01"}
	serviceIMS   = &service{"ims", "2019-08-15"}
	serviceTrail = &service{"actiontrail", "2020-07-06"}

	serviceManager = &service{"resourcemanager", "2020-03-31"}
)

// knownVersion tells whether a version is that of a service here.
func knownVersion(v string) bool {
	for _, s := range []*service{serviceRAM, serviceSTS, serviceIMS, serviceTrail, serviceManager} {
		if s.version == v {
			return true
		}
	}
	return false
}

// key finds an action: a version belongs to one service.
type key struct{ version, name string }

// action is an operation bound to its wire form.
type action struct {
	service   *service
	name      string       // as Alibaba Cloud calls it
	op        string       // as ops calls it
	in, out   reflect.Type // the shapes, for the tests that compare them with the service's model
	anonymous bool         // it need not be signed
	run       func(ctx context.Context, s *ops.Server, sc *scene, p acs.Params) (any, error)
	reject    func(ctx context.Context, s *ops.Server, sc *scene, err error) error // records that its input cannot be read
}

// scene is a call on its way through the door, with what the words of this cloud
// need to know of the caller's account.
type scene struct {
	ops.Call
	ctx    context.Context
	ops    *ops.Server
	known  string // the account's default domain, once it was asked for
	failed error  // to find it out

	span     [2]time.Time // of events that are looked up
	numbered numbered     // the page that was asked for
	status   string       // of what is listed
}

// domain is the account's default domain. When it cannot be found out the request
// fails in the end.
func (sc *scene) domain() string {
	if sc.known == "" && sc.failed == nil {
		sc.known, sc.failed = sc.ops.Domain(sc.ctx, sc.Caller.Account)
	}
	return sc.known
}

// user is the user of a principal name; "" means the caller.
func (sc *scene) user(upn string) (ops.Ref, error) {
	called, domain := name.SplitUPN(upn)
	if domain != "" && domain != sc.domain() && domain != name.Domain(sc.Caller.Account, "") {
		return ops.Ref{}, fault.Of(fault.NotFound, "user", upn)
	}
	return ops.Ref{Name: called}, sc.failed
}

// upn is a user's principal name.
func (sc *scene) upn(user string) string { return name.UPN(user, sc.domain()) }

// bind binds an operation: in turns its shape into the operation's input, out the
// operation's result into the shape of the answer. A shape that cannot be compiled
// is a fault of the program, and panics when the door is built.
func bind[Shape, In, Out, Answer any](of *service, called string, op ops.Op[In, Out], in func(*Shape, *scene) (In, error), out func(*scene, Out) Answer) action {
	dec, err := codec.NewDecoder[Shape]()
	if err != nil {
		panic(called + ": " + err.Error())
	}
	return bound(of, called, &op, reflect.TypeFor[Shape](), reflect.TypeFor[Answer](),
		func(p acs.Params, sc *scene) (any, error) {
			shape, err := dec.Decode(p)
			if err != nil {
				return nil, err
			}
			return in(&shape, sc)
		},
		func(sc *scene, result any) any { return out(sc, result.(Out)) })
}

// bound is what bind makes, whatever the types.
func bound(of *service, called string, op ops.Operation, in, out reflect.Type, read func(acs.Params, *scene) (any, error), word func(*scene, any) any) action {
	reject := func(ctx context.Context, s *ops.Server, sc *scene, err error) error {
		return ops.Reject(ctx, s, &sc.Call, op, err)
	}
	run := func(ctx context.Context, s *ops.Server, sc *scene, p acs.Params) (any, error) {
		input, err := read(p, sc)
		if err != nil {
			return nil, reject(ctx, s, sc, err)
		}
		call := sc.Call
		result, err := ops.Perform(ctx, s, &call, op, input)
		if err != nil {
			return nil, err
		}
		answer := word(sc, result)
		if sc.failed != nil {
			return nil, fault.Wrap(sc.failed, "read the account's domain")
		}
		return answer, nil
	}
	return action{service: of, name: called, op: ops.NameOf(op), run: run, reject: reject, in: in, out: out}
}

// plain binds an operation whose input needs no check of its own, and whose answer
// no knowledge of the account.
func plain[Shape, In, Out, Answer any](of *service, called string, op ops.Op[In, Out], in func(*Shape) In, out func(Out) Answer) action {
	return bind(of, called, op, func(s *Shape, _ *scene) (In, error) { return in(s), nil }, func(_ *scene, o Out) Answer { return out(o) })
}

// choice binds several actions of one shape to one name: pick says which is meant.
func choice[Shape any](of *service, called string, pick func(*Shape) (action, error), all ...action) action {
	dec, err := codec.NewDecoder[Shape]()
	if err != nil {
		panic(called + ": " + err.Error())
	}
	a := all[0]
	a.name, a.service, a.in = called, of, reflect.TypeFor[Shape]()
	a.run = func(ctx context.Context, s *ops.Server, sc *scene, p acs.Params) (any, error) {
		shape, err := dec.Decode(p)
		var chosen action
		if err == nil {
			chosen, err = pick(&shape)
		}
		if err != nil {
			return nil, all[0].reject(ctx, s, sc, err)
		}
		return chosen.run(ctx, s, sc, p)
	}
	return a
}

// nothing is the input of an operation that takes none, and the shape of it.
type nothing struct{}

func noInput(*nothing) struct{} { return struct{}{} }

// none is the answer of an operation without output.
func none[Out any](Out) struct{} { return struct{}{} }

func actions() []action {
	var all []action
	for _, of := range [][]action{
		ramUsers(), ramGroups(), ramPolicies(), ramRoles(), ramKeys(), ramMFA(), ramAccount(), ramTags(), stsActions(), stsFederation(),
		imsUsers(), imsLogins(), imsKeys(), imsMFA(), imsGroups(), imsAccount(), imsTags(), imsReports(), imsRecycleBin(), imsProviders(), trailActions(), managerActions(),
	} {
		all = append(all, of...)
	}
	return all
}
