package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"yagura/store"
	"yagura/store/cluster"
	"yagura/store/desk"
	"yagura/store/schema"
)

// bench is the rig of one run: a private PostgreSQL that syncs, databases made for it, and processes.
type bench struct {
	benchCommand
	log                                *slog.Logger
	pg                                 *cluster.Cluster
	offices                            map[string]*benchOffice
	small, large, drill, kills, answer int
	patience                           time.Duration // of the wait for a calm moment before each round
}

func (b *bench) sizes(trial bool) {
	b.small, b.large, b.drill, b.kills, b.answer = 11_500, 115_000, 15_500, 10, 20_000
	if trial {
		b.large, b.kills, b.answer = 34_500, 3, 6_000
		b.Rounds = min(b.Rounds, 3)
	}
	b.patience = calmPatience
	b.offices = map[string]*benchOffice{}
}

// benchKeys are no secrets: everything they seal was made up here.
func benchKeys() (desk.AddressKey, desk.TokenKey, error) {
	addresses, err := desk.NewAddressKey(bytes.Repeat([]byte{0x62}, 32))
	if err != nil {
		return addresses, desk.TokenKey{}, err
	}
	tokens, err := desk.NewTokenKey(3, bytes.Repeat([]byte{0x63}, 32))
	return addresses, tokens, err
}

func (b *bench) cluster(ctx context.Context) (*cluster.Cluster, error) {
	if b.pg != nil {
		return b.pg, nil
	}
	pg, err := cluster.Start(ctx, cluster.Options{Dir: b.Dir, Params: map[string]string{"shared_buffers": "512MB", "max_wal_size": "8GB"}})
	if err == nil {
		b.pg = pg
	}
	return pg, err
}

// close stops the private server. It is deferred, so it must not depend on the command's context.
func (b *bench) close() {
	for _, o := range b.offices {
		o.close()
	}
	if b.pg == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := b.pg.Stop(ctx); err != nil {
		b.log.Warn("the bench database was not stopped", "err", err)
	}
}

// benchOffice is a database with a roster, one lane, an operator and an event that may be mailed about.
type benchOffice struct {
	b              *bench
	database       string
	owner, console *store.Store
	operator       desk.OperatorID
	event          desk.EventID
	advice         desk.AdviceID
	incident       desk.IncidentID
	incidents      int
	last           desk.DispatchID // the latest one sent
	asked          []desk.PersonID // who can be in an audience: people with a region
	engine         *benchEngine
}

// office makes a database of so many mails to send, new in every run.
func (b *bench) office(ctx context.Context, people, mails int) (*benchOffice, error) {
	name := fmt.Sprintf("bench_%d_%d", people, mails)
	if o := b.offices[name]; o != nil {
		return o, nil
	}
	pg, err := b.cluster(ctx)
	if err != nil {
		return nil, err
	}
	admin := pg.DSN("postgres", cluster.Superuser)
	if err := schema.Drop(ctx, admin, name); err != nil {
		return nil, err
	}
	if err := schema.Create(ctx, admin, name, ""); err != nil {
		return nil, err
	}
	if _, err := schema.Migrate(ctx, pg.DSN(name, cluster.Superuser)); err != nil {
		return nil, err
	}
	o := &benchOffice{b: b, database: name}
	if o.owner, err = store.Open(ctx, store.Options{DSN: pg.DSN(name, cluster.Superuser), Name: "bench owner"}); err != nil {
		return nil, err
	}
	if o.console, err = store.Open(ctx, store.Options{DSN: pg.DSN(name, "yagura_console"), Name: "bench desk"}); err != nil {
		o.owner.Close()
		return nil, err
	}
	b.offices[name] = o
	if err := o.fill(ctx, people, mails); err != nil {
		return nil, err
	}
	return o, o.judge(ctx)
}

func (o *benchOffice) close() {
	if o.engine != nil {
		o.engine.kill()
	}
	o.console.Close()
	o.owner.Close()
}

// fill imports a roster of which exactly so many addresses are mailed: people without a region have addresses too.
func (o *benchOffice) fill(ctx context.Context, people, mails int) error {
	key, _, err := benchKeys()
	if err != nil {
		return err
	}
	want := mails
	var roster store.Roster
	for range 8 {
		if roster, err = BuildRoster(7, people, want, key); err != nil {
			return err
		}
		mailed := mailedAddresses(roster)
		if mailed == mails {
			break
		}
		want += mails - mailed
	}
	if err := o.owner.ImportRoster(ctx, "admin:bench", roster); err != nil {
		return err
	}
	for _, p := range roster.People {
		if len(p.Regions) > 0 {
			o.asked = append(o.asked, p.ID)
		}
	}
	policy, err := o.owner.Policy(ctx)
	if err != nil {
		return err
	}
	policy.CountDown = 0 // the count-down is the operator's time, not the machine's
	return o.owner.SetPolicy(ctx, "admin:bench", policy)
}

