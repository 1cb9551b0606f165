package store_test

import (
	"sync"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

func lateClock() (desk.StageClock, desk.ClockRule) {
	return desk.StageClock{Subject: desk.ClockSubject{Kind: desk.SubjectBulletin, ID: 7}, Clause: desk.ClauseQuick, Mode: desk.Live, Title: "【地震速報】", OccurredAt: time.Unix(1700000000, 0).UTC()},
		desk.ClockRule{Version: 1, Clause: desk.ClauseQuick, From: desk.StageOccurred, Until: desk.StageLastAccepted, Limit: 3 * time.Minute, Warn: 1, Breach: 1.5}
}

// P5-6: one mailing has one record, however many engines see it; it is owed until a person marks it as sent.
func TestBreachFromOpenToSent(t *testing.T) {
	db := storetest.New(t)
	engine, desks, owner := db.Store(storetest.Engine), db.Store(storetest.Console), db.Store(storetest.Owner)
	c, r := lateClock()
	var group sync.WaitGroup
	var mu sync.Mutex
	opened, ids := 0, map[int64]bool{}
	for range 8 {
		group.Go(func() {
			id, fresh, err := engine.OpenBreach(t.Context(), "engine@a", c, r, 1.5)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if ids[id] = true; fresh {
				opened++
			}
		})
	}
	group.Wait()
	if opened != 1 || len(ids) != 1 {
		t.Fatalf("%d records opened, ids %v", opened, ids)
	}
	owed, err := desks.UnsentBreaches(t.Context())
	if err != nil || len(owed) != 1 || owed[0].Limit != r.Limit || owed[0].Clock != c || owed[0].From != r.From {
		t.Fatalf("%+v %v", owed, err)
	}
	id := owed[0].ID
	refused := func(what string, err error, kind desk.Kind) {
		t.Helper()
		if desk.KindOf(err) != kind {
			t.Errorf("%s: %v, want %s", what, err, kind)
		}
	}
	_, _, err = owner.BreachReport(t.Context(), id)
	refused("a report before the draft", err, desk.Unavailable)
	refused("sent without a cause", owner.MarkBreachSent(t.Context(), "admin:sato", id), desk.Conflict)
	refused("an empty cause", owner.SetBreachCause(t.Context(), "admin:sato", id, " ", ""), desk.Invalid)
	refused("no such report", owner.SetBreachCause(t.Context(), "admin:sato", 99, "x", ""), desk.NotFound)
	if err := owner.SetBreachCause(t.Context(), "admin:sato", id, "受信の遅れ", ""); err != nil {
		t.Fatal(err)
	}
	refused("sent without a draft", owner.MarkBreachSent(t.Context(), "admin:sato", id), desk.Conflict)
	if err := owner.SetBreachCause(t.Context(), "admin:sato", id, "", "回線の二重化"); err != nil {
		t.Fatal(err)
	}
	if err := engine.DraftBreach(t.Context(), id, c, "報告", []byte("zip")); err != nil {
		t.Fatal(err)
	}
	if owed, _ = desks.UnsentBreaches(t.Context()); owed[0].Cause != "受信の遅れ" || owed[0].Measures != "回線の二重化" || owed[0].Report != "報告" {
		t.Errorf("%+v", owed[0])
	}
	if err := owner.MarkBreachSent(t.Context(), "admin:sato", id); err != nil {
		t.Fatal(err)
	}
	refused("sent twice", owner.MarkBreachSent(t.Context(), "admin:sato", id), desk.Conflict)
	refused("a draft after sending", engine.DraftBreach(t.Context(), id, c, "別", nil), desk.Conflict)
	refused("a cause after sending", owner.SetBreachCause(t.Context(), "admin:sato", id, "別", ""), desk.Conflict)
	if owed, _ = desks.UnsentBreaches(t.Context()); len(owed) != 0 {
		t.Error("the reminder goes on after sending")
	}
	all, err := desks.Breaches(t.Context(), 10)
	if err != nil || len(all) != 1 || all[0].SentBy != "admin:sato" || all[0].SentAt.IsZero() {
		t.Errorf("%+v %v", all, err)
	}
	if _, fresh, err := engine.OpenBreach(t.Context(), "engine@b", c, r, 2); err != nil || fresh {
		t.Errorf("a second record of one mailing: %v %v", fresh, err)
	}
	var acts int
	if db.Scan(`SELECT count(*) FROM audit WHERE subject = 'breach:`+"1"+`'`, &acts); acts != 4 {
		t.Errorf("%d acts recorded, want open, two causes and sent", acts)
	}
}

// A drill owes nobody a report (law 4), and the roles may not do each other's work (law 13).
func TestBreachRefusals(t *testing.T) {
	db := storetest.New(t)
	engine := db.Store(storetest.Engine)
	c, r := lateClock()
	drill := c
	drill.Mode = desk.Drill
	if _, _, err := engine.OpenBreach(t.Context(), "engine", drill, r, 9); desk.KindOf(err) != desk.Invalid {
		t.Errorf("a drill opened a report: %v", err)
	}
	id, _, err := engine.OpenBreach(t.Context(), "engine", c, r, 1.5)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.SetBreachCause(t.Context(), "engine", id, "x", ""); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("an engine wrote a cause: %v", err)
	}
	if _, _, err := db.Store(storetest.Console).OpenBreach(t.Context(), "console", c, r, 1.5); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("a console opened a report: %v", err)
	}
}
