package jma

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"yagura/store/desk"
)

// volcanoKindTable: 火山現象警報等の種別 (codes/s81, feeds.md 1.13).
//
// 11 to 15 are the 噴火警戒レベル. 21 to 25 say the same to volcanoes without levels, so 22 stands beside level 2, 24 beside 4.
// Kinds for municipalities: 01 噴火警報 covers levels 4 and 5 and is the lower of them; 02, 43 and 49 cover levels 2 and 3, and
// readVolcano raises them to the volcano's own level. Ash: 多量 asks people to stay indoors and is put beside a 警報, やや多量 and
// falling stones beside a 注意報. An observed eruption alone carries no level of danger; 噴火速報 is raised by readVolcano.
var volcanoKindTable = []kindCode{
	{volcanoKinds, "01", "火山", "噴火警報", desk.LevelDanger},
	{volcanoKinds, "02", "火山", "火口周辺警報", desk.LevelAdvisory},
	{volcanoKinds, "03", "火山", "噴火警報（周辺海域）", desk.LevelWarning},
	{volcanoKinds, "04", "火山", "解除", desk.LevelNone},
	{volcanoKinds, "05", "火山", "噴火予報", desk.LevelNotice},
	{volcanoKinds, "06", "降灰", "降灰予報（定時）", desk.LevelNotice},
	{volcanoKinds, "07", "降灰", "降灰予報（速報）", desk.LevelNotice},
	{volcanoKinds, "08", "降灰", "降灰予報（詳細）", desk.LevelNotice},
	{volcanoKinds, "11", "火山", "レベル１（活火山であることに留意）", desk.LevelNotice},
	{volcanoKinds, "12", "火山", "レベル２（火口周辺規制）", desk.LevelAdvisory},
	{volcanoKinds, "13", "火山", "レベル３（入山規制）", desk.LevelWarning},
	{volcanoKinds, "14", "火山", "レベル４（高齢者等避難）", desk.LevelDanger},
	{volcanoKinds, "15", "火山", "レベル５（避難）", desk.LevelSpecial},
	{volcanoKinds, "21", "火山", "活火山であることに留意", desk.LevelNotice},
	{volcanoKinds, "22", "火山", "火口周辺危険", desk.LevelAdvisory},
	{volcanoKinds, "23", "火山", "入山危険", desk.LevelWarning},
	{volcanoKinds, "24", "火山", "山麓厳重警戒", desk.LevelDanger},
	{volcanoKinds, "25", "火山", "居住地域厳重警戒", desk.LevelSpecial},
	{volcanoKinds, "31", "海上", "海上警報（噴火警報）", desk.LevelWarning},
	{volcanoKinds, "32", "海上", "解除", desk.LevelNone},
	{volcanoKinds, "33", "海上", "海上予報（噴火予報）", desk.LevelNotice},
	{volcanoKinds, "35", "火山", "活火山であることに留意（海底火山）", desk.LevelNotice},
	{volcanoKinds, "36", "火山", "周辺海域警戒", desk.LevelWarning},
	{volcanoKinds, "41", "火山", "噴火警報：避難等", desk.LevelSpecial},
	{volcanoKinds, "42", "火山", "噴火警報：入山規制等", desk.LevelWarning},
	{volcanoKinds, "43", "火山", "火口周辺警報：入山規制等", desk.LevelAdvisory},
	{volcanoKinds, "44", "火山", "噴火警報（周辺海域）：周辺海域警戒", desk.LevelWarning},
	{volcanoKinds, "45", "火山", "活火山であることに留意", desk.LevelNotice},
	{volcanoKinds, "46", "火山", "噴火警報：当該居住地域厳重警戒", desk.LevelSpecial},
	{volcanoKinds, "47", "火山", "噴火警報：当該山麓厳重警戒", desk.LevelDanger},
	{volcanoKinds, "48", "火山", "噴火警報：火口周辺警戒", desk.LevelWarning},
	{volcanoKinds, "49", "火山", "火口周辺警報：火口周辺警戒", desk.LevelAdvisory},
	{volcanoKinds, "51", "噴火", "爆発", desk.LevelNotice},
	{volcanoKinds, "52", "噴火", "噴火", desk.LevelNotice},
	{volcanoKinds, "53", "噴火", "噴火開始", desk.LevelNotice},
	{volcanoKinds, "54", "噴火", "連続噴火継続", desk.LevelNotice},
	{volcanoKinds, "55", "噴火の停止", "連続噴火停止", desk.LevelNotice},
	{volcanoKinds, "56", "噴火", "噴火多発", desk.LevelNotice},
	{volcanoKinds, "61", "噴火", "爆発したもよう", desk.LevelNotice},
	{volcanoKinds, "62", "噴火", "噴火したもよう", desk.LevelNotice},
	{volcanoKinds, "63", "噴火", "噴火開始したもよう", desk.LevelNotice},
	{volcanoKinds, "64", "噴火", "連続噴火が継続しているもよう", desk.LevelNotice},
	{volcanoKinds, "65", "噴火の停止", "連続噴火は停止したもよう", desk.LevelNotice},
	{volcanoKinds, "70", "降灰", "降灰", desk.LevelNotice},
	{volcanoKinds, "71", "降灰", "少量の降灰", desk.LevelNotice},
	{volcanoKinds, "72", "降灰", "やや多量の降灰", desk.LevelAdvisory},
	{volcanoKinds, "73", "降灰", "多量の降灰", desk.LevelWarning},
	{volcanoKinds, "75", "降灰", "小さな噴石の落下", desk.LevelAdvisory},
	{volcanoKinds, "91", "火山", "不明", desk.LevelNotice},
	{volcanoKinds, "99", "火山", "その他の現象", desk.LevelNotice},
}

