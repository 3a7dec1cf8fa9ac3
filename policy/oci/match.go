package oci

import (
	"fmt"
	"strings"
)

// MaxMatchingRule bounds the matching rule of a dynamic group, in bytes.
const MaxMatchingRule = 100_000

// MatchingRule says which instances and resources a dynamic group has as members.
type MatchingRule struct{ c *cond }

// ParseMatchingRule reads the rule of a dynamic group: a test, or several in any { }
// or all { }. The error is an *Error.
func ParseMatchingRule(src string) (*MatchingRule, error) {
	p := &parser{scanner: scanner{src: src}}
	if len(src) > MaxMatchingRule {
		return nil, &Error{Line: 1, Column: 1, Found: fmt.Sprintf("a rule of %d bytes", len(src)), Want: fmt.Sprintf("at most %d bytes", MaxMatchingRule)}
	}
	p.advance(false)
	m := &MatchingRule{c: p.cond(p.memberTest, maxDepth)}
	if p.err == nil && p.tok.kind != tokEnd {
		p.fail("the end of the rule")
	}
	if p.err != nil {
		return nil, p.err
	}
	return m, nil
}

// memberTest reads one test of a matching rule.
func (p *parser) memberTest() *test {
	t := &test{variable: strings.ToLower(p.tok.text), op: opPresent}
	start := p.tok.off
	if p.tok.kind != tokWord || !memberVariable(t.variable) {
		p.fail("instance.id, instance.compartment.id, resource.id, resource.type, resource.compartment.id, tag.namespace.key.value, any { or all {")
		return t
	}
	p.advance(false)
	tag := strings.HasPrefix(t.variable, "tag.")
	switch {
	case p.accept("="):
		t.op = opEqual
	case p.accept("!="):
		t.op = opNotEqual
	case tag:
	default:
		p.fail("= or !=")
	}
	if t.op != opPresent && p.err == nil {
		if p.tok.kind != tokText && p.tok.kind != tokWord {
			p.fail("a text: 'value'")
			return t
		}
		t.values = []value{{text: p.tok.text, off: p.tok.off}}
		p.advance(false)
	}
	t.label = p.src[start:p.last.end]
	return t
}

func memberVariable(name string) bool {
	switch name {
	case "instance.id", "instance.compartment.id", "resource.id", "resource.type", "resource.compartment.id":
		return true
	}
	rest, tag := strings.CutPrefix(name, "tag.")
	rest, value := strings.CutSuffix(rest, ".value")
	namespace, key, two := strings.Cut(rest, ".")
	return tag && value && two && namespace != "" && key != ""
}

// Matches tells whether a resource is a member. attribute returns what a variable of
// the rule, in lower case, is for the resource. What it does not have makes any
// comparison fail, also "!=".
func (m *MatchingRule) Matches(attribute func(variable string) (string, bool)) bool {
	return m.c.matches(attribute)
}

func (c *cond) matches(attribute func(string) (string, bool)) bool {
	if c.test != nil {
		got, ok := attribute(c.test.variable)
		switch c.test.op {
		case opPresent:
			return ok
		case opEqual:
			return ok && strings.EqualFold(got, c.test.values[0].text)
		}
		return ok && !strings.EqualFold(got, c.test.values[0].text)
	}
	for _, s := range c.sub {
		if s.matches(attribute) == c.any {
			return c.any
		}
	}
	return !c.any
}
