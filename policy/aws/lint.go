package aws

import (
	"fmt"
	"strings"

	"warifu/policy"
)

// Finding is a warning: the document is valid, but may not mean what it seems to.
type Finding struct {
	Code    string // stable, for suppressing: one of the Lint constants
	Message string
	Sid     string
	Line    int // 1-based
	Column  int // 1-based, in bytes
}

// Codes of findings.
const (
	LintMFABool      = "mfa-bool-misses-keys"    // Deny that long-term keys slip through
	LintMFAIfExists  = "mfa-allow-ifexists"      // Allow that long-term keys pass
	LintMFANull      = "mfa-null"                // presence is not truth
	LintAllowNot     = "allow-not-action"        // NotAction with Allow
	LintAllowNotRes  = "allow-not-resource"      // NotResource with Allow
	LintAllowNotWho  = "allow-not-principal"     // NotPrincipal with Allow
	LintAction       = "unknown-action"          // no action of that name, or none matches
	LintKey          = "unknown-key"             // the service never sends the key
	LintVariable     = "variable-in-old-version" // ${…} is plain text before 2012-10-17
	LintSetOperator  = "for-all-values-allow"    // true when the key is missing
	LintSid          = "sid-form"                // not letters and digits
	LintValue        = "value-never-matches"     // a value that no request can have
	LintLikeWildcard = "wildcard-in-equals"      // StringEquals takes * literally
)

// Vocabulary says what is known; a nil function leaves its findings out.
type Vocabulary struct {
	// Actions returns the actions of a service without its prefix, and whether the
	// service is known.
	Actions func(service string) ([]string, bool)
	// Key tells whether requests for a service's actions may carry a condition key.
	Key func(service, key string) bool
}

// Findings lints the document.
func (d *Document) Findings(v Vocabulary) []Finding {
	l := linter{doc: d, vocabulary: v}
	for _, s := range d.statements {
		l.statement(s)
	}
	return l.found
}

type linter struct {
	doc        *Document
	vocabulary Vocabulary
	sid        string
	found      []Finding
}

func (l *linter) add(off int, code, format string, args ...any) {
	f := Finding{Code: code, Message: fmt.Sprintf(format, args...), Sid: l.sid}
	f.Line, f.Column = position(l.doc.src, off)
	l.found = append(l.found, f)
}

func (l *linter) statement(s *statement) {
	l.sid = ""
	if s.sid != nil {
		l.sid = s.sid.s
		if strings.Trim(l.sid, alphanumerics) != "" {
			l.add(s.sid.off, LintSid, "the Sid %q has characters other than letters and digits", l.sid)
		}
	}
	allow := s.effect.s == "Allow"
	if allow {
		l.negations(s)
	}
	l.actions(s)
	for _, r := range []*list{s.resource, s.notResource} {
		l.variables(r)
	}
	for _, o := range s.condition.operators() {
		op, ok := parseOperator(o.name.s)
		for i := range o.keys {
			if ok {
				l.condition(allow, op, &o.name, &o.keys[i])
			}
			l.key(s, &o.keys[i])
		}
	}
}

func (l *linter) negations(s *statement) {
	if s.notAction != nil {
		l.add(s.notAction.off, LintAllowNot, "Allow with NotAction grants every action that is not listed, those of services to come as well")
	}
	if s.notResource != nil {
		l.add(s.notResource.off, LintAllowNotRes, "Allow with NotResource grants access to everything that is not listed")
	}
	if s.notPrinc != nil {
		l.add(s.notPrinc.off, LintAllowNotWho, "Allow with NotPrincipal grants access to everyone who is not listed, anonymous callers as well")
	}
}

