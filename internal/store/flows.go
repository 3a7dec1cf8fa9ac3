package store

import (
	"time"

	"warifu/internal/fault"
	"warifu/internal/name"
)

// Flow is a sign-in under way. The store does not read its body.
type Flow struct {
	Hash    []byte // SHA-256 of the secret in the pre-auth cookie
	Body    string
	Version int64
	Expires time.Time
}

func scanFlow(r row, f *Flow) error {
	return r.Scan(&f.Hash, &f.Body, &f.Version, stamp{&f.Expires})
}

// InsertFlow keeps a new flow.
func (tx *Tx) InsertFlow(f *Flow) error {
	return tx.insert("flow", "", `INSERT INTO flows (hash, body, version, expires) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		f.Hash, f.Body, f.Version, micros(f.Expires))
}

// Flow returns the flow of a secret that has not run out.
func (tx *Tx) Flow(hash []byte, now time.Time) (*Flow, error) {
	return get(tx, scanFlow, "flow", "", `SELECT hash, body, version, expires FROM flows WHERE hash = $1 AND expires > $2`, hash, micros(now))
}

// SaveFlow writes a flow that was read, and raises its version. NotFound when it
// is gone or another step wrote it since.
func (tx *Tx) SaveFlow(f *Flow) error {
	return tx.change("flow", "", `UPDATE flows SET body = $3, version = version + 1, expires = $4 WHERE hash = $1 AND version = $2`,
		f.Hash, f.Version, f.Body, micros(f.Expires))
}

// ConsumeFlow ends a flow and reports whether it was there: of any number of
// steps at once one ends it.
func (tx *Tx) ConsumeFlow(hash []byte) (bool, error) {
	n, err := tx.exec(`DELETE FROM flows WHERE hash = $1`, hash)
	return n == 1, err
}

// PurgeFlows forgets flows that have run out, as many as limit, and returns how
// many.
func (tx *Tx) PurgeFlows(now time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM flows WHERE hash IN (SELECT hash FROM flows WHERE expires <= $1 LIMIT $2)`, micros(now), limit)
	return int(n), err
}

// Failures returns how many wrong passwords a user had in a row, and when the
// last one was, from browsers without a lane of their own.
func (tx *Tx) Failures(user name.ID) (n int, last time.Time, err error) {
	_, err = tx.one(`SELECT failures, at FROM password_failures WHERE user_id = $1`, []any{int64(user)}, &n, stamp{&last})
	return n, last, err
}

// CountFailure counts a user's wrong password and returns how many there were in
// a row: one write, so that attempts at once are counted each.
func (tx *Tx) CountFailure(user name.ID, at time.Time) (n int, err error) {
	_, err = tx.one(`INSERT INTO password_failures (user_id, failures, at) VALUES ($1, 1, $2)
		ON CONFLICT (user_id) DO UPDATE SET failures = password_failures.failures + 1, at = excluded.at RETURNING failures`,
		[]any{int64(user), micros(at)}, &n)
	return n, err
}

// ClearFailures forgives a user's wrong passwords and reports whether there were
// any.
func (tx *Tx) ClearFailures(user name.ID) (bool, error) {
	n, err := tx.exec(`DELETE FROM password_failures WHERE user_id = $1`, int64(user))
	return n == 1, err
}

// StrangerFailures is Failures for a name that nobody has, by its hash.
func (tx *Tx) StrangerFailures(key string) (n int, last time.Time, err error) {
	_, err = tx.one(`SELECT failures, at FROM stranger_failures WHERE key = $1`, []any{key}, &n, stamp{&last})
	return n, last, err
}

// CountStranger is CountFailure for a name that nobody has.
func (tx *Tx) CountStranger(key string, at time.Time) (n int, err error) {
	_, err = tx.one(`INSERT INTO stranger_failures (key, failures, at) VALUES ($1, 1, $2)
		ON CONFLICT (key) DO UPDATE SET failures = stranger_failures.failures + 1, at = excluded.at RETURNING failures`,
		[]any{key, micros(at)}, &n)
	return n, err
}

// TrimStrangers forgets all names that nobody has but the latest keep, as many
// as limit at once, and returns how many. Counters of users are elsewhere: no
// number of names crowds them out.
func (tx *Tx) TrimStrangers(keep, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM stranger_failures WHERE key IN
		(SELECT key FROM stranger_failures ORDER BY at DESC, key LIMIT $1 OFFSET $2)`, limit, keep)
	return int(n), err
}

// Lockout is a user with too many wrong passwords in a row.
type Lockout struct {
	User     name.ID
	Failures int
	At       time.Time // of the last one
}

// Lockouts lists an account's users with at least that many wrong passwords in a
// row, from one known browser or from all others together, by id.
func (tx *Tx) Lockouts(a name.Account, failures int, after name.ID, limit int) ([]Lockout, error) {
	return list(tx, func(r row, l *Lockout) error { return r.Scan((*int64)(&l.User), &l.Failures, stamp{&l.At}) },
		`SELECT u.id, max(f.failures), max(f.at) FROM (SELECT user_id, failures, at FROM password_failures
			UNION ALL SELECT user_id, failures, failed FROM browsers) f JOIN users u ON u.id = f.user_id
		WHERE f.failures >= $1 AND u.account = $2 AND u.id > $3 GROUP BY u.id ORDER BY u.id LIMIT $4`,
		failures, int64(a), int64(after), limit)
}

// RehashPassword replaces the hash of a password by another one of the same
// password, in the history, too. A password that was changed meanwhile stays.
func (tx *Tx) RehashPassword(user name.ID, old, fresh string) error {
	for _, query := range []string{
		`UPDATE login_profiles SET hash = $3 WHERE user_id = $1 AND hash = $2`,
		`UPDATE password_history SET hash = $3 WHERE user_id = $1 AND hash = $2`,
	} {
		if _, err := tx.exec(query, int64(user), old, fresh); err != nil {
			return fault.Wrap(err, "renew a password's hash")
		}
	}
	return nil
}
