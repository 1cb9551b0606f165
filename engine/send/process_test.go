package send_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"yagura/engine/route"
	"yagura/store"
	"yagura/store/storetest"
)

// The test binary is the engine too: with these set it runs one until it is killed.
const (
	envDSN  = "YAGURA_SEND_TEST_DSN"
	envName = "YAGURA_SEND_TEST_NAME"
	envOpen = "YAGURA_SEND_TEST_OPEN_GATE" // no gate: shows what the gate is for
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(envDSN); dsn != "" {
		os.Exit(engineProcess(dsn))
	}
	os.Exit(m.Run())
}

func engineProcess(dsn string) int {
	s, err := store.Open(context.Background(), store.Options{DSN: dsn, Name: os.Getenv(envName), MaxConns: 16})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	h := house{name: os.Getenv(envName), s: s}
	if os.Getenv(envOpen) != "" {
		h.gate = func(route.Gate) route.Gate { return route.GateFunc(func() bool { return true }) }
	}
	h.run(context.Background())
	return 0
}

// process is an engine in a process of its own.
type process struct {
	t   testing.TB
	cmd *exec.Cmd
}

func (o *office) process(name string, env ...string) *process {
	o.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		o.t.Fatal(err)
	}
	p := &process{t: o.t, cmd: exec.Command(exe)}
	p.cmd.Env = append(append(os.Environ(), envDSN+"="+o.db.DSN(storetest.Engine), envName+"="+name), env...)
	p.cmd.Stderr = os.Stderr
	// The engine ends with the test, however the test ends.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(p.kill)
	return p
}

// kill is kill -9, and waits. Killing twice is harmless.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// forgetLeases lets a killed engine's leases run out at once: the drill is about mails, and waiting 5 s a kill shows nothing new.
func (o *office) forgetLeases() {
	o.db.Exec(`UPDATE lease SET expires_at = now() WHERE expires_at > now()`)
}

// slow makes a mail take so long.
func slow(d time.Duration) func(string) routeAnswer {
	return func(string) routeAnswer { return routeAnswer{Delay: d} }
}
