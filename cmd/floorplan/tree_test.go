package floorplan

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

const module = "yagura"

// tree is the whole house, read once.
type tree struct {
	fset *token.FileSet
	code []source
	text map[string][]byte // every file a person may read, by path
	top  []string          // names at the top level
}

// source is one Go file.
type source struct {
	path, dir string
	ast       *ast.File
	lines     int
	test      bool              // a test file, or part of a test double
	imports   map[string]string // local name → import path
	generated bool
}

// finding is one place that breaks a rule.
type finding struct {
	rule, path string
	line       int
	says       string
}

func (f finding) String() string { return fmt.Sprintf("%s:%d: %s: %s", f.path, f.line, f.rule, f.says) }

// readTree reads the fixed top-level folders and the readable files beside them. Folders that git ignores are not ours.
func readTree(fsys fs.FS) (*tree, error) {
	t := &tree{fset: token.NewFileSet(), text: map[string][]byte{}}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		t.top = append(t.top, e.Name())
	}
	err = fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if p == ".git" || p == "bin" || p == "var" || p == "cmd/floorplan/testdata" { // its archives break the rules on purpose
				return fs.SkipDir
			}
			return nil
		}
		if !readable(p) || p == ".git" { // a file in a second work tree
			return nil
		}
		b, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		t.text[p] = b
		if path.Ext(p) == ".go" && !strings.Contains(p, "testdata/") {
			return t.addCode(p, b)
		}
		return nil
	})
	return t, err
}

func readable(p string) bool {
	switch path.Ext(p) {
	case ".sum", ".mod", ".deb", ".png", ".ico", ".woff2", ".gz", ".test", ".out":
		return false
	}
	return true
}

func (t *tree) addCode(p string, b []byte) error {
	f, err := parser.ParseFile(t.fset, p, b, parser.ParseComments)
	if err != nil {
		return err
	}
	dir := path.Dir(p)
	s := source{
		path: p, dir: dir, ast: f,
		lines:     bytes.Count(b, []byte("\n")),
		test:      strings.HasSuffix(p, "_test.go") || isDouble(dir) || dir == "cmd/story",
		imports:   map[string]string{},
		generated: ast.IsGenerated(f),
	}
	for _, spec := range f.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		name := path.Base(target)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		s.imports[name] = target
	}
	t.code = append(t.code, s)
	return nil
}

func (t *tree) at(rule string, s source, pos token.Pos, format string, args ...any) finding {
	return finding{rule, s.path, t.fset.Position(pos).Line, fmt.Sprintf(format, args...)}
}

// check applies every rule and returns what breaks one, in order of place.
func check(t *tree) []finding {
	var all []finding
	for _, rule := range []func(*tree) []finding{
		checkTable, checkBans, checkDoubles, checkReveal, checkNames, checkCalls, checkVariables, checkSizes,
		checkPackageComments, checkDocs, checkTop, checkHosts, checkSecrets,
	} {
		all = append(all, rule(t)...)
	}
	slices.SortFunc(all, func(a, b finding) int { return strings.Compare(a.String(), b.String()) })
	return all
}
