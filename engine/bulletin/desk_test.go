package bulletin_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
	"time"

	"yagura/engine/bulletin"
	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// office has people in Ishikawa (P00001 …) with an address each, and engines that consider telegrams.
type office struct {
	t       testing.TB
	db      *storetest.DB
	owner   *store.Store
	engine  *store.Store
	console *store.Store
	now     time.Time // of the telegrams
	last    desk.TelegramID
}

func newOffice(t testing.TB, people int) *office {
	t.Helper()
	db := storetest.New(t)
	o := &office{
		t: t, db: db, owner: db.Store(storetest.Owner), engine: db.Store(storetest.Engine), console: db.Store(storetest.Console),
		now: time.Now().Truncate(time.Second),
	}
	storetest.People(t, db, people, 17, 1)
	return o
}

func code(i int) string { return fmt.Sprintf("P%05d", i) }

// designate sets the people numbered from to to as the whole list of a kind.
func (o *office) designate(kind desk.BulletinKind, from, to int, cadence desk.Cadence, prefectures ...desk.Prefecture) {
	o.t.Helper()
	var list []desk.Subscription
	for i := from; i <= to; i++ {
		s, err := desk.NewSubscription(code(i), kind, prefectures, "", cadence)
		if err != nil {
			o.t.Fatal(err)
		}
		list = append(list, s)
	}
	if _, _, err := o.owner.SetSubscriptions(o.t.Context(), "admin:test", []desk.BulletinKind{kind}, list); err != nil {
		o.t.Fatal(err)
	}
}

// read stores a telegram and its reading as intake does, and gives its id.
func (o *office) read(t desk.Telegram) desk.TelegramID {
	o.t.Helper()
	_, _ = rand.Read(t.Digest[:])
	if t.Mode == "" {
		t.Mode = desk.Live
	}
	if t.Phase == "" {
		t.Phase = desk.Issued
	}
	o.now = o.now.Add(time.Millisecond)
	if t.PressTime.IsZero() {
		t.PressTime = o.now
	}
	if t.ReportTime.IsZero() {
		t.ReportTime = t.PressTime
	}
	if t.ReceivedAt.IsZero() {
		t.ReceivedAt = t.PressTime.Add(time.Second)
	}
	t.Feed, t.Office = "test", "気象庁本庁"
	id, _, err := o.engine.StoreTelegram(o.t.Context(), desk.Envelope{Feed: t.Feed, Raw: t.Digest[:], ReceivedAt: t.ReceivedAt}, t.Digest)
	if err != nil {
		o.t.Fatal(err)
	}
	t.ID = id
	if err := o.engine.RecordReading(o.t.Context(), t, ""); err != nil {
		o.t.Fatal(err)
	}
	o.last = id
	return id
}

