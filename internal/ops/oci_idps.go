package ops

import (
	"slices"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
)

// Identity providers and their groups are kept, so that what manages them does so here,
// too. Nobody signs in through them.

// maxMetadata is the longest SAML metadata, in bytes.
const maxMetadata = 256 << 10

var identityProviders = &namedKind{
	kind: iam.OracleIDP, quota: "IdentityProviders", limit: func(l *OracleLimits) int { return l.IdentityProviders },
	ops: [5]string{"CreateIdentityProvider", "GetIdentityProvider", "ListIdentityProviders", "UpdateIdentityProvider", "DeleteIdentityProvider"},
	body: func(_ *Env, n *iam.OracleNoun, in *OracleBodyIn) (err error) {
		f := in.Fields.over(fieldsOf(n))
		switch {
		case !slices.Contains([]string{"IDCS", "ADFS"}, f.Product):
			return fault.Field("productType", "productType must be IDCS or ADFS")
		case f.Metadata == nil || *f.Metadata == "" || len(*f.Metadata) > maxMetadata:
			return fault.Field("metadata", "metadata must have 1 to %d bytes", maxMetadata)
		case f.At == nil || *f.At == "" || len(*f.At) > 2_000:
			return fault.Field("metadataUrl", "metadataUrl must have 1 to 2000 characters")
		}
		n.Body, err = bodyOf(f)
		return err
	},
	leave: func(env *Env, n *iam.OracleNoun) error {
		mapped, err := env.Tx.OracleChildCount(n.Account, n.ID)
		if err == nil && mapped > 0 {
			err = fault.Of(fault.Conflict, "state", "the identity provider still has group mappings")
		}
		return err
	},
}

var idpMappings = &namedKind{
	kind: iam.OracleIDPMapping, part: identityProviders, nameless: true,
	ops: [5]string{"CreateIdpGroupMapping", "GetIdpGroupMapping", "ListIdpGroupMappings", "UpdateIdpGroupMapping", "DeleteIdpGroupMapping"},
	body: func(env *Env, n *iam.OracleNoun, in *OracleBodyIn) (err error) {
		f := in.Fields.over(fieldsOf(n))
		if f.Theirs == nil || *f.Theirs == "" || len(*f.Theirs) > maxOracleName {
			return fault.Field("idpGroupName", "idpGroupName must have 1 to %d characters", maxOracleName)
		}
		if _, err := env.Tx.GroupByID(n.Account, f.Group); err != nil {
			return err
		}
		if n.Body == "" {
			others, err := env.Tx.OracleChildCount(n.Account, n.Parent)
			if err != nil {
				return err
			}
			if most := env.oracleLimits.GroupMappings; most > 0 && others >= most {
				return limited("GroupMappings", most)
			}
		}
		n.Name, n.Slot = *f.Theirs, compartmentSlot(n.Parent, f.Group.String()+" "+*f.Theirs)
		n.Body, err = bodyOf(f)
		return err
	},
}

// The operations on identity providers and their groups.
var (
	CreateIdentityProvider, GetIdentityProvider, ListIdentityProviders, UpdateIdentityProvider, DeleteIdentityProvider = identityProviders.all()
	CreateIdpGroupMapping, GetIdpGroupMapping, ListIdpGroupMappings, UpdateIdpGroupMapping, DeleteIdpGroupMapping      = idpMappings.all()
)

// OracleSubscribeIn is the input of CreateRegionSubscription.
type OracleSubscribeIn struct {
	Tenancy string
	Key     string // of the region
	Only    string // the region that there is
}

// CreateRegionSubscription subscribes to another region, of which there is none.
//
// Errors: NotFound tenancy; Exists for the region that there is; Invalid for others.
var CreateRegionSubscription = Op[OracleSubscribeIn, struct{}]{
	Name:   "CreateRegionSubscription",
	Grants: Names{AWS: "warifu:CreateRegionSubscription", OCI: "CreateRegionSubscription"},
	Mode:   Write,
	Needs:  recently,
	Target: func(*Env, OracleSubscribeIn) (Target, error) { return Target{Noun: "tenancy"}, nil },
	Record: func(in OracleSubscribeIn) audit.Fields { return audit.Fields{"regionKey": clipped(in.Key)} },
	Do: func(env *Env, in OracleSubscribeIn) (none struct{}, err error) {
		if err := env.inRoot(in.Tenancy); err != nil {
			return none, fault.Of(fault.NotFound, "tenancy", in.Tenancy)
		}
		if in.Key == in.Only {
			return none, fault.Of(fault.Exists, "region subscription", in.Key)
		}
		return none, fault.Field("regionKey", "regionKey names no region: there is %s alone", in.Only)
	},
}
