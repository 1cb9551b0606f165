package ui_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"yagura/store/desk"
	"yagura/tui/ui"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain text", "plain text"},
		{"ｶﾞﾊﾟﾊﾞｯｼｰﾄ", "ガパバッシート"},
		{"震度６強　Ｍ７．６", "震度６強　Ｍ７．６"},
		{"①→②…※±3°", "1->2...*+-3度"},
		{"a\x1b[31mred\x07\u202eevil\u200d", "a[31mredevil"},
		{"髙橋 﨑 𠮷田", "髙橋 﨑 𠮷田"},
		{"葛\U000e0100城", "葛城"},
		{"か\u3099た", "がた"},
		{"José Ⅳ", "Jose IV"},
		{"😀ありがとう🇯🇵", "〓ありがとう〓〓"},
		{"line\nbreak\ttab", "line break tab"},
		{"\xff\xfe壊", "壊"},
		{"─│●■", "-|**"},
	} {
		if got := ui.Clean(c.in); got != c.want {
			t.Errorf("Clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestFitAndCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		w    int
		want string
	}{
		{"石川県", 8, "石川県  "},
		{"石川県能登地方", 8, "石川県.."},
		{"石川県能登地方", 9, "石川県.. "},
		{"石川", 3, "石 "},
		{"abcdef", 4, "abcd"},
		{"", 3, "   "},
		{"石", 0, ""},
	} {
		if got := ui.Fit(c.in, c.w); got != c.want {
			t.Errorf("Fit(%q, %d) = %q, want %q", c.in, c.w, got, c.want)
		}
	}
	if got := ui.Right("12人", 6); got != "  12人" {
		t.Errorf("Right: %q", got)
	}
}

func TestWrap(t *testing.T) {
	got := ui.Wrap("安否を確認しています。\nthe quick brown fox", 12)
	want := "安否を確認し|ています。|the quick|brown fox"
	if strings.Join(got, "|") != want {
		t.Errorf("Wrap: %q", got)
	}
	if got := ui.Wrap("あいうえお。", 10); strings.Join(got, "|") != "あいうえ|お。" {
		t.Errorf("a full stop stands alone: %q", got)
	}
	if got := ui.Wrap("震度は7.8）。以上", 12); strings.Join(got, "|") != "震度は|7.8）。以上" {
		t.Errorf("a figure was torn, or a line begins with a closing mark: %q", got)
	}
	if got := ui.Wrap(strings.Repeat("。", 40), 4); len(got) < 20 || strings.Join(got, "") != strings.Repeat("。", 40) {
		t.Errorf("closing marks alone: %q", got)
	}
}

// Whatever comes in: no control character goes out, the width is never exceeded, and the renderer counts the same cells.
func FuzzCells(f *testing.F) {
	for _, s := range []string{"ｶﾞ①→…", "a\x1b]0;x\x07", "か\u3099\u3099", "e\u0301", "\u1112\u1161\u11ab", "👨‍👩‍👧", "葛\U000e0100", "\xf0\x9f", "กำ", "\u0600ab", "क्षि", "。、", "🇯🇵x", "\u00ad\u2060"} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, w int) {
		w = max(-2, w%200)
		c := ui.Clean(s)
		if !utf8.ValidString(c) {
			t.Fatalf("not UTF-8: %q", c)
		}
		for _, r := range c {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.M) {
				t.Fatalf("%U is left in %q", r, c)
			}
		}
		if again := ui.Clean(c); again != c {
			t.Fatalf("cleaning twice changes %q to %q", c, again)
		}
		if a, b := ansi.StringWidth(c), ui.Width(c); a != b {
			t.Fatalf("the renderer counts %d cells, we count %d: %q", a, b, c)
		}
		if n := ui.Width(ui.Cut(s, w)); n > max(0, w) {
			t.Fatalf("Cut to %d gives %d cells", w, n)
		}
		for _, fitted := range []string{ui.Fit(s, w), ui.Right(s, w)} {
			if n := ui.Width(fitted); n != max(0, w) {
				t.Fatalf("filled to %d cells instead of %d: %q", n, w, fitted)
			}
		}
		for _, l := range ui.Wrap(s, max(2, w)) {
			if n := ui.Width(l); n > max(2, w) {
				t.Fatalf("wrapped to %d, a line has %d: %q", w, n, l)
			}
		}
	})
}

// No text of the desk's own may hold a glyph whose width terminals disagree about (field.md 5.2-25): Clean must leave it alone.
func TestOwnWordsAreSafe(t *testing.T) {
	var words []string
	for _, l := range []ui.Lang{ui.JA, ui.EN} {
		for _, m := range []desk.Mode{desk.Live, desk.Drill, desk.Test, ""} {
			words = append(words, l.ModeMark(m))
			if ui.Width(l.ModeMark(m)) != 4 {
				t.Errorf("%q is not four cells", l.ModeMark(m))
			}
		}
		for g := range desk.Grade(5) {
			words = append(words, l.GradeMark(g))
		}
		for _, s := range desk.DispatchStates() {
			words = append(words, l.State(s))
		}
	}
	for _, m := range []desk.Mode{desk.Live, desk.Drill, desk.Test} {
		words = append(words, ui.ThemeFor(m).Rule, ui.ThemeFor(m).Subject)
	}
	for _, w := range words {
		if ui.Clean(w) != w {
			t.Errorf("%q has an unsafe glyph", w)
		}
	}
}

func TestTimesAndFigures(t *testing.T) {
	now := time.Date(2024, 1, 2, 0, 30, 0, 0, desk.JST)
	for _, c := range []struct{ got, want string }{
		{ui.When(now.Add(-10*time.Minute).UTC(), now), "00:20"},
		{ui.When(now.Add(-time.Hour), now), "01-01 23:30"},
		{ui.When(now.AddDate(-1, 0, 0), now), "2023-01-02 00:30"},
		{ui.When(time.Time{}, now), "--:--"},
		{ui.JA.Elapsed(80 * time.Minute), "1時間20分"},
		{ui.JA.Elapsed(-time.Second), "0秒"},
		{ui.EN.Elapsed(50 * time.Hour), "2d2h"},
		{ui.Count(11500), "11,500"},
		{ui.Count(999), "999"},
		{ui.Count(-1234567), "-1,234,567"},
		{ui.Bar(1, 1000, 10), "#........."},
		{ui.Bar(999, 1000, 10), "#########."},
		{ui.Bar(5, 0, 4), "...."},
		{ui.Bar(7, 5, 3), "###"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	if ui.Percent(15499, 15500) != 99 || ui.Percent(15500, 15500) != 100 || ui.Percent(1, 0) != 0 {
		t.Error("a percentage says all before it is all")
	}
}
