// Package dispatch is the screen from which a person sends: who is asked and why, the text as it will read, the count-down and the progress.
package dispatch

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// Reader is what this screen reads.
type Reader interface {
	EventFile(ctx context.Context, id desk.EventID) (desk.EventFile, error)
	IncidentFile(ctx context.Context, id desk.IncidentID) (desk.IncidentFile, error)
	PreviewAudience(ctx context.Context, incident desk.IncidentID, triggered []desk.TriggeredBy) (desk.AudiencePreview, error)
	Template(ctx context.Context, id string) (subject, body string, version int, err error)
	Policy(ctx context.Context) (desk.Policy, error)
	Progress(ctx context.Context, id desk.DispatchID) (desk.DispatchProgress, error)
}

// Orders is what this screen writes. Stop is the app's: it works on every screen.
type Orders interface {
	Propose(ctx context.Context, who desk.OperatorID, d desk.Draft) (desk.Dispatch, error)
	Approve(ctx context.Context, who desk.OperatorID, o desk.ApprovalOrder) (desk.Approval, error)
	Withdraw(ctx context.Context, who desk.OperatorID, id desk.DispatchID) error
}

// Store is both.
type Store interface {
	Reader
	Orders
}

// TemplateID is the template of a safety confirmation.
const TemplateID = "safety"

// Intents of this screen.
type (
	Send      struct{} // one key: propose if needed, approve, count down
	Propose   struct{} // two people: put it before the second operator
	Confirm   struct{} // second operator: type the head-count
	GiveUp    struct{} // withdraw a proposal
	ShowTally struct{}
	Again     struct{} // prepare anew after a withdrawal or an expiry
	Detail    struct{} // unfold the nationwide prefectures
)

// File is everything the screen knows, read together.
type File struct {
	Event    desk.EventFile
	Incident desk.IncidentFile
	Policy   desk.Policy
	Audience []desk.TriggeredBy
	Preview  desk.AudiencePreview
	Subject  string // without the stamp of the mode
	Body     string
	Progress *desk.DispatchProgress // nil while nothing is proposed
}

// Loaded is the file of a screen.
type Loaded struct {
	Want ui.Go
	File File
	At   time.Time
	Err  error
}

// Ordered is the answer to an order.
type Ordered struct {
	Want ui.Go
	ID   desk.DispatchID
	Told ui.Text
	Err  error
}

// Model is the dispatch screen of one event within an incident, or of one dispatch.
type Model struct {
	env    ui.Env
	store  Store
	want   ui.Go
	id     desk.DispatchID // the dispatch on the screen; 0 while preparing
	file   File
	asOf   time.Time
	size   ui.SizeMsg
	scroll ui.Scroll
	detail bool
	busy   bool
	prompt *ui.Prompt
}

// New makes the screen: for want.Dispatch when given, else for want.Incident and want.Event.
func New(env ui.Env, s Store, want ui.Go) Model {
	return Model{env: env, store: s, want: want, id: want.Dispatch, size: ui.SizeMsg{W: 80, H: 19}}
}

// Title names the screen.
func (m Model) Title() ui.Text { return words.title }

// Mode is the world of the dispatch, or of the event while there is none.
func (m Model) Mode() desk.Mode {
	switch {
	case m.file.Progress != nil:
		return m.file.Progress.Dispatch.Mode
	case m.file.Event.Item.Event.Mode != "":
		return m.file.Event.Item.Event.Mode
	}
	return m.env.Mode
}

// Prompt is the open question.
func (m Model) Prompt() *ui.Prompt { return m.prompt }

// Current is the dispatch on the screen, for the stop key; 0 for none.
func (m Model) Current() desk.DispatchID { return m.id }

// Keys are the keys valid now. A send is offered only for an event found genuine; how many people it takes is Reasons' to say.
func (m Model) Keys() []ui.Binding {
	var bs []ui.Binding
	add := func(key string, in ui.Intent, label ui.Text, confirms bool) {
		bs = append(bs, ui.Binding{Keys: []string{key}, Intent: in, Label: label, Confirms: confirms})
	}
	if !m.asOf.IsZero() && !m.busy {
		p := m.file.Progress
		switch {
		case p == nil && m.sendable() && len(m.Reasons()) == 0:
			add("s", Send{}, m.sendLabel(), true)
		case p == nil && m.sendable():
			add("p", Propose{}, words.propose, true)
		case p != nil && p.Dispatch.State == desk.Proposed:
			mine := m.mine(p.Dispatch)
			if mine && m.sendable() && len(m.Reasons()) == 0 {
				add("s", Send{}, m.sendLabel(), true)
			}
			if !mine && m.sendable() {
				add("c", Confirm{}, words.confirm, true)
			}
			add("w", GiveUp{}, words.giveUp, true)
		case p != nil && unsent(*p):
			add("r", Again{}, words.again, false)
		case p != nil && p.Dispatch.Approval != nil:
			add("t", ShowTally{}, words.tally, false)
		}
	}
	if m.preparing() && len(m.file.Audience) > 0 {
		add("v", Detail{}, words.detail, false)
	}
	return append(bs, ui.MoveBindings()...)
}

