package archtest

import (
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// fake makes a package from a source; imports are direct and reached.
func fake(t *testing.T, path, source string, imports ...string) *pack {
	t.Helper()
	p := &pack{ImportPath: module + path, Name: "p", Imports: imports, Deps: imports, fset: token.NewFileSet()}
	f, err := parser.ParseFile(p.fset, "/x/doc.go", "// Package p is a test.\npackage p\n"+source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	p.files = append(p.files, f)
	return p
}

// What a carrier reaches does not count, unless something else reaches it, too.
func TestReach(t *testing.T) {
	imports := map[string][]string{
		"room": {"fmt", "github.com/go-webauthn/webauthn/protocol"}, "github.com/go-webauthn/webauthn/protocol": {"net/http"},
		"both": {"room", "other"}, "other": {"net/http"},
	}
	for from, want := range map[string]bool{"room": false, "both": true, "other": true} {
		if got := slices.Contains(reach(imports, from), "net/http"); got != want {
			t.Errorf("%s reaches net/http: %v, want %v", from, got, want)
		}
	}
	if !slices.Contains(reach(imports, "both"), "github.com/go-webauthn/webauthn/protocol") {
		t.Error("a carrier itself is not reached")
	}
}

// Every rule finds what it is for, and leaves alone what is allowed: a rule that
// cannot fail is no rule.
func TestRulesFindFaults(t *testing.T) {
	standard := map[string]bool{"fmt": true, "os": true, "net/http": true, "time": true, "log/slog": true, "crypto/rand": true}
	ground := func(p *pack) []string { return groundFaults(p, standard) }
	room := func(p *pack) []string { return roomFaults(p, standard) }
	for _, c := range []struct {
		what    string
		rule    func(*pack) []string
		path    string
		source  string
		imports []string
		want    string // part of the one fault; "" is none
	}{
		{"ground", ground, "internal/fault", "", []string{"fmt"}, ""},
		{"ground on ground", ground, "internal/page", "", []string{"warifu/internal/fault"}, ""},
		{"ground on a room", ground, "internal/page", "", []string{"warifu/internal/iam"}, "imports warifu/internal/iam"},
		{"ground on a library", ground, "internal/seal", "", []string{"golang.org/x/crypto/argon2"}, "imports golang.org"},
		{"what only begins like ground", ground, "internal/pages", "", []string{"golang.org/x/crypto/argon2"}, ""},

		{"a room", room, "internal/sts", "", []string{"fmt", "warifu/internal/iam", "warifu/internal/seal", "warifu/policy"}, ""},
		{"a room inside a room", room, "policy/aws/managed", "", []string{"warifu/policy/aws"}, ""},
		{"a room on another", room, "internal/sts", "", []string{"warifu/internal/factor/totp"}, "imports the room internal/factor/totp"},
		{"a room on a language", room, "internal/sts", "", []string{"warifu/policy/aws"}, "imports the room policy/aws"},
		{"a room on the cellar", room, "internal/iam", "", []string{"warifu/internal/store"}, "internal/store"},
		{"a room with a pure library", room, "internal/password", "", []string{"golang.org/x/crypto/argon2"}, ""},
		{"a room with another library", room, "internal/password", "", []string{"github.com/x/y"}, "not known to be pure"},
		{"a room that reads files", room, "policy", "", []string{"os"}, "imports os"},
		{"a room that logs", room, "internal/signin", "", []string{"log/slog"}, "imports log/slog"},
		{"a room that draws", room, "internal/factor/totp", "", []string{"crypto/rand"}, "imports crypto/rand"},
		{"a room that reads the clock", room, "internal/sts", "import \"time\"\nvar x = time.Now()", []string{"time"}, "reads the clock"},
		{"a room that has a time", room, "internal/sts", "import \"time\"\nvar x = time.Second", []string{"time"}, ""},
		{"no room", room, "internal/ops", "import \"time\"\nvar x = time.Now()", []string{"os"}, ""},

		{"the cellar", cellarFaults, "internal/store", "", []string{"database/sql", "warifu/internal/iam"}, ""},
		{"SQL elsewhere", cellarFaults, "internal/ops", "", []string{"database/sql"}, "only internal/store may"},
		{"a driver elsewhere", cellarFaults, "cmd/warifu", "", []string{"modernc.org/sqlite/lib"}, "only internal/store may"},
		{"the cellar on the hallway", cellarFaults, "internal/store", "", []string{"warifu/internal/ops"}, "imports internal/ops"},

		{"the hallway", hallwayFaults, "internal/ops", "", []string{"warifu/internal/store", "warifu/policy/aws"}, ""},
		{"the hallway on a wire", hallwayFaults, "internal/ops", "", []string{"net/http"}, "net/http"},
		{"the hallway on a door", hallwayFaults, "internal/ops", "", []string{"warifu/internal/api/aws"}, "internal/api/aws"},

		{"a door", doorFaults, "internal/api/aws", "", []string{"warifu/internal/ops", "warifu/internal/api/aws/codec", "warifu/internal/iam", "warifu/internal/name"}, ""},
		{"a door on the cellar", doorFaults, "internal/api/aws", "", []string{"warifu/internal/store"}, "is a door and imports internal/store"},
		{"a door on another", doorFaults, "internal/api/aws", "", []string{"warifu/internal/api/oci"}, "imports the door internal/api/oci"},
		{"a part of a door on another", doorFaults, "internal/gateway/ec2demo", "", []string{"warifu/internal/console"}, "imports the door"},
		{"a door with another's signature", doorFaults, "internal/api/aws", "", []string{"warifu/internal/reqsig/acs"}, "is a door and imports internal/reqsig/acs"},
		{"a door with another's language", doorFaults, "internal/console", "", []string{"warifu/policy/aws"}, "is a door and imports policy/aws"},
		{"the program", doorFaults, "cmd/warifu", "", []string{"warifu/internal/api/aws", "warifu/internal/store"}, ""},
		{"somebody else on a door", doorFaults, "internal/metrics", "", []string{"warifu/internal/gateway"}, "only cmd may"},

		{"a secret compared", comparisonFaults, "internal/ops", "func f(s S, b string) bool { return string(s.Reveal()) == b }", nil, "compares a secret"},
		{"a secret compared as bytes", comparisonFaults, "internal/ops", "func f(s S, b []byte) bool { return bytes.Equal(b, s.Reveal()) }", nil, "compares a secret"},
		{"a MAC compared", comparisonFaults, "internal/ops", "func f(mac M, b string) bool { return string(mac.Sum(nil)) != b }", nil, "compares a secret"},
		{"a secret's length", comparisonFaults, "internal/ops", "func f(s S) bool { return len(s.Reveal()) == 0 }", nil, ""},
		{"a secret compared well", comparisonFaults, "internal/ops", "func f(s S, b []byte) bool { return subtle.ConstantTimeCompare(s.Reveal(), b) == 1 }", nil, ""},

		{"policy on a language", languageFaults, "policy", "", []string{"warifu/policy/aws"}, "policy imports policy/aws"},
		{"a word at home", languageFaults, "internal/name", `const x = "arn:aws:iam"`, nil, ""},
		{"a word abroad", languageFaults, "internal/ops", `const x = "arn:aws:iam"`, nil, "writes arn:"},
		{"a word in backquotes", languageFaults, "internal/store", "const x = `say ocid1.user`", nil, "writes ocid1."},
		{"a word of another cloud", languageFaults, "policy/aws", `const x = "acs:ram"`, nil, "writes acs:"},
		{"a word in a comment", languageFaults, "internal/ops", "// arn:aws:iam\nconst x = 1", nil, ""},

		{"a table", stateFaults, "internal/ops", "var table = map[string]int{\"a\": 1}\nfunc f() int { return table[\"a\"] }", nil, ""},
		{"an init function", stateFaults, "internal/ops", "func init() {}", nil, "is an init function"},
		{"a method called init", stateFaults, "internal/ops", "type T int\nfunc (T) init() {}", nil, ""},
		{"an assignment", stateFaults, "internal/ops", "var n int\nfunc f() { n = 1 }", nil, "changes the package variable n"},
		{"a local of the same name", stateFaults, "internal/ops", "var n int\nfunc f() { n := 0; n = 1; _ = n }", nil, ""},
		{"a parameter of the same name", stateFaults, "internal/ops", "var n int\nfunc f(n int) { n++ }", nil, ""},
		{"a count", stateFaults, "internal/ops", "var n int\nfunc f() { n++ }", nil, "changes the package variable n"},
		{"an entry", stateFaults, "internal/ops", "var m = map[int]int{}\nfunc f() { m[1] = 2 }", nil, "changes the package variable m"},
		{"a deletion", stateFaults, "internal/ops", "var m = map[int]int{}\nfunc f() { delete(m, 1) }", nil, "changes the package variable m"},
		{"a field", stateFaults, "internal/ops", "var s struct{ a []int }\nfunc f() { s.a[0] = 1 }", nil, "changes the package variable s"},
		{"an address handed on", stateFaults, "internal/ops", "import \"sync/atomic\"\nvar n int64\nfunc f() { atomic.AddInt64(&n, 1) }", nil, "changes the package variable n"},
		{"an address to read at", stateFaults, "internal/ops", "var rows = []int{1}\nfunc f() *int { return &rows[0] }", nil, ""},
		{"a mutex", stateFaults, "internal/ops", "import \"sync\"\nvar mu sync.Mutex", nil, "exists to be changed"},
		{"a pool inside", stateFaults, "internal/ops", "import \"sync\"\nvar p = struct{ sync.Pool }{}", nil, "exists to be changed"},
		{"a counter", stateFaults, "internal/ops", "import \"sync/atomic\"\nvar n atomic.Int64", nil, "exists to be changed"},
		{"a value made once", stateFaults, "internal/ops", "import \"sync\"\nvar v = sync.OnceValue(func() int { var mu sync.Mutex; _ = &mu; return 1 })", nil, ""},

		{"documented", habitFaults, "internal/ops", "", nil, ""},
		{"testkit in a program", habitFaults, "internal/ops", "", []string{"warifu/internal/testkit/pg"}, "only tests may"},
	} {
		got := c.rule(fake(t, c.path, c.source, c.imports...))
		switch {
		case c.want == "" && len(got) > 0:
			t.Errorf("%s: found %q", c.what, got)
		case c.want != "" && (len(got) != 1 || !strings.Contains(got[0], c.want)):
			t.Errorf("%s: found %q, want one with %q", c.what, got, c.want)
		}
	}
	if got := habitFaults(&pack{ImportPath: "warifu/internal/x", Name: "x", files: fake(t, "internal/x", "").files[:0:0]}); len(got) != 0 {
		t.Errorf("an empty package: %q", got)
	}
}
