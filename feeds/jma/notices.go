package jma

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"yagura/store/desk"
)

// surprise says in one sentence what this build did not know.
func surprise(t *desk.Telegram, format string, args ...any) {
	surprised(t, fmt.Sprintf(format, args...))
}

// knowLocalArea tells the first unknown 細分区域; of many the desk needs one to know that the table is old.
func knowLocalArea(t *desk.Telegram, code, name string) {
	if t.Surprise != "" {
		return
	}
	if _, ok := desk.LocalArea(code); !ok {
		surprise(t, "細分区域コード「%s」（%s）は、このプログラムの知らないものです。", clip(code), clip(name))
	}
}

// surpriseOfTitle tells a Control/Title that no table knows: titles changed in 2020, 2022, 2023, 2025 and 2026 (feeds.md 9).
func surpriseOfTitle(t *desk.Telegram) {
	if _, known := codesOfTitle[t.Title]; known {
		return
	}
	if t.Type == "" {
		surprise(t, "情報名称「%s」は、このプログラムの知らない種類です。本文を読んで判断してください。", clip(t.Title))
		return
	}
	surprise(t, "情報名称「%s」は、このプログラムの知らない種類です。ファイル名から %s として扱いました。", clip(t.Title), t.Type)
}

// readUnknownBody keeps the words of a Body in a namespace that this build does not know, so that the desk can read them.
func readUnknownBody(t *desk.Telegram) {
	var r struct {
		Body struct {
			Text     []string
			Comments []string `xml:"Comments>FreeFormComment"`
		}
	}
	if err := xml.NewDecoder(bytes.NewReader(bytes.TrimSpace(t.Raw))).Decode(&r); err != nil {
		return // the envelope was read; a Body of another shape is kept verbatim and shown
	}
	var parts []string
	for _, text := range append(r.Body.Text, r.Body.Comments...) {
		if text = trim(text); text != "" {
			parts = append(parts, text)
		}
	}
	t.Text = strings.Join(parts, "\n")
}

// readPlaces gives every prefecture the telegram names, whatever the kind. What a reader of another body filled stays.
func readPlaces(t *desk.Telegram) {
	for _, p := range t.Prefectures {
		t.Place = append(t.Place, p.Code)
	}
	for i := range t.Warned {
		t.Place = append(t.Place, t.Warned[i].Prefectures...)
	}
	slices.Sort(t.Place)
	t.Place = slices.Compact(t.Place)
}

// readCounts reads 地震回数に関する情報 (VXSE60).
func readCounts(t *desk.Telegram, items []countItem) {
	for i := range items {
		it := &items[i]
		t.Counts = append(t.Counts, desk.QuakeCount{
			Kind: trim(it.Kind), From: optionalTime(it.StartTime), To: optionalTime(it.EndTime),
			All: count(it.Number), Felt: count(it.FeltNumber), Condition: trim(it.Condition),
		})
	}
}

func count(s string) *int {
	n, err := strconv.Atoi(trim(s))
	if err != nil || n < 0 {
		return nil
	}
	return &n
}

// readLongPeriod reads the classes of 長周期地震動に関する観測情報 (VXSE62); nil for every other telegram.
func readLongPeriod(t *desk.Telegram, o *intensityDetail) *desk.LongPeriodReport {
	if t.Type != "VXSE62" {
		return nil
	}
	report := &desk.LongPeriodReport{Max: number(o.MaxLgInt), Category: trim(o.LgCategory)}
	for i := range o.Pref {
		p := &o.Pref[i]
		if code := observedPrefecture(p); code.Valid() {
			report.Prefectures = append(report.Prefectures, desk.LongPeriodPrefecture{Code: code, Name: code.Name(), Class: number(p.MaxLgInt)})
		}
		for j := range p.Area {
			a := &p.Area[j]
			report.Areas = append(report.Areas, desk.LongPeriodArea{Code: trim(a.Code), Name: trim(a.Name), Class: number(a.MaxLgInt)})
		}
	}
	slices.SortStableFunc(report.Prefectures, func(a, b desk.LongPeriodPrefecture) int { return int(a.Code) - int(b.Code) })
	return report
}

