package oci

import (
	"net/http"
	"regexp"

	"warifu/internal/name"
	"warifu/internal/ops"
)

type identityProvider struct {
	ID                 string            `json:"id"`
	CompartmentID      string            `json:"compartmentId"`
	Name               string            `json:"name"`
	Description        string            `json:"description"`
	ProductType        string            `json:"productType"`
	Protocol           string            `json:"protocol"`
	MetadataURL        string            `json:"metadataUrl"`
	Metadata           string            `json:"metadata"`
	RedirectURL        string            `json:"redirectUrl"`
	SigningCertificate string            `json:"signingCertificate"`
	FreeformAttributes map[string]string `json:"freeformAttributes"`
	TimeCreated        stamp             `json:"timeCreated"`
	LifecycleState     string            `json:"lifecycleState"`
	tags
}

func identityProviderOf(n *ops.OracleNoun) identityProvider {
	f := n.Fields()
	p := identityProvider{
		ID: n.ID.OCID(name.OCIIDP), CompartmentID: n.Account.Tenancy(), Name: n.Name, Description: n.Description, ProductType: f.Product,
		Protocol: saml2, FreeformAttributes: f.Attributes, TimeCreated: stamp(n.Created), LifecycleState: n.State, tags: tagsOf(n.Tags),
	}
	if f.At != nil {
		p.MetadataURL = *f.At
	}
	if f.Metadata != nil {
		p.Metadata = *f.Metadata
		p.RedirectURL, p.SigningCertificate = found(ssoLocation, p.Metadata), found(certificate, p.Metadata)
	}
	return p
}

// What Oracle shows of SAML metadata.
var (
	ssoLocation = regexp.MustCompile(`<(?:\w+:)?SingleSignOnService\b[^>]*\bLocation="([^"]*)"`)
	certificate = regexp.MustCompile(`<(?:\w+:)?X509Certificate>\s*([A-Za-z0-9+/=\s]*?)\s*</`)
)

