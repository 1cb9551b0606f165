package store_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// outbox is a database with a dispatch to be expanded.
type outbox struct {
	t        testing.TB
	db       *storetest.DB
	console  *store.Store
	engine   *store.Store
	operator desk.OperatorID
	id       desk.DispatchID
}

// approvedOutbox has people in Ishikawa with two addresses each, and a dispatch to them approved without a count-down.
func approvedOutbox(t testing.TB, people, addresses int) *outbox {
	t.Helper()
	db := storetest.New(t)
	o := &outbox{t: t, db: db, console: db.Store(storetest.Console), engine: db.Store(storetest.Engine)}
	o.operator = storetest.Operator(t, db, "tanaka")
	event, advice := storetest.GenuineEvent(t, db, o.operator)
	incident := storetest.Incident(t, db, o.operator, event)
	storetest.People(t, db, people, 17, addresses)
	db.Exec(`INSERT INTO policy (at, actor, prefecture_from, nationwide_from, count_down_ms, not_after_s, merge_window_s, merge_km, one_person_may)
		VALUES (now(), 'test', 6, 9, 0, 900, 21600, 100, true)`)
	d, err := o.console.Propose(t.Context(), o.operator, desk.Draft{
		IncidentID: incident, EventID: event, TemplateID: "safety", Subject: "安否確認", Body: "安否",
		Triggered: append(storetest.Ishikawa(), desk.TriggeredBy{Prefecture: 13, Intensity: desk.Intensity5Lower, Reason: desk.ReasonIntensity}),
	})
	if err == nil {
		_, err = o.console.Approve(t.Context(), o.operator, desk.ApprovalOrder{DispatchID: d.ID, HeadCount: d.HeadCount, Method: desk.OneKey, AdviceID: advice})
	}
	if err != nil {
		t.Fatal(err)
	}
	o.id = d.ID
	return o
}

func (o *outbox) expand(people int) desk.ExpandStep {
	o.t.Helper()
	step, err := o.engine.Expand(context.Background(), o.id, people)
	if err != nil {
		o.t.Fatal(err)
	}
	return step
}

func (o *outbox) pending(lane string) []desk.Mail {
	o.t.Helper()
	mails, err := o.engine.StreamMails(context.Background(), o.id, lane, 0, 10_000)
	if err != nil {
		o.t.Fatal(err)
	}
	return mails
}

func (o *outbox) state() desk.DispatchState {
	var s desk.DispatchState
	o.db.Scan(`SELECT state FROM dispatch`, &s)
	return s
}

func (o *outbox) settle() desk.DispatchState {
	o.t.Helper()
	if err := o.engine.SettleDispatches(context.Background()); err != nil {
		o.t.Fatal(err)
	}
	return o.state()
}

func (o *outbox) record(attempts ...desk.Attempt) {
	o.t.Helper()
	if _, err := o.engine.RecordAttempts(context.Background(), attempts); err != nil {
		o.t.Fatal(err)
	}
}

func try(m desk.Mail, epoch int64, outcome desk.Outcome) desk.Attempt {
	return desk.Attempt{
		MailID: m.ID, DispatchID: m.DispatchID, Number: m.Attempts + 1, Epoch: epoch, Lane: m.Lane, At: time.Now(), Outcome: outcome,
		Stage: desk.StageData, Code: 250, Text: "2.0.0 ok\x00\xff", Route: "127.0.0.1:25",
	}
}

