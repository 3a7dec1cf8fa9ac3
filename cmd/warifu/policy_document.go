package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"warifu/internal/name"
	"warifu/internal/ops"
	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/jsonc"
	"warifu/policy/oci"
	"warifu/policy/ram"
)

// document is a policy document in one of the languages. Documents say themselves
// which one: RAM's have Version "1", and Oracle's are statements in words.
type document struct {
	language policy.Language
	src      []byte
	rules    func(policy.RuleID) []policy.Rule
	findings func() []finding
	format   func() []byte
}

type finding struct {
	line, column int
	message      string
}

// documentKinds are the kinds of document that one can name.
var documentKinds = map[string]aws.Kind{
	"managed": aws.Managed, "inline": aws.Inline, "trust": aws.TrustPolicy, "resource": aws.ResourcePolicy,
	"session": aws.SessionPolicy, "boundary": aws.BoundaryPolicy, "scp": aws.ServiceControl, "rcp": aws.ResourceControl,
}

// ramKinds are those that Alibaba Cloud has, too.
var ramKinds = map[aws.Kind]ram.Kind{
	aws.Managed: ram.Identity, aws.Inline: ram.Identity, aws.VendorPolicy: ram.SystemPolicy, aws.TrustPolicy: ram.TrustPolicy,
	aws.SessionPolicy: ram.SessionPolicy, aws.ServiceControl: ram.ControlPolicy,
}

// ociKinds are those that Oracle Cloud has, too.
var ociKinds = map[aws.Kind]bool{aws.Managed: true, aws.Inline: true, aws.VendorPolicy: true}

// readDocument reads a policy document, which may have comments. Errors begin with
// file, line and column.
func readDocument(file string, kind aws.Kind) (*document, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	plain, err := jsonc.Strip(src)
	switch begin := bytes.TrimSpace(plain); {
	case err == nil && (len(begin) == 0 || begin[0] != '{'):
		return readOCI(file, src, kind)
	case ram.Speaks(src):
		return readRAM(file, src, kind)
	}
	var comment *jsonc.Error
	if errors.As(err, &comment) {
		if begin := bytes.TrimSpace(src); begin[0] != '{' && begin[0] != '/' {
			return readOCI(file, src, kind) // a slash in a statement
		}
		return nil, fmt.Errorf("%s:%d:%d: %s", file, comment.Line, comment.Column, comment)
	}
	return readAWS(file, src, plain, kind)
}

