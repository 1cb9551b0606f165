package schema

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Exists reports whether the server at dsn (any database of it, as owner) has a database of that name.
func Exists(ctx context.Context, dsn, name string) (there bool, err error) {
	err = maintain(ctx, dsn, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&there)
	})
	return there, err
}

// Create makes a database as a copy of template; an empty template is the server's own. The copy keeps tables and rows but not
// the rights on the database itself, so they are given here again (law 13).
func Create(ctx context.Context, dsn, name, template string) error {
	return maintain(ctx, dsn, func(conn *pgx.Conn) error {
		sql := `CREATE DATABASE ` + pgx.Identifier{name}.Sanitize()
		if template != "" {
			sql += ` TEMPLATE ` + pgx.Identifier{template}.Sanitize() + ` STRATEGY file_copy`
		}
		if _, err := conn.Exec(ctx, sql); err != nil || template == "" {
			return err
		}
		_, err := conn.Exec(ctx, `REVOKE ALL ON DATABASE `+pgx.Identifier{name}.Sanitize()+` FROM PUBLIC`)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, `GRANT CONNECT ON DATABASE `+pgx.Identifier{name}.Sanitize()+` TO yagura_engine, yagura_console`)
		return err
	})
}

// Drop removes a database with whoever is connected to it; a missing one is no error.
func Drop(ctx context.Context, dsn, name string) error {
	return maintain(ctx, dsn, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `DROP DATABASE IF EXISTS `+pgx.Identifier{name}.Sanitize()+` WITH (FORCE)`)
		return err
	})
}

func maintain(ctx context.Context, dsn string, fn func(*pgx.Conn) error) error {
	const op = "schema.maintain"
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return desk.Wrap(desk.Unavailable, op, err)
	}
	return desk.Wrap(desk.Internal, op, errors.Join(fn(conn), conn.Close(ctx)))
}
