package rules

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagura/store/desk"
)

// warning makes a weather telegram of 山形県 (060000) as VPWW5x is read, pressed so long after 16:10.
func warning(kind, title string, after time.Duration, kinds ...desk.WarnedKind) desk.Telegram {
	return telegram(kind, after, id(), func(t *desk.Telegram) {
		t.Title, t.HeadTitle, t.Hazard, t.Office = title, "山形県気象警報・注意報", desk.Weather, "山形地方気象台"
		t.EventIDs = nil
		t.Warned = []desk.WarnedArea{{Code: "060000", Name: "山形県", Prefectures: []desk.Prefecture{6}, Kinds: kinds}}
		t.Level = desk.Highest(t.Warned)
		t.Place = []desk.Prefecture{6}
	})
}

func kindOf(code, name string, l desk.Level) desk.WarnedKind {
	return desk.WarnedKind{Code: code, Name: name, Level: l, Status: "発表", Lifted: l == desk.LevelNone}
}

var (
	rainAdvisory  = kindOf("10", "レベル２大雨注意報", desk.LevelAdvisory)
	rainWarning   = kindOf("03", "レベル３大雨警報", desk.LevelWarning)
	rainSpecial   = kindOf("33", "レベル５大雨特別警報", desk.LevelSpecial)
	rainSpecialOl = kindOf("33", "大雨特別警報", desk.LevelSpecial)
	slideDanger   = kindOf("49", "レベル４土砂災害危険警報", desk.LevelDanger)
	thunder       = kindOf("14", "雷注意報", desk.LevelAdvisory)
	lifted        = kindOf("00", "解除", desk.LevelNone)
)

const (
	rainTitle  = "気象警報・注意報（Ｒ０６）（大雨）"
	slideTitle = "気象警報・注意報（Ｒ０６）（土砂）"
)

func volcano(kind string, after time.Duration, level desk.Level, v desk.VolcanoReport, changes ...change) desk.Telegram {
	return telegram(kind, after, append([]change{id("506"), func(t *desk.Telegram) {
		t.Title, t.HeadTitle, t.Hazard, t.Level = "噴火警報・予報", "火山名　桜島　噴火警報", desk.Volcano, level
		v.Code, v.Name = "506", "桜島"
		t.Volcano = &v
	}}, changes...)...)
}

func typhoon(after time.Duration, number string, changes ...change) desk.Telegram {
	pressure := 950
	return telegram("VPTW60", after, append([]change{id("TC2410"), serial("12"), func(t *desk.Telegram) {
		t.Title, t.HeadTitle, t.Hazard, t.Level = "台風解析・予報情報（５日予報）（Ｈ３０）", "台風解析・予報情報", desk.Weather, desk.LevelNotice
		t.Typhoon = &desk.TyphoonReport{
			ID: "TC2410", Number: number, Name: "サンサン",
			Positions: []desk.TyphoonPosition{{Type: "実況", Place: "南大東島の南南東約１６０ｋｍ", Strength: "非常に強い", PressureHPa: &pressure}},
		}
	}}, changes...)...)
}

