package ops

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"warifu/internal/fault"
	"warifu/internal/iam"
	"warifu/internal/name"
	"warifu/policy/aws"
)

// A trust policy is stored with the unique ids of the users and roles that it
// names, so that one who is deleted and made again under the same name is not
// trusted. Whoever reads it gets the names that the ids have now; the id of one
// who is gone stays, as it does in AWS.

// savedTrust checks a trust policy and puts ids in the place of names.
func (env *Env) savedTrust(document string, comments bool) (string, error) {
	plain, err := incoming(document, comments)
	if err != nil {
		return "", err
	}
	if env.language() == iam.LanguageAWS && aws.Size([]byte(plain)) > env.limits.TrustSize {
		return "", limited("ACLSizePerRole", env.limits.TrustSize)
	}
	if err := checkDocument(plain, aws.TrustPolicy, env.language()); err != nil {
		return "", err
	}
	return mapPrincipals(document, env.principalID)
}

// shownTrust puts names in the place of the ids of a stored trust policy.
func (env *Env) shownTrust(document string) (string, error) {
	if !strings.Contains(document, name.PrefixUser) && !strings.Contains(document, name.PrefixRole) && !strings.Contains(document, ":id/") {
		return document, nil
	}
	return mapPrincipals(document, env.principalName)
}

// userOrRole is where a policy document names users and roles: AWS's and RAM's.
var userOrRole = regexp.MustCompile(`^/Statement(/\d+)?/Principal/(AWS|RAM)(/\d+)?$`)

// mapPrincipals changes the users and roles that a document names and leaves every
// other byte as it is, comments as well.
func mapPrincipals(document string, change func(string) (string, error)) (string, error) {
	plain, err := PlainPolicy(document)
	if err != nil {
		return "", err
	}
	dec := jsontext.NewDecoder(strings.NewReader(plain))
	var out strings.Builder
	copied := 0 // how much of the document is in out
	for {
		switch dec.PeekKind() {
		case '{', '}', '[', ']':
			if _, err := dec.ReadToken(); err != nil {
				return "", fault.Wrap(err, "read a trust policy")
			}
			continue
		}
		value, err := dec.ReadValue()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", fault.Wrap(err, "read a trust policy")
		}
		if value.Kind() != '"' || isMemberName(dec) || !userOrRole.MatchString(string(dec.StackPointer())) {
			continue
		}
		text, err := jsontext.AppendUnquote(nil, value)
		if err != nil {
			return "", fault.Wrap(err, "read a trust policy")
		}
		changed, err := change(string(text))
		if err != nil {
			return "", err
		}
		if changed == string(text) {
			continue
		}
		quoted, err := jsontext.AppendQuote(nil, changed)
		if err != nil {
			return "", fault.Wrap(err, "write a trust policy")
		}
		end := int(dec.InputOffset())
		out.WriteString(document[copied : end-len(value)])
		out.Write(quoted)
		copied = end
	}
	out.WriteString(document[copied:])
	return out.String(), nil
}

// isMemberName tells whether the value read last is the name of an object's
// member: names and values take turns.
func isMemberName(dec *jsontext.Decoder) bool {
	kind, n := dec.StackIndex(dec.StackDepth())
	return kind == '{' && n%2 == 1
}

// principalID is what is stored for a principal that a trust policy names: the
// unique id of a user or role, which must exist; the text itself of all others.
func (env *Env) principalID(s string) (string, error) {
	id, err := env.uniqueID(s)
	if fault.Is(err, fault.NotFound) {
		return "", &fault.Error{Kind: fault.Malformed, Noun: "policy document",
			What: fmt.Sprintf("Invalid principal in policy: %q:%q", principalType(s), s)}
	}
	return id, err
}

func (env *Env) uniqueID(s string) (string, error) {
	if isUniqueID(s) {
		shown, err := env.principalName(s)
		if err == nil && shown == s {
			err = fault.Of(fault.NotFound, "principal", s)
		}
		return s, err
	}
	if name.IsACS(s) {
		return env.ramPrincipalID(s)
	}
	if a, _, called, ok := name.SplitIAM(s, "user"); ok {
		u, err := env.Tx.UserByName(a, called)
		if err == nil && u.ARN() != s {
			err = fault.Of(fault.NotFound, "user", s)
		}
		if err != nil {
			return "", err
		}
		return u.ID.Unique(name.PrefixUser), nil
	}
	if a, _, called, ok := name.SplitIAM(s, "role"); ok {
		r, err := env.Tx.RoleByName(a, called)
		if err == nil && r.ARN() != s {
			err = fault.Of(fault.NotFound, "role", s)
		}
		if err != nil {
			return "", err
		}
		return r.ID.Unique(name.PrefixRole), nil
	}
	return s, nil
}

// principalType is the element of a document that names such a principal.
func principalType(s string) string {
	if name.IsACS(s) {
		return "RAM"
	}
	return "AWS"
}

func isUniqueID(s string) bool {
	return strings.HasPrefix(s, name.PrefixUser) || strings.HasPrefix(s, name.PrefixRole)
}

// principalName is the ARN of the user or role of a unique id; the text itself
// if it is no unique id or nobody has it any more.
func (env *Env) principalName(s string) (string, error) {
	if name.IsACS(s) {
		return env.ramPrincipalName(s)
	}
	find := func(name.Account) (string, error) { return s, nil }
	if id, ok := name.ParseUnique(name.PrefixUser, s); ok {
		find = func(a name.Account) (string, error) { return arnOf(env.Tx.UserByID(a, id)) }
	} else if id, ok := name.ParseUnique(name.PrefixRole, s); ok {
		find = func(a name.Account) (string, error) { return arnOf(env.Tx.RoleByID(a, id)) }
	}
	own := env.Call.Caller.Account
	arn, err := find(own)
	if !fault.Is(err, fault.NotFound) {
		return arn, err
	}
	accounts, err := env.Tx.Accounts() // a server has few
	if err != nil {
		return "", err
	}
	for _, a := range accounts {
		if a.ID == own {
			continue
		}
		if arn, err := find(a.ID); !fault.Is(err, fault.NotFound) {
			return arn, err
		}
	}
	return s, nil
}

func arnOf[T any, P interface {
	*T
	ARN() string
}](v P, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return v.ARN(), nil
}
