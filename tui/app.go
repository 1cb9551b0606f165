package tui

import (
	"context"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"yagura/store/desk"
	"yagura/tui/inbox"
	"yagura/tui/ui"
)

// Poll is how often everything on the screen is read again whatever the wake-ups say (law 8).
const Poll = 5 * time.Second

// wakeGap gathers the wake-ups of one happening into one reading.
const wakeGap = 150 * time.Millisecond

// Messages of the app itself.
type (
	tickMsg    struct{} // once a second: the clock, the poll, the bell
	refreshMsg struct{} // the gathered wake-ups are due
	releaseMsg struct{} // held confirming keys are due
	// WakeMsg says that something changed in the store, or that the listening connection broke and is back.
	WakeMsg struct{ Topic desk.Topic }
	// KickMsg ends the session with a sentence, e.g. when the operator was disabled.
	KickMsg   struct{ Text string }
	statusMsg struct {
		status
		at  time.Time
		err error
	}
	stoppedMsg struct{ err error }
)

// Model is the whole desk of one session.
type Model struct {
	opt    Options
	run    ui.Runner
	env    ui.Env
	skew   *atomic.Int64 // the database's clock minus the machine's, in nanoseconds; commands read it
	home   ui.Screen
	stack  []ui.Screen
	size   ui.SizeMsg
	lang   ui.Lang
	plain  bool // the terminal has no colour
	help   bool
	stop   *ui.Prompt
	status status
	guard  guard
	bell   bell
	notice ui.Notice
	noteAt time.Time
	dirty  bool // a wake-up is waiting for its refresh
	lastIn time.Time
	drawn  time.Time // latest moment the clock showed second by second; a slower clock never goes back behind it
	polled time.Time
	bye    string
	leave  bool // Ctrl-C was pressed once
}

// status is what the header knows.
type status struct {
	health  desk.Health
	active  []desk.DispatchProgress
	sources []desk.SourceHealth
	owed    []desk.Breach // delay reports not yet sent
	asOf    time.Time
	lost    bool // the listening connection broke; cleared by the next successful reading
	failing bool
}

// New makes the desk of one session. run comes from NewRunner.
func New(opt Options, run ui.Runner) Model {
	if opt.Mode == "" {
		opt.Mode = desk.Live
	}
	m := Model{opt: opt, run: run, size: ui.SizeMsg{W: 80, H: 24}, lastIn: opt.Now()}
	skew := &atomic.Int64{}
	m.skew = skew
	m.env = ui.Env{
		Run: run, Operator: opt.Operator, Mode: opt.Mode,
		Now: func() time.Time { return opt.Now().Add(time.Duration(skew.Load())) },
	}
	m.home = inbox.New(m.env, opt.Backend)
	m.guard.changed = opt.Now()
	return m
}

// Init starts the clock, the first reading and the wait for wake-ups.
func (m Model) Init() tea.Cmd {
	return tea.Batch(m.opt.After(time.Second, tickMsg{}), m.readStatus(), m.home.Reload(), m.wait())
}

func (m Model) wait() tea.Cmd {
	if m.opt.Wake == nil {
		return nil
	}
	return m.opt.Wake()
}

// now is the desk's clock: the database's, as far as the last reading tells (law 10).
func (m Model) now() time.Time { return m.env.Now() }

// Update is the root of the desk: keys to intents, messages to where they belong.
func (m Model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		return m.resize(msg)
	case tea.ColorProfileMsg:
		m.plain = msg.Profile <= colorprofile.ASCII
		return m, nil
	case tea.KeyPressMsg:
		return m.key(msg)
	case tea.PasteMsg:
		return m.paste(msg)
	case releaseMsg:
		return m.release()
	case tickMsg:
		return m.tick()
	case WakeMsg:
		return m.woken(msg)
	case refreshMsg:
		m.dirty = false
		return m, m.reload()
	case statusMsg:
		return m.told(msg)
	case stoppedMsg:
		if msg.err != nil {
			return m.say(ui.Notice{Text: ui.Text{JA: desk.Message(msg.err)}, Bad: true}), m.reload()
		}
		return m.say(ui.Notice{Text: words.stopped}), m.reload()
	case KickMsg:
		m.bye = msg.Text
		return m, tea.Quit
	case ui.Notice:
		return m.say(msg), nil
	case ui.Go:
		return m.goTo(msg)
	case ui.Moved:
		m.guard.changed, m.guard.held = m.opt.Now(), nil
		return m.say(ui.Notice{Text: words.moved, Bad: true}), nil
	case ui.Changed:
		return m, m.reload()
	case ui.Back:
		return m.back()
	}
	return m.spread(msg)
}

// spread hands a Loaded message to every screen that is alive; each knows its own.
func (m Model) spread(msg tea.Msg) (Model, tea.Cmd) {
	var cmds []tea.Cmd
	hand := func(s ui.Screen) ui.Screen {
		next, cmd := s.Update(msg)
		cmds = append(cmds, cmd)
		return next
	}
	m.home = hand(m.home)
	stack := make([]ui.Screen, len(m.stack))
	for i, s := range m.stack {
		stack[i] = hand(s)
	}
	m.stack = stack
	if _, ok := msg.(inbox.Loaded); ok {
		var ring tea.Cmd
		m, ring = m.listen()
		cmds = append(cmds, ring)
	}
	return m, tea.Batch(cmds...)
}

