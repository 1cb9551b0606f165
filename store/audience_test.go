package store_test

import (
	"testing"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// TestNobodyIsAskedTwiceAboutOneShaking: 30 people in Ishikawa of whom 5 also live in Niigata, and 4 in Niigata alone. A first
// dispatch asks Ishikawa; the next one of the same incident asks only who was not asked, unless Ishikawa was shaken harder.
func TestNobodyIsAskedTwiceAboutOneShaking(t *testing.T) { // F3-1-k.4
	d := onDuty(t)
	storetest.People(t, d.db, 4, 15, 1)
	d.db.Exec(`INSERT INTO person_region SELECT id, 15 FROM person ORDER BY id LIMIT 5`)
	d.db.Exec(`UPDATE policy SET count_down_ms = 0`)
	engine := d.db.Store(storetest.Engine)
	niigata := desk.TriggeredBy{Prefecture: 15, Intensity: desk.Intensity5Upper, Reason: desk.ReasonIntensity}
	raised := storetest.Ishikawa()[0]
	raised.Reason = desk.ReasonRaised

	first := d.approve(t)
	for name, c := range map[string]struct {
		triggered []desk.TriggeredBy
		people    int
	}{
		"asked already":      {storetest.Ishikawa(), 0},
		"added":              {[]desk.TriggeredBy{niigata}, 4},
		"added and raised":   {[]desk.TriggeredBy{niigata, raised}, 34},
		"only raised":        {[]desk.TriggeredBy{raised}, 30},
		"added, asked twice": {append(storetest.Ishikawa(), niigata), 4},
	} {
		got, err := d.store.PreviewAudience(t.Context(), d.incident, c.triggered)
		if err != nil || got.People != c.people {
			t.Errorf("%s: %d people, want %d, %v", name, got.People, c.people, err)
		}
		sum := 0
		for _, p := range got.ByPrefecture {
			sum += p.People
		}
		if sum < got.People {
			t.Errorf("%s: the prefectures count %d of %d people", name, sum, got.People)
		}
	}
	again := d.draft()
	_, err := d.store.Propose(t.Context(), d.tanaka, again)
	refused(t, err, desk.Invalid, "まだ確認していない利用者は一人もいません")
	again.Triggered = []desk.TriggeredBy{niigata}
	second, err := d.store.Propose(t.Context(), d.tanaka, again)
	if err != nil || second.HeadCount != 4 {
		t.Fatalf("%d people, %v", second.HeadCount, err)
	}
	if _, err := d.store.Approve(t.Context(), d.tanaka, desk.ApprovalOrder{DispatchID: second.ID, HeadCount: 4, Method: desk.OneKey, AdviceID: d.advice}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []desk.DispatchID{second.ID, first} { // whichever engine expands first: the order of approval decides
		if step, err := engine.Expand(t.Context(), id, 1000); err != nil || !step.Done {
			t.Fatalf("%+v, %v", step, err)
		}
	}
	asked, err := d.store.TimesAsked(t.Context())
	if err != nil || len(asked) != 1 || asked[1] != 34 {
		t.Errorf("people by times asked: %v, %v", asked, err)
	}
}

func TestAfterAStopEverybodyMayBeAskedAgain(t *testing.T) { // law 5, law 7
	d := onDuty(t)
	id := d.approve(t)
	d.db.Exec(`UPDATE approval SET not_before = now() - interval '1 s'`)
	if _, err := d.store.StopDispatch(t.Context(), d.tanaka, id, ""); err != nil {
		t.Fatal(err)
	}
	if got, err := d.store.PreviewAudience(t.Context(), d.incident, storetest.Ishikawa()); err != nil || got.People != 30 {
		t.Errorf("%d people, %v", got.People, err)
	}
	if open, err := d.store.OpenIncidents(t.Context(), desk.Live); err != nil || len(open) != 1 || len(open[0].Notified) != 0 {
		t.Errorf("%+v, %v", open, err)
	}
}
