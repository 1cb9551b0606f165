package send

import (
	"context"
	"time"

	"yagura/store/desk"
)

// stream is the reading of one dispatch within a tenure: mails are read by id, a page ahead of the work.
type stream struct {
	letter   desk.Letter
	composer Composer
	page     []desk.Mail
	ahead    chan page // the page being read; nil when none is asked for
	cursor   desk.MailID
	dry      bool // the last page was short: nothing more until a wake-up
}

type page struct {
	mails []desk.Mail
	err   error
}

// feed hands mails to the route until ctx ends or the gate shuts: fresh ones of the oldest dispatch first, then the ones to
// be tried again.
func (t *tenure) feed(ctx context.Context) error {
	l := t.lane
	streams := map[desk.DispatchID]*stream{}
	timer := time.NewTimer(0)
	defer timer.Stop()
	// Pages are read in goroutines of this tenure; none is left behind.
	defer func() {
		for _, st := range streams {
			st.wait()
		}
	}()
	for {
		l.drainWake() // before reading: what is written from here on wakes again
		more := false
		order, err := t.letters(ctx, streams)
		if err == nil {
			more, err = t.work(ctx, order)
		}
		if !t.Open() || ctx.Err() != nil {
			return errLost
		}
		if more && err == nil {
			continue
		}
		wait := poll
		if err != nil {
			l.s.o.Log.Warn("cannot read the lane", "lane", l.carrier.Lane, "err", err)
			wait = leaseKnock
		} else if _, next := t.retries.due(l.s.o.Now(), 0); !next.IsZero() {
			wait = min(wait, max(next.Sub(l.s.o.Now()), time.Millisecond))
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.wake:
		case <-timer.C:
		}
	}
}

// letters reads which dispatches the lane has mails of, oldest first, and opens or closes their streams.
func (t *tenure) letters(ctx context.Context, streams map[desk.DispatchID]*stream) ([]*stream, error) {
	letters, err := t.lane.s.o.Store.Letters(ctx, t.lane.carrier.Lane)
	if err != nil {
		return nil, err
	}
	active := make(map[desk.DispatchID]bool, len(letters))
	order := make([]*stream, 0, len(letters))
	for _, letter := range letters {
		st := streams[letter.DispatchID]
		if st == nil {
			c, err := t.lane.s.o.Compose(letter)
			if err != nil { // the other dispatches have their turn; this one again in the next round
				t.lane.s.o.Log.Error("cannot prepare the letter", "dispatch", letter.DispatchID, "err", err)
				continue
			}
			st = &stream{letter: letter, composer: c}
			streams[letter.DispatchID] = st
		}
		active[letter.DispatchID] = true
		st.dry = false
		order = append(order, st)
	}
	for id, st := range streams {
		if !active[id] {
			st.wait()
			delete(streams, id)
		}
	}
	t.retries.keep(func(id desk.DispatchID) bool { return active[id] })
	return order, nil
}

// work hands out batches until nothing is left to hand out at this moment, or for so long that the letters should be read
// again (more): a live dispatch must not wait for the end of a drill.
func (t *tenure) work(ctx context.Context, order []*stream) (more bool, err error) {
	until := t.lane.s.o.Now().Add(poll)
	byID := make(map[desk.DispatchID]*stream, len(order))
	for _, st := range order {
		byID[st.letter.DispatchID] = st
		for {
			batch, err := st.next(ctx, t, desk.StopBatch)
			if err != nil || len(batch) == 0 {
				if err != nil {
					return false, err
				}
				break
			}
			if stopped, err := t.hand(ctx, st, batch); err != nil || stopped {
				if err != nil {
					return false, err
				}
				break
			}
			if t.lane.s.o.Now().After(until) {
				return true, nil
			}
		}
	}
	for {
		batch, _ := t.retries.due(t.lane.s.o.Now(), desk.StopBatch)
		if len(batch) == 0 {
			return false, nil
		}
		if t.lane.s.o.Now().After(until) {
			t.keep(batch)
			return true, nil
		}
		st := byID[batch[0].DispatchID]
		if st == nil {
			continue // ended or stopped meanwhile
		}
		if _, err := t.hand(ctx, st, batch); err != nil {
			return false, err
		}
	}
}

