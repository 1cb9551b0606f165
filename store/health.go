package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// Beat says that a process lives; At is ignored, the database's clock is written. It is no act and leaves no audit row.
func (s *Store) Beat(ctx context.Context, b desk.Heartbeat) error {
	lanes := b.Lanes
	if lanes == nil {
		lanes = []string{}
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO heartbeat (process, at, lanes, note) VALUES (@process, now(), @lanes, @note)
		ON CONFLICT (process) DO UPDATE SET at = excluded.at, lanes = excluded.lanes, note = excluded.note`,
		pgx.NamedArgs{"process": b.Process, "lanes": lanes, "note": b.Note})
	return wrap("store.Beat", err)
}

// Health reads what the header shows, as of one instant. A process that fell silent stays listed for a day, so that its
// absence is seen; an operator is present while one of his sessions was touched in the last 90 s.
func (s *Store) Health(ctx context.Context) (desk.Health, error) {
	const op = "store.Health"
	var h desk.Health
	err := s.read(ctx, op, func(tx *Tx) error {
		h = desk.Health{AsOf: tx.Now}
		rows, err := tx.Query(ctx, `
			SELECT process, at, lanes, note FROM heartbeat
			WHERE at > now() - interval '1 day' ORDER BY process`)
		if err != nil {
			return err
		}
		if h.Engines, err = pgx.CollectRows(rows, pgx.RowToStructByName[desk.Heartbeat]); err != nil {
			return err
		}
		rows, err = tx.Query(ctx, `
			SELECT o.display AS operator, min(s.opened_at) AS since
			FROM desk_session s JOIN operator o ON o.id = s.operator_id
			WHERE s.closed_at IS NULL AND s.seen_at > now() - interval '90 seconds' AND o.disabled_at IS NULL
			GROUP BY o.id ORDER BY since, o.id`)
		if err != nil {
			return err
		}
		if h.Operators, err = pgx.CollectRows(rows, pgx.RowToStructByName[desk.Presence]); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `SELECT received_at, feed, stored_at FROM telegram ORDER BY stored_at DESC, id DESC LIMIT 1`).
			Scan(&h.LastTelegram, &h.LastFeed, &h.LastStored)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return h, err
}
