// Package bulletin is the automatic path: it tells designated people what telegrams say, without an operator and live only.
package bulletin

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"yagura/engine/rules"
	"yagura/store"
	"yagura/store/desk"
)

const (
	poll       = 2 * time.Second // law 8: the net under every wake-up
	leaseTTL   = 5 * time.Second
	leaseRenew = time.Second
	batch      = 64 // readings looked at together; some are long
	attempts   = 5  // of one telegram, when another writer was faster
)

// Store is what the service needs of the store.
type Store interface {
	TakeLease(ctx context.Context, name, holder string, ttl time.Duration) (epoch int64, ok bool, err error)
	RenewLease(ctx context.Context, name, holder string, epoch int64, ttl time.Duration) (ok bool, err error)
	DropLease(ctx context.Context, name, holder string, epoch int64) error
	Listen(ctx context.Context, topics []desk.Topic, on func(desk.Wake)) error
	BulletinRules(ctx context.Context) ([]desk.BulletinRule, error)
	Unconsidered(ctx context.Context, limit int) ([]desk.BulletinCase, error)
	LastBulletins(ctx context.Context, kinds []desk.BulletinKind, threads []string) ([]desk.Bulletin, error)
	IssueBulletins(ctx context.Context, d desk.BulletinDecision) ([]desk.Bulletin, error)
	PassOver(ctx context.Context, decisions []desk.BulletinDecision) error
	DueDigests(ctx context.Context) ([]store.DueDigest, error)
	IssueDigest(ctx context.Context, d store.DueDigest, subject, body string) (desk.Bulletin, error)
}

// Options are what the service needs. Store, Holder and Now are required.
type Options struct {
	Store  Store
	Holder string              // unique to this start of this process
	Issued func(desk.Bulletin) // called after each bulletin, to wake the senders of this process; nil = none
	Now    func() time.Time    // for the lease only; facts bear the database's clock
	Log    *slog.Logger
}

// Service considers each reading once. Any number of engines may run it: the lease saves them the same work, and every step is
// safe without it.
type Service struct {
	o       Options
	wake    chan struct{} // a telegram was read
	epoch   int64
	renewed time.Time // the zero time when the lease is not held
}

// New prepares the service; nothing runs before Run.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Issued == nil {
		o.Issued = func(desk.Bulletin) {}
	}
	return &Service{o: o, wake: make(chan struct{}, 1)}
}

