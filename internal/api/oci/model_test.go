package oci

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated part of docs/divergences/oci.md")

// field is a field of a request or model in the digest of the service's model.
type field struct {
	Name, In, Type string
	Required       bool
}

type model struct {
	Operations map[string]struct {
		Method, Path string
		In           []field
		Out          []string
	}
	Models map[string][]field
}

func readModel(t *testing.T) (m model) {
	t.Helper()
	text, err := os.ReadFile("testdata/identity.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// jsonNames are the names of a struct's fields in JSON, also of embedded ones.
func jsonNames(t reflect.Type) map[string]bool {
	all := map[string]bool{}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			all[name] = true
		}
	}
	return all
}

// concrete are the only forms that models have which say their form.
var concrete = map[string]string{
	"IdentityProvider": "Saml2IdentityProvider", "CreateIdentityProviderDetails": "CreateSaml2IdentityProviderDetails",
	"UpdateIdentityProviderDetails": "UpdateSaml2IdentityProviderDetails",
}

// model is a model by its name.
func (m *model) model(name string) []field {
	if form, ok := concrete[name]; ok {
		return append(slices.Clone(m.Models[form]), field{Name: "protocol", Type: "string"})
	}
	return m.Models[name]
}

// answered by the door itself, for every operation.
var everywhere = []string{"opc-request-id", "opc-retry-token"}

// Every binding is one of the service's operations, with its method and path; what it
// reads and answers is in the model, and what must be there is.
func TestShapesAreThoseOfTheModel(t *testing.T) {
	m := readModel(t)
	bound := map[string][]string{} // what of the model is left out
	for _, b := range bindings(&Config{}) {
		op, ok := m.Operations[b.name]
		if path := "/" + strings.Join(b.path, "/"); !ok || op.Method != b.method || op.Path != path {
			t.Errorf("%s %s %s is not in the model", b.name, b.method, path)
			continue
		}
		if _, twice := bound[b.name]; twice {
			t.Errorf("%s is bound twice", b.name)
		}
		bound[b.name] = append(inputs(t, &b, m, op.In), outputs(t, &b, m, op.Out)...)
	}
	if len(bound) < 100 {
		t.Errorf("only %d operations", len(bound))
	}
	cover(t, m, bound)
}

func inputs(t *testing.T, b *binding, m model, want []field) (left []string) {
	t.Helper()
	have := map[string]reflect.StructField{}
	var body reflect.Type
	for _, f := range reflect.VisibleFields(b.in) {
		for _, where := range []string{"path", "query", "header"} {
			if name, ok := f.Tag.Lookup(where); ok {
				have[where+" "+name] = f
			}
		}
		if _, ok := f.Tag.Lookup("retry"); ok {
			have["header opc-retry-token"] = f
		}
		if _, ok := f.Tag.Lookup("body"); ok {
			body = f.Type
		}
	}
	model := map[string]field{}
	for _, f := range want {
		if f.In == "body" {
			left = append(left, compare(t, b.name, body, m.model(f.Type), true)...)
			continue
		}
		model[f.In+" "+f.Name] = f
		if _, ok := have[f.In+" "+f.Name]; !ok && !slices.Contains(everywhere, f.Name) {
			if f.Required {
				t.Errorf("%s leaves out %s, which must be sent", b.name, f.Name)
			}
			left = append(left, f.Name)
		}
	}
	for name := range have {
		if _, ok := model[name]; !ok && name != "header if-match" && name != "header opc-retry-token" {
			t.Errorf("%s reads %s, which is not in the model", b.name, name)
		}
	}
	return left
}

// compare checks a shape against a model, and returns what the shape leaves out.
func compare(t *testing.T, path string, shape reflect.Type, want []field, input bool) (left []string) {
	t.Helper()
	if shape == nil {
		if len(want) > 0 {
			t.Errorf("%s has no body", path)
		}
		return nil
	}
	have := jsonNames(shape)
	known := map[string]bool{}
	for _, f := range want {
		known[f.Name] = true
		if !have[f.Name] {
			if f.Required {
				t.Errorf("%s leaves out %s, which must be there", path, f.Name)
			}
			left = append(left, f.Name)
		}
	}
	for name := range have {
		if !known[name] {
			t.Errorf("%s has %s, which is not in the model", path, name)
		}
	}
	return left
}

