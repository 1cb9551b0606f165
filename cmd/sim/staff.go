package main

import (
	"bufio"
	"container/heap"
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"yagura/store/desk"
)

// StaffOptions say how 模擬職員 behave.
type StaffOptions struct {
	Median      time.Duration // from the mail to opening its link
	Spread      float64       // sigma of the log-normal curve; 0 = 1.0
	Share       float64       // of the people who answer at all
	AnswerBase  string        // replaces scheme and host of every link, e.g. "http://127.0.0.1:8080"; "" = the link as it is
	Concurrency int           // people with the page open at one moment
	Seed        uint64
}

type staffFlags struct {
	Median      time.Duration `help:"メールから回答までの時間の中央値。" default:"2m"`
	Spread      float64       `help:"時間のばらつき（対数正規分布のσ）。" default:"1.0"`
	Share       float64       `help:"回答する人の割合（0〜1）。" default:"0.9"`
	AnswerBase  string        `help:"リンクの先頭をこのアドレスに置き換えます。" placeholder:"http://127.0.0.1:PORT"`
	Concurrency int           `help:"同時にページを開く人数。" default:"32"`
	Seed        uint64        `help:"乱数の種。" default:"20240101"`
}

func (f staffFlags) options() StaffOptions { return StaffOptions(f) }

// StaffStats is what the staff did.
type StaffStats struct {
	Mails    int            `json:"mails"`    // seen
	Notices  int            `json:"notices"`  // of these without a link: nothing to answer
	People   int            `json:"people"`   // distinct links
	Silent   int            `json:"silent"`   // will never answer
	Waiting  int            `json:"waiting"`  // will answer later
	Answered int            `json:"answered"` // the page said 記録しました
	Failed   int            `json:"failed"`   // gave up after three tries
	Safety   map[string]int `json:"safety"`
	LastErr  string         `json:"last_error,omitempty"` // without the link
	P50MS    float64        `json:"p50_ms"`               // of GET and POST together
	P99MS    float64        `json:"p99_ms"`
}

// staff are people who open the link of the mail they got, each on his own time.
type staff struct {
	opts  StaffOptions
	pages *pages

	mu    sync.Mutex
	seen  map[string]bool // tokens: a person with two addresses answers once
	state StaffStats
	took  []float64
}

func newStaff(o StaffOptions) *staff {
	o.Concurrency = max(o.Concurrency, 1)
	if o.Spread == 0 {
		o.Spread = 1
	}
	return &staff{opts: o, pages: newPages(o.AnswerBase, o.Concurrency), seen: map[string]bool{}, state: StaffStats{Safety: map[string]int{}}}
}

// plan is what one person will do: drawn from the token and the seed alone, so that a run repeats.
type plan struct {
	link       string
	at         time.Time
	safety     desk.Safety
	attendance desk.Attendance
	comment    string
}

func (s *staff) plan(d Delivery) (plan, bool) {
	token := d.Link[strings.LastIndexByte(d.Link, '/')+1:]
	rng := rand.New(rand.NewPCG(s.opts.Seed, uint64(drawn(token, "staff", 0)*(1<<53))))
	if rng.Float64() >= s.opts.Share {
		return plan{}, false
	}
	wait := time.Duration(float64(s.opts.Median) * math.Exp(rng.NormFloat64()*s.opts.Spread))
	p := plan{link: d.Link, at: d.At.Add(wait), safety: desk.SafetyWell, attendance: desk.AttendNow}
	switch x := rng.Float64(); {
	case x < 0.005:
		p.safety, p.attendance, p.comment = desk.SafetySerious, desk.AttendCannot, "動けません。助けてください。"
	case x < 0.03:
		p.safety, p.attendance = desk.SafetyInjured, desk.AttendCannot
	}
	if p.safety == desk.SafetyWell {
		switch x := rng.Float64(); {
		case x < 0.10:
			p.attendance, p.comment = desk.AttendCannot, "家族の世話のため登庁できません。"
		case x < 0.35:
			p.attendance = desk.AttendLater
		}
	}
	return p, true
}

