//go:build race

package story

// raced are the flags of a build under the race detector: when the stories run under it, so do the programs they are about.
func raced() []string { return []string{"-race"} }
