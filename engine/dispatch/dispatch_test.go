package dispatch_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yagura/engine/dispatch"
	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

type office struct {
	t        *testing.T
	db       *storetest.DB
	console  *store.Store
	engine   *store.Store
	operator desk.OperatorID
	event    desk.EventID
	advice   desk.AdviceID
	incident desk.IncidentID
	orders   int
}

// newOffice has people in Ishikawa and a count-down of so many milliseconds.
func newOffice(t *testing.T, people, countDown int) *office {
	t.Helper()
	db := storetest.New(t)
	o := &office{t: t, db: db, console: db.Store(storetest.Console), engine: db.Store(storetest.Engine)}
	o.operator = storetest.Operator(t, db, "tanaka")
	storetest.People(t, db, people, 17, 1)
	db.Exec(`INSERT INTO policy (at, actor, prefecture_from, nationwide_from, count_down_ms, not_after_s, merge_window_s, merge_km, one_person_may)
		VALUES (now(), 'test', 6, 9, $1, 900, 21600, 100, true)`, countDown)
	return o
}

// order approves a dispatch in an incident of its own: nobody is asked twice in one.
func (o *office) order() desk.DispatchID {
	o.t.Helper()
	o.orders++
	o.event, o.advice = storetest.Event(o.t, o.db, storetest.Happening{OccurredAt: storetest.Noto.Add(time.Duration(o.orders) * time.Hour)})
	storetest.Judge(o.t, o.db, o.operator, o.event, desk.Genuine)
	o.incident = storetest.Incident(o.t, o.db, o.operator, o.event)
	d, err := o.console.Propose(o.t.Context(), o.operator, desk.Draft{
		IncidentID: o.incident, EventID: o.event, Triggered: storetest.Ishikawa(), TemplateID: "safety", Subject: "安否確認", Body: "安否",
	})
	if err == nil {
		_, err = o.console.Approve(o.t.Context(), o.operator, desk.ApprovalOrder{DispatchID: d.ID, HeadCount: d.HeadCount, Method: desk.OneKey, AdviceID: o.advice})
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return d.ID
}

// run starts a service; chunks counts what it wrote.
func (o *office) run(holder string) (chunks *atomic.Int32, wake chan struct{}, stop func()) {
	chunks, wake = &atomic.Int32{}, make(chan struct{}, 1)
	s := dispatch.New(dispatch.Options{
		Store: o.engine, Holder: holder, Wake: wake, Now: time.Now, Expanded: func(desk.DispatchID) { chunks.Add(1) },
	})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); ctx.Err() == nil {
			o.t.Errorf("%s ended: %v", holder, err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	o.t.Cleanup(stop)
	return chunks, wake, stop
}

func (o *office) state(id desk.DispatchID) desk.DispatchState {
	p, err := o.console.Progress(context.Background(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	return p.Dispatch.State
}

func (o *office) await(limit time.Duration, id desk.DispatchID, want desk.DispatchState) {
	o.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for o.state(id) != want {
		select {
		case <-end:
			o.t.Fatalf("dispatch %d is %s, want %s within %v", id, o.state(id), want, limit)
		case <-tick.C:
		}
	}
}

func TestExpandsWhatIsDueInChunks(t *testing.T) {
	o := newOffice(t, 600, 0)
	chunks, wake, _ := o.run("one")
	id := o.order()
	wake <- struct{}{}
	o.await(30*time.Second, id, desk.Expanded)
	if n := chunks.Load(); n < 2 {
		t.Errorf("%d chunks: the first mail would wait for the last", n)
	}
}

func TestWaitsForTheCountDownByItself(t *testing.T) {
	o := newOffice(t, 10, 700)
	o.run("one")
	began := time.Now()
	id := o.order()
	o.await(30*time.Second, id, desk.Expanded)
	if took := time.Since(began); took < 700*time.Millisecond {
		t.Errorf("expanded after %v, the count-down is 700 ms", took)
	}
}

func TestStaleOrderExpires(t *testing.T) { // law 6
	o := newOffice(t, 10, 0)
	id := o.order()
	o.db.Exec(`UPDATE approval SET not_before = now() - interval '1 hour', not_after = now() - interval '1 min'`)
	o.run("one")
	o.await(30*time.Second, id, desk.Expired)
	var mails int
	o.db.Scan(`SELECT count(*) FROM mail`, &mails)
	if mails != 0 {
		t.Errorf("%d mails of a stale order", mails)
	}
}

func TestAnotherEngineGoesOn(t *testing.T) {
	o := newOffice(t, 10, 0)
	_, _, stop := o.run("one")
	first := o.order()
	o.await(30*time.Second, first, desk.Expanded)
	o.run("two")
	stop() // gives the lease back
	second := o.order()
	o.await(30*time.Second, second, desk.Expanded)
	var mails, people int
	o.db.Scan(`SELECT count(*), count(DISTINCT (dispatch_id, person_id)) FROM mail`, &mails, &people)
	if mails != 20 || people != 20 {
		t.Errorf("%d mails to %d recipients", mails, people)
	}
}

func TestLivesThroughLostConnections(t *testing.T) {
	o := newOffice(t, 10, 0)
	o.run("one")
	for range 3 {
		o.db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'yagura_engine' AND datname = current_database()`)
		o.await(30*time.Second, o.order(), desk.Expanded)
	}
}
