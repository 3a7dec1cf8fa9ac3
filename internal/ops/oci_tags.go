package ops

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/internal/page"
)

// Defined tags: namespaces hold definitions, which say what values are good, and
// defaults say what a new noun gets in a compartment.

// OracleFields are the bodies of tags and identity providers. In an input, nil leaves
// a part as it is.
type OracleFields struct {
	Retired *bool    `json:"x,omitempty"` // of a namespace or tag: it cannot be set any more
	Costs   *bool    `json:"c,omitempty"` // of a tag: costs are told apart by it
	Values  []string `json:"e,omitempty"` // of a tag: no other are good; empty = all are

	Definition name.ID `json:"t,omitempty"` // of a tag default: the tag
	Namespace  name.ID `json:"n,omitempty"` // of a tag default: the tag's
	Value      *string `json:"v,omitempty"` // of a tag default
	Required   *bool   `json:"r,omitempty"` // of a tag default: whoever makes a noun must say a value

	Product    string            `json:"p,omitempty"` // of an identity provider: IDCS or ADFS
	Metadata   *string           `json:"m,omitempty"` // of an identity provider: SAML metadata
	At         *string           `json:"u,omitempty"` // of an identity provider: where the metadata is
	Attributes map[string]string `json:"a,omitempty"` // of an identity provider
	Theirs     *string           `json:"o,omitempty"` // of a mapping: the provider's group
	Group      name.ID           `json:"g,omitempty"` // of a mapping: ours
}

// truly reads a truth value that may be missing.
func truly(b *bool) bool { return b != nil && *b }

// Fields is the body of a tag or identity provider; nothing of another noun.
func (n *OracleNoun) Fields() (f OracleFields) { return fieldsOf(&n.OracleNoun) }

func fieldsOf(n *iam.OracleNoun) (f OracleFields) {
	if n.Body == "" || json.Unmarshal([]byte(n.Body), &f) != nil {
		return OracleFields{}
	}
	return f
}

// over is a body with what was sent.
func (f *OracleFields) over(old OracleFields) OracleFields {
	for _, b := range []struct{ to, from **bool }{{&old.Retired, &f.Retired}, {&old.Costs, &f.Costs}, {&old.Required, &f.Required}} {
		if *b.from != nil {
			*b.to = *b.from
		}
	}
	for _, t := range []struct{ to, from **string }{{&old.Value, &f.Value}, {&old.Metadata, &f.Metadata}, {&old.At, &f.At}, {&old.Theirs, &f.Theirs}} {
		if *t.from != nil {
			*t.to = *t.from
		}
	}
	if f.Values != nil {
		old.Values = f.Values
	}
	if f.Attributes != nil {
		old.Attributes = f.Attributes
	}
	if f.Group != 0 {
		old.Group = f.Group
	}
	old.Product = cmp.Or(f.Product, old.Product)
	return old
}

// Bounds of tags (OCI documentation, "Tagging Overview").
const (
	maxTagValue  = 256 // characters
	maxTagValues = 100 // of a list of values
)

var tagNamespaces = &namedKind{
	kind: iam.OracleTagNamespace, anywhere: true, quota: "TagNamespaces", limit: func(l *OracleLimits) int { return l.TagNamespaces },
	ops: [5]string{"CreateTagNamespace", "GetTagNamespace", "ListTagNamespaces", "UpdateTagNamespace", "DeleteTagNamespace"},
	body: func(_ *Env, n *iam.OracleNoun, in *OracleBodyIn) (err error) {
		n.Body, err = bodyOf(in.Fields.over(fieldsOf(n)))
		return err
	},
	leave: func(env *Env, n *iam.OracleNoun) error {
		if !truly(fieldsOf(n).Retired) {
			return fault.Of(fault.Conflict, "state", "a tag namespace must be retired before it is deleted")
		}
		tags, err := env.Tx.OracleChildCount(n.Account, n.ID)
		if err == nil && tags > 0 {
			err = fault.Of(fault.Conflict, "state", "the tag namespace still has tags")
		}
		return err
	},
}

