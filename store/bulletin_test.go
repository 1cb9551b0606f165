package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// wire is a database with people in Ishikawa who are designated for 地震速報, and a live reading.
type wire struct {
	t                      *testing.T
	db                     *storetest.DB
	owner, engine, console *store.Store
}

func newWire(t *testing.T, people int) *wire {
	t.Helper()
	db := storetest.New(t)
	w := &wire{t: t, db: db, owner: db.Store(storetest.Owner), engine: db.Store(storetest.Engine), console: db.Store(storetest.Console)}
	storetest.People(t, db, people, 17, 1)
	var codes []string
	for i := range people {
		codes = append(codes, storetestCode(i+1))
	}
	w.designate(desk.ChangesOnly, codes...)
	return w
}

func storetestCode(i int) string {
	return "P" + string([]byte{'0' + byte(i/10000%10), '0' + byte(i/1000%10), '0' + byte(i/100%10), '0' + byte(i/10%10), '0' + byte(i%10)})
}

func (w *wire) designate(cadence desk.Cadence, codes ...string) {
	w.t.Helper()
	var list []desk.Subscription
	for _, c := range codes {
		s, err := desk.NewSubscription(c, desk.BulletinQuick, nil, "", cadence)
		if err != nil {
			w.t.Fatal(err)
		}
		list = append(list, s)
	}
	if _, _, err := w.owner.SetSubscriptions(w.t.Context(), "admin:test", []desk.BulletinKind{desk.BulletinQuick}, list); err != nil {
		w.t.Fatal(err)
	}
}

// reading stores a telegram and its reading.
func (w *wire) reading(mode desk.Mode) desk.TelegramID {
	w.t.Helper()
	var digest [32]byte
	_, _ = rand.Read(digest[:])
	id, _, err := w.engine.StoreTelegram(w.t.Context(), desk.Envelope{Feed: "test", Raw: digest[:], ReceivedAt: time.Now()}, digest)
	if err == nil {
		err = w.engine.RecordReading(w.t.Context(), desk.Telegram{ID: id, Type: "VXSE51", Mode: mode, Phase: desk.Issued, EventIDs: []string{"x"}, PressTime: time.Now()}, "")
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *wire) decision(telegram desk.TelegramID, thread string, number int, after desk.DispatchID) desk.BulletinDecision {
	now := time.Now()
	return desk.BulletinDecision{TelegramID: telegram, Bulletins: []desk.Bulletin{{
		Kind: desk.BulletinQuick, Thread: thread, Number: number, TelegramID: telegram, Step: desk.BulletinNew, MaxIntensity: desk.Intensity7,
		Subject: "【地震速報】", Body: "【地震速報】\n", OccurredAt: now, IssuedAt: now, ReceivedAt: now, ReadAt: now, Supersedes: after,
		Change: desk.Change{Everybody: true},
	}}}
}

func (w *wire) issue(d desk.BulletinDecision) desk.Bulletin {
	w.t.Helper()
	made, err := w.engine.IssueBulletins(w.t.Context(), d)
	if err != nil || len(made) != 1 {
		w.t.Fatalf("%+v, %v", made, err)
	}
	return made[0]
}

// TestMailsNameAnApprovalOrABulletin: law 2 holds beside the second door.
func TestMailsNameAnApprovalOrABulletin(t *testing.T) {
	w := newWire(t, 3)
	b := w.issue(w.decision(w.reading(desk.Live), "a", 1, 0))
	operator := storetest.Operator(t, w.db, "tanaka")
	event, advice := storetest.GenuineEvent(t, w.db, operator)
	incident := storetest.Incident(t, w.db, operator, event)
	d, err := w.console.Propose(t.Context(), operator, desk.Draft{IncidentID: incident, EventID: event, Triggered: storetest.Ishikawa(), TemplateID: "safety", Subject: "安否", Body: "安否"})
	if err != nil {
		t.Fatal(err)
	}
	if d.ID <= b.ID {
		t.Errorf("dispatch %d, bulletin %d: not one sequence", d.ID, b.ID)
	}
	approved, err := w.console.Approve(t.Context(), operator, desk.ApprovalOrder{DispatchID: d.ID, HeadCount: d.HeadCount, Method: desk.OneKey, AdviceID: advice})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dispatch desk.DispatchID
		approval any
		taken    bool
	}{
		"a bulletin without approval":             {b.ID, nil, true},
		"a dispatch with its approval":            {d.ID, int64(approved.ID), true},
		"a dispatch without approval":             {d.ID, nil, false},
		"a bulletin with the approval of another": {b.ID, int64(approved.ID), false},
		"a dispatch with an approval of nobody":   {d.ID, int64(999), false},
		"neither":                                 {99, nil, false},
	} {
		for _, role := range []string{storetest.Engine, storetest.Owner} {
			_, err := w.db.Conn(role).Exec(t.Context(), `INSERT INTO mail (dispatch_id, approval_id, person_id, address_id, lane, sealed, domain, created_at)
				VALUES ($1, $2, 1, 1, 'z', '', 'd', now())`, int64(c.dispatch), c.approval)
			if (err == nil) != c.taken {
				t.Errorf("%s as %s: %v", name, role, err)
			}
		}
	}
}

