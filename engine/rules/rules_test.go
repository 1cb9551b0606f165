package rules

import (
	"fmt"
	"testing"
	"time"

	"yagura/store/desk"
)

// The figures are those of 2024-01-01 (JMA) unless a test says otherwise.

var at1610 = time.Date(2024, 1, 1, 16, 10, 0, 0, desk.JST)

var policy = desk.Policy{
	PrefectureFrom: desk.Intensity5Lower, NationwideFrom: desk.Intensity6Upper, MergeWindow: 6 * time.Hour, MergeKM: 100, OnePersonMay: true,
}

const noto = "20240101161010"

type change func(*desk.Telegram)

var counter byte

// telegram makes a live bulletin of the main shock pressed so long after it.
func telegram(kind string, after time.Duration, changes ...change) desk.Telegram {
	titles := map[string]string{
		"VXSE51": "震度速報", "VXSE52": "震源に関する情報", "VXSE53": "震源・震度に関する情報", "VXSE62": "長周期地震動に関する観測情報",
		"VXSE43": "緊急地震速報（警報）", "VXSE45": "緊急地震速報（地震動予報）", "VTSE41": "津波警報・注意報・予報a",
	}
	t := desk.Telegram{
		Type: kind, Title: titles[kind], Mode: desk.Live, Phase: desk.Issued, Hazard: desk.Earthquake, EventIDs: []string{noto},
		PressTime: at1610.Add(after), ReportTime: at1610.Add(after), TargetTime: at1610, Warning: kind == "VXSE43",
	}
	t.ReceivedAt = t.PressTime.Add(time.Second)
	for _, c := range changes {
		c(&t)
	}
	counter++
	t.Digest[0] = counter
	t.ID = desk.TelegramID(counter)
	return t
}

func id(ids ...string) change { return func(t *desk.Telegram) { t.EventIDs = ids } }

func serial(s string) change { return func(t *desk.Telegram) { t.Serial = s } }

func phase(p desk.Phase) change { return func(t *desk.Telegram) { t.Phase = p } }

func mode(m desk.Mode) change { return func(t *desk.Telegram) { t.Mode = m } }

func target(at time.Time) change { return func(t *desk.Telegram) { t.TargetTime = at } }

func forecast(i desk.Intensity) change {
	return func(t *desk.Telegram) { t.ForecastIntensity = &desk.IntensityRange{From: i, To: i} }
}

// felt names areas "390" by intensity; the prefecture is told by the hundreds used in these tests.
func felt(areas map[string]desk.Intensity) change {
	prefectures := map[string]desk.Prefecture{"390": 17, "391": 17, "370": 15, "371": 15, "372": 15, "375": 15, "380": 16, "381": 16, "400": 18, "420": 20, "300": 8, "301": 8}
	return func(t *desk.Telegram) {
		most := map[desk.Prefecture]desk.Intensity{}
		for code, i := range areas {
			t.Areas = append(t.Areas, desk.AreaIntensity{Code: code, Name: "地域" + code, Intensity: i})
			t.MaxIntensity = max(t.MaxIntensity, i)
			p := prefectures[code]
			if p == 0 {
				p = desk.Prefecture(code[len(code)-1]-'0') + 20
			}
			most[p] = max(most[p], i)
		}
		for p, i := range most {
			t.Prefectures = append(t.Prefectures, desk.PrefectureIntensity{Code: p, Name: p.Name(), Intensity: i})
		}
	}
}

func source(name string, lat, lon, depth, m float64) change {
	return func(t *desk.Telegram) {
		t.Hypocenters = []desk.Hypocenter{{
			Name: name, Lat: &lat, Lon: &lon, DepthKM: &depth, Magnitude: &m, MagnitudeKind: desk.MagnitudeNumber,
			MagnitudeText: fmt.Sprintf("Ｍ%.1f", m), OriginTime: t.TargetTime,
		}}
	}
}

func unreported(p desk.Prefecture) change {
	return func(t *desk.Telegram) {
		t.Unreported = []string{"輪島市"}
		t.Prefectures = []desk.PrefectureIntensity{{Code: p, Name: p.Name(), Intensity: desk.Intensity5Lower, Provisional: true}}
	}
}

