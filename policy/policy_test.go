package policy

import (
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func actionIs(names ...string) Expr {
	t := Test{Of: FromAction}
	for _, n := range names {
		t.Values = append(t.Values, parse(n))
	}
	return t
}

func is(key, value string) Test { return Test{Key: key, Values: []Value{Text(value)}} }

func decide(r Rule, ctx Context) Outcome {
	req := Request{Principal: Principal{Kind: User}, Context: ctx}
	req.Actions[r.Lang], req.Resources[r.Lang] = "S:Do", "x:y:Z"
	return Decide(&req, Compile([]Rule{r}, nil).Layer(Identity)).Outcome
}

// TestExpressions: any form of expression, in any of the four places.
func TestExpressions(t *testing.T) {
	yes, no := is("a", "1"), is("a", "2")
	ctx := Map{"a": String("1"), "n": Int(5), "list": Strings("p", "q")}
	resource := func(op Op, vals ...Value) Test { return Test{Of: FromResource, Op: op, Values: vals} }
	everyone := Test{Of: FromPrincipal, Op: IsPrincipal, Values: []Value{Who{Kind: Everyone}}}
	nobody := Test{Of: FromPrincipal, Op: IsPrincipal, Values: []Value{Who{Kind: NoPrincipal}, Who{Kind: Named}, Who{Kind: InAccount}, Who{Kind: WithID}}}
	for name, c := range map[string]struct {
		x    Expr
		want bool
	}{
		"nil": {nil, true}, "All{}": {All{}, true}, "Any{}": {Any{}, false},
		"test": {yes, true}, "not": {Not{no}, true}, "not not": {Not{Not{yes}}, true},
		"all": {All{yes, Not{no}}, true}, "all fails": {All{yes, no}, false}, "any": {Any{no, yes}, true}, "any fails": {Any{no, no}, false},
		"not any": {Not{Any{no, no}}, true}, "not all": {Not{All{yes, yes}}, false}, "nested": {Any{All{yes, no}, All{yes, Any{no, yes}}}, true},
		"not nil": {Not{}, false}, "any of nil": {Any{no, nil}, true},
		"resource":            {resource(Equals, Text("x:y:Z")), true},
		"resource, other":     {resource(Equals, Text("x:y:z")), false},
		"resource, fold":      {resource(EqualsFold, Text("X:Y:z")), true},
		"resource, like fold": {resource(LikeFold, parse("X:*:z")), true},
		"resource, not":       {Not{resource(Like, parse("q*"))}, true},
		"resource, no values": {resource(Like), false},
		"resource, number":    {resource(Like, Number{}), false},
		"two resources":       {All{resource(Like, parse("x*")), resource(Like, parse("*Z"))}, true},
		"two resources, one":  {All{resource(Like, parse("x*")), resource(Like, parse("*z"))}, false},
		"action in a context": {Test{Of: FromAction, Values: []Value{Text("s:do")}}, true},
		"everyone":            {everyone, true}, "nobody": {nobody, false}, "principal without values": {Test{Of: FromPrincipal}, false},
		"any principal": {Any{nobody, everyone}, true}, "all principals": {All{nobody, everyone}, false}, "not a principal": {Not{nobody}, true}, "not everyone": {Not{everyone}, false},
		"like fold":           {Test{Key: "LIST", Op: LikeFold, Values: []Value{parse("P*")}}, true},
		"like fold, variable": {Test{Key: "up", Op: LikeFold, Values: []Value{Pattern{{Kind: Var, Text: "none", Default: "QQ", HasDefault: true}}}, IfMissing: true}, true},
		"equals, wildcards":   {Test{Key: "a", Values: []Value{parse("*"), parse("?")}}, false},
		"unknown operator":    {Test{Key: "a", Op: 99, Values: []Value{Text("1")}}, false},
		"number as text":      {Test{Key: "n", Values: []Value{Text("5")}}, true},
		"wrong value types":   {Test{Key: "n", Op: NumEquals, Values: []Value{Text("5"), Truth(true)}}, false},
		"invalid network":     {Test{Key: "n", Op: InNetwork, Values: []Value{Network(netip.Prefix{})}}, false},
		"bytes of a list":     {Test{Key: "list", Op: BytesEqual, Values: []Value{Bytes("x")}}, false},
		"fields of one":       {Test{Key: "a", Op: LikeFields, Values: []Value{Fields{parse("1")}}}, true},
		"no fields":           {Test{Key: "a", Op: LikeFields, Values: []Value{Fields{}}}, false},
	} {
		for place, r := range map[string]Rule{"Who": {Who: c.x}, "What": {What: c.x}, "Where": {Where: c.x}, "When": {When: c.x}} {
			for _, effect := range []Effect{Allow, Deny} {
				r.Effect = effect
				want := ImplicitDeny
				if c.want {
					want = map[Effect]Outcome{Allow: Allowed, Deny: ExplicitDeny}[effect]
				}
				if got := decide(r, ctx); got != want {
					t.Errorf("%s in %s, %v: %v, want %v", name, place, effect, got, want)
				}
				req := Request{Principal: Principal{Kind: User}, Context: ctx}
				req.Actions[0], req.Resources[0] = "S:Do", "x:y:Z"
				tr := Explain(&req, Compile([]Rule{r}, nil).Layer(Identity))
				if l := tr.Layers[0]; l.Allow != (want == Allowed) || l.Deny != (want == ExplicitDeny) {
					t.Errorf("%s in %s, %v: trace %+v", name, place, effect, l)
				}
			}
		}
	}
	if got := decide(Rule{Effect: Allow, When: Test{Key: "up", Op: LikeFold, Values: []Value{Pattern{{Kind: Var, Text: "low"}, {Kind: Lit, Text: "-X"}}}}}, Map{"up": String("ABC-x"), "low": String("aBc")}); got != Allowed {
		t.Error("LikeFold with a variable")
	}
	if got := decide(Rule{Effect: Allow, When: yes}, nil); got != ImplicitDeny {
		t.Error("no context")
	}
}

// TestActionIndex: each way in which a rule can name actions, for actions that it
// names, that others name, and that nobody names.
func TestActionIndex(t *testing.T) {
	whats := []Expr{
		nil, actionIs("*"), actionIs("s:do"), actionIs("S:DO", "s:undo", "s:do"), actionIs("s:*"), actionIs("s:d*"), actionIs("?:do"), actionIs("bare"), actionIs("s*"), actionIs("*o"),
		actionIs("t:*", "s:un*"), Not{actionIs("*")}, Not{actionIs("s:do")}, Not{actionIs("s:*")}, Not{actionIs("s:d*", "t:x")}, Not{actionIs("*do")}, Not{actionIs()}, actionIs(),
		Any{actionIs("s:do"), actionIs("t:*")}, All{actionIs("s:*"), Not{actionIs("s:do")}}, Not{Any{actionIs("s:do")}}, is("k", "v"), Not{is("k", "v")}, actionIs("s:a:b", "s:a:*"),
	}
	names := []string{"s:do", "S:Do", "s:undo", "s:other", "t:do", "t:x", "u:do", "u:x", "bare", "s", "do", "s:", ":", "s:a:b", "s:a:c", "x:undo"}
	var all []Rule
	for i, w := range whats {
		all = append(all, Rule{ID: RuleID{Index: i}, Effect: Allow, What: w}, Rule{ID: RuleID{Index: i}, Effect: Deny, What: w, When: is("never", "x")})
	}
	filler := Compile([]Rule{{Effect: Allow, What: actionIs("s:other", "u:*", "s:un*"), When: is("never", "x")}}, nil)
	c := &compiler{}
	for i, w := range whats {
		n := c.node(w)
		set := Compile([]Rule{{Effect: Allow, What: w}}, nil)
		for _, name := range names {
			req := Request{Principal: Principal{Kind: User}, Context: Map{"k": String("v")}}
			req.Actions[0] = name
			want := n.matches(lowerASCII(name), &env{req: &req, ctx: req.Context})
			for form, s := range map[string]*Set{"alone": set, "joined": Join(set, filler), "merged": Merge(filler, set)} {
				if got := Decide(&req, s.Layer(Identity)).Allowed(); got != want {
					t.Errorf("%d %v, %s, %s: %v, want %v", i, w, name, form, got, want)
				}
			}
			var some bool
			for _, x := range whats {
				m := c.node(x)
				some = some || m.matches(lowerASCII(name), &env{req: &req, ctx: req.Context})
			}
			if got := Decide(&req, Compile(all, nil).Layer(Identity)).Allowed(); got != some {
				t.Errorf("all, %s: %v, want %v", name, got, some)
			}
		}
	}
}

// TestLanguages: a rule sees its own language's names; a forbid in any language
// wins, an allow in any language permits within each restricting layer.
func TestLanguages(t *testing.T) {
	rule := func(l Language, e Effect, action, resource string) Rule {
		return Rule{Lang: l, Effect: e, What: actionIs(action), Where: Test{Of: FromResource, Op: Like, Values: []Value{parse(resource)}}}
	}
	req := Request{Principal: Principal{Kind: User, Account: "1"}}
	req.Actions = [MaxLanguages]string{"iam:EnableMFADevice", "ram:BindMFADevice", "USER_UPDATE"}
	req.Resources = [MaxLanguages]string{"arn:user", "acs:user", "ocid"}
	silent := req
	silent.Actions[2] = ""
	if got := Decide(&silent, Compile([]Rule{rule(2, Allow, "*", "*")}, nil).Layer(Identity)); got.Allowed() {
		t.Errorf("no name there: %+v", got)
	}
	compile := func(rs ...Rule) *Set { return Compile(rs, nil) }
	aws, ram, oci := compile(rule(0, Allow, "iam:*", "arn:*")), compile(rule(1, Allow, "ram:bind*", "acs:*")), compile(rule(2, Allow, "user_update", "ocid"))
	for name, c := range map[string]struct {
		layers []Layer
		want   Outcome
	}{
		"first":                {[]Layer{aws.Layer(Identity)}, Allowed},
		"second":               {[]Layer{ram.Layer(Identity)}, Allowed},
		"fourth":               {[]Layer{oci.Layer(Identity)}, Allowed},
		"names of another":     {[]Layer{compile(rule(1, Allow, "iam:*", "*")).Layer(Identity)}, ImplicitDeny},
		"forbid elsewhere":     {[]Layer{Join(aws, compile(rule(2, Deny, "USER_UPDATE", "*"))).Layer(Identity)}, ExplicitDeny},
		"forbid in a boundary": {[]Layer{aws.Layer(Identity), Join(aws, compile(rule(1, Deny, "ram:*", "*"))).Layer(Boundary)}, ExplicitDeny},
		"boundary elsewhere":   {[]Layer{aws.Layer(Identity), ram.Layer(Boundary), oci.Layer(Control)}, Allowed},
		"all joined":           {[]Layer{Join(aws, ram, oci).Layer(Identity)}, Allowed},
		"all merged":           {[]Layer{Merge(aws, ram, Join(oci, aws)).Layer(Identity)}, Allowed},
	} {
		if got := Decide(&req, c.layers...).Outcome; got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if got := Explain(&req, c.layers...).Decision.Outcome; got != c.want {
			t.Errorf("%s explained: %v, want %v", name, got, c.want)
		}
	}
	// Names that differ by language identify the same caller.
	req.Principal.Names[1] = Names{Account: "9", ID: "18", Name: "acs:user", Session: "acs:session"}
	who := func(l Language, w Who) Layer {
		l2 := compile(Rule{Lang: l, Effect: Allow, Who: Test{Of: FromPrincipal, Op: IsPrincipal, Values: []Value{w}}}).Layer(Resource)
		l2.Owner = "1"
		return l2
	}
	for w, want := range map[Who]Outcome{{WithID, "18"}: Allowed, {Named, "acs:user"}: Allowed, {Named, "acs:session"}: Allowed, {InAccount, "9"}: ImplicitDeny, {WithID, "1"}: ImplicitDeny} {
		if got := Decide(&req, who(1, w)).Outcome; got != want {
			t.Errorf("%+v: %v, want %v", w, got, want)
		}
	}
	many := req
	many.Actions[0] = "iam:" + strings.Repeat("x", nameBuffer-20)
	if got := Decide(&many, ram.Layer(Identity)); !got.Allowed() {
		t.Error("a long name in one language hides another")
	}
}

// TestPrepare: a prepared request follows when its actions change.
func TestPrepare(t *testing.T) {
	set := Compile([]Rule{{Effect: Allow, What: actionIs("s:do")}}, nil)
	req := Request{Principal: Principal{Kind: User}}
	req.Actions[0] = "S:Do"
	req.Prepare()
	if !Decide(&req, set.Layer(Identity)).Allowed() {
		t.Error("prepared")
	}
	req.Actions[0] = "S:Go"
	if Decide(&req, set.Layer(Identity)).Allowed() {
		t.Error("the old action still counts")
	}
	req.Actions[0] = strings.Clone("S:Do")
	if !Decide(&req, set.Layer(Identity)).Allowed() {
		t.Error("same name elsewhere in memory")
	}
	req.SetAction(0, NewAction("s:DO"))
	if !Decide(&req, set.Layer(Identity)).Allowed() || req.Actions[0] != "s:DO" {
		t.Error("SetAction")
	}
	req.SetAction(0, nil)
	if Decide(&req, set.Layer(Identity)).Allowed() {
		t.Error("no action")
	}
}

func TestKeys(t *testing.T) {
	k := NewKeys("aws:SourceIp", "aws:PrincipalTag/")
	for name, want := range map[string]Key{
		"AWS:sourceip": {"aws:sourceip", 1, ""}, "aws:PrincipalTag/Team": {"aws:principaltag/team", 2, "team"}, "aws:other": {Name: "aws:other"},
		"x/y": {Name: "x/y"}, "aws:SourceIp/x": {Name: "aws:sourceip/x"},
	} {
		if got := k.Key(name); *got != want {
			t.Errorf("%s: %+v", name, *got)
		}
	}
	if got := (*Keys)(nil).Key("A"); *got != (Key{Name: "a"}) {
		t.Errorf("%+v", *got)
	}
	set := Compile([]Rule{{Effect: Allow, When: All{is("AWS:SourceIP", "x"), is("aws:sourceip", "x")}}}, k)
	got := Decide(&Request{Principal: Principal{Kind: User}, Actions: [MaxLanguages]string{"a"}, Context: slots{}}, set.Layer(Identity))
	if !got.Allowed() {
		t.Error("slots")
	}
}

type slots struct{}

func (slots) Lookup(k *Key) Fact {
	if k.Slot == 1 {
		return String("x")
	}
	return Fact{}
}

func TestFacts(t *testing.T) {
	v6 := netip.MustParseAddr("2001:db8::1")
	zoned := netip.MustParseAddr("fe80::1%eth0")
	mapped := netip.MustParseAddr("::ffff:192.0.2.1")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)
	for _, c := range []struct {
		f      Fact
		values []string
	}{
		{Fact{}, nil}, {String(""), []string{""}}, {String("x"), []string{"x"}}, {Strings(), nil}, {Strings("a", "b"), []string{"a", "b"}},
		{Bool(true), []string{"true"}}, {Bool(false), []string{"false"}}, {Int(-7), []string{"-7"}}, {At(at), []string{"2026-01-02T03:04:05.000006Z"}},
		{Addr(v6), []string{"2001:db8::1"}}, {AddrOf(&v6), []string{"2001:db8::1"}}, {Addr(zoned), []string{"fe80::1"}}, {Addr(mapped), []string{"192.0.2.1"}},
		{AddrOf(&mapped), []string{"192.0.2.1"}}, {Addr(netip.Addr{}), nil}, {Addr(netip.MustParseAddr("192.0.2.255")), []string{"192.0.2.255"}},
	} {
		if got := c.f.Values(); !slices.Equal(got, c.values) {
			t.Errorf("%v, want %v", got, c.values)
		}
		text, ok := c.f.Text()
		if ok != (len(c.values) == 1) || ok && text != c.values[0] {
			t.Errorf("%v: text %q %v", c.values, text, ok)
		}
	}
	v4 := netip.MustParseAddr("192.0.2.7")
	if s, _ := AddrOf(&v4).Text(); s != "192.0.2.7" {
		t.Error(s)
	}
	if !(Fact{}).Absent() || Strings().Absent() || String("").Absent() {
		t.Error("Absent")
	}
	if s, ok := Strings("one").Text(); !ok || s != "one" {
		t.Error("a list of one has a text")
	}
}

