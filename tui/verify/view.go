package verify

import (
	"fmt"
	"slices"
	"strings"
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
		m.places(p, f)
		m.telegrams(p, f)
		m.findings(p, f)
		return p
	}
	left, right := ui.NewPage((f.W-2)/2), ui.NewPage(f.W-2-(f.W-2)/2)
	m.evidence(left, f)
	m.findings(left, f)
	m.places(right, f)
	m.telegrams(right, f)
	p.Columns(left, right)
	return p
}

// head answers in two lines: what happened, and is it believed.
func (m Model) head(p *ui.Page, f ui.Frame) {
	it := m.file.Item
	grade := desk.Grade(0)
	if it.Advice != nil {
		grade = it.Advice.Grade
	}
	p.Spans(
		ui.Span{Style: f.Theme.Grade(grade), Text: f.Lang.GradeMark(grade)},
		ui.Span{Style: f.Theme.Strong, Text: " " + ui.TitleOf(it.Event)},
		ui.Span{Style: f.Theme.Base, Text: "  " + f.Lang.F(words.occurred, ui.When(it.Event.OccurredAt, f.Now), f.Lang.Elapsed(f.Now.Sub(arrived(it.Event))))},
	)
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

// verdict counts the checks: the sentence a tired person needs.
func (m Model) verdict(f ui.Frame) (string, lipgloss.Style) {
	a := m.file.Item.Advice
	if a == nil {
		return f.Lang.T(words.noAdvice), f.Theme.Watch
	}
	passed, open := 0, 0
	for _, c := range a.Checks {
		switch c.Result {
		case desk.Passed:
			passed++
		case desk.Undetermined:
			open++
		}
	}
	if n := a.Contradictions(); n > 0 {
		return f.Lang.F(words.against, n, passed, open), f.Theme.Alarm
	}
	return f.Lang.F(words.clean, passed, open), f.Theme.Base
}

func (m Model) said(f ui.Frame) string {
	v := m.file.Item.Verification
	if v == nil {
		return f.Lang.T(words.nobody)
	}
	return f.Lang.F(words.saidBy, f.Lang.Finding(v.Finding), v.Operator, ui.When(v.At, f.Now))
}

// evidence lists the checks, contradictions first and in full (field.md 5.2-12).
func (m Model) evidence(p *ui.Page, f ui.Frame) {
	p.Rule(f.Theme, f.Lang.T(words.evidence))
	if m.file.Item.Advice == nil {
		return
	}
	for _, part := range []struct {
		result desk.Result
		mark   ui.Text
		style  lipgloss.Style
	}{
		{desk.Contradicts, words.markAgainst, f.Theme.Alarm},
		{desk.Passed, words.markPassed, f.Theme.Good},
		{desk.Undetermined, words.markOpen, f.Theme.Dim},
	} {
		for _, c := range m.file.Item.Advice.Checks {
			if c.Result != part.result {
				continue
			}
			p.Para(part.style, f.Lang.T(part.mark)+" ", c.Text)
			if c.Detail != "" && (m.detail || p.W < f.W) {
				p.Para(f.Theme.Dim, "       ", c.Detail)
			}
		}
	}
}

// places lists prefectures by intensity, strongest first; a provisional 5弱 says so.
func (m Model) places(p *ui.Page, f ui.Frame) {
	ev := m.file.Item.Event
	p.Rule(f.Theme, f.Lang.T(words.places))
	by := map[desk.Intensity][]string{}
	for _, pr := range ev.Prefectures {
		name := pr.Name
		if pr.Provisional {
			name += f.Lang.T(words.provisional)
		}
		by[pr.Intensity] = append(by[pr.Intensity], name)
	}
	for i := desk.Intensity7; i >= desk.Intensity1; i-- {
		if len(by[i]) > 0 {
			style := f.Theme.Base
			if i >= desk.Intensity5Lower {
				style = f.Theme.Strong
			}
			p.Para(style, ui.Fit(f.Lang.T(words.intensity)+i.Japanese(), 9), strings.Join(by[i], "、"))
		}
	}
	if len(ev.Prefectures) == 0 {
		p.Line(f.Theme.Dim, f.Lang.T(words.noPlaces))
	}
	if h := ev.Hypocenter; h != nil {
		p.Para(f.Theme.Base, ui.Fit(f.Lang.T(words.hypocenter), 9), hypocenter(f, *h))
	}
	if t := f.Lang.Tsunami(ev.Tsunami); t != "" {
		p.Para(f.Theme.Watch, ui.Fit(f.Lang.T(words.tsunami), 9), t)
	}
}

func hypocenter(f ui.Frame, h desk.Hypocenter) string {
	parts := []string{h.Name, h.MagnitudeText}
	switch {
	case h.DepthKM == nil:
		parts = append(parts, f.Lang.T(words.depthUnknown))
	case *h.DepthKM == 0:
		parts = append(parts, f.Lang.T(words.shallow))
	default:
		parts = append(parts, f.Lang.F(words.depth, *h.DepthKM))
	}
	return strings.Join(parts, " ")
}

// telegrams lists what came, the newest on top. A replayed one says so, so that nobody takes it for now.
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
		style := f.Theme.Base
		if t.Phase == desk.Cancelled || t.Phase == desk.Corrected {
			style = f.Theme.Watch
		}
		p.Line(style, fmt.Sprintf("%s %s %s %s %s %s", ui.Clock(t.PressTime), ui.Fit(t.Type, 6), ui.Fit(t.Phase.Japanese(), 4),
			ui.Fit(serial, 6), ui.Fit(origin, 8), t.Title))
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
