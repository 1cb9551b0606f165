package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/dispatch"
	"yagura/tui/inbox"
	"yagura/tui/incident"
	"yagura/tui/tally"
	"yagura/tui/ui"
	"yagura/tui/verify"
)

// Backend is the sum of what the screens need; *store.Store fits it.
type Backend interface {
	inbox.Reader
	verify.Store
	incident.Store
	incident.ListStore
	dispatch.Store
	dispatch.ListReader
	tally.Reader
	Health(ctx context.Context) (desk.Health, error)
	Sources(ctx context.Context) ([]desk.SourceHealth, error)
	UnsentBreaches(ctx context.Context) ([]desk.Breach, error)
	StopDispatch(ctx context.Context, who desk.OperatorID, id desk.DispatchID, reason string) (desk.Stop, error)
}

// Options are what one session of the desk is made of.
type Options struct {
	Backend  Backend
	Operator desk.Operator
	Mode     desk.Mode        // the world of this console; Live unless configured otherwise
	Now      func() time.Time // the machine's clock; the desk shows the database's, by the offset Health tells
	After    func(d time.Duration, msg tea.Msg) tea.Cmd
	Wake     func() tea.Cmd // waits for the next WakeMsg; nil = poll only
	Idle     time.Duration  // without a key for so long the session ends; 0 = never. A closed seat has no alarm: a shift or more
	Lock     time.Duration  // without a key for so long confirming keys only wake the desk; 0 = never
}

// Timed is After for a real program: a timer of the runtime.
func Timed(d time.Duration, msg tea.Msg) tea.Cmd {
	return tea.Tick(d, func(time.Time) tea.Msg { return msg })
}

// NewRunner turns I/O into commands under ctx: each call gets ui.Deadline, and a panic in it becomes a notice instead of the end of the session.
func NewRunner(ctx context.Context, report func(panicked any)) ui.Runner {
	return func(op func(context.Context) tea.Msg) tea.Cmd {
		return func() (msg tea.Msg) {
			defer func() {
				if r := recover(); r != nil {
					report(r)
					msg = ui.Notice{Text: ui.Text{JA: desk.Message(desk.Errorf(desk.Internal, "tui.Run", "panic"))}, Bad: true}
				}
			}()
			ctx, cancel := context.WithTimeout(ctx, ui.Deadline)
			defer cancel()
			return op(ctx)
		}
	}
}
