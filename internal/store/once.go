package store

import (
	"encoding/hex"
	"time"

	"warifu/internal/name"
)

// Burn uses up a one-time thing and reports whether it had not been used. The
// key is kept until PurgeBurned finds it expired; expires is when the thing is
// refused for its age alone.
func (tx *Tx) Burn(kind, key string, expires time.Time) (fresh bool, err error) {
	n, err := tx.exec(`INSERT INTO burned (kind, key, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, kind, key, micros(expires))
	return n == 1, err
}

// Burned reports whether a one-time thing was used up, without using it.
func (tx *Tx) Burned(kind, key string) (bool, error) {
	n, err := tx.count(`SELECT count(*) FROM burned WHERE kind = $1 AND key = $2`, kind, key)
	return n > 0, err
}

// PurgeBurned forgets used things that have expired, as many as limit, and
// returns how many.
func (tx *Tx) PurgeBurned(now time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM burned WHERE (kind, key) IN
		(SELECT kind, key FROM burned WHERE expires <= $1 ORDER BY expires LIMIT $2)`, micros(now), limit)
	return int(n), err
}

const tokenColumns = `hash, purpose, account, user_id, expires`

func scanToken(r row, t *Token) error {
	return r.Scan(&t.Hash, &t.Purpose, (*int64)(&t.Account), (*int64)(&t.User), stamp{&t.Expires})
}

// InsertToken keeps a one-time link.
func (tx *Tx) InsertToken(t *Token) error {
	return tx.insert("token", hex.EncodeToString(t.Hash), `INSERT INTO tokens (hash, purpose, account, user_id, expires)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		t.Hash, t.Purpose, int64(t.Account), int64(t.User), micros(t.Expires))
}

// Token looks at a link without using it. NotFound when it is unknown, used,
// expired or for another purpose.
func (tx *Tx) Token(purpose string, hash []byte, now time.Time) (*Token, error) {
	return get(tx, scanToken, "token", purpose,
		`SELECT `+tokenColumns+` FROM tokens WHERE hash = $1 AND purpose = $2 AND expires > $3`, hash, purpose, micros(now))
}

// ConsumeToken uses a link: of any number of attempts at once one gets it. The
// others, and whoever comes late or for another purpose, get NotFound.
func (tx *Tx) ConsumeToken(purpose string, hash []byte, now time.Time) (*Token, error) {
	return get(tx, scanToken, "token", purpose,
		`DELETE FROM tokens WHERE hash = $1 AND purpose = $2 AND expires > $3 RETURNING `+tokenColumns, hash, purpose, micros(now))
}

// DeleteTokens takes back an account's links for a purpose and returns how
// many there were.
func (tx *Tx) DeleteTokens(a name.Account, purpose string) (int, error) {
	n, err := tx.exec(`DELETE FROM tokens WHERE account = $1 AND purpose = $2`, int64(a), purpose)
	return int(n), err
}

// PurgeTokens forgets expired links of all accounts and returns how many.
func (tx *Tx) PurgeTokens(now time.Time) (int, error) {
	n, err := tx.exec(`DELETE FROM tokens WHERE expires <= $1`, micros(now))
	return int(n), err
}

// Meta returns a setting, "" when it is unset.
func (tx *Tx) Meta(key string) (value string, err error) {
	_, err = tx.one(`SELECT value FROM meta WHERE key = $1`, []any{key}, &value)
	return value, err
}

// SetMeta keeps a setting.
func (tx *Tx) SetMeta(key, value string) error {
	_, err := tx.exec(`INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, key, value)
	return err
}
