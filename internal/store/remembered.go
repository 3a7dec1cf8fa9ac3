package store

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

const rememberedColumns = `id, account, user_id, hash, bond, created, used, expires, method, source, agent`

func scanRemembered(r row, m *iam.Remembered) error {
	return r.Scan((*int64)(&m.ID), (*int64)(&m.Account), (*int64)(&m.User), &m.Hash, &m.Bond, stamp{&m.Created}, stamp{&m.Used},
		stamp{&m.Expires}, (*string)(&m.Method), &m.Source, &m.UserAgent)
}

// InsertRemembered keeps a new browser that stands in for a user's factor.
func (tx *Tx) InsertRemembered(m *iam.Remembered) error {
	if err := tx.owns(m.Account, iam.KindUser, m.User); err != nil {
		return err
	}
	return tx.insert("remembered device", m.ID.String(), `INSERT INTO remembered (`+rememberedColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		int64(m.ID), int64(m.Account), int64(m.User), m.Hash, m.Bond, micros(m.Created), micros(m.Used), micros(m.Expires),
		string(m.Method), m.Source, m.UserAgent)
}

// RememberedByHash returns the browser of a secret that has not run out.
func (tx *Tx) RememberedByHash(hash []byte, now time.Time) (*iam.Remembered, error) {
	return get(tx, scanRemembered, "remembered device", "",
		`SELECT `+rememberedColumns+` FROM remembered WHERE hash = $1 AND expires > $2`, hash, micros(now))
}

// Remembered lists a user's remembered browsers that have not run out, newest
// first, 100 at most.
func (tx *Tx) Remembered(a name.Account, user name.ID, now time.Time) ([]iam.Remembered, error) {
	return list(tx, scanRemembered, `SELECT `+rememberedColumns+` FROM remembered
		WHERE user_id = $1 AND account = $2 AND expires > $3 ORDER BY created DESC, id DESC LIMIT 100`,
		int64(user), int64(a), micros(now))
}

// RotateRemembered gives a remembered browser another secret and keeps the old
// one as spent. It reports false when the secret was not the old one any more:
// of any number of sign-ins at once with one secret one is shortened.
func (tx *Tx) RotateRemembered(m *iam.Remembered, hash []byte, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE remembered SET hash = $3, used = $4 WHERE id = $1 AND hash = $2`, int64(m.ID), m.Hash, hash, micros(at))
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.exec(`INSERT INTO remembered_spent (hash, device, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		m.Hash, int64(m.ID), micros(at))
	return err == nil, err
}

// SpentRemembered returns the browser that a spent secret once belonged to, and
// when it was spent. NotFound when it is none.
func (tx *Tx) SpentRemembered(hash []byte) (*iam.Remembered, time.Time, error) {
	var at time.Time
	found, err := tx.one(`SELECT at FROM remembered_spent WHERE hash = $1`, []any{hash}, stamp{&at})
	if err != nil {
		return nil, at, err
	}
	if !found {
		hash = nil
	}
	m, err := get(tx, scanRemembered, "remembered device", "", `SELECT `+rememberedColumns+` FROM remembered
		WHERE id = (SELECT device FROM remembered_spent WHERE hash = $1)`, hash)
	return m, at, err
}

// DeleteRemembered forgets one of a user's browsers, its spent secrets, too.
func (tx *Tx) DeleteRemembered(a name.Account, user, id name.ID) error {
	return tx.change("remembered device", id.String(), `DELETE FROM remembered WHERE id = $1 AND user_id = $2 AND account = $3`,
		int64(id), int64(user), int64(a))
}

// DeleteAllRemembered forgets all browsers of a user, or of all users of the
// account when user is zero, and returns how many.
func (tx *Tx) DeleteAllRemembered(a name.Account, user name.ID) (int, error) {
	n, err := tx.exec(`DELETE FROM remembered WHERE account = $1 AND (user_id = $2 OR $2 = 0)`, int64(a), int64(user))
	return int(n), err
}

// CountRemembered counts the browsers that stand in for factors in an account.
func (tx *Tx) CountRemembered(a name.Account, now time.Time) (int, error) {
	return tx.count(`SELECT count(*) FROM remembered WHERE account = $1 AND expires > $2`, int64(a), micros(now))
}

// PurgeRemembered forgets browsers of all accounts that have run out, as many as
// limit, and returns how many.
func (tx *Tx) PurgeRemembered(now time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM remembered WHERE id IN (SELECT id FROM remembered WHERE expires <= $1 LIMIT $2)`, micros(now), limit)
	return int(n), err
}

func scanBrowser(r row, b *iam.Browser) error {
	return r.Scan((*int64)(&b.User), &b.Hash, stamp{&b.Created}, stamp{&b.Seen}, &b.Failures, stamp{&b.Failed})
}

// Browser returns a browser that a user signed in with before.
func (tx *Tx) Browser(user name.ID, hash []byte) (*iam.Browser, error) {
	return get(tx, scanBrowser, "browser", "", `SELECT user_id, hash, created, seen, failures, failed FROM browsers
		WHERE user_id = $1 AND hash = $2`, int64(user), hash)
}

// PutBrowser notes that a user signed in with a browser: its wrong passwords are
// forgiven. Of a user's browsers the keep that were seen last are kept.
func (tx *Tx) PutBrowser(user name.ID, hash []byte, at time.Time, keep int) error {
	_, err := tx.exec(`INSERT INTO browsers (user_id, hash, created, seen, failures, failed) VALUES ($1, $2, $3, $3, 0, 0)
		ON CONFLICT (user_id, hash) DO UPDATE SET seen = excluded.seen, failures = 0, failed = 0`, int64(user), hash, micros(at))
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM browsers WHERE user_id = $1 AND hash IN
		(SELECT hash FROM browsers WHERE user_id = $1 ORDER BY seen DESC, hash LIMIT 1000 OFFSET $2)`, int64(user), keep)
	return err
}

// CountBrowserFailure counts a wrong password from a browser that the user
// signed in with before, and returns how many there were in a row.
func (tx *Tx) CountBrowserFailure(user name.ID, hash []byte, at time.Time) (n int, err error) {
	_, err = tx.one(`UPDATE browsers SET failures = failures + 1, failed = $3 WHERE user_id = $1 AND hash = $2 RETURNING failures`,
		[]any{int64(user), hash, micros(at)}, &n)
	return n, err
}

// ClearBrowserFailures forgives the wrong passwords of one of a user's browsers,
// or of all when hash is nil, and reports whether there were any.
func (tx *Tx) ClearBrowserFailures(user name.ID, hash []byte) (bool, error) {
	query, args := `UPDATE browsers SET failures = 0, failed = 0 WHERE user_id = $1 AND failures > 0`, []any{int64(user)}
	if hash != nil {
		query, args = query+` AND hash = $2`, append(args, hash)
	}
	n, err := tx.exec(query, args...)
	return n > 0, err
}

// DeleteBrowsers forgets the browsers of a user.
func (tx *Tx) DeleteBrowsers(user name.ID) error {
	_, err := tx.exec(`DELETE FROM browsers WHERE user_id = $1`, int64(user))
	return err
}

// PurgeBrowsers forgets browsers that nobody signed in with since a time, as many
// as limit, and returns how many.
func (tx *Tx) PurgeBrowsers(since time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM browsers WHERE (user_id, hash) IN
		(SELECT user_id, hash FROM browsers WHERE seen < $1 LIMIT $2)`, micros(since), limit)
	return int(n), err
}
