package main

import (
	"yagura/store/desk"
)

// The blocks of decoded for the kinds of telegram. Times are RFC 3339 with the telegram's offset, null when absent; prefectures
// are two-digit codes of JIS X 0401; levels are the numbers of desk.Level, 0 (none) to 5 (special).

type decodedWarned struct {
	Code        string        `json:"code"`
	Name        string        `json:"name"`
	Prefectures []string      `json:"prefectures"`
	Kinds       []decodedKind `json:"kinds"`
}

type decodedKind struct {
	Code   string     `json:"code"`
	Name   string     `json:"name"`
	Level  desk.Level `json:"level"`
	Status string     `json:"status"`
	Lifted bool       `json:"lifted"`
}

// decodedEEW is an early warning. Assumed says that no hypocentre is given out, because the telegram's stands for none.
type decodedEEW struct {
	Warning        bool     `json:"warning"`
	Final          bool     `json:"final"`
	Assumed        bool     `json:"assumed"`
	OneStation     bool     `json:"one_station"`
	PLUM           bool     `json:"plum"`
	EpicenterRank  int      `json:"epicenter_rank"`
	EpicenterRank2 int      `json:"epicenter_rank2"`
	DepthRank      int      `json:"depth_rank"`
	MagnitudeRank  int      `json:"magnitude_rank"`
	MagnitudesUsed int      `json:"magnitudes_used"`
	Arrived        []string `json:"arrived"`
	WarnedAreas    []string `json:"warned_areas"`
	NewlyWarned    []string `json:"newly_warned"`
	MaxLongPeriod  string   `json:"max_long_period"`
	ChangeReason   int      `json:"change_reason"`
}

type decodedVolcano struct {
	Code           string          `json:"code"`
	Name           string          `json:"name"`
	KindCode       string          `json:"kind_code"`
	KindName       string          `json:"kind_name"`
	AlertLevel     int             `json:"alert_level"`
	Condition      string          `json:"condition"`
	Eruption       bool            `json:"eruption"`
	OccurredAt     *string         `json:"occurred_at"`
	PlumeM         int             `json:"plume_m"`
	Crater         string          `json:"crater"`
	Municipalities []decodedWarned `json:"municipalities"`
	Ash            []decodedWarned `json:"ash"`
}

type decodedTyphoon struct {
	ID        string            `json:"id"`
	Number    string            `json:"number"`
	Name      string            `json:"name"`
	Remark    string            `json:"remark"`
	Ended     bool              `json:"ended"`
	Positions []decodedPosition `json:"positions"`
}

type decodedPosition struct {
	At          *string  `json:"at"`
	Type        string   `json:"type"`
	Place       string   `json:"place"`
	Class       string   `json:"class"`
	Scale       string   `json:"scale"`
	Strength    string   `json:"strength"`
	Lat         *float64 `json:"lat"`
	Lon         *float64 `json:"lon"`
	PressureHPa *int     `json:"pressure_hpa"`
	WindMS      *int     `json:"wind_ms"`
	GustMS      *int     `json:"gust_ms"`
	Direction   string   `json:"direction"`
	SpeedKMH    *int     `json:"speed_kmh"`
}

type decodedGiant struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

type decodedNotice struct {
	AnnouncesDrill bool `json:"announces_drill"`
}

type decodedMissile struct {
	Kind       desk.MissileKind     `json:"kind"`
	IssuedAt   *string              `json:"issued_at"`
	ExpectedAt *string              `json:"expected_at"`
	Areas      []decodedMissileArea `json:"areas"`
	Place      string               `json:"place"`
	Supersedes string               `json:"supersedes"`
	DrillWords []string             `json:"drill_words"`
}

type decodedMissileArea struct {
	Code string `json:"code"`
	Part string `json:"part"`
}

// decodedStation is a gauge: in tsunami_observed what it saw, in tsunami_expected what is expected there.
type decodedStation struct {
	Code       string   `json:"code"`
	Name       string   `json:"name"`
	Area       string   `json:"area"`
	Sensor     string   `json:"sensor"`
	HighTideAt *string  `json:"high_tide_at"`
	ArrivalAt  *string  `json:"arrival_at"`
	Arrival    string   `json:"arrival"`
	Initial    string   `json:"initial"`
	MaxAt      *string  `json:"max_at"`
	Height     string   `json:"height"`
	HeightM    *float64 `json:"height_m"`
	AtLeast    bool     `json:"at_least"`
	Rising     bool     `json:"rising"`
	Condition  string   `json:"condition"`
}

