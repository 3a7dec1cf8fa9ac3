package oci

import (
	"net/http"

	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

type dynamicGroup struct {
	ID             string `json:"id"`
	CompartmentID  string `json:"compartmentId"`
	Name           string `json:"name"`
	Description    string `json:"description"`
	MatchingRule   string `json:"matchingRule"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
	tags
}

func dynamicGroupOf(n *ops.OracleNoun) dynamicGroup {
	return dynamicGroup{n.ID.OCID(name.OCIDynamicGroup), n.Account.Tenancy(), n.Name, n.Description, n.MatchingRule(), stamp(n.Created), n.State, tagsOf(n.Tags)}
}

type createDynamicGroupIn struct {
	Retry ops.Retry `retry:""`
	Body  struct {
		CompartmentID string `json:"compartmentId" required:"true"`
		Name          string `json:"name" required:"true"`
		MatchingRule  string `json:"matchingRule" required:"true"`
		described
	} `body:""`
}

type dynamicGroupIn struct {
	ID      string `path:"dynamicGroupId"`
	IfMatch string `header:"if-match"`
}

func (in *dynamicGroupIn) matching() (ops.Matching, error) {
	return matched(name.OCIDynamicGroup, in.ID, in.IfMatch)
}

type updateDynamicGroupIn struct {
	ID      string `path:"dynamicGroupId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		MatchingRule *string `json:"matchingRule"`
		described
	} `body:""`
}

type networkSource struct {
	ID                string              `json:"id"`
	CompartmentID     string              `json:"compartmentId"`
	Name              string              `json:"name"`
	Description       string              `json:"description"`
	PublicSourceList  []string            `json:"publicSourceList"`
	VirtualSourceList []ops.OracleVirtual `json:"virtualSourceList"`
	Services          []string            `json:"services"`
	TimeCreated       stamp               `json:"timeCreated"`
	LifecycleState    string              `json:"lifecycleState"`
	tags
}

func networkSourceOf(n *ops.OracleNoun) networkSource {
	w := n.Network()
	return networkSource{n.ID.OCID(name.OCINetworkSource), n.Account.Tenancy(), n.Name, n.Description, w.Public, w.Virtual, w.Services, stamp(n.Created), n.State, tagsOf(n.Tags)}
}

type networkBody struct {
	PublicSourceList  []string            `json:"publicSourceList"`
	VirtualSourceList []ops.OracleVirtual `json:"virtualSourceList"`
	Services          []string            `json:"services"`
}

func (b *networkBody) network() ops.OracleNetworkIn {
	return ops.OracleNetworkIn{Public: b.PublicSourceList, Virtual: b.VirtualSourceList, Services: b.Services}
}

type createNetworkSourceIn struct {
	Retry ops.Retry `retry:""`
	Body  struct {
		CompartmentID string `json:"compartmentId" required:"true"`
		Name          string `json:"name" required:"true"`
		networkBody
		described
	} `body:""`
}

type networkSourceIn struct {
	ID      string `path:"networkSourceId"`
	IfMatch string `header:"if-match"`
}

func (in *networkSourceIn) matching() (ops.Matching, error) {
	return matched(name.OCINetworkSource, in.ID, in.IfMatch)
}

type updateNetworkSourceIn struct {
	ID      string `path:"networkSourceId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		networkBody
		described
	} `body:""`
}

// noun makes the answer of one noun.
func noun[A any](one func(*ops.OracleNoun) A) func(*ops.OracleNoun, *reply) A {
	return func(n *ops.OracleNoun, r *reply) A {
		r.etag = n.ETag
		return one(n)
	}
}

func nouns[A any](one func(*ops.OracleNoun) A) func(page.Page[ops.OracleNoun], *reply) []A {
	return func(p page.Page[ops.OracleNoun], r *reply) []A {
		r.next = string(p.Next)
		return each(p.Items, one)
	}
}

func namedBindings() []binding {
	const g, n = "/dynamicGroups", "/networkSources"
	return []binding{
		bind("ListDynamicGroups", http.MethodGet, g, ops.ListDynamicGroups, (*listIn).list, nouns(dynamicGroupOf)),
		bind("CreateDynamicGroup", http.MethodPost, g, ops.CreateDynamicGroup, func(in *createDynamicGroupIn) (ops.OracleNounIn, error) {
			b := &in.Body
			return ops.OracleNounIn{Compartment: b.CompartmentID, Name: b.Name, Rule: b.MatchingRule, Described: b.parts(), Retry: in.Retry}, nil
		}, noun(dynamicGroupOf)),
		bind("GetDynamicGroup", http.MethodGet, g+"/{dynamicGroupId}", ops.GetDynamicGroup, (*dynamicGroupIn).matching, noun(dynamicGroupOf)),
		bind("UpdateDynamicGroup", http.MethodPut, g+"/{dynamicGroupId}", ops.UpdateDynamicGroup, func(in *updateDynamicGroupIn) (ops.OracleBodyIn, error) {
			m, err := matched(name.OCIDynamicGroup, in.ID, in.IfMatch)
			return ops.OracleBodyIn{Matching: m, Rule: in.Body.MatchingRule, Described: in.Body.parts()}, err
		}, noun(dynamicGroupOf)),
		bind("DeleteDynamicGroup", http.MethodDelete, g+"/{dynamicGroupId}", ops.DeleteDynamicGroup, (*dynamicGroupIn).matching, nothing[struct{}]),

		bind("ListNetworkSources", http.MethodGet, n, ops.ListNetworkSources, (*listIn).list, nouns(networkSourceOf)),
		bind("CreateNetworkSource", http.MethodPost, n, ops.CreateNetworkSource, func(in *createNetworkSourceIn) (ops.OracleNounIn, error) {
			b := &in.Body
			return ops.OracleNounIn{Compartment: b.CompartmentID, Name: b.Name, Network: b.network(), Described: b.parts(), Retry: in.Retry}, nil
		}, noun(networkSourceOf)),
		bind("GetNetworkSource", http.MethodGet, n+"/{networkSourceId}", ops.GetNetworkSource, (*networkSourceIn).matching, noun(networkSourceOf)),
		bind("UpdateNetworkSource", http.MethodPut, n+"/{networkSourceId}", ops.UpdateNetworkSource, func(in *updateNetworkSourceIn) (ops.OracleBodyIn, error) {
			m, err := matched(name.OCINetworkSource, in.ID, in.IfMatch)
			return ops.OracleBodyIn{Matching: m, Network: in.Body.network(), Described: in.Body.parts()}, err
		}, noun(networkSourceOf)),
		bind("DeleteNetworkSource", http.MethodDelete, n+"/{networkSourceId}", ops.DeleteNetworkSource, (*networkSourceIn).matching, nothing[struct{}]),
	}
}
