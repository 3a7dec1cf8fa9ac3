package ops

import (
	"errors"

	"warifu/internal/audit"
)

// A part is an operation that is carried out within the transaction of another,
// which has admitted the caller. It is judged as it would be by itself and leaves
// an event of its own. When it fails the whole does, and nothing stays, the effects
// of a refusal included. What Before does, whoever asks for the part has done.
type part struct {
	work
	whole *Env
	env   Env
	ev    audit.Event
}

func newPart[In, Out any](whole *Env, op *Op[In, Out], in In) *part {
	p := &part{work: work{Entry: op.entry(), op: op, in: in}, whole: whole, env: *whole}
	p.ev, _ = p.begin(whole.Server, &whole.Call)
	p.ev.ID = whole.newID()
	if p.Records {
		p.ev.Params = p.op.record(in)
	}
	p.env.ev = &p.ev
	return p
}

// allow asks policy and the session's proofs.
func (p *part) allow() error { return p.failed(p.work.allow(&p.env)) }

// do does what was allowed.
func (p *part) do() (err error) {
	if p.out, err = p.op.do(&p.env, p.in); err != nil {
		return p.failed(err)
	}
	end(&p.ev, nil)
	return p.env.Tx.AppendEvents(p.ev)
}

// failed says in the event of the whole which part it was.
func (p *part) failed(err error) error {
	if r := (*refusal)(nil); errors.As(err, &r) {
		err = r.err
	}
	if err != nil && p.ev.Why != "" {
		p.whole.ev.Why = p.Name + ": " + p.ev.Why
	}
	return err
}

// within carries out a part.
func within[In, Out any](whole *Env, op *Op[In, Out], in In) (out Out, err error) {
	p := newPart(whole, op, in)
	if err = p.allow(); err == nil {
		err = p.do()
	}
	out, _ = p.out.(Out)
	return out, err
}

// parts are all that a larger operation is made of.
type parts struct {
	env *Env
	all []*part
}

// add adds an operation.
func add[In, Out any](p *parts, op Op[In, Out], in In) {
	p.all = append(p.all, newPart(p.env, &op, in))
}

// run asks for every part and then does them in order.
func (p *parts) run() error {
	for _, each := range p.all {
		if err := each.allow(); err != nil {
			return err
		}
	}
	for _, each := range p.all {
		if err := each.do(); err != nil {
			return err
		}
	}
	return nil
}
