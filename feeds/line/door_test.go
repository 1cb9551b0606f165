package line

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"yagura/feeds"
	"yagura/store/desk"
)

const token = "an unguessable token"

// gate is a door on a free port of this machine.
type gate struct {
	*sink
	door   *Door
	url    string
	client *http.Client
	log    *syncBuffer
	stop   func()
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newGate(t *testing.T, change ...func(*DoorOptions)) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{sink: new(sink), client: &http.Client{Transport: &http.Transport{}, Timeout: deadline}, log: new(syncBuffer)}
	g.url = "http://" + l.Addr().String()
	o := DoorOptions{
		Listener: l, Clients: []Client{{"receiver", sha256.Sum256([]byte(token))}, {"spare", sha256.Sum256([]byte("another"))}},
		MaxBytes: 5000, Log: slog.New(slog.NewJSONHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Now: time.Now,
	}
	for _, c := range change {
		c(&o)
	}
	if g.door, err = NewDoor(o); err != nil {
		t.Fatal(err)
	}
	g.stop = run(t, g.door, g.sink)
	t.Cleanup(g.client.CloseIdleConnections)
	return g
}

// request is one POST with everything in order, to be spoilt.
func (g *gate) request(t *testing.T, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+Path+"?name=VXSE51.xml", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/xml; charset=utf-8")
	return r
}

func (g *gate) do(t *testing.T, r *http.Request) (*http.Response, problem) {
	t.Helper()
	resp, err := g.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var p problem
	if resp.Header.Get("Content-Type") == "application/problem+json" {
		if err := json.Unmarshal(raw, &p); err != nil || p.Status != resp.StatusCode || p.Detail == "" {
			t.Errorf("problem %s: %v", raw, err)
		}
	} else if resp.StatusCode != http.StatusAccepted {
		t.Errorf("status %d without a problem: %s", resp.StatusCode, raw)
	} else {
		var got receipt
		if err := json.Unmarshal(raw, &got); err != nil || got.Status != "stored" || len(got.Digest) != 64 {
			t.Errorf("receipt %s: %v", raw, err)
		}
		p.Detail = got.Digest
	}
	return resp, p
}

func TestDoorStoresBeforeItAnswers(t *testing.T) {
	g := newGate(t)
	resp, p := g.do(t, g.request(t, telegramText))
	got := g.all()
	if resp.StatusCode != http.StatusAccepted || len(got) != 1 {
		t.Fatalf("%d, %d telegrams", resp.StatusCode, len(got))
	}
	digest := feeds.Digest([]byte(telegramText))
	if e := got[0]; string(e.Raw) != telegramText || e.Name != "VXSE51.xml" || e.Feed != "line-http" || e.ReceivedAt.IsZero() || p.Detail != hex.EncodeToString(digest[:]) {
		t.Errorf("%+v, %s", e, p.Detail)
	}
	r := g.request(t, wrapped(t, map[string]any{"name": "x", "type": "VXSE53", "body": gzipped(t, telegramText), "encoding": "base64", "compression": "gzip"}))
	r.Header.Set("Content-Type", "application/json")
	if resp, again := g.do(t, r); resp.StatusCode != http.StatusAccepted || again.Detail != p.Detail || g.all()[1].Name != "VXSE53_x" {
		t.Errorf("the wrapped one: %d, %s", resp.StatusCode, again.Detail)
	}
	if h := g.door.Health(); h.LastContact.IsZero() || h.LastReceived.IsZero() || h.Detail != "受領 2 件・拒否 0 件" || g.door.Rhythm() != 0 {
		t.Errorf("health %+v", h)
	}
}

func TestDoorRefuses(t *testing.T) {
	g := newGate(t)
	for what, c := range map[string]struct {
		spoil  func(r *http.Request)
		body   string
		status int
	}{
		"no token":           {func(r *http.Request) { r.Header.Del("Authorization") }, telegramText, 401},
		"a wrong token":      {func(r *http.Request) { r.Header.Set("Authorization", "Bearer nonsense") }, telegramText, 401},
		"an empty token":     {func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") }, telegramText, 401},
		"a longer token":     {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"x") }, telegramText, 401},
		"another scheme":     {func(r *http.Request) { r.Header.Set("Authorization", "Basic "+token) }, telegramText, 401},
		"no type":            {func(r *http.Request) { r.Header.Del("Content-Type") }, telegramText, 415},
		"a picture":          {func(r *http.Request) { r.Header.Set("Content-Type", "image/png") }, telegramText, 415},
		"packed on the way":  {func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, telegramText, 415},
		"too large":          {func(*http.Request) {}, strings.Repeat("x", 5001), 413},
		"too large, unsaid":  {func(r *http.Request) { r.ContentLength = -1 }, strings.Repeat("x", 5001), 413},
		"empty":              {func(*http.Request) {}, " \n", 400},
		"read":               {func(r *http.Request) { r.Method = http.MethodGet }, "", 405},
		"removed":            {func(r *http.Request) { r.Method = http.MethodDelete }, "", 405},
		"another place":      {func(r *http.Request) { r.URL.Path = "/" }, telegramText, 404},
		"a way out":          {func(r *http.Request) { r.URL.Path = Path + "/../x" }, telegramText, 404},
		"unauthorised large": {func(r *http.Request) { r.Header.Del("Authorization") }, strings.Repeat("x", 5001), 401},
	} {
		t.Run(what, func(t *testing.T) {
			r := g.request(t, c.body)
			c.spoil(r)
			if resp, _ := g.do(t, r); resp.StatusCode != c.status {
				t.Errorf("%d, want %d", resp.StatusCode, c.status)
			}
		})
	}
	if got := g.all(); len(got) != 0 {
		t.Errorf("%d telegrams were stored", len(got))
	}
	if log := g.log.String(); strings.Contains(log, token) || strings.Contains(log, "nonsense") || strings.Contains(log, "127.0.0.1") {
		t.Errorf("the log tells a token or an address: %s", log)
	}
}

