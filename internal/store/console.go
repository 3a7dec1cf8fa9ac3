package store

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

// contains is the condition that a folded name has the text $n in it; "" is in
// every name. It is spelled with replace because LIKE differs between the
// databases.
func contains(column, n string) string {
	return `(` + n + ` = '' OR replace(` + column + `, ` + n + `, '') <> ` + column + `)`
}

// UserFilter selects users for a list. Conditions that are set must all hold.
type UserFilter struct {
	Account name.Account
	Search  string // part of the name, without case; "" = any

	NoMFA         bool // has a password and no enabled device
	Blocked       bool // by an administrator or by wrong passwords
	NeverSignedIn bool // has a password and never used it
	HasKeys       bool

	Lockout int // how many wrong passwords in a row block
	After   string
	Limit   int
}

// UserRow is a user with what a list says of it.
type UserRow struct {
	iam.User
	Password bool
	Factors  int // enabled
	Keys     int
	Blocked  bool
}

const (
	hasPassword = `EXISTS (SELECT 1 FROM login_profiles l WHERE l.user_id = u.id)`
	hasFactor   = `EXISTS (SELECT 1 FROM factors f WHERE f.user_id = u.id AND f.enabled > 0 AND f.kind <> 'recovery')`
	hasKey      = `EXISTS (SELECT 1 FROM access_keys k WHERE k.user_id = u.id AND k.recycled = 0)`
	isBlocked   = `(EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = u.id)
		OR EXISTS (SELECT 1 FROM password_failures w WHERE w.user_id = u.id AND w.failures >= $4))`

	// The same as a list, which is short: users are compared with it instead of
	// being looked up one by one.
	isAmongBlocked = `u.id IN (SELECT b.user_id FROM blocks b WHERE b.account = $1
		UNION ALL SELECT w.user_id FROM password_failures w WHERE w.failures >= $4)`

	// Passwords of account $1 but the root user's.
	ofUsers = `l.account = $1 AND l.user_id <> COALESCE((SELECT r.id FROM users r WHERE r.account = $1 AND r.name_fold = ''), 0)`
)

// FindUsers lists users by name without case.
func (tx *Tx) FindUsers(f UserFilter) ([]UserRow, error) {
	query := `SELECT ` + userColumns + `, ` + hasPassword + `,
			(SELECT count(*) FROM factors f WHERE f.user_id = u.id AND f.enabled > 0 AND f.kind <> 'recovery'),
			(SELECT count(*) FROM access_keys k WHERE k.user_id = u.id AND k.recycled = 0), ` + isBlocked + `
		FROM users u WHERE u.account = $1 AND u.name_fold > $2 AND ` + contains("u.name_fold", "$3")
	for _, c := range []struct {
		on   bool
		rule string
	}{
		{f.NoMFA, hasPassword + ` AND NOT ` + hasFactor}, {f.Blocked, isAmongBlocked},
		{f.NeverSignedIn, `u.password_used = 0 AND ` + hasPassword}, {f.HasKeys, hasKey},
	} {
		if c.on {
			query += ` AND ` + c.rule
		}
	}
	return list(tx, func(r row, u *UserRow) error {
		return r.Scan(append(userFields(&u.User), &u.Password, &u.Factors, &u.Keys, &u.Blocked)...)
	}, query+` ORDER BY u.name_fold LIMIT $5`, int64(f.Account), fold(f.After), fold(f.Search), f.Lockout, f.Limit)
}

// GroupRow is a group with what a list says of it.
type GroupRow struct {
	iam.Group
	Members  int
	Policies int // attached and inline
}

const policiesHeld = `((SELECT count(*) FROM attachments a WHERE a.principal = h.id)
	+ (SELECT count(*) FROM inline_policies i WHERE i.principal = h.id))`

// FindGroups lists groups by name whose name has search in it, without case.
func (tx *Tx) FindGroups(a name.Account, search, after string, limit int) ([]GroupRow, error) {
	return list(tx, func(r row, g *GroupRow) error {
		return r.Scan((*int64)(&g.ID), (*int64)(&g.Account), &g.Name, &g.Path, stamp{&g.Created}, &g.Members, &g.Policies)
	}, `SELECT h.id, h.account, h.name, h.path, h.created, (SELECT count(*) FROM memberships m WHERE m.group_id = h.id), `+policiesHeld+`
		FROM groups h WHERE h.account = $1 AND h.name_fold > $2 AND `+contains("h.name_fold", "$3")+` ORDER BY h.name_fold LIMIT $4`,
		int64(a), fold(after), fold(search), limit)
}

