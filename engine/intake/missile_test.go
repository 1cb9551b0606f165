package intake

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagura/engine/rules"
	"yagura/feeds/jalert"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// notices reads the texts of one day of feeds/jalert/testdata in the order of their file names, which begin with the time of issue.
func notices(t *testing.T, day string) []desk.Envelope {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "feeds", "jalert", "testdata", day, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d texts, %v", day, len(files), err)
	}
	slices.Sort(files)
	var out []desk.Envelope
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		issued, err := time.ParseInLocation("2006-01-02 1504", day+" "+filepath.Base(name)[:4], desk.JST)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, desk.Envelope{Feed: "line-emnet", Name: day + "/" + filepath.Base(name), Raw: raw, ReceivedAt: issued.Add(20 * time.Second)})
	}
	return out
}

// TestTheTenMissileCases plays every case of feeds.md 4.3 through the store: what was advised after each notice. // F3-1-o
func TestTheTenMissileCases(t *testing.T) {
	type after struct {
		triggered string
		grade     desk.Grade
		worst     string // code of the first check when it contradicts
	}
	cases := []struct {
		day   string
		title string
		after []after
	}{
		{"2016-02-07", "弾道ミサイル 通過 沖縄県", []after{{"", 1, ""}, {"", 1, ""}}},
		{"2017-08-29", "弾道ミサイル 通過 北海道・青森県・岩手県・宮城県・秋田県など12都道府県", []after{{"", 1, ""}, {"", 1, ""}}},
		{"2017-09-15", "弾道ミサイル 通過 北海道・青森県・岩手県・宮城県・秋田県など12都道府県", []after{{"", 1, ""}, {"", 1, ""}}},
		{"2022-10-04", "弾道ミサイル 訂正 北海道・青森県", []after{{"", 1, ""}, {"", 1, ""}, {"", 1, ""}, {"", 1, ""}}},
		{"2022-11-03", "弾道ミサイル 訂正 宮城県・山形県・新潟県", []after{{"", 1, ""}, {"", 1, ""}, {"", 1, ""}}},
		{"2023-04-13", "弾道ミサイル 訂正", []after{{"北海道", 1, ""}, {"北海道", 1, ""}, {"", 1, "phase"}}},
		{"2023-05-31", "弾道ミサイル 避難の呼びかけの解除 沖縄県", []after{{"", 1, ""}, {"", 2, ""}}},
		{"2023-08-24", "弾道ミサイル 通過 沖縄県", []after{{"", 1, ""}, {"", 1, ""}}},
		{"2023-11-21", "弾道ミサイル 避難の呼びかけの解除 沖縄県", []after{{"", 1, ""}, {"", 1, ""}, {"", 2, ""}}},
		{"2024-05-27", "弾道ミサイル 避難の呼びかけの解除 沖縄県", []after{{"", 1, ""}, {"", 2, ""}}},
	}
	var envs []desk.Envelope
	for _, c := range cases {
		envs = append(envs, notices(t, c.day)...)
	}
	db := storetest.New(t)
	st, in := playAll(t, db, envs)
	if c := in.Counts(); c.Unreadable != 0 || c.Duplicates != 0 {
		t.Errorf("counts %+v", c)
	}
	items, err := st.Inbox(t.Context(), 100)
	if err != nil || len(items) != len(cases) {
		t.Fatalf("%d events for %d cases, %v", len(items), len(cases), err)
	}
	for _, c := range cases {
		i := slices.IndexFunc(items, func(item desk.InboxItem) bool {
			return item.Event.FirstSeenAt.In(desk.JST).Format("2006-01-02") == c.day
		})
		if i < 0 {
			t.Errorf("%s: no event", c.day)
			continue
		}
		e := items[i].Event
		if e.Title != c.title || e.Hazard != desk.Missile || e.Mode != desk.Live || e.Status != desk.EventOpen || e.Telegrams != len(c.after) {
			t.Errorf("%s: %q, %d notices, %s", c.day, e.Title, e.Telegrams, e.Status)
		}
		for n, env := range notices(t, c.day) {
			var grade int16
			var content []byte
			db.Scan(fmt.Sprintf(`SELECT a.grade, a.content FROM advice a JOIN telegram t ON t.id = a.telegram_id WHERE t.name = '%s'`, env.Name), &grade, &content)
			var a desk.Advice
			if err := json.Unmarshal(content, &a); err != nil {
				t.Fatal(err)
			}
			worst := ""
			if a.Checks[0].Result == desk.Contradicts {
				worst = string(a.Checks[0].Code)
			}
			if got := triggeredNames(a.Triggered); got != c.after[n].triggered || desk.Grade(grade) != c.after[n].grade || worst != c.after[n].worst {
				t.Errorf("%s: triggered %q, grade %d, first check %+v", env.Name, got, grade, a.Checks[0])
			}
		}
	}
}

func triggeredNames(list []desk.TriggeredBy) string {
	var names []string
	for _, t := range list {
		names = append(names, t.Prefecture.Name())
	}
	return strings.Join(names, " ")
}

