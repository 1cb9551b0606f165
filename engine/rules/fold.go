package rules

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// Fold recomputes an event from all its telegrams. ID and StoredAt are kept, everything else is derived anew, so that the
// order of arrival never matters and a 取消 or 訂正 takes back exactly what it retracts or replaces.
func Fold(event desk.Event, telegrams []desk.Telegram) desk.Event {
	e := desk.Event{ID: event.ID, StoredAt: event.StoredAt, Tsunami: desk.TsunamiNone, Status: desk.EventOpen}
	if len(telegrams) == 0 {
		return event
	}
	all := settle(telegrams)
	foldHead(&e, all)
	if e.Hazard == desk.Missile {
		return tidy(MissileEvent(e, telegrams))
	}
	foldObserved(&e, all)
	foldForecast(&e, all)
	foldTsunami(&e, all)
	e.Hypocenter = bestHypocenter(all)
	e.OccurredAt = bestTime(all, e.Hypocenter)
	if isRetracted(all) {
		e.Status = desk.EventRetracted
	}
	e.Title = title(&e, all)
	return tidy(e)
}

// tidy makes what foreign telegrams say fit for a screen.
func tidy(e desk.Event) desk.Event {
	e.Title = oneLine(e.Title)
	e.Headline = desk.CleanText(e.Headline, true)
	return e
}

// longestTitle leaves room for the words around it in a subject of 120 characters.
const longestTitle = 80

// oneLine makes foreign names fit for a subject: a control character or a name without end must not keep the mail from leaving.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(desk.CleanText(s, false)), " ")
	if runes := []rune(s); len(runes) > longestTitle {
		return string(runes[:longestTitle-1]) + "…"
	}
	return s
}

func foldHead(e *desk.Event, all []bulletin) {
	e.Telegrams = len(all)
	e.Mode = all[0].Mode
	e.Hazard = Family(all[0].Hazard)
	e.FirstSeenAt, e.UpdatedAt = all[0].ReceivedAt, all[0].ReceivedAt
	key, threaded := threadKey(all)
	if threaded {
		e.EventIDs = []string{key}
	}
	for _, b := range all {
		if b.ReceivedAt.Before(e.FirstSeenAt) {
			e.FirstSeenAt = b.ReceivedAt
		}
		if b.ReceivedAt.After(e.UpdatedAt) {
			e.UpdatedAt = b.ReceivedAt
		}
		if e.Hazard == desk.Earthquake && !threaded && len(b.EventIDs) == 1 && !slices.Contains(e.EventIDs, b.EventIDs[0]) {
			e.EventIDs = append(e.EventIDs, b.EventIDs[0])
		}
	}
	if e.Hazard == desk.Earthquake && len(e.EventIDs) == 0 && len(all[0].EventIDs) > 0 {
		// A tsunami bulletin of several earthquakes must not glue them together: it stands for the first alone.
		e.EventIDs = []string{all[0].EventIDs[0]}
	}
	slices.Sort(e.EventIDs)
	last := all[len(all)-1]
	if e.Headline = last.Headline; e.Headline == "" {
		e.Headline = last.HeadTitle
	}
}

func foldObserved(e *desk.Event, all []bulletin) {
	areas := make(map[string]desk.AreaIntensity)
	prefectures := make(map[desk.Prefecture]desk.PrefectureIntensity)
	newest := -1 // the newest VXSE53 that holds: only it says which cities are still 未入電
	for i, b := range all {
		if b.Type == "VXSE53" && b.standing == holds {
			newest = i
		}
	}
	for i, b := range all {
		if b.standing != holds || !isObserved(b.Telegram) {
			continue
		}
		e.MaxIntensity = max(e.MaxIntensity, b.MaxIntensity)
		for _, a := range b.Areas {
			if had, ok := areas[a.Code]; !ok || a.Intensity > had.Intensity {
				areas[a.Code] = a
			}
		}
		for _, p := range b.Prefectures {
			if p.Provisional && i != newest {
				continue
			}
			if had, ok := prefectures[p.Code]; !ok || p.Intensity > had.Intensity {
				prefectures[p.Code] = p
			}
		}
	}
	for _, a := range areas {
		e.Areas = append(e.Areas, a)
		e.MaxIntensity = max(e.MaxIntensity, a.Intensity)
	}
	slices.SortFunc(e.Areas, func(a, b desk.AreaIntensity) int {
		return cmp.Or(cmp.Compare(b.Intensity, a.Intensity), cmp.Compare(a.Code, b.Code))
	})
	for _, p := range prefectures {
		e.Prefectures = append(e.Prefectures, p)
		e.MaxIntensity = max(e.MaxIntensity, p.Intensity) // 震度５弱以上未入電 counts as a provisional 5弱 (feeds.md 1.6)
	}
	slices.SortFunc(e.Prefectures, func(a, b desk.PrefectureIntensity) int { return cmp.Compare(a.Code, b.Code) })
}

