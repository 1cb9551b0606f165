package jma

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"slices"
	"strings"

	"yagura/feeds"
	"yagura/store/desk"
)

// The structs below follow jmx_ib.xsd and jmx_mete.xsd (Ver.1.3). They name only what is read, and blocks of cities are skipped
// while decoding: a VPWW54 says everything at four granularities in half a megabyte (feeds.md 1.12).

type meteorologyReport struct {
	XMLName xml.Name        `xml:"http://xml.kishou.go.jp/jmaxml1/ Report"`
	Named   []namedBlock    `xml:"http://xml.kishou.go.jp/jmaxml1/informationBasis1/ Head>Headline>Information"`
	Body    meteorologyBody `xml:"http://xml.kishou.go.jp/jmaxml1/body/meteorology1/ Body"`
}

type meteorologyBody struct {
	Target   []sentArea     `xml:"TargetArea"`
	Notice   []string       `xml:"Notice"`
	Warnings []warningBlock `xml:"Warning"`
	Comment  []string       `xml:"Comment>Text"`
	Infos    []infoBlock    `xml:"MeteorologicalInfos"`
}

// namedBlock is Headline/Information: kinds with the areas they hold for.
type namedBlock struct {
	Type  string      `xml:"type,attr"`
	Items []namedItem `xml:"Item"`
}

type namedItem struct {
	Kinds []sentKind `xml:"Kind"`
	Areas sentAreas  `xml:"Areas"`
}

// warningBlock is Body/Warning: one granularity of the warning.
type warningBlock struct {
	Type  string        `xml:"type,attr"`
	Items []warningItem `xml:"Item"`
}

// warningItem has one Area (VPWW, VXWW, VPHW, VPOA) or, in flood telegrams, Areas.
type warningItem struct {
	Kinds []sentKind `xml:"Kind"`
	Area  *sentArea  `xml:"Area"`
	Areas sentAreas  `xml:"Areas"`
}

type sentKind struct {
	Name      string
	Code      string
	Status    string
	Condition string
	Details   []struct {
		Type string
		Text string
	} `xml:"Property"`
}

// status is where the change of the kind is told: Status in bodies, Condition in headlines and volcano telegrams.
func (k sentKind) status() string {
	if s := trim(k.Status); s != "" {
		return s
	}
	return trim(k.Condition)
}

type sentText struct {
	Type  string `xml:"type,attr"`
	Value string `xml:",chardata"`
}

type sentAreas struct {
	CodeType string     `xml:"codeType,attr"`
	Area     []sentArea `xml:"Area"`
}

type sentArea struct {
	CodeType       string `xml:"codeType,attr"`
	Name           string
	Code           string
	PrefectureCode string
}

// UnmarshalXML skips the blocks of cities; the type stays.
func (b *namedBlock) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	type plain namedBlock
	if b.Type = typeOfBlock(start); ofCities(b.Type) {
		return d.Skip()
	}
	return d.DecodeElement((*plain)(b), &start)
}

// UnmarshalXML skips the blocks of cities; the type stays.
func (b *warningBlock) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	type plain warningBlock
	if b.Type = typeOfBlock(start); ofCities(b.Type) {
		return d.Skip()
	}
	return d.DecodeElement((*plain)(b), &start)
}

func typeOfBlock(start xml.StartElement) string {
	for _, a := range start.Attr {
		if a.Name.Local == "type" {
			return a.Value
		}
	}
	return ""
}

func ofCities(blockType string) bool { return strings.Contains(blockType, "市町村") }

// decodeInto reads one telegram into a narrow struct. Parse has already looked for DTDs and foreign encodings and for an end.
func decodeInto(raw []byte, into any) error {
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimSpace(feeds.TrimBOM(raw))))
	d.CharsetReader = utf8Only
	if err := d.Decode(into); err != nil {
		return explain(err)
	}
	return nil
}

