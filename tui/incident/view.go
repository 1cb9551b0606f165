package incident

import (
	"fmt"
	"strings"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// View draws the event, the open incidents with the rule's inputs, and the two doors side by side.
func (m Model) View(f ui.Frame) string {
	p := ui.NewPage(f.W)
	ev := m.file.Item.Event
	p.Spans(ui.Span{Style: f.Theme.Dim, Text: f.Lang.T(words.event) + " "}, ui.Span{Style: f.Theme.Strong, Text: ui.ShortTitle(ev)},
		ui.Span{Style: f.Theme.Base, Text: "  " + f.Lang.F(words.occurred, ui.When(ev.OccurredAt, f.Now))})
	if id := m.file.Item.IncidentID; id > 0 {
		p.Line(f.Theme.Watch, f.Lang.F(words.already, id))
	}
	m.incidents(p, f)
	m.rule(p, f)
	p.Blank()
	m.doors(p, f)
	return ui.Fresh(f, m.asOf, p.Window(f, 0, f.H))
}

func (m Model) incidents(p *ui.Page, f ui.Frame) {
	p.Rule(f.Theme, f.Lang.F(words.open, m.list.Len()))
	if m.list.Len() == 0 {
		p.Line(f.Theme.Base, f.Lang.T(words.none))
	}
	sel, _ := m.list.Selected()
	for _, id := range m.list.Visible(max(2, f.H-16)) {
		in := m.open[id]
		line := fmt.Sprintf("#%d %s", in.ID, ui.Narrow(in.Title))
		facts := f.Lang.F(words.facts, in.MaxIntensity.Japanese(), len(in.Events), f.Lang.Elapsed(m.file.Item.Event.OccurredAt.Sub(in.LastOccurred)))
		text := ui.Fit(line, max(20, p.W-4-ui.Width(facts))) + " " + facts
		if id == sel {
			p.Line(f.Theme.Select, "> "+text)
			continue
		}
		p.Line(f.Theme.Base, "  "+text)
	}
}

// rule shows the inputs of the merge advice for the selected incident; what the rules did not compare is computed from the facts here.
func (m Model) rule(p *ui.Page, f ui.Frame) {
	id, ok := m.list.Selected()
	if !ok {
		return
	}
	p.Rule(f.Theme, f.Lang.F(words.compare, id))
	a := m.file.Item.Advice
	if a == nil || a.Merge == nil || a.Merge.IncidentID != id {
		p.Line(f.Theme.Dim, f.Lang.T(words.notCompared))
		m.change(p, f, id)
		return
	}
	distance := f.Lang.T(words.unknown)
	if a.Merge.DistanceKM != nil {
		distance = fmt.Sprintf("%.0fkm", *a.Merge.DistanceKM)
	}
	pair := func(label ui.Text, text string) {
		p.Spans(ui.Span{Style: f.Theme.Dim, Text: ui.Fit(f.Lang.T(label), 22)}, ui.Span{Style: f.Theme.Base, Text: text})
	}
	pair(words.elapsed, f.Lang.F(words.within, f.Lang.Elapsed(a.Merge.Elapsed), a.Merge.WithinHours))
	pair(words.distance, distance)
	pair(words.overlap, names(f, a.Merge.Overlap))
	m.change(p, f, id)
	p.Para(f.Theme.Base, ui.Fit(f.Lang.T(words.advice), 22), a.Merge.Text)
}

// change shows what joining would newly ask: prefectures not yet asked, and those shaken harder than notified.
func (m Model) change(p *ui.Page, f ui.Frame, id desk.IncidentID) {
	var triggered []desk.TriggeredBy
	if a := m.file.Item.Advice; a != nil {
		triggered = a.Triggered
	}
	added, raised := desk.NewlyConcerned(m.file.Item.Event.ID, m.from, triggered, m.open[id].Notified)
	p.Para(f.Theme.Base, ui.Fit(f.Lang.T(words.added), 22), levels(f, added, nil))
	p.Para(f.Theme.Base, ui.Fit(f.Lang.T(words.raised), 22), levels(f, raised, m.open[id].Notified))
}

func levels(f ui.Frame, ts []desk.TriggeredBy, notified []desk.Notified) string {
	if len(ts) == 0 {
		return f.Lang.T(words.nothing)
	}
	parts := make([]string, len(ts))
	for i, t := range ts {
		parts[i] = t.Prefecture.Name() + t.Intensity.Japanese()
		for _, n := range notified {
			if n.Prefecture == t.Prefecture {
				parts[i] = fmt.Sprintf("%s %s>%s", t.Prefecture.Name(), n.Intensity.Japanese(), t.Intensity.Japanese())
			}
		}
	}
	return strings.Join(parts, "、")
}

func names(f ui.Frame, ps []desk.Prefecture) string {
	if len(ps) == 0 {
		return f.Lang.T(words.nothing)
	}
	parts := make([]string, len(ps))
	for i, p := range ps {
		parts[i] = p.Name()
	}
	return strings.Join(parts, "、")
}

// doors draws the two choices with equal weight; what is not possible says so in place.
func (m Model) doors(p *ui.Page, f ui.Frame) {
	w := (p.W - 2) / 2
	left, right := ui.NewPage(w), ui.NewPage(p.W-2-w)
	edge := "+" + strings.Repeat("-", max(0, w-2)) + "+"
	box := func(pg *ui.Page, head, what string) {
		pg.Line(f.Theme.Strong, edge)
		pg.Line(f.Theme.Strong, "| "+ui.Fit(head, w-4)+" |")
		pg.Line(f.Theme.Base, "| "+ui.Fit(what, w-4)+" |")
		pg.Line(f.Theme.Strong, edge)
	}
	if id, ok := m.list.Selected(); ok {
		box(left, f.Lang.F(words.doorJoin, id), f.Lang.T(words.doorJoinWhat))
	} else {
		box(left, f.Lang.T(words.doorNoJoin), "")
	}
	box(right, f.Lang.T(words.doorNew), f.Lang.T(words.doorNewWhat))
	p.Columns(left, right)
}
