package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The floors of the house.
var (
	ground = []string{"internal/fault", "internal/name", "internal/seal", "internal/page", "internal/clientip", "internal/body"}
	rooms  = []string{
		"policy", "internal/iam", "internal/signin", "internal/factor", "internal/password", "internal/sts", "internal/reqsig", "internal/audit",
		"internal/federation", "internal/insight",
	}
	cellar  = "internal/store"
	hallway = "internal/ops"
	doors   = []string{"internal/api", "internal/gateway", "internal/console"}
)

// Rule 1: ground imports the standard library only; rooms import ground, iam,
// policy and pure libraries.
func TestGroundAndRooms(t *testing.T) {
	all, standard := load(t)
	for _, p := range all {
		report(t, groundFaults(p, standard))
		report(t, roomFaults(p, standard))
	}
}

func groundFaults(p *pack, standard map[string]bool) (faults []string) {
	if !p.under(ground...) {
		return nil
	}
	for _, i := range p.Imports {
		if own, ok := strings.CutPrefix(i, module); !standard[i] && !(ok && inside(own, ground...)) {
			faults = append(faults, p.path()+" is ground and imports "+i)
		}
	}
	return faults
}

// pure are libraries that compute and do nothing else.
var pure = []string{"github.com/go-json-experiment/json", "golang.org/x/text", "golang.org/x/crypto", "rsc.io/qr", "github.com/go-webauthn/webauthn", "golang.org/x/mod/sumdb",
	"github.com/go-jose/go-jose/v4", "github.com/russellhaering/goxmldsig", "github.com/beevik/etree", "github.com/mattermost/xml-roundtrip-validator"}

// What rooms must not touch: the network, the database, the machine, the log,
// the clock and chance are given to them or are not theirs.
var (
	notInRooms       = []string{"os", "os/exec", "os/signal", "log", "log/slog", "syscall", "net", "crypto/rand", "math/rand", "math/rand/v2"}
	notBehindRooms   = []string{"net/http", "database/sql"} // not by way of a library either
	clockFunctions   = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}
	sharedByAllRooms = []string{"policy", "internal/iam"}
)

func roomFaults(p *pack, standard map[string]bool) (faults []string) {
	if !p.under(rooms...) || p.Name == "main" {
		return nil
	}
	fault := func(format string, args ...any) {
		faults = append(faults, p.path()+" is a room and "+fmt.Sprintf(format, args...))
	}
	for _, i := range p.Imports {
		own, ours := strings.CutPrefix(i, module)
		switch {
		case slices.Contains(notInRooms, i):
			fault("imports %s", i)
		case ours && !inside(own, ground...) && !slices.Contains(sharedByAllRooms, own) && !related(own, p.path()):
			fault("imports the room %s", own)
		case !ours && !standard[i] && !inside(i, pure...):
			fault("imports %s, which is not known to be pure", i)
		}
	}
	for _, d := range p.Deps {
		if slices.Contains(notBehindRooms, d) {
			fault("reaches %s", d)
		}
	}
	for _, f := range p.files {
		for _, call := range selectors(f, "time", clockFunctions...) {
			fault("reads the clock: %s", p.at(call))
		}
	}
	return faults
}

// related packages are one room: policy/aws and policy/aws/managed.
func related(a, b string) bool {
	for _, r := range rooms {
		if inside(a, r) && inside(b, r) {
			return true
		}
	}
	return false
}

// Rule 2: only the cellar knows databases; it knows rooms by their types.
func TestCellar(t *testing.T) {
	all, _ := load(t)
	for _, p := range all {
		report(t, cellarFaults(p))
	}
}

var databases = []string{"database/sql", "modernc.org/sqlite", "github.com/jackc/pgx/v5"}

func cellarFaults(p *pack) (faults []string) {
	for _, i := range p.Imports {
		if inside(i, databases...) && !p.under(cellar) {
			faults = append(faults, p.path()+" imports "+i+", which only "+cellar+" may")
		}
	}
	if p.under(cellar) {
		for _, i := range p.own() {
			if !inside(i, ground...) && !inside(i, rooms...) && !inside(i, cellar) {
				faults = append(faults, p.path()+" imports "+i)
			}
		}
	}
	return faults
}

// Rule 3: the hallway knows no wire; doors know the hallway and their own
// language; only the program knows the doors.
func TestHallwayAndDoors(t *testing.T) {
	all, _ := load(t)
	for _, p := range all {
		report(t, hallwayFaults(p))
		report(t, doorFaults(p))
	}
}

func hallwayFaults(p *pack) (faults []string) {
	if !p.under(hallway) {
		return nil
	}
	if slices.Contains(p.Deps, "net/http") {
		faults = append(faults, p.path()+" reaches net/http")
	}
	for _, i := range p.own() {
		if !inside(i, ground...) && !inside(i, rooms...) && !inside(i, cellar, hallway) {
			faults = append(faults, p.path()+" imports "+i)
		}
	}
	return faults
}

