package store_test

import (
	"testing"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// sitDown writes chained audit rows by real acts.
func sitDown(t *testing.T, db *storetest.DB, times int) {
	t.Helper()
	s := db.Store(storetest.Console)
	tanaka := storetest.Operator(t, db, "tanaka")
	for range times {
		if _, err := s.OpenSession(t.Context(), tanaka, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAuditChainShowsWhatWasAltered(t *testing.T) {
	for _, c := range []struct {
		name, tamper string
		bad          int64
	}{
		{"untouched", `SELECT 1`, 0},
		{"actor", `UPDATE audit SET actor = 'operator:sato' WHERE id = 3`, 3},
		{"detail", `UPDATE audit SET detail = '{"x": 1}' WHERE id = 2`, 2},
		{"time", `UPDATE audit SET at = at + interval '1 microsecond' WHERE id = 4`, 4},
		{"text moved between fields", `UPDATE audit SET act = act || subject, subject = '' WHERE id = 1`, 1},
		{"removed", `DELETE FROM audit WHERE id = 3`, 4},
		{"first removed", `DELETE FROM audit WHERE id = 1`, 2},
		{"hash removed", `UPDATE audit SET hash = NULL WHERE id = 5`, 5},
		{"unchained", `UPDATE audit SET chain = '' WHERE id = 2`, 3},
		{"order", `UPDATE audit SET detail = CASE id WHEN 2 THEN '{"y":1}' ELSE detail END, hash = (SELECT hash FROM audit b WHERE b.id = 5 - audit.id) WHERE id IN (2, 3)`, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := storetest.New(t)
			sitDown(t, db, 5)
			db.Exec(c.tamper)
			_, bad, err := db.Store(storetest.Engine).VerifyAudit(t.Context())
			if err != nil || bad != c.bad {
				t.Fatalf("first bad = %d, %v; want %d", bad, err, c.bad)
			}
		})
	}
}

func TestAuditHeadShowsAMissingEnd(t *testing.T) {
	db := storetest.New(t)
	sitDown(t, db, 3)
	s := db.Store(storetest.Console)
	before, err := s.AuditHead(t.Context())
	if err != nil || len(before["operator"]) != 64 {
		t.Fatalf("head = %v, %v", before, err)
	}
	db.Exec(`DELETE FROM audit WHERE id = 3`)
	after, err := s.AuditHead(t.Context())
	if err != nil || after["operator"] == before["operator"] {
		t.Fatalf("the head did not move: %v, %v", after, err)
	}
}

func TestAuditChainHoldsUnderManyWriters(t *testing.T) {
	db := storetest.New(t)
	s := db.Store(storetest.Console)
	tanaka := storetest.Operator(t, db, "tanaka")
	done := make(chan error)
	for range 8 {
		go func() {
			for range 5 {
				if _, err := s.OpenSession(t.Context(), tanaka, "192.0.2.1"); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	rows, bad, err := s.VerifyAudit(t.Context())
	if err != nil || rows != 40 || bad != 0 {
		t.Fatalf("rows = %d, first bad = %d, %v", rows, bad, err)
	}
}

func TestEngineActsAreRecordedWithoutAChain(t *testing.T) {
	db := storetest.New(t)
	owner := db.Store(storetest.Owner)
	if err := owner.SetPolicy(t.Context(), "engine@tokyo", mustPolicy(t, db)); err != nil {
		t.Fatal(err)
	}
	var chained, all int
	db.Scan(`SELECT count(*) FILTER (WHERE chain <> ''), count(*) FROM audit`, &chained, &all)
	if chained != 0 || all != 1 {
		t.Fatalf("chained = %d of %d", chained, all)
	}
}

func mustPolicy(t *testing.T, db *storetest.DB) desk.Policy {
	t.Helper()
	p, err := db.Store(storetest.Engine).Policy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}
