package alibaba_test

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"warifu/internal/api/alibaba"
)

// member is a parameter of a request or a member of an answer in the digest of a
// service's model.
type member struct {
	name, typ string
	members   []member
}

// operation is one operation of a digest.
type operation struct {
	name              string
	request, response []member
}

// The digests in testdata list every operation of a service with its request and
// its response, indented by two spaces a level, as the generated SDKs have them.
var services = []struct{ name, version, file string }{
	{"RAM", ram, "ram-20150501.txt"},
	{"IMS", ims, "ims-20190815.txt"},
	{"STS", sts, "sts-20150401.txt"},
	{"ResourceManager", manager, "resourcemanager-20200331.txt"},
	{"ActionTrail", trail, "actiontrail-20200706.txt"},
}

func digest(t *testing.T, file string) (all []operation) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var at *[]member
	var path []*[]member
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\n")
		text := strings.TrimLeft(line, " ")
		depth := (len(line) - len(text)) / 2
		switch {
		case text == "" || strings.HasPrefix(text, "HTTP"):
		case strings.HasPrefix(text, "### "):
			all = append(all, operation{name: text[4:]})
		case text == "REQUEST":
			at = &all[len(all)-1].request
			path = []*[]member{at}
		case text == "RESPONSE":
			at = &all[len(all)-1].response
			path = []*[]member{at}
		default:
			name, typ, ok := strings.Cut(text, ": ")
			if !ok || depth < 1 || depth > len(path) {
				t.Fatalf("%s: cannot read %q", file, line)
			}
			in := path[depth-1]
			*in = append(*in, member{name: strings.TrimSuffix(name, "!"), typ: typ})
			path = append(path[:depth], &(*in)[len(*in)-1].members)
		}
	}
	return all
}

// ignored are parameters that are read over, with the reason; the key is the
// operation and the parameter, or the parameter alone.
var ignored = map[string]string{
	"ListPolicies.Tag": "lists are not filtered by tag",
	"ListRoles.Tag":    "lists are not filtered by tag",
}

// added are parameters that the door takes although the SDKs do not have them.
var added = map[string]string{
	"AssumeRole.SerialNumber":                  "a second factor for trust policies that ask for one",
	"AssumeRole.TokenCode":                     "a second factor for trust policies that ask for one",
	"SetSecurityPreference.EnforceMFAForLogin": "of older clients",
}

// unanswered are members of answers that the door does not have.
var unanswered = map[string]string{}

// TestShapes: each binding takes what the model takes and answers what it answers.
func TestShapes(t *testing.T) {
	bound := map[string]alibaba.Bound{}
	for _, a := range alibaba.Actions() {
		bound[a.Version+" "+a.Name] = a
	}
	seen := 0
	for _, s := range services {
		all := digest(t, s.file)
		if want := map[string]int{"RAM": 66, "IMS": 105, "STS": 4, "ResourceManager": 112, "ActionTrail": 36}[s.name]; len(all) != want {
			t.Errorf("the digest of %s has %d operations, want %d", s.name, len(all), want)
		}
		for _, op := range all {
			a, ok := bound[s.version+" "+op.name]
			if !ok {
				continue
			}
			seen++
			takes := parameters(a.In)
			for _, m := range op.request {
				if !slices.Contains(takes, m.name) && ignored[op.name+"."+m.name] == "" {
					t.Errorf("%s.%s does not take %s", s.name, op.name, m.name)
				}
			}
			for _, p := range takes {
				known := slices.ContainsFunc(op.request, func(m member) bool { return m.name == p })
				if _, extra := added[op.name+"."+p]; !known && !extra {
					t.Errorf("%s.%s takes %s, which the model does not have", s.name, op.name, p)
				}
			}
			compare(t, s.name+"."+op.name, op.response, a.Out, true)
		}
	}
	if seen != len(bound) {
		t.Errorf("%d bindings, %d of them in the models", len(bound), seen)
	}
}

// parameters are the fields of a shape.
func parameters(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous || f.Tag.Get("flat") == "true" {
			names = append(names, parameters(f.Type)...)
		} else {
			names = append(names, f.Name)
		}
	}
	return names
}

// members are the fields of an answer by name.
func members(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			for n, typ := range members(f.Type) {
				out[n] = typ
			}
		} else {
			out[f.Name] = f.Type
		}
	}
	return out
}

