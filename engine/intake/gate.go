package intake

import (
	"context"
	"sync"
	"time"

	"yagura/feeds"
	"yagura/store/desk"
)

// gate stands between one source and the store. It slows a source that floods, so that neither the store nor the memory is
// filled by it, and it keeps what is known of the source's health. Every source has its own: none can hold up another.
type gate struct {
	name        string
	reporter    feeds.Reporter // nil when the source does not tell its health
	rate, burst float64

	mu       sync.Mutex
	tokens   float64
	filled   time.Time
	slowed   time.Time // when it was held back last
	received time.Time
	failed   bool      // its Run came back with an error
	turned   time.Time // when it was last started or came back
	restarts int
}

func newGate(source feeds.Source, rate, burst int) *gate {
	reporter, _ := source.(feeds.Reporter)
	return &gate{name: source.Name(), reporter: reporter, rate: float64(rate), burst: float64(burst), tokens: float64(burst)}
}

// pass lets one telegram through, waiting while the source is ahead of its rate; false when ctx ended first.
func (g *gate) pass(ctx context.Context, now func() time.Time) bool {
	for {
		wait := g.take(now())
		if wait == 0 {
			return true
		}
		if !pause(ctx, wait) {
			return false
		}
	}
}

func (g *gate) take(now time.Time) (wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.filled.IsZero() && now.After(g.filled) {
		g.tokens = min(g.burst, g.tokens+now.Sub(g.filled).Seconds()*g.rate)
	}
	g.filled = now
	if g.tokens < 1 {
		g.slowed = now
		return max(time.Millisecond, time.Duration((1-g.tokens)/g.rate*float64(time.Second)))
	}
	g.tokens--
	return 0
}

func (g *gate) took(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.received, g.failed = now, false
}

// began notes that the source is started, ended that its Run came back.
func (g *gate) began(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.turned = now
}

func (g *gate) ended(err error, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failed, g.turned = err != nil, now
	if g.failed {
		g.restarts++
	}
}

// settled is how long a source that was started again has to run before it counts as well; it may have nothing to bring for months.
const settled = 15 * time.Second

// slowedFor is how long a flood is spoken of after it was last held back.
const slowedFor = 10 * time.Second

// health is what the desk is told of the source: its own words first, then what is seen from here.
func (g *gate) health(now time.Time) desk.SourceHealth {
	g.mu.Lock()
	h := desk.SourceHealth{Name: g.name, LastReceived: g.received, LastContact: g.received, Reconnects: g.restarts}
	failed, flooded := g.failed && now.Sub(g.turned) < settled, !g.slowed.IsZero() && now.Sub(g.slowed) < slowedFor
	g.mu.Unlock()
	if g.reporter != nil {
		own := g.reporter.Health()
		// Its own word on contact stands alone: a source of several feeds tells the one that has been silent longest.
		h.LastReceived, h.LastContact = later(h.LastReceived, own.LastReceived), own.LastContact
		h.Reconnects += own.Reconnects
		h.Trouble, h.Detail, h.Rhythm = own.Trouble, own.Detail, g.reporter.Rhythm()
	}
	switch {
	case h.Trouble != "":
	case failed:
		h.Trouble = "受信系統が止まったため、つなぎ直しています。"
	case flooded:
		h.Trouble = "電文が多すぎるため、この系統の受け取りを遅らせています。ほかの系統に影響はありません。"
	}
	return h
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// healthRounds is after how many looks the health is noted although nothing changed, so that the desk sees that somebody looks.
const healthRounds = 5

// noteHealth writes the health of one source to the store: every look when it changed, every fifth in any case. A store that is
// away misses a note and nothing else.
func (in *Intake) noteHealth(ctx context.Context, g *gate) {
	tick := time.NewTicker(in.Health)
	defer tick.Stop()
	var noted desk.SourceHealth
	for round := healthRounds; ; round++ { // the first look is always noted
		h := g.health(in.Now())
		h.Engine, h.Lag = in.Engine, in.lagOf(g.name)
		if n := in.garbage.within(g.name, in.Now()); n >= garbageFrom && h.Trouble == "" {
			h.Trouble = "読み取れない電文が続いています。受信一覧で内容を確かめてください。"
		}
		if h != noted || round >= healthRounds {
			if err := in.Store.NoteSource(ctx, h); err == nil {
				noted, round = h, 0
			} else if ctx.Err() == nil {
				in.Log.Debug("source health is not noted", "source", g.name, "kind", desk.KindOf(err))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// garbageFrom is from how many unreadable telegrams in garbageSpan on a source is said to send garbage.
const (
	garbageFrom = 5
	garbageSpan = time.Minute
)

// garbage counts the unreadable telegrams of each feed in the current span. The zero value is ready.
type garbage struct {
	mu    sync.Mutex
	feeds map[string]garbageCount
}

type garbageCount struct {
	since time.Time
	n     int
}

func (g *garbage) note(feed string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.feeds[feed]
	if now.Sub(c.since) > garbageSpan {
		c = garbageCount{since: now}
	}
	c.n++
	if g.feeds == nil {
		g.feeds = map[string]garbageCount{}
	}
	g.feeds[feed] = c
}

func (g *garbage) within(feed string, now time.Time) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.feeds[feed]; now.Sub(c.since) <= garbageSpan {
		return c.n
	}
	return 0
}

// lagOf is received minus issued of the latest telegram that was read of a feed; 0 when not known at this engine.
func (in *Intake) lagOf(feed string) time.Duration {
	lag, ok := in.lags.Load(feed)
	if !ok {
		return 0
	}
	return lag.(time.Duration)
}

func (in *Intake) noteLag(t *desk.Telegram) {
	if !t.PressTime.IsZero() && t.ReceivedAt.After(t.PressTime) {
		in.lags.Store(t.Feed, t.ReceivedAt.Sub(t.PressTime))
	}
}