var mainAreas = map[string]desk.Intensity{
	"390": desk.Intensity7, "371": desk.Intensity6Lower, "370": desk.Intensity5Upper, "372": desk.Intensity5Upper, "375": desk.Intensity5Upper,
	"380": desk.Intensity5Upper, "381": desk.Intensity5Upper, "391": desk.Intensity5Upper, "400": desk.Intensity5Upper,
	"420": desk.Intensity5Lower, "430": desk.Intensity5Lower, "240": desk.Intensity4, "300": desk.Intensity4,
}

var small = map[string]desk.Intensity{"390": desk.Intensity3}

func TestFold(t *testing.T) {
	quick := telegram("VXSE51", 100*time.Second, felt(map[string]desk.Intensity{"390": desk.Intensity6Upper, "371": desk.Intensity6Lower}))
	full := telegram("VXSE53", 330*time.Second, serial("2"), felt(mainAreas), source("石川県能登地方", 37.5, 137.2, 0, 7.6))
	late := telegram("VXSE51", 360*time.Second, felt(map[string]desk.Intensity{"390": desk.Intensity5Upper}))
	warning := telegram("VXSE43", 10*time.Second, serial("1"), forecast(desk.Intensity7), felt(mainAreas), source("石川県能登地方", 37.4, 137, 10, 7.4))
	warning.MaxIntensity = desk.IntensityUnknown // as the parser leaves it
	for name, c := range map[string]struct {
		telegrams []desk.Telegram
		max       desk.Intensity
		status    desk.EventStatus
		title     string
	}{
		"速報 alone":                           {[]desk.Telegram{quick}, desk.Intensity6Upper, desk.EventOpen, "地域390 震度6強"},
		"with report":                        {[]desk.Telegram{quick, full}, desk.Intensity7, desk.EventOpen, "石川県能登地方 震度7 Ｍ7.6"},
		"a later 速報 does not lower a report": {[]desk.Telegram{full, late}, desk.Intensity7, desk.EventOpen, "石川県能登地方 震度7 Ｍ7.6"},
		"an EEW is no observation":           {[]desk.Telegram{warning}, desk.IntensityUnknown, desk.EventOpen, "石川県能登地方 緊急地震速報（警報） 予測震度7"},
		"取消 repeats the Serial and wins": {
			[]desk.Telegram{telegram("VXSE53", 340*time.Second, serial("3"), phase(desk.Cancelled)), telegram("VXSE53", 339*time.Second, serial("3"), felt(mainAreas))},
			desk.IntensityUnknown, desk.EventRetracted, "地域390 の情報は取り消されました",
		},
		"取消 of the same Serial wins over a later press time": {
			[]desk.Telegram{telegram("VXSE53", 340*time.Second, serial("3"), phase(desk.Cancelled)), telegram("VXSE53", 341*time.Second, serial("3"), felt(small))},
			desk.IntensityUnknown, desk.EventRetracted, "地域390 の情報は取り消されました",
		},
		"取消 without a Serial retracts numbered ones": {
			[]desk.Telegram{telegram("VXSE53", 339*time.Second, serial("3"), felt(mainAreas)), telegram("VXSE53", 340*time.Second, phase(desk.Cancelled))},
			desk.IntensityUnknown, desk.EventRetracted, "地域390 の情報は取り消されました",
		},
		"a number counts as a number": {
			[]desk.Telegram{telegram("VXSE53", 500*time.Second, serial("9"), phase(desk.Cancelled)), telegram("VXSE53", 400*time.Second, serial("10"), felt(small))},
			desk.Intensity3, desk.EventOpen, "地域390 震度3",
		},
		"速報 cancelled, report stays": {
			[]desk.Telegram{quick, full, telegram("VXSE51", 400*time.Second, phase(desk.Cancelled))}, desk.Intensity7, desk.EventOpen, "石川県能登地方 震度7 Ｍ7.6",
		},
		"the false case: 7, 取消, then 3": {
			[]desk.Telegram{quick, telegram("VXSE51", 9*time.Minute, phase(desk.Cancelled)), telegram("VXSE53", 12*time.Minute, serial("1"), felt(small))},
			desk.Intensity3, desk.EventOpen, "地域390 震度3",
		},
		"an EEW keeps no cancelled shaking alive": {
			[]desk.Telegram{warning, quick, telegram("VXSE51", 9*time.Minute, phase(desk.Cancelled))}, desk.IntensityUnknown, desk.EventRetracted, "石川県能登地方 の情報は取り消されました",
		},
		"訂正 may lower": {
			[]desk.Telegram{quick, full, telegram("VXSE53", 20*time.Minute, serial("3"), phase(desk.Corrected), felt(map[string]desk.Intensity{"390": desk.Intensity6Upper}))},
			desk.Intensity6Upper, desk.EventOpen, "地域390 震度6強",
		},
		"未入電 is a provisional 5弱": {
			[]desk.Telegram{telegram("VXSE53", 300*time.Second, serial("1"), felt(map[string]desk.Intensity{"371": desk.Intensity4}), unreported(17))},
			desk.Intensity5Lower, desk.EventOpen, "地域371 震度5弱（未入電による推定）",
		},
		"未入電 ends with the report that knows": {
			[]desk.Telegram{
				telegram("VXSE53", 300*time.Second, serial("1"), unreported(17)),
				telegram("VXSE53", 900*time.Second, serial("2"), felt(map[string]desk.Intensity{"390": desk.Intensity4})),
			}, desk.Intensity4, desk.EventOpen, "地域390 震度4",
		},
	} {
		e := Fold(desk.Event{ID: 7}, c.telegrams)
		if e.MaxIntensity != c.max || e.Status != c.status || e.Title != c.title || e.ID != 7 || e.Telegrams != len(c.telegrams) {
			t.Errorf("%s: %v %s %q", name, e.MaxIntensity, e.Status, e.Title)
		}
	}
	if e := Fold(desk.Event{}, []desk.Telegram{warning}); e.Forecast != desk.Intensity7 || !e.EEWWarning || len(Triggered(e, policy)) != 0 || Grade(e, nil, policy) != desk.GradeWatch {
		t.Errorf("EEW alone: forecast %v, warning %v, triggered %v", e.Forecast, e.EEWWarning, Triggered(e, policy))
	}
}

