package tui_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/tuitest"
)

var update = flag.Bool("update", false, "rewrite the golden screens")

// scenes are the screens that are compared and pictured: a name and the keys that lead there.
func scenes() []scene {
	return []scene{
		{"1-inbox", func(s seat) {}},
		{"2-verify", func(s seat) { s.Press("enter") }},
		{"2-verify-false", func(s seat) {
			mode, _ := s.b.EventFile(s.ctx(), 20)
			s.b.Put(tuitest.False(90, mode.Item.Event.Mode, tuitest.MainShock.Add(6*time.Minute)))
			s.Advance(6 * time.Second)
			s.Press("a", "a")
		}},
		{"2-verify-reason", func(s seat) { s.Press("enter", "f"); s.Type("取消を確認") }},
		{"3-incident-new", func(s seat) { s.Press("enter", "g") }},
		{"3-incident-join", func(s seat) { joining(s) }},
		{"3-incidents", func(s seat) { joining(s); s.Press("O") }},
		{"3-incidents-close", func(s seat) { joining(s); s.Press("O", "z") }},
		{"4-dispatch", func(s seat) { s.Press("enter", "g", "n", "5") }},
		{"4-dispatch-two-people", func(s seat) { s.b.Rules.OnePersonMay = false; s.Press("enter", "g", "n", "5", "p") }},
		{"4-dispatch-countdown", func(s seat) { s.Press("enter", "g", "n", "5", "s") }},
		{"4-dispatch-sending", func(s seat) { s.Press("enter", "g", "n", "5", "s"); s.Advance(9 * time.Second) }},
		{"4-dispatch-no-engine", func(s seat) { s.b.NoEngine = true; s.Press("enter", "g", "n", "5", "s"); s.Advance(20 * time.Second) }},
		{"4-dispatch-stopped", func(s seat) { s.Press("enter", "g", "n", "5", "s"); s.Advance(7 * time.Second); s.Press("x", "1") }},
		{"4-dispatch-withdrawn", func(s seat) { s.Press("enter", "g", "n", "5", "s", "x") }},
		{"4-dispatch-list", func(s seat) { s.Press("enter", "g", "n", "5", "s"); s.Advance(30 * time.Second); s.Press("D") }},
		{"5-tally", func(s seat) { s.Press("enter", "g", "n", "5", "s"); s.Advance(30 * time.Second); s.Press("t") }},
		{"6-help", func(s seat) { s.Press("?") }},
		{"7-english", func(s seat) { s.Press("E", "enter") }},
		{"8-no-engine", func(s seat) { s.b.NoEngine = true; s.Advance(6 * time.Second) }},
		{"8-locked", func(s seat) { s.Press("enter"); s.Advance(16 * time.Minute) }},
		{"8-sources", func(s seat) { hearing(s, 0); s.Advance(6 * time.Second) }},
		{"8-source-silent", func(s seat) {
			hearing(s, 4*time.Minute)
			s.b.Owed = []desk.Breach{{ID: 3, Clause: desk.ClauseQuick}}
			s.Advance(6 * time.Second)
		}},
		{"8-stale", func(s seat) { s.b.Down = true; s.Advance(20 * time.Second) }},
	}
}

type scene struct {
	name string
	act  func(s seat)
}

// Every screen in live and drill, colour and plain, 80x24 and 200x50.
func TestGoldenScreens(t *testing.T) {
	for _, mode := range []desk.Mode{desk.Live, desk.Drill} {
		for _, size := range [][2]int{{80, 24}, {200, 50}} {
			for _, sc := range scenes() {
				name := fmt.Sprintf("%s-%s-%dx%d", sc.name, mode, size[0], size[1])
				t.Run(name, func(t *testing.T) {
					s := stage(t, sc, mode, size[0], size[1])
					golden(t, name+".txt", s.Plain())
					golden(t, name+".ansi", s.Screen())
				})
			}
		}
	}
}

func stage(t *testing.T, sc scene, mode desk.Mode, w, h int) seat {
	t.Helper()
	b, clock := newBackend(t, mode)
	s := sit(t, b, clock, tuitest.Yamada, mode, w, h)
	sc.act(s)
	return s
}

// joining sends for the main shock and opens the incident screen of an aftershock.
func joining(s seat) {
	f, _ := s.b.EventFile(s.ctx(), 20)
	s.Press("enter", "g", "n", "5", "s")
	s.Advance(20 * time.Second)
	all, _ := s.b.ActiveDispatches(s.ctx())
	s.b.Put(tuitest.After(91, f.Item.Event.Mode, tuitest.MainShock.Add(8*time.Minute), all[0].Dispatch.IncidentID))
	s.Advance(6 * time.Second)
	s.Press("a", "g")
}

// hearing gives the desk its three sources; dmdata has been silent for so long.
func hearing(s seat, silent time.Duration) {
	now := tuitest.MainShock.Add(12*time.Minute + 30*time.Second)
	s.b.Feed = "jma"
	s.b.Heard = []desk.SourceHealth{
		{Name: "dmdata", LastContact: now.Add(2*time.Second - silent), Rhythm: 2 * time.Minute},
		{Name: "jma", LastContact: now.Add(-12 * time.Second), Rhythm: 3 * time.Minute},
		{Name: "p2pquake", LastContact: now.Add(-time.Minute), Rhythm: 5 * time.Minute, Trouble: "つなぎ直しています。"},
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got = strings.ReplaceAll(got, "\x1b", "^") + "\n"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run with -update)", err)
	}
	if string(want) != got {
		t.Errorf("%s differs (run with -update and look at it):\n%s", name, got)
	}
}

// No header line may be without its world's word, and no world may wear the other's (law 4).
func TestGoldenWorldsNeverMix(t *testing.T) {
	for _, mode := range []desk.Mode{desk.Live, desk.Drill} {
		b, clock := newBackend(t, mode)
		s := sit(t, b, clock, tuitest.Yamada, mode, 80, 24)
		for _, key := range []string{"", "enter", "g", "n", "5", "s", "esc", "D", "T", "I", "?"} {
			if key != "" {
				s.Press(key)
			}
			for i, l := range strings.SplitN(s.Plain(), "\n", 4)[:3] {
				if !strings.HasPrefix(l, mode.Japanese()+" ") {
					t.Fatalf("%s after %q, header line %d: %q", mode, key, i, l)
				}
			}
		}
		s.Send(tea.WindowSizeMsg{Width: 200, Height: 50})
		s.sees(t, mode.Japanese())
	}
}
