package aws

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"warifu/policy"
)

// The second evaluator: straight from the specification, on the document as JSON has
// it, with no index, no compilation and nothing shared with package policy but the
// request that both are asked.

type naiveStatement struct {
	Sid          string                         `json:",omitempty"`
	Effect       string                         //
	Principal    any                            `json:",omitempty"` // "*" or map[string][]string
	NotPrincipal any                            `json:",omitempty"`
	Action       []string                       `json:",omitempty"`
	NotAction    []string                       `json:",omitempty"`
	Resource     []string                       `json:",omitempty"`
	NotResource  []string                       `json:",omitempty"`
	Condition    map[string]map[string][]string `json:",omitempty"`
}

type naivePolicy struct {
	Version   string
	Statement []naiveStatement
}

type naiveLayer struct {
	kind     policy.LayerKind
	owner    string
	explicit bool
	policies []naivePolicy
}

type naiveRequest struct {
	p                policy.Principal
	action, resource string
	keys             map[string][]string // lower case; absent key: no entry
}

// naiveWild matches by trying everything; only for short texts.
func naiveWild(pat []naiveChar, s []rune) bool {
	if len(pat) == 0 {
		return len(s) == 0
	}
	switch pat[0].kind {
	case '*':
		return naiveWild(pat[1:], s) || len(s) > 0 && naiveWild(pat, s[1:])
	case '?':
		return len(s) > 0 && naiveWild(pat[1:], s[1:])
	}
	return len(s) > 0 && s[0] == pat[0].r && naiveWild(pat[1:], s[1:])
}

// naiveChar is a character of a pattern: kind 'c' stands for itself.
type naiveChar struct {
	kind byte
	r    rune
}

// naiveExpand turns a text into characters; ok is false if a variable has no value.
func naiveExpand(s string, wild, vars bool, keys map[string][]string) (out []naiveChar, ok bool) {
	add := func(text string) {
		for _, r := range text {
			out = append(out, naiveChar{'c', r})
		}
	}
	for len(s) > 0 {
		if vars && strings.HasPrefix(s, "${") && strings.Contains(s, "}") {
			end := strings.Index(s, "}")
			name, def, hasDef := strings.Cut(s[2:end], ", ")
			s = s[end+1:]
			switch v := keys[strings.ToLower(name)]; {
			case name == "*" || name == "?" || name == "$":
				add(name)
			case len(v) == 1:
				add(v[0])
			case len(v) == 0 && hasDef:
				add(strings.Trim(def, "'"))
			default:
				return nil, false
			}
			continue
		}
		r := []rune(s)[0]
		switch {
		case wild && (r == '*' || r == '?'):
			out = append(out, naiveChar{byte(r), 0})
		default:
			out = append(out, naiveChar{'c', r})
		}
		s = s[len(string(r)):]
	}
	return out, true
}

func naiveText(pat string, wild, vars bool, keys map[string][]string, s string) bool {
	p, ok := naiveExpand(pat, wild, vars, keys)
	return ok && naiveWild(p, []rune(s))
}

// naiveARN compares six fields one by one.
func naiveARN(pat string, vars bool, keys map[string][]string, s string) bool {
	if pat == "*" {
		return true
	}
	// A colon inside ${…} does not separate fields.
	hidden := ""
	depth := false
	for _, r := range pat {
		switch {
		case vars && r == '{':
			depth = true
		case r == '}':
			depth = false
		case r == ':' && depth:
			r = '\x00'
		}
		hidden += string(r)
	}
	pf, sf := strings.SplitN(hidden, ":", 6), strings.SplitN(s, ":", 6)
	if len(pf) != 6 || len(sf) != 6 {
		return false
	}
	for i := range pf {
		if !naiveText(strings.ReplaceAll(pf[i], "\x00", ":"), true, vars, keys, sf[i]) {
			return false
		}
	}
	return true
}

