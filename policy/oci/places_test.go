package oci

import (
	"fmt"
	"testing"

	"warifu/policy"
)

// estate is a tenancy of 50 compartments, ten of which have four below each, with 500
// statements of ten groups.
type estate struct {
	groups   [10]Places
	paths    []string // of the tenancy and each compartment
	requests []policy.Request
}

var estateTypes = []string{"users", "instance-family", "all-resources", "objects", "groups", "virtual-network-family", "policies"}

func newEstate(t testing.TB) *estate {
	e := &estate{paths: []string{Path(tenancy)}}
	names := Names{}
	var called []string
	for c := range 50 {
		id := fmt.Sprintf("ocid1.compartment.oc1..aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%02d", c)
		name := fmt.Sprintf("c%d", c)
		above := Path(tenancy)
		if c >= 10 {
			name, above = called[c%10]+":"+name, e.paths[1+c%10]
		}
		called = append(called, name)
		names[Reference{Kind: Compartment, Name: name}] = id
		e.paths = append(e.paths, above+id+"/")
	}
	for g := range e.groups {
		group := fmt.Sprintf("g%d", g)
		names[Reference{Kind: Group, Name: group}] = groupID(group)
		rules := map[string][]policy.Rule{}
		for c := range 50 {
			where := "compartment " + called[c]
			if c == g {
				where = "tenancy"
			}
			effect := "allow"
			if (c+g)%17 == 0 {
				effect = "deny"
			}
			text := fmt.Sprintf("%s group %s to %s %s in %s where request.user.mfaTotpVerified = 'true'", effect, group, verbNames[(c+g)%4], estateTypes[(c+3*g)%len(estateTypes)], where)
			for _, b := range parsed(t, text).Bind(policy.RuleID{Policy: text}, Site{Tenancy: tenancy, Compartment: tenancy}, names) {
				rules[b.Place] = append(rules[b.Place], b.Rule)
			}
		}
		for place, rules := range rules {
			e.groups[g].Add(place, policy.Compile(rules, nil))
		}
	}
	for _, permission := range []string{"USER_INSPECT", "INSTANCE_READ", "OBJECT_CREATE", "GROUP_UPDATE", "VCN_READ", "POLICY_DELETE", "USER_TOTPDEVICE_REMOVE", "SOMETHING_NEW"} {
		for _, path := range e.paths {
			req := policy.Request{Principal: policy.Principal{Kind: policy.User, Account: "1"}}
			req.Actions[Language], req.Resources[Language] = permission, path
			req.Prepare()
			e.requests = append(e.requests, req)
		}
	}
	return e
}

// of are the statements of the first n groups, and a context in which they are the caller's.
func (e *estate) of(n int) (Places, policy.Map) {
	var mine Places
	var ids []string
	for g := range n {
		mine.AddAll(&e.groups[g])
		ids = append(ids, groupID(fmt.Sprintf("g%d", g)))
	}
	ctx := policy.Map{}
	ctx.Set("request.groups.id", policy.Strings(ids...))
	ctx.Set("request.user.mfaTotpVerified", policy.String("true"))
	return mine, ctx
}

// What is left out because of where a request's target lies would not have counted.
func TestPlacesLeaveOutNothingThatCounts(t *testing.T) {
	e := newEstate(t)
	for _, n := range []int{1, 3, 10} {
		mine, ctx := e.of(n)
		all := policy.Layer{Kind: policy.Identity, Sets: mine.All(nil)}
		seen := map[policy.Outcome]int{}
		for i := range e.requests {
			req := e.requests[i]
			req.Context = ctx
			want := policy.Decide(&req, all)
			some := policy.Layer{Kind: policy.Identity, Sets: mine.At(nil, req.Resources[Language])}
			if got := policy.Decide(&req, some); got.Outcome != want.Outcome {
				t.Errorf("%s at %s: %v, and %v with all statements", req.Actions[Language], req.Resources[Language], got, want)
			}
			seen[want.Outcome]++
		}
		if len(seen) != 3 {
			t.Errorf("%d groups: %v", n, seen)
		}
	}
	var none Places
	if len(none.At(nil, Path(tenancy)))+len(none.All(nil)) != 0 {
		t.Error("nothing is something")
	}
}

// BenchmarkDecide decides in a tenancy of 50 compartments with 500 statements, for
// callers in one, three and all of its ten groups.
func BenchmarkDecide(b *testing.B) {
	e := newEstate(b)
	for _, n := range []int{1, 3, 10} {
		b.Run(fmt.Sprintf("groups=%d", n), func(b *testing.B) {
			mine, ctx := e.of(n)
			for i := range e.requests {
				e.requests[i].Context = ctx
			}
			layer := policy.Layer{Kind: policy.Identity}
			var room [64]*policy.Set
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				req := &e.requests[i]
				layer.Sets = mine.At(room[:0], req.Resources[Language])
				policy.Decide(req, layer)
				if i++; i == len(e.requests) {
					i = 0
				}
			}
		})
	}
}
