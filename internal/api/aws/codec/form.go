package codec

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxParams bounds the parameters of one request. The largest that a client has
// reason to send is a simulation of some thousand actions and resources.
const MaxParams = 10_000

// maxIndex bounds the N of X.member.N.
const maxIndex = 1_000_000

// Form holds the parameters of a request, of which the first counts where a
// name comes twice.
type Form struct {
	params []param // sorted by name, names distinct
}

type param struct{ name, value string }

// ParseForm reads the query and the form-encoded body of a request, in this
// order. The caller bounds their length. Its error is an *Error.
func ParseForm(query, body string) (Form, error) {
	n := strings.Count(query, "&") + strings.Count(body, "&") + 2
	if n > MaxParams {
		return Form{}, malformed("The request has more than " + strconv.Itoa(MaxParams) + " parameters.")
	}
	params := make([]param, 0, n)
	for _, text := range [...]string{query, body} {
		for text != "" {
			var pair string
			pair, text, _ = strings.Cut(text, "&")
			if pair == "" {
				continue
			}
			name, value, _ := strings.Cut(pair, "=")
			name, ok1 := unescape(name)
			value, ok2 := unescape(value)
			if !ok1 || !ok2 {
				return Form{}, malformed("The request has a parameter that is not form-encoded UTF-8.")
			}
			params = append(params, param{name, value})
		}
	}
	slices.SortStableFunc(params, func(a, b param) int { return strings.Compare(a.name, b.name) })
	params = slices.CompactFunc(params, func(a, b param) bool { return a.name == b.name })
	return Form{params}, nil
}

// Get returns a parameter, and whether it was sent.
func (f Form) Get(name string) (string, bool) { return get(f, name) }

// get takes a name that is being built without making a string of it.
func get[N string | []byte](f Form, name N) (string, bool) {
	i := find(f, name)
	if i == len(f.params) || f.params[i].name != string(name) {
		return "", false
	}
	return f.params[i].value, true
}

// find returns the index of the first parameter that is not before name.
func find[N string | []byte](f Form, name N) int {
	lo, hi := 0, len(f.params)
	for lo < hi {
		if mid := (lo + hi) / 2; f.params[mid].name < string(name) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// under returns the parameters whose names start with a prefix.
func under[N string | []byte](f Form, prefix N) []param {
	from := find(f, prefix)
	to := from
	for to < len(f.params) && strings.HasPrefix(f.params[to].name, string(prefix)) {
		to++
	}
	return f.params[from:to]
}

// indexes returns the distinct N of names such as prefix+"N" and
// prefix+"N.Key", in order.
func (f Form) indexes(prefix []byte) []int {
	var all []int
	for _, p := range under(f, prefix) {
		digits, _, _ := strings.Cut(p.name[len(prefix):], ".")
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > maxIndex || strconv.Itoa(n) != digits {
			continue
		}
		if len(all) == 0 || all[len(all)-1] != n {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// unescape decodes a form component; it allocates only if there is something to
// decode.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, utf8.ValidString(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			b = append(b, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", false
			}
			n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
			if err != nil {
				return "", false
			}
			b = append(b, byte(n))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b), utf8.Valid(b)
}
