package answer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"yagura/store/desk"
	"yagura/store/storetest"
)

// nowhere takes every answer at once: the same handler without a database.
type nowhere struct{}

func (nowhere) RecordResponses(context.Context, []desk.Response) error { return nil }
func (nowhere) Headings(context.Context) ([]desk.Heading, error)       { return nil, nil }

// BenchmarkAnswers posts over 64 kept connections. limits.md §9 row 15: durable ÷ without a database must be ≥ 0.3.
func BenchmarkAnswers(b *testing.B) {
	for _, c := range []struct {
		name string
		open func() Store
	}{
		{"no-database", func() Store { return nowhere{} }},
		{"durable", func() Store {
			db := storetest.New(b)
			db.Exec(desks)
			return db.Store(storetest.Engine)
		}},
	} {
		b.Run(c.name, func(b *testing.B) { benchAnswers(b, c.open()) })
	}
}

func benchAnswers(b *testing.B, store Store) {
	keys := testKeys(b)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := New(Options{Listener: l, Keys: keys, Store: store, JournalDir: b.TempDir(), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	tokens := make([]string, 36000)
	for i := range tokens {
		tokens[i], _ = keys[0].Sign(desk.Token{DispatchID: desk.DispatchID(1 + i%3), PersonID: desk.PersonID(1 + i/3), IssuedOn: time.Now()})
	}
	var next atomic.Int64
	var mu sync.Mutex
	var all []time.Duration
	b.SetParallelism(32) // × GOMAXPROCS 2 = 64 connections
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		var took []time.Duration
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		for pb.Next() {
			began := time.Now()
			token := tokens[next.Add(1)%int64(len(tokens))]
			if err := postRaw(conn, in, token); err != nil {
				b.Error(err)
				return
			}
			took = append(took, time.Since(began))
		}
		mu.Lock()
		all = append(all, took...)
		mu.Unlock()
	})
	b.StopTimer()
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(s.Stats().Journaled), "journaled")
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

// postRaw is a client that costs next to nothing, so that the figure is the server's.
func postRaw(conn net.Conn, in *bufio.Reader, token string) error {
	const body = "safety=well&attendance=now&comment=%E7%84%A1%E4%BA%8B"
	if _, err := fmt.Fprintf(conn, "POST /r/%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body); err != nil {
		return err
	}
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !strings.HasPrefix(string(line), "HTTP/1.1 200 ") {
			return fmt.Errorf("%s", line)
		}
		if v, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(v)); err != nil {
				return err
			}
		}
		if len(line) == 2 {
			break
		}
	}
	_, err := io.CopyN(io.Discard, in, int64(length))
	return err
}
