package tuitest

import (
	"fmt"
	"html"
	"strconv"
	"strings"

	"yagura/tui/ui"
)

// The picture's cell grid, in pixels, and its colours where the screen names none.
const (
	cellW, cellH = 9, 20
	margin       = 18
	titleBar     = 34
	ink, paper   = "#d0d0d0", "#14171b"
	fonts        = "ui-monospace, 'Noto Sans Mono CJK JP', 'BIZ UDGothic', 'MS Gothic', 'Osaka-Mono', monospace"
)

// pen is the style of the cells that follow.
type pen struct {
	fore, back    string
	bold, reverse bool
}

// run is a piece of one line in one style. A run never mixes narrow and wide characters, so that its length is known whatever the font.
type run struct {
	pen
	at, cells int
	text      string
}

// SVG draws a screen with ANSI colour as a picture on a fixed grid of w by h cells: wide characters take two cells, and every run of
// text carries its length, so that no font can break the grid. Nothing foreign is referred to.
func SVG(screen, title string, w, h int) string {
	var b strings.Builder
	width, height := w*cellW+2*margin, h*cellH+2*margin+titleBar
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n", width, height, width, height, html.EscapeString(title))
	fmt.Fprintf(&b, `<style>text{font-family:%s;font-size:16px;white-space:pre}.b{font-weight:700}</style>`+"\n", fonts)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" rx="12" fill="%s"/>`+"\n", width, height, paper)
	fmt.Fprintf(&b, `<path d="M0 %d V12 A12 12 0 0 1 12 0 H%d A12 12 0 0 1 %d 12 V%d Z" fill="#22262c"/>`+"\n", titleBar, width-12, width, titleBar)
	for i, colour := range []string{"#e0605a", "#e0b050", "#5fb878"} {
		fmt.Fprintf(&b, `<circle cx="%d" cy="17" r="6" fill="%s"/>`+"\n", 22+20*i, colour)
	}
	fmt.Fprintf(&b, `<text x="%d" y="22" text-anchor="middle" font-size="13" fill="#8a929c" style="font-size:13px">%s</text>`+"\n", width/2, html.EscapeString(title))
	for y, line := range strings.SplitN(screen, "\n", h+1)[:min(h, strings.Count(screen, "\n")+1)] {
		drawLine(&b, runs(line), titleBar+margin+y*cellH)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func drawLine(b *strings.Builder, line []run, top int) {
	for _, r := range line {
		if _, back := r.colours(); back != paper {
			fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", margin+r.at*cellW, top, r.cells*cellW, cellH, back)
		}
	}
	for _, r := range line {
		if strings.TrimSpace(r.text) == "" {
			continue
		}
		fore, _ := r.colours()
		class := ""
		if r.bold {
			class = ` class="b"`
		}
		fmt.Fprintf(b, `<text x="%d" y="%d" textLength="%d" lengthAdjust="spacingAndGlyphs"%s fill="%s">%s</text>`+"\n",
			margin+r.at*cellW, top+15, r.cells*cellW, class, fore, html.EscapeString(r.text))
	}
}

func (p pen) colours() (fore, back string) {
	fore, back = p.fore, p.back
	if fore == "" {
		fore = ink
	}
	if back == "" {
		back = paper
	}
	if p.reverse {
		return back, fore
	}
	return fore, back
}

// runs cuts a line at every change of style and between narrow and wide characters; blanks between words end a run as well.
func runs(line string) []run {
	var out []run
	var p pen
	at := 0
	for line != "" {
		if code, rest, ok := escape(line); ok {
			p, line = p.after(code), rest
			continue
		}
		r := []rune(line[:min(len(line), 4)])[0]
		char := string(r)
		line = line[len(char):]
		wide := ui.Width(char)
		if n := len(out); n > 0 && out[n-1].pen == p && joins(out[n-1].text, char, wide) {
			out[n-1].text += char
			out[n-1].cells += wide
		} else {
			out = append(out, run{pen: p, at: at, cells: wide, text: char})
		}
		at += wide
	}
	return out
}

func joins(before, char string, wide int) bool {
	last := []rune(before)
	return (before[len(before)-1] == ' ') == (char == " ") && ui.Width(string(last[len(last)-1])) == wide
}

// escape splits an SGR sequence off the beginning of s.
func escape(s string) (code, rest string, ok bool) {
	if !strings.HasPrefix(s, "\x1b[") {
		return "", s, false
	}
	end := strings.IndexByte(s, 'm')
	if end < 0 {
		return "", "", true
	}
	return s[2:end], s[end+1:], true
}

// after is the pen after an SGR sequence: what the desk's theme uses, the 256 colours, bold and reverse.
func (p pen) after(code string) pen {
	parts := strings.Split(code, ";")
	for i := 0; i < len(parts); i++ {
		switch n, _ := strconv.Atoi(parts[i]); {
		case n == 0:
			p = pen{}
		case n == 1:
			p.bold = true
		case n == 7:
			p.reverse = true
		case (n == 38 || n == 48) && i+2 < len(parts) && parts[i+1] == "5":
			index, _ := strconv.Atoi(parts[i+2])
			if n == 38 {
				p.fore = palette(index)
			} else {
				p.back = palette(index)
			}
			i += 2
		}
	}
	return p
}

// palette is xterm's table of 256 colours; the first 16, which every terminal paints as it likes, as most do.
func palette(n int) string {
	switch {
	case n < 16:
		return []string{
			"#000000", "#cd3131", "#0dbc79", "#e5e510", "#2472c8", "#bc3fbc", "#11a8cd", "#e5e5e5",
			"#666666", "#f14c4c", "#23d18b", "#f5f543", "#3b8eea", "#d670d6", "#29b8db", "#ffffff",
		}[max(0, n)]
	case n < 232:
		level := func(v int) int {
			if v == 0 {
				return 0
			}
			return 55 + 40*v
		}
		n -= 16
		return fmt.Sprintf("#%02x%02x%02x", level(n/36), level(n/6%6), level(n%6))
	}
	grey := 8 + 10*(n-232)
	return fmt.Sprintf("#%02x%02x%02x", grey, grey, grey)
}
