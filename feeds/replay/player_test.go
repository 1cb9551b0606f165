package replay

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"yagura/store/desk"
)

func minutes(names ...string) []desk.Envelope {
	var out []desk.Envelope
	for i, n := range names {
		out = append(out, desk.Envelope{Name: n, ReceivedAt: jst("16:00:00").Add(time.Duration(i) * time.Minute)})
	}
	return out
}

// The tests run on the virtual clock of synctest, so that they measure gaps and never wait.

func TestPlayerKeepsTheScaledGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		envs := minutes("a", "b", "c")
		envs = append(envs, desk.Envelope{Name: "d", ReceivedAt: jst("20:00:00")})
		slices.Reverse(envs)
		p := NewPlayer("noto", envs, Options{Speed: 60, MaxGap: 10 * time.Second, Now: time.Now})
		start := time.Now()
		var names []string
		var gaps []time.Duration
		err := p.Run(t.Context(), func(_ context.Context, e desk.Envelope) error {
			names = append(names, e.Name)
			gaps = append(gaps, time.Since(start))
			if e.Feed != "noto" {
				t.Errorf("feed %q", e.Feed)
			}
			time.Sleep(300 * time.Millisecond) // a slow listener does not stretch the play
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"a", "b", "c", "d"}; !slices.Equal(names, want) {
			t.Errorf("order %v", names)
		}
		if want := []time.Duration{0, time.Second, 2 * time.Second, 12 * time.Second}; !slices.Equal(gaps, want) {
			t.Errorf("at %v, want %v", gaps, want)
		}
	})
}

func TestPlayerOffersAgainWhatWasNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPlayer("replay", minutes("a", "b"), Options{Now: time.Now})
		var offered []string
		err := p.Run(t.Context(), func(_ context.Context, e desk.Envelope) error {
			offered = append(offered, e.Name)
			if len(offered) < 3 {
				return errors.New("the store is away")
			}
			return nil
		})
		if want := []string{"a", "a", "a", "b"}; err != nil || !slices.Equal(offered, want) {
			t.Errorf("offered %v, %v", offered, err)
		}
	})
}

func TestPlayerStops(t *testing.T) {
	for name, out := range map[string]error{"between two telegrams": nil, "while the store is away": errors.New("away")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithTimeout(t.Context(), 90*time.Second)
				defer stop()
				p := NewPlayer("replay", minutes("a", "b", "c", "d"), Options{Speed: 1, Now: time.Now})
				if err := p.Run(ctx, func(context.Context, desk.Envelope) error { return out }); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("Run: %v", err)
				}
			})
		})
	}
}
