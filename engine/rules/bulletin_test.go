package rules

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"yagura/store/desk"
)

func allRules() BulletinRules {
	rules := BulletinRules{}
	for _, k := range desk.BulletinKinds() {
		rules[k] = desk.BulletinRule{Kind: k, Enabled: k != desk.BulletinOther, FromIntensity: desk.Intensity4, FromLevel: desk.LevelDanger, StaleAfter: 30 * time.Minute}
	}
	for k, level := range map[desk.BulletinKind]desk.Level{desk.BulletinTsunami: 2, desk.BulletinTyphoon: 1, desk.BulletinVolcano: 3, desk.BulletinGiant: 1} {
		r := rules[k]
		r.FromLevel = level
		rules[k] = r
	}
	return rules
}

// teller keeps what was told, as the store does for somebody who reads every issue.
type teller struct {
	t     *testing.T
	rules BulletinRules
	all   []desk.Bulletin
}

func (r *teller) tell(t desk.Telegram, changes ...func(*desk.BulletinCase)) (*desk.Bulletin, string) {
	c := desk.BulletinCase{Telegram: t, ReadAt: t.ReceivedAt}
	for _, change := range changes {
		change(&c)
	}
	kinds, threads := BulletinThreads(&c)
	var last []desk.Bulletin
	for _, k := range kinds {
		for _, thread := range threads {
			for i := len(r.all) - 1; i >= 0; i-- {
				if r.all[i].Kind == k && r.all[i].Thread == thread {
					last = append(last, r.all[i])
					break
				}
			}
		}
	}
	d := DecideBulletins(&c, r.rules, last)
	if (len(d.Bulletins) == 0) == (d.Why == "") || d.TelegramID != t.ID {
		r.t.Fatalf("%d bulletins, why %q", len(d.Bulletins), d.Why)
	}
	if len(d.Bulletins) == 0 {
		return nil, d.Why
	}
	b := d.Bulletins[0]
	b.ID, b.At = desk.DispatchID(len(r.all)+1), c.ReadAt
	r.all = append(r.all, b)
	checkWords(r.t, &b)
	return &r.all[len(r.all)-1], ""
}

func checkWords(t interface{ Errorf(string, ...any) }, b *desk.Bulletin) {
	first, _, _ := strings.Cut(b.Body, "\n")
	switch {
	case utf8.RuneCountInString(b.Subject) > 40, !strings.HasPrefix(b.Subject, "【"), strings.ContainsAny(b.Subject, "\r\n\t"):
		t.Errorf("subject %q", b.Subject)
	case first != b.Subject:
		t.Errorf("the first line %q is not the subject %q", first, b.Subject)
	case len(b.Body) > 20_000, strings.Contains(b.Body, "NaN"), strings.Contains(b.Body, "不明不明"):
		t.Errorf("body\n%s", b.Body)
	}
}

func quickEEW(kind string, after time.Duration, i desk.Intensity, rank int, changes ...change) desk.Telegram {
	t := telegram(kind, after, append([]change{forecast(i), source("石川県能登地方", 37.5, 137.2, 10, 7.4)}, changes...)...)
	t.EEW = &desk.EEWReport{EpicenterRank: rank, OneStation: rank == 1}
	t.Prefectures = []desk.PrefectureIntensity{{Code: 17, Name: "石川県", Intensity: i}}
	return t
}

