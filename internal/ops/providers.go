package ops

import (
	"errors"
	"slices"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/federation"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
)

// Operations on identity providers. Those of both kinds are alike but for what they
// set, and are made by the same functions.

// ProviderIn names an identity provider and what is set of it; what is nil stays, or
// is empty in a new one.
type ProviderIn struct {
	Name        string
	Description *string

	Metadata, Algorithm *string // SAML: XML

	Issuer                  string   // OpenID Connect: of a new one
	ClientIDs, Fingerprints []string // nil stays
	Client, Fingerprint     string   // one to add or remove
	IssuedWithin            *int
}

func (in ProviderIn) record() audit.Fields {
	f := audit.Fields{"name": clipped(in.Name), "issuerUrl": clipped(in.Issuer), "clientId": clipped(in.Client), "fingerprint": clipped(in.Fingerprint)}
	if in.ClientIDs != nil {
		f["clientIds"] = clipped(strings.Join(in.ClientIDs, ","))
	}
	if in.Fingerprints != nil {
		f["fingerprints"] = clipped(strings.Join(in.Fingerprints, ","))
	}
	return f
}

// providerOp makes an operation on one provider.
func providerOp(called, aws string, kind iam.ProviderKind, mode Mode, do func(*Env, ProviderIn) (*iam.IdentityProvider, error)) Op[ProviderIn, *iam.IdentityProvider] {
	op := Op[ProviderIn, *iam.IdentityProvider]{
		Name: called, Grants: Names{AWS: "iam:" + aws, RAM: "ram:" + called}, Mode: mode,
		Target: func(env *Env, in ProviderIn) (Target, error) { return env.providerTarget(kind, in) },
		Record: ProviderIn.record, Do: do,
	}
	if mode == Write {
		op.Needs = freshly // whoever changes a provider may become whoever it vouches for
	}
	return op
}

// The operations.
//
// Errors: NotFound, Exists with the nouns "saml provider" and "oidc provider";
// Invalid; Limit.
var (
	CreateSAMLProvider = providerOp("CreateSAMLProvider", "CreateSAMLProvider", iam.ProviderSAML, Write, creatingProvider(iam.ProviderSAML))
	GetSAMLProvider    = providerOp("GetSAMLProvider", "GetSAMLProvider", iam.ProviderSAML, Read, gettingProvider(iam.ProviderSAML))
	UpdateSAMLProvider = providerOp("UpdateSAMLProvider", "UpdateSAMLProvider", iam.ProviderSAML, Write, changingProvider(iam.ProviderSAML, (*ProviderIn).apply))
	DeleteSAMLProvider = providerOp("DeleteSAMLProvider", "DeleteSAMLProvider", iam.ProviderSAML, Write, deletingProvider(iam.ProviderSAML))
	ListSAMLProviders  = listingProviders("ListSAMLProviders", "ListSAMLProviders", iam.ProviderSAML)

	CreateOIDCProvider = providerOp("CreateOIDCProvider", "CreateOpenIDConnectProvider", iam.ProviderOIDC, Write, creatingProvider(iam.ProviderOIDC))
	GetOIDCProvider    = providerOp("GetOIDCProvider", "GetOpenIDConnectProvider", iam.ProviderOIDC, Read, gettingProvider(iam.ProviderOIDC))
	UpdateOIDCProvider = providerOp("UpdateOIDCProvider", "UpdateOpenIDConnectProviderThumbprint", iam.ProviderOIDC, Write, changingProvider(iam.ProviderOIDC, (*ProviderIn).apply))
	DeleteOIDCProvider = providerOp("DeleteOIDCProvider", "DeleteOpenIDConnectProvider", iam.ProviderOIDC, Write, deletingProvider(iam.ProviderOIDC))
	ListOIDCProviders  = listingProviders("ListOIDCProviders", "ListOpenIDConnectProviders", iam.ProviderOIDC)

	AddClientIDToOIDCProvider = providerOp("AddClientIdToOIDCProvider", "AddClientIDToOpenIDConnectProvider", iam.ProviderOIDC, Write,
		changingProvider(iam.ProviderOIDC, func(in *ProviderIn, p *iam.IdentityProvider) error {
			p.OIDC.ClientIDs = with(p.OIDC.ClientIDs, in.Client)
			return nil
		}))
	RemoveClientIDFromOIDCProvider = providerOp("RemoveClientIdFromOIDCProvider", "RemoveClientIDFromOpenIDConnectProvider", iam.ProviderOIDC, Write,
		changingProvider(iam.ProviderOIDC, func(in *ProviderIn, p *iam.IdentityProvider) error {
			return without(&p.OIDC.ClientIDs, "client id", in.Client)
		}))
	AddFingerprintToOIDCProvider = providerOp("AddFingerprintToOIDCProvider", "UpdateOpenIDConnectProviderThumbprint", iam.ProviderOIDC, Write,
		changingProvider(iam.ProviderOIDC, func(in *ProviderIn, p *iam.IdentityProvider) error {
			p.OIDC.Fingerprints = with(p.OIDC.Fingerprints, strings.ToLower(in.Fingerprint))
			return nil
		}))
	RemoveFingerprintFromOIDCProvider = providerOp("RemoveFingerprintFromOIDCProvider", "UpdateOpenIDConnectProviderThumbprint", iam.ProviderOIDC, Write,
		changingProvider(iam.ProviderOIDC, func(in *ProviderIn, p *iam.IdentityProvider) error {
			return without(&p.OIDC.Fingerprints, "fingerprint", strings.ToLower(in.Fingerprint))
		}))
)

