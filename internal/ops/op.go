package ops

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/store"
)

// Mode says which transaction an operation runs in.
type Mode uint8

// The modes. The event of a Write is durable before the answer; the event of a
// Read survives the process before the answer, and a power failure a moment
// later (see store.Record).
const (
	Read Mode = iota
	Write
)

// Permission says how much policy must say for an operation to go on.
type Permission uint8

// The kinds of permission.
const (
	MustAllow    Permission = iota // a statement must allow it
	UnlessDenied                   // anyone signed in, unless a statement denies it (GetSessionToken)
	Always                         // policy has no say (GetCallerIdentity)
)

// Names is what each policy language calls an operation. It is judged under all
// of them at once: a deny in any language stops it at every door. See names.go
// for those that follow from AWS's.
type Names struct {
	AWS string // service:Action
	RAM string // code:Action of Alibaba Cloud; "" if it follows from AWS's
	OCI string // operation of Oracle's Identity service; "" if it follows from AWS's

	// OCIPermissions are what OCI needs, separated by blanks, where Oracle's own
	// table does not say: an operation of a service behind the gateway.
	OCIPermissions string
}

// Op is one operation, whichever door it was asked for at. Ops are literals:
// a test walks Catalog and fails when one lacks a name, a grant, a record rule
// or a door.
type Op[In, Out any] struct {
	Name       string // "EnableTOTP": name in the trail, metric label, coverage row
	Grants     Names
	Permission Permission
	Mode       Mode

	// Needs is what a person in the console must have proved a short while ago.
	// It does not bind requests that are signed with a key.
	Needs Assurance

	// Before does slow work for which no transaction must wait: it hashes
	// passwords. It decides nothing; what it finds goes into the input, and Do
	// checks that it still holds. Where the operation must be allowed, policy is
	// asked before it, too. nil for most.
	Before func(context.Context, *Server, *Call, In) (In, error)

	// Target says what is authorized and recorded, resolved inside the
	// transaction. A noun that does not exist is no error here: permission is
	// asked first, so that a caller without it learns nothing about existence.
	Target func(*Env, In) (Target, error)

	// Record is the allow-list of inputs for the trail; nil records none.
	Record func(In) audit.Fields

	// Do loads, checks and changes. It may touch nothing but Env.
	Do func(*Env, In) (Out, error)
}

// Call is one request as a door hands it over, its signature verified.
type Call struct {
	Caller    Caller
	Source    Source
	RequestID string
	EventID   string    // of the event that the request leaves; "" = any
	Once      *Once     // of a request whose signature has a nonce
	At        time.Time // when the door took the request; the operation's now
}

// Source is where a request came from and how.
type Source struct {
	Door      string       // aws, gateway, console, host
	Language  iam.Language // language of the policy documents that come through the door; "" = AWS's
	Service   string       // the service asked: iam, sts, ec2, …
	Region    string       // the region in the signature's scope
	IP        netip.Addr   // the client's address, after trusted proxies
	Chain     string       // what trusted proxies reported, for the trail
	UserAgent string
	Referer   string
	Secure    bool   // TLS to the client, here or at a trusted proxy
	Locale    string // language of the person at a browser: en, ja, zh; "" elsewhere
}

// Env is all that an operation may touch.
type Env struct {
	context.Context
	*Server
	Call Call
	Tx   *store.Tx
	Now  time.Time

	mode  Mode
	rules *principal   // the caller's compiled policies, as of this transaction
	ev    *audit.Event // what will be recorded, for operations that learn who it is about

	recovering bool // the factors that the user has end with what is under way

	behind string // whoever does this as the caller, who did not prove to be it; "" for most
}

// refusal is a refusal whose effects stay: a counted wrong code, a burnt one.
// Any other error rolls back what Do wrote.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// refuse ends an operation with err and keeps what it wrote.
func refuse(err error) error { return &refusal{err} }

// Run carries out one operation: begin, target, decide, do, record, commit.
// The errors are faults; an error of another kind is Internal.
func Run[In, Out any](ctx context.Context, s *Server, call Call, op Op[In, Out], in In) (Out, error) {
	done, err := Perform(ctx, s, &call, &op, in)
	out, _ := done.(Out)
	return out, err
}

// Operation is an Op whatever its types. The program has one copy of what is
// written in terms of it, and a copy for each operation of what is written in
// terms of Op.
type Operation interface {
	entry() Entry
	target(*Env, any) (Target, error)
	before(context.Context, *Server, *Call, any) (any, error)
	record(any) audit.Fields
	do(*Env, any) (any, error)
}

func (op *Op[In, Out]) entry() Entry {
	return Entry{op.Name, op.Grants, op.Mode, op.Permission, op.Needs, op.Record != nil, op.Before != nil}
}

func (op *Op[In, Out]) target(env *Env, in any) (Target, error) { return op.Target(env, in.(In)) }

func (op *Op[In, Out]) before(ctx context.Context, s *Server, call *Call, in any) (any, error) {
	return op.Before(ctx, s, call, in.(In))
}

func (op *Op[In, Out]) record(in any) audit.Fields { return op.Record(in.(In)) }