func TestEarlyWarningsThatTriggerNothingPublic(t *testing.T) { // feeds.md 1.10 and 7
	for name, c := range map[string]struct {
		telegram desk.Telegram
		why      string // "" = told
	}{
		"2016-08-01, one station, M9":       {quickEEW("VXSE45", 6*time.Second, desk.Intensity7, 1), "一点観測"},
		"仮定震源要素 alone":                      {quickEEW("VXSE45", 9*time.Second, desk.Intensity5Lower, 2, func(t *desk.Telegram) { t.Assumed = true }), "仮定震源"},
		"仮定震源要素, but a warning by stations": {quickEEW("VXSE43", 9*time.Second, desk.Intensity5Lower, 2, func(t *desk.Telegram) { t.Assumed = true }), ""},
		"below the threshold":               {quickEEW("VXSE45", 9*time.Second, desk.Intensity3, 3), "基準（震度4以上）に達していません"},
		"without a forecast":                {quickEEW("VXSE45", 9*time.Second, desk.IntensityUnknown, 3), "予測震度がありません"},
		"the line test":                     {telegram("VXSE42", time.Second, mode(desk.Test)), "試験の電文"},
		"two stations":                      {quickEEW("VXSE45", 9*time.Second, desk.Intensity5Lower, 2), ""},
	} {
		r := teller{t: t, rules: allRules()}
		b, why := r.tell(c.telegram)
		if (c.why == "") != (b != nil) || !strings.Contains(why, c.why) {
			t.Errorf("%s: %v, %q", name, b, why)
			continue
		}
		if b == nil {
			continue
		}
		hidden := !strings.Contains(b.Body, "規模") && !strings.Contains(b.Body, "震源（推定）")
		if hidden != c.telegram.Assumed {
			t.Errorf("%s: an assumed source is hidden, any other told:\n%s", name, b.Body)
		}
	}
}

func TestQuickInformation(t *testing.T) { // F3-1-l: the words of the clause
	r := teller{t: t, rules: allRules()}
	b, _ := r.tell(quickEEW("VXSE43", 10*time.Second, desk.Intensity6Upper, 4))
	if b.Subject != "【地震速報】石川県能登地方 予測最大震度6強程度（16:10頃）" || !strings.Contains(b.Body, "規模（推定）　Ｍ7.4") || !strings.Contains(b.Body, "発生時刻　16:10頃") {
		t.Errorf("%s", b.Body)
	}
	if _, why := r.tell(quickEEW("VXSE43", 30*time.Second, desk.Intensity6Upper, 4, serial("2"))); why != "" { // to those who want every issue
		t.Error(why)
	}
	if c := r.all[1].Change; c.Everybody || len(c.Grown) > 0 {
		t.Errorf("the same forecast again: %+v", c)
	}
	if b, _ = r.tell(quickEEW("VXSE45", 31*time.Second, desk.Intensity6Lower, 4)); b.Change.Everybody {
		t.Error("a forecast that sinks is told to all")
	}
	if b, _ = r.tell(quickEEW("VXSE45", 32*time.Second, desk.Intensity6Upper, 4)); b.Change.Everybody {
		t.Error("a forecast that is back where it was is told to all again")
	}
	b, _ = r.tell(telegram("VXSE51", 100*time.Second, felt(map[string]desk.Intensity{"390": desk.Intensity6Upper})))
	if b.Step != desk.BulletinChanged || !b.Change.Everybody || b.Subject != "【地震速報 第5報】地域390 最大震度6強（16:10頃）" || strings.Contains(strings.SplitN(b.Body, "\n\n■震度", 2)[1], "Ｍ") {
		t.Errorf("what was measured follows what was foreseen: %+v\n%s", b.Change, b.Body)
	}
	if _, why := r.tell(quickEEW("VXSE43", 110*time.Second, desk.Intensity7, 4, serial("3"))); !strings.Contains(why, "観測された震度") {
		t.Errorf("an early warning after the measurement: %q", why)
	}
	if _, why := r.tell(quickEEW("VXSE43", 120*time.Second, desk.IntensityUnknown, 4, serial("3"), phase(desk.Cancelled))); !strings.Contains(why, "取り消される配信がありません") {
		t.Errorf("a cancelled EEW takes back the measurement: %q", why)
	}
	if b, _ = r.tell(telegram("VXSE51", 130*time.Second, phase(desk.Cancelled))); b == nil || b.Step != desk.BulletinWithdrawn || b.Subject != "【取消】【地震速報】地域390 最大震度6強（16:10頃）" {
		t.Errorf("%+v", b)
	}
	if b, _ = r.tell(telegram("VXSE51", 200*time.Second, felt(map[string]desk.Intensity{"390": desk.Intensity4}))); b == nil || b.Step != desk.BulletinNew {
		t.Errorf("after a withdrawal it begins anew: %+v", b)
	}
}

