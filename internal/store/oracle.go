package store

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

const oracleColumns = `n.id, n.account, n.kind, n.parent, n.user_id, n.name, n.slot, n.description, n.state, n.body, n.tags,
	n.created, n.changed, n.expires`

// oracleTags stores tags as JSON.
type oracleTags struct{ tags *iam.OracleTags }

// Scan implements sql.Scanner.
func (o oracleTags) Scan(v any) error {
	*o.tags = iam.OracleTags{}
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("tags are stored as %T", v)
	}
	if s == "" {
		return nil
	}
	return json.Unmarshal([]byte(s), o.tags)
}

func oracleTagText(t iam.OracleTags) (string, error) {
	if len(t.Freeform) == 0 && len(t.Defined) == 0 {
		return "", nil
	}
	b, err := json.Marshal(t)
	if err != nil {
		return "", fault.Wrap(err, "store tags")
	}
	return string(b), nil
}

func scanOracleNoun(r row, n *iam.OracleNoun) error {
	return r.Scan((*int64)(&n.ID), (*int64)(&n.Account), (*string)(&n.Kind), (*int64)(&n.Parent), maybe{&n.User}, &n.Name, &n.Slot, &n.Description,
		&n.State, &n.Body, oracleTags{&n.Tags}, stamp{&n.Created}, stamp{&n.Changed}, stamp{&n.Expires})
}

// decides tells whether nouns of the kind have a say in decisions.
func decides(kind iam.OracleKind) bool {
	switch kind {
	case iam.OracleCompartment, iam.OraclePolicy, iam.OracleDynamicGroup, iam.OracleNetworkSource, iam.OracleSignInFrom:
		return true
	}
	return false
}

// InsertOracleNoun adds a noun. Exists when its slot is taken.
func (tx *Tx) InsertOracleNoun(n *iam.OracleNoun) error {
	tags, err := oracleTagText(n.Tags)
	if err != nil {
		return err
	}
	if n.User != 0 {
		if err := tx.owns(n.Account, iam.KindUser, n.User); err != nil {
			return err
		}
	}
	err = tx.insert(string(n.Kind), n.Name, `INSERT INTO oracle_nouns
		(id, account, kind, parent, user_id, name, slot, description, state, body, tags, created, changed, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING`,
		int64(n.ID), int64(n.Account), string(n.Kind), int64(n.Parent), optional(n.User), n.Name, n.Slot, n.Description, n.State, n.Body,
		tags, micros(n.Created), micros(n.Changed), micros(n.Expires))
	return tx.bumpFor(n, err)
}

// bumpFor raises the revision if the noun has a say in decisions.
func (tx *Tx) bumpFor(n *iam.OracleNoun, err error) error {
	if decides(n.Kind) {
		return tx.bump(n.Account, err)
	}
	return err
}

// OracleNoun returns a noun of a kind.
func (tx *Tx) OracleNoun(a name.Account, kind iam.OracleKind, id name.ID) (*iam.OracleNoun, error) {
	return get(tx, scanOracleNoun, string(kind), id.String(),
		`SELECT `+oracleColumns+` FROM oracle_nouns n WHERE n.id = $1 AND n.account = $2 AND n.kind = $3`, int64(id), int64(a), string(kind))
}

// OracleNounAt returns the noun that has a slot.
func (tx *Tx) OracleNounAt(a name.Account, kind iam.OracleKind, slot string) (*iam.OracleNoun, error) {
	return get(tx, scanOracleNoun, string(kind), slot,
		`SELECT `+oracleColumns+` FROM oracle_nouns n WHERE n.account = $1 AND n.kind = $2 AND n.slot = $3`, int64(a), string(kind), slot)
}

// OracleNouns returns an account's nouns of a kind, oldest first.
func (tx *Tx) OracleNouns(a name.Account, kind iam.OracleKind) ([]iam.OracleNoun, error) {
	return list(tx, scanOracleNoun, `SELECT `+oracleColumns+` FROM oracle_nouns n
		WHERE n.account = $1 AND n.kind = $2 ORDER BY n.created, n.id`, int64(a), string(kind))
}

