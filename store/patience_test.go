package store_test

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store"
	"yagura/store/desk"
	"yagura/store/storetest"
)

// stall is a wire to the database that can fall silent without a goodbye, as a collapsed site does: nothing is closed,
// nothing is refused, nothing arrives any more.
type stall struct {
	mu     sync.Mutex
	silent bool
	conns  []net.Conn
}

func (w *stall) fallSilent() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.silent = true
}

func (w *stall) isSilent() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.silent
}

func (w *stall) keep(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, c)
}

func (w *stall) pipe(to, from net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			if !w.isSilent() {
				_ = to.Close()
			}
			return
		}
		if !w.isSilent() {
			_, _ = to.Write(buf[:n])
		}
	}
}

// through opens the database as a role through a wire that can fall silent.
func through(t *testing.T, db *storetest.DB, role string, patience time.Duration) (*store.Store, *stall) {
	t.Helper()
	cfg, err := pgx.ParseConfig(db.DSN(role))
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgNetwork(cfg.Host, cfg.Port)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &stall{}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial(network, address)
			if err != nil {
				_ = client.Close()
				continue
			}
			w.keep(client)
			w.keep(server)
			go w.pipe(server, client)
			go w.pipe(client, server)
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	s, err := store.Open(t.Context(), store.Options{
		DSN: "host=127.0.0.1 sslmode=disable port=" + port + " dbname=" + cfg.Database + " user=" + cfg.User, Name: t.Name(), Patience: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Close()
		w.mu.Lock()
		for _, c := range w.conns {
			_ = c.Close()
		}
		w.mu.Unlock()
		s.Close()
	})
	return s, w
}

func pgNetwork(host string, port uint16) (network, address string) {
	suffix := strconv.Itoa(int(port))
	if filepath.IsAbs(host) {
		return "unix", filepath.Join(host, ".s.PGSQL."+suffix)
	}
	return "tcp", net.JoinHostPort(host, suffix)
}

// TestASilentDatabaseIsUnavailable: callers of the store have no deadline of their own; a recorder or a desk that waits for the
// kernel to give up (a quarter of an hour) is a recorder that hangs. // reliability.md 1b
func TestASilentDatabaseIsUnavailable(t *testing.T) {
	db := storetest.New(t)
	s, wire := through(t, db, storetest.Engine, 500*time.Millisecond)
	calls := awayCalls(s)
	delete(calls, "VerifyAudit") // its patience is minutes
	delete(calls, "SetPolicy")   // not this role's
	calls["RecordAttempts"] = func(ctx context.Context) error {
		_, err := s.RecordAttempts(ctx, []desk.Attempt{{MailID: 1, DispatchID: 1, Number: 1, Epoch: 1, Outcome: desk.Accepted, At: time.Unix(1, 0)}})
		return err
	}
	if err := calls["Policy"](t.Context()); err != nil {
		t.Fatal(err)
	}
	wire.fallSilent()
	for name, call := range calls {
		done := make(chan error, 1)
		go func() { done <- call(context.WithoutCancel(t.Context())) }()
		if err := within(t, done, name); desk.KindOf(err) != desk.Unavailable {
			t.Errorf("%s over a silent wire: %v", name, err)
		}
	}
}

// TestALockNobodyGivesBackIsSaid: a session that forgot its transaction must not hold the stop key.
func TestALockNobodyGivesBackIsSaid(t *testing.T) {
	db := storetest.New(t)
	holder := db.Conn(storetest.Owner)
	tx, err := holder.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE heartbeat IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{DSN: db.DSN(storetest.Engine), Name: t.Name(), Patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	done := make(chan error, 1)
	go func() { done <- s.Beat(context.WithoutCancel(t.Context()), desk.Heartbeat{Process: "engine@tokyo"}) }()
	refused(t, within(t, done, "the lock to be given up"), desk.Unavailable, "時間切れ")
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Beat(t.Context(), desk.Heartbeat{Process: "engine@tokyo"}); err != nil {
		t.Error("after the lock is gone:", err)
	}
}

// TestSessionsHaveLimits looks at what the server was told, for every role.
func TestSessionsHaveLimits(t *testing.T) {
	db := storetest.New(t)
	for _, role := range []string{storetest.Engine, storetest.Console} {
		s := db.Store(role)
		for name, value := range map[string]string{
			"statement_timeout": "14s", "lock_timeout": "5s", "idle_in_transaction_session_timeout": "15s",
		} {
			if got, err := s.Setting(t.Context(), name); err != nil || got != value {
				t.Errorf("%s: %s = %q, %v; want %s", role, name, got, err, value)
			}
		}
	}
}
