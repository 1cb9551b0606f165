package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"yagura/store/desk"
)

// Carriers are 模擬事業者一式: every profile with its listener, and the control port. Used by the verbs and by the demonstration.
type Carriers struct {
	sinks   []*sink
	doors   []net.Listener
	control net.Listener
	spool   *spool
	staff   *staff // nil without staff
}

// spoolSize holds every mail of a dispatch to 15,500 addresses several times over.
const spoolSize = 1 << 16

// OpenCarriers listens for every profile of dir ("" = the shipped ones) on host, on free ports, and for control on the address
// given ("127.0.0.1:0" = free port). Only loopback addresses are allowed. withSpool keeps the links of accepted mails for staff.
func OpenCarriers(dir, host, control string, withSpool bool) (*Carriers, error) {
	const op = "sim.OpenCarriers"
	profiles, err := loadProfiles(dir)
	if err != nil {
		return nil, err
	}
	w := &Carriers{}
	if withSpool {
		w.spool = newSpool(spoolSize)
	}
	for _, address := range []string{net.JoinHostPort(host, "0"), control} {
		if h, _, err := net.SplitHostPort(address); err != nil || !net.ParseIP(h).IsLoopback() {
			return nil, desk.Errorf(desk.Invalid, op, "模擬事業者はこの計算機の中 (127.0.0.1) だけで動きます。")
		}
	}
	for _, p := range profiles {
		door, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		if err != nil {
			w.close()
			return nil, desk.Wrap(desk.Unavailable, op, err)
		}
		w.doors = append(w.doors, door)
		w.sinks = append(w.sinks, newSink(p, w.spool))
	}
	if w.control, err = net.Listen("tcp", control); err != nil {
		w.close()
		return nil, desk.Wrap(desk.Unavailable, op, err)
	}
	return w, nil
}

func (w *Carriers) close() {
	for _, d := range w.doors {
		_ = d.Close()
	}
}

// Lanes are the carriers as store.SetCarriers wants them.
func (w *Carriers) Lanes() []desk.Carrier {
	var out []desk.Carrier
	for i, k := range w.sinks {
		out = append(out, k.profile.carrier(w.doors[i].Addr()))
	}
	return out
}

// Control is host:port of the control pages.
func (w *Carriers) Control() string { return w.control.Addr().String() }

