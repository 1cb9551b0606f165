package jma

import (
	"slices"
	"strings"
	"testing"

	"yagura/store/desk"
)

// TestKindTable: no code stands twice in a family, and the level of each agrees with the words of its name.
func TestKindTable(t *testing.T) {
	seen := make(map[string]bool)
	for _, k := range slices.Concat(kindTable, volcanoKindTable) {
		key := string(k.family) + k.code
		if seen[key] {
			t.Errorf("%s %s stands twice", k.family, k.code)
		}
		seen[key] = true
		if want := levelOfName(k.name); (k.family == weatherKinds || k.family == floodKinds) && !k.lifts() && k.code != "22" && k.level != want {
			t.Errorf("%s %s is %s, the name says %s", k.code, k.name, k.level, want)
		}
		if found, ok := lookUpKind(k.family, k.code); !ok || found != k {
			t.Errorf("%s %s is not found", k.family, k.code)
		}
	}
	// feeds.md 1.12: every column of the table of kinds.
	for level, codes := range map[desk.Level]string{
		desk.LevelAdvisory: "10 29 19 15 13 12 16 18 14 17 20 21 22 23 24 25 26 27",
		desk.LevelWarning:  "03 09 08 05 02 06 07 04",
		desk.LevelDanger:   "43 49 48 45 42 46 47",
		desk.LevelSpecial:  "33 39 38 35 32 36 37",
	} {
		for _, code := range strings.Fields(codes) {
			if k, ok := lookUpKind(weatherKinds, code); !ok || k.level != level {
				t.Errorf("weather %s is %s, want %s", code, k.level, level)
			}
		}
	}
}

func TestJudgeKind(t *testing.T) {
	for _, c := range []struct {
		name     string
		family   kindFamily
		kind     sentKind
		want     desk.WarnedKind
		surprise bool
	}{
		{"one code, two families", weatherKinds, sentKind{Code: "20", Status: "発表"}, desk.WarnedKind{Code: "20", Status: "発表", Level: desk.LevelAdvisory}, false},
		{"flood", floodKinds, sentKind{Code: "40 ", Condition: "発表"}, desk.WarnedKind{Code: "40", Status: "発表", Level: desk.LevelDanger}, false},
		{"lifted by status", weatherKinds, sentKind{Code: "33", Status: "解除"}, desk.WarnedKind{Code: "33", Status: "解除", Lifted: true}, false},
		{"lifted by code", weatherKinds, sentKind{Code: "00"}, desk.WarnedKind{Code: "00", Lifted: true}, false},
		{"lowered is not lifted", weatherKinds, sentKind{Code: "03", Status: "特別警報から警報"}, desk.WarnedKind{Code: "03", Status: "特別警報から警報", Level: desk.LevelWarning}, false},
		{"nothing there", weatherKinds, sentKind{Status: "発表警報・注意報はなし"}, desk.WarnedKind{Status: "発表警報・注意報はなし"}, false},
		{"none", tornadoKinds, sentKind{Code: "0", Name: "なし", Status: "なし"}, desk.WarnedKind{Code: "0", Name: "なし", Status: "なし"}, false},
		{"unknown", weatherKinds, sentKind{Code: "98", Name: "砂塵警報", Status: "発表"}, desk.WarnedKind{Code: "98", Name: "砂塵警報", Status: "発表", Level: desk.LevelNotice}, true},
		{"unknown and lifted", weatherKinds, sentKind{Code: "98", Status: "解除"}, desk.WarnedKind{Code: "98", Status: "解除", Lifted: true}, true},
	} {
		got, surprise := judgeKind(c.family, c.kind)
		if got != c.want || (surprise != "") != c.surprise {
			t.Errorf("%s: %+v, surprise %q", c.name, got, surprise)
		}
	}
}

func TestSurprisedIsBounded(t *testing.T) {
	var telegram desk.Telegram
	for i := range 100 {
		surprised(&telegram, strings.Repeat("驚", 1+i))
		surprised(&telegram, strings.Repeat("驚", 1+i))
	}
	if len(telegram.Surprise) == 0 || len(telegram.Surprise) > 1200 {
		t.Errorf("%d bytes", len(telegram.Surprise))
	}
}

func TestPrefecturesOfCode(t *testing.T) {
	const forecast, city = "気象情報／府県予報区・細分区域等", "気象・地震・火山情報／市町村等"
	for _, c := range []struct {
		code, codeType string
		want           []desk.Prefecture
	}{
		{"460040", forecast, []desk.Prefecture{46}},
		{"0133100", city, []desk.Prefecture{1}},
		{"011000", forecast, []desk.Prefecture{1}},         // 宗谷地方
		{"011000", regionCodes, []desk.Prefecture{45, 46}}, // 九州南部・奄美地方
		{"010000", regionCodes, nil},
		{"990000", forecast, nil},
		{"26xxxx", "高潮予報区間", nil},
		{"8303030203", "河川", nil},
		{"5200", "地方海上予報区", nil},
		{"", "", nil},
		{"-10000", forecast, nil},
	} {
		if got := prefecturesOfCode(c.code, c.codeType); !slices.Equal(got, c.want) {
			t.Errorf("%s (%s): %v, want %v", c.code, c.codeType, got, c.want)
		}
	}
}
