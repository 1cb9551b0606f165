// Package intake takes telegrams in: stored verbatim first, then read, put to their event and given advice.
package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"yagura/feeds"
	"yagura/feeds/jalert"
	"yagura/store/desk"
)

// Store is what intake needs of the store.
type Store interface {
	StoreTelegram(ctx context.Context, env desk.Envelope, digest [32]byte) (desk.TelegramID, bool, error)
	Unread(ctx context.Context, limit int) ([]desk.Telegram, error)
	RecordReading(ctx context.Context, t desk.Telegram, problem string) error
	EventsNear(ctx context.Context, keys []string, mode desk.Mode, hazard desk.Hazard, at time.Time, span time.Duration) ([]desk.Event, error)
	TelegramsOf(ctx context.Context, id desk.EventID) ([]desk.Telegram, error)
	EEWHeard(ctx context.Context, from, to time.Time) (bool, error)
	RecentEvents(ctx context.Context, since time.Time) ([]desk.Event, error)
	SaveEvent(ctx context.Context, e desk.Event, telegram desk.TelegramID, a desk.Advice) (desk.EventID, desk.AdviceID, error)
	OpenIncidents(ctx context.Context, mode desk.Mode) ([]desk.Incident, error)
	Inbox(ctx context.Context, limit int) ([]desk.InboxItem, error)
	ReadingsNear(ctx context.Context, types []string, from, to time.Time) ([]desk.Telegram, error)
	NoteSource(ctx context.Context, h desk.SourceHealth) error
	Readvise(ctx context.Context, a desk.Advice) (desk.AdviceID, error)
	Policy(ctx context.Context) (desk.Policy, error)
	Listen(ctx context.Context, topics []desk.Topic, on func(desk.Wake)) error
	TakeLease(ctx context.Context, name, holder string, ttl time.Duration) (int64, bool, error)
	RenewLease(ctx context.Context, name, holder string, epoch int64, ttl time.Duration) (bool, error)
	DropLease(ctx context.Context, name, holder string, epoch int64) error
}

// Options says how an intake works. Zero durations take their defaults.
type Options struct {
	Store   Store
	Sources []feeds.Source
	Holder  string // unique to this start of this process: the holder of the reading lease
	Log     *slog.Logger
	Now     func() time.Time
	Poll    time.Duration // how often unread telegrams are looked for without a wake-up; 0 = 2 s (law 8)
	Lease   time.Duration // time to live of the reading lease; 0 = 5 s (law 9)
	Engine  string        // the name under which the health of the sources is noted; "" = Holder
	EDXL    bool          // whether EDXL envelopes (Lアラート) are read; off, they are shown as not read (feeds.md 4.4)
	Health  time.Duration // how often the health of a source is looked at; 0 = 1 s. It is noted when it changed, else every fifth time
	Burst   int           // telegrams a source may hand over at once before it is slowed to Rate; 0 = 2,000
	Rate    int           // telegrams a second a source may hand over in the long run; 0 = 200
	MaxGap  time.Duration // longest wait before a failed source or store is tried again; 0 = 5 s
}

// Counts is what an intake has done since its start.
type Counts struct {
	Stored     int64 // telegrams new to the store
	Duplicates int64 // telegrams the store had already, by whatever path
	Judged     int64 // telegrams that got an advice
	Unreadable int64 // telegrams recorded with a problem
	Slowest    time.Duration
}

// Intake is the service. Make it with New.
type Intake struct {
	Options
	wake                                     chan struct{}
	garbage                                  garbage
	lags                                     sync.Map // feed → time.Duration; one entry for each feed that was read
	stored, duplicates, judged, bad, slowest atomic.Int64
}

