package store

import (
	"time"

	"warifu/internal/insight"
	"warifu/internal/name"
)

// usesOfAction bounds how many resources of one action, principal and day are told
// apart; of the rest it is kept what they are a part of.
const usesOfAction = 64

// AddUses adds up what principals did. Resources of one action that are too many for
// one day are counted under what they are a part of.
func (tx *Tx) AddUses(uses []insight.Use) error {
	type group struct {
		account   name.Account
		principal name.ID
		day       insight.Day
		action    string
	}
	room := map[group]int{}
	for i := range uses {
		u := &uses[i]
		g := group{u.Account, u.Principal, u.Day, u.Action}
		left, known := room[g]
		if !known {
			n, err := tx.count(`SELECT count(*) FROM trail_uses WHERE account = $1 AND principal = $2 AND day = $3 AND action = $4`,
				int64(u.Account), int64(u.Principal), int64(u.Day), u.Action)
			if err != nil {
				return err
			}
			left = usesOfAction - n
		}
		if left <= 0 {
			u.Resource = insight.Wider(u.Resource)
		}
		room[g] = left - 1
		if err := tx.addUse(u); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) addUse(u *insight.Use) error {
	_, err := tx.exec(`INSERT INTO trail_uses (account, principal, day, action, resource, result, mfa, operation, rule, source, changes, times, at, event)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (account, principal, day, action, resource, result, mfa) DO UPDATE SET times = trail_uses.times + excluded.times,
			operation = CASE WHEN excluded.at >= trail_uses.at THEN excluded.operation ELSE trail_uses.operation END,
			rule = CASE WHEN excluded.at >= trail_uses.at THEN excluded.rule ELSE trail_uses.rule END,
			source = CASE WHEN excluded.at >= trail_uses.at THEN excluded.source ELSE trail_uses.source END,
			changes = CASE WHEN excluded.at >= trail_uses.at THEN excluded.changes ELSE trail_uses.changes END,
			event = CASE WHEN excluded.at >= trail_uses.at THEN excluded.event ELSE trail_uses.event END,
			at = CASE WHEN excluded.at >= trail_uses.at THEN excluded.at ELSE trail_uses.at END`,
		int64(u.Account), int64(u.Principal), int64(u.Day), clean(u.Action), clean(u.Resource), u.Result, int(u.Proof), clean(u.Operation), clean(u.Rule),
		clean(u.Source), u.Changes, u.Times, micros(u.At), clean(u.Event))
	return err
}

// AddPresences adds up where sessions were at work.
func (tx *Tx) AddPresences(all []insight.Presence) error {
	for i := range all {
		p := &all[i]
		_, err := tx.exec(`INSERT INTO trail_presences (account, principal, day, session, network, device, source, began, ended, times)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (account, principal, day, session, network, device) DO UPDATE SET times = trail_presences.times + excluded.times,
				began = CASE WHEN excluded.began < trail_presences.began THEN excluded.began ELSE trail_presences.began END,
				ended = CASE WHEN excluded.ended > trail_presences.ended THEN excluded.ended ELSE trail_presences.ended END`,
			int64(p.Account), int64(p.Principal), int64(p.Day), clean(p.Session), clean(p.Network), clean(p.Device), clean(p.Source), micros(p.Began), micros(p.Ended), p.Times)
		if err != nil {
			return err
		}
	}
	return nil
}

// Uses are what a principal did from a day on, by day, action and resource.
func (tx *Tx) Uses(a name.Account, principal name.ID, from insight.Day) ([]insight.Use, error) {
	return list(tx, func(r row, u *insight.Use) error {
		return r.Scan((*int64)(&u.Account), (*int64)(&u.Principal), (*int64)(&u.Day), &u.Action, &u.Resource, &u.Result, &u.Proof,
			&u.Operation, &u.Rule, &u.Source, &u.Changes, &u.Times, stamp{&u.At}, &u.Event)
	}, `SELECT account, principal, day, action, resource, result, mfa, operation, rule, source, changes, times, at, event FROM trail_uses
		WHERE account = $1 AND principal = $2 AND day >= $3 ORDER BY day, action, resource, result, mfa`, int64(a), int64(principal), int64(from))
}

// Presences are the traces from a day on of principals of an account that were seen
// with so many devices, on so many networks, or more.
func (tx *Tx) Presences(a name.Account, from insight.Day, devices, networks int) ([]insight.Presence, error) {
	return list(tx, func(r row, p *insight.Presence) error {
		return r.Scan((*int64)(&p.Account), (*int64)(&p.Principal), (*int64)(&p.Day), &p.Session, &p.Network, &p.Device, &p.Source,
			stamp{&p.Began}, stamp{&p.Ended}, &p.Times)
	}, `SELECT account, principal, day, session, network, device, source, began, ended, times FROM trail_presences
		WHERE account = $1 AND day >= $2 AND principal IN (SELECT principal FROM trail_presences WHERE account = $1 AND day >= $2
			GROUP BY principal HAVING count(DISTINCT device) >= $3 AND count(DISTINCT network) >= $4)
		ORDER BY principal, day, session, network, device`, int64(a), int64(from), devices, networks)
}

// PurgeUses forgets uses of days before one, as many as limit, and PurgePresences
// traces; both return how many there were.
func (tx *Tx) PurgeUses(before insight.Day, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM trail_uses WHERE (account, principal, day, action, resource, result, mfa) IN
		(SELECT account, principal, day, action, resource, result, mfa FROM trail_uses WHERE day < $1 ORDER BY day LIMIT $2)`, int64(before), limit)
	return int(n), err
}

// PurgePresences: see PurgeUses.
func (tx *Tx) PurgePresences(before insight.Day, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM trail_presences WHERE (account, principal, day, session, network, device) IN
		(SELECT account, principal, day, session, network, device FROM trail_presences WHERE day < $1 ORDER BY day LIMIT $2)`, int64(before), limit)
	return int(n), err
}