// preparing reports whether the screen shows what would be sent, and not what was.
func (m Model) preparing() bool {
	return m.file.Progress == nil || m.file.Progress.Dispatch.State == desk.Proposed
}

// unsent reports whether a dispatch ended before any mail of it was written.
func unsent(p desk.DispatchProgress) bool {
	return (p.Dispatch.State == desk.Withdrawn || p.Dispatch.State == desk.Expired) && p.Mails == 0
}

func (m Model) sendLabel() ui.Text {
	if m.Mode() == desk.Live {
		return words.sendLive
	}
	return words.sendDrill
}

// mine reports whether this operator proposed the dispatch: by number, because two people may share a display name.
func (m Model) mine(d desk.Dispatch) bool { return d.ProposerID == m.env.Operator.ID }

// sendable reports whether there is anybody to ask and a person has found the event genuine.
func (m Model) sendable() bool {
	people := m.file.Preview.People
	if p := m.file.Progress; p != nil {
		people = p.Dispatch.HeadCount
	}
	return people > 0 && m.genuine() && !m.closed()
}

// closed reports whether the incident was ended: nothing is proposed in it any more.
func (m Model) closed() bool { return !m.file.Incident.Incident.ClosedAt.IsZero() }

func (m Model) genuine() bool {
	v := m.file.Event.Item.Verification
	return v != nil && v.Finding == desk.Genuine
}

// Reasons says why two people are needed; empty means that one key sends (law 3).
func (m Model) Reasons() []ui.Text {
	var out []ui.Text
	if a := m.file.Event.Item.Advice; a == nil {
		out = append(out, words.whyNoAdvice)
	} else if a.Contradictions() > 0 {
		out = append(out, words.whyAgainst)
	}
	if !m.file.Policy.OnePersonMay {
		out = append(out, words.whyPolicy)
	}
	return out
}

// Update takes intents, Loaded messages and, while a prompt is open, keys.
func (m Model) Update(msg tea.Msg) (ui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case ui.SizeMsg:
		m.size = msg
	case Loaded:
		return m.loaded(msg)
	case Ordered:
		return m.ordered(msg)
	case ui.Move:
		f := ui.Frame{W: m.size.W, H: m.size.H, Now: m.env.Now(), Theme: ui.ThemeFor(m.Mode())}
		m.scroll = m.scroll.Move(msg, m.page(f).Len(), m.size.H)
	case Send:
		return m.send()
	case Again:
		if p := m.file.Progress; p != nil && unsent(*p) {
			return m, ui.Send(ui.Go{To: ui.Dispatch, Event: p.Dispatch.EventID, Incident: p.Dispatch.IncidentID, Replace: true})
		}
	case Detail:
		m.detail = !m.detail
	case Propose:
		return m.propose()
	case Confirm:
		ask := ui.Text{
			JA: m.Mode().Japanese() + "の送信です。表示の人数を数字で入力してください。",
			EN: "Type the number of people shown (" + string(m.Mode()) + ").",
		}
		m.prompt = ui.NewPrompt(ui.Digits, ask, 7, nil)
	case GiveUp:
		return m.giveUp()
	case ShowTally:
		return m, ui.Send(ui.Go{To: ui.Tally, Dispatch: m.id})
	case tea.KeyPressMsg, tea.PasteMsg:
		return m.typed(msg)
	}
	return m, nil
}

func (m Model) loaded(msg Loaded) (ui.Screen, tea.Cmd) {
	if msg.Want != m.want {
		return m, nil
	}
	if msg.Err != nil {
		return m, ui.Fail(msg.Err)
	}
	moved := !m.asOf.IsZero() && msg.File.undecided() && (m.advice() != adviceOf(msg.File) || m.file.Preview.People != msg.File.Preview.People)
	m.file, m.asOf = msg.File, msg.At
	if p := m.file.Progress; p != nil {
		m.id = p.Dispatch.ID
	}
	if moved {
		return m, ui.Send(ui.Moved{})
	}
	return m, nil
}

func (m Model) ordered(msg Ordered) (ui.Screen, tea.Cmd) {
	if msg.Want != m.want {
		return m, nil
	}
	m.busy = false
	if msg.ID > 0 {
		m.id = msg.ID
	}
	if msg.Err != nil {
		return m, tea.Batch(ui.Fail(msg.Err), ui.Send(ui.Changed{}))
	}
	return m, tea.Batch(ui.Tell(msg.Told), ui.Send(ui.Changed{}))
}

