package oci

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// parser reads one statement. It works token by token with one token of look-ahead,
// and stops at the first fault.
type parser struct {
	scanner
	tok  token // the one that comes next
	last token // the one before it
	err  *Error
}

func newParser(src string) *parser {
	p := &parser{scanner: scanner{src: src}}
	if len(src) > MaxStatement {
		p.err = &Error{Line: 1, Column: 1, Found: fmt.Sprintf("a text of %d bytes", len(src)), Want: fmt.Sprintf("at most %d bytes", MaxStatement)}
		return p
	}
	p.advance(false)
	return p
}

// advance reads the next token; patterns says that a slash begins a pattern there.
func (p *parser) advance(patterns bool) {
	p.last, p.tok = p.tok, p.next(patterns)
}

// again reads the next token anew, now that a pattern may stand there.
func (p *parser) again() {
	if p.tok.is("/") {
		p.off = p.tok.off
		p.tok = p.next(true)
	}
}

// fail notes what is wrong with the next token; the first fault counts.
func (p *parser) fail(want string, args ...any) {
	if p.err != nil {
		return
	}
	p.failAt(p.tok, p.tok.describe(), fmt.Sprintf(want, args...))
}

func (p *parser) failAt(t token, found, want string) {
	e := &Error{Offset: t.off, Found: found, Want: want, Token: strings.ToValidUTF8(p.src[t.off:t.end], "\uFFFD")}
	e.Line, e.Column = position(p.src, t.off)
	p.err = e
}

// accept passes over a keyword or punctuation if it comes next.
func (p *parser) accept(s string) bool {
	if p.err != nil || !p.tok.is(s) {
		return false
	}
	p.advance(false)
	return true
}

// expect passes over a keyword or punctuation that must come next.
func (p *parser) expect(s, want string) {
	if !p.accept(s) {
		p.fail("%s", want)
	}
}

// parseStatement reads one statement.
func parseStatement(src string) (*statement, *Error) {
	p := newParser(src)
	s := &statement{src: src}
	p.statement(s)
	if p.err == nil && p.tok.kind != tokEnd {
		p.fail("%s", p.wantAfter(s))
	}
	if p.err != nil {
		return nil, p.err
	}
	return s, nil
}

// wantAfter tells what may follow a statement that is complete.
func (p *parser) wantAfter(s *statement) string {
	switch {
	case s.when != nil && (p.tok.is("and") || p.tok.is("or") || p.tok.is("&") || p.tok.is("|") || p.tok.is(",")):
		return "the end of the statement; several conditions are written as all { …, … } or any { …, … }"
	case s.when != nil:
		return "the end of the statement"
	case s.kind == Define:
		return "the end of the statement"
	}
	return "where and a condition, or the end of the statement"
}

func (p *parser) statement(s *statement) {
	switch {
	case p.accept("allow"):
		p.grant(s)
	case p.accept("deny"):
		switch {
		case p.accept("endorse"):
			s.denied = true
			p.endorse(s)
		case p.accept("admit"):
			s.denied = true
			p.admit(s)
		default:
			s.kind = Deny
			p.grant(s)
		}
	case p.accept("define"):
		p.define(s)
		return
	case p.accept("endorse"):
		p.endorse(s)
	case p.accept("admit"):
		p.admit(s)
	default:
		p.fail("allow, deny, define, endorse or admit")
		return
	}
	if p.accept("where") {
		s.when = p.where()
	}
}

// grant reads what follows allow and deny.
func (p *parser) grant(s *statement) {
	p.subject(&s.subject)
	p.expect("to", "to and what the subject may do")
	p.what(&s.what)
	if s.what.verb == associate && p.err == nil {
		p.failAt(p.last, `the verb "associate"`, "inspect, read, use or manage; associate is for endorse and admit")
	}
	p.expect("in", "in and where: tenancy, or compartment and its name")
	p.location(&s.where)
}

