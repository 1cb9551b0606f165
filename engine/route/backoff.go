package route

import (
	"sync"
	"time"
)

// backOff is the pause of the whole route after failed connections: while it lasts no session takes an item, and when it ends
// one session tries for all, so that a dead carrier costs one item a pause, not one a session.
type backOff struct {
	mu       *sync.Mutex
	timeouts Timeouts
	state    *pauseState
}

type pauseState struct {
	failures int
	until    time.Time
	probing  bool
}

func newBackOff(t Timeouts) backOff {
	return backOff{mu: &sync.Mutex{}, timeouts: t, state: &pauseState{}}
}

// enter says how long to wait before connecting. Zero means go; probe is true when the caller now tries for all and must
// call failed, succeeded or leave.
func (b backOff) enter(now time.Time) (wait time.Duration, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.state.failures == 0:
		return 0, false
	case now.Before(b.state.until):
		return b.state.until.Sub(now), false
	case b.state.probing:
		return b.timeouts.BackOff / 4, false
	}
	b.state.probing = true
	return 0, true
}

func (b backOff) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state.probing = false
}

func (b backOff) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	*b.state = pauseState{}
}

// failed lengthens the pause. Failures of sessions that had dialled before the pause began count once.
func (b backOff) failed(now time.Time, jitter float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state.probing = false
	if now.Before(b.state.until) {
		return
	}
	b.state.failures++
	b.state.until = now.Add(pauseLength(b.timeouts, b.state.failures, jitter))
}

// pauseLength doubles with every failure up to the longest pause and spreads by half to one and a half (jitter in [0,1)).
func pauseLength(t Timeouts, failures int, jitter float64) time.Duration {
	d := t.BackOffTo
	if failures < 16 {
		d = min(d, t.BackOff<<max(failures-1, 0))
	}
	return time.Duration(float64(d) * (0.5 + jitter))
}
