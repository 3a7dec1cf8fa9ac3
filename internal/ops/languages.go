package ops

import (
	"cmp"
	"errors"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/policy"
	"warifu/policy/aws"
	"warifu/policy/ram"
)

// language is that of the documents that a call brings: its door's.
func (env *Env) language() iam.Language { return cmp.Or(env.Call.Source.Language, iam.LanguageAWS) }

// ramKinds are the RAM language's kinds of document. It knows no boundary: there,
// its identity policies limit as well as they grant.
var ramKinds = map[aws.Kind]ram.Kind{
	aws.Managed: ram.Identity, aws.Inline: ram.Identity, aws.BoundaryPolicy: ram.Identity, aws.TrustPolicy: ram.TrustPolicy,
	aws.SessionPolicy: ram.SessionPolicy, aws.ServiceControl: ram.ControlPolicy, aws.VendorPolicy: ram.SystemPolicy,
}

// checkDocument refuses a document that its language does not accept.
func checkDocument(document string, kind aws.Kind, in iam.Language) error {
	if in == iam.LanguageRAM {
		return checkRAM(document, ramKinds[kind])
	}
	_, err := aws.Parse([]byte(document), kind)
	var refused *aws.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &refused):
		return fault.Wrap(err, "read a policy document")
	case refused.Quota:
		return limited("PolicySize", kind.Quota())
	}
	return &fault.Error{Kind: fault.Malformed, Noun: "policy document", What: refused.Message, Err: refused}
}

func checkRAM(document string, kind ram.Kind) error {
	_, err := ram.Parse([]byte(document), kind)
	var refused *ram.Error
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &refused):
		return fault.Wrap(err, "read a policy document")
	case refused.Quota:
		return limited("PolicySize", kind.Quota())
	}
	return &fault.Error{Kind: fault.Malformed, Noun: "policy document", What: refused.Error(), Err: refused}
}

// documentSize counts a document as its language's quota does.
func documentSize(document string, in iam.Language) int {
	if in == iam.LanguageRAM {
		return ram.Size([]byte(document))
	}
	return aws.Size([]byte(document))
}

// rulesOf reads a stored document. Documents say themselves which language they
// are in: the versions of AWS's and RAM's have nothing in common, and each language
// demands its own.
func rulesOf(id policy.RuleID, text string, kind aws.Kind) ([]policy.Rule, error) {
	if ram.Speaks([]byte(text)) {
		doc, err := ram.Parse([]byte(text), ramKinds[kind])
		if err != nil {
			return nil, err
		}
		return doc.Rules(id), nil
	}
	plain, err := PlainPolicy(text)
	if err != nil {
		return nil, err
	}
	doc, err := aws.Parse([]byte(plain), kind)
	if err != nil {
		return nil, err
	}
	return doc.Rules(id), nil
}

// splitPolicy takes the name of a managed policy apart: an ARN, or an Alibaba
// Cloud name, which has no path ("").
func splitPolicy(s string) (owner name.Account, path, called string, ok bool) {
	if owner, called, ok := name.SplitRAM(s, "policy"); ok {
		return owner, "", called, true
	}
	return name.SplitIAM(s, "policy")
}

// ramPrincipalID puts the unique id of a user or role, which must exist, in the
// place of its name; the text itself of all others.
func (env *Env) ramPrincipalID(s string) (string, error) {
	if a, called, ok := name.SplitRAM(s, "user"); ok {
		u, err := env.Tx.UserByName(a, called)
		if err != nil {
			return "", err
		}
		return name.RAM(a, "id", u.ID.String()), nil
	}
	if a, called, ok := name.SplitRAM(s, "role"); ok {
		r, err := env.Tx.RoleByName(a, called)
		if err != nil {
			return "", err
		}
		return name.RAM(a, "id", r.ID.String()), nil
	}
	if _, _, ok := name.SplitRAM(s, "id"); ok {
		shown, err := env.ramPrincipalName(s)
		if err == nil && shown == s {
			err = fault.Of(fault.NotFound, "principal", s)
		}
		return s, err
	}
	return s, nil
}

// ramPrincipalName is the reverse: the text itself if it has no id, or nobody has
// the id any more.
func (env *Env) ramPrincipalName(s string) (string, error) {
	a, digits, ok := name.SplitRAM(s, "id")
	id, isID := name.ParseID(digits)
	if !ok || !isID {
		return s, nil
	}
	u, err := env.Tx.UserByID(a, id)
	if err == nil {
		return name.RAM(a, "user", u.Name), nil
	}
	if !fault.Is(err, fault.NotFound) {
		return "", err
	}
	r, err := env.Tx.RoleByID(a, id)
	if err == nil {
		return name.RAM(a, "role", r.Name), nil
	}
	return s, ignoreMissing(err)
}
