package dmdata

import (
	"context"
	"encoding/json"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"yagura/store/desk"
)

const subProtocol = "dmdata.v2"

// hold keeps one socket alive: a new ticket and a new connection after each end, until ctx ends.
func (s *Source) hold(ctx context.Context, i int) {
	growing, hasty := s.o.Waits.First, true
	for {
		lasted, end := s.session(ctx, i)
		if ctx.Err() != nil {
			return
		}
		s.ended(i, end)
		if lasted >= s.o.Waits.Good {
			growing, hasty = s.o.Waits.First, true
		}
		if end.do == freeSlots {
			s.freeSlots(ctx)
		}
		wait := growing
		switch {
		case end.do == rest:
			wait = s.o.Waits.Rest
		case end.do == atOnce && hasty:
			wait, hasty = 0, false
		default:
			growing = min(2*growing, s.o.Waits.Longest)
		}
		// The jitter keeps the two sockets, and the two sites, from knocking together after a restart of the far side.
		if pause(ctx, wait+time.Duration(s.o.Rand()*float64(s.o.Waits.Jitter))) != nil {
			return
		}
	}
}

func (s *Source) freeSlots(ctx context.Context) {
	stale := func(id number) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, l := range s.links {
			if l.socket == id {
				return false
			}
		}
		return s.o.AppName != "" || s.mine.has(string(id))
	}
	if err := s.api.closeStale(ctx, stale); err != nil && ctx.Err() == nil {
		s.o.Log.Warn("stale sockets were not closed", "source", s.Name(), "err", err)
	}
}

// session is one connection from its ticket to its end.
func (s *Source) session(ctx context.Context, i int) (lasted time.Duration, end ending) {
	t, err := s.api.ticket(ctx)
	if err != nil {
		return 0, endingOfError(err)
	}
	s.setSocket(i, t.WebSocket.ID)
	conn, err := s.dial(ctx, s.links[i].host, t.Ticket)
	if err != nil {
		return 0, endingOfError(err)
	}
	defer conn.CloseNow()
	if conn.Subprotocol() != subProtocol {
		return 0, ending{backOff, "配信元が dmdata.v2 の手順に応じません。"}
	}
	conn.SetReadLimit(frameLimit)
	began := s.o.Now()
	c := &connection{s: s, i: i, conn: conn}
	var minder sync.WaitGroup
	done := make(chan struct{})
	minder.Go(func() { c.mind(ctx, done) })
	end = c.read(ctx)
	close(done)
	minder.Wait()
	return s.o.Now().Sub(began), end
}

func (s *Source) dial(ctx context.Context, host, ticket string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.Waits.Request)
	defer cancel()
	client := *s.api.client
	client.Timeout = 0 // the limit is for the handshake; the connection lives on
	address := s.api.url("wss", "ws", host, "/v2/websocket", url.Values{"ticket": {ticket}})
	conn, resp, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: &client, Subprotocols: []string{subProtocol}})
	if err == nil {
		return conn, nil
	}
	if resp != nil && resp.StatusCode >= 400 {
		if end, known := endingOf(4000 + resp.StatusCode); known && (resp.StatusCode == 404 || resp.StatusCode == 409) {
			return nil, refused{end}
		}
		return nil, &statusError{resp.StatusCode}
	}
	return nil, scrub("dmdata.dial", err)
}

// connection is one open WebSocket.
type connection struct {
	s    *Source
	i    int
	conn *websocket.Conn
	open bool         // told to the source
	last atomic.Int64 // unix nanoseconds of the last frame, for the own ping
}

// read takes frames until the connection ends. A connection without any frame for too long is half open and is cut.
func (c *connection) read(ctx context.Context) ending {
	c.last.Store(c.s.o.Now().UnixNano())
	for {
		// The farewell needs the connection after ctx has ended, so ctx does not cut the read; mind does.
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.s.o.Waits.Silence)
		kind, raw, err := c.conn.Read(limited)
		silent := limited.Err() != nil
		cancel()
		switch {
		case err != nil && silent:
			return endingOfError(context.DeadlineExceeded)
		case err != nil:
			return endingOfError(err)
		}
		at := c.s.o.Now()
		c.last.Store(at.UnixNano())
		end, over := c.take(ctx, kind, raw, at)
		c.s.heard(c.i, at) // after the frame is in the queue: what stood still before it counts as missed
		if over {
			return end
		}
	}
}

