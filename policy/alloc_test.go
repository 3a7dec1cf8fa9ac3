package policy

import (
	"net/netip"
	"testing"
	"time"
)

// TestNoAllocation: decisions do not allocate, whether the request is prepared or
// not, over several layers and languages, with variables and typed facts.
func TestNoAllocation(t *testing.T) {
	v6 := netip.MustParseAddr("2001:db8::1")
	ctx := Map{"ip": AddrOf(&v6), "user": String("ann"), "mfa": Bool(true), "age": Int(5), "now": At(time.Unix(5, 0)), "tags": Strings("a", "b")}
	when := All{
		Test{Key: "IP", Op: InNetwork, Values: []Value{Network(netip.MustParsePrefix("10.0.0.0/8")), Network(netip.MustParsePrefix("2001:db8::/32"))}},
		Test{Key: "mfa", Op: BoolIs, Values: []Value{Truth(true)}}, Test{Key: "age", Op: NumLess, Values: []Value{Number{Int: 9, Integer: true}}},
		Test{Key: "now", Op: DateLess, Values: []Value{Instant(1e9)}}, Test{Key: "tags", Quant: Each, Values: []Value{Text("a"), Text("b")}},
		Not{Test{Key: "user", Values: []Value{Text("bob")}}},
	}
	mine := Pattern{{Kind: Lit, Text: "arn:home/"}, {Kind: Var, Text: "user"}, {Kind: Lit, Text: "/"}, {Kind: AnyRun}}
	set := Compile([]Rule{{Effect: Allow, What: actionIs("s:get*"), Where: Test{Of: FromResource, Op: Like, Values: []Value{mine}}, When: when}, {Lang: 1, Effect: Deny, What: actionIs("r:*"), When: Not{when}}}, nil)
	req := Request{Principal: Principal{Kind: RoleSession, Account: "1"}, Context: ctx}
	req.Actions, req.Resources = [MaxLanguages]string{"S:GetObject", "R:GetThing"}, [MaxLanguages]string{"arn:home/ann/x", "y"}
	who := Test{Of: FromPrincipal, Op: IsPrincipal, Values: []Value{Who{InAccount, "1"}}}
	resource := Compile([]Rule{{Effect: Allow, Who: who}}, nil).Layer(Resource)
	resource.Owner = "1"
	layers := []Layer{set.Layer(Identity), set.Layer(Boundary), set.Layer(Session), set.Layer(Control), resource}
	check := func(name string) {
		if d := Decide(&req, layers...); !d.Allowed() {
			t.Errorf("%s: %+v", name, d)
		}
		if n := testing.AllocsPerRun(100, func() { Decide(&req, layers...) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	check("as given")
	req.Prepare()
	check("prepared")
	v4 := netip.MustParseAddr("10.0.0.1")
	if n := testing.AllocsPerRun(100, func() { Addr(v4) }); n != 0 {
		t.Errorf("Addr: %v allocations", n)
	}
}
