// Package storetest gives each test a PostgreSQL database of its own, made from a migrated template and dropped afterwards.
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store"
	"yagura/store/cluster"
	"yagura/store/schema"
)

// Roles of the processes, as the migration creates them.
const (
	Owner   = "postgres"
	Engine  = "yagura_engine"
	Console = "yagura_console"
)

// DB is one test's own database.
type DB struct {
	t    testing.TB
	name string
	pg   *cluster.Cluster
}

var prepare = sync.OnceValues(func() (*cluster.Cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return cluster.Shared(ctx)
})

// New creates a database from the migrated template. It is dropped when the test ends.
func New(t testing.TB) *DB {
	t.Helper()
	pg, err := prepare()
	if err != nil {
		t.Fatalf("no PostgreSQL for tests: %v", err)
	}
	template, err := templateFor(t.Context(), pg)
	if err != nil {
		t.Fatalf("template database: %v", err)
	}
	db := &DB{t: t, name: "t_" + random(), pg: pg}
	if err := schema.Create(t.Context(), pg.DSN("postgres", Owner), db.name, template); err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() {
		if err := schema.Drop(context.Background(), pg.DSN("postgres", Owner), db.name); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return db
}

// DSN is the connection string of the database for a role.
func (db *DB) DSN(role string) string { return db.pg.DSN(db.name, role) }

// Store opens the database as a role. It is closed when the test ends.
func (db *DB) Store(role string) *store.Store {
	db.t.Helper()
	s, err := store.Open(db.t.Context(), store.Options{DSN: db.DSN(role), Name: db.t.Name(), MaxConns: 16})
	if err != nil {
		db.t.Fatalf("open as %s: %v", role, err)
	}
	db.t.Cleanup(s.Close)
	return s
}

// Exec runs a statement as the owner, to arrange what a test needs.
func (db *DB) Exec(sql string, args ...any) {
	db.t.Helper()
	conn := db.connect()
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
		db.t.Fatalf("%s: %v", sql, err)
	}
}

// Scan runs a query of one row as the owner and scans it.
func (db *DB) Scan(sql string, into ...any) {
	db.t.Helper()
	conn := db.connect()
	defer conn.Close(context.Background())
	if err := conn.QueryRow(context.Background(), sql).Scan(into...); err != nil {
		db.t.Fatalf("%s: %v", sql, err)
	}
}

// Conn opens a bare connection as a role, for tests of grants and triggers. It is closed when the test ends.
func (db *DB) Conn(role string) *pgx.Conn {
	db.t.Helper()
	conn, err := pgx.Connect(db.t.Context(), db.DSN(role))
	if err != nil {
		db.t.Fatalf("connect as %s: %v", role, err)
	}
	db.t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func (db *DB) connect() *pgx.Conn {
	conn, err := pgx.Connect(context.Background(), db.DSN(Owner))
	if err != nil {
		db.t.Fatalf("connect: %v", err)
	}
	return conn
}

// templateFor migrates one template database a schema version and process start; a second process waits and reuses it.
func templateFor(ctx context.Context, pg *cluster.Cluster) (string, error) {
	name := "template_" + schema.Fingerprint()
	conn, err := pgx.Connect(ctx, pg.DSN("postgres", Owner))
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(7241002)`); err != nil {
		return "", err
	}
	var there bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)`, name).Scan(&there); err != nil || there {
		return name, err
	}
	if _, err := conn.Exec(ctx, `DROP DATABASE IF EXISTS `+name); err != nil {
		return "", err
	}
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+name); err != nil {
		return "", err
	}
	if _, err := schema.Migrate(ctx, pg.DSN(name, Owner)); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, `ALTER DATABASE `+name+` WITH is_template true`)
	return name, err
}

func random() string {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // crypto/rand never fails on Linux
	}
	return fmt.Sprintf("%d_%s", os.Getpid(), hex.EncodeToString(b[:]))
}