// OracleNounCount counts an account's nouns of a kind that are not deleted.
func (tx *Tx) OracleNounCount(a name.Account, kind iam.OracleKind) (int, error) {
	return tx.count(`SELECT count(*) FROM oracle_nouns WHERE account = $1 AND kind = $2 AND state <> 'DELETED'`, int64(a), string(kind))
}

// OracleCredentials returns a user's credentials of a kind, oldest first.
func (tx *Tx) OracleCredentials(a name.Account, kind iam.OracleKind, user name.ID) ([]iam.OracleNoun, error) {
	return list(tx, scanOracleNoun, `SELECT `+oracleColumns+` FROM oracle_nouns n
		WHERE n.user_id = $1 AND n.account = $2 AND n.kind = $3 ORDER BY n.created, n.id`, int64(user), int64(a), string(kind))
}

// UpdateOracleNoun sets all that can change of a noun. Exists when its new slot is
// taken.
func (tx *Tx) UpdateOracleNoun(n *iam.OracleNoun) error {
	tags, err := oracleTagText(n.Tags)
	if err != nil {
		return err
	}
	err = tx.rename(string(n.Kind), n.ID.String(), n.Name, `UPDATE oracle_nouns
		SET parent = $4, name = $5, slot = $6, description = $7, state = $8, body = $9, tags = $10, changed = $11, expires = $12
		WHERE id = $1 AND account = $2 AND kind = $3`,
		int64(n.ID), int64(n.Account), string(n.Kind), int64(n.Parent), n.Name, n.Slot, n.Description, n.State, n.Body,
		tags, micros(n.Changed), micros(n.Expires))
	return tx.bumpFor(n, err)
}

// DeleteOracleNoun removes a noun.
func (tx *Tx) DeleteOracleNoun(n *iam.OracleNoun) error {
	err := tx.change(string(n.Kind), n.ID.String(), `DELETE FROM oracle_nouns WHERE id = $1 AND account = $2 AND kind = $3`,
		int64(n.ID), int64(n.Account), string(n.Kind))
	return tx.bumpFor(n, err)
}

// OracleCompartmentPath returns the compartments from below the root down to one,
// itself the last; NotFound if there is none.
func (tx *Tx) OracleCompartmentPath(a name.Account, id name.ID) ([]iam.OracleNoun, error) {
	all, err := list(tx, scanOracleNoun, `WITH RECURSIVE up(id, depth) AS (
			SELECT CAST($1 AS BIGINT), 0
			UNION ALL
			SELECT c.parent, up.depth + 1 FROM up JOIN oracle_nouns c ON c.id = up.id AND c.account = $2 AND c.kind = 'compartment' WHERE up.depth < 64
		)
		SELECT `+oracleColumns+` FROM up JOIN oracle_nouns n ON n.id = up.id WHERE n.account = $2 AND n.kind = 'compartment' ORDER BY up.depth DESC`,
		int64(id), int64(a))
	if err == nil && len(all) == 0 {
		err = fault.Of(fault.NotFound, string(iam.OracleCompartment), id.String())
	}
	return all, err
}

// OracleChildCount counts what lies directly in a compartment and is not deleted.
func (tx *Tx) OracleChildCount(a name.Account, compartment name.ID) (int, error) {
	return tx.count(`SELECT count(*) FROM oracle_nouns WHERE account = $1 AND parent = $2 AND state <> 'DELETED'`, int64(a), int64(compartment))
}

const oracleKeyColumns = `k.user_id, k.account, k.fingerprint, k.key, k.created`

func scanOracleKey(r row, k *iam.OracleKey) error {
	return r.Scan((*int64)(&k.User), (*int64)(&k.Account), &k.Fingerprint, &k.Key, stamp{&k.Created})
}

// InsertOracleKey adds a public key to a user of its account.
func (tx *Tx) InsertOracleKey(k *iam.OracleKey) error {
	if err := tx.owns(k.Account, iam.KindUser, k.User); err != nil {
		return err
	}
	return tx.insert("api key", k.Fingerprint, `INSERT INTO oracle_keys (user_id, fingerprint, account, key, created)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`, int64(k.User), k.Fingerprint, int64(k.Account), k.Key, micros(k.Created))
}

