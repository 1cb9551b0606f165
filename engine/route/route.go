// Package route is a carrier route: persistent pipelined SMTP sessions to one carrier, and what each of its answers means.
package route

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"yagura/store/desk"
)

// Gate is 送信の許可: it is asked immediately before every write that holds a final dot. Its methods must be cheap and safe for
// concurrent use.
type Gate interface {
	// Open says whether this process may write a dot at all. When it says false the connection is closed without the dot and
	// the item comes back with Attempted false (law 9).
	Open() bool
	// Lets says whether this mail may still leave: false when its dispatch was stopped. As Open (law 7).
	Lets(m desk.Mail) bool
	// Places are the free places of the window. A session takes one for each dot; who has recorded a Result with Placed
	// puts one back. Before the dot nothing of a mail can be delivered, so nothing before it needs a place. nil = no limit.
	Places() <-chan struct{}
}

// GateFunc makes a function a Gate without a window and without stops.
type GateFunc func() bool

// Open asks the function.
func (f GateFunc) Open() bool { return f() }

// Lets lets everything pass.
func (GateFunc) Lets(desk.Mail) bool { return true }

// Places is nil: no limit.
func (GateFunc) Places() <-chan struct{} { return nil }

// Timeouts are the waits of a session. A zero field takes the value in brackets.
type Timeouts struct {
	Connect   time.Duration // dial, greeting, EHLO, STARTTLS, each [30 s]
	Command   time.Duration // the answers to MAIL, RCPT, DATA [60 s]
	DataEnd   time.Duration // the answer to the final dot [60 s] (RFC 5321 §4.5.3.2.6 has 10 min; a silent carrier must not hold W)
	Noop      time.Duration // an idle session says NOOP [20 s]
	IdleClose time.Duration // an idle session is closed [60 s]
	Drain     time.Duration // after ctx ended: wait for the answer to a dot already written [3 s]
	BackOff   time.Duration // first pause after a failed connection, doubled each time [500 ms]
	BackOffTo time.Duration // longest pause [30 s]
}

func (t Timeouts) withDefaults() Timeouts {
	set := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	set(&t.Connect, 30*time.Second)
	set(&t.Command, 60*time.Second)
	set(&t.DataEnd, 60*time.Second)
	set(&t.Noop, 20*time.Second)
	set(&t.IdleClose, 60*time.Second)
	set(&t.Drain, 3*time.Second)
	set(&t.BackOff, 500*time.Millisecond)
	set(&t.BackOffTo, 30*time.Second)
	return t
}

// Options are what a Route needs besides the carrier. Gate and Now are required.
type Options struct {
	HeloName        string // our name in EHLO ["localhost"]
	Gate            Gate
	Now             func() time.Time                                                     // the wall clock: it dates results and sets the deadlines of the connections
	Dial            func(ctx context.Context, network, address string) (net.Conn, error) // [net.Dialer]
	TLSConfig       *tls.Config                                                          // STARTTLS is used when offered and this is set, and always when the carrier demands it
	Timeouts        Timeouts
	MailsPerSession int    // the session is closed and reopened after so many [0 = no limit] (docomo: ≤ 100 recipients a session)
	Seed            uint64 // of the jitter in back-off
	Log             *slog.Logger
}

// Route is 送信経路 to one carrier. It is used for one Run at a time.
type Route struct {
	carrier desk.Carrier
	opts    Options
	name    string       // host:port
	open    atomic.Int32 // sessions connected
	busy    atomic.Int32 // sessions connected or connecting
	pause   backOff
	back    chan job // items of sessions the carrier would not have, for the sessions it has
}

// New prepares a route; nothing is connected before Run.
func New(carrier desk.Carrier, opts Options) *Route {
	opts.Timeouts = opts.Timeouts.withDefaults()
	if opts.HeloName == "" {
		opts.HeloName = "localhost"
	}
	if opts.Dial == nil {
		opts.Dial = (&net.Dialer{}).DialContext
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	carrier.Sessions = max(carrier.Sessions, 1)
	return &Route{
		carrier: carrier, opts: opts, name: net.JoinHostPort(carrier.Host, strconv.Itoa(carrier.Port)),
		pause: newBackOff(opts.Timeouts), back: make(chan job, carrier.Sessions),
	}
}

// Sessions is how many connections are open now.
func (r *Route) Sessions() int { return int(r.open.Load()) }

// Run sends what comes through items until items is closed (returns nil) or ctx ends (returns ctx.Err()). Every item gets
// exactly one Result, in no order, unless ctx ends: then the answers to dots already written are still reported for
// Timeouts.Drain, so read results until Run has returned. Connections open with the first item. Give items a buffer of about
// Sessions: the next envelope rides with a body only when the next item is there at that moment.
func (r *Route) Run(ctx context.Context, items <-chan Item, results chan<- Result) error {
	if r.opts.Gate == nil || r.opts.Now == nil {
		return desk.Errorf(desk.Invalid, "Route.Run", "送信経路に許可 (Gate) と時計 (Now) がありません。")
	}
	work := &shift{items: items, results: results, over: make(chan struct{})}
	var wg sync.WaitGroup
	for i := range r.carrier.Sessions {
		s := newSession(r, i, work)
		wg.Go(func() { s.run(ctx) })
	}
	wg.Wait()
	for { // handed back by a session after the others had gone
		select {
		case j := <-r.back:
			newSession(r, 0, work).report(ctx, notAttempted(&j))
		default:
			return ctx.Err()
		}
	}
}