// readMeteorology reads the Body of a weather, flood, landslide, tornado or typhoon telegram into t: Warned, Level, Place, Typhoon
// and Text. A 取消 keeps its areas and its Place, so that the same people learn of it, and has nothing in force.
func readMeteorology(raw []byte, t *desk.Telegram) error {
	var r meteorologyReport
	if err := decodeInto(raw, &r); err != nil {
		return err
	}
	if t.Text == "" {
		t.Text = textOfWeather(&r.Body)
	}
	family := familyOf(t.Type, &r)
	switch family {
	case weatherKinds:
		t.Warned = readWarnings(t, family, &r, "府県予報区")
	case tornadoKinds, sightingKinds, rainfallKinds:
		t.Warned = readWarnings(t, family, &r, "発表細分")
	case bulletinTags:
		t.Warned = readTags(t, &r)
	case floodKinds:
		t.Warned = readFlood(t, &r)
	case landslideKinds:
		t.Warned = readLandslide(t, &r)
	}
	switch {
	case t.Phase == desk.Cancelled:
		withdrawWeather(t)
	case isTyphoon(t):
		readTyphoon(t, r.Body.Infos)
	case len(t.Warned) == 0:
		t.Level = desk.LevelNotice // 気象情報, 解説情報, 時系列情報: words without a warning of their own
	default:
		t.Level = desk.Highest(t.Warned)
	}
	if t.Phase != desk.Cancelled && family != "" && len(t.Warned) == 0 {
		surprised(t, "警報等の対象地域を読み取れません。")
	}
	t.Place = placeOf(t, &r)
	return nil
}

// withdrawWeather leaves of a retracted telegram what it was about and nothing in force: VPWW and VPNO have no EventID, so the
// area is the only key to what they retract (feeds.md 1.4).
func withdrawWeather(t *desk.Telegram) {
	t.Level = desk.LevelNone
	for i := range t.Warned {
		t.Warned[i].Kinds = nil
	}
	if isTyphoon(t) {
		t.Typhoon = &desk.TyphoonReport{ID: firstEvent(t)}
	}
}

// familyOf picks the table of codes by data type code. Warnings that come under a title this build does not know are told by the
// type of their blocks. The nationwide roll-up VPWS50 only repeats what each VPWW said and is kept as 情報. VPHW51 goes out beside
// every VPHW50; whether a tornado was seen is told by one block of its headline.
func familyOf(dataType string, r *meteorologyReport) kindFamily {
	if dataType == "VPHW51" && blockOf(r.Named, "目撃情報あり", typeOfNamed) != nil {
		return sightingKinds
	}
	for _, f := range []struct {
		prefix string
		family kindFamily
	}{
		{"VPWW", weatherKinds},
		{"VPNO", weatherKinds},
		{"VPHW", tornadoKinds},
		{"VPOA", rainfallKinds},
		{"VPBS50", bulletinTags},
		{"VXKO", floodKinds},
		{"VXSU", floodKinds},
		{"VXWW", landslideKinds},
	} {
		if strings.HasPrefix(dataType, f.prefix) {
			return f.family
		}
	}
	for _, w := range r.Body.Warnings {
		if dataType == "" && strings.HasPrefix(w.Type, "気象警報・注意報") {
			return weatherKinds
		}
	}
	return ""
}

// readWarnings reads one granularity of the Body or, where the Body has no warnings (VPNO50), of the headline. When the wanted
// granularity is missing the first block there is stands in for it, and the desk is told.
func readWarnings(t *desk.Telegram, family kindFamily, r *meteorologyReport, granularity string) []desk.WarnedArea {
	areas := gathered{telegram: t, family: family}
	if block := blockOf(r.Body.Warnings, granularity, typeOfWarning); block != nil {
		areas.addWarnings(block.Items)
	} else if block := blockOf(r.Named, granularity, typeOfNamed); block != nil {
		areas.addNamed(block.Items)
	} else {
		for _, b := range r.Body.Warnings {
			areas.addWarnings(b.Items)
			if len(areas.list) > 0 {
				surprised(t, "対象地域の区分「"+granularity+"」がありません。")
				break
			}
		}
	}
	slices.SortStableFunc(areas.list, func(a, b desk.WarnedArea) int { return cmp.Compare(idle(a), idle(b)) })
	return areas.list
}

// idle is 1 for an area with nothing in force and nothing lifted (なし); such areas stand last, so that the first area is one
// the telegram is about.
func idle(a desk.WarnedArea) int {
	for _, k := range a.Kinds {
		if k.Lifted || k.Level > desk.LevelNone {
			return 0
		}
	}
	return 1
}

func typeOfWarning(b warningBlock) string { return b.Type }

func typeOfNamed(b namedBlock) string { return b.Type }

// blockOf finds the block whose type names the granularity, e.g. 気象警報・注意報（府県予報区等）.
func blockOf[B any](blocks []B, granularity string, typeOf func(B) string) *B {
	for i := range blocks {
		if strings.Contains(typeOf(blocks[i]), granularity) {
			return &blocks[i]
		}
	}
	return nil
}

