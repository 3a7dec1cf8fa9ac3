package query

import (
	"strings"

	"warifu/internal/fault"
)

// maxText bounds a query's text, in bytes.
const maxText = 16 << 10

// Check says what is wrong with a query before it is run: Invalid, naming where or
// sql.
func (q Query) Check() error { return q.check() }

func (q *Query) check() error {
	for _, part := range []struct{ field, text string }{{"where", q.Where}, {"sql", q.SQL}} {
		if len(part.text) > maxText {
			return fault.Field(part.field, "a query has at most %d characters", maxText)
		}
		if strings.IndexByte(part.text, 0) >= 0 {
			return fault.Field(part.field, "a query has no zero characters")
		}
		if err := whole(part.field, part.text); err != nil {
			return err
		}
	}
	first, _ := word(q.SQL)
	switch strings.ToUpper(first) {
	case "", "SELECT", "WITH", "VALUES":
		return nil
	}
	return fault.Field("sql", "a query begins with SELECT, WITH or VALUES")
}

// parts are the texts that run, defaults filled in.
func (q *Query) parts() (where, text string) {
	where, text = strings.TrimSpace(q.Where), strings.TrimRight(strings.TrimSpace(q.SQL), "; \t\r\n")
	if where == "" {
		where = "1"
	}
	if text == "" {
		text = DefaultSQL
	}
	return where, text
}

// word is the first word of a text, behind blanks and comments.
func word(text string) (first, rest string) {
	for text != "" {
		n := skip(text)
		if n == 0 {
			break
		}
		text = text[n:]
	}
	end := 0
	for end < len(text) && (text[end] >= 'a' && text[end] <= 'z' || text[end] >= 'A' && text[end] <= 'Z' || text[end] == '_') {
		end++
	}
	return text[:end], text[end:]
}

// skip is the length of a blank or comment that a text begins with, 0 if it begins
// with neither (SQLite, "Comments").
func skip(text string) int {
	switch {
	case strings.HasPrefix(text, "--"):
		if n := strings.IndexByte(text, '\n'); n >= 0 {
			return n + 1
		}
		return len(text)
	case strings.HasPrefix(text, "/*"):
		if n := strings.Index(text[2:], "*/"); n >= 0 {
			return n + 4
		}
		return len(text)
	case text != "" && strings.IndexByte(" \t\r\n\f", text[0]) >= 0:
		return 1
	}
	return 0
}

// whole wants one expression: quotes and brackets that end, no semicolon but at
// the end, and no parameters, which nobody would fill in.
func whole(field, text string) error {
	text = strings.TrimRight(text, "; \t\r\n")
	depth := 0
	for text != "" {
		n := skip(text)
		if n > 0 {
			if strings.HasPrefix(text, "/*") && !strings.HasSuffix(text[:n], "*/") {
				return fault.Field(field, "a comment does not end")
			}
			text = text[n:]
			continue
		}
		switch c := text[0]; c {
		case '\'', '"', '`', '[':
			end := quoted(text)
			if end < 0 {
				return fault.Field(field, "a text in quotes does not end")
			}
			text = text[end:]
			continue
		case ';':
			return fault.Field(field, "a query is one statement: leave out the semicolon")
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return fault.Field(field, "a bracket is closed that was not opened")
			}
		case '?', '$', '@', ':':
			return fault.Field(field, "%q begins a parameter, which a query cannot have", string(c))
		}
		text = text[1:]
	}
	if depth > 0 {
		return fault.Field(field, "a bracket is not closed")
	}
	return nil
}

// quoted is the length of the quoted text that begins a text; -1 if it does not
// end. A quote inside is doubled; square brackets have no such way.
func quoted(text string) int {
	closing := text[0]
	if closing == '[' {
		if n := strings.IndexByte(text, ']'); n >= 0 {
			return n + 1
		}
		return -1
	}
	for i := 1; i < len(text); i++ {
		if text[i] != closing {
			continue
		}
		if i+1 < len(text) && text[i+1] == closing {
			i++
			continue
		}
		return i + 1
	}
	return -1
}
