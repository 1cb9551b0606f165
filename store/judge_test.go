package store_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// room is a database with an engine and a console, as the two processes see it.
type room struct {
	db              *storetest.DB
	engine, console *store.Store
	tanaka          desk.OperatorID
	telegrams       int
}

func newRoom(t *testing.T) *room {
	t.Helper()
	r := &room{db: storetest.New(t)}
	r.engine, r.console = r.db.Store(storetest.Engine), r.db.Store(storetest.Console)
	r.tanaka = storetest.Operator(t, r.db, "tanaka")
	return r
}

var at1610 = time.Date(2024, 1, 1, 7, 10, 0, 0, time.UTC)

// telegram stores a telegram and its reading.
func (r *room) telegram(t *testing.T, change func(*desk.Telegram)) desk.Telegram {
	t.Helper()
	r.telegrams++
	tg := desk.Telegram{
		Type: "VXSE51", Title: "震度速報", Mode: desk.Live, Phase: desk.Issued, Hazard: desk.Earthquake, EventIDs: []string{"20240101161010"},
		PressTime: at1610.Add(time.Duration(r.telegrams) * time.Second), MaxIntensity: desk.Intensity5Upper,
		Areas: []desk.AreaIntensity{{Code: "390", Name: "石川県能登", Intensity: desk.Intensity5Upper}},
	}
	tg.Feed, tg.Name, tg.Raw, tg.ReceivedAt = "replay", "a.xml", fmt.Appendf(nil, "<Report>%d</Report>", r.telegrams), tg.PressTime.Add(time.Second)
	tg.Digest = [32]byte{byte(r.telegrams), 1}
	if change != nil {
		change(&tg)
	}
	id, fresh, err := r.engine.StoreTelegram(t.Context(), tg.Envelope, tg.Digest)
	if err != nil || !fresh {
		t.Fatalf("StoreTelegram: %v, fresh %v", err, fresh)
	}
	tg.ID = id
	if err := r.engine.RecordReading(t.Context(), tg, ""); err != nil {
		t.Fatal(err)
	}
	return tg
}

func eventFrom(tg desk.Telegram, id desk.EventID, telegrams int) desk.Event {
	lat, lon := 37.5, 137.2
	return desk.Event{
		ID: id, Hazard: desk.Earthquake, Mode: tg.Mode, EventIDs: tg.EventIDs, OccurredAt: at1610, FirstSeenAt: at1610,
		UpdatedAt: tg.ReceivedAt, Status: desk.EventOpen, Title: "石川県能登地方 震度5強", MaxIntensity: tg.MaxIntensity, Telegrams: telegrams,
		Tsunami: desk.TsunamiNone, Hypocenter: &desk.Hypocenter{Name: "石川県能登地方", Lat: &lat, Lon: &lon},
		Prefectures: []desk.PrefectureIntensity{{Code: 17, Name: "石川県", Intensity: tg.MaxIntensity}},
	}
}

var someAdvice = desk.Advice{
	Grade: desk.GradeAlarm, Checks: []desk.Check{{Code: desk.CheckEEW, Result: desk.Contradicts, Text: "緊急地震速報なし"}},
	Triggered: []desk.TriggeredBy{{Prefecture: 17, Intensity: desk.Intensity5Upper, Reason: desk.ReasonIntensity}},
}

// event saves a new event of one telegram.
func (r *room) event(t *testing.T, change func(*desk.Telegram)) (desk.EventID, desk.AdviceID) {
	t.Helper()
	tg := r.telegram(t, change)
	id, advice, err := r.engine.SaveEvent(t.Context(), eventFrom(tg, 0, 1), tg.ID, someAdvice)
	if err != nil {
		t.Fatal(err)
	}
	return id, advice
}

func (r *room) verify(t *testing.T, event desk.EventID, advice desk.AdviceID, f desk.Finding) {
	t.Helper()
	if _, err := r.console.Verify(t.Context(), r.tanaka, desk.Verification{EventID: event, AdviceID: advice, Finding: f, Reason: "目視"}); err != nil {
		t.Fatal(err)
	}
}

