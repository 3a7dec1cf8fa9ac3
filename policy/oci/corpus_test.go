package oci

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"warifu/policy"
)

// The corpus under testdata/decisions is read by people as well. Each section of a
// file is a situation: lines that make compartments and policies, and questions.
//
//	compartment NAME [PARENT]
//	exempt GROUP                       no deny binds its members
//	policy [COMPARTMENT]               its statements follow, indented
//	? GROUPS OPERATION COMPARTMENT [VARIABLE=VALUE…] -> OUTCOME
//
// GROUPS are joined with "+"; [PERMISSION] stands in place of an operation; a value
// in brackets is a list; now= sets the clock.
func TestDecisions(t *testing.T) {
	files, err := filepath.Glob("testdata/decisions/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	for _, f := range files {
		a, err := txtar.ParseFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range a.Files {
			t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar")+"/"+section.Name, func(t *testing.T) {
				newSituation().run(t, string(section.Data))
			})
		}
	}
}

const tenancy = "ocid1.tenancy.oc1..t"

func groupID(name string) string { return "ocid1.group.oc1.." + strings.ToLower(name) }

type situation struct {
	paths  map[string]string // of compartments by name in lower case
	names  Names
	site   Site
	texts  []string
	sets   []*policy.Set
	asked  int
	nested map[string]string // compartment: its colon path
}

func newSituation() *situation {
	return &situation{paths: map[string]string{"tenancy": Path(tenancy)}, names: Names{}, nested: map[string]string{}, site: Site{Tenancy: tenancy}}
}

func (s *situation) run(t *testing.T, text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if statement, ok := strings.CutPrefix(line, "\t"); ok {
			s.texts = append(s.texts, statement)
			continue
		}
		s.flush(t)
		s.line(t, strings.Fields(line), line)
	}
	if s.asked == 0 {
		t.Error("no questions")
	}
}

func (s *situation) line(t *testing.T, f []string, line string) {
	t.Helper()
	switch {
	case len(f) == 0:
	case f[0] == "compartment":
		name, parent := strings.ToLower(f[1]), "tenancy"
		s.nested[name] = name
		if len(f) > 2 {
			parent = f[2]
			s.nested[name] = s.nested[parent] + ":" + name
		}
		id := "ocid1.compartment.oc1.." + name
		s.paths[name] = s.paths[parent] + id + "/"
		s.names[Reference{Kind: Compartment, Name: s.nested[name]}] = id
	case f[0] == "exempt":
		s.site.Exempt = append(s.site.Exempt, groupID(f[1]))
	case f[0] == "policy":
		s.site.Compartment = tenancy
		if len(f) > 1 {
			s.site.Compartment = "ocid1.compartment.oc1.." + f[1]
		}
	case f[0] == "?":
		s.ask(t, line)
	default:
		t.Fatalf("cannot read %q", line)
	}
}

func (s *situation) flush(t *testing.T) {
	t.Helper()
	if len(s.texts) == 0 {
		return
	}
	d, err := Parse(s.texts)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Statements(), s.texts) {
		t.Errorf("%q became %q", s.texts, d.Statements())
	}
	refs, _ := d.References()
	for _, r := range refs {
		if r.Kind != Compartment && r.Name != "gone" {
			s.names[r] = groupID(r.Name)
		}
	}
	rules := d.Rules(policy.RuleID{Policy: "p"}, s.site, s.names)
	s.sets = append(s.sets, policy.Compile(rules, nil))
	s.texts = nil
}

func (s *situation) ask(t *testing.T, line string) {
	t.Helper()
	s.asked++
	question, want, ok := strings.Cut(line, " -> ")
	f := strings.Fields(question)
	if !ok || len(f) < 4 {
		t.Fatalf("cannot read %q", line)
	}
	ctx := policy.Map{}
	var groups []string
	for _, g := range strings.Split(f[1], "+") {
		if g != "nobody" {
			groups = append(groups, groupID(g))
		}
	}
	ctx.Set("request.groups.id", policy.Strings(groups...))
	for _, kv := range f[4:] {
		k, v, _ := strings.Cut(kv, "=")
		s.fact(t, ctx, k, v)
	}
	permission, one := strings.CutPrefix(f[2], "[")
	needs := []string{strings.TrimSuffix(permission, "]")}
	if !one {
		if needs, ok = Permissions(f[2]); !ok {
			t.Fatalf("no operation %s", f[2])
		}
	}
	got := policy.Allowed
	for _, p := range needs {
		req := policy.Request{Principal: policy.Principal{Kind: policy.User, Account: "1"}, Context: ctx}
		req.Actions[Language], req.Resources[Language] = p, s.paths[strings.ToLower(f[3])]
		layer := policy.Layer{Kind: policy.Identity, Sets: s.sets}
		d := policy.Decide(&req, layer)
		if d.Outcome != policy.Allowed && got != policy.ExplicitDeny {
			got = d.Outcome
		}
		if trace := policy.Explain(&req, layer); trace.Decision != d {
			t.Errorf("%s: Explain decides %v, Decide %v", line, trace.Decision, d)
		}
	}
	if got.String() != want {
		t.Errorf("%s: got %s", line, got)
	}
}

