package store

import (
	"math"
	"strings"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

const sightingColumns = `id, account, user_id, at, network, source, agent, located, latitude, longitude, reasons, method`

// degree is how a degree is stored.
const degree = 1e6

func scanSighting(r row, s *iam.Sighting) error {
	var latitude, longitude int64
	var reasons string
	err := r.Scan((*int64)(&s.ID), (*int64)(&s.Account), (*int64)(&s.User), stamp{&s.At}, &s.Network, &s.Source, &s.UserAgent,
		&s.Place.Known, &latitude, &longitude, &reasons, &s.Method)
	s.Place.Latitude, s.Place.Longitude = float64(latitude)/degree, float64(longitude)/degree
	if reasons != "" {
		s.Reasons = strings.Split(reasons, " ")
	}
	return err
}

// InsertSighting keeps a sign-in that led to a session.
func (tx *Tx) InsertSighting(s *iam.Sighting) error {
	if err := tx.owns(s.Account, iam.KindUser, s.User); err != nil {
		return err
	}
	return tx.insert("sighting", s.ID.String(), `INSERT INTO sightings (`+sightingColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
		int64(s.ID), int64(s.Account), int64(s.User), micros(s.At), s.Network, s.Source, s.UserAgent,
		s.Place.Known, int64(math.Round(s.Place.Latitude*degree)), int64(math.Round(s.Place.Longitude*degree)),
		strings.Join(s.Reasons, " "), s.Method)
}

// LastSighting returns a user's last sign-in.
func (tx *Tx) LastSighting(user name.ID) (*iam.Sighting, error) {
	return get(tx, scanSighting, "sighting", user.String(),
		`SELECT `+sightingColumns+` FROM sightings WHERE user_id = $1 ORDER BY at DESC, id DESC LIMIT 1`, int64(user))
}

// LastPlace returns a user's last sign-in from a place that is known.
func (tx *Tx) LastPlace(user name.ID) (*iam.Sighting, error) {
	return get(tx, scanSighting, "sighting", user.String(),
		`SELECT `+sightingColumns+` FROM sightings WHERE user_id = $1 AND located ORDER BY at DESC, id DESC LIMIT 1`, int64(user))
}

// SeenNetwork reports whether a user signed in from a network before.
func (tx *Tx) SeenNetwork(user name.ID, network string) (bool, error) {
	var n int
	return tx.one(`SELECT 1 FROM sightings WHERE user_id = $1 AND network = $2 LIMIT 1`, []any{int64(user), network}, &n)
}

// SightingFilter selects sign-ins of an account since a time, newest first.
type SightingFilter struct {
	Account   name.Account
	Since     time.Time
	Unusual   bool // those only for which there was a reason
	AfterTime time.Time
	AfterID   name.ID // zero = from the newest
	Limit     int
}

// Sightings lists sign-ins of an account.
func (tx *Tx) Sightings(f SightingFilter) ([]iam.Sighting, error) {
	query := `SELECT ` + sightingColumns + ` FROM sightings WHERE account = $1 AND at >= $2`
	args := []any{int64(f.Account), micros(f.Since), f.Limit}
	if f.Unusual {
		query += ` AND reasons <> ''`
	}
	if f.AfterID != 0 {
		query += ` AND (at, id) < ($4, $5)`
		args = append(args, micros(f.AfterTime), int64(f.AfterID))
	}
	return list(tx, scanSighting, query+` ORDER BY at DESC, id DESC LIMIT $3`, args...)
}

// SightingCount is how many of an account's sign-ins are of one sort.
type SightingCount struct {
	Root    bool
	Method  string
	Unusual bool // there was a reason to call them so
	N       int
}

// CountSightings counts an account's sign-ins since a time, sort by sort.
func (tx *Tx) CountSightings(a name.Account, since time.Time) ([]SightingCount, error) {
	return list(tx, func(r row, c *SightingCount) error { return r.Scan(&c.Root, &c.Method, &c.Unusual, &c.N) },
		`SELECT u.name_fold = '', s.method, s.reasons <> '', count(*) FROM sightings s JOIN users u ON u.id = s.user_id
		WHERE s.account = $1 AND s.at >= $2 GROUP BY 1, 2, 3`, int64(a), micros(since))
}

// RecentUsers lists the users of an account, without root, who signed in by a
// method since a time, by id.
func (tx *Tx) RecentUsers(a name.Account, method string, since time.Time, limit int) ([]IdleUser, error) {
	return list(tx, func(r row, u *IdleUser) error { return r.Scan((*int64)(&u.User), &u.Name) },
		`SELECT DISTINCT u.id, u.name FROM sightings s JOIN users u ON u.id = s.user_id
		WHERE s.account = $1 AND s.method = $2 AND s.at >= $3 AND u.name_fold <> '' ORDER BY u.id LIMIT $4`,
		int64(a), method, micros(since), limit)
}

// RecentSources lists from which addresses each user of an account signed in
// since a time, by user and address, as many as limit.
func (tx *Tx) RecentSources(a name.Account, since time.Time, limit int) ([]UserSource, error) {
	return list(tx, func(r row, s *UserSource) error { return r.Scan((*int64)(&s.User), &s.Source) },
		`SELECT DISTINCT user_id, source FROM sightings WHERE account = $1 AND at >= $2 ORDER BY user_id, source LIMIT $3`,
		int64(a), micros(since), limit)
}

// UserSource is an address that a user signed in from.
type UserSource struct {
	User   name.ID
	Source string
}

// PurgeSightings forgets sign-ins of all accounts before a time, as many as
// limit, and returns how many.
func (tx *Tx) PurgeSightings(before time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM sightings WHERE id IN (SELECT id FROM sightings WHERE at < $1 LIMIT $2)`, micros(before), limit)
	return int(n), err
}
