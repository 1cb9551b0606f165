package rules

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// subject says what a telegram is about: the kind, and the names under which it may be told. The first name is its own.
type subject struct {
	kind     desk.BulletinKind
	threads  []string
	siblings []string // names of shakings that the desk takes for the same event: another EventID, or a shock within two minutes
	why      string   // when kind is ""
}

// news is what a telegram tells, on the scale of its kind. Nothing in it is invented: what the telegram does not give is absent.
type news struct {
	source    string // type of the telegram
	place     string // for the subject
	what      string // for the subject
	grade     int
	areas     []desk.BulletinArea
	lines     []desk.BulletinLine
	notes     []string
	occurred  time.Time
	told      []desk.Prefecture // whom it concerns where it names no area of its own
	always    bool              // told whatever its grade
	over      bool              // nothing is in force any more
	fell      bool              // it goes on below the threshold
	forecast  bool              // an early warning, not an observation
	final     bool              // the last of its series
	minor     bool              // never a change in itself
	momentary bool              // it has no end of its own
}

func (n *news) facts(t *desk.Telegram) desk.BulletinFacts {
	return desk.BulletinFacts{Type: t.Type, Series: first(t.EventIDs), Serial: t.Serial, PressTime: t.PressTime, Areas: n.areas, Lines: n.lines}
}

func (n *news) line(name, value string) {
	if value != "" {
		n.lines = append(n.lines, desk.BulletinLine{Name: name, Value: value})
	}
}