func TestTitlesAndGradesOfEveryHazard(t *testing.T) { // the golden titles
	giant := telegram("VYSE50", 0, id("20240808194500"), func(t *desk.Telegram) {
		t.Title, t.Giant = "南海トラフ地震臨時情報", &desk.GiantQuakeReport{Code: "130", Name: "巨大地震注意"}
	})
	notice := telegram("VZSE40", 0, id("20241105094500"), func(t *desk.Telegram) {
		t.Title, t.HeadTitle, t.Notice = "地震・津波に関するお知らせ", "地震・津波に関するお知らせ", &desk.NoticeReport{AnnouncesDrill: true}
	})
	abroad := telegram("VXSE53", 0, id("20230410221000"), func(t *desk.Telegram) {
		t.Title, t.HeadTitle, t.Hazard = "震源・震度に関する情報", "遠地地震に関する情報", desk.Volcano
		t.Hypocenters = []desk.Hypocenter{{Name: "カムチャツカ半島"}}
	})
	unknown := telegram("", 0, id(), func(t *desk.Telegram) {
		t.Title, t.HeadTitle, t.Hazard, t.Surprise = "新しい情報", "新しい情報（試行）", desk.OtherKind, "情報名称「新しい情報」"
	})
	for name, c := range map[string]struct {
		telegrams []desk.Telegram
		title     string
		grade     desk.Grade
		key       string
	}{
		"special": {
			[]desk.Telegram{warning("VPWW55", rainTitle, 0, rainWarning), warning("VPWW55", rainTitle, time.Hour, rainSpecial, thunder)},
			"山形県 レベル５大雨特別警報", desk.GradeAlarm, "weather:060000@20240101",
		},
		"two titles are one storm": {
			[]desk.Telegram{warning("VPWW55", rainTitle, 0, rainSpecial), warning("VPWW56", slideTitle, time.Minute, slideDanger)},
			"山形県 レベル５大雨特別警報・レベル４土砂災害危険警報", desk.GradeAlarm, "weather:060000@20240101",
		},
		"old and new name are one kind": {
			[]desk.Telegram{warning("VPWW53", "気象特別警報・警報・注意報", 0, rainSpecialOl), warning("VPWW55", rainTitle, time.Minute, rainSpecial)},
			"山形県 レベル５大雨特別警報", desk.GradeAlarm, "weather:060000@20240101",
		},
		"the newest replaces the state": {
			[]desk.Telegram{warning("VPWW55", rainTitle, time.Hour, rainWarning), warning("VPWW55", rainTitle, 0, rainSpecial)},
			"山形県 レベル３大雨警報", desk.GradeInfo, "weather:060000@20240101",
		},
		"danger is shown": {
			[]desk.Telegram{warning("VPWW56", slideTitle, 0, slideDanger)}, "山形県 レベル４土砂災害危険警報", desk.GradeWatch, "weather:060000@20240101",
		},
		"lifted": {
			[]desk.Telegram{warning("VPWW55", rainTitle, 0, rainSpecial), warning("VPWW55", rainTitle, time.Hour, lifted)},
			"山形県 大雨の警報・注意報は解除されました", desk.GradeInfo, "weather:060000@20240101",
		},
		"取消 brings the state before back": {
			[]desk.Telegram{
				warning("VPWW55", rainTitle, 0, rainWarning), warning("VPWW55", rainTitle, time.Hour, rainSpecial),
				func() desk.Telegram {
					c := warning("VPWW55", rainTitle, 2*time.Hour)
					c.Phase, c.Level = desk.Cancelled, desk.LevelNone
					return c
				}(),
			}, "山形県 レベル３大雨警報", desk.GradeInfo, "weather:060000@20240101",
		},
		"typhoon":           {[]desk.Telegram{typhoon(0, "2410")}, "台風第10号（サンサン） 非常に強い 南大東島の南南東約１６０ｋｍ 950hPa", desk.GradeInfo, "typhoon:TC2410"},
		"before its name":   {[]desk.Telegram{typhoon(0, "")}, "熱帯低気圧 非常に強い 南大東島の南南東約１６０ｋｍ 950hPa", desk.GradeInfo, "typhoon:TC2410"},
		"volcano level 5":   {[]desk.Telegram{volcano("VFVO50", 0, desk.LevelSpecial, desk.VolcanoReport{KindName: "レベル５（避難）", AlertLevel: 5})}, "桜島 噴火警戒レベル５（避難）", desk.GradeAlarm, "volcano:506@20240101"},
		"volcano level 3":   {[]desk.Telegram{volcano("VFVO50", 0, desk.LevelWarning, desk.VolcanoReport{KindName: "レベル３（入山規制）", AlertLevel: 3})}, "桜島 噴火警戒レベル３（入山規制）", desk.GradeWatch, "volcano:506@20240101"},
		"噴火速報":              {[]desk.Telegram{volcano("VFVO56", 0, desk.LevelNone, desk.VolcanoReport{KindName: "噴火", Eruption: true}, id("20240101161000_506"))}, "桜島 噴火速報", desk.GradeAlarm, "volcano:506@20240101"},
		"eruption, plume":   {[]desk.Telegram{volcano("VFVO52", 0, desk.LevelNone, desk.VolcanoReport{KindName: "爆発", Eruption: true, PlumeM: 4000}, id("20240101161000_506"))}, "桜島 爆発 噴煙4000m", desk.GradeInfo, "volcano:506@20240101"},
		"eruption abroad":   {[]desk.Telegram{abroad}, "カムチャツカ半島 大規模な噴火", desk.GradeWatch, "volcano:20230410221000"},
		"giant":             {[]desk.Telegram{giant}, "南海トラフ地震臨時情報（巨大地震注意）", desk.GradeAlarm, "giant:VYSE50@20240808"},
		"a drill announced": {[]desk.Telegram{notice}, "地震・津波に関するお知らせ", desk.GradeWatch, "20241105094500"},
		"unknown":           {[]desk.Telegram{unknown}, "新しい情報（試行）", desk.GradeWatch, ""},
	} {
		e := Fold(desk.Event{}, c.telegrams)
		if e.Title != c.title {
			t.Errorf("%s: %q, want %q", name, e.Title, c.title)
		}
		if g := Grade(e, c.telegrams, policy); g != c.grade {
			t.Errorf("%s: grade %d, want %d", name, g, c.grade)
		}
		if key := strings.Join(e.EventIDs, " "); key != c.key {
			t.Errorf("%s: key %q, want %q", name, key, c.key)
		}
		if len(Triggered(e, policy)) != 0 {
			t.Errorf("%s: asks people", name)
		}
	}
}