// ownOfDoor is what a door may know besides ground, iam and the hallway: the
// signature and the language of its cloud.
var ownOfDoor = map[string][]string{
	// They print events of the trail, and what decided.
	"internal/api/aws": {"internal/reqsig/sigv4", "policy", "policy/aws", "policy/aws/managed", "internal/audit"},

	"internal/api/alibaba": {"internal/reqsig/acs", "policy", "policy/ram", "internal/audit"},
	"internal/api/oci":     {"internal/reqsig/oci", "policy/oci", "internal/audit"},

	// It puts events, decisions and checks into words for people.
	"internal/console": {"internal/audit", "internal/insight", "policy"},

	// It hands facts about another service's request to policy and names them
	// for the trail. Services of each cloud may be behind it.
	"internal/gateway": {
		"internal/reqsig/sigv4", "internal/reqsig/acs", "internal/reqsig/oci", "policy", "policy/aws", "policy/aws/catalog", "policy/oci", "internal/audit",
	},
}

func doorFaults(p *pack) (faults []string) {
	door := doorOf(p.path())
	for _, i := range p.own() {
		other := doorOf(i)
		switch {
		case other != "" && other != door && !p.under("cmd"):
			faults = append(faults, p.path()+" imports the door "+i+", which only cmd may")
		case door != "" && other != door && !inside(i, ground...) && i != "internal/iam" && i != hallway && !slices.Contains(ownOfDoor[door], i):
			faults = append(faults, p.path()+" is a door and imports "+i)
		}
	}
	return faults
}

// doorOf returns the door that a path belongs to, "" if none.
func doorOf(path string) string {
	if !inside(path, doors...) {
		return ""
	}
	parts := strings.Split(path, "/")
	if parts[1] == "api" {
		return strings.Join(parts[:min(3, len(parts))], "/")
	}
	return strings.Join(parts[:2], "/")
}

// Rule 4: policy does not know its languages, and a cloud's words are written
// only where that cloud is spoken.
func TestLanguages(t *testing.T) {
	all, _ := load(t)
	for _, p := range all {
		report(t, languageFaults(p))
	}
}

// conditionKey is a key of RAM policies; only its resource names are a matter of
// its packages.
var conditionKey = regexp.MustCompile(`acs:[A-Z]`)

// words are the beginnings of the clouds' names of things, and who may write
// them.
var words = map[string][]string{
	"arn:":   {"internal/name", "policy/aws", "internal/api/aws", "internal/gateway", "internal/reqsig/sigv4"},
	"acs:":   {"internal/name", "policy/ram", "internal/api/alibaba", "internal/reqsig/acs"},
	"ocid1.": {"internal/name", "policy/oci", "internal/api/oci", "internal/reqsig/oci"},
}

func languageFaults(p *pack) (faults []string) {
	if p.path() == "policy" {
		for _, i := range p.own() {
			faults = append(faults, "policy imports "+i)
		}
	}
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				return true // a struct tag of odd form is no word of a cloud
			}
			text = conditionKey.ReplaceAllString(text, "")
			for word, where := range words {
				if strings.Contains(text, word) && !p.under(where...) {
					faults = append(faults, p.at(lit.Pos())+" writes "+word)
				}
			}
			return true
		})
	}
	return faults
}

// Rule 5: no registration in init and no package state that changes.
func TestNoHiddenState(t *testing.T) {
	all, _ := load(t)
	for _, p := range all {
		if !p.under("internal/testkit") { // one database server per test binary
			report(t, stateFaults(p))
		}
	}
}

// Every package says in doc.go what it owns; tests alone may stand on testkit.
func TestHabits(t *testing.T) {
	all, _ := load(t)
	for _, p := range all {
		report(t, habitFaults(p))
	}
}

func habitFaults(p *pack) (faults []string) {
	documented := len(p.files) == 0
	for _, f := range p.files {
		if strings.HasSuffix(p.fset.Position(f.Pos()).Filename, "/doc.go") && f.Doc != nil {
			documented = true
		}
	}
	if !documented && p.Name != "main" || !documented && p.under("cmd") {
		faults = append(faults, p.path()+" has no doc.go with a package comment")
	}
	for _, i := range p.own() {
		if inside(i, "internal/testkit") && !p.under("internal/testkit") {
			faults = append(faults, p.path()+" imports "+i+", which only tests may")
		}
	}
	return faults
}

func report(t *testing.T, faults []string) {
	t.Helper()
	for _, f := range faults {
		t.Error(f)
	}
}

// selectors returns where a file says pkg.name for one of the names.
func selectors(f *ast.File, pkg string, names ...string) (at []token.Pos) {
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == pkg && x.Obj == nil && slices.Contains(names, s.Sel.Name) {
			at = append(at, s.Pos())
		}
		return true
	})
	return at
}