func outputs(t *testing.T, b *binding, m model, want []string) (left []string) {
	t.Helper()
	shape := b.out
	if len(want) == 0 || want[0] == "" {
		if shape != reflect.TypeFor[none]() {
			t.Errorf("%s has an answer, the model has none", b.name)
		}
		return nil
	}
	of := want[0]
	if element, list := strings.CutPrefix(of, "[]"); list {
		if shape.Kind() != reflect.Slice {
			t.Errorf("%s answers no list", b.name)
			return nil
		}
		of, shape = element, shape.Elem()
	}
	for _, name := range compareOut(t, b.name, shape, m.model(of)) {
		left = append(left, "→ "+name)
	}
	return left
}

// compareOut is compare for answers. One shape serves a noun and its summary, whose
// model has no secret; the secret is left out there.
func compareOut(t *testing.T, path string, shape reflect.Type, want []field) (left []string) {
	t.Helper()
	have := jsonNames(shape)
	known := map[string]bool{}
	for _, f := range want {
		known[f.Name] = true
		if !have[f.Name] {
			if f.Required {
				t.Errorf("%s does not answer %s, which must be there", path, f.Name)
			}
			left = append(left, f.Name)
		}
	}
	for name := range have {
		if !known[name] && !slices.Contains([]string{"key", "password", "token", "freeformTags", "definedTags", "availabilityDomain"}, name) {
			t.Errorf("%s answers %s, which is not in the model", path, name)
		}
	}
	return left
}

// cover compares the generated part of the page about differences.
func cover(t *testing.T, m model, bound map[string][]string) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d operations are answered.\n\n| operation | | left out |\n|---|---|---|\n", len(bound), len(m.Operations))
	for _, name := range slices.Sorted(maps.Keys(m.Operations)) {
		left, ok := bound[name]
		if !ok {
			fmt.Fprintf(&b, "| %s | no | |\n", name)
			continue
		}
		slices.Sort(left)
		fmt.Fprintf(&b, "| %s | yes | %s |\n", name, strings.Join(slices.Compact(left), ", "))
	}
	const file = "../../../docs/divergences/oci.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), "<!-- begin coverage -->\n")
	_, tail, ok2 := strings.Cut(rest, "<!-- end coverage -->")
	if !ok || !ok2 {
		t.Fatal("the page has no place for the table")
	}
	want := head + "<!-- begin coverage -->\n" + b.String() + "<!-- end coverage -->" + tail
	if want == string(text) {
		return
	}
	if !*update {
		t.Error("docs/divergences/oci.md is not up to date: run go test ./internal/api/oci -run Model -update")
		return
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What is not answered says so: 501, and not that it was not found.
func TestWhatIsNotAnsweredSaysSo(t *testing.T) {
	s := newSite(t)
	all := bindings(&s.door.Config)
	answered := map[string]bool{}
	for _, b := range all {
		answered[b.name] = true
	}
	for called, op := range readModel(t).Operations {
		if answered[called] {
			continue
		}
		var path []string
		for segment := range strings.SplitSeq(strings.TrimPrefix(op.Path, "/"), "/") {
			if strings.HasPrefix(segment, "{") {
				segment = "ocid1.thing.oc1..aaaa"
			}
			path = append(path, segment)
		}
		r := &request{Request: httptest.NewRequest(op.Method, "/", nil)}
		_, err := r.find(all, strings.Join(path, "/"))
		if a := answerTo(err); err == nil || a.status != 501 || a.code != "MethodNotImplemented" {
			t.Errorf("%s %s %s: %+v", called, op.Method, op.Path, a)
		}
	}
}

// The work of a move is told as that of a move, and of a deletion as of a deletion.
func TestWorkRequests(t *testing.T) {
	s := newSite(t)
	make := func(called string) string {
		return member(t, s.send("POST", base+"compartments", `{"compartmentId":"`+s.root+`","name":"`+called+`","description":"x"}`), "id")
	}
	a, b := make("a"), make("b")
	moved := s.send("POST", base+"compartments/"+a+"/actions/moveCompartment", `{"targetCompartmentId":"`+b+`"}`)
	if w := s.send("GET", base+"workRequests/"+moved.Header().Get("Opc-Work-Request-Id"), ""); moved.Code != 202 || member(t, w, "operationType") != "MOVE_COMPARTMENT" || strings.Contains(w.Body.String(), "DELETED") {
		t.Errorf("%d %s", moved.Code, w.Body)
	}
	gone := s.send("DELETE", base+"compartments/"+a, "")
	if w := s.send("GET", base+"workRequests/"+gone.Header().Get("Opc-Work-Request-Id"), ""); gone.Code != 202 || member(t, w, "operationType") != "DELETE_COMPARTMENT" || !strings.Contains(w.Body.String(), "DELETED") {
		t.Errorf("%d %s", gone.Code, w.Body)
	}
}
