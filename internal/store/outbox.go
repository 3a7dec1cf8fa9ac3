package store

import (
	"cmp"
	"slices"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// waitingPerUser is how many messages can wait for a user; the oldest go. It
// bounds the outbox while nothing can be sent.
const waitingPerUser = 50

// Outgoing is a message in the outbox. The store does not read its body.
type Outgoing struct {
	ID      name.ID
	Account name.Account
	User    name.ID
	Channel iam.Channel
	Kind    iam.MessageKind
	Lane    string // messages of one lane are sent in order
	Body    []byte // sealed
	Created time.Time
	Expires time.Time
	Tries   int
}

// InsertOutgoing puts a message into the outbox, to be sent once the transaction
// is committed, and forgets the user's oldest if there are too many.
func (tx *Tx) InsertOutgoing(m *Outgoing) error {
	err := tx.insert("message", m.ID.String(), `INSERT INTO outbox
		(id, account, user_id, channel, kind, lane, body, created, expires, due, tries, failed, why)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8, 0, 0, '') ON CONFLICT DO NOTHING`,
		int64(m.ID), int64(m.Account), int64(m.User), string(m.Channel), string(m.Kind), m.Lane, m.Body, micros(m.Created), micros(m.Expires))
	if err != nil {
		return err
	}
	_, err = tx.exec(`DELETE FROM outbox WHERE id IN
		(SELECT id FROM outbox WHERE user_id = $1 AND failed = 0 ORDER BY created DESC, id DESC LIMIT 100 OFFSET $2)`,
		int64(m.User), waitingPerUser)
	return err
}

// OutgoingDue reports whether the outbox has a message of a channel to be sent.
func (tx *Tx) OutgoingDue(channel iam.Channel, now time.Time) (due bool, err error) {
	n, err := tx.count(`SELECT count(*) FROM (SELECT 1 FROM outbox WHERE channel = $1 AND failed = 0 AND due <= $2 LIMIT 1) AS one`,
		string(channel), micros(now))
	return n > 0, err
}

// ClaimOutgoing takes messages that are due, the oldest first and of each lane
// the first only, and counts a try of each. Nobody else gets them before again:
// then whoever took them is thought dead. Those that have run out are given up.
func (tx *Tx) ClaimOutgoing(channel iam.Channel, now, again time.Time, limit int) ([]Outgoing, error) {
	_, err := tx.exec(`UPDATE outbox SET failed = $2, body = $3, why = CASE WHEN why = '' THEN 'it ran out before it could be sent' ELSE why END
		WHERE channel = $1 AND failed = 0 AND due <= $2 AND expires <= $2`, string(channel), micros(now), []byte{})
	if err != nil {
		return nil, err
	}
	all, err := list(tx, func(r row, m *Outgoing) error {
		return r.Scan((*int64)(&m.ID), (*int64)(&m.Account), (*int64)(&m.User), (*string)(&m.Channel), (*string)(&m.Kind), &m.Lane,
			&m.Body, stamp{&m.Created}, stamp{&m.Expires}, &m.Tries)
	}, `UPDATE outbox SET due = $3, tries = tries + 1 WHERE failed = 0 AND due <= $2 AND id IN
		(SELECT o.id FROM outbox o WHERE o.channel = $1 AND o.failed = 0 AND o.due <= $2 AND NOT EXISTS
			(SELECT 1 FROM outbox e WHERE e.lane = o.lane AND e.failed = 0 AND (e.created, e.id) < (o.created, o.id))
		ORDER BY o.created, o.id LIMIT $4)
		RETURNING id, account, user_id, channel, kind, lane, body, created, expires, tries`,
		string(channel), micros(now), micros(again), limit)
	slices.SortFunc(all, func(a, b Outgoing) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return all, err
}

// DeleteOutgoing forgets a message that was sent.
func (tx *Tx) DeleteOutgoing(id name.ID) error {
	_, err := tx.exec(`DELETE FROM outbox WHERE id = $1 AND failed = 0`, int64(id))
	return err
}

// RetryOutgoing puts off a message whose try, the one of that number, failed.
// One that somebody else took meanwhile stays as it is.
func (tx *Tx) RetryOutgoing(id name.ID, try int, due time.Time, why string) error {
	_, err := tx.exec(`UPDATE outbox SET due = CASE WHEN expires < $3 THEN expires ELSE $3 END, why = $4 WHERE id = $1 AND tries = $2 AND failed = 0`,
		int64(id), try, micros(due), why)
	return err
}

// GiveUpOutgoing keeps of a message only that it could not be sent, and why.
func (tx *Tx) GiveUpOutgoing(id name.ID, at time.Time, why string) error {
	_, err := tx.exec(`UPDATE outbox SET failed = $2, body = $3, why = $4 WHERE id = $1 AND failed = 0`, int64(id), micros(at), []byte{}, why)
	return err
}

// Backlog is how a channel stands.
type Backlog struct {
	Waiting int
	Oldest  time.Time // of those that wait; zero = none
	Failed  int       // given up lately
}

// OutgoingBacklog tells how a channel stands, in one account or, when that is
// zero, in all.
func (tx *Tx) OutgoingBacklog(a name.Account, channel iam.Channel) (b Backlog, err error) {
	_, err = tx.one(`SELECT coalesce(sum(CASE WHEN failed = 0 THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN failed > 0 THEN 1 ELSE 0 END), 0),
		coalesce(min(CASE WHEN failed = 0 THEN created ELSE NULL END), 0)
		FROM outbox WHERE channel = $1 AND ($2 = CAST(0 AS BIGINT) OR account = $2)`,
		[]any{string(channel), int64(a)}, &b.Waiting, &b.Failed, stamp{&b.Oldest})
	return b, err
}

// Undelivered is a message that could not be sent, or not yet.
type Undelivered struct {
	ID      name.ID
	User    name.ID
	Channel iam.Channel
	Kind    iam.MessageKind
	Created time.Time
	Tries   int
	Failed  time.Time // zero = it will be tried again
	Why     string
}

// TroubledOutgoing lists an account's messages that could not be sent, or not at
// the first try, newest first.
func (tx *Tx) TroubledOutgoing(a name.Account, limit int) ([]Undelivered, error) {
	return list(tx, func(r row, u *Undelivered) error {
		return r.Scan((*int64)(&u.ID), (*int64)(&u.User), (*string)(&u.Channel), (*string)(&u.Kind), stamp{&u.Created}, &u.Tries, stamp{&u.Failed}, &u.Why)
	}, `SELECT id, user_id, channel, kind, created, tries, failed, why FROM outbox
		WHERE account = $1 AND (failed > 0 OR why <> '') ORDER BY created DESC, id DESC LIMIT $2`, int64(a), limit)
}

// PurgeOutgoing forgets messages that were given up before a time, as many as
// limit, and returns how many.
func (tx *Tx) PurgeOutgoing(before time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE failed > 0 AND failed <= $1 LIMIT $2)`, micros(before), limit)
	return int(n), err
}

// CodesSent is how many codes went out for a key since began, the last of them
// at last.
func (tx *Tx) CodesSent(key string) (began, last time.Time, sent int, err error) {
	_, err = tx.one(`SELECT began, last, sent FROM codes_sent WHERE key = $1`, []any{key}, stamp{&began}, stamp{&last}, &sent)
	return began, last, sent, err
}

// CountSent keeps the count of a key, if it still is what was read: seen is the
// number then. It reports false when somebody counted meanwhile.
func (tx *Tx) CountSent(key string, seen int, lastSeen, began, last time.Time, sent int) (bool, error) {
	n, err := tx.exec(`INSERT INTO codes_sent (key, began, last, sent) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key) DO UPDATE SET began = excluded.began, last = excluded.last, sent = excluded.sent
		WHERE codes_sent.sent = $5 AND codes_sent.last = $6`, key, micros(began), micros(last), sent, seen, micros(lastSeen))
	return n == 1, err
}

// PurgeSent forgets counts that nothing was added to since a time, as many as
// limit, and returns how many.
func (tx *Tx) PurgeSent(before time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM codes_sent WHERE key IN (SELECT key FROM codes_sent WHERE last <= $1 LIMIT $2)`, micros(before), limit)
	return int(n), err
}

