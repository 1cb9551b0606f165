// Package floorplan is the drawing of the house as a test: which room may import which, and the laws every line keeps.
//
// It holds tests only. The table in rooms_test.go is design §1; when the house changes, change it there and say why in
// deploy/decisions.md.
package floorplan
