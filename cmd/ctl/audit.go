package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"yagura/store"
)

// auditCommand checks the record of acts.
type auditCommand struct {
	database
}

// Run walks every chain, says whether it is whole and prints the heads, to be noted outside the database.
func (c *auditCommand) Run(s *streams) error {
	return c.with(func(ctx context.Context, st *store.Store) error {
		rows, bad, err := st.VerifyAudit(ctx)
		if err != nil {
			return err
		}
		if bad != 0 {
			fmt.Fprintf(s.out, "操作記録が書き換えられたか、抜かれています: %d 行のうち、最初の異常は番号 %d です。\n", rows, bad)
			return errReported
		}
		heads, err := st.AuditHead(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(s.out, "操作記録 %d 行に異常はありません。\n", rows)
		for _, chain := range slices.Sorted(maps.Keys(heads)) {
			fmt.Fprintf(s.out, "%s\t%s\n", chain, heads[chain])
		}
		return nil
	})
}
