package rules

import (
	"testing"
	"time"

	"yagura/store/desk"
)

func TestReview(t *testing.T) { // F3-1-k.4
	p := desk.Policy{PrefectureFrom: desk.Intensity5Lower, NationwideFrom: desk.Intensity6Upper, MergeWindow: 6 * time.Hour, MergeKM: 100}
	at := time.Date(2024, 1, 1, 7, 18, 0, 0, time.UTC)
	ishikawa := desk.TriggeredBy{Prefecture: 17, Intensity: desk.Intensity5Upper, Reason: desk.ReasonIntensity}
	item := desk.InboxItem{
		Event: desk.Event{
			ID: 3, Hazard: desk.Earthquake, Mode: desk.Live, Status: desk.EventOpen, OccurredAt: at,
			Prefectures: []desk.PrefectureIntensity{{Code: 17, Intensity: desk.Intensity5Upper}},
		},
		Advice: &desk.Advice{ID: 9, EventID: 3, Triggered: []desk.TriggeredBy{ishikawa}},
	}
	open := []desk.Incident{{
		ID: 1, Hazard: desk.Earthquake, Mode: desk.Live, LastOccurred: at.Add(-8 * time.Minute), Events: []desk.EventID{1},
		Notified: []desk.Notified{{Prefecture: 17, Intensity: desk.Intensity7, EventIDs: []desk.EventID{1}}},
	}}
	if _, changed := Review(item, nil, p); changed {
		t.Error("nothing changed, and the advice did")
	}
	a, changed := Review(item, open, p)
	if !changed || a.Merge == nil || !a.Merge.Join || len(a.Merge.Added)+len(a.Merge.Raised) != 0 {
		t.Fatalf("an incident opened before the event was judged: %+v", a.Merge)
	}
	item.Advice = &a
	open[0].LastOccurred = at.Add(-3 * time.Minute)
	if _, changed := Review(item, open, p); changed {
		t.Error("minutes that moved are no news")
	}

	weak := item
	weak.Event.Prefectures = []desk.PrefectureIntensity{{Code: 17, Intensity: desk.Intensity3}}
	weak.Advice = &desk.Advice{ID: 10, EventID: 3}
	if a, _ := Review(weak, open, p); a.Merge == nil || !a.Merge.Join {
		t.Errorf("a weak shaking at the same place does not join: %+v", a.Merge)
	}
	weak.Event.Prefectures[0].Intensity = desk.Intensity2
	if a, _ := Review(weak, open, p); a.Merge == nil || a.Merge.Join {
		t.Errorf("a shaking of 2 without a hypocentre joins: %+v", a.Merge)
	}

	decided := item
	decided.IncidentID, decided.Advice = 1, &desk.Advice{ID: 11, EventID: 3, Triggered: []desk.TriggeredBy{ishikawa}}
	if _, changed := Review(decided, open, p); changed {
		t.Error("the advice changed under the hands of the operator who is about to send on it")
	}
	open[0].Notified[0].EventIDs = append(open[0].Notified[0].EventIDs, 3)
	open[0].Events = append(open[0].Events, 3)
	if a, changed := Review(decided, open, p); !changed || len(a.Merge.Added) != 0 {
		t.Errorf("after its people were asked: %+v", a.Merge)
	}
	gone := item
	gone.Event.Status = desk.EventRetracted
	if _, changed := Review(gone, nil, p); changed {
		t.Error("a retracted event was reviewed")
	}
}