// readTags reads 情報タグ of 府県気象防災速報: the kind stands in Kind/Condition (feeds.md 1.12).
func readTags(t *desk.Telegram, r *meteorologyReport) []desk.WarnedArea {
	areas := gathered{telegram: t, family: bulletinTags}
	for _, b := range r.Named {
		for _, it := range b.Items {
			for _, k := range it.Kinds {
				for _, tag := range strings.Fields(k.Condition) {
					one := []sentKind{{Condition: tag}}
					for _, a := range it.Areas.Area {
						areas.add(a, it.Areas.CodeType, one)
					}
				}
			}
		}
	}
	return areas.list
}

// readLandslide gives the prefecture (in Hokkaido the 地方) that 土砂災害警戒情報 is issued for: one area, whose kind is the
// gravest of its municipalities. It is lifted when no municipality is left under it.
func readLandslide(t *desk.Telegram, r *meteorologyReport) []desk.WarnedArea {
	cities := gathered{telegram: t, family: landslideKinds}
	for _, b := range r.Body.Warnings {
		cities.addWarnings(b.Items)
	}
	if len(r.Body.Target) == 0 {
		return cities.list
	}
	var worst desk.WarnedKind
	for _, c := range cities.list {
		for _, k := range c.Kinds {
			fresh := k.Level == worst.Level && k.Level > desk.LevelNone && k.Status == "発表"
			if k.Level > worst.Level || fresh || worst.Level == desk.LevelNone && k.Lifted {
				worst = k
			}
		}
	}
	target := r.Body.Target[0]
	return []desk.WarnedArea{{
		Code: trim(target.Code), Name: trim(target.Name),
		Prefectures: prefecturesOfCode(trim(target.Code), target.CodeType),
		Kinds:       []desk.WarnedKind{worst},
	}}
}

// gathered collects areas in telegram order, one entry for each code.
type gathered struct {
	telegram *desk.Telegram
	family   kindFamily
	list     []desk.WarnedArea
	at       map[string]int
}

func (g *gathered) addWarnings(items []warningItem) {
	for i := range items {
		it := &items[i]
		if it.Area != nil {
			g.add(*it.Area, it.Area.CodeType, it.Kinds)
		}
		for _, a := range it.Areas.Area {
			g.add(a, it.Areas.CodeType, it.Kinds)
		}
	}
}

func (g *gathered) addNamed(items []namedItem) {
	for i := range items {
		for _, a := range items[i].Areas.Area {
			g.add(a, items[i].Areas.CodeType, items[i].Kinds)
		}
	}
}

func (g *gathered) add(a sentArea, codeType string, kinds []sentKind) {
	key := trim(a.Code)
	if key == "" {
		key = trim(a.Name)
	}
	if key == "" {
		return
	}
	if g.at == nil {
		g.at = make(map[string]int)
	}
	i, seen := g.at[key]
	if !seen {
		i = len(g.list)
		g.at[key] = i
		g.list = append(g.list, desk.WarnedArea{
			Code: trim(a.Code), Name: trim(a.Name), Prefectures: prefecturesOfCode(trim(a.Code), codeType),
		})
	}
	for _, k := range kinds {
		kind, surprise := judgeKind(g.family, k)
		surprised(g.telegram, surprise)
		if kind != (desk.WarnedKind{}) && !hasKind(g.list[i].Kinds, kind) {
			g.list[i].Kinds = append(g.list[i].Kinds, kind)
		}
	}
}

func hasKind(kinds []desk.WarnedKind, k desk.WarnedKind) bool {
	for _, have := range kinds {
		if have.Code == k.Code && have.Name == k.Name {
			return true
		}
	}
	return false
}

// textOfWeather gathers the words for people: 注意事項, 本文 and the 主文 of floods.
func textOfWeather(b *meteorologyBody) string {
	var parts []string
	for _, s := range b.Notice {
		parts = append(parts, trim(s))
	}
	for _, s := range b.Comment {
		parts = append(parts, trim(s))
	}
	for _, w := range b.Warnings {
		for _, it := range w.Items {
			for _, k := range it.Kinds {
				for _, d := range k.Details {
					if trim(d.Type) == "主文" {
						parts = append(parts, trim(d.Text))
					}
				}
			}
		}
	}
	for _, info := range b.Infos {
		for _, i := range info.Infos {
			for _, it := range i.Items {
				for _, s := range it.mainText() {
					parts = append(parts, trim(s))
				}
			}
		}
	}
	return joined(parts)
}

// joined puts the parts that have words into paragraphs, each once.
func joined(parts []string) string {
	var out []string
	seen := make(map[string]bool)
	for _, p := range parts {
		if p != "" && !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return strings.Join(out, "\n\n")
}
