package tui

import (
	"maps"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/dispatch"
	"yagura/tui/inbox"
	"yagura/tui/incident"
	"yagura/tui/tally"
	"yagura/tui/ui"
	"yagura/tui/verify"
)

// goTo opens a screen. A change of screen starts the dead time of confirming keys.
func (m Model) goTo(g ui.Go) (Model, tea.Cmd) {
	m.guard.changed, m.help = m.opt.Now(), false
	m.guard.held = nil
	if g.To == ui.Inbox {
		m.stack = nil
		return m, m.reload()
	}
	next := m.make(g)
	if next == nil {
		return m, nil
	}
	sized, _ := next.Update(ui.SizeMsg{W: m.size.W, H: m.bodyHeight()})
	keep := m.stack
	if g.Replace && len(keep) > 0 {
		keep = keep[:len(keep)-1]
	}
	if len(keep) >= 8 { // nobody needs a longer way back
		keep = keep[1:]
	}
	m.stack = append(append([]ui.Screen(nil), keep...), sized)
	return m, m.reload()
}

func (m Model) make(g ui.Go) ui.Screen {
	env := m.env
	switch g.To {
	case ui.Verify:
		return verify.New(env, m.opt.Backend, g.Event)
	case ui.Incident:
		return incident.NewModel(env, m.opt.Backend, g.Event)
	case ui.Incidents:
		return incident.NewList(env, m.opt.Backend)
	case ui.Dispatch:
		return dispatch.New(env, m.opt.Backend, g)
	case ui.Dispatches:
		return dispatch.NewList(env, m.opt.Backend)
	case ui.Tally:
		return tally.New(env, m.opt.Backend, g.Dispatch)
	}
	return nil
}

func (m Model) back() (Model, tea.Cmd) {
	if len(m.stack) == 0 {
		return m, nil
	}
	m.guard.changed, m.guard.held = m.opt.Now(), nil
	m.stack = m.stack[:len(m.stack)-1]
	return m, m.reload()
}

// alarms are the events that need a judgement, strongest first.
func (m Model) alarms() (alarms []desk.InboxItem, others int) {
	if h, ok := m.home.(inbox.Model); ok {
		return h.Alarms()
	}
	return nil, 0
}

// bell rings once for each new grade-1 alarm, however often it is read or rises again, and reminds until a key is pressed here.
type bell struct {
	known   map[desk.EventID]bool // every alarm this session has rung for
	ringing bool
	last    time.Time
}

// ringEvery is the reminder of an alarm to which nobody at this desk has moved (field.md 5.2-20).
const ringEvery = 30 * time.Second

func (m Model) listen() (Model, tea.Cmd) {
	alarms, _ := m.alarms()
	fresh := false
	for _, a := range alarms {
		if m.bell.known[a.Event.ID] {
			continue
		}
		if !fresh { // one copy a change: models are values
			m.bell.known, fresh = maps.Clone(m.bell.known), true
		}
		if m.bell.known == nil {
			m.bell.known = map[desk.EventID]bool{}
		}
		m.bell.known[a.Event.ID] = true
	}
	if len(alarms) == 0 {
		m.bell.ringing = false
	}
	if !fresh {
		return m, nil
	}
	m.bell.ringing, m.bell.last = true, m.opt.Now()
	return m, tea.Raw("\a")
}

func (m Model) ring(now time.Time) (Model, tea.Cmd) {
	if !m.bell.ringing || now.Sub(m.bell.last) < ringEvery {
		return m, nil
	}
	m.bell.last = now
	return m, tea.Raw("\a")
}
