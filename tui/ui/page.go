package ui

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"yagura/store/desk"
)

// Frame is what a screen may know when it draws: its room, the desk's clock, the language and the look.
type Frame struct {
	W, H  int
	Now   time.Time
	Lang  Lang
	Theme Theme
	Plain bool // the terminal has no colour
}

// World is the look of a row that belongs to another world than the screen.
func (f Frame) World(m desk.Mode) Theme {
	if f.Plain {
		return ThemeFor(m).Plain()
	}
	return ThemeFor(m)
}

// Page collects lines of exactly W cells. Lines carry colour; the width is counted before colour is put on.
type Page struct {
	W     int
	lines []string
}

// NewPage starts an empty page of w cells.
func NewPage(w int) *Page { return &Page{W: max(w, 1)} }

// Span is a piece of one line with its own style.
type Span struct {
	Style lipgloss.Style
	Text  string
}

// Line adds one line, cut or filled to the width.
func (p *Page) Line(s lipgloss.Style, text string) {
	p.lines = append(p.lines, s.Render(Fit(text, p.W)))
}

// Blank adds an empty line.
func (p *Page) Blank() { p.lines = append(p.lines, strings.Repeat(" ", p.W)) }

// Para adds a paragraph: the mark, then the text wrapped and indented by the mark's width.
func (p *Page) Para(s lipgloss.Style, mark, text string) {
	in := Width(mark)
	for i, l := range Wrap(text, p.W-in) {
		if i > 0 {
			mark = strings.Repeat(" ", in)
		}
		p.Line(s, mark+l)
	}
}

// Spans adds one line of several styles; what does not fit is cut from the right.
func (p *Page) Spans(spans ...Span) {
	var b strings.Builder
	left := p.W
	for _, s := range spans {
		text := Cut(s.Text, left)
		left -= Width(text)
		b.WriteString(s.Style.Render(text))
	}
	b.WriteString(strings.Repeat(" ", left))
	p.lines = append(p.lines, b.String())
}

// Rule adds a heading that runs into a line of the theme's pattern.
func (p *Page) Rule(t Theme, title string) {
	if title != "" {
		title = "-- " + title + " "
	}
	fill := strings.Repeat(t.Rule, p.W/max(1, Width(t.Rule))+1)
	w := max(0, p.W-Width(title))
	head, _ := split(fill, w)
	p.Spans(Span{t.Strong, title}, Span{t.Dim, head})
}

// Len is the number of lines so far.
func (p *Page) Len() int { return len(p.lines) }

// Columns adds two pages side by side, two blanks between them.
func (p *Page) Columns(left, right *Page) {
	for i := range max(left.Len(), right.Len()) {
		p.lines = append(p.lines, left.at(i)+"  "+right.at(i))
	}
}

func (p *Page) at(i int) string {
	if i < len(p.lines) {
		return p.lines[i]
	}
	return strings.Repeat(" ", p.W)
}

// Window gives exactly h lines from the top-th on; when lines are hidden, the last row says how many.
func (p *Page) Window(f Frame, top, h int) string {
	top = clamp(top, 0, max(0, p.Len()-h))
	out := make([]string, h)
	for i := range h {
		out[i] = p.at(top + i)
	}
	if more := p.Len() - top - h; more > 0 && h > 2 {
		more++ // the row used for saying so
		out[h-1] = f.Theme.Dim.Render(Right(f.Lang.F(Text{"-- 下にあと %d 行 (PgDn) --", "-- %d more lines below (PgDn) --"}, more), p.W))
	}
	return strings.Join(out, "\n")
}

// StaleAfter is how old a panel's data may be: two missed polls.
const StaleAfter = 12 * time.Second

// Fresh greys a whole panel whose data is old and says so in its first line, so that nobody decides on it unaware.
// A zero asOf means that nothing was read yet.
func Fresh(f Frame, asOf time.Time, body string) string {
	if asOf.IsZero() {
		p := NewPage(f.W)
		p.Line(f.Theme.Dim, f.Lang.T(Text{"読み込み中です...", "Loading..."}))
		return p.Window(f, 0, f.H)
	}
	age := f.Now.Sub(asOf)
	if age < StaleAfter {
		return body
	}
	lines := strings.Split(body, "\n")
	for i, l := range lines {
		lines[i] = f.Theme.Stale.Render(ansi.Strip(l))
	}
	warn := f.Lang.F(Text{" データが古い %s前 ", " data is old: %s ago "}, f.Lang.Elapsed(age))
	lines[0] = f.Theme.Watch.Render(Right(warn, f.W))
	return strings.Join(lines, "\n")
}

// Scroll is the first line shown. It moves by intents and never past the end.
type Scroll int

// Move gives the scroll after a Move intent on a content of n lines in h rows.
func (s Scroll) Move(by Move, n, h int) Scroll {
	return Scroll(clamp(int(s)+by.Lines(h), 0, max(0, n-h)))
}

func clamp(n, low, high int) int { return max(low, min(n, high)) }

// Bar draws part of whole in w cells as "####....", in ASCII because block glyphs differ in width.
func Bar(part, whole, w int) string {
	if w <= 0 {
		return ""
	}
	n := 0
	if whole > 0 {
		n = clamp(part*w/whole, 0, w)
		if part > 0 && n == 0 {
			n = 1 // something is not nothing
		}
	}
	return strings.Repeat("#", n) + strings.Repeat(".", w-n)
}

// CountDown draws the time left before anything leaves: seconds, then a bar that empties.
func CountDown(f Frame, notBefore time.Time, whole time.Duration, w int) string {
	left := max(0, notBefore.Sub(f.Now))
	sec := int((left + time.Second - 1) / time.Second)
	return f.Lang.F(Text{"送信まで %2d秒 ", "sends in %2ds "}, sec) + Bar(int(left/time.Millisecond), int(whole/time.Millisecond), max(0, w-14))
}
