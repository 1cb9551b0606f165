package jma

import (
	"regexp"
	"slices"
	"strings"

	"yagura/store/desk"
)

// codesOfTitle maps Control/Title (情報名称) to data type codes (feeds.md 1.3; DMDATA.JP, list of telegrams). Where a title is ambiguous, because an older
// code had the same title or because the code has numbered slots, the first code is today's and the file name may
// choose one of the others.
var codesOfTitle = map[string][]string{
	"緊急地震速報（警報）":             {"VXSE43", "VXSE40"},
	"緊急地震速報（予報）":             {"VXSE44", "VXSE41"},
	"緊急地震速報（地震動予報）":          {"VXSE45"},
	"緊急地震速報テスト":              {"VXSE42"},
	"リアルタイム震度":               {"VXSE47"},
	"緊急地震速報配信テスト":            {"VXSE42"},
	"震度速報":                   {"VXSE51"},
	"震源に関する情報":               {"VXSE52"},
	"震源・震度に関する情報":            {"VXSE53"},
	"地震の活動状況等に関する情報":         {"VXSE56"},
	"地震回数に関する情報":             {"VXSE60"},
	"顕著な地震の震源要素更新のお知らせ":      {"VXSE61"},
	"長周期地震動に関する観測情報":         {"VXSE62"},
	"津波警報・注意報・予報a":           {"VTSE41", "VTSE40"},
	"津波警報・注意報・予報":            {"VTSE40"},
	"津波情報a":                  {"VTSE51", "VTSE50"},
	"津波情報":                   {"VTSE50"},
	"沖合の津波観測に関する情報":          {"VTSE52"},
	"東海地震予知情報":               {"VYSE40"},
	"東海地震注意情報":               {"VYSE41"},
	"東海地震観測情報":               {"VYSE42"},
	"南海トラフ地震臨時情報":            {"VYSE50"},
	"南海トラフ地震関連解説情報":          {"VYSE51", "VYSE52"},
	"北海道・三陸沖後発地震注意情報":        {"VYSE60"},
	"地震・津波に関するお知らせ":          {"VZSE40"},
	"噴火警報・予報":                {"VFVO50"},
	"火山の状況に関する解説情報":          {"VFVO51"},
	"噴火に関する火山観測報":            {"VFVO52"},
	"降灰予報（定時）":               {"VFVO53"},
	"降灰予報（速報）":               {"VFVO54"},
	"降灰予報（詳細）":               {"VFVO55"},
	"噴火速報":                   {"VFVO56"},
	"推定噴煙流向報":                {"VFVO60"},
	"火山現象に関する海上警報・海上予報":      {"VFSVii"},
	"火山現象に関する海上警報・予報":        {"VFSVii"},
	"火山に関するお知らせ":             {"VZVO40"},
	"全般気象解説情報（潮位）":           {"VMCJ53"},
	"地方気象解説情報（潮位）":           {"VMCJ54"},
	"府県気象解説情報（潮位）":           {"VMCJ55"},
	"早期天候情報":                 {"VPAW51"},
	"府県気象防災速報":               {"VPBS50"},
	"地方気象情報":                 {"VPCJ50"},
	"地方気象解説情報":               {"VPCJ51"},
	"警報級の可能性（明日まで）":          {"VPFD60"},
	"警報級の可能性（明後日以降）":         {"VPFW60"},
	"府県気象情報":                 {"VPFJ50"},
	"府県気象解説情報":               {"VPFJ51"},
	"竜巻注意情報":                 {"VPHW50"},
	"竜巻注意情報（目撃情報付き）":         {"VPHW51"},
	"気象特別警報報知":               {"VPNO50"},
	"記録的短時間大雨情報":             {"VPOA50"},
	"全般台風情報":                 {"VPTI50"},
	"全般台風情報（定型）":             {"VPTI51"},
	"全般台風情報（詳細）":             {"VPTI52"},
	"気象警報・注意報時系列情報（Ｒ０６）":     {"VPWP50"},
	"気象警報・注意報":               {"VPWW50"},
	"気象特別警報・警報・注意報":          {"VPWW53"},
	"気象警報・注意報（Ｈ２７）":          {"VPWW54"},
	"気象警報・注意報（Ｒ０６）（大雨）":      {"VPWW55"},
	"気象警報・注意報（Ｒ０６）（土砂）":      {"VPWW56"},
	"気象警報・注意報（Ｒ０６）（高潮）":      {"VPWW57"},
	"気象警報・注意報（Ｒ０６）（暴風）":      {"VPWW58"},
	"気象警報・注意報（Ｒ０６）（波浪）":      {"VPWW59"},
	"気象警報・注意報（Ｒ０６）（大雪）":      {"VPWW60"},
	"気象警報・注意報（Ｒ０６）（その他注意報）":  {"VPWW61"},
	"気象警報・注意報（Ｒ０６）（その他の注意報）": {"VPWW61"},
	"気象警報・注意報（Ｒ０６）（集約通報）":    {"VPWS50"},
	"全般気象情報":                 {"VPZJ50"},
	"全般気象解説情報":               {"VPZJ51"},
	"土砂災害警戒情報":               {"VXWW50"},
	"指定河川洪水予報":               {"VXKOii"},
	"水位周知河川に関する情報":           {"VXSUii"},
	"台風解析・予報情報（５日予報）（Ｈ３０）":   {"VPTWii"},

	// Forecasts, charts and observations: known so that the desk is not told of a surprise several times an hour.
	"台風解析・予報情報（５日予報）":   {"VPTWii"},
	"台風の暴風域に入る確率":       {"VPTAii"},
	"府県気象防災速報（潮位）":      {"VPBS51", "VMCJ55"},
	"全般気象防災速報（潮位）":      {"VMCJ53"},
	"地方気象防災速報（潮位）":      {"VMCJ54"},
	"全般潮位情報":            {"VMCJ50"},
	"地方潮位情報":            {"VMCJ51"},
	"府県潮位情報":            {"VMCJ52"},
	"全般天候情報":            {"VPZI50"},
	"地方天候情報":            {"VPCI50"},
	"熱中症警戒アラート":         {"VPFT50"},
	"早期注意情報（明日まで）（Ｒ０６）": {"VPFD61"},
	"早期注意情報（明後日まで）":     {"VPFD61"},
	"府県天気予報（Ｒ１）":        {"VPFD51"},
	"府県天気予報":            {"VPFD50"},
	"天気概況":              {"VPFG50"},
	"府県週間天気予報":          {"VPFW50"},
	"全般１か月予報":           {"VPZK50"},
	"全般３か月予報":           {"VPZK50"},
	"全般暖・寒候期予報":         {"VPZK50"},
	"地方１か月予報":           {"VPCK50"},
	"地方３か月予報":           {"VPCK50"},
	"地方暖・寒候期予報":         {"VPCK50"},
	"全般季節予報（２週間気温予報）":   {"VPZK70"},
	"地方季節予報（２週間気温予報）":   {"VPCK70"},
	"地上実況図":             {"VZSA50"},
	"地上２４時間予想図":         {"VZSF50"},
	"地上４８時間予想図":         {"VZSF51"},
	"アジア太平洋地上実況図":       {"VZSA60"},
	"アジア太平洋海上悪天２４時間予想図": {"VZSF60"},
	"アジア太平洋海上悪天４８時間予想図": {"VZSF61"},
	"季節観測":              {"VGSK50"},
	"特殊気象報":             {"VGSK60"},
	"生物季節観測":            {"VGSK55"},
	"大雨危険度通知":           {"VPRN50"},
	"全般海上警報（定時）（Ｈ２９）":   {"VPZU52"},
	"全般海上警報（臨時）（Ｈ２９）":   {"VPZU53"},
	"地方海上警報（Ｈ２８）":       {"VPCU51"},
	"地方海上予報（Ｈ２８）":       {"VPCY51"},
}