// New makes an intake; nothing runs before Run.
func New(o Options) *Intake {
	if o.Poll == 0 {
		o.Poll = 2 * time.Second
	}
	if o.Lease == 0 {
		o.Lease = 5 * time.Second
	}
	if o.MaxGap == 0 {
		o.MaxGap = 5 * time.Second
	}
	if o.Health == 0 {
		o.Health = time.Second
	}
	if o.Burst == 0 {
		o.Burst = 2000
	}
	if o.Rate == 0 {
		o.Rate = 200
	}
	if o.Engine == "" {
		o.Engine = o.Holder
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Intake{Options: o, wake: make(chan struct{}, 1)}
}

// Counts tells what was done so far.
func (in *Intake) Counts() Counts {
	return Counts{
		Stored: in.stored.Load(), Duplicates: in.duplicates.Load(), Judged: in.judged.Load(), Unreadable: in.bad.Load(),
		Slowest: time.Duration(in.slowest.Load()),
	}
}

// Run takes in from every source and reads what is stored, until ctx ends. Every engine stores what its sources bring; only the
// holder of the lease "intake" reads. A source that fails is started again, the others do not notice; one that is exhausted rests.
func (in *Intake) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, source := range in.Sources {
		gate := newGate(source, in.Rate, in.Burst)
		all.Go(func() { in.keepSource(ctx, source, gate) })
		all.Go(func() { in.noteHealth(ctx, gate) })
	}
	all.Go(func() {
		// A hint only: the reader polls as well, so a listener that cannot start costs time and nothing else.
		if err := in.Store.Listen(ctx, []desk.Topic{desk.TopicTelegram, desk.TopicIncident, desk.TopicDispatch}, func(desk.Wake) { in.poke() }); err != nil {
			in.Log.Warn("intake does not hear wake-ups", "kind", desk.KindOf(err))
		}
	})
	in.read(ctx)
	all.Wait()
	return nil
}

func (in *Intake) poke() {
	select {
	case in.wake <- struct{}{}:
	default:
	}
}

func (in *Intake) keepSource(ctx context.Context, source feeds.Source, gate *gate) {
	for gap := 200 * time.Millisecond; ctx.Err() == nil; gap = min(2*gap, in.MaxGap) {
		started := in.Now()
		gate.began(started)
		err := runSource(ctx, source, func(ctx context.Context, env desk.Envelope) error {
			if !gate.pass(ctx, in.Now) {
				return ctx.Err()
			}
			err := in.take(ctx, env)
			if err == nil {
				gate.took(in.Now())
			}
			return err
		})
		if ctx.Err() != nil {
			return
		}
		gate.ended(err, in.Now())
		if err == nil {
			in.Log.Info("source is exhausted", "source", source.Name())
			return
		}
		in.Log.Error("source failed; starting it again", "source", source.Name(), "err", err, "after", gap)
		if in.Now().Sub(started) > in.MaxGap {
			gap = 200 * time.Millisecond
		}
		pause(ctx, gap)
	}
}

// runSource turns a panic of a source into its failure.
func runSource(ctx context.Context, source feeds.Source, out func(context.Context, desk.Envelope) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return source.Run(ctx, out)
}

// take stores one envelope verbatim (law 1). While the database is away it holds the source back, so nothing is lost and
// nothing piles up; any other failure goes back to the source, which offers the envelope again.
func (in *Intake) take(ctx context.Context, env desk.Envelope) error {
	digest := feeds.Digest(env.Raw)
	if isLine(env.Feed) { // the fixed wording of a missile notice tells no time: the next launch would pass for a duplicate
		digest = jalert.Digest(env)
	}
	for gap := 50 * time.Millisecond; ; gap = min(2*gap, in.MaxGap) {
		_, fresh, err := in.Store.StoreTelegram(ctx, env, digest)
		switch {
		case err == nil && fresh:
			in.stored.Add(1)
			in.poke()
			return nil
		case err == nil:
			in.duplicates.Add(1)
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
		in.Log.Warn("telegram is not stored yet", "feed", env.Feed, "kind", desk.KindOf(err), "err", err, "after", gap)
		if !pause(ctx, gap) {
			return ctx.Err()
		}
		if desk.KindOf(err) != desk.Unavailable {
			return err
		}
	}
}

// pause waits, or returns false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

var errNotMine = errors.New("the reading lease is not held")
