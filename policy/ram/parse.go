package ram

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"warifu/policy/jsonc"
)

// Parse reads a document of a kind, strictly: what the grammar does not name is
// refused, and so is a name that comes twice. Comments are no part of the
// language, but people write them; they are read over, and the caller keeps the
// text as it was written. The error is an *Error.
func Parse(src []byte, kind Kind) (*Document, error) {
	d := &Document{kind: kind, src: src}
	if len(src) > MaxSource {
		return nil, d.tooLarge(fmt.Sprintf("a document of %d bytes", len(src)))
	}
	var err error
	if d.src, err = jsonc.Strip(src); err != nil {
		return nil, uncommented(err)
	}
	if n := size(d.src); n > kind.Quota() {
		return nil, d.tooLarge(fmt.Sprintf("a document of %d characters without white space and comments", n))
	}
	r := &reader{doc: d, dec: jsontext.NewDecoder(bytes.NewReader(d.src), jsontext.AllowDuplicateNames(true))}
	if err := r.read(); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Document) tooLarge(found string) error {
	return &Error{Quota: true, Line: 1, Column: 1, Found: found,
		Want: fmt.Sprintf("at most %d characters, and %d bytes with white space and comments", d.kind.Quota(), MaxSource)}
}

// uncommented words what is wrong with a comment.
func uncommented(err error) error {
	e := &Error{Line: 1, Column: 1, Found: err.Error(), Want: "JSON (RFC 8259) with comments"}
	if c := (*jsonc.Error)(nil); errors.As(err, &c) {
		e.Line, e.Column, e.Found, e.Want = c.Line, c.Column, c.Found, c.Want
	}
	return e
}

// Size counts the characters of a document as quotas do: without white space and
// comments.
func Size(src []byte) int {
	plain, err := jsonc.Strip(src)
	if err != nil {
		plain = src
	}
	return size(plain)
}

func size(plain []byte) int {
	n := 0
	for _, r := range string(plain) {
		if r != ' ' && r != '\t' && r != '\n' && r != '\r' {
			n++
		}
	}
	return n
}

// Speaks tells whether a text says of itself that it is in this language: it is an
// object whose Version is "1". It may be wrong in every other way. AWS's documents
// have other versions.
func Speaks(src []byte) bool {
	plain, err := jsonc.Strip(src)
	if err != nil {
		return false
	}
	dec := jsontext.NewDecoder(bytes.NewReader(plain), jsontext.AllowDuplicateNames(true))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return false
	}
	for {
		name, err := dec.ReadToken()
		if err != nil || name.Kind() != '"' {
			return false
		}
		if name.String() != "Version" {
			if dec.SkipValue() != nil {
				return false
			}
			continue
		}
		version, err := dec.ReadToken()
		return err == nil && version.Kind() == '"' && version.String() == Version
	}
}

// reader reads the JSON of a document.
type reader struct {
	dec  *jsontext.Decoder
	doc  *Document
	last int // offset of the token read last
}

func (r *reader) syntax(found, want string) error { return r.doc.refuse(r.last, found, want) }

