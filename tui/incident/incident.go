// Package incident is the screen on which a person decides whether an event joins an open incident or opens a new one, and why.
package incident

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// Store is what this screen reads and writes.
type Store interface {
	EventFile(ctx context.Context, id desk.EventID) (desk.EventFile, error)
	OpenIncidents(ctx context.Context, mode desk.Mode) ([]desk.Incident, error)
	Policy(ctx context.Context) (desk.Policy, error)
	Decide(ctx context.Context, who desk.OperatorID, c desk.IncidentChoice) (desk.IncidentID, error)
}

// Intents of this screen. Joining and opening weigh the same: one key each, neither is the default (field.md 5.2-14).
type (
	Join struct{}
	New  struct{}
)

// Loaded is the event and the open incidents of its world.
type Loaded struct {
	ID   desk.EventID
	File desk.EventFile
	Open []desk.Incident
	From desk.Intensity // the policy's threshold
	At   time.Time
	Err  error
}

// Decided is the answer to the decision.
type Decided struct {
	ID       desk.EventID
	Incident desk.IncidentID
	Err      error
}

// choice is a decision that still lacks its reason.
type choice struct {
	incident desk.IncidentID // 0 = new
	reason   desk.MergeReason
}

// Model is the incident screen of one event.
type Model struct {
	env    ui.Env
	store  Store
	id     desk.EventID
	file   desk.EventFile
	open   map[desk.IncidentID]desk.Incident
	from   desk.Intensity
	list   ui.List[desk.IncidentID]
	asOf   time.Time
	size   ui.SizeMsg
	busy   bool
	prompt *ui.Prompt
}

// NewModel makes the screen for one event.
func NewModel(env ui.Env, s Store, id desk.EventID) Model {
	return Model{env: env, store: s, id: id, size: ui.SizeMsg{W: 80, H: 19}}
}

// Title names the screen.
func (m Model) Title() ui.Text { return words.title }

// Mode is the world of the event.
func (m Model) Mode() desk.Mode {
	if mode := m.file.Item.Event.Mode; mode != "" {
		return mode
	}
	return m.env.Mode
}

// Prompt is the open question.
func (m Model) Prompt() *ui.Prompt { return m.prompt }

// Reload reads the event and the open incidents.
func (m Model) Reload() tea.Cmd {
	return m.env.Run(func(ctx context.Context) tea.Msg {
		file, err := m.store.EventFile(ctx, m.id)
		if err != nil {
			return Loaded{ID: m.id, Err: err}
		}
		policy, err := m.store.Policy(ctx)
		if err != nil {
			return Loaded{ID: m.id, Err: err}
		}
		open, err := m.store.OpenIncidents(ctx, file.Item.Event.Mode)
		return Loaded{ID: m.id, File: file, Open: open, From: policy.PrefectureFrom, At: m.env.Now(), Err: err}
	})
}

// Keys are the keys valid now.
func (m Model) Keys() []ui.Binding {
	var bs []ui.Binding
	if !m.asOf.IsZero() && !m.busy && m.file.Item.IncidentID == 0 {
		if _, ok := m.list.Selected(); ok {
			bs = append(bs, ui.Binding{Keys: []string{"j"}, Intent: Join{}, Label: words.join, Confirms: true})
		}
		bs = append(bs, ui.Binding{Keys: []string{"n"}, Intent: New{}, Label: words.new, Confirms: true})
		if m.list.Len() > 1 {
			bs = append(bs, ui.Binding{Keys: []string{"down"}, Intent: ui.Down, Label: words.next}, ui.Binding{Keys: []string{"up"}, Intent: ui.Up, Label: words.next, Quiet: true})
		}
	}
	return bs
}

