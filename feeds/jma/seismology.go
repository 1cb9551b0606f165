package jma

import (
	"slices"
	"strconv"
	"strings"

	"yagura/store/desk"
)

func readSeismology(t *desk.Telegram, r *report) {
	b := r.Seismology
	readComments(t, b)
	for i := range b.Earthquakes {
		t.Hypocenters = append(t.Hypocenters, readHypocenter(&b.Earthquakes[i]))
	}
	if b.Observation != nil {
		readObservation(t, b.Observation)
		t.LongPeriod = readLongPeriod(t, b.Observation)
	}
	if b.Forecast != nil {
		readForecast(t, b.Forecast)
	}
	if isEarlyWarning(t) {
		readEarlyWarning(t, &r.Head[0], b)
	}
	readTsunami(t, b)
	readCounts(t, b.Counts)
	readGiantQuake(t, b.Info)
	readNotice(t)
	if isForeignEruption(t, b) {
		readForeignEruption(t)
	}
}

func isEarlyWarning(t *desk.Telegram) bool { return strings.HasPrefix(t.Title, "緊急地震速報") }

func readComments(t *desk.Telegram, b *seismology) {
	texts := []string{b.Text, b.TokaiText, b.AftershockText}
	if b.Info != nil {
		texts = append(texts, b.Info.Text)
	}
	if c := b.Comments; c != nil {
		texts = append(texts, c.FreeForm)
		for _, one := range []*comment{c.Forecast, c.Var, c.Warning} {
			if one != nil {
				t.Comments = append(t.Comments, desk.Comment{Codes: strings.Fields(one.Code), Text: trim(one.Text)})
			}
		}
	}
	var parts []string
	for _, text := range append(texts, b.NextAdvisory) {
		if text = trim(text); text != "" {
			parts = append(parts, text)
		}
	}
	t.Text = strings.Join(parts, "\n")
}

func readObservation(t *desk.Telegram, o *intensityDetail) {
	t.MaxIntensity = desk.ParseIntensity(trim(o.MaxInt))
	found := make(prefectures)
	for i := range o.Pref {
		p := &o.Pref[i]
		code := observedPrefecture(p)
		found.raise(code, desk.ParseIntensity(trim(p.MaxInt)))
		for j := range p.Area {
			a := &p.Area[j]
			area := desk.AreaIntensity{Code: trim(a.Code), Name: trim(a.Name), Intensity: desk.ParseIntensity(trim(a.MaxInt))}
			knowLocalArea(t, area.Code, area.Name)
			t.Areas = append(t.Areas, area)
			for k := range a.City {
				if readCity(t, &a.City[k]) {
					found.provisional(code)
				}
			}
		}
	}
	t.Prefectures = found.list()
}

// observedPrefecture is the JIS code of Pref/Code (地震情報／都道府県等), or, should that be unreadable, of the first known area.
func observedPrefecture(p *intensityPref) desk.Prefecture {
	if n, err := strconv.ParseUint(trim(p.Code), 10, 8); err == nil && desk.Prefecture(n).Valid() {
		return desk.Prefecture(n)
	}
	for i := range p.Area {
		if a, ok := desk.LocalArea(trim(p.Area[i].Code)); ok {
			return a.Prefectures[0]
		}
	}
	return 0
}

// readCity counts the stations of VXSE53 and reports whether the city is 震度５弱以上未入電: believed 5弱 or more, not reported.
func readCity(t *desk.Telegram, c *intensityCity) (unreported bool) {
	unreported = strings.Contains(c.Condition, "未入電")
	for i := range c.Station {
		value := trim(c.Station[i].Int)
		if t.Type == "VXSE53" {
			t.Stations++
			if in := desk.ParseIntensity(value); in != desk.IntensityUnknown && in == t.MaxIntensity {
				t.StationsAtMax++
			}
		}
		if strings.Contains(value, "未入電") {
			unreported = true
		}
	}
	if unreported {
		t.Unreported = append(t.Unreported, trim(c.Name))
	}
	return unreported
}

func readForecast(t *desk.Telegram, f *intensityDetail) {
	t.ForecastIntensity = readRange(f.ForecastInt)
	found := make(prefectures)
	for i := range f.Pref {
		p := &f.Pref[i]
		for j := range p.Area {
			a := &p.Area[j]
			lower := desk.IntensityUnknown
			if r := readRange(a.ForecastInt); r != nil {
				lower = r.From
			}
			area := desk.AreaIntensity{Code: trim(a.Code), Name: trim(a.Name), Intensity: lower}
			knowLocalArea(t, area.Code, area.Name)
			t.Areas = append(t.Areas, area)
			found.raise(forecastPrefecture(p, a), lower)
		}
	}
	if len(t.Prefectures) == 0 {
		t.Prefectures = found.list()
	}
}

// forecastPrefecture is the prefecture of the area itself; an area that this build does not know falls back to the
// 府県予報区 code 9PPx, whose middle digits are the JIS code (feeds.md 1.11).
func forecastPrefecture(p *intensityPref, a *intensityArea) desk.Prefecture {
	if area, ok := desk.LocalArea(trim(a.Code)); ok {
		return area.Prefectures[0]
	}
	if code := trim(p.Code); len(code) == 4 && code[0] == '9' {
		if n, err := strconv.ParseUint(code[1:3], 10, 8); err == nil {
			return desk.Prefecture(n)
		}
	}
	return 0
}

// readRange reads From and To; nil when neither is a number. "over" in To means From or more.
func readRange(f *forecastInt) *desk.IntensityRange {
	if f == nil {
		return nil
	}
	r := desk.IntensityRange{
		From: desk.ParseIntensity(trim(f.From)), To: desk.ParseIntensity(trim(f.To)), Over: trim(f.To) == "over",
	}
	if r.From == desk.IntensityUnknown && r.To == desk.IntensityUnknown {
		return nil
	}
	return &r
}

// prefectures collects the highest intensity of each prefecture while a telegram is read.
type prefectures map[desk.Prefecture]desk.PrefectureIntensity

func (m prefectures) raise(code desk.Prefecture, i desk.Intensity) {
	if !code.Valid() {
		return
	}
	p, seen := m[code]
	if !seen || i > p.Intensity {
		m[code] = desk.PrefectureIntensity{Code: code, Name: code.Name(), Intensity: i}
	}
}

// provisional counts a prefecture as 5弱 while a city of it has not reported, unless it reported as much or more.
func (m prefectures) provisional(code desk.Prefecture) {
	if p, seen := m[code]; seen && p.Intensity < desk.Intensity5Lower {
		p.Intensity, p.Provisional = desk.Intensity5Lower, true
		m[code] = p
	}
}

// list gives the prefectures in JIS order: telegrams list them by intensity.
func (m prefectures) list() []desk.PrefectureIntensity {
	if len(m) == 0 {
		return nil
	}
	out := make([]desk.PrefectureIntensity, 0, len(m))
	for _, p := range m {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b desk.PrefectureIntensity) int { return int(a.Code) - int(b.Code) })
	return out
}