// TestTypedInNoticesAreJudged: an operator's entry is read by the engine like any telegram, and a correction takes it back. // I1-2
func TestTypedInNoticesAreJudged(t *testing.T) {
	db := storetest.New(t)
	console := db.Store(storetest.Console)
	tanaka := storetest.Operator(t, db, "tanaka")
	st := db.Store(storetest.Engine)
	in := start(t, st, "a")
	enter := func(e desk.MissileEntry) desk.InboxItem {
		t.Helper()
		before := in.Counts().Judged
		if _, err := console.EnterMissile(t.Context(), tanaka, e); err != nil {
			t.Fatal(err)
		}
		await(t, "the entry", func() bool { return in.Counts().Judged > before })
		items, err := st.Inbox(t.Context(), 10)
		if err != nil || len(items) == 0 || items[0].Unreadable {
			t.Fatalf("%+v, %v", items, err)
		}
		return items[0]
	}
	e := desk.MissileEntry{Mode: desk.Live, Phase: desk.Issued, Kind: desk.MissileImpact, Source: "内閣官房からの電話", Areas: []desk.MissileArea{{Prefecture: 2, Part: "青森市"}}}
	first := enter(e)
	if triggeredNames(first.Advice.Triggered) != "青森県" || first.Event.Title != "弾道ミサイル 落下 青森県（青森市）" || first.Advice.Grade != desk.GradeAlarm {
		t.Fatalf("%q %+v", first.Event.Title, first.Advice)
	}
	e.Phase, e.Supersedes, e.Areas = desk.Corrected, first.Advice.TelegramID, []desk.MissileArea{{Prefecture: 3}}
	second := enter(e)
	if second.Event.ID != first.Event.ID || triggeredNames(second.Advice.Triggered) != "岩手県" || second.Advice.Checks[0].Result != desk.Contradicts {
		t.Errorf("%q %+v", second.Event.Title, second.Advice)
	}
	e.Mode, e.Phase, e.Supersedes = desk.Drill, desk.Issued, 0
	if drill := enter(e); drill.Event.ID == first.Event.ID || drill.Event.Mode != desk.Drill {
		t.Errorf("a drill joined a live event: %+v", drill.Event)
	}
}

// TestEDXLIsOffByDefault: the envelope is shown, not read, until somebody sets the option. // feeds.md 4.4
func TestEDXLIsOffByDefault(t *testing.T) {
	env := desk.Envelope{Feed: "line-l", Raw: []byte(`<alert><status>Actual</status><info><event>ミサイル落下</event></info></alert>`)}
	if _, err := (&Options{}).parserFor(env)(env); desk.KindOf(err) != desk.Invalid {
		t.Errorf("off: %v", err)
	}
	if tg, err := (&Options{EDXL: true}).parserFor(env)(env); err != nil || tg.Hazard != desk.Missile {
		t.Errorf("on: %v", err)
	}
}

// TestADrillTextNeverConcernsALivePrefecture: whatever it says, by whatever door, and wherever it declares itself. // law 4
func TestADrillTextNeverConcernsALivePrefecture(t *testing.T) {
	sentences := []string{
		"ミサイル落下。ミサイル落下。ミサイルが、８時０３分頃、青森県青森市周辺に落下したものとみられます。", "直ちに避難。直ちに避難。ミサイルが、８時００分頃、北海道周辺に落下するものとみられます。",
		"ミサイル発射。ミサイル発射。北朝鮮からミサイルが発射されたものとみられます。", "対象地域：北海道、青森県、東京都島しょ部",
	}
	marks := []string{
		"これは訓練です。", "これは、訓練です。", "これは、テストです。", "これは試験放送です。", "これは、Jアラートの訓練です。", "【訓練】", "（訓練）", "[訓練]", "＜訓練＞", "【試験】", "〔テスト〕", "※訓練", "訓練、訓練。", "訓練放送", "訓練電文", "訓練です。", "■訓練",
		"種別：訓練", "（訓練用）", "訓練情報", "訓練として配信しています。", "ただいまのは訓練です。", "※※試験※※", "件名：【訓練】国民保護に関する情報", "これは　訓練　です。",
	}
	doors := []func(string) (desk.Telegram, error){
		func(text string) (desk.Telegram, error) {
			return jalert.ParseText(desk.Envelope{Feed: "line", Raw: []byte(text), ReceivedAt: time.Unix(1_700_000_000, 0)})
		},
		func(text string) (desk.Telegram, error) {
			raw, err := json.Marshal(desk.MissileEntry{Mode: desk.Live, Phase: desk.Issued, Source: "NHK", Text: text})
			if err != nil {
				return desk.Telegram{}, err
			}
			return jalert.ParseEntry(desk.Envelope{Feed: "manual", Raw: raw, ReceivedAt: time.Unix(1_700_000_000, 0)})
		},
		func(text string) (desk.Telegram, error) {
			raw := `<EDXLDistribution><distributionStatus>Actual</distributionStatus><Report><Head><Headline><Text>` + text + `</Text></Headline></Head></Report></EDXLDistribution>`
			return jalert.ParseEDXL(desk.Envelope{Feed: "line", Raw: []byte(raw), ReceivedAt: time.Unix(1_700_000_000, 0)})
		},
	}
	rapid.Check(t, func(r *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom(sentences), 1, 4).Draw(r, "lines")
		mark := rapid.SampledFrom(marks).Draw(r, "mark")
		lines = slices.Insert(lines, rapid.IntRange(0, len(lines)).Draw(r, "where"), mark)
		text := "国民保護に関する情報\n" + strings.Join(lines, rapid.SampledFrom([]string{"\n", "\n\n", "\r\n"}).Draw(r, "break"))
		tg, err := rapid.SampledFrom(doors).Draw(r, "door")(text)
		if err != nil {
			return // shown as unreadable, concerns nobody
		}
		e := rules.Fold(desk.Event{}, []desk.Telegram{tg})
		a := rules.Advise(rules.Case{Event: e, Telegrams: []desk.Telegram{tg}, New: tg}, nil, desk.Policy{PrefectureFrom: desk.Intensity5Lower})
		if e.Mode == desk.Live && len(a.Triggered) > 0 {
			r.Fatalf("%q concerns %s", text, triggeredNames(a.Triggered))
		}
		if a.Contradictions() == 0 {
			r.Fatalf("%q contradicts nothing", text)
		}
	})
}