// hand gives the batch to the composers, waiting for a slot for each mail. What it could not hand over for an error is kept for
// another try.
//
// The stop row (law 7): a session takes a place of the window for each final dot and then asks tenure.Lets; a place comes
// back from a statement that recorded its last mail and looked at the stop row, so every place lets at most one mail pass after
// a stop is committed. All lanes of the system together have desk.Window places, fewer than desk.StopBatch. Letters looks too, at the
// beginning of every round.
func (t *tenure) hand(ctx context.Context, st *stream, batch []desk.Mail) (stopped bool, err error) {
	l := t.lane
	now := l.s.o.Now()
	for len(batch) > 0 {
		var sl *slot
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case sl = <-l.free:
		}
		if !t.Open() {
			l.free <- sl
			t.keep(batch)
			return false, errLost
		}
		if l.s.stops.has(st.letter.DispatchID) {
			l.free <- sl
			st.page = nil
			return true, nil
		}
		batch = t.give(st, batch, sl, now)
	}
	return false, nil
}

// give hands the next mails to a composer: one in the slot at hand and as many more as places are free at this moment. It
// returns the rest of the batch. Mails that are not due are kept for later.
func (t *tenure) give(st *stream, batch []desk.Mail, sl *slot, now time.Time) []desk.Mail {
	l := t.lane
	var j job
	for sl != nil {
		for len(batch) > 0 && batch[0].NextAt.After(now) {
			t.retries.put(batch[0], batch[0].NextAt)
			batch = batch[1:]
		}
		if len(batch) == 0 {
			l.free <- sl
			break
		}
		sl.tenure, sl.composer, sl.mail = t, st.composer, batch[0]
		batch = batch[1:]
		l.s.slots.put(sl)
		t.composing.Add(1)
		j.slots[j.n] = sl
		j.n++
		sl = nil
		if j.n < len(j.slots) {
			select {
			case sl = <-l.free:
			default:
			}
		}
	}
	if j.n > 0 {
		l.s.jobs <- j
	}
	return batch
}

func (t *tenure) keep(mails []desk.Mail) {
	for _, m := range mails {
		t.retries.put(m, m.NextAt)
	}
}

// next gives at most n fresh mails, none when the stream is dry. While they are worked off the next page is read.
func (st *stream) next(ctx context.Context, t *tenure, n int) ([]desk.Mail, error) {
	if len(st.page) == 0 {
		if st.ahead == nil {
			if st.dry {
				return nil, nil
			}
			st.ask(ctx, t)
		}
		got := <-st.ahead
		st.ahead = nil
		if got.err != nil {
			return nil, got.err
		}
		st.page = got.mails
		if len(got.mails) > 0 {
			st.cursor = got.mails[len(got.mails)-1].ID
		}
		if len(got.mails) == pageSize {
			st.ask(ctx, t)
		} else {
			st.dry = true
		}
	}
	n = min(n, len(st.page))
	batch := st.page[:n]
	st.page = st.page[n:]
	return batch, nil
}

func (st *stream) ask(ctx context.Context, t *tenure) {
	ahead := make(chan page, 1)
	st.ahead = ahead
	id, lane, cursor := st.letter.DispatchID, t.lane.carrier.Lane, st.cursor
	go func() {
		mails, err := t.lane.s.o.Store.StreamMails(ctx, id, lane, cursor, pageSize)
		ahead <- page{mails, err}
	}()
}

func (st *stream) wait() {
	if st.ahead != nil {
		<-st.ahead
		st.ahead = nil
	}
}
