package store

import (
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// CredentialRows tells of the credentials of an account's users, root first and then
// by name without case; keys by id. It reads all of them.
func (tx *Tx) CredentialRows(a name.Account) ([]iam.CredentialRow, error) {
	at := map[name.ID]int{}
	rows, err := list(tx, func(r row, c *iam.CredentialRow) error {
		var changed, disabled int64
		err := r.Scan((*int64)(&c.ID), (*int64)(&c.Account), &c.Root, &c.Name, &c.Path, stamp{&c.Created}, stamp{&c.PasswordUsed}, &changed, &disabled, &c.MFA)
		if changed != 0 {
			c.Password, c.PasswordActive, c.PasswordChanged = true, disabled == 0, time.UnixMicro(changed).UTC()
		}
		return err
	}, `SELECT u.id, u.account, u.root, u.name, u.path, u.created, u.password_used, COALESCE(l.changed, 0), COALESCE(l.disabled, 0), `+hasFactor+`
		FROM users u LEFT JOIN login_profiles l ON l.user_id = u.id WHERE u.account = $1 ORDER BY u.name_fold`, int64(a))
	if err != nil {
		return nil, err
	}
	for i := range rows {
		at[rows[i].ID] = i
	}
	return rows, tx.each(func(r row) error {
		var k iam.CredentialKey
		var user int64
		err := r.Scan(&k.ID, &user, &k.Active, stamp{&k.Created}, stamp{&k.Used}, &k.Service, &k.Region)
		if i, ok := at[name.ID(user)]; ok {
			rows[i].Keys = append(rows[i].Keys, k)
		}
		return err
	}, `SELECT id, user_id, status = 'Active', created, last_used, last_service, last_region FROM access_keys
		WHERE account = $1 AND recycled = 0 ORDER BY id`, int64(a))
}

// CredentialReport returns an account's last report and when it was made, or
// NotFound.
func (tx *Tx) CredentialReport(a name.Account) (at time.Time, body string, err error) {
	found, err := tx.one(`SELECT created, body FROM credential_reports WHERE account = $1`, []any{int64(a)}, stamp{&at}, &body)
	if err == nil && !found {
		err = fault.Of(fault.NotFound, "credential report", a.String())
	}
	return at, body, err
}

// SetCredentialReport keeps a report in the place of the last one.
func (tx *Tx) SetCredentialReport(a name.Account, at time.Time, body string) error {
	_, err := tx.exec(`INSERT INTO credential_reports (account, created, body) VALUES ($1, $2, $3)
		ON CONFLICT (account) DO UPDATE SET created = excluded.created, body = excluded.body`, int64(a), micros(at), body)
	return err
}