func naiveCondition(op, key string, vals []string, vars bool, keys map[string][]string) bool {
	have := keys[strings.ToLower(key)]
	if op == "Null" {
		for _, v := range vals {
			if (v == "true") == (len(have) == 0) {
				return true
			}
		}
		return false
	}
	base, ifExists := strings.CutSuffix(op, "IfExists")
	base, all := strings.CutPrefix(base, "ForAllValues:")
	base, some := strings.CutPrefix(base, "ForAnyValue:")
	if (all || some) && len(have) == 1 && have[0] == "" {
		have = nil
	}
	negated := strings.Contains(base, "Not")
	if len(have) == 0 {
		return ifExists || all || !some && negated
	}
	// matches: the request's value v stands in the relation to one of the policy's.
	matches := func(v string) bool {
		for _, want := range vals {
			if naiveCompare(strings.Replace(base, "Not", "", 1), want, v, vars, keys) {
				return true
			}
		}
		return false
	}
	n := 0 // values that satisfy the operator
	for _, v := range have {
		if matches(v) != negated {
			n++
		}
	}
	switch {
	case all:
		return n == len(have)
	case some:
		return n > 0
	case negated:
		return n == len(have)
	}
	return n > 0
}

func naiveCompare(base, want, got string, vars bool, keys map[string][]string) bool {
	order := func(c int) bool {
		switch {
		case strings.HasSuffix(base, "LessThan"):
			return c < 0
		case strings.HasSuffix(base, "LessThanEquals"):
			return c <= 0
		case strings.HasSuffix(base, "GreaterThan"):
			return c > 0
		case strings.HasSuffix(base, "GreaterThanEquals"):
			return c >= 0
		}
		return c == 0
	}
	switch {
	case base == "StringEquals":
		return naiveText(want, false, vars, keys, got)
	case base == "StringEqualsIgnoreCase":
		return naiveText(strings.ToLower(want), false, vars, lowerAll(keys), strings.ToLower(got))
	case base == "StringLike":
		return naiveText(want, true, vars, keys, got)
	case strings.HasPrefix(base, "Arn"):
		return naiveARN(want, vars, keys, got)
	case base == "Bool":
		return strings.EqualFold(want, got) && (strings.EqualFold(got, "true") || strings.EqualFold(got, "false"))
	case strings.HasPrefix(base, "Numeric"):
		a, ok := new(big.Rat).SetString(got)
		b, ok2 := new(big.Rat).SetString(want)
		return ok && ok2 && order(a.Cmp(b))
	case strings.HasPrefix(base, "Date"):
		a, err := time.Parse(time.RFC3339, got)
		b, err2 := time.Parse(time.RFC3339, want)
		return err == nil && err2 == nil && order(a.Compare(b))
	case base == "IpAddress":
		a, err := netip.ParseAddr(got)
		n, err2 := netip.ParsePrefix(want)
		if err2 != nil {
			return err == nil && got == want
		}
		return err == nil && n.Contains(a)
	case base == "BinaryEquals":
		_, err := base64.StdEncoding.DecodeString(got)
		return err == nil && got == want
	}
	panic(base)
}

func lowerAll(keys map[string][]string) map[string][]string {
	out := map[string][]string{}
	for k, vs := range keys {
		for _, v := range vs {
			out[k] = append(out[k], strings.ToLower(v))
		}
	}
	return out
}

// naiveWho returns how the principals of a statement name the caller.
func naiveWho(who any, p *policy.Principal) (account, behind, itself bool) {
	if who == "*" {
		return false, false, true
	}
	n := p.Names[Language]
	for _, v := range who.(map[string][]string)["AWS"] {
		switch {
		case v == "*":
			itself = true
		case v == n.Session && v != "":
			itself = true
		case v == n.Name && p.Kind == policy.User:
			itself = true
		case v == n.Name && (p.Kind == policy.RoleSession || p.Kind == policy.FederatedUser):
			behind = true
		case p.Account != "" && (v == p.Account || v == "arn:aws:iam::"+p.Account+":root"):
			account = true
		}
	}
	for _, v := range who.(map[string][]string)["Service"] {
		itself = itself || p.Kind == policy.Service && v == n.Name
	}
	return account, behind, itself
}

