// Package watch looks at the clocks and the sources: it opens a breach record when a mailing is far too late, drafts its report, and says which source fell silent.
package watch

import (
	"context"
	"log/slog"
	"time"

	"yagura/engine/rules"
	"yagura/store/desk"
)

const (
	every       = time.Second // a breach is on record within 5 s of its moment // P5-6
	slowest     = 3 * time.Second
	share       = 20 // a round rests this many times its own length: counting never slows sending
	leaseTTL    = 5 * time.Second
	reach       = time.Minute    // how long an ended mailing is still looked at
	reachBack   = 24 * time.Hour // the same in the first round, for what ended while nobody watched
	roundWithin = 4 * time.Second
	patience    = 30 * time.Second // a telegram that waits longer in the tower is as good as not received
)

// Store is what the service needs of the store. *store.Store is one.
type Store interface {
	TakeLease(ctx context.Context, name, holder string, ttl time.Duration) (epoch int64, ok bool, err error)
	RenewLease(ctx context.Context, name, holder string, epoch int64, ttl time.Duration) (ok bool, err error)
	DropLease(ctx context.Context, name, holder string, epoch int64) error
	ClockRules(ctx context.Context) ([]desk.ClockRule, error)
	LimitedClocks(ctx context.Context, since time.Time) ([]desk.StageClock, error)
	OpenBreach(ctx context.Context, process string, c desk.StageClock, r desk.ClockRule, ratio float64) (id int64, opened bool, err error)
	UnsentBreaches(ctx context.Context) ([]desk.Breach, error)
	DraftBreach(ctx context.Context, id int64, c desk.StageClock, report string, odt []byte) error
	Backlog(ctx context.Context) (desk.Backlog, error)
	NoteSource(ctx context.Context, h desk.SourceHealth) error
	Sources(ctx context.Context) ([]desk.SourceHealth, error)
	NoteSilence(ctx context.Context, process string, h desk.SourceHealth) (fresh bool, err error)
	EndSilences(ctx context.Context, process string, still []string) (ended []string, err error)
}

// Options are what the service needs. Store, Holder and Now are required.
type Options struct {
	Store   Store
	Process string // the engine's name, for the records
	Holder  string // unique to this start of this process
	Now     func() time.Time
	Every   time.Duration // 0 = 1 s
	Log     *slog.Logger
}

// Service watches while it holds the lease. Any number of engines may run it: every record is made once by its key.
type Service struct {
	o      Options
	epoch  int64
	held   bool
	fresh  bool // the first round since the lease was taken
	away   bool
	warned map[desk.ClockSubject]bool
	stuck  map[string]bool // queues
	passed time.Time       // the earliest limit that a real mailing still under way has passed; zero when none
}

// New prepares the service; nothing runs before Run.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Every == 0 {
		o.Every = every
	}
	if o.Process == "" {
		o.Process = "engine"
	}
	return &Service{o: o, warned: map[desk.ClockSubject]bool{}, stuck: map[string]bool{}}
}

// Run watches until ctx ends, then gives the lease back. A database that is away is said once and waited for.
func (s *Service) Run(ctx context.Context) error {
	defer s.leave(ctx)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		began := s.o.Now()
		err := s.round(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !s.away:
			s.away = true
			s.o.Log.Warn("時計と受信系統を見られません。回復を待ちます", "err", err)
		case err == nil && s.away:
			s.away = false
			s.o.Log.Info("時計と受信系統の見張りを再開しました")
		}
		timer.Reset(min(max(s.o.Every, share*s.o.Now().Sub(began)), max(s.o.Every, slowest)))
	}
}

// round looks once at everything.
func (s *Service) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, roundWithin)
	defer cancel()
	if ok, err := s.hold(ctx); err != nil || !ok {
		return err
	}
	clocks, err := s.clocks(ctx)
	if err != nil {
		return err
	}
	if err := s.draft(ctx, clocks); err != nil {
		return err
	}
	if err := s.queues(ctx); err != nil {
		return err
	}
	if err := s.listen(ctx); err != nil {
		return err
	}
	s.fresh = false
	return nil
}

// hold takes or renews the lease.
func (s *Service) hold(ctx context.Context) (ok bool, err error) {
	if s.held {
		if s.held, err = s.o.Store.RenewLease(ctx, desk.WatchLease, s.o.Holder, s.epoch, leaseTTL); err != nil || s.held {
			return s.held, err
		}
	}
	s.epoch, s.held, err = s.o.Store.TakeLease(ctx, desk.WatchLease, s.o.Holder, leaseTTL)
	s.fresh = s.held
	return s.held, err
}