func TestFoldTsunami(t *testing.T) {
	grade := func(gs ...desk.TsunamiGrade) change {
		return func(t *desk.Telegram) {
			t.Hazard = desk.Tsunami
			for _, g := range gs {
				t.Tsunami = append(t.Tsunami, desk.TsunamiArea{Grade: g})
			}
		}
	}
	first := telegram("VTSE41", 2*time.Minute, grade(desk.TsunamiWarning, desk.TsunamiAdvisory))
	major := telegram("VTSE41", 12*time.Minute, grade(desk.TsunamiSlight, desk.TsunamiMajorWarning))
	lifted := telegram("VTSE41", 18*time.Hour, grade(desk.TsunamiLifted, desk.TsunamiLifted))
	for n, want := range map[int]desk.TsunamiGrade{1: desk.TsunamiWarning, 2: desk.TsunamiMajorWarning, 3: desk.TsunamiNone} {
		e := Fold(desk.Event{}, []desk.Telegram{first, major, lifted}[:n])
		if e.Tsunami != want || e.Hazard != desk.Earthquake {
			t.Errorf("after %d telegrams: %s of %s", n, e.Tsunami, e.Hazard)
		}
	}
}

func TestCorrelate(t *testing.T) {
	shimane := time.Date(2026, 1, 6, 10, 17, 30, 0, desk.JST)
	ibaraki := time.Date(2011, 3, 12, 23, 34, 58, 0, desk.JST)
	event := func(n desk.EventID, ts ...desk.Telegram) desk.Event {
		e := Fold(desk.Event{}, ts)
		e.ID = n
		return e
	}
	areas := map[string]desk.Intensity{"390": desk.Intensity5Upper, "391": desk.Intensity4, "380": desk.Intensity3}
	first := event(1, telegram("VXSE51", 100*time.Second, felt(areas)))
	located := event(2, telegram("VXSE53", 330*time.Second, felt(areas), source("石川県能登地方", 37.5, 137.2, 0, 7.6)))
	drill := event(3, telegram("VXSE51", 100*time.Second, mode(desk.Drill), felt(areas)))
	nagano := event(4, telegram("VXSE53", 200*time.Second, id("20110312233458"), target(ibaraki), felt(map[string]desk.Intensity{"420": desk.Intensity5Lower, "300": desk.Intensity3}), source("長野県北部", 36.98, 138.6, 10, 3.9)))
	shimaneFirst := event(5, telegram("VXSE51", 100*time.Second, id("20260106101730"), target(shimane.Truncate(time.Minute)), felt(areas)))
	for name, c := range map[string]struct {
		telegram   desk.Telegram
		candidates []desk.Event
		want       desk.EventID
	}{
		"same EventID":                       {telegram("VXSE52", 150*time.Second, source("石川県能登地方", 37.5, 137.2, 0, 7.6)), []desk.Event{first}, 1},
		"same EventID, tsunami":              {telegram("VTSE41", 150*time.Second, func(t *desk.Telegram) { t.Hazard = desk.Tsunami }), []desk.Event{first}, 1},
		"never across modes":                 {telegram("VXSE51", 110*time.Second, felt(areas)), []desk.Event{drill}, 0},
		"two EventIDs, same areas":           {telegram("VXSE51", 110*time.Second, id("20260106101828"), target(shimane.Add(30*time.Second)), felt(areas)), []desk.Event{shimaneFirst}, 5},
		"two EventIDs, three minutes apart":  {telegram("VXSE51", 110*time.Second, id("20240101161310"), target(at1610.Add(3*time.Minute)), felt(areas)), []desk.Event{first}, 0},
		"same second, other areas":           {telegram("VXSE51", 110*time.Second, id("20240101161011"), felt(map[string]desk.Intensity{"300": desk.Intensity4, "301": desk.Intensity3})), []desk.Event{first}, 0},
		"hypocentres near":                   {telegram("VXSE53", 300*time.Second, id("20240101161050"), felt(areas), source("能登半島沖", 37.6, 137.4, 10, 7.6)), []desk.Event{located}, 2},
		"2011-03-12: 0.4 s and 316 km apart": {telegram("VXSE53", 200*time.Second, id("20110312233459"), target(ibaraki), felt(map[string]desk.Intensity{"300": desk.Intensity3}), source("茨城県沖", 36.1, 142.0, 20, 5.5)), []desk.Event{nagano}, 0},
		"震源 on land names the prefecture":    {telegram("VXSE52", 150*time.Second, id("20240101161050"), source("石川県能登地方", 37.5, 137.2, 0, 7.6)), []desk.Event{first}, 1},
		"another prefecture's 震源":            {telegram("VXSE52", 150*time.Second, id("20240101161050"), source("茨城県沖", 36.1, 142, 0, 5)), []desk.Event{first}, 0},
		"a weather telegram":                 {telegram("VPWW54", time.Minute, func(t *desk.Telegram) { t.Hazard = desk.Weather }), []desk.Event{first}, 0},
	} {
		got := Correlate(c.telegram, c.candidates)
		if c.want == 0 && len(got) != 0 || c.want != 0 && (len(got) != 1 || got[0] != c.want) {
			t.Errorf("%s: %v, want %d", name, got, c.want)
		}
	}
	both := Correlate(telegram("VTSE41", time.Minute, id(noto, "20110312233458")), []desk.Event{nagano, first})
	if len(both) != 2 {
		t.Errorf("a tsunami of two earthquakes belongs to %v", both)
	}
}