func TestTelegramIsKeptVerbatimAndOnce(t *testing.T) { // law 1
	r := newRoom(t)
	env := desk.Envelope{Feed: "jma", Name: "a\x00b\xff.xml", Raw: []byte{0, 0xff, '<', '\r', '\n'}, ReceivedAt: at1610}
	id, fresh, err := r.engine.StoreTelegram(t.Context(), env, [32]byte{9})
	if err != nil || !fresh {
		t.Fatal(err, fresh)
	}
	again, fresh, err := r.engine.StoreTelegram(t.Context(), desk.Envelope{Feed: "other", ReceivedAt: at1610}, [32]byte{9})
	if err != nil || fresh || again != id {
		t.Errorf("again: %d, fresh %v, %v", again, fresh, err)
	}
	raw, err := r.console.TelegramRaw(t.Context(), id)
	if err != nil || string(raw) != string(env.Raw) {
		t.Errorf("raw = %q, %v", raw, err)
	}
	if _, err := r.console.TelegramRaw(t.Context(), id+1); desk.KindOf(err) != desk.NotFound {
		t.Errorf("an unknown telegram: %v", err)
	}
	unread, err := r.engine.Unread(t.Context(), 10)
	if err != nil || len(unread) != 1 || unread[0].ID != id || string(unread[0].Raw) != string(env.Raw) || unread[0].Digest != [32]byte{9} {
		t.Errorf("unread = %+v, %v", unread, err)
	}
	if err := r.engine.RecordReading(t.Context(), unread[0], "XMLではありません。"); err != nil {
		t.Fatal(err)
	}
	if unread, err = r.engine.Unread(t.Context(), 10); err != nil || len(unread) != 0 {
		t.Errorf("still unread: %v, %v", unread, err)
	}
	items, err := r.console.Inbox(t.Context(), 10)
	if err != nil || len(items) != 1 || !items[0].Unreadable || !strings.Contains(items[0].Event.Headline, "XMLではありません") {
		t.Errorf("inbox = %+v, %v", items, err)
	}
}

func TestTelegramSurvivesTheStore(t *testing.T) {
	r := newRoom(t)
	depth, m := 10.0, 7.6
	sent := r.telegram(t, func(tg *desk.Telegram) {
		tg.Type, tg.Serial, tg.Headline, tg.Text = "VXSE53", "2", "１日１６時１０分ころ、地震がありました。", "a\x00b"
		tg.ForecastIntensity = &desk.IntensityRange{From: desk.Intensity6Lower, Over: true}
		tg.Hypocenters = []desk.Hypocenter{{Name: "石川県能登地方", DepthKM: &depth, Magnitude: &m, MagnitudeKind: desk.MagnitudeNumber}}
		tg.Comments = []desk.Comment{{Codes: []string{"0211"}, Text: "津波警報等"}}
	})
	id, _, err := r.engine.SaveEvent(t.Context(), eventFrom(sent, 0, 1), sent.ID, someAdvice)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.engine.TelegramsOf(t.Context(), id)
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	if got[0].StoredAt.IsZero() || got[0].Raw != nil || got[0].Text != "ab" {
		t.Errorf("stored %v, raw %q, text %q", got[0].StoredAt, got[0].Raw, got[0].Text)
	}
	got[0].StoredAt, sent.Raw, sent.Text = time.Time{}, nil, "ab"
	want, _ := json.Marshal(sent)
	have, _ := json.Marshal(got[0])
	if string(want) != string(have) {
		t.Errorf("\n%s\n%s", want, have)
	}
}

func TestSaveEventIsGuardedAndIdempotent(t *testing.T) {
	r := newRoom(t)
	one, two, three := r.telegram(t, nil), r.telegram(t, nil), r.telegram(t, nil)
	id, advice, err := r.engine.SaveEvent(t.Context(), eventFrom(one, 0, 1), one.ID, someAdvice)
	if err != nil {
		t.Fatal(err)
	}
	// The same again, as after a crash before the reading was recorded: nothing new.
	for _, known := range []desk.EventID{0, id} {
		sameID, sameAdvice, err := r.engine.SaveEvent(t.Context(), eventFrom(one, known, 1), one.ID, someAdvice)
		if err != nil || sameID != id || sameAdvice != advice {
			t.Errorf("again with %d: %d %d %v", known, sameID, sameAdvice, err)
		}
	}
	// Two readers of two telegrams, each having seen only the first and its own: the second is refused.
	if _, _, err := r.engine.SaveEvent(t.Context(), eventFrom(two, id, 2), two.ID, someAdvice); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.engine.SaveEvent(t.Context(), eventFrom(three, id, 2), three.ID, someAdvice); desk.KindOf(err) != desk.Conflict {
		t.Errorf("an event folded from too few telegrams: %v", err)
	}
	// A second event of the same EventID is refused: somebody made it meanwhile.
	if _, _, err := r.engine.SaveEvent(t.Context(), eventFrom(three, 0, 1), three.ID, someAdvice); desk.KindOf(err) != desk.Conflict {
		t.Errorf("a second event of one EventID: %v", err)
	}
	if _, _, err := r.engine.SaveEvent(t.Context(), eventFrom(three, id, 3), three.ID, someAdvice); err != nil {
		t.Errorf("with all telegrams: %v", err)
	}
	// An event never changes its world. // law 4
	drill := r.telegram(t, func(tg *desk.Telegram) { tg.Mode = desk.Drill })
	if _, _, err := r.engine.SaveEvent(t.Context(), eventFrom(drill, id, 4), drill.ID, someAdvice); desk.KindOf(err) != desk.Conflict {
		t.Errorf("a live event became a drill: %v", err)
	}
}