// RoleRow is a role with what a list says of it.
type RoleRow struct {
	ID          name.ID
	Name        string
	Path        string
	Description string
	LastUsed    time.Time
	Policies    int // attached and inline
}

// FindRoles lists roles by name whose name has search in it, without case.
func (tx *Tx) FindRoles(a name.Account, search, after string, limit int) ([]RoleRow, error) {
	return list(tx, func(r row, v *RoleRow) error {
		return r.Scan((*int64)(&v.ID), &v.Name, &v.Path, &v.Description, stamp{&v.LastUsed}, &v.Policies)
	}, `SELECT h.id, h.name, h.path, h.description, h.last_used, `+policiesHeld+`
		FROM roles h WHERE h.account = $1 AND h.name_fold > $2 AND `+contains("h.name_fold", "$3")+` ORDER BY h.name_fold LIMIT $4`,
		int64(a), fold(after), fold(search), limit)
}

// Health is what an administrator should look at.
type Health struct {
	Users       int // besides the root user
	Passwords   int // users who can sign in to the console
	NoMFA       int // of them, those without an enabled device
	RootFactors int
	RootKeys    int
	OldKeys     int // active keys made before the first moment given
	UnusedKeys  int // active keys made before the second one and never used
	Blocked     int
	Refused     int // operations that were refused since the third one
}

// Health counts. It reads every user and key of the account.
func (tx *Tx) Health(a name.Account, lockout int, keysOld, keysIdle, refusedSince time.Time) (h Health, err error) {
	if _, err := tx.one(`SELECT
			(SELECT count(*) FROM users WHERE account = $1 AND name_fold > ''),
			(SELECT count(*) FROM blocks b WHERE b.account = $1)
				+ (SELECT count(*) FROM password_failures w JOIN users u ON u.id = w.user_id WHERE u.account = $1 AND w.failures >= $2
					AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = u.id)),
			(SELECT count(*) FROM events WHERE account = $1 AND at >= $3 AND result = 'refused')`,
		[]any{int64(a), lockout, micros(refusedSince)}, &h.Users, &h.Blocked, &h.Refused); err != nil {
		return h, err
	}
	if _, err := tx.one(`SELECT count(*),
			COALESCE(sum(CASE WHEN EXISTS (SELECT 1 FROM factors f WHERE f.user_id = l.user_id AND f.enabled > 0 AND f.kind <> 'recovery') THEN 0 ELSE 1 END), 0)
		FROM login_profiles l WHERE `+ofUsers, []any{int64(a)}, &h.Passwords, &h.NoMFA); err != nil {
		return h, err
	}
	if _, err := tx.one(`SELECT
			(SELECT count(*) FROM users u JOIN factors f ON f.user_id = u.id WHERE u.account = $1 AND u.name_fold = '' AND f.enabled > 0),
			(SELECT count(*) FROM users u JOIN access_keys k ON k.user_id = u.id WHERE u.account = $1 AND u.name_fold = '' AND k.recycled = 0)`,
		[]any{int64(a)}, &h.RootFactors, &h.RootKeys); err != nil {
		return h, err
	}
	_, err = tx.one(`SELECT COALESCE(sum(CASE WHEN created < $2 THEN 1 ELSE 0 END), 0),
			COALESCE(sum(CASE WHEN created < $3 AND last_used = 0 THEN 1 ELSE 0 END), 0)
		FROM access_keys WHERE account = $1 AND status = 'Active'`,
		[]any{int64(a), micros(keysOld), micros(keysIdle)}, &h.OldKeys, &h.UnusedKeys)
	return h, err
}

// KeyRow is an access key and whose it is.
type KeyRow struct {
	ID       string
	UserName string // "" = root
	Created  time.Time
	LastUsed time.Time
}

// ActiveKeys lists active keys of an account that were made before a moment,
// oldest first; with unused, those alone that were never used.
func (tx *Tx) ActiveKeys(a name.Account, before time.Time, unused bool, limit int) ([]KeyRow, error) {
	query := `SELECT k.id, u.name, k.created, k.last_used FROM access_keys k JOIN users u ON u.id = k.user_id
		WHERE k.account = $1 AND k.status = 'Active' AND k.created < $2`
	if unused {
		query += ` AND k.last_used = 0`
	}
	return list(tx, func(r row, k *KeyRow) error { return r.Scan(&k.ID, &k.UserName, stamp{&k.Created}, stamp{&k.LastUsed}) },
		query+` ORDER BY k.created, k.id LIMIT $3`, int64(a), micros(before), limit)
}
