// Package schema holds the numbered, forward-only migrations and says which versions of the schema this build understands.
package schema

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver that goose speaks to
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"yagura/store/desk"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Range is the oldest and the newest schema version this build works with.
func Range() (oldest, newest int64) { return 6, 6 }

// Migrate brings the database at dsn up to the newest version, as the owner of the schema. Several processes may call it at
// once: a session lock lets one work and the others wait. It returns the names of the migrations it applied.
func Migrate(ctx context.Context, dsn string) (applied []string, err error) {
	const op = "schema.Migrate"
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, desk.Wrap(desk.Unavailable, op, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, desk.Wrap(desk.Internal, op, err)
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, desk.Wrap(desk.Internal, op, err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, desk.Wrap(desk.Internal, op, err)
	}
	results, err := provider.Up(ctx)
	for _, r := range results {
		applied = append(applied, r.Source.Path)
	}
	return applied, desk.Wrap(desk.Unavailable, op, err)
}

// Fingerprint is a short hash of all migrations: two builds with the same one have the same schema.
func Fingerprint() string {
	h := sha256.New()
	names, _ := fs.Glob(migrations, "migrations/*.sql") // the pattern is constant and well-formed
	for _, name := range names {
		text, _ := fs.ReadFile(migrations, name) // embedded: cannot fail
		fmt.Fprintf(h, "%s\x00%s\x00", name, text)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