func TestConfirmedInformation(t *testing.T) { // F3-1-m
	r := teller{t: t, rules: allRules()}
	if _, why := r.tell(telegram("VXSE52", 150*time.Second, source("石川県能登地方", 37.5, 137.2, 10, 7.4))); !strings.Contains(why, "震度のない確定報") {
		t.Errorf("震源 without a 速報: %q", why)
	}
	r.tell(telegram("VXSE51", 100*time.Second, felt(map[string]desk.Intensity{"390": desk.Intensity6Upper})))
	b, why := r.tell(telegram("VXSE52", 160*time.Second, source("石川県能登地方", 37.5, 137.2, 10, 7.4)))
	if b == nil || strings.Contains(b.Body, "最大震度　") || len(b.Facts.Areas) != 0 || len(b.Prefectures) != 1 {
		t.Fatalf("震源 after a 速報: %q %+v", why, b)
	}
	b, _ = r.tell(telegram("VXSE53", 330*time.Second, serial("1"), felt(mainAreas), source("石川県能登地方", 37.5, 137.2, 0, 7.6)))
	for _, want := range []string{"震央地名　石川県能登地方", "深さ　ごく浅い", "規模　Ｍ7.6", "最大震度　7", "■震度7\n石川県"} {
		if !strings.Contains(b.Body, want) {
			t.Errorf("no %q in\n%s", want, b.Body)
		}
	}
	if !b.Change.Everybody {
		t.Error("the intensities after 震源 alone are told to all")
	}
	if _, why := r.tell(telegram("VXSE51", 340*time.Second, felt(mainAreas))); !strings.Contains(why, "確定情報を、すでに") {
		t.Errorf("a late 速報: %q", why)
	}
	if _, why := r.tell(telegram("VXSE53", 320*time.Second, serial("1"), felt(small), source("石川県能登地方", 37.5, 137.2, 0, 7.6))); !strings.Contains(why, "もっと新しい") {
		t.Errorf("an older report: %q", why)
	}
	if b, _ = r.tell(telegram("VXSE61", 3*time.Hour, source("石川県能登地方", 37.5, 137.2, 16, 7.6))); b.Change.Everybody || !strings.Contains(b.Body, "深さ　ごく浅い → 16km") {
		t.Errorf("震源要素の更新: %+v\n%s", b.Change, b.Body)
	}
	if _, why := r.tell(telegram("VXSE53", time.Minute, id("20230410221000"), source("カムチャツカ", 56.6, 161.3, 0, 7))); !strings.Contains(why, "国内の震度がありません") {
		t.Errorf("a foreign report: %q", why)
	}
}

