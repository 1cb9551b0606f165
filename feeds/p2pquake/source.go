package p2pquake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"yagura/feeds"
	"yagura/feeds/jma"
	"yagura/store/desk"
)

// Options says where a Source connects and how it waits. Only Now is required.
type Options struct {
	Host   string // "" = api.p2pquake.net
	Plain  bool   // ws instead of wss; for doubles, refused for any host but loopback
	Client *http.Client
	Now    func() time.Time
	Rand   func() float64 // [0,1), for jitter; nil = math/rand
	Log    *slog.Logger   // nil = silent
	Waits  Waits
}

// Waits are the times a Source keeps; a zero takes the default in the comment.
type Waits struct {
	First    time.Duration // first pause before a new connection: 1 s, doubling
	Longest  time.Duration // longest such pause: 60 s
	Jitter   time.Duration // up to so much is added to each: 1 s
	Good     time.Duration // a connection that lasted so long begins again at First: 60 s
	Ping     time.Duration // a WebSocket ping each: 30 s
	Silence  time.Duration // a ping without its pong for so long and the connection is cut as half open: 30 s
	Request  time.Duration // limit of the handshake: 15 s
	Farewell time.Duration // how long a clean close may take at the end: 1 s
	Offer    time.Duration // pause before an envelope that was not stored is offered again: 500 ms
}

const ringSize = 1000 // ids remembered: the same id may be sent again (feeds.md 3.2)

// Source is the P2PQuake stream.
type Source struct {
	o Options

	mu     sync.Mutex
	health feeds.Health
	opened bool
	stored int
	twice  int
	others int
	bad    int

	seen map[string]struct{} // of Run's goroutine
	slot [ringSize]string
	next int
}

var (
	_ feeds.Source   = (*Source)(nil)
	_ feeds.Reporter = (*Source)(nil)
)

// New makes the source; nothing runs before Run. Run refuses faulty options.
func New(o Options) *Source {
	if o.Host == "" {
		o.Host = "api.p2pquake.net"
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for wait, def := range map[*time.Duration]time.Duration{
		&o.Waits.First: time.Second, &o.Waits.Longest: time.Minute, &o.Waits.Jitter: time.Second, &o.Waits.Good: time.Minute,
		&o.Waits.Ping: 30 * time.Second, &o.Waits.Silence: 30 * time.Second, &o.Waits.Request: 15 * time.Second,
		&o.Waits.Farewell: time.Second, &o.Waits.Offer: 500 * time.Millisecond,
	} {
		if *wait == 0 {
			*wait = def
		}
	}
	return &Source{o: o, seen: map[string]struct{}{}, health: feeds.Health{Trouble: "P2PQuakeにまだ接続していません。"}}
}

// Name is "p2pquake".
func (s *Source) Name() string { return "p2pquake" }

// Rhythm is ten minutes: the peer counts (555) come more often than that, and our own pings are answered.
func (s *Source) Rhythm() time.Duration { return 10 * time.Minute }

// Health is the state of the one connection.
func (s *Source) Health() feeds.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.health
	h.Detail = fmt.Sprintf("受信 %d、重複 %d、対象外 %d", s.stored, s.twice, s.others)
	if s.bad > 0 {
		h.Detail += fmt.Sprintf("、読めないフレーム %d", s.bad)
	}
	return h
}

func (o *Options) check() error {
	const op = "p2pquake.Run"
	if o.Now == nil {
		return desk.Errorf(desk.Internal, op, "時計がありません。")
	}
	if strings.ContainsAny(o.Host, "/@?# \t\r\n") {
		return desk.Errorf(desk.Invalid, op, "P2PQuakeの接続先はホスト名だけで設定します。")
	}
	name, _, err := net.SplitHostPort(o.Host)
	if err != nil {
		name = o.Host
	}
	if ip := net.ParseIP(name); o.Plain && name != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return desk.Errorf(desk.Invalid, op, "暗号化しない接続は試験用で、この計算機の中に限ります。")
	}
	return nil
}

// Run holds one connection until ctx ends and hands over each report once, in the order of arrival. What is sent while no
// connection stands is not fetched afterwards: a second source that is late confirms nothing.
func (s *Source) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	if err := s.o.check(); err != nil {
		return err
	}
	for growing := s.o.Waits.First; ; {
		began := s.o.Now()
		why := s.session(ctx, out)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.change(func() { s.health.Trouble = "P2PQuakeの接続が切れています。" + why })
		s.o.Log.Warn("connection ended", "source", s.Name(), "why", why)
		if s.o.Now().Sub(began) >= s.o.Waits.Good {
			growing = s.o.Waits.First
		}
		if err := pause(ctx, growing+time.Duration(s.o.Rand()*float64(s.o.Waits.Jitter))); err != nil {
			return err
		}
		growing = min(2*growing, s.o.Waits.Longest)
	}
}

