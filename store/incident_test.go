package store_test

import (
	"sync"
	"testing"

	"yagura/store/desk"
	"yagura/store/storetest"
)

func (r *room) decide(t *testing.T, c desk.IncidentChoice) (desk.IncidentID, error) {
	t.Helper()
	return r.console.Decide(t.Context(), r.tanaka, c)
}

func named(id string) func(*desk.Telegram) {
	return func(tg *desk.Telegram) { tg.EventIDs = []string{id} }
}

func TestDecide(t *testing.T) { // F3-1-k.2 F3-1-k.4
	r := newRoom(t)
	first, advice := r.event(t, named("20240101161010"))
	open := desk.IncidentChoice{EventID: first, Title: "能登半島", Reason: desk.FirstOfItsKind}
	_, err := r.decide(t, open)
	refused(t, err, desk.Conflict, "真報")
	r.verify(t, first, advice, desk.Genuine)
	r.verify(t, first, advice, desk.False)
	_, err = r.decide(t, open)
	refused(t, err, desk.Conflict, "誤報")
	r.verify(t, first, advice, desk.Genuine)
	id, err := r.decide(t, open)
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.decide(t, open)
	refused(t, err, desk.Conflict, "すでに")

	second, advice := r.event(t, named("20240101161848"))
	r.verify(t, second, advice, desk.Genuine)
	_, err = r.decide(t, desk.IncidentChoice{EventID: second, Incident: id, Reason: desk.OtherReason})
	refused(t, err, desk.Invalid, "その他")
	_, err = r.decide(t, desk.IncidentChoice{EventID: second, Incident: id, Reason: "whim"})
	refused(t, err, desk.Invalid, "理由")
	_, err = r.decide(t, desk.IncidentChoice{EventID: second, Incident: id + 99, Reason: desk.SameSeries})
	refused(t, err, desk.NotFound, "災害事象")
	if joined, err := r.decide(t, desk.IncidentChoice{EventID: second, Incident: id, Reason: desk.SameSeries}); err != nil || joined != id {
		t.Fatal(joined, err)
	}
	incidents, err := r.console.OpenIncidents(t.Context(), desk.Live)
	if err != nil || len(incidents) != 1 {
		t.Fatal(incidents, err)
	}
	i := incidents[0]
	if len(i.Events) != 2 || i.Title != "能登半島" || i.MaxIntensity != desk.Intensity5Upper || len(i.Hypocenters) != 2 || i.LastOccurred.IsZero() || i.OpenedBy == "" {
		t.Errorf("incident = %+v", i)
	}
	if err := r.console.CloseIncident(t.Context(), r.tanaka, id); err != nil {
		t.Fatal(err)
	}
	if err := r.console.CloseIncident(t.Context(), r.tanaka, id); desk.KindOf(err) != desk.Conflict {
		t.Errorf("closed twice: %v", err)
	}
	third, advice := r.event(t, named("20240101165654"))
	r.verify(t, third, advice, desk.Genuine)
	_, err = r.decide(t, desk.IncidentChoice{EventID: third, Incident: id, Reason: desk.SameSeries})
	refused(t, err, desk.Conflict, "終了")
	file, err := r.console.IncidentFile(t.Context(), id)
	if err != nil || len(file.Events) != 2 || file.Incident.ClosedAt.IsZero() || file.Events[0].IncidentID != id {
		t.Errorf("file = %+v, %v", file, err)
	}
	if _, err := r.console.IncidentFile(t.Context(), id+99); desk.KindOf(err) != desk.NotFound {
		t.Errorf("an unknown incident: %v", err)
	}
}

func TestDrillNeverJoinsALiveIncident(t *testing.T) { // law 4
	r := newRoom(t)
	live, advice := r.event(t, nil)
	r.verify(t, live, advice, desk.Genuine)
	id, err := r.decide(t, desk.IncidentChoice{EventID: live, Reason: desk.FirstOfItsKind})
	if err != nil {
		t.Fatal(err)
	}
	drill, advice := r.event(t, func(tg *desk.Telegram) { tg.Mode = desk.Drill })
	r.verify(t, drill, advice, desk.Genuine)
	_, err = r.decide(t, desk.IncidentChoice{EventID: drill, Incident: id, Reason: desk.SameSeries})
	refused(t, err, desk.Conflict, "訓練の事象を本番の")
	own, err := r.decide(t, desk.IncidentChoice{EventID: drill, Reason: desk.FirstOfItsKind})
	if err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[desk.Mode]desk.IncidentID{desk.Live: id, desk.Drill: own} {
		list, err := r.console.OpenIncidents(t.Context(), mode)
		if err != nil || len(list) != 1 || list[0].ID != want || list[0].Mode != mode {
			t.Errorf("%s: %+v, %v", mode, list, err)
		}
	}
	file, err := r.console.EventFile(t.Context(), drill)
	if err != nil || len(file.Incidents) != 1 || file.Incidents[0].Mode != desk.Drill {
		t.Errorf("a drill is offered %+v, %v", file.Incidents, err)
	}
}

func TestTwoOperatorsDecideOnce(t *testing.T) {
	r := newRoom(t)
	event, advice := r.event(t, nil)
	r.verify(t, event, advice, desk.Genuine)
	sato := storetest.Operator(t, r.db, "sato")
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i, operator := range []desk.OperatorID{r.tanaka, sato} {
		both.Go(func() {
			_, errs[i] = r.console.Decide(t.Context(), operator, desk.IncidentChoice{EventID: event, Reason: desk.FirstOfItsKind})
		})
	}
	both.Wait()
	var incidents int
	r.db.Scan(`SELECT count(*) FROM incident`, &incidents)
	if (errs[0] == nil) == (errs[1] == nil) || incidents != 1 {
		t.Errorf("%v, %v, %d incidents", errs[0], errs[1], incidents)
	}
	for _, err := range errs {
		if err != nil && desk.KindOf(err) != desk.Conflict {
			t.Errorf("the slower one gets %v", err)
		}
	}
}

func TestNotifiedIsWhatWasApproved(t *testing.T) {
	d := onDuty(t)
	d.propose(t)
	notified := func() []desk.Notified {
		list, err := d.store.OpenIncidents(t.Context(), desk.Live)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0].Notified
	}
	if n := notified(); len(n) != 0 {
		t.Errorf("a mere proposal counts as notified: %v", n)
	}
	d.approve(t)
	n := notified()
	if len(n) != len(storetest.Ishikawa()) || n[0].Prefecture != 17 || len(n[0].EventIDs) != 1 || n[0].EventIDs[0] != d.event {
		t.Errorf("notified = %+v", n)
	}
	d.db.Exec(`UPDATE dispatch SET state = 'withdrawn' WHERE state = 'approved'`)
	if n := notified(); len(n) != 0 {
		t.Errorf("a withdrawn dispatch counts as notified: %v", n)
	}
	files, err := d.store.Incidents(t.Context(), 10)
	if err != nil || len(files) != 1 || len(files[0].Dispatches) != 2 || len(files[0].Events) != 1 {
		t.Errorf("files = %+v, %v", files, err)
	}
}
