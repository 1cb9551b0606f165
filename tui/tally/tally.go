// Package tally is the screen of answers: a sum that adds up, by answer, by prefecture and by unit.
package tally

import (
	"context"
	"slices"
	"time"

	"charm.land/lipgloss/v2"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// Reader is what this screen reads.
type Reader interface {
	Tally(ctx context.Context, id desk.DispatchID) (desk.Tally, error)
	Progress(ctx context.Context, id desk.DispatchID) (desk.DispatchProgress, error)
	ActiveDispatches(ctx context.Context) ([]desk.DispatchProgress, error)
}

// ByUnit is the intent to switch the breakdown between prefectures and units.
type ByUnit struct{}

// Loaded is the tally of a dispatch. None means that nothing has been counted yet.
type Loaded struct {
	Want  desk.DispatchID
	ID    desk.DispatchID
	Tally desk.Tally
	About desk.DispatchProgress
	None  bool
	At    time.Time
	Err   error
}

// Model is the tally screen of one dispatch; 0 means the latest one.
type Model struct {
	env    ui.Env
	read   Reader
	want   desk.DispatchID
	about  desk.DispatchProgress
	tally  desk.Tally
	none   bool
	asOf   time.Time
	size   ui.SizeMsg
	scroll ui.Scroll
	units  bool
}

// New makes the screen.
func New(env ui.Env, r Reader, id desk.DispatchID) Model {
	return Model{env: env, read: r, want: id, size: ui.SizeMsg{W: 80, H: 19}}
}

// Title names the screen.
func (m Model) Title() ui.Text { return words.title }

// Mode is the world of the dispatch.
func (m Model) Mode() desk.Mode {
	if mode := m.about.Dispatch.Mode; mode != "" {
		return mode
	}
	return m.env.Mode
}

// Prompt is always nil.
func (m Model) Prompt() *ui.Prompt { return nil }

// Current is the dispatch on the screen, for the stop key.
func (m Model) Current() desk.DispatchID { return m.about.Dispatch.ID }

// Reload reads the tally last published.
func (m Model) Reload() tea.Cmd {
	want := m.want
	return m.env.Run(func(ctx context.Context) tea.Msg {
		l := Loaded{Want: want, ID: want}
		if l.ID == 0 {
			active, err := m.read.ActiveDispatches(ctx)
			if err != nil {
				l.Err = err
				return l
			}
			for _, p := range active {
				if p.Dispatch.Approval != nil {
					l.ID = max(l.ID, p.Dispatch.ID)
				}
			}
		}
		l.At = m.env.Now()
		if l.ID == 0 {
			l.None = true
			return l
		}
		if l.About, l.Err = m.read.Progress(ctx, l.ID); l.Err != nil {
			return l
		}
		l.Tally, l.Err = m.read.Tally(ctx, l.ID)
		if desk.KindOf(l.Err) == desk.NotFound {
			l.None, l.Err = true, nil
		}
		return l
	})
}

// Keys are the keys valid now.
func (m Model) Keys() []ui.Binding {
	label := words.byUnit
	if m.units {
		label = words.byPrefecture
	}
	return append([]ui.Binding{{Keys: []string{"u"}, Intent: ByUnit{}, Label: label}}, ui.MoveBindings()...)
}

// Update takes intents and Loaded messages.
func (m Model) Update(msg tea.Msg) (ui.Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case ui.SizeMsg:
		m.size = msg
	case Loaded:
		if msg.Want != m.want {
			return m, nil
		}
		if msg.Err != nil {
			return m, ui.Fail(msg.Err)
		}
		m.about, m.tally, m.none, m.asOf = msg.About, msg.Tally, msg.None, msg.At
	case ByUnit:
		m.units, m.scroll = !m.units, 0
	case ui.Move:
		f := ui.Frame{W: m.size.W, H: m.size.H, Now: m.env.Now(), Theme: ui.ThemeFor(m.Mode())}
		m.scroll = m.scroll.Move(msg, m.page(f).Len(), m.size.H)
	}
	return m, nil
}

// View draws the tally.
func (m Model) View(f ui.Frame) string {
	return ui.Fresh(f, m.asOf, m.page(f).Window(f, int(m.scroll), f.H))
}

const twoColumnsFrom = 140

