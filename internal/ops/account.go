package ops

import (
	"strings"

	"warifu/internal/audit"
	"warifu/internal/fault"
	"warifu/internal/store"
)

// AliasIn names an account's alias.
type AliasIn struct{ Alias string }

func (in AliasIn) record() audit.Fields { return audit.Fields{"accountAlias": in.Alias} }

func aliasTarget(_ *Env, in AliasIn) (Target, error) {
	return Target{Noun: "account alias", Name: in.Alias}, nil
}

// CreateAccountAlias gives the account a name for its sign-in address. An
// account has one at most: a new one takes the place of the old.
//
// Errors: Invalid; Exists when another account has it.
var CreateAccountAlias = Op[AliasIn, struct{}]{
	Name:   "CreateAccountAlias",
	Grants: Names{AWS: "iam:CreateAccountAlias"},
	Mode:   Write,
	Needs:  recently,
	Target: aliasTarget,
	Record: AliasIn.record,
	Do: func(env *Env, in AliasIn) (none struct{}, err error) {
		if err := checkAlias(in.Alias); err != nil {
			return none, err
		}
		return none, env.Tx.SetAlias(env.Call.Caller.Account, in.Alias)
	},
}

// checkAlias refuses what AWS refuses for aliases: 3 to 63 lower-case letters,
// digits and single hyphens, the latter neither first nor last. Twelve digits
// are refused, too: they would pass for an account's number on the sign-in page.
func checkAlias(s string) error {
	bad := fault.Field("accountAlias", "accountAlias must have 3 to 63 lower-case letters, digits and single hyphens, begin and end with a letter or digit, and not look like an account number")
	if len(s) < 3 || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' || strings.Contains(s, "--") {
		return bad
	}
	digits := 0
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9':
			digits++
		case r != '-' && (r < 'a' || r > 'z'):
			return bad
		}
	}
	if digits == len(s) && digits == 12 {
		return bad
	}
	return nil
}

// DeleteAccountAlias takes the account's alias away.
//
// Errors: NotFound when it is not the account's.
var DeleteAccountAlias = Op[AliasIn, struct{}]{
	Name:   "DeleteAccountAlias",
	Grants: Names{AWS: "iam:DeleteAccountAlias"},
	Mode:   Write,
	Needs:  recently,
	Target: aliasTarget,
	Record: AliasIn.record,
	Do: func(env *Env, in AliasIn) (none struct{}, err error) {
		a, err := env.Tx.Account(env.Call.Caller.Account)
		if err != nil {
			return none, err
		}
		if in.Alias == "" || a.Alias != in.Alias {
			return none, fault.Of(fault.NotFound, "account alias", in.Alias)
		}
		return none, env.Tx.SetAlias(a.ID, "")
	},
}

// ListAccountAliases tells the account's alias, "" if it has none.
var ListAccountAliases = Op[struct{}, string]{
	Name:   "ListAccountAliases",
	Grants: Names{AWS: "iam:ListAccountAliases"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "account alias"}, nil },
	Do: func(env *Env, _ struct{}) (string, error) {
		a, err := env.Tx.Account(env.Call.Caller.Account)
		if err != nil {
			return "", err
		}
		return a.Alias, nil
	},
}

// Summary is how much an account holds and may hold.
type Summary struct {
	store.Counts
	Limits Limits
}

// GetAccountSummary counts what the account holds.
var GetAccountSummary = Op[struct{}, Summary]{
	Name:   "GetAccountSummary",
	Grants: Names{AWS: "iam:GetAccountSummary"},
	Target: func(*Env, struct{}) (Target, error) { return Target{Noun: "account"}, nil },
	Do: func(env *Env, _ struct{}) (Summary, error) {
		c, err := env.Tx.Counts(env.Call.Caller.Account)
		return Summary{c, env.limits}, err
	},
}
