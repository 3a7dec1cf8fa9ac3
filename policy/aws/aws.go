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
	BoundaryPolicy              // a managed policy used as permissions boundary
	ServiceControl              // SCP
	ResourceControl             // RCP
)

// Error is why a document was refused.
type Error struct {
	Message string // AWS's text of MalformedPolicyDocument
	Line    int    // 1-based
	Column  int    // 1-based, in bytes
	Found   string // what stands there
	Want    string // what is allowed there
}

func (e *Error) Error() string {
	return fmt.Sprintf("%d:%d: found %s, want %s", e.Line, e.Column, e.Found, e.Want)
}

// Document is a policy document that obeys the grammar.
type Document struct{}

// Finding is a warning: the document is valid, but may not mean what it seems to.
type Finding struct {
	Code    string
	Message string
	Sid     string
	Line    int
	Column  int
}

// Parse reads a document of a kind. The error is an *Error.
func Parse(src []byte, kind Kind) (*Document, error) { return &Document{}, nil }

// Rules returns the statements as rules; id names the policy and its version.
func (d *Document) Rules(id policy.RuleID) []policy.Rule { return nil }
