package oci

import (
	"strings"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/ops"
)

// The shapes and what they have in common.

// described are the parts of a body that most nouns share.
type described struct {
	Description  *string                   `json:"description"`
	FreeformTags map[string]string         `json:"freeformTags"`
	DefinedTags  map[string]map[string]any `json:"definedTags"`
}

func (d *described) parts() ops.Described {
	return ops.Described{Description: d.Description, Freeform: d.FreeformTags, Defined: d.DefinedTags}
}

// tags are the tags of a noun in an answer.
type tags struct {
	FreeformTags map[string]string         `json:"freeformTags"`
	DefinedTags  map[string]map[string]any `json:"definedTags"`
}

func tagsOf(t iam.OracleTags) tags {
	out := tags{t.Freeform, t.Defined}
	if out.FreeformTags == nil {
		out.FreeformTags = map[string]string{}
	}
	if out.DefinedTags == nil {
		out.DefinedTags = map[string]map[string]any{}
	}
	return out
}

// paging are the parts of a query that lists share. They are spelled out in each shape:
// decode looks at fields, not into them.
func paging(name, state, sortBy, sortOrder string, limit int, page string) (ops.OracleList, error) {
	l := ops.OracleList{Name: name, State: state, Limit: limit, Cursor: page}
	switch {
	case sortBy == "", strings.EqualFold(sortBy, "TIMECREATED"):
		l.Descending = true // Oracle shows the newest first
	case strings.EqualFold(sortBy, "NAME"):
		l.ByName = true
	default:
		return l, invalidParameter("sortBy must be TIMECREATED or NAME")
	}
	switch {
	case sortOrder == "":
	case strings.EqualFold(sortOrder, "ASC"):
		l.Descending = false
	case strings.EqualFold(sortOrder, "DESC"):
		l.Descending = true
	default:
		return l, invalidParameter("sortOrder must be ASC or DESC")
	}
	return l, nil
}

// idOf reads the OCID of a noun of a kind. What is none names nothing.
func idOf(kind, ocid string) (name.ID, error) {
	id, ok := name.ParseIDOf(kind, ocid)
	if !ok {
		return 0, fault.Of(fault.NotFound, kind, ocid)
	}
	return id, nil
}

// matched reads the OCID of a noun that a request is about, and what its if-match
// says; "" = nothing.
func matched(kind, ocid, ifMatch string) (ops.Matching, error) {
	id, err := idOf(kind, ocid)
	return ops.Matching{ID: id, IfMatch: ifMatch}, err
}

// compartmentOf reads the OCID of a compartment; 0 is the root.
func compartmentOf(ocid string) (name.ID, error) {
	if _, ok := name.ParseTenancy(ocid); ok {
		return 0, nil
	}
	return idOf(name.OCICompartment, ocid)
}

// placeOf spells a compartment.
func placeOf(a name.Account, id name.ID) string {
	if id == 0 {
		return a.Tenancy()
	}
	return id.OCID(name.OCICompartment)
}

// each makes the items of a list.
func each[T, A any](items []T, one func(*T) A) []A {
	out := make([]A, len(items))
	for i := range items {
		out[i] = one(&items[i])
	}
	return out
}