// naiveOthers tells whether the caller is one of those that a NotPrincipal leaves over.
func naiveOthers(st *naiveStatement, p *policy.Principal, hasBoundary bool) bool {
	account, behind, itself := naiveWho(st.NotPrincipal, p)
	if st.Effect == "Allow" {
		return !account && !behind && !itself
	}
	listed := func(part string) bool {
		m, _ := st.NotPrincipal.(map[string][]string)
		return slices.ContainsFunc(m["AWS"], func(v string) bool { return strings.Contains(v, part) })
	}
	switch {
	case hasBoundary:
		return true
	case itself:
		return false
	case behind && p.Kind == policy.FederatedUser:
		return false
	case behind && !listed(p.Account+":assumed-role/dev/"):
		return false
	case account && p.Kind == policy.Root:
		return false
	case account:
		return listed(p.Account+":user/") || listed(p.Account+":role/") || listed(p.Account+":assumed-role/") || listed(p.Account+":federated-user/")
	}
	return true
}

// naiveApplies tells whether a statement is about the request, principals aside.
func naiveApplies(st *naiveStatement, version string, r *naiveRequest) bool {
	vars := version == version2012
	anyOf := func(pats []string, match func(string) bool) bool {
		for _, p := range pats {
			if match(p) {
				return true
			}
		}
		return false
	}
	action := func(p string) bool {
		return naiveText(strings.ToLower(p), true, false, nil, strings.ToLower(r.action))
	}
	resource := func(p string) bool { return naiveARN(p, vars, r.keys, r.resource) }
	if st.Action != nil && !anyOf(st.Action, action) || st.NotAction != nil && anyOf(st.NotAction, action) {
		return false
	}
	if st.Resource != nil && !anyOf(st.Resource, resource) || st.NotResource != nil && anyOf(st.NotResource, resource) {
		return false
	}
	for op, byKey := range st.Condition {
		for key, vals := range byKey {
			if !naiveCondition(op, key, vals, vars, r.keys) {
				return false
			}
		}
	}
	return true
}

// naiveDecide follows aws.md section 7 from top to bottom.
func naiveDecide(layers []naiveLayer, r *naiveRequest) policy.Outcome {
	hasBoundary := slices.ContainsFunc(layers, func(l naiveLayer) bool { return l.kind == policy.Boundary })
	type said struct{ deny, allow, account, behind, itself bool }
	hear := func(l *naiveLayer) (s said) {
		for _, p := range l.policies {
			for i := range p.Statement {
				st := &p.Statement[i]
				if !naiveApplies(st, p.Version, r) {
					continue
				}
				account, behind, itself := false, false, true
				if st.Principal != nil {
					account, behind, itself = naiveWho(st.Principal, &r.p)
				}
				if st.NotPrincipal != nil {
					itself = naiveOthers(st, &r.p, hasBoundary)
				}
				if !account && !behind && !itself {
					continue
				}
				if st.Effect == "Deny" {
					s.deny = true
					continue
				}
				s.allow = true
				s.account, s.behind, s.itself = s.account || account, s.behind || behind, s.itself || itself
			}
		}
		return s
	}
	var identity, owned, must, abroad, resourceAllows, grants, final bool
	controls, limits := true, true
	for i := range layers {
		l := &layers[i]
		s := hear(l)
		if s.deny {
			return policy.ExplicitDeny
		}
		switch l.kind {
		case policy.Identity:
			identity = identity || s.allow
		case policy.Control, policy.ResourceControl:
			controls = controls && s.allow
		case policy.Boundary, policy.Session:
			limits = limits && s.allow
		case policy.Resource, policy.Trust:
			owned, resourceAllows = true, s.allow
			must, abroad = l.explicit || l.kind == policy.Trust, l.owner != r.p.Account
			grants, final = s.behind, s.itself
		}
	}
	allowed := (identity || r.p.Kind == policy.Root) && limits // the caller's side
	switch {
	case !controls:
		return policy.ImplicitDeny
	case r.p.Kind == policy.Anonymous || r.p.Kind == policy.Service:
		allowed = resourceAllows
	case !owned:
	case abroad:
		allowed = allowed && resourceAllows
	case final:
		allowed = true
	case grants && limits:
		allowed = true
	case must:
		allowed = allowed && resourceAllows
	}
	if allowed {
		return policy.Allowed
	}
	return policy.ImplicitDeny
}

// ---- random policies and requests, from few words so that they meet

