package tuitest

import (
	"fmt"
	"time"

	"yagura/store/desk"
)

// MainShock is the time of the Noto main shock, 2024-01-01 16:10 JST.
var MainShock = time.Date(2024, 1, 1, 16, 10, 0, 0, desk.JST)

// Names of the two operators of the tests.
var (
	Yamada = desk.Operator{ID: 1, Name: "yamada", Display: "山田"}
	Sato   = desk.Operator{ID: 2, Name: "sato", Display: "佐藤"}
)

func point(v float64) *float64 { return &v }

func pref(code desk.Prefecture, i desk.Intensity) desk.PrefectureIntensity {
	return desk.PrefectureIntensity{Code: code, Name: code.Name(), Intensity: i}
}

func by(i desk.Intensity, r desk.TriggerReason, codes ...desk.Prefecture) []desk.TriggeredBy {
	out := make([]desk.TriggeredBy, len(codes))
	for k, c := range codes {
		out[k] = desk.TriggeredBy{Prefecture: c, Intensity: i, Reason: r}
	}
	return out
}

// Main is the main shock: clean evidence, grade 1, nationwide.
func Main(id desk.EventID, mode desk.Mode, at time.Time) desk.EventFile {
	ev := desk.Event{
		ID: id, Hazard: desk.Earthquake, Mode: mode, EventIDs: []string{"20240101161010"}, OccurredAt: at, FirstSeenAt: at.Add(80 * time.Second),
		UpdatedAt: at.Add(12 * time.Minute), Status: desk.EventOpen, Title: "石川県能登地方 震度7 Ｍ７．６", MaxIntensity: desk.Intensity7, EEWWarning: true,
		Hypocenter: &desk.Hypocenter{Name: "石川県能登地方", Lat: point(37.5), Lon: point(137.3), DepthKM: point(16), Magnitude: point(7.6), MagnitudeText: "Ｍ７．６"},
		Tsunami:    desk.TsunamiMajorWarning, Telegrams: 4,
		Prefectures: []desk.PrefectureIntensity{
			pref(17, desk.Intensity7), pref(15, desk.Intensity6Lower), pref(16, desk.Intensity5Upper), pref(18, desk.Intensity5Upper),
			{Code: 20, Name: "長野県", Intensity: desk.Intensity5Lower, Provisional: true},
			pref(21, desk.Intensity5Lower), pref(13, desk.Intensity3), pref(23, desk.Intensity4),
		},
	}
	triggered := append(by(desk.Intensity7, desk.ReasonIntensity, 17), by(desk.Intensity6Lower, desk.ReasonIntensity, 15)...)
	triggered = append(triggered, by(desk.Intensity5Upper, desk.ReasonIntensity, 16, 18)...)
	triggered = append(triggered, by(desk.Intensity5Lower, desk.ReasonIntensity, 20, 21)...)
	for c := desk.Prefecture(1); c <= desk.Prefectures; c++ {
		if c != 15 && c != 16 && c != 17 && c != 18 && c != 20 && c != 21 {
			triggered = append(triggered, desk.TriggeredBy{Prefecture: c, Intensity: desk.Intensity3, Reason: desk.ReasonNationwide})
		}
	}
	a := &desk.Advice{ID: desk.AdviceID(100 + id), EventID: id, At: at.Add(3 * time.Minute), Grade: desk.GradeAlarm, Triggered: triggered, Checks: []desk.Check{
		{Code: desk.CheckMode, Result: desk.Passed, Text: "通常の電文です（訓練・試験ではない）。"},
		{Code: desk.CheckPhase, Result: desk.Passed, Text: "発表の電文です（取消ではない）。"},
		{Code: desk.CheckEEW, Result: desk.Passed, Text: "緊急地震速報（警報）が先に出ています。", Detail: "最初の警報 16:10:18、予測最大震度 6弱以上"},
		{Code: desk.CheckAreas, Result: desk.Passed, Text: "188地域のうち 153地域が震度を報告しています。"},
		{Code: desk.CheckStations, Result: desk.Passed, Text: "震度7 を観測した地点は 2 です。"},
		{Code: desk.CheckClock, Result: desk.Passed, Text: "電文の時刻と受信時計の差は 2秒です。"},
		{Code: desk.CheckSecondSource, Result: desk.Undetermined, Text: "別の情報源はまだ届いていません。"},
	}}
	return desk.EventFile{Item: desk.InboxItem{Event: ev, Advice: a}, Telegrams: telegrams(mode, at)}
}

