package schema_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"yagura/store/cluster"
	"yagura/store/desk"
	"yagura/store/schema"
)

func current(t *testing.T) string {
	t.Helper()
	pg, err := cluster.Shared(t.Context())
	if err != nil {
		t.Fatalf("no PostgreSQL for tests: %v", err)
	}
	text, err := schema.Current(t.Context(), func(database string) string { return pg.DSN(database, cluster.Superuser) })
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSchemaFileIsCurrent(t *testing.T) {
	want, err := os.ReadFile("current.sql")
	if err != nil {
		t.Fatal(err)
	}
	got := current(t)
	if got == string(want) {
		return
	}
	w := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i >= len(w) || w[i] != line {
			t.Fatalf("store/schema/current.sql is out of date from line %d; run make schema\n%s", i+1, line)
		}
	}
	t.Fatal("store/schema/current.sql is longer than the schema; run make schema")
}

func TestDescriptionNamesEverySort(t *testing.T) {
	text := current(t)
	for _, want := range []string{
		"DOMAIN prefecture AS smallint CHECK",
		"TABLE audit\n  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY",
		"  operator_name_key UNIQUE (name)",
		"CREATE INDEX attempt_refused ON public.attempt USING btree",
		"FUNCTION public.mail_names_its_approval()",
		"CREATE TRIGGER mail_approved AFTER INSERT",
		"ON dispatch TO yagura_console",
		"UPDATE (closed_at)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(text, "scratch_") {
		t.Error("the name of the scratch database leaked into the text")
	}
}

func TestMigratingAgainAppliesNothing(t *testing.T) {
	pg, err := cluster.Shared(t.Context())
	if err != nil {
		t.Fatalf("no PostgreSQL for tests: %v", err)
	}
	name := fmt.Sprintf("migrate_%d", os.Getpid())
	admin, err := pgx.Connect(t.Context(), pg.DSN("postgres", cluster.Superuser))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, err := admin.Exec(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`)
		if err := errors.Join(err, admin.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	if _, err := admin.Exec(t.Context(), `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	// Three at once: the session lock lets one work, the others find nothing left to do.
	type result struct {
		applied []string
		err     error
	}
	results := make(chan result)
	for range 3 {
		go func() {
			applied, err := schema.Migrate(t.Context(), pg.DSN(name, cluster.Superuser))
			results <- result{applied, err}
		}()
	}
	applied := 0
	for range 3 {
		r := <-results
		if r.err != nil {
			t.Error(r.err)
		}
		applied += len(r.applied)
	}
	if _, newest := schema.Range(); int64(applied) != newest {
		t.Errorf("%d migrations applied, want %d", applied, newest)
	}
	text, err := schema.Describe(t.Context(), pg.DSN(name, cluster.Superuser))
	if err != nil || text != current(t) {
		t.Errorf("the description depends on the database's name or history (%v)", err)
	}
}

func TestMigrateSaysWhenTheDatabaseIsAway(t *testing.T) {
	if _, err := schema.Migrate(t.Context(), "host=/nowhere dbname=x"); desk.KindOf(err) != desk.Unavailable {
		t.Error(err)
	}
	if _, err := schema.Describe(t.Context(), "host=/nowhere dbname=x"); desk.KindOf(err) != desk.Unavailable {
		t.Error(err)
	}
}
