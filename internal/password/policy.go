package password

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"golang.org/x/text/unicode/norm"

	"warifu/internal/fault"
	"warifu/internal/seal"
)

// Policy is what an account asks of its users' passwords: the fields of AWS's
// account password policy and of Alibaba Cloud's (IMS API, SetPasswordPolicy),
// which hold Oracle Cloud's, too. Composition rules and expiry are there because
// accounts and auditors ask for them; NIST SP 800-63B advises against both, and
// they are off unless set.
type Policy struct {
	MinimumLength    int // in characters (code points after NFKC), 6 to 128
	RequireSymbols   bool
	RequireNumbers   bool
	RequireUppercase bool
	RequireLowercase bool

	AllowUsersToChange bool // users may change their own password without a policy that says so

	MaxAge          int  // days until a password expires, up to 1095; 0 = never
	ReusePrevention int  // how many former passwords may not come back, up to 24; 0 = all may
	HardExpiry      bool // an expired password is reset by an administrator, not by its user

	MaxLoginAttempts    int  // wrong passwords in a row before a pause of an hour, up to 32; 0 = none. Ten block for good
	InitialAge          int  // days in which a password that an administrator gave must be changed, up to 90; 0 = any time
	NotContainName      bool // a password may not contain the user's or account's name
	DifferentCharacters int  // how many different characters a password has at least, up to 8; 0 = no matter
}

// Bounds of a policy (AWS IAM API reference, UpdateAccountPasswordPolicy).
const (
	LeastLength      = 6 // also what an update that leaves it open sets
	GreatestLength   = 128
	GreatestMaxAge   = 1095 // days
	GreatestPrevious = 24
)

// Bounds of Alibaba Cloud's fields.
const (
	GreatestAttempts   = 32
	GreatestInitialAge = 90 // days
	GreatestDifferent  = 8
)

// DefaultPolicy is in force while an account has set none: 8 characters, which is
// what NIST SP 800-63B asks of a password that has a second factor beside it.
func DefaultPolicy() Policy { return Policy{MinimumLength: 8} }

// ExpirePasswords reports whether passwords expire at all.
func (p Policy) ExpirePasswords() bool { return p.MaxAge > 0 }

// Check refuses bounds that no policy may have.
func (p Policy) Check() error {
	switch {
	case p.MinimumLength < LeastLength || p.MinimumLength > GreatestLength:
		return fault.Field("minimumPasswordLength", "minimumPasswordLength must be %d to %d", LeastLength, GreatestLength)
	case p.MaxAge < 0 || p.MaxAge > GreatestMaxAge:
		return fault.Field("maxPasswordAge", "maxPasswordAge must be 1 to %d days, or 0 for never", GreatestMaxAge)
	case p.ReusePrevention < 0 || p.ReusePrevention > GreatestPrevious:
		return fault.Field("passwordReusePrevention", "passwordReusePrevention must be 1 to %d, or 0 for none", GreatestPrevious)
	case p.MaxLoginAttempts < 0 || p.MaxLoginAttempts > GreatestAttempts:
		return fault.Field("maxLoginAttempts", "maxLoginAttempts must be 1 to %d, or 0 for no limit", GreatestAttempts)
	case p.InitialAge < 0 || p.InitialAge > GreatestInitialAge:
		return fault.Field("initialPasswordAge", "initialPasswordAge must be 1 to %d days, or 0 for no limit", GreatestInitialAge)
	case p.DifferentCharacters < 0 || p.DifferentCharacters > GreatestDifferent:
		return fault.Field("minimumPasswordDifferentCharacter", "minimumPasswordDifferentCharacter must be 0 to %d", GreatestDifferent)
	}
	return nil
}

// Text is the stored form.
func (p Policy) Text() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic("password: a policy is not JSON: " + err.Error())
	}
	return string(b)
}

// ParsePolicy reads the stored form; "" is DefaultPolicy. An unknown field is an
// error: a rule that this program does not know would silently not be kept.
func ParsePolicy(text string) (Policy, error) {
	if text == "" {
		return DefaultPolicy(), nil
	}
	var p Policy
	if err := json.Unmarshal([]byte(text), &p, json.RejectUnknownMembers(true)); err != nil {
		return Policy{}, fault.Wrap(err, "read a stored password policy")
	}
	if err := p.Check(); err != nil {
		return Policy{}, fault.Wrap(err, "read a stored password policy")
	}
	return p, nil
}

// Rule is one thing that a password can fail.
type Rule string

// The rules.
const (
	RuleLength    Rule = "minimum length"
	RuleTooLong   Rule = "maximum length"
	RuleSymbol    Rule = "symbol"
	RuleNumber    Rule = "number"
	RuleUppercase Rule = "uppercase letter"
	RuleLowercase Rule = "lowercase letter"
	RuleCommon    Rule = "common password"
	RuleContext   Rule = "user or account name"
	RuleReuse     Rule = "former password"
	RuleName      Rule = "no name inside"
	RuleDifferent Rule = "different characters"
)

// Blocklist reports whether a password is known to attackers. It gets the
// password in NFKC and lower case. Common is one; others may read files.
type Blocklist func(folded string) bool