func TestExpandWritesEverybodyOnceInOrder(t *testing.T) {
	o := approvedOutbox(t, 25, 2)
	o.db.Exec(`INSERT INTO person_region (person_id, prefecture) SELECT id, 13 FROM person WHERE id <= 5`) // a weaker second region
	o.db.Exec(`INSERT INTO person_region (person_id, prefecture) SELECT id, 40 FROM person`)               // not concerned
	o.db.Exec(`UPDATE address SET state = 'bad' WHERE person_id IN (3, 4) OR id = (SELECT min(id) FROM address WHERE person_id = 7)`)
	o.db.Exec(`UPDATE address SET domain = 'docomo.example' WHERE person_id > 20`)
	lanes := []desk.Carrier{
		{Lane: "docomo", Domains: []string{"docomo.example"}, Host: "h", Port: 25, Sessions: 1, Depth: 1},
		{Lane: desk.DefaultLane, Host: "h", Port: 25, Sessions: 1, Depth: 1},
	}
	if err := o.db.Store(storetest.Owner).SetCarriers(t.Context(), "admin:test", lanes); err != nil {
		t.Fatal(err)
	}
	due, _, err := o.engine.DueDispatches(t.Context())
	if err != nil || len(due) != 1 || due[0].ID != o.id {
		t.Fatalf("due %v, %v", due, err)
	}
	people, addresses, unreached, chunks := 0, 0, 0, 0
	for {
		step := o.expand(7)
		people, addresses, unreached, chunks = people+step.People, addresses+step.Addresses, unreached+step.Unreached, chunks+1
		if step.Done {
			break
		}
	}
	if people != 25 || addresses != 45 || unreached != 2 || chunks < 4 || o.state() != desk.Expanded {
		t.Fatalf("people %d, addresses %d, unreached %d, chunks %d, state %s", people, addresses, unreached, chunks, o.state())
	}
	all := append(o.pending(desk.DefaultLane), o.pending("docomo")...)
	if len(all) != 45 || len(o.pending("docomo")) != 10 {
		t.Fatalf("%d mails, %d in lane docomo", len(all), len(o.pending("docomo")))
	}
	slices.SortFunc(all, func(a, b desk.Mail) int { return cmp.Compare(a.ID, b.ID) })
	if !slices.IsSortedFunc(all, func(a, b desk.Mail) int { return cmp.Compare(a.PersonID, b.PersonID) }) {
		t.Error("mail ids do not ascend in the order of people")
	}
	var wrong, grouped int
	o.db.Scan(`SELECT count(*) FROM recipient WHERE prefecture <> 17`, &wrong)
	o.db.Scan(`SELECT count(*) FROM recipient WHERE top_group IS NOT NULL`, &grouped)
	if wrong != 0 || grouped != 25 {
		t.Errorf("%d tallied under the weaker prefecture, %d with a unit", wrong, grouped)
	}
	var heads, mails, none int
	o.db.Scan(`SELECT head_count, addresses, unreached FROM dispatch`, &heads, &mails, &none)
	if heads != 25 || mails != 45 || none != 2 {
		t.Errorf("dispatch says %d, %d, %d", heads, mails, none)
	}
	if step := o.expand(7); !step.Done || step.People != 0 || step.State != desk.Expanded {
		t.Errorf("expanding again: %+v", step)
	}
}

func TestTwoEnginesExpandTogether(t *testing.T) {
	o := approvedOutbox(t, 300, 1)
	done := make(chan error, 4)
	for range 4 {
		go func() {
			for {
				step, err := o.engine.Expand(context.Background(), o.id, 20)
				if err != nil || step.Done {
					done <- err
					return
				}
			}
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if n := len(o.pending(desk.DefaultLane)); n != 300 {
		t.Errorf("%d mails", n)
	}
}

func TestExpandRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		arrange string
		want    desk.DispatchState
	}{
		"a stale order":   {`UPDATE approval SET not_before = now() - interval '2 min', not_after = now() - interval '1 s'`, desk.Expired}, // law 6
		"a stopped order": {`INSERT INTO stop (dispatch_id, operator_id, reason, at) SELECT id, 1, '', now() FROM dispatch`, desk.Stopped},
	} {
		o := approvedOutbox(t, 5, 1)
		o.db.Exec(c.arrange)
		step := o.expand(10)
		if !step.Done || step.State != c.want || o.state() != c.want || len(o.pending(desk.DefaultLane)) != 0 {
			t.Errorf("%s: %+v, %s", name, step, o.state())
		}
	}
	o := approvedOutbox(t, 5, 1)
	o.db.Exec(`UPDATE approval SET not_before = now() + interval '1 min', not_after = now() + interval '2 min'`)
	if _, err := o.engine.Expand(t.Context(), o.id, 10); desk.KindOf(err) != desk.Conflict {
		t.Errorf("during the count-down: %v", err)
	}
	due, wait, err := o.engine.DueDispatches(t.Context())
	if err != nil || len(due) != 0 || wait < 55*time.Second || wait > time.Minute {
		t.Errorf("due %v in %v, %v", due, wait, err)
	}
}

