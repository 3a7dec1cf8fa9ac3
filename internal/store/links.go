package store

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

const linkColumns = `id, hash, account, user_id, creator, created, expires, opened, used, revoked, source, device`

func scanLink(r row, l *iam.EnrolmentLink) error {
	return r.Scan((*int64)(&l.ID), &l.Hash, (*int64)(&l.Account), (*int64)(&l.User), &l.Creator, stamp{&l.Created},
		stamp{&l.Expires}, stamp{&l.Opened}, stamp{&l.Used}, stamp{&l.Revoked}, &l.Source, (*int64)(&l.Device))
}

// InsertLink keeps a new enrolment link.
func (tx *Tx) InsertLink(l *iam.EnrolmentLink) error {
	if err := tx.owns(l.Account, iam.KindUser, l.User); err != nil {
		return err
	}
	return tx.insert("enrolment link", l.ID.String(), `INSERT INTO enrolment_links (`+linkColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, '', 0) ON CONFLICT DO NOTHING`,
		int64(l.ID), l.Hash, int64(l.Account), int64(l.User), l.Creator, micros(l.Created), micros(l.Expires))
}

// LinkByHash returns the link of a secret, whatever its state.
func (tx *Tx) LinkByHash(hash []byte) (*iam.EnrolmentLink, error) {
	return get(tx, scanLink, "enrolment link", "", `SELECT `+linkColumns+` FROM enrolment_links WHERE hash = $1`, hash)
}

// LinkByID returns a link, whatever its state.
func (tx *Tx) LinkByID(a name.Account, id name.ID) (*iam.EnrolmentLink, error) {
	return get(tx, scanLink, "enrolment link", id.String(),
		`SELECT `+linkColumns+` FROM enrolment_links WHERE id = $1 AND account = $2`, int64(id), int64(a))
}

// LinkAfter is a place in a list of links: the last one of the page before. Its
// zero value is the newest.
type LinkAfter struct {
	Created time.Time
	ID      name.ID
}

// Links lists an account's links, newest first; those of one user if user is
// not zero.
func (tx *Tx) Links(a name.Account, user name.ID, after LinkAfter, limit int) ([]iam.EnrolmentLink, error) {
	query := `SELECT ` + linkColumns + ` FROM enrolment_links WHERE account = $1 AND ($2 = CAST(0 AS BIGINT) OR user_id = $2)`
	args := []any{int64(a), int64(user), limit}
	if after.ID != 0 {
		query += ` AND (created, id) < ($4, $5)`
		args = append(args, micros(after.Created), int64(after.ID))
	}
	return list(tx, scanLink, query+` ORDER BY created DESC, id DESC LIMIT $3`, args...)
}

// live is the condition that a link can still be used at $3.
const live = ` WHERE id = $1 AND account = $2 AND used = 0 AND revoked = 0 AND expires > $3`

// OpenLink notes that a live link was opened, the first time with time and
// address, and which pending device it shows. NotFound when it is not live.
func (tx *Tx) OpenLink(a name.Account, id, device name.ID, source string, at time.Time) error {
	return tx.change("enrolment link", id.String(), `UPDATE enrolment_links SET device = $4,
		source = CASE WHEN opened = 0 THEN $5 ELSE source END, opened = CASE WHEN opened = 0 THEN $3 ELSE opened END`+live,
		int64(id), int64(a), micros(at), int64(device), source)
}

// UseLink uses a live link up: of any number of attempts at once one does. The
// others, and whoever comes late, get NotFound.
func (tx *Tx) UseLink(a name.Account, id name.ID, source string, at time.Time) error {
	return tx.change("enrolment link", id.String(), `UPDATE enrolment_links SET used = $3, source = $4`+live,
		int64(id), int64(a), micros(at), source)
}

// RevokeLink takes a live link back. NotFound when it is not live.
func (tx *Tx) RevokeLink(a name.Account, id name.ID, at time.Time) error {
	return tx.change("enrolment link", id.String(), `UPDATE enrolment_links SET revoked = $3`+live, int64(id), int64(a), micros(at))
}

// PurgeLinks forgets links that came to their end before a time, as many as
// limit, and returns how many.
func (tx *Tx) PurgeLinks(before time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM enrolment_links WHERE id IN
		(SELECT id FROM enrolment_links WHERE expires <= $1 LIMIT $2)`, micros(before), limit)
	return int(n), err
}
