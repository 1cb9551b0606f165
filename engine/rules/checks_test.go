package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
)

func wide(n int, strongest desk.Intensity) map[string]desk.Intensity {
	m := map[string]desk.Intensity{"390": strongest}
	for i := 1; i < n; i++ {
		m[fmt.Sprint(400+i)] = desk.Intensity3 + desk.Intensity(i%2)
	}
	return m
}

func deaf(c Case) Case {
	c.EEWHeard = false
	return c
}

func caseOf(earlier []desk.Telegram, ts ...desk.Telegram) Case {
	return Case{Event: Fold(desk.Event{}, ts), Telegrams: ts, New: ts[len(ts)-1], Earlier: earlier, EEWHeard: true}
}

func found(checks []desk.Check, code desk.CheckCode) desk.Check {
	for _, c := range checks {
		if c.Code == code {
			return c
		}
	}
	return desk.Check{}
}

func TestChecks(t *testing.T) {
	eew := telegram("VXSE43", 10*time.Second, serial("1"), forecast(desk.Intensity6Lower))
	quick := telegram("VXSE51", 100*time.Second, felt(wide(30, desk.Intensity7)))
	weak := telegram("VXSE51", 100*time.Second, felt(wide(3, desk.Intensity4)))
	// 23:05: the list of 16:10 again, seven hours later, one area of thirty different.
	changed := wide(30, desk.Intensity7)
	changed["401"] = desk.Intensity5Lower
	const false2303 = "20240101230354"
	at2303 := target(at1610.Add(6*time.Hour + 53*time.Minute))
	again := telegram("VXSE51", 6*time.Hour+55*time.Minute, id(false2303), at2303, felt(changed))
	amended := wide(30, desk.Intensity7)
	amended["401"], amended["402"] = desk.Intensity6Lower, desk.Intensity6Lower
	aftershock := telegram("VXSE51", 6*time.Hour+55*time.Minute, id(false2303), at2303, felt(wide(30, desk.Intensity5Lower)), func(t *desk.Telegram) {
		for i := range t.Areas[:15] {
			t.Areas[i].Intensity = desk.Intensity5Lower
		}
	})
	stations := func(most, all int) change {
		return func(t *desk.Telegram) { t.StationsAtMax, t.Stations = most, all }
	}
	comment := func(code string) change {
		return func(t *desk.Telegram) { t.Comments = []desk.Comment{{Codes: []string{"0215", code}}} }
	}
	report := func(cs ...change) desk.Telegram { return telegram("VXSE53", 300*time.Second, cs...) }
	late := func(d time.Duration) change { return func(t *desk.Telegram) { t.ReceivedAt = t.PressTime.Add(d) } }
	quake := func(m, depth float64, i desk.Intensity) Case {
		return caseOf(nil, report(felt(map[string]desk.Intensity{"390": i, "391": desk.Intensity3}), source("石川県能登地方", 37.5, 137.2, depth, m)))
	}
	for name, c := range map[string]struct {
		in   Case
		code desk.CheckCode
		want desk.Result
		text string
	}{
		"live":                       {caseOf(nil, quick), desk.CheckMode, desk.Passed, "通常"},
		"drill":                      {caseOf(nil, telegram("VXSE51", time.Minute, mode(desk.Drill))), desk.CheckMode, desk.Contradicts, "訓練"},
		"test":                       {caseOf(nil, telegram("VXSE51", time.Minute, mode(desk.Test))), desk.CheckMode, desk.Contradicts, "試験"},
		"issued":                     {caseOf(nil, quick), desk.CheckPhase, desk.Passed, "発表"},
		"corrected":                  {caseOf(nil, report(phase(desk.Corrected), felt(small))), desk.CheckPhase, desk.Undetermined, "訂正"},
		"cancelled":                  {caseOf(nil, quick, telegram("VXSE51", 9*time.Minute, phase(desk.Cancelled))), desk.CheckPhase, desk.Contradicts, "取り消されました"},
		"cancelled, then reported":   {caseOf(nil, quick, telegram("VXSE51", 9*time.Minute, phase(desk.Cancelled)), telegram("VXSE53", 12*time.Minute, felt(small))), desk.CheckPhase, desk.Undetermined, "残っています"},
		"EEW seen":                   {caseOf(nil, eew, quick), desk.CheckEEW, desk.Passed, "16:10:10"},
		"no EEW before 7":            {caseOf(nil, quick), desk.CheckEEW, desk.Contradicts, "緊急地震速報なし"},
		"EEW cancelled":              {caseOf(nil, eew, telegram("VXSE43", 14*time.Second, serial("1"), phase(desk.Cancelled)), quick), desk.CheckEEW, desk.Contradicts, "取り消され"},
		"no EEW path":                {deaf(caseOf(nil, quick)), desk.CheckEEW, desk.Undetermined, "24時間"},
		"no EEW before 4":            {caseOf(nil, weak), desk.CheckEEW, desk.Undetermined, "震度4"},
		"content of 16:10":           {caseOf([]desk.Telegram{quick}, again), desk.CheckRepeat, desk.Contradicts, "16:10の電文と同一内容"},
		"the list amended":           {caseOf([]desk.Telegram{quick}, telegram("VXSE51", 6*time.Hour+55*time.Minute, id(false2303), at2303, felt(amended))), desk.CheckRepeat, desk.Contradicts, "一致88％"},
		"a real aftershock":          {caseOf([]desk.Telegram{quick}, aftershock), desk.CheckRepeat, desk.Passed, "同じ内容のものはありません"},
		"few areas coincide":         {caseOf([]desk.Telegram{telegram("VXSE51", time.Minute, felt(wide(9, desk.Intensity5Lower)))}, telegram("VXSE51", time.Hour, id(false2303), felt(wide(9, desk.Intensity5Lower)))), desk.CheckRepeat, desk.Undetermined, "9か所"},
		"a bulletin of the same ID":  {caseOf([]desk.Telegram{quick}, telegram("VXSE51", 130*time.Second, felt(wide(30, desk.Intensity7)))), desk.CheckRepeat, desk.Passed, ""},
		"older than a day":           {caseOf([]desk.Telegram{quick}, telegram("VXSE51", 25*time.Hour, id("20240102171010"), felt(wide(30, desk.Intensity7)))), desk.CheckRepeat, desk.Passed, ""},
		"another mode":               {caseOf([]desk.Telegram{telegram("VXSE51", 0, mode(desk.Drill), felt(wide(30, desk.Intensity7)))}, again), desk.CheckRepeat, desk.Passed, ""},
		"many areas":                 {caseOf(nil, quick), desk.CheckAreas, desk.Passed, "30地域"},
		"7 in one area":              {caseOf(nil, telegram("VXSE51", time.Minute, felt(map[string]desk.Intensity{"390": desk.Intensity7}))), desk.CheckAreas, desk.Contradicts, "1地域"},
		"5弱 in one area":             {caseOf(nil, telegram("VXSE51", time.Minute, felt(map[string]desk.Intensity{"390": desk.Intensity5Lower}))), desk.CheckAreas, desk.Undetermined, "1地域"},
		"nothing felt yet":           {caseOf(nil, eew), desk.CheckAreas, desk.Undetermined, ""},
		"stations":                   {caseOf(nil, report(felt(mainAreas), stations(2, 500))), desk.CheckStations, desk.Passed, "500地点"},
		"one station of many":        {caseOf(nil, report(felt(mainAreas), stations(1, 500))), desk.CheckStations, desk.Undetermined, "1地点"},
		"one station in all":         {caseOf(nil, report(felt(mainAreas), stations(1, 1))), desk.CheckStations, desk.Contradicts, "1地点だけ"},
		"clock":                      {caseOf(nil, telegram("VXSE51", 100*time.Second, late(2*time.Second))), desk.CheckClock, desk.Passed, ""},
		"from the future":            {caseOf(nil, telegram("VXSE51", 100*time.Second, late(-31*time.Second))), desk.CheckClock, desk.Contradicts, "31秒先"},
		"a little ahead":             {caseOf(nil, telegram("VXSE51", 100*time.Second, late(-29*time.Second))), desk.CheckClock, desk.Passed, ""},
		"late":                       {caseOf(nil, telegram("VXSE51", 100*time.Second, late(16*time.Minute))), desk.CheckClock, desk.Contradicts, "16分過ぎて"},
		"shaken long before":         {caseOf(nil, telegram("VXSE51", 20*time.Minute)), desk.CheckClock, desk.Contradicts, "揺れの時刻"},
		"second source":              {caseOf(nil, quick), desk.CheckSecondSource, desk.Undetermined, "別経路の情報はまだありません"},
		"M7.6 and 7":                 {quake(7.6, 0, desk.Intensity7), desk.CheckPlausible, desk.Passed, "Ｍ7.6"},
		"M3.8 and 5弱 at 10 km":       {quake(3.8, 10, desk.Intensity5Lower), desk.CheckPlausible, desk.Contradicts, "強すぎます"},
		"M5.5 and 7":                 {quake(5.5, 10, desk.Intensity7), desk.CheckPlausible, desk.Contradicts, "震度7"},
		"M6 at 400 km and 6強":        {quake(6, 400, desk.Intensity6Upper), desk.CheckPlausible, desk.Contradicts, ""},
		"no hypocentre":              {caseOf(nil, quick), desk.CheckPlausible, desk.Undetermined, ""},
		"comment denies the shaking": {caseOf(nil, report(felt(mainAreas), comment("0245"))), desk.CheckComment, desk.Contradicts, "付加文"},
		"comment agrees with weak":   {caseOf(nil, report(felt(small), comment("0245"))), desk.CheckComment, desk.Undetermined, ""},
		"comment without a denial":   {caseOf(nil, report(felt(mainAreas), comment("0211"))), desk.CheckComment, desk.Passed, ""},
		"no comment yet":             {caseOf(nil, quick), desk.CheckComment, desk.Undetermined, ""},
	} {
		checks := Checks(c.in)
		got := found(checks, c.code)
		if got.Result != c.want || !strings.Contains(got.Text, c.text) || got.Text == "" {
			t.Errorf("%s: %s %q", name, got.Result, got.Text)
		}
		for i := 1; i < len(checks); i++ {
			if resultRank(checks[i].Result) < resultRank(checks[i-1].Result) {
				t.Errorf("%s: %s stands after %s", name, checks[i].Result, checks[i-1].Result)
			}
		}
	}
}