func TestDoorAsksForAnotherTryWhenTheStoreFails(t *testing.T) {
	told := make(chan string, 10)
	g := newGate(t, func(o *DoorOptions) { o.OnTrouble = func(text string) { told <- text } })
	g.refuse = 2
	for range 2 {
		if resp, _ := g.do(t, g.request(t, telegramText)); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
	if resp, _ := g.do(t, g.request(t, telegramText)); resp.StatusCode != 202 {
		t.Errorf("status %d", resp.StatusCode)
	}
	if first, second := next(t, told), next(t, told); first == "" || second != "" {
		t.Errorf("told %q, %q", first, second)
	}
}

func TestDoorDoesNotWaitForAStoreThatStalls(t *testing.T) {
	g := newGate(t, func(o *DoorOptions) { o.Within, o.AtOnce = 30*time.Millisecond, 2 })
	g.block = make(chan struct{})
	codes := make(chan int, 12)
	var all sync.WaitGroup
	for range cap(codes) {
		all.Go(func() {
			resp, err := g.client.Do(g.request(t, telegramText))
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			codes <- resp.StatusCode
		})
	}
	all.Wait()
	close(codes)
	for code := range codes {
		if code != 503 {
			t.Errorf("status %d", code)
		}
	}
	g.mu.Lock()
	g.block = nil
	g.mu.Unlock()
	if resp, _ := g.do(t, g.request(t, telegramText)); resp.StatusCode != 202 {
		t.Errorf("afterwards: %d", resp.StatusCode)
	}
}

func TestDoorLimitsAClientAndNotTheOthers(t *testing.T) {
	now := time.Date(2026, 11, 23, 1, 0, 0, 0, time.UTC)
	g := newGate(t, func(o *DoorOptions) { o.PerMinute, o.Now = 3, func() time.Time { return now } })
	var codes []int
	for range 5 {
		resp, _ := g.do(t, g.request(t, telegramText))
		codes = append(codes, resp.StatusCode)
	}
	if fmt.Sprint(codes) != "[202 202 202 429 429]" {
		t.Errorf("%v", codes)
	}
	r := g.request(t, telegramText)
	r.Header.Set("Authorization", "bearer another")
	if resp, _ := g.do(t, r); resp.StatusCode != 202 {
		t.Errorf("the other client: %d", resp.StatusCode)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l, now := newLimiter(5), time.Unix(600, 0)
	for i := range 3 * limitedKeys {
		l.allow(fmt.Sprintf("?%d", i), now)
	}
	if len(l.counts) > limitedKeys+1 {
		t.Errorf("%d keys are kept", len(l.counts))
	}
	if !l.allow("=receiver", now) || l.allow("?new", now) {
		t.Error("strangers beyond the bound share one count, a client has its own")
	}
	if !l.allow("?new", now.Add(time.Minute)) {
		t.Error("the next minute begins anew")
	}
}

func TestDoorStopsInTheMiddleOfARequest(t *testing.T) {
	g := newGate(t)
	g.block = make(chan struct{})
	code := make(chan int, 1)
	go func() {
		resp, err := g.client.Do(g.request(t, telegramText))
		if err != nil {
			code <- 0
			return
		}
		resp.Body.Close()
		code <- resp.StatusCode
	}()
	until(t, "the offer", func() bool { return g.offered() == 1 })
	g.stop()
	if c := <-code; c != 503 {
		t.Errorf("a telegram that was not stored got %d", c)
	}
}

func TestDoorSpeaksTLS(t *testing.T) {
	cert, key := certificate(t)
	g := newGate(t, func(o *DoorOptions) { o.CertFile, o.KeyFile = cert, key })
	raw, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(raw)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	g.client.Transport = transport
	t.Cleanup(transport.CloseIdleConnections)
	r := g.request(t, telegramText)
	r.URL.Scheme = "https"
	if resp, _ := g.do(t, r); resp.StatusCode != 202 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "door"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestNewDoorRefuses(t *testing.T) {
	good := func() DoorOptions {
		return DoorOptions{Listen: "127.0.0.1:0", Clients: []Client{{"a", sha256.Sum256([]byte(token))}}, Now: time.Now}
	}
	for what, spoil := range map[string]func(*DoorOptions){
		"no address":  func(o *DoorOptions) { o.Listen = "" },
		"no clock":    func(o *DoorOptions) { o.Now = nil },
		"no client":   func(o *DoorOptions) { o.Clients = nil },
		"no token":    func(o *DoorOptions) { o.Clients[0].Token = [32]byte{} },
		"empty token": func(o *DoorOptions) { o.Clients[0].Token = sha256.Sum256(nil) },
		"no key":      func(o *DoorOptions) { o.CertFile = "cert.pem" },
		"clear text":  func(o *DoorOptions) { o.Listen = ":8443" },
	} {
		o := good()
		spoil(&o)
		if _, err := NewDoor(o); desk.KindOf(err) != desk.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	d, err := NewDoor(good())
	if err != nil || d.Name() != "line-http" {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := good()
	o.Listen = l.Addr().String() // taken
	if d, err = NewDoor(o); err != nil {
		t.Fatal(err)
	}
	if err := d.Run(context.Background(), new(sink).take); desk.KindOf(err) != desk.Unavailable {
		t.Errorf("a taken port: %v", err)
	}
	o = good()
	o.CertFile, o.KeyFile = "absent.pem", "absent.pem"
	if d, err = NewDoor(o); err != nil {
		t.Fatal(err)
	}
	if err := d.Run(context.Background(), new(sink).take); desk.KindOf(err) != desk.Invalid {
		t.Errorf("no certificate: %v", err)
	}
}