// TestBulletinsGoFirst: before the live dispatch that was approved earlier, and drills last. // P5-2
func TestBulletinsGoFirst(t *testing.T) {
	o := approvedOutbox(t, 5, 1)
	o.expand(100)
	w := &wire{t: t, db: o.db, owner: o.db.Store(storetest.Owner), engine: o.engine, console: o.console}
	w.designate(desk.ChangesOnly, "P00001", "P00002")
	b := w.issue(w.decision(w.reading(desk.Live), "a", 1, 0))
	// An older drill of the same shape, written past the guards: how it came about does not matter here.
	o.db.Exec(`DO $$ BEGIN
		SET LOCAL session_replication_role = replica;
		INSERT INTO dispatch OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(d, '{"id": -7, "mode": "drill"}')).* FROM dispatch d;
		INSERT INTO approval OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(a, '{"id": -7, "dispatch_id": -7}')).* FROM approval a;
		INSERT INTO mail OVERRIDING SYSTEM VALUE
			SELECT (jsonb_populate_record(m, '{"id": -7, "dispatch_id": -7, "approval_id": -7}')).* FROM mail m WHERE m.approval_id IS NOT NULL LIMIT 1;
	END $$`)
	letters, err := o.engine.Letters(t.Context(), desk.DefaultLane)
	if err != nil || len(letters) != 3 || letters[0].DispatchID != b.ID || !letters[0].Bulletin || letters[1].DispatchID != o.id || letters[1].Bulletin ||
		letters[2].Mode != desk.Drill {
		t.Errorf("%+v, %v", letters, err)
	}
}

