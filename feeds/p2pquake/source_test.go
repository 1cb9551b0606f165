package p2pquake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"yagura/feeds/p2pquake"
	"yagura/feeds/p2pquake/p2pquaketest"
	"yagura/store/desk"
)

type inbox struct {
	mu    sync.Mutex
	got   []desk.Envelope
	tried []string
	fails int
	gate  chan struct{}
}

func (in *inbox) take(ctx context.Context, env desk.Envelope) error {
	if in.gate != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-in.gate:
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.tried = append(in.tried, env.Name)
	if in.fails > 0 {
		in.fails--
		return errors.New("the store is away")
	}
	in.got = append(in.got, env)
	return nil
}

func (in *inbox) names() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	var names []string
	for _, e := range in.got {
		names = append(names, e.Name)
	}
	return names
}

type rig struct {
	t      *testing.T
	ctx    context.Context
	server *p2pquaketest.Server
	source *p2pquake.Source
	inbox  *inbox
	stop   func() error
}

func start(t *testing.T, in *inbox) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	server := p2pquaketest.New()
	r := &rig{t: t, ctx: ctx, server: server, source: p2pquake.New(server.Options()), inbox: in}
	running, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- r.source.Run(running, in.take) }()
	var once sync.Once
	var err error
	r.stop = func() error {
		once.Do(func() { end(); err = <-done })
		return err
	}
	t.Cleanup(func() { r.stop(); cancel(); server.Close() })
	r.await("a connection", r.up)
	return r
}

func (r *rig) up() bool { return r.server.Open() == 1 && r.source.Health().Trouble == "" }

func (r *rig) await(what string, condition func() bool) {
	r.t.Helper()
	if err := r.server.Await(r.ctx, condition); err != nil {
		r.t.Fatalf("%s: %v; stored %v, %+v", what, err, r.inbox.names(), r.source.Health())
	}
}

func (r *rig) stored(names ...string) {
	r.t.Helper()
	r.await(fmt.Sprint(names), func() bool { return len(r.inbox.names()) >= len(names) })
	if got := r.inbox.names(); strings.Join(got, " ") != strings.Join(names, " ") {
		r.t.Errorf("stored %v, not %v", got, names)
	}
}

var at = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func prompt(n int) []byte {
	return p2pquaketest.ScalePrompt(fmt.Sprintf("q%d", n), at, at.Add(90*time.Second), map[desk.Prefecture]desk.Intensity{17: desk.Intensity5Upper})
}

func TestReportsAreKeptOnceAndVerbatim(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := start(t, &inbox{})
	frames := [][]byte{prompt(1), p2pquaketest.Peers(1, at), prompt(1), p2pquaketest.Tsunami("t1", at, false, "Watch", "石川県能登"), []byte(`{"code":561,"area":250}`), prompt(2), prompt(1)}
	r.server.Push(frames...)
	r.stored("q1", "t1", "q2")
	if e := r.inbox.got[0]; !bytes.Equal(e.Raw, frames[0]) || e.Feed != "p2pquake" || e.ReceivedAt.IsZero() {
		t.Errorf("%+v", e)
	}
	r.await("the counts", func() bool { return r.source.Health().Detail == "受信 3、重複 2、対象外 2" })
	if h := r.source.Health(); h.LastReceived.IsZero() || h.LastContact.IsZero() || h.Trouble != "" {
		t.Errorf("%+v", h)
	}
	if err := r.stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	r.server.Close()
}

func TestReportsWithoutAnID(t *testing.T) {
	r := start(t, &inbox{})
	r.server.Push([]byte(`{"code":552,"cancelled":false,"areas":[]}`), []byte(`{"code":552,"cancelled":false,"areas":[]}`), []byte(`{"_id":"old","code":551}`))
	r.await("two", func() bool {
		return len(r.inbox.names()) == 2 && r.source.Health().Detail == "受信 2、重複 1、対象外 0"
	})
	if names := r.inbox.names(); len(names[0]) != 32 || names[1] != "old" {
		t.Error(names)
	}
}

func TestReconnects(t *testing.T) {
	r := start(t, &inbox{})
	r.server.Push(prompt(1))
	r.stored("q1")
	r.server.Down(true)
	r.await("the loss is told", func() bool { return strings.Contains(r.source.Health().Trouble, "切れています") })
	r.server.Down(false)
	r.await("a new connection", func() bool { return r.up() && r.source.Health().Reconnects == 1 })
	r.server.Push(prompt(1), prompt(2)) // the id is remembered beyond a connection
	r.stored("q1", "q2")
}

func TestHalfOpenIsCut(t *testing.T) {
	r := start(t, &inbox{})
	r.server.HalfOpen(true)
	r.server.Cut()
	r.await("the silence is noticed", func() bool { return strings.Contains(r.source.Health().Trouble, "応答がない") })
	r.server.HalfOpen(false)
	r.await("a real connection", func() bool {
		r.server.Push(prompt(1))
		return len(r.inbox.names()) == 1
	})
}

func TestAQuietConnectionStaysAndIsAlive(t *testing.T) {
	r := start(t, &inbox{})
	first := r.source.Health().LastContact
	r.await("pongs", func() bool { return r.source.Health().LastContact.Sub(first) > 150*time.Millisecond })
	if r.server.Opened() != 1 {
		t.Errorf("%d connections", r.server.Opened())
	}
}

func TestAStoreThatIsAwayHoldsTheStreamAndLosesNothing(t *testing.T) {
	in := &inbox{gate: make(chan struct{}), fails: 2}
	r := start(t, in)
	var names []string
	for n := range 40 {
		r.server.Push(prompt(n))
		names = append(names, fmt.Sprintf("q%d", n))
	}
	began := time.Now()
	r.await("longer than a ping waits", func() bool { return time.Since(began) > 200*time.Millisecond })
	if r.server.Opened() != 1 {
		t.Error("the busy connection was cut as half open")
	}
	close(in.gate)
	r.stored(names...)
	if tried := in.tried; tried[0] != tried[1] || tried[1] != tried[2] {
		t.Errorf("offered %v", tried[:3])
	}
}

func TestGarbageIsPassedOver(t *testing.T) {
	r := start(t, &inbox{})
	r.server.Push([]byte("not JSON"), []byte(`[]`), []byte(`{"code":"551"}`), []byte(`{}`), []byte(strings.Repeat("[", 50_000)), prompt(1))
	r.stored("q1")
	if h := r.source.Health(); !strings.Contains(h.Detail, "読めないフレーム 5") || r.server.Opened() != 1 {
		t.Errorf("%+v", h)
	}
	r.server.Push([]byte(`{"code":551,"id":"` + strings.Repeat("x", 5<<20) + `"}`))
	r.await("a new connection after a frame over the limit", func() bool { return r.server.Opened() == 2 && r.up() })
	r.server.Push(prompt(2))
	r.stored("q1", "q2")
}

func TestFlood(t *testing.T) {
	r := start(t, &inbox{})
	var names []string
	for n := range 3000 {
		r.server.Push(prompt(n))
		names = append(names, fmt.Sprintf("q%d", n))
	}
	r.stored(names...)
}

func TestFaultyOptionsAreRefused(t *testing.T) {
	for name, o := range map[string]p2pquake.Options{
		"no clock":   {},
		"an address": {Now: time.Now, Host: "localhost/x"},
		"plain":      {Now: time.Now, Host: "api.example.jp", Plain: true},
	} {
		if err := p2pquake.New(o).Run(t.Context(), nil); err == nil {
			t.Error(name)
		}
	}
}