func (n *news) prefectures() []desk.Prefecture {
	all := slices.Clone(n.told)
	for _, a := range n.areas {
		all = append(all, a.Prefecture...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// subjectOf knows every type that may be told; all others are passed over with a word.
func subjectOf(c *desk.BulletinCase) subject {
	t := &c.Telegram
	shaking := append(slices.Clone(t.EventIDs), c.Threads...)
	switch t.Type {
	case "VXSE43", "VXSE44", "VXSE45", "VXSE51":
		return besides(named(desk.BulletinQuick, t.EventIDs), c.Threads)
	case "VXSE52", "VXSE53", "VXSE61":
		return besides(named(desk.BulletinConfirmed, t.EventIDs), c.Threads)
	case "VTSE41":
		return named(desk.BulletinTsunami, shaking)
	case "VYSE50", "VYSE60":
		return named(desk.BulletinGiant, append([]string{t.Type + ":" + first(t.EventIDs)}, shaking...))
	case "VFVO50", "VFVO56":
		return volcanoSubject(t)
	case "VPTW60", "VPTW61", "VPTW62", "VPTW63", "VPTW64", "VPTW65":
		if t.Typhoon == nil || t.Typhoon.ID == "" {
			return named(desk.BulletinTyphoon, t.EventIDs)
		}
		return named(desk.BulletinTyphoon, []string{t.Typhoon.ID})
	}
	if s, ok := weatherSubject(t); ok {
		return s
	}
	return subject{why: "自動配信の対象でない種類の電文です。"}
}

func named(kind desk.BulletinKind, threads []string) subject {
	threads = slices.DeleteFunc(slices.Clone(threads), func(s string) bool { return s == "" })
	if len(threads) == 0 {
		return subject{why: "識別情報（EventID）がないため、自動配信できません。"}
	}
	return subject{kind: kind, threads: threads}
}

func besides(s subject, others []string) subject {
	for _, id := range others {
		if id != "" && !slices.Contains(s.threads, id) {
			s.siblings = append(s.siblings, id)
		}
	}
	return s
}

func first(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

// newsOf reads the news of a telegram, or says why there are none.
func newsOf(c *desk.BulletinCase, s subject, last []desk.Bulletin, before *desk.Bulletin) (*news, string) {
	t := &c.Telegram
	switch s.kind {
	case desk.BulletinQuick:
		if stands(lastBulletin(last, desk.BulletinConfirmed, s.threads)) {
			return nil, "確定情報を、すでに配信しました。"
		}
		if isEarlyWarning(t) {
			return earlyWarningNews(t, before)
		}
		return flashNews(t)
	case desk.BulletinConfirmed:
		quick := lastBulletin(last, desk.BulletinQuick, s.threads)
		if !stands(quick) {
			quick = lastBulletin(last, desk.BulletinQuick, s.siblings)
		}
		return confirmedNews(t, quick, before)
	case desk.BulletinTsunami:
		return tsunamiNews(t)
	case desk.BulletinWeather:
		return weatherNews(t, before)
	case desk.BulletinTyphoon:
		return typhoonNews(t)
	case desk.BulletinVolcano:
		return volcanoNews(t)
	case desk.BulletinGiant:
		return giantNews(t)
	}
	return nil, "自動配信の対象でない種類の電文です。"
}

// earlyWarningNews: one station or an assumed source alone triggers nothing public (feeds.md 1.10 and 7, 2016-08-01).
func earlyWarningNews(t *desk.Telegram, before *desk.Bulletin) (*news, string) {
	switch {
	case stands(before) && line(before.Facts.Type) != "EEW":
		return nil, "観測された震度を、すでに配信しました。"
	case t.EEW != nil && t.EEW.OneStation, t.EEW == nil && !t.Warning:
		return nil, "一点観測の緊急地震速報のため、配信しません。"
	case t.Assumed && !t.Warning:
		return nil, "仮定震源要素だけの緊急地震速報のため、配信しません。"
	case highest(t.ForecastIntensity) == desk.IntensityUnknown:
		return nil, "予測震度がありません。"
	}
	n := &news{source: t.Type, what: "予測最大震度" + rangeWord(t.ForecastIntensity), grade: int(highest(t.ForecastIntensity)), forecast: true, final: t.Final, occurred: OccurredAt(t)}
	n.line("種別", earlyWarningWord(t))
	n.line("発生時刻", clock(n.occurred)+"頃")
	if h := firstHypocenter(t); h != nil && !t.Assumed { // 仮定震源要素 is a placeholder without meaning
		n.place = h.Name
		n.line("震源（推定）", h.Name)
		n.line("規模（推定）", magnitude(h))
	}
	n.line("予測最大震度", rangeWord(t.ForecastIntensity))
	n.areas = prefectureAreas(t, "予測震度")
	n.place = firstText(n.place, strongestName(t))
	n.notes = []string{"緊急地震速報による予測です。観測された震度は続報で知らせます。"}
	return n, ""
}

func earlyWarningWord(t *desk.Telegram) string {
	if t.Warning {
		return "緊急地震速報（警報）"
	}
	return "緊急地震速報（予報）"
}

func rangeWord(r *desk.IntensityRange) string {
	switch {
	case r == nil:
		return ""
	case r.Over:
		return r.From.Japanese() + "程度以上"
	case r.To > r.From && r.From > desk.IntensityUnknown:
		return r.From.Japanese() + "から" + r.To.Japanese() + "程度"
	}
	return highest(r).Japanese() + "程度"
}

// flashNews is 震度速報: it has neither hypocentre nor magnitude, and none is invented.
func flashNews(t *desk.Telegram) (*news, string) {
	grade := observed(t)
	if grade == desk.IntensityUnknown {
		return nil, "震度がありません。"
	}
	n := &news{source: t.Type, place: strongestName(t), what: "最大震度" + grade.Japanese(), grade: int(grade), occurred: OccurredAt(t)}
	n.line("発生時刻", clock(n.occurred)+"頃")
	n.line("最大震度", grade.Japanese())
	n.areas = append(prefectureAreas(t, "震度"), localAreas(t)...)
	n.notes = []string{"震源と規模は、気象庁が確定したのちに知らせます。"}
	return n, ""
}

// confirmedNews is 震源・震度. 震源 alone (VXSE52) is told where the quick information was: its intensity is still to come.
func confirmedNews(t *desk.Telegram, quick, before *desk.Bulletin) (*news, string) {
	h := firstHypocenter(t)
	n := &news{source: t.Type, occurred: OccurredAt(t)}
	switch t.Type {
	case "VXSE52":
		if stands(before) || !stands(quick) || h == nil {
			return nil, "震度のない確定報です。震源・震度の電文で配信します。"
		}
		n.always, n.grade, n.told, n.what = true, quick.Grade(), quick.Prefectures, "震源確定"
		n.notes = []string{"各地の震度は、震源・震度の発表ののちに知らせます。"}
	case "VXSE61":
		if !stands(before) || h == nil {
			return nil, "配信した地震ではないため、震源要素の更新は配信しません。"
		}
		n.minor, n.grade, n.areas, n.what = true, before.Grade(), before.Facts.Areas, "震源要素の更新"
	default:
		grade := observed(t)
		if grade == desk.IntensityUnknown {
			return nil, "国内の震度がありません。"
		}
		n.grade, n.what = int(grade), "最大震度"+grade.Japanese()
		n.areas = append(prefectureAreas(t, "震度"), localAreas(t)...)
	}
	n.line("発生時刻", clock(n.occurred)+"頃")
	if h != nil {
		n.place = h.Name
		n.line("震央地名", h.Name)
		n.line("深さ", depth(h))
		n.line("規模", magnitude(h))
	}
	if t.Type != "VXSE52" {
		n.line("最大震度", desk.Intensity(n.grade).Japanese())
	}
	for _, city := range t.Unreported {
		n.line("震度５弱以上未入電", city)
	}
	n.place = firstText(n.place, strongestName(t))
	n.notes = append(n.notes, commentTexts(t)...)
	return n, ""
}

// observed is the highest observed intensity; a city believed 5弱 or more without a report counts (feeds.md 1.6).
func observed(t *desk.Telegram) desk.Intensity {
	most := t.MaxIntensity
	for _, p := range t.Prefectures {
		most = max(most, p.Intensity)
	}
	return most
}

func prefectureAreas(t *desk.Telegram, word string) []desk.BulletinArea {
	areas := make([]desk.BulletinArea, 0, len(t.Prefectures))
	for _, p := range t.Prefectures {
		what := word + p.Intensity.Japanese()
		if p.Provisional {
			what += "以上（未入電による推定）"
		}
		areas = append(areas, desk.BulletinArea{Key: twoDigits(p.Code), Name: p.Code.Name(), What: what, Grade: int(p.Intensity), Prefecture: []desk.Prefecture{p.Code}})
	}
	byGrade(areas)
	return areas
}

func localAreas(t *desk.Telegram) []desk.BulletinArea {
	areas := make([]desk.BulletinArea, 0, len(t.Areas))
	for _, a := range t.Areas {
		one := desk.BulletinArea{Key: a.Code, Name: a.Name, What: "震度" + a.Intensity.Japanese(), Grade: int(a.Intensity)}
		if known, ok := desk.LocalArea(a.Code); ok {
			one.Prefecture = known.Prefectures
		}
		areas = append(areas, one)
	}
	byGrade(areas)
	return areas
}

// byGrade puts the gravest first, the telegram's order within a grade.
func byGrade(areas []desk.BulletinArea) {
	slices.SortStableFunc(areas, func(a, b desk.BulletinArea) int { return cmp.Compare(b.Grade, a.Grade) })
}

func twoDigits(p desk.Prefecture) string { return string([]byte{'0' + byte(p)/10, '0' + byte(p)%10}) }

func strongestName(t *desk.Telegram) string {
	var most desk.AreaIntensity
	for _, a := range t.Areas {
		if a.Intensity > most.Intensity {
			most = a
		}
	}
	if most.Name != "" {
		return most.Name
	}
	var strongest desk.PrefectureIntensity
	for _, p := range t.Prefectures {
		if p.Intensity > strongest.Intensity {
			strongest = p
		}
	}
	return strongest.Name
}

// tsunamiNews reads the Body items of VTSE41, each a forecast area with its grade; the whole state is in every telegram (feeds.md 1.9).
func tsunamiNews(t *desk.Telegram) (*news, string) {
	if len(t.Tsunami) == 0 {
		return nil, "津波予報区がありません。"
	}
	n := &news{source: t.Type, occurred: issuedAt(t)}
	for _, a := range t.Tsunami {
		grade, word := tsunamiLevel(a)
		if grade == desk.LevelNone {
			continue
		}
		one := desk.BulletinArea{Key: a.Code, Name: a.Name, What: joined([]string{word, heightWord(a.Height), arrivalWord(a.Arrival)}), Grade: int(grade)}
		if known, ok := desk.TsunamiForecastArea(a.Code); ok {
			one.Prefecture = known.Prefectures
		}
		n.areas = append(n.areas, one)
		if int(grade) > n.grade {
			n.grade, n.what = int(grade), word
		}
	}
	byGrade(n.areas)
	n.over = n.grade < int(desk.LevelAdvisory)
	if n.place = placesOf(n.areas); n.over {
		n.what = ""
	}
	for i := range t.Hypocenters {
		h := &t.Hypocenters[i]
		n.line("原因の地震", joined([]string{h.Name, magnitude(h)}))
		if !h.OriginTime.IsZero() {
			n.occurred = h.OriginTime
			n.line("地震の発生時刻", clock(h.OriginTime)+"頃")
		}
	}
	n.notes = commentTexts(t)
	return n, ""
}

func tsunamiLevel(a desk.TsunamiArea) (desk.Level, string) {
	switch a.Grade {
	case desk.TsunamiMajorWarning:
		return desk.LevelSpecial, "大津波警報"
	case desk.TsunamiWarning:
		return desk.LevelWarning, "津波警報"
	case desk.TsunamiAdvisory:
		return desk.LevelAdvisory, "津波注意報"
	case desk.TsunamiSlight:
		return desk.LevelNotice, "津波予報（若干の海面変動）"
	case desk.TsunamiUnknownGrade:
		return desk.LevelAdvisory, "津波の情報（等級 " + a.Kind + "）"
	}
	return desk.LevelNone, ""
}

func heightWord(height string) string {
	if height == "" {
		return ""
	}
	return "予想高さ" + height
}

// arrivalWord is the time of the first wave, or the words the telegram has for it.
func arrivalWord(arrival string) string {
	if at, err := time.Parse(time.RFC3339, arrival); err == nil {
		return "到達予想" + clock(at)
	}
	return arrival
}

// giantNews is 南海トラフ地震臨時情報 and 北海道・三陸沖後発地震注意情報 (feeds.md 1.3).
func giantNews(t *desk.Telegram) (*news, string) {
	name := t.HeadTitle
	if t.Giant != nil {
		name = firstText(t.Giant.Name, name)
	}
	n := &news{source: t.Type, place: firstText(t.HeadTitle, t.Title), what: name, occurred: issuedAt(t), told: t.Place}
	n.grade, n.over = giantLevel(name, t)
	if strings.Contains(n.place, n.what) || n.over {
		n.what = ""
	}
	n.line("情報", name)
	n.notes = []string{t.Headline, t.Text}
	return n, ""
}
