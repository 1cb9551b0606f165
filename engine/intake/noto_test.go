package intake

import (
	"context"
	"fmt"
	"log/slog"
	"os"
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
	if os.Getenv("DUMP") != "" {
		for _, i := range slices.Backward(items) {
			if i.Advice == nil { fmt.Println(i.Event.Headline[:200]); continue }
			fmt.Println(i.Event.OccurredAt.In(desk.JST).Format("15:04:05"), i.Event.Title, i.Event.EventIDs, i.Event.Status, i.Event.Tsunami, i.Event.Telegrams, "grade", i.Advice.Grade, len(i.Advice.Triggered))
			for _, c := range i.Advice.Checks {
				if i.Event.MaxIntensity >= desk.Intensity5Lower {
					fmt.Println("    ", c.Code, c.Result, c.Text, c.Detail)
				}
			}
		}
	}
}

// testLog shows warnings and errors in the test's log; the log is silent once the test has ended.
func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}
