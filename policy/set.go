package policy

// Set is an immutable compiled policy. It may be shared between principals and
// used by any number of goroutines.
type Set struct{ rules []Rule }

// Compile compiles rules, which must not be changed afterwards. keys numbers the
// context keys for the Context that will be asked; nil if it goes by name.
func Compile(rules []Rule, keys *Keys) *Set { return &Set{rules: rules} }

// Join returns a set that stands for all the sets given, which stay shared.
func Join(sets ...*Set) *Set {
	out := &Set{}
	for _, s := range sets {
		out.rules = append(out.rules, s.rules...)
	}
	return out
}

// Decide answers a request. It neither allocates nor locks.
func Decide(req *Request, layers ...Layer) Decision { return Decision{} }

// Explain answers like Decide and tells why.
func Explain(req *Request, layers ...Layer) (Decision, Trace) {
	return Decide(req, layers...), Trace{}
}

// Trace tells how a decision came about.
type Trace struct{ Layers []LayerTrace }

// LayerTrace is what one layer said.
type LayerTrace struct {
	Kind    LayerKind
	Outcome Outcome
	Rules   []RuleTrace // those whose action matched, denies first
}

// RuleTrace is how one rule fared.
type RuleTrace struct {
	Rule             *Rule
	Who, Where, When bool
	Applies          bool
	Conditions       []TestTrace
}

// TestTrace is how one condition fared.
type TestTrace struct {
	Label string // the condition in its language's words
	Key   string
	Holds bool
	Found bool     // the request has the key
	Saw   []string // the values that the request has for it
}
