// Command showdesk opens the desk over a backend in memory in this terminal, to look at it: go run ./tui/tuitest/showdesk [drill].
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui"
	"yagura/tui/tuitest"
)

func main() {
	mode := desk.Live
	if len(os.Args) > 1 {
		mode = desk.Mode(os.Args[1])
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b := tuitest.NewBackend(time.Now)
	tuitest.Scene(b, mode)
	run := tui.NewRunner(ctx, func(p any) { fmt.Fprintln(os.Stderr, p) })
	m := tui.New(tui.Options{Backend: b, Operator: tuitest.Yamada, Mode: mode, Now: time.Now, After: tui.Timed}, run)
	if _, err := tea.NewProgram(m, tea.WithContext(ctx)).Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