var (
	someActions   = []string{"s3:Get", "s3:GetObject", "S3:getobject", "s3:Put", "iam:GetUser", "iam:CreateUser", "ec2:Run", "sts:x"}
	somePatterns  = []string{"*", "s3:*", "s3:Get*", "S3:GET", "s3:GetObject", "iam:Get?ser", "iam:*User", "ec2:Run", "s3:?et", "sts:x", "s3:*t*"}
	someResources = []string{"*", "arn:aws:s3:::b", "arn:aws:s3:::b/k", "arn:aws:s3:::ann/k", "arn:aws:ec2:eu:1:inst/a", "arn:aws:ec2::1:inst/ab:c", "arn:aws:iam::1:user/ann", "arn:aws:iam::2:user/bob", "b"}
	someWheres    = []string{"*", "arn:aws:s3:::b", "arn:aws:s3:::b*", "arn:aws:s3:::*/k", "arn:aws:s3:::${aws:username}/*", "arn:aws:ec2:*:1:inst/*", "arn:aws:ec2:*:*:inst/?", "arn:aws:ec2:e?:1*:*a", "arn:aws:iam::*:user/${aws:username, 'bob'}", "arn:aws:iam::${n}:user/*", "arn:aws:iam::?:user/*b*", "arn:aws:s3:::${*}/k"}
	someNumbers   = []string{"1", "2", "10", "-3", "1.5"}
	someDates     = []string{"2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2027-05-06T07:08:09Z"}
	someTexts     = []string{"ann", "bob", "ANN", "a*", "?ob", "${aws:username}", "*${aws:username}*", "${none, 'ann'}", "", "n"}
	someARNs      = []string{"arn:aws:iam::1:role/a", "arn:aws:iam::1:role/*", "arn:*:iam::?:user/ann", "*", "arn:aws:iam::1:user/${aws:username}"}
	someNets      = []string{"10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32", "10.1.2.3"}
	account1      = "111122223333"
	account2      = "444455556666"
	someWho       = []string{"*", account1, account2, "arn:aws:iam::" + account1 + ":root", "arn:aws:iam::" + account1 + ":user/ann", "arn:aws:iam::" + account1 + ":role/dev", "arn:aws:sts::" + account1 + ":assumed-role/dev/s", "arn:aws:sts::" + account1 + ":federated-user/app", "arn:aws:iam::" + account2 + ":user/ann"}
	someCallers   = []string{"user/ann", "user/bob", "role/dev/s", "role/dev/t", "fed/ann/app", "root", "anonymous", "service/s.amazonaws.com", "user/ann@" + account2}
)

// naiveKeys are those of random requests: rules about known keys have a form of their
// own.
var naiveKeys = policy.NewKeys("s", "n", "d", "b", "ip", "arn", "bin", "aws:username")

func drawList(t *rapid.T, from []string, least, most int, label string) []string {
	return rapid.SliceOfN(rapid.SampledFrom(from), least, most).Draw(t, label)
}

