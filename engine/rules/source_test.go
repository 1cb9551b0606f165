package rules

import (
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

func one(rank bool) change {
	return func(t *desk.Telegram) { t.EEW = &desk.EEWReport{OneStation: rank, EpicenterRank: 1} }
}

func assumed(t *desk.Telegram) {
	t.Assumed = true
	t.EEW = &desk.EEWReport{PLUM: true, EpicenterRank: 1, OneStation: true}
}

func final(t *desk.Telegram) { t.Final = true }

// eew makes a forecast as the parser leaves it: no observed intensity.
func eew(n string, after time.Duration, i desk.Intensity, changes ...change) desk.Telegram {
	return telegram("VXSE45", after, append([]change{serial(n), forecast(i), source("東京湾", 35.5, 139.9, 10, 5)}, changes...)...)
}

func TestAnUnsureEarlyWarningIsKeptLow(t *testing.T) { // feeds.md 7: 2016-08-01, the false M9
	sure := func(t *desk.Telegram) { t.EEW = &desk.EEWReport{EpicenterRank: 4} }
	for name, c := range map[string]struct {
		telegrams []desk.Telegram
		grade     desk.Grade
		title     string
		result    desk.Result
	}{
		"one station":       {[]desk.Telegram{eew("1", 5*time.Second, desk.Intensity7, one(true))}, desk.GradeInfo, "東京湾 緊急地震速報（予報） 予測震度7 （単独観測点）", desk.Undetermined},
		"assumed":           {[]desk.Telegram{eew("1", 5*time.Second, desk.Intensity5Lower, assumed)}, desk.GradeInfo, "緊急地震速報（予報） 予測震度5弱 （仮定震源）", desk.Undetermined},
		"two stations":      {[]desk.Telegram{eew("1", 5*time.Second, desk.Intensity4, sure)}, desk.GradeWatch, "東京湾 緊急地震速報（予報） 予測震度4", desk.Passed},
		"confirmed later":   {[]desk.Telegram{eew("1", 5*time.Second, desk.Intensity7, one(true)), eew("2", 9*time.Second, desk.Intensity4, sure)}, desk.GradeWatch, "東京湾 緊急地震速報（予報） 予測震度4", desk.Passed},
		"the older is late": {[]desk.Telegram{eew("2", 9*time.Second, desk.Intensity4, sure), eew("1", 12*time.Second, desk.Intensity7, one(true))}, desk.GradeWatch, "東京湾 緊急地震速報（予報） 予測震度4", desk.Passed},
		"a PLUM warning is public": {
			[]desk.Telegram{telegram("VXSE43", 5*time.Second, serial("1"), forecast(desk.Intensity5Lower), assumed)},
			desk.GradeWatch,
			"緊急地震速報（警報） 予測震度5弱", desk.Passed,
		},
	} {
		e := Fold(desk.Event{}, c.telegrams)
		a := Advise(caseOf(nil, c.telegrams...), nil, policy)
		if e.Title != c.title || a.Grade != c.grade || len(a.Triggered) != 0 {
			t.Errorf("%s: %q grade %d triggers %d", name, e.Title, a.Grade, len(a.Triggered))
		}
		if ck := found(a.Checks, desk.CheckForecast); ck.Result != c.result {
			t.Errorf("%s: %+v", name, ck)
		}
	}
	e := Fold(desk.Event{}, []desk.Telegram{eew("2", 10*time.Second, desk.Intensity7, one(true), phase(desk.Cancelled)), eew("1", 5*time.Second, desk.Intensity7, one(true)), eew("2", 8*time.Second, desk.Intensity7, one(true))})
	all := []desk.Telegram{eew("2", 10*time.Second, desk.Intensity7, one(true), phase(desk.Cancelled)), eew("1", 5*time.Second, desk.Intensity7, one(true))}
	if g := Grade(e, all, policy); e.Status != desk.EventRetracted || e.Forecast != desk.IntensityUnknown || g != desk.GradeInfo {
		t.Errorf("取消 of 2016-08-01: %s %v grade %d", e.Status, e.Forecast, g)
	}
	ck := found(Checks(caseOf(nil, eew("3", time.Second, desk.Intensity5Lower, assumed))), desk.CheckForecast)
	if !strings.Contains(ck.Text, "PLUM法") || !strings.Contains(ck.Detail, "第3報") {
		t.Errorf("PLUM: %+v", ck)
	}
}

func TestTheNewestForecastCounts(t *testing.T) {
	for name, c := range map[string]struct {
		telegrams []desk.Telegram
		want      desk.Intensity
	}{
		"lowered":                 {[]desk.Telegram{eew("1", 5*time.Second, desk.Intensity6Upper), eew("2", 9*time.Second, desk.Intensity4)}, desk.Intensity4},
		"lowered, out of order":   {[]desk.Telegram{eew("10", 9*time.Second, desk.Intensity4), eew("9", 11*time.Second, desk.Intensity6Upper)}, desk.Intensity4},
		"a warning stays beside":  {[]desk.Telegram{telegram("VXSE43", 7*time.Second, serial("1"), forecast(desk.Intensity6Lower)), eew("5", 9*time.Second, desk.Intensity4)}, desk.Intensity6Lower},
		"two EventIDs, two lines": {[]desk.Telegram{eew("5", 9*time.Second, desk.Intensity4), eew("1", 9*time.Second, desk.Intensity5Lower, id("20240101161030"))}, desk.Intensity5Lower},
	} {
		if e := Fold(desk.Event{}, c.telegrams); e.Forecast != c.want {
			t.Errorf("%s: %v", name, e.Forecast)
		}
	}
}

func TestWhenAnEarlyWarningEnds(t *testing.T) {
	open := []desk.Telegram{eew("1", 5*time.Second, desk.Intensity4), eew("2", 20*time.Second, desk.Intensity4)}
	last := open[1].ReceivedAt
	for name, c := range map[string]struct {
		telegrams []desk.Telegram
		now       time.Time
		want      bool
	}{
		"none":                     {nil, at1610, false},
		"just now":                 {open, last.Add(time.Second), false},
		"almost three minutes":     {open, last.Add(EEWSettles - time.Millisecond), false},
		"three minutes of silence": {open, last.Add(EEWSettles), true},
		"NextAdvisory":             {append(open[:2:2], eew("3", 30*time.Second, desk.Intensity4, final)), last.Add(11 * time.Second), true},
		"取消":                       {append(open[:2:2], eew("2", 30*time.Second, desk.Intensity4, phase(desk.Cancelled))), last.Add(11 * time.Second), true},
		"a warning alone":          {[]desk.Telegram{telegram("VXSE43", 7*time.Second, serial("1"))}, at1610.Add(9 * time.Second), false},
	} {
		if got, why := EEWEnded(c.telegrams, c.now); got != c.want || c.telegrams != nil && why == "" {
			t.Errorf("%s: %v %q", name, got, why)
		}
	}
}

func sea(after time.Duration, areas map[string]desk.TsunamiGrade, changes ...change) desk.Telegram {
	return telegram("VTSE41", after, append([]change{func(t *desk.Telegram) {
		t.Hazard = desk.Tsunami
		for code, g := range areas {
			t.Tsunami = append(t.Tsunami, desk.TsunamiArea{Code: code, Name: "予報区" + code, Grade: g})
		}
	}}, changes...)...)
}

func TestAreasThatVanishWithoutLifting(t *testing.T) { // feeds.md 1.9
	valid := func(at time.Time) change { return func(t *desk.Telegram) { t.ValidUntil = at } }
	type areas = map[string]desk.TsunamiGrade
	first := sea(2*time.Minute, areas{"390": desk.TsunamiWarning, "340": desk.TsunamiAdvisory, "350": desk.TsunamiSlight})
	for name, c := range map[string]struct {
		telegrams []desk.Telegram
		result    desk.Result
		says      string
	}{
		"all named":            {[]desk.Telegram{first, sea(10*time.Minute, areas{"390": desk.TsunamiMajorWarning, "340": desk.TsunamiWarning})}, desk.Passed, "消えた予報区はありません"},
		"lifted in words":      {[]desk.Telegram{first, sea(10*time.Minute, areas{"390": desk.TsunamiLifted, "340": desk.TsunamiLifted})}, desk.Passed, "すべて解除"},
		"a warning vanishes":   {[]desk.Telegram{first, sea(10*time.Minute, areas{"340": desk.TsunamiAdvisory})}, desk.Contradicts, "予報区390（津波警報）"},
		"an advisory vanishes": {[]desk.Telegram{first, sea(10*time.Minute, areas{"390": desk.TsunamiWarning})}, desk.Undetermined, "予報区340（津波注意報）"},
		"a slight one may":     {[]desk.Telegram{first, sea(10*time.Minute, areas{"390": desk.TsunamiWarning, "340": desk.TsunamiSlight})}, desk.Passed, "消えた予報区はありません"},
		"named again":          {[]desk.Telegram{first, sea(10*time.Minute, areas{"340": desk.TsunamiAdvisory}), sea(11*time.Minute, areas{"340": desk.TsunamiAdvisory, "390": desk.TsunamiLifted})}, desk.Passed, "消えた予報区はありません"},
		"out of order":         {[]desk.Telegram{sea(10*time.Minute, areas{"340": desk.TsunamiAdvisory}), first}, desk.Contradicts, "予報区390"},
		"only slight is left":  {[]desk.Telegram{first, sea(10*time.Minute, areas{"390": desk.TsunamiSlight, "340": desk.TsunamiSlight}, valid(at1610.Add(20*time.Hour)))}, desk.Passed, "2日12:10に終わります"},
	} {
		ck := found(Checks(caseOf(nil, c.telegrams...)), desk.CheckTsunami)
		if ck.Result != c.result || !strings.Contains(ck.Text, c.says) {
			t.Errorf("%s: %s %q", name, ck.Result, ck.Text)
		}
	}
	slight := []desk.Telegram{first, sea(10*time.Minute, areas{"390": desk.TsunamiSlight}, valid(at1610.Add(20*time.Hour)))}
	if over, at := Settled(slight, at1610.Add(19*time.Hour)); over || !at.Equal(at1610.Add(20*time.Hour)) {
		t.Errorf("before its end: %v %v", over, at)
	}
	if over, _ := Settled(slight, at1610.Add(20*time.Hour)); !over {
		t.Error("若干の海面変動 never ends")
	}
	if over, _ := Settled([]desk.Telegram{first}, at1610.Add(200*time.Hour)); over {
		t.Error("a warning ended by time alone")
	}
	if over, _ := Settled(nil, at1610); !over {
		t.Error("no tsunami is not settled")
	}
}

// second makes a report of the second source, whose times are cut to the minute.
func second(kind string, after time.Duration, i desk.Intensity, changes ...change) desk.Telegram {
	return telegram(kind, after, append([]change{id(), func(t *desk.Telegram) {
		t.Title, t.EventIDs, t.MaxIntensity, t.TargetTime = "P2PQuake 地震情報", nil, i, time.Time{}
		t.Hypocenters = []desk.Hypocenter{{Name: "石川県能登地方", OriginTime: at1610}}
	}}, changes...)...)
}

func TestTheSecondSource(t *testing.T) { // feeds.md 3.2
	full := telegram("VXSE53", 5*time.Minute, serial("1"), felt(mainAreas), source("石川県能登地方", 37.5, 137.2, 0, 7.6))
	early := telegram("VXSE43", 10*time.Second, serial("1"), forecast(desk.Intensity6Lower))
	far := func(t *desk.Telegram) {
		lat, lon := 36.1, 142.0
		t.Hypocenters[0].Lat, t.Hypocenters[0].Lon = &lat, &lon
	}
	warned := func(t *desk.Telegram) { t.Warning = true }
	for name, c := range map[string]struct {
		telegram desk.Telegram
		second   []desk.Telegram
		result   desk.Result
		says     string
	}{
		"silent":              {full, nil, desk.Undetermined, "まだありません"},
		"the same":            {full, []desk.Telegram{second("P2P551", 2*time.Minute, desk.Intensity7)}, desk.Passed, "P2PQuake も 16:12 に最大震度7を伝えています"},
		"one class below":     {full, []desk.Telegram{second("P2P551", 5*time.Minute, desk.Intensity6Upper)}, desk.Passed, "最大震度6強"},
		"not complete yet":    {full, []desk.Telegram{second("P2P551", 2*time.Minute, desk.Intensity5Upper)}, desk.Undetermined, "続報を待っています"},
		"quite different":     {full, []desk.Telegram{second("P2P551", 6*time.Minute, desk.Intensity4)}, desk.Contradicts, "最大震度は4で、この事象の7と大きく違います"},
		"the newest counts":   {full, []desk.Telegram{second("P2P551", 2*time.Minute, desk.Intensity4), second("P2P551", 6*time.Minute, desk.Intensity7)}, desk.Passed, "16:16 に最大震度7"},
		"another time":        {full, []desk.Telegram{second("P2P551", 6*time.Minute, desk.Intensity4, func(t *desk.Telegram) { t.Hypocenters[0].OriginTime = at1610.Add(4 * time.Minute) })}, desk.Undetermined, "まだありません"},
		"another place":       {full, []desk.Telegram{second("P2P551", 6*time.Minute, desk.Intensity4, far)}, desk.Undetermined, "まだありません"},
		"other prefectures":   {telegram("VXSE51", 2*time.Minute, felt(small)), []desk.Telegram{second("P2P551", 2*time.Minute, desk.Intensity3, felt(map[string]desk.Intensity{"300": desk.Intensity3}))}, desk.Undetermined, "まだありません"},
		"a warning alone":     {full, []desk.Telegram{second("P2P556", 15*time.Second, 0, warned)}, desk.Undetermined, "警報）だけで"},
		"a warning confirmed": {early, []desk.Telegram{second("P2P556", 15*time.Second, 0, warned)}, desk.Passed, "16:10 に緊急地震速報（警報）を伝えています"},
		"a warning cancelled": {early, []desk.Telegram{second("P2P556", 15*time.Second, 0)}, desk.Undetermined, "まだありません"},
		"before the first":    {early, []desk.Telegram{second("P2P551", 90*time.Second, desk.Intensity5Upper)}, desk.Undetermined, "気象庁の震度はまだありません"},
		"a drill":             {full, []desk.Telegram{second("P2P551", 2*time.Minute, desk.Intensity7, mode(desk.Drill))}, desk.Undetermined, "まだありません"},
		"a tsunami":           {full, []desk.Telegram{second("P2P552", 2*time.Minute, 0)}, desk.Undetermined, "まだありません"},
	} {
		k := caseOf(nil, c.telegram)
		k.Second = c.second
		ck := found(Checks(k), desk.CheckSecondSource)
		if ck.Result != c.result || !strings.Contains(ck.Text, c.says) {
			t.Errorf("%s: %s %q", name, ck.Result, ck.Text)
		}
	}
}

func TestAttestReplacesOneCheckAlone(t *testing.T) {
	full := telegram("VXSE53", 5*time.Minute, serial("1"), felt(mainAreas), source("石川県能登地方", 37.5, 137.2, 0, 7.6))
	k := caseOf(nil, full)
	before := Advise(k, nil, policy)
	before.ID, before.Merge = 5, &desk.MergeAdvice{IncidentID: 2}
	k.Second = []desk.Telegram{second("P2P551", 2*time.Minute, desk.Intensity7)}
	after, changed := Attest(before, k)
	if !changed || after.ID != 5 || after.Merge != before.Merge || len(after.Checks) != len(before.Checks) || after.Grade != before.Grade {
		t.Fatalf("%v %+v", changed, after)
	}
	if ck := found(after.Checks, desk.CheckSecondSource); ck.Result != desk.Passed || found(before.Checks, desk.CheckSecondSource).Result != desk.Undetermined {
		t.Errorf("%+v", ck)
	}
	if _, again := Attest(after, k); again {
		t.Error("the same words are news")
	}
	k.Second = []desk.Telegram{second("P2P551", 6*time.Minute, desk.Intensity3)}
	if against, _ := Attest(after, k); !SecondContradicts(against) || against.Checks[0].Result != desk.Contradicts {
		t.Errorf("%+v", against.Checks[0])
	}
}

func TestTheSecondSourceBelongsToNoEvent(t *testing.T) {
	e := Fold(desk.Event{}, []desk.Telegram{telegram("VXSE51", 2*time.Minute, felt(mainAreas))})
	e.ID = 1
	if got := Correlate(second("P2P551", 2*time.Minute, desk.Intensity7, id(noto)), []desk.Event{e}); len(got) != 0 {
		t.Errorf("it belongs to %v", got)
	}
}