func TestThreadsContinueAndEnd(t *testing.T) {
	first := warning("VPWW55", rainTitle, 0, rainSpecial)
	event := Fold(desk.Event{ID: 9}, []desk.Telegram{first})
	for name, c := range map[string]struct {
		telegram desk.Telegram
		want     bool
	}{
		"the same title":      {warning("VPWW55", rainTitle, time.Hour, rainWarning), true},
		"another title":       {warning("VPWW56", slideTitle, time.Hour, slideDanger), true},
		"a lifting next day":  {warning("VPWW55", rainTitle, 30*time.Hour, lifted), true},
		"older, arrived late": {warning("VPWW55", rainTitle, -time.Hour, rainWarning), true},
		"another storm":       {warning("VPWW55", rainTitle, 40*time.Hour, rainWarning), false},
		"a drill": {func() desk.Telegram {
			d := warning("VPWW55", rainTitle, time.Hour, rainWarning)
			d.Mode = desk.Drill
			return d
		}(), false},
		"another prefecture": {func() desk.Telegram {
			d := warning("VPWW55", rainTitle, time.Hour, rainWarning)
			d.Warned = []desk.WarnedArea{{Code: "050000"}}
			return d
		}(), false},
		"a typhoon of the same day": {typhoon(time.Hour, "2410"), false},
	} {
		if !shareID(Keys(c.telegram), event.EventIDs) && c.want {
			t.Errorf("%s: the event would not be looked for", name)
		}
		got := Correlate(c.telegram, []desk.Event{event})
		if (len(got) == 1) != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	old := event
	old.UpdatedAt = event.OccurredAt.Add(7 * day)
	if got := Correlate(warning("VPWW55", rainTitle, 7*day+time.Hour, rainSpecial), []desk.Event{old}); len(got) != 0 {
		t.Errorf("a thread never ends: %v", got)
	}
}

func TestWhatIsQuiet(t *testing.T) {
	unknownCode := warning("VPWW55", rainTitle, 0, rainAdvisory)
	unknownCode.Surprise = "警報等の種別コード 99"
	cancel := telegram("VPWW55", 0, phase(desk.Cancelled), func(t *desk.Telegram) { t.Hazard, t.EventIDs = desk.Weather, nil })
	for name, c := range map[string]struct {
		telegram desk.Telegram
		want     bool
	}{
		"advisory":                  {warning("VPWW55", rainTitle, 0, rainAdvisory, thunder), true},
		"warning":                   {warning("VPWW55", rainTitle, 0, rainWarning), false},
		"an unknown code":           {unknownCode, false},
		"an unknown title":          {telegram("", 0, func(t *desk.Telegram) { t.Hazard = desk.Weather }), false},
		"a 取消 of nobody knows what": {cancel, false},
		"the line test":             {telegram("VXSE42", 0, mode(desk.Test)), true},
		"ash every three hours":     {volcano("VFVO53", 0, desk.LevelNotice, desk.VolcanoReport{}), true},
		"level 1":                   {volcano("VFVO50", 0, desk.LevelNotice, desk.VolcanoReport{AlertLevel: 1}), true},
		"an eruption":               {volcano("VFVO52", 0, desk.LevelNone, desk.VolcanoReport{Eruption: true}), false},
		"噴火速報":                      {volcano("VFVO56", 0, desk.LevelNone, desk.VolcanoReport{Eruption: true}), false},
		"an eruption not read":      {telegram("VFVO56", 0, func(t *desk.Telegram) { t.Hazard = desk.Volcano }), false},
		"a typhoon":                 {typhoon(0, "2410"), false},
		"the second source":         {telegram("P2P551", 0), true},
		"an earthquake":             {telegram("VXSE53", 0, felt(small)), false},
	} {
		if got := Quiet(c.telegram); got != c.want {
			t.Errorf("%s: quiet = %v", name, got)
		}
	}
}

func TestTheSameNumberWithOtherContent(t *testing.T) { // feeds.md 3.4
	a := telegram("VXSE53", 5*time.Minute, serial("1"), felt(small))
	b := telegram("VXSE53", 5*time.Minute, serial("1"), felt(mainAreas))
	a.Feed, b.Feed = "dmdata", "jma-pull"
	ck := found(Checks(caseOf(nil, a, b)), desk.CheckSameKey)
	if ck.Result != desk.Contradicts || !strings.Contains(ck.Text, "同じ番号の電文が違う内容で届きました") || !strings.Contains(ck.Detail, "dmdata と jma-pull") {
		t.Errorf("%+v", ck)
	}
	for name, other := range map[string]desk.Telegram{
		"the next number": telegram("VXSE53", 5*time.Minute, serial("2"), felt(mainAreas)),
		"a 取消":            telegram("VXSE53", 5*time.Minute, serial("1"), phase(desk.Cancelled)),
		"another second":  telegram("VXSE53", 5*time.Minute+time.Second, serial("1"), felt(mainAreas)),
	} {
		if ck := found(Checks(caseOf(nil, a, other)), desk.CheckSameKey); ck.Code != "" {
			t.Errorf("%s: %+v", name, ck)
		}
	}
}

func TestNoticesAndSurprisesAreSaid(t *testing.T) {
	notice := telegram("VZSE40", 0, func(t *desk.Telegram) { t.Notice = &desk.NoticeReport{AnnouncesDrill: true} })
	if ck := found(Checks(caseOf(nil, notice)), desk.CheckAnnounces); ck.Result != desk.Undetermined {
		t.Errorf("a drill announced: %+v", ck)
	}
	odd := warning("VPWW55", rainTitle, 0, rainWarning)
	odd.Surprise = "種別コード\u202e 99"
	if ck := found(Checks(caseOf(nil, odd)), desk.CheckSurprise); ck.Result != desk.Undetermined || !strings.Contains(ck.Text, "種別コード 99") {
		t.Errorf("an unknown code: %+v", ck)
	}
}

// drawAny makes a telegram of any kind, half read or well read.
func drawAny(r *rapid.T) desk.Telegram {
	kinds := []string{
		"", "VXSE42", "VXSE43", "VXSE44", "VXSE45", "VXSE51", "VXSE52", "VXSE53", "VXSE56", "VXSE60", "VXSE61", "VXSE62", "VTSE41", "VTSE51", "VTSE52",
		"VYSE50", "VYSE60", "VZSE40", "VPWW53", "VPWW55", "VPNO50", "VPBS50", "VPOA50", "VPHW50", "VPHW51", "VXWW50", "VXKO50", "VPTW60", "VPTW61",
		"VFVO50", "VFVO51", "VFVO52", "VFVO53", "VFVO56", "VFSVii", "P2P551", "P2P552", "P2P556", "EMNET",
	}
	kind := rapid.SampledFrom(kinds).Draw(r, "kind")
	one := telegram(kind, time.Duration(rapid.IntRange(-9000, 9000).Draw(r, "minute"))*time.Minute,
		mode(rapid.SampledFrom([]desk.Mode{desk.Live, desk.Drill, desk.Test}).Draw(r, "mode")),
		phase(rapid.SampledFrom([]desk.Phase{desk.Issued, desk.Corrected, desk.Cancelled}).Draw(r, "phase")),
		id(rapid.SliceOfN(rapid.SampledFrom([]string{noto, "506", "20240101161000_506", "TC2410", "JPTE1_2"}), 0, 2).Draw(r, "ids")...))
	one.Hazard = desk.Earthquake
	switch {
	case kind == "EMNET":
		one.Hazard, one.Missile = desk.Missile, &desk.MissileReport{Kind: desk.MissileLaunch}
	case strings.HasPrefix(kind, "VT"):
		one.Hazard = desk.Tsunami
		one.Tsunami = []desk.TsunamiArea{{Code: "390", Name: "石川県能登", Grade: desk.TsunamiMajorWarning}}
	case strings.HasPrefix(kind, "VP"), strings.HasPrefix(kind, "VXW"), strings.HasPrefix(kind, "VXK"):
		one.Hazard = desk.Weather
	case strings.HasPrefix(kind, "VF"):
		one.Hazard = desk.Volcano
	case kind == "":
		one.Hazard = desk.OtherKind
	}
	one.Level = desk.Level(rapid.IntRange(0, 5).Draw(r, "level"))
	if rapid.Bool().Draw(r, "read") {
		one.Warned = []desk.WarnedArea{{Code: "060000", Name: "山形県", Kinds: []desk.WarnedKind{kindOf("33", "大雨特別警報", one.Level)}}}
		one.Volcano = &desk.VolcanoReport{Code: "506", Name: "桜島", Eruption: one.Level > 2}
		one.EEW = &desk.EEWReport{OneStation: rapid.Bool().Draw(r, "one")}
		one.Place = []desk.Prefecture{6}
	}
	if strings.HasPrefix(kind, "VXSE5") || strings.HasPrefix(kind, "P2P") {
		felt(mainAreas)(&one)
	}
	if isEarlyWarning(&one) {
		one.Assumed = rapid.Bool().Draw(r, "assumed")
		one.ForecastIntensity = &desk.IntensityRange{From: desk.Intensity7, To: desk.Intensity7}
	}
	return one
}

// TestDrillsOfEveryKindStayDrills: a drill or test of any kind never joins a live event, never makes one and never triggers in it. // law 4
func TestDrillsOfEveryKindStayDrills(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		live := drawAny(r)
		live.Mode = desk.Live
		other := drawAny(r)
		event := Fold(desk.Event{ID: 3}, []desk.Telegram{live})
		event.ID = 3
		if other.Mode != desk.Live {
			if got := Correlate(other, []desk.Event{event}); len(got) != 0 {
				r.Fatalf("a %s %s joins a live event", other.Mode, other.Type)
			}
			if e := Fold(desk.Event{}, []desk.Telegram{other}); e.Mode != other.Mode {
				r.Fatalf("a %s %s makes a %s event", other.Mode, other.Type, e.Mode)
			}
		}
		a := Advise(Case{Event: event, Telegrams: []desk.Telegram{live}, New: live, Second: []desk.Telegram{other}}, nil, policy)
		alone := Advise(Case{Event: event, Telegrams: []desk.Telegram{live}, New: live}, nil, policy)
		if other.Mode != desk.Live && !reflect.DeepEqual(a, alone) {
			r.Fatalf("a %s %s changes the advice on a live event", other.Mode, other.Type)
		}
		if isEarlyWarning(&live) && len(a.Triggered) != 0 {
			r.Fatalf("%s triggers", live.Type)
		}
		if unsure(&live) && live.Phase != desk.Cancelled && a.Grade < desk.GradeInfo {
			r.Fatalf("an unsure %s is grade %d", live.Type, a.Grade)
		}
	})
}

