package store

import (
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// passwordsKept is how many old passwords can be refused: the most that a
// password policy can ask for (IAM API, PasswordReusePrevention: 1 to 24).
const passwordsKept = 24

func scanLogin(r row, p *iam.LoginProfile) error {
	return r.Scan((*int64)(&p.User), &p.Hash, &p.ResetRequired, stamp{&p.Created}, stamp{&p.Changed},
		&p.MFARequired, stamp{&p.Disabled}, &p.DisabledFor, stamp{&p.Enabled})
}

// InsertLoginProfile gives a user a password. Exists when there is one.
func (tx *Tx) InsertLoginProfile(a name.Account, p *iam.LoginProfile) error {
	if err := tx.owns(a, iam.KindUser, p.User); err != nil {
		return err
	}
	err := tx.insert("login profile", p.User.String(), `INSERT INTO login_profiles
		(user_id, account, hash, reset_required, created, changed, mfa_required, disabled, disabled_for, enabled)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
		int64(p.User), int64(a), p.Hash, p.ResetRequired, micros(p.Created), micros(p.Changed),
		p.MFARequired, micros(p.Disabled), p.DisabledFor, micros(p.Enabled))
	if err != nil {
		return err
	}
	return tx.rememberPassword(p)
}

// PutLoginProfile gives a user a password or replaces the one there is, whose
// time of creation stays.
func (tx *Tx) PutLoginProfile(a name.Account, p *iam.LoginProfile) error {
	old, err := tx.LoginProfile(a, p.User)
	if fault.Is(err, fault.NotFound) {
		return tx.InsertLoginProfile(a, p)
	}
	if err != nil {
		return err
	}
	if _, err := tx.exec(`UPDATE login_profiles SET hash = $2, reset_required = $3, changed = $4,
		mfa_required = $5, disabled = $6, disabled_for = $7, enabled = $8 WHERE user_id = $1`,
		int64(p.User), p.Hash, p.ResetRequired, micros(p.Changed),
		p.MFARequired, micros(p.Disabled), p.DisabledFor, micros(p.Enabled)); err != nil || old.Hash == p.Hash {
		return err
	}
	return tx.rememberPassword(p)
}

// rememberPassword adds the hash to the user's history and forgets the oldest.
func (tx *Tx) rememberPassword(p *iam.LoginProfile) error {
	var last int64
	if _, err := tx.one(`SELECT coalesce(max(number), 0) FROM password_history WHERE user_id = $1`, []any{int64(p.User)}, &last); err != nil {
		return err
	}
	if _, err := tx.exec(`INSERT INTO password_history (user_id, number, hash) VALUES ($1, $2, $3)`, int64(p.User), last+1, p.Hash); err != nil {
		return err
	}
	_, err := tx.exec(`DELETE FROM password_history WHERE user_id = $1 AND number <= $2`, int64(p.User), last+1-passwordsKept)
	return err
}

// LoginProfile returns a user's password.
func (tx *Tx) LoginProfile(a name.Account, user name.ID) (*iam.LoginProfile, error) {
	return get(tx, scanLogin, "login profile", user.String(), `SELECT l.user_id, l.hash, l.reset_required, l.created, l.changed,
		l.mfa_required, l.disabled, l.disabled_for, l.enabled FROM login_profiles l JOIN users u ON u.id = l.user_id WHERE l.user_id = $1 AND u.account = $2`, int64(user), int64(a))
}

// DeleteLoginProfile takes a user's password away. The history of passwords
// stays.
func (tx *Tx) DeleteLoginProfile(a name.Account, user name.ID) error {
	return tx.change("login profile", user.String(), `DELETE FROM login_profiles
		WHERE user_id = $1 AND EXISTS (SELECT 1 FROM users u WHERE u.id = $1 AND u.account = $2)`, int64(user), int64(a))
}

// PasswordHistory returns the hashes of the last n passwords that a user had,
// newest first, the present one included; at most 24.
func (tx *Tx) PasswordHistory(a name.Account, user name.ID, n int) ([]string, error) {
	return list(tx, func(r row, s *string) error { return r.Scan(s) }, `SELECT h.hash
		FROM password_history h JOIN users u ON u.id = h.user_id
		WHERE h.user_id = $1 AND u.account = $2 ORDER BY h.number DESC LIMIT $3`, int64(user), int64(a), n)
}
