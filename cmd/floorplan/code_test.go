package floorplan

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

const (
	mostStatements = 60
	mostLines      = 500
)

// outsideCmd are names that read the clock, sleep or cut the chain of contexts: tests could not hold them.
var outsideCmd = map[string]string{
	"time.Now": "inject the clock", "time.Since": "inject the clock", "time.Until": "inject the clock",
	"time.Sleep":         "wait with a timer and the context",
	"context.Background": "take the caller's context", "context.TODO": "take the caller's context",
}

// mainOnly are names that end the process: only a main may.
var mainOnly = map[string]bool{"os.Exit": true, "log.Fatal": true, "log.Fatalf": true, "log.Fatalln": true, "log.Panic": true}

// checkCalls: no clock, sleep or background context outside cmd and tests; no init; no panic or exit outside main.
func checkCalls(t *tree) []finding {
	var found []finding
	for _, s := range t.code {
		if s.test || s.generated {
			continue
		}
		inCmd := strings.HasPrefix(s.dir, "cmd/")
		isMain := s.ast.Name.Name == "main"
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					found = append(found, t.at("init", s, n.Pos(), "nothing runs before main"))
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "panic" && !isMain {
					found = append(found, t.at("panic", s, n.Pos(), "return an error"))
				}
			case *ast.SelectorExpr:
				name := s.qualified(n)
				if why, bad := outsideCmd[name]; bad && !inCmd {
					found = append(found, t.at("clock", s, n.Pos(), "%s: %s", name, why))
				}
				if mainOnly[name] && !isMain {
					found = append(found, t.at("panic", s, n.Pos(), "%s: return an error", name))
				}
			}
			return true
		})
	}
	return found
}

// qualified is "time.Now" for a selector on an imported package, whatever its local name; "" for anything else.
func (s source) qualified(sel *ast.SelectorExpr) string {
	id, ok := sel.X.(*ast.Ident)
	if !ok || id.Obj != nil { // a variable that hides the package
		return ""
	}
	target, ok := s.imports[id.Name]
	if !ok {
		return ""
	}
	return target + "." + sel.Sel.Name
}

// checkVariables: no package variable changes. One that a function assigns is state that two engines would share.
func checkVariables(t *tree) []finding {
	vars := map[string]map[string]bool{} // folder → name
	own := map[any]bool{}                // the specs of package variables
	for _, s := range t.code {
		for _, d := range s.ast.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, spec := range g.Specs {
					v := spec.(*ast.ValueSpec)
					own[v] = true
					for _, name := range v.Names {
						if name.Name == "_" {
							continue
						}
						if vars[s.dir] == nil {
							vars[s.dir] = map[string]bool{}
						}
						vars[s.dir][name.Name] = true
					}
				}
			}
		}
	}
	var found []finding
	for _, s := range t.code {
		if s.test || s.generated {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			for _, e := range assigned(n) {
				id := root(e)
				if id == nil || !vars[s.dir][id.Name] || id.Obj != nil && !own[id.Obj.Decl] {
					continue
				}
				found = append(found, t.at("variable", s, id.Pos(), "the package variable %s changes", id.Name))
			}
			return true
		})
	}
	return found
}

func assigned(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	}
	return nil
}

// root is the variable that an assignment changes: m for m[k].f.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// checkSizes: files of at most 500 lines; functions of at most 60 statements (tables of tests may be longer).
func checkSizes(t *tree) []finding {
	var found []finding
	for _, s := range t.code {
		if s.generated {
			continue
		}
		if s.lines > mostLines {
			found = append(found, t.at("file size", s, s.ast.Package, "%d lines, at most %d", s.lines, mostLines))
		}
		for _, d := range s.ast.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil || s.test {
				continue
			}
			if n := statements(f.Body); n > mostStatements {
				found = append(found, t.at("function size", s, f.Pos(), "%s has %d statements, at most %d", f.Name.Name, n, mostStatements))
			}
		}
	}
	return found
}

func statements(body ast.Node) int {
	n := 0
	ast.Inspect(body, func(node ast.Node) bool {
		switch node.(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause, *ast.LabeledStmt, *ast.EmptyStmt:
		case ast.Stmt:
			n++
		}
		return true
	})
	return n
}

func checkPackageComments(t *tree) []finding {
	var dirs []string
	first, commented := map[string]source{}, map[string]bool{}
	for _, s := range t.code {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		if _, ok := first[s.dir]; !ok {
			first[s.dir] = s
			dirs = append(dirs, s.dir)
		}
		commented[s.dir] = commented[s.dir] || s.ast.Doc != nil
	}
	var found []finding
	for _, dir := range dirs {
		if !commented[dir] {
			found = append(found, t.at("package comment", first[dir], first[dir].ast.Package, "the package %s has no comment", dir))
		}
	}
	return found
}

// wellKnown are methods whose meaning an interface of the standard library or of the screen library fixes.
const wellKnown = "Error Unwrap Is String GoString LogValue MarshalJSON UnmarshalJSON MarshalText UnmarshalText Len Less Swap " +
	"ServeHTTP Init Update View"

// checkDocs: every exported name says what it is. In a group one comment may serve all, and so may that of their type.
func checkDocs(t *tree) []finding {
	var found []finding
	for _, s := range t.code {
		if strings.HasSuffix(s.path, "_test.go") || s.ast.Name.Name == "main" || s.generated {
			continue
		}
		for _, d := range s.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) && !(d.Recv != nil && within(wellKnown, d.Name.Name)) {
					found = append(found, t.at("doc", s, d.Pos(), "%s has no doc comment", d.Name.Name))
				}
			case *ast.GenDecl:
				found = append(found, undocumented(t, s, d)...)
			}
		}
	}
	return found
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	typ := d.Recv.List[0].Type
	if p, ok := typ.(*ast.StarExpr); ok {
		typ = p.X
	}
	if g, ok := typ.(*ast.IndexExpr); ok {
		typ = g.X
	}
	id, ok := typ.(*ast.Ident)
	return !ok || id.IsExported()
}

func undocumented(t *tree, s source, d *ast.GenDecl) []finding {
	var found []finding
	typed := false // constants of one type are described by it
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
				found = append(found, t.at("doc", s, spec.Pos(), "%s has no doc comment", spec.Name.Name))
			}
		case *ast.ValueSpec:
			typed = typed || d.Tok == token.CONST && spec.Type != nil
			if d.Doc != nil || spec.Doc != nil || spec.Comment != nil || typed {
				continue
			}
			if i := slices.IndexFunc(spec.Names, (*ast.Ident).IsExported); i >= 0 {
				found = append(found, t.at("doc", s, spec.Pos(), "%s has no doc comment", spec.Names[i].Name))
			}
		}
	}
	return found
}
