package ops

import (
	"warifu/internal/iam"
	"warifu/internal/insight"
	"warifu/internal/name"
	"warifu/internal/signin"
	"warifu/policy"
	"warifu/policy/aws"
)

// A synthetic user stands in no table: it exists in these functions alone. The rules
// that serve requests are asked about it, and nothing is kept.

// syntheticID is the id of nobody: ids are minted above it.
const syntheticID name.ID = 1

// asksForMFA is the statement that AWS's own guide gives for requiring MFA, above
// everything allowed.
const asksForMFA = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
	{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}`

// asksKeys is the same for access keys, which say nothing about MFA.
const asksKeys = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",
	"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`

// probes tries what must be refused: a synthetic user who signs in with a password
// alone, by the sign-in machine and the account's own preferences, and one who makes
// a change without MFA, by the evaluator that serves requests. What must be allowed
// is tried as well: rules that refuse everything prove nothing.
func (env *Env) probes() ([]insight.Probe, error) {
	open, strange, err := env.probeSignIn()
	if err != nil {
		return nil, err
	}
	deny, err := env.probePolicy(asksForMFA)
	if err != nil {
		return nil, err
	}
	keys, err := env.probePolicy(asksKeys)
	if err != nil {
		return nil, err
	}
	return []insight.Probe{
		{ID: insight.ProbeSignIn, Held: !open}, {ID: insight.ProbeUnknown, Held: !strange},
		{ID: insight.ProbeDeny, Held: !deny[WayPassword]}, {ID: insight.ProbeKey, Held: !keys[WayKey] && !keys[WayPassword]},
		{ID: insight.ProbeAllowed, Held: deny[WayMFA] && keys[WayMFA]},
	}, nil
}

// probeSignIn reports whether a user who has a password and no factor would get in,
// and whether somebody would whom nobody knows.
func (env *Env) probeSignIn() (open, strange bool, err error) {
	a := env.Call.Caller.Account
	f := signin.Facts{Known: true}
	if f.Wanted, err = env.Tx.Preferences(a); err != nil {
		return false, false, err
	}
	f.Wanted.LinkOnly = false // who gets no link is refused for that already
	p := signin.Proof{Act: signin.Identified, Fits: true, Flow: signin.Flow{Account: a, User: syntheticID}}
	_, out := signin.Step(signin.Flow{}, p, f, env.Now)
	open = out.Verdict == signin.Open
	p.Fits, f.Known = false, false
	_, out = signin.Step(signin.Flow{}, p, f, env.Now)
	return open, out.Verdict != signin.Refused, nil
}

// probePolicy tells in which ways a synthetic user who holds a text may delete
// another user.
func (env *Env) probePolicy(text string) (map[Way]bool, error) {
	set, err := env.compile(policy.RuleID{Policy: "self-test"}, text, aws.Managed)
	if err != nil {
		return nil, err
	}
	a := env.Call.Caller.Account
	c := Caller{Account: a, Kind: policy.User, User: iam.User{ID: syntheticID, Account: a, Name: "warifu-nobody", Path: "/"}}
	out := map[Way]bool{}
	for _, w := range Ways {
		out[w] = env.tryOne(c, alone(set), DeleteUser.Grants, name.UserARN(a, "/", "warifu-nobody-else"), w, Target{}).Allowed
	}
	return out, nil
}