// PutPendingAddress keeps an address that is to become a user's factor, in the
// place of another one of its kind.
func (tx *Tx) PutPendingAddress(p *iam.PendingAddress) error {
	if err := tx.owns(p.Account, iam.KindUser, p.User); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO pending_addresses (user_id, kind, account, address, hash, creator, created, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (user_id, kind) DO UPDATE SET address = excluded.address,
		hash = excluded.hash, creator = excluded.creator, created = excluded.created, expires = excluded.expires`,
		int64(p.User), string(p.Kind), int64(p.Account), p.Address, p.Hash, p.Creator, micros(p.Created), micros(p.Expires))
	return err
}

const pendingColumns = `account, user_id, kind, address, hash, creator, created, expires`

func scanPending(r row, p *iam.PendingAddress) error {
	return r.Scan((*int64)(&p.Account), (*int64)(&p.User), (*string)(&p.Kind), &p.Address, &p.Hash, &p.Creator, stamp{&p.Created}, stamp{&p.Expires})
}

// PendingAddress returns the address of a link's secret. NotFound when it is
// unknown, used, replaced or has run out.
func (tx *Tx) PendingAddress(hash []byte, now time.Time) (*iam.PendingAddress, error) {
	return get(tx, scanPending, "activation link", "", `SELECT `+pendingColumns+` FROM pending_addresses WHERE hash = $1 AND expires > $2`, hash, micros(now))
}

// ConsumePendingAddress is PendingAddress, and uses the link up: of any number
// of attempts at once one gets it.
func (tx *Tx) ConsumePendingAddress(hash []byte, now time.Time) (*iam.PendingAddress, error) {
	return get(tx, scanPending, "activation link", "", `DELETE FROM pending_addresses WHERE hash = $1 AND expires > $2 RETURNING `+pendingColumns, hash, micros(now))
}

// PendingAddresses lists the addresses that are to become a user's factors.
func (tx *Tx) PendingAddresses(a name.Account, user name.ID, now time.Time) ([]iam.PendingAddress, error) {
	return list(tx, scanPending, `SELECT `+pendingColumns+` FROM pending_addresses
		WHERE user_id = $1 AND account = $2 AND expires > $3 ORDER BY kind`, int64(user), int64(a), micros(now))
}

// DeletePendingAddress takes an address back. NotFound when there is none.
func (tx *Tx) DeletePendingAddress(a name.Account, user name.ID, kind iam.FactorKind) error {
	return tx.change("pending address", string(kind), `DELETE FROM pending_addresses WHERE user_id = $1 AND account = $2 AND kind = $3`,
		int64(user), int64(a), string(kind))
}

// PurgePendingAddresses forgets those that have run out, as many as limit, and
// returns how many.
func (tx *Tx) PurgePendingAddresses(now time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM pending_addresses WHERE hash IN (SELECT hash FROM pending_addresses WHERE expires <= $1 LIMIT $2)`, micros(now), limit)
	return int(n), err
}

// DeleteUserTokens takes back a user's one-time links for a purpose.
func (tx *Tx) DeleteUserTokens(user name.ID, purpose string) error {
	_, err := tx.exec(`DELETE FROM tokens WHERE user_id = $1 AND purpose = $2`, int64(user), purpose)
	return err
}

// Language is the language that a user was last shown pages in, "" when none is
// known.
func (tx *Tx) Language(user name.ID) (language string, err error) {
	_, err = tx.one(`SELECT language FROM user_languages WHERE user_id = $1`, []any{int64(user)}, &language)
	return language, err
}

// SetLanguage keeps the language of a user's pages.
func (tx *Tx) SetLanguage(a name.Account, user name.ID, language string) error {
	if err := tx.owns(a, iam.KindUser, user); err != nil {
		return fault.Wrap(err, "keep a language")
	}
	_, err := tx.exec(`INSERT INTO user_languages (user_id, language) VALUES ($1, $2)
		ON CONFLICT (user_id) DO UPDATE SET language = excluded.language`, int64(user), language)
	return err
}
