package route

import (
	"bufio"
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"yagura/store/desk"
)

// job is an item on its way through a session. tries counts connections lost under it before its dot; the second one defers it.
type job struct {
	item   Item
	tries  int
	placed bool // it holds a place of the window
}

// session is one connection slot of a route and the goroutine that owns it.
type session struct {
	r    *Route
	work *shift
	rng  *rand.Rand

	conn       net.Conn
	in         *bufio.Reader
	out        []byte
	pipelining bool // RFC 2920
	eightBit   bool // RFC 6152
	unclean    bool // a transaction was refused half way: RSET before the next MAIL
	mails      int  // tried on this connection
	answered   int  // final dots answered on this connection
	plain      bool // an optional STARTTLS failed last time: go without

	carry    []job // go first
	failures int   // connections in a row that carried nothing
	restTo   time.Time
	counted  bool // among the route's open sessions
	probing  bool // this session tries for the whole route

	mu     sync.Mutex
	ending time.Time // set when ctx ended: no wait goes beyond it
	bound  time.Time // the deadline the connection has now
}

// shift is what the sessions of one Run share.
type shift struct {
	items   <-chan Item
	results chan<- Result
	over    chan struct{} // closed when items is found closed
	once    sync.Once
}

func newSession(r *Route, index int, work *shift) *session {
	return &session{r: r, work: work, rng: rand.New(rand.NewPCG(r.opts.Seed, uint64(index)+1))}
}

func (s *session) run(ctx context.Context) {
	defer s.end(ctx)
	stop := context.AfterFunc(ctx, func() { s.endBy(s.r.opts.Now().Add(s.r.opts.Timeouts.Drain)) })
	defer stop()
	for {
		j, ok := s.take(ctx)
		if !ok {
			return
		}
		switch {
		case !safePath(j.item.ReturnPath):
			s.report(ctx, s.result(&j, desk.Refused, desk.StageConnect, reply{text: "封筒の差出人の形が正しくありません"}))
		case !s.r.opts.Gate.Open():
			s.report(ctx, notAttempted(&j)) // do not even connect for a lane that is not ours
		case s.conn == nil && !s.open(ctx, &j):
		case s.pipelining:
			s.converse(ctx, j)
		default:
			s.stepByStep(ctx, j)
		}
		if limit := s.r.opts.MailsPerSession; limit > 0 && s.mails >= limit {
			s.quit()
		}
	}
}

// end closes what is left: politely when the work is done, at once when ctx ended. What was carried stays pending.
func (s *session) end(ctx context.Context) {
	if s.probing {
		s.r.pause.leave()
	}
	if ctx.Err() == nil {
		s.quit()
	}
	s.hangUp()
	for i := range s.carry {
		s.report(ctx, notAttempted(&s.carry[i]))
	}
}

// take waits for the next item: a carried one first, then one another session handed back, then a new one. Without a
// connection it rests first, so that no item is held while the carrier will not have us. False when there is nothing more.
func (s *session) take(ctx context.Context) (job, bool) {
	for ctx.Err() == nil {
		if s.conn == nil {
			if wait := s.restLeft(); wait > 0 {
				if !s.rest(ctx, wait) {
					return job{}, false
				}
				continue
			}
		}
		if len(s.carry) > 0 {
			j := s.carry[0]
			s.carry = s.carry[1:]
			return j, true
		}
		select {
		case j := <-s.r.back:
			return j, true
		default:
		}
		j, again, ok := s.await(ctx)
		if !again {
			return j, ok
		}
	}
	return job{}, false
}

// await blocks for an item; an open connection says NOOP meanwhile and is closed when idle for too long (again = look once more).
func (s *session) await(ctx context.Context) (j job, again, ok bool) {
	var idle <-chan time.Time
	t := s.r.opts.Timeouts
	rounds := 0
	var timer *time.Timer
	if s.conn != nil {
		select { // no timer while the stream flows
		case item, more := <-s.work.items:
			return s.taken(item, more)
		default:
		}
		timer = time.NewTimer(t.Noop)
		defer timer.Stop()
		idle = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return job{}, false, false
		case j := <-s.r.back:
			return j, false, true
		case item, more := <-s.work.items:
			return s.taken(item, more)
		case <-idle:
			rounds++
			if time.Duration(rounds)*t.Noop >= t.IdleClose {
				s.quit()
				return job{}, true, false
			}
			if !s.noop() {
				return job{}, true, false
			}
			timer.Reset(t.Noop)
		}
	}
}

