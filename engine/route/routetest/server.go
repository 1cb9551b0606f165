// Package routetest is a carrier that misbehaves by script, for tests of whatever sends through engine/route.
package routetest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"yagura/store/desk"
)

// Answer is what the server does at one point of the dialogue. The zero value is the ordinary good answer.
type Answer struct {
	Reply  string        // e.g. "550 5.1.1 unknown user"; "" = the good answer
	Delay  time.Duration // before the answer
	Reset  bool          // cut the connection instead of answering (TCP RST)
	Silent bool          // never answer; the connection stays open
}

// Script says how the server answers. Nil functions answer well. Functions are called one at a time.
type Script struct {
	NoPipelining bool
	TLS          *tls.Config // offers STARTTLS
	HeloOnly     bool        // does not know EHLO
	Greeting     func(conn, open int) Answer
	Mail         func(from string) Answer
	Rcpt         func(to string) Answer
	Data         func(to string) Answer
	HalfBody     func(to string) Answer // after the first line of a body
	End          func(to string) Answer // after the final dot; the mail counts as kept unless Reply begins with 4 or 5
}

// Message is one mail the server kept.
type Message struct {
	Conn int // 1, 2, …: the connection it came on
	From string
	To   string
	Data string // dots unstuffed, CRLF
}

// Server is a carrier double on the loopback interface.
type Server struct {
	script   Script
	listener net.Listener
	mu       sync.Mutex
	conns    map[net.Conn]bool
	opened   int
	kept     []Message
	wg       sync.WaitGroup
}

// Start starts a server and stops it when the test ends.
func Start(t testing.TB, script Script) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{script: script, listener: listener, conns: map[net.Conn]bool{}}
	s.wg.Go(s.accept)
	t.Cleanup(s.Close)
	return s
}

// Close cuts everything and waits.
func (s *Server) Close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Carrier is the server as a lane named lane with so many sessions.
func (s *Server) Carrier(lane string, sessions int) desk.Carrier {
	at := s.listener.Addr().(*net.TCPAddr)
	return desk.Carrier{Lane: lane, Name: lane, Host: "127.0.0.1", Port: at.Port, Sessions: sessions, Depth: 1}
}

// Kept lists the mails accepted so far, in order.
func (s *Server) Kept() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.kept...)
}

// Opened is how many connections were ever opened.
func (s *Server) Opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.opened++
		s.conns[c] = true
		d := &dialogue{s: s, number: s.opened, raw: c, conn: c, in: bufio.NewReader(c)}
		open := len(s.conns)
		s.mu.Unlock()
		s.wg.Go(func() {
			d.serve(open)
			_ = c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

type dialogue struct {
	s        *Server
	number   int
	raw      net.Conn
	conn     net.Conn
	in       *bufio.Reader
	from, to string
	mail     bool // MAIL was taken
}

// answer does what a says; false ends the connection.
func (d *dialogue) answer(a Answer, good string) bool {
	if a.Delay > 0 {
		timer := time.NewTimer(a.Delay)
		<-timer.C
	}
	switch {
	case a.Reset:
		if tcp, ok := d.raw.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		return false
	case a.Silent:
		_, _ = d.in.Peek(1 << 20) // until the other side gives up
		return false
	case a.Reply != "":
		good = a.Reply
	}
	_, err := fmt.Fprintf(d.conn, "%s\r\n", good)
	return err == nil && !strings.HasPrefix(good, "421")
}

func (d *dialogue) serve(open int) {
	if !d.answer(call(d.s, d.s.script.Greeting != nil, func() Answer { return d.s.script.Greeting(d.number, open) }), "220 routetest ESMTP") {
		return
	}
	for {
		line, err := d.in.ReadString('\n')
		if err != nil || !d.command(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

func call(s *Server, set bool, f func() Answer) Answer {
	if !set {
		return Answer{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

func (d *dialogue) command(line string) bool {
	script := d.s.script
	verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
	switch verb {
	case "EHLO":
		return d.ehlo()
	case "STARTTLS":
		return d.startTLS()
	case "MAIL":
		if d.mail {
			return d.answer(Answer{}, "503 5.5.1 nested MAIL")
		}
		d.from, d.to = path(line), ""
		a := call(d.s, script.Mail != nil, func() Answer { return script.Mail(d.from) })
		d.mail = a.Reply == ""
		return d.answer(a, "250 2.1.0 ok")
	case "RCPT":
		if !d.mail {
			return d.answer(Answer{}, "503 5.5.1 MAIL first")
		}
		to := path(line)
		a := call(d.s, script.Rcpt != nil, func() Answer { return script.Rcpt(to) })
		if a.Reply == "" || a.Reply[0] == '2' {
			d.to = to
		}
		return d.answer(a, "250 2.1.5 ok")
	case "DATA":
		return d.data()
	case "RSET":
		d.mail, d.to = false, ""
		return d.answer(Answer{}, "250 2.0.0 ok")
	case "QUIT":
		d.answer(Answer{}, "221 2.0.0 bye")
		return false
	case "HELO", "NOOP":
		return d.answer(Answer{}, "250 2.0.0 ok")
	}
	return d.answer(Answer{}, "500 5.5.2 what?")
}

func (d *dialogue) ehlo() bool {
	if d.s.script.HeloOnly {
		return d.answer(Answer{}, "502 5.5.1 EHLO unknown")
	}
	reply := "250-routetest"
	if !d.s.script.NoPipelining {
		reply += "\r\n250-PIPELINING"
	}
	if _, encrypted := d.conn.(*tls.Conn); d.s.script.TLS != nil && !encrypted {
		reply += "\r\n250-STARTTLS"
	}
	return d.answer(Answer{}, reply+"\r\n250 8BITMIME")
}

func (d *dialogue) startTLS() bool {
	if d.s.script.TLS == nil || !d.answer(Answer{}, "220 2.0.0 go") {
		return false
	}
	secure := tls.Server(d.conn, d.s.script.TLS)
	d.conn, d.in = secure, bufio.NewReader(secure)
	return secure.Handshake() == nil
}

func (d *dialogue) data() bool {
	script, to := d.s.script, d.to
	a := call(d.s, script.Data != nil, func() Answer { return script.Data(to) })
	if a.Reply == "" && to == "" {
		a.Reply = "503 5.5.1 RCPT first"
	}
	if !d.answer(a, "354 go") {
		return false
	}
	if a.Reply != "" && !strings.HasPrefix(a.Reply, "354") {
		return true
	}
	var body strings.Builder
	for first := true; ; first = false {
		line, err := d.in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		body.WriteString(strings.TrimPrefix(line, "."))
		if first && script.HalfBody != nil {
			if a := call(d.s, true, func() Answer { return script.HalfBody(to) }); a.Reset || a.Silent {
				return d.answer(a, "")
			}
		}
	}
	d.mail, d.to = false, ""
	if to == "" {
		return d.answer(Answer{}, "554 5.5.1 no valid recipients")
	}
	end := call(d.s, script.End != nil, func() Answer { return script.End(to) })
	if end.Reply == "" || end.Reply[0] == '2' {
		d.s.mu.Lock()
		d.s.kept = append(d.s.kept, Message{Conn: d.number, From: d.from, To: to, Data: body.String()})
		d.s.mu.Unlock()
	}
	return d.answer(end, "250 2.0.0 queued")
}

// path is what stands between the angle brackets.
func path(line string) string {
	_, rest, _ := strings.Cut(line, "<")
	p, _, _ := strings.Cut(rest, ">")
	return p
}
