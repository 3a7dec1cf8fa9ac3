package aws

import (
	"fmt"

	"warifu/policy"
)

// Language is AWS's number among the policy languages.
const Language policy.Language = 0

// Kind is what a document is for; the grammar differs.
type Kind uint8

const (
	Managed         Kind = iota // identity policy with versions (CreatePolicy)
	Inline                      // identity policy embedded in a user, group or role
	TrustPolicy                 // who may assume a role
	ResourcePolicy              // policy of a resource
	SessionPolicy               // passed when a session is made
	BoundaryPolicy              // a managed policy in its part as permissions boundary
	ServiceControl              // SCP
	ResourceControl             // RCP
	VendorPolicy                // managed policy of AWS itself, which no quota binds
)

// Quotas for the size of a document, in characters without white space (IAM and STS
// quotas, Organizations quotas). Those of inline policies are for the sum of all
// documents of one user, group or role.
const (
	MaxManagedSize     = 6144
	MaxTrustSize       = 2048 // AssumeRolePolicySize of GetAccountSummary; AWS raises it on request
	MaxSessionSize     = 2048 // all session policies of one call together
	MaxUserInlineSize  = 2048
	MaxGroupInlineSize = 5120
	MaxRoleInlineSize  = 10240
	MaxControlSize     = 5120
	MaxResourceSize    = 20480 // S3's bucket policy, the largest of the common ones

	// MaxSource bounds the text that is looked at, white space included (our own).
	MaxSource = 64 << 10

	// MaxVendorSize bounds AWS's own policies; the largest, ReadOnlyAccess, has
	// some 85,000 characters.
	MaxVendorSize = 256 << 10
)

// Quota returns the largest size of one document of the kind.
func (k Kind) Quota() int {
	switch k {
	case Managed, BoundaryPolicy:
		return MaxManagedSize
	case TrustPolicy:
		return MaxTrustSize
	case SessionPolicy:
		return MaxSessionSize
	case ServiceControl, ResourceControl:
		return MaxControlSize
	case ResourcePolicy:
		return MaxResourceSize
	case VendorPolicy:
		return MaxVendorSize
	}
	return MaxRoleInlineSize
}

// source returns the largest text of the kind, white space included.
func (k Kind) source() int { return max(MaxSource, 2*k.Quota()) }

// hasPrincipal tells whether the kind's statements say who they are about.
func (k Kind) hasPrincipal() bool {
	return k == TrustPolicy || k == ResourcePolicy || k == ResourceControl
}

// Size counts the characters of a document as quotas do: without white space.
func Size(src []byte) int {
	n := 0
	for _, r := range string(src) {
		if r != ' ' && r != '\t' && r != '\n' && r != '\r' {
			n++
		}
	}
	return n
}

// Error is why a document was refused.
type Error struct {
	Message string // AWS's text, for MalformedPolicyDocument or, with Quota, LimitExceeded
	Quota   bool   // the document is larger than its kind may be
	Line    int    // 1-based
	Column  int    // 1-based, in bytes
	Found   string // what stands there
	Want    string // what is allowed there
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: found %s; allowed: %s", e.Line, e.Column, e.Found, e.Want)
}

// Document is a policy document that obeys the grammar of its kind.
type Document struct {
	kind       Kind
	src        []byte
	version    text // as written; empty text if absent
	id         *text
	list       bool // Statement is a list
	statements []*statement
}

// statement is one statement as written; an element that is absent is nil.
type statement struct {
	off, end              int
	sid                   *text
	effect                *text
	principal, notPrinc   *principals
	action, notAction     *list
	resource, notResource *list
	condition             *conditions
}

// text is a scalar and where it stands.
type text struct {
	s    string
	off  int
	bare bool // a number or boolean, written without quotes
}

// list is one scalar or a list of them.
type list struct {
	off    int
	name   string
	single bool // written without brackets
	items  []text
}

type principals struct {
	off  int
	name string
	all  bool // "*"
	by   []list
}

type conditions struct {
	off int
	ops []operator
}

type operator struct {
	name text
	keys []list // name is the context key
}

// position turns an offset into line and column.
func position(src []byte, off int) (line, column int) {
	off = min(off, len(src))
	line, start := 1, 0
	for i, c := range src[:off] {
		if c == '\n' {
			line, start = line+1, i+1
		}
	}
	return line, off - start + 1
}

// Version returns the language version in force: "2012-10-17" or "2008-10-17".
func (d *Document) Version() string {
	if d.version.s == "" {
		return version2008
	}
	return d.version.s
}

// Len returns the number of statements.
func (d *Document) Len() int { return len(d.statements) }

const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)
