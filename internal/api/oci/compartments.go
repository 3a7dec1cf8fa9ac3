package oci

import (
	"net/http"
	"strings"

	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/internal/page"
)

type compartment struct {
	ID             string `json:"id"`
	CompartmentID  string `json:"compartmentId"`
	Name           string `json:"name"`
	Description    string `json:"description"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
	IsAccessible   bool   `json:"isAccessible"`
	tags
}

func compartmentShape(n *ops.OracleNoun) compartment {
	return compartment{placeOf(n.Account, n.ID), placeOf(n.Account, n.Parent), n.Name, n.Description, stamp(n.Created), n.State, n.Open, tagsOf(n.Tags)}
}

func showCompartment(n *ops.OracleNoun, r *reply) compartment {
	r.etag = n.ETag
	c := compartmentShape(n)
	c.IsAccessible = true // or it would not be shown
	return c
}

type compartmentIn struct {
	CompartmentID string `path:"compartmentId"`
	IfMatch       string `header:"if-match"`
}

func (in *compartmentIn) matching() (ops.Matching, error) {
	id, err := compartmentOf(in.CompartmentID)
	return ops.Matching{ID: id, IfMatch: in.IfMatch, Root: in.CompartmentID}, err
}

type compartmentsIn struct {
	CompartmentID  string `query:"compartmentId" required:"true"`
	Page           string `query:"page"`
	Limit          int    `query:"limit"`
	Name           string `query:"name"`
	SortBy         string `query:"sortBy"`
	SortOrder      string `query:"sortOrder"`
	LifecycleState string `query:"lifecycleState"`
	AccessLevel    string `query:"accessLevel"`
	Subtree        bool   `query:"compartmentIdInSubtree"`
}

type updateCompartmentIn struct {
	CompartmentID string `path:"compartmentId"`
	IfMatch       string `header:"if-match"`
	Body          struct {
		Name *string `json:"name"`
		described
	} `body:""`
}

type moveIn struct {
	CompartmentID string    `path:"compartmentId"`
	IfMatch       string    `header:"if-match"`
	Retry         ops.Retry `retry:""`
	Body          struct {
		TargetCompartmentID string `json:"targetCompartmentId" required:"true"`
	} `body:""`
}

// workRequest is work that has been done.
type workRequest struct {
	ID              string         `json:"id"`
	OperationType   string         `json:"operationType"`
	Status          string         `json:"status"`
	CompartmentID   string         `json:"compartmentId"`
	Resources       []workResource `json:"resources"`
	TimeAccepted    stamp          `json:"timeAccepted"`
	TimeFinished    stamp          `json:"timeFinished"`
	PercentComplete float64        `json:"percentComplete"`
}

type workResource struct {
	Identifier string `json:"identifier"`
	EntityType string `json:"entityType"`
	ActionType string `json:"actionType"`
}

type workRequestIn struct {
	ID string `path:"workRequestId"`
}

type workRequestsIn struct {
	CompartmentID string `query:"compartmentId" required:"true"`
	Page          string `query:"page"`
	Limit         int    `query:"limit"`
	Resource      string `query:"resourceIdentifier"`
}

func showWork(n *ops.OracleNoun, _ *reply) workRequest { return workRequestOf(n) }

// workRequestOf tells of the work that was last done on a compartment: one that is there
// was moved.
func workRequestOf(n *ops.OracleNoun) workRequest {
	work, done := "MOVE_COMPARTMENT", "UPDATED"
	if n.State == iam.OracleDeleted {
		work, done = "DELETE_COMPARTMENT", "DELETED"
	}
	return workRequest{
		ID: n.ID.OCID(name.OCIWorkRequest), OperationType: work, Status: "SUCCEEDED", CompartmentID: placeOf(n.Account, n.Parent),
		Resources:    []workResource{{n.ID.OCID(name.OCICompartment), "compartment", done}},
		TimeAccepted: stamp(n.Changed), TimeFinished: stamp(n.Changed), PercentComplete: 100,
	}
}

// accepted answers what Oracle does later and we have done.
func accepted(n *ops.OracleNoun, r *reply) none {
	r.status, r.work = http.StatusAccepted, n.ID.OCID(name.OCIWorkRequest)
	return none{}
}

func compartmentBindings() []binding {
	const one = "/compartments/{compartmentId}"
	return []binding{
		bind("ListCompartments", http.MethodGet, "/compartments", ops.ListCompartments, func(in *compartmentsIn) (ops.OracleCompartmentsIn, error) {
			l, err := paging(in.Name, in.LifecycleState, in.SortBy, in.SortOrder, in.Limit, in.Page)
			open := strings.EqualFold(in.AccessLevel, "ACCESSIBLE")
			if err == nil && in.AccessLevel != "" && !open && !strings.EqualFold(in.AccessLevel, "ANY") {
				err = invalidParameter("accessLevel must be ANY or ACCESSIBLE")
			}
			return ops.OracleCompartmentsIn{Compartment: in.CompartmentID, Subtree: in.Subtree, Open: open, OracleList: l}, err
		}, func(p page.Page[ops.OracleNoun], r *reply) []compartment {
			r.next = string(p.Next)
			return each(p.Items, compartmentShape)
		}),
		bind("CreateCompartment", http.MethodPost, "/compartments", ops.CreateCompartment, func(in *createIn) (ops.OracleNounIn, error) {
			b := &in.Body
			return ops.OracleNounIn{Compartment: b.CompartmentID, Name: b.Name, Described: b.parts(), Retry: in.Retry}, nil
		}, showCompartment),
		bind("GetCompartment", http.MethodGet, one, ops.GetCompartment, (*compartmentIn).matching, showCompartment),
		bind("UpdateCompartment", http.MethodPut, one, ops.UpdateCompartment, func(in *updateCompartmentIn) (ops.OracleRenameIn, error) {
			id, err := compartmentOf(in.CompartmentID)
			return ops.OracleRenameIn{Matching: ops.Matching{ID: id, IfMatch: in.IfMatch}, Name: in.Body.Name, Described: in.Body.parts()}, err
		}, showCompartment),
		bind("DeleteCompartment", http.MethodDelete, one, ops.DeleteCompartment, (*compartmentIn).matching, accepted),
		bind("MoveCompartment", http.MethodPost, one+"/actions/moveCompartment", ops.MoveCompartment, func(in *moveIn) (ops.OracleMoveIn, error) {
			id, err := compartmentOf(in.CompartmentID)
			return ops.OracleMoveIn{Matching: ops.Matching{ID: id, IfMatch: in.IfMatch}, To: in.Body.TargetCompartmentID, Retry: in.Retry}, err
		}, accepted),
		bind("GetWorkRequest", http.MethodGet, "/workRequests/{workRequestId}", ops.GetOracleWorkRequest, func(in *workRequestIn) (ops.Matching, error) {
			id, err := idOf(name.OCIWorkRequest, in.ID)
			return ops.Matching{ID: id}, err
		}, showWork),
		bind("ListWorkRequests", http.MethodGet, "/workRequests", ops.ListOracleWorkRequests, func(in *workRequestsIn) (ops.OracleListIn, error) {
			l := ops.OracleListIn{Compartment: in.CompartmentID, OracleList: ops.OracleList{Limit: in.Limit, Cursor: in.Page, Descending: true}}
			if in.Resource == "" {
				return l, nil
			}
			id, err := idOf(name.OCICompartment, in.Resource)
			l.ID = id
			return l, err
		}, nouns(workRequestOf)),
		bind("RecoverCompartment", http.MethodPost, one+"/actions/recoverCompartment", ops.RecoverCompartment, (*compartmentIn).matching, showCompartment),
	}
}