func (p *parser) subject(s *subject) {
	switch {
	case p.accept("any-user"):
		s.kind = anyUser
	case p.accept("any-group"):
		s.kind = anyGroup
	case p.accept("group"):
		s.kind = groups
		s.nouns = p.nouns(Group)
	case p.accept("dynamic-group"):
		s.kind = dynamicGroups
		s.nouns = p.nouns(DynamicGroup)
	case p.accept("dynamic"): // often seen
		p.expect("group", "group")
		s.kind = dynamicGroups
		s.nouns = p.nouns(DynamicGroup)
	case p.accept("service"):
		s.kind = services
		s.texts = p.texts("the name of a service")
	case p.accept("resource"):
		s.kind = resources
		s.texts = p.texts("a type of resource")
	case p.tok.is("user"):
		p.fail("group, dynamic-group, any-user, any-group, service or resource; policies cannot name a single user: use any-user where request.user.id = '…'")
	default:
		p.fail("group, dynamic-group, any-user, any-group, service or resource")
	}
}

// nouns reads names of groups, or id and their OCIDs.
func (p *parser) nouns(kind NounKind) (all []noun) {
	byID := false
	for p.err == nil {
		if p.tok.is("id") && !p.followedByTo() {
			p.advance(false)
			byID = true
		}
		all = append(all, p.noun(kind, byID))
		if !p.accept(",") {
			return all
		}
	}
	return all
}

// followedByTo tells whether the word after the next one is "to" or a comma: then
// the next one is a name.
func (p *parser) followedByTo() bool {
	ahead := p.scanner
	t := ahead.next(false)
	return t.is("to") || t.is(",")
}

func (p *parser) noun(kind NounKind, byID bool) noun {
	n := noun{ref: Reference{Kind: kind}, id: byID, off: p.tok.off}
	if byID {
		n.ref.Name = p.ocid()
		return n
	}
	n.ref.Name = p.name(kind)
	if p.accept("/") {
		n.ref.Domain, n.ref.Name = n.ref.Name, p.name(kind)
	}
	return n
}

// name reads a name in lower case. The console writes 'Domain'/'Group' and the
// documentation 'Domain/Group'.
func (p *parser) name(kind NounKind) string {
	if p.err != nil || p.tok.kind != tokWord && p.tok.kind != tokText || strings.TrimSpace(p.tok.text) == "" {
		p.fail("the name of a %s", kind)
		return ""
	}
	if !utf8.ValidString(p.tok.text) {
		p.failAt(p.tok, "bytes that are not UTF-8", fmt.Sprintf("the name of a %s", kind))
		return ""
	}
	p.advance(false)
	return strings.ToLower(p.last.text)
}

// ocid reads an OCID, quoted or not, in lower case.
func (p *parser) ocid() string {
	t := p.tok
	if t.kind != tokWord && t.kind != tokText || !strings.HasPrefix(strings.ToLower(t.text), "ocid1.") || strings.ContainsAny(t.text, " \t\r\n*") {
		p.fail("an OCID: ocid1.…")
		return ""
	}
	p.advance(false)
	return strings.ToLower(t.text)
}

// texts reads a list of words, such as services' names, in lower case.
func (p *parser) texts(want string) (all []string) {
	for {
		if p.tok.kind != tokWord && p.tok.kind != tokText || p.tok.text == "" {
			p.fail("%s", want)
			return all
		}
		all = append(all, strings.ToLower(p.tok.text))
		p.advance(false)
		if !p.accept(",") {
			return all
		}
	}
}

// what reads a verb and a resource type, or permissions in braces.
func (p *parser) what(w *what) {
	if p.accept("{") {
		p.permissions(w)
		return
	}
	v, ok := parseVerb(p.tok.text)
	if p.tok.kind != tokWord || !ok {
		p.fail("inspect, read, use or manage, or permissions in braces: { USER_INSPECT, … }")
		return
	}
	w.verb = v
	p.advance(false)
	if p.tok.is("in") || p.tok.kind != tokWord {
		p.fail("a type of resource, such as instances or all-resources")
		return
	}
	w.resource, w.resourceOff = strings.ToLower(p.tok.text), p.tok.off
	p.advance(false)
	if p.tok.is(",") {
		p.fail("in; a statement names one type of resource: write one statement for each, or name a family")
	}
}

// permissions reads what follows the opening brace. A resource type behind the
// closing one is allowed, and says no more.
func (p *parser) permissions(w *what) {
	for p.err == nil {
		if p.tok.kind != tokWord || !permissionLike(p.tok.text) {
			p.fail("a permission in capitals, such as USER_INSPECT")
			return
		}
		w.permissions = append(w.permissions, strings.ToUpper(p.tok.text))
		p.advance(false)
		if p.accept("}") {
			break
		}
		p.expect(",", "a comma and another permission, or }")
		if p.accept("}") {
			break
		}
	}
	if p.err == nil && p.tok.kind == tokWord && !p.tok.is("in") && !p.tok.is("with") {
		w.resource, w.resourceOff = strings.ToLower(p.tok.text), p.tok.off
		p.advance(false)
	}
}

