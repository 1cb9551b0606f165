package line

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"yagura/feeds"
	"yagura/feeds/jma"
	"yagura/store/desk"
)

// DoorName is the name of the HTTP door as a source, in desk.Envelope.Feed.
const DoorName = "line-http"

const doorOp = "line.Door"

// Client is one contracted receiver.
type Client struct {
	Name  string            // for the log
	Token [sha256.Size]byte // SHA-256 of its bearer token: the token itself is kept nowhere
}

// DoorOptions says how a Door works. Zero values take their defaults.
type DoorOptions struct {
	Listen    string       // host:port
	Listener  net.Listener // instead of Listen; closed by Run
	CertFile  string       // PEM; with KeyFile: TLS. Without both: plain HTTP on a loopback address, for the machine itself or behind its proxy
	KeyFile   string
	Clients   []Client
	MaxBytes  int64         // largest request body; 0 = 2 × jma.MaxBytes, for a wrapper around a telegram
	PerMinute int           // requests a client may make in a minute; 0 = 6,000, far above a bad night
	AtOnce    int           // requests in hand at once; 0 = 16, which bounds the memory
	Within    time.Duration // how long the store may take before 503; 0 = 10 s
	Silence   time.Duration // Rhythm; 0 = silence never alarms
	OnTrouble func(string)  // told each new Japanese sentence for the desk, "" when all is well again; may be nil
	Log       *slog.Logger  // may be nil
	Now       func() time.Time
}

// Door is a feeds.Source: POST /telegrams with a bearer token. The answer is 202 only after the telegram is stored; whoever
// gets anything else, or nothing, sends it again (law 5).
type Door struct {
	opt     DoorOptions
	limit   *limiter
	places  chan struct{} // requests in hand
	turn    chan struct{} // one envelope at a time is offered
	taken   atomic.Int64
	refused atomic.Int64

	mu     sync.Mutex
	health feeds.Health
}

var (
	_ feeds.Source   = (*Door)(nil)
	_ feeds.Reporter = (*Door)(nil)
)

// NewDoor makes a door; nothing listens before Run. The error is desk.Invalid and says which option is wrong.
func NewDoor(o DoorOptions) (*Door, error) {
	o.MaxBytes = cmp.Or(o.MaxBytes, 2*jma.MaxBytes)
	o.PerMinute = cmp.Or(o.PerMinute, 6000)
	o.AtOnce = cmp.Or(o.AtOnce, 16)
	o.Within = cmp.Or(o.Within, 10*time.Second)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OnTrouble == nil {
		o.OnTrouble = func(string) {}
	}
	switch {
	case o.Now == nil, o.Listen == "" && o.Listener == nil:
		return nil, desk.Errorf(desk.Invalid, doorOp, "受け口のアドレスと時計が要ります。")
	case len(o.Clients) == 0:
		return nil, desk.Errorf(desk.Invalid, doorOp, "受け口を使う相手が一つも登録されていません。")
	case slices.ContainsFunc(o.Clients, func(c Client) bool { return c.Token == [sha256.Size]byte{} || c.Token == sha256.Sum256(nil) }):
		return nil, desk.Errorf(desk.Invalid, doorOp, "受け口のトークンが空の相手がいます。")
	case (o.CertFile == "") != (o.KeyFile == ""):
		return nil, desk.Errorf(desk.Invalid, doorOp, "証明書と鍵は両方とも指定してください。")
	case o.CertFile == "" && o.Listener == nil && !loopback(o.Listen): // the token would go over the network in clear
		return nil, desk.Errorf(desk.Invalid, doorOp, "証明書なしの受け口は、この計算機の中のアドレス（127.0.0.1 など）に限ります。")
	}
	return &Door{
		opt: o, limit: newLimiter(o.PerMinute), places: make(chan struct{}, o.AtOnce), turn: make(chan struct{}, 1),
	}, nil
}

