package oci

import (
	"net/http"

	"warifu/internal/name"
	"warifu/internal/ops"
)

type tagNamespace struct {
	ID             string `json:"id"`
	CompartmentID  string `json:"compartmentId"`
	Name           string `json:"name"`
	Description    string `json:"description"`
	IsRetired      bool   `json:"isRetired"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
	tags
}

func tagNamespaceOf(n *ops.OracleNoun) tagNamespace {
	return tagNamespace{n.ID.OCID(name.OCITagNamespace), placeOf(n.Account, n.Parent), n.Name, n.Description, truly(n.Fields().Retired), stamp(n.Created), n.State, tagsOf(n.Tags)}
}

func truly(b *bool) bool { return b != nil && *b }

// tagValidator says which values a tag takes.
type tagValidator struct {
	Type   string   `json:"validatorType"`
	Values []string `json:"values,omitempty"`
}

// values are those that a validator lets pass; none means all.
func (v *tagValidator) values() ([]string, error) {
	switch {
	case v == nil:
		return nil, nil
	case v.Type == "ENUM" && len(v.Values) > 0:
		return v.Values, nil
	case v.Type == "DEFAULT":
		return []string{}, nil
	}
	return nil, invalidParameter("validator must be of the type ENUM, with values, or DEFAULT")
}

type tag struct {
	ID               string        `json:"id"`
	CompartmentID    string        `json:"compartmentId"`
	TagNamespaceID   string        `json:"tagNamespaceId"`
	TagNamespaceName string        `json:"tagNamespaceName"`
	Name             string        `json:"name"`
	Description      string        `json:"description"`
	IsRetired        bool          `json:"isRetired"`
	IsCostTracking   bool          `json:"isCostTracking"`
	Validator        *tagValidator `json:"validator,omitempty"`
	TimeCreated      stamp         `json:"timeCreated"`
	LifecycleState   string        `json:"lifecycleState"`
	tags
}

func tagOf(n *ops.OracleNoun) tag {
	f := n.Fields()
	t := tag{
		ID: n.ID.OCID(name.OCITag), CompartmentID: placeOf(n.Account, n.Whole.Parent), TagNamespaceID: n.Parent.OCID(name.OCITagNamespace), TagNamespaceName: n.Whole.Name,
		Name: n.Name, Description: n.Description, IsRetired: truly(f.Retired), IsCostTracking: truly(f.Costs),
		TimeCreated: stamp(n.Created), LifecycleState: n.State, tags: tagsOf(n.Tags),
	}
	if len(f.Values) > 0 {
		t.Validator = &tagValidator{"ENUM", f.Values}
	}
	return t
}

// tagSummary is a tag in a list.
type tagSummary struct {
	ID             string `json:"id"`
	CompartmentID  string `json:"compartmentId"`
	Name           string `json:"name"`
	Description    string `json:"description"`
	IsRetired      bool   `json:"isRetired"`
	IsCostTracking bool   `json:"isCostTracking"`
	TimeCreated    stamp  `json:"timeCreated"`
	LifecycleState string `json:"lifecycleState"`
	tags
}

func tagSummaryOf(n *ops.OracleNoun) tagSummary {
	t := tagOf(n)
	return tagSummary{t.ID, t.CompartmentID, t.Name, t.Description, t.IsRetired, t.IsCostTracking, t.TimeCreated, t.LifecycleState, t.tags}
}

type tagDefault struct {
	ID                string `json:"id"`
	CompartmentID     string `json:"compartmentId"`
	TagNamespaceID    string `json:"tagNamespaceId"`
	TagDefinitionID   string `json:"tagDefinitionId"`
	TagDefinitionName string `json:"tagDefinitionName"`
	Value             string `json:"value"`
	IsRequired        bool   `json:"isRequired"`
	TimeCreated       stamp  `json:"timeCreated"`
	LifecycleState    string `json:"lifecycleState"`
}

func tagDefaultOf(n *ops.OracleNoun) tagDefault {
	f := n.Fields()
	d := tagDefault{
		ID: n.ID.OCID(name.OCITagDefault), CompartmentID: placeOf(n.Account, n.Parent), TagNamespaceID: f.Namespace.OCID(name.OCITagNamespace),
		TagDefinitionID: f.Definition.OCID(name.OCITag), TagDefinitionName: n.Name, IsRequired: truly(f.Required),
		TimeCreated: stamp(n.Created), LifecycleState: n.State,
	}
	if f.Value != nil {
		d.Value = *f.Value
	}
	return d
}

type tagNamespacesIn struct {
	CompartmentID  string `query:"compartmentId" required:"true"`
	Page           string `query:"page"`
	Limit          int    `query:"limit"`
	Subtree        bool   `query:"includeSubcompartments"`
	LifecycleState string `query:"lifecycleState"`
}

type createTagNamespaceIn struct {
	Retry ops.Retry `retry:""`
	Body  struct {
		CompartmentID string `json:"compartmentId" required:"true"`
		Name          string `json:"name" required:"true"`
		described
	} `body:""`
}

type tagNamespaceIn struct {
	ID      string `path:"tagNamespaceId"`
	IfMatch string `header:"if-match"`
}

func (in *tagNamespaceIn) matching() (ops.Matching, error) {
	return matched(name.OCITagNamespace, in.ID, in.IfMatch)
}

type updateTagNamespaceIn struct {
	ID      string `path:"tagNamespaceId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		IsRetired *bool `json:"isRetired"`
		described
	} `body:""`
}

