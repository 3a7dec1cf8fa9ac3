package store

import (
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// UseCredential notes an answer of an enabled WebAuthn credential or U2F key: the
// signatures that it has counted, and what is known of it now. It reports false,
// and changes nothing, when another answer was noted with that count or a later
// one, or the budget of failures is spent; a credential that counts nothing stays
// at 0. back says that the count is known to have gone back and is to be kept
// nonetheless. Success forgives the failures.
func (tx *Tx) UseCredential(a name.Account, id name.ID, count int64, back bool, data string, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE factors SET last_step = $3, data = $5, failures = 0, last_used = $6
		WHERE id = $1 AND account = $2 AND enabled > 0 AND failures < $7
		AND (last_step < $3 OR last_step = 0 AND $3 = 0 OR last_step = $3 AND $4)`,
		int64(id), int64(a), count, back, data, micros(at), iam.MaxPairFailures)
	return n == 1, err
}

// RenameFactor gives a user's factor another name. Exists when another factor of
// its kind and user is called so.
func (tx *Tx) RenameFactor(f *iam.Factor, called string) error {
	taken, err := tx.count(`SELECT count(*) FROM factors WHERE user_id = $1 AND kind = $2 AND name = $3 AND id <> $4`,
		int64(f.User), string(f.Kind), called, int64(f.ID))
	if err != nil {
		return err
	}
	if taken > 0 {
		return fault.Of(fault.Exists, "factor", called)
	}
	return tx.change("factor", f.ID.String(), `UPDATE factors SET name = $3 WHERE id = $1 AND account = $2`, int64(f.ID), int64(f.Account), called)
}

// CredentialCount counts the WebAuthn credentials of all accounts.
func (tx *Tx) CredentialCount() (int, error) {
	return tx.count(`SELECT count(*) FROM factors WHERE kind = 'passkey'`)
}
