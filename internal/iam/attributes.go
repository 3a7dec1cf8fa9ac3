package iam

import (
	"time"
	"unicode/utf8"

	"warifu/internal/fault"
)

// Attributes are what some clouds keep of users and groups besides their names.
// They are for people to read: no decision looks at them.
type Attributes struct {
	DisplayName string
	Comments    string
	Phone       string    // as the cloud spells it: 86-13900000000
	Updated     time.Time // zero = never
}

// The longest attributes, in characters (RAM and IMS API reference, CreateUser).
const (
	MaxDisplayName = 128
	MaxComments    = 128
	MaxPhone       = 32
)

// Check refuses attributes that are too long.
func (x *Attributes) Check() error {
	for _, f := range []struct {
		field, value string
		max          int
	}{{"displayName", x.DisplayName, MaxDisplayName}, {"comments", x.Comments, MaxComments}, {"mobilePhone", x.Phone, MaxPhone}} {
		if utf8.RuneCountInString(f.value) > f.max {
			return fault.Field(f.field, "%s has at most %d characters", f.field, f.max)
		}
	}
	return nil
}