// Update takes intents, Loaded messages and, while a prompt is open, keys.
func (m Model) Update(msg tea.Msg) (ui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case ui.SizeMsg:
		m.size = msg
	case Loaded:
		return m.loaded(msg)
	case ui.Move:
		m.list = m.list.Move(msg, 4)
	case Join:
		if id, ok := m.list.Selected(); ok && !m.busy {
			m.prompt = ui.NewChoice(words.whyJoin, choice{incident: id}, reasons(desk.SameShaking, desk.SameSeries, desk.OtherReason)...)
		}
	case New:
		if !m.busy {
			m.prompt = ui.NewChoice(words.whyNew, choice{}, reasons(desk.OtherPlace, desk.LongAfter, desk.FirstOfItsKind, desk.OtherReason)...)
		}
	case Decided:
		if msg.ID != m.id {
			return m, nil
		}
		m.busy = false
		if msg.Err != nil {
			return m, tea.Batch(ui.Fail(msg.Err), m.Reload())
		}
		return m, ui.Send(ui.Go{To: ui.Dispatch, Event: m.id, Incident: msg.Incident, Replace: true})
	case tea.KeyPressMsg, tea.PasteMsg:
		return m.typed(msg)
	}
	return m, nil
}

func (m Model) loaded(msg Loaded) (ui.Screen, tea.Cmd) {
	if msg.ID != m.id {
		return m, nil
	}
	if msg.Err != nil {
		return m, ui.Fail(msg.Err)
	}
	m.file, m.from, m.asOf = msg.File, msg.From, msg.At
	m.open = make(map[desk.IncidentID]desk.Incident, len(msg.Open))
	ids := make([]desk.IncidentID, 0, len(msg.Open))
	for _, in := range msg.Open {
		m.open[in.ID] = in
		ids = append(ids, in.ID)
	}
	first := m.list.Len() == 0
	if a := m.advised(); first && a > 0 {
		slices.SortStableFunc(ids, func(x, y desk.IncidentID) int { return at(x != a) - at(y != a) })
	}
	m.list = m.list.Set(ids, m.prompt != nil, false)
	return m, nil
}

func at(b bool) int {
	if b {
		return 1
	}
	return 0
}

// advised is the incident the rules compared the event with; 0 for none.
func (m Model) advised() desk.IncidentID {
	if a := m.file.Item.Advice; a != nil && a.Merge != nil {
		return a.Merge.IncidentID
	}
	return 0
}

// keyOf gives every reason the same digit wherever it is asked.
func keyOf(r desk.MergeReason) string {
	for i, have := range []desk.MergeReason{desk.SameShaking, desk.SameSeries, desk.OtherPlace, desk.LongAfter, desk.FirstOfItsKind, desk.OtherReason} {
		if have == r {
			return string(rune('1' + i))
		}
	}
	return ""
}

func reasons(rs ...desk.MergeReason) []ui.Choice {
	out := make([]ui.Choice, len(rs))
	for i, r := range rs {
		out[i] = ui.Choice{Key: keyOf(r), Label: ui.Text{JA: r.Japanese(), EN: english(r)}}
	}
	return out
}

func (m Model) typed(msg tea.Msg) (ui.Screen, tea.Cmd) {
	if m.prompt == nil {
		return m, nil
	}
	c, _ := m.prompt.Tag.(choice)
	next, answer := m.prompt.Update(msg)
	m.prompt = next
	if !answer.Done {
		return m, nil
	}
	if c.reason == desk.OtherReason {
		return m.decide(c, answer.Text)
	}
	for _, r := range []desk.MergeReason{desk.SameShaking, desk.SameSeries, desk.OtherPlace, desk.LongAfter, desk.FirstOfItsKind, desk.OtherReason} {
		if keyOf(r) == answer.Text {
			c.reason = r
		}
	}
	if c.reason == desk.OtherReason {
		m.prompt = ui.NewPrompt(ui.FreeText, words.whyOther, 200, c)
		return m, nil
	}
	return m.decide(c, "")
}

// decide records the decision with its reason. // F3-1-k.4
func (m Model) decide(c choice, note string) (ui.Screen, tea.Cmd) {
	m.busy = true
	order := desk.IncidentChoice{EventID: m.id, Incident: c.incident, Reason: c.reason, Note: note}
	if c.incident == 0 {
		order.Title = ui.TitleOf(m.file.Item.Event)
	}
	return m, m.env.Run(func(ctx context.Context) tea.Msg {
		id, err := m.store.Decide(ctx, m.env.Operator.ID, order)
		return Decided{ID: m.id, Incident: id, Err: err}
	})
}
