package rules

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagura/store/desk"
)

var at0755 = time.Date(2023, 4, 13, 7, 55, 0, 0, desk.JST)

func area(p desk.Prefecture, part string) desk.MissileArea {
	return desk.MissileArea{Prefecture: p, Part: part}
}

// notice makes a live notice of Em-Net, issued so long after 07:55.
func notice(kind desk.MissileKind, after time.Duration, areas ...desk.MissileArea) desk.Telegram {
	counter++
	t := desk.Telegram{
		ID: desk.TelegramID(counter), Type: "EMNET", Title: desk.MissileTitle, Mode: desk.Live, Phase: desk.Issued, Hazard: desk.Missile,
		PressTime: at0755.Add(after), ReportTime: at0755.Add(after), Headline: "見出し",
		Missile: &desk.MissileReport{Kind: kind, IssuedAt: at0755.Add(after), Areas: areas},
	}
	t.Feed, t.ReceivedAt = "line-emnet", t.PressTime.Add(30*time.Second)
	t.Digest[0], t.Digest[1] = counter, 7
	return t
}

func corrected(t desk.Telegram, wrong ...desk.MissileArea) desk.Telegram {
	t.Phase = desk.Corrected
	for _, a := range wrong {
		t.Warned = append(t.Warned, desk.WarnedArea{Name: a.Name(), Prefectures: []desk.Prefecture{a.Prefecture}, Kinds: []desk.WarnedKind{{Lifted: true}}})
	}
	return t
}

func codes(list []desk.TriggeredBy) []desk.Prefecture {
	var out []desk.Prefecture
	for _, t := range list {
		out = append(out, t.Prefecture)
	}
	return out
}

func checkOf(t *testing.T, telegrams []desk.Telegram, code desk.CheckCode) desk.Check {
	t.Helper()
	c := Case{Event: MissileEvent(desk.Event{}, telegrams), Telegrams: telegrams, New: telegrams[len(telegrams)-1]}
	for _, k := range MissileChecks(c) {
		if k.Code == code {
			return k
		}
	}
	t.Fatalf("no check %s", code)
	return desk.Check{}
}

