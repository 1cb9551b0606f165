package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"yagura/store/desk"
	"yagura/tui/inbox"
	"yagura/tui/ui"
)

// Smallest window in which nothing that matters is cut.
const (
	MinW = 80
	MinH = 24
)

const chrome = 5 // three header lines, status line, footer

func (m Model) bodyHeight() int { return max(1, m.size.H-chrome) }

// QuietStep is the step of the clocks while nothing is being sent. Each changed second would repaint every line that holds a wide
// character: 3.4 kB a second at 80x24, which a 64 kbit/s line feels (limits.md §7).
const QuietStep = 5 * time.Second

func (m Model) frame() ui.Frame {
	now := m.now()
	if m.stoppable() == nil {
		now = now.Truncate(QuietStep)
		if now.Before(m.drawn) && m.drawn.Sub(now) < QuietStep {
			now = m.drawn
		}
	}
	f := ui.Frame{W: m.size.W, H: m.bodyHeight(), Now: now, Lang: m.lang, Plain: m.plain}
	f.Theme = f.World(m.top().Mode())
	return f
}

// View draws the desk: header, the screen, status and footer. It is the only place that knows tea.View.
func (m Model) View() tea.View {
	content, x, y := m.Render()
	v := tea.NewView(content)
	v.AltScreen = true
	v.WindowTitle = "Yagura " + string(m.opt.Mode)
	if x >= 0 {
		v.Cursor = tea.NewCursor(x, y)
	}
	return v
}

// Render gives the screen as text and the place of the cursor, -1 for none. Pure.
func (m Model) Render() (content string, cursorX, cursorY int) {
	f := m.frame()
	if m.size.W < MinW || m.size.H < MinH {
		return m.tooSmall(f), -1, -1
	}
	lines := m.header(f)
	if m.help {
		lines = append(lines, m.helpPage(f))
	} else {
		lines = append(lines, m.top().View(f))
	}
	if p := m.prompt(); p != nil {
		ask, input, x := p.Lines(f, f.W)
		return strings.Join(append(lines, ask, input), "\n"), x, m.size.H - 1
	}
	told, style := m.notice.Text, f.Theme.Base
	switch {
	case m.locked(m.opt.Now()):
		told, style = words.locked, f.Theme.Watch
	case m.notice.Bad:
		style = f.Theme.Watch
	}
	lines = append(lines, style.Render(ui.Fit(f.Lang.T(told), f.W)), f.Theme.Header.Render(ui.Fit(ui.Footer(f.Lang, m.bindings(), f.W), f.W)))
	return strings.Join(lines, "\n"), -1, -1
}

func (m Model) tooSmall(f ui.Frame) string {
	p := ui.NewPage(m.size.W)
	p.Para(f.Theme.Strong, "", f.Lang.F(words.tooSmall, m.size.W, m.size.H))
	return p.Window(f, 0, m.size.H)
}

// header is three lines; each begins with the word of the world it belongs to (law 4).
func (m Model) header(f ui.Frame) []string {
	mark := f.Lang.ModeMark(f.Theme.Mode) + " "
	line := func(style lipgloss.Style, left, right string) string {
		right = ui.Cut(right, f.W/2)
		return style.Render(mark + ui.Fit(left, f.W-5-ui.Width(right)-1) + " " + right)
	}
	third, style := m.banner(f)
	alarms, others := m.alarms()
	count := f.Lang.F(words.unjudged, len(alarms), others)
	now := f.Now.In(desk.JST).Format("2006-01-02 15:04:05 JST")
	first := line(f.Theme.Header, now+"  "+f.Lang.F(words.duty, m.duty(f)), count)
	if len(alarms) > 0 {
		w := f.W - ui.Width(count)
		first = f.Theme.Header.Render(mark+ui.Fit(now+"  "+f.Lang.F(words.duty, m.duty(f)), w-6)+" ") + f.Theme.Alarm.Render(count)
	}
	return []string{first, m.feedLine(f, mark), line(style, third, m.beside(f))}
}

func (m Model) duty(f ui.Frame) string {
	seen := map[string]bool{}
	var names []string
	for _, p := range m.status.health.Operators {
		if !seen[p.Operator] {
			seen[p.Operator] = true
			names = append(names, p.Operator)
		}
	}
	if len(names) == 0 {
		return f.Lang.T(words.nobody)
	}
	return strings.Join(names, "、")
}

// EngineAlive is how old the heartbeat of an engine may be.
const EngineAlive = 10 * time.Second

func (m Model) engines() int {
	n := 0
	for _, e := range m.status.health.Engines {
		if m.status.health.AsOf.Sub(e.At) < EngineAlive {
			n++
		}
	}
	return n
}

// banner is the third line: what must not be missed, else the name of the screen.
func (m Model) banner(f ui.Frame) (string, lipgloss.Style) {
	switch d := m.countdown(); {
	case d != nil:
		text := ui.CountDown(f, d.Approval.NotBefore, d.Approval.NotBefore.Sub(d.Approval.At), 24)
		return fmt.Sprintf("%s x:%s %s #%d %s", text, f.Lang.T(words.stop), d.Mode.Japanese(), d.ID, d.Subject), f.Theme.Count
	case m.status.failing:
		return f.Lang.T(words.failing), f.Theme.Alarm
	case m.status.lost:
		return f.Lang.T(words.lost), f.Theme.Watch
	}
	if text := m.waiting(f); text != "" {
		return text, f.Theme.Count
	}
	return "[" + f.Lang.T(m.top().Title()) + "]", f.Theme.Header
}

// waiting names a proposal that waits for a second person, at every desk.
func (m Model) waiting(f ui.Frame) string {
	for _, p := range m.status.active {
		if d := p.Dispatch; d.State == desk.Proposed {
			return f.Lang.F(words.proposed, d.ID, ui.Count(d.HeadCount), d.ProposedBy)
		}
	}
	return ""
}

func (m Model) beside(f ui.Frame) string {
	if m.status.failing || m.status.lost {
		return ""
	}
	if h, ok := m.home.(inbox.Model); ok && h.Drills() > 0 && len(m.stack) == 0 && m.countdown() == nil {
		return f.Lang.F(words.drills, h.Drills())
	}
	if m.opt.Operator.Display != "" && m.countdown() == nil {
		return m.opt.Operator.Display
	}
	return ""
}

func (m Model) helpPage(f ui.Frame) string {
	p := ui.NewPage(f.W)
	p.Rule(f.Theme, f.Lang.T(words.helpTitle))
	for _, b := range m.bindings() {
		names := make([]string, len(b.Keys))
		for i, k := range b.Keys {
			names[i] = ui.KeyName(k)
		}
		p.Line(f.Theme.Base, "  "+ui.Fit(strings.Join(names, " / "), 16)+f.Lang.T(b.Label))
	}
	p.Blank()
	p.Line(f.Theme.Dim, "  "+f.Lang.T(words.helpClose))
	return p.Window(f, 0, f.H)
}