type decodedEstimate struct {
	Code      string  `json:"code"`
	Name      string  `json:"name"`
	ArrivalAt *string `json:"arrival_at"`
	Arrival   string  `json:"arrival"`
	MaxAt     *string `json:"max_at"`
	Height    string  `json:"height"`
	Condition string  `json:"condition"`
}

// decodedCount is a number of earthquakes; null when the telegram calls it unknown.
type decodedCount struct {
	Kind      string  `json:"kind"`
	From      *string `json:"from"`
	To        *string `json:"to"`
	All       *int    `json:"all"`
	Felt      *int    `json:"felt"`
	Condition string  `json:"condition"`
}

type decodedLongPeriod struct {
	Max         int            `json:"max"`
	Category    string         `json:"category"`
	Prefectures []decodedClass `json:"prefectures"`
	Areas       []decodedClass `json:"areas"`
}

type decodedClass struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Class int    `json:"class"`
}

// gradeOf is one word for how strong the telegram is: the maximum intensity of an earthquake, the highest grade in force of a
// tsunami, the level of everything else.
func gradeOf(t *desk.Telegram) string {
	switch {
	case t.Hazard == desk.Tsunami && len(t.Tsunami) > 0:
		return string(desk.HighestTsunami(t.Tsunami))
	case t.Hazard == desk.Tsunami:
		return "" // it tells none: 取消, or an information without a forecast
	case t.Hazard == desk.Earthquake && t.Giant == nil && t.Notice == nil:
		return t.MaxIntensity.String()
	}
	return t.Level.String()
}

// fillKinds adds the block of the telegram's kind; the others stay null.
func (d *decoded) fillKinds(t *desk.Telegram) {
	d.Hazard, d.Grade, d.Level, d.Surprise = t.Hazard, gradeOf(t), t.Level, t.Surprise
	d.ValidUntil = rfc3339(t.ValidUntil)
	d.Warned = warnedOf(t.Warned)
	d.EEW = eewOf(t)
	d.Volcano = volcanoOf(t.Volcano)
	d.Typhoon = typhoonOf(t.Typhoon)
	if t.Giant != nil {
		d.GiantQuake = &decodedGiant{t.Giant.Code, t.Giant.Name}
	}
	if t.Notice != nil {
		d.Notice = &decodedNotice{t.Notice.AnnouncesDrill}
	}
	d.Missile = missileOf(t.Missile)
	d.TsunamiObserved = stationsOf(t.TsunamiObserved)
	d.TsunamiExpected = stationsOf(t.TsunamiExpected)
	for _, e := range t.TsunamiEstimated {
		d.TsunamiEstimated = append(d.TsunamiEstimated, decodedEstimate{
			e.Code, e.Name, rfc3339(e.ArrivalAt), e.Arrival, rfc3339(e.MaxAt), e.Height, e.Condition,
		})
	}
	for _, c := range t.Counts {
		d.Counts = append(d.Counts, decodedCount{c.Kind, rfc3339(c.From), rfc3339(c.To), c.All, c.Felt, c.Condition})
	}
	d.LongPeriod = longPeriodOf(t.LongPeriod)
}

func warnedOf(areas []desk.WarnedArea) []decodedWarned {
	var out []decodedWarned
	for _, a := range areas {
		w := decodedWarned{Code: a.Code, Name: a.Name, Prefectures: codesOf(a.Prefectures), Kinds: []decodedKind{}}
		for _, k := range a.Kinds {
			w.Kinds = append(w.Kinds, decodedKind(k))
		}
		out = append(out, w)
	}
	return out
}

func codesOf(prefectures []desk.Prefecture) []string {
	out := []string{}
	for _, p := range prefectures {
		out = append(out, jisCode(p))
	}
	return out
}