func (s *Source) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// session is one connection; it says why it ended.
func (s *Source) session(ctx context.Context, out func(context.Context, desk.Envelope) error) string {
	conn, err := s.dial(ctx)
	if err != nil {
		return "つながりません。"
	}
	defer conn.CloseNow()
	conn.SetReadLimit(jma.MaxBytes)
	s.change(func() {
		if s.opened {
			s.health.Reconnects++
		}
		s.opened, s.health.Trouble, s.health.LastContact = true, "", s.o.Now()
	})
	c := &connection{s: s, conn: conn}
	done := make(chan struct{})
	var minder sync.WaitGroup
	minder.Go(func() { c.mind(ctx, done) })
	defer minder.Wait()
	defer close(done)
	for {
		// The farewell needs the connection after ctx has ended, so ctx does not cut the read; mind does.
		kind, raw, err := conn.Read(context.WithoutCancel(ctx))
		switch {
		case c.silent.Load():
			return "応答がないので切りました。"
		case errors.Is(err, websocket.ErrMessageTooBig):
			return "大きすぎるフレームが届いたので切りました。"
		case err != nil:
			return "相手が閉じました。"
		}
		at := s.o.Now()
		s.change(func() { s.health.LastContact = at })
		c.busy.Store(true)
		err = s.take(ctx, kind, raw, at, out)
		c.busy.Store(false)
		if err != nil {
			return "停止します。"
		}
	}
}

func (s *Source) dial(ctx context.Context) (*websocket.Conn, error) {
	client := http.Client{}
	if s.o.Client != nil {
		client = *s.o.Client
	} else if shared, ok := http.DefaultTransport.(*http.Transport); ok {
		own := shared.Clone() // of our own, so that nothing is left idle behind
		defer own.CloseIdleConnections()
		client.Transport = own
	}
	client.Timeout = s.o.Waits.Request
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // only the configured host
	address := url.URL{Scheme: "wss", Host: s.o.Host, Path: "/v2/ws"}
	if s.o.Plain {
		address.Scheme = "ws"
	}
	conn, _, err := websocket.Dial(ctx, address.String(), &websocket.DialOptions{HTTPClient: &client})
	return conn, err
}

// take hands over one frame of a kept code; the id is remembered only when it is stored (law 5).
func (s *Source) take(ctx context.Context, kind websocket.MessageType, raw []byte, at time.Time, out func(context.Context, desk.Envelope) error) error {
	var head struct {
		ID    string `json:"id"`
		OldID string `json:"_id"`
		Code  int    `json:"code"`
	}
	if err := json.Unmarshal(raw, &head); err != nil || kind != websocket.MessageText || head.Code == 0 {
		s.change(func() { s.bad++ })
		return nil
	}
	if !kept(head.Code) {
		s.change(func() { s.others++ })
		return nil
	}
	id := head.ID
	if id == "" {
		id = head.OldID
	}
	if id == "" {
		sum := sha256.Sum256(raw)
		id = hex.EncodeToString(sum[:16])
	}
	id = desk.CleanText(id[:min(len(id), 128)], false)
	if _, known := s.seen[id]; known {
		s.change(func() { s.twice++ })
		return nil
	}
	for out(ctx, desk.Envelope{Feed: s.Name(), Name: id, Raw: raw, ReceivedAt: at}) != nil {
		if err := pause(ctx, s.o.Waits.Offer); err != nil {
			return err
		}
	}
	delete(s.seen, s.slot[s.next])
	s.slot[s.next] = id
	s.seen[id] = struct{}{}
	s.next = (s.next + 1) % ringSize
	s.change(func() { s.stored++; s.health.LastReceived = at })
	return nil
}

// kept are the codes that say something about a happening: 551 earthquake, 552 tsunami, 554 EEW heard, 556 EEW (warning).
func kept(code int) bool { return code == 551 || code == 552 || code == 554 || code == 556 }

// connection is one open WebSocket.
type connection struct {
	s      *Source
	conn   *websocket.Conn
	busy   atomic.Bool // a frame is being stored: nobody reads, so no pong can come
	silent atomic.Bool // cut because no pong came
}

// mind pings, cuts a half-open connection, and closes cleanly when ctx ends.
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
			c.ping(ctx)
		}
	}
}

func (c *connection) ping(ctx context.Context) {
	if c.busy.Load() {
		return
	}
	limited, cancel := context.WithTimeout(ctx, c.s.o.Waits.Silence)
	defer cancel()
	err := c.conn.Ping(limited)
	switch {
	case err == nil:
		c.s.change(func() { c.s.health.LastContact = c.s.o.Now() })
	case ctx.Err() == nil && !c.busy.Load() && limited.Err() != nil:
		c.silent.Store(true)
		c.conn.CloseNow()
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
