// Package rules holds the pure aids to judgement: which telegrams are one happening, what is known of it, what speaks
// against it, who is concerned. It reads no clock and no store; the same input always gives the same advice.
package rules

import (
	"math"
	"strconv"
	"strings"
	"time"

	"yagura/store/desk"
)

// Span is how far around a telegram's time a caller must look for events it might belong to.
const Span = 10 * time.Minute

// SpanOf is Span for the kind of a telegram: a missile's notices follow each other more slowly.
func SpanOf(t desk.Telegram) time.Duration {
	if t.Hazard == desk.Missile {
		return MissileSpan
	}
	return Span
}

// RepeatWindow is how far back the repeat check looks for a bulletin of the same content.
const RepeatWindow = 24 * time.Hour

// sameShaking is the longest time between two EventIDs that may name one shaking (feeds.md 6.5).
const sameShaking = 120 * time.Second

// sameRegionKM is the farthest two hypocentres of one shaking may lie apart (feeds.md 6.5).
const sameRegionKM = 100

// Family is the hazard under which an event is kept: a tsunami bulletin belongs to the event of its earthquake.
func Family(h desk.Hazard) desk.Hazard {
	switch h {
	case desk.Tsunami:
		return desk.Earthquake
	case "":
		return desk.OtherKind
	}
	return h
}

// isEarlyWarning recognises 緊急地震速報（警報・予報・地震動予報）. The line test VXSE42 is none.
func isEarlyWarning(t *desk.Telegram) bool {
	switch t.Type {
	case "VXSE43", "VXSE44", "VXSE45":
		return true
	}
	return false
}

// isObserved recognises bulletins that say what was really felt: 震度速報, 震源・震度, 長周期.
func isObserved(t *desk.Telegram) bool {
	switch t.Type {
	case "VXSE51", "VXSE53", "VXSE62":
		return true
	}
	return false
}

// eventIDTime reads the 14 digits of an earthquake's EventID: the second of detection in JST (feeds.md 1.4).
func eventIDTime(id string) (time.Time, bool) {
	at, err := time.ParseInLocation("20060102150405", id, desk.JST)
	return at, err == nil && len(id) == 14
}

// OccurredAt is the best time of the happening that one telegram tells: origin, shaking, detection or press time.
func OccurredAt(t *desk.Telegram) time.Time {
	for _, h := range t.Hypocenters {
		if !h.OriginTime.IsZero() && !t.Assumed {
			return h.OriginTime
		}
	}
	if (t.Type == "VXSE51" || isSecondType(t.Type)) && !t.TargetTime.IsZero() {
		return t.TargetTime
	}
	for _, id := range t.EventIDs {
		if at, ok := eventIDTime(id); ok {
			return at
		}
	}
	switch {
	case !t.ReportTime.IsZero():
		return t.ReportTime
	case !t.PressTime.IsZero():
		return t.PressTime
	}
	return t.ReceivedAt
}

// distanceKM is the great-circle distance of two hypocentres along the surface; ok is false when a place is unknown.
func distanceKM(a, b *desk.Hypocenter) (km float64, ok bool) {
	if a == nil || b == nil || a.Lat == nil || a.Lon == nil || b.Lat == nil || b.Lon == nil {
		return 0, false
	}
	const earthKM, rad = 6371.0, math.Pi / 180
	la, lb := *a.Lat*rad, *b.Lat*rad
	s := math.Sin((lb - la) / 2)
	l := math.Sin((*b.Lon - *a.Lon) * rad / 2)
	h := s*s + math.Cos(la)*math.Cos(lb)*l*l
	return 2 * earthKM * math.Asin(math.Sqrt(min(1, h))), true
}

// prefectureOfPlace reads the prefecture a 震央地名 begins with, e.g. "石川県能登地方". Sea areas without one give 0.
func prefectureOfPlace(name string) desk.Prefecture {
	for p := desk.Prefecture(1); p <= desk.Prefectures; p++ {
		if strings.HasPrefix(name, p.Name()) {
			return p
		}
	}
	return 0
}

// countText writes a count for people.
func countText(n int) string { return strconv.Itoa(n) }

// clockDay writes a time with its day, for ends that may lie on another one.
func clockDay(t time.Time) string { return t.In(desk.JST).Format("2日15:04") }

// clock writes a time of day as people at the desk read it.
func clock(t time.Time) string { return t.In(desk.JST).Format("15:04") }

func clockSeconds(t time.Time) string { return t.In(desk.JST).Format("15:04:05") }
