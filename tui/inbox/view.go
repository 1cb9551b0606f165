package inbox

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

func (m Model) rows(h int) int { return max(1, h-2) } // heading and the line below

// View draws the list.
func (m Model) View(f ui.Frame) string {
	if f.W >= besideFrom {
		return m.beside(f)
	}
	p := m.page(f)
	return ui.Fresh(f, m.asOf, p.Window(f, 0, f.H))
}

// besideFrom is the width from which the selected event stands beside the list, so that one look answers what happened, whether it
// is believed and where it belongs (field.md 5.2-11).
const besideFrom = 180

func (m Model) beside(f ui.Frame) string {
	narrow := f
	narrow.W = f.W*3/5 - 1
	left, right := m.page(narrow), ui.NewPage(f.W-narrow.W-2)
	if it, ok := m.selected(); ok && !it.Unreadable {
		m.about(right, f, it)
	}
	p := ui.NewPage(f.W)
	p.Columns(left, right)
	return ui.Fresh(f, m.asOf, p.Window(f, 0, f.H))
}

// about is the selected event as the verify screen begins, read from what the list knows.
func (m Model) about(p *ui.Page, f ui.Frame, it desk.InboxItem) {
	f.Theme = f.World(modeOf(it, m.env.Mode))
	p.Rule(f.Theme, f.Lang.T(words.about))
	p.Para(f.Theme.Strong, "", ui.ShortTitle(it.Event))
	style := f.Theme.Strong
	if NeedsJudgement(it) {
		style = f.Theme.Watch
	}
	p.Line(style, f.Lang.F(words.judged, said(f, it)))
	if it.Advice == nil {
		return
	}
	text, bad := f.Lang.Verdict(it.Advice)
	style = f.Theme.Base
	if bad {
		style = f.Theme.Alarm
	}
	p.Line(style, text)
	p.Evidence(f, it.Advice, false)
	p.Places(f, it.Event)
	if it.Advice.Merge != nil && it.IncidentID == 0 {
		p.Rule(f.Theme, f.Lang.T(words.merge))
		p.Para(f.Theme.Base, "", it.Advice.Merge.Text)
	}
}

// page is the list with its heading and its foot.
func (m Model) page(f ui.Frame) *ui.Page {
	p := ui.NewPage(f.W)
	p.Line(f.Theme.Dim, "  "+columns(f, heading(f)))
	rows := m.rows(f.H)
	sel, _ := m.list.Selected()
	for _, k := range m.list.Visible(rows) {
		m.row(p, f, m.items[k], k == sel)
	}
	if m.list.Len() == 0 {
		p.Line(f.Theme.Dim, "  "+f.Lang.T(words.empty))
	}
	for p.Len() < f.H-1 {
		p.Blank()
	}
	foot := f.Lang.F(words.count, m.list.Len())
	style := f.Theme.Dim
	if n := m.list.New(); n > 0 {
		foot += "   " + f.Lang.F(words.newItems, n)
		style = f.Theme.Watch
	}
	p.Line(style, ui.Right(foot, f.W))
	return p
}

// cellsOf is one row as texts; wide ones are drawn only when there is room.
type cellsOf struct {
	mode, grade, at, intensity, finding, title, hint string
	wide                                             []string
}

func heading(f ui.Frame) cellsOf {
	t := f.Lang.T
	return cellsOf{
		t(words.mode), t(words.grade), t(words.at), t(words.intensity), t(words.finding), t(words.what), t(words.hint),
		[]string{t(words.telegrams), t(words.triggered), t(words.updated)},
	}
}

const wideFrom = 110

// columns is one row. The title gives way last: an empty hint lends it its room, and a title that still does not fit leaves out the
// intensity, which has a column of its own.
func columns(f ui.Frame, c cellsOf) string {
	room := f.W - 2 - 5 - 5 - 12 - 5 - 7
	out := ui.Fit(c.mode, 5) + ui.Fit(c.grade, 5) + ui.Right(c.at, 11) + " " + ui.Right(c.intensity, 4) + " " + ui.Fit(c.finding, 7)
	tail := ""
	if f.W >= wideFrom {
		for i, w := range []int{6, 13, 12} {
			tail += " " + ui.Fit(c.wide[i], w-1)
		}
		room -= ui.Width(tail)
	}
	if c.hint != "" || f.W >= wideFrom {
		tail = " " + ui.Fit(c.hint, 12) + tail
		room -= 13
	}
	if ui.Width(c.title) > room {
		c.title = strings.Replace(c.title, " 震度"+c.intensity, "", 1)
	}
	return out + ui.Fit(c.title, room) + tail
}