// InsightDay is how an account stood on a day.
type InsightDay struct {
	Account name.Account
	Day     insight.Day
	At      time.Time
	Score   int
	States  string // JSON
}

// PutInsightDay keeps how an account stands, in the place of what was kept that day.
func (tx *Tx) PutInsightDay(d *InsightDay) error {
	_, err := tx.exec(`INSERT INTO insight_days (account, day, at, score, states) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account, day) DO UPDATE SET at = excluded.at, score = excluded.score, states = excluded.states`,
		int64(d.Account), int64(d.Day), micros(d.At), d.Score, d.States)
	return err
}

// InsightDays are how an account stood from a day on, the oldest first.
func (tx *Tx) InsightDays(a name.Account, from insight.Day) ([]InsightDay, error) {
	return list(tx, func(r row, d *InsightDay) error {
		return r.Scan((*int64)(&d.Account), (*int64)(&d.Day), stamp{&d.At}, &d.Score, &d.States)
	}, `SELECT account, day, at, score, states FROM insight_days WHERE account = $1 AND day >= $2 ORDER BY day`, int64(a), int64(from))
}

// PowerHolder is a principal that holds a policy.
type PowerHolder struct {
	Policy    name.ID // 0 = an inline one, of which Document is the text
	Name      string  // of the policy
	Path      string
	Owner     name.Account
	Number    int // the version in force
	Document  string
	Kind      string // user, group or role
	Principal name.ID
	Holder    string
}

// PoliciesInForce lists each managed policy that some user, group or role of an
// account holds, without its holders, and every inline policy with a wildcard in it.
func (tx *Tx) PoliciesInForce(a name.Account) ([]PowerHolder, error) {
	managed, err := list(tx, func(r row, p *PowerHolder) error {
		return r.Scan((*int64)(&p.Policy), &p.Name, &p.Path, (*int64)(&p.Owner), &p.Number)
	}, `SELECT p.id, p.name, p.path, p.account, p.default_version FROM policies p
		WHERE p.id IN (SELECT t.policy FROM attachments t WHERE t.account = $1) ORDER BY p.name_fold, p.id`, int64(a))
	if err != nil {
		return nil, err
	}
	inline, err := list(tx, func(r row, p *PowerHolder) error {
		p.Owner = a
		return r.Scan(&p.Name, &p.Document, &p.Kind, (*int64)(&p.Principal))
	}, `SELECT i.name, i.document, i.kind, i.principal FROM inline_policies i
		WHERE i.account = $1 AND replace(i.document, '*', '') <> i.document ORDER BY i.principal, i.name`, int64(a))
	return append(managed, inline...), err
}

// Holders are the users and roles that hold a managed policy, themselves or by a
// group, by name.
func (tx *Tx) Holders(a name.Account, policy name.ID) ([]Entity, error) {
	return tx.entities(`SELECT u.id, 'user', u.name, u.path FROM users u WHERE u.account = $1 AND u.id IN
			(SELECT t.principal FROM attachments t WHERE t.policy = $2 AND t.account = $1 AND t.kind = 'user'
			UNION SELECT m.user_id FROM attachments t JOIN memberships m ON m.group_id = t.principal WHERE t.policy = $2 AND t.account = $1 AND t.kind = 'group')
		UNION ALL SELECT r.id, 'role', r.name, r.path FROM roles r WHERE r.account = $1 AND r.id IN
			(SELECT t.principal FROM attachments t WHERE t.policy = $2 AND t.account = $1 AND t.kind = 'role')
		ORDER BY 2, 3`, int64(a), int64(policy))
}

// Behind are the users and roles behind a holder: itself, or the members of a group.
func (tx *Tx) Behind(a name.Account, holder name.ID) ([]Entity, error) {
	return tx.entities(`SELECT u.id, 'user', u.name, u.path FROM users u WHERE u.account = $1 AND (u.id = $2 OR u.id IN
			(SELECT m.user_id FROM memberships m WHERE m.group_id = $2))
		UNION ALL SELECT r.id, 'role', r.name, r.path FROM roles r WHERE r.account = $1 AND r.id = $2 ORDER BY 2, 3`, int64(a), int64(holder))
}

func (tx *Tx) entities(query string, args ...any) ([]Entity, error) {
	return list(tx, func(r row, e *Entity) error {
		return r.Scan((*int64)(&e.ID), (*string)(&e.Kind), &e.Name, &e.Path)
	}, query, args...)
}
