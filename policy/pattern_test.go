package policy

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// parse reads a pattern of * and ?.
func parse(s string) Pattern {
	var p Pattern
	for _, r := range s {
		switch r {
		case '*':
			p = append(p, Piece{Kind: AnyRun})
		case '?':
			p = append(p, Piece{Kind: AnyChar})
		default:
			p = append(p, Piece{Kind: Lit, Text: string(r)})
		}
	}
	return p
}

func matches(p Pattern, s string) bool {
	g := (&compiler{}).compileGlob(p, false)
	return g.match(s, &env{})
}

// byTable is matching by dynamic programming, over characters: the reference.
func byTable(pat, s string) bool {
	t := []rune(s)
	row := make([]bool, len(t)+1)
	row[0] = true
	for _, c := range pat {
		next := make([]bool, len(t)+1)
		for i := range next {
			switch {
			case c == '*':
				next[i] = row[i] || i > 0 && next[i-1]
			case i > 0:
				next[i] = row[i-1] && (c == '?' || c == t[i-1])
			}
		}
		row = next
	}
	return row[len(t)]
}

func TestGlob(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pat := rapid.StringOfN(rapid.SampledFrom([]rune("aab*?é")), 0, 12, -1).Draw(t, "pattern")
		s := rapid.StringOfN(rapid.SampledFrom([]rune("aabéc")), 0, 12, -1).Draw(t, "text")
		if got, want := matches(parse(pat), s), byTable(pat, s); got != want {
			t.Fatalf("%q on %q: %v, want %v", pat, s, got, want)
		}
	})
}

// TestLongSegments takes the ways that only long segments take.
func TestLongSegments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringOfN(rapid.SampledFrom([]rune("aaaaé?b")), longSegment, 3*longSegment, -1).Draw(t, "segment")
		text := strings.Map(func(r rune) rune {
			if r == '?' {
				return rapid.SampledFrom([]rune("abé")).Draw(t, "char")
			}
			return r
		}, body)
		if rapid.Bool().Draw(t, "spoil") {
			text = strings.Replace(text, "b", "c", 1)
		}
		pat, s := "*"+body+"*", "aab"+text+"aa"
		if got, want := matches(parse(pat), s), byTable(pat, s); got != want {
			t.Fatalf("%q on %q: %v, want %v", pat, s, got, want)
		}
	})
}

// TestLongVariables is about segments that variables make long.
func TestLongVariables(t *testing.T) {
	long := strings.Repeat("ab", longSegment)
	e := &env{ctx: Map{"v": String(long)}}
	for _, c := range []struct {
		p    Pattern
		s    string
		want bool
	}{
		{Pattern{{Kind: AnyRun}, {Kind: Lit, Text: "x"}, {Kind: Var, Text: "v"}, {Kind: AnyRun}}, "x" + long + long, true},
		{Pattern{{Kind: AnyRun}, {Kind: Lit, Text: "x"}, {Kind: Var, Text: "v"}, {Kind: AnyRun}}, "y" + long + long, false},
		{Pattern{{Kind: AnyRun}, {Kind: AnyChar}, {Kind: Var, Text: "v"}, {Kind: AnyRun}}, long + "é" + long + "z", true},
		{Pattern{{Kind: AnyRun}, {Kind: AnyChar}, {Kind: Var, Text: "v"}, {Kind: AnyRun}}, long, false},
		{Pattern{{Kind: AnyRun}, {Kind: AnyChar}, {Kind: Var, Text: "none"}, {Kind: AnyRun}}, long, false},
		{Pattern{{Kind: AnyRun}, {Kind: Var, Text: "none"}}, long, false},
		{Pattern{{Kind: Lit, Text: "x"}, {Kind: Var, Text: "none"}, {Kind: AnyRun}}, "x", false},
	} {
		g := (&compiler{}).compileGlob(c.p, false)
		if got := g.match(c.s, e); got != c.want {
			t.Errorf("%v on %q: %v", c.p, c.s, got)
		}
	}
}

// counting is a Context that counts how often a pattern asks for its variable: once
// for each place where the segment is tried, so that the count is one of steps.
type counting struct {
	value string
	asked int
}

func (c *counting) Lookup(*Key) Fact {
	c.asked++
	return String(c.value)
}

