package jma

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"yagura/feeds"
	"yagura/store/desk"
)

// PullName is the name of the pull as a source, in desk.Envelope.Feed.
const PullName = "jma-pull"

// PublicFeeds is the folder JMA's feeds and data files stand in (feeds.md 2).
const PublicFeeds = "https://www.data.jma.go.jp/developer/xml/"

// FirstFeed is the Atom feed that goes on when the day's budget is nearly used: earthquakes, tsunami, volcanoes.
const FirstFeed = "eqvol"

const pullOp = "jma.Pull"

// PullOptions says how a Pull works. Zero values take their defaults.
type PullOptions struct {
	Base      string                 // address of the folder that holds feed/ and data/; "" = PublicFeeds
	AllowHTTP bool                   // plain HTTP is for doubles on the own machine
	Feeds     []string               // short names; nil = eqvol, extra, regular, other
	Want      func(code string) bool // which data type codes are fetched ("" = the name tells none); nil = Wanted
	State     string                 // folder that remembers what was fetched and the day's bytes; "" = nothing survives a restart
	CatchUp   time.Duration          // how far back the very first start goes; 0 = 6 h. Later ones go back to what is remembered
	DayBytes  int64                  // hard budget of received bodies a day (JST); 0 = 2 GB
	FileBytes int64                  // largest telegram file; 0 = MaxBytes
	FeedBytes int64                  // largest feed, and four times that for a long one; 0 = 4 MiB

	Every     time.Duration                          // poll period; 0 = 1 min, the renewal of the short feeds
	Phase     time.Duration                          // where in the period the poll begins; 0 = 20 s, as JMA asks; negative = at its start
	Jitter    func(most time.Duration) time.Duration // a random part of most; nil = evenly distributed
	MaxJitter time.Duration                          // 0 = 3 s; negative = none
	MaxAge    bool                                   // instead of the period: Cache-Control max-age + 2 s, at least 10 s
	Long      time.Duration                          // how often the long feed is asked while a gap is open; 0 = 10 min
	Gap       time.Duration                          // without a poll for longer than this is a gap; 0 = 10 min
	Timeout   time.Duration                          // of one request, body included; 0 = 15 s
	Retry     time.Duration                          // first pause after a file failed, doubling to a minute; 0 = 2 s

	Client    http.RoundTripper // nil = a transport of its own
	UserAgent string            // "" = Yagura
	OnTrouble func(text string) // told each new Japanese sentence for the desk, and "" when all is well again; may be nil
	Log       *slog.Logger      // may be nil
	Now       func() time.Time  // required
}

// Pull is a feeds.Source that reads JMA's PULL 型 Atom feeds. Make it with NewPull.
type Pull struct {
	opt    PullOptions
	base   *url.URL
	client *http.Client

	out    sync.Mutex // one envelope at a time, whichever feed it came by
	health *pullHealth
	budget *budget
	taken  *taken
}

var (
	_ feeds.Source   = (*Pull)(nil)
	_ feeds.Reporter = (*Pull)(nil)
)

// NewPull makes a pull; nothing is asked before Run. The error is desk.Invalid and says which option is wrong.
func NewPull(o PullOptions) (*Pull, error) {
	o = o.withDefaults()
	base, err := url.Parse(o.Base)
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" {
		return nil, desk.Errorf(desk.Invalid, pullOp, "気象庁フィードのアドレスが正しくありません。")
	}
	if base.Scheme != "https" && (!o.AllowHTTP || base.Scheme != "http") {
		return nil, desk.Errorf(desk.Invalid, pullOp, "気象庁フィードのアドレスは https でなければなりません。")
	}
	if o.Now == nil || len(o.Feeds) == 0 {
		return nil, desk.Errorf(desk.Invalid, pullOp, "時計とフィード名が要ります。")
	}
	if least := max(o.FileBytes, o.FeedBytes); o.DayBytes < least {
		return nil, desk.Errorf(desk.Invalid, pullOp, "1日の受信量の上限（%dバイト）が1回分（%dバイト）より小さいです。", o.DayBytes, least)
	}
	if !strings.HasSuffix(base.Path, "/") {
		base.Path += "/"
	}
	p := &Pull{opt: o, base: base, health: newPullHealth()}
	p.client = &http.Client{Transport: o.Client, CheckRedirect: p.sameHost}
	p.open()
	return p, nil
}

