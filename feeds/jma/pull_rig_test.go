package jma_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"yagura/feeds/jma"
	"yagura/feeds/jma/pulltest"
	"yagura/store/desk"
)

const deadline = 10 * time.Second

// clock runs with the real one from a fixed moment, and can be moved.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
	start time.Time
	real  time.Time
}

func newClock() *clock {
	return &clock{start: time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC), real: time.Now()}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start.Add(time.Since(c.real) + c.ahead)
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// sink is the store of a test.
type sink struct {
	mu     sync.Mutex
	got    []desk.Envelope
	refuse int // the next n offers fail
	tries  []string
	news   chan struct{}
}

func newSink() *sink { return &sink{news: make(chan struct{}, 1)} }

func (s *sink) take(_ context.Context, env desk.Envelope) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		select {
		case s.news <- struct{}{}:
		default:
		}
	}()
	s.tries = append(s.tries, env.Name)
	if s.refuse > 0 {
		s.refuse--
		return desk.Errorf(desk.Unavailable, "sink", "しばらくお待ちください。")
	}
	s.got = append(s.got, env)
	return nil
}

func (s *sink) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.got {
		out = append(out, e.Name)
	}
	return out
}

func (s *sink) offers() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.tries)
}

// until waits for a condition; it is looked at whenever something came, and every few milliseconds.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	end := time.After(deadline)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not within %v", what, deadline)
		}
	}
}

// rig is one pull before one server.
type rig struct {
	*sink
	server *pulltest.Server
	clock  *clock
	opt    jma.PullOptions
	pull   *jma.Pull
}

func newRig(t *testing.T, change ...func(*jma.PullOptions)) *rig {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) }) // runs last
	r := &rig{sink: newSink(), server: pulltest.Start(), clock: newClock()}
	t.Cleanup(r.server.Close)
	r.opt = jma.PullOptions{
		Base: r.server.Base(), AllowHTTP: true, Feeds: []string{"eqvol"}, Every: 10 * time.Millisecond, Phase: -1, MaxJitter: -1,
		Retry: 4 * time.Millisecond, Long: 10 * time.Millisecond, Timeout: 5 * time.Second, UserAgent: "Yagura test", Now: r.clock.now,
	}
	for _, c := range change {
		c(&r.opt)
	}
	return r
}

// run starts the pull; the function it returns stops it and waits.
func (r *rig) run(t *testing.T) (stop func()) {
	t.Helper()
	transport := &http.Transport{DisableCompression: true}
	r.opt.Client = transport
	var err error
	if r.pull, err = jma.NewPull(r.opt); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.pull.Run(ctx, r.take) }()
	once := sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run returned %v", err)
			}
		case <-time.After(deadline):
			t.Error("Run does not end")
		}
		transport.CloseIdleConnections()
	})
	t.Cleanup(once)
	return once
}

// polls waits until the server was asked for a feed n times more.
func (r *rig) polls(t *testing.T, path string, n int) {
	t.Helper()
	from := r.server.Requests(path)
	until(t, fmt.Sprintf("%d more polls of %s", n, path), func() bool { return r.server.Requests(path) >= from+n })
}

// telegram is a small telegram of a type, pressed some time after the clock's start.
func (r *rig) telegram(code string, after time.Duration, size int) desk.Envelope {
	press := r.clock.start.Add(after)
	raw := `<?xml version="1.0" encoding="UTF-8"?>
<Report xmlns="http://xml.kishou.go.jp/jmaxml1/"><Control><Title>震源・震度に関する情報</Title><DateTime>` + press.Format(time.RFC3339) +
		`</DateTime><EditorialOffice>気象庁本庁</EditorialOffice></Control><Text>` + code + `</Text>`
	raw += strings.Repeat(" ", max(size-len(raw)-len("</Report>"), 0)) + "</Report>"
	return desk.Envelope{Name: pulltest.Name(press, code, "010000"), Raw: []byte(raw), ReceivedAt: press}
}

func (r *rig) telegrams(n int, from, step time.Duration) []desk.Envelope {
	var out []desk.Envelope
	for i := range n {
		out = append(out, r.telegram("VXSE53", from+time.Duration(i)*step, 0))
	}
	return out
}

func namesOf(envs []desk.Envelope) []string {
	var out []string
	for _, e := range envs {
		out = append(out, e.Name)
	}
	return out
}
