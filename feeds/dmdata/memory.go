package dmdata

import (
	"context"
	"sync"
	"time"
)

// ring remembers the last ids and forgets the oldest. It belongs to one goroutine at a time.
type ring struct {
	ids  map[string]struct{}
	slot []string
	next int
}

func newRing(size int) *ring {
	return &ring{ids: make(map[string]struct{}, size), slot: make([]string, size)}
}

func (r *ring) has(id string) bool {
	_, ok := r.ids[id]
	return ok
}

func (r *ring) add(id string) {
	if r.has(id) {
		return
	}
	delete(r.ids, r.slot[r.next])
	r.slot[r.next] = id
	r.ids[id] = struct{}{}
	r.next = (r.next + 1) % len(r.slot)
}

// budget bounds the bytes that wait for the store: a socket that may not add stops reading, and the far side waits (TCP).
type budget struct {
	mu    sync.Mutex
	left  int
	freed chan struct{} // closed and replaced when bytes come back
}

func newBudget(n int) *budget { return &budget{left: n, freed: make(chan struct{})} }

func (b *budget) take(ctx context.Context, n int) error {
	for {
		b.mu.Lock()
		if b.left >= n {
			b.left -= n
			b.mu.Unlock()
			return nil
		}
		freed := b.freed
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-freed:
		}
	}
}

func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left += n
	close(b.freed)
	b.freed = make(chan struct{})
}

// pace lets at most so many requests through in any window of time.
type pace struct {
	mu    sync.Mutex
	per   time.Duration
	times []time.Time // a ring of the last grants
	next  int
}

func newPace(n int, per time.Duration) *pace { return &pace{per: per, times: make([]time.Time, n)} }

// wait returns when one more request may leave.
func (p *pace) wait(ctx context.Context, now func() time.Time) error {
	p.mu.Lock()
	at := p.times[p.next].Add(p.per)
	if t := now(); t.After(at) {
		at = t
	}
	p.times[p.next] = at
	p.next = (p.next + 1) % len(p.times)
	p.mu.Unlock()
	return pause(ctx, at.Sub(now()))
}

// pause waits, or returns the error of ctx when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
