package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"time"

	"yagura/engine"
	"yagura/engine/bulletin"
	"yagura/engine/compose"
	"yagura/engine/dispatch"
	"yagura/engine/intake"
	"yagura/engine/route"
	"yagura/engine/send"
	"yagura/engine/tally"
	"yagura/engine/watch"
	"yagura/engine/web"
	"yagura/engine/web/answer"
	"yagura/feeds"
	"yagura/feeds/replay"
	"yagura/store"
	"yagura/store/desk"
)

// wired is one engine with its three doors to the store: watching, sending and answering never wait for each other (law 15).
type wired struct {
	c       *config
	log     *slog.Logger
	holder  string
	desk    *door // telegrams, dispatches, tallies
	mails   *door // outbox and results
	answers *door
	keys    desk.TokenKeys
	opener  *route.Opener
	compose compose.Options
	sources []feeds.Source
	page    *answer.Service
	bell    *bell
}

func wire(ctx context.Context, c *config, log *slog.Logger) (*wired, error) {
	w := &wired{c: c, log: log, holder: fmt.Sprintf("%s/%d/%08x", c.Name, os.Getpid(), rand.Uint32()), bell: newBell()}
	key, err := c.addressKey()
	if err != nil {
		return nil, err
	}
	if w.opener, err = route.NewOpener(key); err != nil {
		return nil, err
	}
	if w.keys, err = c.tokenKeys(); err != nil {
		return nil, err
	}
	if w.compose, err = c.mails(); err != nil {
		return nil, err
	}
	if w.sources, err = c.sources(log); err != nil {
		return nil, err
	}
	for _, one := range []struct {
		to    **door
		name  string
		conns int32
	}{{&w.desk, "desk", 8}, {&w.mails, "mail", 12}, {&w.answers, "answer", 4}} {
		*one.to = newDoor(store.Options{DSN: c.DSN, Name: c.Name + " " + one.name, MaxConns: one.conns, Log: log})
	}
	// A connection string that cannot be read is said at once; a database that is away is waited for.
	first, cancel := context.WithTimeout(ctx, 2*knock)
	defer cancel()
	if _, err := w.desk.enter(first); desk.KindOf(err) == desk.Invalid {
		return nil, err
	}
	w.page = answer.New(answer.Options{
		Listen: c.AnswerListen, TLS: web.TLS{CertFile: c.TLSCert, KeyFile: c.TLSKey}, Keys: w.keys, Store: w.answers,
		JournalDir: c.Journal, Log: log, Now: time.Now,
	})
	return w, nil
}

func (w *wired) close() {
	for _, d := range []*door{w.desk, w.mails, w.answers} {
		d.close()
	}
}

// services in the order of starting; they stop in the reverse order, so intake ends first and what is under way is finished.
func (w *wired) services() []engine.Service {
	dispatches, mails := w.bell.line(), w.bell.line()
	return []engine.Service{
		{Name: "answer", Run: w.page.Run}, // first and behind no door: it takes answers while the database is away
		w.behind("listen", w.desk, w.bell.listen),
		w.behind("tally", w.desk, func(ctx context.Context, s *store.Store) error {
			return tally.New(tally.Options{Store: s, Log: w.log}).Run(ctx)
		}),
		w.behind("send", w.mails, func(ctx context.Context, s *store.Store) error { return send.New(w.sending(s, mails)).Run(ctx) }),
		w.behind("dispatch", w.desk, func(ctx context.Context, s *store.Store) error {
			return dispatch.New(dispatch.Options{
				Store: s, Holder: w.holder, Wake: dispatches, Now: time.Now, Log: w.log,
				Expanded: func(desk.DispatchID) { w.bell.ring() },
			}).Run(ctx)
		}),
		w.behind("watch", w.desk, func(ctx context.Context, s *store.Store) error {
			return watch.New(watch.Options{Store: s, Process: w.c.Name, Holder: w.holder, Now: time.Now, Log: w.log}).Run(ctx)
		}),
		w.behind("bulletin", w.desk, func(ctx context.Context, s *store.Store) error {
			return bulletin.New(bulletin.Options{
				Store: s, Holder: w.holder, Now: time.Now, Log: w.log, Issued: func(desk.Bulletin) { w.bell.ring() },
			}).Run(ctx)
		}),
		w.behind("intake", w.desk, func(ctx context.Context, s *store.Store) error {
			return intake.New(intake.Options{
				Store: s, Sources: w.sources, Holder: w.holder, Engine: w.c.Name, EDXL: w.c.EDXL, Now: time.Now, Log: w.log,
			}).Run(ctx)
		}),
	}
}

func (w *wired) sending(s *store.Store, wake <-chan struct{}) send.Options {
	return send.Options{
		Store: s, Process: w.c.Name, Holder: w.holder, Opener: w.opener, Wake: wake, Now: time.Now, Jitter: rand.Float64, Log: w.log,
		Compose: func(l desk.Letter) (send.Composer, error) { return compose.New(l, w.compose) },
		Token: func(m desk.Mail) (string, error) {
			return w.keys[0].Sign(desk.Token{DispatchID: m.DispatchID, PersonID: m.PersonID, IssuedOn: m.CreatedAt})
		},
		Route: func(c desk.Carrier, gate route.Gate) send.Route {
			return route.New(c, route.Options{
				HeloName: w.c.Host, Gate: gate, Now: time.Now, Seed: rand.Uint64(), Log: w.log,
				TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12}, // wherever a carrier offers it (reliability.md 3.7)
			})
		},
		Note: func() string {
			s := w.page.Stats()
			return fmt.Sprintf("回答 %d・退避中 %d", s.Stored+s.Drained, s.Journaled-s.Drained)
		},
	}
}

func recorded(name string) ([]desk.Envelope, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return replay.Files(name)
	}
	scenario, err := replay.Builtin(name)
	if err != nil {
		return nil, err
	}
	return scenario.Envelopes()
}

// delayed is a source that begins after a pause.
type delayed struct {
	feeds.Source
	wait time.Duration
}

// Run waits and then runs the source.
func (d delayed) Run(ctx context.Context, out func(context.Context, desk.Envelope) error) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d.wait):
		return d.Source.Run(ctx, out)
	}
}