func mailedAddresses(r store.Roster) int {
	reachable := make(map[desk.PersonID]bool, len(r.People))
	for _, p := range r.People {
		reachable[p.ID] = len(p.Regions) > 0
	}
	n := 0
	for _, a := range r.Addresses {
		if reachable[a.PersonID] && a.State != desk.AddressBad {
			n++
		}
	}
	return n
}

// judge registers the operator.
func (o *benchOffice) judge(ctx context.Context) (err error) {
	o.operator, err = o.owner.AddOperator(ctx, desk.Operator{Name: "bench", Display: "測定", Fingerprint: "SHA256:bench"}, "ssh-ed25519 AAAA bench")
	return err
}

// newIncident writes what must stand before a dispatch: a telegram, an event found genuine, an incident. A new one each time,
// because nobody is asked twice in one.
func (o *benchOffice) newIncident(ctx context.Context) error {
	o.incidents++
	now := time.Now()
	telegram, _, err := o.owner.StoreTelegram(ctx, desk.Envelope{Feed: "bench", Name: "bench", Raw: []byte("<Report/>"), ReceivedAt: now},
		[32]byte{1, byte(o.incidents >> 8), byte(o.incidents)})
	if err != nil {
		return err
	}
	o.event, o.advice, err = o.owner.SaveEvent(ctx, desk.Event{
		Hazard: desk.Earthquake, Mode: desk.Live, EventIDs: []string{fmt.Sprintf("2024010116%04d", o.incidents)}, OccurredAt: now, FirstSeenAt: now,
		UpdatedAt: now, Status: desk.EventOpen, Title: "測定", MaxIntensity: desk.Intensity7, Telegrams: 1,
	}, telegram, desk.Advice{At: now, Grade: desk.GradeAlarm, Checks: []desk.Check{{Code: desk.CheckEEW, Result: desk.Passed, Text: "測定"}}, Triggered: everywhere()})
	if err != nil {
		return err
	}
	_, err = o.console.Verify(ctx, o.operator, desk.Verification{EventID: o.event, OperatorID: o.operator, AdviceID: o.advice, Finding: desk.Genuine})
	if err != nil {
		return err
	}
	o.incident, err = o.console.Decide(ctx, o.operator, desk.IncidentChoice{EventID: o.event, Title: "測定", Reason: desk.FirstOfItsKind})
	return err
}

func everywhere() []desk.TriggeredBy {
	var all []desk.TriggeredBy
	for p := desk.Prefecture(1); p <= 47; p++ {
		all = append(all, desk.TriggeredBy{Prefecture: p, Intensity: desk.Intensity7, Reason: desk.ReasonNationwide})
	}
	return all
}

// lane makes the carrier at addr the only one.
func (o *benchOffice) lane(ctx context.Context, addr string) error {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	return o.owner.SetCarriers(ctx, "admin:bench", []desk.Carrier{
		{Lane: desk.DefaultLane, Name: "測定", Host: host, Port: port, Sessions: benchSessions, Depth: 1},
	})
}

func (o *benchOffice) propose(ctx context.Context) (desk.Dispatch, error) {
	if err := o.newIncident(ctx); err != nil {
		return desk.Dispatch{}, err
	}
	return o.console.Propose(ctx, o.operator, desk.Draft{
		IncidentID: o.incident, EventID: o.event, Triggered: everywhere(), TemplateID: "safety",
		Subject: benchSubject, Body: benchBody,
	})
}

func (o *benchOffice) approve(ctx context.Context, d desk.Dispatch) error {
	_, err := o.console.Approve(ctx, o.operator, desk.ApprovalOrder{DispatchID: d.ID, HeadCount: d.HeadCount, Method: desk.OneKey, AdviceID: o.advice})
	return err
}

// benchEngine is an engine in a process of its own: dispatch and send alone.
type benchEngine struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner

	after func() // clears up when it is gone
}

// spawn starts this program under another verb. It ends with us, however we end.
func spawn(ctx context.Context, args ...string) (*benchEngine, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	e := &benchEngine{cmd: exec.CommandContext(ctx, exe, args...)}
	e.cmd.Stderr = os.Stderr
	e.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if e.in, err = e.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := e.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	e.out = bufio.NewScanner(out)
	return e, e.cmd.Start()
}