// TestShocksOfOneEvent: another EventID of the event is told apart only where it adds (feeds.md 1.4; 2024-01-01 16:56 and 16:57).
func TestShocksOfOneEvent(t *testing.T) {
	event := func(c *desk.BulletinCase) { c.Threads = []string{noto, "20240101161040"} }
	other := id("20240101161040")
	flash := func(after time.Duration, i desk.Intensity, changes ...change) desk.Telegram {
		return telegram("VXSE51", after, append([]change{felt(map[string]desk.Intensity{"390": i})}, changes...)...)
	}
	r := teller{t: t, rules: allRules()}
	r.tell(flash(100*time.Second, desk.Intensity5Upper), event)
	for name, c := range map[string]desk.Telegram{
		"the same by another office": flash(110*time.Second, desk.Intensity5Upper, other),
		"a small one beside it":      flash(111*time.Second, desk.Intensity4, other),
	} {
		if b, why := r.tell(c, event); b != nil || !strings.Contains(why, "同じ揺れ") {
			t.Errorf("%s: %+v, %q", name, b, why)
		}
	}
	if b, why := r.tell(flash(112*time.Second, desk.Intensity3, other), event); b != nil {
		t.Errorf("below the threshold: %+v, %q", b, why)
	}
	if b, _ := r.tell(flash(113*time.Second, desk.Intensity6Lower, other), event); b == nil || b.Step != desk.BulletinNew || b.Thread != "20240101161040" || b.Number != 1 {
		t.Errorf("a worse one: %+v", b)
	}
	if b, _ := r.tell(telegram("VXSE51", 114*time.Second, felt(map[string]desk.Intensity{"390": desk.Intensity5Upper, "371": desk.Intensity5Lower})), event); b == nil || b.Number != 2 || b.Change.Everybody || len(b.Change.Grown) != 1 {
		t.Errorf("the first again, where it grew: %+v", b)
	}
	if b, _ := r.tell(telegram("VXSE51", 115*time.Second, other, phase(desk.Cancelled)), event); b == nil || b.Step != desk.BulletinWithdrawn || b.Thread != "20240101161040" {
		t.Errorf("the withdrawal of the other: %+v", b)
	}
}

func warnedIn(code, name string, kinds ...desk.WarnedKind) change {
	return func(t *desk.Telegram) {
		t.Hazard, t.EventIDs = desk.Weather, nil
		t.Warned = append(t.Warned, desk.WarnedArea{Code: code, Name: name, Kinds: kinds})
		t.Level = desk.Highest(t.Warned)
	}
}

func warnKind(code, name string, level desk.Level) desk.WarnedKind {
	return desk.WarnedKind{Code: code, Name: name, Level: level, Lifted: level == desk.LevelNone}
}

// TestWarningsOfOnePrefectureAreOneThread: each telegram speaks of one phenomenon alone; the others stand. // F3-1-n
func TestWarningsOfOnePrefectureAreOneThread(t *testing.T) {
	later := func(days int) change {
		return func(t *desk.Telegram) {
			t.PressTime = newWarnings.AddDate(0, 0, 30+days)
			t.ReportTime, t.ReceivedAt = t.PressTime, t.PressTime
		}
	}
	r := teller{t: t, rules: allRules()}
	for _, c := range []struct {
		telegram desk.Telegram
		step     desk.BulletinStep // "" = passed over
		told     bool              // to those who want changes only
		words    string
	}{
		{telegram("VPWW55", 0, warnedIn("170000", "石川県", warnKind("03", "レベル３大雨警報", 3)), later(0)), "", false, "基準（危険警報級以上）"},
		{telegram("VPWW55", 0, warnedIn("170000", "石川県", warnKind("43", "レベル４大雨危険警報", 4)), later(0)), desk.BulletinNew, true, "【気象情報】石川県 レベル４大雨危険警報"},
		{telegram("VPWW55", 0, warnedIn("170000", "石川県", warnKind("43", "レベル４大雨危険警報", 4)), later(0)), desk.BulletinChanged, false, "第2報"},
		{telegram("VPWW56", 0, warnedIn("170000", "石川県", warnKind("49", "レベル４土砂災害危険警報", 4)), later(0)), desk.BulletinChanged, true, "土砂災害危険警報（追加）"},
		{telegram("VPWW55", 0, warnedIn("170000", "石川県", warnKind("33", "レベル５大雨特別警報", 5)), later(0)), desk.BulletinChanged, true, "レベル４大雨危険警報 → レベル５大雨特別警報"},
		{telegram("VPWW55", 0, warnedIn("170000", "石川県", warnKind("00", "解除", 0)), later(0)), desk.BulletinChanged, true, "レベル５大雨特別警報 → 対象外"},
		{telegram("VPNO50", 0, warnedIn("170000", "石川県", warnKind("33", "大雨特別警報", 5)), later(0)), "", false, "旧形式"},
		{telegram("VPWW56", 0, warnedIn("170000", "石川県", warnKind("29", "レベル２土砂災害注意報", 2)), later(0)), desk.BulletinLifted, true, "【引下げ】"},
		{telegram("VPWW56", 0, warnedIn("170000", "石川県", warnKind("00", "解除", 0)), later(0)), "", false, "解除される配信がありません"},
		{telegram("VPNO50", 0, warnedIn("060000", "山形県", warnKind("33", "大雨特別警報", 5))), desk.BulletinNew, true, "山形県 大雨特別警報"}, // 2024, before the change
	} {
		b, why := r.tell(c.telegram)
		switch {
		case b == nil && (c.step != "" || !strings.Contains(why, c.words)):
			t.Errorf("%s %s: passed over: %s", c.telegram.Type, c.words, why)
		case b != nil && (b.Step != c.step || (b.Change.Everybody || len(b.Change.Grown) > 0) != c.told || !strings.Contains(b.Body, c.words)):
			t.Errorf("%s %s: %s %+v\n%s", c.telegram.Type, c.words, b.Step, b.Change, b.Body)
		}
	}
}

