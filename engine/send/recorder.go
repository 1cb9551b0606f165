package send

import (
	"context"
	"sync"
	"time"

	"yagura/engine/route"
	"yagura/store/desk"
)

const (
	gather     = 48               // results worth a commit of their own
	gatherFor  = time.Millisecond // and how long they are waited for, at most
	gatherStep = gatherFor / 4    // between two looks
	retryFrom  = 50 * time.Millisecond
	retryTo    = time.Second
)

// record is the one self-clocking recorder of the process: it takes what has arrived, commits it, takes what arrived
// meanwhile (limits.md §3). While the database is away the batch is kept and tried again; the window fills and no new DATA
// starts. Only a committed result gives its slot back.
func (s *Service) record(ctx context.Context) {
	var batch []route.Result
	var asked []chan struct{}
	for {
		batch, asked = batch[:0], asked[:0]
		select {
		case <-ctx.Done():
			return
		case r := <-s.results:
			batch = append(batch, r)
		case done := <-s.flushes:
			asked = append(asked, done)
		}
		batch = drain(batch, s.results)
		if len(asked) == 0 && len(batch) < gather {
			batch = s.linger(ctx, batch)
		}
		if !s.commit(ctx, batch) {
			return
		}
		s.giveBack(batch)
		for _, done := range asked {
			close(done)
		}
	}
}

func drain(batch []route.Result, from <-chan route.Result) []route.Result {
	for {
		select {
		case r := <-from:
			batch = append(batch, r)
		default:
			return batch
		}
	}
}

// linger waits a moment for more: a commit costs as much as sending several mails, and the window leaves room for it. It
// sleeps and looks again, because to be woken by each result would cost as much as to read its answer from the carrier.
func (s *Service) linger(ctx context.Context, batch []route.Result) []route.Result {
	timer := time.NewTimer(gatherStep)
	defer timer.Stop()
	for range gatherFor / gatherStep {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return batch
		}
		if batch = drain(batch, s.results); len(batch) >= gather {
			return batch
		}
		timer.Reset(gatherStep)
	}
	return batch
}

// commit writes the results, however long it takes. False only when ctx ended first.
func (s *Service) commit(ctx context.Context, batch []route.Result) bool {
	attempts := make([]desk.Attempt, 0, len(batch))
	for _, r := range batch {
		if sl := s.slots.look(r.Mail.ID); sl != nil && r.Attempted {
			attempts = append(attempts, r.Attempt(sl.tenure.epoch))
		}
	}
	if len(attempts) == 0 {
		return true
	}
	for wait := retryFrom; ; wait = min(2*wait, retryTo) {
		stopped, err := s.o.Store.RecordAttempts(ctx, attempts)
		if err == nil {
			s.stops.add(stopped) // before any place is given back (law 7)
			return true
		}
		if ctx.Err() != nil {
			s.o.Log.Error("results not written; their mails are sent again", "mails", len(attempts))
			return false
		}
		s.o.Log.Warn("results wait for the database", "mails", len(attempts), "err", err)
		if desk.KindOf(err) != desk.Unavailable {
			s.oneByOne(ctx, attempts)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// oneByOne saves what can be saved of a batch the database refuses for a reason of its own: one bad row must not hold the
// others. A row that is still refused is tried again with everything in it that is not needed left out.
func (s *Service) oneByOne(ctx context.Context, attempts []desk.Attempt) {
	for i := range attempts {
		if _, err := s.o.Store.RecordAttempts(ctx, attempts[i:i+1]); err != nil {
			attempts[i].Text, attempts[i].Route = "", ""
		}
	}
}

// giveBack frees the slots and remembers what is to be tried again.
func (s *Service) giveBack(batch []route.Result) {
	for _, r := range batch {
		sl := s.slots.take(r.Mail.ID)
		if sl == nil {
			continue
		}
		switch {
		case !r.Attempted:
			sl.tenure.again(sl.mail, s.o.Now())
		case r.Outcome == desk.Deferred:
			m := sl.mail
			m.Attempts++
			delay := desk.RetryDelay(m.Attempts)
			delay += time.Duration(s.o.Jitter() * float64(delay) / 4)
			m.NextAt = s.o.Now().Add(delay)
			sl.tenure.again(m, m.NextAt)
		}
		if r.Placed {
			sl.tenure.places <- struct{}{} // one of those taken: there is room
		}
		sl.lane.free <- sl
	}
}

// flush returns when every result that was handed over before the call is written, or ctx ended.
func (s *Service) flush(ctx context.Context) error {
	done := make(chan struct{})
	select {
	case <-ctx.Done():
		return ctx.Err()
	case s.flushes <- done:
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-done:
		return nil
	}
}

// stops are the dispatches whose stop row the recorder has seen. A stop is final.
type stops struct {
	mu   sync.RWMutex
	seen map[desk.DispatchID]bool
}

func (s *stops) add(ids []desk.DispatchID) {
	if len(ids) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[desk.DispatchID]bool{}
	}
	for _, id := range ids {
		s.seen[id] = true
	}
}

func (s *stops) has(id desk.DispatchID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.seen[id]
}
