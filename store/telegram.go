package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"yagura/store/desk"
)

// unreadMost is how many bytes of a telegram Unread gives: more than any reader takes (jma.MaxBytes), so that what is too long is
// still seen to be, and a handful of huge ones cannot fill the memory of the engine. TelegramRaw gives all of them.
const unreadMost = 9 << 20

// StoreTelegram keeps one telegram verbatim, before anybody tries to understand it (law 1). A telegram whose digest is already
// there, by whatever path, is the same telegram: its id comes back with fresh = false. The row is its own record and can
// never be changed; it has no audit row beside it.
func (s *Store) StoreTelegram(ctx context.Context, env desk.Envelope, digest [32]byte) (id desk.TelegramID, fresh bool, err error) {
	const op = "store.StoreTelegram"
	err = s.write(ctx, op, func(tx *Tx) error {
		args := pgx.NamedArgs{
			"digest": digest[:], "feed": storable(env.Feed), "name": storable(env.Name), "raw": nonNil(env.Raw),
			"received_at": env.ReceivedAt, "now": tx.Now,
		}
		err := tx.QueryRow(ctx, `
			INSERT INTO telegram (digest, feed, name, raw, received_at, stored_at)
			VALUES (@digest, @feed, @name, @raw, @received_at, @now)
			ON CONFLICT (digest) DO NOTHING RETURNING id`, args).Scan(&id)
		if err == pgx.ErrNoRows {
			fresh = false
			return tx.QueryRow(ctx, `SELECT id FROM telegram WHERE digest = @digest`, args).Scan(&id)
		}
		if err != nil {
			return err
		}
		fresh = true
		return tx.notify(ctx, desk.TopicTelegram, int64(id))
	})
	return id, fresh, err
}

// storable drops what a text column refuses: NUL and broken UTF-8 in the names a foreign source gives. The bytes of the
// telegram itself are kept as they are.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Unread lists telegrams that have no reading yet, with their bytes (the first 9 MiB of them). The feeds take turns, each oldest
// first, so that a flood from one source never holds up another's telegram. Only the envelope is filled.
func (s *Store) Unread(ctx context.Context, limit int) ([]desk.Telegram, error) {
	const op = "store.Unread"
	var out []desk.Telegram
	err := s.read(ctx, op, func(tx *Tx) error {
		// The recursion steps from feed to feed by the index, so the cost does not grow with the backlog.
		rows, err := tx.Query(ctx, `
			WITH RECURSIVE waiting AS (
			  (SELECT feed FROM unread ORDER BY feed LIMIT 1)
			  UNION ALL
			  SELECT (SELECT u.feed FROM unread u WHERE u.feed > w.feed ORDER BY u.feed LIMIT 1) FROM waiting w WHERE w.feed IS NOT NULL
			), turns AS (
			  SELECT u.telegram_id, row_number() OVER (PARTITION BY w.feed ORDER BY u.telegram_id) AS turn
			  FROM waiting w CROSS JOIN LATERAL (
			    SELECT telegram_id FROM unread WHERE unread.feed = w.feed ORDER BY telegram_id LIMIT @limit) u
			)
			SELECT t.id, t.digest, t.feed, t.name, substring(t.raw FROM 1 FOR @most), t.received_at, t.stored_at
			FROM turns JOIN telegram t ON t.id = turns.telegram_id
			ORDER BY turns.turn, t.id LIMIT @limit`, pgx.NamedArgs{"limit": limit, "most": unreadMost})
		if err != nil {
			return err
		}
		out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.Telegram, error) {
			var t desk.Telegram
			var digest []byte
			err := row.Scan(&t.ID, &digest, &t.Feed, &t.Name, &t.Raw, &t.ReceivedAt, &t.StoredAt)
			copy(t.Digest[:], digest)
			return t, err
		})
		return err
	})
	return out, err
}

// RecordReading records what was understood of a telegram, once. problem says in plain Japanese why it could not be read; the
// inbox shows it. A telegram that already has a reading keeps it: two engines may read the same one.
func (s *Store) RecordReading(ctx context.Context, t desk.Telegram, problem string) error {
	const op = "store.RecordReading"
	return s.write(ctx, op, func(tx *Tx) error {
		parsed, err := encodeTelegram(t)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO reading (telegram_id, type, mode, phase, event_keys, serial, press_time, parsed, error, at)
			VALUES (@id, @type, @mode, @phase, @keys, @serial, @press, @parsed, @problem, @now)
			ON CONFLICT (telegram_id) DO NOTHING`, pgx.NamedArgs{
			"id": t.ID, "type": storable(t.Type), "mode": string(t.Mode), "phase": string(t.Phase), "keys": keysOf(t.EventIDs),
			"serial": storable(t.Serial), "press": nullTime(t.PressTime), "parsed": parsed, "problem": storable(problem), "now": tx.Now,
		})
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		// The event was notified a moment before: whoever re-read it then finds the telegram itself only now.
		return tx.notify(ctx, desk.TopicTelegram, int64(t.ID))
	})
}

// TelegramRaw is one telegram exactly as it came.
func (s *Store) TelegramRaw(ctx context.Context, id desk.TelegramID) ([]byte, error) {
	const op = "store.TelegramRaw"
	var raw []byte
	err := s.read(ctx, op, func(tx *Tx) error {
		return tx.QueryRow(ctx, `SELECT raw FROM telegram WHERE id = @id`, pgx.NamedArgs{"id": id}).Scan(&raw)
	})
	return raw, err
}

// encodeTelegram writes the reading without what the telegram row holds already. jsonb refuses NUL, as text does.
func encodeTelegram(t desk.Telegram) (string, error) {
	t.Raw, t.Digest = nil, [32]byte{}
	b, err := json.Marshal(t)
	return jsonText(b), err
}

// withoutNUL steps over an escaped backslash, so that a text which spells \u0000 out keeps it.
var withoutNUL = strings.NewReplacer(`\\`, `\\`, `\u0000`, ``)

func jsonText(b []byte) string { return withoutNUL.Replace(string(b)) }

// scanTelegram reads a telegram row joined with its reading, without the bytes.
func scanTelegram(row pgx.CollectableRow) (desk.Telegram, error) {
	var t desk.Telegram
	var id desk.TelegramID
	var digest, parsed []byte
	var feed, name string
	var received, stored time.Time
	if err := row.Scan(&id, &digest, &feed, &name, &received, &stored, &parsed); err != nil {
		return t, err
	}
	if err := json.Unmarshal(parsed, &t); err != nil {
		return t, err
	}
	t.ID, t.Feed, t.Name, t.ReceivedAt, t.StoredAt, t.Raw = id, feed, name, received.UTC(), stored.UTC(), nil
	copy(t.Digest[:], digest)
	return t, nil
}

func keysOf(ids []string) []string {
	keys := make([]string, 0, len(ids))
	for _, id := range ids {
		keys = append(keys, storable(id))
	}
	return keys
}

func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// EEWHeard reports whether an EEW or its line test, of whatever mode, was pressed in the span: whether that path was alive.
func (s *Store) EEWHeard(ctx context.Context, from, to time.Time) (heard bool, err error) {
	err = s.read(ctx, "store.EEWHeard", func(tx *Tx) error {
		return tx.QueryRow(ctx, `
			SELECT EXISTS (SELECT FROM reading WHERE type IN ('VXSE42', 'VXSE43', 'VXSE44', 'VXSE45') AND press_time BETWEEN @from AND @to)`,
			pgx.NamedArgs{"from": from, "to": to}).Scan(&heard)
	})
	return heard, err
}
