package intake

import (
	"bytes"
	"slices"
	"testing"

	"yagura/feeds/replay"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// TestDrillsByEveryPathStayDrills: every kind of telegram there is, sent as 訓練 or 試験 by every path, makes no live event. // law 4
func TestDrillsByEveryPathStayDrills(t *testing.T) {
	var all []desk.Envelope
	for _, folder := range []string{"real", "samples"} {
		envs, err := replay.Files(sharedFolder(t, folder))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, envs...)
	}
	feedsOf := []string{"dmdata", "jma-pull", "line-folder", "line-http", "replay"}
	words := []string{"<Status>訓練</Status>", "<Status>試験</Status>"}
	kinds := map[string]int{}
	var drills []desk.Envelope
	for i, env := range all {
		tg, err := (&Options{}).parse(desk.Telegram{Envelope: env})
		if err != nil {
			t.Fatal(err)
		}
		if kinds[tg.Type]++; kinds[tg.Type] > 4 { // enough of each kind
			continue
		}
		env.Feed = feedsOf[i%len(feedsOf)]
		env.Raw = bytes.Replace(env.Raw, []byte("<Status>通常</Status>"), []byte(words[i%2]), 1) // Control stands first
		drills = append(drills, env)
	}
	db := storetest.New(t)
	_, in := playAll(t, db, drills)
	var live, others, triggered int
	db.Scan(`SELECT count(*) FILTER (WHERE mode = 'live'), count(*) FILTER (WHERE mode <> 'live') FROM event`, &live, &others)
	db.Scan(`SELECT count(*) FROM advice a JOIN event e ON e.id = a.event_id WHERE e.mode = 'live' AND a.content->>'triggered' IS NOT NULL`, &triggered)
	t.Logf("%d telegrams of %d kinds, %d drill or test events, %+v", len(drills), len(kinds), others, in.Counts())
	if live != 0 || triggered != 0 || others == 0 || in.Counts().Unreadable != 0 {
		t.Errorf("%d live events, %d triggered, %+v", live, triggered, in.Counts())
	}
}

// TestAMissileTextBecomesAnEvent: the text of the desk's own line is read, kept and judged like any telegram. // F3-1-o
func TestAMissileTextBecomesAnEvent(t *testing.T) {
	const launch = "ミサイル発射。ミサイル発射。ミサイルが発射されたものとみられます。建物の中、又は地下に避難して下さい。対象地域：北海道"
	const lands = "直ちに避難。直ちに避難。直ちに建物の中、又は地下に避難して下さい。ミサイルが落下する可能性があります。直ちに避難して下さい。対象地域：北海道"
	at := storetest.Noto
	st, in := playAll(t, storetest.New(t), []desk.Envelope{
		{Feed: "line-folder", Name: "1", Raw: []byte(launch), ReceivedAt: at},
		{Feed: "line-http", Name: "2", Raw: []byte(lands), ReceivedAt: at.Add(60e9)},
		{Feed: "line-folder", Name: "3", Raw: []byte("訓練。" + lands), ReceivedAt: at.Add(90e9)},
	})
	items, err := st.Inbox(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		t.Logf("%s %s %d通 等級%d %v %q", i.Event.Mode, i.Event.Title, i.Event.Telegrams, i.Advice.Grade, i.Advice.Triggered, i.Event.Headline)
		if i.Event.Hazard != desk.Missile || i.Event.Title == "" || i.Advice.Grade == 0 || i.Event.Mode != desk.Live && len(contradictions(i.Advice)) == 0 {
			t.Errorf("%+v", i.Event)
		}
	}
	if live := slices.IndexFunc(items, func(i desk.InboxItem) bool { return i.Event.Mode == desk.Live }); live < 0 || in.Counts().Unreadable != 0 {
		t.Errorf("%d items, %+v", len(items), in.Counts())
	}
}
