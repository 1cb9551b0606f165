package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// announce writes a live bulletin with its telegram, mails and results, as intake, bulletin and send would: the quake was ago
// before now; JMA issued 90 s after it, and it was received 2 s later.
type announcement struct {
	id       int
	kind     string
	step     string
	feed     string
	ago      time.Duration
	accepted []time.Duration // after the occurrence, one for each accepted mail
	waiting  int             // mails without a result
	state    string          // "" = sending
}

func announce(db *storetest.DB, a announcement) {
	if a.step == "" {
		a.step = "new"
	}
	if a.feed == "" {
		a.feed = "jma"
	}
	if a.state == "" {
		a.state = "sending"
	}
	occurred := time.Now().Add(-a.ago)
	at := func(d time.Duration) string {
		return "'" + occurred.Add(d).UTC().Format(time.RFC3339Nano) + "'::timestamptz"
	}
	recorded := at
	if a.feed == desk.ReplayFeed {
		recorded = func(d time.Duration) string {
			return fmt.Sprintf("'2024-01-01 16:10:00+09'::timestamptz + interval '%d ms'", d.Milliseconds())
		}
	}
	ended := "NULL"
	if a.state == "sent" || a.state == "stopped" {
		ended = "now()"
	}
	db.Exec(fmt.Sprintf(`
		INSERT INTO telegram OVERRIDING SYSTEM VALUE VALUES (%[1]d, sha256('%[1]d'), '%[2]s', '', 'x', %[3]s, %[4]s)`,
		a.id, a.feed, recorded(92*time.Second), at(92*time.Second)))
	db.Exec(fmt.Sprintf(`INSERT INTO reading VALUES (%d, 'VXSE51', 'live', 'issued', '{}', '', %s, '{}', '', %s)`,
		a.id, recorded(90*time.Second), at(92100*time.Millisecond)))
	db.Exec(fmt.Sprintf(`
		INSERT INTO bulletin (id, kind, thread, number, mode, telegram_id, step, level, max_intensity, prefectures, subject, body, facts,
		  occurred_at, issued_at, received_at, read_at, at, state, ended_at)
		VALUES (%[1]d, '%[2]s', 'thread %[1]d', 1, 'live', %[1]d, '%[3]s', 0, 10, '{17}', '【地震速報】石川県能登地方 最大震度7', '', '{}',
		  %[4]s, %[5]s, %[6]s, %[7]s, %[8]s, '%[9]s', %[10]s)`,
		a.id, a.kind, a.step, recorded(0), recorded(90*time.Second), recorded(92*time.Second), at(92100*time.Millisecond),
		at(92200*time.Millisecond), a.state, ended))
	for i := range len(a.accepted) + a.waiting {
		db.Exec(fmt.Sprintf(`INSERT INTO mail OVERRIDING SYSTEM VALUE VALUES (%d, %d, NULL, %d, 1, 'other', '\x00', 'example.jp', now())`, 1000*a.id+i, a.id, i+1))
	}
	for i, after := range a.accepted {
		db.Exec(fmt.Sprintf(`INSERT INTO attempt VALUES (%d, 1, 1, %d, 'other', %s, 1, 'data', 250, 'ok', 'r', now())`, 1000*a.id+i, a.id, at(after)))
	}
}

