package policy

import (
	"net/netip"
	"time"
)

// Language numbers the policy language that a rule was written in. A rule sees
// only the names of its own language in a request.
type Language uint8

// MaxLanguages is how many languages one request can carry names for: as many as
// there are, for requests are large and decisions wait for memory.
const MaxLanguages = 3

// Effect is what a rule does when it applies.
type Effect uint8

const (
	Allow Effect = iota + 1
	Deny
)

func (e Effect) String() string {
	if e == Deny {
		return "Deny"
	}
	return "Allow"
}

// RuleID says where a rule was written.
type RuleID struct {
	Policy  string // the policy's name or ARN, as the caller knows it
	Version string // the policy's version, such as "v3"; empty for inline policies
	Sid     string // the statement's own id, if it has one
	Index   int    // position of the statement in the document, from 0
	Line    int    // 1-based
	Column  int    // 1-based, in bytes

	// EndLine and EndColumn are the place just behind it; 0 if the language does not
	// tell.
	EndLine, EndColumn int
}

// Rule is one statement after its language is gone. It applies to a request when
// all four expressions hold; a nil expression holds always.
type Rule struct {
	ID     RuleID
	Lang   Language
	Effect Effect
	Who    Expr // tests FromPrincipal
	What   Expr // tests FromAction
	Where  Expr // tests FromResource
	When   Expr // tests FromContext
}

// Expr is a closed sum type: All, Any, Not, Test. Evaluation is total.
type Expr interface{ isExpr() }

// All holds when each part holds; the empty All holds.
type All []Expr

// Any holds when some part holds; the empty Any does not.
type Any []Expr

// Not holds when X does not.
type Not struct{ X Expr }

// Test compares what a request says with the values of a rule.
type Test struct {
	Of        Subject // what is compared; FromContext is the zero value
	Key       string  // the context key, case-insensitive; only for FromContext
	Op        Op
	Values    []Value // alternatives; of the type that Op wants, others match nothing
	Quant     Quant
	IfMissing bool   // the answer when the key is absent or has no values
	Label     string // the condition in its language's words, for traces
}

func (All) isExpr()  {}
func (Any) isExpr()  {}
func (Not) isExpr()  {}
func (Test) isExpr() {}

// Subject is the part of a request that a test looks at.
type Subject uint8

const (
	FromContext Subject = iota
	FromAction
	FromResource
	FromPrincipal
)

// Op compares one value of a request with one value of a rule.
type Op uint8

const (
	Equals        Op = iota // Pattern without wildcards; bytes are equal
	EqualsFold              // Pattern without wildcards; equal under Unicode case folding
	Like                    // Pattern; wildcards
	LikeFold                // Pattern; wildcards, ASCII letters match either case
	LikeFields              // Fields: each colon-delimited field on its own; or Pattern for the whole
	NumEquals               // Number
	NumLess                 // Number; request < rule
	NumLessEq               // Number
	NumGreater              // Number
	NumGreaterEq            // Number
	DateEquals              // Instant
	DateLess                // Instant; request before rule
	DateLessEq              // Instant
	DateGreater             // Instant
	DateGreaterEq           // Instant
	BoolIs                  // Truth
	BytesEqual              // Bytes; the request's value is base64
	InNetwork               // Network
	Present                 // no values: the key is there and has a value
	IsPrincipal             // Who; only with FromPrincipal
	IsBounded               // no values: a permissions boundary is among the layers; only with FromPrincipal
)

// Quant says how a test treats the several values of a key.
type Quant uint8

const (
	One  Quant = iota // meant for single values; with several, some value must match
	Some              // ForAnyValue: some value must match
	Each              // ForAllValues: every value must match
)

// Value is a closed sum type: Pattern, Fields, Number, Instant, Truth, Bytes,
// Network, Who.
type Value interface{ isValue() }

// Pattern is a text with wildcards and variables in it.
type Pattern []Piece

// Fields is a list of patterns for the colon-delimited fields of a name; the last
// one also matches colons.
type Fields []Pattern

// Number compares exactly if both sides are integers and as float64 otherwise.
type Number struct {
	Int     int64
	Float   float64 // used when Integer is false
	Integer bool
}

// Instant is a time in microseconds since 1970 UTC; it saturates at the ends.
type Instant int64

type Truth bool

type Bytes []byte

type Network netip.Prefix

// Who names a principal in a rule.
type Who struct {
	Kind WhoKind
	Name string // account, name or unique id; empty for Everyone
}

// WhoKind says what a Who names.
type WhoKind uint8

const (
	Everyone    WhoKind = iota // any caller, anonymous ones too
	InAccount                  // any caller of an account; it delegates to that account's own policies
	Named                      // a user, role, session, service or provider by name
	WithID                     // a user or role by unique id
	NoPrincipal                // a principal that exists nowhere: matches nobody
)

func (Pattern) isValue() {}
func (Fields) isValue()  {}
func (Number) isValue()  {}
func (Instant) isValue() {}
func (Truth) isValue()   {}
func (Bytes) isValue()   {}
func (Network) isValue() {}
func (Who) isValue()     {}

// Piece is one part of a pattern.
type Piece struct {
	Kind       PieceKind
	Text       string // Lit: the text; Var: the context key
	Default    string // Var: used when the key is absent
	HasDefault bool
}

// PieceKind says what a piece matches.
type PieceKind uint8

const (
	Lit     PieceKind = iota // the text itself
	AnyRun                   // any run of characters, also none
	AnyChar                  // exactly one character
	Var                      // the single value of a context key, taken literally
)

// Text is a pattern that matches exactly s.
func Text(s string) Pattern {
	if s == "" {
		return nil
	}
	return Pattern{{Kind: Lit, Text: s}}
}

// Time is the instant of t.
func Time(t time.Time) Instant { return Instant(t.UnixMicro()) }

// Walk calls visit for each test in x, in order.
func Walk(x Expr, visit func(*Test)) {
	switch x := x.(type) {
	case All:
		for _, y := range x {
			Walk(y, visit)
		}
	case Any:
		for _, y := range x {
			Walk(y, visit)
		}
	case Not:
		Walk(x.X, visit)
	case Test:
		visit(&x)
	}
}