var tagDefinitions = &namedKind{
	kind: iam.OracleTag, part: tagNamespaces,
	ops: [5]string{"CreateTag", "GetTag", "ListTags", "UpdateTag", "DeleteTag"},
	body: func(env *Env, n *iam.OracleNoun, in *OracleBodyIn) (err error) {
		f := in.Fields.over(fieldsOf(n))
		if len(f.Values) > maxTagValues {
			return fault.Field("validator", "validator: at most %d values", maxTagValues)
		}
		for i, v := range f.Values {
			if v == "" || len(v) > maxTagValue || slices.Contains(f.Values[:i], v) {
				return fault.Field("validator", "validator: each value is there once and has 1 to %d characters", maxTagValue)
			}
		}
		n.Body, err = bodyOf(f)
		return err
	},
	leave: func(env *Env, n *iam.OracleNoun) error {
		if !truly(fieldsOf(n).Retired) {
			return fault.Of(fault.Conflict, "state", "a tag must be retired before it is deleted")
		}
		defaults, err := env.Tx.OracleNouns(n.Account, iam.OracleTagDefault)
		for i := range defaults {
			if fieldsOf(&defaults[i]).Definition == n.ID {
				return fault.Of(fault.Conflict, "state", "the tag still has a default")
			}
		}
		return err
	},
}

var tagDefaults = &namedKind{
	kind: iam.OracleTagDefault, anywhere: true, nameless: true, quota: "TagDefaults", limit: func(l *OracleLimits) int { return l.TagDefaults },
	ops:  [5]string{"CreateTagDefault", "GetTagDefault", "ListTagDefaults", "UpdateTagDefault", "DeleteTagDefault"},
	body: tagDefaultBody,
}

// tagDefaultBody checks the value of a default by its tag.
func tagDefaultBody(env *Env, n *iam.OracleNoun, in *OracleBodyIn) error {
	old := fieldsOf(n)
	if old.Definition == 0 {
		old.Definition = in.Fields.Definition
	}
	f := in.Fields.over(old)
	tag, err := env.Tx.OracleNoun(n.Account, iam.OracleTag, f.Definition)
	if fault.Is(err, fault.NotFound) {
		return fault.Field("tagDefinitionId", "tagDefinitionId names no tag")
	}
	if err != nil {
		return err
	}
	f.Namespace = tag.Parent
	value := ""
	if f.Value != nil {
		value = *f.Value
	}
	if truly(f.Required) && value != "" {
		return fault.Field("value", "value must be empty where isRequired is true: whoever makes a resource says one")
	}
	if !truly(f.Required) {
		if err := goodTag(tag, "", value); err != nil && !strings.Contains(value, "${") {
			return err
		}
	}
	n.Name, n.Slot = tag.Name, compartmentSlot(n.Parent, f.Definition.String())
	n.Body, err = bodyOf(f)
	return err
}

// newNameless fills in what nouns without a name have in common.
func (env *Env) newNameless(kind iam.OracleKind) (*iam.OracleNoun, error) {
	id, err := name.NewID(env.rand)
	if err != nil {
		return nil, fault.Wrap(err, "create a "+string(kind))
	}
	return &iam.OracleNoun{
		ID: id, Account: env.Call.Caller.Account, Kind: kind, State: iam.OracleActive, Created: env.Now, Changed: env.Now,
	}, nil
}

// The operations on tags.
var (
	CreateTagNamespace, GetTagNamespace, ListTagNamespaces, UpdateTagNamespace, DeleteTagNamespace = tagNamespaces.all()
	CreateTag, GetTag, ListTags, UpdateTag, DeleteTag                                              = tagDefinitions.all()
	CreateTagDefault, GetTagDefault, ListTagDefaults, UpdateTagDefault, DeleteTagDefault           = tagDefaults.all()
)

