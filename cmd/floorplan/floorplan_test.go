package floorplan

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestHouse applies the drawing to the house itself.
func TestHouse(t *testing.T) {
	house, err := readTree(os.DirFS(filepath.Join("..", "..")))
	if err != nil {
		t.Fatal(err)
	}
	if len(house.code) < 10 || house.text["go.mod"] != nil && house.text["Makefile"] == nil {
		t.Fatalf("read only %d Go files: this is not the whole house", len(house.code))
	}
	for _, f := range check(house) {
		t.Error(f)
	}
}

// TestRules applies it to small houses. The head of each archive lists what must be found, one "rule | path" a line, and
// nothing else may be: every rule has a case that breaks it, and near misses that do not.
func TestRules(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	broken := map[string]bool{}
	for _, name := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			fsys, err := txtar.FS(archive)
			if err != nil {
				t.Fatal(err)
			}
			house, err := readTree(fsys)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.FieldsFunc(string(archive.Comment), func(r rune) bool { return r == '\n' })
			want = slices.DeleteFunc(want, func(line string) bool { return strings.HasPrefix(line, "#") })
			slices.Sort(want)
			var got, says []string
			for _, f := range check(house) {
				got = append(got, f.rule+" | "+f.path)
				says = append(says, f.String())
				broken[f.rule] = true
			}
			slices.Sort(got)
			if !slices.Equal(slices.Compact(got), want) {
				t.Errorf("got\n%s\nwant\n%s\n\nin full\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), strings.Join(says, "\n"))
			}
		})
	}
	for _, rule := range []string{
		"table", "never 1", "never 2", "never 3", "never 4", "never 5", "never 6", "never 7", "never 8", "never 9", "never 10",
		"house", "double", "init", "panic", "clock", "variable", "package comment", "doc",
		"top level", "host", "secret", "machine path",
	} {
		if !broken[rule] {
			t.Errorf("no archive breaks the rule %q: nobody knows whether it works", rule)
		}
	}
}

// TestSizes uses generated text, because 501 lines of archive would say nothing to a reader.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		lines, statements int
		want              int
	}{{100, 60, 0}, {100, 61, 1}, {600, 1, 1}, {600, 61, 2}} {
		house := &tree{fset: token.NewFileSet()}
		body := fmt.Sprintf("// Package route sends.\npackage route\n\nfunc long() {\n%s}\n%s",
			strings.Repeat("\tlong()\n", c.statements), strings.Repeat("\n", max(0, c.lines-c.statements-5)))
		if err := house.addCode("engine/route/route.go", []byte(body)); err != nil {
			t.Fatal(err)
		}
		if got := checkSizes(house); len(got) != c.want {
			t.Errorf("%d lines, %d statements: got %v, want %d findings", c.lines, c.statements, got, c.want)
		}
	}
}

func TestStatementsCountsWhatIsNested(t *testing.T) {
	f, err := parser.ParseExpr("func() { if a { b(); for { c() } }; go func() { d() }() }")
	if err != nil {
		t.Fatal(err)
	}
	if got := statements(f); got != 6 {
		t.Errorf("got %d, want 6", got)
	}
}

func TestWithin(t *testing.T) {
	for _, c := range []struct {
		list, path string
		want       bool
	}{
		{"store store/desk", "store/desk", true},
		{"store", "store/desk", false}, // a room of ours does not include the rooms below it
		{"engine/*", "engine/web/answer", true},
		{"engine/*", "engine", false},
		{pgx, "github.com/jackc/pgx/v5/pgconn", true}, // a module does include its packages
		{pgx, "github.com/jackc/pgxmock", false},
		{"net os", "net/mail", false},
		{"", "anything", false},
		{"*", "anything", true},
	} {
		if got := within(c.list, c.path); got != c.want {
			t.Errorf("within(%q, %q) = %t", c.list, c.path, got)
		}
	}
}

func TestAllowedHost(t *testing.T) {
	for host, want := range map[string]bool{
		"example.jp": true, "mail.example.com": true, "docomo.example": true, "x.invalid": true, "localhost": true,
		"xml.kishou.go.jp": true, "{{.Host}}": true, "%s": true, "tokyo": true,
		"registry.npmjs.org": false, "badexample.com": false, "example.com.evil.net": false, "192.0.2.7": true, "8.8.8.8": false,
	} {
		if got := allowedHost(host); got != want {
			t.Errorf("allowedHost(%q) = %t", host, got)
		}
	}
	for authority, want := range map[string]string{"u:p@Host.Example:80": "host.example", "[::1]:25": "::1", "a.b.": "a.b"} {
		if got := hostOf(authority); got != want {
			t.Errorf("hostOf(%q) = %q, want %q", authority, got, want)
		}
	}
}
