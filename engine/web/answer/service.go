// Package answer is the staff page behind the mail link: GET shows the questions, only POST records, and no answer is refused.
//
// An answer goes to the database in group commits. When that takes too long or the database is away, it goes to a journal on
// this machine's disk and is drained later with the time it was received (law 14). "Recorded" is said only after one of the two
// is durable.
package answer

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"yagura/engine/web"
	"yagura/store/desk"
)

// Limits of recording. // reliability.md 1d, 3.3
const (
	commitWithin   = 800 * time.Millisecond // then the journal takes the answer
	skipFor        = 3 * time.Second        // the database is left alone after it was away
	journalWithin  = 5 * time.Second
	drainWithin    = 5 * time.Second
	headingsWithin = 2 * time.Second
	headingSoon    = 300 * time.Millisecond // a page rather without its title than late
	stuckFor       = 30 * time.Second       // between two tries of answers the database will not take
	batchMost      = 500
	queueMost      = 4096
	postsPerToken  = 10 // a minute
	badPerNetwork  = 60 // a minute; valid links are never limited by network, a carrier hides thousands behind one address
	limiterKeys    = 50000
	channelLink    = "link"
)

// Store is what the page needs of the database. *store.Store is one.
type Store interface {
	// RecordResponses stores a batch; the same nonce twice changes nothing.
	RecordResponses(context.Context, []desk.Response) error
	// Headings gives mode and subject of the dispatches whose links can be opened.
	Headings(context.Context) ([]desk.Heading, error)
}

// Options says how the page is served.
type Options struct {
	Listen     string       // host:port
	Listener   net.Listener // instead of Listen; closed by Run
	TLS        web.TLS      // empty: plain HTTP
	Keys       desk.TokenKeys
	Store      Store
	JournalDir string // a directory of its own, one per process
	Log        *slog.Logger
	Now        func() time.Time
	Refresh    time.Duration // of modes and titles; 0 = 2 s
}

// Stats is 受付状況: counters since the start.
type Stats struct {
	Stored    int64 // committed before the reply
	Journaled int64 // acknowledged from the journal
	Drained   int64 // of the journal, stored since
	Failed    int64 // neither worked; the sender was told to try again
	Refused   int64 // forged or expired links
}

// Service is the staff page.
type Service struct {
	o       Options
	log     *slog.Logger
	pages   *pages
	writer  *batcher
	keeper  *batcher
	journal *journal
	badLink *web.Limiter[netip.Prefix]
	posts   *web.Limiter[personKey]

	headings  atomic.Pointer[map[desk.DispatchID]desk.Heading]
	asking    sync.Mutex                // held while somebody looks for a heading that is not known yet
	awayUntil atomic.Pointer[time.Time] // with its monotonic reading: a wall clock set back must not keep answers in the journal
	drainNow  chan struct{}

	stored, journaled, drained, failed, refused atomic.Int64
}

type personKey struct {
	dispatch desk.DispatchID
	person   desk.PersonID
}

// New prepares the page; Run starts it.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Refresh == 0 {
		o.Refresh = 2 * time.Second
	}
	s := &Service{
		o: o, log: o.Log,
		badLink:  web.NewLimiter[netip.Prefix](badPerNetwork, limiterKeys),
		posts:    web.NewLimiter[personKey](postsPerToken, limiterKeys),
		drainNow: make(chan struct{}, 1),
	}
	s.headings.Store(&map[desk.DispatchID]desk.Heading{})
	s.writer = newBatcher(queueMost, batchMost, s.store)
	s.keeper = newBatcher(queueMost, batchMost, func(ctx context.Context, batch []desk.Response) error {
		return s.journal.append(ctx, batch)
	})
	return s
}

// Stats gives the counters.
func (s *Service) Stats() Stats {
	return Stats{Stored: s.stored.Load(), Journaled: s.journaled.Load(), Drained: s.drained.Load(), Failed: s.failed.Load(), Refused: s.refused.Load()}
}

// Run serves until ctx ends. It then finishes the running requests, writes what is queued and returns nil; answers still in
// the journal wait for the next start.
func (s *Service) Run(ctx context.Context) error {
	const op = "answer.Run"
	if len(s.o.Keys) == 0 || s.o.Store == nil || s.o.Now == nil || s.o.JournalDir == "" {
		return desk.Errorf(desk.Invalid, op, "回答ページの設定が足りません（トークン鍵、データベース、一時保管場所）。")
	}
	var err error
	if s.pages, err = parsePages(); err != nil {
		return desk.Wrap(desk.Internal, op, err)
	}
	if s.journal, err = openJournal(s.o.JournalDir, s.log); err != nil {
		return err
	}
	l := s.o.Listener
	if l == nil {
		var lc net.ListenConfig
		if l, err = lc.Listen(ctx, "tcp", s.o.Listen); err != nil {
			return errors.Join(&desk.Error{Kind: desk.Unavailable, Op: op, Msg: "回答ページの待ち受けを始められません。", Err: err}, s.journal.close())
		}
	}
	s.log.Info("回答ページを始めました", "addr", l.Addr().String(), "tls", s.o.TLS.Enabled())

	// The writers outlive the listener: a request that was let in is recorded.
	writing, stopWriting := context.WithCancel(context.WithoutCancel(ctx))
	var writers errgroup.Group
	writers.Go(func() error { return s.writer.run(writing) })
	writers.Go(func() error { return s.keeper.run(writing) })

	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return web.Serve(gctx, l, s.handler(), s.o.TLS, s.log) })
	g.Go(func() error { return s.follow(gctx) })
	g.Go(func() error { return s.drain(gctx) })
	g.Go(func() error { return s.report(gctx) })
	err = g.Wait()
	stopWriting()
	return errors.Join(err, writers.Wait(), s.journal.close())
}

