package engine

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func options() Options {
	return Options{Log: slog.New(slog.DiscardHandler), Now: time.Now}
}

func TestServicesStopInReverseOrderEachWaitedFor(t *testing.T) { // law 12
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var ended []string
		service := func(name string, takes time.Duration) Service {
			return Service{name, func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(takes)
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, name)
				return nil
			}}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := Run(ctx, []Service{service("send", time.Millisecond), service("dispatch", 2*time.Second), service("intake", 20*time.Second)}, options()); err != nil {
			t.Fatal(err)
		}
		if want := []string{"intake", "dispatch", "send"}; !slices.Equal(ended, want) {
			t.Errorf("stopped in the order %v, want %v", ended, want)
		}
	})
}

func TestAFailingServiceIsRestartedWithGrowingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts []time.Duration
		begin := time.Now()
		broken := Service{"broken", func(context.Context) error {
			starts = append(starts, time.Since(begin))
			if len(starts) == 2 {
				panic("a fault of ours")
			}
			return errors.New("no carrier")
		}}
		steady := 0
		other := Service{"other", func(ctx context.Context) error { steady++; <-ctx.Done(); return nil }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := Run(ctx, []Service{other, broken}, options()); err != nil {
			t.Fatal(err)
		}
		if steady != 1 {
			t.Errorf("the other service was started %d times", steady)
		}
		want := []time.Duration{0, 200 * time.Millisecond, 600 * time.Millisecond, 1400 * time.Millisecond}
		if len(starts) < 8 || !slices.Equal(starts[:4], want) {
			t.Errorf("starts = %v", starts)
		}
		if last := starts[len(starts)-1] - starts[len(starts)-2]; last != 10*time.Second {
			t.Errorf("the longest wait is %v", last)
		}
	})
}
