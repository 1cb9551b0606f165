package tui

import (
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"yagura/store/desk"
	"yagura/tui/ui"
)

// feedLine is the line of the system: how old the news is, which source is silent, which report is owed, whether an engine lives.
// A replayed feed says 【再生】 with the telegram's own time, so that nobody takes it for now.
func (m Model) feedLine(f ui.Frame, mark string) string {
	engines, style := m.engineWords(f)
	right := style.Render(engines)
	room := f.W - 5 - ui.Width(engines) - 1
	if owed := len(m.status.owed); owed > 0 { // the reminder of P5-6: it stays until somebody marks the report as sent
		text := f.Lang.F(words.owed, owed)
		right = f.Theme.Alarm.Render(text) + f.Theme.Header.Render(" ") + right
		room -= ui.Width(text) + 1
	}
	wrong, heard := m.sourceWords(f)
	if wrong != "" {
		text := ui.Cut(wrong, room)
		return f.Theme.Header.Render(mark) + f.Theme.Alarm.Render(text) + f.Theme.Header.Render(ui.Fit(others(f, heard), room-ui.Width(text))+" ") + right
	}
	return f.Theme.Header.Render(mark+ui.Fit(m.newsWords(f, heard), room)+" ") + right
}

func (m Model) engineWords(f ui.Frame) (string, lipgloss.Style) {
	switch {
	case m.now().Sub(m.status.asOf) >= ui.StaleAfter && !m.status.asOf.IsZero(): // an old reading says nothing about now
		return f.Lang.T(words.unknownEngines), f.Theme.Watch
	case m.engines() == 0:
		return f.Lang.T(words.noEngine), f.Theme.Alarm
	}
	return f.Lang.F(words.engines, m.engines()), f.Theme.Header
}

// newsWords is the latest telegram, then the sources. Where they are named, the telegram needs no feed and no age beside it.
func (m Model) newsWords(f ui.Frame, heard string) string {
	h := m.status.health
	switch {
	case h.LastFeed == desk.ReplayFeed:
		return f.Lang.F(words.replay, h.LastTelegram.In(desk.JST).Format("2006-01-02 15:04")) + "  " +
			f.Lang.F(ui.Text{JA: "%s前に再生", EN: "played %s ago"}, f.Lang.Elapsed(f.Now.Sub(h.LastStored)))
	case heard != "" && h.LastFeed != "":
		return f.Lang.F(words.latest, ui.When(h.LastTelegram, f.Now)) + "  " + heard
	case heard != "":
		return f.Lang.T(words.noFeed) + "  " + heard
	case h.LastFeed != "":
		return f.Lang.F(words.feed, ui.When(h.LastTelegram, f.Now), h.LastFeed, f.Lang.Elapsed(f.Now.Sub(h.LastStored)))
	}
	return f.Lang.T(words.noFeed)
}

// others names the healthy sources behind an alarm, apart from it: at a glance nobody may take them for silent ones.
func others(f ui.Frame, heard string) string {
	if heard == "" {
		return ""
	}
	return " " + f.Lang.F(words.others, heard)
}

// sourceWords says in sentences what is wrong with the sources and the queues, and names the other sources with the age of their
// last sign of life. A source in trouble that is not yet silent carries a mark. While the reading itself is old nothing is said: it
// would be about then.
func (m Model) sourceWords(f ui.Frame) (wrong, heard string) {
	if m.now().Sub(m.status.asOf) >= ui.StaleAfter {
		return "", ""
	}
	var late, dead, stuck, alive []string
	for _, h := range m.status.sources {
		short, long := sourceNames(h.Name)
		ago := age(f.Lang, f.Now.Sub(h.Heard()))
		silent := h.Silent || h.SilentAt(f.Now)
		switch {
		case h.Name == desk.ReplayFeed: // a recording has no far side
		case silent && h.Name == desk.QueueDeadline: // P5-2 to P5-5, at 1.0 of the limit
			late = append(late, ago)
		case silent && h.Name == desk.QueueReading:
			stuck = append(stuck, f.Lang.T(words.reading)+" "+ago)
		case silent && h.Name == desk.QueueBulletin:
			stuck = append(stuck, f.Lang.T(words.bulletins)+" "+ago)
		case strings.HasPrefix(h.Name, desk.QueuePrefix): // a queue that flows is no news
		case silent:
			dead = append(dead, long+" "+ago)
		case h.Trouble != "":
			alive = append(alive, short+" "+f.Lang.T(words.trouble)+" "+ago)
		case h.LastContact.IsZero() && h.Rhythm > 0:
			alive = append(alive, short+" "+f.Lang.T(words.waiting))
		case !h.LastContact.IsZero():
			alive = append(alive, short+" "+ago)
		}
	}
	var sentences []string
	for _, one := range []struct {
		what  ui.Text
		names []string
	}{{words.late, late}, {words.silent, dead}, {words.stuck, stuck}} {
		if len(one.names) > 0 {
			sentences = append(sentences, f.Lang.F(one.what, strings.Join(one.names, "、")))
		}
	}
	return strings.Join(sentences, " "), strings.Join(alive, " ")
}

// worse reports whether a source or queue fell silent since the reading before, or a report is newly owed: the bell rings once.
func (s status) worse(before status) bool {
	silent := map[string]bool{}
	for _, h := range before.sources {
		silent[h.Name] = h.Silent
	}
	owed := map[int64]bool{}
	for _, b := range before.owed {
		owed[b.ID] = true
	}
	return slices.ContainsFunc(s.sources, func(h desk.SourceHealth) bool { return h.Silent && !silent[h.Name] && h.Name != desk.ReplayFeed }) ||
		slices.ContainsFunc(s.owed, func(b desk.Breach) bool { return !owed[b.ID] })
}

// sourceNames is the feed as short as the line of all sources says it, and as long as a sentence about it alone does. A feed that
// this desk does not know is named as it is.
func sourceNames(feed string) (short, long string) {
	path, _, _ := strings.Cut(feed, "-") // "jma-pull" is a way to JMA
	switch path {
	case "jma":
		return "JMA", "気象庁（JMA）"
	case "dmdata":
		return "DM", "DMDATA"
	case "p2pquake":
		return "P2P", "P2PQuake"
	case "line":
		return "専用線", "専用線"
	}
	return feed, feed
}

// age is a length of time in one unit, for a line with many of them.
func age(l ui.Lang, d time.Duration) string {
	d = max(0, d)
	switch {
	case d < time.Minute:
		return l.F(ui.Text{JA: "%d秒", EN: "%ds"}, int(d/time.Second))
	case d < time.Hour:
		return l.F(ui.Text{JA: "%d分", EN: "%dm"}, int(d/time.Minute))
	case d < 24*time.Hour:
		return l.F(ui.Text{JA: "%d時間", EN: "%dh"}, int(d/time.Hour))
	}
	return l.F(ui.Text{JA: "%d日", EN: "%dd"}, int(d/(24*time.Hour)))
}
