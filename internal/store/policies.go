package store

import (
	"slices"
	"strconv"
	"time"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

// Account 0 owns AWS's managed policies, which exist from the start; Alibaba
// Cloud's belong to name.AlibabaVendor, which is -1 in the queries. Every account
// sees them; only SyncVendorPolicies writes them.

const policyColumns = `p.id, p.account, p.language, p.name, p.path, p.description, p.default_version, p.latest,
	p.created, p.updated, p.tags`

func policyFields(p *iam.Policy) []any {
	return []any{(*int64)(&p.ID), (*int64)(&p.Account), (*string)(&p.Language), &p.Name, &p.Path, &p.Description, &p.Default, &p.Latest,
		stamp{&p.Created}, stamp{&p.Updated}, tagList{&p.Tags}}
}

func scanPolicy(r row, p *iam.Policy) error { return r.Scan(policyFields(p)...) }

// InsertPolicy adds a managed policy with its first text, which becomes version
// p.Default and p.Latest: number 1.
func (tx *Tx) InsertPolicy(p *iam.Policy, document string) error {
	p.Default = max(p.Default, 1) // the vendor numbers its own
	p.Latest = p.Default
	err := tx.insert("policy", p.Name, `INSERT INTO policies
		(id, account, language, name, name_fold, path, description, default_version, latest, created, updated, tags)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
		int64(p.ID), int64(p.Account), string(p.Language), p.Name, fold(p.Name), p.Path, p.Description, p.Default, p.Latest,
		micros(p.Created), micros(p.Updated), tagText(p.Tags))
	if err != nil {
		return err
	}
	return tx.insertVersion(&iam.PolicyVersion{Policy: p.ID, Number: p.Default, Document: document, Created: p.Created})
}

func (tx *Tx) insertVersion(v *iam.PolicyVersion) error {
	return tx.insert("policy version", versionName(v.Number),
		`INSERT INTO policy_versions (policy, number, document, created) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		int64(v.Policy), v.Number, v.Document, micros(v.Created))
}

func versionName(number int) string { return "v" + strconv.Itoa(number) }

// PolicyByID returns a policy of the account or of the vendor.
func (tx *Tx) PolicyByID(a name.Account, id name.ID) (*iam.Policy, error) {
	return get(tx, scanPolicy, "policy", id.String(),
		`SELECT `+policyColumns+` FROM policies p WHERE p.id = $1 AND p.account IN ($2, 0, -1)`, int64(id), int64(a))
}

// PolicyByPathName returns the policy that an ARN names: its owner, path and
// name, the name compared without case.
func (tx *Tx) PolicyByPathName(owner name.Account, path, policy string) (*iam.Policy, error) {
	return get(tx, scanPolicy, "policy", policy,
		`SELECT `+policyColumns+` FROM policies p WHERE p.account = $1 AND p.name_fold = $2 AND p.path = $3`, int64(owner), fold(policy), path)
}

// PolicyByName returns the policy of a name, compared without case, whatever
// its path.
func (tx *Tx) PolicyByName(owner name.Account, policy string) (*iam.Policy, error) {
	return get(tx, scanPolicy, "policy", policy,
		`SELECT `+policyColumns+` FROM policies p WHERE p.account = $1 AND p.name_fold = $2`, int64(owner), fold(policy))
}

// UpdatePolicy sets a policy's description, tags and time of change. Its texts
// and its default have methods of their own; its name and path never change.
func (tx *Tx) UpdatePolicy(p *iam.Policy) error {
	return tx.change("policy", p.ID.String(),
		`UPDATE policies SET description = $3, tags = $4, updated = $5 WHERE id = $1 AND account = $2`,
		int64(p.ID), int64(p.Account), p.Description, tagText(p.Tags), micros(p.Updated))
}

// DeletePolicy removes a policy and its versions. Conflict while it is attached
// or bounds somebody.
func (tx *Tx) DeletePolicy(a name.Account, id name.ID) error {
	attached, bounding, err := tx.PolicyUses(a, id)
	if err != nil {
		return err
	}
	if attached+bounding > 0 {
		return fault.Of(fault.Conflict, "policy", id.String())
	}
	return tx.bump(a, tx.change("policy", id.String(), `DELETE FROM policies WHERE id = $1 AND account = $2`, int64(id), int64(a)))
}

// How often account $1 uses policy p. Foreign keys are what keeps the rows of
// others out of a policy's way, hence the account.
const (
	attachedTimes = `((SELECT count(*) FROM attachments a WHERE a.policy = p.id AND a.account = $1)
		+ (SELECT count(*) FROM scoped_attachments a WHERE a.policy = p.id AND a.account = $1))`
	boundingTimes = `((SELECT count(*) FROM users u WHERE u.boundary = p.id AND u.account = $1)
		+ (SELECT count(*) FROM roles r WHERE r.boundary = p.id AND r.account = $1))`
)

// Policies lists managed policies, as one account sees and uses them, by name
// without case and then id.
func (tx *Tx) Policies(f PolicyFilter) ([]PolicyUse, error) {
	query := `SELECT ` + policyColumns + `, ` + attachedTimes + `, ` + boundingTimes + ` FROM policies p
		WHERE (p.name_fold, p.id) > ($2, $3) AND ` + inPath("p.path", "$4")
	switch f.Scope {
	case ScopeOwn:
		query += ` AND p.account = $1`
	case ScopeVendor:
		query += ` AND p.account = 0`
	case ScopeRAM:
		query += ` AND p.account IN ($1, -1)`
	case ScopeAlibaba:
		query += ` AND p.account = -1`
	default:
		query += ` AND p.account IN ($1, 0)`
	}
	if f.OnlyAttached || f.Usage == UsagePermissions {
		query += ` AND ` + attachedTimes + ` > 0`
	}
	if f.Usage == UsageBoundary {
		query += ` AND ` + boundingTimes + ` > 0`
	}
	query += ` AND ` + contains("p.name_fold", "$6")
	return list(tx, func(r row, p *PolicyUse) error {
		return r.Scan(append(policyFields(&p.Policy), &p.Attached, &p.Bounding)...)
	}, query+` ORDER BY p.name_fold, p.id LIMIT $5`, int64(f.Account), fold(f.After.Name), int64(f.After.ID), f.PathPrefix, f.Limit, fold(f.Search))
}

// PolicyUses returns how many of an account's users, groups and roles a policy
// is attached to, and how many of its users and roles it bounds.
func (tx *Tx) PolicyUses(a name.Account, id name.ID) (attached, bounding int, err error) {
	found, err := tx.one(`SELECT `+attachedTimes+`, `+boundingTimes+` FROM policies p WHERE p.id = $2 AND p.account IN ($1, 0, -1)`,
		[]any{int64(a), int64(id)}, &attached, &bounding)
	if err == nil && !found {
		err = fault.Of(fault.NotFound, "policy", id.String())
	}
	return attached, bounding, err
}

// PolicyCount counts the policies of an owner.
func (tx *Tx) PolicyCount(owner name.Account) (int, error) {
	return tx.count(`SELECT count(*) FROM policies WHERE account = $1`, int64(owner))
}

// InsertVersion adds a text to a policy of the account. It sets v.Number to the
// next number, which is never one that was given before. The default stays.
func (tx *Tx) InsertVersion(a name.Account, v *iam.PolicyVersion) error {
	found, err := tx.one(`UPDATE policies SET latest = latest + 1, updated = $3 WHERE id = $1 AND account = $2 RETURNING latest`,
		[]any{int64(v.Policy), int64(a), micros(v.Created)}, &v.Number)
	if err == nil && !found {
		err = fault.Of(fault.NotFound, "policy", v.Policy.String())
	}
	if err != nil {
		return err
	}
	return tx.insertVersion(v)
}

const versionColumns = `v.policy, v.number, v.document, v.created`

func scanVersion(r row, v *iam.PolicyVersion) error {
	return r.Scan((*int64)(&v.Policy), &v.Number, &v.Document, stamp{&v.Created})
}

// Version returns one text of a policy of the account or of the vendor.
func (tx *Tx) Version(a name.Account, policy name.ID, number int) (*iam.PolicyVersion, error) {
	return get(tx, scanVersion, "policy version", versionName(number),
		`SELECT `+versionColumns+` FROM policy_versions v JOIN policies p ON p.id = v.policy
		WHERE v.policy = $1 AND v.number = $2 AND p.account IN ($3, 0, -1)`, int64(policy), number, int64(a))
}

// Versions lists the texts of a policy, newest first; after is the last number
// of the page before, 0 for the first page.
func (tx *Tx) Versions(a name.Account, policy name.ID, after, limit int) ([]iam.PolicyVersion, error) {
	return list(tx, scanVersion, `SELECT `+versionColumns+` FROM policy_versions v JOIN policies p ON p.id = v.policy
		WHERE v.policy = $1 AND p.account IN ($2, 0, -1) AND ($3 = 0 OR v.number < $3) ORDER BY v.number DESC LIMIT $4`,
		int64(policy), int64(a), int64(after), limit)
}

// VersionCount counts the texts of a policy.
func (tx *Tx) VersionCount(a name.Account, policy name.ID) (int, error) {
	return tx.count(`SELECT count(*) FROM policy_versions v JOIN policies p ON p.id = v.policy
		WHERE v.policy = $1 AND p.account IN ($2, 0, -1)`, int64(policy), int64(a))
}

// SetDefaultVersion puts another text of a policy in force.
func (tx *Tx) SetDefaultVersion(a name.Account, policy name.ID, number int, at time.Time) error {
	return tx.bump(a, tx.change("policy version", versionName(number), `UPDATE policies SET default_version = $3, updated = $4
		WHERE id = $1 AND account = $2 AND EXISTS (SELECT 1 FROM policy_versions v WHERE v.policy = $1 AND v.number = $3)`,
		int64(policy), int64(a), int64(number), micros(at)))
}

// DeleteVersion removes a text that is not in force. Conflict when it is.
func (tx *Tx) DeleteVersion(a name.Account, policy name.ID, number int) error {
	p, err := tx.PolicyByID(a, policy)
	if err != nil {
		return err
	}
	if p.Account != a {
		return fault.Of(fault.NotFound, "policy", policy.String())
	}
	if p.Default == number {
		return fault.Of(fault.Conflict, "policy version", versionName(number))
	}
	return tx.change("policy version", versionName(number),
		`DELETE FROM policy_versions WHERE policy = $1 AND number = $2`, int64(policy), int64(number))
}

// SyncVendorPolicies makes the vendor's policies those of the list: new ones
// are added, a changed text becomes a new version in force, descriptions
// follow. A policy that is not in the list stays, for it may be attached. When
// anything changed, every account's revision is raised.
func (tx *Tx) SyncVendorPolicies(wanted []VendorPolicy) error {
	changed := false
	for i := range wanted {
		c, err := tx.syncVendorPolicy(&wanted[i])
		if err != nil {
			return err
		}
		changed = changed || c
	}
	if !changed {
		return nil
	}
	_, err := tx.exec(`UPDATE accounts SET revision = revision + 1`)
	return err
}

func (tx *Tx) syncVendorPolicy(w *VendorPolicy) (changed bool, err error) {
	if !w.Account.Vendor() {
		return false, fault.New(fault.Internal, "store: policy %s is not the vendor's", w.Name)
	}
	old, err := tx.PolicyByID(w.Account, w.ID)
	if fault.Is(err, fault.NotFound) {
		p := w.Policy
		return true, tx.InsertPolicy(&p, w.Document)
	}
	if err != nil {
		return false, err
	}
	if old.Description != w.Description || !slices.Equal(old.Tags, w.Tags) {
		p := w.Policy
		if err := tx.UpdatePolicy(&p); err != nil {
			return false, err
		}
	}
	text, err := tx.Version(w.Account, w.ID, old.Default)
	if err != nil || text.Document == w.Document {
		return false, err
	}
	v := iam.PolicyVersion{Policy: w.ID, Document: w.Document, Created: w.Updated}
	if err := tx.InsertVersion(w.Account, &v); err != nil {
		return false, err
	}
	_, err = tx.exec(`UPDATE policies SET default_version = $2 WHERE id = $1`, int64(w.ID), v.Number)
	return true, err
}
