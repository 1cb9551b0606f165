package jma

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"yagura/store/desk"
)

const (
	brokenTries  = 5                  // a body that is no whole telegram is handed over as it is after so many tries (law 1)
	loudTries    = 3                  // failures of one file before the desk is told
	patientTries = 60                 // failures of one file before it is asked for only every ten minutes
	forgetAfter  = 7 * 24 * time.Hour // a file that cannot be had stands in no feed any more by then
	aheadMost    = time.Hour          // how far ahead of our clock a press time is believed; JMA's is never in the future
	gapPatience  = 2 * time.Hour      // a gap is given up when the hourly long feed has not been renewed by then
)

// pullFeed is the loop of one feed. Only its own goroutine touches it.
type pullFeed struct {
	p    *Pull
	name string
	out  func(context.Context, desk.Envelope) error

	short, long validators
	failures    int       // polls in a row that failed
	polled      time.Time // the last poll that succeeded
	seen        time.Time // press time of the newest entry so far
	gap         time.Time // until when entries may be missing; zero when none
	nextLong    time.Time
	pending     map[string]*pendingFile
}

// pendingFile is a file that stands in a feed and is not stored yet.
type pendingFile struct {
	atomEntry
	live  bool // from the short feed: goes before the backlog of a gap
	tries int
	due   time.Time
}

func (p *Pull) newFeed(name string, out func(context.Context, desk.Envelope) error) *pullFeed {
	return &pullFeed{p: p, name: name, out: out, pending: map[string]*pendingFile{}}
}