func with(list []string, one string) []string {
	if slices.Contains(list, one) {
		return list
	}
	return append(list, one)
}

func without(list *[]string, noun, one string) error {
	i := slices.Index(*list, one)
	if i < 0 {
		return fault.Of(fault.NotFound, noun, one)
	}
	*list = slices.Delete(*list, i, i+1)
	return nil
}

// providerTarget is the provider that is meant, or one of the name that was given.
func (env *Env) providerTarget(kind iam.ProviderKind, in ProviderIn) (Target, error) {
	a := env.Call.Caller.Account
	p, err := env.Tx.Provider(a, kind, in.Name)
	if fault.Is(err, fault.NotFound) {
		p, err = &iam.IdentityProvider{Account: a, Kind: kind, Name: in.Name, OIDC: iam.OIDCSettings{Issuer: in.Issuer}}, nil
		if kind == iam.ProviderOIDC && in.Issuer == "" {
			p.OIDC.Issuer = in.Name
		}
	}
	if err != nil {
		return Target{}, err
	}
	return Target{Noun: string(kind) + " provider", Name: p.Name, ID: p.ID, Resources: []string{p.ARN()}, ACS: p.ACS()}, nil
}

// apply sets what is given.
func (in *ProviderIn) apply(p *iam.IdentityProvider) error {
	set(&p.Description, in.Description)
	set(&p.SAML.Metadata, in.Metadata)
	set(&p.SAML.Algorithm, in.Algorithm)
	set(&p.OIDC.IssuedWithin, in.IssuedWithin)
	if in.ClientIDs != nil {
		p.OIDC.ClientIDs = in.ClientIDs
	}
	if in.Fingerprints != nil {
		p.OIDC.Fingerprints = nil
		for _, f := range in.Fingerprints {
			p.OIDC.Fingerprints = append(p.OIDC.Fingerprints, strings.ToLower(f))
		}
	}
	return nil
}

// checkProvider refuses what no provider may be.
func checkProvider(p *iam.IdentityProvider) error {
	if err := iam.CheckName("name", p.Name, iam.MaxName); err != nil {
		return err
	}
	if err := checkDescription(p.Description); err != nil {
		return err
	}
	if p.Kind == iam.ProviderOIDC {
		return p.OIDC.Check()
	}
	switch p.SAML.Algorithm {
	case "", "rsa-sha1", "rsa-sha256":
	default:
		return fault.Field("authnSignAlgo", "authnSignAlgo must be rsa-sha1 or rsa-sha256")
	}
	if len(p.SAML.Metadata) > iam.MaxSAMLMetadata {
		return limited("SAMLMetadataSize", iam.MaxSAMLMetadata)
	}
	_, err := federation.ParseMetadata(p.SAML.Metadata)
	return err
}

