package main

import (
	"context"
	"fmt"

	"yagura/store/schema"
)

// database is the connection that the verbs of the store share: always as the owner of the schema.
type database struct {
	DSN string `name:"dsn" env:"YAGURA_OWNER_DSN" required:"" help:"データベースの接続文字列（スキーマの所有者）。"`
}

// migrateCommand brings a database up to the newest schema version.
type migrateCommand struct {
	database
}

// Run applies what is missing and names it.
func (c *migrateCommand) Run(s *streams) error {
	applied, err := schema.Migrate(context.Background(), c.DSN)
	for _, name := range applied {
		fmt.Fprintf(s.out, "適用しました: %s\n", name)
	}
	if err == nil && len(applied) == 0 {
		_, newest := schema.Range()
		fmt.Fprintf(s.out, "データベースは最新です（版 %d）。\n", newest)
	}
	return plain(err)
}
