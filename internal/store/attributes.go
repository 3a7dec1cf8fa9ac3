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
