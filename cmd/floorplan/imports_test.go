package floorplan

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
)

// checkTable compares every import with the room's line of the drawing. Test files may use any foreign module and any
// double, but of our rooms only what their room may.
func checkTable(t *tree) []finding {
	var found []finding
	for _, s := range t.code {
		r, known := roomOf(s.dir)
		if isDouble(s.dir) {
			r, known = doubleOf(s.dir), true
		}
		if !known {
			found = append(found, t.at("table", s, s.ast.Package, "the folder %s is not in the drawing", s.dir))
			continue
		}
		for _, target := range slices.Sorted(maps.Values(s.imports)) {
			ours, isOurs := strings.CutPrefix(target, module+"/")
			switch {
			case isOurs && (within(r.ours, ours) || ours == s.dir):
			case isOurs && s.test && (isDouble(ours) || ours == "store/desk" || ours == "store/cluster" || within(rehearsals[s.dir], ours)):
			case isOurs:
				found = append(found, t.at("table", s, s.ast.Package, "%s may not import %s", s.dir, ours))
			case isForeign(target) && !s.test && !within(r.foreign, target):
				found = append(found, t.at("table", s, s.ast.Package, "%s may not import %s", s.dir, target))
			}
			if s.dir == "store/desk" && !s.test && (isOurs || isForeign(target)) {
				found = append(found, t.at("never 1", s, s.ast.Package, "the vocabulary imports %s", target))
			}
		}
	}
	return found
}

// doubleOf is the room of a test double: what the doubled one may, itself, and what a database double needs.
func doubleOf(dir string) room {
	parent, _, _ := cutLast(dir)
	r, _ := roomOf(parent)
	return room{dir, r.ours + " " + parent + " store/desk store/cluster store/schema", r.foreign}
}

func checkBans(t *tree) []finding {
	var found []finding
	for _, s := range t.code {
		for _, b := range bans {
			if !within(b.who, s.dir) || within(b.except, s.dir) || s.test && !b.testsToo {
				continue
			}
			for _, target := range slices.Sorted(maps.Values(s.imports)) {
				named := strings.TrimPrefix(target, module+"/")
				if named == s.dir || !within(b.what, named) {
					continue
				}
				found = append(found, t.at(b.rule, s, s.ast.Package, "%s never imports %s", s.dir, named))
			}
		}
		found = append(found, checkSiblings(t, s)...)
	}
	return found
}

// checkSiblings keeps screens apart (never 6) and the two kinds of pages apart (never 8).
func checkSiblings(t *tree, s source) []finding {
	var found []finding
	for _, target := range slices.Sorted(maps.Values(s.imports)) {
		other, ours := strings.CutPrefix(target, module+"/")
		if !ours || other == s.dir || isDouble(other) {
			continue
		}
		if isScreen(s.dir) && isScreen(other) {
			found = append(found, t.at("never 6", s, s.ast.Package, "the screen %s imports the screen %s", s.dir, other))
		}
		pages := "engine/web/answer engine/web/admin"
		if within(pages, s.dir) && within(pages, other) {
			found = append(found, t.at("never 8", s, s.ast.Package, "%s imports %s", s.dir, other))
		}
	}
	return found
}

func isScreen(dir string) bool {
	name, ok := strings.CutPrefix(dir, "tui/")
	return ok && !strings.Contains(name, "/") && name != "ui" && name != "sshd" && !isDouble(dir)
}

// checkDoubles: only tests import test doubles.
func checkDoubles(t *tree) []finding {
	var found []finding
	for _, s := range t.code {
		for _, target := range slices.Sorted(maps.Values(s.imports)) {
			if ours := strings.TrimPrefix(target, module+"/"); isDouble(ours) && !s.test {
				found = append(found, t.at("double", s, s.ast.Package, "only tests import %s", ours))
			}
		}
	}
	return found
}

// checkReveal: an address is shown in full in engine/route alone (never 9; law 11).
func checkReveal(t *tree) []finding {
	var found []finding
	for _, s := range t.code {
		if s.dir == "engine/route" || s.dir == "store/desk" && s.test {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Reveal" {
				found = append(found, t.at("never 9", s, sel.Pos(), "Reveal is called in engine/route alone"))
			}
			return true
		})
	}
	return found
}

func checkNames(t *tree) []finding {
	var found []finding
	seen := map[string]bool{}
	for _, s := range t.code {
		name := strings.TrimSuffix(s.ast.Name.Name, "_test")
		_, folder, _ := cutLast(s.dir)
		if (within(badNames, name) || within(badNames, folder)) && !seen[s.dir] {
			seen[s.dir] = true
			found = append(found, t.at("never 10", s, s.ast.Name.Pos(), "a package called %s says nothing", name))
		}
	}
	return found
}