// run starts a service; it stops when the test ends, or earlier by stop.
func (o *office) run(holder string, st bulletin.Store) (stop func()) {
	if st == nil {
		st = o.engine
	}
	s := bulletin.New(bulletin.Options{Store: st, Holder: holder, Now: time.Now})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); ctx.Err() == nil {
			o.t.Errorf("%s ended: %v", holder, err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	o.t.Cleanup(stop)
	return stop
}

// settled waits until every reading is considered.
func (o *office) settled() {
	o.t.Helper()
	await(o.t, "every reading to be considered", func() bool {
		var left int
		o.db.Scan(`SELECT count(*) FROM reading r WHERE NOT EXISTS (SELECT FROM bulletin_considered c WHERE c.telegram_id = r.telegram_id)`, &left)
		return left == 0
	})
}

// consider runs one service until everything is considered.
func (o *office) consider() {
	o.t.Helper()
	stop := o.run("one", nil)
	o.settled()
	stop()
}

func (o *office) count(sql string) (n int) {
	o.t.Helper()
	o.db.Scan(sql, &n)
	return n
}

// bulletins are all there are, oldest first.
func (o *office) bulletins() []desk.Bulletin {
	o.t.Helper()
	all, err := o.console.Bulletins(o.t.Context(), 1000)
	if err != nil {
		o.t.Fatal(err)
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

// why is what was written of the latest telegram.
func (o *office) why() (why string) {
	o.t.Helper()
	o.db.Scan(fmt.Sprintf(`SELECT why FROM bulletin_considered WHERE telegram_id = %d`, o.last), &why)
	return why
}

// told are the people mailed by a bulletin.
func (o *office) told(id desk.DispatchID) map[int64]bool {
	o.t.Helper()
	conn := o.db.Conn(storetest.Owner)
	rows, err := conn.Query(o.t.Context(), `SELECT person_id FROM mail WHERE dispatch_id = $1`, int64(id))
	if err != nil {
		o.t.Fatal(err)
	}
	defer rows.Close()
	people := map[int64]bool{}
	for rows.Next() {
		var p int64
		if err := rows.Scan(&p); err != nil {
			o.t.Fatal(err)
		}
		if people[p] {
			o.t.Errorf("person %d is mailed twice by bulletin %d", p, id)
		}
		people[p] = true
	}
	return people
}

func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !done() {
		select {
		case <-end:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// flash is a 震度速報 of so much in Ishikawa, and of less elsewhere.
func flash(id string, most desk.Intensity, others ...desk.PrefectureIntensity) desk.Telegram {
	t := desk.Telegram{Type: "VXSE51", Title: "震度速報", Hazard: desk.Earthquake, EventIDs: []string{id}, MaxIntensity: most}
	t.Prefectures = append([]desk.PrefectureIntensity{{Code: 17, Name: "石川県", Intensity: most}}, others...)
	t.Areas = []desk.AreaIntensity{{Code: "390", Name: "石川県能登", Intensity: most}}
	return t
}

// report is a 震源・震度情報 of the same.
func report(id, serial string, most desk.Intensity, magnitude string) desk.Telegram {
	t := flash(id, most)
	depth := 10.0
	t.Type, t.Title, t.Serial = "VXSE53", "震源・震度に関する情報", serial
	t.Hypocenters = []desk.Hypocenter{{Name: "石川県能登地方", DepthKM: &depth, MagnitudeText: magnitude, OriginTime: time.Date(2024, 1, 1, 16, 10, 0, 0, desk.JST)}}
	return t
}

func phase(t desk.Telegram, p desk.Phase) desk.Telegram {
	t.Phase = p
	if p == desk.Cancelled { // a 取消 has no body but its text (feeds.md 1.2)
		t.MaxIntensity, t.Prefectures, t.Areas, t.Hypocenters, t.Tsunami, t.Text = 0, nil, nil, nil, nil, "先ほどの情報を取り消します。"
	}
	return t
}

// TestAStopHoldsForDigestsToo: a wrong bulletin that waits for digests alone has no mail to stop, and must not leave ten minutes later. // law 7
func TestAStopHoldsForDigestsToo(t *testing.T) {
	o := newOffice(t, 3)
	operator := storetest.Operator(t, o.db, "tanaka")
	o.designate(desk.BulletinConfirmed, 1, 3, desk.AsDigest)
	o.read(report(noto, "1", desk.Intensity7, "Ｍ７．６"))
	o.consider()
	wrong := o.bulletins()[0]
	if _, err := o.console.StopBulletin(t.Context(), operator, wrong.ID, "誤り"); err != nil {
		t.Fatal(err)
	}
	if n := o.count(`SELECT count(*) FROM bulletin_recipient WHERE due_at IS NOT NULL AND NOT dropped`); n != 0 {
		t.Errorf("%d still wait for the stopped one", n)
	}
	if _, err := o.console.StopBulletin(t.Context(), operator, wrong.ID, ""); desk.KindOf(err) != desk.Conflict {
		t.Errorf("a second stop: %v", err)
	}
}