// next reads one token.
func (r *reader) next() (jsontext.Token, error) {
	r.dec.PeekKind() // moves over white space and separators
	off := int(r.dec.InputOffset())
	for off < len(r.doc.src) && strings.IndexByte(" \t\r\n,:", r.doc.src[off]) >= 0 {
		off++
	}
	r.last = off
	tok, err := r.dec.ReadToken()
	if err != nil {
		found := "text that is not JSON"
		if off >= len(r.doc.src) {
			found = "the end of the text"
		}
		return tok, r.syntax(found, "JSON (RFC 8259) in UTF-8")
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
	version := false
	if err := r.opening("a document", "an object with Version and Statement"); err != nil {
		return err
	}
	err := r.object("element", "Version, Statement", func(name text) error {
		if name.s == "Version" {
			version = true
			v, err := r.text("Version", `"1"`)
			if err == nil && v.s != Version {
				err = r.syntax(fmt.Sprintf("%q as Version", v.s), `"1"`)
			}
			return err
		}
		return r.statements()
	})
	if err != nil {
		return err
	}
	rest := r.doc.src[r.dec.InputOffset():]
	more := bytes.TrimLeft(rest, " \t\r\n")
	r.last = len(r.doc.src) - len(more)
	switch {
	case len(more) > 0:
		return r.syntax("text after the document", "one document")
	case !version:
		return r.doc.refuse(0, "a document without Version", `Version "1"`)
	case len(r.doc.statements) == 0:
		return r.doc.refuse(0, "a document without statements", "Statement with at least one statement")
	}
	return nil
}

// opening reads the brace that opens an object.
func (r *reader) opening(what, want string) error {
	tok, err := r.next()
	if err == nil && tok.Kind() != '{' {
		err = r.syntax(describe(tok)+" as "+what, want)
	}
	return err
}

// object reads the members of an object whose opening brace has been read. Each
// name may come once. names are those allowed, if any are listed.
func (r *reader) object(what, names string, member func(name text) error) error {
	seen := map[string]bool{}
	for {
		tok, err := r.next()
		if err != nil {
			return err
		}
		if tok.Kind() == '}' {
			return nil
		}
		name := text{tok.String(), r.last}
		if seen[name.s] {
			return r.syntax(fmt.Sprintf("the %s %q a second time", what, name.s), "each "+what+" once")
		}
		seen[name.s] = true
		if names != "" && !strings.Contains(", "+names+",", ", "+name.s+",") {
			return r.syntax(fmt.Sprintf("the %s %q", what, name.s), names)
		}
		if err := member(name); err != nil {
			return err
		}
	}
}

func (r *reader) text(name, want string) (text, error) {
	tok, err := r.next()
	if err == nil && tok.Kind() != '"' {
		err = r.syntax(describe(tok)+" as "+name, want)
	}
	if err != nil {
		return text{}, err
	}
	return text{tok.String(), r.last}, nil
}

func (r *reader) statements() error {
	tok, err := r.next()
	switch {
	case err != nil:
		return err
	case tok.Kind() == '{':
		return r.statement()
	case tok.Kind() != '[':
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

// elements of a statement, by whether it says whom it is about.
const (
	identityElements = "Effect, Action, NotAction, Resource, Condition"
	trustElements    = "Effect, Principal, Action, Condition"
)

func (r *reader) statement() error {
	s := &statement{off: r.last}
	r.doc.statements = append(r.doc.statements, s)
	elements := identityElements
	if r.doc.kind == TrustPolicy {
		elements = trustElements
	}
	effect := false
	err := r.object("element", elements, func(name text) (err error) {
		switch name.s {
		case "Effect":
			effect = true
			s.deny, err = r.effect()
		case "Principal":
			s.principals, err = r.principals()
		case "Action":
			s.action, err = r.list(name)
		case "NotAction":
			s.notAction, err = r.list(name)
		case "Resource":
			s.resource, err = r.list(name)
		default:
			s.conditions, err = r.conditions()
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case !effect:
		return r.doc.refuse(s.off, "a statement without Effect", `Effect "Allow" or "Deny"`)
	case s.action != nil && s.notAction != nil:
		return r.doc.refuse(s.notAction.name.off, "Action and NotAction in one statement", "one of the two")
	}
	return nil
}

func (r *reader) effect() (deny bool, err error) {
	const want = `"Allow" or "Deny", in this case`
	v, err := r.text("Effect", want)
	if err == nil && v.s != "Allow" && v.s != "Deny" {
		err = r.syntax(fmt.Sprintf("%q as Effect", v.s), want)
	}
	return v.s == "Deny", err
}

// list reads a string or a list of strings.
func (r *reader) list(name text) (*list, error) {
	l := &list{name: name}
	tok, err := r.next()
	if err != nil {
		return nil, err
	}
	if tok.Kind() != '[' {
		return l, r.item(l, tok)
	}
	for {
		tok, err := r.next()
		if err != nil {
			return nil, err
		}
		if tok.Kind() == ']' {
			break
		}
		if err := r.item(l, tok); err != nil {
			return nil, err
		}
	}
	if len(l.items) == 0 {
		return nil, r.syntax("nothing in "+name.s, "at least one string")
	}
	return l, nil
}

func (r *reader) item(l *list, tok jsontext.Token) error {
	if tok.Kind() != '"' {
		return r.syntax(describe(tok)+" in "+l.name.s, "a string or a list of strings, in quotes")
	}
	l.items = append(l.items, text{tok.String(), r.last})
	return nil
}

func (r *reader) principals() (by []list, err error) {
	const types = "RAM, Service, Federated"
	if err := r.opening("Principal", "an object of "+types); err != nil {
		return nil, err
	}
	err = r.object("principal type", types, func(kind text) error {
		l, err := r.list(kind)
		if err == nil {
			by = append(by, *l)
		}
		return err
	})
	if err == nil && len(by) == 0 {
		err = r.syntax("a Principal that names nobody", "an object of "+types)
	}
	return by, err
}

func (r *reader) conditions() (ops []operator, err error) {
	if err := r.opening("Condition", "an object of condition operators"); err != nil {
		return nil, err
	}
	err = r.object("condition operator", "", func(name text) error {
		o := operator{name: name}
		known := false
		if o.form, known = forms[name.s]; !known {
			return r.syntax(fmt.Sprintf("the condition operator %q", name.s), operatorHelp)
		}
		if err := r.opening("the operator "+name.s, "an object of condition keys"); err != nil {
			return err
		}
		err := r.object("condition key", "", func(key text) error {
			l, err := r.list(key)
			if err == nil {
				o.keys = append(o.keys, *l)
			}
			return err
		})
		ops = append(ops, o)
		return err
	})
	return ops, err
}