func TestParseInstant(t *testing.T) {
	day := int64(24 * 3600 * 1e6)
	for s, want := range map[string]int64{
		"1970": 0, "1970-01": 0, "1970-01-02": day, "1970-1-2": day, "1970-01-01T00:00:00Z": 0, "1970-01-01T": 0, "1970-01-01T1": 3600e6, "1970-01-01t01:02Z": 3720e6,
		"1970-01-01T00:00:01.5Z": 1.5e6, "1970-01-01T00:00:00,000001z": 1, "1970-01-01T00:00:00.0000019Z": 1, "1970-01-01T01:00:00+01:00": 0, "1970-01-01T01:00:00+0100": 0,
		"1970-01-01T00:00:00-23": 23 * 3600e6, "86400": day, "-1": -1e6, "0": 0, "2024-02-29": 19782 * day, "-0001-01-01": time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(),
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, "300000-01-01": math.MaxInt64, "-300000-01": math.MinInt64, "01T": time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(),
	} {
		if got, ok := ParseInstant(s); !ok || int64(got) != want {
			t.Errorf("%s: %d %v, want %d", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "x", "2026-13", "2026-00-01", "2023-02-29", "2026-01-32", "2026-01-01T24", "2026-01-01T00:60", "2026-01-01T00:00:60", "2026-01-01T00:00:00.", "2026-01-01T00:00:00.1234567890Z",
		"2026-01-01T00:00:00+1", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+010", "2026-01-01T00:00:00 Z", "2026-01-01Z", "2026-01-01 00:00", "2026-", "T", "9223372036854775808", "1e3", "+5x", "2026-01-01T00:00:00ZZ", "2026-01-01T00:"} {
		if got, ok := ParseInstant(s); ok {
			t.Errorf("%q: %d", s, got)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for s, want := range map[string]Number{"0": {Integer: true}, "-12": {Int: -12, Integer: true}, "+3": {Int: 3, Integer: true}, "1.5": {Float: 1.5}, "1e3": {Float: 1000}, "9223372036854775808": {Float: 9223372036854775808}} {
		if got, ok := ParseNumber(s); !ok || got != want {
			t.Errorf("%s: %+v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "x", "NaN", "inf", "0x10", "1_000", "1e999", "--1", " 1"} {
		if got, ok := ParseNumber(s); ok {
			t.Errorf("%q: %+v", s, got)
		}
	}
}

func TestWalk(t *testing.T) {
	var keys []string
	Walk(All{is("a", ""), Any{Not{is("b", "")}, All{is("c", "")}}, nil}, func(t *Test) { keys = append(keys, t.Key) })
	if !slices.Equal(keys, []string{"a", "b", "c"}) {
		t.Error(keys)
	}
	for _, x := range []Expr{All{}, Any{}, Not{}, Test{}} {
		x.isExpr()
	}
	for _, v := range []Value{Pattern{}, Fields{}, Number{}, Instant(0), Truth(true), Bytes{}, Network{}, Who{}} {
		v.isValue()
	}
}

// TestSeveralResourceLayers: the strictest of them counts for where the resource is,
// the best for how it names the caller.
func TestSeveralResourceLayers(t *testing.T) {
	req := Request{Principal: Principal{Kind: User, Account: "1"}, Actions: [MaxLanguages]string{"a:b"}}
	allow := Compile([]Rule{{Effect: Allow}}, nil)
	home, abroad := allow.Layer(Resource), Layer{Kind: Resource, Owner: "2"}
	home.Owner = "1"
	if got := Decide(&req, home, abroad); got.Allowed() {
		t.Errorf("%+v", got)
	}
	if got := Decide(&req, home, allow.Layer(Identity), abroad); !got.Allowed() || got.Layer != Identity || got.Index != 1 {
		t.Errorf("%+v", got)
	}
}

// TestRootByName: naming the root user is naming its account.
func TestRootByName(t *testing.T) {
	req := Request{Principal: Principal{Kind: Root, Account: "1", Names: [MaxLanguages]Names{{Name: "root"}}}, Actions: [MaxLanguages]string{"a:b"}}
	l := Compile([]Rule{{Effect: Allow, Who: Test{Of: FromPrincipal, Op: IsPrincipal, Values: []Value{Who{Named, "root"}}}}}, nil).Layer(Trust)
	l.Owner = "1"
	if got := Decide(&req, l, Layer{Kind: Session}); got.Outcome != ImplicitDeny || got.Layer != Session {
		t.Errorf("%+v", got)
	}
	if got := Decide(&req, l); got != (Decision{Allowed, Identity, -1, nil}) {
		t.Errorf("%+v", got)
	}
	if tr := Explain(&req, Layer{Kind: Identity, Sets: []*Set{nil}}); len(tr.Layers) != 1 || !tr.Decision.Allowed() {
		t.Errorf("%+v", tr)
	}
}

// TestJoinSizes: sets of every size have room for their parts.
func TestJoinSizes(t *testing.T) {
	req := Request{Principal: Principal{Kind: User}, Actions: [MaxLanguages]string{"s:last"}}
	last := Compile([]Rule{{Effect: Allow, What: actionIs("s:last")}}, nil)
	other := Compile([]Rule{{Effect: Allow, What: actionIs("s:x")}}, nil)
	for n := range 3 * len(roomySet{}.room) {
		sets := slices.Repeat([]*Set{other}, n)
		j := Join(append(sets, last)...)
		if !Decide(&req, j.Layer(Identity)).Allowed() || j.Len() != n+1 || Merge(j, other).Len() != n+2 {
			t.Errorf("%d sets", n)
		}
	}
	if Decide(&req, Join().Layer(Identity)).Allowed() || Decide(&req, Compile(nil, nil).Layer(Identity)).Allowed() {
		t.Error("the empty set allows")
	}
}
