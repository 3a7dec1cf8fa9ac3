package store

import (
	"encoding/json"
	"fmt"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

const sessionColumns = `id, hash, account, user_id, created, seen, idle, expires, proved, source, agent`

func scanSession(r row, s *iam.Session) error {
	var idle int64
	err := r.Scan((*int64)(&s.ID), &s.Hash, (*int64)(&s.Account), (*int64)(&s.User), stamp{&s.Created}, stamp{&s.Seen},
		&idle, stamp{&s.Expires}, provedList{&s.Proved}, &s.Source, &s.UserAgent)
	s.Idle = time.Duration(idle) * time.Microsecond
	return err
}

// proof is a proof as it is stored.
type proof struct {
	Method string `json:"method"`
	Factor int64  `json:"factor,omitempty"`
	At     int64  `json:"at"`
}

// provedText spells proofs as they are stored.
func provedText(all []iam.Proved) string {
	rows := make([]proof, len(all))
	for i, p := range all {
		rows[i] = proof{string(p.Method), int64(p.Factor), micros(p.At)}
	}
	b, err := json.Marshal(rows)
	if err != nil {
		panic("store: JSON refuses proofs: " + err.Error())
	}
	return string(b)
}

// provedList scans stored proofs.
type provedList struct{ all *[]iam.Proved }

// Scan implements sql.Scanner.
func (l provedList) Scan(v any) error {
	*l.all = nil
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("proofs are stored as %T", v)
	}
	var rows []proof
	if err := json.Unmarshal([]byte(s), &rows); err != nil {
		return fmt.Errorf("stored proofs: %w", err)
	}
	for _, p := range rows {
		*l.all = append(*l.all, iam.Proved{Method: iam.Method(p.Method), Factor: name.ID(p.Factor), At: time.UnixMicro(p.At).UTC()})
	}
	return nil
}

// InsertSession keeps a new session.
func (tx *Tx) InsertSession(s *iam.Session) error {
	if err := tx.owns(s.Account, iam.KindUser, s.User); err != nil {
		return err
	}
	return tx.insert("session", s.ID.String(), `INSERT INTO sessions (`+sessionColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
		int64(s.ID), s.Hash, int64(s.Account), int64(s.User), micros(s.Created), micros(s.Seen),
		s.Idle.Microseconds(), micros(s.Expires), provedText(s.Proved), s.Source, s.UserAgent)
}

// SessionByHash returns the session of a secret, run out or not.
func (tx *Tx) SessionByHash(hash []byte) (*iam.Session, error) {
	return get(tx, scanSession, "session", "", `SELECT `+sessionColumns+` FROM sessions WHERE hash = $1`, hash)
}

// SessionAfter is a place in a list of sessions: the last one of the page
// before. Its zero value is the newest.
type SessionAfter struct {
	Created time.Time
	ID      name.ID
}

// Sessions lists a user's sessions, newest first, run out or not.
func (tx *Tx) Sessions(a name.Account, user name.ID, after SessionAfter, limit int) ([]iam.Session, error) {
	query := `SELECT ` + sessionColumns + ` FROM sessions WHERE user_id = $1 AND account = $2`
	args := []any{int64(user), int64(a), limit}
	if after.ID != 0 {
		query += ` AND (created, id) < ($4, $5)`
		args = append(args, micros(after.Created), int64(after.ID))
	}
	return list(tx, scanSession, query+` ORDER BY created DESC, id DESC LIMIT $3`, args...)
}

// RotateSession gives a session another secret and other proofs: the old secret
// is good for nothing from then on. NotFound when the secret was not the old one
// any more.
func (tx *Tx) RotateSession(s *iam.Session, hash []byte) error {
	return tx.change("session", s.ID.String(), `UPDATE sessions SET hash = $4, proved = $5 WHERE id = $1 AND account = $2 AND hash = $3`,
		int64(s.ID), int64(s.Account), s.Hash, hash, provedText(s.Proved))
}

