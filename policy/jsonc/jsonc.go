package jsonc

import (
	"fmt"
	"unicode/utf8"
)

const (
	// MaxSize bounds the text that is looked at, in bytes. It has room for the
	// largest policy of any language with as much again in comments.
	MaxSize = 512 << 10

	// MaxDepth bounds how deep brackets may stand in brackets. Policies need
	// less than ten; parsers that call themselves need a bound (security.md A-3).
	MaxDepth = 64
)

// Error is why a text was refused.
type Error struct {
	Line   int    // 1-based
	Column int    // 1-based, in bytes
	Found  string // what stands there
	Want   string // what is allowed there
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: found %s; allowed: %s", e.Line, e.Column, e.Found, e.Want)
}

// Strip returns src with each byte of a comment replaced by a space; ends of
// lines stay, so the result has the same length and the same lines. A text
// without comments is returned itself, otherwise the result is a copy. The error
// is an *Error: a text that is too large or too deep, a comment without end, or
// one with characters that would show it as something it is not.
func Strip(src []byte) ([]byte, error) {
	if len(src) > MaxSize {
		return nil, &Error{Line: 1, Column: 1, Found: fmt.Sprintf("a text of %d bytes", len(src)), Want: fmt.Sprintf("at most %d bytes", MaxSize)}
	}
	s := stripper{src: src, out: src}
	for s.at < len(src) {
		if err := s.step(); err != nil {
			return nil, err
		}
	}
	return s.out, nil
}

// stripper goes over a text once, from its start.
type stripper struct {
	src, out []byte // out is src until the first comment
	at       int
	depth    int
}

func (s *stripper) step() error {
	switch c := s.src[s.at]; {
	case c == '"':
		s.at += stringLen(s.src[s.at:])
		return nil
	case c == '/' && s.at+1 < len(s.src) && s.src[s.at+1] == '/':
		return s.blank(s.line)
	case c == '/' && s.at+1 < len(s.src) && s.src[s.at+1] == '*':
		return s.blank(s.block)
	case c == '{' || c == '[':
		if s.depth++; s.depth > MaxDepth {
			return s.refuse(s.at, fmt.Sprintf("bracket %d inside of others", s.depth), fmt.Sprintf("at most %d", MaxDepth))
		}
	case c == '}' || c == ']':
		s.depth--
	}
	s.at++
	return nil
}

// stringLen is the length of the string that text begins with, quotes included.
// One without end goes to the end of the text; the parser will refuse it.
func stringLen(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// blank replaces a comment, whose end the function finds.
func (s *stripper) blank(end func() (int, error)) error {
	to, err := end()
	if err != nil {
		return err
	}
	if err := s.readable(s.at+2, to); err != nil {
		return err
	}
	if &s.out[0] == &s.src[0] {
		s.out = append([]byte(nil), s.src...)
	}
	for ; s.at < to; s.at++ {
		if c := s.src[s.at]; c != '\n' && c != '\r' {
			s.out[s.at] = ' '
		}
	}
	return nil
}

// line finds the end of a // comment. A carriage return ends it also: text that
// an editor shows on a line of its own must not be part of a comment.
func (s *stripper) line() (int, error) {
	for i := s.at + 2; i < len(s.src); i++ {
		if s.src[i] == '\n' || s.src[i] == '\r' {
			return i, nil
		}
	}
	return len(s.src), nil
}

// block finds the end of a /* comment; such comments do not nest.
func (s *stripper) block() (int, error) {
	for i := s.at + 2; i+1 < len(s.src); i++ {
		if s.src[i] == '*' && s.src[i+1] == '/' {
			return i + 2, nil
		}
	}
	return 0, s.refuse(s.at, "a comment without end", "*/ at its end")
}

// readable refuses characters that nobody sees and that make a comment, or what
// stands after it, look like something else: control characters, ends of line
// that not every editor knows, and those that turn the direction of writing
// (Unicode Technical Standard 55, section 3).
func (s *stripper) readable(from, to int) error {
	for i := from; i < to; {
		r, n := utf8.DecodeRune(s.src[i:to])
		switch {
		case r == utf8.RuneError && n == 1:
			return s.refuse(i, "a byte that is not UTF-8, in a comment", "text in UTF-8")
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0,
			r == 0x2028, r == 0x2029, r == 0x061c, r == 0x200e, r == 0x200f,
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return s.refuse(i, fmt.Sprintf("the unseen character U+%04X, in a comment", r), "characters that can be seen")
		}
		i += n
	}
	return nil
}

func (s *stripper) refuse(off int, found, want string) error {
	line, start := 1, 0
	for i, c := range s.src[:off] {
		if c == '\n' {
			line, start = line+1, i+1
		}
	}
	return &Error{Line: line, Column: off - start + 1, Found: found, Want: want}
}
