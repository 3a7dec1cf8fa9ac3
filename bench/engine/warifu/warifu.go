// Package warifu adapts this project's policy engine to the benchmark of decision
// engines.
package warifu

import (
	"fmt"
	"net/netip"
	"strings"

	"perfbench/engine"
	"perfbench/workload"
	"warifu/policy"
	"warifu/policy/aws"
)

func init() { engine.Register(eng{}) }

type eng struct{}

func (eng) Info() engine.Info {
	return engine.Info{Name: "warifu", Module: "warifu/policy", License: "Apache-2.0", Notes: "the AWS language as it is; nothing had to be bridged"}
}

// keys are the context keys that the workload's requests carry, in the order of the
// slots below.
var keys = policy.NewKeys(workload.KeySourceIP, workload.KeyMFAPresent, workload.KeyMFAAge, workload.KeyCurrentTime, workload.KeyUsername,
	workload.KeyTeam, workload.KeyRegion, workload.KeySecure, workload.KeyS3Prefix, workload.KeyInstanceType)

const (
	_ = iota
	sourceIP
	mfaPresent
	mfaAge
	currentTime
	username
	team
	region
	secure
	s3Prefix
	instanceType
)

// context is the request's keys in the types that policy wants.
type context struct {
	now, mfaAge                             int64
	mfa                                     int8
	secure                                  bool
	sourceIP                                netip.Addr
	username, team, region, prefix, machine string
}

func (x *context) set(c *workload.Context) {
	*x = context{now: c.Now.UnixMicro(), mfaAge: c.MFAAge, mfa: c.MFA, secure: c.Secure, sourceIP: c.SourceIP,
		username: c.Username, team: c.Team, region: c.Region, prefix: c.S3Prefix, machine: c.InstanceType}
}

func (x *context) Lookup(key *policy.Key) policy.Fact {
	switch key.Slot {
	case sourceIP:
		return policy.AddrOf(&x.sourceIP)
	case mfaPresent:
		if x.mfa >= 0 {
			return policy.Bool(x.mfa == 1)
		}
	case mfaAge:
		if x.mfaAge >= 0 {
			return policy.Int(x.mfaAge)
		}
	case currentTime:
		return policy.Micros(x.now)
	case username:
		return policy.String(x.username)
	case team:
		return policy.String(x.team)
	case region:
		return policy.String(x.region)
	case secure:
		return policy.Bool(x.secure)
	case s3Prefix:
		if x.prefix != "" {
			return policy.String(x.prefix)
		}
	case instanceType:
		if x.machine != "" {
			return policy.String(x.machine)
		}
	}
	return policy.Fact{}
}

// few is up to how many principals each gets an index of its own over all its
// policies: it takes memory, so it is for those that are asked about often.
const few = 100

type inst struct {
	actions    map[string]*policy.Action // those that requests are about, as a server knows its operations
	principals map[string]*principal

	// What a server keeps for each connection, and fills in for each request; here there
	// is one goroutine.
	req    policy.Request
	layers [1]policy.Layer
	fresh  request // of DecideFresh
}

type principal struct {
	name string
	sets []*policy.Set
}

func (eng) Load(w *workload.Workload) (engine.Instance, error) {
	sets := make([]*policy.Set, len(w.Policies))
	for i := range w.Policies {
		p := &w.Policies[i]
		doc, err := aws.Parse(p.JSON, aws.Inline)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.ID, err)
		}
		sets[i] = policy.Compile(doc.Rules(policy.RuleID{Policy: p.ID}), keys)
	}
	in := &inst{actions: map[string]*policy.Action{}, principals: make(map[string]*principal, len(w.Principals))}
	in.req.Principal = policy.Principal{Kind: policy.User, Account: workload.Account}
	in.layers[0].Kind = policy.Identity
	for _, a := range workload.Actions() {
		in.actions[a] = policy.NewAction(a)
	}
	for i := range w.Principals {
		p := &w.Principals[i]
		var mine []*policy.Set
		for _, n := range w.PoliciesOf(p) {
			mine = append(mine, sets[n])
		}
		all := policy.Join(mine...)
		if len(w.Principals) <= few {
			all = policy.Merge(mine...)
		}
		in.principals[p.Name] = &principal{"arn:aws:iam::" + workload.Account + ":user/" + p.Name, all.Layer(policy.Identity).Sets}
	}
	return in, nil
}

// request is a request in the types that policy wants.
type request struct {
	ctx      context
	action   *policy.Action
	resource string
	name     string        // of the principal
	sets     []*policy.Set // its policies; none if there is no such principal
}

func (in *inst) fill(q *request, r *workload.Request) {
	q.ctx.set(&r.Ctx)
	q.action, q.resource = in.actions[r.Action], r.Resource
	q.name, q.sets = "", nil
	if p := in.principals[r.Principal]; p != nil {
		q.name, q.sets = p.name, p.sets
	}
}

func (in *inst) Prepare(r *workload.Request) any {
	q := &request{}
	in.fill(q, r)
	q.resource = strings.Clone(r.Resource)
	return q
}

func (in *inst) Decide(prepared any) (bool, error) {
	q := prepared.(*request)
	in.req.Context = &q.ctx
	in.req.SetAction(aws.Language, q.action)
	in.req.Resources[aws.Language] = q.resource
	in.req.Principal.Names[aws.Language].Name = q.name
	in.layers[0].Sets = q.sets
	return policy.Decide(&in.req, in.layers[:]...).Allowed(), nil
}

// DecideFresh makes the request in the loop.
func (in *inst) DecideFresh(r *workload.Request) (bool, error) {
	in.fill(&in.fresh, r)
	return in.Decide(&in.fresh)
}
