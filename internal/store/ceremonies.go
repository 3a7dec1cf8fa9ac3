package store

import (
	"time"

	"warifu/internal/iam"
)

const ceremonyColumns = `id, purpose, account, user_id, factor, bound, body, tries, created, expires`

func scanCeremony(r row, c *iam.Ceremony) error {
	return r.Scan((*int64)(&c.ID), &c.Purpose, (*int64)(&c.Account), (*int64)(&c.User), (*int64)(&c.Factor), &c.Bound,
		&c.Body, &c.Tries, stamp{&c.Created}, stamp{&c.Expires})
}

// PutCeremony keeps a challenge. It takes the place of an older one of the same
// sign-in or session, purpose and factor: only the newest can be answered
// (security checklist C-7, W-1).
func (tx *Tx) PutCeremony(c *iam.Ceremony) error {
	_, err := tx.exec(`INSERT INTO ceremonies (`+ceremonyColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (bound, purpose, factor) DO UPDATE SET id = excluded.id, account = excluded.account, user_id = excluded.user_id,
		body = excluded.body, tries = excluded.tries, created = excluded.created, expires = excluded.expires`,
		int64(c.ID), c.Purpose, int64(c.Account), int64(c.User), int64(c.Factor), c.Bound, c.Body, c.Tries,
		micros(c.Created), micros(c.Expires))
	return err
}

// Ceremony returns a challenge that has not run out. Factor 0 is one that any
// factor may answer.
func (tx *Tx) Ceremony(of iam.Ceremony, now time.Time) (*iam.Ceremony, error) {
	return get(tx, scanCeremony, "ceremony", of.Purpose, `SELECT `+ceremonyColumns+` FROM ceremonies
		WHERE bound = $1 AND purpose = $2 AND factor = $3 AND expires > $4`, of.Bound, of.Purpose, int64(of.Factor), micros(now))
}

// TryCeremony counts an answer that is about to be looked at, and reports false
// when max were counted already, or the challenge is gone: one write, so that of
// any number of answers at once no more than max are looked at.
func (tx *Tx) TryCeremony(c *iam.Ceremony, most int) (bool, error) {
	n, err := tx.exec(`UPDATE ceremonies SET tries = tries + 1 WHERE id = $1 AND tries < $2`, int64(c.ID), most)
	return n == 1, err
}

// ConsumeCeremony ends a challenge and reports whether it was there: of any
// number of right answers at once, one counts (C-2).
func (tx *Tx) ConsumeCeremony(c *iam.Ceremony) (bool, error) {
	n, err := tx.exec(`DELETE FROM ceremonies WHERE id = $1`, int64(c.ID))
	return n == 1, err
}

// PurgeCeremonies forgets challenges that have run out, as many as limit, and
// returns how many.
func (tx *Tx) PurgeCeremonies(now time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM ceremonies WHERE id IN (SELECT id FROM ceremonies WHERE expires <= $1 LIMIT $2)`, micros(now), limit)
	return int(n), err
}