// kill is kill -9, and waits.
func (e *benchEngine) kill() {
	_ = e.cmd.Process.Kill()
	_ = e.cmd.Wait()
	if e.after != nil {
		e.after()
	}
}

// read waits for one line of JSON of the process.
func (e *benchEngine) read(into any) error {
	if !e.out.Scan() {
		return desk.Errorf(desk.Internal, "sim.bench", "測定用のプロセスが途中で終わりました。")
	}
	return json.Unmarshal(e.out.Bytes(), into)
}

// spawnEngine starts the office's engine and does not wait.
func (o *benchOffice) spawnEngine(ctx context.Context) error {
	e, err := spawn(ctx, "bench-engine", "--dsn", o.b.pg.DSN(o.database, "yagura_engine"))
	if err == nil {
		o.engine = e
	}
	return err
}

// start starts the office's engine and waits until it owns the lane.
func (o *benchOffice) start(ctx context.Context) error {
	if err := o.spawnEngine(ctx); err != nil {
		return err
	}
	e := o.engine
	return o.await(ctx, 15*time.Second, func() (bool, error) {
		h, err := o.console.Health(ctx)
		for _, x := range h.Engines {
			if x.Process == fmt.Sprintf("bench-%d", e.cmd.Process.Pid) && len(x.Lanes) == 1 {
				return true, err
			}
		}
		return false, err
	})
}

func (o *benchOffice) await(ctx context.Context, limit time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return desk.Errorf(desk.Unavailable, "sim.bench", "測定が時間内に進みませんでした。")
		case <-tick.C:
		}
	}
}

// sentDispatch is what the engine process says of a watched dispatch: times in Unix nanoseconds of the same machine.
type sentDispatch struct {
	Dispatch desk.DispatchID `json:"dispatch"`
	First    int64           `json:"first"` // the first 250 was read
	Last     int64           `json:"last"`  // the last result was committed
	Results  int             `json:"results"`
}

// dispatch sends one dispatch and gives the seconds from the key to the first 250 and to the last durable result.
func (o *benchOffice) dispatch(ctx context.Context) (first, last float64, mails int, err error) {
	d, err := o.propose(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	if _, err := fmt.Fprintf(o.engine.in, "%d %d\n", d.ID, d.Addresses); err != nil {
		return 0, 0, 0, err
	}
	var ack sentDispatch
	if err := o.engine.read(&ack); err != nil { // it watches
		return 0, 0, 0, err
	}
	key := time.Now()
	if err := o.approve(ctx, d); err != nil {
		return 0, 0, 0, err
	}
	var sent sentDispatch
	if err := o.engine.read(&sent); err != nil {
		return 0, 0, 0, err
	}
	if sent.Results != d.Addresses || sent.Dispatch != d.ID { // acceptances whose commit was seen
		err = desk.Errorf(desk.Internal, "sim.bench", "受理 %d 通、予定 %d 通", sent.Results, d.Addresses)
	}
	o.last = d.ID
	return float64(sent.First-key.UnixNano()) / 1e9, float64(sent.Last-key.UnixNano()) / 1e9, d.Addresses, err
}

// cpu is the processor time in seconds of the engine process, and of every PostgreSQL process of the private server.
func (o *benchOffice) cpu() (engine, postgres float64, err error) {
	pidFile, err := os.ReadFile(filepath.Join(o.b.pg.Dir(), "data", "postmaster.pid"))
	if err != nil {
		return 0, 0, desk.Wrap(desk.Unavailable, "sim.bench", err)
	}
	postmaster, _, _ := strings.Cut(string(pidFile), "\n")
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, 0, err
	}
	own := strconv.Itoa(o.engine.cmd.Process.Pid)
	for _, file := range stats {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// proc(5): after the name in brackets come state, ppid, …; utime is field 14, stime 15, cutime 16, cstime 17.
		_, rest, _ := strings.Cut(string(text), ") ")
		f := strings.Fields(rest)
		pid := filepath.Base(filepath.Dir(file))
		if len(f) < 15 || (pid != own && pid != postmaster && f[1] != postmaster) {
			continue
		}
		fields := f[11:13]
		if pid == postmaster {
			fields = f[11:15] // backends that have ended
		}
		for _, v := range fields {
			n, err := strconv.Atoi(v)
			if err != nil {
				return 0, 0, desk.Wrap(desk.Internal, "sim.bench", err)
			}
			if pid == own {
				engine += float64(n) / userHz
			} else {
				postgres += float64(n) / userHz
			}
		}
	}
	return engine, postgres, nil
}

const userHz = 100 // on every Linux this runs on; proc(5)
