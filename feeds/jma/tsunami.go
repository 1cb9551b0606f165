package jma

import (
	"yagura/store/desk"
)

// gradeOfKind maps Category/Kind/Code (警報等情報要素／津波警報・注意報・予報, コード表 14) to the grade.
var gradeOfKind = map[string]desk.TsunamiGrade{
	"00": desk.TsunamiNone,
	"50": desk.TsunamiLifted,
	"51": desk.TsunamiWarning,
	"52": desk.TsunamiMajorWarning,
	"53": desk.TsunamiMajorWarning,
	"60": desk.TsunamiLifted,
	"62": desk.TsunamiAdvisory,
	"71": desk.TsunamiSlight,
	"72": desk.TsunamiSlight,
	"73": desk.TsunamiSlight,
}

// readTsunami reads the Body items only: headlines name roll-up areas that no table of 66 holds (feeds.md 1.9).
// The prefectures are those whose coast the telegram names with any grade but none; their intensity stays unknown.
func readTsunami(t *desk.Telegram, items []tsunamiItem) {
	found := make(prefectures)
	for i := range items {
		it := &items[i]
		area := desk.TsunamiArea{
			Code: trim(it.Area.Code), Name: trim(it.Area.Name),
			Kind: trim(it.Kind), LastKind: trim(it.LastKind),
			Height: height(it), Arrival: arrival(it),
		}
		if area.Code == "" {
			continue
		}
		grade, known := gradeOfKind[area.Kind]
		if !known {
			grade = desk.TsunamiUnknownGrade
		}
		area.Grade = grade
		t.Tsunami = append(t.Tsunami, area)
		if known, ok := desk.TsunamiForecastArea(area.Code); ok && grade != desk.TsunamiNone {
			for _, p := range known.Prefectures {
				found.raise(p, desk.IntensityUnknown)
			}
		}
	}
	if len(t.Prefectures) == 0 {
		t.Prefectures = found.list()
	}
}

// height is the expected height as written: "５ｍ", "巨大"; the number NaN never leaves this function.
func height(it *tsunamiItem) string {
	h := it.MaxHeight.Height
	if h == nil {
		return trim(it.MaxHeight.Condition)
	}
	if d := trim(h.Description); d != "" {
		return d
	}
	if _, ok := finite(trim(h.Value)); ok {
		return trim(h.Value) + trim(h.Unit)
	}
	return ""
}

func arrival(it *tsunamiItem) string {
	if at := trim(it.FirstHeight.ArrivalTime); at != "" {
		return at
	}
	return trim(it.FirstHeight.Condition)
}