// take handles one frame. Garbage is counted and passed over: one bad frame must not cost the good ones that follow.
func (c *connection) take(ctx context.Context, kind websocket.MessageType, raw []byte, at time.Time) (end ending, over bool) {
	f, err := decodeFrame(raw)
	if err != nil || kind != websocket.MessageText {
		c.s.garbage("frame", at)
		return ending{}, false
	}
	// Any word but an error shows that the socket is accepted: one whose start frame got lost is not to look dead for ever.
	if !c.open && f.Type != "error" {
		c.open = true
		c.s.opened(c.i, f.SocketID, at)
	}
	switch f.Type {
	case "ping":
		err = c.write(ctx, pulse{"pong", f.PingID})
	case "data":
		err = c.data(ctx, &f, at)
	case "error":
		return c.fault(&f)
	}
	if err != nil {
		return endingOfError(err), true
	}
	return ending{}, false
}

func (c *connection) fault(f *frame) (end ending, over bool) {
	code := 0
	for _, digit := range f.Code[:min(len(f.Code), 5)] {
		code = 10*code + int(digit-'0')
	}
	end, known := endingOf(code)
	if !known {
		end = ending{backOff, "配信元が誤りを知らせました。"}
	}
	c.s.o.Log.Warn("error frame", "source", c.s.Name(), "code", code, "close", f.Close)
	return end, f.Close
}

func (c *connection) data(ctx context.Context, f *frame, at time.Time) error {
	// A JSON conversion is dropped before it is remembered: it shares its key with the XML that is wanted.
	if f.Format != "xml" {
		c.s.note(func(t *tally) { t.conversions++ })
		return nil
	}
	if c.s.known(f.key()) {
		c.s.note(func(t *tally) { t.duplicates++ })
		return nil
	}
	raw, err := f.telegram()
	if err != nil {
		c.s.garbage(desk.Message(err), at)
		return nil
	}
	if f.altered() {
		// Kept all the same: a changed hash is a thing for a person to look into, a dropped telegram is a miss.
		c.s.note(func(t *tally) { t.altered++ })
		c.s.o.Log.Warn("body does not fit its id", "source", c.s.Name(), "name", nameOf(f.Head.Type, f.ID))
	}
	return c.s.enqueue(ctx, f.key(), nameOf(f.Head.Type, f.ID), raw, at)
}

type pulse struct {
	Type   string `json:"type"`
	PingID string `json:"pingId,omitempty"`
}

func (c *connection) write(ctx context.Context, p pulse) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.s.o.Waits.Request)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, text)
}

// mind asks for a sign of life when the far side is silent, and closes cleanly when ctx ends: a clean close frees the slot.
func (c *connection) mind(ctx context.Context, done <-chan struct{}) {
	tick := time.NewTicker(c.s.o.Waits.Ping)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			cut := time.AfterFunc(c.s.o.Waits.Farewell, func() { c.conn.CloseNow() })
			defer cut.Stop()
			c.conn.Close(websocket.StatusNormalClosure, "")
			return
		case <-tick.C:
			if c.s.o.Now().Sub(time.Unix(0, c.last.Load())) >= c.s.o.Waits.Ping {
				c.write(ctx, pulse{Type: "ping"}) // a failure shows in read
			}
		}
	}
}

// refused is a handshake that was answered with one of the codes of the table.
type refused struct{ end ending }

func (r refused) Error() string { return r.end.reason }

func (s *Source) setSocket(i int, id number) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links[i].socket = id
	s.mine.add(string(id))
}

func (s *Source) opened(i int, id number, at time.Time) {
	s.mu.Lock()
	l := &s.links[i]
	if l.opened {
		s.tally.reconnects++
	}
	l.open, l.opened, l.trouble = true, true, ""
	if id != "" {
		l.socket = id
	}
	s.cover.opened(i, at)
	s.mu.Unlock()
	s.o.Log.Info("socket is open", "source", s.Name(), "socket", i+1)
	s.wake()
}

func (s *Source) heard(i int, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cover.heard(i, at)
	s.tally.contact = latest(s.tally.contact, at)
}

func (s *Source) ended(i int, end ending) {
	s.mu.Lock()
	l := &s.links[i]
	l.open, l.socket, l.trouble = false, "", end.reason
	s.cover.closed(i, s.o.Now())
	s.mu.Unlock()
	s.o.Log.Warn("socket ended", "source", s.Name(), "socket", i+1, "why", end.reason)
	s.wake()
}

// garbage counts a frame that could not be read. Its telegram may be a real one, so the list is looked at.
func (s *Source) garbage(what string, at time.Time) {
	s.mu.Lock()
	s.tally.garbage++
	first := s.tally.garbage == 1
	s.cover.missing(at)
	s.mu.Unlock()
	if first { // one line a run: a flood of garbage must not flood the log; Health carries the count
		s.o.Log.Warn("unreadable frame", "source", s.Name(), "what", what)
	}
	s.wake()
}
