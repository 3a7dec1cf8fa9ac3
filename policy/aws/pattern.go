package aws

import (
	"strings"

	"warifu/policy"
)

// pattern reads a text with variables, if the document has them, and with
// wildcards, if the place does.
func (c *converter) pattern(s string, wildcards bool) policy.Pattern {
	var p policy.Pattern
	from := 0 // where the literal text not yet in p starts
	add := func(end, next int, x policy.Piece) {
		if end > from {
			p = append(p, policy.Piece{Kind: policy.Lit, Text: s[from:end]})
		}
		p, from = append(p, x), next
	}
	for i := 0; i < len(s); {
		switch {
		case s[i] == '*' && wildcards:
			add(i, i+1, policy.Piece{Kind: policy.AnyRun})
		case s[i] == '?' && wildcards:
			add(i, i+1, policy.Piece{Kind: policy.AnyChar})
		case s[i] == '$' && c.variables:
			if x, n := variable(s[i:]); n > 0 {
				add(i, i+n, x)
				i += n
				continue
			}
		}
		i++
	}
	if from < len(s) {
		p = append(p, policy.Piece{Kind: policy.Lit, Text: s[from:]})
	}
	return p
}

// variable reads ${key}, ${key, 'default'}, ${*}, ${?} or ${$} at the beginning of s
// and returns its length; 0 if there is none, so that the text stands for itself.
func variable(s string) (policy.Piece, int) {
	body, ok := strings.CutPrefix(s, "${")
	end := strings.IndexAny(body, ",}")
	if !ok || end <= 0 {
		return policy.Piece{}, 0
	}
	name, rest := strings.TrimSpace(body[:end]), body[end:]
	x := policy.Piece{Kind: policy.Var, Text: name}
	if rest[0] == ',' {
		def, ok := strings.CutPrefix(strings.TrimLeft(rest[1:], " "), "'")
		if !ok {
			return policy.Piece{}, 0
		}
		x.Default, rest, x.HasDefault = strings.Cut(def, "'") // it may hold a brace
		if rest = strings.TrimLeft(rest, " "); !strings.HasPrefix(rest, "}") {
			return policy.Piece{}, 0
		}
	} else if name == "*" || name == "?" || name == "$" {
		x = policy.Piece{Kind: policy.Lit, Text: name}
	}
	return x, len(s) - len(rest) + 1
}

// fields splits a pattern at its first five colons; those within a variable do not
// count.
func (c *converter) fields(s string) policy.Fields {
	out := policy.Fields{nil}
	for _, x := range c.pattern(s, true) {
		last := len(out) - 1
		if x.Kind != policy.Lit {
			out[last] = append(out[last], x)
			continue
		}
		parts := strings.SplitN(x.Text, ":", 6-last)
		for i, t := range parts {
			if i > 0 {
				out = append(out, nil)
			}
			if t != "" {
				out[len(out)-1] = append(out[len(out)-1], policy.Piece{Kind: policy.Lit, Text: t})
			}
		}
	}
	return out
}
