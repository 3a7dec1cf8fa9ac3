package store

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
)

const roleColumns = `r.id, r.account, r.name, r.path, r.description, r.trust, r.max_session, r.boundary, r.tags,
	r.created, r.last_used, r.last_region`

func scanRole(r row, v *iam.Role) error {
	var seconds int64
	err := r.Scan((*int64)(&v.ID), (*int64)(&v.Account), &v.Name, &v.Path, &v.Description, &v.Trust, &seconds,
		maybe{&v.Boundary}, tagList{&v.Tags}, stamp{&v.Created}, stamp{&v.LastUsed}, &v.LastRegion)
	v.MaxSession = time.Duration(seconds) * time.Second
	return err
}

// InsertRole adds a role.
func (tx *Tx) InsertRole(r *iam.Role) error {
	return tx.insert("role", r.Name, `INSERT INTO roles
		(id, account, name, name_fold, path, description, trust, max_session, boundary, tags, created, last_used, last_region)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
		int64(r.ID), int64(r.Account), r.Name, fold(r.Name), r.Path, r.Description, r.Trust, int64(r.MaxSession/time.Second),
		optional(r.Boundary), tagText(r.Tags), micros(r.Created), micros(r.LastUsed), r.LastRegion)
}

// RoleByID returns a role.
func (tx *Tx) RoleByID(a name.Account, id name.ID) (*iam.Role, error) {
	return get(tx, scanRole, "role", id.String(),
		`SELECT `+roleColumns+` FROM roles r WHERE r.id = $1 AND r.account = $2`, int64(id), int64(a))
}

// RoleByName returns the role of a name, compared without case.
func (tx *Tx) RoleByName(a name.Account, role string) (*iam.Role, error) {
	return get(tx, scanRole, "role", role,
		`SELECT `+roleColumns+` FROM roles r WHERE r.account = $1 AND r.name_fold = $2`, int64(a), fold(role))
}

// UpdateRole sets all that a role's owner can change: name, path, description,
// trust policy, longest session (whole seconds), boundary and tags.
func (tx *Tx) UpdateRole(r *iam.Role) error {
	return tx.bump(r.Account, tx.rename("role", r.ID.String(), r.Name, `UPDATE roles
		SET name = $3, name_fold = $4, path = $5, description = $6, trust = $7, max_session = $8, boundary = $9, tags = $10
		WHERE id = $1 AND account = $2`,
		int64(r.ID), int64(r.Account), r.Name, fold(r.Name), r.Path, r.Description, r.Trust, int64(r.MaxSession/time.Second),
		optional(r.Boundary), tagText(r.Tags)))
}

// SetRoleUsed notes when and in which region a role's credentials were last
// used.
func (tx *Tx) SetRoleUsed(a name.Account, id name.ID, at time.Time, region string) error {
	return tx.change("role", id.String(),
		`UPDATE roles SET last_used = $3, last_region = $4 WHERE id = $1 AND account = $2`, int64(id), int64(a), micros(at), region)
}

// DeleteRole removes a role. Conflict while it has policies.
func (tx *Tx) DeleteRole(a name.Account, id name.ID) error {
	if err := tx.holdsNoPolicies(a, iam.KindRole, id); err != nil {
		return err
	}
	return tx.bump(a, tx.change("role", id.String(), `DELETE FROM roles WHERE id = $1 AND account = $2`, int64(id), int64(a)))
}

// Roles lists roles by name without case; after is the last name of the page
// before.
func (tx *Tx) Roles(a name.Account, pathPrefix, after string, limit int) ([]iam.Role, error) {
	return list(tx, scanRole, `SELECT `+roleColumns+` FROM roles r
		WHERE r.account = $1 AND r.name_fold > $2 AND `+inPath("r.path", "$3")+` ORDER BY r.name_fold LIMIT $4`,
		int64(a), fold(after), pathPrefix, limit)
}

// RoleCount counts an account's roles.
func (tx *Tx) RoleCount(a name.Account) (int, error) {
	return tx.count(`SELECT count(*) FROM roles WHERE account = $1`, int64(a))
}