func eewOf(t *desk.Telegram) *decodedEEW {
	e := t.EEW
	if e == nil {
		return nil
	}
	return &decodedEEW{
		Warning: t.Warning, Final: t.Final, Assumed: t.Assumed, OneStation: e.OneStation, PLUM: e.PLUM,
		EpicenterRank: e.EpicenterRank, EpicenterRank2: e.EpicenterRank2, DepthRank: e.DepthRank,
		MagnitudeRank: e.MagnitudeRank, MagnitudesUsed: e.MagnitudesUsed,
		Arrived: append([]string{}, e.Arrived...), WarnedAreas: append([]string{}, e.WarnedAreas...),
		NewlyWarned: append([]string{}, e.NewlyWarned...), MaxLongPeriod: e.MaxLongPeriod, ChangeReason: e.ChangeReason,
	}
}

func volcanoOf(v *desk.VolcanoReport) *decodedVolcano {
	if v == nil {
		return nil
	}
	return &decodedVolcano{
		Code: v.Code, Name: v.Name, KindCode: v.KindCode, KindName: v.KindName, AlertLevel: v.AlertLevel, Condition: v.Condition,
		Eruption: v.Eruption, OccurredAt: rfc3339(v.OccurredAt), PlumeM: v.PlumeM, Crater: v.Crater,
		Municipalities: warnedOf(v.Municipalities), Ash: warnedOf(v.Ash),
	}
}

func typhoonOf(y *desk.TyphoonReport) *decodedTyphoon {
	if y == nil {
		return nil
	}
	d := &decodedTyphoon{ID: y.ID, Number: y.Number, Name: y.Name, Remark: y.Remark, Ended: y.Ended, Positions: []decodedPosition{}}
	for _, p := range y.Positions {
		d.Positions = append(d.Positions, decodedPosition{
			At: rfc3339(p.At), Type: p.Type, Place: p.Place, Class: p.Class, Scale: p.Scale, Strength: p.Strength,
			Lat: p.Lat, Lon: p.Lon, PressureHPa: p.PressureHPa, WindMS: p.WindMS, GustMS: p.GustMS,
			Direction: p.Direction, SpeedKMH: p.SpeedKMH,
		})
	}
	return d
}

func missileOf(m *desk.MissileReport) *decodedMissile {
	if m == nil {
		return nil
	}
	d := &decodedMissile{
		Kind: m.Kind, IssuedAt: rfc3339(m.IssuedAt), ExpectedAt: rfc3339(m.ExpectedAt), Areas: []decodedMissileArea{},
		Place: m.Place, Supersedes: m.Supersedes, DrillWords: append([]string{}, m.DrillWords...),
	}
	for _, a := range m.Areas {
		d.Areas = append(d.Areas, decodedMissileArea{Code: jisCode(a.Prefecture), Part: a.Part})
	}
	return d
}

func stationsOf(stations []desk.TsunamiStation) []decodedStation {
	var out []decodedStation
	for _, s := range stations {
		out = append(out, decodedStation{
			Code: s.Code, Name: s.Name, Area: s.Area, Sensor: s.Sensor, HighTideAt: rfc3339(s.HighTideAt),
			ArrivalAt: rfc3339(s.ArrivalAt), Arrival: s.Arrival, Initial: s.Initial, MaxAt: rfc3339(s.MaxAt),
			Height: s.Height, HeightM: s.HeightM, AtLeast: s.AtLeast, Rising: s.Rising, Condition: s.Condition,
		})
	}
	return out
}

func longPeriodOf(l *desk.LongPeriodReport) *decodedLongPeriod {
	if l == nil {
		return nil
	}
	d := &decodedLongPeriod{Max: l.Max, Category: l.Category, Prefectures: []decodedClass{}, Areas: []decodedClass{}}
	for _, p := range l.Prefectures {
		d.Prefectures = append(d.Prefectures, decodedClass{jisCode(p.Code), p.Name, p.Class})
	}
	for _, a := range l.Areas {
		d.Areas = append(d.Areas, decodedClass(a))
	}
	return d
}

// prefecturesOf lists every prefecture the telegram names, with its intensity where there is one.
func prefecturesOf(t *desk.Telegram) []decodedPrefecture {
	out := []decodedPrefecture{}
	for _, p := range t.Prefectures {
		out = append(out, decodedPrefecture{Code: jisCode(p.Code), Name: p.Name, Intensity: p.Intensity})
	}
	if len(out) == 0 {
		for _, p := range t.Place {
			out = append(out, decodedPrefecture{Code: jisCode(p), Name: p.Name()})
		}
	}
	return out
}
