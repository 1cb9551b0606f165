package replay

import (
	"context"
	"slices"
	"time"

	"yagura/feeds"
	"yagura/store/desk"
)

// Options says how a Player keeps time.
type Options struct {
	// Speed divides the recorded gaps: 1 is as recorded, 60 a minute for an hour. 0 or less plays without any gap.
	Speed float64
	// MaxGap caps each gap after division, so that quiet hours do not hold up the play. 0 means no cap.
	MaxGap time.Duration
	// Retry is the pause before an envelope that could not be stored is offered again; 0 means half a second.
	Retry time.Duration
	// Now is the clock that gaps are measured with; it is required.
	Now func() time.Time
}

// Player is a feeds.Source that hands over envelopes at the gaps of their ReceivedAt times.
type Player struct {
	name string
	envs []desk.Envelope
	opt  Options
}

var _ feeds.Source = (*Player)(nil)

// NewPlayer makes a player of the envelopes, ordered by ReceivedAt; equal times keep the given order.
func NewPlayer(name string, envs []desk.Envelope, opt Options) *Player {
	ordered := slices.Clone(envs)
	slices.SortStableFunc(ordered, func(a, b desk.Envelope) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	for i := range ordered {
		ordered[i].Feed = name
	}
	if opt.Retry <= 0 {
		opt.Retry = 500 * time.Millisecond
	}
	return &Player{name: name, envs: ordered, opt: opt}
}

// Name is the name of the stream.
func (p *Player) Name() string { return p.name }

// Run plays every envelope once and returns nil, or ctx.Err() when it was stopped. The first comes at once. Time spent in out
// counts as part of the gap, so a slow listener does not stretch the play. See feeds.Source for what an error of out means.
func (p *Player) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	due := p.opt.Now()
	for i := range p.envs {
		if i > 0 {
			due = due.Add(p.gap(p.envs[i-1].ReceivedAt, p.envs[i].ReceivedAt))
		}
		if err := wait(ctx, due.Sub(p.opt.Now())); err != nil {
			return err
		}
		for out(ctx, p.envs[i]) != nil {
			if err := wait(ctx, p.opt.Retry); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Player) gap(before, after time.Time) time.Duration {
	if p.opt.Speed <= 0 {
		return 0
	}
	d := time.Duration(float64(after.Sub(before)) / p.opt.Speed)
	if p.opt.MaxGap > 0 {
		d = min(d, p.opt.MaxGap)
	}
	return max(d, 0)
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
