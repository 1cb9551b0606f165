package ui

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// geta (〓) is what Japanese type-setters put where a letter is missing. It is wide in every terminal.
const geta = '〓'

// Clean makes foreign text safe and calm to draw: no control, bidirectional or joining characters, half-width kana folded to
// full width, and no glyph whose width terminals disagree about (East Asian "ambiguous": arrows, circled digits, boxes; field.md §5.1).
// What cannot be shown becomes 〓. After Clean every rune takes one or two cells, and a line break is a blank.
func Clean(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	last := rune(0) // the rune before, held back because a mark may join it
	flush := func() {
		if last != 0 {
			b.WriteRune(last)
		}
		last = 0
	}
	for _, r := range s {
		if mark := kanaMark(r); mark != 0 || unicode.Is(unicode.M, r) {
			if one := compose(last, max(mark, 0), r); one != 0 {
				last = one
			}
			continue
		}
		flush()
		text, one := fold(r)
		b.WriteString(text)
		last = one
	}
	flush()
	return b.String()
}

// plain reports whether s is printable ASCII only, which most of a screen is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// kanaMark gives the combining form of a half-width (han)dakuten, else 0.
func kanaMark(r rune) rune {
	switch r {
	case 0xff9e:
		return 0x3099
	case 0xff9f:
		return 0x309a
	}
	return 0
}

// compose joins a mark to the rune before it when Unicode has one rune for both; otherwise the mark is dropped (0).
func compose(base, mark, r rune) rune {
	if base == 0 {
		return 0
	}
	if mark == 0 {
		mark = r
	}
	if unicode.In(base, unicode.Han) {
		return 0 // variation selectors of names: the base character is shown
	}
	one := []rune(norm.NFC.String(string([]rune{base, mark})))
	if len(one) != 1 {
		return 0
	}
	text, kept := fold(one[0])
	if text != "" {
		return 0
	}
	return kept
}

// fold gives what is drawn for r: text to write at once, and one rune that a following mark may still join.
func fold(r rune) (text string, one rune) {
	switch {
	case r >= 0x20 && r <= 0x7e:
		return "", r
	case r == '\n', r == '\t', r == 0xa0:
		return " ", 0
	case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == 0x2028, r == 0x2029:
		return "", 0
	case r >= 0xff61 && r <= 0xff9d: // half-width kana
		return "", []rune(norm.NFKC.String(string(r)))[0]
	case r >= 0x3041 && r <= 0x30ff, r >= 0x4e00 && r <= 0x9fff, r >= 0xff01 && r <= 0xff60, r == 0x3000, r == 0x3001, r == 0x3002:
		return "", r
	}
	if s, ok := safeSpelling(r); ok {
		return s, 0
	}
	if r >= 0x2460 && r < 0x2500 { // ① and its kin
		return asciiOf(r), 0
	}
	if !unicode.IsPrint(r) || r >= 0x1f000 && r < 0x20000 || r >= 0x2190 && r < 0x2c00 || !deskScript(r) {
		return string(geta), 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianAmbiguous:
		return asciiOf(r), 0
	}
	if ansi.StringWidth(string(r)) != cells(r) { // newer and older tables of Unicode disagree
		return string(geta), 0
	}
	return "", r
}

// deskScript reports whether the rune belongs to what every terminal of the desk draws alike.
func deskScript(r rune) bool {
	return unicode.In(r, unicode.Latin, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.P, unicode.S, unicode.N) ||
		r >= 0xac00 && r <= 0xd7a3 || unicode.In(r, unicode.Greek, unicode.Cyrillic)
}

// safeSpelling spells the ambiguous signs that telegrams and people really use.
func safeSpelling(r rune) (string, bool) {
	switch r {
	case '…':
		return "...", true
	case '※', '●', '○', '◎', '■', '□', '◆', '◇', '★', '☆', '▲', '△', '▼', '▽':
		return "*", true
	case '×':
		return "x", true
	case '°':
		return "度", true
	case '±':
		return "+-", true
	case '→':
		return "->", true
	case '←':
		return "<-", true
	case '↑':
		return "^", true
	case '↓':
		return "v", true
	case '“', '”':
		return `"`, true
	case '‘', '’':
		return "'", true
	case '‐', '‑', '‒', '–', '—', '―', '−', '─':
		return "-", true
	case '│', '┃', '¦':
		return "|", true
	}
	return "", false
}

