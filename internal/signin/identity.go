package signin

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"warifu/internal/name"
)

// MaxIdentifier is the length of the longest name that is looked at, in bytes.
const MaxIdentifier = 320

// Identity is who somebody claims to be, in the one form that look-up, counters
// and the trail share (security checklist P-4). Its zero value is nobody.
type Identity struct {
	Root    bool
	Email   string       // of root
	Account name.Account // of a user, when it was given in digits
	Alias   string       // of the user's account, when it was not
	Name    string       // of the user
}

// Identify reads what was typed. With an account (an alias or 12 digits) the user
// is one of that account. Without, what follows the last @ decides: an alias or
// 12 digits name the account of a user, anything else is the domain of root's
// e-mail address. The root form of the page says root outright.
func Identify(account, user string, root bool) Identity {
	account, user = canonical(account), canonical(user)
	switch {
	case !readable(account), !readable(user):
		return Identity{}
	case root:
		return Identity{Root: true, Email: user}
	case account == "":
		i := strings.LastIndexByte(user, '@')
		if i < 0 || !isAccount(user[i+1:]) {
			return Identity{Root: true, Email: user}
		}
		account, user = user[i+1:], user[:i]
	}
	who := Identity{Name: user}
	if a, ok := name.ParseAccount(account); ok {
		who.Account = a
	} else {
		who.Alias = account
	}
	return who
}

// readable reports whether a name can be one at all.
func readable(s string) bool {
	odd := func(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) }
	return len(s) <= MaxIdentifier && strings.IndexFunc(s, odd) < 0
}

// isAccount reports whether s can be an alias or an account's number: letters,
// digits and hyphens, but no dot, which every public domain has.
func isAccount(s string) bool {
	for _, r := range s {
		if r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// canonical takes away what a keyboard adds: white space around, full width,
// capitals.
func canonical(s string) string {
	if len(s) > 4*MaxIdentifier {
		return s // refused by its length
	}
	return strings.ToLower(strings.TrimSpace(norm.NFKC.String(s)))
}

// Key is what failures of a name that nobody has are counted by, the same for
// every way to spell it. account is the account's number where it is known.
func (i Identity) Key(account name.Account) string {
	switch {
	case i.Root:
		return "root\x00" + i.Email
	case account != 0:
		return account.String() + "\x00" + i.Name
	case i.Account != 0:
		return i.Account.String() + "\x00" + i.Name
	}
	return i.Alias + "\x00" + i.Name
}