func (s *situation) fact(t *testing.T, ctx policy.Map, k, v string) {
	t.Helper()
	if k == "now" {
		now, err := time.Parse(time.RFC3339, v)
		if err != nil {
			t.Fatal(err)
		}
		for _, variable := range requestVariables {
			if f := Clock(variable, now); !f.Absent() {
				ctx.Set(variable, f)
			}
		}
		return
	}
	if list, ok := strings.CutPrefix(v, "["); ok {
		ctx.Set(k, policy.Strings(strings.Split(strings.TrimSuffix(list, "]"), ",")...))
		return
	}
	ctx.Set(k, policy.String(v))
}

// lines calls each with the lines of a file that are not comments; those that are
// indented belong to the one before.
func lines(t *testing.T, file string, each func(head string, more []string)) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, more := "", []string(nil)
	flush := func() {
		if head != "" {
			each(head, more)
		}
		head, more = "", nil
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '\t':
			more = append(more, line[1:])
		default:
			flush()
			head = line
		}
	}
	flush()
}

// Statements in the forms that are in use are read, and come back as they were. Of
// the forms found, those that OCI accepts must all be read.
func TestStatementsInUse(t *testing.T) {
	read, refused := 0, 0
	lines(t, "testdata/in-use.txt", func(s string, _ []string) {
		want := true
		if rest, ok := strings.CutPrefix(s, "! "); ok {
			s, want = rest, false
		}
		d, err := Parse([]string{s})
		if (err == nil) != want {
			t.Errorf("%s: %v", s, err)
			return
		}
		if err != nil {
			refused++
			return
		}
		read++
		if d.Statements()[0] != s {
			t.Errorf("%q became %q", s, d.Statements()[0])
		}
		d.Warnings()
		d.Kinds()
	})
	// At least 97 in 100 are read, also if those count that OCI refuses.
	if read < 140 || 100*read < 97*(read+refused) {
		t.Errorf("%d read, %d refused", read, refused)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	n := 0
	lines(t, "testdata/errors.txt", func(s string, more []string) {
		n++
		_, err := Parse([]string{"allow any-user to inspect users in tenancy", s})
		e, ok := err.(*Error)
		if !ok || len(more) != 1 {
			t.Errorf("%s: %v", s, err)
			return
		}
		place, want, _ := strings.Cut(more[0], " | ")
		column, token, _ := strings.Cut(place, " ")
		at, _ := strconv.Atoi(column)
		if e.Statement != 1 || e.Line != 1 || e.Column != at || e.Offset != at-1 || e.Token != token || !strings.Contains(e.Want, want) || e.Found == "" {
			t.Errorf("%s\n%v (token %q)\nwant column %d, %q, %q", s, e, e.Token, at, token, want)
		}
	})
	if n < 60 {
		t.Errorf("only %d", n)
	}
	_, err := Parse([]string{"allow group A\n  to manage users\n  in Project"})
	if e := err.(*Error); e.Line != 3 || e.Column != 6 || !strings.HasPrefix(e.Error(), "statement 1, line 3, column 6: found ") {
		t.Error(err)
	}
	for _, s := range []string{strings.Repeat(" ", MaxStatement+1), "allow group '\xff' to manage users in tenancy", "allow group A\xff to manage users in tenancy"} {
		if _, err := Parse([]string{s}); err == nil {
			t.Errorf("%.60q is read", s)
		}
	}
}

func TestMatchingRules(t *testing.T) {
	lines(t, "testdata/matching.txt", func(s string, more []string) {
		rest, refuse := strings.CutPrefix(s, "! ")
		m, err := ParseMatchingRule(rest)
		if (err != nil) != refuse {
			t.Errorf("%s: %v", s, err)
			return
		}
		for _, q := range more {
			f := strings.Fields(q)
			attributes := map[string]string{}
			for _, kv := range f[:len(f)-1] {
				k, v, _ := strings.Cut(kv, "=")
				attributes[k] = v
			}
			got := m.Matches(func(k string) (string, bool) { v, ok := attributes[k]; return v, ok })
			if got != (f[len(f)-1] == "yes") {
				t.Errorf("%s with %s: %v", s, q, got)
			}
		}
	})
	if _, err := ParseMatchingRule(strings.Repeat(" ", MaxMatchingRule+1)); err == nil {
		t.Error("a rule that is too long is read")
	}
}