// P5-2 P5-3 P5-4: the clock is what the rows say, to the millisecond, and nothing else; each kind is under its own clause.
func TestClocksEqualTheFacts(t *testing.T) {
	db := storetest.New(t)
	announce(db, announcement{id: 7, kind: "quick", ago: 5 * time.Minute, accepted: []time.Duration{95 * time.Second, 98500 * time.Millisecond}})
	announce(db, announcement{id: 8, kind: "confirmed", step: "changed", ago: 5 * time.Minute, accepted: []time.Duration{100 * time.Second}, waiting: 2})
	announce(db, announcement{id: 9, kind: "tsunami", ago: 3 * time.Hour, accepted: []time.Duration{100 * time.Second}, state: "stopped"})
	announce(db, announcement{id: 10, kind: "quick", ago: 4 * time.Minute, feed: desk.ReplayFeed, accepted: []time.Duration{95 * time.Second}, state: "sent"})
	s := db.Store(storetest.Engine)
	clocks, err := s.LimitedClocks(t.Context(), time.Now().Add(-time.Minute))
	if err != nil || len(clocks) != 4 {
		t.Fatalf("%d clocks, %v", len(clocks), err)
	}
	for i, c := range clocks {
		occurred := c.JudgedAt.Add(-92200 * time.Millisecond)
		since := func(at time.Time) time.Duration {
			if at.IsZero() {
				return -1
			}
			return at.Sub(occurred).Round(time.Millisecond)
		}
		got := map[desk.ClockStage]time.Duration{}
		for _, stage := range desk.ClockStages() {
			got[stage] = since(c.At(stage))
		}
		last := []time.Duration{98500 * time.Millisecond, 100 * time.Second, 100 * time.Second, 95 * time.Second}[i]
		first := min(last, 95*time.Second)
		if c.Subject.ID == 8 || c.Subject.ID == 9 {
			first = last
		}
		want := map[desk.ClockStage]time.Duration{
			desk.StageOccurred: 0, desk.StageIssued: 90 * time.Second, desk.StageReceived: 92 * time.Second, desk.StageRead: 92100 * time.Millisecond,
			desk.StageJudged: 92200 * time.Millisecond, desk.StageQueued: 92200 * time.Millisecond, desk.StageFirstAccepted: first, desk.StageLastAccepted: last,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("bulletin %d: %s", c.Subject.ID, diff)
		}
	}
	type shape struct {
		clause                     desk.Clause
		renewal, stopped, finished bool
		mails, accepted, waiting   int
	}
	for i, want := range []shape{
		{desk.ClauseQuick, false, false, true, 2, 2, 0},
		{desk.ClauseConfirmed, true, false, false, 3, 1, 2},
		{desk.ClauseOther, false, true, true, 1, 1, 0},
		{desk.ClauseQuick, false, false, true, 1, 1, 0},
	} {
		c := clocks[i]
		if got := (shape{c.Clause, c.Renewal, c.Stopped, c.Finished, c.Mails, c.Accepted, c.Waiting}); got != want {
			t.Errorf("bulletin %d: %+v, want %+v", c.Subject.ID, got, want)
		}
	}
}

// A mail counts once, from its first acceptance, whatever else was answered; a refusal after a deferral is final, a deferral waits.
func TestClockCountsEachMailOnce(t *testing.T) {
	db := storetest.New(t)
	announce(db, announcement{id: 7, kind: "quick", ago: 5 * time.Minute, waiting: 5})
	var occurred time.Time
	db.Scan(`SELECT occurred_at FROM bulletin`, &occurred)
	for _, a := range []struct {
		mail, number, epoch, outcome, after int
	}{
		{7000, 1, 1, 1, 100}, {7000, 1, 2, 1, 150}, // a duplicate after a broken lease
		{7001, 1, 1, 2, 100}, {7001, 2, 1, 1, 120}, // deferred, then accepted
		{7002, 1, 1, 2, 100}, {7002, 2, 1, 3, 130}, // deferred, then refused
		{7003, 1, 1, 2, 100},                       // deferred
		{7004, 1, 1, 3, 100}, {7004, 1, 2, 1, 110}, // a 250 is a fact and wins (law 5)
	} {
		db.Exec(`INSERT INTO attempt VALUES ($1, $2, $3, 7, 'other', $4, $5, 'data', 250, '', 'r', now())`, a.mail, a.number, a.epoch, occurred.Add(time.Duration(a.after)*time.Second), a.outcome)
	}
	clocks, err := db.Store(storetest.Engine).LimitedClocks(t.Context(), time.Now())
	if err != nil || len(clocks) != 1 {
		t.Fatalf("%d clocks, %v", len(clocks), err)
	}
	c := clocks[0]
	if c.Mails != 5 || c.Accepted != 3 || c.Refused != 1 || c.Waiting != 1 || c.Finished {
		t.Errorf("%+v", c)
	}
	if first, last := c.FirstAccepted.Sub(c.OccurredAt), c.LastAccepted.Sub(c.OccurredAt); first != 100*time.Second || last != 120*time.Second {
		t.Errorf("first accepted after %s, last after %s", first, last)
	}
}