// asciiOf spells an ambiguous rune in ASCII by its compatibility form (① is 1, Ⅳ is IV, é is e), else 〓.
func asciiOf(r rune) string {
	s := strings.Map(func(d rune) rune {
		if d < 0x20 || d > 0x7e {
			return -1
		}
		return d
	}, norm.NFKD.String(string(r)))
	if s == "" {
		return string(geta)
	}
	return s
}

// cells is the width of a rune that Clean has let through.
func cells(r rune) int {
	if r < 0x80 {
		return 1
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Width is the number of cells s takes once cleaned.
func Width(s string) int {
	n := 0
	for _, r := range Clean(s) {
		n += cells(r)
	}
	return n
}

// Cut gives at most w cells of s; a cut text ends with "..", so that nobody takes it for whole.
func Cut(s string, w int) string {
	s = Clean(s)
	if w <= 0 {
		return ""
	}
	if Width(s) <= w {
		return s
	}
	tail := ".."
	if w < 6 {
		tail = ""
	}
	head, _ := split(s, w-len(tail))
	return head + tail
}

// split cuts clean text after at most w cells.
func split(s string, w int) (head, rest string) {
	n := 0
	for i, r := range s {
		c := cells(r)
		if n+c > w {
			return s[:i], s[i:]
		}
		n += c
	}
	return s, ""
}

// Fit gives exactly w cells: cut, or filled with blanks on the right.
func Fit(s string, w int) string {
	s = Cut(s, w)
	return s + strings.Repeat(" ", max(0, w-Width(s)))
}

// Right gives exactly w cells, the text at the right edge. For figures.
func Right(s string, w int) string {
	s = Cut(s, w)
	return strings.Repeat(" ", max(0, w-Width(s))) + s
}

// Wrap breaks s into lines of at most w cells: at line breaks, at blanks where there is one, else between any two characters
// (Japanese needs no blank), never leaving 。 or 、 alone at a line's start.
func Wrap(s string, w int) []string {
	if w < 2 {
		w = 2
	}
	var out []string
	for _, line := range strings.Split(strings.ReplaceAll(s, "\r", ""), "\n") {
		out = append(out, wrapLine(Clean(line), w)...)
	}
	return out
}

func wrapLine(line string, w int) []string {
	var out []string
	for { // each turn looks at one line's worth: linear in the text, which may be foreign and long
		head, rest := split(line, w)
		if rest == "" {
			return append(out, line)
		}
		if blank := strings.LastIndexByte(head, ' '); blank > 0 && rest[0] != ' ' && inWord(head, rest) {
			head, rest = head[:blank], line[blank:]
		} else if at := len(line) - len(rest); at < len(line) {
			at -= carried(line[:at], rest)
			head, rest = line[:at], line[at:]
		}
		out = append(out, strings.TrimRight(head, " "))
		line = strings.TrimLeft(rest, " ")
	}
}

// carried is how many bytes at the end of head go down to the next line: as long as that would begin with a closing mark (行頭禁則), and
// with them the whole of a figure such as 7.8. At most a few characters, and never all of head.
func carried(head, rest string) int {
	at := len(head)
	next, _ := utf8.DecodeRuneInString(rest)
	for range 8 {
		last, size := utf8.DecodeLastRuneInString(head[:at])
		if size == 0 || size == at || !strings.ContainsRune("。、）」』！？", next) && !(at < len(head) && figure(last) && figure(next)) {
			break
		}
		at, next = at-size, last
	}
	return len(head) - at
}

func figure(r rune) bool { return r >= '0' && r <= '9' || r == '.' || r == ',' }

// inWord reports whether the cut falls inside an ASCII word.
func inWord(head, rest string) bool {
	return head[len(head)-1] < 0x80 && head[len(head)-1] != ' ' && rest[0] < 0x80
}