// Failures returns the rules that a password fails, nil when it is good. words
// are names that it must not consist of: the user's, the account's, the product's.
// blocked may be nil. Whether it was used before is for Hasher.Reused to tell.
func (p Policy) Failures(password seal.Secret, words []string, blocked Blocklist) []Rule {
	raw := password.Reveal()
	text := string(norm.NFKC.Bytes(raw[:min(len(raw), MaxBytes)]))
	folded := strings.ToLower(text)
	var failed []Rule
	for _, c := range []struct {
		fails bool
		rule  Rule
	}{
		{utf8.RuneCountInString(text) < p.MinimumLength, RuleLength},
		{len(raw) > MaxBytes, RuleTooLong},
		{p.RequireSymbols && !strings.ContainsFunc(text, isSymbol), RuleSymbol},
		{p.RequireNumbers && !strings.ContainsFunc(text, unicode.IsNumber), RuleNumber},
		{p.RequireUppercase && !strings.ContainsFunc(text, unicode.IsUpper), RuleUppercase},
		{p.RequireLowercase && !strings.ContainsFunc(text, unicode.IsLower), RuleLowercase},
		{blocked != nil && blocked(folded), RuleCommon},
		{slices.ContainsFunc(words, func(w string) bool { return leansOn(folded, w) }), RuleContext},
		{p.NotContainName && slices.ContainsFunc(words, func(w string) bool { return contains(folded, w) }), RuleName},
		{different(text) < p.DifferentCharacters, RuleDifferent},
	} {
		if c.fails {
			failed = append(failed, c.rule)
		}
	}
	return failed
}

// isSymbol takes AWS's list (! @ # $ % ^ & * ( ) _ + - = [ ] { } | ') and every
// other mark that a keyboard has, which AWS's does not count.
func isSymbol(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }

// leansOn reports whether too little is left of a password without a word.
func leansOn(folded, word string) bool {
	const least, rest = 3, 8 // shorter words are everywhere; what is left must do as a password itself
	word = strings.ToLower(norm.NFKC.String(word))
	if utf8.RuneCountInString(word) < least || !strings.Contains(folded, word) {
		return false
	}
	return utf8.RuneCountInString(strings.ReplaceAll(folded, word, "")) < rest
}

// contains reports whether a password holds a name. One of two letters or less
// would forbid too much.
func contains(folded, word string) bool {
	word = strings.ToLower(norm.NFKC.String(word))
	return utf8.RuneCountInString(word) > 2 && strings.Contains(folded, word)
}

// different counts the different characters of a text.
func different(text string) int {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}

// Refusal makes a fault of failed rules: WeakPassword, its sentence naming every
// rule; nil when there are none. Its Name lists them for a door that has words of
// its own, separated by commas, with the number that belongs to a rule after an
// equals sign: "minimum length=8,symbol".
func (p Policy) Refusal(failed []Rule) error {
	if len(failed) == 0 {
		return nil
	}
	var say, rules []string
	for _, r := range failed {
		say, rules = append(say, p.demand(r)), append(rules, p.numbered(r))
	}
	return &fault.Error{Kind: fault.WeakPassword, Noun: "password", Name: strings.Join(rules, ","), What: "The password " + strings.Join(say, ", and ") + "."}
}

// numbered is a rule with its number.
func (p Policy) numbered(r Rule) string {
	switch r {
	case RuleLength:
		return fmt.Sprintf("%s=%d", r, p.MinimumLength)
	case RuleTooLong:
		return fmt.Sprintf("%s=%d", r, MaxBytes)
	case RuleReuse:
		return fmt.Sprintf("%s=%d", r, p.ReusePrevention)
	case RuleDifferent:
		return fmt.Sprintf("%s=%d", r, p.DifferentCharacters)
	}
	return string(r)
}

func (p Policy) demand(r Rule) string {
	switch r {
	case RuleLength:
		return fmt.Sprintf("must have at least %d characters", p.MinimumLength)
	case RuleTooLong:
		return fmt.Sprintf("must have at most %d bytes", MaxBytes)
	case RuleCommon:
		return "must not be one that is commonly used or known from a breach"
	case RuleContext:
		return "must not be made of the user's or account's name"
	case RuleReuse:
		return fmt.Sprintf("must not be one of the last %d", p.ReusePrevention)
	case RuleName:
		return "must not contain the user's or account's name"
	case RuleDifferent:
		return fmt.Sprintf("must have at least %d different characters", p.DifferentCharacters)
	}
	return "must have a " + string(r)
}

// InitialLapsed reports whether a password that an administrator gave, and that
// was never signed in with, is too old to be: an administrator gives another.
func (p Policy) InitialLapsed(initial bool, changed, now time.Time) bool {
	return initial && p.InitialAge > 0 && !now.Before(changed.AddDate(0, 0, p.InitialAge))
}

// Age says what a password's age means at sign-in.
type Age uint8

// The ages.
const (
	Fresh      Age = iota
	MustChange     // the user chooses a new one before going on
	Locked         // an administrator must reset it
)

// AgeOf judges a password that was last changed at changed.
func (p Policy) AgeOf(changed, now time.Time) Age {
	if !p.ExpirePasswords() || now.Before(changed.Add(time.Duration(p.MaxAge)*24*time.Hour)) {
		return Fresh
	}
	if p.HardExpiry {
		return Locked
	}
	return MustChange
}
