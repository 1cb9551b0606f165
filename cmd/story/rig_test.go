package story

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programs is the folder of the four programs, built once for the whole package; TestMain sets it before any story begins.
var programs string

func TestMain(m *testing.M) { os.Exit(tell(m)) }

func tell(m *testing.M) int {
	dir, err := os.MkdirTemp("", "yagura-story-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"engine", "console", "ctl", "sim"} {
		args := append([]string{"build", "-o", filepath.Join(dir, "yagura-"+name)}, raced()...)
		build := exec.Command("go", append(args, "yagura/cmd/"+name)...)
		if said, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "cannot build %s: %v\n%s", name, err, said)
			return 1
		}
	}
	programs = dir
	return m.Run()
}

// process is one running program of ours with everything it ever said.
type process struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	said *speech
	done chan struct{}
	err  error
}

// launch starts a program. It is stopped, gently, when the story ends; its words are logged when the story failed.
func launch(t testing.TB, name, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, said: &speech{}, done: make(chan struct{})}
	p.cmd = exec.Command(filepath.Join(programs, "yagura-"+program), args...)
	p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
	p.cmd.Env = append(os.Environ(), "TZ=UTC")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL} // signals for the tests do not reach it; nothing is left running
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("== %s said:\n%s", name, p.said.tail(60))
		}
	})
	return p
}

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// stop asks the program to end as systemd would; one that does not end in time fails the story.
func (p *process) stop() {
	if !p.alive() {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // gone meanwhile: the wait below sees it
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		p.t.Errorf("%s did not end within 15 s of SIGTERM", p.name)
		p.kill()
	}
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// speech is what a program wrote, readable while it writes.
type speech struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write takes the program's words.
func (s *speech) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

// String is everything said so far.
func (s *speech) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func (s *speech) tail(lines int) string {
	all := strings.Split(strings.TrimRight(s.String(), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

var _ io.Writer = (*speech)(nil)

// within waits until something is true, looking again and again, and fails the story when it is not in time.
func within(t testing.TB, limit time.Duration, what string, is func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		if time.Since(began) > limit {
			t.Fatalf("not within %s: %s", limit, what)
		}
		<-tick.C
	}
	return time.Since(began)
}

// always watches for a while that something stays true.
func always(t testing.TB, span time.Duration, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < span; <-tick.C {
		if !is() {
			t.Fatalf("not true any more: %s", what)
		}
	}
}

// must is for what a story only needs and does not tell about.
func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