// TestEveryKindFoldsWhateverTheOrder: no kind may depend on the order of arrival, and each gets a title, a grade and checks.
func TestEveryKindFoldsWhateverTheOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		one := drawAny(r)
		ts := []desk.Telegram{one}
		for range rapid.IntRange(0, 5).Draw(r, "more") {
			more := drawAny(r)
			if more.Mode == one.Mode && Family(more.Hazard) == Family(one.Hazard) {
				ts = append(ts, more)
			}
		}
		for i := range ts {
			ts[i].Digest = [32]byte{byte(i + 1)}
		}
		a, b := Fold(desk.Event{}, ts), Fold(desk.Event{}, rapid.Permutation(ts).Draw(r, "order"))
		if !reflect.DeepEqual(a, b) && one.Hazard != desk.Missile {
			r.Fatalf("%+v\n%+v", a, b)
		}
		adv := Advise(Case{Event: a, Telegrams: ts, New: ts[0]}, nil, policy)
		if a.Title == "" && one.Hazard != desk.Missile || adv.Grade < desk.GradeAlarm || adv.Grade > desk.GradeInfo || len(adv.Checks) < 3 {
			r.Fatalf("title %q, grade %d, %d checks", a.Title, adv.Grade, len(adv.Checks))
		}
	})
}
