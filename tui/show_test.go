package tui_test

import (
	"os"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui"
	"yagura/tui/tuitest"
)

// TestShow opens the desk over the backend in memory in this terminal, to look at it: YAGURA_SHOW=live (or drill) go test -run TestShow ./tui
func TestShow(t *testing.T) {
	mode := desk.Mode(os.Getenv("YAGURA_SHOW"))
	if mode == "" {
		t.Skip("set YAGURA_SHOW=live or drill to look at the desk")
	}
	in, out, err := tea.OpenTTY()
	if err != nil {
		t.Fatal(err)
	}
	b := tuitest.NewBackend(time.Now)
	tuitest.Scene(b, mode)
	run := tui.NewRunner(t.Context(), func(p any) { t.Errorf("panic: %v", p) })
	m := tui.New(tui.Options{Backend: b, Operator: tuitest.Yamada, Mode: mode, Now: time.Now, After: tui.Timed}, run)
	if _, err := tea.NewProgram(m, tea.WithInput(in), tea.WithOutput(out)).Run(); err != nil {
		t.Fatal(err)
	}
}