func TestGradeOfARetraction(t *testing.T) {
	quick := telegram("VXSE51", 100*time.Second, felt(wide(30, desk.Intensity7)))
	cancel := telegram("VXSE51", 9*time.Minute, phase(desk.Cancelled))
	report := telegram("VXSE53", 12*time.Minute, felt(small))
	for n, want := range map[int]desk.Grade{1: desk.GradeAlarm, 2: desk.GradeAlarm, 3: desk.GradeInfo} {
		ts := []desk.Telegram{quick, cancel, report}[:n]
		if got := Grade(Fold(desk.Event{}, ts), ts, policy); got != want {
			t.Errorf("after %d telegrams: %d, want %d", n, got, want)
		}
	}
}

func TestMerge(t *testing.T) {
	lat, lon := 37.5, 137.2
	far := 35.0
	here := []desk.Hypocenter{{Lat: &lat, Lon: &lon}}
	trigger := func(p desk.Prefecture, i desk.Intensity) desk.TriggeredBy {
		return desk.TriggeredBy{Prefecture: p, Intensity: i, Reason: desk.ReasonIntensity}
	}
	notified := func(p desk.Prefecture, i desk.Intensity, events ...desk.EventID) desk.Notified {
		return desk.Notified{Prefecture: p, Intensity: i, EventIDs: events}
	}
	open := desk.Incident{
		ID: 1, Hazard: desk.Earthquake, Mode: desk.Live, LastOccurred: at1610, Events: []desk.EventID{10}, Hypocenters: here,
		Notified: []desk.Notified{notified(17, desk.Intensity5Upper, 10)},
	}
	event := func(n desk.EventID, after time.Duration, h *desk.Hypocenter) desk.Event {
		return desk.Event{ID: n, Hazard: desk.Earthquake, Mode: desk.Live, OccurredAt: at1610.Add(after), Hypocenter: h}
	}
	distant := &desk.Hypocenter{Lat: &far, Lon: &lon}
	for name, c := range map[string]struct {
		event         desk.Event
		triggered     []desk.TriggeredBy
		join          bool
		raised, added int
	}{
		"aftershock, weaker":           {event(11, time.Hour, &here[0]), []desk.TriggeredBy{trigger(17, desk.Intensity5Lower)}, true, 0, 0},
		"aftershock, equal":            {event(11, time.Hour, nil), []desk.TriggeredBy{trigger(17, desk.Intensity5Upper)}, true, 0, 0},
		"stronger":                     {event(11, 4*time.Minute, &here[0]), []desk.TriggeredBy{trigger(17, desk.Intensity7)}, true, 1, 0},
		"another prefecture too":       {event(11, 4*time.Minute, &here[0]), []desk.TriggeredBy{trigger(17, desk.Intensity5Lower), trigger(16, desk.Intensity5Lower)}, true, 0, 1},
		"the same shaking rises":       {event(10, 0, &here[0]), []desk.TriggeredBy{trigger(17, desk.Intensity7)}, true, 0, 0},
		"the same shaking widens":      {event(10, 0, &here[0]), []desk.TriggeredBy{trigger(17, desk.Intensity7), trigger(15, desk.Intensity6Lower)}, true, 0, 1},
		"too late":                     {event(11, 6*time.Hour+time.Minute, &here[0]), []desk.TriggeredBy{trigger(17, desk.Intensity5Lower)}, false, 0, 0},
		"too far":                      {event(11, time.Hour, distant), []desk.TriggeredBy{trigger(23, desk.Intensity5Lower)}, false, 0, 1},
		"far, but the same people":     {event(11, time.Hour, distant), []desk.TriggeredBy{trigger(17, desk.Intensity5Lower)}, true, 0, 0},
		"no hypocentre and no overlap": {event(11, time.Hour, nil), []desk.TriggeredBy{trigger(23, desk.Intensity5Lower)}, false, 0, 1},
	} {
		m := Merge(c.event, c.triggered, open, policy)
		if m == nil || m.Join != c.join || len(m.Raised) != c.raised || len(m.Added) != c.added || m.Text == "" || strings.Contains(m.Text, "余震") {
			t.Errorf("%s: %+v", name, m)
		}
	}
	drill := open
	drill.Mode = desk.Drill
	closed := open
	closed.ClosedAt = at1610
	for name, inc := range map[string]desk.Incident{"drill": drill, "closed": closed} {
		if m := Merge(event(11, 0, &here[0]), nil, inc, policy); m != nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestMergeAfterANationwideDispatch(t *testing.T) {
	// 16:10 asked all 47 prefectures, Tokyo at 3. Later 5弱 in Tokyo asks Tokyo again, 5強 in Ishikawa does not.
	inc := desk.Incident{ID: 1, Hazard: desk.Earthquake, Mode: desk.Live, LastOccurred: at1610}
	for p := desk.Prefecture(1); p <= desk.Prefectures; p++ {
		inc.Notified = append(inc.Notified, desk.Notified{Prefecture: p, Intensity: desk.Intensity3, EventIDs: []desk.EventID{1}})
	}
	inc.Notified[16].Intensity = desk.Intensity7
	e := desk.Event{ID: 2, Hazard: desk.Earthquake, Mode: desk.Live, OccurredAt: at1610.Add(time.Hour)}
	m := Merge(e, []desk.TriggeredBy{{Prefecture: 13, Intensity: desk.Intensity5Lower, Reason: desk.ReasonIntensity}}, inc, policy)
	if len(m.Raised) != 1 || m.Raised[0].Reason != desk.ReasonRaised || len(m.Overlap) != 0 || m.Join {
		t.Errorf("Tokyo: %+v", m)
	}
	m = Merge(e, []desk.TriggeredBy{{Prefecture: 17, Intensity: desk.Intensity5Upper, Reason: desk.ReasonIntensity}}, inc, policy)
	if len(m.Raised)+len(m.Added) != 0 || !m.Join {
		t.Errorf("Ishikawa: %+v", m)
	}
}

func TestBestMerge(t *testing.T) {
	e := desk.Event{ID: 5, Hazard: desk.Earthquake, Mode: desk.Live, OccurredAt: at1610}
	triggered := []desk.TriggeredBy{{Prefecture: 17, Intensity: desk.Intensity5Lower, Reason: desk.ReasonIntensity}}
	near := desk.Incident{ID: 1, Hazard: desk.Earthquake, Mode: desk.Live, LastOccurred: at1610.Add(-time.Minute)}
	fits := desk.Incident{ID: 2, Hazard: desk.Earthquake, Mode: desk.Live, LastOccurred: at1610.Add(-time.Hour), Notified: []desk.Notified{{Prefecture: 17, Intensity: desk.Intensity6Lower}}}
	holds := desk.Incident{ID: 3, Hazard: desk.Earthquake, Mode: desk.Live, LastOccurred: at1610.Add(-2 * time.Hour), Events: []desk.EventID{5}}
	if m := BestMerge(e, triggered, []desk.Incident{near, fits, holds}, policy); m == nil || m.IncidentID != 3 {
		t.Errorf("the incident that holds the event comes first: %+v", m)
	}
	if m := BestMerge(e, triggered, []desk.Incident{near, fits}, policy); m == nil || m.IncidentID != 2 {
		t.Errorf("the one to join comes first: %+v", m)
	}
	if m := BestMerge(e, triggered, nil, policy); m != nil {
		t.Errorf("no incident: %+v", m)
	}
}
