package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"yagura/store/desk"
)

// state is what is in force after the telegrams of a thread: of each title the newest telegram that holds carries the whole state
// of its own and replaces the former one (feeds.md 1.4, VPWW5x).
func state(all []bulletin) []bulletin {
	newest := map[string]int{}
	for i, b := range all {
		if b.standing != holds {
			continue
		}
		newest[lineOf(b.Telegram)] = i // all is in the order of press
	}
	out := make([]bulletin, 0, len(newest))
	for i, b := range all {
		if at, ok := newest[lineOf(b.Telegram)]; ok && at == i {
			out = append(out, b)
		}
	}
	return out
}

// levelOf is the highest level in force, on the scale of every hazard.
func levelOf(all []bulletin) desk.Level {
	highest := desk.LevelNone
	for _, b := range state(all) {
		highest = max(highest, b.Level)
	}
	return highest
}

// hazardTitle is the title of everything but shakings and missiles.
func hazardTitle(e *desk.Event, all []bulletin) string {
	last := all[len(all)-1]
	base := firstText(last.HeadTitle, last.Title, "電文")
	if e.Status == desk.EventRetracted {
		return base + " は取り消されました"
	}
	now := state(all)
	if len(now) == 0 {
		return base
	}
	text := ""
	switch {
	case isGiant(all):
		text = giantTitle(now)
	case e.Hazard == desk.Weather && family(now[0].Type) == "VPTW":
		text = typhoonTitle(now)
	case e.Hazard == desk.Weather:
		text = weatherTitle(now)
	case e.Hazard == desk.Volcano:
		text = volcanoTitle(now)
	}
	return firstText(text, base)
}

func isGiant(all []bulletin) bool {
	return slices.ContainsFunc(all, func(b bulletin) bool { return strings.HasPrefix(b.Type, "VYSE") })
}

// weatherTitle names the place and the strongest kinds in force, e.g. "山形県 レベル５大雨特別警報・レベル４土砂災害危険警報".
func weatherTitle(now []bulletin) string {
	lead := strongest(now)
	where := leadPlace(lead.Telegram)
	switch {
	case lead.Level == desk.LevelNone && len(lead.Warned) > 0 && isWarnings(lead.Type):
		return where + " " + liftedText(now)
	case lead.Level == desk.LevelNone && len(lead.Warned) > 0:
		return where + " 解除"
	case isWarnings(lead.Type):
		return joined([]string{where, strings.Join(kindsInForce(now), "・")})
	}
	return where + markOf(lead.Telegram)
}

// liftedText says no more than what was lifted: VPNO50 speaks of 特別警報 alone, a VPWW5x of its own phenomenon, and the rest may stand.
func liftedText(now []bulletin) string {
	var phenomena []string
	special := true
	for _, b := range now {
		if family(b.Type) == "VPNO" {
			continue
		}
		special = false
		_, name, _ := strings.Cut(b.Title, "（Ｒ０６）（") // 気象警報・注意報（Ｒ０６）（大雨）
		if name = strings.TrimSuffix(name, "）"); name == "" || strings.HasPrefix(name, "その他") {
			return "警報・注意報は解除されました"
		}
		phenomena = append(phenomena, name)
	}
	if special {
		return "特別警報は解除されました"
	}
	return strings.Join(phenomena, "・") + "の警報・注意報は解除されました"
}

// markOf is what the heading leaves out: the level of 土砂災害警戒情報 and 氾濫…情報 before 2026-05-28, and that a tornado was seen.
func markOf(t *desk.Telegram) string {
	switch family(t.Type) {
	case "VXWW", "VXKO", "VXSU":
		if t.Level >= desk.LevelAdvisory && !strings.Contains(t.HeadTitle, "レベル") {
			return fmt.Sprintf("（警戒レベル%d相当）", t.Level)
		}
	case "VPHW":
		if t.Level >= desk.LevelWarning && !strings.Contains(t.HeadTitle, "目撃") {
			return "（目撃情報あり）"
		}
	}
	return ""
}

func strongest(now []bulletin) bulletin {
	lead := now[len(now)-1]
	for _, b := range now {
		if b.Level > lead.Level {
			lead = b
		}
	}
	return lead
}

