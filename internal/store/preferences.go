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
