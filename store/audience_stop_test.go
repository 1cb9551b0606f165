package store_test

import (
	"testing"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// TestAStopElsewhereAddsNobodyToAnApprovedDispatch: the second dispatch was approved for five people because the first asked the
// other thirty. Stopping the first must not make the second one send thirty-five. // law 2
func TestAStopElsewhereAddsNobodyToAnApprovedDispatch(t *testing.T) {
	d := onDuty(t)
	storetest.People(t, d.db, 5, 16, 1)
	first := d.approve(t)
	wide := d.draft()
	wide.Triggered = append(wide.Triggered, desk.TriggeredBy{Prefecture: 16, Intensity: desk.Intensity6Lower, Reason: desk.ReasonIntensity})
	second, err := d.store.Propose(t.Context(), d.sato, wide)
	if err != nil || second.HeadCount != 5 {
		t.Fatalf("proposed for %d, %v; want 5", second.HeadCount, err)
	}
	order := d.order(second.ID, desk.OneKey)
	order.HeadCount = 5
	if _, err := d.store.Approve(t.Context(), d.sato, order); err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.StopDispatch(t.Context(), d.tanaka, first, ""); err != nil {
		t.Fatal(err)
	}
	d.db.Exec(`UPDATE approval SET not_before = at WHERE dispatch_id = $1`, int64(second.ID))
	step, err := d.db.Store(storetest.Engine).Expand(t.Context(), second.ID, 1000)
	if err != nil || step.People != 5 {
		t.Errorf("expanded to %d people, %v; approved were 5", step.People, err)
	}
	// The second one left the thirty out and the first one never reached them: whoever drafts from now on must find them.
	preview, err := d.store.PreviewAudience(t.Context(), d.incident, storetest.Ishikawa())
	if err != nil || preview.People != 30 {
		t.Errorf("after the stop %d people can still be asked, %v; want 30", preview.People, err)
	}
	open, err := d.store.OpenIncidents(t.Context(), desk.Live)
	if err != nil || len(open) != 1 || len(open[0].Notified) != 0 {
		t.Errorf("the desk is told that somebody was asked: %+v, %v", open, err)
	}
	// A dispatch approved after the stop counted without it and is believed.
	third := d.approve(t)
	if preview, err = d.store.PreviewAudience(t.Context(), d.incident, storetest.Ishikawa()); err != nil || preview.People != 0 {
		t.Errorf("dispatch %d asks them, but %d can still be asked, %v", third, preview.People, err)
	}
}
