package web

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"yagura/store/desk"
)

func TestLimiter(t *testing.T) {
	l := NewLimiter[int](2, 3)
	at := time.Unix(6000, 0)
	for i, want := range []bool{true, true, false, false} {
		if got := l.Allow(1, at); got != want {
			t.Errorf("hit %d: %v", i, got)
		}
	}
	if !l.Allow(1, at.Add(time.Minute)) {
		t.Error("the next minute is still limited")
	}
	at = at.Add(time.Hour)
	for key := range 1000 { // memory stays bounded, and nobody is refused for it
		if !l.Allow(key, at) {
			t.Fatalf("key %d refused", key)
		}
	}
	if len(l.counts) != 3 {
		t.Errorf("%d keys remembered", len(l.counts))
	}
}

func TestNetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"203.0.113.9:55":             "203.0.113.9/32",
		"[::ffff:203.0.113.9]:55":    "203.0.113.9/32",
		"[2001:db8:1:2:3::1]:1":      "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::9]:443": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":           "fe80::/64",
		"nonsense":                   "invalid Prefix",
	} {
		if got := Network(remote).String(); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}

func TestPanicIsOnePageAndKeepsThePathSecret(t *testing.T) {
	var log bytes.Buffer
	h := Harden(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken") }), AnswerPolicy, false, slog.New(slog.NewTextHandler(&log, nil)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/r/secret", nil))
	if w.Code != 500 || !strings.Contains(log.String(), "broken") || strings.Contains(log.String(), "secret") || w.Header().Get("Content-Security-Policy") == "" {
		t.Fatalf("%d %s", w.Code, &log)
	}
}

func TestBrokenTemplateIsAnErrorAtStart(t *testing.T) {
	if _, err := Templates(fstest.MapFS{"p.html": {Data: []byte(`{{define "main"}}{{.`)}}, "p.html"); err == nil {
		t.Fatal("a broken template was taken")
	}
	tmpl, err := Templates(fstest.MapFS{"p.html": {Data: []byte(`{{define "main"}}{{.Content.Nothing}}{{end}}`)}}, "p.html")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	Render(w, slog.New(slog.DiscardHandler), 200, tmpl, Page{Lang: "ja", Content: 1})
	if w.Code != 500 || strings.Contains(w.Body.String(), "<html") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

func TestStylesheetNameFollowsItsContent(t *testing.T) {
	w := httptest.NewRecorder()
	Stylesheet().ServeHTTP(w, httptest.NewRequest("GET", StylesheetPath(), nil))
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(StylesheetPath(), ".css") {
		t.Fatal(w.Code, w.Header())
	}
}

// writeCertificate makes a self-signed certificate and returns it for the client's pool.
func writeCertificate(t *testing.T, files TLS, serial int64, at time.Time) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: at.Add(-time.Hour), NotAfter: at.Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{files.KeyFile: {Type: "PRIVATE KEY", Bytes: keyDER}, files.CertFile: {Type: "CERTIFICATE", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(files.CertFile, at, at); err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func TestTLS(t *testing.T) { // SEC-13
	dir := t.TempDir()
	files := TLS{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	now := time.Now()
	pool := x509.NewCertPool()
	pool.AddCert(writeCertificate(t, files, 1, now))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, Harden(Stylesheet(), AnswerPolicy, true, log), files, log) }()
	fetch := func(c *tls.Config) (*http.Response, error) {
		c.RootCAs = pool
		client := http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}}
		resp, err := client.Get("https://" + l.Addr().String() + "/")
		if err == nil {
			_ = resp.Body.Close()
		}
		return resp, err
	}
	resp, err := fetch(&tls.Config{})
	if err != nil || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Fatal(resp, err)
	}
	if _, err := fetch(&tls.Config{MaxVersion: tls.VersionTLS12}); err != nil {
		t.Errorf("TLS 1.2, which feature phones need: %v", err)
	}
	if _, err := fetch(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 was taken")
	}
	pool.AddCert(writeCertificate(t, files, 2, now.Add(time.Minute))) // renewed while running
	if resp, err = fetch(&tls.Config{}); err != nil || resp.TLS.PeerCertificates[0].SerialNumber.Int64() != 2 {
		t.Errorf("the renewed certificate is not served: %v", err)
	}
	if err := os.WriteFile(files.CertFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = fetch(&tls.Config{}); err != nil {
		t.Errorf("a half-written renewal stops the page: %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServeRefusesAMissingCertificate(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	err = Serve(t.Context(), l, http.NotFoundHandler(), TLS{CertFile: "/nowhere"}, slog.New(slog.DiscardHandler))
	if desk.KindOf(err) != desk.Invalid {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the listener was left open")
	}
}
