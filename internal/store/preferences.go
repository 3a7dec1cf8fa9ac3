package store

import (
	"bytes"
	"encoding/json"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// Preferences returns what an account asks of those who sign in: the defaults
// until it sets others. A setting that this program does not know is an error:
// a rule would silently not be kept.
func (tx *Tx) Preferences(a name.Account) (iam.Preferences, error) {
	p := iam.DefaultPreferences()
	var body, by string
	var changed time.Time
	found, err := tx.one(`SELECT body, changed, by_name FROM security_preferences WHERE account = $1`,
		[]any{int64(a)}, &body, stamp{&changed}, &by)
	if err != nil || !found {
		return p, err
	}
	d := json.NewDecoder(bytes.NewReader([]byte(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fault.Wrap(err, "read the stored preferences")
	}
	if err := p.Check(); err != nil {
		return p, fault.Wrap(err, "read the stored preferences")
	}
	p.Changed, p.By = changed, by
	return p, nil
}

// SetPreferences keeps what an account asks of those who sign in.
func (tx *Tx) SetPreferences(a name.Account, p iam.Preferences) error {
	changed, by := p.Changed, p.By
	p.Changed, p.By = time.Time{}, ""
	body, err := json.Marshal(&p)
	if err != nil {
		return fault.Wrap(err, "keep the preferences")
	}
	_, err = tx.exec(`INSERT INTO security_preferences (account, body, changed, by_name) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account) DO UPDATE SET body = excluded.body, changed = excluded.changed, by_name = excluded.by_name`,
		int64(a), string(body), micros(changed), by)
	return tx.bump(a, err)
}

// Origins returns where the values of an account's settings come from, as far as
// they were ever changed.
func (tx *Tx) Origins(a name.Account) ([]iam.Origin, error) {
	return list(tx, func(r row, o *iam.Origin) error { return r.Scan(&o.Setting, stamp{&o.At}, &o.By, &o.Door, &o.Alias) },
		`SELECT setting, changed, by_name, door, alias FROM setting_origins WHERE account = $1 ORDER BY setting`, int64(a))
}

// PutOrigin notes where the value of a setting comes from.
func (tx *Tx) PutOrigin(a name.Account, o *iam.Origin) error {
	_, err := tx.exec(`INSERT INTO setting_origins (account, setting, changed, by_name, door, alias) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account, setting) DO UPDATE SET changed = excluded.changed, by_name = excluded.by_name, door = excluded.door, alias = excluded.alias`,
		int64(a), o.Setting, micros(o.At), o.By, o.Door, o.Alias)
	return err
}

// CountMFARequired counts the users of an account of whom an administrator asks a
// second factor, whatever the account asks of others.
func (tx *Tx) CountMFARequired(a name.Account) (n int, err error) {
	_, err = tx.one(`SELECT count(*) FROM login_profiles p JOIN users u ON u.id = p.user_id WHERE u.account = $1 AND p.mfa_required`, []any{int64(a)}, &n)
	return n, err
}
