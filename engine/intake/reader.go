package intake

import (
	"context"
	"errors"
	"time"

	"yagura/store/desk"
)

// leaseName is the lease of the one reader among all engines.
const leaseName = "intake"

// readAtOnce is how many unread telegrams are fetched together; with their bytes they may be large.
const readAtOnce = 16

// reader is the state of one turn at reading.
type reader struct {
	*Intake
	epoch   int64
	held    bool
	renewed time.Time

	late      desk.TelegramID // the telegram the store had no time for last
	lateTries int
}

// read reads unread telegrams, oldest first, whenever this engine holds the lease. At the start that picks up what a crash
// left between storing and reading.
func (in *Intake) read(ctx context.Context) {
	r := &reader{Intake: in}
	defer r.drop(ctx)
	tick := time.NewTicker(min(in.Poll, in.Lease/3))
	defer tick.Stop()
	gap := 50 * time.Millisecond
	for ctx.Err() == nil {
		err := r.drain(ctx)
		if err == nil {
			err = r.review(ctx)
		}
		if err != nil && !errors.Is(err, errNotMine) && ctx.Err() == nil {
			in.Log.Warn("reading is interrupted", "err", err, "after", gap)
			if pause(ctx, gap) {
				gap = min(2*gap, in.MaxGap)
			}
			continue
		}
		gap = 50 * time.Millisecond
		select {
		case <-ctx.Done():
		case <-in.wake:
		case <-tick.C:
		}
	}
}

func (r *reader) drain(ctx context.Context) error {
	for {
		if err := r.hold(ctx); err != nil {
			return err
		}
		unread, err := r.Store.Unread(ctx, readAtOnce)
		if err != nil {
			return err
		}
		if len(unread) == 0 {
			return nil
		}
		for _, t := range unread {
			if err := r.hold(ctx); err != nil {
				return err
			}
			if err := r.judge(ctx, t); err != nil {
				return err
			}
		}
	}
}

// hold makes sure the lease is held, renewing it after a third of its life by our own clock. A lease that broke unnoticed does
// no harm: two readers of one telegram write the same event once.
func (r *reader) hold(ctx context.Context) error {
	now := r.Now()
	if r.held && now.Sub(r.renewed) < r.Lease/3 {
		return nil
	}
	if r.held {
		ok, err := r.Store.RenewLease(ctx, leaseName, r.Holder, r.epoch, r.Lease)
		if err != nil {
			return err
		}
		if ok {
			r.renewed = now
			return nil
		}
		r.held = false
	}
	epoch, ok, err := r.Store.TakeLease(ctx, leaseName, r.Holder, r.Lease)
	if err != nil {
		return err
	}
	if !ok {
		return errNotMine
	}
	r.epoch, r.held, r.renewed = epoch, true, now
	return nil
}

// drop gives the lease back at an orderly stop, so that another engine need not wait for its end.
func (r *reader) drop(ctx context.Context) {
	if !r.held {
		return
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := r.Store.DropLease(last, leaseName, r.Holder, r.epoch); err != nil {
		r.Log.Debug("reading lease was left to expire", "err", err)
	}
}
