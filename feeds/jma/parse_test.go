package jma_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"yagura/feeds"
	"yagura/feeds/jma"
	"yagura/store/desk"
)

// telegram puts a body of ours into an envelope. Control and head are those of a live 発表 unless the caller edits the text.
func telegram(title, headExtra, body string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<Report xmlns="http://xml.kishou.go.jp/jmaxml1/" xmlns:jmx="http://xml.kishou.go.jp/jmaxml1/">
<Control><Title>` + title + `</Title><DateTime>2026-01-02T01:02:03Z</DateTime><Status>通常</Status><EditorialOffice>気象庁本庁</EditorialOffice><PublishingOffice>気象庁</PublishingOffice></Control>
<Head xmlns="http://xml.kishou.go.jp/jmaxml1/informationBasis1/"><Title>見出し</Title><ReportDateTime>2026-01-02T10:02:00+09:00</ReportDateTime><TargetDateTime>2026-01-02T10:00:00+09:00</TargetDateTime>` + headExtra + `<InfoType>発表</InfoType><Serial></Serial><InfoKind>試験用</InfoKind><InfoKindVersion>1.0_0</InfoKindVersion><Headline><Text>　要約です。
</Text></Headline></Head>
` + body + `
</Report>`
}

const seismologyBody = `<Body xmlns="http://xml.kishou.go.jp/jmaxml1/body/seismology1/" xmlns:jmx_eb="http://xml.kishou.go.jp/jmaxml1/elementBasis1/">`

func parse(t testing.TB, text string) desk.Telegram {
	t.Helper()
	got, err := jma.Parse(desk.Envelope{Raw: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEnvelope(t *testing.T) {
	text := telegram("震度速報", "<ValidDateTime>2026-01-02T12:00:00+09:00</ValidDateTime><EventID> 20260102100000  20260102100100 </EventID>", seismologyBody+"</Body>")
	got := parse(t, text)
	if got.Type != "VXSE51" || got.Title != "震度速報" || got.HeadTitle != "見出し" || got.Office != "気象庁本庁" {
		t.Errorf("%+v", got)
	}
	if got.Mode != desk.Live || got.Phase != desk.Issued || got.Headline != "要約です。" || got.Serial != "" {
		t.Errorf("%+v", got)
	}
	if !slices.Equal(got.EventIDs, []string{"20260102100000", "20260102100100"}) {
		t.Errorf("event ids %q", got.EventIDs)
	}
	for have, want := range map[time.Time]string{
		got.PressTime: "2026-01-02T01:02:03Z", got.ReportTime: "2026-01-02T10:02:00+09:00",
		got.TargetTime: "2026-01-02T10:00:00+09:00", got.ValidUntil: "2026-01-02T12:00:00+09:00",
	} {
		if have.Format(time.RFC3339) != want {
			t.Errorf("time %s, want %s", have.Format(time.RFC3339), want)
		}
	}
	if got.Digest != feeds.Digest([]byte(text)) {
		t.Error("the digest is not that of the text")
	}
}

func TestModesAndPhases(t *testing.T) {
	text := telegram("震度速報", "", seismologyBody+"</Body>")
	for word, mode := range map[string]desk.Mode{"通常": desk.Live, "訓練": desk.Drill, " 試験\n": desk.Test} {
		if got := parse(t, strings.Replace(text, "通常", word, 1)); got.Mode != mode {
			t.Errorf("%q is %s", word, got.Mode)
		}
	}
	for word, phase := range map[string]desk.Phase{"発表": desk.Issued, "訂正": desk.Corrected, "遅延": desk.Delayed, "取消": desk.Cancelled} {
		if got := parse(t, strings.Replace(text, "発表", word, 1)); got.Phase != phase {
			t.Errorf("%q is %s", word, got.Phase)
		}
	}
}

// TestTwoWordsOnOneThingAreRefused: the decoder keeps the last of two elements, which would let 訓練 … 通常 pass as live (law 4).
func TestTwoWordsOnOneThingAreRefused(t *testing.T) {
	text := telegram("震度速報", "<EventID>20260102100000</EventID>", seismologyBody+"</Body>")
	control := text[strings.Index(text, "<Control>") : strings.Index(text, "</Control>")+len("</Control>")]
	for name, edited := range map[string]string{
		"two modes":    strings.Replace(text, "<Status>", "<Status>訓練</Status><Status>", 1),
		"two controls": strings.Replace(text, "</Control>", "</Control>"+strings.Replace(control, "通常", "訓練", 1), 1),
		"drill first":  strings.Replace(text, "<Control>", strings.Replace(control, "通常", "訓練", 1)+"<Control>", 1),
		"two phases":   strings.Replace(text, "<InfoType>", "<InfoType>取消</InfoType><InfoType>", 1),
		"two ids":      strings.Replace(text, "<EventID>", "<EventID>20250101000000</EventID><EventID>", 1),
		"two times":    strings.Replace(text, "<ReportDateTime>", "<ReportDateTime>2020-01-01T00:00:00+09:00</ReportDateTime><ReportDateTime>", 1),
	} {
		if edited == text {
			t.Fatalf("%s: nothing was edited", name)
		}
		if got, err := jma.Parse(desk.Envelope{Raw: []byte(edited)}); desk.KindOf(err) != desk.Invalid || got.Mode != "" {
			t.Errorf("%s: mode %q, %v", name, got.Mode, err)
		}
	}
}

func TestAnErrorIsOneLine(t *testing.T) {
	long := strings.Repeat("不明", 100_000)
	text := telegram("震度速報", "", seismologyBody+"</Body>")
	for _, edited := range []string{
		strings.Replace(text, "通常", long, 1), strings.Replace(text, "発表", long, 1), strings.Replace(text, "2026-01-02T01:02:03Z", long, 1),
	} {
		if _, err := jma.Parse(desk.Envelope{Raw: []byte(edited)}); err == nil || len(err.Error()) > 400 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
	}
}

func TestTypeOf(t *testing.T) {
	for _, c := range []struct{ title, name, want string }{
		{"緊急地震速報（予報）", "", "VXSE44"},
		{"緊急地震速報（地震動予報）", "20260102010203_0_VXSE44_010000.xml", "VXSE45"}, // the title decides
		{"緊急地震速報（警報）", "37_03_01_100915_VXSE40.xml", "VXSE40"},
		{"津波警報・注意報・予報a", "32-39_11_02_120615_VTSE40.xml", "VTSE40"},
		{"津波警報・注意報・予報a", "noise.xml", "VTSE41"},
		{"震源に関する情報", "33_12_01_120615_VXSE41.xml", "VXSE52"},
		{"指定河川洪水予報", "20260102010203_0_VXKO52_060000.xml", "VXKO52"},
		{"指定河川洪水予報", "", "VXKOii"},
		{"台風解析・予報情報（５日予報）（Ｈ３０）", "10_04_01_170908_VPTW60.xml", "VPTW60"},
		{"新しい情報", "20260102010203_0_VXSE99_010000.xml", "VXSE99"},
		{"新しい情報", "data.xml", ""},
	} {
		if got := jma.TypeOf(c.title, c.name); got != c.want {
			t.Errorf("TypeOf(%q, %q) = %q, want %q", c.title, c.name, got, c.want)
		}
	}
}

func TestHazards(t *testing.T) {
	for _, c := range []struct {
		title, name, body string
		want              desk.Hazard
	}{
		{"震度速報", "", seismologyBody + "</Body>", desk.Earthquake},
		{"津波情報a", "", seismologyBody + "</Body>", desk.Tsunami},
		{"噴火速報", "", `<Body xmlns="http://xml.kishou.go.jp/jmaxml1/body/volcanology1/"/>`, desk.Volcano},
		{"気象警報・注意報（Ｒ０６）（土砂）", "", `<Body xmlns="http://xml.kishou.go.jp/jmaxml1/body/meteorology1/"/>`, desk.Weather},
		{"新しい火山の情報", "", `<Body xmlns="http://xml.kishou.go.jp/jmaxml1/body/volcanology1/"/>`, desk.Volcano},
		{"新しい気象の情報", "", `<Body xmlns="http://xml.kishou.go.jp/jmaxml1/body/meteorology1/"/>`, desk.Weather},
		{"新しい地震の情報", "", seismologyBody + "</Body>", desk.Earthquake},
		{"何かの情報", "", `<Body xmlns="http://example.org/body/"/>`, desk.OtherKind},
	} {
		got, err := jma.Parse(desk.Envelope{Name: c.name, Raw: []byte(telegram(c.title, "", c.body))})
		if err != nil || got.Hazard != c.want {
			t.Errorf("%s: %s, %v; want %s", c.title, got.Hazard, err, c.want)
		}
	}
}

func hypocenter(coordinate, magnitude string) string {
	return `<Earthquake><OriginTime>2026-01-02T10:00:00+09:00</OriginTime><ArrivalTime>2026-01-02T10:00:00+09:00</ArrivalTime><Hypocenter><Area><Name>試験沖</Name><Code type="震央地名">495</Code><jmx_eb:Coordinate>` +
		coordinate + `</jmx_eb:Coordinate></Area></Hypocenter>` + magnitude + `</Earthquake>`
}

func TestCoordinates(t *testing.T) {
	none := math.Inf(1)
	for _, c := range []struct {
		text            string
		lat, lon, depth float64
	}{
		{"+37.5+137.2-10000/", 37.5, 137.2, 10},
		{"+37.5+137.2+0/", 37.5, 137.2, 0},
		{"+56.7+161.4/", 56.7, 161.4, none},
		{"-33.4-070.6-700000/", -33.4, -70.6, 700},
		{"+37+137-5000/", 37, 137, 5},
		{"+3729.7+13716.2-16000/", 37.495, 137.27, 16},
		{"+4233.40+14050.36+737/", 42.55667, 140.83933, none},
		{" +35.0+135.0-10000/\n", 35, 135, 10},
		{"+91.0+137.2-10000/", none, none, none},
		{"+37.5+181.0-10000/", none, none, none},
		{"+3799.7+13716.2-16000/", none, none, none},
		{"+37.5+137.2-10000", none, none, none},
		{"NaN", none, none, none},
		{"", none, none, none},
	} {
		got := parse(t, telegram("震源に関する情報", "", seismologyBody+hypocenter(c.text, "")+"</Body>")).Hypocenters[0]
		for i, pair := range [][2]*float64{{got.Lat, &c.lat}, {got.Lon, &c.lon}, {got.DepthKM, &c.depth}} {
			have, want := none, *pair[1]
			if pair[0] != nil {
				have = *pair[0]
			}
			if have != want {
				t.Errorf("%q: value %d is %v, want %v", c.text, i, have, want)
			}
		}
	}
}

func TestMagnitudes(t *testing.T) {
	for _, c := range []struct {
		text string
		kind desk.MagnitudeKind
		want float64
	}{
		{`<jmx_eb:Magnitude type="Mj" description="Ｍ７．６">7.6</jmx_eb:Magnitude>`, desk.MagnitudeNumber, 7.6},
		{`<jmx_eb:Magnitude type="Mj" condition="不明" description="Ｍ不明">NaN</jmx_eb:Magnitude>`, desk.MagnitudeUnknown, 0},
		{`<jmx_eb:Magnitude type="Mj" condition="不明" description="Ｍ８を超える巨大地震">NaN</jmx_eb:Magnitude>`, desk.MagnitudeOver8, 0},
		{`<jmx_eb:Magnitude type="Mj">Infinity</jmx_eb:Magnitude>`, desk.MagnitudeUnknown, 0},
		{``, desk.MagnitudeAbsent, 0},
	} {
		got := parse(t, telegram("震源に関する情報", "", seismologyBody+hypocenter("+37.5+137.2+0/", c.text)+"</Body>")).Hypocenters[0]
		if got.MagnitudeKind != c.kind || (got.Magnitude != nil) != (c.kind == desk.MagnitudeNumber) {
			t.Errorf("%s: %q %v", c.text, got.MagnitudeKind, got.Magnitude)
		}
		if got.Magnitude != nil && *got.Magnitude != c.want {
			t.Errorf("%s: %v", c.text, *got.Magnitude)
		}
	}
}

func TestForeignEruptionIsNoEarthquake(t *testing.T) {
	body := func(comment string) string {
		return seismologyBody + hypocenter("+56.7+161.4/", `<jmx_eb:Magnitude type="Mj" condition="不明" description="Ｍ不明">NaN</jmx_eb:Magnitude>`) +
			`<Comments><FreeFormComment>` + comment + `</FreeFormComment></Comments></Body>`
	}
	got := parse(t, telegram("震源・震度に関する情報", "", body("大規模な噴火が発生しました。")))
	if got.Hazard != desk.Volcano || got.Hypocenters[0].Magnitude != nil || !strings.Contains(got.Text, "噴火") {
		t.Errorf("%s %+v", got.Hazard, got.Hypocenters)
	}
	if got := parse(t, telegram("震源・震度に関する情報", "", body("震源は調査中です。"))); got.Hazard != desk.Earthquake {
		t.Errorf("a far earthquake is %s", got.Hazard)
	}
}

const unreportedBody = `<Intensity><Observation><MaxInt>4</MaxInt>
<Pref><Name>石川県</Name><Code>17</Code><MaxInt>4 </MaxInt><Area><Name>石川県能登</Name><Code>390</Code><MaxInt>4</MaxInt>
<City><Name>甲市</Name><Code>1700100</Code><MaxInt>4</MaxInt><Condition>震度５弱以上未入電</Condition>
<IntensityStation><Name>甲一</Name><Code>1700101</Code><Int>4</Int></IntensityStation>
<IntensityStation><Name>甲二</Name><Code>1700102</Code><Int>震度５弱以上未入電</Int></IntensityStation></City></Area></Pref>
<Pref><Name>北海道</Name><Code>01</Code><MaxInt>3</MaxInt><Area><Name>檜山地方</Name><Code>110</Code><MaxInt>3</MaxInt>
<City><Name>乙町</Name><Code>0100100</Code><MaxInt>3</MaxInt><IntensityStation><Name>乙</Name><Code>0100101</Code><Int>3</Int></IntensityStation></City></Area></Pref>
</Observation></Intensity>`

func TestUnreportedCountsAsProvisional(t *testing.T) {
	got := parse(t, telegram("震源・震度に関する情報", "", seismologyBody+unreportedBody+"</Body>"))
	want := []desk.PrefectureIntensity{
		{Code: 1, Name: "北海道", Intensity: desk.Intensity3},
		{Code: 17, Name: "石川県", Intensity: desk.Intensity5Lower, Provisional: true},
	}
	if !slices.Equal(got.Prefectures, want) {
		t.Errorf("prefectures %+v", got.Prefectures)
	}
	if got.MaxIntensity != desk.Intensity4 || got.Stations != 3 || got.StationsAtMax != 1 || !slices.Equal(got.Unreported, []string{"甲市"}) {
		t.Errorf("max %q, %d of %d stations, unreported %v", got.MaxIntensity, got.StationsAtMax, got.Stations, got.Unreported)
	}
	stronger := strings.ReplaceAll(unreportedBody, "<MaxInt>4 </MaxInt>", "<MaxInt>6-</MaxInt>")
	got = parse(t, telegram("震源・震度に関する情報", "", seismologyBody+stronger+"</Body>"))
	if p := got.Prefectures[1]; p.Intensity != desk.Intensity6Lower || p.Provisional {
		t.Errorf("a reported 6弱 is not provisional: %+v", p)
	}
}

func TestLongPeriodTelegramCountsNoStations(t *testing.T) {
	body := strings.NewReplacer("<City><Name>乙町</Name><Code>0100100</Code><MaxInt>3</MaxInt>", "", "</City></Area></Pref>\n</Obs", "</Area></Pref>\n</Obs").Replace(unreportedBody)
	got := parse(t, telegram("長周期地震動に関する観測情報", "", seismologyBody+body+"</Body>"))
	if got.Type != "VXSE62" || got.MaxIntensity != desk.Intensity4 || got.Stations != 0 || len(got.Areas) != 2 {
		t.Errorf("%+v", got)
	}
}

func TestTsunamiAreas(t *testing.T) {
	item := func(code, kind, rest string) string {
		return `<Item><Area><Name>区` + code + `</Name><Code>` + code + `</Code></Area><Category><Kind><Name>x</Name><Code>` + kind + `</Code></Kind><LastKind><Name>y</Name><Code>51</Code></LastKind></Category>` + rest + `</Item>`
	}
	var body strings.Builder
	kinds := []string{"00", "50", "51", "52", "53", "60", "62", "71", "72", "73", "99"}
	for i, k := range kinds {
		body.WriteString(item([]string{"100", "200", "210", "220", "230", "240", "250", "300", "340", "350", "712"}[i], k, ""))
	}
	body.WriteString(item("370", "52", `<FirstHeight><Condition>津波到達中と推測</Condition></FirstHeight><MaxHeight><jmx_eb:TsunamiHeight type="津波の高さ" unit="m" condition="不明" description="巨大">NaN</jmx_eb:TsunamiHeight></MaxHeight>`))
	body.WriteString(item("520", "62", `<FirstHeight><ArrivalTime>2026-01-02T10:30:00+09:00</ArrivalTime></FirstHeight><MaxHeight><jmx_eb:TsunamiHeight type="津波の高さ" unit="m">1</jmx_eb:TsunamiHeight></MaxHeight>`))
	got := parse(t, telegram("津波警報・注意報・予報a", "", seismologyBody+"<Tsunami><Forecast>"+body.String()+"</Forecast></Tsunami></Body>"))
	want := []desk.TsunamiGrade{
		desk.TsunamiNone, desk.TsunamiLifted, desk.TsunamiWarning, desk.TsunamiMajorWarning, desk.TsunamiMajorWarning, desk.TsunamiLifted,
		desk.TsunamiAdvisory, desk.TsunamiSlight, desk.TsunamiSlight, desk.TsunamiSlight, desk.TsunamiUnknownGrade, desk.TsunamiMajorWarning, desk.TsunamiAdvisory,
	}
	for i, a := range got.Tsunami {
		if a.Grade != want[i] || a.LastKind != "51" {
			t.Errorf("area %d: %+v, want %s", i, a, want[i])
		}
	}
	if a := got.Tsunami[11]; a.Height != "巨大" || a.Arrival != "津波到達中と推測" {
		t.Errorf("%+v", a)
	}
	if a := got.Tsunami[12]; a.Height != "1m" || a.Arrival != "2026-01-02T10:30:00+09:00" {
		t.Errorf("%+v", a)
	}
	var codes []desk.Prefecture
	for _, p := range got.Prefectures {
		codes = append(codes, p.Code)
		if p.Intensity != desk.IntensityUnknown {
			t.Errorf("a tsunami telegram gives no intensity: %+v", p)
		}
	}
	// 712 有明・八代海 touches four prefectures; 100 has the grade none.
	if !slices.Equal(codes, []desk.Prefecture{2, 3, 4, 5, 6, 7, 8, 15, 16, 18, 28, 40, 41, 42, 43}) {
		t.Errorf("prefectures %v", codes)
	}
}

func TestTextsAndComments(t *testing.T) {
	got := parse(t, telegram("南海トラフ地震臨時情報", "", seismologyBody+
		`<EarthquakeInfo type="x"><InfoKind>k</InfoKind><Text>調査を始めました。</Text></EarthquakeInfo><Text>本文です。</Text>
<Comments><WarningComment><Text>警戒</Text><Code>0149 0121</Code></WarningComment><ForecastComment><Text>津波なし</Text><Code> 0215 </Code></ForecastComment><FreeFormComment>自由文です。</FreeFormComment></Comments></Body>`))
	if got.Type != "VYSE50" || got.Text != "本文です。\n調査を始めました。\n自由文です。" {
		t.Errorf("%s %q", got.Type, got.Text)
	}
	if !got.HasComment("0121") || !got.HasComment("0215") || got.HasComment("0211") || len(got.Comments) != 2 {
		t.Errorf("comments %+v", got.Comments)
	}
}

func TestBadInput(t *testing.T) {
	good := telegram("震度速報", "", seismologyBody+unreportedBody+"</Body>")
	bomb := `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>` + good[strings.Index(good, "<Report"):]
	for name, c := range map[string]struct{ text, want string }{
		"empty":              {"", "空です"},
		"blanks":             {" \r\n\t", "空です"},
		"only a BOM":         {"\xef\xbb\xbf", "空です"},
		"text":               {"hello", "XMLの電文ではありません"},
		"JSON":               {`{"code":551}`, "XMLの電文ではありません"},
		"truncated":          {good[:len(good)/2], "途中で切れています"},
		"truncated in a tag": {good[:len(good)-3], "途中で切れています"},
		"two telegrams":      {good + good, "余分な内容"},
		"text after the end": {good + "x", "余分な内容"},
		"not UTF-8":          {strings.Replace(good, "震度速報", "\x90k\x93x", 1), "UTF-8ではありません"},
		"Shift_JIS declared": {strings.Replace(good, "UTF-8", "Shift_JIS", 1), "文字コード宣言"},
		"UTF-16":             {"\xff\xfe<\x00R\x00", "UTF-8ではありません"},
		"entity bomb":        {bomb, "DTD"},
		"unknown entity":     {strings.Replace(good, "要約", "&bomb;", 1), "壊れています"},
		"control character":  {strings.Replace(good, "要約", "\x01", 1), "壊れています"},
		"mismatched tags":    {strings.Replace(good, "</Head>", "</Hat>", 1), "壊れています"},
		"HTML":               {"<html><body>503</body></html>", "気象庁防災情報XMLの電文として読めません"},
		"another namespace":  {strings.Replace(good, `xmlns="http://xml.kishou.go.jp/jmaxml1/"`, `xmlns="http://example.org/"`, 1), "気象庁防災情報XMLの電文として読めません"},
		"no head":            {good[:strings.Index(good, "<Head")] + "</Report>", "ヘッダ部"},
		"no title":           {strings.Replace(good, "<Title>震度速報</Title>", "", 1), "情報名称"},
		"unknown mode":       {strings.Replace(good, "通常", "本番", 1), "運用種別"},
		"unknown phase":      {strings.Replace(good, "発表", "発行", 1), "情報形態"},
		"no press time":      {strings.Replace(good, "2026-01-02T01:02:03Z", "", 1), "発表時刻"},
		"impossible time":    {strings.Replace(good, "2026-01-02T10:02:00", "2026-02-31T10:02:00", 1), "報告時刻"},
		"too large":          {good + strings.Repeat(" ", jma.MaxBytes), "大きすぎます"},
		"hundred megabytes":  {strings.Repeat("<a>", 35_000_000), "大きすぎます"},
		"deep nesting":       {strings.Repeat("<Report xmlns='http://xml.kishou.go.jp/jmaxml1/'>", 100_000), "。"},
	} {
		t.Run(name, func(t *testing.T) {
			raw := []byte(c.text)
			got, err := jma.Parse(desk.Envelope{Feed: "f", Name: "n", Raw: raw})
			if desk.KindOf(err) != desk.Invalid || !strings.Contains(desk.Message(err), c.want) {
				t.Fatalf("error %v, want %q", err, c.want)
			}
			// What cannot be parsed is kept and shown: the envelope and the digest are there, and nothing half read.
			if !bytes.Equal(got.Raw, raw) || got.Feed != "f" || got.Name != "n" || got.Digest != feeds.Digest(raw) || got.Title != "" || got.Mode != "" {
				t.Errorf("telegram of a bad input: title %q mode %q", got.Title, got.Mode)
			}
		})
	}
}

func TestByteOrderMarkAndLineEnds(t *testing.T) {
	good := telegram("震度速報", "", seismologyBody+unreportedBody+"</Body>")
	want := parse(t, good)
	got := parse(t, "\xef\xbb\xbf"+strings.ReplaceAll(good, "\n", "\r\n"))
	if got.Digest != want.Digest || !slices.Equal(got.Areas, want.Areas) || got.Headline != want.Headline {
		t.Errorf("%+v", got)
	}
}
