package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"yagura/engine/web/answer"
	"yagura/store"
	"yagura/store/desk"
)

// benchProcesses are the verbs the bench starts in processes of their own.
type benchProcesses struct {
	BenchEngine benchEngineCommand `cmd:"" hidden:""`
	BenchBare   benchBareCommand   `cmd:"" hidden:""`
	BenchAnswer benchAnswerCommand `cmd:"" hidden:""`
}

const answerClients = 64

// benchAnswerCommand is the answer page in a process of its own. It prints its address.
type benchAnswerCommand struct {
	DSN     string `help:"データベースの接続文字列。"`
	Mode    string `required:"" enum:"grouped,each,none" help:"grouped: 製品のまま、each: 回答ごとに 1 取引、none: データベースなし。"`
	Journal string `required:"" help:"一時保管のフォルダー。"`
}

// Run serves until it is killed or ctx ends.
func (c *benchAnswerCommand) Run(ctx context.Context) error {
	_, tokens, err := benchKeys()
	if err != nil {
		return err
	}
	var keep answer.Store = nowhere{}
	if c.Mode != "none" {
		s, err := store.Open(ctx, store.Options{DSN: c.DSN, Name: "bench answers", MaxConns: 16})
		if err != nil {
			return err
		}
		defer s.Close()
		keep = s
		if c.Mode == "each" {
			keep = oneEach{s}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	page := answer.New(answer.Options{
		Listener: l, Keys: desk.TokenKeys{tokens}, Store: keep, JournalDir: c.Journal, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"addr": l.Addr().String()}); err != nil {
		return err
	}
	return page.Run(ctx)
}

// nowhere is no database at all.
type nowhere struct{}

func (nowhere) RecordResponses(context.Context, []desk.Response) error { return nil }
func (nowhere) Headings(context.Context) ([]desk.Heading, error)       { return nil, nil }

// oneEach is what a page without a writer would do: one transaction an answer, over the whole pool.
type oneEach struct{ *store.Store }

func (s oneEach) RecordResponses(ctx context.Context, batch []desk.Response) error {
	var g errgroup.Group
	g.SetLimit(16)
	for i := range batch {
		g.Go(func() error { return s.Store.RecordResponses(ctx, batch[i:i+1]) })
	}
	return g.Wait()
}

// answerPage starts the page and gives its address.
func (b *bench) answerPage(ctx context.Context, o *benchOffice, mode string) (*benchEngine, string, error) {
	journal, err := os.MkdirTemp(filepath.Dir(b.Out), "bench-journal-")
	if err != nil {
		return nil, "", desk.Wrap(desk.Unavailable, "sim.bench", err)
	}
	e, err := spawn(ctx, "bench-answer", "--mode", mode, "--journal", journal, "--dsn", b.pg.DSN(o.database, "yagura_engine"))
	if err != nil {
		return nil, "", err
	}
	var at struct{ Addr string }
	if err := e.read(&at); err != nil {
		e.kill()
		return nil, "", err
	}
	e.after = func() { _ = os.RemoveAll(journal) } // what is in it was made up
	return e, at.Addr, nil
}

// answering posts answers from answerClients connections until count are posted or ctx ends, each person in turn. It gives
// the answers a second and every latency in milliseconds.
func answering(ctx context.Context, addr string, id desk.DispatchID, people []desk.PersonID, count int) (perSecond float64, latencies []float64, err error) {
	_, tokens, err := benchKeys()
	if err != nil {
		return 0, nil, err
	}
	var next atomic.Int64
	var mu sync.Mutex
	var g errgroup.Group
	began := time.Now()
	for range answerClients {
		g.Go(func() error {
			var mine []float64
			defer func() { mu.Lock(); latencies = append(latencies, mine...); mu.Unlock() }()
			client, err := dialPhone(ctx, addr)
			if err != nil {
				return err
			}
			defer client.conn.Close()
			for ctx.Err() == nil {
				n := int(next.Add(1))
				if n > count {
					return nil
				}
				text, err := tokens.Sign(desk.Token{DispatchID: id, PersonID: people[n%len(people)], IssuedOn: began})
				if err != nil {
					return err
				}
				took, err := client.post("/r/" + text)
				if err != nil {
					return err
				}
				mine = append(mine, took.Seconds()*1000)
			}
			return nil
		})
	}
	err = g.Wait()
	return float64(len(latencies)) / time.Since(began).Seconds(), latencies, err
}

// phone is one keep-alive connection of somebody who answers. It speaks just enough HTTP/1.1, because the phones are not on the
// machine that is measured: net/http's client would take more of its processors than the page does (limits.md §5 used wrk).
type phone struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte
}

func dialPhone(ctx context.Context, addr string) (*phone, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, desk.Wrap(desk.Unavailable, "sim.bench", err)
	}
	return &phone{conn: conn, in: bufio.NewReaderSize(conn, 16<<10)}, nil
}

