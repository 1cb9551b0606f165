package desk

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

// ForecastArea is 細分区域 or 津波予報区: an area that telegrams name, with the prefectures it lies in, in JIS order.
type ForecastArea struct {
	Code        string
	Name        string
	Prefectures []Prefecture
}

// LocalArea finds one of the 188 細分区域 (AreaForecastLocalE) by its three-digit code. Each lies in one prefecture.
func LocalArea(code string) (ForecastArea, bool) {
	a, ok := localAreas()[code]
	return a, ok
}

// TsunamiForecastArea finds one of the 66 津波予報区 by its three-digit code. 312, 391 and 712 touch several prefectures.
func TsunamiForecastArea(code string) (ForecastArea, bool) {
	a, ok := tsunamiAreas()[code]
	return a, ok
}

// LocalAreas lists the 細分区域 of one prefecture, ordered by code.
func LocalAreas(p Prefecture) []ForecastArea {
	var out []ForecastArea
	for _, a := range localAreas() {
		if a.Prefectures[0] == p {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b ForecastArea) int { return strings.Compare(a.Code, b.Code) })
	return out
}

var localAreas = sync.OnceValue(func() map[string]ForecastArea {
	areas := make(map[string]ForecastArea, 188)
	for line := range strings.Lines(localAreaTable) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		prefectures := parsePrefectures(fields[0])
		for _, f := range fields[1:] {
			areas[f[:3]] = ForecastArea{Code: f[:3], Name: f[3:], Prefectures: prefectures}
		}
	}
	return areas
})

var tsunamiAreas = sync.OnceValue(func() map[string]ForecastArea {
	areas := make(map[string]ForecastArea, 66)
	for line := range strings.Lines(tsunamiAreaTable) {
		if f := strings.Fields(line); len(f) == 3 {
			areas[f[0]] = ForecastArea{Code: f[0], Name: f[1], Prefectures: parsePrefectures(f[2])}
		}
	}
	return areas
})

func parsePrefectures(list string) []Prefecture {
	var out []Prefecture
	for _, s := range strings.Split(list, ",") {
		if n, err := strconv.Atoi(s); err == nil {
			out = append(out, Prefecture(n))
		}
	}
	return out
}

// localAreaTable: the JIS prefecture code, then code and name of each of its 細分区域 (気象庁コード表 24, 2025-03).
const localAreaTable = `1 100石狩地方北部 101石狩地方中部 102石狩地方南部 105渡島地方北部 106渡島地方東部 107渡島地方西部 110檜山地方 115後志地方北部 116後志地方東部 117後志地方西部 119北海道奥尻島 120空知地方北部 121空知地方中部 122空知地方南部 125上川地方北部 126上川地方中部 127上川地方南部 130留萌地方中北部 131留萌地方南部 135宗谷地方北部 136宗谷地方南部 139北海道利尻礼文 140網走地方 141北見地方 142紋別地方 145胆振地方西部 146胆振地方中東部 150日高地方西部 151日高地方中部 152日高地方東部 155十勝地方北部 156十勝地方中部 157十勝地方南部 160釧路地方北部 161釧路地方中南部 165根室地方北部 166根室地方中部 167根室地方南部
2 200青森県津軽北部 201青森県津軽南部 202青森県三八上北 203青森県下北
3 210岩手県沿岸北部 211岩手県沿岸南部 212岩手県内陸北部 213岩手県内陸南部
4 220宮城県北部 221宮城県南部 222宮城県中部
5 230秋田県沿岸北部 231秋田県沿岸南部 232秋田県内陸北部 233秋田県内陸南部
6 240山形県庄内 241山形県最上 242山形県村山 243山形県置賜
7 250福島県中通り 251福島県浜通り 252福島県会津
8 300茨城県北部 301茨城県南部
9 310栃木県北部 311栃木県南部
10 320群馬県北部 321群馬県南部
11 330埼玉県北部 331埼玉県南部 332埼玉県秩父
12 340千葉県北東部 341千葉県北西部 342千葉県南部
13 350東京都２３区 351東京都多摩東部 352東京都多摩西部 354神津島 355伊豆大島 356新島 357三宅島 358八丈島 359小笠原
14 360神奈川県東部 361神奈川県西部
15 370新潟県上越 371新潟県中越 372新潟県下越 375新潟県佐渡
16 380富山県東部 381富山県西部
17 390石川県能登 391石川県加賀
18 400福井県嶺北 401福井県嶺南
19 411山梨県中・西部 412山梨県東部・富士五湖
20 420長野県北部 421長野県中部 422長野県南部
21 430岐阜県飛騨 431岐阜県美濃東部 432岐阜県美濃中西部
22 440静岡県伊豆 441静岡県東部 442静岡県中部 443静岡県西部
23 450愛知県東部 451愛知県西部
24 460三重県北部 461三重県中部 462三重県南部
25 500滋賀県北部 501滋賀県南部
26 510京都府北部 511京都府南部
27 520大阪府北部 521大阪府南部
28 530兵庫県北部 531兵庫県南東部 532兵庫県南西部 535兵庫県淡路島
29 540奈良県
30 550和歌山県北部 551和歌山県南部
31 560鳥取県東部 562鳥取県中部 563鳥取県西部
32 570島根県東部 571島根県西部 575島根県隠岐
33 580岡山県北部 581岡山県南部
34 590広島県北部 591広島県南東部 592広島県南西部
35 700山口県北部 702山口県西部 703山口県東部 704山口県中部
36 600徳島県北部 601徳島県南部
37 610香川県東部 611香川県西部
38 620愛媛県東予 621愛媛県中予 622愛媛県南予
39 630高知県東部 631高知県中部 632高知県西部
40 710福岡県福岡 711福岡県北九州 712福岡県筑豊 713福岡県筑後
41 720佐賀県北部 721佐賀県南部
42 730長崎県北部 731長崎県南西部 732長崎県島原半島 735長崎県対馬 736長崎県壱岐 737長崎県五島
43 740熊本県阿蘇 741熊本県熊本 742熊本県球磨 743熊本県天草・芦北
44 750大分県北部 751大分県中部 752大分県南部 753大分県西部
45 760宮崎県北部平野部 761宮崎県北部山沿い 762宮崎県南部平野部 763宮崎県南部山沿い
46 770鹿児島県薩摩 771鹿児島県大隅 774鹿児島県十島村 775鹿児島県甑島 776鹿児島県種子島 777鹿児島県屋久島 778鹿児島県奄美北部 779鹿児島県奄美南部
47 800沖縄県本島北部 801沖縄県本島中南部 802沖縄県久米島 803沖縄県大東島 804沖縄県宮古島 805沖縄県石垣島 806沖縄県与那国島 807沖縄県西表島
`