func telegrams(mode desk.Mode, at time.Time) []desk.Telegram {
	one := func(after time.Duration, kind, title, serial string, phase desk.Phase) desk.Telegram {
		t := desk.Telegram{Type: kind, Title: title, Mode: mode, Phase: phase, Serial: serial, PressTime: at.Add(after), ReportTime: at.Add(after)}
		t.Feed, t.ReceivedAt = "replay", at.Add(after+2*time.Second)
		return t
	}
	all := []desk.Telegram{
		one(18*time.Second, "VXSE43", "緊急地震速報（警報）", "1", desk.Issued),
		one(90*time.Second, "VXSE51", "震度速報", "", desk.Issued),
		one(2*time.Minute, "VTSE41", "津波警報・注意報・予報a", "1", desk.Issued),
		one(12*time.Minute, "VXSE53", "震源・震度に関する情報", "1", desk.Corrected),
	}
	all[0].ForecastIntensity, all[0].Warning = &desk.IntensityRange{From: desk.Intensity6Lower, Over: true}, true
	all[1].MaxIntensity, all[1].Prefectures = desk.Intensity7, []desk.PrefectureIntensity{pref(15, desk.Intensity6Lower), pref(17, desk.Intensity7)}
	all[2].Tsunami = []desk.TsunamiArea{{Name: "石川県能登", Grade: desk.TsunamiMajorWarning}, {Name: "富山県", Grade: desk.TsunamiWarning}}
	all[3].MaxIntensity, all[3].Prefectures = desk.Intensity7, all[1].Prefectures
	all[3].Hypocenters = []desk.Hypocenter{{Name: "石川県能登地方", MagnitudeText: "Ｍ７．６"}}
	return all
}

// False is the wrong 震度速報 of 23:05: two contradictions.
func False(id desk.EventID, mode desk.Mode, at time.Time) desk.EventFile {
	ev := desk.Event{
		ID: id, Hazard: desk.Earthquake, Mode: mode, OccurredAt: at, FirstSeenAt: at.Add(5 * time.Minute), UpdatedAt: at.Add(5 * time.Minute), Status: desk.EventOpen,
		Title: "石川県能登 震度7", MaxIntensity: desk.Intensity7, Telegrams: 1,
		Prefectures: []desk.PrefectureIntensity{
			pref(17, desk.Intensity7), pref(15, desk.Intensity6Lower), pref(16, desk.Intensity5Upper), pref(18, desk.Intensity5Upper),
			pref(20, desk.Intensity5Lower), pref(21, desk.Intensity5Lower), pref(6, desk.Intensity4), pref(23, desk.Intensity4), pref(26, desk.Intensity4),
		},
	}
	a := &desk.Advice{ID: desk.AdviceID(100 + id), EventID: id, Grade: desk.GradeAlarm, Triggered: by(desk.Intensity7, desk.ReasonIntensity, 17), Checks: []desk.Check{
		{Code: desk.CheckEEW, Result: desk.Contradicts, Text: "震度7 なのに緊急地震速報が出ていません。", Detail: "直前 10分の緊急地震速報 0通"},
		{Code: desk.CheckRepeat, Result: desk.Contradicts, Text: "16:10 の震度速報と地域も震度も同じ内容です。", Detail: "一致した地域 34"},
		{Code: desk.CheckMode, Result: desk.Passed, Text: "通常の電文です（訓練・試験ではない）。"},
		{Code: desk.CheckPhase, Result: desk.Passed, Text: "震度速報は発表です。取消・訂正はありません。"},
		{Code: desk.CheckClock, Result: desk.Passed, Text: "電文の時刻と受信時計の差は 1秒です。"},
		{Code: desk.CheckStations, Result: desk.Undetermined, Text: "観測点ごとの震度はまだ届いていません（震度速報のため）。"},
		{Code: desk.CheckSecondSource, Result: desk.Undetermined, Text: "別の情報源はまだ届いていません。"},
	}}
	t := telegrams(mode, at)[1]
	return desk.EventFile{Item: desk.InboxItem{Event: ev, Advice: a}, Telegrams: []desk.Telegram{t}}
}

