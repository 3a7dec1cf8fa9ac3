package managed

import (
	"embed"
	"slices"
	"strings"
	"sync"
	"time"
)

// Policy is one AWS managed policy.
type Policy struct {
	Name           string // "AmazonEC2FullAccess"
	Path           string // "/" or "/job-function/"
	ARN            string // "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
	ID             string // "ANPA" and 17 characters
	Description    string
	DefaultVersion string    // "v5"; the only version served
	Created        time.Time // when AWS created the policy
	Updated        time.Time // when AWS made the default version
	Document       string    // JSON, Version 2012-10-17
}

// arnPrefix is what all ARNs of AWS managed policies begin with.
const arnPrefix = "arn:aws:iam::aws:policy"

//go:embed documents/*.json
var documents embed.FS

// policies is built on first use and constant from then on.
var policies = sync.OnceValue(build)

// All lists the policies, sorted by name. The slice is the caller's.
func All() []Policy { return slices.Clone(policies()) }

// Lookup finds a policy by its ARN. ARNs are case-sensitive.
func Lookup(arn string) (Policy, bool) {
	if !strings.HasPrefix(arn, arnPrefix) {
		return Policy{}, false
	}
	list := policies()
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	i, found := slices.BinarySearchFunc(list, name, func(p Policy, name string) int { return strings.Compare(p.Name, name) })
	if !found || list[i].ARN != arn {
		return Policy{}, false
	}
	return list[i], true
}

func build() []Policy {
	list := make([]Policy, len(table))
	for i, row := range table {
		text, err := documents.ReadFile("documents/" + row.name + ".json")
		if err != nil {
			panic("managed: " + err.Error()) // the table names a document that is not in the binary
		}
		list[i] = Policy{
			Name: row.name, Path: row.path, ARN: arnPrefix + row.path + row.name, ID: row.id,
			Description: row.description, DefaultVersion: row.version,
			Created: date(row.created), Updated: date(row.updated),
			Document: string(text),
		}
	}
	return list
}

func date(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic("managed: " + err.Error())
	}
	return t
}
