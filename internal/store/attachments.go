package store

import (
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// principalTables are the tables of the kinds of principal that hold policies.
var principalTables = map[iam.PrincipalKind]string{
	iam.KindUser:  "users",
	iam.KindGroup: "groups",
	iam.KindRole:  "roles",
}

func principalTable(kind iam.PrincipalKind) (string, error) {
	if t, ok := principalTables[kind]; ok {
		return t, nil
	}
	return "", fault.New(fault.Internal, "store: %q is no kind of principal", kind)
}

// owns returns NotFound unless the principal belongs to the account.
func (tx *Tx) owns(a name.Account, kind iam.PrincipalKind, id name.ID) error {
	table, err := principalTable(kind)
	if err != nil {
		return err
	}
	var one int
	found, err := tx.one(`SELECT 1 FROM `+table+` WHERE id = $1 AND account = $2`, []any{int64(id), int64(a)}, &one)
	if err == nil && !found {
		err = fault.Of(fault.NotFound, string(kind), id.String())
	}
	return err
}

// holdsNoPolicies returns Conflict while policies are attached to a principal of
// the account or live in it.
func (tx *Tx) holdsNoPolicies(a name.Account, kind iam.PrincipalKind, id name.ID) error {
	if err := tx.owns(a, kind, id); err != nil {
		return err
	}
	n, err := tx.count(`SELECT (SELECT count(*) FROM attachments WHERE principal = $1)
		+ (SELECT count(*) FROM scoped_attachments WHERE principal = $1)
		+ (SELECT count(*) FROM inline_policies WHERE principal = $1)`, int64(id))
	if err == nil && n > 0 {
		err = fault.Of(fault.Conflict, string(kind), id.String())
	}
	return err
}

// Attach gives a principal a managed policy, its account's own or the vendor's,
// and reports whether it had not had it.
func (tx *Tx) Attach(a name.Account, kind iam.PrincipalKind, principal, policy name.ID) (changed bool, err error) {
	if err := tx.owns(a, kind, principal); err != nil {
		return false, err
	}
	if _, err := tx.PolicyByID(a, policy); err != nil {
		return false, err
	}
	n, err := tx.exec(`INSERT INTO attachments (principal, policy, kind, account) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		int64(principal), int64(policy), string(kind), int64(a))
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.BumpRevision(a)
}

// Detach takes a managed policy from a principal and reports whether it had had
// it.
func (tx *Tx) Detach(a name.Account, kind iam.PrincipalKind, principal, policy name.ID) (changed bool, err error) {
	n, err := tx.exec(`DELETE FROM attachments WHERE principal = $1 AND policy = $2 AND kind = $3 AND account = $4`,
		int64(principal), int64(policy), string(kind), int64(a))
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.BumpRevision(a)
}

// AttachedTo lists the policies attached to a principal by name without case
// and then id.
func (tx *Tx) AttachedTo(a name.Account, kind iam.PrincipalKind, principal name.ID, pathPrefix string, after After, limit int) ([]iam.Policy, error) {
	return list(tx, scanPolicy, `SELECT `+policyColumns+` FROM attachments t JOIN policies p ON p.id = t.policy
		WHERE t.principal = $1 AND t.kind = $2 AND t.account = $3 AND (p.name_fold, p.id) > ($4, $5) AND `+inPath("p.path", "$6")+`
		ORDER BY p.name_fold, p.id LIMIT $7`,
		int64(principal), string(kind), int64(a), fold(after.Name), int64(after.ID), pathPrefix, limit)
}

// AttachedCount counts the policies attached to a principal, those in resource groups
// as well.
func (tx *Tx) AttachedCount(a name.Account, kind iam.PrincipalKind, principal name.ID) (int, error) {
	return tx.count(`SELECT (SELECT count(*) FROM attachments WHERE principal = $1 AND kind = $2 AND account = $3)
		+ (SELECT count(*) FROM scoped_attachments WHERE principal = $1 AND kind = $2 AND account = $3)`,
		int64(principal), string(kind), int64(a))
}

// EntitiesFor lists the account's principals of one kind that a policy is
// attached to or bounds, by name without case. UsageAny means attached.
func (tx *Tx) EntitiesFor(a name.Account, policy name.ID, kind iam.PrincipalKind, usage Usage, pathPrefix, after string, limit int) ([]Entity, error) {
	table, err := principalTable(kind)
	if err != nil {
		return nil, err
	}
	query := `SELECT e.id, e.name, e.path FROM ` + table + ` e WHERE e.account = $1 AND e.name_fold > $3 AND ` + inPath("e.path", "$4")
	switch {
	case usage != UsageBoundary:
		query += ` AND e.id IN (SELECT t.principal FROM attachments t WHERE t.policy = $2 AND t.account = $1 AND t.kind = '` + string(kind) + `')`
	case kind == iam.KindGroup:
		return nil, nil // groups have no boundary
	default:
		query += ` AND e.boundary = $2`
	}
	return list(tx, func(r row, e *Entity) error {
		e.Kind = kind
		return r.Scan((*int64)(&e.ID), &e.Name, &e.Path)
	}, query+` ORDER BY e.name_fold LIMIT $5`, int64(a), int64(policy), fold(after), pathPrefix, limit)
}

// EachTagged calls add with every user or role of an account, or with every policy of
// its own for the kind "", that has tags.
func (tx *Tx) EachTagged(a name.Account, kind iam.PrincipalKind, add func(id name.ID, called string, tags []iam.Tag)) error {
	table := "policies"
	if kind != "" {
		var err error
		if table, err = principalTable(kind); err != nil {
			return err
		}
	}
	return tx.each(func(r row) error {
		var id int64
		var called string
		var tags []iam.Tag
		err := r.Scan(&id, &called, tagList{&tags})
		if err == nil {
			add(name.ID(id), called, tags)
		}
		return err
	}, `SELECT id, name, tags FROM `+table+` WHERE account = $1 AND tags <> ''`, int64(a))
}
