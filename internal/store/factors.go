package store

import (
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

const factorColumns = `f.id, f.account, f.user_id, f.kind, f.name, f.path, f.hardware, f.seed, f.data, f.credential,
	f.created, f.creator, f.enabled, f.expires, f.tags, f.last_step, f.drift, f.failures, f.last_used`

func factorFields(f *iam.Factor) []any {
	return []any{(*int64)(&f.ID), (*int64)(&f.Account), maybe{&f.User}, (*string)(&f.Kind), &f.Name, &f.Path, &f.Hardware, &f.Seed,
		&f.Data, &f.Credential, stamp{&f.Created}, (*int64)(&f.Creator), stamp{&f.Enabled}, stamp{&f.Expires},
		tagList{&f.Tags}, &f.LastStep, &f.Drift, &f.Failures, stamp{&f.LastUsed}}
}

func scanFactor(r row, f *iam.Factor) error { return r.Scan(factorFields(f)...) }

// InsertFactor adds a factor. Exists when the account has a device of the same
// path and name, the user a factor of the same kind and name, compared with case,
// or anybody the same credential.
func (tx *Tx) InsertFactor(f *iam.Factor) error {
	var seed, dataKey, credential any // NULL for kinds without
	if f.Seed != nil {
		id, err := sealedWith("factor", f.Name, f.Seed)
		if err != nil {
			return err
		}
		seed, dataKey = f.Seed, id
	}
	if f.Credential != nil {
		credential = f.Credential
	}
	if f.User != 0 {
		if err := tx.owns(f.Account, iam.KindUser, f.User); err != nil {
			return err
		}
	}
	return tx.insert("factor", f.ARN(), `INSERT INTO factors
		(id, account, user_id, kind, name, path, hardware, seed, seed_key, data, credential, created, creator, enabled, expires,
		tags, last_step, drift, failures, last_used)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT DO NOTHING`,
		int64(f.ID), int64(f.Account), optional(f.User), string(f.Kind), f.Name, f.Path, f.Hardware, seed, dataKey,
		f.Data, credential, micros(f.Created), int64(f.Creator), micros(f.Enabled), micros(f.Expires),
		tagText(f.Tags), f.LastStep, f.Drift, f.Failures, micros(f.LastUsed))
}

// FactorByID returns a factor.
func (tx *Tx) FactorByID(a name.Account, id name.ID) (*iam.Factor, error) {
	return get(tx, scanFactor, "factor", id.String(),
		`SELECT `+factorColumns+` FROM factors f WHERE f.id = $1 AND f.account = $2`, int64(id), int64(a))
}

// FactorByCredential returns the factor of a WebAuthn credential or U2F key, of
// whichever account.
func (tx *Tx) FactorByCredential(credential []byte) (*iam.Factor, error) {
	return get(tx, scanFactor, "factor", "", `SELECT `+factorColumns+` FROM factors f WHERE f.credential = $1`, credential)
}

// FactorBySerial returns the device that a serial number names.
func (tx *Tx) FactorBySerial(a name.Account, path, factor string) (*iam.Factor, error) {
	return get(tx, scanFactor, "factor", name.MFAARN(a, path, factor),
		`SELECT `+factorColumns+` FROM factors f WHERE f.account = $1 AND f.name = $2 AND f.path = $3 AND f.kind IN ('totp', 'hotp')`, int64(a), factor, path)
}

// Factors returns the factors bound to a user, oldest first.
func (tx *Tx) Factors(a name.Account, user name.ID) ([]iam.Factor, error) {
	return list(tx, scanFactor, `SELECT `+factorColumns+` FROM factors f
		WHERE f.user_id = $1 AND f.account = $2 ORDER BY f.enabled, f.id`, int64(user), int64(a))
}

// FactorCount counts the factors bound to a user, recovery codes not among them.
func (tx *Tx) FactorCount(a name.Account, user name.ID) (int, error) {
	return tx.count(`SELECT count(*) FROM factors WHERE user_id = $1 AND account = $2 AND kind <> 'recovery'`, int64(user), int64(a))
}

// FactorsPage lists an account's virtual devices, each with the user it is bound
// to, by name in byte order and then id.
func (tx *Tx) FactorsPage(a name.Account, which Assignment, after After, limit int) ([]FactorUse, error) {
	query := `SELECT ` + factorColumns + ` FROM factors f WHERE f.account = $1 AND (f.name, f.id) > ($2, $3)
		AND f.kind = 'totp' AND NOT f.hardware`
	switch which {
	case AssignmentAssigned:
		query += ` AND f.user_id IS NOT NULL`
	case AssignmentUnassigned:
		query += ` AND f.user_id IS NULL`
	}
	page, err := list(tx, func(r row, f *FactorUse) error { return scanFactor(r, &f.Factor) },
		query+` ORDER BY f.name, f.id LIMIT $4`, int64(a), after.Name, int64(after.ID), limit)
	for i := range page {
		if f := &page[i]; err == nil && f.User != 0 {
			f.Owner, err = tx.UserByID(a, f.User)
		}
	}
	return page, err
}

// EnableFactor binds a pending factor to a user of its account with the step
// that proved it. It reports false, and changes nothing, when the factor is not
// pending, has expired, or has proved this step before.
func (tx *Tx) EnableFactor(a name.Account, id, user name.ID, step int64, drift int, at time.Time) (bool, error) {
	if err := tx.owns(a, iam.KindUser, user); err != nil {
		return false, err
	}
	n, err := tx.exec(`UPDATE factors SET user_id = $3, enabled = $6, expires = 0, last_step = $4, drift = $5, failures = 0, last_used = $6
		WHERE id = $1 AND account = $2 AND enabled = 0 AND (expires = 0 OR expires > $6) AND last_step < $4`,
		int64(id), int64(a), int64(user), step, int64(drift), micros(at))
	return n == 1, err
}

// AcceptStep uses up a time step of an enabled factor: one conditional write,
// so that of any number of attempts at once one succeeds (security checklist
// C-1, C-2). It reports false when that step or a later one was used, or the
// factor's budget of failures is spent. Success forgives the failures.
func (tx *Tx) AcceptStep(a name.Account, id name.ID, step int64, drift int, at time.Time) (bool, error) {
	return tx.acceptStep(a, id, step, drift, at, iam.MaxCodeFailures)
}

// ResyncFactor is AcceptStep for a pair of consecutive codes, whose budget of
// failures is larger. Step is the second code's.
func (tx *Tx) ResyncFactor(a name.Account, id name.ID, step int64, drift int, at time.Time) (bool, error) {
	return tx.acceptStep(a, id, step, drift, at, iam.MaxPairFailures)
}

func (tx *Tx) acceptStep(a name.Account, id name.ID, step int64, drift int, at time.Time, budget int64) (bool, error) {
	n, err := tx.exec(`UPDATE factors SET last_step = $3, drift = $4, failures = 0, last_used = $5
		WHERE id = $1 AND account = $2 AND enabled > 0 AND last_step < $3 AND failures < $6`,
		int64(id), int64(a), step, int64(drift), micros(at), budget)
	return n == 1, err
}

// FactorFailed counts a wrong code and returns how many there were in a row.
func (tx *Tx) FactorFailed(a name.Account, id name.ID) (failures int, err error) {
	found, err := tx.one(`UPDATE factors SET failures = failures + 1 WHERE id = $1 AND account = $2 RETURNING failures`,
		[]any{int64(id), int64(a)}, &failures)
	if err == nil && !found {
		err = fault.Of(fault.NotFound, "factor", id.String())
	}
	return failures, err
}

// UnbindFactor takes a factor from its user: it is pending again, until expires
// or, when that is the zero time, for ever. The steps it has used stay used and
// its failures stay counted.
func (tx *Tx) UnbindFactor(a name.Account, id name.ID, expires time.Time) error {
	return tx.change("factor", id.String(), `UPDATE factors SET user_id = NULL, enabled = 0, expires = $3 WHERE id = $1 AND account = $2`,
		int64(id), int64(a), micros(expires))
}

// UpdateFactorTags sets a factor's tags.
func (tx *Tx) UpdateFactorTags(a name.Account, id name.ID, tags []iam.Tag) error {
	return tx.change("factor", id.String(), `UPDATE factors SET tags = $3 WHERE id = $1 AND account = $2`, int64(id), int64(a), tagText(tags))
}

// DeleteFactor removes a factor, bound or not.
func (tx *Tx) DeleteFactor(a name.Account, id name.ID) error {
	return tx.change("factor", id.String(), `DELETE FROM factors WHERE id = $1 AND account = $2`, int64(id), int64(a))
}

// DeleteExpiredFactors removes pending factors of all accounts whose time is
// over, as many as limit, and returns how many.
func (tx *Tx) DeleteExpiredFactors(now time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM factors WHERE id IN
		(SELECT id FROM factors WHERE expires > 0 AND expires <= $1 ORDER BY expires LIMIT $2)`, micros(now), limit)
	return int(n), err
}
