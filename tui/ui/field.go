package ui

import (
	"slices"
	"unicode"

	tea "charm.land/bubbletea/v2"
)

// field is a line of text being typed. The stock text input is not used: it reaches for the clipboard of the machine it runs on,
// which at this desk is the server.
type field struct {
	runes []rune
	at    int // cursor, in runes
	limit int
}

func (f field) value() string { return string(f.runes) }

// update gives the field after a key or a paste; the slice of the field it was called on is never written.
func (f field) update(msg tea.Msg) field {
	switch msg := msg.(type) {
	case tea.PasteMsg:
		return f.insert(msg.Content)
	case tea.KeyPressMsg:
		switch msg.String() {
		case "left", "ctrl+b":
			f.at = max(0, f.at-1)
		case "right", "ctrl+f":
			f.at = min(len(f.runes), f.at+1)
		case "home", "ctrl+a":
			f.at = 0
		case "end", "ctrl+e":
			f.at = len(f.runes)
		case "backspace", "ctrl+h":
			return f.remove(f.at-1, f.at)
		case "delete", "ctrl+d":
			return f.remove(f.at, f.at+1)
		case "ctrl+u":
			return f.remove(0, f.at)
		default:
			return f.insert(msg.Text)
		}
	}
	return f
}

func (f field) insert(s string) field {
	for _, r := range s {
		if len(f.runes) >= f.limit {
			break
		}
		if r == '\n' || r == '\t' {
			r = ' '
		}
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			continue
		}
		f.runes = slices.Insert(slices.Clone(f.runes), f.at, r)
		f.at++
	}
	return f
}

func (f field) remove(from, to int) field {
	from, to = max(0, from), min(to, len(f.runes))
	if from >= to {
		return f
	}
	f.runes = slices.Delete(slices.Clone(f.runes), from, to)
	f.at = from
	return f
}