func (m Model) page(f ui.Frame) *ui.Page {
	p := ui.NewPage(f.W)
	d := m.about.Dispatch
	if d.ID > 0 {
		p.Spans(ui.Span{Style: f.Theme.Dim, Text: f.Lang.F(words.dispatch, d.ID) + " "}, ui.Span{Style: f.Theme.Strong, Text: f.Theme.Subject + d.Subject},
			ui.Span{Style: f.Theme.Dim, Text: "  " + f.Lang.State(d.State)})
	}
	if m.none {
		p.Line(f.Theme.Base, f.Lang.T(words.none))
		return p
	}
	m.sum(p, f)
	if f.W < twoColumnsFrom {
		title, lines := words.byPrefecture, m.tally.ByPrefecture
		if m.units {
			title, lines = words.byUnit, m.tally.ByGroup
		}
		breakdown(p, f, title, lines)
		return p
	}
	left, right := ui.NewPage((f.W-2)/2), ui.NewPage(f.W-2-(f.W-2)/2)
	breakdown(left, f, words.byPrefecture, m.tally.ByPrefecture)
	breakdown(right, f, words.byUnit, m.tally.ByGroup)
	p.Columns(left, right)
	return p
}

// sum puts the people who need help first, then the equation that must hold at every instant (F3-1-j).
func (m Model) sum(p *ui.Page, f ui.Frame) {
	t := m.tally
	n := ui.Count
	help := t.Safety[desk.SafetyInjured] + t.Safety[desk.SafetySerious]
	style := f.Theme.Strong
	if help > 0 {
		style = f.Theme.Alarm
	}
	p.Spans(ui.Span{Style: style, Text: f.Lang.F(words.help, n(help))},
		ui.Span{Style: f.Theme.Base, Text: f.Lang.F(words.safety, n(t.Safety[desk.SafetyInjured]), n(t.Safety[desk.SafetySerious]), n(t.Safety[desk.SafetyWell]))})
	p.Line(f.Theme.Strong, f.Lang.F(words.sum, n(t.Answered), n(t.Unanswered), n(t.Undeliverable), n(t.Withdrawn), n(t.Sent)))
	if err := t.Check(); err != nil {
		p.Line(f.Theme.Alarm, f.Lang.T(words.wrong))
	}
	p.Line(f.Theme.Base, f.Lang.F(words.rate, ui.Percent(t.Answered, t.Sent), ui.Bar(t.Answered, t.Sent, max(10, p.W-40)), ui.Clock(t.AsOf)))
	p.Line(f.Theme.Base, f.Lang.F(words.attend, n(t.Attendance[desk.AttendNow]), n(t.Attendance[desk.AttendLater]), n(t.Attendance[desk.AttendCannot])))
}

// breakdown is one line a prefecture or unit, the most people needing help on top, then the most unanswered.
func breakdown(p *ui.Page, f ui.Frame, title ui.Text, lines []desk.TallyLine) {
	p.Rule(f.Theme, f.Lang.T(title))
	lines = slices.Clone(lines)
	slices.SortStableFunc(lines, func(a, b desk.TallyLine) int {
		if a.NeedHelp != b.NeedHelp {
			return b.NeedHelp - a.NeedHelp
		}
		return b.Unanswered - a.Unanswered
	})
	name := min(24, max(10, p.W-62))
	row := func(style lipgloss.Style, label, sent, answered, open, lost, help, bar string) {
		p.Line(style, ui.Fit(label, name)+ui.Right(sent, 8)+ui.Right(answered, 8)+ui.Right(open, 8)+ui.Right(lost, 8)+ui.Right(help, 8)+"  "+bar)
	}
	t := f.Lang.T
	row(f.Theme.Dim, "", t(words.sent), t(words.answered), t(words.open), t(words.lost), t(words.needHelp), "")
	w := max(4, min(40, p.W-name-44))
	for _, l := range lines {
		style := f.Theme.Base
		if l.NeedHelp > 0 {
			style = f.Theme.Watch
		}
		row(style, l.Name, ui.Count(l.Sent), ui.Count(l.Answered), ui.Count(l.Unanswered), ui.Count(l.Undeliverable), ui.Count(l.NeedHelp),
			ui.Bar(l.Answered, l.Sent, w-5)+ui.Right(ui.Count(ui.Percent(l.Answered, l.Sent)), 4)+"%")
	}
}
