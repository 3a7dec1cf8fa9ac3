package alibaba

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

func imsProviders() []action {
	of := serviceIMS
	all := []action{
		bind(of, "CreateSAMLProvider", ops.CreateSAMLProvider, (*createSAMLInput).in, samlAnswer),
		bind(of, "GetSAMLProvider", ops.GetSAMLProvider, (*samlName).in, func(_ *scene, p *iam.IdentityProvider) wholeSAMLOutput {
			return wholeSAMLOutput{wholeSAML{newSAML(p), p.SAML.Algorithm, base64.StdEncoding.EncodeToString([]byte(p.SAML.Metadata))}}
		}),
		bind(of, "UpdateSAMLProvider", ops.UpdateSAMLProvider, (*updateSAMLInput).in, samlAnswer),
		bind(of, "DeleteSAMLProvider", ops.DeleteSAMLProvider, (*samlName).in, noProvider),
		plain(of, "ListSAMLProviders", ops.ListSAMLProviders, (*listInput).listing, func(p page.Page[iam.IdentityProvider]) samlList {
			return samlList{pagingOf(p.Next), samlItems{each(p.Items, newSAML)}}
		}),
		bind(of, "DeleteOIDCProvider", ops.DeleteOIDCProvider, (*oidcName).in, noProvider),
		plain(of, "ListOIDCProviders", ops.ListOIDCProviders, (*listInput).listing, func(p page.Page[iam.IdentityProvider]) oidcList {
			return oidcList{pagingOf(p.Next), oidcItems{each(p.Items, newOIDC)}}
		}),
		bind(of, "CreateOIDCProvider", ops.CreateOIDCProvider, (*createOIDCInput).in, oidcAnswer),
		bind(of, "GetOIDCProvider", ops.GetOIDCProvider, (*oidcName).in, oidcAnswer),
		bind(of, "UpdateOIDCProvider", ops.UpdateOIDCProvider, (*updateOIDCInput).in, oidcAnswer),
		bind(of, "AddClientIdToOIDCProvider", ops.AddClientIDToOIDCProvider, (*clientInput).in, oidcAnswer),
		bind(of, "RemoveClientIdFromOIDCProvider", ops.RemoveClientIDFromOIDCProvider, (*clientInput).in, oidcAnswer),
		bind(of, "AddFingerprintToOIDCProvider", ops.AddFingerprintToOIDCProvider, (*fingerprintInput).in, oidcAnswer),
		bind(of, "RemoveFingerprintFromOIDCProvider", ops.RemoveFingerprintFromOIDCProvider, (*fingerprintInput).in, oidcAnswer),
	}
	return all
}

func noProvider(*scene, *iam.IdentityProvider) struct{} { return struct{}{} }

type samlProvider struct {
	SAMLProviderName string
	Arn              string
	Description      string
	CreateDate       string
	UpdateDate       string
}

func newSAML(p *iam.IdentityProvider) samlProvider {
	return samlProvider{p.Name, p.ACS(), p.Description, when(p.Created), when(p.Updated)}
}

type signingSAML struct {
	samlProvider
	AuthnSignAlgo string
}

type samlOutput struct{ SAMLProvider signingSAML }

func samlAnswer(_ *scene, p *iam.IdentityProvider) samlOutput {
	return samlOutput{signingSAML{newSAML(p), p.SAML.Algorithm}}
}

type wholeSAML struct {
	samlProvider
	AuthnSignAlgo               string
	EncodedSAMLMetadataDocument string
}

type wholeSAMLOutput struct{ SAMLProvider wholeSAML }

type samlItems struct{ SAMLProvider []samlProvider }

type samlList struct {
	paging
	SAMLProviders samlItems
}

type samlName struct {
	SAMLProviderName string `req:"true" len:"1,128" chars:"A-Za-z0-9._-"`
}

func (s *samlName) in(*scene) (ops.ProviderIn, error) {
	return ops.ProviderIn{Name: s.SAMLProviderName}, nil
}

type createSAMLInput struct {
	samlName
	EncodedSAMLMetadataDocument string `req:"true"`
	Description                 string `len:"1,256"`
	AuthnSignAlgo               string
}

func (s *createSAMLInput) in(*scene) (ops.ProviderIn, error) {
	text, err := metadata("EncodedSAMLMetadataDocument", s.EncodedSAMLMetadataDocument)
	return ops.ProviderIn{Name: s.SAMLProviderName, Description: &s.Description, Metadata: text, Algorithm: &s.AuthnSignAlgo}, err
}

