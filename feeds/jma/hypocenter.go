package jma

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"yagura/store/desk"
)

func readHypocenter(e *earthquake) desk.Hypocenter {
	h := desk.Hypocenter{OriginTime: optionalTime(e.OriginTime)}
	if e.Hypocenter != nil {
		h.Name, h.Code = trim(e.Hypocenter.Area.Name), trim(e.Hypocenter.Area.Code)
		h.Source = trim(e.Hypocenter.Source)
		if c := e.Hypocenter.Area.Coordinates; len(c) > 0 {
			// VXSE61 gives a second, finer one (震源位置（度分）); the first is the one that tsunami telegrams go on using.
			h.Lat, h.Lon, h.DepthKM = parseCoordinate(trim(c[0]))
		}
	}
	if len(e.Magnitudes) > 0 {
		m := e.Magnitudes[0]
		h.Magnitude, h.MagnitudeKind = readMagnitude(m)
		h.MagnitudeText = trim(m.Description)
	}
	return h
}

// readMagnitude turns the text NaN into a state: Ｍ不明, or Ｍ８を超える巨大地震, told apart by @description (feeds.md 1.7).
func readMagnitude(m magnitude) (*float64, desk.MagnitudeKind) {
	if v, ok := finite(trim(m.Value)); ok {
		return &v, desk.MagnitudeNumber
	}
	if strings.Contains(m.Description, "８を超える") {
		return nil, desk.MagnitudeOver8
	}
	return nil, desk.MagnitudeUnknown
}

// finite parses a number; NaN and infinities, which strconv accepts, are no numbers here.
func finite(s string) (float64, bool) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}

var iso6709 = regexp.MustCompile(`^([+-])(\d{1,4}(?:\.\d+)?)([+-])(\d{1,5}(?:\.\d+)?)(?:([+-])(\d+(?:\.\d+)?))?/$`)

// parseCoordinate reads ISO 6709 as JMA writes it, "+37.5+137.2-10000/": degrees, or degrees and minutes (+3729.7), then metres,
// negative below the datum. What is missing or impossible is nil; "+0" is a depth of 0 (ごく浅い).
func parseCoordinate(s string) (lat, lon, depthKM *float64) {
	m := iso6709.FindStringSubmatch(s)
	if m == nil {
		return nil, nil, nil
	}
	lat = degrees(m[1], m[2], 2, 90)
	lon = degrees(m[3], m[4], 3, 180)
	if lat == nil || lon == nil {
		return nil, nil, nil
	}
	if metres, ok := finite(m[6]); ok && (m[5] == "-" || metres == 0) {
		km := metres / 1000
		depthKM = &km
	}
	return lat, lon, depthKM
}

// degrees reads a number whose whole part has at most width digits as degrees, a longer one as degrees and minutes.
func degrees(sign, digits string, width int, limit float64) *float64 {
	v, ok := finite(digits)
	if !ok {
		return nil
	}
	if whole, _, _ := strings.Cut(digits, "."); len(whole) > width {
		d := math.Trunc(v / 100)
		minutes := v - d*100
		if minutes >= 60 {
			return nil
		}
		v = math.Round((d+minutes/60)*1e5) / 1e5
	}
	if v > limit {
		return nil
	}
	if sign == "-" {
		v = -v
	}
	return &v
}
