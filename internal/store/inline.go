package store

import (
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/policy/jsonc"
)

const inlineColumns = `principal, name, language, document`

func scanInline(r row, p *iam.InlinePolicy) error {
	return r.Scan((*int64)(&p.Principal), &p.Name, (*string)(&p.Language), &p.Document)
}

// PutInline adds an inline policy to a principal, or replaces the one of the
// same name. Names of inline policies are compared with case.
func (tx *Tx) PutInline(a name.Account, kind iam.PrincipalKind, p *iam.InlinePolicy) error {
	if err := tx.owns(a, kind, p.Principal); err != nil {
		return err
	}
	_, err := tx.exec(`INSERT INTO inline_policies (principal, name, kind, account, language, document) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (principal, name) DO UPDATE SET language = excluded.language, document = excluded.document`,
		int64(p.Principal), p.Name, string(kind), int64(a), string(p.Language), p.Document)
	return tx.bump(a, err)
}

// Inline returns one inline policy of a principal.
func (tx *Tx) Inline(a name.Account, kind iam.PrincipalKind, principal name.ID, policy string) (*iam.InlinePolicy, error) {
	return get(tx, scanInline, "inline policy", policy, `SELECT `+inlineColumns+` FROM inline_policies
		WHERE principal = $1 AND name = $2 AND kind = $3 AND account = $4`, int64(principal), policy, string(kind), int64(a))
}

// InlineNames lists the names of a principal's inline policies in byte order.
func (tx *Tx) InlineNames(a name.Account, kind iam.PrincipalKind, principal name.ID, after string, limit int) ([]string, error) {
	return list(tx, func(r row, s *string) error { return r.Scan(s) }, `SELECT name FROM inline_policies
		WHERE principal = $1 AND kind = $2 AND account = $3 AND name > $4 ORDER BY name LIMIT $5`,
		int64(principal), string(kind), int64(a), after, limit)
}

// Inlines returns all inline policies of a principal in byte order of names.
func (tx *Tx) Inlines(a name.Account, kind iam.PrincipalKind, principal name.ID) ([]iam.InlinePolicy, error) {
	return list(tx, scanInline, `SELECT `+inlineColumns+` FROM inline_policies
		WHERE principal = $1 AND kind = $2 AND account = $3 ORDER BY name`, int64(principal), string(kind), int64(a))
}

// DeleteInline removes an inline policy.
func (tx *Tx) DeleteInline(a name.Account, kind iam.PrincipalKind, principal name.ID, policy string) error {
	return tx.bump(a, tx.change("inline policy", policy, `DELETE FROM inline_policies
		WHERE principal = $1 AND name = $2 AND kind = $3 AND account = $4`, int64(principal), policy, string(kind), int64(a)))
}

// InlineSize returns the length of all inline policies of a principal together,
// in characters without white space and comments, leaving out the one named.
func (tx *Tx) InlineSize(a name.Account, kind iam.PrincipalKind, principal name.ID, except string) (int, error) {
	all, err := tx.Inlines(a, kind, principal)
	n := 0
	for _, p := range all {
		if p.Name == except {
			continue
		}
		plain, err := jsonc.Strip([]byte(p.Document))
		if err != nil {
			return 0, fault.Wrap(err, "stored inline policy "+p.Name+" is not valid")
		}
		n += sizeWithoutSpace(string(plain))
	}
	return n, err
}

func sizeWithoutSpace(s string) (n int) {
	for _, r := range s {
		if !strings.ContainsRune(" \t\r\n", r) {
			n++
		}
	}
	return n
}
