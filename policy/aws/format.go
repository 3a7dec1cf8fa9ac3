package aws

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// quote writes a scalar as JSON.
func quote(v text) string {
	if v.bare {
		return v.s
	}
	b, _ := jsontext.AppendQuote(nil, v.s) // fails on invalid UTF-8 only, which the reader has refused
	return string(b)
}

// Format writes the document in the usual order of elements, two spaces to a level,
// with what was one value left as one.
func (d *Document) Format() []byte {
	f := formatter{}
	f.open("{")
	if d.version.s != "" {
		f.member("Version", quote(d.version))
	}
	if d.id != nil {
		f.member("Id", quote(*d.id))
	}
	f.name("Statement")
	if d.list {
		f.open("[")
	}
	for _, s := range d.statements {
		if d.list {
			f.item()
		}
		f.statement(s)
	}
	if d.list {
		f.close("]")
	}
	f.close("}")
	f.b.WriteByte('\n')
	return []byte(f.b.String())
}

// formatter writes indented JSON.
type formatter struct {
	b     strings.Builder
	depth int
	first bool // nothing has been written on this level
}

func (f *formatter) open(bracket string) {
	f.b.WriteString(bracket)
	f.depth++
	f.first = true
}

func (f *formatter) close(bracket string) {
	f.depth--
	if !f.first {
		f.line()
	}
	f.b.WriteString(bracket)
	f.first = false
}

func (f *formatter) line() {
	f.b.WriteByte('\n')
	for range f.depth {
		f.b.WriteString("  ")
	}
}

// item begins a new element on its own line.
func (f *formatter) item() {
	if !f.first {
		f.b.WriteByte(',')
	}
	f.first = false
	f.line()
}

func (f *formatter) name(name string) {
	f.item()
	f.b.WriteString(quote(text{s: name}) + ": ")
}

func (f *formatter) member(name, value string) {
	f.name(name)
	f.b.WriteString(value)
}

func (f *formatter) statement(s *statement) {
	f.open("{")
	if s.sid != nil {
		f.member("Sid", quote(*s.sid))
	}
	f.member("Effect", quote(*s.effect))
	for _, p := range []*principals{s.principal, s.notPrinc} {
		f.principals(p)
	}
	for _, l := range []*list{s.action, s.notAction, s.resource, s.notResource} {
		if l != nil {
			f.list(l)
		}
	}
	if s.condition != nil {
		f.name("Condition")
		f.open("{")
		for _, o := range s.condition.ops {
			f.name(o.name.s)
			f.open("{")
			for i := range o.keys {
				f.list(&o.keys[i])
			}
			f.close("}")
		}
		f.close("}")
	}
	f.close("}")
}

func (f *formatter) principals(p *principals) {
	if p == nil {
		return
	}
	if p.all {
		f.member(p.name, `"*"`)
		return
	}
	f.name(p.name)
	f.open("{")
	for i := range p.by {
		f.list(&p.by[i])
	}
	f.close("}")
}

func (f *formatter) list(l *list) {
	if l.single {
		f.member(l.name, quote(l.items[0]))
		return
	}
	f.name(l.name)
	f.open("[")
	for _, v := range l.items {
		f.item()
		f.b.WriteString(quote(v))
	}
	f.close("]")
}
