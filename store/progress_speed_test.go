package store_test

import (
	"testing"
	"time"

	"yagura/store/desk"
)

// TestProgressIsQuickWithALongHistory counts 15,500 mails beside 120,000 older attempts and prints what it measured.
func TestProgressIsQuickWithALongHistory(t *testing.T) {
	d := onDuty(t)
	id := d.approve(t)
	d.db.Exec(`ALTER TABLE mail DISABLE TRIGGER mail_approved`)
	d.db.Exec(`INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at)
		SELECT CASE WHEN i <= 120000 THEN 1000 + i / 15000 ELSE $1 END, (SELECT id FROM approval), i, i, 'lane' || i % 5, '', 'carrier.example', now() FROM generate_series(1, 135500) i`, id)
	d.db.Exec(`INSERT INTO attempt (mail_id, number, epoch, dispatch_id, lane, at, outcome, stage, code, text, route, recorded_at)
		SELECT id, 1, 1, dispatch_id, lane, now(), 1, 'data', 250, '', 'r', now() FROM mail`)
	d.db.Exec(`ANALYZE mail, attempt`)
	best := time.Hour
	for range 5 {
		start := time.Now()
		p, err := d.store.Progress(t.Context(), id)
		if err != nil || p.Mails != 15500 || p.Accepted != 15500 || len(p.Lanes) != 5 {
			t.Fatalf("%+v, %v", p.Mails, err)
		}
		best = min(best, time.Since(start))
	}
	t.Logf("15,500 mails counted in %v at best", best)
	if best > 250*time.Millisecond {
		t.Errorf("the count took %v", best)
	}
	if _, err := d.store.Progress(t.Context(), desk.DispatchID(1003)); desk.KindOf(err) != desk.NotFound {
		t.Errorf("counted a dispatch that is none: %v", err)
	}
}
