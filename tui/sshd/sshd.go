// Package sshd is the door of the desk: an SSH server that lets registered operators in by their public key, one program per session.
package sshd

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/ssh"
	"charm.land/wish/v2"
	gossh "golang.org/x/crypto/ssh"

	"yagura/store/desk"
)

// Registry knows the operators and keeps the record of sessions.
type Registry interface {
	OperatorByFingerprint(ctx context.Context, fingerprint string) (desk.Operator, error)
	OpenSession(ctx context.Context, who desk.OperatorID, remote string) (desk.SessionID, error)
	TouchSession(ctx context.Context, id desk.SessionID) error
	CloseSession(ctx context.Context, id desk.SessionID) error
}

// Session is what the server lends to a program.
type Session struct {
	Operator desk.Operator
	Report   func(panicked any) // logs a panic with its stack
}

// Program is what a session runs; named here so that mains need no terminal library.
type Program = tea.Model

// Options say how the door is built.
type Options struct {
	Address    string // host:port
	HostKeyDir string // a directory of its own: the key library sets it to 0700
	Registry   Registry
	Program    func(ctx context.Context, s Session) Program
	Log        *slog.Logger
	Now        func() time.Time
}

// Limits of the door (reliability.md 3.1).
const (
	MaxSessions       = 64
	MaxPerOperator    = 8
	MaxConnections    = 96 // log-ins under way included
	LoginGrace        = 20 * time.Second
	registryDeadline  = 3 * time.Second
	checkEvery        = 5 * time.Second // a revoked key is thrown out within this time
	shutdownPatience  = 2 * time.Second
	farewellForAll    = "当直卓を終了します。"
	farewellForKicked = "登録が取り消されたため、接続を閉じました。"
)

// Server is the door. Make it with New.
type Server struct {
	opt     Options
	ssh     *ssh.Server
	mu      sync.Mutex
	users   map[desk.OperatorID]int
	total   int
	conns   int
	work    sync.WaitGroup // sessions and their watchers
	closing chan struct{}  // closed when Serve ends
}

// New builds the server and its host key; nothing listens yet. An error is Invalid: the key directory cannot be used.
func New(opt Options) (*Server, error) {
	const op = "sshd.New"
	if opt.HostKeyDir == "" {
		return nil, desk.Errorf(desk.Invalid, op, "ホスト鍵のディレクトリを指定してください。")
	}
	if err := os.MkdirAll(opt.HostKeyDir, 0o700); err != nil {
		return nil, desk.Wrap(desk.Invalid, op, err)
	}
	s := &Server{opt: opt, users: map[desk.OperatorID]int{}, closing: make(chan struct{})}
	server, err := wish.NewServer(
		wish.WithAddress(opt.Address),
		wish.WithHostKeyPath(filepath.Join(opt.HostKeyDir, "id_ed25519")),
		wish.WithVersion("Yagura"),
		wish.WithPublicKeyAuth(s.mayEnter),
		wish.WithMiddleware(s.desk, s.identify, s.terminalOnly),
		s.harden,
	)
	if err != nil {
		return nil, desk.Wrap(desk.Invalid, op, err)
	}
	s.ssh = server
	return s, nil
}

// harden allows what a desk needs and nothing else: a shell on a terminal, by modern algorithms.
func (s *Server) harden(server *ssh.Server) error {
	server.HandshakeTimeout = LoginGrace
	server.SessionRequestCallback = func(_ ssh.Session, kind string) bool { return kind == "shell" } // no exec, no subsystem
	server.ServerConfigCallback = func(ssh.Context) *gossh.ServerConfig {
		return &gossh.ServerConfig{
			MaxAuthTries:            6,
			PublicKeyAuthAlgorithms: []string{gossh.KeyAlgoED25519, gossh.KeyAlgoSKED25519, gossh.KeyAlgoSKECDSA256},
			Config: gossh.Config{
				KeyExchanges: []string{gossh.KeyExchangeMLKEM768X25519, gossh.KeyExchangeCurve25519},
				Ciphers:      []string{gossh.CipherChaCha20Poly1305, gossh.CipherAES256GCM, gossh.CipherAES128GCM},
				MACs:         []string{gossh.HMACSHA256ETM, gossh.HMACSHA512ETM},
			},
		}
	}
	server.ConnCallback = func(_ ssh.Context, conn net.Conn) net.Conn {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.conns >= MaxConnections {
			s.opt.Log.Warn("接続が多すぎるため断りました", "connections", s.conns)
			return nil
		}
		s.conns++
		return &counted{Conn: conn, done: sync.OnceFunc(func() {
			s.mu.Lock()
			s.conns--
			s.mu.Unlock()
		})}
	}
	return nil
}

// counted gives its place back when it is closed.
type counted struct {
	net.Conn
	done func()
}

// Close closes the connection and frees its place.
func (c *counted) Close() error {
	c.done()
	return c.Conn.Close()
}

// lookup finds the operator of a key. Unknown, disabled and an unreachable registry all mean: not now.
func (s *Server) lookup(ctx context.Context, key gossh.PublicKey) (desk.Operator, error) {
	ctx, cancel := context.WithTimeout(ctx, registryDeadline)
	defer cancel()
	who, err := s.opt.Registry.OperatorByFingerprint(ctx, gossh.FingerprintSHA256(key))
	if err == nil && who.Disabled {
		return who, desk.Errorf(desk.Forbidden, "sshd.lookup", "この当直者は無効にされています。")
	}
	return who, err
}

// mayEnter is asked for every key a client offers, proven or not; identify asks again for the proven one.
func (s *Server) mayEnter(ctx ssh.Context, key ssh.PublicKey) bool {
	_, err := s.lookup(ctx, key)
	if err != nil {
		s.opt.Log.Warn("鍵を断りました", "fingerprint", gossh.FingerprintSHA256(key), "kind", desk.KindOf(err))
	}
	return err == nil
}

// Run listens and serves until ctx ends, then ends every session within shutdownPatience. It returns after all of them.
func (s *Server) Run(ctx context.Context) error {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", s.opt.Address)
	if err != nil {
		return desk.Wrap(desk.Unavailable, "sshd.Run", err)
	}
	return s.Serve(ctx, l)
}

// Serve is Run on a listener that is open already; it closes it.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	s.opt.Log.Info("当直卓を開きました", "listen", l.Addr().String())
	ended := make(chan error, 1)
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		ended <- s.ssh.Serve(l)
	}()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	}
	close(s.closing)
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPatience)
	defer cancel()
	_ = s.ssh.Shutdown(patience) // sessions see closing and leave by themselves
	_ = s.ssh.Close()
	s.work.Wait()
	if errors.Is(err, ssh.ErrServerClosed) {
		return nil
	}
	return desk.Wrap(desk.Internal, "sshd.Serve", err)
}
