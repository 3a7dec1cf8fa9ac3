package oci

import (
	"fmt"
	"strconv"
	"strings"

	"warifu/policy"
)

// cond is a condition as written: a test, or several in braces.
type cond struct {
	any  bool // one of parts must hold, not all
	test *test
	sub  []*cond
	off  int
	end  int
}

// operator compares a variable with values.
type operator uint8

const (
	opEqual operator = iota
	opNotEqual
	opIn
	opNotIn
	opBefore
	opAfter
	opBetween
	opAbsent    // !variable
	opSetsEqual // sets-equal(variable, values)
	opPresent   // a variable alone; matching rules only
)

// negated tells whether the operator holds where a comparison fails.
func (o operator) negated() bool { return o == opNotEqual || o == opNotIn }

// test compares one variable.
type test struct {
	variable string // lower case
	op       operator
	values   []value
	label    string // as written
}

// value is a literal, a pattern with * as its only wildcard, or a variable.
type value struct {
	text string
	kind valueKind
	off  int
}

type valueKind uint8

const (
	literal valueKind = iota
	pattern
	reference // another variable
)

// where reads the condition of a statement. Braces without any or all are often
// seen; several conditions in them must all hold.
func (p *parser) where() *cond { return p.cond(p.test, maxDepth) }

// cond reads a condition; leaf reads one of its tests.
func (p *parser) cond(leaf func() *test, depth int) *cond {
	c := &cond{off: p.tok.off}
	anyOf := p.tok.is("any") && p.opensBrace()
	switch {
	case depth == 0:
		p.fail("conditions at most %d deep", maxDepth)
	case anyOf || p.tok.is("all") && p.opensBrace():
		c.any = anyOf
		p.advance(false)
		p.advance(false)
		p.parts(c, leaf, depth)
	case p.accept("{"):
		p.parts(c, leaf, depth)
	default:
		c.test = leaf()
	}
	c.end = p.last.end
	return c
}

func (p *parser) opensBrace() bool {
	ahead := p.scanner
	t := ahead.next(false)
	return t.is("{")
}

// parts reads the conditions between braces, the opening one of which is past.
func (p *parser) parts(c *cond, leaf func() *test, depth int) {
	for p.err == nil {
		c.sub = append(c.sub, p.cond(leaf, depth-1))
		if p.accept("}") {
			return
		}
		p.expect(",", "a comma and another condition, or }")
		if p.accept("}") { // a comma before the closing brace is often seen
			return
		}
	}
}

// test reads one test.
func (p *parser) test() *test {
	start := p.tok.off
	t := &test{}
	switch {
	case p.accept("!"):
		t.op = opAbsent
		t.variable = p.variable()
	case p.accept("sets-equal"):
		p.setsEqual(t)
	default:
		t.variable = p.variable()
		p.comparison(t)
	}
	if p.err == nil {
		t.label = p.src[start:p.last.end]
	}
	return t
}

// variable reads the name of a variable, in lower case.
func (p *parser) variable() string {
	name := strings.ToLower(p.tok.text)
	if p.tok.kind != tokWord || !isVariable(name) {
		p.fail("a variable that begins with request. or target., any { or all {")
		return ""
	}
	p.advance(true)
	return name
}

func isVariable(lower string) bool {
	rest, ok := strings.CutPrefix(lower, "request.")
	if !ok {
		rest, ok = strings.CutPrefix(lower, "target.")
	}
	return ok && rest != "" && !strings.HasSuffix(rest, ".")
}

// comparison reads the operator and the values that follow a variable.
func (p *parser) comparison(t *test) {
	if p.err != nil {
		return
	}
	switch {
	case p.accept("="):
		t.op = opEqual
		p.value(t)
	case p.accept("!="):
		t.op = opNotEqual
		p.value(t)
	case p.accept("in"):
		t.op = opIn
		p.list(t)
	case p.accept("not"):
		t.op = opNotIn
		p.expect("in", "in: not in ( … )")
		p.list(t)
	case p.accept("before"):
		t.op = opBefore
		p.value(t)
	case p.accept("after"):
		t.op = opAfter
		p.value(t)
	case p.accept("between"):
		t.op = opBetween
		p.value(t)
		p.expect("and", "and and the other end")
		p.value(t)
	default:
		p.fail("=, !=, in, not in, before, after or between")
		return
	}
	p.typed(t)
}