// run polls at the phase of each period and uses the time between for the files.
func (f *pullFeed) run(ctx context.Context) {
	for ctx.Err() == nil {
		next := f.p.next(f.p.opt.Now(), f.poll(ctx))
		for ctx.Err() == nil {
			f.fetch(ctx, next, false)
			now := f.p.opt.Now()
			if !now.Before(next) {
				break
			}
			pause(ctx, min(next.Sub(now), f.untilRetry(now)))
		}
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(max(d, time.Millisecond))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// next is when the following poll begins: JMA asks to start about second 20 of the minute (feeds.md 2).
func (p *Pull) next(now time.Time, age time.Duration) time.Time {
	jitter := p.opt.Jitter(max(p.opt.MaxJitter, 0))
	if p.opt.MaxAge && age >= 0 {
		return now.Add(max(age+2*time.Second, 10*time.Second) + jitter)
	}
	phase := max(p.opt.Phase, 0)
	return now.Add(-phase).Truncate(p.opt.Every).Add(p.opt.Every + phase + jitter)
}

// poll asks for the short feed, and for the long one while something may be missing. It returns the max-age, or -1.
func (f *pullFeed) poll(ctx context.Context) time.Duration {
	if !f.p.mayPoll(f.name) {
		return -1
	}
	feed, a, err := f.p.getFeed(ctx, f.name, &f.short, f.p.opt.FeedBytes)
	now := f.p.opt.Now()
	f.enqueue(feed.Entries, true, now) // also what an unreadable feed gave before it broke
	if err != nil {
		f.fail(ctx, err)
		return -1
	}
	f.ok(now)
	if f.isGap(feed, now) {
		f.gap, f.nextLong = now, now
	}
	f.polled = now
	for _, e := range feed.Entries {
		if e.Press.After(f.seen) && e.Press.Before(now.Add(aheadMost)) { // one entry of next year must not hide every later gap
			f.seen = e.Press
		}
	}
	if !f.gap.IsZero() && !now.Before(f.nextLong) {
		f.fetch(ctx, now.Add(f.p.opt.Timeout), true) // what is new goes first
		f.catchUp(ctx, now)
	}
	return a.maxAge
}

// isGap reports that telegrams may have come and gone unseen: the start, a long silence, or a feed that no longer reaches
// back to what was seen last.
func (f *pullFeed) isGap(feed atomFeed, now time.Time) bool {
	return f.polled.IsZero() || now.Sub(f.polled) > f.p.opt.Gap ||
		len(feed.Entries) > 0 && feed.Entries[0].Press.After(f.seen)
}

// catchUp reads the long feed. It is renewed hourly, so a gap is closed only by one that was written after the gap had ended.
func (f *pullFeed) catchUp(ctx context.Context, now time.Time) {
	feed, _, err := f.p.getFeed(ctx, f.name+"_l", &f.long, 4*f.p.opt.FeedBytes)
	f.enqueue(feed.Entries, false, now)
	f.nextLong = now.Add(f.p.opt.Long)
	key := "gap/" + f.name
	switch {
	case errors.Is(err, errBudget), ctx.Err() != nil:
	case err != nil:
		f.nextLong = now.Add(f.p.opt.Every)
		f.p.opt.Log.Warn("long feed failed", "source", PullName, "feed", f.name, "err", err)
		f.p.trouble(key, "気象庁の"+japaneseFeed(f.name)+"フィードの取りこぼしを確かめられません。")
		return
	case feed.Updated.After(f.gap), now.Sub(f.gap) > gapPatience:
		f.gap = time.Time{}
	}
	f.p.trouble(key, "")
}

func (f *pullFeed) fail(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, errBudget) {
		return
	}
	f.failures++
	f.p.health.failed(f.name)
	f.p.opt.Log.Warn("feed failed", "source", PullName, "feed", f.name, "err", err, "in_a_row", f.failures)
	if f.failures < 2 { // one lost poll is ordinary; the next one brings the same
		return
	}
	text := "を受信できません。"
	if desk.KindOf(err) == desk.Invalid {
		text = "を読めません。"
	}
	f.p.trouble("feed/"+f.name, "気象庁の"+japaneseFeed(f.name)+"フィード"+text)
}

func (f *pullFeed) ok(now time.Time) {
	f.failures = 0
	f.p.health.answered(f.name, now)
	f.p.trouble("feed/"+f.name, "")
}

func japaneseFeed(name string) string {
	switch name {
	case FirstFeed:
		return "地震火山"
	case "extra":
		return "随時"
	case "regular":
		return "定時"
	case "other":
		return "その他"
	}
	return name
}

// enqueue claims the files that are wanted and not taken.
func (f *pullFeed) enqueue(entries []atomEntry, live bool, now time.Time) {
	for _, e := range entries {
		if f.p.opt.Want(e.Type) && f.p.taken.claim(e.Name, e.Press) {
			f.pending[e.Name] = &pendingFile{atomEntry: e, live: live, due: now}
		}
	}
}

// untilRetry is how long until the next file that failed is due.
func (f *pullFeed) untilRetry(now time.Time) time.Duration {
	least := time.Duration(1<<63 - 1)
	for _, file := range f.pending {
		least = min(least, file.due.Sub(now))
	}
	return least
}

// fetch takes the files that are due, the live ones first, in order of press time, until the moment of the next poll.
func (f *pullFeed) fetch(ctx context.Context, until time.Time, liveOnly bool) {
	files := slices.SortedFunc(maps.Values(f.pending), func(a, b *pendingFile) int {
		if a.live != b.live {
			if a.live {
				return -1
			}
			return 1
		}
		return cmp.Or(a.Press.Compare(b.Press), cmp.Compare(a.Name, b.Name))
	})
	for _, file := range files {
		now := f.p.opt.Now()
		if ctx.Err() != nil || !now.Before(until) {
			break
		}
		if now.Before(file.due) || liveOnly && !file.live {
			continue
		}
		if !f.p.first(f.name) && f.p.budget.nearly() {
			file.due = until // the poll of this feed rests, too
			continue
		}
		f.take(ctx, file, until)
	}
	f.tellStuck()
}

// take fetches one file and hands it over.
func (f *pullFeed) take(ctx context.Context, file *pendingFile, until time.Time) {
	a, err := f.p.get(ctx, "data/"+file.Name, validators{}, f.p.opt.FileBytes)
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, errBudget):
		file.due = until
		return
	case errors.Is(err, errTooLarge):
		f.p.trouble("large", fmt.Sprintf("大きすぎて受信しない電文があります（%s）。気象庁のページで確かめてください。", file.Name))
		f.settle(file)
		return
	case err == nil && !whole(a.body) && file.tries+1 < brokenTries:
		err = desk.Errorf(desk.Invalid, pullOp, "電文が途中で切れているか、電文ではありません。")
	}
	if err != nil {
		f.later(file, err)
		return
	}
	env := desk.Envelope{Feed: PullName, Name: file.Name, Raw: a.body, ReceivedAt: f.p.opt.Now()}
	if f.p.hand(ctx, f.out, env) {
		f.settle(file)
	}
}

