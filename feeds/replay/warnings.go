package replay

import (
	"strconv"
	"strings"
	"time"

	"yagura/store/desk"
)

// early fills an early warning or forecast.
func (v *view) early(b *Bulletin) {
	v.Earthquake = earthquakeOf(b)
	v.Earthquake.Accuracy = 4
	v.Earthquake.Origin = b.Quake.Origin.Format(time.RFC3339)
	v.Earthquake.Arrival = detected(b.Quake).Format(time.RFC3339)
	if b.Assumed {
		v.Earthquake.Origin, v.Earthquake.Accuracy = "", 1
	}
	v.Forecast = forecastOf(b)
	if b.Kind == EEW {
		v.Headline = b.Quake.Place + "で地震"
		for _, p := range v.Forecast.Prefs {
			v.Headline += "　" + p.Name
		}
		v.Headline += "で強い揺れ"
		v.Information = earlyHeadline(v.Forecast)
	}
	if b.Final {
		v.NextAdvisory = "この情報をもって、緊急地震速報：最終報とします。"
	}
}

func forecastOf(b *Bulletin) *forecastView {
	var highest Level
	var order []string
	regions := make(map[string]*prefView)
	for _, l := range b.Levels {
		if l.To > highest.To || l.From > highest.From {
			highest = l
		}
		area, _ := desk.LocalArea(l.Area)
		region := forecastRegion(area)
		p := regions[region.Code]
		if p == nil {
			p = &prefView{Name: region.Name, Code: region.Code}
			regions[region.Code] = p
			order = append(order, region.Code)
		}
		a := areaView{Name: area.Name, Code: area.Code, From: l.From.String(), To: upper(l), KindName: "緊急地震速報（警報）", KindCode: "10"}
		if b.Kind == Forecast {
			a.KindName, a.KindCode = "緊急地震速報（予報）", "00"
		}
		p.Areas = append(p.Areas, a)
	}
	if len(b.Levels) == 0 {
		highest.From = maximum(b.Quake.Shaking)
		highest.To = highest.From
	}
	f := &forecastView{From: highest.From.String(), To: upper(highest)}
	if highest.From == desk.IntensityUnknown {
		f.From, f.To = "不明", "不明"
	}
	for _, code := range order {
		f.Prefs = append(f.Prefs, *regions[code])
	}
	return f
}

func upper(l Level) string {
	if l.Over {
		return "over"
	}
	return l.To.String()
}

func earlyHeadline(f *forecastView) []information {
	none := &named{"なし", "00"}
	regions := informationItem{Kind: "緊急地震速報（警報）", Code: "31", Last: none, CodeType: "緊急地震速報／府県予報区"}
	areas := informationItem{Kind: "緊急地震速報（警報）", Code: "31", Last: none, CodeType: "地震情報／細分区域"}
	for _, p := range f.Prefs {
		regions.Areas = append(regions.Areas, named{p.Name, p.Code})
		for _, a := range p.Areas {
			areas.Areas = append(areas.Areas, named{a.Name, a.Code})
		}
	}
	return []information{
		{Type: "緊急地震速報（府県予報区）", Items: []informationItem{regions}},
		{Type: "緊急地震速報（細分区域）", Items: []informationItem{areas}},
	}
}

// splitRegions gives the 府県予報区 of the four prefectures that have several (コード表 22), by the last area code of each.
var splitRegions = map[desk.Prefecture][]struct {
	last   int
	region named
}{
	1: {
		{102, named{"北海道道央", "9011"}},
		{110, named{"北海道道南", "9012"}},
		{117, named{"北海道道央", "9011"}},
		{119, named{"北海道道南", "9012"}},
		{122, named{"北海道道央", "9011"}},
		{139, named{"北海道道北", "9013"}},
		{142, named{"北海道道東", "9014"}},
		{152, named{"北海道道南", "9012"}},
		{167, named{"北海道道東", "9014"}},
	},
	13: {{352, named{"東京", "9131"}}, {358, named{"伊豆諸島", "9132"}}, {359, named{"小笠原", "9133"}}},
	46: {{777, named{"鹿児島", "9461"}}, {779, named{"奄美", "9462"}}},
	47: {{802, named{"沖縄本島", "9471"}}, {803, named{"大東島", "9472"}}, {804, named{"宮古島", "9473"}}, {807, named{"八重山", "9474"}}},
}

