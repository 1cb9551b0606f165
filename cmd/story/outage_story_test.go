package story

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yagura/store/cluster"
	"yagura/store/desk"
	"yagura/store/schema"
	"yagura/store/storetest"
)

// ownServer is a PostgreSQL that one story may stop; the shared one serves everybody else.
type ownServer struct {
	t   testing.TB
	dir string
	pg  *cluster.Cluster
}

const ownDatabase = "story"

// turn lets one story at a time have the server that may be stopped.
var turn sync.Mutex

func newServer(t *testing.T) *ownServer {
	t.Helper()
	turn.Lock()
	t.Cleanup(turn.Unlock)
	s := &ownServer{t: t, dir: must[string](t)(filepath.Abs(filepath.Join("..", "..", "var", "story-pg")))}
	s.start()
	t.Cleanup(s.stop)
	admin := s.pg.DSN("postgres", storetest.Owner)
	if err := schema.Drop(t.Context(), admin, ownDatabase); err != nil {
		t.Fatal(err)
	}
	if err := schema.Create(t.Context(), admin, ownDatabase, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := schema.Migrate(t.Context(), s.DSN(storetest.Owner)); err != nil {
		t.Fatal(err)
	}
	return s
}

// DSN is the connection string for a role.
func (s *ownServer) DSN(role string) string { return s.pg.DSN(ownDatabase, role) }

func (s *ownServer) start() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	s.pg = must[*cluster.Cluster](s.t)(cluster.Start(ctx, cluster.Options{Dir: s.dir}))
}

func (s *ownServer) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if err := s.pg.Stop(ctx); err != nil {
		s.t.Errorf("stop the database: %v", err)
	}
}

// PostgreSQL goes away in the middle of a dispatch, with answers coming in, and comes back: nobody dies, nothing is lost, and
// every answer that was acknowledged is in the store. // law 14, law 5, law 8, issue 2
func TestDatabaseGoesAwayWhileMailsLeaveAndAnswersCome(t *testing.T) {
	t.Parallel()
	const people = 2000
	server := newServer(t)
	tw := raise(t, plan{People: people, Lanes: slow(90), Staff: 2 * time.Second, Share: 0.9, Database: server})
	engine, item := tw.happened()
	console := tw.console()
	desk1 := tw.one.sits()
	desk1.shows(10*time.Second, "本番", "石川県能登地方")
	d := tw.one.orders(item)
	within(t, 30*time.Second, "mails leave and answers come", func() bool {
		s := tw.seen()
		return s.Total.Accepted > people/6 && s.Staff.Answered > 50
	})

	server.stop()
	away := time.Now()
	acknowledged := tw.seen().Staff.Answered
	desk1.shows(20*time.Second, "データベースにつながりません")
	within(t, 20*time.Second, "answers are acknowledged without the database", func() bool { return tw.seen().Staff.Answered > acknowledged+30 })
	handed := tw.seen().Total.Accepted
	always(t, 2*time.Second, "no mail leaves whose result could not be kept", func() bool { // law 5
		return tw.seen().Total.Accepted-handed <= desk.Window
	})
	during := tw.seen()
	t.Logf("away for %s: %d answers acknowledged meanwhile, %d of %d mails handed over", time.Since(away).Round(100*time.Millisecond),
		during.Staff.Answered-acknowledged, during.Total.Mailboxes, people)
	if during.Total.Mailboxes == people {
		t.Fatal("the dispatch was over before the database went: nothing is proven")
	}
	server.start()

	p := tw.settles(60*time.Second, d.ID)
	within(t, 60*time.Second, "everybody who wants to has answered", func() bool { return tw.seen().Staff.Waiting == 0 })
	after := tw.seen()
	if after.Total.Mailboxes != people || p.Accepted != people {
		t.Errorf("%d mailboxes have a mail, the desk counts %d, of %d", after.Total.Mailboxes, p.Accepted, people)
	}
	if after.Total.Duplicates > desk.Window {
		t.Errorf("%d duplicates, at most %d allowed", after.Total.Duplicates, desk.Window)
	}
	if after.Staff.Failed != 0 {
		t.Errorf("%d people gave up answering (%s)", after.Staff.Failed, after.Staff.LastErr)
	}
	var tally desk.Tally
	within(t, 20*time.Second, "every acknowledged answer is counted", func() bool {
		var err error
		tally, err = tw.one.store.Tally(t.Context(), d.ID)
		return err == nil && tally.Answered == after.Staff.Answered
	})
	if err := tally.Check(); err != nil {
		t.Error(err)
	}
	t.Logf("%d mails, %d duplicates, %d answers acknowledged and counted", after.Total.Mailboxes, after.Total.Duplicates, tally.Answered)
	within(t, 20*time.Second, "the desk is back", func() bool {
		drawn := desk1.look()
		return strings.Contains(drawn, "稼働") && !strings.Contains(drawn, "つながりません")
	})
	if !engine.alive() || !console.alive() {
		t.Errorf("alive: engine %v, console %v", engine.alive(), console.alive())
	}
}

// The database is away, answers are acknowledged, and then the engine is killed: what was acknowledged was on the disk. // law 14
func TestAcknowledgedAnswersSurviveDatabaseAndEngine(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	tw := raise(t, plan{People: 94, Database: server})
	engine, item := tw.happened()
	d := tw.one.orders(item)
	tw.settles(20*time.Second, d.ID)
	answer := func(person int) {
		t.Helper()
		if status, page := tw.submit(tw.token(d.ID, person, time.Now()), wellAndComing()); status != 200 || !strings.Contains(page, "記録しました") {
			t.Fatalf("person %d: status %d", person, status)
		}
	}
	for person := 1; person <= 10; person++ {
		answer(person)
	}
	server.stop()
	for person := 6; person <= 60; person++ { // some answer a second time
		answer(person)
	}
	engine.kill()
	server.start()
	tw.engine("east")
	within(t, 20*time.Second, "all 60 people count as answered", func() bool {
		tally, err := tw.owner.CountTally(t.Context(), d.ID)
		return err == nil && tally.Answered == 60 && tally.Changed == 5 && tally.Check() == nil
	})
}
