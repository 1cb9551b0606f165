// Package send owns carrier lanes: it streams a lane's mails, composes ahead, hands them to the route and records the results.
//
// Law 9 in one paragraph: a lane has one owner at a time by lease; pending means no result; at most desk.Window final dots
// are written and not yet recorded over all lanes, and that number is what a crash can duplicate. Each lane holds a fixed share
// of the window, so that the sum over any number of engines never exceeds it and a slow carrier starves nobody. Mails composed
// ahead, and envelopes on their way, wait outside the window: before its dot nothing of a mail can have been delivered.
package send

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"sync"
	"time"

	"yagura/engine/route"
	"yagura/store/desk"
)

const (
	leaseTTL    = 5 * time.Second
	leaseHonour = 4 * time.Second        // the holder stops this long after the request that was granted, by its own clock (law 9)
	leaseRenew  = time.Second            // and the heartbeat
	leaseKnock  = 500 * time.Millisecond // a free lane is taken at most this late
	poll        = 2 * time.Second        // law 8
	pageSize    = 1000                   // rows read at once; the next page is read while this one is worked off
	lastWords   = 15 * time.Second       // after a lost lease: wait for answers to dots already written
	flushGrace  = 5 * time.Second        // at the end of Run: wait for the results to be written
	resultRoom  = 1024                   // more than any window: a route never waits for the recorder

	aheadPerSession = 4 // mails composed and waiting, beyond those in the window
)

// Store is what the service needs of the store.
type Store interface {
	Carriers(ctx context.Context) ([]desk.Carrier, error)
	TakeLease(ctx context.Context, name, holder string, ttl time.Duration) (epoch int64, ok bool, err error)
	RenewLease(ctx context.Context, name, holder string, epoch int64, ttl time.Duration) (ok bool, err error)
	DropLease(ctx context.Context, name, holder string, epoch int64) error
	Letters(ctx context.Context, lane string) ([]desk.Letter, error)
	StreamMails(ctx context.Context, dispatch desk.DispatchID, lane string, after desk.MailID, limit int) ([]desk.Mail, error)
	RecordAttempts(ctx context.Context, attempts []desk.Attempt) (stopped []desk.DispatchID, err error)
	Beat(ctx context.Context, h desk.Heartbeat) error
}

// Composer makes the bytes of one mail of a dispatch, the same for every try (law 5); *compose.Composer is one. dst is memory to use.
type Composer interface {
	Compose(dst []byte, m desk.Mail, to, token string) ([]byte, error)
	ReturnPath(m desk.Mail) string // the envelope sender, "" = the null sender
}

// Route hands items to a carrier; *route.Route is one.
type Route interface {
	Run(ctx context.Context, items <-chan route.Item, results chan<- route.Result) error
}

// Options are what the service needs. All but Wake, Note and Log are required.
type Options struct {
	Store   Store
	Process string // as shown at the desk, e.g. "engine@tokyo"
	Holder  string // unique to this start of this process
	Opener  *route.Opener
	Compose func(desk.Letter) (Composer, error)               // once a dispatch
	Token   func(desk.Mail) (string, error)                   // the answer token of the mail's person
	Route   func(carrier desk.Carrier, gate route.Gate) Route // a fresh route for one tenure of a lane
	Wake    <-chan struct{}                                   // a hint that mails were written or a dispatch changed
	Note    func() string                                     // for the heartbeat
	Now     func() time.Time                                  // must carry a monotonic reading
	Jitter  func() float64                                    // 0 ≤ x < 1; called from several goroutines
	Log     *slog.Logger
}

// Service sends for one engine process.
type Service struct {
	o       Options
	base    time.Time
	jobs    chan job
	results chan route.Result
	flushes chan chan struct{}
	slots   ledger
	stops   stops

	mu    sync.Mutex
	lanes []*lane
}

// New prepares the service; nothing runs before Run.
func New(o Options) *Service {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Note == nil {
		o.Note = func() string { return "" }
	}
	return &Service{o: o}
}

// Run sends until ctx ends. It returns when the answers to mails already handed over are written, or could not be within a few
// seconds; what was not written is sent again by the next owner (law 5).
func (s *Service) Run(ctx context.Context) error {
	s.base = s.o.Now()
	s.jobs = make(chan job, resultRoom)
	s.results = make(chan route.Result, resultRoom)
	s.flushes = make(chan chan struct{})
	s.slots = ledger{by: map[desk.MailID]*slot{}}

	outlive, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var last sync.WaitGroup
	defer last.Wait()
	recording, endRecording := context.WithCancel(outlive)
	defer endRecording()
	last.Go(func() { s.record(recording) })
	defer close(s.jobs)
	for range runtime.GOMAXPROCS(0) {
		last.Go(s.composeAhead)
	}
	last.Go(func() { s.beat(ctx) })
	last.Go(func() { s.spreadWakes(ctx) })

	var present []desk.Carrier
	for ctx.Err() == nil {
		carriers, err := s.o.Store.Carriers(ctx)
		if err != nil {
			s.o.Log.Warn("cannot read the carriers", "err", err)
		}
		if err == nil {
			present = carriers
		}
		s.runLanes(ctx, present)
	}
	return ctx.Err()
}

