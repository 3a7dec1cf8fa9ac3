package oci

import (
	"fmt"
	"strings"

	"warifu/policy"
)

// Language is OCI's number among the policy languages.
const Language policy.Language = 2

// MaxStatement bounds the text of one statement, in bytes (our own; Oracle names no
// limit, and the longest in use have some 8,000).
const MaxStatement = 32 << 10

// maxDepth is how deep conditions may nest (our own).
const maxDepth = 16

// Error is why a statement or a matching rule was refused.
type Error struct {
	Statement int    // position in the list of statements, from 0
	Line      int    // 1-based
	Column    int    // 1-based, in bytes
	Offset    int    // in bytes
	Token     string // what stands there, as written
	Found     string // what stands there, in words
	Want      string // what is allowed there
}

func (e *Error) Error() string {
	return fmt.Sprintf("statement %d, line %d, column %d: found %s; allowed: %s", e.Statement+1, e.Line, e.Column, e.Found, e.Want)
}

// Document is the list of statements of one policy.
type Document struct {
	statements []*statement
}

// Parse reads the statements of a policy. The error is an *Error about the first
// fault of the first statement that has one.
func Parse(statements []string) (*Document, error) {
	d := &Document{statements: make([]*statement, len(statements))}
	for i, src := range statements {
		s, err := parseStatement(src)
		if err != nil {
			err.Statement = i
			return nil, err
		}
		d.statements[i] = s
	}
	return d, nil
}

// Statements are the statements, byte for byte as they were given.
func (d *Document) Statements() []string {
	out := make([]string, len(d.statements))
	for i, s := range d.statements {
		out[i] = s.src
	}
	return out
}

// Kind says what a statement is for.
type Kind uint8

const (
	Allow   Kind = iota // grants
	Deny                // forbids
	Define              // gives an OCID a name, for statements about other tenancies
	Endorse             // lets subjects of this tenancy act in others
	Admit               // lets subjects of other tenancies act in this one
)

// Kinds are the kinds of the statements. Those that deny an endorsement or an
// admission count as Endorse and Admit.
func (d *Document) Kinds() []Kind {
	out := make([]Kind, len(d.statements))
	for i, s := range d.statements {
		out[i] = s.kind
	}
	return out
}

// NounKind says what a Reference names.
type NounKind uint8

const (
	Group NounKind = iota + 1
	DynamicGroup
	Compartment
)

func (k NounKind) String() string {
	return [...]string{"", "group", "dynamic group", "compartment"}[k]
}

// Reference is a noun that a statement names. Names compare without regard to case.
type Reference struct {
	Kind   NounKind
	Domain string // of a group or dynamic group; "" if none is written
	Name   string // of a compartment: its path from where the policy is attached, with colons
}

// Names says which OCIDs the nouns have that statements name. Keys are as
// References gives them.
type Names map[Reference]string

// References returns what the statements that grant or forbid name: each once, in
// order of appearance, names in lower case. ids are the OCIDs that they name groups
// and compartments by.
func (d *Document) References() (names []Reference, ids []string) {
	seen := map[Reference]bool{}
	for _, s := range d.statements {
		if s.kind != Allow && s.kind != Deny {
			continue
		}
		for _, n := range s.nouns() {
			if seen[n.ref] {
				continue
			}
			seen[n.ref] = true
			if n.id {
				ids = append(ids, n.ref.Name)
			} else {
				names = append(names, n.ref)
			}
		}
	}
	return names, ids
}

// statement is one statement as written.
type statement struct {
	src     string
	kind    Kind
	denied  bool // deny endorse, deny admit
	subject subject
	what    what
	where   location
	when    *cond // nil if there is none
}

// noun is a name or an OCID in a statement.
type noun struct {
	ref Reference
	id  bool // ref.Name is an OCID
	off int
}

func (s *statement) nouns() []noun {
	all := s.subject.nouns
	if s.where.compartment != nil {
		all = append(all[:len(all):len(all)], *s.where.compartment)
	}
	return all
}

type subjectKind uint8

const (
	groups subjectKind = iota + 1
	dynamicGroups
	anyUser
	anyGroup
	services
	resources
)

type subject struct {
	kind  subjectKind
	nouns []noun   // groups and dynamic groups
	texts []string // services and resource types
}

// verb is how much is granted; each includes those before.
type verb uint8

const (
	inspect verb = iota
	read
	use
	manage
	verbs
	associate verb = 255 // between tenancies only
)

var verbNames = [verbs]string{"inspect", "read", "use", "manage"}

func (v verb) String() string {
	if v == associate {
		return "associate"
	}
	return verbNames[v]
}

func parseVerb(s string) (verb, bool) {
	for i, n := range verbNames {
		if strings.EqualFold(n, s) {
			return verb(i), true
		}
	}
	return associate, strings.EqualFold(s, "associate")
}

// what is a verb and a resource type, or a list of permissions.
type what struct {
	verb        verb
	resource    string
	resourceOff int
	permissions []string // in capitals; nil if it is a verb
}

// location is where a statement counts: the whole tenancy, or a compartment and
// what is below it.
type location struct {
	tenancy     bool
	compartment *noun
}

// position turns an offset into line and column.
func position(src string, off int) (line, column int) {
	off = min(off, len(src))
	before := src[:off]
	return 1 + strings.Count(before, "\n"), off - strings.LastIndexByte(before, '\n')
}

// TenancyWide tells of each statement whether it counts in the whole tenancy, which is
// what only policies of the root compartment may say.
func (d *Document) TenancyWide() []bool {
	out := make([]bool, len(d.statements))
	for i, s := range d.statements {
		out[i] = s.where.tenancy
	}
	return out
}
