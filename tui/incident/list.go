package incident

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// ListStore is what the list of open incidents reads and writes.
type ListStore interface {
	OpenIncidents(ctx context.Context, mode desk.Mode) ([]desk.Incident, error)
	ActiveDispatches(ctx context.Context) ([]desk.DispatchProgress, error)
	Policy(ctx context.Context) (desk.Policy, error)
	CloseIncident(ctx context.Context, who desk.OperatorID, id desk.IncidentID) error
}

// Close is the intent to end the selected incident: no event joins it any more and its merge window ends. // F3-1-k.4
type Close struct{}

// ListLoaded is the list as the store has it.
type ListLoaded struct {
	Open   []desk.Incident
	Active []desk.DispatchProgress
	Policy desk.Policy
	At     time.Time
	Err    error
}

// Closed is the answer to a closing.
type Closed struct {
	ID  desk.IncidentID
	Err error
}

// List is the screen of open incidents of this desk's world, the one that shook last on top.
type List struct {
	env    ui.Env
	store  ListStore
	open   map[desk.IncidentID]desk.Incident
	sent   map[desk.IncidentID][]desk.DispatchProgress
	window time.Duration
	list   ui.List[desk.IncidentID]
	asOf   time.Time
	size   ui.SizeMsg
	busy   bool
	prompt *ui.Prompt
}

// NewList makes the list.
func NewList(env ui.Env, s ListStore) List {
	return List{env: env, store: s, size: ui.SizeMsg{W: 80, H: 19}}
}

// Title names the screen.
func (m List) Title() ui.Text { return words.list }

// Mode is the world of the desk.
func (m List) Mode() desk.Mode { return m.env.Mode }

// Prompt is the open question.
func (m List) Prompt() *ui.Prompt { return m.prompt }

// Reload reads the list.
func (m List) Reload() tea.Cmd {
	return m.env.Run(func(ctx context.Context) tea.Msg {
		l := ListLoaded{At: m.env.Now()}
		if l.Open, l.Err = m.store.OpenIncidents(ctx, m.env.Mode); l.Err != nil {
			return l
		}
		if l.Active, l.Err = m.store.ActiveDispatches(ctx); l.Err != nil {
			return l
		}
		l.Policy, l.Err = m.store.Policy(ctx)
		return l
	})
}

// Keys are the keys valid now. An incident whose mails are still leaving, or wait for an approval, cannot be closed.
func (m List) Keys() []ui.Binding {
	var bs []ui.Binding
	if id, ok := m.list.Selected(); ok && !m.busy && m.unfinished(id) == 0 {
		bs = append(bs, ui.Binding{Keys: []string{"z"}, Intent: Close{}, Label: words.close, Confirms: true})
	}
	return append(bs, ui.MoveBindings()...)
}

// unfinished is a dispatch of the incident that has not ended; 0 for none.
func (m List) unfinished(id desk.IncidentID) desk.DispatchID {
	for _, p := range m.sent[id] {
		if !p.Dispatch.State.Ended() {
			return p.Dispatch.ID
		}
	}
	return 0
}

// Update takes intents, Loaded messages and, while the question is open, keys.
func (m List) Update(msg tea.Msg) (ui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case ui.SizeMsg:
		m.size = msg
	case ListLoaded:
		return m.loaded(msg)
	case ui.Move:
		m.list = m.list.Move(msg, max(1, (m.size.H-3)/2))
	case Close:
		id, ok := m.list.Selected()
		if !ok || m.busy || m.unfinished(id) > 0 {
			return m, nil
		}
		in := m.open[id]
		ask := ui.Text{
			JA: fmt.Sprintf("%sの災害 #%d %s の対応を終えますか。元には戻せません。", in.Mode.Japanese(), id, ui.Narrow(in.Title)),
			EN: fmt.Sprintf("Close incident #%d (%s)? It cannot be opened again.", id, in.Mode),
		}
		m.prompt = ui.NewChoice(ask, id, ui.Choice{Key: "9", Label: words.closeYes})
	case Closed:
		m.busy = false
		if msg.Err != nil {
			return m, tea.Batch(ui.Fail(msg.Err), m.Reload())
		}
		return m, tea.Batch(ui.Tell(words.closed), ui.Send(ui.Changed{}))
	case tea.KeyPressMsg, tea.PasteMsg:
		return m.typed(msg)
	}
	return m, nil
}

func (m List) loaded(msg ListLoaded) (ui.Screen, tea.Cmd) {
	if msg.Err != nil {
		return m, ui.Fail(msg.Err)
	}
	m.asOf, m.window = msg.At, msg.Policy.MergeWindow
	m.open, m.sent = map[desk.IncidentID]desk.Incident{}, map[desk.IncidentID][]desk.DispatchProgress{}
	ids := make([]desk.IncidentID, 0, len(msg.Open))
	for _, in := range msg.Open {
		m.open[in.ID] = in
		ids = append(ids, in.ID)
	}
	for _, p := range msg.Active {
		m.sent[p.Dispatch.IncidentID] = append(m.sent[p.Dispatch.IncidentID], p)
	}
	m.list = m.list.Set(ids, m.prompt != nil, false)
	return m, nil
}

func (m List) typed(msg tea.Msg) (ui.Screen, tea.Cmd) {
	if m.prompt == nil {
		return m, nil
	}
	id, _ := m.prompt.Tag.(desk.IncidentID)
	next, answer := m.prompt.Update(msg)
	m.prompt = next
	if !answer.Done {
		return m, nil
	}
	m.busy = true
	return m, m.env.Run(func(ctx context.Context) tea.Msg {
		return Closed{ID: id, Err: m.store.CloseIncident(ctx, m.env.Operator.ID, id)}
	})
}

// View draws two lines an incident: what it is, then how long it has been quiet and what was sent.
func (m List) View(f ui.Frame) string {
	p := ui.NewPage(f.W)
	p.Para(f.Theme.Dim, "", f.Lang.F(words.listHint, int(m.window/time.Hour)))
	if m.list.Len() == 0 {
		p.Line(f.Theme.Base, f.Lang.T(words.noneOpen))
	}
	sel, _ := m.list.Selected()
	for _, id := range m.list.Visible(max(1, (f.H-3)/2)) {
		in := m.open[id]
		mark, style := "  ", f.Theme.Strong
		if id == sel {
			mark, style = "> ", f.Theme.Select
		}
		p.Line(style, fmt.Sprintf("%s%s #%d %s", mark, f.Lang.ModeMark(in.Mode), id, ui.Narrow(in.Title)))
		facts := f.Lang.F(words.listFacts, in.MaxIntensity.Japanese(), len(in.Events)) + m.mailed(f, id)
		p.Line(f.Theme.Base, "       "+facts+f.Lang.F(words.listTimes, ui.When(in.LastOccurred, f.Now), ui.When(in.OpenedAt, f.Now), in.OpenedBy))
	}
	return ui.Fresh(f, m.asOf, p.Window(f, 0, f.H))
}

// mailed says what was sent in the last day, and why the incident cannot be closed yet.
func (m List) mailed(f ui.Frame, id desk.IncidentID) string {
	if d := m.unfinished(id); d > 0 {
		return f.Lang.F(words.notYet, d)
	}
	return f.Lang.F(words.mailings, len(m.sent[id]))
}