func (s *Service) leave(ctx context.Context) {
	if !s.held {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := s.o.Store.DropLease(ctx, desk.WatchLease, s.o.Holder, s.epoch); err != nil {
		s.o.Log.Warn("lease not given back; it expires", "err", err)
	}
	s.held = false
}

// clocks measures every limited mailing and opens the breach records that are owed. // P5-2 P5-3 P5-4 P5-5 P5-6
func (s *Service) clocks(ctx context.Context) (map[desk.ClockSubject]desk.StageClock, error) {
	limits, err := s.o.Store.ClockRules(ctx)
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	back := reach
	if s.fresh {
		back = reachBack
	}
	found, err := s.o.Store.LimitedClocks(ctx, now.Add(-back))
	if err != nil {
		return nil, err
	}
	clocks := make(map[desk.ClockSubject]desk.StageClock, len(found))
	warned := map[desk.ClockSubject]bool{}
	s.passed = time.Time{}
	for _, c := range found {
		clocks[c.Subject] = c
		v, r, ok := rules.Worst(c, limits, now)
		if !ok || v.State == desk.ClockOK {
			continue
		}
		if warned[c.Subject] = true; !s.warned[c.Subject] {
			s.o.Log.Warn("期限を超えました", "clause", c.Clause, "kind", c.Subject.Kind, "id", c.Subject.ID, "mode", c.Mode, "elapsed", v.Elapsed, "limit", r.Limit)
		}
		if at := now.Add(r.Limit - v.Elapsed); v.Running && c.Mode == desk.Live && (s.passed.IsZero() || at.Before(s.passed)) {
			s.passed = at
		}
		if v, r, ok = rules.Owed(c, limits, now); !ok {
			continue
		}
		id, opened, err := s.o.Store.OpenBreach(ctx, s.o.Process, c, r, v.Ratio)
		if err != nil {
			return nil, err
		}
		if opened {
			s.o.Log.Error("期限を大幅に超えました。遅延報告が要ります", "breach", id, "clause", c.Clause, "kind", c.Subject.Kind, "id", c.Subject.ID, "ratio", v.Ratio)
		}
	}
	s.warned = warned
	return clocks, nil
}

// draft writes the report of every breach that is not sent, and writes it again when a stage, a cause or a measure is new.
func (s *Service) draft(ctx context.Context, clocks map[desk.ClockSubject]desk.StageClock) error {
	owed, err := s.o.Store.UnsentBreaches(ctx)
	if err != nil {
		return err
	}
	for _, b := range owed {
		if c, ok := clocks[b.Subject]; ok {
			b.Clock = c
		}
		r := report(b)
		text := r.text()
		if text == b.Report {
			continue
		}
		odt, err := r.odt()
		if err != nil {
			return err
		}
		if err := s.o.Store.DraftBreach(ctx, b.ID, b.Clock, text, odt); err != nil && desk.KindOf(err) != desk.Conflict { // Conflict: sent meanwhile
			return err
		}
	}
	return nil
}

// queues notes a queue in which a telegram waits too long as a silent source, and as a quiet one when it flows again; a limit that
// has passed while mails leave is noted likewise. It writes only then: one row for all engines.
func (s *Service) queues(ctx context.Context) error {
	waiting, err := s.o.Store.Backlog(ctx)
	if err != nil {
		return err
	}
	now := s.o.Now()
	for name, oldest := range map[string]time.Time{
		desk.QueueReading: waiting.Unread, desk.QueueBulletin: waiting.Unconsidered, desk.QueueDeadline: s.passed,
	} {
		stuck := !oldest.IsZero() && (now.Sub(oldest) > patience || name == desk.QueueDeadline)
		if stuck == s.stuck[name] && !s.fresh {
			continue
		}
		h := desk.SourceHealth{Name: name, Engine: "watch", LastContact: now.Add(-patience)} // a rhythm of zero is never silent; what waits already is not older
		if stuck {
			h.LastContact, h.Rhythm, h.Trouble = oldest, patience, "電文が処理されずにたまっています。"
			if name == desk.QueueDeadline {
				h.Rhythm, h.Trouble = time.Millisecond, "期限を過ぎても送信中の配信があります。"
			}
		}
		if err := s.o.Store.NoteSource(ctx, h); err != nil {
			return err
		}
		s.stuck[name] = stuck
	}
	return nil
}

// listen records which sources fell silent beyond their own rhythm, and which came back.
func (s *Service) listen(ctx context.Context) error {
	sources, err := s.o.Store.Sources(ctx)
	if err != nil {
		return err
	}
	var silent []string
	for _, h := range sources {
		if !h.Silent {
			continue
		}
		silent = append(silent, h.Name)
		fresh, err := s.o.Store.NoteSilence(ctx, s.o.Process, h)
		if err != nil {
			return err
		}
		if fresh {
			s.o.Log.Warn("受信または処理が止まっています", "source", h.Name, "heard", h.Heard(), "rhythm", h.Rhythm, "trouble", h.Trouble)
		}
	}
	ended, err := s.o.Store.EndSilences(ctx, s.o.Process, silent)
	for _, name := range ended {
		s.o.Log.Info("受信または処理が戻りました", "source", name)
	}
	return err
}
