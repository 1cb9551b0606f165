package main

import (
	"context"
	"io"

	"yagura/store/cluster"
	"yagura/store/schema"
)

// schemaCommand prints the schema that the migrations make, from a scratch database on the private test server.
type schemaCommand struct{}

// Run writes store/schema/current.sql's text to the output.
func (schemaCommand) Run(s *streams) error {
	ctx := context.Background()
	pg, err := cluster.Shared(ctx)
	if err != nil {
		return err
	}
	text, err := schema.Current(ctx, func(database string) string { return pg.DSN(database, cluster.Superuser) })
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.out, text)
	return err
}
