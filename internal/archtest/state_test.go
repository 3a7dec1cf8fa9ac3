package archtest

import (
	"go/ast"
	"go/token"
	"slices"
)

// stateFaults finds init functions, package variables that are written to after
// their declaration, and package variables of types that exist to be changed.
// It sees what syntax shows: a change through a pointer that a method keeps is
// not seen.
func stateFaults(p *pack) (faults []string) {
	vars := map[string]bool{}
	declared := map[any]bool{} // the specs of package variables
	for _, f := range p.files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					faults = append(faults, p.at(d.Pos())+" is an init function")
				}
			case *ast.GenDecl:
				if d.Tok != token.VAR {
					continue
				}
				for _, spec := range d.Specs {
					v := spec.(*ast.ValueSpec)
					declared[v] = true
					for _, name := range v.Names {
						vars[name.Name] = name.Name != "_"
					}
					if changeable(v) {
						faults = append(faults, p.at(v.Pos())+" is a package variable of a type that exists to be changed")
					}
				}
			}
		}
	}
	isState := func(e ast.Expr) bool {
		x := root(e)
		if x == nil {
			return false
		}
		if x.Obj != nil { // declared in this file: as a package variable?
			return declared[x.Obj.Decl]
		}
		return vars[x.Name]
	}
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			for _, e := range written(n) {
				if isState(e) {
					faults = append(faults, p.at(n.Pos())+" changes the package variable "+root(e).Name)
				}
			}
			return true
		})
	}
	return faults
}

// written are the expressions that a node writes to, or lets another package
// write to by handing it their address (atomic.AddInt64, json.Unmarshal). Within
// a package an address may be for reading a table without copying its rows.
func written(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return slices.DeleteFunc([]ast.Expr{n.Key, n.Value}, func(e ast.Expr) bool { return e == nil })
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.CallExpr:
		return writtenByCall(n)
	}
	return nil
}

func writtenByCall(n *ast.CallExpr) (to []ast.Expr) {
	if f, ok := n.Fun.(*ast.Ident); ok && f.Obj == nil && (f.Name == "delete" || f.Name == "clear" || f.Name == "copy") && len(n.Args) > 0 {
		return n.Args[:1]
	}
	if !otherPackage(n.Fun) {
		return nil
	}
	for _, a := range n.Args {
		if u, ok := a.(*ast.UnaryExpr); ok && u.Op == token.AND {
			to = append(to, u.X)
		}
	}
	return to
}

// otherPackage reports whether a function is written as package.Function.
func otherPackage(f ast.Expr) bool {
	s, ok := f.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Obj == nil
}

// root is the variable that an expression is a part of.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.SliceExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// onceOnly are the functions of sync that compute a value once: what they make
// does not change.
var onceOnly = []string{"OnceValue", "OnceValues", "OnceFunc"}

// changeable reports whether a variable is of a type of sync or sync/atomic.
// What is inside a function literal is not part of it.
func changeable(v *ast.ValueSpec) (found bool) {
	look := func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && (x.Name == "atomic" || x.Name == "sync" && !slices.Contains(onceOnly, s.Sel.Name)) {
			found = true
		}
		return true
	}
	if v.Type != nil {
		ast.Inspect(v.Type, look)
	}
	for _, e := range v.Values {
		ast.Inspect(e, look)
	}
	return found
}
