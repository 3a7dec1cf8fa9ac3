package aws

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"warifu/policy"
)

// The corpus under testdata/decisions is read by people as well. Each section of a
// file is a situation: lines that put statements in layers, and questions.
//
//	version 2008-10-17                 language version of the statements that follow
//	identity STATEMENT                 also: boundary, session, scp1, scp2, rcp1; "none" is a layer without statements
//	resource OWNER STATEMENT           the resource's policy; also: key (must allow explicitly), trust
//	? PRINCIPAL ACTION RESOURCE [KEY=VALUE…] -> OUTCOME [LAYER [SID]]
//
// A value is text, or a list in brackets; 'bool:', 'int:', 'time:', 'addr:' before it
// make it typed. Principals: user/NAME, role/NAME/SESSION, fed/USER/NAME, root,
// service/NAME, idp/ARN, anonymous, with @ACCOUNT behind all but the last three;
// 111122223333 if left out.
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

const home = "111122223333"

// stack is the layers of a situation in the order in which they are written.
type stack struct {
	version string
	names   []string
	layers  []policy.Layer
}

var layerKinds = map[string]policy.LayerKind{
	"identity": policy.Identity, "boundary": policy.Boundary, "session": policy.Session, "scp1": policy.Control, "scp2": policy.Control,
	"rcp1": policy.ResourceControl, "resource": policy.Resource, "key": policy.Resource, "trust": policy.Trust,
}

var layerNames = map[policy.LayerKind]string{
	policy.Identity: "identity", policy.Boundary: "boundary", policy.Session: "session", policy.Control: "scp",
	policy.ResourceControl: "rcp", policy.Resource: "resource", policy.Trust: "trust",
}

var documentKinds = map[policy.LayerKind]Kind{
	policy.Identity: Inline, policy.Boundary: Inline, policy.Session: SessionPolicy, policy.Control: ServiceControl,
	policy.ResourceControl: ResourceControl, policy.Resource: ResourcePolicy, policy.Trust: TrustPolicy,
}

func (s *stack) add(t *testing.T, name, rest string) {
	t.Helper()
	kind := layerKinds[name]
	l := policy.Layer{Kind: kind, Explicit: name == "key"}
	if kind == policy.Resource || kind == policy.Trust {
		l.Owner, rest, _ = strings.Cut(rest, " ")
	}
	at := -1
	for i := range s.names {
		if s.names[i] == name {
			at = i
		}
	}
	if at < 0 {
		at = len(s.layers)
		s.names, s.layers = append(s.names, name), append(s.layers, l)
	}
	if rest = strings.TrimSpace(rest); rest == "none" {
		return
	}
	src := fmt.Sprintf(`{"Version": %q, "Statement": %s}`, s.version, rest)
	doc, err := Parse([]byte(src), documentKinds[kind])
	if err != nil {
		t.Fatalf("%s\n%v (%s)", src, err, err.(*Error).Message)
	}
	set := policy.Compile(doc.Rules(policy.RuleID{Policy: name}), nil)
	s.layers[at].Sets = append(s.layers[at].Sets, set)
}

func situation(t *testing.T, text string) {
	s := stack{version: version2012}
	asked := 0
	var pending string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "\t") || strings.HasPrefix(line, " ") {
			pending += " " + strings.TrimSpace(line) // a statement over several lines
			continue
		}
		s.line(t, pending, &asked)
		pending = line
	}
	s.line(t, pending, &asked)
	if asked == 0 {
		t.Error("no questions")
	}
}

func (s *stack) line(t *testing.T, line string, asked *int) {
	t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case line == "" || word == "#":
	case word == "version":
		s.version = rest
	case word == "?":
		*asked++
		s.ask(t, rest)
	case layerKinds[word] != 0:
		s.add(t, word, rest)
	default:
		t.Fatalf("cannot read %q", line)
	}
}

func (s *stack) ask(t *testing.T, q string) {
	t.Helper()
	question, want, ok := strings.Cut(q, " -> ")
	f := strings.Fields(question)
	if !ok || len(f) < 3 {
		t.Fatalf("cannot read %q", q)
	}
	ctx := policy.Map{}
	req := policy.Request{Principal: principal(t, f[0]), Context: ctx}
	req.Actions[Language], req.Resources[Language] = f[1], f[2]
	for _, kv := range f[3:] {
		k, v, _ := strings.Cut(kv, "=")
		ctx.Set(k, fact(t, v))
	}
	got := policy.Decide(&req, s.layers...)
	text := got.Outcome.String() + " " + layerNames[got.Layer]
	if got.Rule != nil && got.Rule.Sid != "" {
		text += " " + got.Rule.Sid
	}
	if want = strings.TrimSpace(want); !strings.HasPrefix(text+" ", want+" ") {
		t.Errorf("%s\n got %q, want %q", q, text, want)
	}
	consistent(t, &req, s.layers, got)
}