// OracleKey returns a user's public key by its fingerprint.
func (tx *Tx) OracleKey(a name.Account, user name.ID, fingerprint string) (*iam.OracleKey, error) {
	return get(tx, scanOracleKey, "api key", fingerprint,
		`SELECT `+oracleKeyColumns+` FROM oracle_keys k WHERE k.user_id = $1 AND k.fingerprint = $2 AND k.account = $3`, int64(user), fingerprint, int64(a))
}

// OracleKeys returns a user's public keys, oldest first.
func (tx *Tx) OracleKeys(a name.Account, user name.ID) ([]iam.OracleKey, error) {
	return list(tx, scanOracleKey, `SELECT `+oracleKeyColumns+` FROM oracle_keys k WHERE k.user_id = $1 AND k.account = $2 ORDER BY k.created, k.fingerprint`, int64(user), int64(a))
}

// DeleteOracleKey removes a user's public key.
func (tx *Tx) DeleteOracleKey(a name.Account, user name.ID, fingerprint string) error {
	return tx.bump(a, tx.change("api key", fingerprint, `DELETE FROM oracle_keys WHERE user_id = $1 AND fingerprint = $2 AND account = $3`,
		int64(user), fingerprint, int64(a)))
}

// OracleExtras returns what Oracle keeps of a user or group; nothing of one that
// has none.
func (tx *Tx) OracleExtras(a name.Account, principal name.ID) (x iam.OracleExtras, err error) {
	_, err = tx.one(`SELECT description, email, db_name, tags, capabilities FROM oracle_extras WHERE principal = $1 AND account = $2`,
		[]any{int64(principal), int64(a)}, &x.Description, &x.Email, &x.DBName, oracleTags{&x.Tags}, &x.Capabilities)
	return x, err
}

// SetOracleExtras keeps them.
func (tx *Tx) SetOracleExtras(a name.Account, principal name.ID, x iam.OracleExtras) error {
	tags, err := oracleTagText(x.Tags)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO oracle_extras (principal, account, description, email, db_name, tags, capabilities) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (principal) DO UPDATE SET description = excluded.description, email = excluded.email, db_name = excluded.db_name,
		tags = excluded.tags, capabilities = excluded.capabilities`,
		int64(principal), int64(a), x.Description, x.Email, x.DBName, tags, x.Capabilities)
	return tx.bump(a, err) // a group's tags, and what a user may have, count in decisions
}

// DeleteOracleExtras forgets what was kept of somebody who is removed.
func (tx *Tx) DeleteOracleExtras(a name.Account, principal name.ID) error {
	_, err := tx.exec(`DELETE FROM oracle_extras WHERE principal = $1 AND account = $2`, int64(principal), int64(a))
	return err
}

// OracleRetry returns what a request was answered that came with the same token, or
// NotFound.
func (tx *Tx) OracleRetry(key []byte, now time.Time) (*iam.OracleRetry, error) {
	return get(tx, func(r row, x *iam.OracleRetry) error {
		return r.Scan(&x.Key, (*int64)(&x.Account), &x.Digest, &x.Answer, stamp{&x.Expires})
	}, "retry token", hex.EncodeToString(key), `SELECT key, account, digest, answer, expires FROM oracle_retries WHERE key = $1 AND expires > $2`, key, micros(now))
}

// InsertOracleRetry keeps an answer. One that has run out makes room.
func (tx *Tx) InsertOracleRetry(x *iam.OracleRetry) error {
	_, err := tx.exec(`INSERT INTO oracle_retries (key, account, digest, answer, expires) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (key) DO UPDATE SET digest = excluded.digest, answer = excluded.answer, expires = excluded.expires`,
		x.Key, int64(x.Account), x.Digest, x.Answer, micros(x.Expires))
	return err
}

// PurgeOracleRetries forgets answers that nobody may ask for any more, as many as
// limit, and returns how many.
func (tx *Tx) PurgeOracleRetries(now time.Time, limit int) (int, error) {
	n, err := tx.exec(`DELETE FROM oracle_retries WHERE key IN
		(SELECT key FROM oracle_retries WHERE expires <= $1 ORDER BY expires LIMIT $2)`, micros(now), limit)
	return int(n), err
}
