package policy

import (
	"net/netip"
	"testing"
	"time"
)

// TestOperators: what each operator makes of typed values, texts, lists and values
// that it cannot read. The languages' own corpora go further.
func TestOperators(t *testing.T) {
	num := func(n int64) Value { return Number{Int: n, Integer: true} }
	day := func(s string) Value { at, _ := ParseInstant(s); return at }
	nets := []Value{Network(netip.MustParsePrefix("10.0.0.0/8")), Network(netip.MustParsePrefix("2001:db8::/32")), Network(netip.MustParsePrefix("192.0.2.1/32"))}
	many := []Value{Text("a"), Text("b"), Text("c"), Text("d"), Text("e"), Text("f"), Text("g"), Text("h"), Text("i")}
	variable := Pattern{{Kind: Var, Text: "other"}, {Kind: Lit, Text: "-x"}}
	for name, c := range map[string]struct {
		op   Op
		vals []Value
		fact Fact
		want bool
	}{
		"text of a number":         {Equals, []Value{Text("5")}, Int(5), true},
		"one of many":              {Equals, many, String("e"), true},
		"none of many":             {Like, many, String("z"), false},
		"fold":                     {EqualsFold, []Value{Text("ÉCLAIR")}, String("éclair"), true},
		"fold with a variable":     {EqualsFold, []Value{variable}, String("OTHER-X"), true},
		"fold, no such variable":   {EqualsFold, []Value{Pattern{{Kind: Var, Text: "none"}}, Text("a")}, String("A"), true},
		"fold, none":               {EqualsFold, []Value{Text("a")}, String("b"), false},
		"truth of a text":          {BoolIs, []Value{Truth(true)}, String("TRUE"), true},
		"untruth of a text":        {BoolIs, []Value{Truth(false)}, String("False"), true},
		"truth of a number":        {BoolIs, []Value{Truth(true)}, Int(1), false},
		"number, equal":            {NumEquals, []Value{num(5)}, Int(5), true},
		"number in a text":         {NumLess, []Value{num(5)}, String("4.5"), true},
		"no number":                {NumLess, []Value{num(5)}, String("x"), false},
		"number of a truth":        {NumLess, []Value{num(5)}, Bool(true), false},
		"less or equal":            {NumLessEq, []Value{num(5)}, Int(5), true},
		"greater":                  {NumGreater, []Value{num(5)}, Int(6), true},
		"greater or equal":         {NumGreaterEq, []Value{num(5)}, Int(4), false},
		"one of two numbers":       {NumEquals, []Value{num(1), num(2)}, Int(2), true},
		"none of two numbers":      {NumEquals, []Value{num(1), Number{Float: 2.5}}, Int(3), false},
		"date":                     {DateLess, []Value{day("2026-01-02")}, At(time.Unix(0, 0)), true},
		"date in a text":           {DateGreaterEq, []Value{day("2026-01-02")}, String("2026-01-02T00:00:00Z"), true},
		"date as seconds":          {DateLessEq, []Value{day("1970-01-02")}, Int(86400), true},
		"no date":                  {DateEquals, []Value{day("2026-01-02")}, String("soon"), false},
		"date of a truth":          {DateEquals, []Value{day("2026-01-02")}, Bool(true), false},
		"one of two dates":         {DateEquals, []Value{day("2026-01-02"), day("2026-01-03")}, String("2026-01-03"), true},
		"none of two dates":        {DateGreater, []Value{day("2026-01-02"), day("2026-01-03")}, String("2025-01-03"), false},
		"IPv4":                     {InNetwork, nets, Addr(netip.MustParseAddr("10.9.9.9")), true},
		"IPv4 in a text":           {InNetwork, nets, String("192.0.2.1"), true},
		"another IPv4":             {InNetwork, nets, String("192.0.2.2"), false},
		"IPv6":                     {InNetwork, nets, String("2001:db8::5"), true},
		"another IPv6":             {InNetwork, nets, String("2001:db9::5"), false},
		"no address":               {InNetwork, nets, String("10.9.9"), false},
		"address of a number":      {InNetwork, nets, Int(5), false},
		"bytes":                    {BytesEqual, []Value{Bytes("hey")}, String("aGV5"), true},
		"other bytes":              {BytesEqual, []Value{Bytes("hey")}, String("aGV6"), false},
		"no base64":                {BytesEqual, []Value{Bytes("hey")}, String("%"), false},
		"present":                  {Present, nil, String(""), true},
		"empty list":               {Present, nil, Strings(), false},
		"absent":                   {Present, nil, Fact{}, false},
		"field, then a run":        {LikeFields, []Value{Fields{parse("a"), parse("*"), parse("c*")}}, String("a:b:cd"), true},
		"field, then a text":       {LikeFields, []Value{Fields{parse("a"), parse("*"), parse("c")}}, String("a:b:c"), true},
		"field, then more":         {LikeFields, []Value{Fields{parse("a"), parse("*"), parse("c*e")}}, String("a:b:cde"), true},
		"field, text too long":     {LikeFields, []Value{Fields{parse("a"), parse("*"), parse("c")}}, String("a:b:cc"), false},
		"field of eight and more":  {LikeFields, []Value{Fields{parse("a"), parse("*"), parse("c")}}, String("a:12345678901:c"), true},
		"field before a long text": {LikeFields, []Value{Fields{parse("a"), parse("*"), parse("c*")}}, String("a:b:cdefghijklm"), true},
		"field without end":        {LikeFields, []Value{Fields{parse("a"), parse("*"), parse("c")}}, String("a:12345678901"), false},
		"the last of long texts":   {Like, []Value{parse("abcdefghijklmno*")}, String("abcdefghijklmn-x"), false},
		"the first of long texts":  {Like, []Value{parse("abcdefghijklmno*")}, String("-bcdefghijklmnox"), false},
		"exactly one word":         {Like, []Value{parse("abcdefgh")}, String("abcdefgh"), true},
		"ends, no room for both":   {Like, []Value{parse("abc*bcd")}, String("abcd"), false},
		"ends":                     {Like, []Value{parse("abc*bcd")}, String("abcbcd"), true},
		"any characters at an end": {Like, []Value{parse("a*b??")}, String("axxbéz"), true},
		"too few at an end":        {Like, []Value{parse("*???")}, String("ab"), false},
		"too few at a beginning":   {Like, []Value{parse("a??*")}, String("ab"), false},
	} {
		ctx := Map{"other": String("OTHER")}
		if !c.fact.Absent() {
			ctx.Set("k", c.fact)
		}
		got := decide(Rule{Effect: Allow, When: Test{Key: "k", Op: c.op, Values: c.vals}}, ctx) == Allowed
		if got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for quant, want := range map[Quant]map[string]bool{
		One:  {"none": false, "empty": false, "both": true, "one": true, "neither": false},
		Some: {"none": false, "empty": false, "both": true, "one": true, "neither": false},
		Each: {"none": false, "empty": false, "both": true, "one": false, "neither": false},
	} {
		for name, f := range map[string]Fact{"none": {}, "empty": Strings(), "both": Strings("a", "b"), "one": Strings("a", "z"), "neither": Strings("y", "z")} {
			x := Test{Key: "k", Quant: quant, Values: []Value{Text("a"), Text("b")}}
			if got := decide(Rule{Effect: Allow, When: x}, Map{"k": f}) == Allowed; got != want[name] {
				t.Errorf("quantifier %d, %s: %v", quant, name, got)
			}
			x.IfMissing = true
			if got := decide(Rule{Effect: Allow, When: x}, Map{"k": f}) == Allowed; got != (want[name] || name == "none" || name == "empty") {
				t.Errorf("quantifier %d, %s, or missing: %v", quant, name, got)
			}
		}
		x := Test{Key: "k", Quant: quant, Values: []Value{Text("")}, IfMissing: true}
		if got := decide(Rule{Effect: Allow, When: Not{x}}, Map{"k": String("")}) == Allowed; got {
			t.Errorf("quantifier %d: a text that is empty", quant)
		}
	}
	if Deny.String() != "Deny" || Allow.String() != "Allow" || Allowed.String() != "allowed" || ExplicitDeny.String() != "explicit deny" || ImplicitDeny.String() != "implicit deny" {
		t.Error("words")
	}
	if Time(time.Unix(1, 0)) != 1e6 {
		t.Error("Time")
	}
}

func whoIs(ws ...Who) Expr {
	t := Test{Of: FromPrincipal, Op: IsPrincipal}
	for _, w := range ws {
		t.Values = append(t.Values, w)
	}
	return t
}

// TestBounded: a rule of a resource can be about callers that have a boundary.
func TestBounded(t *testing.T) {
	req := Request{Principal: Principal{Kind: User, Account: "1"}, Actions: [MaxLanguages]string{"a:b"}}
	l := Compile([]Rule{{Effect: Deny, Who: Test{Of: FromPrincipal, Op: IsBounded}}}, nil).Layer(Resource)
	l.Owner = "1"
	all := Compile([]Rule{{Effect: Allow}}, nil)
	if got := Decide(&req, all.Layer(Identity), l); !got.Allowed() {
		t.Errorf("without a boundary: %+v", got)
	}
	got := Decide(&req, all.Layer(Identity), l, all.Layer(Boundary))
	if got.Outcome != ExplicitDeny || got.Layer != Resource {
		t.Errorf("with a boundary: %+v", got)
	}
	if trace := Explain(&req, all.Layer(Identity), l, all.Layer(Boundary)); !trace.Layers[1].Deny {
		t.Errorf("%+v", trace)
	}
}

// TestLayers: how the layers come together. The languages' corpora have each row of
// the table; here is one case of each way through it.
func TestLayers(t *testing.T) {
	allow, deny, nothing := Compile([]Rule{{Effect: Allow}}, nil), Compile([]Rule{{Effect: Deny}}, nil), Compile(nil, nil)
	of := func(kind LayerKind, s *Set) Layer { return s.Layer(kind) }
	resource := func(owner string, ws ...Who) Layer {
		l := Compile([]Rule{{Effect: Allow, Who: whoIs(Who{Kind: NoPrincipal})}, {Effect: Allow, Who: whoIs(ws...)}}, nil).Layer(Resource)
		l.Owner = owner
		return l
	}
	key := resource("1", Who{Named, "someone else"})
	key.Explicit = true
	user := Principal{Kind: User, Account: "1", ID: "AID", Names: [MaxLanguages]Names{{Name: "u"}}}
	session := Principal{Kind: RoleSession, Account: "1", Names: [MaxLanguages]Names{{Name: "r", Session: "r/s"}}}
	service := Principal{Kind: Service, Names: [MaxLanguages]Names{{Name: "svc"}}}
	root := Principal{Kind: Root, Account: "1"}
	for name, c := range map[string]struct {
		who    Principal
		layers []Layer
		want   Decision
	}{
		"nothing":                      {user, []Layer{of(Identity, nothing)}, Decision{Layer: Identity}},
		"resource is about another":    {user, []Layer{{Kind: Resource, Owner: "1", Sets: []*Set{Compile([]Rule{{Effect: Allow, What: actionIs("t:*")}}, nil)}}}, Decision{Layer: Identity, Index: -1}},
		"boundary limits":              {user, []Layer{of(Identity, allow), of(Boundary, nothing)}, Decision{Layer: Boundary, Index: 1}},
		"boundary allows":              {user, []Layer{of(Identity, allow), of(Boundary, allow)}, Decision{Outcome: Allowed, Layer: Identity}},
		"boundary denies":              {user, []Layer{of(Identity, allow), of(Boundary, deny)}, Decision{ExplicitDeny, Boundary, 1, nil}},
		"control limits":               {user, []Layer{of(Control, nothing), of(Identity, allow)}, Decision{Layer: Control}},
		"control of the resource":      {user, []Layer{of(Identity, allow), of(ResourceControl, nothing)}, Decision{Layer: ResourceControl, Index: 1}},
		"two identity layers":          {user, []Layer{of(Identity, nothing), of(Identity, allow)}, Decision{Outcome: Allowed, Layer: Identity, Index: 1}},
		"no set in a layer":            {user, []Layer{{Kind: Identity, Sets: []*Set{nil, allow}}}, Decision{Outcome: Allowed, Layer: Identity}},
		"nothing, in two layers":       {user, []Layer{of(Identity, nothing), of(Session, allow)}, Decision{Layer: Identity}},
		"root, nothing":                {root, []Layer{of(Identity, nothing)}, Decision{Outcome: Allowed, Layer: Identity}},
		"service without a resource":   {service, []Layer{of(Identity, allow)}, Decision{Layer: Resource, Index: -1}},
		"service, allowed":             {service, []Layer{resource("1", Who{Named, "svc"})}, Decision{Outcome: Allowed, Layer: Resource}},
		"service, not allowed":         {service, []Layer{resource("1", Who{Named, "other"})}, Decision{Layer: Resource}},
		"named here":                   {user, []Layer{of(Boundary, nothing), resource("1", Who{Named, "u"})}, Decision{Outcome: Allowed, Layer: Resource, Index: 1}},
		"by id":                        {user, []Layer{of(Boundary, nothing), resource("1", Who{WithID, "AID"})}, Decision{Outcome: Allowed, Layer: Resource, Index: 1}},
		"account here":                 {user, []Layer{resource("1", Who{InAccount, "1"})}, Decision{Layer: Identity, Index: -1}},
		"account here, and identity":   {user, []Layer{of(Identity, allow), resource("1", Who{InAccount, "1"})}, Decision{Outcome: Allowed, Layer: Identity}},
		"role of a session, limited":   {session, []Layer{of(Session, nothing), resource("1", Who{Named, "r"})}, Decision{Layer: Session}},
		"session itself":               {session, []Layer{of(Session, nothing), resource("1", Who{Named, "r/s"})}, Decision{Outcome: Allowed, Layer: Resource, Index: 1}},
		"abroad, one side":             {user, []Layer{resource("2", Who{Named, "u"})}, Decision{Layer: Identity, Index: -1}},
		"abroad, both sides":           {user, []Layer{of(Identity, allow), resource("2", Who{Named, "u"})}, Decision{Outcome: Allowed, Layer: Identity}},
		"abroad, the other side":       {user, []Layer{of(Identity, allow), resource("2", Who{Named, "x"})}, Decision{Layer: Resource, Index: 1}},
		"must allow, does not":         {user, []Layer{of(Identity, allow), key}, Decision{Layer: Resource, Index: 1}},
		"resource denies":              {user, []Layer{of(Identity, allow), {Kind: Resource, Sets: []*Set{nil, deny}}}, Decision{ExplicitDeny, Resource, 1, nil}},
		"everyone, and final is final": {user, []Layer{{Kind: Resource, Owner: "1", Sets: []*Set{Join(allow, allow)}}}, Decision{Outcome: Allowed, Layer: Resource}},
	} {
		req := Request{Principal: c.who}
		req.Actions[0] = "S:Do"
		for range 2 {
			got := Decide(&req, c.layers...)
			if got.Rule = nil; got != c.want {
				t.Errorf("%s: %+v, want %+v", name, got, c.want)
			}
			req.Prepare()
		}
	}
}

// TestManyParts: more parts than are read ahead at once, with what denies behind what
// allows.
func TestManyParts(t *testing.T) {
	other := Compile([]Rule{{Effect: Allow, What: actionIs("s:x")}}, nil)
	allows := Compile([]Rule{{Effect: Allow, What: actionIs("s:do")}}, nil)
	denies := Compile([]Rule{{Effect: Deny, What: actionIs("s:*"), When: is("k", "v")}}, nil)
	for n := range 3 * readAhead {
		sets := []*Set{allows}
		for range n {
			sets = append(sets, other, allows)
		}
		for ctx, want := range map[string]Outcome{"v": ExplicitDeny, "w": Allowed} {
			req := Request{Principal: Principal{Kind: User}, Context: Map{"k": String(ctx)}}
			req.SetAction(0, NewAction("s:do"))
			if got := Decide(&req, Join(append(sets, denies)...).Layer(Identity)).Outcome; got != want {
				t.Errorf("%d parts, %s: %v", len(sets)+1, ctx, got)
			}
		}
	}
}

// TestScopes: a narrower scope is asked only where the wider one is silent.
func TestScopes(t *testing.T) {
	allow, deny, nothing := Compile([]Rule{{Effect: Allow}}, nil), Compile([]Rule{{Effect: Deny}}, nil), Compile(nil, nil)
	for _, c := range []struct {
		wide, narrow *Set
		want         Outcome
		narrower     bool
	}{
		{allow, deny, Allowed, false}, {deny, allow, ExplicitDeny, false}, {nothing, allow, Allowed, true}, {nothing, deny, ExplicitDeny, true}, {nothing, nothing, ImplicitDeny, true},
	} {
		req := Request{Principal: Principal{Kind: User}}
		req.Actions[0] = "s:do"
		d, narrower := DecideInScopes(&req, Layer{Sets: []*Set{c.narrow}}, c.wide.Layer(Identity), allow.Layer(Control))
		if d.Outcome != c.want || narrower != c.narrower {
			t.Errorf("%+v, %v; want %v, %v", d, narrower, c.want, c.narrower)
		}
	}
	if s := Join(allow, Compile([]Rule{{Lang: 2, Effect: Allow}}, nil)); !s.Speaks(0) || s.Speaks(1) || !s.Speaks(2) {
		t.Error("Speaks")
	}
}