func readAWS(file string, src, plain []byte, kind aws.Kind) (*document, error) {
	doc, err := aws.Parse(plain, kind)
	var refused *aws.Error
	if errors.As(err, &refused) {
		return nil, fmt.Errorf("%s:%d:%d: found %s; allowed: %s", file, refused.Line, refused.Column, refused.Found, refused.Want)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	findings := func() (out []finding) {
		for _, f := range doc.Findings(ops.Vocabulary()) {
			out = append(out, finding{f.Line, f.Column, f.Message + " (" + f.Code + ")"})
		}
		return out
	}
	return &document{aws.Language, src, doc.Rules, findings, doc.Format}, nil
}

func readRAM(file string, src []byte, kind aws.Kind) (*document, error) {
	as, ok := ramKinds[kind]
	if !ok {
		return nil, fmt.Errorf("%s: Alibaba Cloud has no documents of this kind", file)
	}
	doc, err := ram.Parse(src, as)
	var refused *ram.Error
	if errors.As(err, &refused) {
		return nil, fmt.Errorf("%s:%d:%d: found %s; allowed: %s", file, refused.Line, refused.Column, refused.Found, refused.Want)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	findings := func() (out []finding) {
		for _, f := range doc.Findings() {
			out = append(out, finding{f.Line, f.Column, f.Message + " (" + f.Code + ")"})
		}
		return out
	}
	format := func() []byte {
		var b bytes.Buffer
		if json.Indent(&b, bytes.TrimSpace(src), "", "  ") != nil { // not JSON: it has comments
			return src
		}
		return b.Bytes()
	}
	return &document{ram.Language, src, doc.Rules, findings, format}, nil
}

// The tenancy of documents in files. Their statements count in it as a whole, as
// those of policies do that are attached to the root compartment.
var oracleTenancy = name.PlainOCID(name.OCITenancy, "files")

// oracleID is the OCID that a group or compartment has in files.
func oracleID(kind oci.NounKind, domain, called string) string {
	if domain != "" && !strings.EqualFold(domain, "default") && !name.IsOCID(called) {
		called = domain + "/" + called
	}
	return name.PlainOCID(strings.ReplaceAll(kind.String(), " ", ""), called)
}

func readOCI(file string, src []byte, kind aws.Kind) (*document, error) {
	if !ociKinds[kind] {
		return nil, fmt.Errorf("%s: Oracle Cloud has no documents of this kind", file)
	}
	list, err := statementsOf(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	doc, err := oci.Parse(list.texts)
	var refused *oci.Error
	if errors.As(err, &refused) {
		line, column := list.place(refused.Statement, refused.Line, refused.Column)
		return nil, fmt.Errorf("%s:%d:%d: found %s; allowed: %s", file, line, column, refused.Found, refused.Want)
	}
	rules := func(id policy.RuleID) []policy.Rule {
		names := oci.Names{}
		refs, _ := doc.References()
		for _, r := range refs {
			names[r] = oracleID(r.Kind, r.Domain, r.Name)
		}
		out := doc.Rules(id, oci.Site{Tenancy: oracleTenancy, Compartment: oracleTenancy}, names)
		for i := range out {
			at := &out[i].ID
			at.Line, at.Column = list.place(at.Index, at.Line, at.Column)
		}
		return out
	}
	findings := func() (out []finding) {
		for _, w := range doc.Warnings() {
			line, column := list.place(w.Statement, w.Line, w.Column)
			out = append(out, finding{line, column, w.Message})
		}
		return out
	}
	return &document{oci.Language, src, rules, findings, func() []byte { return list.format(src) }}, nil
}

// statements are those of a file: a JSON list of them, as Oracle's command line takes
// it; or text, where a statement begins with its line, indented lines go on with it,
// and lines that begin with # are comments.
type statements struct {
	texts   []string
	lines   []int // 1-based
	columns []int // 1-based
	json    bool
}

// place is where in the file something stands in a statement.
func (s *statements) place(statement, line, column int) (int, int) {
	switch {
	case s.json: // escapes move what follows them
		return s.lines[statement], s.columns[statement]
	case line == 1:
		column += s.columns[statement] - 1
	}
	return s.lines[statement] + line - 1, column
}

func statementsOf(src []byte) (*statements, error) {
	if begin := bytes.TrimSpace(src); len(begin) > 0 && begin[0] == '[' {
		return jsonStatements(src)
	}
	s := &statements{}
	number := 0
	for line := range strings.Lines(string(src)) {
		number++
		line = strings.TrimRight(line, " \t\r\n")
		switch last := len(s.texts) - 1; {
		case line == "" || line[0] == '#':
		case last >= 0 && (line[0] == ' ' || line[0] == '\t') && s.lines[last]+strings.Count(s.texts[last], "\n") == number-1:
			s.texts[last] += "\n" + line
		default:
			s.texts, s.lines, s.columns = append(s.texts, line), append(s.lines, number), append(s.columns, 1)
		}
	}
	if len(s.texts) == 0 {
		return nil, errors.New("no statements")
	}
	return s, nil
}

func jsonStatements(src []byte) (*statements, error) {
	s := &statements{json: true}
	var list []json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(src))
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("not a JSON list of statements: %w", err)
	}
	if len(bytes.TrimSpace(src[dec.InputOffset():])) > 0 || len(list) == 0 {
		return nil, errors.New("a file has one JSON list of statements")
	}
	at := 0
	for i, raw := range list {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			return nil, fmt.Errorf("statement %d is not a text", i+1)
		}
		at += bytes.Index(src[at:], raw)
		before := src[:at]
		s.texts, s.lines, s.columns = append(s.texts, text), append(s.lines, 1+bytes.Count(before, []byte("\n"))), append(s.columns, at-bytes.LastIndexByte(before, '\n'))
		at += len(raw)
	}
	return s, nil
}

// format changes white space only.
func (s *statements) format(src []byte) []byte {
	if s.json {
		var b bytes.Buffer
		if err := json.Indent(&b, bytes.TrimSpace(src), "", "  "); err != nil {
			return src
		}
		return b.Bytes()
	}
	var out []string
	for line := range strings.Lines(string(src)) {
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, line)
	}
	return []byte(strings.Join(out, "\n"))
}