// TestWhomAMissileConcerns: launch and passage are for the desk alone, impact and its forecast stage the prefecture. // F3-1-o I1-2
func TestWhomAMissileConcerns(t *testing.T) {
	hokkaido, aomori := area(1, ""), area(2, "")
	islands := area(13, "島しょ部")
	for _, c := range []struct {
		name      string
		telegrams []desk.Telegram
		want      []desk.Prefecture
		grade     desk.Grade
		title     string
		why       string // in the check of the kind
	}{
		{"launch", []desk.Telegram{notice(desk.MissileLaunch, 0, hokkaido, aomori)}, nil, desk.GradeAlarm, "弾道ミサイル 発射・避難の呼びかけ 北海道・青森県", "落下の情報ではない"},
		{"pass", []desk.Telegram{notice(desk.MissileLaunch, 0, hokkaido), notice(desk.MissilePass, 15*time.Minute, hokkaido)}, nil, desk.GradeAlarm, "弾道ミサイル 通過 北海道", "落下の情報ではない"},
		{"lifted", []desk.Telegram{notice(desk.MissileLaunch, 0, hokkaido), notice(desk.MissileLifted, 34*time.Minute)}, nil, desk.GradeWatch, "弾道ミサイル 避難の呼びかけの解除 北海道", "解除"},
		{"sea fall", []desk.Telegram{notice(desk.MissileSeaFall, 0)}, nil, desk.GradeWatch, "弾道ミサイル 領海外に落下", "領海の外"},
		{"forecast first", []desk.Telegram{notice(desk.MissileForecast, 0, hokkaido)}, []desk.Prefecture{1}, desk.GradeAlarm, "弾道ミサイル 直ちに避難（落下予測） 北海道", "落下の予測"},
		{"impact after launch", []desk.Telegram{notice(desk.MissileLaunch, 0, hokkaido, aomori), notice(desk.MissileImpact, 8*time.Minute, area(2, "青森市"))}, []desk.Prefecture{2}, desk.GradeAlarm, "弾道ミサイル 落下 青森県（青森市）", "落下の情報です"},
		{"impact without a place", []desk.Telegram{notice(desk.MissileLaunch, 0, hokkaido, aomori), notice(desk.MissileImpact, 8*time.Minute)}, []desk.Prefecture{1, 2}, desk.GradeAlarm, "弾道ミサイル 落下 北海道・青森県", "落下の情報です"},
		{"impact stays after a lifting", []desk.Telegram{notice(desk.MissileImpact, 0, aomori), notice(desk.MissileLifted, time.Hour)}, []desk.Prefecture{2}, desk.GradeAlarm, "弾道ミサイル 落下 青森県", "落下の情報です"},
		{"forecast ends with a fall into the sea", []desk.Telegram{notice(desk.MissileForecast, 0, aomori), notice(desk.MissileSeaFall, 9*time.Minute)}, nil, desk.GradeAlarm, "弾道ミサイル 領海外に落下 青森県", "領海の外"},
		{"islands", []desk.Telegram{notice(desk.MissileForecast, 0, islands)}, []desk.Prefecture{13}, desk.GradeAlarm, "弾道ミサイル 直ちに避難（落下予測） 東京都（島しょ部）", "落下の予測"},
		{"terror", []desk.Telegram{notice(desk.MissileAttack, 0, area(13, ""))}, nil, desk.GradeAlarm, "国民保護情報 武力攻撃・テロ 東京都", "ミサイル以外"},
		{"unknown wording", []desk.Telegram{notice(desk.MissileOther, 0)}, nil, desk.GradeAlarm, "国民保護情報 種別不明", "種別の分からない"},
		{"impact nowhere", []desk.Telegram{notice(desk.MissileImpact, 0)}, nil, desk.GradeAlarm, "弾道ミサイル 落下", "都道府県が読み取れません"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := MissileTriggered(desk.Event{}, c.telegrams)
			if !slices.Equal(codes(got), c.want) {
				t.Errorf("triggered %v, want %v", codes(got), c.want)
			}
			for _, g := range got {
				if g.Reason != desk.ReasonMissile || g.Intensity != desk.IntensityUnknown {
					t.Errorf("triggered %+v", g)
				}
			}
			if g := MissileGrade(desk.Event{}, c.telegrams); g != c.grade {
				t.Errorf("grade %d", g)
			}
			if e := MissileEvent(desk.Event{ID: 5}, c.telegrams); e.Title != c.title || e.ID != 5 || e.Hazard != desk.Missile || e.Status != desk.EventOpen {
				t.Errorf("event %q %d %s %s", e.Title, e.ID, e.Hazard, e.Status)
			}
			if k := checkOf(t, c.telegrams, desk.CheckMissile); !strings.Contains(k.Text, c.why) {
				t.Errorf("why: %s", k.Text)
			}
		})
	}
}

// TestTheIslandsAreNotAllOfTokyo: 2022-10-04. The widening is said and needs two people. // feeds.md 4.5
func TestTheIslandsAreNotAllOfTokyo(t *testing.T) {
	telegrams := []desk.Telegram{notice(desk.MissileForecast, 0, area(1, ""), area(13, "島しょ部"))}
	k := checkOf(t, telegrams, desk.CheckAreas)
	if k.Result != desk.Contradicts || !strings.Contains(k.Text, "東京都は島しょ部だけが対象です。") {
		t.Errorf("%s %s", k.Result, k.Text)
	}
	if k := checkOf(t, []desk.Telegram{notice(desk.MissileImpact, 0, area(2, "青森市"))}, desk.CheckAreas); k.Result != desk.Undetermined || !strings.Contains(k.Text, "青森市") {
		t.Errorf("a town: %s %s", k.Result, k.Text)
	}
	if k := checkOf(t, []desk.Telegram{notice(desk.MissileImpact, 0, area(2, ""))}, desk.CheckAreas); k.Result != desk.Passed {
		t.Errorf("a whole prefecture: %s %s", k.Result, k.Text)
	}
	if k := checkOf(t, []desk.Telegram{notice(desk.MissileLaunch, 0, area(2, "")), notice(desk.MissileImpact, time.Minute)}, desk.CheckAreas); k.Result != desk.Contradicts {
		t.Errorf("a guessed place: %s %s", k.Result, k.Text)
	}
}

