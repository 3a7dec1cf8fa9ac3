package oci

import (
	"net/http"

	"warifu/internal/iam"
	"warifu/internal/ops"
)

type region struct {
	Key  string `json:"key"`
	Name string `json:"name"`
}

type regionSubscription struct {
	RegionKey    string `json:"regionKey"`
	RegionName   string `json:"regionName"`
	Status       string `json:"status"`
	IsHomeRegion bool   `json:"isHomeRegion"`
}

type tenancy struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Description   string `json:"description"`
	HomeRegionKey string `json:"homeRegionKey"`
	tags
}

type place struct {
	Name               string `json:"name"`
	ID                 string `json:"id,omitempty"`
	CompartmentID      string `json:"compartmentId"`
	AvailabilityDomain string `json:"availabilityDomain,omitempty"`
}

type tenancyIn struct {
	TenancyID string `path:"tenancyId"`
}

type createSubscriptionIn struct {
	TenancyID string    `path:"tenancyId"`
	Retry     ops.Retry `retry:""`
	Body      struct {
		RegionKey string `json:"regionKey" required:"true"`
	} `body:""`
}

type placesIn struct {
	CompartmentID string `query:"compartmentId" required:"true"`
}

type faultDomainsIn struct {
	CompartmentID      string `query:"compartmentId" required:"true"`
	AvailabilityDomain string `query:"availabilityDomain" required:"true"`
}

type passwordPolicy struct {
	Length   *int  `json:"minimumPasswordLength,omitempty"`
	Upper    *bool `json:"isUppercaseCharactersRequired,omitempty"`
	Lower    *bool `json:"isLowercaseCharactersRequired,omitempty"`
	Numbers  *bool `json:"isNumericCharactersRequired,omitempty"`
	Specials *bool `json:"isSpecialCharactersRequired,omitempty"`
	UserName *bool `json:"isUsernameContainmentAllowed,omitempty"`
}

func (s *passwordPolicy) change() ops.PasswordPolicyChange {
	c := ops.PasswordPolicyChange{
		MinimumLength: s.Length, RequireUppercase: s.Upper, RequireLowercase: s.Lower, RequireNumbers: s.Numbers, RequireSymbols: s.Specials,
	}
	if s.UserName != nil {
		no := !*s.UserName
		c.NotContainName = &no
	}
	return c
}

type networkPolicy struct {
	NetworkSourceIDs []string `json:"networkSourceIds"`
}

type authenticationPolicy struct {
	CompartmentID  string         `json:"compartmentId"`
	PasswordPolicy passwordPolicy `json:"passwordPolicy"`
	NetworkPolicy  networkPolicy  `json:"networkPolicy"`
}

type authenticationPolicyIn struct {
	CompartmentID string `path:"compartmentId"`
	IfMatch       string `header:"if-match"`
	Body          struct {
		PasswordPolicy passwordPolicy `json:"passwordPolicy"`
		NetworkPolicy  networkPolicy  `json:"networkPolicy"`
	} `body:""`
}

func showPasswords(p *ops.OraclePasswords, r *reply) authenticationPolicy {
	r.etag = p.ETag
	nameInside := !p.NotContainName
	if p.Networks == nil {
		p.Networks = []string{}
	}
	return authenticationPolicy{p.Account.Tenancy(), passwordPolicy{
		&p.MinimumLength, &p.RequireUppercase, &p.RequireLowercase, &p.RequireNumbers, &p.RequireSymbols, &nameInside,
	}, networkPolicy{p.Networks}}
}

func settingBindings(c *Config) []binding {
	tenancyOf := func(in *tenancyIn) (string, error) { return in.TenancyID, nil }
	placeOf := func(in *placesIn) (string, error) { return in.CompartmentID, nil }
	return []binding{
		bind("ListRegions", http.MethodGet, "/regions", ops.ListOracleRegions, func(*struct{}) (none struct{}, err error) { return none, nil }, func(struct{}, *reply) []region {
			return []region{{c.RegionKey, c.Region}}
		}),
		bind("ListRegionSubscriptions", http.MethodGet, "/tenancies/{tenancyId}/regionSubscriptions", ops.GetTenancy, tenancyOf, func(*ops.OracleTenancy, *reply) []regionSubscription {
			return []regionSubscription{{c.RegionKey, c.Region, "READY", true}}
		}),
		bind("CreateRegionSubscription", http.MethodPost, "/tenancies/{tenancyId}/regionSubscriptions", ops.CreateRegionSubscription, func(in *createSubscriptionIn) (ops.OracleSubscribeIn, error) {
			return ops.OracleSubscribeIn{Tenancy: in.TenancyID, Key: in.Body.RegionKey, Only: c.RegionKey}, nil
		}, func(struct{}, *reply) regionSubscription { return regionSubscription{} }),
		bind("GetTenancy", http.MethodGet, "/tenancies/{tenancyId}", ops.GetTenancy, tenancyOf, func(t *ops.OracleTenancy, _ *reply) tenancy {
			return tenancy{ID: t.Account.ID.Tenancy(), Name: t.Name, Description: t.Name, HomeRegionKey: c.RegionKey, tags: tagsOf(iam.OracleTags{})}
		}),
		bind("ListAvailabilityDomains", http.MethodGet, "/availabilityDomains", ops.ListOraclePlaces, placeOf, func(at string, _ *reply) []place {
			return []place{{Name: "warifu:" + c.RegionKey + "-AD-1", CompartmentID: at}}
		}),
		bind("ListFaultDomains", http.MethodGet, "/faultDomains", ops.ListOraclePlaces, func(in *faultDomainsIn) (string, error) { return in.CompartmentID, nil }, func(at string, _ *reply) []place {
			return []place{{Name: "FAULT-DOMAIN-1", CompartmentID: at, AvailabilityDomain: "warifu:" + c.RegionKey + "-AD-1"}}
		}),
		bind("GetAuthenticationPolicy", http.MethodGet, "/authenticationPolicies/{compartmentId}", ops.GetAuthenticationPolicy, func(in *compartmentIn) (string, error) { return in.CompartmentID, nil }, showPasswords),
		bind("UpdateAuthenticationPolicy", http.MethodPut, "/authenticationPolicies/{compartmentId}", ops.UpdateAuthenticationPolicy, func(in *authenticationPolicyIn) (ops.OraclePasswordsIn, error) {
			return ops.OraclePasswordsIn{
				Tenancy: in.CompartmentID, IfMatch: in.IfMatch, PasswordPolicyChange: in.Body.PasswordPolicy.change(),
				Networks: in.Body.NetworkPolicy.NetworkSourceIDs,
			}, nil
		}, showPasswords),
	}
}
