// Package p2pquaketest is a double of the P2PQuake WebSocket.
package p2pquaketest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"yagura/feeds/p2pquake"
)

// Server is the service. Its knobs may be turned at any time. Close it.
type Server struct {
	http *httptest.Server
	ctx  context.Context
	stop context.CancelFunc
	all  sync.WaitGroup

	mu       sync.Mutex
	clients  map[*client]struct{}
	opened   int
	down     bool
	halfOpen bool
	changed  chan struct{}
}

type client struct {
	out chan []byte
	end context.CancelFunc
}

// New starts a service.
func New() *Server {
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{ctx: ctx, stop: stop, clients: map[*client]struct{}{}, changed: make(chan struct{})}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	return s
}

// Close ends every connection and waits for it.
func (s *Server) Close() {
	s.stop()
	s.all.Wait()
	s.http.Close()
}

// Options are those of a source of this service, with all waits in milliseconds.
func (s *Server) Options() p2pquake.Options {
	ms := time.Millisecond
	return p2pquake.Options{
		Host: strings.TrimPrefix(s.http.URL, "http://"), Plain: true, Now: time.Now,
		Waits: p2pquake.Waits{
			First: 5 * ms, Longest: 40 * ms, Jitter: ms, Good: 10 * time.Second, Ping: 30 * ms, Silence: 100 * ms,
			Request: 2 * time.Second, Farewell: 200 * ms, Offer: 5 * ms,
		},
	}
}

// Push sends frames to every client.
func (s *Server) Push(frames ...[]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		for _, f := range frames {
			select {
			case c.out <- f:
			default:
				c.end() // reads too little
			}
		}
	}
}

// Down cuts every client and refuses new ones until it is up again.
func (s *Server) Down(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = on
	for c := range s.clients {
		if on {
			c.end()
		}
	}
}

// HalfOpen makes new connections fall silent: nothing is read, so no ping is answered.
func (s *Server) HalfOpen(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.halfOpen = on
}

// Cut drops every connection without a close frame.
func (s *Server) Cut() { s.Down(true); s.Down(false) }

// Open is the number of clients connected, Opened the number ever connected.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.clients)
}

// Opened is the number of clients ever connected.
func (s *Server) Opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// Await waits until the condition holds or ctx ends.
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
			return fmt.Errorf("waited in vain: %w", ctx.Err())
		case <-changed:
		case <-time.After(20 * time.Millisecond): // conditions may look at things outside the double
		}
	}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.all.Add(1)
	defer s.all.Done()
	s.mu.Lock()
	down, halfOpen := s.down, s.halfOpen
	s.mu.Unlock()
	if down || r.URL.Path != "/v2/ws" {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx, end := context.WithCancel(s.ctx)
	defer end()
	c := &client{out: make(chan []byte, 1<<14), end: end}
	s.count(c, true)
	defer s.count(c, false)
	if halfOpen {
		<-ctx.Done()
		return
	}
	s.all.Go(func() {
		defer end()
		for {
			if _, _, err := conn.Read(ctx); err != nil {
				return
			}
		}
	})
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-c.out:
			if conn.Write(ctx, websocket.MessageText, f) != nil {
				return
			}
		}
	}
}

func (s *Server) count(c *client, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in {
		s.opened++
		s.clients[c] = struct{}{}
	} else {
		delete(s.clients, c)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}
