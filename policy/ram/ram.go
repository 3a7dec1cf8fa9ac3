package ram

import (
	"fmt"

	"warifu/policy"
)

// Language is RAM's number among the policy languages.
const Language policy.Language = 1

// Version is the only version of the language.
const Version = "1"

// Kind is what a document is for; the grammar differs.
type Kind uint8

const (
	Identity      Kind = iota // custom policy of users, groups and roles
	TrustPolicy               // who may assume a role
	SessionPolicy             // passed to AssumeRole
	ControlPolicy             // of a resource directory
	SystemPolicy              // of Alibaba Cloud itself, which no quota binds
)

// Quotas for the size of a document, in characters without white space and
// comments (RAM user guide, "Limits"; Resource Directory, "Limits"). The size of a
// trust policy is not published: it is a custom policy's here.
const (
	MaxIdentitySize = 6144
	MaxTrustSize    = 6144
	MaxSessionSize  = 2048
	MaxControlSize  = 4096

	// MaxSource bounds the text that is looked at, white space and comments
	// included (our own).
	MaxSource = 64 << 10
)

// Quota returns the largest size of one document of the kind.
func (k Kind) Quota() int {
	switch k {
	case TrustPolicy:
		return MaxTrustSize
	case SessionPolicy:
		return MaxSessionSize
	case ControlPolicy:
		return MaxControlSize
	case SystemPolicy:
		return MaxSource
	}
	return MaxIdentitySize
}

// Error is why a document was refused.
type Error struct {
	Quota  bool // the document is larger than its kind may be
	Line   int  // 1-based
	Column int  // 1-based, in bytes
	Found  string
	Want   string // what is allowed there
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: found %s; allowed: %s", e.Line, e.Column, e.Found, e.Want)
}

// Document is a policy document that obeys the grammar of its kind.
type Document struct {
	kind       Kind
	src        []byte // without comments; offsets are those of the text as written
	statements []*statement
}

// statement is one statement as written; an element that is absent is nil.
type statement struct {
	off               int
	deny              bool
	principals        []list // by type: RAM, Service, Federated
	action, notAction *list
	resource          *list
	conditions        []operator
}

// text is a string and where it stands.
type text struct {
	s   string
	off int
}

// list is one string or a list of them.
type list struct {
	name  text
	items []text
}

type operator struct {
	name text
	form form
	keys []list // name is the condition key
}

// Len returns the number of statements.
func (d *Document) Len() int { return len(d.statements) }

// refuse makes an Error about what stands at an offset.
func (d *Document) refuse(off int, found, want string) error {
	e := &Error{Found: found, Want: want}
	e.Line, e.Column = position(d.src, off)
	return e
}

// position turns an offset into line and column.
func position(src []byte, off int) (line, column int) {
	line, start := 1, 0
	for i, c := range src[:min(off, len(src))] {
		if c == '\n' {
			line, start = line+1, i+1
		}
	}
	return line, off - start + 1
}
