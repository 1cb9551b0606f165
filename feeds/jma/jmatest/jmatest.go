// Package jmatest reads telegrams in tests of rooms that write or carry them.
package jmatest

import (
	"testing"

	"yagura/feeds/jma"
	"yagura/store/desk"
)

// Parse reads the telegrams; one that cannot be read fails the test and is shown.
func Parse(t testing.TB, envs ...desk.Envelope) []desk.Telegram {
	t.Helper()
	out := make([]desk.Telegram, len(envs))
	for i, e := range envs {
		var err error
		if out[i], err = jma.Parse(e); err != nil {
			t.Fatalf("%s: %v\n%.4000s", e.Name, err, e.Raw)
		}
	}
	return out
}
