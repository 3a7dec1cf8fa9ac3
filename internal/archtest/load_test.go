package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pack is a package as the rules see it.
type pack struct {
	ImportPath string
	Name       string
	Dir        string
	Standard   bool
	Imports    []string // direct
	Deps       []string // all, but what only carriers reach
	GoFiles    []string

	files []*ast.File
	fset  *token.FileSet
}

const module = "warifu/"

// path is the import path inside the module: internal/store.
func (p *pack) path() string { return strings.TrimPrefix(p.ImportPath, module) }

// under reports whether the package is one of these or inside one.
func (p *pack) under(folders ...string) bool { return inside(p.path(), folders...) }

func inside(path string, folders ...string) bool {
	for _, f := range folders {
		if path == f || strings.HasPrefix(path, f+"/") {
			return true
		}
	}
	return false
}

// own are the direct imports from this module, without its name.
func (p *pack) own() (paths []string) {
	for _, i := range p.Imports {
		if rest, ok := strings.CutPrefix(i, module); ok {
			paths = append(paths, rest)
		}
	}
	return paths
}

// load returns the packages of the module, without their tests.
func load(t *testing.T) (all []*pack, standard map[string]bool) {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Name,Dir,Standard,Imports,Deps,GoFiles", module+"...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	standard = map[string]bool{}
	imports := map[string][]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := new(pack)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		imports[p.ImportPath] = p.Imports
		switch {
		case p.Standard:
			standard[p.ImportPath] = true
		case strings.HasPrefix(p.ImportPath, module):
			p.parse(t)
			all = append(all, p)
		}
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages of the module", len(all))
	}
	for _, p := range all {
		p.Deps = reach(imports, p.ImportPath)
	}
	return all, standard
}

// carriers are libraries that reach net/http for functions which nobody here
// calls. What is behind them alone does not count as reached; they themselves do.
// docs/decisions/0012 says why there is one.
var carriers = []string{"github.com/go-webauthn/webauthn"}

// reach returns what a package imports, directly or by way of others.
func reach(imports map[string][]string, from string) (all []string) {
	seen := map[string]bool{from: true}
	for todo := []string{from}; len(todo) > 0; {
		at := todo[0]
		todo = todo[1:]
		if inside(at, carriers...) {
			continue
		}
		for _, i := range imports[at] {
			if !seen[i] {
				seen[i] = true
				all, todo = append(all, i), append(todo, i)
			}
		}
	}
	return all
}

func (p *pack) parse(t *testing.T) {
	t.Helper()
	p.fset = token.NewFileSet()
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(p.fset, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		p.files = append(p.files, f)
	}
}

// at spells a position for a message.
func (p *pack) at(pos token.Pos) string {
	where := p.fset.Position(pos)
	where.Filename = filepath.Join(p.path(), filepath.Base(where.Filename))
	return where.String()
}
