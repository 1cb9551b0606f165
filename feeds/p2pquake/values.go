package p2pquake

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"yagura/store/desk"
)

// clock reads "2019/08/26 21:04:06.958" or "2015/02/06 10:26:00", which are Japanese time. Anything else is absent.
func clock(text string) time.Time {
	at, err := time.ParseInLocation("2006/01/02 15:04:05.999999999", text, time.FixedZone("JST", 9*60*60))
	if err != nil {
		return time.Time{}
	}
	return at
}

// intensity reads a scale. 46 is 震度5弱以上と推定される (未入電) and counts as a provisional 5弱 (feeds.md 1.6).
func intensity(scale *float64) (i desk.Intensity, provisional bool) {
	if scale == nil {
		return desk.IntensityUnknown, false
	}
	switch *scale {
	case 0:
		return desk.Intensity0, false
	case 10:
		return desk.Intensity1, false
	case 20:
		return desk.Intensity2, false
	case 30:
		return desk.Intensity3, false
	case 40:
		return desk.Intensity4, false
	case 45:
		return desk.Intensity5Lower, false
	case 46:
		return desk.Intensity5Lower, true
	case 50:
		return desk.Intensity5Upper, false
	case 55:
		return desk.Intensity6Lower, false
	case 60:
		return desk.Intensity6Upper, false
	case 70:
		return desk.Intensity7, false
	}
	return desk.IntensityUnknown, false
}

// hypocenters is the one hypocentre, or none when the report gives neither a name nor a place.
func hypocenters(h *hypocenter, origin time.Time) []desk.Hypocenter {
	out := desk.Hypocenter{Name: clip(h.Name), OriginTime: origin}
	lat, lon := within(h.Latitude, -90, 90), within(h.Longitude, -180, 180)
	if lat != nil && lon != nil {
		out.Lat, out.Lon = lat, lon
	}
	out.DepthKM = within(h.Depth, 0, 1000)
	if out.Magnitude = within(h.Magnitude, -0.99, 10); out.Magnitude != nil { // −1 says that there is none; it does not say why
		out.MagnitudeKind = desk.MagnitudeNumber
		out.MagnitudeText = "M" + strconv.FormatFloat(*out.Magnitude, 'f', 1, 64)
	}
	if out.Name == "" && out.Lat == nil && out.Magnitude == nil {
		return nil
	}
	return []desk.Hypocenter{out}
}

// within drops what lies outside, which every sentinel does.
func within(v *float64, low, high float64) *float64 {
	if v == nil || *v < low || *v > high {
		return nil
	}
	return v
}

// prefecture takes the official name (551: 石川県) and the short one (556: 石川); 0 when it is neither.
func prefecture(name string) desk.Prefecture {
	for p := desk.Prefecture(1); p.Valid(); p++ {
		full := p.Name()
		if name == full || p != 1 && name == strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(full, "県"), "府"), "都") {
			return p
		}
	}
	return 0
}

type areaName struct {
	prefecture desk.Prefecture
	name       string
}

var localAreas = sync.OnceValue(func() map[areaName]string {
	codes := map[areaName]string{}
	for p := desk.Prefecture(1); p.Valid(); p++ {
		for _, a := range desk.LocalAreas(p) {
			codes[areaName{p, a.Name}] = a.Code
		}
	}
	return codes
})

func localArea(p desk.Prefecture, name string) string { return localAreas()[areaName{p, name}] }

var tsunamiAreas = sync.OnceValue(func() map[string]desk.ForecastArea {
	byName := map[string]desk.ForecastArea{}
	for code := 100; code < 1000; code++ {
		if a, ok := desk.TsunamiForecastArea(strconv.Itoa(code)); ok {
			byName[a.Name] = a
		}
	}
	return byName
})

func tsunamiArea(name string) desk.ForecastArea { return tsunamiAreas()[name] }

// clip makes one line of a foreign text safe and short.
func clip(s string) string {
	if runes := []rune(s[:min(len(s), 800)]); len(runes) > 100 {
		s = string(runes[:100])
	}
	return strings.TrimSpace(desk.CleanText(s, false))
}

// clean makes a longer text safe.
func clean(s string) string { return strings.TrimSpace(desk.CleanText(s, true)) }
