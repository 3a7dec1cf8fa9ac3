package aws

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// AWS's texts, in the order in which it looks for what they complain of.
const (
	msgSyntax       = "Syntax errors in policy."
	msgInvalidJSON  = "This policy contains invalid Json"
	msgVersion      = "Policy document must be version 2012-10-17 or greater."
	msgLegacy       = "The policy failed legacy parsing"
	msgSidUnique    = "Statement IDs (SID) in a single policy must be unique."
	msgActions      = "Policy statement must contain actions."
	msgResources    = "Policy statement must contain resources."
	msgNoPrincipal  = "Policy document should not specify a principal."
	msgVendor       = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	msgColon        = "Actions/Condition can contain only one colon."
	msgTrustActions = "AssumeRole policy may only specify STS AssumeRole actions."
)

// Parse reads a document of a kind, strictly: an element or key that comes twice,
// also in another case, is refused, and so is everything that the grammar does not
// name. The error is an *Error.
func Parse(src []byte, kind Kind) (*Document, error) {
	if len(src) > kind.source() || Size(src) > kind.Quota() {
		quota := kind.Quota()
		return nil, &Error{Quota: true, Message: fmt.Sprintf("Cannot exceed quota for PolicySize: %d", quota),
			Line: 1, Column: 1, Found: fmt.Sprintf("a document of %d characters without white space", Size(src)),
			Want: fmt.Sprintf("at most %d characters, and %d bytes with white space", quota, kind.source())}
	}
	d, err := read(src, kind)
	if err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d, nil
}

// read reads the syntax of a document.
func read(src []byte, kind Kind) (*Document, error) {
	r := &reader{src: src, dec: jsontext.NewDecoder(bytes.NewReader(src), jsontext.AllowDuplicateNames(true)),
		doc: &Document{kind: kind, src: src}}
	return r.doc, r.read()
}

// refuse makes an Error.
func (d *Document) refuse(off int, message, found, want string) error {
	e := &Error{Message: message, Found: found, Want: want}
	e.Line, e.Column = position(d.src, off)
	return e
}

// reader reads the JSON of a document. Its errors are final: AWS reports faults of
// syntax before any other.
type reader struct {
	src  []byte
	dec  *jsontext.Decoder
	doc  *Document
	last int // offset of the token read last
}

func (r *reader) syntax(found, want string) error {
	return r.doc.refuse(r.last, msgSyntax, found, want)
}

// next reads one token.
func (r *reader) next() (jsontext.Token, error) {
	kind := r.dec.PeekKind()
	off := int(r.dec.InputOffset())
	for off < len(r.src) && strings.IndexByte(" \t\r\n,:", r.src[off]) >= 0 {
		off++
	}
	r.last = off
	tok, err := r.dec.ReadToken()
	if err != nil {
		message := msgSyntax
		if r.doc.kind == TrustPolicy {
			message = msgInvalidJSON
		}
		found := "text that is not JSON"
		if kind == 0 && off >= len(r.src) {
			found = "the end of the text"
		}
		return tok, r.doc.refuse(off, message, found, "JSON (RFC 8259) in UTF-8")
	}
	return tok, nil
}

// describe names a token for an error.
func describe(tok jsontext.Token) string {
	switch tok.Kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return fmt.Sprintf("%q", tok.String())
	}
	return tok.String()
}

func (r *reader) read() error {
	tok, err := r.next()
	if err != nil {
		return err
	}
	if tok.Kind() != '{' {
		return r.syntax(describe(tok), "an object with Version and Statement")
	}
	err = r.object("element", "Version, Id, Statement", func(name text) error {
		switch name.s {
		case "Version":
			return r.version()
		case "Id":
			return r.text(&r.doc.id, "Id", "a string")
		case "Statement":
			return r.statementList()
		}
		return errUnknown
	})
	if err != nil {
		return err
	}
	if len(r.doc.statements) == 0 {
		return r.syntax("a document without statements", "Statement with at least one statement")
	}
	rest := r.src[r.dec.InputOffset():]
	if more := bytes.TrimLeft(rest, " \t\r\n"); len(more) > 0 {
		r.last = len(r.src) - len(more)
		return r.syntax("text after the document", "one document")
	}
	return nil
}