// metadata is a document that was sent in base64; nil for none.
func metadata(param, encoded string) (*string, error) {
	if encoded == "" {
		return nil, nil
	}
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, &failure{400, "InvalidParameter." + param + ".Format", `The parameter - "` + param + `" must be in base64.`}
	}
	s := string(text)
	return &s, nil
}

type updateSAMLInput struct {
	samlName
	NewEncodedSAMLMetadataDocument string
	NewDescription                 *string `len:"1,256"`
	AuthnSignAlgo                  *string
}

func (s *updateSAMLInput) in(*scene) (ops.ProviderIn, error) {
	text, err := metadata("NewEncodedSAMLMetadataDocument", s.NewEncodedSAMLMetadataDocument)
	return ops.ProviderIn{Name: s.SAMLProviderName, Description: s.NewDescription, Metadata: text, Algorithm: s.AuthnSignAlgo}, err
}

type oidcProvider struct {
	OIDCProviderName  string
	Arn               string
	Description       string
	IssuerUrl         string
	ClientIds         string
	Fingerprints      string
	IssuanceLimitTime int
	CreateDate        string
	UpdateDate        string
	GmtCreate         string
	GmtModified       string
}

func newOIDC(p *iam.IdentityProvider) oidcProvider {
	milli := func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
	return oidcProvider{
		p.Name, p.ACS(), p.Description, p.OIDC.Issuer, strings.Join(p.OIDC.ClientIDs, ","), strings.Join(p.OIDC.Fingerprints, ","), p.OIDC.IssuedWithin,
		when(p.Created), when(p.Updated), milli(p.Created), milli(p.Updated),
	}
}

type oidcOutput struct{ OIDCProvider oidcProvider }

func oidcAnswer(_ *scene, p *iam.IdentityProvider) oidcOutput { return oidcOutput{newOIDC(p)} }

type oidcItems struct{ OIDCProvider []oidcProvider }

type oidcList struct {
	paging
	OIDCProviders oidcItems
}

type oidcName struct {
	OIDCProviderName string `req:"true" len:"1,128" chars:"A-Za-z0-9._-"`
}

func (s *oidcName) in(*scene) (ops.ProviderIn, error) {
	return ops.ProviderIn{Name: s.OIDCProviderName}, nil
}

type createOIDCInput struct {
	oidcName
	IssuerUrl         string `req:"true"`
	ClientIds         string
	Fingerprints      string
	IssuanceLimitTime *int   `range:"1,168"`
	Description       string `len:"1,256"`
}

func (s *createOIDCInput) in(*scene) (ops.ProviderIn, error) {
	return ops.ProviderIn{
		Name: s.OIDCProviderName, Description: &s.Description, Issuer: s.IssuerUrl, ClientIDs: commas(s.ClientIds), Fingerprints: commas(s.Fingerprints),
		IssuedWithin: s.IssuanceLimitTime,
	}, nil
}

// commas are the parts of a list in one text; nil of "".
func commas(s string) []string {
	if s == "" {
		return nil
	}
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

type updateOIDCInput struct {
	oidcName
	ClientIds         string
	IssuanceLimitTime *int    `range:"1,168"`
	NewDescription    *string `len:"1,256"`
}

func (s *updateOIDCInput) in(*scene) (ops.ProviderIn, error) {
	return ops.ProviderIn{Name: s.OIDCProviderName, Description: s.NewDescription, ClientIDs: commas(s.ClientIds), IssuedWithin: s.IssuanceLimitTime}, nil
}

type clientInput struct {
	oidcName
	ClientId string `req:"true" len:"1,128"`
}

func (s *clientInput) in(*scene) (ops.ProviderIn, error) {
	return ops.ProviderIn{Name: s.OIDCProviderName, Client: s.ClientId}, nil
}

type fingerprintInput struct {
	oidcName
	Fingerprint string `req:"true" len:"1,128"`
}

func (s *fingerprintInput) in(*scene) (ops.ProviderIn, error) {
	return ops.ProviderIn{Name: s.OIDCProviderName, Fingerprint: s.Fingerprint}, nil
}

// providerARN is how ops finds a provider that a request names by Alibaba Cloud's name.
func providerARN(param, kind, arn string) (string, error) {
	if _, _, byIssuer, ok := name.SplitProvider(arn, kind); !ok || byIssuer {
		return "", &failure{400, "InvalidParameter." + param, `The parameter - "` + param + `" must be like acs:ram::<account>:` + kind + `-provider/<name>.`}
	}
	return arn, nil
}
