package intake

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yagura/feeds"
	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// flood hands over different telegrams without end, as fast as it is let.
type flood struct {
	name   string
	raw    func(n int) []byte
	at     time.Time
	handed *atomic.Int64
}

func (f flood) Name() string { return f.name }

func (f flood) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	for ctx.Err() == nil {
		n := f.handed.Load()
		if out(ctx, desk.Envelope{Feed: f.name, Name: fmt.Sprint(n), Raw: f.raw(int(n)), ReceivedAt: f.at}) == nil {
			f.handed.Add(1)
		}
	}
	return ctx.Err()
}

// valve is a source that hands over one telegram whenever it is told to.
type valve struct {
	name string
	next chan desk.Envelope
}

func (v valve) Name() string { return v.name }

func (v valve) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case env := <-v.next:
			for out(ctx, env) != nil && ctx.Err() == nil {
				continue
			}
		}
	}
}

// TestAFloodHoldsUpNobody: one source floods with well-formed telegrams, another with garbage, a third dies again and again, a fourth
// is half-open and silent; the fifth brings the main shock. It is judged at once although thousands wait, memory stays bounded, and
// the desk is told of each trouble.
func TestAFloodHoldsUpNobody(t *testing.T) {
	db := storetest.New(t)
	noto := scenario(t, "noto")
	base := string(noto[0].Raw)
	var good, bad atomic.Int64
	quiet := valve{"jma-pull", make(chan desk.Envelope)}
	stalled := &teller{valve: valve{"p2pquake", make(chan desk.Envelope)}}
	stalled.health.Store(&feeds.Health{LastContact: time.Now().Add(-time.Hour)})
	var deaths atomic.Int64
	st := db.Store(storetest.Engine)
	in := New(Options{
		Store: st, Holder: "a", Now: time.Now, Log: testLog(t), Poll: 200 * time.Millisecond, Lease: time.Second, Health: 50 * time.Millisecond,
		Burst: 3000, Rate: 50,
		Sources: []feeds.Source{
			flood{"dmdata", func(n int) []byte {
				return []byte(strings.Replace(base, "<EventID>", fmt.Sprintf("<EventID>2023%010d ", n), 1))
			}, noto[0].ReceivedAt, &good},
			flood{"line-garbage", func(n int) []byte { return fmt.Appendf(nil, "{\"garbage\": %d}", n) }, noto[0].ReceivedAt, &bad},
			quiet, stalled,
			dying{&deaths},
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	await(t, "a backlog", func() bool { return good.Load()+bad.Load() >= 1500 })
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	slowest := time.Duration(0)
	for i := range 5 {
		env := noto[i+1]
		env.Feed = "jma-pull"
		digest := feeds.Digest(env.Raw)
		began := time.Now()
		quiet.next <- env
		await(t, "the quiet source's telegram", func() bool { return isRead(db, digest) })
		slowest = max(slowest, time.Since(began))
	}
	var waiting int
	db.Scan(`SELECT count(*) FROM unread`, &waiting)
	await(t, "the desk being told", func() bool {
		return strings.Contains(troubleOf(t, st, "line-garbage"), "受け取りを遅らせています")
	})
	await(t, "the garbage being told", func() bool {
		return in.garbage.within("line-garbage", time.Now()) >= garbageFrom && in.garbage.within("dmdata", time.Now()) == 0
	})
	await(t, "the silence being told", func() bool { return healthOf(t, st, "p2pquake").Silent })
	await(t, "the deaths being told", func() bool { return healthOf(t, st, "dying").Trouble != "" && healthOf(t, st, "dying").Reconnects > 0 })
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("%d+%d handed over, %d waiting, the quiet source is read after %v at most, heap %d → %d kB",
		good.Load(), bad.Load(), waiting, slowest, before.HeapAlloc>>10, after.HeapAlloc>>10)
	if slowest > 5*time.Second {
		t.Errorf("the quiet source waited %v", slowest)
	}
	if waiting < 100 {
		t.Errorf("only %d wait: this was no flood", waiting)
	}
	if after.HeapAlloc > before.HeapAlloc+64<<20 {
		t.Errorf("heap grew from %d to %d", before.HeapAlloc, after.HeapAlloc)
	}
	if told := troubleOf(t, st, "jma-pull"); told != "" {
		t.Errorf("the quiet source is said to be in trouble: %s", told)
	}
}

func isRead(db *storetest.DB, digest [32]byte) (read bool) {
	db.Scan(fmt.Sprintf(`SELECT EXISTS (SELECT FROM telegram t JOIN reading r ON r.telegram_id = t.id WHERE t.digest = '\x%x')`, digest), &read)
	return read
}

func troubleOf(t *testing.T, st *store.Store, name string) string {
	return healthOf(t, st, name).Trouble
}

// healthOf is what the desk is told of a source; empty while it was not noted.
func healthOf(t *testing.T, st *store.Store, name string) desk.SourceHealth {
	t.Helper()
	all, err := st.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		if h.Name == name {
			return h
		}
	}
	return desk.SourceHealth{}
}

// dying is a source that ends at once, every time.
type dying struct{ deaths *atomic.Int64 }

func (dying) Name() string { return "dying" }

func (d dying) Run(context.Context, func(context.Context, desk.Envelope) error) error {
	d.deaths.Add(1)
	return desk.Errorf(desk.Unavailable, "test", "dead")
}

// teller is a source that tells its health and never brings anything.
type teller struct {
	valve
	health atomic.Pointer[feeds.Health]
}

func (s *teller) Health() feeds.Health { return *s.health.Load() }

func (s *teller) Rhythm() time.Duration { return 3 * time.Minute }

func TestHealthReachesTheStore(t *testing.T) {
	db := storetest.New(t)
	s := &teller{valve: valve{"jma-pull", make(chan desk.Envelope)}}
	contact := time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)
	s.health.Store(&feeds.Health{LastContact: contact, Reconnects: 2, Detail: "304応答 210 回"})
	var next atomic.Int64
	st := db.Store(storetest.Engine)
	start(t, st, "a", s, failing{scenario(t, "noto")[:2], &next})
	ours := func(name string) desk.SourceHealth { return healthOf(t, st, name) }
	await(t, "the first note", func() bool { return ours("jma-pull").Name != "" })
	if h := ours("jma-pull"); h.Engine != "a" || h.Reconnects != 2 || h.Rhythm != 3*time.Minute || h.Trouble != "" || !h.LastContact.Equal(contact) {
		t.Errorf("%+v", h)
	}
	s.health.Store(&feeds.Health{LastContact: contact, Trouble: "接続できません。"})
	await(t, "the trouble", func() bool { return ours("jma-pull").Trouble == "接続できません。" })
	await(t, "the restarts of a source that says nothing", func() bool { return ours("failing").Reconnects >= 2 })
	await(t, "its telegrams", func() bool { return !ours("failing").LastReceived.IsZero() })
}

func TestTheGateSlowsAndLetsGo(t *testing.T) {
	now := at(0)
	g := newGate(valve{name: "x"}, 100, 10)
	for i := range 10 {
		if wait := g.take(now); wait != 0 {
			t.Fatalf("telegram %d of the burst waits %v", i, wait)
		}
	}
	if wait := g.take(now); wait != 10*time.Millisecond {
		t.Errorf("the one after the burst waits %v", wait)
	}
	if told := g.health(now).Trouble; !strings.Contains(told, "多すぎる") {
		t.Errorf("trouble = %q", told)
	}
	now = now.Add(time.Second) // refilled, but never above the burst
	for i := range 10 {
		if wait := g.take(now); wait != 0 {
			t.Fatalf("after a second, telegram %d waits %v", i, wait)
		}
	}
	if g.take(now) == 0 {
		t.Error("the gate gives more than its burst")
	}
	if told := g.health(now.Add(time.Minute)).Trouble; told != "" {
		t.Errorf("a minute later it still says %q", told)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if g.pass(cancelled, func() time.Time { return now }) {
		t.Error("passed after the end")
	}
}

// TestASourceThatRunsAgainIsWell: the line of a contracted receiver may bring nothing for months.
func TestASourceThatRunsAgainIsWell(t *testing.T) {
	g := newGate(valve{name: "line-http"}, 100, 10)
	g.began(at(0))
	g.ended(desk.Errorf(desk.Unavailable, "test", "dead"), at(time.Hour))
	for _, after := range []time.Duration{0, time.Second, 5 * time.Second} {
		if told := g.health(at(time.Hour + after)).Trouble; !strings.Contains(told, "止まった") {
			t.Errorf("%v after its end it says %q", after, told)
		}
	}
	g.began(at(time.Hour + 5*time.Second))
	if told := g.health(at(time.Hour + 10*time.Second)).Trouble; told == "" {
		t.Error("well at once: one that dies again and again would never be told of")
	}
	if told := g.health(at(time.Hour + time.Minute)).Trouble; told != "" {
		t.Errorf("after a minute of running it still says %q", told)
	}
}

func at(after time.Duration) time.Time { return storetest.Noto.Add(after) }

func TestReadersAreChosenByContentAndFeed(t *testing.T) {
	const text = "直ちに避難。直ちに避難。直ちに頑丈な建物や地下に避難して下さい。ミサイルが、北海道周辺に落下するものとみられます。直ちに避難して下さい。"
	const edxl = `<?xml version="1.0"?><EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><distributionID>x</distributionID></EDXLDistribution>`
	jmaXML := string(scenario(t, "noto")[0].Raw)
	for name, c := range map[string]struct {
		feed, raw string
		edxl      bool
		hazard    desk.Hazard // of what was read
		refuses   string
	}{
		"JMA by push":             {"dmdata", jmaXML, false, desk.Earthquake, ""},
		"JMA by the line":         {"line", jmaXML, false, desk.Earthquake, ""},
		"a text by the line":      {"line", text, false, desk.Missile, ""},
		"the same as an XML feed": {"jma-pull", text, false, "", "XMLの電文ではありません"},
		"the same from elsewhere": {"replay", text, false, "", "XMLの電文ではありません"},
		"EDXL, off":               {"line", edxl, false, "", "EDXLの受信は設定されていません"},
		"an entry by the line":    {"line", `{"missile_entry":1}`, false, "", "XMLの電文ではありません"},
	} {
		o := Options{EDXL: c.edxl}
		tg, err := o.parse(desk.Telegram{Envelope: desk.Envelope{Feed: c.feed, Raw: []byte(c.raw), ReceivedAt: at(0)}})
		if c.refuses == "" && (err != nil || tg.Hazard != c.hazard) {
			t.Errorf("%s: %s, %v", name, tg.Hazard, err)
		}
		if c.refuses != "" && !strings.Contains(desk.Message(err), c.refuses) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
