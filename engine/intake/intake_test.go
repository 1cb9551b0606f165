package intake

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"yagura/feeds"
	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

func TestDuplicatesByTwoPathsAreOne(t *testing.T) {
	db := storetest.New(t)
	st := db.Store(storetest.Engine)
	envs := scenario(t, "noto")[:12]
	other := slices.Clone(envs)
	for i := range other {
		other[i].Feed, other[i].Name = "second\x00path", "x\xff"
		other[i].Raw = bytes.ReplaceAll(other[i].Raw, []byte("\n"), []byte("\r\n")) // the same telegram, other bytes
	}
	in := start(t, st, "a", slice{"first", envs}, slice{"second", other})
	await(t, "both paths", func() bool {
		c := in.Counts()
		return c.Stored+c.Duplicates == int64(len(envs)+len(other)) && c.Judged == c.Stored
	})
	var telegrams, readings int
	db.Scan(`SELECT count(*), (SELECT count(*) FROM reading) FROM telegram`, &telegrams, &readings)
	if c := in.Counts(); telegrams != readings || c.Duplicates < int64(len(envs)) || telegrams > len(envs) {
		t.Errorf("%d telegrams, %d readings, %+v", telegrams, readings, c)
	}
}

func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	envs := scenario(t, "noto")
	first := slices.IndexFunc(envs, func(e desk.Envelope) bool { return bytes.Contains(e.Raw, []byte("20240101161010")) })
	var shock []desk.Envelope
	for _, e := range envs[first:] {
		if bytes.Contains(e.Raw, []byte("<EventID>20240101161010</EventID>")) || bytes.Contains(e.Raw, []byte("<EventID>20240101230354</EventID>")) {
			shock = append(shock, e)
		}
	}
	for seed := range uint64(3) {
		shuffled := slices.Clone(shock)
		rand.New(rand.NewPCG(seed, 7)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		st, _ := playAll(t, storetest.New(t), shuffled)
		if e := itemOf(t, st, "20240101161010").Event; e.MaxIntensity != desk.Intensity7 || e.Status != desk.EventOpen || e.Tsunami != desk.TsunamiWarning {
			t.Errorf("seed %d: %q %v %v", seed, e.Title, e.MaxIntensity, e.Tsunami)
		}
		if e := itemOf(t, st, "20240101230354").Event; e.MaxIntensity != desk.Intensity3 || e.Status != desk.EventOpen {
			t.Errorf("seed %d: %q %v %v", seed, e.Title, e.MaxIntensity, e.Status)
		}
	}
}