// found is what a pattern finds first; "" if it finds nothing.
func found(r *regexp.Regexp, text string) string {
	if m := r.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// saml2 is the only protocol.
const saml2 = "SAML2"

func isSAML2(protocol string) error {
	if protocol != saml2 {
		return invalidParameter("protocol must be " + saml2)
	}
	return nil
}

type identityProvidersIn struct {
	Protocol       string `query:"protocol" required:"true"`
	CompartmentID  string `query:"compartmentId" required:"true"`
	Page           string `query:"page"`
	Limit          int    `query:"limit"`
	Name           string `query:"name"`
	SortBy         string `query:"sortBy"`
	SortOrder      string `query:"sortOrder"`
	LifecycleState string `query:"lifecycleState"`
}

// providerBody is what may change of an identity provider.
type providerBody struct {
	Protocol           string            `json:"protocol"`
	MetadataURL        *string           `json:"metadataUrl"`
	Metadata           *string           `json:"metadata"`
	FreeformAttributes map[string]string `json:"freeformAttributes"`
	described
}

type createIdentityProviderIn struct {
	Retry ops.Retry `retry:""`
	Body  struct {
		CompartmentID string `json:"compartmentId" required:"true"`
		Name          string `json:"name" required:"true"`
		ProductType   string `json:"productType" required:"true"`
		providerBody
	} `body:""`
}

type identityProviderIn struct {
	ID      string `path:"identityProviderId"`
	IfMatch string `header:"if-match"`
}

func (in *identityProviderIn) matching() (ops.Matching, error) {
	return matched(name.OCIIDP, in.ID, in.IfMatch)
}

type updateIdentityProviderIn struct {
	ID      string       `path:"identityProviderId"`
	IfMatch string       `header:"if-match"`
	Body    providerBody `body:""`
}

type groupMapping struct {
	ID             string `json:"id"`
	IDPID          string `json:"idpId"`
	IDPGroupName   string `json:"idpGroupName"`
	GroupID        string `json:"groupId"`
	CompartmentID  string `json:"compartmentId"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
}

func groupMappingOf(n *ops.OracleNoun) groupMapping {
	return groupMapping{
		n.ID.OCID(name.OCIIDPMapping), n.Parent.OCID(name.OCIIDP), n.Name, n.Fields().Group.OCID(name.OCIGroup), n.Account.Tenancy(), stamp(n.Created), n.State,
	}
}

type groupMappingsIn struct {
	ID    string `path:"identityProviderId"`
	Page  string `query:"page"`
	Limit int    `query:"limit"`
}

type createGroupMappingIn struct {
	Retry ops.Retry `retry:""`
	ID    string    `path:"identityProviderId"`
	Body  struct {
		IDPGroupName *string `json:"idpGroupName" required:"true"`
		GroupID      string  `json:"groupId" required:"true"`
	} `body:""`
}

type groupMappingIn struct {
	ID        string `path:"identityProviderId"`
	MappingID string `path:"mappingId"`
	IfMatch   string `header:"if-match"`
}

func (in *groupMappingIn) matching() (ops.Matching, error) {
	of, err := idOf(name.OCIIDP, in.ID)
	if err != nil {
		return ops.Matching{}, err
	}
	id, err := idOf(name.OCIIDPMapping, in.MappingID)
	return ops.Matching{ID: id, Of: of, IfMatch: in.IfMatch}, err
}

type updateGroupMappingIn struct {
	ID        string `path:"identityProviderId"`
	MappingID string `path:"mappingId"`
	IfMatch   string `header:"if-match"`
	Body      struct {
		IDPGroupName *string `json:"idpGroupName"`
		GroupID      string  `json:"groupId"`
	} `body:""`
}

func providerBindings() []binding {
	const all, one = "/identityProviders", "/identityProviders/{identityProviderId}"
	const mappings, mapping = one + "/groupMappings", one + "/groupMappings/{mappingId}"
	return []binding{
		bind("ListIdentityProviders", http.MethodGet, all, ops.ListIdentityProviders, func(in *identityProvidersIn) (ops.OracleListIn, error) {
			if err := isSAML2(in.Protocol); err != nil {
				return ops.OracleListIn{}, err
			}
			l, err := paging(in.Name, in.LifecycleState, in.SortBy, in.SortOrder, in.Limit, in.Page)
			return ops.OracleListIn{Compartment: in.CompartmentID, OracleList: l}, err
		}, nouns(identityProviderOf)),
		bind("CreateIdentityProvider", http.MethodPost, all, ops.CreateIdentityProvider, func(in *createIdentityProviderIn) (ops.OracleNounIn, error) {
			b := &in.Body
			f := ops.OracleFields{Product: b.ProductType, Metadata: b.Metadata, At: b.MetadataURL, Attributes: b.FreeformAttributes}
			return ops.OracleNounIn{Compartment: b.CompartmentID, Name: b.Name, Fields: f, Described: b.parts(), Retry: in.Retry}, isSAML2(b.Protocol)
		}, noun(identityProviderOf)),
		bind("GetIdentityProvider", http.MethodGet, one, ops.GetIdentityProvider, (*identityProviderIn).matching, noun(identityProviderOf)),
		bind("UpdateIdentityProvider", http.MethodPut, one, ops.UpdateIdentityProvider, func(in *updateIdentityProviderIn) (ops.OracleBodyIn, error) {
			b := &in.Body
			if err := isSAML2(b.Protocol); err != nil {
				return ops.OracleBodyIn{}, err
			}
			m, err := matched(name.OCIIDP, in.ID, in.IfMatch)
			f := ops.OracleFields{Metadata: b.Metadata, At: b.MetadataURL, Attributes: b.FreeformAttributes}
			return ops.OracleBodyIn{Matching: m, Fields: f, Described: b.parts()}, err
		}, noun(identityProviderOf)),
		bind("DeleteIdentityProvider", http.MethodDelete, one, ops.DeleteIdentityProvider, (*identityProviderIn).matching, nothing[struct{}]),

		bind("ListIdpGroupMappings", http.MethodGet, mappings, ops.ListIdpGroupMappings, func(in *groupMappingsIn) (ops.OracleListIn, error) {
			of, err := idOf(name.OCIIDP, in.ID)
			return ops.OracleListIn{Of: of, OracleList: ops.OracleList{Limit: in.Limit, Cursor: in.Page, ByName: true}}, err
		}, nouns(groupMappingOf)),
		bind("CreateIdpGroupMapping", http.MethodPost, mappings, ops.CreateIdpGroupMapping, func(in *createGroupMappingIn) (ops.OracleNounIn, error) {
			of, err := idOf(name.OCIIDP, in.ID)
			if err != nil {
				return ops.OracleNounIn{}, err
			}
			group, err := idOf(name.OCIGroup, in.Body.GroupID)
			return ops.OracleNounIn{Of: of, Fields: ops.OracleFields{Theirs: in.Body.IDPGroupName, Group: group}, Retry: in.Retry}, err
		}, noun(groupMappingOf)),
		bind("GetIdpGroupMapping", http.MethodGet, mapping, ops.GetIdpGroupMapping, (*groupMappingIn).matching, noun(groupMappingOf)),
		bind("UpdateIdpGroupMapping", http.MethodPut, mapping, ops.UpdateIdpGroupMapping, func(in *updateGroupMappingIn) (b ops.OracleBodyIn, err error) {
			if b.Matching, err = (&groupMappingIn{in.ID, in.MappingID, in.IfMatch}).matching(); err != nil {
				return b, err
			}
			b.Fields.Theirs = in.Body.IDPGroupName
			if in.Body.GroupID != "" {
				b.Fields.Group, err = idOf(name.OCIGroup, in.Body.GroupID)
			}
			return b, err
		}, noun(groupMappingOf)),
		bind("DeleteIdpGroupMapping", http.MethodDelete, mapping, ops.DeleteIdpGroupMapping, (*groupMappingIn).matching, nothing[struct{}]),
	}
}
