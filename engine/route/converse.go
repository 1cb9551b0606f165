package route

import (
	"context"
	"time"

	"yagura/store/desk"
)

// textMaybeTwice stands with a mail whose final dot was written and never answered (law 5).
const textMaybeTwice = "最後の応答を受け取れませんでした。二重に届く可能性があります"

// textCut stands with a mail whose connection broke before its final dot: it cannot have been delivered.
const textCut = "送り終える前に接続が切れました"

// round is what one write carries: the end of one mail and the envelope of the next.
type round struct {
	loneDot bool // the carrier waits for a body whose RCPT it refused (RFC 2920 §3.1)
	body    *job // its 354 was read
	next    *job // its envelope goes out now
}

// converse sends j and whatever follows it without a pause: body i, its final dot and MAIL, RCPT, DATA of i+1 leave in one
// write, so a mail costs one round trip. (limits.md §8.1)
func (s *session) converse(ctx context.Context, j job) {
	w := round{next: &j}
	for alive := true; alive && (w.body != nil || w.next != nil || w.loneDot); {
		alive = s.exchange(ctx, &w)
		if alive && w.body != nil {
			w.next = s.atHand(ctx)
		}
	}
}

// exchange does one write and reads its answers, which come strictly in order. It leaves in w what the next write must carry.
func (s *session) exchange(ctx context.Context, w *round) (alive bool) {
	t := s.r.opts.Timeouts
	if s.in.Buffered() > 0 { // an answer nobody asked for would be taken for the next mail's: start afresh
		s.writeFailed(ctx, w, true)
		return false
	}
	out := s.out[:0]
	if w.loneDot {
		out = append(out, ".\r\n"...)
	}
	if w.body != nil {
		out = appendMessage(out, w.body.item.Data)
	}
	dotted := len(out)
	reset := false
	if w.next != nil {
		s.mails++
		if reset = s.unclean; reset {
			out = append(out, "RSET\r\n"...)
		}
		out = appendMail(out, &w.next.item, s.eightBit)
		out = appendRcpt(out, &w.next.item)
		out = append(out, "DATA\r\n"...)
	}
	s.out = out
	if dotted > 0 && !s.mayFinish(ctx, w) {
		return false
	}
	s.deadline(t.Command)
	if n, err := s.conn.Write(out); err != nil {
		s.writeFailed(ctx, w, n < dotted)
		return false
	}
	if dotted > 0 {
		s.deadline(t.DataEnd)
	}
	if !s.readEnd(ctx, w) {
		return false
	}
	if w.next == nil {
		return true
	}
	if dotted > 0 {
		s.deadline(t.Command)
	}
	return s.readEnvelope(ctx, w, reset)
}

// mayFinish asks the gate before a final dot. A closed gate ends the connection without the dot (law 9), and so does a stop.
func (s *session) mayFinish(ctx context.Context, w *round) bool {
	gate := s.r.opts.Gate
	if gate.Open() && ctx.Err() == nil && (w.body == nil || s.place(ctx, w.body) && gate.Open() && gate.Lets(w.body.item.Mail)) {
		return true
	}
	s.hangUp()
	for _, j := range []*job{w.body, w.next} {
		if j != nil {
			s.report(ctx, notAttempted(j))
		}
	}
	return false
}

// place waits for a place of the window, as long as the gate is open: while results cannot be recorded no dot is written (law 5).
// Not longer than the carrier waits for us: jobs that were handed back may hold all places, and only a free session takes them up.
func (s *session) place(ctx context.Context, j *job) bool {
	places := s.r.opts.Gate.Places()
	if j.placed || places == nil {
		return true
	}
	select {
	case <-places:
		j.placed = true
		return true
	default:
	}
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	patience := time.NewTimer(s.r.opts.Timeouts.Command)
	defer patience.Stop()
	for s.r.opts.Gate.Open() {
		select {
		case <-ctx.Done():
			return false
		case <-places:
			j.placed = true
			return true
		case <-patience.C:
			return false
		case <-look.C:
		}
	}
	return false
}

func (s *session) writeFailed(ctx context.Context, w *round, beforeDot bool) {
	s.broken()
	switch {
	case w.body != nil && beforeDot:
		s.again(ctx, w.body, desk.StageData, reply{text: textCut})
	case w.body != nil:
		s.report(ctx, s.result(w.body, desk.Deferred, desk.StageData, reply{text: textMaybeTwice}))
	}
	if w.next != nil {
		s.again(ctx, w.next, desk.StageMail, reply{text: textCut})
	}
}