type moveTagNamespaceIn struct {
	ID      string `path:"tagNamespaceId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		CompartmentID string `json:"compartmentId" required:"true"`
	} `body:""`
}

type tagsIn struct {
	NamespaceID    string `path:"tagNamespaceId"`
	Page           string `query:"page"`
	Limit          int    `query:"limit"`
	LifecycleState string `query:"lifecycleState"`
}

// tagBody is what may change of a tag.
type tagBody struct {
	IsCostTracking *bool         `json:"isCostTracking"`
	Validator      *tagValidator `json:"validator"`
	described
}

func (b *tagBody) fields(retired *bool) (ops.OracleFields, error) {
	values, err := b.Validator.values()
	return ops.OracleFields{Retired: retired, Costs: b.IsCostTracking, Values: values}, err
}

type createTagIn struct {
	Retry       ops.Retry `retry:""`
	NamespaceID string    `path:"tagNamespaceId"`
	Body        struct {
		Name string `json:"name" required:"true"`
		tagBody
	} `body:""`
}

type tagIn struct {
	NamespaceID string `path:"tagNamespaceId"`
	Name        string `path:"tagName"`
	IfMatch     string `header:"if-match"`
}

func (in *tagIn) matching() (ops.Matching, error) {
	of, err := idOf(name.OCITagNamespace, in.NamespaceID)
	return ops.Matching{Of: of, Name: in.Name, IfMatch: in.IfMatch}, err
}

type updateTagIn struct {
	NamespaceID string `path:"tagNamespaceId"`
	Name        string `path:"tagName"`
	IfMatch     string `header:"if-match"`
	Body        struct {
		IsRetired *bool `json:"isRetired"`
		tagBody
	} `body:""`
}

type tagDefaultsIn struct {
	CompartmentID  string `query:"compartmentId"`
	ID             string `query:"id"`
	DefinitionID   string `query:"tagDefinitionId"`
	Page           string `query:"page"`
	Limit          int    `query:"limit"`
	LifecycleState string `query:"lifecycleState"`
}

func (in *tagDefaultsIn) list() (l ops.OracleListIn, err error) {
	l.Compartment, l.Limit, l.Cursor, l.State, l.ByName = in.CompartmentID, in.Limit, in.Page, in.LifecycleState, true
	if in.CompartmentID+in.ID+in.DefinitionID == "" {
		return l, missingParameter("compartmentId, id or tagDefinitionId")
	}
	if in.ID != "" {
		if l.ID, err = idOf(name.OCITagDefault, in.ID); err != nil {
			return l, err
		}
	}
	if in.DefinitionID != "" {
		l.Definition, err = idOf(name.OCITag, in.DefinitionID)
	}
	return l, err
}

type createTagDefaultIn struct {
	Retry ops.Retry `retry:""`
	Body  struct {
		CompartmentID   string  `json:"compartmentId" required:"true"`
		TagDefinitionID string  `json:"tagDefinitionId" required:"true"`
		Value           *string `json:"value" required:"true"`
		IsRequired      *bool   `json:"isRequired"`
	} `body:""`
}

type tagDefaultIn struct {
	ID      string `path:"tagDefaultId"`
	IfMatch string `header:"if-match"`
}

func (in *tagDefaultIn) matching() (ops.Matching, error) {
	return matched(name.OCITagDefault, in.ID, in.IfMatch)
}

type updateTagDefaultIn struct {
	ID      string `path:"tagDefaultId"`
	IfMatch string `header:"if-match"`
	Body    struct {
		Value      *string `json:"value" required:"true"`
		IsRequired *bool   `json:"isRequired"`
	} `body:""`
}

type effectiveTagsIn struct {
	CompartmentID  string `query:"compartmentId" required:"true"`
	LifecycleState string `query:"lifecycleState"`
}

type costTagsIn struct {
	CompartmentID string `query:"compartmentId" required:"true"`
	Page          string `query:"page"`
	Limit         int    `query:"limit"`
}

func tagBindings() []binding {
	const ns, one, tag, d = "/tagNamespaces", "/tagNamespaces/{tagNamespaceId}", "/tagNamespaces/{tagNamespaceId}/tags/{tagName}", "/tagDefaults"
	return []binding{
		bind("ListTagNamespaces", http.MethodGet, ns, ops.ListTagNamespaces, func(in *tagNamespacesIn) (ops.OracleListIn, error) {
			return ops.OracleListIn{Compartment: in.CompartmentID, Subtree: in.Subtree, OracleList: ops.OracleList{Limit: in.Limit, Cursor: in.Page, State: in.LifecycleState, ByName: true}}, nil
		}, nouns(tagNamespaceOf)),
		bind("CreateTagNamespace", http.MethodPost, ns, ops.CreateTagNamespace, func(in *createTagNamespaceIn) (ops.OracleNounIn, error) {
			b := &in.Body
			return ops.OracleNounIn{Compartment: b.CompartmentID, Name: b.Name, Described: b.parts(), Retry: in.Retry}, nil
		}, noun(tagNamespaceOf)),
		bind("ListCostTrackingTags", http.MethodGet, ns+"/actions/listCostTrackingTags", ops.ListCostTrackingTags, func(in *costTagsIn) (ops.OracleListIn, error) {
			return ops.OracleListIn{Compartment: in.CompartmentID, OracleList: ops.OracleList{Limit: in.Limit, Cursor: in.Page, ByName: true}}, nil
		}, nouns(tagOf)),
		bind("GetTagNamespace", http.MethodGet, one, ops.GetTagNamespace, (*tagNamespaceIn).matching, noun(tagNamespaceOf)),
		bind("UpdateTagNamespace", http.MethodPut, one, ops.UpdateTagNamespace, func(in *updateTagNamespaceIn) (ops.OracleBodyIn, error) {
			m, err := matched(name.OCITagNamespace, in.ID, in.IfMatch)
			return ops.OracleBodyIn{Matching: m, Fields: ops.OracleFields{Retired: in.Body.IsRetired}, Described: in.Body.parts()}, err
		}, noun(tagNamespaceOf)),
		bind("DeleteTagNamespace", http.MethodDelete, one, ops.DeleteTagNamespace, (*tagNamespaceIn).matching, nothing[struct{}]),
		bind("ChangeTagNamespaceCompartment", http.MethodPost, one+"/actions/changeCompartment", ops.ChangeTagNamespaceCompartment, func(in *moveTagNamespaceIn) (ops.OracleMoveIn, error) {
			m, err := matched(name.OCITagNamespace, in.ID, in.IfMatch)
			return ops.OracleMoveIn{Matching: m, To: in.Body.CompartmentID}, err
		}, nothing[*ops.OracleNoun]),

		bind("ListTags", http.MethodGet, one+"/tags", ops.ListTags, func(in *tagsIn) (ops.OracleListIn, error) {
			of, err := idOf(name.OCITagNamespace, in.NamespaceID)
			return ops.OracleListIn{Of: of, OracleList: ops.OracleList{Limit: in.Limit, Cursor: in.Page, State: in.LifecycleState, ByName: true}}, err
		}, nouns(tagSummaryOf)),
		bind("CreateTag", http.MethodPost, one+"/tags", ops.CreateTag, func(in *createTagIn) (ops.OracleNounIn, error) {
			of, err := idOf(name.OCITagNamespace, in.NamespaceID)
			if err != nil {
				return ops.OracleNounIn{}, err
			}
			f, err := in.Body.fields(nil)
			return ops.OracleNounIn{Of: of, Name: in.Body.Name, Fields: f, Described: in.Body.parts(), Retry: in.Retry}, err
		}, noun(tagOf)),
		bind("GetTag", http.MethodGet, tag, ops.GetTag, (*tagIn).matching, noun(tagOf)),
		bind("UpdateTag", http.MethodPut, tag, ops.UpdateTag, func(in *updateTagIn) (ops.OracleBodyIn, error) {
			m, err := (&tagIn{in.NamespaceID, in.Name, in.IfMatch}).matching()
			if err != nil {
				return ops.OracleBodyIn{}, err
			}
			f, err := in.Body.fields(in.Body.IsRetired)
			return ops.OracleBodyIn{Matching: m, Fields: f, Described: in.Body.parts()}, err
		}, noun(tagOf)),
		bind("DeleteTag", http.MethodDelete, tag, ops.DeleteTag, (*tagIn).matching, nothing[struct{}]),

		bind("ListTagDefaults", http.MethodGet, d, ops.ListTagDefaults, (*tagDefaultsIn).list, nouns(tagDefaultOf)),
		bind("CreateTagDefault", http.MethodPost, d, ops.CreateTagDefault, func(in *createTagDefaultIn) (ops.OracleNounIn, error) {
			b := &in.Body
			id, err := idOf(name.OCITag, b.TagDefinitionID)
			return ops.OracleNounIn{Compartment: b.CompartmentID, Fields: ops.OracleFields{Definition: id, Value: b.Value, Required: b.IsRequired}, Retry: in.Retry}, err
		}, noun(tagDefaultOf)),
		bind("AssembleEffectiveTagSet", http.MethodGet, d+"/actions/assembleEffectiveTagSet", ops.AssembleEffectiveTagSet, func(in *effectiveTagsIn) (ops.OracleListIn, error) {
			return ops.OracleListIn{Compartment: in.CompartmentID, OracleList: ops.OracleList{State: in.LifecycleState}}, nil
		}, nouns(tagDefaultOf)),
		bind("GetTagDefault", http.MethodGet, d+"/{tagDefaultId}", ops.GetTagDefault, (*tagDefaultIn).matching, noun(tagDefaultOf)),
		bind("UpdateTagDefault", http.MethodPut, d+"/{tagDefaultId}", ops.UpdateTagDefault, func(in *updateTagDefaultIn) (ops.OracleBodyIn, error) {
			m, err := matched(name.OCITagDefault, in.ID, in.IfMatch)
			return ops.OracleBodyIn{Matching: m, Fields: ops.OracleFields{Value: in.Body.Value, Required: in.Body.IsRequired}}, err
		}, noun(tagDefaultOf)),
		bind("DeleteTagDefault", http.MethodDelete, d+"/{tagDefaultId}", ops.DeleteTagDefault, (*tagDefaultIn).matching, nothing[struct{}]),
	}
}