// tsunamiAreaTable: 津波予報区 code, name, JIS prefecture codes of its coast (気象庁コード表 31, 2025-03).
const tsunamiAreaTable = `100 北海道太平洋沿岸東部 1
101 北海道太平洋沿岸中部 1
102 北海道太平洋沿岸西部 1
110 北海道日本海沿岸北部 1
111 北海道日本海沿岸南部 1
120 オホーツク海沿岸 1
200 青森県日本海沿岸 2
201 青森県太平洋沿岸 2
202 陸奥湾 2
210 岩手県 3
220 宮城県 4
230 秋田県 5
240 山形県 6
250 福島県 7
300 茨城県 8
310 千葉県九十九里・外房 12
311 千葉県内房 12
312 東京湾内湾 12,13,14
320 伊豆諸島 13
321 小笠原諸島 13
330 相模湾・三浦半島 14
340 新潟県上中下越 15
341 佐渡 15
350 富山県 16
360 石川県能登 17
361 石川県加賀 17
370 福井県 18
380 静岡県 22
390 愛知県外海 23
391 伊勢・三河湾 23,24
400 三重県南部 24
500 京都府 26
510 大阪府 27
520 兵庫県北部 28
521 兵庫県瀬戸内海沿岸 28
522 淡路島南部 28
530 和歌山県 30
540 鳥取県 31
550 島根県出雲・石見 32
551 隠岐 32
560 岡山県 33
570 広島県 34
580 徳島県 36
590 香川県 37
600 愛媛県宇和海沿岸 38
601 愛媛県瀬戸内海沿岸 38
610 高知県 39
700 山口県日本海沿岸 35
701 山口県瀬戸内海沿岸 35
710 福岡県瀬戸内海沿岸 40
711 福岡県日本海沿岸 40
712 有明・八代海 40,41,42,43
720 佐賀県北部 41
730 長崎県西方 42
731 壱岐・対馬 42
740 熊本県天草灘沿岸 43
750 大分県瀬戸内海沿岸 44
751 大分県豊後水道沿岸 44
760 宮崎県 45
770 鹿児島県東部 46
771 種子島・屋久島地方 46
772 奄美群島・トカラ列島 46
773 鹿児島県西部 46
800 沖縄本島地方 47
801 大東島地方 47
802 宮古島・八重山地方 47
`