func TestVolcanoTyphoonAndGiantQuakes(t *testing.T) {
	volcano := func(v desk.VolcanoReport) change {
		return func(t *desk.Telegram) { t.Hazard, t.Volcano, t.EventIDs = desk.Volcano, &v, []string{v.Code} }
	}
	typhoon := func(y desk.TyphoonReport) change {
		return func(t *desk.Telegram) { t.Typhoon, t.EventIDs = &y, []string{y.ID} }
	}
	giant := func(name string) change {
		return func(t *desk.Telegram) {
			t.HeadTitle, t.Giant = "南海トラフ地震臨時情報（"+name+"）", &desk.GiantQuakeReport{Name: name}
		}
	}
	at := func(strength string) []desk.TyphoonPosition {
		return []desk.TyphoonPosition{{Class: "台風", Strength: strength, Place: "南大東島の南南東約１６０ｋｍ"}}
	}
	r := teller{t: t, rules: allRules()}
	for _, c := range []struct {
		telegram desk.Telegram
		told     bool
		words    string
	}{
		{telegram("VFVO50", 0, volcano(desk.VolcanoReport{Code: "312", Name: "御嶽山", AlertLevel: 2, KindName: "レベル２（火口周辺規制）"})), false, "基準"},
		{telegram("VFVO56", 0, volcano(desk.VolcanoReport{Code: "312", Name: "御嶽山", Eruption: true, OccurredAt: at1610, PlumeM: 7000})), true, "【火山情報】御嶽山 噴火が発生"},
		{telegram("VFVO56", 0, volcano(desk.VolcanoReport{Code: "312", Name: "御嶽山", Eruption: true, OccurredAt: at1610})), false, "第2報"},
		{telegram("VFVO50", 0, volcano(desk.VolcanoReport{Code: "312", Name: "御嶽山", AlertLevel: 3, KindName: "レベル３（入山規制）", Condition: "引上げ"})), true, "レベル３（入山規制）"},
		{telegram("VFVO50", 0, volcano(desk.VolcanoReport{Code: "312", Name: "御嶽山", AlertLevel: 2, KindName: "レベル２", Condition: "引下げ"})), true, "【引下げ】【火山情報】御嶽山 レベル２"},
		{telegram("VPTW60", 0, typhoon(desk.TyphoonReport{ID: "TC2410", Positions: at("")})), false, "まだ台風"},
		{telegram("VPTW60", 0, typhoon(desk.TyphoonReport{ID: "TC2410", Number: "2410", Name: "サンサン", Positions: at("")})), true, "台風第10号（サンサン）"},
		{telegram("VPTW61", 0, typhoon(desk.TyphoonReport{ID: "TC2410", Number: "2410", Name: "サンサン", Positions: at("")})), false, "第2報"},
		{telegram("VPTW60", 0, typhoon(desk.TyphoonReport{ID: "TC2410", Number: "2410", Name: "サンサン", Positions: at("非常に強い")})), true, "非常に強い"},
		{telegram("VPTW60", 0, typhoon(desk.TyphoonReport{ID: "TC2410", Number: "2410", Name: "サンサン", Remark: "台風消滅", Ended: true})), true, "【解除】【台風情報】"},
		{telegram("VYSE50", 0, giant("調査中")), true, "【巨大地震情報】南海トラフ地震臨時情報（調査中）"},
		{telegram("VYSE50", 0, giant("巨大地震警戒")), true, "（巨大地震警戒）"},
		{telegram("VYSE50", 0, giant("調査終了")), true, "【解除】"},
		{telegram("VYSE51", 0, giant("")), false, "対象でない"},
		{telegram("VZSE40", 0), false, "対象でない"},
	} {
		b, why := r.tell(c.telegram)
		switch {
		case b == nil && (c.told || !strings.Contains(why, c.words)):
			t.Errorf("%s %s: passed over: %s", c.telegram.Type, c.words, why)
		case b != nil && ((b.Change.Everybody || len(b.Change.Grown) > 0) != c.told || !strings.Contains(b.Body, c.words)):
			t.Errorf("%s %s: %s %+v\n%s", c.telegram.Type, c.words, b.Step, b.Change, b.Body)
		}
	}
}

