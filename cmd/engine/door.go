package main

import (
	"context"
	"log/slog"
	"time"

	"yagura/engine"
	"yagura/store"
	"yagura/store/desk"
)

// knock is the pause between two tries to open a door while the database is away.
const knock = time.Second

// door is one way to the store, opened by whoever needs it first. An engine that starts while the database is away (a restart in
// the middle of a failover) must take answers all the same (law 14), so nothing waits for it at the start.
type door struct {
	open func(context.Context) (*store.Store, error)
	turn chan struct{} // one at a time
	s    *store.Store
}

func newDoor(o store.Options) *door {
	return &door{turn: make(chan struct{}, 1), open: func(ctx context.Context) (*store.Store, error) { return store.Open(ctx, o) }}
}

// enter gives the store, opening it when it is not; Unavailable when that does not work now.
func (d *door) enter(ctx context.Context) (*store.Store, error) {
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return nil, desk.Wrap(desk.Unavailable, "engine.door", ctx.Err())
	}
	if d.s != nil {
		return d.s, nil
	}
	s, err := d.open(ctx)
	if err == nil {
		d.s = s
	}
	return s, err
}

// wait opens the door however long it takes; the error is that of ctx. What cannot be mended by waiting is said each time.
func (d *door) wait(ctx context.Context, log *slog.Logger) (*store.Store, error) {
	for {
		s, err := d.enter(ctx)
		if err == nil {
			return s, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		log.Warn("データベースを待っています", "reason", desk.Message(err), "err", err)
		timer := time.NewTimer(knock)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// close ends what was opened. Nobody may enter any more.
func (d *door) close() {
	if d.s != nil {
		d.s.Close()
	}
}

// RecordResponses stores answers; while the door is shut it says Unavailable, and the page keeps them in its journal.
func (d *door) RecordResponses(ctx context.Context, batch []desk.Response) error {
	s, err := d.enter(ctx)
	if err != nil {
		return err
	}
	return s.RecordResponses(ctx, batch)
}

// Headings gives the modes and subjects of the page.
func (d *door) Headings(ctx context.Context) ([]desk.Heading, error) {
	s, err := d.enter(ctx)
	if err != nil {
		return nil, err
	}
	return s.Headings(ctx)
}

// behind is a service that begins when its door is open.
func (w *wired) behind(name string, d *door, run func(context.Context, *store.Store) error) engine.Service {
	return engine.Service{Name: name, Run: func(ctx context.Context) error {
		s, err := d.wait(ctx, w.log)
		if err != nil {
			return err
		}
		return run(ctx, s)
	}}
}