// erupts reports whether the kind says that an eruption or explosion was observed.
func erupts(code string) bool {
	k, ok := lookUpKind(volcanoKinds, code)
	return ok && k.phenomenon == "噴火"
}

// alertLevel is the 噴火警戒レベル of a kind code, 0 when it tells none.
func alertLevel(code string) int {
	if len(code) == 2 && code[0] == '1' && code[1] >= '1' && code[1] <= '5' {
		return int(code[1] - '0')
	}
	return 0
}

// prefecturesOfVolcano says where a volcano stands; nil for a code this build does not know and for the groups 900 to 902.
func prefecturesOfVolcano(code string) []desk.Prefecture {
	return volcanoPrefectures()[code]
}

var volcanoPrefectures = sync.OnceValue(func() map[string][]desk.Prefecture {
	out := make(map[string][]desk.Prefecture, 128)
	for line := range strings.Lines(volcanoPlaceTable) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		var where []desk.Prefecture
		for _, p := range strings.Split(fields[0], ",") {
			if n, err := strconv.Atoi(p); err == nil {
				where = append(where, desk.Prefecture(n))
			}
		}
		for _, code := range fields[1:] {
			out[code] = slices.Clip(where)
		}
	}
	return out
})

// volcanoPlaceTable: JIS prefecture codes, then the volcanoes of codes/s82 (2025-03) that stand in them. Made by hand from the
// position of the summit and crater; used only where a telegram lists no municipalities.
const volcanoPlaceTable = `1 101 102 103 104 105 106 107 108 109 110 111 112 113 114 115 116 117 118 119 120
1 151 152 153 154 155 156 157 158 159 160 161
2 201 202 203
2,5 204
5 205
3,5 206 208
3 207
5,6 209
3,4,5 210
4 211
4,6 212
6,7 213
7 214 215 216 218
6 217
7,9 301
9,10 302
10 303 304 351
10,20 305 306 350
15,20 307
15 308
16 309
20,21 310 311 312 335
17,21 313
19,22 314
14,22 315
22 316
13 317 318 319 320 321 322 323 324 325 326 327 328 329 330 331 336 337 338 339 340 341
9 333 342
20 334
32 401
44 502 513 514
43 503
42 504 515
45,46 505 550 551 552 553
46 506 507 508 509 510 511 516 517 518 519
35 512
47 601 602
`
