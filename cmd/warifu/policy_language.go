package main

import (
	"fmt"
	"strings"

	"warifu/internal/name"
	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/oci"
	"warifu/policy/ram"
)

// What differs from AWS's language in the other two.

// otherNames gives the caller its names there.
func (s *situation) otherNames(account name.Account) {
	own := &s.who.Names[aws.Language]
	if s.who.Kind != policy.Anonymous {
		s.who.Names[ram.Language] = policy.Names{Account: account.UID(), Name: name.ACSOf(own.Name), Session: name.ACSOf(own.Session)}
		s.facts.Set("acs:PrincipalARN", policy.String(name.ACSOf(own.Name)))
	}
	if s.who.Kind != policy.User {
		return
	}
	user := own.Name[strings.LastIndexByte(own.Name, '/')+1:]
	id := name.PlainOCID(name.OCIUser, user)
	s.who.Names[oci.Language] = policy.Names{Account: oracleTenancy, ID: id, Name: user}
	for _, who := range []string{"request.user", "request.principal"} {
		s.facts.Set(who+".id", policy.String(id))
		s.facts.Set(who+".name", policy.String(user))
	}
	s.facts.Set("request.principal.type", policy.String("user"))
	var ids []string
	for _, g := range s.given.Groups {
		domain, called, ok := strings.Cut(g, "/")
		if !ok {
			domain, called = "", g
		}
		ids = append(ids, oracleID(oci.Group, domain, called))
	}
	s.facts.Set("request.groups.id", policy.Strings(ids...))
	s.facts.Set("request.groups.name", policy.Strings(s.given.Groups...))
}

// keyOf is how the evaluator spells a context key.
func (s *situation) keyOf(key string) string {
	if s.language == oci.Language {
		return oci.Key(key)
	}
	return key
}

// checkAction refuses what is no action of the language.
func (s *situation) checkAction(action string) error {
	if s.language == oci.Language {
		if len(permissionsOf(action)) == 0 {
			return fmt.Errorf("%q is neither an operation of Oracle Cloud's, such as LaunchInstance, nor a permission, such as INSTANCE_CREATE", action)
		}
		return nil
	}
	if service, called, ok := strings.Cut(action, ":"); !ok || service == "" || called == "" || strings.ContainsAny(action, "*? ") {
		return fmt.Errorf("%q is not an action: it is written service:Operation, without wildcards", action)
	}
	return nil
}

// permissionsOf are those that an operation needs, or the one that is named.
func permissionsOf(action string) []string {
	if _, _, ok := oci.Grantor(action); ok {
		return []string{action}
	}
	all, _ := oci.Permissions(action)
	return all
}

// explainOracle asks for each permission that an operation needs. The trace is of the
// first that is denied, or else of the first that nothing allows.
func (s *situation) explainOracle(facts map[string]policy.Fact, action, compartment string) *policy.Trace {
	if _, _, ok := oci.Grantor(action); !ok {
		facts["request.operation"] = policy.String(action)
	}
	req := policy.Request{Principal: s.who, Context: policy.Map(facts)}
	req.Resources[oci.Language] = compartmentPath(compartment)
	var worst *policy.Trace
	for _, p := range permissionsOf(action) {
		req.Actions[oci.Language] = p
		t := policy.Explain(&req, s.layers...)
		d := t.Decision.Outcome
		if worst == nil || worst.Decision.Allowed() && d != policy.Allowed || worst.Decision.Outcome == policy.ImplicitDeny && d == policy.ExplicitDeny {
			worst = &t
		}
	}
	return worst
}

// compartmentPath is a compartment as requests name it, given its names from the root
// on: "*" is the root itself.
func compartmentPath(compartment string) string {
	ids := []string{oracleTenancy}
	if compartment == "*" {
		return oci.Path(ids...)
	}
	steps := strings.Split(compartment, ":")
	for i := range steps {
		ids = append(ids, oracleID(oci.Compartment, "", strings.Join(steps[:i+1], ":")))
	}
	return oci.Path(ids...)
}