func creatingProvider(kind iam.ProviderKind) func(*Env, ProviderIn) (*iam.IdentityProvider, error) {
	return func(env *Env, in ProviderIn) (*iam.IdentityProvider, error) {
		p := &iam.IdentityProvider{Account: env.Call.Caller.Account, Kind: kind, Name: in.Name, Created: env.Now, Updated: env.Now}
		if kind == iam.ProviderOIDC {
			p.OIDC = iam.OIDCSettings{Issuer: in.Issuer, IssuedWithin: iam.DefaultWithin}
		}
		if err := in.apply(p); err != nil {
			return nil, err
		}
		if err := checkProvider(p); err != nil {
			return nil, err
		}
		err := env.quota(string(kind)+" providers", iam.MaxProviders, func(a name.Account) (int, error) { return env.Tx.ProviderCount(a, kind) })
		if err != nil {
			return nil, err
		}
		if p.ID, err = name.NewID(env.rand); err != nil {
			return nil, fault.Wrap(err, "create an identity provider")
		}
		return p, env.Tx.InsertProvider(p)
	}
}

func gettingProvider(kind iam.ProviderKind) func(*Env, ProviderIn) (*iam.IdentityProvider, error) {
	return func(env *Env, in ProviderIn) (*iam.IdentityProvider, error) {
		return env.Tx.Provider(env.Call.Caller.Account, kind, in.Name)
	}
}

func changingProvider(kind iam.ProviderKind, change func(*ProviderIn, *iam.IdentityProvider) error) func(*Env, ProviderIn) (*iam.IdentityProvider, error) {
	return func(env *Env, in ProviderIn) (*iam.IdentityProvider, error) {
		p, err := env.Tx.Provider(env.Call.Caller.Account, kind, in.Name)
		if err != nil {
			return nil, err
		}
		if err := change(&in, p); err != nil {
			return nil, err
		}
		if err := checkProvider(p); err != nil {
			return nil, err
		}
		p.Updated = env.Now
		return p, env.Tx.UpdateProvider(p)
	}
}

func deletingProvider(kind iam.ProviderKind) func(*Env, ProviderIn) (*iam.IdentityProvider, error) {
	return func(env *Env, in ProviderIn) (*iam.IdentityProvider, error) {
		p, err := env.Tx.Provider(env.Call.Caller.Account, kind, in.Name)
		if err != nil {
			return nil, err
		}
		return p, env.Tx.DeleteProvider(p.Account, p.ID)
	}
}

func listingProviders(called, aws string, kind iam.ProviderKind) Op[Listing, page.Page[iam.IdentityProvider]] {
	return Op[Listing, page.Page[iam.IdentityProvider]]{
		Name: called, Grants: Names{AWS: "iam:" + aws, RAM: "ram:" + called},
		Target: func(env *Env, _ Listing) (Target, error) {
			a := env.Call.Caller.Account
			return Target{Noun: string(kind) + " providers", Resources: []string{name.ProviderARN(a, string(kind), "*")}}, nil
		},
		Do: func(env *Env, in Listing) (page.Page[iam.IdentityProvider], error) {
			return paged(env, called, nil, in, func(after string, limit int) ([]iam.IdentityProvider, error) {
				return env.Tx.Providers(env.Call.Caller.Account, kind, after, limit)
			}, func(p iam.IdentityProvider) string { return p.Name })
		},
	}
}

// providerByARN reads a provider of any account by its name in either cloud.
func (env *Env) providerByARN(kind iam.ProviderKind, arn string) (*iam.IdentityProvider, error) {
	missing := fault.Of(fault.NotFound, string(kind)+" provider", arn)
	a, called, byIssuer, ok := name.SplitProvider(arn, string(kind))
	if !ok {
		return nil, missing
	}
	if !byIssuer {
		p, err := env.Tx.Provider(a, kind, called)
		if fault.Is(err, fault.NotFound) {
			err = missing
		}
		return p, err
	}
	all, err := env.Tx.Providers(a, kind, "", iam.MaxProviders)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].ARN() == arn {
			return &all[i], nil
		}
	}
	return nil, missing
}

var errNoFetch = errors.New("no way to fetch the keys of identity providers is configured")
