package send_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"yagura/engine/compose"
	"yagura/engine/route"
	"yagura/engine/route/routetest"
	"yagura/engine/send"
	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// testKey is no secret: it seals made-up mailboxes under example domains.
func testKey() desk.AddressKey {
	k, err := desk.NewAddressKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		panic(err)
	}
	return k
}

// office is one test's desk: a database with people whose addresses can be opened, an operator and an event judged genuine.
type office struct {
	t        testing.TB
	db       *storetest.DB
	console  *store.Store
	engine   *store.Store
	operator desk.OperatorID
	event    desk.EventID
	advice   desk.AdviceID
	incident desk.IncidentID
}

func mailbox(i int, domain string) string { return fmt.Sprintf("p%d@%s", i, domain) }

// newOffice has so many people in Ishikawa with one address each, under the domains in turn.
func newOffice(t testing.TB, people int, domains ...string) *office {
	t.Helper()
	db := storetest.New(t)
	o := &office{t: t, db: db, console: db.Store(storetest.Console), engine: db.Store(storetest.Engine)}
	o.operator = storetest.Operator(t, db, "tanaka")
	o.event, o.advice = storetest.GenuineEvent(t, db, o.operator)
	o.incident = storetest.Incident(t, db, o.operator, o.event)
	storetest.People(t, db, people, 17, 0)
	var ids []int64
	var sealed, prints [][]byte
	var hosts []string
	for i := range people {
		domain := domains[i%len(domains)]
		a, err := testKey().Seal(mailbox(i+1, domain))
		if err != nil {
			t.Fatal(err)
		}
		ids, sealed, hosts = append(ids, int64(i+1)), append(sealed, a.Sealed), append(hosts, a.Domain)
		prints = append(prints, testKey().Fingerprint(mailbox(i+1, domain)))
	}
	db.Exec(`INSERT INTO address (person_id, sealed, domain, fingerprint) SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::text[], $4::bytea[])`,
		ids, sealed, hosts, prints)
	db.Exec(`INSERT INTO policy (at, actor, prefecture_from, nationwide_from, count_down_ms, not_after_s, merge_window_s, merge_km, one_person_may)
		VALUES (now(), 'test', 6, 9, 0, 900, 21600, 100, true)`)
	return o
}

// carriers sets the lanes; the owner writes them, as yagura-ctl does.
func (o *office) carriers(list ...desk.Carrier) {
	o.t.Helper()
	if err := o.db.Store(storetest.Owner).SetCarriers(o.t.Context(), "admin:test", list); err != nil {
		o.t.Fatal(err)
	}
}

// order proposes a dispatch to everybody in Ishikawa and approves it.
func (o *office) order() desk.DispatchID {
	o.t.Helper()
	ctx := o.t.Context()
	d, err := o.console.Propose(ctx, o.operator, desk.Draft{
		IncidentID: o.incident, EventID: o.event, Triggered: storetest.Ishikawa(), TemplateID: "safety",
		Subject: "【安否確認】石川県能登地方の地震", Body: "安否を確認しています。",
	})
	if err == nil {
		_, err = o.console.Approve(ctx, o.operator, desk.ApprovalOrder{DispatchID: d.ID, HeadCount: d.HeadCount, Method: desk.OneKey, AdviceID: o.advice})
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return d.ID
}

// progress reads the present counts.
func (o *office) progress(id desk.DispatchID) desk.DispatchProgress {
	o.t.Helper()
	p, err := o.console.Progress(context.Background(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// await polls until done, and fails after the limit.
func await(t testing.TB, limit time.Duration, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for !done() {
		select {
		case <-end:
			t.Fatalf("not within %v: %s", limit, what)
		case <-tick.C:
		}
	}
}

// expander writes the mails of approved dispatches and follows their results: just enough of engine/dispatch to have something
// to send, because services never import each other, not even in tests.
func expander(ctx context.Context, s *store.Store, wake <-chan struct{}, expanded func()) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		due, _, _ := s.DueDispatches(ctx) // after an error the next round looks again
		for _, d := range due {
			for people := 250; ; people = 2000 {
				step, err := s.Expand(ctx, d.ID, people)
				expanded()
				if err != nil || step.Done {
					break
				}
			}
		}
		_ = s.SettleDispatches(ctx)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-tick.C:
		}
	}
}

// house is a small engine: sending, and expanding just as far as sending needs it.
type house struct {
	name  string
	s     *store.Store
	gate  func(route.Gate) route.Gate // nil = as it is
	times route.Timeouts
	st    send.Store // nil = s
}

// run works until ctx ends.
func (h house) run(ctx context.Context) {
	opener, err := route.NewOpener(testKey())
	if err != nil {
		panic(err)
	}
	tokens, err := desk.NewTokenKey(1, bytes.Repeat([]byte{9}, 32))
	if err != nil {
		panic(err)
	}
	if h.st == nil {
		h.st = h.s
	}
	holder := h.name + "/" + strconv.Itoa(os.Getpid()) + "/" + strconv.FormatUint(rand.Uint64(), 36)
	log := slog.New(slog.DiscardHandler)
	if os.Getenv("YAGURA_VERBOSE") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	wakeSend, wakeDispatch := make(chan struct{}, 1), make(chan struct{}, 1)
	nudge := func(c chan struct{}) {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	sender := send.New(send.Options{
		Store: h.st, Process: h.name, Holder: holder, Opener: opener, Wake: wakeSend, Now: time.Now, Jitter: rand.Float64, Log: log,
		Compose: func(l desk.Letter) (send.Composer, error) {
			return compose.New(l, compose.Options{
				From: "anpi@desk.example", FromName: "当直室", LinkBase: "https://anpi.example/r/", MessageIDHost: "desk.example", ReturnPath: "b-{id}@desk.example",
			})
		},
		Token: func(m desk.Mail) (string, error) {
			return tokens.Sign(desk.Token{DispatchID: m.DispatchID, PersonID: m.PersonID, IssuedOn: m.CreatedAt})
		},
		Route: func(c desk.Carrier, gate route.Gate) send.Route {
			if h.gate != nil {
				gate = h.gate(gate)
			}
			return route.New(c, route.Options{HeloName: "desk.example", Gate: gate, Now: time.Now, Timeouts: h.times})
		},
	})
	done := make(chan struct{}, 3)
	go func() { _ = sender.Run(ctx); done <- struct{}{} }()
	go func() { expander(ctx, h.s, wakeDispatch, func() { nudge(wakeSend) }); done <- struct{}{} }()
	go func() {
		_ = h.s.Listen(ctx, []desk.Topic{desk.TopicDispatch, desk.TopicMail}, func(w desk.Wake) { nudge(wakeDispatch); nudge(wakeSend) })
		done <- struct{}{}
	}()
	for range 3 {
		<-done
	}
}

// start runs the house until the test ends or the returned function is called.
func (h house) start(t testing.TB) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); h.run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// counts is how often each mailbox was accepted.
func counts(sinks ...*routetest.Server) (byMailbox map[string]int, extra int) {
	byMailbox = map[string]int{}
	for _, s := range sinks {
		for _, m := range s.Kept() {
			byMailbox[m.To]++
		}
	}
	for _, n := range byMailbox {
		extra += n - 1
	}
	return byMailbox, extra
}

// closedPort is an address nobody listens at.
func closedPort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
