package jma

import (
	"fmt"
	"strings"
	"sync"

	"yagura/store/desk"
)

// kindFamily is a set of telegrams that share one meaning of Kind/Code: "20" is 濃霧注意報 in a VPWW and 氾濫注意情報 in a VXKO.
type kindFamily string

const (
	weatherKinds   kindFamily = "weather"   // VPWW, VPWS, VPNO: 気象警報・注意報
	floodKinds     kindFamily = "flood"     // VXKO, VXSU: 指定河川洪水予報, 水位周知河川に関する情報
	landslideKinds kindFamily = "landslide" // VXWW: 土砂災害警戒情報
	tornadoKinds   kindFamily = "tornado"   // VPHW50: 竜巻注意情報
	sightingKinds  kindFamily = "sighting"  // VPHW51: 竜巻注意情報（目撃情報付き）
	rainfallKinds  kindFamily = "rainfall"  // VPOA50: 記録的短時間大雨情報
	bulletinTags   kindFamily = "bulletin"  // VPBS50: 情報タグ, told by Kind/Condition instead of a code
	volcanoKinds   kindFamily = "volcano"   // VFVO, VFSV: codes/s81
)

// kindCode is one line of the table: what a code of a family means.
type kindCode struct {
	family     kindFamily
	code       string
	phenomenon string
	name       string // the name JMA uses today; telegrams carry their own
	level      desk.Level
}

// lifts reports whether the code itself says that something ended.
func (k kindCode) lifts() bool { return k.level == desk.LevelNone && k.name == "解除" }

// lookUpKind finds a code of a family.
func lookUpKind(f kindFamily, code string) (kindCode, bool) {
	k, ok := kindCodes()[string(f)+" "+code]
	return k, ok
}

var kindCodes = sync.OnceValue(func() map[string]kindCode {
	all := make(map[string]kindCode, len(kindTable)+len(volcanoKindTable))
	for _, table := range [][]kindCode{kindTable, volcanoKindTable} {
		for _, k := range table {
			all[string(k.family)+" "+k.code] = k
		}
	}
	return all
})