// foldForecast keeps what EEW foresaw apart from what was observed. A cancelled EEW foresaw nothing, and of each line only the
// newest report counts: a forecast that was lowered is lowered.
func foldForecast(e *desk.Event, all []bulletin) {
	for _, b := range newestEEW(all) {
		e.EEWWarning = e.EEWWarning || b.Warning
		e.Forecast = max(e.Forecast, highest(b.ForecastIntensity))
	}
}

func highest(r *desk.IntensityRange) desk.Intensity {
	if r == nil {
		return desk.IntensityUnknown
	}
	return max(r.From, r.To)
}

// foldTsunami takes the newest forecast that holds: each carries the whole state. VTSE41 orders, VTSE51 only repeats.
func foldTsunami(e *desk.Event, all []bulletin) {
	list := forecasts(all)
	if len(list) == 0 {
		return
	}
	for _, a := range list[len(list)-1].Tsunami {
		if tsunamiRank(a.Grade) > tsunamiRank(e.Tsunami) {
			e.Tsunami = a.Grade
		}
	}
}

// tsunamiRank orders the grades in force; a code this build does not know is taken more seriously than a slight change.
func tsunamiRank(g desk.TsunamiGrade) int {
	switch g {
	case desk.TsunamiMajorWarning:
		return 5
	case desk.TsunamiWarning:
		return 4
	case desk.TsunamiAdvisory:
		return 3
	case desk.TsunamiUnknownGrade:
		return 2
	case desk.TsunamiSlight:
		return 1
	}
	return 0
}

// bestHypocenter prefers the final elements, then 震源・震度, 震源, tsunami and 長周期, and an EEW only while nothing else is known.
func bestHypocenter(all []bulletin) *desk.Hypocenter {
	for _, kind := range []string{"VXSE61", "VXSE53", "VXSE52", "VTSE41", "VTSE51", "VXSE62", "VXSE45", "VXSE44", "VXSE43"} {
		var best *desk.Hypocenter
		var strongest desk.Intensity
		for _, b := range slices.Backward(all) {
			if b.Type != kind || b.standing != holds || len(b.Hypocenters) != 1 || b.Assumed {
				continue
			}
			// Two shocks within two minutes at one place are one event; the stronger one names it.
			if best == nil || b.MaxIntensity > strongest {
				best, strongest = &b.Hypocenters[0], b.MaxIntensity
			}
		}
		if best != nil {
			h := *best
			return &h
		}
	}
	return nil
}

func bestTime(all []bulletin, h *desk.Hypocenter) time.Time {
	if _, ok := threadKey(all); ok {
		return OccurredAt(all[0].Telegram) // when the thread began; a volcano's eruption is in its telegram
	}
	if h != nil && !h.OriginTime.IsZero() {
		return h.OriginTime
	}
	for _, b := range all {
		if b.Type == "VXSE51" && !b.TargetTime.IsZero() && b.Phase != desk.Cancelled {
			return b.TargetTime
		}
	}
	return OccurredAt(all[0].Telegram)
}

// isRetracted: something was cancelled, and nothing that was observed or located is left. An EEW alone keeps no shaking alive,
// unless nothing but EEW was ever seen.
func isRetracted(all []bulletin) bool {
	cancelled, left, warned, observed := false, false, false, false
	for _, b := range all {
		eew := isEarlyWarning(b.Telegram)
		observed = observed || !eew
		switch {
		case b.standing == retracts:
			cancelled = true
		case b.standing == retracted:
		case eew:
			warned = true
		default:
			left = true
		}
	}
	if !observed {
		return cancelled && !warned
	}
	return cancelled && !left
}
