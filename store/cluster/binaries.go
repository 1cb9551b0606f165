package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"yagura/store/desk"
)

// binaries is one installed PostgreSQL: where its programs are, its major version, and, for the rootless cache, where its
// libraries are.
type binaries struct {
	dir     string
	version string
	libs    []string
}

// findBinaries looks for PostgreSQL in this order: $YAGURA_PGBIN, the package manager's places, PATH, the rootless cache
// pg/root under base and under var of the checkout we stand in. The newest version wins, but an existing data directory of version want needs exactly that one.
func findBinaries(base, want string) (binaries, error) {
	if dir := os.Getenv("YAGURA_PGBIN"); dir != "" {
		b, ok := inspect(dir)
		if !ok {
			return binaries{}, desk.Errorf(desk.Unavailable, "cluster.Start",
				"YAGURA_PGBIN=%s に PostgreSQL のプログラム(initdb, pg_ctl, postgres)がありません。", dir)
		}
		return fitting([]binaries{b}, want)
	}
	var found []binaries
	for _, dir := range candidates(base) {
		if b, ok := inspect(dir); ok {
			found = append(found, b)
		}
	}
	if len(found) == 0 {
		return binaries{}, desk.Errorf(desk.Unavailable, "cluster.Start",
			"PostgreSQL が見つかりません。sudo apt-get install postgresql を実行するか、deploy/setup/postgres.sh を実行してください。")
	}
	return fitting(found, want)
}

func candidates(base string) []string {
	var dirs []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"} {
		got, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		dirs = append(dirs, got...)
	}
	for _, name := range []string{"pg_ctl", "postgres"} {
		if path, err := exec.LookPath(name); err == nil {
			if real, err := filepath.EvalSymlinks(path); err == nil {
				dirs = append(dirs, filepath.Dir(real))
			}
		}
	}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	bases := []string{base}
	if root, err := moduleRoot(); err == nil {
		bases = append(bases, filepath.Join(root, "var"))
	}
	for _, base := range bases {
		cached, _ := filepath.Glob(filepath.Join(base, "pg/root/usr/lib/postgresql/*/bin"))
		dirs = append(dirs, cached...)
	}
	return dirs
}

// inspect accepts a directory that holds the three programs and can say its version.
func inspect(dir string) (binaries, bool) {
	for _, name := range []string{"postgres", "initdb", "pg_ctl"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return binaries{}, false
		}
	}
	b := binaries{dir: dir}
	if root, _, cached := strings.Cut(dir, "/pg/root/usr/"); cached {
		for _, pattern := range []string{"usr/lib/*-linux-*", "lib/*-linux-*"} {
			libs, _ := filepath.Glob(filepath.Join(root, "pg/root", pattern))
			b.libs = append(b.libs, libs...)
		}
	}
	cmd := exec.Command(filepath.Join(dir, "postgres"), "--version")
	cmd.Env = b.environment()
	out, err := cmd.Output() // "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
	words := strings.Fields(string(out))
	if err != nil || len(words) < 3 {
		return binaries{}, false
	}
	b.version, _, _ = strings.Cut(words[2], ".")
	return b, true
}

func fitting(found []binaries, want string) (binaries, error) {
	slices.SortStableFunc(found, func(a, b binaries) int { return number(b.version) - number(a.version) })
	if want == "" {
		return found[0], nil
	}
	for _, b := range found {
		if b.version == want {
			return b, nil
		}
	}
	return binaries{}, desk.Errorf(desk.Conflict, "cluster.Start",
		"保存されているデータベースは PostgreSQL %s のものですが、ここにあるのは %s です。make clean で作り直してください。", want, found[0].version)
}

// number is the leading digits of a version: 15, and also 18 for "18beta1".
func number(version string) int {
	digits := version[:len(version)-len(strings.TrimLeft(version, "0123456789"))]
	n, _ := strconv.Atoi(digits) // an odd version sorts last
	return n
}

// environment is ours without the PG… variables, which would silently point the programs at another server.
func (b binaries) environment() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "PG") })
	if len(b.libs) > 0 {
		env = append(env, "LD_LIBRARY_PATH="+strings.Join(b.libs, ":"))
	}
	return env
}

// run calls one PostgreSQL program as the server's user, from the root directory, since that user may be unable to enter ours.
func (c *Cluster) run(ctx context.Context, program string, args ...string) error {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin.dir, program), args...)
	cmd.Dir = "/"
	cmd.Env = c.bin.environment()
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.place.user.credential()}
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(out.String()))
	}
	return nil
}
