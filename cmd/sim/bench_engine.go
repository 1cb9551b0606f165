package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"yagura/engine/compose"
	"yagura/engine/dispatch"
	"yagura/engine/route"
	"yagura/engine/send"
	"yagura/store"
	"yagura/store/desk"
)

const (
	benchSessions = 16
	benchSubject  = "【安否確認】石川県能登地方 震度7"
	benchBody     = "石川県能登地方で震度7の地震がありました。\n\n安否を確認しています。下のリンクを開いて、安否と登庁できるかを答えてください（ログインは不要です）。\n"
)

func benchLetters() compose.Options {
	return compose.Options{
		From: "anpi@desk.example", FromName: "当直室", LinkBase: "https://anpi.desk.example/r/", MessageIDHost: "desk.example",
		ReturnPath: "b-{id}@bounce.desk.example",
	}
}

// benchEngineCommand is the engine of the bench: dispatch and send, nothing else, unsigned mails. Lines "dispatch count" on
// standard input are acknowledged, and answered again when so many results of the dispatch are committed.
type benchEngineCommand struct {
	DSN string `required:"" help:"データベースの接続文字列。"`
}

// Run works until it is killed or standard input ends.
func (c *benchEngineCommand) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	debug.SetGCPercent(400) // as cmd/engine
	addresses, tokens, err := benchKeys()
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Options{DSN: c.DSN, Name: "bench engine", MaxConns: 12})
	if err != nil {
		return err
	}
	defer s.Close()
	opener, err := route.NewOpener(addresses)
	if err != nil {
		return err
	}
	watched := &watchedStore{Store: s, out: json.NewEncoder(os.Stdout)}
	name := fmt.Sprintf("bench-%d", os.Getpid())
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	wakeSend, wakeDispatch := make(chan struct{}, 1), make(chan struct{}, 1)
	sender := send.New(send.Options{
		Store: watched, Process: name, Holder: name, Opener: opener, Wake: wakeSend, Now: time.Now, Jitter: rand.Float64, Log: log,
		Compose: func(l desk.Letter) (send.Composer, error) { return compose.New(l, benchLetters()) },
		Token: func(m desk.Mail) (string, error) {
			return tokens.Sign(desk.Token{DispatchID: m.DispatchID, PersonID: m.PersonID, IssuedOn: m.CreatedAt})
		},
		Route: func(carrier desk.Carrier, gate route.Gate) send.Route {
			return route.New(carrier, route.Options{HeloName: "desk.example", Gate: gate, Now: time.Now, Log: log})
		},
	})
	expander := dispatch.New(dispatch.Options{
		Store: s, Holder: name, Wake: wakeDispatch, Now: time.Now, Log: log, Expanded: func(desk.DispatchID) { nudge(wakeSend) },
	})
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return sender.Run(ctx) })
	g.Go(func() error { return expander.Run(ctx) })
	g.Go(func() error {
		return s.Listen(ctx, []desk.Topic{desk.TopicDispatch}, func(desk.Wake) { nudge(wakeDispatch); nudge(wakeSend) })
	})
	go func() { // not waited for: a read of standard input cannot be interrupted
		defer stop()
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			watched.watch(lines.Text())
		}
	}()
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// watchedStore says when the last result of a dispatch is committed.
type watchedStore struct {
	*store.Store
	mu   sync.Mutex
	out  *json.Encoder
	want int
	seen sentDispatch
}

func (w *watchedStore) watch(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = sentDispatch{}
	if _, err := fmt.Sscan(line, &w.seen.Dispatch, &w.want); err == nil {
		_ = w.out.Encode(w.seen) // the reader is gone only when the bench is
	}
}

// RecordAttempts counts after the commit.
func (w *watchedStore) RecordAttempts(ctx context.Context, attempts []desk.Attempt) ([]desk.DispatchID, error) {
	stopped, err := w.Store.RecordAttempts(ctx, attempts)
	if err != nil {
		return nil, err
	}
	now := time.Now().UnixNano()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range attempts {
		if a.DispatchID != w.seen.Dispatch || a.Outcome != desk.Accepted {
			continue
		}
		if at := a.At.UnixNano(); w.seen.First == 0 || at < w.seen.First {
			w.seen.First = at
		}
		w.seen.Results++
	}
	if w.want > 0 && w.seen.Results >= w.want {
		w.seen.Last = now
		_ = w.out.Encode(w.seen)
		w.want = 0
	}
	return stopped, nil
}