func TestTriggered(t *testing.T) {
	e := Fold(desk.Event{}, []desk.Telegram{telegram("VXSE51", 100*time.Second, felt(map[string]desk.Intensity{"390": desk.Intensity5Upper, "371": desk.Intensity5Lower, "380": desk.Intensity4}))})
	got := Triggered(e, policy)
	want := []desk.TriggeredBy{{Prefecture: 15, Intensity: desk.Intensity5Lower, Reason: desk.ReasonIntensity}, {Prefecture: 17, Intensity: desk.Intensity5Upper, Reason: desk.ReasonIntensity}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("5強: %v", got)
	}
	e = Fold(desk.Event{}, []desk.Telegram{telegram("VXSE53", 300*time.Second, felt(mainAreas))})
	got = Triggered(e, policy)
	if len(got) != desk.Prefectures || got[16].Reason != desk.ReasonIntensity || got[12] != (desk.TriggeredBy{Prefecture: 13, Reason: desk.ReasonNationwide}) {
		t.Errorf("7: %d prefectures, %v, %v", len(got), got[16], got[12])
	}
	never := policy
	never.NationwideFrom = desk.IntensityUnknown
	if got = Triggered(e, never); len(got) == desk.Prefectures {
		t.Error("a nationwide level of 'never' asked everybody")
	}
	if got = Triggered(e, desk.Policy{}); len(got) != 0 {
		t.Errorf("an empty policy triggers %d", len(got))
	}
}
