package intake

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"yagura/feeds"
	"yagura/feeds/replay"
	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// slice is a source that hands over what it is given and is then exhausted.
type slice struct {
	name string
	envs []desk.Envelope
}

func (s slice) Name() string { return s.name }

func (s slice) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	for _, e := range s.envs {
		for out(ctx, e) != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// start runs an intake until the test ends and waits for it then.
func start(t *testing.T, st Store, holder string, sources ...feeds.Source) *Intake {
	t.Helper()
	in := New(Options{Store: st, Sources: sources, Holder: holder, Now: time.Now, Log: testLog(t), Poll: 200 * time.Millisecond, Lease: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- in.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return in
}

// await polls a condition with a deadline.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

func scenario(t *testing.T, name string) []desk.Envelope {
	t.Helper()
	s, err := replay.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	envs, err := s.Envelopes()
	if err != nil {
		t.Fatal(err)
	}
	return envs
}

func playAll(t *testing.T, db *storetest.DB, envs []desk.Envelope) (*store.Store, *Intake) {
	t.Helper()
	st := db.Store(storetest.Engine)
	in := start(t, st, "a", slice{"replay", envs})
	await(t, "every telegram", func() bool {
		c := in.Counts()
		return c.Stored+c.Duplicates == int64(len(envs)) && c.Judged+c.Unreadable == c.Stored
	})
	return st, in
}

func contradictions(a *desk.Advice) []desk.CheckCode {
	var out []desk.CheckCode
	for _, c := range a.Checks {
		if c.Result == desk.Contradicts {
			out = append(out, c.Code)
		}
	}
	return out
}

func TestNotoScenario(t *testing.T) {
	db := storetest.New(t)
	envs := scenario(t, "noto")
	began := time.Now()
	st, in := playAll(t, db, envs)
	t.Logf("%d telegrams in %v, slowest stored to judged %v", len(envs), time.Since(began), in.Counts().Slowest)
	if c := in.Counts(); c.Unreadable != 0 || c.Duplicates != 1 {
		t.Errorf("counts = %+v", c)
	}
	items, err := st.Inbox(t.Context(), 500)
	if err != nil {
		t.Fatal(err)
	}
	// 38 shocks; five pairs lie within two minutes and 100 km of each other and are one event each.
	if want := 33; len(items) != want {
		t.Errorf("%d events, want %d", len(items), want)
	}
	main := itemOf(t, st, "20240101161010")
	if e := main.Event; e.MaxIntensity != desk.Intensity7 || e.Title != "石川県能登地方 震度7 Ｍ７．６ 津波警報" || e.Forecast < desk.Intensity6Lower {
		t.Errorf("main shock = %q %v forecast %v", e.Title, e.MaxIntensity, e.Forecast)
	}
	if len(main.Advice.Triggered) != desk.Prefectures || main.Advice.Grade != desk.GradeAlarm {
		t.Errorf("main shock triggers %d prefectures, grade %d", len(main.Advice.Triggered), main.Advice.Grade)
	}
	// No advice on a genuine shock ever contradicted, at any moment, whatever came first.
	rows, err := db.Conn(storetest.Owner).Query(t.Context(), `
		SELECT e.state->>'Title', a.content::text FROM advice a JOIN event e ON e.id = a.event_id
		WHERE a.content @> '{"checks": [{"result": "contradicts"}]}' AND NOT '20240101230354' = ANY(e.event_keys)`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var title, content string
		if err := rows.Scan(&title, &content); err != nil {
			t.Fatal(err)
		}
		t.Errorf("contradiction on the genuine %s: %s", title, content)
	}
}

func itemOf(t *testing.T, st *store.Store, key string) desk.InboxItem {
	t.Helper()
	items, err := st.Inbox(t.Context(), 500)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if slices.Contains(i.Event.EventIDs, key) {
			return i
		}
	}
	t.Fatalf("no event %s among %d", key, len(items))
	return desk.InboxItem{}
}

func TestFalseFlashContradictsAndIsWithdrawn(t *testing.T) {
	db := storetest.New(t)
	envs := scenario(t, "noto")
	st := db.Store(storetest.Engine)
	const key = "20240101230354"
	cut := slices.IndexFunc(envs, func(e desk.Envelope) bool { return bytes.Contains(e.Raw, []byte(key)) })
	steps := make(chan desk.Envelope)
	in := start(t, st, "a", stepper{steps})
	done := int64(0)
	give := func(e desk.Envelope) {
		steps <- e
		done++
		await(t, "the telegram", func() bool {
			c := in.Counts()
			return c.Stored+c.Duplicates == done && c.Judged+c.Unreadable == c.Stored
		})
	}
	for _, e := range envs[:cut] {
		give(e)
	}
	began := time.Now()
	give(envs[cut])
	took := time.Since(began)
	item := itemOf(t, st, key)
	got := contradictions(item.Advice)
	t.Logf("23:05 handed over to advice stored: %v, contradictions %v, first: %q, %q", took, got, item.Advice.Checks[0].Text, item.Advice.Checks[1].Text)
	if !slices.Contains(got, desk.CheckEEW) || !slices.Contains(got, desk.CheckRepeat) || took > 5*time.Second {
		t.Errorf("23:05: contradictions %v after %v", got, took)
	}
	if item.Event.MaxIntensity != desk.Intensity7 || item.Advice.Grade != desk.GradeAlarm || item.Advice.Checks[1].Result != desk.Contradicts {
		t.Errorf("23:05: %v grade %d, checks %v", item.Event.MaxIntensity, item.Advice.Grade, item.Advice.Checks)
	}
	give(envs[cut+1])
	if item = itemOf(t, st, key); item.Event.Status != desk.EventRetracted || item.Event.MaxIntensity != desk.IntensityUnknown || item.Advice.Grade != desk.GradeAlarm {
		t.Errorf("after the 取消: %s %v grade %d", item.Event.Status, item.Event.MaxIntensity, item.Advice.Grade)
	}
	give(envs[cut+2])
	if item = itemOf(t, st, key); item.Event.Status != desk.EventOpen || item.Event.MaxIntensity != desk.Intensity3 || len(contradictions(item.Advice)) != 0 || len(item.Advice.Triggered) != 0 {
		t.Errorf("after the report: %s %v %v", item.Event.Status, item.Event.MaxIntensity, contradictions(item.Advice))
	}
}

// stepper is a source that hands over what a test gives it, one at a time.
type stepper struct{ envs <-chan desk.Envelope }

func (stepper) Name() string { return "stepper" }

func (s stepper) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-s.envs:
			if err := out(ctx, e); err != nil {
				return err
			}
		}
	}
}

// testLog shows warnings and errors in the test's log; the log is silent once the test has ended.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}
