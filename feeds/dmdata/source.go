package dmdata

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"yagura/feeds"
	"yagura/store/desk"
)

// Source is the DMDATA.JP stream: two sockets, one memory of what came, one writer to the store.
type Source struct {
	o       Options
	api     *api
	queue   chan arrival
	budget  *budget
	changed chan struct{} // wakes the catch-up; capacity 1

	mu    sync.Mutex
	seen  *ring // what is stored
	mine  *ring // socket ids this process was given
	cover *coverage
	links []link
	tally tally
}

var (
	_ feeds.Source   = (*Source)(nil)
	_ feeds.Reporter = (*Source)(nil)
)

// arrival is one telegram on its way to the store.
type arrival struct {
	key string
	env desk.Envelope
}

// link is what the desk is told of one socket.
type link struct {
	host    string
	socket  number // id while it is open or being opened
	open    bool
	opened  bool   // it was open at least once
	trouble string // why it is not open
}

// tally is counted for Health.
type tally struct {
	received, contact time.Time
	reconnects        int
	stored            int
	duplicates        int // the other socket or the list was first
	conversions       int // JSON, A/N and binary bodies, dropped
	garbage           int // frames that could not be read
	altered           int // bodies that do not fit their id; kept all the same
	caughtUp          int // telegrams from the list
	lost              int // listed telegrams whose body could not be had
	catchUpTrouble    string
}

// New makes the source; nothing runs before Run. Run refuses faulty options.
func New(o Options) *Source {
	o = o.withDefaults()
	s := &Source{
		o: o, queue: make(chan arrival, queueSize), budget: newBudget(queueBytes),
		changed: make(chan struct{}, 1), seen: newRing(ringSize), mine: newRing(64), links: make([]link, len(o.SocketHosts)),
	}
	for i, host := range o.SocketHosts {
		s.links[i] = link{host: host, trouble: "まだ接続していません。"}
	}
	s.api = newAPI(o, s.contact)
	return s
}

// Name is "dmdata".
func (s *Source) Name() string { return "dmdata" }

// Run holds the sockets and the catch-up until ctx ends, and hands over one envelope at a time. The order is that of arrival: JMA
// and DMDATA promise none, the reader orders by Serial.
//
// Only XML becomes an envelope; A/N and binary bodies have no reader here and are counted. What the far side sent while the store
// was away for longer than the queue holds is read from the list afterwards.
func (s *Source) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	if err := s.o.check(); err != nil {
		return err
	}
	s.mu.Lock()
	s.cover = newCoverage(len(s.links), s.o.Now(), s.o.Backfill)
	s.mu.Unlock()
	if s.o.Client == nil {
		defer s.api.client.CloseIdleConnections()
	}
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	guarded := func(run func()) {
		all.Go(func() {
			defer func() {
				if v := recover(); v != nil { // a panic of a goroutine would end the whole engine
					cancel(desk.Errorf(desk.Internal, "dmdata.Run", "panic: %v", v))
				}
			}()
			run()
		})
	}
	for i := range s.links {
		guarded(func() { s.hold(ctx, i) })
	}
	guarded(func() { s.catchUp(ctx) })
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case a := <-s.queue:
			err := s.deliver(ctx, a, out)
			s.budget.give(len(a.env.Raw))
			if err != nil {
				return err
			}
		}
	}
}

// deliver offers an envelope until it is stored, and only then remembers it: a duplicate rather than a miss (law 5).
func (s *Source) deliver(ctx context.Context, a arrival, out func(context.Context, desk.Envelope) error) error {
	if s.known(a.key) {
		s.note(func(t *tally) { t.duplicates++ })
		return nil
	}
	for out(ctx, a.env) != nil {
		if err := pause(ctx, s.o.Waits.Offer); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.key != "" {
		s.seen.add(a.key)
	}
	s.tally.stored++
	s.tally.received = latest(s.tally.received, a.env.ReceivedAt)
	s.tally.contact = latest(s.tally.contact, a.env.ReceivedAt)
	return nil
}

func (s *Source) known(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.has(key)
}

// enqueue waits for room: while the store is away, the sockets stand still and memory does not grow.
func (s *Source) enqueue(ctx context.Context, key, name string, raw []byte, at time.Time) error {
	if err := s.budget.take(ctx, len(raw)); err != nil {
		return err
	}
	a := arrival{key: key, env: desk.Envelope{Feed: s.Name(), Name: name, Raw: raw, ReceivedAt: at}}
	select {
	case <-ctx.Done():
		s.budget.give(len(raw))
		return ctx.Err()
	case s.queue <- a:
		return nil
	}
}

// wants applies the subscription to the list, which shows every contracted class.
func (s *Source) wants(l *listed) bool {
	if l.Format != "xml" || !slices.Contains(s.o.Classifications, l.Classification) {
		return false
	}
	wanted, positive := false, false
	for _, t := range s.o.Types {
		if not, excluded := strings.CutPrefix(t, "!"); excluded {
			if not == l.Head.Type {
				return false
			}
			continue
		}
		positive = true
		wanted = wanted || t == l.Head.Type
	}
	return wanted || !positive
}

func (s *Source) note(change func(*tally)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.tally)
}

func (s *Source) contact() { s.note(func(t *tally) { t.contact = s.o.Now() }) }

// wake makes the catch-up look again.
func (s *Source) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}
