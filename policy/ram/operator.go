package ram

import (
	"net/netip"
	"strings"

	"warifu/policy"
)

// form says how an operator compares.
type form struct {
	op     policy.Op
	negate bool // the operator is the negation of op
	value  func(string) (policy.Value, bool)
	want   string // what a value must be
}

// forms are all the operators that there are (RAM user guide, "Condition"): none
// asks for a key's absence, and none has a suffix IfExists or a quantifier. Their
// names are case-sensitive.
var forms = map[string]form{
	"StringEquals":              {policy.Equals, false, exactly, anyText},
	"StringNotEquals":           {policy.Equals, true, exactly, anyText},
	"StringEqualsIgnoreCase":    {policy.EqualsFold, false, exactly, anyText},
	"StringNotEqualsIgnoreCase": {policy.EqualsFold, true, exactly, anyText},
	"StringLike":                {policy.Like, false, wild, anyText},
	"StringNotLike":             {policy.Like, true, wild, anyText},

	"NumericEquals":            {policy.NumEquals, false, number, aNumber},
	"NumericNotEquals":         {policy.NumEquals, true, number, aNumber},
	"NumericLessThan":          {policy.NumLess, false, number, aNumber},
	"NumericLessThanEquals":    {policy.NumLessEq, false, number, aNumber},
	"NumericGreaterThan":       {policy.NumGreater, false, number, aNumber},
	"NumericGreaterThanEquals": {policy.NumGreaterEq, false, number, aNumber},

	"DateEquals":            {policy.DateEquals, false, date, aDate},
	"DateNotEquals":         {policy.DateEquals, true, date, aDate},
	"DateLessThan":          {policy.DateLess, false, date, aDate},
	"DateLessThanEquals":    {policy.DateLessEq, false, date, aDate},
	"DateGreaterThan":       {policy.DateGreater, false, date, aDate},
	"DateGreaterThanEquals": {policy.DateGreaterEq, false, date, aDate},

	"Bool": {policy.BoolIs, false, boolean, `"true" or "false"`},

	"IpAddress":    {policy.InNetwork, false, network, aNetwork},
	"NotIpAddress": {policy.InNetwork, true, network, aNetwork},
}

const (
	operatorHelp = "StringEquals, StringNotEquals, StringEqualsIgnoreCase, StringNotEqualsIgnoreCase, StringLike, StringNotLike, " +
		"Numeric… and Date…{Equals, NotEquals, LessThan, LessThanEquals, GreaterThan, GreaterThanEquals}, Bool, IpAddress, NotIpAddress"

	anyText  = "a string"
	aNumber  = "a decimal number"
	aDate    = "an ISO 8601 date such as 2030-01-31T12:00:00Z"
	aNetwork = "an IP address or a network in CIDR form"
)

func exactly(s string) (policy.Value, bool) { return policy.Text(s), true }

func wild(s string) (policy.Value, bool) { return pattern(s), true }

func number(s string) (policy.Value, bool) {
	n, ok := policy.ParseNumber(s)
	return n, ok
}

func date(s string) (policy.Value, bool) {
	at, ok := policy.ParseInstant(s)
	return at, ok
}

func boolean(s string) (policy.Value, bool) {
	is := strings.EqualFold(s, "true")
	return policy.Truth(is), is || strings.EqualFold(s, "false")
}

func network(s string) (policy.Value, bool) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return policy.Network(p), true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return nil, false
	}
	return policy.Network(netip.PrefixFrom(a, a.BitLen())), true
}

// pattern reads a text with wildcards. The language has no variables.
func pattern(s string) policy.Pattern {
	var p policy.Pattern
	from := 0 // where the literal text not yet in p starts
	for i := range len(s) {
		kind := policy.AnyRun
		switch s[i] {
		case '*':
		case '?':
			kind = policy.AnyChar
		default:
			continue
		}
		p = append(append(p, policy.Text(s[from:i])...), policy.Piece{Kind: kind})
		from = i + 1
	}
	return append(p, policy.Text(s[from:])...)
}

// resourceFields is how many fields a resource's name has.
const resourceFields = 5

// fields splits the pattern of a resource's name at its colons; the last field
// keeps those that are left.
func fields(s string) policy.Fields {
	var out policy.Fields
	for _, part := range strings.SplitN(s, ":", resourceFields) {
		out = append(out, pattern(part))
	}
	return out
}
