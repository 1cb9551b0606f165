//go:build !race

package story

func raced() []string { return nil }