// top is the screen that is shown.
func (m Model) top() ui.Screen {
	if n := len(m.stack); n > 0 {
		return m.stack[n-1]
	}
	return m.home
}

// toTop hands a message to the shown screen alone.
func (m Model) toTop(msg tea.Msg) (Model, tea.Cmd) {
	next, cmd := m.top().Update(msg)
	if n := len(m.stack); n > 0 {
		stack := append([]ui.Screen(nil), m.stack...)
		stack[n-1] = next
		m.stack = stack
		return m, cmd
	}
	m.home = next
	return m, cmd
}

// resize takes the window, at most MaxW by MaxH cells: memory grows with the window, so a hostile size is clamped (limits.md §7).
func (m Model) resize(msg tea.WindowSizeMsg) (Model, tea.Cmd) {
	w, h := Clamp(msg.Width, msg.Height)
	m.size = ui.SizeMsg{W: w, H: h}
	return m.spread(ui.SizeMsg{W: w, H: m.bodyHeight()})
}

// Largest window the desk draws.
const (
	MaxW = 300
	MaxH = 120
)

// Clamp limits a window size.
func Clamp(w, h int) (int, int) { return max(1, min(w, MaxW)), max(1, min(h, MaxH)) }

func (m Model) tick() (Model, tea.Cmd) {
	now := m.opt.Now()
	cmds := []tea.Cmd{m.opt.After(time.Second, tickMsg{})}
	if m.opt.Idle > 0 && now.Sub(m.lastIn) >= m.opt.Idle {
		m.bye = words.idle.JA
		return m, tea.Quit
	}
	if !m.notice.Bad && now.Sub(m.noteAt) > 8*time.Second {
		m.notice = ui.Notice{}
	}
	if m.stoppable() != nil {
		m.drawn = m.now()
	}
	if now.Sub(m.polled) >= m.pace() {
		m.polled = now
		cmds = append(cmds, m.reload())
	}
	var ring tea.Cmd
	m, ring = m.ring(now)
	return m, tea.Batch(append(cmds, ring)...)
}

// pace is how often to read: each second in a count-down, every two while mails leave, else each Poll.
func (m Model) pace() time.Duration {
	switch {
	case m.countdown() != nil:
		return time.Second
	case m.stoppable() != nil:
		return 2 * time.Second
	}
	return Poll
}

// woken gathers wake-ups; after a lost connection everything is read again and the header says so.
func (m Model) woken(msg WakeMsg) (Model, tea.Cmd) {
	if msg.Topic == desk.TopicLost {
		m.status.lost = true
		return m, tea.Batch(m.wait(), m.reload())
	}
	if m.dirty {
		return m, m.wait()
	}
	m.dirty = true
	return m, tea.Batch(m.wait(), m.opt.After(wakeGap, refreshMsg{}))
}

// reload reads the header, the inbox (its alarms are always counted) and the shown screen.
func (m Model) reload() tea.Cmd {
	cmds := []tea.Cmd{m.readStatus(), m.home.Reload()}
	if len(m.stack) > 0 {
		cmds = append(cmds, m.top().Reload())
	}
	return tea.Batch(cmds...)
}

func (m Model) readStatus() tea.Cmd {
	return m.run(func(ctx context.Context) tea.Msg {
		health, err := m.opt.Backend.Health(ctx)
		if err != nil {
			return statusMsg{err: err}
		}
		msg := statusMsg{status: status{health: health}, at: m.opt.Now()}
		if msg.active, msg.err = m.opt.Backend.ActiveDispatches(ctx); msg.err == nil {
			msg.sources, msg.err = m.opt.Backend.Sources(ctx)
		}
		if msg.err == nil {
			msg.owed, msg.err = m.opt.Backend.UnsentBreaches(ctx)
		}
		return msg
	})
}

func (m Model) told(msg statusMsg) (Model, tea.Cmd) {
	if msg.err != nil {
		m.status.failing = true
		return m, nil
	}
	var ring tea.Cmd
	if msg.worse(m.status) {
		ring = tea.Raw("\a")
	}
	m.status = msg.status
	m.status.asOf = msg.at
	if msg.health.AsOf.IsZero() {
		return m, ring
	}
	skew := msg.health.AsOf.Sub(msg.at)
	moved := (skew - time.Duration(m.skew.Load())).Abs() > time.Second
	m.skew.Store(int64(skew))
	m.status.asOf = msg.health.AsOf
	if moved { // what was read by the other clock would look old or new
		return m, tea.Batch(ring, m.reload())
	}
	return m, ring
}

func (m Model) say(n ui.Notice) Model {
	m.notice, m.noteAt = n, m.opt.Now()
	return m
}

// Farewell is the sentence to leave on the terminal after the session; "" for an ordinary end.
func (m Model) Farewell() string { return m.bye }