func (m Model) row(p *ui.Page, f ui.Frame, it desk.InboxItem, selected bool) {
	mark, body := "  ", columns(f, textOf(f, it))
	theme := f.World(modeOf(it, m.env.Mode))
	gradeAt := 5
	if selected { // the selection never hides that the row is an alarm nobody has judged
		head, rest := cut(body, gradeAt)
		word, rest := cut(rest, 4)
		style := f.Theme.Select
		if NeedsJudgement(it) {
			style = theme.Alarm
		}
		p.Spans(ui.Span{Style: f.Theme.Select, Text: "> " + head}, ui.Span{Style: style, Text: word}, ui.Span{Style: f.Theme.Select, Text: rest})
		return
	}
	spans := []ui.Span{{Style: theme.Base, Text: mark}}
	style := rowStyle(theme, it)
	grade := theme.Grade(gradeOf(it))
	if !ui.Urgent(it) {
		grade = theme.Dim
	}
	head, rest := cut(body, gradeAt)
	word, rest := cut(rest, 4)
	spans = append(spans, ui.Span{Style: theme.Dim, Text: head}, ui.Span{Style: grade, Text: word}, ui.Span{Style: style, Text: rest})
	p.Spans(spans...)
}

// cut splits after exactly w cells; columns are filled to their width, so that the cut never falls into a wide character.
func cut(s string, w int) (head, rest string) {
	head = strings.TrimSuffix(ui.Fit(s, w), "..")
	return head, strings.TrimPrefix(s, head)
}

func rowStyle(t ui.Theme, it desk.InboxItem) lipgloss.Style {
	switch {
	case NeedsJudgement(it):
		return t.Strong
	case it.Verification != nil, it.Event.Status == desk.EventRetracted:
		return t.Dim
	}
	return t.Base
}

func modeOf(it desk.InboxItem, fallback desk.Mode) desk.Mode {
	if it.Unreadable || it.Event.Mode == "" {
		return fallback
	}
	return it.Event.Mode
}

func gradeOf(it desk.InboxItem) desk.Grade {
	if it.Advice == nil {
		return 0
	}
	return it.Advice.Grade
}

func textOf(f ui.Frame, it desk.InboxItem) cellsOf {
	t := f.Lang.T
	if it.Unreadable {
		return cellsOf{
			"----", t(words.unread), "", "", t(words.cannotRead), it.Event.Headline, fmt.Sprintf("#%d", it.TelegramID),
			[]string{"", "", ui.When(it.Event.UpdatedAt, f.Now)},
		}
	}
	ev := it.Event
	c := cellsOf{
		mode: f.Lang.ModeMark(ev.Mode), grade: f.Lang.GradeMark(gradeOf(it)), at: at(f, it),
		intensity: "--", finding: said(f, it), title: ui.ShortTitle(ev), hint: hint(f, it),
	}
	if ev.MaxIntensity != desk.IntensityUnknown {
		c.intensity = ev.MaxIntensity.Japanese()
	}
	if ev.Status == desk.EventRetracted {
		c.title = t(words.retracted) + c.title
	}
	triggered := ""
	if it.Advice != nil && len(it.Advice.Triggered) > 0 {
		triggered = f.Lang.F(words.prefectures, len(it.Advice.Triggered))
	}
	c.wide = []string{f.Lang.F(words.pieces, ev.Telegrams), triggered, at(f, desk.InboxItem{Event: desk.Event{OccurredAt: ev.UpdatedAt}})}
	return c
}

// at is the time of the shaking in 11 cells: today without the date.
func at(f ui.Frame, it desk.InboxItem) string {
	o := it.Event.OccurredAt
	if o.IsZero() {
		return "--:--"
	}
	if o, now := o.In(desk.JST), f.Now.In(desk.JST); o.Year() == now.Year() && o.YearDay() == now.YearDay() {
		return o.Format("15:04")
	}
	return o.In(desk.JST).Format("01-02 15:04")
}

// said is the finding; what needs none (grade 3) is not called unjudged.
func said(f ui.Frame, it desk.InboxItem) string {
	switch {
	case it.Verification != nil:
		return f.Lang.Finding(it.Verification.Finding)
	case gradeOf(it) == desk.GradeInfo:
		return "-"
	}
	return f.Lang.Finding("")
}

// partlyCancelled reports whether a telegram of the event was withdrawn: the alarm it raised is gone from the list, the reason must not be.
func partlyCancelled(a *desk.Advice) bool {
	return slices.ContainsFunc(a.Checks, func(c desk.Check) bool { return c.Code == desk.CheckPhase && c.Result != desk.Passed })
}

// hint is the one thing to know before opening: contradictions first, then where it belongs.
func hint(f ui.Frame, it desk.InboxItem) string {
	switch {
	case it.IncidentID > 0:
		return f.Lang.F(words.inIncident, it.IncidentID)
	case it.Advice == nil:
		return ""
	case it.Verification == nil && it.Advice.Contradictions() > 0:
		return f.Lang.F(words.contradicts, it.Advice.Contradictions())
	case it.Verification == nil && partlyCancelled(it.Advice):
		return f.Lang.T(words.cancelled)
	case it.Advice.Merge != nil && it.Advice.Merge.Join:
		return f.Lang.F(words.joinAsk, it.Advice.Merge.IncidentID)
	case it.Advice.Merge != nil:
		return f.Lang.F(words.apartAsk, it.Advice.Merge.IncidentID)
	}
	return ""
}
