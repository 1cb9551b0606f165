package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"yagura/store/desk"
)

// asStarter makes this test binary start a cluster and say how it went, for the test of two processes at once.
const asStarter = "YAGURA_TEST_START_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(asStarter)
	if dir == "" {
		os.Exit(m.Run())
	}
	c, err := Start(context.Background(), Options{Dir: dir, Params: small()})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Printf("adopted=%t pid=%d\n", c.Adopted(), c.place.postmaster())
	os.Exit(0)
}

func small() map[string]string {
	return map[string]string{"shared_buffers": "16MB", "max_connections": "20", "fsync": "off"}
}

// roomFor is a test directory that the server's user can reach, also when root runs the tests.
func roomFor(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for at := dir; at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "pg")
}

func start(t *testing.T, o Options) *Cluster {
	t.Helper()
	if o.Params == nil {
		o.Params = small()
	}
	began := time.Now()
	c, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("start: %v adopted=%t", time.Since(began).Round(time.Millisecond), c.Adopted())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return c
}

// query asks the server through psql, as an outsider with nothing but the DSN would.
func query(t *testing.T, c *Cluster, sql string) string {
	t.Helper()
	b, err := findBinaries(filepath.Dir(c.place.asked), "")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(b.dir, "psql"), "-XAtqc", sql, c.DSN("", ""))
	cmd.Env = b.environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("psql: %v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestStartAdoptStopStart(t *testing.T) {
	dir := roomFor(t)
	first := start(t, Options{Dir: dir})
	if first.Adopted() {
		t.Error("a fresh cluster says that it was adopted")
	}
	query(t, first, "create table kept (n int); insert into kept values (42)")

	second := start(t, Options{Dir: dir})
	if !second.Adopted() {
		t.Error("the running cluster was not adopted")
	}
	if got := query(t, second, "select n from kept"); got != "42" {
		t.Errorf("adopted cluster: got %q", got)
	}
	for range 2 { // stopping a stopped cluster is no error
		if err := second.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if pid := first.place.postmaster(); pid != 0 {
		t.Errorf("still running after Stop: pid %d", pid)
	}
	third := start(t, Options{Dir: dir})
	if third.Adopted() {
		t.Error("a stopped cluster says that it was adopted")
	}
	if got := query(t, third, "select n from kept"); got != "42" {
		t.Errorf("after stop and start: got %q", got)
	}
}

func TestServerIsPrivateAndDurable(t *testing.T) {
	c := start(t, Options{Dir: roomFor(t), Params: map[string]string{"shared_buffers": "16MB"}})
	for setting, want := range map[string]string{
		"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "shared_buffers": "16MB",
		"server_encoding": "UTF8", "max_connections": "200",
	} {
		if got := query(t, c, "show "+setting); got != want {
			t.Errorf("%s: got %q, want %q", setting, got, want)
		}
	}
	info, err := os.Stat(c.place.socketDir)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("socket directory is open to others: %v", got)
	}
	group, err := syscall.Getpgid(c.place.postmaster())
	if err != nil {
		t.Fatal(err)
	}
	if group == syscall.Getpgrp() {
		t.Error("the server is in our process group: a ctrl-C would stop it under the desk")
	}
}

