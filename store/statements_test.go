package store_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"yagura/store/storetest"
)

// statement is one SQL text found in the package, with where it stands.
type statement struct {
	where, sql string
}

// TestEveryStatementPrepares gives every SQL statement of package store to the migrated schema, so that a wrong name or type
// fails here and not at night at the desk. // design.md §6
func TestEveryStatementPrepares(t *testing.T) {
	found := statements(t)
	if len(found) < 40 {
		t.Fatalf("only %d statements found; the search is broken", len(found))
	}
	conn := storetest.New(t).Conn(storetest.Owner)
	for _, s := range found {
		if word := strings.ToUpper(strings.Fields(s.sql)[0]); word == "LISTEN" || word == "SET" {
			continue // utility commands cannot be prepared
		}
		sql, _, err := pgx.NamedArgs{}.RewriteQuery(t.Context(), nil, s.sql, nil)
		if err == nil {
			_, err = conn.Prepare(t.Context(), "", sql)
		}
		if err != nil {
			t.Errorf("%s: %v\n%s", s.where, err, s.sql)
		}
	}
}

func TestPrepareFindsAWrongStatement(t *testing.T) {
	conn := storetest.New(t).Conn(storetest.Owner)
	for _, sql := range []string{`SELECT nothing FROM dispatch WHERE id = @id`, `UPDATE dispatch SET state = 1 WHERE id = 'x'`} {
		rewritten, _, err := pgx.NamedArgs{}.RewriteQuery(context.Background(), nil, sql, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Prepare(t.Context(), "", rewritten); err == nil {
			t.Errorf("prepared: %s", sql)
		}
	}
}

// sqlArgument says which argument of a method of pgx or Tx is the statement.
var sqlArgument = map[string]int{"Query": 1, "QueryRow": 1, "Exec": 1, "exec": 2, "Queue": 0}

func statements(t *testing.T) []statement {
	t.Helper()
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, entry := range names {
		if name := entry.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(fset, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	consts := map[string]string{}
	for range 3 { // constants made of constants
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool { return collect(n, consts) })
		}
	}
	var found []statement
	for _, file := range files {
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				found = append(found, statementsOf(t, fset, files, fn, consts)...)
			}
		}
	}
	return found
}

// statementsOf finds the statements of one function. A function that completes its statement with a parameter is read once
// for each of its callers.
func statementsOf(t *testing.T, fset *token.FileSet, files []*ast.File, fn *ast.FuncDecl, consts map[string]string) []statement {
	t.Helper()
	var found []statement
	eachCall(fn, func(call *ast.CallExpr, name string) {
		i, ok := sqlArgument[name]
		if !ok || i >= len(call.Args) {
			return
		}
		where := fset.Position(call.Pos()).String()
		if sql, ok := text(call.Args[i], consts); ok {
			found = append(found, statement{where, sql})
			return
		}
		completed := 0
		for _, given := range callersOf(files, fn, consts) {
			if sql, ok := text(call.Args[i], given); ok {
				found = append(found, statement{where, sql})
				completed++
			}
		}
		if completed == 0 && !isParameter(call.Args[i]) {
			t.Errorf("%s: the statement is no constant, even as its callers complete it", where)
		}
	})
	return found
}

func eachCall(n ast.Node, visit func(*ast.CallExpr, string)) {
	ast.Inspect(n, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				visit(call, f.Sel.Name)
			case *ast.Ident:
				visit(call, f.Name)
			}
		}
		return true
	})
}

// callersOf gives, for each call of fn, the constants with fn's parameters as that caller fills them.
func callersOf(files []*ast.File, fn *ast.FuncDecl, consts map[string]string) []map[string]string {
	var parameters []string
	for _, field := range fn.Type.Params.List {
		for _, name := range field.Names {
			parameters = append(parameters, name.Name)
		}
	}
	var all []map[string]string
	for _, file := range files {
		eachCall(file, func(call *ast.CallExpr, name string) {
			if name != fn.Name.Name || len(call.Args) != len(parameters) {
				return
			}
			given := maps.Clone(consts)
			for i, p := range parameters {
				delete(given, p)
				if s, ok := text(call.Args[i], consts); ok {
					given[p] = s
				}
			}
			all = append(all, given)
		})
	}
	return all
}

// collect notes string constants, of the package and of functions.
func collect(n ast.Node, consts map[string]string) bool {
	decl, ok := n.(*ast.GenDecl)
	if !ok || decl.Tok != token.CONST {
		return true
	}
	for _, spec := range decl.Specs {
		value := spec.(*ast.ValueSpec)
		for i, name := range value.Names {
			if i < len(value.Values) {
				if s, ok := text(value.Values[i], consts); ok {
					consts[name.Name] = s
				}
			}
		}
	}
	return true
}

// text is the value of a constant string expression.
func text(e ast.Expr, consts map[string]string) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		return s, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		s, ok := consts[e.Name]
		return s, ok
	case *ast.ParenExpr:
		return text(e.X, consts)
	case *ast.BinaryExpr:
		left, ok := text(e.X, consts)
		right, also := text(e.Y, consts)
		return left + right, ok && also && e.Op == token.ADD
	}
	return "", false
}

// isParameter allows a helper that hands on its own parameter called sql; its callers are found by name.
func isParameter(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	return ok && name.Name == "sql"
}
