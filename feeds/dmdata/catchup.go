package dmdata

import (
	"context"
	"errors"
	"net/http"
	"time"

	"yagura/store/desk"
)

// catchUp reads the telegram list whenever telegrams may have been missed: at the start, after all sockets were down, and each
// Waits.Poll while they still are. Early warnings are not in the list, so those of the gap stay missing; JMA's bulletins follow.
func (s *Source) catchUp(ctx context.Context) {
	p := &pass{s: s, failing: s.o.Waits.First}
	for {
		at, due := p.due()
		if !due {
			select {
			case <-ctx.Done():
				return
			case <-s.changed:
			}
			continue
		}
		if wait := at.Sub(s.o.Now()); wait > 0 {
			timer := time.NewTimer(wait)
			select {
			case <-ctx.Done():
			case <-s.changed:
			case <-timer.C:
			}
			timer.Stop()
		} else {
			p.run(ctx)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// pass is the state between two readings of the list.
type pass struct {
	s         *Source
	last      time.Time     // begin of the last reading
	notBefore time.Time     // after a failure, or by the interval the far side asked for
	failing   time.Duration // the next pause after a failure, doubling
	cursor    string        // nextPooling of the last reading, while its gap goes on
}

// due says when the next reading is due, or that none is.
func (p *pass) due() (time.Time, bool) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	c := p.s.cover
	if c.gap.IsZero() {
		return time.Time{}, false
	}
	at := p.notBefore
	if !c.down.IsZero() {
		at = latest(at, c.down.Add(p.s.o.Waits.DownGrace))
		if !p.last.IsZero() {
			at = latest(at, p.last.Add(p.s.o.Waits.Poll))
		}
	}
	return at, true
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (p *pass) run(ctx context.Context) {
	s := p.s
	p.last = s.o.Now()
	s.mu.Lock()
	since := s.cover.begin().Add(-s.o.Waits.Overlap)
	s.mu.Unlock()
	interval, err := p.fill(ctx, since)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		p.cursor = ""
		p.notBefore = s.o.Now().Add(p.failing + time.Duration(s.o.Rand()*float64(s.o.Waits.Jitter)))
		p.failing = min(2*p.failing, s.o.Waits.Longest)
		s.note(func(t *tally) { t.catchUpTrouble = "電文一覧で補えません。" + endingOfError(err).reason })
		s.o.Log.Warn("catch-up failed", "source", s.Name(), "err", err)
		return
	}
	p.failing = s.o.Waits.First
	p.notBefore = s.o.Now().Add(max(interval, s.o.Waits.First)) // a flood of garbage asks for the list no faster than this
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally.catchUpTrouble = ""
	s.cover.filled(p.last)
	if !s.cover.gap.Equal(p.last) {
		p.cursor = "" // the next gap begins elsewhere
	}
}

// fill reads the list back to since and hands over the telegrams, the oldest first of each sort.
func (p *pass) fill(ctx context.Context, since time.Time) (interval time.Duration, err error) {
	var items []listed
	token, next := p.cursor, ""
	for n := range pageLimit {
		got, err := p.s.api.list(ctx, token)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			next, interval = got.NextPooling, min(time.Duration(max(got.Interval, 0))*time.Millisecond, p.s.o.Waits.Longest)
		}
		items = append(items, got.Items...)
		token = got.NextToken
		if token == "" || len(got.Items) == 0 || got.Items[len(got.Items)-1].before(since) {
			token = ""
			break
		}
	}
	if token != "" {
		p.s.o.Log.Error("the list is longer than one catch-up reads", "source", p.s.Name(), "telegrams", len(items))
	}
	// Bodies come slowly (45 in 5 minutes): what may call people out comes before the weather. One that is refused does not keep
	// back the others; it is asked for again by the next reading.
	var refused error
	for _, weather := range []bool{false, true} {
		for i := len(items) - 1; i >= 0; i-- {
			l := &items[i]
			if (l.Classification == "telegram.weather") != weather || l.before(since) || !p.s.wants(l) || p.s.known(l.key()) {
				continue
			}
			err := p.s.fetch(ctx, l)
			var status *statusError
			switch {
			case errors.As(err, &status) && status.status != http.StatusTooManyRequests && status.status != http.StatusUnauthorized:
				refused = err
			case err != nil:
				return 0, err
			}
		}
	}
	p.cursor = next
	return interval, refused
}

// fetch hands over one listed telegram. A body that will never come is counted and passed over, so that it cannot keep back the
// others; anything else fails the reading, and it is tried again.
func (s *Source) fetch(ctx context.Context, l *listed) error {
	raw, err := s.api.body(ctx, l.ID)
	var status *statusError
	switch {
	case err == nil:
	case errors.As(err, &status) && (status.status == http.StatusNotFound || status.status == http.StatusGone), desk.KindOf(err) == desk.Invalid:
		s.note(func(t *tally) { t.lost++ })
		s.o.Log.Warn("listed telegram cannot be had", "source", s.Name(), "name", nameOf(l.Head.Type, l.ID), "err", err)
		return nil
	default:
		return err
	}
	s.note(func(t *tally) { t.caughtUp++ })
	return s.enqueue(ctx, l.key(), nameOf(l.Head.Type, l.ID), raw, s.o.Now())
}
