package cluster

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"yagura/store/desk"
)

const (
	configName   = "yagura.conf"
	locationName = "location" // written into the asked directory when the cluster had to live elsewhere
	socketLimit  = 107        // bytes of a unix socket path: sun_path less its closing zero (unix(7))
)

// place is where one cluster lives and as whom it runs.
type place struct {
	asked     string // Options.Dir, absolute
	dir       string // asked, or the fallback
	data      string
	logFile   string
	socketDir string
	user      identity
}

// settle chooses the directory and the user. Root gives the server to an unprivileged user, who must be able to reach its
// data: where a parent is closed to that user (a checkout under a 0700 home), the cluster moves to the temporary folder.
func settle(dir string, log *slog.Logger) (place, error) {
	asked, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(asked, readableByUs)
	}
	if err != nil {
		return place{}, fail(desk.Forbidden, "cluster.Start", err, "フォルダー %s を作れません。", dir)
	}
	p := place{asked: asked, dir: asked}
	if p.user, err = whoServes(filepath.Join(asked, "data")); err != nil {
		return place{}, err
	}
	if closed := p.user.cannotEnter(asked); closed != "" {
		if p.dir, err = fallback(asked); err != nil {
			return place{}, err
		}
		if p.user, err = whoServes(filepath.Join(p.dir, "data")); err != nil {
			return place{}, err
		}
		if again := p.user.cannotEnter(p.dir); again != "" {
			return place{}, desk.Errorf(desk.Unavailable, "cluster.Start",
				"データベースの利用者 %s が %s にも %s にも入れません。chmod o+x でどちらかを開けてください。", p.user.name, closed, again)
		}
		log.Warn("データベースの利用者がこのフォルダーに入れないため、別の場所に置きます", "closed", closed, "user", p.user.name, "dir", p.dir)
	}
	p.data = filepath.Join(p.dir, "data")
	p.logFile = filepath.Join(p.dir, "run", "postgresql.log")
	p.socketDir = filepath.Join(p.dir, "run")
	if len(filepath.Join(p.socketDir, ".s.PGSQL."+socketPort+".lock")) > socketLimit {
		p.socketDir = filepath.Join("/tmp", "yagura-run-"+digest(p.dir))
	}
	return p, p.mkdirOwned(filepath.Join(p.dir, "run"))
}

// fallback is a directory of our own under the temporary folder, keyed by the asked one and noted there for make stop.
func fallback(asked string) (string, error) {
	dir := filepath.Join(os.TempDir(), "yagura-pg-"+digest(asked))
	if err := os.Mkdir(dir, readableByUs); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fail(desk.Unavailable, "cluster.Start", err, "フォルダー %s を作れません。", dir)
	}
	if err := mustOwn(dir, os.Getuid()); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(asked, locationName), []byte(dir+"\n"), 0o644); err != nil {
		return "", fail(desk.Forbidden, "cluster.Start", err, "%s に書けません。", asked)
	}
	return dir, nil
}

func digest(path string) string {
	sum := sha256.Sum256([]byte(path))
	return hex.EncodeToString(sum[:6])
}

// mustOwn refuses a directory that somebody else put there first: on a shared machine /tmp belongs to everybody.
func mustOwn(dir string, uid int) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fail(desk.Unavailable, "cluster.Start", err, "フォルダー %s を確かめられません。", dir)
	}
	if owner, ok := ownerOf(info); !info.IsDir() || !ok || owner.uid != uid {
		return desk.Errorf(desk.Forbidden, "cluster.Start", "フォルダー %s はほかの利用者のものです。消すか、TMPDIR を変えてください。", dir)
	}
	return nil
}

// mkdirOwned makes a directory that the server's user alone may enter (root always may).
func (p place) mkdirOwned(dir string) error {
	err := os.Mkdir(dir, ownerOnly)
	if err == nil {
		err = p.user.give(dir)
	} else if errors.Is(err, fs.ErrExist) {
		return mustOwn(dir, p.user.uid)
	}
	if err != nil {
		return fail(desk.Forbidden, "cluster.Start", err, "フォルダー %s を作れません。", dir)
	}
	return nil
}

func (p place) prepareSocketDir() error {
	if err := p.mkdirOwned(p.socketDir); err != nil {
		return err
	}
	if err := os.Chmod(p.socketDir, ownerOnly); err != nil {
		return fail(desk.Forbidden, "cluster.Start", err, "フォルダー %s の権限を変えられません。", p.socketDir)
	}
	return nil
}

