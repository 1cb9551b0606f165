package jma

import (
	"slices"
	"strconv"
	"strings"

	"yagura/store/desk"
)

// regionCodes is the code type of 地方予報区, whose first digits are no prefecture: 010800 is 四国地方, not Hokkaido.
const regionCodes = "全国・地方予報区等"

// regions: 地方予報区 (全国・地方予報区等) with their prefectures. 全国 (010000) names nobody.
var regions = []struct {
	code, name  string
	prefectures []desk.Prefecture
}{
	{"010100", "北海道地方", []desk.Prefecture{1}},
	{"010200", "東北地方", []desk.Prefecture{2, 3, 4, 5, 6, 7}},
	{"010300", "関東甲信地方", []desk.Prefecture{8, 9, 10, 11, 12, 13, 14, 19, 20}},
	{"010400", "東海地方", []desk.Prefecture{21, 22, 23, 24}},
	{"010500", "北陸地方", []desk.Prefecture{15, 16, 17, 18}},
	{"010600", "近畿地方", []desk.Prefecture{25, 26, 27, 28, 29, 30}},
	{"010700", "中国地方", []desk.Prefecture{31, 32, 33, 34}}, // 山口県 goes with 九州北部地方
	{"010800", "四国地方", []desk.Prefecture{36, 37, 38, 39}},
	{"010900", "九州北部地方", []desk.Prefecture{35, 40, 41, 42, 43, 44}},
	{"011000", "九州南部・奄美地方", []desk.Prefecture{45, 46}},
	{"011100", "沖縄地方", []desk.Prefecture{47}},
}

func prefecturesOfRegion(code string) []desk.Prefecture {
	for _, r := range regions {
		if r.code == code {
			return r.prefectures
		}
	}
	return nil
}

// prefecturesOfCode tells the prefecture of an area. 府県予報区, 細分区域 and cities begin with the JIS code (feeds.md 1.11);
// rivers, stations and sea areas do not and give nothing.
func prefecturesOfCode(code, codeType string) []desk.Prefecture {
	switch {
	case codeType == regionCodes:
		return prefecturesOfRegion(code)
	case strings.Contains(codeType, "府県予報区"), strings.Contains(codeType, "市町村"), codeType == "":
		if p := leadingPrefecture(code); p.Valid() {
			return []desk.Prefecture{p}
		}
	}
	return nil
}

// leadingPrefecture reads the JIS code at the front of an area code of five to seven digits.
func leadingPrefecture(code string) desk.Prefecture {
	if len(code) < 5 || len(code) > 7 {
		return 0
	}
	n, err := strconv.ParseUint(code[:2], 10, 8)
	if err != nil || !desk.Prefecture(n).Valid() {
		return 0
	}
	return desk.Prefecture(n)
}

// places collects prefectures and gives them in JIS order.
type places map[desk.Prefecture]struct{}

func (s places) add(list ...desk.Prefecture) {
	for _, p := range list {
		if p.Valid() {
			s[p] = struct{}{}
		}
	}
}

func (s places) list() []desk.Prefecture {
	if len(s) == 0 {
		return nil
	}
	out := make([]desk.Prefecture, 0, len(s))
	for p := range s {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// placeOf is every prefecture the telegram speaks of: those with something in force or just lifted, and where there is none, those
// that the headline, the target area or the forecasts name, and at last those that the heading spells out.
func placeOf(t *desk.Telegram, r *meteorologyReport) []desk.Prefecture {
	found := make(places)
	for _, a := range t.Warned {
		for _, k := range a.Kinds {
			if k.Lifted || k.Level > desk.LevelNone {
				found.add(a.Prefectures...)
			}
		}
	}
	if len(found) == 0 {
		for _, a := range t.Warned {
			found.add(a.Prefectures...)
		}
		found.addNamed(r.Named)
		for _, a := range r.Body.Target {
			found.add(prefecturesOfCode(trim(a.Code), a.CodeType)...)
		}
	}
	if len(found) == 0 && !isTyphoon(t) {
		for i := range r.Body.Infos {
			found.addInfo(&r.Body.Infos[i])
		}
	}
	if len(found) == 0 {
		found.addHeading(t.HeadTitle)
	}
	return found.list()
}

// addHeading reads 標題 such as 大雨に関する近畿地方気象情報, where older telegrams name the area and nowhere else.
func (s places) addHeading(heading string) {
	for _, r := range regions {
		if strings.Contains(heading, r.name) {
			s.add(r.prefectures...)
			return
		}
	}
	for p := desk.Prefecture(1); p.Valid(); p++ {
		if strings.Contains(heading, p.Name()) {
			s.add(p)
		}
	}
}

func (s places) addNamed(blocks []namedBlock) {
	for _, b := range blocks {
		for _, it := range b.Items {
			for _, a := range it.Areas.Area {
				s.add(prefecturesOfCode(trim(a.Code), it.Areas.CodeType)...)
			}
		}
	}
}

func (s places) addInfo(b *infoBlock) {
	for _, i := range b.Infos {
		for _, it := range i.Items {
			s.addArea(it.Area)
		}
	}
	for _, it := range b.Series {
		s.addArea(it.Area)
	}
}

func (s places) addArea(a *sentArea) {
	if a != nil {
		s.add(prefecturesOfCode(trim(a.Code), a.CodeType)...)
	}
}
