package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// newWarnings is when the warnings of five levels replaced the older ones; from then on the older telegrams only repeat what the
// new ones say, and often less (feeds.md 1.12).
var newWarnings = time.Date(2026, 5, 28, 13, 0, 0, 0, desk.JST)

// weatherSubject gathers what one office (府県予報区) says under one name, so that the same warning by two telegrams is told once.
// Rivers and momentary happenings have names of their own.
func weatherSubject(t *desk.Telegram) (subject, bool) {
	own := ""
	switch t.Type {
	case "VPWW53", "VPWW54", "VPNO50", "VXWW50", "VPOA50":
		if !t.ReportTime.Before(newWarnings) {
			return subject{why: "移行期間の旧形式の電文です。新しい形式の電文で配信します。"}, true
		}
	case "VPWW55", "VPWW56", "VPWW57", "VPWW58", "VPWW59", "VPWW60", "VPWW61", "VPBS50", "VPHW50", "VPHW51":
	default:
		if !strings.HasPrefix(t.Type, "VXKO") {
			return subject{}, false
		}
		own = "flood:" + firstText(first(t.EventIDs), firstArea(t).Code)
	}
	if own == "" {
		p := firstArea(t).Code
		if len(p) < 2 && len(t.Place) > 0 {
			p = twoDigits(t.Place[0])
		}
		if len(p) < 2 {
			return subject{why: "対象地域が読めないため、自動配信できません。"}, true
		}
		office := p[:min(len(p), 4)] // 0110 宗谷, 4710 沖縄本島: offices of one prefecture speak apart
		own = "weather:" + office
		if isMomentary(t.Type) {
			own = t.Type + ":" + office
		}
	}
	return subject{kind: desk.BulletinWeather, threads: []string{own}}, true
}

func isMomentary(kind string) bool {
	switch kind {
	case "VPBS50", "VPHW50", "VPHW51", "VPOA50":
		return true
	}
	return false
}

func firstArea(t *desk.Telegram) desk.WarnedArea {
	if len(t.Warned) == 0 {
		return desk.WarnedArea{}
	}
	return t.Warned[0]
}

// phenomena puts the kind codes of one phenomenon together: 注意報, 警報, 危険警報, 特別警報 (feeds.md 1.12).
var phenomena = map[string]string{
	"10": "大雨", "03": "大雨", "43": "大雨", "33": "大雨",
	"29": "土砂災害", "09": "土砂災害", "49": "土砂災害", "39": "土砂災害",
	"19": "高潮", "08": "高潮", "48": "高潮", "38": "高潮",
	"15": "暴風", "05": "暴風", "45": "暴風", "35": "暴風",
	"13": "暴風雪", "02": "暴風雪", "42": "暴風雪", "32": "暴風雪",
	"12": "大雪", "06": "大雪", "46": "大雪", "36": "大雪",
	"16": "波浪", "07": "波浪", "47": "波浪", "37": "波浪",
	"18": "洪水", "04": "洪水",
}

func phenomenon(t *desk.Telegram, k desk.WarnedKind) string {
	switch {
	case strings.HasPrefix(t.Type, "VXKO"):
		return "氾濫"
	case t.Type == "VXWW50":
		return "土砂災害"
	case isMomentary(t.Type):
		return k.Code
	}
	return firstText(phenomena[k.Code], k.Code)
}

// weatherNews lays what the telegram says over what was told of the prefecture: a telegram of one phenomenon says nothing about
// the others, but everything about its own in the areas it lists.
func weatherNews(t *desk.Telegram, before *desk.Bulletin) (*news, string) {
	if len(t.Warned) == 0 {
		return nil, "対象地域がありません。"
	}
	n := &news{source: t.Type, occurred: issuedAt(t), momentary: isMomentary(t.Type)}
	listed, said := map[string]bool{}, map[string]bool{}
	for _, a := range t.Warned {
		listed[a.Code] = true
		for _, k := range a.Kinds {
			key := a.Code + "/" + phenomenon(t, k)
			said[key] = true
			if !k.Lifted && k.Level > desk.LevelNone {
				n.areas = append(n.areas, desk.BulletinArea{Key: key, Name: a.Name, What: warnedWord(t, k), Grade: int(k.Level), Prefecture: prefecturesOf(a), Source: t.Type})
			}
		}
	}
	if stands(before) && !n.momentary {
		for _, a := range before.Facts.Areas {
			code, _, _ := strings.Cut(a.Key, "/")
			if !said[a.Key] && !(listed[code] && a.Source == t.Type) {
				n.areas = append(n.areas, a)
			}
		}
	}
	byGrade(n.areas)
	n.over = len(n.areas) == 0
	if len(n.areas) > 0 {
		n.grade, n.what, n.place = n.areas[0].Grade, n.areas[0].What, placesOf(n.areas)
	} else {
		n.place = firstArea(t).Name
	}
	n.notes = []string{t.Headline}
	return n, ""
}

// warnedWord is the name of what is in force. 土砂災害警戒情報 has no name of its own in its items, only 警戒.
func warnedWord(t *desk.Telegram, k desk.WarnedKind) string {
	if t.Type == "VXWW50" {
		return "土砂災害警戒情報"
	}
	return firstText(k.Name, "種別"+k.Code)
}

