package store

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

// InsertRecoveryCodes keeps the hashes of a factor's codes.
func (tx *Tx) InsertRecoveryCodes(factor name.ID, hashes [][]byte) error {
	for _, h := range hashes {
		if err := tx.insert("recovery code", "", `INSERT INTO recovery_codes (factor, hash, used) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING`,
			int64(factor), h); err != nil {
			return err
		}
	}
	return nil
}

// RecoveryCodesLeft counts the codes of a factor that were not used.
func (tx *Tx) RecoveryCodesLeft(factor name.ID) (int, error) {
	return tx.count(`SELECT count(*) FROM recovery_codes WHERE factor = $1 AND used = 0`, int64(factor))
}

// UseRecoveryCode uses up a code: one conditional write, so that of any number of
// attempts at once one succeeds (security checklist C-2, C-8). It reports false
// when the factor has no such code, it was used, or the factor's budget of
// failures is spent. Success forgives the failures.
func (tx *Tx) UseRecoveryCode(a name.Account, factor name.ID, hash []byte, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE recovery_codes SET used = $3 WHERE factor = $1 AND hash = $2 AND used = 0
		AND EXISTS (SELECT 1 FROM factors WHERE id = $1 AND account = $4 AND enabled > 0 AND failures < $5)`,
		int64(factor), hash, micros(at), int64(a), int64(iam.MaxCodeFailures))
	if err != nil || n != 1 {
		return false, err
	}
	return true, tx.change("factor", factor.String(), `UPDATE factors SET failures = 0, last_used = $3 WHERE id = $1 AND account = $2`,
		int64(factor), int64(a), micros(at))
}
