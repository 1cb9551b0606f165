package dispatch

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// ListReader is what the list of dispatches reads.
type ListReader interface {
	ActiveDispatches(ctx context.Context) ([]desk.DispatchProgress, error)
}

// Open is the intent to look at the selected dispatch.
type Open struct{}

// ListLoaded is the list as the store has it.
type ListLoaded struct {
	Items []desk.DispatchProgress
	At    time.Time
	Err   error
}

// List is the screen of dispatches under way and of the last 24 hours.
type List struct {
	env   ui.Env
	read  ListReader
	items map[desk.DispatchID]desk.DispatchProgress
	list  ui.List[desk.DispatchID]
	asOf  time.Time
	size  ui.SizeMsg
}

// NewList makes the list.
func NewList(env ui.Env, r ListReader) List {
	return List{env: env, read: r, size: ui.SizeMsg{W: 80, H: 19}}
}

// Title names the screen.
func (m List) Title() ui.Text { return words.list }

// Mode is the world of the desk: rows say their own.
func (m List) Mode() desk.Mode { return m.env.Mode }

// Prompt is always nil.
func (m List) Prompt() *ui.Prompt { return nil }

// Reload reads the list.
func (m List) Reload() tea.Cmd {
	return m.env.Run(func(ctx context.Context) tea.Msg {
		items, err := m.read.ActiveDispatches(ctx)
		return ListLoaded{Items: items, At: m.env.Now(), Err: err}
	})
}

// Keys are the keys valid now.
func (m List) Keys() []ui.Binding {
	var bs []ui.Binding
	if id, ok := m.list.Selected(); ok {
		bs = append(bs, ui.Binding{Keys: []string{"enter"}, Intent: Open{}, Label: words.open})
		if m.items[id].Dispatch.Approval != nil {
			bs = append(bs, ui.Binding{Keys: []string{"t"}, Intent: ShowTally{}, Label: words.tally})
		}
	}
	return append(bs, ui.MoveBindings()...)
}

// Update takes intents and Loaded messages.
func (m List) Update(msg tea.Msg) (ui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case ui.SizeMsg:
		m.size = msg
	case ListLoaded:
		if msg.Err != nil {
			return m, ui.Fail(msg.Err)
		}
		m.asOf = msg.At
		m.items = make(map[desk.DispatchID]desk.DispatchProgress, len(msg.Items))
		ids := make([]desk.DispatchID, 0, len(msg.Items))
		for _, p := range msg.Items {
			m.items[p.Dispatch.ID] = p
			ids = append(ids, p.Dispatch.ID)
		}
		m.list = m.list.Set(ids, false, false)
	case ui.Move:
		m.list = m.list.Move(msg, m.size.H-1)
	case Open:
		if id, ok := m.list.Selected(); ok {
			return m, ui.Send(ui.Go{To: ui.Dispatch, Dispatch: id})
		}
	case ShowTally:
		if id, ok := m.list.Selected(); ok {
			return m, ui.Send(ui.Go{To: ui.Tally, Dispatch: id})
		}
	}
	return m, nil
}

// View draws the list.
func (m List) View(f ui.Frame) string {
	p := ui.NewPage(f.W)
	p.Line(f.Theme.Dim, "  "+f.Lang.T(words.listHead))
	if m.list.Len() == 0 {
		p.Line(f.Theme.Base, "  "+f.Lang.T(words.listEmpty))
	}
	sel, _ := m.list.Selected()
	for _, id := range m.list.Visible(f.H - 1) {
		pr := m.items[id]
		text := f.Lang.ModeMark(pr.Dispatch.Mode) + " " + line(f, pr)
		theme := f.World(pr.Dispatch.Mode)
		switch {
		case id == sel:
			p.Line(f.Theme.Select, "> "+text)
		case pr.Dispatch.State == desk.Proposed:
			p.Line(theme.Watch, "  "+text)
		default:
			p.Line(theme.Base, "  "+text)
		}
	}
	return ui.Fresh(f, m.asOf, p.Window(f, 0, f.H))
}
