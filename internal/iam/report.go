package iam

import (
	"time"

	"warifu/internal/name"
)

// CredentialRow is what a report says of the credentials of one user. Times that are
// zero never were.
type CredentialRow struct {
	ID      name.ID
	Account name.Account
	Root    bool
	Name    string
	Path    string
	Created time.Time

	Password        bool
	PasswordActive  bool // it lets in
	PasswordUsed    time.Time
	PasswordChanged time.Time
	PasswordDue     time.Time // when it expires; zero = never

	MFA  bool // it has a factor
	Keys []CredentialKey
}

// CredentialKey is what a report says of an access key.
type CredentialKey struct {
	ID      string
	Active  bool
	Created time.Time
	Used    time.Time
	Service string
	Region  string
}
