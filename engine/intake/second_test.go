package intake

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// secondReport is the 震度速報 of the main shock and its number, in the form of the second source.
func secondReport(scale int, at string) desk.Envelope {
	raw := fmt.Sprintf(`{"id":"%s-%d","code":551,"time":"2024/01/01 %s.000",
		"issue":{"source":"気象庁","time":"2024/01/01 %s","type":"ScalePrompt","correct":"None"},
		"earthquake":{"time":"2024/01/01 16:10:00","maxScale":%d,"domesticTsunami":"Checking","foreignTsunami":"Unknown",
			"hypocenter":{"name":"","latitude":-200,"longitude":-200,"depth":-1,"magnitude":-1}},
		"points":[{"pref":"石川県","addr":"石川県能登","isArea":true,"scale":%d}]}`, at, scale, at, at, scale, scale)
	return desk.Envelope{Feed: "p2pquake", Name: at, Raw: []byte(raw), ReceivedAt: storetest.Noto.Add(2 * time.Minute)}
}

// mainShock are the telegrams of 16:10 as far as the 震度速報 and the first report.
func mainShock(t *testing.T) []desk.Envelope {
	t.Helper()
	var out []desk.Envelope
	for _, e := range scenario(t, "noto") {
		if strings.Contains(string(e.Raw), "<EventID>20240101161010</EventID>") && !strings.Contains(string(e.Raw), "緊急地震速報") {
			out = append(out, e)
		}
	}
	return out
}

func secondCheck(t *testing.T, st *store.Store) desk.Check {
	t.Helper()
	item := itemOf(t, st, "20240101161010")
	i := slices.IndexFunc(item.Advice.Checks, func(c desk.Check) bool { return c.Code == desk.CheckSecondSource })
	if i < 0 {
		t.Fatal("no check of the second source")
	}
	return item.Advice.Checks[i]
}

func TestTheSecondSourceConfirmsWhicheverComesFirst(t *testing.T) {
	shock, report := mainShock(t), secondReport(70, "16:12:05")
	for name, envs := range map[string][]desk.Envelope{
		"before": append([]desk.Envelope{report}, shock...),
		"after":  append(slices.Clone(shock), report),
	} {
		db := storetest.New(t)
		st, in := playAll(t, db, envs)
		if ck := secondCheck(t, st); ck.Result != desk.Passed || !strings.Contains(ck.Text, "P2PQuake も 16:12 に最大震度7を伝えています") {
			t.Errorf("%s: %+v", name, ck)
		}
		item := itemOf(t, st, "20240101161010")
		if item.Event.Telegrams != len(shock) || in.Counts().Unreadable != 0 {
			t.Errorf("%s: the event has %d telegrams of %d, %+v", name, item.Event.Telegrams, len(shock), in.Counts())
		}
	}
}

func TestTheSecondSourceAloneOpensNothing(t *testing.T) {
	st, in := playAll(t, storetest.New(t), []desk.Envelope{secondReport(70, "16:12:05"), secondReport(60, "16:13:05")})
	items, err := st.Inbox(t.Context(), 10)
	if err != nil || len(items) != 0 || in.Counts().Judged != 2 {
		t.Errorf("%d items, %+v, %v", len(items), in.Counts(), err)
	}
}

// TestTheSecondSourceAndAJudgedEvent: what contradicts is told also to an event that somebody has judged; what confirms is not,
// because newer advice would make his key stale.
func TestTheSecondSourceAndAJudgedEvent(t *testing.T) {
	db := storetest.New(t)
	tanaka := storetest.Operator(t, db, "tanaka")
	console := db.Store(storetest.Console)
	st := db.Store(storetest.Engine)
	next := valve{"p2pquake", make(chan desk.Envelope)}
	shock := mainShock(t)[:1] // the 震度速報 of 16:11
	in := start(t, st, "a", slice{"replay", shock}, next)
	await(t, "the shock", func() bool { return in.Counts().Judged == int64(len(shock)) })
	item := itemOf(t, st, "20240101161010")
	if _, err := console.Verify(t.Context(), tanaka, desk.Verification{EventID: item.Event.ID, AdviceID: item.Advice.ID, Finding: desk.Genuine}); err != nil {
		t.Fatal(err)
	}
	next.next <- secondReport(70, "16:12:05")
	await(t, "the confirmation", func() bool { return in.Counts().Judged == int64(len(shock))+1 })
	if now := itemOf(t, st, "20240101161010"); now.Advice.ID != item.Advice.ID {
		t.Errorf("a confirmation made the operator's advice stale: %+v", now.Advice.Checks)
	}
	next.next <- secondReport(40, "23:59:05") // of no event any more
	await(t, "the late one", func() bool { return in.Counts().Judged == int64(len(shock))+2 })
	if now := itemOf(t, st, "20240101161010"); now.Advice.ID != item.Advice.ID {
		t.Errorf("a report of 23:59 speaks of 16:10: %+v", now.Advice.Checks)
	}
	next.next <- secondReport(40, "16:39:05") // after every telegram of the event: no excuse of an incomplete report
	await(t, "the contradiction", func() bool { return in.Counts().Judged == int64(len(shock))+3 })
	if ck := secondCheck(t, st); ck.Result != desk.Contradicts {
		t.Errorf("a judged event is not told of a contradiction: %+v", ck)
	}
}
