package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// nearMost is the most readings ReadingsNear returns.
const nearMost = 500

// ReadingsNear lists telegrams of the given types pressed in the span, as read, oldest first, at most 500, without their bytes.
// What could not be read is left out. It finds evidence that belongs to no event, such as a second source's reports.
func (s *Store) ReadingsNear(ctx context.Context, types []string, from, to time.Time) ([]desk.Telegram, error) {
	const op = "store.ReadingsNear"
	var out []desk.Telegram
	err := s.read(ctx, op, func(tx *Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT t.id, t.digest, t.feed, t.name, t.received_at, t.stored_at, r.parsed
			FROM reading r JOIN telegram t ON t.id = r.telegram_id
			WHERE r.type = ANY(@types::text[]) AND r.press_time BETWEEN @from AND @to AND r.error = ''
			ORDER BY r.press_time, t.id LIMIT @limit`, pgx.NamedArgs{"types": keysOf(types), "from": from, "to": to, "limit": nearMost})
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, scanTelegram)
		return err
	})
	return out, err
}
