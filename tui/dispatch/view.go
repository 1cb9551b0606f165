package dispatch

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// View draws the preparation or the progress.
func (m Model) View(f ui.Frame) string {
	return ui.Fresh(f, m.asOf, m.page(f).Window(f, int(m.scroll), f.H))
}

const twoColumnsFrom = 140

func (m Model) page(f ui.Frame) *ui.Page {
	p := ui.NewPage(f.W)
	p.Spans(ui.Span{Style: f.Theme.Dim, Text: f.Lang.F(words.incident, m.file.Incident.Incident.ID) + " "},
		ui.Span{Style: f.Theme.Strong, Text: ui.Narrow(m.file.Incident.Incident.Title)}, ui.Span{Style: f.Theme.Dim, Text: m.otherTitle(f)})
	if pr := m.file.Progress; pr != nil && pr.Dispatch.State != desk.Proposed {
		m.progress(p, f, *pr)
		return p
	}
	m.count(p, f)
	m.policy(p, f)
	if m.file.Progress == nil && len(m.file.Audience) == 0 {
		p.Line(f.Theme.Base, f.Lang.T(words.whatNow))
		m.earlier(p, f)
		return p
	}
	if f.W < twoColumnsFrom {
		m.prefectures(p, f)
		m.letter(p, f)
		m.unreached(p, f)
		m.earlier(p, f)
		return p
	}
	left, right := ui.NewPage((f.W-2)/2), ui.NewPage(f.W-2-(f.W-2)/2)
	m.prefectures(left, f)
	m.unreached(left, f)
	m.letter(right, f)
	m.earlier(right, f)
	p.Columns(left, right)
	return p
}

// otherTitle names the event where it is not the one the incident is called after.
func (m Model) otherTitle(f ui.Frame) string {
	event := m.file.Event.Item.Event
	if ui.TitleOf(event) == m.file.Incident.Incident.Title {
		return ""
	}
	return "  " + f.Lang.T(words.event) + " " + ui.ShortTitle(event)
}

// count is the line that must be read before the key is pressed.
func (m Model) count(p *ui.Page, f ui.Frame) {
	a := m.file.Preview
	people, addresses, unreached := a.People, a.Addresses, a.Unreached
	if pr := m.file.Progress; pr != nil {
		people, addresses, unreached = pr.Dispatch.HeadCount, pr.Dispatch.Addresses, pr.Dispatch.Unreached
	}
	if people == 0 {
		p.Line(f.Theme.Watch, f.Lang.T(words.nobody))
		return
	}
	p.Spans(ui.Span{Style: f.Theme.Strong, Text: f.Lang.F(words.people, ui.Count(people))},
		ui.Span{Style: f.Theme.Base, Text: "  " + f.Lang.F(words.addresses, ui.Count(addresses)) + "  "},
		ui.Span{Style: f.Theme.Watch, Text: f.Lang.F(words.unreached, ui.Count(unreached))},
		ui.Span{Style: f.Theme.Dim, Text: "  " + f.Lang.F(words.uncovered, ui.Count(a.Uncovered))})
}

// policy says who may decide, and why two people are needed when they are (field.md 5.2-8).
func (m Model) policy(p *ui.Page, f ui.Frame) {
	v := m.file.Event.Item.Verification
	if !m.genuine() {
		p.Para(f.Theme.Alarm, "", f.Lang.T(words.notGenuine))
		return
	}
	if m.closed() {
		p.Para(f.Theme.Watch, "", f.Lang.F(words.ended, ui.When(m.file.Incident.Incident.ClosedAt, f.Now)))
		return
	}
	if pr := m.file.Progress; pr != nil {
		p.Para(f.Theme.Watch, "", f.Lang.F(words.waiting, pr.Dispatch.ProposedBy, ui.Clock(pr.Dispatch.ProposedAt), f.Lang.Elapsed(f.Now.Sub(pr.Dispatch.ProposedAt))))
		if m.mine(pr.Dispatch) && len(m.Reasons()) > 0 {
			p.Para(f.Theme.Base, "", f.Lang.T(words.ownProposal))
		}
	}
	if !m.sendable() {
		return
	}
	reasons := m.Reasons()
	if len(reasons) == 0 {
		p.Para(f.Theme.Base, "", f.Lang.F(words.onePerson, v.Operator, int(m.file.Policy.CountDown/time.Second)))
		return
	}
	parts := make([]string, len(reasons))
	for i, r := range reasons {
		parts[i] = f.Lang.T(r)
	}
	p.Para(f.Theme.Watch, "", f.Lang.F(words.twoPeople, strings.Join(parts, " ")))
}

