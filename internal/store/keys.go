package store

import (
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/seal"
)

const keyColumns = `k.id, k.user_id, k.account, k.secret, k.status, k.created, k.last_used, k.last_service, k.last_region, k.idled, k.enabled`

func scanKey(r row, k *iam.AccessKey) error {
	return r.Scan(&k.ID, (*int64)(&k.User), (*int64)(&k.Account), &k.Secret, (*string)(&k.Status),
		stamp{&k.Created}, stamp{&k.LastUsed}, &k.LastService, &k.LastRegion, stamp{&k.Idled}, stamp{&k.Enabled})
}

// sealedWith returns the number of the data key of a sealed value, for the
// column beside it. What is not sealed is refused: it would be a secret at rest
// in the clear.
func sealedWith(noun, called string, sealed []byte) (int64, error) {
	id, err := seal.KeyOf(sealed)
	if err != nil {
		return 0, &fault.Error{Noun: noun, Name: called, What: "the secret is not sealed", Err: err}
	}
	return int64(id), nil
}

// InsertKey adds an access key to a user of its account.
func (tx *Tx) InsertKey(k *iam.AccessKey) error {
	dataKey, err := sealedWith("access key", k.ID, k.Secret)
	if err != nil {
		return err
	}
	if err := tx.owns(k.Account, iam.KindUser, k.User); err != nil {
		return err
	}
	return tx.insert("access key", k.ID, `INSERT INTO access_keys
		(id, account, user_id, secret, secret_key, status, created, last_used, last_service, last_region)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		k.ID, int64(k.Account), int64(k.User), k.Secret, dataKey, string(k.Status),
		micros(k.Created), micros(k.LastUsed), k.LastService, k.LastRegion)
}

// Key returns an access key of whichever account: it is how a caller is found.
func (tx *Tx) Key(id string) (*iam.AccessKey, error) {
	return get(tx, scanKey, "access key", id, `SELECT `+keyColumns+` FROM access_keys k WHERE k.id = $1 AND k.recycled = 0`, id)
}

// Keys lists a user's access keys by id.
func (tx *Tx) Keys(a name.Account, user name.ID, after string, limit int) ([]iam.AccessKey, error) {
	return list(tx, scanKey, `SELECT `+keyColumns+` FROM access_keys k
		WHERE k.user_id = $1 AND k.account = $2 AND k.id > $3 AND k.recycled = 0 ORDER BY k.id LIMIT $4`, int64(user), int64(a), after, limit)
}

// KeyCount counts a user's access keys.
func (tx *Tx) KeyCount(a name.Account, user name.ID) (int, error) {
	return tx.count(`SELECT count(*) FROM access_keys WHERE user_id = $1 AND account = $2 AND recycled = 0`, int64(user), int64(a))
}

// UpdateKeyStatus turns a user's access key on or off, by hand. A key that is
// turned on counts as used at that time.
func (tx *Tx) UpdateKeyStatus(a name.Account, user name.ID, key string, status iam.KeyStatus, at time.Time) error {
	return tx.bump(a, tx.change("access key", key, `UPDATE access_keys SET status = $4, idled = 0,
		enabled = CASE WHEN $6 THEN $5 ELSE enabled END WHERE id = $1 AND user_id = $2 AND account = $3 AND recycled = 0`,
		key, int64(user), int64(a), string(status), micros(at), status == iam.KeyActive))
}

// DeleteKey removes a user's access key.
func (tx *Tx) DeleteKey(a name.Account, user name.ID, key string) error {
	return tx.bump(a, tx.change("access key", key, `DELETE FROM access_keys WHERE id = $1 AND user_id = $2 AND account = $3 AND recycled = 0`,
		key, int64(user), int64(a)))
}

// SetKeyUsed notes when, for which service and in which region a key was last
// used.
func (tx *Tx) SetKeyUsed(a name.Account, key string, at time.Time, service, region string) error {
	return tx.change("access key", key,
		`UPDATE access_keys SET last_used = $3, last_service = $4, last_region = $5 WHERE id = $1 AND account = $2`,
		key, int64(a), micros(at), service, region)
}