// value reads one value.
func (p *parser) value(t *test) {
	p.again()
	v := value{text: p.tok.text, off: p.tok.off}
	if p.err != nil {
		return
	}
	switch p.tok.kind {
	case tokPattern:
		v.kind = pattern
	case tokText, tokWord:
		if low := strings.ToLower(v.text); isVariable(low) {
			v.kind, v.text = reference, low
		} else if p.tok.kind == tokText && wildcard(v.text) {
			v.kind = pattern // 'prod*' is often seen, and no name ends so
		}
	default:
		p.fail("a value: 'text', /pattern*/ or a variable")
		return
	}
	if v.kind == reference && several[v.text] {
		p.fail("a variable with one value; %s has several: write it on the left", v.text)
		return
	}
	t.values = append(t.values, v)
	p.advance(false)
}

// wildcard tells whether a quoted text is meant as a pattern.
func wildcard(s string) bool {
	return len(s) > 1 && (strings.HasPrefix(s, "*") || strings.HasSuffix(s, "*"))
}

// list reads values in parentheses.
func (p *parser) list(t *test) {
	p.expect("(", "( and values")
	p.values(t)
}

func (p *parser) values(t *test) {
	for p.err == nil {
		p.value(t)
		if p.accept(")") {
			return
		}
		p.expect(",", "a comma and another value, or )")
	}
}

// setsEqual reads what follows sets-equal.
func (p *parser) setsEqual(t *test) {
	t.op = opSetsEqual
	p.expect("(", "( and a variable")
	t.variable = p.variable()
	p.expect(",", "a comma and a value")
	p.values(t)
	for _, v := range t.values {
		if v.kind != literal && p.err == nil {
			p.failAt(token{off: v.off, end: v.off + 1}, fmt.Sprintf("%q", v.text), "a value without wildcards")
		}
	}
}

// typed checks that the variable can be compared in this way with these values.
func (p *parser) typed(t *test) {
	if p.err != nil {
		return
	}
	kind := kindOf(t.variable)
	ordered := t.op == opBefore || t.op == opAfter || t.op == opBetween
	if ordered && kind != ofInstant && kind != ofClock {
		p.failAt(p.tok, fmt.Sprintf("a comparison of %s in time", t.variable), "=, !=, in or not in; before, after and between are for request.utc-timestamp and request.utc-timestamp.time-of-day")
		return
	}
	for _, v := range t.values {
		if want := kind.refuses(v); want != "" {
			p.failAt(token{off: v.off, end: min(len(p.src), v.off+len(v.text)+2)}, fmt.Sprintf("the value %q of %s", v.text, t.variable), want)
			return
		}
	}
}

// variableKind is how the values of a variable compare.
type variableKind uint8

const (
	ofText variableKind = iota
	ofInstant
	ofClock  // time of day
	ofNumber // month of the year, day of the month
)

func kindOf(variable string) variableKind {
	switch variable {
	case "request.utc-timestamp":
		return ofInstant
	case "request.utc-timestamp.time-of-day":
		return ofClock
	case "request.utc-timestamp.month-of-year", "request.utc-timestamp.day-of-month":
		return ofNumber
	}
	return ofText
}

// refuses tells what a value should have been, "" if it is right.
func (k variableKind) refuses(v value) string {
	ok := true
	want := ""
	switch k {
	case ofInstant:
		want = "a time such as '2030-01-31T00:00:00Z'"
		_, ok = policy.ParseInstant(v.text)
	case ofClock:
		want = "a time of day such as '17:00:00Z'"
		_, ok = clock(v.text)
	case ofNumber:
		want = "a number such as '1'"
		_, ok = policy.ParseNumber(v.text)
	}
	if k == ofText || ok && v.kind == literal {
		return ""
	}
	return want
}

// clock reads hh:mm, hh:mm:ss, with or without Z, as seconds since midnight.
func clock(s string) (int64, bool) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimSuffix(s, "Z"), "z"), ":")
	if len(parts) < 2 || len(parts) > 3 {
		return 0, false
	}
	total := int64(0)
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || len(part) != 2 || i == 0 && n > 23 || n > 59 {
			return 0, false
		}
		total = total*60 + int64(n)
	}
	if len(parts) == 2 {
		total *= 60
	}
	return total, true
}

// several are the variables that may have more than one value.
var several = map[string]bool{
	"request.groups.id": true, "request.groups.name": true, "request.networksource.name": true,
	"request.dynamicgroup.id": true, "request.dynamicgroup.name": true, "target.policy.type": true, "target.group.member": true,
}
