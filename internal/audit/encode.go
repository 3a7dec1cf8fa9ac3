package audit

import (
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the event as encoding/json spells it, which reads it back:
// the bytes are the same. Every request leaves an event, and reflection took a
// third of what recording one does.
func (e *Event) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	b = appendText(b, `"id":`, e.ID)
	b = appendInt(b, `,"account":`, int64(e.Account))
	b = append(b, `,"at":"`...)
	b = e.At.AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	b = appendText(b, `,"operation":`, e.Operation)
	b = appendText(b, `,"action":`, e.Action)
	b = appendText(b, `,"door":`, e.Door)
	b = appendText(b, `,"service":`, e.Service)
	b = appendOptional(b, `,"region":`, e.Region)
	b = appendBool(b, `,"readOnly":`, e.ReadOnly)
	b = append(b, `,"actor":`...)
	b = e.Actor.appendJSON(b)
	if e.Root {
		b = append(b, `,"root":true`...)
	}
	b = append(b, `,"mfa":`...)
	b = e.MFA.appendJSON(b)
	b = append(b, `,"target":`...)
	b = e.Target.appendJSON(b)
	b = appendText(b, `,"source":`, e.Source)
	b = appendOptional(b, `,"chain":`, e.Chain)
	b = appendOptional(b, `,"userAgent":`, e.UserAgent)
	b = appendText(b, `,"requestId":`, e.RequestID)
	b = appendText(b, `,"result":`, string(e.Result))
	b = appendOptional(b, `,"code":`, e.Code)
	b = appendOptional(b, `,"why":`, e.Why)
	if len(e.Params) > 0 {
		b = append(b, `,"params":`...)
		b = e.Params.appendJSON(b)
	}
	for i, a := range e.Also {
		before := `,{"action":`
		if i == 0 {
			before = `,"also":[{"action":`
		}
		b = append(appendText(appendText(b, before, a.Action), `,"resource":`, a.Resource), '}')
	}
	if len(e.Also) > 0 {
		b = append(b, ']')
	}
	return append(b, '}')
}

func (a *Actor) appendJSON(b []byte) []byte {
	b = append(b, '{')
	b = appendText(b, `"kind":`, a.Kind)
	b = appendNumber(b, `,"id":`, int64(a.ID))
	b = appendOptional(b, `,"name":`, a.Name)
	b = appendOptional(b, `,"arn":`, a.ARN)
	b = appendOptional(b, `,"accessKey":`, a.AccessKey)
	b = appendOptional(b, `,"session":`, a.Session)
	b = appendNumber(b, `,"issued":`, a.Issued)
	return append(b, '}')
}

func (m *MFA) appendJSON(b []byte) []byte {
	b = append(b, '{')
	b = appendBool(b, `"known":`, m.Known)
	b = appendBool(b, `,"present":`, m.Present)
	b = appendNumber(b, `,"at":`, m.At)
	for i, method := range m.Methods {
		if i == 0 {
			b = appendText(b, `,"methods":[`, method)
		} else {
			b = appendText(b, `,`, method)
		}
	}
	if len(m.Methods) > 0 {
		b = append(b, ']')
	}
	if m.Remembered {
		b = appendBool(b, `,"remembered":`, true)
	}
	return append(b, '}')
}

func (t *Target) appendJSON(b []byte) []byte {
	from := len(b)
	b = appendOptional(b, `,"noun":`, t.Noun)
	b = appendOptional(b, `,"name":`, t.Name)
	b = appendNumber(b, `,"id":`, int64(t.ID))
	b = appendOptional(b, `,"arn":`, t.ARN)
	if len(b) == from {
		return append(b, `{}`...)
	}
	b[from] = '{' // for the comma before the first that there is
	return append(b, '}')
}

func (f Fields) appendJSON(b []byte) []byte {
	var room [8]string
	keys := room[:0]
	for k := range f {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, k)
		b = appendText(b, `:`, f[k])
	}
	return append(b, '}')
}

// The appenders of members take all that stands before the value.

func appendText(b []byte, before, s string) []byte {
	return appendString(append(b, before...), s)
}

func appendOptional(b []byte, before, s string) []byte {
	if s == "" {
		return b
	}
	return appendText(b, before, s)
}

func appendInt(b []byte, before string, n int64) []byte {
	return strconv.AppendInt(append(b, before...), n, 10)
}

// appendNumber leaves out zero.
func appendNumber(b []byte, before string, n int64) []byte {
	if n == 0 {
		return b
	}
	return appendInt(b, before, n)
}

func appendBool(b []byte, before string, v bool) []byte {
	return strconv.AppendBool(append(b, before...), v)
}

// appendString quotes and escapes (RFC 8259 section 7). Like encoding/json it
// also escapes what would end a script in a page, and makes bytes that are no
// UTF-8 U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0 // what is before it is written
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if plain(c) {
				i++
				continue
			}
			b = append(b, s[from:i]...)
			b = appendEscape(b, c)
			i++
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, s[from:i]...)
			b = append(b, `\ufffd`...)
			from = i + size
		case r == '\u2028' || r == '\u2029':
			b = append(b, s[from:i]...)
			b = append(b, `\u202`...)
			b = append(b, hexDigits[r&15])
			from = i + size
		}
		i += size
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

// plain reports whether an ASCII character stands for itself.
func plain(c byte) bool {
	return c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
