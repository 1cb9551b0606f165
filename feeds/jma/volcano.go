package jma

import (
	"encoding/xml"
	"strconv"
	"strings"

	"yagura/store/desk"
)

// The structs below follow jmx_volc.xsd (Ver.1.3). They name only what is read. Polygons of ash are not.

type volcanologyReport struct {
	XMLName xml.Name        `xml:"http://xml.kishou.go.jp/jmaxml1/ Report"`
	Named   []volcanoBlock  `xml:"http://xml.kishou.go.jp/jmaxml1/informationBasis1/ Head>Headline>Information"`
	Body    volcanologyBody `xml:"http://xml.kishou.go.jp/jmaxml1/body/volcanology1/ Body"`
}

type volcanologyBody struct {
	Infos   []volcanoBlock `xml:"VolcanoInfo"`
	Ash     []volcanoItem  `xml:"AshInfos>AshInfo>Item"`
	Content struct {
		Headline   string `xml:"VolcanoHeadline"`
		Activity   string `xml:"VolcanoActivity"`
		Prevention string `xml:"VolcanoPrevention"`
		Next       string `xml:"NextAdvisory"`
		Other      string `xml:"OtherInfo"`
	} `xml:"VolcanoInfoContent"`
	Observation struct {
		At    string `xml:"EventTime>EventDateTime"`
		Plume string `xml:"ColorPlume>PlumeHeightAboveCrater"`
		Other string `xml:"OtherObservation"`
	} `xml:"VolcanoObservation"`
	Text string `xml:"Text"`
}

type volcanoBlock struct {
	Type  string        `xml:"type,attr"`
	Items []volcanoItem `xml:"Item"`
}

type volcanoItem struct {
	At    string     `xml:"EventTime>EventDateTime"`
	Kinds []sentKind `xml:"Kind"`
	Areas struct {
		CodeType string        `xml:"codeType,attr"`
		Area     []volcanoArea `xml:"Area"`
	}
}

type volcanoArea struct {
	Name   string
	Code   string
	Crater string `xml:"CraterName"`
}

// Code types of Areas in volcano telegrams.
const (
	volcanoNames = "火山名"
	cityNames    = "気象・地震・火山情報／市町村等"
	seaNames     = "地方海上予報区"
)

// readVolcanology reads the Body of a volcano telegram into t: Volcano, Level, Place and Text. Warned is filled where one volcano is
// not the whole of it: every volcano of a monthly 解説情報, the sea areas of a VFSV.
func readVolcanology(raw []byte, t *desk.Telegram) error {
	var r volcanologyReport
	if err := decodeInto(raw, &r); err != nil {
		return err
	}
	if t.Text == "" {
		t.Text = textOfVolcano(&r.Body)
	}
	cancelled := t.Phase == desk.Cancelled
	blocks := r.Body.Infos
	if len(blocks) == 0 {
		blocks = r.Named // a 取消 has no Body but words; its headline still says which volcano
	}
	volcanoes, found := readVolcanoes(t, blocks)
	if t.Volcano == nil {
		if !strings.HasPrefix(t.Type, "VZVO") && !cancelled {
			surprised(t, "対象の火山を読み取れません。")
		}
		if !cancelled {
			t.Level = desk.LevelNotice
		}
		return nil
	}
	readEruption(t.Volcano, &r.Body)
	t.Volcano.Municipalities, t.Volcano.Ash = readMunicipalities(t, blocks, r.Body.Ash)
	if named := placesOfAreas(t.Volcano.Municipalities, t.Volcano.Ash); len(named) > 0 {
		found = named // the municipalities say it better than the table: a summit on a border does not call out both sides
	}
	t.Place = found.list()
	t.Warned = append(volcanoes, readSeas(t, blocks)...)
	if cancelled {
		withdrawVolcano(t)
		return nil
	}
	t.Level = max(t.Level, desk.Highest(t.Volcano.Ash), desk.Highest(t.Warned))
	if t.Type == "VFVO56" && t.Volcano.Eruption {
		t.Level = max(t.Level, desk.LevelWarning) // 噴火速報: a first eruption or one beyond the level in force
	}
	return nil
}

func placesOfAreas(lists ...[]desk.WarnedArea) places {
	found := make(places)
	for _, list := range lists {
		for _, a := range list {
			found.add(a.Prefectures...)
		}
	}
	return found
}

// withdrawVolcano keeps the name and the place of a retracted telegram and nothing else.
func withdrawVolcano(t *desk.Telegram) {
	t.Volcano = &desk.VolcanoReport{Code: t.Volcano.Code, Name: t.Volcano.Name}
	t.Warned, t.Level = nil, desk.LevelNone
}

