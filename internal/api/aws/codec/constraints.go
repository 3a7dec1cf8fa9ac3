package codec

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
)

// constraints are the rules of one member, with their sentences made ahead.
type constraints struct {
	any               bool
	minLen, maxLen    int64
	minVal, maxVal    int64
	pattern           matcher
	says              string // instead of the pattern's sentence
	enum              []string
	tooShort, tooLong string
	tooLow, tooHigh   string
	noMatch, noEnum   string
	together          string // all of them, for the members of a list
}

func readConstraints(tag reflect.StructTag, prefix string) (c constraints, err error) {
	length, values := tag.Get(prefix+"len"), tag.Get(prefix+"range")
	if c.minLen, c.maxLen, err = bounds(length); err != nil {
		return c, err
	}
	if c.minVal, c.maxVal, err = bounds(values); err != nil {
		return c, err
	}
	pattern, re := tag.Get(prefix+"pattern"), tag.Get(prefix+"re")
	if re == "" {
		re = pattern
	}
	if re != "" {
		if c.pattern, err = newMatcher(re); err != nil {
			return c, err
		}
	}
	c.says = tag.Get(prefix + "says")
	c.enum = strings.Fields(tag.Get(prefix + "enum"))
	c.any = length != "" || values != "" || pattern != "" || len(c.enum) > 0
	c.tooShort = "Member must have length greater than or equal to " + strconv.FormatInt(c.minLen, 10)
	c.tooLong = "Member must have length less than or equal to " + strconv.FormatInt(c.maxLen, 10)
	c.tooLow = "Member must have value greater than or equal to " + strconv.FormatInt(c.minVal, 10)
	c.tooHigh = "Member must have value less than or equal to " + strconv.FormatInt(c.maxVal, 10)
	c.noMatch = "Member must satisfy regular expression pattern: " + pattern
	c.noEnum = "Member must satisfy enum value set"
	return c, nil
}

// sayTogether makes the sentence for a list with a bad member, in the order in
// which IAM lists the rules.
func (c *constraints) sayTogether(required bool) {
	var all []string
	if c.maxLen != math.MaxInt64 {
		all = append(all, c.tooLong)
	}
	if c.minLen != math.MinInt64 {
		all = append(all, c.tooShort)
	}
	if c.pattern.set() {
		all = append(all, c.noMatch)
	}
	if len(c.enum) > 0 {
		all = append(all, c.noEnum+": ["+strings.Join(c.enum, ", ")+"]")
	}
	if required {
		all = append(all, notNull)
	}
	c.any = c.any || required
	c.together = "Member must satisfy constraint: [" + strings.Join(all, ", ") + "]"
}

// text checks a string.
func (c *constraints) text(v *violations, f *field, path []byte, s string) {
	if !c.any {
		return
	}
	value := said{s, true}
	if c.pattern.set() && !c.pattern.match(s) {
		if c.says == "" {
			v.add(f, path, value, c.noMatch)
		} else if v.says == "" {
			v.says = "The specified value for " + string(path) + " is invalid. " + c.says
		}
	}
	c.length(v, f, path, value, utf16Len(s))
	if len(c.enum) > 0 && !c.inEnum(s) {
		sentence := c.noEnum
		if v.quote { // IAM stops here
			sentence += ": [" + strings.Join(c.enum, ", ") + "]"
		}
		v.add(f, path, value, sentence)
	}
}

func (c *constraints) length(v *violations, f *field, path []byte, value said, n int64) {
	if n < c.minLen {
		v.add(f, path, value, c.tooShort)
	}
	if n > c.maxLen {
		v.add(f, path, value, c.tooLong)
	}
}

func (c *constraints) number(v *violations, f *field, path []byte, n int64) {
	if n >= c.minVal && n <= c.maxVal {
		return
	}
	value := said{strconv.FormatInt(n, 10), true}
	if n < c.minVal {
		v.add(f, path, value, c.tooLow)
	}
	if n > c.maxVal {
		v.add(f, path, value, c.tooHigh)
	}
}

// ok checks a member of a list, whose list is what an error names.
func (c *constraints) ok(s string) bool {
	n := utf16Len(s)
	return n >= c.minLen && n <= c.maxLen && (!c.pattern.set() || c.pattern.match(s)) && (len(c.enum) == 0 || c.inEnum(s))
}

func (c *constraints) inEnum(s string) bool {
	for _, e := range c.enum {
		if e == s {
			return true
		}
	}
	return false
}

// utf16Len counts as AWS's Java does, which makes a difference outside the
// basic plane only.
func utf16Len(s string) int64 {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return int64(n)
}

// matcher matches a whole string. Most patterns of the models are one character
// class, repeated; those are looked up rune by rune.
type matcher struct {
	class []rune // pairs of bounds
	empty bool   // the empty string matches a class
	re    *regexp.Regexp
}

var javaEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

func newMatcher(pattern string) (matcher, error) {
	goPattern := javaEscape.ReplaceAllString(pattern, `\x{$1}`)
	tree, err := syntax.Parse(goPattern, syntax.Perl)
	if err != nil {
		return matcher{}, fmt.Errorf("codec: pattern %q: %w", pattern, err)
	}
	if (tree.Op == syntax.OpPlus || tree.Op == syntax.OpStar) && tree.Sub[0].Op == syntax.OpCharClass {
		return matcher{class: tree.Sub[0].Rune, empty: tree.Op == syntax.OpStar}, nil
	}
	re, err := regexp.Compile(`\A(?:` + goPattern + `)\z`)
	return matcher{re: re}, err
}

func (m matcher) set() bool { return m.class != nil || m.re != nil }

func (m matcher) match(s string) bool {
	if m.re != nil {
		return m.re.MatchString(s)
	}
	if s == "" {
		return m.empty
	}
	for _, r := range s {
		if !within(m.class, r) {
			return false
		}
	}
	return true
}

// within searches sorted pairs of bounds.
func within(class []rune, r rune) bool {
	lo, hi := 0, len(class)/2
	for lo < hi {
		mid := (lo + hi) / 2
		switch {
		case r < class[2*mid]:
			hi = mid
		case r > class[2*mid+1]:
			lo = mid + 1
		default:
			return true
		}
	}
	return false
}
