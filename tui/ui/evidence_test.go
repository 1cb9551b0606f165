package ui_test

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"yagura/store/desk"
	"yagura/tui/ui"
)

func TestSays(t *testing.T) {
	shaken := []desk.PrefectureIntensity{{Code: 15, Name: "新潟県", Intensity: desk.Intensity6Lower}, {Code: 17, Name: "石川県", Intensity: desk.Intensity7}}
	for name, c := range map[string]struct {
		in   desk.Telegram
		want string
	}{
		"速報":        {desk.Telegram{MaxIntensity: desk.Intensity7, Prefectures: shaken}, "震度7 石川県ほか1"},
		"one place": {desk.Telegram{MaxIntensity: desk.Intensity7, Prefectures: shaken[1:]}, "震度7 石川県"},
		"source":    {desk.Telegram{Hypocenters: []desk.Hypocenter{{Name: "能登半島沖", MagnitudeText: "Ｍ５．８"}}}, "能登半島沖 M5.8"},
		"warning": {desk.Telegram{
			ForecastIntensity: &desk.IntensityRange{From: desk.Intensity6Lower, Over: true}, Assumed: true,
			Hypocenters: []desk.Hypocenter{{Name: "仮定"}},
		}, "予測震度6弱"},
		"tsunami": {desk.Telegram{Tsunami: []desk.TsunamiArea{{Grade: desk.TsunamiWarning}, {Grade: desk.TsunamiMajorWarning}, {Grade: desk.TsunamiWarning}}}, "大津波警報 1区域"},
		"lifted":  {desk.Telegram{Tsunami: []desk.TsunamiArea{{Grade: desk.TsunamiLifted}}}, "津波解除 1区域"},
		"words":   {desk.Telegram{Headline: "先ほどの情報を取り消します。", Phase: desk.Cancelled}, "先ほどの情報を取り消します。"},
		"nothing": {desk.Telegram{}, ""},
	} {
		if got := ui.JA.Says(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestNarrow(t *testing.T) {
	if got := ui.Narrow("石川県 震度７ Ｍ７．６（ＥＥＷ）ー"); got != "石川県 震度7 M7.6（EEW）ー" {
		t.Error(got)
	}
}

// Contradictions stand first and their sentences are whole, however narrow the page.
func TestEvidenceKeepsEveryWord(t *testing.T) {
	a := &desk.Advice{Checks: []desk.Check{
		{Result: desk.Passed, Text: "通常の電文です。", Detail: "数値"},
		{Result: desk.Undetermined, Text: "別の情報源はまだありません。"},
		{Result: desk.Contradicts, Text: "震度７なのに緊急地震速報（警報）がありません。直前１０分の緊急地震速報は０通です。"},
	}}
	if text, bad := ui.JA.Verdict(a); !bad || text != " 矛盾 1 件  確認 1 件  不明 1 件 " {
		t.Errorf("%q %v", text, bad)
	}
	for _, w := range []int{20, 30, 78, 120} {
		f := ui.Frame{W: w, H: 20, Theme: ui.ThemeFor(desk.Live)}
		p := ui.NewPage(w)
		p.Evidence(f, a, w > 100)
		plain := ansi.Strip(p.Window(f, 0, 20))
		for _, l := range strings.Split(plain, "\n") {
			if ui.Width(l) != w {
				t.Fatalf("%d cells: %q", w, l)
			}
		}
		flat := strings.NewReplacer("\n", "", " ", "").Replace(plain)
		if !strings.HasPrefix(flat, "矛盾震度7なのに") || !strings.Contains(flat, "0通です。確認通常の電文です。") || strings.Contains(flat, "数値") != (w > 100) {
			t.Errorf("%d: %s", w, plain)
		}
	}
}

// TestPlacesOfWhatShakesNothing: under a weather warning "no intensity given" would read as if all were well.
func TestPlacesOfWhatShakesNothing(t *testing.T) {
	for hazard, lines := range map[desk.Hazard]int{desk.Earthquake: 2, desk.Weather: 0, desk.Volcano: 0, desk.Missile: 0} {
		p := ui.NewPage(60)
		p.Places(ui.Frame{W: 60, H: 20, Theme: ui.ThemeFor(desk.Live)}, desk.Event{Hazard: hazard})
		if p.Len() != lines {
			t.Errorf("%s: %d lines", hazard, p.Len())
		}
	}
}
