package ui

import (
	"strings"

	"charm.land/lipgloss/v2"

	"yagura/store/desk"
)

var evidenceWords = struct {
	against, open, passed                                   Text
	places, provisional, intensity, noPlaces, hypocenter    Text
	tsunami, depth, depthUnknown, shallow, forecast, others Text
	areas, clean, contradict                                Text
}{
	against: Text{" 矛盾 ", "AGAINST"}, passed: Text{" 確認 ", "  ok   "}, open: Text{" 不明 ", "unknown"},
	places: Text{"震度と地域", "Where"}, provisional: Text{"(未入電のため仮)", "(provisional)"},
	intensity: Text{"震度", "Int "}, noPlaces: Text{"震度の情報はありません。", "No intensity given."},
	hypocenter: Text{"震源", "Source"}, tsunami: Text{"津波", "Tsunami"},
	depth: Text{"深さ %.0fkm", "depth %.0f km"}, depthUnknown: Text{"深さ不明", "depth unknown"}, shallow: Text{"ごく浅い", "very shallow"},
	forecast: Text{"予測震度", "forecast "}, others: Text{"ほか%d", " +%d"}, areas: Text{"%d区域", "%d areas"},
	contradict: Text{" 矛盾 %d 件  確認 %d 件  不明 %d 件 ", " %d against  %d for  %d unknown "},
	clean:      Text{"矛盾なし  確認 %d 件  不明 %d 件", "nothing against  %d for  %d unknown"},
}

// Verdict counts the checks in one sentence: what a tired person needs first. bad means that something contradicts.
func (l Lang) Verdict(a *desk.Advice) (text string, bad bool) {
	passed, open := 0, 0
	for _, c := range a.Checks {
		switch c.Result {
		case desk.Passed:
			passed++
		case desk.Undetermined:
			open++
		}
	}
	if n := a.Contradictions(); n > 0 {
		return l.F(evidenceWords.contradict, n, passed, open), true
	}
	return l.F(evidenceWords.clean, passed, open), false
}

// Evidence lists the checks of an advice, contradictions first and in full (field.md 5.2-12).
func (p *Page) Evidence(f Frame, a *desk.Advice, detail bool) {
	for _, part := range []struct {
		result      desk.Result
		mark        Text
		chip, style lipgloss.Style
	}{
		{desk.Contradicts, evidenceWords.against, f.Theme.Alarm, f.Theme.Strong},
		{desk.Passed, evidenceWords.passed, f.Theme.Good, f.Theme.Good},
		{desk.Undetermined, evidenceWords.open, f.Theme.Dim, f.Theme.Dim},
	} {
		for _, c := range a.Checks {
			if c.Result != part.result {
				continue
			}
			chip := Span{part.chip, f.Lang.T(part.mark)}
			for _, line := range Wrap(Narrow(c.Text), p.W-Width(chip.Text)-1) {
				p.Spans(chip, Span{part.style, " " + line})
				chip = Span{part.style, strings.Repeat(" ", Width(chip.Text))}
			}
			if c.Detail != "" && detail {
				p.Para(f.Theme.Dim, "       ", Narrow(c.Detail))
			}
		}
	}
}

// Places lists prefectures by intensity, strongest first; a provisional 5弱 says so. Then the source and the tsunami.
func (p *Page) Places(f Frame, ev desk.Event) {
	if ev.Hazard != desk.Earthquake && len(ev.Prefectures) == 0 {
		return // a check says where (CheckAreas); to say that no intensity is given would read as all is well
	}
	p.Rule(f.Theme, f.Lang.T(evidenceWords.places))
	by := map[desk.Intensity][]string{}
	for _, pr := range ev.Prefectures {
		name := pr.Name
		if pr.Provisional {
			name += f.Lang.T(evidenceWords.provisional)
		}
		by[pr.Intensity] = append(by[pr.Intensity], name)
	}
	for i := desk.Intensity7; i >= desk.Intensity1; i-- {
		if len(by[i]) > 0 {
			style := f.Theme.Base
			if i >= desk.Intensity5Lower {
				style = f.Theme.Strong
			}
			p.Para(style, Fit(f.Lang.T(evidenceWords.intensity)+i.Japanese(), 9), strings.Join(by[i], "、"))
		}
	}
	if len(ev.Prefectures) == 0 {
		p.Line(f.Theme.Dim, f.Lang.T(evidenceWords.noPlaces))
	}
	if h := ev.Hypocenter; h != nil {
		p.Para(f.Theme.Base, Fit(f.Lang.T(evidenceWords.hypocenter), 9), f.Lang.hypocenter(*h))
	}
	if t := f.Lang.Tsunami(ev.Tsunami); t != "" {
		p.Para(f.Theme.Watch, Fit(f.Lang.T(evidenceWords.tsunami), 9), t)
	}
}

func (l Lang) hypocenter(h desk.Hypocenter) string {
	parts := []string{h.Name, Narrow(h.MagnitudeText)}
	switch {
	case h.DepthKM == nil:
		parts = append(parts, l.T(evidenceWords.depthUnknown))
	case *h.DepthKM == 0:
		parts = append(parts, l.T(evidenceWords.shallow))
	default:
		parts = append(parts, l.F(evidenceWords.depth, *h.DepthKM))
	}
	return strings.Join(parts, " ")
}

// Says is what one telegram says, in a few words: the figures it brought, else its headline. Bulletins of one event can be
// compared line by line (field.md 5.2-13).
func (l Lang) Says(t desk.Telegram) string {
	var parts []string
	if r := t.ForecastIntensity; r != nil && r.From != desk.IntensityUnknown {
		parts = append(parts, l.T(evidenceWords.forecast)+r.From.Japanese())
	}
	if t.MaxIntensity != desk.IntensityUnknown {
		parts = append(parts, l.T(evidenceWords.intensity)+t.MaxIntensity.Japanese()+l.strongest(t))
	}
	if len(t.Hypocenters) > 0 && !t.Assumed {
		parts = append(parts, strings.TrimSpace(t.Hypocenters[0].Name+" "+Narrow(t.Hypocenters[0].MagnitudeText)))
	}
	for _, grade := range []desk.TsunamiGrade{desk.TsunamiMajorWarning, desk.TsunamiWarning, desk.TsunamiAdvisory, desk.TsunamiLifted} {
		n := 0
		for _, a := range t.Tsunami {
			if a.Grade == grade {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, l.Tsunami(grade)+" "+l.F(evidenceWords.areas, n))
			break // the highest grade tells the rest
		}
	}
	if len(parts) == 0 {
		return Narrow(t.Headline)
	}
	return strings.Join(parts, " ")
}

// strongest names the first prefecture at the maximum and counts all the others that shook.
func (l Lang) strongest(t desk.Telegram) string {
	for _, p := range t.Prefectures {
		if p.Intensity != t.MaxIntensity {
			continue
		}
		if n := len(t.Prefectures) - 1; n > 0 {
			return " " + p.Name + l.F(evidenceWords.others, n)
		}
		return " " + p.Name
	}
	return ""
}

// Narrow writes full-width letters, digits and points in half the room ("Ｍ７．６" becomes "M7.6"); kana and brackets stay.
func Narrow(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '０' && r <= '９' || r >= 'Ａ' && r <= 'Ｚ' || r >= 'ａ' && r <= 'ｚ' || r == '．' {
			return r - 0xfee0
		}
		return r
	}, s)
}

// ShortTitle is the event in plain words as lists show it.
func ShortTitle(e desk.Event) string { return Narrow(TitleOf(e)) }
