package iam

import (
	"regexp"
	"time"
	"unicode/utf8"

	"warifu/internal/fault"
	"warifu/internal/name"
)

// ResourceGroup is a group of resources: policies that are attached in it count for
// what lies in it only.
type ResourceGroup struct {
	ID          name.ID
	Account     name.Account
	Name        string // unique in the account, without case
	DisplayName string
	Tags        []Tag
	Created     time.Time
}

// Bounds of resource groups (Alibaba Cloud: ResourceManager API reference,
// CreateResourceGroup).
const (
	MaxResourceGroups    = 30
	MaxResourceGroupName = 50
)

var resourceGroupName = regexp.MustCompile(`\A[A-Za-z][A-Za-z0-9_.-]{1,49}\z`)

// Check refuses names that no resource group may have.
func (g *ResourceGroup) Check() error {
	if !resourceGroupName.MatchString(g.Name) {
		return fault.Field("name", "name must have 2 to %d letters, digits, periods, underscores and hyphens, and begin with a letter", MaxResourceGroupName)
	}
	if n := utf8.RuneCountInString(g.DisplayName); n < 1 || n > MaxResourceGroupName {
		return fault.Field("displayName", "displayName must have 1 to %d characters", MaxResourceGroupName)
	}
	return CheckTags(g.Tags, false)
}

// Attachment is a managed policy that a user, group or role has.
type Attachment struct {
	Scope     name.ID // the resource group in which it counts; 0 = the account
	Kind      PrincipalKind
	Principal name.ID
	Holder    string // name of the principal
	Policy    Policy
	Attached  time.Time // zero = not known
}
