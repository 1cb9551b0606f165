package store

import (
	"context"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"yagura/store/desk"
)

// What a statement may cost at most. A site that collapses sends no goodbye, and a session that forgot its transaction holds its
// locks for ever: without these the recorder of an engine would wait a quarter of an hour for the kernel (reliability.md 1b).
const (
	patience     = 15 * time.Second // of one transaction or statement; the longest of the desk takes about 2 s
	longPatience = 10 * time.Minute // of an import or a walk over the whole record
	cancelLead   = time.Second      // the server gives up first, so that the connection survives
	userTimeout  = 5 * time.Second  // unacknowledged bytes (TCP_USER_TIMEOUT)
)

// tcpUserTimeout is TCP_USER_TIMEOUT of Linux (tcp(7)); package syscall does not name it.
const tcpUserTimeout = 0x12

// pool is a connection pool whose every statement has a deadline of its own beside the caller's.
type pool struct {
	*pgxpool.Pool
	patience time.Duration
}

// limitSession makes the server end what the client will not wait for. What the connection string says wins.
func limitSession(params map[string]string, patience time.Duration) {
	for name, limit := range map[string]time.Duration{
		"statement_timeout":                   max(patience-cancelLead, patience/2),
		"lock_timeout":                        max(patience/3, time.Millisecond),
		"idle_in_transaction_session_timeout": patience,
		"tcp_user_timeout":                    userTimeout,
	} {
		if params[name] == "" {
			params[name] = strconv.FormatInt(limit.Milliseconds(), 10)
		}
	}
}

// dialer notices a peer that fell silent: idle connections by keepalive (3 s, then 3 probes a second apart), bytes under way by
// TCP_USER_TIMEOUT. A Unix socket has neither and needs neither.
func dialer() pgconn.DialFunc {
	d := &net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 3 * time.Second, Interval: time.Second, Count: 3},
		Control: func(network, _ string, raw syscall.RawConn) error {
			if network == "unix" {
				return nil
			}
			var set error
			err := raw.Control(func(fd uintptr) {
				set = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(userTimeout.Milliseconds()))
			})
			if err != nil {
				return err
			}
			return set
		},
	}
	return d.DialContext
}

// Exec runs a statement within the patience of the pool.
func (p pool) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	return p.Pool.Exec(ctx, sql, args...)
}

// Query runs a query; the deadline lasts until its rows are closed.
func (p pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	rows, err := p.Pool.Query(ctx, sql, args...)
	if err != nil {
		cancel()
		return rows, err
	}
	return timedRows{rows, cancel}, nil
}

// QueryRow runs a query of one row; the deadline lasts until it is scanned.
func (p pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	return timedRow{p.Pool.QueryRow(ctx, sql, args...), cancel}
}

type timedRows struct {
	pgx.Rows
	cancel context.CancelFunc
}

func (r timedRows) Close() {
	r.Rows.Close()
	r.cancel()
}

type timedRow struct {
	row    pgx.Row
	cancel context.CancelFunc
}

func (r timedRow) Scan(into ...any) error {
	defer r.cancel()
	return r.row.Scan(into...)
}

// writeLong is write for work that may take minutes.
func (s *Store) writeLong(ctx context.Context, op string, fn func(*Tx) error) error {
	return s.transactWithin(ctx, op, longPatience, pgx.TxOptions{}, func(tx *Tx) error {
		if err := tx.takeLong(ctx); err != nil {
			return err
		}
		return fn(tx)
	})
}

// readLong is read for work that may take minutes.
func (s *Store) readLong(ctx context.Context, op string, fn func(*Tx) error) error {
	return s.transactWithin(ctx, op, longPatience, snapshot(), func(tx *Tx) error {
		if err := tx.takeLong(ctx); err != nil {
			return err
		}
		return fn(tx)
	})
}

func snapshot() pgx.TxOptions {
	return pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
}

func (tx *Tx) takeLong(ctx context.Context) error {
	_, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', @limit, true), set_config('idle_in_transaction_session_timeout', @limit, true)`,
		pgx.NamedArgs{"limit": strconv.FormatInt(longPatience.Milliseconds(), 10)})
	return err
}

// isLate recognises what the server ended for its time: a lock nobody gave back, a statement, a transaction left open.
func isLate(err error) bool {
	return isCode(err, "55P03") || isCode(err, "57014") || isCode(err, "25P03") // lock_not_available, query_canceled, idle_in_transaction_session_timeout
}

// lateError says so in a sentence: "the database cannot be reached" would send the officer looking in the wrong place.
func lateError(op string, err error) error {
	return &desk.Error{Kind: desk.Unavailable, Op: op, Msg: "ほかの処理が終わるのを待ちましたが、時間切れになりました。少し待ってやり直してください。", Err: err}
}
