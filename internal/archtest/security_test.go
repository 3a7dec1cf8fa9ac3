package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// Two items of the security checklist are about how the program is built.

// C-6: what is secret is never compared byte by byte until the first difference.
func TestC6SecretsAreComparedInConstantTime(t *testing.T) {
	all, _ := load(t)
	for _, p := range all {
		report(t, comparisonFaults(p))
	}
}

// comparisonFaults finds == and != whose side is a revealed secret or a MAC, and
// bytes.Equal of one. Its length is no secret.
func comparisonFaults(p *pack) (faults []string) {
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			var sides []ast.Expr
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if n.Op == token.EQL || n.Op == token.NEQ {
					sides = []ast.Expr{n.X, n.Y}
				}
			case *ast.CallExpr:
				if of, ok := n.Fun.(*ast.SelectorExpr); ok && named(of.X, "bytes") && (of.Sel.Name == "Equal" || of.Sel.Name == "Compare") {
					sides = n.Args
				}
			}
			if slices.ContainsFunc(sides, secret) {
				faults = append(faults, p.at(n.Pos())+" compares a secret in a time that tells of it")
			}
			return true
		})
	}
	return faults
}

func named(e ast.Expr, name string) bool {
	i, ok := e.(*ast.Ident)
	return ok && i.Name == name
}

// secret reports whether an expression is made of a secret: what Reveal gives, or
// what a MAC comes to.
func secret(e ast.Expr) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if named(call.Fun, "len") || subtle(call.Fun) {
			return false
		}
		of, ok := call.Fun.(*ast.SelectorExpr)
		found = found || ok && (of.Sel.Name == "Reveal" || of.Sel.Name == "Sum" && named(of.X, "mac"))
		return !found
	})
	return found
}

func subtle(f ast.Expr) bool {
	of, ok := f.(*ast.SelectorExpr)
	return ok && (named(of.X, "subtle") || named(of.X, "hmac"))
}

// S-8: however somebody signs in, the session is made in one place, and that place
// is reached from one: the end of the sign-in machine.
func TestS8OneWayToASession(t *testing.T) {
	all, _ := load(t)
	for made, from := range map[string]string{"InsertSession": "internal/ops/sessions.go", "openSession": "internal/ops/signin.go"} {
		var calls []string
		for _, p := range all {
			if p.under(hallway) || made == "InsertSession" { // the console's openSession sets a cookie
				calls = append(calls, callsOf(p, made)...)
			}
		}
		if len(calls) != 1 || !strings.Contains(calls[0], from+":") {
			t.Errorf("%s is called at %v, want one call in %s", made, calls, from)
		}
	}
}

func callsOf(p *pack, method string) (at []string) {
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if of, ok := call.Fun.(*ast.SelectorExpr); ok && of.Sel.Name == method {
					at = append(at, p.at(call.Pos()))
				}
			}
			return true
		})
	}
	return at
}
