package store_test

import (
	"context"
	"os"
	"testing"
	"time"

	"yagura/store/cluster"
	"yagura/store/desk"
	"yagura/store/schema"
	"yagura/store/storetest"

	"yagura/store"
)

// TestStoppedDatabaseIsUnavailable stops a real server under an open store and starts it again: every call says Unavailable
// in plain words meanwhile, a listener reports the gap, and the same store works again afterwards.
func TestStoppedDatabaseIsUnavailable(t *testing.T) {
	options := cluster.Options{Dir: t.TempDir(), Params: map[string]string{"fsync": "off", "shared_buffers": "8MB"}}
	pg, err := cluster.Start(t.Context(), options)
	if err != nil {
		t.Fatalf("no PostgreSQL: %v", err)
	}
	stop := func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := pg.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	t.Cleanup(func() { _ = os.RemoveAll(pg.Dir()) }) // as root the server lives outside of the closed folder that was asked for
	t.Cleanup(func() { stop() })
	if _, err := schema.Migrate(t.Context(), pg.DSN("postgres", cluster.Superuser)); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{DSN: pg.DSN("postgres", cluster.Superuser), Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	wakes := make(chan desk.Wake, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Listen(ctx, nil, func(w desk.Wake) { wakes <- w }) }()
	t.Cleanup(func() { cancel(); within(t, done, "Listen to return") })
	if _, ok, err := s.TakeLease(t.Context(), "lane/au", "a", time.Minute); err != nil || !ok {
		t.Fatal(ok, err)
	}

	stop()
	for name, call := range awayCalls(s) {
		if err := call(t.Context()); desk.KindOf(err) != desk.Unavailable || desk.Message(err) != desk.Message(&desk.Error{Kind: desk.Unavailable}) {
			t.Errorf("%s while away: %v", name, err)
		}
	}

	if pg, err = cluster.Start(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	if w := within(t, wakes, "the lost wake"); w.Topic != desk.TopicLost {
		t.Errorf("got %v", w)
	}
	for name, call := range awayCalls(s) {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s after the return: %v", name, err)
		}
	}
	if epoch, ok, err := s.TakeLease(t.Context(), "lane/au", "a", time.Minute); err != nil || !ok || epoch < 2 {
		t.Errorf("the epoch did not rise over a restart: %d, %v, %v", epoch, ok, err)
	}
}

func awayCalls(s *store.Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Policy":           func(ctx context.Context) error { _, err := s.Policy(ctx); return err },
		"SetPolicy":        func(ctx context.Context) error { return s.SetPolicy(ctx, "admin:sato", usualPolicy()) },
		"Health":           func(ctx context.Context) error { _, err := s.Health(ctx); return err },
		"Beat":             func(ctx context.Context) error { return s.Beat(ctx, desk.Heartbeat{Process: "engine@tokyo"}) },
		"Operators":        func(ctx context.Context) error { _, err := s.Operators(ctx); return err },
		"ActiveDispatches": func(ctx context.Context) error { _, err := s.ActiveDispatches(ctx); return err },
		"PreviewAudience":  func(ctx context.Context) error { _, err := s.PreviewAudience(ctx, 0, storetest.Ishikawa()); return err },
		"VerifyAudit":      func(ctx context.Context) error { _, _, err := s.VerifyAudit(ctx); return err },
		"RenewLease": func(ctx context.Context) error {
			_, err := s.RenewLease(ctx, "lane/au", "a", 1, time.Minute)
			return err
		},
	}
}

func usualPolicy() desk.Policy {
	return desk.Policy{PrefectureFrom: desk.Intensity5Lower, CountDown: 5 * time.Second, NotAfter: 15 * time.Minute}
}

func TestEveryErrorOfAnAbsentServerIsUnavailable(t *testing.T) {
	for _, dsn := range []string{"host=/nowhere dbname=x", "host=127.0.0.1 port=1 dbname=x connect_timeout=1"} {
		_, err := store.Open(t.Context(), store.Options{DSN: dsn, Name: t.Name()})
		if desk.KindOf(err) != desk.Unavailable {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	_, err := store.Open(t.Context(), store.Options{DSN: "::::", Name: t.Name()})
	refused(t, err, desk.Invalid, "接続文字列")
}
