package send

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"yagura/engine/route"
	"yagura/store/desk"
)

// lane is one carrier lane as this process sees it: it tries to own it, and works it while it does.
type lane struct {
	s       *Service
	carrier desk.Carrier
	share   int
	free    chan *slot
	wake    chan struct{}
	owned   atomic.Bool
}

func newLane(s *Service, c desk.Carrier, share int) *lane {
	c.Sessions = max(min(c.Sessions, share/2), 1) // a pipelined session holds two mails: body i and envelope i+1
	slots := share + aheadPerSession*c.Sessions
	l := &lane{s: s, carrier: c, share: share, free: make(chan *slot, slots), wake: make(chan struct{}, 1)}
	for range slots {
		l.free <- &slot{lane: l}
	}
	return l
}

func (l *lane) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) drainWake() {
	select {
	case <-l.wake:
	default:
	}
}

// run knocks for the lease and works the lane each time it gets it.
func (l *lane) run(ctx context.Context) {
	knock := time.NewTimer(0)
	defer knock.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-knock.C:
		}
		asked := l.s.o.Now()
		epoch, ok, err := l.s.o.Store.TakeLease(ctx, desk.LaneLease(l.carrier.Lane), l.s.o.Holder, leaseTTL)
		if err != nil && ctx.Err() == nil {
			l.s.o.Log.Warn("cannot take the lane", "lane", l.carrier.Lane, "err", err)
		}
		if ok && err == nil {
			l.work(ctx, epoch, asked)
		}
		knock.Reset(leaseKnock)
	}
}

// tenure is one time of owning a lane, under one epoch.
type tenure struct {
	lane      *lane
	epoch     int64
	until     atomic.Int64 // ns after Service.base: no final dot is written later (law 9)
	items     chan route.Item
	places    chan struct{} // the lane's share of the window: how many final dots may still be written
	composing sync.WaitGroup
	retries   retries
}

// Open implements route.Gate by the process's own monotonic clock: a process that was paused finds it shut.
func (t *tenure) Open() bool { return int64(t.lane.s.o.Now().Sub(t.lane.s.base)) < t.until.Load() }

// Lets implements route.Gate: the recorder has seen no stop of the mail's dispatch (law 7).
func (t *tenure) Lets(m desk.Mail) bool { return !t.lane.s.stops.has(m.DispatchID) }

// Places implements route.Gate.
func (t *tenure) Places() <-chan struct{} { return t.places }

func (t *tenure) granted(asked time.Time) {
	t.until.Store(int64(asked.Add(leaseHonour).Sub(t.lane.s.base)))
}

// again keeps a mail for another try in this tenure.
func (t *tenure) again(m desk.Mail, at time.Time) {
	t.retries.put(m, at)
	t.lane.nudge()
}

// work streams the lane until the lease is lost or ctx ends. The next tenure of this process begins only when every result of
// this one is written: what is in memory must not look pending.
func (l *lane) work(ctx context.Context, epoch int64, asked time.Time) {
	s := l.s
	t := &tenure{lane: l, epoch: epoch, items: make(chan route.Item, cap(l.free)), places: make(chan struct{}, l.share)}
	for range l.share {
		t.places <- struct{}{}
	}
	t.granted(asked)
	l.owned.Store(true)
	s.o.Log.Info("lane taken", "lane", l.carrier.Lane, "epoch", epoch)

	holding, lose := context.WithCancelCause(ctx)
	routing, cut := context.WithCancel(context.WithoutCancel(ctx))
	routed := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { t.renew(holding, lose) })
	wg.Go(func() {
		defer close(routed)
		if err := s.o.Route(l.carrier, t).Run(routing, t.items, s.results); err != nil && routing.Err() == nil {
			s.o.Log.Error("route ended", "lane", l.carrier.Lane, "err", err)
			lose(err)
		}
	})
	err := t.feed(holding)
	lose(err)
	l.owned.Store(false)
	t.composing.Wait()
	close(t.items)
	last := time.NewTimer(lastWords)
	select {
	case <-routed:
	case <-last.C:
	case <-ctx.Done(): // an orderly stop: the route still reads the answers to dots already written, for a few seconds
	}
	t.until.Store(0)
	last.Stop()
	cut()
	wg.Wait()
	t.close(ctx)
	s.o.Log.Info("lane left", "lane", l.carrier.Lane, "epoch", epoch, "why", context.Cause(holding))
}

// close waits for the results to be written, takes back the slots of mails that never left and gives up the lease.
func (t *tenure) close(ctx context.Context) {
	l := t.lane
	flushing, done := context.WithCancel(context.WithoutCancel(ctx))
	defer done()
	grace := time.AfterFunc(flushGrace, func() {
		if ctx.Err() != nil { // stopping: not for ever. Otherwise as long as the database is away.
			done()
		}
	})
	defer grace.Stop()
	stop := context.AfterFunc(ctx, func() { grace.Reset(flushGrace) })
	defer stop()
	if l.s.flush(flushing) != nil {
		return // unwritten results: let the lease expire
	}
	for _, sl := range l.s.slots.abandoned(t) {
		l.free <- sl
	}
	dropping, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := l.s.o.Store.DropLease(dropping, desk.LaneLease(l.carrier.Lane), l.s.o.Holder, t.epoch); err != nil {
		l.s.o.Log.Warn("lane not given back; its lease expires", "lane", l.carrier.Lane, "err", err)
	}
}

// renew keeps the lease each second and ends the tenure when it is gone, or when it could not be renewed in time.
func (t *tenure) renew(ctx context.Context, lose context.CancelCauseFunc) {
	s := t.lane.s
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		asked := s.o.Now()
		trying, cancel := context.WithTimeout(ctx, leaseRenew)
		ok, err := s.o.Store.RenewLease(trying, desk.LaneLease(t.lane.carrier.Lane), s.o.Holder, t.epoch, leaseTTL)
		cancel()
		switch {
		case err == nil && ok && t.Open():
			t.granted(asked)
		case err == nil && !ok, !t.Open():
			t.until.Store(0)
			lose(errLost)
			return
		}
	}
}