// forecastRegion is the 府県予報区 of an area: 9PP0 and the short name, but for four prefectures.
func forecastRegion(a desk.ForecastArea) named {
	p := a.Prefectures[0]
	if n, err := strconv.Atoi(a.Code); err == nil {
		for _, s := range splitRegions[p] {
			if n <= s.last {
				return s.region
			}
		}
	}
	code := "9" + strconv.Itoa(1000 + int(p)*10)[1:]
	return named{Name: strings.TrimSuffix(strings.TrimSuffix(p.Name(), "県"), "府"), Code: code}
}

// tsunamiView is one forecast area with its category now and before.
type tsunamiView struct {
	Name, Code string
	Kind, Last named
	Height     *named // description and number
}

var tsunamiKindName = map[string]string{
	"00": "津波なし", "50": "警報解除", "51": "津波警報", "52": "大津波警報", "53": "大津波警報：発表",
	"60": "津波注意報解除", "62": "津波注意報",
	"71": "津波予報（若干の海面変動）", "72": "津波予報（若干の海面変動）", "73": "津波予報（若干の海面変動）",
}

var tsunamiHeight = map[desk.TsunamiGrade]*named{
	desk.TsunamiMajorWarning: {"５ｍ", "5"},
	desk.TsunamiWarning:      {"３ｍ", "3"},
	desk.TsunamiAdvisory:     {"１ｍ", "1"},
	desk.TsunamiSlight:       {"０．２ｍ未満", "0.2"},
}

// tsunamiKind is Category/Kind/Code for a grade, which also tells the step from the grade before (コード表 14).
func tsunamiKind(g desk.TsunamiGrade, last string) string {
	warned := last == "51" || last == "52" || last == "53"
	switch g {
	case desk.TsunamiMajorWarning:
		if last == "52" || last == "53" {
			return "52"
		}
		return "53"
	case desk.TsunamiWarning:
		return "51"
	case desk.TsunamiAdvisory:
		return "62"
	case desk.TsunamiLifted:
		if warned {
			return "50"
		}
		return "60"
	}
	switch {
	case warned:
		return "73"
	case last == "62":
		return "72"
	}
	return "71"
}

func (w *writer) tsunamiContents(v *view, b *Bulletin) {
	state := w.tsunami[b.EventID]
	raised := state != nil
	if state == nil {
		state = make(map[string]string)
		w.tsunami[b.EventID] = state
	}
	present := make(map[desk.TsunamiGrade][]named)
	for _, l := range b.Tsunami {
		area, _ := desk.TsunamiForecastArea(l.Area)
		last := state[l.Area]
		if last == "" {
			last = "00"
		}
		kind := tsunamiKind(l.Grade, last)
		v.Tsunami = append(v.Tsunami, tsunamiView{
			Name: area.Name, Code: area.Code, Height: tsunamiHeight[l.Grade],
			Kind: named{tsunamiKindName[kind], kind}, Last: named{tsunamiKindName[last], last},
		})
		state[l.Area] = kind
		present[l.Grade] = append(present[l.Grade], named{area.Name, area.Code})
	}
	v.Earthquake = earthquakeOf(b)
	v.tsunamiHeadline(present, raised)
}

// tsunamiHeadline names the grades in force in Head/Title and says what the highest of them is.
func (v *view) tsunamiHeadline(present map[desk.TsunamiGrade][]named, before bool) {
	verb := "を発表しました。"
	if before {
		verb = "に切り替えました。"
	}
	info := information{Type: "津波予報領域表現"}
	var titles []string
	for _, g := range []struct {
		grade            desk.TsunamiGrade
		code, name, urge string
	}{
		{desk.TsunamiMajorWarning, "52", "大津波警報", " ただちに避難してください。"},
		{desk.TsunamiWarning, "51", "津波警報", " ただちに避難してください。"},
		{desk.TsunamiAdvisory, "62", "津波注意報", ""},
		{desk.TsunamiSlight, "71", "津波予報", ""},
	} {
		areas := present[g.grade]
		if len(areas) == 0 {
			continue
		}
		titles = append(titles, g.name)
		if v.Headline == "" {
			v.Headline = g.name + verb + g.urge
		}
		if g.grade != desk.TsunamiSlight {
			info.Items = append(info.Items, informationItem{Kind: g.name, Code: g.code, CodeType: "津波予報区", Areas: areas})
		}
	}
	if len(titles) == 0 {
		titles, v.Headline = []string{"津波警報・注意報"}, "津波警報・注意報を解除しました。"
	}
	v.HeadTitle = strings.Join(titles, "・")
	if len(info.Items) > 0 {
		v.Information = []information{info}
	}
}