// The corrections of 2022-10-04 and 2023-04-13: what the desk sees before and after. // F3-1-o
func TestCorrections(t *testing.T) {
	hokkaido, aomori, islands := area(1, ""), area(2, ""), area(13, "島しょ部")
	wrongIslands := []desk.Telegram{
		notice(desk.MissileLaunch, 0, hokkaido, islands),
		notice(desk.MissileLaunch, 2*time.Minute, aomori, area(13, "大島町"), area(13, "小笠原村")),
		notice(desk.MissilePass, 15*time.Minute, hokkaido, aomori),
		corrected(notice(desk.MissileCorrected, 65*time.Minute, hokkaido, aomori), islands),
	}
	changes := MissileChanges(wrongIslands)
	if len(changes) != 1 || !slices.Equal(missilePrefectures(changes[0].Removed), []desk.Prefecture{13}) || len(changes[0].Added) != 0 || changes[0].Target {
		t.Fatalf("2022-10-04: %+v", changes)
	}
	if want := []desk.MissileArea{hokkaido, aomori}; !slices.Equal(changes[0].After, want) || !strings.Contains(changes[0].Text, "対象から外れました") {
		t.Errorf("after: %v, %s", changes[0].After, changes[0].Text)
	}
	if got := MissileTriggered(desk.Event{}, wrongIslands); len(got) != 0 {
		t.Errorf("a wrong call concerned %v", codes(got))
	}

	forecast := []desk.Telegram{notice(desk.MissileForecast, 0, hokkaido), corrected(notice(desk.MissileCorrected, 21*time.Minute), hokkaido)}
	if got := codes(MissileTriggered(desk.Event{}, forecast[:1])); !slices.Equal(got, []desk.Prefecture{1}) {
		t.Errorf("2023-04-13 before: %v", got)
	}
	if got := MissileTriggered(desk.Event{}, forecast); len(got) != 0 {
		t.Errorf("2023-04-13 after: %v", codes(got))
	}
	if g := MissileGrade(desk.Event{}, forecast); g != desk.GradeAlarm {
		t.Errorf("a correction is grade %d", g)
	}
	k := checkOf(t, forecast, desk.CheckPhase)
	if k.Result != desk.Contradicts || !strings.Contains(k.Text, "08:16の訂正で、北海道が対象から外れました") || k.Detail != "前: 北海道 / 後: なし" {
		t.Errorf("%+v", k)
	}
	if subject, body := MissileChanges(forecast)[0].Draft(); !strings.HasPrefix(subject, "【訂正】") || !strings.Contains(body, "対象から外れた地域: 北海道") {
		t.Errorf("%s\n%s", subject, body)
	}

	moved := []desk.Telegram{notice(desk.MissileImpact, 0, area(2, "青森市")), corrected(notice(desk.MissileImpact, 9*time.Minute, area(3, "宮古市")), area(2, "青森市"))}
	if got := codes(MissileTriggered(desk.Event{}, moved)); !slices.Equal(got, []desk.Prefecture{3}) {
		t.Errorf("a moved impact concerns %v", got)
	}
	if c := MissileChanges(moved)[0]; !c.Target || !strings.Contains(c.Text, "岩手県（宮古市）が加わりました") {
		t.Errorf("%+v", c)
	}
	vague := []desk.Telegram{notice(desk.MissileImpact, 0, aomori), corrected(notice(desk.MissileCorrected, 9*time.Minute))}
	if got := codes(MissileTriggered(desk.Event{}, vague)); !slices.Equal(got, []desk.Prefecture{2}) {
		t.Errorf("a vague correction took an impact away: %v", got)
	}
}

