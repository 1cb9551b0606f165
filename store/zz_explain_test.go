package store

import ("testing";"strings";"os";"context";"github.com/jackc/pgx/v5")

func TestZZ(t *testing.T) {
	dsn := os.Getenv("ZZDSN")
	c, err := pgx.Connect(context.Background(), dsn); if err != nil { t.Fatal(err) }
	tx, _ := c.Begin(context.Background())
	tx.Exec(context.Background(), `SELECT set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)`)
	rows, err := tx.Query(context.Background(), "EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF) "+strings.ReplaceAll(countSQL, "@id", "2"))
	if err != nil { t.Fatal(err) }
	for rows.Next() { var s string; rows.Scan(&s); t.Log(s) }
}
