package store

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

// IdleUser is a user whose password nobody signs in with.
type IdleUser struct {
	User name.ID
	Name string
	Last time.Time // last sign-in, or when it was let in again or made
	At   time.Time // when it was disabled; zero = it is not
}

func scanIdleUser(r row, u *IdleUser) error {
	return r.Scan((*int64)(&u.User), &u.Name, stamp{&u.Last}, stamp{&u.At})
}

// lastSign is when somebody last gave a sign of life: greatest and max are
// spelled differently by the two databases.
func lastSign(used, enabled, created string) string {
	return `CASE WHEN ` + used + ` >= ` + enabled + ` AND ` + used + ` >= ` + created + ` THEN ` + used +
		` WHEN ` + enabled + ` >= ` + created + ` THEN ` + enabled + ` ELSE ` + created + ` END`
}

var (
	userSign = lastSign("u.password_used", "l.enabled", "l.created")
	keySign  = lastSign("k.last_used", "k.enabled", "k.created")
)

// IdleUsers lists an account's users, without root, whose password lets in and
// who gave no sign since a time, by id.
func (tx *Tx) IdleUsers(a name.Account, since time.Time, after name.ID, limit int) ([]IdleUser, error) {
	return list(tx, scanIdleUser, `SELECT u.id, u.name, `+userSign+`, l.disabled
		FROM login_profiles l JOIN users u ON u.id = l.user_id
		WHERE l.account = $1 AND l.disabled = 0 AND l.user_id > $3 AND u.name_fold <> ''
			AND l.created < $2 AND l.enabled < $2 AND u.password_used < $2
		ORDER BY u.id LIMIT $4`, int64(a), micros(since), int64(after), limit)
}

// DisabledUsers lists an account's users whose password lets in no more because
// nobody signed in, by id.
func (tx *Tx) DisabledUsers(a name.Account, after name.ID, limit int) ([]IdleUser, error) {
	return list(tx, scanIdleUser, `SELECT u.id, u.name, `+userSign+`, l.disabled
		FROM login_profiles l JOIN users u ON u.id = l.user_id
		WHERE l.account = $1 AND l.disabled > 0 AND l.disabled_for = $4 AND l.user_id > $2
		ORDER BY u.id LIMIT $3`, int64(a), int64(after), limit, iam.DisabledIdle)
}

// DisableIdleUser turns off the password of a user who gave no sign since a time
// and reports whether it did.
func (tx *Tx) DisableIdleUser(a name.Account, user name.ID, since, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE login_profiles SET disabled = $4, disabled_for = $5
		WHERE user_id = $2 AND account = $1 AND disabled = 0 AND created < $3 AND enabled < $3
			AND EXISTS (SELECT 1 FROM users u WHERE u.id = $2 AND u.password_used < $3)`,
		int64(a), int64(user), micros(since), micros(at), iam.DisabledIdle)
	return n == 1, err
}

// IdleKey is an access key that nobody uses.
type IdleKey struct {
	ID   string
	User name.ID
	Name string    // of the user
	Last time.Time // last use, or when it was turned on again or made
	At   time.Time // when it was turned off; zero = it is not
}

func scanIdleKey(r row, k *IdleKey) error {
	return r.Scan(&k.ID, (*int64)(&k.User), &k.Name, stamp{&k.Last}, stamp{&k.At})
}

// IdleKeys lists an account's active keys, without root's, that nobody used since
// a time, by id.
func (tx *Tx) IdleKeys(a name.Account, since time.Time, after string, limit int) ([]IdleKey, error) {
	return list(tx, scanIdleKey, `SELECT k.id, k.user_id, u.name, `+keySign+`, k.idled
		FROM access_keys k JOIN users u ON u.id = k.user_id
		WHERE k.account = $1 AND k.status = 'Active' AND k.id > $3 AND u.name_fold <> ''
			AND k.created < $2 AND k.enabled < $2 AND k.last_used < $2
		ORDER BY k.id LIMIT $4`, int64(a), micros(since), after, limit)
}

// DisabledKeys lists an account's keys that were turned off because nobody used
// them, by id.
func (tx *Tx) DisabledKeys(a name.Account, after string, limit int) ([]IdleKey, error) {
	return list(tx, scanIdleKey, `SELECT k.id, k.user_id, u.name, `+keySign+`, k.idled
		FROM access_keys k JOIN users u ON u.id = k.user_id
		WHERE k.account = $1 AND k.idled > 0 AND k.id > $2 ORDER BY k.id LIMIT $3`, int64(a), after, limit)
}

// DisableIdleKey turns off a key that nobody used since a time and reports
// whether it did.
func (tx *Tx) DisableIdleKey(a name.Account, key string, since, at time.Time) (bool, error) {
	n, err := tx.exec(`UPDATE access_keys SET status = 'Inactive', idled = $4
		WHERE id = $2 AND account = $1 AND status = 'Active' AND created < $3 AND enabled < $3 AND last_used < $3`,
		int64(a), key, micros(since), micros(at))
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.BumpRevision(a)
}

// UsersWithoutFactor lists an account's users, without root, who have a password
// that lets in and no enabled factor, by id, and those only who must have one by
// their login profile when flagged.
func (tx *Tx) UsersWithoutFactor(a name.Account, flagged bool, after name.ID, limit int) ([]IdleUser, error) {
	query := `SELECT u.id, u.name, ` + userSign + `, l.disabled FROM login_profiles l JOIN users u ON u.id = l.user_id
		WHERE l.account = $1 AND l.disabled = 0 AND l.user_id > $2 AND u.name_fold <> ''
			AND NOT EXISTS (SELECT 1 FROM factors f WHERE f.user_id = u.id AND f.enabled > 0 AND f.kind <> 'recovery')`
	if flagged {
		query += ` AND l.mfa_required`
	}
	return list(tx, scanIdleUser, query+` ORDER BY u.id LIMIT $3`, int64(a), int64(after), limit)
}

// UsersLosingFactors lists an account's users, without root, who have a password
// that lets in and would have no factor left that counts, by id: those with one of
// the kinds lost, and none but of the kinds off, which hold the lost ones.
func (tx *Tx) UsersLosingFactors(a name.Account, lost, off [2]iam.FactorKind, after name.ID, limit int) ([]IdleUser, error) {
	return list(tx, scanIdleUser, `SELECT u.id, u.name, `+userSign+`, l.disabled FROM login_profiles l JOIN users u ON u.id = l.user_id
		WHERE l.account = $1 AND l.disabled = 0 AND l.user_id > $2 AND u.name_fold <> ''
			AND EXISTS (SELECT 1 FROM factors f WHERE f.user_id = u.id AND f.enabled > 0 AND f.kind IN ($3, $4))
			AND NOT EXISTS (SELECT 1 FROM factors f WHERE f.user_id = u.id AND f.enabled > 0 AND f.kind NOT IN ('recovery', $5, $6))
		ORDER BY u.id LIMIT $7`, int64(a), int64(after), string(lost[0]), string(lost[1]), string(off[0]), string(off[1]), limit)
}