func permissionLike(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '_' && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

func (p *parser) location(l *location) {
	switch {
	case p.accept("tenancy"):
		l.tenancy = true
	case p.accept("compartment"):
		if p.tok.is("id") && !p.ends() {
			p.advance(false)
			n := p.noun(Compartment, true)
			l.compartment = &n
			return
		}
		n := noun{ref: Reference{Kind: Compartment}, off: p.tok.off}
		if n.ref.Name = p.name(Compartment); strings.HasPrefix(n.ref.Name, "ocid1.") && p.err == nil {
			p.failAt(p.last, fmt.Sprintf("%q", p.last.text), "the name of a compartment; an OCID is written as compartment id ocid1.…")
		}
		if p.err == nil && badPath(n.ref.Name) {
			p.failAt(p.last, fmt.Sprintf("%q", p.last.text), "a path of names with colons between them: a:b:c")
		}
		l.compartment = &n
	case p.tok.kind == tokWord:
		p.fail("tenancy, or compartment and its name: compartment %s", p.tok.text)
	default:
		p.fail("tenancy, or compartment and its name")
	}
}

// badPath tells whether a name of the path is missing.
func badPath(path string) bool {
	return strings.HasPrefix(path, ":") || strings.HasSuffix(path, ":") || strings.Contains(path, "::")
}

// ends tells whether nothing but a condition follows the next token: then it is the
// last one of the statement's location.
func (p *parser) ends() bool {
	ahead := p.scanner
	t := ahead.next(false)
	return t.kind == tokEnd || t.is("where")
}

// define reads a name for an OCID. It stands for nobody in this tenancy.
func (p *parser) define(s *statement) {
	s.kind = Define
	kinds := []string{"tenancy", "group", "dynamic-group", "compartment"}
	known := false
	for _, k := range kinds {
		if !known && p.accept(k) {
			known = true
		}
	}
	if !known {
		p.fail("tenancy, group, dynamic-group or compartment")
		return
	}
	p.texts("a name")
	p.expect("as", "as and an OCID")
	p.accept("id")
	p.ocid()
}

// endorse reads what subjects of this tenancy may do in others.
func (p *parser) endorse(s *statement) {
	s.kind = Endorse
	p.subject(&s.subject)
	p.expect("to", "to and what the subject may do")
	p.what(&s.what)
	p.expect("in", "in and where: any-tenancy, or tenancy and its name")
	p.abroad()
	p.with()
}

// admit reads what subjects of other tenancies may do in this one.
func (p *parser) admit(s *statement) {
	s.kind = Admit
	p.subject(&s.subject)
	p.expect("of", "of and the tenancy that the subject belongs to")
	if !p.accept("any-tenancy") {
		p.expect("tenancy", "tenancy and its name, or any-tenancy")
		p.tenancyName()
	}
	p.expect("to", "to and what the subject may do")
	p.what(&s.what)
	p.expect("in", "in and where")
	p.abroad()
	p.with()
}

// tenancyName reads the name that define gave a tenancy, or its OCID.
func (p *parser) tenancyName() {
	p.accept("id")
	if p.tok.kind != tokWord && p.tok.kind != tokText {
		p.fail("the name of a tenancy")
		return
	}
	p.advance(false)
}

// abroad reads a location of an endorsement or admission.
func (p *parser) abroad() {
	switch {
	case p.accept("any-tenancy"):
	case p.accept("tenancy"):
		if (p.tok.kind == tokWord || p.tok.kind == tokText) && !p.tok.is("where") && !p.tok.is("with") {
			p.tenancyName()
		}
	case p.tok.is("compartment"):
		p.location(&location{})
		if p.accept("of") {
			p.expect("tenancy", "tenancy and its name")
			p.tenancyName()
		}
	default:
		p.fail("any-tenancy, tenancy or compartment")
	}
}

// with reads the other side of an association.
func (p *parser) with() {
	if !p.accept("with") {
		return
	}
	p.texts("a type of resource")
	p.expect("in", "in and where")
	p.abroad()
}
