package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// PromptKind says what a prompt takes.
type PromptKind uint8

const (
	FreeText PromptKind = iota + 1 // a sentence; the Japanese input method works at the real cursor
	Digits                         // digits only, so that the input method cannot interfere (field.md 5.2-2)
	OneOf                          // one key out of Choices, taken at once
)

// Prompt is the one question the desk can ask at a time. It is drawn in the two bottom rows, always at the same place.
type Prompt struct {
	Kind    PromptKind
	Ask     Text
	Choices []Choice
	Tag     any // what the screen wants to know when the answer comes
	Must    bool
	input   field
	Warn    Text // why the last Enter was not taken
}

// Choice is one answer of a OneOf prompt.
type Choice struct {
	Key   string
	Label Text
}

// Answer is what came out of a prompt: still open, given or given up.
type Answer struct {
	Done, Cancelled bool
	Text            string
}

// NewPrompt opens a prompt. limit is the longest text in characters.
func NewPrompt(kind PromptKind, ask Text, limit int, tag any) *Prompt {
	return &Prompt{Kind: kind, Ask: ask, Tag: tag, input: field{limit: limit}, Must: true}
}

// NewChoice opens a prompt that is answered with one key.
func NewChoice(ask Text, tag any, choices ...Choice) *Prompt {
	return &Prompt{Kind: OneOf, Ask: ask, Tag: tag, Choices: choices}
}

// Update feeds a key or a paste and gives the prompt that follows; the prompt it was called on is not changed.
func (p Prompt) Update(msg tea.Msg) (*Prompt, Answer) {
	key, isKey := msg.(tea.KeyPressMsg)
	if isKey && (key.String() == "esc" || key.String() == "ctrl+c") {
		return nil, Answer{Cancelled: true}
	}
	if p.Kind == OneOf {
		for _, c := range p.Choices {
			if isKey && key.String() == c.Key {
				return nil, Answer{Done: true, Text: c.Key}
			}
		}
		return &p, Answer{}
	}
	if isKey && key.String() == "enter" {
		text := strings.TrimSpace(p.input.value())
		if text == "" && p.Must {
			p.Warn = Text{"空欄では進めません。", "This must not be empty."}
			return &p, Answer{}
		}
		return nil, Answer{Done: true, Text: text}
	}
	if p.Kind == Digits {
		if _, pasted := msg.(tea.PasteMsg); pasted {
			return &p, Answer{} // the number must be typed by a person
		}
		if isKey && key.Text != "" && (len(key.Text) != 1 || key.Text[0] < '0' || key.Text[0] > '9') {
			p.Warn = Text{"半角の数字だけを入力してください。", "Digits only."}
			return &p, Answer{}
		}
	}
	p.Warn = Text{}
	p.input = p.input.update(msg)
	return &p, Answer{}
}

// Lines draws the prompt in two rows of w cells and gives the column of the cursor in the second, -1 for none.
func (p Prompt) Lines(f Frame, w int) (ask, input string, cursor int) {
	question := f.Lang.T(p.Ask)
	if p.Warn != (Text{}) {
		question = f.Lang.T(p.Warn) + " " + question
	}
	ask = f.Theme.Strong.Render(Fit(question, w))
	if p.Kind == OneOf {
		parts := make([]string, 0, len(p.Choices)+1)
		for _, c := range p.Choices {
			parts = append(parts, KeyName(c.Key)+" "+f.Lang.T(c.Label))
		}
		parts = append(parts, "Esc "+f.Lang.T(Text{"やめる", "cancel"}))
		return ask, f.Theme.Select.Render(Fit(" "+strings.Join(parts, "   "), w)), -1
	}
	before := Clean(string(p.input.runes[:p.input.at]))
	room := max(1, w-24)
	for Width(before) > room { // a long sentence scrolls to the left
		_, before = split(before, 2)
	}
	after := Clean(string(p.input.runes[p.input.at:]))
	hint := f.Lang.T(Text{"Enter 決定  Esc やめる", "Enter ok  Esc cancel"})
	text := Fit("> "+before+after, max(0, w-Width(hint)-1))
	return ask, f.Theme.Select.Render(Fit(text+" "+hint, w)), 2 + Width(before)
}
