package ui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"yagura/store/desk"
)

// Screen is one screen of the desk as a value. Update gets intents (typed keys), Loaded messages of its own package, SizeMsg and,
// while a prompt is open, raw keys. View is pure and gives exactly Frame.H lines of Frame.W cells.
type Screen interface {
	Update(msg tea.Msg) (Screen, tea.Cmd)
	View(f Frame) string
	Title() Text
	Keys() []Binding
	Mode() desk.Mode // the world its subject belongs to
	Reload() tea.Cmd // re-read everything; called on entry, on a wake-up and every poll
	Prompt() *Prompt // open question, nil when none
}

// Env is what the app lends to every screen: commands with a deadline, the clock and who sits here.
type Env struct {
	Run      Runner
	Now      func() time.Time // the desk's clock
	Operator desk.Operator
	Mode     desk.Mode // the world of this desk while nothing is selected
}

// Runner turns I/O into a command: it runs op with a context that ends after the deadline, and turns a panic into an error.
type Runner func(op func(ctx context.Context) tea.Msg) tea.Cmd

// Deadline is how long one read or write of the desk may take.
const Deadline = 3 * time.Second

// SizeMsg tells a screen how many cells its body has.
type SizeMsg struct{ W, H int }

// Place names a screen to go to.
type Place uint8

const (
	Inbox Place = iota + 1
	Verify
	Incident
	Incidents
	Dispatch
	Dispatches
	Tally
)

// Go asks the app for another screen. Replace puts it in place of the present one, so that Esc leads back to where the work began.
type Go struct {
	To       Place
	Event    desk.EventID
	Incident desk.IncidentID
	Dispatch desk.DispatchID
	Replace  bool
}

// Changed tells the app that this desk wrote a fact: header and screen are read again at once, without waiting for the wake-up.
type Changed struct{}

// Moved tells the app that what a confirming key would decide on has just changed on the screen (newer advice, another head-count):
// the dead time starts again, and the desk says so.
type Moved struct{}

// Back asks the app for the screen below.
type Back struct{}

// Notice is a sentence for the status line. Bad notices stay until a key is pressed.
type Notice struct {
	Text Text
	Bad  bool
}

// Tell makes a notice.
func Tell(text Text) tea.Cmd { return Send(Notice{Text: text}) }

// Fail makes a notice of an error in the words a person may read; nil for nil.
func Fail(err error) tea.Cmd {
	if err == nil {
		return nil
	}
	return Send(Notice{Text: Text{JA: desk.Message(err)}, Bad: true})
}
