package iam

import (
	"time"

	"warifu/internal/name"
)

// RecycleLife is for how long what was deleted can be brought back (Alibaba Cloud:
// the recycle bin keeps users and access keys for 30 days).
const RecycleLife = 30 * 24 * time.Hour

// RecycledUser is a deleted user that can be brought back.
type RecycledUser struct {
	User
	Attributes Attributes
	Recycled   time.Time // when it was deleted
}

// RecycledKey is a deleted access key that can be brought back.
type RecycledKey struct {
	ID       string
	User     name.ID
	Created  time.Time
	Recycled time.Time
}
