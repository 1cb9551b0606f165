package answer

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// desks is what a page with a drill, a live dispatch and recipients needs.
const desks = `
	INSERT INTO operator OVERRIDING SYSTEM VALUE VALUES (1, 'a', 'A', 'f', 'k', NULL, now());
	INSERT INTO telegram OVERRIDING SYSTEM VALUE VALUES (1, sha256('x'), 'test', '', 'x', now(), now());
	INSERT INTO event OVERRIDING SYSTEM VALUE VALUES (1, 'earthquake', 'live', '{}', now(), now(), now(), now(), 'open', 10, 1, '{}', 1);
	INSERT INTO incident OVERRIDING SYSTEM VALUE VALUES (1, 'earthquake', 'live', '', 1, now(), NULL);
	INSERT INTO dispatch OVERRIDING SYSTEM VALUE SELECT n, 1, 1, m, 'sending', '【安否確認】石川県能登地方 震度7 Ｍ７．６', '', 'safety', 1, 0, 0, 0, 1, now(), 0, NULL, NULL
		FROM (VALUES (1, 'live'), (2, 'drill'), (3, 'test')) d (n, m);
	INSERT INTO recipient SELECT d, p, 17, 'intensity', NULL, 1 FROM generate_series(1, 3) d, generate_series(1, 12000) p;`

// switchable is the real store with a switch: "away" fails as a lost connection does, "hang" waits for the deadline.
type switchable struct {
	*store.Store
	away, hang atomic.Bool
	calls      atomic.Int64
}

func (s *switchable) RecordResponses(ctx context.Context, batch []desk.Response) error {
	s.calls.Add(1)
	if s.hang.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	if s.away.Load() {
		return desk.Errorf(desk.Unavailable, "test", "away")
	}
	return s.Store.RecordResponses(ctx, batch)
}

type house struct {
	t     testing.TB
	db    *storetest.DB
	store *switchable
	keys  desk.TokenKeys
	dir   string
	log   *lockedLog
	*running
}

type running struct {
	s    *Service
	base string
	stop func()
}

func testKeys(t testing.TB) desk.TokenKeys {
	k, err := desk.NewTokenKey(1, []byte(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return desk.TokenKeys{k}
}

func open(t testing.TB) *house {
	db := storetest.New(t)
	db.Exec(desks)
	h := &house{t: t, db: db, store: &switchable{Store: db.Store(storetest.Engine)}, keys: testKeys(t), dir: t.TempDir(), log: &lockedLog{}}
	h.start()
	return h
}

// start runs a service; stop ends it and waits.
func (h *house) start() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	s := New(Options{
		Listener: l, Keys: h.keys, Store: h.store, JournalDir: h.dir, Now: time.Now, Refresh: 50 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stopped := false
	h.running = &running{s: s, base: "http://" + l.Addr().String()}
	h.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				h.t.Errorf("Run: %v", err)
			}
		case <-time.After(60 * time.Second):
			h.t.Error("Run did not end")
		}
	}
	h.t.Cleanup(h.stop)
	h.until("headings", func() bool { return len(*s.headings.Load()) > 0 || h.store.away.Load() || h.store.hang.Load() })
}

// until waits for an event; it fails the test after a while.
func (h *house) until(what string, done func() bool) {
	h.t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			h.t.Fatalf("%s did not happen; log:\n%s", what, h.log)
		}
	}
}

func (h *house) token(dispatch, person int) string {
	text, err := h.keys[0].Sign(desk.Token{DispatchID: desk.DispatchID(dispatch), PersonID: desk.PersonID(person), IssuedOn: time.Now()})
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

func (h *house) link(dispatch, person int) string { return h.base + "/r/" + h.token(dispatch, person) }

func (h *house) get(url string) (*http.Response, string) { return h.do(http.MethodGet, url, "", nil) }

func (h *house) post(link string, form url.Values) (*http.Response, string) {
	return h.do(http.MethodPost, link, form.Encode(), map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Origin": "null"})
}

func (h *house) do(method, url, body string, header map[string]string) (*http.Response, string) {
	h.t.Helper()
	r, err := http.NewRequestWithContext(h.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp, string(text)
}

func (h *house) count(table string) (n int) {
	h.t.Helper()
	h.db.Scan(`SELECT count(*) FROM `+table, &n)
	return n
}

func well() url.Values { return url.Values{"safety": {"well"}, "attendance": {"now"}} }

// lockedLog collects the log of a service.
type lockedLog struct {
	lines atomic.Pointer[string]
}

func (l *lockedLog) Write(p []byte) (int, error) {
	for {
		old := l.lines.Load()
		text := string(p)
		if old != nil {
			text = *old + text
		}
		if l.lines.CompareAndSwap(old, &text) {
			return len(p), nil
		}
	}
}

func (l *lockedLog) String() string {
	if s := l.lines.Load(); s != nil {
		return *s
	}
	return ""
}

var _ fmt.Stringer = (*lockedLog)(nil)
