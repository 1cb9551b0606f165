package rules

import (
	"cmp"
	"strings"

	"yagura/store/desk"
)

// title is the event in plain words, e.g. "石川県能登地方 震度7 Ｍ７．６".
func title(e *desk.Event, all []bulletin) string {
	last := all[len(all)-1]
	if e.Hazard != desk.Earthquake || isGiant(all) {
		return hazardTitle(e, all)
	}
	where := place(e, all)
	if e.Status == desk.EventRetracted {
		if where == "" {
			return firstText(last.HeadTitle, last.Title, "電文") + " は取り消されました"
		}
		return where + " の情報は取り消されました"
	}
	parts := []string{where}
	switch {
	case e.MaxIntensity > desk.IntensityUnknown:
		parts = append(parts, "震度"+e.MaxIntensity.Japanese()+provisionalMark(e))
	case e.Forecast > desk.IntensityUnknown && onlyUnsure(all):
		parts = append(parts, "緊急地震速報（予報）", forecastText(e), unsureText(all))
	case e.EEWWarning:
		parts = append(parts, "緊急地震速報（警報）", forecastText(e))
	case e.Forecast > desk.IntensityUnknown:
		parts = append(parts, "緊急地震速報（予報）", forecastText(e))
	}
	if h := e.Hypocenter; h != nil && (e.MaxIntensity > desk.IntensityUnknown || e.Forecast == desk.IntensityUnknown) {
		parts = append(parts, h.MagnitudeText) // DMDATA asks not to show an EEW's magnitude (feeds.md 1.10)
	}
	parts = append(parts, cmp.Or(tsunamiText(e.Tsunami), slightText(e.Tsunami)))
	if text := joined(parts); text != "" && text != where {
		return text
	}
	return joined([]string{where, firstText(last.HeadTitle, last.Title, "電文")})
}

// unsureText says why an early warning is not to be trusted.
func unsureText(all []bulletin) string {
	for _, b := range newestEEW(all) {
		if b.EEW != nil && b.EEW.OneStation && !b.Assumed {
			return "（単独観測点）"
		}
	}
	return "（仮定震源）"
}

func provisionalMark(e *desk.Event) string {
	for _, p := range e.Prefectures {
		if p.Intensity == e.MaxIntensity && !p.Provisional {
			return ""
		}
	}
	for _, p := range e.Prefectures {
		if p.Provisional {
			return "（未入電による推定）"
		}
	}
	return ""
}

func forecastText(e *desk.Event) string {
	if e.Forecast == desk.IntensityUnknown {
		return ""
	}
	return "予測震度" + e.Forecast.Japanese()
}

func tsunamiText(g desk.TsunamiGrade) string {
	switch g {
	case desk.TsunamiMajorWarning:
		return "大津波警報"
	case desk.TsunamiWarning:
		return "津波警報"
	case desk.TsunamiAdvisory:
		return "津波注意報"
	}
	return ""
}

// slightText names what is no warning, so that a tsunami forecast is never titled as a mere shaking.
func slightText(g desk.TsunamiGrade) string {
	switch g {
	case desk.TsunamiSlight:
		return "津波予報（若干の海面変動）"
	case desk.TsunamiUnknownGrade:
		return "津波（等級不明）"
	}
	return ""
}

// place is the hypocentre's name, else the strongest area, also of bulletins that were taken back.
func place(e *desk.Event, all []bulletin) string {
	if e.Hypocenter != nil && e.Hypocenter.Name != "" {
		return e.Hypocenter.Name
	}
	if len(e.Areas) > 0 {
		return e.Areas[0].Name
	}
	for _, b := range all {
		if h := firstHypocenter(b.Telegram); h != nil && h.Name != "" {
			return h.Name
		}
		var strongest desk.AreaIntensity
		for _, a := range b.Areas {
			if a.Intensity > strongest.Intensity {
				strongest = a
			}
		}
		if strongest.Name != "" {
			return strongest.Name
		}
	}
	return ""
}

func firstText(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func joined(parts []string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, " ")
}