// isWarnings recognises 気象警報・注意報 of a 府県予報区, also 特別警報報知.
func isWarnings(kind string) bool { return family(kind) == "VPWW" || family(kind) == "VPNO" }

// leadPlace is the area where there is one, else the head title, which names the prefecture or the river.
func leadPlace(t *desk.Telegram) string {
	if isWarnings(t.Type) {
		if len(t.Warned) > 0 && t.Warned[0].Name != "" {
			return t.Warned[0].Name
		}
	}
	return firstText(t.HeadTitle, t.Title)
}

const titleKinds = 3

// kindsInForce lists the names of the strongest kinds, those of the two highest levels that count as a warning first. The old
// and the new telegram of one warning ("大雨特別警報", "レベル５大雨特別警報") are one kind.
func kindsInForce(now []bulletin) []string {
	type named struct {
		name  string
		level desk.Level
	}
	seen := map[string]int{}
	var kinds []named
	for _, b := range now {
		for _, a := range b.Warned {
			for _, k := range a.Kinds {
				if k.Lifted || k.Level == desk.LevelNone || k.Name == "" {
					continue
				}
				plain := plainKind(k.Name)
				if i, ok := seen[plain]; ok {
					if k.Level > kinds[i].level || len(k.Name) > len(kinds[i].name) {
						kinds[i] = named{k.Name, max(k.Level, kinds[i].level)}
					}
					continue
				}
				seen[plain] = len(kinds)
				kinds = append(kinds, named{k.Name, k.Level})
			}
		}
	}
	slices.SortStableFunc(kinds, func(a, b named) int { return cmp.Compare(b.level, a.level) })
	var names []string
	for _, k := range kinds {
		if len(names) == titleKinds {
			return append(names, "ほか")
		}
		if len(names) > 0 && k.level < desk.LevelWarning {
			break // the advisories beside a warning are no news
		}
		names = append(names, k.name)
	}
	return names
}

func plainKind(name string) string {
	if rest, ok := strings.CutPrefix(name, "レベル"); ok && rest != "" {
		return string([]rune(rest)[1:])
	}
	return name
}

// typhoonTitle: "台風第10号（サンサン） 非常に強い 南大東島の南南東約１６０ｋｍ 950hPa".
func typhoonTitle(now []bulletin) string {
	last := now[len(now)-1]
	t := last.Typhoon
	if t == nil {
		return firstText(last.HeadTitle, last.Title)
	}
	name := "熱帯低気圧"
	if len(t.Number) >= 3 {
		name = "台風第" + strings.TrimLeft(t.Number[len(t.Number)-2:], "0") + "号"
		if t.Name != "" {
			name += "（" + t.Name + "）"
		}
	}
	if t.Ended {
		return joined([]string{name, firstText(t.Remark, "の情報は終わりました")})
	}
	parts := []string{name}
	if len(t.Positions) > 0 {
		p := t.Positions[0]
		parts = append(parts, p.Scale, p.Strength, p.Place)
		if p.PressureHPa != nil {
			parts = append(parts, fmt.Sprintf("%dhPa", *p.PressureHPa))
		}
	}
	return joined(parts)
}

// volcanoTitle: "桜島 噴火警戒レベル５（避難） 爆発 噴煙4000m".
func volcanoTitle(now []bulletin) string {
	var name, kind, remark string
	for _, b := range now {
		v := b.Volcano
		if v == nil {
			continue
		}
		name = firstText(v.Name, name)
		switch {
		case b.Type == "VFVO50":
			kind = alertText(v)
		case b.Type == "VFVO52" && !v.Eruption:
			remark = v.KindName // 連続噴火停止
		}
		if v.Eruption {
			remark = firstText(map[bool]string{true: "噴火速報"}[b.Type == "VFVO56"], v.KindName, "噴火")
			if v.PlumeM > 0 {
				remark += fmt.Sprintf(" 噴煙%dm", v.PlumeM)
			}
		}
	}
	last := now[len(now)-1]
	switch {
	case name == "" && len(last.Hypocenters) > 0: // an eruption abroad
		return joined([]string{last.Hypocenters[0].Name, "大規模な噴火"})
	case name == "":
		return firstText(last.HeadTitle, last.Title)
	}
	if remark == kind {
		remark = ""
	}
	if kind == "" && remark == "" {
		remark = firstText(alertText(last.Volcano), last.Title)
	}
	return joined([]string{name, kind, remark})
}