func (s *session) taken(item Item, more bool) (job, bool, bool) {
	if !more {
		s.work.once.Do(func() { close(s.work.over) })
		select { // somebody may have handed an item back at the very end
		case j := <-s.r.back:
			return j, false, true
		default:
			return job{}, false, false
		}
	}
	return job{item: item}, false, true
}

// atHand is the next item if one waits at this moment, for the pipelined envelope.
func (s *session) atHand(ctx context.Context) *job {
	if limit := s.r.opts.MailsPerSession; ctx.Err() != nil || len(s.carry) > 0 || (limit > 0 && s.mails >= limit) {
		return nil
	}
	select {
	case item, more := <-s.work.items:
		if !more || !safePath(item.ReturnPath) {
			if more {
				s.carry = append(s.carry, job{item: item}) // run refuses it
			}
			return nil
		}
		return &job{item: item}
	default:
		return nil
	}
}

func (s *session) restLeft() time.Duration {
	now := s.r.opts.Now()
	if own := s.restTo.Sub(now); own > 0 {
		return own
	}
	if s.probing {
		return 0
	}
	wait, probe := s.r.pause.enter(now)
	s.probing = probe
	return wait
}

// rest waits; false when ctx ended, or when there is nothing left to do.
func (s *session) rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	over := s.work.over
	if len(s.carry) > 0 || len(s.r.back) > 0 {
		over = nil
	}
	select {
	case <-ctx.Done():
		return false
	case <-over:
		return len(s.r.back) > 0
	case <-timer.C:
		return true
	}
}

// fruitless notes a connection that failed or carried nothing, and sets the rest before the next.
func (s *session) fruitless() {
	s.failures++
	s.restTo = s.r.opts.Now().Add(pauseLength(s.r.opts.Timeouts, s.failures, s.rng.Float64()))
}

// deadline bounds the next reads and writes, and never beyond the end of a drain. One that is at most an eighth too short stands:
// moving it three times a mail would cost more than the mail's system calls.
func (s *session) deadline(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.r.opts.Now().Add(d)
	if !s.ending.IsZero() && s.ending.Before(at) {
		at = s.ending
	} else if slack := at.Sub(s.bound); slack >= 0 && slack < d/8 {
		return
	}
	s.bound = at
	_ = s.conn.SetDeadline(at) // a dead connection says so at the next read
}

func (s *session) endBy(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ending, s.bound = at, at
	if s.conn != nil {
		_ = s.conn.SetDeadline(at)
	}
}

func (s *session) setConn(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn, s.bound = c, time.Time{}
}

// hangUp closes the connection at once, without QUIT.
func (s *session) hangUp() {
	if s.conn == nil {
		return
	}
	_ = s.conn.Close()
	s.setConn(nil)
	s.in = nil
	if s.counted {
		s.counted = false
		s.r.open.Add(-1)
		s.r.busy.Add(-1)
	}
}

// quit closes the connection politely, waiting a moment for the carrier's word.
func (s *session) quit() {
	if s.conn == nil {
		return
	}
	s.deadline(min(2*time.Second, s.r.opts.Timeouts.Command))
	if _, err := s.conn.Write([]byte("QUIT\r\n")); err == nil {
		_, _ = readReply(s.in, nil)
	}
	s.hangUp()
}

func (s *session) noop() bool {
	p, err := s.command(append(s.out[:0], "NOOP\r\n"...))
	if err != nil || !p.ok() {
		s.hangUp()
		return false
	}
	return true
}

// report hands a result over. After ctx ended it still tries, as long as a drain lasts: a 250 is a fact (law 5).
func (s *session) report(ctx context.Context, res Result) {
	select {
	case s.work.results <- res:
		return
	case <-ctx.Done():
	}
	timer := time.NewTimer(s.r.opts.Timeouts.Drain)
	defer timer.Stop()
	select {
	case s.work.results <- res:
	case <-timer.C:
	}
}

func (s *session) result(j *job, outcome desk.Outcome, stage desk.Stage, p reply) Result {
	return Result{
		Mail: j.item.Mail, Outcome: outcome, Stage: stage, Code: p.code, Text: showable(p.text, j.item.to),
		Route: s.r.name, At: s.r.opts.Now(), Attempted: true, Placed: j.placed,
	}
}

func notAttempted(j *job) Result { return Result{Mail: j.item.Mail, Placed: j.placed} }
