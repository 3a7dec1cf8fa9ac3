package store

import (
	"database/sql"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

const accountColumns = `id, coalesce(alias, ''), created, password_policy, revision`

func scanAccount(r row, a *iam.Account) error {
	return r.Scan((*int64)(&a.ID), &a.Alias, stamp{&a.Created}, &a.PasswordPolicy, &a.Revision)
}

// InsertAccount adds an account. Exists names the alias when that is taken,
// else the number.
func (tx *Tx) InsertAccount(a *iam.Account) error {
	err := tx.insert("account", a.ID.String(),
		`INSERT INTO accounts (id, alias, created, password_policy, revision) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		int64(a.ID), aliasOrNull(a.Alias), micros(a.Created), a.PasswordPolicy, a.Revision)
	if fault.Is(err, fault.Exists) {
		if _, e := tx.Account(a.ID); fault.Is(e, fault.NotFound) {
			return fault.Of(fault.Exists, "account alias", a.Alias)
		}
	}
	return err
}

func aliasOrNull(alias string) sql.NullString {
	return sql.NullString{String: alias, Valid: alias != ""}
}

// Account returns an account.
func (tx *Tx) Account(id name.Account) (*iam.Account, error) {
	return get(tx, scanAccount, "account", id.String(), `SELECT `+accountColumns+` FROM accounts WHERE id = $1`, int64(id))
}

// AccountByAlias returns the account that has an alias.
func (tx *Tx) AccountByAlias(alias string) (*iam.Account, error) {
	return get(tx, scanAccount, "account", alias, `SELECT `+accountColumns+` FROM accounts WHERE alias = $1`, alias)
}

// Accounts returns all accounts in the order of their numbers.
func (tx *Tx) Accounts() ([]iam.Account, error) {
	return list(tx, scanAccount, `SELECT `+accountColumns+` FROM accounts ORDER BY id`)
}

// SetAlias gives an account an alias; "" takes it away. Exists when another
// account has it.
func (tx *Tx) SetAlias(id name.Account, alias string) error {
	return tx.rename("account alias", id.String(), alias,
		`UPDATE accounts SET alias = $2 WHERE id = $1`, int64(id), aliasOrNull(alias))
}

// SetPasswordPolicy keeps an account's password policy; "" takes it away.
func (tx *Tx) SetPasswordPolicy(id name.Account, policy string) error {
	return tx.change("account", id.String(), `UPDATE accounts SET password_policy = $2 WHERE id = $1`, int64(id), policy)
}

// Revision returns an account's revision alone.
func (tx *Tx) Revision(id name.Account) (n int64, err error) {
	found, err := tx.one(`SELECT revision FROM accounts WHERE id = $1`, []any{int64(id)}, &n)
	if err == nil && !found {
		err = fault.Of(fault.NotFound, "account", id.String())
	}
	return n, err
}

// BumpRevision raises an account's revision, once per transaction. Methods that
// can alter a decision, or the answer to whose key one is, do it themselves;
// only changes that the store does not know of need it from the caller.
func (tx *Tx) BumpRevision(id name.Account) error {
	if tx.bumped == id {
		return nil
	}
	err := tx.change("account", id.String(), `UPDATE accounts SET revision = revision + 1 WHERE id = $1`, int64(id))
	if err == nil {
		tx.bumped = id
	}
	return err
}

// bump raises the revision after a change that succeeded.
func (tx *Tx) bump(id name.Account, err error) error {
	if err != nil {
		return err
	}
	return tx.BumpRevision(id)
}

// Counts returns how much an account holds. It counts rows: it is for
// summaries, not for every request.
func (tx *Tx) Counts(id name.Account) (c Counts, err error) {
	const query = `SELECT
		(SELECT count(*) FROM users WHERE account = $1 AND name_fold > ''),
		(SELECT count(*) FROM groups WHERE account = $1),
		(SELECT count(*) FROM roles WHERE account = $1),
		(SELECT count(*) FROM policies WHERE account = $1),
		(SELECT count(*) FROM policies p JOIN policy_versions v ON v.policy = p.id WHERE p.account = $1),
		(SELECT count(*) FROM factors WHERE account = $1 AND kind IN ('totp', 'hotp', 'passkey', 'u2f')),
		(SELECT count(*) FROM factors WHERE account = $1 AND kind IN ('totp', 'hotp', 'passkey', 'u2f') AND enabled > 0),
		(SELECT count(*) FROM users u JOIN factors f ON f.user_id = u.id WHERE u.account = $1 AND u.name_fold = '' AND f.enabled > 0),
		(SELECT count(*) FROM users u JOIN access_keys k ON k.user_id = u.id WHERE u.account = $1 AND u.name_fold = '' AND k.recycled = 0),
		(SELECT count(*) FROM users u JOIN login_profiles l ON l.user_id = u.id WHERE u.account = $1 AND u.name_fold = '')`
	var passwords int
	_, err = tx.one(query, []any{int64(id)}, &c.Users, &c.Groups, &c.Roles, &c.Policies, &c.PolicyVersions,
		&c.Factors, &c.FactorsInUse, &c.RootFactors, &c.RootKeys, &passwords)
	c.RootPassword = passwords > 0
	return c, err
}
