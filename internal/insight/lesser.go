package insight

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Need is a permission that was used, under the names of each language; one that has
// no name in a language cannot be given there.
type Need struct {
	AWS      string // "iam:CreateUser"
	RAM      []string
	Oracle   []string // permissions
	Resource string   // ARN; "*" = none in particular
	ACS      string   // the same as Alibaba Cloud spells it; "" = it cannot
}

// Text is a policy that was written from needs.
type Text struct {
	Document   string   // JSON; of Oracle's language a statement to a line. "" = there is nothing to say
	Unsayable  []string // actions that the language has no name for
	Wider      bool     // resources were named by what they are a part of: the exact text would be too long
	Statements int
}

// statement is actions on the same resources.
type statement struct{ actions, resources []string }

// grouped puts needs together that are about the same resources, in an order that
// depends on nothing else.
func grouped(needs map[string][]string) []statement {
	by := map[string]*statement{}
	for action, resources := range needs {
		slices.Sort(resources)
		resources = slices.Compact(resources)
		if slices.Contains(resources, "*") {
			resources = []string{"*"}
		}
		key := strings.Join(resources, "\n")
		if by[key] == nil {
			by[key] = &statement{resources: resources}
		}
		by[key].actions = append(by[key].actions, action)
	}
	var all []statement
	for _, s := range by {
		slices.SortFunc(s.actions, func(a, b string) int {
			return cmp.Or(cmp.Compare(strings.ToLower(a), strings.ToLower(b)), cmp.Compare(a, b))
		})
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b statement) int { return cmp.Compare(a.actions[0], b.actions[0]) })
	return all
}

// InAWS writes what was used in AWS's language, as long as quota allows by size.
func InAWS(needs []Need, quota int, size func([]byte) int) Text {
	return inJSON("2012-10-17", needs, quota, size, func(n *Need) ([]string, string) {
		if n.AWS == "" {
			return nil, ""
		}
		return []string{n.AWS}, literal.Replace(n.Resource)
	})
}

// literal spells characters of a resource's name that would be a wildcard or begin a
// variable. A star stays: it stands where resources are named by what they are a part
// of.
var literal = strings.NewReplacer("$", "${$}", "?", "${?}")

// InRAM writes the same in Alibaba Cloud's.
func InRAM(needs []Need, quota int, size func([]byte) int) Text {
	return inJSON("1", needs, quota, size, func(n *Need) ([]string, string) { return n.RAM, n.ACS })
}

func inJSON(version string, needs []Need, quota int, size func([]byte) int, names func(*Need) ([]string, string)) (t Text) {
	said := map[string][]string{}
	unsayable := map[string]bool{}
	for i := range needs {
		actions, resource := names(&needs[i])
		if len(actions) == 0 || resource == "" {
			unsayable[cmp.Or(needs[i].AWS, strings.Join(needs[i].RAM, " "), strings.Join(needs[i].Oracle, " "))] = true
			continue
		}
		for _, a := range actions {
			said[a] = append(said[a], resource)
		}
	}
	t.Unsayable = slices.Sorted(maps.Keys(unsayable))
	if len(said) == 0 {
		return t
	}
	for _, wider := range []func(string) string{func(r string) string { return r }, Wider, func(string) string { return "*" }} {
		t.Document, t.Statements = spell(version, said, wider)
		if size([]byte(t.Document)) <= quota {
			return t
		}
		t.Wider = true
	}
	return t
}

func spell(version string, said map[string][]string, wider func(string) string) (text string, statements int) {
	wide := make(map[string][]string, len(said))
	for a, resources := range said {
		for _, r := range resources {
			wide[a] = append(wide[a], wider(r))
		}
	}
	type spelled struct {
		Effect   string
		Action   any
		Resource any
	}
	doc := struct {
		Version   string
		Statement []spelled
	}{Version: version}
	for _, s := range grouped(wide) {
		doc.Statement = append(doc.Statement, spelled{"Allow", alone(s.actions), alone(s.resources)})
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return "", 0 // texts and lists of texts are always spelled
	}
	return string(b) + "\n", len(doc.Statement)
}

// alone is the one of a list of one.
func alone(all []string) any {
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// InOracle writes what was used in Oracle's language, for a user by its OCID: its
// statements are about whole compartments, so what they say of single resources is
// lost.
func InOracle(needs []Need, user string) (t Text) {
	said, unsayable := map[string]bool{}, map[string]bool{}
	for i := range needs {
		n := &needs[i]
		if len(n.Oracle) == 0 || user == "" {
			unsayable[cmp.Or(n.AWS, strings.Join(n.RAM, " "))] = true
			continue
		}
		t.Wider = t.Wider || n.Resource != "*"
		for _, p := range n.Oracle {
			said[p] = true
		}
	}
	t.Unsayable = slices.Sorted(maps.Keys(unsayable))
	if len(said) > 0 {
		t.Statements = 1
		t.Document = "Allow any-user to {" + strings.Join(slices.Sorted(maps.Keys(said)), ", ") + "} in tenancy where request.user.id = '" + user + "'\n"
	}
	return t
}
