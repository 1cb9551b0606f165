package jma

import (
	"slices"
	"strconv"
	"strings"

	"yagura/store/desk"
)

// readEarlyWarning reads 緊急地震速報 beyond hypocentre and intensities (feeds.md 1.10). Every early warning has a report, a
// 取消 and the line test VXSE42 an empty one.
func readEarlyWarning(t *desk.Telegram, h *head, b *seismology) {
	t.Warning = strings.Contains(t.Title, "（警報）")
	// NextAdvisory (最終報とします) is the only mark of the last report; a stream may also just stop, which intake must notice.
	t.Final = trim(b.NextAdvisory) != "" || t.Phase == desk.Cancelled
	t.EEW = new(desk.EEWReport)
	for i := range b.Earthquakes {
		e := &b.Earthquakes[i]
		if strings.Contains(e.Condition, "仮定震源要素") {
			t.Assumed = true
		}
		if e.Hypocenter != nil && e.Hypocenter.Accuracy != nil {
			readAccuracy(t.EEW, e.Hypocenter.Accuracy)
		}
	}
	if b.Forecast != nil {
		readShaking(t, b.Forecast)
	}
	readHeadlineWarnings(t.EEW, h)
	if t.Assumed {
		// The place of the first station, 10 km and M1.0 stand for "no source is known". They are not given out at all, so that no
		// screen, rule or mail can mistake them for one.
		t.Hypocenters = nil
	}
	t.EEW.OneStation = isOneStation(t)
}

func readAccuracy(e *desk.EEWReport, a *accuracy) {
	e.EpicenterRank = number(a.Epicenter.Rank)
	e.EpicenterRank2 = number(a.Epicenter.Rank2)
	e.DepthRank = number(a.Depth.Rank)
	e.MagnitudeRank = number(a.MagnitudeCalculation.Rank)
	e.MagnitudesUsed = number(a.NumberOfMagnitudeCalculation)
}

// isOneStation reports what must trigger nothing public: rank 1 (one station, level method or an assumed source) and level
// method magnitudes. A 警報 with an assumed source is the exception: JMA issues no 警報 on fewer than two stations, and PLUM,
// which needs no source, is then what was seen at several (feeds.md 1.10).
func isOneStation(t *desk.Telegram) bool {
	weak := t.EEW.EpicenterRank == 1 || t.EEW.MagnitudeRank == 8
	return weak && !(t.Warning && t.Assumed)
}

// readShaking reads what the forecast tells of each area: Category/Kind/Code is 警報等情報要素／緊急地震速報（予報） (codes/s12).
func readShaking(t *desk.Telegram, f *intensityDetail) {
	e := t.EEW
	e.ChangeReason = number(f.ChangeReason)
	e.MaxLongPeriod = longPeriodForecast(f.ForecastLgInt)
	e.PLUM = t.Assumed || e.ChangeReason == 9
	for i := range f.Pref {
		for j := range f.Pref[i].Area {
			a := &f.Pref[i].Area[j]
			code, kind := trim(a.Code), trim(a.Kind)
			switch kind {
			case "", "00", "01", "09", "10", "11", "19":
			default:
				surprise(t, "緊急地震速報の区分コード「%s」は、このプログラムの知らないものです。", clip(kind))
			}
			e.PLUM = e.PLUM || kind == "09" || kind == "19"
			if kind == "01" || kind == "11" || strings.Contains(a.Condition, "主要動到達") {
				e.Arrived = append(e.Arrived, code)
			}
			if strings.HasPrefix(kind, "1") {
				e.WarnedAreas = append(e.WarnedAreas, code)
			}
		}
	}
}

// longPeriodForecast is the upper end of the forecast class as written, "3" or "3以上".
func longPeriodForecast(f *forecastInt) string {
	if f == nil {
		return ""
	}
	from, to := trim(f.From), trim(f.To)
	switch {
	case to == "over":
		return from + "以上"
	case to != "":
		return to
	}
	return from
}

// readHeadlineWarnings adds what only the headline tells: which areas are newly warned (LastKind), and areas that stay under a
// warning though the latest forecast does not name them any more (samples VXSE45 no. 6 of 20240417231454).
func readHeadlineWarnings(e *desk.EEWReport, h *head) {
	for i := range h.Information {
		if !strings.Contains(h.Information[i].Type, "細分区域") {
			continue
		}
		for _, item := range h.Information[i].Items {
			if trim(item.Kind) != warningKind {
				continue
			}
			for _, area := range item.Areas {
				code := trim(area)
				if !slices.Contains(e.WarnedAreas, code) {
					e.WarnedAreas = append(e.WarnedAreas, code)
				}
				if trim(item.LastKind) != warningKind {
					e.NewlyWarned = append(e.NewlyWarned, code)
				}
			}
		}
	}
}

// warningKind is 緊急地震速報（警報） of the headline (codes/s11); 00 and 0 are なし.
const warningKind = "31"

// number reads a small count or rank; 0 when it is absent or unreadable, or no count at all.
func number(s string) int {
	n, err := strconv.Atoi(trim(s))
	if err != nil || n < 0 || n > 1_000_000 {
		return 0
	}
	return n
}
