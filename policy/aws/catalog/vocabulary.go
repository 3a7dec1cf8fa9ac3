package catalog

import (
	"slices"
	"strings"

	"warifu/policy/aws"
)

// Vocabulary is what a linter has to know of AWS's services. Condition keys that begin
// with one of the prefixes in own are known as well.
func Vocabulary(own ...string) aws.Vocabulary {
	return aws.Vocabulary{
		Actions: func(service string) ([]string, bool) {
			var names []string
			for _, a := range Actions(service) {
				names = append(names, a.Name)
			}
			return names, KnownService(service)
		},
		Key: func(service, key string) bool {
			begins := func(prefix string) bool { return strings.HasPrefix(strings.ToLower(key), prefix) }
			return slices.ContainsFunc(own, begins) || ConditionKeyKnown(service, key)
		},
	}
}