// typed feeds the head-count prompt. A wrong number never approves. // F3-1-k.3, field.md 5.2-2
func (m Model) typed(msg tea.Msg) (ui.Screen, tea.Cmd) {
	if m.prompt == nil {
		return m, nil
	}
	next, answer := m.prompt.Update(msg)
	m.prompt = next
	p := m.file.Progress
	if !answer.Done || p == nil {
		return m, nil
	}
	if answer.Text != strconv.Itoa(p.Dispatch.HeadCount) {
		return m, ui.Send(ui.Notice{Text: words.wrongNumber, Bad: true})
	}
	return m.approve(p.Dispatch, desk.TwoPeople)
}

// draft is what would be proposed now.
func (m Model) draft() desk.Draft {
	return desk.Draft{
		IncidentID: m.file.Incident.Incident.ID, EventID: m.file.Event.Item.Event.ID,
		Triggered: slices.Clone(m.file.Audience), TemplateID: TemplateID, Subject: m.file.Subject, Body: m.file.Body,
	}
}

// send proposes when nothing is proposed yet, and approves what it proposed only when the head-count is the one on the screen.
func (m Model) send() (ui.Screen, tea.Cmd) {
	if m.busy || !m.sendable() || len(m.Reasons()) > 0 {
		return m, nil
	}
	if p := m.file.Progress; p != nil {
		return m.approve(p.Dispatch, desk.OneKey)
	}
	m.busy = true
	draft, seen, advice := m.draft(), m.file.Preview.People, m.advice()
	return m, m.env.Run(func(ctx context.Context) tea.Msg {
		d, err := m.store.Propose(ctx, m.env.Operator.ID, draft)
		if err != nil {
			return Ordered{Want: m.want, Err: err}
		}
		if d.HeadCount == seen {
			_, err = m.store.Approve(ctx, m.env.Operator.ID, desk.ApprovalOrder{DispatchID: d.ID, HeadCount: seen, Method: desk.OneKey, AdviceID: advice})
		} else {
			err = desk.Errorf(desk.Stale, "dispatch.Send", "人数が %d 人から %d 人に変わりました。もう一度確かめてください。", seen, d.HeadCount)
		}
		if desk.KindOf(err) == desk.Stale { // the draft is about what was; the next key prepares a fresh one
			return Ordered{Want: m.want, Err: errors.Join(err, m.store.Withdraw(ctx, m.env.Operator.ID, d.ID))}
		}
		return Ordered{Want: m.want, ID: d.ID, Told: words.counting, Err: err}
	})
}

func (m Model) advice() desk.AdviceID { return adviceOf(m.file) }

func adviceOf(f File) desk.AdviceID {
	if a := f.Event.Item.Advice; a != nil {
		return a.ID
	}
	return 0
}

// undecided reports whether a person may still decide here.
func (f File) undecided() bool {
	return f.Progress == nil || f.Progress.Dispatch.State == desk.Proposed
}

func (m Model) propose() (ui.Screen, tea.Cmd) {
	if m.busy || !m.sendable() || m.file.Progress != nil {
		return m, nil
	}
	m.busy = true
	draft := m.draft()
	return m, m.env.Run(func(ctx context.Context) tea.Msg {
		d, err := m.store.Propose(ctx, m.env.Operator.ID, draft)
		return Ordered{Want: m.want, ID: d.ID, Told: words.proposed, Err: err}
	})
}

func (m Model) approve(d desk.Dispatch, method desk.ApproveMethod) (ui.Screen, tea.Cmd) {
	if m.busy {
		return m, nil
	}
	m.busy = true
	o := desk.ApprovalOrder{DispatchID: d.ID, HeadCount: d.HeadCount, Method: method, AdviceID: m.advice()}
	return m, m.env.Run(func(ctx context.Context) tea.Msg {
		_, err := m.store.Approve(ctx, m.env.Operator.ID, o)
		return Ordered{Want: m.want, ID: d.ID, Told: words.counting, Err: err}
	})
}

func (m Model) giveUp() (ui.Screen, tea.Cmd) {
	p := m.file.Progress
	if m.busy || p == nil || p.Dispatch.State != desk.Proposed {
		return m, nil
	}
	m.busy = true
	return m, m.env.Run(func(ctx context.Context) tea.Msg {
		err := m.store.Withdraw(ctx, m.env.Operator.ID, p.Dispatch.ID)
		return Ordered{Want: m.want, ID: p.Dispatch.ID, Told: words.gaveUp, Err: err}
	})
}
