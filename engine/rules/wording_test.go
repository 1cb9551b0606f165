package rules

import (
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

// heading makes a weather telegram whose heading says what it is, of one area with one kind.
func heading(kind, head string, level desk.Level, name string) desk.Telegram {
	return telegram(kind, 0, id("大阪府"), func(t *desk.Telegram) {
		t.Title, t.HeadTitle, t.Hazard, t.Level = "情報", head, desk.Weather, level
		t.Warned = []desk.WarnedArea{{Code: "270000", Name: "大阪府", Kinds: []desk.WarnedKind{kindOf("1", name, level)}}}
		t.Place = []desk.Prefecture{27}
	})
}

func giantQuake(kind string, after time.Duration, code, name string, changes ...change) desk.Telegram {
	return telegram(kind, after, append([]change{id("20240808194500"), func(t *desk.Telegram) {
		t.Title, t.Giant = "南海トラフ地震臨時情報", &desk.GiantQuakeReport{Code: code, Name: name}
		if isExplanation(t) {
			t.Title = "南海トラフ地震関連解説情報"
		}
	}}, changes...)...)
}

func coast(kind string, after time.Duration, grade desk.TsunamiGrade, changes ...change) desk.Telegram {
	return telegram(kind, after, append([]change{id(noto), func(t *desk.Telegram) {
		t.Title, t.HeadTitle, t.Hazard = "津波警報・注意報・予報a", "津波警報・津波注意報・津波予報", desk.Tsunami
		t.Tsunami = []desk.TsunamiArea{{Code: "390", Name: "石川県能登", Grade: grade}}
		t.Hypocenters = []desk.Hypocenter{{Name: "能登半島沖", MagnitudeText: "Ｍ７．６"}}
	}}, changes...)...)
}

func emptied(t *desk.Telegram) { t.Tsunami, t.Hypocenters, t.Level = nil, nil, desk.LevelNone }

// TestATiredReaderIsNotMisled: what the list of events says at three in the morning.
func TestATiredReaderIsNotMisled(t *testing.T) {
	eruption := func(kind, code string, erupts bool, after time.Duration) desk.Telegram {
		return volcano("VFVO52", after, desk.LevelNotice, desk.VolcanoReport{KindCode: code, KindName: kind, Eruption: erupts}, id("20240101161000_506"))
	}
	for name, c := range map[string]struct {
		telegrams []desk.Telegram
		title     string
		grade     desk.Grade
	}{
		"only the special warning is lifted": {
			[]desk.Telegram{warning("VPNO50", "気象特別警報報知", 0, rainSpecialOl), warning("VPNO50", "気象特別警報報知", time.Hour, lifted)},
			"山形県 特別警報は解除されました", desk.GradeInfo,
		},
		"two phenomena are lifted": {
			[]desk.Telegram{warning("VPWW55", rainTitle, 0, lifted), warning("VPWW56", slideTitle, time.Minute, lifted)},
			"山形県 大雨・土砂の警報・注意報は解除されました", desk.GradeInfo,
		},
		"everything is lifted": {
			[]desk.Telegram{warning("VPWW53", "気象特別警報・警報・注意報", 0, lifted), warning("VPWW55", rainTitle, time.Minute, lifted)},
			"山形県 警報・注意報は解除されました", desk.GradeInfo,
		},
		"a landslide of the old shape": {[]desk.Telegram{heading("VXWW50", "大阪府土砂災害警戒情報", desk.LevelDanger, "警戒")}, "大阪府土砂災害警戒情報（警戒レベル4相当）", desk.GradeWatch},
		"a landslide of the new shape": {[]desk.Telegram{heading("VXWW50", "大阪府レベル４土砂災害危険警報", desk.LevelDanger, "警戒")}, "大阪府レベル４土砂災害危険警報", desk.GradeWatch},
		"a river":                      {[]desk.Telegram{heading("VXKO50", "淀川氾濫発生情報", desk.LevelSpecial, "氾濫発生情報")}, "淀川氾濫発生情報（警戒レベル5相当）", desk.GradeAlarm},
		"the next flood counts from one": {
			[]desk.Telegram{
				func() desk.Telegram {
					last := heading("VXKO50", "淀川氾濫注意情報（警戒情報解除）", desk.LevelNone, "解除")
					last.Serial = "12"
					return last
				}(),
				func() desk.Telegram {
					next := heading("VXKO50", "淀川氾濫危険情報", desk.LevelDanger, "氾濫危険情報")
					next.Serial, next.PressTime = "1", next.PressTime.Add(10*time.Hour)
					return next
				}(),
			}, "淀川氾濫危険情報（警戒レベル4相当）", desk.GradeWatch,
		},
		"a tag is said by the heading":  {[]desk.Telegram{heading("VPBS50", "大阪府気象防災速報（記録的短時間大雨）", desk.LevelDanger, "記録雨")}, "大阪府気象防災速報（記録的短時間大雨）", desk.GradeWatch},
		"a tornado that was seen":       {[]desk.Telegram{heading("VPHW51", "大阪府竜巻注意情報", desk.LevelWarning, "竜巻注意情報")}, "大阪府竜巻注意情報（目撃情報あり）", desk.GradeInfo},
		"a volcano without levels":      {[]desk.Telegram{volcano("VFVO50", 0, desk.LevelDanger, desk.VolcanoReport{KindCode: "24", KindName: "山麓厳重警戒"})}, "桜島 山麓厳重警戒（レベル4相当）", desk.GradeAlarm},
		"an eruption that stopped":      {[]desk.Telegram{eruption("連続噴火継続", "54", true, 0), eruption("連続噴火停止", "55", false, time.Hour)}, "桜島 連続噴火停止", desk.GradeInfo},
		"the level stands beside it":    {[]desk.Telegram{volcano("VFVO50", 0, desk.LevelWarning, desk.VolcanoReport{KindName: "レベル３（入山規制）"}), eruption("爆発", "51", true, time.Hour)}, "桜島 噴火警戒レベル３（入山規制） 爆発", desk.GradeWatch},
		"the monthly explanation":       {[]desk.Telegram{giantQuake("VYSE52", 0, "200", "定例解説")}, "南海トラフ地震関連解説情報（定例解説）", desk.GradeInfo},
		"an explanation out of turn":    {[]desk.Telegram{giantQuake("VYSE51", 0, "210", "臨時解説")}, "南海トラフ地震関連解説情報（臨時解説）", desk.GradeWatch},
		"an explanation after the call": {[]desk.Telegram{giantQuake("VYSE50", 0, "120", "巨大地震警戒"), giantQuake("VYSE51", time.Hour, "210", "臨時解説")}, "南海トラフ地震臨時情報（巨大地震警戒）", desk.GradeAlarm},
		"a tsunami of the former shape": {[]desk.Telegram{coast("VTSE40", 0, desk.TsunamiMajorWarning)}, "能登半島沖 大津波警報", desk.GradeAlarm},
		"a slight tsunami":              {[]desk.Telegram{coast("VTSE41", 0, desk.TsunamiSlight)}, "能登半島沖 Ｍ７．６ 津波予報（若干の海面変動）", desk.GradeInfo},
		"a tsunami of unknown grade":    {[]desk.Telegram{coast("VTSE41", 0, desk.TsunamiUnknownGrade)}, "能登半島沖 Ｍ７．６ 津波（等級不明）", desk.GradeInfo},
		"a retraction by itself":        {[]desk.Telegram{coast("VTSE41", 0, desk.TsunamiNone, phase(desk.Cancelled), emptied)}, "津波警報・津波注意報・津波予報 は取り消されました", desk.GradeWatch},
	} {
		e := Fold(desk.Event{}, c.telegrams)
		if e.Title != c.title {
			t.Errorf("%s: %q, want %q", name, e.Title, c.title)
		}
		if g := Grade(e, c.telegrams, policy); g != c.grade {
			t.Errorf("%s: grade %d, want %d", name, g, c.grade)
		}
	}
}

// TestACheckSaysWhere: what has no intensities still says whom it concerns.
func TestACheckSaysWhere(t *testing.T) {
	several := volcano("VFVO51", 0, desk.LevelSpecial, desk.VolcanoReport{KindName: "レベル５（避難）"}, func(t *desk.Telegram) {
		t.Place = []desk.Prefecture{1, 46}
		t.Warned = []desk.WarnedArea{
			{Code: "101", Prefectures: []desk.Prefecture{1}, Kinds: []desk.WarnedKind{kindOf("11", "レベル１", desk.LevelNotice)}},
			{Code: "509", Prefectures: []desk.Prefecture{46}, Kinds: []desk.WarnedKind{kindOf("15", "レベル５（避難）", desk.LevelSpecial)}},
		}
	})
	for text, one := range map[string]desk.Telegram{
		"特別警報級の情報です。対象は山形県です。": warning("VPWW55", rainTitle, 0, rainSpecial),
		"対象は鹿児島県です。":           several,
	} {
		if ck := found(Checks(caseOf(nil, one)), desk.CheckAreas); ck.Text != text {
			t.Errorf("%q, want %q", ck.Text, text)
		}
	}
	sea := coast("VTSE41", 0, desk.TsunamiMajorWarning)
	if ck := found(Checks(caseOf(nil, sea)), desk.CheckTsunami); ck.Text != "大津波警報は石川県能登。消えた予報区はありません。" {
		t.Error(ck.Text)
	}
	if ck := found(Checks(caseOf(nil, sea)), desk.CheckPhase); strings.Contains(ck.Text, "予報a") {
		t.Error(ck.Text)
	}
}

// TestWhatRangIsTakenBackAsLoudly: a retraction must reach whoever the alarm woke.
func TestWhatRangIsTakenBackAsLoudly(t *testing.T) {
	for name, c := range map[string]struct {
		telegrams []desk.Telegram
		grade     desk.Grade
	}{
		"津波警報": {[]desk.Telegram{
			coast("VTSE41", 0, desk.TsunamiWarning), coast("VTSE41", time.Minute, desk.TsunamiNone, phase(desk.Cancelled), emptied),
		}, desk.GradeAlarm},
		"津波注意報": {[]desk.Telegram{
			coast("VTSE41", 0, desk.TsunamiAdvisory), coast("VTSE41", time.Minute, desk.TsunamiNone, phase(desk.Cancelled), emptied),
		}, desk.GradeWatch},
		"volcano level 4": {[]desk.Telegram{
			volcano("VFVO50", 0, desk.LevelDanger, desk.VolcanoReport{AlertLevel: 4}), volcano("VFVO50", time.Minute, desk.LevelNone, desk.VolcanoReport{}, phase(desk.Cancelled)),
		}, desk.GradeAlarm},
		"a public warning whose own report was lost": {[]desk.Telegram{
			telegram("VXSE43", 0, id(noto), phase(desk.Cancelled), func(t *desk.Telegram) { t.Warning = true }),
		}, desk.GradeWatch},
	} {
		e := Fold(desk.Event{}, c.telegrams)
		if g := Grade(e, c.telegrams, policy); g != c.grade || e.Status != desk.EventRetracted {
			t.Errorf("%s: grade %d, %s", name, g, e.Status)
		}
	}
}

// TestATornadoThatNobodySawIsQuiet: VPHW51 goes out beside every VPHW50, seen or not.
func TestATornadoThatNobodySawIsQuiet(t *testing.T) {
	if !Quiet(heading("VPHW51", "大阪府竜巻注意情報", desk.LevelAdvisory, "竜巻注意情報")) {
		t.Error("a 注意情報 without a sighting makes an event")
	}
	if Quiet(heading("VPHW51", "大阪府竜巻注意情報", desk.LevelWarning, "竜巻注意情報")) {
		t.Error("a sighting makes none")
	}
}
