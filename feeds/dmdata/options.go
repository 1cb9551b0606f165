package dmdata

import (
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"yagura/store/desk"
)

// Options says what a Source subscribes to and how. Only APIKey and Now are required.
type Options struct {
	APIKey      string   // sent as the user of HTTP Basic; never logged, never part of an error
	APIHost     string   // "" = api.dmdata.jp
	DataHost    string   // where the bodies of listed telegrams are; "" = data.api.dmdata.jp
	SocketHosts []string // one WebSocket is held to each; nil = ws-tokyo and ws-osaka, so that a server restart leaves one

	Classifications []string // 配信区分; nil = earthquake, volcano, weather, eew.forecast, eew.warning
	Types           []string // data type codes, at most 30, a leading "!" excludes; nil = all of the classifications
	Test            bool     // also receive 訓練 and 試験; they keep their Status, and Mode keeps them from live use (law 4)
	// AppName is at most 24 bytes and unique to this engine, the other site's included: when slots are short, every socket of
	// this name that is not alive here is closed. "" = yagura, and then only sockets that this process itself opened are closed.
	AppName string

	Backfill time.Duration // how far back the first catch-up looks; 0 = 1 h, negative = none
	Plain    bool          // http and ws instead of https and wss; for doubles, refused for any host but loopback
	Client   *http.Client  // nil = one with Waits.Request as its limit
	Now      func() time.Time
	Rand     func() float64 // [0,1), for jitter; nil = math/rand
	Log      *slog.Logger   // nil = silent
	Waits    Waits
}

// Waits are the times a Source keeps; a zero takes the default in the comment.
type Waits struct {
	First     time.Duration // first pause before a new connection: 1 s, doubling
	Longest   time.Duration // longest such pause: 60 s
	Jitter    time.Duration // up to so much is added to each: 1 s
	Good      time.Duration // a connection that lasted so long begins again at First: 60 s
	Rest      time.Duration // pause after an answer that a person must mend (key, contract, parameter): 10 min
	Silence   time.Duration // no frame for so long and the connection is cut as half open: 75 s
	Ping      time.Duration // own ping after so long without a frame: 25 s
	Request   time.Duration // limit of one HTTP request, handshake or write: 15 s
	Farewell  time.Duration // how long a clean close may take at the end: 1 s
	Offer     time.Duration // pause before an envelope that was not stored is offered again: 500 ms
	DownGrace time.Duration // all connections lost for so long, then the telegram list is asked: 5 s
	Poll      time.Duration // and again each: 60 s
	Overlap   time.Duration // a catch-up looks so much further back than the gap: 1 min
	APIPer    time.Duration // at most 10 API requests in so long: 5 s (DMDATA asks for 2 a second at most)
	DataPer   time.Duration // at most 45 bodies in so long: 5 min (DMDATA allows 50)
}

const (
	apiBurst  = 10
	dataBurst = 45

	ringSize   = 1000     // ids remembered by all sockets together (feeds.md 3.4)
	queueSize  = 256      // envelopes between the sockets and the store
	queueBytes = 64 << 20 // and their bytes
	frameLimit = 8 << 20  // one WebSocket message: a telegram of jma.MaxBytes in base64 and its head
	listLimit  = 4 << 20  // one JSON answer of the API
	pageSize   = 100      // telegrams in one page of the list (the API's limit)
	pageLimit  = 20       // pages of one catch-up
)

func (o Options) withDefaults() Options {
	setText(&o.APIHost, "api.dmdata.jp")
	setText(&o.DataHost, "data.api.dmdata.jp")
	if o.SocketHosts == nil {
		o.SocketHosts = []string{"ws-tokyo.api.dmdata.jp", "ws-osaka.api.dmdata.jp"}
	}
	if o.Classifications == nil {
		o.Classifications = []string{"telegram.earthquake", "telegram.volcano", "telegram.weather", "eew.forecast", "eew.warning"}
	}
	setTime(&o.Backfill, time.Hour)
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &o.Waits
	setTime(&w.First, time.Second)
	setTime(&w.Longest, time.Minute)
	setTime(&w.Jitter, time.Second)
	setTime(&w.Good, time.Minute)
	setTime(&w.Rest, 10*time.Minute)
	setTime(&w.Silence, 75*time.Second)
	setTime(&w.Ping, 25*time.Second)
	setTime(&w.Request, 15*time.Second)
	setTime(&w.Farewell, time.Second)
	setTime(&w.Offer, 500*time.Millisecond)
	setTime(&w.DownGrace, 5*time.Second)
	setTime(&w.Poll, time.Minute)
	setTime(&w.Overlap, time.Minute)
	setTime(&w.APIPer, 5*time.Second)
	setTime(&w.DataPer, 5*time.Minute)
	return o
}

func setText(s *string, def string) {
	if *s == "" {
		*s = def
	}
}

func setTime(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

// check refuses what DMDATA would refuse, and what would send the key in clear text over a network.
func (o Options) check() error {
	const op = "dmdata.Run"
	switch {
	case o.APIKey == "":
		return desk.Errorf(desk.Invalid, op, "DMDATAのAPIキーが設定されていません。")
	case o.Now == nil:
		return desk.Errorf(desk.Internal, op, "時計がありません。")
	case len(o.SocketHosts) == 0 || len(o.Classifications) == 0:
		return desk.Errorf(desk.Invalid, op, "DMDATAの接続先または配信区分が設定されていません。")
	case len(o.Types) > 30:
		return desk.Errorf(desk.Invalid, op, "DMDATAのデータ種類コードは30個までです（%d個あります）。", len(o.Types))
	case len(o.AppName) > 24:
		return desk.Errorf(desk.Invalid, op, "DMDATAのアプリケーション名は24バイトまでです。")
	}
	for _, host := range slices.Concat([]string{o.APIHost, o.DataHost}, o.SocketHosts) {
		if host == "" || strings.ContainsAny(host, "/@?# \t\r\n") {
			return desk.Errorf(desk.Invalid, op, "DMDATAの接続先はホスト名だけで設定します。")
		}
		if o.Plain && !loopback(host) {
			return desk.Errorf(desk.Invalid, op, "暗号化しない接続は試験用で、この計算機の中に限ります。")
		}
	}
	return nil
}

func loopback(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

// client never follows a redirect: a source speaks to its configured hosts and to nobody else.
func (o Options) client() *http.Client {
	c := http.Client{Timeout: o.Waits.Request}
	if shared, ok := http.DefaultTransport.(*http.Transport); ok {
		c.Transport = shared.Clone() // of our own, so that Run can close what it leaves idle
	}
	if o.Client != nil {
		c = *o.Client
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}