// readVolcanoes sets t.Volcano and t.Level to the volcano with the highest level, the first of equals, and returns all of them when
// there are several. The places are the table's.
func readVolcanoes(t *desk.Telegram, blocks []volcanoBlock) ([]desk.WarnedArea, places) {
	found := make(places)
	areas := gathered{telegram: t, family: volcanoKinds}
	for _, b := range blocks {
		for i := range b.Items {
			it := &b.Items[i]
			if it.Areas.CodeType != volcanoNames || len(it.Kinds) == 0 {
				continue
			}
			kind, surprise := judgeKind(volcanoKinds, it.Kinds[0])
			surprised(t, surprise)
			for j := range it.Areas.Area {
				a := &it.Areas.Area[j]
				where := prefecturesOfVolcano(trim(a.Code))
				found.add(where...)
				areas.add(sentArea{Code: a.Code, Name: a.Name}, volcanoNames, it.Kinds)
				if t.Volcano == nil || kind.Level > t.Level {
					t.Volcano, t.Level = volcanoOf(a, it, kind), kind.Level
				}
			}
		}
	}
	for i := range areas.list {
		areas.list[i].Prefectures = prefecturesOfVolcano(areas.list[i].Code)
	}
	if len(areas.list) < 2 {
		return nil, found
	}
	return areas.list, found
}

func volcanoOf(a *volcanoArea, it *volcanoItem, kind desk.WarnedKind) *desk.VolcanoReport {
	return &desk.VolcanoReport{
		Code: trim(a.Code), Name: trim(a.Name), Crater: trim(a.Crater),
		KindCode: kind.Code, KindName: kind.Name, Condition: kind.Status,
		AlertLevel: alertLevel(kind.Code), Eruption: erupts(kind.Code), OccurredAt: optionalTime(it.At),
	}
}

func readEruption(v *desk.VolcanoReport, b *volcanologyBody) {
	if v.OccurredAt.IsZero() {
		v.OccurredAt = optionalTime(b.Observation.At)
	}
	if metres, err := strconv.Atoi(trim(b.Observation.Plume)); err == nil && metres > 0 {
		v.PlumeM = metres
	}
}

// readMunicipalities gives the municipalities with their warnings and measures, and those with ash: of the blocks by municipality
// and of every time of the forecast together.
func readMunicipalities(t *desk.Telegram, blocks []volcanoBlock, forecasts []volcanoItem) (warned, ash []desk.WarnedArea) {
	measures := gathered{telegram: t, family: volcanoKinds}
	falls := gathered{telegram: t, family: volcanoKinds}
	add := func(it *volcanoItem) {
		if it.Areas.CodeType != cityNames {
			return
		}
		for _, k := range it.Kinds {
			into := &measures
			if known, _ := lookUpKind(volcanoKinds, trim(k.Code)); known.phenomenon == "降灰" {
				into = &falls
			}
			for _, a := range it.Areas.Area {
				into.add(sentArea{Code: a.Code, Name: a.Name}, cityNames, []sentKind{k})
			}
		}
	}
	for _, b := range blocks {
		for i := range b.Items {
			add(&b.Items[i])
		}
	}
	for i := range forecasts {
		add(&forecasts[i])
	}
	raiseToVolcano(measures.list, t.Level)
	return measures.list, falls.list
}

// raiseToVolcano settles the kinds that stand for levels 2 and 3 alike: 火口周辺警報 and its measures follow the volcano.
func raiseToVolcano(areas []desk.WarnedArea, volcano desk.Level) {
	for i := range areas {
		for j := range areas[i].Kinds {
			k := &areas[i].Kinds[j]
			switch k.Code {
			case "02", "43", "49":
				if !k.Lifted {
					k.Level = max(k.Level, min(volcano, desk.LevelWarning))
				}
			}
		}
	}
}

// readSeas gives the sea areas of 火山現象に関する海上警報・海上予報. They lie in no prefecture.
func readSeas(t *desk.Telegram, blocks []volcanoBlock) []desk.WarnedArea {
	seas := gathered{telegram: t, family: volcanoKinds}
	for _, b := range blocks {
		for _, it := range b.Items {
			if it.Areas.CodeType != seaNames {
				continue
			}
			for _, a := range it.Areas.Area {
				seas.add(sentArea{Code: a.Code, Name: a.Name}, seaNames, it.Kinds)
			}
		}
	}
	return seas.list
}

// textOfVolcano gathers the words for people, without the glossary in Appendix.
func textOfVolcano(b *volcanologyBody) string {
	return joined([]string{
		trim(b.Content.Headline), trim(b.Content.Activity), trim(b.Content.Prevention), trim(b.Content.Other), trim(b.Content.Next),
		trim(b.Observation.Other), trim(b.Text),
	})
}