func TestWhatIsNeverTold(t *testing.T) {
	seven := telegram("VXSE51", 100*time.Second, felt(map[string]desk.Intensity{"390": desk.Intensity7}))
	for words, change := range map[string]func(*teller, *desk.BulletinCase){
		"訓練の電文":      func(_ *teller, c *desk.BulletinCase) { c.Telegram.Mode = desk.Drill },
		"種別不明の電文":    func(_ *teller, c *desk.BulletinCase) { c.Telegram.Mode = "" },
		"読めない電文":     func(_ *teller, c *desk.BulletinCase) { c.Problem = "壊れている" },
		"すでに、取り消され":  func(_ *teller, c *desk.BulletinCase) { c.Retracted = true },
		"止めてあります":    func(r *teller, _ *desk.BulletinCase) { r.rules = BulletinRules{} },
		"31分たって":     func(_ *teller, c *desk.BulletinCase) { c.Age = 31 * time.Minute },
		"識別情報":       func(_ *teller, c *desk.BulletinCase) { c.Telegram.EventIDs = nil },
		"震度がありません":   func(_ *teller, c *desk.BulletinCase) { c.Telegram.MaxIntensity, c.Telegram.Prefectures = 0, nil },
		"対象でない種類の電文": func(_ *teller, c *desk.BulletinCase) { c.Telegram.Type = "" },
	} {
		r := &teller{t: t, rules: allRules()}
		b, why := r.tell(seven, func(c *desk.BulletinCase) { change(r, c) })
		if b != nil || !strings.Contains(why, strings.ReplaceAll(words, "すでに、", "すでに")) && !strings.Contains(why, words) {
			t.Errorf("%s: %v, %q", words, b, why)
		}
	}
}