// compare checks that an answer has the members of the model and no others, at
// every level, each of its kind.
func compare(t *testing.T, at string, want []member, got reflect.Type, top bool) {
	t.Helper()
	has := members(got)
	for _, m := range want {
		if top && m.name == "RequestId" {
			continue
		}
		typ, ok := has[m.name]
		delete(has, m.name)
		where := at + "." + m.name
		if !ok {
			if unanswered[where] == "" {
				t.Errorf("%s is not answered", where)
			}
			continue
		}
		if m.typ == "[]map[string]interface{}" { // of a form that the model leaves open
			continue
		}
		list := strings.HasPrefix(m.typ, "[]")
		if list != (typ.Kind() == reflect.Slice) {
			t.Errorf("%s is %s, the model's is %s", where, typ, m.typ)
			continue
		}
		if list {
			typ = typ.Elem()
		}
		kind := map[string]reflect.Kind{"string": reflect.String, "bool": reflect.Bool, "object": reflect.Struct, "int32": reflect.Int, "int64": reflect.Int}[strings.TrimPrefix(m.typ, "[]")]
		if typ.Kind() != kind {
			t.Errorf("%s is %s, the model's is %s", where, typ, m.typ)
		}
		if kind == reflect.Struct && typ.Kind() == kind {
			compare(t, where, m.members, typ, false)
		}
	}
	for name := range has {
		t.Errorf("%s.%s is not in the model", at, name)
	}
}

// reasons say why operations are not served.
var reasons = []struct{ reason, operations string }{
	{"Applications that act for users are not part of this server.", "CreateApplication GetApplication UpdateApplication DeleteApplication ListApplications CreateAppSecret GetAppSecret DeleteAppSecret ListAppSecretIds ProvisionApplication DeprovisionApplication ProvisionExternalApplication DeprovisionExternalApplication GetExternalApplication ListExternalApplications GetApplicationProvisionInfo ListApplicationProvisionInfos ListPredefinedScopes"},
	{"Governance reports are Alibaba Cloud's own.", "GenerateGovernanceReport GetGovernanceReportStatus GetGovernanceItemReport ListRecentGovernanceMetrics"},
	{"From where a key is good is said by policies, with acs:SourceIp; a VPC is not known here.", "GetAccessKeyPolicy SetAccessKeyPolicy"},
	{"Users sign in here; identity providers vouch for roles.", "SetUserSsoSettings"},
	{"Service credentials are keys to services that are Alibaba Cloud's own.", "CreateServiceCredential GetServiceCredential UpdateServiceCredential DeleteServiceCredential ListServiceCredentials"},
}

// servicesReasons say so of all that is not served of a service.
var servicesReasons = map[string]string{
	"ResourceManager": "Resource directories, folders, and shared or imported resources are not part of this server",
	"ActionTrail":     "Events are looked up here; queries that are kept and alerts are in the console, and delivery is in the configuration",
}

func reason(service, op string) string {
	if r := servicesReasons[service]; r != "" {
		return r
	}
	for _, r := range reasons {
		if slices.Contains(strings.Fields(r.operations), op) {
			return r.reason
		}
	}
	return "not yet"
}

var update = flag.Bool("update", false, "write the table of operations into docs/divergences/alibaba.md")

const (
	document   = "../../../docs/divergences/alibaba.md"
	tableBegin = "<!-- operations: written by the test of internal/api/alibaba with -update -->\n"
	tableEnd   = "<!-- end of operations -->\n"
)

// TestCoverageTable: the document says which operations are served.
func TestCoverageTable(t *testing.T) {
	bound := map[string]bool{}
	for _, a := range alibaba.Actions() {
		bound[a.Version+" "+a.Name] = true
	}
	var b strings.Builder
	for _, s := range services {
		all := digest(t, s.file)
		var served []string
		missing := map[string][]string{}
		for _, op := range all {
			if bound[s.version+" "+op.name] {
				served = append(served, op.name)
			} else {
				why := reason(s.name, op.name)
				missing[why] = append(missing[why], op.name)
			}
		}
		fmt.Fprintf(&b, "### %s %s: %d of %d\n\nServed: %s.\n", s.name, s.version, len(served), len(all), strings.Join(served, ", "))
		var why []string
		for r := range missing {
			why = append(why, r)
		}
		slices.Sort(why)
		for _, r := range why {
			fmt.Fprintf(&b, "\nNot served (%s): %s.\n", strings.TrimSuffix(r, "."), strings.Join(missing[r], ", "))
		}
		b.WriteString("\n")
	}
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegin)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok || !ok2 {
		t.Fatal("the document has no place for the table")
	}
	want := before + tableBegin + "\n" + b.String() + tableEnd + after
	if *update {
		if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(text) {
		t.Error("the table in docs/divergences/alibaba.md is out of date: run go test ./internal/api/alibaba -run CoverageTable -update")
	}
}
