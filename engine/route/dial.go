package route

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"yagura/store/desk"
)

// errRefusedSession says that the carrier answered, but would not have this session.
var errRefusedSession = errors.New("session refused")

// open connects for j. On failure it reports j deferred, or hands it to a session the carrier does have, and sets the rest.
func (s *session) open(ctx context.Context, j *job) bool {
	s.r.busy.Add(1)
	p, err := s.connect(ctx)
	if err == nil {
		s.probing, s.counted = false, true
		s.r.open.Add(1)
		s.r.pause.succeeded()
		return true
	}
	s.hangUp()
	s.r.busy.Add(-1)
	s.fruitless()
	if s.probing || s.r.open.Load() == 0 {
		s.probing = false
		s.r.pause.failed(s.r.opts.Now(), s.rng.Float64())
	}
	if s.handBack(*j) {
		return false
	}
	s.r.opts.Log.Warn("carrier refuses the connection", "route", s.r.name, "code", p.code, "failures", s.failures)
	if p.code == 0 {
		p.text = "接続できません: " + plainCause(err)
	}
	s.report(ctx, s.result(j, desk.Deferred, desk.StageConnect, p))
	return false
}

// plainCause names a network failure without host names or addresses of ours.
func plainCause(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "時間切れ"
	case strings.Contains(err.Error(), "refused"):
		return "相手が拒否"
	case strings.Contains(err.Error(), "tls"), strings.Contains(err.Error(), "x509"):
		return "暗号化に失敗"
	}
	return "切断"
}

// handBack gives j to another session if one is open or about to be, and there is room.
func (s *session) handBack(j job) bool {
	if s.r.busy.Load() == 0 {
		return false
	}
	select {
	case s.r.back <- j:
		return true
	default:
		return false
	}
}

// connect dials, reads the greeting, says EHLO and turns TLS on where it is offered or demanded.
func (s *session) connect(ctx context.Context) (reply, error) {
	dialing, cancel := context.WithTimeout(ctx, s.r.opts.Timeouts.Connect)
	defer cancel()
	conn, err := s.r.opts.Dial(dialing, "tcp", s.r.name)
	if err != nil {
		return reply{}, err
	}
	s.adopt(conn)
	s.mails, s.answered, s.unclean = 0, 0, false
	s.deadline(s.r.opts.Timeouts.Connect)
	p, err := readReply(s.in, nil)
	if err != nil {
		return reply{}, err
	}
	if p.code != 220 {
		return p, errRefusedSession
	}
	offersTLS, p, err := s.hello()
	if err != nil {
		return p, err
	}
	wanted := s.r.carrier.TLS || (s.r.opts.TLSConfig != nil && offersTLS && !s.plain)
	if !wanted {
		return reply{}, nil
	}
	return s.startTLS(ctx, offersTLS)
}

func (s *session) adopt(conn net.Conn) {
	s.setConn(conn)
	s.in = bufio.NewReaderSize(conn, 4096)
}

// hello says EHLO, or HELO to a carrier that does not know EHLO.
func (s *session) hello() (offersTLS bool, p reply, err error) {
	s.pipelining, s.eightBit = false, false
	p, err = s.ask("EHLO "+s.r.opts.HeloName+"\r\n", func(line string) {
		word, _, _ := strings.Cut(line, " ")
		switch strings.ToUpper(word) {
		case "PIPELINING":
			s.pipelining = true
		case "8BITMIME":
			s.eightBit = true
		case "STARTTLS":
			offersTLS = true
		}
	})
	if err == nil && p.code >= 500 {
		s.pipelining, s.eightBit, offersTLS = false, false, false
		p, err = s.ask("HELO "+s.r.opts.HeloName+"\r\n", nil)
	}
	if err == nil && !p.ok() {
		err = errRefusedSession
	}
	s.pipelining = s.pipelining && s.r.carrier.Depth != 0
	return offersTLS, p, err
}

func (s *session) ask(line string, each func(string)) (reply, error) {
	s.deadline(s.r.opts.Timeouts.Connect)
	if _, err := s.conn.Write([]byte(line)); err != nil {
		return reply{}, err
	}
	return readReply(s.in, each)
}

// startTLS encrypts the connection (RFC 3207). A carrier marked TLS must present a certificate for its host name; elsewhere
// encryption is opportunistic: any certificate will do, and after a failed handshake the next connection goes without (RFC 7435).
func (s *session) startTLS(ctx context.Context, offered bool) (reply, error) {
	if !offered {
		return reply{text: "STARTTLS がありません"}, errors.New("tls not offered")
	}
	p, err := s.ask("STARTTLS\r\n", nil)
	if err != nil || p.code != 220 {
		s.plain = !s.r.carrier.TLS
		return p, errors.Join(err, errRefusedSession)
	}
	if s.in.Buffered() > 0 {
		return reply{}, errors.New("tls: bytes before the handshake") // injection, CVE-2011-0411
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.r.opts.TLSConfig != nil {
		config = s.r.opts.TLSConfig.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = s.r.carrier.Host
	}
	if !s.r.carrier.TLS {
		config.InsecureSkipVerify = true // opportunistic: better unproven than in the clear
	}
	secure := tls.Client(s.conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		s.plain = !s.r.carrier.TLS
		return reply{}, errors.Join(errors.New("tls"), err)
	}
	s.adopt(secure)
	s.plain = false
	_, p, err = s.hello()
	return p, err
}
