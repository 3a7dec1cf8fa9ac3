package aws

import (
	"strings"

	"warifu/policy"
)

// operatorHelp is what an error says is allowed for an operator.
const operatorHelp = "StringEquals, StringNotEquals, StringEqualsIgnoreCase, StringNotEqualsIgnoreCase, StringLike, StringNotLike, " +
	"Numeric… and Date…{Equals, NotEquals, LessThan, LessThanEquals, GreaterThan, GreaterThanEquals}, Bool, BinaryEquals, " +
	"IpAddress, NotIpAddress, ArnEquals, ArnLike, ArnNotEquals, ArnNotLike, each also with ForAllValues: or ForAnyValue: before and IfExists behind; Null"

// condOp is a condition operator taken apart.
type condOp struct {
	base     string
	form     form
	quant    policy.Quant
	ifExists bool
}

// form says how a base operator compares.
type form struct {
	op     policy.Op
	family family
	negate bool // the operator is the negation of op
}

type family uint8

const (
	famString family = iota
	famArn
	famNumeric
	famDate
	famBool
	famBinary
	famIP
	famNull
)

// forms are the base operators (IAM reference, "JSON policy elements: Condition
// operators"). Their names are case-sensitive.
var forms = map[string]form{
	"StringEquals":              {op: policy.Equals, family: famString},
	"StringNotEquals":           {op: policy.Equals, family: famString, negate: true},
	"StringEqualsIgnoreCase":    {op: policy.EqualsFold, family: famString},
	"StringNotEqualsIgnoreCase": {op: policy.EqualsFold, family: famString, negate: true},
	"StringLike":                {op: policy.Like, family: famString},
	"StringNotLike":             {op: policy.Like, family: famString, negate: true},

	"NumericEquals":            {op: policy.NumEquals, family: famNumeric},
	"NumericNotEquals":         {op: policy.NumEquals, family: famNumeric, negate: true},
	"NumericLessThan":          {op: policy.NumLess, family: famNumeric},
	"NumericLessThanEquals":    {op: policy.NumLessEq, family: famNumeric},
	"NumericGreaterThan":       {op: policy.NumGreater, family: famNumeric},
	"NumericGreaterThanEquals": {op: policy.NumGreaterEq, family: famNumeric},

	"DateEquals":            {op: policy.DateEquals, family: famDate},
	"DateNotEquals":         {op: policy.DateEquals, family: famDate, negate: true},
	"DateLessThan":          {op: policy.DateLess, family: famDate},
	"DateLessThanEquals":    {op: policy.DateLessEq, family: famDate},
	"DateGreaterThan":       {op: policy.DateGreater, family: famDate},
	"DateGreaterThanEquals": {op: policy.DateGreaterEq, family: famDate},

	"Bool":         {op: policy.BoolIs, family: famBool},
	"BinaryEquals": {op: policy.BytesEqual, family: famBinary},

	"IpAddress":    {op: policy.InNetwork, family: famIP},
	"NotIpAddress": {op: policy.InNetwork, family: famIP, negate: true},

	"ArnEquals":    {op: policy.LikeFields, family: famArn},
	"ArnLike":      {op: policy.LikeFields, family: famArn},
	"ArnNotEquals": {op: policy.LikeFields, family: famArn, negate: true},
	"ArnNotLike":   {op: policy.LikeFields, family: famArn, negate: true},

	"Null": {op: policy.Present, family: famNull},
}

func parseOperator(name string) (condOp, bool) {
	var c condOp
	rest := name
	if s, ok := strings.CutPrefix(rest, "ForAllValues:"); ok {
		c.quant, rest = policy.Each, s
	} else if s, ok := strings.CutPrefix(rest, "ForAnyValue:"); ok {
		c.quant, rest = policy.Some, s
	}
	rest, c.ifExists = strings.CutSuffix(rest, "IfExists")
	f, ok := forms[rest]
	if ok && f.family == famNull && (c.ifExists || c.quant != policy.One) {
		return c, false
	}
	c.base, c.form = rest, f
	return c, ok
}
