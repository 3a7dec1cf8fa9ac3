package ram

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"warifu/policy"
)

// The corpus under testdata/decisions is read by people as well. Each section of a
// file is a situation: lines that put statements in layers, and questions.
//
//	identity STATEMENT      also: group (resource group scope), session, control; "none" is a layer without statements
//	trust OWNER STATEMENT   the trust policy of a role
//	? PRINCIPAL ACTION RESOURCE [KEY=VALUE…] -> OUTCOME [LAYER]
//
// A value is text; 'bool:' and 'int:' before it make it typed. Principals: user/NAME,
// role/NAME/SESSION, service/NAME, idp/NAME; users and roles with @ACCOUNT behind,
// 1000111122223333 if left out.
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
				situation(t, string(section.Data))
			})
		}
	}
}

type stack struct {
	names  []string
	layers []policy.Layer
	group  *policy.Layer
}

var layerKinds = map[string]policy.LayerKind{
	"identity": policy.Identity, "session": policy.Session, "control": policy.Control, "trust": policy.Trust,
}

var layerNames = map[policy.LayerKind]string{
	policy.Identity: "identity", policy.Session: "session", policy.Control: "control", policy.Trust: "trust",
}

var kinds = map[string]Kind{"identity": Identity, "group": Identity, "session": SessionPolicy, "control": ControlPolicy, "trust": TrustPolicy}

func situation(t *testing.T, src string) {
	var s stack
	var lines []string
	for line := range strings.Lines(src) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "\t") {
			lines[len(lines)-1] += "\n" + line
		} else {
			lines = append(lines, line)
		}
	}
	asked := 0
	for _, line := range lines {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
		case "?":
			asked++
			s.ask(t, rest)
		default:
			s.add(t, word, rest)
		}
	}
	if asked == 0 {
		t.Error("no questions")
	}
}

func (s *stack) add(t *testing.T, name, rest string) {
	t.Helper()
	l := policy.Layer{Kind: layerKinds[name]}
	if name == "trust" {
		l.Owner, rest, _ = strings.Cut(rest, " ")
	}
	var set *policy.Set
	if rest != "none" {
		src := fmt.Sprintf(`{"Version": "1", "Statement": [%s]}`, rest)
		doc, err := Parse([]byte(src), kinds[name])
		if err != nil {
			t.Fatalf("%s\n%v", src, err)
		}
		set = policy.Compile(doc.Rules(policy.RuleID{Policy: name}), nil)
	}
	switch i := index(s.names, name); {
	case name == "group" && s.group == nil:
		s.group = &policy.Layer{Kind: policy.Identity, Sets: []*policy.Set{set}}
	case name == "group":
		s.group.Sets = append(s.group.Sets, set)
	case i < 0:
		l.Sets = []*policy.Set{set}
		s.names, s.layers = append(s.names, name), append(s.layers, l)
	default:
		s.layers[i].Sets = append(s.layers[i].Sets, set)
	}
}

func index(list []string, s string) int {
	for i := range list {
		if list[i] == s {
			return i
		}
	}
	return -1
}

func (s *stack) ask(t *testing.T, q string) {
	t.Helper()
	question, want, ok := strings.Cut(q, " -> ")
	f := strings.Fields(question)
	if !ok || len(f) < 3 {
		t.Fatalf("cannot read %q", q)
	}
	ctx := policy.Map{}
	req := policy.Request{Principal: principalOf(t, f[0]), Context: ctx}
	req.Actions[Language], req.Resources[Language] = f[1], f[2]
	for _, kv := range f[3:] {
		k, v, _ := strings.Cut(kv, "=")
		ctx.Set(k, fact(t, v))
	}
	got := policy.Decide(&req, s.layers...)
	in := ""
	if s.group != nil {
		var narrower bool
		if got, narrower = policy.DecideInScopes(&req, *s.group, s.layers...); narrower && got.Layer == policy.Identity {
			in = "group"
		}
	}
	if in == "" {
		in = layerNames[got.Layer]
	}
	if text := got.Outcome.String() + " " + in; !strings.HasPrefix(text+" ", strings.TrimSpace(want)+" ") {
		t.Errorf("%s\n got %q, want %q", q, text, want)
	}
}

func principalOf(t *testing.T, s string) policy.Principal {
	t.Helper()
	who, account, ok := strings.Cut(s, "@")
	if !ok {
		account = "1000111122223333"
	}
	// The account has another number in AWS's language, as it has in the server.
	p := policy.Principal{Account: strings.TrimPrefix(account, "1000")}
	n := policy.Names{Account: account}
	kind, name, _ := strings.Cut(who, "/")
	switch kind {
	case "user":
		p.Kind, n.ID, n.Name = policy.User, "u-"+name, "acs:ram::"+account+":user/"+name
	case "role":
		role, _, _ := strings.Cut(name, "/")
		p.Kind, n.ID, n.Name = policy.RoleSession, "r-"+role, "acs:ram::"+account+":role/"+role
		n.Session = "acs:sts::" + account + ":assumed-role/" + name
	case "service":
		p.Kind, n.Name = policy.Service, name
	case "idp":
		p.Kind, n.Name = policy.Federated, name
	default:
		t.Fatalf("no principal is %q", s)
	}
	p.Names[Language] = n
	return p
}

func fact(t *testing.T, s string) policy.Fact {
	t.Helper()
	if v, ok := strings.CutPrefix(s, "bool:"); ok {
		return policy.Bool(v == "true")
	}
	if v, ok := strings.CutPrefix(s, "int:"); ok {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return policy.Int(n)
	}
	return policy.String(s)
}