// record brings an answer to a durable place: the database, else the journal. nil means durable.
func (s *Service) record(ctx context.Context, r desk.Response) error {
	// The sender may hang up; what he sent counts all the same.
	ctx = context.WithoutCancel(ctx)
	if !s.away() {
		try, cancel := context.WithTimeout(ctx, commitWithin)
		err := s.writer.put(try, r)
		cancel()
		if err == nil {
			s.stored.Add(1)
			return nil
		}
	}
	keep, cancel := context.WithTimeout(ctx, journalWithin)
	defer cancel()
	if err := s.keeper.put(keep, r); err != nil {
		s.failed.Add(1)
		s.log.Error("回答を記録できませんでした。送信者には再送を頼みました", "err", err)
		return desk.Wrap(desk.Unavailable, "answer.record", err)
	}
	s.journaled.Add(1)
	s.wakeDrain()
	return nil
}

// store is the writer's batch: one try, with a deadline, so that a hanging database holds nobody longer than a slow one.
func (s *Service) store(ctx context.Context, batch []desk.Response) error {
	if s.away() { // queued before it went away
		return desk.Errorf(desk.Unavailable, "answer.store", "データベースにつながりません。")
	}
	ctx, cancel := context.WithTimeout(ctx, commitWithin)
	defer cancel()
	err := s.o.Store.RecordResponses(ctx, batch)
	if err != nil {
		s.log.Warn("回答をデータベースに書けません。この機械の一時保管に切り替えます", "answers", len(batch), "err", err)
		s.markAway(err)
	}
	return err
}

func (s *Service) away() bool {
	until := s.awayUntil.Load()
	return until != nil && s.o.Now().Before(*until)
}

// markAway leaves the database alone for a while, unless it answered and only disliked something.
func (s *Service) markAway(err error) {
	if isAway(err) {
		until := s.o.Now().Add(skipFor)
		s.awayUntil.Store(&until)
	}
}

func isAway(err error) bool {
	return desk.KindOf(err) == desk.Unavailable || errors.Is(err, context.DeadlineExceeded)
}

func (s *Service) wakeDrain() {
	select {
	case s.drainNow <- struct{}{}:
	default:
	}
}

// follow keeps modes and titles in memory, so that pages need no database. An old snapshot is better than none.
func (s *Service) follow(ctx context.Context) error {
	tick := time.NewTicker(s.o.Refresh)
	defer tick.Stop()
	for {
		s.loadHeadings(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// headingOf gives mode and title of a dispatch. The first links of a new dispatch may be opened before the next refresh: one
// visitor at a time looks for it, so that even the first drill page says 【訓練】 (law 4). While the database is away nobody waits.
func (s *Service) headingOf(ctx context.Context, id desk.DispatchID) desk.Heading {
	if h, known := (*s.headings.Load())[id]; known || s.away() || !s.asking.TryLock() {
		return h
	}
	defer s.asking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, headingSoon)
	defer cancel()
	s.loadHeadings(ctx)
	return (*s.headings.Load())[id]
}

func (s *Service) loadHeadings(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, headingsWithin)
	defer cancel()
	list, err := s.o.Store.Headings(ctx)
	if err != nil {
		return // the writer and the drain say it when the database is away
	}
	known := make(map[desk.DispatchID]desk.Heading, len(list))
	for _, h := range list {
		known[h.DispatchID] = h
	}
	s.headings.Store(&known)
}

// report says once a minute how many links were refused, never which. // SEC-13
func (s *Service) report(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	var said Stats
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := s.Stats()
		if now.Refused > said.Refused {
			s.log.Warn("正しくない、または期限切れのリンクを断りました", "count", now.Refused-said.Refused)
		}
		if now.Journaled > said.Journaled {
			s.log.Warn("回答を一時保管しました", "count", now.Journaled-said.Journaled, "drained", now.Drained-said.Drained)
		}
		said = now
	}
}

func (s *Service) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/r/{token}", s.serve)
	mux.Handle("GET "+web.StylesheetPath(), web.Stylesheet())
	mux.HandleFunc("/", s.notFound)
	return web.Harden(mux, web.AnswerPolicy, s.o.TLS.Enabled(), s.log)
}

func newNonce() (n [16]byte) {
	_, _ = rand.Read(n[:]) // never fails on the platforms Go supports
	return n
}