func drawCondition(t *rapid.T) map[string]map[string][]string {
	out := map[string]map[string][]string{}
	for range rapid.IntRange(0, 2).Draw(t, "operators") {
		type family struct {
			ops  []string
			vals []string
			key  string
		}
		f := rapid.SampledFrom([]family{
			{[]string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"}, someTexts, "s"},
			{[]string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"}, someNumbers, "n"},
			{[]string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"}, someDates, "d"},
			{[]string{"Bool"}, []string{"true", "false", "TRUE"}, "b"},
			{[]string{"IpAddress", "NotIpAddress"}, someNets, "ip"},
			{[]string{"ArnLike", "ArnEquals", "ArnNotLike", "ArnNotEquals"}, someARNs, "arn"},
			{[]string{"BinaryEquals"}, []string{"AAEC", "AAED"}, "bin"},
			{[]string{"Null"}, []string{"true", "false"}, ""},
		}).Draw(t, "family")
		op := rapid.SampledFrom(f.ops).Draw(t, "operator")
		key := f.key
		if op == "Null" {
			key = rapid.SampledFrom([]string{"s", "n", "b"}).Draw(t, "key")
		} else {
			op = rapid.SampledFrom([]string{"", "", "ForAllValues:", "ForAnyValue:"}).Draw(t, "set") + op + rapid.SampledFrom([]string{"", "IfExists"}).Draw(t, "if")
			key = rapid.SampledFrom([]string{key, key, strings.ToUpper(key), "s"}).Draw(t, "key")
		}
		if out[op] == nil {
			out[op] = map[string][]string{}
		}
		if _, twice := out[op][strings.ToLower(key)]; !twice {
			if _, twice := out[op][strings.ToUpper(key)]; !twice {
				out[op][key] = drawList(t, f.vals, 0, 2, "values")
			}
		}
	}
	return out
}

func drawWho(t *rapid.T) any {
	if rapid.IntRange(0, 5).Draw(t, "all") == 0 {
		return "*"
	}
	m := map[string][]string{"AWS": drawList(t, someWho, 1, 3, "principals")}
	if rapid.Bool().Draw(t, "service") {
		m["Service"] = []string{"s.amazonaws.com"}
	}
	return m
}

func drawStatement(t *rapid.T, kind policy.LayerKind) naiveStatement {
	st := naiveStatement{Effect: rapid.SampledFrom([]string{"Allow", "Allow", "Allow", "Deny"}).Draw(t, "effect")}
	if rapid.IntRange(0, 4).Draw(t, "not") == 0 {
		st.NotAction = drawList(t, somePatterns, 1, 3, "notaction")
	} else {
		st.Action = drawList(t, somePatterns, 1, 3, "action")
	}
	if rapid.IntRange(0, 6).Draw(t, "not") == 0 {
		st.NotResource = drawList(t, someWheres, 1, 2, "notresource")
	} else {
		st.Resource = drawList(t, someWheres, 1, 3, "resource")
	}
	switch kind {
	case policy.Resource:
		if rapid.IntRange(0, 6).Draw(t, "not") == 0 {
			st.NotPrincipal = drawWho(t)
		} else {
			st.Principal = drawWho(t)
		}
	case policy.ResourceControl:
		st.Principal = "*"
	}
	st.Condition = drawCondition(t)
	return st
}

func drawLayers(t *rapid.T) []naiveLayer {
	var out []naiveLayer
	kinds := []policy.LayerKind{policy.Control, policy.ResourceControl, policy.Boundary, policy.Session}
	layer := func(kind policy.LayerKind, most int) {
		l := naiveLayer{kind: kind}
		for range rapid.IntRange(0, most).Draw(t, "policies") {
			p := naivePolicy{Version: version2012}
			if kind != policy.Control && kind != policy.ResourceControl && rapid.IntRange(0, 7).Draw(t, "old") == 0 {
				p.Version = version2008
			}
			for range rapid.IntRange(1, 4).Draw(t, "statements") {
				p.Statement = append(p.Statement, drawStatement(t, kind))
			}
			p.shrink(documentKinds[kind])
			l.policies = append(l.policies, p)
		}
		if kind == policy.Resource {
			l.owner = rapid.SampledFrom([]string{account1, account1, account2}).Draw(t, "owner")
			l.explicit = rapid.IntRange(0, 4).Draw(t, "explicit") == 0
		}
		out = append(out, l)
	}
	layer(policy.Identity, 4)
	for _, k := range kinds {
		if rapid.IntRange(0, 3).Draw(t, "has") == 0 {
			layer(k, 2)
		}
	}
	if rapid.Bool().Draw(t, "resource policy") {
		layer(policy.Resource, 2)
	}
	return out
}

// shrink drops statements until the policy is as small as its kind must be.
func (p *naivePolicy) shrink(kind Kind) {
	for {
		if src, err := json.Marshal(p); err != nil || Size(src) <= kind.Quota() {
			return
		}
		p.Statement = p.Statement[:len(p.Statement)-1]
	}
}

func drawRequest(t *rapid.T) *naiveRequest {
	r := &naiveRequest{
		action:   rapid.SampledFrom(someActions).Draw(t, "action"),
		resource: rapid.SampledFrom(someResources).Draw(t, "resource"),
		keys:     map[string][]string{},
	}
	values := map[string][]string{
		"s": {"ann", "bob", "Ann", "x", ""}, "n": {"1", "2", "9", "1.5", "x"}, "d": {someDates[0], someDates[2], "x"}, "b": {"true", "false", "True", "x"},
		"ip": {"10.1.2.3", "10.2.3.4", "11.1.1.1", "2001:db8::1", "x"}, "arn": {"arn:aws:iam::1:role/a", "arn:aws:iam::2:user/ann", "arn:aws"},
		"bin": {"AAEC", "AAED", "!"}, "aws:username": {"ann", "bob", "*"},
	}
	for _, k := range []string{"s", "n", "d", "b", "ip", "arn", "bin", "aws:username"} {
		switch rapid.IntRange(0, 4).Draw(t, "has "+k) {
		case 0:
		case 1:
			if vs := drawList(t, values[k], 0, 3, k); len(vs) > 0 {
				r.keys[k] = vs
			} else {
				r.keys[k] = nil
			}
		default:
			r.keys[k] = []string{rapid.SampledFrom(values[k]).Draw(t, k)}
		}
	}
	return r
}

// context gives the request's keys to the engine, single values typed where possible.
func (r *naiveRequest) context(typed bool) policy.Map {
	m := policy.Map{}
	for k, vs := range r.keys {
		f := policy.Strings(vs...)
		if len(vs) == 1 {
			f = policy.String(vs[0])
			if a, err := netip.ParseAddr(vs[0]); typed && err == nil {
				f = policy.Addr(a)
			}
			if typed && (vs[0] == "true" || vs[0] == "false") {
				f = policy.Bool(vs[0] == "true")
			}
			if n, ok := policy.ParseNumber(vs[0]); typed && ok && n.Integer {
				f = policy.Int(n.Int)
			}
			if at, err := time.Parse(time.RFC3339, vs[0]); typed && err == nil && k == "d" {
				f = policy.At(at)
			}
		}
		m[k] = f
	}
	return m
}

// TestAgreesWithNaive compares the two evaluators on random policies and requests.
// Run it longer with -rapid.checks.
func TestAgreesWithNaive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { agrees(t, rt) })
}

// FuzzAgreesWithNaive looks for policies and requests that take new ways through the
// engine.
func FuzzAgreesWithNaive(f *testing.F) {
	for i := range 16 {
		f.Add(bytes.Repeat([]byte{byte(i * 16), byte(i), byte(255 - i), 0, 1, byte(i * 7)}, 200*(i+1)))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		rapid.MakeFuzz(func(rt *rapid.T) { agrees(t, rt) })(t, input)
	})
}