func TestConcurrentNewEventsAreOne(t *testing.T) {
	r := newRoom(t)
	a, b := r.telegram(t, nil), r.telegram(t, nil)
	var both sync.WaitGroup
	errs := make([]error, 2)
	for i, tg := range []desk.Telegram{a, b} {
		both.Go(func() { _, _, errs[i] = r.engine.SaveEvent(t.Context(), eventFrom(tg, 0, 1), tg.ID, someAdvice) })
	}
	both.Wait()
	var events int
	r.db.Scan(`SELECT count(*) FROM event`, &events)
	if events != 1 || (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("%d events, %v, %v", events, errs[0], errs[1])
	}
}

func TestEventsNear(t *testing.T) {
	r := newRoom(t)
	id, _ := r.event(t, nil)
	r.event(t, func(tg *desk.Telegram) { tg.Mode = desk.Drill })
	for name, c := range map[string]struct {
		keys   []string
		mode   desk.Mode
		hazard desk.Hazard
		at     time.Time
		want   int
	}{
		"by key, long after": {[]string{"20240101161010"}, desk.Live, desk.Earthquake, at1610.AddDate(0, 0, 3), 1},
		"by time":            {nil, desk.Live, desk.Earthquake, at1610.Add(4 * time.Minute), 1},
		"neither":            {[]string{"x"}, desk.Live, desk.Earthquake, at1610.Add(time.Hour), 0},
		"another mode":       {[]string{"20240101161010"}, desk.Test, desk.Earthquake, at1610, 0},
		"another hazard":     {[]string{"20240101161010"}, desk.Live, desk.Weather, at1610, 0},
	} {
		got, err := r.engine.EventsNear(t.Context(), c.keys, c.mode, c.hazard, c.at, 5*time.Minute)
		if err != nil || len(got) != c.want || c.want == 1 && (got[0].ID != id || got[0].Title == "" || got[0].StoredAt.IsZero()) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	recent, err := r.engine.RecentEvents(t.Context(), at1610)
	if err != nil || len(recent) != 2 || recent[0].UpdatedAt.Before(recent[1].UpdatedAt) {
		t.Errorf("recent = %d, %v", len(recent), err)
	}
}

func TestVerifyIsOnTheLatestAdvice(t *testing.T) { // F3-1-k.3
	r := newRoom(t)
	id, old := r.event(t, nil)
	tg := r.telegram(t, nil)
	_, latest, err := r.engine.SaveEvent(t.Context(), eventFrom(tg, id, 2), tg.ID, someAdvice)
	if err != nil {
		t.Fatal(err)
	}
	finding := func(a desk.AdviceID, f desk.Finding) error {
		_, err := r.console.Verify(t.Context(), r.tanaka, desk.Verification{EventID: id, AdviceID: a, Finding: f, Reason: "報道で確認"})
		return err
	}
	refused(t, finding(old, desk.Genuine), desk.Stale, "新しい電文")
	refused(t, finding(latest, "maybe"), desk.Invalid, "真報")
	if err := finding(latest, desk.Held); err != nil {
		t.Fatal(err)
	}
	if err := finding(latest, desk.Genuine); err != nil {
		t.Fatal(err)
	}
	_, err = r.console.Verify(t.Context(), r.tanaka+99, desk.Verification{EventID: id, AdviceID: latest, Finding: desk.Genuine})
	refused(t, err, desk.Forbidden, "当直者")
	_, err = r.console.Verify(t.Context(), r.tanaka, desk.Verification{EventID: id + 99, AdviceID: latest, Finding: desk.Genuine})
	refused(t, err, desk.NotFound, "事象")
	file, err := r.console.EventFile(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	v := file.Item.Verification
	if len(file.Verifications) != 2 || len(file.Telegrams) != 2 || v == nil || v.Finding != desk.Genuine || v.Operator == "" || v.AdviceID != latest {
		t.Errorf("file = %+v", file)
	}
	if a := file.Item.Advice; a.ID != latest || a.Contradictions() != 1 || len(a.Triggered) != 1 || a.Grade != desk.GradeAlarm || a.At.IsZero() {
		t.Errorf("advice = %+v", a)
	}
	var audited int
	r.db.Scan(`SELECT count(*) FROM audit WHERE act = 'event.verify' AND actor = 'operator:tanaka' AND chain <> ''`, &audited)
	if audited != 2 {
		t.Errorf("%d audit rows for two findings", audited)
	}
	if _, err := r.console.EventFile(t.Context(), id+99); desk.KindOf(err) != desk.NotFound {
		t.Errorf("an unknown event: %v", err)
	}
}

func TestInboxIsNewestFirst(t *testing.T) {
	r := newRoom(t)
	for i := range 5 {
		r.event(t, func(tg *desk.Telegram) { tg.EventIDs = []string{fmt.Sprintf("2024010116%02d00", i)} })
	}
	items, err := r.console.Inbox(t.Context(), 3)
	if err != nil || len(items) != 3 {
		t.Fatalf("%d items, %v", len(items), err)
	}
	for i := 1; i < len(items); i++ {
		if items[i-1].Event.UpdatedAt.Before(items[i].Event.UpdatedAt) || items[i].Advice == nil {
			t.Errorf("item %d: %+v", i, items[i])
		}
	}
}