// post sends one answer and reads the page that says it is kept.
func (p *phone) post(path string) (time.Duration, error) {
	const op, form = "sim.bench", "safety=well&attendance=now&comment="
	began := time.Now()
	p.out = fmt.Appendf(p.out[:0], "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", path, len(form), form)
	_ = p.conn.SetDeadline(began.Add(10 * time.Second)) // a dead connection says so at once
	if _, err := p.conn.Write(p.out); err != nil {
		return 0, desk.Wrap(desk.Unavailable, op, err)
	}
	status, size := 0, -1
	for line := 0; ; line++ {
		text, err := p.in.ReadSlice('\n')
		if err != nil {
			return 0, desk.Wrap(desk.Unavailable, op, err)
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			break
		}
		name, value, _ := bytes.Cut(text, []byte(":"))
		switch {
		case line == 0 && len(text) >= 12:
			status, _ = strconv.Atoi(string(text[9:12]))
		case bytes.EqualFold(name, []byte("Content-Length")):
			size, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	if size < 0 || size > 1<<20 {
		return 0, desk.Errorf(desk.Internal, op, "回答ページが長さを言いませんでした。")
	}
	p.body = slices.Grow(p.body[:0], size)[:size]
	if _, err := io.ReadFull(p.in, p.body); err != nil {
		return 0, desk.Wrap(desk.Unavailable, op, err)
	}
	if status != http.StatusOK || !bytes.Contains(p.body, []byte("記録しました")) {
		return 0, desk.Errorf(desk.Internal, op, "回答ページが %d を返しました。", status)
	}
	return time.Since(began), nil
}

// latestDispatch is a dispatch of the office that was sent; one is sent when there is none.
func (o *benchOffice) latestDispatch(ctx context.Context) (desk.DispatchID, error) {
	if o.last != 0 {
		return o.last, nil
	}
	addr, stop, err := smtpSink(ctx)
	if err != nil {
		return 0, err
	}
	defer stop()
	if err := o.lane(ctx, addr); err != nil {
		return 0, err
	}
	if err := o.start(ctx); err != nil {
		return 0, err
	}
	defer func() { o.engine.kill(); o.engine = nil }()
	if _, _, _, err := o.dispatch(ctx); err != nil {
		return 0, err
	}
	return o.last, nil
}

// answersSection is rows 15 to 18 of limits.md §9.
func answersSection(ctx context.Context, b *bench) ([]measure, error) {
	o, err := b.office(ctx, b.small, b.small)
	if err != nil {
		return nil, err
	}
	id, err := o.latestDispatch(ctx)
	if err != nil {
		return nil, err
	}
	rate := map[string][]float64{}
	for range b.Rounds {
		for _, mode := range []string{"grouped", "none", "each"} {
			page, addr, err := b.answerPage(ctx, o, mode)
			if err != nil {
				return nil, err
			}
			count := b.answer
			if mode == "each" {
				count /= 4
			}
			calm(ctx, b.patience/2)
			perSecond, _, err := answering(ctx, addr, id, o.asked, count)
			page.kill()
			if err != nil {
				return nil, err
			}
			rate[mode] = append(rate[mode], perSecond)
		}
	}
	how := fmt.Sprintf("POST /r/TOKEN、%d 接続、%d 件、応答は記録の確定後、別プロセス、交互に %d 回の中央値", answerClients, b.answer, b.Rounds)
	found := []measure{
		compared("answers_vs_no_db", "1/s", rate["grouped"], rate["none"], -0.3, "確定した回答数 ÷ データベースなしの同じページ。"+how),
		compared("answers_vs_one_tx_each", "1/s", rate["grouped"], rate["each"], -2.5, "確定した回答数 ÷ 回答ごとに 1 取引。"+how),
	}
	both, err := answersWhileSending(ctx, b)
	return append(found, both...), err
}

func answersWhileSending(ctx context.Context, b *bench) ([]measure, error) {
	o, err := b.office(ctx, b.large, b.large)
	if err != nil {
		return nil, err
	}
	sink, stop, err := smtpSink(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	if err := o.lane(ctx, sink); err != nil {
		return nil, err
	}
	if err := o.start(ctx); err != nil {
		return nil, err
	}
	defer func() { o.engine.kill(); o.engine = nil }()
	page, addr, err := b.answerPage(ctx, o, "grouped")
	if err != nil {
		return nil, err
	}
	defer page.kill()
	var alone, both, slowest []float64
	for range min(b.Rounds, 3) { // a round takes half a minute
		calm(ctx, b.patience)
		_, plain, _, err := o.dispatch(ctx)
		if err != nil {
			return nil, err
		}
		id, err := o.latestDispatch(ctx)
		if err != nil {
			return nil, err
		}
		calm(ctx, b.patience)
		busy, end := context.WithCancel(ctx)
		var latencies []float64
		done := make(chan error, 1)
		go func() {
			var err error
			_, latencies, err = answering(busy, addr, id, o.asked, 1<<30)
			done <- err
		}()
		_, loaded, _, err := o.dispatch(ctx)
		end()
		if err = errors.Join(err, <-done); err != nil {
			return nil, err
		}
		slices.Sort(latencies)
		slowest = append(slowest, latencies[len(latencies)*99/100])
		alone, both = append(alone, 1/plain), append(both, 1/loaded)
	}
	for i := range alone {
		alone[i], both[i] = alone[i]*float64(b.large), both[i]*float64(b.large)
	}
	how := fmt.Sprintf("%d 通の送信中に %d 接続が休みなく回答、3 回の中央値", b.large, answerClients)
	return []measure{
		{Name: "answers_p99_ms_while_sending", Value: median(slowest), Unit: "ms", How: "回答の応答時間の 99 パーセンタイル。" + how, most: 100, judge: 'v'},
		compared("mails_while_answering", "1/s", both, alone, -0.5, "送信速度 ÷ 回答がないとき。"+how),
	}, nil
}

// tallySection is row 19 as it is built: the whole dispatch counted anew, everybody having answered.
func tallySection(ctx context.Context, b *bench) ([]measure, error) {
	o, err := b.office(ctx, b.small, b.small)
	if err != nil {
		return nil, err
	}
	id, err := o.latestDispatch(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.everybodyAnswers(ctx, id); err != nil {
		return nil, err
	}
	calm(ctx, b.patience)
	var times []float64
	for range 4 * b.Rounds {
		began := time.Now()
		t, err := o.owner.CountTally(ctx, id)
		if err != nil {
			return nil, err
		}
		times = append(times, time.Since(began).Seconds()*1000)
		if err := t.Check(); err != nil {
			return nil, err
		}
	}
	return []measure{{
		Name: "tally_recount_ms", Value: median(times), Unit: "ms", most: 5, judge: 'v',
		How: fmt.Sprintf("%d 人全員が回答した配信の全数え直し（部署別・都道府県別を含む）、%d 回の中央値", b.small, 4*b.Rounds),
	}}, nil
}

// everybodyAnswers records one answer of each person.
func (o *benchOffice) everybodyAnswers(ctx context.Context, id desk.DispatchID) error {
	const atOnce = 500
	safeties, attendances := desk.Safeties(), desk.Attendances()
	for people := range slices.Chunk(o.asked, atOnce) {
		batch := make([]desk.Response, len(people))
		for i, p := range people {
			batch[i] = desk.Response{
				DispatchID: id, PersonID: p, ReceivedAt: time.Now(), Channel: "link",
				Safety: safeties[int(p)%17%len(safeties)], Attendance: attendances[int(p)%5%len(attendances)],
			}
			if _, err := rand.Read(batch[i].Nonce[:]); err != nil {
				return err
			}
		}
		if err := o.owner.RecordResponses(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}
