package store

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

const resourceGroup = "resource group"

const groupColumnsOfResources = `id, account, name, display_name, tags, created`

func scanResourceGroup(r row, g *iam.ResourceGroup) error {
	return r.Scan((*int64)(&g.ID), (*int64)(&g.Account), &g.Name, &g.DisplayName, tagList{&g.Tags}, stamp{&g.Created})
}

// InsertResourceGroup adds a resource group. Exists when another has the name.
func (tx *Tx) InsertResourceGroup(g *iam.ResourceGroup) error {
	return tx.insert(resourceGroup, g.Name, `INSERT INTO resource_groups (id, account, name, name_fold, display_name, tags, created)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		int64(g.ID), int64(g.Account), g.Name, fold(g.Name), g.DisplayName, tagText(g.Tags), micros(g.Created))
}

// ResourceGroup returns a resource group.
func (tx *Tx) ResourceGroup(a name.Account, id name.ID) (*iam.ResourceGroup, error) {
	return get(tx, scanResourceGroup, resourceGroup, id.String(),
		`SELECT `+groupColumnsOfResources+` FROM resource_groups WHERE id = $1 AND account = $2`, int64(id), int64(a))
}

// ResourceGroups lists all of an account's by name without case; there are few.
func (tx *Tx) ResourceGroups(a name.Account) ([]iam.ResourceGroup, error) {
	return list(tx, scanResourceGroup, `SELECT `+groupColumnsOfResources+` FROM resource_groups WHERE account = $1 ORDER BY name_fold`, int64(a))
}

// UpdateResourceGroup sets what people read of a resource group.
func (tx *Tx) UpdateResourceGroup(g *iam.ResourceGroup) error {
	return tx.change(resourceGroup, g.ID.String(), `UPDATE resource_groups SET display_name = $3, tags = $4 WHERE id = $1 AND account = $2`,
		int64(g.ID), int64(g.Account), g.DisplayName, tagText(g.Tags))
}

// DeleteResourceGroup removes a resource group and the attachments that count in it.
func (tx *Tx) DeleteResourceGroup(a name.Account, id name.ID) error {
	if _, err := tx.exec(`DELETE FROM scoped_attachments WHERE scope = $1 AND account = $2`, int64(id), int64(a)); err != nil {
		return err
	}
	return tx.bump(a, tx.change(resourceGroup, id.String(), `DELETE FROM resource_groups WHERE id = $1 AND account = $2`, int64(id), int64(a)))
}

// AttachIn gives a principal a managed policy in a resource group, and reports whether
// it had not had it there.
func (tx *Tx) AttachIn(a name.Account, scope name.ID, kind iam.PrincipalKind, principal, policy name.ID, at time.Time) (changed bool, err error) {
	if err := tx.owns(a, kind, principal); err != nil {
		return false, err
	}
	if _, err := tx.ResourceGroup(a, scope); err != nil {
		return false, err
	}
	if _, err := tx.PolicyByID(a, policy); err != nil {
		return false, err
	}
	n, err := tx.exec(`INSERT INTO scoped_attachments (scope, principal, policy, kind, account, attached) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		int64(scope), int64(principal), int64(policy), string(kind), int64(a), micros(at))
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.BumpRevision(a)
}

// DetachIn takes a managed policy from a principal in a resource group, and reports
// whether it had had it there.
func (tx *Tx) DetachIn(a name.Account, scope name.ID, kind iam.PrincipalKind, principal, policy name.ID) (changed bool, err error) {
	n, err := tx.exec(`DELETE FROM scoped_attachments WHERE scope = $1 AND principal = $2 AND policy = $3 AND kind = $4 AND account = $5`,
		int64(scope), int64(principal), int64(policy), string(kind), int64(a))
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.BumpRevision(a)
}

// AttachmentFilter selects attachments; what is zero leaves everything in.
type AttachmentFilter struct {
	Principal, Policy name.ID
	Scoped            bool // only those that count in a resource group
}

// Attachments lists attachments of an account, by the names of principals without
// case.
func (tx *Tx) Attachments(a name.Account, f AttachmentFilter) (all []iam.Attachment, err error) {
	for _, kind := range []iam.PrincipalKind{iam.KindUser, iam.KindGroup, iam.KindRole} {
		table, err := principalTable(kind)
		if err != nil {
			return nil, err
		}
		from := `SELECT scope, principal, policy, attached FROM scoped_attachments WHERE account = $1 AND kind = $2`
		if !f.Scoped {
			from += ` UNION ALL SELECT 0, principal, policy, 0 FROM attachments WHERE account = $1 AND kind = $2`
		}
		some, err := list(tx, func(r row, t *iam.Attachment) error {
			t.Kind = kind
			return r.Scan(append([]any{(*int64)(&t.Scope), (*int64)(&t.Principal), &t.Holder, stamp{&t.Attached}}, policyFields(&t.Policy)...)...)
		}, `SELECT t.scope, t.principal, e.name, t.attached, `+policyColumns+` FROM (`+from+`) t
			JOIN `+table+` e ON e.id = t.principal JOIN policies p ON p.id = t.policy
			WHERE (CAST($3 AS BIGINT) = 0 OR t.principal = $3) AND (CAST($4 AS BIGINT) = 0 OR t.policy = $4)
			ORDER BY e.name_fold, p.name_fold, p.id, t.scope`, int64(a), string(kind), int64(f.Principal), int64(f.Policy))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// ScopedGrant is a managed policy that a principal has in a resource group.
type ScopedGrant struct {
	Scope name.ID
	ManagedGrant
}

// ScopedGrants returns the policies that a principal, or a group it is in, has in
// resource groups.
func (tx *Tx) ScopedGrants(a name.Account, kind iam.PrincipalKind, id name.ID) ([]ScopedGrant, error) {
	from, _, err := holders(kind)
	if err != nil {
		return nil, err
	}
	return list(tx, func(r row, g *ScopedGrant) error {
		return r.Scan((*int64)(&g.Scope), (*string)(&g.Holder.Kind), &g.Holder.Name, &g.Holder.Path, (*int64)(&g.Holder.ID),
			(*int64)(&g.ID), &g.Number, (*int64)(&g.Account), &g.Path, &g.Name, (*string)(&g.Language))
	}, `WITH holders AS (`+from+`) SELECT t.scope, h.kind, h.name, h.path, h.id, `+grantColumns+`
		FROM holders h JOIN scoped_attachments t ON t.principal = h.id JOIN policies p ON p.id = t.policy
		ORDER BY 1, 10, 6, 5`, int64(id), int64(a))
}
