package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// TelegramCounts says how many telegrams are stored, how many of them were looked at, and how many of those could not be read.
func (s *Store) TelegramCounts(ctx context.Context) (stored, read, unreadable int, err error) {
	err = s.read(ctx, "store.TelegramCounts", func(tx *Tx) error {
		return tx.QueryRow(ctx, `
			SELECT (SELECT count(*) FROM telegram), count(*), count(*) FILTER (WHERE error <> '') FROM reading`).Scan(&stored, &read, &unreadable)
	})
	return stored, read, unreadable, err
}

// TimesAsked counts, over all dispatches that left, how many people were asked once, twice and so on. // F3-1-k.4
func (s *Store) TimesAsked(ctx context.Context) (map[int]int, error) {
	asked := map[int]int{}
	err := s.readLong(ctx, "store.TimesAsked", func(tx *Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT times, count(*) FROM (
			  SELECT count(*) AS times FROM recipient r JOIN dispatch d ON d.id = r.dispatch_id
			  WHERE d.state IN ('approved', 'expanded', 'sending', 'sent', 'stopped') GROUP BY r.person_id) p
			GROUP BY times`)
		if err != nil {
			return err
		}
		var times, people int
		_, err = pgx.ForEachRow(rows, []any{&times, &people}, func() error {
			asked[times] = people
			return nil
		})
		return err
	})
	return asked, err
}
