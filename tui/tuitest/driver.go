package tuitest

import (
	"reflect"
	"slices"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// Clock stands still until it is moved.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock starts a clock.
func NewClock(t time.Time) *Clock { return &Clock{t: t} }

// Now reads it.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *Clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

type timer struct {
	at  time.Time
	msg tea.Msg
}

// Driver runs a model without a program: every command is drained at once, timers wait for the clock. Deterministic.
type Driver struct {
	Model  tea.Model
	Clock  *Clock
	timers []timer
	Quit   bool
	Bells  int
}

// NewDriver makes a driver; give its After to the model and then call Start.
func NewDriver(c *Clock) *Driver { return &Driver{Clock: c} }

// After is the timer of a model under test.
func (d *Driver) After(wait time.Duration, msg tea.Msg) tea.Cmd {
	return func() tea.Msg { return timer{d.Clock.Now().Add(wait), msg} }
}

// Start runs Init, sets the window and waits out the dead time.
func (d *Driver) Start(m tea.Model, w, h int) {
	d.Model = m
	d.drain(m.Init())
	d.Send(tea.WindowSizeMsg{Width: w, Height: h})
	d.Advance(500 * time.Millisecond)
}

// Send hands the model a message and drains what follows.
func (d *Driver) Send(msg tea.Msg) {
	next, cmd := d.Model.Update(msg)
	d.Model = next
	d.drain(cmd)
}

func (d *Driver) drain(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case timer:
		d.timers = append(d.timers, msg)
	case tea.BatchMsg:
		for _, c := range msg {
			d.drain(c)
		}
	case tea.QuitMsg:
		d.Quit = true
	case tea.RawMsg:
		d.Bells++
	default:
		if reflect.TypeOf(msg).PkgPath() == "charm.land/bubbletea/v2" && reflect.TypeOf(msg).Name() == "clearScreenMsg" {
			return
		}
		d.Send(msg)
	}
}

// Advance moves the clock and lets due timers act in their order.
func (d *Driver) Advance(by time.Duration) {
	end := d.Clock.Now().Add(by)
	for {
		slices.SortStableFunc(d.timers, func(a, b timer) int { return a.at.Compare(b.at) })
		if len(d.timers) == 0 || d.timers[0].at.After(end) {
			break
		}
		t := d.timers[0]
		d.timers = d.timers[1:]
		d.Clock.set(t.at)
		d.Send(t.msg)
	}
	d.Clock.set(end)
}

// Key makes a key press of its name: "g", "enter", "esc", "down", "ctrl+c", "!".
func Key(name string) tea.KeyPressMsg {
	special := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "down": tea.KeyDown, "up": tea.KeyUp, "pgdown": tea.KeyPgDown, "pgup": tea.KeyPgUp,
		"home": tea.KeyHome, "end": tea.KeyEnd, "backspace": tea.KeyBackspace,
	}
	if code, ok := special[name]; ok {
		return tea.KeyPressMsg{Code: code}
	}
	if len(name) == 6 && name[:5] == "ctrl+" {
		return tea.KeyPressMsg{Code: rune(name[5]), Mod: tea.ModCtrl}
	}
	return tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
}

// Press types keys as a person does: half a second between them.
func (d *Driver) Press(names ...string) {
	for _, n := range names {
		d.Send(Key(n))
		d.Advance(500 * time.Millisecond)
	}
}

// Type types a text letter by letter.
func (d *Driver) Type(text string) {
	for _, r := range text {
		d.Press(string(r))
	}
}

// Screen is what is drawn, with colour.
func (d *Driver) Screen() string { return d.Model.View().Content }

// Plain is what is drawn, without colour.
func (d *Driver) Plain() string { return ansi.Strip(d.Screen()) }
