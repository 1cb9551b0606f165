package ui_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"yagura/store/desk"
	"yagura/tui/tuitest"
	"yagura/tui/ui"
)

func TestListSticksToItsKey(t *testing.T) {
	var l ui.List[int]
	if _, ok := l.Selected(); ok {
		t.Fatal("an empty list has a selection")
	}
	l = l.Set([]int{1, 2, 3}, false, false).Move(ui.Down, 3)
	l = l.Set([]int{9, 1, 2, 3}, false, false)
	if k, _ := l.Selected(); k != 2 {
		t.Fatalf("the selection moved to %d", k)
	}
	l = l.Set([]int{8, 9, 1, 2, 3}, true, true)
	if l.New() != 1 || !slices.Equal(l.Visible(9), []int{9, 1, 2, 3}) {
		t.Fatalf("frozen: %d new, %v", l.New(), l.Visible(9))
	}
	l = l.Refresh()
	if k, _ := l.Selected(); k != 8 || l.New() != 0 {
		t.Fatalf("after refresh %d is selected, %d new", k, l.New())
	}
	l = l.Set([]int{9, 1}, false, false)
	if k, ok := l.Selected(); !ok || k != 9 {
		t.Fatalf("a vanished key stays selected: %d", k)
	}
}

func TestListWindow(t *testing.T) {
	keys := make([]int, 100)
	for i := range keys {
		keys[i] = i
	}
	l := ui.List[int]{}.Set(keys, false, false)
	for _, move := range []ui.Move{ui.Down, ui.PageDown, ui.End, ui.PageUp, ui.Up, ui.Home, ui.Up} {
		l = l.Move(move, 10)
		k, _ := l.Selected()
		if v := l.Visible(10); len(v) != 10 || !slices.Contains(v, k) {
			t.Fatalf("after %d: %v without %d", move, v, k)
		}
	}
	if len(l.Visible(0)) != 0 {
		t.Fatal("no room shows rows")
	}
}

func press(p *ui.Prompt, keys ...string) (*ui.Prompt, ui.Answer) {
	var a ui.Answer
	for _, k := range keys {
		if p == nil {
			break
		}
		p, a = p.Update(tuitest.Key(k))
	}
	return p, a
}

func TestPrompts(t *testing.T) {
	text := func(k ui.PromptKind) *ui.Prompt { return ui.NewPrompt(k, ui.Text{JA: "問い"}, 5, nil) }
	if _, a := press(text(ui.FreeText), "取", "消", "backspace", "止", "enter"); !a.Done || a.Text != "取止" {
		t.Errorf("free text: %+v", a)
	}
	if p, a := press(text(ui.FreeText), "enter"); a.Done || p == nil || p.Warn.JA == "" {
		t.Errorf("empty text was taken: %+v", a)
	}
	if _, a := press(text(ui.FreeText), "a", "esc"); !a.Cancelled {
		t.Errorf("esc: %+v", a)
	}
	if _, a := press(text(ui.FreeText), "a", "b", "c", "d", "e", "f", "enter"); a.Text != "abcde" {
		t.Errorf("the limit is not kept: %q", a.Text)
	}
	if _, a := press(text(ui.Digits), "1", "あ", "x", "２", "2", "enter"); a.Text != "12" {
		t.Errorf("digits: %q", a.Text)
	}
	p, _ := text(ui.Digits).Update(tea.PasteMsg{Content: "123"})
	if _, a := press(p, "enter"); a.Done {
		t.Error("a pasted head-count was taken")
	}
	p, _ = text(ui.FreeText).Update(tea.PasteMsg{Content: "a\x1b\nb"})
	if _, a := press(p, "enter"); a.Text != "a b" {
		t.Errorf("paste: %q", a.Text)
	}
	one := ui.NewChoice(ui.Text{JA: "どれ"}, nil, ui.Choice{Key: "1"}, ui.Choice{Key: "2"})
	if _, a := press(one, "9", "enter", "2"); !a.Done || a.Text != "2" {
		t.Errorf("choice: %+v", a)
	}
}

func TestPromptLinesKeepTheirWidth(t *testing.T) {
	f := ui.Frame{W: 80, H: 19, Theme: ui.ThemeFor(desk.Live)}
	p := ui.NewPrompt(ui.FreeText, ui.Text{JA: strings.Repeat("長い問い", 30)}, 200, nil)
	for range 120 {
		p, _ = p.Update(tuitest.Key("字"))
	}
	ask, input, cursor := p.Lines(f, 80)
	if ansi.StringWidth(ask) != 80 || ansi.StringWidth(input) != 80 || cursor < 0 || cursor >= 80 {
		t.Fatalf("%d, %d cells, cursor at %d", ansi.StringWidth(ask), ansi.StringWidth(input), cursor)
	}
}

func TestFooterShowsWholeKeysOnly(t *testing.T) {
	bs := []ui.Binding{
		{Keys: []string{"enter"}, Label: ui.Text{JA: "開く"}},
		{Keys: []string{"q"}, Label: ui.Text{JA: "見えない"}, Quiet: true},
		{Keys: []string{"s"}, Label: ui.Text{JA: "送信"}},
	}
	if got := ui.Footer(ui.JA, bs, 80); got != "Enter 開く  s 送信" {
		t.Errorf("%q", got)
	}
	if got := ui.Footer(ui.JA, bs, 15); got != "Enter 開く" {
		t.Errorf("cut: %q", got)
	}
}

func TestFreshGreysOldData(t *testing.T) {
	now := time.Date(2024, 1, 1, 16, 0, 0, 0, desk.JST)
	f := ui.Frame{W: 40, H: 2, Now: now, Theme: ui.ThemeFor(desk.Live)}
	body := f.Theme.Alarm.Render("x") + "\ny"
	if got := ui.Fresh(f, now.Add(-11*time.Second), body); got != body {
		t.Errorf("fresh data was changed: %q", got)
	}
	got := ui.Fresh(f, now.Add(-12*time.Second), body)
	if !strings.Contains(ansi.Strip(got), "データが古い 12秒前") || strings.Contains(got, f.Theme.Alarm.Render("x")) {
		t.Errorf("old data looks fresh: %q", got)
	}
	if got := ui.Fresh(f, time.Time{}, body); !strings.Contains(got, "読み込み中") {
		t.Errorf("nothing read yet: %q", got)
	}
}