func loopback(listen string) bool {
	name := host(listen)
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// Name is DoorName.
func (d *Door) Name() string { return DoorName }

// Rhythm is what was configured: nobody knows how often a contracted receiver sends.
func (d *Door) Rhythm() time.Duration { return d.opt.Silence }

// Health tells the last request with a good token as LastContact.
func (d *Door) Health() feeds.Health {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.health
	h.Detail = fmt.Sprintf("受領 %d 件・拒否 %d 件", d.taken.Load(), d.refused.Load())
	return h
}

// Run listens until ctx ends and returns ctx.Err(), or why it cannot listen. Requests in hand are answered first: what was stored
// in time with 202, the rest with 503.
func (d *Door) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	listener, err := d.listen(ctx)
	if err != nil {
		return err
	}
	var hands sync.WaitGroup // of requests: none outlives Run
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hands.Add(1)
			defer hands.Done()
			d.serve(ctx, w, r, out)
		}),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 30*time.Second + d.opt.Within, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 8 << 10,
		ErrorLog:       slog.NewLogLogger(d.opt.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		hands.Wait()
		return desk.Wrap(desk.Unavailable, doorOp, err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(last) != nil {
		_ = server.Close() // whoever is still sending sends again
	}
	<-ended
	hands.Wait()
	return ctx.Err()
}

func (d *Door) listen(ctx context.Context) (net.Listener, error) {
	listener := d.opt.Listener
	if listener == nil {
		var err error
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", d.opt.Listen); err != nil {
			return nil, &desk.Error{Kind: desk.Unavailable, Op: doorOp, Msg: "電文の受け口を開けません。", Err: err}
		}
	}
	if d.opt.CertFile == "" {
		return listener, nil
	}
	pair := &keyPair{cert: d.opt.CertFile, key: d.opt.KeyFile}
	if _, err := pair.get(nil); err != nil {
		return nil, errors.Join(&desk.Error{Kind: desk.Invalid, Op: doorOp, Msg: "電文の受け口の証明書か鍵を読めません。", Err: err}, listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.get}), nil
}

// keyPair reads the files again when the certificate changes, so that a renewal needs no restart.
type keyPair struct {
	cert, key string

	mu   sync.Mutex
	at   time.Time
	pair *tls.Certificate
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.cert)
	if err == nil && (k.pair == nil || !info.ModTime().Equal(k.at)) {
		var fresh tls.Certificate
		if fresh, err = tls.LoadX509KeyPair(k.cert, k.key); err == nil {
			k.pair, k.at = &fresh, info.ModTime()
		}
	}
	if k.pair != nil { // also in the middle of a renewal: the old one still works
		return k.pair, nil
	}
	return nil, err
}

// whose finds the client of a bearer token (RFC 6750, 2.1). Every token is compared, in constant time.
func (d *Door) whose(r *http.Request) (Client, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	given := sha256.Sum256([]byte(strings.TrimSpace(token)))
	var found Client
	known := 0
	for _, c := range d.opt.Clients {
		if same := subtle.ConstantTimeCompare(given[:], c.Token[:]); same == 1 {
			found, known = c, 1
		}
	}
	return found, known == 1 && strings.EqualFold(scheme, "Bearer")
}

// store offers the envelope until the store has it or time is up.
func (d *Door) store(ctx context.Context, out func(context.Context, desk.Envelope) error, env desk.Envelope) error {
	ctx, cancel := context.WithTimeout(ctx, d.opt.Within)
	defer cancel()
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := out(ctx, env)
	text := ""
	if err != nil {
		text = "専用線の電文を保存できていません。送信側に再送を求めています。"
	}
	d.mu.Lock()
	changed := d.health.Trouble != text
	d.health.Trouble = text
	if err == nil {
		d.health.LastReceived = env.ReceivedAt
	}
	d.mu.Unlock()
	if changed {
		d.opt.OnTrouble(text)
	}
	return err
}

func (d *Door) contact(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.health.LastContact = now
}

func isEmpty(raw []byte) bool { return len(bytes.TrimSpace(feeds.TrimBOM(raw))) == 0 }