func TestSettleFollowsResults(t *testing.T) {
	o := approvedOutbox(t, 3, 1)
	o.expand(100)
	epoch, _, err := o.engine.TakeLease(t.Context(), desk.LaneLease(desk.DefaultLane), "engine", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	mails := o.pending(desk.DefaultLane)
	if s := o.settle(); s != desk.Expanded {
		t.Fatalf("before any result: %s", s)
	}
	o.record(try(mails[0], epoch, desk.Accepted), try(mails[1], epoch, desk.Deferred))
	if s := o.settle(); s != desk.Sending {
		t.Fatalf("after the first result: %s", s)
	}
	o.record(try(mails[2], epoch, desk.Refused))
	if s := o.settle(); s != desk.Sending {
		t.Fatalf("with a deferred mail: %s", s)
	}
	o.db.Exec(`UPDATE dispatch SET expanded_at = now() - interval '31 min'`)
	if s := o.settle(); s != desk.Sent {
		t.Fatalf("given up: %s", s)
	}
	if letters, err := o.engine.Letters(t.Context(), desk.DefaultLane); err != nil || len(letters) != 0 {
		t.Errorf("letters of an ended dispatch: %v, %v", letters, err)
	}
}

func TestStopSettles(t *testing.T) {
	o := approvedOutbox(t, 3, 1)
	o.expand(100)
	if _, err := o.console.StopDispatch(t.Context(), o.operator, o.id, ""); err != nil {
		t.Fatal(err)
	}
	if letters, err := o.engine.Letters(t.Context(), desk.DefaultLane); err != nil || len(letters) != 0 {
		t.Errorf("letters of a stopped dispatch: %v, %v", letters, err)
	}
	if s := o.settle(); s != desk.Expanded {
		t.Errorf("a lane may still hold mails: %s", s)
	}
	o.db.Exec(`UPDATE stop SET at = now() - interval '11 s'`)
	if s := o.settle(); s != desk.Stopped {
		t.Errorf("after the wait: %s", s)
	}
}

func TestRecordAttempts(t *testing.T) { // law 7: every record looks at the stop row; law 9: writing again changes nothing
	o := approvedOutbox(t, 4, 1)
	o.expand(100)
	mails := o.pending(desk.DefaultLane)
	look := func(want int, attempts ...desk.Attempt) {
		t.Helper()
		stopped, err := o.engine.RecordAttempts(t.Context(), attempts)
		if err != nil || len(stopped) != want || (want == 1 && stopped[0] != o.id) {
			t.Fatalf("stopped %v, %v; want %d", stopped, err, want)
		}
	}
	first, second := try(mails[0], 1, desk.Accepted), try(mails[1], 1, desk.Accepted)
	look(0, first)
	look(0, first, second) // the first was written, its answer lost: the whole is written again
	if left := o.pending(desk.DefaultLane); len(left) != 2 || left[0].ID != mails[2].ID {
		t.Fatalf("%d pending, want the last two", len(left))
	}
	if _, err := o.console.StopDispatch(t.Context(), o.operator, o.id, "誤報"); err != nil {
		t.Fatal(err)
	}
	look(1, try(mails[2], 1, desk.Accepted))
	look(1, try(mails[3], 1, desk.Refused)) // of an epoch that is not the lane's: not kept, but looked
	var rows int
	if o.db.Scan(`SELECT count(*) FROM attempt`, &rows); rows != 3 {
		t.Errorf("%d results kept, want 3", rows)
	}
}

func TestStreamReadsOnPastFinishedPages(t *testing.T) { // a lane taken over in the middle of a dispatch
	o := approvedOutbox(t, 30, 1)
	o.expand(100)
	mails := o.pending(desk.DefaultLane)
	for i, m := range mails {
		if i < 20 && i != 7 {
			o.record(try(m, 1, desk.Accepted))
		}
	}
	got, err := o.engine.StreamMails(t.Context(), o.id, desk.DefaultLane, 0, 5)
	if err != nil || len(got) != 5 || got[0].ID != mails[7].ID || got[1].ID != mails[20].ID || got[4].ID != mails[23].ID {
		t.Fatalf("%v, %v", got, err)
	}
	if got, err = o.engine.StreamMails(t.Context(), o.id, desk.DefaultLane, mails[26].ID, 5); err != nil || len(got) != 3 {
		t.Fatalf("%d at the end, %v", len(got), err)
	}
}

func TestDeferredMailSaysWhenToTryAgain(t *testing.T) {
	o := approvedOutbox(t, 1, 1)
	o.expand(10)
	epoch, _, err := o.engine.TakeLease(t.Context(), desk.LaneLease(desk.DefaultLane), "engine", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 3; n++ {
		o.record(try(o.pending(desk.DefaultLane)[0], epoch, desk.Deferred))
		m := o.pending(desk.DefaultLane)[0]
		var last time.Time
		o.db.Scan(`SELECT max(recorded_at) FROM attempt`, &last)
		if m.Attempts != n || !m.NextAt.Equal(last.Add(desk.RetryDelay(n))) {
			t.Errorf("after %d: attempts %d, next %v after the last", n, m.Attempts, m.NextAt.Sub(last))
		}
	}
}

// TestOutboxModel plays random histories of results under changing leases against a model: pending = no final result, an
// acceptance counts under any epoch, everything else only under the present one, and writing twice changes nothing.
func TestOutboxModel(t *testing.T) {
	o := approvedOutbox(t, 6, 1)
	o.expand(100)
	mails := o.pending(desk.DefaultLane)
	ctx := context.Background()
	rapid.Check(t, func(r *rapid.T) {
		o.db.Exec(`TRUNCATE attempt; DELETE FROM lease`)
		epoch, final, tries := int64(0), map[desk.MailID]bool{}, map[desk.MailID]int{}
		take := func() {
			o.db.Exec(`UPDATE lease SET expires_at = now()`)
			var err error
			if epoch, _, err = o.engine.TakeLease(ctx, desk.LaneLease(desk.DefaultLane), "somebody", time.Minute); err != nil {
				r.Fatal(err)
			}
		}
		take()
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			if rapid.IntRange(0, 3).Draw(r, "lease") == 0 {
				take()
			}
			var batch []desk.Attempt
			seen := map[desk.MailID]bool{}
			for range rapid.IntRange(1, 5).Draw(r, "results") {
				m := rapid.SampledFrom(mails).Draw(r, "mail")
				if seen[m.ID] {
					continue
				}
				seen[m.ID] = true
				m.Attempts = tries[m.ID]
				a := try(m, epoch-int64(rapid.IntRange(0, 1).Draw(r, "old")), desk.Outcome(rapid.IntRange(1, 3).Draw(r, "outcome")))
				batch = append(batch, a)
				if a.Outcome == desk.Accepted || a.Epoch == epoch {
					tries[m.ID] = a.Number
					final[m.ID] = final[m.ID] || a.Outcome.Final()
				}
			}
			o.record(batch...)
			o.record(batch...) // again, as after a commit whose answer was lost
		}
		want := map[desk.MailID]int{}
		for _, m := range mails {
			if !final[m.ID] {
				want[m.ID] = tries[m.ID]
			}
		}
		got := map[desk.MailID]int{}
		for _, m := range o.pending(desk.DefaultLane) {
			got[m.ID] = m.Attempts
		}
		if !maps.Equal(got, want) {
			r.Fatalf("pending %v, want %v", got, want)
		}
	})
}

func TestSetCarriersRefuses(t *testing.T) {
	o := approvedOutbox(t, 1, 1)
	owner := o.db.Store(storetest.Owner)
	other := desk.Carrier{Lane: desk.DefaultLane, Host: "h", Port: 25, Sessions: 1, Depth: 1}
	named := desk.Carrier{Lane: "a", Domains: []string{"carrier.example"}, Host: "h", Port: 25, Sessions: 1, Depth: 1}
	twice := named
	twice.Lane = "b"
	many := []desk.Carrier{other}
	for i := range desk.Window / 2 {
		many = append(many, desk.Carrier{Lane: fmt.Sprint("l", i), Host: "h", Port: 25, Sessions: 1, Depth: 1})
	}
	for name, list := range map[string][]desk.Carrier{
		"no default lane": {named}, "one domain, two lanes": {other, named, twice}, "one name twice": {other, other}, "no host": {{Lane: desk.DefaultLane}},
		"more than the window holds": many,
	} {
		if err := owner.SetCarriers(t.Context(), "admin:test", list); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := owner.SetCarriers(t.Context(), "admin:test", []desk.Carrier{other, named}); err != nil {
		t.Fatal(err)
	}
	got, err := o.engine.Carriers(t.Context())
	if err != nil || len(got) != 2 || got[0].Lane != "a" || !slices.Equal(got[0].Domains, named.Domains) {
		t.Errorf("carriers %+v, %v", got, err)
	}
	o.expand(10)
	if err := owner.SetCarriers(t.Context(), "admin:test", []desk.Carrier{other}); desk.KindOf(err) != desk.Conflict {
		t.Errorf("a lane with mails under way went: %v", err)
	}
}