func (op *Op[In, Out]) do(env *Env, in any) (any, error) { return op.Do(env, in.(In)) }

// work is a call of an operation.
type work struct {
	Entry
	op      Operation
	in, out any
}

// Perform is Run for those who do not know the operation's types: in is of its
// input's type, and the result of its output's.
func Perform(ctx context.Context, s *Server, call *Call, op Operation, in any) (any, error) {
	w := work{Entry: op.entry(), op: op, in: in}
	err := w.run(ctx, s, call)
	return w.out, err
}

func (w *work) run(ctx context.Context, s *Server, call *Call) error {
	ev, began := w.begin(s, call)
	if w.Records {
		ev.Params = w.op.record(w.in)
	}

	var err error
	begun := ev
	open := func(tx *store.Tx, mode Mode) *Env {
		ev = begun // a transaction may be tried again
		return &Env{Context: ctx, Server: s, Call: *call, Tx: tx, Now: call.At, mode: mode, ev: &ev}
	}
	if w.Prepares {
		if w.Permission == MustAllow { // nobody else may have slow work done; the transaction asks again
			err = s.store.View(ctx, func(tx *store.Tx) error { return w.judge(open(tx, Read)) })
		}
		if err == nil {
			w.in, err = w.op.before(ctx, s, call, w.in)
		}
		if failed := err; failed != nil {
			return s.finish(call, &ev, began, s.update(ctx, func(*store.Tx) error { return failed }, &ev))
		}
	}

	step := func(tx *store.Tx) error {
		env := open(tx, w.Mode)
		err := env.spend()
		if err == nil {
			err = w.judge(env)
		}
		if err == nil {
			w.out, err = w.op.do(env, w.in)
		}
		return err
	}

	if w.Mode == Read {
		err = s.store.View(ctx, step)
		err = s.record(ctx, &ev, err)
	} else {
		err = s.update(ctx, step, &ev)
	}
	return s.finish(call, &ev, began, err)
}

// begin makes the event of a call and starts its clock: the monotonic one, for
// the metrics.
func (e *Entry) begin(s *Server, call *Call) (audit.Event, time.Time) {
	if call.At.IsZero() {
		call.At = s.now()
	}
	return s.newEvent(call, e.Name, e.Grants.action(), e.Mode == Read), time.Now()
}

// Reject records a call whose input its door cannot read, and returns err, which
// says why, for the door to word. The trail is not told: the reason quotes the
// input, which may be a secret. When the trail cannot be written, that is the
// error.
func Reject(ctx context.Context, s *Server, call *Call, op Operation, err error) error {
	e := op.entry()
	ev, began := e.begin(s, call)
	unread := fault.New(fault.Invalid, "the input is not valid")
	recorded := s.record
	if e.Mode == Write {
		recorded = func(ctx context.Context, ev *audit.Event, err error) error {
			return s.update(ctx, func(*store.Tx) error { return err }, ev)
		}
	}
	if e := s.finish(call, &ev, began, recorded(ctx, &ev, unread)); !errors.Is(e, unread) {
		return e
	}
	return err
}

// judge makes sure who asks, and that they may.
func (w *work) judge(env *Env) error {
	if err := env.admit(); err != nil {
		return err
	}
	return w.allow(env)
}

// allow finds what the operation is about, and asks policy.
func (w *work) allow(env *Env) error {
	target, err := w.op.target(env, w.in)
	env.ev.Target = target.recorded()
	if err == nil {
		err = env.decide(w.Grants, w.Permission, &target, env.ev)
	}
	if err == nil {
		err = env.assure(w.Needs, &target)
	}
	return err
}

// record writes the event of an operation that changed nothing. A trail that
// cannot be written refuses the operation.
func (s *Server) record(ctx context.Context, ev *audit.Event, err error) error {
	end(ev, err)
	if r := (*refusal)(nil); errors.As(err, &r) {
		err = r.err
	}
	if err != nil && s.unheard(ev) {
		return err
	}
	if trail := s.store.Record(context.WithoutCancel(ctx), *ev); trail != nil {
		return fault.Wrap(trail, "record the event")
	}
	return err
}

// update runs step in a durable transaction that also holds its event. When
// step fails, what it wrote is rolled back and its event is written alone. A
// client that hangs up undoes neither: a wrong code stays counted (C-3).
func (s *Server) update(ctx context.Context, step func(*store.Tx) error, ev *audit.Event) error {
	ctx = context.WithoutCancel(ctx)
	var kept error // the error of a step whose writes stay
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		kept = nil
		err := step(tx)
		if r := (*refusal)(nil); errors.As(err, &r) {
			kept, err = r.err, nil
		}
		if err != nil {
			return err
		}
		end(ev, kept)
		return tx.AppendEvents(*ev)
	})
	if err == nil {
		return kept
	}
	end(ev, err)
	if s.unheard(ev) {
		return err
	}
	if trail := s.store.Update(ctx, func(tx *store.Tx) error { return tx.AppendEvents(*ev) }); trail != nil {
		return fault.Wrap(errors.Join(err, trail), "record the event")
	}
	return err
}