// A judged mailing carries a clock too; only a missile's is limited. // P5-5
func TestClockOfAJudgedMailing(t *testing.T) {
	db := storetest.New(t)
	yamada := storetest.Operator(t, db, "yamada")
	event, advice := storetest.GenuineEvent(t, db, yamada)
	incident := storetest.Incident(t, db, yamada, event)
	db.Exec(fmt.Sprintf(`
		INSERT INTO reading SELECT telegram_id, 'X', 'live', 'issued', '{}', '', now() - interval '30 s', '{"ReportTime": "2026-01-01T00:00:00Z"}', '', now() - interval '20 s'
		FROM advice WHERE id = %d`, advice))
	storetest.Advise(t, db, event, storetest.Happening{}) // a later telegram does not move the beginning
	db.Exec(fmt.Sprintf(`
		INSERT INTO dispatch OVERRIDING SYSTEM VALUE VALUES (5, %[1]d, %[2]d, 'live', 'sending', '安否', '', 'safety', 1, 1, 1, 0, %[3]d, now(), 0, now(), NULL);
		INSERT INTO approval OVERRIDING SYSTEM VALUE VALUES (3, 5, %[3]d, 1, 'one_key', %[4]d + 1, now() - interval '5 s', now() - interval '4 s', now() + interval '1 h')`,
		incident, event, yamada, advice))
	s := db.Store(storetest.Engine)
	if limited, err := s.LimitedClocks(t.Context(), time.Now()); err != nil || len(limited) != 0 {
		t.Fatalf("an earthquake's safety confirmation is limited: %d, %v", len(limited), err)
	}
	clocks, err := s.StageClocks(t.Context(), time.Now())
	if err != nil || len(clocks) != 1 {
		t.Fatalf("%d clocks, %v", len(clocks), err)
	}
	c := clocks[0]
	if c.Clause != "" || c.Subject != (desk.ClockSubject{Kind: desk.SubjectDispatch, ID: 5}) || !c.FirstAccepted.IsZero() {
		t.Errorf("%+v", c)
	}
	if want := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); !c.IssuedAt.After(want) { // feed "replay": moved to the wall clock with the receipt
		t.Logf("issued %v", c.IssuedAt)
	}
	if ago := time.Since(c.ReadAt); ago < 15*time.Second || ago > 60*time.Second {
		t.Errorf("read %v ago, want about 20 s: the first advice begins the clock", ago)
	}
	db.Exec(`UPDATE incident SET hazard = 'missile'`)
	if limited, err := s.LimitedClocks(t.Context(), time.Now()); err != nil || len(limited) != 1 || limited[0].Clause != desk.ClauseMissile {
		t.Errorf("%+v, %v", limited, err)
	}
}

func TestClockRulesKeepTheirHistory(t *testing.T) {
	db := storetest.New(t)
	owner := db.Store(storetest.Owner)
	limits, err := owner.ClockRules(t.Context())
	if err != nil || len(limits) != 5 {
		t.Fatalf("%d rules, %v", len(limits), err)
	}
	r := limits[0]
	if r.Clause != desk.ClauseQuick || r.Limit != 3*time.Minute || r.From != desk.StageOccurred || r.Warn != 1 || r.Breach != 1.5 {
		t.Errorf("P5-2 is shipped as %+v", r)
	}
	r.Limit = 2 * time.Minute
	if err := owner.SetClockRule(t.Context(), "admin:sato", r); err != nil {
		t.Fatal(err)
	}
	if again, _ := owner.ClockRules(t.Context()); again[0].Limit != 2*time.Minute || len(again) != 5 || again[0].Actor != "admin:sato" {
		t.Errorf("%+v", again)
	}
	var rows int
	if db.Scan(`SELECT count(*) FROM clock_rule WHERE clause = 'P5-2'`, &rows); rows != 2 {
		t.Errorf("%d versions kept, want 2", rows)
	}
	for _, bad := range []desk.ClockRule{
		{Clause: r.Clause, From: r.From, Until: r.Until, Limit: time.Millisecond, Warn: 1},
		{Clause: r.Clause, From: r.From, Until: r.Until, Limit: time.Minute, Warn: 2, Breach: 1},
		{Clause: r.Clause, From: r.From, Until: r.Until, Limit: time.Minute},
	} {
		if err := owner.SetClockRule(t.Context(), "admin:sato", bad); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if err := db.Store(storetest.Engine).SetClockRule(t.Context(), "engine", r); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("an engine changed a limit: %v", err)
	}
}
