// Package cluster runs a private PostgreSQL for the demo and the tests: find the binaries, start, adopt, stop.
//
// The server listens on a unix socket only, in a directory that its own user alone may enter, so trusting every local
// connection is safe there. Started by root it runs as the user postgres (else nobody), because PostgreSQL refuses root.
// A running server on the same directory is adopted, never started twice. Production does not use this package.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"yagura/store/desk"
)

const (
	socketPort   = "5432"           // the number only names the socket file; no TCP port is opened
	readyWithin  = 60 * time.Second // crash recovery after a kill may replay several GB of log
	retryWithin  = 5 * time.Second  // children of a killed server hold its shared memory for a moment (reliability.md 1a)
	retryEvery   = 250 * time.Millisecond
	answerWithin = 2 * time.Second
	pollEvery    = 20 * time.Millisecond
	ownerOnly    = 0o700
	readableByUs = 0o755
)

// Superuser is the database role that owns a cluster started here. It needs no password on the private socket.
const Superuser = "postgres"

// Options says where a cluster lives and how it is tuned.
type Options struct {
	// Dir holds everything of one cluster: data, log, lock and socket. It is created when missing. The rootless cache of
	// binaries is looked for beside it, in pg/root.
	Dir string
	// Log receives progress for a person; nil is silent.
	Log *slog.Logger
	// Params are server settings that go before the defaults, e.g. "shared_buffers": "1GB".
	Params map[string]string
}

// Cluster is one running private server.
type Cluster struct {
	place   place
	bin     binaries
	log     *slog.Logger
	adopted bool
	foreign string // a DSN given from outside; such a server is used but never stopped
}

// Start starts the cluster under o.Dir, creating it first when there is none, or adopts the one already running there.
// It returns when the server accepts connections. Errors are desk.Unavailable with a sentence that says what to do.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p, err := settle(o.Dir, log)
	if err != nil {
		return nil, err
	}
	unlock, err := p.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	c := &Cluster{place: p, log: log}
	if pid := p.postmaster(); pid != 0 {
		if err := c.awaitReady(ctx); err == nil {
			c.adopted = true
			log.Info("動いているデータベースを引き継ぎました", "pid", pid)
			return c, nil
		} else if p.postmaster() != 0 {
			return nil, err
		}
	}
	if c.bin, err = findBinaries(filepath.Dir(p.asked), p.version()); err != nil {
		return nil, err
	}
	if p.version() == "" {
		log.Info("データベースを作っています", "dir", p.data)
		if err := c.initialise(ctx); err != nil {
			return nil, err
		}
	}
	if err := p.writeConfig(o.Params); err != nil {
		return nil, err
	}
	if err := c.launch(ctx); err != nil {
		return nil, err
	}
	log.Info("データベースを起動しました", "postgresql", c.bin.version, "dir", p.dir)
	return c, nil
}

// Adopted reports whether Start found the server already running.
func (c *Cluster) Adopted() bool { return c.adopted }

// Dir is where the cluster really lives; it differs from Options.Dir when the server's user could not enter that one.
func (c *Cluster) Dir() string { return c.place.dir }

// DSN is the connection string for one database as one role, in keyword form, readable by pgx and psql.
// Empty arguments leave the choice to what the cluster was given from outside, else to the role postgres.
func (c *Cluster) DSN(dbname, user string) string {
	if c.foreign != "" {
		return redirect(c.foreign, dbname, user)
	}
	if user == "" {
		user = Superuser
	}
	if dbname == "" {
		dbname = "postgres"
	}
	return "host=" + quote(c.place.socketDir) + " port=" + socketPort + " dbname=" + quote(dbname) + " user=" + quote(user)
}

// Stop ends the server in order (open transactions are rolled back) and waits until it is gone. Stopping a stopped
// cluster is no error. A server that was given from outside by its DSN is left alone.
func (c *Cluster) Stop(ctx context.Context) error {
	if c.foreign != "" {
		return nil
	}
	unlock, err := c.place.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	pid := c.place.postmaster()
	if pid == 0 {
		return nil
	}
	// SIGINT is PostgreSQL's fast shutdown. Sent by root or by the server's own user, so no binary is needed.
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fail(desk.Forbidden, "cluster.Stop", err, "データベースを止められません。起動した利用者で実行してください。")
	}
	gone := func() bool { return c.place.postmaster() == 0 }
	if err := await(ctx, readyWithin, gone); err != nil {
		return fail(desk.Unavailable, "cluster.Stop", err, "データベースが時間内に止まりませんでした。")
	}
	return nil
}

