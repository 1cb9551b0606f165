package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"hash/fnv"
	"net"
	"strings"
	"sync"
	"time"
)

// Delivery is 着信: one mail that reached a mailbox.
type Delivery struct {
	To        string    `json:"to"`
	MessageID string    `json:"message_id"`
	Link      string    `json:"link"`
	At        time.Time `json:"at"`
}

// sink is one simulated carrier: a minimal SMTP line loop, because a full server costs more than the sender it measures.
type sink struct {
	profile Profile
	spool   *spool
	mu      sync.Mutex
	book    book
	wg      sync.WaitGroup
}

func newSink(p Profile, out *spool) *sink { return &sink{profile: p, spool: out, book: newBook()} }

// run serves until ctx ends, then cuts every session and waits.
func (k *sink) run(ctx context.Context, listener net.Listener) error {
	defer k.wg.Wait()
	stop := context.AfterFunc(ctx, func() { _ = listener.Close() })
	defer stop()
	for {
		c, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			continue
		}
		k.wg.Go(func() {
			cut := context.AfterFunc(ctx, func() { _ = c.Close() })
			defer cut()
			defer c.Close()
			k.mu.Lock()
			k.book.sessions++
			k.book.sessionsMax = max(k.book.sessionsMax, k.book.sessions)
			open := k.book.sessions
			k.mu.Unlock()
			t := talk{k: k, ctx: ctx, conn: c, in: bufio.NewReaderSize(c, 32*1024), out: bufio.NewWriterSize(c, 4096)}
			t.serve(open)
			k.mu.Lock()
			k.book.sessions--
			k.mu.Unlock()
		})
	}
}

// talk is one session.
type talk struct {
	k      *sink
	ctx    context.Context
	conn   net.Conn
	in     *bufio.Reader
	out    *bufio.Writer
	to     string
	isMail bool
	body   []byte
}

// say answers. Answers to a pipelined group leave together (RFC 2920 §3.2), unless a delay is simulated.
func (t *talk) say(line string, delay time.Duration) bool {
	if delay > 0 {
		if t.out.Flush() != nil {
			return false
		}
		timer := time.NewTimer(delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-t.ctx.Done():
			return false
		}
	}
	_, _ = t.out.WriteString(line)
	_, _ = t.out.WriteString("\r\n")
	if t.in.Buffered() == 0 {
		return t.out.Flush() == nil
	}
	return true
}

func (t *talk) serve(open int) {
	b := &t.k.profile.Behaviour
	if b.MaxSessions > 0 && open > b.MaxSessions {
		t.k.count(func(c *counts) { c.TooMany++ })
		t.say("421 4.7.0 too many sessions", 0)
		return
	}
	if !t.say("220 "+t.k.profile.Domains[0]+" ESMTP simulated", b.replyDelay()) {
		return
	}
	for {
		line, err := t.in.ReadSlice('\n')
		if err != nil || !t.command(line, b) {
			_ = t.out.Flush()
			return
		}
	}
}

func (t *talk) command(line []byte, b *Behaviour) bool {
	delay := b.replyDelay()
	if len(line) < 4 {
		return t.say("500 5.5.2 what?", delay)
	}
	switch strings.ToUpper(string(line[:4])) {
	case "MAIL":
		t.isMail, t.to = true, ""
		return t.say("250 2.1.0 ok", delay)
	case "RCPT":
		return t.rcpt(mailboxIn(line), b)
	case "DATA":
		if t.to == "" {
			return t.say("503 5.5.1 RCPT first", delay)
		}
		return t.say("354 go on", delay) && t.data(b)
	case "EHLO":
		if b.NoPipelining {
			return t.say("250-"+t.k.profile.Domains[0]+"\r\n250 8BITMIME", delay)
		}
		return t.say("250-"+t.k.profile.Domains[0]+"\r\n250-PIPELINING\r\n250 8BITMIME", delay)
	case "HELO", "NOOP", "RSET":
		t.isMail, t.to = false, ""
		return t.say("250 2.0.0 ok", delay)
	case "QUIT":
		t.say("221 2.0.0 bye", delay)
		return false
	}
	return t.say("500 5.5.2 what?", delay)
}

func (t *talk) rcpt(to string, b *Behaviour) bool {
	delay := b.replyDelay()
	if !t.isMail || to == "" {
		return t.say("503 5.5.1 MAIL first", delay)
	}
	if drawn(to, "unknown", 0) < b.Unknown {
		t.k.count(func(c *counts) { c.Unknown++ })
		return t.say("550 5.1.1 unknown user", delay)
	}
	if b.Temporary > 0 || b.GreylistMS > 0 {
		try, since := t.k.tried(to)
		if since < time.Duration(b.GreylistMS)*time.Millisecond || drawn(to, "temporary", try) < b.Temporary {
			t.k.count(func(c *counts) { c.Deferred++ })
			return t.say("450 4.7.1 try again later", delay)
		}
	}
	t.to = to
	return t.say("250 2.1.5 ok", delay)
}

func (t *talk) data(b *Behaviour) bool {
	t.body = t.body[:0]
	for {
		line, err := t.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return false
		}
		if len(line) == 3 && line[0] == '.' {
			break
		}
		if line[0] == '.' {
			line = line[1:]
		}
		if len(t.body) < 1<<20 {
			t.body = append(t.body, line...)
		}
	}
	to := t.to
	t.isMail, t.to = false, ""
	if drawn(to, "data", 0) < b.RefuseData {
		t.k.count(func(c *counts) { c.RefusedData++ })
		return t.say("550 5.7.1 refused by the user's filter", b.endDelay())
	}
	dropped := drawn(to, "silent", 0) < b.SilentDrop
	times := t.k.keep(to, t.body, dropped)
	if b.Reset > 0 && drawn(to, "reset", times) < b.Reset {
		t.k.count(func(c *counts) { c.Resets++ })
		_ = t.out.Flush()
		if tcp, ok := t.conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return false
	}
	return t.say("250 2.0.0 ok", b.endDelay())
}

// mailboxIn is the mailbox between angle brackets, without the quotes of an old carrier's local part, domain in lower case.
func mailboxIn(line []byte) string {
	from, end := bytes.IndexByte(line, '<'), bytes.LastIndexByte(line, '>')
	if from < 0 || end < from {
		return ""
	}
	s := string(line[from+1 : end])
	at := strings.LastIndexByte(s, '@')
	if at <= 0 {
		return ""
	}
	local := s[:at]
	if len(local) >= 2 && local[0] == '"' && local[len(local)-1] == '"' {
		local = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(local[1 : len(local)-1])
	}
	return local + "@" + strings.ToLower(s[at+1:])
}

// drawn is a number in [0,1) that depends on the mailbox, the purpose and the try alone.
func drawn(to, purpose string, try int) float64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(to))
	_, _ = h.Write([]byte{0, byte(try), byte(try >> 8)})
	_, _ = h.Write([]byte(purpose))
	x := h.Sum64() // FNV leaves the high bits poor: mix once more (splitmix64)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}
