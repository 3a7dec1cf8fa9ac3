package ram

import (
	"fmt"
	"slices"
	"strings"

	"warifu/policy"
)

// Finding is a warning: the document is valid, but may not mean what it seems to.
type Finding struct {
	Code    string // stable, for suppressing: one of the Lint constants
	Message string
	Line    int // 1-based
	Column  int // 1-based, in bytes
}

// Codes of findings.
const (
	LintMFADeny      = "mfa-deny-misses-keys"   // requests signed with keys do not have acs:MFAPresent
	LintMFALockout   = "mfa-deny-locks-out"     // nobody can bind a device under it
	LintMFANegated   = "mfa-negated"            // a negated operator holds when the key is absent
	LintAllowNot     = "allow-not-action"       // NotAction with Allow
	LintNegated      = "negated-allow"          // an Allow whose condition holds without the key
	LintLikeWildcard = "wildcard-in-equals"     // StringEquals takes * literally
	LintKey          = "unknown-key"            // of the prefix acs:, and not documented
	LintRegion       = "region-of-ram-resource" // RAM's resources are in no region
)

// commonKeys are the documented condition keys of all services, in lower case; one
// that ends in a slash is a family.
var commonKeys = []string{
	"acs:currenttime", "acs:sourceip", "acs:securetransport", "acs:mfapresent", "acs:principalarn", "acs:principalrdid",
	"acs:principalrdpath", "acs:requesttag/", "acs:resourcetag/", "acs:sourcevpc", "acs:service",
}

// bindingActions are those that somebody without a device must be allowed, or
// cannot get one.
var bindingActions = []string{"ram:CreateVirtualMFADevice", "ram:BindMFADevice"}

// Findings lints the document.
func (d *Document) Findings() []Finding {
	l := linter{doc: d}
	for _, s := range d.statements {
		l.statement(s)
	}
	return l.found
}

type linter struct {
	doc   *Document
	found []Finding
}

func (l *linter) add(off int, code, format string, args ...any) {
	f := Finding{Code: code, Message: fmt.Sprintf(format, args...)}
	f.Line, f.Column = position(l.doc.src, off)
	l.found = append(l.found, f)
}

func (l *linter) statement(s *statement) {
	if s.notAction != nil && !s.deny {
		l.add(s.notAction.name.off, LintAllowNot, "Allow with NotAction grants every action that is not listed, those of services to come as well")
	}
	if s.resource != nil {
		l.regions(s.resource)
	}
	for _, o := range s.conditions {
		for i := range o.keys {
			l.condition(s, &o, &o.keys[i])
		}
	}
}

func (l *linter) regions(resources *list) {
	for _, r := range resources.items {
		if f := strings.SplitN(r.s, ":", resourceFields); len(f) == resourceFields && f[1] == "ram" && strings.Trim(f[2], "*") != "" {
			l.add(r.off, LintRegion, "resources of RAM are in no region: %q matches nothing; write acs:ram:*:…", r.s)
		}
	}
}

func (l *linter) condition(s *statement, o *operator, key *list) {
	low := strings.ToLower(key.name.s)
	switch {
	case low == "acs:mfapresent":
		l.mfa(s, o, key)
	case o.form.negate && !s.deny:
		l.add(o.name.off, LintNegated, "%s holds for requests that have no %s at all, so this Allow grants them", o.name.s, key.name.s)
	}
	if head, tail, family := strings.Cut(low, "/"); strings.HasPrefix(low, "acs:") {
		if family && tail != "" {
			head += "/"
		}
		if !slices.Contains(commonKeys, head) {
			l.add(key.name.off, LintKey, "no request comes with the condition key %s", key.name.s)
		}
	}
	if o.form.op == policy.Equals || o.form.op == policy.EqualsFold {
		for _, v := range key.items {
			if strings.ContainsAny(v.s, "*?") {
				l.add(v.off, LintLikeWildcard, "%s compares %q literally; wildcards need StringLike", o.name.s, v.s)
			}
		}
	}
}

// mfa looks for the ways in which a condition on MFA means something else than it
// says.
func (l *linter) mfa(s *statement, o *operator, key *list) {
	if o.form.negate {
		l.add(o.name.off, LintMFANegated, "%s holds for requests signed with access keys, which have no acs:MFAPresent", o.name.s)
		return
	}
	if !s.deny || !strings.EqualFold(key.items[0].s, "false") {
		return
	}
	l.add(o.name.off, LintMFADeny, "requests signed with access keys have no acs:MFAPresent, so this Deny does not apply to them; "+
		`to ask them for MFA, too, put Bool acs:MFAPresent "true" in what allows`)
	if l.denies(s, bindingActions) {
		l.add(s.actions().name.off, LintMFALockout, "somebody without a device cannot bind one under this Deny; use NotAction with %s", strings.Join(bindingActions, ", "))
	}
}

// denies tells whether the statement is about one of the actions.
func (l *linter) denies(s *statement, actions []string) bool {
	set := policy.Compile([]policy.Rule{{Lang: Language, Effect: policy.Deny, What: s.what()}}, nil)
	for _, a := range actions {
		req := policy.Request{Principal: policy.Principal{Kind: policy.User}}
		req.Actions[Language] = a
		if policy.Decide(&req, set.Layer(policy.Identity)).Outcome == policy.ExplicitDeny {
			return true
		}
	}
	return false
}