// errUnknown is what a member function of object answers to a name it has no use for.
var errUnknown = fmt.Errorf("unknown name")

// object reads the members of an object whose opening brace has been read. Each name
// may come once, whatever its case.
func (r *reader) object(what, want string, member func(name text) error) error {
	seen := map[string]bool{}
	for {
		tok, err := r.next()
		if err != nil {
			return err
		}
		if tok.Kind() == '}' {
			return nil
		}
		name := text{s: tok.String(), off: r.last}
		low := strings.ToLower(name.s)
		if seen[low] {
			return r.syntax(fmt.Sprintf("the %s %q a second time", what, name.s), "each "+what+" once, in one spelling")
		}
		seen[low] = true
		if err := member(name); err == errUnknown {
			r.last = name.off
			return r.syntax(fmt.Sprintf("the %s %q", what, name.s), want)
		} else if err != nil {
			return err
		}
	}
}

func (r *reader) text(to **text, name, want string) error {
	tok, err := r.next()
	if err != nil {
		return err
	}
	if tok.Kind() != '"' {
		return r.syntax(describe(tok)+" as "+name, want)
	}
	*to = &text{s: tok.String(), off: r.last}
	return nil
}

func (r *reader) version() error {
	var v *text
	const want = `"2012-10-17" or "2008-10-17"`
	if err := r.text(&v, "Version", want); err != nil {
		return err
	}
	if v.s != version2012 && v.s != version2008 {
		return r.syntax(fmt.Sprintf("%q as Version", v.s), want)
	}
	r.doc.version = *v
	return nil
}

func (r *reader) statementList() error {
	tok, err := r.next()
	if err != nil {
		return err
	}
	switch tok.Kind() {
	case '{':
		return r.statement()
	case '[':
		r.doc.list = true
	default:
		return r.syntax(describe(tok)+" as Statement", "a statement or a list of statements")
	}
	for {
		tok, err := r.next()
		switch {
		case err != nil:
			return err
		case tok.Kind() == ']':
			return nil
		case tok.Kind() != '{':
			return r.syntax(describe(tok)+" as a statement", "an object")
		}
		if err := r.statement(); err != nil {
			return err
		}
	}
}

const elements = "Sid, Effect, Principal, NotPrincipal, Action, NotAction, Resource, NotResource, Condition"

func (r *reader) statement() error {
	s := &statement{off: r.last}
	r.doc.statements = append(r.doc.statements, s)
	err := r.object("element", elements, func(name text) error {
		switch name.s {
		case "Sid":
			return r.text(&s.sid, "Sid", "a string of letters and digits")
		case "Effect":
			return r.text(&s.effect, "Effect", `"Allow" or "Deny"`)
		case "Principal":
			return r.principals(&s.principal, name)
		case "NotPrincipal":
			return r.principals(&s.notPrinc, name)
		case "Action":
			return r.list(&s.action, name, false)
		case "NotAction":
			return r.list(&s.notAction, name, false)
		case "Resource":
			return r.list(&s.resource, name, false)
		case "NotResource":
			return r.list(&s.notResource, name, false)
		case "Condition":
			return r.conditions(&s.condition, name)
		}
		return errUnknown
	})
	if err != nil {
		return err
	}
	s.end = int(r.dec.InputOffset())
	return r.whole(s)
}