func prefecturesOf(a desk.WarnedArea) []desk.Prefecture {
	if len(a.Prefectures) > 0 || len(a.Code) < 6 {
		return a.Prefectures
	}
	if p := desk.Prefecture(number(a.Code[:2])); p.Valid() { // 府県予報区 and cities begin with the JIS code (feeds.md 1.11)
		return []desk.Prefecture{p}
	}
	return nil
}

// typhoonNews tells a typhoon's birth, each step of its strength and its end; where it goes is in every issue.
func typhoonNews(t *desk.Telegram) (*news, string) {
	y := t.Typhoon
	if y == nil || len(y.Positions) == 0 && !y.Ended {
		return nil, "台風の位置がありません。"
	}
	n := &news{source: t.Type, occurred: issuedAt(t), over: y.Ended, grade: 1, told: t.Place}
	n.place = typhoonName(y)
	n.line("台風", n.place)
	n.line("状況", y.Remark)
	if len(y.Positions) == 0 {
		return n, ""
	}
	p := &y.Positions[0]
	if n.over {
		n.what = y.Remark
		return n, ""
	}
	if y.Number == "" {
		return nil, "まだ台風になっていません。"
	}
	for i, word := range []string{"強い", "非常に強い", "猛烈な"} {
		if p.Strength == word {
			n.grade = i + 2
		}
	}
	n.what = joined([]string{p.Strength, p.Scale, p.Place})
	n.line("位置", p.Place)
	n.line("大きさ・強さ", joined([]string{p.Scale, p.Strength}))
	n.line("中心気圧", measured(p.PressureHPa, "hPa"))
	n.line("最大風速", measured(p.WindMS, "m/s"))
	n.line("最大瞬間風速", measured(p.GustMS, "m/s"))
	n.line("進行方向・速さ", joined([]string{p.Direction, measured(p.SpeedKMH, "km/h")}))
	n.notes = []string{t.Headline}
	return n, ""
}

func typhoonName(y *desk.TyphoonReport) string {
	name := "台風"
	if len(y.Number) == 4 {
		name = fmt.Sprintf("台風第%d号", number(y.Number[2:]))
	}
	if y.Name != "" {
		name += "（" + y.Name + "）"
	}
	return name
}

func measured(v *int, unit string) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%d%s", *v, unit)
}

// volcanoSubject keeps the eruption apart from the level: lowering the level does not end the eruption that was told, and the
// reverse.
func volcanoSubject(t *desk.Telegram) subject {
	code := ""
	if t.Volcano != nil {
		code = t.Volcano.Code
	}
	if code == "" {
		_, code, _ = strings.Cut(first(t.EventIDs), "_")
		code = firstText(code, first(t.EventIDs)) // VFVO50: the code itself; others: time_code (feeds.md 1.4)
	}
	if code == "" {
		return subject{why: "火山が読めないため、自動配信できません。"}
	}
	if t.Type == "VFVO56" {
		return subject{kind: desk.BulletinVolcano, threads: []string{"eruption:" + code}}
	}
	return subject{kind: desk.BulletinVolcano, threads: []string{"volcano:" + code}}
}

func volcanoNews(t *desk.Telegram) (*news, string) {
	v := t.Volcano
	if v == nil {
		return nil, "火山の内容が読めません。"
	}
	n := &news{source: t.Type, place: v.Name, occurred: v.OccurredAt, grade: int(t.Level)}
	if n.occurred.IsZero() {
		n.occurred = issuedAt(t)
	}
	prefectures := slices.Clone(t.Place)
	for _, m := range v.Municipalities {
		prefectures = append(prefectures, prefecturesOf(m)...)
	}
	slices.Sort(prefectures)
	prefectures = slices.Compact(prefectures)
	if t.Type == "VFVO56" {
		n.always, n.momentary, n.what = true, true, "噴火が発生"
		n.grade = max(n.grade, int(desk.LevelWarning))
		n.line("噴火", clock(n.occurred)+"頃")
		n.line("火口", v.Crater)
		if v.PlumeM > 0 {
			n.line("噴煙", fmt.Sprintf("火口上%dm", v.PlumeM))
		}
	} else {
		n.grade = max(n.grade, min(v.AlertLevel, int(desk.LevelSpecial)))
		n.what = joined([]string{v.KindName, v.Condition})
		n.line("警戒事項", joined([]string{v.KindName, v.Condition}))
	}
	if n.grade > 0 {
		n.areas = []desk.BulletinArea{{Key: firstText(v.Code, v.Name) + "/" + line(t.Type), Name: v.Name, What: firstText(v.KindName, n.what), Grade: n.grade, Prefecture: prefectures}}
	}
	n.over = n.grade == 0
	n.notes = []string{t.Headline}
	return n, ""
}

// giantLevel reads the key word of 南海トラフ地震臨時情報: 調査中, 巨大地震警戒, 巨大地震注意, 調査終了.
func giantLevel(name string, t *desk.Telegram) (grade int, over bool) {
	switch text := name + t.HeadTitle; {
	case strings.Contains(text, "調査終了"):
		return 0, true
	case strings.Contains(text, "巨大地震警戒"):
		return int(desk.LevelSpecial), false
	case strings.Contains(text, "巨大地震注意"), t.Type == "VYSE60":
		return int(desk.LevelDanger), false
	}
	return int(max(t.Level, desk.LevelWarning)), false
}
