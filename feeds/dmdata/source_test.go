package dmdata_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"yagura/feeds/dmdata"
	"yagura/feeds/dmdata/dmdatatest"
	"yagura/store/desk"
)

// quake is a telegram of our own making; n makes it another one.
func quake(n int) desk.Envelope { return telegram("震度速報", "通常", n) }

func telegram(title, status string, n int) desk.Envelope {
	at := time.Date(2026, 11, 23, 3, 0, n, 0, time.UTC)
	return desk.Envelope{Raw: fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<Report xmlns="http://xml.kishou.go.jp/jmaxml1/"><Control><Title>%s</Title><DateTime>%s</DateTime><Status>%s</Status>
<EditorialOffice>気象庁本庁</EditorialOffice><PublishingOffice>気象庁</PublishingOffice></Control>
<Head xmlns="http://xml.kishou.go.jp/jmaxml1/informationBasis1/"><Title>%[1]s</Title><ReportDateTime>%[2]s</ReportDateTime>
<TargetDateTime>%[2]s</TargetDateTime><EventID>%[4]d</EventID><InfoType>発表</InfoType><Serial/><InfoKind>地震情報</InfoKind>
<InfoKindVersion>1.0_1</InfoKindVersion><Headline><Text/></Headline></Head><Body/></Report>
`, title, at.Format(time.RFC3339), status, 20261123000000+n)}
}

func quakes(from, to int) []desk.Envelope {
	var envs []desk.Envelope
	for n := from; n < to; n++ {
		envs = append(envs, quake(n))
	}
	return envs
}

// inbox is the store of these tests.
type inbox struct {
	mu    sync.Mutex
	got   []desk.Envelope
	gate  chan struct{} // when set, taking waits for it
	fails int           // so many offers are refused
	tried []string
}

func (in *inbox) take(ctx context.Context, env desk.Envelope) error {
	in.mu.Lock()
	gate := in.gate
	in.mu.Unlock()
	if gate != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-gate:
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.tried = append(in.tried, string(env.Raw))
	if in.fails > 0 {
		in.fails--
		return errors.New("the store is away")
	}
	in.got = append(in.got, env)
	return nil
}

func (in *inbox) len() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.got)
}

// count says how often each telegram was stored.
func (in *inbox) count() map[string]int {
	in.mu.Lock()
	defer in.mu.Unlock()
	seen := map[string]int{}
	for _, e := range in.got {
		seen[string(e.Raw)]++
	}
	return seen
}

// rig is a service, a source on it and the store behind.
type rig struct {
	t      *testing.T
	ctx    context.Context
	server *dmdatatest.Server
	source *dmdata.Source
	inbox  *inbox
	log    *safeBuffer
	stop   func() error
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func prepare(t *testing.T, change func(*dmdata.Options)) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	r := &rig{t: t, ctx: ctx, server: dmdatatest.New(2), inbox: &inbox{}, log: &safeBuffer{}}
	o := r.server.Options()
	o.Log = slog.New(slog.NewTextHandler(r.log, nil))
	if change != nil {
		change(&o)
	}
	r.source = dmdata.New(o)
	t.Cleanup(func() {
		cancel()
		r.server.Close()
		if log := r.log.String(); strings.Contains(log, dmdatatest.Key) || strings.Contains(log, "Tik") {
			t.Errorf("a secret is in the log:\n%s", log)
		}
	})
	return r
}

func (r *rig) run() {
	ctx, cancel := context.WithCancel(r.ctx)
	done := make(chan error, 1)
	go func() { done <- r.source.Run(ctx, r.inbox.take) }()
	var once sync.Once
	var err error
	r.stop = func() error {
		once.Do(func() {
			cancel()
			err = <-done
		})
		return err
	}
	r.t.Cleanup(func() { r.stop() })
}

// start runs it all and waits for both sockets.
func start(t *testing.T, change func(*dmdata.Options)) *rig {
	t.Helper()
	r := prepare(t, change)
	r.run()
	r.await("both sockets", r.bothOpen)
	return r
}

func (r *rig) bothOpen() bool {
	return r.server.Open(0) == 1 && r.server.Open(1) == 1 && strings.HasPrefix(r.source.Health().Detail, "接続 2/2")
}

func (r *rig) await(what string, condition func() bool) {
	r.t.Helper()
	if err := r.server.Await(r.ctx, condition); err != nil {
		r.t.Fatalf("%s: %v\nstored %d, %+v\n%s", what, err, r.inbox.len(), r.source.Health(), r.log)
	}
}

// exactlyOnce waits for the telegrams and proves that each was stored once, byte for byte, and nothing else.
func (r *rig) exactlyOnce(envs []desk.Envelope) {
	r.t.Helper()
	r.await(fmt.Sprintf("%d telegrams", len(envs)), func() bool { return r.inbox.len() >= len(envs) })
	seen := r.inbox.count()
	for _, e := range envs {
		if seen[string(e.Raw)] != 1 {
			r.t.Errorf("stored %d times: %.60s", seen[string(e.Raw)], e.Raw)
		}
	}
	if n := r.inbox.len(); n != len(envs) {
		r.t.Errorf("%d stored, not %d", n, len(envs))
	}
}

func TestTwoSocketsDeliverEachTelegramOnceAndVerbatim(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	r := start(t, nil)
	envs := quakes(0, 60)
	r.server.Push(envs...)
	r.exactlyOnce(envs)
	for _, e := range r.inbox.got {
		if e.Feed != "dmdata" || len(e.Name) != len("VXSE51_")+96 || !strings.HasPrefix(e.Name, "VXSE51_") || e.ReceivedAt.IsZero() {
			t.Fatalf("envelope %q %q %v", e.Feed, e.Name, e.ReceivedAt)
		}
	}
	r.await("the other socket's copies", func() bool { return strings.Contains(r.source.Health().Detail, "重複 60") })
	h := r.source.Health()
	if h.Trouble != "" || h.LastReceived.IsZero() || h.LastContact.Before(h.LastReceived) || h.Reconnects != 0 {
		t.Errorf("%+v", h)
	}
	if err := r.stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
	r.await("clean closes, which free the slots", func() bool { return r.server.Counts().Clean == 2 })
	r.server.Close()
}

func TestDropReorderDuplicateDelayAndConversions(t *testing.T) {
	for name, turn := range map[string]func(*dmdatatest.Server){
		"duplicate":   func(s *dmdatatest.Server) { s.Duplicate(true) },
		"reorder":     func(s *dmdatatest.Server) { s.Reorder(7) },
		"delay":       func(s *dmdatatest.Server) { s.Delay(30 * time.Millisecond) },
		"conversions": func(s *dmdatatest.Server) { s.Conversions(true) },
		"all": func(s *dmdatatest.Server) {
			s.Duplicate(true)
			s.Reorder(5)
			s.Delay(time.Millisecond)
			s.Conversions(true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, nil)
			turn(r.server)
			envs := quakes(0, 20)
			r.server.Push(envs...)
			r.exactlyOnce(envs)
		})
	}
}

func TestOneSocketDeadTheOtherDelivers(t *testing.T) {
	r := start(t, nil)
	r.server.Down(0, true)
	r.await("the loss is told", func() bool { return strings.Contains(r.source.Health().Trouble, "2本中1本") })
	lists := r.server.Counts().Lists
	envs := quakes(0, 10)
	r.server.Push(envs...)
	r.exactlyOnce(envs)
	if n := r.server.Counts().Lists; n != lists {
		t.Errorf("the list was read %d times though one socket stood all the time", n-lists)
	}
	r.server.Down(0, false)
	r.await("both again", func() bool { h := r.source.Health(); return h.Trouble == "" && h.Reconnects == 1 })
}

func TestBothDeadTheListDelivers(t *testing.T) {
	r := start(t, nil)
	r.server.Down(0, true)
	r.server.Down(1, true)
	r.await("the loss is told", func() bool { return strings.Contains(r.source.Health().Trouble, "すべて切れて") })
	envs := quakes(0, 230) // three pages
	r.server.Push(envs[:5]...)
	r.exactlyOnce(envs[:5]) // while they are still down
	r.server.Push(envs[5:]...)
	r.server.Push(telegram("緊急地震速報（地震動予報）", "通常", 1)) // is not in the list
	r.server.Down(0, false)
	r.server.Down(1, false)
	r.exactlyOnce(envs)
	r.await("calm", func() bool { return r.source.Health().Trouble == "" })
	lists := r.server.Counts().Lists
	r.server.Push(quake(900))
	r.exactlyOnce(append(envs, quake(900)))
	if n := r.server.Counts().Lists; n != lists {
		t.Error("the list is still read though nothing is missing")
	}
}

func TestTheListGivesWhatMayCallPeopleOutFirst(t *testing.T) {
	r := prepare(t, func(o *dmdata.Options) { o.Backfill = time.Minute })
	weather := []desk.Envelope{telegram("竜巻注意情報", "通常", 1), telegram("竜巻注意情報", "通常", 2)}
	quake := []desk.Envelope{quake(3), quake(4)}
	r.server.Push(weather[0], quake[0], weather[1], quake[1])
	r.run()
	r.exactlyOnce(append(quake, weather...))
	for i, want := range append(quake, weather...) {
		if got := r.inbox.got[i]; !bytes.Equal(got.Raw, want.Raw) {
			t.Errorf("%d. is %s", i, got.Name)
		}
	}
}

func TestHalfOpenIsCutAndFilled(t *testing.T) {
	r := start(t, nil)
	before := r.server.Counts().Opened
	r.server.HalfOpen(0, true)
	r.server.HalfOpen(1, true)
	envs := quakes(0, 8)
	r.server.Push(envs...) // swallowed
	r.await("the silence is noticed", func() bool { return strings.Contains(r.source.Health().Trouble, "応答がない") })
	r.server.HalfOpen(0, false)
	r.exactlyOnce(envs)
	r.server.HalfOpen(1, false)
	r.await("both again", func() bool { return r.bothOpen() && r.server.Counts().Opened > before+1 })
}

func TestHalfOpenOfOneDoesNotHoldUpTheOther(t *testing.T) {
	r := start(t, nil)
	r.server.HalfOpen(1, true)
	envs := quakes(0, 8)
	began := time.Now()
	r.server.Push(envs...)
	r.exactlyOnce(envs)
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestRestartsLoseNothing(t *testing.T) {
	for _, code := range []int{4503, 4891, 4640, 4999} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			r := start(t, nil)
			envs := quakes(0, 120)
			for i, e := range envs {
				r.server.Push(e)
				switch i {
				case 20, 90:
					r.server.Fault(0, code)
				case 40:
					r.server.Fault(1, code)
				case 60:
					r.server.Fault(0, code)
					r.server.Fault(1, code)
				}
			}
			r.exactlyOnce(envs)
			r.await("both again", r.bothOpen)
		})
	}
}

func TestBackfillAtTheStart(t *testing.T) {
	r := prepare(t, func(o *dmdata.Options) { o.Backfill = time.Minute })
	envs := quakes(0, 4)
	r.server.Push(envs...)
	r.run()
	r.exactlyOnce(envs)
}

func TestBackfillLeavesOutWhatIsNotWanted(t *testing.T) {
	r := prepare(t, func(o *dmdata.Options) {
		o.Backfill, o.Types, o.Test = time.Minute, []string{"VXSE51", "VXSE53", "!VXSE52"}, false
	})
	wanted := []desk.Envelope{quake(1), telegram("震源・震度に関する情報", "通常", 2)}
	r.server.Push(telegram("震源に関する情報", "通常", 3), telegram("震度速報", "訓練", 4))
	r.server.Push(wanted...)
	r.run()
	r.exactlyOnce(wanted)
}

func TestDrillsKeepTheirStatus(t *testing.T) { // law 4
	r := start(t, func(o *dmdata.Options) { o.Test = true })
	drill := telegram("震度速報", "訓練", 1)
	r.server.Push(drill)
	r.exactlyOnce([]desk.Envelope{drill})
	if !bytes.Contains(r.inbox.got[0].Raw, []byte("<Status>訓練</Status>")) {
		t.Error("the status was lost")
	}
}

func TestAnEnvelopeThatIsNotStoredIsOfferedAgainBeforeTheNext(t *testing.T) { // law 1
	r := prepare(t, nil)
	r.inbox.fails = 3
	r.run()
	r.await("both sockets", r.bothOpen)
	envs := quakes(0, 5)
	r.server.Push(envs...)
	r.exactlyOnce(envs)
	first := r.inbox.tried[0]
	for i, tried := range r.inbox.tried[:4] {
		if tried != first {
			t.Errorf("offer %d is another telegram", i)
		}
	}
}
