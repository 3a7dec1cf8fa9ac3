package store

import (
	"warifu/internal/iam"
	"warifu/internal/name"
)

// TokensPage lists an account's hardware tokens by serial number, in byte order.
func (tx *Tx) TokensPage(a name.Account, after After, limit int) ([]iam.Factor, error) {
	return list(tx, scanFactor, `SELECT `+factorColumns+` FROM factors f WHERE f.account = $1 AND (f.name, f.id) > ($2, $3)
		AND f.hardware ORDER BY f.name, f.id LIMIT $4`, int64(a), after.Name, int64(after.ID), limit)
}

// SetFactorData replaces a factor's parameters and reports whether they were the
// ones given.
func (tx *Tx) SetFactorData(a name.Account, id name.ID, old, data string) (bool, error) {
	n, err := tx.exec(`UPDATE factors SET data = $4 WHERE id = $1 AND account = $2 AND data = $3`, int64(id), int64(a), old, data)
	return n == 1, err
}