// TestDecisionsHold over random telegrams in random order: a drill is never told, a bulletin always names its telegram and follows
// its predecessor, a thread that ended begins anew, and whatever foreign words come, subject and body stay within their form.
func TestDecisionsHold(t *testing.T) {
	types := []string{
		"VXSE43", "VXSE45", "VXSE51", "VXSE52", "VXSE53", "VXSE61", "VTSE41", "VPWW55", "VPWW56", "VPNO50", "VXKO50", "VPHW50", "VPBS50",
		"VPTW60", "VFVO50", "VFVO56", "VYSE50", "VZSE40", "",
	}
	rapid.Check(t, func(rt *rapid.T) {
		r := teller{t: t, rules: allRules()}
		for range rapid.IntRange(1, 12).Draw(rt, "telegrams") {
			tg := randomTelegram(rt, rapid.SampledFrom(types).Draw(rt, "type"))
			before := len(r.all)
			b, _ := r.tell(tg)
			if b == nil {
				continue
			}
			if tg.Mode != desk.Live {
				rt.Fatalf("a telegram of mode %q was told", tg.Mode)
			}
			if b.Mode != desk.Live || b.TelegramID != tg.ID || b.OccurredAt.IsZero() {
				rt.Fatalf("%+v", b)
			}
			var last *desk.Bulletin
			for i := range before {
				if r.all[i].Kind == b.Kind && r.all[i].Thread == b.Thread {
					last = &r.all[i]
				}
			}
			switch {
			case last == nil && (b.Number != 1 || b.Supersedes != 0 || b.Step != desk.BulletinNew):
				rt.Fatalf("the first of a thread: %+v", b)
			case last != nil && (b.Number != last.Number+1 || b.Supersedes != last.ID || last.Step.Ends() && b.Step != desk.BulletinNew):
				rt.Fatalf("after %s: %+v", last.Step, b)
			}
		}
	})
}

func randomTelegram(rt *rapid.T, kind string) desk.Telegram {
	words := rapid.SampledFrom([]string{"", "石川県能登地方", "行\n送り\x07と\u202e制御", strings.Repeat("長い地名", 60), "】（"})
	t := telegram(kind, time.Duration(rapid.IntRange(0, 600).Draw(rt, "after"))*time.Second)
	t.Mode = rapid.SampledFrom([]desk.Mode{desk.Live, desk.Live, desk.Live, desk.Drill, desk.Test, ""}).Draw(rt, "mode")
	t.Phase = rapid.SampledFrom([]desk.Phase{desk.Issued, desk.Issued, desk.Issued, desk.Corrected, desk.Delayed, desk.Cancelled}).Draw(rt, "phase")
	t.Serial = rapid.SampledFrom([]string{"", "1", "2"}).Draw(rt, "serial")
	t.HeadTitle, t.Headline, t.Text, t.Office = words.Draw(rt, "title"), words.Draw(rt, "headline"), words.Draw(rt, "text"), words.Draw(rt, "office")
	grade := desk.Intensity(rapid.IntRange(0, 10).Draw(rt, "intensity"))
	level := desk.Level(rapid.IntRange(0, 5).Draw(rt, "level"))
	t.MaxIntensity, t.Assumed, t.Final = grade, rapid.Bool().Draw(rt, "assumed"), rapid.Bool().Draw(rt, "final")
	if grade > 0 {
		t.ForecastIntensity = &desk.IntensityRange{From: grade, To: grade}
		t.Prefectures = []desk.PrefectureIntensity{{Code: 17, Name: "石川県", Intensity: grade}}
		t.Areas = []desk.AreaIntensity{{Code: "390", Name: words.Draw(rt, "area"), Intensity: grade}}
	}
	if rapid.Bool().Draw(rt, "hypocentre") {
		t.Hypocenters = []desk.Hypocenter{{Name: words.Draw(rt, "place"), MagnitudeText: "Ｍ不明", MagnitudeKind: desk.MagnitudeUnknown}}
	}
	sea := rapid.SampledFrom([]desk.TsunamiGrade{desk.TsunamiMajorWarning, desk.TsunamiAdvisory, desk.TsunamiSlight, desk.TsunamiLifted, desk.TsunamiUnknownGrade})
	t.Tsunami = []desk.TsunamiArea{{Code: "350", Name: words.Draw(rt, "coast"), Grade: sea.Draw(rt, "grade"), Arrival: words.Draw(rt, "arrival")}}
	code := rapid.SampledFrom([]string{"33", "43", "49", "00"}).Draw(rt, "code")
	t.Warned = []desk.WarnedArea{{Code: rapid.SampledFrom([]string{"170000", "1", ""}).Draw(rt, "area code"), Name: words.Draw(rt, "warned"), Kinds: []desk.WarnedKind{{Code: code, Name: words.Draw(rt, "kind"), Level: level, Lifted: code == "00"}}}}
	t.Volcano = &desk.VolcanoReport{Code: "312", Name: words.Draw(rt, "volcano"), AlertLevel: int(level)}
	t.Typhoon = &desk.TyphoonReport{ID: "TC2410", Number: rapid.SampledFrom([]string{"", "2410", "x"}).Draw(rt, "number"), Ended: level == 0}
	t.Typhoon.Positions = []desk.TyphoonPosition{{Strength: rapid.SampledFrom([]string{"", "強い", "猛烈な"}).Draw(rt, "strength"), Place: words.Draw(rt, "position")}}
	t.Level = level
	return t
}

