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
	if !strings.HasPrefix(s, "${") {
		return policy.Piece{}, 0
	}
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return policy.Piece{}, 0
	}
	body := s[2:end]
	if key, def, ok := strings.Cut(body, ","); ok {
		def = strings.TrimSpace(def)
		if strings.HasPrefix(def, "'") {
			// The default may hold a brace: it ends at its quote.
			start := strings.Index(s, "'") + 1
			n := strings.IndexByte(s[start:], '\'')
			if n < 0 {
				return policy.Piece{}, 0
			}
			rest := strings.TrimLeft(s[start+n+1:], " ")
			if !strings.HasPrefix(rest, "}") {
				return policy.Piece{}, 0
			}
			return policy.Piece{Kind: policy.Var, Text: strings.TrimSpace(key), Default: s[start : start+n], HasDefault: true}, len(s) - len(rest) + 1
		}
		return policy.Piece{}, 0
	}
	switch body {
	case "":
		return policy.Piece{}, 0
	case "*", "?", "$":
		return policy.Piece{Kind: policy.Lit, Text: body}, end + 1
	}
	return policy.Piece{Kind: policy.Var, Text: strings.TrimSpace(body)}, end + 1
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
