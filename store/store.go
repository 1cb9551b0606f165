// Package store holds every SQL statement of Yagura: one public method is one transaction, one fact and its audit row.
//
// The statement stands in the function that scans it. Time comes from the database, once a transaction (law 10).
// Console and engine never call each other; they meet here.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"yagura/store/desk"
	"yagura/store/schema"
)

// channel is the one NOTIFY channel; the payload is "topic:id" (law 8).
const channel = "yagura"

// Options says how a process opens the store.
type Options struct {
	DSN      string        // libpq form; several hosts and target_session_attrs are honoured
	Name     string        // application_name, e.g. "engine@tokyo"
	MaxConns int32         // 0 = 8
	Patience time.Duration // of one statement or transaction; 0 = 15 s
	Log      *slog.Logger
}

// Store is the one door to PostgreSQL. Safe for concurrent use.
type Store struct {
	pool pool
	log  *slog.Logger
	sent sentCounts // for CountTally
}

// Open connects and checks that this build understands the schema. It fails with Unavailable when the database is away.
func Open(ctx context.Context, o Options) (*Store, error) {
	const op = "store.Open"
	cfg, err := pgxpool.ParseConfig(o.DSN)
	if err != nil {
		return nil, &desk.Error{Kind: desk.Invalid, Op: op, Msg: "データベースの接続文字列が読めません。"}
	}
	cfg.MaxConns = o.MaxConns
	if cfg.MaxConns == 0 {
		cfg.MaxConns = 8
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = o.Name
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	cfg.ConnConfig.RuntimeParams["jit"] = "off" // compiling costs more than any of our statements, most of all on fresh tables
	cfg.ConnConfig.ConnectTimeout = 2 * time.Second
	if o.Patience == 0 {
		o.Patience = patience
	}
	limitSession(cfg.ConnConfig.RuntimeParams, o.Patience)
	cfg.ConnConfig.DialFunc = dialer()
	conns, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, wrap(op, err)
	}
	s := &Store{pool: pool{conns, o.Patience}, log: o.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.checkSchema(ctx); err != nil {
		conns.Close()
		return nil, err
	}
	return s, nil
}

// Close returns when every connection is closed.
func (s *Store) Close() { s.pool.Close() }

func (s *Store) checkSchema(ctx context.Context) error {
	const op = "store.Open"
	var version int64
	err := s.pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&version)
	if isCode(err, "42P01") { // undefined_table
		return desk.Errorf(desk.Unavailable, op, "データベースがまだ準備されていません。yagura-ctl migrate を実行してください。")
	}
	if err != nil {
		return wrap(op, err)
	}
	if oldest, newest := schema.Range(); version < oldest || version > newest {
		return desk.Errorf(desk.Unavailable, op, "データベースの版 %d をこの版のプログラムは扱えません（%d から %d）。", version, oldest, newest)
	}
	return nil
}

// Tx is a transaction with its own clock: Now is the database's, fixed at the beginning, and every fact in it bears that time.
type Tx struct {
	pgx.Tx
	Now time.Time
}

// write runs fn in one read-write transaction. A serialization failure or deadlock is tried again, at most three times.
func (s *Store) write(ctx context.Context, op string, fn func(*Tx) error) error {
	return s.transactWithin(ctx, op, s.pool.patience, pgx.TxOptions{}, fn)
}

// read runs fn in one read-only snapshot, so that several statements see the same instant.
func (s *Store) read(ctx context.Context, op string, fn func(*Tx) error) error {
	return s.transactWithin(ctx, op, s.pool.patience, snapshot(), fn)
}

func (s *Store) transactWithin(ctx context.Context, op string, limit time.Duration, o pgx.TxOptions, fn func(*Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var err error
	for range 3 {
		err = pgx.BeginTxFunc(ctx, s.pool, o, func(ptx pgx.Tx) error {
			tx := &Tx{Tx: ptx}
			if err := tx.QueryRow(ctx, `SELECT now()`).Scan(&tx.Now); err != nil {
				return err
			}
			tx.Now = tx.Now.UTC()
			return fn(tx)
		})
		if !isCode(err, "40001") && !isCode(err, "40P01") {
			break
		}
	}
	return wrap(op, err)
}

// notify wakes readers of a topic when the transaction commits. A hint only: everybody also polls (law 8).
func (tx *Tx) notify(ctx context.Context, topic desk.Topic, id int64) error {
	_, err := tx.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, fmt.Sprintf("%s:%d", topic, id))
	return err
}

// exec runs a state-changing statement and says Conflict when it touched no row: somebody else was first.
func (tx *Tx) exec(ctx context.Context, op, sql string, args pgx.NamedArgs) error {
	tag, err := tx.Exec(ctx, sql, args)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return &desk.Error{Kind: desk.Conflict, Op: op}
	}
	return nil
}

// wrap gives a database error its kind: no rows is NotFound, a lost connection is Unavailable, a broken rule is Conflict or
// Forbidden. The driver's text stays in Err, for the log only.
func wrap(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return desk.Wrap(desk.NotFound, op, err)
	case isLate(err):
		return lateError(op, err)
	case isAway(err):
		return desk.Wrap(desk.Unavailable, op, err)
	case isCode(err, "42501"): // insufficient_privilege
		return desk.Wrap(desk.Forbidden, op, err)
	case isCode(err, "23505"), isCode(err, "23503"), isCode(err, "23514"), isCode(err, "40001"), isCode(err, "40P01"):
		return desk.Wrap(desk.Conflict, op, err)
	}
	return desk.Wrap(desk.Internal, op, err)
}

func isCode(err error, code string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == code
}

// isAway reports whether the database could not be reached or is shutting down or starting up.
func isAway(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "08", "57", "53": // connection exception, operator intervention, insufficient resources
			return true
		}
		return pg.Code == "25006" // read_only_sql_transaction: a standby answered
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded) || isBrokenConn(err)
}

// isBrokenConn recognises a connection that died under a statement: pgx reports it as an unexpected EOF or a closed conn.
func isBrokenConn(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || (err != nil && err.Error() == "conn closed")
}