// After is an aftershock of incident into: one prefecture raised, none added, joining advised.
func After(id desk.EventID, mode desk.Mode, at time.Time, into desk.IncidentID) desk.EventFile {
	ev := desk.Event{
		ID: id, Hazard: desk.Earthquake, Mode: mode, OccurredAt: at, FirstSeenAt: at.Add(90 * time.Second), UpdatedAt: at.Add(4 * time.Minute), Status: desk.EventOpen,
		Title: "石川県能登地方 震度5強 Ｍ６．１", MaxIntensity: desk.Intensity5Upper, Telegrams: 2,
		Prefectures: []desk.PrefectureIntensity{pref(17, desk.Intensity5Upper), pref(23, desk.Intensity5Lower)},
	}
	triggered := append(by(desk.Intensity5Upper, desk.ReasonIntensity, 17), by(desk.Intensity5Lower, desk.ReasonIntensity, 23)...)
	a := &desk.Advice{
		ID: desk.AdviceID(100 + id), EventID: id, Grade: desk.GradeAlarm, Triggered: triggered,
		Checks: []desk.Check{{Code: desk.CheckEEW, Result: desk.Passed, Text: "緊急地震速報（警報）が先に出ています。"}},
		Merge: &desk.MergeAdvice{
			IncidentID: into, Join: true, Elapsed: 8 * time.Minute, WithinHours: 6, DistanceKM: point(12.4), Overlap: []desk.Prefecture{17},
			Raised: by(desk.Intensity5Lower, desk.ReasonRaised, 23), Text: "6時間以内・100km以内のため、一連の地震と考えられます。",
		},
	}
	return desk.EventFile{Item: desk.InboxItem{Event: ev, Advice: a}, Telegrams: telegrams(mode, at)[:2]}
}

// Scene fills a backend with the evening: main shock, a small shaking, a drill or live event of the other world, an unreadable telegram.
func Scene(b *Backend, mode desk.Mode) {
	b.Team[Yamada.ID], b.Team[Sato.ID] = Yamada, Sato
	b.Present = []desk.Presence{{Operator: Yamada.Display}, {Operator: Sato.Display}}
	b.Feed = "replay"
	small := func(id desk.EventID, after time.Duration, title string, i desk.Intensity, g desk.Grade) desk.EventFile {
		ev := desk.Event{ID: id, Hazard: desk.Earthquake, Mode: mode, OccurredAt: MainShock.Add(after), UpdatedAt: MainShock.Add(after), FirstSeenAt: MainShock.Add(after), Title: title, MaxIntensity: i, Telegrams: 1, Status: desk.EventOpen}
		return desk.EventFile{Item: desk.InboxItem{Event: ev, Advice: &desk.Advice{ID: desk.AdviceID(100 + id), EventID: id, Grade: g}}}
	}
	for i := range 18 {
		b.Put(small(desk.EventID(30+i), -time.Duration(60-i)*time.Minute, fmt.Sprintf("能登半島沖 震度%d Ｍ３．%d", i%3+1, i%10), desk.Intensity1+desk.Intensity(i%3), desk.GradeInfo))
	}
	b.Put(small(21, -4*time.Minute, "石川県能登地方 震度5強 Ｍ５．５", desk.Intensity5Upper, desk.GradeWatch))
	other := desk.Drill
	if mode != desk.Live {
		other = desk.Live
	}
	drill := small(22, -30*time.Minute, "首都直下 震度6強 Ｍ７．３", desk.Intensity6Upper, desk.GradeInfo)
	drill.Item.Event.Mode = other
	b.Put(drill)
	b.Items = append([]desk.InboxItem{{Unreadable: true, TelegramID: 77, Event: desk.Event{Headline: "<?xml version=\"1.0\" ﾃｽﾄ�壊れた電文", UpdatedAt: MainShock}}}, b.Items...)
	b.Put(Main(20, mode, MainShock))
}