func TestWithdrawals(t *testing.T) {
	first, second := notice(desk.MissileForecast, 0, area(1, "")), notice(desk.MissileForecast, time.Minute, area(2, ""))
	cancel := notice(desk.MissileCorrected, 10*time.Minute)
	cancel.Phase = desk.Cancelled
	all := []desk.Telegram{first, second, cancel}
	if e := MissileEvent(desk.Event{}, all); e.Status != desk.EventRetracted || e.Title != "弾道ミサイル の情報は取り消されました" {
		t.Errorf("%s %s", e.Status, e.Title)
	}
	if len(MissileTriggered(desk.Event{}, all)) != 0 || MissileGrade(desk.Event{}, all) != desk.GradeAlarm {
		t.Error("a withdrawn forecast still concerns somebody, or is not told loudly")
	}
	cancel.Missile.Supersedes = "telegram:" + itoa(int(second.ID))
	if got := codes(MissileTriggered(desk.Event{}, []desk.Telegram{first, second, cancel})); !slices.Equal(got, []desk.Prefecture{1}) {
		t.Errorf("the withdrawal of one notice leaves %v", got)
	}
	first.EventIDs, first.Serial = []string{"doc-1"}, "1"
	revision := notice(desk.MissileForecast, 2*time.Minute, area(3, ""))
	revision.EventIDs, revision.Serial = []string{"doc-1"}, "2"
	if got := codes(MissileTriggered(desk.Event{}, []desk.Telegram{revision, first})); !slices.Equal(got, []desk.Prefecture{3}) {
		t.Errorf("the second revision of a document leaves %v", got)
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func TestDrillWordsContradict(t *testing.T) {
	passing := notice(desk.MissileImpact, 0, area(1, ""))
	passing.Missile.DrillWords = []string{"訓練"}
	if k := checkOf(t, []desk.Telegram{passing}, desk.CheckMode); k.Result != desk.Contradicts || !strings.Contains(k.Text, "「訓練」") {
		t.Errorf("%+v", k)
	}
	if got := MissileTriggered(desk.Event{}, []desk.Telegram{passing}); len(got) != 1 {
		t.Errorf("a word in passing hides an impact: %v", got)
	}
	declares := notice(desk.MissileImpact, 0, area(1, ""))
	declares.Missile.DrillWords = []string{"これは訓練です"}
	if k := checkOf(t, []desk.Telegram{declares}, desk.CheckMode); k.Result != desk.Contradicts || !strings.Contains(k.Text, "対象者は用意していません") {
		t.Errorf("%+v", k)
	}
	if got := MissileTriggered(desk.Event{}, []desk.Telegram{declares}); len(got) != 0 {
		t.Errorf("a declared drill concerns %v", codes(got))
	}
	if e := MissileEvent(desk.Event{}, []desk.Telegram{declares}); e.Status != desk.EventOpen || !strings.Contains(e.Title, "訓練の語") {
		t.Errorf("nobody took it back: %s %q", e.Status, e.Title)
	}
	drill := notice(desk.MissileImpact, 0, area(1, ""))
	drill.Mode = desk.Drill
	drill.Missile.DrillWords = []string{"【訓練】"}
	if got := MissileTriggered(desk.Event{}, []desk.Telegram{drill}); len(got) != 1 || MissileEvent(desk.Event{}, []desk.Telegram{drill}).Mode != desk.Drill {
		t.Errorf("a drill can be practised: %v", got)
	}
}

func TestSecondSource(t *testing.T) {
	one := notice(desk.MissileForecast, 0, area(1, ""))
	typed := notice(desk.MissileForecast, time.Minute, area(1, ""))
	typed.Type, typed.Feed, typed.Office = "MANUAL", "manual", "エムネット端末"
	if k := checkOf(t, []desk.Telegram{one, typed}, desk.CheckSecondSource); k.Result != desk.Undetermined {
		t.Errorf("the same terminal twice: %+v", k)
	}
	typed.Office = "NHK"
	if k := checkOf(t, []desk.Telegram{one, typed}, desk.CheckSecondSource); k.Result != desk.Passed || !strings.Contains(k.Text, "エムネット・NHKの2系統") {
		t.Errorf("%+v", k)
	}
}

func TestMissileBelongs(t *testing.T) {
	event := func(id desk.EventID, telegrams ...desk.Telegram) desk.Event {
		return MissileEvent(desk.Event{ID: id}, telegrams)
	}
	called := event(1, notice(desk.MissileLaunch, 0, area(47, "")))
	ended := event(2, notice(desk.MissileLaunch, 0, area(47, "")), notice(desk.MissileLifted, 17*time.Minute))
	drill := called
	drill.ID, drill.Mode = 3, desk.Drill
	document := notice(desk.MissileLaunch, 0, area(47, ""))
	document.EventIDs = []string{"doc"}
	late := notice(desk.MissileLifted, 170*time.Minute)
	late.EventIDs = []string{"doc"}
	corr := corrected(notice(desk.MissileCorrected, 94*time.Minute))
	for _, c := range []struct {
		name  string
		t     desk.Telegram
		among []desk.Event
		want  []desk.EventID
	}{
		{"lifting of the call", notice(desk.MissileLifted, 34*time.Minute), []desk.Event{called}, []desk.EventID{1}},
		{"too late", notice(desk.MissileLifted, 70*time.Minute), []desk.Event{called}, nil},
		{"a correction after 94 minutes", corr, []desk.Event{called}, []desk.EventID{1}},
		{"a drill is another world", notice(desk.MissileLifted, time.Minute), []desk.Event{drill}, nil},
		{"a new launch after the end", notice(desk.MissileLaunch, 30*time.Minute, area(47, "")), []desk.Event{ended}, nil},
		{"an echo of the call by a slower path", notice(desk.MissileLaunch, 18*time.Minute, area(47, "")), []desk.Event{ended}, []desk.EventID{2}},
		{"the lifting comes again by Em-Net", notice(desk.MissileLifted, 20*time.Minute), []desk.Event{ended}, []desk.EventID{2}},
		{"the later of two", notice(desk.MissilePass, 18*time.Minute), []desk.Event{called, ended}, []desk.EventID{2}},
		{"the same document", late, []desk.Event{event(4, document), ended}, []desk.EventID{4}},
		{"nothing near", notice(desk.MissileLaunch, 0), nil, nil},
	} {
		if got := MissileBelongs(c.t, c.among); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestMissileOrderOfArrival: the understanding depends on what the notices say, never on the order they came in; a drill never turns live.
func TestMissileOrderOfArrival(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		telegrams := drawNotices(r)
		want := MissileEvent(desk.Event{}, telegrams)
		triggered := MissileTriggered(want, telegrams)
		mixed := slices.Clone(telegrams)
		rand.New(rand.NewPCG(1, rapid.Uint64().Draw(r, "seed"))).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if got := MissileEvent(desk.Event{}, mixed); !reflect.DeepEqual(got, want) {
			r.Fatalf("%+v\n%+v", got, want)
		}
		if got := MissileTriggered(want, mixed); !slices.Equal(got, triggered) {
			r.Fatalf("%v, %v", got, triggered)
		}
		if !slices.IsSortedFunc(triggered, func(a, b desk.TriggeredBy) int { return int(a.Prefecture) - int(b.Prefecture) }) {
			r.Fatalf("not in JIS order: %v", triggered)
		}
		falls := slices.ContainsFunc(telegrams, func(t desk.Telegram) bool {
			return (t.Missile.Kind == desk.MissileImpact || t.Missile.Kind == desk.MissileForecast) && !t.Missile.DeclaresDrill()
		})
		if !falls && len(triggered) > 0 {
			r.Fatalf("nothing falls, and %v are concerned", codes(triggered))
		}
		for i := range mixed {
			mixed[i].Missile.DrillWords = []string{"これは訓練です"}
		}
		if got := MissileTriggered(want, mixed); len(got) > 0 {
			r.Fatalf("declared drills concern %v", codes(got))
		}
		if k := MissileChecks(Case{Event: want, Telegrams: mixed, New: mixed[0]})[0]; k.Result != desk.Contradicts {
			r.Fatalf("declared drills contradict nothing: %+v", k)
		}
		MissileGrade(want, mixed)
	})
}

func drawNotices(r *rapid.T) []desk.Telegram {
	n := rapid.IntRange(1, 6).Draw(r, "n")
	var out []desk.Telegram
	for range n {
		var areas []desk.MissileArea
		for range rapid.IntRange(0, 3).Draw(r, "areas") {
			areas = append(areas, area(desk.Prefecture(rapid.IntRange(1, 47).Draw(r, "p")), rapid.SampledFrom([]string{"", "", "島しょ部", "青森市"}).Draw(r, "part")))
		}
		t := notice(rapid.SampledFrom(desk.MissileKinds()).Draw(r, "kind"), time.Duration(rapid.IntRange(0, 90).Draw(r, "min"))*time.Minute, areas...)
		t.Phase = rapid.SampledFrom([]desk.Phase{desk.Issued, desk.Issued, desk.Issued, desk.Corrected, desk.Cancelled}).Draw(r, "phase")
		if t.Phase == desk.Corrected && rapid.Bool().Draw(r, "names what was wrong") {
			t = corrected(t, area(desk.Prefecture(rapid.IntRange(1, 47).Draw(r, "wrong")), ""))
		}
		out = append(out, t)
	}
	return out
}
