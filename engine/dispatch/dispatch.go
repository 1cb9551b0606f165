// Package dispatch is the judged path: it expands approved dispatches into mails chunk by chunk, and takes the steps of state
// that follow from results, stops and staleness.
package dispatch

import (
	"context"
	"log/slog"
	"time"

	"yagura/store/desk"
)

const (
	poll        = 2 * time.Second // law 8: the net under every wake-up
	leaseTTL    = 5 * time.Second
	leaseRenew  = time.Second
	firstChunk  = 250  // people; small, so that the first mail leaves at once (design.md §6)
	lastChunk   = 4000 // doubled up to here: a chunk is written in a third of the time the one before it takes to send
	settleShare = 20   // a look at the results rests this many times its own length
)

// Store is what the service needs of the store.
type Store interface {
	TakeLease(ctx context.Context, name, holder string, ttl time.Duration) (epoch int64, ok bool, err error)
	RenewLease(ctx context.Context, name, holder string, epoch int64, ttl time.Duration) (ok bool, err error)
	DropLease(ctx context.Context, name, holder string, epoch int64) error
	DueDispatches(ctx context.Context) (due []desk.Dispatch, wait time.Duration, err error)
	Expand(ctx context.Context, id desk.DispatchID, people int) (desk.ExpandStep, error)
	SettleDispatches(ctx context.Context) error
}

// Options are what the service needs. Store, Holder and Now are required.
type Options struct {
	Store    Store
	Holder   string                // unique to this start of this process
	Wake     <-chan struct{}       // a hint that a dispatch changed (desk.TopicDispatch); nil = poll only
	Expanded func(desk.DispatchID) // called after each chunk, to wake the senders of this process; nil = none
	Now      func() time.Time      // for the lease only; facts bear the database's clock
	Log      *slog.Logger
}

// Service expands and settles dispatches. Any number of engines may run it: the lease lets one work at a time, and every
// step is safe without it.
type Service struct {
	o        Options
	epoch    int64
	renewed  time.Time // the zero time when the lease is not held
	settleAt time.Time // not earlier
}

// New prepares the service; nothing runs before Run.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Expanded == nil {
		o.Expanded = func(desk.DispatchID) {}
	}
	return &Service{o: o}
}

// Run works until ctx ends, then gives the lease back.
func (s *Service) Run(ctx context.Context) error {
	defer s.leave(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.o.Wake:
		case <-timer.C:
		}
		timer.Reset(s.round(ctx))
	}
}

// round does what is due and returns how long to wait at most.
func (s *Service) round(ctx context.Context) time.Duration {
	if !s.hold(ctx) {
		return leaseRenew
	}
	due, wait, err := s.o.Store.DueDispatches(ctx)
	if err != nil {
		s.complain(ctx, "cannot read due dispatches", err)
		return leaseRenew
	}
	for _, d := range due {
		if err := s.expand(ctx, d.ID); err != nil {
			s.complain(ctx, "cannot expand", err, "dispatch", d.ID) // the next one has its turn; this one again in the next round
		}
	}
	s.settle(ctx)
	if wait <= 0 || wait > leaseRenew {
		wait = leaseRenew // the lease is renewed in time
	}
	if len(due) > 0 {
		wait = min(wait, poll/4) // a dispatch under way: its state follows its results closely
	}
	return max(wait, time.Millisecond)
}

// settle takes a small part of the time at most: while a carrier defers the last of 100,000 mails, each look is long.
func (s *Service) settle(ctx context.Context) {
	began := s.o.Now()
	if began.Before(s.settleAt) {
		return
	}
	if err := s.o.Store.SettleDispatches(ctx); err != nil {
		s.complain(ctx, "cannot settle", err)
	}
	ended := s.o.Now()
	s.settleAt = ended.Add(settleShare * ended.Sub(began))
}

// expand writes chunk after chunk until nothing is left.
func (s *Service) expand(ctx context.Context, id desk.DispatchID) error {
	began := s.o.Now()
	for people := firstChunk; ; people = min(2*people, lastChunk) {
		step, err := s.o.Store.Expand(ctx, id, people)
		if err != nil {
			return err
		}
		if step.People > 0 {
			s.o.Expanded(id)
		}
		if step.Done {
			s.o.Log.Info("dispatch expanded", "dispatch", id, "state", step.State, "took", s.o.Now().Sub(began))
			return nil
		}
		if !s.hold(ctx) { // another engine goes on from where the last chunk ended
			return nil
		}
	}
}

// hold takes or renews the lease when it is time to.
func (s *Service) hold(ctx context.Context) bool {
	now := s.o.Now()
	if !s.renewed.IsZero() && now.Sub(s.renewed) < leaseRenew/2 {
		return true
	}
	var ok bool
	var err error
	if !s.renewed.IsZero() {
		ok, err = s.o.Store.RenewLease(ctx, desk.DispatchLease, s.o.Holder, s.epoch, leaseTTL)
	}
	if !ok && err == nil {
		s.epoch, ok, err = s.o.Store.TakeLease(ctx, desk.DispatchLease, s.o.Holder, leaseTTL)
	}
	if err != nil {
		s.complain(ctx, "cannot take the lease", err)
	}
	if !ok {
		s.renewed = time.Time{}
		return false
	}
	s.renewed = now
	return true
}

func (s *Service) leave(ctx context.Context) {
	if s.renewed.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := s.o.Store.DropLease(ctx, desk.DispatchLease, s.o.Holder, s.epoch); err != nil {
		s.o.Log.Warn("lease not given back; it expires", "err", err)
	}
	s.renewed = time.Time{}
}

func (s *Service) complain(ctx context.Context, what string, err error, args ...any) {
	if ctx.Err() != nil {
		return
	}
	s.o.Log.Warn(what, append(args, "err", err)...)
}
