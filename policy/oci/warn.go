package oci

import (
	"fmt"
	"slices"
	"strings"
)

// Warning is advice about a statement that is valid and does less than it seems to.
type Warning struct {
	Statement int // from 0
	Line      int // 1-based
	Column    int // 1-based, in bytes
	Message   string
}

func (w Warning) String() string {
	return fmt.Sprintf("statement %d, line %d, column %d: %s", w.Statement+1, w.Line, w.Column, w.Message)
}

// Warnings gives advice about each statement, in order.
func (d *Document) Warnings() []Warning {
	var out []Warning
	for i, s := range d.statements {
		add := func(off int, format string, args ...any) {
			w := Warning{Statement: i, Message: fmt.Sprintf(format, args...)}
			w.Line, w.Column = position(s.src, off)
			out = append(out, w)
		}
		s.warn(add)
	}
	return out
}

func (s *statement) warn(add func(off int, format string, args ...any)) {
	if s.kind != Allow && s.kind != Deny {
		add(0, "this server has no other tenancies: the statement is kept and does nothing")
		return
	}
	s.warnWhat(add)
	s.when.each(func(c *cond) {
		t := c.test
		if strings.HasPrefix(t.variable, "request.") && !knownVariable(t.variable) && t.op != opAbsent {
			add(c.off, "no request has the variable %s, so the condition never holds", t.variable)
		}
		if (t.variable == mfaVerified) && !slices.ContainsFunc(t.values, truth) && t.op != opAbsent {
			add(c.off, "%s is 'true' or 'false' and nothing else, so the condition never helps", "request.user.mfaTotpVerified")
		}
	})
	if s.kind == Allow && s.when != nil {
		s.warnUnknownTarget(add)
	}
}

// mfaVerified tells whether the user signed in with a password and a one-time code.
const mfaVerified = "request.user.mfatotpverified"

func truth(v value) bool {
	return v.kind == literal && (strings.EqualFold(v.text, "true") || strings.EqualFold(v.text, "false"))
}

func (s *statement) warnWhat(add func(off int, format string, args ...any)) {
	w := &s.what
	t := known()
	if w.resource != "" && w.resource != allResources && t.find(w.resource) == nil && w.permissions == nil {
		add(w.resourceOff, "%q is no resource type that this server knows: the statement grants and forbids nothing", w.resource)
	}
	for _, p := range w.permissions {
		if _, ok := t.level[p]; !ok {
			add(0, "%s is no permission that this server knows", p)
		}
	}
}

// warnUnknownTarget tells of operations that the statement seems to allow and cannot:
// while a resource is listed or made, its own attributes are not known.
func (s *statement) warnUnknownTarget(add func(off int, format string, args ...any)) {
	for _, variable := range s.when.required() {
		noun := targetNoun(variable)
		if noun == "" {
			continue
		}
		var ops []string
		for _, op := range []string{"List" + plural(noun), "Create" + noun} {
			needs, ok := Permissions(op)
			if ok && s.what.covers(needs) {
				ops = append(ops, op)
			}
		}
		if len(ops) > 0 {
			add(s.when.off, "%s has no value in %s, so the statement does not allow them; add one without this condition that does: allow … to { … }", variable, strings.Join(ops, " and "))
		}
	}
}

// targetNoun is the noun that a variable is about, as operations spell it; "" for one
// that is known also in lists.
func targetNoun(variable string) string {
	rest, ok := strings.CutPrefix(variable, "target.")
	noun, _, two := strings.Cut(rest, ".")
	switch {
	case !ok || !two:
		return ""
	case slices.Contains([]string{"compartment", "resource", "tenant", "tenancy"}, noun):
		return ""
	case noun == "dynamicgroup":
		return "DynamicGroup"
	}
	out := ""
	for _, word := range strings.FieldsFunc(noun, func(r rune) bool { return r == '-' || r == '_' }) {
		out += strings.ToUpper(word[:1]) + word[1:]
	}
	return out
}

func plural(noun string) string {
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return stem + "ies"
	}
	return noun + "s"
}

// covers tells whether all of these permissions are among what is granted.
func (w *what) covers(needs []string) bool {
	list := w.permissions
	if list == nil {
		list = granted(w.resource, inspect, w.verb)
	}
	for _, p := range needs {
		if !slices.Contains(list, p) {
			return false
		}
	}
	return len(needs) > 0
}

// each visits the tests of a condition.
func (c *cond) each(visit func(*cond)) {
	if c == nil {
		return
	}
	if c.test != nil {
		visit(c)
	}
	for _, s := range c.sub {
		s.each(visit)
	}
}

// required are the variables without which the condition cannot hold.
func (c *cond) required() []string {
	if c.test != nil {
		if c.test.op == opAbsent {
			return nil
		}
		return []string{c.test.variable}
	}
	var out []string
	for i, s := range c.sub {
		vars := s.required()
		if c.any && i > 0 {
			out = slices.DeleteFunc(out, func(v string) bool { return !slices.Contains(vars, v) })
			continue
		}
		for _, v := range vars {
			if !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}

// knownVariable tells whether requests may have a variable.
func knownVariable(name string) bool {
	if slices.Contains(requestVariables, name) {
		return true
	}
	return Key(name) != name // the tag of a principal
}

// requestVariables are the variables about the request and who makes it (OCI
// documentation, "General Variables for All Requests", and the services' pages).
var requestVariables = []string{
	"request.user.id", "request.user.name", mfaVerified, "request.user.authn-type", "request.groups.id", "request.groups.name",
	"request.permission", "request.operation", "request.networksource.name", "request.utc-timestamp",
	"request.utc-timestamp.month-of-year", "request.utc-timestamp.day-of-month", "request.utc-timestamp.day-of-week",
	"request.utc-timestamp.time-of-day", "request.region", "request.ad", "request.principal.id", "request.principal.type",
	"request.principal.compartment.id", "request.principal.namespace", "request.principal.service_account",
	"request.principal.cluster_id", "request.service.name", "request.instance.id", "request.instance.compartment.id",
	"request.resource.compartment.id", "request.resource.id", "request.dynamicgroup.id", "request.dynamicgroup.name", "request.domain.id", "request.domain.name",
	"request.principal.name", "request.tag-namespace.name",
}
