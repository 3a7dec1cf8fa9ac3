package signin

import "warifu/internal/iam"

// Asked says when a user is asked for a second factor.
type Asked string

// When.
const (
	AskedAlways  Asked = "always"
	AskedToBind  Asked = "bind"    // the user has none, and binds one at the next sign-in
	AskedUnusual Asked = "unusual" // when the sign-in is out of the ordinary
	AskedNever   Asked = "never"
)

// Source says where a rule comes from.
type Source string

// The sources.
const (
	ByRoot    Source = "root"    // root is always asked
	ByAccount Source = "account" // the account asks for it
	ByUser    Source = "user"    // an administrator asks it of this user
	ByFactor  Source = "factor"  // the user has a factor
	ByNobody  Source = "nobody"  // nobody asks for one
)

// Rule is what Step will do for a user who gives the right password, in words.
type Rule struct {
	Asked  Asked
	Source Source
}

// RuleOf works the rule out from what the directory says of a user. It asks the
// same question as Step does, of a sign-in that is as always and of one that is out
// of the ordinary.
func RuleOf(f Facts) Rule {
	usual, unusual := Flow{}, Flow{Unusual: []Reason{NewDevice}}
	demand := func(flow *Flow) bool {
		ask, bind := f.demands(flow)
		return ask && f.bound() || bind
	}
	switch always := demand(&usual); {
	case always && !f.bound():
		return Rule{AskedToBind, f.source()}
	case always:
		return Rule{AskedAlways, f.source()}
	case demand(&unusual):
		return Rule{AskedUnusual, f.source()}
	}
	return Rule{AskedNever, ByNobody}
}

// source is the strongest that asks for a second factor.
func (f *Facts) source() Source {
	switch {
	case f.Root:
		return ByRoot
	case f.Wanted.MFAForLogin == iam.MFAMandatory:
		return ByAccount
	case f.MFARequired:
		return ByUser
	case f.adaptive():
		return ByAccount
	}
	return ByFactor
}