func TestStartsAgainAfterKill(t *testing.T) {
	dir := roomFor(t)
	c := start(t, Options{Dir: dir})
	query(t, c, "create table kept (n int); insert into kept values (42)")
	if err := syscall.Kill(c.place.postmaster(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// No pause here on purpose: children of the killed server still hold its memory, and the pid file names a dead process.
	again := start(t, Options{Dir: dir})
	if got := query(t, again, "select n from kept"); got != "42" {
		t.Errorf("after kill -9: got %q", got)
	}
}

func TestStalePIDOfAStrangerIsIgnored(t *testing.T) {
	dir := roomFor(t)
	c := start(t, Options{Dir: dir})
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := fmt.Sprintf("%d\n%s\n0\n5432\n%s\n\n0 0\nready   \n", os.Getpid(), c.place.data, c.place.socketDir)
	if err := os.WriteFile(c.place.pidFile(), []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	if again := start(t, Options{Dir: dir}); again.Adopted() {
		t.Error("adopted the test process as if it were PostgreSQL")
	}
}

func TestTwoProcessesShareOneServer(t *testing.T) {
	dir := roomFor(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan string)
	for range 2 {
		go func() {
			cmd := exec.Command(self)
			cmd.Env = append(os.Environ(), asStarter+"="+dir)
			out, err := cmd.CombinedOutput()
			said <- fmt.Sprintf("%s%v", out, err)
		}()
	}
	a, b := <-said, <-said
	c := start(t, Options{Dir: dir}) // adopts, and stops it at the end
	pid := fmt.Sprintf("pid=%d\n", c.place.postmaster())
	if !strings.Contains(a, pid) || !strings.Contains(b, pid) {
		t.Fatalf("not one server for both:\n%s\n%s\nwant %s", a, b, pid)
	}
	if strings.Count(a+b, "adopted=true") != 1 {
		t.Errorf("exactly one of two should have adopted:\n%s\n%s", a, b)
	}
}

func TestLongPathGetsAShortSocket(t *testing.T) {
	dir := filepath.Join(roomFor(t), strings.Repeat("長い名前", 9))
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Join("/tmp", "yagura-run-"+digest(dir))) })
	c := start(t, Options{Dir: dir})
	if got := query(t, c, "select 1"); got != "1" {
		t.Errorf("got %q", got)
	}
	if strings.HasPrefix(c.place.socketDir, dir) {
		t.Errorf("socket stayed under the long path: %s", c.place.socketDir)
	}
}

func TestClosedParentMovesTheCluster(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives the server to another user")
	}
	dir := roomFor(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	asked := filepath.Join(dir, "var", "pg")
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Join(os.TempDir(), "yagura-pg-"+digest(asked))) })
	c := start(t, Options{Dir: asked})
	if c.Dir() == asked {
		t.Fatal("the server cannot live behind a closed folder")
	}
	if got := query(t, c, "select 1"); got != "1" {
		t.Errorf("got %q", got)
	}
	note, err := os.ReadFile(filepath.Join(asked, locationName))
	if err != nil || strings.TrimSpace(string(note)) != c.Dir() {
		t.Errorf("location note %q (%v), want %s", note, err, c.Dir())
	}
	if again := start(t, Options{Dir: asked}); !again.Adopted() {
		t.Error("the moved cluster was not found again")
	}
}

func TestInterruptedInitdbIsMadeAnew(t *testing.T) {
	dir := roomFor(t)
	if err := os.MkdirAll(filepath.Join(dir, "data.new", "base"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := start(t, Options{Dir: dir})
	if got := query(t, c, "select 1"); got != "1" {
		t.Errorf("got %q", got)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Run("no binaries", func(t *testing.T) {
		t.Setenv("YAGURA_PGBIN", t.TempDir())
		_, err := Start(t.Context(), Options{Dir: roomFor(t)})
		expect(t, err, desk.Unavailable, "YAGURA_PGBIN")
	})
	t.Run("bad setting", func(t *testing.T) {
		_, err := Start(t.Context(), Options{Dir: roomFor(t), Params: map[string]string{"shared_buffers": "plenty"}})
		expect(t, err, desk.Unavailable, "起動できませんでした")
		if !strings.Contains(err.Error(), "shared_buffers") {
			t.Errorf("the cause does not name the setting: %v", err)
		}
	})
	t.Run("directory is a file", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Start(t.Context(), Options{Dir: file})
		expect(t, err, desk.Forbidden, "作れません")
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Start(ctx, Options{Dir: roomFor(t)})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func expect(t *testing.T, err error, kind desk.Kind, part string) {
	t.Helper()
	if desk.KindOf(err) != kind || !strings.Contains(desk.Message(err), part) {
		t.Errorf("got %v (%s), want kind %s with %q", err, desk.KindOf(err), kind, part)
	}
}
