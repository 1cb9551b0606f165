package schema_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/cluster"
	"yagura/store/schema"
)

// TestWhatIsReadDuringTheUpgradeDoesNotWait: engines of the former version store and read a telegram while version 6 is applied.
func TestWhatIsReadDuringTheUpgradeDoesNotWait(t *testing.T) {
	pg, err := cluster.Shared(t.Context())
	if err != nil {
		t.Fatalf("no PostgreSQL for tests: %v", err)
	}
	name := fmt.Sprintf("upgrade_%d", os.Getpid())
	dsn := pg.DSN(name, cluster.Superuser)
	if err := schema.Create(t.Context(), pg.DSN("postgres", cluster.Superuser), name, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := schema.Drop(context.Background(), pg.DSN("postgres", cluster.Superuser), name); err != nil {
			t.Error(err)
		}
	})
	if _, err := schema.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	watch, err2 := pgx.Connect(t.Context(), dsn)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(conn.Close(context.Background()), watch.Close(context.Background())) })
	run := func(c interface {
		QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	}, sql string,
	) (n int) {
		t.Helper()
		if err := c.QueryRow(t.Context(), sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := conn.Exec(t.Context(), `DROP TRIGGER telegram_waits ON telegram; DROP TRIGGER reading_is_done ON reading; DROP FUNCTION telegram_waits, reading_is_done;
		DROP TABLE unread; DROP INDEX reading_kind; DELETE FROM goose_db_version WHERE version_id >= 6`); err != nil {
		t.Fatal(err)
	}
	run(conn, `INSERT INTO telegram (digest, feed, name, raw, received_at, stored_at) VALUES (sha256('x'), 'jma-pull', '', 'x', now(), now()) RETURNING 1`)
	old, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	run(old, `INSERT INTO reading (telegram_id, type, mode, phase, event_keys, serial, parsed, at)
		SELECT id, 'VXSE53', 'live', 'issued', '{}', '', '{}', now() FROM telegram RETURNING 1`)
	done := make(chan error, 1)
	go func() {
		_, err := schema.Migrate(t.Context(), dsn)
		done <- err
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for run(watch, `SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'reading'::regclass`) == 0 {
		select {
		case err := <-done:
			t.Fatalf("the upgrade did not wait: %v", err)
		case <-tick.C:
		}
	}
	if err := old.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := run(watch, `SELECT count(*) FROM unread`); n != 0 {
		t.Errorf("%d telegrams wait to be read, and it was read", n)
	}
}