// consistent asks the same in every other way.
func consistent(t *testing.T, req *policy.Request, layers []policy.Layer, want policy.Decision) {
	t.Helper()
	trace := policy.Explain(req, layers...)
	if trace.Decision != want {
		t.Errorf("Explain decides %+v, Decide %+v", trace.Decision, want)
	}
	for i, l := range trace.Layers {
		if want.Outcome != policy.ExplicitDeny && l.Deny {
			t.Errorf("Explain finds a deny in layer %d, Decide does not", i)
		}
	}
	if want.Outcome == policy.ExplicitDeny && !trace.Layers[want.Index].Deny {
		t.Error("Explain misses the deny")
	}
	prepared := *req
	prepared.Prepare()
	if got := policy.Decide(&prepared, layers...); got != want {
		t.Errorf("prepared: %+v, want %+v", got, want)
	}
	for name, join := range map[string]func(...*policy.Set) *policy.Set{"Join": policy.Join, "Merge": policy.Merge} {
		var joined []policy.Layer
		for _, l := range layers {
			l.Sets = []*policy.Set{join(l.Sets...), nil}
			joined = append(joined, l)
		}
		got := policy.Decide(req, joined...)
		if got.Outcome != want.Outcome || got.Layer != want.Layer || got.Index != want.Index {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func principal(t *testing.T, s string) policy.Principal {
	t.Helper()
	who, account, ok := strings.Cut(s, "@")
	if !ok {
		account = home
	}
	p := policy.Principal{Account: account}
	n := &p.Names[Language]
	f := strings.Split(who, "/")
	switch f[0] {
	case "user":
		p.Kind, n.Name, p.ID = policy.User, "arn:aws:iam::"+account+":user/"+f[1], "AIDA"+strings.ToUpper(f[1])+"EXAMPLEID0000"
	case "role":
		p.Kind, n.Name, n.Session = policy.RoleSession, "arn:aws:iam::"+account+":role/"+f[1], "arn:aws:sts::"+account+":assumed-role/"+f[1]+"/"+f[2]
		p.ID = "AROA" + strings.ToUpper(f[1]) + "EXAMPLEID0000"
	case "fed":
		p.Kind, n.Name, n.Session = policy.FederatedUser, "arn:aws:iam::"+account+":user/"+f[1], "arn:aws:sts::"+account+":federated-user/"+f[2]
	case "root":
		p.Kind, n.Name = policy.Root, "arn:aws:iam::"+account+":root"
	case "service":
		p.Kind, n.Name, p.Account = policy.Service, f[1], ""
	case "idp":
		p.Kind, n.Name, p.Account = policy.Federated, strings.TrimPrefix(who, "idp/"), ""
	case "anonymous":
		p.Kind, p.Account = policy.Anonymous, ""
	default:
		t.Fatalf("no principal %q", s)
	}
	return p
}

func fact(t *testing.T, v string) policy.Fact {
	t.Helper()
	kind, text, typed := strings.Cut(v, ":")
	if typed {
		switch kind {
		case "bool":
			return policy.Bool(text == "true")
		case "int":
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return policy.Int(n)
		case "time":
			at, err := time.Parse(time.RFC3339, text)
			if err != nil {
				t.Fatal(err)
			}
			return policy.At(at)
		case "addr":
			return policy.Addr(netip.MustParseAddr(text))
		}
	}
	if list, ok := strings.CutPrefix(v, "["); ok {
		list = strings.TrimSuffix(list, "]")
		if list == "" {
			return policy.Strings()
		}
		return policy.Strings(strings.Split(list, ",")...)
	}
	return policy.String(v)
}

// TestConditions runs testdata/conditions.txtar: a section for each operator; in it
// conditions, and below each requests with whether it holds. Each is tried in an Allow
// and in a Deny.
func TestConditions(t *testing.T) {
	a, err := txtar.ParseFile("testdata/conditions.txtar")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, section := range a.Files {
		t.Run(section.Name, func(t *testing.T) {
			condition := ""
			for line := range strings.Lines(string(section.Data)) {
				line = strings.TrimRight(line, "\n")
				switch {
				case strings.TrimSpace(line) == "" || line[0] == '#':
				case line[0] == '{':
					condition = line
				default:
					n++
					f := strings.Fields(line)
					holds(t, condition, f[:len(f)-1], f[len(f)-1] == "yes")
				}
			}
		})
	}
	if n < 1300 {
		t.Errorf("only %d cases", n)
	}
}

func holds(t *testing.T, condition string, keys []string, want bool) {
	t.Helper()
	allow := stack{version: version2012}
	allow.add(t, "identity", `{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": `+condition+`}`)
	deny := stack{version: version2012}
	deny.add(t, "identity", `[{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": `+condition+`}]`)
	ctx := policy.Map{}
	for _, kv := range keys {
		if kv == "(missing)" {
			continue
		}
		k, v, _ := strings.Cut(kv, "=")
		ctx.Set(k, fact(t, v))
	}
	req := policy.Request{Principal: principal(t, "user/alice"), Context: ctx}
	req.Actions[Language], req.Resources[Language] = "s3:GetObject", "arn:aws:s3:::b/k"
	if got := policy.Decide(&req, allow.layers...); got.Allowed() != want {
		t.Errorf("%s with %v: Allow %v, want %v", condition, keys, got.Allowed(), want)
	}
	got := policy.Decide(&req, deny.layers...)
	if (got.Outcome == policy.ExplicitDeny) != want {
		t.Errorf("%s with %v: Deny %v, want %v", condition, keys, got.Outcome, want)
	}
	consistent(t, &req, deny.layers, got)
}
