package tally

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

const sending = `
	INSERT INTO operator OVERRIDING SYSTEM VALUE VALUES (1, 'a', 'A', 'f', 'k', NULL, now());
	INSERT INTO telegram OVERRIDING SYSTEM VALUE VALUES (1, sha256('x'), 'test', '', 'x', now(), now());
	INSERT INTO event OVERRIDING SYSTEM VALUE VALUES (1, 'earthquake', 'live', '{}', now(), now(), now(), now(), 'open', 10, 1, '{}', 1);
	INSERT INTO incident OVERRIDING SYSTEM VALUE VALUES (1, 'earthquake', 'live', '', 1, now(), NULL);
	INSERT INTO dispatch OVERRIDING SYSTEM VALUE VALUES (1, 1, 1, 'live', 'sending', '', '', 'safety', 1, 0, 0, 0, 1, now(), 0, NULL, NULL);
	INSERT INTO recipient SELECT 1, p, 17, 'intensity', NULL, 1 FROM generate_series(1, 300) p;`

// wrong is the real store, but its sums may be spoiled and its publishing is counted.
type wrong struct {
	*store.Store
	spoil     bool
	published atomic.Int64
}

func (w *wrong) CountTally(ctx context.Context, id desk.DispatchID) (desk.Tally, error) {
	t, err := w.Store.CountTally(ctx, id)
	if w.spoil {
		t.Answered++
	}
	return t, err
}

func (w *wrong) PublishTally(ctx context.Context, t desk.Tally) error {
	w.published.Add(1)
	return w.Store.PublishTally(ctx, t)
}

func TestPublishedTallyAddsUpWhilePeopleAnswer(t *testing.T) { // F3-1-j
	db := storetest.New(t)
	db.Exec(sending)
	s := db.Store(storetest.Engine)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 2)
	for range 2 { // two engines
		go func() { ended <- New(Options{Store: s, Every: 5 * time.Millisecond}).Run(ctx) }()
	}
	for p := range 300 {
		r := desk.Response{DispatchID: 1, PersonID: desk.PersonID(p + 1), ReceivedAt: time.Now(), Safety: "injured", Attendance: "now", Channel: "link"}
		copy(r.Nonce[:], fmt.Sprintf("%016d", p))
		if err := s.RecordResponses(t.Context(), []desk.Response{r}); err != nil {
			t.Fatal(err)
		}
		if p%10 > 0 {
			continue
		}
		shown, err := s.Tally(t.Context(), 1)
		if desk.KindOf(err) == desk.NotFound {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := shown.Check(); err != nil || shown.Sent != 300 || shown.Answered > p+1 {
			t.Fatalf("%+v %v", shown, err)
		}
	}
	deadline := time.After(60 * time.Second)
	for {
		shown, err := s.Tally(t.Context(), 1)
		if err == nil && shown.Answered == 300 && shown.ByGroup[0].NeedHelp == 300 {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("the last answers were not published: %+v %v", shown, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	cancel()
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func TestWrongSumIsNeverPublished(t *testing.T) {
	db := storetest.New(t)
	db.Exec(sending)
	w := &wrong{Store: db.Store(storetest.Engine), spoil: true}
	var log bytes.Buffer
	s := New(Options{Store: w, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := s.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.published.Load() != 0 || !strings.Contains(log.String(), "level=ERROR") {
		t.Fatalf("%d published; log %s", w.published.Load(), &log)
	}
}

func TestUnchangedTallyIsNotPublishedAgain(t *testing.T) {
	db := storetest.New(t)
	db.Exec(sending)
	w := &wrong{Store: db.Store(storetest.Engine)}
	s := New(Options{Store: w})
	for range 5 {
		if err := s.round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.published.Load(); n != 1 {
		t.Errorf("%d publications of one count", n)
	}
	db.Exec(`UPDATE dispatch SET state = 'sent', ended_at = now() - interval '1 hour'`)
	if err := s.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(s.published) != 0 {
		t.Error("an ended dispatch is remembered for ever")
	}
}

func TestDatabaseAwayIsSaidOnce(t *testing.T) {
	db := storetest.New(t)
	gone := db.Store(storetest.Engine)
	gone.Close()
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	s := New(Options{Store: gone, Every: 10 * time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("said %d times: %s", n, &log)
	}
}
