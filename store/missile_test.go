package store_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

func entry() desk.MissileEntry {
	return desk.MissileEntry{
		Mode: desk.Live, Phase: desk.Issued, Kind: desk.MissileForecast, Source: "エムネット端末",
		Areas: []desk.MissileArea{{Prefecture: 1}}, Place: "北海道周辺", Text: "直ちに避難。\r\n直ちに避難。",
	}
}

// TestEnterMissile: what the operator typed is there word for word, in the queue of the reader, and in the operators' chain. // F3-1-o
func TestEnterMissile(t *testing.T) {
	r := newRoom(t)
	id, err := r.console.EnterMissile(t.Context(), r.tanaka, entry())
	if err != nil {
		t.Fatal(err)
	}
	raw, err := r.console.TelegramRaw(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var kept desk.MissileEntry
	if err := json.Unmarshal(raw, &kept); err != nil {
		t.Fatal(err)
	}
	if kept.Operator != "tanaka" || kept.EnteredAt.IsZero() || kept.Text != "直ちに避難。\n直ちに避難。" || kept.Kind != desk.MissileForecast {
		t.Errorf("%+v", kept)
	}
	unread, err := r.engine.Unread(t.Context(), 10)
	if err != nil || len(unread) != 1 || unread[0].ID != id || unread[0].Feed != desk.ManualFeed || unread[0].Name != "tanaka" || !unread[0].ReceivedAt.Equal(kept.EnteredAt) {
		t.Errorf("unread %+v, %v", unread, err)
	}
	var actor, detail string
	r.db.Scan(`SELECT actor, detail::text FROM audit WHERE act = 'missile.enter'`, &actor, &detail)
	if actor != "operator:tanaka" || !strings.Contains(detail, "impact_forecast") {
		t.Errorf("audit %s %s", actor, detail)
	}
	if _, bad, err := r.engine.VerifyAudit(t.Context()); bad != 0 || err != nil {
		t.Errorf("the chain breaks at %d, %v", bad, err)
	}
	again, err := r.console.EnterMissile(t.Context(), r.tanaka, entry())
	if err != nil || again == id {
		t.Errorf("a second entry became %d, %v", again, err)
	}
}

func TestEnterMissileRefuses(t *testing.T) {
	r := newRoom(t)
	quake := r.telegram(t, nil)
	launch := r.telegram(t, func(tg *desk.Telegram) {
		tg.Type, tg.Hazard, tg.Mode = "EMNET", desk.Missile, desk.Drill
		tg.Missile = &desk.MissileReport{Kind: desk.MissileLaunch}
	})
	correction := func(id desk.TelegramID, mode desk.Mode) desk.MissileEntry {
		e := entry()
		e.Mode, e.Phase, e.Supersedes = mode, desk.Corrected, id
		return e
	}
	noSource := entry()
	noSource.Source = " "
	for name, c := range map[string]struct {
		operator desk.OperatorID
		e        desk.MissileEntry
		want     desk.Kind
	}{
		"no source":                   {r.tanaka, noSource, desk.Invalid},
		"a stranger":                  {r.tanaka + 99, entry(), desk.Forbidden},
		"no such telegram":            {r.tanaka, correction(9999, desk.Live), desk.NotFound},
		"an earthquake":               {r.tanaka, correction(quake.ID, desk.Live), desk.NotFound},
		"a live correction of drills": {r.tanaka, correction(launch.ID, desk.Live), desk.Conflict},
	} {
		if _, err := r.console.EnterMissile(t.Context(), c.operator, c.e); desk.KindOf(err) != c.want || desk.Message(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.console.EnterMissile(t.Context(), r.tanaka, correction(launch.ID, desk.Drill)); err != nil {
		t.Errorf("a drill corrected by a drill: %v", err)
	}
}

// TestTheDeskWritesOnlyItsOwnTelegrams: a desk that was taken over cannot make an earthquake of JMA. // law 13
func TestTheDeskWritesOnlyItsOwnTelegrams(t *testing.T) {
	r := newRoom(t)
	env := desk.Envelope{Feed: "dmdata", Name: "x", Raw: []byte("<Report/>"), ReceivedAt: time.Now()}
	if _, _, err := r.console.StoreTelegram(t.Context(), env, [32]byte{1}); err == nil {
		t.Error("the console wrote a telegram of another feed")
	}
	if _, err := r.db.Conn(storetest.Console).Exec(t.Context(), `UPDATE telegram SET feed = 'dmdata'`); err == nil {
		t.Error("the console altered a telegram")
	}
}

// TestAMissileConcernsAPrefecture: the same people as an earthquake there, kept with the reason. // F3-1-o I1-2
func TestAMissileConcernsAPrefecture(t *testing.T) {
	d := onDuty(t)
	by := []desk.TriggeredBy{{Prefecture: 17, Reason: desk.ReasonMissile}}
	quake, err := d.db.Store(storetest.Console).PreviewAudience(t.Context(), 0, storetest.Ishikawa())
	if err != nil {
		t.Fatal(err)
	}
	missile, err := d.db.Store(storetest.Console).PreviewAudience(t.Context(), 0, by)
	if err != nil || missile.People != quake.People || missile.People == 0 {
		t.Fatalf("%d people, an earthquake asks %d, %v", missile.People, quake.People, err)
	}
	draft := d.draft()
	draft.Triggered = by
	made, err := d.store.Propose(t.Context(), d.tanaka, draft)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.Approve(t.Context(), d.tanaka, d.order(made.ID, desk.OneKey)); err != nil {
		t.Fatal(err)
	}
	if len(made.Triggered) != 1 || made.Triggered[0] != by[0] || made.HeadCount != quake.People {
		t.Errorf("%+v for %d people", made.Triggered, made.HeadCount)
	}
	incidents, err := d.store.OpenIncidents(t.Context(), desk.Live)
	if err != nil || len(incidents) != 1 || len(incidents[0].Notified) != 1 || incidents[0].Notified[0].Prefecture != 17 {
		t.Errorf("asked so far: %+v, %v", incidents, err)
	}
}
