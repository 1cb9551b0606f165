package web

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/net/netutil"

	"yagura/store/desk"
)

// Limits of every listener: a slow or greedy client costs a bounded place for a bounded time.
const (
	headerWithin  = 5 * time.Second
	readWithin    = 10 * time.Second
	writeWithin   = 10 * time.Second
	idleWithin    = 30 * time.Second
	headerBytes   = 8 << 10
	connections   = 8192
	shutdownAfter = 4 * time.Second
)

// TLS names the certificate files in PEM form; both empty means plain HTTP, for a listener behind a terminating proxy or for
// the demo on one machine. // SEC-13
type TLS struct{ CertFile, KeyFile string }

// Enabled reports whether the listener speaks TLS.
func (t TLS) Enabled() bool { return t.CertFile != "" || t.KeyFile != "" }

// Serve answers on l until ctx ends, then lets running requests finish for a few seconds. It closes l. The context of a request
// does not end with ctx, so that what was received can still be recorded.
func Serve(ctx context.Context, l net.Listener, h http.Handler, t TLS, log *slog.Logger) error {
	const op = "web.Serve"
	l = netutil.LimitListener(l, connections)
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerWithin,
		ReadTimeout:       readWithin,
		WriteTimeout:      writeWithin,
		IdleTimeout:       idleWithin,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(quiet{log.Handler()}, slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	if t.Enabled() {
		cert := &certificate{files: t}
		if _, err := cert.get(nil); err != nil {
			return errors.Join(&desk.Error{Kind: desk.Invalid, Op: op, Msg: "TLS の証明書か鍵を読めません。", Err: err}, l.Close())
		}
		server.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cert.get}
	}
	ended := make(chan error, 1)
	go func() {
		if t.Enabled() {
			ended <- server.ServeTLS(l, "", "")
			return
		}
		ended <- server.Serve(l)
	}()
	select {
	case err := <-ended:
		return desk.Wrap(desk.Unavailable, op, err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownAfter)
	defer cancel()
	err := server.Shutdown(last)
	if err != nil {
		err = server.Close()
	}
	<-ended
	return desk.Wrap(desk.Internal, op, err)
}

// certificate reads the files again when the certificate file changes, so that a renewal needs no restart.
type certificate struct {
	files TLS

	mu   sync.Mutex
	at   time.Time
	cert *tls.Certificate
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.files.CertFile)
	if err == nil && c.cert != nil && info.ModTime().Equal(c.at) {
		return c.cert, nil
	}
	if err == nil {
		var fresh tls.Certificate
		if fresh, err = tls.LoadX509KeyPair(c.files.CertFile, c.files.KeyFile); err == nil {
			c.cert, c.at = &fresh, info.ModTime()
			return c.cert, nil
		}
	}
	if c.cert != nil {
		return c.cert, nil // half-written renewal: the old one still works
	}
	return nil, err
}