// version is the major version of the data directory, "" when there is none yet.
func (p place) version() string {
	b, err := os.ReadFile(filepath.Join(p.data, "PG_VERSION"))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// defaults fit a demo, a test run and a bench on a small machine (limits.md); what is acknowledged is on the disk.
// GMT is the one zone PostgreSQL knows without the zone files, which the rootless cache cannot provide.
func defaults() map[string]string {
	return map[string]string{
		"listen_addresses":             "",
		"unix_socket_permissions":      "0700",
		"port":                         socketPort,
		"max_connections":              "200",
		"shared_buffers":               "256MB",
		"fsync":                        "on",
		"synchronous_commit":           "on",
		"wal_level":                    "replica",
		"max_wal_size":                 "4GB",
		"checkpoint_timeout":           "15min",
		"checkpoint_completion_target": "0.9",
		"timezone":                     "GMT",
		"log_timezone":                 "GMT",
		"log_line_prefix":              "%m [%p] %u@%d ",
	}
}

// writeConfig writes the settings anew at every start, so that a changed default reaches an old cluster.
func (p place) writeConfig(params map[string]string) error {
	settings := defaults()
	maps.Copy(settings, params)
	settings["unix_socket_directories"] = p.socketDir
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	path := filepath.Join(p.data, configName)
	err := os.WriteFile(path, b.Bytes(), 0o600)
	if err == nil {
		err = p.user.give(path)
	}
	if err != nil {
		return fail(desk.Forbidden, "cluster.Start", err, "設定 %s を書けません。", path)
	}
	return nil
}

// lock serialises start and stop between processes. The kernel frees it when its holder dies.
func (p place) lock(ctx context.Context) (func(), error) {
	f, err := os.OpenFile(filepath.Join(p.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fail(desk.Forbidden, "cluster.lock", err, "%s に書けません。ほかの利用者が作ったものなら make clean を頼んでください。", p.dir)
	}
	var refused error
	free := func() bool {
		refused = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		return !errors.Is(refused, syscall.EWOULDBLOCK)
	}
	if err := errors.Join(await(ctx, 2*readyWithin, free), refused); err != nil {
		_ = f.Close()
		return nil, fail(desk.Unavailable, "cluster.lock", err, "別の処理がデータベースを準備しています。終わるのを待てませんでした。")
	}
	return func() { _ = f.Close() }, nil
}

func (p place) pidFile() string { return filepath.Join(p.data, "postmaster.pid") }

func (p place) pidLines() []string {
	b, err := os.ReadFile(p.pidFile())
	if err != nil {
		return nil
	}
	return strings.Split(string(b), "\n")
}

// postmaster is the process id of the server that lives on this data directory, 0 when none does. The pid file alone
// proves nothing: it outlives a kill -9, and its number may belong to somebody else by now.
func (p place) postmaster() int {
	lines := p.pidLines()
	if len(lines) == 0 {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 0 {
		return 0
	}
	cmdline, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return 0
	}
	args := strings.Split(string(cmdline), "\x00")
	if filepath.Base(args[0]) != "postgres" || !slices.Contains(args, p.data) {
		return 0
	}
	return pid
}

// saysReady reads line 8 of the pid file, where the server writes its state (PostgreSQL miscadmin.h).
func (p place) saysReady() bool {
	lines := p.pidLines()
	return len(lines) >= 8 && strings.TrimSpace(lines[7]) == "ready"
}

// answers asks the server one question and waits for its answer. An open socket is not enough: that of a server that is
// just being killed still takes connections. The question is SSLRequest, which needs no login (PostgreSQL frontend/backend protocol).
func (p place) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", filepath.Join(p.socketDir, ".s.PGSQL."+socketPort))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}); err != nil {
		return false
	}
	answer := make([]byte, 1)
	_, err = io.ReadFull(conn, answer)
	return err == nil && (answer[0] == 'N' || answer[0] == 'S')
}

// dropStrangersPID removes a pid file whose number now belongs to a stranger, which would make the server refuse to start.
// The file of a dead process stays: in it the server finds the shared memory that children of the dead one may still use.
func (p place) dropStrangersPID() {
	lines := p.pidLines()
	if len(lines) == 0 || p.postmaster() != 0 {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err == nil && pid > 0 && !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		_ = os.Remove(p.pidFile()) // if it cannot be removed, the start says so
	}
}

// logTail is the end of the server's own log, for the cause of an error.
func (p place) logTail() string {
	b, err := os.ReadFile(p.logFile)
	if err != nil {
		return ""
	}
	const keep = 2000
	return strings.TrimSpace(string(b[max(0, len(b)-keep):]))
}