// launch starts the server through pg_ctl, which detaches it from our terminal and process group: a ctrl-C meant for the
// desk must not reach the database before the desk has closed it.
func (c *Cluster) launch(ctx context.Context) error {
	p := c.place
	if err := p.prepareSocketDir(); err != nil {
		return err
	}
	patience := time.Duration(0)
	if len(p.pidLines()) > 0 { // killed last time
		patience = retryWithin
	}
	p.dropStrangersPID()
	again, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := c.run(ctx, "pg_ctl", "start", "--pgdata="+p.data, "--log="+p.logFile, "--silent", "--wait",
			"--timeout="+strconv.Itoa(int(readyWithin/time.Second)))
		if err == nil {
			return c.awaitReady(ctx)
		}
		select {
		case <-again.Done():
			return fail(desk.Unavailable, "cluster.Start", fmt.Errorf("%w: %s", err, p.logTail()),
				"データベースを起動できませんでした。記録 %s を確かめてください。", p.logFile)
		case <-time.After(retryEvery):
		}
	}
}

// initialise makes the data directory beside its final place and renames it, so that an interrupted initdb leaves nothing
// that looks complete.
func (c *Cluster) initialise(ctx context.Context) error {
	p := c.place
	fresh := p.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fail(desk.Forbidden, "cluster.Start", err, "%s を消せません。", fresh)
	}
	if err := p.mkdirOwned(fresh); err != nil {
		return err
	}
	err := c.run(ctx, "initdb", "--pgdata="+fresh, "--username="+Superuser, "--auth=trust", "--encoding=UTF8",
		"--locale=C.UTF-8", "--no-sync", "--no-instructions")
	if err != nil {
		return fail(desk.Unavailable, "cluster.Start", err, "データベースを作れませんでした。空き容量と %s の権限を確かめてください。", p.dir)
	}
	conf, err := os.OpenFile(filepath.Join(fresh, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = conf.WriteString("\ninclude_if_exists = '" + configName + "'\n")
		err = errors.Join(err, conf.Close(), os.Rename(fresh, p.data))
	}
	if err != nil {
		return fail(desk.Unavailable, "cluster.Start", err, "データベースの設定を書けませんでした。")
	}
	return nil
}

// awaitReady waits until the server has written "ready" into its pid file and its socket answers.
func (c *Cluster) awaitReady(ctx context.Context) error {
	died := false
	ready := func() bool {
		if c.place.postmaster() == 0 {
			died = true
			return true
		}
		return c.place.saysReady() && c.place.answers(ctx)
	}
	if err := await(ctx, readyWithin, ready); err != nil {
		return fail(desk.Unavailable, "cluster.Start", err, "データベースの準備が時間内に終わりませんでした。記録 %s を確かめてください。", c.place.logFile)
	}
	if died {
		return fail(desk.Unavailable, "cluster.Start", errors.New(c.place.logTail()),
			"データベースが起動の途中で止まりました。記録 %s を確かめてください。", c.place.logFile)
	}
	return nil
}

// await polls done until it is true, the context ends or the limit has passed.
func await(ctx context.Context, limit time.Duration, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// redirect points a DSN given from outside (URL or keyword form) at another database and role.
func redirect(dsn, dbname, user string) string {
	if !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		if dbname != "" {
			dsn += " dbname=" + quote(dbname) // the last value of a keyword counts
		}
		if user != "" {
			dsn += " user=" + quote(user)
		}
		return dsn
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return dsn // the caller's connect reports it in full
	}
	if dbname != "" {
		u.Path = "/" + dbname
	}
	if user != "" {
		u.User = url.User(user)
	}
	return u.String()
}

// quote writes a value of a keyword DSN so that blanks, quotes and backslashes survive.
func quote(v string) string {
	if v != "" && !strings.ContainsAny(v, ` '\`) {
		return v
	}
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}

func fail(kind desk.Kind, op string, cause error, format string, args ...any) error {
	return &desk.Error{Kind: kind, Op: op, Msg: fmt.Sprintf(format, args...), Err: cause}
}