// TestABulletinIsSettledByItsResults as a dispatch is.
func TestABulletinIsSettledByItsResults(t *testing.T) {
	w := newWire(t, 3)
	b := w.issue(w.decision(w.reading(desk.Live), "a", 1, 0))
	empty := w.issue(w.decision(w.reading(desk.Live), "b", 1, 0))
	mails, err := w.engine.StreamMails(t.Context(), b.ID, desk.DefaultLane, 0, 10)
	if err != nil || len(mails) != 3 || empty.State != desk.Expanded {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	state := func() (s desk.DispatchState) {
		t.Helper()
		if err := w.engine.SettleDispatches(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.db.Scan(`SELECT state FROM bulletin WHERE thread = 'a'`, &s)
		return s
	}
	record := func(m desk.Mail) {
		t.Helper()
		a := desk.Attempt{MailID: m.ID, DispatchID: b.ID, Number: 1, Lane: desk.DefaultLane, At: time.Now(), Outcome: desk.Accepted, Stage: desk.StageData, Code: 250}
		if _, err := w.engine.RecordAttempts(t.Context(), []desk.Attempt{a}); err != nil {
			t.Fatal(err)
		}
	}
	if s := state(); s != desk.Expanded {
		t.Errorf("before any result: %s", s)
	}
	record(mails[0])
	if s := state(); s != desk.Sending {
		t.Errorf("after one: %s", s)
	}
	record(mails[1])
	record(mails[2])
	if s := state(); s != desk.Sent {
		t.Errorf("after all: %s", s)
	}
	if letters, err := w.engine.Letters(t.Context(), desk.DefaultLane); err != nil || len(letters) != 1 {
		t.Errorf("%+v, %v", letters, err)
	}
}

// TestAWrongBulletinIsStopped by the same row as a dispatch; the senders are told with the next results. // law 7
func TestAWrongBulletinIsStopped(t *testing.T) {
	w := newWire(t, 3)
	operator := storetest.Operator(t, w.db, "tanaka")
	b := w.issue(w.decision(w.reading(desk.Live), "a", 1, 0))
	mails, err := w.engine.StreamMails(t.Context(), b.ID, desk.DefaultLane, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := w.console.StopBulletin(t.Context(), operator, b.ID, "訓練の文面\nでした")
	if err != nil || stop.ID == 0 || stop.Reason != "訓練の文面でした" {
		t.Fatalf("%+v, %v", stop, err)
	}
	_, err = w.console.StopBulletin(t.Context(), operator, b.ID, "")
	refused(t, err, desk.Conflict, "すでに")
	_, err = w.console.StopBulletin(t.Context(), operator, 999, "")
	refused(t, err, desk.NotFound, "ありません")
	stopped, err := w.engine.RecordAttempts(t.Context(), []desk.Attempt{{
		MailID: mails[0].ID, DispatchID: b.ID, Number: 1, Lane: desk.DefaultLane, At: time.Now(), Outcome: desk.Accepted, Stage: desk.StageData, Code: 250,
	}})
	if err != nil || !slices.Equal(stopped, []desk.DispatchID{b.ID}) {
		t.Errorf("the sender is told %v, %v", stopped, err)
	}
	if letters, err := w.engine.Letters(t.Context(), desk.DefaultLane); err != nil || len(letters) != 0 {
		t.Errorf("%+v, %v", letters, err)
	}
	w.db.Exec(`UPDATE stop SET at = at - interval '1 minute'`)
	if err := w.engine.SettleDispatches(t.Context()); err != nil {
		t.Fatal(err)
	}
	var state desk.DispatchState
	w.db.Scan(`SELECT state FROM bulletin`, &state)
	if state != desk.Stopped {
		t.Errorf("state %s", state)
	}
	_, err = w.console.StopBulletin(t.Context(), operator, b.ID, "")
	refused(t, err, desk.Conflict, "すでに")
	if _, err := w.db.Conn(storetest.Console).Exec(t.Context(), `INSERT INTO stop (dispatch_id, operator_id, reason, at) VALUES (999, $1, '', now())`, int64(operator)); err == nil {
		t.Error("a stop of nothing was taken")
	}
}

// TestADecisionOnOldNewsIsRefused: whoever decided without the latest bulletin of the thread decides anew.
func TestADecisionOnOldNewsIsRefused(t *testing.T) {
	w := newWire(t, 1)
	first, second := w.reading(desk.Live), w.reading(desk.Live)
	b := w.issue(w.decision(first, "a", 1, 0))
	_, err := w.engine.IssueBulletins(t.Context(), w.decision(second, "a", 1, 0))
	if desk.KindOf(err) != desk.Conflict {
		t.Errorf("%v", err)
	}
	w.issue(w.decision(second, "a", 2, b.ID))
	if made, err := w.engine.IssueBulletins(t.Context(), w.decision(second, "a", 3, b.ID+1)); err != nil || len(made) != 0 {
		t.Errorf("considered twice: %+v, %v", made, err)
	}
	var left int
	w.db.Scan(`SELECT count(*) FROM unconsidered`, &left)
	if left != 0 {
		t.Errorf("%d readings still wait", left)
	}
}

// TestTheSchemaRefusesADrillBulletin, whatever the program believes. // law 4
func TestTheSchemaRefusesADrillBulletin(t *testing.T) {
	w := newWire(t, 1)
	for _, mode := range []desk.Mode{desk.Drill, desk.Test, ""} {
		id := w.reading(mode)
		if made, err := w.engine.IssueBulletins(t.Context(), w.decision(id, "a", 1, 0)); desk.KindOf(err) != desk.Conflict {
			t.Errorf("a bulletin of a telegram of mode %q: %+v, %v", mode, made, err)
		}
	}
}

// TestEnginesTellAndAdminsDesignate: each role has what it needs and no more. // law 13
func TestEnginesTellAndAdminsDesignate(t *testing.T) {
	w := newWire(t, 1)
	w.issue(w.decision(w.reading(desk.Live), "a", 1, 0))
	for role, refusedSQL := range map[string][]string{
		storetest.Engine: {
			`INSERT INTO subscription (person_id) VALUES (1)`, `UPDATE subscription SET ended_at = now()`, `INSERT INTO bulletin_rule (at) VALUES (now())`,
			`UPDATE bulletin SET subject = 'x'`, `DELETE FROM bulletin`, `DELETE FROM bulletin_considered`, `UPDATE bulletin_recipient SET person_id = 2`,
		},
		storetest.Console: {
			`INSERT INTO bulletin (kind) VALUES ('quick')`, `UPDATE bulletin SET state = 'sent'`, `INSERT INTO bulletin_recipient (bulletin_id, person_id) VALUES (1, 1)`,
			`DELETE FROM unconsidered`, `INSERT INTO subscription (person_id) VALUES (1)`,
		},
	} {
		conn := w.db.Conn(role)
		for _, sql := range refusedSQL {
			if _, err := conn.Exec(t.Context(), sql); !isDenied(err) {
				t.Errorf("%s: %v: %s", role, err, sql)
			}
		}
	}
	if _, err := w.db.Conn(storetest.Engine).Exec(t.Context(), `UPDATE bulletin SET state = 'sending'; UPDATE bulletin SET state = 'expanded'`); !isViolation(err) {
		t.Errorf("a step back: %v", err)
	}
}

// TestRulesKeepTheirHistory.
func TestRulesKeepTheirHistory(t *testing.T) {
	w := newWire(t, 1)
	all, err := w.engine.BulletinRules(t.Context())
	if err != nil || len(all) != len(desk.BulletinKinds()) || all[0].Kind != desk.BulletinQuick || all[0].FromIntensity != desk.Intensity4 || all[0].StaleAfter != 30*time.Minute {
		t.Fatalf("%+v, %v", all, err)
	}
	one := all[0]
	one.FromIntensity, one.Enabled = desk.Intensity5Lower, false
	if err := w.owner.SetBulletinRule(t.Context(), "admin:test", one); err != nil {
		t.Fatal(err)
	}
	if all, err = w.engine.BulletinRules(t.Context()); err != nil || all[0].FromIntensity != desk.Intensity5Lower || all[0].Enabled || all[0].Version <= one.Version {
		t.Errorf("%+v, %v", all[0], err)
	}
	one.FromIntensity = desk.IntensityUnknown
	refused(t, w.owner.SetBulletinRule(t.Context(), "admin:test", one), desk.Invalid, "設定震度")
	one.FromIntensity = desk.Intensity4
	if err := w.engine.SetBulletinRule(t.Context(), "engine", one); desk.KindOf(err) != desk.Forbidden {
		t.Errorf("an engine sets a rule: %v", err)
	}
	var versions int
	w.db.Scan(`SELECT count(*) FROM bulletin_rule WHERE kind = 'quick'`, &versions)
	if versions != 2 {
		t.Errorf("%d versions", versions)
	}
}

// TestACutConnectionLeavesAllOrNothing of a decision.
func TestACutConnectionLeavesAllOrNothing(t *testing.T) {
	w := newWire(t, 20)
	ids := []desk.TelegramID{w.reading(desk.Live), w.reading(desk.Live), w.reading(desk.Live)}
	for i, id := range ids {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*4*time.Millisecond)
		_, _ = w.engine.IssueBulletins(ctx, w.decision(id, storetestCode(i), 1, 0)) // cut somewhere, or not
		cancel()
		var considered, mails int
		w.db.Scan(`SELECT (SELECT count(*) FROM bulletin_considered), (SELECT count(*) FROM mail)`, &considered, &mails)
		if mails != 20*considered {
			t.Errorf("%d considered, %d mails", considered, mails)
		}
		if _, err := w.engine.IssueBulletins(t.Context(), w.decision(id, storetestCode(i), 1, 0)); err != nil {
			t.Error(err)
		}
	}
	var mails int
	w.db.Scan(`SELECT count(*) FROM mail`, &mails)
	if mails != 60 {
		t.Errorf("%d mails", mails)
	}
}

func isDenied(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42501" // insufficient_privilege
}