// whole checks what a statement must have and must not have both of.
func (r *reader) whole(s *statement) error {
	r.last = s.off
	if s.effect == nil {
		return r.syntax("a statement without Effect", `Effect "Allow" or "Deny"`)
	}
	if !strings.EqualFold(s.effect.s, "Allow") && !strings.EqualFold(s.effect.s, "Deny") {
		r.last = s.effect.off
		return r.syntax(fmt.Sprintf("%q as Effect", s.effect.s), `"Allow" or "Deny"`)
	}
	switch {
	case s.action != nil && s.notAction != nil:
		r.last = s.notAction.off
		return r.syntax("Action and NotAction in one statement", "one of the two")
	case s.resource != nil && s.notResource != nil:
		r.last = s.notResource.off
		return r.syntax("Resource and NotResource in one statement", "one of the two")
	case s.principal != nil && s.notPrinc != nil:
		r.last = s.notPrinc.off
		return r.syntax("Principal and NotPrincipal in one statement", "one of the two")
	}
	return nil
}

// list reads a string or a list of strings; with scalars, numbers and booleans are
// values, too.
func (r *reader) list(to **list, name text, scalars bool) error {
	l := &list{off: name.off, name: name.s}
	*to = l
	tok, err := r.next()
	if err != nil {
		return err
	}
	if tok.Kind() != '[' {
		l.single = true
		return r.item(l, tok, scalars)
	}
	for {
		tok, err := r.next()
		if err != nil {
			return err
		}
		if tok.Kind() == ']' {
			return nil
		}
		if tok.Kind() == 'n' && (name.s == "Resource" || name.s == "NotResource") {
			continue // a null in a list of resources names none
		}
		if err := r.item(l, tok, scalars); err != nil {
			return err
		}
	}
}

func (r *reader) item(l *list, tok jsontext.Token, scalars bool) error {
	switch tok.Kind() {
	case '"':
		l.items = append(l.items, text{s: tok.String(), off: r.last})
		return nil
	case 't', 'f', '0':
		if scalars {
			l.items = append(l.items, text{s: tok.String(), off: r.last, bare: true})
			return nil
		}
	}
	return r.syntax(describe(tok)+" in "+l.name, "a string or a list of strings")
}

func (r *reader) principals(to **principals, name text) error {
	p := &principals{off: name.off, name: name.s}
	*to = p
	tok, err := r.next()
	if err != nil {
		return err
	}
	const want = `"*" or an object of AWS, Federated, Service, CanonicalUser`
	switch {
	case tok.Kind() == '"' && tok.String() == "*":
		p.all = true
		return nil
	case tok.Kind() != '{':
		return r.syntax(describe(tok)+" as "+name.s, want)
	}
	return r.object("principal type", "AWS, Federated, Service, CanonicalUser", func(kind text) error {
		switch kind.s {
		case "AWS", "Federated", "Service", "CanonicalUser":
		default:
			return errUnknown
		}
		var l *list
		err := r.list(&l, kind, false)
		p.by = append(p.by, *l)
		return err
	})
}

func (r *reader) conditions(to **conditions, name text) error {
	c := &conditions{off: name.off}
	*to = c
	tok, err := r.next()
	if err != nil {
		return err
	}
	if tok.Kind() != '{' {
		return r.syntax(describe(tok)+" as Condition", "an object of condition operators")
	}
	return r.object("condition operator", "a condition operator", func(op text) error {
		tok, err := r.next()
		if err != nil {
			return err
		}
		if tok.Kind() != '{' {
			return r.syntax(describe(tok)+" for the operator "+op.s, "an object of condition keys")
		}
		o := operator{name: op}
		err = r.object("condition key", "", func(key text) error {
			var l *list
			err := r.list(&l, key, true)
			o.keys = append(o.keys, *l)
			return err
		})
		if err != nil {
			return err
		}
		if _, known := parseOperator(op.s); !known && len(o.keys) > 0 {
			r.last = op.off
			return r.syntax(fmt.Sprintf("the condition operator %q", op.s), operatorHelp)
		}
		c.ops = append(c.ops, o)
		return nil
	})
}