// Run works until ctx ends, then gives the lease back.
func (s *Service) Run(ctx context.Context) error {
	defer s.leave(ctx)
	var listening sync.WaitGroup
	defer listening.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	listening.Go(func() { s.listen(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.wake:
		case <-timer.C:
		}
		timer.Reset(s.round(ctx))
	}
}

// listen turns the notices of read telegrams into hints; at most one waits.
func (s *Service) listen(ctx context.Context) {
	err := s.o.Store.Listen(ctx, []desk.Topic{desk.TopicTelegram}, func(desk.Wake) {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	})
	if err != nil {
		s.complain(ctx, "cannot listen; polling goes on", err)
	}
}

// round does what is due and returns how long to wait at most.
func (s *Service) round(ctx context.Context) time.Duration {
	if !s.hold(ctx) {
		return leaseRenew
	}
	if err := s.considerAll(ctx); err != nil {
		s.complain(ctx, "cannot consider telegrams", err)
		return leaseRenew
	}
	if err := s.digests(ctx); err != nil {
		s.complain(ctx, "cannot send digests", err)
	}
	return min(poll, leaseRenew) // the lease is renewed in time
}

// considerAll works off what waits, oldest first. What is passed over is written together, before the next bulletin, so that the
// order of telegrams is the order of the record.
func (s *Service) considerAll(ctx context.Context) error {
	for {
		cases, err := s.o.Store.Unconsidered(ctx, batch)
		if err != nil || len(cases) == 0 {
			return err
		}
		thresholds, err := s.thresholds(ctx)
		if err != nil {
			return err
		}
		if err := s.considerEach(ctx, cases, thresholds); err != nil {
			return err
		}
		if len(cases) < batch || s.renewed.IsZero() {
			return nil
		}
	}
}

func (s *Service) considerEach(ctx context.Context, cases []desk.BulletinCase, thresholds rules.BulletinRules) error {
	var passed []desk.BulletinDecision
	flush := func() error {
		if len(passed) == 0 {
			return nil
		}
		err := s.o.Store.PassOver(ctx, passed)
		passed = passed[:0]
		return err
	}
	for i := range cases {
		if !s.hold(ctx) {
			break
		}
		d, err := s.decide(ctx, &cases[i], thresholds)
		if err != nil {
			return err
		}
		if len(d.Bulletins) > 0 {
			if err := flush(); err != nil {
				return err
			}
			if d.Why, err = s.issue(ctx, &cases[i], d, thresholds); err != nil {
				return err
			}
		}
		if d.Why != "" {
			passed = append(passed, desk.BulletinDecision{TelegramID: d.TelegramID, Why: d.Why})
		}
	}
	return flush()
}

func (s *Service) thresholds(ctx context.Context) (rules.BulletinRules, error) {
	list, err := s.o.Store.BulletinRules(ctx)
	all := make(rules.BulletinRules, len(list))
	for _, r := range list {
		all[r.Kind] = r
	}
	return all, err
}

// issue writes the bulletins of a decision, deciding anew when another bulletin of the thread came between. why is set when nothing
// is told after all.
func (s *Service) issue(ctx context.Context, c *desk.BulletinCase, d desk.BulletinDecision, thresholds rules.BulletinRules) (why string, err error) {
	for try := 1; len(d.Bulletins) > 0; try++ {
		issued, err := s.o.Store.IssueBulletins(ctx, d)
		kind := desk.KindOf(err)
		switch {
		case err == nil:
			for _, b := range issued {
				s.o.Log.Info("bulletin issued", "bulletin", b.ID, "kind", b.Kind, "thread", b.Thread, "step", b.Step, "recipients", b.Recipients, "mails", b.Mails)
				s.o.Issued(b)
			}
			return "", nil
		case ctx.Err() != nil || kind == desk.Unavailable:
			return "", err // it stays unconsidered and is decided again from the start
		case kind != desk.Conflict || try == attempts:
			// One telegram that cannot be told must not hold up the ones behind it.
			s.o.Log.Error("telegram is passed over", "telegram", c.Telegram.ID, "err", err)
			return "自動情報として記録できませんでした。内容を直接確かめてください。", nil
		}
		if d, err = s.decide(ctx, c, thresholds); err != nil {
			return "", err
		}
	}
	return d.Why, nil
}

// decide reads what was told before and asks the rules. A panic of a rule is a failure of this telegram alone.
func (s *Service) decide(ctx context.Context, c *desk.BulletinCase, thresholds rules.BulletinRules) (d desk.BulletinDecision, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.Error("a rule panicked", "telegram", c.Telegram.ID, "panic", p)
			d, err = desk.BulletinDecision{TelegramID: c.Telegram.ID, Why: "判断の途中で内部の誤りが起きました。内容を直接確かめてください。"}, nil
		}
	}()
	var last []desk.Bulletin
	if kinds, threads := rules.BulletinThreads(c); len(kinds) > 0 {
		if last, err = s.o.Store.LastBulletins(ctx, kinds, threads); err != nil {
			return d, err
		}
	}
	return rules.DecideBulletins(c, thresholds, last), nil
}

// digests sends what is due: one mail for all who read the same.
func (s *Service) digests(ctx context.Context) error {
	due, err := s.o.Store.DueDigests(ctx)
	if err != nil {
		return err
	}
	for _, d := range due {
		subject, body := rules.DigestText(d.Bulletins)
		b, err := s.o.Store.IssueDigest(ctx, d, subject, body)
		switch desk.KindOf(err) {
		case "":
			s.o.Issued(b)
		case desk.Conflict: // another engine was first, or something was withdrawn meanwhile: read again in the next round
		case desk.Unavailable:
			return err
		default: // one that cannot be issued holds nobody else up
			s.complain(ctx, "cannot issue a digest", err)
		}
	}
	return nil
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
		ok, err = s.o.Store.RenewLease(ctx, desk.BulletinLease, s.o.Holder, s.epoch, leaseTTL)
	}
	if !ok && err == nil {
		s.epoch, ok, err = s.o.Store.TakeLease(ctx, desk.BulletinLease, s.o.Holder, leaseTTL)
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
	if err := s.o.Store.DropLease(ctx, desk.BulletinLease, s.o.Holder, s.epoch); err != nil {
		s.o.Log.Warn("lease not given back; it expires", "err", err)
	}
	s.renewed = time.Time{}
}

func (s *Service) complain(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		s.o.Log.Warn(what, "err", err)
	}
}
