package oci

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// packed is permissions.txt, compressed: a fifth of the size in the program. Package
// gen makes both from the facts.
//
//go:embed permissions.flate
var packed []byte

// allResources is the family of everything.
const allResources = "all-resources"

// grants are the permissions that each verb on a resource type adds.
type grants [verbs][]string

// tables are the permissions of OCI's services.
type tables struct {
	types      map[string]*grants  // also families, by name
	operations map[string][]string // by name in lower case
	level      map[string]verb     // of a permission: the least verb that grants it somewhere
	byLevel    [verbs][]string     // the permissions of each level, sorted
}

// known returns the tables, which are unpacked when they are first asked for.
var known = sync.OnceValue(func() *tables { return newTables(unpack()) })

func unpack() string {
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		panic(fmt.Sprintf("the embedded table of permissions is damaged: %v", err))
	}
	return string(text)
}

func newTables(text string) *tables {
	t := &tables{types: map[string]*grants{}, operations: map[string][]string{}, level: map[string]verb{}}
	var late []string // what refers to types that come later
	for line := range strings.Lines(text) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, words, _ := strings.Cut(rest, " ")
		switch kind {
		case "type":
			t.types[name] = perVerb(words)
		case "op":
			t.operations[strings.ToLower(name)] = strings.Fields(words)
		default:
			late = append(late, line)
		}
	}
	for _, f := range fixes {
		t.fix(&f)
	}
	for _, line := range append(late, moreFamilies...) {
		kind, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, words, _ := strings.Cut(rest, " ")
		t.refer(kind, name, words)
	}
	for op, permissions := range identity {
		t.operations[strings.ToLower(op)] = permissions
	}
	t.grade()
	return t
}

// perVerb reads what each verb adds.
func perVerb(words string) *grants {
	g := &grants{}
	for v, list := range strings.Fields(words) {
		if list != "-" {
			g[v] = strings.Split(list, ",")
		}
	}
	return g
}

// fix adds what the facts leave out.
func (t *tables) fix(f *fix) {
	g := t.types[f.resource]
	g[f.verb] = append(g[f.verb], f.permissions...)
}

// refer reads a line about types that are known by now.
func (t *tables) refer(kind, name, words string) {
	switch kind {
	case "family":
		g := &grants{}
		for _, member := range strings.Fields(words) {
			if m := t.find(member); m != nil {
				g.add(m)
			}
		}
		t.types[name] = g
	case "extra":
		t.types[name].add(perVerb(words))
	case "alias":
		t.types[name] = t.types[words]
	}
}

// add adds what another type grants.
func (g *grants) add(more *grants) {
	for v := range g {
		g[v] = append(g[v][:len(g[v]):len(g[v])], more[v]...)
	}
}

// grade works out the least verb of each permission.
func (t *tables) grade() {
	for _, g := range t.types {
		for v := range g {
			for _, p := range g[v] {
				if old, ok := t.level[p]; !ok || verb(v) < old {
					t.level[p] = verb(v)
				}
			}
		}
	}
	for p, v := range t.level {
		t.byLevel[v] = append(t.byLevel[v], p)
	}
	for v := range t.byLevel {
		slices.Sort(t.byLevel[v])
	}
}

// find returns a type or family. The documentation writes some names in the
// singular in one place and in the plural in another.
func (t *tables) find(name string) *grants {
	for _, spelling := range []string{name, name + "s", strings.TrimSuffix(name, "s"), strings.ReplaceAll(name, "virtualnode", "virtual-node")} {
		if g := t.types[spelling]; g != nil {
			return g
		}
	}
	return nil
}

// granted returns the permissions of a resource type that the verbs from one to
// another add: each once, sorted.
func granted(resource string, from, to verb) []string {
	t := known()
	g := &grants{}
	if resource == allResources {
		*g = t.byLevel
	} else if found := t.find(resource); found != nil {
		g = found
	}
	var out []string
	for v := from; v <= to; v++ {
		out = append(out, g[v]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Granted returns the permissions that a verb on a resource type or family grants:
// what it adds and what the verbs below it grant. False is an unknown verb or type.
func Granted(verbName, resource string) ([]string, bool) {
	v, ok := parseVerb(verbName)
	resource = strings.ToLower(resource)
	if !ok || v == associate || resource != allResources && known().find(resource) == nil {
		return nil, false
	}
	return granted(resource, inspect, v), true
}

// Permissions returns what an operation needs, by its name in OCI's API reference.
// False is an operation that the table does not have. An operation of the Identity
// service goes before those of other services that share its name.
func Permissions(operation string) ([]string, bool) {
	p, ok := known().operations[strings.ToLower(operation)]
	return p, ok
}

// Grantor tells which verb on which resource type grants a permission, with the
// least verb of the first type by name; for messages. False if none does.
func Grantor(permission string) (verbName, resource string, ok bool) {
	t := known()
	level, ok := t.level[strings.ToUpper(permission)]
	if !ok {
		return "", "", false
	}
	for name, g := range t.types {
		if strings.HasSuffix(name, "-family") || resource != "" && name > resource {
			continue
		}
		if slices.Contains(g[level], strings.ToUpper(permission)) {
			resource = name
		}
	}
	return level.String(), resource, resource != ""
}
