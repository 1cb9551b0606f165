package jma

import (
	"strconv"
	"strings"

	"yagura/store/desk"
)

// infoBlock is MeteorologicalInfos: observations and forecasts by time.
type infoBlock struct {
	Infos  []timedInfo  `xml:"MeteorologicalInfo"`
	Series []seriesItem `xml:"TimeSeriesInfo>Item"`
}

type seriesItem struct {
	Area *sentArea `xml:"Area"`
}

type timedInfo struct {
	DateTime struct {
		Type  string `xml:"type,attr"`
		Value string `xml:",chardata"`
	}
	Items []infoItem `xml:"Item"`
}

type infoItem struct {
	Properties []infoProperty `xml:"Kind>Property"`
	Area       *sentArea      `xml:"Area"`
}

// mainText is 本文 of the item's properties.
func (it infoItem) mainText() []string {
	var out []string
	for _, p := range it.Properties {
		for _, s := range p.Texts {
			if s.Type == "本文" {
				out = append(out, s.Value)
			}
		}
	}
	return out
}

// infoProperty holds what a property of a typhoon may have: 呼称, 階級, 中心, 風 (jmx_mete.xsd).
type infoProperty struct {
	Texts []sentText `xml:"Text"`
	Name  *struct {
		NameKana string
		Name     string
		Number   string
		Remark   string
	} `xml:"TyphoonNamePart"`
	Class *struct {
		TyphoonClass   string
		AreaClass      string
		IntensityClass string
	} `xml:"ClassPart"`
	Center *typhoonCenter `xml:"CenterPart"`
	Wind   []sentAmount   `xml:"WindPart>WindSpeed"`
}

type typhoonCenter struct {
	Coordinates []string     `xml:"Coordinate"`
	Circle      []string     `xml:"ProbabilityCircle>BasePoint"`
	Location    string       `xml:"Location"`
	Direction   string       `xml:"Direction"`
	Speeds      []sentAmount `xml:"Speed"`
	Pressure    []sentAmount `xml:"Pressure"`
}

type sentAmount struct {
	Type  string `xml:"type,attr"`
	Unit  string `xml:"unit,attr"`
	Value string `xml:",chardata"`
}

// readTyphoon reads 台風解析・予報情報: one storm, each analysis and forecast of it. It is 情報 on the scale of levels as long as the
// storm lasts: the warnings it causes come by telegrams of their own. It names no prefecture.
func readTyphoon(t *desk.Telegram, infos []infoBlock) {
	report := &desk.TyphoonReport{ID: firstEvent(t)}
	for _, b := range infos {
		for i := range b.Infos {
			for j := range b.Infos[i].Items {
				report.Positions = append(report.Positions, readPosition(report, &b.Infos[i], &b.Infos[i].Items[j]))
			}
		}
	}
	report.Ended = ended(report.Remark)
	t.Typhoon = report
	if len(report.Positions) == 0 {
		surprised(t, "台風の位置を読み取れません。")
	}
	t.Level = desk.LevelNotice
	if report.Ended {
		t.Level = desk.LevelNone
	}
}

func isTyphoon(t *desk.Telegram) bool { return strings.HasPrefix(t.Type, "VPTW") }

// firstEvent is the storm's "TCyynn".
func firstEvent(t *desk.Telegram) string {
	if len(t.EventIDs) == 0 {
		return ""
	}
	return t.EventIDs[0]
}

// ended reports whether the remark closes the series: 台風消滅（温帯低気圧化）, 台風消滅（域外へ出る）, or a storm that will not come to be.
// 台風発生（域外から入る） and 温帯低気圧化しつつある do not.
func ended(remark string) bool {
	return strings.Contains(remark, "台風消滅") || strings.Contains(remark, "可能性が小さくなった")
}

func readPosition(report *desk.TyphoonReport, info *timedInfo, it *infoItem) desk.TyphoonPosition {
	p := desk.TyphoonPosition{At: optionalTime(info.DateTime.Value), Type: trim(info.DateTime.Type)}
	for i := range it.Properties {
		property := &it.Properties[i]
		if n := property.Name; n != nil {
			report.Number, report.Remark = trim(n.Number), trim(n.Remark)
			if report.Name = trim(n.NameKana); report.Name == "" {
				report.Name = trim(n.Name)
			}
		}
		if c := property.Class; c != nil {
			p.Class, _, _ = strings.Cut(trim(c.TyphoonClass), "(")
			p.Scale, p.Strength = trim(c.AreaClass), trim(c.IntensityClass)
		}
		if c := property.Center; c != nil {
			readCenter(&p, c)
		}
		if len(property.Wind) > 0 {
			p.WindMS = amount(property.Wind, "最大風速", "m/s")
			p.GustMS = amount(property.Wind, "最大瞬間風速", "m/s")
		}
	}
	return p
}

// readCenter takes the analysed centre or, in a forecast, the centre of the circle it will be in with 70 % probability.
func readCenter(p *desk.TyphoonPosition, c *typhoonCenter) {
	for _, text := range append(c.Coordinates, c.Circle...) {
		if lat, lon, _ := parseCoordinate(trim(text)); lat != nil {
			p.Lat, p.Lon = lat, lon
			break
		}
	}
	p.Place, p.Direction = trim(c.Location), trim(c.Direction)
	p.SpeedKMH = amount(c.Speeds, "移動速度", "km/h")
	p.PressureHPa = amount(c.Pressure, "中心気圧", "hPa")
}

// amount finds a whole number by its type and unit; nil when it is not given as a number (移動速度 may be ゆっくり).
func amount(list []sentAmount, kind, unit string) *int {
	for _, a := range list {
		if a.Type != kind || a.Unit != unit {
			continue
		}
		if n, err := strconv.Atoi(trim(a.Value)); err == nil {
			return &n
		}
	}
	return nil
}