// shares divides the window: the same for every engine that reads the same carriers. At least 2, or a lane could not overlap
// a body with the next envelope.
func share(lanes int) int { return max(desk.Window/max(lanes, 1), 2) }

// runLanes runs one goroutine a lane until ctx ends or the carriers change.
func (s *Service) runLanes(ctx context.Context, carriers []desk.Carrier) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lanes := make([]*lane, len(carriers))
	for i, c := range carriers {
		lanes[i] = newLane(s, c, share(len(carriers)))
	}
	s.mu.Lock()
	s.lanes = lanes
	s.mu.Unlock()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for _, l := range lanes {
		wg.Go(func() { l.run(ctx) })
	}
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := s.o.Store.Carriers(ctx)
		if err == nil && !reflect.DeepEqual(now, carriers) {
			s.o.Log.Info("carriers changed", "lanes", len(now))
			return
		}
	}
}

// Owned lists the lanes this process owns now.
func (s *Service) Owned() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	owned := []string{}
	for _, l := range s.lanes {
		if l.owned.Load() {
			owned = append(owned, l.carrier.Lane)
		}
	}
	return owned
}

func (s *Service) beat(ctx context.Context) {
	tick := time.NewTicker(leaseRenew)
	defer tick.Stop()
	for {
		err := s.o.Store.Beat(ctx, desk.Heartbeat{Process: s.o.Process, Lanes: s.Owned(), Note: s.o.Note()})
		if err != nil && ctx.Err() == nil && desk.KindOf(err) != desk.Unavailable {
			s.o.Log.Warn("no heartbeat", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (s *Service) spreadWakes(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case _, open := <-s.o.Wake:
			if !open {
				return
			}
		}
		s.mu.Lock()
		for _, l := range s.lanes {
			l.nudge()
		}
		s.mu.Unlock()
	}
}

// composeAhead opens, composes and signs: a stage of its own, so that sessions waiting for a slow carrier never leave cores
// idle (limits.md §2 a). Its queue is bounded by the window.
func (s *Service) composeAhead() {
	for j := range s.jobs {
		for _, sl := range j.slots[:j.n] {
			s.composeOne(sl)
		}
	}
}

func (s *Service) composeOne(sl *slot) {
	t := sl.tenure // the slot may be given back and taken anew as soon as its item is handed over
	defer t.composing.Done()
	item, err := s.prepare(sl)
	if err == nil {
		t.items <- item // room for every slot of the lane: never waits
		return
	}
	// Never refused: a wrong key or a broken template must not declare staff unreachable. It is tried again.
	s.o.Log.Error("cannot compose", "mail", sl.mail.ID, "err", err)
	s.results <- route.Result{
		Mail: sl.mail, Outcome: desk.Deferred, Stage: desk.StageConnect, Text: "メールを作れませんでした: " + desk.Message(err),
		Route: "compose", At: s.o.Now(), Attempted: true,
	}
}

func (s *Service) prepare(sl *slot) (item route.Item, err error) {
	defer func() { // one poisonous mail must not end the process, again and again
		if p := recover(); p != nil {
			err = desk.Wrap(desk.Internal, "send.prepare", fmt.Errorf("panic: %v", p))
		}
	}()
	token, err := s.o.Token(sl.mail)
	if err != nil {
		return route.Item{}, err
	}
	item, err = s.o.Opener.Prepare(sl.mail, func(to string) ([]byte, error) {
		data, err := sl.composer.Compose(sl.buf[:0], sl.mail, to, token)
		if err == nil {
			sl.buf = data
		}
		return data, err
	})
	item.ReturnPath = sl.composer.ReturnPath(sl.mail)
	return item, err
}

// job is a few mails for one composer: handing them over one by one would cost more than composing them.
type job struct {
	n     int
	slots [8]*slot
}

// slot is room for one mail in the making: taken with it, given back when its result is recorded.
type slot struct {
	lane     *lane
	tenure   *tenure
	composer Composer
	mail     desk.Mail
	buf      []byte
}

// ledger finds the slot of a mail that is taken and not yet recorded.
type ledger struct {
	mu sync.Mutex
	by map[desk.MailID]*slot
}

func (l *ledger) put(sl *slot) {
	l.mu.Lock()
	l.by[sl.mail.ID] = sl
	l.mu.Unlock()
}

func (l *ledger) take(id desk.MailID) *slot {
	l.mu.Lock()
	sl := l.by[id]
	delete(l.by, id)
	l.mu.Unlock()
	return sl
}

func (l *ledger) look(id desk.MailID) *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.by[id]
}

// abandoned takes every slot of a tenure that no result will come for.
func (l *ledger) abandoned(t *tenure) []*slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	var left []*slot
	for id, sl := range l.by {
		if sl.tenure == t {
			left = append(left, sl)
			delete(l.by, id)
		}
	}
	return left
}

var errLost = errors.New("the lease is lost")