func agrees(t *testing.T, rt *rapid.T) {
	t.Helper()
	naive := drawLayers(rt)
	keys := rapid.SampledFrom([]*policy.Keys{nil, naiveKeys}).Draw(rt, "keys")
	var layers []policy.Layer
	for _, n := range naive {
		l := policy.Layer{Kind: n.kind, Owner: n.owner, Explicit: n.explicit}
		for _, p := range n.policies {
			src, err := json.Marshal(p)
			if err != nil {
				rt.Fatal(err)
			}
			kind := documentKinds[n.kind]
			doc, err := Parse(src, kind)
			if err != nil {
				rt.Fatalf("%s\n%v", src, err)
			}
			if again, err := Parse(doc.Format(), kind); err != nil || string(again.Format()) != string(doc.Format()) {
				rt.Fatalf("%s\nformatted: %s\n%v", src, doc.Format(), err)
			}
			l.Sets = append(l.Sets, policy.Compile(doc.Rules(policy.RuleID{}), keys))
		}
		layers = append(layers, l)
	}
	for range 8 {
		r := drawRequest(rt)
		r.p = principal(t, rapid.SampledFrom(someCallers).Draw(rt, "caller"))
		req := policy.Request{Principal: r.p, Context: r.context(rapid.Bool().Draw(rt, "typed"))}
		req.Actions[Language], req.Resources[Language] = r.action, r.resource
		got, want := policy.Decide(&req, layers...), naiveDecide(naive, r)
		if got.Outcome != want {
			src, _ := json.MarshalIndent(naive2JSON(naive), "", " ")
			rt.Fatalf("engine %v (%v), naive %v\n%+v\n%s", got.Outcome, got.Layer, want, r, src)
		}
		consistent(t, &req, layers, got)
	}
}

func naive2JSON(layers []naiveLayer) any {
	var out []any
	for _, l := range layers {
		out = append(out, map[string]any{"kind": layerNames[l.kind], "owner": l.owner, "explicit": l.explicit, "policies": l.policies})
	}
	return out
}
