package aws

import (
	"time"

	"warifu/internal/iam"
	"warifu/internal/ops"
	"warifu/internal/page"
)

// The shapes that several operations share. Patterns are those of the service
// model; where Go cannot spell one, `re` is what is matched.

// listInput is the part of a list request that every list has.
type listInput struct {
	Marker   string `len:"1,320" pattern:"[\\u0020-\\u00FF]+"`
	MaxItems *int32 `range:"1,1000"`
}

func (l *listInput) listing(prefix string) ops.Listing {
	in := ops.Listing{PathPrefix: prefix, Cursor: l.Marker}
	if l.MaxItems != nil {
		in.Limit = int(*l.MaxItems)
	}
	return in
}

// paging is the part of a list's answer that every list has.
type paging struct {
	IsTruncated bool
	Marker      string
}

// pagingOf tells where the next page begins.
func pagingOf(next page.Cursor) paging {
	return paging{IsTruncated: next != "", Marker: string(next)}
}

// pathListInput is a list that a path prefix filters.
type pathListInput struct {
	PathPrefix string `len:"1,512" pattern:"\\u002F[\\u0021-\\u007F]*"`
	listInput
}

func (l *pathListInput) in() ops.Listing { return l.listing(l.PathPrefix) }

// tag is a label.
type tag struct {
	Key   string `aws:",required" len:"1,128" pattern:"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+"`
	Value string `aws:",required,keep" len:"0,256" pattern:"[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*"`
}

func tagsIn(tags []tag) []iam.Tag {
	var out []iam.Tag
	for _, t := range tags {
		out = append(out, iam.Tag(t))
	}
	return out
}

func tagsOut(tags []iam.Tag) []tag {
	var out []tag
	for _, t := range tags {
		out = append(out, tag(t))
	}
	return out
}

// tagsOutput is a page of tags.
type tagsOutput struct {
	Tags []tag `aws:",keep"`
	paging
}

func tagPage(p page.Page[iam.Tag]) tagsOutput {
	return tagsOutput{Tags: tagsOut(p.Items), paging: pagingOf(p.Next)}
}

// boundary is a permissions boundary in an answer.
type boundary struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

// when is a time of an answer, nil if it never was.
func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
