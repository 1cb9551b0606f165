package verify

import (
	"fmt"
	"slices"
	"time"

	"charm.land/lipgloss/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// View draws the evidence.
func (m Model) View(f ui.Frame) string {
	return ui.Fresh(f, m.asOf, m.page(f).Window(f, int(m.scroll), f.H))
}

const twoColumnsFrom = 140

func (m Model) page(f ui.Frame) *ui.Page {
	p := ui.NewPage(f.W)
	m.head(p, f)
	if f.W < twoColumnsFrom {
		m.evidence(p, f)
		p.Places(f, m.file.Item.Event)
		m.telegrams(p, f)
		m.findings(p, f)
		return p
	}
	left, right := ui.NewPage((f.W-2)/2), ui.NewPage(f.W-2-(f.W-2)/2)
	m.evidence(left, f)
	m.findings(left, f)
	right.Places(f, m.file.Item.Event)
	m.telegrams(right, f)
	p.Columns(left, right)
	return p
}

// head answers in three lines: what happened, when and since when it is known here, and is it believed.
func (m Model) head(p *ui.Page, f ui.Frame) {
	it := m.file.Item
	grade := desk.Grade(0)
	if it.Advice != nil {
		grade = it.Advice.Grade
	}
	p.Spans(
		ui.Span{Style: f.Theme.Grade(grade), Text: f.Lang.GradeMark(grade)},
		ui.Span{Style: f.Theme.Strong, Text: " " + ui.ShortTitle(it.Event)},
	)
	here := arrived(it.Event)
	p.Line(f.Theme.Base, f.Lang.F(words.occurred, ui.When(it.Event.OccurredAt, f.Now), ui.Clock(here), f.Lang.Elapsed(f.Now.Sub(here)), len(m.file.Telegrams)))
	if it.Event.Status == desk.EventRetracted {
		p.Line(f.Theme.Alarm, f.Lang.T(words.retracted))
	}
	verdict, style := m.verdict(f)
	p.Spans(ui.Span{Style: style, Text: verdict}, ui.Span{Style: f.Theme.Strong, Text: "   " + m.said(f)})
}

// arrived is when this desk first had the event: by the database's clock, because a replayed telegram keeps its recorded times.
func arrived(e desk.Event) time.Time {
	if !e.StoredAt.IsZero() {
		return e.StoredAt
	}
	return e.FirstSeenAt
}

// verdict is the sentence a tired person needs.
func (m Model) verdict(f ui.Frame) (string, lipgloss.Style) {
	a := m.file.Item.Advice
	if a == nil {
		return f.Lang.T(words.noAdvice), f.Theme.Watch
	}
	text, bad := f.Lang.Verdict(a)
	if bad {
		return text, f.Theme.Alarm
	}
	return text, f.Theme.Base
}

func (m Model) said(f ui.Frame) string {
	v := m.file.Item.Verification
	if v == nil {
		return f.Lang.T(words.nobody)
	}
	return f.Lang.F(words.saidBy, f.Lang.Finding(v.Finding), v.Operator, ui.When(v.At, f.Now))
}

// evidence lists the checks; where there is room, with their figures.
func (m Model) evidence(p *ui.Page, f ui.Frame) {
	p.Rule(f.Theme, f.Lang.T(words.evidence))
	if a := m.file.Item.Advice; a != nil {
		p.Evidence(f, a, m.detail || p.W < f.W)
	}
}

// telegrams lists what came and what each of them said, the newest on top. A replayed one says so, so that nobody takes it for now.
func (m Model) telegrams(p *ui.Page, f ui.Frame) {
	p.Rule(f.Theme, f.Lang.F(words.telegrams, len(m.file.Telegrams)))
	for _, t := range slices.Backward(m.file.Telegrams) {
		serial := ""
		if t.Serial != "" {
			serial = f.Lang.F(words.serial, t.Serial)
		}
		origin := t.Feed
		if t.Feed == "replay" {
			origin = f.Lang.T(words.replayed)
		}
		style, gone := f.Theme.Base, t.Phase == desk.Cancelled || t.Phase == desk.Corrected
		if gone {
			style = f.Theme.Watch
		}
		p.Spans(ui.Span{Style: style, Text: fmt.Sprintf("%s %s %s %s ", ui.Clock(t.PressTime), ui.Fit(t.Type, 6), ui.Fit(t.Phase.Japanese(), 4), ui.Fit(serial, 6))},
			ui.Span{Style: f.Theme.Strong, Text: f.Lang.Says(t) + " "}, ui.Span{Style: f.Theme.Dim, Text: t.Title + " " + origin})
	}
}

// findings lists what people said before, the latest on top.
func (m Model) findings(p *ui.Page, f ui.Frame) {
	if len(m.file.Verifications) == 0 {
		return
	}
	p.Rule(f.Theme, f.Lang.T(words.findings))
	for _, v := range slices.Backward(m.file.Verifications) {
		p.Para(f.Theme.Base, ui.Fit(f.Lang.Finding(v.Finding), 8), fmt.Sprintf("%s %s %s", ui.When(v.At, f.Now), v.Operator, v.Reason))
	}
}
