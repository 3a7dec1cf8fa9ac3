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
		if !knownVariable(t.variable) && t.op != opAbsent {
			add(c.off, "no request here has the variable %s, so this test never holds", t.variable)
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
		if noun == "" || !knownVariable(variable) {
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

// knownVariable tells whether requests to this server may have a variable.
func knownVariable(name string) bool {
	return slices.Contains(requestVariables, name) || slices.Contains(targetVariables, name) ||
		Key(name) != name && !strings.HasPrefix(name, "request.principal.compartment.tag.") // users lie in the tenancy, which has no tags
}

// requestVariables are the variables about the request and who makes it, as far as there
// are such requests here (OCI documentation, "General Variables for All Requests"): no
// instance, service, workload or dynamic group makes one, and no availability domain or
// way to sign in is told.
var requestVariables = []string{
	"request.user.id", "request.user.name", mfaVerified, "request.groups.id", "request.groups.name",
	"request.permission", "request.operation", "request.networksource.name", "request.utc-timestamp",
	"request.utc-timestamp.month-of-year", "request.utc-timestamp.day-of-month", "request.utc-timestamp.day-of-week",
	"request.utc-timestamp.time-of-day", "request.region", "request.principal.id", "request.principal.type", "request.principal.name",
	"request.principal.compartment.id", "request.domain.name",
}

// targetVariables are those about what a request is for. The services behind the gateway
// have variables of their own, such as target.bucket.name, which nobody tells here.
var targetVariables = []string{
	"target.compartment.id", "target.compartment.name", "target.tenant.id", "target.tenant.name", "target.tenancy.id", "target.tenancy.name",
	"target.user.id", "target.user.name", "target.group.id", "target.group.name", "target.group.member",
	"target.policy.id", "target.policy.name", "target.policy.type", "target.policy.autoupdate",
	"target.dynamicgroup.id", "target.dynamicgroup.name", "target.tag-namespace.id", "target.tag-namespace.name",
	"target.credential.type", "target.domain.name",
}
