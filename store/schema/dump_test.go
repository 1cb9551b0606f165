package schema_test

import (
	"os"
	"strings"
	"testing"

	"yagura/store/cluster"
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
		"  response_nonce_key UNIQUE (nonce)",
		"CREATE INDEX mail_lane ON public.mail USING btree (dispatch_id, lane, id)",
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

func TestMigrateTwiceChangesNothing(t *testing.T) {
	if current(t) != current(t) {
		t.Error("two migrated databases differ")
	}
}