// prefectures is the head-count by prefecture, grouped by reason, as many as fit on a row.
func (m Model) prefectures(p *ui.Page, f ui.Frame) {
	if len(m.file.Preview.ByPrefecture) == 0 {
		return
	}
	p.Rule(f.Theme, f.Lang.T(words.byPrefecture))
	for _, reason := range []desk.TriggerReason{desk.ReasonRaised, desk.ReasonMissile, desk.ReasonIntensity, desk.ReasonNationwide} {
		var items []desk.PrefectureCount
		for _, c := range m.file.Preview.ByPrefecture {
			if c.Reason == reason {
				items = append(items, c)
			}
		}
		if len(items) == 0 {
			continue
		}
		slices.SortStableFunc(items, func(a, b desk.PrefectureCount) int { return int(b.Intensity) - int(a.Intensity) })
		people := 0
		for _, c := range items {
			people += c.People
		}
		head := f.Lang.Reason(reason) + f.Lang.F(words.howMany, len(items), ui.Count(people))
		if reason == desk.ReasonNationwide && !m.detail && f.W < twoColumnsFrom { // 41 rows of figures would push the text off the screen
			p.Spans(ui.Span{Style: f.Theme.Strong, Text: head}, ui.Span{Style: f.Theme.Dim, Text: f.Lang.T(words.unfold)})
			continue
		}
		p.Line(f.Theme.Strong, head)
		m.grid(p, f, items)
	}
}

func (m Model) grid(p *ui.Page, f ui.Frame, items []desk.PrefectureCount) {
	const cell = 26
	across := max(1, p.W/cell)
	for row := range slices.Chunk(items, across) {
		line := ""
		for _, c := range row {
			level := ""
			if c.Intensity != desk.IntensityUnknown {
				level = c.Intensity.Japanese()
			}
			line += " " + ui.Fit(c.Prefecture.Name(), 8) + " " + ui.Fit(level, 4) + " " + ui.Right(f.Lang.F(words.persons, ui.Count(c.People)), 8) + strings.Repeat(" ", cell-23)
		}
		p.Line(f.Theme.Base, line)
	}
}

// letter is the text as the staff will read it, with the stamp that compose will put on.
func (m Model) letter(p *ui.Page, f ui.Frame) {
	p.Rule(f.Theme, f.Lang.T(words.letter))
	p.Para(f.Theme.Strong, f.Lang.T(words.subject)+" ", f.Theme.Subject+m.file.Subject)
	p.Para(f.Theme.Base, "  ", strings.TrimRight(m.file.Body, "\n"))
	p.Line(f.Theme.Dim, "  "+f.Lang.T(words.link))
}

func (m Model) unreached(p *ui.Page, f ui.Frame) {
	a := m.file.Preview
	if a.Unreached == 0 {
		return
	}
	p.Rule(f.Theme, f.Lang.F(words.unreachedList, ui.Count(a.Unreached)))
	parts := make([]string, len(a.UnreachedList))
	for i, l := range a.UnreachedList {
		parts[i] = fmt.Sprintf("%s（%s %s）", l.Name, l.Unit, l.Code)
	}
	text := strings.Join(parts, "、")
	if more := a.Unreached - len(parts); more > 0 {
		text += f.Lang.F(words.andMore, more)
	}
	p.Para(f.Theme.Base, "  ", text)
}

func (m Model) earlier(p *ui.Page, f ui.Frame) {
	if len(m.file.Incident.Dispatches) == 0 {
		return
	}
	p.Rule(f.Theme, f.Lang.T(words.earlier))
	for _, d := range m.file.Incident.Dispatches {
		p.Line(f.Theme.Base, line(f, d))
	}
}

// line is one dispatch in a list, without its mode mark.
func line(f ui.Frame, pr desk.DispatchProgress) string {
	d := pr.Dispatch
	return fmt.Sprintf("#%-3d %s %s %s %s", d.ID, ui.Fit(f.Lang.State(d.State), 8), ui.Fit(ui.When(d.ProposedAt, f.Now), 11),
		ui.Right(f.Lang.F(words.persons, ui.Count(d.HeadCount)), 9), d.Subject)
}
