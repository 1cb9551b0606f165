package store_test

import (
	"context"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// listen starts a listener and returns its wakes; the test ends only when Listen has returned nil.
func listen(t *testing.T, db *storetest.DB, topics ...desk.Topic) <-chan desk.Wake {
	t.Helper()
	s := db.Store(storetest.Console)
	wakes := make(chan desk.Wake, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Listen(ctx, topics, func(w desk.Wake) { wakes <- w }) }()
	t.Cleanup(func() {
		cancel()
		if err := within(t, done, "Listen to return"); err != nil {
			t.Errorf("Listen = %v", err)
		}
	})
	awaitListeners(t, db, 1)
	return wakes
}

// awaitListeners polls until n connections of the database listen.
func awaitListeners(t *testing.T, db *storetest.DB, n int) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	conn := db.Conn(storetest.Owner)
	for {
		var got int
		err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN yagura' AND state = 'idle'`).Scan(&got)
		if err != nil {
			t.Fatal(err)
		}
		if got == n {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d listeners, want %d", got, n)
		}
	}
}

func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(60 * time.Second):
		t.Fatalf("waited 60 s for %s", what)
		panic("unreachable")
	}
}

func TestListenDeliversItsTopicsOnly(t *testing.T) {
	db := storetest.New(t)
	wakes := listen(t, db, desk.TopicDispatch, desk.TopicTally)
	for _, payload := range []string{"mail:1", "nonsense", "dispatch:x", "future:1", "lost:0", ":", "dispatch:12", "event:3", "tally:9"} {
		db.Exec(`SELECT pg_notify('yagura', $1)`, payload)
	}
	for _, want := range []desk.Wake{{Topic: desk.TopicDispatch, ID: 12}, {Topic: desk.TopicTally, ID: 9}} {
		if got := within(t, wakes, "a wake"); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestListenSurvivesALostConnection(t *testing.T) { // law 8
	db := storetest.New(t)
	wakes := listen(t, db)
	for range 2 {
		db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		if got := within(t, wakes, "the lost wake"); got.Topic != desk.TopicLost {
			t.Fatalf("got %v", got)
		}
		db.Exec(`SELECT pg_notify('yagura', 'event:7')`)
		if got := within(t, wakes, "a wake after the reconnect"); got != (desk.Wake{Topic: desk.TopicEvent, ID: 7}) {
			t.Fatalf("got %v", got)
		}
	}
}
