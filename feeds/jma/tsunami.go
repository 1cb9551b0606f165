package jma

import (
	"strings"

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
// The prefectures are those whose coast the telegram names with any grade but none, or with an observation or an estimate;
// their intensity stays unknown. The level is that of the forecast items: an information without them (VTSE52) tells none.
func readTsunami(t *desk.Telegram, b *seismology) {
	found := make(prefectures)
	for i := range b.Forecasts {
		readForecastArea(t, &b.Forecasts[i], found)
	}
	for i := range b.Observations {
		it := &b.Observations[i]
		t.TsunamiObserved = appendStations(t.TsunamiObserved, it)
		found.coast(trim(it.Area.Code))
	}
	for i := range b.Estimations {
		it := &b.Estimations[i]
		estimate := desk.TsunamiEstimate{
			Code: trim(it.Area.Code), Name: trim(it.Area.Name),
			ArrivalAt: optionalTime(it.FirstHeight.ArrivalTime), Arrival: trim(it.FirstHeight.Condition),
			MaxAt: optionalTime(it.MaxHeight.DateTime), Height: height(&it.MaxHeight), Condition: trim(it.MaxHeight.Condition),
		}
		t.TsunamiEstimated = append(t.TsunamiEstimated, estimate)
		found.coast(estimate.Code)
	}
	t.Level = max(t.Level, desk.HighestTsunami(t.Tsunami).Level())
	if len(t.Prefectures) == 0 {
		t.Prefectures = found.list()
	}
}

func readForecastArea(t *desk.Telegram, it *tsunamiItem, found prefectures) {
	area := desk.TsunamiArea{
		Code: trim(it.Area.Code), Name: trim(it.Area.Name),
		Kind: trim(it.Kind), LastKind: trim(it.LastKind),
		Height: height(&it.MaxHeight), Arrival: arrival(it),
	}
	if area.Code == "" {
		return
	}
	var known bool
	if area.Grade, known = gradeOfKind[area.Kind]; !known {
		area.Grade = desk.TsunamiUnknownGrade
		surprise(t, "津波の等級コード「%s」（%s）は、このプログラムの知らないものです。", clip(area.Kind), clip(area.Name))
	}
	t.Tsunami = append(t.Tsunami, area)
	t.TsunamiExpected = appendStations(t.TsunamiExpected, it)
	if _, known := desk.TsunamiForecastArea(area.Code); !known {
		surprise(t, "津波予報区コード「%s」（%s）は、このプログラムの知らないものです。", clip(area.Code), clip(area.Name))
	}
	if area.Grade != desk.TsunamiNone {
		found.coast(area.Code)
	}
}

// coast adds the prefectures of a 津波予報区 or 沿岸地域; their numbers are the same (codes/s31, s34).
func (m prefectures) coast(code string) {
	if area, ok := desk.TsunamiForecastArea(code); ok {
		for _, p := range area.Prefectures {
			m.raise(p, desk.IntensityUnknown)
		}
	}
}

func appendStations(into []desk.TsunamiStation, it *tsunamiItem) []desk.TsunamiStation {
	for i := range it.Stations {
		s := &it.Stations[i]
		station := desk.TsunamiStation{
			Code: trim(s.Code), Name: trim(s.Name), Area: trim(it.Area.Code), Sensor: trim(s.Sensor),
			HighTideAt: optionalTime(s.HighTideDateTime),
			ArrivalAt:  optionalTime(s.FirstHeight.ArrivalTime), Arrival: trim(s.FirstHeight.Condition), Initial: trim(s.FirstHeight.Initial),
			MaxAt: optionalTime(s.MaxHeight.DateTime), Height: height(&s.MaxHeight), Condition: trim(s.MaxHeight.Condition),
		}
		if h := s.MaxHeight.Height; h != nil {
			if v, ok := finite(trim(h.Value)); ok {
				station.HeightM = &v
			}
			station.AtLeast = strings.Contains(h.Description, "以上")
			station.Rising = strings.Contains(h.Condition, "上昇中")
		}
		into = append(into, station)
	}
	return into
}

// height is the height as written: "５ｍ", "巨大", or the condition that stands for it (観測中, 微弱, 推定中); the number NaN never
// leaves this function.
func height(m *maxHeight) string {
	h := m.Height
	if h == nil {
		return trim(m.Condition)
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