// run takes deliveries until ctx ends and has each person answer when his time has come.
func (s *staff) run(ctx context.Context, mails <-chan Delivery) error {
	work := make(chan plan)
	var wg sync.WaitGroup
	for range s.opts.Concurrency {
		wg.Go(func() {
			for p := range work {
				s.answer(ctx, p)
			}
		})
	}
	defer wg.Wait()
	defer close(work)
	var waiting plans
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		var out chan plan
		var next plan
		if len(waiting) > 0 {
			next = waiting[0]
			if wait := time.Until(next.at); wait <= 0 {
				out = work
			} else {
				timer.Reset(wait)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case out <- next:
			heap.Pop(&waiting)
		case d, open := <-mails:
			if !open {
				mails = nil
				continue
			}
			if p, will := s.received(d); will {
				heap.Push(&waiting, p)
			}
		}
	}
}

// received notes a mail and says whether its person will answer because of it.
func (s *staff) received(d Delivery) (plan, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Mails++
	if d.Link == "" { // automatic information: it is read, not answered
		s.state.Notices++
		return plan{}, false
	}
	if s.seen[d.Link] {
		return plan{}, false
	}
	s.seen[d.Link] = true
	s.state.People++
	p, will := s.plan(d)
	if !will {
		s.state.Silent++
		return plan{}, false
	}
	s.state.Waiting++
	return p, true
}

// answer opens the page and posts; a person tries three times before giving up.
func (s *staff) answer(ctx context.Context, p plan) {
	var err error
	start := time.Now()
	for i := range 3 {
		if i > 0 {
			timer := time.NewTimer(time.Duration(i) * time.Second)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
		}
		start = time.Now()
		if err = s.pages.answer(ctx, p); err == nil || ctx.Err() != nil {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Waiting--
	if err != nil {
		s.state.Failed++
		s.state.LastErr = err.Error()
		return
	}
	s.state.Answered++
	s.state.Safety[string(p.safety)]++
	s.took = append(s.took, float64(time.Since(start).Microseconds())/1000)
}

func (s *staff) stats() StaffStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.state
	out.Safety = map[string]int{}
	for k, v := range s.state.Safety {
		out.Safety[k] = v
	}
	if n := len(s.took); n > 0 {
		sorted := slices.Sorted(slices.Values(s.took))
		out.P50MS, out.P99MS = sorted[n/2], sorted[n*99/100]
	}
	return out
}

// plans is a heap by time.
type plans []plan

func (p plans) Len() int           { return len(p) }
func (p plans) Less(i, j int) bool { return p[i].at.Before(p[j].at) }
func (p plans) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }

// Push is for container/heap.
func (p *plans) Push(x any) { *p = append(*p, x.(plan)) }

// Pop is for container/heap.
func (p *plans) Pop() any {
	last := len(*p) - 1
	x := (*p)[last]
	*p = (*p)[:last]
	return x
}

type worldCommand struct {
	listenFlags
	staffFlags
}

// Run is carriers and staff in one process.
func (c *worldCommand) Run(ctx context.Context) error {
	w, err := OpenWorld(c.Dir, c.Host, c.Control, c.options())
	if err != nil {
		return err
	}
	return serveWorld(ctx, w)
}

// OpenWorld is OpenCarriers with staff who read the mails.
func OpenWorld(dir, host, control string, o StaffOptions) (*Carriers, error) {
	w, err := OpenCarriers(dir, host, control, true)
	if err != nil {
		return nil, err
	}
	w.staff = newStaff(o)
	return w, nil
}

type staffCommand struct {
	staffFlags
	Carriers string `arg:"" help:"「yagura-sim carriers --spool」の制御ページ（host:port）。"`
}

// Run reads deliveries from carriers in another process until they end or a signal comes; at the end it prints the counts.
func (c *staffCommand) Run(ctx context.Context) error {
	const op = "sim.staff"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.Carriers+"/spool", nil)
	if err != nil {
		return desk.Errorf(desk.Invalid, op, "制御ページのアドレスが正しくありません。")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return desk.Wrap(desk.Unavailable, op, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return desk.Errorf(desk.Unavailable, op, "事業者が /spool を開いていません（--spool を付けて起動してください）。")
	}
	people := newStaff(c.options())
	mails := make(chan Delivery)
	done := make(chan error, 1)
	go func() { done <- people.run(ctx, mails) }()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		var d Delivery
		if json.Unmarshal(lines.Bytes(), &d) != nil {
			continue
		}
		select {
		case mails <- d:
		case <-ctx.Done():
		}
	}
	close(mails)
	<-ctx.Done() // those who wait still answer until the signal
	if err := <-done; err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(people.stats())
}