// alertText is 噴火警戒レベル; a volcano without levels gets the one its words stand beside (codes/s81, 22 to 25).
func alertText(v *desk.VolcanoReport) string {
	switch {
	case v == nil:
		return ""
	case strings.HasPrefix(v.KindName, "レベル"):
		return "噴火警戒" + v.KindName
	case v.AlertLevel > 0:
		return fmt.Sprintf("噴火警戒レベル%d %s", v.AlertLevel, v.KindName)
	case v.KindCode >= "22" && v.KindCode <= "25":
		return v.KindName + "（レベル" + v.KindCode[1:] + "相当）"
	}
	return v.KindName
}

// isExplanation: 解説情報 comes every month and after every 臨時情報; it neither names the event nor rings.
func isExplanation(t *desk.Telegram) bool {
	return t.Type == "VYSE42" || t.Type == "VYSE51" || t.Type == "VYSE52"
}

func giantTitle(now []bulletin) string {
	last := now[len(now)-1]
	for _, b := range now {
		if !isExplanation(b.Telegram) {
			last = b
		}
	}
	head := firstText(last.Title, last.HeadTitle)
	if last.Giant != nil && last.Giant.Name != "" && !strings.Contains(head, last.Giant.Name) {
		return head + "（" + last.Giant.Name + "）"
	}
	return head
}

// hazardGrade is how loudly the desk is told of everything but shakings and missiles: 特別警報, a volcano at level 4 or 5, 噴火速報 and
// 南海トラフ・後発地震 ring; 危険警報, level 3 and a notice that announces a drill are shown; the rest is kept.
func hazardGrade(e *desk.Event, all []bulletin) desk.Grade {
	level := levelOf(all)
	switch {
	case e.Status == desk.EventRetracted:
		for _, b := range all {
			rang := b.Level >= desk.LevelSpecial || b.Type == "VFVO50" && b.Level >= desk.LevelDanger ||
				isGiant([]bulletin{b}) && !isExplanation(b.Telegram) || b.Type == "VFVO56"
			if b.standing == retracted && rang {
				return desk.GradeAlarm // what rang is taken back as loudly
			}
		}
		return desk.GradeWatch
	case isGiant(all):
		return giantGrade(all)
	case e.Hazard == desk.Volcano:
		return volcanoGrade(all)
	case level >= desk.LevelSpecial:
		return desk.GradeAlarm
	case level >= desk.LevelDanger, announcesDrill(all), unknownInside(all):
		return desk.GradeWatch
	}
	return desk.GradeInfo
}

func giantGrade(all []bulletin) desk.Grade {
	switch now := state(all); {
	case slices.ContainsFunc(now, func(b bulletin) bool { return !isExplanation(b.Telegram) }):
		return desk.GradeAlarm
	case slices.ContainsFunc(now, func(b bulletin) bool { return b.Type == "VYSE51" }), unknownInside(all):
		return desk.GradeWatch
	}
	return desk.GradeInfo
}

// volcanoGrade: a 解説情報 only repeats the level, so it is shown and does not ring every week a volcano stays restless.
func volcanoGrade(all []bulletin) desk.Grade {
	now := state(all)
	level := desk.LevelNone
	for _, b := range now {
		if b.Type == "VFVO50" || b.Type == "VFVO56" {
			level = max(level, b.Level)
		}
	}
	switch {
	case level >= desk.LevelDanger, slices.ContainsFunc(now, func(b bulletin) bool { return b.Type == "VFVO56" }):
		return desk.GradeAlarm
	case levelOf(all) >= desk.LevelWarning, unknownInside(all):
		return desk.GradeWatch
	case slices.ContainsFunc(now, func(b bulletin) bool { return strings.HasPrefix(b.Type, "VXSE") }): // an eruption abroad
		return desk.GradeWatch
	}
	return desk.GradeInfo
}

