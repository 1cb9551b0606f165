// Package dmdatatest is a double of DMDATA.JP v2 that speaks its protocol: tickets, sockets, telegram list, bodies.
package dmdatatest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"yagura/feeds/dmdata"
	"yagura/store/desk"
)

// Key is the API key the double takes.
const Key = "the-key-of-the-double"

// Server is the service: one API host and one WebSocket host a region. Its knobs may be turned at any time. Close it.
type Server struct {
	Now func() time.Time

	api     *httptest.Server
	regions []*httptest.Server
	ctx     context.Context
	stop    context.CancelFunc
	all     sync.WaitGroup

	mu        sync.Mutex
	knobs     knobs
	counts    Counts
	nextID    int
	tickets   map[string]seat // taken out when used
	sockets   map[int]*socket
	telegrams []telegram
	held      [][]byte // frames kept back by Reorder
	changed   chan struct{}
}

// Counts is what the double saw.
type Counts struct {
	Tickets    int
	Opened     int // handshakes that led to a start frame
	Clean      int // sockets the client closed by the closing handshake
	Pongs      int // right answers to our pings
	WrongPongs int
	Pings      int // pings of the client
	Lists      int
	Bodies     int
	Deleted    []int // socket ids closed through the API
	Refused    int   // requests answered with 401
}

// New starts a service with so many regions.
func New(regions int) *Server {
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{
		Now: time.Now, ctx: ctx, stop: stop, nextID: 100, tickets: map[string]seat{}, sockets: map[int]*socket{}, changed: make(chan struct{}),
		knobs: knobs{halfOpen: map[int]bool{}, down: map[int]bool{}},
	}
	s.api = httptest.NewServer(s.apiHandler())
	for i := range regions {
		s.regions = append(s.regions, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serveSocket(i, w, r) })))
	}
	return s
}

// Close ends every socket and waits for them.
func (s *Server) Close() {
	s.stop()
	s.all.Wait()
	s.api.Close()
	for _, r := range s.regions {
		r.Close()
	}
}

// Options are those of a source of this service, with all waits in milliseconds.
func (s *Server) Options() dmdata.Options {
	ms := time.Millisecond
	o := dmdata.Options{
		APIKey: Key, APIHost: host(s.api), DataHost: host(s.api), AppName: "double", Plain: true, Now: time.Now, Backfill: -1,
		Waits: dmdata.Waits{
			First: 5 * ms, Longest: 40 * ms, Jitter: ms, Good: 10 * time.Second, Rest: time.Minute, Silence: 250 * ms, Ping: 60 * ms,
			Request: 2 * time.Second, Farewell: 200 * ms, Offer: 5 * ms, DownGrace: 20 * ms, Poll: 50 * ms, Overlap: time.Second,
			APIPer: 10 * ms, DataPer: 20 * ms,
		},
	}
	for _, r := range s.regions {
		o.SocketHosts = append(o.SocketHosts, host(r))
	}
	return o
}

func host(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

// Push issues telegrams: into the list, and to every open socket as the knobs say.
func (s *Server) Push(envs ...desk.Envelope) {
	for _, env := range envs {
		s.mu.Lock()
		t := take(env, len(s.telegrams)+1, s.Now())
		s.telegrams = append(s.telegrams, t)
		frames := [][]byte{t.frame(s.Now())}
		if s.knobs.conversions {
			frames = [][]byte{t.conversion(s.Now()), frames[0]}
		}
		s.mu.Unlock()
		for _, f := range frames {
			s.send(f)
		}
	}
}

// Raw sends a message of the test's own to every open socket: garbage, bombs, errors.
func (s *Server) Raw(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		k.push(text)
	}
}

// Frame is the data frame the double would send for the envelope.
func (s *Server) Frame(env desk.Envelope) []byte {
	t := take(env, 0, s.Now())
	return t.frame(s.Now())
}

// Conversion is the frame of the JSON conversion of the same telegram.
func (s *Server) Conversion(env desk.Envelope) []byte {
	t := take(env, 0, s.Now())
	return t.conversion(s.Now())
}

// Counts is what was seen so far.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counts
	c.Deleted = slices.Clone(c.Deleted)
	return c
}

// Open is the number of sockets open in a region, half-open ones included.
func (s *Server) Open(region int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, k := range s.sockets {
		if k.region == region && k.started {
			n++
		}
	}
	return n
}

// Await waits until the condition holds or ctx ends; the condition is looked at after everything that happens.
func (s *Server) Await(ctx context.Context, condition func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if condition() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain: %w; %+v", ctx.Err(), s.Counts())
		case <-changed:
		case <-time.After(20 * time.Millisecond): // conditions may look at things outside the double
		}
	}
}

// happened wakes those who await; mu is held.
func (s *Server) happened() {
	close(s.changed)
	s.changed = make(chan struct{})
}
