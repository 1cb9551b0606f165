package store_test

import (
	"context"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// waitForLocks waits until n sessions of the database wait for a lock.
func waitForLocks(t *testing.T, db *storetest.DB, n int) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var waiting int
		db.Scan(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`, &waiting)
		if waiting >= n {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d sessions wait for a lock, want %d", waiting, n)
		}
	}
}

// TestTwoDispatchesOfOneIncidentAreNotApprovedAtOnce: two desks draft for the same people and press the key in the same moment.
// Each counts before the other has committed; without a lock both go out and everybody is asked twice. // F3-1-k.4
func TestTwoDispatchesOfOneIncidentAreNotApprovedAtOnce(t *testing.T) {
	d := onDuty(t)
	first, second := d.propose(t).ID, d.propose(t).ID
	holder := d.db.Conn(storetest.Owner)
	tx, err := holder.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The record is the last thing an approval writes: held, it keeps the first approval open just before its commit.
	if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(hashtext('yagura audit operator'), 7241003)`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	approve := func(by desk.OperatorID, id desk.DispatchID) {
		_, err := d.store.Approve(context.WithoutCancel(t.Context()), by, d.order(id, desk.OneKey))
		done <- err
	}
	go approve(d.tanaka, first)
	waitForLocks(t, d.db, 1)
	go approve(d.sato, second)
	waitForLocks(t, d.db, 2)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	kinds := map[desk.Kind]int{}
	for range 2 {
		kinds[desk.KindOf(within(t, done, "both approvals"))]++
	}
	if kinds[""] != 1 || kinds[desk.Stale] != 1 {
		t.Errorf("%v: want one approved and one stale", kinds)
	}
}

// TestNothingIsApprovedInAClosedIncident: a draft that outlived its incident must not be sent by a late key.
func TestNothingIsApprovedInAClosedIncident(t *testing.T) {
	d := onDuty(t)
	id := d.propose(t).ID
	if err := d.store.CloseIncident(t.Context(), d.sato, d.incident); err != nil {
		t.Fatal(err)
	}
	_, err := d.store.Approve(t.Context(), d.tanaka, d.order(id, desk.OneKey))
	refused(t, err, desk.Conflict, "終了しています")
	if err := d.store.Withdraw(t.Context(), d.tanaka, id); err != nil {
		t.Error("the draft cannot be put away:", err)
	}
}
