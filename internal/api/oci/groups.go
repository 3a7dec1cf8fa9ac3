package oci

import (
	"net/http"

	"warifu/internal/fault"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

type group struct {
	ID             string `json:"id"`
	CompartmentID  string `json:"compartmentId"`
	Name           string `json:"name"`
	Description    string `json:"description"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
	tags
}

func groupOf(g *ops.OracleGroup) group {
	description := g.Extras.Description
	if description == "" {
		description = g.Group.Name
	}
	return group{g.Group.ID.OCID(name.OCIGroup), g.Group.Account.Tenancy(), g.Group.Name, description, stamp(g.Group.Created), active, tagsOf(g.Extras.Tags)}
}

func showGroup(g *ops.OracleGroup, r *reply) group {
	r.etag = g.ETag
	return groupOf(g)
}

type groupIn struct {
	GroupID string `path:"groupId"`
	IfMatch string `header:"if-match"`
}

func (in *groupIn) matching() (ops.Matching, error) {
	return matched(name.OCIGroup, in.GroupID, in.IfMatch)
}

// createIn is a request that makes a noun with a name and a description.
type createIn struct {
	Retry ops.Retry `retry:""`
	Body  struct {
		CompartmentID string `json:"compartmentId" required:"true"`
		Name          string `json:"name" required:"true"`
		described
	} `body:""`
}

type updateGroupIn struct {
	GroupID string    `path:"groupId"`
	IfMatch string    `header:"if-match"`
	Body    described `body:""`
}

type membership struct {
	ID             string `json:"id"`
	CompartmentID  string `json:"compartmentId"`
	GroupID        string `json:"groupId"`
	UserID         string `json:"userId"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
}

func membershipOf(m *ops.OracleMembership) membership {
	return membership{name.Membership(m.Group, m.User), m.Account.Tenancy(), m.Group.OCID(name.OCIGroup), m.User.OCID(name.OCIUser), stamp(m.Created), active}
}

func showMembership(m *ops.OracleMembership, r *reply) membership {
	r.etag = m.ETag
	return membershipOf(m)
}

type membershipIn struct {
	ID      string `path:"userGroupMembershipId"`
	IfMatch string `header:"if-match"`
}

func (in *membershipIn) member() (ops.OracleMemberIn, error) {
	g, u, ok := name.ParseMembership(in.ID)
	if !ok {
		return ops.OracleMemberIn{}, fault.Of(fault.NotFound, "membership", in.ID)
	}
	return ops.OracleMemberIn{Group: g, User: u, IfMatch: in.IfMatch}, nil
}

type addIn struct {
	Retry ops.Retry `retry:""`
	Body  struct {
		UserID  string `json:"userId" required:"true"`
		GroupID string `json:"groupId" required:"true"`
	} `body:""`
}

type membershipsIn struct {
	CompartmentID string `query:"compartmentId" required:"true"`
	UserID        string `query:"userId"`
	GroupID       string `query:"groupId"`
	Page          string `query:"page"`
	Limit         int    `query:"limit"`
}

func (in *membershipsIn) list() (out ops.OracleMembershipsIn, err error) {
	out.OracleList = ops.OracleList{Limit: in.Limit, Cursor: in.Page}
	if in.UserID != "" {
		if out.User, err = idOf(name.OCIUser, in.UserID); err != nil {
			return out, err
		}
	}
	if in.GroupID != "" {
		out.Group, err = idOf(name.OCIGroup, in.GroupID)
	}
	return out, err
}

func groupBindings() []binding {
	return []binding{
		bind("ListGroups", http.MethodGet, "/groups", ops.OracleListGroups, (*listIn).list, func(p page.Page[ops.OracleGroup], r *reply) []group {
			r.next = string(p.Next)
			return each(p.Items, groupOf)
		}),
		bind("CreateGroup", http.MethodPost, "/groups", ops.OracleCreateGroup, func(in *createIn) (ops.OracleCreateGroupIn, error) {
			b := &in.Body
			return ops.OracleCreateGroupIn{Compartment: b.CompartmentID, Name: b.Name, Described: b.parts(), Retry: in.Retry}, nil
		}, showGroup),
		bind("GetGroup", http.MethodGet, "/groups/{groupId}", ops.OracleGetGroup, (*groupIn).matching, showGroup),
		bind("UpdateGroup", http.MethodPut, "/groups/{groupId}", ops.OracleUpdateGroup, func(in *updateGroupIn) (ops.OracleUpdateIn, error) {
			m, err := matched(name.OCIGroup, in.GroupID, in.IfMatch)
			return ops.OracleUpdateIn{Matching: m, Described: in.Body.parts()}, err
		}, showGroup),
		bind("DeleteGroup", http.MethodDelete, "/groups/{groupId}", ops.OracleDeleteGroup, (*groupIn).matching, nothing[struct{}]),

		bind("ListUserGroupMemberships", http.MethodGet, "/userGroupMemberships", ops.ListUserGroupMemberships, (*membershipsIn).list, func(p page.Page[ops.OracleMembership], r *reply) []membership {
			r.next = string(p.Next)
			return each(p.Items, membershipOf)
		}),
		bind("AddUserToGroup", http.MethodPost, "/userGroupMemberships", ops.OracleAddUserToGroup, func(in *addIn) (ops.OracleMemberIn, error) {
			u, err := idOf(name.OCIUser, in.Body.UserID)
			if err != nil {
				return ops.OracleMemberIn{}, err
			}
			g, err := idOf(name.OCIGroup, in.Body.GroupID)
			return ops.OracleMemberIn{Group: g, User: u, Retry: in.Retry}, err
		}, showMembership),
		bind("GetUserGroupMembership", http.MethodGet, "/userGroupMemberships/{userGroupMembershipId}", ops.GetUserGroupMembership, (*membershipIn).member, showMembership),
		bind("RemoveUserFromGroup", http.MethodDelete, "/userGroupMemberships/{userGroupMembershipId}", ops.OracleRemoveUserFromGroup, (*membershipIn).member, nothing[struct{}]),
	}
}