func (f *pullFeed) settle(file *pendingFile) {
	delete(f.pending, file.Name)
	f.p.noteState("taken", f.p.taken.settle(file.Name, file.Press))
}

// later puts a file that failed back with a growing pause; it never stops the others.
func (f *pullFeed) later(file *pendingFile, err error) {
	now := f.p.opt.Now()
	file.tries++
	gap := min(f.p.opt.Retry<<min(file.tries-1, 10), time.Minute)
	if file.tries > patientTries {
		gap = 10 * time.Minute
	}
	file.due = now.Add(gap)
	f.p.opt.Log.Warn("file failed", "source", PullName, "file", file.Name, "err", err, "tries", file.tries)
	if !file.Press.IsZero() && now.Sub(file.Press) > max(forgetAfter, f.p.opt.CatchUp) {
		delete(f.pending, file.Name)
		f.p.taken.release(file.Name)
	}
}

// tellStuck tells the desk of files that stand in the feed and cannot be had.
func (f *pullFeed) tellStuck() {
	stuck, name := 0, ""
	for _, file := range f.pending {
		if file.tries >= loudTries {
			stuck++
			if name == "" || file.Name < name {
				name = file.Name
			}
		}
	}
	text := ""
	if stuck > 0 {
		text = fmt.Sprintf("気象庁の%sフィードに、取得できない電文が%d件あります（%s）。", japaneseFeed(f.name), stuck, name)
	}
	f.p.trouble("file/"+f.name, text)
}

// hand offers one envelope until it is stored. While it is not, nothing else is offered (feeds.Source). It reports false when ctx ends.
func (p *Pull) hand(ctx context.Context, out func(context.Context, desk.Envelope) error, env desk.Envelope) bool {
	p.out.Lock()
	defer p.out.Unlock()
	for gap := p.opt.Retry / 4; ctx.Err() == nil; gap = min(2*gap, 5*time.Second) {
		err := out(ctx, env)
		if err == nil {
			p.health.handed(env.ReceivedAt)
			return true
		}
		p.opt.Log.Warn("telegram is not stored yet", "source", PullName, "file", env.Name, "kind", desk.KindOf(err))
		pause(ctx, gap)
	}
	return false
}

// mayPoll reports whether the budget lets a feed be asked, and tells the desk when it does not.
func (p *Pull) mayPoll(feed string) bool {
	nearly, spent := p.budget.nearly(), p.budget.today()+max(p.opt.FeedBytes, p.opt.FileBytes) > p.opt.DayBytes
	switch {
	case spent:
		p.trouble("budget", "本日の受信量の上限に達しました。気象庁フィードの受信を0時まで止めています。")
		return false
	case nearly:
		p.trouble("budget", "本日の受信量が上限に近いため、気象庁は地震火山のフィードだけを受信しています。")
	default:
		p.trouble("budget", "")
	}
	if nearly && !p.first(feed) {
		p.health.paused(feed)
		return false
	}
	return true
}
