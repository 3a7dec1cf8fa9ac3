package ram

import (
	"fmt"
	"regexp"
	"strings"

	"warifu/policy"
)

// check looks for what is wrong in a document whose syntax is right.
func (d *Document) check() error {
	for _, s := range d.statements {
		checks := []func(*statement) error{d.checkActions, d.checkResources, d.checkConditions}
		if d.kind == TrustPolicy {
			checks = []func(*statement) error{d.checkPrincipals, d.checkActions, d.checkTrust, d.checkConditions}
		}
		for _, check := range checks {
			if err := check(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// actions are the statement's actions, whichever element they stand in.
func (s *statement) actions() *list {
	if s.notAction != nil {
		return s.notAction
	}
	return s.action
}

// actionForm: the code of a service and the name of an operation, either with
// wildcards.
var actionForm = regexp.MustCompile(`^(\*|[A-Za-z0-9*?-]+:[A-Za-z0-9_*?/.-]+)$`)

func (d *Document) checkActions(s *statement) error {
	l := s.actions()
	if l == nil {
		return d.refuse(s.off, "a statement without actions", "Action or NotAction")
	}
	for _, a := range l.items {
		if !actionForm.MatchString(a.s) {
			return d.refuse(a.off, fmt.Sprintf("%q as an action", a.s), `service:Operation, with the service's RAM code, or "*"`)
		}
	}
	return nil
}

func (d *Document) checkResources(s *statement) error {
	if s.resource == nil {
		return d.refuse(s.off, "a statement without Resource", "Resource")
	}
	for _, r := range s.resource.items {
		if r.s == "*" {
			continue
		}
		if f := strings.SplitN(r.s, ":", resourceFields); len(f) < resourceFields || f[0] != "acs" || f[1] == "" || f[4] == "" {
			return d.refuse(r.off, fmt.Sprintf("%q as a resource", r.s), `"*" or acs:service:region:account:resource`)
		}
	}
	return nil
}

// keyForm: a prefix and the key's name, with a tag's key behind a slash.
var keyForm = regexp.MustCompile(`^[A-Za-z0-9-]+:[^\s/][^/]*(/.+)?$`)

func (d *Document) checkConditions(s *statement) error {
	for _, o := range s.conditions {
		for _, key := range o.keys {
			if !keyForm.MatchString(key.name.s) {
				return d.refuse(key.name.off, fmt.Sprintf("%q as a condition key", key.name.s), "acs:Key or service:Key, with acs:ResourceTag/key for tags")
			}
			if o.form.op == policy.BoolIs && len(key.items) > 1 {
				return d.refuse(key.items[1].off, "more than one value for Bool "+key.name.s, `"true" or "false"`)
			}
			for _, v := range key.items {
				if _, ok := o.form.value(v.s); !ok {
					return d.refuse(v.off, fmt.Sprintf("%q for %s %s", v.s, o.name.s, key.name.s), o.form.want)
				}
			}
		}
	}
	return nil
}

func (d *Document) checkPrincipals(s *statement) error {
	if s.principals == nil {
		return d.refuse(s.off, "a statement without Principal", "Principal")
	}
	for _, l := range s.principals {
		for _, v := range l.items {
			if _, ok := parseWho(l.name.s, v.s); !ok {
				return d.refuse(v.off, fmt.Sprintf("%q as a principal of type %s", v.s, l.name.s), principalHelp[l.name.s])
			}
		}
	}
	return nil
}

// trustActions are what a trust policy may speak of. One name stands for every way
// of assuming a role; the others are written in the wild.
var trustActions = []string{"sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithOIDC", "sts:SetSourceIdentity"}

func (d *Document) checkTrust(s *statement) error {
	for _, a := range s.action.items {
		known := a.s == "*" || strings.HasPrefix(strings.ToLower(a.s), "sts:") && strings.ContainsAny(a.s, "*?")
		for _, t := range trustActions {
			known = known || strings.EqualFold(t, a.s)
		}
		if !known {
			return d.refuse(a.off, fmt.Sprintf("%q as an action of a trust policy", a.s), strings.Join(trustActions, ", "))
		}
	}
	return nil
}

var principalHelp = map[string]string{
	"RAM":       "acs:ram::account:root, acs:ram::account:user/name or acs:ram::account:role/name, without wildcards",
	"Service":   "a service's name such as ecs.aliyuncs.com",
	"Federated": "acs:ram::account:saml-provider/name or acs:ram::account:oidc-provider/name",
}

// idKind stands in the place of user and role where a stored trust policy has a
// principal's unique id, so that one who is made again under the same name is not
// trusted.
const idKind = "id"

// principal is one principal as the evaluator asks for it.
type principal struct {
	who     policy.Who
	account string // of a user or role: the account whose own policies must allow, too
}

var (
	ramPrincipal = regexp.MustCompile(`^acs:ram:\*?:([0-9]{1,20}):(?:(root)|(user|role|id)/([^*?/\s]+))$`)
	idpPrincipal = regexp.MustCompile(`^acs:ram:\*?:[0-9]{1,20}:(?:saml|oidc)-provider/[^*?/\s]+$`)
	servicePart  = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$`)
)

// parseWho reads one principal.
func parseWho(kind, s string) (principal, bool) {
	s = strings.Replace(s, "acs:ram:*:", "acs:ram::", 1)
	switch kind {
	case "Service":
		return principal{who: policy.Who{Kind: policy.Named, Name: s}}, servicePart.MatchString(s)
	case "Federated":
		return principal{who: policy.Who{Kind: policy.Named, Name: s}}, idpPrincipal.MatchString(s)
	}
	m := ramPrincipal.FindStringSubmatch(s)
	switch {
	case m == nil:
		return principal{}, false
	case m[2] != "":
		return principal{who: policy.Who{Kind: policy.InAccount, Name: m[1]}}, true
	case m[3] == idKind:
		return principal{policy.Who{Kind: policy.WithID, Name: m[4]}, m[1]}, true
	}
	return principal{policy.Who{Kind: policy.Named, Name: s}, m[1]}, true
}
