// Package replaytest gives tests the telegrams of scenarios.
package replaytest

import (
	"fmt"
	"strings"
	"testing"

	"yagura/feeds/replay"
	"yagura/store/desk"
)

// Builtin gives the telegrams of built-in scenarios, one scenario after the other.
func Builtin(t testing.TB, names ...string) []desk.Envelope {
	t.Helper()
	var out []desk.Envelope
	for _, name := range names {
		s, err := replay.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, envelopes(t, s)...)
	}
	return out
}

// Written gives the telegrams of a scenario text.
func Written(t testing.TB, text string) []desk.Envelope {
	t.Helper()
	s, err := replay.ParseScenario(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return envelopes(t, s)
}

// Largest is a VXSE53 of all 188 areas with 20 stations each: about 430 kB, the size of the real one of Noto 2024.
func Largest(t testing.TB) desk.Envelope {
	t.Helper()
	var text strings.Builder
	text.WriteString("scenario large 大きな電文\ndate 2026-01-02\nquake at=10:00:00 place=390/試験 lat=37.5 lon=137.2 depth=10 m=7.6\n")
	for p := desk.Prefecture(1); p.Valid(); p++ {
		for _, area := range desk.LocalAreas(p) {
			fmt.Fprintf(&text, "shake 4:%s*20\n", area.Code)
		}
	}
	text.WriteString("report +4m n=1\n")
	return Written(t, text.String())[0]
}

func envelopes(t testing.TB, s replay.Scenario) []desk.Envelope {
	t.Helper()
	out, err := s.Envelopes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}
