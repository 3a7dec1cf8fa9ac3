package aws

import (
	"encoding/json"
	commandline "flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = commandline.Bool("update", false, "write the generated part of docs/divergences/aws.md")

// member is one member of a shape in the digest of a service's model.
type member struct {
	Type     string            `json:"type"`
	Required bool              `json:"required"`
	Min      *int64            `json:"min"`
	Max      *int64            `json:"max"`
	Members  map[string]member `json:"members"`
	Member   *member           `json:"member"`
}

type model struct {
	Version    string `json:"version"`
	Operations map[string]struct {
		In, Out map[string]member
	} `json:"operations"`
}

func readModel(t *testing.T, service string) model {
	t.Helper()
	text, err := os.ReadFile("testdata/model/" + service + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var m model
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// members lists a shape's members as the codec sees them.
func members(t reflect.Type) map[string]reflect.StructField {
	all := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("aws"), ",")
		switch {
		case f.Anonymous, !f.IsExported(), name == "-":
		case name == "":
			all[f.Name] = f
		default:
			all[name] = f
		}
	}
	return all
}

// bare drops pointers and lists from a type.
func bare(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t
}

// within drops lists from a member.
func (m member) within() member {
	for m.Member != nil {
		m = *m.Member
	}
	return m
}

// compare checks that all members of a shape stand in the model, and returns
// the model's members that the shape leaves out. A difference of required and
// of limits counts for inputs.
func compare(t *testing.T, path string, shape reflect.Type, want map[string]member, input bool) (left []string) {
	t.Helper()
	have := members(shape)
	for name, f := range have {
		m, ok := want[name]
		if !ok {
			t.Errorf("%s.%s is not in the model", path, name)
			continue
		}
		if input {
			checkInput(t, path+"."+name, f, m)
		}
		if inner := m.within(); inner.Type == "structure" && bare(f.Type).Kind() == reflect.Struct {
			for _, l := range compare(t, path+"."+name, bare(f.Type), inner.Members, input) {
				left = append(left, name+"."+l)
			}
		}
	}
	for name := range want {
		if _, ok := have[name]; !ok {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	return left
}

func checkInput(t *testing.T, path string, f reflect.StructField, m member) {
	t.Helper()
	_, options, _ := strings.Cut(f.Tag.Get("aws"), ",")
	if required := slices.Contains(strings.Split(options, ","), "required"); required != m.Required {
		t.Errorf("%s: required is %v, the model says %v", path, required, m.Required)
	}
	bounds := f.Tag.Get("len") + f.Tag.Get("range")
	lo, hi, _ := strings.Cut(bounds, ",")
	for _, b := range []struct {
		what, have string
		want       *int64
	}{{"min", lo, m.Min}, {"max", hi, m.Max}} {
		want := ""
		if b.want != nil {
			want = fmt.Sprint(*b.want)
		}
		if b.have != want && (b.have != "" || want != "0") && (b.have != "0" || want != "") {
			t.Errorf("%s: %s is %q, the model says %q", path, b.what, b.have, want)
		}
	}
}

// TestShapesMatchTheModel compares every shape with the model of the service:
// names, required members, limits. What a shape leaves out is told in the
// divergences, which the second half of this test compares.
func TestShapesMatchTheModel(t *testing.T) {
	var doc strings.Builder
	for _, s := range []*service{serviceIAM, serviceSTS} {
		m := readModel(t, s.name)
		if m.Version != s.version {
			t.Fatalf("the model of %s has version %s", s.name, m.Version)
		}
		bound := map[string]action{}
		for _, a := range actions() {
			if a.service == s {
				if _, twice := bound[a.name]; twice {
					t.Errorf("%s is bound twice", a.name)
				}
				bound[a.name] = a
			}
		}
		fmt.Fprintf(&doc, "### %s (%s)\n\n%d of %d operations are answered.\n\n", strings.ToUpper(s.name), s.version, len(bound), len(m.Operations))
		doc.WriteString("| operation | answered | inputs ignored | outputs left out |\n|---|---|---|---|\n")
		for _, name := range slices.Sorted(maps.Keys(m.Operations)) {
			a, ok := bound[name]
			if !ok {
				fmt.Fprintf(&doc, "| %s | no | | |\n", name)
				continue
			}
			delete(bound, name)
			op := m.Operations[name]
			in := compare(t, name, a.in, op.In, true)
			out := compare(t, name, a.out, op.Out, false)
			fmt.Fprintf(&doc, "| %s | yes | %s | %s |\n", name, strings.Join(in, ", "), strings.Join(out, ", "))
		}
		doc.WriteString("\n")
		for name := range bound {
			t.Errorf("%s is not an operation of %s", name, s.name)
		}
	}
	generated(t, "../../../docs/divergences/aws.md", "coverage", doc.String())
}

// generated compares the part of a document between two marks with text, or
// writes it with -update.
func generated(t *testing.T, file, mark, text string) {
	t.Helper()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- begin "+mark+" -->\n", "<!-- end "+mark+" -->"
	before, rest, ok := strings.Cut(string(whole), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no part %q", file, mark)
	}
	if old == text {
		return
	}
	if !*update {
		t.Errorf("the part %q of %s is stale: run go test ./internal/api/aws -run %s -update", mark, file, t.Name())
		return
	}
	if err := os.WriteFile(file, []byte(before+begin+text+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
