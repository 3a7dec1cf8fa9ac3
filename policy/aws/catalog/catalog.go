package catalog

import (
	"slices"
	"strings"
)

//go:generate go run gen/main.go $IAM_DATA

// Access is the class in which AWS's service authorization reference puts an
// action.
type Access byte

// The five classes. An action has exactly one.
const (
	Read                  Access = 'R' // reads the content or attributes of a resource
	List                  Access = 'L' // discovers what exists
	Write                 Access = 'W' // creates, changes or deletes
	Tagging               Access = 'T' // changes tags and nothing else
	PermissionsManagement Access = 'P' // grants or changes permissions
)

// String is the class as AWS's reference prints it.
func (a Access) String() string {
	switch a {
	case Read:
		return "Read"
	case List:
		return "List"
	case Write:
		return "Write"
	case Tagging:
		return "Tagging"
	case PermissionsManagement:
		return "Permissions management"
	}
	return "Unknown"
}

// Service is one prefix of the policy language.
type Service struct {
	Prefix string // as written before the colon: "s3"
	Name   string // "Amazon S3"
}

// Info describes one action.
type Info struct {
	Name      string           // in its documented case, without the service prefix
	Access    Access           //
	Resources []ActionResource // resource types; none: the action is authorised on "*"
	Keys      []string         // condition keys that the action carries on any resource
	Dependent []string         // "service:Action" that the caller needs as well
}

// ActionResource is a resource type that an action is authorised on.
type ActionResource struct {
	Type     string   // a ResourceType's Name
	Required bool     // a statement must cover one of this type; false: depends on the parameters
	Keys     []string // condition keys present for this resource type
}

// ResourceType is one kind of ARN of a service.
type ResourceType struct {
	Name string   // "bucket"
	ARN  string   // "arn:${Partition}:s3:::${BucketName}"; empty where AWS documents none
	Keys []string // condition keys that describe such a resource
}

// Key is a condition key.
type Key struct {
	Name string // as documented, variables included: "aws:RequestTag/${TagKey}"
	Type string // String, ArrayOfString, ARN, ArrayOfARN, Bool, ArrayOfBool, Numeric, Date, IPAddress; empty where not documented
}

// Services lists every service, sorted by prefix. The slice is the caller's.
func Services() []Service {
	return slices.Clone(index().services)
}

// KnownService reports whether the prefix (in any case) names a service.
func KnownService(service string) bool {
	return table(service) != nil
}

// Action finds an action by service prefix and name, both in any case.
func Action(service, name string) (Info, bool) {
	t := table(service)
	if t == nil {
		return Info{}, false
	}
	i, found := t.action[strings.ToLower(name)]
	if !found {
		return Info{}, false
	}
	return t.actions[i], true
}

// Actions lists the actions of a service, sorted by name; nil if the service
// is unknown. The slice is the caller's, the slices inside are shared: do not
// write to them.
func Actions(service string) []Info {
	t := table(service)
	if t == nil {
		return nil
	}
	return slices.Clone(t.actions)
}

// ResourceTypes lists the resource types of a service, sorted by name; nil if
// there are none or the service is unknown. As with Actions, the slice is the
// caller's and what it refers to is shared.
func ResourceTypes(service string) []ResourceType {
	t := table(service)
	if t == nil {
		return nil
	}
	return slices.Clone(t.types)
}

// ResourceTypeOf finds one resource type of a service by name, in any case.
func ResourceTypeOf(service, name string) (ResourceType, bool) {
	t := table(service)
	if t == nil {
		return ResourceType{}, false
	}
	i := slices.IndexFunc(t.types, func(r ResourceType) bool { return strings.EqualFold(r.Name, name) })
	if i < 0 {
		return ResourceType{}, false
	}
	return t.types[i], true
}

// ConditionKeys lists the condition keys of a service, or the global keys for
// the service "aws". The slice is the caller's.
func ConditionKeys(service string) []Key {
	t := table(service)
	if strings.EqualFold(service, global) {
		t = index().blocks[global]()
	}
	if t == nil {
		return nil
	}
	return slices.Clone(t.keys)
}

// ConditionKey finds the key that a policy writes as key, in any case, among
// the keys of the service and the global ones. A key with a variable part is
// found by any filling of it: "s3:ExistingObjectTag/team".
func ConditionKey(service, key string) (Key, bool) {
	lower := strings.ToLower(key)
	if t := table(service); t != nil {
		if k, found := t.findKey(lower); found {
			return k, true
		}
	}
	if !strings.HasPrefix(lower, global+":") {
		return Key{}, false
	}
	return index().blocks[global]().findKey(lower)
}

// ConditionKeyKnown reports whether ConditionKey finds the key.
func ConditionKeyKnown(service, key string) bool {
	_, known := ConditionKey(service, key)
	return known
}