func announcesDrill(all []bulletin) bool {
	return slices.ContainsFunc(all, func(b bulletin) bool {
		return b.standing == holds && b.Notice != nil && b.Notice.AnnouncesDrill
	})
}

// unknownInside: what this build does not know may be grave, so it is not left in the lowest row.
func unknownInside(all []bulletin) bool {
	return slices.ContainsFunc(all, func(b bulletin) bool { return b.standing == holds && b.Surprise != "" })
}

// checkReach says how grave it is and where, for what has no intensities to show.
func checkReach(e *desk.Event, all []bulletin) []desk.Check {
	const code = desk.CheckAreas
	level := levelOf(all)
	if e.Hazard != desk.Weather && e.Hazard != desk.Volcano || level == desk.LevelNone {
		return nil
	}
	var where []desk.Prefecture
	for _, b := range state(all) {
		if b.Level == level {
			where = append(where, placesAt(b.Telegram, level)...)
		}
	}
	slices.Sort(where)
	where = slices.Compact(where)
	switch {
	case len(where) == 0:
		return nil
	case e.Hazard == desk.Volcano || level == desk.LevelNotice:
		return []desk.Check{check(code, desk.Passed, "対象は%sです。", prefectureNames(where))}
	}
	return []desk.Check{check(code, desk.Passed, "%sの情報です。対象は%sです。", level.Japanese(), prefectureNames(where))}
}

// placesAt are the prefectures of the areas at the level: a monthly 解説情報 names the volcanoes of 26 prefectures.
func placesAt(t *desk.Telegram, level desk.Level) []desk.Prefecture {
	var out []desk.Prefecture
	for i := range t.Warned {
		if desk.Highest(t.Warned[i:i+1]) == level {
			out = append(out, t.Warned[i].Prefectures...)
		}
	}
	if len(out) == 0 {
		return slices.Clone(t.Place)
	}
	return out
}

// checkHazard holds the checks that concern everything but a shaking.
func checkHazard(all []bulletin) []desk.Check {
	var out []desk.Check
	if announcesDrill(all) {
		out = append(out, check(desk.CheckAnnounces, desk.Undetermined, "訓練または試験を知らせるお知らせです。この後に届く電文と取り違えないでください。"))
	}
	for _, b := range all {
		if b.standing == holds && b.Surprise != "" {
			out = append(out, check(desk.CheckSurprise, desk.Undetermined, "この版の知らない内容があります: %s", oneLine(b.Surprise)))
			break
		}
	}
	return out
}

// sameKey finds two telegrams that bear one number and say different things (feeds.md 3.4): somebody on the way changed one.
func checkSameKey(telegrams []desk.Telegram) []desk.Check {
	type key struct {
		title, ids, serial, office string
		mode                       desk.Mode
		phase                      desk.Phase
		press                      int64
	}
	seen := map[key]*desk.Telegram{}
	for i := range telegrams {
		t := &telegrams[i]
		if t.PressTime.IsZero() || t.Hazard == desk.Missile {
			continue
		}
		k := key{t.Title, strings.Join(t.EventIDs, " "), t.Serial, t.Office, t.Mode, t.Phase, t.PressTime.UnixNano()}
		had, ok := seen[k]
		if !ok {
			seen[k] = t
			continue
		}
		if had.Digest == t.Digest || differentAreas(had, t) {
			continue
		}
		ck := check(desk.CheckSameKey, desk.Contradicts, "同じ番号の電文が違う内容で届きました（%s %s）。", firstText(t.Title, "電文"), clockSeconds(t.PressTime))
		ck.Detail = fmt.Sprintf("受信経路は %s と %s です。", firstText(had.Feed, "不明"), firstText(t.Feed, "不明"))
		return []desk.Check{ck}
	}
	return nil
}

// differentAreas: telegrams without a number may be one office's for two of its areas in the same second.
func differentAreas(a, b *desk.Telegram) bool {
	return len(a.Warned) > 0 && len(b.Warned) > 0 && a.Warned[0].Code != b.Warned[0].Code
}
