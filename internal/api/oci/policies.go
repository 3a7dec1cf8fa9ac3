package oci

import (
	"encoding/json"
	"net/http"

	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

type policy struct {
	ID             string   `json:"id"`
	CompartmentID  string   `json:"compartmentId"`
	Name           string   `json:"name"`
	Description    string   `json:"description"`
	Statements     []string `json:"statements"`
	VersionDate    *string  `json:"versionDate"`
	TimeCreated    stamp    `json:"timeCreated"`
	LifecycleState string   `json:"lifecycleState"`
	tags
}

func policyOf(n *ops.OracleNoun) policy {
	statements, version := n.Statements()
	p := policy{
		ID: n.ID.OCID(name.OCIPolicy), CompartmentID: placeOf(n.Account, n.Parent), Name: n.Name, Description: n.Description, Statements: statements,
		TimeCreated: stamp(n.Created), LifecycleState: n.State, tags: tagsOf(n.Tags),
	}
	if version != "" {
		p.VersionDate = &version
	}
	return p
}

func showPolicy(n *ops.OracleNoun, r *reply) policy {
	r.etag = n.ETag
	return policyOf(n)
}

// savedPolicy shows a policy to its author, with advice about its statements.
func savedPolicy(n *ops.OracleNoun, r *reply) policy {
	r.advice = n.Advice()
	return showPolicy(n, r)
}

type createPolicyIn struct {
	Retry ops.Retry `retry:""`
	Body  struct {
		CompartmentID string   `json:"compartmentId" required:"true"`
		Name          string   `json:"name" required:"true"`
		Statements    []string `json:"statements" required:"true"`
		VersionDate   string   `json:"versionDate"`
		described
	} `body:""`
}

type policyIn struct {
	PolicyID string `path:"policyId"`
	IfMatch  string `header:"if-match"`
}

func (in *policyIn) matching() (ops.Matching, error) {
	return matched(name.OCIPolicy, in.PolicyID, in.IfMatch)
}

type updatePolicyIn struct {
	PolicyID string `path:"policyId"`
	IfMatch  string `header:"if-match"`
	Body     struct {
		Statements  []string        `json:"statements"`
		VersionDate json.RawMessage `json:"versionDate"` // null is the current version
		described
	} `body:""`
}

// version is the version date that was sent; nil if none was.
func (in *updatePolicyIn) version() (*string, error) {
	if in.Body.VersionDate == nil {
		return nil, nil
	}
	var date *string
	if json.Unmarshal(in.Body.VersionDate, &date) != nil {
		return nil, invalidParameter("versionDate must be a date such as 2030-01-31, or null")
	}
	if date == nil {
		date = new(string)
	}
	return date, nil
}

func policyBindings() []binding {
	return []binding{
		bind("ListPolicies", http.MethodGet, "/policies", ops.OracleListPolicies, (*listIn).list, func(p page.Page[ops.OracleNoun], r *reply) []policy {
			r.next = string(p.Next)
			return each(p.Items, policyOf)
		}),
		bind("CreatePolicy", http.MethodPost, "/policies", ops.OracleCreatePolicy, func(in *createPolicyIn) (ops.OracleNounIn, error) {
			b := &in.Body
			return ops.OracleNounIn{Compartment: b.CompartmentID, Name: b.Name, Statements: b.Statements, Version: b.VersionDate, Described: b.parts(), Retry: in.Retry}, nil
		}, savedPolicy),
		bind("GetPolicy", http.MethodGet, "/policies/{policyId}", ops.OracleGetPolicy, (*policyIn).matching, showPolicy),
		bind("UpdatePolicy", http.MethodPut, "/policies/{policyId}", ops.OracleUpdatePolicy, func(in *updatePolicyIn) (ops.OracleUpdatePolicyIn, error) {
			m, err := matched(name.OCIPolicy, in.PolicyID, in.IfMatch)
			if err != nil {
				return ops.OracleUpdatePolicyIn{}, err
			}
			version, err := in.version()
			return ops.OracleUpdatePolicyIn{
				Matching: m, Statements: in.Body.Statements, Version: version, Described: in.Body.parts(),
			}, err
		}, savedPolicy),
		bind("DeletePolicy", http.MethodDelete, "/policies/{policyId}", ops.OracleDeletePolicy, (*policyIn).matching, nothing[struct{}]),
	}
}