// ChangeTagNamespaceCompartment moves a namespace, with its tags, into another
// compartment.
var ChangeTagNamespaceCompartment = Op[OracleMoveIn, *OracleNoun]{
	Name:   "ChangeTagNamespaceCompartment",
	Grants: Names{AWS: "warifu:ChangeTagNamespaceCompartment", OCI: "ChangeTagNamespaceCompartment"},
	Mode:   Write,
	Needs:  recently,
	Target: func(env *Env, in OracleMoveIn) (Target, error) { return tagNamespaces.target(env, in.Matching) },
	Record: func(in OracleMoveIn) audit.Fields {
		return audit.Fields{"id": in.ID.String(), "targetCompartmentId": clipped(in.To)}
	},
	Do: func(env *Env, in OracleMoveIn) (*OracleNoun, error) {
		n, err := tagNamespaces.open(env, in.Matching)
		if err != nil {
			return nil, err
		}
		if n.Parent, err = env.openCompartment(in.To); err != nil {
			return nil, err
		}
		n.Changed = env.Now
		return oracleNoun(n), env.Tx.UpdateOracleNoun(n)
	},
}

// AssembleEffectiveTagSet lists the defaults that a new noun in a compartment gets:
// those of the compartment and of all above it.
var AssembleEffectiveTagSet = Op[OracleListIn, page.Page[OracleNoun]]{
	Name:   "AssembleEffectiveTagSet",
	Grants: Names{AWS: "warifu:AssembleEffectiveTagSet", OCI: "AssembleEffectiveTagSet"},
	Target: func(env *Env, in OracleListIn) (Target, error) {
		return env.inCompartment("tag default", in.Compartment)
	},
	Do: func(env *Env, in OracleListIn) (out page.Page[OracleNoun], err error) {
		compartment, err := env.openCompartment(in.Compartment)
		if err != nil {
			return out, err
		}
		all, err := env.effectiveDefaults(compartment)
		for i := range all {
			out.Items = append(out.Items, *oracleNoun(&all[i]))
		}
		return out, err
	},
}

// ListCostTrackingTags lists the tags by which costs are told apart, wherever their
// namespaces lie.
var ListCostTrackingTags = Op[OracleListIn, page.Page[OracleNoun]]{
	Name:   "ListCostTrackingTags",
	Grants: Names{AWS: "warifu:ListTags", OCI: "ListCostTrackingTags"},
	Target: func(env *Env, in OracleListIn) (Target, error) { return env.inCompartment("tag", in.Compartment) },
	Do: func(env *Env, in OracleListIn) (out page.Page[OracleNoun], err error) {
		if err := env.inRoot(in.Compartment); err != nil {
			return out, err
		}
		all, err := env.Tx.OracleNouns(env.Call.Caller.Account, iam.OracleTag)
		if err != nil {
			return out, err
		}
		var shown []OracleNoun
		for i := range all {
			if truly(fieldsOf(&all[i]).Costs) {
				n, err := tagDefinitions.shown(env, &all[i])
				if err != nil {
					return out, err
				}
				shown = append(shown, *n)
			}
		}
		return pagedNouns(env, "ListCostTrackingTags", in.OracleList, shown)
	},
}

// effectiveDefaults are the tag defaults that count in a compartment. A default of a
// compartment goes before one of the same tag above it.
func (env *Env) effectiveDefaults(compartment name.ID) (out []iam.OracleNoun, err error) {
	a := env.Call.Caller.Account
	all, err := env.Tx.OracleNouns(a, iam.OracleTagDefault)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	depth := map[name.ID]int{0: 1}
	if compartment != 0 {
		path, err := env.Tx.OracleCompartmentPath(a, compartment)
		if err != nil {
			return nil, err
		}
		for i := range path {
			depth[path[i].ID] = i + 2
		}
	}
	at := map[name.ID]int{} // where each tag's default is in out
	for i := range all {
		tag := fieldsOf(&all[i]).Definition
		old, seen := at[tag]
		switch {
		case depth[all[i].Parent] == 0:
		case !seen:
			at[tag] = len(out)
			out = append(out, all[i])
		case depth[all[i].Parent] > depth[out[old].Parent]:
			out[old] = all[i]
		}
	}
	return out, nil
}