func TestOneShakingUnderTwoEventIDsIsOneEvent(t *testing.T) {
	st, _ := playAll(t, storetest.New(t), scenario(t, "split"))
	items, err := st.Inbox(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(items) != 1 || len(items[0].Event.EventIDs) != 2 {
		for _, i := range items {
			t.Errorf("event %q %v", i.Event.Title, i.Event.EventIDs)
		}
	}
}

func TestUnreadableTelegramIsShown(t *testing.T) {
	db := storetest.New(t)
	good := scenario(t, "noto")[0]
	at := good.ReceivedAt
	st, in := playAll(t, db, []desk.Envelope{
		{Feed: "x", Name: "broken", Raw: []byte("<Report><Control>"), ReceivedAt: at},
		{Feed: "x", Name: "empty", Raw: nil, ReceivedAt: at.Add(time.Second)},
		{Feed: "x", Name: "binary", Raw: []byte{0, 0xff, 0xfe, 0x1b, '[', '2', 'J'}, ReceivedAt: at.Add(2 * time.Second)},
		good,
	})
	if c := in.Counts(); c.Unreadable != 3 || c.Judged != 1 {
		t.Fatalf("counts = %+v", c)
	}
	items, err := st.Inbox(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, i := range items {
		if !i.Unreadable {
			continue
		}
		shown++
		if i.TelegramID == 0 || i.Event.Headline == "" || bytes.ContainsAny([]byte(i.Event.Headline), "\x00\x1b") {
			t.Errorf("item = %+v", i)
		}
	}
	if shown != 3 || len(items) != 4 {
		t.Errorf("%d of %d items are unreadable ones", shown, len(items))
	}
}

// crashing dies between the event and the reading of the first telegram, as a killed process would.
type crashing struct {
	*store.Store
	died chan struct{}
	once atomic.Bool
}

func (c *crashing) RecordReading(ctx context.Context, t desk.Telegram, problem string) error {
	if c.once.CompareAndSwap(false, true) {
		close(c.died)
	}
	<-ctx.Done() // a dead process writes nothing more
	return ctx.Err()
}

func TestCrashBetweenStoringAndReading(t *testing.T) {
	db := storetest.New(t)
	envs := scenario(t, "noto")[:8]
	dead := &crashing{Store: db.Store(storetest.Engine), died: make(chan struct{})}
	start(t, dead, "dead", slice{"replay", envs})
	<-dead.died
	var events, links int
	db.Scan(`SELECT (SELECT count(*) FROM event), (SELECT count(*) FROM event_telegram)`, &events, &links)
	if events != 1 || links != 1 {
		t.Fatalf("before the crash: %d events, %d links", events, links)
	}
	st := db.Store(storetest.Engine)
	in := start(t, st, "heir", slice{"replay", envs}) // takes the lease when it runs out
	await(t, "the heir", func() bool { return in.Counts().Judged == int64(len(envs)) })
	var perTelegram int
	db.Scan(`SELECT max(n) FROM (SELECT count(*) AS n FROM advice GROUP BY event_id, telegram_id) x`, &perTelegram)
	db.Scan(`SELECT count(*) FROM event_telegram`, &links)
	if perTelegram != 1 || links != len(envs) {
		t.Errorf("after the crash: %d advices for one telegram, %d links", perTelegram, links)
	}
}

func TestTwoEnginesReadEachTelegramOnce(t *testing.T) {
	db := storetest.New(t)
	envs := scenario(t, "noto")
	a := start(t, db.Store(storetest.Engine), "a", slice{"replay", envs})
	b := start(t, db.Store(storetest.Engine), "b", slice{"replay", envs})
	await(t, "both engines", func() bool {
		x, y := a.Counts(), b.Counts()
		return x.Stored+x.Duplicates+y.Stored+y.Duplicates == int64(2*len(envs)) && x.Judged+y.Judged == x.Stored+y.Stored
	})
	var telegrams, advices int
	db.Scan(`SELECT (SELECT count(*) FROM telegram), (SELECT count(*) FROM advice)`, &telegrams, &advices)
	if telegrams != len(envs)-1 || advices != telegrams {
		t.Errorf("%d telegrams, %d advices of %d envelopes", telegrams, advices, len(envs))
	}
}

func TestDrillStaysADrill(t *testing.T) { // law 4
	drill := scenario(t, "drill")
	live := make([]desk.Envelope, len(drill))
	for i, e := range drill { // the same shaking, told as real at the same time
		e.Raw = bytes.ReplaceAll(e.Raw, []byte("<Status>訓練</Status>"), []byte("<Status>通常</Status>"))
		live[i] = e
	}
	st, _ := playAll(t, storetest.New(t), append(drill, live...))
	items, err := st.Inbox(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	modes := map[desk.Mode]int{}
	for _, i := range items {
		modes[i.Event.Mode]++
		if i.Event.Telegrams != len(drill) {
			t.Errorf("%s event has %d of %d telegrams", i.Event.Mode, i.Event.Telegrams, len(drill))
		}
		if i.Event.Mode == desk.Drill && !slices.Contains(contradictions(i.Advice), desk.CheckMode) {
			t.Errorf("a drill passes as real: %v", i.Advice.Checks)
		}
	}
	if len(items) != 2 || modes[desk.Drill] != 1 || modes[desk.Live] != 1 {
		t.Errorf("events by mode = %v", modes)
	}
}

// away is a store whose database cannot be reached until it is told otherwise.
type away struct {
	*store.Store
	back  atomic.Bool
	tries atomic.Int64
}

func (a *away) StoreTelegram(ctx context.Context, env desk.Envelope, digest [32]byte) (desk.TelegramID, bool, error) {
	if a.tries.Add(1); !a.back.Load() {
		return 0, false, desk.Errorf(desk.Unavailable, "test", "away")
	}
	return a.Store.StoreTelegram(ctx, env, digest)
}

func TestDatabaseAwayHoldsTheSourceBack(t *testing.T) {
	db := storetest.New(t)
	st := &away{Store: db.Store(storetest.Engine)}
	envs := scenario(t, "noto")[:5]
	in := start(t, st, "a", slice{"replay", envs})
	await(t, "two tries", func() bool { return st.tries.Load() >= 2 })
	if c := in.Counts(); c.Stored != 0 {
		t.Fatalf("stored while away: %+v", c)
	}
	st.back.Store(true)
	await(t, "every telegram", func() bool { return in.Counts().Judged == int64(len(envs)) })
}

// failing breaks off after each telegram, and once by a panic.
type failing struct {
	envs []desk.Envelope
	next *atomic.Int64
}

func (failing) Name() string { return "failing" }

func (f failing) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	n := int(f.next.Load())
	if n == len(f.envs) {
		return nil
	}
	if err := out(ctx, f.envs[n]); err != nil {
		return err
	}
	f.next.Add(1)
	if n == 0 {
		panic("a source may break")
	}
	return desk.Errorf(desk.Unavailable, "test", "cut")
}

func TestAFailingSourceIsStartedAgainAndHurtsNoOther(t *testing.T) {
	db := storetest.New(t)
	envs := scenario(t, "noto")
	var next atomic.Int64
	sources := []feeds.Source{failing{envs[:2], &next}, slice{"good", envs[2:10]}}
	in := start(t, db.Store(storetest.Engine), "a", sources...)
	await(t, "every telegram", func() bool { return in.Counts().Judged == 10 })
}
