package oci

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokWord
	tokText    // between quotes
	tokPattern // between slashes
	tokPunct   // one of { } ( ) , = ! / or !=
	tokBad
)

// token is one piece of a statement.
type token struct {
	kind tokenKind
	text string // without quotes or slashes
	off  int
	end  int
}

// is tells whether the token is this keyword or punctuation.
func (t *token) is(s string) bool {
	return t.kind == tokWord && strings.EqualFold(t.text, s) || t.kind == tokPunct && t.text == s
}

// describe names a token for an error.
func (t *token) describe() string {
	switch t.kind {
	case tokEnd:
		return "the end of the statement"
	case tokText:
		return fmt.Sprintf("the text '%s'", t.text)
	case tokPattern:
		return fmt.Sprintf("the pattern /%s/", t.text)
	case tokBad:
		return t.text
	}
	return fmt.Sprintf("%q", t.text)
}

// scanner cuts a statement into tokens. A slash separates a domain from a group in
// one place and encloses a pattern in another, so the parser says which it expects.
type scanner struct {
	src string
	off int
}

// punctuation ends a word.
const punctuation = "{}(),=!/'\"<>\u2018\u2019\u201c\u201d`;&|"

func (s *scanner) space() {
	for s.off < len(s.src) {
		r, n := utf8.DecodeRuneInString(s.src[s.off:])
		if !unicode.IsSpace(r) {
			return
		}
		s.off += n
	}
}

// next reads a token; patterns says that a slash begins one.
func (s *scanner) next(patterns bool) token {
	s.space()
	for !patterns && strings.HasPrefix(s.src[s.off:], "//") { // a remark, to the end of its line
		n := strings.IndexByte(s.src[s.off:], '\n')
		if n < 0 {
			n = len(s.src) - s.off
		}
		s.off += n
		s.space()
	}
	start := s.off
	if start == len(s.src) {
		return token{off: start, end: start}
	}
	rest := s.src[start:]
	switch c := rest[0]; {
	case c == '\'' || c == '"':
		n := strings.IndexByte(rest[1:], c)
		if n < 0 {
			return s.bad(len(rest), "a text whose closing quotation mark is missing")
		}
		return s.take(tokText, n+2, rest[1:n+1])
	case c == '/' && patterns:
		n := patternEnd(rest)
		if n < 0 {
			return s.bad(len(rest), "a pattern whose closing slash is missing")
		}
		return s.take(tokPattern, n+1, rest[1:n])
	case strings.HasPrefix(rest, "!="):
		return s.take(tokPunct, 2, "!=")
	case strings.HasPrefix(rest, "=="):
		return s.bad(2, `"==" (OCI's sign for equality is "=")`)
	case strings.IndexByte("{}(),=!/", c) >= 0:
		return s.take(tokPunct, 1, rest[:1])
	}
	n := strings.IndexAny(rest, punctuation)
	if n < 0 {
		n = len(rest)
	}
	if sp := strings.IndexFunc(rest[:n], unicode.IsSpace); sp >= 0 {
		n = sp
	}
	if n == 0 {
		r, n := utf8.DecodeRuneInString(rest)
		if strings.ContainsRune("\u2018\u2019\u201c\u201d", r) {
			return s.bad(n, "a typographic quotation mark (OCI's is the straight one: ')")
		}
		return s.bad(n, fmt.Sprintf("%q", r))
	}
	if !utf8.ValidString(rest[:n]) {
		return s.bad(n, "bytes that are not UTF-8")
	}
	return s.take(tokWord, n, rest[:n])
}

// patternEnd finds the slash that closes a pattern: the first after which something
// else can follow, for a pattern may hold slashes of its own.
func patternEnd(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '/' {
			continue
		}
		if i+1 == len(s) || strings.IndexByte(" \t\r\n,)}", s[i+1]) >= 0 {
			return i
		}
	}
	return -1
}

func (s *scanner) take(kind tokenKind, n int, text string) token {
	t := token{kind: kind, text: text, off: s.off, end: s.off + n}
	s.off += n
	return t
}

func (s *scanner) bad(n int, words string) token { return s.take(tokBad, n, words) }
