// Package verify is the screen on which a person says whether an event is true: contradictions first, then what speaks for it.
package verify

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// Store is what this screen reads and writes.
type Store interface {
	EventFile(ctx context.Context, id desk.EventID) (desk.EventFile, error)
	Verify(ctx context.Context, who desk.OperatorID, v desk.Verification) (desk.VerificationID, error)
}

// Intents of this screen.
type (
	Judge  struct{ Finding desk.Finding }
	Onward struct{} // to the incident, or to the dispatch where one exists
	Detail struct{} // show the figures behind the checks
)

// Loaded is the file of an event.
type Loaded struct {
	ID   desk.EventID
	File desk.EventFile
	At   time.Time
	Err  error
}

// Judged is the answer to a finding.
type Judged struct {
	ID      desk.EventID
	Finding desk.Finding
	Err     error
}

// Model is the verify screen of one event.
type Model struct {
	env    ui.Env
	store  Store
	id     desk.EventID
	file   desk.EventFile
	asOf   time.Time
	size   ui.SizeMsg
	scroll ui.Scroll
	detail bool
	busy   bool
	prompt *ui.Prompt
	seen   desk.AdviceID // the advice on the screen when the prompt opened
}

// New makes the screen for one event.
func New(env ui.Env, s Store, id desk.EventID) Model {
	return Model{env: env, store: s, id: id, size: ui.SizeMsg{W: 80, H: 19}}
}

// Title names the screen.
func (m Model) Title() ui.Text { return words.title }

// Event is the event on the screen.
func (m Model) Event() desk.EventID { return m.id }

// Mode is the world of the event.
func (m Model) Mode() desk.Mode {
	if mode := m.file.Item.Event.Mode; mode != "" {
		return mode
	}
	return m.env.Mode
}

// Prompt is the open question.
func (m Model) Prompt() *ui.Prompt { return m.prompt }

// Reload reads the file again.
func (m Model) Reload() tea.Cmd {
	return m.env.Run(func(ctx context.Context) tea.Msg {
		file, err := m.store.EventFile(ctx, m.id)
		return Loaded{ID: m.id, File: file, At: m.env.Now(), Err: err}
	})
}

// Keys are the keys valid now. A finding needs the advice it is made on, so there is none before the rules have spoken.
func (m Model) Keys() []ui.Binding {
	var bs []ui.Binding
	judge := func(key string, f desk.Finding, label ui.Text) {
		bs = append(bs, ui.Binding{Keys: []string{key}, Intent: Judge{f}, Label: label, Confirms: true})
	}
	if m.ready() && !m.busy {
		if m.file.Item.IncidentID > 0 || m.finding() == desk.Genuine {
			label := words.toIncident
			if m.file.Item.IncidentID > 0 {
				label = words.toDispatch
			}
			bs = append(bs, ui.Binding{Keys: []string{"enter"}, Intent: Onward{}, Label: label})
		}
		if m.finding() != desk.Genuine {
			judge("g", desk.Genuine, words.genuine)
		}
		judge("h", desk.Held, words.held)
		judge("f", desk.False, words.false)
	}
	bs = append(bs, ui.Binding{Keys: []string{"v"}, Intent: Detail{}, Label: words.detail})
	return append(bs, ui.MoveBindings()...)
}

func (m Model) ready() bool { return !m.asOf.IsZero() && m.file.Item.Advice != nil }

func (m Model) finding() desk.Finding {
	if m.file.Item.Verification == nil {
		return ""
	}
	return m.file.Item.Verification.Finding
}

// Update takes intents, Loaded messages and, while a prompt is open, keys.
func (m Model) Update(msg tea.Msg) (ui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case ui.SizeMsg:
		m.size = msg
	case Loaded:
		if msg.ID != m.id {
			return m, nil
		}
		if msg.Err != nil {
			return m, ui.Fail(msg.Err)
		}
		was := m.file.Item.Advice
		m.file, m.asOf = msg.File, msg.At
		if now := m.file.Item.Advice; was != nil && now != nil && was.ID != now.ID {
			return m, ui.Send(ui.Moved{})
		}
	case Judged:
		return m.judged(msg)
	case ui.Move:
		f := ui.Frame{W: m.size.W, H: m.size.H, Now: m.env.Now(), Theme: ui.ThemeFor(m.Mode())}
		m.scroll = m.scroll.Move(msg, m.page(f).Len(), m.size.H)
	case Detail:
		m.detail = !m.detail
	case Judge:
		return m.judge(msg.Finding)
	case Onward:
		return m, m.onward()
	case tea.KeyPressMsg, tea.PasteMsg:
		return m.typed(msg)
	}
	return m, nil
}

// judge records a finding at once when the evidence is clean; anything that needs words asks for them first.
func (m Model) judge(f desk.Finding) (ui.Screen, tea.Cmd) {
	if !m.ready() || m.busy {
		return m, nil
	}
	m.seen = m.file.Item.Advice.ID
	switch {
	case f == desk.False:
		m.prompt = ui.NewPrompt(ui.FreeText, words.whyFalse, 200, f)
	case f == desk.Held:
		m.prompt = ui.NewPrompt(ui.FreeText, words.whyHeld, 200, f)
	case m.file.Item.Advice.Contradictions() > 0:
		m.prompt = ui.NewPrompt(ui.FreeText, words.whyGenuine, 200, f)
	default:
		return m.record(f, "")
	}
	return m, nil
}

func (m Model) typed(msg tea.Msg) (ui.Screen, tea.Cmd) {
	if m.prompt == nil {
		return m, nil
	}
	finding, _ := m.prompt.Tag.(desk.Finding)
	next, answer := m.prompt.Update(msg)
	m.prompt = next
	if answer.Done {
		return m.record(finding, answer.Text)
	}
	return m, nil
}

// record writes the finding on the advice the operator looked at; a newer advice makes it Stale. // F3-1-k.3
func (m Model) record(f desk.Finding, reason string) (ui.Screen, tea.Cmd) {
	m.busy = true
	v := desk.Verification{
		EventID: m.id, OperatorID: m.env.Operator.ID, Operator: m.env.Operator.Display,
		AdviceID: m.seen, Finding: f, Reason: reason,
	}
	return m, m.env.Run(func(ctx context.Context) tea.Msg {
		_, err := m.store.Verify(ctx, v.OperatorID, v)
		return Judged{ID: m.id, Finding: f, Err: err}
	})
}

func (m Model) judged(msg Judged) (ui.Screen, tea.Cmd) {
	if msg.ID != m.id {
		return m, nil
	}
	m.busy = false
	if msg.Err != nil {
		return m, tea.Batch(ui.Fail(msg.Err), m.Reload())
	}
	if msg.Finding == desk.Genuine {
		return m, tea.Batch(ui.Tell(words.saidGenuine), m.onward())
	}
	told := words.saidFalse
	if msg.Finding == desk.Held {
		told = words.saidHeld
	}
	return m, tea.Batch(ui.Tell(told), ui.Send(ui.Back{}))
}

func (m Model) onward() tea.Cmd {
	if id := m.file.Item.IncidentID; id > 0 {
		return ui.Send(ui.Go{To: ui.Dispatch, Event: m.id, Incident: id, Replace: true})
	}
	return ui.Send(ui.Go{To: ui.Incident, Event: m.id, Replace: true})
}
