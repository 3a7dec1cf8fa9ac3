package catalog

import "strings"

// template is a condition key with a variable part, cut at its variables: the
// text before the first, between two, after the last.
type template struct {
	literals []string
	key      int
}

// parseTemplate cuts a lower-case key name at "${…}", "<…>" and, in the global
// keys, the bare word tag-key. It reports false for a name without variables.
func parseTemplate(name string) (template, bool) {
	if rest, ok := strings.CutSuffix(name, "/tag-key"); ok {
		name = rest + "/${}"
	}
	name = strings.ReplaceAll(strings.ReplaceAll(name, "<", "${"), ">", "}")
	var literals []string
	for {
		before, after, open := strings.Cut(name, "${")
		_, rest, shut := strings.Cut(after, "}")
		if !open || !shut {
			break
		}
		literals = append(literals, before)
		name = rest
	}
	if literals == nil {
		return template{}, false
	}
	return template{literals: append(literals, name)}, true
}

// matches reports whether the key is the template with each variable filled
// by at least one character.
func (t template) matches(key string) bool {
	last := len(t.literals) - 1
	rest, ok := strings.CutPrefix(key, t.literals[0])
	for _, literal := range t.literals[1:last] {
		if !ok || rest == "" {
			return false
		}
		_, rest, ok = strings.Cut(rest[1:], literal)
	}
	return ok && rest != "" && strings.HasSuffix(rest[1:], t.literals[last])
}
