package replay

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// view is what telegram.xml.tmpl shows. Times are RFC 3339; every text from the scenario is escaped by the template.
type view struct {
	Title, HeadTitle, Press, Status, Office, Report, Target string
	EventID, InfoType, Serial, InfoKind, Version            string
	Headline                                                string
	Information                                             []information
	Tsunami                                                 []tsunamiView
	Earthquake                                              *earthquakeView
	Observation                                             *observationView
	Forecast                                                *forecastView
	Text, NextAdvisory                                      string
	Warning, Comment, Var                                   *commentView
}

// HasComments reports whether there is anything to write into Comments.
func (v *view) HasComments() bool { return v.Warning != nil || v.Comment != nil || v.Var != nil }

type named struct{ Name, Code string }

type information struct {
	Type  string
	Items []informationItem
}

type informationItem struct {
	Kind, Code string
	Last       *named
	CodeType   string
	Areas      []named
}

type commentView struct{ Codes, Text string }

type earthquakeView struct {
	Origin, Arrival, Name, Code, Coordinate, CoordinateText string
	Magnitude, MagnitudeText                                string
	MagnitudeUnknown, Assumed                               bool
	Accuracy                                                int
}

type observationView struct {
	Max    string
	Cities bool
	Prefs  []prefView
}

type prefView struct {
	Name, Code, Max string
	Areas           []areaView
	highest         desk.Intensity
}

type areaView struct {
	Name, Code, Max    string
	From, To           string
	KindName, KindCode string
	Cities             []cityView
	intensity          desk.Intensity
}

type cityView struct {
	Name, Code, Max, Condition string
	Stations                   []stationView
}

type stationView struct{ Name, Code, Int string }

type forecastView struct {
	From, To string
	Prefs    []prefView
}

func earthquakeOf(b *Bulletin) *earthquakeView {
	s := b.Source
	e := &earthquakeView{
		Origin:  b.Quake.Origin.Truncate(time.Minute).Format(time.RFC3339),
		Arrival: detected(b.Quake).Truncate(time.Minute).Format(time.RFC3339),
		Name:    b.Quake.Place, Code: b.Quake.PlaceCode, Assumed: b.Assumed,
	}
	e.Coordinate, e.CoordinateText = coordinate(s)
	switch s.MagnitudeKind {
	case desk.MagnitudeNumber:
		e.Magnitude = fmt.Sprintf("%.1f", s.Magnitude)
		e.MagnitudeText = "Ｍ" + wide(e.Magnitude)
	case desk.MagnitudeOver8:
		e.Magnitude, e.MagnitudeText, e.MagnitudeUnknown = "NaN", "Ｍ８を超える巨大地震", true
	default:
		e.Magnitude, e.MagnitudeText, e.MagnitudeUnknown = "NaN", "Ｍ不明", true
	}
	return e
}

// coordinate writes ISO 6709 to a tenth of a degree and 10 km, as quick telegrams do, with its description.
func coordinate(s Source) (code, text string) {
	code = fmt.Sprintf("%+05.1f%+06.1f", s.Lat, s.Lon)
	text = half("北緯", "南緯", s.Lat) + "　" + half("東経", "西経", s.Lon) + "　"
	if s.DepthKM == nil {
		return code + "/", text + "深さ不明"
	}
	km := int(math.Round(*s.DepthKM/10)) * 10
	if km == 0 {
		return code + "+0/", text + "ごく浅い"
	}
	return fmt.Sprintf("%s-%d/", code, km*1000), text + "深さ　" + wide(fmt.Sprint(km)) + "ｋｍ"
}

func half(positive, negative string, v float64) string {
	word := positive
	if v < 0 {
		word = negative
	}
	return word + wide(fmt.Sprintf("%.1f", math.Abs(v))) + "度"
}