// tagNew gives a new noun in a compartment the defaults that it was not given.
func (env *Env) tagNew(compartment name.ID, t *iam.OracleTags) error {
	defaults, err := env.effectiveDefaults(compartment)
	if err != nil {
		return err
	}
	for i := range defaults {
		f := fieldsOf(&defaults[i])
		tag, err := env.Tx.OracleNoun(defaults[i].Account, iam.OracleTag, f.Definition)
		if err != nil {
			return err
		}
		namespace, err := env.Tx.OracleNoun(tag.Account, iam.OracleTagNamespace, tag.Parent)
		if err != nil {
			return err
		}
		if hasTag(t, namespace.Name, tag.Name) || truly(fieldsOf(tag).Retired) || truly(fieldsOf(namespace).Retired) {
			continue
		}
		if truly(f.Required) || f.Value == nil {
			return fault.Field("definedTags", "definedTags: the tag %s.%s must be given here", namespace.Name, tag.Name)
		}
		setTag(t, namespace.Name, tag.Name, strings.NewReplacer(
			"${iam.principal.name}", env.callerName(), "${iam.principal.type}", "User", "${oci.datetime}", env.Now.UTC().Format("2006-01-02T15:04:05.000Z"),
		).Replace(*f.Value))
	}
	return nil
}

func hasTag(t *iam.OracleTags, namespace, tag string) bool {
	for n, keys := range t.Defined {
		for k := range keys {
			if strings.EqualFold(n, namespace) && strings.EqualFold(k, tag) {
				return true
			}
		}
	}
	return false
}

// setTag sets a tag in maps of its own: those that were sent are the client's.
func setTag(t *iam.OracleTags, namespace, tag, value string) {
	all := make(map[string]map[string]any, len(t.Defined)+1)
	for n, keys := range t.Defined {
		all[n] = keys
	}
	keys := map[string]any{tag: value}
	for k, v := range all[namespace] {
		keys[k] = v
	}
	all[namespace], t.Defined = keys, all
}

// checkDefined refuses defined tags that are not defined, are retired, or have a value
// that is not good. What a noun has already may stay.
func (env *Env) checkDefined(sent, old map[string]map[string]any) error {
	a := env.Call.Caller.Account
	for called, keys := range sent {
		namespace, err := env.Tx.OracleNounAt(a, iam.OracleTagNamespace, strings.ToLower(called))
		if fault.Is(err, fault.NotFound) {
			return fault.Field("definedTags", "definedTags: there is no tag namespace %q", called)
		}
		if err != nil {
			return err
		}
		for key, value := range keys {
			if was, has := old[called][key]; has && was == value {
				continue
			}
			tag, err := env.Tx.OracleNounAt(a, iam.OracleTag, compartmentSlot(namespace.ID, key))
			switch {
			case fault.Is(err, fault.NotFound):
				return fault.Field("definedTags", "definedTags: the tag namespace %s has no tag %q", namespace.Name, key)
			case err != nil:
				return err
			case truly(fieldsOf(namespace).Retired):
				return fault.Field("definedTags", "definedTags: the tag namespace %s is retired", namespace.Name)
			}
			if err := goodTag(tag, namespace.Name+".", value); err != nil {
				return err
			}
		}
	}
	return nil
}

// goodTag refuses a value that a tag does not take.
func goodTag(tag *iam.OracleNoun, prefix string, value any) error {
	f := fieldsOf(tag)
	text := fmt.Sprint(value)
	switch {
	case truly(f.Retired):
		return fault.Field("definedTags", "definedTags: the tag %s%s is retired", prefix, tag.Name)
	case len(text) > maxTagValue:
		return fault.Field("definedTags", "definedTags: the value of %s%s has more than %d characters", prefix, tag.Name, maxTagValue)
	case len(f.Values) > 0 && !slices.Contains(f.Values, text):
		return fault.Field("definedTags", "definedTags: the tag %s%s takes one of %s", prefix, tag.Name, strings.Join(f.Values, ", "))
	}
	return nil
}
