package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"yagura/store/desk"
)

// postfixTool finds a yardstick: on PATH, else where deploy/setup/postfix.sh puts it.
func postfixTool(name string) (string, error) {
	for _, candidate := range []string{name, filepath.Join("var", "postfix", "bin", name), filepath.Join("/usr/sbin", name)} {
		if found, err := exec.LookPath(candidate); err == nil || errors.Is(err, exec.ErrDot) {
			return filepath.Abs(found)
		}
	}
	return "", desk.Errorf(desk.NotFound, "sim.bench", "Postfix の %s が見つかりません。make bench を使うか、deploy/setup/postfix.sh を実行してください。", name)
}

func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func laneAt(addr string) (desk.Carrier, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return desk.Carrier{}, err
	}
	port, err := strconv.Atoi(text)
	return desk.Carrier{Lane: desk.DefaultLane, Name: "測定", Host: host, Port: port, Sessions: benchSessions, Depth: 1}, err
}

// smtpSink starts the receiver that every sender of the bench sends to.
func smtpSink(ctx context.Context) (addr string, stop func(), err error) {
	tool, err := postfixTool("smtp-sink")
	if err != nil {
		return "", nil, err
	}
	if addr, err = freeAddr(); err != nil {
		return "", nil, err
	}
	args := []string{addr, "1024"}
	if os.Geteuid() == 0 {
		args = append([]string{"-u", "nobody"}, args...) // it refuses to serve as root
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	end := time.Now().Add(5 * time.Second)
	for time.Now().Before(end) {
		if c, err := net.Dial("tcp", addr); err == nil {
			return addr, stop, c.Close()
		}
		timer := time.NewTimer(20 * time.Millisecond)
		<-timer.C
	}
	stop()
	return "", nil, desk.Errorf(desk.Unavailable, "sim.bench", "smtp-sink が起動しませんでした。")
}

// smtpSource is the yardstick: the seconds Postfix's load generator takes for as many mails of the same size, and its processor time.
func smtpSource(ctx context.Context, addr string, mails, size int) (wall, cpu float64, err error) {
	tool, err := postfixTool("smtp-source")
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.CommandContext(ctx, tool, "-d", "-s", strconv.Itoa(benchSessions), "-m", strconv.Itoa(mails), "-l", strconv.Itoa(size),
		"-f", "anpi@desk.example", "-t", "p@docomo.example", addr)
	cmd.Stderr = os.Stderr
	began := time.Now()
	err = cmd.Run()
	wall = time.Since(began).Seconds()
	if err != nil {
		return 0, 0, desk.Wrap(desk.Unavailable, "sim.bench", err)
	}
	return wall, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), nil
}

func bareSender(ctx context.Context, addr string, mails int) (bareResult, error) {
	var r bareResult
	e, err := spawn(ctx, "bench-bare", "--addr", addr, "--count", strconv.Itoa(mails))
	if err != nil {
		return r, err
	}
	err = e.read(&r)
	return r, errors.Join(err, e.cmd.Wait())
}