// TestGlobIsLinear: patterns made to be slow try each place of the text once, or do not
// try places at all; no clock is needed to tell.
func TestGlobIsLinear(t *testing.T) {
	v := Piece{Kind: Var, Text: "v"}
	run, char := Piece{Kind: AnyRun}, Piece{Kind: AnyChar}
	lit := func(s string) Piece { return Piece{Kind: Lit, Text: s} }
	times := func(n int, p ...Piece) (out Pattern) {
		for range n {
			out = append(out, p...)
		}
		return out
	}
	for name, c := range map[string]struct {
		pattern Pattern
		value   string
		most    func(n int) int // steps for a text of n characters
	}{
		"many runs":          {append(times(500, run, v), lit("b")), "a", func(int) int { return 3 * 500 }},
		"runs, then a miss":  {append(times(500, v, run), lit("b"), run), "a", func(int) int { return 3 * 500 }},
		"tried everywhere":   {Pattern{run, lit("aaa"), v, char, lit("b"), run}, "a", func(n int) int { return n + 4 }},
		"two tried":          {Pattern{run, lit("a"), v, run, v, lit("b"), run}, "a", func(n int) int { return n + 8 }},
		"a long segment":     {Pattern{run, v, lit("b"), run}, strings.Repeat("a", 5000), func(int) int { return 4 }},
		"long, any chars":    {Pattern{run, v, char, lit("b"), run}, strings.Repeat("a", 5000), func(int) int { return 4 }},
		"at both ends":       {Pattern{v, run, v, lit("b")}, "a", func(int) int { return 4 }},
		"just short enough":  {Pattern{run, v, lit(strings.Repeat("a", longSegment-3)), char, lit("b"), run}, "a", func(n int) int { return n + 4 }},
		"one too long":       {Pattern{run, v, lit(strings.Repeat("a", longSegment-2)), char, lit("b"), run}, "a", func(int) int { return 4 }},
		"long, in one field": {Pattern{lit("a"), run, v, run, v, char, lit("b"), run}, strings.Repeat("a", 100), func(int) int { return 8 }},
	} {
		for _, n := range []int{1_000, 10_000, 100_000} {
			ctx := &counting{value: c.value}
			g := (&compiler{}).compileGlob(c.pattern, false)
			if g.match(strings.Repeat("a", n), &env{ctx: ctx}) {
				t.Errorf("%s: matches", name)
			}
			if ctx.asked > c.most(n) {
				t.Errorf("%s: %d steps for %d characters, at most %d", name, ctx.asked, n, c.most(n))
			}
		}
	}
}

// TestSlowPatterns: what would take a backtracking matcher longer than the universe is
// old ends.
func TestSlowPatterns(t *testing.T) {
	const n = 10_000
	as := strings.Repeat("a", n)
	for _, pat := range []string{
		strings.Repeat("a*", n/2) + "b",
		strings.Repeat("*a", n/2) + "b",
		"*" + strings.Repeat("a", n/2) + "b*",
		"*" + strings.Repeat("a?", n/4) + "b*",
		"*" + strings.Repeat("?", n/2) + "b*",
		"*" + strings.Repeat("a", longSegment-2) + "?b*",
		strings.Repeat("*"+strings.Repeat("a", 40)+"?b", 100) + "*",
	} {
		if matches(parse(pat), as) {
			t.Errorf("%.20s… matches", pat)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "aXXbYc")
	f.Add("*a?*é*", "éaéé")
	f.Add(strings.Repeat("a?", 40)+"*", strings.Repeat("ab", 41))
	f.Fuzz(func(t *testing.T, pat, s string) {
		if len(pat) > 300 || len(s) > 300 || strings.ToValidUTF8(pat, "") != pat || strings.ToValidUTF8(s, "") != s {
			return
		}
		if got, want := matches(parse(pat), s), byTable(pat, s); got != want {
			t.Errorf("%q on %q: %v, want %v", pat, s, got, want)
		}
	})
}

func TestFields(t *testing.T) {
	f := func(s string) Fields {
		var out Fields
		for _, x := range strings.SplitN(s, ":", 3) {
			out = append(out, parse(x))
		}
		return out
	}
	for _, c := range []struct {
		pat, s string
		want   bool
	}{
		{"a:b:c", "a:b:c", true}, {"a:b:c", "a:b:cd", false}, {"a:b:c*", "a:b:c:d", true}, {"a:*:c", "a:x:c", true}, {"a:*:c", "a::c", true},
		{"a:*:c", "a:x:y:c", false}, {"*:b:*", "x:b:", true}, {"*:b:*", "x:bb:", false}, {"*:*:*", "a:b", false}, {"*:*:*", "a:b:c:d", true},
		{"x*y:*:?", "xy::z", true}, {"x*y:*:?", "xy::zz", false}, {"a:?:c", "a:::c", false}, {"*:b", "a:b", true}, {"*:b", "b", false}, {"*:b?:c*d", "q:bx:cd", true},
		{"*x:b:c", "ax:b:c", true}, {"*x:b:c", "ax:c:c", false}, {"*x:b:c", "ay:b:c", false},
	} {
		g := (&compiler{}).compileFields(f(c.pat), false)
		if got := g.match(c.s, &env{}); got != c.want {
			t.Errorf("%s on %s: %v", c.pat, c.s, got)
		}
	}
}

func TestTidy(t *testing.T) {
	p := Pattern{{Kind: Lit}, {Kind: Lit, Text: "a"}, {Kind: Lit, Text: "b"}, {Kind: AnyRun}, {Kind: AnyRun}, {Kind: Lit}}
	if !matches(p, "abc") || !matches(p, "ab") || matches(p, "a") {
		t.Error("empty pieces and neighbours count")
	}
}

func TestLower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.String().Draw(t, "a")
		b := rapid.String().Draw(t, "b")
		want := strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			return r
		}, a)
		if got := lowerASCII(a); got != want {
			t.Fatalf("lowerASCII(%q) = %q", a, got)
		}
		var buf [nameBuffer]byte
		if got := lowerInto(&buf, 0, a); got != want {
			t.Fatalf("lowerInto(%q) = %q", a, got)
		}
		used := min(len(a), nameBuffer)
		if got := lowerInto(&buf, used, b); got != lowerASCII(b) || len(a) <= nameBuffer-8 && string(buf[:used]) != want {
			t.Fatalf("after %q, lowerInto(%q) = %q", a, b, got)
		}
	})
	for c := range 256 {
		s := strings.Repeat(string([]byte{byte(c)}), 9)
		var buf [nameBuffer]byte
		if got := lowerInto(&buf, 0, s); got != lowerASCII(s) {
			t.Errorf("byte %#x: %q", c, got)
		}
	}
}
