package tui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
	"yagura/tui/dispatch"
	"yagura/tui/ui"
	"yagura/tui/verify"
)

// Guards of the hands (field.md 5.2-2 and -3).
const (
	DeadTime    = 400 * time.Millisecond // confirming keys do nothing so soon after a screen change
	BurstWindow = 50 * time.Millisecond
	BurstKeys   = 12 // more than this many keys within the window were not typed by a person
)

// guard keeps what the protection of the hands has to remember.
type guard struct {
	changed time.Time // the screen, or what a key would mean, last changed
	recent  []time.Time
	burst   time.Time // keys are discarded until then
	held    []tea.KeyPressMsg
}

// Intents that work on every screen.
type (
	goHome     struct{}
	goAlarm    struct{}
	goList     struct{}
	goTally    struct{}
	goOpen     struct{}
	goBack     struct{}
	toggleHelp struct{}
	toggleLang struct{}
	stopAny    struct{}
	redraw     struct{}
	quit       struct{}
)

// globals are the keys valid everywhere; at most twelve, the rest is the screen's (field.md 5.2-23).
func (m Model) globals() []ui.Binding {
	var bs []ui.Binding
	if m.stoppable() != nil {
		bs = append(bs, ui.Binding{Keys: []string{"x", "!"}, Intent: stopAny{}, Label: words.stop})
	}
	if alarms, _ := m.alarms(); len(alarms) > 0 {
		bs = append(bs, ui.Binding{Keys: []string{"a"}, Intent: goAlarm{}, Label: words.nextAlarm})
	}
	if len(m.stack) > 0 {
		bs = append(bs, ui.Binding{Keys: []string{"esc"}, Intent: goBack{}, Label: words.back})
	}
	return append(bs,
		ui.Binding{Keys: []string{"?"}, Intent: toggleHelp{}, Label: words.help},
		ui.Binding{Keys: []string{"D"}, Intent: goList{}, Label: words.list},
		ui.Binding{Keys: []string{"O"}, Intent: goOpen{}, Label: words.incidents},
		ui.Binding{Keys: []string{"T"}, Intent: goTally{}, Label: words.tally, Quiet: true},
		ui.Binding{Keys: []string{"I"}, Intent: goHome{}, Label: words.home, Quiet: true},
		ui.Binding{Keys: []string{"E"}, Intent: toggleLang{}, Label: words.lang},
		ui.Binding{Keys: []string{"ctrl+l"}, Intent: redraw{}, Label: words.redraw, Quiet: true},
		ui.Binding{Keys: []string{"ctrl+c"}, Intent: quit{}, Label: words.quit, Quiet: true},
	)
}

func (m Model) bindings() []ui.Binding { return slices.Concat(m.top().Keys(), m.globals()) }

// typing reports whether a sentence is being typed, where fast input is no danger.
func (m Model) typing() bool {
	p := m.prompt()
	return p != nil && p.Kind == ui.FreeText
}

func (m Model) prompt() *ui.Prompt {
	if m.stop != nil {
		return m.stop
	}
	return m.top().Prompt()
}

// key takes one key: burst guard first, then prompt, then the table of bindings.
func (m Model) key(k tea.KeyPressMsg) (Model, tea.Cmd) {
	now := m.opt.Now()
	locked := m.locked(now)
	m.lastIn, m.bell.ringing = now, false
	if locked && m.stop == nil && (m.prompt() != nil || m.confirms(k)) {
		return m.say(ui.Notice{Text: words.unlocked}), nil
	}
	m.notice = ui.Notice{} // a sentence about an earlier key must not stand beside what this one does
	if !m.typing() {
		var burst bool
		if m, burst = m.burst(now); burst {
			return m.say(ui.Notice{Text: words.burst, Bad: true}), nil
		}
	}
	if m.prompt() != nil && !m.typing() || len(m.guard.held) > 0 || m.confirms(k) {
		m.guard.held = append(slices.Clone(m.guard.held), k)
		if len(m.guard.held) > 1 {
			return m, nil
		}
		return m, m.opt.After(BurstWindow, releaseMsg{})
	}
	return m.act(k)
}

// locked reports whether nobody has touched this desk for so long that a first key may be an elbow: a key that would write a fact,
// or answer a question left open, only wakes the desk. Stop and alarms are never locked.
func (m Model) locked(now time.Time) bool {
	return m.opt.Lock > 0 && now.Sub(m.lastIn) >= m.opt.Lock
}

// confirms reports whether the key would write a fact here; such keys wait out the burst window before they act.
func (m Model) confirms(k tea.KeyPressMsg) bool {
	b, ok := ui.Match(m.bindings(), k.String())
	return ok && m.prompt() == nil && !m.help && b.Confirms
}

// burst notes the key's time and reports whether it belongs to a burst. Held keys of a burst are thrown away unseen.
func (m Model) burst(now time.Time) (Model, bool) {
	recent := make([]time.Time, 0, BurstKeys+1)
	for _, t := range m.guard.recent {
		if now.Sub(t) < BurstWindow {
			recent = append(recent, t)
		}
	}
	m.guard.recent = append(recent, now)
	if now.Before(m.guard.burst) || len(m.guard.recent) > BurstKeys {
		m.guard.burst, m.guard.held = now.Add(BurstWindow), nil
		m.guard.recent = nil
		return m, true
	}
	return m, false
}

// release lets held keys act, one after the other, each on the screen the one before led to.
func (m Model) release() (Model, tea.Cmd) {
	held := m.guard.held
	m.guard.held = nil
	var cmds []tea.Cmd
	for _, k := range held {
		var cmd tea.Cmd
		m, cmd = m.act(k)
		cmds = append(cmds, cmd)
	}
	return m, tea.Batch(cmds...)
}

