package store

import (
	"warifu/internal/iam"
	"warifu/internal/name"
)

// What grants a principal its policies: holders are the principal itself and
// the groups it is in. One query for managed policies and the boundary, one for
// inline policies.
const (
	userHolders = `SELECT u.id AS id, 'user' AS kind, u.name AS name, u.path AS path FROM users u WHERE u.id = $1 AND u.account = $2
		UNION ALL SELECT g.id, 'group', g.name, g.path FROM memberships m JOIN groups g ON g.id = m.group_id
			WHERE m.user_id = $1 AND g.account = $2`
	groupHolders = `SELECT g.id AS id, 'group' AS kind, g.name AS name, g.path AS path FROM groups g WHERE g.id = $1 AND g.account = $2`
	roleHolders  = `SELECT r.id AS id, 'role' AS kind, r.name AS name, r.path AS path FROM roles r WHERE r.id = $1 AND r.account = $2`

	grantColumns = `p.id, p.default_version, p.account, p.path, p.name, p.language`
)

// holders returns the query for a kind's holders and for its boundary.
func holders(kind iam.PrincipalKind) (query, boundary string, err error) {
	table, err := principalTable(kind)
	if err != nil {
		return "", "", err
	}
	boundary = ` UNION ALL SELECT '', '', '', CAST(0 AS BIGINT), ` + grantColumns + ` FROM ` + table + ` b JOIN policies p ON p.id = b.boundary
		WHERE b.id = $1 AND b.account = $2`
	switch kind {
	case iam.KindUser:
		return userHolders, boundary, nil
	case iam.KindRole:
		return roleHolders, boundary, nil
	}
	return groupHolders, "", nil
}

// PrincipalPolicies returns what the evaluator must know about a principal:
// every managed policy attached to it or to a group it is in, by its version in
// force, every inline policy of them, and the boundary. The texts of managed
// policies are not in it: Version has them, and they never change.
//
// A policy that is held twice is there twice. The order is that of the policies'
// names, by bytes.
func (tx *Tx) PrincipalPolicies(a name.Account, kind iam.PrincipalKind, id name.ID) (*Grants, error) {
	from, boundary, err := holders(kind)
	if err != nil {
		return nil, err
	}
	if err := tx.owns(a, kind, id); err != nil {
		return nil, err
	}
	g := new(Grants)
	err = tx.each(func(r row) error {
		var m ManagedGrant
		err := r.Scan((*string)(&m.Holder.Kind), &m.Holder.Name, &m.Holder.Path, (*int64)(&m.Holder.ID),
			(*int64)(&m.ID), &m.Number, (*int64)(&m.Account), &m.Path, &m.Name, (*string)(&m.Language))
		if m.Holder.ID == 0 {
			g.Boundary = &m
		} else {
			g.Managed = append(g.Managed, m)
		}
		return err
	}, `WITH holders AS (`+from+`) SELECT h.kind, h.name, h.path, h.id, `+grantColumns+`
		FROM holders h JOIN attachments t ON t.principal = h.id JOIN policies p ON p.id = t.policy`+boundary+`
		ORDER BY 9, 5, 4`, int64(id), int64(a))
	if err != nil {
		return nil, err
	}
	g.Inline, err = list(tx, func(r row, p *InlineGrant) error {
		return r.Scan((*string)(&p.Holder.Kind), &p.Holder.Name, &p.Holder.Path, (*int64)(&p.Holder.ID),
			&p.Name, (*string)(&p.Language), &p.Document)
	}, `WITH holders AS (`+from+`) SELECT h.kind, h.name, h.path, h.id, i.name, i.language, i.document
		FROM holders h JOIN inline_policies i ON i.principal = h.id ORDER BY i.name, h.id`, int64(id), int64(a))
	if err != nil {
		return nil, err
	}
	return g, nil
}