// benchBareCommand is the same sender loop without a database: the same opener, composer, route, window and workers.
type benchBareCommand struct {
	Addr  string `required:"" help:"宛先の host:port。"`
	Count int    `required:"" help:"通数。"`
}

// Run sends and prints the seconds it took, and the size of a mail.
func (c *benchBareCommand) Run(ctx context.Context) error {
	carrier, err := laneAt(c.Addr)
	if err != nil {
		return err
	}
	addresses, tokens, err := benchKeys()
	if err != nil {
		return err
	}
	opener, err := route.NewOpener(addresses)
	if err != nil {
		return err
	}
	debug.SetGCPercent(400)
	now := time.Now()
	mails := make([]desk.Mail, c.Count)
	for i := range mails {
		a, err := addresses.Seal(fmt.Sprintf("p%d@docomo.example", i))
		if err != nil {
			return err
		}
		mails[i] = desk.Mail{ID: desk.MailID(i + 1), DispatchID: 1, PersonID: desk.PersonID(i + 1), Address: a, Lane: desk.DefaultLane, CreatedAt: now}
	}
	letter, err := compose.New(desk.Letter{DispatchID: 1, Mode: desk.Live, Subject: benchSubject, Body: benchBody}, benchLetters())
	if err != nil {
		return err
	}
	began := time.Now()
	size, err := bareSend(ctx, carrier, mails, func(dst []byte, m desk.Mail) (route.Item, error) {
		token, err := tokens.Sign(desk.Token{DispatchID: m.DispatchID, PersonID: m.PersonID, IssuedOn: m.CreatedAt})
		if err != nil {
			return route.Item{}, err
		}
		item, err := opener.Prepare(m, func(to string) ([]byte, error) { return letter.Compose(dst, m, to, token) })
		item.ReturnPath = letter.ReturnPath(m)
		return item, err
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(bareResult{Seconds: time.Since(began).Seconds(), Size: size})
}

type bareResult struct {
	Seconds float64 `json:"seconds"`
	Size    int     `json:"size"` // bytes of one mail
}

func bareSend(ctx context.Context, carrier desk.Carrier, mails []desk.Mail, prepare func([]byte, desk.Mail) (route.Item, error)) (size int, err error) {
	items, results := make(chan route.Item, desk.Window), make(chan route.Result, desk.Window)
	window := make(chan []byte, desk.Window)
	for range desk.Window {
		window <- nil
	}
	var next, last sync.WaitGroup
	work := make(chan desk.Mail, desk.Window)
	failed := make(chan error, runtime.GOMAXPROCS(0))
	buffers := sync.Map{}
	for range runtime.GOMAXPROCS(0) {
		next.Go(func() {
			for m := range work {
				item, err := prepare((<-window)[:0], m)
				if err != nil {
					failed <- err
					return
				}
				buffers.Store(m.ID, item.Data)
				items <- item
			}
		})
	}
	accepted := 0
	last.Go(func() {
		for r := range results {
			data, _ := buffers.LoadAndDelete(r.Mail.ID)
			if r.Outcome == desk.Accepted {
				accepted++
			}
			size = len(data.([]byte))
			window <- data.([]byte)
		}
	})
	r := route.New(carrier, route.Options{HeloName: "desk.example", Gate: route.GateFunc(func() bool { return true }), Now: time.Now})
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, items, results) }()
	for _, m := range mails {
		select {
		case work <- m:
		case err := <-failed:
			return 0, err
		}
	}
	close(work)
	next.Wait()
	close(items)
	err = <-done
	close(results)
	last.Wait()
	if err == nil && accepted != len(mails) {
		err = desk.Errorf(desk.Internal, "sim.bench", "受理 %d 通、予定 %d 通", accepted, len(mails))
	}
	return size, err
}
