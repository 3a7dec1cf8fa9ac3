package store

import (
	"warifu/internal/iam"
	"warifu/internal/name"
)

const groupColumns = `g.id, g.account, g.name, g.path, g.created`

func scanGroup(r row, g *iam.Group) error {
	return r.Scan((*int64)(&g.ID), (*int64)(&g.Account), &g.Name, &g.Path, stamp{&g.Created})
}

// InsertGroup adds a group.
func (tx *Tx) InsertGroup(g *iam.Group) error {
	return tx.insert("group", g.Name, `INSERT INTO groups (id, account, name, name_fold, path, created)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
		int64(g.ID), int64(g.Account), g.Name, fold(g.Name), g.Path, micros(g.Created))
}

// GroupByID returns a group.
func (tx *Tx) GroupByID(a name.Account, id name.ID) (*iam.Group, error) {
	return get(tx, scanGroup, "group", id.String(),
		`SELECT `+groupColumns+` FROM groups g WHERE g.id = $1 AND g.account = $2`, int64(id), int64(a))
}

// GroupByName returns the group of a name, compared without case.
func (tx *Tx) GroupByName(a name.Account, group string) (*iam.Group, error) {
	return get(tx, scanGroup, "group", group,
		`SELECT `+groupColumns+` FROM groups g WHERE g.account = $1 AND g.name_fold = $2`, int64(a), fold(group))
}

// UpdateGroup sets a group's name and path. Exists when another group has the
// name.
func (tx *Tx) UpdateGroup(g *iam.Group) error {
	return tx.bump(g.Account, tx.rename("group", g.ID.String(), g.Name,
		`UPDATE groups SET name = $3, name_fold = $4, path = $5 WHERE id = $1 AND account = $2`,
		int64(g.ID), int64(g.Account), g.Name, fold(g.Name), g.Path))
}

// DeleteGroup removes a group. Conflict while it has members or policies.
func (tx *Tx) DeleteGroup(a name.Account, id name.ID) error {
	if err := tx.holdsNoPolicies(a, iam.KindGroup, id); err != nil {
		return err
	}
	if err := tx.forgetAttributes(id); err != nil {
		return err
	}
	return tx.bump(a, tx.change("group", id.String(), `DELETE FROM groups WHERE id = $1 AND account = $2`, int64(id), int64(a)))
}

// Groups lists groups by name without case; after is the last name of the page
// before.
func (tx *Tx) Groups(a name.Account, pathPrefix, after string, limit int) ([]iam.Group, error) {
	return list(tx, scanGroup, `SELECT `+groupColumns+` FROM groups g
		WHERE g.account = $1 AND g.name_fold > $2 AND `+inPath("g.path", "$3")+` ORDER BY g.name_fold LIMIT $4`,
		int64(a), fold(after), pathPrefix, limit)
}

// GroupCount counts an account's groups.
func (tx *Tx) GroupCount(a name.Account) (int, error) {
	return tx.count(`SELECT count(*) FROM groups WHERE account = $1`, int64(a))
}

// AddMember puts a user into a group and reports whether it was outside.
func (tx *Tx) AddMember(a name.Account, group, user name.ID) (changed bool, err error) {
	if err := tx.member(a, group, user); err != nil {
		return false, err
	}
	n, err := tx.exec(`INSERT INTO memberships (user_id, group_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, int64(user), int64(group))
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.BumpRevision(a)
}

// RemoveMember takes a user out of a group and reports whether it was inside.
func (tx *Tx) RemoveMember(a name.Account, group, user name.ID) (changed bool, err error) {
	if err := tx.member(a, group, user); err != nil {
		return false, err
	}
	n, err := tx.exec(`DELETE FROM memberships WHERE user_id = $1 AND group_id = $2`, int64(user), int64(group))
	if err != nil || n == 0 {
		return false, err
	}
	return true, tx.BumpRevision(a)
}

// member returns NotFound unless both belong to the account.
func (tx *Tx) member(a name.Account, group, user name.ID) error {
	if err := tx.owns(a, iam.KindGroup, group); err != nil {
		return err
	}
	return tx.owns(a, iam.KindUser, user)
}

// GroupsOf lists the groups that a user is in, as Groups does.
func (tx *Tx) GroupsOf(a name.Account, user name.ID, after string, limit int) ([]iam.Group, error) {
	return list(tx, scanGroup, `SELECT `+groupColumns+` FROM memberships m JOIN groups g ON g.id = m.group_id
		WHERE m.user_id = $1 AND g.account = $2 AND g.name_fold > $3 ORDER BY g.name_fold LIMIT $4`,
		int64(user), int64(a), fold(after), limit)
}

// GroupsOfCount counts the groups that a user is in.
func (tx *Tx) GroupsOfCount(a name.Account, user name.ID) (int, error) {
	return tx.count(`SELECT count(*) FROM memberships m JOIN groups g ON g.id = m.group_id
		WHERE m.user_id = $1 AND g.account = $2`, int64(user), int64(a))
}

// Members lists the users in a group, as Users does.
func (tx *Tx) Members(a name.Account, group name.ID, after string, limit int) ([]iam.User, error) {
	return list(tx, scanUser, `SELECT `+userColumns+` FROM memberships m JOIN users u ON u.id = m.user_id
		WHERE m.group_id = $1 AND u.account = $2 AND u.name_fold > $3 ORDER BY u.name_fold LIMIT $4`,
		int64(group), int64(a), fold(after), limit)
}

// MemberCount counts the users in a group.
func (tx *Tx) MemberCount(a name.Account, group name.ID) (int, error) {
	return tx.count(`SELECT count(*) FROM memberships m JOIN groups g ON g.id = m.group_id
		WHERE m.group_id = $1 AND g.account = $2`, int64(group), int64(a))
}
