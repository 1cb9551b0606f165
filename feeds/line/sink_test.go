package line

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"yagura/feeds"
	"yagura/store/desk"
)

const deadline = 10 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink is the store of a test.
type sink struct {
	mu     sync.Mutex
	got    []desk.Envelope
	offers int
	refuse int           // the next n offers fail
	block  chan struct{} // when set, an offer waits for it or for its context
}

func (s *sink) take(ctx context.Context, env desk.Envelope) error {
	s.mu.Lock()
	s.offers++
	block := s.block
	s.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse > 0 {
		s.refuse--
		return desk.Errorf(desk.Unavailable, "sink", "しばらくお待ちください。")
	}
	s.got = append(s.got, env)
	return nil
}

func (s *sink) all() []desk.Envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]desk.Envelope(nil), s.got...)
}

func (s *sink) offered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.offers
}

func (s *sink) names() []string {
	var out []string
	for _, e := range s.all() {
		out = append(out, e.Name)
	}
	return out
}

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

// run runs a source; the function it returns stops it and waits.
func run(t *testing.T, source feeds.Source, s *sink) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- source.Run(ctx, s.take) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Run returned %v", err)
			}
		case <-time.After(deadline):
			t.Error("Run does not end")
		}
	})
	t.Cleanup(stop)
	return stop
}

// next waits for the next word on a channel.
func next(t testing.TB, words <-chan string) string {
	t.Helper()
	select {
	case word := <-words:
		return word
	case <-time.After(deadline):
		t.Fatalf("nothing was told within %v", deadline)
		return ""
	}
}