func (m Model) paste(p tea.PasteMsg) (Model, tea.Cmd) {
	m.lastIn = m.opt.Now()
	if !m.typing() {
		return m.say(ui.Notice{Text: words.burst, Bad: true}), nil
	}
	return m.toTop(p)
}

// act gives a key its meaning.
func (m Model) act(k tea.KeyPressMsg) (Model, tea.Cmd) {
	switch {
	case m.stop != nil:
		return m.stopKey(k)
	case m.top().Prompt() != nil:
		return m.toTop(k)
	case m.help:
		m.help = false
		return m, nil
	}
	b, ok := ui.Match(m.bindings(), k.String())
	if !ok {
		if len(k.Text) > 1 && k.Text[0] >= 0x80 {
			return m.say(ui.Notice{Text: words.imeOn, Bad: true}), nil
		}
		return m, nil
	}
	if k.String() != "ctrl+c" {
		m.leave = false
	}
	if b.Confirms && m.opt.Now().Sub(m.guard.changed) < DeadTime {
		return m.say(ui.Notice{Text: words.tooSoon}), nil
	}
	if next, cmd, done := m.global(b.Intent); done {
		return next, cmd
	}
	return m.toTop(b.Intent)
}

// nextAlarm is the strongest alarm, or the one after the alarm on the screen.
func (m Model) nextAlarm(alarms []desk.InboxItem) desk.EventID {
	if v, ok := m.top().(verify.Model); ok {
		for i, a := range alarms {
			if a.Event.ID == v.Event() {
				return alarms[(i+1)%len(alarms)].Event.ID
			}
		}
	}
	return alarms[0].Event.ID
}

// global does the intents that work everywhere.
func (m Model) global(in ui.Intent) (Model, tea.Cmd, bool) {
	var cmd tea.Cmd
	switch in.(type) {
	case goHome:
		m, cmd = m.goTo(ui.Go{To: ui.Inbox})
	case goAlarm:
		if alarms, _ := m.alarms(); len(alarms) > 0 {
			m, cmd = m.goTo(ui.Go{To: ui.Verify, Event: m.nextAlarm(alarms)})
		}
	case goList:
		m, cmd = m.goTo(ui.Go{To: ui.Dispatches})
	case goTally:
		m, cmd = m.goTo(ui.Go{To: ui.Tally})
	case goOpen:
		m, cmd = m.goTo(ui.Go{To: ui.Incidents})
	case goBack:
		m, cmd = m.back()
	case toggleHelp:
		m.help = true
	case toggleLang:
		m.lang = 1 - m.lang
	case redraw:
		cmd = tea.ClearScreen
	case stopAny:
		m, cmd = m.askStop()
	case quit:
		if m.leave {
			return m, tea.Quit, true
		}
		m.leave = true
		m = m.say(ui.Notice{Text: words.leave, Bad: true})
	default:
		return m, nil, false
	}
	return m, cmd, true
}

// stoppable is the dispatch that x would stop: the one on the screen, else one in its count-down, else the newest under way.
func (m Model) stoppable() *desk.Dispatch {
	var best *desk.Dispatch
	shown := desk.DispatchID(0)
	if s, ok := m.top().(interface{ Current() desk.DispatchID }); ok {
		shown = s.Current()
	}
	for i := range m.status.active {
		d := &m.status.active[i].Dispatch
		switch d.State {
		case desk.Approved, desk.Expanded, desk.Sending:
		default:
			continue
		}
		if d.Stop != nil {
			continue
		}
		switch {
		case d.ID == shown:
			return d
		case best == nil, dispatch.CountingDown(*d, m.now()) && !dispatch.CountingDown(*best, m.now()):
			best = d
		}
	}
	return best
}

// countdown is a dispatch in its count-down, if any: it is shown at every desk.
func (m Model) countdown() *desk.Dispatch {
	for i := range m.status.active {
		if d := &m.status.active[i].Dispatch; dispatch.CountingDown(*d, m.now()) {
			return d
		}
	}
	return nil
}

// askStop stops at once during the count-down, where stopping costs nothing; later it asks for the reason, and that key is the confirmation.
func (m Model) askStop() (Model, tea.Cmd) {
	d := m.stoppable()
	if d == nil {
		return m, nil
	}
	if dispatch.CountingDown(*d, m.now()) {
		return m, m.order(d.ID, words.inCountdown.JA)
	}
	choices := make([]ui.Choice, len(words.stopReasons))
	for i, t := range words.stopReasons {
		choices[i] = ui.Choice{Key: string(rune('1' + i)), Label: t}
	}
	ask := ui.Text{JA: d.Mode.Japanese() + " #" + ui.Count(int(d.ID)) + " " + d.Subject + words.askStop.JA, EN: "Stop #" + ui.Count(int(d.ID)) + "? Press the reason."}
	m.stop = ui.NewChoice(ask, d.ID, choices...)
	return m, nil
}

func (m Model) stopKey(k tea.KeyPressMsg) (Model, tea.Cmd) {
	id, _ := m.stop.Tag.(desk.DispatchID)
	next, answer := m.stop.Update(k)
	m.stop = next
	if !answer.Done {
		return m, nil
	}
	return m, m.order(id, words.stopReasons[answer.Text[0]-'1'].JA)
}

func (m Model) order(id desk.DispatchID, reason string) tea.Cmd {
	return m.run(func(ctx context.Context) tea.Msg {
		_, err := m.opt.Backend.StopDispatch(ctx, m.opt.Operator.ID, id, reason)
		return stoppedMsg{err}
	})
}