func (o PullOptions) withDefaults() PullOptions {
	if o.Feeds == nil {
		o.Feeds = []string{FirstFeed, "extra", "regular", "other"}
	}
	if o.Want == nil {
		o.Want = Wanted
	}
	if o.Jitter == nil {
		o.Jitter = func(most time.Duration) time.Duration { return time.Duration(rand.Float64() * float64(most)) }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OnTrouble == nil {
		o.OnTrouble = func(string) {}
	}
	if o.Client == nil {
		// Bodies are counted as they come, so the transport must not unpack them behind our back.
		o.Client = &http.Transport{DisableCompression: true, MaxConnsPerHost: 8, IdleConnTimeout: 90 * time.Second, Proxy: http.ProxyFromEnvironment}
	}
	o.Base = orDefault(o.Base, PublicFeeds)
	o.UserAgent = orDefault(o.UserAgent, "Yagura")
	o.CatchUp = orDefault(o.CatchUp, 6*time.Hour)
	o.DayBytes = orDefault(o.DayBytes, 2_000_000_000)
	o.FileBytes = orDefault(o.FileBytes, MaxBytes)
	o.FeedBytes = orDefault(o.FeedBytes, 4<<20)
	o.Every = orDefault(o.Every, time.Minute)
	o.Phase = orDefault(o.Phase, 20*time.Second)
	o.MaxJitter = orDefault(o.MaxJitter, 3*time.Second)
	o.Long = orDefault(o.Long, 10*time.Minute)
	o.Gap = orDefault(o.Gap, 10*time.Minute)
	o.Timeout = orDefault(o.Timeout, 15*time.Second)
	o.Retry = orDefault(o.Retry, 2*time.Second)
	return o
}

func orDefault[T comparable](given, standard T) T {
	var zero T
	if given == zero {
		return standard
	}
	return given
}

// open reads what an earlier start left. A folder that cannot be used costs memory over restarts, never the telegrams.
func (p *Pull) open() {
	var ledger, names string
	if p.opt.State != "" {
		ledger, names = filepath.Join(p.opt.State, "pull-budget.json"), filepath.Join(p.opt.State, "pull-taken.txt")
	}
	p.budget = openBudget(p.opt.DayBytes, ledger, p.opt.Now)
	p.taken = openTaken(names, p.opt.CatchUp, p.opt.Now)
}

// Name is PullName.
func (p *Pull) Name() string { return PullName }

// Rhythm is three polls: one may fail, and the next may be late by its phase.
func (p *Pull) Rhythm() time.Duration { return 3 * p.opt.Every }

// Run polls every feed until ctx ends. Each feed has a loop of its own, so that one that stalls does not hold up the others; out
// is called by one at a time. It returns ctx.Err(), or the panic of a loop as an error.
func (p *Pull) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	p.noteState("taken", p.taken.resume())
	defer p.taken.close()
	p.health.start(p.opt.Feeds, p.opt.Now())
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	for _, name := range p.opt.Feeds {
		all.Go(func() {
			defer func() {
				if v := recover(); v != nil { // a panic of a goroutine would end the whole engine
					cancel(desk.Errorf(desk.Internal, pullOp, "panic: %v", v))
				}
			}()
			p.newFeed(name, out).run(ctx)
		})
	}
	all.Wait()
	p.noteState("budget", p.budget.write()) // exactly: nothing is under way any more
	return context.Cause(ctx)
}

// noteState tells whether what was fetched can be recorded; key names the record.
func (p *Pull) noteState(key string, err error) {
	text := ""
	if err != nil {
		p.opt.Log.Warn("what was fetched cannot be recorded", "source", PullName, "record", key, "err", err)
		text = "気象庁フィードの取得済みの記録を保存できません。再起動すると同じ電文を取り直すことがあります。"
	}
	p.trouble("state/"+key, text)
}

// trouble sets or, with "", ends one trouble by its key and tells the desk when the sentence has changed.
func (p *Pull) trouble(key, text string) {
	if sentence, changed := p.health.trouble(key, text); changed {
		p.opt.OnTrouble(sentence)
	}
}

// Health tells the feed that has been silent longest as LastContact: one dead feed must not hide behind three others.
func (p *Pull) Health() feeds.Health {
	h := p.health.read()
	h.Detail = fmt.Sprintf("本日 %.1f MB・更新なし %d 回・取得 %d 件",
		float64(p.budget.today())/1e6, p.health.unchanged.Load(), p.health.fetched.Load())
	return h
}

// sameHost follows a redirect only to where the request went: scheme and host as configured.
func (p *Pull) sameHost(r *http.Request, via []*http.Request) error {
	if r.URL.Scheme != p.base.Scheme || r.URL.Host != p.base.Host {
		return desk.Errorf(desk.Forbidden, pullOp, "気象庁フィードが別のホストへ転送しました。取得しません。")
	}
	if len(via) > 3 {
		return desk.Errorf(desk.Unavailable, pullOp, "気象庁フィードの転送が多すぎます。")
	}
	return nil
}

// first reports whether the feed goes on when the budget is nearly used.
func (p *Pull) first(feed string) bool {
	return feed == FirstFeed || !slices.Contains(p.opt.Feeds, FirstFeed)
}
