package store

import (
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// Attributes returns what is kept of a user or group for people to read; nothing
// of one who has none.
func (tx *Tx) Attributes(a name.Account, principal name.ID) (iam.Attributes, error) {
	x, err := get(tx, func(r row, x *iam.Attributes) error {
		return r.Scan(&x.DisplayName, &x.Comments, &x.Phone, stamp{&x.Updated})
	}, "attributes", principal.String(), `SELECT display_name, comments, phone, updated FROM attributes WHERE principal = $1 AND account = $2`, int64(principal), int64(a))
	if fault.Is(err, fault.NotFound) {
		return iam.Attributes{}, nil
	}
	if err != nil {
		return iam.Attributes{}, err
	}
	return *x, nil
}

// UserWithAttributes returns what UserByName and Attributes return, in one question.
func (tx *Tx) UserWithAttributes(a name.Account, user string) (*iam.User, iam.Attributes, error) {
	type both struct {
		iam.User
		iam.Attributes
	}
	u, err := get(tx, func(r row, u *both) error {
		return r.Scan(append(userFields(&u.User), &u.DisplayName, &u.Comments, &u.Phone, stamp{&u.Updated})...)
	}, "user", user,
		`SELECT `+userColumns+`, coalesce(x.display_name, ''), coalesce(x.comments, ''), coalesce(x.phone, ''), coalesce(x.updated, 0)
			FROM users u LEFT JOIN attributes x ON x.principal = u.id AND x.account = u.account
			WHERE u.account = $1 AND u.name_fold = $2 AND NOT u.root`, int64(a), fold(user))
	if err != nil {
		return nil, iam.Attributes{}, err
	}
	return &u.User, u.Attributes, nil
}

// SetAttributes keeps them.
func (tx *Tx) SetAttributes(a name.Account, principal name.ID, x iam.Attributes) error {
	_, err := tx.exec(`INSERT INTO attributes (principal, account, display_name, comments, phone, updated) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (principal) DO UPDATE SET display_name = excluded.display_name, comments = excluded.comments, phone = excluded.phone, updated = excluded.updated`,
		int64(principal), int64(a), x.DisplayName, x.Comments, x.Phone, micros(x.Updated))
	return err
}

// forgetAttributes removes those of somebody who is removed.
func (tx *Tx) forgetAttributes(principal name.ID) error {
	_, err := tx.exec(`DELETE FROM attributes WHERE principal = $1`, int64(principal))
	return err
}
