package ui

import tea "charm.land/bubbletea/v2"

// Intent is what a key means on a screen: a small struct type of that screen, so that Update is a switch over meanings, not over keys.
type Intent any

// Binding says which keys mean an intent now. The footer and `?` show exactly the bindings a screen returns, so a key that is not shown does nothing.
type Binding struct {
	Keys     []string // as tea.Key.String gives them; the first one is shown
	Intent   Intent
	Label    Text
	Confirms bool // writes a fact: obeys the dead time after a screen change and waits for the burst guard
	Quiet    bool // works, but only `?` shows it
}

// Match finds the binding of a key.
func Match(bs []Binding, key string) (Binding, bool) {
	for _, b := range bs {
		for _, k := range b.Keys {
			if k == key {
				return b, true
			}
		}
	}
	return Binding{}, false
}

// Move is the intent to move a selection or a scroll.
type Move uint8

const (
	Up Move = iota + 1
	Down
	PageUp
	PageDown
	Home
	End
)

// Lines is how far a Move goes in a window of h rows.
func (m Move) Lines(h int) int {
	switch m {
	case Up:
		return -1
	case Down:
		return 1
	case PageUp:
		return -max(1, h-1)
	case PageDown:
		return max(1, h-1)
	case Home:
		return -1 << 20
	case End:
		return 1 << 20
	}
	return 0
}

// MoveBindings are the movement keys, shown in `?` only.
func MoveBindings() []Binding {
	move := func(m Move, label Text, keys ...string) Binding {
		return Binding{Keys: keys, Intent: m, Label: label, Quiet: true}
	}
	return []Binding{
		move(Down, Text{"下へ", "down"}, "j", "down"), move(Up, Text{"上へ", "up"}, "k", "up"),
		move(PageDown, Text{"次のページ", "page down"}, "pgdown", "space"), move(PageUp, Text{"前のページ", "page up"}, "pgup", "b"),
		move(Home, Text{"先頭", "top"}, "home"), move(End, Text{"末尾", "end"}, "end"),
	}
}

// KeyName is a key as printed on Japanese and English keyboards.
func KeyName(k string) string {
	switch k {
	case "enter":
		return "Enter"
	case "esc":
		return "Esc"
	case "pgdown":
		return "PgDn"
	case "pgup":
		return "PgUp"
	case "ctrl+c":
		return "Ctrl-C"
	case "ctrl+l":
		return "Ctrl-L"
	case "space":
		return "Space"
	}
	return k
}

// Footer writes the bindings valid now, "g 真報  f 誤報", as many as fit into w cells; the rest is behind `?`.
func Footer(l Lang, bs []Binding, w int) string {
	out := ""
	for _, b := range bs {
		if b.Quiet {
			continue
		}
		next := KeyName(b.Keys[0]) + " " + l.T(b.Label)
		if out != "" {
			next = out + "  " + next
		}
		if Width(next) > w {
			break
		}
		out = next
	}
	return out
}

// Send makes a command of a message that is there already: navigation and notices, never I/O.
func Send(msg tea.Msg) tea.Cmd { return func() tea.Msg { return msg } }
