package store

import (
	"encoding/json"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// RecycleUser keeps a user that was deleted for as long as it can be brought back.
func (tx *Tx) RecycleUser(u *iam.RecycledUser) error {
	body, err := json.Marshal(u)
	if err != nil {
		return fault.Wrap(err, "keep a deleted user")
	}
	return tx.insert("user", u.Name, `INSERT INTO recycled_users (id, account, name, name_fold, body, recycled) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT DO NOTHING`, int64(u.ID), int64(u.Account), u.Name, fold(u.Name), string(body), micros(u.Recycled))
}

func scanRecycledUser(r row, u *iam.RecycledUser) error {
	var body string
	if err := r.Scan(&body); err != nil {
		return err
	}
	return json.Unmarshal([]byte(body), u)
}

// RecycledUser returns a deleted user that can be brought back.
func (tx *Tx) RecycledUser(a name.Account, id name.ID) (*iam.RecycledUser, error) {
	return get(tx, scanRecycledUser, "user", id.String(), `SELECT body FROM recycled_users WHERE id = $1 AND account = $2`, int64(id), int64(a))
}

// RecycledUsers lists them by name without case and then id; those whose name has
// search in it.
func (tx *Tx) RecycledUsers(a name.Account, search string, after After, limit int) ([]iam.RecycledUser, error) {
	return list(tx, scanRecycledUser, `SELECT body FROM recycled_users WHERE account = $1 AND (name_fold, id) > ($2, $3) AND `+contains("name_fold", "$4")+`
		ORDER BY name_fold, id LIMIT $5`, int64(a), fold(after.Name), int64(after.ID), fold(search), limit)
}

// DeleteRecycledUser forgets a deleted user.
func (tx *Tx) DeleteRecycledUser(a name.Account, id name.ID) error {
	return tx.change("user", id.String(), `DELETE FROM recycled_users WHERE id = $1 AND account = $2`, int64(id), int64(a))
}

// RecycleKey turns a user's access key off and puts it where it is not found any more.
func (tx *Tx) RecycleKey(a name.Account, user name.ID, key string, at time.Time) error {
	return tx.bump(a, tx.change("access key", key, `UPDATE access_keys SET status = 'Inactive', idled = 0, recycled = $4
		WHERE id = $1 AND user_id = $2 AND account = $3 AND recycled = 0`, key, int64(user), int64(a), micros(at)))
}

func scanRecycledKey(r row, k *iam.RecycledKey) error {
	return r.Scan(&k.ID, (*int64)(&k.User), stamp{&k.Created}, stamp{&k.Recycled})
}

// RecycledKeys lists the access keys of a user, or of all users for 0, that were
// deleted and can be brought back, by id.
func (tx *Tx) RecycledKeys(a name.Account, user name.ID) ([]iam.RecycledKey, error) {
	return list(tx, scanRecycledKey, `SELECT id, user_id, created, recycled FROM access_keys
		WHERE account = $1 AND recycled > 0 AND (CAST($2 AS BIGINT) = 0 OR user_id = $2) ORDER BY id`, int64(a), int64(user))
}

// RecycledKey returns one of them.
func (tx *Tx) RecycledKey(a name.Account, key string) (*iam.RecycledKey, error) {
	return get(tx, scanRecycledKey, "access key", key, `SELECT id, user_id, created, recycled FROM access_keys
		WHERE id = $1 AND account = $2 AND recycled > 0`, key, int64(a))
}

// RestoreKey brings a key back, turned off.
func (tx *Tx) RestoreKey(a name.Account, user name.ID, key string) error {
	return tx.bump(a, tx.change("access key", key, `UPDATE access_keys SET recycled = 0 WHERE id = $1 AND user_id = $2 AND account = $3 AND recycled > 0`,
		key, int64(user), int64(a)))
}

// DeleteRecycledKey forgets a key.
func (tx *Tx) DeleteRecycledKey(a name.Account, user name.ID, key string) error {
	return tx.change("access key", key, `DELETE FROM access_keys WHERE id = $1 AND user_id = $2 AND account = $3 AND recycled > 0`, key, int64(user), int64(a))
}

// forgetRecycledKeys forgets those of a user who is removed.
func (tx *Tx) forgetRecycledKeys(a name.Account, user name.ID) error {
	_, err := tx.exec(`DELETE FROM access_keys WHERE user_id = $1 AND account = $2 AND recycled > 0`, int64(user), int64(a))
	return err
}

// PurgeRecycled forgets what was deleted before a time, as many of each kind as
// limit, and returns how many.
func (tx *Tx) PurgeRecycled(before time.Time, limit int) (int, error) {
	users, err := tx.exec(`DELETE FROM recycled_users WHERE id IN
		(SELECT id FROM recycled_users WHERE recycled < $1 ORDER BY recycled LIMIT $2)`, micros(before), limit)
	if err != nil {
		return 0, err
	}
	keys, err := tx.exec(`DELETE FROM access_keys WHERE id IN
		(SELECT id FROM access_keys WHERE recycled > 0 AND recycled < $1 ORDER BY recycled LIMIT $2)`, micros(before), limit)
	return int(max(users, keys)), err
}