// condition looks at one condition.
func (l *linter) condition(allow bool, op condOp, name *text, key *list) {
	if strings.EqualFold(key.name, "aws:MultiFactorAuthPresent") {
		l.mfa(allow, op, name, key)
	}
	if allow && op.quant == policy.Each && op.form.family != famNull {
		l.add(name.off, LintSetOperator, "%s holds when the request has no %s at all; add Null %s false to the Allow", name.s, key.name, key.name)
	}
	for _, v := range key.items {
		switch {
		case op.form.family == famString && op.form.op != policy.Like && strings.ContainsAny(v.s, "*?") && !strings.Contains(v.s, "${"):
			l.add(v.off, LintLikeWildcard, "%s compares %q literally; wildcards need StringLike", name.s, v.s)
		case op.form.family == famBool && !strings.EqualFold(v.s, "true") && !strings.EqualFold(v.s, "false") && !strings.Contains(v.s, "${"):
			l.add(v.off, LintValue, "%s compares with true or false; %q matches nothing", name.s, v.s)
		case op.form.family == famArn && v.s != "*" && len((&converter{}).fields(v.s)) < 6:
			l.add(v.off, LintValue, "%q is not an ARN of six fields and matches nothing", v.s)
		}
	}
	if op.form.family == famString || op.form.family == famArn {
		l.variables(key)
	}
}

// mfa looks for the ways in which a condition on MFA means something else than it
// says. Requests signed with long-term access keys do not have the key at all, and
// sessions of roles have it as false or not.
func (l *linter) mfa(allow bool, op condOp, name *text, key *list) {
	wants := func(b string) bool {
		for _, v := range key.items {
			if !strings.EqualFold(v.s, b) {
				return false
			}
		}
		return len(key.items) > 0
	}
	switch {
	case op.form.family == famBool && !allow && !op.ifExists && op.quant != policy.Each && wants("false"):
		l.add(name.off, LintMFABool, "requests with long-term access keys have no %s, so this Deny does not apply to them; BoolIfExists was probably meant", key.name)
	case op.form.family == famBool && allow && (op.ifExists || op.quant == policy.Each) && wants("true"):
		l.add(name.off, LintMFAIfExists, "requests with long-term access keys have no %s, so this Allow lets them through without MFA; Bool was probably meant", key.name)
	case op.form.family == famNull:
		l.add(name.off, LintMFANull, "Null asks whether %s is there, not whether it is true: sessions without MFA have it as false", key.name)
	}
}

func (l *linter) variables(lst *list) {
	if lst == nil || l.doc.version.s == version2012 {
		return
	}
	for _, v := range lst.items {
		if strings.Contains(v.s, "${") {
			l.add(v.off, LintVariable, "%q is taken literally: policy variables need Version 2012-10-17", v.s)
		}
	}
}

// actions looks for actions that nothing is called.
func (l *linter) actions(s *statement) {
	if l.vocabulary.Actions == nil {
		return
	}
	for _, a := range cmpOr(s.action, s.notAction).items {
		service, name, ok := strings.Cut(a.s, ":")
		if !ok {
			continue
		}
		known, ok := l.vocabulary.Actions(strings.ToLower(service))
		if !ok {
			l.add(a.off, LintAction, "no service is known as %q", service)
		} else if !anyMatches(known, name) {
			l.add(a.off, LintAction, "no action of %s matches %q", service, name)
		}
	}
}

// anyMatches tells whether one of the names matches the pattern of an action.
func anyMatches(names []string, pattern string) bool {
	rules := []policy.Rule{{Effect: policy.Allow, What: policy.Test{Of: policy.FromAction, Op: policy.LikeFold,
		Values: []policy.Value{(&converter{}).pattern(pattern, true)}}}}
	set := policy.Compile(rules, nil)
	for _, n := range names {
		req := policy.Request{Principal: policy.Principal{Kind: policy.User}}
		req.Actions[Language] = n
		if policy.Decide(&req, policy.Layer{Kind: policy.Identity, Sets: []*policy.Set{set}}).Allowed() {
			return true
		}
	}
	return false
}

// key looks for a condition key that no service named in the statement sends.
func (l *linter) key(s *statement, key *list) {
	if l.vocabulary.Key == nil || s.action == nil {
		return
	}
	for _, a := range s.action.items {
		service, _, ok := strings.Cut(a.s, ":")
		if !ok || l.vocabulary.Key(strings.ToLower(service), key.name) {
			return
		}
	}
	l.add(key.off, LintKey, "no action of this statement comes with the condition key %s", key.name)
}