// readEnd reads the answer to a final dot, if one was written.
func (s *session) readEnd(ctx context.Context, w *round) bool {
	if !w.loneDot && w.body == nil {
		return true
	}
	p, err := readReply(s.in, nil)
	if w.body != nil {
		if err != nil {
			p = reply{text: textMaybeTwice}
		} else {
			s.answered++
			s.failures = 0
		}
		s.report(ctx, s.result(w.body, p.outcome(desk.StageData), desk.StageData, p))
	} else if err == nil && !p.ok() {
		s.unclean = true
	}
	w.body, w.loneDot = nil, false
	if err != nil || p.closing() {
		s.broken()
		if w.next != nil {
			s.again(ctx, w.next, desk.StageMail, reply{text: textCut})
		}
		return false
	}
	return true
}

// readEnvelope reads the answers to RSET, MAIL, RCPT and DATA of w.next and decides what the next write must carry.
func (s *session) readEnvelope(ctx context.Context, w *round, reset bool) bool {
	j := w.next
	w.next = nil
	if reset {
		if p, err := readReply(s.in, nil); err != nil || p.closing() {
			return s.lose(ctx, j, desk.StageMail, p, err)
		}
		s.unclean = false
	}
	var bad *reply
	var stage desk.Stage
	for _, at := range []desk.Stage{desk.StageMail, desk.StageRcpt} {
		p, err := readReply(s.in, nil)
		switch {
		case bad != nil && err != nil: // the refusal was read: it stands, whatever came after
			s.report(ctx, s.result(j, bad.outcome(stage), stage, *bad))
			s.broken()
			return false
		case err != nil || (p.closing() && bad == nil):
			return s.lose(ctx, j, at, p, err)
		case !p.ok() && bad == nil:
			bad, stage = &p, at
		}
	}
	p, err := readReply(s.in, nil)
	switch {
	case bad != nil:
		s.unclean = true
		s.report(ctx, s.result(j, bad.outcome(stage), stage, *bad))
		if err != nil || p.closing() {
			s.broken()
			return false
		}
		w.loneDot = p.code == 354
	case err != nil || p.closing() || p.ok():
		return s.lose(ctx, j, desk.StageData, p, err) // a 2xx to DATA is no SMTP: start afresh
	case p.code == 354:
		w.body = j
	default:
		s.unclean = true
		s.report(ctx, s.result(j, p.outcome(desk.StageData), desk.StageData, p))
	}
	return true
}

// lose ends a connection under j before its final dot.
func (s *session) lose(ctx context.Context, j *job, stage desk.Stage, p reply, err error) bool {
	s.broken()
	if err != nil {
		p = reply{text: textCut}
	}
	s.again(ctx, j, stage, p)
	return false
}

// broken closes the connection; the next one waits unless this one was of use. A 421 after useful work waits the shortest pause.
func (s *session) broken() {
	if s.answered > 0 {
		s.failures = 0
	}
	s.hangUp()
	s.fruitless()
}

// again tries j once more on a new connection: nothing of it was delivered. The second time it is deferred.
func (s *session) again(ctx context.Context, j *job, stage desk.Stage, p reply) {
	j.tries++
	if j.tries > 1 {
		s.report(ctx, s.result(j, desk.Deferred, stage, p))
		return
	}
	if !s.handBack(*j) {
		s.carry = append(s.carry, *j)
	}
}

// command writes one line and reads its answer.
func (s *session) command(line []byte) (reply, error) {
	s.out = line
	s.deadline(s.r.opts.Timeouts.Command)
	if _, err := s.conn.Write(line); err != nil {
		return reply{}, err
	}
	return readReply(s.in, nil)
}

// stepByStep sends j with one round trip a command, to a carrier without PIPELINING.
func (s *session) stepByStep(ctx context.Context, j job) {
	s.mails++
	if s.unclean {
		if p, err := s.command(append(s.out[:0], "RSET\r\n"...)); err != nil || p.closing() {
			s.lose(ctx, &j, desk.StageMail, p, err)
			return
		}
		s.unclean = false
	}
	steps := []struct {
		stage desk.Stage
		line  func([]byte) []byte
	}{
		{desk.StageMail, func(b []byte) []byte { return appendMail(b, &j.item, s.eightBit) }},
		{desk.StageRcpt, func(b []byte) []byte { return appendRcpt(b, &j.item) }},
		{desk.StageData, func(b []byte) []byte { return append(b, "DATA\r\n"...) }},
	}
	for _, step := range steps {
		p, err := s.command(step.line(s.out[:0]))
		data := step.stage == desk.StageData
		switch {
		case err != nil, p.closing(), data && p.ok():
			s.lose(ctx, &j, step.stage, p, err)
			return
		case data && p.code == 354, !data && p.ok():
		default:
			s.unclean = true
			s.report(ctx, s.result(&j, p.outcome(step.stage), step.stage, p))
			return
		}
	}
	w := round{body: &j}
	s.exchange(ctx, &w)
}