// Run serves until ctx ends.
func (w *Carriers) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, k := range w.sinks {
		group.Go(func() error { return k.run(ctx, w.doors[i]) })
	}
	server := &http.Server{Handler: w.pages(), ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	group.Go(func() error {
		if err := server.Serve(w.control); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	if w.staff != nil {
		group.Go(func() error { return w.staff.run(ctx, w.spool.ch) })
	}
	return group.Wait()
}

// Stats is GET /stats.
type Stats struct {
	Total    carrierStats   `json:"total"`
	Carriers []carrierStats `json:"carriers"`
	Lost     int64          `json:"spool_lost"` // deliveries the staff never saw because the spool was full
	Staff    *StaffStats    `json:"staff,omitempty"`
}

// Stats counts everything at this moment, carrier by carrier.
func (w *Carriers) Stats() Stats {
	s := Stats{Total: carrierStats{Lane: "total"}}
	for _, k := range w.sinks {
		one := k.stats()
		s.Carriers = append(s.Carriers, one)
		s.Total.add(one)
	}
	if w.spool != nil {
		s.Lost = w.spool.lost.Load()
	}
	if w.staff != nil {
		now := w.staff.stats()
		s.Staff = &now
	}
	return s
}

func (c *carrierStats) add(o carrierStats) {
	c.Accepted += o.Accepted
	c.Mailboxes += o.Mailboxes
	c.Mails += o.Mails
	c.Duplicates += o.Duplicates
	c.Dropped += o.Dropped
	c.Unknown += o.Unknown
	c.Deferred += o.Deferred
	c.RefusedData += o.RefusedData
	c.Resets += o.Resets
	c.TooMany += o.TooMany
	c.Sessions += o.Sessions
	c.SessionsMax += o.SessionsMax
	if c.FirstAt.IsZero() || (!o.FirstAt.IsZero() && o.FirstAt.Before(c.FirstAt)) {
		c.FirstAt = o.FirstAt
	}
	if o.LastAt.After(c.LastAt) {
		c.LastAt = o.LastAt
	}
}

// Duplicates lists every Message-ID that was accepted more than once, with its count.
func (w *Carriers) Duplicates() map[string]int {
	out := map[string]int{}
	for _, k := range w.sinks {
		k.mu.Lock()
		for id, n := range k.book.ids {
			if n > 1 {
				out[id] += n
			}
		}
		k.mu.Unlock()
	}
	return out
}

// Reset forgets all counts.
func (w *Carriers) Reset() {
	for _, k := range w.sinks {
		k.reset()
	}
}

// Mailing is what all mailboxes got of the mailing with that number; empty when nobody got it.
func (w *Carriers) Mailing(number string) Mailing {
	all := Mailing{Mailboxes: map[string]int{}}
	for _, k := range w.sinks {
		k.mu.Lock()
		if m := k.book.mailings[number]; m != nil {
			all.Linked += m.Linked
			for to, n := range m.Mailboxes {
				all.Mailboxes[to] += n
			}
		}
		k.mu.Unlock()
	}
	return all
}

func (w *Carriers) mailbox(to string) (box, bool) {
	for _, k := range w.sinks {
		k.mu.Lock()
		found := k.book.boxes[to]
		var b box
		if found != nil {
			b = *found
		}
		k.mu.Unlock()
		if found != nil {
			return b, true
		}
	}
	return box{}, false
}

func (w *Carriers) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stats", func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, w.Stats()) })
	mux.HandleFunc("GET /carriers", func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, w.Lanes()) })
	mux.HandleFunc("GET /duplicates", func(out http.ResponseWriter, _ *http.Request) { writeJSON(out, w.Duplicates()) })
	mux.HandleFunc("POST /reset", func(out http.ResponseWriter, _ *http.Request) {
		w.Reset()
		out.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /mailbox", func(out http.ResponseWriter, in *http.Request) {
		b, found := w.mailbox(in.URL.Query().Get("to"))
		if !found {
			http.Error(out, "no such mailbox", http.StatusNotFound)
			return
		}
		writeJSON(out, b)
	})
	mux.HandleFunc("GET /mailing", func(out http.ResponseWriter, in *http.Request) {
		writeJSON(out, w.Mailing(in.URL.Query().Get("number")))
	})
	mux.HandleFunc("GET /spool", w.spoolPage)
	return mux
}

// spoolPage streams deliveries, one JSON object a line, to a staff simulator in another process. Each goes to one reader.
func (w *Carriers) spoolPage(out http.ResponseWriter, in *http.Request) {
	if w.spool == nil || w.staff != nil {
		http.Error(out, "the spool is not open", http.StatusConflict)
		return
	}
	flusher := http.NewResponseController(out)
	encoder := json.NewEncoder(out)
	out.WriteHeader(http.StatusOK)
	_ = flusher.Flush()
	for {
		select {
		case <-in.Context().Done():
			return
		case d := <-w.spool.ch:
			if encoder.Encode(d) != nil {
				return
			}
			if len(w.spool.ch) == 0 && flusher.Flush() != nil {
				return
			}
		}
	}
}

func writeJSON(out http.ResponseWriter, v any) {
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(v) // the reader went away: nothing to do
}

type listenFlags struct {
	Dir     string `help:"事業者ファイル（*.json）のフォルダー。省略時は同梱のもの。" placeholder:"DIR"`
	Host    string `help:"SMTP を受けるアドレス（この計算機の中だけ）。" default:"127.0.0.1"`
	Control string `help:"制御ページのアドレス。" default:"127.0.0.1:0"`
}

type carriersCommand struct {
	listenFlags
	Spool bool `help:"受け取ったメールのリンクを /spool で渡します。"`
}

// Run prints one line of JSON with the ports, then serves until a signal; at the end it prints the counts.
func (c *carriersCommand) Run(ctx context.Context) error {
	w, err := OpenCarriers(c.Dir, c.Host, c.Control, c.Spool)
	if err != nil {
		return err
	}
	return serveWorld(ctx, w)
}

func serveWorld(ctx context.Context, w *Carriers) error {
	out := json.NewEncoder(os.Stdout)
	start := struct {
		Control  string         `json:"control"`
		Carriers []desk.Carrier `json:"carriers"`
	}{w.Control(), w.Lanes()}
	if err := out.Encode(start); err != nil {
		return desk.Wrap(desk.Internal, "sim.serve", err)
	}
	if err := w.Run(ctx); err != nil && ctx.Err() == nil {
		return desk.Wrap(desk.Unavailable, "sim.serve", err)
	}
	return out.Encode(w.Stats())
}
