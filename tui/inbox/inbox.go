// Package inbox is the first screen of the desk: what has arrived, how grave it is, and whether a person has judged it.
package inbox

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// Reader is what this screen reads.
type Reader interface {
	Inbox(ctx context.Context, limit int) ([]desk.InboxItem, error)
}

// Limit is how many items the desk looks at.
const Limit = 200

// HoldFor is how long after the last key the order stays frozen.
const HoldFor = time.Minute

// Intents of this screen.
type (
	Open    struct{} // look at the selected event
	ShowNew struct{} // show what came while the order was frozen
)

// Loaded is the answer of the store.
type Loaded struct {
	Items []desk.InboxItem
	At    time.Time
	Err   error
}

type key struct {
	event    desk.EventID
	telegram desk.TelegramID
}

// Model is the inbox. The zero value is not usable; see New.
type Model struct {
	env     ui.Env
	read    Reader
	items   map[key]desk.InboxItem
	list    ui.List[key]
	asOf    time.Time
	touched time.Time
	size    ui.SizeMsg
}

// New makes an empty inbox.
func New(env ui.Env, r Reader) Model {
	return Model{env: env, read: r, size: ui.SizeMsg{W: 80, H: 19}}
}

// Title names the screen.
func (m Model) Title() ui.Text { return words.title }

// Mode is the world of the desk: rows say their own.
func (m Model) Mode() desk.Mode { return m.env.Mode }

// Prompt is always nil: this screen asks nothing.
func (m Model) Prompt() *ui.Prompt { return nil }

// Reload reads the inbox.
func (m Model) Reload() tea.Cmd {
	return m.env.Run(func(ctx context.Context) tea.Msg {
		items, err := m.read.Inbox(ctx, Limit)
		return Loaded{Items: items, At: m.env.Now(), Err: err}
	})
}

// Keys are the keys valid now.
func (m Model) Keys() []ui.Binding {
	var bs []ui.Binding
	if it, ok := m.selected(); ok && !it.Unreadable {
		bs = append(bs, ui.Binding{Keys: []string{"enter"}, Intent: Open{}, Label: words.open})
	}
	if m.list.New() > 0 {
		bs = append(bs, ui.Binding{Keys: []string{"n"}, Intent: ShowNew{}, Label: words.showNew})
	}
	return append(bs, ui.MoveBindings()...)
}

// Update takes intents and Loaded messages.
func (m Model) Update(msg tea.Msg) (ui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case ui.SizeMsg:
		m.size = msg
	case Loaded:
		return m.loaded(msg)
	case ui.Move:
		m.touched = m.env.Now()
		m.list = m.list.Move(msg, m.rows(m.size.H))
	case ShowNew:
		m.list = m.list.Refresh()
	case Open:
		m.touched = m.env.Now()
		if it, ok := m.selected(); ok && !it.Unreadable {
			return m, ui.Send(ui.Go{To: ui.Verify, Event: it.Event.ID})
		}
	}
	return m, nil
}

func (m Model) loaded(msg Loaded) (ui.Screen, tea.Cmd) {
	if msg.Err != nil {
		return m, ui.Fail(msg.Err)
	}
	m.asOf = msg.At
	m.items = make(map[key]desk.InboxItem, len(msg.Items))
	keys := make([]key, 0, len(msg.Items))
	for _, it := range msg.Items {
		k := key{it.Event.ID, it.TelegramID}
		m.items[k] = it
		keys = append(keys, k)
	}
	slices.SortStableFunc(keys, func(a, b key) int { return before(m.items[a], m.items[b]) })
	frozen := m.env.Now().Sub(m.touched) < HoldFor
	m.list = m.list.Set(keys, frozen, true)
	return m, nil
}

// before orders the list: by rank, and among alarms nobody has judged the strongest first, so that a later and weaker aftershock never
// stands above the main shock that still waits.
func before(a, b desk.InboxItem) int {
	if r := rank(a) - rank(b); r != 0 || rank(a) > 0 {
		return r
	}
	return int(strength(b.Event)) - int(strength(a.Event))
}

// strength puts alarms of different hazards on one scale: a missile leaves minutes; a tsunami warning has no intensity at first and counts
// as the shaking it stands beside.
func strength(e desk.Event) desk.Intensity {
	switch {
	case e.Hazard == desk.Missile && e.Status == desk.EventOpen:
		return desk.Intensity7 + 1
	case e.Tsunami == desk.TsunamiMajorWarning:
		return desk.Intensity7
	case e.Tsunami == desk.TsunamiWarning:
		return max(e.MaxIntensity, desk.Intensity6Lower)
	}
	return e.MaxIntensity
}

// rank puts what needs a person on top: unjudged alarms, then held ones; the rest stays in the store's order, newest first.
func rank(it desk.InboxItem) int {
	switch {
	case NeedsJudgement(it):
		return 0
	case it.Verification != nil && it.Verification.Finding == desk.Held:
		return 1
	}
	return 2
}

// NeedsJudgement reports whether the item is a grade-1 alarm of which nobody has said genuine, false or held.
func NeedsJudgement(it desk.InboxItem) bool {
	return !it.Unreadable && it.Verification == nil && it.Advice != nil && it.Advice.Grade == desk.GradeAlarm
}

func (m Model) selected() (desk.InboxItem, bool) {
	k, ok := m.list.Selected()
	if !ok {
		return desk.InboxItem{}, false
	}
	it, ok := m.items[k]
	return it, ok
}

// Alarms gives the events that need judgement, the strongest first and among equals the newest, and how many other items nobody has judged.
func (m Model) Alarms() (alarms []desk.InboxItem, others int) {
	for _, it := range m.items {
		switch {
		case NeedsJudgement(it):
			alarms = append(alarms, it)
		case it.Verification == nil && it.Advice != nil && it.Advice.Grade == desk.GradeWatch:
			others++
		}
	}
	slices.SortFunc(alarms, func(a, b desk.InboxItem) int {
		if d := before(a, b); d != 0 {
			return d
		}
		return b.Event.UpdatedAt.Compare(a.Event.UpdatedAt)
	})
	return alarms, others
}

// Drills counts the items of another world than the desk's own.
func (m Model) Drills() int {
	n := 0
	for _, it := range m.items {
		if !it.Unreadable && it.Event.Mode != m.env.Mode {
			n++
		}
	}
	return n
}
