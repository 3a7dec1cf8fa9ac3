package store

import (
	"encoding/json"
	"fmt"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
)

const providerColumns = `id, account, kind, name, description, body, created, updated`

// providerBody is what of a provider is its kind's own.
type providerBody struct {
	SAML iam.SAMLSettings `json:"saml,omitzero"`
	OIDC iam.OIDCSettings `json:"oidc,omitzero"`
}

func providerText(p *iam.IdentityProvider) (string, error) {
	b, err := json.Marshal(providerBody{p.SAML, p.OIDC})
	if err != nil {
		return "", fault.Wrap(err, "store an identity provider")
	}
	return string(b), nil
}

func scanProvider(r row, p *iam.IdentityProvider) error {
	var text string
	err := r.Scan((*int64)(&p.ID), (*int64)(&p.Account), (*string)(&p.Kind), &p.Name, &p.Description, &text, stamp{&p.Created}, stamp{&p.Updated})
	if err != nil {
		return err
	}
	var body providerBody
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return fmt.Errorf("a stored identity provider: %w", err)
	}
	p.SAML, p.OIDC = body.SAML, body.OIDC
	return nil
}

func providerNoun(kind iam.ProviderKind) string { return string(kind) + " provider" }

// InsertProvider adds an identity provider. Exists when another of its kind has the
// name, compared without case.
func (tx *Tx) InsertProvider(p *iam.IdentityProvider) error {
	body, err := providerText(p)
	if err != nil {
		return err
	}
	return tx.insert(providerNoun(p.Kind), p.Name, `INSERT INTO identity_providers
		(id, account, kind, name, name_fold, description, body, created, updated) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		int64(p.ID), int64(p.Account), string(p.Kind), p.Name, fold(p.Name), p.Description, body, micros(p.Created), micros(p.Updated))
}

// Provider returns the identity provider of a name.
func (tx *Tx) Provider(a name.Account, kind iam.ProviderKind, called string) (*iam.IdentityProvider, error) {
	return get(tx, scanProvider, providerNoun(kind), called, `SELECT `+providerColumns+` FROM identity_providers
		WHERE account = $1 AND kind = $2 AND name_fold = $3`, int64(a), string(kind), fold(called))
}

// Providers lists identity providers of a kind by name without case.
func (tx *Tx) Providers(a name.Account, kind iam.ProviderKind, after string, limit int) ([]iam.IdentityProvider, error) {
	return list(tx, scanProvider, `SELECT `+providerColumns+` FROM identity_providers
		WHERE account = $1 AND kind = $2 AND name_fold > $3 ORDER BY name_fold LIMIT $4`, int64(a), string(kind), fold(after), limit)
}

// ProviderCount counts an account's identity providers of a kind.
func (tx *Tx) ProviderCount(a name.Account, kind iam.ProviderKind) (int, error) {
	return tx.count(`SELECT count(*) FROM identity_providers WHERE account = $1 AND kind = $2`, int64(a), string(kind))
}

// UpdateProvider sets all of a provider but its name.
func (tx *Tx) UpdateProvider(p *iam.IdentityProvider) error {
	body, err := providerText(p)
	if err != nil {
		return err
	}
	return tx.change(providerNoun(p.Kind), p.Name, `UPDATE identity_providers SET description = $3, body = $4, updated = $5
		WHERE id = $1 AND account = $2`, int64(p.ID), int64(p.Account), p.Description, body, micros(p.Updated))
}

// DeleteProvider removes an identity provider.
func (tx *Tx) DeleteProvider(a name.Account, id name.ID) error {
	return tx.change("provider", id.String(), `DELETE FROM identity_providers WHERE id = $1 AND account = $2`, int64(id), int64(a))
}
