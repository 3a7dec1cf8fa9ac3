package gateway

import (
	"cmp"
	"strconv"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/policy/aws"
)

// authorize asks policy for all that the request needs, and leaves one event in
// the trail, whatever the answer. What changes something is recorded durably
// before it is forwarded.
func (p *passage) authorize() error {
	_, err := ops.Run(p.Context(), p.g.Ops, p.call(), operation(p.derived, p.owner()), p.derived)
	return err
}

// call is the request as the hallway takes it.
func (p *passage) call() ops.Call {
	ip, chain, secure := p.g.Client(p.Request)
	return ops.Call{Caller: p.caller, Once: p.once, RequestID: p.id, EventID: p.event, At: p.at, Source: ops.Source{
		Door: "gateway", Service: p.route.Name, Region: p.sig.Scope.Region, IP: ip, Chain: chain, Secure: secure,
		UserAgent: p.UserAgent(), Referer: p.Referer(),
	}}
}

// unclearOperation stands in the trail for a request that could not be judged.
// Whether it would have changed something is not known, so it counts as if.
func unclearOperation(s *Service, d *Derived) ops.Op[*Derived, struct{}] {
	name := cmp.Or(d.Operation, "Unknown")
	return ops.Op[*Derived, struct{}]{Name: name, Grants: ops.Names{AWS: s.ownPrefix() + ":" + name}, Mode: ops.Write}
}

// operation is another service's operation as one of the hallway's: it does
// nothing but be allowed.
func operation(d *Derived, owner name.Account) ops.Op[*Derived, struct{}] {
	op := ops.Op[*Derived, struct{}]{
		Name:   d.Operation,
		Grants: d.Needs[0].names(),
		Target: func(env *ops.Env, d *Derived) (ops.Target, error) {
			t := targetOf(d)
			t.Account = owner
			if env.Call.Caller.Account != owner {
				return t, fault.New(fault.Denied, "the service belongs to another account")
			}
			return t, nil
		},
		Record: record,
		Do:     func(*ops.Env, *Derived) (struct{}, error) { return struct{}{}, nil },
	}
	if !d.ReadOnly {
		op.Mode = ops.Write
	}
	if d.asked != nil {
		op.Grants = d.asked.names
		return operationOCI(op)
	}
	return op
}

// targetOf is what a request is authorised on and what the trail says of it.
func targetOf(d *Derived) ops.Target {
	t := ops.Target{Noun: d.Service, Resources: d.Needs[0].Resources, Keys: d.Keys}
	if len(t.Resources) > 0 {
		t.Name = t.Resources[0]
	}
	for _, n := range d.Needs[1:] {
		if n.Resources == nil {
			n.Resources = []string{"*"}
		}
		t.Also = append(t.Also, ops.Need{Grants: n.names(), Resources: n.Resources})
	}
	for _, tag := range d.Tags {
		t.RequestTags = append(t.RequestTags, iam.Tag{Key: tag.Key, Value: tag.Value})
	}
	return t
}

// names are what the languages call a need's action.
func (n *Need) names() ops.Names { return ops.Names{AWS: n.Action, RAM: n.RAM} }

// record notes what else was asked for, and on how many resources; their names
// may be a thousand.
func record(d *Derived) audit.Fields {
	f := audit.Fields{}
	if n := len(d.Needs[0].Resources); n > 0 {
		f["resource"] = d.Needs[0].Resources[0]
		if n > 1 {
			f["resources"] = strconv.Itoa(n)
		}
	}
	for _, n := range d.Needs[1:] {
		if len(n.Resources) > 0 {
			f[n.Action] = n.Resources[0]
		}
	}
	return f
}

// sentence is policy's no in a protocol's words.
func (g *Gateway) sentence(p Protocol, no *ops.Denial) string {
	if p == ACS {
		return "" // it has the same for everybody
	}
	d := aws.Denial{Caller: no.Caller, Action: no.Action, Resource: no.Resource, Decision: no.Decision}
	switch {
	case p == S3:
		d.Resource = `"` + d.Resource + `"`
	case d.Resource == "*":
		d.Resource = ""
	}
	if p != EC2 {
		return d.Message()
	}
	message := g.Ops.EncodeDenial(no)
	if message == "" {
		return d.Message()
	}
	return d.Message() + ". Encoded authorization failure message: " + message
}
