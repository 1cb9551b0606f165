package store_test

import (
	"testing"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// What is learnt during the count-down counts: an event that is found false, held, or retracted before the first mail was
// written is not sent, although it was approved.
func TestNothingLeavesAboutAnEventThatIsDoubted(t *testing.T) { // F3-1-k.3
	for name, doubt := range map[string]func(*testing.T, *duty){
		"held":                               func(t *testing.T, d *duty) { storetest.Judge(t, d.db, d.sato, d.event, desk.Held) },
		"found false, by hand in the tables": func(t *testing.T, d *duty) { storetest.Judge(t, d.db, d.sato, d.event, desk.False) },
		"retracted": func(t *testing.T, d *duty) {
			d.db.Exec(`UPDATE event SET status = 'retracted' WHERE id = $1`, int64(d.event))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := onDuty(t)
			id := d.approve(t)
			d.db.Exec(`UPDATE approval SET not_before = now() - interval '1 s'`)
			doubt(t, d)
			step, err := d.db.Store(storetest.Engine).Expand(t.Context(), id, 1000)
			if err != nil || !step.Done || step.State != desk.Withdrawn || step.Addresses != 0 {
				t.Errorf("%+v, %v", step, err)
			}
			var mails int
			d.db.Scan(`SELECT count(*) FROM mail`, &mails)
			if mails != 0 {
				t.Errorf("%d mails were written", mails)
			}
		})
	}
}

// Whoever finds an event false stops what is being sent about it, in his own name.
func TestFindingAnEventFalseStopsItsDispatch(t *testing.T) { // F3-1-k.3, law 7
	d := onDuty(t)
	id := d.approve(t)
	d.db.Exec(`UPDATE approval SET not_before = now() - interval '1 s'`)
	engine := d.db.Store(storetest.Engine)
	if step, err := engine.Expand(t.Context(), id, 1000); err != nil || step.Addresses != 30 {
		t.Fatalf("%+v, %v", step, err)
	}
	if _, err := d.store.Verify(t.Context(), d.sato, desk.Verification{EventID: d.event, AdviceID: d.advice, Finding: desk.False, Reason: "取消"}); err != nil {
		t.Fatal(err)
	}
	if letters, err := engine.Letters(t.Context(), desk.DefaultLane); err != nil || len(letters) != 0 {
		t.Errorf("a lane still works it: %v, %v", letters, err)
	}
	p, err := d.store.Progress(t.Context(), id)
	if err != nil || p.Dispatch.Stop == nil || p.Dispatch.Stop.Operator != "sato" {
		t.Errorf("%+v, %v", p.Dispatch.Stop, err)
	}
	if _, err := d.store.Verify(t.Context(), d.tanaka, desk.Verification{EventID: d.event, AdviceID: d.advice, Finding: desk.False}); err != nil {
		t.Errorf("a second finding: %v", err)
	}
	if _, bad, err := d.db.Store(storetest.Owner).VerifyAudit(t.Context()); err != nil || bad != 0 {
		t.Errorf("audit chain broken at %d, %v", bad, err)
	}
}

func TestFindingAnEventFalseEndsTheCountDown(t *testing.T) { // F3-1-k.3
	d := onDuty(t)
	id := d.approve(t)
	if _, err := d.store.Verify(t.Context(), d.sato, desk.Verification{EventID: d.event, AdviceID: d.advice, Finding: desk.False}); err != nil {
		t.Fatal(err)
	}
	if p, err := d.store.Progress(t.Context(), id); err != nil || p.Dispatch.State != desk.Withdrawn {
		t.Errorf("%v, %v", p.Dispatch.State, err)
	}
}