// levelOfGiantQuake puts 地震関連情報番号コード (codes/s52) on the scale of every hazard. JMA gives these no level: 巨大地震警戒 asks
// people to leave the coast beforehand, 巨大地震注意 to be ready, the others inform.
var levelOfGiantQuake = map[string]desk.Level{
	"111": desk.LevelNotice, "112": desk.LevelNotice, "113": desk.LevelNotice, // 調査中
	"120": desk.LevelWarning,                                                  // 巨大地震警戒
	"130": desk.LevelAdvisory,                                                 // 巨大地震注意
	"190": desk.LevelNone,                                                     // 調査終了
	"200": desk.LevelNotice, "210": desk.LevelNotice, "219": desk.LevelNotice, // 解説
}

// readGiantQuake reads 南海トラフ地震臨時情報, 関連解説情報 and 北海道・三陸沖後発地震注意情報. A 取消 has an empty report.
func readGiantQuake(t *desk.Telegram, info *earthquakeInfo) {
	if !strings.HasPrefix(t.Type, "VYSE5") && !strings.HasPrefix(t.Type, "VYSE6") {
		return
	}
	t.Giant = new(desk.GiantQuakeReport)
	if info == nil {
		return
	}
	t.Giant.Code, t.Giant.Name = trim(info.Code), trim(info.Name)
	if t.Giant.Code == "200" && t.Type == "VYSE51" && !strings.Contains(t.Name, "VYSE51") {
		t.Type = "VYSE52" // 定例解説: both codes have one title, and only the number tells them apart
	}
	switch level, known := levelOfGiantQuake[t.Giant.Code]; {
	case known:
		t.Level = level
	case t.Giant.Code != "":
		t.Level = desk.LevelNotice
		surprise(t, "地震関連情報番号コード「%s」（%s）は、このプログラムの知らないものです。", clip(t.Giant.Code), clip(t.Giant.Name))
	case t.Type == "VYSE60":
		// It has no InfoSerial: what it says is always the same, be ready for a week (feeds.md 1.3).
		t.Giant.Name, t.Level = trim(info.InfoKind), desk.LevelAdvisory
	default:
		t.Level = desk.LevelNotice
		surprise(t, "%sに地震関連情報番号コードがありません。本文を読んで判断してください。", clip(t.Title))
	}
}

// readNotice reads 地震・津波に関するお知らせ (VZSE40): a drill may be announced inside a live telegram, and a desk that knows of it
// doubts what comes next (feeds.md 7).
func readNotice(t *desk.Telegram) {
	if t.Type != "VZSE40" {
		return
	}
	words := t.HeadTitle + t.Headline + t.Text
	t.Notice = &desk.NoticeReport{AnnouncesDrill: strings.Contains(words, "訓練") || strings.Contains(words, "試験")}
	if t.Phase != desk.Cancelled {
		t.Level = desk.LevelNotice
	}
}

// isForeignEruption tells an eruption abroad, which comes in the shape of 遠地地震に関する情報; that it is an eruption stands
// only in the free-form comment (feeds.md 1.7). Without a number for the magnitude it must not read as an earthquake.
func isForeignEruption(t *desk.Telegram, b *seismology) bool {
	if t.Type != "VXSE53" || b.Observation != nil || !strings.Contains(t.Text, "噴火") {
		return false
	}
	return len(t.Hypocenters) > 0 && !slices.ContainsFunc(t.Hypocenters, func(h desk.Hypocenter) bool {
		return h.MagnitudeKind == desk.MagnitudeNumber
	})
}

var volcanoInText = regexp.MustCompile(`に([^\s、。に]{1,30}(?:火山|山))で.{0,12}噴火`)

// readForeignEruption makes the telegram one about a volcano. The volcano is named in the text alone; "" when it is not found.
func readForeignEruption(t *desk.Telegram) {
	t.Hazard, t.Level = desk.Volcano, desk.LevelNotice
	t.Volcano = &desk.VolcanoReport{Eruption: true, OccurredAt: t.Hypocenters[0].OriginTime}
	if m := volcanoInText.FindStringSubmatch(t.Text); m != nil {
		t.Volcano.Name = m[1]
	}
}
