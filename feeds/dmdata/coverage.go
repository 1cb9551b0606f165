package dmdata

import "time"

// coverage knows which moments were heard by some socket, and since when a telegram may have been missed.
//
// A socket covers the time from its start to the last frame it heard. While it is open and silent that is a hope and no more: a
// half-open connection looks just so. Therefore a gap is judged when a socket ends, by its last frame and not by its end.
type coverage struct {
	spans []span
	gap   time.Time // telegrams since then may be missing; zero = none
	fresh time.Time // the same, of what happened since begin
	down  time.Time // since when no socket is open; zero = one is
}

type span struct {
	open        bool
	start, last time.Time
}

func newCoverage(sockets int, now time.Time, backfill time.Duration) *coverage {
	c := &coverage{spans: make([]span, sockets), down: now}
	if backfill > 0 {
		c.gap = now.Add(-backfill)
	}
	return c
}

func (c *coverage) opened(i int, at time.Time) {
	c.spans[i] = span{open: true, start: at, last: at}
	c.down = time.Time{}
}

func (c *coverage) heard(i int, at time.Time) { c.spans[i].last = at }

// closed ends the span of a socket. Nothing was missed if another open socket began before this one fell silent.
func (c *coverage) closed(i int, at time.Time) {
	if !c.spans[i].open {
		return
	}
	c.spans[i].open = false
	if c.open() == 0 {
		c.down = at
	}
	if !c.openBefore(c.spans[i].last) {
		c.missing(c.spans[i].last)
	}
}

// missing notes that telegrams since then may be lost.
func (c *coverage) missing(since time.Time) {
	c.gap = earlier(c.gap, since)
	c.fresh = earlier(c.fresh, since)
}

// begin is the start of a reading of the telegram list: it says since when telegrams are needed.
func (c *coverage) begin() time.Time {
	c.fresh = time.Time{}
	return c.gap
}

// filled notes that the telegram list was read as of at. While no socket was open by then, the gap goes on from there; what
// was missed during the reading stays missing.
func (c *coverage) filled(at time.Time) {
	c.gap = c.fresh
	if !c.openBefore(at) {
		c.gap = earlier(c.gap, at)
	}
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (c *coverage) openBefore(at time.Time) bool {
	for _, s := range c.spans {
		if s.open && !s.start.After(at) {
			return true
		}
	}
	return false
}

func (c *coverage) open() int {
	n := 0
	for _, s := range c.spans {
		if s.open {
			n++
		}
	}
	return n
}