func TestDigestText(t *testing.T) {
	part := desk.Bulletin{Subject: "【気象情報】石川県 大雨特別警報（12:00発表）", Body: "【気象情報】石川県 大雨特別警報（12:00発表）\n本文\n"}
	subject, body := DigestText([]desk.Bulletin{part, part, part})
	if utf8.RuneCountInString(subject) > 40 || !strings.HasPrefix(subject, "【情報まとめ】3件") || strings.Count(body, "本文") != 3 || !strings.HasPrefix(body, subject+"\n") {
		t.Errorf("%q\n%s", subject, body)
	}
	many := make([]desk.Bulletin, 50)
	for i := range many {
		many[i] = desk.Bulletin{Subject: part.Subject, Body: strings.Repeat("長い本文", 1000)}
	}
	if _, body = DigestText(many); len(body) > 20_000 {
		t.Errorf("%d bytes", len(body))
	}
}

// TestTheNextOneIsNotAnOlderOne: a serial counts within one EventID, and each office of a prefecture has its own order.
func TestTheNextOneIsNotAnOlderOne(t *testing.T) {
	at := func(after time.Duration, event string) change {
		return func(t *desk.Telegram) {
			t.PressTime = newWarnings.AddDate(0, 1, 0).Add(after)
			t.ReportTime, t.ReceivedAt, t.EventIDs = t.PressTime, t.PressTime, nil
			if event != "" {
				t.EventIDs = []string{event}
			}
		}
	}
	rain := warnedIn("180010", "嶺北", warnKind("記録雨", "記録的短時間大雨", 4))
	soya, ishikari := warnedIn("011000", "宗谷地方", warnKind("33", "レベル５大雨特別警報", 5)), warnedIn("016000", "石狩・空知・後志地方", warnKind("33", "レベル５大雨特別警報", 5))
	r := teller{t: t, rules: allRules()}
	for _, one := range []desk.Telegram{
		telegram("VPBS50", 0, rain, serial("12"), at(0, "JPNC240004_20240124122300")),
		telegram("VPBS50", 0, rain, serial("1"), at(24*time.Hour, "JPNC240005_20240125122300")),
		telegram("VPHW50", 0, warnedIn("130010", "東京地方", warnKind("1", "竜巻注意情報", 4)), serial("2"), at(0, "")),
		telegram("VPHW50", 0, warnedIn("130010", "東京地方", warnKind("1", "竜巻注意情報", 4)), serial("1"), at(24*time.Hour, "")),
		telegram("VPWW55", 0, soya, at(5*time.Second, "")),
		telegram("VPWW55", 0, ishikari, at(0, "")), // issued before, received after
	} {
		if b, why := r.tell(one); b == nil || b.Step != desk.BulletinNew {
			t.Errorf("%s %s serial %q: %+v, passed over: %s", one.Type, one.Warned[0].Name, one.Serial, b, why)
		}
	}
	if _, why := r.tell(telegram("VPBS50", 0, rain, serial("0"), at(23*time.Hour, "JPNC240005_20240125122300"))); !strings.Contains(why, "もっと新しい") {
		t.Errorf("one that is older: %q", why)
	}
}