// observe groups the areas by prefecture, the strongest first, as telegrams do.
func observe(b *Bulletin, withCities bool) *observationView {
	if len(b.Levels) == 0 && len(b.Quake.Missing) == 0 {
		return nil
	}
	o := &observationView{Max: maximum(b.Levels).String(), Cities: withCities}
	byPrefecture := make(map[desk.Prefecture]*prefView)
	levels := b.Levels
	if withCities {
		levels = withMissing(levels, b.Quake.Missing)
	}
	for _, l := range levels {
		area, _ := desk.LocalArea(l.Area)
		code := area.Prefectures[0]
		p := byPrefecture[code]
		if p == nil {
			p = &prefView{Name: code.Name(), Code: fmt.Sprintf("%02d", code)}
			byPrefecture[code] = p
		}
		a := areaView{Name: area.Name, Code: area.Code, Max: l.From.String(), intensity: l.From}
		if withCities {
			a.Cities = citiesOf(b.Quake, l)
		}
		p.Areas = append(p.Areas, a)
		p.highest = max(p.highest, l.From)
	}
	o.Prefs = sortedPrefs(byPrefecture)
	return o
}

func sortedPrefs(byPrefecture map[desk.Prefecture]*prefView) []prefView {
	out := make([]prefView, 0, len(byPrefecture))
	for _, p := range byPrefecture {
		p.Max = p.highest.String()
		slices.SortStableFunc(p.Areas, func(a, b areaView) int { return int(b.intensity) - int(a.intensity) })
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b prefView) int {
		if a.highest != b.highest {
			return int(b.highest) - int(a.highest)
		}
		return strings.Compare(a.Code, b.Code)
	})
	return out
}

// withMissing adds the areas that nothing but an unreported municipality stands for.
func withMissing(levels []Level, missing []CityLevel) []Level {
	out := slices.Clone(levels)
	for _, m := range missing {
		if !slices.ContainsFunc(out, func(l Level) bool { return l.Area == m.Area }) {
			out = append(out, Level{Area: m.Area})
		}
	}
	return out
}

const unreportedWord = "震度５弱以上未入電"

// citiesOf lists the municipalities of an area: those of the scenario that do not exceed the level of this telegram, and one
// from the table when none of them reaches it.
func citiesOf(q *Quake, l Level) []cityView {
	var out []cityView
	reached := l.From == desk.IntensityUnknown
	for _, c := range q.Cities {
		if c.Area == l.Area && c.Intensity <= l.From {
			out = append(out, cityOfLevel(c))
			reached = reached || c.Intensity == l.From
		}
	}
	if !reached {
		stands := cityOf()[l.Area]
		out = append(out, cityOfLevel(CityLevel{Code: stands.code, Name: stands.name, Intensity: l.From, Stations: l.Stations}))
	}
	for _, m := range q.Missing {
		if m.Area == l.Area {
			v := cityOfLevel(CityLevel{Code: m.Code, Name: m.Name, Stations: 1})
			v.Condition, v.Stations[0].Int = unreportedWord, unreportedWord
			out = append(out, v)
		}
	}
	return out
}

func cityOfLevel(c CityLevel) cityView {
	v := cityView{Name: c.Name, Code: c.Code, Max: c.Intensity.String()}
	for n := range c.Stations {
		v.Stations = append(v.Stations, stationView{
			Name: c.Name + "第" + wide(fmt.Sprint(n+1)) + "観測点",
			Code: fmt.Sprintf("%s%02d", c.Code[:5], (20+n)%100),
			Int:  v.Max,
		})
	}
	return v
}

// headlineOf lists the areas of 3 and more, the strongest first.
func headlineOf(kind string, o *observationView) []information {
	if o == nil {
		return nil
	}
	info := information{Type: kind}
	for i := desk.Intensity7; i >= desk.Intensity3; i-- {
		item := informationItem{Kind: "震度" + wide(i.Japanese()), CodeType: "地震情報／細分区域"}
		for _, p := range o.Prefs {
			for _, a := range p.Areas {
				if a.intensity == i {
					item.Areas = append(item.Areas, named{a.Name, a.Code})
				}
			}
		}
		if len(item.Areas) > 0 {
			info.Items = append(info.Items, item)
		}
	}
	if len(info.Items) == 0 {
		return nil
	}
	return []information{info}
}