// dispatchSection is rows 1 to 4 of limits.md §9.
func dispatchSection(ctx context.Context, b *bench) ([]measure, error) {
	addr, stop, err := smtpSink(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	o, err := b.office(ctx, b.small, b.small)
	if err != nil {
		return nil, err
	}
	if err := o.lane(ctx, addr); err != nil {
		return nil, err
	}
	if err := o.start(ctx); err != nil {
		return nil, err
	}
	var ours, source, bare, firsts, engineCPU, sourceCPU []float64
	for round := range b.Rounds + 1 {
		calm(ctx, b.patience)
		engineBefore, _, err := o.cpu()
		if err != nil {
			return nil, err
		}
		first, last, mails, err := o.dispatch(ctx)
		if err != nil {
			return nil, err
		}
		engine, _, err := o.cpu()
		if err != nil {
			return nil, err
		}
		calm(ctx, b.patience)
		plain, err := bareSender(ctx, addr, mails)
		if err != nil {
			return nil, err
		}
		calm(ctx, b.patience)
		theirs, theirCPU, err := smtpSource(ctx, addr, mails, plain.Size)
		if err != nil {
			return nil, err
		}
		if round == 0 {
			continue // warm-up
		}
		ours, bare, source, firsts = append(ours, last), append(bare, plain.Seconds), append(source, theirs), append(firsts, first*1000)
		each := 1e6 / float64(mails)
		engineCPU, sourceCPU = append(engineCPU, (engine-engineBefore)*each), append(sourceCPU, theirCPU*each)
	}
	o.engine.kill()
	o.engine = nil
	how := fmt.Sprintf("%d 通、1 経路 %d 接続、W %d、署名なし、交互に %d 回の中央値、受信は同じ smtp-sink", b.small, benchSessions, desk.Window, b.Rounds)
	return []measure{
		compared("dispatch_vs_smtp_source", "s", ours, source, 1.0, "キーから最後の結果の記録まで ÷ smtp-source 16 接続。"+how),
		compared("dispatch_vs_bare_sender", "s", ours, bare, 2.2, "同 ÷ データベースなしの同じ送信ループ。"+how),
		compared("engine_cpu_vs_smtp_source", "us/mail", engineCPU, sourceCPU, 1.0, "1 通あたりの CPU: エンジン ÷ smtp-source。他の負荷に左右されにくい比。"+how),
		{Name: "dispatch_first_250_ms", Value: median(firsts), Unit: "ms", How: "キーから最初の 250 まで。" + how, most: 100, judge: 'v'},
	}, nil
}

// costSection is row 5: what a mail costs in processor time, by the size of the dispatch.
func costSection(ctx context.Context, b *bench) ([]measure, error) {
	addr, stop, err := smtpSink(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	perMail := func(people int) (float64, error) {
		o, err := b.office(ctx, people, people)
		if err != nil {
			return 0, err
		}
		if o.engine == nil {
			if err := o.lane(ctx, addr); err != nil {
				return 0, err
			}
			if err := o.start(ctx); err != nil {
				return 0, err
			}
			if _, _, _, err := o.dispatch(ctx); err != nil { // warm-up
				return 0, err
			}
		}
		engineBefore, postgresBefore, err := o.cpu()
		if err != nil {
			return 0, err
		}
		_, _, mails, err := o.dispatch(ctx)
		if err != nil {
			return 0, err
		}
		engine, postgres, err := o.cpu()
		return (engine - engineBefore + postgres - postgresBefore) / float64(mails) * 1e6, err
	}
	var small, large []float64
	for range b.Rounds {
		s, err := perMail(b.small)
		if err != nil {
			return nil, err
		}
		l, err := perMail(b.large)
		if err != nil {
			return nil, err
		}
		small, large = append(small, s), append(large, l)
	}
	for _, o := range b.offices {
		if o.engine != nil {
			o.engine.kill()
			o.engine = nil
		}
	}
	return []measure{compared("cost_growth_10x", "us/mail", large, small, 1.2,
		fmt.Sprintf("1 通あたりの CPU（エンジンと PostgreSQL 全プロセス、/proc）: %d 通 ÷ %d 通、交互に %d 回の中央値", b.large, b.small, b.Rounds))}, nil
}

// killSection is row 12: kill -9 at random moments of one dispatch, restarted each time.
func killSection(ctx context.Context, b *bench) ([]measure, error) {
	o, err := b.office(ctx, b.small, b.drill)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	sinking, stop := context.WithCancel(ctx)
	k := newSink(Profile{Lane: desk.DefaultLane, Name: "測定", Domains: []string{"docomo.example"}, Sessions: benchSessions}, nil)
	sunk := make(chan error, 1)
	go func() { sunk <- k.run(sinking, listener) }()
	defer func() { stop(); <-sunk }()
	if err := o.lane(ctx, listener.Addr().String()); err != nil {
		return nil, err
	}
	if err := o.start(ctx); err != nil {
		return nil, err
	}
	d, err := o.propose(ctx)
	if err != nil {
		return nil, err
	}
	points := make([]int, b.kills)
	for i := range points {
		points[i] = rand.IntN(d.Addresses * 95 / 100)
	}
	slices.Sort(points)
	if err := o.approve(ctx, d); err != nil {
		return nil, err
	}
	worst, before := 0, 0
	note := func() {
		extra := k.stats().Duplicates
		worst, before = max(worst, extra-before), extra
	}
	for _, at := range points {
		at = max(at, k.stats().Mails+1) // the engine must have sent again before it is killed again
		if err := o.await(ctx, 60*time.Second, func() (bool, error) { return k.stats().Mails >= at, nil }); err != nil {
			return nil, err
		}
		o.engine.kill()
		note()
		if err := o.spawnEngine(ctx); err != nil {
			return nil, err
		}
	}
	err = o.await(ctx, 60*time.Second, func() (bool, error) {
		p, err := o.console.Progress(ctx, d.ID)
		return p.Dispatch.State == desk.Sent, err
	})
	note()
	o.engine.kill()
	o.engine = nil
	how := fmt.Sprintf("%d 通の送信中に %d 回 kill -9 し、そのつど再起動（リースの期限切れを待つ）。受信側が宛先ごとに数える", d.Addresses, b.kills)
	return []measure{
		{Name: "kill_lost", Value: float64(d.Addresses - k.stats().Mails), Unit: "mails", How: how, most: 0, judge: 'v'},
		{Name: "kill_duplicates_max", Value: float64(worst), Unit: "mails", How: how + "。1 回の kill あたりの最大", most: desk.Window, judge: 'v'},
	}, err
}