var codeInName = regexp.MustCompile(`V[A-Z]{3}(?:[0-9]{2}|ii)`)

// TypeOf says the data type code for a Control/Title, e.g. "VXSE53". The file name is only a hint: it is used where the
// title is ambiguous or unknown. "" when neither tells.
func TypeOf(title, fileName string) string {
	hints := codeInName.FindAllString(fileName, -1)
	codes, known := codesOfTitle[title]
	if !known {
		if len(hints) == 0 {
			return ""
		}
		return hints[len(hints)-1]
	}
	for _, hint := range hints {
		if slices.Contains(codes, hint) {
			return hint
		}
		if family, ok := strings.CutSuffix(codes[0], "ii"); ok && strings.HasPrefix(hint, family) {
			return hint
		}
	}
	return codes[0]
}

// hazardOfFamily maps the first letters of the data type code to the hazard; the first match counts.
var hazardOfFamily = []struct {
	prefix string
	hazard desk.Hazard
}{
	{"VTSE", desk.Tsunami},
	{"VXSE", desk.Earthquake},
	{"VYSE", desk.Earthquake},
	{"VZSE", desk.Earthquake},
	{"VFVO", desk.Volcano},
	{"VFSV", desk.Volcano},
	{"VZVO", desk.Volcano},
	{"VP", desk.Weather},
	{"VM", desk.Weather},
	{"VXWW", desk.Weather},
	{"VXKO", desk.Weather},
	{"VXSU", desk.Weather},
	{"VZSA", desk.Weather},
	{"VZSF", desk.Weather},
	{"VGSK", desk.Weather},
}

func hazardOf(code string, r *report) desk.Hazard {
	for _, f := range hazardOfFamily {
		if strings.HasPrefix(code, f.prefix) {
			return f.hazard
		}
	}
	switch {
	case r.Seismology != nil && len(r.Seismology.Forecasts) > 0:
		return desk.Tsunami
	case r.Seismology != nil:
		return desk.Earthquake
	case r.Volcanology != nil:
		return desk.Volcano
	case r.Meteorology != nil:
		return desk.Weather
	}
	return desk.OtherKind
}
