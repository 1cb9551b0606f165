// Package tally recounts the dispatches that people are answering and publishes each count, at most once a second per dispatch.
package tally

import (
	"context"
	"log/slog"
	"reflect"
	"time"

	"yagura/store/desk"
)

// Limits of counting.
const (
	every       = time.Second     // answers never NOTIFY; this is the pulse screens get (law 8)
	freshAtMost = 5 * time.Second // an unchanged tally is published again, so that its as-of does not look stale
	countWithin = 3 * time.Second
)

// Store is what the service needs. *store.Store is one.
type Store interface {
	// TalliedDispatches lists what is worth counting again.
	TalliedDispatches(context.Context) ([]desk.DispatchID, error)
	// CountTally counts one dispatch in one snapshot.
	CountTally(context.Context, desk.DispatchID) (desk.Tally, error)
	// PublishTally makes a count the one screens show; the newest as-of wins.
	PublishTally(context.Context, desk.Tally) error
}

// Options says what to count and how often.
type Options struct {
	Store Store
	Log   *slog.Logger
	Every time.Duration // 0 = 1 s
}

// Service recounts and publishes. Several engines may run it at once: publishing is idempotent and the newest count wins, so
// it needs no lease.
type Service struct {
	o         Options
	published map[desk.DispatchID]desk.Tally
	away      bool
}

// New prepares the service; Run starts it.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Every == 0 {
		o.Every = every
	}
	return &Service{o: o, published: map[desk.DispatchID]desk.Tally{}}
}

// Run counts until ctx ends. A database that is away is said once and waited for.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(s.o.Every)
	defer tick.Stop()
	for {
		err := s.round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !s.away:
			s.away = true
			s.o.Log.Warn("集計できません。データベースの回復を待ちます", "err", err)
		case err == nil && s.away:
			s.away = false
			s.o.Log.Info("集計を再開しました")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	ids, err := s.o.Store.TalliedDispatches(ctx)
	if err != nil {
		return err
	}
	still := make(map[desk.DispatchID]desk.Tally, len(ids))
	for _, id := range ids {
		t, err := s.o.Store.CountTally(ctx, id)
		if err != nil {
			return err
		}
		if err := t.Check(); err != nil { // F3-1-j: a sum that does not add up is never shown
			s.o.Log.Error("集計の合計が合いません。公表しません", "dispatch", int64(id), "err", err)
			continue
		}
		last, known := s.published[id]
		if known && same(last, t) && t.AsOf.Sub(last.AsOf) < freshAtMost {
			still[id] = last
			continue
		}
		if err := s.o.Store.PublishTally(ctx, t); err != nil {
			return err
		}
		still[id] = t
	}
	s.published = still // what is not counted any more is forgotten
	return nil
}

// same reports whether two counts differ in their time only.
func same(a, b desk.Tally) bool {
	a.AsOf = b.AsOf
	return reflect.DeepEqual(a, b)
}