// kindTable: the union of the codes before and after 2026-05-28 (feeds.md 1.12). 42, 45, 46 and 47 are reserved by JMA for
// 危険警報 of wind, snow and waves, which no telegram carries yet. 洪水 (04, 18) stands only in the old telegrams.
//
// The levels of the kinds outside the five-step scale are those of the situation in which JMA issues them:
// 記録的短時間大雨情報 and 線状降水帯発生 when キキクル is at 危険 (level 4), 線状降水帯直前予測 and 短時間大雪 under a 警報,
// 竜巻注意情報 under a 雷注意報, and one step higher when a tornado was seen.
var kindTable = []kindCode{
	{weatherKinds, "00", "", "解除", desk.LevelNone},
	{weatherKinds, "02", "暴風雪", "暴風雪警報", desk.LevelWarning},
	{weatherKinds, "03", "大雨", "レベル３大雨警報", desk.LevelWarning},
	{weatherKinds, "04", "洪水", "洪水警報", desk.LevelWarning},
	{weatherKinds, "05", "暴風", "暴風警報", desk.LevelWarning},
	{weatherKinds, "06", "大雪", "大雪警報", desk.LevelWarning},
	{weatherKinds, "07", "波浪", "波浪警報", desk.LevelWarning},
	{weatherKinds, "08", "高潮", "レベル３高潮警報", desk.LevelWarning},
	{weatherKinds, "09", "土砂災害", "レベル３土砂災害警報", desk.LevelWarning},
	{weatherKinds, "10", "大雨", "レベル２大雨注意報", desk.LevelAdvisory},
	{weatherKinds, "12", "大雪", "大雪注意報", desk.LevelAdvisory},
	{weatherKinds, "13", "風雪", "風雪注意報", desk.LevelAdvisory},
	{weatherKinds, "14", "雷", "雷注意報", desk.LevelAdvisory},
	{weatherKinds, "15", "強風", "強風注意報", desk.LevelAdvisory},
	{weatherKinds, "16", "波浪", "波浪注意報", desk.LevelAdvisory},
	{weatherKinds, "17", "融雪", "融雪注意報", desk.LevelAdvisory},
	{weatherKinds, "18", "洪水", "洪水注意報", desk.LevelAdvisory},
	{weatherKinds, "19", "高潮", "レベル２高潮注意報", desk.LevelAdvisory},
	{weatherKinds, "20", "濃霧", "濃霧注意報", desk.LevelAdvisory},
	{weatherKinds, "21", "乾燥", "乾燥注意報", desk.LevelAdvisory},
	{weatherKinds, "22", "なだれ", "なだれ注意報", desk.LevelAdvisory},
	{weatherKinds, "23", "低温", "低温注意報", desk.LevelAdvisory},
	{weatherKinds, "24", "霜", "霜注意報", desk.LevelAdvisory},
	{weatherKinds, "25", "着氷", "着氷注意報", desk.LevelAdvisory},
	{weatherKinds, "26", "着雪", "着雪注意報", desk.LevelAdvisory},
	{weatherKinds, "27", "その他", "その他の注意報", desk.LevelAdvisory},
	{weatherKinds, "29", "土砂災害", "レベル２土砂災害注意報", desk.LevelAdvisory},
	{weatherKinds, "32", "暴風雪", "暴風雪特別警報", desk.LevelSpecial},
	{weatherKinds, "33", "大雨", "レベル５大雨特別警報", desk.LevelSpecial},
	{weatherKinds, "35", "暴風", "暴風特別警報", desk.LevelSpecial},
	{weatherKinds, "36", "大雪", "大雪特別警報", desk.LevelSpecial},
	{weatherKinds, "37", "波浪", "波浪特別警報", desk.LevelSpecial},
	{weatherKinds, "38", "高潮", "レベル５高潮特別警報", desk.LevelSpecial},
	{weatherKinds, "39", "土砂災害", "レベル５土砂災害特別警報", desk.LevelSpecial},
	{weatherKinds, "42", "暴風雪", "暴風雪危険警報", desk.LevelDanger},
	{weatherKinds, "43", "大雨", "レベル４大雨危険警報", desk.LevelDanger},
	{weatherKinds, "45", "暴風", "暴風危険警報", desk.LevelDanger},
	{weatherKinds, "46", "大雪", "大雪危険警報", desk.LevelDanger},
	{weatherKinds, "47", "波浪", "波浪危険警報", desk.LevelDanger},
	{weatherKinds, "48", "高潮", "レベル４高潮危険警報", desk.LevelDanger},
	{weatherKinds, "49", "土砂災害", "レベル４土砂災害危険警報", desk.LevelDanger},

	{floodKinds, "10", "氾濫", "解除", desk.LevelNone},
	{floodKinds, "20", "氾濫", "レベル２氾濫注意報", desk.LevelAdvisory},
	{floodKinds, "21", "氾濫", "レベル２氾濫注意報", desk.LevelAdvisory},
	{floodKinds, "22", "氾濫", "レベル２氾濫注意報（警報解除）", desk.LevelAdvisory},
	{floodKinds, "30", "氾濫", "レベル３氾濫警報", desk.LevelWarning},
	{floodKinds, "31", "氾濫", "レベル３氾濫警報", desk.LevelWarning},
	{floodKinds, "40", "氾濫", "レベル４氾濫危険警報", desk.LevelDanger},
	{floodKinds, "41", "氾濫", "レベル４氾濫危険警報", desk.LevelDanger},
	{floodKinds, "50", "氾濫", "レベル５氾濫特別警報", desk.LevelSpecial},
	{floodKinds, "51", "氾濫", "レベル５氾濫特別警報", desk.LevelSpecial},
	{floodKinds, "52", "氾濫", "レベル５氾濫特別警報", desk.LevelSpecial},
	{floodKinds, "53", "氾濫", "レベル５氾濫特別警報（氾濫水の予報）", desk.LevelSpecial},

	{landslideKinds, "0", "土砂災害", "なし", desk.LevelNone},
	{landslideKinds, "1", "土砂災害", "解除", desk.LevelNone},
	{landslideKinds, "3", "土砂災害", "警戒", desk.LevelDanger},

	{tornadoKinds, "0", "竜巻", "なし", desk.LevelNone},
	{tornadoKinds, "1", "竜巻", "竜巻注意情報", desk.LevelAdvisory},
	{sightingKinds, "0", "竜巻", "なし", desk.LevelNone},
	{sightingKinds, "1", "竜巻", "竜巻注意情報（目撃情報付き）", desk.LevelWarning},
	{rainfallKinds, "0", "大雨", "なし", desk.LevelNone},
	{rainfallKinds, "1", "大雨", "記録的短時間大雨情報", desk.LevelDanger},

	{bulletinTags, "線状降水帯発生", "大雨", "線状降水帯発生", desk.LevelDanger},
	{bulletinTags, "線状降水帯直前", "大雨", "線状降水帯直前予測", desk.LevelWarning}, // the tag as sent since 2026
	{bulletinTags, "線状降水帯直前予測", "大雨", "線状降水帯直前予測", desk.LevelWarning},
	{bulletinTags, "記録雨", "大雨", "記録的短時間大雨", desk.LevelDanger},
	{bulletinTags, "短時間大雪", "大雪", "短時間大雪", desk.LevelWarning},
}

// statusLifted is Kind/Status of a kind that ended with this telegram.
const statusLifted = "解除"

// judgeKind turns a kind as sent into a word of the desk and says what this build did not know in it. A kind without a code
// (status 発表警報・注意報はなし) is no warning and no lifting.
func judgeKind(f kindFamily, k sentKind) (out desk.WarnedKind, surprise string) {
	out = desk.WarnedKind{Code: trim(k.Code), Name: trim(k.Name), Status: k.status()}
	if f == bulletinTags { // the tag stands for the code that these have not, so that two tags are two kinds
		out = desk.WarnedKind{Code: trim(k.Condition), Name: trim(k.Condition)}
	}
	if out.Code == "" {
		return out, ""
	}
	known, ok := lookUpKind(f, out.Code)
	if !ok {
		out.Lifted = out.Status == statusLifted
		if !out.Lifted {
			out.Level = desk.LevelNotice
		}
		return out, fmt.Sprintf("知らない種別コード「%s」（%s）があります。", clip(out.Code), clip(out.Name))
	}
	if known.lifts() || out.Status == statusLifted {
		out.Lifted = true
		return out, ""
	}
	out.Level = known.level
	return out, ""
}

// surprised adds a sentence to what this build did not know in the telegram, once and within bounds: a foreign text must not
// fill the desk's line.
func surprised(t *desk.Telegram, sentence string) {
	const enough = 600 // bytes
	if sentence == "" || len(t.Surprise) > enough || strings.Contains(t.Surprise, sentence) {
		return
	}
	t.Surprise += sentence
}
