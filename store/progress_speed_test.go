package store_test

import (
	"testing"
	"time"

	"yagura/store/desk"
)

// TestProgressIsQuickWithALongHistory counts 15,500 and 115,000 mails beside 120,000 older attempts, on tables without
// statistics as they are during a dispatch and with them, and prints what it measured.
func TestProgressIsQuickWithALongHistory(t *testing.T) {
	d := onDuty(t)
	small := d.approve(t)
	d.db.Exec(`ALTER TABLE mail DISABLE TRIGGER mail_approved`)
	d.db.Exec(`ALTER TABLE mail SET (autovacuum_enabled = off); ALTER TABLE attempt SET (autovacuum_enabled = off)`)
	fill := func(id desk.DispatchID, mails int) {
		d.db.Exec(`INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at)
			SELECT $1, (SELECT max(id) FROM approval), i, i, 'lane' || i % 5, '', 'carrier.example', now() FROM generate_series(1, $2::int) i`, id, mails)
		d.db.Exec(`INSERT INTO attempt (mail_id, number, epoch, dispatch_id, lane, at, outcome, stage, code, text, route, recorded_at)
			SELECT id, 1, 1, dispatch_id, lane, now(), 1, 'data', 250, '', 'r', now() FROM mail WHERE dispatch_id = $1`, id)
	}
	for old := range 8 {
		fill(desk.DispatchID(1000+old), 15_000)
	}
	fill(small, 15_500)
	count := func(id desk.DispatchID, mails int, limit time.Duration) {
		t.Helper()
		best := time.Hour
		for range 5 {
			start := time.Now()
			p, err := d.store.Progress(t.Context(), id)
			if err != nil || p.Mails != mails || p.Accepted != mails || len(p.Lanes) != 5 || p.Pending != 0 {
				t.Fatalf("%+v, %v", p, err)
			}
			best = min(best, time.Since(start))
		}
		t.Logf("%d mails counted in %v at best", mails, best)
		if best > limit { // several times what it takes on a quiet machine
			t.Errorf("the count of %d mails took %v", mails, best)
		}
	}
	count(small, 15_500, 250*time.Millisecond)
	d.db.Exec(`DELETE FROM attempt WHERE dispatch_id = $1`, small)
	d.db.Exec(`DELETE FROM mail WHERE dispatch_id = $1`, small)
	fill(small, 115_000)
	count(small, 115_000, 2*time.Second)
	d.db.Exec(`ANALYZE mail, attempt`)
	count(small, 115_000, 2*time.Second)
	if _, err := d.store.Progress(t.Context(), desk.DispatchID(1003)); desk.KindOf(err) != desk.NotFound {
		t.Errorf("counted a dispatch that is none: %v", err)
	}
}
