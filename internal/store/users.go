package store

import (
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

const userColumns = `u.id, u.account, u.root, u.name, u.path, u.email, u.created, u.password_used, u.boundary, u.tags`

func userFields(u *iam.User) []any {
	return []any{(*int64)(&u.ID), (*int64)(&u.Account), &u.Root, &u.Name, &u.Path, &u.Email,
		stamp{&u.Created}, stamp{&u.PasswordUsed}, maybe{&u.Boundary}, tagList{&u.Tags}}
}

func scanUser(r row, u *iam.User) error { return r.Scan(userFields(u)...) }

// inPath is the condition that a path begins with the prefix $n. It is spelled
// with substr because LIKE differs between the databases, in case and escapes.
func inPath(column, n string) string { return `substr(` + column + `, 1, length(` + n + `)) = ` + n }

// InsertUser adds a user; a root user has no name, and an account has one.
func (tx *Tx) InsertUser(u *iam.User) error {
	err := tx.insert("user", u.Name, `INSERT INTO users
		(id, account, root, name, name_fold, path, email, email_fold, created, password_used, boundary, tags)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
		int64(u.ID), int64(u.Account), u.Root, u.Name, fold(u.Name), u.Path, u.Email, fold(u.Email),
		micros(u.Created), micros(u.PasswordUsed), optional(u.Boundary), tagText(u.Tags))
	if u.Root && fault.Is(err, fault.Exists) {
		return fault.Of(fault.Exists, "root user", u.Email)
	}
	return err
}

// UserByID returns a user.
func (tx *Tx) UserByID(a name.Account, id name.ID) (*iam.User, error) {
	return get(tx, scanUser, "user", id.String(),
		`SELECT `+userColumns+` FROM users u WHERE u.id = $1 AND u.account = $2`, int64(id), int64(a))
}

// UserByName returns the user of a name, compared without case. The root user
// has none.
func (tx *Tx) UserByName(a name.Account, user string) (*iam.User, error) {
	return get(tx, scanUser, "user", user,
		`SELECT `+userColumns+` FROM users u WHERE u.account = $1 AND u.name_fold = $2 AND NOT u.root`, int64(a), fold(user))
}

// RootUser returns an account's root user.
func (tx *Tx) RootUser(a name.Account) (*iam.User, error) {
	return get(tx, scanUser, "root user", a.String(),
		`SELECT `+userColumns+` FROM users u WHERE u.account = $1 AND u.name_fold = ''`, int64(a))
}

// UserByRootEmail returns the root user, of whichever account, that signs in
// with an e-mail address, compared without case.
func (tx *Tx) UserByRootEmail(email string) (*iam.User, error) {
	return get(tx, scanUser, "root user", email,
		`SELECT `+userColumns+` FROM users u WHERE u.root AND u.email_fold <> '' AND u.email_fold = $1`, fold(email))
}

// UpdateUser sets a user's name, path, e-mail address, boundary and tags.
// Exists when another user has the name.
func (tx *Tx) UpdateUser(u *iam.User) error {
	return tx.bump(u.Account, tx.rename("user", u.ID.String(), u.Name, `UPDATE users
		SET name = $3, name_fold = $4, path = $5, email = $6, email_fold = $7, boundary = $8, tags = $9
		WHERE id = $1 AND account = $2`,
		int64(u.ID), int64(u.Account), u.Name, fold(u.Name), u.Path, u.Email, fold(u.Email), optional(u.Boundary), tagText(u.Tags)))
}

// SetPasswordUsed notes when a user last signed in with the password.
func (tx *Tx) SetPasswordUsed(a name.Account, id name.ID, at time.Time) error {
	return tx.change("user", id.String(),
		`UPDATE users SET password_used = $3 WHERE id = $1 AND account = $2`, int64(id), int64(a), micros(at))
}

// DeleteUser removes a user. Conflict while anything but old passwords belongs
// to it: keys, login profile, factors, memberships, policies. Keys in the recycle bin
// go with it.
func (tx *Tx) DeleteUser(a name.Account, id name.ID) error {
	if err := tx.holdsNoPolicies(a, iam.KindUser, id); err != nil {
		return err
	}
	if err := tx.forgetAttributes(id); err != nil {
		return err
	}
	if err := tx.forgetRecycledKeys(a, id); err != nil {
		return err
	}
	return tx.bump(a, tx.change("user", id.String(), `DELETE FROM users WHERE id = $1 AND account = $2`, int64(id), int64(a)))
}

// Users lists users by name without case; after is the last name of the page
// before. The root user is in no list.
func (tx *Tx) Users(a name.Account, pathPrefix, after string, limit int) ([]iam.User, error) {
	return list(tx, scanUser, `SELECT `+userColumns+` FROM users u
		WHERE u.account = $1 AND u.name_fold > $2 AND `+inPath("u.path", "$3")+` ORDER BY u.name_fold LIMIT $4`,
		int64(a), fold(after), pathPrefix, limit)
}

// UserCount counts an account's users but the root user. It walks all of them.
func (tx *Tx) UserCount(a name.Account) (int, error) {
	return tx.count(`SELECT count(*) FROM users WHERE account = $1 AND name_fold > ''`, int64(a))
}