// SetSessionSeen notes the last request of a session; never an earlier one than
// is noted already.
func (tx *Tx) SetSessionSeen(a name.Account, id name.ID, at time.Time) error {
	_, err := tx.exec(`UPDATE sessions SET seen = $3 WHERE id = $1 AND account = $2 AND seen < $3`, int64(id), int64(a), micros(at))
	return err
}

// DeleteSession ends a user's session, and the command lines that were approved
// in it.
func (tx *Tx) DeleteSession(a name.Account, user, id name.ID) error {
	if _, err := tx.exec(`DELETE FROM cli_logins WHERE session = $1 AND user_id = $2 AND account = $3`, int64(id), int64(user), int64(a)); err != nil {
		return err
	}
	return tx.change("session", id.String(), `DELETE FROM sessions WHERE id = $1 AND user_id = $2 AND account = $3`,
		int64(id), int64(user), int64(a))
}

// DeleteSessions ends all sessions of a user but one, or all when keep is zero,
// with the command lines that were approved in them, and returns how many.
func (tx *Tx) DeleteSessions(a name.Account, user, keep name.ID) (int, error) {
	if _, err := tx.exec(`DELETE FROM cli_logins WHERE user_id = $1 AND account = $2 AND session <> $3`, int64(user), int64(a), int64(keep)); err != nil {
		return 0, err
	}
	n, err := tx.exec(`DELETE FROM sessions WHERE user_id = $1 AND account = $2 AND id <> $3`, int64(user), int64(a), int64(keep))
	return int(n), err
}

// PurgeSessions forgets sessions of all accounts that have run out, as many as
// limit, and returns how many.
func (tx *Tx) PurgeSessions(now time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM sessions WHERE id IN
		(SELECT id FROM sessions WHERE expires <= $1 OR seen + idle <= $1 LIMIT $2)`, micros(now), limit)
	return int(n), err
}

// PutBlock blocks a user; one who is blocked stays so, with the new reason.
func (tx *Tx) PutBlock(a name.Account, b *iam.Block) error {
	if err := tx.owns(a, iam.KindUser, b.User); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO blocks (user_id, account, at, by_name, reason) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id) DO UPDATE SET at = excluded.at, by_name = excluded.by_name, reason = excluded.reason`,
		int64(b.User), int64(a), micros(b.At), b.By, b.Reason)
	return tx.bump(a, err)
}

func scanBlock(r row, b *iam.Block) error {
	return r.Scan((*int64)(&b.User), stamp{&b.At}, &b.By, &b.Reason)
}

// Block returns the block of a user.
func (tx *Tx) Block(a name.Account, user name.ID) (*iam.Block, error) {
	return get(tx, scanBlock, "block", user.String(),
		`SELECT user_id, at, by_name, reason FROM blocks WHERE user_id = $1 AND account = $2`, int64(user), int64(a))
}

// Standing returns the account of a user who may act: NotFound for one who is
// blocked or gone.
func (tx *Tx) Standing(user name.ID) (name.Account, error) {
	a, err := get(tx, scanAccountID, "user", user.String(),
		`SELECT u.account FROM users u WHERE u.id = $1 AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = u.id)`, int64(user))
	if err != nil {
		return 0, err
	}
	return *a, nil
}

func scanAccountID(r row, a *name.Account) error { return r.Scan((*int64)(a)) }

// Blocks lists an account's blocks by user id.
func (tx *Tx) Blocks(a name.Account, after name.ID, limit int) ([]iam.Block, error) {
	return list(tx, scanBlock, `SELECT user_id, at, by_name, reason FROM blocks WHERE account = $1 AND user_id > $2
		ORDER BY user_id LIMIT $3`, int64(a), int64(after), limit)
}

// DeleteBlock lifts the block of a user.
func (tx *Tx) DeleteBlock(a name.Account, user name.ID) error {
	return tx.bump(a, tx.change("block", user.String(), `DELETE FROM blocks WHERE user_id = $1 AND account = $2`, int64(user), int64(a)))
}
