package jma

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"yagura/store/desk"
)

// edited parses a fixture after replacing words in it; a replacement that changes nothing fails the test.
func edited(t *testing.T, name string, pairs ...string) desk.Telegram {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for i := 0; i < len(pairs); i += 2 {
		changed := strings.ReplaceAll(text, pairs[i], pairs[i+1])
		if changed == text {
			t.Fatalf("%s has no %q", name, pairs[i])
		}
		text = changed
	}
	got, err := Parse(desk.Envelope{Raw: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestOneStationResultsAreMarked(t *testing.T) {
	for _, c := range []struct {
		name  string
		file  string
		pairs []string
		want  bool
	}{
		{"five stations", "eew-warning", nil, false},
		{"level method", "eew-one-station", nil, true},
		{"two stations", "eew-one-station", []string{`rank="1" rank2="1"`, `rank="2" rank2="2"`, `MagnitudeCalculation rank="8"`, `MagnitudeCalculation rank="2"`}, false},
		{"one station, magnitude from its waves", "eew-one-station", []string{`MagnitudeCalculation rank="8"`, `MagnitudeCalculation rank="2"`}, true},
		{"level method beside a located source", "eew-warning", []string{`MagnitudeCalculation rank="5"`, `MagnitudeCalculation rank="8"`}, true},
		{"assumed source, forecast", "eew-assumed-final", nil, true},
		{"assumed source, warning: two stations or more", "eew-assumed-final", []string{"（地震動予報）", "（警報）"}, false},
		{"unreadable rank", "eew-warning", []string{`rank="4" rank2="9"`, `rank="四" rank2=""`}, false},
		{"cancelled", "eew-cancelled", nil, false},
	} {
		if got := edited(t, c.file, c.pairs...); got.EEW.OneStation != c.want {
			t.Errorf("%s: %+v", c.name, got.EEW)
		}
	}
}

// TestAnAssumedSourceIsNotGivenOut: 仮定震源要素 stand for no source; a number of them on a screen would be a lie. // feeds.md 1.10
func TestAnAssumedSourceIsNotGivenOut(t *testing.T) {
	got := edited(t, "eew-assumed-final")
	if !got.Assumed || len(got.Hypocenters) != 0 || !got.EEW.PLUM {
		t.Errorf("assumed %v, hypocentres %+v", got.Assumed, got.Hypocenters)
	}
	if len(got.Areas) != 1 || got.ForecastIntensity == nil || !got.ForecastIntensity.Over {
		t.Errorf("what is forecast stays: %+v %+v", got.Areas, got.ForecastIntensity)
	}
	if got := edited(t, "eew-assumed-final", "<Condition>仮定震源要素</Condition>", ""); got.Assumed || len(got.Hypocenters) != 1 {
		t.Errorf("without the condition it is a source: %+v", got)
	}
}

func TestFinalityOfAnEarlyWarning(t *testing.T) {
	for file, want := range map[string]bool{"eew-warning": false, "eew-assumed-final": true, "eew-deep": false, "eew-cancelled": true} {
		if got := edited(t, file); got.Final != want {
			t.Errorf("%s: final %v", file, got.Final)
		}
	}
	// 地震回数に関する情報 announces its next issue with the same element and is no early warning.
	if got := edited(t, "quake-count"); got.Final || got.EEW != nil || !strings.Contains(got.Text, "１８時頃") {
		t.Errorf("%+v", got)
	}
}

func TestNewlyWarnedAreas(t *testing.T) {
	got := edited(t, "eew-warning")
	if !slices.Equal(got.EEW.NewlyWarned, []string{"391", "381"}) {
		t.Errorf("newly warned %v", got.EEW.NewlyWarned)
	}
	// 400 福井県嶺北 stays warned though the forecast does not name it any more; 375 has a mere forecast.
	if !slices.Equal(got.EEW.WarnedAreas, []string{"390", "391", "381", "400"}) {
		t.Errorf("warned %v", got.EEW.WarnedAreas)
	}
}

func TestUnknownEarlyWarningKindIsTold(t *testing.T) {
	got := edited(t, "eew-warning", "<Code>00</Code></Kind></Category>", "<Code>21</Code></Kind></Category>")
	if !strings.Contains(got.Surprise, "「21」") || got.Level != desk.LevelNone || len(got.Areas) != 4 {
		t.Errorf("%q", got.Surprise)
	}
}

func TestTsunamiLevelIsThatOfTheHighestGradeInForce(t *testing.T) {
	for _, c := range []struct {
		file  string
		pairs []string
		want  desk.Level
	}{
		{"tsunami-warning", nil, desk.LevelSpecial},
		{"tsunami-warning", []string{"<Code>53</Code></Kind>", "<Code>52</Code></Kind>"}, desk.LevelSpecial},
		{"tsunami-warning", []string{"<Code>53</Code></Kind>", "<Code>50</Code></Kind>"}, desk.LevelWarning},
		{"tsunami-all-lifted", []string{"<Code>60</Code></Kind>", "<Code>62</Code></Kind>"}, desk.LevelAdvisory},
		{"tsunami-lifted", nil, desk.LevelNotice},
		{"tsunami-all-lifted", nil, desk.LevelNone},
		{"tsunami-all-lifted", []string{"<Code>60</Code></Kind>", "<Code>77</Code></Kind>"}, desk.LevelNotice},
		{"tsunami-offshore", nil, desk.LevelNone},
	} {
		if got := edited(t, c.file, c.pairs...); got.Level != c.want || got.Hazard != desk.Tsunami {
			t.Errorf("%s %v: level %s", c.file, c.pairs, got.Level)
		}
	}
	// A lifting is an ordinary 発表; the prefectures it frees are named. // feeds.md 1.2
	if got := edited(t, "tsunami-all-lifted"); !slices.Equal(got.Place, []desk.Prefecture{6}) || got.Phase != desk.Issued {
		t.Errorf("%v %s", got.Place, got.Phase)
	}
	if got := edited(t, "tsunami-lifted"); got.ValidUntil.Format("15:04") != "18:00" {
		t.Errorf("valid until %v", got.ValidUntil)
	}
}

func TestTsunamiObservations(t *testing.T) {
	got := edited(t, "tsunami-information")
	if len(got.TsunamiObserved) != 3 || len(got.TsunamiExpected) != 1 || len(got.Tsunami) != 1 {
		t.Fatalf("%+v", got)
	}
	first, weak, silent := got.TsunamiObserved[0], got.TsunamiObserved[1], got.TsunamiObserved[2]
	if first.HeightM == nil || *first.HeightM != 2.8 || !first.AtLeast || !first.Rising || first.Condition != "重要" || first.Initial != "押し" {
		t.Errorf("%+v", first)
	}
	if weak.Height != "微弱" || weak.HeightM != nil || weak.Arrival != "第１波識別不能" || silent.Arrival != "欠測" || silent.Height != "" {
		t.Errorf("%+v %+v", weak, silent)
	}
	if e := got.TsunamiExpected[0]; e.HighTideAt.IsZero() || e.ArrivalAt.IsZero() || e.Area != "340" {
		t.Errorf("%+v", e)
	}
	if got := edited(t, "tsunami-information", ">2.8<", ">NaN<", "２．８ｍ以上", ""); got.TsunamiObserved[0].HeightM != nil || got.TsunamiObserved[0].Height != "" {
		t.Errorf("%+v", got.TsunamiObserved[0])
	}
}

func TestGiantQuakeLevels(t *testing.T) {
	for code, want := range map[string]desk.Level{
		"111": desk.LevelNotice, "112": desk.LevelNotice, "113": desk.LevelNotice, "120": desk.LevelWarning, "130": desk.LevelAdvisory,
		"190": desk.LevelNone, "210": desk.LevelNotice,
	} {
		got := edited(t, "nankai-warning", "120</Code></InfoSerial>", code+"</Code ></InfoSerial>")
		if got.Giant == nil || got.Giant.Code != code || got.Level != want || got.Surprise != "" {
			t.Errorf("%s: %+v level %s %q", code, got.Giant, got.Level, got.Surprise)
		}
	}
	if got := edited(t, "nankai-cancelled"); got.Giant == nil || got.Giant.Code != "" || got.Level != desk.LevelNone {
		t.Errorf("%+v", got)
	}
	bare := edited(t, "nankai-warning", `<InfoSerial codeType="地震関連情報番号コード"><Name>巨大地震警戒</Name><Code>120</Code></InfoSerial>`, "")
	if bare.Level != desk.LevelNotice || bare.Surprise == "" {
		t.Errorf("without a code it is shown and said: %+v", bare)
	}
	if strings.Contains(bare.Text, "長い参考文") || !strings.Contains(bare.Text, "想定震源域") {
		t.Errorf("text %q", bare.Text)
	}
}

// TestBothCommentaries: VYSE51 and VYSE52 have one title; the code tells them apart unless the file name does.
func TestBothCommentaries(t *testing.T) {
	raw, err := os.ReadFile("testdata/nankai-regular.xml")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"": "VYSE52", "20260112080000_0_VYSE51_010000.xml": "VYSE51", "20260112080000_0_VYSE52_010000.xml": "VYSE52"} {
		if got, err := Parse(desk.Envelope{Name: name, Raw: raw}); err != nil || got.Type != want {
			t.Errorf("%q: %s, %v", name, got.Type, err)
		}
	}
	if got := edited(t, "nankai-regular", "<Code>200</Code>", "<Code>210</Code>"); got.Type != "VYSE51" {
		t.Errorf("臨時解説 is %s", got.Type)
	}
}

func TestNoticesOfDrills(t *testing.T) {
	if got := edited(t, "notice-drill"); !got.Notice.AnnouncesDrill || got.Mode != desk.Live {
		t.Errorf("%+v", got.Notice)
	}
	if got := edited(t, "notice-drill", "訓練", "試験"); !got.Notice.AnnouncesDrill {
		t.Errorf("%+v", got.Notice)
	}
	if got := edited(t, "notice-outage"); got.Notice.AnnouncesDrill {
		t.Errorf("%+v", got.Notice)
	}
	if got := edited(t, "quake-activity", "能登地方の地震活動", "訓練の地震活動"); got.Notice != nil {
		t.Errorf("%s is no notice", got.Title)
	}
}

func TestUnknownTelegramsAreKeptAndTold(t *testing.T) {
	got := edited(t, "unknown-body")
	if got.Type != "" || got.Hazard != desk.OtherKind || got.Text != "未知の本文です。" || got.Headline != "未知の見出し" || !strings.Contains(got.Surprise, "「未知の情報」") {
		t.Errorf("%+v", got)
	}
	got = edited(t, "unknown-title")
	if got.Hazard != desk.Earthquake || got.MaxIntensity != desk.Intensity5Upper || got.Surprise == "" || got.Stations != 0 {
		t.Errorf("%+v", got)
	}
	raw, err := os.ReadFile("testdata/unknown-title.xml")
	if err != nil {
		t.Fatal(err)
	}
	named, err := Parse(desk.Envelope{Name: "20260106081020_0_VXSE99_010000.xml", Raw: raw})
	if err != nil || named.Type != "VXSE99" || !strings.Contains(named.Surprise, "VXSE99") {
		t.Errorf("%v %s %q", err, named.Type, named.Surprise)
	}
	if got := edited(t, "quake-flash", "<Code>390</Code>", "<Code>399</Code>"); !strings.Contains(got.Surprise, "「399」") || got.MaxIntensity != desk.Intensity5Upper {
		t.Errorf("%q", got.Surprise)
	}
	if got := edited(t, "unknown-title", "地震に関する新しい情報", "一\n二\t三"); strings.ContainsAny(got.Surprise, "\n\t") {
		t.Errorf("a surprise is one line: %q", got.Surprise)
	}
	if got := edited(t, "quake-report"); got.Surprise != "" {
		t.Errorf("nothing is unknown in it: %q", got.Surprise)
	}
}

func TestAnEruptionAbroadIsAVolcano(t *testing.T) {
	got := edited(t, "eruption-abroad")
	if got.Hazard != desk.Volcano || got.Volcano == nil || !got.Volcano.Eruption || got.Volcano.Name != "架空火山" || got.Volcano.OccurredAt.IsZero() {
		t.Errorf("%s %+v", got.Hazard, got.Volcano)
	}
	if got := edited(t, "eruption-abroad", "に架空火山で", ""); got.Hazard != desk.Volcano || got.Volcano.Name != "" {
		t.Errorf("%+v", got.Volcano)
	}
	if got := edited(t, "eruption-abroad", "噴火", "地震"); got.Hazard != desk.Earthquake || got.Volcano != nil {
		t.Errorf("%s %+v", got.Hazard, got.Volcano)
	}
}

// TestDrillsKeepTheirMode: no kind loses 訓練 or 試験 on the way (law 4).
func TestDrillsKeepTheirMode(t *testing.T) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for word, mode := range map[string]desk.Mode{"訓練": desk.Drill, "試験": desk.Test} {
			text := string(raw)
			for _, other := range []string{"通常", "訓練", "試験"} {
				text = strings.Replace(text, "<Status>"+other+"</Status>", "<Status>"+word+"</Status>", 1)
			}
			if got, err := Parse(desk.Envelope{Raw: []byte(text)}); err != nil || got.Mode != mode {
				t.Errorf("%s as %s: %s, %v", file, word, got.Mode, err)
			}
		}
	}
}
